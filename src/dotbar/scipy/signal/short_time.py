"""The short-time transform as an object: its window is a constant, the signals it is given are not."""

from typing import Any

import numpy as np
import scipy.signal as ss

from dotbar.core import dtype_of, first_traced
from dotbar.errors import NoRuleError
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import conj
from dotbar.scipy.mirror import OWN
from dotbar.scipy.signal.filters import filled
from dotbar.scipy.signal.spectral import czt, frames, overlapped, without_trend

PADDING = {
    "zeros": {"mode": "constant"},
    "edge": {"mode": "edge"},
    "even": {"mode": "reflect"},
    "odd": {"mode": "reflect", "reflect_type": "odd"},
}


def refuse(name: str, instead: str, *given: Any) -> None:
    """Refuse what an object is made of, if it is traced."""
    if first_traced(given) is not None:
        raise NoRuleError(
            f"scipy.signal.{name} holds plain arrays. Use {instead}, which has a derivative in all of them."
        )


class ShortTimeFFT(ss.ShortTimeFFT):
    """SciPy's, whose methods ``stft``, ``spectrogram`` and ``istft`` take traced signals."""

    def __init__(self, win: Any, hop: int, fs: float, **settings: Any):
        refuse("ShortTimeFFT", "dotbar.scipy.signal.stft and istft", win, hop, fs, *settings.values())
        super().__init__(win, hop, fs, **settings)

    @property
    def turn(self) -> int:
        """By how much a segment is rolled, so that its phase belongs to one of its places."""
        return 0 if self.phase_shift is None else (self.phase_shift + self.m_num_mid) % self.m_num

    @property
    def doubled(self) -> Any:
        """The factors of frequencies that stand for two."""
        w = np.full(self.f_pts, np.sqrt(2.0) if self.scaling == "psd" else 2.0)
        w[[0, *[-1] * (self.mfft % 2 == 0)]] = 1
        return w

    def stft_detrend(
        self,
        x: Any,
        detr: Any,
        p0: int | None = None,
        p1: int | None = None,
        *,
        k_offset: int = 0,
        padding: Any = "zeros",
        axis: int = -1,
    ) -> Any:
        if first_traced([x]) is None:
            return super().stft_detrend(x, detr, p0, p1, k_offset=k_offset, padding=padding, axis=axis)
        x = np.moveaxis(inexact(x), axis, -1)
        n = x.shape[-1]
        if self.onesided_fft and dtype_of(x).kind == "c":
            raise ValueError(
                f"Complex-valued `x` not allowed for {self.fft_mode=}. Set it to 'twosided' or 'centered'."
            )
        if n < self.m_num - self.m_num_mid:
            raise ValueError(f"x has {n} values, but must have at least ceil(m_num/2) = {self.m_num - self.m_num_mid}!")
        p0, p1 = self.p_range(n, p0, p1)
        start = p0 * self.hop - self.m_num_mid + k_offset
        stop = start + (p1 - p0) * self.hop + self.m_num
        frame = [(0, 0)] * (x.ndim - 1) + [(-min(start, 0), max(stop - n, 0))]
        x = np.pad(x[..., max(start, 0) : min(stop, n)], frame, **PADDING[padding])
        segments = without_trend(frames(x, self.m_num, self.hop)[..., : p1 - p0, :], detr) * conj(self.win)
        if self.phase_shift is not None:
            segments = np.roll(filled(segments, max(self.mfft, self.m_num)), -self.turn, -1)
        S = (np.fft.rfft if self.onesided_fft else np.fft.fft)(segments, self.mfft)
        if self.fft_mode == "centered":
            S = np.fft.fftshift(S, -1)
        elif self.fft_mode == "onesided2X":
            S = S * self.doubled
        S = np.swapaxes(S, -1, -2)
        return np.moveaxis(S, -2, axis if axis >= 0 else axis - 1) if S.ndim > 2 else S

    def istft(self, S: Any, k0: int = 0, k1: int | None = None, *, f_axis: int = -2, t_axis: int = -1) -> Any:
        if first_traced([S]) is None:
            return super().istft(S, k0, k1, f_axis=f_axis, t_axis=t_axis)
        plain = np.zeros((self.f_pts, np.shape(S)[t_axis]))
        n = len(super().istft(plain, k0, k1))  # SciPy checks k0 and k1
        S, ndim = inexact(S), np.ndim(S)
        if S.shape[f_axis] != self.f_pts:
            raise ValueError(f"{S.shape[f_axis]=} must be equal to {self.f_pts=} ({S.shape=})!")
        S = np.moveaxis(S, (t_axis, f_axis), (-2, -1))
        first = k0 // self.hop + (self.p_min if k0 >= 0 else 0)
        last = min(self.p_max(k0 + n), S.shape[-2] + self.p_min)
        S = S[..., first - self.p_min : last - self.p_min, :]
        if self.fft_mode == "centered":
            S = np.fft.ifftshift(S, -1)
        elif self.fft_mode == "onesided2X":
            S = S / self.doubled
        segments = (np.fft.irfft if self.onesided_fft else np.fft.ifft)(S, self.mfft)
        segments = np.roll(segments, self.turn, -1)[..., : self.m_num] * self.dual_win
        x, start = overlapped(segments, self.hop), first * self.hop - self.m_num_mid
        x = filled(x, max(x.shape[-1], k0 + n - start))[..., k0 - start : k0 + n - start]
        f_axis, t_axis = f_axis % ndim, t_axis % ndim
        return np.moveaxis(x, -1, f_axis if f_axis < x.ndim else t_axis) if x.ndim > 1 else x


class Chirped:
    """A transform that may be called with a traced signal."""

    m: int
    w: Any
    a: Any

    def __call__(self, x: Any, *, axis: int = -1) -> Any:
        if first_traced([x]) is None:
            return super().__call__(x, axis=axis)  # type: ignore[misc]
        return czt(x, self.m, self.w, self.a, axis=axis)


class CZT(Chirped, ss.CZT):
    """SciPy's, of a traced signal too."""

    def __init__(self, n: int, m: int | None = None, w: Any = None, a: Any = 1 + 0j):
        refuse("CZT", "dotbar.scipy.signal.czt", n, m, w, a)
        super().__init__(n, m, w, a)


class ZoomFFT(Chirped, ss.ZoomFFT):
    """SciPy's, of a traced signal too."""

    def __init__(self, n: int, fn: Any, m: int | None = None, *, fs: Any = 2, endpoint: bool = False):
        refuse("ZoomFFT", "dotbar.scipy.signal.zoom_fft", n, fn, m, fs)
        super().__init__(n, fn, m, fs=fs, endpoint=endpoint)


OWN |= {ss.ShortTimeFFT: ShortTimeFFT, ss.CZT: CZT, ss.ZoomFFT: ZoomFFT}

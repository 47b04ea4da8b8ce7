"""Spectra and their relatives: short transforms, their averages, resampling by transforms, trends."""

from itertools import pairwise
from typing import Any

import numpy as np
import scipy.signal as ss
from scipy.fft import next_fast_len

from dotbar.core import dtype_of
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import conj, raise_if
from dotbar.scipy.binding import in_place_of
from dotbar.scipy.mirror import before
from dotbar.scipy.signal.convolution import checked
from dotbar.scipy.signal.filters import extended, filled
from dotbar.scipy.signal.windows import get_window

# ---------------------------------------------------------------- trends


@in_place_of(ss.detrend)
def detrend(data: Any, axis: int, type: str, bp: Any, overwrite_data: bool) -> Any:
    """Less the mean, or the line nearest to the data between break points."""
    checked(type, ("linear", "l", "constant", "c"), "type")
    x = inexact(data)
    if type in ("constant", "c"):
        return x - np.mean(x, axis, keepdims=True)
    x = np.moveaxis(x, axis, -1)
    ends = np.unique(np.concatenate([[0], np.atleast_1d(bp), [x.shape[-1]]]).astype(int))
    parts = []
    for start, stop in pairwise(ends):
        part = x[..., start:stop]
        n = stop - start
        basis = np.linalg.qr(np.stack([np.ones(n), np.arange(1, n + 1) / n], 1))[0].astype(dtype_of(np.real(x)))
        parts.append(part - (part @ basis) @ basis.T)
    return np.moveaxis(np.concatenate(parts, -1), -1, axis)


def without_trend(x: Any, how: Any) -> Any:
    """Less what the setting ``detrend`` of the spectra says, along the last axis."""
    if callable(how):
        return how(x)
    return detrend(x, -1, how, 0, False) if how else x


# ---------------------------------------------------------------- short transforms


def window_of(window: Any, nperseg: int | None, length: int) -> tuple[Any, int]:
    """The window and its length."""
    if not isinstance(window, (str, tuple)):
        window = inexact(window)
        if window.ndim != 1 or window.shape[0] > length:
            raise ValueError("window must be 1-D, and no longer than the signal")
        if nperseg not in (None, window.shape[0]):
            raise ValueError(f"{nperseg=} does not equal len(win)={window.shape[0]}")
        return window, window.shape[0]
    nperseg = min(256 if nperseg is None else int(nperseg), length)
    return get_window(window, nperseg), nperseg


def frames(x: Any, nperseg: int, step: int) -> Any:
    """The segments along the last axis, as a new axis before it."""
    return np.lib.stride_tricks.sliding_window_view(x, nperseg, -1)[..., ::step, :]


def transforms(
    x: Any,
    fs: Any,
    window: Any,
    nperseg: int | None,
    noverlap: int | None,
    nfft: int | None,
    how: Any,
    onesided: bool,
    boundary: Any,
    padded: bool,
) -> tuple[Any, Any, Any, Any, Any]:
    """Frequencies, times, transforms (…, segments, frequencies), the window and whether one side is all there is."""
    window, nperseg = window_of(window, nperseg, x.shape[-1])
    noverlap = nperseg // 2 if noverlap is None else int(noverlap)
    step, nfft = nperseg - noverlap, nperseg if nfft is None else int(nfft)
    if step < 1 or nfft < nperseg:
        raise ValueError("noverlap must be less than nperseg, and nfft no less.")
    x = extended(x, boundary, nperseg // 2) if boundary else x
    if padded:
        missing = (-(x.shape[-1] - nperseg) % step) % nperseg
        x = filled(x, x.shape[-1] + missing)
    window = window.astype(np.result_type(dtype_of(np.real(x)), np.float32))
    onesided = onesided and dtype_of(x).kind != "c"
    segments = without_trend(frames(x, nperseg, step), how) * window
    X = np.fft.rfft(segments, nfft) if onesided else np.fft.fft(segments, nfft)
    freqs = (np.fft.rfftfreq if onesided else np.fft.fftfreq)(nfft) * fs
    time = np.arange(nperseg / 2, x.shape[-1] - nperseg / 2 + 1, step) / fs
    return freqs, time - (nperseg / 2 / fs if boundary else 0), X, window, onesided


def scale_of(scaling: str, fs: Any, window: Any) -> Any:
    """What squares of transforms are multiplied with."""
    checked(scaling, ("density", "spectrum"), "scaling")
    return 1 / (fs * np.sum(window**2)) if scaling == "density" else 1 / np.sum(window) ** 2


def as_scipy_has_it(Z: Any, axis: int) -> Any:
    """From (…, segments, frequencies): the frequencies at the axis of time, the segments last."""
    Z = np.swapaxes(Z, -1, -2)
    return np.moveaxis(Z, -2, axis - 1 if axis < 0 else axis)


def powers(x: Any, y: Any, fs: Any, scaling: str, mode_args: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """Frequencies, times and the cross spectrum of each segment."""
    freqs, time, X, window, onesided = transforms(x, fs, *mode_args)
    Y = X if y is x else transforms(y, fs, *mode_args)[2]
    P = conj(X) * Y * scale_of(scaling, fs, window)
    if onesided:
        nfft = mode_args[3] or len(window)
        double = np.full(len(freqs), 2.0, dtype_of(np.real(P)))
        double[0] = 1
        if nfft % 2 == 0:
            double[-1] = 1
        P = P * double
    return freqs, time, np.real(P) if y is x else P


def signal_of(x: Any, axis: int) -> Any:
    return np.moveaxis(inexact(x), axis, -1)


@in_place_of(ss.csd)
def csd(
    x: Any,
    y: Any,
    fs: Any,
    window: Any,
    nperseg: int | None,
    noverlap: int | None,
    nfft: int | None,
    detrend: Any,
    return_onesided: bool,
    scaling: str,
    axis: int,
    average: str,
) -> Any:
    checked(average, ("mean", "median"), "average")
    same = y is x
    x = signal_of(x, axis)
    y = x if same else signal_of(y, axis)
    if not (x.size and y.size):
        nothing = np.moveaxis(np.zeros((*x.shape[:-1], min(x.shape[-1], y.shape[-1]))), -1, axis)
        return nothing, nothing
    length = max(x.shape[-1], y.shape[-1])
    if not same:
        x, y = filled(x, length), filled(y, length)
        return_onesided = return_onesided and "c" not in (dtype_of(x).kind, dtype_of(y).kind)
    settings = (window, nperseg, noverlap, nfft, detrend, return_onesided, None, False)
    freqs, _, P = powers(x, y, fs, scaling, settings)
    if average == "mean":
        return freqs, np.moveaxis(np.mean(P, -2), -1, axis)
    n = P.shape[-2]
    even = 2 * np.arange(1.0, (n - 1) // 2 + 1)
    bias = 1 + np.sum(1 / (even + 1) - 1 / even)
    middle = np.median(np.real(P), -2)
    if dtype_of(P).kind == "c":
        middle = middle + 1j * np.median(np.imag(P), -2)
    return freqs, np.moveaxis(middle / bias, -1, axis)


@in_place_of(ss.welch)
def welch(
    x: Any,
    fs: Any,
    window: Any,
    nperseg: int | None,
    noverlap: int | None,
    nfft: int | None,
    detrend: Any,
    return_onesided: bool,
    scaling: str,
    axis: int,
    average: str,
) -> Any:
    settings = (window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, average)
    return csd(x, x, fs, *settings)


@in_place_of(ss.coherence)
def coherence(
    x: Any,
    y: Any,
    fs: Any,
    window: Any,
    nperseg: int | None,
    noverlap: int | None,
    nfft: int | None,
    detrend: Any,
    axis: int,
) -> Any:
    settings = (fs, window, nperseg, noverlap, nfft, detrend, True, "density", axis, "mean")
    freqs, P = csd(x, y, *settings)
    return freqs, np.abs(P) ** 2 / csd(x, x, *settings)[1] / csd(y, y, *settings)[1]


@in_place_of(ss.periodogram)
def periodogram(
    x: Any, fs: Any, window: Any, nfft: int | None, detrend: Any, return_onesided: bool, scaling: str, axis: int
) -> Any:
    x = signal_of(x, axis)
    if nfft is not None and nfft < x.shape[-1]:
        x, nfft = x[..., :nfft], None
    window = "boxcar" if window is None else window
    n = x.shape[-1] if isinstance(window, (str, tuple)) else None
    if n is None and np.shape(window) != x.shape[-1:]:
        raise ValueError("the size of the window must be the same size of the input on the specified axis")
    freqs, P = csd(x, x, fs, window, n, 0, nfft, detrend, return_onesided, scaling, -1, "mean")
    return freqs, np.moveaxis(P, -1, axis)


@in_place_of(ss.spectrogram)
def spectrogram(
    x: Any,
    fs: Any,
    window: Any,
    nperseg: int | None,
    noverlap: int | None,
    nfft: int | None,
    detrend: Any,
    return_onesided: bool,
    scaling: str,
    axis: int,
    mode: str,
) -> Any:
    checked(mode, ("psd", "complex", "magnitude", "angle", "phase"), "mode")
    x = signal_of(x, axis)
    window, nperseg = window_of(window, nperseg, x.shape[-1])
    noverlap = nperseg // 8 if noverlap is None else noverlap
    settings = (window, nperseg, noverlap, nfft, detrend, return_onesided, None, False)
    if mode == "psd":
        freqs, time, P = powers(x, x, fs, scaling, settings)
        return freqs, time, as_scipy_has_it(P, axis)
    freqs, time, X, window, _ = transforms(x, fs, *settings)
    Z = as_scipy_has_it(X * np.sqrt(scale_of(scaling, fs, window)), axis)
    if mode == "complex":
        return freqs, time, Z
    if mode == "magnitude":
        return freqs, time, np.abs(Z)
    return freqs, time, np.unwrap(np.angle(Z), axis=axis - (axis < 0)) if mode == "phase" else np.angle(Z)


@in_place_of(ss.stft)
def stft(
    x: Any,
    fs: Any,
    window: Any,
    nperseg: int | None,
    noverlap: int | None,
    nfft: int | None,
    detrend: Any,
    return_onesided: bool,
    boundary: Any,
    padded: bool,
    axis: int,
    scaling: str,
) -> Any:
    settings = (window, nperseg, noverlap, nfft, detrend, return_onesided, boundary, padded)
    freqs, time, X, window, _ = transforms(signal_of(x, axis), fs, *settings)
    scaling = "density" if scaling == "psd" else scaling
    return freqs, time, as_scipy_has_it(X * np.sqrt(scale_of(scaling, fs, window)), axis)


@in_place_of(ss.istft)
def istft(
    Zxx: Any,
    fs: Any,
    window: Any,
    nperseg: int | None,
    noverlap: int | None,
    nfft: int | None,
    input_onesided: bool,
    boundary: bool,
    time_axis: int,
    freq_axis: int,
    scaling: str,
) -> Any:
    """The segments added where they overlap, divided by the sum of the squared windows there."""
    Z = np.moveaxis(inexact(Zxx), (time_axis, freq_axis), (-2, -1))
    usual = 2 * (Z.shape[-1] - 1) if input_onesided else Z.shape[-1]
    nperseg = usual if nperseg is None else int(nperseg)
    nfft = (nperseg if input_onesided and nperseg == usual + 1 else usual) if nfft is None else int(nfft)
    noverlap = nperseg // 2 if noverlap is None else int(noverlap)
    step, count = nperseg - noverlap, Z.shape[-2]
    if step < 1:
        raise ValueError("noverlap must be less than nperseg.")
    window = get_window(window, nperseg) if isinstance(window, (str, tuple)) else inexact(window)
    segments = (np.fft.irfft if input_onesided else np.fft.ifft)(Z, nfft)[..., :nperseg]
    window = window.astype(dtype_of(np.real(segments)))
    segments = segments * (np.sum(window) if scaling == "spectrum" else np.sqrt(fs * np.sum(window**2)))
    x, norm = overlapped(segments * window, step), overlapped(np.broadcast_to(window**2, (count, nperseg)), step)
    inside = slice(nperseg // 2, x.shape[-1] - nperseg // 2) if boundary else slice(None)
    x = x[..., inside] / np.where(norm > 1e-10, norm, 1.0)[inside]
    outer = [k for k in range(np.ndim(Zxx)) if k not in (time_axis % np.ndim(Zxx), freq_axis % np.ndim(Zxx))]
    place = sum(k < time_axis % np.ndim(Zxx) for k in outer)
    x = np.moveaxis(x, -1, place)
    return np.arange(x.shape[0]) / fs, x


def overlapped(segments: Any, step: int) -> Any:
    """The segments, each so many steps after the one before it, added up."""
    count, n = segments.shape[-2:]
    length = n + (count - 1) * step
    x = np.zeros((*segments.shape[:-2], length), dtype_of(segments), like=segments)
    places = step * np.arange(count)[:, None] + np.arange(n)
    np.add.at(x, (..., places), segments)
    return x


# ---------------------------------------------------------------- by one transform


@in_place_of(ss.hilbert)
def hilbert(x: Any, N: Any, axis: int) -> Any:
    """The analytic signal: no negative frequencies.  Marple (1999), (9)."""
    x = inexact(x)
    if dtype_of(x).kind == "c":
        raise ValueError("x must be real.")
    n = x.shape[axis] if N is None else N
    h = np.zeros(n)
    h[0] = h[n // 2] = 1
    h[1 : (n + 1) // 2] = 2
    shape = [1] * x.ndim
    shape[axis] = n
    return np.fft.ifft(np.fft.fft(x, n, axis) * np.reshape(h, shape).astype(dtype_of(x)), n, axis)


@in_place_of(ss.hilbert2)
def hilbert2(x: Any, N: Any, axes: Any = (-2, -1)) -> Any:
    """The positive frequencies of both axes, those with partners twice; before SciPy 1.17 the last too."""
    x = np.atleast_2d(inexact(x))
    if dtype_of(x).kind == "c":
        raise ValueError("x must be real.")
    sizes = [x.shape[k] for k in axes] if N is None else np.broadcast_to(N, 2).tolist()
    X = np.moveaxis(np.fft.fft2(x, sizes, axes), axes, (-2, -1))
    k = [np.arange(n) for n in sizes]
    last = 1.0 if before("1.17.0") else 0.0
    rows, columns = (2.0 * (i < (n + 1) // 2) - (i == 0) + last * (2 * i == n) for i, n in zip(k, sizes))
    return np.fft.ifft2(np.moveaxis(X * (rows[:, None] * columns).astype(dtype_of(x)), (-2, -1), axes), axes=axes)


@in_place_of(ss.envelope)
def envelope(z: Any, bp_in: Any, n_out: int | None, squared: bool, residual: str | None, axis: int) -> Any:
    """The size of the analytic signal within a band of frequencies, and what lies outside of it."""
    if residual not in ("lowpass", "all", None):
        raise ValueError(f"{residual=} not in ['lowpass', 'all', None]!")
    z = signal_of(z, axis)
    n = z.shape[-1]
    out = n if n_out is None else n_out
    start, stop = -(n // 2) if bp_in[0] is None else bp_in[0], (n + 1) // 2 if bp_in[1] is None else bp_in[1]
    if not -n // 2 <= start < stop <= (n + 1) // 2:
        raise ValueError(f"`-n//2 <= bp_in[0] < bp_in[1] <= (n+1)//2` does not hold for {n=} and {bp_in=}!")
    band, is_real, around_zero = slice(start, stop), dtype_of(z).kind != "c", start <= 0 < stop
    weights, outside = np.ones(n), np.ones(n)
    if is_real:
        weights[n // 2 + 1 :] = 0
        weights[band if start > 0 else slice(1, max(stop, 1))] *= 2
    for part in (slice(stop), slice(start, None)) if around_zero else (band,):
        outside[part] = 0
    if residual == "lowpass":
        for part in (slice(stop, (n + 1) // 2),) if stop > 0 else (slice(start, None), slice((n + 1) // 2)):
            outside[part] = 0
    kind = dtype_of(np.real(z))
    Z = np.fft.fft(z) * weights.astype(kind)
    moved = np.fft.fftshift(Z, -1)[..., start + n // 2 : stop + n // 2] if around_zero else Z[..., band]
    baseband = np.fft.ifft(moved, out) * (out / n)
    found = np.real(baseband) ** 2 + np.imag(baseband) ** 2 if squared else np.abs(baseband)
    if residual is None:
        return np.moveaxis(found, -1, axis)
    least = min(n, out)
    if is_real and n != out and least % 2 == 0:
        outside[least // 2] *= 2 if out < n else 0.5
    Z = Z * outside.astype(kind)
    rest = np.fft.irfft(Z, out) * (out / n) if is_real else resample(Z, out, axis=-1, domain="freq")
    return np.stack([np.moveaxis(y, -1, axis) for y in (found, rest)])


@in_place_of(ss.resample)
def resample(x: Any, num: int, t: Any, axis: int, window: Any, domain: str) -> Any:
    """The transform cut or filled with zeros; an unpaired frequency is made of two, or makes two."""
    checked(domain, ("time", "freq"), "domain")
    x = signal_of(x, axis)
    n = x.shape[-1]
    least = min(n, num)
    if callable(window):
        window = window(np.fft.fftfreq(n))
    elif isinstance(window, (str, tuple)):
        window = np.fft.fftshift(get_window(window, n))
    is_real = domain == "time" and dtype_of(x).kind != "c"
    X = np.fft.fft(x) if domain == "time" else x
    X = X if window is None else X * np.asarray(window).astype(dtype_of(np.real(x)))
    half = (least + 1) // 2  # frequencies 1, …, half − 1 have partners
    positive, negative = X[..., :half], X[..., n - half + 1 :]
    above, below = X[..., half : half + 1], X[..., n - half : n - half + 1]
    gap = lambda count: np.zeros((*X.shape[:-1], count), dtype_of(X))
    if num == n:
        Y = X
    elif least % 2:
        Y = np.concatenate([positive, gap(num - least), negative], -1)
    elif num < n:
        Y = np.concatenate([positive, above + below, negative], -1)
    else:
        Y = np.concatenate([positive, above / 2, gap(num - least - 1), above / 2, negative], -1)
    y = np.fft.ifft(Y) * (num / n)
    y = np.moveaxis(np.real(y) if is_real else y, -1, axis)
    return y if t is None else (y, t[0] + (t[1] - t[0]) * (n / num) * np.arange(num))


def along_circle(x: Any, half: Any, start: Any, m: int) -> Any:
    """Σₙ x[n] a⁻ⁿ wⁿᵏ along the last axis by nk = (n² + k² − (k − n)²)/2, given w^(k²/2) and a⁻ⁿ.

    Rabiner, Schafer & Rader (1969), (13).
    """
    n = x.shape[-1]
    size = next_fast_len(n + m - 1)
    chirp = 1 / np.concatenate([half[n - 1 : 0 : -1], half[:m]])
    y = np.fft.ifft(np.fft.fft(chirp, size) * np.fft.fft(x * (start * half[:n]), size))
    return y[..., n - 1 : n + m - 1] * half[:m]


@in_place_of(ss.czt)
def czt(x: Any, m: int | None, w: Any, a: Any, axis: int) -> Any:
    x = signal_of(x, axis)
    n = x.shape[-1]
    m = n if m is None else m
    k = np.arange(max(m, n))
    half = np.exp(-1j * np.pi * (k**2 % (2 * m)) / m) if w is None else (inexact(w) + 0j) ** (k**2 / 2)
    return np.moveaxis(along_circle(x, half, (inexact(a) + 0j) ** -k[:n].astype(float), m), -1, axis)


@in_place_of(ss.czt_points)
def czt_points(m: int, w: Any, a: Any) -> Any:
    """a w⁻ᵏ."""
    k = np.arange(m)
    return inexact(a) * (np.exp(2j * np.pi * k / m) if w is None else inexact(w) ** -k.astype(float))


@in_place_of(ss.zoom_fft)
def zoom_fft(x: Any, fn: Any, m: int | None, fs: Any, endpoint: bool, axis: int) -> Any:
    """The transform at frequencies of an interval alone."""
    x = signal_of(x, axis)
    n = x.shape[-1]
    m, k = n if m is None else m, np.arange(max(n if m is None else m, n))
    low, high = (0.0, np.reshape(fn, ())) if np.size(fn) == 1 else fn
    scale = (high - low) / fs * (m / (m - 1) if endpoint else 1.0)
    y = along_circle(x, np.exp(-1j * np.pi * scale * k**2 / m), np.exp(-2j * np.pi * low / fs * k[:n]), m)
    return np.moveaxis(y, -1, axis)


@in_place_of(ss.lombscargle)
def lombscargle(x: Any, y: Any, freqs: Any, **settings: Any) -> Any:
    """Least squares by a sine and a cosine at each frequency, shifted so that they are orthogonal.

    Zechmeister & Kürster (2009), (4) to (7) and (10) to (19).
    """
    x, y, freqs = inexact(x), inexact(y), inexact(freqs)
    y = y - np.mean(y) if settings.get("precenter") is True else y
    weights, normalize, mean = (settings.get(name) for name in ("weights", "normalize", "floating_mean"))
    checked(normalize, (False, True, "power", "normalize", "amplitude"), "normalization")
    w = np.ones(len(x)) if weights is None else inexact(weights)
    raise_if(np.any(w < 0), error=ValueError("weights must have only non-negative entries"))
    w = w / np.sum(w)
    average = lambda v: np.sum(w * v, -1)
    covariance = lambda u, v: average(u * v) - average(u) * average(v) if mean else average(u * v)
    angle = freqs[:, None] * x
    cos, sin = np.cos(angle), np.sin(angle)
    tau = 0.5 * np.arctan2(2 * covariance(cos, sin), covariance(cos, cos) - covariance(sin, sin))
    cos, sin = np.cos(angle - tau[:, None]), np.sin(angle - tau[:, None])
    least = np.finfo(float).epsneg
    YC, YS = covariance(y, cos), covariance(y, sin)
    a, b = (Y / np.maximum(covariance(v, v), least) for Y, v in ((YC, cos), (YS, sin)))
    if normalize == "amplitude":
        return (a + 1j * b) * np.exp(1j * tau)
    P = a * YC + b * YS
    return P / covariance(y, y) if normalize in (True, "normalize") else P * len(x) / 2


# ---------------------------------------------------------------- dual windows


def shifted_sums(w: Any, hop: int) -> Any:
    """Each value plus all those that lie whole steps before and behind it."""
    n = w.shape[0]
    padded = filled(w, -(-n // hop) * hop)
    return np.tile(np.sum(np.reshape(padded, (-1, hop)), 0), len(padded) // hop)[:n]


@in_place_of(ss.closest_STFT_dual_window)
def closest_STFT_dual_window(win: Any, hop: int, desired_dual: Any, scaled: bool) -> Any:
    """The dual window nearest to a wanted one, or to a multiple of it: the canonical one plus what changes no sum.

    Werther, Eldar & Subbanna (2005), (14).
    """
    win = inexact(win)
    wanted = np.ones_like(win) if desired_dual is None else inexact(desired_dual)
    if win.ndim != 1 or win.shape != wanted.shape:
        raise ValueError(f"win and desired_dual are not 1d arrays of equal length ({win.shape}, {wanted.shape})!")
    total = shifted_sums(np.real(win) ** 2 + np.imag(win) ** 2, hop)
    least = np.finfo(dtype_of(win)).resolution * np.max(total)
    raise_if(np.any(total < least), error=ValueError("Short-time Fourier Transform not invertible!"))
    dual = win / total
    made = dual * shifted_sums(conj(win) * wanted, hop)
    factor = np.sum(conj(made) * dual) / np.sum(np.real(made) ** 2 + np.imag(made) ** 2) if scaled else 1.0
    return dual + factor * (wanted - made), factor

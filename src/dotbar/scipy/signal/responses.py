"""Responses to oscillations, of filters and systems in any form."""

from typing import Any

import numpy as np
import scipy.signal as ss

from dotbar.core import dtype_of, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import constant
from dotbar.rules.lapack_words import inexact
from dotbar.scipy.binding import in_place_of
from dotbar.scipy.mirror import OWN
from dotbar.scipy.signal.conversions import normalize, weak
from dotbar.scipy.signal.filters import sections_of
from dotbar.scipy.signal.systems import parts_of, ss2tf, ss2zpk, states_of

# ---------------------------------------------------------------- of time-continuous filters


@primitive
def decades(num: Any, den: Any, *, N: int, kind: str) -> Any:
    """SciPy's choice of frequencies, between whole powers of ten around the zeros and the poles."""
    return ss.findfreqs(num, den, N, kind)


constant(decades, like=lambda num, den, *, N, kind: None)


@in_place_of(ss.findfreqs)
def findfreqs(num: Any, den: Any, N: int, kind: str) -> Any:
    return decades(inexact(num), inexact(den), N=N, kind=kind)


def frequencies(worN: Any, num: Any, den: Any, kind: str) -> Any:
    """The frequencies given, or as many as are wanted."""
    if worN is None or isinstance(worN, (int, np.integer)):
        return findfreqs(num, den, 200 if worN is None else int(worN), kind=kind)
    return np.atleast_1d(inexact(worN))


def from_roots(z: Any, k: Any = 1.0) -> Any:
    """z -> k ∏ (z − root)."""
    return lambda at: k * np.prod(at[:, None] - np.atleast_1d(inexact(z)), -1)


@in_place_of(ss.freqs)
def freqs(b: Any, a: Any, worN: Any, plot: Any) -> Any:
    """b(iω)/a(iω)."""
    b, a = np.atleast_1d(inexact(b)), np.atleast_1d(inexact(a))
    w = frequencies(worN, b, a, "ba")
    h = np.polyval(b, 1j * w) / np.polyval(a, 1j * w)
    if plot is not None:
        raise NoRuleError("scipy.signal.freqs does not plot traced values.")
    return w, h


@in_place_of(ss.freqs_zpk)
def freqs_zpk(z: Any, p: Any, k: Any, worN: Any) -> Any:
    """k ∏ (iω − zero) / ∏ (iω − pole)."""
    if np.size(k) > 1:
        raise ValueError("k must be a single scalar gain")
    w = frequencies(worN, z, p, "zp")
    s = 1j * w.astype(float)
    return w, from_roots(z, k)(s) / from_roots(p)(s)


# ---------------------------------------------------------------- of time-discrete filters


def circle(worN: Any, whole: bool, fs: Any, kind: Any, include_nyquist: bool = False) -> Any:
    """Frequencies in radians per sample."""
    if worN is None or isinstance(worN, (int, np.integer)):
        stop = (2 if whole else 1) * np.pi
        return np.linspace(
            0, stop, 512 if worN is None else int(worN), endpoint=include_nyquist and not whole, dtype=kind
        )
    return np.atleast_1d(inexact(worN)) * (2 * np.pi / fs)


def real_kind(*xs: Any) -> Any:
    return np.result_type(*(dtype_of(np.real(x)) for x in xs))


@in_place_of(ss.freqz)
def freqz(b: Any, a: Any, worN: Any, whole: bool, plot: Any, fs: Any, include_nyquist: bool) -> Any:
    """b(z)/a(z) in powers of z = e^{−iω}."""
    b, a = np.atleast_1d(inexact(b)), np.atleast_1d(inexact(a))
    w = circle(worN, whole, fs, real_kind(b, a), include_nyquist)
    z = np.exp(-1j * w)
    h = at_powers(b, z) / at_powers(a, z)
    if plot is not None:
        raise NoRuleError("scipy.signal.freqz does not plot traced values.")
    return w * (fs / (2 * np.pi)), h


def at_powers(b: Any, z: Any) -> Any:
    """Σₖ b[k] zᵏ."""
    y = b[-1] + 0 * z
    for k in range(len(b) - 2, -1, -1):
        y = y * z + b[k]
    return y


@in_place_of(ss.freqz_zpk)
def freqz_zpk(z: Any, p: Any, k: Any, worN: Any, whole: bool, fs: Any) -> Any:
    """k ∏ (e^{iω} − zero) / ∏ (e^{iω} − pole)."""
    z, p = np.atleast_1d(inexact(z)), np.atleast_1d(inexact(p))
    w = circle(worN, whole, fs, real_kind(z, p))
    return w * (fs / (2 * np.pi)), from_roots(z, weak(k, z, p))(np.exp(1j * w)) / from_roots(p)(np.exp(1j * w))


@in_place_of(ss.freqz_sos)
def freqz_sos(sos: Any, worN: Any, whole: bool, fs: Any) -> Any:
    """The product over the sections."""
    sos, h = sections_of(sos), 1.0
    if not len(sos):
        raise ValueError("Cannot compute frequencies with no sections")
    for i in range(len(sos)):
        w, row = freqz(sos[i, :3], sos[i, 3:], worN, whole, fs=fs)
        h = h * row
    return w, h


OWN[ss.sosfreqz] = freqz_sos


@in_place_of(ss.group_delay)
def group_delay(system: Any, w: Any, whole: bool, fs: Any) -> Any:
    """Re Σ k cₖ z^k / Σ cₖ z^k of c = b * conj(reversed a), less the order; 0 where it is singular.

    Smith, Introduction to Digital Filters, Numerical Computation of Group Delay.
    """
    b, a = (np.atleast_1d(inexact(v)) for v in system)
    w = circle(w, whole, fs, float)
    c, z = np.convolve(b, np.conj(a[::-1])), np.exp(-1j * w)
    below = at_powers(c, z)
    singular = below == 0
    delay = np.real(at_powers(c * np.arange(len(c)), z) / np.where(singular, 1.0, below)) - len(a) + 1
    return w * (fs / (2 * np.pi)), np.where(singular, 0.0, delay)


# ---------------------------------------------------------------- of systems


def one_of_each(M: Any) -> None:
    if np.shape(M) not in ((1, 1), (1,)):
        raise ValueError("The frequency response is that of a system of a single input and a single output (SISO).")


@in_place_of(ss.freqresp)
def freqresp(system: Any, w: Any, n: int) -> Any:
    """C (iω − A)⁻¹ B + D, or by the coefficients or the zeros and poles."""
    parts = parts_of(system)
    at = n if w is None else w
    if len(parts) == 2:
        num, den = normalize(*parts)
        one_of_each(np.atleast_2d(num)[:, :1])
        return freqs(np.ravel(num), den, at)
    return freqs_zpk(*(parts if len(parts) == 3 else single(*states_of(parts), to=ss2zpk)), at)


def single(A: Any, B: Any, C: Any, D: Any, to: Any) -> Any:
    """Another form of a system of one input and one output."""
    one_of_each(D)
    return to(A, B, C, D, input=0)


@in_place_of(ss.dfreqresp)
def dfreqresp(system: Any, w: Any, n: int, whole: bool) -> Any:
    *parts, _ = parts_of(system)
    at = n if w is None else w
    if len(parts) == 3:
        return freqz_zpk(*parts, at, whole)
    num, den = normalize(*(parts if len(parts) == 2 else single(*states_of(tuple(parts)), to=ss2tf)))
    num, size = np.ravel(num), max(np.size(num), len(den))
    return freqz(*(np.pad(p, (size - len(p), 0)) for p in (num, den)), at, whole)


def in_decibel(h: Any) -> tuple[Any, Any]:
    """Size in decibel, phase in degrees without jumps."""
    return 20 * np.log10(np.abs(h)), np.rad2deg(np.unwrap(np.angle(h)))


@in_place_of(ss.bode)
def bode(system: Any, w: Any, n: int) -> Any:
    w, h = freqresp(system, w, n)
    return w, *in_decibel(h)


@in_place_of(ss.dbode)
def dbode(system: Any, w: Any, n: int) -> Any:
    w, h = dfreqresp(system, w, n)
    return w / parts_of(system)[-1], *in_decibel(h)

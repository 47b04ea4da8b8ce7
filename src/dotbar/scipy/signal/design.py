"""The design of filters: by prototypes and maps of the frequency, by windows, by least squares.

Numbers of taps, orders and kinds are choices; frequencies, ripples, widths, gains and weights are differentiated.
"""

from math import comb, factorial
from typing import Any

import numpy as np
import scipy.signal as ss

from dotbar.batch import in_common
from dotbar.core import dtype_of
from dotbar.errors import NoRuleError
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import raise_if
from dotbar.scipy import special as sc
from dotbar.scipy.binding import in_place_of
from dotbar.scipy.linalg import hankel, toeplitz
from dotbar.scipy.signal.conversions import (
    bilinear_zpk,
    lp2bp_zpk,
    lp2bs_zpk,
    lp2hp_zpk,
    lp2lp_zpk,
    polynomial,
    product,
    zpk2sos,
)
from dotbar.scipy.signal.windows import get_window

# ---------------------------------------------------------------- analogue prototypes


def ripple(decibel: Any) -> Any:
    """ε² = 10^(r/10) − 1: how far the power falls."""
    return np.expm1(np.log(10) / 10 * inexact(decibel))


def angles(N: int) -> Any:
    """Of the poles of a Butterworth filter, from the negative axis."""
    return np.pi * np.arange(1 - N, N, 2) / (2 * N)


@in_place_of(ss.cheb1ap)
def cheb1ap(N: int, rp: Any) -> Any:
    """Poles −sinh(μ + iθ), sinh Nμ = 1/ε.  Parks & Burrus (1987), 7.2.4."""
    squared = ripple(rp)
    floor = 1 / np.sqrt(1 + squared)
    if N == 0:
        return np.zeros(0), np.zeros(0, complex), floor
    p = -np.sinh(np.arcsinh(1 / np.sqrt(squared)) / N + 1j * angles(N))
    return np.zeros(0), p, np.real(np.prod(-p)) * (1.0 if N % 2 else floor)


@in_place_of(ss.cheb2ap)
def cheb2ap(N: int, rs: Any) -> Any:
    """The reciprocals of Chebyshev poles, zeros i/sin θ.  Parks & Burrus (1987), 7.2.5."""
    if N == 0:
        return np.zeros(0, complex), np.zeros(0, complex), 1.0 + 0 * inexact(rs)
    mu = np.arcsinh(np.sqrt(ripple(rs))) / N
    sines = np.sin(angles(N))
    z = 1j / sines[np.arange(1 - N, N, 2) != 0]
    p = -1 / (np.sinh(mu) * np.cos(angles(N)) + 1j * np.cosh(mu) * np.sin(angles(N)))
    return z, p, np.real(np.prod(-p) / np.prod(-z))


def modulus(N: int, m: Any) -> Any:
    """The parameter whose nome is that of m to the power 1/N, by theta functions.  DLMF 20.9.1, 22.2.1."""
    q = np.exp(-np.pi / N * sc.ellipkm1(m) / sc.ellipk(m))
    k = np.arange(8)
    return 16 * q * (np.sum(q ** (k * (k + 1))) / (1 + 2 * np.sum(q ** (k[1:] ** 2)))) ** 4


@in_place_of(ss.ellipap)
def ellipap(N: int, rp: Any, rs: Any) -> Any:
    """Zeros and poles by elliptic functions at equal steps of their quarter period.

    Orfanidis (2006), Lecture notes on elliptic filter design, (28), (56) and (64); the argument v of the poles,
    tan am(v N K₁/K | 1 − m₁) = 1/ε, by DLMF 19.25.5.
    """
    squared = ripple(rp)
    floor = 1 / np.sqrt(1 + squared)
    if N == 0:
        return np.zeros(0, complex), np.zeros(0, complex), floor
    if N == 1:
        return np.zeros(0, complex), -np.sqrt(1 / squared) + 0j, np.sqrt(1 / squared)
    m1 = squared / ripple(rs)
    m = modulus(N, m1)
    K, j = sc.ellipk(m), np.arange(1 - N % 2, N, 2)
    s, c, d, _ = sc.ellipj(j * K / N, m)
    z = 1j / (np.sqrt(m) * s[j > 0])
    z = np.concatenate([z, np.conj(z)])
    tangent = 1 / np.sqrt(squared)
    v = tangent * sc.elliprf(1.0, 1 + m1 * tangent**2, 1 + tangent**2) * K / (N * sc.ellipk(m1))
    sv, cv, dv, _ = sc.ellipj(v, 1 - m)
    p = -(c * d * sv * cv + 1j * s * dv) / (1 - (d * sv) ** 2)
    p = np.concatenate([p, np.conj(p[j > 0])])
    return z, p, np.real(np.prod(-p) / np.prod(-z)) * (1.0 if N % 2 else floor)


# ---------------------------------------------------------------- recursive filters

PROTOTYPES = {
    "butter butterworth": lambda N, rp, rs: ss.buttap(N),
    "cheby1 chebyshev1 chebyshevi": lambda N, rp, rs: cheb1ap(N, rp),
    "cheby2 chebyshev2 chebyshevii": lambda N, rp, rs: cheb2ap(N, rs),
    "ellip elliptic cauer": lambda N, rp, rs: ellipap(N, rp, rs),
    "bessel bessel_phase": lambda N, rp, rs: ss.besselap(N, "phase"),
    "bessel_delay": lambda N, rp, rs: ss.besselap(N, "delay"),
    "bessel_mag": lambda N, rp, rs: ss.besselap(N, "mag"),
}
BANDS = {
    "l low lowpass lp": "lowpass",
    "h high highpass hp": "highpass",
    "band bandpass pass bp": "bandpass",
    "bs bandstop bands stop": "bandstop",
}


def named(table: dict[str, Any], name: str, message: str) -> Any:
    """What a table has under one of several names."""
    for names, value in table.items():
        if name.lower() in names.split():
            return value
    raise ValueError(message)


def relative(frequency: Any, analog: bool, fs: Any) -> Any:
    """Frequencies as parts of half the sampling frequency."""
    if fs is None:
        return inexact(frequency)
    if analog:
        raise ValueError("fs cannot be specified for an analog filter")
    return 2 * inexact(frequency) / fs


def in_form(z: Any, p: Any, k: Any, output: str, analog: bool) -> Any:
    """A real filter by its zeros, poles and gain, as coefficients or as sections."""
    if output.lower() == "ba":
        return k * np.real(polynomial(z)), np.real(polynomial(p))
    return zpk2sos(z, p, k, analog=analog) if output.lower() == "sos" else (z, p, k)


@in_place_of(ss.iirfilter)
def iirfilter(N: int, Wn: Any, rp: Any, rs: Any, btype: str, analog: bool, ftype: str, output: str, fs: Any) -> Any:
    """A prototype of cut-off 1, its variable mapped to the band; of a digital filter by tan(ω/2).

    Oppenheim & Schafer, Discrete-Time Signal Processing, 7.1 and appendix B.
    """
    prototype = named(PROTOTYPES, ftype, f"{ftype!r} is not a valid basic IIR filter.")
    band = named(BANDS, btype, f"{btype!r} is an invalid bandtype for filter.")
    if output.lower() not in ("ba", "zpk", "sos"):
        raise ValueError(f"{output!r} is not a valid output form.")
    if (rp is None and ftype.startswith(("cheby1", "ellip"))) or (rs is None and ftype.startswith(("cheby2", "ellip"))):
        raise ValueError(f"passband ripple (rp) or stopband attenuation (rs) must be provided for {ftype!r}.")
    for decibel, name in ((rp, "passband ripple (rp)"), (rs, "stopband attenuation (rs)")):
        if decibel is not None:
            raise_if(decibel < 0, error=ValueError(f"{name} must be positive"))
    Wn = np.reshape(relative(Wn, analog, fs), -1)
    if len(Wn) != (1 if band in ("lowpass", "highpass") else 2):
        raise ValueError(
            f"Wn holds one critical frequency of a low or a high pass, two of a band; {len(Wn)} are given."
        )
    raise_if(np.any(Wn <= 0), error=ValueError("filter critical frequencies must be greater than 0"))
    raise_if(np.any(Wn[1:] <= Wn[:-1]), error=ValueError("Wn[0] must be less than Wn[1]"))
    if not analog:
        raise_if(
            np.any(Wn >= 1), error=ValueError("Digital filter critical frequencies must be 0 < Wn < 1 (half of fs)")
        )
        Wn = 4 * np.tan(np.pi * Wn / 2)
    zpk = prototype(N, rp, rs)
    if band in ("lowpass", "highpass"):
        zpk = {"lowpass": lp2lp_zpk, "highpass": lp2hp_zpk}[band](*zpk, Wn[0])
    else:
        zpk = {"bandpass": lp2bp_zpk, "bandstop": lp2bs_zpk}[band](*zpk, np.sqrt(Wn[0] * Wn[1]), Wn[1] - Wn[0])
    return in_form(*(zpk if analog else bilinear_zpk(*zpk, 2.0)), output, analog)


@in_place_of(ss.butter)
def butter(N: int, Wn: Any, btype: str, analog: bool, output: str, fs: Any) -> Any:
    return iirfilter(N, Wn, None, None, btype, analog, "butter", output, fs)


@in_place_of(ss.cheby1)
def cheby1(N: int, rp: Any, Wn: Any, btype: str, analog: bool, output: str, fs: Any) -> Any:
    return iirfilter(N, Wn, rp, None, btype, analog, "cheby1", output, fs)


@in_place_of(ss.cheby2)
def cheby2(N: int, rs: Any, Wn: Any, btype: str, analog: bool, output: str, fs: Any) -> Any:
    return iirfilter(N, Wn, None, rs, btype, analog, "cheby2", output, fs)


@in_place_of(ss.ellip)
def ellip(N: int, rp: Any, rs: Any, Wn: Any, btype: str, analog: bool, output: str, fs: Any) -> Any:
    return iirfilter(N, Wn, rp, rs, btype, analog, "ellip", output, fs)


@in_place_of(ss.bessel)
def bessel(N: int, Wn: Any, btype: str, analog: bool, output: str, norm: str, fs: Any) -> Any:
    return iirfilter(N, Wn, None, None, btype, analog, f"bessel_{norm}", output, fs)


def resonance(w0: Any, Q: Any, fs: Any) -> tuple[Any, Any]:
    """cos ω₀ and 1/(1 + tan(Δω/2)).  Orfanidis, Introduction to Signal Processing, (11.3.6), (11.3.19)."""
    w = 2 * np.pi * inexact(w0) / fs
    raise_if((w < 0) | (w > np.pi), error=ValueError("w0 should be such that 0 < w0 < fs/2"))
    return np.cos(w), 1 / (1 + np.tan(w / Q / 2))


@in_place_of(ss.iirnotch)
def iirnotch(w0: Any, Q: Any, fs: Any) -> Any:
    """g (1 − 2 cos ω₀ z⁻¹ + z⁻²) / (1 − 2 g cos ω₀ z⁻¹ + (2g − 1) z⁻²).  Orfanidis, (11.3.7)."""
    c, g = resonance(w0, Q, fs)
    return g * np.stack([1.0, -2 * c, 1.0]), np.stack([1.0, -2 * g * c, 2 * g - 1])


@in_place_of(ss.iirpeak)
def iirpeak(w0: Any, Q: Any, fs: Any) -> Any:
    """(1 − g) (1 − z⁻²) / (1 − 2 g cos ω₀ z⁻¹ + (2g − 1) z⁻²).  Orfanidis, (11.3.21)."""
    c, g = resonance(w0, Q, fs)
    return (1 - g) * np.array([1.0, 0.0, -1.0]), np.stack([1.0, -2 * g * c, 2 * g - 1])


@in_place_of(ss.iircomb)
def iircomb(w0: float, Q: Any, ftype: str, fs: float, pass_zero: bool) -> Any:
    """(b ∓ c z⁻ᴺ)/(1 ∓ a z⁻ᴺ), N = fs/ω₀.  Orfanidis, (11.5.1) and (11.5.3)."""
    if not isinstance(w0, (int, float)) or not isinstance(fs, (int, float)):
        raise NoRuleError("scipy.signal.iircomb has a derivative in Q: it takes those w0 only that divide fs.")
    N = len(ss.iircomb(w0, 1.0, ftype, fs)[0]) - 1
    beta = np.tan(np.pi / 2 / inexact(Q))
    peak = ftype.lower() == "peak"
    sign = -1.0 if peak == pass_zero else 1.0
    first, last = (beta, -beta) if peak else (1.0, 1.0)
    ends = lambda x, y: np.concatenate([np.stack([x]), np.zeros(N - 1), np.stack([y])])
    return ends(first / (1 + beta), sign * last / (1 + beta)), ends(1.0, sign * (1 - beta) / (1 + beta))


@in_place_of(ss.gammatone)
def gammatone(freq: Any, ftype: str, order: int | None, numtaps: int | None, fs: Any) -> Any:
    """tⁿ⁻¹ e^(−2πbt) cos(2πft), b the ear's bandwidth; as a recursion Re (1 − λz⁻¹)⁴ / |1 − λz⁻¹|⁸, λ = e^(−bT+iφ).

    Glasberg & Moore (1990) for b = 1.019 (24.7 + f/9.265); Slaney (1993), Apple technical report 35.
    """
    freq, fs = inexact(freq), inexact(2.0 if fs is None else fs)
    raise_if((freq <= 0) | (freq >= fs / 2), error=ValueError("The frequency must be between 0 and fs/2 (Nyquist)."))
    decay = 2 * np.pi * 1.019 * (freq / 9.26449 + 24.7)
    turn = 2 * np.pi * freq
    if ftype.lower() == "fir":
        n = 4 if order is None else order
        if not 0 < n <= 24:
            raise ValueError("Invalid order: order must be > 0 and <= 24.")
        taps = max(int(in_common(np.floor(fs * 0.015))), 15) if numtaps is None else numtaps
        t = np.arange(taps) / fs
        return t ** (n - 1) * np.exp(-decay * t) * np.cos(turn * t) * (2 * decay**n / factorial(n - 1) / fs), np.ones(1)
    if ftype.lower() != "iir":
        raise ValueError("ftype must be either fir or iir.")
    k = np.arange(5)
    powers = np.exp((1j * turn - decay) * k / fs)
    b = np.array([(-1) ** i * comb(4, i) for i in k]) * np.real(powers)
    a = product([np.stack([1.0, -2 * np.real(powers[1]), np.exp(-2 * decay / fs)])] * 4)
    z = np.exp(-1j * turn / fs)
    return b / np.abs(np.polyval(b[::-1], z) / np.polyval(a[::-1], z)), a


# ---------------------------------------------------------------- orders


def by_order(kind: str, wp: Any, ws: Any, gpass: Any, gstop: Any, analog: bool, fs: Any) -> tuple[int, Any]:
    """The least order that meets the specification, and the frequencies at which it does.

    Rabiner & Gold (1975), 4.4 and 4.14; the order is a choice.
    """
    wp, ws = (np.atleast_1d(relative(w, analog, fs)) for w in (wp, ws))
    raise_if((gpass <= 0) | (gstop <= 0) | (gpass > gstop), error=ValueError("0 < gpass <= gstop must hold"))
    up, band = bool(in_common(wp[0] >= ws[0])), len(wp) == 2
    if band and not up:
        raise NoRuleError(
            "scipy.signal has no derivative of the order of a band stop: the edges of its pass band are searched to "
            "five digits. Give iirfilter the order and the frequencies."
        )
    inner, outer = (wp, ws) if analog else (np.tan(np.pi * wp / 2), np.tan(np.pi * ws / 2))
    if band:
        ratio = np.min(np.abs((outer**2 - inner[0] * inner[1]) / (outer * (inner[0] - inner[1]))))
    else:
        ratio = (inner / outer if up else outer / inner)[0]
    m1 = ripple(gpass) / ripple(gstop)
    if kind == "butter":
        order = -np.log10(m1) / (2 * np.log10(ratio))
    elif kind == "ellip":
        quarter = lambda m: sc.ellipk(m) / sc.ellipkm1(m)
        order = quarter(ratio**-2.0) / quarter(m1)
    else:
        order = np.arccosh(1 / np.sqrt(m1)) / np.arccosh(ratio)
    order = int(in_common(np.ceil(order)))
    scale = 1.0
    if kind == "butter":
        scale = ripple(gpass) ** (-1 / (2 * order))
    elif kind == "cheby2":
        scale = np.cosh(np.arccosh(1 / np.sqrt(m1)) / order)
    if band:
        half = scale * (inner[1] - inner[0]) / 2
        middle = np.sqrt(half**2 + inner[0] * inner[1])
        found = np.stack([middle - half, middle + half])
        if kind in ("cheby1", "ellip"):
            found = inner
    else:
        found = inner / scale if up else inner * scale
    found = found if analog else np.arctan(found) * (2 / np.pi)
    found = found if fs is None else found * fs / 2
    return order, found if band else found[0]


@in_place_of(ss.buttord)
def buttord(wp: Any, ws: Any, gpass: Any, gstop: Any, analog: bool, fs: Any) -> Any:
    return by_order("butter", wp, ws, gpass, gstop, analog, fs)


@in_place_of(ss.cheb1ord)
def cheb1ord(wp: Any, ws: Any, gpass: Any, gstop: Any, analog: bool, fs: Any) -> Any:
    return by_order("cheby1", wp, ws, gpass, gstop, analog, fs)


@in_place_of(ss.cheb2ord)
def cheb2ord(wp: Any, ws: Any, gpass: Any, gstop: Any, analog: bool, fs: Any) -> Any:
    return by_order("cheby2", wp, ws, gpass, gstop, analog, fs)


@in_place_of(ss.ellipord)
def ellipord(wp: Any, ws: Any, gpass: Any, gstop: Any, analog: bool, fs: Any) -> Any:
    return by_order("ellip", wp, ws, gpass, gstop, analog, fs)


@in_place_of(ss.iirdesign)
def iirdesign(wp: Any, ws: Any, gpass: Any, gstop: Any, analog: bool, ftype: str, output: str, fs: Any) -> Any:
    kinds = {names: names.split()[0] for names in PROTOTYPES if not names.startswith("bessel")}
    kind = named(kinds, ftype, f"Invalid IIR filter type: {ftype}")
    order, Wn = by_order(kind, wp, ws, gpass, gstop, analog, fs)
    btype = "band" if np.size(wp) == 2 else "high" if in_common(np.all(wp >= ws)) else "low"
    return iirfilter(order, Wn, gpass, gstop, btype, analog, kind, output, fs)


# ---------------------------------------------------------------- finite filters


@in_place_of(ss.kaiser_beta)
def kaiser_beta(a: Any) -> Any:
    """Kaiser's parameter for an attenuation in decibel.  Oppenheim & Schafer, (7.75)."""
    a = inexact(a)
    middle = np.where((a > 21) & (a <= 50), a - 21, 1.0)
    return np.where(a > 50, 0.1102 * (a - 8.7), np.where(a > 21, 0.5842 * middle**0.4 + 0.07886 * middle, 0.0))


@in_place_of(ss.kaiser_atten)
def kaiser_atten(numtaps: int, width: Any) -> Any:
    """The attenuation of a transition width.  Oppenheim & Schafer, (7.76)."""
    return 2.285 * (numtaps - 1) * np.pi * inexact(width) + 7.95


@in_place_of(ss.kaiserord)
def kaiserord(ripple: Any, width: Any) -> Any:
    ripple = np.abs(inexact(ripple))
    raise_if(ripple < 8, error=ValueError("Requested maximum ripple attenuation is too small for the Kaiser formula."))
    return int(in_common(np.ceil((ripple - 7.95) / 2.285 / (np.pi * width) + 1))), kaiser_beta(ripple)


@in_place_of(ss.firwin)
def firwin(numtaps: int, cutoff: Any, width: Any, window: Any, pass_zero: bool | str, scale: bool, fs: Any) -> Any:
    """Σ r sinc(rm) − l sinc(lm) over the bands, times a window.  Oppenheim & Schafer, 7.5."""
    half = (2.0 if fs is None else fs) / 2
    edges = np.atleast_1d(inexact(cutoff)) / half
    if edges.ndim > 1 or not len(edges):
        raise ValueError("The cutoff argument must hold one frequency or a vector of them.")
    raise_if(
        np.any((edges <= 0) | (edges >= 1)),
        error=ValueError("Invalid cutoff frequency: frequencies must be greater than 0 and less than fs/2."),
    )
    raise_if(
        np.any(edges[1:] <= edges[:-1]),
        error=ValueError("Invalid cutoff frequencies: the frequencies must be strictly increasing."),
    )
    if isinstance(pass_zero, str):
        if pass_zero not in ("lowpass", "highpass", "bandpass", "bandstop"):
            raise ValueError(f"Parameter {pass_zero=} is not a flag or the name of a band.")
        if (len(edges) == 1) != pass_zero.endswith(("wpass", "ghpass")):
            raise ValueError(f"{len(edges)} cutoff frequencies do not go with {pass_zero=}.")
    from_zero = pass_zero in (True, "lowpass", "bandstop")
    to_end = (len(edges) % 2 == 0) == from_zero
    if to_end and numtaps % 2 == 0:
        message = "A filter with an even number of coefficients must have zero response at the Nyquist frequency."
        raise ValueError(message)
    edges = np.concatenate([np.zeros(int(from_zero)), edges, np.ones(int(to_end))])
    left, right = edges[::2, None], edges[1::2, None]
    m = np.arange(numtaps) - (numtaps - 1) / 2
    if width is not None:
        window = ("kaiser", kaiser_beta(kaiser_atten(numtaps, width / half)))
    h = np.sum(right * np.sinc(right * m) - left * np.sinc(left * m), 0) * get_window(window, numtaps, fftbins=False)
    if not scale:
        return h
    at = 0.0 if from_zero else 1.0 if len(edges) == 2 and to_end else (edges[0] + edges[1]) / 2
    return h / np.sum(h * np.cos(np.pi * m * at))


@in_place_of(ss.firwin_2d)
def firwin_2d(hsize: Any, window: Any, fc: Any, fs: Any, circular: bool, pass_zero: Any, scale: bool) -> Any:
    """The product of two filters, or one turned around the middle."""
    design = lambda n, window: firwin(n, fc, window=window, fs=fs)
    if not circular:
        return np.outer(*map(design, hsize, window))
    n = 8 * max(hsize)
    radius = np.hypot(*np.meshgrid(*(np.linspace(-1, 1, size) for size in hsize)))
    return np.interp(radius, np.linspace(0, 1, n), design(n, window))


@in_place_of(ss.firwin2)
def firwin2(numtaps: int, freq: Any, gain: Any, nfreqs: int | None, window: Any, antisymmetric: bool, fs: Any) -> Any:
    """The inverse transform of gains interpolated between frequencies, times a window.  Oppenheim & Schafer, 7.4."""
    freq, gain = inexact(freq), inexact(gain)
    if len(freq) != len(gain):
        raise ValueError("freq and gain must be of same length.")
    points = 1 + 2 ** (numtaps - 1).bit_length() if nfreqs is None else nfreqs
    if numtaps >= points:
        raise ValueError(f"ntaps must be less than nfreqs, but firwin2 was called with {numtaps=} and nfreqs={points}")
    half = (2.0 if fs is None else fs) / 2
    steps = freq[1:] - freq[:-1]
    raise_if((freq[0] != 0) | (freq[-1] != half), error=ValueError("freq must start with 0 and end with fs/2."))
    raise_if(np.any(steps < 0), error=ValueError("The values in freq must be nondecreasing."))
    raise_if((steps[0] == 0) | (steps[-1] == 0), error=ValueError("Values 0 and fs/2 must not be repeated in freq"))
    message = "A value in freq must not occur more than twice."
    raise_if(np.any(steps[1:] + steps[:-1] == 0), error=ValueError(message))
    odd = numtaps % 2
    zero = [0] * (antisymmetric) + [-1] * (antisymmetric == bool(odd))
    for end in zero:
        raise_if(
            gain[end] != 0, error=ValueError("Filters of this type have zero gain at an end, which gain must have.")
        )
    tie = np.finfo(float).eps * half * (steps == 0)
    freq = freq + np.concatenate([np.zeros(1), tie]) - np.concatenate([tie, np.zeros(1)])
    x = np.linspace(0.0, 1.0, points)
    shift = np.exp(-1j * np.pi * (numtaps - 1) / 2 * x) * (1j if antisymmetric else 1.0)
    h = np.fft.irfft(np.interp(x * half, freq, gain) * shift)[:numtaps]
    h = h if window is None else h * get_window(window, numtaps, fftbins=False)
    return h * (np.arange(numtaps) != numtaps // 2) if antisymmetric and odd else h


@in_place_of(ss.firls)
def firls(numtaps: int, bands: Any, desired: Any, weight: Any, fs: Any) -> Any:
    """The normal equations of Σ w ∫ (A(f) − D(f))² df; integrals in closed form.  Selesnick (2005), (11) to (20)."""
    if numtaps % 2 == 0 or numtaps < 1:
        raise ValueError("numtaps must be odd and >= 1")
    M = (numtaps - 1) // 2
    bands, desired = np.ravel(inexact(bands)) * 2 / (2.0 if fs is None else fs), np.ravel(inexact(desired))
    if len(bands) % 2 or len(bands) != len(desired):
        raise ValueError("bands must contain frequency pairs, and desired one entry per frequency.")
    weight = np.ones(len(bands) // 2) if weight is None else np.ravel(inexact(weight))
    if 2 * len(weight) != len(bands):
        raise ValueError(f"weight must be the same size as the number of band pairs ({len(bands) // 2}).")
    for wrong, message in (
        (np.any((bands < 0) | (bands > 1)), "bands must be between 0 and 1 relative to Nyquist"),
        (np.any(bands[1::2] <= bands[::2]), "bands must be monotonically nondecreasing and have width > 0."),
        (np.any(bands[2::2] < bands[1:-1:2]), "bands must not overlap."),
        (np.any(desired < 0), "desired must be non-negative."),
        (np.any(weight < 0), "weight must be non-negative."),
    ):
        raise_if(wrong, error=ValueError(message))
    over_bands = lambda F: (F[:, 1::2] - F[:, ::2]) @ weight
    n = np.arange(numtaps)[:, None]
    q = over_bands(bands * np.sinc(bands * n))
    slope = np.repeat((desired[1::2] - desired[::2]) / (bands[1::2] - bands[::2]), 2)
    quarter = np.concatenate([-(bands**2) / 2 + 0 * n[:1], np.cos(np.pi * n[1:] * bands) / (np.pi * n[1:]) ** 2])
    b = over_bands(bands * desired * np.sinc(bands * n) + slope * quarter)[: M + 1]
    a = np.linalg.solve(toeplitz(q[: M + 1]) + hankel(q[: M + 1], q[M:]), b)
    return np.concatenate([a[:0:-1], 2 * a[:1], a[1:]])


@in_place_of(ss.savgol_coeffs)
def savgol_coeffs(window_length: int, polyorder: int, deriv: int, delta: Any, pos: Any, use: str) -> Any:
    """What gives a derivative of the polynomial nearest to the window's values, at a position."""
    if polyorder >= window_length:
        raise ValueError("polyorder must be less than window_length.")
    if use not in ("conv", "dot"):
        raise ValueError("`use` must be 'conv' or 'dot'")
    pos = (window_length - 1) / 2 if pos is None else inexact(pos)
    raise_if(
        (pos < 0) | (pos >= window_length), error=ValueError("pos must be nonnegative and less than window_length.")
    )
    if deriv > polyorder:
        return np.zeros(window_length)
    x = np.arange(window_length) - pos
    powers = (x[::-1] if use == "conv" else x)[:, None] ** np.arange(polyorder + 1)
    return np.linalg.pinv(powers)[deriv] * (factorial(deriv) / inexact(delta) ** deriv)


@in_place_of(ss.minimum_phase)
def minimum_phase(h: Any, method: str, n_fft: int | None, half: bool) -> Any:
    """The causal part of the cepstrum, twice.  Oppenheim & Schafer (2009), (13.42b)."""
    h = inexact(h)
    if method == "hilbert":
        message = (
            "scipy.signal.minimum_phase has a derivative for method='homomorphic': 'hilbert' takes the logarithm of "
        )
        raise NoRuleError(message + "a spectrum that it moves to touch 0.")
    if dtype_of(h).kind == "c" or h.ndim != 1 or len(h) <= 2:
        raise ValueError("h must be real, 1-D and at least 3 samples long")
    if method != "homomorphic":
        raise ValueError(f'method must be "homomorphic" or "hilbert", got {method!r}')
    n = 2 ** int(np.ceil(np.log2(200 * (len(h) - 1)))) if n_fft is None else int(n_fft)
    if n < len(h):
        raise ValueError(f"n_fft must be at least len(h)=={len(h)}")
    m = np.arange(n)
    H = np.abs(np.fft.fft(h, n))
    H = H + 1e-7 * np.min(np.where(H > 0, H, np.inf))
    cepstrum = np.real(np.fft.ifft(np.log(H))) * (0.5 if half else 1.0)
    causal = 2.0 * (m < n // 2) - (m == 0) + (2 * m + 1 == n)
    found = np.real(np.fft.ifft(np.exp(np.fft.fft(cepstrum * causal))))
    return found[: (len(h) + 1) // 2 if half else len(h)].astype(dtype_of(h))

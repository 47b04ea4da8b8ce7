"""Waveforms, in time and in their parameters."""

from math import sqrt
from typing import Any

import numpy as np
import scipy.signal as ss

from dotbar.core import dtype_of
from dotbar.rules.kinds import constant
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import raise_if
from dotbar.scipy import special as sc
from dotbar.scipy.binding import in_place_of
from dotbar.scipy.mirror import OWN, before, dispatching

constant(OWN.setdefault(ss.square, dispatching(ss.square)), like=lambda t, duty=0.5: None, batch="(),()->()")


@in_place_of(ss.sawtooth)
def sawtooth(t: Any, width: Any) -> Any:
    """From −1 to 1 in the first part of a period, back in the rest."""
    t, w = inexact(t) + 0.0, inexact(width) + 0.0
    phase = np.mod(t, 2 * np.pi)
    rises = phase < 2 * np.pi * w
    up = phase / (np.pi * np.where(rises, w, 1.0)) - 1
    down = (np.pi * (w + 1) - phase) / (np.pi * np.where(rises, 1.0, 1 - w))
    y = np.where(rises, up, down) * np.where((w < 0) | (w > 1), np.nan, 1.0)
    return y.astype(float if before("1.18.0") else np.result_type(dtype_of(t), dtype_of(w)))


@in_place_of(ss.gausspulse)
def gausspulse(t: Any, fc: Any, bw: Any, bwr: Any, tpr: Any, retquad: bool, retenv: bool) -> Any:
    """exp(−a t²) exp(2πi f t), a from the width of its transform at a level."""
    fc, bw, bwr, tpr = (inexact(v) for v in (fc, bw, bwr, tpr))
    raise_if(fc < 0, error=ValueError("Center frequency (fc) must be >=0."))
    raise_if(bw <= 0, error=ValueError("Fractional bandwidth (bw) must be > 0."))
    raise_if(bwr >= 0, error=ValueError("Reference level for bandwidth (bwr) must be < 0 dB"))
    decibel = np.log(10) / 20
    a = -((np.pi * fc * bw) ** 2) / (4 * bwr * decibel)
    if isinstance(t, str):
        if t != "cutoff":
            raise ValueError("If `t` is a string, it must be 'cutoff'")
        raise_if(tpr >= 0, error=ValueError("Reference level for time cutoff must be < 0 dB"))
        return np.sqrt(-tpr * decibel / a)
    t = inexact(t)
    envelope, phase = np.exp(-a * t * t), 2 * np.pi * fc * t
    results = [envelope * np.cos(phase)]
    results += [envelope * np.sin(phase)] if retquad else []
    results += [envelope] if retenv else []
    return tuple(results) if len(results) > 1 else results[0]


def relative_log(x: Any) -> Any:
    """ln|1 + x| / x; beside 0 by x = eʸ − 1."""
    near = x > -1
    y = np.log1p(np.where(near, x, 0.0))
    return np.where(near, 1 / sc.exprel(y), np.log(np.where(near, 1.0, -1 - x)) / np.where(near, 1.0, x))


@in_place_of(ss.chirp)
def chirp(t: Any, f0: Any, t1: Any, f1: Any, method: str, phi: Any, vertex_zero: bool, complex: bool) -> Any:
    """The cosine of 2π times the integral of the frequency.

    The integrals of logarithmic and hyperbolic sweeps are written so that they hold for f₀ = f₁ too.
    """
    t, f0, t1, f1 = (inexact(v) for v in (t, f0, t1, f1))
    if method in ("linear", "lin", "li"):
        turns = f0 * t + (f1 - f0) / t1 * t * t / 2
    elif method in ("quadratic", "quad", "q"):
        beta = (f1 - f0) / t1**2
        turns = f0 * t + beta * t**3 / 3 if vertex_zero else f1 * t + beta * ((t1 - t) ** 3 - t1**3) / 3
    elif method in ("logarithmic", "log", "lo"):
        message = "For a logarithmic chirp, f0 and f1 must be nonzero and have the same sign."
        raise_if(f0 * f1 <= 0, error=ValueError(message))
        turns = f0 * t * sc.exprel(np.log(f1 / f0) * t / t1)
    elif method in ("hyperbolic", "hyp"):
        raise_if(f0 * f1 == 0, error=ValueError("For a hyperbolic chirp, f0 and f1 must be nonzero."))
        turns = f0 * t * relative_log((f0 - f1) / f1 * t / t1)
    else:
        raise ValueError(f"method must be 'linear', 'quadratic', 'logarithmic', or 'hyperbolic', but is {method!r}.")
    phase = 2 * np.pi * turns + np.deg2rad(inexact(phi))
    return np.exp(1j * phase) if complex else np.cos(phase)


@in_place_of(ss.sweep_poly)
def sweep_poly(t: Any, poly: Any, phi: Any) -> Any:
    """The cosine of 2π times the polynomial's integral."""
    poly = poly.coeffs if isinstance(poly, np.poly1d) else poly
    return np.cos(2 * np.pi * np.polyval(np.polyint(poly), inexact(t)) + phi * (np.pi / 180))


@in_place_of(ss.gauss_spline)
def gauss_spline(x: Any, n: int) -> Any:
    """The normal density with the variance of the B-spline of order n."""
    variance = (n + 1) / 12
    return np.exp(-(inexact(x) ** 2) / 2 / variance) / sqrt(2 * np.pi * variance)


@in_place_of(ss.vectorstrength)
def vectorstrength(events: Any, period: Any) -> Any:
    """Size and angle of the mean of exp(2πi t/T).  van Hemmen & Vollmayr (2013)."""
    events, period = inexact(events), inexact(period)
    if max(events.ndim, period.ndim) > 1:
        raise ValueError("events and period cannot have dimensions more than 1")
    raise_if(np.any(period <= 0), error=ValueError("periods must be positive"))
    mean = np.mean(np.exp(2j * np.pi / period[..., None] * np.atleast_1d(events)), -1)
    kind = dtype_of(period)
    return np.abs(mean).astype(kind), np.angle(mean).astype(kind)

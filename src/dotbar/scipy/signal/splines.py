"""B-splines on whole places: coefficients by recursions, smoothing, values between the places.

Unser, Aldroubi & Eden (1993), IEEE Trans. Signal Process. 41, 821 and 834.
"""

from typing import Any

import numpy as np
import scipy.signal as ss

from dotbar.batch import in_common
from dotbar.core import dtype_of
from dotbar.rules.kinds import composite
from dotbar.rules.lapack_words import inexact
from dotbar.rules.refusals import differentiated, refusal
from dotbar.rules.words import raise_if
from dotbar.scipy.binding import in_place_of
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.signal.filters import recursion

# ---------------------------------------------------------------- recursions both ways


def start(weights: Any, x: Any, precision: Any) -> Any:
    """The sum of the values times weights that fade, up to the first weight below the precision."""
    large = np.abs(weights) > precision
    if precision:
        raise_if(np.all(large), error=ValueError("Sum to find symmetric boundary conditions did not converge."))
    used = np.cumprod(np.concatenate([np.ones(1), large[:-1]]))
    return np.sum(used * weights * x, -1)[..., None]


def limit(precision: float, x: Any) -> float:
    """The precision wanted, or that which SciPy takes for a dtype."""
    return precision if 0 < precision < 1 else 1e-6 if dtype_of(x) in (np.float32, np.complex64) else 1e-11


def both_ways(x: Any, c: Any, z: Any, precision: float) -> Any:
    """c/((1 − z u)(1 − z/u)) of a delay u, the signal mirrored at its ends."""
    n = x.shape[-1]
    a = np.stack([np.ones_like(z), -z]).astype(dtype_of(x))
    first = x[..., :1] + start(z ** np.arange(1, n + 1), x, precision)
    y = recursion(a, np.concatenate([first, x[..., 1:]], -1).astype(dtype_of(x)))
    last = c / (1 - z) * y[..., -1:]
    return np.flip(recursion(a, np.concatenate([last, c * np.flip(y[..., :-1], -1)], -1).astype(dtype_of(x))), -1)


def causal(k: Any, c: Any, r: Any, w: Any) -> Any:
    """The response of the recursion c/(1 − 2r cos ω u + r²u²)."""
    return c * r**k * np.sin(w * (k + 1)) / np.sin(w)


def symmetric(k: Any, c: Any, r: Any, w: Any) -> Any:
    """The response of the recursion both ways."""
    k = np.abs(k)
    scale = c * c * (1 + r * r) / (1 - r * r) / (1 - 2 * r * r * np.cos(2 * w) + r**4)
    return scale * r**k * (np.cos(w * k) + (1 - r * r) / (1 + r * r) / np.tan(w) * np.sin(w * k))


def damped_both_ways(x: Any, r: Any, w: Any, precision: float, places: tuple[int, int] = (1, 0)) -> Any:
    """The recursion c/(1 − 2r cos ω u + r²u²), c such that constants stay, both ways, mirrored at the ends.

    ``places`` are those of the values that weigh most in the second start; SciPy takes others in one dimension.
    """
    n = x.shape[-1]
    turn = 2 * r * np.cos(w)
    c = 1 - turn + r * r
    k, back = np.arange(n), np.flip(x, -1)
    a = np.stack([np.ones_like(r), -turn, r * r]).astype(dtype_of(x))
    h, s = (lambda k: causal(k, c, r, w)), (lambda k: symmetric(k, c, r, w))

    def run(first: Any, second: Any, rest: Any) -> Any:
        return recursion(a, np.concatenate([first, second - turn * first, c * rest], -1).astype(dtype_of(x)))

    first = h(0) * x[..., :1] + start(h(k + 1), x, precision)
    p, q = places
    second = h(0) * x[..., p : p + 1] + h(1) * x[..., q : q + 1] + start(h(k + 2), x, precision)
    y = run(first, second, x[..., 2:])
    # backwards SciPy compares the squares of the weights with the precision
    last = start(s(k) + s(k + 1), back, precision**0.5)
    before = start(s(k - 1) + s(k + 2), back, precision**0.5)
    return np.flip(run(last, before, np.flip(y[..., :-2], -1)), -1)


@in_place_of(ss.symiirorder1)
def symiirorder1(signal: Any, c0: Any, z1: Any, precision: float) -> Any:
    x, z = inexact(signal), inexact(z1)
    raise_if(np.abs(z) >= 1, error=ValueError("|z1| must be less than 1.0"))
    return both_ways(x, c0, z, limit(precision, x))


@in_place_of(ss.symiirorder2)
def symiirorder2(input: Any, r: Any, omega: Any, precision: float) -> Any:
    x, r, w = inexact(input), inexact(r), inexact(omega)
    raise_if(r >= 1, error=ValueError("r must be less than 1.0"))
    return damped_both_ways(x, r, w, limit(precision, x))


# ---------------------------------------------------------------- coefficients

CUBIC, QUADRATIC = np.sqrt(3.0) - 2, 2 * np.sqrt(2.0) - 3
"""The poles of the two splines' recursions."""


def smoothing(lamb: Any) -> tuple[Any, Any]:
    """The pole r e^{iω} of the recursion that smooths.  Unser, Aldroubi & Eden (1993), part II, (3.7)."""
    root = 24 * lamb * np.sqrt(3 + 144 * lamb)
    xi = 1 - 96 * lamb + root
    w = np.arctan(np.sqrt((144 * lamb - 1) / xi))
    return (24 * lamb - 1 - np.sqrt(xi)) / (24 * lamb) * np.sqrt((48 * lamb + root) / xi), w


def double(x: Any) -> Any:
    """A signal in double precision."""
    x = inexact(x)
    return x.astype(np.result_type(dtype_of(x), float))


@in_place_of(ss.cspline1d)
def cspline1d(signal: Any, lamb: Any) -> Any:
    x, lamb = double(signal), inexact(lamb)
    if in_common(lamb == 0):
        if differentiated(lamb):
            raise refusal(
                "scipy.signal.cspline1d", "lamb", "at 0 there is no smoothing, and SciPy has none just above it"
            )
        return both_ways(x, -CUBIC * (6 if len(x) > 1 else 1), CUBIC, 0.0)
    return damped_both_ways(x, *smoothing(lamb), 0.0, places=(0, 1))


@in_place_of(ss.qspline1d)
def qspline1d(signal: Any, lamb: float) -> Any:
    if lamb:
        raise ValueError("Smoothing quadratic splines not supported yet.")
    x = double(signal)
    return both_ways(x, -QUADRATIC * (8 if len(x) > 1 else 1), QUADRATIC, 0.0)


def along_both(x: Any, filtered: Any) -> Any:
    """A filter along the rows, then along the columns."""
    return np.swapaxes(filtered(np.swapaxes(filtered(x), -1, 0)), -1, 0)


def coarse(precision: float, x: Any) -> float:
    """The precision wanted, or that which SciPy takes for images."""
    return precision if 0 <= precision < 1 else 1e-3 if dtype_of(x) in (np.float32, np.complex64) else 1e-6


@in_place_of(ss.cspline2d)
def cspline2d(signal: Any, lamb: Any, precision: float) -> Any:
    x, lamb = inexact(signal), inexact(lamb)
    precision = coarse(precision, x)
    if in_common(lamb <= 1 / 144):
        return along_both(x, lambda x: both_ways(x, -6 * CUBIC, CUBIC, precision))
    return along_both(x, lambda x: damped_both_ways(x, *smoothing(lamb), precision))


@in_place_of(ss.qspline2d)
def qspline2d(signal: Any, lamb: float, precision: float) -> Any:
    if lamb:
        raise ValueError("lambda must be negative or zero")
    x = inexact(signal)
    return along_both(x, lambda x: both_ways(x, -8 * QUADRATIC, QUADRATIC, coarse(precision, x)))


@composite(dispatching(ss.sepfir2d))
def sepfir2d(input: Any, hrow: Any, hcol: Any) -> Any:
    """A symmetric filter along the rows and one along the columns, the image mirrored at its edges."""

    def along(x: Any, h: Any) -> Any:
        half = h.shape[0] // 2
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, [(0, 0), (half, half)], "symmetric"), len(h), 1)
        return windows @ h[::-1].astype(dtype_of(x))

    x = inexact(input)
    return along(along(x, inexact(hrow)).T, inexact(hcol)).T


@in_place_of(ss.spline_filter)
def spline_filter(Iin: Any, lmbda: Any) -> Any:
    """Smoothed coefficients and the spline's values, in SciPy's precision: complex numbers and weights are single."""
    x, weights = inexact(Iin), np.array([1.0, 4.0, 1.0], np.float32) / np.float32(6)
    kind = dtype_of(x)
    x = x.astype(np.complex64) if kind.kind == "c" else x
    return sepfir2d(cspline2d(x, lmbda), weights, weights).astype(kind)


# ---------------------------------------------------------------- values


def cubic(x: Any) -> Any:
    """The cubic B-spline, its middle written so that the second derivative is right at 0."""
    far = np.abs(x)
    return np.where(far < 1, 2 / 3 - x**2 * (1 - far / 2), np.where(far < 2, (2 - far) ** 3 / 6, 0.0))


def quadratic(x: Any) -> Any:
    """The quadratic B-spline."""
    far = np.abs(x)
    return np.where(far < 0.5, 0.75 - x**2, np.where(far < 1.5, (far - 1.5) ** 2 / 2, 0.0))


def values(cj: Any, newx: Any, dx: Any, x0: Any, spline: Any, reach: float, count: int) -> Any:
    """Σ cⱼ β(x − j), the coefficients mirrored at both ends."""
    cj = inexact(cj)
    if not cj.size:
        raise ValueError("Spline coefficients 'cj' must not be empty.")
    period = 2.0 * (len(cj) - 1)
    x = np.mod((inexact(newx) - x0) / dx, period)
    x = np.where(x > period / 2, period - x, x)
    first, y = np.floor(x - reach).astype(int) + 1, 0.0
    for i in range(count):
        y = y + cj[np.clip(first + i, 0, len(cj) - 1)] * spline(x - (first + i))
    return y.astype(dtype_of(cj))


@in_place_of(ss.cspline1d_eval)
def cspline1d_eval(cj: Any, newx: Any, dx: Any, x0: Any) -> Any:
    return values(cj, newx, dx, x0, cubic, 2.0, 4)


@in_place_of(ss.qspline1d_eval)
def qspline1d_eval(cj: Any, newx: Any, dx: Any, x0: Any) -> Any:
    return values(cj, newx, dx, x0, quadratic, 1.5, 3)

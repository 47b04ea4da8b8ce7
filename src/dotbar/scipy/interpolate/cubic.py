"""Cubic interpolation: Hermite, splines, Pchip and Akima, in the data, its slopes and the knots."""

from typing import Any

import numpy as np
import scipy.interpolate as si

from dotbar.core import dtype_of
from dotbar.rules.words import raise_if
from dotbar.scipy.interpolate.objects import against, double, increasing, is_traced
from dotbar.scipy.interpolate.piecewise import Piecewise, PPoly
from dotbar.scipy.linalg import solve_banded
from dotbar.scipy.mirror import stands_for


def from_slopes(x: Any, y: Any, slopes: Any) -> Any:
    """The coefficients of the piecewise cubic with values y and derivatives s.  De Boor (2001), IV (6)."""
    h = against(np.diff(x), y)
    secant = np.diff(y, axis=0) / h
    t = (slopes[:-1] + slopes[1:] - 2 * secant) / h
    return np.stack([t / h, (secant - slopes[:-1]) / h - t, slopes[:-1], y[:-1]])


def spline_slopes(x: Any, y: Any, bc_type: Any, axis: int) -> Any:
    """The derivatives at the knots of the cubic spline through the data, by a tridiagonal system.

    hᵢ sᵢ₋₁ + 2(hᵢ₋₁ + hᵢ) sᵢ + hᵢ₋₁ sᵢ₊₁ = 3(hᵢ dᵢ₋₁ + hᵢ₋₁ dᵢ), h the steps and d the secants, and one condition at
    each end.  De Boor (2001), IV (7) to (13).
    """
    n = len(x)
    bc_type = (bc_type, bc_type) if isinstance(bc_type, str) else bc_type
    h = np.diff(x)
    H = against(h, y)
    d = np.diff(y, axis=0) / H
    if bc_type[0] == "periodic":
        message = f"The first and last `y` point along axis {axis} must be identical (within machine precision) when "
        raise_if(np.abs(y[0] - y[-1]) > 1e-15 * (1 + np.abs(y[-1])), error=ValueError(f"{message}bc_type='periodic'."))
        return periodic_slopes(h, H, d)
    if n == 2:
        bc_type = tuple((1, d[0]) if bc == "not-a-knot" else bc for bc in bc_type)
    inner = 3 * (H[1:] * d[:-1] + H[:-1] * d[1:])
    if n == 3 and all(isinstance(bc, str) and bc == "not-a-knot" for bc in bc_type):
        middle = (inner[0] / 3 / (H[0] + H[1]))[None]  # of the parabola
        return np.concatenate([2 * d[:1] - middle, middle, 2 * d[1:] - middle])
    first = condition(bc_type[0], h[:2], H[:2], d[:2], 1)
    last = condition(bc_type[1], h[::-1][:2], H[::-1][:2], d[::-1][:2], -1)
    below = np.concatenate([h[1:], last[1]])
    diagonal = np.concatenate([first[0], 2 * (h[:-1] + h[1:]), last[0]])
    above = np.concatenate([first[1], h[:-1]])
    return tridiagonal(below, diagonal, above, np.concatenate([first[2], inner, last[2]]))


def tridiagonal(below: Any, diagonal: Any, above: Any, right: Any) -> Any:
    """The solution of a tridiagonal system."""
    zero = np.zeros_like(diagonal[:1])
    bands = np.stack([np.concatenate([zero, above]), diagonal, np.concatenate([below, zero])])
    return np.reshape(solve_banded((1, 1), bands, np.reshape(right, (len(right), -1))), right.shape)


def condition(bc: Any, h: Any, H: Any, d: Any, sign: int) -> tuple[Any, Any, Any]:
    """The equation of one end, seen from there: the factors of the two outermost slopes, and the right side."""
    if isinstance(bc, str) and bc == "not-a-knot":
        both = H[:1] + H[1:]
        return h[1:], h[:1] + h[1:], ((H[:1] + 2 * both) * H[1:] * d[:1] + H[:1] ** 2 * d[1:]) / both
    if isinstance(bc, str) and bc not in ("clamped", "natural"):
        raise ValueError(f"bc_type={bc} is not allowed.")
    if isinstance(bc, str):
        bc = ({"clamped": 1, "natural": 2}[bc], np.zeros(d.shape[1:]))
    order, value = bc
    value = double(value)[None]
    if value.shape != d[:1].shape:
        raise ValueError(f"`deriv_value` shape {value.shape[1:]} is not the expected one {d.shape[1:]}.")
    if order == 1:
        return np.ones_like(h[:1]), np.zeros_like(h[:1]), value + 0 * d[:1]
    return 2 * h[:1], h[:1], 3 * d[:1] * H[:1] - sign * value * H[:1] ** 2 / 2


def periodic_slopes(h: Any, H: Any, d: Any) -> Any:
    """The same system closed to a ring: its last unknown is split off, which leaves a tridiagonal one."""
    n = len(h)
    if n == 1:
        return np.concatenate([d, d])
    if n == 2:
        slope = np.sum(d / H, 0, keepdims=True) / np.sum(1 / H, 0, keepdims=True)
        return np.concatenate([slope, slope, slope])
    before, Before = np.roll(h, 1), np.roll(H, 1, 0)
    right = 3 * (H * np.roll(d, 1, 0) + Before * d)
    diagonal = 2 * (before + h)
    column = np.concatenate([h[:1], np.zeros_like(h[2:-1]), before[-2:-1]])
    a = tridiagonal(h[1:-1], diagonal[:-1], before[:-2], right[:-1])
    b = against(tridiagonal(h[1:-1], diagonal[:-1], before[:-2], column), right)
    pivot = against(diagonal[-1:], right) - H[-1] * b[-1:] - Before[-1] * b[:1]
    last = (right[-1:] - H[-1] * a[-1:] - Before[-1] * a[:1]) / pivot
    rest = a - b * last
    return np.concatenate([rest, last, rest[:1]])


def pchip_slopes(x: Any, y: Any) -> Any:
    """Zero at extrema, else the weighted harmonic mean of the secants.  Fritsch & Butland (1984), (5)."""
    h = against(np.diff(x), y)
    d = np.diff(y, axis=0) / h
    if len(x) == 2:
        return np.concatenate([d, d])
    a, b = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    rising = np.sign(d[1:]) * np.sign(d[:-1]) > 0
    before, after = (np.where(rising, t, 1.0) for t in (d[:-1], d[1:]))
    inner = np.where(rising, (a + b) / (a / before + b / after), 0.0)
    return np.concatenate([pchip_end(h, d), inner, pchip_end(h[::-1], d[::-1])])


def pchip_end(h: Any, d: Any) -> Any:
    """The derivative of the parabola through three points, limited so that the shape is kept.  Moler (2004), 3.6."""
    s = ((2 * h[:1] + h[1:2]) * d[:1] - h[:1] * d[1:2]) / (h[:1] + h[1:2])
    steep = (np.sign(d[:1]) != np.sign(d[1:2])) & (np.abs(s) > 3 * np.abs(d[:1]))
    return np.where(np.sign(s) != np.sign(d[:1]), 0.0, np.where(steep, 3 * d[:1], s))


def akima_slopes(x: Any, y: Any, method: str) -> Any:
    """The mean of neighbouring secants weighted by how much those beyond them turn.  Akima (1970), (1)."""
    d = np.diff(y, axis=0) / against(np.diff(x), y)
    if len(x) == 2:
        return np.concatenate([d, d])
    left = 2 * d[:1] - d[1:2]
    right = 2 * d[-1:] - d[-2:-1]
    m = np.concatenate([2 * left - d[:1], left, d, right, 2 * right - d[-1:]])
    turn = np.abs(np.diff(m, axis=0))
    if method == "makima":
        turn = turn + 0.5 * np.abs(m[1:] + m[:-1])
    after, before = turn[2:], turn[:-2]
    weight = after + before
    known = weight > 1e-9 * np.max(weight)
    share = before / np.where(known, weight, 1.0)
    return np.where(known, m[1:-2] + share * (m[2:-1] - m[1:-2]), 0.5 * (m[3:] + m[:-3]))


def real(y: Any) -> Any:
    """Data that may not be complex."""
    if dtype_of(y).kind == "c":
        raise ValueError("This interpolator only works with real values for `y`.")
    return y


def prepared(x: Any, y: Any, axis: int) -> tuple[Any, Any, int]:
    """Knots and data in double precision, the interpolation axis first."""
    x, y = increasing(double(x)), double(y)
    axis = axis % y.ndim
    if x.shape != (y.shape[axis],):
        raise ValueError(f"The length of `y` along `axis`={axis} doesn't match the length of `x`")
    if len(x) < 2:
        raise ValueError("`x` must contain at least 2 elements.")
    return x, np.moveaxis(y, axis, 0) if axis else y, axis


class Cubic(PPoly):
    """What the interpolators share: with traced data the slopes are found first."""

    def __init__(self, x: Any, y: Any, *args: Any, **kw: Any):
        if is_traced(x, y, *args, *kw.values()):
            self.build(x, y, *args, **kw)
        else:
            super(Piecewise, self).__init__(x, y, *args, **kw)

    def build(self, x: Any, y: Any, *args: Any, **kw: Any) -> None:
        raise NotImplementedError


@stands_for(si.CubicHermiteSpline)
class CubicHermiteSpline(Cubic, si.CubicHermiteSpline):
    """The piecewise cubic with given values and derivatives."""

    def build(self, x: Any, y: Any, dydx: Any, axis: int = 0, extrapolate: bool | str | None = None) -> None:
        x, y, axis = prepared(x, y, axis)
        self.hold(from_slopes(x, y, np.moveaxis(double(dydx), axis, 0)), x, extrapolate, axis)


@stands_for(si.CubicSpline)
class CubicSpline(Cubic, si.CubicSpline):
    """The piecewise cubic with two continuous derivatives."""

    def build(
        self, x: Any, y: Any, axis: int = 0, bc_type: Any = "not-a-knot", extrapolate: bool | str | None = None
    ) -> None:
        x, y, axis = prepared(x, y, axis)
        if extrapolate is None and isinstance(bc_type, str) and bc_type == "periodic":
            extrapolate = "periodic"
        self.hold(from_slopes(x, y, spline_slopes(x, y, bc_type, axis)), x, extrapolate, axis)


@stands_for(si.PchipInterpolator)
class PchipInterpolator(Cubic, si.PchipInterpolator):
    """The piecewise cubic that is monotone where the data are."""

    def build(self, x: Any, y: Any, axis: int = 0, extrapolate: bool | str | None = None) -> None:
        x, y, axis = prepared(x, y, axis)
        self.hold(from_slopes(x, y, pchip_slopes(x, real(y))), x, extrapolate, axis)


@stands_for(si.Akima1DInterpolator)
class Akima1DInterpolator(Cubic, si.Akima1DInterpolator):
    """The piecewise cubic whose slopes depend on the five nearest points only."""

    def build(
        self, x: Any, y: Any, axis: int = 0, *, method: str = "akima", extrapolate: bool | str | None = None
    ) -> None:
        if method not in ("akima", "makima"):
            raise NotImplementedError(f"`method`={method} is unsupported.")
        x, y, axis = prepared(x, y, axis)
        self.hold(from_slopes(x, y, akima_slopes(x, real(y), method)), x, extrapolate or False, axis)


@stands_for(si.pchip_interpolate)
def pchip_interpolate(xi: Any, yi: Any, x: Any, der: Any = 0, axis: int = 0) -> Any:
    P = PchipInterpolator(xi, yi, axis=axis)
    return P(x, der) if np.ndim(der) == 0 else [P(x, nu) for nu in der]

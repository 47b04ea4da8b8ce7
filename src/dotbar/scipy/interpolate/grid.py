"""Interpolation on rectangular grids, in the grid, the values and the points."""

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
import scipy.interpolate as si

from dotbar.core import as_array, dtype_of
from dotbar.rules.words import entries, raise_if
from dotbar.scipy.interpolate.bsplines import interpolating, not_a_knot
from dotbar.scipy.interpolate.cubic import from_slopes, pchip_slopes
from dotbar.scipy.interpolate.objects import Interpolator, against, double, filled, increasing, is_traced
from dotbar.scipy.interpolate.piecewise import basis, horner, interval
from dotbar.scipy.mirror import own_module, stands_for

DEGREES = {"slinear": 1, "cubic": 3, "quintic": 5}


def tensor_spline(t: Any, c: Any, k: Any, x: Any, nu: Any) -> Any:
    """Σ c[i, j, …] Bᵢ(x₀) Bⱼ(x₁) … at points x of shape (points, dimensions)."""
    d = len(t)
    parts = [basis(t[a], x[:, a], k[a], nu[a]) for a in range(d)]
    spread = lambda v, a: np.reshape(v, (len(x), *(-1 if b == a else 1 for b in range(d))))
    N = prod((spread(N, a) for a, (_, N) in enumerate(parts)), start=1.0)
    picked = entries(c, tuple(spread(numbers, a) for a, (numbers, _) in enumerate(parts)))
    return np.sum(against(N, picked) * picked, tuple(range(1, d + 1)))


def tensor_fit(points: Any, values: Any, k: Any, knots: Any = None) -> tuple[Any, Any, Any]:
    """Knots, coefficients and degrees of the tensor spline through the values on a grid: one axis after the other."""
    knots = [not_a_knot(x, m) if m > 1 else None for x, m in zip(points, k)] if knots is None else knots
    found = []
    for axis, (x, m, t) in enumerate(zip(points, k, knots)):
        values = np.moveaxis(values, axis, 0)
        t, values, _ = interpolating(x, values, m, t)
        values = np.moveaxis(values, 0, axis)
        found.append(t)
    return tuple(found), values, tuple(k)


def coordinates(xi: Any, d: int) -> Any:
    """Points of shape (…, d), also from a tuple of their coordinates."""
    if isinstance(xi, tuple) and len(xi) == 1:
        (xi,) = xi
    if isinstance(xi, tuple):
        return np.stack(np.broadcast_arrays(*map(double, xi)), -1)
    xi = double(xi)
    return np.reshape(xi, (-1, d)) if xi.ndim == 1 else xi


def flipped(down: Any, x: Any, axis: int) -> Any:
    """``x`` turned round along an axis if so it is, which may differ between the items of a batch."""
    if is_traced(down):
        return np.where(down, np.flip(x, axis), x)
    return np.flip(x, axis) if down else x


def cells_and_shares(grid: Any, x: Any) -> tuple[Any, Any]:
    """Along each axis the interval that holds a point, and how far in it the point is, from 0 to 1."""
    cells = [interval(g, x[:, a]) for a, g in enumerate(grid)]
    ends = [(entries(g, i), entries(g, np.minimum(i + 1, len(g) - 1))) for g, i in zip(grid, cells)]
    widths = [stop - start if len(g) > 1 else 1.0 for g, (start, stop) in zip(grid, ends)]
    return cells, [(x[:, a] - start) / width for a, ((start, _), width) in enumerate(zip(ends, widths))]


def multilinear(grid: Any, values: Any, x: Any) -> Any:
    """Σ over the corners of the cell."""
    cells, shares = cells_and_shares(grid, x)
    total: Any = 0.0
    for corner in product((0, 1), repeat=len(grid)):
        weight = prod((s if up else 1 - s for up, s in zip(corner, shares)), start=1.0)
        picked = entries(values, tuple(np.minimum(i + up, len(g) - 1) for up, i, g in zip(corner, cells, grid)))
        total = total + against(weight, picked) * picked
    return total


def nearest(grid: Any, values: Any, x: Any) -> Any:
    """The value at the nearest corner of the cell."""
    return entries(values, tuple(np.where(s <= 0.5, i, i + 1) for i, s in zip(*cells_and_shares(grid, x))))


def pchips(grid: Any, values: Any, x: Any) -> Any:
    """One axis after the other, from the last on; after the first each point has values of its own."""
    d, points = len(grid), np.arange(len(x))
    y = np.moveaxis(values, d - 1, 0)
    for a in range(d - 1, -1, -1):
        c = from_slopes(grid[a], y, pchip_slopes(grid[a], y))
        i = interval(grid[a], x[:, a])
        index = (slice(None), i) if a == d - 1 else (slice(None), i, points)
        y = horner(entries(c, index), x[:, a] - entries(grid[a], i))
        if a:
            y = np.moveaxis(y, a, 0)
    return y


@stands_for(si.RegularGridInterpolator)
class RegularGridInterpolator(Interpolator, si.RegularGridInterpolator):
    """Interpolation by any method; of splines the coefficients are solved for along one axis after the other."""

    def fit(  # type: ignore[override]
        self,
        points: Any,
        values: Any,
        method: str = "linear",
        bounds_error: bool = True,
        fill_value: Any = np.nan,
        *,
        solver: Any = None,
        solver_args: Any = None,
    ) -> Any:
        dtype = dtype_of(as_array(values))
        grid, values = [], double(values)
        for axis, x in enumerate(map(double, points)):
            if axis >= values.ndim or len(x) != values.shape[axis]:
                raise ValueError(f"There are {len(x)} points in dimension {axis} of values of shape {values.shape}")
            down = x[-1] < x[0]
            grid.append(increasing(flipped(down, x, 0), "The points must be strictly ascending or descending"))
            values = flipped(down, values, axis)
        return grid, values, method, bounds_error, fill_value, dtype

    def value(self, xi: Any, method: str | None = None, *, nu: Sequence[int] | None = None) -> Any:  # type: ignore[override]
        grid, values, own, bounds_error, fill_value, dtype = self.fitted
        method, d = own if method is None else method, len(grid)
        if method not in ("linear", "nearest", "pchip", *DEGREES):
            raise ValueError(f"Method '{method}' is not defined")
        if nu is not None and method not in DEGREES:
            raise ValueError(f"Can only compute derivatives for methods {set(DEGREES)}, got {method=}.")
        if method == "pchip" and dtype.kind == "c":
            raise ValueError("`PchipInterpolator` only works with real values.")
        xi = coordinates(xi, d)
        x = np.reshape(xi, (-1, d))
        outside = np.any(np.stack([(x[:, a] < g[0]) | (x[:, a] > g[-1]) for a, g in enumerate(grid)]), 0)
        missing = np.any(np.isnan(x), 1)
        if bounds_error:
            raise_if(outside | missing, error=ValueError("One of the requested xi is out of bounds"))
        if method in DEGREES:
            known = vars(self).get("_spline") if method == own else None  # SciPy's, iterated to some tolerance
            spline = (known.t, known.c, known.k) if known else tensor_fit(grid, values, (DEGREES[method],) * d)
            y = tensor_spline(*spline, x, (0,) * d if nu is None else nu)
        else:
            y = {"linear": multilinear, "nearest": nearest, "pchip": pchips}[method](grid, values, x)
        if not bounds_error:
            y = y if fill_value is None else filled(outside, fill_value, y)
            y = filled(missing, np.nan, y)
        if method in ("nearest", "pchip") and dtype.kind in "fc":
            y = y.astype(dtype)
        return np.reshape(y, (*xi.shape[:-1], *values.shape[d:]))


@stands_for(si.interpn)
def interpn(
    points: Any, values: Any, xi: Any, method: str = "linear", bounds_error: bool = True, fill_value: Any = np.nan
) -> Any:
    if not is_traced(points, values, xi, *points):
        return si.interpn(points, values, xi, method, bounds_error, fill_value)
    if method == "splinef2d":
        if fill_value is None:
            raise ValueError("The method splinef2d does not support extrapolation.")
        x = coordinates(xi, 2)
        y = own_module("scipy.interpolate").RectBivariateSpline(*points, values).ev(x[..., 0], x[..., 1])
        inside = [(x[..., a] >= points[a][0]) & (x[..., a] <= points[a][-1]) for a in range(2)]
        outside = ~(inside[0] & inside[1])
        if bounds_error:
            raise_if(outside, error=ValueError("One of the requested xi is out of bounds"))
        return filled(outside, fill_value, y)
    return RegularGridInterpolator(points, values, method, bounds_error, fill_value)(xi)


@stands_for(si.NdBSpline)
class NdBSpline(Interpolator, si.NdBSpline):
    """A tensor spline by its coefficients."""

    def fit(self, t: Any, c: Any, k: Any, *, extrapolate: bool | str | None = None) -> Any:  # type: ignore[override]
        k = (k,) * len(t) if np.ndim(k) == 0 else tuple(k)
        return tuple(map(double, t)), double(c), k, True if extrapolate is None else extrapolate

    def value(self, xi: Any, *, nu: Sequence[int] | None = None, extrapolate: bool | str | None = None) -> Any:  # type: ignore[override]
        t, c, k, own = self.fitted
        xi = double(xi)
        x = np.reshape(xi, (-1, len(t)))
        y = tensor_spline(t, c, k, x, (0,) * len(t) if nu is None else nu)
        if not (own if extrapolate is None else extrapolate):
            inside = [(x[:, a] >= t[a][k[a]]) & (x[:, a] <= t[a][-k[a] - 1]) for a in range(len(t))]
            y = y * against(np.where(np.all(np.stack(inside), 0), 1.0, np.nan), y)
        return np.reshape(y, (*xi.shape[:-1], *c.shape[len(t) :]))

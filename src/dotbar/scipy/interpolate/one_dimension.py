"""``interp1d`` and polynomials through all points, in values, nodes and evaluation points."""

from typing import Any

import numpy as np
import scipy.interpolate as si

from dotbar.core import as_array, dtype_of
from dotbar.errors import NoRuleError
from dotbar.rules.words import entries, raise_if
from dotbar.scipy.interpolate.bsplines import evaluate, interpolating
from dotbar.scipy.interpolate.objects import Interpolator, against, double, filled, is_traced
from dotbar.scipy.interpolate.piecewise import to_axis
from dotbar.scipy.mirror import stands_for
from dotbar.transforms import jvp

SPLINES = {"zero": 0, "slinear": 1, "quadratic": 2, "cubic": 3}


def linear(x: Any, y: Any, at: Any) -> Any:
    i = np.clip(np.searchsorted(x, at), 1, len(x) - 1)
    low, start = entries(y, i - 1), entries(x, i - 1)
    return low + against((at - start) / (entries(x, i) - start), low) * (entries(y, i) - low)


def place(x: Any, at: Any, kind: str) -> Any:
    """The number of the data point whose value is taken."""
    if kind in ("previous", "next"):
        last = np.searchsorted(x, at, "right") - 1 if kind == "previous" else np.searchsorted(x, at)
        return np.clip(last, 0, len(x) - 1)
    return np.searchsorted((x[1:] + x[:-1]) / 2, at, "left" if kind == "nearest" else "right")


@stands_for(si.interp1d)
class interp1d(Interpolator, si.interp1d):
    """Interpolation by a piece of a line, the nearest value or a spline."""

    def fit(  # type: ignore[override]
        self,
        x: Any,
        y: Any,
        kind: Any = "linear",
        axis: int = -1,
        copy: bool = True,
        bounds_error: bool | None = None,
        fill_value: Any = np.nan,
        assume_sorted: bool = False,
    ) -> Any:
        dtypes = dtype_of(as_array(x)), dtype_of(as_array(y))
        x, y = double(x), double(y)
        axis = axis % y.ndim
        y = np.moveaxis(y, axis, 0)
        if not assume_sorted:
            order = np.argsort(x, kind="stable")
            x, y = x[order], y[order]
        extrapolate = isinstance(fill_value, str) and fill_value == "extrapolate"
        bounds_error = not extrapolate if bounds_error is None else bounds_error
        if extrapolate:
            ends = {"previous": (np.nan, y[-1]), "next": (y[0], np.nan)}.get(kind)
        else:
            ends = fill_value if isinstance(fill_value, tuple) else (fill_value, fill_value)
        degree = SPLINES.get(kind, kind)
        if not isinstance(degree, int) and degree not in ("linear", "nearest", "nearest-up", "previous", "next"):
            raise NotImplementedError(f"{kind} is unsupported: Use fitpack routines for other types.")
        spline = interpolating(x, y, degree) if isinstance(degree, int) else None
        return x, y, dtypes, kind, axis, bounds_error, ends, spline

    def value(self, at: Any) -> Any:  # type: ignore[override]
        x, y, dtypes, kind, axis, bounds_error, ends, spline = self.fitted
        dtypes, at = (*dtypes, dtype_of(as_array(at))), double(at)
        below, above = at < x[0], at > x[-1]
        if bounds_error:
            raise_if(below, error=ValueError("A value in x_new is below the interpolation range's minimum value."))
            raise_if(above, error=ValueError("A value in x_new is above the interpolation range's maximum value."))
        if spline is not None:
            out = filled(np.isnan(at), np.nan, evaluate(*spline, at))
        else:
            out = linear(x, y, at) if kind == "linear" else entries(y, place(x, at, kind))
        if ends is not None:
            out = filled(below, ends[0], filled(above, ends[1], out))
        if spline is None:
            out = out.astype(np.result_type(*(dtypes if kind == "linear" else dtypes[1:2]), np.float16))
        return to_axis(out, at.ndim, axis)


# ---------------------------------------------------------------- polynomials


def products_of_others(s: Any) -> Any:
    """For each entry of the last axis the product of all the others."""
    one = np.ones_like(s[..., :1])
    before = np.cumprod(np.concatenate([one, s[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([one, s[..., :0:-1]], -1), -1)[..., ::-1]
    return before * after


class Lagrange(Interpolator):
    """Σᵢ yᵢ Πⱼ (x − xⱼ)/(xᵢ − xⱼ), the products without their factor i: smooth at the nodes too.

    Berrut & Trefethen (2004), (2.1); the factors are scaled by the capacity of the interval, (4.3).
    """

    error: Exception = ValueError("Interpolation points xi must be distinct.")

    def nodes(self, xi: Any, yi: Any, axis: int) -> tuple[Any, Any, int]:
        """Nodes, values with their axis first, and that axis."""
        xi, yi = double(xi), double(yi)
        axis = axis % yi.ndim
        apart = np.abs(xi[:, None] - xi) + np.eye(len(xi)) == 0
        raise_if(apart, error=self.error)
        return xi, np.moveaxis(yi, axis, 0), axis

    def value(self, x: Any, order: int = 0) -> Any:  # type: ignore[override]
        """The polynomial, or its derivative of some order."""
        if order:
            x = double(x)
            return jvp(lambda x: self.value(x, order - 1), (x,), (np.ones_like(x),))[1]
        xi, y, axis = self.fitted
        x = double(x)
        scale = 4 / (np.max(xi) - np.min(xi)) if len(xi) > 1 else 1.0
        own = np.where(np.eye(len(xi), dtype=bool), 1.0, scale * (xi[:, None] - xi))
        L = products_of_others(scale * (x[..., None] - xi)) / np.prod(own, -1)
        return to_axis(np.tensordot(L, y, 1), x.ndim, axis)

    def derivative(self, x: Any, der: int = 1) -> Any:
        if self.is_plain and not is_traced(x):
            return super().derivative(x, der)  # type: ignore[misc]
        return self.value(x, der)

    def derivatives(self, x: Any, der: int | None = None) -> Any:
        if self.is_plain and not is_traced(x):
            return super().derivatives(x, der)  # type: ignore[misc]
        count = len(self.fitted[0]) if der is None else der
        return np.stack([self.value(x, order) for order in range(count)])


@stands_for(si.BarycentricInterpolator)
class BarycentricInterpolator(Lagrange, si.BarycentricInterpolator):
    """The polynomial through all points."""

    def fit(
        self, xi: Any, yi: Any = None, axis: int = 0, *, wi: Any = None, rng: Any = None, random_state: Any = None
    ) -> Any:  # type: ignore[override]
        return self.nodes(xi, yi, axis)


@stands_for(si.KroghInterpolator)
class KroghInterpolator(Lagrange, si.KroghInterpolator):
    """The polynomial through all points."""

    error = NoRuleError(
        "a node given twice, with a slope, has no derivative rule; CubicHermiteSpline of values and slopes has one."
    )

    def fit(self, xi: Any, yi: Any, axis: int = 0) -> Any:  # type: ignore[override]
        return self.nodes(xi, yi, axis)


def _at_points(P: Any, x: Any, der: Any) -> Any:
    return P.derivative(x, der) if np.ndim(der) == 0 else np.stack([P.derivative(x, order) for order in der])


@stands_for(si.barycentric_interpolate)
def barycentric_interpolate(xi: Any, yi: Any, x: Any, axis: int = 0, *, der: Any = 0, rng: Any = None) -> Any:
    if not is_traced(xi, yi, x):
        return si.barycentric_interpolate(xi, yi, x, axis, der=der, rng=rng)
    return _at_points(BarycentricInterpolator(xi, yi, axis), x, der)


@stands_for(si.krogh_interpolate)
def krogh_interpolate(xi: Any, yi: Any, x: Any, der: Any = 0, axis: int = 0) -> Any:
    if not is_traced(xi, yi, x):
        return si.krogh_interpolate(xi, yi, x, der, axis)
    return _at_points(KroghInterpolator(xi, yi, axis), x, der)

"""B-splines: one basis, in knots and points, from which values and every system of equations are made."""

from typing import Any

import numpy as np
import scipy.interpolate as si

from dotbar.errors import NoRuleError
from dotbar.rules.words import entries, raise_if
from dotbar.scipy.interpolate.objects import Held, Refusing, against, double, finite, increasing, is_traced
from dotbar.scipy.interpolate.piecewise import basis, evaluate, to_axis, within
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.sparse.arrays import SparseArray
from dotbar.scipy.sparse.words import multiply, solve


def differentiated(t: Any, c: Any, k: int) -> tuple[Any, Any, int]:
    """Knots, coefficients and degree of the derivative.  De Boor (2001), X (16)."""
    n = len(t) - k - 1
    if k == 0:
        raise ValueError("Order of derivative must be <= order of spline")
    gap = t[k + 1 : k + n] - t[1:n]
    raise_if(gap == 0, error=ValueError("The spline has internal repeated knots and is not so often differentiable."))
    return t[1:-1], against(k / gap, c) * (c[1:n] - c[: n - 1]), k - 1


def integrated(t: Any, c: Any, k: int) -> tuple[Any, Any, int]:
    """Knots, coefficients and degree of the antiderivative that is zero at t[0]."""
    n = len(t) - k - 1
    steps = against(t[k + 1 :] - t[:n], c) / (k + 1) * c[:n]
    t = np.concatenate([t[:1], t, t[-1:]])
    return t, np.concatenate([np.zeros_like(steps[:1]), np.cumsum(steps, 0)]), k + 1


def with_knot(t: Any, c: Any, k: int, x: Any) -> tuple[Any, Any, int]:
    """Knots, coefficients and degree of the same spline with one knot more: Boehm (1980), (3)."""
    n = len(t) - k - 1
    raise_if((x < t[k]) | (x > t[n]), error=ValueError(f"Cannot insert a knot outside of [t[{k}], t[{n}]]."))
    i = np.clip(np.searchsorted(t, x, "right") - 1, k, n - 1)
    j, every = np.arange(n + 1), np.arange(len(t) + 1)
    inside = (j > i - k) & (j <= i)
    low, high = entries(t, np.where(inside, j, i)), entries(t, np.where(inside, j + k, i + 1))
    a = against(np.where(inside, (x - low) / (high - low), np.where(j <= i, 1.0, 0.0)), c)
    c = a * c[np.minimum(j, n - 1)] + (1 - a) * c[np.maximum(j - 1, 0)]
    return np.where(every == i + 1, x, entries(t, np.where(every <= i, every, every - 1))), c, k


@stands_for(si.BSpline)
class BSpline(Refusing, si.BSpline):
    """A spline by its B-spline coefficients, which may be traced as the knots and points may be."""

    t, c, k, extrapolate, axis = (Held(si.BSpline, name) for name in ("t", "c", "k", "extrapolate", "axis"))

    def __init__(self, t: Any, c: Any, k: int, extrapolate: bool | str = True, axis: int = 0):
        if not is_traced(t, c):
            super().__init__(t, c, k, extrapolate, axis)
            return
        c = double(c)
        self.hold(double(t), np.moveaxis(c, axis, 0), k, extrapolate, axis % c.ndim)
        if len(self.c) < len(self.t) - k - 1:
            raise ValueError("Knots, coefficients and degree are inconsistent.")
        raise_if(np.diff(self.t) < 0, error=ValueError("Knots must be in a non-decreasing order."))

    def hold(self, t: Any, c: Any, k: int, extrapolate: Any, axis: int) -> None:
        """Become the spline with these knots and coefficients, of which at least one is traced."""
        vars(self).update(t=t, c=c, k=k, extrapolate=extrapolate, axis=axis)

    @classmethod
    def construct_fast(cls, t: Any, c: Any, k: int, extrapolate: bool | str = True, axis: int = 0) -> Any:
        if not is_traced(t, c):
            return super().construct_fast(t, c, k, extrapolate, axis)
        self = cls.__new__(cls)
        self.hold(t, c, k, extrapolate, axis)
        return self

    def __call__(self, x: Any, nu: int = 0, extrapolate: bool | str | None = None) -> Any:
        if not is_traced(self.t, self.c, x):
            return super().__call__(x, nu, extrapolate)
        x, t, n = double(x), self.t, len(self.t) - self.k - 1
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        where, valid = within(x, t[self.k], t[n], extrapolate)
        y = evaluate(t, self.c, self.k, where, nu)
        return to_axis(y * against(valid, y), x.ndim, self.axis)

    @classmethod
    def basis_element(cls, t: Any, extrapolate: bool | str = True) -> Any:
        """The B-spline on these knots, which are as many as it has pieces and one more."""
        if not is_traced(t):
            return own(si.BSpline.basis_element(t, extrapolate))
        t, k = double(t), len(t) - 2
        t = np.concatenate([np.repeat(t[:1] - 1, k), t, np.repeat(t[-1:] + 1, k)])
        return cls.construct_fast(t, np.where(np.arange(2 * k + 1) == k, 1.0, 0.0), k, extrapolate)

    @classmethod
    def design_matrix(cls, x: Any, t: Any, k: int, extrapolate: bool | str = False) -> Any:
        """The sparse matrix of all B-splines at some points, a row for each."""
        if not is_traced(x, t):
            return super().design_matrix(x, t, k, extrapolate)
        x, t = double(x), double(t)
        if t.ndim != 1 or len(t) < 2 * k + 2:
            raise ValueError(f"Length t is not enough for k={k}.")
        raise_if(np.diff(t) < 0, error=ValueError("Expect t to be a 1-D sorted array_like."))
        n = len(t) - k - 1
        x, valid = within(x, t[k], t[n], extrapolate)
        raise_if(np.isnan(valid), error=ValueError("Out of bounds w/ x."))
        numbers, N = basis(t, x, k)
        row = np.repeat(np.arange(len(x)), k + 1)
        return SparseArray(np.reshape(N, -1), row, np.reshape(numbers, -1), (len(x), n), "csr")

    def insert_knot(self, x: Any, m: int = 1) -> Any:
        """The same spline with a knot more, so many times."""
        if not is_traced(self.t, self.c, x):
            return own(super().insert_knot(x, m))
        tck = self.tck
        for _ in range(m):
            tck = with_knot(*tck, double(x))
        return self.construct_fast(*tck, self.extrapolate, self.axis)

    def derivative(self, nu: int = 1) -> Any:
        if not is_traced(self.t, self.c):
            return super().derivative(nu)
        tck = self.tck
        for _ in range(nu):
            tck = differentiated(*tck)
        return self.construct_fast(*tck, self.extrapolate, self.axis)

    def antiderivative(self, nu: int = 1) -> Any:
        if not is_traced(self.t, self.c):
            return super().antiderivative(nu)
        tck = self.tck
        for _ in range(nu):
            tck = integrated(*tck)
        return self.construct_fast(*tck, self.extrapolate != "periodic" and self.extrapolate, self.axis)

    def integrate(self, a: Any, b: Any, extrapolate: bool | str | None = None) -> Any:
        if not is_traced(self.t, self.c, a, b):
            return super().integrate(a, b, extrapolate)
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        tck = integrated(double(self.t), double(self.c), self.k)
        start, stop = self.t[self.k], self.t[len(self.t) - self.k - 1]
        F = lambda x: evaluate(*tck, double(x))
        if extrapolate != "periodic":
            return F(b) - F(a) if extrapolate else F(np.clip(b, start, stop)) - F(np.clip(a, start, stop))
        period = stop - start
        turns = np.floor((b - start) / period) - np.floor((a - start) / period)
        inside = F(start + (b - start) % period) - F(start + (a - start) % period)
        return turns * (F(stop) - F(start)) + inside


def own(spline: Any) -> Any:
    """SciPy's spline as one that can be called at traced points."""
    return BSpline.construct_fast(*spline.tck, spline.extrapolate, spline.axis)


# ---------------------------------------------------------------- interpolation


def solved(numbers: Any, N: Any, y: Any) -> Any:
    """The coefficients c with Σⱼ N[i, j] c[numbers[i, j]] = y[i], a banded system of any band."""
    data, row, column = flat(N, np.arange(len(y))[:, None], numbers)
    return np.reshape(solve(data, np.reshape(y, (len(y), -1)), row, column, ordering="NATURAL"), y.shape)


def not_a_knot(x: Any, k: int) -> Any:
    """The data points as knots, but for the outermost; between them for an even degree.  De Boor (2001), XIII (12)."""
    inner = x if k % 2 else (x[1:] + x[:-1]) / 2
    half = (k + 1) // 2
    return with_ends(x, inner[half:-half] if half else inner, k + 1)


def with_ends(x: Any, inner: Any, times: int) -> Any:
    """Knots with the first and the last point put at the ends, so often."""
    return np.concatenate([np.repeat(x[:1], times), inner, np.repeat(x[-1:], times)])


def periodic_knots(x: Any, k: int) -> Any:
    """The data points, between them for an even degree, and their like on either side."""
    steps = np.diff(x)
    if k % 2 == 0:
        x = np.concatenate([x[:1], x[1:-1] - steps[:-1] / 2, x[-1:]])
        steps = np.diff(x)
    around = np.arange(k) % len(steps)
    left = x[0] - np.cumsum(steps[::-1][around])[::-1]
    return np.concatenate([left, x, x[-1] + np.cumsum(steps[around])])


def end_conditions(bc: Any, shape: tuple[int, ...]) -> list[tuple[int, Any]]:
    """Pairs of an order and the value of that derivative at one end."""
    if bc is None:
        return []
    if isinstance(bc, str):
        orders = {"clamped": 1, "natural": 2}
        if bc not in orders:
            raise ValueError(f"Unknown boundary condition : {bc}")
        return [(orders[bc], np.zeros(shape))]
    return [(order, np.broadcast_to(double(value), shape)) for order, value in bc]


def interpolating(x: Any, y: Any, k: int, t: Any = None, bc_type: Any = None) -> tuple[Any, Any, int]:
    """Knots, coefficients and degree of the spline through the data, whose interpolation axis is the first."""
    if k < 2 and t is None:
        if not (bc_type is None or (isinstance(bc_type, str) and bc_type in ("not-a-knot", "periodic"))):
            raise ValueError(f"Too much info for k={k}: bc_type can only be None.")
        return np.concatenate([*([x[:1]] if k else []), x, x[-1:]]), y, k
    if isinstance(bc_type, str) and bc_type == "periodic":
        return periodic(x, y, k)
    bc_type = None if isinstance(bc_type, str) and bc_type == "not-a-knot" else bc_type
    both = (bc_type, bc_type) if bc_type is None or isinstance(bc_type, str) else bc_type
    first, last = (end_conditions(bc, y.shape[1:]) for bc in both)
    if t is None:
        t = with_ends(x, x, k) if first or last else not_a_knot(x, k)
    if len(t) - k - 1 != len(x) + len(first) + len(last):
        raise ValueError(
            "The number of derivatives at boundaries does not "
            f"match: expected {len(t) - k - 1 - len(x)}, got {len(first)}+{len(last)}"
        )
    ends = [(x[:1], nu, value) for nu, value in first], [(x[-1:], nu, value) for nu, value in last]
    parts = [*ends[0], (x, 0, y), *ends[1]]
    numbers, N = zip(*(basis(t, at, k, nu) for at, nu, _ in parts))
    right = np.concatenate([y if at is x else value[None] for at, _, value in parts])
    return t, solved(np.concatenate(numbers), np.concatenate(N), right), k


def periodic(x: Any, y: Any, k: int) -> tuple[Any, Any, int]:
    """The same on a ring: the last k coefficients are the first ones again."""
    raise_if(
        np.abs(y[0] - y[-1]) > 1e-15 + 1e-5 * np.abs(y[-1]),
        error=ValueError("First and last points does not match while periodic case expected"),
    )
    n = len(x) - 1
    t = periodic_knots(x, k)
    numbers, N = basis(t, x[:-1], k)
    c = solved(numbers % n, N, y[:-1])
    return t, c[np.arange(n + k) % n], k


@stands_for(si.make_interp_spline)
def make_interp_spline(
    x: Any, y: Any, k: int = 3, t: Any = None, bc_type: Any = None, axis: int = 0, check_finite: bool = True
) -> Any:
    if not is_traced(x, y, t, bc_type):
        return own(si.make_interp_spline(x, y, k, t, bc_type, axis, check_finite))
    x, y = increasing(double(x), "Expect x to be a 1D strictly increasing sequence."), double(y)
    axis = axis % y.ndim
    if check_finite:
        finite(x)
        finite(y)
    tck = interpolating(x, np.moveaxis(y, axis, 0), k, None if t is None else double(t), bc_type)
    ring = isinstance(bc_type, str) and bc_type == "periodic" and k > 1
    return BSpline.construct_fast(*tck, "periodic" if ring else True, axis)


# ---------------------------------------------------------------- least squares and smoothing


def flat(*arrays: Any) -> list[Any]:
    """Arrays of one shape once they are broadcast, each as a vector."""
    return [np.reshape(v, -1) for v in np.broadcast_arrays(*arrays)]


def squares(E: Any, numbers: Any) -> list[Any]:
    """The matrix EᵀE of a matrix with entries E[i, j] in its row i and column ``numbers[i, j]``, by its entries."""
    return flat(E[:, :, None] * E[:, None, :], numbers[:, :, None], numbers[:, None, :])


def transposed_product(E: Any, numbers: Any, y: Any, n: int) -> Any:
    """Eᵀy, a matrix."""
    data, row, column = flat(E, numbers, np.arange(len(y))[:, None])
    return multiply(data, np.reshape(y, (len(y), -1)), row, column, rows=n)


def least_squares(x: Any, y: Any, t: Any, k: int, w: Any) -> Any:
    """The coefficients of the spline nearest to the data."""
    return nearest(*basis(t, x, k), y, w, len(t) - k - 1)


def nearest(numbers: Any, N: Any, y: Any, w: Any, n: int) -> Any:
    """The least Σ w²(Σⱼ N[i, j] c[numbers[i, j]] − y)², improved once against the squared condition number."""
    W = N * w[:, None]
    data, row, column = squares(W, numbers)

    def fit(y: Any) -> Any:
        right = transposed_product(W, numbers, against(w, y) * y, n)
        return np.reshape(solve(data, right, row, column, ordering="NATURAL"), (n, *y.shape[1:]))

    c = fit(y)
    picked = entries(c, numbers)
    return c + fit(y - np.sum(against(N, picked) * picked, 1))


@stands_for(si.make_lsq_spline)
def make_lsq_spline(
    x: Any, y: Any, t: Any, k: int = 3, w: Any = None, axis: int = 0, check_finite: bool = True, *, method: str = "qr"
) -> Any:
    if not is_traced(x, y, t, w):
        return own(si.make_lsq_spline(x, y, t, k, w, axis, check_finite, method=method))
    x, y, t = double(x), double(y), double(t)
    axis = axis % y.ndim
    w = np.ones(len(x)) if w is None else double(w)
    return BSpline.construct_fast(t, least_squares(x, np.moveaxis(y, axis, 0), t, k, w), k, axis=axis)


@stands_for(si.make_smoothing_spline)
def make_smoothing_spline(x: Any, y: Any, w: Any = None, lam: Any = None, *, axis: int = 0) -> Any:
    if not is_traced(x, y, w, lam):
        return own(si.make_smoothing_spline(x, y, w, lam, axis=axis))
    if lam is None:
        raise NoRuleError(
            "scipy.interpolate.make_smoothing_spline has no derivative through the search for lam by cross-validation; "
            "pass lam."
        )
    x, y = increasing(double(x), "``x`` should be an ascending array"), double(y)
    axis = axis % y.ndim
    if len(x) != y.shape[axis] or len(x) < 5:
        raise ValueError("``x`` and ``y`` length must be the same, and at least 5")
    w = np.ones(len(x)) if w is None else double(w)
    raise_if(w <= 0, error=ValueError("Invalid vector of weights"))
    raise_if(lam < 0, error=ValueError("Regularization parameter should be non-negative"))
    smooth = smoothed(x, np.moveaxis(y, axis, 0), w, lam)
    return BSpline.construct_fast(*interpolating(x, smooth, 3, bc_type="natural"), axis=axis)


def smoothed(x: Any, y: Any, w: Any, lam: Any) -> Any:
    """The values at the data points of the least Σ w(y − f)² + λ∫f″²: (R + λQᵀW⁻¹Q)γ = Qᵀy, y − λW⁻¹Qγ.

    Q takes second divided differences and γ is f″.  Green & Silverman (1994), (2.12) to (2.14).
    """
    h, v = np.diff(x), lam / w
    before, after = 1 / h[:-1], 1 / h[1:]
    middle = -before - after
    bands = [
        (h[:-1] + h[1:]) / 3 + before**2 * v[:-2] + middle**2 * v[1:-1] + after**2 * v[2:],
        h[1:-1] / 6 + (middle * v[1:-1])[:-1] * before[1:] + (after * v[2:])[:-1] * middle[1:],
        after[:-2] * before[2:] * v[2:-2],
    ]
    n = len(x) - 2
    diagonals = (0, 1, -1, 2, -2)
    entries = np.concatenate([bands[abs(k)] for k in diagonals])
    row, column = (np.concatenate([np.arange(n - abs(k)) + max(s * k, 0) for k in diagonals]) for s in (-1, 1))
    right = np.diff(np.diff(y, axis=0) / against(h, y), axis=0)
    curvature = np.reshape(solve(entries, np.reshape(right, (n, -1)), row, column, ordering="NATURAL"), right.shape)
    zero = np.zeros_like(y[:1])
    slopes = np.diff(np.concatenate([zero, curvature, zero]), axis=0) / against(h, y)
    return y - against(v, y) * np.diff(np.concatenate([zero, slopes, zero]), axis=0)

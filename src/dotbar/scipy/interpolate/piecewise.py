"""Piecewise polynomials: one evaluation, in the coefficients, the breakpoints and the points."""

from collections.abc import Sequence
from itertools import pairwise
from math import comb, factorial, perm
from typing import Any

import numpy as np
import scipy.interpolate as si

from dotbar.errors import NoRuleError
from dotbar.rules.words import entries
from dotbar.scipy.interpolate.objects import Held, Interpolator, Refusing, against, double, increasing, is_traced
from dotbar.scipy.mirror import stands_for


def interval(t: Any, x: Any) -> Any:
    """The index i of the interval t[i] ≤ x < t[i + 1]; the outermost ones reach to infinity.  t may decrease."""
    direction = np.sign(t[-1] - t[0])
    return np.clip(np.searchsorted(direction * t, direction * x, "right") - 1, 0, len(t) - 2)


def within(x: Any, a: Any, b: Any, extrapolate: Any) -> tuple[Any, Any]:
    """The points at which to evaluate, and the factor 1, or nan where there is no value, between a and b."""
    if extrapolate == "periodic":
        x = a + (x - a) % (b - a)
    outside = np.isnan(x) if extrapolate else ~((x >= np.minimum(a, b)) & (x <= np.maximum(a, b)))
    return x, np.where(outside, np.nan, 1.0)


def to_axis(y: Any, ndim: int, axis: int) -> Any:
    """Move the axes of the points, which come first, to where the interpolation axis was."""
    return np.moveaxis(y, range(ndim), range(axis, axis + ndim)) if axis else y


def horner(c: Any, s: Any) -> Any:
    """Σₖ cₖ s^(K−k), the degree from highest to lowest along the first axis."""
    s = against(s, c[0])
    y = c[0]
    for k in range(1, len(c)):
        y = y * s + c[k]
    return y


def casteljau(c: Any, s: Any) -> Any:
    """The polynomial with Bernstein coefficients c along the first axis, at s in [0, 1], by de Casteljau."""
    s = against(s, c[0])
    while len(c) > 1:
        c = (1 - s) * c[:-1] + s * c[1:]
    return c[0]


def falling(length: int, nu: int) -> Any:
    """The factors k(k − 1)…(k − ν + 1) that derivatives give to the powers length − 1, …, ν."""
    powers = np.arange(length - 1, nu - 1, -1)
    return np.prod([powers - j for j in range(nu)], 0, dtype=float) * np.ones(len(powers))


def basis(t: Any, x: Any, k: int, nu: int = 0) -> tuple[Any, Any]:
    """The k + 1 B-splines of degree k that are not zero at x, or their derivatives: their numbers and their values.

    From degree d − 1 to d, with T = N/(t₊ − t₋): (t₊ − x)T goes to the B-spline on the left and (x − t₋)T to the one on
    the right; of derivatives −d T and d T.  De Boor (2001), X (3) and X (12).
    """
    i = np.clip(np.searchsorted(t, x, "right") - 1, k, len(t) - k - 2)[..., None]
    x = x[..., None]
    N = np.ones_like(x)
    for d in range(1, k + 1):
        before, after = entries(t, i + np.arange(1 - d, 1)), entries(t, i + np.arange(1, d + 1))
        T = N / (after - before)
        left, right = ((after - x) * T, (x - before) * T) if d <= k - nu else (-d * T, d * T)
        zero = np.zeros_like(T[..., :1])
        N = np.concatenate([left, zero], -1) + np.concatenate([zero, right], -1)
    return i + np.arange(-k, 1), N if nu <= k else 0 * N


def evaluate(t: Any, c: Any, k: int, x: Any, nu: int = 0) -> Any:
    """Σⱼ c[j] Bⱼ(x), the coefficients along the first axis."""
    j, N = basis(t, x, k, nu)
    picked = entries(c, j)
    return np.sum(against(N, picked) * picked, np.ndim(x))


class Piecewise(Refusing):
    """Put before SciPy's class among the bases: coefficients, breakpoints and points may be traced."""

    c: Any
    x: Any
    extrapolate: Any
    axis: int

    def __init__(self, c: Any, x: Any, extrapolate: bool | str | None = None, axis: int = 0):
        if not is_traced(c, x):
            super().__init__(c, x, extrapolate, axis)  # type: ignore[call-arg]
            return
        self.hold(np.moveaxis(double(c), (axis, axis + 1), (0, 1)), double(x), extrapolate, axis)

    def hold(self, c: Any, x: Any, extrapolate: Any, axis: int) -> None:
        """Become the piecewise polynomial with these coefficients, of which at least one is traced."""
        vars(self).update(c=c, x=x, extrapolate=True if extrapolate is None else extrapolate, axis=axis)

    @classmethod
    def construct_fast(cls, c: Any, x: Any, extrapolate: bool | str | None = None, axis: int = 0) -> Any:
        if not is_traced(c, x):
            return super().construct_fast(c, x, extrapolate, axis)  # type: ignore[misc]
        self = cls.__new__(cls)
        self.hold(c, x, extrapolate, axis)
        return self

    def __call__(self, x: Any, nu: int = 0, extrapolate: bool | str | None = None) -> Any:
        if not is_traced(self.c, self.x, x):
            return super().__call__(x, nu, extrapolate)  # type: ignore[misc]
        x = double(x)
        where, valid = within(x, self.x[0], self.x[-1], self.extrapolate if extrapolate is None else extrapolate)
        y = self.derivative(nu).at(where) if nu else self.at(where)
        return to_axis(y * against(valid, y), x.ndim, self.axis)

    def at(self, x: Any) -> Any:
        """The value at points of which all are inside, or outside and wanted."""
        raise NotImplementedError

    def derivative(self, nu: int = 1) -> Any:
        if not is_traced(self.c, self.x):
            return super().derivative(nu)  # type: ignore[misc]
        if nu <= 0:
            return self.antiderivative(-nu) if nu else self
        if nu >= len(self.c):
            return self.construct_fast(0 * self.c[:1], self.x, self.extrapolate, self.axis)
        return self.construct_fast(self.differentiated(nu), self.x, self.extrapolate, self.axis)

    def differentiated(self, nu: int) -> Any:
        """The coefficients of the derivative."""
        raise NotImplementedError

    def antiderivative(self, nu: int = 1) -> Any:
        if not is_traced(self.c, self.x):
            return super().antiderivative(nu)  # type: ignore[misc]
        if nu <= 0:
            return self.derivative(-nu)
        extrapolate = False if self.extrapolate == "periodic" else self.extrapolate
        return self.construct_fast(self.integrated(), self.x, extrapolate, self.axis).antiderivative(nu - 1)

    def integrated(self) -> Any:
        """The coefficients of the antiderivative."""
        raise NotImplementedError

    def integrate(self, a: Any, b: Any, extrapolate: bool | str | None = None) -> Any:
        if not is_traced(self.c, self.x, a, b):
            return super().integrate(a, b, extrapolate)  # type: ignore[misc]
        extrapolate = self.extrapolate if extrapolate is None else extrapolate
        F, start, period = self.antiderivative(), self.x[0], self.x[-1] - self.x[0]
        F.axis = 0
        if extrapolate != "periodic":
            return F(b, extrapolate=extrapolate) - F(a, extrapolate=extrapolate)
        turns = np.floor((b - start) / period) - np.floor((a - start) / period)
        inside = F(start + (b - start) % period) - F(start + (a - start) % period)
        return turns * F(self.x[-1]) + inside

    def extend(self, c: Any, x: Any) -> None:
        if is_traced(self.c, self.x, c, x):
            raise NoRuleError("PPoly.extend has no rule; make the longer piecewise polynomial from its coefficients.")
        super().extend(c, x)  # type: ignore[misc]


@stands_for(si.PPoly)
class PPoly(Piecewise, si.PPoly):
    """y = Σₖ c[k, i] (x − t[i])^(K−k) on the interval i."""

    c, x, extrapolate, axis = (Held(si.PPoly, name) for name in ("c", "x", "extrapolate", "axis"))

    def at(self, x: Any) -> Any:
        i = interval(self.x, x)
        return horner(entries(self.c, (slice(None), i)), x - entries(self.x, i))

    def differentiated(self, nu: int) -> Any:
        return self.c[:-nu] * against(falling(len(self.c), nu), self.c)

    def integrated(self) -> Any:
        """Each piece starts where the one before it ends."""
        c = self.c / against(np.arange(len(self.c), 0, -1), self.c)
        steps = horner(np.concatenate([c, np.zeros_like(c[:1])]), np.diff(self.x))
        starts = np.concatenate([np.zeros_like(steps[:1]), np.cumsum(steps, 0)[:-1]])
        return np.concatenate([c, starts[None]])

    @classmethod
    def from_spline(cls, tck: Any, extrapolate: bool | str | None = None) -> Any:
        """The piecewise polynomial that a spline is: by Taylor's formula at each knot."""
        spline = isinstance(tck, si.BSpline)
        t, c, k = (tck.t, tck.c, tck.k) if spline else tck
        if not is_traced(t, c):
            return super().from_spline(tck, extrapolate)
        extrapolate = tck.extrapolate if spline and extrapolate is None else extrapolate
        t = double(t)
        parts = [evaluate(t, double(c), k, t[:-1], nu) / factorial(nu) for nu in range(k, -1, -1)]
        return cls.construct_fast(np.stack(parts), t, extrapolate)

    @classmethod
    def from_bernstein_basis(cls, bp: Any, extrapolate: bool | str | None = None) -> Any:
        """cₐ = Σ b over the powers: C(k, a) Δᵃb₀/hᵃ.  Farin (2002), (5.27)."""
        if not is_traced(bp.c, bp.x):
            return super().from_bernstein_basis(bp, extrapolate)
        k, h, differences = len(bp.c) - 1, against(np.diff(bp.x), bp.c[0]), [bp.c]
        for _ in range(k):
            differences.append(np.diff(differences[-1], axis=0))
        parts = [comb(k, a) * differences[a][0] / h**a for a in range(k, -1, -1)]
        return cls.construct_fast(
            np.stack(parts), bp.x, bp.extrapolate if extrapolate is None else extrapolate, bp.axis
        )

    def solve(self, *args: Any, **kw: Any) -> Any:
        if not is_traced(self.c, self.x, *args):
            return super().solve(*args, **kw)
        raise NoRuleError("the number of roots changes with the coefficients: PPoly.solve and roots have no rule.")

    def roots(self, *args: Any, **kw: Any) -> Any:
        return self.solve(0.0, *args, **kw)


def chosen(start: Any, stop: Any, order: int) -> tuple[Any, Any]:
    """Of the derivatives at both ends those that make a polynomial of some order: half of them from each if it can."""
    if order <= 0:
        raise ValueError("Orders must be positive.")
    last = min(order + 1 - min((order + 1) // 2, len(start)), len(stop))
    first = min(order + 1 - last, len(stop), len(start))
    if first + last != order + 1:
        raise ValueError(f"Points with {len(start)} and {len(stop)} derivatives, but order {order} requested")
    return start[:first], stop[:last]


def between(start: Any, stop: Any, h: Any) -> Any:
    """Bernstein coefficients by derivatives at both ends: bₐ = Σⱼ C(a, j)/C(k, j) yⱼ hʲ/j!.  Farin (2002), (5.27)."""
    k = len(start) + len(stop) - 1

    def from_end(y: Any, h: Any) -> list[Any]:
        scaled = [y[j] * h**j / perm(k, j) for j in range(len(y))]
        return [sum(comb(a, j) * scaled[j] for j in range(a + 1)) for a in range(len(y))]

    return np.stack([*from_end(start, h), *reversed(from_end(stop, -h))])


def elevated(b: Any, length: int) -> Any:
    """The Bernstein coefficients of the same polynomial, so many.  Farin (2002), (6.4)."""
    k, d = len(b) - 1, length - len(b)
    weight = lambda i, j: comb(k, i) * comb(d, j - i) / comb(k + d, j)
    return np.stack([sum(weight(i, j) * b[i] for i in range(max(0, j - d), min(k, j) + 1)) for j in range(length)])


@stands_for(si.BPoly)
class BPoly(Piecewise, si.BPoly):
    """y = Σₐ c[a, i] bₐ(s), with s from 0 to 1 on the interval i."""

    c, x, extrapolate, axis = (Held(si.BPoly, name) for name in ("c", "x", "extrapolate", "axis"))

    @classmethod
    def from_power_basis(cls, pp: Any, extrapolate: bool | str | None = None) -> Any:
        """bₐ = Σⱼ C(a, j)/C(k, j) cⱼ hʲ over the powers j ≤ a.  Farin (2002), (5.27)."""
        if not is_traced(pp.c, pp.x):
            return super().from_power_basis(pp, extrapolate)
        k, h = len(pp.c) - 1, against(np.diff(pp.x), pp.c[0])
        scaled = [pp.c[k - j] * h**j / comb(k, j) for j in range(k + 1)]
        parts = [sum(comb(a, j) * scaled[j] for j in range(a + 1)) for a in range(k + 1)]
        return cls.construct_fast(
            np.stack(parts), pp.x, pp.extrapolate if extrapolate is None else extrapolate, pp.axis
        )

    @classmethod
    def from_derivatives(cls, xi: Any, yi: Any, orders: Any = None, extrapolate: bool | str | None = None) -> Any:
        if not is_traced(xi, yi):
            return super().from_derivatives(xi, yi, orders, extrapolate)
        xi, several = increasing(double(xi), "x coordinates are not in increasing order"), [double(y) for y in yi]
        if len(xi) != len(several):
            raise ValueError("xi and yi need to have the same length")
        if any(y.ndim == 0 for y in several):
            raise ValueError("Using a 1-D array for y? Please .reshape(-1, 1).")
        wanted = orders if np.ndim(orders) else [orders] * (len(xi) - 1)
        ends = [pair if order is None else chosen(*pair, order) for pair, order in zip(pairwise(several), wanted)]
        length = max(len(start) + len(stop) for start, stop in pairwise(several))
        c = [elevated(between(*pair, h), length) for pair, h in zip(ends, np.diff(xi))]
        return cls.construct_fast(np.stack(c, 1), xi, extrapolate)

    def at(self, x: Any) -> Any:
        i = interval(self.x, x)
        start, stop = entries(self.x, i), entries(self.x, i + 1)
        return casteljau(entries(self.c, (slice(None), i)), (x - start) / (stop - start))

    def differentiated(self, nu: int) -> Any:
        c = self.c
        for _ in range(nu):
            c = (len(c) - 1) * np.diff(c, axis=0) / against(np.diff(self.x)[None], c)
        return c

    def integrated(self) -> Any:
        """Each piece starts where the one before it ends."""
        c = np.cumsum(self.c, 0) / len(self.c) * against(np.diff(self.x)[None], self.c)
        c = np.concatenate([np.zeros_like(c[:1]), c])
        starts = np.cumsum(c[-1], 0)[:-1]
        return c + np.concatenate([np.zeros_like(starts[:1]), starts])


@stands_for(si.NdPPoly)
class NdPPoly(Interpolator, si.NdPPoly):
    """On the box (i, j, …) y = Σ c[k, l, …; i, j, …] (x₀ − s[i])^(K−k) (x₁ − t[j])^(L−l) ….  Of any dimension."""

    def fit(self, c: Any, x: Any, extrapolate: bool | None = None) -> Any:  # type: ignore[override]
        return double(c), tuple(map(double, x)), True if extrapolate is None else extrapolate

    def value(self, x: Any, nu: Sequence[int] | None = None, extrapolate: bool | None = None) -> Any:  # type: ignore[override]
        c, grid, own = (self.c, self.x, self.extrapolate) if self.is_plain else self.fitted
        x, d = double(x), len(grid)
        at = np.reshape(x, (-1, d))
        boxes = [interval(t, at[:, a]) for a, t in enumerate(grid)]
        y = entries(c, (*(slice(None),) * d, *boxes))
        for a, (t, i) in enumerate(zip(grid, boxes)):
            order = 0 if nu is None else nu[a]
            y = y[: len(y) - order] * against(falling(len(y), order), y) if order < len(y) else 0 * y[:1]
            y = horner(y, np.reshape(at[:, a] - entries(t, i), (*(1,) * (d - 1 - a), -1)))
        if not (own if extrapolate is None else extrapolate):
            inside = [(at[:, a] >= t[0]) & (at[:, a] <= t[-1]) for a, t in enumerate(grid)]
            y = y * against(np.where(np.all(np.stack(inside), 0), 1.0, np.nan), y)
        return np.reshape(y, (*x.shape[:-1], *y.shape[1:]))

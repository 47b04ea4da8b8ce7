"""FITPACK's splines: smoothing under a bound on the residual, and what is evaluated from knots and coefficients."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.interpolate as si

from dotbar.core import primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import constant
from dotbar.rules.words import raise_if, stop_gradient
from dotbar.scipy.interpolate.bsplines import (
    BSpline,
    basis,
    differentiated,
    evaluate,
    integrated,
    interpolating,
    least_squares,
    not_a_knot,
    squares,
    transposed_product,
    with_knot,
)
from dotbar.scipy.interpolate.objects import Interpolator, double, is_traced
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.sparse.arrays import plain
from dotbar.scipy.sparse.words import multiply, solve

# ---------------------------------------------------------------- the smoothing spline


def by_splrep(x: Any, y: Any, w: Any, ends: Any, k: int, s: Any) -> tuple[Any, Any]:
    """The inner knots that FITPACK chooses, and its coefficients."""
    t, c, _ = si.splrep(x, y, w, *ends, k=k, s=s)
    return t[k + 1 : -k - 1], c[: len(t) - k - 1]


def by_class(x: Any, y: Any, w: Any, ends: Any, k: int, s: Any) -> tuple[Any, Any]:
    """The same as SciPy's class has them, which goes on where FITPACK stopped for want of memory."""
    spline = si.UnivariateSpline(x, y, w, ends, k, s)
    return spline.get_knots()[1:-1], spline.get_coeffs()


@primitive
def chosen(x: Any, y: Any, w: Any, ends: Any, s: Any, *, k: int, by: Callable[..., Any]) -> tuple[Any, Any]:
    """Which data points are taken as knots, and the coefficients that are found, filled up with zeros."""
    inner, c = by(x, y, w, ends, k, s)
    return np.isin(x, inner), np.concatenate([c, np.zeros(len(x) - len(inner) - 1)])


constant(chosen, like=lambda x, y, w, ends, s, *, k, by: None)


def jumps(t: Any, k: int) -> tuple[Any, Any]:
    """For each inner knot the numbers of the B-splines whose k-th derivative jumps there, and the jumps."""
    numbers, N = basis(t, (t[k : -k - 1] + t[k + 1 : len(t) - k]) / 2, k, k)
    zero = np.zeros_like(N[1:, :1])
    E = np.concatenate([zero, N[1:]], -1) - np.concatenate([N[:-1], zero], -1)
    return np.concatenate([numbers[:-1], numbers[1:, -1:]], -1), E


def smoothing(x: Any, y: Any, w: Any, ends: Any, k: int, s: Any, by: Any) -> tuple[Any, Any, int]:
    """The spline with the least jumps whose residual is s: (BᵀW²B + q EᵀE) c = BᵀW²y with |W(y − Bc)|² = s.

    FITPACK chooses the knots among the data points and solves for q to a relative accuracy of 10⁻³; its value stays,
    and the residual that it has reached is what is kept when the data change, or moves as s does.  Two of Newton's
    steps for q, which move nothing at the solution, hold its derivatives up to the third.  Dierckx (1993), (5.33).
    """
    inner, found = chosen(x, y, w, ends, s, k=k, by=by)
    inner = np.nonzero(plain(inner))[0]
    t = np.concatenate([np.repeat(ends[:1], k + 1), x[inner], np.repeat(ends[1:], k + 1)])
    n = len(t) - k - 1
    found = found[:n]
    if len(inner) == 0:
        c = least_squares(x, y, t, k, w)
        return t, found + c - stop_gradient(c), k
    numbers, N = basis(t, x, k)
    N = N * w[:, None]
    where, E = jumps(t, k)
    fidelity, roughness = squares(N, numbers), squares(E, where)
    row, column = (np.concatenate([fidelity[i], roughness[i]]) for i in (1, 2))
    right = transposed_product(N, numbers, w * y, n)

    def inverse(q: Any, right: Any) -> Any:
        entries = np.concatenate([fidelity[0], q * roughness[0]])
        return solve(entries, right, row, column, ordering="NATURAL")

    def penalty(c: Any) -> Any:
        return multiply(roughness[0], c, *roughness[1:], rows=n)

    def residual(c: Any) -> Any:
        return np.sum((w * (y - evaluate(t, c[:, 0], k, x))) ** 2)

    u, v = penalty(found[:, None]), right - multiply(fidelity[0], found[:, None], *fidelity[1:], rows=n)
    q = stop_gradient(np.sum(u * v) / np.sum(u * u))
    target = stop_gradient(residual(inverse(q, right))) + (s - stop_gradient(s))
    for _ in range(2):
        c = inverse(q, right)
        slope = 2 * q * np.sum(penalty(c) * inverse(q, penalty(c)))  # of the residual in q
        q = q + (target - residual(c)) / slope
    c = inverse(q, right)[:, 0]
    return t, found + c - stop_gradient(c), k


def fit(x: Any, y: Any, w: Any, ends: Any, k: int, s: Any, by: Any = by_class) -> tuple[Any, Any, int]:
    """Knots, coefficients and degree of a smoothing spline, or of the interpolating one where s is 0."""
    x, y = double(x), double(y)
    s = len(x) if s is None else s
    w = np.ones(len(x)) if w is None else double(w)
    ends = np.stack([double(x[i] if end is None else end) for i, end in zip((0, -1), ends)])
    if is_traced(s):
        raise_if(s <= 0, error=NoRuleError("the derivative of a smoothing spline in s is infinite at s=0."))
    elif s == 0:
        t = not_a_knot(x, k)[k + 1 : -k - 1]
        t = np.concatenate([np.repeat(ends[:1], k + 1), t, np.repeat(ends[1:], k + 1)])
        return interpolating(x, y, k, t)
    return smoothing(x, y, w, ends, k, s, by)


MODES = {"extrapolate": 0, "zeros": 1, "raise": 2, "const": 3}


def evaluated(tck: Any, x: Any, nu: int, ext: Any) -> Any:
    """The value outside of the knots is the nearest polynomial's, 0, an error, or that at the end."""
    t, c, k = tck
    x, ext = double(x), MODES.get(ext, ext)
    start, stop = t[k], t[-k - 1]
    outside = (x < start) | (x > stop)
    if ext == 2:
        raise_if(outside, error=ValueError("Error code returned by splev: 1"))
    y = evaluate(t, c, k, np.clip(x, start, stop) if ext == 3 and not nu else x, nu)
    return np.where(outside, 0.0, y) if ext == 1 else y


# ---------------------------------------------------------------- functions


def trimmed(tck: Any) -> tuple[Any, Any, int]:
    """Knots, coefficients and degree, without the zeros at the end of FITPACK's coefficients."""
    t, c, k = tck
    t, c = double(t), double(c)
    return t, c[: len(t) - k - 1], k


def padded(t: Any, c: Any, k: int, with_last: bool = False) -> tuple[Any, Any, int]:
    """The same with the zeros, or of an antiderivative with its last coefficient."""
    return t, np.concatenate([c, np.repeat(c[-1:], k + 1) if with_last else np.zeros(k + 1)]), k


def of_spline(original: Callable[..., Any], own: Callable[..., Any]) -> None:
    """Let a function of knots and coefficients, or of a spline object, ask whether anything is traced."""

    def call(*args: Any, **kw: Any) -> Any:
        parts = [(x.t, x.c) if isinstance(x, si.BSpline) else x for x in (*args, *kw.values())]
        return own(*args, **kw) if is_traced(*parts) else original(*args, **kw)

    call.__name__ = original.__name__
    stands_for(original)(call)


def splev(x: Any, tck: Any, der: int = 0, ext: int = 0) -> Any:
    if isinstance(tck, si.BSpline):
        if ext != 0:
            raise ValueError(f"Extrapolation mode {ext} is not supported by BSpline.")
        return BSpline.construct_fast(tck.t, tck.c, tck.k, tck.extrapolate, tck.axis)(x, der, extrapolate=True)
    t, c, k = tck
    if isinstance(c, (list, tuple)) and np.ndim(c[0]):
        return [splev(x, (t, part, k), der, ext) for part in c]
    return evaluated(trimmed(tck), x, der, ext)


def splint(a: Any, b: Any, tck: Any, full_output: int = 0) -> Any:
    if isinstance(tck, si.BSpline):
        return BSpline.construct_fast(tck.t, tck.c, tck.k, False, tck.axis).integrate(a, b)
    if full_output:
        raise NoRuleError("scipy.interpolate.splint has a derivative without full_output.")
    t, c, k = trimmed(tck)
    F = lambda x: evaluate(*integrated(t, c, k), np.clip(double(x), t[k], t[-k - 1]))
    return F(b) - F(a)


def splder(tck: Any, n: int = 1) -> Any:
    if isinstance(tck, si.BSpline):
        return tck.derivative(n)
    if n < 0:
        return splantider(tck, -n)
    tck = trimmed(tck)
    for _ in range(n):
        tck = differentiated(*tck)
    return padded(*tck)


def splantider(tck: Any, n: int = 1) -> Any:
    if isinstance(tck, si.BSpline):
        return tck.antiderivative(n)
    if n < 0:
        return splder(tck, -n)
    tck = trimmed(tck)
    for _ in range(n):
        tck = integrated(*tck)
    return padded(*tck, with_last=n > 0)


@stands_for(si.insert)
def insert(x: Any, tck: Any, m: int = 1, per: int = 0) -> Any:
    if isinstance(tck, si.BSpline):
        return BSpline.construct_fast(*insert(x, tck.tck, m, per))
    if not is_traced(x, *tck[:2]):
        return si.insert(x, tck, m, per)
    if per or isinstance(tck[1], (list, tuple)):
        raise NoRuleError("scipy.interpolate.insert has a derivative for per=0, of a single spline.")
    tck = trimmed(tck)
    for _ in range(m):
        tck = with_knot(*tck, double(x))
    return padded(*tck)


def spalde(x: Any, tck: Any) -> Any:
    x, tck = double(x), trimmed(tck)
    every = np.stack([evaluate(*tck, x, nu) for nu in range(tck[2] + 1)], -1)
    return every if x.ndim == 0 else list(every)


for _original, _own in [
    (si.splev, splev),
    (si.splint, splint),
    (si.splder, splder),
    (si.splantider, splantider),
    (si.spalde, spalde),
]:
    of_spline(_original, _own)


@stands_for(si.splrep)
def splrep(
    x: Any,
    y: Any,
    w: Any = None,
    xb: Any = None,
    xe: Any = None,
    k: int = 3,
    task: int = 0,
    s: Any = None,
    t: Any = None,
    full_output: int = 0,
    per: int = 0,
    quiet: int = 1,
) -> Any:
    if not is_traced(x, y, w, xb, xe, s, t):
        return si.splrep(x, y, w, xb, xe, k, task, s, t, full_output, per, quiet)
    if per or full_output or task == 1:
        raise NoRuleError("scipy.interpolate.splrep has a derivative for per=0, full_output=0 and task=0 or -1 only.")
    if t is not None:
        spline = LSQUnivariateSpline(x, y, t, w, (xb, xe), k)
        return padded(*spline.fitted)
    if s is None:
        s = 0.0 if w is None else len(x) - np.sqrt(2 * len(x))
    return padded(*fit(x, y, w, (xb, xe), k, s, by_splrep))


# ---------------------------------------------------------------- classes


class Univariate(Interpolator):
    """What the classes of FITPACK's splines in one variable share."""

    ext: Any

    def __init__(self, *args: Any, **kw: Any):
        super().__init__(*args, **kw)
        if not self.is_plain:
            self.ext = self.given.arguments["ext"]

    @property
    def tck(self) -> tuple[Any, Any, int]:
        """Knots, coefficients and degree, SciPy's own where the data are plain."""
        if not self.is_plain:
            return self.fitted
        inner, c = self.get_knots(), self.get_coeffs()
        k = len(c) - len(inner) + 1
        return np.concatenate([np.repeat(inner[:1], k), inner, np.repeat(inner[-1:], k)]), c, k

    def value(self, x: Any, nu: int = 0, ext: Any = None) -> Any:
        return evaluated(self.tck, x, nu, self.ext if ext is None else ext)

    def get_knots(self) -> Any:
        if self.is_plain:
            return super().get_knots()  # type: ignore[misc]
        t, _, k = self.fitted
        return t[k : len(t) - k]

    def get_coeffs(self) -> Any:
        return super().get_coeffs() if self.is_plain else self.fitted[1]  # type: ignore[misc]

    def get_residual(self) -> Any:
        if self.is_plain:
            return super().get_residual()  # type: ignore[misc]
        x, y, w = (self.given.arguments[name] for name in "xyw")
        return np.sum(((1.0 if w is None else double(w)) * (double(y) - self(x))) ** 2)

    def integral(self, a: Any, b: Any) -> Any:
        if self.is_plain and not is_traced(a, b):
            return super().integral(a, b)  # type: ignore[misc]
        return splint(a, b, self.tck)

    def derivatives(self, x: Any) -> Any:
        if self.is_plain and not is_traced(x):
            return super().derivatives(x)  # type: ignore[misc]
        return spalde(x, self.tck)

    def derivative(self, n: int = 1) -> Any:
        if self.is_plain:
            return as_own(super().derivative(n))  # type: ignore[misc]
        return FromTck(splder(self.tck, n), self.ext)

    def antiderivative(self, n: int = 1) -> Any:
        if self.is_plain:
            return as_own(super().antiderivative(n))  # type: ignore[misc]
        return FromTck(splantider(self.tck, n), self.ext)

    def roots(self) -> Any:
        if self.is_plain:
            return super().roots()  # type: ignore[misc]
        raise NoRuleError("The number of roots of a spline changes with its data: UnivariateSpline.roots has no rule.")


@stands_for(si.UnivariateSpline)
class UnivariateSpline(Univariate, si.UnivariateSpline):
    """The smoothing spline."""

    def fit(  # type: ignore[override]
        self,
        x: Any,
        y: Any,
        w: Any = None,
        bbox: Any = (None, None),
        k: int = 3,
        s: Any = None,
        ext: Any = 0,
        check_finite: bool = False,
    ) -> Any:
        return fit(x, y, w, bbox, k, s)


def as_own(spline: Any) -> Any:
    """SciPy's spline as one that can be called at traced points."""
    spline.__class__ = UnivariateSpline
    return spline


class FromTck(UnivariateSpline):
    """A spline by its knots and coefficients, of which at least one is traced."""

    def fit(self, tck: Any, ext: Any) -> Any:  # type: ignore[override]
        return trimmed(tck)


@stands_for(si.InterpolatedUnivariateSpline)
class InterpolatedUnivariateSpline(Univariate, si.InterpolatedUnivariateSpline):
    """The spline through all data points."""

    def fit(  # type: ignore[override]
        self,
        x: Any,
        y: Any,
        w: Any = None,
        bbox: Any = (None, None),
        k: int = 3,
        ext: Any = 0,
        check_finite: bool = False,
    ) -> Any:
        return fit(x, y, w, bbox, k, 0)


@stands_for(si.LSQUnivariateSpline)
class LSQUnivariateSpline(Univariate, si.LSQUnivariateSpline):
    """The spline with given knots nearest to the data."""

    def fit(  # type: ignore[override]
        self,
        x: Any,
        y: Any,
        t: Any,
        w: Any = None,
        bbox: Any = (None, None),
        k: int = 3,
        ext: Any = 0,
        check_finite: bool = False,
    ) -> Any:
        x, y, t = double(x), double(y), double(t)
        ends = [double(x[i] if end is None else end)[None] for i, end in zip((0, -1), bbox)]
        knots = np.concatenate([np.repeat(ends[0], k + 1), t, np.repeat(ends[1], k + 1)])
        w = np.ones(len(x)) if w is None else double(w)
        return knots, least_squares(x, y, knots, k, w), k

"""Statistics of samples: moments, means, order statistics, directions, entropies, distances.

Each is written over the last axis; ``statistic`` brings the axis there, and leaves out NaNs on request.
"""

import inspect
import math
from collections.abc import Callable, Iterator
from functools import reduce, wraps
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from scipy import sparse, stats
from scipy.optimize import linprog

from dotbar.core import as_array, dtype_of, first_traced, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import composite, constant
from dotbar.rules.statistics import root
from dotbar.rules.words import raise_if, stop_gradient
from dotbar.scipy.mirror import before, dispatching
from dotbar.scipy.spatial import distance_matrix
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.stats.continuous import log1p_ratio, near_zero
from dotbar.scipy.stats.results import Description, Directions, Line, TheilSen, each_entry, stacked


def statistic(
    fn: Any, *samples: str, reduces: bool = True, double: bool = False, least: int = 1, paired: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated body for SciPy's ``fn``: of the samples, with their axis last, and the other arguments.

    What does not reduce has its axis put back.  The result has the samples' precision, or is ``double`` as in SciPy; it
    is NaN where a sample has a NaN.  ``least`` is how many values there must be for it to have a derivative.  Of
    ``paired`` samples the same places are left out.
    """
    signature = inspect.signature(fn)
    samples = samples or (next(iter(signature.parameters)),)
    several = signature.parameters[samples[0]].kind is inspect.Parameter.VAR_POSITIONAL

    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        @composite(dispatching(fn))
        @wraps(body)
        def call(*args: Any, **kw: Any) -> Any:
            bound = signature.bind(*args, **kw)
            bound.apply_defaults()
            settings = dict(bound.arguments)
            policy = settings.pop("nan_policy", "propagate")
            if policy not in (("propagate", "raise", "omit") if reduces else ("propagate", "raise")):
                raise NoRuleError(f"scipy.stats.{fn.__name__} has no derivative rule with nan_policy={policy!r}.")
            keepdims, axis = settings.pop("keepdims", False), settings.pop("axis", None)
            given = settings.pop(samples[0]) if several else [settings.pop(name) for name in samples]
            xs = [None if x is None else as_array(x) for x in given]
            ndim = max(1, *(np.ndim(x) for x in xs if x is not None))
            axes = tuple(range(ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
            axes = tuple(normalize_axis_index(k, ndim) for k in axes)
            xs = [x if x is None else axes_last(with_ndim(x, ndim), axes) for x in xs]
            present = [x for x in xs if x is not None]
            dtype = np.dtype(float) if double else np.result_type(1.0, *map(dtype_of, present))

            def of(xs: list[Any]) -> Any:
                present = [x for x in xs if x is not None]
                if min(x.shape[-1] for x in present) < least:
                    raise NoRuleError(f"scipy.stats.{fn.__name__} has no derivative for fewer than {least} values.")
                y = each_entry(lambda t: in_precision(t, dtype), body(*xs, **settings))
                if not reduces:
                    return y
                known = in_precision(reduce(np.multiply, map(nan_where_one_is, present)), dtype)
                return each_entry(lambda t: t * known, y)

            if policy == "raise":
                some = reduce(np.logical_or, (np.any(np.isnan(x)) for x in present))
                raise_if(some, error=ValueError("The input contains nan values"))
            if policy == "omit":
                if np.ndim(settings.get("popmean", 0)):
                    raise NoRuleError(f"scipy.stats.{fn.__name__} leaves NaNs out with a derivative for one popmean.")
                lead = np.broadcast_shapes(*(x.shape[:-1] for x in present))
                ys = [of(complete(row, paired)) for row in rows(xs, lead)]
                y = each_entry(lambda t: np.reshape(t, (*np.shape(t)[:-1], *lead)), stacked(ys))
            else:
                y = of(xs)
            if not reduces:
                return np.moveaxis(np.reshape(y, shape_with(as_array(given[0]), axes)), range(-len(axes), 0), axes)
            return each_entry(lambda t: with_axes(t, axes, ndim), y) if keepdims else y

        return body

    return register


def rows(xs: list[Any], lead: tuple[int, ...]) -> Iterator[list[Any]]:
    """The samples along their last axis, one set after another."""
    xs = [x if x is None else np.broadcast_to(x, (*lead, x.shape[-1])) for x in xs]
    return ([x if x is None else x[i] for x in xs] for i in np.ndindex(*lead))


def complete(xs: list[Any], paired: bool) -> list[Any]:
    """The samples without NaNs; of paired ones without the places where any has one."""
    missing = [False if x is None else np.isnan(x) for x in xs]
    missing = [reduce(np.logical_or, missing)] * len(xs) if paired else missing
    return [x if x is None else x[~m] for x, m in zip(xs, missing)]


def nan_where_one_is(x: Any) -> Any:
    """1, or NaN where there is a NaN along the last axis."""
    return np.where(np.any(np.isnan(x), -1), np.nan, 1.0)


def with_ndim(x: Any, ndim: int) -> Any:
    """``x`` with leading axes of length one, as it broadcasts."""
    return x if np.ndim(x) == ndim else np.reshape(x, (1,) * (ndim - np.ndim(x)) + np.shape(x))


def with_axes(y: Any, axes: tuple[int, ...], ndim: int) -> Any:
    """A result with the axes over which it was reduced, behind any of its own."""
    own = np.ndim(y) + len(axes) - ndim
    return np.expand_dims(y, tuple(k + own for k in axes))


def axes_last(x: Any, axes: tuple[int, ...]) -> Any:
    """``x`` with the given axes as one, the last."""
    if axes == (np.ndim(x) - 1,):
        return x
    x = np.moveaxis(x, axes, range(-len(axes), 0))
    return np.reshape(x, (*x.shape[: x.ndim - len(axes)], -1))


def in_precision(y: Any, dtype: Any) -> Any:
    """A result in the given precision."""
    return y if dtype_of(y) == dtype else y.astype(dtype)


def shape_with(x: Any, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of ``x`` with the given axes last."""
    rest = tuple(n for k, n in enumerate(x.shape) if k not in axes)
    return (*rest, *(x.shape[k] for k in axes))


def mean(x: Any, weights: Any = None) -> Any:
    """The mean over the last axis, which stays."""
    if weights is None:
        return np.mean(x, -1, keepdims=True)
    return np.sum(x * weights, -1, keepdims=True) / np.sum(weights, -1, keepdims=True)


def central(x: Any, *orders: int) -> list[Any]:
    """Central moments."""
    d = x - mean(x)
    return [np.mean(d**k, -1) for k in orders]


# ---------------------------------------------------------------- moments


@statistic(stats.moment)
def _moment(a: Any, order: Any, center: Any) -> Any:
    if np.ndim(order):
        return np.stack([_moment(a, k, center) for k in order])
    return np.mean((a - (mean(a) if center is None else center)) ** order, -1)


def unless_constant(a: Any, m2: Any) -> Any:
    """The second moment, NaN for a sample that is constant to rounding, as in SciPy."""
    eps = np.finfo(dtype_of(m2)).eps
    return np.where(m2 <= (eps * mean(a)[..., 0]) ** 2, np.nan, m2)


@statistic(stats.skew)
def _skew(a: Any, bias: bool) -> Any:
    m2, m3 = central(a, 2, 3)
    n = a.shape[-1]
    g = m3 / unless_constant(a, m2) ** 1.5
    return g if bias or n <= 2 else ((n - 1.0) * n) ** 0.5 / (n - 2.0) * g


@statistic(stats.kurtosis)
def _kurtosis(a: Any, fisher: bool, bias: bool) -> Any:
    m2, m4 = central(a, 2, 4)
    n = a.shape[-1]
    g = m4 / unless_constant(a, m2) ** 2
    if not bias and n > 3:
        g = ((n * n - 1.0) * g - 3 * (n - 1.0) ** 2) / ((n - 2.0) * (n - 3.0)) + 3.0
    return g - 3 if fisher else g


@statistic(stats.sem)
def _sem(a: Any, ddof: int) -> Any:
    return np.std(a, -1, ddof=ddof) / a.shape[-1] ** 0.5


@statistic(stats.variation)
def _variation(a: Any, ddof: int) -> Any:
    return np.std(a, -1, ddof=ddof) / np.mean(a, -1)


@statistic(stats.zmap, "scores", "compare", reduces=False)
def _zmap(scores: Any, compare: Any, ddof: int) -> Any:
    return (scores - mean(compare)) / np.std(compare, -1, ddof=ddof, keepdims=True)


@statistic(stats.zscore, reduces=False)
def _zscore(a: Any, ddof: int) -> Any:
    return _zmap(a, a, ddof)


@statistic(stats.gzscore, reduces=False)
def _gzscore(a: Any, ddof: int) -> Any:
    return _zscore(np.log(a), ddof)


@statistic(stats.kstat, least=2)
def _kstat(data: Any, n: int) -> Any:
    """Kenney & Keeping (1951): the unbiased estimators of the first four cumulants."""
    m2, m3, m4 = central(data, 2, 3, 4)
    N = data.shape[-1]
    if n == 1:
        return np.mean(data, -1)
    if n == 2:
        return N / (N - 1.0) * m2
    if n == 3:
        return N * N / ((N - 1.0) * (N - 2.0)) * m3
    if n == 4:
        return N * N * ((N + 1) * m4 - 3 * (N - 1) * m2**2) / ((N - 1.0) * (N - 2.0) * (N - 3.0))
    raise ValueError("k-statistics only supported for 1<=n<=4")


# ---------------------------------------------------------------- means and spreads


@statistic(stats.gmean, "a", "weights", paired=True)
def _gmean(a: Any, weights: Any, dtype: Any) -> Any:
    return np.exp(mean(np.log(a if dtype is None else a.astype(dtype)), weights))[..., 0]


def positive(a: Any) -> Any:
    """The values, NaN in the place of negative ones."""
    return a * np.where(a < 0, np.nan, 1.0).astype(dtype_of(a) if dtype_of(a).kind == "f" else float)


@statistic(stats.hmean, "a", "weights", paired=True)
def _hmean(a: Any, weights: Any, dtype: Any) -> Any:
    a = positive(a if dtype is None else a.astype(dtype))
    return 1 / mean(1 / a, weights)[..., 0]


def expm1_excess(x: Any) -> Any:
    """The ratio (eˣ − 1 − x)/x², of which the series is Σ xᵏ/(k + 2)!."""
    return near_zero(x, lambda x: (np.expm1(x) - x) / (x * x), [1 / math.factorial(k + 2) for k in range(10)])


@statistic(stats.pmean, "a", "weights", paired=True)
def _pmean(a: Any, weights: Any, p: Any, dtype: Any) -> Any:
    """(E aᵖ)^(1/p).  Near p = 0, where it is the geometric mean, from E exp(p d) = 1 + p² E d² (1/2 + …).

    The d are the deviations of the logarithms from their mean.
    """
    a = positive(a if dtype is None else a.astype(dtype))
    if first_traced(p) is None and p != 0:
        return mean(a ** float(p), weights)[..., 0] ** (1 / p)
    small = (np.abs(p) < 0.1) & ((p == 0) | np.all(a != 0))
    near, far = np.where(small, p, 0.0), np.where(small, 1.0, p)
    logs = np.log(np.where(small, a, 1.0))
    centre = mean(logs, weights)
    spread = mean((logs - centre) ** 2 * expm1_excess(near * (logs - centre)), weights)
    geometric = np.exp(centre + near * spread * log1p_ratio(near**2 * spread))[..., 0]
    return np.where(small, geometric, mean(a**far, weights)[..., 0] ** (1 / far))


@statistic(stats.gstd)
def _gstd(a: Any, ddof: int) -> Any:
    return np.exp(np.std(np.log(a), -1, ddof=ddof))


def middle(n: int, proportiontocut: float) -> tuple[int, int]:
    """Where the part of n ordered values begins and ends that is left between equal cuts."""
    cut = int(proportiontocut * n)
    if cut > n - cut:
        raise ValueError("Proportion too big.")
    return cut, n - cut


def trimmed(a: Any, proportiontocut: float) -> Any:
    """The values along the last axis without the smallest and the largest ones, in NumPy's order."""
    low, high = middle(a.shape[-1], proportiontocut)
    return np.partition(a, (low, high - 1), -1)[..., low:high]


@statistic(stats.trim_mean)
def _trim_mean(a: Any, proportiontocut: float) -> Any:
    return np.mean(trimmed(a, proportiontocut), -1)


def flat_or_along(a: Any, axis: int | None) -> Any:
    """The array with the axis last; flat if there is none."""
    a = as_array(a)
    return np.ravel(a) if axis is None else np.moveaxis(a, axis, -1)


@composite(dispatching(stats.trimboth))
def _trimboth(a: Any, proportiontocut: float, axis: int | None = 0) -> Any:
    return np.moveaxis(trimmed(flat_or_along(a, axis), proportiontocut), -1, axis or 0)


@composite(dispatching(stats.trim1))
def _trim1(a: Any, proportiontocut: float, tail: str = "right", axis: int | None = 0) -> Any:
    a = flat_or_along(a, axis)
    n = a.shape[-1]
    cut = int(proportiontocut * n)
    low, high = {"left": (cut, n), "right": (0, n - cut)}[tail.lower()]
    return np.moveaxis(np.partition(a, (low, high - 1), -1)[..., low:high], -1, axis or 0)


def within(a: Any, limits: Any, inclusive: Any) -> Any:
    """Which entries lie within the limits."""
    lower, upper = (None, None) if limits is None else limits
    mask = np.ones(a.shape, bool)
    if lower is not None:
        mask = mask & (a >= lower if inclusive[0] else a > lower)
    if upper is not None:
        mask = mask & (a <= upper if inclusive[1] else a < upper)
    return mask


@statistic(stats.tmean)
def _tmean(a: Any, limits: Any, inclusive: Any) -> Any:
    return np.mean(a, -1, where=within(a, limits, inclusive))


@statistic(stats.tvar)
def _tvar(a: Any, limits: Any, inclusive: Any, ddof: int) -> Any:
    return np.var(a, -1, ddof=ddof, where=within(a, limits, inclusive))


@statistic(stats.tstd)
def _tstd(a: Any, limits: Any, inclusive: Any, ddof: int) -> Any:
    return np.std(a, -1, ddof=ddof, where=within(a, limits, inclusive))


@statistic(stats.tsem)
def _tsem(a: Any, limits: Any, inclusive: Any, ddof: int) -> Any:
    return _tstd(a, limits, inclusive, ddof) / np.sqrt(np.sum(within(a, limits, inclusive), -1))


@statistic(stats.tmin)
def _tmin(a: Any, lowerlimit: Any, inclusive: bool) -> Any:
    return extreme(np.min, a, within(a, (lowerlimit, None), (inclusive, None)), np.inf)


@statistic(stats.tmax)
def _tmax(a: Any, upperlimit: Any, inclusive: bool) -> Any:
    return extreme(np.max, a, within(a, (None, upperlimit), (None, inclusive)), -np.inf)


def extreme(fn: Any, a: Any, inside: Any, beyond: float) -> Any:
    """The smallest or largest of the values inside, NaN if there is none."""
    return np.where(np.any(inside, -1), fn(np.where(inside, a, beyond), -1), np.nan)


@statistic(stats.kstatvar, least=4)
def _kstatvar(data: Any, n: int) -> Any:
    """Kenney & Keeping (1951): unbiased estimators of the variances of the first two k-statistics."""
    N = data.shape[-1]
    if n == 1:
        return _kstat(data, 2) / N
    if n == 2:
        return (2 * N * _kstat(data, 2) ** 2 + (N - 1) * _kstat(data, 4)) / (N * (N + 1))
    raise ValueError("Only n=1 or n=2 supported.")


@statistic(stats.describe)
def _describe(a: Any, ddof: int, bias: bool) -> Any:
    m, v = np.mean(a, -1), np.var(a, -1, ddof=ddof)
    return Description(a.shape[-1], (np.min(a, -1), np.max(a, -1)), m, v, _skew(a, bias), _kurtosis(a, True, bias))


@statistic(stats.iqr)
def _iqr(x: Any, rng: Any, scale: Any, interpolation: str) -> Any:
    low, high = (np.percentile(x, q, -1, method=interpolation) for q in sorted(rng))
    return (high - low) / (2 * 2**0.5 * sc.erfinv(0.5) if scale == "normal" else scale)


@statistic(stats.median_abs_deviation)
def _median_abs_deviation(x: Any, center: Any, scale: Any) -> Any:
    middle = np.median(x, -1, keepdims=True) if center is None else np.expand_dims(center(x, axis=-1), -1)
    return np.median(np.abs(x - middle), -1) / (0.6744897501960817 if scale == "normal" else scale)


# ---------------------------------------------------------------- order statistics

POSITIONS = {
    "interpolated_inverted_cdf": lambda p: 0,
    "hazen": lambda p: 0.5,
    "weibull": lambda p: p,
    "linear": lambda p: 1 - p,
    "median_unbiased": lambda p: p / 3 + 1 / 3,
    "normal_unbiased": lambda p: p / 4 + 3 / 8,
}
"""m, where the p-quantile of n values stands at pn + m.  Hyndman & Fan (1996), definitions 4 to 9."""


def between_orders(x: Any, p: Any, method: str) -> Any:
    """Quantiles along the last axis."""
    if method == "harrell-davis":
        n = x.shape[-1]
        p, i = np.expand_dims(p, -1), np.arange(n + 1) / n
        F = sc.betainc(p * (n + 1), (1 - p) * (n + 1), i)
        return np.sum(np.diff(F, axis=-1) * np.expand_dims(np.sort(x, -1), -2), -1)
    if method not in POSITIONS:
        raise NoRuleError(f"scipy.stats.quantile has no derivative rule with method={method!r}.")
    n = x.shape[-1]
    place = np.clip(p * n + POSITIONS[method](p) - 1, 0, n - 1)
    j = np.minimum(np.floor(stop_gradient(place)), max(n - 2, 0)).astype(int)
    low, high = (np.take_along_axis(np.sort(x, -1), k, -1) for k in (j, np.minimum(j + 1, n - 1)))
    return low + (place - j) * (high - low)


def _quantile(
    x: Any,
    p: Any,
    *,
    method: str = "linear",
    axis: int | None = 0,
    nan_policy: str = "propagate",
    keepdims: bool | None = None,
    weights: Any = None,
) -> Any:
    if weights is not None or nan_policy != "propagate":
        raise NoRuleError("scipy.stats.quantile has no derivative rule with weights, or another nan_policy.")
    x, p = as_array(x), as_array(p)
    dtype = np.result_type(dtype_of(x), 1.0 if isinstance(p, float) else dtype_of(p), 1.0)
    ndim, flat = max(1, np.ndim(x), np.ndim(p)), axis is None
    if axis is None:
        axis, (x, p) = -1, (np.reshape(t, (1,) * (ndim - 1) + (-1,)) for t in (x, p))
    x, p = (np.moveaxis(with_ndim(t, ndim), axis, -1) for t in (x, p))
    lead = np.broadcast_shapes(x.shape[:-1], p.shape[:-1])
    x, p = (np.broadcast_to(t, (*lead, t.shape[-1])) for t in (x, p))
    known = np.expand_dims(nan_where_one_is(x), -1)
    y = np.moveaxis(in_precision(between_orders(x, p, method) * known, dtype), -1, axis)
    if keepdims or y.shape[axis] > 1:
        return y
    return np.reshape(y, ()) if flat else np.squeeze(y, axis)


if hasattr(stats, "quantile"):
    composite(dispatching(stats.quantile))(_quantile)


@composite(dispatching(stats.scoreatpercentile))
def _scoreatpercentile(
    a: Any, per: Any, limit: Any = (), interpolation_method: str = "fraction", axis: int | None = None
) -> Any:
    if limit:
        raise NoRuleError("scipy.stats.scoreatpercentile has no derivative rule with a limit: how many values jumps.")
    return np.percentile(as_array(a), as_array(per), axis, method=INTERPOLATIONS[interpolation_method])


INTERPOLATIONS = {"fraction": "linear", "lower": "lower", "higher": "higher"}


def l_weights(n: int, order: int) -> Any:
    """The first L-moments as linear functions of n ordered values, a row each.  Hosking (1990), eq. (2.1)."""
    i, r = np.arange(n), np.arange(order)[:, None]
    b = sc.binom(i, r) / np.where(r < n, sc.binom(n - 1, r), 1) / n
    legendre = (-1.0) ** (r - r.T) * np.tril(sc.binom(r, r.T) * sc.binom(r + r.T, r.T))
    return np.where(r < n, legendre @ b, np.nan)


@statistic(stats.lmoment, "sample")
def _lmoment(sample: Any, order: Any, sorted: bool, standardize: bool) -> Any:
    order = np.asarray([1, 2, 3, 4] if order is None else order)
    x = sample if sorted else np.sort(sample, -1)
    moments = [np.sum(x * w, -1) for w in l_weights(x.shape[-1], max(np.max(order), 2))]
    spread = np.where(x[..., 0] == x[..., -1], np.nan, moments[1])
    chosen = [moments[k - 1] / (spread if standardize and k > 2 else 1) for k in np.ravel(order)]
    return np.stack(chosen) if order.ndim else chosen[0]


@primitive
def expectile_of(a: Any, alpha: Any, weights: Any) -> Any:
    """The expectile as mere numbers."""
    return stats.expectile(a, alpha, weights=weights)


constant(expectile_of, like=lambda a, alpha, weights: None)


@composite(dispatching(stats.expectile))
def _expectile(a: Any, alpha: Any = 0.5, *, weights: Any = None) -> Any:
    """Σ w |[a ≤ t] − α| (t − a) = 0: the mean with those weights.  Newey & Powell (1987)."""
    a, alpha = as_array(a), as_array(alpha)
    weights = np.ones(a.shape) if weights is None else np.broadcast_to(as_array(weights), a.shape)
    t = expectile_of(a, alpha, weights)
    w = weights * np.where(a <= t, 1 - alpha, alpha)
    return np.sum(w * a) / np.sum(w) * np.where(np.isnan(t), np.nan, 1.0)


# ---------------------------------------------------------------- lines through medians


def all_slopes(x: Any, y: Any) -> Any:
    """The slopes between all points, NaN where two have the same place."""
    dx, dy = (t[..., :, None] - t[..., None, :] for t in (x, y))
    return np.where(dx == 0, np.nan, dy / np.where(dx == 0, 1, dx))


@primitive
def ranks_of_slopes(x: Any, y: Any, *, alpha: float) -> Any:
    """The ranks between which the slope lies with probability alpha.  Sen (1968), eq. (2.6)."""
    n, count = x.shape[-1], np.sum(x[..., :, None] > x[..., None, :], (-2, -1))
    sizes = [np.sum(t[..., :, None] == t[..., None, :], -1) for t in (x, y)]
    ties = sum(np.sum((m - 1) * (2 * m + 5), -1) for m in sizes)
    width = sc.ndtri(min(alpha, 1 - alpha) / 2) * np.sqrt((n * (n - 1) * (2 * n + 5) - ties) / 18)
    low, high = np.round((count + width) / 2) - 1, np.round((count - width) / 2)
    return np.stack([np.maximum(low, 0), np.minimum(high, count - 1)], -1).astype(int)


constant(ranks_of_slopes, like=lambda x, y, *, alpha: None, batch="(n),(n)->(k)")


@statistic(stats.theilslopes, "y", "x", double=True, least=2, paired=True)
def _theilslopes(y: Any, x: Any, alpha: float, method: str) -> Any:
    """Theil (1950), Sen (1968)."""
    x = np.arange(y.shape[-1], dtype=float) if x is None else x
    x, y = np.broadcast_arrays(x, y)
    n = y.shape[-1]
    slopes = all_slopes(x, y)[..., *np.triu_indices(n, 1)]
    slope = np.nanmedian(slopes, -1)
    middle = lambda t: np.median(t, -1)
    intercept = middle(y - slope[..., None] * x) if method == "joint" else middle(y) - slope * middle(x)
    ends = np.take_along_axis(np.sort(slopes, -1), ranks_of_slopes(x, y, alpha=alpha), -1)
    return TheilSen(slope, intercept, ends[..., 0], ends[..., 1])


@statistic(stats.siegelslopes, "y", "x", double=True, least=2, paired=True)
def _siegelslopes(y: Any, x: Any, method: str) -> Any:
    """Siegel (1982)."""
    x = np.arange(y.shape[-1], dtype=float) if x is None else x
    x, y = np.broadcast_arrays(x, y)
    slopes = all_slopes(x, y)
    slope = np.median(np.nanmedian(slopes, -1), -1)
    if method == "hierarchical":
        return Line(slope, np.median(y - slope[..., None] * x, -1))
    return Line(slope, np.median(np.nanmedian(y[..., None] - slopes * x[..., None], -1), -1))


# ---------------------------------------------------------------- directions


def resultant(samples: Any, high: float, low: float) -> tuple[Any, Any, float]:
    """The mean of the directions as two coordinates, and the unit of angle."""
    unit = (high - low) / (2 * np.pi)
    angles = (samples - low) / unit
    return np.mean(np.cos(angles), -1), np.mean(np.sin(angles), -1), unit


@statistic(stats.circmean)
def _circmean(samples: Any, high: float, low: float) -> Any:
    c, s, unit = resultant(samples, high, low)
    return np.mod(np.arctan2(s, c), 2 * np.pi) * unit + low


@statistic(stats.circvar)
def _circvar(samples: Any, high: float, low: float) -> Any:
    c, s, _ = resultant(samples, high, low)
    return 1 - np.hypot(c, s)


@statistic(stats.circstd)
def _circstd(samples: Any, high: float, low: float, normalize: bool) -> Any:
    c, s, unit = resultant(samples, high, low)
    return root(-2 * np.log(np.minimum(np.hypot(c, s), 1))) * (1 if normalize else unit)


@composite(dispatching(stats.directional_stats))
def _directional_stats(samples: Any, *, axis: int = 0, normalize: bool = True) -> Any:
    x = np.moveaxis(as_array(samples), axis, 0)
    if x.ndim < 2:
        raise ValueError("samples must at least be two-dimensional.")
    m = np.mean(x / np.linalg.norm(x, axis=-1, keepdims=True) if normalize else x, 0)
    length = np.linalg.norm(m, axis=-1, keepdims=True)
    return Directions(m / length, length[..., 0])


# ---------------------------------------------------------------- entropies and distances


@statistic(stats.entropy, "pk", "qk", paired=True)
def _entropy(pk: Any, qk: Any, base: Any) -> Any:
    p = pk / np.sum(pk, -1, keepdims=True)
    terms = sc.entr(p) if qk is None else sc.rel_entr(p, qk / np.sum(qk, -1, keepdims=True))
    return np.sum(terms, -1) / (1 if base is None else np.log(base))


def spacings(x: Any, m: int) -> Any:
    """x₍ᵢ₊ₘ₎ − x₍ᵢ₋ₘ₎, beyond the ends of the sample its end."""
    ends = lambda t: np.broadcast_to(t, (*x.shape[:-1], m))
    x = np.concatenate([ends(x[..., :1]), x, ends(x[..., -1:])], -1)
    return x[..., 2 * m :] - x[..., : -2 * m]


def _van_es(x: Any, m: int) -> Any:
    n = x.shape[-1]
    spacing = np.mean(np.log((n + 1) / m * (x[..., m:] - x[..., :-m])), -1)
    return spacing + np.sum(1 / np.arange(m, n + 1)) + np.log(m) - np.log(n + 1)


def _vasicek(x: Any, m: int) -> Any:
    return np.mean(np.log(x.shape[-1] / (2 * m) * spacings(x, m)), -1)


def _ebrahimi(x: Any, m: int) -> Any:
    n = x.shape[-1]
    i = np.arange(1, n + 1)
    c = np.where(i >= n - m + 1, 1 + (n - i) / m, np.where(i <= m, 1 + (i - 1) / m, 2.0))
    return np.mean(np.log(n * spacings(x, m) / (c * m)), -1)


def _correa(x: Any, m: int) -> Any:
    n = x.shape[-1]
    shifts = np.arange(-m, m + 1)[:, None]
    window = x[..., np.clip(np.arange(n) + shifts, 0, n - 1)]
    d = window - np.mean(window, -2, keepdims=True)
    return -np.mean(np.log(np.sum(d * shifts, -2) / (n * np.sum(d**2, -2))), -1)


SPACING_ESTIMATES = {"van es": _van_es, "vasicek": _vasicek, "ebrahimi": _ebrahimi, "correa": _correa}


@statistic(stats.differential_entropy)
def _differential_entropy(values: Any, window_length: int | None, base: float | None, method: str) -> Any:
    """Noughabi (2015) lists the estimates by spacings of the ordered sample."""
    n = values.shape[-1]
    m = int(n**0.5 + 0.5) if window_length is None else window_length
    if not 2 <= 2 * m < n:
        raise ValueError(f"Window length ({m}) must be positive and less than half the sample size ({n}).")
    method = method.lower()
    if method == "auto":
        method = "van es" if n <= 10 else "ebrahimi" if n <= 1000 else "vasicek"
    return SPACING_ESTIMATES[method](np.sort(values, -1), m) / (1 if base is None else np.log(base))


def masses(x: Any, weights: Any) -> Any:
    """The share of each value."""
    if weights is None:
        return np.full(x.shape[0], 1 / x.shape[0])
    weights = as_array(weights) * np.float64(1)
    return weights / np.sum(weights)


def steps(u: Any, v: Any, u_weights: Any, v_weights: Any) -> tuple[Any, Any]:
    """The difference U − V of two empirical distribution functions between the values of both, and the distances."""
    u, v = as_array(u) * np.float64(1), as_array(v) * np.float64(1)
    values, weights = np.concatenate([u, v]), np.concatenate([masses(u, u_weights), -masses(v, v_weights)])
    order = np.argsort(stop_gradient(values), kind="stable")
    return np.cumsum(np.take_along_axis(weights, order, 0))[:-1], np.diff(np.take_along_axis(values, order, 0))


@composite(dispatching(stats.wasserstein_distance))
def _wasserstein_distance(u_values: Any, v_values: Any, u_weights: Any = None, v_weights: Any = None) -> Any:
    """∫ |U − V| dx.  Vallender (1974)."""
    difference, dx = steps(u_values, v_values, u_weights, v_weights)
    return np.sum(np.abs(difference) * dx)


@primitive
def plan(D: Any, p: Any, q: Any) -> tuple[Any, Any, Any]:
    """The cheapest way of carrying the masses p to the masses q at the costs D.

    Returns which routes are used, the matrix that makes what they carry from p and q, and the prices of p and q.
    """
    m, n = D.shape
    rows = sparse.kron(sparse.eye_array(m), np.ones((1, n)))
    columns = sparse.kron(np.ones((1, m)), sparse.eye_array(n))
    A = sparse.vstack([rows, columns], "csc")
    found = linprog(np.ravel(D), A_eq=A, b_eq=np.concatenate([p, q]))
    if found.x is None:
        return np.arange(1), np.full((1, m + n), np.nan), np.full(m + n, np.nan)
    routes = np.argsort(-found.x)[: m + n - 1]
    return routes, np.linalg.pinv(A[:, routes].toarray() * (found.x[routes] > 0)), found.eqlin.marginals


constant(plan, like=lambda D, p, q: None)


@composite(dispatching(stats.wasserstein_distance_nd))
def _wasserstein_distance_nd(u_values: Any, v_values: Any, u_weights: Any = None, v_weights: Any = None) -> Any:
    """min Σ P D over plans P with the given masses.  Kantorovich (1942).

    The routes of the best plan stay, so that it is bilinear in D and the masses.  Where fewer routes are used than
    determine the prices, one of the possible prices, by which the masses count, is the solver's.
    """
    u, v = as_array(u_values) * np.float64(1), as_array(v_values) * np.float64(1)
    if u.ndim == v.ndim == 1:
        return _wasserstein_distance(u, v, u_weights, v_weights)
    D, b = np.ravel(distance_matrix(u, v)), np.concatenate([masses(u, u_weights), masses(v, v_weights)])
    fixed = stop_gradient(b)
    routes, carried, prices = plan(np.reshape(stop_gradient(D), (len(u), len(v))), fixed[: len(u)], fixed[len(u) :])
    used = np.take_along_axis(D, routes, 0)
    undetermined = prices - stop_gradient(used) @ carried
    return np.sum(used * (carried @ b)) + np.sum(undetermined * (b - fixed))


@composite(dispatching(stats.energy_distance))
def _energy_distance(u_values: Any, v_values: Any, u_weights: Any = None, v_weights: Any = None) -> Any:
    """√(2 ∫ (U − V)² dx).  Székely (2003)."""
    difference, dx = steps(u_values, v_values, u_weights, v_weights)
    return np.sqrt(2 * np.sum(difference**2 * dx))


# ---------------------------------------------------------------- transformations


@composite(dispatching(stats.obrientransform))
def _obrientransform(*samples: Any) -> Any:
    """O'Brien (1981)."""

    def transform(a: Any) -> Any:
        n, d2 = a.shape[-1], (a - mean(a)) ** 2
        return ((n - 1.5) * n * d2 - np.sum(d2) / 2) / ((n - 1) * (n - 2))

    transformed = tuple(transform(as_array(x)) for x in samples)
    if not before("1.18.0"):
        return transformed
    if len({x.shape for x in transformed}) > 1:
        raise NoRuleError("scipy.stats.obrientransform has a derivative rule for samples of the same size.")
    return np.stack(transformed)

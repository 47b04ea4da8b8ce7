"""Statistics of samples: moments, means, correlation, entropies, distances.

Each is written over the last axis; ``statistic`` brings the axis there, and refuses to leave out NaNs.
"""

import inspect
from collections import namedtuple
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from scipy import stats

from dotbar.core import as_array, dtype_of
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import composite
from dotbar.rules.words import stop_gradient
from dotbar.scipy.mirror import OWN, dispatching
from dotbar.scipy.special import ufuncs as sc


def statistic(
    fn: Any, *samples: str, reduces: bool = True, double: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated body for SciPy's ``fn``: of the samples, with their axis last, and the other arguments.

    What does not reduce has its axis put back.  The result has the samples' precision, or is ``double`` as in SciPy.
    """
    signature = inspect.signature(fn)
    samples = samples or (next(iter(signature.parameters)),)

    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        @composite(dispatching(fn))
        @wraps(body)
        def call(*args: Any, **kw: Any) -> Any:
            bound = signature.bind(*args, **kw)
            bound.apply_defaults()
            settings = dict(bound.arguments)
            if settings.pop("nan_policy", "propagate") != "propagate":
                raise NoRuleError(f"{fn.__name__} has no derivative rule with a nan_policy other than 'propagate'.")
            keepdims, axis = settings.pop("keepdims", False), settings.pop("axis", None)
            xs = [None if settings[name] is None else as_array(settings.pop(name)) for name in samples]
            settings = {k: v for k, v in settings.items() if k not in samples}
            ndim = max(np.ndim(x) for x in xs if x is not None)
            axes = tuple(range(ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
            axes = tuple(k % ndim for k in axes)
            dtype = np.dtype(float) if double else np.result_type(1.0, *(dtype_of(x) for x in xs if x is not None))
            y = body(*[x if x is None else axes_last(x, axes) for x in xs], **settings)
            y = in_precision(y, dtype)
            if not reduces:
                return np.moveaxis(np.reshape(y, shape_with(xs[0], axes)), range(-len(axes), 0), axes)
            return np.expand_dims(y, axes) if keepdims else y

        return body

    return register


def axes_last(x: Any, axes: tuple[int, ...]) -> Any:
    """``x`` with the given axes as one, the last."""
    if axes == (np.ndim(x) - 1,):
        return x
    x = np.moveaxis(x, axes, range(-len(axes), 0))
    return np.reshape(x, (*x.shape[: x.ndim - len(axes)], -1))


def in_precision(y: Any, dtype: Any) -> Any:
    """A result, or a tuple of results, in the given precision."""
    if isinstance(y, tuple):
        return y if all(dtype_of(t) == dtype for t in y) else type(y)(*(in_precision(t, dtype) for t in y))
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


@statistic(stats.kstat)
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


@statistic(stats.gmean, "a", "weights")
def _gmean(a: Any, weights: Any, dtype: Any) -> Any:
    return np.exp(mean(np.log(a if dtype is None else a.astype(dtype)), weights))[..., 0]


@statistic(stats.hmean, "a", "weights")
def _hmean(a: Any, weights: Any, dtype: Any) -> Any:
    return 1 / mean(1 / (a if dtype is None else a.astype(dtype)), weights)[..., 0]


@statistic(stats.pmean, "a", "weights")
def _pmean(a: Any, weights: Any, p: Any, dtype: Any) -> Any:
    if not isinstance(p, (int, float)):
        raise NoRuleError("scipy.stats.pmean has no derivative with respect to 'p'.")
    if p == 0:
        return _gmean(a, weights, dtype)
    return mean((a if dtype is None else a.astype(dtype)) ** float(p), weights)[..., 0] ** (1 / p)


@statistic(stats.gstd)
def _gstd(a: Any, ddof: int) -> Any:
    return np.exp(np.std(np.log(a), -1, ddof=ddof))


@statistic(stats.trim_mean)
def _trim_mean(a: Any, proportiontocut: float) -> Any:
    n = a.shape[-1]
    cut = int(proportiontocut * n)
    if cut > n - cut:
        raise ValueError("Proportion too big.")
    return np.mean(np.partition(a, (cut, n - cut - 1), -1)[..., cut : n - cut], -1)


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


@statistic(stats.iqr)
def _iqr(x: Any, rng: Any, scale: Any, interpolation: str) -> Any:
    low, high = (np.percentile(x, q, -1, method=interpolation) for q in sorted(rng))
    return (high - low) / (2 * 2**0.5 * sc.erfinv(0.5) if scale == "normal" else scale)


@statistic(stats.median_abs_deviation)
def _median_abs_deviation(x: Any, center: Any, scale: Any) -> Any:
    middle = np.median(x, -1, keepdims=True) if center is None else np.expand_dims(center(x, axis=-1), -1)
    return np.median(np.abs(x - middle), -1) / (0.6744897501960817 if scale == "normal" else scale)


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
    return np.sqrt(-2 * np.log(np.hypot(c, s))) * (1 if normalize else unit)


# ---------------------------------------------------------------- correlation and regression

Correlation = namedtuple("Correlation", "statistic pvalue")  # as SciPy's result


class Regression(namedtuple("Regression", "slope intercept rvalue pvalue stderr")):
    """As SciPy's result: five entries and one attribute."""

    intercept_stderr: Any

    def __new__(cls, *entries: Any) -> Any:
        result = super().__new__(cls, *entries[:5])
        result.intercept_stderr = entries[5] if len(entries) > 5 else None
        return result


def correlation(x: Any, y: Any) -> Any:
    """r from the normalised deviations, by the norm, which has a derivative rule at r = ±1 too."""
    u, v = x - mean(x), y - mean(y)
    u, v = (d / np.linalg.norm(d, axis=-1, keepdims=True) for d in (u, v))
    return np.sum(u * v, -1)


def two_sided(dist: Any, value: Any, *shapes: Any, alternative: str, **kw: Any) -> Any:
    """The p-value of a statistic whose distribution is symmetric."""
    own = OWN[dist]
    if alternative == "two-sided":
        return 2 * own.sf(np.abs(value), *shapes, **kw)
    return (own.sf if alternative == "greater" else own.cdf)(value, *shapes, **kw)


@statistic(stats.pearsonr, "x", "y")
def _pearsonr(x: Any, y: Any, alternative: str, method: Any) -> Any:
    """Student (1908): r is distributed as beta on (−1, 1)."""
    if method is not None:
        raise NoRuleError("scipy.stats.pearsonr has no derivative rule for resampling methods.")
    r, n = correlation(x, y), x.shape[-1]
    shape = n / 2 - 1
    return Correlation(r, two_sided(stats.beta, r, shape, shape, alternative=alternative, loc=-1, scale=2))


@statistic(stats.linregress, "x", "y", double=True)
def _linregress(x: Any, y: Any, alternative: str) -> Any:
    x, y = x * np.float64(1), y * np.float64(1)
    u, v, n = x - mean(x), y - mean(y), x.shape[-1]
    xx, xy, yy = np.mean(u * u, -1), np.mean(u * v, -1), np.mean(v * v, -1)
    slope, r = xy / xx, xy / np.sqrt(xx * yy)
    intercept, df = np.mean(y, -1) - slope * np.mean(x, -1), n - 2
    pvalue = two_sided(stats.t, r * np.sqrt(df / ((1 - r) * (1 + r))), df, alternative=alternative)
    stderr = np.sqrt((1 - r**2) * yy / xx / df)
    return Regression(slope, intercept, r, pvalue, stderr, stderr * np.sqrt(xx + np.mean(x, -1) ** 2))


# ---------------------------------------------------------------- tests

Test = namedtuple("Test", "statistic pvalue")  # as SciPy's results


def student(difference: Any, variance: Any, df: Any, alternative: str) -> Any:
    """The t statistic of a difference with its estimated variance.  Student (1908); Welch (1947)."""
    t = difference / np.sqrt(variance)
    return Test(t, two_sided(stats.t, t, df, alternative=alternative))


@statistic(stats.ttest_1samp)
def _ttest_1samp(a: Any, popmean: Any, alternative: str) -> Any:
    n = a.shape[-1]
    return student(np.mean(a, -1) - popmean, np.var(a, -1, ddof=1) / n, n - 1, alternative)


@statistic(stats.ttest_rel, "a", "b")
def _ttest_rel(a: Any, b: Any, alternative: str) -> Any:
    return _ttest_1samp(a - b, 0.0, alternative)


@statistic(stats.ttest_ind, "a", "b")
def _ttest_ind(a: Any, b: Any, alternative: str, equal_var: bool, trim: float, method: Any, **resampling: Any) -> Any:
    if trim != 0 or method is not None or any(resampling.values()):
        raise NoRuleError("scipy.stats.ttest_ind has no derivative rule with trim or resampling.")
    m, n = a.shape[-1], b.shape[-1]
    u, v = np.var(a, -1, ddof=1), np.var(b, -1, ddof=1)
    if equal_var:
        df, variance = m + n - 2, ((m - 1) * u + (n - 1) * v) / (m + n - 2) * (1 / m + 1 / n)
    else:
        variance = u / m + v / n
        df = variance**2 / ((u / m) ** 2 / (m - 1) + (v / n) ** 2 / (n - 1))
    return student(np.mean(a, -1) - np.mean(b, -1), variance, df, alternative)


@statistic(stats.chisquare, "f_obs", "f_exp", double=True)
def _chisquare(f_obs: Any, f_exp: Any, ddof: int, sum_check: bool = True) -> Any:
    """Pearson (1900)."""
    f_obs = f_obs * np.float64(1)
    expected = mean(f_obs) if f_exp is None else f_exp * np.float64(1)
    chi2 = np.sum((f_obs - expected) ** 2 / expected, -1)
    return Test(chi2, OWN[stats.chi2].sf(chi2, f_obs.shape[-1] - 1 - ddof))


# ---------------------------------------------------------------- entropies and distances


@statistic(stats.entropy, "pk", "qk")
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


def steps(u: Any, v: Any, u_weights: Any, v_weights: Any) -> tuple[Any, Any]:
    """The difference U − V of two empirical distribution functions between the values of both, and the distances."""
    u, v = as_array(u) * np.float64(1), as_array(v) * np.float64(1)
    masses = [
        np.full(x.shape, 1 / x.shape[0]) if w is None else as_array(w) * np.float64(1) / np.sum(as_array(w))
        for x, w in ((u, u_weights), (v, v_weights))
    ]
    values, weights = np.concatenate([u, v]), np.concatenate([masses[0], -masses[1]])
    order = np.argsort(stop_gradient(values), kind="stable")
    return np.cumsum(np.take_along_axis(weights, order, 0))[:-1], np.diff(np.take_along_axis(values, order, 0))


@composite(dispatching(stats.wasserstein_distance))
def _wasserstein_distance(u_values: Any, v_values: Any, u_weights: Any = None, v_weights: Any = None) -> Any:
    """∫ |U − V| dx.  Vallender (1974)."""
    difference, dx = steps(u_values, v_values, u_weights, v_weights)
    return np.sum(np.abs(difference) * dx)


@composite(dispatching(stats.energy_distance))
def _energy_distance(u_values: Any, v_values: Any, u_weights: Any = None, v_weights: Any = None) -> Any:
    """√(2 ∫ (U − V)² dx).  Székely (2003)."""
    difference, dx = steps(u_values, v_values, u_weights, v_weights)
    return np.sqrt(2 * np.sum(difference**2 * dx))


# ---------------------------------------------------------------- transformations


@statistic(stats.boxcox_llf, "data")
def _boxcox_llf(data: Any, lmb: Any) -> Any:
    """Box & Cox (1964), eq. (9)."""
    n = data.shape[-1]
    return (lmb - 1) * np.sum(np.log(data), -1) - n / 2 * np.log(np.var(sc.boxcox(data, lmb), -1))


@composite(dispatching(stats.boxcox))
def _boxcox(x: Any, lmbda: Any = None, alpha: Any = None, optimizer: Any = None) -> Any:
    if lmbda is None:
        raise NoRuleError("scipy.stats.boxcox has a derivative where its parameter is given; pass lmbda.")
    return sc.boxcox(x, lmbda)

"""Correlation, regression and tests of hypotheses: the statistic and its p-value, both functions of the samples."""

from typing import Any

import numpy as np
from scipy import stats

from dotbar.core import as_array, dtype_of
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import composite
from dotbar.rules.words import raise_if, stop_gradient
from dotbar.scipy.mirror import OWN, dispatching
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.stats.results import (
    Contingency,
    Correlation,
    Estimate,
    KolmogorovSmirnov,
    Regression,
    Test,
    TTest,
    pvalue,
)
from dotbar.scipy.stats.statistics import central, mean, statistic, trimmed

# ---------------------------------------------------------------- correlation and regression


def correlation(x: Any, y: Any) -> Any:
    """r from the normalised deviations, by the norm, which has a derivative rule at r = ±1 too."""
    u, v = x - mean(x), y - mean(y)
    u, v = (d / np.linalg.norm(d, axis=-1, keepdims=True) for d in (u, v))
    return np.sum(u * v, -1)


@statistic(stats.pearsonr, "x", "y", least=3, paired=True)
def _pearsonr(x: Any, y: Any, alternative: str, method: Any) -> Any:
    """Student (1908): r is distributed as beta on (−1, 1)."""
    if method is not None:
        raise NoRuleError("scipy.stats.pearsonr has no derivative rule for resampling methods.")
    r, n = correlation(x, y), x.shape[-1]
    shape = n / 2 - 1
    p = pvalue(stats.beta, r, shape, shape, alternative=alternative, loc=-1, scale=2)
    return Correlation(r, p).having(n=n, alternative=alternative)


@statistic(stats.pointbiserialr, "x", "y", least=3, paired=True)
def _pointbiserialr(x: Any, y: Any) -> Any:
    return _pearsonr(x, y, "two-sided", None)


@statistic(stats.linregress, "x", "y", double=True, least=3, paired=True)
def _linregress(x: Any, y: Any, alternative: str) -> Any:
    x, y = x * np.float64(1), y * np.float64(1)
    same = np.max(x, -1) == np.min(x, -1)
    raise_if(np.any(same), error=ValueError("Cannot calculate a linear regression if all x values are identical"))
    u, v, n = x - mean(x), y - mean(y), x.shape[-1]
    xx, xy, yy = np.mean(u * u, -1), np.mean(u * v, -1), np.mean(v * v, -1)
    slope, r = xy / xx, xy / np.sqrt(xx * yy)
    intercept, df = np.mean(y, -1) - slope * np.mean(x, -1), n - 2
    p = pvalue(stats.t, r * np.sqrt(df / ((1 - r) * (1 + r))), df, alternative=alternative)
    stderr = np.sqrt((1 - r**2) * yy / xx / df)
    further = {"intercept_stderr": stderr * np.sqrt(xx + np.mean(x, -1) ** 2)}
    return Regression(slope, intercept, r, p, stderr).having(**further)


# ---------------------------------------------------------------- means


def student(difference: Any, variance: Any, df: Any, alternative: str, estimate: Any = None) -> Any:
    """The t statistic of a difference with its estimated variance.  Student (1908); Welch (1947)."""
    error = np.sqrt(variance)
    t = difference / error
    test = TTest(t, pvalue(stats.t, t, df, alternative=alternative))
    estimate = difference if estimate is None else estimate
    return test.having(df=df, estimate=estimate, standard_error=error, alternative=alternative)


@statistic(stats.ttest_1samp, least=2)
def _ttest_1samp(a: Any, popmean: Any, alternative: str) -> Any:
    n, m = a.shape[-1], np.mean(a, -1)
    return student(m - popmean, np.var(a, -1, ddof=1) / n, n - 1, alternative, estimate=m)


@statistic(stats.ttest_rel, "a", "b", least=2, paired=True)
def _ttest_rel(a: Any, b: Any, alternative: str) -> Any:
    return _ttest_1samp(a - b, 0.0, alternative)


def two_means(difference: Any, u: Any, m: Any, v: Any, n: Any, equal_var: bool, alternative: str) -> Any:
    """Of the means of m and n values with the estimated variances u and v."""
    if equal_var:
        df, variance = m + n - 2, ((m - 1) * u + (n - 1) * v) / (m + n - 2) * (1 / m + 1 / n)
    else:
        variance = u / m + v / n
        df = variance**2 / ((u / m) ** 2 / (m - 1) + (v / n) ** 2 / (n - 1))
    return student(difference, variance, df, alternative)


@statistic(stats.ttest_ind, "a", "b", least=2)
def _ttest_ind(a: Any, b: Any, alternative: str, equal_var: bool, trim: float, method: Any, **resampling: Any) -> Any:
    if trim != 0 or method is not None or any(resampling.values()):
        raise NoRuleError("scipy.stats.ttest_ind has no derivative rule with trim or resampling.")
    u, v = np.var(a, -1, ddof=1), np.var(b, -1, ddof=1)
    return two_means(np.mean(a, -1) - np.mean(b, -1), u, a.shape[-1], v, b.shape[-1], equal_var, alternative)


@composite(dispatching(stats.ttest_ind_from_stats))
def _ttest_ind_from_stats(
    mean1: Any,
    std1: Any,
    nobs1: Any,
    mean2: Any,
    std2: Any,
    nobs2: Any,
    equal_var: bool = True,
    alternative: str = "two-sided",
) -> Any:
    mean1, std1, mean2, std2 = map(as_array, (mean1, std1, mean2, std2))
    test = two_means(mean1 - mean2, std1**2, nobs1, std2**2, nobs2, equal_var, alternative)
    return Test(*test)


# ---------------------------------------------------------------- several samples


def sizes(samples: tuple[Any, ...]) -> tuple[int, Any]:
    """The number of samples, and how many values each has."""
    return len(samples), np.array([x.shape[-1] for x in samples])


def means_and_variances(samples: tuple[Any, ...]) -> tuple[Any, Any]:
    """Along a new last axis."""
    return np.stack([np.mean(x, -1) for x in samples], -1), np.stack([np.var(x, -1, ddof=1) for x in samples], -1)


def over(weights: Any, values: Any) -> Any:
    """The weighted mean of the values along the last axis, which stays."""
    return np.sum(weights * values, -1, keepdims=True) / np.sum(weights, -1, keepdims=True)


def ratio_of_variances(n: Any, m: Any, v: Any) -> Any:
    """Between samples of the sizes n, means m and variances v, and within them.  Fisher (1925)."""
    k, N = len(n), np.sum(n)
    between = np.sum(n * (m - over(n, m)) ** 2, -1) / (k - 1)
    F = between / (np.sum((n - 1) * v, -1) / (N - k))
    return Test(F, pvalue(stats.f, F, k - 1, N - k))


@statistic(stats.f_oneway, "samples")
def _f_oneway(*samples: Any, equal_var: bool = True) -> Any:
    """Of unequal variances: Welch (1951)."""
    k, n = sizes(samples)
    m, v = means_and_variances(samples)
    if equal_var:
        return ratio_of_variances(n, m, v)
    w = n / v
    spread = np.sum((1 - w / np.sum(w, -1, keepdims=True)) ** 2 / (n - 1), -1)
    F = np.sum(w * (m - over(w, m)) ** 2, -1) / (k - 1) / (1 + 2 * (k - 2) / (k * k - 1) * spread)
    return Test(F, pvalue(stats.f, F, k - 1, (k * k - 1) / (3 * spread)))


@statistic(stats.levene, "samples")
def _levene(*samples: Any, center: str = "median", proportiontocut: float = 0.05) -> Any:
    """Brown & Forsythe (1974)."""
    centers = {
        "mean": mean,
        "median": lambda x: np.median(x, -1, keepdims=True),
        "trimmed": lambda x: mean(trimmed(x, proportiontocut)),
    }
    if center not in centers:
        raise ValueError("center must be 'mean', 'median' or 'trimmed'.")
    _, n = sizes(samples)
    return ratio_of_variances(n, *means_and_variances(tuple(np.abs(x - centers[center](x)) for x in samples)))


@statistic(stats.bartlett, "samples")
def _bartlett(*samples: Any) -> Any:
    """Bartlett (1937)."""
    k, n = sizes(samples)
    N, (_, v) = np.sum(n), means_and_variances(samples)
    pooled = np.log(np.sum((n - 1) * v, -1) / (N - k))
    factor = 1 + (np.sum(1 / (n - 1)) - 1 / (N - k)) / (3 * (k - 1))
    T = ((N - k) * pooled - np.sum((n - 1) * np.log(v), -1)) / factor
    return Test(np.clip(T, 0, None), pvalue(stats.chi2, T, k - 1))


@statistic(stats.alexandergovern, "samples")
def _alexandergovern(*samples: Any) -> Any:
    """Alexander & Govern (1994), with Hill's (1970) normal approximation of Student's t."""
    k, n = sizes(samples)
    m, v = means_and_variances(samples)
    t, a = (m - over(n / v, m)) / np.sqrt(v / n), n - 1.5
    b, c = 48 * a**2, np.sqrt(a * np.log1p(t * t / (n - 1)))
    z = c + (c**3 + 3 * c) / b - (4 * c**7 + 33 * c**5 + 240 * c**3 + 855 * c) / (10 * b**2 + 8 * b * c**4 + 1000 * b)
    A = np.sum(z * z, -1)
    return Test(A, pvalue(stats.chi2, A, k - 1))


# ---------------------------------------------------------------- the normal form


def normal_skewness(a: Any) -> Any:
    """A normal variable from the skewness.  D'Agostino (1970)."""
    n, (m2, m3) = a.shape[-1], central(a, 2, 3)
    y = m3 / m2**1.5 * np.sqrt((n + 1) * (n + 3) / (6 * (n - 2)))
    beta2 = 3 * (n * n + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2) * (n + 5) * (n + 7) * (n + 9))
    W2 = np.sqrt(2 * (beta2 - 1)) - 1
    return np.arcsinh(y * np.sqrt((W2 - 1) / 2)) / np.sqrt(np.log(W2) / 2)


def normal_kurtosis(a: Any) -> Any:
    """A normal variable from the kurtosis.  Anscombe & Glynn (1983), eqs. (1)-(5)."""
    n, (m2, m4) = a.shape[-1], central(a, 2, 4)
    variance = 24 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3) * (n + 5))
    x = (m4 / m2**2 - 3 * (n - 1) / (n + 1)) / np.sqrt(variance)
    beta1 = 6 * (n * n - 5 * n + 2) / ((n + 7) * (n + 9)) * np.sqrt(6 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)))
    A = 6 + 8 / beta1 * (2 / beta1 + np.sqrt(1 + 4 / beta1**2))
    root = np.cbrt((1 - 2 / A) / (1 + x * np.sqrt(2 / (A - 4))))
    return (1 - 2 / (9 * A) - root) / np.sqrt(2 / (9 * A))


@statistic(stats.skewtest, least=8)
def _skewtest(a: Any, alternative: str) -> Any:
    Z = normal_skewness(a)
    return Test(Z, pvalue(stats.norm, Z, alternative=alternative))


@statistic(stats.kurtosistest, least=5)
def _kurtosistest(a: Any, alternative: str) -> Any:
    Z = normal_kurtosis(a)
    return Test(Z, pvalue(stats.norm, Z, alternative=alternative))


@statistic(stats.normaltest, least=8)
def _normaltest(a: Any) -> Any:
    """D'Agostino & Pearson (1973)."""
    K2 = normal_skewness(a) ** 2 + normal_kurtosis(a) ** 2
    return Test(K2, pvalue(stats.chi2, K2, 2.0))


@statistic(stats.jarque_bera)
def _jarque_bera(x: Any) -> Any:
    """Jarque & Bera (1980)."""
    m2, m3, m4 = central(x, 2, 3, 4)
    JB = x.shape[-1] / 6 * (m3**2 / m2**3 + (m4 / m2**2 - 3) ** 2 / 4)
    return Test(JB, pvalue(stats.chi2, JB, 2.0))


# ---------------------------------------------------------------- frequencies

POWERS = {
    "pearson": 1,
    "log-likelihood": 0,
    "freeman-tukey": -1 / 2,
    "mod-log-likelihood": -1,
    "neyman": -2,
    "cressie-read": 2 / 3,
}


def divergence(f_obs: Any, f_exp: Any, ddof: Any, power: Any, sum_check: bool = True) -> Any:
    """Cressie & Read (1984); of power 1, Pearson (1900)."""
    f_obs = f_obs * np.float64(1)
    expected = mean(f_obs) if f_exp is None else f_exp * np.float64(1)
    if f_exp is not None and sum_check:
        ratio = stop_gradient(np.sum(f_obs, -1) / np.sum(expected, -1))
        raise_if(
            np.any(np.abs(ratio - 1) > 1.5e-8),
            error=ValueError(
                "For each axis slice, the sum of the observed frequencies must agree with that of the expected ones."
            ),
        )
    power = POWERS[power] if isinstance(power, str) else 1 if power is None else power
    if power == 1:
        terms = (f_obs - expected) ** 2 / expected
    elif power == 0:
        terms = 2 * sc.xlogy(f_obs, f_obs / expected)
    elif power == -1:
        terms = 2 * sc.xlogy(expected, expected / f_obs)
    else:
        terms = f_obs * ((f_obs / expected) ** power - 1) / (power * (power + 1) / 2)
    total = np.sum(terms, -1)
    return Test(total, pvalue(stats.chi2, total, terms.shape[-1] - 1 - ddof))


@statistic(stats.chisquare, "f_obs", "f_exp", double=True, paired=True)
def _chisquare(f_obs: Any, f_exp: Any, ddof: int, sum_check: bool = True) -> Any:
    return divergence(f_obs, f_exp, ddof, 1, sum_check)


@statistic(stats.power_divergence, "f_obs", "f_exp", double=True, paired=True)
def _power_divergence(f_obs: Any, f_exp: Any, ddof: int, lambda_: Any) -> Any:
    if not isinstance(lambda_, (int, float, str, type(None))):
        raise NoRuleError("scipy.stats.power_divergence has no derivative with respect to 'lambda_'.")
    return divergence(f_obs, f_exp, ddof, lambda_)


@composite(dispatching(stats.chi2_contingency))
def _chi2_contingency(observed: Any, correction: bool = True, lambda_: Any = None, *, method: Any = None) -> Any:
    """Of the counts expected from the margins; of two by two tables with the correction of Yates (1934)."""
    if method is not None:
        raise NoRuleError("scipy.stats.chi2_contingency has no derivative rule for resampling methods.")
    observed = as_array(observed) * np.float64(1)
    raise_if(np.any(observed < 0), error=ValueError("All values in `observed` must be nonnegative."))
    expected, ndim = 1 / np.sum(observed) ** (observed.ndim - 1), observed.ndim
    for k in range(ndim):
        expected = expected * np.sum(observed, tuple(i for i in range(ndim) if i != k), keepdims=True)
    dof = observed.size - sum(observed.shape) + ndim - 1
    if dof == 0:
        return Contingency(0.0, 1.0, dof, expected)
    counts = observed
    if dof == 1 and correction:
        difference = expected - observed
        counts = observed + np.minimum(0.5, np.abs(difference)) * np.sign(difference)
    test = divergence(np.ravel(counts), np.ravel(expected), observed.size - 1 - dof, lambda_)
    return Contingency(*test, dof, expected)


# ---------------------------------------------------------------- p-values


@statistic(stats.combine_pvalues, "pvalues", "weights")
def _combine_pvalues(p: Any, weights: Any, method: str) -> Any:
    """Heard & Rubin-Delanchy (2018), table 1."""
    n = p.shape[-1]
    if method == "fisher":
        X = -2 * np.sum(np.log(p), -1)
        return Test(X, pvalue(stats.chi2, X, 2 * n))
    if method == "pearson":
        X = 2 * np.sum(np.log1p(-p), -1)
        return Test(X, pvalue(stats.chi2, -X, 2 * n, alternative="less"))
    if method == "mudholkar_george":
        X, df = -np.sum(sc.logit(p), -1), 5 * n + 4
        return Test(X, pvalue(stats.t, X * np.sqrt(3 / n * df / (df - 2)) / np.pi, df))
    if method == "tippett":
        X = np.min(p, -1)
        return Test(X, pvalue(stats.beta, X, 1.0, n, alternative="less"))
    if method == "stouffer":
        w = np.ones(n) if weights is None else weights
        Z = -np.sum(w * sc.ndtri(p), -1) / np.linalg.norm(w, axis=-1)
        return Test(Z, pvalue(stats.norm, Z))
    raise ValueError(f"Invalid method {method!r}.")


@composite(dispatching(stats.false_discovery_control))
def _false_discovery_control(ps: Any, *, axis: int | None = 0, method: str = "bh") -> Any:
    """Benjamini & Hochberg (1995); Benjamini & Yekutieli (2001)."""
    ps = as_array(ps)
    raise_if(np.any(~((ps >= 0) & (ps <= 1))), error=ValueError("`ps` must include only numbers between 0 and 1."))
    if method.lower() not in ("bh", "by"):
        raise ValueError(f"Unrecognized `method` '{method}'.")
    if axis is None:
        axis, ps = 0, np.ravel(ps)
    if ps.ndim == 0 or ps.shape[axis] < 2:
        return ps
    ps = np.moveaxis(ps, axis, -1)
    order, ranks = np.argsort(ps, -1), np.arange(1, ps.shape[-1] + 1, dtype=dtype_of(ps))
    factor = ps.shape[-1] / ranks * (np.sum(1 / ranks) if method.lower() == "by" else 1)
    least = np.flip(np.minimum.accumulate(np.flip(np.take_along_axis(ps, order, -1) * factor, -1), -1), -1)
    return np.moveaxis(np.clip(np.take_along_axis(least, np.argsort(order, -1), -1), 0, 1), -1, axis)


@composite(dispatching(stats.tukey_hsd))
def _tukey_hsd(*args: Any, equal_var: bool = True) -> Any:
    """Tukey (1949), Kramer (1956)."""
    if not equal_var:
        raise NoRuleError("scipy.stats.tukey_hsd has no derivative rule with equal_var=False.")
    k, n = sizes(args := tuple(map(as_array, args)))
    m, v = means_and_variances(args)
    variance, df = np.sum((n - 1) * v) / (np.sum(n) - k), np.sum(n) - k
    difference = m[:, None] - m
    q = np.abs(difference) / np.sqrt((1 / n[:, None] + 1 / n) * variance / 2)
    return Test(difference, pvalue(stats.studentized_range, q, k, df))


# ---------------------------------------------------------------- distributions


@statistic(stats.ks_1samp, "x", double=True)
def _ks_1samp(x: Any, cdf: Any, args: Any, alternative: str, method: str) -> Any:
    """Kolmogorov (1933), Smirnov (1939)."""
    alternative = {"t": "two-sided", "g": "greater", "l": "less"}[alternative.lower()[0]]
    x, n = np.sort(x, -1), x.shape[-1]
    F = cdf(x, *args)
    above, below = np.arange(1.0, n + 1) / n - F, F - np.arange(0.0, n) / n

    def largest(d: Any) -> tuple[Any, Any]:
        i = np.argmax(d, -1, keepdims=True)
        return np.take_along_axis(d, i, -1)[..., 0], np.take_along_axis(x, i, -1)[..., 0]

    (up, x_up), (down, x_down) = largest(above), largest(below)
    if alternative == "two-sided":
        sign = np.where(up > down, 1, -1)
        D, where = np.where(sign > 0, up, down), np.where(sign > 0, x_up, x_down)
        p = {
            "asymp": lambda: pvalue(stats.kstwobign, D * np.sqrt(n)),
            "approx": lambda: 2 * pvalue(stats.ksone, D, n),
        }.get(method, lambda: pvalue(stats.kstwo, D, n))()
    else:
        D, where, sign = (up, x_up, 1) if alternative == "greater" else (down, x_down, -1)
        p = pvalue(stats.ksone, D, n)
    return KolmogorovSmirnov(D, np.clip(p, 0, 1)).having(statistic_location=where, statistic_sign=sign)


@composite(dispatching(stats.kstest))
def _kstest(
    rvs: Any,
    cdf: Any,
    args: Any = (),
    N: int = 20,
    alternative: str = "two-sided",
    method: str = "auto",
    *,
    axis: int | None = 0,
    nan_policy: str = "propagate",
    keepdims: bool = False,
) -> Any:
    if (not callable(cdf) and not isinstance(cdf, str)) or callable(rvs) or isinstance(rvs, str):
        raise NoRuleError("scipy.stats.kstest has a derivative rule for a sample and a distribution function.")
    F = OWN[getattr(stats, cdf)].cdf if isinstance(cdf, str) else cdf
    kw = {"axis": axis, "nan_policy": nan_policy, "keepdims": keepdims}
    return dispatching(stats.ks_1samp)(rvs, F, args, alternative, method, **kw)


@statistic(stats.epps_singleton_2samp, "x", "y", least=5)
def _epps_singleton_2samp(x: Any, y: Any, t: Any) -> Any:
    """Epps & Singleton (1986), on empirical characteristic functions."""
    m, n = x.shape[-1], y.shape[-1]
    low, high = (np.percentile(np.concatenate([x, y], -1), q, -1, keepdims=True) for q in (25, 75))
    ts = np.reshape(as_array(t), (-1, 1)) / np.expand_dims((high - low) / 2, -1)

    def waves(x: Any) -> tuple[Any, Any]:
        angles = ts * np.expand_dims(x, -2)
        g = np.concatenate([np.cos(angles), np.sin(angles)], -2)
        d = g - mean(g)
        return np.mean(g, -1), d @ np.swapaxes(d, -1, -2) / x.shape[-1]

    (gx, Sx), (gy, Sy) = waves(x), waves(y)
    d, N = np.expand_dims(gx - gy, -1), m + n
    w = N * np.sum(d * np.linalg.solve(N / m * Sx + N / n * Sy, d), (-2, -1))
    if max(m, n) < 25:
        w = w / (1 + N**-0.45 + 10.1 * (m**-1.7 + n**-1.7))
    return Test(w, pvalue(stats.chi2, w, 2 * np.size(t)))


@composite(dispatching(stats.mvsdist))
def _mvsdist(data: Any) -> Any:
    """The posteriors of mean, variance and standard deviation with Jeffreys's prior.  Oliphant (2006)."""
    x = np.ravel(as_array(data))
    n, m, C = len(x), np.mean(x), np.var(x)
    norm, t, invgamma, gengamma = (OWN[getattr(stats, name)] for name in ("norm", "t", "invgamma", "gengamma"))
    if n > 1000:
        return norm(m, np.sqrt(C / n)), norm(C, np.sqrt(2 / n) * C), norm(np.sqrt(C), np.sqrt(C / (2 * n)))
    shape, scale = (n - 1) / 2, n * C / 2
    return (
        t(n - 1, loc=m, scale=np.sqrt(C / (n - 1))),
        invgamma(shape, scale=scale),
        gengamma(shape, -2.0, scale=np.sqrt(scale)),
    )


@composite(dispatching(stats.bayes_mvs))
def _bayes_mvs(data: Any, alpha: Any = 0.9) -> Any:
    return tuple(Estimate(d.mean(), d.interval(alpha)) for d in _mvsdist(data))

"""Does a sample come from a distribution: the tests of Shapiro and Wilk, Anderson and Darling, Cramér and von Mises.

Each statistic is a function of the ordered sample.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from dotbar.core import as_array, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import composite, elementwise
from dotbar.scipy.mirror import CLOSING, OWN, dispatching
from dotbar.scipy.optimize.implicit import solution
from dotbar.scipy.stats.continuous import density
from dotbar.scipy.stats.results import CramerVonMises, Critical, Test, pvalue
from dotbar.scipy.stats.statistics import mean, statistic
from dotbar.scipy.stats.transport import partial

# ---------------------------------------------------------------- normal


def rational_quantiles(p: Any) -> Any:
    """Of the normal distribution, to nine digits, as Royston and SciPy have them.  Beasley & Springer (1977)."""
    q, r = p - 0.5, np.sqrt(-np.log(np.minimum(p, 1 - p)))
    a, b = (
        [-25.44106049637, 41.39119773534, -18.61500062529, 2.50662823884],
        [*(3.13082909833, -21.06224101826, 23.08336743743, -8.47351093090, 1.0)],
    )
    c, d = [2.32121276858, 4.85014127135, -2.29796479134, -2.78718931138], [1.63706781897, 3.54388924762, 1.0]
    middle = q * np.polyval(a, q * q) / np.polyval(b, q * q)
    return np.where(np.abs(q) <= 0.42, middle, np.sign(q) * np.polyval(c, r) / np.polyval(d, r))


def shapiro_weights(n: int) -> Any:
    """Of the ordered values, antisymmetric and of norm 1.  Royston (1992), eqs. (5)-(8)."""
    if n == 3:
        return np.array([-1.0, 0.0, 1.0]) / np.sqrt(2)
    m = rational_quantiles((np.arange(1, n + 1) - 3 / 8) / (n + 1 / 4))
    c, u = m / np.linalg.norm(m), 1 / np.sqrt(n)
    last = np.polyval([-2.706056, 4.434685, -2.071190, -0.147981, 0.221157, c[-1]], u)
    before = np.polyval([-3.582633, 5.682633, -1.752461, -0.293762, 0.042981, c[-2]], u)
    known = np.array([last] if n <= 5 else [last, before])
    k = len(known)
    inner = m[k:-k] * np.sqrt((1 - 2 * known @ known) / (m[k:-k] @ m[k:-k]))
    return np.concatenate([-known, inner, known[::-1]])


def shapiro_pvalue(W: Any, n: int) -> Any:
    """Of a normal variable that log (1 − W) becomes.  Royston (1995), section 2."""
    if n == 3:
        return np.clip(6 / np.pi * (np.arcsin(np.sqrt(W)) - np.arcsin(np.sqrt(0.75))), 0, 1)
    y, log = np.log1p(-W), np.log(n)
    if n <= 11:
        y = -np.log(-2.273 + 0.459 * n - y)
        m = np.polyval([-6.714e-4, 0.025054, -0.39978, 0.544], n)
        s = np.exp(np.polyval([-0.0020322, 0.062767, -0.77857, 1.3822], n))
    else:
        m = np.polyval([0.0038915, -0.083751, -0.31082, -1.5861], log)
        s = np.exp(np.polyval([0.0030302, -0.082676, -0.4803], log))
    return pvalue(stats.norm, (y - m) / s)


@statistic(stats.shapiro, double=True, least=3)
def _shapiro(x: Any) -> Any:
    """The squared correlation of the ordered sample with normal quantiles.  Shapiro & Wilk (1965)."""
    n, x = x.shape[-1], np.sort(x, -1)
    spread = np.where(x[..., 0] == x[..., -1], np.nan, np.sum((x - mean(x)) ** 2, -1))
    W = np.sum(shapiro_weights(n) * x, -1) ** 2 / spread
    return Test(W, shapiro_pvalue(W, n))


# ---------------------------------------------------------------- a family of distributions


def by_moments(x: Any) -> Any:
    return (x - np.mean(x)) / np.std(x, ddof=1)


def by_likelihood(name: str) -> Callable[[Any], Any]:
    """The deviations z from the likeliest location, on its scale: Σ s = Σ (1 + z s) = 0 with the density's score s."""
    dist = getattr(stats, name)

    def score(x: Any, _: Any, fitted: Any) -> Any:
        z = (x - fitted[0]) / fitted[1]
        s = partial(density(dist), 0, (z,))
        return np.stack([np.mean(s), 1 + np.mean(z * s)])

    def fit(x: Any, _: Any) -> Any:
        try:
            return np.array(dist.fit(x)), np.True_
        except OverflowError:  # of a constant sample
            return np.full(2, np.nan), np.False_

    def deviations(x: Any) -> Any:
        m, s = solution(x, solve=fit, conditions=score)[0]
        return (x - m) / s

    return deviations


FAMILIES: dict[str, Callable[[Any], Any]] = {
    "norm": by_moments,
    "expon": lambda x: x / np.mean(x),
    **{name: by_likelihood(name) for name in ("logistic", "gumbel_l", "gumbel_r")},
}


def critical_values(n: int, dist: str) -> tuple[Any, Any]:
    """Of n values, and the percentages to which they belong."""
    with warnings.catch_warnings(action="ignore"):
        found = stats.anderson(np.arange(1.0, n + 1), dist)
    return found.critical_values, found.significance_level


@composite(dispatching(stats.anderson))
def _anderson(x: Any, dist: str = "norm", *, method: Any = None) -> Any:
    """−n − 1/n Σ (2i − 1) (log F(zᵢ) + log (1 − F(zₙ₊₁₋ᵢ))).  Anderson & Darling (1954)."""
    dist = {"extreme1": "gumbel_l", "gumbel": "gumbel_l"}.get(dist.lower(), dist.lower())
    if dist not in FAMILIES or method not in (None, "interpolate"):
        raise NoRuleError(f"scipy.stats.anderson has no derivative rule for {dist} with {method=}.")
    x, own = np.sort(as_array(x) * np.float64(1)), OWN[getattr(stats, dist)]
    n, z = len(x), FAMILIES[dist](x)
    A2 = -n - np.sum((2 * np.arange(1, n + 1) - 1) / n * (own.logcdf(z) + np.flip(own.logsf(z))))
    critical, percent = critical_values(n, dist)
    return Critical(A2, critical, percent) if method is None else Test(A2, np.interp(A2, critical, percent / 100))


# ---------------------------------------------------------------- a distribution


@primitive
def cramer_pvalue(F: Any) -> Any:
    """Of ordered values of a distribution function."""
    return stats.cramervonmises(F, lambda u: u, axis=-1).pvalue


elementwise(cramer_pvalue, "the p-value is a series that SciPy cuts off; the statistic has a derivative")


@statistic(stats.cramervonmises, "rvs", double=True, least=2)
def _cramervonmises(rvs: Any, cdf: Any, args: Any) -> Any:
    """1/(12n) + Σ (F(x₍ᵢ₎) − (2i − 1)/(2n))²."""
    n, x = rvs.shape[-1], np.sort(rvs, -1)
    F = (OWN[getattr(stats, cdf)].cdf if isinstance(cdf, str) else cdf)(x, *args)
    distance = 1 / (12 * n) + np.sum((F - (np.arange(n) + 0.5) / n) ** 2, -1)
    return CramerVonMises(distance).having(compute=lambda: cramer_pvalue(F))


CLOSING.update(map(dispatching, (stats.cramervonmises, stats.ks_1samp, stats.kstest)))

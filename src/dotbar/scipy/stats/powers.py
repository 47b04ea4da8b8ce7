"""Power transformations of Box & Cox and of Yeo & Johnson, and the parameters that make a sample most normal."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from dotbar.core import as_array, dtype_of
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import composite
from dotbar.scipy.mirror import OWN, dispatching
from dotbar.scipy.optimize.implicit import along, solution
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.stats.hypotheses import correlation
from dotbar.scipy.stats.statistics import in_precision, statistic

# ---------------------------------------------------------------- the transformations and their likelihoods


@statistic(stats.boxcox_llf, "data")
def _boxcox_llf(data: Any, lmb: Any) -> Any:
    """Box & Cox (1964), eq. (9)."""
    n = data.shape[-1]
    return (lmb - 1) * np.sum(np.log(data), -1) - n / 2 * np.log(np.var(sc.boxcox(data, lmb), -1))


def transformed(x: Any, lmbda: Any) -> Any:
    """Yeo & Johnson (2000), eq. (2.1)."""
    up = sc.boxcox1p(np.where(x < 0, 0, x), lmbda)
    down = sc.boxcox1p(np.where(x < 0, -x, 0), 2 - lmbda)
    return in_precision(np.where(x < 0, -down, up), np.result_type(1.0, dtype_of(x)))


@statistic(stats.yeojohnson_llf, "data")
def _yeojohnson_llf(data: Any, lmb: Any) -> Any:
    """Yeo & Johnson (2000), eq. (3.2)."""
    spread = np.log(np.var(transformed(data, lmb), -1))
    return (lmb - 1) * np.sum(np.sign(data) * np.log1p(np.abs(data)), -1) - data.shape[-1] / 2 * spread


# ---------------------------------------------------------------- the best parameter


def best(x: Any, find: Callable[[Any], Any], objective: Callable[[Any, Any], Any]) -> Any:
    """The parameter that SciPy finds for a sample, as the root of the derivative of what it maximises."""

    def slope(x: Any, _: Any, lmb: Any) -> Any:
        return np.reshape(along(lambda lmb: objective(x, lmb[0]), lmb, np.ones_like(lmb)), 1)

    solve = lambda x, _: (np.reshape(find(x), 1) * np.float64(1), np.True_)
    return solution(as_array(x) * np.float64(1), solve=solve, conditions=slope)[0][0]


def normal_medians(n: int) -> Any:
    """The medians of the order statistics of a uniform variable.  Filliben (1975)."""
    last = 0.5 ** (1 / n)
    return np.array([1 - last, *((np.arange(2, n) - 0.3175) / (n + 0.365)), last])


@composite(dispatching(stats.boxcox_normmax))
def _boxcox_normmax(x: Any, brack: Any = None, method: str = "pearsonr", optimizer: Any = None, **kw: Any) -> Any:
    """Of the likelihood, or of the correlation with normal quantiles."""
    if method == "all":
        return np.stack([_boxcox_normmax(x, brack, m, optimizer, **kw) for m in ("pearsonr", "mle")])
    quantiles = sc.ndtri(normal_medians(np.size(x)))
    objectives = {
        "mle": lambda x, lmb: _boxcox_llf(x, lmb),
        "pearsonr": lambda x, lmb: correlation(quantiles, np.sort(sc.boxcox(x, lmb))),
    }
    if method not in objectives:
        raise ValueError(f"Method {method} not recognized.")
    return best(x, lambda x: stats.boxcox_normmax(x, brack, method, optimizer, **kw), objectives[method])


@composite(dispatching(stats.yeojohnson_normmax))
def _yeojohnson_normmax(x: Any, brack: Any = None) -> Any:
    return best(x, lambda x: stats.yeojohnson_normmax(x, brack), lambda x, lmb: _yeojohnson_llf(x, lmb))


@composite(dispatching(stats.boxcox))
def _boxcox(x: Any, lmbda: Any = None, alpha: Any = None, optimizer: Any = None) -> Any:
    x = as_array(x)
    if lmbda is not None:
        return sc.boxcox(x, lmbda)
    if alpha is not None:
        raise NoRuleError("scipy.stats.boxcox has no derivative rule for the confidence interval that alpha asks for.")
    lmbda = _boxcox_normmax(x, method="mle", optimizer=optimizer)
    return sc.boxcox(x, lmbda), lmbda


@composite(dispatching(stats.yeojohnson))
def _yeojohnson(x: Any, lmbda: Any = None) -> Any:
    x = as_array(x)
    if lmbda is not None:
        return transformed(x, lmbda)
    lmbda = _yeojohnson_normmax(x)
    return transformed(x, lmbda), lmbda


@composite(dispatching(stats.ppcc_max))
def _ppcc_max(x: Any, brack: Any = (0.0, 1.0), dist: Any = "tukeylambda") -> Any:
    """The shape at which the quantiles of a distribution correlate best with the sample.  Filliben (1975)."""
    own = OWN[getattr(stats, dist) if isinstance(dist, str) else dist]
    x = as_array(x)
    medians = normal_medians(len(x))
    fit = lambda x, shape: correlation(own.ppf(medians, shape), np.sort(x))
    return best(x, lambda x: stats.ppcc_max(x, brack, own.plain), fit)

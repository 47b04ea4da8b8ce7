"""Results as SciPy's: tuples, some with further attributes and with confidence intervals."""

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from dotbar.errors import NoRuleError
from dotbar.scipy.mirror import OWN

Test = namedtuple("Test", "statistic pvalue")
Interval = namedtuple("Interval", "low high")
Contingency = namedtuple("Contingency", "statistic pvalue dof expected_freq")
Directions = namedtuple("Directions", "mean_direction mean_resultant_length")
Description = namedtuple("Description", "nobs minmax mean variance skewness kurtosis")
Estimate = namedtuple("Estimate", "statistic minmax")
TheilSen = namedtuple("TheilSen", "slope intercept low_slope high_slope")
Line = namedtuple("Line", "slope intercept")
Critical = namedtuple("Critical", "statistic critical_values significance_level")
Binned = namedtuple("Binned", "statistic bin_edges binnumber")
BinnedPairs = namedtuple("BinnedPairs", "statistic x_edge y_edge binnumber")


class Further:
    """A named tuple's further attributes, which are no entries."""

    def having(self, **attributes: Any) -> Any:
        vars(self).update(attributes)
        return self


class Regression(namedtuple("Regression", "slope intercept rvalue pvalue stderr"), Further):
    """Of ``linregress``, with ``intercept_stderr``."""


class KolmogorovSmirnov(Test, Further):
    """Of ``ks_1samp``, with ``statistic_location`` and ``statistic_sign``."""


class CramerVonMises(namedtuple("CramerVonMises", "statistic"), Further):
    """Of ``cramervonmises``; the p-value is computed when it is asked for."""

    @property
    def pvalue(self: Any) -> Any:
        return self.compute()


class TTest(Test, Further):
    """Of a t test, with ``df``; ``having`` an estimate, its error and the alternative."""

    def confidence_interval(self: Any, confidence_level: Any = 0.95) -> Interval:
        """Around the estimate."""
        low, high = quantiles(OWN[stats.t], confidence_level, self.alternative, self.df)
        return Interval(self.estimate + low * self.standard_error, self.estimate + high * self.standard_error)


class Correlation(Test, Further):
    """Of ``pearsonr``; ``having`` the number of pairs n and the alternative."""

    @property
    def correlation(self) -> Any:
        return self.statistic

    def confidence_interval(self: Any, confidence_level: Any = 0.95, method: Any = None) -> Interval:
        """By the variance 1/(n − 3) of artanh r.  Fisher (1921)."""
        if method is not None:
            raise NoRuleError("pearsonr's confidence_interval has no derivative rule for resampling methods.")
        low, high = quantiles(OWN[stats.norm], confidence_level, self.alternative)
        if self.n <= 3:
            return Interval(0 * self.statistic - 1, 0 * self.statistic + 1)
        z = np.arctanh(self.statistic)
        return Interval(np.tanh(z + low / (self.n - 3) ** 0.5), np.tanh(z + high / (self.n - 3) ** 0.5))


def quantiles(dist: Any, level: Any, alternative: str, *shapes: Any) -> tuple[Any, Any]:
    """Between which a variable lies with the given probability."""
    if alternative == "less":
        return -np.inf, dist.ppf(level, *shapes)
    if alternative == "greater":
        return dist.ppf(1 - level, *shapes), np.inf
    return dist.ppf((1 - level) / 2, *shapes), dist.ppf((1 + level) / 2, *shapes)


def each_entry(f: Callable[[Any], Any], y: Any) -> Any:
    """Apply a function to a result, or to each array of a tuple and among its attributes."""
    if type(y) is tuple:
        return tuple(each_entry(f, t) for t in y)
    if isinstance(y, tuple):
        whole = type(y)(*(each_entry(f, t) for t in y))
        return whole.having(**{k: each_entry(f, v) for k, v in vars(y).items()}) if isinstance(y, Further) else whole
    return f(y) if hasattr(y, "dtype") else y


def stacked(ys: Any) -> Any:
    """Results of the same form as one, along a new last axis."""
    y = ys[0]
    if isinstance(y, tuple):
        parts = map(stacked, zip(*ys))
        whole = tuple(parts) if type(y) is tuple else type(y)(*parts)
        if not isinstance(y, Further):
            return whole
        return whole.having(**{k: stacked([vars(t)[k] for t in ys]) for k in vars(y)})
    return y if callable(y) or isinstance(y, str) else np.stack(ys, -1)


def pvalue(dist: Any, value: Any, *shapes: Any, alternative: str = "greater", **kw: Any) -> Any:
    """The probability of a value at least as extreme; of a symmetric distribution also on both sides."""
    own = OWN[dist]
    if alternative == "two-sided":
        return 2 * own.sf(np.abs(value), *shapes, **kw)
    if alternative not in ("less", "greater"):
        raise ValueError("`alternative` must be 'less', 'greater', or 'two-sided'.")
    return (own.sf if alternative == "greater" else own.cdf)(value, *shapes, **kw)

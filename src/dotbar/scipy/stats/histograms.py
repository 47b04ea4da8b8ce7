"""The distribution that a histogram describes, in its heights and edges: a constant density in each bin."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from dotbar.core import as_array, first_traced
from dotbar.errors import NoRuleError
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.stats.objects import CONTINUOUS, refused


class Steps:
    """Normalised heights over the edges of bins, and the probability below each edge."""

    def __init__(self, heights: Any, edges: Any, density: bool):
        self.edges = as_array(edges)
        self.widths = np.diff(self.edges)
        heights = as_array(heights) if density else as_array(heights) / self.widths
        self.heights = heights / np.sum(heights * self.widths)
        zero = np.zeros(1)
        self.padded = np.concatenate([zero, self.heights, zero])
        self.below = np.concatenate([zero, np.cumsum(self.heights * self.widths)])

    def pdf(self, x: Any) -> Any:
        return np.take(self.padded, np.searchsorted(self.edges, x, "right"))

    def cdf(self, x: Any) -> Any:
        return np.interp(x, self.edges, self.below)

    def ppf(self, q: Any) -> Any:
        return np.where((q >= 0) & (q <= 1), np.interp(q, self.below, self.edges), np.nan)

    def moment(self, k: int) -> Any:
        powers = self.edges ** (k + 1.0)
        return np.sum(self.heights * np.diff(powers)) / (k + 1)

    def var(self) -> Any:
        return self.moment(2) - self.moment(1) ** 2

    def entropy(self) -> Any:
        return np.sum(sc.entr(self.heights) * self.widths)


Formula = Callable[..., Any]
OF_POINTS: dict[str, Formula] = {
    "pdf": lambda h, x, scale: h.pdf(x) / scale,
    "logpdf": lambda h, x, scale: np.log(h.pdf(x) / scale),
    "cdf": lambda h, x, scale: h.cdf(x),
    "logcdf": lambda h, x, scale: np.log(h.cdf(x)),
    "sf": lambda h, x, scale: 1 - h.cdf(x),
    "logsf": lambda h, x, scale: np.log1p(-h.cdf(x)),
}
QUANTILES: dict[str, Formula] = {"ppf": Steps.ppf, "isf": lambda h, q: h.ppf(1 - q)}
NUMBERS: dict[str, Formula] = {
    "mean": lambda h, loc, scale: loc + scale * h.moment(1),
    "var": lambda h, loc, scale: scale**2 * h.var(),
    "std": lambda h, loc, scale: scale * np.sqrt(h.var()),
    "median": lambda h, loc, scale: loc + scale * h.ppf(0.5),
    "entropy": lambda h, loc, scale: h.entropy() + np.log(scale),
}


@stands_for(stats.rv_histogram)
class rv_histogram(stats.rv_histogram):
    """SciPy's class, which also takes traced values."""

    def __init__(self, histogram: Any, *args: Any, density: Any = None, **kw: Any):
        self.traced = first_traced(histogram) is not None
        if self.traced:
            self.name = "rv_histogram"
        else:
            super().__init__(histogram, *args, density=density, **kw)
        self.steps = Steps(*histogram, density=density is None or density)

    def __call__(self, *args: Any, **kw: Any) -> Any:
        if self.traced or first_traced([*args, *kw.values()]) is not None:
            raise NoRuleError(
                "dotbar.scipy.stats.rv_histogram(...)(loc, scale) is not traced; pass them to its methods."
            )
        return super().__call__(*args, **kw)

    freeze = __call__


def of_points(name: str, formula: Formula) -> Formula:
    def call(self: Any, x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        with np.errstate(all="ignore"):
            return formula(self.steps, (as_array(x) - loc) / scale, scale)

    return call


def of_quantiles(name: str, formula: Formula) -> Formula:
    def call(self: Any, q: Any, loc: Any = 0, scale: Any = 1) -> Any:
        return loc + scale * formula(self.steps, as_array(q))

    return call


def of_numbers(name: str, formula: Formula) -> Formula:
    def call(self: Any, loc: Any = 0, scale: Any = 1) -> Any:
        return formula(self.steps, loc, scale)

    return call


def enter(name: str, own: Formula) -> None:
    """Let a method be SciPy's until something traced comes."""
    scipys = getattr(stats.rv_histogram, name)

    def call(self: Any, *args: Any, **kw: Any) -> Any:
        plain = not self.traced and first_traced([*args, *kw.values()]) is None
        return (scipys if plain else own)(self, *args, **kw)

    call.__name__, call.__doc__ = name, scipys.__doc__
    setattr(rv_histogram, name, call)


for _name in {*CONTINUOUS, "expect", *NUMBERS}:
    enter(
        _name,
        refused(_name, "density, distribution function, quantiles, mean and variance have one"),
    )
for _table, _make in ((OF_POINTS, of_points), (QUANTILES, of_quantiles), (NUMBERS, of_numbers)):
    for _name, _formula in _table.items():
        enter(_name, _make(_name, _formula))

"""Statistics of values by bins: a function of the values, each bin's of those in it.  Where points lie is fixed."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from dotbar.core import as_array, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import composite, constant
from dotbar.rules.refusals import differentiated, refusal
from dotbar.rules.statistics import root
from dotbar.rules.words import stop_gradient
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.stats.results import Binned, BinnedPairs


@primitive
def located(*points: Any, count: Callable[..., Any], settings: tuple[Any, ...]) -> Any:
    """The edges of the bins, along each axis, and at last in which bin each point lies."""
    _, *edges, numbers = count(points, *settings)
    return (*(edges[0] if isinstance(edges[0], list) else edges), numbers)


constant(located, like=lambda *points, count, settings: None)


def take(x: Any, index: Any) -> Any:
    return np.take_along_axis(x, index, 0)


class Groups:
    """Values by the number of their bin, among so many."""

    def __init__(self, values: Any, numbers: Any, size: int):
        self.values, self.numbers, self.size = values, numbers, size
        self.counts = np.bincount(numbers, minlength=size) * 1.0

    def mean(self, values: Any) -> Any:
        return np.bincount(self.numbers, values, self.size) / self.counts

    def std(self) -> Any:
        return root(self.mean((self.values - take(self.mean(self.values), self.numbers)) ** 2))

    def ordered(self, place: Callable[[Any], Any]) -> Any:
        """In each bin the value at some place in ascending order."""
        by_value = np.argsort(self.values, kind="stable")
        order = take(by_value, np.argsort(take(self.numbers, by_value), kind="stable"))
        index = np.cumsum(self.counts) - self.counts + place(self.counts)
        return take(self.values, take(order, np.clip(index, 0, len(self.numbers) - 1).astype(int)))

    def median(self) -> Any:
        return (self.ordered(lambda n: (n - 1) // 2) + self.ordered(lambda n: n // 2)) / 2

    def extreme(self, place: Callable[[Any], Any]) -> Any:
        """The smallest or largest values, equal ones in equal shares."""
        attained = self.values == take(stop_gradient(self.ordered(place)), self.numbers)
        return self.mean(np.where(attained, self.values, 0)) / self.mean(attained * 1.0)


STATISTICS: dict[Any, Callable[[Groups], Any]] = {
    "mean": lambda g: g.mean(g.values),
    "median": Groups.median,
    "std": Groups.std,
    "sum": lambda g: np.bincount(g.numbers, g.values, g.size),
    "min": lambda g: g.extreme(lambda n: 0 * n),
    "max": lambda g: g.extreme(lambda n: n - 1),
    "count": lambda g: g.counts,
}


def of_bins(statistic: Any, values: Any, numbers: Any, edges: Any) -> Any:
    """The statistic in each bin; ``numbers`` are those in a grid with a margin of one bin, NaN without values."""
    padded, values = tuple(len(e) + 1 for e in edges), as_array(values)
    if not isinstance(statistic, str):
        raise NoRuleError(f"scipy.stats.binned_statistic has a derivative rule for {', '.join(STATISTICS)} by name.")
    rows = np.reshape(values * 1.0, (-1, len(numbers)))
    with np.errstate(all="ignore"):
        groups = [Groups(row, numbers, int(np.prod(padded))) for row in rows]
        found = np.stack([STATISTICS[statistic](g) for g in groups])
        if statistic not in ("sum", "count"):
            found = np.where(groups[0].counts > 0, found, np.nan)
    inner = (..., *(slice(1, -1),) * len(edges))
    return np.reshape(found, (*np.shape(values)[:-1], *padded))[inner]


def fixed(function: str, **points: Any) -> None:
    """Refuse points and edges of bins under differentiation."""
    for name, x in points.items():
        if differentiated(x):
            raise refusal(f"dotbar.scipy.stats.{function}", name, "in which bin a point lies jumps")


def along_axes(numbers: Any, edges: Any, expand: bool) -> Any:
    """The numbers of the bins along each axis, if they are wanted."""
    return np.stack(np.unravel_index(numbers, [len(e) + 1 for e in edges])) if expand else numbers


@composite(dispatching(stats.binned_statistic))
def _binned_statistic(x: Any, values: Any, statistic: Any = "mean", bins: Any = 10, range: Any = None) -> Any:
    fixed("binned_statistic", x=x, bins=bins, range=range)
    count = lambda xs, *settings: stats.binned_statistic(*xs, *xs, "count", *settings)
    edges, numbers = located(as_array(x), count=count, settings=(bins, range))
    return Binned(of_bins(statistic, values, numbers, [edges]), edges, numbers)


@composite(dispatching(stats.binned_statistic_2d))
def _binned_statistic_2d(
    x: Any,
    y: Any,
    values: Any,
    statistic: Any = "mean",
    bins: Any = 10,
    range: Any = None,
    expand_binnumbers: bool = False,
) -> Any:
    fixed("binned_statistic_2d", x=x, y=y, bins=bins, range=range)
    count = lambda xs, *settings: stats.binned_statistic_2d(*xs, xs[0], "count", *settings)
    *edges, numbers = located(as_array(x), as_array(y), count=count, settings=(bins, range))
    return BinnedPairs(
        of_bins(statistic, values, numbers, edges), *edges, along_axes(numbers, edges, expand_binnumbers)
    )


@composite(dispatching(stats.binned_statistic_dd))
def _binned_statistic_dd(
    sample: Any,
    values: Any,
    statistic: Any = "mean",
    bins: Any = 10,
    range: Any = None,
    expand_binnumbers: bool = False,
    binned_statistic_result: Any = None,
) -> Any:
    fixed("binned_statistic_dd", sample=sample, bins=bins, range=range)
    points = np.atleast_2d(np.transpose(sample)) if hasattr(sample, "shape") else map(as_array, sample)
    count = lambda xs, *settings: stats.binned_statistic_dd(list(xs), xs[0], "count", *settings)
    *edges, numbers = located(*points, count=count, settings=(bins, range, False, binned_statistic_result))
    return Binned(of_bins(statistic, values, numbers, edges), edges, along_axes(numbers, edges, expand_binnumbers))

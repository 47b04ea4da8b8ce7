"""The words in which distributions are computed: SciPy's value, from plain arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dotbar.core import primitive
from dotbar.rules.kinds import constant

__all__ = ["as_double", "drawn", "entrywise", "law", "mass", "moment", "tails"]


@primitive
def law(x: Any, loc: Any, scale: Any, *shapes: Any, dist: Any, method: str) -> Any:
    """A function of a continuous distribution, by its name; of ``rvs`` the sample x."""
    if method == "rvs":
        return np.array(x)[()]
    return getattr(dist, method)(x, *shapes, loc=loc, scale=scale)


@primitive
def mass(k: Any, loc: Any, *shapes: Any, dist: Any, method: str) -> Any:
    """A function of a discrete distribution, by its name."""
    return getattr(dist, method)(k, *shapes, loc=loc)


@primitive
def moment(loc: Any, scale: Any, *shapes: Any, dist: Any, kind: str) -> Any:
    """The ``mean``, ``variance``, ``skewness``, ``kurtosis`` or ``entropy`` of a continuous distribution."""
    if kind == "entropy":
        return dist.entropy(*shapes, loc=loc, scale=scale)
    return dist.stats(*shapes, loc=loc, scale=scale, moments=kind[0])


@primitive
def drawn(loc: Any, scale: Any, *shapes: Any, dist: Any, size: Any, random_state: Any) -> Any:
    """A sample of a continuous distribution, as mere numbers."""
    return dist.rvs(*shapes, loc=loc, scale=scale, size=size, random_state=random_state)


constant(drawn, like=lambda *args, dist, size, random_state: None)


def as_double(x: Any) -> Any:
    """A parameter in the precision in which SciPy computes distributions."""
    return x * np.float64(1)


def entrywise(factor: Callable[[int], Any], y: Any) -> Callable[[int], Any]:
    """The pair (dot, bar) of an argument, from the function's partial derivative by it; NaN where the result is."""

    def pair(i: int) -> Any:
        def times(t: Any) -> Any:
            with np.errstate(all="ignore"):
                return np.broadcast_to(t * np.where(np.isnan(y), np.nan, factor(i)), y.shape)

        return times, times

    return pair


def tails(dist: Any, x: Any, *shapes: Any) -> tuple[Any, Any]:
    """log F and log (1 − F) of the standard distribution."""
    below, above = (law(x, 0.0, 1.0, *shapes, dist=dist, method=method) for method in ("logcdf", "logsf"))
    return below, above

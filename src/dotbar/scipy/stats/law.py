"""The words in which distributions are computed: SciPy's value, from plain arrays."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from dotbar.core import primitive
from dotbar.rules.kinds import constant
from dotbar.trace import recordings

__all__ = ["as_double", "entrywise", "law", "mass", "moment", "sample", "tails"]


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
def drawn(*parameters: Any, draw: Callable[..., Any], size: Any, random_state: Any) -> Any:
    """A sample, as mere numbers: what SciPy draws given the parameters."""
    state = random_state() if isinstance(random_state, Replay) else random_state
    return draw(*parameters, size=size, random_state=state)


constant(drawn, like=lambda *parameters, draw, size, random_state: None)


class Replay:
    """A generator that draws the same numbers whenever compiled code comes to it again.

    The first time is that of the recording, which goes on with the user's own generator.
    """

    def __init__(self, generator: Any):
        self.generator, self.state = generator, deepcopy(generator)

    def __call__(self) -> Any:
        generator, self.generator = self.generator, None
        return deepcopy(self.state) if generator is None else generator


def sample(*parameters: Any, draw: Callable[..., Any], size: Any, random_state: Any) -> Any:
    """Numbers drawn now; where this is recorded, the same in each run."""
    state = np.random.mtrand._rand if random_state is None or random_state is np.random else random_state
    return drawn(*parameters, draw=draw, size=size, random_state=Replay(state) if recordings.open else state)


def as_double(x: Any) -> Any:
    """A parameter in the precision in which SciPy computes distributions."""
    return x * np.float64(1)


def entrywise(factor: Callable[[int], Any], y: Any) -> Callable[[int], Any]:
    """The pair (dot, bar) of an argument, from the function's partial derivative by it; NaN where the result is."""

    def pair(i: int) -> Any:
        def times(t: Any) -> Any:
            with np.errstate(all="ignore"):
                return np.broadcast_to(t * factor(i) * np.where(np.isnan(y), np.nan, 1.0), y.shape)

        return times, times

    return pair


def tails(dist: Any, x: Any, *shapes: Any) -> tuple[Any, Any]:
    """log F and log (1 − F) of the standard distribution."""
    below, above = (law(x, 0.0, 1.0, *shapes, dist=dist, method=method) for method in ("logcdf", "logsf"))
    return below, above

"""``scipy.stats.qmc``: how far points are from uniform, as a function of the points."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.stats import qmc

from dotbar.core import as_array, primitive
from dotbar.rules.kinds import composite, constant
from dotbar.rules.words import raise_if
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.mirror import members as _members
from dotbar.scipy.spatial.distance import pdist, squareform

__getattr__, __dir__, __all__ = _members("scipy.stats.qmc")


def in_unit_cube(x: Any) -> Any:
    """Points of the unit hypercube, one a row."""
    x = as_array(x) * np.float64(1)
    if x.ndim != 2:
        raise ValueError("Sample is not a 2D array")
    raise_if(np.any((x < 0) | (x > 1)), error=ValueError("Sample is not in unit hypercube"))
    return x


def centered(x: Any, y: Any) -> Any:
    a, b = np.abs(x - 0.5), np.abs(y - 0.5)
    return np.prod(1 + (a + b - np.abs(x - y)) / 2, -1)


def centered_alone(x: Any) -> Any:
    a = np.abs(x - 0.5)
    return np.prod(1 + (a - a**2) / 2, -1)


def wrapped(x: Any, y: Any) -> Any:
    d = np.abs(x - y)
    return np.prod(1.5 - d * (1 - d), -1)


def mixed(x: Any, y: Any) -> Any:
    a, b, d = np.abs(x - 0.5), np.abs(y - 0.5), np.abs(x - y)
    return np.prod(1.875 - (a + b) / 4 - 0.75 * d + d**2 / 2, -1)


def mixed_alone(x: Any) -> Any:
    a = np.abs(x - 0.5)
    return np.prod(5 / 3 - (a + a**2) / 4, -1)


def star(x: Any, y: Any) -> Any:
    return np.prod(1 - np.maximum(x, y), -1)


Kernel = tuple[float, Callable[[Any], Any], Callable[[Any, Any], Any]]
KERNELS: dict[str, Kernel] = {
    "CD": (13 / 12, centered_alone, centered),
    "MD": (19 / 12, mixed_alone, mixed),
    "L2-star": (1 / 3, lambda x: np.prod((1 - x**2) / 2, -1), star),
}
"""cᵈ and the two kernels: of one point and of pairs of points.  Zhou, Fang & Ning (2013), section 2."""


@composite(dispatching(qmc.discrepancy))
def _discrepancy(sample: Any, *, iterative: bool = False, method: str = "CD", workers: int = 1) -> Any:
    """cᵈ − 2/n Σ g(xᵢ) + 1/n² Σ K(xᵢ, xⱼ); of the star discrepancy the root."""
    x = in_unit_cube(sample)
    n, d = len(x) + iterative, x.shape[1]
    pairs = lambda kernel: np.sum(kernel(x[:, None], x)) / n**2
    if method == "WD":
        return pairs(wrapped) - (4 / 3) ** d
    if method not in KERNELS:
        raise ValueError(f"{method!r} is not a valid method. It must be one of {{'CD', 'WD', 'MD', 'L2-star'}}")
    c, alone, kernel = KERNELS[method]
    total = c**d - 2 / n * np.sum(alone(x)) + pairs(kernel)
    return np.sqrt(total) if method == "L2-star" else total


@composite(dispatching(qmc.update_discrepancy))
def _update_discrepancy(x_new: Any, sample: Any, initial_disc: Any) -> Any:
    """What a further point adds to the centered discrepancy."""
    x, new = in_unit_cube(sample), as_array(x_new)
    n = len(x) + 1
    pairs = 2 * np.sum(centered(new, x)) + centered(new, new)
    return initial_disc - 2 / n * centered_alone(new) + pairs / n**2


@primitive
def spanning_tree(distances: Any) -> Any:
    """1 at the edges of the shortest tree that joins all points."""
    return (minimum_spanning_tree(np.triu(distances)).toarray() > 0) * 1.0


constant(spanning_tree, like=lambda distances: None)


@composite(dispatching(qmc.geometric_discrepancy))
def _geometric_discrepancy(sample: Any, method: str = "mindist", metric: str = "euclidean") -> Any:
    """The least distance of two points, or the mean edge of the shortest tree that joins them."""
    x = in_unit_cube(sample)
    if len(x) < 2:
        raise ValueError("Sample must contain at least two points")
    distances = pdist(x, metric)
    if method == "mindist":
        return np.min(distances)
    if method == "mst":
        return np.sum(spanning_tree(squareform(distances))[np.triu_indices(len(x), 1)] * distances) / (len(x) - 1)
    raise ValueError(f"{method!r} is not a valid method. It must be one of {{'mindist', 'mst'}}")


@composite(dispatching(qmc.scale))
def _scale(sample: Any, l_bounds: Any, u_bounds: Any, *, reverse: bool = False) -> Any:
    """From the unit hypercube to a box, or back."""
    x, low, high = map(as_array, (sample, l_bounds, u_bounds))
    raise_if(np.any(low >= high), error=ValueError("Bounds are not consistent 'l_bounds' < 'u_bounds'"))
    if not reverse:
        return in_unit_cube(x) * (high - low) + low
    raise_if(np.any((x < low) | (x > high)), error=ValueError("Sample is out of bounds"))
    return (x - low) / (high - low)

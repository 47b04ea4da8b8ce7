"""Area and volume of convex hulls: smooth as long as the same points are its corners."""

from math import comb, factorial
from typing import Any

import numpy as np
import scipy.spatial as _spatial

from dotbar.core import first_traced, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import constant
from dotbar.rules.words import stop_gradient
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.spatial.distance import in_double


def _most_facets(n: int, d: int) -> int:
    """As many facets as the hull of n points can have: those of a cyclic polytope.  McMullen (1970), Mathematika 17."""
    return comb(n - (d + 1) // 2, d // 2) + comb(n - 1 - d // 2, (d - 1) // 2)


@primitive
def facets(points: Any, *, options: Any = None) -> Any:
    """The corners of each facet, outwards: their numbers, filled up by facets without extent to as many as can be."""
    n, d = points.shape
    hull = _spatial.ConvexHull(points, qhull_options=options)
    corners = np.zeros((_most_facets(n, d), d), int)
    found = corners[: len(hull.simplices)]
    found[:] = hull.simplices
    inwards = np.sum(_normals(points[found]) * hull.equations[:, :-1], -1) < 0
    found[inwards, :2] = found[inwards, 1::-1]
    return corners


constant(facets, like=lambda points, *, options=None: None)


def _normals(corners: Any) -> Any:
    """The vectors orthogonal to facets, as long as the parallelotopes that these span: generalised cross products."""
    edges = corners[:, 1:] - corners[:, :1]
    d = corners.shape[-1]
    minors = [np.linalg.det(np.delete(edges, k, -1)) * (-1) ** k for k in range(d)]
    return np.stack(minors, -1)


def measures(points: Any, options: Any = None) -> tuple[Any, Any]:
    """The area of the surface, Σ |N|/(d−1)!, and the volume, Σ N·x/d! over the facets: the divergence theorem."""
    d = points.shape[-1]
    numbers = facets(points, options=options)
    corners, extended = points[numbers], numbers[:, :1] != numbers[:, 1:2]
    normals = _normals(corners)
    sizes = np.linalg.norm(np.where(extended, normals, 1), axis=-1)
    area = np.sum(np.where(extended[:, 0], sizes, 0)) / factorial(d - 1)
    inside = corners[:, 0] - np.mean(stop_gradient(points), 0)  # Σ N = 0: the origin does not matter
    return area, np.sum(normals * inside) / factorial(d)


@stands_for(_spatial.ConvexHull)
class ConvexHull:
    """The convex hull of points; of traced ones ``area`` and ``volume`` have derivatives, the rest is SciPy's."""

    def __new__(cls, points: Any, incremental: bool = False, qhull_options: Any = None) -> Any:
        """SciPy's own of plain points."""
        if first_traced(points) is None:
            return _spatial.ConvexHull(points, incremental, qhull_options)
        if incremental:
            raise NoRuleError("scipy.spatial.ConvexHull has no derivative rule for incremental=True.")
        hull = object.__new__(cls)
        hull.points = in_double(points if hasattr(points, "shape") else np.stack(points))
        hull.area, hull.volume = measures(hull.points, qhull_options)
        hull._options = qhull_options
        return hull

    points: Any
    area: Any
    volume: Any
    _options: Any

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "equations":
            raise NoRuleError("scipy.spatial.ConvexHull.equations has no derivative rule.")
        return getattr(_spatial.ConvexHull(np.asarray(stop_gradient(self.points)), False, self._options), name)

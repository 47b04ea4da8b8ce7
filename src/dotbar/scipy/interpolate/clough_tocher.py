"""The cubic interpolant of scattered data in the plane with a continuous gradient: in values, data points and points.

Each triangle of the Delaunay triangulation is split at its centre into three, on which there are Bézier ordinates.
Alfeld (1984), Computer Aided Geometric Design 1; Farin (1986), the same 3.
"""

from typing import Any

import numpy as np
import scipy.interpolate as si
from scipy.spatial import Delaunay

from dotbar.core import new_zeros, primitive
from dotbar.rules.kinds import constant
from dotbar.rules.words import entries, stop_gradient
from dotbar.scipy.interpolate.bsplines import flat
from dotbar.scipy.interpolate.objects import against, double, filled
from dotbar.scipy.interpolate.scattered import Scattered, barycentric_coordinates, coordinates, in_units
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.sparse.words import solve

NEXT, LAST = np.array([1, 2, 0]), np.array([2, 0, 1])
"""For each corner the ends of the edge opposite to it."""


@primitive
def triangles(points: Any, x: Any) -> tuple[Any, Any, Any, Any, Any]:
    """The triangle around each point x, whether there is one, its neighbours and whether there are; and all edges."""
    mesh = Delaunay(points)
    found = mesh.find_simplex(x)
    beside = mesh.neighbors[found]
    pairs = np.sort(
        np.concatenate([mesh.simplices[:, [0, 1]], mesh.simplices[:, [1, 2]], mesh.simplices[:, [2, 0]]]), 1
    )
    edges = np.zeros((3 * len(points), 2), int)  # as many as there can be: the rest have no length
    known = np.unique(pairs, axis=0)
    edges[: len(known)] = known
    return mesh.simplices[found].astype(int), found >= 0, mesh.simplices[beside].astype(int), beside >= 0, edges


constant(triangles, like=lambda points, x: None)


@primitive
def of_scipy(points: Any, values: Any, x: Any, *, tol: float, maxiter: int) -> Any:
    """SciPy's value, which iterates for the gradients to some tolerance."""
    return si.CloughTocher2DInterpolator(points, values, 0.0, tol, maxiter)(x)


constant(of_scipy, like=lambda points, values, x, *, tol, maxiter: None)


def gradients(p: Any, f: Any, edges: Any) -> Any:
    """The gradients at the data points for which cubics along the edges bend the least.  Nielson (1983).

    With slopes a and b along an edge e, and δ the difference of its ends, ∫w″² is 4(a² + ab + b² − 3δ(a + b − δ))/|e|³,
    so Σ e(4a + 2b)/|e|³ = Σ 6eδ/|e|³ over the edges of each point.
    """
    n, (i, j) = len(p), edges.T
    e = entries(p, j) - entries(p, i)
    length = np.sqrt(np.where(i == j, 1.0, np.sum(e * e, 1)))
    weight = np.where(i == j, 0.0, 1 / length**3)
    block = (weight[:, None] * e)[:, :, None] * e[:, None, :]
    ends = [(i, i, 4.0), (j, j, 4.0), (i, j, 2.0), (j, i, 2.0)]
    two = np.arange(2)
    parts = [flat(m * block, 2 * a[:, None, None] + two[:, None], 2 * b[:, None, None] + two) for a, b, m in ends]
    data, row, column = map(np.concatenate, zip(*parts))
    pull = (6 * weight[:, None] * e)[:, :, None] * (entries(f, j) - entries(f, i))[:, None, :]
    right = new_zeros((n, 2, f.shape[1]), f.dtype, pull)
    np.add.at(right, i, pull)
    np.add.at(right, j, pull)
    return np.reshape(solve(data, np.reshape(right, (2 * n, -1)), row, column), right.shape)


def interpolated(points: Any, values: Any, x: Any) -> tuple[Any, Any]:
    """The interpolant at x, and where there is one."""
    corners, inside, others, shared, edges = triangles(points, x)
    p, f = entries(points, corners), entries(values, corners)
    slopes = entries(gradients(points, values, edges), corners)
    C = f[:, :, None] + np.einsum("mkla,mkav->mklv", p[:, None] - p[:, :, None], slopes) / 3  # from corner k towards l
    M = np.mean(C, 2)
    share = [barycentric_coordinates(p, np.mean(entries(points, others[:, k]), 1)) for k in range(3)]
    s, t = (np.stack([share[k][:, end[k]] for k in range(3)], 1) for end in (NEXT, LAST))
    s, t = (np.where(shared, v, 0.0) for v in (s, t))
    g = np.where(shared, (2 * t + s - 1) / (2 - 3 * t - 3 * s), -0.5)[..., None]  # the direction across the edge
    first, there, back, last = C[:, NEXT, NEXT], C[:, NEXT, LAST], C[:, LAST, NEXT], C[:, LAST, LAST]
    across = g * (last - first + 3 * (there - back))
    E = (across - first + 2 * there - back + M[:, NEXT] + M[:, LAST]) / 2
    N = (E[:, NEXT] + E[:, LAST] + M) / 3
    b = barycentric_coordinates(p, x)
    least = np.min(b, 1, keepdims=True)
    b, z = (b - least)[..., None], 3 * least
    off = (1 - np.eye(3))[..., None]
    y = np.sum(b**3 * f, 1) + 3 * np.sum(b[:, :, None] ** 2 * b[:, None] * off * C, (1, 2))
    y = y + 3 * z * np.sum(b**2 * M, 1) + 6 * z * np.sum(b[:, NEXT] * b[:, LAST] * E, 1)
    return y + 3 * z**2 * np.sum(b * N, 1) + z**3 * np.mean(N, 1), inside


@stands_for(si.CloughTocher2DInterpolator)
class CloughTocher2DInterpolator(Scattered, si.CloughTocher2DInterpolator):
    """Cubic on three parts of each triangle, with a continuous gradient that bends the edges the least."""

    def fit(  # type: ignore[override]
        self,
        points: Any,
        values: Any,
        fill_value: Any = np.nan,
        tol: float = 1e-6,
        maxiter: int = 400,
        rescale: bool = False,
    ) -> Any:
        points = points.points if isinstance(points, Delaunay) else points
        return double(coordinates(points, 2)), double(values), fill_value, tol, maxiter, rescale

    def of(  # type: ignore[override]
        self, points: Any, values: Any, x: Any, fill_value: Any, tol: float, maxiter: int, rescale: bool
    ) -> Any:
        points, x = in_units(points, x, rescale)
        flat = np.reshape(values, (len(values), -1))
        y, inside = interpolated(points, flat, x)
        y = of_scipy(points, flat, x, tol=tol, maxiter=maxiter) + y - stop_gradient(y)
        y = np.reshape(y, (len(x), *values.shape[1:]))
        return filled(~inside, fill_value, y * against(np.where(inside, 1.0, 0.0), y))

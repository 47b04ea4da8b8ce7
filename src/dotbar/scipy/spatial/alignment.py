"""Distances between arrays of points, Procrustes analysis, great circles."""

from typing import Any

import numpy as np
import scipy.spatial as _spatial

from dotbar.core import Traced, as_array
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import composite
from dotbar.rules.words import raise_if
from dotbar.scipy.linalg import orthogonal_procrustes
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.spatial.distance import METRICS


def _points(x: Any) -> Any:
    """An array of at least double precision."""
    x = np.asarray(x) if isinstance(x, (int, float)) else as_array(x)
    return x if x.dtype == np.result_type(x.dtype, np.float64) else x * np.float64(1)


@composite(dispatching(_spatial.minkowski_distance))
def _minkowski_distance(x: Any, y: Any, p: Any = 2.0) -> Any:
    return METRICS["minkowski"](_points(x), _points(y), p)


@composite(dispatching(_spatial.minkowski_distance_p))
def _minkowski_distance_p(x: Any, y: Any, p: Any = 2.0) -> Any:
    """The p-th power of the distance, for p = 1 and ∞ the distance itself."""
    x, y = _points(x), _points(y)
    if isinstance(p, Traced) or p not in (1, np.inf):
        return np.sum(np.abs(y - x) ** p, -1)
    return METRICS["minkowski"](x, y, p)


@composite(dispatching(_spatial.distance_matrix))
def _distance_matrix(x: Any, y: Any, p: Any = 2.0, threshold: int = 1000000) -> Any:
    x, y = _points(x), _points(y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x contains {x.shape[1]}-dimensional vectors but y contains {y.shape[1]}-dimensional vectors")
    return METRICS["minkowski"](x[:, None, :], y[None, :, :], p)


@composite(dispatching(_spatial.procrustes))
def _procrustes(data1: Any, data2: Any) -> Any:
    """Both centred and of norm 1, the second turned and scaled to meet the first.  Gower (1975), Psychometrika 40."""
    data1, data2 = _points(data1), _points(data2)
    if data1.ndim != 2 or data1.shape != data2.shape or data1.size == 0:
        raise ValueError("Input matrices must be two-dimensional, of same shape and not empty")
    first, second = (x - np.mean(x, 0) for x in (data1, data2))
    norms = np.linalg.norm(first), np.linalg.norm(second)
    raise_if((norms[0] == 0) | (norms[1] == 0), error=ValueError("Input matrices must contain >1 unique points"))
    first, second = first / norms[0], second / norms[1]
    R, scale = orthogonal_procrustes(first, second)
    second = second @ R.T * scale
    return first, second, np.sum((first - second) ** 2)


@composite(dispatching(_spatial.geometric_slerp))
def _geometric_slerp(start: Any, end: Any, t: Any, tol: float = 1e-7) -> Any:
    """Cos(tω) start + sin(tω) n, with the unit vector n from start towards end; a point where both are the same."""
    start, end, t = _points(start), _points(end), _points(t)
    if t.ndim > 1:
        raise ValueError("The interpolation parameter value must be one dimensional.")
    if start.ndim != 1 or start.shape != end.shape or len(start) < 2:
        raise ValueError("start and end must be one-dimensional, of the same length, which is at least 2")
    for point in (start, end):
        off = np.abs(np.linalg.norm(point) - 1) > 1e-9
        raise_if(off, error=ValueError("start and end are not on a unit n-sphere"))
    apart = np.linalg.norm(end + start)
    raise_if(apart <= tol, error=NoRuleError("start and end are antipodes: which great circle joins them is open."))
    across = end - start * np.sum(start * end)
    size = np.linalg.norm(across)
    angle = (t * np.arctan2(size, np.sum(start * end)))[..., None]
    return np.cos(angle) * start + np.sin(angle) * across / np.where(size == 0, 1, size)

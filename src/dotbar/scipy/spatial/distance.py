"""``scipy.spatial.distance``: distances of every metric of real vectors, between two and between all pairs.

A metric is written once, for vectors along the last axis; the functions of two vectors, ``cdist`` and ``pdist`` are the
same formula.  Where the distance is 0, the first derivative is 0 and the second nan.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.spatial.distance as _distance

from dotbar.core import Traced, as_array, copy_into, dtype_of, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import composite, elementwise, match
from dotbar.rules.shapes import astype
from dotbar.rules.words import raise_if, ratio
from dotbar.scipy.mirror import before, dispatching
from dotbar.scipy.mirror import members as _members
from dotbar.scipy.spatial.differences import products
from dotbar.scipy.special.ufuncs import rel_entr


@primitive
def root(x: Any) -> Any:
    """√x with the derivative 0 at 0."""
    return np.sqrt(x)


elementwise(root, lambda y: ratio(0.5, y))


def _weighted(x: Any, w: Any) -> Any:
    return x if w is None else _positive(w) * x


def _positive(w: Any) -> Any:
    """Weights in double precision, once it is known that none is negative."""
    w = in_double(w)
    raise_if(w < 0, error=ValueError("Input weights should be all non-negative"))
    return w


def in_double(x: Any) -> Any:
    """x in double precision, in which SciPy computes most of them."""
    return x if dtype_of(x) == np.float64 else astype(x, dtype=np.float64)


def _total(x: Any, w: Any = None) -> Any:
    return np.sum(_weighted(x, w), -1)


# ---------------------------------------------------------------- metrics, along the last axis


def _minkowski(u: Any, v: Any, p: Any = 2, w: Any = None) -> Any:
    if isinstance(p, Traced):
        power = _total(np.abs(u - v) ** p, w)
        return np.where(power == 0, 0, np.where(power == 0, 1, power) ** (1 / p))
    if p <= 0:
        raise ValueError("p must be greater than 0")
    if p == np.inf:
        return _chebyshev(u, v, w)
    return np.linalg.norm(_weighted(u - v, None if w is None else w ** (1 / p)), p, -1)


def _euclidean(u: Any, v: Any, w: Any = None) -> Any:
    return np.linalg.norm(_weighted(u - v, None if w is None else np.sqrt(w)), axis=-1)


def _chebyshev(u: Any, v: Any, w: Any = None) -> Any:
    return np.max(_weighted(np.abs(u - v), None if w is None else np.greater(w, 0)), -1)


def _correlation(u: Any, v: Any, w: Any = None, centered: bool = True) -> Any:
    w = None if w is None else _positive(w) / np.sum(in_double(w))
    if centered:
        mean = lambda x: np.mean(x, -1, keepdims=True) if w is None else np.sum(w * x, -1, keepdims=True)
        u, v = u - mean(u), v - mean(v)
    return np.clip(1.0 - _total(u * v, w) / np.sqrt(_total(u * u, w) * _total(v * v, w)), 0.0, 2.0)


def _canberra(u: Any, v: Any, w: Any = None) -> Any:
    size = np.abs(u) + np.abs(v)
    return _total(np.where(size == 0, 0, np.abs(u - v) / np.where(size == 0, 1, size)), w)


def _jensenshannon(p: Any, q: Any, base: Any = None, *, axis: int = -1, keepdims: bool = False) -> Any:
    """The root of half the relative entropies to the mean (Endres & Schindelin 2003, IEEE Trans. Inf. Theory 49)."""
    p, q = (x / np.sum(x, axis, keepdims=True) for x in (p, q))
    m = (p + q) / 2
    js = np.sum(rel_entr(p, m), axis, keepdims=keepdims) + np.sum(rel_entr(q, m), axis, keepdims=keepdims)
    if base is not None:
        js = js / (match(np.log(base), js) if js.ndim else np.log(base))
    return root(js / 2)


def _mahalanobis(u: Any, v: Any, VI: Any) -> Any:
    difference = u - v
    return root(_total(difference @ VI * difference))


METRICS: dict[str, Callable[..., Any]] = {
    "euclidean": _euclidean,
    "sqeuclidean": lambda u, v, w=None: _total((u - v) ** 2, w),
    "seuclidean": lambda u, v, V: _euclidean(u, v, 1 / V),
    "minkowski": _minkowski,
    "cityblock": lambda u, v, w=None: _total(np.abs(u - v), w),
    "chebyshev": _chebyshev,
    "cosine": lambda u, v, w=None: _correlation(u, v, w, centered=False),
    "correlation": _correlation,
    "canberra": _canberra,
    "braycurtis": lambda u, v, w=None: _total(np.abs(u - v), w) / _total(np.abs(u + v), w),
    "jensenshannon": _jensenshannon,
    "mahalanobis": _mahalanobis,
}

ALIASES = {
    **dict.fromkeys(("euclid", "eu", "e"), "euclidean"),
    **dict.fromkeys(("sqe", "sqeuclid"), "sqeuclidean"),
    **dict.fromkeys(("se", "s"), "seuclidean"),
    **dict.fromkeys(("mi", "m", "pnorm"), "minkowski"),
    **dict.fromkeys(("cblock", "cb", "c"), "cityblock"),
    **dict.fromkeys(("chebychev", "cheby", "cheb", "ch"), "chebyshev"),
    **dict.fromkeys(("cos",), "cosine"),
    **dict.fromkeys(("co",), "correlation"),
    **dict.fromkeys(("js",), "jensenshannon"),
    **dict.fromkeys(("mahal", "mah"), "mahalanobis"),
}


COUNTS = (
    *("dice", "hamming", "jaccard", "kulczynski1", "rogerstanimoto", "russellrao"),
    *("sokalmichener", "sokalsneath", "yule"),
)
"""Those of sets and of entries that are equal or not."""


# ---------------------------------------------------------------- two vectors


def _of_two(name: str) -> Callable[..., Any]:
    """A metric of two vectors, which SciPy does not compute in double precision throughout."""
    double = name in ("canberra", "braycurtis", "seuclidean")
    double_result = name == "euclidean" and before("1.18.0")

    def body(u: Any, v: Any, *args: Any, **kw: Any) -> Any:
        u, v = map(as_array, (u, v))
        if np.ndim(u) != 1 or np.ndim(v) != 1:
            raise ValueError("Input vector should be 1-D.")
        y = METRICS[name](u, in_double(v) if double else v, *args, **kw)
        return in_double(y) if double_result else y

    return body


for _name in METRICS.keys() - {"jensenshannon"}:
    composite(dispatching(getattr(_distance, _name)))(_of_two(_name))


composite(dispatching(_distance.jensenshannon))(
    lambda p, q, base=None, *, axis=0, keepdims=False: _jensenshannon(p, q, base, axis=axis, keepdims=keepdims)
)


# ---------------------------------------------------------------- all pairs

LARGE = 2**20
"""Differences of all pairs are held in memory up to so many."""


def _squares(name: str, A: Any, B: Any, kw: dict[str, Any]) -> Any:
    """The distances of all pairs of many points, where they are functions of sums of squares; else None."""
    if name == "mahalanobis":
        return root(products(A @ kw["VI"], B @ kw["VI"], A, B))
    if name not in ("euclidean", "sqeuclidean", "seuclidean") or kw.keys() - {"w", "V"}:
        return None
    w = kw.get("w") if "V" not in kw else 1 / kw["V"]
    if w is not None:
        A, B = A * np.sqrt(w), B * np.sqrt(w)
    y = products(A, B, A, B)
    return y if name == "sqeuclidean" else root(y)


def _pairs(metric: Any, A: Any, B: Any, both: Any, kw: dict[str, Any], take: Any = None) -> Any:
    """The distances of the rows of A and B, or of those pairs that ``take`` lists.

    ``both`` are all points, for what a metric estimates.
    """
    name = metric if isinstance(metric, str) else getattr(metric, "__name__", "")
    name = name.lower().removeprefix("test_")
    name = ALIASES.get(name, name)
    every = take if take is not None else tuple(np.indices((len(A), len(B))).reshape(2, -1))
    if name not in METRICS:
        if name in COUNTS:
            raise NoRuleError(f"the metric {metric!r} counts, and has no derivative.")
        if isinstance(metric, str):
            raise ValueError(f"Unknown Distance Metric: {metric}")
        each = [metric(A[i], B[j], **kw) for i, j in zip(*every)]
        y = in_double(np.stack(each)) if each else np.zeros(0)
        return y if take is not None else np.reshape(y, (len(A), len(B)))
    A, B = in_double(A), in_double(B)
    if name == "seuclidean" and kw.get("V") is None:
        kw = {**kw, "V": np.var(both(), 0, ddof=1)}
    if name == "mahalanobis" and kw.get("VI") is None:
        kw = {**kw, "VI": np.linalg.inv(np.atleast_2d(np.cov(both().T))).T}
    if A.size * len(B) > LARGE and (y := _squares(name, A, B, kw)) is not None:
        return y if take is None else y[take]
    rows = (A[:, None, :], B[None, :, :]) if take is None else (A[take[0]], B[take[1]])
    return METRICS[name](*rows, **kw)


def _data(x: Any) -> Any:
    """Points as an array of real numbers."""
    x = as_array(x)
    if dtype_of(x).kind == "c":
        raise ValueError(f"Unsupported dtype {dtype_of(x)}")
    return x


@composite(dispatching(_distance.cdist))
def _cdist(XA: Any, XB: Any, metric: Any = "euclidean", *, out: Any = None, **kw: Any) -> Any:
    XA, XB = map(_data, (XA, XB))
    if XA.ndim != 2 or XB.ndim != 2 or XA.shape[1] != XB.shape[1]:
        raise ValueError(f"XA and XB must be two-dimensional with as many columns, not {XA.shape} and {XB.shape}.")
    y = _pairs(metric, XA, XB, lambda: np.concatenate([XA, XB]), kw)
    return y if out is None else copy_into(out, y)


@composite(dispatching(_distance.pdist))
def _pdist(X: Any, metric: Any = "euclidean", *, out: Any = None, **kw: Any) -> Any:
    X = _data(X)
    if X.ndim != 2:
        raise ValueError(f"A 2-dimensional array must be passed. (Shape was {X.shape}).")
    y = _pairs(metric, X, X, lambda: X, kw, np.triu_indices(len(X), 1))
    return y if out is None else copy_into(out, y)


@composite(dispatching(_distance.squareform))
def _squareform(X: Any, force: str = "no", checks: bool = True) -> Any:
    """Each entry of the vector stands at two places; of the matrix the upper triangle is read."""
    if X.ndim == 1 and force.lower() != "tovector":
        n = int(np.ceil(np.sqrt(X.size * 2))) if X.size else 1
        if n * (n - 1) != X.size * 2:
            raise ValueError("Incompatible vector size. It must be a binomial coefficient n choose 2 for n >= 2.")
        place = np.full((n, n), X.size)
        place[np.triu_indices(n, 1)] = place.T[np.triu_indices(n, 1)] = np.arange(X.size)
        return np.concatenate([X, np.zeros(1, dtype_of(X))])[place]
    if X.ndim != 2 or force.lower() == "tomatrix" or X.shape[0] != X.shape[1]:
        raise ValueError("squareform takes a vector, or a square matrix.")
    if checks:
        raise_if(np.any(X != X.T), error=ValueError("Distance matrix 'X' must be symmetric."))
        raise_if(np.any(np.diagonal(X) != 0), error=ValueError("Distance matrix 'X' diagonal must be zero."))
    return X[np.triu_indices(X.shape[0], 1)]


@composite(dispatching(_distance.directed_hausdorff))
def _directed_hausdorff(u: Any, v: Any, rng: Any = 0, **kw: Any) -> Any:
    """The largest distance from a point of u to v, and which points have it."""
    distances = METRICS["euclidean"](in_double(u)[:, None, :], in_double(v)[None, :, :])
    nearest = np.min(distances, 1)
    i = np.argmax(nearest)
    return np.max(nearest), i, np.argmin(distances, 1)[i]


__getattr__, __dir__, __all__ = _members("scipy.spatial.distance")

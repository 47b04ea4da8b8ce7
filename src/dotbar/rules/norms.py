"""Norms of vectors and matrices.  At zero every norm has derivative 0, and nan for a second one that does not exist."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from dotbar.core import primitive, shape_of
from dotbar.rules.kinds import composite, rule, shift_axis
from dotbar.rules.lapack_words import inexact
from dotbar.rules.shapes import check_axes
from dotbar.rules.words import ratio, spread


def _batch_two_norm(xs: Any, batched: Any, size: int, axis: Any = None, keepdims: bool = False) -> Any:
    return two_norm(xs[0], axis=shift_axis(axis, np.ndim(xs[0]) - 1), keepdims=keepdims)


@primitive
def two_norm(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    """(Σ|x|²)^½ along any axes: the Euclidean norm of vectors, Frobenius's of matrices."""
    if isinstance(axis, tuple) and len(axis) not in (1, 2):
        return np.sqrt(np.sum(np.real(x * np.conj(x)), axis, keepdims=keepdims))
    return np.linalg.norm(x, axis=axis, keepdims=keepdims)


@rule(two_norm, _batch_two_norm)
def _two_norm(y: Any, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    """ẏ = Re Σ x̄ẋ / y,  x̄ = ȳ x/y.  Giles (2008), 2.2.6 for the Frobenius norm."""
    inverse = ratio(1.0, y)

    def dot(xdot: Any) -> Any:
        return np.sum(np.real(np.conj(x) * xdot), axis, keepdims=keepdims) * inverse

    def bar(ybar: Any) -> Any:
        return spread(ybar * inverse, x.shape, axis, keepdims) * x

    return dot, bar


def _batch_power_norm(xs: Any, batched: Any, size: int, p: float, axis: Any = None, keepdims: bool = False) -> Any:
    return power_norm(xs[0], p=p, axis=shift_axis(axis, np.ndim(xs[0]) - 1), keepdims=keepdims)


@primitive
def power_norm(x: Any, *, p: float, axis: Any = None, keepdims: bool = False) -> Any:
    """(Σ|x|ᵖ)^(1/p) for real p ≠ 0."""
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=p)


@rule(power_norm, _batch_power_norm)
def _power_norm(y: Any, x: Any, *, p: float, axis: Any = None, keepdims: bool = False) -> Any:
    """∂y/∂x = (|x|/y)^(p−1) sign(x), for complex x the direction of steepest ascent; 0 at a zero entry.

    For p < 2 a zero entry has no second derivative: the 0 that is added has the derivative nan there.
    """
    size = np.abs(x)
    share = ratio(size, spread(y, x.shape, axis, keepdims))
    if p < 2:
        share = share + ratio(0.0, np.min(size, axis, keepdims=True, initial=np.inf))
    slope = share ** (p - 1) * np.sign(x) if p > 1 else ratio(np.sign(x), share ** (1 - p))

    def dot(xdot: Any) -> Any:
        return np.sum(np.real(np.conj(slope) * xdot), axis, keepdims=keepdims)

    def bar(ybar: Any) -> Any:
        return spread(ybar, x.shape, axis, keepdims) * slope

    return dot, bar


def _largest(x: Any, axis: Any, keepdims: bool) -> Any:
    """The largest of the numbers; of none 0, as NumPy's norms have it."""
    return np.max(x, axis=axis, keepdims=keepdims, **({} if all(shape_of(x)) else {"initial": 0}))


def _vector_norm(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order '{ord}' for vectors")
    check_axes(axis, np.ndim(x))
    if ord is None or ord == 2:
        return two_norm(x, axis=axis, keepdims=keepdims)
    if ord == np.inf:
        return _largest(np.abs(x), axis, keepdims)
    if ord == -np.inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum(np.where(x != 0, 1, 0), axis=axis, keepdims=keepdims).astype(np.abs(x).dtype)
    if ord == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    return power_norm(x, p=ord, axis=axis, keepdims=keepdims)


def _matrix_norm(x: Any, ord: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    row, col = (normalize_axis_index(k, x.ndim) for k in axes)
    if row == col:
        raise ValueError("Duplicate axes given.")
    if ord in (None, "fro", "f"):
        return two_norm(x, axis=(row, col), keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        s = np.linalg.svdvals(np.moveaxis(x, (row, col), (-2, -1)))
        y = np.sum(s, -1) if ord == "nuc" else np.sum(s[..., :1], -1) if ord == 2 else s[..., -1]
    elif ord in (1, -1, np.inf, -np.inf):
        along, over = (row, col) if abs(ord) == 1 else (col, row)
        sums = np.sum(np.abs(x), axis=along, keepdims=True)
        y = np.squeeze((_largest if ord > 0 else np.min)(sums, axis=over, keepdims=True), (row, col))
    else:
        raise ValueError("Invalid norm order for matrices.")
    return np.expand_dims(y, (row, col)) if keepdims else y


@composite(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = inexact(x)
    ndim = len(shape_of(x))
    if axis is None:
        if ord is None:
            return two_norm(x, axis=None, keepdims=keepdims)
        axis = tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ValueError("Improper number of dimensions to norm.")


@composite(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return _vector_norm(inexact(x), ord, axis, keepdims)


@composite(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return _matrix_norm(inexact(x), ord, (-2, -1), keepdims)

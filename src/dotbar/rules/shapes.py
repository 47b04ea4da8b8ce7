"""Shape operations: reshape, transpose, join, split, repeat."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from dotbar import core
from dotbar.core import cell, dtype_of, primitive, shape_of
from dotbar.rules.kinds import align, composite, linear, match, rule, unbroadcast
from dotbar.rules.words import masked


@composite(np.shape)
def shape(a: Any) -> Any:
    return a.shape


@composite(np.ndim)
def ndim(a: Any) -> Any:
    return a.ndim


@composite(np.size)
def size(a: Any, axis: Any = None) -> Any:
    if axis is None:
        return a.size
    axes = axis if isinstance(axis, tuple) else (axis,)
    return int(np.prod([a.shape[k] for k in axes], dtype=int))


# ---------------------------------------------------------------- making arrays


@composite(np.zeros)
def zeros(shape: Any, dtype: Any = float, order: Any = "C", **_: Any) -> Any:
    return cell(np.zeros(shape, dtype, order))


@composite(np.zeros_like)
def zeros_like(a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **_: Any) -> Any:
    return cell(np.zeros(a.shape if shape is None else shape, dtype_of(a) if dtype is None else dtype))


@rule(np.where, "(),(),()->()")
def where(y: Any, condition: Any, x: Any = None, y_: Any = None) -> Any:
    return [
        None,
        (lambda xdot: np.where(condition, xdot, 0), lambda ybar: masked(ybar, condition)),
        (lambda ydot: np.where(condition, 0, ydot), lambda ybar: masked(ybar, ~condition)),
    ]


linear(np.copy, lambda ybar, a, *, order="K", subok=False: ybar, batch="()->()", moves=True)


# ---------------------------------------------------------------- the shape of one array


def _batch_reshape(xs: Any, batched: Any, size: int, shape: Any, order: str = "C", copy: Any = None) -> Any:
    new = shape if isinstance(shape, (tuple, list)) else (shape,)
    if -1 in new and size == 0:
        raise ValueError("cannot reshape an array of no items into a shape with -1")
    x = np.reshape(xs[0], (size, *new)) if order == "C" else np.moveaxis(xs[0], 0, -1)
    return x if order == "C" else np.moveaxis(np.reshape(x, (*new, size), order=order), -1, 0)


linear(
    np.reshape,
    lambda ybar, a, *, shape=None, order="C", copy=None: np.reshape(ybar, a.shape, order=order),
    batch=_batch_reshape,
    moves=True,
)


def _transpose_bar(ybar: Any, a: Any, *, axes: Any = None) -> Any:
    return np.transpose(ybar, None if axes is None else np.argsort([k % len(axes) for k in axes]))


def _batch_transpose(xs: Any, batched: Any, size: int, axes: Any = None) -> Any:
    n = np.ndim(xs[0]) - 1
    axes = range(n)[::-1] if axes is None else axes
    return np.transpose(xs[0], (0, *(k % n + 1 for k in axes)))


linear(np.transpose, _transpose_bar, batch=_batch_transpose, moves=True)


def _batch_broadcast_to(xs: Any, batched: Any, size: int, shape: Any, subok: bool = False) -> Any:
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    return np.broadcast_to(align(xs[0], len(shape)), (size, *shape))


linear(
    np.broadcast_to,
    lambda ybar, array, *, shape, subok=False: unbroadcast(ybar, array.shape),
    batch=_batch_broadcast_to,
)


@composite(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    n = a.ndim + len(axes)
    places = normalize_axis_tuple(axes, n)
    rest = iter(a.shape)
    return np.reshape(a, tuple(1 if k in places else next(rest) for k in range(n)))


@composite(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    axes = list(range(a.ndim))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return np.transpose(a, axes)


@composite(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    source = normalize_axis_tuple(source, a.ndim, "source")
    destination = normalize_axis_tuple(destination, a.ndim, "destination")
    if len(source) != len(destination):
        raise ValueError("`source` and `destination` arguments must have the same number of elements")
    order = [k for k in range(a.ndim) if k not in source]
    for place, k in sorted(zip(destination, source)):
        order.insert(place, k)
    return np.transpose(a, order)


@primitive
def astype(x: Any, *, dtype: Any) -> Any:
    """``x`` in another dtype."""
    return x.astype(dtype) if hasattr(x, "astype") else np.dtype(dtype).type(x)


linear(astype, lambda ybar, x, *, dtype: match(ybar, x), batch="()->()", moves=True)


# ---------------------------------------------------------------- joining arrays


@primitive
def concat(*arrays: Any, axis: int = 0) -> Any:
    """``np.concatenate(arrays, axis)``, each array an argument."""
    return np.concatenate(arrays, axis)


def _concat_bar(ybar: Any, *arrays: Any, axis: int = 0) -> Any:
    ends = np.cumsum([a.shape[axis] for a in arrays])
    lead = (slice(None),) * (axis % np.ndim(ybar))
    return [ybar[(*lead, slice(end - a.shape[axis], end))] for a, end in zip(arrays, ends.tolist())]


def _batch_concat(xs: Any, batched: Any, size: int, axis: int = 0) -> Any:
    full = [x if b else np.broadcast_to(x, (size, *shape_of(x))) for x, b in zip(xs, batched)]
    return concat(*full, axis=axis % (np.ndim(full[0]) - 1) + 1)


linear(concat, _concat_bar, batch=_batch_concat)


@composite(np.concatenate)
def concatenate(arrays: Any, axis: Any = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    arrays = [a if isinstance(a, core.Traced) else np.asarray(a) for a in map(core.as_array, arrays)]
    if axis is None:
        arrays, axis = [np.reshape(a, -1) for a in arrays], 0
    y = concat(*arrays, axis=axis)
    return y if dtype is None else astype(y, dtype=dtype)


@composite(np.stack)
def stack(arrays: Any, axis: int = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    arrays = [a if isinstance(a, core.Traced) else np.asarray(a) for a in map(core.as_array, arrays)]
    if not arrays:
        raise ValueError("need at least one array to stack")
    if len({shape_of(a) for a in arrays}) != 1:
        raise ValueError("all input arrays must have the same shape")
    return np.concatenate([np.expand_dims(a, axis) for a in arrays], axis, dtype=dtype, casting=casting)


core.STACK = stack

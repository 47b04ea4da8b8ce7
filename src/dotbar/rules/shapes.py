"""Shape operations: making arrays, reshape, transpose, join, split, repeat, pad."""

from inspect import unwrap
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.lib.stride_tricks import sliding_window_view

from dotbar import core
from dotbar.core import Traced, cell, dtype_of, memory, primitive, shape_of, take_index
from dotbar.rules.kinds import align, composite, linear, match, rule, shift_axis, unbroadcast
from dotbar.rules.words import masked, scatter


def operand(x: Any) -> Any:
    """What NumPy's ``asarray`` makes of an argument: lists become arrays, traced values stay."""
    x = core.as_array(x)
    return x if isinstance(x, Traced) else np.asarray(x)


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """An axis setting as a tuple of axes; None stands for all, and 0 is allowed of a number."""
    return tuple(range(ndim)) if axis is None or (ndim == 0 and axis in (0, -1)) else normalize_axis_tuple(axis, ndim)


def check_axes(axis: Any, ndim: int) -> None:
    """Refuse axes that are not there; 0 of a number too, unlike a ufunc's reduction."""
    if axis is not None:
        normalize_axis_tuple(axis, ndim)


def one_axis(a: Any, axis: Any) -> tuple[Any, int]:
    """An array and one of its axes; None flattens the array, and a number counts as a vector."""
    a = np.ravel(a) if axis is None or not a.ndim else a
    return a, normalize_axis_index(0 if axis is None else axis, a.ndim)


def stand_in(x: Any) -> Any:
    """A plain array of the shape of ``x``, on which NumPy itself checks the other arguments."""
    return np.broadcast_to(np.ones((), dtype_of(x)), shape_of(x))


def check_in_miniature(fn: Any, *args: Any, **kw: Any) -> None:
    """Let NumPy itself check a call, on arrays so small that it costs nothing.

    For functions that ask of lengths only which of them are equal, 0 or 1, as whatever broadcasts or reduces does.
    """
    lengths = {0: 0, 1: 1}

    def small(x: Any) -> Any:
        if core.is_array(x):
            return np.ones([lengths.setdefault(n, len(lengths)) for n in shape_of(x)], dtype_of(x))
        return tuple(map(small, x)) if type(x) is tuple else x

    with np.errstate(all="ignore"):
        fn(*map(small, args), **{key: small(value) for key, value in kw.items()})


# ---------------------------------------------------------------- what an array says of itself


@composite(np.shape)
def shape(a: Any) -> Any:
    return operand(a).shape


@composite(np.ndim)
def ndim(a: Any) -> Any:
    return operand(a).ndim


@composite(np.size)
def size(a: Any, axis: Any = None) -> Any:
    a = operand(a)
    if axis is None:
        return a.size
    return int(np.prod([a.shape[k] for k in normalize_axis_tuple(axis, a.ndim)], dtype=int))


# ---------------------------------------------------------------- making arrays


def _fresh(fn: Any) -> Any:
    """A maker of plain arrays called with ``like=``: its array in a cell, so that it can be assigned traced values."""

    def make(*args: Any, **kw: Any) -> Any:
        return cell(fn(*map(core.without_cells, args), **kw))

    return make


def _fresh_like(fn: Any) -> Any:
    """The same for ``zeros_like`` and its kin: of the prototype only shape, dtype and memory order count."""

    def make(a: Any, *args: Any, **kw: Any) -> Any:
        return cell(fn(memory(core.as_array(a)), *args, **kw))

    return make


for _maker in (np.zeros, np.ones, np.empty, np.eye, np.identity, np.tri):
    composite(_maker)(_fresh(_maker))
for _maker in (np.zeros_like, np.ones_like, np.empty_like):
    composite(_maker)(_fresh_like(_maker))


def _array(a: Any, dtype: Any = None, copy: Any = None, ndmin: int = 0) -> Any:
    x = core.as_array(a)
    if not isinstance(x, Traced):
        return cell(np.array(x, dtype, ndmin=ndmin))
    y = x if dtype is None or dtype_of(x) == dtype else astype(x, dtype=np.dtype(dtype))
    if y is x is a and copy:
        y = np.copy(x)
    if copy is False and y is not a:
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    return np.reshape(y, (1,) * (ndmin - y.ndim) + y.shape) if y.ndim < ndmin else y


@composite(np.array)
def array(
    object: Any, dtype: Any = None, *, copy: Any = True, order: Any = "K", subok: bool = False, ndmin: int = 0, **_: Any
) -> Any:
    return _array(object, dtype, copy, ndmin)


@composite(np.asarray)
def asarray(a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None) -> Any:
    return _array(a, dtype, copy)


@composite(np.asanyarray)
def asanyarray(a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None) -> Any:
    return _array(a, dtype, copy)


@composite(np.ascontiguousarray)
def ascontiguousarray(a: Any, dtype: Any = None) -> Any:
    return _array(a, dtype, ndmin=1)


@composite(np.asfortranarray)
def asfortranarray(a: Any, dtype: Any = None) -> Any:
    return _array(a, dtype)


@composite(np.require)
def require(a: Any, dtype: Any = None, requirements: Any = None) -> Any:
    return _array(a, dtype)


@composite(np.full)
def full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", *, device: Any = None) -> Any:
    return _array(np.broadcast_to(operand(fill_value), shape), dtype, copy=True)


@composite(np.full_like)
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    a = operand(a)
    np.empty_like(np.empty(0), order=order)  # NumPy checks it
    y = np.broadcast_to(operand(fill_value), a.shape if shape is None else shape)
    return _array(y, a.dtype if dtype is None else dtype, copy=True)


@composite(np.arange)
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, device: Any = None) -> Any:
    start, stop = (0, start) if stop is None else (start, stop)
    if not any(isinstance(x, Traced) for x in (start, stop, step)):
        return cell(np.arange(start, stop, step, dtype=dtype))
    n = int(np.ceil((stop - start) / step))
    return _array(start + step * np.arange(max(n, 0)), dtype)


@primitive
def astype(x: Any, *, dtype: Any) -> Any:
    """``x`` in another dtype."""
    return x.astype(dtype) if hasattr(x, "astype") else np.dtype(dtype).type(x)


linear(astype, lambda ybar, x, *, dtype: match(ybar, x), batch="()->()", moves=True)


def check_cast(given: Any, wanted: Any, casting: str) -> None:
    """Let NumPy refuse what its casting rule does not allow."""
    np.empty(0, given).astype(wanted, casting=casting)  # type: ignore[arg-type]


def cast(x: Any, dtype: Any) -> Any:
    """``x`` in a dtype in which nothing of it is lost; NumPy refuses any other."""
    check_cast(x.dtype, dtype, "safe")
    return astype(x, dtype=np.dtype(dtype))


if hasattr(np, "astype"):

    @composite(np.astype)
    def _astype(x: Any, dtype: Any, *, copy: bool = True, device: Any = None) -> Any:
        return x if not copy and dtype_of(x) == dtype else astype(x, dtype=np.dtype(dtype))


linear(np.copy, lambda ybar, a, *, order="K", subok=False: ybar, batch="()->()", moves=True)


# ---------------------------------------------------------------- choosing between two arrays


@primitive
def choose(condition: Any, x: Any, y: Any) -> Any:
    """``np.where`` with its three arguments."""
    return np.where(condition, x, y)


@rule(choose, "(),(),()->()")
def _choose(z: Any, condition: Any, x: Any, y: Any) -> Any:
    return [
        None,
        (lambda xdot: np.where(condition, xdot, 0), lambda zbar: masked(zbar, condition)),
        (lambda ydot: np.where(condition, 0, ydot), lambda zbar: masked(zbar, np.logical_not(condition))),
    ]


@composite(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None and y is None:
        return np.nonzero(condition)
    condition = operand(condition)
    return choose(condition if condition.dtype == bool else condition != 0, core.as_array(x), core.as_array(y))


# ---------------------------------------------------------------- the shape of one array


def _reading_order(a: Any, order: Any) -> Any:
    """NumPy's order "A" is Fortran's for an array laid out so, else C's."""
    order = "C" if order is None else order.upper()
    return order if order != "A" else "F" if memory(a).flags.fnc else "C"


@primitive
def reshape_to(x: Any, *, shape: Any, order: Any = "C") -> Any:
    """``np.reshape`` in C's or Fortran's order."""
    return np.reshape(x, shape, order)


def _batch_reshape(xs: Any, batched: Any, size: int, shape: Any, order: Any = "C") -> Any:
    new = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if -1 in new and size == 0:  # NumPy would not know the length from no items
        length = prod(shape_of(xs[0])[1:]) // max(-prod(new), 1)
        new = tuple(length if n == -1 else n for n in new)
    if order == "C":
        return np.reshape(xs[0], (size, *new))
    return np.moveaxis(reshape_to(np.moveaxis(xs[0], 0, -1), shape=(*new, size), order=order), -1, 0)


linear(
    reshape_to,
    lambda ybar, x, *, shape, order="C": reshape_to(ybar, shape=x.shape, order=order),
    batch=_batch_reshape,
    moves=True,
)
core.RESHAPE = reshape_to
core.GRID_STEPS.add(reshape_to)


@composite(np.reshape)
def reshape(a: Any, shape: Any, order: Any = "C", *, copy: Any = None) -> Any:
    a = operand(a)
    y = reshape_to(a, shape=shape, order=_reading_order(a, order))
    if copy is False and not np.may_share_memory(y, a):
        raise ValueError("Unable to avoid creating a copy while reshaping.")
    return np.copy(y) if copy else y


@composite(np.ravel)
def ravel(a: Any, order: Any = "C") -> Any:
    """A view of a contiguous array; a copy of any other, even where a strided view would do."""
    a = operand(a)
    if order in ("K", "k"):
        strides = memory(a).strides
        a, order = np.transpose(a, sorted(range(a.ndim), key=lambda k: -abs(strides[k]))), "C"
    order = _reading_order(a, order)
    y = reshape_to(a, shape=-1, order=order)
    contiguous = memory(a).flags.c_contiguous if order == "C" else memory(a).flags.f_contiguous
    return y if contiguous else np.copy(y)


def _transpose_bar(ybar: Any, a: Any, *, axes: Any = None) -> Any:
    return np.transpose(ybar, None if axes is None else np.argsort([k % len(axes) for k in axes]))


def _batch_transpose(xs: Any, batched: Any, size: int, axes: Any = None) -> Any:
    n = np.ndim(xs[0]) - 1
    axes = range(n)[::-1] if axes is None else normalize_axis_tuple(axes, n)
    return np.transpose(xs[0], (0, *(k + 1 for k in axes)))


linear(np.transpose, _transpose_bar, batch=_batch_transpose, moves=True)


def _batch_broadcast_to(xs: Any, batched: Any, size: int, shape: Any, subok: bool = False) -> Any:
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    return np.broadcast_to(align(xs[0], len(shape)), (size, *shape))


linear(
    np.broadcast_to,
    lambda ybar, array, *, shape, subok=False: unbroadcast(ybar, array.shape),
    batch=_batch_broadcast_to,
    moves=True,
)


@composite(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    xs = list(map(operand, args))
    shape = np.broadcast_shapes(*(x.shape for x in xs))
    return tuple(x if x.shape == shape else np.broadcast_to(x, shape) for x in xs)


@composite(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    a = operand(a)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    n = a.ndim + len(axes)
    places = normalize_axis_tuple(axes, n)
    rest = iter(a.shape)
    return np.reshape(a, tuple(1 if k in places else next(rest) for k in range(n)))


@composite(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Any:
    a = operand(a)
    drop = [k for k, n in enumerate(a.shape) if n == 1] if axis is None else axes_of(axis, a.ndim)
    if any(a.shape[k] != 1 for k in drop):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return np.reshape(a, tuple(n for k, n in enumerate(a.shape) if k not in drop)) if drop else a


def _at_least(n: int, x: Any) -> Any:
    return np.reshape(x, (1,) * (n - x.ndim) + x.shape) if x.ndim < n else x


@composite(np.atleast_1d)
def atleast_1d(*arys: Any) -> Any:
    xs = tuple(_at_least(1, operand(x)) for x in arys)
    return xs[0] if len(xs) == 1 else xs


@composite(np.atleast_2d)
def atleast_2d(*arys: Any) -> Any:
    xs = tuple(_at_least(2, operand(x)) for x in arys)
    return xs[0] if len(xs) == 1 else xs


@composite(np.atleast_3d)
def atleast_3d(*arys: Any) -> Any:
    """A vector becomes (1, n, 1), a matrix (m, n, 1)."""
    xs = [_at_least(2, operand(x)) for x in arys]
    ys = tuple(np.expand_dims(x, -1) if x.ndim == 2 else x for x in xs)
    return ys[0] if len(ys) == 1 else ys


@composite(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    a = operand(a)
    (axis1,), (axis2,) = normalize_axis_tuple(axis1, a.ndim), normalize_axis_tuple(axis2, a.ndim)
    axes = list(range(a.ndim))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return np.transpose(a, axes)


@composite(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    a = operand(a)
    source = normalize_axis_tuple(source, a.ndim, "source")
    destination = normalize_axis_tuple(destination, a.ndim, "destination")
    if len(source) != len(destination):
        raise ValueError("`source` and `destination` arguments must have the same number of elements")
    order = [k for k in range(a.ndim) if k not in source]
    for place, k in sorted(zip(destination, source)):
        order.insert(place, k)
    return np.transpose(a, order)


@composite(np.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    if x.ndim < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {x.ndim}")
    return np.swapaxes(x, -1, -2)


composite(np.linalg.matrix_transpose)(matrix_transpose)


@composite(np.flipud)
def flipud(m: Any) -> Any:
    m = operand(m)
    if m.ndim < 1:
        raise ValueError("Input must be >= 1-d.")
    return m[::-1]


@composite(np.fliplr)
def fliplr(m: Any) -> Any:
    m = operand(m)
    if m.ndim < 2:
        raise ValueError("Input must be >= 2-d.")
    return m[:, ::-1]


@composite(np.rot90)
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    m = operand(m)
    axes = normalize_axis_tuple(axes, m.ndim)
    if len(axes) != 2:
        raise ValueError("len(axes) must be 2.")
    quarter = k % 4
    if quarter % 2 == 0:
        return np.flip(m, axes) if quarter else m[:]
    return np.swapaxes(np.flip(m, axes[1 if quarter == 1 else 0]), *axes)


# NumPy's own Python code of these runs on traced values: it slices and transposes, so their views are NumPy's too.
for _fn in (
    np.rollaxis,
    np.flip,
    np.split,
    np.array_split,
    np.vsplit,
    np.hsplit,
    np.dsplit,
):
    composite(_fn)(unwrap(_fn))

if hasattr(np, "unstack"):
    composite(np.unstack)(unwrap(np.unstack))


def _batch_windows(xs: Any, batched: Any, size: int, window_shape: Any, axis: Any = None, **kw: Any) -> Any:
    return sliding_window_view(xs[0], window_shape, shift_axis(axis, np.ndim(xs[0]) - 1), **kw)


def _windows_bar(
    ybar: Any, x: Any, *, window_shape: Any, axis: Any = None, subok: bool = False, writeable: bool = False
) -> Any:
    """Each entry of x sums the cotangents of the windows that it is in."""
    places = sliding_window_view(np.arange(x.size).reshape(x.shape), window_shape, axis)
    return np.reshape(scatter(ybar, path=((take_index, {"index": places}),), shape=(x.size,)), x.shape)


linear(sliding_window_view, _windows_bar, batch=_batch_windows, moves=True)


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
    return concat(*full, axis=shift_axis(axis, np.ndim(full[0]) - 1))


linear(concat, _concat_bar, batch=_batch_concat, moves=True)


@composite(np.concatenate)
def concatenate(arrays: Any, axis: Any = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    xs = list(map(operand, arrays))
    if axis is None:
        xs, axis = [np.reshape(a, -1) for a in xs], 0
    return _cast(concat(*xs, axis=axis), xs, dtype, casting)


def _cast(y: Any, xs: list[Any], dtype: Any, casting: str) -> Any:
    """Joined arrays in the dtype asked for, to which NumPy must be able to cast each of them."""
    if dtype is None and casting == "same_kind":
        return y
    dtype = dtype_of(y) if dtype is None else np.dtype(dtype)
    for x in xs:
        check_cast(x.dtype, dtype, casting)
    return astype(y, dtype=dtype)


@primitive
def pile(*arrays: Any, axis: int = 0) -> Any:
    """``np.stack(arrays, axis)``, each array an argument."""
    return np.stack(arrays, axis)


def _batch_pile(xs: Any, batched: Any, size: int, axis: int = 0) -> Any:
    full = [x if b else np.broadcast_to(x, (size, *shape_of(x))) for x, b in zip(xs, batched)]
    return pile(*full, axis=shift_axis(axis, np.ndim(full[0])))


linear(pile, lambda ybar, *arrays, axis=0: list(np.moveaxis(ybar, axis, 0)), batch=_batch_pile, moves=True)


@composite(np.stack)
def stack(arrays: Any, axis: int = 0, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    xs = list(map(operand, arrays))
    if not xs:
        raise ValueError("need at least one array to stack")
    if len({shape_of(a) for a in xs}) != 1:
        raise ValueError("all input arrays must have the same shape")
    axis = normalize_axis_index(axis, xs[0].ndim + 1)
    return _cast(pile(*xs, axis=axis), xs, dtype, casting)


core.STACK = stack

for _fn in (np.vstack, np.hstack, np.dstack):
    composite(_fn)(unwrap(_fn))


@composite(np.column_stack)
def column_stack(tup: Any) -> Any:
    xs = map(operand, tup)
    return np.concatenate([x if x.ndim > 1 else np.reshape(x, (-1, 1)) for x in xs], 1)


@composite(np.append)
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    return np.concatenate((operand(arr), operand(values)), axis)


def _depth(arrays: Any) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) and arrays else 0


@composite(np.block)
def block(arrays: Any) -> Any:
    """Lists within lists: the innermost are joined along the last axis, each outer level along the one before."""
    depth = _depth(arrays)

    def join(a: Any, level: int, ndim: int) -> Any:
        if isinstance(a, list) and a:
            return np.concatenate([join(b, level + 1, ndim) for b in a], level - depth)
        if level != depth or isinstance(a, (list, tuple)):
            raise ValueError(
                f"List depths are mismatched in np.block: {level} and {depth}, or an empty list or a tuple."
            )
        return _at_least(ndim, operand(a))

    return np.copy(operand(arrays)) if depth == 0 else join(arrays, 0, max(depth, *map(np.ndim, _leaves(arrays))))


def _leaves(arrays: Any) -> list[Any]:
    return [x for a in arrays for x in _leaves(a)] if isinstance(arrays, list) else [arrays]


# ---------------------------------------------------------------- repeating and removing entries


def _batch_roll(xs: Any, batched: Any, size: int, shift: Any, axis: Any = None) -> Any:
    x = xs[0]
    if axis is None:
        return np.reshape(np.roll(np.reshape(x, (size, -1)), shift, 1), shape_of(x))
    return np.roll(x, shift, shift_axis(axis, np.ndim(x) - 1))


linear(
    np.roll,
    lambda ybar, a, *, shift, axis=None: np.roll(ybar, np.negative(shift), axis),
    batch=_batch_roll,
    moves=True,
)


@composite(np.tile)
def tile(A: Any, reps: Any) -> Any:
    A, reps = operand(A), tuple(reps) if np.ndim(reps) else (reps,)
    A = _at_least(len(reps), A)
    reps = (1,) * (A.ndim - len(reps)) + reps
    pairs = np.reshape(A, tuple(k for n in A.shape for k in (1, n)))
    full = np.broadcast_to(pairs, tuple(k for r, n in zip(reps, A.shape) for k in (r, n)))
    return np.copy(np.reshape(full, tuple(r * n for r, n in zip(reps, A.shape))))


@composite(np.repeat)
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    a = operand(a)
    a, axis = one_axis(a, axis)
    return np.take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis)


@composite(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    a = np.ravel(operand(a))
    shape = tuple(new_shape) if np.ndim(new_shape) else (new_shape,)
    if any(n < 0 for n in shape):
        raise ValueError("all elements of `new_shape` must be non-negative")
    if a.size == 0:
        return np.zeros_like(a, shape=shape)
    return np.reshape(np.take(a, np.arange(prod(shape)) % a.size), shape)


@composite(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    """The entries of both arrays, taken in the order in which NumPy inserts their numbers."""
    arr = operand(arr)
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, normalize_axis_index(axis, arr.ndim))
    n, obj = arr.shape[axis], core.without_cells(obj)
    places = np.arange(n)[obj] if isinstance(obj, slice) else np.asarray(obj)
    places = np.flatnonzero(places) if places.dtype == bool else places
    values = _array(values, arr.dtype, ndmin=arr.ndim)
    if places.ndim == 0:
        values = np.moveaxis(values, 0, axis)
    values = np.reshape(values, values.shape[values.ndim - arr.ndim :])
    count = values.shape[axis] if places.size == 1 else places.size
    values = np.broadcast_to(values, (*arr.shape[:axis], count, *arr.shape[axis + 1 :]))
    order = np.insert(np.arange(n), obj, np.arange(n, n + count))
    return np.take(np.concatenate((arr, values), axis), order, axis)


@composite(np.delete)
def delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    arr = operand(arr)
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, normalize_axis_index(axis, arr.ndim))
    return np.take(arr, np.delete(np.arange(arr.shape[axis]), core.without_cells(obj)), axis)


@composite(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    x = operand(filt)
    if set(trim.lower()) not in ({"f", "b"}, {"f"}, {"b"}):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    places = np.argwhere(x)
    ends = trim.lower() if len(places) else "fb"
    first = np.min(places, 0) if len(places) else np.zeros(x.ndim, int)
    stop = np.max(places, 0) + 1 if len(places) else first
    part = lambda k: slice(int(first[k]) if "f" in ends else None, int(stop[k]) if "b" in ends else None)
    return x[tuple(part(k) if k in axes else slice(None) for k in range(x.ndim))]


@composite(np.apply_over_axes)
def apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    x = operand(a)
    for axis in normalize_axis_tuple(axes, x.ndim):
        y = func(x, axis)
        x = y if y.ndim == x.ndim else np.expand_dims(y, axis)
    return x


# ---------------------------------------------------------------- padding

_STATISTICS: dict[str, Any] = {"maximum": np.max, "minimum": np.min, "mean": np.mean, "median": np.median}


@composite(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kw: Any) -> Any:
    x = operand(array)
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(k, pad_width.get(k - x.ndim, 0)) for k in range(x.ndim)]
        pad_width = [np.broadcast_to(w, 2) for w in pad_width]
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    if widths.dtype.kind != "i":
        raise TypeError("`pad_width` must be of integral type.")
    if callable(mode):
        return _pad_by(mode, x, widths, kw)
    np.pad(np.zeros(1), 0, mode, **dict.fromkeys(kw, 1))  # NumPy checks the mode and its keywords
    odd = kw.get("reflect_type") == "odd"
    if mode in ("edge", "reflect", "symmetric", "wrap") and not odd:
        return np.take(x, np.pad(np.arange(x.size).reshape(x.shape), pad_width, mode, **kw))
    if x.size == 0 and mode not in ("constant", "empty"):
        np.pad(np.zeros(x.shape), widths, mode)  # NumPy refuses to extend what is empty
    settings = _pairs(0 if odd else next(iter(kw.values()), None if mode in _STATISTICS else 0), x.ndim)
    for axis, width in enumerate(widths):
        if any(width):
            x = _pad_odd(x, axis, width, mode) if odd else _pad_axis(x, axis, width, mode, settings[axis])
    return x if np.any(widths) else np.copy(x)


def _pairs(values: Any, ndim: int) -> Any:
    """A setting before and after each axis."""
    return np.broadcast_to(operand(values), (ndim, 2))


def _along(x: Any, axis: int, part: slice) -> Any:
    return x[(slice(None),) * axis + (part,)]


def _pad_axis(x: Any, axis: int, width: Any, mode: str, settings: Any) -> Any:
    """Join the two frames, made of constants, ramps or statistics, to the array."""
    n = x.shape[axis]

    def frame(side: int) -> Any:
        k, setting = width[side], settings[side]
        shape = (*x.shape[:axis], k, *x.shape[axis + 1 :])
        if mode in _STATISTICS:
            length = n if setting is None else min(int(setting), n)
            part = _along(x, axis, slice(0, length) if side == 0 else slice(n - length, n))
            setting = _STATISTICS[mode](part, axis=axis, keepdims=True)
        elif mode == "linear_ramp":
            edge = _along(x, axis, slice(0, 1) if side == 0 else slice(n - 1, n))
            t = np.reshape(np.arange(k) / max(k, 1), (k,) + (1,) * (x.ndim - axis - 1))
            setting = setting + (edge - setting) * (t if side == 0 else t[::-1])
        return astype(np.broadcast_to(setting, shape), dtype=x.dtype)

    return np.concatenate((frame(0), x, frame(1)), axis)


def _pad_odd(x: Any, axis: int, width: Any, mode: Any) -> Any:
    """Odd reflection, 2 edge − x: as NumPy does it to the two unit vectors of the edges and to the inside."""
    n = x.shape[axis]
    if n == 1:
        return np.take(x, np.zeros(1 + sum(width), int), axis)
    reflect = lambda v, kind: np.pad(v, width, mode, reflect_type=kind)
    unit = np.eye(1, n, dtype=x.dtype)[0]
    column = lambda v: np.reshape(reflect(v, "odd"), (-1,) + (1,) * (x.ndim - axis - 1))
    inside = np.take(x, reflect(np.arange(n), "even"), axis) * column(1 - unit - unit[::-1])
    return inside + _along(x, axis, slice(0, 1)) * column(unit) + _along(x, axis, slice(n - 1, n)) * column(unit[::-1])


def _pad_by(function: Any, x: Any, widths: Any, kw: Any) -> Any:
    """A mode given as a function writes the frame of each vector in place, through a view of the padded array."""
    padded = np.pad(x, widths)
    for axis in range(x.ndim):
        lines = np.moveaxis(padded, axis, -1)
        for place in np.ndindex(lines.shape[:-1]):
            function(lines[(*place, ...)], tuple(widths[axis]), axis, kw)
    return padded

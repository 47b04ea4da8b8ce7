"""dotbar's own registered words: what rules need beyond NumPy's functions, each with its rule like any other."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from dotbar import core
from dotbar.core import Shape, Step, Traced, new_zeros, primitive, take_index, value_of
from dotbar.errors import ConversionError
from dotbar.rules.kinds import align, batch_loop, constant, each, elementwise, linear, masked, rule, unbroadcast
from dotbar.rules.refusals import refusal

__all__ = [
    "H",
    "conj",
    "each",
    "mT",
    "masked",
    "once",
    "phi",
    "raise_if",
    "ratio",
    "scatter",
    "settled",
    "skew",
    "spread",
    "stop_gradient",
    "sym",
    "unbroadcast",
    "zeros",
]


def H(X: Any) -> Any:
    """The conjugate transpose of the last two axes, Xᴴ."""
    return conj(mT(X))


def mT(X: Any) -> Any:
    """The transpose of the last two axes, Xᵀ."""
    return np.swapaxes(X, -1, -2)


def conj(x: Any) -> Any:
    """The complex conjugate; a real array as it is."""
    return np.conj(x) if core.dtype_of(x).kind == "c" else x


def sym(X: Any) -> Any:
    """The Hermitian part, (X + Xᴴ)/2."""
    return (X + H(X)) / 2


def skew(X: Any) -> Any:
    """The skew-Hermitian part, (X − Xᴴ)/2."""
    return (X - H(X)) / 2


def phi(X: Any) -> Any:
    """Φ(X): the lower triangle with its diagonal halved.  Murray (2016), eq. (8)."""
    n = X.shape[-1]
    return np.tril(X) * (1 - np.eye(n, dtype=core.dtype_of(X)) / 2)


def once(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``f``, whose last result is kept: for work that the bars of several arguments share."""
    last: list[Any] = []

    def kept(x: Any) -> Any:
        if not last or last[0] is not x:
            last[:] = x, f(x)
        return last[1]

    return kept


def spread(ybar: Any, shape: tuple[int, ...], axis: Any = None, keepdims: bool = False) -> Any:
    """Undo the shape of a reduction: broadcast a result back over the axes it was reduced along."""
    if isinstance(ybar, float):
        return np.ndarray(shape, float, np.float64(ybar), strides=(0,) * len(shape))
    if axis is not None and shape and not keepdims:
        ybar = np.expand_dims(ybar, axis)
    return broadcast(ybar, shape)


def broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    """``np.broadcast_to``, which takes microseconds, without its generality: a view of a plain contiguous array."""
    if type(x) is not np.ndarray or not x.flags.c_contiguous or x.ndim != len(shape):
        return np.broadcast_to(x, shape)
    strides = tuple(s if n == m else 0 for s, n, m in zip(x.strides, x.shape, shape))
    return np.ndarray(shape, x.dtype, x, 0, strides)


def zeros(x: Shape, like: Any) -> Any:
    """An array of zeros of the shape of ``x`` that can be assigned what ``like`` is."""
    return new_zeros(x.shape, np.result_type(core.dtype_of(like), x.dtype), like)


@primitive
def stop_gradient(x: Any) -> Any:
    """The value of ``x`` as a constant: derivatives through it are zero.  Batching is kept.

    Returns an array of the same shape and dtype that shares no memory with ``x``.
    """
    return np.array(x) if isinstance(x, np.ndarray) else x


constant(stop_gradient, batch="()->()")


@primitive
def settled(x: Any, *, function: str, argument: str, why: str) -> Any:
    """The argument x of a function, which has no derivative by it: one is refused by name."""
    return x


@rule(settled, "()->()")
def _settled(y: Any, x: Any, *, function: str, argument: str, why: str) -> Any:
    raise refusal(function, argument, why)


@primitive
def ratio(a: Any, b: Any) -> Any:
    """a / b, and 0 where b is 0; the derivative is nan there.

    For first derivatives that are finite by convention at a point where the function is not smooth:
    differentiating once more must not return the derivative of that convention.
    """
    with np.errstate(all="ignore"):
        return np.where(b == 0, 0, a / np.where(b == 0, 1, b))


elementwise(
    ratio,
    lambda b: 1 / np.where(b == 0, np.nan, b),
    lambda y, b: -y / np.where(b == 0, np.nan, b),
)


@primitive
def raise_if(condition: Any, *, error: Exception) -> Any:
    """Raise an error if a condition on values holds anywhere."""
    if np.any(condition):
        raise error
    return condition


constant(raise_if, like=lambda condition, *, error: None, batch="()->()")


# ---------------------------------------------------------------- reading entries


@primitive
def read(x: Any, *, path: tuple[Step, ...]) -> Any:
    """The entries of ``x`` that a path of indices, reshapes and transposes selects."""
    return value_of(x, path)


@primitive
def scatter(y: Any, *, path: tuple[Step, ...], shape: tuple[int, ...]) -> Any:
    """The transpose of :func:`read`: zeros of ``shape``, to which ``y`` is added at the selected entries."""
    x = new_zeros(shape, core.dtype_of(y), y)
    part = value_of(x, path[:-1])
    np.add.at(part, path[-1][1]["index"], y)
    return x


def _batch_scatter(xs: Any, batched: Any, size: int, path: tuple[Step, ...], shape: tuple[int, ...]) -> Any:
    if len(path) != 1:
        return batch_loop(core.RULES[scatter], xs, batched, size, {"path": path, "shape": shape})
    index = path[0][1]["index"]
    parts = index if type(index) is tuple else (index,)
    return _batch_ungather(xs, batched, size, parts, (False,) * len(parts), shape)


linear(read, lambda ybar, x, *, path: scatter(ybar, path=path, shape=x.shape), moves=True)
linear(scatter, lambda xbar, y, *, path, shape: value_of(xbar, path), batch=_batch_scatter, moves=True)
core.READ = core.RULES[read]


@primitive
def grid(x: Any, *, start: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """The entries x[..., start + Σₖ iₖ·strides[k]] for all i < shape, of which no two may be the same."""
    x = x[..., start:]
    steps = (stride * x.strides[-1] for stride in strides)
    return as_strided(x, (*x.shape[:-1], *shape), (*x.strides[:-1], *steps))


linear(
    grid,
    lambda ybar, x, *, start, shape, strides: scatter(
        ybar,
        path=((grid, {"start": start, "shape": shape, "strides": strides}), (take_index, {"index": ...})),
        shape=x.shape,
    ),
    batch=lambda xs, batched, size, **kw: grid(xs[0], **kw),
    moves=True,
)
core.GRID = grid
core.GRID_STEPS.add(grid)


def entries(x: Any, index: tuple[Any, ...]) -> Any:
    """``x[index]``, also for a plain array at an index that differs between the items of a batch."""
    return x[index] if isinstance(x, Traced) or not core.is_batched(index) else core.gather(x, index)


def batch_index(parts: Any, batched: Sequence[bool], ndim: int) -> tuple[tuple[Any, ...], int, int, int]:
    """An index, some of whose arrays hold one index per item along axis 0, made to broadcast over the items.

    Returns the index, and of one item's result (from an array of ``ndim`` axes): how many axes stand before those
    of the index arrays, how many those are, and how many there are in all.
    """
    flat: list[tuple[Any, bool]] = []
    for i, b in zip(parts, batched, strict=True):
        if core.dtype_of(i).kind == "b" if hasattr(i, "dtype") else isinstance(i, bool):
            if b:
                raise ConversionError(
                    "a boolean mask that differs between the items of a batch selects results of different lengths. "
                    "Use np.where(mask, a, b)."
                )
            flat += [(k, False) for k in np.nonzero(np.atleast_1d(i))]
        else:
            flat.append((i, b))
    picks = [not (i is None or i is Ellipsis or isinstance(i, slice)) for i, _ in flat]
    hidden = ndim - sum(i is not None and i is not Ellipsis for i, _ in flat)
    width = max((np.ndim(i) - b for (i, b), pick in zip(flat, picks) if pick), default=0)
    first, last = (picks.index(True), len(picks) - picks[::-1].index(True)) if any(picks) else (0, 0)
    before = sum(hidden if i is Ellipsis else 1 for i, _ in flat[:first]) if all(picks[first:last]) else 0
    index = tuple(align(i, width) if b else i for i, b in flat)
    return index, before, width, ndim - sum(picks) + sum(i is None for i, _ in flat) + width


@primitive
def gather(x: Any, *arrays: Any, template: tuple[Any, ...], traced: tuple[bool, ...]) -> Any:
    """``x[index]`` where the index arrays that ``template`` leaves out are given apart."""
    return x[_index(arrays, template, traced)]


@primitive
def ungather(y: Any, *arrays: Any, template: tuple[Any, ...], traced: tuple[bool, ...], shape: tuple[int, ...]) -> Any:
    """The transpose of :func:`gather`: zeros of ``shape``, to which ``y`` is added at the entries of the index."""
    x = new_zeros(shape, core.dtype_of(y), y)
    np.add.at(x, _index(arrays, template, traced), y)
    return x


def _index(arrays: Any, template: tuple[Any, ...], traced: tuple[bool, ...], rest: Any = None) -> tuple[Any, ...]:
    """The arrays in their places in the template, and ``rest`` in its own."""
    given = iter(arrays)
    return tuple(next(given) if t else i if rest is None else rest for i, t in zip(template, traced, strict=True))


def _items(size: int, width: int) -> Any:
    """The number of each item, in a shape that broadcasts with its index arrays."""
    return np.arange(size).reshape(size, *(1,) * width)


def _batch_gather(xs: Any, batched: Any, size: int, template: Any, traced: Any) -> Any:
    """The batch axis of ``x`` is indexed by the item's own number; the axes of the index then go where they belong.

    An index that all items share is taken along the other axes.
    """
    x, *arrays = xs
    flags = _index(batched[1:], template, traced, rest=False)
    index, before, width, _ = batch_index(_index(arrays, template, traced), flags, np.ndim(x) - batched[0])
    if not batched[0]:
        return np.moveaxis(entries(x, index), before, 0)
    if not any(flags):
        return np.moveaxis(entries(x, (slice(None), *index)), _items_axis(index, width), 0)
    y = entries(x, (_items(size, width), *index))
    return np.moveaxis(y, range(1, width + 1), range(before + 1, before + width + 1))


def _batch_ungather(xs: Any, batched: Any, size: int, template: Any, traced: Any, shape: Any) -> Any:
    y, *arrays = xs
    flags = _index(batched[1:], template, traced, rest=False)
    index, before, width, ndim = batch_index(_index(arrays, template, traced), flags, len(shape))
    if any(flags):
        index = (_items(size, width), *index)
        y = _index_first(y, batched[0], before, width, ndim)
    else:
        index = (slice(None), *index)
        y = np.moveaxis(align(y, ndim), 0, _items_axis(index, width))
    traced = tuple(isinstance(i, Traced) for i in index)
    arrays = [i for i in index if isinstance(i, Traced)]
    template = tuple(None if t else i for t, i in zip(traced, index))
    return ungather(y, *arrays, template=template, traced=traced, shape=(size, *shape))


def _items_axis(index: tuple[Any, ...], width: int) -> int:
    """Where NumPy puts the axis of items in front of an index that they share: behind arrays that stand apart."""
    picks = [k for k, i in enumerate(index) if not (i is None or i is Ellipsis or isinstance(i, slice))]
    return width if picks and picks[-1] - picks[0] >= len(picks) else 0


def _index_first(y: Any, batched: bool, before: int, width: int, ndim: int) -> Any:
    """Values for the entries of an index, the axes of its arrays moved right behind the axis of items."""
    y = align(y if batched else np.expand_dims(y, 0), ndim)
    return np.moveaxis(y, range(before + 1, before + width + 1), range(1, width + 1))


def assign_items(x: Any, index: Any, batched: Sequence[bool], value: Any, mine: bool) -> None:
    """``item[index] = value`` for each item of ``x``; ``batched`` tells which parts of the index differ by item."""
    index, before, width, ndim = batch_index(index, batched, np.ndim(x) - 1)
    x[(_items(len(x), width), *index)] = _index_first(value, mine, before, width, ndim)


def _selects(x: Any, *indices: Any) -> bool:
    """Whether an index is a mask, which selects as many entries as it has ones."""
    return any(core.dtype_of(i).kind == "b" for i in indices)


@rule(gather, _batch_gather, moves=True, varying=_selects)
def _gather(y: Any, x: Any, *arrays: Any, template: Any, traced: Any) -> Any:
    def dot(xdot: Any) -> Any:
        return gather(xdot, *arrays, template=template, traced=traced)

    def bar(ybar: Any) -> Any:
        read = lambda t: ungather(t, *arrays, template=template, traced=traced, shape=x.shape)
        return each(read, masked(ybar, np.True_))

    return [(dot, bar), *(None for _ in arrays)]


@rule(ungather, _batch_ungather, moves=True, varying=_selects)
def _ungather(x: Any, y: Any, *arrays: Any, template: Any, traced: Any, shape: Any) -> Any:
    def dot(ydot: Any) -> Any:
        return ungather(ydot, *arrays, template=template, traced=traced, shape=shape)

    def bar(xbar: Any) -> Any:
        return each(lambda t: gather(t, *arrays, template=template, traced=traced), xbar)

    return [(dot, bar), *(None for _ in arrays)]


core.GATHER = core.RULES[gather]

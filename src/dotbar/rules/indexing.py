"""Reading and writing entries: take, put, masks, diagonals, triangles."""

from collections.abc import Iterator
from inspect import unwrap
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from dotbar import core
from dotbar.core import Traced, copy_into, shape_of, take_index
from dotbar.errors import ConversionError
from dotbar.rules.kinds import batch_loop, composite, constant
from dotbar.rules.shapes import check_cast, one_axis, operand
from dotbar.rules.words import entries, scatter


def target(x: Any) -> Any:
    """An array to be written to in place by a function; a plain one cannot hold a traced value."""
    if not isinstance(x, Traced):
        raise ConversionError(core.plain_target_message())
    return x


def unravel(places: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """``np.unravel_index`` for places that may be negative, or differ between the items of a batch.

    A place beyond either end becomes an index beyond the end of the first axis.
    """
    size, index = prod(shape), []
    places = np.where(places < 0, places + size, places)
    places = np.where(places < 0, size, places)
    for n in reversed(shape[1:]):
        index.insert(0, places % n)
        places = places // n
    return (places, *index) if shape else ()


def cycle(values: Any, size: int) -> Any:
    """The first ``size`` of the values, repeated as often as needed."""
    values = np.ravel(operand(values))
    return values if values.size == size else np.take(values, np.arange(size) % max(values.size, 1))


# ---------------------------------------------------------------- one index along an axis


def _in_mode(indices: Any, n: int, mode: str) -> Any:
    """Indices beyond the ends: an error later on, wrapped around, or clipped."""
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got {mode!r})")
    if mode == "wrap":
        return indices % n
    return np.minimum(np.maximum(indices, 0), n - 1) if mode == "clip" else indices


@composite(np.take)
def take(a: Any, indices: Any, axis: Any = None, *, mode: str = "raise") -> Any:
    a, indices = operand(a), operand(indices)
    a, axis = one_axis(a, axis)
    indices = indices if indices.size else indices.astype(np.intp)
    return entries(a, (slice(None),) * axis + (_in_mode(indices, a.shape[axis], mode),))


def along_axis(indices: Any, axis: int, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The index of which ``indices`` is the part for ``axis``, each other axis running with the indices' own."""
    if indices.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    if indices.ndim != len(shape):
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    runs = [np.arange(n).reshape((n,) + (1,) * (len(shape) - k - 1)) for k, n in enumerate(shape)]
    return (*runs[:axis], indices, *runs[axis + 1 :])


@composite(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    arr, indices = operand(arr), operand(indices)
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, normalize_axis_index(axis, arr.ndim))
    return entries(arr, along_axis(indices, axis, arr.shape))


@composite(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    if axis is None:
        target(arr).flat[indices] = values
    else:
        axis = normalize_axis_index(axis, arr.ndim)
        target(arr)[along_axis(operand(indices), axis, arr.shape)] = values


@composite(np.compress)
def compress(condition: Any, a: Any, axis: Any = None) -> Any:
    return np.take(a, np.flatnonzero(condition), axis)


@composite(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    return np.take(np.ravel(operand(arr)), np.flatnonzero(condition))


# ---------------------------------------------------------------- in place


class Flat:
    """``x.flat``: the entries of a traced array in C's order, to be read, written and iterated over."""

    __slots__ = ("base", "index")

    def __init__(self, x: Traced):
        self.base = x
        self.index = 0

    @property
    def coords(self) -> tuple[int, ...]:
        return tuple(int(k) for k in np.unravel_index(self.index, self.base.shape))

    def __len__(self) -> int:
        return self.base.size

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self.index >= self.base.size:
            raise StopIteration
        entry = self.base[self.coords]
        self.index += 1
        return entry

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise ConversionError(core.conversion_message())

    def __getitem__(self, index: Any) -> Any:
        part = np.reshape(self.base, -1)[index]
        return np.copy(part) if np.ndim(part) else part

    def __setitem__(self, index: Any, values: Any) -> None:
        x = self.base
        index = index[0] if isinstance(index, tuple) and len(index) == 1 else index
        index = index if isinstance(index, Traced) else core.plain_index(index)
        shape = shape_of(index) if isinstance(index, Traced) else np.broadcast_to(0, x.size)[index].shape
        values = core.as_array(values)
        if np.ndim(values):
            values = np.reshape(cycle(values, prod(shape)), shape)
        line: Any = np.reshape(x, -1)
        if type(line.alias) is core.View:
            line[index] = values
        else:
            x[unravel(index if isinstance(index, Traced) else np.arange(x.size)[index], x.shape)] = values

    def copy(self) -> Any:
        """All entries as a vector of its own."""
        return self[:]


@composite(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    copy_into(target(dst), operand(src), where, casting)


@composite(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    a, indices = target(a), operand(ind)
    if indices.size:
        a.flat[_in_mode(np.ravel(indices), a.size, mode)] = cycle(v, indices.size)


@composite(np.putmask)
def putmask(a: Any, mask: Any, values: Any) -> None:
    a = target(a)
    np.copyto(a, np.reshape(cycle(values, a.size), a.shape), where=np.reshape(mask, a.shape))


@composite(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    arr, places = target(arr), np.flatnonzero(mask)
    if hasattr(vals, "dtype"):
        check_cast(vals.dtype, arr.dtype, "safe")
    if len(places):
        if np.size(vals) == 0:
            raise ValueError("Cannot insert from an empty array!")
        arr.flat[places] = cycle(vals, len(places))


@composite(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    unwrap(np.fill_diagonal)(target(a), val, wrap)  # NumPy's own code, which assigns to a.flat


# ---------------------------------------------------------------- diagonals and triangles


def _diagonal_index(n: int, offset: int) -> tuple[Any, Any]:
    """Rows and columns of a diagonal of length n."""
    k = np.arange(n)
    return k + max(-offset, 0), k + max(offset, 0)


@composite(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    v = operand(v)
    if v.ndim == 2:
        return np.diagonal(v, k)
    if v.ndim != 1:
        raise ValueError("Input must be 1- or 2-d.")
    n = len(v) + abs(k)
    return scatter(v, path=((take_index, {"index": _diagonal_index(len(v), k)}),), shape=(n, n))


@composite(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    return np.diag(np.ravel(operand(v)), k)


@composite(np.tril)
def tril(m: Any, k: int = 0) -> Any:
    m = operand(m)
    return np.where(np.tri(*m.shape[-2:], k=k, dtype=bool), m, m.dtype.type(0))


@composite(np.triu)
def triu(m: Any, k: int = 0) -> Any:
    m = operand(m)
    return np.where(np.tri(*m.shape[-2:], k=k - 1, dtype=bool), m.dtype.type(0), m)


@composite(np.vander)
def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    x = operand(x)
    if x.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    powers = np.arange(len(x) if N is None else N)
    return np.expand_dims(x, 1) ** (powers if increasing else powers[::-1])


# ---------------------------------------------------------------- where entries are


@composite(np.ix_)
def ix_(*args: Any) -> Any:
    xs = [x if x.dtype.kind != "b" else np.flatnonzero(x) for x in map(operand, args)]
    if any(x.ndim != 1 for x in xs):
        raise ValueError("Cross index must be 1 dimensional")
    return tuple(np.reshape(x, (-1,) + (1,) * (len(xs) - k - 1)) for k, x in enumerate(xs))


def same_count(fn: Any) -> Any:
    """Batch a function that finds entries, one item after the other: it must find as many in each."""

    def batch(xs: Any, batched: Any, size: int, **kw: Any) -> Any:
        try:
            return batch_loop(core.RULES[fn], xs, batched, size, kw)
        except ValueError as error:
            raise ConversionError(
                f"{core.full_name(fn)} finds different numbers of entries in the items of a batch. "
                "Use np.where(condition, a, b)."
            ) from error

    return batch


constant(np.nonzero, like=lambda a: 0, batch=same_count(np.nonzero))


@composite(np.flatnonzero)
def flatnonzero(a: Any) -> Any:
    return np.nonzero(np.ravel(operand(a)))[0]


@composite(np.argwhere)
def argwhere(a: Any) -> Any:
    a = operand(a)
    return np.stack(np.nonzero(np.atleast_1d(a)), 1)[:, : a.ndim]


@composite(np.tril_indices_from)
def tril_indices_from(arr: Any, k: int = 0) -> Any:
    return np.tril_indices_from(np.empty(operand(arr).shape), k)


@composite(np.triu_indices_from)
def triu_indices_from(arr: Any, k: int = 0) -> Any:
    return np.triu_indices_from(np.empty(operand(arr).shape), k)


@composite(np.diag_indices_from)
def diag_indices_from(arr: Any) -> Any:
    return np.diag_indices_from(np.empty(operand(arr).shape))


# ---------------------------------------------------------------- questions about arrays

constant(np.isclose, like=lambda a, b, *, rtol=1e-5, atol=1e-8, equal_nan=False: 0, batch="(),()->()")


@composite(np.allclose)
def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    return np.all(np.isclose(a, b, rtol, atol, equal_nan))


@composite(np.array_equal)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    a, b = operand(a1), operand(a2)
    if a.shape != b.shape:
        return False
    return np.all((a == b) | ((a != a) & (b != b)) if equal_nan else a == b)


@composite(np.array_equiv)
def array_equiv(a1: Any, a2: Any) -> Any:
    a, b = operand(a1), operand(a2)
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return False
    return np.all(a == b)


@composite(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    return operand(x).dtype.kind == "c"


@composite(np.isrealobj)
def isrealobj(x: Any) -> bool:
    return operand(x).dtype.kind != "c"


for _fn in (np.isreal, np.iscomplex, np.isposinf, np.isneginf):
    constant(_fn, batch="()->()")

constant(np.unravel_index, like=lambda indices, *, shape, order="C": 0, batch="()->()")


def _dtypes(xs: Any) -> list[Any]:
    return [x.dtype if isinstance(x, Traced) else x for x in xs]


@composite(np.result_type)
def result_type(*arrays_and_dtypes: Any) -> Any:
    return np.result_type(*_dtypes(arrays_and_dtypes))


@composite(np.can_cast)
def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    from_, to = _dtypes((from_, to))
    return np.can_cast(from_, to, casting)


@composite(np.min_scalar_type)
def min_scalar_type(a: Any) -> Any:
    return a.dtype


@composite(np.common_type)
def common_type(*arrays: Any) -> Any:
    return np.common_type(*(np.empty(0, operand(a).dtype) for a in arrays))


def _same_memory(fn: Any) -> Any:
    """Views of one root share what their paths select of it; other traced values share nothing."""

    def shared(a: Any, b: Any, max_work: Any = None) -> bool:
        if not (isinstance(a, Traced) and isinstance(b, Traced)):
            return False
        (root, path), (other, way) = a.target(), b.target()
        memory = core.memory(root)
        return root is other and bool(fn(core.value_of(memory, path), core.value_of(memory, way), max_work))

    return shared


for _fn in (np.shares_memory, np.may_share_memory):
    composite(_fn)(_same_memory(_fn))


@composite(np.array_repr)
def array_repr(arr: Any, *_: Any, **__: Any) -> str:
    return repr(arr)


for _fn in (np.array_str, np.array2string):

    @composite(_fn)
    def array_str(a: Any, *_: Any, **__: Any) -> str:
        return str(a)

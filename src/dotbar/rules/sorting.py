"""Sorting and searching: the order is a constant, the entries follow it.  Equal entries keep their order."""

from inspect import unwrap
from typing import Any

import numpy as np

from dotbar import core
from dotbar.core import primitive
from dotbar.rules.indexing import same_count
from dotbar.rules.kinds import batch_loop, composite, constant, shift_axis
from dotbar.rules.shapes import astype, check_in_miniature, operand

# ---------------------------------------------------------------- orders


def _batch_order(fn: Any) -> Any:
    """Batch a function that orders entries along one axis, or all of an item where ``axis`` is None."""

    def batch(xs: Any, batched: Any, size: int, axis: Any = -1, **kw: Any) -> Any:
        x = xs[0]
        if axis is None:
            return fn(np.reshape(x, (size, -1)), axis=1, **kw)
        return fn(x, axis=shift_axis(axis, np.ndim(x) - 1), **kw)

    return batch


@primitive
def partition_order(a: Any, *, kth: Any, axis: int) -> Any:
    """Where NumPy's ``partition`` takes each entry from, equal entries in their order."""
    source = np.argsort(a, axis, stable=True)
    seat = np.argsort(np.argsort(np.partition(a, kth, axis), axis, stable=True), axis)
    return np.take_along_axis(source, seat, axis)


constant(
    np.argsort,
    like=lambda a, *, axis=-1, kind=None, order=None, stable=None: 0,
    batch=_batch_order(np.argsort),
)
constant(
    np.argpartition,
    like=lambda a, *, kth, axis=-1, kind="introselect", order=None: 0,
    batch=_batch_order(np.argpartition),
)
constant(partition_order, like=lambda a, *, kth, axis=-1: 0, batch=_batch_order(partition_order))


def _batch_lexsort(xs: Any, batched: Any, size: int, axis: int = -1) -> Any:
    keys = np.moveaxis(xs[0], 0, 1)
    return np.lexsort(keys, shift_axis(axis, np.ndim(keys) - 2))


constant(np.lexsort, like=lambda keys, *, axis=-1: 0, batch=_batch_lexsort)


# ---------------------------------------------------------------- sorted entries


@composite(np.sort)
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    a = operand(a)
    check_in_miniature(np.sort, a, axis, kind, order, stable=stable)
    a, axis = (np.ravel(a), 0) if axis is None else (a, axis)
    return np.take_along_axis(a, np.argsort(a, axis, stable=True), axis)


@composite(np.partition)
def partition(a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Any:
    a = operand(a)
    np.partition(np.zeros((1,) * a.ndim), 0, axis, kind, order)  # NumPy checks them
    a, axis = (np.ravel(a), 0) if axis is None else (a, axis)
    return np.take_along_axis(a, partition_order(a, kth=kth, axis=axis), axis)


@composite(np.sort_complex)
def sort_complex(a: Any) -> Any:
    a = np.sort(operand(a))
    return a if a.dtype.kind == "c" else astype(a, dtype=np.result_type(a.dtype, np.complex128))


# ---------------------------------------------------------------- unique entries


@primitive
def first_places(ar: Any, *, axis: Any = None, equal_nan: bool = True) -> Any:
    """``np.unique`` in numbers: where each value stands first, each entry's value, how often each value stands."""
    return np.unique(ar, True, True, True, axis, equal_nan=equal_nan)[1:]


constant(first_places, like=lambda ar, *, axis=None, equal_nan=True: 0, batch=same_count(first_places))


@composite(np.unique)
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """The sorted different entries; of equal ones the first counts."""
    ar = operand(ar)
    first, inverse, counts = first_places(ar, axis=axis, equal_nan=equal_nan)
    values = np.take(ar, first, axis)
    wanted = ((first, return_index), (inverse, return_inverse), (counts, return_counts))
    extra = tuple(x for x, asked in wanted if asked)
    return (values, *extra) if extra else values


# The array API's names and NumPy's set operations are NumPy's own Python code on top of unique.
for _fn in (np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values):
    composite(_fn)(unwrap(_fn))


def _batch_isin(xs: Any, batched: Any, size: int, **kw: Any) -> Any:
    """One set for all items; sets that differ by item are searched one after the other."""
    return batch_loop(core.RULES[np.isin], xs, batched, size, kw) if batched[1] else np.isin(*xs, **kw)


constant(
    np.isin,
    like=lambda element, test_elements, *, assume_unique=False, invert=False, kind=None: 0,
    batch=_batch_isin,
)


@composite(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Any:
    return np.unique(np.concatenate((operand(ar1), operand(ar2)), axis=None))


@composite(np.setdiff1d)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    a = np.ravel(operand(ar1)) if assume_unique else np.unique(ar1)
    return a[np.isin(a, ar2, invert=True)]


@composite(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    return np.sort(np.concatenate((np.setdiff1d(ar1, ar2, assume_unique), np.setdiff1d(ar2, ar1, assume_unique))))


@composite(np.intersect1d)
def intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The values that are in both arrays, with the first array's entries."""
    a, b = np.ravel(operand(ar1)), np.ravel(operand(ar2))
    common = astype(np.unique(a[np.isin(a, b)]), dtype=np.result_type(a, b))
    if not return_indices:
        return common
    places = lambda x: first_places(x)[0][np.isin(np.unique(x), common)]
    return common, places(a), places(b)

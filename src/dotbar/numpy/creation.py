"""What NumPy never dispatches: arrays from nothing, from lists and from anything else, of traced values too.

Outside every transform each of these is NumPy's own.  Inside one, what makes a new array returns one that can be
assigned traced values.
"""

from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from dotbar import core
from dotbar.core import Traced, as_array, find_rule, shape_of
from dotbar.errors import ConversionError, user_line
from dotbar.numpy.lists import stands_for
from dotbar.rules.undispatched import kaiser, vectorize

__all__ = [
    "apply_along_axis",
    "apply_over_axes",
    "arange",
    "array",
    "asanyarray",
    "asarray",
    "asarray_chkfinite",
    "ascontiguousarray",
    "asfortranarray",
    "asmatrix",
    "bmat",
    "empty",
    "eye",
    "fromiter",
    "full",
    "identity",
    "indices",
    "isfortran",
    "kaiser",
    "ones",
    "piecewise",
    "require",
    "tri",
    "vectorize",
    "zeros",
]

F = TypeVar("F", bound=Callable[..., Any])


def maker(fn: F) -> F:
    """A function that makes a new array, or calls functions of the user that may: by its rule within a transform."""

    @stands_for(fn)
    def call(*args: Any, **kw: Any) -> Any:
        return find_rule(fn)(*args, **kw) if core.active.levels else fn(*args, **kw)

    return call


def converter(fn: F) -> F:
    """A function that makes an array of what it is given, by its rule if that is or holds a traced value."""

    @stands_for(fn)
    def call(a: Any, *args: Any, **kw: Any) -> Any:
        a = as_array(a)
        return find_rule(fn)(a, *args, **kw) if isinstance(a, Traced) else fn(a, *args, **kw)

    return call


def refuser(fn: F, remedy: str) -> F:
    """A function whose results cannot be traced."""

    @stands_for(fn)
    def call(a: Any, *args: Any, **kw: Any) -> Any:
        if isinstance(as_array(a), Traced):
            raise ConversionError(f"np.{fn.__name__} cannot hold the traced value at {user_line()}. {remedy}")
        return fn(a, *args, **kw)

    return call


array = maker(np.array)
zeros = maker(np.zeros)
ones = maker(np.ones)
empty = maker(np.empty)
full = maker(np.full)
eye = maker(np.eye)
identity = maker(np.identity)
tri = maker(np.tri)
arange = maker(np.arange)
apply_along_axis = maker(np.apply_along_axis)
apply_over_axes = maker(np.apply_over_axes)
piecewise = maker(np.piecewise)
asarray = converter(np.asarray)
asanyarray = converter(np.asanyarray)
ascontiguousarray = converter(np.ascontiguousarray)
asfortranarray = converter(np.asfortranarray)
require = converter(np.require)
asmatrix = refuser(np.asmatrix, "Use a two-dimensional array and the operator @.")
bmat = refuser(np.bmat, "Use np.block.")


def indices(dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    """``numpy.indices``."""
    places = np.indices(dimensions, dtype, sparse)
    return core.cell(places) if core.active.levels else places


def asarray_chkfinite(a: Any, dtype: Any = None, order: Any = None) -> Any:
    """``asarray``, refusing infinities and NaN."""
    a = asarray(a, dtype=dtype, order=order)
    if a.dtype.char in np.typecodes["AllFloat"] and not np.isfinite(a).all():
        raise ValueError("array must not contain infs or NaNs")
    return a


def fromiter(iter: Any, dtype: Any, count: int = -1, *, like: Any = None) -> Any:
    """A one-dimensional array of the items of an iterable."""
    items = list(islice(iter, count if count >= 0 else None))
    traced = as_array(items)
    return array(traced, dtype) if isinstance(traced, Traced) else np.fromiter(items, dtype, count)


def isfortran(a: Any) -> bool:
    """Whether an array is laid out in Fortran's order and not in C's."""
    return bool(core.memory(a).flags.fnc)


def as_strided(x: Any, shape: Any = None, strides: Any = None, subok: bool = False, writeable: bool = True) -> Any:
    """``numpy.lib.stride_tricks.as_strided``; of a traced value a copy of the entries."""
    if not isinstance(x, Traced):
        return np.lib.stride_tricks.as_strided(x, shape, strides, subok, writeable)
    shape = shape_of(x) if shape is None else tuple(shape)
    places = np.arange(x.size).reshape(shape_of(x))
    steps = places.strides if strides is None else [s // x.itemsize * places.itemsize for s in strides]
    return np.ravel(x)[np.lib.stride_tricks.as_strided(places, shape, steps)]

"""The methods and attributes of an ndarray, of a traced value: each is the NumPy function of that name."""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from dotbar import core
from dotbar.core import Traced, memory, primitive
from dotbar.errors import ConversionError
from dotbar.rules import shapes
from dotbar.rules.indexing import Flat
from dotbar.rules.kinds import constant, linear

# ---------------------------------------------------------------- methods that are functions of NumPy


def _method(fn: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Traced, *args: Any, **kw: Any) -> Any:
        return fn(self, *args, **kw)

    return method


FUNCTIONS: tuple[Callable[..., Any], ...] = (
    np.all,
    np.any,
    np.argmax,
    np.argmin,
    np.argpartition,
    np.argsort,
    np.choose,
    np.cumprod,
    np.cumsum,
    np.diagonal,
    np.dot,
    np.max,
    np.mean,
    np.min,
    np.nonzero,
    np.prod,
    np.put,
    np.ravel,
    np.repeat,
    np.round,
    np.searchsorted,
    np.squeeze,
    np.std,
    np.sum,
    np.swapaxes,
    np.take,
    np.trace,
    np.var,
)


def reshape(self: Traced, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
    return shapes.reshape(self, shape[0] if len(shape) == 1 else shape, order, copy=copy)


def transpose(self: Traced, *axes: Any) -> Any:
    return np.transpose(self, axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None)


def astype(
    self: Traced, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
) -> Any:
    if not np.can_cast(self.dtype, dtype, casting):
        raise TypeError(
            f"Cannot cast array data from {self.dtype} to {np.dtype(dtype)} according to the rule {casting!r}"
        )
    return self if not copy and self.dtype == dtype else shapes.astype(self, dtype=np.dtype(dtype))


def copy(self: Traced, order: Any = "C") -> Any:
    return np.copy(self, order)


def flatten(self: Traced, order: Any = "C") -> Any:
    return np.copy(np.ravel(self, order))


def clip(self: Traced, min: Any = None, max: Any = None, out: Any = None, **kw: Any) -> Any:
    return np.clip(self, min, max, out=out, **kw)


def conjugate(self: Traced, out: Any = None) -> Any:
    return np.conjugate(self, out=out) if self.dtype.kind == "c" or out is not None else self


def compress(self: Traced, condition: Any, axis: Any = None, out: Any = None) -> Any:
    return np.compress(condition, self, axis, out=out)


# ---------------------------------------------------------------- methods that change the array


def fill(self: Traced, value: Any) -> None:
    self[...] = value


def sort(self: Traced, axis: int = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> None:
    self[...] = np.sort(self, axis, kind, order, stable=stable)


def partition(self: Traced, kth: Any, axis: int = -1, kind: Any = "introselect", order: Any = None) -> None:
    self[...] = np.partition(self, kth, axis, kind, order)


def resize(self: Any, *new_shape: Any, refcheck: bool = True) -> None:
    """The first entries in another shape, or zeros behind them; the array must be no view and have none."""
    if self.alias is not None:
        raise ValueError("cannot resize an array that references or is referenced by another array")
    shape = tuple(new_shape[0] if np.ndim(new_shape[0]) else new_shape)
    size = int(np.prod(shape))
    entries = np.ravel(self)[:size]
    self.become(np.reshape(np.concatenate((entries, np.zeros(size - entries.size, self.dtype))), shape))


# ---------------------------------------------------------------- other readings of the same memory


@primitive
def view_as(x: Any, *, dtype: Any) -> Any:
    """``x.view(dtype)`` between real and complex entries of one precision: ⟨u, v⟩ is the same in both.

    A cotangent need not be laid out as its primal is; it is copied then.
    """
    return (x if x.strides[-1] == x.itemsize else np.copy(x, "C")).view(dtype)


def _batch_view(xs: Any, batched: Any, size: int, dtype: Any) -> Any:
    return view_as(xs[0], dtype=dtype)


linear(view_as, lambda ybar, x, *, dtype: view_as(ybar, dtype=x.dtype), batch=_batch_view)


@primitive
def bits_as(x: Any, *, dtype: Any) -> Any:
    """``x.view(dtype)`` in integers."""
    return x.view(dtype)


@primitive
def swap_bytes(x: Any) -> Any:
    """``x.byteswap()``, the same bits in another order: piecewise constant, if anything."""
    return x.byteswap()


constant(bits_as, like=lambda x, *, dtype: 0, batch="()->()")
constant(swap_bytes, batch="()->()")


def view(self: Traced, dtype: Any = None, **kw: Any) -> Any:
    """The same memory in the same dtype, as pairs (real, imaginary) or back, or as integers of the same size."""
    if dtype is None or dtype is np.ndarray or np.dtype(dtype) == self.dtype:
        return self[...]
    dtype = np.dtype(dtype)
    pair = {np.dtype(a): np.dtype(b) for a, b in (("f4", "c8"), ("c8", "f4"), ("f8", "c16"), ("c16", "f8"))}
    if pair.get(self.dtype) == dtype:
        memory(self).view(dtype)  # NumPy says if the memory order does not allow it
        return view_as(self, dtype=dtype)
    if dtype.kind in "iu" and dtype.itemsize == self.itemsize:
        return bits_as(self, dtype=dtype)
    raise ConversionError(
        f"a traced value of dtype {self.dtype} cannot be viewed as {dtype}: its bits have no derivative. "
        "Use x.astype(dtype) for the same values, or stop_gradient(x)."
    )


def getfield(self: Any, dtype: Any, offset: int = 0) -> Any:
    dtype = np.dtype(dtype)
    if dtype == self.dtype and offset == 0:
        return self[...]
    if self.dtype.kind == "c" and dtype.kind == "f" and 2 * dtype.itemsize == self.itemsize:
        return self.real if offset == 0 else self.imag
    raise ConversionError(f"bytes {offset} and on of dtype {self.dtype}, read as {dtype}, have no derivative.")


def setfield(self: Traced, val: Any, dtype: Any, offset: int = 0) -> None:
    getfield(self, dtype, offset)[...] = val


def byteswap(self: Traced, inplace: bool = False) -> Any:
    swapped = swap_bytes(self)
    if not inplace:
        return swapped
    self[...] = swapped
    return self


# ---------------------------------------------------------------- attributes


def _assignable(read: Callable[[Any], Any]) -> property:
    def write(self: Traced, value: Any) -> None:
        read(self)[...] = value

    return property(read, write)


def _set_imag(self: Traced, value: Any) -> None:
    if self.dtype.kind != "c":
        raise TypeError("array does not have imaginary part to set")
    np.imag(self)[...] = value


def _in_place(y: Any, self: Any, back: tuple[core.Step, ...]) -> None:
    """Let a value be what its view ``y`` is."""
    if type(y.alias) is not core.View:
        raise AttributeError(
            "Incompatible shape for in-place modification. Use `.reshape()` to make a copy with the desired shape."
        )
    core.reform(self, y, back)


def _set_shape(self: Traced, shape: Any) -> None:
    _in_place(np.reshape(self, shape), self, ((shapes.reshape_to, {"shape": self.shape}),))


def _set_dtype(self: Traced, dtype: Any) -> None:
    _in_place(view(self, dtype), self, ((view_as, {"dtype": self.dtype}),))


def _transposed(self: Traced) -> Any:
    return np.transpose(self)


def _matrices_transposed(self: Traced) -> Any:
    if self.ndim < 2:
        raise ValueError("matrix transpose with ndim < 2 is undefined")
    return np.matrix_transpose(self)


def _base(self: Traced) -> Any:
    return self.alias.root if isinstance(self.alias, core.View) else None


ATTRIBUTES: dict[str, property] = {
    "shape": Traced.shape.setter(_set_shape),
    "dtype": Traced.dtype.setter(_set_dtype),
    "T": property(_transposed),
    "mT": property(_matrices_transposed),
    "real": _assignable(lambda x: np.real(x)),
    "imag": property(lambda x: np.imag(x), _set_imag),
    "flat": _assignable(Flat),
    "base": property(_base),
    "strides": property(lambda x: memory(x).strides),
    "flags": property(lambda x: memory(x).flags),
    "device": property(lambda x: "cpu"),
}


def to_device(self: Traced, device: str, /, *, stream: Any = None) -> Any:
    if device != "cpu":
        raise ValueError(f"Unsupported device: {device!r}. Only 'cpu' is allowed.")
    return self


# ---------------------------------------------------------------- what would lose the derivative

REFUSED = {
    "item": "a Python number",
    "tolist": "a list of Python numbers",
    "tobytes": "bytes",
    "tofile": "bytes in a file",
    "dump": "a pickle in a file",
    "dumps": "a pickle",
    "__reduce_ex__": "a pickle",
    "setflags": "an array whose flags can be set",
    "data": "a buffer",
    "ctypes": "an address in memory",
}


def _refuse(name: str, to: str) -> Callable[..., Any]:
    def refused(self: Traced, *args: Any, **kw: Any) -> Any:
        if type(self) is core.Cell:
            found = getattr(core.without_cells(self), name)
            return found(*args, **kw) if callable(found) else found
        raise ConversionError(f".{name}: {core.conversion_message(to)}")

    return refused


# ---------------------------------------------------------------- Python's protocols


def contains(self: Traced, x: Any) -> bool:
    return bool(np.any(self == x))


def namespace(self: Traced, *, api_version: str | None = None) -> ModuleType:
    return import_module("dotbar.numpy")


def deepcopy(self: Traced, memo: Any) -> Any:
    return np.copy(self)


PROTOCOLS: dict[str, Callable[..., Any]] = {
    "__contains__": contains,
    "__copy__": _method(np.copy),
    "__deepcopy__": deepcopy,
    "__trunc__": lambda x: int(np.trunc(x)),
    "__floor__": lambda x: int(np.floor(x)),
    "__ceil__": lambda x: int(np.ceil(x)),
    "__array_namespace__": namespace,
}

METHODS: tuple[Callable[..., Any], ...] = (
    astype,
    byteswap,
    clip,
    compress,
    conjugate,
    copy,
    fill,
    flatten,
    getfield,
    partition,
    reshape,
    resize,
    setfield,
    sort,
    to_device,
    transpose,
    view,
)


def _install() -> None:
    for method in METHODS:
        setattr(Traced, method.__name__, method)
    for fn in FUNCTIONS:
        setattr(Traced, fn.__name__, _method(fn))
    Traced.conj = Traced.conjugate  # type: ignore[attr-defined]
    for name, attribute in {**ATTRIBUTES, **PROTOCOLS}.items():
        setattr(Traced, name, attribute)
    for name, to in REFUSED.items():
        refused = _refuse(name, to)
        setattr(Traced, name, property(refused) if name in ("data", "ctypes") else refused)


_install()

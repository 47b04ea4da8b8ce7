"""What an ndarray can do, done by a traced value: operators, methods, attributes, the methods of ufuncs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dotbar import core
from dotbar.core import (
    RULES,
    Traced,
    as_array,
    copy_into,
    dtype_of,
    find_rule,
    is_differentiable,
    shape_of,
    without_cells,
)
from dotbar.rules.reductions import lines, logsumexp, restore
from dotbar.rules.scans import add_reduceat, running_max, running_min
from dotbar.rules.shapes import astype, check_in_miniature, stand_in

# ---------------------------------------------------------------- operators

BINARY: dict[str, np.ufunc] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "matmul": np.matmul,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
    "divmod": np.divmod,
}
COMPARISONS: dict[str, np.ufunc] = {
    "lt": np.less,
    "le": np.less_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}
POWERS: dict[Any, np.ufunc] = {2: np.square, 0.5: np.sqrt}
UNARY: dict[str, np.ufunc] = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}


def refuses(x: Any) -> bool:
    """Whether an operand is no number, is sparse or has opted out of NumPy's operators: its reflected one is tried."""
    kind = type(x)
    return kind is str or getattr(kind, "__array_ufunc__", x) is None or hasattr(kind, "toarray")


def forward_operator(ufunc: np.ufunc) -> Callable[..., Any]:
    def op(self: Any, other: Any) -> Any:
        return NotImplemented if refuses(other) else find_rule(ufunc)(self, other)

    return op


def reflected_operator(ufunc: np.ufunc) -> Callable[..., Any]:
    def op(self: Any, other: Any) -> Any:
        return NotImplemented if refuses(other) else find_rule(ufunc)(other, self)

    return op


def inplace_operator(ufunc: np.ufunc) -> Callable[..., Any]:
    def op(self: Any, other: Any) -> Any:
        if not self.shape and core.is_number(self):
            return find_rule(ufunc)(self, other)
        return copy_into(self, find_rule(ufunc)(self, other))

    return op


def unary_operator(ufunc: np.ufunc) -> Callable[..., Any]:
    def op(self: Any) -> Any:
        return find_rule(ufunc)(self)

    return op


def power_operator(self: Any, exponent: Any) -> Any:
    """x ** n; the exponents that NumPy's operator hands to a cheaper function, as there."""
    if (type(exponent) is int or (type(exponent) is float and is_differentiable(self))) and exponent in POWERS:
        return find_rule(POWERS[exponent])(self)
    return NotImplemented if refuses(exponent) else find_rule(np.power)(self, exponent)


def round_operator(self: Any, digits: int | None = None) -> Any:
    """``round(x)`` is an integer, ``round(x, digits)`` a rounded value; both are locally constant."""
    return int(np.round(self)) if digits is None else np.round(self, digits)


def _install_operators() -> None:
    for name, ufunc in BINARY.items():
        setattr(Traced, f"__{name}__", forward_operator(ufunc))
        setattr(Traced, f"__r{name}__", reflected_operator(ufunc))
        if name != "divmod":
            setattr(Traced, f"__i{name}__", inplace_operator(ufunc))
    for name, ufunc in COMPARISONS.items():
        setattr(Traced, f"__{name}__", forward_operator(ufunc))
    for name, ufunc in UNARY.items():
        setattr(Traced, f"__{name}__", unary_operator(ufunc))
    Traced.__pow__ = power_operator  # type: ignore[attr-defined]
    Traced.__round__ = round_operator  # type: ignore[attr-defined]


# ---------------------------------------------------------------- the methods of ufuncs

REDUCE: dict[np.ufunc, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
ACCUMULATE: dict[np.ufunc, Callable[..., Any]] = {
    np.add: np.cumsum,
    np.multiply: np.cumprod,
    np.maximum: running_max,
    np.minimum: running_min,
}
ASSOCIATIVE = {np.logaddexp, np.logaddexp2, np.fmax, np.fmin, np.hypot, np.logical_xor}


def ufunc_call(ufunc: np.ufunc, *inputs: Any, **kw: Any) -> Any:
    """A ufunc with keywords: ``out=`` and ``where=`` by assignment, the rest (dtype, casting) by NumPy itself."""
    inputs = tuple(map(as_array, inputs))
    out = kw.pop("out", (None,) * ufunc.nout)
    check_in_miniature(ufunc, *inputs, out=out, **kw)
    where = kw.pop("where", True)
    kw = {k: v for k, v in kw.items() if k not in ("order", "subok")}
    settings = kw
    if kw.get("dtype") is not None:
        dtype = np.dtype(kw["dtype"])
        if getattr(RULES.get(ufunc), "kind", "") in ("rule", "composite"):  # whose functions have other signatures
            given, result = (*map(dtype_of, inputs), *(None,) * ufunc.nout), (dtype,) * ufunc.nout
            dtypes = ufunc.resolve_dtypes(
                given, signature=(*(None,) * ufunc.nin, *result), casting=kw.get("casting", "same_kind")
            )
            inputs = tuple(astype(x, dtype=d) for x, d in zip(inputs, dtypes))
            settings = {k: v for k, v in kw.items() if k not in ("dtype", "casting")}
        elif dtype.kind == "c":  # beyond the real domain, as √−1
            inputs = tuple(astype(x, dtype=dtype) for x in inputs)
    with np.errstate(all=None if where is True else "ignore"):
        y = find_rule(ufunc)(*inputs, **settings)
    if not isinstance(y, tuple):
        return deliver(y, out[0], where, **kw)
    return tuple(deliver(v, o, where, **kw) for v, o in zip(y, out, strict=True))


def deliver(y: Any, out: Any, where: Any = True, casting: str = "same_kind", **_: Any) -> Any:
    """A result in its ``out=`` array; entries that ``where=`` leaves out are 0 if there is none."""
    if out is None:
        return y if where is True else np.where(where, y, dtype_of(y).type(0))
    if isinstance(out, Traced):
        return copy_into(out, y, where, casting)
    y, where = without_cells(y), without_cells(where)
    return copy_into(out, np.where(where, y, out) if isinstance(where, Traced) else y, where, casting)


def ufunc_reduce(
    ufunc: np.ufunc, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False, **kw: Any
) -> Any:
    """``ufunc.reduce``: by NumPy's function for it if there is one, else by halves or one entry after the other."""
    x = as_array(array) if dtype is None else astype(as_array(array), dtype=np.dtype(dtype))
    axis = None if np.ndim(x) == 0 and axis in (0, -1) else axis
    if ufunc in REDUCE:
        y = REDUCE[ufunc](x, axis, keepdims=keepdims, **kw)
    elif ufunc is np.logaddexp and not kw:
        y = logsumexp(x, axis=axis, keepdims=keepdims)
    else:
        plain = {k: stand_in(v) if isinstance(v, Traced) else v for k, v in kw.items()}
        ufunc.reduce(stand_in(x), axis, keepdims=keepdims, **plain)
        y = restore(fold(ufunc, x, axis, **kw), axis, np.ndim(x), keepdims)
    return deliver(y, out[0] if out else None)


def fold(ufunc: np.ufunc, x: Any, axis: Any, initial: Any = None, where: Any = True) -> Any:
    """y = f(... f(f(initial, x₀), x₁) ...); of an associative f by halves."""
    rows, _ = lines(x, axis)
    y = ufunc.identity if initial is None else initial
    if where is not True:
        chosen, _ = lines(np.broadcast_to(where, shape_of(x)), axis)
        for k in range(shape_of(rows)[-1]):
            y = np.where(chosen[..., k], ufunc(y, rows[..., k]), y)
        return y
    if ufunc in ASSOCIATIVE:
        while (half := shape_of(rows)[-1] // 2) > 0:
            pairs = ufunc(rows[..., :half], rows[..., half : 2 * half])
            rows = np.concatenate([pairs, rows[..., 2 * half :]], -1)
    for k in range(shape_of(rows)[-1]):
        y = rows[..., k] if y is None else ufunc(y, rows[..., k])
    return y if shape_of(rows)[-1] else np.full(shape_of(rows)[:-1], y, dtype_of(x))


def ufunc_accumulate(ufunc: np.ufunc, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """``ufunc.accumulate``: by NumPy's function for it if there is one, else one entry after the other."""
    x = as_array(array) if dtype is None else astype(as_array(array), dtype=np.dtype(dtype))
    ufunc.accumulate(stand_in(x), axis)
    if ufunc in ACCUMULATE:
        y = ACCUMULATE[ufunc](x, axis=axis)
    else:
        rows = np.moveaxis(x, axis, 0)
        items = list(rows[:1])
        for row in rows[1:]:
            items.append(ufunc(items[-1], row))
        y = np.stack(items, axis) if items else x
    return deliver(y, out[0] if out else None)


def ufunc_reduceat(ufunc: np.ufunc, array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """``ufunc.reduceat``: the reductions of x[iₖ : iₖ₊₁]; where iₖ ≥ iₖ₊₁ the entry iₖ alone."""
    x = as_array(array) if dtype is None else astype(as_array(array), dtype=np.dtype(dtype))
    indices = np.asarray(indices)
    ufunc.reduceat(stand_in(x), indices, axis)
    if ufunc is np.add:
        y = add_reduceat(x, indices=indices, axis=axis)
    else:
        rows = np.moveaxis(x, axis, 0)
        ends = np.append(indices[1:], len(rows))
        y = np.stack([ufunc.reduce(rows[i : max(i + 1, end)]) for i, end in zip(indices, ends)], axis)
    return deliver(y, out[0] if out else None)


def ufunc_outer(ufunc: np.ufunc, a: Any, b: Any, **kw: Any) -> Any:
    """``ufunc.outer``: all pairs of an entry of ``a`` and an entry of ``b``."""
    a, b = as_array(a), as_array(b)
    return ufunc_call(ufunc, np.reshape(a, (*shape_of(a), *(1,) * np.ndim(b))), b, **kw)


core.UFUNC_METHODS["__call__"] = ufunc_call
core.UFUNC_METHODS["reduce"] = ufunc_reduce
core.UFUNC_METHODS["accumulate"] = ufunc_accumulate
core.UFUNC_METHODS["reduceat"] = ufunc_reduceat
core.UFUNC_METHODS["outer"] = ufunc_outer
_install_operators()

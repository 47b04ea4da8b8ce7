"""What an ndarray can do, done by a traced value: operators, methods, attributes, the methods of ufuncs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dotbar import core
from dotbar.core import Traced, copy_into, find_rule, shape_of

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
UNARY: dict[str, np.ufunc] = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}


def refuses(x: Any) -> bool:
    """Whether an operand has opted out of NumPy's operators, so that its own reflected operator is to be tried."""
    return getattr(type(x), "__array_ufunc__", x) is None


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


# ---------------------------------------------------------------- the methods of ufuncs


def ufunc_call(ufunc: np.ufunc, *inputs: Any, out: Any = None, where: Any = True, **kw: Any) -> Any:
    """A ufunc with keywords: ``out=`` and ``where=`` by assignment, the rest (dtype, casting) by NumPy itself."""
    y = find_rule(ufunc)(*inputs, **{k: v for k, v in kw.items() if k in ("dtype", "casting", "signature")})
    casting = kw.get("casting", "same_kind")
    if out is not None:
        outs = out if isinstance(out, tuple) else (out,)
        ys = y if isinstance(y, tuple) else (y,)
        done = tuple(v if o is None else copy_into(o, v, where, casting) for o, v in zip(outs, ys, strict=True))
        return done if isinstance(y, tuple) else done[0]
    if where is not True:
        y = np.where(where, y, np.empty(shape_of(y), core.dtype_of(y)))
    return y


core.UFUNC_METHODS["__call__"] = ufunc_call
_install_operators()

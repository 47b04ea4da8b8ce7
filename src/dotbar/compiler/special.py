"""Special functions in native code: SciPy's, through the pointers that it exports, entry by entry.

They are found by the names of ufuncs, so that whoever registers a rule for one of ``scipy.special`` need not come here.
"""

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from dotbar.compiler.blas import stacked
from dotbar.compiler.kernels import TYPES
from dotbar.compiler.lapack import PREFIX, exported, signature
from dotbar.compiler.lowering import CALLS, Lowering, Result, UnsupportedError, View
from dotbar.compiler.tiles import Routine
from dotbar.rules.elementwise import bessel_i

DOUBLE = np.dtype(float)


@cache
def symbol(name: str, arguments: int) -> str | None:
    """What stands for a function of so many doubles; the variants for other types are of no use."""
    wanted = f"double ({'double, ' * arguments}int __pyx_skip_dispatch)".encode()
    pointers = exported("special")
    for variant in (name, f"__pyx_fuse_0{name}", f"__pyx_fuse_1{name}"):
        if variant in pointers and signature(pointers[variant]) == wanted:
            return f"{PREFIX}special.{variant}"
    return None


class Entry:
    """``i32 (ptr x…, ptr y, ptr work)``: y = f(x, …)."""

    work = 0

    def __init__(self, symbol: str, dtype: np.dtype[Any], arguments: int) -> None:
        self.symbol, self.dtype, self.arguments = symbol, dtype, arguments

    def define(self, definitions: dict[str, str]) -> str:
        """Write the function; its name."""
        code = Routine(definitions, self.dtype, 1)
        names = [f"%x{k}.place" for k in range(self.arguments)]
        xs = [code(f"load {code.scalar}, ptr {x}") for x in names]
        double = self.dtype == DOUBLE
        xs = xs if double else [code(f"fpext float {x} to double") for x in xs]
        doubles = ", ".join(["double"] * len(xs))
        definitions[self.symbol] = f"declare double @{self.symbol}({doubles}, i32)"
        y = code(f"call double @{self.symbol}({', '.join(f'double {x}' for x in xs)}, i32 0)")
        y = y if double else code(f"fptrunc double {y} to float")
        code.put(f"store {code.scalar} {y}, ptr %y")
        parameters = ", ".join(f"ptr {p}" for p in (*names, "%y", "%work"))
        return code.define(f"dotbar.{self.symbol}.{self.dtype.name}", parameters, status="0")


def entries(lowering: Lowering, name: str, dtype: np.dtype[Any], *xs: Any) -> View:
    """A function of SciPy's of each entry."""
    function = symbol(name, len(xs))
    if function is None or dtype not in TYPES or dtype.kind != "f":
        raise UnsupportedError
    views = [lowering.view(x, dtype) for x in xs]
    shape = np.broadcast_shapes(*(x.shape for x in views))
    views = [x.move(lambda v: np.broadcast_to(v, shape)) for x in views]
    if 0 in shape:
        return lowering.full(0, shape, dtype)
    return stacked(lowering, Entry(function, dtype, len(xs)), views, [Result(shape, dtype)], len(shape))[0]


def product(x: Any, y: Any, log: Callable[[Any], Any] = np.log) -> Any:
    """x log y, 0 where x is 0."""
    return np.where(np.equal(x, 0) & ~np.isnan(y), 0, x * log(y))


BODIES: dict[str, Callable[..., Any]] = {
    "xlogy": product,
    "xlog1py": lambda x, y: product(x, y, np.log1p),
    "entr": lambda x: np.where(x < 0, -np.inf, -product(x, x)),
    "log_expit": lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))),
}
"""What is quicker as a loop of elementary functions, which work on several entries at once."""


def ufunc(lowering: Lowering, fn: np.ufunc, *xs: Any) -> View:
    """A ufunc of scipy.special."""
    if getattr(sys.modules.get("scipy.special"), fn.__name__, None) is not fn or fn.nout != 1:
        raise UnsupportedError
    dtypes = set(fn.resolve_dtypes((*(lowering.view(x).dtype for x in xs), None)))
    if len(dtypes) != 1:
        raise UnsupportedError
    dtype = dtypes.pop()
    if fn.__name__ in BODIES and dtype.kind == "f":
        return BODIES[fn.__name__](*(lowering.view(x, dtype) for x in xs))
    return entries(lowering, fn.__name__, dtype, *xs)


def bessel(lowering: Lowering, x: View, *, n: int) -> View:
    """Iₙ(x)."""
    return entries(lowering, "i1", x.dtype, x) if n == 1 else entries(lowering, "iv", x.dtype, float(n), x)


CALLS |= {np.ufunc: ufunc, bessel_i: bessel, np.i0: lambda lowering, x: entries(lowering, "i0", x.dtype, x)}

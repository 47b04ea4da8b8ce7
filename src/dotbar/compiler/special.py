"""Special functions in native code: SciPy's, through the pointers that it exports, entry by entry.

They are found by the names and types of ufuncs, so that whoever registers a rule for one of ``scipy.special`` need not
come here.  Types are written as ufuncs write them, ``dD->D``, with ``q`` for an integer of 64 bits.
"""

import re
import sys
from collections.abc import Callable, Iterable
from ctypes import c_long, sizeof
from functools import cache
from typing import Any

import numpy as np

from dotbar.compiler import engine
from dotbar.compiler.blas import stacked
from dotbar.compiler.kernels import TYPES
from dotbar.compiler.lapack import PREFIX, exported, signature
from dotbar.compiler.lowering import CALLS, INTEGER, Lowering, Result, UnsupportedError, resolved
from dotbar.compiler.pairs import PARTS, Pair, imag, real
from dotbar.compiler.tiles import Routine
from dotbar.rules.elementwise import bessel_i

DOUBLE = np.dtype(float)

IN_C = {"double": "d", "__pyx_t_double_complex": "D", "Py_ssize_t": "q"} | (
    {"long": "q"} if sizeof(c_long) == 8 else {}
)
NATIVE = {"d": "double", "q": "i64"}

REGISTERS = 8
"""So many floating arguments are passed in registers; a complex number is never half of it in memory."""


@cache
def variants(name: str) -> dict[str, str]:
    """The symbols of a function of SciPy's, by their types."""
    pattern = re.compile(rf"(__pyx_fuse(_\d+)+)?{name}")
    pointers = {variant: x for variant, x in exported("special").items() if pattern.fullmatch(variant)}
    found = {types_of(signature(x).decode()): f"{PREFIX}special.{variant}" for variant, x in pointers.items()}
    return {types: symbol for types, symbol in found.items() if types is not None}


def types_of(signature: str) -> str | None:
    """The types in a declaration in C: one result is returned, several are written where pointers say."""
    result, *arguments = re.split(r" \(|, ", signature.removesuffix(")"))
    if arguments[-1] == "int __pyx_skip_dispatch":
        arguments.pop()
    inputs = [x for x in arguments if not x.endswith(" *")]
    outputs = [x.removesuffix(" *") for x in arguments[len(inputs) :]] or [result]
    if not {*inputs, *outputs} <= {*IN_C}:
        return None
    return "->".join("".join(IN_C[x] for x in part) for part in (inputs, outputs))


def raises(symbols: Iterable[str]) -> bool:
    """Whether there is a function of SciPy's among them: it warns, and where memory does not suffice, raises."""
    return any(name.startswith(f"{PREFIX}special") for name in symbols)


def in_parts(types: str) -> str:
    """The same with the parts of complex numbers."""
    return types.replace("D", "dd")


def passes_parts() -> bool:
    """Whether C's complex numbers are passed and returned as two numbers in registers.

    System V ABI for AMD64, 3.2.3: each is of class SSE; AAPCS64, 6.8: an aggregate of two floating-point numbers.
    """
    triple = engine.machine().triple
    return triple.startswith(("x86_64", "aarch64", "arm64")) and "windows" not in triple


class Entry:
    """``i32 (ptr x…, ptr y…, ptr work)``: y, … = f(x, …); of complex numbers each part has a pointer of its own."""

    work = 0

    def __init__(self, symbol: str, types: str, dtype: np.dtype[Any]) -> None:
        self.symbol, self.types, self.dtype = symbol, types, dtype

    def define(self, definitions: dict[str, str]) -> str:
        """Write the function; its name."""
        code = Routine(definitions, self.dtype, 1)
        inputs, outputs = in_parts(self.types).split("->")
        xs = [self.load(code, kind, f"%x{k}.place") for k, kind in enumerate(inputs)]
        for k, y in enumerate(self.call(code, xs)):
            y = y if self.dtype == DOUBLE else code(f"fptrunc double {y} to float")
            code.put(f"store {code.scalar} {y}, ptr %y{k}.place")
        places = [*(f"%x{k}.place" for k in range(len(inputs))), *(f"%y{k}.place" for k in range(len(outputs)))]
        parameters = ", ".join(f"ptr {p}" for p in (*places, "%work"))
        return code.define(f"dotbar.{self.symbol}.{self.dtype.name}", parameters, status="0")

    def load(self, code: Routine, kind: str, place: str) -> str:
        """An argument at a place, with its type."""
        x = code(f"load {code.scalar if kind == 'd' else NATIVE[kind]}, ptr {place}")
        x = x if kind != "d" or self.dtype == DOUBLE else code(f"fpext float {x} to double")
        return f"{NATIVE[kind]} {x}"

    def call(self, code: Routine, xs: list[str]) -> list[str]:
        """The results."""
        results = self.types.partition("->")[2]
        slots = [code(f"alloca double, i64 {len(in_parts(y))}") for y in results if len(results) > 1]
        kind = {"d": "double", "D": "{ double, double }"}.get(results, "void")
        more = [f"ptr {slot}" for slot in slots] or ["i32 0"]
        kinds = ", ".join(x.partition(" ")[0] for x in (*xs, *more))
        code.definitions[self.symbol] = f"declare {kind} @{self.symbol}({kinds})"
        call = f"call {kind} @{self.symbol}({', '.join((*xs, *more))})"
        if slots:
            code.put(call)
            steps = [(slot, k) for slot, y in zip(slots, results) for k in range(len(in_parts(y)))]
            return [code(f"load double, ptr {code(f'getelementptr double, ptr {s}, i64 {k}')}") for s, k in steps]
        y = code(call)
        return [y] if results == "d" else [code(f"extractvalue {kind} {y}, {k}") for k in (0, 1)]


def entries(lowering: Lowering, name: str, types: str, dtype: np.dtype[Any], *xs: Any) -> list[Any]:
    """The results of a function of SciPy's for each entry; of floats, or parts, of a dtype."""
    function = variants(name).get(types)
    inputs, outputs = types.split("->")
    if function is None or ("D" in types and (not passes_parts() or in_parts(inputs).count("d") > REGISTERS)):
        raise UnsupportedError
    given = [part(x) for x, kind in zip(xs, inputs) for part in ((real, imag) if kind == "D" else (real,))]
    views = [lowering.view(x, INTEGER if kind == "q" else dtype) for x, kind in zip(given, in_parts(inputs))]
    shape = np.broadcast_shapes(*(x.shape for x in views))
    views = [x.move(lambda v: np.broadcast_to(v, shape)) for x in views]
    results = [Result(shape, dtype) for _ in in_parts(outputs)]
    if 0 in shape:
        ys = [lowering.full(0, shape, dtype) for _ in results]
    else:
        ys = stacked(lowering, Entry(function, types, dtype), views, results, len(shape))
    parts = iter(ys)
    return [Pair(lowering, next(parts), next(parts)) if kind == "D" else next(parts) for kind in outputs]


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


def ufunc(lowering: Lowering, fn: np.ufunc, *xs: Any) -> Any:
    """A ufunc of scipy.special."""
    if getattr(sys.modules.get("scipy.special"), fn.__name__, None) is not fn:
        raise UnsupportedError
    dtypes = resolved(fn, xs)
    floats = {PARTS.get(t, t) for t in dtypes if t != INTEGER}
    if len(floats) != 1 or not floats <= {*TYPES} or dtypes[-1] == INTEGER:
        raise UnsupportedError
    dtype = floats.pop()
    if fn.__name__ in BODIES and dtypes[-1].kind == "f":
        return BODIES[fn.__name__](*(lowering.view(x, dtype) for x in xs))
    codes = "".join({"f": "d", "c": "D", "i": "q"}[t.kind] for t in dtypes)
    return entries(lowering, fn.__name__, f"{codes[: fn.nin]}->{codes[fn.nin :]}", dtype, *xs)


def bessel(lowering: Lowering, x: Any, *, n: int) -> Any:
    """Iₙ(x)."""
    if n == 1:
        return entries(lowering, "i1", "d->d", x.dtype, x)
    return entries(lowering, "iv", "dd->d", x.dtype, float(n), x)


CALLS |= {
    np.ufunc: ufunc,
    bessel_i: bessel,
    np.i0: lambda lowering, x: entries(lowering, "i0", "d->d", x.dtype, x),
}

"""Code of single numbers: a list of them is a value's entries, each a register, or a number where that is known.

What is written is little:

* nothing twice, as far as an instruction's result is at hand;
* factors ±2ᵏ go through sums, products and quotients to the end, (2a)·(b/2) = ab and (−2a) + (2b) = 2(b − a), as they
  are exact but for the sign of a zero;
* divisions and square roots of several numbers are those of a vector, as is what is then computed of all of them.

An instruction whose result is not used costs nothing: LLVM drops it.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any, TypeAlias

import numpy as np

from dotbar.compiler import engine
from dotbar.compiler.kernels import TO_BOOL, TYPES, Code, identity, literal, memory_type, vector
from dotbar.compiler.quotients import is_simple
from dotbar.program import Var

__all__ = ["Entries", "Scalars", "text"]

Entries: TypeAlias = list[Any]

SLOW = ("divide", "sqrt")
"""What takes as long of a vector as of a number."""

FACTORED = ("add", "subtract", "multiply", "divide", "negative")
"""What factors go through."""

MODERATE = 2.0**-100, 2.0**100
"""The size of numbers that are multiplied by factors."""


class Scalars(Code):
    """Code of single numbers.  Vectors of registers are ``known`` by the list of these, other results by their text."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[Any, str] = {}
        self.factors: dict[Any, tuple[float, Any]] = {}
        self.zeros: set[str] = set()
        self.headers = 0

    def __call__(self, instruction: str) -> str:
        if instruction.startswith(("load ", "call ptr ", "call i32 ")):
            return super().__call__(instruction)
        if instruction not in self.known:
            self.known[instruction] = super().__call__(instruction)
        return self.known[instruction]

    @contextmanager
    def scope(self) -> Generator[None]:
        """What is computed in this block is not known after it."""
        outer, self.known = self.known, dict(self.known)
        yield
        self.known = outer

    # ------------------------------------------------ operations

    def entry(self, op: str, dtype: np.dtype[Any], *xs: Any) -> Any:
        """The result of an operation on numbers."""
        return self.each(op, dtype, *([x] for x in xs))[0]

    def each(self, op: str, dtype: np.dtype[Any], *xs: Entries) -> Entries:
        """The results of an operation on lists of numbers."""
        plans = {tuple(text(x, dtype) for x in operands): self.plan(op, dtype, *operands) for operands in zip(*xs)}
        keys, found, lanes = list(plans), dict[tuple[str, ...], Any](), engine.lanes(dtype)
        for some in (keys[k : k + lanes] for k in range(0, len(keys), lanes)):
            factors, ops, operands = zip(*map(plans.__getitem__, some))
            rows = list(zip(*operands)) if len(set(ops)) == 1 else []
            if len(some) > 1 and rows and ops[0] not in TO_BOOL and self.is_apt(ops[0], dtype, rows):
                results = self.together(ops[0], dtype, rows, factors)
            else:
                made = (xs[0] if o == "copy" else self.plain(o, dtype, *xs) for o, xs in zip(ops, operands))
                results = [self.times(f, x, dtype) for f, x in zip(factors, made)]
            found.update(zip(some, results))
        return [found[tuple(text(x, dtype) for x in operands)] for operands in zip(*xs)]

    def plain(self, op: str, dtype: np.dtype[Any], *xs: Any) -> str:
        """An operation as it is written."""
        return self.operation(op, dtype, 1, *(text(x, dtype) for x in xs))

    def total(self, op: str, dtype: np.dtype[Any], parts: Entries) -> Any:
        """Numbers, taken together by pairs."""
        while len(parts) > 1:
            rest = parts[2 * (len(parts) // 2) :]
            parts = [self.entry(op, dtype, a, b) for a, b in zip(parts[::2], parts[1::2])] + rest
        return parts[0] if parts else identity(op, dtype)

    # ------------------------------------------------ factors

    def plan(self, op: str, dtype: np.dtype[Any], *xs: Any) -> tuple[Any, str, tuple[Any, ...]]:
        """An operation as a factor times the result of another."""
        if dtype.kind != "f" or op not in FACTORED:
            return 1, op, xs
        if not any(type(x) is str for x in xs):
            with np.errstate(all="ignore"):
                return 1, "copy", (getattr(np, op)(*map(dtype.type, xs)),)
        (f, a), (g, b) = (self.factors.get(x, (1.0, x)) for x in (*xs, "")[:2])
        match op, type(a) is str, type(b) is str:
            case "negative", _, _:
                return -f, "copy", (a,)
            case "multiply", True, False if is_moderate(b):
                return f * b, "copy", (a,)
            case "multiply", False, True if is_moderate(a):
                return g * a, "copy", (b,)
            case "multiply", _, _:
                return f * g, op, (a, b)
            case "divide", _, False if is_simple(b):
                return f / b, "copy", (a,)
            case "divide", _, _:
                return f / g, op, (a, b)
            case _, True, True:
                f, g = g if a in self.zeros else f, f if b in self.zeros else g
                if abs(f) == abs(g):
                    return f, "add" if (f == g) == (op == "add") else "subtract", (a, b)
            case _, True, False if b == 0:
                return 1, "copy", xs[:1]
            case "add", False, True if a == 0:
                return 1, "copy", xs[1:]
            case _:
                pass
        return 1, op, xs

    def times(self, f: Any, x: Any, dtype: np.dtype[Any]) -> Any:
        """f·x."""
        if f == 1:
            return x
        y = self.plain("negative", dtype, x) if f == -1 else self.plain("multiply", dtype, x, f)
        if is_simple(f):
            self.factors[y] = float(f), x
        elif f == 0:
            self.zeros.add(y)
        return y

    # ------------------------------------------------ vectors

    def is_apt(self, op: str, dtype: np.dtype[Any], rows: Sequence[tuple[Any, ...]]) -> bool:
        """Whether an operation on lists is better one on vectors."""
        vectors = (tuple(text(x, dtype) for x in row) in self.known for row in rows if any(type(x) is str for x in row))
        return op in SLOW or all(vectors)

    def together(self, op: str, dtype: np.dtype[Any], rows: Sequence[Sequence[Any]], factors: Sequence[Any]) -> Entries:
        """Factors times the results of an operation, as vectors."""
        V = vector(TYPES[dtype], len(factors))
        y = self.operation(op, dtype, len(factors), *(self.vector(row, dtype) for row in rows))
        made = list(rows[0])
        if op != "copy":
            made = [self(f"extractelement {V} {y}, i64 {k}") for k in range(len(made))]
            self.known[tuple(made)] = y
        scaled = [self.times(f, x, dtype) for f, x in zip(factors, made)]
        if scaled != made:
            operands = y, self.vector(factors, dtype)
            self.known[tuple(scaled)] = self.operation("multiply", dtype, len(factors), *operands)
        return scaled

    def vector(self, row: Sequence[Any], dtype: np.dtype[Any]) -> str:
        """A vector of numbers."""
        row = tuple(text(x, dtype) for x in row)
        if not any(x.startswith("%") for x in row):
            return f"<{', '.join(f'{TYPES[dtype]} {x}' for x in row)}>"
        if row not in self.known:
            V, name = vector(TYPES[dtype], len(row)), "poison"
            for k, x in enumerate(row):
                name = self(f"insertelement {V} {name}, {TYPES[dtype]} {x}, i64 {k}")
            self.known[row] = name
        return self.known[row]

    # ------------------------------------------------ choices, memory

    def choice(self, dtype: np.dtype[Any], condition: Any, x: Any, y: Any) -> Any:
        """One of two numbers."""
        if type(condition) is not str:
            return x if condition else y
        return self.select(dtype, 1, condition, text(x, dtype), text(y, dtype))

    def load(self, pointer: str, x: Var) -> Entries:
        """The entries that lie one behind the other."""
        T = memory_type(x.dtype)
        found = [self(f"load {T}, ptr {self.at(pointer, T, k)}") for k in range(prod(x.shape))]
        return [self(f"icmp ne i8 {v}, 0") for v in found] if x.dtype.kind == "b" else found

    def store(self, entries: Entries, pointer: str, x: Var) -> None:
        """The same, the other way."""
        T = memory_type(x.dtype)
        for k, v in enumerate(entries):
            name = text(v, x.dtype)
            name = self(f"zext i1 {name} to i8") if x.dtype.kind == "b" else name
            self.put(f"store {T} {name}, ptr {self.at(pointer, T, k)}")

    def at(self, pointer: str, T: str, k: Any) -> str:
        """The place of number ``k`` from a pointer on."""
        return self(f"getelementptr {T}, ptr {pointer}, i64 {k}")


def text(x: Any, dtype: np.dtype[Any]) -> str:
    """An entry as an operand."""
    return x if type(x) is str else literal(x, dtype)


def is_moderate(c: Any) -> bool:
    """Whether a number times a factor neither overflows nor loses digits."""
    return bool(c == 0 or MODERATE[0] < abs(c) < MODERATE[1])

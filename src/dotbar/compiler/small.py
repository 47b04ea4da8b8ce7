"""Linear algebra of many small matrices, as LLVM IR text: one matrix in each lane of a vector.

In: a function's name, a dtype, a number of lanes and the sizes of the matrices.  Out: the definition of
``i32 @dotbar.cholesky.f64x8.5(ptr a, ptr l, i64 count)`` and its like, which runs over ``count`` matrices in C's
order, ``lanes`` at a time; the last group overlaps the one before it, so ``count`` is 0 or at least ``lanes``, and
results do not share memory with arguments.  It returns 0, or 1 as soon as a matrix is refused: not positive definite,
singular, not converging.  What then is right is for NumPy to say.

Each function is written once, as its algorithm on blocks: ``A[i, j]`` is the vector of these entries of several
matrices.  A block is filled by loads of consecutive entries and a transposition in registers; with one lane it is the
matrix itself.  One loop of each nest is written out, in registers; to write out more would be no faster.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from math import inf
from operator import add, mul, or_
from typing import Any, TypeAlias

import numpy as np

from dotbar.compiler import engine, vectors
from dotbar.compiler.kernels import exchanges
from dotbar.compiler.vectors import Value, any_lane, copysign, fma, magnitude, maximum, sqrt, where

LARGEST = 16
"""The order up to which these functions are meant."""

SWEEPS = 30
"""Jacobi's method takes six to ten."""

Index: TypeAlias = "int | str"
ELEMENTS = {"f64": "double", "f32": "float"}
BYTES = {"f64": 8, "f32": 4}


class Code(vectors.Code):
    """The body of a function in the making, with loops and blocks of memory."""

    def __init__(self, name: str, dtype: str, lanes: int) -> None:
        super().__init__(ELEMENTS[dtype], lanes, engine.machine().fma, single=False)
        self.name, self.dtype = name, dtype
        self.eps = float(np.finfo({"f64": np.float64, "f32": np.float32}[dtype]).eps)
        self.section = "entry"
        self.reserved: list[str] = []
        self.tables: list[str] = []
        self.refused: list[Value] = []
        self.needed: set[str] = set()

    def put(self, line: str) -> None:
        self.lines.append(f"  {line}")

    def open(self, label: str) -> None:
        """Begin a basic block."""
        self.lines.append(f"{label}:")
        self.section = label

    def label(self) -> str:
        self.lines.append("")
        return f"L{len(self.lines)}"

    def integer(self, instruction: str) -> str:
        return self.emit(instruction, "n").text

    def number(self, x: float) -> Value:
        """The same number in all lanes."""
        return Value(self, self.text(x, "f"), "f")

    def at(self, pointer: str, place: Index) -> str:
        """Where an entry lies."""
        return self.integer(f"getelementptr {self.element}, ptr {pointer}, i64 {place}") if place != 0 else pointer

    def read(self, pointer: str, place: Index, count: int) -> Value:
        """So many consecutive entries."""
        V, end, align = self.type("f"), self.at(pointer, place), BYTES[self.dtype]
        if count == self.lanes:
            return self.emit(f"load {V}, ptr {end}, align {align}", "f")
        arguments = f"ptr align {align} {end}, {self.mask(count)}, {V} poison"
        return self.emit(f"call {V} @llvm.masked.load.v{self.lanes}{self.dtype}.p0({arguments})", "f")

    def write(self, x: Value, pointer: str, place: Index, count: int) -> None:
        """So many lanes to consecutive places."""
        V, end, align = self.type("f"), self.at(pointer, place), BYTES[self.dtype]
        if count == self.lanes:
            self.put(f"store {V} {x.text}, ptr {end}, align {align}")
            return
        arguments = f"{V} {x.text}, ptr align {align} {end}, {self.mask(count)}"
        self.put(f"call void @llvm.masked.store.v{self.lanes}{self.dtype}.p0({arguments})")

    def mask(self, count: int) -> str:
        return f"<{self.lanes} x i1> <{', '.join(f'i1 {int(lane < count)}' for lane in range(self.lanes))}>"

    def definition(self, arguments: int) -> str:
        """The whole function."""
        listed = ", ".join(f"ptr noalias %p{k}" for k in range(arguments))
        head = f"define internal i32 @{self.name}({listed}, i64 %count) #0 {{\nentry:"
        return "\n".join([*self.tables, head, *self.reserved, *self.lines, "  ret i32 0\n}\n"])

    def refuse(self, mask: Value) -> None:
        """Give up where the mask holds in some lane."""
        self.refused.append(mask)

    def function(self, name: str, x: Value) -> Value:
        """A function of vectors.py."""
        self.needed.add(name)
        return self.emit(f"call {x.type} @dotbar.{name}.{self.dtype}x{self.lanes}({x.type} {x.text})", "f")

    def workspace(self, rows: int, columns: int) -> "Block":
        """A block of memory."""
        name = f"%block{len(self.reserved)}"
        self.reserved.append(f"  {name} = alloca [{rows * columns} x {self.type('f')}]")
        return Block(self, name, rows, columns)

    def table(self, numbers: Sequence[int]) -> str:
        """A constant array."""
        name = f"@{self.name}.table{len(self.tables)}"
        listed = ", ".join(f"i64 {number}" for number in numbers)
        self.tables.append(f"{name} = private unnamed_addr constant [{len(numbers)} x i64] [{listed}]")
        return name

    def pair(self, table: str, k: Index) -> tuple[str, str]:
        """Two neighbours in a constant array."""
        at = [self.integer(f"getelementptr i64, ptr {table}, i64 {self.plus(self.scaled(k, 2), e)}") for e in (0, 1)]
        return self.integer(f"load i64, ptr {at[0]}"), self.integer(f"load i64, ptr {at[1]}")

    def plus(self, i: Index, j: Index) -> Index:
        return i + j if isinstance(i, int) and isinstance(j, int) else self.integer(f"add i64 {i}, {j}")

    def scaled(self, i: Index, factor: int) -> Index:
        return i * factor if isinstance(i, int) else self.integer(f"mul i64 {i}, {factor}") if factor != 1 else i

    def fold(
        self, start: Index, stop: Index, totals: Sequence[Value], step: Callable[[Any, list[Value]], Sequence[Value]]
    ) -> list[Value]:
        """``totals = step(i, totals)`` for each i from ``start`` to ``stop - 1``."""
        if is_single(start, stop):
            for i in range(int(start), int(stop)):
                totals = step(i, list(totals))
            return list(totals)
        loop = Loop(self, start, stop, totals)
        loop.close(step(loop.index, list(loop.carried)))
        return loop.carried

    def loop(self, start: Index, stop: Index) -> Iterator[Any]:
        """Each i from ``start`` to ``stop - 1``; the body of the loop is what is written meanwhile."""
        if is_single(start, stop):
            yield from range(int(start), int(stop))
        else:
            loop = Loop(self, start, stop)
            yield loop.index
            loop.close()


def is_single(start: Index, stop: Index) -> bool:
    """Whether a loop has at most one step."""
    return isinstance(start, int) and isinstance(stop, int) and stop - start < 2


class Loop:
    """A loop over an index, with values that are carried from one step to the next."""

    def __init__(self, code: Code, start: Index, stop: Index, totals: Sequence[Value] = ()) -> None:
        self.code, self.start, self.stop, self.totals, self.before = code, start, stop, totals, code.section
        self.head, inside, self.after = code.label(), code.label(), code.label()
        code.put(f"br label %{self.head}")
        code.open(self.head)
        self.place = len(code.lines)
        self.index = code.integer("")
        self.carried = [code.emit("", total.kind) for total in totals]
        code.put(f"br i1 {code.integer(f'icmp slt i64 {self.index}, {stop}')}, label %{inside}, label %{self.after}")
        code.open(inside)

    def close(self, results: Sequence[Value] = (), until: str = "false") -> None:
        """End the body with the values for the next step, if there is to be one."""
        code = self.code
        following = code.integer(f"add i64 {self.index}, 1")
        following = code.integer(f"select i1 {until}, i64 {self.stop}, i64 {following}")
        end = code.section
        code.put(f"br label %{self.head}")
        code.lines[self.place] += f"phi i64 [{self.start}, %{self.before}], [{following}, %{end}]"
        for k, (first, result) in enumerate(zip(self.totals, results, strict=True), self.place + 1):
            code.lines[k] += f"phi {first.type} [{first.text}, %{self.before}], [{result.text}, %{end}]"
        code.open(self.after)


class Block:
    """Matrices in memory, their entries (i, j) together in a vector."""

    __slots__ = ("base", "code", "columns", "rows", "steps")

    def __init__(self, code: Code, base: str, rows: int, columns: int, steps: tuple[int, int] | None = None) -> None:
        self.code, self.base, self.rows, self.columns = code, base, rows, columns
        self.steps = steps or (columns, 1)

    @property
    def T(self) -> "Block":
        return Block(self.code, self.base, self.columns, self.rows, (self.steps[1], self.steps[0]))

    def right(self, column: int) -> "Block":
        """The columns from one on."""
        return Block(self.code, self.pointer(0, column), self.rows, self.columns - column, self.steps)

    def column(self, j: Index, start: int = 0, stop: int | None = None) -> list[Value]:
        return [self[i, j] for i in range(start, self.rows if stop is None else stop)]

    def __getitem__(self, place: tuple[Index, Index]) -> Value:
        return self.code.emit(f"load {self.code.type('f')}, ptr {self.pointer(*place)}", "f")

    def __setitem__(self, place: tuple[Index, Index], value: Value | float) -> None:
        code = self.code
        text = code.text(value, "f")
        code.put(f"store {code.type('f')} {text}, ptr {self.pointer(*place)}")

    def pointer(self, i: Index, j: Index) -> str:
        code, terms, offset = self.code, [], 0
        for index, step in zip((i, j), self.steps):
            if isinstance(index, int):
                offset += index * step
            else:
                terms.append(code.scaled(index, step))
        pointer, T = self.base, code.type("f")
        for term in [*terms, offset] if offset else terms:
            pointer = code.integer(f"getelementptr {T}, ptr {pointer}, i64 {term}")
        return pointer


# ---------------------------------------------------------------- the algorithms

KERNELS: dict[str, tuple[Callable[..., None], list[list[str]], list[list[str]]]] = {}
"""The algorithm of each function, and the sizes of its arguments and of its results."""


def batched(signature: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register an algorithm on blocks, with NumPy's signature of a generalised ufunc."""

    def register(algorithm: Callable[..., None]) -> Callable[..., None]:
        arguments, results = (
            [[size for size in shape.strip("()").split(",") if size] for shape in side.split(" ")]
            for side in signature.split(" -> ")
        )
        KERNELS[algorithm.__name__] = algorithm, arguments, results
        return algorithm

    return register


@batched("(n,n) -> (n,n)")
def cholesky(code: Code, A: Block, L: Block) -> None:
    """A = L Lᵀ, column by column; the lower triangle of A is read."""
    n = A.rows
    for j in range(n):
        column = code.fold(0, j, A.column(j, j), lambda p, c, j=j: less(c, L.column(p, j), L[j, p]))
        code.refuse(column[0] <= 0.0)
        L[j, j] = d = sqrt(column[0])
        reciprocal = 1.0 / d
        for i, x in enumerate(column[1:], j + 1):
            L[i, j] = x * reciprocal
            L[j, i] = 0.0


def less(xs: Sequence[Value], ys: Sequence[Value], factor: Value) -> list[Value]:
    """x - y·factor for each pair."""
    opposite = -factor
    return [fma(y, opposite, x) for x, y in zip(xs, ys, strict=True)]


def eliminate(code: Code, W: Block) -> tuple[list[Value], list[Value]]:
    """Turn the left square of W into L and U of P A = L U, and what is beside it, B, into L⁻¹P B.

    In each column the pivot is the first of the largest entries, as in LAPACK.  Returns the pivots, U's diagonal, and
    by how many rows each was moved up.
    """
    pivots, distances = list[Value](), list[Value]()
    for j in range(W.rows):
        distance = place_of_largest(code, W.column(j, j))
        pivot, *rest = exchanged(W.column(j, j), distance)
        pivots.append(pivot)
        distances.append(distance)
        reciprocal = 1.0 / pivot
        factors = [x * reciprocal for x in rest]
        store(W, j, [pivot, *factors], j)
        for q in code.loop(j + 1, W.columns):
            top, *rest = exchanged(W.column(q, j), distance)
            store(W, q, [top, *less(rest, factors, top)], j)
    return pivots, distances


def place_of_largest(code: Code, xs: Sequence[Value]) -> Value:
    """The number of the first x whose modulus is largest."""
    best, place = magnitude(xs[0]), code.number(0.0)
    for i, x in enumerate(xs[1:], 1):
        larger = magnitude(x) > best
        best, place = where(larger, magnitude(x), best), where(larger, float(i), place)
    return place


def exchanged(column: Sequence[Value], place: Value) -> list[Value]:
    """A column whose first entry and that at a place, another in each lane, are exchanged: by selection."""
    first, *rest = column
    top, others = first, list[Value]()
    for i, x in enumerate(rest, 1):
        here = place.equals(float(i))
        top = where(here, x, top)
        others.append(where(here, first, x))
    return [top, *others]


def substitute(x: list[Value], T: Block, diagonal: Sequence[Value], lower: bool) -> list[Value]:
    """T⁻¹x for a triangle T, given the reciprocals of its diagonal."""
    n = len(x)
    for p in range(n) if lower else range(n - 1, -1, -1):
        x[p] = x[p] * diagonal[p]
        others = slice(p + 1, n) if lower else slice(p)
        x[others] = less(x[others], T.column(p)[others], x[p])
    return x


def copy(code: Code, A: Block, B: Block) -> None:
    """B = A."""
    for j in code.loop(0, A.columns):
        store(B, j, A.column(j))


def store(A: Block, j: Index, column: Sequence[Value | float], start: int = 0) -> None:
    """A column from row ``start`` on."""
    for i, x in enumerate(column, start):
        A[i, j] = x


@batched("(n,n) -> (n,n) (n)")
def factor(code: Code, A: Block, W: Block, rows: Block) -> None:
    """P A = L U, packed as LAPACK does, and with which row each was exchanged."""
    copy(code, A, W)
    _, distances = eliminate(code, W)
    for j, distance in enumerate(distances):
        rows[j, 0] = distance + float(j)
        for q in code.loop(0, j):
            store(W, q, exchanged(W.column(q, j), distance), j)


@batched("(n,n) (n,m) -> (n,m)")
def solve(code: Code, A: Block, B: Block, X: Block) -> None:
    """A X = B."""
    n = A.rows
    W = code.workspace(n, n + B.columns)
    copy(code, A, W)
    copy(code, B, W.right(n))
    finish(code, W, X)


@batched("(n,n) -> (n,n)")
def inverse(code: Code, A: Block, X: Block) -> None:
    """A X = I."""
    n = A.rows
    W = code.workspace(n, 2 * n)
    copy(code, A, W)
    identity(W.right(n))
    finish(code, W, X)


def identity(A: Block) -> None:
    for j in range(A.columns):
        store(A, j, [float(i == j) for i in range(A.rows)])


def finish(code: Code, W: Block, X: Block) -> None:
    """X = A⁻¹B, given A and B beside each other."""
    pivots, _ = eliminate(code, W)
    reciprocals = [regular(code, u) for u in pivots]
    right = W.right(W.rows)
    for q in code.loop(0, X.columns):
        store(X, q, substitute(right.column(q), W, reciprocals, lower=False))


def regular(code: Code, u: Value) -> Value:
    """1/u; a zero is refused."""
    code.refuse(u.equals(0.0))
    return 1.0 / u


@batched("(n,n) (n,m) -> (n,m)")
def solve_lower(code: Code, T: Block, B: Block, X: Block) -> None:
    """T X = B for the lower triangle of T."""
    solve_triangle(code, T, B, X, lower=True)


@batched("(n,n) (n,m) -> (n,m)")
def solve_upper(code: Code, T: Block, B: Block, X: Block) -> None:
    """T X = B for the upper triangle of T."""
    solve_triangle(code, T, B, X, lower=False)


def solve_triangle(code: Code, T: Block, B: Block, X: Block, lower: bool) -> None:
    reciprocals = [regular(code, T[i, i]) for i in range(T.rows)]
    for q in code.loop(0, B.columns):
        store(X, q, substitute(B.column(q), T, reciprocals, lower))


def pivots_of(code: Code, A: Block) -> tuple[list[Value], list[Value], Value]:
    """The pivots of A, the determinants of the exchanges of rows, and where A is singular."""
    W = code.workspace(A.rows, A.columns)
    copy(code, A, W)
    pivots, distances = eliminate(code, W)
    exchanges = [where(distance.equals(0.0), 1.0, -1.0) for distance in distances]
    return pivots, exchanges, reduce(or_, (u.equals(0.0) for u in pivots))


@batched("(n,n) -> ()")
def det(code: Code, A: Block, y: Block) -> None:
    """The product of the pivots.  Where it leaves the range of the numbers, it is left to NumPy."""
    pivots, exchanges, singular = pivots_of(code, A)
    value = reduce(mul, [*pivots, *exchanges])
    size = magnitude(value)
    code.refuse((size.equals(0.0) | size.equals(inf)) & ~singular)
    y[0, 0] = where(singular, 0.0, value)


@batched("(n,n) -> () ()")
def slogdet(code: Code, A: Block, sign: Block, logarithm: Block) -> None:
    """The sign and the logarithm of the modulus of the product of the pivots."""
    pivots, exchanges, singular = pivots_of(code, A)
    signs = reduce(mul, [*(copysign(1.0, u) for u in pivots), *exchanges])
    total = reduce(add, (code.function("log", magnitude(u)) for u in pivots))
    sign[0, 0] = where(singular, 0.0, where(total.is_nan(), total, signs))
    logarithm[0, 0] = where(singular, -inf, total)


@batched("(n,n) -> (n) (n,n)")
def eigh(code: Code, A: Block, w: Block, V: Block) -> None:
    """A V = V diag(w), w ascending; the lower triangle of A is read.  The signs of V's columns are not LAPACK's."""
    identity(V)
    diagonalise(code, A, w, V)


@batched("(n,n) -> (n)")
def eigvalsh(code: Code, A: Block, w: Block) -> None:
    """The eigenvalues, ascending."""
    diagonalise(code, A, w)


def diagonalise(code: Code, A: Block, w: Block, *vectors: Block) -> None:
    """Jacobi's method, in rounds of rotations that have no row in common: Golub and Van Loan (2013), section 8.5."""
    n = A.rows
    W, remaining = code.workspace(n, n), code.workspace(1, 1)
    for j in range(n):
        for i in range(j, n):
            W[i, j] = W[j, i] = A[i, j]
    negligible = largest(W, 0) * (code.eps / 64)
    schedule = rounds(n)
    half = n // 2
    table = code.table([index for pairs in schedule for pair in pairs for index in pair])
    angles = code.workspace(half, 3)
    sweeps = Loop(code, 0, SWEEPS)
    for number in code.loop(0, len(schedule) * bool(half)):
        first = code.scaled(number, half)
        for k in code.loop(0, half):
            store(angles.T, k, rotation(W, *code.pair(table, code.plus(first, k))))
        for k in code.loop(0, half):
            rotate(W, *code.pair(table, code.plus(first, k)), angles.T.column(k), vectors)
    remaining[0, 0] = left = largest(W, 1)
    sweeps.close(until=code.integer(f"xor i1 true, {any_lane(~(left <= negligible))}"))
    code.refuse(~(remaining[0, 0] <= negligible))
    for i in range(n):
        w[i, 0] = W[i, i]
    sort(code, w, vectors)


def largest(W: Block, offset: int) -> Value:
    """The largest modulus below the diagonal, or on and below it."""
    entries = [magnitude(W[i, j]) for j in range(W.columns) for i in range(j + offset, W.rows)]
    return reduce(maximum, entries, W.code.number(0.0))


def rounds(n: int) -> list[list[tuple[int, int]]]:
    """All pairs below n, in rounds of n // 2 pairs without a common number: a tournament's schedule."""
    m = n - 1 + n % 2
    circle = [[((r + i) % m, (r - i) % m) for i in range(1, (m + 1) // 2)] for r in range(m)]
    return circle if n % 2 else [[(r, n - 1), *pairs] for r, pairs in enumerate(circle)]


def rotation(W: Block, p: str, q: str) -> tuple[Value, Value, Value]:
    """t, c and s, tangent, cosine and sine of the angle at most π/4 that makes W[p, q] vanish."""
    theta = (W[q, q] - W[p, p]) / (W[p, q] * 2.0)
    t = copysign(1.0 / (magnitude(theta) + sqrt(fma(theta, theta, 1.0))), theta)
    t = where(W[p, q].equals(0.0), 0.0, t)
    c = 1.0 / sqrt(fma(t, t, 1.0))
    return t, c, t * c


def rotate(W: Block, p: str, q: str, angle: Sequence[Value], vectors: Sequence[Block]) -> None:
    """W = Jᵀ W J and V = V J for the rotation J of p and q."""
    t, c, s = angle
    turned = lambda x, y: (fma(c, x, -(s * y)), fma(s, x, c * y))
    change = t * W[p, q]
    corner = W[p, p] - change, W[q, q] + change
    for r in range(W.rows):
        x, y = turned(W[r, p], W[r, q])
        W[r, p] = W[p, r] = x
        W[r, q] = W[q, r] = y
    W[p, p], W[q, q] = corner
    W[p, q] = W[q, p] = 0.0
    for V in vectors:
        for r in range(V.rows):
            V[r, p], V[r, q] = turned(V[r, p], V[r, q])


def sort(code: Code, w: Block, vectors: Sequence[Block]) -> None:
    """Neighbours are exchanged until w ascends."""
    for i in code.loop(1, w.rows):
        for j in code.loop(0, code.integer(f"sub i64 {w.rows}, {i}")):
            k = code.integer(f"add i64 {j}, 1")
            falls = w[k, 0] < w[j, 0]
            for X in (w.T, *vectors):
                for r in range(X.rows):
                    x, y = X[r, j], X[r, k]
                    X[r, j], X[r, k] = where(falls, y, x), where(falls, x, y)


# ---------------------------------------------------------------- the functions


def function_name(name: str, dtype: str, lanes: int, sizes: Sequence[int], flipped: str = "") -> str:
    """``dotbar.solve.f64x8.5.1.tn``: with the sizes of its signature, and which arguments are transposed."""
    return ".".join(["dotbar", name, f"{dtype}x{lanes}", *map(str, sizes), *([flipped] if "t" in flipped else [])])


def shapes(name: str, sizes: Sequence[int]) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """The shapes of a function's arguments and of its results."""
    _, arguments, results = KERNELS[name]
    length = dict(zip(dict.fromkeys(letter for shape in arguments for letter in shape), sizes, strict=True))
    of = lambda names: [tuple(length[letter] for letter in shape) for shape in names]
    return of(arguments), of(results)


def source(name: str, dtype: str, lanes: int, sizes: Sequence[int], flipped: str = "") -> str:
    """The definition of a function; an argument marked "t" in ``flipped`` is stored as the transpose of what it is."""
    algorithm = KERNELS[name][0]
    arguments, results = shapes(name, sizes)
    code = Code(function_name(name, dtype, lanes, sizes, flipped), dtype, lanes)
    sides = [(*shape, 1, 1)[:2] for shape in arguments + results]

    groups = code.integer(f"udiv i64 {code.plus('%count', lanes - 1)}, {lanes}")
    final = code.integer(f"sub i64 %count, {lanes}")
    group = Loop(code, 0, groups)
    start = code.integer(f"call i64 @llvm.smin.i64(i64 {code.scaled(group.index, lanes)}, i64 {final})")
    blocks: list[Block] = []
    matrices: list[str] = []
    for k, ((rows, columns), letter) in enumerate(zip(sides, flipped.ljust(len(sides), "n"))):
        stored = (columns, rows) if letter == "t" else (rows, columns)
        matrices.append(code.at(f"%p{k}", code.scaled(start, rows * columns)))
        block = Block(code, matrices[k], *stored) if lanes == 1 else code.workspace(*stored)
        blocks.append(block.T if letter == "t" else block)
    if lanes > 1:
        for block, memory in list(zip(blocks, matrices))[: len(arguments)]:
            transfer(block, memory, gather)
    algorithm(code, *blocks)
    if code.refused:
        good, bad = code.label(), code.label()
        code.put(f"br i1 {any_lane(reduce(or_, code.refused))}, label %{bad}, label %{good}")
        code.open(bad)
        code.put("ret i32 1")
        code.open(good)
    if lanes > 1:
        for block, memory in list(zip(blocks, matrices))[len(arguments) :]:
            transfer(block, memory, scatter)
    group.close()
    return code.definition(len(sides))


def width(dtype: str, count: int) -> int:
    """How many lanes serve so many matrices."""
    lanes = engine.machine().width // BYTES[dtype]
    while lanes > max(count, 1):
        lanes //= 2
    return lanes


def requires(name: str, dtype: str, lanes: int) -> set[tuple[str, str, int]]:
    """The functions of vectors.py that the definition calls."""
    return {("log", dtype, lanes)} if name == "slogdet" else set()


# ---------------------------------------------------------------- memory


def transfer(block: Block, matrices: str, move: Callable[[Block, list[str], int], None]) -> None:
    """Move the entries of matrices that follow each other in memory, piece by piece; the last may overlap."""
    code, size = block.code, block.rows * block.columns
    width = min(size, code.lanes)

    def piece(offset: Index) -> None:
        memory = code.at(matrices, offset)
        entries = Block(code, Block(code, block.base, 1, size).pointer(0, offset), 1, width)
        move(entries, [code.at(memory, m * size) for m in range(code.lanes)], width)

    for k in code.loop(0, size // width):
        piece(code.scaled(k, width))
    if size % width:
        piece(size - width)


def gather(block: Block, matrices: list[str], width: int) -> None:
    """Entries from memory; single numbers lie as they are wanted."""
    code = block.code
    if width == 1:
        block[0, 0] = code.read(matrices[0], 0, code.lanes)
        return
    for e, x in enumerate(transposed(code, [code.read(matrix, 0, width) for matrix in matrices])[:width]):
        block[0, e] = x


def scatter(block: Block, matrices: list[str], width: int) -> None:
    """Entries to memory."""
    code = block.code
    if width == 1:
        code.write(block[0, 0], matrices[0], 0, code.lanes)
        return
    for matrix, x in zip(matrices, transposed(code, [block[0, e] for e in range(width)])):
        code.write(x, matrix, 0, width)


def transposed(code: Code, rows: Sequence[Value]) -> list[Value]:
    """The columns of a square of vectors, whose last rows may be missing."""
    V, square = code.type("f"), [*rows, *[Value(code, "poison", "f")] * (code.lanes - len(rows))]
    for i, j, low, high in exchanges(code.lanes):
        pair = f"shufflevector {V} {square[i].text}, {V} {square[j].text}"
        square[i], square[j] = (code.emit(f"{pair}, <{code.lanes} x i32> {order}", "f") for order in (low, high))
    return square

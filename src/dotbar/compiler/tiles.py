"""Products of matrices as LLVM IR text: tiles of the result held in registers.

In: sizes, strides (in entries) and the dtype of C = A B, all known when the text is written.  Out: the name of a
function ``i32 (ptr a, ptr b, ptr c, ptr work)``, its definition and those of the functions it calls, and the bytes of
``work``.

A tile of C has a few rows and a few vectors of columns.  For each k one row of B is loaded and multiplied with the
entries of a column of A, each in all lanes.  B is copied to panels as wide as a tile where its columns do not lie side
by side, or where it is too large for the caches: Goto & van de Geijn (2008), Anatomy of high-performance matrix
multiplication.  A transposed A needs no copy, nor does a transposed B if A has few rows: they are multiplied with its.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import Any

import numpy as np

from dotbar.compiler import engine
from dotbar.compiler.kernels import INTRINSIC_TYPES, TYPES, Code, suffix, vector

DEPTH = 256
"""How many rows of B are copied at once: a panel of them is to stay in the first cache."""

SHALLOW = 16
"""How many rows of B a single row is multiplied with at once, where each is in another page of memory."""

FEW = 4
"""So many rows of A are multiplied with rows of a transposed B as they lie."""

LARGE = 1 << 21
"""The bytes of a B that does not stay in the second cache."""

PAGE = 4096
"""The bytes of a row of B, each of which is then to be looked up in the table of pages."""


class Routine(Code):
    """The code of one function."""

    def __init__(self, definitions: dict[str, str], dtype: np.dtype[Any], lanes: int) -> None:
        super().__init__()
        self.definitions = definitions
        self.dtype = dtype
        self.lanes = lanes
        self.scalar = TYPES[dtype]
        self.vector = vector(self.scalar, lanes)

    def __str__(self) -> str:
        return f"{INTRINSIC_TYPES[self.scalar]}x{self.lanes}"

    def sibling(self) -> "Routine":
        """The code of another function on the same vectors."""
        return Routine(self.definitions, self.dtype, self.lanes)

    def define(self, name: str, parameters: str, status: str = "") -> str:
        """Put the function into the library; it returns its status, if it has one."""
        body = "\n".join(["entry:", *self.lines, f"  ret i32 {status}" if status else "  ret void"])
        kind = "i32" if status else "void"
        self.definitions[name] = f"define internal {kind} @{name}({parameters}) #0 {{\n{body}\n}}"
        return name

    def at(self, pointer: str, *steps: tuple[Any, Any]) -> str:
        """A pointer moved by the sum of index·stride entries."""
        for index, stride in steps:
            if index in (0, "0") or stride in (0, "0"):
                continue
            if isinstance(index, int) and isinstance(stride, int):
                step: Any = index * stride
            elif stride == 1:
                step = index
            else:
                step = self(f"mul i64 {index}, {stride}")
            pointer = self(f"getelementptr {self.scalar}, ptr {pointer}, i64 {step}")
        return pointer

    def first(self, count: str) -> str:
        """A mask of the first lanes."""
        V = f"<{self.lanes} x i64>"
        there = self(f"insertelement {V} poison, i64 {count}, i64 0")
        there = self(f"shufflevector {V} {there}, {V} poison, <{self.lanes} x i32> zeroinitializer")
        return self(f"icmp slt {V} <{', '.join(f'i64 {k}' for k in range(self.lanes))}>, {there}")

    def line(self, index: Any, step: int, start: int = 0) -> Any:
        """start + step·index."""
        if isinstance(index, int):
            return start + step * index
        found = self(f"mul i64 {index}, {step}") if step != 1 else index
        return self(f"add i64 {found}, {start}") if start else found

    def bound(self, which: str, x: Any, y: Any) -> Any:
        """The larger of two numbers for smax, the smaller for smin."""
        if isinstance(x, int) and isinstance(y, int):
            return {"smax": max, "smin": min}[which](x, y)
        return self(f"call i64 @llvm.{which}.i64(i64 {x}, i64 {y})")

    def difference(self, x: Any, y: Any) -> Any:
        """The number x − y."""
        if isinstance(x, int) and isinstance(y, int):
            return x - y
        return self(f"sub i64 {x}, {y}")

    def load(self, pointer: str, count: int | str = 0) -> str:
        """A vector; of ``count`` entries, or those of a mask, and zeros."""
        if not count or count == self.lanes:
            return self(f"load {self.vector}, ptr {pointer}, align {self.dtype.itemsize}")
        return self(
            f"call {self.vector} @llvm.masked.load.{suffix(self.scalar, self.lanes)}.p0(ptr align "
            f"{self.dtype.itemsize} {pointer}, <{self.lanes} x i1> {mask(count, self.lanes)}, "
            f"{self.vector} zeroinitializer)"
        )

    def store(self, name: str, pointer: str, count: int | str = 0) -> None:
        """Store a vector, or its first ``count`` entries, or those of a mask."""
        if not count or count == self.lanes:
            self.put(f"store {self.vector} {name}, ptr {pointer}, align {self.dtype.itemsize}")
        else:
            self.put(
                f"call void @llvm.masked.store.{suffix(self.scalar, self.lanes)}.p0({self.vector} {name}, ptr align "
                f"{self.dtype.itemsize} {pointer}, <{self.lanes} x i1> {mask(count, self.lanes)})"
            )

    def update(self, operation: str, name: str, pointer: str, count: int) -> None:
        """Store a vector, or what is there fadd or fsub the vector."""
        if operation:
            name = self(f"{operation} {self.vector} {self.load(pointer, count)}, {name}")
        self.store(name, pointer, count)

    def everywhere(self, pointer: str) -> str:
        """The entry at a pointer in all lanes."""
        return self.splat(self(f"load {self.scalar}, ptr {pointer}"), self.dtype, self.lanes)

    def multiply_add(self, a: str, b: str, c: str) -> str:
        """a b + c."""
        T = self.vector
        if engine.machine().fma:
            return self.intrinsic("fma", self.scalar, self.lanes, a, b, c)
        return self(f"fadd {T} {self(f'fmul {T} {a}, {b}')}, {c}")

    def multiply_subtract(self, a: str, b: str, c: str) -> str:
        """The difference c − a b."""
        return self.multiply_add(self(f"fneg {self.vector} {a}"), b, c)

    def shuffle(self, a: str, b: str, places: Sequence[int]) -> str:
        """Lanes of two vectors, those of the second counted from ``lanes`` on."""
        wanted = ", ".join(f"i32 {k}" for k in places)
        return self(f"shufflevector {self.vector} {a}, {self.vector} {b}, <{len(places)} x i32> <{wanted}>")

    def add(self, x: str, y: str) -> str:
        return self(f"fadd {self.vector} {x}, {y}")

    def total(self, parts: Sequence[Sequence[str]]) -> list[str]:
        """The sum of several rows of vectors, entry by entry."""
        return [reduce(self.add, column) for column in zip(*parts)]

    def each(self, count: int) -> Iterator[Any]:
        """``for i in code.each(count)``: what the body writes stands in a loop, if more than one turn is wanted."""
        if count > 1:
            loop = self.loop(count)
            yield loop.index
            loop.close()
        elif count:
            yield 0

    def loop(self, stop: Any, *carried: tuple[str, str], step: int = 1) -> "Loop":
        return Loop(self, stop, carried, step)


class Loop:
    """``for index in range(0, stop, step)``, with values carried: their names are those at the head of the loop."""

    def __init__(self, code: Routine, stop: Any, carried: Sequence[tuple[str, str]], step: int) -> None:
        self.code, self.carried, self.step = code, carried, step
        code.count += 1
        self.number = code.count
        self.before = code.block
        code.put(f"br label %head{self.number}")
        code.label(f"head{self.number}")
        self.index = code.name()
        self.values = [code.name() for _ in carried]
        self.place = len(code.lines)
        inside = code(f"icmp slt i64 {self.index}, {stop}")
        code.put(f"br i1 {inside}, label %body{self.number}, label %end{self.number}")
        code.label(f"body{self.number}")

    def close(self, *following: str) -> list[str]:
        """The end of the body, with the values for the next turn; the values after the last."""
        code, head = self.code, f"head{self.number}"
        index = code(f"add i64 {self.index}, {self.step}")
        last = code.block
        code.put(f"br label %{head}")
        phis = [("i64", self.index, "0", index)]
        phis += [
            (T, name, first, new) for (T, first), name, new in zip(self.carried, self.values, following, strict=True)
        ]
        code.lines[self.place : self.place] = [
            f"  {name} = phi {T} [ {first}, %{self.before} ], [ {new}, %{last} ]" for T, name, first, new in phis
        ]
        code.label(f"end{self.number}")
        return self.values


def mask(count: int | str, lanes: int) -> str:
    """The first ``count`` lanes; a mask as it is."""
    if isinstance(count, str):
        return count
    return f"<{', '.join(f'i1 {int(k < count)}' for k in range(lanes))}>"


def registers() -> int:
    """How many vector registers the machine has."""
    machine = engine.machine()
    return 32 if machine.width == 64 or not machine.triple.startswith("x86") else 16


def equal_parts(xs: Sequence[str], count: int) -> list[Sequence[str]]:
    """A list in so many parts."""
    size = len(xs) // count
    return [xs[w * size : (w + 1) * size] for w in range(count)]


def shares(total: int, most: int) -> list[tuple[int, int, int]]:
    """A total in parts as equal as can be, none above ``most``: their size, how many they are, where they begin."""
    parts = -(-total // most)
    size, larger = divmod(total, parts)
    found = [(size + 1, larger, 0), (size, parts - larger, larger * (size + 1))]
    return [part for part in found if part[1]]


# ---------------------------------------------------------------- tiles


STRIDES = ("%down_a", "%across_a", "%down_b", "%down_c")


def tile(like: Routine, rows: int, vectors: int, tail: int, update: str, strides: Sequence[int | str] = STRIDES) -> str:
    """A tile of C = A B, or of C ± A B by ``update`` fadd, fsub.

    ``void (ptr a, ptr b, ptr c, i64 k, i64 down_a, i64 across_a, i64 down_b, i64 down_c)``: the last of the vectors has
    ``tail`` columns.  Where ``strides`` are numbers they are written into it, which is worth it for a product of one.
    """
    down_a, across_a, down_b, down_c = strides
    known = "" if strides is STRIDES else ".".join(["", *map(str, strides)])
    name = f"dotbar.tile.{like}.{rows}x{vectors}.{tail}{known}{update}"
    if name in like.definitions:
        return name
    code, lanes = like.sibling(), like.lanes
    counts = [lanes] * (vectors - 1) + [tail]
    ways = max(1, 8 // (rows * vectors))  # sums that do not wait for each other
    places = [code.line(down_a, i) if i else 0 for i in range(rows)]

    def turn(a: str, b: str, sums: Sequence[str]) -> list[str]:
        loaded = [code.load(code.at(b, (j, lanes)), count) for j, count in enumerate(counts)]
        column = [code.everywhere(code.at(a, (place, 1))) for place in places]
        return [
            code.multiply_add(x, y, sums[i * vectors + j]) for i, x in enumerate(column) for j, y in enumerate(loaded)
        ]

    def following(a: str, b: str) -> tuple[str, str]:
        return code.at(a, (across_a, 1)), code.at(b, (down_b, 1))

    a, b, sums, rest = "%a", "%b", ["zeroinitializer"] * (rows * vectors), "%k"
    if ways > 1:
        loop = code.loop(code(f"sdiv i64 %k, {ways}"), ("ptr", a), ("ptr", b), *((code.vector, s) for s in sums * ways))
        a, b, *found = loop.values
        parts: list[list[str]] = []
        for part in equal_parts(found, ways):
            parts.append(turn(a, b, part))
            a, b = following(a, b)
        a, b, *found = loop.close(a, b, *chain(*parts))
        sums, rest = code.total(equal_parts(found, ways)), code(f"srem i64 %k, {ways}")
    loop = code.loop(rest, ("ptr", a), ("ptr", b), *((code.vector, s) for s in sums))
    a, b, *sums = loop.values
    _, _, *sums = loop.close(*following(a, b), *turn(a, b, sums))
    c = "%c"
    for i in range(rows):
        for j, count in enumerate(counts):
            code.update(update, sums[i * vectors + j], code.at(c, (j, lanes)), count)
        c = code.at(c, (down_c, 1)) if i < rows - 1 else c
    numbers = ", ".join(f"i64 {x}" for x in ("%k", *STRIDES))
    return code.define(name, f"ptr noalias %a, ptr noalias %b, ptr noalias %c, {numbers}")


def pack(
    code: Routine, x: str, panel: str, rows: Any, count: int, strides: tuple[int, int], width: int, padded: bool = False
) -> None:
    """Copy ``count`` entries x[i·s + j·t] to row i of a panel of rows ``width`` apart; zeros follow if ``padded``.

    ``rows`` is a number, or a name for one that is not below the lanes.
    """
    down, across = strides
    order = "rows" if across == 1 else "columns" if down == 1 else "entries"
    short = rows if order == "columns" and isinstance(rows, int) and rows < code.lanes else 0
    numbers = ", ".join(f"i64 {n}" for n in (rows, down, across, width))
    code.put(f"call void @{packing(code, count, order, short, padded)}(ptr {x}, ptr {panel}, {numbers})")


def packing(like: Routine, count: int, order: str, short: int, padded: bool) -> str:
    """The function for :func:`pack`: ``void (ptr x, ptr panel, i64 rows, i64 s, i64 t, i64 width)``.

    Columns are copied as squares, transposed in registers, the last overlapping the one before; or as one square of
    ``short`` rows.
    """
    name = f"dotbar.pack.{like}.{order}.{count}.{short}{'p' * padded}"
    if name in like.definitions:
        return name
    code, lanes = like.sibling(), like.lanes
    stored = 0 if padded else count
    loop = code.loop("%rows", step=lanes if order == "columns" else 1)
    start = loop.index
    if order == "columns" and not short:
        last = code(f"sub i64 %rows, {lanes}")
        start = code(f"call i64 @llvm.smin.i64(i64 {start}, i64 {last})")
    x, panel = code.at("%x", (start, "%s")), code.at("%panel", (start, "%width"))
    found = [code.load(x, count)] if order == "rows" else []
    if order == "columns":
        columns = [code.load(code.at(x, (code.line("%t", j), 1)), short) for j in range(count)]
        found = transposed(code, columns + ["zeroinitializer"] * (lanes - count))[: short or lanes]
    if order == "entries":
        row = "zeroinitializer"
        for j in range(count):
            entry = code(f"load {code.scalar}, ptr {code.at(x, (code.line('%t', j), 1))}")
            row = code(f"insertelement {code.vector} {row}, {code.scalar} {entry}, i64 {j}")
        found = [row]
    for row in found:
        code.store(row, panel, stored)
        panel = code.at(panel, ("%width", 1))
    loop.close()
    return code.define(name, "ptr noalias %x, ptr noalias %panel, i64 %rows, i64 %s, i64 %t, i64 %width")


def exchanges(lanes: int, step: int) -> tuple[list[int], list[int]]:
    """Of two vectors the lanes whose number lacks the bit ``step``, and those that have it, side by side."""
    low = [k + lanes - step if k & step else k for k in range(lanes)]
    high = [k + lanes if k & step else k + step for k in range(lanes)]
    return low, high


def transposed(code: Routine, rows: list[str]) -> list[str]:
    """The columns of a square of vectors: blocks off the diagonal change places, at each scale."""
    step = code.lanes // 2
    while step:
        low, high = exchanges(code.lanes, step)
        for i in range(code.lanes):
            if not i & step:
                x, y = rows[i], rows[i + step]
                rows[i], rows[i + step] = code.shuffle(x, y, low), code.shuffle(x, y, high)
        step //= 2
    return rows


def summed(code: Routine, vectors: Sequence[str]) -> str:
    """The sums over the lanes of each of some vectors, in one vector: a transposition that adds what it exchanges."""
    vectors = [*vectors, *["zeroinitializer"] * (code.lanes - len(vectors))]
    while step := len(vectors) // 2:
        low, high = exchanges(code.lanes, step)
        pairs = zip(vectors[:step], vectors[step:])
        vectors = [code.add(code.shuffle(x, y, low), code.shuffle(x, y, high)) for x, y in pairs]
    return vectors[0]


def row_of_products(like: Routine, count: int, stride_b: int, k: int, update: str) -> str:
    """``void (ptr a, ptr b, ptr c)``: c[j] = Σᵢ a[i] b[j·stride + i] for j below ``count``."""
    name = f"dotbar.row.{like}.{count}.{stride_b}.{k}{update}"
    if name in like.definitions:
        return name
    code, lanes = like.sibling(), like.lanes
    ways = min(max(1, 8 // count), max(k // lanes, 1))

    def turn(index: str, offset: int, sums: Sequence[str], filled: int = 0) -> list[str]:
        a, b = (code.at(x, (index, 1), (offset, 1)) for x in ("%a", "%b"))
        x = code.load(a, filled)
        return [code.multiply_add(x, code.load(code.at(b, (j, stride_b)), filled), s) for j, s in enumerate(sums)]

    step = ways * lanes
    done = k - k % step
    loop = code.loop(done, *[(code.vector, "zeroinitializer")] * (count * ways), step=step)
    parts = [turn(loop.index, w * lanes, part) for w, part in enumerate(equal_parts(loop.values, ways))]
    parts = equal_parts(loop.close(*chain(*parts)), ways)
    for w, offset in enumerate(range(done, k, lanes)):
        parts[w] = turn("0", offset, parts[w], min(lanes, k - offset))
    code.update(update, summed(code, code.total(parts)), "%c", count)
    return code.define(name, "ptr noalias %a, ptr noalias %b, ptr noalias %c")


# ---------------------------------------------------------------- products


@dataclass(frozen=True)
class Matrix:
    """How the entries of a matrix lie in memory: entry (i, j) at i·down + j·across.

    Beside its ``triangle``, lower or upper, there are only zeros.
    """

    rows: int
    columns: int
    down: int
    across: int
    triangle: str = ""

    @property
    def T(self) -> "Matrix":
        other = {"lower": "upper", "upper": "lower"}.get(self.triangle, "")
        return Matrix(self.columns, self.rows, self.across, self.down, other)

    def __str__(self) -> str:
        return f"{self.rows}x{self.columns}.{self.down}.{self.across}{self.triangle}"


class Product:
    """C = A B, or C ± A B by ``update`` fadd, fsub: the rows of C are contiguous, and ``stride`` apart.

    ``work`` is the bytes that it needs.
    """

    def __init__(self, dtype: np.dtype[Any], A: Matrix, B: Matrix, stride: int, update: str = "") -> None:
        self.name = f"dotbar.product{update}.{INTRINSIC_TYPES[TYPES[dtype]]}.{A}.{B}.{stride}"
        self.parameters = "ptr noalias %a, ptr noalias %b, ptr noalias %c, ptr noalias %work"
        if B.columns == stride == 1 < A.rows:  # a column is a row
            A, B, stride = B.T, A.T, A.rows
            self.parameters = "ptr noalias %b, ptr noalias %a, ptr noalias %c, ptr noalias %work"
        self.dtype, self.A, self.B, self.stride, self.update = dtype, A, B, stride, update
        m, size, lanes = B.columns, dtype.itemsize, engine.lanes(dtype)
        turned = B.down == 1 and (B.across != 1 or m == 1)
        self.by_rows = turned and A.across == 1 and A.rows <= FEW
        self.lanes = lanes if self.by_rows else min(lanes, max(2, 1 << (m - 1).bit_length()))
        large = A.rows > 4 * FEW and B.rows * m * size > LARGE and B.down * size >= PAGE
        self.packed = not self.by_rows and (B.across != 1 or large)
        depth = DEPTH if self.packed else SHALLOW if A.rows == 1 and B.down * size >= PAGE else B.rows
        self.depth = min(depth, B.rows)
        self.height = min(A.rows, 8 if registers() == 32 else 4)
        self.panels = list(self._panels(min(8, (registers() - 1) // (self.height + 1))))
        self.work = self.depth * max(panel[0] for panel in self.panels) * self.lanes * size if self.packed else 0

    def _panels(self, most: int) -> Iterator[tuple[int, int, int, int]]:
        """The columns of C: vectors of a panel, how many panels, the first column, the columns in the last vector."""
        m, lanes = self.B.columns, self.lanes
        total = -(-m // lanes)
        for vectors, count, start in shares(total, most):
            tail = m % lanes if start + vectors * count == total else 0
            whole = count - bool(tail)
            if whole:
                yield vectors, whole, start * lanes, lanes
            if tail:
                yield vectors, 1, (start + vectors * whole) * lanes, tail

    def define(self, definitions: dict[str, str]) -> str:
        """Write the function; its name."""
        if self.name in definitions:
            return self.name
        self.code = code = Routine(definitions, self.dtype, self.lanes)
        B, depth, update = self.B, self.depth, self.update
        if self.by_rows:
            self._rows()
            return code.define(self.name, self.parameters, status="0")
        start = 0
        if depth < B.rows and not update:
            self._block(0, depth, update)
            start, update = depth, "fadd"
        whole, rest = divmod(B.rows - start, depth)
        for p in code.each(whole):
            self._block(code.line(p, depth, start), depth, update)
        if rest:
            self._block(B.rows - rest, rest, update)
        return code.define(self.name, self.parameters, status="0")

    def _block(self, k: Any, depth: int, update: str) -> None:
        """Update C by the product of ``depth`` columns of A and rows of B, from the k-th on."""
        code, A, B, lanes = self.code, self.A, self.B, self.lanes
        a, b = code.at("%a", (k, A.across)), code.at("%b", (k, B.down))
        for vectors, count, start, tail in self.panels:
            filled, width = (vectors - 1) * lanes + tail, vectors * lanes
            for j in code.each(count):
                column = code.line(j, width, start)
                panel = code.at(b, (column, B.across))
                if self.packed:
                    for v in range(vectors):
                        source, place = code.at(panel, (v * lanes, B.across)), code.at("%work", (v, lanes))
                        entries = lanes if v < vectors - 1 else tail
                        pack(code, source, place, depth, entries, (B.down, B.across), width, padded=True)
                    panel = "%work"
                for rows, parts, first in shares(A.rows, self.height):
                    strides = A.down, A.across, width if self.packed else B.down, self.stride
                    alone = rows == A.rows and filled == B.columns
                    fn = tile(code, rows, vectors, tail, update, strides if alone else STRIDES)
                    for i in code.each(parts):
                        row = code.line(i, rows, first)
                        left, c = code.at(a, (row, A.down)), code.at("%c", (row, self.stride), (column, 1))
                        skipped, length = self._filled(k, depth, row, rows, column, width)
                        left, top = code.at(left, (skipped, A.across)), code.at(panel, (skipped, strides[2]))
                        numbers = ", ".join(f"i64 {x}" for x in (length, *strides))
                        code.put(f"call void @{fn}(ptr {left}, ptr {top}, ptr {c}, {numbers})")

    def _filled(self, k: Any, depth: int, row: Any, rows: int, column: Any, width: int) -> tuple[Any, Any]:
        """Of the columns of A and rows of B from k on: how many to leave out first, and how many then are not zero."""
        code, A, B = self.code, self.A, self.B
        if not A.triangle and not B.triangle:
            return 0, depth
        first, last = k, code.line(k, 1, depth)
        for triangle, begins, place, length in ((A.triangle, "upper", row, rows), (B.triangle, "lower", column, width)):
            if triangle == begins:
                first = code.bound("smax", first, place)
            elif triangle:
                last = code.bound("smin", last, code.line(place, 1, length))
        return code.difference(first, k), code.bound("smax", code.difference(last, first), 0)

    def _rows(self) -> None:
        """Each entry by itself, from a row of A and a row of Bᵀ."""
        code, A, B = self.code, self.A, self.B
        for count, parts, first in shares(B.columns, min(8, self.lanes)):
            fn = row_of_products(code, count, B.across, B.rows, self.update)
            for j in code.each(parts):
                b, column = (code.at(x, (first, s), (j, count * s)) for x, s in (("%b", B.across), ("%c", 1)))
                for i in code.each(A.rows):
                    a, c = code.at("%a", (i, A.down)), code.at(column, (i, self.stride))
                    code.put(f"call void @{fn}(ptr {a}, ptr {b}, ptr {c})")

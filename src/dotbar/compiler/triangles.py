"""Triangular systems, Cholesky's factors and LU as LLVM IR text, by the tiles of tiles.py.

A tile of X in T X = B is B's, less the product of T's entries with what is known of X, and is solved in registers with
the square of T on the diagonal.  Cholesky's factors are computed as A = UᵀU, whose rows are such tiles too: row after
row, everything is read as it lies.  LU goes column after column, a vector at a time, exchanging whole rows; by
blocks of columns, so that most of a large one is a product.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dotbar.compiler import engine
from dotbar.compiler.tiles import Matrix, Product, Routine, equal_parts, pack, registers, shares, tile

BLOCK = 128
"""The rows of a block of a large system."""

MEDIUM = 4 * BLOCK
"""The order up to which a part of a system is computed by smaller blocks, each of which is code of its own."""

NARROW = 16
"""The columns below which a system is not worth blocks."""


def height() -> int:
    """The rows of a tile."""
    return 8 if registers() == 32 else 4


def widest(rows: int) -> int:
    """The vectors of a tile of so many rows."""
    return min(8, (registers() - 1) // (rows + 1))


def remainder(
    code: Routine, rows: int, counts: Sequence[Any], a: str, strides: Sequence[Any], b: str, stride: Any, k: str, c: str
) -> list[list[str]]:
    """The rows of a tile of C − A B, for k columns of A and rows of B."""
    down, across = strides
    vectors, columns = len(counts), list(enumerate(counts))
    places = [code.line(down, i) if i else 0 for i in range(rows)]
    start = [
        code.load(code.at(row, (j, code.lanes)), count) for row in lines(code, c, rows, stride) for j, count in columns
    ]
    loop = code.loop(k, ("ptr", a), ("ptr", b), *((code.vector, s) for s in start))
    a, b, *sums = loop.values
    loaded = [code.load(code.at(b, (j, code.lanes)), count) for j, count in columns]
    for i, place in enumerate(places):
        x = code.everywhere(code.at(a, (place, 1)))
        for j, y in enumerate(loaded):
            sums[i * vectors + j] = code.multiply_subtract(x, y, sums[i * vectors + j])
    _, _, *sums = loop.close(code.at(a, (across, 1)), code.at(b, (stride, 1)), *sums)
    return [list(row) for row in equal_parts(sums, rows)]


def lines(code: Routine, pointer: str, count: int, stride: Any) -> list[str]:
    """Pointers to rows."""
    found = [pointer]
    while len(found) < count:
        found.append(code.at(found[-1], (stride, 1)))
    return found


def substitution(like: Routine, rows: int, vectors: int, masked: bool) -> str:
    """C becomes S⁻¹(C − T X) for a lower triangle S, where T has k columns.

    ``void (ptr t, ptr x, i64 k, ptr square, ptr c, i64 tail, i64 down, i64 across, i64 stride, i1 unit)``: strides of T
    and S, and of X and C; whether S has ones on its diagonal.  If ``masked``, the only vector has ``tail`` columns.  An
    upper triangle is a lower one from its last row and column on, with negative strides.
    """
    name = f"dotbar.substitution.{like}.{rows}x{vectors}.{'m' * masked}"
    if name in like.definitions:
        return name
    code = like.sibling()
    counts = [code.first("%tail") if masked else 0] * vectors
    tile = remainder(code, rows, counts, "%t", ("%down", "%across"), "%x", "%stride", "%k", "%c")
    square, c = lines(code, "%square", rows, "%down"), lines(code, "%c", rows, "%stride")
    columns = [code.line("%across", i) if i else 0 for i in range(rows)]
    for i in range(rows):
        for p in range(i):
            entry = code.everywhere(code.at(square[i], (columns[p], 1)))
            tile[i] = [code.multiply_subtract(entry, x, y) for x, y in zip(tile[p], tile[i])]
        pivot = code(f"load {code.scalar}, ptr {code.at(square[i], (columns[i], 1))}")
        inverse = code(f"fdiv {code.scalar} 1.0, {pivot}")
        inverse = code(f"select i1 %unit, {code.scalar} 1.0, {code.scalar} {inverse}")
        tile[i] = [code(f"fmul {code.vector} {x}, {code.splat(inverse, code.dtype, code.lanes)}") for x in tile[i]]
        for j, x in enumerate(tile[i]):
            code.store(x, code.at(c[i], (j, code.lanes)), counts[j])
    return code.define(
        name, "ptr %t, ptr %x, i64 %k, ptr %square, ptr %c, i64 %tail, i64 %down, i64 %across, i64 %stride, i1 %unit"
    )


class Triangle:
    """X = T⁻¹ B in the place of B, whose rows are contiguous, for a triangle of T.

    Large ones by blocks of rows: what is known of X is a product.  If ``part`` is "triangle", B and X are triangles
    like T; if it is "symmetric", X is, and one half of it is copied from the other.
    """

    def __init__(
        self,
        dtype: np.dtype[Any],
        T: Matrix,
        columns: int,
        lower: bool,
        unit: bool = False,
        part: str = "",
        stride: int = 0,
    ) -> None:
        self.dtype, self.T, self.columns, self.lower, self.unit, self.part = dtype, T, columns, lower, unit, part
        self.stride = stride or columns
        self.name = f"dotbar.triangle.{np.dtype(dtype).name}.{T}.{columns}.{'l' * lower}{'u' * unit}{part}.{stride}"
        self.size = BLOCK // 2 if part and T.rows <= MEDIUM else BLOCK
        self.blocks = list(self._blocks()) if T.rows > self.size and columns >= NARROW else []

    def _blocks(self) -> Iterator[tuple[int, int, int, Product | None]]:
        """Where each block begins, how many rows it has, and its product with the rows that are known before.

        The product is of the columns from one on.
        """
        T, m = self.T, self.columns
        parts = [(first, min(self.size, T.rows - first)) for first in range(0, T.rows, self.size)]
        known = 0
        for first, rows in parts if self.lower else reversed(parts):
            start, stop, triangle = self._columns(first, first + rows)
            given = Matrix(rows, known, T.down, T.across), Matrix(known, stop - start, m, 1, triangle)
            yield first, rows, start, Product(self.dtype, *given, m, "fsub") if known else None
            known += rows

    def _columns(self, first: int, end: int) -> tuple[int, int, str]:
        """Which columns of a block of rows need a product, and the triangle of what is known of them."""
        if self.part == "triangle":
            return (0, first, "lower") if self.lower else (end, self.columns, "upper")
        if self.part == "symmetric":
            return (first, self.columns, "") if self.lower else (0, end, "")
        return 0, self.columns, ""

    @property
    def work(self) -> int:
        """The bytes of scratch memory."""
        return max((product.work for *_, product in self.blocks if product), default=0)

    def define(self, definitions: dict[str, str]) -> str:
        """Write ``i32 (ptr t, ptr x, ptr work)``; its name."""
        if self.name in definitions:
            return self.name
        m = self.columns
        lanes = min(engine.lanes(self.dtype), max(2, 1 << (m - 1).bit_length()))
        code = Routine(definitions, self.dtype, lanes)
        if self.blocks:
            self._by_blocks(code)
            return code.define(self.name, "ptr %t, ptr %x, ptr %work", status="0")
        high = min(height(), self.T.rows)
        whole, rest = divmod(self.T.rows, high)
        for vectors, count, start in shares(m // lanes, widest(high)) if m >= lanes else []:
            for j in code.each(count):
                self._panel(code, vectors, code.at("%x", (start, lanes), (j, vectors * lanes)), high, whole, rest, 0)
        if m % lanes:
            self._panel(code, 1, code.at("%x", (m - m % lanes, 1)), high, whole, rest, m % lanes)
        return code.define(self.name, "ptr %t, ptr %x, ptr %work", status="0")

    def _by_blocks(self, code: Routine) -> None:
        T, m = self.T, self.columns
        for first, rows, start, product in self.blocks:
            row, x = code.at("%t", (first, T.down)), code.at("%x", (first, m))
            square = code.at(row, (first, T.across))
            if product:
                t, known = (row, "%x") if self.lower else (code.at(square, (rows, T.across)), code.at(x, (rows, m)))
                known, c = (code.at(p, (start, 1)) for p in (known, x))
                code(f"call i32 @{product.define(code.definitions)}(ptr {t}, ptr {known}, ptr {c}, ptr %work)")
            block = Triangle(self.dtype, Matrix(rows, rows, T.down, T.across), m, self.lower, self.unit)
            code(f"call i32 @{block.define(code.definitions)}(ptr {square}, ptr {x}, ptr %work)")
        for first, rows, *_ in self.blocks if self.part == "symmetric" else ():
            self._mirror(code, first, rows)

    def _mirror(self, code: Routine, first: int, rows: int) -> None:
        """Copy what is known of some rows beside the diagonal to the columns of their numbers."""
        m, lanes = self.columns, code.lanes
        start, count = (first + rows, m - first - rows) if self.lower else (0, first)
        for width, parts, place in ((lanes, rows // lanes, first), (rows % lanes, 1, first + rows - rows % lanes)):
            for j in code.each(parts) if width and count else ():
                column = code.line(j, lanes, place)
                source, target = code.at("%x", (column, m), (start, 1)), code.at("%x", (start, m), (column, 1))
                pack(code, source, target, count, width, (1, m), m)

    def _panel(self, code: Routine, vectors: int, x: str, high: int, whole: int, rest: int, tail: int) -> None:
        """Some columns of X, block after block of rows."""
        T, m, n = self.T, self.stride, self.T.rows

        down, across, stride, t = T.down, T.across, m, "%t"
        if not self.lower:
            t, x = code.at(t, (n - 1, down + across)), code.at(x, (n - 1, m))
            down, across, stride = -down, -across, -m

        def block(rows: int, first: Any) -> None:
            """Rows from ``first`` on, where those before are known."""
            fn = substitution(code, rows, vectors, bool(tail))
            row, c = code.at(t, (first, down)), code.at(x, (first, stride))
            square = code.at(row, (first, across))
            numbers = ", ".join(f"i64 {x}" for x in (tail, down, across, stride))
            pointers = f"ptr {row}, ptr {x}, i64 {first}, ptr {square}, ptr {c}"
            code.put(f"call void @{fn}({pointers}, {numbers}, i1 {int(self.unit)})")

        for b in code.each(whole):
            block(high, code.line(b, high))
        if rest:
            block(rest, n - rest)


# ---------------------------------------------------------------- Cholesky's factor


def diagonal(like: Routine, rows: int, stride: int) -> str:
    """``i32 (ptr u, i64 k, ptr square)``: S becomes the factor of S − UᵀU, for k rows of U; 1 if there is none."""
    code = Routine(like.definitions, like.dtype, min(like.lanes, max(2, 1 << (rows - 1).bit_length())))
    name = f"dotbar.diagonal.{code}.{rows}.{stride}"
    if name in like.definitions:
        return name
    lanes, T = code.lanes, code.vector
    counts = [min(lanes, rows - j) for j in range(0, rows, lanes)]
    tile = remainder(code, rows, counts, "%u", (1, stride), "%u", stride, "%k", "%square")
    bad = "false"
    for r in range(rows):
        pivot = code(f"extractelement {T} {tile[r][r // lanes]}, i64 {r % lanes}")
        bad = code(f"or i1 {bad}, {code(f'fcmp ule {code.scalar} {pivot}, 0.0')}")
        root = code.intrinsic("sqrt", code.scalar, 1, pivot)
        inverse = code.splat(code(f"fdiv {code.scalar} 1.0, {root}"), code.dtype, lanes)
        tile[r] = [code(f"fmul {T} {x}, {inverse}") for x in tile[r]]
        tile[r][r // lanes] = code(f"insertelement {T} {tile[r][r // lanes]}, {code.scalar} {root}, i64 {r % lanes}")
        for i in range(r + 1, rows):
            entry = code.shuffle(tile[r][i // lanes], "poison", [i % lanes] * lanes)
            tile[i] = [code.multiply_subtract(entry, x, y) for x, y in zip(tile[r], tile[i])]
        for j, x in enumerate(tile[r]):
            code.store(x, code.at("%square", (r, stride), (j, lanes)), counts[j])
    return code.define(name, "ptr %u, i64 %k, ptr %square", status=code(f"zext i1 {bad} to i32"))


class Cholesky:
    """L with A = L Lᵀ in C's order, of which only the lower triangle is read; ``work`` bytes hold U = Lᵀ."""

    def __init__(self, dtype: np.dtype[Any], A: Matrix) -> None:
        self.dtype, self.A = dtype, A
        self.name = f"dotbar.cholesky.{np.dtype(dtype).name}.{A}"
        self.work = A.rows**2 * dtype.itemsize

    def define(self, definitions: dict[str, str]) -> str:
        """Write ``i32 (ptr a, ptr l, ptr work)``; its name."""
        if self.name in definitions:
            return self.name
        n = self.A.rows
        self.code = code = Routine(definitions, self.dtype, engine.lanes(self.dtype))
        high = height()
        self._turn("%a", (self.A.across, self.A.down), "%work", from_diagonal=False)
        whole, rest = divmod(n, high)
        status = "0"
        if whole:
            loop = code.loop(whole, ("i32", status))
            found = self._rows(high, code.line(loop.index, high))
            (status,) = loop.close(code(f"or i32 {loop.values[0]}, {found}"))
        if rest:
            status = code(f"or i32 {status}, {self._rows(rest, n - rest)}")
        self._turn("%work", (1, n), "%l", from_diagonal=True)
        for i in code.each(n - 1):
            above, size = (
                code.at("%l", (1, 1), (i, n + 1)),
                code.line(i, -self.dtype.itemsize, (n - 1) * self.dtype.itemsize),
            )
            code.put(f"call void @llvm.memset.p0.i64(ptr {above}, i8 0, i64 {size}, i1 false)")
        return code.define(self.name, "ptr %a, ptr %l, ptr %work", status)

    def _turn(self, x: str, strides: tuple[int, int], y: str, from_diagonal: bool) -> None:
        """Copy the entries x[i·s₀ + j·s₁] to y[i, j], by blocks, from the diagonal on or up to it."""
        code, n, lanes = self.code, self.A.rows, self.code.lanes
        for count, parts, first in ((lanes, n // lanes, 0), (n % lanes, 1, n - n % lanes)):
            for j in code.each(parts) if count else ():
                column = code.line(j, lanes, first)
                source, place = code.at(x, (column, strides[1])), code.at(y, (column, 1))
                if from_diagonal:
                    source, place = code.at(source, (column, strides[0])), code.at(place, (column, n))
                rows = code.line(j, -lanes, n - first) if from_diagonal else code.line(j, lanes, first + count)
                pack(code, source, place, rows, count, strides, n)

    def _rows(self, rows: int, first: Any) -> str:
        """Some rows of U from those above; the status."""
        code, n, lanes = self.code, self.A.rows, self.code.lanes
        above = code.at("%work", (first, 1))
        square = code.at(above, (first, n))
        status = code(f"call i32 @{diagonal(code, rows, n)}(ptr {above}, i64 {first}, ptr {square})")
        left: Any = code(f"sub i64 {n - rows}, {first}") if isinstance(first, str) else n - rows - first
        start: Any = rows
        whole = [v for v in dict.fromkeys((widest(rows), 1)) if v * lanes <= n - rows]
        parts = [*whole, 0] if n % lanes or rows % lanes else whole
        for vectors in parts if left else ():
            fn = substitution(code, rows, vectors or 1, masked=not vectors)
            width = lanes * (vectors or 1)
            part = code(f"sub i64 {left}, {code(f'srem i64 {left}, {width}')}") if vectors else left
            loop = code.loop(part, step=width)
            place = [(loop.index, 1), (start, 1)]
            code.put(
                f"call void @{fn}(ptr {above}, ptr {code.at(code.at('%work', (first, 1)), *place)}, i64 {first}, "
                f"ptr {square}, ptr {code.at(square, *place)}, i64 {left}, i64 1, i64 {n}, i64 {n}, "
                "i1 0)"
            )
            loop.close()
            if vectors:
                left = code(f"sub i64 {left}, {part}")
                start = code(f"add i64 {start}, {part}")
        return status


# ---------------------------------------------------------------- P A = L U


class LU:
    """The factors of A in its place, and the rows that were exchanged: a block of columns after the other.

    Then the rows of U beside it are solved for, and its product with them is subtracted from what is left.
    """

    def __init__(self, dtype: np.dtype[Any], n: int) -> None:
        self.dtype, self.n = dtype, n
        self.name = f"dotbar.lu.{np.dtype(dtype).name}.{n}"
        self.products = {first: self._product(first) for first in range(0, n - BLOCK, BLOCK)}

    def _product(self, first: int) -> Product:
        """What is below a block of columns times the rows beside it."""
        n, left = self.n, self.n - first - BLOCK
        return Product(self.dtype, Matrix(left, BLOCK, n, 1), Matrix(BLOCK, left, n, 1), n, "fsub")

    @property
    def work(self) -> int:
        """The bytes of scratch memory."""
        return max((product.work for product in self.products.values()), default=0)

    def define(self, definitions: dict[str, str]) -> str:
        """Write ``i32 (ptr lu, ptr pivots, ptr work)``; its name."""
        if self.name in definitions:
            return self.name
        n, code = self.n, Routine(definitions, self.dtype, engine.lanes(self.dtype))
        for first in range(0, n, BLOCK):
            square, pivots = code.at("%lu", (first, n + 1)), code(f"getelementptr i64, ptr %pivots, i64 {first}")
            columns = Columns(self.dtype, n, min(BLOCK, n - first)).define(definitions)
            code.put(f"call void @{columns}(ptr {square}, ptr {pivots}, i64 {first})")
            if first not in self.products:
                break
            beside, below, left = (code.at(square, (BLOCK, step)) for step in (1, n, n + 1))
            known = Triangle(self.dtype, Matrix(BLOCK, BLOCK, n, 1), n - first - BLOCK, True, unit=True, stride=n)
            code(f"call i32 @{known.define(definitions)}(ptr {square}, ptr {beside}, ptr %work)")
            product = self.products[first].define(definitions)
            code(f"call i32 @{product}(ptr {below}, ptr {beside}, ptr {left}, ptr %work)")
        return code.define(self.name, "ptr %lu, ptr %pivots, ptr %work", status="0")


class Columns:
    """The factors of a block of columns of A, from a row and column on: a panel after the other."""

    def __init__(self, dtype: np.dtype[Any], n: int, columns: int) -> None:
        self.dtype, self.n, self.columns = dtype, n, columns
        self.name = f"dotbar.columns.{np.dtype(dtype).name}.{n}.{columns}"
        self.width = min(engine.lanes(dtype), height())

    def define(self, definitions: dict[str, str]) -> str:
        """Write ``void (ptr lu, ptr pivots, i64 first)``, with pointers to what is of the first row; its name."""
        if self.name in definitions:
            return self.name
        code = Routine(definitions, self.dtype, self.width)
        whole, rest = divmod(self.columns, self.width)
        for count, parts, start in ((self.width, whole, 0), (rest, 1, self.columns - rest)):
            for k in code.each(parts) if count else ():
                j = code.line(k, self.width, start)
                code.put(f"call void @{self._panel(code, count)}(ptr %lu, ptr %pivots, i64 {j}, i64 %first)")
        return code.define(self.name, "ptr %lu, ptr %pivots, i64 %first")

    def _panel(self, like: Routine, count: int) -> str:
        """``void (ptr lu, ptr pivots, i64 j, i64 first)``: ``count`` columns from j on, those before being factored."""
        name, n, width = f"{self.name}.panel{count}", self.n, self.width
        if name in like.definitions:
            return name
        code = like.sibling()
        panel = code.at("%lu", ("%j", 1))
        fn = substitution(code, width, 1, masked=count < width)
        above = code.loop("%j", step=width)
        row, c = code.at("%lu", (above.index, n)), code.at(panel, (above.index, n))
        square = code.at(row, (above.index, 1))
        numbers = f"i64 {count}, i64 {n}, i64 1, i64 {n}, i1 1"
        code.put(f"call void @{fn}(ptr {row}, ptr {panel}, i64 {above.index}, ptr {square}, ptr {c}, {numbers})")
        above.close()
        rows = code(f"sub i64 {n}, %first")
        below, odd = code(f"sub i64 {rows}, %j"), n % width
        whole = code(f"sub i64 {below}, {odd}") if odd else below
        loop = code.loop(whole, step=width)
        first = code(f"add i64 %j, {loop.index}")
        row, c = code.at("%lu", (first, n)), code.at(panel, (first, n))
        self._subtract(code, tile(code, width, 1, count, "fsub"), row, panel, c)
        loop.close()
        if odd:
            last = tile(code, odd, 1, count, "fsub")
            row, c = (code.at(x, (code(f"sub i64 {rows}, {odd}"), n)) for x in ("%lu", panel))
            self._subtract(code, last, row, panel, c)
        self._eliminate(code, count, code.at(panel, ("%j", n)), below)
        return code.define(name, "ptr %lu, ptr %pivots, i64 %j, i64 %first")

    def _subtract(self, code: Routine, fn: str, a: str, b: str, c: str) -> None:
        """Subtract from rows of the panel the product with what is known of it."""
        n = self.n
        code.put(f"call void @{fn}(ptr {a}, ptr {b}, ptr {c}, i64 %j, i64 {n}, i64 1, i64 {n}, i64 {n})")

    def _eliminate(self, code: Routine, count: int, top: str, rows: str) -> None:
        """Factor the rows of the panel from ``top`` on, exchanging whole rows."""
        n, lanes, T = self.n, code.lanes, code.vector
        kept = 0 if count == lanes else count
        search = code.loop(rows, (code.scalar, "-1.0"), ("i64", "0"))
        entry = code(f"load {code.scalar}, ptr {code.at(top, (search.index, n))}")
        place = search.close(*self._larger(code, entry, search.index, *search.values))[1]
        before = code("add i64 %j, %first")
        left, exchange = code(f"sub i64 0, {before}"), self._exchange(code)
        for c in range(count):
            pivot = code(f"getelementptr i64, ptr %pivots, i64 {code(f'add i64 %j, {c}')}")
            code.put(f"store i64 {code(f'add i64 {place}, {before}')}, ptr {pivot}")
            here = code.at(top, (c, n))
            p, q = code.at(here, (left, 1)), code.at(top, (place, n), (left, 1))
            code.put(f"call void @{exchange}(ptr {p}, ptr {q})")
            row = code.load(here, kept)
            largest = code(f"extractelement {T} {row}, i64 {c}")
            zero = code(f"fcmp oeq {code.scalar} {largest}, 0.0")
            inverse = code(f"fdiv {code.scalar} 1.0, {largest}")
            inverse = code(f"select i1 {zero}, {code.scalar} 0.0, {code.scalar} {inverse}")
            right = ", ".join(f"i1 {int(k > c)}" for k in range(lanes))
            row = code(f"select <{lanes} x i1> <{right}>, {T} {row}, {T} zeroinitializer")
            loop = code.loop(code(f"sub i64 {rows}, {c + 1}"), (code.scalar, "-1.0"), ("i64", str(c + 1)))
            number = code(f"add i64 {loop.index}, {c + 1}")
            at = code.at(top, (number, n))
            x = code.load(at, kept)
            factor = code(f"fmul {code.scalar} {code(f'extractelement {T} {x}, i64 {c}')}, {inverse}")
            x = code.multiply_subtract(code.splat(factor, code.dtype, lanes), row, x)
            x = code(f"insertelement {T} {x}, {code.scalar} {factor}, i64 {c}")
            code.store(x, at, kept)
            following = code(f"extractelement {T} {x}, i64 {min(c + 1, count - 1)}")
            place = loop.close(*self._larger(code, following, number, *loop.values))[1]

    def _larger(self, code: Routine, entry: str, number: str, size: str, place: str) -> tuple[str, str]:
        """The larger of two sizes, and its place."""
        new = code.intrinsic("fabs", code.scalar, 1, entry)
        above = code(f"fcmp ogt {code.scalar} {new}, {size}")
        size = code(f"select i1 {above}, {code.scalar} {new}, {code.scalar} {size}")
        return size, code(f"select i1 {above}, i64 {number}, i64 {place}")

    def _exchange(self, like: Routine) -> str:
        """``void (ptr p, ptr q)``: exchange two rows."""
        name, n, lanes = f"dotbar.exchange.{like}.{self.n}", self.n, like.lanes
        if name in like.definitions:
            return name
        code = like.sibling()
        for count, parts, first in ((lanes, n // lanes, 0), (n % lanes, 1, n - n % lanes)):
            for k in code.each(parts) if count else ():
                here, there = (code.at(x, (code.line(k, lanes, first), 1)) for x in ("%p", "%q"))
                x, y = code.load(here, count), code.load(there, count)
                code.store(y, here, count)
                code.store(x, there, count)
        return code.define(name, "ptr %p, ptr %q")

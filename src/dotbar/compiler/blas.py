"""Products and factorisations of matrices as calls in a Program's native function.

Products, triangular systems, Cholesky's factors and LU are our own tiles, see tiles.py and triangles.py; the others are
LAPACK's, through the pointers that SciPy exports, see lapack.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dotbar.compiler import bands, registers, threads
from dotbar.compiler.kernels import Code
from dotbar.compiler.lapack import QR, SVD, Eigenvalues, Eigh, SingularValues, Substitution, symbols
from dotbar.compiler.lowering import CALLS, DEFINITIONS, INTEGER, Lowering, Result, UnsupportedError, View
from dotbar.compiler.memory import rounded
from dotbar.compiler.products import PRODUCTS
from dotbar.compiler.shapes import Shape, contiguous, merged, squeezed
from dotbar.compiler.shares import called, split
from dotbar.compiler.tiles import Matrix, Product
from dotbar.compiler.tiles import Routine as Text
from dotbar.compiler.triangles import LU, Cholesky, Triangle
from dotbar.compiler.triangular import SYSTEM
from dotbar.rules.lapack_words import adjugate, lu_det, lu_factor, lu_inverse, lu_slogdet, lu_solve, solve_triangular
from dotbar.rules.linalg import qr_factors
from dotbar.rules.products import contract, convolution, matvec
from dotbar.rules.spectral import hermitian_spectrum, singular_values, svd_factors
from dotbar.rules.words import raise_if

# ---------------------------------------------------------------- products


def floating(lowering: Lowering, *xs: Any) -> list[View]:
    """Operands in memory, in their common dtype, a floating one."""
    dtype = np.result_type(*(x.dtype for x in xs))
    if dtype.kind != "f":
        raise UnsupportedError
    return [lowering.view(x, dtype) for x in xs]


def swapped(x: View) -> View:
    """The transposed matrices."""
    return x.move(lambda v: np.swapaxes(v, -1, -2))


def matrix(x: View) -> Matrix:
    """How the matrices of a stack lie."""
    return Matrix(*x.shape[-2:], *x.strides[-2:])


def matmul(
    lowering: Lowering,
    a: Any,
    b: Any,
    *,
    transpose: Sequence[bool] = (False, False),
    triangles: Sequence[str] = ("", ""),
) -> View:
    """A stack of products; transposed factors are read as they lie, and nothing beside triangles."""
    a, b = floating(lowering, a, b)
    thin = of_few(lowering, a, b, transpose) if a.ndim == b.ndim == 2 else None
    if thin is not None:
        return thin
    a, b = (swapped(x) if t else x for x, t in zip((a, b), transpose))
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    shape = (*lead, a.shape[-2], b.shape[-1])
    if not prod(shape) or not a.shape[-1]:
        return lowering.full(0, shape, a.dtype)
    a, b = (x.move(lambda v: np.broadcast_to(v, lead + v.shape[-2:])) for x in (a, b))
    count, size = (0, 0) if lead else split(shape[-2], prod(shape) * a.shape[-1], ROWS)
    if count:
        product = Rows(a.dtype, matrix(a), matrix(b), count, size)
    else:
        A, B = (replace(matrix(x), triangle=triangle) for x, triangle in zip((a, b), triangles))
        product = Product(a.dtype, A, B, shape[-1])
    small = None if any(triangles) else registers.Product(a.shape, b.shape, a.dtype)
    return stacked(lowering, product, [a, b], [Result(shape, a.dtype)], len(lead), small)[0]


FEW = 4
"""So many columns are multiplied entry by entry."""

MANY = 32
"""It is worth it for so many rows and columns of the other matrices."""


def of_few(lowering: Lowering, a: View, b: View, transpose: Sequence[bool]) -> View | None:
    """A product that is computed entry by entry, where it is needed: a sum of few terms, or few sums of what is."""
    (m, k), (_, n) = (x.shape[::-1] if t else x.shape for x, t in zip((a, b), transpose))
    if 0 < k <= FEW and min(m, n) >= MANY:
        left, right = a if transpose[0] else swapped(a), swapped(b) if transpose[1] else b
        left, right = (lowering.packed(x) for x in (left, right))
        terms = [left.move(lambda v, i=i: v[i, :, None]) * right.move(lambda v, i=i: v[i]) for i in range(k)]
        return sum(terms[1:], terms[0])
    if 0 < n <= FEW and min(m, k) >= MANY and computed(a):
        columns = lowering.packed(b if transpose[1] else swapped(b))
        axis = 0 if transpose[0] else 1
        factors = [columns.move(lambda v, j=j: np.expand_dims(v[j], 1 - axis)) for j in range(n)]
        return lowering.joined([lowering.reduce("add", a * x, axis, False) for x in factors], 1, new=True)
    return None


def computed(x: View) -> bool:
    """Whether a matrix is computed entry by entry, and may never be in memory."""
    return x.base.kind == "map" and x.whole and not x.base.stored


ROWS = 16
"""Of a product: the least that a thread does at a time, as each arranges the other factor for itself."""


class Rows:
    """C = A B, some rows at a time by whichever thread is free."""

    def __init__(self, dtype: np.dtype[Any], A: Matrix, B: Matrix, count: int, size: int) -> None:
        self.count = count
        sizes = (size, A.rows - count * size)
        self.products = [Product(dtype, replace(A, rows=n), B, B.columns) for n in sizes if n]
        self.steps = [size * A.down * dtype.itemsize, 0, size * B.columns * dtype.itemsize]

    @property
    def work(self) -> int:
        return self.count * rounded(max(product.work for product in self.products))

    def define(self, definitions: dict[str, str]) -> str:
        part, *rest = (product.define(definitions) for product in self.products)
        return called(definitions, part, *rest, count=self.count, steps=self.steps, work=self.work // self.count)


class Routine(Protocol):
    """What writes a function of matrices."""

    @property
    def work(self) -> int:
        """The bytes of scratch memory that it needs."""
        ...

    def define(self, definitions: dict[str, str]) -> str:
        """Write ``i32 (ptr operands…, ptr results…, ptr work)``; its name."""
        ...


def stacked(
    lowering: Lowering,
    routine: Routine,
    operands: Sequence[View],
    results: Sequence[Result],
    axes: int,
    small: Any = None,
) -> list[View]:
    """A call of ``i32 (ptr operands…, ptr results…, ptr work)`` for each index of the first axes."""
    lead = results[0].shape[:axes]
    strides = [x.strides for x in operands] + [contiguous(r.shape) for r in results]
    sizes = [x.dtype.itemsize for x in (*operands, *results)]
    steps = [tuple(s * size for s in row[:axes]) for row, size in zip(strides, sizes)]
    lead, steps = merged(*squeezed_rows(lead, steps))
    operations = prod(results[0].shape) * prod([*operands, *results][0].shape[-1:])
    count, size = split(lead[0], operations) if lead else (0, 0)
    work = rounded(routine.work)

    def emit(code: Code, pointers: list[str], blocks: list[str], scratch: str) -> str:
        fn = routine.define(code.definitions)
        if count:
            sizes = (size, lead[0] - count * size)
            part, *rest = (each(code.definitions, fn, (n, *lead[1:]), steps) for n in sizes if n)
            fn = called(code.definitions, part, *rest, count=count, steps=[size * row[0] for row in steps], work=work)
        elif lead:
            fn = each(code.definitions, fn, lead, steps)
        code.symbols |= symbols(code.definitions) | threads.symbols(code.definitions)
        return code(f"call i32 @{fn}({', '.join(f'ptr {p}' for p in (*pointers, *blocks, scratch))})")

    return lowering.call(emit, operands, results, max(count, 1) * work, small)


def squeezed_rows(lead: Shape, rows: Sequence[Shape]) -> tuple[Shape, list[Shape]]:
    shape, *kept = squeezed(lead, *rows)
    return shape, kept


def each(definitions: dict[str, str], fn: str, lead: Shape, steps: Sequence[Shape]) -> str:
    """The function that calls another at pointers moved by ``steps`` bytes, for each index below ``lead``."""
    name = ".".join([fn, "each", *map(str, lead), *("_".join(map(str, row)) for row in steps)])
    if name in definitions:
        return name
    code = Text(definitions, np.dtype(float), 1)
    names = [f"%p{k}" for k in range(len(steps))]

    def nest(axis: int, pointers: list[str], status: str) -> str:
        if axis == len(lead):
            found = code(f"call i32 @{fn}({', '.join(f'ptr {p}' for p in pointers)}, ptr %work)")
            return code(f"or i32 {status}, {found}")
        loop = code.loop(lead[axis], ("i32", status), *(("ptr", p) for p in pointers))
        inner, *places = loop.values
        inner = nest(axis + 1, places, inner)
        following = [code(f"getelementptr i8, ptr {p}, i64 {row[axis]}") for p, row in zip(places, steps)]
        return loop.close(inner, *following)[0]

    status = nest(0, names, "0")
    return code.define(name, ", ".join(f"ptr {p}" for p in (*names, "%work")), status)


def product_of_vectors(lowering: Lowering, a: Any, b: Any) -> View:
    """Products of entries, summed: a loop nest like any other."""
    return lowering.reduce("add", np.multiply(*floating(lowering, a, b)), -1, False)


def times_vector(lowering: Lowering, a: Any, x: Any, *, transpose: Sequence[bool] = (False, False)) -> View:
    """A product with a matrix of one column; with a large matrix of short rows, a loop nest like any other."""
    if by_rows(a, x):
        a, x = floating(lowering, a, x)
        x = x.move(lambda v: v[:, None]) if transpose[0] else x
        return lowering.reduce("add", a * x, 0 if transpose[0] else 1, False)
    column = lowering.view(x).move(lambda v: np.expand_dims(v, -1))
    return matmul(lowering, a, column, transpose=transpose).move(lambda v: v[..., 0])


SHORT = range(17, 129)
"""The lengths of rows that are multiplied entry by entry with partial results in registers."""


def by_rows(a: Any, x: Any) -> bool:
    """Whether a matrix is to go from memory once, band by band with what makes the vector and reads the product."""
    matrix = isinstance(a, View) and isinstance(x, View) and (a.ndim, x.ndim) == (2, 1)
    large = matrix and a.whole and a.size * a.dtype.itemsize >= bands.LARGE
    return large and a.shape[1] in SHORT and threads.get_num_threads() == 1


def einsum(lowering: Lowering, *arrays: Any, subscripts: str) -> View:
    """A stack of products: over the labels that both factors and the result have, of sums over those that it lacks."""
    given, out = subscripts.split("->")
    term, *terms = given.split(",")
    x, *others = floating(lowering, *arrays)
    while terms:
        other, y = terms.pop(0), others.pop(0)
        wanted = [label for label in dict.fromkeys(term + other) if label in "".join([out, *terms])]
        stack = [label for label in wanted if label in term and label in other]
        rows, columns = ([label for label in wanted if label in t and label not in stack] for t in (term, other))
        inner = [label for label in term if label not in wanted]
        size = dict(zip(term + other, x.shape + y.shape))
        a, b = ordered(x, term, stack, rows, inner), ordered(y, other, stack, inner, columns)
        x = matmul(lowering, a, b) if inner else a * b
        term = "".join([*stack, *rows, *columns])
        shape = [size[label] for label in term]
        x = x.move(lambda v, shape=shape: v.reshape(shape))
    return x.move(lambda v: v.transpose([term.index(label) for label in out]))


def ordered(x: View, term: str, stack: list[str], rows: list[str], columns: list[str]) -> View:
    """A stack of matrices, whose rows and columns have the indices of several labels."""
    x = x.move(lambda v: v.transpose([term.index(label) for label in (*stack, *rows, *columns)]))
    lead = x.shape[: len(stack)]
    shape = (*lead, prod(x.shape[len(stack) : len(stack) + len(rows)]), prod(x.shape[len(stack) + len(rows) :]))
    return x.move(lambda v: v.reshape(shape))


def convolve(lowering: Lowering, a: Any, v: Any, *, mode: str) -> View:
    """A matrix of windows of ``a`` times ``v`` reversed; the windows lie in memory as they are."""
    a, v = floating(lowering, a, v)
    n = v.shape[-1]
    if mode == "full":
        frame = lowering.full(0, (*a.shape[:-1], n - 1), a.dtype)
        a = lowering.joined([frame, a, frame], -1, new=False)
    windows = a.move(lambda x: sliding_window_view(x, n, -1))
    return times_vector(lowering, windows, v.move(lambda x: x[..., ::-1]))


def cross(lowering: Lowering, a: Any, b: Any) -> View:
    """Vectors of three entries, cₖ = aₖ₊₁ bₖ₊₂ − aₖ₊₂ bₖ₊₁."""
    x, y = ([v.move(lambda w, k=k: w[..., k % 3]) for k in range(5)] for v in floating(lowering, a, b))
    return lowering.joined([x[k + 1] * y[k + 2] - x[k + 2] * y[k + 1] for k in range(3)], -1, new=True)


# ---------------------------------------------------------------- factorisations


def cholesky(lowering: Lowering, a: Any, *, upper: bool = False) -> View:
    """A = L Lᵀ, or with U = Lᵀ of the upper triangle."""
    (a,) = floating(lowering, swapped(a) if upper else a)
    if not a.size:
        return lowering.full(0, a.shape, a.dtype)
    (L,) = stacked(lowering, Cholesky(a.dtype, matrix(a)), [a], [Result(a.shape, a.dtype)], a.ndim - 2)
    return swapped(L) if upper else L


def solve_triangle(
    lowering: Lowering, T: Any, B: Any, *, lower: bool = True, adjoint: bool = False, part: str = ""
) -> View:
    """X with T X = B or Tᵀ X = B; perhaps it is known to be a triangle like T, or symmetric."""
    T, B = floating(lowering, swapped(T) if adjoint else T, B)
    lead = np.broadcast_shapes(T.shape[:-2], B.shape[:-2])
    T, B = (x.move(lambda v: np.broadcast_to(v, lead + v.shape[-2:])) for x in (T, B))
    if not B.size:
        return B
    diagonals = T.move(lambda v: np.diagonal(v, axis1=-2, axis2=-1))
    if lead:  # NumPy's general solver refuses
        lowering.stop_unless(np.not_equal(diagonals, 0), -1)
    triangle = Triangle(T.dtype, matrix(T), B.shape[-1], lower != adjoint, part=part)
    return stacked(lowering, triangle, [T], [Result(B.shape, B.dtype, B)], len(lead))[0]


def factors(lowering: Lowering, a: View) -> tuple[View, View]:
    """P A = L U, and the exchanges of rows."""
    results = [Result(a.shape, a.dtype, a), Result(a.shape[:-1], INTEGER)]
    packed, pivots = stacked(lowering, LU(a.dtype, a.shape[-1]), [], results, a.ndim - 2)
    return packed, pivots


def factor(lowering: Lowering, a: Any) -> tuple[View, View]:
    """The factors of one matrix; those of a stack are taken where they are used."""
    (a,) = floating(lowering, a)
    if a.ndim > 2 or not a.size or a.shape[-1] != a.shape[-2]:
        return a, lowering.full(0, (*a.shape[:-2], 0), INTEGER)
    return factors(lowering, a)


def factored(lowering: Lowering, a: Any, LU: Any, pivots: Any) -> tuple[View, View]:
    """The factors, if they have not been taken before."""
    if pivots.shape[-1]:
        return lowering.view(LU), lowering.view(pivots)
    (a,) = floating(lowering, a)
    if not a.size:
        raise UnsupportedError
    return factors(lowering, a)


def solve(lowering: Lowering, a: Any, b: Any, LU: Any, pivots: Any, *, adjoint: bool = False) -> View:
    """A⁻¹B or A⁻ᵀB."""
    LU, pivots = factored(lowering, a, LU, pivots)
    LU, b = floating(lowering, LU, b)
    lead = np.broadcast_shapes(LU.shape[:-2], b.shape[:-2])
    LU, b = (x.move(lambda v: np.broadcast_to(v, lead + v.shape[-2:])) for x in (LU, b))
    pivots = pivots.move(lambda v: np.broadcast_to(v, lead + v.shape[-1:]))
    if not b.size:
        return b
    routine = Substitution(LU.dtype, matrix(LU), b.shape[-1], adjoint)
    return stacked(lowering, routine, [LU, pivots], [Result(b.shape, b.dtype, b)], len(lead))[0]


def inverse(lowering: Lowering, a: Any, *given: Any) -> View:
    """A⁻¹."""
    (a,) = floating(lowering, a)
    if not a.size:
        return a
    LU = factored(lowering, a, *(given or factor(lowering, a)))
    identity = lowering.operand(np.eye(a.shape[-1], dtype=a.dtype))
    return solve(lowering, a, identity, *LU)


def determinant(lowering: Lowering, a: Any, *given: Any) -> View:
    """Π uₖ, and a sign for each exchange."""
    LU, pivots = factored(lowering, a, *given)
    u = LU.move(lambda v: np.diagonal(v, axis1=-2, axis2=-1))
    return lowering.reduce("multiply", u * exchanges(lowering, pivots, u.dtype), -1, False)


def exchanges(lowering: Lowering, pivots: View, dtype: np.dtype[Any]) -> View:
    """−1 for each row that was exchanged for another."""
    kept = np.equal(pivots, lowering.operand(np.arange(pivots.shape[-1])))
    return lowering.choose(kept, dtype.type(1), dtype.type(-1))


def logarithm_of_determinant(lowering: Lowering, a: Any, *given: Any) -> tuple[View, View]:
    """Π sign uₖ with a sign for each exchange, and Σ log|uₖ|."""
    LU, pivots = factored(lowering, a, *given)
    u = LU.move(lambda v: np.diagonal(v, axis1=-2, axis2=-1))
    sign = np.sign(u) * exchanges(lowering, pivots, u.dtype)
    logarithm = lowering.reduce("add", np.log(np.abs(u)), -1, False)
    return lowering.reduce("multiply", sign, -1, False), logarithm


def adjugate_of(lowering: Lowering, a: Any, *given: Any) -> View:
    """det(A) A⁻¹, where A is well conditioned."""
    (a,) = floating(lowering, a)
    LU = factored(lowering, a, *given)
    X = inverse(lowering, a, *LU)
    sizes = [lowering.reduce("add", M * M, (-2, -1), False) for M in (a, X)]
    lowering.stop_unless(np.sqrt(sizes[0]) * np.sqrt(sizes[1]) < 0.01 / np.finfo(a.dtype).eps, -1)
    return X * determinant(lowering, a, *LU).move(lambda v: v[..., None, None])


def eigh(lowering: Lowering, a: Any, *, UPLO: str = "L") -> tuple[View, View]:
    """Eigenvalues and eigenvectors."""
    (a,) = floating(lowering, a)
    if not a.size or UPLO.upper() != "L":
        raise UnsupportedError
    results = [Result(a.shape[:-1], a.dtype), Result(a.shape, a.dtype)]
    w, V = stacked(lowering, Eigh(a.dtype, matrix(a)), [a], results, a.ndim - 2)
    return w, swapped(V)


def eigenvalues(lowering: Lowering, a: Any, *, UPLO: str = "L") -> View:
    """The eigenvalues alone."""
    (a,) = floating(lowering, swapped(a) if UPLO.upper() == "U" else a)
    if not a.size:
        raise UnsupportedError
    return stacked(lowering, Eigenvalues(a.dtype, matrix(a)), [a], [Result(a.shape[:-1], a.dtype)], a.ndim - 2)[0]


def svd(lowering: Lowering, a: Any, *, full_matrices: bool = True) -> tuple[View, View, View]:
    """U, s, Vᵀ."""
    (a,) = floating(lowering, a)
    if not a.size:
        raise UnsupportedError
    *lead, m, n = a.shape
    k = min(m, n)
    shapes = [(m, m), (k,), (n, n)] if full_matrices else [(k, m), (k,), (n, k)]
    results = [Result((*lead, *shape), a.dtype) for shape in shapes]
    U, s, Vt = stacked(lowering, SVD(a.dtype, matrix(a), full_matrices), [a], results, len(lead))
    return swapped(U), s, swapped(Vt)


def values_of_svd(lowering: Lowering, a: Any) -> View:
    """The singular values alone."""
    (a,) = floating(lowering, a)
    if not a.size:
        raise UnsupportedError
    *lead, m, n = a.shape
    result = Result((*lead, min(m, n)), a.dtype)
    return stacked(lowering, SingularValues(a.dtype, matrix(a)), [a], [result], len(lead))[0]


def orthogonal(lowering: Lowering, a: Any, *, complete: bool = False) -> tuple[View, View]:
    """A = Q R."""
    (a,) = floating(lowering, a)
    *lead, m, n = a.shape
    if not a.size or m < n:
        raise UnsupportedError
    columns = m if complete else n
    results = [Result((*lead, columns, m), a.dtype), Result((*lead, columns, n), a.dtype)]
    Q, R = stacked(lowering, QR(a.dtype, matrix(a), complete), [a], results, len(lead))
    return swapped(Q), R


def refused(lowering: Lowering, condition: Any, *, error: Exception) -> View:
    """The condition, which does not hold; where it does NumPy is to raise the error."""
    condition = lowering.view(condition, np.dtype(bool))
    lowering.stop_unless(~condition, -1)
    return condition


# ---------------------------------------------------------------- what is known

FUNCTIONS: dict[Any, Callable[..., View]] = {
    np.matmul: matmul,
    matvec: times_vector,
    np.vecdot: product_of_vectors,
}


def of_views(call: Callable[..., View]) -> Callable[..., View]:
    """A ufunc's definition."""
    return lambda *xs: call(next(x for x in xs if isinstance(x, View)).lowering, *xs)


DEFINITIONS |= {fn: of_views(call) for fn, call in FUNCTIONS.items()}
CALLS |= {product.fn: FUNCTIONS[fn] for fn, product in PRODUCTS.items()}
CALLS |= {
    matvec: times_vector,
    contract: einsum,
    convolution: convolve,
    np.cross: cross,
    np.linalg.cholesky: cholesky,
    solve_triangular: solve_triangle,
    SYSTEM.fn: solve_triangle,
    lu_factor: factor,
    lu_solve: solve,
    lu_inverse: inverse,
    lu_det: determinant,
    lu_slogdet: logarithm_of_determinant,
    adjugate: adjugate_of,
    np.linalg.inv: inverse,
    np.linalg.eigh: eigh,
    hermitian_spectrum: eigh,
    np.linalg.eigvalsh: eigenvalues,
    svd_factors: svd,
    singular_values: partial(svd, full_matrices=False),
    np.linalg.svdvals: values_of_svd,
    qr_factors: orthogonal,
    raise_if: refused,
}

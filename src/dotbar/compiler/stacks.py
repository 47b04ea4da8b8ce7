"""Linear algebra of stacks of small matrices, as calls in a Program's native function: see small.py.

Larger matrices are LAPACK's: see blas.py.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

import dotbar.compiler.blas  # noqa: F401  what it enters comes before
from dotbar.compiler import small
from dotbar.compiler.kernels import Code
from dotbar.compiler.lowering import CALLS, INTEGER, Lowering, Result, UnsupportedError, View
from dotbar.compiler.shapes import contiguous, squeezed
from dotbar.rules.lapack_words import adjugate, lu_det, lu_factor, lu_inverse, lu_slogdet, lu_solve, solve_triangular
from dotbar.rules.linalg import from_diagonal
from dotbar.rules.spectral import hermitian_spectrum, refuse, same_value

SINGLE = 8
"""The order up to which one matrix alone is faster than by LAPACK."""

COLUMNS = 64
"""So many right-hand sides fit the block of memory that a system is solved in."""

DTYPES = {np.dtype(np.float64): "f64", np.dtype(np.float32): "f32"}


def batched(lowering: Lowering, name: str, *operands: Any) -> list[View]:
    """A function of small.py of each matrix of a stack, over which operands are broadcast."""
    dtype = np.result_type(*(x.dtype for x in operands))
    xs = [lowering.view(x, dtype) for x in operands]
    lead = np.broadcast_shapes(*(x.shape[:-2] for x in xs))
    count, sizes = prod(lead), xs[0].shape[-1:] if len(xs) == 1 else xs[1].shape[-2:]
    if dtype not in DTYPES or not prod(sizes) or not count or sizes[-1] > COLUMNS:
        raise UnsupportedError
    if sizes[0] > (small.LARGEST if count > 1 else SINGLE):
        raise UnsupportedError
    placed = [stored(lowering, x.move(lambda v: np.broadcast_to(v, lead + v.shape[-2:]))) for x in xs]
    flipped = "".join(letter for _, letter in placed)
    kind = DTYPES[dtype]
    lanes = small.width(kind, count)
    full = small.function_name(name, kind, lanes, sizes, flipped)

    def emit(code: Code, pointers: list[str], blocks: list[str], scratch: str) -> str:
        if full not in code.definitions:
            code.definitions[full] = small.source(name, kind, lanes, sizes, flipped)
        code.calls |= small.requires(name, kind, lanes)
        return code(f"call i32 @{full}({', '.join(f'ptr {p}' for p in (*pointers, *blocks))}, i64 {count})")

    results = [Result(lead + shape, dtype) for shape in small.shapes(name, sizes)[1]]
    return lowering.call(emit, [x for x, _ in placed], results)


def stored(lowering: Lowering, x: View) -> tuple[View, str]:
    """Matrices in memory, one after the other, as they are ("n") or their transposes ("t")."""
    for way, letter in ((x, "n"), (swapped(x), "t")):
        shape, strides = squeezed(way.shape, way.strides)
        if strides == contiguous(shape):
            return way, letter
    return lowering.packed(x), "n"


def swapped(x: Any) -> Any:
    """The transposed matrices."""
    return x.move(lambda v: np.swapaxes(v, -1, -2)) if isinstance(x, View) else np.swapaxes(x, -1, -2)


def cholesky(lowering: Lowering, a: Any, *, upper: bool = False) -> View:
    (L,) = batched(lowering, "cholesky", swapped(a) if upper else a)
    return swapped(L) if upper else L


def spectrum(lowering: Lowering, a: Any, *, UPLO: str = "L") -> list[View]:
    """Where signs of eigenvectors do not matter; those of np.linalg.eigh are LAPACK's."""
    return batched(lowering, "eigh", swapped(a) if UPLO.upper() == "U" else a)


def eigenvalues(lowering: Lowering, a: Any, *, UPLO: str = "L") -> View:
    return batched(lowering, "eigvalsh", swapped(a) if UPLO.upper() == "U" else a)[0]


def inverse(lowering: Lowering, a: Any, *factors: Any) -> View:
    return batched(lowering, "inverse", a)[0]


def factor(lowering: Lowering, a: Any) -> list[View]:
    """A stack is not factored, see lu_factor."""
    if a.ndim < 3:
        LU, rows = batched(lowering, "factor", a)
        return [LU, lowering.cast(rows, INTEGER)]
    return [lowering.view(a), lowering.full(0, (*a.shape[:-2], 0), INTEGER)]


def solve(lowering: Lowering, a: Any, b: Any, *factors: Any, adjoint: bool = False) -> View:
    return batched(lowering, "solve", swapped(a) if adjoint else a, b)[0]


def solve_triangle(lowering: Lowering, T: Any, B: Any, *, lower: bool = True, adjoint: bool = False) -> View:
    name = "solve_upper" if lower == adjoint else "solve_lower"
    return batched(lowering, name, swapped(T) if adjoint else T, B)[0]


def det(lowering: Lowering, a: Any, *factors: Any) -> View:
    return batched(lowering, "det", a)[0]


def slogdet(lowering: Lowering, a: Any, *factors: Any) -> list[View]:
    return batched(lowering, "slogdet", a)


def adjugate_of(lowering: Lowering, a: Any, *factors: Any) -> View:
    """det(A) A⁻¹, where A is well conditioned."""
    X = inverse(lowering, a)
    sizes = [lowering.reduce("add", M * M, (-2, -1), False) for M in (lowering.view(a), X)]
    lowering.stop_unless(sizes[0] * sizes[1] < (0.01 / np.finfo(a.dtype).eps) ** 2, -1)
    return X * det(lowering, a).move(lambda v: v[..., None, None])


def distinct(lowering: Lowering, w: Any) -> View:
    """Which eigenvalues are the same, if each is only the same as itself."""
    n = w.shape[-1]
    size = lowering.reduce("maximum", np.abs(w), -1, True).move(lambda v: v[..., None])
    gap = np.abs(w.move(lambda v: v[..., :, None]) - w.move(lambda v: v[..., None, :]))
    same = gap <= size * (n * np.finfo(w.dtype).eps)
    lowering.stop_unless(same ^ lowering.operand(~np.eye(n, dtype=bool)), -1)
    return same


def vanishing(lowering: Lowering, where: Any, X: Any, scale: Any, *, message: str) -> View:
    """Nowhere, if X vanishes where it is to, to rounding at the given scale."""
    noise = lowering.reduce("maximum", np.abs(scale), (-2, -1), True)
    noise = noise * (10 * max(X.shape[-2:]) * np.finfo(X.dtype).eps)
    met = lowering.view(where) & (np.abs(X) > noise)
    lowering.stop_unless(~met, -1)
    return met


def diagonal(
    lowering: Lowering, d: Any, *, shape: tuple[int, ...], offset: int = 0, axis1: int = 0, axis2: int = 1
) -> View:
    """Matrices with zeros beside the diagonal."""
    last = (len(shape) - 2, len(shape) - 1)
    if offset or (axis1 % len(shape), axis2 % len(shape)) != last or shape[-1] != shape[-2]:
        raise UnsupportedError
    row = lowering.view(d).move(lambda v: v[..., None, :])
    return lowering.choose(lowering.operand(np.eye(shape[-1], dtype=bool)), row, 0)


def first(small_ones: Callable[..., Any], fn: Any) -> Callable[..., Any]:
    """A lowering that leaves what is not small to the one there is."""
    larger = CALLS.get(fn)

    def lower(lowering: Lowering, *xs: Any, **settings: Any) -> Any:
        try:
            return small_ones(lowering, *xs, **settings)
        except UnsupportedError:
            if larger is None:
                raise
            return larger(lowering, *xs, **settings)

    return lower


CALLS |= {
    fn: first(lowering, fn)
    for fn, lowering in {
        np.linalg.cholesky: cholesky,
        np.linalg.inv: inverse,
        hermitian_spectrum: spectrum,
        np.linalg.eigvalsh: eigenvalues,
        solve_triangular: solve_triangle,
        lu_factor: factor,
        lu_solve: solve,
        lu_inverse: inverse,
        lu_det: det,
        lu_slogdet: slogdet,
        adjugate: adjugate_of,
        from_diagonal: diagonal,
        same_value: distinct,
        refuse: vanishing,
    }.items()
}

"""Products and factorisations of matrices as calls in a Program's native function.

Products are our own tiles, see tiles.py; factorisations are LAPACK's, through the pointers that SciPy exports.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from dotbar.compiler.kernels import Code
from dotbar.compiler.lowering import CALLS, DEFINITIONS, Lowering, Result, UnsupportedError, View
from dotbar.compiler.products import PRODUCTS
from dotbar.compiler.shapes import Shape, contiguous, merged, squeezed
from dotbar.compiler.tiles import Matrix, Product, Routine
from dotbar.rules.products import contract, matvec

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


def matmul(lowering: Lowering, a: Any, b: Any, *, transpose: Sequence[bool] = (False, False)) -> View:
    """A stack of products; transposed factors are read as they lie."""
    a, b = (swapped(x) if t else x for x, t in zip(floating(lowering, a, b), transpose))
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    shape = (*lead, a.shape[-2], b.shape[-1])
    if not prod(shape) or not a.shape[-1]:
        return zeros(lowering, shape, a.dtype)
    a, b = (x.move(lambda v: np.broadcast_to(v, lead + v.shape[-2:])) for x in (a, b))
    product = Product(a.dtype, matrix(a), matrix(b), shape[-1])
    return stacked(lowering, product.define, [a, b], [Result(shape, a.dtype)], len(lead), product.work)[0]


def zeros(lowering: Lowering, shape: Shape, dtype: np.dtype[Any]) -> View:
    return lowering.map("copy", dtype, dtype.type(0)).move(lambda v: np.broadcast_to(v, shape))


def stacked(
    lowering: Lowering,
    define: Callable[[dict[str, str]], str],
    operands: Sequence[View],
    results: Sequence[Result],
    axes: int,
    work: int = 0,
) -> list[View]:
    """A call of ``i32 (ptr operands…, ptr results…, ptr work)`` for each index of the first axes."""
    lead = results[0].shape[:axes]
    strides = [x.strides for x in operands] + [contiguous(r.shape) for r in results]
    sizes = [x.dtype.itemsize for x in (*operands, *results)]
    steps = [tuple(s * size for s in row[:axes]) for row, size in zip(strides, sizes)]
    lead, steps = merged(*squeezed_rows(lead, steps))

    def emit(code: Code, pointers: list[str], blocks: list[str], scratch: str) -> str:
        fn = define(code.definitions)
        if lead:
            fn = each(code.definitions, fn, lead, steps)
        return code(f"call i32 @{fn}({', '.join(f'ptr {p}' for p in (*pointers, *blocks, scratch))})")

    return lowering.call(emit, operands, results, work)


def squeezed_rows(lead: Shape, rows: Sequence[Shape]) -> tuple[Shape, list[Shape]]:
    shape, *kept = squeezed(lead, *rows)
    return shape, kept


def each(definitions: dict[str, str], fn: str, lead: Shape, steps: Sequence[Shape]) -> str:
    """The function that calls another at pointers moved by ``steps`` bytes, for each index below ``lead``."""
    name = ".".join([fn, "each", *map(str, lead), *("_".join(map(str, row)) for row in steps)])
    if name in definitions:
        return name
    code = Routine(definitions, np.dtype(float), 1)
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
    """A product with a matrix of one column."""
    column = lowering.view(x).move(lambda v: np.expand_dims(v, -1))
    return matmul(lowering, a, column, transpose=transpose).move(lambda v: v[..., 0])


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


FUNCTIONS: dict[Any, Callable[..., View]] = {
    np.matmul: matmul,
    matvec: times_vector,
    np.vecdot: product_of_vectors,
}


def of_views(call: Callable[..., View]) -> Callable[..., View]:
    """A ufunc's definition."""
    return lambda *xs: call(next(x for x in xs if isinstance(x, View)).lowering, *xs)


DEFINITIONS |= {fn: of_views(call) for fn, call in FUNCTIONS.items()}
CALLS |= {product.fn: FUNCTIONS[fn] for fn, product in PRODUCTS.items()} | {matvec: times_vector, contract: einsum}

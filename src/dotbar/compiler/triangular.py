"""Systems with a triangle that is known to be one need no elimination, products leave out the zeros beside it.

::

    b: f64[9, 3, 3] = linalg.cholesky a                    b: f64[9, 3, 3] = linalg.cholesky a
    c, p = lu_factor b                              →      x: f64[9, 3, 1] = solve_triangular b y
    x: f64[9, 3, 1] = lu_solve b y c p

    c: f64[99, 9] = matmul b x                      →      c: f64[99, 9] = matmul b x  triangles=("lower", "")

Triangles are Cholesky's factors, what ``np.tril`` and ``np.triu`` leave, diagonals, and their sums and transposes.
"""

from typing import Any

import numpy as np

from dotbar.compiler.products import PRODUCTS, factors_of
from dotbar.compiler.rewriting import Walk, number, reassociated
from dotbar.program import Equation, Var
from dotbar.rules.lapack_words import lu_solve, solve_triangular
from dotbar.rules.linalg import from_diagonal
from dotbar.rules.shapes import choose

__all__: list[str] = []

LEAST = 32
"""The order from which the zeros of a triangle are worth leaving out."""

OTHER = {"lower": "upper", "upper": "lower"}
NEITHER, BOTH = frozenset[str](), frozenset(OTHER)


@reassociated(lu_solve)
def _of_triangle(e: Equation, walk: Walk) -> Any:
    a, b, *_ = e.inputs
    triangle = kind(a, walk)
    if not triangle:
        return None
    settings = {"lower": "lower" in triangle, "adjoint": e.settings.get("adjoint", False)}
    return walk.emit(solve_triangular, (a, b), settings, e.outputs[0])


@reassociated(np.matmul, PRODUCTS[np.matmul].fn)
def _product_of_triangles(e: Equation, walk: Walk) -> Any:
    """A product that leaves out the zeros beside triangles."""
    if "triangles" in e.settings or min(min(x.shape) for x in (*e.inputs, *e.outputs)) < LEAST:
        return None
    fn, swapped = factors_of(e)
    kinds = [sorted(kind(x, walk)) for x in e.inputs]
    if not any(kinds):
        return None
    names = (found[0] if found else "" for found in kinds)
    triangles = tuple(OTHER.get(name, "") if t else name for name, t in zip(names, swapped))
    return walk.emit(PRODUCTS[fn], e.inputs, {"transpose": swapped, "triangles": triangles}, e.outputs[0])


def kind(x: Any, walk: Walk) -> frozenset[str]:
    """Whether a matrix is a lower or an upper triangle, or both."""
    e = walk.made_by(x, np.linalg.cholesky, choose, from_diagonal, np.add, np.subtract, np.negative, np.transpose)
    n = len(x.shape)
    if e is None or n < 2:
        return NEITHER
    fn, settings, rows, columns = e.rule.fn, e.settings, n - 2, n - 1
    if fn is np.linalg.cholesky:
        return frozenset(("upper" if settings.get("upper") else "lower",))
    if fn is from_diagonal:
        axes = {settings["axis1"] % n, settings["axis2"] % n}
        return BOTH if axes == {rows, columns} and not settings["offset"] else NEITHER
    if fn is choose:
        return zeros_of(*e.inputs)
    if fn is np.transpose:
        turned = [*settings["axes"]] == [*range(rows), columns, rows]
        return frozenset(OTHER[k] for k in kind(e.inputs[0], walk)) if turned else NEITHER
    return frozenset.intersection(
        *(kind(v, walk) if type(v) is Var and v.shape == x.shape else NEITHER for v in e.inputs)
    )


def zeros_of(mask: Any, x: Any, y: Any) -> frozenset[str]:
    """The triangles beside which ``choose(mask, x, y)`` is 0."""
    if type(mask) is not np.ndarray or mask.ndim < 2 or 0 not in (number(x), number(y)):
        return NEITHER
    kept = mask if number(y) == 0 else ~mask
    beside = {"lower": np.triu(kept, 1), "upper": np.tril(kept, -1)}
    return frozenset(name for name, other in beside.items() if not np.any(other))

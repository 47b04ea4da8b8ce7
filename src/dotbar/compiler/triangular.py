"""Systems with a triangle that is known to be one need no elimination; what is known to be 0 is left out.

::

    b: f64[9, 3, 3] = linalg.cholesky a                    b: f64[9, 3, 3] = linalg.cholesky a
    c, p = lu_factor b                              →      x: f64[9, 3, 1] = solve_triangular b y
    x: f64[9, 3, 1] = lu_solve b y c p

    c: f64[99, 9] = matmul b x                      →      c: f64[99, 9] = matmul b x  triangles=("lower", "")

    y: f64[999, 999] = solve_triangular b d         →      y: f64[999, 999] = solve_triangular b d  part="triangle"
    z: f64[999, 999] = transpose y                  →      z: f64[999, 999] = transpose y
    x: f64[999, 999] = solve_triangular b z                x: f64[999, 999] = solve_triangular b z  part="symmetric"

Triangles are Cholesky's factors, what ``np.tril`` and ``np.triu`` leave, diagonals such as d, their entrywise products,
sums and transposes, and T⁻¹B for triangles T and B of the same side.  Symmetric is T⁻¹ D T⁻ᵀ for a diagonal D.
"""

from typing import Any

import numpy as np

from dotbar.compiler.products import PRODUCTS, factors_of, swaps
from dotbar.compiler.rewriting import Walk, number, reassociated
from dotbar.core import RULES, Rule
from dotbar.program import Equation, Var
from dotbar.rules.lapack_words import lu_solve, solve_triangular
from dotbar.rules.linalg import from_diagonal
from dotbar.rules.shapes import choose

__all__ = ["SYSTEM"]

LEAST = 32
"""The order from which the zeros of a triangle are worth leaving out."""

DEEP = 8
"""Operations through which triangles are followed."""

OTHER = {"lower": "upper", "upper": "lower"}
NEITHER, BOTH = frozenset[str](), frozenset(OTHER)


class System(Rule):
    """``solve_triangular(T, B, part="triangle")``: a system with a solution known to be a triangle, or "symmetric"."""

    kind = "system"
    name = "solve_triangular"

    def __init__(self) -> None:
        super().__init__(self.call, ("T", "B"), ("lower", "adjoint", "part"))
        self.name = RULES[solve_triangular].name

    def call(self, T: Any, B: Any, *, lower: bool = True, adjoint: bool = False, part: str) -> Any:
        """The solution."""
        return solve_triangular(T, B, lower=lower, adjoint=adjoint)


SYSTEM = System()


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


@reassociated(solve_triangular)
def _part_of_system(e: Equation, walk: Walk) -> Any:
    """A system of which only a part is computed."""
    T, B = e.inputs
    if B.shape[-1] != B.shape[-2] or B.shape[-1] < LEAST or B.dtype.kind != "f" or T.dtype != B.dtype:
        return None
    part = "triangle" if side(e) in kind(B, walk) else "symmetric" if _is_congruence(e, walk) else ""
    return walk.emit(SYSTEM, e.inputs, {**e.settings, "part": part}, e.outputs[0]) if part else None


def side(e: Equation) -> str:
    """Which triangle is that of a system."""
    return "lower" if e.settings.get("lower", True) != e.settings.get("adjoint", False) else "upper"


def _is_congruence(e: Equation, walk: Walk) -> bool:
    """Whether a system T X = (T⁻¹ D)ᵀ is of a diagonal D."""
    T, B = e.inputs
    turned = walk.made_by(B, np.transpose)
    inner = walk.made_by(turned.inputs[0], SYSTEM.fn) if turned is not None and swaps(turned) else None
    same = inner is not None and inner.inputs[0] is T and side(inner) == side(e)
    return same and inner is not None and kind(inner.inputs[1], walk) == BOTH


TRIANGULAR = (np.linalg.cholesky, choose, from_diagonal, np.add, np.subtract, np.multiply, np.negative, np.transpose)


def kind(x: Any, walk: Walk, deep: int = DEEP) -> frozenset[str]:
    """Whether a matrix is a lower or an upper triangle, or both."""
    e = walk.made_by(x, *TRIANGULAR, SYSTEM.fn)
    n = len(x.shape)
    if e is None or n < 2 or not deep:
        return NEITHER
    fn, settings, rows, columns = e.rule.fn, e.settings, n - 2, n - 1
    if fn is np.linalg.cholesky:
        return frozenset(("upper" if settings.get("upper") else "lower",))
    if fn is from_diagonal:
        axes = {settings["axis1"] % n, settings["axis2"] % n}
        return BOTH if axes == {rows, columns} and not settings["offset"] else NEITHER
    if fn is SYSTEM.fn:
        return frozenset((side(e),)) if settings["part"] == "triangle" else NEITHER
    if fn is np.transpose:
        return frozenset(OTHER[k] for k in kind(e.inputs[0], walk, deep - 1)) if swaps(e) else NEITHER
    kinds = [kind(v, walk, deep - 1) if type(v) is Var and v.shape == x.shape else NEITHER for v in e.inputs]
    if fn is choose:
        return zeros_of(*e.inputs).union(*kinds if 0 in map(number, e.inputs[1:]) else ())
    return frozenset.union(*kinds) if fn is np.multiply else frozenset.intersection(*kinds)


def zeros_of(mask: Any, x: Any, y: Any) -> frozenset[str]:
    """The triangles beside which ``choose(mask, x, y)`` is 0."""
    if type(mask) is not np.ndarray or mask.ndim < 2 or 0 not in (number(x), number(y)):
        return NEITHER
    kept = mask if number(y) == 0 else ~mask
    beside = {"lower": np.triu(kept, 1), "upper": np.tril(kept, -1)}
    return frozenset(name for name, other in beside.items() if not np.any(other))

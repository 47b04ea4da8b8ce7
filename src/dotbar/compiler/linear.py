"""Linear functions: signs and numbers go outward, where they meet others, or to the smallest factor.

::

    c: f64[9] = negative b                              d: f64[3, 3] = reshape_to b  shape=(3, 3)
    d: f64[3, 3] = reshape_to c  shape=(3, 3)    →      f: f64[3, 3] = subtract e d
    f: f64[3, 3] = add e d

With ``reassociate``:  f(−x) = −f(x)  and  f(c·x) = c·f(x)  for linear f and a number c, where f(x) has no more entries;
c·(XY) = (c·X)Y where X has fewer entries than the product.
"""

from typing import Any

import numpy as np

from dotbar.compiler.products import ALL
from dotbar.compiler.rewriting import Walk, has_no_axes, is_real, number, reassociated, size_of
from dotbar.program import Equation, Var
from dotbar.rules.lapack_words import lu_solve, solve_triangular
from dotbar.rules.linalg import from_diagonal
from dotbar.rules.products import contract
from dotbar.rules.shapes import reshape_to
from dotbar.rules.words import read

__all__: list[str] = []

PRODUCTS = (*ALL, contract, np.vecdot)
OPERANDS: dict[Any, tuple[int, ...]] = {
    **dict.fromkeys((np.transpose, reshape_to, read, np.diagonal, from_diagonal, np.diff, np.cumsum), (0,)),
    **dict.fromkeys((lu_solve, solve_triangular), (1,)),
    **dict.fromkeys(PRODUCTS, (0, 1)),
}
"""In which operands a function is linear."""


@reassociated(*OPERANDS, after=(np.negative, np.multiply, np.divide))
def _of_multiple(e: Equation, walk: Walk) -> Any:
    """f(−x) = −f(x), f(c·x) = c·f(x) and f(x/c) = f(x)/c."""
    y = e.outputs[0]
    for k in OPERANDS[e.rule.fn]:
        x = e.inputs[k]
        found = walk.made_by(x, np.negative, np.multiply, np.divide)
        if found is None or not is_real(found) or x.dtype != y.dtype:
            continue
        shrinks, alone = size_of(y) <= size_of(x), walk.inner(x) is not None
        inside, *scale = found.inputs
        if type(inside) is not Var or inside.shape != x.shape:
            continue
        if (shrinks or alone) if not scale else (shrinks and alone and has_no_axes(scale[0])):
            inputs = [inside if i == k else v for i, v in enumerate(e.inputs)]
            return walk.emit(found.rule, (walk.emit(e.rule, inputs, e.settings, y), *scale), {}, y)
    return None


@reassociated(np.multiply, after=(*PRODUCTS,))
def _into_smaller(e: Equation, walk: Walk) -> Any:
    """c·(XY) = (c·X)Y, for a number c and the smaller factor X."""
    found, y = walk.inner(e.inputs[0], *PRODUCTS), e.outputs[0]
    if found is None or number(e.inputs[1]) is None or len(found.inputs) != 2 or not is_real(found):
        return None
    k = min((0, 1), key=lambda k: size_of(found.inputs[k]))
    X = found.inputs[k]
    if size_of(X) >= size_of(y):
        return None
    X = walk.emit(np.multiply, (X, e.inputs[1]), {}, (X.shape, y.dtype))
    return walk.emit(found.rule, [X if i == k else v for i, v in enumerate(found.inputs)], found.settings, y)

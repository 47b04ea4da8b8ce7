"""Products of matrices: transposes are read by the product, scaling is not a product.

::

    c: f64[5, 3] = transpose a                          e: f64[4, 5] = matmul b a  transpose=(True, False)
    d: f64[5, 4] = matmul c b                           g: f64[3, 5] = multiply h x
    e: f64[4, 5] = transpose d                   →
    f: f64[5, 5] = from_diagonal x
    g: f64[3, 5] = matmul h f

With ``reassociate``:  (AB)ᵀ = BᵀAᵀ;  AX + BX = (A + B)X;  A diag(x) = (Aᵢⱼ xⱼ);  a column times a row is entrywise.
"""

from typing import Any

import numpy as np

from dotbar.compiler.moves import axes_of_transpose
from dotbar.compiler.rewriting import Walk, is_real, of, reassociated, reshaped
from dotbar.core import Rule
from dotbar.program import Equation, Var
from dotbar.rules.linalg import from_diagonal
from dotbar.rules.products import matvec
from dotbar.rules.words import mT

__all__ = ["ALL", "PRODUCTS", "Product", "factors_of", "product", "swaps"]


class Product(Rule):
    """``matmul(a, b, transpose=(True, False))``: a product of matrices of which some are to be read transposed.

    Beside ``triangles``, "lower" or "upper" for each factor as it is read, they are known to be 0.
    """

    kind = "product"
    name = "product"

    def __init__(self, fn: Any, matrices: tuple[bool, ...]):
        super().__init__(self.call, ("a", "b"), ("transpose", "triangles"))
        self.of = fn
        self.name = fn.__name__
        self.matrices = matrices

    def call(self, *xs: Any, transpose: tuple[bool, ...], triangles: tuple[str, ...] = ()) -> Any:
        """The product."""
        return self.of(*[mT(x) if t else x for x, t in zip(xs, transpose)])


WIDE = 32
"""The rows and columns of a factor for which another is worth adding to a transpose."""

PRODUCTS = {np.matmul: Product(np.matmul, (True, True)), matvec: Product(matvec, (True, False))}


@of(*PRODUCTS, after=(np.transpose,))
def _transposed_product(e: Equation, walk: Walk) -> Any:
    """Transposes of the factors of a product become flags."""
    matrices = PRODUCTS[e.rule.fn].matrices
    found = [walk.made_by(x, np.transpose) if m else None for x, m in zip(e.inputs, matrices)]
    swapped = tuple(t is not None and swaps(t) for t in found)
    if not any(swapped):
        return None
    inputs = [t.inputs[0] if s and t else x for x, t, s in zip(e.inputs, found, swapped)]
    return walk.emit(PRODUCTS[e.rule.fn], inputs, {"transpose": swapped}, e.outputs[0])


def swaps(e: Equation) -> bool:
    """Whether a transpose swaps the last two axes."""
    n = len(e.outputs[0].shape)
    return n > 1 and axes_of_transpose(e) == (*range(n - 2), n - 1, n - 2)


@reassociated(np.matmul)
def _outer(e: Equation, walk: Walk) -> Any:
    """A column times a row, entry by entry."""
    a, b = e.inputs
    if not is_real(e) or min(len(a.shape), len(b.shape)) < 2 or a.shape[-1] != 1:
        return None
    return walk.emit(np.multiply, (a, b), {}, e.outputs[0])


def factors_of(e: Equation) -> tuple[Any, tuple[bool, bool]]:
    """The function of a product and which of its factors it reads transposed."""
    return (e.rule.of, e.settings["transpose"]) if isinstance(e.rule, Product) else (e.rule.fn, (False, False))


def product(fn: Any, inputs: Any, transpose: tuple[bool, bool], y: Any, walk: Walk) -> Any:
    """A product of factors of which some are transposed."""
    if any(transpose):
        return walk.emit(PRODUCTS[fn], inputs, {"transpose": transpose}, y)
    return walk.emit(fn, inputs, {}, y)


ALL = (*PRODUCTS, *(p.fn for p in PRODUCTS.values()))


@reassociated(np.transpose, after=(*ALL,))
def _product_transposed(e: Equation, walk: Walk) -> Any:
    """(AB)ᵀ = BᵀAᵀ."""
    found = walk.inner(e.inputs[0], *ALL)
    if found is None or not swaps(e):
        return None
    fn, (a, b) = factors_of(found)
    if fn is not np.matmul or min(len(x.shape) for x in found.inputs) < 2:
        return None
    return product(fn, found.inputs[::-1], (not b, not a), e.outputs[0], walk)


@reassociated(*ALL, after=(from_diagonal,))
def _scaled(e: Equation, walk: Walk) -> Any:
    """A diag(x) = (Aᵢⱼ xⱼ) and diag(x) A = (xᵢ Aᵢⱼ)."""
    fn, (a, b) = factors_of(e)
    if fn is not np.matmul or not is_real(e) or min(len(x.shape) for x in e.inputs) < 2:
        return None
    y = e.outputs[0]
    for k, other in ((1, a), (0, b)):
        found = walk.made_by(e.inputs[k], from_diagonal)
        A = e.inputs[1 - k]
        if found is None or not _is_square(found) or type(A) is not Var:
            continue
        x = found.inputs[0]
        if other:
            A = _transposed(A, walk)
        x = reshaped(x, (*x.shape[:-1], 1, x.shape[-1]) if k else (*x.shape, 1), walk)
        return walk.emit(np.multiply, (A, x), {}, y)
    return None


@reassociated(np.add, np.subtract, after=(*ALL,))
def _sum_of_products(e: Equation, walk: Walk) -> Any:
    """AX ± BX = (A ± B)X and XA ± XB = X(A ± B), for arrays A and B of one shape.

    A sum of a matrix and a transpose is worth it for a large X.
    """
    left, right = (walk.inner(x, *ALL) for x in e.inputs)
    if left is None or right is None or not (is_real(e) and is_real(left) and is_real(right)):
        return None
    (fn, flips), (other, flops) = factors_of(left), factors_of(right)
    if fn is not other:
        return None
    for k in (1, 0):
        A, B, X = left.inputs[1 - k], right.inputs[1 - k], left.inputs[k]
        if X is not right.inputs[k] or flips[k] != flops[k] or type(A) is not Var or type(B) is not Var:
            continue
        flip = flips[1 - k] and flops[1 - k]
        if flips[1 - k] != flops[1 - k]:
            if fn is not np.matmul or min(X.shape[-2:]) < WIDE:
                continue
            A, B = (_transposed(V, walk) if f[1 - k] else V for V, f in ((A, flips), (B, flops)))
        if A.shape == B.shape and left.outputs[0].shape == right.outputs[0].shape:
            total = walk.emit(e.rule, (A, B), {}, A)
            transpose = (flip, flips[1]) if k else (flips[0], flip)
            return product(fn, (total, X) if k else (X, total), transpose, e.outputs[0], walk)
    return None


def _transposed(A: Var, walk: Walk) -> Var:
    """The transpose of the last two axes."""
    n = len(A.shape)
    shape = (*A.shape[:-2], A.shape[-1], A.shape[-2])
    return walk.emit(np.transpose, (A,), {"axes": (*range(n - 2), n - 1, n - 2)}, (shape, A.dtype))


def _is_square(e: Equation) -> bool:
    """Whether ``from_diagonal`` puts a vector, or each of several, on the main diagonal of square matrices."""
    s, n = e.settings, len(e.outputs[0].shape)
    return s["offset"] == 0 and {s["axis1"] % n, s["axis2"] % n} == {n - 1, n - 2} and len(set(s["shape"][-2:])) == 1

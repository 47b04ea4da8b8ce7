"""Symmetric arrays: their transposes are themselves.

::

    b: f64[9, 9] = transpose a                          b: f64[9, 9] = transpose a
    c: f64[9, 9] = add a b                              c: f64[9, 9] = add a b
    d: f64[9, 9] = transpose c                   →      return c, c
    return c, d

Symmetric are, entry by entry, functions of symmetric arrays, x + xᵀ, x ⊙ xᵀ and even functions of x − xᵀ, as of the
distances of all pairs;  their sums along other axes;  with rounding X Xᵀ.  A row and a column of the same vector are
each other's transposes.
"""

from typing import Any

import numpy as np

from dotbar.compiler.moves import axes_of_transpose
from dotbar.compiler.products import ALL, PRODUCTS, factors_of, product
from dotbar.compiler.rewriting import Walk, has_no_axes, is_entrywise, is_splat, reassociated
from dotbar.compiler.triangular import SYSTEM
from dotbar.program import Equation, Var
from dotbar.rules.shapes import reshape_to

__all__: list[str] = []

DEEP = 8  # operations through which symmetry is followed
EVEN = (np.square, np.absolute, np.cos, np.cosh)
COMMUTATIVE = (np.add, np.multiply, np.maximum, np.minimum, np.logaddexp)
LARGEST = 1 << 16  # entries of a constant that is compared with its transpose

Axes = tuple[int, ...]


@reassociated(np.transpose)
def _transpose_of_symmetric(e: Equation, walk: Walk) -> Any:
    """Xᵀ = X."""
    axes, x = axes_of_transpose(e), e.inputs[0]
    return x if x.shape == e.outputs[0].shape and _is_symmetric(x, axes, walk, DEEP) else None


@reassociated(*(p.fn for p in PRODUCTS.values()))
def _product_of_symmetric(e: Equation, walk: Walk) -> Any:
    """XᵀY = XY."""
    fn, flips = factors_of(e)
    kept = [flip and not _is_symmetric_matrix(x, walk) for x, flip in zip(e.inputs, flips)]
    return None if kept == list(flips) else product(fn, e.inputs, (kept[0], kept[1]), e.outputs[0], walk)


def _is_symmetric_matrix(x: Any, walk: Walk) -> bool:
    n = len(x.shape)
    return x.shape[-2:-1] == x.shape[-1:] and _is_symmetric(x, (*range(n - 2), n - 1, n - 2), walk, DEEP)


def _is_symmetric(x: Any, axes: Axes, walk: Walk, deep: int) -> bool:
    """Whether an array is known to be its own transpose by some axes, which exchanges pairs of them."""
    if has_no_axes(x) or is_splat(x):
        return True
    if len(x.shape) != len(axes) or tuple(x.shape[a] for a in axes) != x.shape or not deep:
        return False
    if type(x) is not Var:
        return x.size <= LARGEST and np.array_equal(x, x.transpose(axes))
    found = walk.made_by(x)
    if found is None:
        return False
    fn, inputs = found.rule.fn, found.inputs
    if fn is np.sum:
        return _is_symmetric(inputs[0], _axes_before(found, axes), walk, deep - 1)
    if fn in ALL:
        return _is_gram(found, axes, walk)
    if fn is SYSTEM.fn:
        return found.settings["part"] == "symmetric" and axes == (*range(len(axes) - 2), len(axes) - 1, len(axes) - 2)
    if not is_entrywise(found):
        return False
    pair = found if fn in COMMUTATIVE else walk.made_by(inputs[0], np.subtract) if fn in EVEN else None
    if pair is not None and _are_transposes(pair.inputs[0], pair.inputs[1], axes, walk):
        return True
    return all(_is_symmetric(v, axes, walk, deep - 1) for v in inputs)


def _axes_before(e: Equation, axes: Axes) -> Axes:
    """The axes of an array whose sum is to be transposed by some."""
    summed = e.settings["axis"]
    n = len(e.inputs[0].shape)
    kept = list(range(n)) if e.settings.get("keepdims") else [k for k in range(n) if k not in summed]
    place = {k: kept[a] for k, a in zip(kept, axes)}
    return tuple([place.get(k, k) for k in range(n)])


def _is_gram(e: Equation, axes: Axes, walk: Walk) -> bool:
    """Whether a product is X Xᵀ or Xᵀ X, or that of multiples of X."""

    def base(x: Any) -> Any:
        found = walk.made_by(x, np.multiply)
        return found.inputs[0] if found is not None and has_no_axes(found.inputs[1]) else x

    n, (fn, flips) = len(axes), factors_of(e)
    X, Y = map(base, e.inputs)
    return fn is np.matmul and X is Y and flips[0] != flips[1] and axes == (*range(n - 2), n - 1, n - 2)


def _are_transposes(a: Any, b: Any, axes: Axes, walk: Walk) -> bool:
    """Whether of two arrays each is known to be the transpose of the other."""
    for x, y in ((a, b), (b, a)):
        found = walk.made_by(y, np.transpose)
        if found is not None and found.inputs[0] is x and axes_of_transpose(found) == axes:
            return True
    (base, shape), (other, turned) = (_flat(x, len(axes), walk) for x in (a, b))
    long = [k for k in axes if shape[k] > 1]
    return base is other and turned == tuple(shape[k] for k in axes) and long == sorted(long)


def _flat(x: Any, n: int, walk: Walk) -> tuple[Any, Axes]:
    """What an operand holds in C's order, and its shape among n axes."""
    found, shape = walk.made_by(x, reshape_to), np.shape(x) if type(x) is not Var else x.shape
    plain = found is not None and found.settings.get("order", "C") == "C"
    return found.inputs[0] if found is not None and plain else x, (1,) * (n - len(shape)) + shape

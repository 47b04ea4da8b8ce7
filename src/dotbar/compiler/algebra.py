"""Algebra: identities that hold for every float, and, if sums may be reassociated, sums before products.

::

    c: f64[9] = negative b                                 c: f64[9] = negative b
    d: f64[9] = multiply <1.0: f64[9]> c                   e: f64[9] = subtract a b
    e: f64[9] = add a d                               →    g: f64[3, 5] = matmul h i  transpose=(True, False)
    f: f64[3, 9] = transpose h  axes=[1, 0]
    g: f64[3, 5] = matmul f i

Exact are: x·1, x/1, x·(−1) = −x, x − 0, x + (−0), −(−x), x + (−y) = x − y, (−x)·y = −(x·y), x/2ᵏ = x·2⁻ᵏ, powers 1
and 2 (which NumPy computes so), copies, transposes and reshapes of each other, choices on the same condition,
broadcasts inside operations that broadcast by themselves.  x·0 stays, as NaN·0 is NaN; so does x + 0, as −0 + 0 is 0.

With ``reassociate`` also, for real x:  0 + x = x for an array of zeros, as accumulators start from (a zero may keep
its minus sign);  Σ(−x) = −Σx;  Σ(u·x) = u·Σx and Σ(x/u) = (Σx)/u where u does not vary along the sum (each may overflow
where the other does not);  Σᵢ(XY)ᵢⱼ = ((Σᵢ Xᵢ) Y)ⱼ;  a product of a column and a row is entrywise.
"""

from collections.abc import Callable
from math import frexp, prod
from typing import Any

import numpy as np

from dotbar.compiler.rewriting import Walk, is_splat, rewrite, splat, uniform
from dotbar.core import Rule
from dotbar.program import Equation, Program, Var
from dotbar.rules.products import matvec
from dotbar.rules.shapes import astype, choose, reshape_to
from dotbar.rules.words import mT, stop_gradient

__all__ = ["Product", "algebra"]


def algebra(program: Program, reassociate: bool = True) -> Program:
    """The Program with simpler equations."""

    def step(equation: Equation, walk: Walk) -> Any:
        fn = equation.rule.fn
        narrow = _without_broadcasts(equation, walk)
        for simpler in EXACT.get(fn, ()):
            y = simpler(narrow, walk)
            if y is not None:
                return y
        if reassociate:
            for simpler in REASSOCIATED.get(fn, ()):
                y = simpler(narrow, walk)
                if y is not None:
                    return y
        return None if narrow is equation else walk.emit(narrow.rule, narrow.inputs, narrow.settings, narrow.outputs[0])

    return rewrite(program, step)


Simpler = Callable[[Equation, Walk], Any]
EXACT: dict[Any, list[Simpler]] = {}
REASSOCIATED: dict[Any, list[Simpler]] = {}


def of(*fns: Any, table: dict[Any, list[Simpler]] = EXACT) -> Callable[[Simpler], Simpler]:
    """Register a rewrite of calls of these functions."""

    def register(simpler: Simpler) -> Simpler:
        for fn in fns:
            table.setdefault(fn, []).append(simpler)
        return simpler

    return register


def reassociated(*fns: Any) -> Callable[[Simpler], Simpler]:
    """Register a rewrite that takes sums in another order."""
    return of(*fns, table=REASSOCIATED)


# ---------------------------------------------------------------- types


def _real(equation: Equation) -> bool:
    """Whether an equation is of real floats of one dtype throughout."""
    dtype = equation.outputs[0].dtype
    return dtype.kind == "f" and all(
        x.dtype == dtype for x in equation.inputs if type(x) is Var or type(x) is np.ndarray
    )


def _stretched(x: Any, y: Var, walk: Walk) -> Any:
    """An operand broadcast to the shape of the result whose entries are its own; None if it has another dtype."""
    if type(x) is not Var or x.dtype != y.dtype or x.weak:
        return None
    return x if x.shape == y.shape else walk.emit(np.broadcast_to, (x,), {"shape": y.shape}, y)


def _reshaped(x: Any, shape: tuple[int, ...], walk: Walk) -> Any:
    if x.shape == shape:
        return x
    if is_splat(x):
        return splat(uniform(x), Var(shape, x.dtype))
    return walk.emit(reshape_to, (x,), {"shape": shape, "order": "C"}, (shape, x.dtype))


def _pairs(equation: Equation) -> Any:
    """The operands of a commutative operation, both ways round."""
    a, b = equation.inputs
    return (a, b), (b, a)


# ---------------------------------------------------------------- entrywise


def _without_broadcasts(equation: Equation, walk: Walk) -> Equation:
    """The equation on the operands of broadcasts where it broadcasts them by itself."""
    fn = equation.rule.fn
    if not ((isinstance(fn, np.ufunc) and fn.signature is None) or fn is choose) or len(equation.outputs) != 1:
        return equation
    found = [walk.made_by(x, np.broadcast_to) for x in equation.inputs]
    if not any(found):
        return equation
    inputs = tuple([x if e is None else e.inputs[0] for x, e in zip(equation.inputs, found)])
    if any(type(x) is Var and x.weak for x in inputs):
        return equation
    if np.broadcast_shapes(*(x.shape if type(x) is Var else np.shape(x) for x in inputs)) != equation.outputs[0].shape:
        return equation
    return Equation(equation.rule, inputs, equation.settings, equation.outputs)


@of(np.multiply)
def _times_one(e: Equation, walk: Walk) -> Any:
    """x·1 = x and x·(−1) = −x."""
    if not _real(e):
        return None
    for a, b in _pairs(e):
        c = uniform(a)
        if c is not None and abs(c) == 1 and type(b) is Var:
            x = _stretched(b, e.outputs[0], walk)
            return x if x is None or c == 1 else walk.emit(np.negative, (x,), {}, e.outputs[0])
    return None


@of(np.multiply, np.divide)
def _times_negative(e: Equation, walk: Walk) -> Any:
    """(−x)·y = −(x·y), so that signs meet."""
    if not _real(e):
        return None
    y = e.outputs[0]
    for k, x in enumerate(e.inputs):
        found = walk.made_by(x, np.negative)
        if found is not None and x.shape == y.shape:
            inputs = [found.inputs[0] if i == k else x for i, x in enumerate(e.inputs)]
            return walk.emit(np.negative, (walk.emit(e.rule, inputs, {}, y),), {}, y)
    return None


@of(np.multiply)
def _times_itself(e: Equation, walk: Walk) -> Any:
    """x·x = x²."""
    a, b = e.inputs
    return walk.emit(np.square, (a,), {}, e.outputs[0]) if a is b and type(a) is Var and _real(e) else None


@of(np.divide)
def _over_power_of_two(e: Equation, walk: Walk) -> Any:
    """x/2ᵏ = x·2⁻ᵏ."""
    x, b = e.inputs
    c = uniform(b)
    if c is None or type(x) is not Var or not _real(e):
        return None
    if c == 1:
        return _stretched(x, e.outputs[0], walk)
    if abs(frexp(c)[0]) != 0.5 or not 2.0**-100 <= abs(c) <= 2.0**100:
        return None
    inverse = splat(1 / c, Var(b.shape, b.dtype)) if is_splat(b) else type(b)(1 / c)
    return walk.emit(np.multiply, (x, 1 / c if type(b) is int else inverse), {}, e.outputs[0])


@of(np.add)
def _plus_negative(e: Equation, walk: Walk) -> Any:
    """x + (−y) = x − y, and x + (−0) = x."""
    for a, b in _pairs(e):
        found = walk.made_by(b, np.negative)
        if found is not None:
            return walk.emit(np.subtract, (a, found.inputs[0]), {}, e.outputs[0])
        if _real(e) and uniform(b) == 0 and np.signbit(uniform(b)):
            return _stretched(a, e.outputs[0], walk)
    return None


@of(np.subtract)
def _minus_negative(e: Equation, walk: Walk) -> Any:
    """x − (−y) = x + y, and x − 0 = x."""
    a, b = e.inputs
    found = walk.made_by(b, np.negative)
    if found is not None:
        return walk.emit(np.add, (a, found.inputs[0]), {}, e.outputs[0])
    zero = uniform(b)
    return _stretched(a, e.outputs[0], walk) if zero == 0 and not np.signbit(zero) and _real(e) else None


@of(np.negative)
def _negative_twice(e: Equation, walk: Walk) -> Any:
    """−(−x) = x."""
    found = walk.made_by(e.inputs[0], np.negative)
    return found.inputs[0] if found else None


@of(np.square, np.absolute)
def _of_a_sign(e: Equation, walk: Walk) -> Any:
    """(−x)² = x² and |−x| = |x|; so with |x| for x."""
    found = walk.made_by(e.inputs[0], np.negative, np.absolute)
    return walk.emit(e.rule, found.inputs, {}, e.outputs[0]) if found and _real(e) and _real(found) else None


@of(np.power)
def _small_power(e: Equation, walk: Walk) -> Any:
    """x¹ = x and x² = x·x."""
    x, exponent = e.inputs
    p = uniform(exponent)
    if not _real(e) or type(x) is not Var or x.shape != e.outputs[0].shape:
        return None
    return x if p == 1 else walk.emit(np.square, (x,), {}, e.outputs[0]) if p == 2 else None


@of(np.maximum, np.minimum)
def _extremum_of_one(e: Equation, walk: Walk) -> Any:
    """max(x, x) = x."""
    a, b = e.inputs
    return a if a is b else None


@of(np.copy, np.positive, stop_gradient)
def _itself(e: Equation, walk: Walk) -> Any:
    """A value of a Program never changes: a copy is the value."""
    return e.inputs[0]


@of(np.conjugate, np.real)
def _real_part_of_real(e: Equation, walk: Walk) -> Any:
    return e.inputs[0] if e.inputs[0].dtype.kind == "f" else None


@of(astype)
def _same_dtype(e: Equation, walk: Walk) -> Any:
    return e.inputs[0] if e.inputs[0].dtype == e.outputs[0].dtype else None


@of(choose)
def _choice(e: Equation, walk: Walk) -> Any:
    """A choice between x and x, by a constant, by the condition of an inner choice, by not c."""
    condition, x, y = e.inputs
    z = e.outputs[0]
    if condition is None or not isinstance(condition, (Var, np.ndarray)) or condition.dtype != bool:
        return None
    if (chosen := uniform(condition)) is not None:
        return _stretched(x if chosen else y, z, walk)
    if x is y:
        return _stretched(x, z, walk)
    inner = walk.made_by(x, choose)
    if inner and inner.inputs[0] is condition:
        return _choose(condition, inner.inputs[1], y, z, walk)
    inner = walk.made_by(y, choose)
    if inner and inner.inputs[0] is condition:
        return _choose(condition, x, inner.inputs[2], z, walk)
    negated = walk.made_by(condition, np.logical_not)
    return _choose(negated.inputs[0], y, x, z, walk) if negated and negated.inputs[0].dtype == bool else None


def _choose(condition: Any, x: Any, y: Any, z: Var, walk: Walk) -> Any:
    return walk.emit(choose, (condition, x, y), {}, z) if _shape(condition, x, y) == z.shape else None


def _shape(*xs: Any) -> tuple[int, ...]:
    return np.broadcast_shapes(*(x.shape if type(x) is Var else np.shape(x) for x in xs))


# ---------------------------------------------------------------- shapes


def _axes(e: Equation) -> tuple[int, ...]:
    """Where each axis of a transpose comes from."""
    n, axes = len(e.outputs[0].shape), e.settings.get("axes")
    return tuple(range(n))[::-1] if axes is None else tuple(a % n for a in axes)


@of(np.transpose)
def _transpose(e: Equation, walk: Walk) -> Any:
    """A transpose of a transpose is one transpose or none; of axes of length 1, a reshape."""
    axes, x, y = _axes(e), e.inputs[0], e.outputs[0]
    inner = walk.made_by(x, np.transpose)
    if inner is not None:
        before = _axes(inner)
        return _transposed(inner.inputs[0], tuple(before[a] for a in axes), y, walk)
    long = [a for a in axes if x.shape[a] > 1]
    return _reshaped(x, y.shape, walk) if long == sorted(long) else None


def _transposed(x: Any, axes: tuple[int, ...], y: Var, walk: Walk) -> Any:
    return x if axes == tuple(range(len(axes))) else walk.emit(np.transpose, (x,), {"axes": axes}, y)


@of(reshape_to)
def _reshape(e: Equation, walk: Walk) -> Any:
    """A reshape to the same shape, or of a reshape."""
    x, y = e.inputs[0], e.outputs[0]
    if x.shape == y.shape and len(y.shape) < 2:
        return x
    if e.settings.get("order", "C") != "C":
        return None
    if x.shape == y.shape:
        return x
    inner = walk.made_by(x, reshape_to)
    return _reshaped(inner.inputs[0], y.shape, walk) if inner and inner.settings.get("order", "C") == "C" else None


@of(np.broadcast_to)
def _broadcast(e: Equation, walk: Walk) -> Any:
    """A broadcast to the same shape, or of a broadcast."""
    x, y = e.inputs[0], e.outputs[0]
    if x.shape == y.shape:
        return x
    inner = walk.made_by(x, np.broadcast_to)
    return walk.emit(np.broadcast_to, inner.inputs, {"shape": y.shape}, y) if inner else None


# ---------------------------------------------------------------- products


class Product(Rule):
    """``matmul(a, b, transpose=(True, False))``: a product of matrices of which some are to be read transposed."""

    kind = "product"
    name = "product"

    def __init__(self, fn: Any, matrices: tuple[bool, ...]):
        super().__init__(self.call, ("a", "b"), ("transpose",))
        self.of = fn
        self.name = fn.__name__
        self.matrices = matrices

    def call(self, *xs: Any, transpose: tuple[bool, ...]) -> Any:
        """The product."""
        return self.of(*[mT(x) if t else x for x, t in zip(xs, transpose)])


PRODUCTS = {np.matmul: Product(np.matmul, (True, True)), matvec: Product(matvec, (True, False))}


@of(*PRODUCTS)
def _transposed_product(e: Equation, walk: Walk) -> Any:
    """Transposes of the factors of a product become flags."""
    product = PRODUCTS[e.rule.fn]
    found = [m and len(x.shape) > 1 and _matrix_transpose(x, walk) for x, m in zip(e.inputs, product.matrices)]
    if not any(found):
        return None
    inputs = [t.inputs[0] if t else x for x, t in zip(e.inputs, found)]
    return walk.emit(product, inputs, {"transpose": tuple(map(bool, found))}, e.outputs[0])


def _matrix_transpose(x: Any, walk: Walk) -> Equation | None:
    """The equation that swaps the last two axes to make ``x``, if there is one."""
    found, n = walk.made_by(x, np.transpose), len(x.shape)
    return found if found and _axes(found) == (*range(n - 2), n - 1, n - 2) else None


@reassociated(np.matmul)
def _outer(e: Equation, walk: Walk) -> Any:
    """A column times a row, entry by entry."""
    a, b = e.inputs
    if not _real(e) or min(len(a.shape), len(b.shape)) < 2 or a.shape[-1] != 1:
        return None
    return walk.emit(np.multiply, (a, b), {}, e.outputs[0])


# ---------------------------------------------------------------- sums


@reassociated(np.add)
def _zero_plus(e: Equation, walk: Walk) -> Any:
    """0 + x = x, for an array of zeros."""
    for a, b in _pairs(e):
        if is_splat(a) and uniform(a) == 0 and type(b) is Var:
            return _stretched(b, e.outputs[0], walk)
    return None


def _summed(e: Equation) -> tuple[int, ...] | None:
    """The axes of a plain sum of real floats."""
    if not _real(e) or type(e.inputs[0]) is not Var or set(e.settings) - {"axis", "dtype", "keepdims"}:
        return None
    if e.settings.get("dtype") not in (None, e.outputs[0].dtype):
        return None
    n, axis = len(e.inputs[0].shape), e.settings.get("axis")
    axes = range(n) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % n for a in axes)


def _sum(e: Equation, x: Any, axes: tuple[int, ...], walk: Walk) -> Var:
    """The sum of another array over axes, in the form of an equation."""
    keep = e.settings.get("keepdims", False)
    shape = tuple(1 if k in axes else n for k, n in enumerate(x.shape) if keep or k not in axes)
    return walk.emit(e.rule, (x,), {**e.settings, "axis": axes}, (shape, x.dtype))


@of(np.sum)
def _sum_of_one(e: Equation, walk: Walk) -> Any:
    """The sum over axes of length 1."""
    axes = _summed(e)
    if axes is None or any(e.inputs[0].shape[a] != 1 for a in axes):
        return None
    return _reshaped(e.inputs[0], e.outputs[0].shape, walk) if axes else None


@reassociated(np.sum)
def _sum_of_negative(e: Equation, walk: Walk) -> Any:
    """Σ(−x) = −Σx."""
    found, axes = walk.made_by(e.inputs[0], np.negative), _summed(e)
    if found is None or axes is None:
        return None
    return walk.emit(np.negative, (_sum(e, found.inputs[0], axes, walk),), {}, e.outputs[0])


@reassociated(np.sum)
def _sum_of_product(e: Equation, walk: Walk) -> Any:
    """Σ(u·x) = u·Σx and Σ(x/u) = (Σx)/u where u does not vary along the sum."""
    found, axes = walk.made_by(e.inputs[0], np.multiply, np.divide), _summed(e)
    if found is None or axes is None or not axes or not _real(found):
        return None
    whole = e.inputs[0].shape
    for k in (0, 1) if found.rule.fn is np.multiply else (1,):
        u, x = found.inputs[k], found.inputs[1 - k]
        if type(x) is Var and x.shape == whole and (u_sum := _along(u, len(whole), axes, e, walk)) is not None:
            terms = (u_sum, _sum(e, x, axes, walk))
            return walk.emit(found.rule, terms[::-1] if k else terms, {}, e.outputs[0])
    return None


def _along(u: Any, n: int, axes: tuple[int, ...], e: Equation, walk: Walk) -> Any:
    """The factor ``u`` beside the sum over axes, out of n, along which it does not vary; None if it does."""
    if type(u) is not Var and not is_splat(u):
        return u if isinstance(u, (float, int, np.generic)) else None
    if is_splat(u):
        return splat(uniform(u), Var((), u.dtype))
    shape = (1,) * (n - len(u.shape)) + u.shape
    if any(shape[a] != 1 for a in axes):
        return None
    if prod(shape) == 1 and u.weak:
        return u
    kept = e.settings.get("keepdims", False)
    return _reshaped(u, tuple(m for k, m in enumerate(shape) if kept or k not in axes), walk)


@reassociated(np.sum)
def _sum_of_broadcast(e: Equation, walk: Walk) -> Any:
    """Σ of an array that is broadcast along the sum: it, times the number of terms."""
    found, axes = walk.made_by(e.inputs[0], np.broadcast_to), _summed(e)
    if found is None or axes is None or not axes or found.inputs[0].weak:
        return None
    x, whole = found.inputs[0], e.inputs[0].shape
    shape = (1,) * (len(whole) - len(x.shape)) + x.shape
    stretched = tuple(a for a in axes if shape[a] == 1)
    if not stretched:
        return None
    x = _reshaped(x, shape, walk)
    count = prod(whole[a] for a in stretched)
    small = tuple(1 if a in stretched else n for a, n in enumerate(whole))
    if shape != small:
        x = walk.emit(np.broadcast_to, (x,), {"shape": small}, (small, x.dtype))
    y = e.outputs[0]
    return walk.emit(np.multiply, (_sum(e, x, axes, walk), float(count)), {}, y)


@reassociated(np.sum)
def _sum_of_matmul(e: Equation, walk: Walk) -> Any:
    """Σᵢ(XY)ᵢⱼ = ((Σᵢ Xᵢ) Y)ⱼ and Σⱼ(XY)ᵢⱼ = (X (Σⱼ Yⱼ))ᵢ, for two matrices."""
    found, axes = walk.made_by(e.inputs[0], np.matmul), _summed(e)
    if found is None or axes is None or not axes or any(len(x.shape) != 2 for x in found.inputs) or not _real(found):
        return None
    X, Y = found.inputs
    total = Equation(e.rule, (), {**e.settings, "keepdims": True}, ())
    if 0 in axes:
        X = _sum(total, X, (0,), walk)
    if 1 in axes:
        Y = _sum(total, Y, (1,), walk)
    Z = walk.emit(found.rule, (X, Y), found.settings, ((X.shape[0], Y.shape[1]), e.outputs[0].dtype))
    return _reshaped(Z, e.outputs[0].shape, walk)

"""Factors: those that vary less are multiplied first, numbers with numbers.

::

    c: f64[9] = multiply a s                            d: f64[9] = multiply a b
    d: f64[9] = multiply c b                            t: f64[] = multiply s 2.0
    e: f64[9] = multiply d 2.0                   →      e: f64[9] = multiply d t
    f: f64[9] = divide 1 g                              h: f64[9] = divide e g
    h: f64[9] = multiply e f

Exact are  x + x = 2x,  −(c·x) = (−c)·x,  −(x/c) = x/(−c).  With ``reassociate`` the others, for factors that nothing
else reads (a product of fewer entries may overflow where theirs did not):  (a·s)·b = (a·b)·s and (a·b)·s = a·(b·s) if s
is of fewer entries than the product;  numbers as one;  a·(1/b) = a/b;  a·s + b·s = (a + b)·s.
"""

from typing import Any

import numpy as np

from dotbar.compiler.rewriting import (
    CONSTANT,
    Walk,
    has_no_axes,
    is_real,
    number,
    of,
    pairs,
    reassociated,
    shape_of_all,
    size_of,
)
from dotbar.program import Equation, Var

__all__: list[str] = []

MODERATE = 2.0**-100, 2.0**100


# ---------------------------------------------------------------- exact


@of(np.multiply)
def _number_last(e: Equation, walk: Walk) -> Any:
    """c·x = x·c for a number c, of the dtype of x, or a variable without axes."""
    a, b = e.inputs
    y = e.outputs[0]
    if type(b) is Var and (_is_number(a) or (b.shape and has_no_axes(a))) and is_real(e):
        return walk.emit(np.multiply, (b, _cast(a, y) if _is_number(a) else a), {}, y)
    return walk.emit(np.multiply, (a, _cast(b, y)), {}, y) if type(b) in (int, float) and is_real(e) else None


@of(np.add)
def _twice(e: Equation, walk: Walk) -> Any:
    """x + x = 2x."""
    a, b = e.inputs
    y = e.outputs[0]
    return walk.emit(np.multiply, (a, y.dtype.type(2)), {}, y) if a is b and type(a) is Var and is_real(e) else None


@of(np.negative, after=(np.multiply, np.divide))
def _negative_number(e: Equation, walk: Walk) -> Any:
    """−(c·x) = (−c)·x,  −(x/c) = x/(−c) and −(c/x) = (−c)/x."""
    found = walk.inner(e.inputs[0], np.multiply, np.divide)
    if found is None or not is_real(found) or not any(map(_is_number, found.inputs)):
        return None
    inputs = [-_cast(x, e.outputs[0]) if _is_number(x) else x for x in found.inputs]
    return walk.emit(found.rule, inputs, {}, e.outputs[0])


def _is_number(x: Any) -> bool:
    return number(x) is not None


def _cast(x: Any, y: Var) -> Any:
    return y.dtype.type(number(x))


# ---------------------------------------------------------------- but for rounding


@reassociated(np.multiply, np.divide, after=(CONSTANT,))
def _numbers_as_one(e: Equation, walk: Walk) -> Any:
    """(x·c)·d = x·(cd),  (x/c)·d = x·(d/c),  (x·c)/d = x·(c/d),  (c/x)·d = (cd)/x."""
    x, d = e.inputs
    y = e.outputs[0]
    found = walk.made_by(x, np.multiply, np.divide)
    if found is None or not (_is_number(d) and is_real(e) and is_real(found)):
        return None
    inner = found.rule.fn is np.multiply
    k = 1 if _is_number(found.inputs[1]) else 0
    c, x = found.inputs[k], found.inputs[1 - k]
    if not _is_number(c) or x.shape != y.shape or not (_moderate(c) and _moderate(d)):
        return None
    c, d = _cast(c, y), _cast(d, y)
    if not inner and k == 0:
        return walk.emit(np.divide, (c * d if e.rule.fn is np.multiply else c / d, x), {}, y)
    factor = (c if inner else 1 / c) * d if e.rule.fn is np.multiply else c / d if inner else 1 / (c * d)
    return walk.emit(np.multiply, (x, factor), {}, y)


def _moderate(c: Any) -> bool:
    return MODERATE[0] < abs(number(c)) < MODERATE[1]


@reassociated(np.multiply, np.divide, after=(np.multiply, np.divide))
def _less_varying_last(e: Equation, walk: Walk) -> Any:
    """(a·s)·b = (a·b)·s,  (a/s)·b = (a·b)/s,  (a·s)/b = (a/b)·s, where s has fewer entries than the result."""
    y = e.outputs[0]
    if not is_real(e):
        return None
    size = size_of(y)
    for (ab, b), swapped in zip(pairs(e), (False, True)):
        if swapped and e.rule.fn is np.divide:
            break
        found = walk.inner(ab, np.multiply, np.divide)
        if found is None or size_of(b) != size or not is_real(found):
            continue
        a, s = found.inputs
        if found.rule.fn is np.multiply and size_of(a) < size_of(s):
            a, s = s, a
        if type(a) is Var and size_of(s) < size == size_of(a):
            both = walk.emit(e.rule, (a, b), {}, (shape_of_all(a, b), y.dtype))
            return walk.emit(found.rule, (both, s), {}, y)
    return None


@reassociated(np.multiply, after=(np.multiply,))
def _less_varying_together(e: Equation, walk: Walk) -> Any:
    """(a·s)·t = a·(s·t), where s·t has fewer entries than a·s."""
    y = e.outputs[0]
    for product, t in pairs(e):
        found = walk.inner(product, np.multiply)
        if found is None or not (is_real(e) and is_real(found)) or size_of(t) >= size_of(product):
            continue
        for a, s in pairs(found):
            if type(a) is Var and not (_is_number(s) and _is_number(t)):
                both = Var(shape_of_all(s, t), y.dtype)
                if size_of(both) < size_of(product):
                    return walk.emit(np.multiply, (a, walk.emit(np.multiply, (s, t), {}, both)), {}, y)
    return None


@reassociated(np.multiply, after=(np.divide,))
def _times_reciprocal(e: Equation, walk: Walk) -> Any:
    """a·(1/b) = a/b, of as many entries as b."""
    y = e.outputs[0]
    for a, r in pairs(e):
        found = walk.inner(r, np.divide)
        if found is None or number(found.inputs[0]) != 1 or not (is_real(e) and is_real(found)):
            continue
        b = found.inputs[1]
        if type(b) is Var and b.shape == y.shape:
            return walk.emit(np.divide, (a, b), {}, y)
    return None


@reassociated(np.add, np.subtract, after=(np.multiply,))
def _common_factor(e: Equation, walk: Walk) -> Any:
    """a·s ± b·s = (a ± b)·s."""
    left, right = (walk.inner(x, np.multiply) for x in e.inputs)
    if left is None or right is None or not (is_real(e) and is_real(left) and is_real(right)):
        return None
    y = e.outputs[0]
    for a, s in pairs(left):
        for b, t in pairs(right):
            if s is t or (_is_number(s) and _is_number(t) and number(s) == number(t)):
                shape = shape_of_all(a, b)
                total = walk.emit(e.rule, (a, b), {}, (shape, y.dtype))
                return walk.emit(np.multiply, (total, s), {}, y)
    return None

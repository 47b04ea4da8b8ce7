"""Choices: a condition that is known is not asked again.

::

    d: bool[9] = bitwise_and c c
    e: f64[9] = choose c a 0                            f: f64[9] = multiply a b
    f: f64[9] = multiply e b                     →      g: f64[9] = choose c f 0
    g: f64[9] = choose d f 0                            return g
    return g

Masks of structural zeros are such choices, one after each step of a sweep.  Where an outer choice takes its first
value, an inner one on the same condition does so too, also inside operations that nothing else reads.
"""

from typing import Any

import numpy as np

from dotbar.compiler.regions import region
from dotbar.compiler.rewriting import Walk, is_entrywise, of, pairs, shape_of_all, stretched, uniform
from dotbar.program import WRITTEN, Equation, Var
from dotbar.rules.shapes import choose

__all__: list[str] = []

DEEP = 6  # operations through which a choice is looked for


# ---------------------------------------------------------------- conditions


@of(np.logical_and, np.bitwise_and, np.logical_or, np.bitwise_or)
def _and_or(e: Equation, walk: Walk) -> Any:
    """c ∧ c = c ∨ c = c,  c ∧ ⊤ = c ∨ ⊥ = c,  c ∧ ⊥ = ⊥,  c ∨ ⊤ = ⊤, for truth values."""
    z = e.outputs[0]
    if any(type(x) is Var and x.dtype != bool for x in e.inputs) or z.dtype != bool:
        return None
    neutral = e.rule.fn in (np.logical_and, np.bitwise_and)
    for a, b in pairs(e):
        known = uniform(b)
        if a is b or (known is not None and bool(known) is neutral):
            return stretched(a, z, walk)
        if known is not None:
            return np.broadcast_to(np.bool_(known), z.shape)
    return None


NOT = (np.logical_not, np.invert)


@of(*NOT, after=NOT)
def _not_not(e: Equation, walk: Walk) -> Any:
    """¬¬c = c."""
    inner = walk.made_by(e.inputs[0], *NOT)
    return inner.inputs[0] if inner and inner.inputs[0].dtype == bool else None


# ---------------------------------------------------------------- choices


@of(choose)
def _choice(e: Equation, walk: Walk) -> Any:
    """A choice by a constant, between x and x, by not c, between values that the condition tells more of."""
    condition, x, y = e.inputs
    z = e.outputs[0]
    if not hasattr(condition, "dtype") or condition.dtype != bool:
        return None
    if (chosen := uniform(condition)) is not None:
        return stretched(x if chosen else y, z, walk)
    if x is y or (is_zero(y) and _vanishes(x, condition, walk)):
        return stretched(x, z, walk)
    negated = walk.made_by(condition, *NOT)
    if negated is not None and negated.inputs[0].dtype == bool:
        return walk.emit(choose, (negated.inputs[0], y, x), {}, z)
    p, q = _given(x, condition, True, walk, DEEP), _given(y, condition, False, walk, DEEP)
    if (p is x and q is y) or shape_of_all(condition, p, q) != z.shape:
        return None
    return walk.emit(choose, (condition, p, q), {}, z)


def _given(x: Any, condition: Any, truth: bool, walk: Walk, deep: int) -> Any:
    """What broadcasts to ``x`` wherever the condition is ``truth``; ``x`` itself if nothing simpler does."""
    if type(x) is np.ndarray and type(condition) is np.ndarray and x.shape == condition.shape:
        chosen = x[condition == truth]
        return chosen[0] if chosen.size and chosen[0].tobytes() * chosen.size == chosen.tobytes() else x
    found = walk.made_by(x) if deep else None
    if found is None:
        return x
    if found.rule.fn is choose:
        if found.inputs[0] is condition:
            inner = found.inputs[1 if truth else 2]
            return _given(inner, condition, truth, walk, deep - 1) if _like(inner, x) else x
    elif walk.uses.get(x, 1) > 1 or not is_entrywise(found):
        return x
    inputs = [_given(v, condition, truth, walk, deep - 1) for v in found.inputs]
    if all(v is w for v, w in zip(inputs, found.inputs)):
        return x
    return walk.emit(found.rule, inputs, {}, (shape_of_all(*inputs), x.dtype))


def _like(x: Any, y: Any) -> bool:
    return type(x) is Var and x.shape == y.shape and x.dtype == y.dtype and not x.weak


@of(np.add, np.subtract, after=(choose,))
def _sum_of_choices(e: Equation, walk: Walk) -> Any:
    """where(c, x, 0) ± where(c, y, 0) = where(c, x ± y, 0)."""
    left, right = (walk.inner(x, choose) for x in e.inputs)
    if left is None or right is None or left.inputs[0] is not right.inputs[0]:
        return None
    (condition, x, p), (_, y, q) = left.inputs, right.inputs
    z = e.outputs[0]
    if not (is_zero(p) and is_zero(q) and _like(x, z) and _like(y, z)):
        return None
    return walk.emit(choose, (condition, walk.emit(e.rule, (x, y), {}, z), p), {}, z)


def is_zero(x: Any) -> bool:
    """Whether an operand is +0 throughout."""
    zero = uniform(x)
    return zero is not None and zero == 0 and not (np.signbit(zero.real) or np.signbit(zero.imag))


def _vanishes(x: Any, condition: Any, walk: Walk) -> bool:
    """Whether it is known that ``x`` is +0 wherever a constant condition is false."""
    if type(condition) is not np.ndarray or type(x) is not Var or x.shape != condition.shape:
        return False
    for _ in range(DEEP):
        found = walk.made_by(x)
        if found is None:
            return False
        if found.rule.fn is np.multiply:
            x, factor = found.inputs if type(found.inputs[0]) is Var else found.inputs[::-1]
            if not 0 < (uniform(factor) or 0) < np.inf or x.shape != condition.shape:
                return False
        elif found.rule is WRITTEN and len(found.inputs) == 2:
            where = region(x.shape, found.settings["path"])
            if where is None or not all(condition.reshape(where.whole)[np.ix_(*where.ranges)].flat):
                return False
            x = found.inputs[0]
            if is_zero(x):
                return True
        else:
            return False
    return False

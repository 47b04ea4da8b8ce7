"""Algebra: identities that hold for every float, and those that hold but for rounding.

::

    c: f64[9] = negative b
    d: f64[9] = multiply <1.0: f64[9]> c        →     e: f64[9] = subtract a b
    e: f64[9] = add a d

The identities stand in modules of their own, registered by the function of the equation they simplify: of entrywise
functions here, of choices in ``selects``, of shapes in ``moves``, of factors in ``factors``, of sums in ``sums``, of
products of matrices in ``products``, of linear functions in ``linear``, of symmetric arrays and triangles in
``symmetry`` and ``triangular``, of their spectra in ``spectra``.

Exact are here: x·1, x/1, x·(−1) = −x, x − 0, x + (−0), −(−x), x + (−y) = x − y, (−x)·y = −(x·y), x/2ᵏ = x·2⁻ᵏ, powers 1
and 2 (which NumPy computes so), copies, broadcasts inside operations that broadcast by themselves.  x·0 stays, as NaN·0
is NaN; so does x + 0, as −0 + 0 is 0.

With ``reassociate`` also, for real x:  0 + x = x and (−x) − y = −(x + y) but for the sign of a zero;  x³ = x²·x.
"""

from collections.abc import Sequence
from functools import cache
from math import frexp
from typing import Any

import numpy as np

from dotbar.compiler import factors, linear, moves, products, selects, spectra, sums, symmetry, triangular
from dotbar.compiler.rewriting import (
    ANY,
    CONSTANT,
    EXACT,
    REASSOCIATED,
    Walk,
    fits,
    is_entrywise,
    is_real,
    is_splat,
    of,
    pairs,
    reassociated,
    rewrite,
    shape_of_all,
    splat,
    stretched,
    uniform,
)
from dotbar.core import Settings
from dotbar.program import Equation, Program, Var
from dotbar.rules.shapes import astype
from dotbar.rules.words import settled, stop_gradient

__all__ = ["algebra", "factors", "linear", "moves", "products", "selects", "spectra", "sums", "symmetry", "triangular"]

DEEP = 8  # emitted equations that are simplified while others are


def algebra(program: Program, reassociate: bool = True) -> Program:
    """The Program with simpler equations."""
    walk = Simplifying(program, reassociate)
    return rewrite(program, lambda equation, _: walk.simpler(equation), walk)


class Simplifying(Walk):
    """A walk that simplifies what it keeps, and what the identities emit in turn."""

    __slots__ = ("depth", "reassociate")

    def __init__(self, program: Program, reassociate: bool):
        super().__init__(program)
        self.reassociate = reassociate
        self.depth = 0

    def simpler(self, equation: Equation) -> Any:
        """What is simpler than an equation; None if nothing is."""
        makers = self.makers(equation)
        fn = equation.rule.fn if equation.rule.fn in KNOWN else None
        plain = equation
        if CONSTANT in makers or np.broadcast_to in makers:
            plain = _plain(equation, self)
            if plain is not equation:
                makers = self.makers(plain)
        for identity in identities(self.reassociate, fn, makers):
            y = identity(plain, self)
            if y is not None:
                return y
        return None if plain is equation else super().emit(plain.rule, plain.inputs, plain.settings, plain.outputs[0])

    def makers(self, equation: Equation) -> tuple[Any, ...]:
        """The function of which each operand comes, as far as identities ask for it."""
        made: list[Any] = []
        for x in equation.inputs:
            if type(x) is Var:
                found = self.definition.get(x)
                made.append(found.rule.fn if found is not None and found.rule.fn in MAKERS else None)
            else:
                made.append(CONSTANT)
        return tuple(made)

    def emit(self, rule: Any, inputs: Sequence[Any], settings: Settings, like: Var | tuple[Any, Any]) -> Any:
        y = super().emit(rule, inputs, settings, like)
        if self.depth == DEEP:
            return y
        equation = self.equations.pop()
        self.depth += 1
        simpler = self.simpler(equation)
        self.depth -= 1
        if simpler is None or not fits(simpler, y):
            self.equations.append(equation)
            return y
        self.replace((y,), (simpler,))
        return simpler


def _plain(equation: Equation, walk: Walk) -> Equation:
    """An entrywise equation on the operands of broadcasts, which it broadcasts by itself, and on numbers for splats."""
    if not is_entrywise(equation):
        return equation
    inputs = tuple([_unstretched(x, walk) for x in equation.inputs])
    if all(x is y for x, y in zip(inputs, equation.inputs)) or shape_of_all(*inputs) != equation.outputs[0].shape:
        return equation
    return Equation(equation.rule, inputs, equation.settings, equation.outputs)


def _unstretched(x: Any, walk: Walk) -> Any:
    if is_splat(x):
        return uniform(x) if x.shape else x[()]
    found = walk.made_by(x, np.broadcast_to)
    return x if found is None or (type(found.inputs[0]) is Var and found.inputs[0].weak) else found.inputs[0]


@of(np.multiply, after=(CONSTANT,))
def _times_one(e: Equation, walk: Walk) -> Any:
    """x·1 = x and x·(−1) = −x."""
    if not is_real(e):
        return None
    for a, b in pairs(e):
        c = uniform(a)
        if c is not None and abs(c) == 1 and type(b) is Var:
            x = stretched(b, e.outputs[0], walk)
            return x if x is None or c == 1 else walk.emit(np.negative, (x,), {}, e.outputs[0])
    return None


@of(np.multiply, np.divide, after=(np.negative,))
def _times_negative(e: Equation, walk: Walk) -> Any:
    """(−x)·y = −(x·y), so that signs meet."""
    if not is_real(e):
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
    return walk.emit(np.square, (a,), {}, e.outputs[0]) if a is b and type(a) is Var and is_real(e) else None


@of(np.divide, after=(CONSTANT,))
def _over_power_of_two(e: Equation, walk: Walk) -> Any:
    """x/2ᵏ = x·2⁻ᵏ."""
    x, b = e.inputs
    c = uniform(b)
    if c is None or type(x) is not Var or not is_real(e):
        return None
    if c == 1:
        return stretched(x, e.outputs[0], walk)
    if abs(frexp(c)[0]) != 0.5 or not 2.0**-100 <= abs(c) <= 2.0**100:
        return None
    inverse = splat(1 / c, Var(b.shape, b.dtype)) if is_splat(b) else type(b)(1 / c)
    return walk.emit(np.multiply, (x, 1 / c if type(b) is int else inverse), {}, e.outputs[0])


@of(np.add, after=(np.negative, np.multiply, np.divide, CONSTANT))
def _plus_negative(e: Equation, walk: Walk) -> Any:
    """x + (−y) = x − y, and x + (−0) = x."""
    for a, b in pairs(e):
        if (opposite := _opposite(b, walk)) is not None:
            return walk.emit(np.subtract, (a, opposite), {}, e.outputs[0])
        if is_real(e) and uniform(b) == 0 and np.signbit(uniform(b)):
            return stretched(a, e.outputs[0], walk)
    return None


def _opposite(x: Any, walk: Walk) -> Any:
    """y where x = −y, also where x = (−u)·v and y = u·v; None for other operands."""
    found = walk.made_by(x, np.negative)
    if found is not None:
        return found.inputs[0]
    found = walk.inner(x, np.multiply, np.divide)
    if found is None or not is_real(found):
        return None
    for k, u in enumerate(found.inputs):
        inner = walk.inner(u, np.negative)
        if inner is not None:
            inputs = [inner.inputs[0] if i == k else v for i, v in enumerate(found.inputs)]
            return walk.emit(found.rule, inputs, {}, x)
    return None


@of(np.subtract, after=(np.negative, np.multiply, np.divide, CONSTANT))
def _minus_negative(e: Equation, walk: Walk) -> Any:
    """x − (−y) = x + y, and x − 0 = x."""
    a, b = e.inputs
    if (opposite := _opposite(b, walk)) is not None:
        return walk.emit(np.add, (a, opposite), {}, e.outputs[0])
    zero = uniform(b)
    return stretched(a, e.outputs[0], walk) if is_real(e) and zero == 0 and not np.signbit(zero) else None


@reassociated(np.subtract, after=(np.negative,))
def _negative_less(e: Equation, walk: Walk) -> Any:
    """(−x) − y = −(x + y), but for the sign of a zero, where −x is read here alone."""
    found = walk.inner(e.inputs[0], np.negative)
    if found is None or not is_real(e):
        return None
    y = e.outputs[0]
    return walk.emit(np.negative, (walk.emit(np.add, (found.inputs[0], e.inputs[1]), {}, y),), {}, y)


@of(np.negative, after=(np.negative,))
def _negative_twice(e: Equation, walk: Walk) -> Any:
    """−(−x) = x."""
    found = walk.made_by(e.inputs[0], np.negative)
    return found.inputs[0] if found else None


@of(np.square, np.absolute, after=(np.negative, np.absolute))
def _of_a_sign(e: Equation, walk: Walk) -> Any:
    """(−x)² = x² and |−x| = |x|; so with |x| for x."""
    found = walk.made_by(e.inputs[0], np.negative, np.absolute)
    return walk.emit(e.rule, found.inputs, {}, e.outputs[0]) if found and is_real(e) and is_real(found) else None


@of(np.power, after=(CONSTANT,))
def _small_power(e: Equation, walk: Walk) -> Any:
    """x¹ = x and x² = x·x."""
    x, y = e.inputs[0], e.outputs[0]
    p = _whole_power(e)
    return x if p == 1 else walk.emit(np.square, (x,), {}, y) if p == 2 else None


@reassociated(np.power, after=(CONSTANT,))
def _power(e: Equation, walk: Walk) -> Any:
    """x³ = x²·x, x⁴ = (x²)², x⁻¹ = 1/x and x⁻² = 1/x²."""
    x, y = e.inputs[0], e.outputs[0]
    p = _whole_power(e)
    if p not in (3, 4, -1, -2):
        return None
    if p != -1:
        square = walk.emit(np.square, (x,), {}, y)
        if p > 0:
            return walk.emit(np.multiply, (square, x), {}, y) if p == 3 else walk.emit(np.square, (square,), {}, y)
        x = square
    return walk.emit(np.divide, (y.dtype.type(1), x), {}, y)


def _whole_power(e: Equation) -> Any:
    """The exponent of a power of a real variable, if it is one number."""
    x, exponent = e.inputs
    return uniform(exponent) if is_real(e) and type(x) is Var and x.shape == e.outputs[0].shape else None


@reassociated(np.add, after=(CONSTANT,))
def _zero_plus(e: Equation, walk: Walk) -> Any:
    """0 + x = x."""
    for a, b in pairs(e):
        if uniform(a) == 0 and type(b) is Var and is_real(e):
            return stretched(b, e.outputs[0], walk)
    return None


@of(np.maximum, np.minimum)
def _extremum_of_one(e: Equation, walk: Walk) -> Any:
    """max(x, x) = x."""
    a, b = e.inputs
    return a if a is b else None


@of(np.copy, np.positive, settled, stop_gradient)
def _itself(e: Equation, walk: Walk) -> Any:
    """A value of a Program never changes: a copy is the value."""
    return e.inputs[0]


@of(np.conjugate, np.real)
def _real_part_of_real(e: Equation, walk: Walk) -> Any:
    return e.inputs[0] if e.inputs[0].dtype.kind == "f" else None


@of(astype)
def _same_dtype(e: Equation, walk: Walk) -> Any:
    return e.inputs[0] if e.inputs[0].dtype == e.outputs[0].dtype else None


# ---------------------------------------------------------------- all identities


TABLES = (EXACT, REASSOCIATED)
KNOWN = frozenset(fn for table in TABLES for fn in table)
MAKERS = frozenset(fn for table in TABLES for found in table.values() for i in found for fn in i.after or ())


@cache
def identities(reassociate: bool, fn: Any, makers: tuple[Any, ...]) -> list[Any]:
    """The identities for calls of a function on results of others; None stands for functions that have none."""
    tables = TABLES if reassociate else TABLES[:1]
    found = [i for table in tables for i in (*table.get(fn, ()), *table.get(ANY, ()))]
    return [i.simpler for i in found if i.after is None or not i.after.isdisjoint(makers)]

"""Quotients by the same value: one division, and multiplications by its result.

::

    b: f64[9] = divide 0.5 a                  r: f64[9] = divide 1.0 a
    c: f64[9] = divide 1.0 a                  b: f64[9] = multiply r 0.5
    d: f64[9] = divide c a             →      d: f64[9] = multiply r r
    e: f64[9] = divide d a                    e: f64[9] = multiply d r

Derivatives of 1/x and √x are such, and a division takes as long as several multiplications.  Only (c/xⁿ)/x for
c = ±2ᵏ is rewritten, as (c/xⁿ)·(1/x): where 1/x overflows, so do the quotients.  That holds but for rounding.
"""

from collections import Counter
from math import frexp
from typing import Any

import numpy as np

from dotbar.compiler.rewriting import Walk, is_real, key, rewrite, uniform
from dotbar.core import shape_of
from dotbar.program import Equation, Program, Var

__all__ = ["share_divisions"]

MODERATE = 10
"""The largest k."""


def share_divisions(program: Program) -> Program:
    """The Program in which powers of 1/x are computed by one division, if there were several by x."""
    divisors = Counter(e.inputs[1] for e in program.equations if e.rule.fn is np.divide and type(e.inputs[1]) is Var)
    powers: dict[Var, list[Any]] = {x: [] for x, n in divisors.items() if n > 1}

    def step(e: Equation, walk: Walk) -> Any:
        if e.rule.fn is not np.divide or not is_real(e) or key(e.inputs[1]) not in powers:
            return None
        (a, x), y = e.inputs, e.outputs[0]
        factor, base = scaled(a, walk)
        known = powers[x]  # 1/x, 1/x², ...
        if x.shape != y.shape or not (base is None or (type(base) is Var and base in known)):
            return None
        n = 0 if base is None else known.index(base) + 1
        if n == len(known):
            ways = (e.rule, (y.dtype.type(1), x)) if n == 0 else (np.multiply, (base, known[0]))
            known.append(walk.emit(*ways, {}, y))
        return known[n] if factor == 1 else walk.emit(np.multiply, (known[n], y.dtype.type(factor)), {}, y)

    return rewrite(program, step) if powers else program


def scaled(x: Any, walk: Walk) -> tuple[float, Any]:
    """A value as ±2ᵏ times another; times None if it is this number."""
    factor = 1.0
    while e := walk.made_by(x, np.negative, np.multiply):
        c = -1 if e.rule.fn is np.negative else uniform(e.inputs[1])
        if not is_simple(c) or shape_of(e.inputs[0]) != x.shape:
            break
        factor, x = factor * c, e.inputs[0]
    c = uniform(x)
    return (factor * c, None) if is_simple(c) else (factor, x)


def is_simple(c: Any) -> bool:
    """Whether a value is a number ±2ᵏ for a moderate k."""
    if not isinstance(c, (int, float, np.floating)):
        return False
    fraction, exponent = frexp(c)
    return abs(fraction) == 0.5 and abs(exponent) <= MODERATE

"""Common subexpressions: an equation that was computed before is not computed again.

::

    b: f64[] = square a
    c: f64[] = sin b                b: f64[] = square a
    d: f64[] = square a        →    c: f64[] = sin b
    e: f64[] = log d                e: f64[] = log b

Two equations are equal if their functions, operands and settings are; of a sum or product the operands may be
exchanged, of a reduction only the shape may differ.  Equal constants become one array.  A guard that was passed is
not checked again.
"""

from typing import Any

import numpy as np

from dotbar.compiler.rewriting import Walk, key, reshaped, rewrite
from dotbar.program import Equation, Guard, Program, has_effect

__all__ = ["share"]

COMMUTATIVE = (
    *(np.add, np.multiply, np.equal, np.not_equal),
    *(np.logical_and, np.logical_or, np.bitwise_and, np.bitwise_or),
)


def share(program: Program) -> Program:
    """The Program in which each value is computed once."""
    seen: dict[Any, Equation] = {}
    constants = Constants()

    def step(equation: Equation, walk: Walk) -> Any:
        settings, fn = equation.settings, equation.rule.fn
        if isinstance(equation.rule, Guard):
            settings = {"outcome": settings["outcome"]}
        elif has_effect(equation):
            return None
        keys: Any = [constants.key(x) for x in equation.inputs]
        if fn in COMMUTATIVE:
            keys = frozenset(keys)
        else:
            keys = tuple(keys)
            if "keepdims" in settings:
                settings = {k: v for k, v in settings.items() if k != "keepdims"}
        found = seen.setdefault((fn, keys, key(settings) if settings else ()), equation)
        if found is equation:
            return None
        if "keepdims" in found.settings or "keepdims" in equation.settings:
            return reshaped(found.outputs[0], equation.outputs[0].shape, walk)
        return found.outputs

    return rewrite(constants.joined(program), step)


class Constants:
    """The arrays of a Program, each once, with their keys."""

    def __init__(self) -> None:
        self.keys: dict[int, Any] = {}
        self.arrays: dict[Any, Any] = {}

    def key(self, x: Any) -> Any:
        """The key of an operand."""
        return self.keys[id(x)] if id(x) in self.keys else key(x)

    def one(self, x: Any) -> Any:
        """The array that stands for all that equal this one."""
        if type(x) is not np.ndarray:
            return x
        if id(x) not in self.keys:
            self.keys[id(x)] = key(x)
        return self.arrays.setdefault(self.keys[id(x)], x)

    def joined(self, program: Program) -> Program:
        """The Program with equal arrays one."""
        equations: list[Equation] = []
        changed = False
        for e in program.equations:
            inputs = tuple([self.one(x) for x in e.inputs])
            if any(x is not y for x, y in zip(inputs, e.inputs)):
                e = Equation(e.rule, inputs, e.settings, e.outputs)
                changed = True
            equations.append(e)
        return Program(program.inputs, equations, program.outputs) if changed else program

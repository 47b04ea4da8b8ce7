"""Common subexpressions: an equation that was computed before is not computed again.

::

    b: f64[] = square a
    c: f64[] = sin b                b: f64[] = square a
    d: f64[] = square a        →    c: f64[] = sin b
    e: f64[] = log d                e: f64[] = log b

Two equations are equal if their rules, operands and settings are.  A guard that was passed is not checked again.
"""

from typing import Any

from dotbar.compiler.rewriting import Walk, key, rewrite
from dotbar.program import Equation, Guard, Program

__all__ = ["share"]


def share(program: Program) -> Program:
    """The Program in which each value is computed once."""
    seen: dict[Any, Equation] = {}

    def step(equation: Equation, walk: Walk) -> Any:
        settings = equation.settings
        if isinstance(equation.rule, Guard):
            settings = {"outcome": settings["outcome"]}
        elif not equation.outputs:
            return None
        found = seen.setdefault(
            (equation.rule, *map(key, equation.inputs), key(settings) if settings else ()), equation
        )
        return None if found is equation else found.outputs

    return rewrite(program, step)

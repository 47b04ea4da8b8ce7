"""Dead equations: what no output and no effect depends on goes.

::

    b: f64[] = sin a
    c: f64[] = cos a        →    b: f64[] = sin a
    return b                     return b

Guards, equations without a result, what prints, and what may raise are effects: they stay.
"""

from dotbar.core import Rule
from dotbar.program import WRITTEN, Equation, Program, Var, programs, variables
from dotbar.rules.words import gather, raise_if, ungather

__all__ = ["prune"]

RAISES = (gather, ungather, raise_if)
FACTORISE = ("numpy.linalg.", "dotbar.linalg.", "dotbar.rules.lapack_words.", "dotbar.rules.spectral.")


def prune(program: Program) -> Program:
    """The Program without equations whose results nobody reads."""
    read = {x for x in program.outputs if type(x) is Var}
    alive: list[Equation] = []
    for equation in reversed(program.equations):
        if any(y in read for y in equation.outputs) or _has_effect(equation):
            read.update(variables(equation))
            alive.append(equation)
    if len(alive) == len(program.equations):
        return program
    return Program(program.inputs, alive[::-1], program.outputs)


def _has_effect(equation: Equation) -> bool:
    """Whether an equation, or one within it, is to run for its own sake."""
    if not equation.outputs or _may_raise(equation.rule) or (equation.rule is WRITTEN and len(equation.inputs) > 2):
        return True
    return any(_has_effect(e) for p in programs(equation).values() for e in p.equations)


def _may_raise(rule: Rule) -> bool:
    return rule.fn in RAISES or rule.name.startswith(FACTORISE)

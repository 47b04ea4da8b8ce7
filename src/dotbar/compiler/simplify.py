"""The pipeline of simplifying passes, from Program to Program."""

from typing import Any

from dotbar.compiler.algebra import algebra
from dotbar.compiler.bodies import trim
from dotbar.compiler.common import share
from dotbar.compiler.constants import fold, splats
from dotbar.compiler.dead import prune
from dotbar.compiler.histories import remember
from dotbar.compiler.quotients import share_divisions
from dotbar.compiler.totals import gather_totals
from dotbar.compiler.writes import forward
from dotbar.program import Control, Equation, Program

__all__ = ["simplify"]

ROUNDS = 8
ENOUGH = 0.99
"""A round that leaves so many of a long Program's equations is the last."""


def simplify(program: Program, reassociate: bool = True) -> Program:
    """A Program with the same results and fewer equations.

    With ``reassociate`` sums may be taken in another order, so results may differ by their rounding and in the sign
    of a zero; without it they are the same to the last bit.
    """
    program = _within(trim(program), reassociate)
    program = splats(gather_totals(program) if reassociate else program)
    for number in range(ROUNDS):
        before = program
        program = algebra(forward(fold(program), reassociate), reassociate)
        if number and program is before:
            break
        program = prune(share(program))
        if program is before or len(program.equations) > ENOUGH * len(before.equations):
            break
    program = remember(program)
    return share_divisions(program).pruned() if reassociate else program


def _within(program: Program, reassociate: bool) -> Program:
    """The Program with simpler Programs in its loops and branches."""
    if not any(isinstance(e.rule, Control) for e in program.equations):
        return program

    def simpler(x: Any) -> Any:
        if isinstance(x, Program):
            return simplify(x, reassociate)
        return tuple(map(simpler, x)) if type(x) is tuple else x

    def step(e: Equation) -> Equation:
        if not isinstance(e.rule, Control):
            return e
        return Equation(e.rule, e.inputs, {k: simpler(v) for k, v in e.settings.items()}, e.outputs)

    return Program(program.inputs, list(map(step, program.equations)), program.outputs)

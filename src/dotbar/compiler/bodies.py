"""Loops and branches without what nobody reads: results, carries, operands.  Stacks turned and turned back stay put.

::

    c, d, e: f64[9] = loop a b c₀ d₀  consts=2  carries=2        c = loop a c₀  consts=1  carries=1
      body (a, b, c, d):                                           body (a, c):
        f = multiply a c                                    →        f = multiply a c
        g = add b d                                                  return f
        return f, g, c
    return c

A derivative carries along what its caller may not ask for, and stacks of batches are turned, as items come first there.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dotbar.compiler.rewriting import Walk
from dotbar.program import Control, Equation, Program, Var, has_effect, is_static, variables

__all__ = ["trim"]


def trim(program: Program) -> Program:
    """The Program with smaller loops and branches."""
    if not any(isinstance(e.rule, Control) for e in program.equations):
        return program
    program = _untwisted(program)
    read = {x for x in program.outputs if type(x) is Var}
    equations: list[Equation] = []
    for e in reversed(program.equations):
        if isinstance(e.rule, Control):
            flags = [y in read for y in e.outputs]
            if not (any(flags) or has_effect(e)):
                continue
            e = _loop(e, flags) if "carries" in e.settings else _branch(e, flags)
        equations.append(e)
        read.update(variables(e))
    return Program(program.inputs, equations[::-1], program.outputs)


def chosen(xs: Sequence[Any], flags: Sequence[bool]) -> list[Any]:
    """The items of a list that are flagged."""
    return [x for x, flag in zip(xs, flags) if flag]


def needed(program: Program, flags: Sequence[bool]) -> list[bool]:
    """Which inputs the flagged outputs of a Program depend on, and its effects."""
    read = {x for x in chosen(program.outputs, flags) if type(x) is Var}
    for e in reversed(program.equations):
        if has_effect(e) or any(y in read for y in e.outputs):
            read.update(variables(e))
    return [x in read for x in program.inputs]


def part(program: Program, inputs: Sequence[bool], outputs: Sequence[bool]) -> Program:
    """The Program of some of the inputs and outputs."""
    smaller = Program(chosen(program.inputs, inputs), program.equations, chosen(program.outputs, outputs))
    return trim(smaller.pruned())


def _loop(e: Equation, read: list[bool]) -> Equation:
    body, test = e.settings["body"], e.settings["test"]
    consts, carries = e.settings["consts"], e.settings["carries"]
    asked = needed(test, [True]) if test is not None else [False] * (consts + carries)
    alive, ys = [r or a for r, a in zip(read[:carries], asked[consts:])], read[carries:]
    while True:
        inputs = needed(body, alive + ys)
        more = [a or i for a, i in zip(alive, inputs[consts:])]
        if more == alive:
            break
        alive = more
    inputs = [i or a for i, a in zip(inputs, asked)] + inputs[consts + carries :]
    inputs[consts : consts + carries] = alive
    if test is None and e.settings["length"] is None and not any(inputs[consts + carries :]):
        inputs[consts + carries] = True  # the stack that says how many steps there are
    settings = {
        **e.settings,
        "body": part(body, inputs, alive + ys),
        "test": None if test is None else part(test, inputs[: consts + carries], [True]),
        "consts": sum(inputs[:consts]),
        "carries": sum(alive),
    }
    return Equation(e.rule, tuple(chosen(e.inputs, inputs)), settings, tuple(chosen(e.outputs, alive + ys)))


def _branch(e: Equation, read: list[bool]) -> Equation:
    branches = e.settings["branches"]
    inputs = [any(flags) for flags in zip(*(needed(p, read) for p in branches))]
    settings = {"branches": tuple(part(p, inputs, read) for p in branches)}
    return Equation(e.rule, (e.inputs[0], *chosen(e.inputs[1:], inputs)), settings, tuple(chosen(e.outputs, read)))


def _untwisted(program: Program) -> Program:
    """The Program without transposes of stacks that undo one another."""
    walk = Walk()
    for equation in program.equations:
        e = walk.updated(equation)
        if e.rule.fn is np.transpose and not is_static(e):
            first = walk.made_by(e.inputs[0], np.transpose)
            if first is not None and _axes(first)[list(_axes(e))].tolist() == list(range(len(_axes(e)))):
                walk.replace(e.outputs, first.inputs)
                continue
        walk.keep(e)
    return Program(program.inputs, walk.equations, [walk.current(x) for x in program.outputs])


def _axes(e: Equation) -> np.ndarray[Any, Any]:
    """The order of the axes of a transpose."""
    n = len(e.outputs[0].shape)
    axes = e.settings.get("axes")
    return np.arange(n)[::-1] if axes is None else np.asarray(axes) % n

"""Loops that go back over the steps of another: what is costly is kept by the first, not computed again.

::

    h, ys = loop a h₀                                    h, ys, ms = loop a h₀
      body: m = matmul h a; h' = tanh m                    body: m = matmul h a; h' = tanh m; keep m
    … = loop a h̄ ys  reverse                       →     … = loop a h̄ ys ms  reverse
      body: m = matmul y a; …                              body: …

A derivative's loop reads the carries and takes each step again.  An equation of it whose operands the first loop had at
that step is found there; its result is kept if to write and read it costs less than to compute it again.
"""

from math import prod
from typing import Any

import numpy as np

from dotbar import core
from dotbar.compiler.kernels import FUNCTIONS
from dotbar.compiler.products import ALL
from dotbar.compiler.rewriting import is_entrywise, key
from dotbar.program import Control, Equation, Program, Var, has_effect, variables

__all__ = ["remember"]

MOST = 1 << 28
"""The bytes that a loop may keep."""

FAST = 1 << 17
"""So many numbers stay in the second cache."""


def remember(program: Program) -> Program:
    """The Program whose loops keep what later ones would compute again."""
    equations: list[Equation] = []
    maker: dict[Any, int] = {}
    changed = False
    for e in program.equations:
        if is_counted(e):
            for place in dict.fromkeys(maker[x] for x in parts(e)[2] if type(x) is Var and x in maker):
                first = equations[place]
                if is_counted(first) and first.settings["length"] == e.settings["length"]:
                    equations[place], e = kept(first, e)
                    changed = changed or equations[place] is not first
        maker.update((y, len(equations)) for y in e.outputs)
        equations.append(e)
    return Program(program.inputs, equations, program.outputs) if changed else program


def is_counted(e: Equation) -> bool:
    """Whether an equation is a loop whose number of steps is known."""
    return isinstance(e.rule, Control) and e.settings.get("length") is not None and e.settings["test"] is None


def parts(e: Equation) -> tuple[Any, Any, Any]:
    """A loop's constants, first carries and arrays of one entry for each step; or the inputs of its body."""
    consts, carries = e.settings["consts"], e.settings["carries"]
    return e.inputs[:consts], e.inputs[consts : consts + carries], e.inputs[consts + carries :]


def kept(first: Equation, later: Equation) -> tuple[Equation, Equation]:
    """Two loops, the first of which hands over to the second what costs more to compute again."""
    there, here = first.settings["body"], later.settings["body"]
    known = counterparts(first, later)
    table = {identity(e, lambda x: x): e for e in there.equations}
    maker: dict[Any, Equation] = {}
    for e in here.equations:
        if e.outputs and not has_effect(e) and all(x in known for x in variables(e)):
            found = table.get(identity(e, lambda x: known.get(x, x) if type(x) is Var else x))
            if found is not None:
                known.update(zip(e.outputs, found.outputs))
                maker.update((y, e) for y in e.outputs)
    wanted = [x for e in here.equations if maker.get(next(iter(e.outputs), None)) is not e for x in variables(e)]
    wanted += [x for x in here.outputs if type(x) is Var]
    plan = Plan(maker, later.settings["length"])
    chosen = list(dict.fromkeys(y for x in wanted for y in plan.of(x)[1]))
    n = later.settings["length"]
    if not chosen or n * sum(prod(x.shape) * x.dtype.itemsize for x in chosen) > MOST:
        return first, later
    made = tuple(Var((n, *x.shape), x.dtype) for x in chosen)
    saving = Program(there.inputs, there.equations, [*there.outputs, *(known[x] for x in chosen)])
    rest = [e for e in here.equations if not set(e.outputs) & set(chosen)]
    reading = Program([*here.inputs, *chosen], rest, here.outputs).pruned()
    return (
        Equation(first.rule, first.inputs, {**first.settings, "body": saving}, first.outputs + made),
        Equation(later.rule, later.inputs + made, {**later.settings, "body": reading}, later.outputs),
    )


def counterparts(first: Equation, later: Equation) -> dict[Any, Any]:
    """What the first loop's body has of the inputs of the later one's, at the same step."""
    body = first.settings["body"]
    consts, _, xs = parts(first)
    at = first.settings["consts"] + first.settings["carries"]
    constant = {key(x): v for x, v in zip(consts, body.inputs)}
    stepped = {x: v for x, v in zip(xs, body.inputs[at:]) if type(x) is Var}
    carries = first.settings["carries"]
    stepped.update(zip(first.outputs[carries:], body.outputs[carries:]))
    inputs = later.settings["body"].inputs
    found = {v: constant[key(x)] for x, v in zip(parts(later)[0], inputs) if key(x) in constant}
    mine = inputs[later.settings["consts"] + later.settings["carries"] :]
    found.update((v, stepped[x]) for x, v in zip(parts(later)[2], mine) if type(x) is Var and x in stepped)
    return {v: w for v, w in found.items() if type(w) is Var}


def identity(e: Equation, of: Any) -> Any:
    """A key: equal for equations that compute the same."""
    operands: Any = tuple(key(of(x)) for x in e.inputs)
    if e.rule.fn in (np.add, np.multiply):
        operands = frozenset(operands)
    return e.rule.fn, operands, key(e.settings)


class Plan:
    """The cheapest way to each value of a step: what is read of those that were kept, the rest computed again."""

    def __init__(self, maker: dict[Any, Equation], steps: int):
        self.maker = maker
        entries = steps * sum(prod(x.shape) for x in maker)
        self.price = 0.5 if entries < FAST else 1.0
        self.known: dict[Any, tuple[float, tuple[Var, ...]]] = {}

    def of(self, x: Any) -> tuple[float, tuple[Var, ...]]:
        """The cost, in nanoseconds or so, and what is read for it."""
        if x not in self.maker:
            return 0.0, ()
        if x not in self.known:
            e = self.maker[x]
            ways = [self.of(y) for y in variables(e)]
            again = cost(e) + sum(price for price, _ in ways), tuple(dict.fromkeys(y for _, ys in ways for y in ys))
            readable = all(prod(y.shape) > 0 and not y.weak for y in e.outputs)
            read = 10 + self.price * sum(prod(y.shape) for y in e.outputs) if readable else np.inf
            self.known[x] = min(again, (read, e.outputs), key=lambda way: way[0])
        return self.known[x]


def cost(e: Equation) -> float:
    """What an equation costs, in nanoseconds or so."""
    if e.rule.makes_views or e.rule in (core.READ, core.RULES[np.roll]):
        return 0.0
    entries = sum(prod(y.shape) for y in e.outputs)
    if is_entrywise(e):
        return entries * (0.7 if e.rule.fn.__name__ in FUNCTIONS else 0.0)
    if e.rule.fn in ALL:
        return 30 + entries * e.inputs[0].shape[-1] / 40
    return 30 + 0.2 * sum(prod(x.shape) for x in variables(e))

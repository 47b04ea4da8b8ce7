"""What ``grad(jit(f))`` keeps: one Program of value and pullback, cut in two.

The joint Program maps (x, ȳ) to (y, x̄).  What does not depend on ȳ runs forward; the rest runs backward, on what is
kept: the values that cross the cut.  A value that costs a pass over memory at most, from what is kept anyway,
is computed again rather than kept.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dotbar import core
from dotbar.core import Rule, Settings, dtype_of, is_differentiable, shape_of
from dotbar.program import Equation, Program, Var, variables
from dotbar.rules.kinds import Elementwise, dense
from dotbar.tape import Tape
from dotbar.trace import Recording
from dotbar.transforms import unwrap, vjp
from dotbar.tree import Structure, flatten, unflatten

__all__ = ["Joint", "cut", "joint", "merged"]


class Joint(Rule):
    """One way through a compiled function, as one operation of a tape."""

    kind = "rule"
    name = "jit"

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        needed: list[bool],
        structure: Structure,
        places: list[int],
    ):
        """``places`` are those of the outputs that depend on what is differentiated."""
        super().__init__(self.run, ("*xs",))
        self.forward = forward
        self.backward = backward
        self.needed = needed
        self.structure = structure
        self.places = places

    def run(self, *xs: Any) -> tuple[Any, ...]:
        """The outputs, then what the backward Program needs of the way to them."""
        return tuple(self.forward(*xs))

    def record(self, level: Tape, xs: Sequence[Any]) -> Any:
        """The outputs as values of a tape.

        Raises:
            GuardFailed: these arguments take another way.
        """
        outputs = level.process(self, xs, {})
        n = sum(1 for _ in self.structure.paths())
        ys = [y if k in self.places else unwrap(y, level)[0] for k, y in enumerate(outputs[:n])]
        return unflatten(self.structure, ys)

    def keep(self, active: Sequence[int], n: int) -> tuple[bool, list[bool]]:
        return True, list(self.needed)

    def bars(self, y: Any, xs: Sequence[Any], kw: Settings, ybar: Any, active: Sequence[int]) -> list[Any]:
        n = sum(1 for _ in self.structure.paths())
        gs = [y[k] * 0 if ybar[k] is None else dense(ybar[k]) for k in self.places]
        gs = [np.float64(g) if type(g) is float else g for g in gs]
        return self.backward(*(x for x, needed in zip(xs, self.needed) if needed), *y[n:], *gs)


def joint(jit: Callable[..., Any], f: Callable[..., Any], examples: list[Any], mine: tuple[bool, ...]) -> Joint:
    """The operation that a function of a list of arguments is to a tape of which some arguments are."""
    structure, places = None, list[int]()

    def along(*xs: Any) -> Any:
        nonlocal structure
        leaves, structure = flatten(f(merged(inputs, xs, mine)))
        level = xs[0].level
        places.extend(k for k, y in enumerate(leaves) if unwrap(y, level)[1] is not None and is_differentiable(y))
        return leaves

    with Recording() as level:
        inputs = [level.input(x) for x in examples]
        ys, pull = vjp(along, *(x for x, m in zip(inputs, mine) if m))
        seeds: list[Any] = [np.zeros(shape_of(y), dtype_of(y))[()] if is_differentiable(y) else None for y in ys]
        for k in places:
            seeds[k] = level.input(seeds[k] + 1)
        xbars = pull(seeds)
        level.program.outputs = [level.operand(x) for x in (*ys, *xbars)]
    forward, backward, needed = cut(level.program, len(examples), len(ys))
    assert structure is not None
    return Joint(jit(forward.apply), jit(backward.apply), needed, structure, places)


def merged(values: list[Any], xs: Sequence[Any], mine: tuple[bool, ...]) -> list[Any]:
    """Values, with others in the place of those that are ``mine``."""
    rest = iter(xs)
    return [next(rest) if m else x for x, m in zip(values, mine)]


def cut(joint: Program, n_primals: int, n_outputs: int) -> tuple[Program, Program, list[bool]]:
    """The forward Program x ↦ (y, kept), the backward one (x, kept, ȳ) ↦ x̄, and which of the x that one reads."""
    xs, ybars = joint.inputs[:n_primals], joint.inputs[n_primals:]
    late = set(ybars)
    early: list[Equation] = []
    rest: list[Equation] = []
    for e in joint.equations:
        depends = any(x in late for x in variables(e))
        (rest if depends else early).append(e)
        if depends:
            late.update(e.outputs)
    wanted = {x for e in rest for x in variables(e) if x not in late}
    wanted |= {x for x in joint.outputs[n_outputs:] if type(x) is Var and x not in late}
    for e in reversed(early):  # a stack of unknown length has no type outside: the loop that makes it runs again
        if any(-1 in y.shape and y in wanted for y in e.outputs):
            rest.insert(0, e)
            wanted = (wanted | set(variables(e))) - set(e.outputs)
    known = set(xs)
    maker = {y: e for e in early for y in e.outputs}
    kept, again = _choose([x for x in maker if x in wanted], known, maker)
    forward = Program(xs, early, [*joint.outputs[:n_outputs], *kept]).pruned()
    backward = Program([*xs, *kept, *ybars], [*again, *rest], joint.outputs[n_outputs:]).pruned()
    read = {x for e in backward.equations for x in variables(e)} | {x for x in backward.outputs if type(x) is Var}
    needed = [x in read for x in xs]
    backward.inputs = [*(x for x in xs if x in read), *kept, *ybars]
    return forward, backward, needed


def _choose(wanted: list[Var], known: set[Var], maker: dict[Var, Equation]) -> tuple[list[Var], list[Equation]]:
    """What is kept, and what is computed again from that, in the order of the Program."""
    kept: list[Var] = []
    again: list[Equation] = []
    for x in wanted:
        e = maker[x]
        if is_cheap(e) and all(y in known for y in variables(e)):
            again.append(e)
        else:
            kept.append(x)
        known.add(x)
    return kept, again


CHEAP = {"add", "subtract", "multiply", "negative", "positive", "square", "where", "copy", "abs", "conjugate"}


def is_cheap(e: Equation) -> bool:
    """Whether an equation moves entries, or computes each by an operation or two."""
    if len(e.outputs) != 1:
        return False
    if isinstance(e.rule, Elementwise):
        return e.rule.name.rpartition(".")[2] in CHEAP
    return e.rule is core.READ or e.rule.makes_views

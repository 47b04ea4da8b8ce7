"""What the passes share: a walk over a Program that writes a simpler one, splat constants, keys of equal equations.

A pass goes through the equations once, in order.  It sees each with its inputs already rewritten, and knows how
each of these was computed; so a chain of rewrites takes one walk.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dotbar.core import RULES, Rule, Settings
from dotbar.program import Equation, Program, Var

__all__ = ["Step", "Walk", "is_splat", "key", "rewrite", "splat", "uniform"]


class Walk:
    """The Program that a pass is writing: its equations so far, the equation of each variable, what stands for what."""

    __slots__ = ("definition", "equations", "now")

    def __init__(self) -> None:
        self.equations: list[Equation] = []
        self.definition: dict[Any, Equation] = {}
        self.now: dict[Var, Any] = {}

    def current(self, x: Any) -> Any:
        """What stands for an operand of the old Program."""
        return self.now.get(x, x) if type(x) is Var else x

    def updated(self, equation: Equation) -> Equation:
        """An equation of the old Program on the operands of the new one."""
        now = self.now
        for x in equation.inputs:
            if type(x) is Var and x in now:
                inputs = tuple([self.current(x) for x in equation.inputs])
                return Equation(equation.rule, inputs, equation.settings, equation.outputs)
        return equation

    def keep(self, equation: Equation) -> None:
        """Take an equation over."""
        self.equations.append(equation)
        for y in equation.outputs:
            self.definition[y] = equation

    def emit(self, rule: Any, inputs: Sequence[Any], settings: Settings, like: Var | tuple[Any, Any]) -> Var:
        """The result of a new equation, of the type of a variable or of a shape and dtype; ``rule`` or its function."""
        shape, dtype = like if type(like) is tuple else (cast(Var, like).shape, cast(Var, like).dtype)
        y = Var(shape, dtype)
        self.keep(Equation(rule if isinstance(rule, Rule) else RULES[rule], tuple(inputs), settings, (y,)))
        return y

    def made_by(self, x: Any, *fns: Callable[..., Any]) -> Equation | None:
        """The equation of a variable if it is a call of one of these functions."""
        found = self.definition.get(x) if type(x) is Var else None
        return found if found is not None and found.rule.fn in fns else None


Step = Callable[[Equation, Walk], Any]


def rewrite(program: Program, step: Step) -> Program:
    """The Program in which ``step(equation, walk)`` stands for each equation: its result, or None to keep it.

    A result of several outputs is a tuple, so () drops an equation without outputs.  A result of another type than
    the output's is not taken.  Without a change the Program itself is returned.
    """
    walk, changed = Walk(), False
    for equation in program.equations:
        equation = walk.updated(equation)
        new = step(equation, walk)
        if new is not None:
            values = cast(tuple[Any, ...], new) if type(new) is tuple else (new,)
            if all(map(_fits, values, equation.outputs)):
                walk.now.update(zip(equation.outputs, values, strict=True))
                changed = True
                continue
        walk.keep(equation)
    return Program(program.inputs, walk.equations, [walk.current(x) for x in program.outputs]) if changed else program


def _fits(x: Any, y: Var) -> bool:
    weak = x.weak if type(x) is Var else type(x) is not np.ndarray
    return weak == y.weak and x.shape == y.shape and x.dtype == y.dtype


# ---------------------------------------------------------------- constants


def splat(value: Any, like: Var) -> NDArray[Any]:
    """A constant of which all entries are one value, held once: an array of stride 0."""
    return np.broadcast_to(np.asarray(value, like.dtype), like.shape)


def is_splat(x: Any) -> bool:
    """Whether an operand is an array known to have one value throughout."""
    return type(x) is np.ndarray and x.size > 0 and not any(x.strides)


def uniform(x: Any) -> Any:
    """The value of all entries of a constant number or splat, as a number; None for other operands."""
    if is_splat(x):
        return x[(0,) * x.ndim]
    return x if isinstance(x, (float, int, complex, np.generic)) else None


# ---------------------------------------------------------------- keys


_LARGE = 4096


def key(x: Any) -> Any:
    """A hashable stand-in for an operand or setting: equal keys mean equal values, -0.0 and 0.0, 1 and True apart."""
    t = type(x)
    if t is Var or t is str or x is None:
        return x
    if t is int or t is bool:
        return t, x
    if t is tuple or t is list:
        return t, *map(key, x)
    if t is float or t is complex:
        return t, repr(x)
    if t is slice:
        return t, key(x.start), key(x.stop), key(x.step)
    if t is dict:
        return tuple((k, key(v)) for k, v in x.items())
    if isinstance(x, (np.ndarray, np.generic)):
        if x.dtype.hasobject:
            return id(x)
        bits = x[(0,) * x.ndim].tobytes() if is_splat(x) else x.tobytes()
        return t, x.shape, x.dtype.str, bits if len(bits) <= _LARGE else blake2b(bits).digest()
    try:
        hash(x)
    except TypeError:
        return id(x)
    return t, x

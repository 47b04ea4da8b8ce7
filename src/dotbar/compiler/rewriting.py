"""What the passes share: a walk over a Program that writes a simpler one, splat constants, keys of equal equations.

A pass goes through the equations once, in order.  It sees each with its inputs already rewritten, and knows how
each of these was computed; so a chain of rewrites takes one walk.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from math import prod
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from dotbar.core import RULES, Rule, Settings
from dotbar.program import Control, Equation, Program, Var, is_static
from dotbar.rules.kinds import Constant, Elementwise, General
from dotbar.rules.shapes import reshape_to

__all__ = [
    "ANY",
    "CONSTANT",
    "EXACT",
    "REASSOCIATED",
    "Identity",
    "Step",
    "Walk",
    "fits",
    "has_no_axes",
    "is_entrywise",
    "is_real",
    "is_splat",
    "key",
    "number",
    "of",
    "pairs",
    "reassociated",
    "reshaped",
    "rewrite",
    "shape_of_all",
    "size_of",
    "splat",
    "stretched",
    "uniform",
]


class Walk:
    """The Program that a pass is writing: its equations so far, the equation of each variable, what stands for what.

    For passes that ask which values are read but once, ``uses`` counts the reads in the old Program.
    """

    __slots__ = ("definition", "equations", "now", "uses")

    def __init__(self, read_by: Program | None = None) -> None:
        self.equations: list[Equation] = []
        self.definition: dict[Any, Equation] = {}
        self.now: dict[Var, Any] = {}
        self.uses: dict[Any, int] = {}
        if read_by is not None:
            for operands in (*[e.inputs for e in read_by.equations], read_by.outputs):
                for x in operands:
                    if type(x) is Var:
                        self.uses[x] = self.uses.get(x, 0) + 1

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

    def emit(self, rule: Any, inputs: Sequence[Any], settings: Settings, like: Var | tuple[Any, Any]) -> Any:
        """The result of a new equation, of the type of a variable or of a shape and dtype; ``rule`` or its function."""
        shape, dtype = like if type(like) is tuple else (cast(Var, like).shape, cast(Var, like).dtype)
        y = Var(shape, dtype)
        self.keep(Equation(rule if isinstance(rule, Rule) else RULES[rule], tuple(inputs), settings, (y,)))
        return y

    def made_by(self, x: Any, *fns: Callable[..., Any]) -> Equation | None:
        """The equation of a variable if it is a call of one of these functions, or whichever it is."""
        found = self.definition.get(x) if type(x) is Var else None
        return found if found is not None and (not fns or found.rule.fn in fns) else None

    def inner(self, x: Any, *fns: Callable[..., Any]) -> Equation | None:
        """The same, if nothing else reads the variable: then it goes when the equation that reads it is rewritten."""
        found = self.made_by(x, *fns)
        return found if found is not None and self.uses.get(x, 1) == 1 else None

    def replace(self, outputs: Sequence[Var], values: Sequence[Any]) -> None:
        """From now on values stand for the outputs of an equation."""
        for y, value in zip(outputs, values, strict=True):
            self.now[y] = value
            if type(value) is Var:
                self.uses[value] = self.uses.get(value, 0) + self.uses.get(y, 1)


Step = Callable[[Equation, Walk], Any]


def rewrite(program: Program, step: Step, walk: Walk | None = None) -> Program:
    """The Program in which ``step(equation, walk)`` stands for each equation: its result, or None to keep it.

    A result of several outputs is a tuple, so () drops an equation without outputs.  A result of another type than
    the output's is not taken.  Without a change the Program itself is returned.
    """
    walk, changed = walk or Walk(), False
    loops = any(isinstance(e.rule, Control) for e in program.equations) or any(-1 in x.shape for x in program.inputs)
    for equation in program.equations:
        equation = walk.updated(equation)
        new = step(equation, walk) if not loops or is_static(equation) else None
        if new is not None:
            values = cast(tuple[Any, ...], new) if type(new) is tuple else (new,)
            if all(map(fits, values, equation.outputs)):
                walk.replace(equation.outputs, values)
                changed = True
                continue
        walk.keep(equation)
    return Program(program.inputs, walk.equations, [walk.current(x) for x in program.outputs]) if changed else program


def fits(x: Any, y: Var) -> bool:
    """Whether an operand is of the type of a variable."""
    weak = x.weak if type(x) is Var else type(x) is not np.ndarray
    return weak == y.weak and x.shape == y.shape and x.dtype == y.dtype


# ---------------------------------------------------------------- identities


Simpler = Callable[[Equation, Walk], Any]
ANY = object()
"""Stands for any function."""
CONSTANT = object()
"""Stands for the function of which a constant comes."""


class Identity(NamedTuple):
    """What rewrites an equation one of whose operands comes of one of some functions, or whichever."""

    simpler: Simpler
    after: frozenset[Any] | None


EXACT: dict[Any, list[Identity]] = {}
REASSOCIATED: dict[Any, list[Identity]] = {}


def of(*fns: Any, after: Sequence[Any] = (), table: dict[Any, list[Identity]] = EXACT) -> Callable[[Simpler], Simpler]:
    """Register an identity for calls of these functions on results of others, for the pass ``algebra``."""

    def register(simpler: Simpler) -> Simpler:
        for fn in fns:
            table.setdefault(fn, []).append(Identity(simpler, frozenset(after) or None))
        return simpler

    return register


def reassociated(*fns: Any, after: Sequence[Any] = ()) -> Callable[[Simpler], Simpler]:
    """Register an identity that holds but for rounding."""
    return of(*fns, after=after, table=REASSOCIATED)


def pairs(equation: Equation) -> Any:
    """The operands of a commutative operation, both ways round."""
    a, b = equation.inputs
    return (a, b), (b, a)


def is_real(equation: Equation) -> bool:
    """Whether an equation is of real floats of one dtype throughout; Python's numbers take it."""
    dtype = equation.outputs[0].dtype
    if dtype.kind != "f":
        return False
    for x in equation.inputs:
        if (type(x) is Var or isinstance(x, (np.ndarray, np.generic))) and x.dtype is not dtype and x.dtype != dtype:
            return False
    return True


def is_entrywise(equation: Equation) -> bool:
    """Whether an equation makes one value, entry by entry, and broadcasts its operands by itself."""
    rule = equation.rule
    if len(equation.outputs) != 1 or equation.settings:
        return False
    if isinstance(rule, Elementwise) or (isinstance(rule.fn, np.ufunc) and rule.fn.signature is None):
        return True
    return isinstance(rule, (Constant, General)) and rule.how in ("()->()", "(),()->()", "(),(),()->()")


def shape_of_all(*xs: Any) -> tuple[int, ...]:
    """The shape to which operands broadcast."""
    return np.broadcast_shapes(*(x.shape if type(x) is Var else np.shape(x) for x in xs))


def size_of(x: Any) -> int:
    """The number of entries of an operand, 0 for a constant number."""
    return prod(x.shape) if type(x) is Var or (type(x) is np.ndarray and not is_splat(x)) else 0


def stretched(x: Any, y: Var, walk: Walk) -> Any:
    """An operand broadcast to the shape of the result whose entries are its own; None if it has another dtype."""
    if type(x) is not Var or x.dtype != y.dtype or x.weak:
        return None
    return x if x.shape == y.shape else walk.emit(np.broadcast_to, (x,), {"shape": y.shape}, y)


def reshaped(x: Any, shape: tuple[int, ...], walk: Walk) -> Any:
    """An operand in another shape, its entries in C's order."""
    if x.shape == shape:
        return x
    if is_splat(x):
        return splat(uniform(x), Var(shape, x.dtype))
    return walk.emit(reshape_to, (x,), {"shape": shape, "order": "C"}, (shape, x.dtype))


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


def number(x: Any) -> Any:
    """The value of a constant without axes; None for other operands."""
    return None if type(x) is Var or (type(x) is np.ndarray and x.ndim) else uniform(x)


def has_no_axes(x: Any) -> bool:
    """Whether an operand is a constant number, or a variable without axes."""
    return not x.shape and not x.weak if type(x) is Var else number(x) is not None


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
        bits = uniform(x).tobytes() if is_splat(x) else x.tobytes()
        return t, x.shape, x.dtype.str, bits if len(bits) <= _LARGE else blake2b(bits).digest()
    try:
        hash(x)
    except TypeError:
        return id(x)
    return t, x

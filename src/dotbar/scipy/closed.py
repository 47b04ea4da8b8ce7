"""Functions that a user gives to a solver, with the traced values that they close over made explicit.

A solver calls its function many times on plain arrays; what the function depends on besides is found once, by recording
it as the body of a loop is recorded (:mod:`dotbar.nested`), and becomes operands.  A function that cannot be recorded,
as it branches on values, keeps as operands the traced ones among what it is given.
"""

import types
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial, wraps
from hashlib import blake2b
from inspect import signature
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from dotbar.core import Cell, Shape, Traced, active, as_array, dtype_of, is_differentiable
from dotbar.errors import DotbarError
from dotbar.nested import record, run, stand_in
from dotbar.program import Part, Program, Var
from dotbar.rules.kinds import match
from dotbar.tree import flatten, unflatten

Function = Callable[..., Any]


class Closed:
    """A function ``f(operands, *xs)``, one array, of values of any level."""

    def __init__(self, program: Program):
        self.program = program

    def __call__(self, operands: Sequence[Any], *xs: Any) -> Any:
        if any(isinstance(x, Traced) for x in (*operands, *xs)):
            return self.program.apply(*operands, *xs)[0]
        return run(self.program, *operands, *xs)[0]

    def bound(self, operands: Sequence[Any]) -> Function:
        """The function of plain xs for plain operands."""
        return lambda *xs: run(self.program, *operands, *xs)[0]


class Opaque:
    """A function that branches on values: it is called as it is, its operands in their places in the container."""

    def __init__(self, f: Function, given: Any, error: DotbarError):
        self.f = f
        self.leaves, self.structure = flatten(given)
        self.error = error

    @property
    def operands(self) -> list[Any]:
        """The traced values in the container."""
        return [x for x in self.leaves if is_traced(x)]

    def __call__(self, operands: Sequence[Any], *xs: Any) -> Any:
        rest = iter(operands)
        leaves = [next(rest) if is_traced(x) else x for x in self.leaves]
        y = as_array(self.f(unflatten(self.structure, leaves), *xs))
        if is_traced(y) and not any(map(is_traced, (*operands, *xs))):
            raise self.error  # it closes over a traced value, which only a recording finds
        return y


def is_traced(x: Any) -> bool:
    """Whether a value is traced, and not just assigned to."""
    return isinstance(x, Traced) and type(x) is not Cell


def closed(given: Any, *functions: tuple[Function, Iterable[Any]]) -> tuple[list[Function], list[Any]]:
    """Functions ``f(operands, *xs)`` that return one array, and the operands that they have in common.

    Args:
        given: a container of all that the user gave besides functions.
        functions: functions ``f(given, *xs)``, each with examples of xs.
    """
    if not active.levels:
        return [partial(as_given, f, given) for f, _ in functions], []

    def body(f: Function) -> Function:
        return lambda *xs: [as_array(f(given, *xs))]

    try:
        programs, operands = record(*((body(f), examples) for f, examples in functions))
    except DotbarError as error:
        opaque = [Opaque(f, given, error) for f, _ in functions]
        return list(opaque), opaque[0].operands
    if not operands:
        return [partial(as_given, f, given) for f, _ in functions], []
    return [Closed(known(program)) for program in programs], operands


class Form:
    """A Program as a key: equal if Programs do the same to the same constants."""

    def __init__(self, program: Program):
        self.program = program
        self.key = described(program)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Form) and self.key == other.key


def described(program: Program) -> Any:
    """What a Program does, in whatever variables.

    Raises:
        TypeError: it holds something that may be another thing later.
    """
    numbers: dict[Var, int] = {}

    def part(x: Any) -> Any:
        match x:
            case Var():
                return numbers.setdefault(x, len(numbers)), x.shape, x.dtype, x.weak
            case Program():
                return described(x)
            case np.ndarray() | np.generic() if not x.dtype.hasobject:
                return type(x), x.dtype, x.shape, x.strides, blake2b(x.tobytes()).digest()
            case tuple() | list():
                return type(x), *map(part, x)
            case dict():
                return dict, *((key, part(value)) for key, value in x.items())
            case slice():
                return slice, *map(part, (x.start, x.stop, x.step))
            case float() | complex():
                return type(x), repr(x)  # -0.0 is not 0.0, nan is nan
            case bool() | int() | str() | bytes() | None | np.dtype() | type() | Part() | types.EllipsisType():
                return type(x), x
            case types.FunctionType() | types.BuiltinFunctionType() | np.ufunc() if not getattr(x, "__closure__", None):
                return x
            case _:
                raise TypeError(f"{type(x)} is no constant")

    equations = [
        (e.rule, part((*e.inputs, *e.outputs)), *((k, part(v)) for k, v in e.settings.items()))
        for e in program.equations
    ]
    return part(program.inputs), *equations, part(program.outputs)


@lru_cache(maxsize=64)
def first(form: Form) -> Program:
    """The first of Programs that are alike."""
    return form.program


def known(program: Program) -> Program:
    """A Program that is like this one, perhaps of an earlier call, with all that has been made of it."""
    try:
        return first(Form(program))
    except TypeError:
        return program


_DERIVED: WeakKeyDictionary[Program, dict[Any, dict[Any, Function]]] = WeakKeyDictionary()


def derived(f: Function, parameters: "Packed") -> dict[Any, Function]:
    """Functions that are made of f and recorded, which are kept as long as f's Program."""
    return _DERIVED.setdefault(f.program, {}).setdefault(parameters.key, {}) if isinstance(f, Closed) else {}


def recorded(
    f: Function, theta: Any, fixed: Sequence[Any], *xs: Any, among: dict[Any, Function] | None = None, name: Any = ""
) -> Function:
    """A function ``f(θ, fixed, *xs)`` as a Program, which is quicker to call; as it is if it cannot be recorded.

    If there is one of the same name and types ``among`` others, it is that; else it is entered there.
    """
    n = len(fixed)
    values = [theta, *fixed, *xs]
    key = name, f.__name__, *((np.shape(x), dtype_of(x)) for x in values)
    if among is not None and key in among:
        return among[key]
    try:
        (program,), outer = record((lambda *args: [f(args[0], args[1 : n + 1], *args[n + 1 :])], map(stand_in, values)))
    except DotbarError:
        return f
    call = Closed(program)
    if outer:
        return f
    made = lambda theta, fixed, *xs: call((theta, *fixed), *xs)
    if among is not None:
        among[key] = made
    return made


def as_given(f: Function, given: Any, operands: Sequence[Any], *xs: Any) -> Any:
    """The user's function itself, which has no operands."""
    return f(given, *xs)


class Packed:
    """Values of which all floating ones, or those chosen among them, are one vector θ; the others are fixed."""

    def __init__(self, xs: Sequence[Any], chosen: Callable[[Any], bool] = is_differentiable):
        self.forms = [Shape.of(x) if chosen(x) else None for x in xs]
        self.fixed = [x for x, form in zip(xs, self.forms) if form is None]
        floats = [np.ravel(as_array(x)) for x, form in zip(xs, self.forms) if form is not None]
        self.theta = np.concatenate(floats) if floats else np.zeros(0)
        self.key = tuple(form and (form.shape, form.dtype) for form in self.forms)
        self.last: tuple[Any, Any, list[Any]] = (None, None, [])

    def unpacked(self, theta: Any, fixed: Sequence[Any]) -> list[Any]:
        """The values again, given other θ and other fixed values; the same many times, as a solver asks for them."""
        if self.last[0] is theta and self.last[1] is fixed:
            return self.last[2]
        xs = self._unpacked(theta, fixed)
        if type(theta) is np.ndarray:
            self.last = theta, fixed, xs
        return xs

    def _unpacked(self, theta: Any, fixed: Sequence[Any]) -> list[Any]:
        xs, rest, start = [], iter(fixed), 0
        for form in self.forms:
            if form is None:
                xs.append(next(rest))
                continue
            x = np.reshape(theta[start : start + form.size], form.shape) if form.shape else theta[start]
            xs.append(match(x, form))
            start += form.size
        return xs


def arguments(fn: Function, args: Sequence[Any], kw: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by their names, with the defaults of those left out."""
    bound = signature(fn).bind(*args, **kw)
    bound.apply_defaults()
    return bound.arguments


def with_args(f: Function) -> Function:
    """A function of x and of further arguments as one of these and of x."""
    return wraps(f)(lambda args, *xs: f(*xs, *args))


def as_tuple(args: Any) -> tuple[Any, ...]:
    """Further arguments of a function; SciPy takes a single one as it is."""
    return args if isinstance(args, tuple) else (args,)

"""The Program: a recorded function in static single assignment, with static shapes and dtypes.

A Program is a list of equations; each calls one registered function on variables and constants, as dotbar's
levels call it: arrays positional, settings by keyword.  It is what ``jit`` records, what the compiler's passes
turn into better Programs, and what an interpreter can run through NumPy::

    program (a: f64[10], b: f64[10]):
      c: f64[10] = multiply a b
      d: f64[10] = sin c
      e: f64[] = sum d  axis=None
      return e
"""

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, permutations, product
from math import prod
from textwrap import indent
from typing import Any

import numpy as np

from dotbar.core import (
    Rule,
    Settings,
    Step,
    apply,
    cell,
    copy_in_order,
    dtype_of,
    is_view_of,
    shape_of,
    split,
    take_index,
    value_of,
    without_cells,
)
from dotbar.errors import DotbarError, ProgramError

__all__ = ["Equation", "Guard", "GuardFailed", "Program", "Refused", "Var", "exact"]


class Var:
    """A value of a Program: of a shape and a dtype, assigned once.  ``weak`` marks Python's own numbers."""

    __slots__ = ("dtype", "shape", "weak")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], weak: bool = False):
        self.shape = shape
        self.dtype = dtype
        self.weak = weak

    @classmethod
    def of(cls, x: Any) -> "Var":
        """A variable for a value."""
        return cls(shape_of(x), dtype_of(x), type(x) in (bool, int, float, complex))

    @property
    def type(self) -> str:
        """The type as it is printed: ``f64[3, 4]``."""
        names = {"b": "bool", "i": "i", "u": "u", "f": "f", "c": "c"}
        kind = names.get(self.dtype.kind, str(self.dtype))
        size = str(8 * self.dtype.itemsize) if kind in ("i", "u", "f", "c") else ""
        return f"{kind}{size}[{', '.join(map(str, self.shape))}]" + ("~" if self.weak else "")

    def __repr__(self) -> str:
        return f"<{self.type}>"


@dataclass(eq=False, slots=True)
class Equation:
    """``outputs = rule.fn(*inputs, **settings)``; an input is a variable or a constant."""

    rule: Rule
    inputs: tuple[Any, ...]
    settings: Settings
    outputs: tuple[Var, ...]


class GuardFailed(Exception):  # noqa: N818 (it is caught, and means another variant)
    """A value on which the recording depended has come out otherwise."""


def exact(x: Any) -> Any:
    """What equals only itself of a Python value: NaN does, and zeros have signs."""
    return repr(x) if type(x) in (float, complex) else x


class Guard(Rule):
    """The equation that a value, turned into a Python one by ``convert``, is what it was when recorded."""

    kind = "guard"
    name = "guard"

    def __init__(self, convert: Callable[..., Any]):
        super().__init__(self.check, ("*xs",), ("outcome", "line"))
        self.convert = convert
        self.name = getattr(convert, "__name__", self.name)

    def check(self, *xs: Any, outcome: Any, line: str = "") -> None:
        """Raise if the value is another now."""
        if exact(self.convert(*xs)) != exact(outcome):
            raise GuardFailed


class Refused(Guard):
    """The equation that a function refuses its arguments by an error."""

    name = "refused"

    def check(self, *xs: Any, outcome: Any, line: str = "") -> None:
        """Raise if there is no such error now."""
        try:
            self.convert(*xs)
        except Exception as error:
            if type(error) is outcome:
                return
        raise GuardFailed


class Written(Rule):
    """``written(x, v, *parts, path)``: x with the entries that a path selects replaced by v.

    The parts of the last index that are values of the Program stand among the arguments, as ``Part`` in the path.
    """

    kind = "written"
    name = "written"

    def __init__(self) -> None:
        super().__init__(self.write, ("x", "v", "*parts"), ("path",))
        self.name = "written"

    def write(self, x: Any, v: Any, *parts: Any, path: tuple[Step, ...]) -> Any:
        """A copy of ``x`` with new entries."""
        return without_cells(assigned(x, v, *parts, path=path))


class Control(Rule):
    """The equation of a loop or a branch, which holds Programs; its function finds its own way down the levels."""

    kind = "control"

    def __init__(self, fn: Callable[..., Any], arrays: tuple[str, ...], settings: tuple[str, ...]):
        super().__init__(fn, arrays, settings)
        self.name = fn.__name__


@dataclass(frozen=True)
class Part:
    """The place of an index's part among the arguments."""

    number: int


WRITTEN = Written()


def assigned(x: Any, v: Any, *parts: Any, path: tuple[Step, ...]) -> Any:
    """A copy of ``x`` with new entries; any of the arguments may be traced."""
    steps, index = split(path)
    x = cell(copied(x, steps))
    if parts:
        index = tuple(parts[i.number] if type(i) is Part else i for i in index)
    value_of(x, steps)[index] = v
    return x


def copied(x: Any, steps: tuple[Step, ...]) -> Any:
    """A copy of ``x`` that lies in memory so that the steps lead to a view of it, in C's order if they do there."""
    shape = shape_of(x)
    for order in permutations(range(len(shape))) if steps else ():
        form = np.transpose(np.empty([shape[k] for k in order], dtype_of(x)), np.argsort(order))
        if is_view_of(value_of(form, steps), form):
            return copy_in_order(x, order)
    return np.copy(x)


@dataclass(eq=False)
class Program:
    """Equations from inputs to outputs; an output is a variable or a constant."""

    inputs: list[Var]
    equations: list[Equation] = field(default_factory=list[Equation])
    outputs: list[Any] = field(default_factory=list[Any])

    # ------------------------------------------------ running

    def run(self, *args: Any) -> list[Any]:
        """The outputs, through NumPy, equation by equation, without its warnings; no value outlives its last use.

        Raises:
            GuardFailed: the inputs take another way through the function than those it was recorded with.
        """
        return self.function()(*args)

    def function(self) -> Callable[..., list[Any]]:
        """What runs the Program through NumPy: a Python function with a line for each equation."""
        names = self.names()
        scope: dict[str, Any] = {}

        def show(x: Any) -> str:
            if type(x) is Var:
                return names[x] + "_"
            scope[key := f"constant{len(scope)}"] = x
            return key

        lines = [f"def run({', '.join(map(show, self.inputs))}):"]
        for e, dead in zip(self.equations, self.last_uses()):
            scope[fn := f"function{len(scope)}"] = e.rule.fn
            settings = [f"{k}={show(v)}" for k, v in e.settings.items()]
            left = "".join(f"{show(x)}, " for x in e.outputs)
            left = f"{left if len(e.outputs) > 1 or isinstance(e.rule, Control) else left[:-2]} = " if left else ""
            lines.append(f"    {left}{fn}({', '.join([*map(show, e.inputs), *settings])})")
            if e.rule.kind == "constant" and len(e.outputs) == 1:  # np.nonzero of one axis
                lines.append(f"    if type({show(e.outputs[0])}) is tuple: {left}{show(e.outputs[0])}[0]")
            if dead:
                lines.append(f"    del {', '.join(map(show, dead))}")
        lines.append(f"    return [{', '.join(map(show, self.outputs))}]")
        exec(compile("\n".join(lines), "<dotbar program>", "exec"), scope)
        return np.errstate(all="ignore")(scope["run"])

    def apply(self, *args: Any) -> list[Any]:
        """The outputs for arguments of which some are traced."""
        values: dict[Any, Any] = dict(zip(self.inputs, args, strict=True))
        get = lambda x: values[x] if type(x) is Var else x
        for e in self.equations:
            xs = list(map(get, e.inputs))
            if isinstance(e.rule, Guard):
                e.rule.check(*xs, **e.settings)
                continue
            if isinstance(e.rule, Control):
                y = e.rule.fn(*xs, **e.settings)
            else:
                y = assigned(*xs, **e.settings) if e.rule is WRITTEN else apply(e.rule, xs, e.settings)
            values.update(zip(e.outputs, y if isinstance(y, tuple) else (y,), strict=True))
        return [get(x) for x in self.outputs]

    def last_uses(self) -> list[list[Var]]:
        """For each equation the variables that nothing after it reads."""
        seen = {x for x in self.outputs if type(x) is Var}
        dead: list[list[Var]] = []
        for equation in reversed(self.equations):
            here = {*variables(equation), *equation.outputs} - seen
            seen |= here
            dead.append(list(here))
        return dead[::-1]

    def pruned(self) -> "Program":
        """The Program without what nothing reads; guards and what prints stay."""
        needed = {x for x in self.outputs if type(x) is Var}
        equations: list[Equation] = []
        for e in reversed(self.equations):
            if has_effect(e) or any(y in needed for y in e.outputs):
                equations.append(e)
                needed.update(variables(e))
        return Program(self.inputs, equations[::-1], self.outputs)

    # ------------------------------------------------ reading

    def names(self) -> dict[Var, str]:
        """A letter for each variable, in the order of their assignment."""
        letters = iter(_letters())
        names: dict[Var, str] = {x: next(letters) for x in self.inputs}
        for equation in self.equations:
            names.update((x, next(letters)) for x in equation.outputs if x not in names)
        return names

    def __str__(self) -> str:
        return self.show("program")

    def show(self, title: str) -> str:
        """The Program as text; the Programs within its equations are indented."""
        names = self.names()
        show = lambda x: names.get(x, "?") if type(x) is Var else _constant(x)
        typed = lambda xs: ", ".join(f"{show(x)}: {x.type}" for x in xs)
        lines = [f"{title} ({typed(self.inputs)}):"]
        for e in self.equations:
            hidden = (Program, tuple) if isinstance(e.rule, Control) else ()
            settings = "".join(f"  {k}={_setting(v, show)}" for k, v in e.settings.items() if not isinstance(v, hidden))
            left = f"{typed(e.outputs)} = " if e.outputs else f"{e.rule.kind} "
            lines.append(f"  {left}{_name(e.rule)} {' '.join(map(show, e.inputs))}{settings}")
            lines += [indent(program.show(name), "    ") for name, program in programs(e).items()]
        lines.append(f"  return {', '.join(map(show, self.outputs))}")
        return "\n".join(lines)

    # ------------------------------------------------ checking

    def validate(self) -> "Program":
        """Return the Program if it is well formed.

        Raises:
            ProgramError: a variable is read before it is assigned, or assigned twice, or the result of a function
                is not of the shape and dtype that NumPy gives it.
        """
        known: set[Var] = set()

        def assign(x: Any, where: str) -> None:
            if type(x) is not Var:
                raise ProgramError(f"{where} assigns to {x!r}, which is no variable.")
            if x in known:
                raise ProgramError(f"{where} assigns a variable a second time: {x!r}.")
            known.add(x)

        for x in self.inputs:
            assign(x, "the list of inputs")
        for number, equation in enumerate(self.equations):
            where = f"equation {number} ({equation.rule.name})"
            for x in variables(equation):
                if x not in known:
                    raise ProgramError(f"{where} reads {x!r} before it is assigned.")
            for x in equation.outputs:
                assign(x, where)
            _check_types(equation, where)
            for name, program in programs(equation).items():
                _check_nested(equation, name, program.validate(), where)
        for x in self.outputs:
            if type(x) is Var and x not in known:
                raise ProgramError(f"the Program returns {x!r}, which is never assigned.")
        return self


def variables(equation: Equation) -> Iterator[Var]:
    """The variables that an equation reads."""
    return (x for x in equation.inputs if type(x) is Var)


def programs(equation: Equation) -> dict[str, Program]:
    """The Programs that a loop or a branch holds, by their names."""
    found: dict[str, Program] = {}
    for key, value in equation.settings.items() if isinstance(equation.rule, Control) else ():
        if isinstance(value, Program):
            found[key] = value
        elif isinstance(value, tuple):
            found |= {f"branch {k}": p for k, p in enumerate(value)}
    return found


def is_static(equation: Equation) -> bool:
    """Whether all shapes are known: no stack of a loop whose number of steps is not."""
    return not [x for x in (*equation.outputs, *equation.inputs) if type(x) is Var and -1 in x.shape]


def array_type(x: Any) -> tuple[Any, ...]:
    """What the equations behind a result rely on."""
    return shape_of(x), dtype_of(x)


def has_effect(equation: Equation) -> bool:
    """Whether an equation does something besides its results."""
    if not equation.outputs or not isinstance(equation.rule, Control):
        return not equation.outputs
    return any(has_effect(e) for p in programs(equation).values() for e in p.equations)


def _check_nested(equation: Equation, name: str, program: Program, where: str) -> None:
    """A body takes the operands (of those that a loop goes along, one item) and returns the carries or the results."""
    loops = equation.settings.get("carries")
    given = equation.inputs if loops is not None else equation.inputs[1:]
    whole = equation.settings["consts"] + loops if loops is not None else len(given)
    shapes = [shape_of(x)[k >= whole :] for k, x in enumerate(given)]
    if shapes != [x.shape for x in program.inputs]:
        raise ProgramError(f"{name} of {where} is given arrays of shapes {shapes}, which it does not take.")
    pairs = zip(equation.outputs[:loops], program.outputs) if name != "test" else ()
    if any(x.shape != shape_of(y) for x, y in pairs):
        raise ProgramError(f"{name} of {where} returns arrays of other shapes than it must.")


LARGEST = 1 << 16  # entries of operands on which a function is tried


def _check_types(equation: Equation, where: str) -> None:
    """Compare the outputs with what the function makes of other values of the same types."""
    fn = equation.rule.fn
    made: list[tuple[Any, Any]]
    if not is_static(equation):
        return
    if isinstance(fn, np.ufunc) and fn.signature is None and not equation.settings:
        made = _made_by_ufunc(fn, equation, where)
    elif not _can_be_tried(equation):
        return
    else:
        try:
            with np.errstate(all="ignore"):
                y = fn(*map(stand_in, equation.inputs), **equation.settings)
        except (DotbarError, GuardFailed, np.linalg.LinAlgError, Warning):
            return  # of these values, which says nothing about others
        except Exception as error:
            if (type(error) is ValueError or isinstance(error, RuntimeError)) and comes_from_scipy(error):
                return  # which checks values, too
            raise ProgramError(f"{where} cannot be computed: {error}") from error
        made = [(shape_of(v), dtype_of(v)) for v in (y if isinstance(y, tuple) else (y,))]
    if made != [(y.shape, y.dtype) for y in equation.outputs]:
        shown = ", ".join(Var(*m).type for m in made)
        raise ProgramError(f"{where} makes {shown}, assigned to {', '.join(map(repr, equation.outputs))}.")


def comes_from_scipy(error: Exception) -> bool:
    """Whether SciPy, or dotbar's mirror of it, has raised an error."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return "scipy" in frame.f_globals.get("__name__", "").split(".")[:2]


def _can_be_tried(equation: Equation) -> bool:
    """Whether a call on other values, of the types that the operands have, is cheap and tells the results' types."""
    if equation.rule.kind in ("guard", "control") or equation.rule.varies(equation.inputs):
        return False
    return sum(prod(shape_of(x)) for x in (*equation.inputs, *equation.outputs)) <= LARGEST


def stand_in(x: Any) -> Any:
    """Some value of the type of an operand."""
    if type(x) is not Var:
        return x
    value = x.dtype.type(0.5 if x.dtype.kind in "fc" else 0)
    if x.shape:
        return np.broadcast_to(value, x.shape)
    return value.item() if x.weak else value


def _made_by_ufunc(fn: np.ufunc, equation: Equation, where: str) -> list[tuple[Any, Any]]:
    dtypes: list[Any] = []
    for x in equation.inputs:
        weak = type(stand_in(x))
        dtypes.append(weak if weak in (int, float, complex) else dtype_of(x))
    try:
        shape = np.broadcast_shapes(*map(shape_of, equation.inputs))
        found = fn.resolve_dtypes((*dtypes, *(None,) * fn.nout))
    except (TypeError, ValueError) as error:
        raise ProgramError(f"{where}: {error}") from None
    return [(shape, dtype) for dtype in found[fn.nin :]]


def _name(rule: Rule) -> str:
    """A function's name as it is printed: that of NumPy from below ``numpy``, a word of dotbar's alone."""
    name = rule.name.removeprefix("numpy.")
    return name.rpartition(".")[2] if name.startswith("dotbar.") else name


def _letters() -> Iterator[str]:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return ("".join(letters) for length in count(1) for letters in product(alphabet, repeat=length))


def _constant(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"<{Var.of(x).type}>" if x.size > 4 else np.array2string(x, separator=", ").replace("\n", "")
    return repr(x.item()) if isinstance(x, np.generic) else repr(x)


def _setting(v: Any, show: Callable[[Any], str]) -> str:
    if isinstance(v, tuple) and v and isinstance(v[0], tuple) and callable(v[0][0]):  # a path
        return "".join(_step(*step) for step in v)
    return getattr(v, "__name__", None) or _constant(v)


def _step(fn: Callable[..., Any], kw: Settings) -> str:
    if fn is take_index:
        index = kw["index"] if isinstance(kw["index"], tuple) else (kw["index"],)
        return f"[{', '.join(map(_index, index))}]"
    return f".{fn.__name__}({', '.join(f'{k}={v!r}' for k, v in kw.items())})"


def _index(i: Any) -> str:
    if isinstance(i, slice):
        shown = f"{'' if i.start is None else i.start}:{'' if i.stop is None else i.stop}"
        return shown if i.step is None else f"{shown}:{i.step}"
    return "..." if i is ... else "None" if i is None else _constant(i)

"""Recording: a Python function, run once on example arguments, becomes a Program.

Recording is one more level: each call on its values is made on the examples, one level lower, and noted as an
equation.  So shapes and dtypes are NumPy's own, Python's control flow takes the way that the examples take, and
whatever runs above (a tape and its sweep, a batch) is recorded with the rest.  A value that becomes a Python
number on its way (``if``, ``int``, ``range``) is noted as a guard.  Assignment is functional in the Program: the new
contents are a new variable.
"""

import operator
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import methodcaller
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from dotbar import core
from dotbar.core import (
    Cell,
    Level,
    Rule,
    Settings,
    Step,
    Traced,
    as_now,
    as_python,
    is_number,
    own,
    rebuild,
    refresh,
    split,
    take_index,
    value_of,
    wrap_view,
)
from dotbar.errors import user_line
from dotbar.program import WRITTEN, Equation, Guard, Part, Program, Refused, Var, array_type

__all__ = ["LONG", "Recorded", "Recording", "recordings"]

LONG = 10_000
"""A Program of so many equations is more likely a loop of Python than a long text."""


class Recorded(Traced):
    """A value of a recording: ``value`` is what it is in the example, ``aux`` its variable, None for a constant."""

    __slots__ = ()

    @as_now
    def __bool__(self) -> bool:
        return self.guarded(TRUTH)

    @as_now
    def __int__(self) -> int:
        return self.guarded(INTEGER)

    @as_now
    def __index__(self) -> int:
        return self.guarded(INDEX)

    @as_now
    def __float__(self) -> float:
        return self.guarded(NUMBER)

    @as_now
    def __complex__(self) -> complex:
        return self.guarded(COMPLEX)

    @as_now
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """A count such as that of ``np.repeat(x, n)`` or ``np.arange(n)``; what has a derivative is refused."""
        if self.shape or self.dtype.kind not in "biu":
            return super().__array__(dtype, copy)
        return np.array(as_python(self), dtype or self.dtype)

    @as_now
    def __hash__(self) -> int:
        return self.guarded(HASH)

    @as_now
    def __format__(self, spec: str) -> str:
        return format(self.current(), spec) if self.shape else self.guarded(Guard(methodcaller("__format__", spec)))

    def __str__(self) -> str:
        return format(self)

    def __mul__(self, other: Any) -> Any:
        return other * operator.index(self) if self.repeats(other) else super().__mul__(other)  # type: ignore[misc]

    def __rmul__(self, other: Any) -> Any:
        return other * operator.index(self) if self.repeats(other) else super().__rmul__(other)  # type: ignore[misc]

    def repeats(self, other: Any) -> bool:
        """Whether a product with it is a repetition: ``[0] * n``."""
        return isinstance(other, (str, bytes, list, tuple)) and is_number(self) and self.dtype.kind in "iu"

    def guarded(self, guard: Guard) -> Any:
        """The value as a Python number; the recording notes that it depends on it."""
        refresh(self)
        level: Any = self.level
        try:
            outcome = guard.convert(self.value)
        except Exception as error:
            level.refused(error, guard.convert, [self])
            raise
        if self.aux is not None:
            level.note(guard, (self.aux,), {"outcome": outcome, "line": user_line()})
        return outcome


TRUTH, INTEGER, INDEX, NUMBER, COMPLEX, HASH = map(Guard, (bool, int, operator.index, float, complex, hash))
TYPE = Guard(array_type)


class Recordings(threading.local):
    """The recordings that a thread is in, the outermost first."""

    def __init__(self) -> None:
        self.open: list[Recording] = []


recordings = Recordings()


class Recording(Level):
    """A level whose values are noted, equation by equation, in ``program``."""

    __slots__ = ("program",)
    kind: ClassVar[type[Traced]] = Recorded
    derives: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.program = Program([])

    def __enter__(self) -> Self:
        recordings.open.append(self)
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        recordings.open.remove(self)
        super().__exit__(*error)

    def input(self, x: Any) -> Recorded:
        """A new input of the Program, with its example."""
        self.program.inputs.append(var := Var.of(x))
        return Recorded(x, self, var)

    def note(self, rule: Rule, inputs: Iterable[Any], settings: Settings, outputs: Sequence[Var] = ()) -> None:
        """Append an equation."""
        self.program.equations.append(Equation(rule, tuple(inputs), settings, tuple(outputs)))
        if len(self.program.equations) == LONG:
            warnings.warn(
                f"{LONG} operations have been recorded so far, now at {user_line()}: if that is a loop of Python, each "
                "of its steps becomes code of its own. Make it one step by dotbar.scan, fori_loop or while_loop.",
                stacklevel=2,
            )

    def refused(self, error: Exception, fn: Callable[..., Any], xs: Iterable[Any]) -> None:
        """Note that a function refuses its arguments, as the user's function may catch that and go another way."""
        self.note(Refused(fn), map(self.operand, xs), {"outcome": type(error), "line": user_line()})

    def allow(self, root: Traced) -> None:
        """Refuse an assignment that must not happen while this recording is open."""

    def operand(self, x: Any) -> Any:
        """What stands for a value in an equation: its variable, or a constant that nobody can change."""
        if isinstance(x, Traced) and x.level is self:
            if x.aux is not None:
                return x.aux
            x = x.value
        if type(x) is Cell:
            x = x.value
        return np.copy(x) if isinstance(x, np.ndarray) else x

    def process(self, rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
        kw = {key: tuple(map(plain, v)) if type(v) is tuple else v for key, v in kw.items()}
        try:
            y = rule.fn(*[x.value if isinstance(x, Traced) and x.level is self else x for x in xs], **kw)
        except Exception as error:
            self.refused(error, partial(rule.fn, **kw), xs)
            raise
        many = isinstance(y, tuple)
        outputs = [Var.of(v) for v in (y if many else (y,))]
        operands = list(map(self.operand, xs))
        if any(-1 in x.shape for x in operands if type(x) is Var):
            outputs = of_any_length(rule, operands, kw, outputs)
        self.note(rule, operands, kw, outputs)
        if any(v.shape for v in outputs) and rule.varies(xs):
            for v in outputs:  # how many nonzero entries there are, or whether eigenvalues are real, may change
                self.note(TYPE, (v,), {"outcome": array_type(v), "line": user_line()})
        if many:
            return rebuild(y, [Recorded(v, self, var) for v, var in zip(y, outputs)])
        if isinstance(y, np.ndarray) and (rule is core.READ or (rule.makes_views and len(xs) == 1)):
            return wrap_view(self, rule, xs[0], kw, y, outputs[0])
        return Recorded(y, self, outputs[0])

    def lift(self, x: Traced, inner: Any) -> None:
        x.value = inner
        x.aux = None

    def write(self, root: Traced, path: tuple[Step, ...], v: Any) -> None:
        for level in recordings.open:
            level.allow(root)
        value = lambda x: x.value if isinstance(x, Traced) and x.level is self else x
        steps, index = split(path)
        parts = index if type(index) is tuple else (index,)
        moving = [i for i in parts if isinstance(i, Traced)]
        inputs = [self.operand(x) for x in (root, v, *moving)]
        if moving:
            numbers = iter(map(Part, range(len(moving))))
            template = tuple(next(numbers) if isinstance(i, Traced) else i for i in parts)
            path, index = (*steps, (take_index, {"index": template})), tuple(map(value, parts))
        try:
            value_of(own(root, value(v)), steps)[index] = value(v)
        except Exception as error:
            self.refused(error, partial(WRITTEN.write, path=path), inputs)
            raise
        root.aux = Var.of(root.value)
        self.note(WRITTEN, inputs, {"path": path}, (root.aux,))


def plain(x: Any) -> Any:
    """A part of a setting, such as an axis, as a Python number."""
    return as_python(x) if isinstance(x, Traced) else x


def of_any_length(rule: Rule, operands: Sequence[Any], kw: Settings, outputs: Sequence[Var]) -> list[Var]:
    """The results of an equation on stacks of unknown length, with -1 where a length depends on theirs."""

    def shapes(n: int) -> list[tuple[int, ...]]:
        stand_in = lambda x: np.zeros([n if k == -1 else k for k in x.shape], x.dtype) if type(x) is Var else x
        y = rule.fn(*map(stand_in, operands), **kw)
        return [v.shape for v in (y if isinstance(y, tuple) else (y,))]

    pairs = [tuple(a if a == b else -1 for a, b in zip(*both)) for both in zip(shapes(3), shapes(4))]
    return [Var(shape, y.dtype) for shape, y in zip(pairs, outputs)]

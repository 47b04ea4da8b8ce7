"""debug_nans: which operation of the user's made the first derivative that is not finite, and why."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Any, ClassVar, NamedTuple

import numpy as np

from dotbar import core
from dotbar.core import Rule, Settings, Traced, is_differentiable
from dotbar.dual import Dual, Forward
from dotbar.errors import NonFiniteError, user_frame, user_line
from dotbar.rules.kinds import dense
from dotbar.tape import Bars, Entry, Tape, Taped

__all__ = ["debug_nans"]

_watching: ContextVar[bool] = ContextVar("watching", default=False)
_swept: ContextVar[tuple[FrameType | None, str]] = ContextVar("swept", default=(None, ""))


def debug_nans() -> AbstractContextManager[None]:
    """A context in which the first dot or bar that is NaN or infinite raises.

    The error names the file and line of the forward operation, the function, the place in the array, the values
    there, and the likely reason.  In forward mode that includes a dot which a later ``where`` would discard.
    Everything is slower inside::

        with dotbar.debug_nans():
            dotbar.grad(f)(x)

    Raises:
        NonFiniteError: a FloatingPointError.
    """
    return _debug_nans()


@contextmanager
def _debug_nans() -> Any:
    token = _watching.set(True)
    try:
        yield
    finally:
        _watching.reset(token)


def open_tape(n_inputs: int) -> Tape:
    """A level of reverse mode; a watched one inside :func:`debug_nans`."""
    return WatchedTape(n_inputs) if _watching.get() else Tape(n_inputs)


def open_forward() -> Forward:
    """A level of forward mode; a watched one inside :func:`debug_nans`."""
    return WatchedForward() if _watching.get() else Forward()


# ---------------------------------------------------------------- reverse mode


class Watched(Taped):
    """A value on a watched tape: being of another class than Taped, it takes no shortcut past ``process``."""

    __slots__ = ()


class WatchedTape(Tape):
    """A tape whose entries check what they add to the bars of their arguments."""

    __slots__ = ()
    kind: ClassVar[type[Traced]] = Watched

    def inputs(self, xs: Sequence[Any]) -> list[Taped]:
        return [_watched(x) for x in super().inputs(xs)]

    def process(self, rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
        start = len(self.entries)
        y = super().process(rule, xs, kw)
        outputs = y if isinstance(y, tuple) else (y,)
        for v in outputs:
            _watched(v)
        if len(self.entries) > start:
            self.watch(start, Origin.of_rule(rule, xs, outputs[0], _origin_of_root(rule, xs, self)), xs)
        return y

    def watch(self, index: int, origin: "Origin", xs: Sequence[Any]) -> None:
        """Have an entry check the bars that it makes of its arguments."""
        nodes = {i: x.aux for i, x in enumerate(xs) if isinstance(x, Traced) and x.level is self}
        self.entries[index] = (sweep_watched, self.entries[index], nodes, origin)


def _watched(y: Any) -> Any:
    if type(y) is Taped:
        y.__class__ = Watched
    return y


def sweep_watched(g: Any, bars: Bars, entry: Entry) -> None:
    """Sweep the entry inside; if that makes a bar non-finite, say so."""
    _, inner, nodes, origin = entry
    token = _swept.set((user_frame(), f"{origin.place}, in the bar of {origin.name}"))
    try:
        inner[0](g, bars, inner)
    finally:
        _swept.reset(token)
    for i, node in nodes.items():
        found = bars[node]
        if found is not None and (where := first_bad(found)) is not None:
            what = f"the bar of {origin.names[i]} of" if len(origin.values) > 1 else "the bar of"
            raise NonFiniteError(origin.message(what, plain(dense(found)), where, [g]))


# ---------------------------------------------------------------- forward mode


class WatchedForward(Forward):
    """A level of forward mode that checks every tangent it computes."""

    __slots__ = ()

    def process(self, rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
        y = super().process(rule, xs, kw)
        for v in y if isinstance(y, tuple) else (y,):
            self.check(v, xs, lambda v=v: Origin.of_rule(rule, xs, v, _origin_of_root(rule, xs, self)))
        return y

    def check(self, y: Any, xs: Sequence[Any], origin: "Callable[[], Origin]") -> None:
        """Raise if the tangent of a result is not finite."""
        if type(y) is Dual and y.level is self and (where := first_bad(y.aux)) is not None:
            dots = [x.aux for x in xs if isinstance(x, Dual) and x.level is self]
            raise NonFiniteError(origin().message("the dot of", plain(y.aux), where, dots))


# ---------------------------------------------------------------- what is wrong


def place() -> str:
    """The user's line; of an operation of a rule, the line of what is being swept."""
    frame, swept = _swept.get()
    return swept if swept and user_frame() is frame else user_line()


def plain(x: Any) -> Any:
    """The plain array below all levels."""
    while isinstance(x, Traced):
        x = x.value
    return x


def first_bad(x: Any) -> tuple[int, ...] | None:
    """The index of the first entry that is not finite."""
    x = plain(dense(x))
    if isinstance(x, list) or x is None or not is_differentiable(x):
        return None
    bad = ~np.isfinite(np.asarray(x))
    return tuple(int(k) for k in np.unravel_index(np.argmax(bad), bad.shape)) if bad.any() else None


class Origin(NamedTuple):
    """The forward operation that a derivative belongs to, as messages describe it."""

    place: str
    name: str
    names: Sequence[str]
    values: Sequence[Any]
    y: Any
    hint: str = ""
    rule: Rule | None = None

    @classmethod
    def of_rule(cls, rule: Rule, xs: Sequence[Any], y: Any, hint: str) -> "Origin":
        """A call that reached a rule."""
        names = rule.arrays if len(rule.arrays) == len(xs) else _numbered(xs)
        return cls(place(), rule.name, names, list(map(plain, xs)), plain(y), hint, rule)

    @classmethod
    def of_custom(cls, name: str, xs: Sequence[Any], y: Any) -> "Origin":
        """A call of a function with the user's own rule."""
        return cls(place(), name, _numbered(xs), list(map(plain, xs)), plain(y))

    def message(self, what: str, found: Any, where: tuple[int, ...], given: Sequence[Any]) -> str:
        """What was found, where, and the likely reason; ``given`` are the derivatives that it was computed from."""
        at = f" at index {where}" if where else ""
        shown = [f"{name} = {_entry(v, where, found)}" for name, v in zip(self.names, self.values) if v is not None]
        if any(first_bad(g) is not None for g in given):
            reason = "The derivative that it was computed from was not finite."
        elif any(first_bad(v) is not None for v in self.values):
            reason = "An argument was not finite before."
        elif first_bad(self.y) is not None:
            reason = "The value of the function itself is not finite."
        else:
            reason = "The function is finite there, its derivative is not."
        return (
            f"{self.place}: {what} {self.name} is {np.asarray(found)[where]}{at}, where {', '.join(shown)} "
            f"and the result is {_entry(self.y, where, found)}. {reason}{self.hint}"
        )


def _numbered(xs: Sequence[Any]) -> list[str]:
    return [f"argument {k}" for k in range(len(xs))]


def _origin_of_root(rule: Rule, xs: Sequence[Any], level: Any) -> str:
    """A better function than ``sqrt(sum(x²))``, where that is what was written."""
    if rule.fn is not np.sqrt or np.all(np.asarray(plain(xs[0])) != 0):
        return ""
    if isinstance(level, Tape):
        entry = level.entries[xs[0].aux]
        if entry is None or entry[0] is not sweep_watched:
            return ""
        below = entry[3].rule
        if below is None or below is core.READ or (below.kind == "elementwise" and below.fn is not np.add):
            return ""
    elif np.ndim(plain(xs[0])):
        return ""
    return " If this is sqrt(sum(x²)), use np.linalg.norm(x): its derivative at 0 is 0."


def _entry(v: Any, where: tuple[int, ...], found: Any) -> str:
    """The entry that belongs to a place of the derivative, if the shapes allow it."""
    if np.ndim(v) == 0:
        return f"{np.asarray(v)[()]}"
    try:
        return f"{np.broadcast_to(v, np.shape(found))[where]}"
    except ValueError:
        return f"an array of shape {np.shape(v)}"

"""debug_nans: which operation of the user's made the first derivative that is not finite, and why."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

import numpy as np

from dotbar.core import Rule, Settings, Traced, is_differentiable
from dotbar.dual import Dual, Forward
from dotbar.errors import NonFiniteError, user_line
from dotbar.rules.kinds import dense
from dotbar.tape import Bars, Entry, Tape, Taped

__all__ = ["debug_nans"]

_watching: ContextVar[bool] = ContextVar("watching", default=False)


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

    def input(self, x: Any, index: int) -> Taped:
        return _watched(super().input(x, index))

    def process(self, rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
        start = len(self.entries)
        y = super().process(rule, xs, kw)
        outputs = y if isinstance(y, tuple) else (y,)
        for v in outputs:
            _watched(v)
        if len(self.entries) > start and (entry := self.entries[start]) is not None:
            nodes = {i: x.aux for i, x in enumerate(xs) if isinstance(x, Traced) and x.level is self}
            values = [plain(x) for x in xs]
            origin = (user_line(), rule, values, plain(outputs[0]), _origin_of_root(rule, xs, self))
            self.entries[start] = (sweep_watched, entry, nodes, origin)
        return y


def _watched(y: Any) -> Any:
    if type(y) is Taped:
        y.__class__ = Watched
    return y


def sweep_watched(g: Any, bars: Bars, entry: Entry) -> None:
    """Sweep the entry inside; if that makes a bar non-finite, say so."""
    _, inner, nodes, (place, rule, values, y, hint) = entry
    inner[0](g, bars, inner)
    for i, node in nodes.items():
        found = bars[node]
        if found is not None and (where := first_bad(dense(found))) is not None:
            raise NonFiniteError(_message("bar", i, where, plain(dense(found)), place, rule, values, y, hint))


# ---------------------------------------------------------------- forward mode


class WatchedForward(Forward):
    """A level of forward mode that checks every tangent it computes."""

    __slots__ = ()

    def process(self, rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
        y = super().process(rule, xs, kw)
        for v in y if isinstance(y, tuple) else (y,):
            if isinstance(v, Dual) and v.level is self and (where := first_bad(v.aux)) is not None:
                values = [plain(x) for x in xs]
                hint = _origin_of_root(rule, xs, self)
                raise NonFiniteError(
                    _message("dot", None, where, plain(v.aux), user_line(), rule, values, plain(v), hint)
                )
        return y


# ---------------------------------------------------------------- what is wrong


def plain(x: Any) -> Any:
    """The plain array below all levels."""
    while isinstance(x, Traced):
        x = x.value
    return x


def first_bad(x: Any) -> tuple[int, ...] | None:
    """The index of the first entry that is not finite."""
    x = plain(x)
    if isinstance(x, list) or x is None or not is_differentiable(x):
        return None
    bad = ~np.isfinite(np.asarray(x))
    return tuple(int(k) for k in np.unravel_index(np.argmax(bad), bad.shape)) if bad.any() else None


def _origin_of_root(rule: Rule, xs: Sequence[Any], level: Any) -> str:
    """A better function than ``sqrt(sum(x²))``, where that is what was written."""
    if rule.fn is not np.sqrt or np.all(np.asarray(plain(xs[0])) != 0):
        return ""
    if isinstance(level, Tape):
        entry = level.entries[xs[0].aux]
        if entry is None or entry[0] is not sweep_watched:
            return ""
        below = entry[3][1]
        if below.kind == "elementwise" and below.fn is not np.add:
            return ""
    return " If this is sqrt(sum(x²)), use np.linalg.norm(x): its derivative at 0 is 0."


def _message(
    what: str,
    argument: int | None,
    where: tuple[int, ...],
    found: Any,
    place: str,
    rule: Rule,
    values: Sequence[Any],
    y: Any,
    hint: str,
) -> str:
    at = f" at index {where}" if where else ""
    shown = [
        f"{name} = {_entry(v, where, found)}" for name, v in zip(_names(rule, len(values)), values) if v is not None
    ]
    of = f"the bar of argument {argument}" if what == "bar" and len(values) > 1 else f"the {what}"
    return (
        f"{place}: {of} of {rule.name} is {np.asarray(found)[where]}{at}, where {', '.join(shown)} "
        f"and the result is {_entry(y, where, found)}. {_reason(values, y)}{hint}"
    )


def _names(rule: Rule, n: int) -> Sequence[str]:
    return rule.arrays if len(rule.arrays) == n else [f"argument {k}" for k in range(n)]


def _entry(v: Any, where: tuple[int, ...], found: Any) -> str:
    """The entry that belongs to a place of the derivative, if the shapes allow it."""
    v = v[0] if isinstance(v, tuple) else v
    if np.ndim(v) == 0:
        return f"{np.asarray(v)[()]}"
    try:
        return f"{np.broadcast_to(v, np.shape(found))[where]}"
    except ValueError:
        return f"an array of shape {np.shape(v)}"


def _reason(values: Sequence[Any], y: Any) -> str:
    if any(first_bad(v) is not None for v in values if v is not None):
        return "An argument was not finite before."
    y = y[0] if isinstance(y, tuple) else y
    if first_bad(y) is not None:
        return "The value of the function itself is not finite."
    return "The function is finite there, its derivative is not."

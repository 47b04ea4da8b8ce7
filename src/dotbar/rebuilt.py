"""Functions and objects with other arrays in the place of those that they lead to.

That is how ``jit`` makes inputs of a Program of what a function finds in its surroundings.  Nothing of the user's is
touched: the function that runs is a copy, among copies of whatever lies on the way to an array.
"""

import copy
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from types import CellType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

from dotbar.core import Traced
from dotbar.errors import EscapedError
from dotbar.surroundings import MISSING, PARTS, Place, Surroundings, contents, holders_of, slots
from dotbar.transforms import Derived
from dotbar.tree import flatten

__all__ = ["Rebuilt"]


class Rebuilt:
    """What some surroundings have, made anew as far as it leads to arrays, with others in the place of these."""

    def __init__(self, surroundings: Surroundings, arrays: Sequence[Any]):
        places = surroundings.places
        owners: dict[int, list[Any]] = {}
        self._places: dict[int, list[Place]] = {}
        for place in places:
            self._places.setdefault(id(place.owner), []).append(place)
            owners.setdefault(id(place.value), []).append(place.owner)
        replaced = surroundings.replaced
        self._given = {id(p): x for p, x in zip(replaced, arrays)}
        self._old = {id(x): p.value for p, x in zip(replaced, arrays)}
        self._new: dict[int, Any] = {}
        self._holders: dict[int, tuple[Any, Any]] = {}
        self._leading: dict[int, Any] = {}
        todo = [p.owner for p in replaced]
        while todo:
            x = todo.pop()
            if id(x) not in self._leading:
                self._leading[id(x)] = x
                todo += owners.get(id(x), [])
        changeable = [x for x in self._leading.values() if not isinstance(x, (tuple, *PARTS))]
        for x in changeable:
            self._remember(x, self._copied(x))
        for place in (p for x in changeable for p in self._places[id(x)]):
            value = self._value(place)
            if value is not place.value:
                holder = place.owner if isinstance(place.owner, type) else place.holder
                assign(self._holders[id(holder)][1], place.name, value)
        for holder in (holder for x in surroundings.followed.values() for holder in holders_of(x)):
            self._held(holder, lambda same: same)  # what is not copied is watched
        self._before = [(old, new, contents(new)) for old, new in self._holders.values()]

    def of(self, x: Any) -> Any:
        """What takes the place of a function or an object."""
        if id(x) in self._leading and id(x) not in self._new:
            self._remember(x, assembled(x, [self._value(p) for p in self._places[id(x)]]))
        return self._new.get(id(x), x)

    def settle(self) -> None:
        """Assign to the user's own what has been assigned to copies.

        Raises:
            EscapedError: some of it is traced.
        """
        changed = [(old, before, now) for old, new, before in self._before if differ(before, now := contents(new))]
        for _, before, now in changed:
            for name, x in now.items():
                if x is not before.get(name, MISSING) and is_traced(self._own(x)):
                    for old, before, _ in changed:
                        fill(old, {k: self._own(x) for k, x in before.items()})
                    raise EscapedError(
                        f"a traced value is assigned to {name!r}, which is outside of the function that jit compiles: "
                        "compiled code does not come there. Return the value instead."
                    )
        for old, before, now in changed:
            fill(old, {k: self._own(x) for k, x in now.items()})
            for name, x in now.items():
                was = before.get(name)
                if x is not was and isinstance(was, (int, float, complex)):
                    warnings.warn(
                        f"{name or 'a nonlocal name'} is changed from {was} to {x} under jit: that happens when the "
                        "function is recorded, not in each call. Take it as an argument, and return it.",
                        stacklevel=6,
                    )

    def _own(self, x: Any) -> Any:
        """The user's own thing that a copy stands for."""
        return self._old.get(id(x), x)

    def _value(self, place: Place) -> Any:
        return self._given[id(place)] if id(place) in self._given else self.of(place.value)

    def _remember(self, x: Any, new: Any) -> None:
        self._new[id(x)] = new
        self._old[id(new)] = x

    def _held(self, old: Any, make: Callable[[Any], Any]) -> Any:
        """What takes the place of a holder, which several things may share."""
        if id(old) not in self._holders:
            self._holders[id(old)] = old, make(old)
        return self._holders[id(old)][1]

    def _copied(self, x: Any) -> Any:
        if isinstance(x, (dict, list)):
            return self._held(x, copy.copy)
        if isinstance(x, type):
            about = {"__slots__": (), "__module__": x.__module__, "__qualname__": x.__qualname__}
            return self._held(x, lambda x: type(x)(x.__name__, (x,), about))
        if isinstance(x, FunctionType):
            cells = tuple([self._held(cell, lambda c: CellType(*contents(c).values())) for cell in x.__closure__ or ()])
            names = self._held(x.__globals__, dict)
            new = self._held(x, lambda x: FunctionType(x.__code__, names, x.__name__, x.__defaults__, cells))
            new.__kwdefaults__ = x.__kwdefaults__
        else:
            plain = SimpleNamespace if type(x) is SimpleNamespace else object
            new = ModuleType("") if isinstance(x, ModuleType) else plain.__new__(type(x))
            self._held(x, lambda _: new)
            for name in slots(type(x)):
                if hasattr(x, name):
                    object.__setattr__(new, name, getattr(x, name))
        if hasattr(x, "__dict__"):
            self._held(vars(x), lambda _: vars(new)).update(vars(x))
        return new


def assembled(x: Any, parts: list[Any]) -> Any:
    """What is like ``x`` of other parts."""
    if isinstance(x, tuple):
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    if isinstance(x, Derived):
        make, args, options = parts[0]
        return make(*args, **options)
    return partial(parts[0], *parts[1], **parts[2]) if isinstance(x, partial) else type(x)(*parts)


def differ(before: dict[Any, Any], now: dict[Any, Any]) -> bool:
    return before.keys() != now.keys() or any(x is not now[k] for k, x in before.items())


def fill(holder: Any, items: dict[Any, Any]) -> None:
    """Let a container or cell have these items."""
    if isinstance(holder, list):
        holder[:] = items.values()
    elif isinstance(holder, dict):
        for name in holder.keys() - items.keys():
            del holder[name]
        holder.update({k: x for k, x in items.items() if holder.get(k, MISSING) is not x})
    elif items:
        holder.cell_contents = items[""]


def is_traced(x: Any) -> bool:
    return any(isinstance(leaf, Traced) for leaf in flatten(x)[0])


def assign(holder: Any, name: Any, value: Any) -> None:
    if isinstance(holder, CellType):
        holder.cell_contents = value
    elif isinstance(holder, (dict, list)):
        holder[name] = value
    elif isinstance(holder, type):
        setattr(holder, name, value)
    else:
        object.__setattr__(holder, name, value)

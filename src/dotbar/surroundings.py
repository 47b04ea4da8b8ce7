"""What functions use besides their arguments, and where they find it.

Followed are closure cells, defaults and the globals that code names, and from there Python functions, methods,
containers, and those attributes of objects that some of the code names.  Arrays found on the way can be replaced
(:mod:`dotbar.rebuilt`); everything else decides whether a recording still holds.
"""

import copy
import dis
import gc
import operator
import sys
from collections.abc import Iterator, Mapping
from functools import cache, partial
from types import (
    CellType,
    CodeType,
    FunctionType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any, NamedTuple

import numpy as np

from dotbar.core import Traced
from dotbar.custom import Custom
from dotbar.transforms import Derived

__all__ = [
    "MISSING",
    "PARTS",
    "Place",
    "Surroundings",
    "contents",
    "holders_of",
    "identity",
    "is_followed",
    "slots",
    "top_of",
]

MISSING = object()
"""The value of a name that is not bound."""

LARGEST = 1000
"""Containers of more items are taken as they are."""

LIBRARIES = sys.stdlib_module_names | {"dotbar", "numpy", "scipy"}

USERS = set[str]()
"""Installed packages some of whose functions are roots."""

SPECIAL = frozenset(k for k, f in vars(operator).items() if k.startswith("__") and callable(f))
SPECIAL |= {"__init__", "__iter__", "__len__"}
"""Methods that are called without being named."""

PARTS: dict[type, tuple[str, ...]] = {
    MethodType: ("__func__", "__self__"),
    partial: ("func", "args", "keywords"),
    property: ("fget", "fset", "fdel"),
    staticmethod: ("__func__",),
    classmethod: ("__func__",),
    Derived: ("_recipe",),
}
"""What is made of its parts and does not change."""


class Place(NamedTuple):
    """Where something is found: in a cell, under a key of a dict or list, as an attribute."""

    owner: Any
    holder: Any
    name: Any
    value: Any


# ---------------------------------------------------------------- what is found


class Surroundings:
    """All places by which some roots lead to what they use, in a fixed order.

    ``replaced`` are those where others can take the place of what is there: arrays, and numbers that vary.
    """

    def __init__(self, *roots: Any, varying: frozenset[Any] = frozenset()):
        self.roots = roots
        self._varying = varying
        users = {top_of(getattr(x, "__module__", None)) for x in roots if callable(x)}
        if not users <= USERS:
            USERS.update(users)
            is_own.cache_clear()
        names = SPECIAL
        while (more := self._follow(names)) != names:  # attributes lead to methods, whose code names more attributes
            names = more
        self._sizes = [(x, len(x)) for x in self.followed.values() if isinstance(x, (dict, list))]
        self._note()

    def _follow(self, names: frozenset[str]) -> frozenset[str]:
        """Find all places, by attributes of some names; these, and the names of attributes in the code found."""
        self.places: list[Place] = []
        self.followed: dict[int, Any] = {}
        todo = list(self.roots)
        for x in todo:
            if id(x) not in self.followed and is_followed(x):
                self.followed[id(x)] = x
                found = list(places_of(x, names))
                self.places += found
                todo += [p.value for p in found]
        return names.union(*(attributes_of(x.__code__) for x in self.followed.values() if isinstance(x, FunctionType)))

    def _note(self) -> None:
        free = [is_replaced(p.value) or (is_number(p.value) and mark(p) in self._varying) for p in self.places]
        self.replaced = [p for p, f in zip(self.places, free) if f]
        self.key = tuple([type(p.value) if f else identity(p.value) for p, f in zip(self.places, free)])
        changing = [(i, p) for i, p in enumerate(self.places) if not isinstance(p.owner, (tuple, *PARTS))]
        self._in_dicts = [(i, p.holder, p.name, p.value) for i, p in changing if isinstance(p.holder, Mapping)]
        self._elsewhere = [(i, p) for i, p in changing if not isinstance(p.holder, Mapping)]

    def now(self, between_calls: bool = True) -> "Surroundings":
        """Those that the roots have now: these, if nothing has changed.  Numbers that did so between calls vary."""
        if any(len(x) != n for x, n in self._sizes):
            return Surroundings(*self.roots, varying=self._varying)
        changed = [(i, x) for i, d, name, value in self._in_dicts if (x := d.get(name, MISSING)) is not value]
        changed += [(i, x) for i, p in self._elsewhere if (x := content(p.holder, p.name)) is not p.value]
        if not changed:
            return self
        numbers = [self.places[i] for i, x in changed if is_number(x) and type(x) is type(self.places[i].value)]
        varying = self._varying.union(map(mark, numbers)) if between_calls else self._varying
        if any(is_followed(x) or is_followed(self.places[i].value) for i, x in changed):
            return Surroundings(*self.roots, varying=varying)
        others = copy.copy(self)
        others._varying = varying
        others.places = self.places.copy()
        for i, x in changed:
            others.places[i] = self.places[i]._replace(value=x)
        others._note()
        return others

    def bindings(self) -> list[tuple[Any, Any, Any]] | None:
        """What is found in each cell, dict, list and function under which name, and how many items these have.

        None if something is found elsewhere.
        """
        found: list[tuple[Any, Any, Any]] = [(n, x, None) for x, n in self._sizes]
        for owner, holder, name, value in self.places:
            if isinstance(owner, (tuple, *PARTS)) or name == "__class__":
                continue  # it stays
            if isinstance(holder, MappingProxyType):
                (holder,) = gc.get_referents(holder)  # the dict of a class
            if not isinstance(holder, (dict, list, CellType, FunctionType)):
                return None
            found.append((value, holder, name))
        return found


def is_followed(x: Any) -> bool:
    """Whether it may lead to arrays of the user's."""
    if isinstance(x, (tuple, list, dict)):
        return len(x) <= LARGEST
    if isinstance(x, (FunctionType, Custom, *PARTS)):
        return True
    if isinstance(x, (ModuleType, type)):
        return is_own(x.__name__ if isinstance(x, ModuleType) else x.__module__)
    return type(x) is SimpleNamespace or is_own(type(x).__module__)


@cache
def is_own(module: str | None) -> bool:
    """Whether a module is of the user's, and not of an installed package that knows nothing of dotbar."""
    top = top_of(module)
    if top in LIBRARIES or top.startswith("_cython"):
        return False
    file = getattr(sys.modules.get(top), "__file__", None) or ""
    return top in USERS or not any(f"{kind}-packages" in file for kind in ("site", "dist"))


def top_of(module: str | None) -> str:
    return (module or "").partition(".")[0]


def places_of(x: Any, names: frozenset[str]) -> Iterator[Place]:
    """Where something that is followed has its parts; attributes only of some names."""
    place = lambda holder, name: Place(x, holder, name, content(holder, name))
    kind = next((kind for kind in PARTS if isinstance(x, kind)), None)
    if kind is not None:
        yield from (place(x, name) for name in PARTS[kind])
    elif isinstance(x, (tuple, list)):
        yield from (place(x, i) for i in range(len(x)))
    elif isinstance(x, dict):
        yield from (place(x, name) for name in x)
    elif isinstance(x, FunctionType):
        yield from (place(cell, "") for cell in x.__closure__ or ())
        if is_own(x.__globals__.get("__name__")):  # a library's decorator leads to what it decorates
            yield from (place(x.__globals__, name) for name in globals_of(x.__code__))
        yield from (place(x, name) for name in ("__defaults__", "__kwdefaults__"))
    elif isinstance(x, type):
        yield from (place(vars(base), name) for base, name in members(x, names))
    else:
        own = getattr(x, "__dict__", {})
        yield from (place(own, name) for name in own if name in names or isinstance(x, Custom))
        if not isinstance(x, ModuleType):
            yield place(x, "__class__")
            yield from (place(x, name) for name in slots(type(x)) if name in names)


def holders_of(x: Any) -> list[Any]:
    """The containers and cells that something assigns to."""
    if isinstance(x, FunctionType):
        return [x.__globals__, *(x.__closure__ or ())]
    if isinstance(x, (dict, list)):
        return [x]
    return [] if isinstance(x, (tuple, type, *PARTS)) or not hasattr(x, "__dict__") else [vars(x)]


@cache
def members(kind: type, names: frozenset[str]) -> list[tuple[type, str]]:
    """The methods and other attributes that a class and its bases define in Python, and which of them does."""
    bases = [base for base in reversed(kind.__mro__) if is_own(base.__module__)]
    return [(base, name) for name, base in {k: base for base in bases for k in vars(base)}.items() if name in names]


@cache
def slots(kind: type) -> list[str]:
    bases = [base for base in kind.__mro__ if is_own(base.__module__)]
    return [k for base in bases for k, v in vars(base).items() if isinstance(v, MemberDescriptorType)]


@cache
def globals_of(code: CodeType) -> list[str]:
    """The names that code, and that of functions within it, looks up in the globals."""
    return sorted(named(code, "LOAD_GLOBAL", "LOAD_NAME"))


@cache
def attributes_of(code: CodeType) -> set[str]:
    """The names that it reads as attributes."""
    return named(code, "LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR")


def named(code: CodeType, *operations: str) -> set[str]:
    names = {i.argval for i in dis.get_instructions(code) if i.opname in operations}
    return names.union(*(named(c, *operations) for c in code.co_consts if isinstance(c, CodeType)))


def is_number(x: Any) -> bool:
    return type(x) in (int, float, complex)


def mark(place: Place) -> Any:
    return id(place.holder), place.name


def is_replaced(x: Any) -> bool:
    """Whether it is an array that may change in place, or is traced."""
    if isinstance(x, Traced):
        return True
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "biufc":
        return False
    while isinstance(x, np.ndarray) and not x.flags.writeable:
        x = x.base
    return x is not None


def content(holder: Any, name: Any) -> Any:
    """What a place has; MISSING if nothing."""
    if isinstance(holder, Mapping):
        return holder.get(name, MISSING)
    if isinstance(holder, CellType):
        return contents(holder).get("", MISSING)
    return holder[name] if isinstance(holder, (list, tuple)) else getattr(holder, name, MISSING)


def contents(holder: Any) -> dict[Any, Any]:
    """All that a container or a cell has."""
    if isinstance(holder, dict):
        return dict(holder)
    if isinstance(holder, list):
        return dict(enumerate(holder))
    try:
        return {"": holder.cell_contents} if isinstance(holder, CellType) else {}
    except ValueError:
        return {}


class Identity:
    """An object that equals itself alone."""

    __slots__ = ("x",)

    def __init__(self, x: Any):
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self.x is other.x

    def __hash__(self) -> int:
        return id(self.x)


def identity(x: Any) -> Any:
    """Numbers and strings by their value, what is followed by its kind, as its parts decide, the rest by what it is."""
    kind = type(x)
    if kind in (float, complex):
        return kind, x or repr(x)  # zeros have signs
    if kind in (bool, int, str, type(None)):
        return kind, x
    if isinstance(x, FunctionType):
        return Identity(x.__code__)
    if isinstance(x, (ModuleType, type)) or not is_followed(x):
        return Identity(x)
    return kind, tuple(x) if isinstance(x, dict) else len(x) if isinstance(x, (tuple, list)) else 0

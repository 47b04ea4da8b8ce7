"""What a function uses besides its arguments: closure cells, defaults, named globals, what a partial gives it.

Arrays among them can be replaced, which is how ``jit`` makes them inputs of a Program.
"""

import types
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dotbar.errors import InputError
from dotbar.program import exact
from dotbar.transforms import Derived

__all__ = ["MISSING", "Surroundings"]


MISSING = object()
"""The value of a name that is not bound."""


class Surroundings:
    """The closure cells, defaults and named globals of a function: arrays are hidden inputs, the rest is part of it."""

    def __init__(self, f: Callable[..., Any]):
        self.f = f
        self.function = innermost(f)
        code = getattr(self.function, "__code__", None)
        self.cells = self.function.__closure__ or () if self.function else ()
        self.globals = sorted(names_in(code, "LOAD_GLOBAL", "LOAD_NAME")) if code else []
        self.assigned = names_in(code, "STORE_GLOBAL", "STORE_DEREF") if code else set()

    def read(self) -> tuple[tuple[Any, ...], list[Any]]:
        """What the names are bound to, as part of a key, and the arrays among them."""
        g = self.function
        own = [*(value for value, *_ in self.names()), *(g.__defaults__ or ())] if g else []
        bound = [*own, *given(self.f)]
        return tuple(map(identity, bound)), [x for x in bound if isinstance(x, np.ndarray)]

    def names(self) -> list[tuple[Any, Any, str]]:
        """What each name is bound to, in which cell or dict."""
        g = self.function
        assert g is not None
        bound = [(content(cell), cell, "") for cell in self.cells]
        bound += [(g.__globals__.get(name, MISSING), g.__globals__, name) for name in self.globals]
        return bound + [(x, g.__kwdefaults__, name) for name, x in (g.__kwdefaults__ or {}).items()]

    def bindings(self) -> list[tuple[Any, Any, str]]:
        """The names, and what decides over the defaults."""
        g = self.function
        attributes = ("__defaults__", "__kwdefaults__")
        return [*self.names(), *((getattr(g, name), g, name) for name in attributes)] if g else []

    def bind(self, inputs: list[Any]) -> Callable[..., Any]:
        """The function with other values in the place of its hidden arrays.

        Raises:
            InputError: it gives the name of an array to another value.
        """
        free = self.function.__code__.co_freevars if self.function else ()
        for value, place, name in self.names() if self.assigned else ():
            name = name or free[self.cells.index(place)]
            if name in self.assigned and isinstance(value, np.ndarray):
                raise InputError(
                    f"the function assigns to {name}, an array outside of it, which compiled code would not do. Let it "
                    f"take the array as an argument and return the new one, or change what it holds: {name}[...] = y."
                )
        if not inputs:
            return self.f
        g, values = self.function, iter(inputs)
        take = lambda x: next(values) if isinstance(x, np.ndarray) else x
        if g is None:
            return rebuilt(self.f, None, take)
        cells = tuple(types.CellType(next(values)) if isinstance(content(c), np.ndarray) else c for c in self.cells)
        named = {name: next(values) for name in self.globals if isinstance(g.__globals__.get(name), np.ndarray)}
        by_name = {name: take(x) for name, x in (g.__kwdefaults__ or {}).items()}
        defaults = tuple(map(take, g.__defaults__ or ()))
        bound = types.FunctionType(g.__code__, g.__globals__ | named, g.__name__, defaults or None, cells)
        bound.__kwdefaults__ = by_name or None  # type: ignore[assignment]
        return rebuilt(self.f, bound, take)


def inside(f: Any) -> Any:
    """The function below a transform, a method, a partial or an object that is called; None if there is none."""
    if isinstance(f, Derived):
        return f._recipe[1][0]
    if isinstance(f, types.MethodType):
        return f.__func__
    if isinstance(f, partial):
        return f.func
    return type(f).__call__ if isinstance(type(f).__call__, types.FunctionType) else None


def innermost(f: Any) -> types.FunctionType | None:
    """The user's function; None if it is not one of Python."""
    while (g := inside(f)) is not None:
        f = g
    return f if isinstance(f, types.FunctionType) else None


def given(f: Any) -> list[Any]:
    """The arguments that partials give, from the inside out."""
    return [] if f is None else given(inside(f)) + ([*f.args, *f.keywords.values()] if isinstance(f, partial) else [])


def rebuilt(f: Any, bound: Any, take: Callable[[Any], Any]) -> Any:
    """A function made anew of another function of the user's, if there is one, and other arguments of partials."""
    g = inside(f)
    if g is None:
        return bound or f
    bound = rebuilt(g, bound, take)
    if isinstance(f, Derived):
        make, args, options = f._recipe
        return make(bound, *args[1:], **options)
    if isinstance(f, partial):
        return partial(bound, *map(take, f.args), **{name: take(x) for name, x in f.keywords.items()})
    return types.MethodType(bound, getattr(f, "__self__", f))


def names_in(code: types.CodeType, *operations: str) -> set[str]:
    """The names in some operations of a function's code, and of that of functions within it."""
    import dis

    names = {i.argval for i in dis.get_instructions(code) if i.opname in operations}
    return names.union(*(names_in(c, *operations) for c in code.co_consts if isinstance(c, types.CodeType)))


def content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


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
    """Numbers and strings by their value, arrays by their place, anything else by what it is."""
    if isinstance(x, np.ndarray):
        return np.ndarray
    return (type(x), exact(x)) if type(x) in (bool, int, float, complex, str, type(None)) else Identity(x)

"""What a function uses besides its arguments: closure cells, defaults and named globals, and where it finds them.

Arrays among them can be replaced, which is how ``jit`` makes them inputs of a Program.
"""

import types
from collections.abc import Callable
from typing import Any

import numpy as np

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
        self.globals = sorted(globals_of(code)) if code else []

    def read(self) -> tuple[tuple[Any, ...], list[Any]]:
        """What the names are bound to, as part of a key, and the arrays among them."""
        g = self.function
        if g is None:
            return (), []
        bound = [*(value for value, *_ in self.names()), *(g.__defaults__ or ())]
        return tuple(map(identity, bound)), [x for x in bound if type(x) is np.ndarray]

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
        """The function with other values in the place of its hidden arrays."""
        if not inputs:
            return self.f
        g, values = self.function, iter(inputs)
        assert g is not None
        take = lambda x: next(values) if type(x) is np.ndarray else x
        cells = tuple(types.CellType(next(values)) if type(content(c)) is np.ndarray else c for c in self.cells)
        named = {name: next(values) for name in self.globals if type(g.__globals__.get(name)) is np.ndarray}
        by_name = {name: take(x) for name, x in (g.__kwdefaults__ or {}).items()}
        defaults = tuple(map(take, g.__defaults__ or ()))
        bound = types.FunctionType(g.__code__, g.__globals__ | named, g.__name__, defaults or None, cells)
        bound.__kwdefaults__ = by_name or None  # type: ignore[assignment]
        return rebuilt(self.f, bound)


def innermost(f: Any) -> types.FunctionType | None:
    """The user's function below transforms; None if it is not one of Python."""
    while isinstance(f, Derived):
        f = f._recipe[1][0]
    return f if isinstance(f, types.FunctionType) else None


def rebuilt(f: Any, bound: Callable[..., Any]) -> Callable[..., Any]:
    """A function of transforms made anew of another innermost one."""
    if not isinstance(f, Derived):
        return bound
    make, args, options = f._recipe
    return make(rebuilt(args[0], bound), *args[1:], **options)


def globals_of(code: types.CodeType) -> set[str]:
    """The names that a function's code, and that of functions within it, looks up in the globals."""
    import dis

    names = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return names.union(*(globals_of(c) for c in code.co_consts if isinstance(c, types.CodeType)))


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
    if type(x) is np.ndarray:
        return np.ndarray
    return (type(x), x) if type(x) in (bool, int, float, complex, str, type(None)) else Identity(x)

"""NumPy's own pure-Python modules, run once more with ``dotbar.numpy`` in numpy's place.

``np.polynomial``, ``np.r_`` or ``np.poly1d`` are written in NumPy functions and would differentiate as they stand, if
only they did not call ``np.array`` and its kin, which never dispatch.  So their code is executed again, in modules
where ``import numpy`` finds those functions replaced.
"""

import builtins
import sys
from collections.abc import Callable
from importlib.util import find_spec, resolve_name
from types import ModuleType
from typing import Any

import numpy as np
from numpy._core import overrides

from dotbar.core import Traced
from dotbar.numpy import creation


class _AnyArray(type):
    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, (np.ndarray, Traced))


class AnyArray(metaclass=_AnyArray):
    """What ``isinstance(x, np.ndarray)`` asks for in replanted code: arrays and traced values."""


def undispatched(*_: Any, **__: Any) -> Callable[[Any], Any]:
    """In place of NumPy's decorator: a replanted function is its body."""
    return lambda fn: fn


REPLACED: dict[Any, Any] = {getattr(np, name): getattr(creation, name) for name in creation.__all__}
REPLACED |= {np.ndarray: AnyArray, overrides.array_function_dispatch: undispatched}


class StandIn:
    """A module of NumPy as replanted code sees it."""

    def __init__(self, module: ModuleType):
        self.module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.module, name)
        if isinstance(value, ModuleType):
            return StandIn(value)
        try:
            return REPLACED.get(value, value)
        except TypeError:  # not hashable
            return value


def _import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    if level:
        try:
            return builtins.__import__(name, globals, locals, fromlist, level)
        except ModuleNotFoundError:  # a neighbour in NumPy that is not replanted
            name, level = resolve_name("." * level + name, globals["__source__"]), 0
    module = builtins.__import__(name, globals, locals, fromlist, level)
    return StandIn(module) if name.split(".")[0] == "numpy" else module


def replant(source: str, name: str) -> ModuleType:
    """Run the code of NumPy's module ``source`` as the module ``name``."""
    spec = find_spec(source)
    assert spec is not None
    module = ModuleType(name)
    module.__package__ = name.rpartition(".")[0]
    module.__file__ = spec.origin
    vars(module)["__source__"] = spec.parent
    vars(module)["__builtins__"] = {**vars(builtins), "__import__": _import}
    sys.modules[name] = module
    exec(spec.loader.get_code(source), vars(module))  # type: ignore[union-attr]
    return module

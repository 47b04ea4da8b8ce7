"""A module of SciPy as dotbar has it: every public name, each function one that asks its rule about traced values.

A function of SciPy does not look for traced values itself.  ``dispatching`` makes one that does; rules are registered
for that one, and are written in such functions::

    expm = dispatching(scipy.linalg.expm)

    @rule(expm, "(n,n)->(n,n)")
    def _expm(Y, A): ...

What needs more than a rule, such as a solver that is given a function, a distribution or an interpolating object, is
written anew and ``stands_for`` SciPy's.  The ufuncs of ``scipy.special`` dispatch by themselves.
"""

from collections.abc import Callable, Sequence
from functools import cache, wraps
from importlib import import_module
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, TypeVar

import numpy as np
import scipy
from numpy.lib import NumpyVersion

from dotbar.core import Flags, find_rule, first_traced

F = TypeVar("F", bound=Callable[..., Any])

OWN: dict[Any, Any] = {}
"""What stands for SciPy's functions, classes and other objects, where that is more than a rule."""


@cache
def dispatching(fn: F) -> F:
    """SciPy's ``fn``, which a traced argument sends to its rule, also one given by name or in a list."""

    @wraps(fn)
    def call(*args: Any, **kw: Any) -> Any:
        if first_traced([*args, *kw.values()]) is None:
            return fn(*args, **kw)
        return find_rule(call)(*args, **kw)

    call.__module__ = public_module(fn)
    return call  # type: ignore[return-value]


def stands_for(original: Any) -> Callable[[F], F]:
    """Enter the decorated function or class under the name of SciPy's ``original``."""

    def enter(own: F) -> F:
        if isinstance(own, FunctionType):
            own = without_flags(original, own)  # type: ignore[assignment]
        OWN[original] = own
        return own

    return enter


def without_flags(original: F, own: Callable[..., Any]) -> F:
    """``own`` as SciPy's ``original``, refusing traced values that say what is computed."""
    flags = Flags(original, own)

    @wraps(original)
    @wraps(own)  # its name, where SciPy's has none
    def call(*args: Any, **kw: Any) -> Any:
        flags.check(args, kw)
        return own(*args, **kw)

    call.__module__ = public_module(original)
    return call  # type: ignore[return-value]


def before(version: str) -> bool:
    """Whether SciPy is older; in some versions the same function has another dtype."""
    return NumpyVersion(scipy.__version__) < version


def public_module(value: Any) -> str:
    """The module of dotbar's in which the user finds what SciPy defines in a private one."""
    parts = value.__module__.split(".")
    return ".".join(["dotbar", *(part for part in parts if not part.startswith("_"))])


def ufunc_of(value: Any) -> Any:
    """The ufunc that SciPy has wrapped in a function (it does under ``SCIPY_ARRAY_API=1``); anything else as it is."""
    inner = getattr(value, "__wrapped__", None)
    return inner if isinstance(inner, np.ufunc) else value


def mirrored(value: Any) -> Any:
    """A member of a module of SciPy's as dotbar has it."""
    value = ufunc_of(value)
    if isinstance(value, ModuleType):
        return own_module(value.__name__) or value
    try:
        if value in OWN:
            return OWN[value]
    except TypeError:  # not hashable
        return value
    return dispatching(value) if isinstance(value, (FunctionType, BuiltinFunctionType)) else value


def own_module(name: str) -> ModuleType | None:
    """The module that mirrors one of SciPy's, if there is one."""
    try:
        return import_module(f"dotbar.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or not f"dotbar.{name}".startswith(error.name):
            raise  # something else is missing
        return None


def members(name: str) -> tuple[Callable[[str], Any], Callable[[], Sequence[str]], Sequence[str]]:
    """The ``__getattr__``, ``__dir__`` and ``__all__`` of the module that mirrors SciPy's module ``name``."""
    module = import_module(name)

    def getattribute(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(f"module 'dotbar.{name}' has no attribute {attribute!r}")
        return mirrored(getattr(module, attribute))

    return getattribute, lambda: dir(module), module.__all__

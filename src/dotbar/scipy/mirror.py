"""A module of SciPy as dotbar has it: every public name, each function one that asks its rule about traced values.

A function of SciPy does not look for traced values itself.  ``dispatching`` makes one that does; rules are registered
for that one, and are written in such functions::

    expm = dispatching(scipy.linalg.expm)

    @rule(expm, "(n,n)->(n,n)")
    def _expm(Y, A): ...

What needs more than a rule, such as a solver that is given a function, a distribution or an interpolating object, is
written anew and ``stands_for`` SciPy's.  The ufuncs of ``scipy.special`` dispatch by themselves.
"""

import sys
from collections.abc import Callable, Sequence
from functools import cache, wraps
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from inspect import getattr_static, isroutine
from types import FunctionType, ModuleType
from typing import Any, TypeVar

import numpy as np
import scipy
from numpy.lib import NumpyVersion

from dotbar.core import RULES, Traced, active, as_array, error_of_numpy, find_rule, first_traced, full_name
from dotbar.errors import ConversionError, DotbarError, NoRuleError, crosses_user_code, public_module
from dotbar.rules.refusals import Flags, differentiated, differentiated_arguments, refusal

F = TypeVar("F", bound=Callable[..., Any])

OWN: dict[Any, Any] = {}
"""What stands for SciPy's functions, classes and other objects, where that is more than a rule."""


CLOSING: set[Any] = set()
"""Functions that are given one that may close over traced values."""


@cache
def dispatching(fn: F) -> F:
    """SciPy's ``fn``, which a traced argument sends to its rule, also one given by name or in a container."""

    def by_rule(*args: Any, **kw: Any) -> Any:
        given = [*args, *kw.values()]
        if first_traced(given) is None and not (call in CLOSING and active.levels and any(map(callable, given))):
            return fn(*args, **kw)
        rule = find_rule(call)
        for name, x in (*zip(rule.settings, args[len(rule.arrays) :]), *kw.items()):
            if name in rule.settings and differentiated(x):
                raise refusal(rule.name, name, "it says what is computed")
        return rule(*map(as_numbers, args), **{k: as_numbers(x) for k, x in kw.items()})

    call = refusing(fn, by_rule)
    return call


def as_numbers(x: Any) -> Any:
    """A list of numbers, some of them traced, as an array, which SciPy makes of it too; anything else as it is."""
    return as_array(x) if type(x) in (list, tuple) and first_traced(x) is not None and all(map(is_number, x)) else x


def is_number(x: Any) -> bool:
    """Whether an entry of a list is a number, or a list of such."""
    if type(x) in (list, tuple):
        return len(x) > 0 and all(map(is_number, x))
    return isinstance(x, (int, float, complex, np.generic, Traced)) and np.ndim(x) == 0


def stands_for(original: Any) -> Callable[[F], F]:
    """Enter the decorated function or class under the name of SciPy's ``original``."""

    def enter(own: F) -> F:
        OWN[original] = without_flags(original, own) if isinstance(own, FunctionType) else own
        if isinstance(own, type) and isinstance(original, type):
            methods_checked(original)(own)
        return OWN[original]

    return enter


def takes_traced(own: Any) -> bool:
    """Whether a member of a module of dotbar's has a rule, or stands for SciPy's and has a derivative."""
    return own in RULES or (own in OWN.values() and not hasattr(own, "without_derivative"))


SHOWN = {"__init__": ("fit", "build"), "__call__": ("value",)}


def checked(original: Any, body: Any, method: F, name: str = "") -> F:
    """A method that refuses traced values in the place of those of ``original`` that say what is computed."""
    flags = Flags(original, body, name)

    @wraps(method)
    def call(*args: Any, **kw: Any) -> Any:
        flags.check(args, kw)
        return method(*args, **kw)

    return call  # type: ignore[return-value]


def methods_checked(original: type) -> Callable[[type], type]:
    """Let the methods of the decorated class refuse traced flags, as functions do.

    Methods of other names may show the parameters: ``fit`` or ``build`` those of the class, ``value`` of a call.
    """

    def check(own: type) -> type:
        for name in dir(own):
            static, plain = getattr_static(own, name), getattr(original, name, None)
            method, bind = getattr(static, "__func__", static), type(static)
            if bind is classmethod:
                plain = getattr(plain, "__func__", None)
            if isinstance(method, FunctionType) and callable(plain) and static is not getattr_static(original, name):
                shown = next((getattr(own, k) for k in SHOWN.get(name, ()) if hasattr(own, k)), method)
                public = full_name(original) + (f".{name}" if name not in SHOWN else "")
                check = checked(plain, shown, method, public)
                setattr(own, name, bind(check) if bind in (classmethod, staticmethod) else check)
        return own

    return check


def without_flags(original: F, own: Callable[..., Any]) -> F:
    """``own`` as SciPy's ``original``, refusing traced values that say what is computed."""
    flags = Flags(original, own)

    @wraps(own)
    def call(*args: Any, **kw: Any) -> Any:
        flags.check(args, kw)
        return own(*args, **kw)

    return refusing(original, call)


def refusing(original: F, own: Callable[..., Any]) -> F:
    """``own`` as SciPy's ``original``; what refuses a traced value within is named as the user's call."""

    @wraps(original)
    @wraps(own)  # its name, where SciPy's has none
    def call(*args: Any, **kw: Any) -> Any:
        try:
            return own(*args, **kw)
        except Exception as error:
            users = as_of_the_call(error, call, original, args, kw)
            if users is error:
                raise
            raise users from None

    module = public_module(original.__module__, getattr(original, "__name__", own.__name__))
    if hasattr(import_module(module), own.__name__) and not hasattr(import_module(module), call.__name__):
        call.__name__ = call.__qualname__ = own.__name__
    call.__module__ = f"dotbar.{module}"
    return call  # type: ignore[return-value]


def as_of_the_call(error: Exception, fn: Any, original: Any, args: tuple[Any, ...], kw: dict[str, Any]) -> Exception:
    """What the user is told of an error within ``fn``, given traced values: SciPy's own error, or a refusal by name.

    What comes from functions of the user's stays as it is.
    """
    given = [*differentiated_arguments(fn, args, kw)]
    cause = error.__cause__ if isinstance(error.__cause__, ConversionError) else error
    if isinstance(cause, DotbarError) and not isinstance(cause, (ConversionError, NoRuleError)):
        return error
    if not given or crosses_user_code(error.__traceback__):
        return error
    name, message = full_name(fn), str(cause)
    if isinstance(cause, ConversionError):
        one = ", of one of them at least" if len(given) > 1 else ""
        return refusal(name, " and ".join(given), f"SciPy computes with a plain number or array there{one}")
    if isinstance(cause, NoRuleError):
        if cause.why and not message.startswith(f"{name} "):
            return refusal(name, cause.argument if cause.argument in given else " and ".join(given), cause.why)
        if not message.startswith((name, name.removeprefix("dotbar."))):
            message = f"{name} needs what has no derivative: {message}"
        elif any(repr(argument) in message for argument in given):
            return cause
        return NoRuleError(f"{message} It was given a traced {' and '.join(map(repr, given))}.")
    if isinstance(cause, (TypeError, LookupError, AttributeError)) and not any(map(callable, (*args, *kw.values()))):
        unexpected = refusal(name, " and ".join(given), f"in this call ({type(cause).__name__}: {message})")
        return error_of_numpy(cause, original, args, kw) or unexpected
    return error


def before(version: str) -> bool:
    """Whether SciPy is older; in some versions the same function has another dtype."""
    return NumpyVersion(scipy.__version__) < version


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
    return dispatching(value) if isroutine(value) and value not in RULES else value


def own_module(name: str) -> ModuleType | None:
    """The module that mirrors one of SciPy's, if there is one."""
    try:
        return import_module(f"dotbar.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or not f"dotbar.{name}".startswith(error.name):
            raise  # something else is missing
        return None


def members(name: str) -> tuple[Callable[[str], Any], Callable[[], Sequence[str]], Sequence[str]]:
    """The ``__getattr__``, ``__dir__`` and ``__all__`` of the module that mirrors SciPy's module ``name``.

    It asks for them in its last line: a member is what it is at the first look, when all rules must be known.
    """
    module, own = import_module(name), vars(sys.modules[f"dotbar.{name}"])

    def getattribute(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(f"module 'dotbar.{name}' has no attribute {attribute!r}")
        own[attribute] = value = mirrored(getattr(module, attribute))  # found by Python itself from now on
        return value

    return getattribute, lambda: dir(module), getattr(module, "__all__", [k for k in dir(module) if k[0] != "_"])


class Mirrors(MetaPathFinder, Loader):
    """Finds ``dotbar.scipy.constants`` and the other modules of SciPy's of which no function has a rule."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if not fullname.startswith("dotbar.scipy.") or "._" in fullname:
            return None
        original = find_spec(fullname.removeprefix("dotbar."))
        return original and ModuleSpec(fullname, self, is_package=original.submodule_search_locations is not None)

    def exec_module(self, module: ModuleType) -> None:
        names = "__getattr__", "__dir__", "__all__"
        vars(module).update(zip(names, members(module.__name__.removeprefix("dotbar."))))


sys.meta_path.append(Mirrors())  # after the finder of files: a module with rules has one

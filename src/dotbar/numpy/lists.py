"""NumPy's functions, also of lists that hold traced values.

NumPy asks a traced value what a function does with it only if its dispatcher looks at it: at the arguments that are
arrays, not into the list of ``np.mean([x, y])`` nor at ``left`` of ``np.interp``.  The functions here look themselves.
"""

from collections.abc import Callable
from functools import cache, wraps
from itertools import chain, repeat
from typing import Any, TypeVar

import numpy as np

from dotbar.core import UFUNC_METHODS, Settings, as_array, find_rule, first_traced
from dotbar.rules.kinds import Composite

F = TypeVar("F", bound=Callable[..., Any])

SEQUENCES = {"arrays", "bins", "choicelist", "choices", "condlist", "funclist", "sample", "tup"}
"""The parameters of NumPy's functions that take several arrays (or functions) in a list."""


def stands_for(fn: F) -> Callable[[Callable[..., Any]], F]:
    """Give a function the name, signature and docstring of NumPy's ``fn``, and pickle it by its name in dotbar."""

    def rename(own: Callable[..., Any]) -> F:
        call = wraps(fn)(own)
        call.__module__ = f"dotbar.{fn.__module__}"
        return call  # type: ignore[return-value]

    return rename


def stacked(x: Any) -> Any:
    """A list that holds traced values as an array; anything else as it is."""
    return as_array(x) if type(x) in (list, tuple) and first_traced(x) is not None else x


def stack_lists(rule: Composite, args: tuple[Any, ...], kw: Settings) -> tuple[tuple[Any, ...], Settings]:
    """The arguments of a function with each list that stands for an array stacked, those in a sequence one by one."""

    def given(name: str, x: Any) -> Any:
        several = name in SEQUENCES and type(x) in (list, tuple)
        return type(x)(map(stacked, x)) if several else stacked(x)

    names = chain(rule.parameters, repeat(""))
    return tuple(map(given, names, args)), {name: given(name, x) for name, x in kw.items()}


class Ufunc:
    """A ufunc of NumPy that also takes lists of traced values, and so do its methods."""

    __class__ = property(lambda self: np.ufunc)  # type: ignore[assignment]  # what isinstance sees

    def __init__(self, ufunc: np.ufunc):
        self.ufunc = ufunc
        self.__doc__ = ufunc.__doc__
        self.__module__ = "dotbar.numpy"

    def __call__(self, *args: Any, **kw: Any) -> Any:
        return self.ufunc(*map(stacked, args), **kw)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.ufunc, name)
        return _method(value) if name in UFUNC_METHODS else value

    def __repr__(self) -> str:
        return repr(self.ufunc)

    def __reduce__(self) -> str:
        return self.ufunc.__name__


def _method(method: F) -> F:
    @wraps(method)
    def call(*args: Any, **kw: Any) -> Any:
        return method(*map(stacked, args), **{k: v if k == "out" else stacked(v) for k, v in kw.items()})

    return call  # type: ignore[return-value]


@cache
def of_lists(fn: Any) -> Any:
    """NumPy's ``fn`` as one that also takes traced values where NumPy does not look; what never dispatches as it is."""
    if isinstance(fn, np.ufunc):
        return Ufunc(fn)
    if not hasattr(fn, "__wrapped__") or fn is np.block:  # which looks into its lists itself
        return fn

    @stands_for(fn)
    def call(*args: Any, **kw: Any) -> Any:
        traced = first_traced((*args, *kw.values()))
        if traced is None:
            return fn(*args, **kw)
        rule = find_rule(fn)
        if isinstance(rule, Composite):
            args, kw = stack_lists(rule, args, kw)
        return traced.__array_function__(fn, (), args, kw)

    return call


def mirror(value: Any) -> Any:
    """A member of one of NumPy's modules as ``dotbar.numpy`` has it."""
    return of_lists(value) if callable(value) and not isinstance(value, type) else value

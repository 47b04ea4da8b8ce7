"""The short way into a compiled function: a builtin that checks the arguments natively.

If the whole function is native it calls nothing of Python's; else it hands over to the variant's Program.

It is for one variant and one form of call.  What it does not expect goes to the builtin made before it, and in the end
to the long way round, which finds another variant or records one.
"""

from collections.abc import Callable, Iterator, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from dotbar.compiler.wrapper import Array, Binding, Constant, Hidden, Number, Scalar, Spec
from dotbar.program import Var
from dotbar.surroundings import MISSING
from dotbar.tree import Structure

__all__ = ["entrance"]


class IndirectError(Exception):
    """There is no short way for something in the call."""


def entrance(
    make: Callable[..., Callable[..., Any]],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    fixed: dict[Any, Any],
    hidden: Sequence[Any],
    bindings: Sequence[tuple[Any, Any, Any]],
) -> Callable[..., Any] | None:
    """A builtin for calls like this one, None if there is none.

    Args:
        make: makes it of what is expected.
        args: the arguments of an example.
        kwargs: those given by name.
        fixed: those among them, by position or name, that belong to the function.
        hidden: arrays and numbers that the function finds elsewhere, further inputs of the Program.
        bindings: these and whatever else it uses, with the places where it finds them.
    """
    try:
        given = [Constant(x) if i in fixed else argument(x) for i, x in (*enumerate(args), *kwargs.items())]
        found = [Hidden(x, argument(x)) for x in hidden]
        bound = [binding(*where) for where in bindings]
        return make(given, keywords=tuple(kwargs), bindings=bound, hidden=found)
    except IndirectError:
        return None


def binding(value: Any, place: Any, name: Any) -> Binding:
    """What a name was bound to, as a builtin checks it."""
    missing = value is MISSING or (value is None and isinstance(place, FunctionType))
    return Binding(value, place, name, missing)


def argument(x: Any) -> Spec:
    """What an argument must be to take the short way."""
    kind = type(x)
    if kind is np.ndarray:
        return array(x)
    if isinstance(x, np.generic):
        return Scalar(x.dtype)
    if kind in (bool, int, float, complex):
        return Number(kind)
    if kind is tuple or kind is list:
        return kind(map(argument, x))
    if kind is dict and all(type(key) is str for key in x):
        return {key: argument(item) for key, item in x.items()}
    if isinstance(x, (np.ndarray, tuple, list, dict)) or hasattr(x, "__dataclass_fields__"):
        raise IndirectError
    return Constant(x)


def array(x: np.ndarray[Any, Any]) -> Array:
    """An array in C's order."""
    if not x.flags.c_contiguous:
        raise IndirectError
    return Array(x.dtype, x.shape)


def result(structure: Structure, leaves: Iterator[tuple[Any, type]]) -> Spec:
    """What specifies a result: the structure of its leaves, which are outputs of the Program and their types."""
    if structure.type is None:
        x, kind = next(leaves)
        if kind is np.ndarray:
            return Array(x.dtype, x.shape)
        if type(x) is not Var:
            return Constant(x)
        return Scalar(x.dtype) if issubclass(kind, np.generic) else Number(kind)
    items = [result(item, leaves) for item in structure.items]
    if structure.type is type(None):
        return Constant(None)
    if structure.type is dict:
        return dict(zip(structure.keys, items))
    if structure.type in (tuple, list):
        return structure.type(items)
    raise IndirectError

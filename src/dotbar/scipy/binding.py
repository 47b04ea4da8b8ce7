"""How the functions of a module come to ask about traced values: SciPy's own signature tells the arguments."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from dotbar.core import first_traced
from dotbar.scipy.mirror import as_numbers, stands_for

PLACES = {"xp", "device"}
"""What says where SciPy makes arrays; those that are traced are where they are."""


def in_place_of(original: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let the decorated function, which is given all of SciPy's arguments by name, compute what is traced."""

    def enter(own: Callable[..., Any]) -> Callable[..., Any]:
        parameters = signature(original)

        @wraps(own)
        def call(*args: Any, **kw: Any) -> Any:
            if first_traced([*args, *kw.values()]) is None:
                return original(*args, **kw)
            bound = parameters.bind(*args, **kw)
            bound.apply_defaults()
            given = {name: x for name, x in bound.arguments.items() if name not in PLACES}
            return own(**{name: x if name == "args" else as_numbers(x) for name, x in given.items()})

        return stands_for(original)(call)

    return enter

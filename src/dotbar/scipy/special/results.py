"""Rules of functions with several results."""

from collections.abc import Callable
from typing import Any

from dotbar.rules.words import conj

Pair = tuple[Callable[..., Any], Callable[..., Any]]


def slopes(*slope: Callable[[], Any]) -> Pair:
    """The pair (dot, bar) of several holomorphic functions of one number, given their derivatives.

    Each derivative is a function without arguments, called if it is asked for.
    """

    def dot(xdot: Any) -> Any:
        return tuple(w() * xdot for w in slope)

    def bar(ybar: Any) -> Any:
        return sum(conj(w()) * g for w, g in zip(slope, ybar) if g is not None)

    return dot, bar

"""Rules of functions that are others in disguise, or the inverses of others."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import numpy as np

from dotbar.scipy.special.quadrature import entrywise
from dotbar.transforms import jvp


def slope(f: Callable[..., Any], xs: tuple[Any, ...], i: int) -> Any:
    """∂f/∂xᵢ, entry by entry."""
    x = xs[i] * 1.0
    return jvp(lambda x: f(*xs[:i], x, *xs[i + 1 :]), (x,), (np.ones_like(x),))[1]


Partial = Callable[..., Any] | str | None


def same_as(fn: Any, formula: Callable[..., Any], partials: Mapping[int, Partial] | None = None) -> None:
    """Register a function that equals a formula; ``partials`` that are better than its slopes, or why there is none."""

    def partial(i: int) -> Callable[..., Any]:
        def of_formula(y: Any, *xs: Any) -> Any:
            """The slope of a formula in functions that have rules."""
            return np.where(np.isnan(y), y, slope(formula, xs, i))  # y, whose derivatives are nan like itself

        return of_formula

    entrywise(fn, *({i: partial(i) for i in range(len(signature(formula).parameters))} | dict(partials or {})).values())


def nearer(forward: Callable[..., Any], xs: tuple[Any, ...], place: int, y: Any, x: Any) -> Any:
    """The solution y of forward(…, y, …) = x after four chords of Newton's, of which only short ones count."""
    at = lambda y: (*xs[:place], y, *xs[place + 1 :])
    rise = slope(forward, at(y), place)
    for _ in range(4):
        step = (forward(*at(y)) - x) / rise
        y = y - np.where(np.abs(step) < 0.01 * np.abs(y), step, 0)
    return y


def inverse_of(
    fn: np.ufunc,
    forward: Callable[..., Any],
    place: int,
    reasons: Mapping[int, str | None] | None = None,
    rough: bool = False,
) -> None:
    """Register y = fn(…, x, …), the solution of forward(…, y, …) = x with y in the place of x.

    ∂y/∂x = 1/F_y, ∂y/∂θ = −F_θ/F_y.  Where SciPy's solution is ``rough``, off by up to 10⁻³, it is improved first.
    """

    def partial(i: int) -> Callable[..., Any]:
        def quotient(y: Any, *xs: Any) -> Any:
            """∂y/∂x = 1/F_y, ∂y/∂θ = −F_θ/F_y for the solution y of F(θ, y) = x."""
            y = nearer(forward, xs, place, y, xs[place]) if rough else y
            xs = (*xs[:place], y, *xs[place + 1 :])
            change, rise = 1.0 if i == place else -slope(forward, xs, i), slope(forward, xs, place)
            return np.where((change == 0) & (rise == 0), 0.0, change / rise)  # as y = 0 at x = 0, whatever θ is

        return quotient

    entrywise(fn, *({i: partial(i) for i in range(fn.nin)} | dict(reasons or {})).values())

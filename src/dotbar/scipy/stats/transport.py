"""Where a quantile goes when a parameter changes: the one quantity behind every derivative of a distribution function.

The mass below x is F(x; θ).  Differentiating F(x(θ); θ) = const, the quantile at x moves by dx/dθ = −V with

    V = (∂F/∂θ)/f,

and V is all that F, 1 − F, their logarithms and inverses, and reparametrised samples need (Figurnov, Mohamed & Mnih,
2018, arXiv:1805.08498).  It stays of order one where F and f underflow.  Where a distribution's quantiles are
elementary, so is V, and the table in ``continuous`` has it.  For all others it is the mean of the score
s = ∂(log f)/∂θ over the tail, by either of

    V f = ∫_{−∞}^x s f dt = −∫_x^∞ s f dt,

of which the side is taken on which the density falls off.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from dotbar.rules.words import stop_gradient
from dotbar.transforms import jvp

__all__ = ["Coordinate", "additive", "between", "expectation", "partial", "transport"]

Coordinate = Callable[[Any, Any], Any]
"""A smooth coordinate y: from x and d, the point t at y(t) = y(x) + d, and dt/dy there."""

STEP = 0.05
TAU = np.arange(-3.7, 5.5, STEP)
"""Nodes of the trapezoidal rule in τ, where u = exp(τ − e^−τ): the error of the double exponential formula of
Takahasi & Mori (1974) falls below the rounding errors for integrands that decay like e⁻ᵘ."""
U = np.exp(TAU - np.exp(-TAU))
WEIGHTS = STEP * (1 + np.exp(-TAU)) * U
LARGEST = 340
"""Of the logarithms of densities: the squares, which second derivatives divide by, neither vanish nor overflow."""


def partial(f: Callable[..., Any], i: int, xs: tuple[Any, ...]) -> Any:
    """∂f/∂xᵢ of a function that goes entry by entry."""
    return jvp(lambda x: f(*xs[:i], x, *xs[i + 1 :]), (xs[i],), (np.ones_like(xs[i]),))[1]


def additive(x: Any, d: Any) -> Any:
    """x + d: for tails that are at worst exponential."""
    return x + d, np.ones_like(d)


def between(lower: float, upper: float) -> Coordinate:
    """A coordinate in which algebraic tails, too, become exponential.

    It is the logarithm of the distance to the finite end of the support, the logarithm of the ratio of the distances
    to both ends, or arsinh x on the whole line.
    """

    def to_both(x: Any, d: Any) -> Any:
        odds = (x - lower) / (upper - x) * np.exp(d)
        return (lower + upper * odds) / (1 + odds), (upper - lower) * odds / (1 + odds) ** 2

    def to_lower(x: Any, d: Any) -> Any:
        distance = (x - lower) * np.exp(d)
        return lower + distance, distance

    def to_upper(x: Any, d: Any) -> Any:
        distance = (upper - x) * np.exp(-d)
        return upper - distance, distance

    def to_none(x: Any, d: Any) -> Any:
        root = np.sqrt(1 + x * x)
        return x * np.cosh(d) + root * np.sinh(d), root * np.cosh(d) + x * np.sinh(d)

    return {(1, 1): to_both, (1, 0): to_lower, (0, 1): to_upper, (0, 0): to_none}[
        bool(np.isfinite(lower)), bool(np.isfinite(upper))
    ]


def transport(
    density: Callable[..., Any], tails: Callable[..., Any], coordinate: Coordinate, i: int, x: Any, *shapes: Any
) -> Any:
    """V for the i-th shape parameter at x, by the mean of the score over the tail that lies away from the mode.

    ``density`` is the logarithm of f(x, *shapes), ``tails`` are those of F and 1 − F.  The tails only set the scale on
    which the nodes lie, so that whatever is computed from V is differentiated under the integral.
    """
    side, length = scale(density, tails, coordinate, *map(stop_gradient, (x, *shapes)))
    d = -side * length * U
    x, *shapes = (np.expand_dims(s, -1) for s in (x, *shapes))
    counted = has_mass(density, coordinate, d, *map(stop_gradient, (x, *shapes)))
    t, speed = coordinate(x, np.where(counted, d, 0))
    terms = partial(density, i + 1, (t, *shapes)) * np.exp(density(t, *shapes) - density(x, *shapes)) * speed
    return np.sum(np.where(counted, side * length * WEIGHTS * terms, 0), -1)


def has_mass(density: Callable[..., Any], coordinate: Coordinate, d: Any, x: Any, *shapes: Any) -> Any:
    """Which nodes are inside the support where f neither vanishes nor overflows, so that its derivatives are finite."""
    t, speed = coordinate(x, d)
    height = density(t, *shapes) - density(x, *shapes)
    return (speed > 0) & np.isfinite(t) & (np.abs(height) < LARGEST)


def scale(
    density: Callable[..., Any], tails: Callable[..., Any], coordinate: Coordinate, x: Any, *shapes: Any
) -> tuple[Any, Any]:
    """On which side of x the mass falls off, 1 below and −1 above, and the length on which it does, in y."""

    def in_y(d: Any) -> Any:
        t, speed = coordinate(x, d)
        return density(t, *shapes) + np.log(speed)

    zero = np.zeros_like(x * np.float64(1))
    slope, height = partial(in_y, 0, (zero,)), in_y(zero)
    mass = np.where(slope > 0, *tails(x, *shapes)) - height
    known = np.isfinite(mass)
    length = np.where(known, np.exp(np.where(known, mass, 0)), 1 / np.abs(slope))
    return np.expand_dims(np.where(slope > 0, 1.0, -1.0), -1), np.expand_dims(length, -1)


def expectation(
    density: Callable[..., Any], h: Callable[..., Any], coordinate: Coordinate, centre: Any, *shapes: Any
) -> Any:
    """E h(X), by the same nodes on both sides of a point at which the density may have a kink; they move with it."""
    plain = tuple(np.expand_dims(stop_gradient(s), -1) for s in (centre, *shapes))
    centre, *shapes = (np.expand_dims(s, -1) for s in (centre, *shapes))
    speed = coordinate(plain[0], np.zeros_like(plain[0]))[1]
    length = 1 / (2 * speed * np.exp(density(*plain)))
    length = np.where((length > 0) & np.isfinite(length), length, 1.0)
    d = length * np.concatenate([-U, U])
    t, speed = coordinate(plain[0], d)
    counted = (speed > 0) & np.isfinite(t) & (np.abs(density(t, *plain[1:])) < LARGEST)
    t, speed = coordinate(centre, np.where(counted, d, 0))
    terms = h(t, *shapes) * np.exp(density(t, *shapes)) * speed
    return np.sum(np.where(counted, length * np.tile(WEIGHTS, 2) * terms, 0), -1)

"""Integrals of samples, and of a function by a fixed rule: trapezoid, Simpson, Romberg, Gauss-Legendre."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.integrate as si

from dotbar.core import as_array
from dotbar.rules.kinds import composite
from dotbar.rules.words import raise_if, ratio
from dotbar.scipy.mirror import dispatching, stands_for

trapezoid = dispatching(si.trapezoid)
cumulative_trapezoid = dispatching(si.cumulative_trapezoid)
simpson = dispatching(si.simpson)
cumulative_simpson = dispatching(si.cumulative_simpson)
romb = dispatching(si.romb)


def samples(y: Any, x: Any, dx: Any, axis: int) -> tuple[Any, Any]:
    """The samples along their last axis, and the steps between them."""
    y = np.moveaxis(as_array(y), axis, -1)
    if x is None:
        dx = as_array(dx)
        dx = np.moveaxis(dx, axis, -1) if np.ndim(dx) > 1 else dx
        return y, dx * np.ones(y.shape[-1] - 1, np.result_type(y.dtype, np.float32))
    x = as_array(x)
    return y, np.diff(np.moveaxis(x, axis, -1) if np.ndim(x) > 1 else x)


def with_initial(integral: Any, initial: Any, axis: int) -> Any:
    """A running integral with its value at the first sample, if wanted, and the axis in its place."""
    if initial is not None:
        initial = as_array(initial)
        initial = np.moveaxis(initial, axis, -1) if np.ndim(initial) else initial
        first = np.broadcast_to(initial, (*integral.shape[:-1], 1))
        integral = np.concatenate([first, integral + initial], -1)
    return np.moveaxis(integral, -1, axis)


@composite(trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    return np.trapezoid(as_array(y), None if x is None else as_array(x), dx, axis)


@composite(cumulative_trapezoid)
def _cumulative_trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Any:
    y, h = samples(y, x, dx, axis)
    integral = np.cumsum(h * (y[..., 1:] + y[..., :-1]) / 2, -1)
    return with_initial(integral, None if initial is None else integral.dtype.type(initial), axis)


@composite(simpson)
def _simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of the parabola through each three samples; a last interval left over as Cartwright (2017), (8)."""
    y, h = samples(y, x, dx, axis)
    if y.shape[-1] == 2:
        return np.sum(h * (y[..., :-1] + y[..., 1:]) / 2, -1)
    h = h if x is None else h.astype(float)  # as SciPy does
    pairs = (y.shape[-1] - 1) // 2 * 2
    h0, h1 = h[..., 0:pairs:2], h[..., 1:pairs:2]
    y0, y1, y2 = y[..., 0:pairs:2], y[..., 1:pairs:2], y[..., 2 : pairs + 1 : 2]
    both = h0 + h1
    parabolas = y0 * (2 - ratio(h1, h0)) + y1 * both * ratio(both, h0 * h1) + y2 * (2 - ratio(h0, h1))
    integral = np.sum(both / 6 * parabolas, -1)
    if pairs == y.shape[-1] - 1:
        return integral
    h0, h1 = h[..., -2], h[..., -1]
    at_end = ratio(2 * h1**2 + 3 * h0 * h1, 6 * (h0 + h1)) * y[..., -1]
    before = ratio(h1**2 + 3 * h0 * h1, 6 * h0) * y[..., -2]
    return integral + at_end + before - ratio(h1**3, 6 * h0 * (h0 + h1)) * y[..., -3]


@composite(cumulative_simpson)
def _cumulative_simpson(y: Any, *, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Any:
    """Each interval by the parabola through its ends and a neighbour, in pairs.  Cartwright (2017), (8)."""
    y, h = samples(y, x, dx, axis)
    if x is None:
        h = h.astype(float)  # as SciPy does
    else:
        raise_if(h <= 0, error=ValueError("Input x must be strictly increasing."))
    n = y.shape[-1] - 1
    if n < 2:
        return with_initial(np.cumsum(h * (y[..., 1:] + y[..., :-1]) / 2, -1), initial, axis)
    h = np.broadcast_to(h, (*y.shape[:-1], n))

    def first(h0: Any, h1: Any, y0: Any, y1: Any, y2: Any) -> Any:
        a, b = h0 / (h0 + h1), h0**2 / ((h0 + h1) * h1)
        return h0 / 6 * ((3 - a) * y0 + (3 + a + b) * y1 - b * y2)

    y0, y1, y2, h0, h1 = y[..., :-2], y[..., 1:-1], y[..., 2:], h[..., :-1], h[..., 1:]
    ahead, back = first(h0, h1, y0, y1, y2), first(h1, h0, y2, y1, y0)
    is_first = (np.arange(n) % 2 == 0) & (np.arange(n) < n - 1)
    ahead = np.concatenate([ahead, back[..., -1:]], -1)
    back = np.concatenate([ahead[..., :1], back], -1)
    return with_initial(np.cumsum(np.where(is_first, ahead, back), -1), initial, axis)


@composite(romb)
def _romb(y: Any, dx: Any = 1.0, axis: int = -1, show: bool = False) -> Any:
    """Richardson's extrapolation of the trapezoids of all coarser grids."""
    y = np.moveaxis(as_array(y), axis, -1)
    k = (y.shape[-1] - 1).bit_length() - 1
    if y.shape[-1] != 2 ** max(k, 0) + 1:
        raise ValueError("Number of samples must be one plus a non-negative power of 2.")
    row = [np.trapezoid(y[..., :: 2**i], None, dx * 2**i) for i in range(k, -1, -1)]
    for j in range(1, k + 1):
        row = [fine + (fine - coarse) / (4**j - 1) for coarse, fine in pairwise(row)]
    return row[0]


@stands_for(si.fixed_quad)
def fixed_quad(func: Callable[..., Any], a: Any, b: Any, args: tuple[Any, ...] = (), n: int = 5) -> tuple[Any, None]:
    """SciPy's; the sum is one of functions with rules."""
    x, w = nodes(n)
    infinite = "Gaussian quadrature is only available for finite limits."
    raise_if(np.logical_or(np.isinf(a), np.isinf(b)), error=ValueError(infinite))
    return (b - a) / 2.0 * np.sum(w * as_array(func((b - a) * (x + 1) / 2.0 + a, *args)), -1), None


@cache
def nodes(n: int) -> tuple[Any, Any]:
    """The nodes and weights of Gauss and Legendre."""
    from scipy.special import roots_legendre

    x, w = roots_legendre(n)
    return np.real(x), w

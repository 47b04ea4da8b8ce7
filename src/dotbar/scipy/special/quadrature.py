"""Functions with an order of derivative, and the integrals by which they are computed.

Where the derivative by a parameter has no closed form, the integrand's has: d/da ∫ f(a, t) dt = ∫ f ∂ₐ log f dt, and so
on for each further derivative.  Such a *family* of functions, a word with a setting that is the order, is closed under
differentiation, so that derivatives of every order come out of one integral.
"""

from collections.abc import Callable, Sequence
from functools import cache, wraps
from math import comb
from typing import Any, TypeVar

import numpy as np

from dotbar.core import primitive
from dotbar.rules.kinds import rule
from dotbar.rules.words import conj

F = TypeVar("F", bound=Callable[..., Any])

BLOCK = 2048
"""How many entries of a family are computed at once, which may take hundreds of nodes each."""
DROP = 44.0
"""An integrand e^g is left out where g has fallen below −44: e⁻⁴⁴ is 10⁻¹⁹."""


# ---------------------------------------------------------------- registering


def in_double(f: F) -> F:
    """Compute in double precision, entry by entry, and return the precision of the arguments."""

    @wraps(f)
    def call(*xs: Any, **orders: Any) -> Any:
        dtype = np.result_type(*xs)
        dtype = dtype if dtype.kind in "fc" else np.dtype(float)
        wide = np.complex128 if dtype.kind == "c" else np.float64
        xs = tuple(np.asarray(x, wide) for x in xs)
        if any(x.shape != xs[0].shape for x in xs):
            xs = tuple(np.broadcast_arrays(*xs))
        with np.errstate(all="ignore"):
            y = in_blocks(f, xs, orders) if orders and xs[0].size > BLOCK else f(*xs, **orders)
        y = np.asarray(y)
        for x in xs:
            if (missing := np.isnan(x)).any():
                y = np.where(missing, np.nan, y)
        return y.astype(np.result_type(dtype, np.complex64) if y.dtype.kind == "c" else dtype)[()]

    return call  # type: ignore[return-value]


def in_blocks(f: Callable[..., Any], xs: Sequence[Any], orders: dict[str, Any], size: int = BLOCK) -> Any:
    """f of many entries, so many at a time that an axis of nodes takes little memory."""
    flat = [np.ravel(x) for x in xs]
    parts = [f(*(x[k : k + size] for x in flat), **orders) for k in range(0, flat[0].size, size)]
    return np.concatenate([[], *parts]).reshape(xs[0].shape)


def pieces(where: Any, f: Callable[..., Any], g: Callable[..., Any], *xs: Any, **settings: Any) -> Any:
    """f of the entries of arrays at which a condition holds, g of the others, neither computed in vain."""
    if where.all():
        return f(*xs, **settings)
    if not where.any():
        return g(*xs, **settings)
    y = np.empty(np.shape(where), np.result_type(*xs))
    y[where] = f(*(x[where] for x in xs), **settings)
    y[~where] = g(*(x[~where] for x in xs), **settings)
    return y


def entrywise(fn: Any, *partials: Callable[..., Any] | str | None) -> None:
    """Register y = f(a, b, …) entry by entry; a partial is given the result, all arguments and the settings.

    None stands for a derivative that is 0, a text says why there is none.
    """

    @rule(fn, ",".join(["()"] * len(partials)) + "->()")
    def body(y: Any, *xs: Any, **orders: Any) -> Any:
        def pair(partial: Any) -> Any:
            if isinstance(partial, str):
                return partial
            slope = lambda: np.zeros_like(y) if partial is None else partial(y, *xs, **orders)
            return (lambda t: t * slope()), (lambda t: t * conj(slope()))

        return [pair(p) for p in partials]


def family(*partials: Callable[..., Any] | str) -> Callable[[F], F]:
    """Make the decorated function of arrays and an order a word with the given partials."""

    def register(f: F) -> F:
        word = primitive(in_double(f))
        entrywise(word, *(p if isinstance(p, str) else _without_result(p) for p in partials))
        return word

    return register


def _without_result(partial: Callable[..., Any]) -> Callable[..., Any]:
    return lambda y, *xs, **orders: partial(*xs, **orders)


# ---------------------------------------------------------------- integrals


@cache
def gauss(edges: tuple[float, ...], count: int = 20) -> tuple[Any, Any]:
    """The nodes and weights of Gauss's rule with so many nodes between any two edges.  DLMF 3.5.22.

    NumPy's weights are off by 10⁻¹³, so its nodes are taken as first guesses.
    """
    x = np.polynomial.legendre.leggauss(count)[0].astype(np.longdouble)
    below, p = np.ones_like(x), x
    for k in range(1, count):
        below, p = p, ((2 * k + 1) * x * p - k * below) / (k + 1)
    slope = count * (below - x * p) / (1 - x * x)
    x = x - (step := p / slope)
    slope = slope * (1 - 2 * x * step / (1 - x * x))  # (1 − x²) P″ = 2x P′ where P = 0
    x, w = (v.astype(float) for v in (x, 2 / ((1 - x * x) * slope**2)))
    low, width = np.array(edges[:-1])[:, None], np.diff(edges)[:, None]
    return (low + width * (x + 1) / 2).ravel(), (width * w / 2).ravel()


WHOLE = (0.0, 1.0)
EQUAL = tuple(k / 6 for k in range(7))
GRADED = (0.0, *(3.0**k for k in range(-9, 1)))


def reach(g: Callable[[Any], Any], shape: tuple[int, ...]) -> Any:
    """Where a concave g with g(0) = 0 has fallen to −44, at most a tenth beyond; by bisection of its logarithm."""
    far = np.ones(shape)
    for _ in range(400):
        if not np.any(near := g(far) > -DROP):
            break
        far = np.where(near, 8 * far, far)
    low = far * 1e-18
    for _ in range(9):
        middle = np.sqrt(low * far)
        inside = g(middle) > -DROP
        low, far = np.where(inside, middle, low), np.where(inside, far, middle)
    return far


def segment(f: Callable[[Any], Any], length: Any, edges: tuple[float, ...] = EQUAL, count: int = 20) -> Any:
    """∫ f(w) dw from 0 to each entry of ``length``."""
    at, weights = gauss(edges, count)
    return length * np.tensordot(weights, f(at.reshape(-1, *(1,) * np.ndim(length)) * length), 1)


def tail(g: Callable[[Any], Any], factor: Callable[[Any], Any], shape: tuple[int, ...], bend: Any = None) -> Any:
    """∫₀^∞ e^g(w) factor(w) dw for a concave g with g(0) = 0: Gauss's rule on 6 equal parts of [0, reach].

    Where g is smooth on the scale of its reach the error is below 10⁻¹⁴.  Where it has a bend that is short on this
    scale, its place is given, and the parts are graded towards it from both sides, each a third of the next.
    The functions are called with an axis of nodes in front.
    """
    f = lambda w: np.exp(g(w)) * factor(w)
    far = reach(g, shape)
    if bend is None:
        return segment(f, far)
    bend = np.minimum(bend, far)
    after = segment(lambda w: f(bend + w), far - bend, GRADED)
    return after + (segment(lambda w: f(bend - w), bend, GRADED) if np.any(bend > 0) else 0)


# ---------------------------------------------------------------- polynomials of logarithmic derivatives


def bell(logarithmic: Callable[[int, int], Any], m: int, n: int = 0) -> Any:
    """∂ᵃᵐ ∂ᵇⁿ f / f, from the partial derivatives of log f of orders (i, j): complete Bell polynomials.

    ∂ₐ of the quotient pₘₙ is pₘ₊₁,ₙ − p₁₀ pₘₙ; so p₀₀ = 1, pₘ₊₁,ₙ = Σ C(m, i) C(n, j) (log f)⁽ⁱ⁺¹ʲ⁾ pₘ₋ᵢ,ₙ₋ⱼ.
    """
    if m == 0:
        return 1.0 if n == 0 else bell(lambda i, j: logarithmic(j, i), n)
    return sum(
        comb(m - 1, i) * comb(n, j) * logarithmic(i + 1, j) * bell(logarithmic, m - 1 - i, n - j)
        for i in range(m)
        for j in range(n + 1)
    )

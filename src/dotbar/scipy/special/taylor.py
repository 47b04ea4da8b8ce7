"""Truncated Taylor series: the derivatives, of every order, of what a series, a recurrence or an iteration computes.

A function of SciPy's may have no closed form for its derivative in a parameter.  Where an algorithm for its value only
adds, multiplies, divides and takes elementary functions, the same algorithm run on ``Jet`` instead of numbers gives the
derivatives, exact like the value.  ``derivatives`` makes a word of it, whose own derivatives are words of higher order.
"""

from collections.abc import Callable, Sequence
from functools import cache, wraps
from inspect import signature
from math import factorial, prod
from typing import Any

import numpy as np

from dotbar.core import dtype_of, primitive
from dotbar.rules.kinds import rule
from dotbar.rules.words import conj
from dotbar.scipy.special import ufuncs as sc


class Jet:
    """Σ c[i, j, …] ε₁ⁱ ε₂ʲ … up to the given orders; each coefficient is an array."""

    __slots__ = ("c", "orders")
    __array_ufunc__ = None

    def __init__(self, c: np.ndarray, orders: tuple[int, ...]):
        self.c = c
        self.orders = orders

    @property
    def value(self) -> Any:
        """The coefficient of 1."""
        return self.c[(0,) * len(self.orders)]

    def __add__(self, other: Any) -> "Jet":
        if isinstance(other, Jet):
            return Jet(self.c + other.c, self.orders)
        c = self.c.astype(np.result_type(self.c, other))
        c[(0,) * len(self.orders)] += other
        return Jet(c, self.orders)

    def __mul__(self, other: Any) -> "Jet":
        if not isinstance(other, Jet):
            return Jet(self.c * other, self.orders)
        first, *others = _products(self.orders)
        c = self.c[first[0]] * other.c
        for i, later, rest in others:
            c[later] += self.c[i] * other.c[rest]
        return Jet(c, self.orders)

    def compose(self, coefficients: Callable[[Any, int], Any]) -> "Jet":
        """f of the series, given the Taylor coefficients f⁽ⁿ⁾/n! at its value."""
        x, last = self.value, sum(self.orders)
        rest = self + -x
        y = rest * 0 + coefficients(x, last)
        for n in range(last - 1, -1, -1):
            y = y * rest + coefficients(x, n)
        return y

    def __pow__(self, n: int) -> "Jet":
        return prod([self] * (n - 1), start=self)

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> "Jet":
        return self * -1

    def __sub__(self, other: Any) -> "Jet":
        return self + -other

    def __rsub__(self, other: Any) -> "Jet":
        return -self + other

    def __truediv__(self, other: Any) -> "Jet":
        return self * (1 / other)

    def __rtruediv__(self, other: Any) -> "Jet":
        return self.compose(lambda x, n: (-1 / x) ** n / x) * other


@cache
def _products(orders: tuple[int, ...]) -> list[tuple[Any, Any, Any]]:
    """For each power of a factor: its index, the coefficients of the product it enters, and those it multiplies."""
    return [
        (i, tuple(slice(k, None) for k in i), tuple(slice(n + 1 - k) for n, k in zip(orders, i)))
        for i in np.ndindex(*(n + 1 for n in orders))
    ]


def value(x: Any) -> Any:
    """The number that a jet is about."""
    return x.value if isinstance(x, Jet) else x


def power(x: Any, p: float) -> Any:
    """xᵖ."""
    return x.compose(lambda x, n: sc.binom(p, n) * x ** (p - n)) if isinstance(x, Jet) else x**p


def exp(x: Any) -> Any:
    return x.compose(lambda x, n: np.exp(x) / factorial(n)) if isinstance(x, Jet) else np.exp(x)


def gammaln(x: Any) -> Any:
    """log Γ(x) at x > 0."""
    if not isinstance(x, Jet):
        return sc.gammaln(x)
    return x.compose(lambda x, n: sc.polygamma(n - 1, x) / factorial(n) if n else sc.gammaln(x))


def expand(x: Any) -> Any:
    """x with a last axis of length 1."""
    return Jet(x.c[..., None], x.orders) if isinstance(x, Jet) else np.expand_dims(x, -1)


def total(x: Any) -> Any:
    """The sum over the last axis."""
    return Jet(np.sum(x.c, -1), x.orders) if isinstance(x, Jet) else np.sum(x, -1)


def quotients(above: Sequence[Any], below: Sequence[Any], z: Any) -> Any:
    """Π (above)ₖ / Π (below)ₖ zᵏ along a last axis, k = 1, 2, … as many as it has."""
    k, product, logarithms, ended = np.arange(z.shape[-1]), z, [], []
    for sign, xs in ((1, above), (-1, below)):
        for x in xs:
            at, change = np.expand_dims(value(x), -1) + k, expand(x - value(x))
            inverse = 1 / at
            if sign > 0 and np.any(zero := at == 0):  # this factor is the change, all others keep out of it
                at, inverse = np.where(zero, 1, at), np.where(zero, 0, inverse)
                ended.append((np.logical_or.accumulate(zero, -1), change))
            product = product * at if sign > 0 else product / at
            if isinstance(x, Jet):
                logarithms += [(change * -inverse) ** n * (-sign / n) for n in range(1, sum(x.orders) + 1)]
    y = product = np.cumprod(product, -1)
    if logarithms:
        logarithm = Jet(np.cumsum(sum(x.c for x in logarithms), -1), logarithms[0].orders)
        for n in range(sum(logarithm.orders), 0, -1):
            y = logarithm * (y * (1 / n)) + product
    for after, change in ended:
        y = select(after, y * change if isinstance(change, Jet) else 0.0, y)
    return y


def coefficients(x: Any) -> Any:
    """All coefficients of a jet; a number is its only one."""
    return x.c if isinstance(x, Jet) else x


def flat(x: Any) -> Any:
    """The entries in one axis."""
    return Jet(x.c.reshape(*x.c.shape[: len(x.orders)], -1), x.orders) if isinstance(x, Jet) else np.ravel(x)


def take(x: Any, places: Any) -> Any:
    """The entries at these places of one axis."""
    return Jet(x.c[..., places], x.orders) if isinstance(x, Jet) else x[places]


def select(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y; a constant has the derivative 0, or NaN if it is not finite."""
    if not isinstance(x, Jet) and not isinstance(y, Jet):
        return np.where(condition, x, y)
    jet = x if isinstance(x, Jet) else y
    x, y = (v if isinstance(v, Jet) else Jet(np.zeros_like(jet.c) * v, jet.orders) + v for v in (x, y))
    return Jet(np.where(condition, x.c, y.c), jet.orders)


def gamma_ratio(above: Sequence[Any], below: Sequence[Any]) -> Any:
    """Π Γ(above) / Π Γ(below), raised to arguments of at least 1 by Γ(x) = Γ(x + 1)/x: 1/Γ is exact at its zeros."""
    logarithm, factors = 0.0, ([], [])
    for side, xs in enumerate((above, below)):
        for x in xs:
            steps = np.maximum(np.ceil(1 - value(x)), 0)
            for k in range(int(np.max(steps, initial=0))):
                factors[side].append(select(k < steps, x + k, 1.0))
            logarithm = gammaln(x + steps) * (-1 if side else 1) + logarithm
    return exp(logarithm) * prod(factors[1], start=1.0) / prod(factors[0], start=1.0)


def derivatives(in_last: Callable[..., tuple[Any, ...]] | None = None) -> Callable[..., Any]:
    """Make the decorated f(a, b, …), written for jets, the word ∂ⁱ⁺ʲ⁺…f/∂aⁱ ∂bʲ … with ``order=(i, j, …)``.

    Where ∂f/∂z = r·f(a′, b′, …, z) for the last argument, ``in_last(a, b, …)`` gives r, a′, b′, …; f then takes jets in
    the others only.  Without ``order`` the word is f itself, of jets.
    """
    return lambda f: _word(f, in_last)


def partial(f: Callable[..., Any], xs: Sequence[Any], order: tuple[int, ...], in_last: Any = None) -> Any:
    """The partial derivative of f at plain xs, in double precision inside."""
    dtype = np.result_type(*([x for x in xs if dtype_of(x).kind in "fc"] or [np.float64]))
    double = lambda x: np.asarray(x, np.complex128 if dtype_of(x).kind == "c" else np.float64)
    xs, factor = np.broadcast_arrays(*map(double, xs)), 1.0
    unknown = np.any([*(~np.isfinite(x) for x in xs[:-1]), np.isnan(xs[-1])], 0)
    xs = [np.where(unknown, 0.5, x) for x in xs]
    with np.errstate(all="ignore"):
        if in_last is None:
            y = f(*_variables(xs, order))
        else:
            *parameters, z = _variables(xs, (*order[:-1], 0))
            for _ in range(order[-1]):
                r, *parameters = in_last(*parameters)
                factor = r * factor
            y = f(*parameters, z) * factor
    if isinstance(y, Jet):
        y = y.c[y.orders] * prod(map(factorial, y.orders))
    return np.where(unknown, np.nan, y).astype(dtype)[()]


def _word(f: Callable[..., Any], in_last: Callable[..., tuple[Any, ...]] | None) -> Callable[..., Any]:
    @primitive
    @wraps(f)
    def word(*xs: Any, order: tuple[int, ...] | None = None) -> Any:
        return f(*xs) if order is None else partial(f, xs, order, in_last)

    arguments = ",".join("()" for _ in signature(f).parameters)

    @rule(word, f"{arguments}->()")
    def body(y: Any, *xs: Any, order: tuple[int, ...]) -> Any:
        def pair(k: int) -> Any:
            slope = lambda: word(*xs, order=(*order[:k], order[k] + 1, *order[k + 1 :]))
            return (lambda dot: slope() * dot), (lambda bar: conj(slope()) * bar)

        return [pair(k) for k in range(len(xs))]

    return word


def _variables(xs: Sequence[Any], order: tuple[int, ...]) -> list[Any]:
    """The arguments, those that are differentiated as the value plus an ε of their own."""
    orders = tuple(n for n in order if n)
    found, own = list(xs), iter(np.eye(len(orders), dtype=int))
    for k, n in enumerate(order):
        if n:
            c = np.zeros((*(n + 1 for n in orders), *xs[k].shape), xs[k].dtype)
            c[(0,) * len(orders)] = xs[k]
            c[tuple(next(own))] = 1
            found[k] = Jet(c, orders)
    return found

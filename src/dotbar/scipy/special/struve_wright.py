"""Struve functions in order and argument, integrals of Bessel functions, and Wright's generalised Bessel function."""

from collections.abc import Callable
from math import factorial, gamma, pi, prod, sqrt
from typing import Any

import numpy as np

from dotbar.rules.kinds import elementwise
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.bessel_order import order_derivative
from dotbar.scipy.special.hypergeometric import is_small
from dotbar.scipy.special.quadrature import family
from dotbar.scipy.special.taylor import (
    Jet,
    derivatives,
    exp,
    expand,
    gamma_ratio,
    gammaln,
    partial,
    select,
    total,
    value,
)

NODES = 641
TERMS = 500

# ---------------------------------------------------------------- Struve functions


def log(x: Any) -> Any:
    if not isinstance(x, Jet):
        return np.log(x)
    return x.compose(lambda x, n: -((-1 / x) ** n) / n if n else np.log(x))


def over_gamma(v: Any, x: Any, shift: float) -> Any:
    """(x/2)^ν/(√π Γ(ν + shift)): its factors may leave the range of numbers where it does not."""
    large = value(v) > 1
    v, low = select(large, v, 2.0), select(large, 0.0, v)
    half = exp(low * (np.log(x / 2) / 2))
    y = select(large, exp(v * np.log(x / 2) - gammaln(v + shift)), half * gamma_ratio([], [low + shift]) * half)
    return y / sqrt(pi)


def forcing(v: Any, x: Any) -> Any:
    """By this Struve functions differ from solutions of Bessel's recurrences."""
    return over_gamma(v, x, 1.5)


def amplitude(v: Any, x: Any) -> Any:
    """2 (x/2)^ν/(√π Γ(ν + ½))."""
    return over_gamma(v, x, 0.5) * 2


def inside(v: Any, x: Any, wave: Callable[[Any], Any]) -> Any:
    """∫₀¹ (1 − t²)^(ν − ½) wave(xt) dt for ν ≥ 0: in u, t = 1/(1 + e⁻ᵘ)."""
    length = 44 / (value(v) + 0.5) + np.log1p(x) + 40
    u = expand(length) * np.linspace(0, 1, NODES) - 40
    t, rest = 1 / (1 + np.exp(-u)), 1 / (1 + np.exp(u))
    weight = wave(expand(x) * t) * (t * rest) * expand(length / (NODES - 1))
    return total(exp(expand(v - 0.5) * (np.log(rest) + np.log1p(t))) * weight)


def outside(v: Any, x: Any) -> Any:
    """∫₀^∞ (1 + t²)^(ν − ½) e^(−xt) dt: in u, t ~ exp(u − e⁻ᵘ)."""
    u = np.linspace(-4.2, 6, NODES)
    t = np.exp(u - np.exp(-u)) * expand(np.sqrt(np.maximum(value(v), 1)) / x)
    weight = np.exp(-expand(x) * t) * t * (1 + np.exp(-u)) * (u[1] - u[0])
    return total(exp(expand(v - 0.5) * np.log1p(t * t)) * weight)


def bessel(name: str, v: Any, x: Any) -> Any:
    """Y_ν(x) or I_ν(x) of a jet ν."""
    by_order = lambda v, n: order_derivative(name, v, x, n) / factorial(n)
    return v.compose(by_order) if isinstance(v, Jet) else by_order(v, 0)


def struve(v: Any, x: Any, sign: int) -> Any:
    """H (sign = −1) or L for x > 0, with A = 2 (x/2)^ν/(√π Γ(ν + ½)).

    H = A ∫₀¹ (1 − t²)^(ν − ½) sin xt dt, or Y + A ∫₀^∞ (1 + t²)^(ν − ½) e^(−xt) dt for x > max(|ν|, 4);
    L = A ∫₀¹ (1 − t²)^(ν − ½) sinh xt dt, or I − A ∫₀¹ (1 − t²)^(ν − ½) e^(−xt) dt for x > 10.

    DLMF 11.5.1, 11.5.2, 11.5.4, 11.5.6.  The trapezoidal rule converges exponentially.  Integrals over (0, 1) are taken
    at ν ≥ 0, from where f_ν₋₁ = (2ν/x) f_ν ± f_ν₊₁ + (x/2)^ν/(√π Γ(ν + 3/2)) leads down, DLMF 11.4.23, 11.4.25.
    """
    far = x > (np.maximum(np.abs(value(v)), 4) if sign < 0 else 10)
    near, large = np.where(far, 4.0, x), np.where(far, x, 50.0)
    steps = np.maximum(np.ceil(-value(v)), 0)
    top = v + steps

    def start(v: Any) -> Any:
        if sign < 0:
            return amplitude(v, near) * inside(v, near, np.sin)
        other = bessel("iv", v, large) - amplitude(v, large) * inside(v, large, lambda z: np.exp(-z))
        return select(far, other, amplitude(v, near) * inside(v, near, np.sinh))

    above, here, z = start(top + 1), start(top), near if sign < 0 else x
    for k in range(int(np.max(steps, initial=0))):
        at = top - k
        below = at * here * (2 / z) + above * sign + forcing(at, z)
        above, here = select(k < steps, here, above), select(k < steps, below, here)
    if sign > 0 or not np.any(far):
        return here
    return select(far, bessel("yv", v, large) + amplitude(v, large) * outside(v, large), here)


@family(
    lambda v, x, sign, n, m: beginning(v, x, sign=sign, n=n + 1, m=m),
    lambda v, x, sign, n, m: beginning(v, x, sign=sign, n=n, m=m + 1),
)
def beginning(v: Any, x: Any, *, sign: int, n: int, m: int) -> Any:
    """∂ⁿ⁺ᵐ/∂νⁿ∂xᵐ of Σ (±1)ᵏ (x/2)^(2k+ν+1)/(Γ(k + 3/2) Γ(k + ν + 3/2)), |x| < 1.  DLMF 11.2.1, 11.2.2.

    Functions of integer order are even or odd; others are not real left of 0.
    """
    t, power = np.where(x == 0, 1e-100, np.abs(x)), v + 1 - m

    def series(v: Any, t: Any) -> Any:
        terms = (
            over_gamma(v + (2 * k + 1 - m), t, 0.5 - k + m)
            * prod((v + (2 * k + 1 - j) for j in range(m)), start=1.0)
            * (sign**k * sqrt(pi) / (2**m * gamma(k + 1.5)))
            for k in range(12)
        )
        return sum(terms, start=0.0)

    y = partial(series, (v, t), (n, 0))
    limit = np.where((power > 0) | (np.abs(y) < 1e-50), 0, np.where((power == 0) & (n == 0), y, y * np.inf))
    even = np.mod(v + m, 2)
    parity = np.where(even == 1, 1, np.where((even == 0) & (n == 0), -1, np.nan))
    return np.where(x == 0, limit, np.where(x < 0, parity, 1) * y)


def slope(v: Any, x: Any, sign: int, n: int) -> Any:
    """∂ⁿ/∂νⁿ of f′ = f_ν₋₁ − (ν/x) f_ν, f = H or L; near 0 by the series.  DLMF 11.4.27, 11.4.29."""
    near = np.abs(x) < 1
    z = np.where(near, 1, x)

    def at(v: Any, n: int) -> Any:
        return by_order(v, z, sign=sign, n=n) if n else STRUVE[sign](v, z)

    far = at(v - 1.0, n) - v / z * at(v, n) - (n / z * at(v, n - 1) if n else 0)
    return np.where(near, beginning(v, np.where(near, x, 0.5), sign=sign, n=n, m=1), far)


@family(
    lambda v, x, sign, n: by_order(v, x, sign=sign, n=n + 1),
    lambda v, x, sign, n: slope(v, x, sign, n),
)
def by_order(v: Any, x: Any, *, sign: int, n: int) -> Any:
    """∂ⁿH/∂νⁿ (sign = −1) or ∂ⁿL/∂νⁿ for x ≥ 0; relative error 1e-13 of the amplitude."""
    near = x < 1
    far = partial(lambda v, x: struve(v, x, sign), (v, np.where(near, 1, x)), (n, 0))
    y = np.where(near, beginning(v, np.where(near, x, 0.5), sign=sign, n=n, m=0), far)
    return np.where(x < 0, np.nan, y)


STRUVE = {-1: sc.struve, 1: sc.modstruve}
elementwise(sc.struve, lambda a, b: by_order(a, b, sign=-1, n=1), lambda a, b: slope(a, b, -1, 0))
elementwise(sc.modstruve, lambda a, b: by_order(a, b, sign=1, n=1), lambda a, b: slope(a, b, 1, 0))

# ---------------------------------------------------------------- ∫₀¹ x^λ J_ν(2ax) dx


@derivatives()
def moment(a: Any, p: Any, v: Any) -> Any:
    """Σ (−1)ᵏ a^(ν + 2k) / (k! Γ(ν + k + 1) (λ + ν + 2k + 1)), a > 0: the series of J, integrated.

    Cancellation costs e^(2a), as in SciPy's own value.
    """
    term = exp(v * log(a)) * gamma_ratio([], [v + 1])
    y = term / (p + v + 1)
    for k in range(1, TERMS):
        term = term * (a * a * (-1 / k)) / (v + k)
        y = y + term / (p + v + (2 * k + 1))
        if is_small(term, y):
            break
    return y


elementwise(
    sc.besselpoly,
    lambda a, b, c: sc.besselpoly(a, b + 1, c - 1) - sc.besselpoly(a, b + 1, c + 1),
    lambda a, b, c: moment(a, b, c, order=(0, 1, 0)),
    lambda a, b, c: moment(a, b, c, order=(0, 0, 1)),
)

# ---------------------------------------------------------------- Wright's generalised Bessel function


@derivatives(lambda a, b, y: (1.0, a, a + b, y))  # Φ′(a, b; x) = Φ(a, a + b; x)
def wright(a: Any, b: Any, y: Any, x: Any) -> Any:
    """e⁻ʸ Φ(a, b; x), Φ = Σ xᵏ/(k! Γ(ak + b)) for x ≥ 0: all terms up to those below rounding.  DLMF 10.46.1."""
    peak = (x / np.maximum(value(a), 0.05) ** value(a)) ** (1 / (1 + value(a)))
    k = np.arange(int(np.max(peak + 10 * np.sqrt(peak) + 40, initial=0)))
    weight = sc.xlogy(k, expand(x)) - sc.gammaln(k + 1.0)
    b, y = (expand(p) * np.ones_like(weight) for p in (b, y))
    return total(exp(weight - y) * gamma_ratio([], [expand(a) * k + b]))


elementwise(
    sc.wright_bessel,
    lambda a, b, c: wright(a, b, np.zeros_like(c), c, order=(1, 0, 0, 0)),
    lambda a, b, c: wright(a, b, np.zeros_like(c), c, order=(0, 1, 0, 0)),
    lambda a, b, c: sc.wright_bessel(a, a + b, c),
)
elementwise(
    sc.log_wright_bessel,
    lambda y, a, b, c: wright(a, b, y, c, order=(1, 0, 0, 0)),
    lambda y, a, b, c: wright(a, b, y, c, order=(0, 1, 0, 0)),
    lambda y, a, b, c: np.exp(sc.log_wright_bessel(a, a + b, c) - y),
)

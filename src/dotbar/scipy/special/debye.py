"""Debye's expansions of I_ν(w) and K_ν(w), and so of all Bessel functions, in the orders and arguments that they suit.

With R = √(ν² + w²), ν/w = sinh t and E = ν²/(R + w) − νt (DLMF 10.41.3, 10.41.4; νη = E + w there)

    e⁻ʷ I_ν(w) ~ eᴱ/√(2πR) Σ uₖ,      eʷ K_ν(w) ~ π e⁻ᴱ/√(2πR) Σ (−1)ᵏ uₖ,      uₖ = R⁻ᵏ Σ cₖⱼ (ν/R)²ʲ,

which for ν = 0 are Hankel's.  Nothing cancels in the derivatives by ν and w, as it does in recurrences: ∂E/∂ν = −t.
Terms fall until k = |F|, F = 2(E + w) ± iπν being what the exponents at neighbouring saddle points differ by (Dingle,
1973): to rounding if |F| > 40, all but near the turning points w = ±iν.
"""

from functools import cache
from typing import Any

import numpy as np

from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.taylor import Jet, exp, power, value

TERMS = 36


@cache
def coefficients() -> np.ndarray:
    """cₖⱼ, where Uₖ(p) = Σ cₖⱼ pᵏ⁺²ʲ.  DLMF 10.41.9."""
    c = np.zeros((TERMS, TERMS + 1))
    c[0, 0] = 1
    for k in range(TERMS - 1):
        p = k + 2 * np.arange(TERMS)
        c[k + 1, :-1] += c[k, :-1] * (p / 2 + 1 / (8 * (p + 1)))
        c[k + 1, 1:] -= c[k, :-1] * (p / 2 + 5 / (8 * (p + 3)))
    return c[:, :-1]


def root(v: Any, w: Any) -> Any:
    """√(ν² + w²), analytic where Re w ≥ 0 or |w| > |ν|."""
    if np.iscomplexobj(w):
        return np.where(np.real(w) < 0, w * np.sqrt(1 + (v / w) ** 2), np.sqrt(w + 1j * v) * np.sqrt(w - 1j * v))
    return np.hypot(v, w)


def angle(v: Any, w: Any) -> Any:
    """t, sinh t = ν/w."""
    ratio = v / w
    if not np.iscomplexobj(w):
        return np.arcsinh(ratio)
    return np.where(np.abs(ratio) < 0.5, np.arcsinh(ratio), np.log((v + root(v, w)) / w))


def differences(v: Any, w: Any) -> tuple[Any, Any]:
    """F with either sign."""
    rise, turn = 2 * (root(v, w) - v * angle(v, w)), 1j * np.pi * v
    return rise + turn, rise - turn


def suits(v: Any, w: Any) -> Any:
    """Where the expansions are exact to rounding, ν ≥ 0 and Re w ≥ 0."""
    plus, minus = differences(v, w)
    return (np.minimum(np.abs(plus), np.abs(minus)) > 40) & (np.abs(root(v, w)) > 25)


def debye(v: Any, w: Any, sign: int) -> Any:
    """e⁻ʷ I_ν(w) for sign = 1, eʷ K_ν(w)/π for sign = −1, of a jet ν or w."""
    order, at = value(v), value(w)
    size, t = root(order, at), angle(order, at)

    def arcsinh(x: Any, n: int) -> Any:
        """The coefficients of t as a function of x = ν/w: (1 + x²) t″ + x t′ = 0."""
        below, c = t, at / size
        for k in range(n - 1):
            below, c = c, -(x * (k + 1) * (2 * k + 1) * c + k * k * below) / ((k + 2) * (k + 1)) * (at / size) ** 2
        return c if n else t

    radius = (v * v + w * w).compose(lambda _, n: sc.binom(0.5, n) * size ** (1.0 - 2 * n))
    inverse = 1 / radius
    powers = [inverse * 0 + 1]
    for _ in range(TERMS - 1):
        powers.append(powers[-1] * inverse * sign)
    rows = np.tensordot(coefficients().T, [x.c for x in powers], 1)
    square, y = (v * inverse) * (v * inverse), inverse * 0
    for c in rows[::-1]:
        y = y * square + Jet(c, y.orders)
    exponent = v * v / (radius + w) - v * (v / w).compose(arcsinh)
    return exp(exponent * sign) * power(radius, -0.5) * y * (2 * np.pi) ** -0.5

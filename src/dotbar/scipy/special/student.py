"""Student's t distribution by its degrees of freedom.

With t = √ν sinh θ the density of θ is cosh⁻ᵛθ/B(1/2, ν/2).  For many degrees of freedom the distribution hardly depends
on ν: logarithmic derivatives, which are of order 1/ν², are computed without the terms of order 1/ν, which cancel.
"""

import math
from math import pi
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import Polynomial, polyval

from dotbar.rules.kinds import elementwise
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.gammas import EVEN, difference, rising, stirling
from dotbar.scipy.special.implicit import inverse_of
from dotbar.scipy.special.incomplete import deviance
from dotbar.scipy.special.probability import snedecor_by_denominator
from dotbar.scipy.special.quadrature import bell, family, segment, tail


@family(lambda u: u / (1 + u))
def log1p_rest(u: Any) -> Any:
    """u − log(1 + u)."""
    return deviance(u, 1 + u)


def log_cosh(x: Any) -> Any:
    """log cosh x for x ≥ 0."""
    near = np.minimum(x, 1)
    return np.where(x < 1, np.log1p(np.sinh(near) ** 2) / 2, x + np.log1p(np.exp(-2 * x)) - math.log(2))


def quotient_derivative(v: Any, i: int) -> Any:
    """The i-th derivative of ψ((ν + 1)/2) − ψ(ν/2) − 1/ν ~ Σ (4ᵏ − 1) B₂ₖ/(k ν²ᵏ), expanded from ν = 24 on."""
    large = np.maximum(v, 24)
    terms = [(4.0**k - 1) * b / k * rising(2.0 * k, i) * large ** (-2 * k - i) for k, b in enumerate(EVEN, 1)]
    near = difference(v / 2, 0.5 + 0 * v, n=i) / 2**i - (-1) ** i * math.factorial(i) / v ** (i + 1)
    return np.where(v < 24, near, (-1) ** i * sum(reversed(terms)))


def cumulant(i: int, v: Any, square: Any, logarithm: Any, share: Any) -> Any:
    """The i-th derivative by ν of the logarithm of the density of t, from u = t²/ν, log(1 + u) and s = u/(1 + u).

    The second is (s²/ν − (2s − s²)/ν² + …)/2, of which the others follow by ∂s/∂ν = −s(1 − s)/ν.
    """
    if i == 1:
        u = np.where(square < 1, square, 0)
        moving = np.where(square < 1, log1p_rest(u) - u * u / (1 + u), share - logarithm) + share / v
    else:
        first, second, s = Polynomial([0, 0, 1]), Polynomial([0, -2, 1]), Polynomial([0, 1])
        for k in range(2, i):
            first = -s * (1 - s) * first.deriv() - (k - 1) * first
            second = -s * (1 - s) * second.deriv() - k * second
        moving = (polyval(share, first.coef) + polyval(share, second.coef) / v) / v ** (i - 1)
    return (quotient_derivative(v, i - 1) + moving) / 2


def log_derivative(v: Any, t: Any, i: int) -> Any:
    """The i-th derivative by ν of the logarithm of the density."""
    square = t * t / v
    return cumulant(i, v, square, np.log1p(square), square / (1 + square))


@family(
    lambda v, t: student_density(v, t) * log_derivative(v, t, 1),
    lambda v, t: -student_density(v, t) * (v + 1) * t / (v + t * t),
)
def student_density(v: Any, t: Any) -> Any:
    """Γ((ν + 1)/2)/(√(πν) Γ(ν/2)) (1 + t²/ν)^(−(ν + 1)/2), the quotient by Stirling's remainders."""
    z = v / 2
    logarithm = stirling(z + 0.5, n=0) - stirling(z, n=0) + z * np.log1p(1 / v) + np.log(z + 0.5) / 2 - 0.5
    y = np.exp(logarithm - (v + 1) / 2 * np.log1p(t * t / v)) / np.sqrt(pi * v)
    return np.where(v == np.inf, np.exp(-t * t / 2) / math.sqrt(2 * pi), y)


@family(
    lambda v, t, n: student_at(v, t, n=n + 1),
    lambda v, t, n: student_density(v, t) * bell(lambda i, j: log_derivative(v, t, i), n),
)
def student_at(v: Any, t: Any, *, n: int) -> Any:
    """∂ⁿF/∂νⁿ of the distribution function F(t), n ≥ 1, as −∫ₜ^∞ f pₙ over θ, for |t| < 3/2 as ∫₀ᵗ f pₙ; pₙ = ∂ⁿf/f.

    The first by Snedecor's distribution of t² for 1 and ν degrees of freedom.  Relative error 10⁻¹³.
    """
    if n == 1:
        constant = (v == np.inf) | ((v > 0) & np.isinf(t))
        return np.where(constant, 0, np.sign(t) / 2 * snedecor_by_denominator(np.ones_like(v), v, t * t))
    near, start = np.abs(t) < 1.5, np.arcsinh(np.abs(t) / np.sqrt(v))
    height = np.sqrt(v) * student_density(v, np.zeros_like(t))

    def factor(theta: Any) -> Any:
        share, at = np.tanh(theta) ** 2, np.minimum(theta, 1)
        return bell(
            lambda i, j: cumulant(i, v, np.where(theta < 1, np.sinh(at) ** 2, 2), 2 * log_cosh(theta), share), n
        )

    base, zero = -v * log_cosh(start), np.zeros_like(t)
    inner = outer = zero
    if np.any(near):
        inner = segment(lambda w: np.exp(-v * log_cosh(w)) * factor(w), np.where(near, start, 0))
    if not np.all(near):
        g = lambda w: -v * log_cosh(start + w) - base
        outer = np.exp(base) * tail(g, lambda w: factor(start + w), t.shape, zero)
    return np.sign(t) * height * np.where(near, inner, -outer)


elementwise(sc.stdtr, lambda a, b: student_at(a, b, n=1), lambda a, b: student_density(a, b))
inverse_of(sc.stdtrit, sc.stdtr, 1)
inverse_of(sc.stdtridf, sc.stdtr, 0)

"""Distribution functions, their complements and inverses, in every argument.

Most are incomplete gamma or beta functions in disguise, or solve an equation in one.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dotbar.core import primitive
from dotbar.rules.kinds import elementwise
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.gammas import EVEN, SHIFT, difference
from dotbar.scipy.special.implicit import inverse_of, same_as, slope
from dotbar.scipy.special.incomplete import LEAST, beta_integral, betainc_term, deviance, log_beta_cumulants
from dotbar.scipy.special.quadrature import bell, entrywise, family, in_double, pieces

COUNT = "n counts, and is an integer"

# ---------------------------------------------------------------- sums of discrete probabilities


def binomial(k: Any, n: Any, p: Any) -> Any:
    """At most k successes among n with probability p.  DLMF 8.17.5."""
    return sc.betaincc(k + 1, n - k, p)


def negative_binomial(k: Any, n: Any, p: Any) -> Any:
    """At most k failures before the n-th success."""
    return sc.betainc(n, k + 1, p)


def poisson(k: Any, m: Any) -> Any:
    """At most k events of which m are expected.  DLMF 8.4.10."""
    return sc.gammaincc(k + 1, m)


floor = {0: None}  # SciPy rounds the number of events down
same_as(sc.bdtr, lambda k, n, p: binomial(np.floor(k), n, p), {**floor, 1: COUNT})
same_as(sc.bdtrc, lambda k, n, p: -binomial(np.floor(k), n, p), {**floor, 1: COUNT})
same_as(sc.nbdtr, lambda k, n, p: negative_binomial(np.floor(k), n, p), {**floor, 1: COUNT})
same_as(sc.nbdtrc, lambda k, n, p: -negative_binomial(np.floor(k), n, p), {**floor, 1: COUNT})
same_as(sc.pdtr, lambda k, m: poisson(np.floor(k), m), floor)
same_as(sc.pdtrc, lambda k, m: -poisson(np.floor(k), m), floor)
inverse_of(sc.bdtri, sc.bdtr, 2, {**floor, 1: COUNT})
inverse_of(sc.nbdtri, sc.nbdtr, 2, {**floor, 1: COUNT})
inverse_of(sc.pdtri, sc.pdtr, 1, floor)
inverse_of(sc.bdtrik, binomial, 0)
inverse_of(sc.bdtrin, binomial, 1)
inverse_of(sc.nbdtrik, negative_binomial, 0)
inverse_of(sc.nbdtrin, negative_binomial, 1)
inverse_of(sc.pdtrik, poisson, 0)

# ---------------------------------------------------------------- the gamma, chi-square, beta and F distributions


same_as(sc.gdtr, lambda a, b, x: sc.gammainc(b, a * x))
same_as(sc.gdtrc, lambda a, b, x: sc.gammaincc(b, a * x))
same_as(sc.chdtr, lambda v, x: sc.gammainc(v / 2, x / 2))
same_as(sc.chdtrc, lambda v, x: sc.gammaincc(v / 2, x / 2))
inverse_of(sc.gdtria, sc.gdtr, 0)
inverse_of(sc.gdtrib, sc.gdtr, 1)
inverse_of(sc.gdtrix, sc.gdtr, 2)
inverse_of(sc.chdtri, sc.chdtrc, 1)
inverse_of(sc.chdtriv, sc.chdtr, 0)
inverse_of(sc.btdtria, sc.betainc, 0)
inverse_of(sc.btdtrib, sc.betainc, 1)

# ---------------------------------------------------------------- Snedecor's F distribution


def odds(n: Any, d: Any, x: Any) -> Any:
    """The beta distribution function, where t/(1 − t) = n x/d, accurately also where t is near 1.  DLMF 8.17.4."""
    a, b, ratio = n / 2, d / 2, n * x / d
    return np.where(ratio < 1, sc.betainc(a, b, ratio / (1 + ratio)), sc.betaincc(b, a, 1 / (1 + ratio)))


@primitive
@in_double
def snedecor_by_denominator(n: Any, d: Any, x: Any) -> Any:
    """∂F/∂d = ∫₀ˣ f p = −∫ₓ^∞ f p with p = ∂ log f/∂d, over the odds n x/d.

    2p = ψ(a + b) − ψ(b) − a/b + s + log(1 − s) + a s/b with a = n/2, b = d/2 and s = n x/(d + n x), by rests of the
    order 1/b²: the terms of the order 1/b cancel.  Relative error 10⁻¹³.
    """
    inside = (n > 0) & (d > 0) & (x > 0) & (np.maximum(n, d) < np.inf) & (x < np.inf)
    return pieces(inside, snedecor_inside, lambda n, d, x: 0 * sc.fdtr(n, d, x), n, d, x)


def snedecor_inside(n: Any, d: Any, x: Any) -> Any:
    tail = lambda **of: partial(snedecor_tail, **of)
    side = lambda below: (
        lambda a, b, *xs: pieces(a < b, tail(below=below, many=True), tail(below=below, many=False), a, b, *xs)
    )
    xs = (n / 2, d / 2, n * x / (d + n * x), d / (d + n * x))
    return pieces(x * n < n + 1, side(True), side(False), *xs)


def snedecor_tail(a: Any, b: Any, s: Any, rest: Any, below: bool, many: bool) -> Any:
    """From s on down or up, as first terms of the series of the beta distribution function and an integral."""
    falling, other, x, y = (a, b, s, rest) if below else (b, a, rest, s)
    steps = np.maximum(np.ceil(LEAST - falling), 0)
    total = beta_integral(snedecor_moment, falling + steps, other, x, y, b, below=below, many=many)
    term, _ = betainc_term(falling, other, x, y, 0, 0)
    p = snedecor_moment(falling, other, x, y, b, below, many)(0, 0) - (0 if below else 1 / b / 2)
    for k in range(int(np.max(steps, initial=0))):
        total = total + np.where(k < steps, term * p, 0)
        term = term * (x * (a + b + k) / (falling + k + 1))
        further = (s * b - rest * (a + k)) / (b * (a + b + k)) if below else 1 / (a + b + k) - 1 / (b + k + 1) + s / b
        p = p + further / 2
    return total if below else -total


def snedecor_moment(
    falling: Any, other: Any, x: Any, y: Any, half: Any, below: bool, many: bool
) -> Callable[[Any, Any], Any]:
    """p, given by how much log t and log(1 − t) are changed; b may exceed d/2 = ``half`` by some steps.

    With ``many`` degrees of freedom d > n, by rests of second order; else by log(1 − s) less its mean.
    """
    a, b, s, rest = (falling, other, x, y) if below else (other, falling, y, x)
    mean = psi_rest(a, b) if many else log_beta_cumulants(a, b, s, rest, 0, 1)[0, 1]

    def p(fall: Any, rise: Any) -> Any:
        of_s, of_rest = (fall, rise) if below else (rise, fall)
        if not many:
            return (mean + of_rest + (b - (a + b) * rest * np.exp(of_rest)) / half) / 2
        t = s * np.exp(of_s)
        return (mean - deviance(-t, 1 - t) + a * t / b + (1 / half - 1 / b) * ((a + b) * t - a)) / 2

    return p


def psi_rest(a: Any, b: Any) -> Any:
    """ψ(a + b) − ψ(b) − a/b, of the order a²/b²: from b = 12 on by the expansion, DLMF 5.11.2."""
    far = b >= SHIFT
    z = np.where(far, b, SHIFT)
    u = a / z
    y = -deviance(u, 1 + u) + u / (a + z) / 2
    y -= sum(c * z ** (-2.0 * k) / (2 * k) * np.expm1(-2 * k * np.log1p(u)) for k, c in enumerate(EVEN, 1))
    return np.where(far, y, difference(b, a, n=0) - a / b)


same_as(snedecor_by_denominator, lambda n, d, x: slope(odds, (n, d, x), 1))


def by_numerator(n: Any, d: Any, x: Any) -> Any:
    """∂F/∂n, by F(n, d; x) = 1 − F(d, n; 1/x)."""
    return -snedecor_by_denominator(d, n, 1 / x)


same_as(sc.fdtr, odds, {0: lambda y, *xs: by_numerator(*xs), 1: lambda y, *xs: snedecor_by_denominator(*xs)})
same_as(
    sc.fdtrc,
    lambda n, d, x: -odds(n, d, x),
    {0: lambda y, *xs: -by_numerator(*xs), 1: lambda y, *xs: -snedecor_by_denominator(*xs)},
)
inverse_of(sc.fdtri, sc.fdtr, 2)
inverse_of(sc.fdtridfd, sc.fdtr, 1)

# ---------------------------------------------------------------- the normal and Tukey's distribution


def normal(mean: Any, deviation: Any, x: Any) -> Any:
    """The normal distribution function."""
    return sc.ndtr((x - mean) / deviation)


def tukey_quantile(p: Any, shape: Any) -> Any:
    """(pˡ − (1 − p)ˡ)/l, which Tukey's lambda distribution is defined by."""
    return sc.boxcox(p, shape) - sc.boxcox(1 - p, shape)


inverse_of(sc.nrdtrimn, normal, 0)
inverse_of(sc.nrdtrisd, normal, 1)
inverse_of(sc.tklmbda, tukey_quantile, 0)

# ---------------------------------------------------------------- Kolmogorov's and Smirnov's distributions


def kolmogorov_slope(x: Any) -> Any:
    """The derivatives of 2 Σ (−1)ᵏ⁻¹ exp(−2k²x²) for x > 1, of 1 − √(2π)/x Σ exp(−(2k − 1)²π²/(8x²)) below.

    Marsaglia, Tsang and Wang (2003), (1).  Five terms: relative error 10⁻¹⁵.
    """
    large, small = np.where(x > 1, x, 1), np.where((x > 0) & (x <= 1), x, 1)
    upper = -8 * large * sum((-1) ** (k - 1) * k * k * np.exp(-2 * k * k * large**2) for k in range(5, 0, -1))
    rates = [(2 * k - 1) ** 2 * np.pi**2 / 8 / small**2 for k in range(5, 0, -1)]
    lower = -math.sqrt(2 * np.pi) / small**2 * sum((2 * r - 1) * np.exp(-r) for r in rates)
    return np.where(x > 1, upper, np.where(x > 0, lower, np.where(x <= 0, 0, np.nan)))


elementwise(sc.kolmogorov, kolmogorov_slope)
inverse_of(sc.kolmogi, sc.kolmogorov, 0)


@family("the size n of the sample is an integer", lambda n, d, r: smirnov_at(n, d, r=r + 1))
def smirnov_at(n: Any, d: Any, *, r: int) -> Any:
    """The r-th derivative of d Σ C(n, j) (d + j/n)ʲ⁻¹ (1 − d − j/n)ⁿ⁻ʲ, j < n (1 − d): Birnbaum and Tingey (1951)."""
    j = np.arange(np.max(n, initial=0)).reshape(-1, *(1,) * n.ndim)
    low, high = d + j / n, 1 - d - j / n
    inside = high > 0
    high = np.where(inside, high, 1)
    choices = -sc.betaln(j + 1, n - j + 1) - np.log(n + 1)
    terms = np.exp(choices + np.log(d) + (j - 1) * np.log(low) + (n - j) * np.log(high))

    def derivative(i: int, _: int) -> Any:
        falling = -((-1) ** i) * (1 / d**i + (j - 1) / low**i) - (n - j) / high**i
        return math.factorial(i - 1) * falling

    return np.sum(np.where(inside, terms * bell(derivative, r), 0), 0)


entrywise(sc.smirnov, "the size n of the sample is an integer", lambda y, n, d: smirnov_at(n, d, r=1))
inverse_of(sc.smirnovi, sc.smirnov, 1, {0: "the size n of the sample is an integer"})

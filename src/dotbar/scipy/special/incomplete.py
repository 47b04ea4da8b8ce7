"""The incomplete gamma and beta functions in every argument, and their inverses.

Both are distribution functions of T with a density that is log-concave in a variable s (log t; log t/(1 − t)) and whose
logarithm is linear in the parameters but for a constant.  So the derivatives by the parameters are integrals of the
density times polynomials in log t (and log(1 − t)), from the argument outwards to whichever side gives no cancellation.
"""

import math
from typing import Any

import numpy as np

from dotbar.rules.kinds import elementwise
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.gammas import difference, polygamma_at, stirling
from dotbar.scipy.special.implicit import inverse_of
from dotbar.scipy.special.quadrature import bell, family, tail

# ---------------------------------------------------------------- densities


def log_ratio(x: Any, a: Any) -> Any:
    """log(x/a), accurate also near 0."""
    r = (x - a) / a
    return np.where(np.abs(r) < 0.5, np.log1p(r), np.log(x / a))


def deviance(excess: Any, ratio: Any) -> Any:
    """r − log(1 + r) for r = ``excess`` = ``ratio`` − 1, each given exactly; near 0 by its series.  Loader (2000)."""
    small = np.abs(excess) < 0.1
    r = np.where(small, excess, 0)
    u = r / (2 + r)  # log(1 + r) = 2 artanh u;  r = 2u + r u
    series = sum(u ** (2 * k + 1) / (2 * k + 1) for k in range(8, 0, -1))
    return np.where(small, r * u - 2 * series, excess - np.log(ratio))


@family(
    lambda a, x: gamma_density(a, x) * (log_ratio(x, a) - stirling(a, n=1)),
    lambda a, x: gamma_slope(a, x),
)
def gamma_density(a: Any, x: Any) -> Any:
    """xᵃ⁻¹ e⁻ˣ/Γ(a) = exp(−a d(x/a) − s(a))/x with the deviance d and Stirling's remainder s: exact also at large a."""
    y = np.exp(-a * deviance((x - a) / a, x / a) - stirling(a, n=0)) / x
    at_zero = np.where(a > 1, 0.0, np.where(a == 1, 1.0, np.inf))
    return np.where((a == 0) | (x == np.inf), 0, np.where(x == 0, at_zero, y))


def gamma_slope(a: Any, x: Any) -> Any:
    """∂f(a, x)/∂x = f ((a − 1)/x − 1), at 0 as f(a − 1, x) − f(a, x)."""
    zero, above, y = np.equal(x, 0), a > 1, gamma_density(a, x)
    before = np.where(above, gamma_density(np.where(above, a - 1, 1.0), x), 0)
    return np.where(zero, before - y, y * ((a - 1) / np.where(zero, 1, x) - 1))


@family(
    lambda a, b, x: beta_density(a, b, x) * log_beta_cumulants(a, b, x)(1, 0),
    lambda a, b, x: beta_density(a, b, x) * log_beta_cumulants(a, b, x)(0, 1),
    lambda a, b, x: beta_slope(a, b, x),
)
def beta_density(a: Any, b: Any, x: Any) -> Any:
    """xᵃ⁻¹ (1 − x)ᵇ⁻¹/B(a, b), by deviances and Stirling's remainders as the gamma density.  Loader (2000)."""
    n, excess = a + b, b * x - a * (1 - x)
    exponent = a * deviance(excess / a, n * x / a) + b * deviance(-excess / b, n * (1 - x) / b)
    y = np.exp(stirling(n, n=0) - stirling(a, n=0) - stirling(b, n=0) - exponent) / (x * (1 - x))
    at_end = lambda p, q: np.where(p > 1, 0.0, np.where(p == 1, q, np.inf))
    y = np.where(x == 0, at_end(a, b), np.where(x == 1, at_end(b, a), y))
    return np.where((a == 0) | (b == 0), 0, y)


def beta_slope(a: Any, b: Any, x: Any) -> Any:
    """∂f/∂x = f ((a − 1)/x − (b − 1)/(1 − x))."""
    return beta_density(a, b, x) * ((a - 1) / x - (b - 1) / (1 - x))


# ---------------------------------------------------------------- the incomplete gamma function


def gamma_quotient(a: Any, log_x: Any, n: int) -> Any:
    """∂ₐⁿf/f for f = xᵃ⁻¹ e⁻ˣ/Γ(a) = a h, of which h is smooth at a = 0, given log(x/(a + 1))."""
    q = lambda n: bell(lambda i, j: (log_x if i == 1 else leading(i)) - stirling(a + 1, n=i), n)
    leading = lambda i: (-1) ** (i - 1) * math.factorial(i - 2) / (a + 1) ** (i - 1)
    return q(n) + n / a * q(n - 1) if n else 1.0


@family(
    lambda a, x, n: gammainc_at(a, x, n=n + 1),
    lambda a, x, n: gamma_density(a, x) * gamma_quotient(a, log_ratio(x, a + 1), n),
)
def gammainc_at(a: Any, x: Any, *, n: int) -> Any:
    """∂ⁿP(a, x)/∂aⁿ, n ≥ 1, by an integral, for x ≤ 1 by the series.  Relative error 10⁻¹³.

    For x > 1 as ∫₀ˣ f pₙ = −∫ₓ^∞ f pₙ with f the density and pₙ = ∂ₐⁿf/f, over log t, downwards if log x is below its
    mean ψ(a), else upwards; −E₁(x) at a = 0.  For x ≤ 1 by the series, DLMF 8.7.1, differentiated.
    """
    zero, far = a == 0, (x > 1) & (x < np.inf)
    b, z = np.where(zero, 1, a), np.where(far, x, 2)
    mean = log_ratio(z, b + 1)
    side = np.where(np.log(z) < sc.psi(b), -1, 1)
    g = lambda w: side * w * (b - z) - z * expm1_rest(side * w)
    p = lambda w: gamma_quotient(b, mean + side * w, n)
    y = -side * z * gamma_density(b, z) * tail(g, p, a.shape)
    y = np.where(zero, -sc.exp1(z) if n == 1 else np.nan, y)
    return np.where(far, y, gammainc_series(a, np.where(x > 1, 0, x), n))


def gammainc_series(a: Any, x: Any, n: int) -> Any:
    """∂ⁿP(a, x)/∂aⁿ for x ≤ 1 from P = xᵃ/Γ(a + 1) Σ (−x)ᵏ/k! a/(a + k)."""
    positive = x > 0
    x = np.where(positive, x, 1)
    log_x, terms = np.log(x), range(20, 0, -1)
    front = lambda n: bell(lambda i, j: (log_x if i == 1 else 0) - polygamma_at(a + 1, n=i - 1), n)
    quotient = lambda k, n: a / (a + k) if n == 0 else -k * (-1) ** n * math.factorial(n) / (a + k) ** (n + 1)
    total = lambda n: sum((-x) ** k / math.factorial(k) * quotient(k, n) for k in terms) + (n == 0)
    y = sum(math.comb(n, k) * front(n - k) * total(k) for k in range(n + 1))
    return np.where(positive, x**a * sc.rgamma(a + 1) * y, 0)


def expm1_rest(w: Any) -> Any:
    """eʷ − 1 − w, near 0 by its series."""
    small = np.abs(w) < 0.5
    u = np.where(small, w, 0)
    series = np.ones_like(u)
    for k in range(14, 2, -1):
        series = 1 + series * u / k
    return np.where(small, u * u / 2 * series, np.expm1(w) - w)


elementwise(sc.gammainc, lambda a, b: gammainc_at(a, b, n=1), lambda a, b: gamma_density(a, b))
elementwise(sc.gammaincc, lambda a, b: -gammainc_at(a, b, n=1), lambda a, b: -gamma_density(a, b))
inverse_of(sc.gammaincinv, sc.gammainc, 1)
inverse_of(sc.gammainccinv, sc.gammaincc, 1)

# ---------------------------------------------------------------- the incomplete beta function


def log_share(a: Any, b: Any, x: Any, rest: Any) -> Any:
    """log x less log a/(a + b), accurate also where x is near this mean; ``rest`` is 1 − x."""
    r = (b * x - a * rest) / a
    near = np.abs(r) < 0.5
    return np.where(near, np.log1p(np.where(near, r, 0)), np.log((a + b) * x / a))


def log_beta_cumulants(a: Any, b: Any, x: Any) -> Any:
    """The derivatives of log(xᵃ (1 − x)ᵇ/B(a, b)), of order i by a and j by b."""

    def cumulant(i: int, j: int) -> Any:
        if i and j:
            return polygamma_at(a + b, n=i + j - 1)
        p, q = (a, b) if i else (b, a)
        if i + j > 1:
            return difference(p, q, n=i + j - 1)
        share = log_share(a, b, x, 1 - x) if i else log_share(b, a, 1 - x, x)
        return share + stirling(a + b, n=1) - stirling(p, n=1)

    return cumulant


@family(
    lambda a, b, x, m, n: betainc_at(a, b, x, m=m + 1, n=n),
    lambda a, b, x, m, n: betainc_at(a, b, x, m=m, n=n + 1),
    lambda a, b, x, m, n: beta_density(a, b, x) * bell(log_beta_cumulants(a, b, x), m, n),
)
def betainc_at(a: Any, b: Any, x: Any, *, m: int, n: int) -> Any:
    """∂ᵐ⁺ⁿI(a, b; x)/∂aᵐ∂bⁿ, m + n ≥ 1, as ∫₀ˣ f pₘₙ = −∫ₓ¹ f pₘₙ, f the density and pₘₙ = ∂ₐᵐ∂ᵇⁿf/f.

    With t/(1 − t) = x/(1 − x) e⁻ʷ downwards; upwards by I(a, b; x) = 1 − I(b, a; 1 − x).  The side is that on which the
    first polynomial has one sign.  Relative error 10⁻¹³.
    """
    inside = (x > 0) & (x < 1)
    x = np.where(inside, x, 0.5)
    first = log_beta_cumulants(a, b, x)
    by_a, by_b = first(1, 0), first(0, 1)
    down = (by_a < 0) if n == 0 else (by_b > 0) if m == 0 else x * (a + b) < a
    falling, other = np.where(down, a, b), np.where(down, b, a)
    start, rest = np.where(down, x, 1 - x), np.where(down, 1 - x, x)
    drift = np.where(down, 1, -1) * (b * x - a * (1 - x))

    def changes(w: Any) -> tuple[Any, Any]:
        """Of the logarithm of what falls from ``start``, and of its complement."""
        most = np.minimum(w, 300)
        rise = np.where((w < 1) | (start < 0.5), np.log1p(start * np.expm1(-w)), np.log(rest + start * np.exp(-w)))
        return -np.log1p(rest * np.expm1(most)) - (w - most), -rise

    def g(w: Any) -> Any:
        fall, rise = changes(w)
        y = falling * fall + other * rise
        if not np.any(a + b > 1000):
            return y
        near = np.minimum(w, 0.1)  # where large terms cancel, they are written as their rests after the linear ones
        u, v = rest * np.expm1(near), start * np.expm1(-near)
        bend = falling * (rest * expm1_rest(near) - deviance(u, 1 + u))
        bend += other * (start * expm1_rest(-near) - deviance(v, 1 + v))
        return np.where(w < 0.1, drift * near - bend, y)

    def p(w: Any) -> Any:
        fall, rise = changes(w)
        at = {(1, 0): by_a + np.where(down, fall, rise), (0, 1): by_b + np.where(down, rise, fall)}
        return bell(lambda i, j: at.get((i, j)) if i + j == 1 else first(i, j), m, n)

    bend = np.maximum(np.log(start / rest) - np.log(np.maximum(falling, 1)), 0)  # from there on g falls
    y = x * (1 - x) * beta_density(a, b, x) * tail(g, p, x.shape, bend)
    return np.where(inside, np.where(down, y, -y), 0)


elementwise(
    sc.betainc,
    lambda a, b, c: betainc_at(a, b, c, m=1, n=0),
    lambda a, b, c: betainc_at(a, b, c, m=0, n=1),
    lambda a, b, c: beta_density(a, b, c),
)
elementwise(
    sc.betaincc,
    lambda a, b, c: -betainc_at(a, b, c, m=1, n=0),
    lambda a, b, c: -betainc_at(a, b, c, m=0, n=1),
    lambda a, b, c: -beta_density(a, b, c),
)
inverse_of(sc.betaincinv, sc.betainc, 2)
inverse_of(sc.betainccinv, sc.betaincc, 2)

"""The incomplete gamma and beta functions in every argument, and their inverses.

Both are distribution functions of T with a density that is log-concave in a variable s (log t; log t/(1 − t)) and whose
logarithm is linear in the parameters but for a constant.  So the derivatives by the parameters are integrals of the
density times polynomials in log t (and log(1 − t)), from the argument outwards to whichever side gives no cancellation.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval

from dotbar.rules.kinds import elementwise
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.gammas import difference, polygamma_at, stirling
from dotbar.scipy.special.implicit import inverse_of
from dotbar.scipy.special.quadrature import DROP, WHOLE, bell, family, pieces, segment

ARTANH = 1 / np.arange(3.0, 27, 2)
"""(artanh u − u)/u³ in powers of u²."""
EXPONENTIAL = 1 / np.array([math.factorial(k) for k in range(2, 15)])
"""(eʷ − 1 − w)/w² in powers of w."""
NODES = 28
LEAST = 8
"""From this parameter on a density falls fast enough for one Gauss rule."""

# ---------------------------------------------------------------- densities


def log_ratio(x: Any, a: Any) -> Any:
    """log(x/a), accurate also near 0."""
    r = (x - a) / a
    return np.where(np.abs(r) < 0.5, np.log1p(r), np.log(x / a))


def deviance(excess: Any, ratio: Any) -> Any:
    """r − log(1 + r) for r = ``excess`` = ``ratio`` − 1, each given exactly; near 0 by its series.  Loader (2000)."""
    small = np.abs(excess) < 0.3
    r = np.where(small, excess, 0)
    u = r / (2 + r)  # log(1 + r) = 2 artanh u;  r = 2u + r u
    return np.where(small, u * (r - 2 * u * u * polyval(u * u, ARTANH)), excess - np.log(ratio))


def expm1_rest(w: Any) -> Any:
    """eʷ − 1 − w, near 0 by its series."""
    small = np.abs(w) < 0.5
    u = np.where(small, w, 0)
    return np.where(small, u * u * polyval(u, EXPONENTIAL), np.expm1(w) - w)


@family(
    lambda a, x: gamma_density(a, x) * (log_ratio(x, a) - stirling(a, n=1)),
    lambda a, x: gamma_slope(a, x),
)
def gamma_density(a: Any, x: Any) -> Any:
    """xᵃ⁻¹ e⁻ˣ/Γ(a) = exp(−a d(x/a) − s(a))/x with the deviance d and Stirling's remainder s: exact also at large a."""
    y = np.exp(-a * deviance((x - a) / a, x / a) - stirling(a, n=0)) / x
    at_zero = np.where(a > 1, 0.0, np.where(a == 1, 1.0, np.inf))
    return np.where((a == 0) | (a == np.inf) | (x == np.inf), 0, np.where(x == 0, at_zero, y))


def gamma_slope(a: Any, x: Any) -> Any:
    """∂f(a, x)/∂x = f ((a − 1)/x − 1), at 0 as f(a − 1, x) − f(a, x)."""
    zero, above, y = np.equal(x, 0), a > 1, gamma_density(a, x)
    before = np.where(above, gamma_density(np.where(above, a - 1, 1.0), x), 0)
    return np.where(zero, before - y, y * ((a - 1) / np.where(zero, 1, x) - 1))


@family(
    lambda a, b, x: beta_density(a, b, x) * beta_quotient(a, b, x, 1, 0),
    lambda a, b, x: beta_density(a, b, x) * beta_quotient(a, b, x, 0, 1),
    lambda a, b, x: beta_slope(a, b, x),
)
def beta_density(a: Any, b: Any, x: Any) -> Any:
    """xᵃ⁻¹ (1 − x)ᵇ⁻¹/B(a, b), by deviances and Stirling's remainders as the gamma density.  Loader (2000)."""
    at_end = lambda p, q: np.where(p > 1, 0.0, np.where(p == 1, q, np.inf))
    y = beta_mass(a, b, x, 1 - x) / (x * (1 - x))
    y = np.where(x == 0, at_end(a, b), np.where(x == 1, at_end(b, a), y))
    return np.where((a == 0) | (b == 0), 0, y)


def beta_mass(a: Any, b: Any, x: Any, rest: Any) -> Any:
    """xᵃ (1 − x)ᵇ/B(a, b), given both x and 1 − x."""
    n, excess = a + b, b * x - a * rest
    exponent = a * deviance(excess / a, n * x / a) + b * deviance(-excess / b, n * rest / b)
    return np.exp(stirling(n, n=0) - stirling(a, n=0) - stirling(b, n=0) - exponent)


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
    """∂ⁿP(a, x)/∂aⁿ, n ≥ 1, as ∫₀ˣ f pₙ = −∫ₓ^∞ f pₙ with f the density and pₙ = ∂ₐⁿf/f.  Relative error 10⁻¹³.

    Over log t; downwards if x ≤ 1 or log x is below its mean ψ(a), with a ≥ 8, else after some terms of DLMF 8.7.3.
    """
    return pieces(
        (x > 0) & (x < np.inf) & (a < np.inf), gammainc_inside, lambda a, x, n: 0 * sc.gammainc(a, x), a, x, n=n
    )


def gammainc_inside(a: Any, x: Any, n: int) -> Any:
    below = (x <= 1) | (np.log(x) < sc.psi(a)) | ((a == 0) & (n > 1))
    return pieces(below, gammainc_lower, gammainc_upper, a, x, n=n)


def gammainc_lower(a: Any, x: Any, n: int) -> Any:
    """As first terms and an integral."""
    steps = np.maximum(np.ceil(LEAST - a), 0)
    return gammainc_terms(a, x, steps, n) + gamma_integral(a + steps, x, -1, n)


def gammainc_terms(a: Any, x: Any, count: Any, n: int) -> Any:
    """∂ⁿ/∂aⁿ of the first terms of the series, by their quotients."""
    y = np.zeros_like(x)
    some = count > 0
    a, x, count = a[some], x[some], count[some]
    (term, cumulants), total = gammainc_term(a, x, n), 0.0
    for k in range(1, 1 + int(np.max(count, initial=0))):
        total += np.where(k <= count, term * bell(lambda i, _, c=cumulants: c[i], n), 0)
        term = term * (x / (a + k))
        cumulants = {i: c - log_slope(a + k, i) for i, c in cumulants.items()}
    y[some] = total
    return y


def gammainc_term(a: Any, x: Any, n: int) -> tuple[Any, dict[int, Any]]:
    """The first term of P = Σ xᵃ⁺ᵏ e⁻ˣ/Γ(a + k + 1), DLMF 8.7.3, and n derivatives by a of its logarithm."""
    first = log_ratio(x, a + 1) - stirling(a + 1, n=1)
    return gamma_density(a + 1, x), {i: -polygamma_at(a + 1, n=i - 1) if i > 1 else first for i in range(1, n + 1)}


def log_slope(z: Any, i: int) -> Any:
    """The i-th derivative of log z."""
    return -math.factorial(i - 1) / (-z) ** i


def gammainc_upper(a: Any, x: Any, n: int) -> Any:
    """As an integral, −E₁(x) at a = 0."""
    y = gamma_integral(np.where(a == 0, 1, a), x, 1, n)
    return np.where(a == 0, -sc.exp1(x), y) if np.any(a == 0) else y


def gamma_integral(a: Any, x: Any, side: int, n: int) -> Any:
    """−side ∫ f pₙ from x down or up: over w = side log(t/x), where f t falls by g = side w (a − x) − x (eʷ − 1 − w).

    g is concave and smooth on the scale of its reach, the solution of g = −44, which is bounded from above.
    """
    slope, drop = side * (x - a), DROP
    if side > 0:  # eʷ − 1 − w ≥ w²/2, and x (eʷ − 1) = 44 + a w
        w = (np.sqrt(slope * slope + 2 * x * drop) - slope) / x
        for _ in range(2):
            w = np.log1p((drop + a * w) / x)
    else:  # e⁻ʷ − 1 + w ≥ w²/(2 + 2w/3), and a w = 44 + x (1 − e⁻ʷ)
        p, q = slope / 3 + x / 2, slope - drop / 3
        w = (np.sqrt(q * q + 4 * p * drop) - q) / (2 * p)
        for _ in range(2):
            w = (drop - x * np.expm1(-w)) / a
    mean = log_ratio(x, a + 1)

    def f(w: Any) -> Any:
        return np.exp(-slope * w - x * expm1_rest(side * w)) * gamma_quotient(a, mean + side * w, n)

    return -side * x * gamma_density(a, x) * segment(f, w, WHOLE, NODES)


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


def log_beta_cumulants(a: Any, b: Any, x: Any, rest: Any, m: int, n: int) -> dict[tuple[int, int], Any]:
    """The derivatives of log(xᵃ (1 − x)ᵇ/B(a, b)), of order i ≤ m by a and j ≤ n by b, given both x and 1 − x."""

    def cumulant(i: int, j: int) -> Any:
        if i and j:
            return polygamma_at(a + b, n=i + j - 1)
        p, q = (a, b) if i else (b, a)
        if i + j > 1:
            return difference(p, q, n=i + j - 1)
        share = log_share(a, b, x, rest) if i else log_share(b, a, rest, x)
        return share + stirling(a + b, n=1) - stirling(p, n=1)

    return {(i, j): cumulant(i, j) for i in range(m + 1) for j in range(n + 1) if i + j}


def beta_quotient(a: Any, b: Any, x: Any, m: int, n: int) -> Any:
    """∂ᵐ⁺ⁿf/∂aᵐ∂bⁿ / f of the density."""
    cumulants = log_beta_cumulants(a, b, x, 1 - x, m, n)
    return bell(lambda i, j: cumulants[i, j], m, n)


@family(
    lambda a, b, x, m, n: betainc_at(a, b, x, m=m + 1, n=n),
    lambda a, b, x, m, n: betainc_at(a, b, x, m=m, n=n + 1),
    lambda a, b, x, m, n: beta_density(a, b, x) * beta_quotient(a, b, x, m, n),
)
def betainc_at(a: Any, b: Any, x: Any, *, m: int, n: int) -> Any:
    """∂ᵐ⁺ⁿI(a, b; x)/∂aᵐ∂bⁿ, m + n ≥ 1, as ∫₀ˣ f pₘₙ = −∫ₓ¹ f pₘₙ, f the density and pₘₙ = ∂ₐᵐ∂ᵇⁿf/f.

    On the side on which the first polynomial has one sign; upwards by I(a, b; x) = 1 − I(b, a; 1 − x).  Relative error
    10⁻¹³.
    """
    changes = a > 0 if m == 0 else b > 0 if n == 0 else True  # I is 1 at a = 0, and 0 at b = 0
    inside = (x > 0) & (x < 1) & (a < np.inf) & (b < np.inf) & changes
    return pieces(inside, betainc_inside, lambda a, b, x, m, n: 0 * sc.betainc(a, b, x), a, b, x, m=m, n=n)


def betainc_inside(a: Any, b: Any, x: Any, m: int, n: int) -> Any:
    rest = 1 - x
    below = x * (a + b) < a if m and n else is_below(a, b, x, rest) if m else ~is_below(b, a, rest, x)
    upper = lambda a, b, x, rest: -betainc_lower(b, a, rest, x, n, m)
    lower = lambda a, b, x, rest: betainc_lower(a, b, x, rest, m, n)
    return pieces(below, lower, upper, a, b, x, rest)


def is_below(a: Any, b: Any, x: Any, rest: Any) -> Any:
    """Whether ∂ₐ log f is negative up to x, or ∂ₐ log(f/a), which the terms of the series are about, if x is small."""
    of_terms = log_beta_cumulants(a + 1, b, x, rest, 1, 0)[1, 0] - 1 / (a + b)
    return (a == 0) | (of_terms + 1 / a < 0) | ((of_terms < 0) & (x < 0.5))


def betainc_lower(a: Any, b: Any, x: Any, rest: Any, m: int, n: int) -> Any:
    """As first terms and an integral."""
    steps = np.maximum(np.ceil(LEAST - a), 0)
    return beta_integral(beta_moment, a + steps, b, x, rest, m=m, n=n) + betainc_terms(a, b, x, rest, steps, m, n)


def beta_moment(a: Any, b: Any, x: Any, rest: Any, m: int, n: int) -> Callable[[Any, Any], Any]:
    """pₘₙ, given by how much log t and log(1 − t) are changed."""
    cumulants = log_beta_cumulants(a, b, x, rest, m, n)

    def p(fall: Any, rise: Any) -> Any:
        change = {(1, 0): fall, (0, 1): rise}
        return bell(lambda i, j: cumulants[i, j] + change.get((i, j), 0), m, n)

    return p


def betainc_terms(a: Any, b: Any, x: Any, rest: Any, count: Any, m: int, n: int) -> Any:
    """The first terms of the series, by their quotients."""
    y = np.zeros_like(x)
    some = count > 0
    a, b, x, rest, count = (v[some] for v in (a, b, x, rest, count))
    (term, cumulants), total = betainc_term(a, b, x, rest, m, n), 0.0
    for k in range(1, 1 + int(np.max(count, initial=0))):
        total += np.where(k <= count, term * bell(lambda i, j, c=cumulants: c[i, j], m, n), 0)
        above, below = a + b + (k - 1), a + k
        term = term * (x * above / below)
        cumulants = {(i, j): c + quotient_slope(above, below, i, j) for (i, j), c in cumulants.items()}
    y[some] = total
    return y


def betainc_term(a: Any, b: Any, x: Any, rest: Any, m: int, n: int) -> tuple[Any, dict[tuple[int, int], Any]]:
    """The first term of I = Σ xᵃ⁺ᵏ (1 − x)ᵇ Γ(a + b + k)/(Γ(a + k + 1) Γ(b)), DLMF 8.17.8, and its log derivatives."""
    cumulants = log_beta_cumulants(a + 1, b, x, rest, m, n)
    cumulants = {(i, j): c - log_slope(a + b, i + j) for (i, j), c in cumulants.items()}
    return beta_mass(a + 1, b, x, rest) / (x * (a + b)), cumulants


def quotient_slope(above: Any, below: Any, i: int, j: int) -> Any:
    """The derivative of log(above/below), of order i by a, which is in both, and of order j by b, which is above."""
    return log_slope(above, i + j) - (log_slope(below, i) if j == 0 else 0)


def beta_integral(moment: Callable[..., Any], a: Any, b: Any, x: Any, rest: Any, *xs: Any, **settings: Any) -> Any:
    """∫₀ˣ f p over t/(1 − t) = x/(1 − x) e⁻ʷ, along which the logarithm of f t (1 − t) falls by g.

    g = −slope w − (a + b) k, k = log(1 − x + x e⁻ʷ) + x w.  Where x is close to 1, g falls only from the bend at
    t = a/(a + 1) on.
    """

    def integral(a: Any, b: Any, x: Any, rest: Any, *xs: Any, exact: bool) -> Any:
        p, total, slope = moment(a, b, x, rest, *xs, **settings), a + b, a * rest - b * x
        sign = np.where(x < rest, -1, 1)
        least = np.minimum(x, rest)

        def f(w: Any) -> Any:
            u = least * np.expm1(sign * w)
            k = least * expm1_rest(sign * w) - deviance(u, 1 + u) if exact else np.log1p(u) - least * sign * w
            return np.exp(-slope * w - total * k) * p(-rest * w - k, x * w - k)

        v, q = slope / 3 + total * x * rest / 2, slope - DROP / 3  # as e⁻ʷ − 1 + w ≥ w²/(2 + 2w/3)
        far = (np.sqrt(q * q + 4 * v * DROP) - q) / (2 * v)
        for _ in range(2):  # both sides of g = −44, solved for the w that grows the faster, stay above
            far = (DROP - total * np.log(rest + x * np.exp(-far))) / a
            far = np.minimum(far, np.log1p(np.expm1((DROP + b * far) / total) / rest))
        bend = np.clip(np.log(x / (rest * a)), 0, far)
        y = segment(lambda w: f(bend + w), far - bend, WHOLE, NODES)
        y = y + segment(f, bend, WHOLE, NODES) if np.any(bend > 0) else y
        return beta_mass(a, b, x, rest) * y

    terms_cancel = np.minimum(a, b) > 100
    return pieces(terms_cancel, partial(integral, exact=True), partial(integral, exact=False), a, b, x, rest, *xs)


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

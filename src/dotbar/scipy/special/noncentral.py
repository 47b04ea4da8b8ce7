"""The noncentral χ², F and t distributions in every argument.

The first two are means of central ones over a Poisson number j of further pairs of degrees of freedom.  Such a mean
differentiates term by term, and by the mean number of pairs into differences of neighbours, which have closed forms.
Student's noncentral distribution is a mean of the normal one over the scale.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from dotbar.rules.kinds import elementwise
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.gammas import stirling
from dotbar.scipy.special.implicit import inverse_of, same_as
from dotbar.scipy.special.incomplete import (
    beta_density,
    betainc_at,
    betainc_term,
    expm1_rest,
    gamma_density,
    gammainc_at,
    gammainc_term,
    log_slope,
    quotient_slope,
)
from dotbar.scipy.special.quadrature import GRADED, bell, family, in_blocks, reach, segment

ENTRIES, LONGEST = 2**15, 10**6
"""How many terms are computed at once, and at most for one number."""


def poisson_sum(f: Callable[..., Any], mean: Any, most: Any, *xs: Any) -> Any:
    """f(j, p, …) of a column of whole numbers j and their probabilities p, enough of them for sums along j.

    The greatest terms lie below j = ``most``, beyond which they fall as a Gaussian at least.
    """
    longest = np.max(most, initial=0)
    if not longest < LONGEST:
        return np.where(most < LONGEST, poisson_sum(f, mean, np.where(most < LONGEST, most, 0), *xs), np.nan)
    j = np.arange(longest + 10 * np.sqrt(longest) + 25).reshape(-1, 1)

    def block(mean: Any, *xs: Any) -> Any:
        peak = np.floor(mean)
        return f(j, around(np.multiply, j, peak, gamma_density(peak + 1, mean), lambda j: mean / j), *xs)

    return in_blocks(block, (mean, *xs), {}, max(1, ENTRIES // len(j)))


def around(product: np.ufunc, j: Any, peak: Any, there: Any, step: Callable[[Any], Any]) -> Any:
    """Products, or sums, along j: ``there`` at the peak, and ``step(j)`` further than at j − 1."""
    one = product.identity
    up = product.accumulate(np.where(j > peak, step(j), one), 0)
    down = product.accumulate(np.where(j < peak, step(j + 1), one)[::-1], 0)[::-1]
    return there * up / down if product is np.multiply else there + up - down


def mean_of_sums(term: Any, p: Any, below: Any, end: Callable[[Any], Any]) -> Any:
    """Σ pⱼ Sⱼ of the sums Sⱼ = Σ termᵢ, i ≥ j, from S₀, or from the last: on the side where little cancels.

    ``end(j)`` is S of such a number for each entry.
    """
    smaller = np.cumsum(p, 0)
    greater = np.cumsum(p[::-1], 0)[::-1] - p
    inner = np.sum(term * np.where(below, smaller, -greater), 0)
    return inner + end(np.where(below, len(p), 0)) * np.where(below, smaller[-1], 1)


# ---------------------------------------------------------------- χ²


def most_pairs(x: Any, m: Any) -> Any:
    """mʲ xʲ/j!² is greatest at √(mx)."""
    return np.maximum(m, np.sqrt(m * x))


def density_slope(x: Any, k: Any, nc: Any, n: int) -> Any:
    """∂f/∂x = ((k − 2)/x − 1)/2 f + nc/(2x) f(k + 2), differentiated n times by k."""
    lower = n / (2 * x) * chi_square_density(x, k, nc, n=n - 1) if n else 0
    own = ((k - 2) / x - 1) / 2 * chi_square_density(x, k, nc, n=n)
    return own + lower + nc / (2 * x) * chi_square_density(x, k + 2, nc, n=n)


@family(
    density_slope,
    lambda x, k, nc, n: chi_square_density(x, k, nc, n=n + 1),
    lambda x, k, nc, n: (chi_square_density(x, k + 2, nc, n=n) - chi_square_density(x, k, nc, n=n)) / 2,
)
def chi_square_density(x: Any, k: Any, nc: Any, *, n: int) -> Any:
    """∂ⁿf/∂kⁿ of the noncentral χ² density with k degrees of freedom, at the noncentrality nc."""

    def mean(j: Any, p: Any, x: Any, a: Any) -> Any:
        y, cumulants = gamma_terms(j, a, x, n)
        return np.sum(p * y * (a + j) / x * bell(lambda i, _: cumulants[i] + log_slope(a + j, i), n), 0)

    x, a, m = x / 2, k / 2, nc / 2
    y = poisson_sum(mean, m, most_pairs(x, m), x, a)
    at_end = np.exp(-m) * gamma_density(a, x) if n == 0 else np.where((x > 0) | (a > 1), 0, np.nan)
    return np.where((x > 0) & (x < np.inf), y, at_end) / 2 ** (n + 1)


@family(
    lambda x, k, nc, n: chi_square_density(x, k, nc, n=n),
    lambda x, k, nc, n: chi_square_at(x, k, nc, n=n + 1),
    lambda x, k, nc, n: -chi_square_density(x, k + 2, nc, n=n),
)
def chi_square_at(x: Any, k: Any, nc: Any, *, n: int) -> Any:
    """∂ⁿF/∂kⁿ of the distribution function, n ≥ 1: a mean of derivatives of P(k/2 + j, x/2).  Relative error 10⁻¹³."""

    def mean(j: Any, p: Any, x: Any, a: Any, below: Any) -> Any:
        y, cumulants = gamma_terms(j, a, x, n)
        return mean_of_sums(y * bell(lambda i, _: cumulants[i], n), p, below, lambda j: gammainc_at(a + j, x, n=n))

    x, a, m = x / 2, k / 2, nc / 2
    y = poisson_sum(mean, m, most_pairs(x, m), x, a, x < a + m) / 2**n
    return np.where((x > 0) & (x < np.inf), y, 0)


def gamma_terms(j: Any, a: Any, x: Any, n: int) -> tuple[Any, dict[int, Any]]:
    """xᵃ⁺ʲ e⁻ˣ/Γ(a + j + 1), and the derivatives by a of its logarithm."""
    peak = np.clip(np.floor(x - a), 0, len(j) - 1)
    term, cumulants = gammainc_term(a + peak, x, n)
    term = around(np.multiply, j, peak, term, lambda j: x / (a + j))
    by = lambda i: lambda j: -log_slope(a + j, i)
    return term, {i: around(np.add, j, peak, c, by(i)) for i, c in cumulants.items()}


elementwise(
    sc.chndtr,
    lambda a, b, c: chi_square_density(a, b, c, n=0),
    lambda a, b, c: chi_square_at(a, b, c, n=1),
    lambda a, b, c: -chi_square_density(a, b + 2, c, n=0),
)
inverse_of(sc.chndtrix, sc.chndtr, 0)
inverse_of(sc.chndtridf, sc.chndtr, 1)
inverse_of(sc.chndtrinc, sc.chndtr, 2)

# ---------------------------------------------------------------- F, by the noncentral beta distribution


def beta_slope(a: Any, b: Any, nc: Any, x: Any, m: int, n: int) -> Any:
    """∂f/∂x = ((a − 1)/x − (b − 1)/(1 − x)) f + nc/x f(a + 1), differentiated m times by a and n times by b."""
    y = ((a - 1) / x - (b - 1) / (1 - x)) * beta_mean(a, b, nc, x, m=m, n=n, kind="density")
    y = y + nc / x * beta_mean(a + 1, b, nc, x, m=m, n=n, kind="density")
    y = y + m / x * beta_mean(a, b, nc, x, m=m - 1, n=n, kind="density") if m else y
    return y - n / (1 - x) * beta_mean(a, b, nc, x, m=m, n=n - 1, kind="density") if n else y


def beta_by_mean(a: Any, b: Any, nc: Any, x: Any, m: int, n: int, kind: str) -> Any:
    """The derivative by the mean number of pairs is the difference of neighbours; that of I has a closed form."""
    if kind == "distribution":
        return -beta_mean(a, b, nc, x, m=m, n=n, kind="difference")
    return beta_mean(a + 1, b, nc, x, m=m, n=n, kind=kind) - beta_mean(a, b, nc, x, m=m, n=n, kind=kind)


def beta_by_x(a: Any, b: Any, nc: Any, x: Any, m: int, n: int, kind: str) -> Any:
    if kind == "density":
        return beta_slope(a, b, nc, x, m, n)
    density = beta_mean(a, b, nc, x, m=m, n=n, kind="density")
    return density if kind == "distribution" else density - beta_mean(a + 1, b, nc, x, m=m, n=n, kind="density")


@family(
    lambda a, b, nc, x, m, n, kind: beta_mean(a, b, nc, x, m=m + 1, n=n, kind=kind),
    lambda a, b, nc, x, m, n, kind: beta_mean(a, b, nc, x, m=m, n=n + 1, kind=kind),
    beta_by_mean,
    beta_by_x,
)
def beta_mean(a: Any, b: Any, nc: Any, x: Any, *, m: int, n: int, kind: str) -> Any:
    """The mean over j of ∂ᵐ⁺ⁿ/∂aᵐ∂bⁿ of I(a + j, b; x), of its density, or of I(a + j, b; x) − I(a + j + 1, b; x).

    The last is xᵃ⁺ʲ (1 − x)ᵇ Γ(a + b + j)/(Γ(a + j + 1) Γ(b)).  DLMF 8.17.20.
    """

    def mean(j: Any, p: Any, a: Any, b: Any, x: Any, below: Any) -> Any:
        y, cumulants = beta_terms(j, a, b, x, m, n)
        if kind == "density":
            y = y * (a + j) / (x * (1 - x))
            cumulants = {(i, k): c + (log_slope(a + j, i) if k == 0 else 0) for (i, k), c in cumulants.items()}
        y = y * bell(lambda i, k: cumulants[i, k], m, n)
        if kind != "distribution":
            return np.sum(p * y, 0)
        at = lambda a: betainc_at(a, b, x, m=m, n=n) if m or n else sc.betainc(a, b, x)
        return mean_of_sums(y, p, below, lambda j: at(a + j))

    share = nc * x  # the terms are greatest where j (a + j) = share (a + b + j)
    most = (share - a + np.sqrt((share - a) ** 2 + 4 * share * (a + b))) / 2
    y = poisson_sum(mean, nc, np.maximum(nc, most), a, b, x, x * (a + nc + b) < a + nc)
    at_end = np.exp(-nc) * beta_density(a, b, x) if (kind, m + n) == ("density", 0) else 0
    return np.where((x > 0) & (x < 1) | (kind == "density") & (x > 0), y, at_end)


def beta_terms(j: Any, a: Any, b: Any, x: Any, m: int, n: int) -> tuple[Any, dict[tuple[int, int], Any]]:
    """xᵃ⁺ʲ (1 − x)ᵇ Γ(a + b + j)/(Γ(a + j + 1) Γ(b)), and the derivatives of its logarithm."""
    peak = np.clip(np.floor(x * (a + b) / (1 - x) - a), 0, len(j) - 1)
    term, cumulants = betainc_term(a + peak, b, x, 1 - x, m, n)
    term = around(np.multiply, j, peak, term, lambda j: x * (a + b + j - 1) / (a + j))
    by = lambda i, k: lambda j: quotient_slope(a + b + j - 1, a + j, i, k)
    return term, {key: around(np.add, j, peak, c, by(*key)) for key, c in cumulants.items()}


@family(
    lambda a, b, nc, x: beta_mean(a, b, nc, x, m=1, n=0, kind="distribution"),
    lambda a, b, nc, x: beta_mean(a, b, nc, x, m=0, n=1, kind="distribution"),
    lambda a, b, nc, x: -beta_mean(a, b, nc, x, m=0, n=0, kind="difference"),
    lambda a, b, nc, x: beta_mean(a, b, nc, x, m=0, n=0, kind="density"),
)
def noncentral_beta(a: Any, b: Any, nc: Any, x: Any) -> Any:
    """The noncentral beta distribution function.  Johnson, Kotz and Balakrishnan (1995), (30.10)."""
    return beta_mean(a, b, nc, x, m=0, n=0, kind="distribution")


same_as(sc.ncfdtr, lambda n, d, nc, f: noncentral_beta(n / 2, d / 2, nc / 2, n * f / (d + n * f)))
inverse_of(sc.ncfdtridfn, sc.ncfdtr, 0, rough=True)
inverse_of(sc.ncfdtridfd, sc.ncfdtr, 1, rough=True)
inverse_of(sc.ncfdtrinc, sc.ncfdtr, 2, rough=True)
inverse_of(sc.ncfdtri, sc.ncfdtr, 3)

# ---------------------------------------------------------------- t


@family(
    lambda a, t, d, n, i, j: scale_mean(a, t, d, n=n + 1, i=i, j=j),
    lambda a, t, d, n, i, j: scale_mean(a, t, d, n=n, i=i + 1, j=j),
    lambda a, t, d, n, i, j: scale_mean(a, t, d, n=n, i=i, j=j + 1),
)
def scale_mean(a: Any, t: Any, d: Any, *, n: int, i: int, j: int) -> Any:
    """∂ⁿ⁺ⁱ⁺ʲ/∂aⁿ∂tⁱ∂dʲ of the mean of Φ(t √g − d) over g with a gamma density of shape a and mean 1, n + i + j ≥ 1.

    By Gauss's rule over log g, from the greatest value of the integrand in both directions.  Relative error 10⁻¹³, by
    a of 10⁻¹⁵ a, as what is left of terms of the order 1/a is of the order 1/a².
    """
    side = np.where(t < d, 1, -1)  # the smaller of Φ(u) and 1 − Φ(u) = Φ(−u)
    at = lambda s: t * np.exp(s / 2) - d
    slopes = [-stirling(a, n=k) for k in range(n + 1)]

    def logarithm(s: Any) -> Any:
        u, weight = at(s), -a * expm1_rest(s)
        return weight + (i * s / 2 - u * u / 2 if i + j else sc.log_ndtr(side * u))

    def factor(s: Any) -> Any:
        y = bell(lambda k, _: slopes[k] - (expm1_rest(s) if k == 1 else 0), n)
        hermite = np.polynomial.hermite_e.hermeval(at(s), [0] * (i + j - 1) + [1]) if i + j else side
        return y * hermite * (-1) ** (j + max(i + j - 1, 0))

    def rises(s: Any) -> Any:
        u = at(s)
        hazard = -u if i + j else side * np.exp(-u * u / 2 - sc.log_ndtr(side * u)) / np.sqrt(2 * np.pi)
        return hazard * (u + d) + (i if i + j else 0) > 2 * a * np.expm1(s)

    low, high = -50 - 700 / a, 10 + 50 / np.sqrt(a)
    for _ in range(26):
        top = (low + high) / 2
        rising = rises(top)
        low, high = np.where(rising, top, low), np.where(rising, high, top)
    most = logarithm(top)

    def half(sign: int) -> Any:
        g = lambda w: logarithm(top + sign * w) - most
        return segment(lambda w: np.exp(g(w)) * factor(top + sign * w), reach(g, a.shape), GRADED[:1] + GRADED[-5:])

    scale = gamma_density(a, a) * a * np.exp(most) / (np.sqrt(2 * np.pi) if i + j else 1)
    constant = np.isinf(t) | (t == 0) & (n > 0) & (i == 0)
    return np.where(constant, 0, scale * (half(1) + half(-1)))


@family(
    lambda a, t, d: scale_mean(a, t, d, n=1, i=0, j=0),
    lambda a, t, d: scale_mean(a, t, d, n=0, i=1, j=0),
    lambda a, t, d: scale_mean(a, t, d, n=0, i=0, j=1),
)
def normal_over_scale(a: Any, t: Any, d: Any) -> Any:
    """The mean of Φ(t √g − d) over g with a gamma density of shape a and mean 1: the noncentral t distribution."""
    return sc.nctdtr(2 * a, d, t)


same_as(sc.nctdtr, lambda v, d, t: normal_over_scale(v / 2, t, d))
inverse_of(sc.nctdtridf, sc.nctdtr, 0, rough=True)
inverse_of(sc.nctdtrinc, sc.nctdtr, 1, rough=True)
inverse_of(sc.nctdtrit, sc.nctdtr, 2, rough=True)

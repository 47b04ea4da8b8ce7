"""The gamma function and its relatives: logarithm, reciprocal, logarithmic derivatives, zeta, factorials."""

import math
from collections.abc import Callable
from math import pi
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval

from dotbar.core import Traced
from dotbar.errors import InputError, NoRuleError
from dotbar.rules.kinds import composite, elementwise, rule
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import raise_if
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.quadrature import bell, family, pieces
from dotbar.scipy.special.taylor import Jet, exp, expand, quotients, take, total

polygamma = dispatching(sc.polygamma)

EVEN = sc.bernoulli(30)[2::2]
"""The Bernoulli numbers B₂, B₄, …, B₃₀."""
REMAINDER = EVEN / (2 * np.arange(1, 16) * (2 * np.arange(1, 16) - 1))
"""The coefficients of log Γ in 1/z, 1/z³, …  DLMF 5.11.1."""
BERNOULLI = EVEN / sc.factorial(2 * np.arange(1, 16))
"""B₂ₖ/(2k)!, the coefficients of Euler and Maclaurin's formula.  DLMF 2.10.1."""
SHIFT = 12
"""Expansions in 1/z are used from |z| = 12 on: their first neglected term is below 10⁻¹⁷."""


# ---------------------------------------------------------------- digamma and its derivatives


def rising(x: Any, n: int) -> Any:
    """(x)ₙ = x (x + 1) … (x + n − 1)."""
    return np.prod([x + k for k in range(n)], axis=0)


def powers(n: int) -> list[tuple[int, float]]:
    """The exponents p and coefficients of ψ⁽ⁿ⁾(z) ~ Σ c z⁻ᵖ, without log z at n = 0.  DLMF 5.11.2, differentiated."""
    sign = (-1) ** n
    leading = [(n, -sign * math.factorial(n - 1))] if n else []
    return [
        *leading,
        (n + 1, -sign * math.factorial(n) / 2),
        *((2 * k + n, -sign * b / (2 * k) * rising(2.0 * k, n)) for k, b in enumerate(EVEN, 1)),
    ]


@family(lambda x, n: polygamma_at(x, n=n + 1))
def polygamma_at(x: Any, *, n: int) -> Any:
    """ψ⁽ⁿ⁾, also of complex numbers: reflected if Re z < 0, shifted to Re z ≥ 12, expanded.  DLMF 5.5, 5.11, 5.15.

    Relative error 10⁻¹⁴ away from the zeros.
    """
    if x.dtype.kind == "f" or n == 0:
        return sc.polygamma(n, x) if n else sc.psi(x)
    left = x.real < 0
    z = np.where(left, 1 - x, x)
    y = np.zeros_like(z)
    for _ in range(SHIFT):
        near = z.real < SHIFT
        y, z = np.where(near, y - (-1) ** n * math.factorial(n) / z ** (n + 1), y), np.where(near, z + 1, z)
    y += sum(c * z**-p for p, c in reversed(powers(n)))
    factor = np.polynomial.Polynomial([1.0])  # cot⁽ⁿ⁾ = −factor(cot) / sin²
    for _ in range(n - 1):
        factor = -np.polynomial.Polynomial([0, 2]) * factor - np.polynomial.Polynomial([1, 0, 1]) * factor.deriv()
    cot = -factor(1 / np.tan(pi * x)) / np.sin(pi * x) ** 2
    return np.where(left, (-1) ** n * y - pi ** (n + 1) * cot, y)


@family(lambda z, m, n: difference(z, m, n=n + 1), lambda z, m, n: polygamma_at(z + m, n=n + 1))
def difference(z: Any, m: Any, *, n: int) -> Any:
    """ψ⁽ⁿ⁾(z + m) − ψ⁽ⁿ⁾(z) without cancellation at |m| ≪ z, where the differences of all terms are taken singly.

    Where z and z + m are both poles, the limit in z: by reflection, that at 1 − z − m and 1 − z.
    """
    near = (z > 0) & (np.abs(m) < z / 2)
    return pieces(near, difference_near, difference_far, z, m, n=n)


def difference_far(z: Any, m: Any, n: int) -> Any:
    poles = (z <= 0) & (z == np.floor(z)) & (z + m <= 0) & (m == np.floor(m))
    at, to = np.where(poles, 1 - z, z), np.where(poles, 1 - z - m, z + m)
    y = polygamma_at(to, n=n) - polygamma_at(at, n=n)
    return np.where(poles, (-1) ** n * y, y)


def difference_near(z: Any, m: Any, n: int) -> Any:
    along = lambda v: np.reshape(v, (-1, *(1,) * np.ndim(z)))
    change = lambda z, p: z**-p * np.expm1(-p * np.log1p(m / z))
    exponents, coefficients = np.transpose(powers(n))
    y = -((-1) ** n) * math.factorial(n) * np.sum(change(z + along(np.arange(SHIFT)), n + 1.0), 0)
    y += np.sum(along(coefficients) * change(z + SHIFT, along(exponents)), 0)
    return y if n else y + np.log1p(m / (z + SHIFT))


@family(lambda a, n: stirling(a, n=n + 1))
def stirling(a: Any, *, n: int) -> Any:
    """The derivatives of log Γ(a) − a log a + a: what the leading terms leave of log Γ, ψ, …; from 12 on expanded."""
    return pieces(a < SHIFT, stirling_near, stirling_far, a, n=n)


def stirling_near(a: Any, n: int) -> Any:
    if n == 0:
        return sc.gammaln(a) - sc.xlogy(a, a) + a
    return polygamma_at(a, n=n - 1) - (np.log(a) if n == 1 else (-1) ** n * math.factorial(n - 2) * a ** (1.0 - n))


def stirling_far(a: Any, n: int) -> Any:
    """log(2π/a)/2 + Σ B₂ₖ/(2k (2k − 1) a²ᵏ⁻¹), differentiated.  DLMF 5.11.1."""
    first = np.log(2 * pi / a) / 2 if n == 0 else -((-1) ** (n - 1)) * math.factorial(n - 1) / 2 * a ** (-1.0 * n)
    return first + a ** (-1.0 - n) * polyval(a**-2.0, (-1) ** n * REMAINDER * rising(2.0 * np.arange(1, 16) - 1, n))


elementwise(sc.psi, lambda x: polygamma_at(x, n=1))


@rule(polygamma, "(),()->()")
def _polygamma(y: Any, n: Any, x: Any) -> Any:
    slope = lambda: polygamma(n + 1, x)
    return "the order is an integer", (lambda xdot: slope() * xdot, lambda ybar: slope() * ybar)


# ---------------------------------------------------------------- gamma


def sine(x: Any, k: int) -> Any:
    """The k-th derivative of sin(πx), exact at the integers."""
    whole = np.round(np.real(x))
    return pi**k * (-1.0) ** whole * np.sin(pi * (x - whole) + k * pi / 2)


def gamma_derivative(x: Any, n: int) -> Any:
    """Γ⁽ⁿ⁾ = Γ pₙ(ψ, ψ′, …)."""
    return sc.gamma(x) * bell(lambda i, j: polygamma_at(x, n=i - 1), n)


@family(lambda x, n: rgamma_at(x, n=n + 1))
def rgamma_at(x: Any, *, n: int) -> Any:
    """The derivatives of 1/Γ; left of 1/2 those of sin(πx) Γ(1 − x)/π, so that zeros do no harm.  DLMF 5.5.3."""
    left = np.real(x) < 0.5
    z = np.where(left, 1 - x, x)
    right = sc.rgamma(z) * bell(lambda i, j: -polygamma_at(z, n=i - 1), n)
    turned = sum(math.comb(n, k) * sine(x, k) * (-1) ** (n - k) * gamma_derivative(z, n - k) for k in range(n + 1))
    return np.where(left, turned / pi, right)


elementwise(sc.gamma, lambda y, x: y * sc.psi(x))
elementwise(sc.gammaln, lambda x: sc.psi(x))
elementwise(sc.loggamma, lambda x: sc.psi(x))
elementwise(sc.rgamma, lambda x: rgamma_at(x, n=1))
elementwise(sc.gammasgn, None)


@composite(dispatching(sc.multigammaln))
def multigammaln(a: Any, d: int) -> Any:
    """log Γ_d(a) = d (d − 1)/4 log π + Σ log Γ(a − j/2), j < d.  DLMF 35.3.4."""
    if isinstance(d, Traced):
        raise NoRuleError("multigammaln has no derivative with respect to 'd': the dimension is an integer.")
    least = (d - 1) / 2
    raise_if(np.less_equal(a, least), error=ValueError(f"condition a > 0.5 * (d-1) ({least:f}) not met"))
    return sum(
        (sc.gammaln(a - j / 2) for j in range(d)), d * (d - 1) / 4 * np.log(pi)
    )  # of double precision, as SciPy's


# ---------------------------------------------------------------- quotients of gamma functions
# Where the value is 0, a pole of Γ stands in a denominator, and the product rule on 1/Γ replaces y · ∞.


def poch_by_z(y: Any, a: Any, b: Any) -> Any:
    """(z)ₘ (ψ(z + m) − ψ(z))."""
    return np.where(y != 0, y * difference(a, b, n=0), y * sc.psi(a + b) + sc.gamma(a + b) * rgamma_at(a, n=1))


def binom_by_n(y: Any, a: Any, b: Any) -> Any:
    """(n over k) (ψ(n + 1) − ψ(n − k + 1))."""
    product = y * sc.psi(a + 1) + sc.gamma(a + 1) * sc.rgamma(b + 1) * rgamma_at(a - b + 1, n=1)
    return np.where(y != 0, y * difference(a - b + 1, b, n=0), product)


def binom_by_k(y: Any, a: Any, b: Any) -> Any:
    """(n over k) (ψ(n − k + 1) − ψ(k + 1))."""
    k, rest = b + 1, a - b + 1
    product = sc.gamma(a + 1) * (rgamma_at(k, n=1) * sc.rgamma(rest) - sc.rgamma(k) * rgamma_at(rest, n=1))
    return np.where(y != 0, y * difference(k, a - 2 * b, n=0), product)


elementwise(sc.poch, poch_by_z, lambda y, a, b: y * sc.psi(a + b))
elementwise(sc.binom, binom_by_n, binom_by_k)
elementwise(sc.beta, lambda y, a, b: -y * difference(a, b, n=0), lambda y, a, b: -y * difference(b, a, n=0))
elementwise(sc.betaln, lambda a, b: -difference(a, b, n=0), lambda a, b: -difference(b, a, n=0))


def refuse_exact(exact: bool) -> None:
    """Refuse exact integers, which have no derivative."""
    if exact:
        raise InputError("exact=True counts with integers, which have no derivative; leave it out.")


@composite(dispatching(sc.comb))
def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    refuse_exact(exact)
    N, k = inexact(N), inexact(k)
    n = N + k - 1 if repetition else N
    return np.where((k <= n) & (n >= 0) & (k >= 0), sc.binom(n, k), 0.0)


@composite(dispatching(sc.perm))
def perm(N: Any, k: Any, exact: bool = False) -> Any:
    refuse_exact(exact)
    N, k = inexact(N), inexact(k)
    return np.where((k <= N) & (N >= 0) & (k >= 0), sc.poch(N - k + 1, k), 0.0)


@composite(dispatching(sc.factorial))
def factorial(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    refuse_exact(exact)
    return np.where(n >= 0, sc.gamma(n + 1), np.float64(0)) if extend == "zero" else sc.gamma(n + 1)


@composite(dispatching(sc.factorialk))
def factorialk(n: Any, k: Any, exact: bool = False, extend: str = "zero") -> Any:
    """kⁿ⁻¹ᐟᵏ Γ(n/k + 1)/Γ(1/k + 1); the other extension jumps between the residues of n modulo k."""
    refuse_exact(exact)
    if extend != "complex":
        raise InputError("a multifactorial is a function of integers; extend='complex' gives one with a derivative.")
    return k ** ((n - 1) / k) * sc.gamma(n / k + 1) * float(sc.rgamma(1 / k + 1))


@composite(dispatching(sc.factorial2))
def factorial2(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    return factorialk(n, 2, exact, extend)


# ---------------------------------------------------------------- zeta


def variable(s: Any, n: int) -> Jet:
    """s + ε up to εⁿ."""
    return Jet(np.stack([s, np.ones_like(s), *[np.zeros_like(s)] * n][: n + 1]), (n,))


def taylor(f: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
    """The Taylor coefficients of a function, given its derivatives."""
    return lambda x, n: f(x, n) / math.factorial(n)


def euler_maclaurin(s: Jet, q: Any) -> Jet:
    """ζ(s, q) = Σ (q + k)⁻ˢ to k = N, and the Euler–Maclaurin expansion of the rest.  DLMF 25.11.5.

    N ≥ 12 and 15 Bernoulli numbers: relative error 10⁻¹⁴ for s ≥ −1/2.
    """
    N = SHIFT + int(np.max(np.abs(np.imag(s.value)), initial=0))
    q, far = np.expand_dims(q, -1), q + N
    powers = exp(expand(s) * -np.log(q + np.arange(N + 1)))
    rising = quotients([s], [], np.repeat(1 / (q + N), 2 * len(EVEN) - 1, -1))  # (s)ₖ/(q + N)ᵏ
    rest = total(take(rising, slice(None, None, 2)) * BERNOULLI) + far / (s - 1) + 0.5
    return total(take(powers, slice(N))) + take(powers, N) * rest


@family(
    lambda s, q, n: hurwitz(s, q, n=n + 1),
    lambda s, q, n: -s * hurwitz(s + 1, q, n=n) - (n * hurwitz(s + 1, q, n=n - 1) if n else 0),
)
def hurwitz(s: Any, q: Any, *, n: int) -> Any:
    """∂ⁿζ(s, q)/∂sⁿ."""
    return math.factorial(n) * euler_maclaurin(variable(s, n), q).c[n] if n else sc.zeta(s, q)


@family(lambda s, n: riemann(s, n=n + 1))
def riemann(s: Any, *, n: int) -> Any:
    """ζ⁽ⁿ⁾(s); left of −1/2 from the reflection ζ(s) = 2 (2π)ˢ⁻¹ sin(πs/2) Γ(1 − s) ζ(1 − s).  DLMF 25.4.1."""
    if n == 0:
        return sc.zeta(s)
    return pieces(np.real(s) < -0.5, reflected, lambda s, n: hurwitz(s, 1.0, n=n), s, n=n)


def reflected(s: Any, n: int) -> Any:
    s = variable(s, n)
    sines = (s * 0.5).compose(taylor(sine)) * (1 - s).compose(taylor(gamma_derivative)) * 2
    return math.factorial(n) * (exp((s - 1) * math.log(2 * pi)) * sines * euler_maclaurin(1 - s, 1.0)).c[n]


elementwise(sc.zetac, lambda x: riemann(x, n=1))


@composite(dispatching(sc.zeta))
def zeta(x: Any, q: Any = None, out: Any = None) -> Any:
    return riemann(x, n=0) if q is None else hurwitz(x, q, n=0)

"""Error functions and the normal distribution: erf, Faddeeva's w, Dawson's F, Voigt, Fresnel, Owen's T."""

import math
from math import pi, sqrt
from typing import Any

import numpy as np

from dotbar.core import dtype_of
from dotbar.rules.kinds import elementwise, rule
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.quadrature import entrywise, family
from dotbar.scipy.special.results import slopes

# ---------------------------------------------------------------- Faddeeva's function


@family(lambda z, n: faddeeva(z, n=n + 1))
def faddeeva(z: Any, *, n: int) -> Any:
    """w⁽ⁿ⁾(z), w(z) = exp(−z²) erfc(−iz).  DLMF 7.7.2, 7.10.

    For |z| < 6 by w⁽ᵏ⁺¹⁾ = −2z w⁽ᵏ⁾ − 2k w⁽ᵏ⁻¹⁾: upwards near the real axis, where cancellation costs a factor of 2|z|²
    for each order; above it downwards, as a continued fraction for w⁽ᵏ⁾/w⁽ᵏ⁻¹⁾, as w⁽ᵏ⁾ is the minimal solution there
    (Gautschi, 1961).  Beyond, by the asymptotic series w ~ i/√π Σ (2k − 1)!!/2ᵏ z⁻²ᵏ⁻¹, differentiated, and exp(−z²) on
    the real axis; below it by w(z) = 2 exp(−z²) − w(−z).  Relative error 10⁻¹³ (n = 1), 10⁻¹² (n = 2).
    """
    z = z.astype(complex)
    below, far = z.imag < 0, np.abs(z) >= 6
    u = np.where(below, -z, z)
    terms = [sc.wofz(u), 2j / sqrt(pi) - 2 * u * sc.wofz(u)]
    for k in range(1, n):
        terms.append(-2 * u * terms[k] - 2 * k * terms[k - 1])
    if n and np.any(above := (u.imag > 1) & ~far):
        high, ratio, product = np.where(above, u, 6j), 0, terms[0]
        for k in range(120, 0, -1):
            ratio = -2 * k / (2 * high + ratio)
            product = product * ratio if k <= n else product
        terms[n] = np.where(above, product, terms[n])
    large, series = np.where(far, u, 6), 0
    for k in range(36, -1, -1):
        series = 1 + series * (2 * k + n + 1) * (2 * k + n + 2) / (4 * (k + 1) * large**2)
    series = series * 1j / sqrt(pi) * (-1) ** n * math.factorial(n) / large ** (n + 1)
    y = np.where(far, series, terms[n])
    share = np.where(below, 2, far & (z.imag == 0))
    return np.where(below, -((-1) ** n) * y, y) + np.where(share > 0, share * gaussian(z, n=n), 0)


@family(lambda z, n: gaussian(z, n=n + 1))
def gaussian(z: Any, *, n: int) -> Any:
    """The n-th derivative of exp(−z²), with the digits of z² that its rounding loses.  DLMF 18.5.5.

    The square of the leading half h of the digits is exact; z² − h² = (z − h)(z + h).
    """
    step = 2.0 ** (np.floor(np.log2(np.maximum(np.abs(z), 1e-300))) - 24)
    high = np.where(np.isfinite(step), np.round(z / step) * step, 0)
    square = (high.real - high.imag) * (high.real + high.imag) + 2j * (high.real * high.imag)
    hermite = np.polynomial.hermite.hermval(z, [0] * n + [1])
    return np.exp(-square) * np.exp(-(z - high) * (z + high)) * (-1) ** n * hermite


def like_argument(x: Any, y: Any) -> Any:
    """The real part, for a real argument, of what is written in complex functions."""
    return y if dtype_of(x).kind == "c" else np.real(y)


def scaled_slope(x: Any) -> Any:
    """erfcx′, erfcx z = w(iz); 0 at ∞.  DLMF 7.5.3."""
    end = x == np.inf
    return np.where(end, 0, like_argument(x, 1j * faddeeva(1j * np.where(end, 0, x), n=1)))


def dawson_slope(x: Any) -> Any:
    """F′, F = i√π/2 (exp(−z²) − w(z)); 0 at ±∞.  DLMF 7.5.1."""
    end = np.abs(x) == np.inf
    z = np.where(end, 0, x)
    slope = like_argument(x, -1j * sqrt(pi) / 2 * (2 * z * exponential_of_square(z, -1) + faddeeva(z, n=1)))
    return np.where(end, 0, slope)


entrywise(sc.wofz, lambda y, z: faddeeva(z, n=1))
elementwise(sc.erfcx, scaled_slope)
elementwise(sc.dawsn, dawson_slope)

# ---------------------------------------------------------------- error functions


def exponential_of_square(z: Any, sign: int) -> Any:
    """exp(±z²)."""
    if dtype_of(z).kind != "c":
        return np.exp(sign * z * z)
    return gaussian(z if sign < 0 else 1j * z, n=0)


elementwise(sc.erf, lambda x: 2 / sqrt(pi) * exponential_of_square(x, -1))
elementwise(sc.erfc, lambda x: -2 / sqrt(pi) * exponential_of_square(x, -1))
elementwise(sc.erfi, lambda x: 2 / sqrt(pi) * exponential_of_square(x, 1))
elementwise(sc.erfinv, lambda y: sqrt(pi) / 2 * np.exp(y * y))
elementwise(sc.erfcinv, lambda y: -sqrt(pi) / 2 * np.exp(y * y))


# ---------------------------------------------------------------- the normal distribution


def hazard(y: Any, x: Any) -> Any:
    """φ(x)/Φ(x) = √(2/π)/erfcx(−x/√2), which holds far down where Φ underflows; on the right from log Φ."""
    left = np.real(x) < 0
    scaled = sqrt(2 / pi) / sc.erfcx(-np.where(left, x, 0) / sqrt(2))
    return np.where(left, scaled, np.exp(-x * x / 2 - y) / sqrt(2 * pi))


elementwise(sc.ndtr, lambda x: np.exp(-x * x / 2) / sqrt(2 * pi))
elementwise(sc.log_ndtr, hazard)
elementwise(sc.ndtri, lambda y: sqrt(2 * pi) * np.exp(y * y / 2))
elementwise(sc.ndtri_exp, lambda y, x: 1 / hazard(x, y))


@family(lambda z, s, n: smoothed(z, s, n=n + 1), lambda z, s, n: s * smoothed(z, s, n=n + 2))
def smoothed(z: Any, s: Any, *, n: int) -> Any:
    """The n-th derivative of i/(πz), convolved with a Gaussian of standard deviation s: w⁽ⁿ⁾(z/(s√2))/(√π (s√2)ⁿ⁺¹).

    It solves the heat equation: ∂/∂s = s ∂²/∂z², without cancellation where s ≪ |z|.
    """
    width = sqrt(2) * np.where(s == 0, 1, s)
    sharp = 1j / pi * (-1) ** n * math.factorial(n) / z ** (n + 1)
    return np.where(s == 0, sharp, faddeeva(z / width, n=n) / (sqrt(pi) * width ** (n + 1)))


elementwise(
    sc.voigt_profile,  # Re smoothed(x + iγ, σ).  DLMF 7.19.1
    lambda a, b, c: np.real(smoothed(a + 1j * c, b, n=1)),
    lambda a, b, c: b * np.real(smoothed(a + 1j * c, b, n=2)),
    lambda a, b, c: -np.imag(smoothed(a + 1j * c, b, n=1)),
)
elementwise(
    sc.owens_t,  # Owen (1956), Tables for computing bivariate normal probabilities, (3.1)
    lambda a, b: -np.exp(-a * a / 2) / sqrt(8 * pi) * sc.erf(a * b / sqrt(2)),
    lambda a, b: np.exp(-a * a * (1 + b * b) / 2) / (2 * pi * (1 + b * b)),
)


# ---------------------------------------------------------------- Fresnel's integrals


def quarter_turns(z: Any) -> Any:
    """z² modulo 4 to a rounding error, by z = 2n + h + l, h with so few digits that nh is exact."""
    even = 2 * np.round(np.real(z) / 2)
    rest = z - even
    high = np.round(np.real(rest) * 2**20) / 2**20
    return 2 * np.mod(even * high, 2) + 2 * even * (rest - high) + rest * rest


@rule(sc.fresnel, "()->(),()")
def fresnel(y: Any, z: Any) -> Any:
    """S′ = sin(πz²/2), C′ = cos(πz²/2).  DLMF 7.2(iii)."""
    angle = lambda: pi / 2 * quarter_turns(z)
    return slopes(lambda: np.sin(angle()), lambda: np.cos(angle()))


def modified_fresnel(fn: Any, sign: int) -> None:
    @rule(fn, "()->(),()")
    def body(y: Any, x: Any) -> Any:
        """F = ∫ₓ^∞ exp(±it²) dt and K = exp(∓i(x² + π/4)) F/√π = w(qx)/2, q = ±exp(±iπ/4).  DLMF 7.2, 7.5."""
        q = (sign + 1j) / sqrt(2)
        dot, bar = slopes(lambda: -np.exp(sign * 1j * x * x), lambda: q / 2 * faddeeva(q * x, n=1))
        return dot, lambda ybar: np.real(bar(ybar))


modified_fresnel(sc.modfresnelp, 1)
modified_fresnel(sc.modfresnelm, -1)

"""Integrals and inverses of the exponential, the dilogarithm, the arithmetic-geometric mean."""

import math
from typing import Any

import numpy as np

from dotbar.core import primitive
from dotbar.rules.kinds import composite, elementwise, rule
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.bessel import flushed
from dotbar.scipy.special.quadrature import family, gauss
from dotbar.scipy.special.results import slopes

spherical_jn = dispatching(sc.spherical_jn)
spherical_in = dispatching(sc.spherical_in)
lambertw = dispatching(sc.lambertw)

INTEGER = "it is an integer"

# ---------------------------------------------------------------- exponential integrals

elementwise(sc.expi, lambda x: np.exp(x) / x)  # DLMF 6.2.5
elementwise(sc.exp1, lambda y, x: np.where(np.isnan(y), y, -np.exp(-x) / x))  # DLMF 6.2.1


def _expn(n: Any, x: Any) -> Any:
    """−Eₙ₋₁, where E₋₁ = e⁻ˣ (1 + 1/x)/x.  DLMF 8.19.13."""
    below = -np.exp(-x) * (1 + 1 / np.where(n == 0, x, 1)) / np.where(n == 0, x, 1)
    return np.where(n == 0, below, -sc.expn(np.maximum(n - 1, 0), x))


elementwise(sc.expn, INTEGER, lambda a, b: _expn(a, b))


@rule(sc.sici, "()->(),()")
def _sici(y: Any, z: Any) -> Any:
    """sin z / z and cos z / z.  DLMF 6.2.9, 6.2.11."""
    return slopes(lambda: spherical_jn(0, flushed(z)), lambda: np.cos(z) / z)


@rule(sc.shichi, "()->(),()")
def _shichi(y: Any, z: Any) -> Any:
    """sinh z / z and cosh z / z.  DLMF 6.2.15, 6.2.16."""
    return slopes(lambda: spherical_in(0, flushed(z)), lambda: np.cosh(z) / z)


# ---------------------------------------------------------------- (eˣ − 1)/x and the dilogarithm

NODES, WEIGHTS = gauss((0.0, 0.5, 1.0))


@family(lambda x, n: exponential_moment(x, n=n + 1))
def exponential_moment(x: Any, *, n: int) -> Any:
    """∫₀¹ tⁿ eˣᵗ dt, the n-th derivative of (eˣ − 1)/x, to 1e-15.

    By Gauss's rule with 30 nodes where |x| < 20 + n, beyond by (eˣ − n Mₙ₋₁)/x, where the recurrence is stable.
    """
    far = np.abs(x) >= 20 + n
    t = np.where(far, 0, x)[..., None] * NODES
    near = np.sum(np.exp(t) * NODES**n * WEIGHTS, -1)
    v, moment = np.where(far, x, 1), 0.0
    for k in range(n + 1):
        moment = (np.exp(v) - (k * moment if k else 1)) / v
    return np.where(far, moment, near)


elementwise(sc.exprel, lambda x: exponential_moment(x, n=1))
elementwise(sc.spence, lambda x: -1 / exponential_moment(np.log(x), n=0))  # log z/(1 − z).  DLMF 25.12.2


# ---------------------------------------------------------------- inverses of the exponential


@composite(lambertw)
def _lambertw(z: Any, k: Any = 0, tol: Any = 1e-8) -> Any:
    z, k = np.broadcast_arrays(z, k)
    return branch_of_lambertw(z, k, tol=tol)


@primitive
def branch_of_lambertw(z: Any, k: Any, *, tol: float) -> Any:
    """The branch k of w eʷ = z."""
    return sc.lambertw(z, k, tol)


@rule(branch_of_lambertw, "(),()->()")
def _branch_of_lambertw(w: Any, z: Any, k: Any, *, tol: float) -> Any:
    """dw = dq for q = 1 + w."""
    slope = lambda: _above_slope(above_branch_point(z, k, tol=tol))
    return ((lambda zdot: slope() * zdot), (lambda wbar: np.conj(slope()) * wbar)), INTEGER


def _above_slope(q: Any) -> Any:
    """dq/dz = e¹⁻ᵠ/q.  DLMF 4.13.4."""
    return np.exp(1 - q) / q


BRANCH_POINT = (0.36787944117144233, -1.2428753672788363e-17)
"""1/e, and what is missing."""
SERIES = [1 / ((n + 2) * math.factorial(n)) for n in range(24)]


@primitive
def above_branch_point(z: Any, k: Any, *, tol: float) -> Any:
    """q = 1 + w; near −1/e, where SciPy's w loses half its digits, by Newton's method for Σ q²⁺ⁿ/((2 + n) n!) = ez + 1.

    The sum is 1 − (1 − q) eᵠ, and q ≈ ±√(2(ez + 1)), the root with the sign + on the branch 0.
    """
    z, k, w = np.broadcast_arrays(z, k, sc.lambertw(z, k, tol))
    q, rest = 1 + w, np.array(np.e * z, complex)  # which keeps the sign of Im z = ±0
    rest.real = np.e * ((z.real + BRANCH_POINT[0]) + BRANCH_POINT[1])
    near = (np.abs(q) < 0.5) & (np.abs(rest) < 0.1)
    rest = np.where(near, rest, 0.01)
    u = np.sqrt(2 * rest) * np.where(k == 0, 1, -1)
    u = u * (1 - u / 3)
    for _ in range(5):
        u = u - (u * u * np.polynomial.polynomial.polyval(u, SERIES) - rest) / (u * np.exp(u))
    return np.where(near, u, q).astype(w.dtype)[()]


@rule(above_branch_point, "(),()->()")
def _above_branch_point(q: Any, z: Any, k: Any, *, tol: float) -> Any:
    return ((lambda zdot: _above_slope(q) * zdot), (lambda qbar: np.conj(_above_slope(q)) * qbar)), INTEGER


elementwise(sc.wrightomega, lambda y: y / (1 + y))  # Corless & Jeffrey (2002), The Wright ω function, (5)


# ---------------------------------------------------------------- arithmetic-geometric mean


def _agm(y: Any, a: Any, b: Any) -> Any:
    """∂M/∂a by one step, M(a, b) = M(m, g), m = (a + b)/2, g = √(ab), which narrows ratios whose square underflows.

    M = (π/2)/R_F(0, m², g²), hence ∂M/∂m = 2 m M² R_D(0, g², m²)/(3π), of degree 0.  DLMF 19.22.1, 19.18.1.
    """
    root_a, root_b = np.sqrt(np.abs(a)), np.sqrt(np.abs(b))
    m, g = (np.abs(a / 2 + b / 2) / np.abs(y), root_a * root_b / np.abs(y))
    rate = lambda p, q: 2 / (3 * np.pi) * p * sc.elliprd(np.zeros_like(p), q * q, p * p)
    slope = rate(m, g) / 2 + root_b / root_a / 2 * rate(g, m)
    return np.where(y == 0, np.where(b == 0, 0, np.inf), slope)


elementwise(sc.agm, lambda y, a, b: _agm(y, a, b), lambda y, a, b: _agm(y, b, a))
elementwise(dispatching(sc.bernoulli), INTEGER)
elementwise(dispatching(sc.euler), INTEGER)

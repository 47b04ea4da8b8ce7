"""Integrals and inverses of the exponential, the dilogarithm, the arithmetic-geometric mean."""

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
elementwise(sc.exp1, lambda x: -np.exp(-x) / x)  # DLMF 6.2.1


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
    """dw = dz e⁻ʷ/(1 + w).  DLMF 4.13.4."""
    slope = lambda: np.exp(-w) / (1 + w)
    return ((lambda zdot: slope() * zdot), (lambda wbar: np.conj(slope()) * wbar)), INTEGER


elementwise(sc.wrightomega, lambda y: y / (1 + y))  # Corless & Jeffrey (2002), The Wright ω function, (5)


# ---------------------------------------------------------------- arithmetic-geometric mean


def _agm(y: Any, a: Any, b: Any) -> Any:
    """M = (π/2)/R_F(0, a², b²), hence ∂M/∂a = 2 |a| M² R_D(0, b², a²)/(3π).  DLMF 19.22.1, 19.18.1."""
    return 2 / (3 * np.pi) * np.abs(a) * y * y * sc.elliprd(np.zeros_like(a), b * b, a * a)


elementwise(sc.agm, lambda y, a, b: _agm(y, a, b), lambda y, a, b: _agm(y, b, a))
elementwise(dispatching(sc.bernoulli), INTEGER)
elementwise(dispatching(sc.euler), INTEGER)

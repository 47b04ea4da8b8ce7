"""Legendre functions of integer degree and order, spherical harmonics, and Pₗᵐ of real degree.

Of the two rules for derivatives of associated functions, the one in x reduces them to Gegenbauer polynomials, the one
in the angle θ raises and lowers the order; neither divides by sin θ, so that both are right at the poles.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from dotbar.core import as_array, dtype_of, first_traced, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import composite, elementwise, match
from dotbar.scipy.mirror import dispatching, stands_for
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.taylor import derivatives, gamma_ratio
from dotbar.transforms import jvp
from dotbar.tree import flatten, tree_map

INTEGER = "SciPy has it at integers only"


def _integers(function: str, **arguments: Any) -> None:
    """Refuse degrees and orders that are differentiated."""
    for name, x in arguments.items():
        if first_traced(x) is not None and dtype_of(x).kind not in "iub":
            raise NoRuleError(f"scipy.special.{function} has no derivative with respect to {name!r}: {INTEGER}.")


def _typed(y: Any, f: Callable[..., Any], *args: Any, **kw: Any) -> Any:
    """y in the type that SciPy's f has for such arguments."""
    like = flatten(f(*(x if type(x) in (int, float) else np.empty(0, dtype_of(x)) for x in args), **kw))[0][0]
    return tree_map(lambda y: match(y, like), y)


def _own(f: Any, *integers: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let the decorated body compute SciPy's f, whose first arguments are integers, of traced values."""

    def enter(body: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **kw: Any) -> Any:
            if first_traced([*given, *kw.values()]) is None:
                return f(*given, **kw)
            args = [as_array(x) for x in given]
            _integers(body.__name__, **dict(zip(integers, args)), **kw)
            return _typed(body(*args, **kw), f, *args, **kw)

        stands_for(f)(wraps(body)(call))  # those of SciPy 1.16 have no name
        return body

    return enter


def _orders(f: Callable[[Any], Any], z: Any, n: int) -> list[Any]:
    """f and its first n derivatives, each the dot of the one before."""
    slope = lambda g: lambda z: jvp(g, (z,), (np.ones_like(z),))[1]
    found = []
    for _ in range(n + 1):
        found.append(f(z))
        f = slope(f)
    return found


def _scale(n: Any, m: Any, norm: bool) -> Any:
    """What (1 − x²)^(|m|/2) C(x), the Gegenbauer polynomial of degree n − |m| and λ = |m| + 1/2, is multiplied by.

    (2|m| − 1)!!, the symmetry in m, and for ∫ P² = 1 the norm.  DLMF 14.9.3, 14.17.6, 18.11.1.
    """
    k = np.abs(m)
    ratio = sc.gammaln(np.maximum(n - k, 0) + 1.0) - sc.gammaln(n + k + 1.0)
    weight = np.exp(ratio / 2) * np.sqrt(n + 0.5) if norm else np.where(m < 0, np.exp(ratio), 1)
    return np.where(k > n, 0, weight * 2.0**k * sc.gamma(k + 0.5) / np.sqrt(np.pi))


def _associated(n: Any, m: Any, z: Any, branch_cut: Any = 2, norm: bool = False) -> Any:
    """Pₙᵐ on (−1, 1), of phase (−1)ᵐ for m > 0, or for branch_cut = 3 in the plane cut left of 1, without a phase."""
    k, outside, real = np.abs(m), np.equal(branch_cut, 3), dtype_of(z).kind != "c"
    cut = lambda x: np.where(x < 0, np.nan, x) if real else x
    inside = cut(np.where(outside, 1, 1 - z * z)) ** (k / 2) * (1 - 2 * np.mod(np.maximum(m, 0), 2))
    root = np.sqrt(cut(z - 1)) * np.sqrt(cut(z + 1)) if np.any(outside) else 1
    polynomial = sc.eval_gegenbauer(np.maximum(n - k, 0), k + 0.5, z)
    return np.where(outside, root**k, inside) * polynomial * _scale(n, m, norm)


def _all_degrees(n: int, m: int, ndim: int) -> tuple[Any, Any]:
    """The degrees 0 … n and orders 0 … m, −m … −1 along two leading axes."""
    after = (1,) * ndim
    return np.arange(n + 1).reshape(-1, 1, *after), np.r_[: m + 1, -m:0].reshape(1, -1, *after)


@_own(sc.legendre_p, "n")
def legendre_p(n: Any, z: Any, *, diff_n: int = 0) -> Any:
    return np.stack(_orders(lambda z: sc.eval_legendre(n, z), z, diff_n))


@_own(sc.legendre_p_all, "n")
def legendre_p_all(n: int, z: Any, *, diff_n: int = 0) -> Any:
    return legendre_p(np.arange(n + 1).reshape(-1, *(1,) * np.ndim(z)), z, diff_n=diff_n)


@_own(sc.assoc_legendre_p, "n", "m")
def assoc_legendre_p(n: Any, m: Any, z: Any, *, branch_cut: Any = 2, norm: bool = False, diff_n: int = 0) -> Any:
    return np.stack(_orders(lambda z: _associated(n, m, z, branch_cut, norm), z, diff_n))


@_own(sc.assoc_legendre_p_all, "n", "m")
def assoc_legendre_p_all(n: int, m: int, z: Any, *, branch_cut: Any = 2, norm: bool = False, diff_n: int = 0) -> Any:
    return assoc_legendre_p(*_all_degrees(n, m, np.ndim(z)), z, branch_cut=branch_cut, norm=norm, diff_n=diff_n)


@derivatives()
def mirror(v: Any, k: Any) -> Any:
    """Γ(v−k+1)/Γ(v+k+1)."""
    return gamma_ratio([v - k + 1], [v + k + 1])


@composite(sc.lpmv)
def lpmv(m: Any, v: Any, x: Any) -> Any:
    """Pᵥᵐ on the cut, by the Gegenbauer function of degree v − |m|.  DLMF 14.9.3, 14.3.21."""
    _integers("lpmv", m=m)
    k = np.abs(m)
    weight = np.where(m < 0, mirror(v, k, order=(0, 0)), 1 - 2 * np.mod(k, 2)) * sc.gamma(k + 0.5) * 2.0**k
    square = np.where((np.abs(x) > 1) & (k > 0), np.nan, 1 - x * x)
    y = weight / np.sqrt(np.pi) * square ** (k / 2) * sc.eval_gegenbauer(v - k, k + 0.5, x)
    return _typed(y, sc.lpmv, m, v, x)


# ---------------------------------------------------------------- on the sphere


@primitive
def harmonic(n: Any, m: Any, theta: Any, phi: Any) -> Any:
    """Yₙᵐ(θ, φ)."""
    return sc.sph_harm_y(n, m, theta, phi)


@primitive
def zonal(n: Any, m: Any, theta: Any) -> Any:
    """Yₙᵐ(θ, 0)."""
    return sc.sph_legendre_p(n, m, theta)[0]


def _ladder(y: Any, n: Any, m: Any, theta: Any, *phi: Any) -> Any:
    """∂Y/∂θ by the ladder operators.  Edmonds (1957), Angular momentum in quantum mechanics, (2.5.24).

    SciPy's Y is even in θ.
    """
    Y = harmonic if phi else zonal
    turn = np.exp(-1j * phi[0]) if phi else 1.0
    up = np.sqrt(np.maximum((n - m) * (n + m + 1.0), 0)) * turn * Y(n, m + 1, theta, *phi)
    down = np.sqrt(np.maximum((n + m) * (n - m + 1.0), 0)) * np.conj(turn) * Y(n, m - 1, theta, *phi)
    return match((up - down) * np.where(np.sin(theta) < 0, -0.5, 0.5), y)


elementwise(zonal, INTEGER, INTEGER, lambda y, a, b, c: _ladder(y, a, b, c))
elementwise(harmonic, INTEGER, INTEGER, lambda y, a, b, c, d: _ladder(y, a, b, c, d), lambda y, b: match(1j * b * y, y))


@_own(sc.sph_legendre_p, "n", "m")
def sph_legendre_p(n: Any, m: Any, theta: Any, *, diff_n: int = 0) -> Any:
    return np.stack(_orders(lambda theta: zonal(n, m, theta), theta, diff_n))


@_own(sc.sph_legendre_p_all, "n", "m")
def sph_legendre_p_all(n: int, m: int, theta: Any, *, diff_n: int = 0) -> Any:
    return sph_legendre_p(*_all_degrees(n, m, np.ndim(theta)), theta, diff_n=diff_n)


@_own(sc.sph_harm_y, "n", "m")
def sph_harm_y(n: Any, m: Any, theta: Any, phi: Any, *, diff_n: int = 0) -> Any:
    Y = lambda theta: harmonic(n, m, theta, phi)
    if not diff_n:
        return Y(theta)
    theta = np.broadcast_to(theta, np.broadcast_shapes(np.shape(theta), np.shape(phi)))
    Y0, Y1, *Y2 = _orders(Y, theta, diff_n)
    orders = [Y0, np.stack([Y1, 1j * m * Y0], -1)]
    if Y2:
        mixed = 1j * m * Y1
        orders.append(np.stack([np.stack([Y2[0], mixed], -1), np.stack([mixed, -m * m * Y0], -1)], -1))
    return tuple(orders)


@_own(sc.sph_harm_y_all, "n", "m")
def sph_harm_y_all(n: int, m: int, theta: Any, phi: Any, *, diff_n: int = 0) -> Any:
    ndim = max(np.ndim(theta), np.ndim(phi))
    return sph_harm_y(*_all_degrees(n, m, ndim), theta, phi, diff_n=diff_n)


composite(dispatching(sc.assoc_laguerre))(lambda x, n, k=0.0: sc.eval_genlaguerre(n, k, x))

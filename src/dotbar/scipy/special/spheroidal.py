"""Spheroidal wave functions in their argument; eigenvalues and angular functions also in c.

In the normalised Legendre functions p of degrees l ≥ m, x is a tridiagonal matrix X and the equation of the angular
function an eigenproblem, (l (l + 1) + γ² X²) v = λ v, of which ``eigh`` differentiates the vectors.  The matrix has 40
rows more than the degree needs, enough for |c| < 60.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dotbar.core import shape_of
from dotbar.rules.kinds import composite, elementwise, rule
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.results import Pair, slopes
from dotbar.transforms import jvp

INTEGER = "it is an integer"
RADIAL = "no expansion of the radial functions of both kinds converges on the whole ray, which could be differentiated"
GIVEN = "c and its eigenvalue do not vary independently: at other values the equation has no bounded solution"
ROWS, AGREES = 40, 1e-5
"""How many rows the matrix has at least, and how near to SciPy's value that of the series must come."""

# ---------------------------------------------------------------- in c


def legendre_coefficients(m: Any, n: Any, c: Any, oblate: bool) -> tuple[Any, Any, Any, Any]:
    """λ, ∂λ/∂c = vᵀ(∂γ²/∂c X²)v, the degrees of one parity, and the coefficients v, along a last axis.  DLMF 30.8."""
    m, n = m[..., None], n[..., None]
    rows = np.arange(ROWS + int(np.max(n - m, initial=0)) // 2)
    degree, unit = m + (n - m) % 2 + 2 * rows, np.eye(len(rows))
    above = step(degree + 1, m) * step(degree + 2, m)
    beside = above[..., None] * np.eye(len(rows), k=1)
    square = (step(degree, m) ** 2 + step(degree + 1, m) ** 2)[..., None] * unit + beside + np.swapaxes(beside, -1, -2)
    sign = -1 if oblate else 1
    own = (degree * (degree + 1.0))[..., None] * unit
    w, V = np.linalg.eigh(own + (sign * c * c)[..., None, None] * square)
    pick = np.equal(rows, (n - m) // 2)
    v = np.sum(V * pick[..., None, :], -1)
    return np.sum(w * pick, -1), 2 * sign * c * np.sum(v * np.sum(square * v[..., None, :], -1), -1), degree, v


def step(degree: Any, m: Any) -> Any:
    """The entry aₗ of X beside the diagonal: x pₗ = aₗ₊₁ pₗ₊₁ + aₗ pₗ₋₁.  DLMF 14.10.3."""
    return np.sqrt((degree * degree - m * m) / (4.0 * degree * degree - 1))


def legendre(m: Any, degree: Any, x: Any) -> tuple[Any, Any]:
    """The functions of the degrees, which are m or m + 1 and on in steps of 2, over p_m(0), and their slopes."""
    root = np.sqrt(1 - x * x)
    below, p = (0 * x, 0 * x), (root**m, -m * x * root ** (m - 2.0))
    values = []
    for k in range(2 * shape_of(degree)[-1]):
        values.append(p)
        down, up = step(m + k, m), step(m + k + 1, m)
        value = (x * p[0] - down * below[0]) / up
        below, p = p, (value, (p[0] + x * p[1] - down * below[1]) / up)
    odd = (degree[..., :1] - m[..., None]) % 2 == 1
    pick = lambda ys: np.where(odd, np.stack(ys[1::2], -1), np.stack(ys[::2], -1))
    return tuple(map(pick, zip(*values)))


def angular(m: Any, n: Any, c: Any, x: Any, oblate: bool) -> tuple[Any, Any]:
    """S and its slope, of which that which is not 0 at x = 0 is there the same for all c.  Flammer (1957)."""
    _, _, degree, v = legendre_coefficients(m, n, c, oblate)
    odd = (n - m) % 2 == 1
    own, slope = sc.pro_ang1(m, n, 1.0, 0.0)
    p, p_slope = legendre(m, degree, 0 * x)
    scale = np.where(odd, slope, own) / np.sum(v * np.where(odd[..., None], p_slope, p), -1)
    p, p_slope = legendre(m, degree, x)
    return scale * np.sum(v * p, -1), scale * np.sum(v * p_slope, -1)


def in_domain(m: Any, n: Any, c: Any, *x: Any) -> tuple[Any, ...]:
    """The arguments with others in the place of those at which there is no function."""
    m, n, c, *x = np.broadcast_arrays(*(np.nan_to_num(k).astype(int) for k in (m, n)), c, *x)
    m = np.maximum(m, 0)
    return m, np.maximum(n, m), np.where(np.isfinite(c), c, 1.0), *x


def characteristic_slope(y: Any, m: Any, n: Any, c: Any, oblate: bool) -> Any:
    """∂λ/∂c = vᵀ(∂T/∂c)v, T the matrix of the coefficients v in Legendre functions; NaN if λ is not SciPy's."""
    own, slope, *_ = legendre_coefficients(*in_domain(m, n, c), oblate)
    return np.where(np.abs(own - y) <= AGREES * (1 + np.abs(y)), slope, np.nan * y)


def in_c(y: Any, m: Any, n: Any, c: Any, x: Any, oblate: bool) -> Any:
    """∂S/∂c and ∂S′/∂c, of the series in Legendre functions with the eigenvector's derivative.

    NaN where the series cancels so far that it is not SciPy's value, as for oblate functions of large c.
    """
    m, n, c, x = in_domain(m, n, c, x)
    own, by_c = jvp(lambda c: angular(m, n, c, x, oblate), (c,), (np.ones_like(c),))
    same = np.abs(own[0] - y[0]) + np.abs(own[1] - y[1]) <= AGREES * (np.abs(y[0]) + np.abs(y[1]))
    return tuple(np.where(same, slope, np.nan * y[0]) for slope in by_c)


# ---------------------------------------------------------------- in the argument


def equation(y: Any, m: Any, c: Any, x: Any, eigenvalue: Callable[[], Any], oblate: bool, radial: bool) -> Pair:
    """Value and slope: ((1 − z²) w′)′ + (λ − γ²z² − m²/(1 − z²)) w = 0 with γ² = c² at z = x if prolate.  DLMF 30.2.1.

    Oblate: γ² = −c², and at z = ix the radial one of γ = ic.  DLMF 30.14.
    """
    value, slope = y
    s = 1 if oblate and radial else -1  # 1 + s x² = 1 − z²

    def second() -> Any:
        p = 1 + s * x * x
        wave = eigenvalue() + (-c * c if radial or not oblate else c * c) * x * x - m * m / p
        return (s * wave * value - 2 * s * x * slope) / p

    return slopes(lambda: slope, second)


def register(stem: str) -> None:
    oblate, radial = stem.startswith("obl"), "rad" in stem
    cv = sc.obl_cv if oblate else sc.pro_cv

    @rule(getattr(sc, stem), "(),(),(),()->(),()")
    def body(y: Any, m: Any, n: Any, c: Any, x: Any) -> Any:
        """By x the differential equation, DLMF 30.2.1; by c the angular function's series in Legendre functions."""
        by_c = partial(in_c, y, m, n, c, x, oblate)
        in_place = RADIAL if radial else slopes(lambda: by_c()[0], lambda: by_c()[1])
        return INTEGER, INTEGER, in_place, equation(y, m, c, x, lambda: cv(m, n, c), oblate, radial)

    @rule(getattr(sc, f"{stem}_cv"), "(),(),(),(),()->(),()")
    def body_cv(y: Any, m: Any, n: Any, c: Any, cv: Any, x: Any) -> Any:
        """The differential equation of spheroidal functions, with its eigenvalue given.  DLMF 30.2.1."""
        return INTEGER, INTEGER, GIVEN, GIVEN, equation(y, m, c, x, lambda: cv, oblate, radial)


for _stem in ("pro_ang1", "pro_rad1", "pro_rad2", "obl_ang1", "obl_rad1", "obl_rad2"):
    register(_stem)

elementwise(sc.pro_cv, INTEGER, INTEGER, lambda y, a, b, c: characteristic_slope(y, a, b, c, False))
elementwise(sc.obl_cv, INTEGER, INTEGER, lambda y, a, b, c: characteristic_slope(y, a, b, c, True))


def sequence(name: str, eigenvalue: np.ufunc) -> None:
    """The eigenvalues of the degrees m, …, n."""

    @composite(dispatching(getattr(sc, name)))
    def body(m: int, n: int, c: Any) -> Any:
        return eigenvalue(m, np.arange(m, n + 1), c)


sequence("pro_cv_seq", sc.pro_cv)
sequence("obl_cv_seq", sc.obl_cv)

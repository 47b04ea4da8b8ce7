"""Elliptic integrals and functions, in amplitude, argument, parameter and every symmetric variable.

Legendre's integrals lead to Carlson's (DLMF 19.25), whose derivatives do not cancel at m = 0.  Derivatives of Carlson's
in their variables are regular where variables coincide, closed forms of them are not: the words here run Carlson's
duplication (DLMF 19.36) on truncated Taylor series.

Measured against mpmath, for variables between 10⁻³ and 100, |φ| < 8 and −9 < m < 0.999, first and second derivatives
have relative errors of at most 1.2·10⁻¹⁴.
"""

from typing import Any

import numpy as np

from dotbar.core import primitive
from dotbar.rules.kinds import elementwise, rule
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.taylor import derivatives, partial, power, select, value

ROUNDS = 60


def _root(x: Any) -> Any:
    return power(x, 0.5)


def _near(mean: Any, xs: Any) -> bool:
    """Whether the variables are so near their mean that the series at the mean is exact to rounding."""
    return not any(np.any(np.abs(value(x) - value(mean)) > 1e-4 * np.abs(value(mean))) for x in xs)


def _series(E2: Any, E3: Any, E4: Any, E5: Any) -> Any:
    """R_J and R_D near equal variables, in their elementary symmetric functions.  DLMF 19.36.2."""
    return (
        1 + E2 * (-3 / 14) + E3 * (1 / 6) + E2 * E2 * (9 / 88) + E4 * (-3 / 22) + E2 * E3 * (-9 / 52) + E5 * (3 / 26)
        + E2 * E2 * E2 * (-1 / 16) + E3 * E3 * (3 / 40) + E2 * E4 * (3 / 20)
    )  # fmt: skip


@derivatives()
def rc(x: Any, y: Any) -> Any:
    """R_C by duplication; at negative y the principal value √(x/(x−y)) R_C(x−y, −y).  DLMF 19.36.13, 19.2.20."""
    factor, negative = 1.0, (np.imag(value(y)) == 0) & (np.real(value(y)) < 0)
    if np.any(negative):
        factor = _root(select(negative, x / select(negative, x - y, 1.0), 1.0))
        x, y = select(negative, x - y, x), select(negative, -y, y)
    for _ in range(ROUNDS):
        mean = (x + y * 2) * (1 / 3)
        if _near(mean, (x, y)):
            break
        lam = _root(x) * _root(y) * 2 + y
        x, y = (x + lam) * 0.25, (y + lam) * 0.25
    s = y / mean - 1
    return factor / _root(mean) * (1 + s * s * (s * (s * (s * (9 / 22) + 3 / 8) + 1 / 7) + 3 / 10))


def _duplicated(x: Any, y: Any, z: Any, p: Any) -> Any:
    """R_J by duplication.  DLMF 19.36.2; Carlson (1995), Numer. Algorithms 10, 13, algorithm 2.3."""
    total, weight = 0.0, 1.0
    for _ in range(ROUNDS):
        mean = (x + y + z + p * 2) * 0.2
        if _near(mean, (x, y, z, p)):
            break
        rx, ry, rz, rp = map(_root, (x, y, z, p))
        lam = rx * ry + rx * rz + ry * rz
        d = (rp + rx) * (rp + ry) * (rp + rz)
        total = rc(1.0, (p - x) * (p - y) * (p - z) / (d * d) + 1) / d * (6 * weight) + total
        x, y, z, p = ((v + lam) * 0.25 for v in (x, y, z, p))
        weight = weight / 4
    X, Y, Z = (1 - v / mean for v in (x, y, z))
    P = (X + Y + Z) * -0.5
    product, square = X * Y * Z, P * P
    E2 = X * Y + X * Z + Y * Z - square * 3
    E3 = product + E2 * P * 2 + square * P * 4
    E4 = (product * 2 + E2 * P + square * P * 3) * P
    return _series(E2, E3, E4, product * square) / (mean * _root(mean)) * weight + total


@derivatives()
def rj(x: Any, y: Any, z: Any, p: Any) -> Any:
    """R_J; at negative p the principal value by DLMF 19.20.14, in which z is the largest of x, y, z."""
    negative = (np.imag(value(p)) == 0) & (np.real(value(p)) < 0)
    if not np.any(negative):
        return _duplicated(x, y, z, p)
    x, z = (select(np.real(value(x)) > np.real(value(z)), *pair) for pair in ((z, x), (x, z)))
    y, z = (select(np.real(value(y)) > np.real(value(z)), *pair) for pair in ((z, y), (y, z)))
    q = select(negative, -p, 1.0)
    positive = (z * (x + y + q) - x * y) / (z + q)
    inside = x * y + positive * q
    principal = (
        (positive - z) * _duplicated(x, y, z, select(negative, positive, 1.0))
        - _first_kind(x, y, z) * 3
        + _root(x) * _root(y) * _root(z) / _root(inside) * rc(inside, positive * q) * 3
    ) / (z + q)
    return select(negative, principal, _duplicated(x, y, z, select(negative, 1.0, p)))


def _first_kind(x: Any, y: Any, z: Any) -> Any:
    """R_F by duplication.  DLMF 19.36.1."""
    for _ in range(ROUNDS):
        mean = (x + y + z) * (1 / 3)
        if _near(mean, (x, y, z)):
            break
        rx, ry, rz = map(_root, (x, y, z))
        lam = rx * ry + rx * rz + ry * rz
        x, y, z = ((v + lam) * 0.25 for v in (x, y, z))
    X, Y, Z = (1 - v / mean for v in (x, y, z))
    E2, E3 = X * Y - Z * Z, X * Y * Z
    return (1 + E2 * (-1 / 10) + E3 * (1 / 14) + E2 * E2 * (1 / 24) + E2 * E3 * (-3 / 44)) / _root(mean)


@derivatives()
def rd(x: Any, y: Any, z: Any) -> Any:
    """R_D(x, y, z) = R_J(x, y, z, z)."""
    return _duplicated(x, y, z, z)


elementwise(
    sc.elliprf,  # DLMF 19.18.1
    lambda a, b, c: sc.elliprd(b, c, a) / -6,
    lambda a, b, c: sc.elliprd(c, a, b) / -6,
    lambda a, b, c: sc.elliprd(a, b, c) / -6,
)


def _second_kind_slope(x: Any, y: Any, z: Any) -> Any:
    """∂R_G/∂x = (R_F − x R_D(y, z, x)/3)/4, from DLMF 19.21.10 and 19.18.6.

    x R_D → 0 as x → 0, and R_G(x, 0, 0) = √x/2.
    """
    zero, alone = x == 0, (x != 0) & (y == 0) & (z == 0)
    at, y = np.where(zero, 1, x), np.where(alone, 1, y)
    general = sc.elliprf(x, y, z) - np.where(zero, 0, x * sc.elliprd(y, z, at)) / 3
    return np.where(alone, at**-0.5, general) / 4


elementwise(
    sc.elliprg,
    lambda a, b, c: _second_kind_slope(a, b, c),
    lambda a, b, c: _second_kind_slope(b, c, a),
    lambda a, b, c: _second_kind_slope(c, a, b),
)


def _falling(x: Any, slope: Any) -> Any:
    """The derivative in a variable that enters by its square root: −∞ at 0."""
    return np.where(x == 0, -np.inf, slope)


elementwise(
    sc.elliprc,
    lambda a, b: _falling(a, rc(a, b, order=(1, 0))),
    lambda a, b: rc(a, b, order=(0, 1)),
)
elementwise(
    sc.elliprd,
    lambda a, b, c: _falling(a, rd(a, b, c, order=(1, 0, 0))),
    lambda a, b, c: _falling(b, rd(a, b, c, order=(0, 1, 0))),
    lambda a, b, c: rd(a, b, c, order=(0, 0, 1)),
)
elementwise(
    sc.elliprj,
    lambda a, b, c, d: _falling(a, rj(a, b, c, d, order=(1, 0, 0, 0))),
    lambda a, b, c, d: _falling(b, rj(a, b, c, d, order=(0, 1, 0, 0))),
    lambda a, b, c, d: _falling(c, rj(a, b, c, d, order=(0, 0, 1, 0))),
    lambda a, b, c, d: rj(a, b, c, d, order=(0, 0, 0, 1)),
)

# Complete integrals: K(m) = R_F(0, 1−m, 1), E − K = −m/3 R_D(0, 1−m, 1).  DLMF 19.25.1
elementwise(sc.ellipk, lambda x: sc.elliprd(0.0, 1.0, 1 - x) / 6)
elementwise(sc.ellipkm1, lambda x: sc.elliprd(0.0, 1.0, x) / -6)
elementwise(sc.ellipe, lambda x: sc.elliprd(0.0, 1 - x, 1.0) / -6)


def _in_parameter(phi: Any, m: Any, *, first: bool) -> Any:
    """∂F/∂m = s³/6 R_D(c², 1, 1 − ms²) or ∂E/∂m = −s³/6 R_D(c², 1 − ms², 1), s = sin φ, c = cos φ, |φ| ≤ π/2.

    Further out each half turn adds twice the complete integral's.  DLMF 19.25.5, 19.25.9, 19.2.10.
    """
    turns = np.round(phi / np.pi)
    s, c = np.sin(phi - turns * np.pi), np.cos(phi - turns * np.pi)

    def part(cos2: Any, delta2: Any) -> Any:
        return _duplicated(cos2, 1.0, delta2, delta2) if first else -_duplicated(cos2, delta2, 1.0, 1.0)

    within = part(c * c, 1 - m * (s * s)) * (s * s * s / 6)
    return within + select(turns == 0, 0.0, part(0.0, 1 - m) * (turns / 3)) if np.any(turns) else within


@primitive
def parameter_slope(phi: Any, m: Any, *, e: float, n: int) -> Any:
    """∂ⁿ/∂mⁿ ∫ (1 − m sin²θ)ᵉ dθ from 0 to φ, e = −1/2 of the first kind, 1/2 of the second, n ≥ 1."""
    return partial(lambda phi, m: _in_parameter(phi, m, first=e < 0), (phi, m), (0, n - 1))


@rule(parameter_slope, "(),()->()")
def _parameter_slope(y: Any, phi: Any, m: Any, *, e: float, n: int) -> Any:
    def slope_phi() -> Any:
        s2 = np.sin(phi) ** 2
        return sc.poch(-e, n) * s2**n * (1 - m * s2) ** (e - n)

    def slope_m() -> Any:
        return parameter_slope(phi, m, e=e, n=n + 1)

    return [(lambda dot, s=s: s() * dot, lambda bar, s=s: s() * bar) for s in (slope_phi, slope_m)]


elementwise(
    sc.ellipkinc,
    lambda a, b: (1 - b * np.sin(a) ** 2) ** -0.5,
    lambda a, b: parameter_slope(a, b, e=-0.5, n=1),
)
elementwise(
    sc.ellipeinc,
    lambda a, b: np.sqrt(1 - b * np.sin(a) ** 2),
    lambda a, b: parameter_slope(a, b, e=0.5, n=1),
)


@rule(sc.ellipj, "(),()->(),(),(),()")
def _ellipj(Y: Any, u: Any, m: Any) -> Any:
    """φ = am(u, m) inverts F(φ, m) = u: φ̇ = dn (u̇ − ∂F/∂m ṁ); sn, cn and dn by φ and m.  DLMF 22.13.1-3, 22.16.11."""
    sn, cn, dn, phi = Y

    def tangents(phidot: Any, dndot: Any) -> Any:
        return cn * phidot, -sn * phidot, dndot - m * sn * cn / dn * phidot, phidot

    def total(bars: Any) -> Any:
        slopes = (cn, -sn, -m * sn * cn / dn, 1.0)
        return sum(w * bar for w, bar in zip(slopes, bars) if bar is not None)

    def dot_m(mdot: Any) -> Any:
        return tangents(-dn * parameter_slope(phi, m, e=-0.5, n=1) * mdot, -sn * sn / (2 * dn) * mdot)

    def bar_m(bars: Any) -> Any:
        bar = -dn * parameter_slope(phi, m, e=-0.5, n=1) * total(bars)
        return bar if bars[2] is None else bar - sn * sn / (2 * dn) * bars[2]

    return (lambda udot: tangents(dn * udot, 0.0), lambda bars: dn * total(bars)), (dot_m, bar_m)

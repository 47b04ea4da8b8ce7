"""Airy and Kelvin functions, and the integrals of Airy, Bessel and Struve functions."""

from typing import Any

import numpy as np

from dotbar.core import dtype_of
from dotbar.rules.kinds import elementwise, rule
from dotbar.rules.words import conj
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.bessel import expansion
from dotbar.scipy.special.results import slopes

# ---------------------------------------------------------------- Airy functions


@rule(sc.airy, "()->(),(),(),()")
def _airy(y: Any, z: Any) -> Any:
    """Ai″ = z Ai, Bi″ = z Bi.  DLMF 9.2.1."""
    ai, aip, bi, bip = y
    return slopes(lambda: aip, lambda: z * ai, lambda: bip, lambda: z * bi)


def far_slope(k: int, y: Any, z: Any, slope: Any) -> Any:
    """The slope of airye's k-th result where z > 12, as of a scaled Bessel function at ζ.  DLMF 9.6.2-5."""
    far = z > 12
    x = np.where(far, z, 20)
    f, c = (sc.kve, (-1) ** k / np.pi) if k < 2 else (sc.ive, 2)
    power, order = (x, 2 / 3) if k % 2 else (np.sqrt(x), 1 / 3)
    rise = expansion(order, 2 / 3 * x**1.5, f=f, n=0, m=1) * (c / np.sqrt(3)) * power * np.sqrt(x)
    return np.where(far, y / ((2 - k % 2) * x) + rise, slope)


@rule(sc.airye, "()->(),(),(),()")
def _airye(y: Any, z: Any) -> Any:
    """The same times e^ζ for Ai and exp(−|Re ζ|) for Bi, ζ = (2/3) z^(3/2), ζ′ = √z; real for real z: 0 where z < 0."""
    ai, aip, bi, bip = y
    real = dtype_of(z).kind != "c"
    root = np.where(z > 0, np.sqrt(np.where(z > 0, z, 1)), 0) if real else np.sqrt(z)
    sign = np.sign(np.real(root * z))
    rates = [lambda: aip + root * ai, lambda: z * ai + root * aip, lambda: bip, lambda: z * bi]
    if real:
        rates[2:] = [lambda: bip - root * bi, lambda: z * bi - root * bip]
        rates = [lambda k=k, rate=rate: far_slope(k, y[k], z, rate()) for k, rate in enumerate(rates)]
    own = slopes(*rates)

    if real:
        return own

    def dot(zdot: Any) -> Any:
        fall = -sign * np.real(root * zdot)
        a, ap, b, bp = own[0](zdot)
        return a, ap, b + fall * bi, bp + fall * bip

    def bar(ybar: Any) -> Any:
        pull = sum(np.real(conj(b) * g) for b, g in zip((bi, bip), ybar[2:]) if g is not None)
        return own[1](ybar) - conj(root) * (sign * pull)

    return dot, bar


@rule(sc.itairy, "()->(),(),(),()")
def _itairy(y: Any, x: Any) -> Any:
    """∫₀ˣ Ai(t), Bi(t), Ai(−t), Bi(−t) dt."""
    return slopes(*(lambda s=s, k=k: sc.airy(s * x)[k] for s in (1, -1) for k in (0, 2)))


# ---------------------------------------------------------------- Kelvin functions

Q = (1 + 1j) / 2**0.5
"""ber x + i bei x = I₀(qx) and ker x + i kei x = K₀(qx).  DLMF 10.61.6"""


def curvature(w: Any, slope: Any, x: Any, at_zero: Any) -> Any:
    """w″ = i w − w′/x of w = ber + i bei or ker + i kei, also part by part.  DLMF 10.25.1.

    At x = 0 as a function that is regular there.
    """
    zero = x == 0
    return np.where(zero, at_zero(x), w - slope / np.where(zero, 1, x))


def first_kind(x: Any) -> Any:
    """i (I₀ + I₂)(qx)/2.  DLMF 10.29.5."""
    return 0.5j * (sc.iv(0.0, Q * x) + sc.iv(2.0, Q * x))


elementwise(sc.ber, lambda x: sc.berp(x))
elementwise(sc.bei, lambda x: sc.beip(x))
elementwise(sc.ker, lambda x: sc.kerp(x))
elementwise(sc.kei, lambda x: sc.keip(x))
elementwise(sc.berp, lambda y, x: curvature(-sc.bei(x), y, x, lambda x: np.real(first_kind(x))))
elementwise(sc.beip, lambda y, x: curvature(sc.ber(x), y, x, lambda x: np.imag(first_kind(x))))
elementwise(sc.kerp, lambda y, x: curvature(-sc.kei(x), y, x, lambda x: np.inf))
elementwise(sc.keip, lambda y, x: curvature(sc.ker(x), y, x, lambda x: np.inf))


@rule(sc.kelvin, "()->(),(),(),()")
def _kelvin(y: Any, x: Any) -> Any:
    """ber + i bei, ker + i kei, and their derivatives."""
    be, ke, bep, kep = y
    return slopes(
        lambda: bep,
        lambda: kep,
        lambda: curvature(1j * be, bep, x, first_kind),
        lambda: curvature(1j * ke, kep, x, lambda x: complex(np.inf, np.inf)),
    )


# ---------------------------------------------------------------- integrals from 0, and of f(t)/t


def lower(x: Any, sign: int) -> Any:
    """(1 − J₀(x))/x, or (I₀(x) − 1)/x for sign = 1, near 0 by the power series."""
    near = np.abs(x) < 1
    t = np.where(near, x * x / 4, 0)
    series = 1.0
    for k in range(10, 1, -1):
        series = 1 + sign * t / (k * k) * series
    v = np.where(near, 1.0, x)
    return np.where(near, x / 4 * series, (sign * (sc.j0(v) if sign < 0 else sc.i0(v)) - sign) / v)


@rule(sc.itj0y0, "()->(),()")
def _itj0y0(y: Any, x: Any) -> Any:
    """∫₀ˣ J₀, ∫₀ˣ Y₀."""
    return slopes(lambda: sc.j0(x), lambda: sc.y0(x))


@rule(sc.iti0k0, "()->(),()")
def _iti0k0(y: Any, x: Any) -> Any:
    """∫₀ˣ I₀, ∫₀ˣ K₀."""
    return slopes(lambda: sc.i0(x), lambda: sc.k0(x))


@rule(sc.it2j0y0, "()->(),()")
def _it2j0y0(y: Any, x: Any) -> Any:
    """∫₀ˣ (1 − J₀(t))/t dt, ∫ₓ^∞ Y₀(t)/t dt."""
    return slopes(lambda: lower(x, -1), lambda: -sc.y0(x) / x)


@rule(sc.it2i0k0, "()->(),()")
def _it2i0k0(y: Any, x: Any) -> Any:
    """∫₀ˣ (I₀(t) − 1)/t dt, ∫ₓ^∞ K₀(t)/t dt."""
    return slopes(lambda: lower(x, 1), lambda: -sc.k0(x) / x)


elementwise(sc.itstruve0, lambda x: sc.struve(0.0, x))  # ∫₀ˣ H₀
elementwise(sc.itmodstruve0, lambda x: sc.modstruve(0.0, x))  # ∫₀ˣ L₀
elementwise(sc.it2struve0, lambda x: -sc.struve(0.0, x) / x)  # ∫ₓ^∞ H₀(t)/t dt

# ---------------------------------------------------------------- zeros

for _name in (
    *("ai_zeros", "bi_zeros", "ber_zeros", "bei_zeros", "ker_zeros", "kei_zeros"),
    *("berp_zeros", "beip_zeros", "kerp_zeros", "keip_zeros", "kelvin_zeros"),
):
    elementwise(dispatching(getattr(sc, _name)), "the number of zeros is an integer")

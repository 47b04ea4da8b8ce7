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
    """The slope of airye's k-th result where |ζ| > 17, as of a scaled Bessel function at ζ.  DLMF 9.6.2-5.

    For Ai and complex z where |arg z| < 2π/3; for Bi on the real axis.
    """
    far = (np.abs(z) > 8.8) & ((np.real(z) > -np.abs(z) / 2) if k < 2 else (np.real(z) > 0) & (np.imag(z) == 0))
    x = np.where(far, z, 20)
    f, c = (sc.kve, (-1) ** k / np.pi) if k < 2 else (sc.ive, 2)
    power, order = (x, 2 / 3) if k % 2 else (np.sqrt(x), 1 / 3)
    rise = expansion(order, 2 / 3 * x * np.sqrt(x), f=f, n=0, m=1) * (c / np.sqrt(3)) * power * np.sqrt(x)
    return np.where(far, y / ((2 - k % 2) * x) + rise, slope)


@rule(sc.airye, "()->(),(),(),()")
def _airye(y: Any, z: Any) -> Any:
    """The same times e^ζ for Ai and exp(−|Re ζ|) for Bi, ζ = (2/3) z^(3/2), ζ′ = √z; real for real z: 0 where z < 0.

    |Re ζ|˙ = s Re ζ̇ = s (ζ̇ − i Im ζ̇), s the sign of Re ζ.
    """
    ai, aip, bi, bip = y
    real = dtype_of(z).kind != "c"
    root = np.where(z > 0, np.sqrt(np.where(z > 0, z, 1)), 0) if real else np.sqrt(z)
    sign = np.sign(np.real(root * z))
    rates = (
        lambda: aip + root * ai,
        lambda: z * ai + root * aip,
        lambda: bip - sign * root * bi,
        lambda: z * bi - sign * root * bip,
    )
    own = slopes(*(lambda k=k, rate=rate: far_slope(k, y[k], z, rate()) for k, rate in enumerate(rates)))
    if real:
        return own

    def dot(zdot: Any) -> Any:
        turn = 1j * sign * np.imag(root * zdot)
        a, ap, b, bp = own[0](zdot)
        return a, ap, b + turn * bi, bp + turn * bip

    def bar(ybar: Any) -> Any:
        pull = sum(np.imag(conj(b) * g) for b, g in zip((bi, bip), ybar[2:]) if g is not None)
        return own[1](ybar) + conj(root) * (1j * sign * pull)

    return dot, bar


@rule(sc.itairy, "()->(),(),(),()")
def _itairy(y: Any, x: Any) -> Any:
    """∫₀ˣ Ai(t), Bi(t), Ai(−t), Bi(−t) dt."""
    return slopes(*(lambda s=s, k=k: sc.airy(s * x)[k] for s in (1, -1) for k in (0, 2)))


# ---------------------------------------------------------------- Kelvin functions

Q = (1 + 1j) / 2**0.5
"""ber x + i bei x = I₀(qx) and ker x + i kei x = K₀(qx).  DLMF 10.61.6"""


FIRST = (lambda z: Q * sc.iv(1.0, z)), (lambda z: 0.5j * (sc.iv(0.0, z) + sc.iv(2.0, z)))
SECOND = (lambda z: -Q * sc.kv(1.0, z)), (lambda z: 0.5j * (sc.kv(0.0, z) + sc.kv(2.0, z)))
"""The first and second derivatives of I₀(qx) and K₀(qx), for z = qx.  DLMF 10.29.2, 10.29.5."""


def beyond(x: Any, part: Any, f: Any, near: Any) -> Any:
    """By Bessel functions for x > 1, as SciPy's Kelvin functions have ten digits about x = 9; nearer to 0 by them."""
    far = (np.abs(x) if f in FIRST else x) > 1
    return np.where(far, part(f(Q * np.where(far, x, 2))), near)


def curvature(w: Any, slope: Any, x: Any, at_zero: Any) -> Any:
    """w″ = i w − w′/x of w = ber + i bei or ker + i kei, also part by part.  DLMF 10.25.1.

    At x = 0 as a function that is regular there.
    """
    zero = x == 0
    return np.where(zero, at_zero(x), w - slope / np.where(zero, 1, x))


elementwise(sc.ber, lambda x: beyond(x, np.real, FIRST[0], sc.berp(x)))
elementwise(sc.bei, lambda x: beyond(x, np.imag, FIRST[0], sc.beip(x)))
elementwise(sc.ker, lambda x: beyond(x, np.real, SECOND[0], sc.kerp(x)))
elementwise(sc.kei, lambda x: beyond(x, np.imag, SECOND[0], sc.keip(x)))


def regular(part: Any, w: Any, slope: Any, x: Any) -> Any:
    """w″ of ber + i bei or of a part."""
    near = curvature(w, slope, x, lambda x: part(FIRST[1](Q * x)))
    return beyond(x, part, FIRST[1], near)


def singular(part: Any, w: Any, slope: Any, x: Any) -> Any:
    """w″ of ker + i kei or of a part."""
    near = curvature(w, slope, x, lambda x: part(complex(np.inf, np.inf)))
    return beyond(x, part, SECOND[1], near)


elementwise(sc.berp, lambda y, x: regular(np.real, -sc.bei(x), y, x))
elementwise(sc.beip, lambda y, x: regular(np.imag, sc.ber(x), y, x))
elementwise(sc.kerp, lambda y, x: singular(np.real, -sc.kei(x), y, x))
elementwise(sc.keip, lambda y, x: singular(np.imag, sc.ker(x), y, x))


@rule(sc.kelvin, "()->(),(),(),()")
def _kelvin(y: Any, x: Any) -> Any:
    """ber + i bei, ker + i kei, and their derivatives."""
    be, ke, bep, kep = y
    whole = lambda w: w
    return slopes(
        lambda: beyond(x, whole, FIRST[0], bep),
        lambda: beyond(x, whole, SECOND[0], kep),
        lambda: regular(whole, 1j * be, bep, x),
        lambda: singular(whole, 1j * ke, kep, x),
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
elementwise(  # ∫ₓ^∞ H₀(t)/t dt
    sc.it2struve0, lambda x: np.where(x == 0, -2 / np.pi, -sc.struve(0.0, x) / np.where(x == 0, 1, x))
)

# ---------------------------------------------------------------- zeros

for _name in (
    *("ai_zeros", "bi_zeros", "ber_zeros", "bei_zeros", "ker_zeros", "kei_zeros"),
    *("berp_zeros", "beip_zeros", "kerp_zeros", "keip_zeros", "kelvin_zeros"),
):
    elementwise(dispatching(getattr(sc, _name)), "the number of zeros is an integer")

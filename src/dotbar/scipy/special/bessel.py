"""Bessel functions of real order: J, Y, I, K, H, scaled and spherical ones, in order and argument."""

from math import comb
from typing import Any

import numpy as np

from dotbar.core import dtype_of, primitive
from dotbar.rules.kinds import composite, elementwise, rule
from dotbar.rules.words import conj, stop_gradient
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.debye import debye
from dotbar.scipy.special.quadrature import family
from dotbar.scipy.special.taylor import exp, partial, value

INTEGER = "the order is an integer"

# ---------------------------------------------------------------- orders 0 and 1.  DLMF 10.6.1, 10.29.1

elementwise(sc.j0, lambda x: -sc.j1(x))
elementwise(sc.j1, lambda x: (sc.j0(x) - sc.jv(2.0, x)) / 2)
elementwise(sc.y0, lambda x: -sc.y1(x))
elementwise(sc.y1, lambda x: (sc.y0(x) - sc.yv(2.0, x)) / 2)
elementwise(sc.i0, lambda x: sc.i1(x))
elementwise(sc.i1, lambda x: (sc.i0(x) + sc.iv(2.0, x)) / 2)
elementwise(sc.k0, lambda x: -sc.k1(x))
elementwise(sc.k1, lambda x: -(sc.k0(x) + sc.kv(2.0, x)) / 2)
elementwise(sc.yn, INTEGER, lambda a, b: (sc.yv(a - 1.0, b) - sc.yv(a + 1.0, b)) / 2)
elementwise(sc.kn, INTEGER, lambda a, b: -(sc.kv(a - 1.0, b) + sc.kv(a + 1.0, b)) / 2)

# ---------------------------------------------------------------- any order

RECURRENCE = {
    **dict.fromkeys((sc.jv, sc.yv, sc.hankel1, sc.hankel2, sc.jve, sc.yve, sc.hankel1e, sc.hankel2e), (0.5, -0.5)),
    **dict.fromkeys((sc.iv, sc.ive), (0.5, 0.5)),
    **dict.fromkeys((sc.kv, sc.kve), (-0.5, -0.5)),
}
"""C′_ν = a C_ν₋₁ + b C_ν₊₁ = (ν/z) C_ν + 2b C_ν₊₁.  DLMF 10.6.1, 10.6.2, 10.29.1, 10.29.2."""

SCALE: dict[Any, complex] = {sc.kve: 1, sc.hankel1e: -1j, sc.hankel2e: 1j}
"""The exponents of scaled functions, eˢᶻ C."""

DIRECTION: dict[Any, complex] = {sc.ive: 1, sc.jve: 1j, sc.yve: 1j}
"""The directions d of others, exp(−|Re d̄z|) C."""

EXPANSION: dict[Any, tuple[complex, int, complex, float]] = {
    sc.kve: (1, -1, np.pi, 0),
    sc.ive: (1, 1, 1, 0),
    sc.hankel1e: (-1j, -1, -2j, -0.5),
    sc.hankel2e: (1j, -1, 2j, 0.5),
}
"""The q, s, c and r of f ~ c exp(iπrν) D(ν, qz), D one of Debye's expansions for the sign s.  DLMF 10.27.8."""


@family(
    lambda v, z, f, n, m: expansion(v, z, f=f, n=n + 1, m=m),
    lambda v, z, f, n, m: expansion(v, z, f=f, n=n, m=m + 1),
)
def expansion(v: Any, z: Any, *, f: Any, n: int, m: int) -> Any:
    """∂ⁿ⁺ᵐf/∂νⁿ∂zᵐ of a scaled function, by Debye's expansion."""
    q, s, c, r = EXPANSION[f]

    def scaled(v: Any, z: Any) -> Any:
        y = debye(v, z * q, s) * c
        return exp(v * (1j * np.pi * r)) * y * np.where(other_sheet(q, value(z)), -1, 1) if r else y

    return partial(scaled, (v, z + 0j if r else z), (n, m))


def scaled_slope(f: Any, n: int, v: Any, z: Any, slope: Any) -> Any:
    """The slope of a scaled function for large z by its expansion: it is the small difference of large terms."""
    q, _, _, r = EXPANSION[f]
    left = np.real(z) < 0
    if r:
        left = other_sheet(q, z) & (np.real(z * q) > -25)
    elif f is sc.kve and dtype_of(z).kind == "c":
        left = False
    far = (np.abs(z) > 25 + 1.6 * np.abs(v)) & np.isfinite(z) & np.logical_not(left)
    return np.where(far, expansion(np.where(far, v, 0), np.where(far, z, 100), f=f, n=n, m=1), slope)


def other_sheet(q: complex, z: Any) -> Any:
    """Where √(qz) = −√q √z; z + 0j, as −0 is 0 to SciPy."""
    return np.real(np.sqrt((z + 0j) * q) * np.conj(np.sqrt(q) * np.sqrt(z + 0j))) < 0


@primitive
def order_derivative(v: Any, z: Any, *, f: Any, n: int) -> Any:
    """∂ⁿf/∂νⁿ of a Bessel function f, n ≥ 1."""
    from dotbar.scipy.special import bessel_order

    dtype = f.resolve_dtypes((dtype_of(v), dtype_of(z), None))[-1]
    double = np.complex128 if dtype_of(z).kind == "c" else np.float64
    with np.errstate(all="ignore"):
        y = bessel_order.order_derivative(f.__name__, np.asarray(v, float), np.asarray(z, double), n)
    return y.astype(dtype)[()]


def derivative(f: Any, n: int, v: Any, z: Any) -> Any:
    return order_derivative(v, z, f=f, n=n) if n else f(v, z)


def pairs(f: Any, n: int, y: Any, v: Any, z: Any) -> Any:
    """The pairs of ∂ⁿf/∂νⁿ for order and argument."""
    a, b = RECURRENCE[f]
    d = DIRECTION.get(f)
    directed = d is not None and dtype_of(z).kind == "c"

    def by_order() -> Any:
        return order_derivative(v, z, f=f, n=n + 1)

    def slope() -> Any:
        """∂f/∂z; for real z of exp(−|z|) Iᵥ, too."""
        above = derivative(f, n, v + 1.0, z)
        s = a * derivative(f, n, v - 1.0, z) + b * above
        if n == 0:  # near a negative integer J and I vary fast with the order, also by the rounding of ν − 1
            rounded = ((v - 1.0 + 1.0 != v) | (v == 0)) & (z != 0)
            s = np.where(rounded, v / np.where(rounded, z, 1) * y + 2 * b * above, s)
        if f in SCALE:
            s = s + SCALE[f] * y
        elif d == 1 and dtype_of(z).kind != "c":
            s = s - np.sign(z) * y
        return scaled_slope(f, n, v, z, s) if f in EXPANSION and not directed else s

    towards = lambda x: np.real(conj(d) * x)

    def dot(zdot: Any) -> Any:
        ydot = slope() * zdot
        return ydot - np.sign(towards(z)) * towards(zdot) * y if directed else ydot

    def bar(ybar: Any) -> Any:
        zbar = conj(slope()) * ybar
        return zbar - d * np.sign(towards(z)) * np.real(conj(y) * ybar) if directed else zbar

    return ((lambda vdot: by_order() * vdot), (lambda ybar: np.real(conj(by_order()) * ybar))), (dot, bar)


@rule(order_derivative, "(),()->()")
def _order_derivative(y: Any, v: Any, z: Any, *, f: Any, n: int) -> Any:
    """By order, argument and again order: mixed derivatives of any degree."""
    return pairs(f, n, y, v, z)


def register(f: Any) -> None:
    @rule(f, "(),()->()")
    def body(y: Any, v: Any, z: Any) -> Any:
        """By order, an integral or a series, differentiated; by argument, C′_ν = a C_ν₋₁ + b C_ν₊₁.  DLMF 10.6.1."""
        return pairs(f, 0, y, v, z)


for _f in RECURRENCE:
    register(_f)


def even_or_odd(v: float, x: Any, slope: Any) -> Any:
    """The slope of exp(−|x|) Iᵥ(x), v = 0 or 1."""
    slope = np.where(np.isinf(x), 0, slope)
    return np.sign(x) ** (v + 1) * scaled_slope(sc.ive, 0, v, np.abs(x), np.sign(x) ** (v + 1) * slope)


elementwise(sc.i0e, lambda y, x: even_or_odd(0.0, x, sc.i1e(x) - np.sign(x) * y))
elementwise(sc.i1e, lambda y, x: even_or_odd(1.0, x, (sc.i0e(x) + sc.ive(2.0, x)) / 2 - np.sign(x) * y))
elementwise(sc.k0e, lambda y, x: scaled_slope(sc.kve, 0, 0.0, x, y - sc.k1e(x)))
elementwise(sc.k1e, lambda y, x: scaled_slope(sc.kve, 0, 1.0, x, y - sc.k0e(x) - y / x))


def derivatives_of(vp: Any, f: Any) -> None:
    """SciPy's derivative of order n of f: the recurrence n times.  DLMF 10.6.7, 10.29.5."""
    a, b = RECURRENCE[f]

    @composite(vp)
    def body(v: Any, z: Any, n: int = 1) -> Any:
        return sum(comb(n, k) * a ** (n - k) * b**k * f(v - n + 2.0 * k, z) for k in range(n + 1))


for _name, _f in (
    ("jvp", sc.jv),
    ("yvp", sc.yv),
    ("ivp", sc.iv),
    ("kvp", sc.kv),
    ("h1vp", sc.hankel1),
    ("h2vp", sc.hankel2),
):
    derivatives_of(dispatching(getattr(sc, _name)), _f)

# ---------------------------------------------------------------- spherical ones.  DLMF 10.51.2, 10.51.5


def flushed(z: Any) -> Any:
    """Numbers next to 0 as 0, where SciPy's spherical functions divide by z² and more."""
    return z - stop_gradient(np.where(np.abs(z) < 1e-290, z, 0))


def spherical(f: Any, below: int, above: int) -> None:
    @rule(f, "(),()->()")
    def body(y: Any, n: Any, z: Any, *, derivative: bool = False) -> Any:
        """(2n + 1) fₙ′ = below · n fₙ₋₁ + above · (n + 1) fₙ₊₁."""

        def slope() -> Any:
            lower, upper = f(np.maximum(n - 1, 0), flushed(z), derivative), f(n + 1, flushed(z), derivative)
            lower = np.where(np.isinf(upper), 0, lower)  # which is the larger one
            return (below * n * lower + above * (n + 1) * upper) / (2 * n + 1)

        return INTEGER, ((lambda zdot: slope() * zdot), (lambda ybar: conj(slope()) * ybar))


for _name, _below, _above in (
    ("spherical_jn", 1, -1),
    ("spherical_yn", 1, -1),
    ("spherical_in", 1, 1),
    ("spherical_kn", -1, -1),
):
    spherical(dispatching(getattr(sc, _name)), _below, _above)


def riccati(f: Any, g: Any) -> None:
    """x fₖ(x) and its derivative for k = 0 … n."""

    @composite(f)
    def body(n: int, x: Any) -> Any:
        values = [(g(k, x), g(k, x, True)) for k in range(n + 1)]
        return np.stack([x * y for y, _ in values]), np.stack([y + x * slope for y, slope in values])


riccati(dispatching(sc.riccati_jn), dispatching(sc.spherical_jn))
riccati(dispatching(sc.riccati_yn), dispatching(sc.spherical_yn))


@composite(dispatching(sc.lmbda))
def lmbda(v: Any, x: Any) -> Any:
    """Λ = Γ(v + 1) (2/x)ᵛ Jᵥ(x) and Λ′ = −Γ(v + 1) (2/x)ᵛ Jᵥ₊₁(x) at the orders v − ⌊v⌋, …, v."""
    orders = v - int(v) + np.arange(int(v) + 1.0)
    scale = sc.gamma(orders + 1) * (2 / x) ** orders
    return scale * sc.jv(orders, x), -scale * sc.jv(orders + 1, x)


# ---------------------------------------------------------------- zeros

for _name in (
    *("jn_zeros", "jnp_zeros", "yn_zeros", "ynp_zeros", "jnyn_zeros"),
    *("jnjnp_zeros", "y0_zeros", "y1_zeros", "y1p_zeros"),
):
    _zeros = dispatching(getattr(sc, _name))
    elementwise(_zeros, *["it is an integer"] * (2 if _name.startswith(("jn_", "jnp", "yn", "jnyn")) else 1))

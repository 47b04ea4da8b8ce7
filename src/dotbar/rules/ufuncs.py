"""numpy's universal functions, entry by entry: y = f(x) or f(a, b), each given by its partial derivatives.

Where a partial's obvious form cancels or overflows, it is a word of its own (``sech2``, ``darcsin``, ...), so that
derivatives of every order keep their digits.  Abramowitz & Stegun (1964), chapter 4, has the formulas.
"""

from typing import Any

import numpy as np

from dotbar.core import dtype_of, primitive
from dotbar.rules.kinds import Constant, composite, constant, elementwise, linear, rule
from dotbar.rules.reductions import attains
from dotbar.rules.words import conj, ratio

LN2, LN10 = float(np.log(2)), float(np.log(10))


def is_complex(x: Any) -> bool:
    return isinstance(x, complex) or (hasattr(x, "dtype") and x.dtype.kind == "c")


# ---------------------------------------------------------------- arithmetic

elementwise(np.add, 1, 1)
elementwise(np.subtract, 1, -1)
elementwise(np.multiply, lambda b: b, lambda a: a)
elementwise(np.divide, lambda b: 1 / b, lambda y, b: -y / b)
elementwise(np.negative, -1)
elementwise(np.positive, 1)
elementwise(np.reciprocal, lambda y: -y * y)
elementwise(np.square, lambda x: x + x)
elementwise(np.sqrt, lambda y: 0.5 / y)
elementwise(np.cbrt, lambda y: 1 / (3 * y * y))

elementwise(np.fmod, 1, lambda y, a, b: np.rint((y - a) / b))
elementwise(np.remainder, 1, lambda a, b: -np.floor_divide(a, b))


@composite(np.divmod)
def divmod(a: Any, b: Any, **kw: Any) -> Any:
    return np.floor_divide(a, b, **kw), np.remainder(a, b, **kw)


# ---------------------------------------------------------------- powers


def power_a(a: Any, b: Any) -> Any:
    """∂(aᵇ)/∂a = b·aᵇ⁻¹, 0 at (0, 0).  An integer b, being data, stays one: all orders are exact at a = 0."""
    if dtype_of(b).kind in "iub":
        return b * a ** (b - (b != 0))
    return b * np.where((a == 0) & (b == 0), 0, np.power(a, b - 1))


def power_b(y: Any, a: Any, b: Any) -> Any:
    """∂(aᵇ)/∂b = aᵇ·log a, 0 for a = 0 and b ≥ 0."""
    log_a = np.log(a + 0j if is_complex(y) and not is_complex(a) else a)
    return y * np.where((a == 0) & (b >= 0), 0, log_a)


elementwise(np.power, power_a, power_b)
elementwise(np.float_power, power_a, power_b)


# ---------------------------------------------------------------- exponentials and logarithms

elementwise(np.exp, lambda y: y)
elementwise(np.exp2, lambda y: y * LN2)
elementwise(np.expm1, lambda x: np.exp(x))
elementwise(np.log, lambda x: 1 / x)
elementwise(np.log2, lambda x: (1 / LN2) / x)
elementwise(np.log10, lambda x: (1 / LN10) / x)
elementwise(np.log1p, lambda x: 1 / (1 + x))


@primitive
def sigmoid(x: Any) -> Any:
    """σ(x) = 1/(1 + e⁻ˣ)."""
    return 1 / (1 + np.exp(-x))


elementwise(sigmoid, lambda x, y: y * sigmoid(-x))


@primitive
def gap(a: Any, b: Any) -> Any:
    """a − b as logaddexp's shares σ(a − b) need it: equal shares of ∞ and ∞, none of −∞ and −∞."""
    return np.where(a == b, np.where(a == -np.inf, a, 0), a - b)


elementwise(gap, 1, -1)
elementwise(np.logaddexp, lambda a, b: sigmoid(gap(a, b)), lambda a, b: sigmoid(gap(b, a)))
elementwise(np.logaddexp2, lambda a, b: sigmoid(LN2 * gap(a, b)), lambda a, b: sigmoid(LN2 * gap(b, a)))


# ---------------------------------------------------------------- trigonometric and hyperbolic functions


@primitive
def sech2(x: Any) -> Any:
    """1/cosh² x = 4t/(1 + t)² with t = e⁻²|ˣ| ≤ 1: no cancellation as in 1 − tanh² x, and no slow cosh."""
    t = np.exp(2 * np.where(np.real(x) < 0, x, -x) if is_complex(x) else -2 * abs(x))
    u = 1 + t
    u *= u  # in place: fresh memory would cost more than the arithmetic
    t /= u
    t *= 4
    return t


@primitive
def darcsin(x: Any) -> Any:
    """1/√(1 − x²), exact near ±1 and without overflow."""
    return 1 / (np.sqrt(1 - x) * np.sqrt(1 + x))


@primitive
def darctan(x: Any) -> Any:
    """1/(1 + x²)."""
    return 1 / (1 + np.square(x))


@primitive
def darcsinh(x: Any) -> Any:
    """1/√(1 + x²), without overflow."""
    return 1 / (np.sqrt(1 - 1j * x) * np.sqrt(1 + 1j * x) if is_complex(x) else np.hypot(1, x))


@primitive
def darccosh(x: Any) -> Any:
    """1/√(x² − 1), exact near 1 and without overflow."""
    return 1 / (np.sqrt(x - 1) * np.sqrt(x + 1))


@primitive
def darctanh(x: Any) -> Any:
    """1/(1 − x²), exact near ±1."""
    return 1 / ((1 - x) * (1 + x))


def times(x: Any, y: Any) -> Any:
    """x·y with ∞·0 = 0: y falls off faster than x grows."""
    return np.where(y == 0, 0, x) * y


elementwise(sech2, lambda x, y: -2 * y * np.tanh(x))
elementwise(darcsin, lambda x, y: x * y * y * y)
elementwise(darctan, lambda x, y: -2 * times(x, y) * y)
elementwise(darcsinh, lambda x, y: -times(x, y) * y * y)
elementwise(darccosh, lambda x, y: -times(x, y) * y * y)
elementwise(darctanh, lambda x, y: 2 * times(x, y) * y)

elementwise(np.sin, lambda x: np.cos(x))
elementwise(np.cos, lambda x: -np.sin(x))
elementwise(np.tan, lambda x, y: sech2(1j * x) if is_complex(x) else 1 + y * y)
elementwise(np.arcsin, lambda x: darcsin(x))
elementwise(np.arccos, lambda x: -darcsin(x))
elementwise(np.arctan, lambda x: darctan(x))
elementwise(np.sinh, lambda x: np.cosh(x))
elementwise(np.cosh, lambda x: np.sinh(x))
elementwise(np.tanh, lambda x: sech2(x))
elementwise(np.arcsinh, lambda x: darcsinh(x))
elementwise(np.arccosh, lambda x: darccosh(x))
elementwise(np.arctanh, lambda x: darctanh(x))

elementwise(np.deg2rad, np.pi / 180)
elementwise(np.radians, np.pi / 180)
elementwise(np.rad2deg, 180 / np.pi)
elementwise(np.degrees, 180 / np.pi)


@primitive
def darctan2(a: Any, b: Any) -> Any:
    """b/(a² + b²) as 1/(b + a·(a/b)), whose parts overflow only where it vanishes."""
    return 1 / (b + a * (a / b))


elementwise(
    darctan2,
    lambda y, a, b: -2 * y * darctan2(b, a),
    lambda y, a, b: (darctan2(b, a) - y) * (darctan2(b, a) + y),
)
elementwise(np.arctan2, lambda a, b: darctan2(a, b), lambda a, b: -darctan2(b, a))


@primitive
def cosine(r: Any, a: Any, b: Any) -> Any:
    """a/r for r = √(a² + b²), as a function of a and b; 0 at the origin, where its derivative is nan."""
    return ratio(a, r)


elementwise(
    cosine,
    None,
    lambda a, b, c: np.square(cosine(a, c, b)) / a,
    lambda y, a, b, c: -y * cosine(a, c, b) / a,
)
elementwise(np.hypot, lambda y, a, b: cosine(y, a, b), lambda y, a, b: cosine(y, b, a))


# ---------------------------------------------------------------- absolute value, sign, parts of complex numbers

elementwise(np.absolute, lambda x: conj(np.sign(x)))
elementwise(np.fabs, lambda x: np.sign(x))
elementwise(np.copysign, lambda a, b: np.sign(a) * np.copysign(1, b), None)

_signum = Constant(np.sign, ("x",), (), "()->()")


@composite(np.sign)
def sign(x: Any, **kw: Any) -> Any:
    """z/|z| for complex z; at 0 it is 0 and its derivative nan."""
    return phase(x) if is_complex(x) else _signum(x, **kw)


@primitive
def phase(z: Any) -> Any:
    """z/|z|, the sign of complex z."""
    return np.sign(z)


@rule(phase, "()->()")
def _phase(y: Any, z: Any) -> Any:
    """ẏ = i y Im(conj(y) ż)/|z|, which is self-adjoint."""

    def turn(t: Any) -> Any:
        return 1j * y * (np.imag(conj(y) * t) / np.absolute(z))

    return turn, turn


linear(np.conjugate, lambda ybar, x: np.conj(ybar), batch="()->()", moves=True)
linear(np.real, lambda ybar, val: ybar, batch="()->()", moves=True)
linear(np.imag, lambda ybar, val: 1j * ybar, batch="()->()", moves=True)


@composite(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    y = np.arctan2(np.imag(z), np.real(z))
    return np.rad2deg(y) if deg else y


# ---------------------------------------------------------------- one of two


@primitive
def share(y: Any, a: Any, b: Any) -> Any:
    """How much of ``a`` is in y = max(a, b): 1 where it is chosen, 1/2 at a tie.  A nan chooses itself."""
    chosen = attains(a, y)
    tied = chosen & attains(b, y)
    one = dtype_of(y).type(1)  # so that the result's dtype does not depend on values
    return np.where(tied, one / 2, chosen) if np.any(tied) else chosen * one


constant(share, lambda y, a, b: 0, batch="(),(),()->()")
for _extreme in (np.maximum, np.minimum, np.fmax, np.fmin):
    elementwise(_extreme, lambda y, a, b: share(y, a, b), lambda y, a, b: share(y, b, a))

elementwise(np.heaviside, None, lambda a: a == 0)
elementwise(np.nextafter, 1, None)


# ---------------------------------------------------------------- the parts of a floating-point number

elementwise(np.ldexp, lambda b: np.ldexp(1.0, b), None)


@rule(np.frexp, "()->()")
def frexp(y: Any, x: Any, **kw: Any) -> Any:
    """x = m·2ᵉ: ṁ = 2⁻ᵉ ẋ."""
    _, e = y

    def dot(xdot: Any) -> Any:
        return np.ldexp(xdot, -e), None

    def bar(ybar: Any) -> Any:
        return np.ldexp(ybar[0], -e)

    return dot, bar


@rule(np.modf, "()->()")
def modf(y: Any, x: Any, **kw: Any) -> Any:
    """x = fraction + whole number; only the fraction moves."""
    return lambda xdot: (xdot, None), lambda ybar: ybar[0]


# ---------------------------------------------------------------- constant between jumps

for _step in (
    *(np.floor, np.ceil, np.trunc, np.rint, np.spacing, np.signbit, np.isnan, np.isinf, np.isfinite),
    *(np.logical_not, np.invert, np.bitwise_count, np.isnat),
):
    constant(_step, batch="()->()")

for _step in (
    *(np.less, np.less_equal, np.equal, np.not_equal, np.greater, np.greater_equal),
    *(np.logical_and, np.logical_or, np.logical_xor, np.bitwise_and, np.bitwise_or, np.bitwise_xor),
    *(np.left_shift, np.right_shift, np.gcd, np.lcm, np.floor_divide),
):
    constant(_step, like=lambda a, b: 0, batch="(),()->()")

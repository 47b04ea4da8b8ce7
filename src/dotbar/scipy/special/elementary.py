"""Elementary functions: entropies, losses, Box–Cox, logistic functions, softmax, powers, functions of degrees."""

from math import log, pi
from typing import Any

import numpy as np

from dotbar.core import as_array, dtype_of, primitive, shape_of
from dotbar.rules import reductions
from dotbar.rules.kinds import composite, elementwise, rule, shift_axis
from dotbar.rules.words import conj, ratio, stop_gradient
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.quadrature import family

# ---------------------------------------------------------------- entropies


def quotient(a: Any, b: Any) -> Any:
    """a/b, with 0/0 = 0."""
    return np.where((a == 0) & (b == 0), 0, a / np.where((a == 0) & (b == 0), 1, b))


elementwise(sc.entr, lambda x: -np.log(x) - 1)
elementwise(sc.rel_entr, lambda a, b: np.log(a / b) + 1, lambda a, b: -quotient(a, b))
elementwise(sc.kl_div, lambda a, b: np.log(a / b), lambda a, b: 1 - quotient(a, b))
elementwise(sc.xlogy, lambda b: np.log(b), quotient)
elementwise(sc.xlog1py, lambda b: np.log1p(b), lambda a, b: quotient(a, 1 + b))

# ---------------------------------------------------------------- losses

elementwise(sc.huber, lambda a, b: np.maximum(np.abs(b) - a, 0), lambda a, b: np.clip(b, -a, a))
elementwise(
    sc.pseudo_huber,  # δ² (s − 1), s = √(1 + (r/δ)²); ∂δ = δ (s − 1)²/s, ∂r = r/s
    lambda y, a, b: y * y / (a**3 * np.hypot(1, b / a)),
    lambda a, b: b / np.hypot(1, b / a),
)

# ---------------------------------------------------------------- powers


@family(lambda u, n: exponential_moment(u, n=n + 1))
def exponential_moment(u: Any, *, n: int) -> Any:
    """∫₀¹ sⁿ eᵘˢ ds = M(n + 1, n + 2, u)/(n + 1), the n-th derivative of (eᵘ − 1)/u.  DLMF 13.4.1."""
    return sc.hyp1f1(n + 1, n + 2, u) / (n + 1)


def boxcox_by_power(log_x: Any, power: Any) -> Any:
    """The derivative of (xˡ − 1)/l by l; 1/l² at x = 0."""
    zero = np.equal(log_x, -np.inf)
    u = np.where(zero, 0, log_x)
    return np.where(zero, 1 / power**2, u * u * exponential_moment(power * u, n=1))


def log_inverse(y: Any, x: Any, power: Any) -> Any:
    """The logarithm of y = inv_boxcox(x, power), near 1 by y − 1."""
    return np.where(y < 0.5, np.log(y), np.log1p(sc.inv_boxcox1p(x, power)))


elementwise(sc.boxcox, lambda a, b: a ** (b - 1), lambda a, b: boxcox_by_power(np.log(a), b))
elementwise(sc.boxcox1p, lambda a, b: np.exp((b - 1) * np.log1p(a)), lambda a, b: boxcox_by_power(np.log1p(a), b))
elementwise(
    sc.inv_boxcox,  # the inverse of boxcox in x
    lambda y, a, b: y ** (1 - b),
    lambda y, a, b: -(y ** (1 - b)) * boxcox_by_power(log_inverse(y, a, b), b),
)
elementwise(
    sc.inv_boxcox1p,
    lambda y, a, b: np.exp((1 - b) * np.log1p(y)),
    lambda y, a, b: -np.exp((1 - b) * np.log1p(y)) * boxcox_by_power(np.log1p(y), b),
)
elementwise(sc.powm1, lambda a, b: b * a ** (b - 1), lambda a, b: sc.xlogy(a**b, a))
elementwise(sc.cbrt, lambda y: 1 / (3 * y * y))
elementwise(sc.exp2, lambda y: y * log(2))
elementwise(sc.exp10, lambda y: y * log(10))
elementwise(sc.expm1, lambda x: np.exp(x))
elementwise(sc.log1p, lambda x: 1 / (1 + x))

# ---------------------------------------------------------------- angles

elementwise(sc.cosm1, lambda x: -np.sin(x))
elementwise(sc.sindg, lambda x: pi / 180 * sc.cosdg(x))
elementwise(sc.cosdg, lambda x: -pi / 180 * sc.sindg(x))
elementwise(sc.tandg, lambda y: pi / 180 * (1 + y * y))
elementwise(sc.cotdg, lambda y: -pi / 180 * (1 + y * y))
elementwise(sc.radian, pi / 180, pi / 10800, pi / 648000)
elementwise(sc.round, None)


if sc.sinc is not np.sinc:  # SciPy wraps it under SCIPY_ARRAY_API=1
    composite(dispatching(sc.sinc))(np.sinc)


@rule(dispatching(sc.diric), "()->()")
def diric(y: Any, x: Any, *, n: int) -> Any:
    """sin(nx/2)/(n sin(x/2)) is the mean of cos kx over k = −(n − 1)/2, …, (n − 1)/2: differentiated term by term."""

    def slope() -> Any:
        k = np.arange(1 - n, n, 2) / 2
        return -np.mean(k * np.sin(np.expand_dims(x, -1) * k), -1)

    return (lambda xdot: slope() * xdot), (lambda ybar: slope() * ybar)


# ---------------------------------------------------------------- logistic functions

elementwise(sc.expit, lambda x: sc.expit(x) * sc.expit(-x))
elementwise(sc.logit, lambda x: 1 / (x * (1 - x)))
elementwise(sc.log_expit, lambda x: sc.expit(-x))


if hasattr(sc, "softplus"):

    @composite(dispatching(sc.softplus))
    def softplus(x: Any, **kw: Any) -> Any:
        return np.logaddexp(x, 0.0, **kw)


def top(x: Any, axis: Any) -> Any:
    """The greatest entry, 0 in place of infinity, as a constant."""
    y = stop_gradient(np.max(x, axis, keepdims=True))
    return np.where(np.isfinite(y), y, 0)


@composite(dispatching(sc.softmax))
def softmax(x: Any, axis: Any = None) -> Any:
    x = as_array(x)
    e = np.exp(x - stop_gradient(np.max(x, axis, keepdims=True)))
    return e / np.sum(e, axis, keepdims=True)


@composite(dispatching(sc.log_softmax))
def log_softmax(x: Any, axis: Any = None) -> Any:
    x = as_array(x)
    x = x - top(x, axis)
    return x - np.log(np.sum(np.exp(x), axis, keepdims=True))


@primitive
def log_sum_exp(a: Any, b: Any, *, axis: Any) -> Any:
    """log |Σ b eᵃ| along axes, which are kept; the logarithm itself of complex numbers."""
    y = sc.logsumexp(a, axis, b, True, dtype_of(a).kind != "c")
    return y[0] if isinstance(y, tuple) else y


def _batch_log_sum_exp(xs: Any, batched: Any, size: int, axis: Any) -> Any:
    a, b = (x if own else np.broadcast_to(x, (size, *shape_of(x))) for x, own in zip(xs, batched))
    return log_sum_exp(a, b, axis=shift_axis(axis, np.ndim(a) - 1))


@rule(log_sum_exp, _batch_log_sum_exp)
def _log_sum_exp(y: Any, a: Any, b: Any, *, axis: Any) -> Any:
    """∂y/∂a = b eᵃ⁻ʸ with the sign of the sum: 0 where y = −∞, equal shares of the +∞ where y = ∞."""

    def share() -> Any:
        finite, infinite = np.isfinite(y), a == np.inf
        e = np.where(finite, np.exp(np.where(finite, a, 0) - np.where(finite, y, 0)), 0)
        equal = ratio(1.0 * infinite, np.sum(infinite, axis, keepdims=True))
        e = np.where(np.equal(y, np.inf), equal, e)
        return e if dtype_of(y).kind == "c" else e * np.sign(np.sum(b * e, axis, keepdims=True))

    def pair(weight: Any) -> Any:
        return (lambda t: np.sum(t * weight(), axis, keepdims=True)), (lambda t: t * conj(weight()))

    return pair(lambda: b * share()), pair(share)


@composite(dispatching(sc.logsumexp))
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    a = np.atleast_1d(as_array(a))
    axis = tuple(range(np.ndim(a))) if axis is None else axis
    if b is None and dtype_of(a).kind == "f" and not return_sign:
        return reductions.logsumexp(a, axis=axis, keepdims=keepdims)
    a, b = np.broadcast_arrays(a, np.ones_like(stop_gradient(a)) if b is None else np.atleast_1d(as_array(b)))
    y = log_sum_exp(a, b, axis=axis)
    if dtype_of(y).kind == "c":
        sign = np.exp(1j * np.imag(y))
        y = np.real(y) if return_sign else y
    else:
        sign = np.sign(np.sum(b * np.exp(a - top(a, axis)), axis, keepdims=True))
        y = y if return_sign else np.where(sign < 0, np.nan, y)
    y, sign = (y, sign) if keepdims else (np.squeeze(y, axis), np.squeeze(sign, axis))
    return (y, sign) if return_sign else y

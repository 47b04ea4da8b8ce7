"""Parabolic cylinder functions D_v, V_v and W(a, x), and their slopes, in parameter and argument."""

from functools import partial
from math import factorial, pi
from typing import Any

import numpy as np

from dotbar.rules.kinds import composite, rule
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.special import taylor
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.gammas import polygamma_at
from dotbar.scipy.special.quadrature import family
from dotbar.scipy.special.results import slopes
from dotbar.scipy.special.taylor import Jet, exp, expand, gamma_ratio, select, total, value

NODES = 401
TERMS = 40


# ---------------------------------------------------------------- values and slopes


def continued(y: Any, slope: Any, a: Any, curve: float, x: Any) -> tuple[Any, Any]:
    """The solution of y″ = (a + curve · x²) y and its slope, from 0 to x in steps of Taylor's series."""
    rate = np.sqrt(np.abs(value(a)) + x * x / 4)
    steps = max(1, int(np.ceil(np.max(np.abs(x) * rate, initial=0))))
    h = x / steps
    for i in range(steps):
        q = [a + curve * (i * h) ** 2, 2 * curve * i * h, curve]
        c = [y, slope]  # y(ih + s) = Σ cₙ sⁿ;  the sums of cₙ hⁿ and n cₙ hⁿ⁻¹
        power, y, slope = h, y + slope * h, slope
        for n in range(TERMS):
            terms = (q[k] * c[n - k] if k == 0 else c[n - k] * q[k] for k in range(min(n, 2) + 1))
            c.append(sum(terms, start=0.0) * (1 / ((n + 1) * (n + 2))))
            slope = slope + c[-1] * ((n + 2) * power)
            power = power * h
            y = y + c[-1] * power
    return y, slope


def whittaker(v: Any, x: Any) -> tuple[Any, Any]:
    """D_v and its slope.

    For x > 0 at v < −1 as exp(−x²/4)/Γ(−v) ∫₀^∞ t^(−v−1) exp(−t²/2 − xt) dt, DLMF 12.5.1, by the trapezoidal rule in
    log t, which converges exponentially; from there upwards by D_v₊₁ = x D_v − v D_v₋₁, DLMF 12.8.1.
    For x ≤ 0, where D grows with |x|, along the equation from x = 0.  DLMF 12.2.6, 12.2.7.
    """
    right = x > 0
    near = np.where(right, 0, x)
    at_zero = exp(v * (np.log(2) / 2)) * gamma_ratio([], [0.5 - 0.5 * v]) * np.sqrt(pi)
    slope_at_zero = exp((v + 1) * (np.log(2) / 2)) * gamma_ratio([], [-0.5 * v]) * -np.sqrt(pi)
    left = continued(at_zero, slope_at_zero, -v - 0.5, 0.25, near)
    if not np.any(right):
        return left
    z = np.where(right, x, 0)
    steps = np.maximum(np.floor(value(v)) + 2, 0)

    def integral(v: Any) -> Any:
        low = 44 / value(v)
        end = np.log(10 + np.sqrt(np.maximum(-value(v), 0)) * 3)
        s = expand(low) + expand(end - low) * np.linspace(0, 1, NODES)
        t = np.exp(s)
        weight = np.exp(-t * t / 2 - expand(z) * t) * expand((end - low) / (NODES - 1))
        return total(exp(expand(v) * -s) * weight) * np.exp(-z * z / 4) * gamma_ratio([], [-v])

    base = v - steps
    below, here = integral(base - 1), integral(base)
    for k in range(int(np.max(steps, initial=0))):
        above = here * z - (base + k) * below
        below, here = select(k < steps, here, below), select(k < steps, above, here)
    return select(right, here, left[0]), select(right, v * below - here * (z / 2), left[1])  # DLMF 12.8.2


def second(v: Any, x: Any) -> tuple[Any, Any]:
    """V_v = V(−v − ½, x) and its slope, which grow with |x|: along the equation from x = 0.  DLMF 12.2.8, 12.2.9.

    With a = −v − ½: V(a, 0) = π 2^(a/2 + 1/4)/(Γ(3/4 − a/2)² Γ(1/4 + a/2)).
    """
    a = -v - 0.5
    start = exp((0.5 * a + 0.25) * np.log(2)) * pi * gamma_ratio([], [0.75 - 0.5 * a] * 2 + [0.25 + 0.5 * a])
    slope = exp((0.5 * a + 0.75) * np.log(2)) * pi * gamma_ratio([], [0.25 - 0.5 * a] * 2 + [0.75 + 0.5 * a])
    return continued(start, slope, a, 0.25, x)


def oscillating(a: Any, x: Any) -> tuple[Any, Any]:
    """W(a, x) and its slope, along the equation from x = 0.  DLMF 12.14.2, 12.14.3."""

    def log_modulus(p: float, a: Any, n: int) -> Any:
        """The n-th Taylor coefficient of log|Γ(p + ia/2)|."""
        z = p + 0.5j * np.asarray(a)
        return np.real(0.5j**n * polygamma_at(z, n=n - 1)) / factorial(n) if n else np.real(sc.loggamma(z))

    modulus = lambda p: a.compose(partial(log_modulus, p)) if isinstance(a, Jet) else log_modulus(p, a, 0)
    ratio = exp((modulus(0.25) - modulus(0.75)) * 0.5)
    return continued(ratio * 2**-0.75, 1 / ratio * -(2**-0.25), a, -0.25, x)


CURVES: dict[Any, tuple[Any, float, float]] = {whittaker: (sc.pbdv, -1, 0.25), second: (sc.pbvv, -1, 0.25)}
CURVES[oscillating] = sc.pbwa, 1, -0.25
"""SciPy's function, and y″ = (sign·v + … + curve·x²) y."""

# ---------------------------------------------------------------- the words


def curvature(v: Any, x: Any, f: Any, n: int, y: Any = None) -> Any:
    """∂ⁿy″/∂vⁿ = ∂ⁿ(q y)/∂vⁿ, where q = x²/4 − v − ½, or a − x²/4 for W.  DLMF 12.2.2, 12.14.1."""
    _, sign, curve = CURVES[f]
    q = sign * (v + (0.5 if sign < 0 else 0)) + curve * x * x
    y = by_parameter(v, x, f=f, n=n, slope=0) if y is None else y
    return q * y + (sign * n * by_parameter(v, x, f=f, n=n - 1, slope=0) if n else 0)


@family(
    lambda v, x, f, n, slope: by_parameter(v, x, f=f, n=n + 1, slope=slope),
    lambda v, x, f, n, slope: curvature(v, x, f, n) if slope else by_parameter(v, x, f=f, n=n, slope=1),
)
def by_parameter(v: Any, x: Any, *, f: Any, n: int, slope: int) -> Any:
    """∂ⁿ/∂vⁿ of a function f (slope = 0) or its slope (1); relative error 1e-12 of the amplitude for |x|, |v| < 20."""
    return taylor.partial(lambda v, x: f(v, x)[slope], (v, x), (n, 0))


def register(f: Any) -> None:
    @rule(CURVES[f][0], "(),()->(),()")
    def body(y: Any, v: Any, x: Any) -> Any:
        """By v, the solution on truncated Taylor series; by x, the equation y″ = q y.  DLMF 12.2.1."""
        value, rise = y
        by_v = slopes(*(lambda k=k: by_parameter(v, x, f=f, n=1, slope=k) for k in (0, 1)))
        return by_v, slopes(lambda: rise, lambda: curvature(v, x, f, 0, value))


for _f in CURVES:
    register(_f)

# ---------------------------------------------------------------- sequences of orders


def sequence(name: str, f: Any) -> None:
    """The values and slopes at the orders v − ⌊v⌋, …, v ≥ 0."""

    @composite(dispatching(getattr(sc, name)))
    def body(v: Any, x: Any) -> Any:
        n = int(v)
        pairs = [f(v - n + k, x) for k in range(max(n, 1) + 1)]
        return tuple(np.stack(column) for column in zip(*pairs))


sequence("pbdv_seq", sc.pbdv)
sequence("pbvv_seq", sc.pbvv)


@composite(dispatching(sc.pbdn_seq))
def _pbdn_seq(n: int, z: Any) -> Any:
    """D₀, …, Dₙ and their slopes, D′ = k D_k₋₁ − z D_k/2, as complex numbers.  DLMF 12.8.1, 12.8.2."""
    D = [np.exp(-z * z / 4) + 0j]
    for k in range(max(n, 1)):
        D.append(z * D[k] - k * D[k - 1] if k else z * D[k])
    return np.stack(D), np.stack([k * D[k - 1] - z / 2 * D[k] for k in range(len(D))])

"""Derivatives of Bessel functions of any order of differentiation with respect to their order ν.

All follow from P = e⁻ʷ I_ν(w) and Q = eʷ K_ν(w) for ν ≥ 0 and Re w ≥ 0, of which a *jet* is computed: the list of
the derivatives ∂ʲ/∂νʲ for j = 0 … n.  Sums, products, quotients and recurrences of jets follow Leibniz's rule.

==================  ============================================================================================
Q, 0 ≤ ν < 2        DLMF 10.32.9, ∫ e^(w − w cosh t) cosh νt dt, along the steepest descent sinh(t/2) = w^(−1/2) σ,
                    by the trapezoidal rule in arcsinh σ (its error falls exponentially in the number of nodes)
Q, larger ν         the recurrence upwards, where K is dominant.  DLMF 10.29.1
P, |w|² ≤ 4(ν + 1)  the power series.  DLMF 10.25.2
P, |w| large        the analytic continuation of Q to −w.  DLMF 10.34.2
P, elsewhere        the recurrence downwards (Miller's algorithm), normalised by the Wronskian with Q.  DLMF 10.28.2
J, Y, H, orders     P and Q with coefficients exp(iπrν) at w = ∓iz.  DLMF 10.4, 10.27, 10.34
below 0, Re z < 0
==================  ============================================================================================

The error is at most some 1e-14 times max(1, ν/10), relative to the amplitude of the function.
"""

from math import comb
from typing import Any

import numpy as np
import scipy.special as sc
from numpy.typing import NDArray

Array = NDArray[Any]
Jet = list[Array]

EXTENT = 21.0  # e^(−2·EXTENT) is below rounding
NODES = 64
SPACING = 0.17

# ---------------------------------------------------------------- jets


def times(f: Jet, g: Jet) -> Jet:
    """The product."""
    return [sum(comb(k, j) * f[j] * g[k - j] for j in range(k + 1)) for k in range(len(f))]  # type: ignore[misc]


def over(f: Jet, g: Jet) -> Jet:
    """The quotient y = f/g, from f = y g."""
    y: Jet = []
    for k in range(len(f)):
        known = sum(comb(k, j) * y[j] * g[k - j] for j in range(k))
        y.append((f[k] - known) / g[0])
    return y


def over_linear(f: Jet, b: Array) -> Jet:
    """The quotient of f by b, whose derivative is 1."""
    y: Jet = []
    for k in range(len(f)):
        y.append((f[k] - k * y[k - 1]) / b if k else f[k] / b)
    return y


def times_linear(f: Jet, b: Array) -> Jet:
    """The product of f and b, whose derivative is 1."""
    return [b * f[k] + k * f[k - 1] if k else b * f[k] for k in range(len(f))]


def exponential(y: Array, slopes: Jet) -> Jet:
    """y = exp g and its derivatives, given those of g."""
    jet = [y]
    for k in range(len(slopes)):
        jet.append(sum(comb(k, j) * slopes[j] * jet[k - j] for j in range(k + 1)))  # type: ignore[arg-type]
    return jet


def plus(f: Jet, g: Jet) -> Jet:
    return [a + b for a, b in zip(f, g)]


def scaled(f: Jet, factor: Any) -> Jet:
    return [a * factor for a in f]


def select(where: Array, f: Jet, g: Jet) -> Jet:
    return [np.where(where, a, b) for a, b in zip(f, g)]


def turn(r: Array) -> Array:
    """exp(iπr), exact at multiples of 1/2."""
    quarter = np.round(2 * r)
    rest = np.pi * (r - quarter / 2)
    return np.array([1, 1j, -1, -1j])[quarter.astype(int) % 4] * (np.cos(rest) + 1j * np.sin(rest))


# ---------------------------------------------------------------- Q = eʷ K


def quadrature(v: Array, w: Array, n: int, points: int) -> tuple[Jet, Jet]:
    """The jets of Q at ν and ν + 1 for 0 ≤ ν < 1 by the trapezoidal rule with so many points."""
    v, w = v[:, None], w[:, None]
    size = np.abs(w)
    h = 2 * np.arcsinh(np.sqrt(EXTENT / size)) / points
    sigma = np.sinh(np.arange(points + 1) * h / 2)
    q = np.exp(-0.5j * np.angle(w)) if w.dtype.kind == "c" else 1.0
    t = 2 * np.arcsinh(q * sigma)
    weight = h * q * np.sqrt((1 + sigma * sigma) / (1 + (q * sigma) ** 2))
    weight[:, 0] /= 2
    decay = -2 * size * sigma * sigma
    even, odd = np.cosh(v * t), np.sinh(v * t)
    up, down = np.exp((v + 1) * t + decay) / 2, np.exp(-(v + 1) * t + decay) / 2
    first = [np.sum(np.exp(decay) * (odd if j % 2 else even) * t**j * weight, -1) for j in range(n + 1)]
    second = [np.sum((up - down if j % 2 else up + down) * t**j * weight, -1) for j in range(n + 1)]
    return first, second


def k_jets(v: Array, w: Array, n: int) -> tuple[Jet, Jet]:
    """The jets of Q at ν and ν + 1, for ν ≥ 0 and |arg w| ≤ π/2; beyond for |w| > 25."""
    steps = np.floor(v)
    low = v - steps
    extent = 2 * np.arcsinh(np.sqrt(EXTENT / np.abs(w))) / SPACING
    blocks = np.ceil(np.log2(np.maximum(extent / NODES, 1))).astype(int)
    both = np.empty((2, n + 1, len(v)), w.dtype)
    for block in np.unique(blocks):
        points = NODES << int(block)
        chosen = np.flatnonzero(blocks == block)
        for part in np.array_split(chosen, len(chosen) * points // 2**18 + 1):
            both[:, :, part] = quadrature(low[part], w[part], n, points)
    f, g = list(both[0]), list(both[1])
    for i in range(int(np.max(steps, initial=0))):
        f, g = (
            select(i < steps, g, f),
            select(i < steps, plus(f, scaled(times_linear(g, low + i + 1), 2 / w)), g),
        )
    return f, g


# ---------------------------------------------------------------- P = e⁻ʷ I


def series(v: Array, w: Array, n: int) -> Jet:
    """The power series; each term is the one before times (w²/4)/(k (ν + k))."""
    digamma = [sc.polygamma(j, v + 1) for j in range(n)]
    slopes = [np.log(w / 2) - digamma[0], *(-d for d in digamma[1:])] if n else []
    term = exponential((w / 2) ** v * np.exp(-w) * sc.rgamma(v + 1), slopes)
    huge = v > 100
    if np.any(huge):
        term = select(huge, exponential(np.exp(v * np.log(w / 2) - w - sc.gammaln(v + 1)), slopes), term)
    total = term
    for k in range(1, 200):
        term = over_linear(scaled(term, w * w / (4 * k)), v + k)
        total = plus(total, term)
        if all(np.all(np.abs(a) <= 1e-17 * np.abs(b)) for a, b in zip(term, total)):
            break
    return total


def continuation(v: Array, w: Array, n: int) -> Jet:
    """P = ±(Q(−w) − exp(±iπν) e^(−2w) Q(w))/(iπ), + where Im w ≥ 0.  DLMF 10.34.2."""
    w = w.astype(complex)
    sign = np.where(np.signbit(w.imag), -1, 1)
    far, near = k_jets(v, -w, n)[0], k_jets(v, w, n)[0]
    circle = [(1j * np.pi * sign) ** j * turn(sign * v) for j in range(n + 1)]
    return scaled(plus(far, scaled(times(circle, near), -np.exp(-2 * w))), sign / (1j * np.pi))


def downwards(v: Array, w: Array, n: int) -> Jet:
    """Miller's algorithm: f_ν → I_ν up to a factor, which I_ν K_ν₊₁ + I_ν₊₁ K_ν = 1/w determines."""
    size = np.abs(w)
    steps = np.ceil(np.maximum(size - v, 0) + 9 * np.cbrt(size) + np.sqrt(45 * size) + 12)
    f = g = [np.zeros_like(w)] * (n + 1)
    for i in range(int(np.max(steps, initial=0)), 0, -1):
        g = [np.where(i == steps, 1e-250, g[0]), *g[1:]]
        f, g = g, plus(f, scaled(times_linear(g, v + i), 2 / w))
    k, above = k_jets(v, w, n)
    return over(g, scaled(plus(times(f, k), times(g, above)), w))


def i_jets(v: Array, w: Array, n: int) -> Jet:
    """The jet of P, for ν ≥ 0 and Re w ≥ 0; at ν = 0 the odd ones are those of −sin(νπ)/π e^(−2w) Q.  DLMF 10.27.2."""
    size = np.abs(w)
    small = size**2 <= 4 * (v + 1)
    large = ~small & (size >= 25) & (v <= size) & (v * v * np.real(w) <= size * size)
    out = np.empty((n + 1, len(v)), w.dtype)
    for method, chosen in ((series, small), (continuation, large), (downwards, ~small & ~large)):
        if np.any(chosen):
            jet = np.asarray(method(v[chosen], w[chosen], n))
            out[:, chosen] = jet if out.dtype.kind == "c" else jet.real
    if n and np.any(chosen := v == 0):
        w = w[chosen]
        odd = times([np.pi ** (j - 1) * np.sin(j * np.pi / 2) for j in range(n + 1)], k_jets(v[chosen], w, n)[0])
        for j in range(1, n + 1, 2):
            out[j, chosen] = -odd[j] * np.exp(-2 * w)
    return list(out)


# ---------------------------------------------------------------- the others in terms of P and Q

Coefficients = dict[float, complex]
Combination = tuple[Coefficients, Coefficients]
"""f = Σ cᵣ exp(iπrν) P eʷ + Σ cᵣ exp(iπrν) Q e⁻ʷ, as the two families {r: cᵣ}."""


def combine(*terms: tuple[complex, float, Combination]) -> Combination:
    """The sum of c · exp(iπrν) · f over the triples (c, r, f)."""
    total: Combination = ({}, {})
    for c, r, f in terms:
        for sums, family in zip(total, f):
            for s, b in family.items():
                sums[s + r] = sums.get(s + r, 0) + c * b
    return tuple({r: c for r, c in family.items() if c} for family in total)  # type: ignore[return-value]


P: Combination = ({0: 1}, {})
Q: Combination = ({}, {0: 1})


def table(below: bool) -> dict[str, Combination]:
    """Each function at ν ≥ 0, or at −ν: at z = iw for J, Y, H, at z = w for I, K, and at z = −w for "-iv", "-kv"."""
    h1 = combine((-2j / np.pi, -0.5, Q))  # DLMF 10.27.8
    h2 = combine((2, 0.5, P), (-1, 0, h1))  # DLMF 10.27.6, 10.4.4
    i, k = P, Q
    i_left, k_left = combine((1, 1, P)), combine((1, -1, Q), (-1j * np.pi, 0, P))  # DLMF 10.34.1, 10.34.2
    if below:
        h1, h2 = combine((1, 1, h1)), combine((1, -1, h2))  # DLMF 10.4.6
        i, i_left = (
            combine((1, 0, f), (-1j / np.pi, 1, g), (1j / np.pi, -1, g)) for f, g in ((i, k), (i_left, k_left))
        )  # DLMF 10.27.2
    j, y = combine((0.5, 0, h1), (0.5, 0, h2)), combine((-0.5j, 0, h1), (0.5j, 0, h2))
    return {"hankel1": h1, "hankel2": h2, "jv": j, "yv": y, "iv": i, "kv": k, "-iv": i_left, "-kv": k_left}


TABLE = {below: table(below) for below in (False, True)}
CONJUGATE = {"hankel1": "hankel2", "hankel2": "hankel1", "hankel1e": "hankel2e", "hankel2e": "hankel1e"}


def trigonometric(family: Coefficients, v: Array, n: int) -> Jet:
    return [sum(c * (1j * np.pi * r) ** j * turn(r * v) for r, c in family.items()) for j in range(n + 1)]  # type: ignore[misc]


def evaluate(name: str, v: Array, z: Array, n: int) -> Array:
    """∂ⁿf/∂νⁿ where all entries of z are finite and not 0, Im z ≥ 0, and those of v have one sign."""
    stem = name.removesuffix("e")
    rotated = stem not in ("iv", "kv")
    left = not rotated and bool(np.real(z[0]) < 0)
    w = -1j * z if rotated else -z if left else z
    below = bool(v[0] < 0)
    a = np.abs(v)
    of_i, of_k = TABLE[below]["-" * left + stem]
    extra = {"jve": -w.real, "yve": -w.real, "ive": -w.real, "kve": z, "hankel1e": w, "hankel2e": -w}.get(name, 0 * w)
    y: Any = 0.0
    for family, jets, exponent in ((of_i, i_jets, w), (of_k, lambda *x: k_jets(*x)[0], -w)):
        if family:
            y = y + times(trigonometric(family, a, n), jets(a, w, n))[n] * np.exp(exponent + extra)
    return (-1) ** n * y if below else y


def order_derivative(name: str, v: Array, z: Array, n: int) -> Array:
    """∂ⁿf/∂νⁿ of SciPy's function of that name, entry by entry."""
    v, z = np.broadcast_arrays(v, z)
    shape, v, z = v.shape, v.ravel(), z.ravel()
    y = np.full(v.shape, np.nan, z.dtype if name[:6] != "hankel" else complex)
    tiny, huge = z == 0, np.isinf(z)
    at = np.where(tiny, 1e-300, np.where(huge, 700.0, z))
    flip = np.signbit(at.imag) if z.dtype.kind == "c" else np.zeros(v.shape, bool)
    at = np.where(flip, np.conj(at), at)
    valid = ~np.isnan(v) & np.isfinite(v) & ~np.isnan(at)
    if z.dtype.kind != "c":
        valid &= at > 0
    for conjugated in (False, True):
        for below in (False, True):
            for left in (False, True):
                part = valid & (flip == conjugated) & ((v < 0) == below) & ((at.real < 0) == left)
                if np.any(part):
                    value = evaluate(CONJUGATE.get(name, name) if conjugated else name, v[part], at[part], n)
                    value = np.conj(value) if conjugated else value
                    y[part] = value if y.dtype.kind == "c" else np.real(value)
    vanishing = (v > 0) & (name[0] in "ji")
    y = np.where(tiny & valid, np.where(vanishing | (y == 0), 0, np.copysign(np.inf, y.real)), y)
    return np.where(huge & valid, np.copysign(np.inf, y.real) if name == "iv" else 0, y).reshape(shape)

"""Derivatives of Bessel functions of any order of differentiation with respect to their order ν.

All follow from P = e⁻ʷ I_ν(w) and Q = eʷ K_ν(w) for ν ≥ 0 and Re w ≥ 0, computed for a truncated Taylor series ν:

==================  ============================================================================================
P, Q, |F| > 40      Debye's expansions, see ``debye``; elsewhere:
Q, 0 ≤ ν < 2        DLMF 10.32.9, ∫ e^(w − w cosh t) cosh νt dt, along the steepest descent sinh(t/2) = w^(−1/2) σ,
                    by the trapezoidal rule in arcsinh σ (its error falls exponentially in the number of nodes)
Q, larger ν         the recurrence upwards, where K is dominant, from there or from Debye's.  DLMF 10.29.1
P, |w|² ≤ 4(ν + 1)  the power series.  DLMF 10.25.2
P, ν < 1            Schläfli's integral.  DLMF 10.32.4
P, elsewhere        the recurrence downwards from Debye's expansion at a larger order.  DLMF 10.29.1
J, Y, H, orders     P and Q with coefficients exp(iπrν) at w = ∓iz.  DLMF 10.4, 10.27, 10.34
below 0, Re z < 0
==================  ============================================================================================

The error is at most some 1e-14 or, for larger ν, 1e-15 ν, relative to the amplitude of the function; beside the turning
point |z| ≈ ν, up to 5e-15 ν.
"""

from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotbar.scipy.special.debye import debye, differences, suits
from dotbar.scipy.special.quadrature import BLOCK, gauss, in_blocks
from dotbar.scipy.special.taylor import Jet, exp, expand, gammaln, select, total

Array = NDArray[Any]

EXTENT = 21.0  # e^(−2·EXTENT) is below rounding
NODES = 64
SPACING = 0.17


def turn(r: Array) -> Array:
    """exp(iπr), exact at multiples of 1/2."""
    quarter = np.round(2 * r)
    rest = np.pi * (r - quarter / 2)
    return np.array([1, 1j, -1, -1j])[quarter.astype(int) % 4] * (np.cos(rest) + 1j * np.sin(rest))


def rotation(v: Jet, r: Any) -> Jet:
    """exp(iπrν)."""
    return v.compose(lambda v, n: (1j * np.pi * r) ** n * turn(r * v) / factorial(n))


def cosh(x: Jet) -> Jet:
    return x.compose(lambda x, n: (np.sinh if n % 2 else np.cosh)(x) / factorial(n))


def sine(x: Jet) -> Jet:
    return x.compose(lambda x, n: (np.sin, np.cos)[n % 2](x) * (1, 1, -1, -1)[n % 4] / factorial(n))


def cosine(x: Jet) -> Jet:
    return x.compose(lambda x, n: (np.cos, np.sin)[n % 2](x) * (1, -1, -1, 1)[n % 4] / factorial(n))


def part(x: Jet, chosen: Array) -> Jet:
    """The chosen entries."""
    return Jet(x.c[:, chosen], x.orders)


# ---------------------------------------------------------------- Q = eʷ K


def descent(w: Array, s: Array, step: Array) -> tuple[Array, Array, Array]:
    """The points t on the path, their weights, and w − w cosh t, at arcsinh σ = s/2."""
    sigma = np.sinh(s / 2)
    q = np.exp(-0.5j * np.angle(w)) if w.dtype.kind == "c" else 1.0
    weight = step * q * np.sqrt((1 + sigma * sigma) / (1 + (q * sigma) ** 2))
    return 2 * np.arcsinh(q * sigma), weight, -2 * np.abs(w) * sigma * sigma


def quadrature(v: Jet, w: Array, points: int) -> tuple[Jet, Jet]:
    """Q at ν and ν + 1 for 0 ≤ ν < 1 by the trapezoidal rule with so many points."""
    v, w = expand(v), w[:, None]
    h = 2 * np.arcsinh(np.sqrt(EXTENT / np.abs(w))) / points
    t, weight, fall = descent(w, np.arange(points + 1) * h, h)
    weight[:, 0] /= 2
    above = exp((v + 1) * t + fall) + exp((v + 1) * -t + fall)
    return total(cosh(v * t) * (np.exp(fall) * weight)), total(above * (weight / 2))


def k_scaled(v: Jet, w: Array) -> Jet:
    """Q at ν ≥ 0 and Re w ≥ 0: at a lower order, where Debye's expansion or the quadrature holds, and upwards."""
    order = v.value
    steps = np.where(suits(order, w), 0, np.minimum(order, np.ceil(16 * np.cbrt(order)) + 2) // 1)
    expanded = suits(order - steps, w) & ((steps == 0) | suits(order - steps + 1, w))
    steps = np.where(expanded, steps, np.floor(order))
    low = v - steps
    f, g = (Jet(np.empty(v.c.shape, w.dtype), v.orders) for _ in range(2))
    if np.any(expanded):
        at, z = part(low, expanded), w[expanded]
        f.c[:, expanded] = (debye(at, z, -1) * np.pi).c
        g.c[:, expanded] = (debye(at + 1, z, -1) * np.pi).c
    extent = 2 * np.arcsinh(np.sqrt(EXTENT / np.abs(w))) / SPACING
    blocks = np.where(expanded, -1, np.ceil(np.log2(np.maximum(extent / NODES, 1)))).astype(int)
    for block in np.unique(blocks[~expanded]):
        points = NODES << int(block)
        entries = np.flatnonzero(blocks == block)
        for chosen in np.array_split(entries, len(entries) * points // 2**18 + 1):
            pair = quadrature(part(low, chosen), w[chosen], points)
            f.c[:, chosen], g.c[:, chosen] = pair[0].c, pair[1].c
    for i in range(int(np.max(steps, initial=0))):
        f, g = select(i < steps, g, f), select(i < steps, f + g * (low + (i + 1)) * (2 / w), g)
    return f


# ---------------------------------------------------------------- P = e⁻ʷ I


def series(v: Jet, w: Array) -> Jet:
    """The power series; each term is the one before times (w²/4)/(k (ν + k))."""
    y = term = exp(v * np.log(w / 2) - w - gammaln(v + 1))
    for k in range(1, 200):
        term = term * (w * w / (4 * k)) / (v + k)
        y = y + term
        if np.all(np.abs(term.c) <= 1e-17 * np.abs(y.c)):
            break
    return y


def expansion(v: Jet, w: Array) -> Jet:
    """Debye's, less the recessive i·exp(±iπν) e⁻²ʷ Q/π between a Stokes line and the imaginary axis beyond ±iν."""
    sign = np.where(np.signbit(w.imag), -1, 1)
    plus, minus = differences(v.value, w)
    apart = np.where(sign > 0, minus, plus)
    recessive = rotation(v, sign) * debye(v, w, -1) * np.exp(-2 * w) * (1j * sign)
    return debye(v, w, 1) + select(np.real(apart) + sign * np.imag(apart) > 0, recessive, 0)


def downwards(v: Jet, w: Array) -> Jet:
    """The recurrence downwards, where I is dominant, from an order that Debye's expansion suits.  DLMF 10.29.1."""
    size = np.abs(w)
    steps = np.ceil(np.maximum(np.maximum(26, size + 9 * np.cbrt(size) + 2) - v.value, 0))
    f, g = (debye(v + steps + k, w, 1) for k in (1, 0))
    for i in range(int(np.max(steps, initial=0)), 0, -1):
        on = i <= steps
        f, g = select(on, g, f), select(on, f + g * (v + i) * (2 / w), g)
    return g


def schlaefli(v: Jet, w: Array) -> Jet:
    """P = 1/π ∫₀^π e^(w cos θ − w) cos νθ dθ − sin(νπ)/π e^(−2w) ∫₀^∞ e^(w − w cosh t − νt) dt.  DLMF 10.32.4.

    By Gauss's rule, in t along the path of ``quadrature``.  Even and odd parts stay apart: right also near ν = 0.
    """
    at, weights = gauss((0.0, 0.25, 0.5, 0.75, 1.0))
    theta = np.pi * at
    even = total(cosine(expand(v) * theta) * (np.exp(w[:, None] * (np.cos(theta) - 1)) * weights))
    size = np.abs(w)[:, None]
    extent = 2 * np.arcsinh(np.sqrt(EXTENT / size))
    t, weight, fall = descent(w[:, None], at * extent, weights * extent)
    return even - sine(v * np.pi) * total(exp(expand(v) * -t + fall) * weight) * (np.exp(-2 * w) / np.pi)


def i_scaled(v: Jet, w: Array) -> Jet:
    """P for ν ≥ 0 and Re w ≥ 0."""
    size, order = np.abs(w), v.value
    methods = np.select([size**2 <= 4 * (order + 1), suits(order, w), order < 1], [0, 1, 2], 3)
    y = Jet(np.empty(v.c.shape, w.dtype), v.orders)
    for k, method in enumerate((series, expansion, schlaefli, downwards)):
        if np.any(chosen := methods == k):
            found = method(part(v, chosen), w[chosen]).c
            y.c[:, chosen] = found if w.dtype.kind == "c" else found.real
    return y


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


def evaluate(name: str, v: Array, z: Array, n: int) -> Array:
    """∂ⁿf/∂νⁿ where all entries of z are finite and not 0, Im z ≥ 0, and those of v have one sign."""
    stem = name.removesuffix("e")
    rotated = stem not in ("iv", "kv")
    left = not rotated and bool(np.real(z[0]) < 0)
    w = -1j * z if rotated else -z if left else z
    below = bool(v[0] < 0)
    order = np.zeros((n + 1, len(v)))
    order[0] = np.abs(v)
    order[1:2] = 1
    a = Jet(order, (n,))
    of_i, of_k = TABLE[below]["-" * left + stem]
    extra = {"jve": -w.real, "yve": -w.real, "ive": -w.real, "kve": z, "hankel1e": w, "hankel2e": -w}.get(name, 0 * w)
    y: Any = 0.0
    for family, scaled, exponent in ((of_i, i_scaled, w), (of_k, k_scaled, -w)):
        if family:
            waves = sum((rotation(a, r) * c for r, c in family.items()), start=a * 0)
            nth = (waves * scaled(a, w)).c[n] * factorial(n)
            y = y + np.where(nth == 0, 0, nth * np.exp(exponent + extra))
    return (-1) ** n * y if below else y


def order_derivative(name: str, v: Array, z: Array, n: int) -> Array:
    """∂ⁿf/∂νⁿ of SciPy's function of that name, entry by entry."""
    v, z = np.broadcast_arrays(v, z)
    if v.size > BLOCK:
        return in_blocks(lambda v, z: order_derivative(name, v, z, n), (v, z), {})
    shape, v, z = v.shape, v.ravel(), z.ravel()
    y = np.full(v.shape, np.nan, z.dtype if name[:6] != "hankel" else complex)
    tiny, huge = z == 0, np.isinf(z)
    at = np.where(tiny, 1e-300, np.where(huge, 700.0, z))
    flip = at.imag < 0  # −0 is 0 to SciPy
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

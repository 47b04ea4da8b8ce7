"""Partial fractions of rational functions, in s and in z⁻¹."""

from typing import Any

import numpy as np
import scipy.signal as ss

from dotbar.batch import in_common
from dotbar.core import dtype_of, primitive
from dotbar.rules.kinds import constant, elementwise
from dotbar.rules.lapack_words import inexact
from dotbar.scipy.binding import in_place_of
from dotbar.scipy.signal.conversions import leading_zeros, product

REDUCTIONS = {"max": np.max, "maximum": np.max, "min": np.min, "minimum": np.min, "avg": np.mean, "mean": np.mean}


@primitive
def groups(p: Any, tol: Any) -> Any:
    """For each root the number of its group: those that lie near the first that is in none."""
    label = np.full(len(p), -1)
    for i in range(len(p)):
        if label[i] < 0:
            label[(label < 0) & (np.abs(p - p[i]) <= tol)] = np.max(label) + 1
    return label


constant(groups, like=lambda p, tol: None)


def grouped(p: Any, tol: Any) -> list[list[int]]:
    """The places of each group's members."""
    label = [int(g) for g in in_common(groups(p, tol))]
    return [[i for i, g in enumerate(label) if g == which] for which in range(max(label, default=-1) + 1)]


def reduction(rtype: str) -> Any:
    if rtype not in REDUCTIONS:
        raise ValueError("`rtype` must be one of {'max', 'maximum', 'min', 'minimum', 'avg', 'mean'}")
    return REDUCTIONS[rtype]


@in_place_of(ss.unique_roots)
def unique_roots(p: Any, tol: Any, rtype: str) -> Any:
    """One for each group of roots: their mean, the least or the largest."""
    p, reduce = inexact(p), reduction(rtype)
    members = grouped(p, tol)
    return np.stack([reduce(p[i]) for i in members]), np.array([len(i) for i in members])


@primitive
def multiple(roots: Any, *, rtype: str) -> Any:
    """One root for several that lie together."""
    return REDUCTIONS[rtype](roots)


elementwise(
    multiple,
    "a multiple root of a polynomial splits with the square root of a change of the coefficients, or faster",
    settings=("rtype",),
)


def poles_of(a: Any, tol: Any, rtype: str) -> tuple[Any, list[int]]:
    """The roots of a polynomial, those that lie together as one, by their sizes, and the multiplicity of each."""
    reduction(rtype)
    roots = np.roots(a)
    found = [(roots[i[0]] if len(i) == 1 else multiple(roots[i], rtype=rtype), len(i)) for i in grouped(roots, tol)]
    if not found:
        return np.zeros(0), []
    poles = np.stack([pole for pole, _ in found])
    order = [int(k) for k in in_common(np.argsort(np.abs(poles)))]
    return poles[order], [found[k][1] for k in order]


def taylor(p: Any, x: Any, count: int) -> list[Any]:
    """The first coefficients of p(x + t) in powers of t."""
    found = []
    for n in range(1, count + 1):
        found.append(np.polyval(p, x))
        p = np.polyder(p) / n if len(p) > 1 else np.zeros(1)
    return found


def residues(b: Any, poles: Any, multiplicity: list[int]) -> Any:
    """Of a multiple pole the coefficients of b over the other factors in powers of the distance, from the last down."""
    found = []
    for i, m in enumerate(multiplicity):
        others = [np.stack([1.0, -poles[j]]) for j, n in enumerate(multiplicity) if j != i for _ in range(n)]
        above, below = taylor(b, poles[i], m), taylor(product(others), poles[i], m)
        q: list[Any] = []
        for n in range(m):
            q.append((above[n] - sum(below[k] * q[n - k] for k in range(1, n + 1))) / below[0])
        found += q[::-1]
    return np.stack(found)


def divided(b: Any, a: Any) -> tuple[Any, Any]:
    """The polynomial part and what is left of b."""
    return (np.zeros(0), b) if len(b) < len(a) else np.polydiv(b, a)


def fraction_of(b: Any, a: Any) -> tuple[Any, Any]:
    """Numerator and denominator of one dtype."""
    b, a = np.atleast_1d(inexact(b)), np.atleast_1d(inexact(a))
    if in_common(np.all(a == 0)):
        raise ValueError("Denominator `a` is zero.")
    kind = np.result_type(dtype_of(b), dtype_of(a), float)
    return b.astype(kind), a.astype(kind)


@in_place_of(ss.residue)
def residue(b: Any, a: Any, tol: Any, rtype: str) -> Any:
    """b(s)/a(s) = k(s) + Σ rᵢⱼ/(s − pᵢ)ʲ."""
    b, a = fraction_of(b, a)
    b, a = b[leading_zeros(b) :], a[leading_zeros(a) :]
    k, b = divided(b, a)
    poles, multiplicity = poles_of(a, tol, rtype)
    return residues(b, poles, multiplicity) / a[0], np.repeat(poles, multiplicity), k


@in_place_of(ss.residuez)
def residuez(b: Any, a: Any, tol: Any, rtype: str) -> Any:
    """The same in z⁻¹ with poles 1/pᵢ: 1 − pz⁻¹ = −p (z⁻¹ − 1/p)."""
    b, a = fraction_of(b, a)
    if in_common(a[0] == 0):
        raise ValueError("First coefficient of determinant `a` must be non-zero.")
    b, a = (v[::-1] for v in (b, a))
    b, a = b[leading_zeros(b) :], a[leading_zeros(a) :]
    k, b = divided(b, a)
    poles, multiplicity = poles_of(a[::-1], tol, rtype)
    r = residues(b, 1 / poles, multiplicity)
    repeated, powers = np.repeat(poles, multiplicity), np.concatenate([np.arange(1, m + 1) for m in multiplicity])
    return r * (-repeated) ** powers / a[0], repeated, k[::-1]


def together(r: Any, p: Any, k: Any, tol: Any, ascending: bool) -> tuple[Any, Any]:
    """The sum of fractions over their common denominator; poles next to each other that nearly agree are one."""
    r, p, k = (np.atleast_1d(inexact(v)) for v in (r, p, k))
    firsts: list[int] = []
    for i in range(len(p)):
        near = firsts and in_common(np.abs(p[i] - p[firsts[-1]]) <= tol)
        firsts.append(firsts[-1] if near else i)
    align = (lambda q: q[::-1]) if ascending else (lambda q: q)
    k = align(k)
    k = k[:0] if not len(k) or in_common(np.all(k == 0)) else align(k[leading_zeros(k) :])
    factors = [np.stack([1.0, -p[i]]) for i in firsts]
    below = product(factors)
    above = align(np.convolve(k, below)) if len(k) else np.zeros(1)
    for i, first in enumerate(firsts):
        power = i - first + 1
        left = [f for j, f in enumerate(factors) if not first <= j < first + power]
        above = np.polyadd(above, r[i] * align(product(left)))
    return align(above), below


@in_place_of(ss.invres)
def invres(r: Any, p: Any, k: Any, tol: Any, rtype: str) -> Any:
    reduction(rtype)
    return together(r, p, k, tol, ascending=False)


@in_place_of(ss.invresz)
def invresz(r: Any, p: Any, k: Any, tol: Any, rtype: str) -> Any:
    reduction(rtype)
    return together(r, p, k, tol, ascending=True)

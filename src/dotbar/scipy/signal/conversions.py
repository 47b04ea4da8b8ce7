"""From one form of a rational filter to another: coefficients, zeros and poles, sections, states, partial fractions."""

import warnings
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import scipy.signal as ss

from dotbar.batch import in_common
from dotbar.core import dtype_of, primitive
from dotbar.rules.kinds import constant
from dotbar.rules.lapack_words import inexact
from dotbar.scipy.binding import in_place_of

# ---------------------------------------------------------------- coefficients


def polynomial(zeros: Any) -> Any:
    """The coefficients of ∏ (x − zero)."""
    p = np.ones(1, dtype_of(zeros))
    for i in range(zeros.shape[-1]):
        p = np.pad(p, (0, 1)) - np.pad(p * zeros[i], (1, 0))
    return p


def is_real(zeros: Any) -> bool:
    """Whether with each number its conjugate is there."""
    if dtype_of(zeros).kind != "c":
        return True
    return bool(in_common(np.all(np.sort(zeros) == np.sort(np.conj(zeros)))))


def poly(zeros: Any) -> Any:
    """The coefficients of ∏ (x − zero), real ones if they are."""
    p = polynomial(zeros)
    return np.real(p) if is_real(zeros) else p


def product(ps: Sequence[Any]) -> Any:
    """The product of polynomials."""
    return reduce(np.convolve, ps) if ps else np.ones(1)


def leading_zeros(p: Any, least: float = 0.0) -> int:
    """How many of the first coefficients, or columns of them, are no larger than ``least``; not all are counted."""
    used = np.atleast_2d(np.abs(p) > least).any(0)
    return int(in_common(np.argmax(np.concatenate([used[:-1], np.ones(1, bool)]))))


def filter_of(b: Any, a: Any) -> tuple[Any, Any]:
    """Both sets of coefficients, as SciPy takes them."""
    b, a = np.atleast_1d(inexact(b)), np.atleast_1d(inexact(a))
    if a.ndim != 1:
        raise ValueError("Denominator polynomial must be rank-1 array.")
    if b.ndim > 2:
        raise ValueError("Numerator polynomial must be rank-1 or rank-2 array.")
    return b, a


@in_place_of(ss.normalize)
def normalize(b: Any, a: Any) -> Any:
    """Both over the denominator's first coefficient that is not 0; the numerator's first that are 0 are left out."""
    b, a = filter_of(b, a)
    if in_common(np.all(a == 0)):
        raise ValueError("Denominator must have at least on nonzero element.")
    a = a[leading_zeros(a) :]
    b, a = b / a[0], a / a[0]
    if in_common(np.all(np.abs(b[..., 0]) <= 1e-14)):
        message = "Badly conditioned filter coefficients (numerator): the results may be meaningless"
        warnings.warn(message, ss.BadCoefficients, stacklevel=4)
        b = b[..., leading_zeros(b, 1e-14) :]
    return (b[0] if b.ndim == 2 and len(b) == 1 else b), a


def substituted(p: Any, n: Any, d: Any, degree: int) -> Any:
    """p(n/d) d^degree: the coefficients of Σₖ pₖ nᵏ d^(degree − k)."""
    terms = [p[len(p) - 1 - k] * product([n] * k + [d] * (degree - k)) for k in range(len(p))]
    return reduce(np.polyadd, terms)


def weak(x: Any, *arrays: Any) -> Any:
    """A number in the real precision of arrays, which it does not change, as a plain number does not."""
    return inexact(x).astype(np.finfo(np.result_type(*map(dtype_of, arrays))).dtype)


def transformed(b: Any, a: Any, n: Any, d: Any, cast: Any = lambda x, *arrays: inexact(x)) -> Any:
    """The filter with n/d in place of its variable."""
    b, a = filter_of(b, a)
    degree = max(len(b), len(a)) - 1
    n, d = (np.stack([cast(c, b, a) for c in p]) for p in (n, d))
    return normalize(substituted(b, n, d, degree), substituted(a, n, d, degree))


@in_place_of(ss.lp2lp)
def lp2lp(b: Any, a: Any, wo: Any) -> Any:
    """s → s/ω₀."""
    return transformed(b, a, (1.0, 0.0), (wo,))


@in_place_of(ss.lp2hp)
def lp2hp(b: Any, a: Any, wo: Any) -> Any:
    """s → ω₀/s."""
    return transformed(b, a, (wo,), (1.0, 0.0), weak)


@in_place_of(ss.lp2bp)
def lp2bp(b: Any, a: Any, wo: Any, bw: Any) -> Any:
    """s → (s² + ω₀²)/(s β)."""
    return transformed(b, a, (1.0, 0.0, inexact(wo) ** 2), (bw, 0.0), weak)


@in_place_of(ss.lp2bs)
def lp2bs(b: Any, a: Any, wo: Any, bw: Any) -> Any:
    """s → s β/(s² + ω₀²)."""
    return transformed(b, a, (bw, 0.0), (1.0, 0.0, inexact(wo) ** 2), weak)


@in_place_of(ss.bilinear)
def bilinear(b: Any, a: Any, fs: Any) -> Any:
    """s → 2 fs (z − 1)/(z + 1), Tustin's method, the factor shared between both so that powers do not overflow."""
    b, a = (np.atleast_1d(inexact(v)) for v in (b, a))
    c = np.sqrt(2 * inexact(fs))
    return transformed(b[leading_zeros(b) :], a[leading_zeros(a) :], (c, -c), (1 / c, 1 / c))


# ---------------------------------------------------------------- zeros and poles


@in_place_of(ss.tf2zpk)
def tf2zpk(b: Any, a: Any) -> Any:
    """The roots of both, and the ratio of their first coefficients."""
    b, a = normalize(b, a)
    return np.roots(b), np.roots(a), b[0]


@in_place_of(ss.zpk2tf)
def zpk2tf(z: Any, p: Any, k: Any) -> Any:
    z, p, k = np.atleast_1d(inexact(z)), inexact(p), np.atleast_1d(inexact(k))
    a = poly(np.atleast_1d(p))
    if z.ndim == 1:
        return k * poly(z), a
    return np.stack([k[i % len(k)] * poly(z[i]) for i in range(len(z))]), a


def relative_degree(z: Any, p: Any) -> int:
    """How many more poles there are than zeros."""
    if len(p) < len(z):
        raise ValueError("Improper transfer function. Must have at least as many poles as zeros.")
    return len(p) - len(z)


def zpk_of(z: Any, p: Any, k: Any) -> tuple[Any, Any, Any, int]:
    """Zeros, poles, gain, and how many zeros are at infinity."""
    z, p = np.atleast_1d(inexact(z)), np.atleast_1d(inexact(p))
    return z, p, inexact(k), relative_degree(z, p)


@in_place_of(ss.lp2lp_zpk)
def lp2lp_zpk(z: Any, p: Any, k: Any, wo: Any) -> Any:
    """s → s/ω₀."""
    z, p, k, degree = zpk_of(z, p, k)
    wo = weak(wo, z, p)
    return z * wo, p * wo, k * wo**degree


@in_place_of(ss.lp2hp_zpk)
def lp2hp_zpk(z: Any, p: Any, k: Any, wo: Any) -> Any:
    """s → ω₀/s; zeros at infinity move to 0."""
    z, p, k, degree = zpk_of(z, p, k)
    wo = weak(wo, z, p)
    zeros = np.concatenate([wo / z, np.zeros(degree)])
    return zeros, wo / p, k * np.real(np.prod(-z) / np.prod(-p))


def both_solutions(x: Any, wo: Any) -> Any:
    """s with s + ω₀²/s = 2x."""
    root = np.sqrt(x.astype(np.result_type(dtype_of(x), np.complex64)) ** 2 - wo**2)
    return np.concatenate([x + root, x - root])


@in_place_of(ss.lp2bp_zpk)
def lp2bp_zpk(z: Any, p: Any, k: Any, wo: Any, bw: Any) -> Any:
    """s → (s² + ω₀²)/(s β); half of the zeros at infinity move to 0."""
    z, p, k, degree = zpk_of(z, p, k)
    wo, bw = inexact(wo), inexact(bw)
    zeros = np.concatenate([both_solutions(z * bw / 2, wo), np.zeros(degree)])
    return zeros, both_solutions(p * bw / 2, wo), k * bw**degree


@in_place_of(ss.lp2bs_zpk)
def lp2bs_zpk(z: Any, p: Any, k: Any, wo: Any, bw: Any) -> Any:
    """s → s β/(s² + ω₀²); zeros at infinity move to ±iω₀."""
    z, p, k, degree = zpk_of(z, p, k)
    wo, bw = inexact(wo), inexact(bw)
    ends = 1j * wo * np.repeat([1.0, -1.0], degree)
    zeros = np.concatenate([both_solutions(bw / 2 / z, wo), ends])
    return zeros, both_solutions(bw / 2 / p, wo), k * np.real(np.prod(-z) / np.prod(-p))


@in_place_of(ss.bilinear_zpk)
def bilinear_zpk(z: Any, p: Any, k: Any, fs: Any) -> Any:
    """s → 2 fs (z − 1)/(z + 1); zeros at infinity move to −1."""
    z, p, k, degree = zpk_of(z, p, k)
    c = 2 * weak(fs, z, p)
    zeros = np.concatenate([(c + z) / (c - z), -np.ones(degree)])
    return zeros, (c + p) / (c - p), k * np.real(np.prod(c - z) / np.prod(c - p))


# ---------------------------------------------------------------- sections of second order


@in_place_of(ss.sos2tf)
def sos2tf(sos: Any) -> Any:
    sos = inexact(sos)
    trimmed = lambda p: p[leading_zeros(p) :]
    return tuple(product([trimmed(row) for row in half]) for half in (sos[:, :3], sos[:, 3:]))


@in_place_of(ss.sos2zpk)
def sos2zpk(sos: Any) -> Any:
    """The zeros and poles of each section; those that a section lacks are at 0."""
    sos, z, p, k = inexact(sos), [], [], 1.0
    for i in range(len(sos)):
        zeros, poles, gain = tf2zpk(sos[i, :3], sos[i, 3:])
        z += [zeros, np.zeros(2 - len(zeros))]
        p += [poles, np.zeros(2 - len(poles))]
        k = k * gain
    z, p = np.concatenate(z), np.concatenate(p)
    return z.astype(np.result_type(dtype_of(z), np.complex64)), p.astype(np.result_type(dtype_of(p), np.complex64)), k


def half_of_pairs(z: Any) -> list[tuple[complex, int, int]]:
    """The upper one of each pair of conjugates, then the real ones, with the places of both; 0 lacks a place."""
    eps = 100 * np.finfo(z.dtype).eps
    order = np.lexsort((np.abs(z.imag), z.real))
    real = np.abs(z.imag) <= eps * np.abs(z)
    by_size = lambda i: (np.round(z[i].real / (eps * np.abs(z[i])) / 2), np.abs(z[i].imag))
    upper, lower = (sorted((i for i in order if not real[i] and z[i].imag * sign > 0), key=by_size) for sign in (1, -1))
    if len(upper) != len(lower) or any(np.abs(z[i] - z[j].conj()) > eps * np.abs(z[j]) for i, j in zip(upper, lower)):
        raise ValueError("Array contains complex value with no matching conjugate.")
    pairs = [(complex(z[i] + z[j].conj()) / 2, int(i), int(j)) for i, j in zip(upper, lower)]
    return pairs + [(complex(z[i].real), int(i), int(i)) for i in order if real[i]]


@primitive
def pairing_of(z: Any, p: Any, *, pairing: str, analog: bool) -> Any:
    """The places of the zeros and of the poles of each section, and their number: (2, sections, 3).

    As ``scipy.signal.zpk2sos`` describes it: the pole nearest to the circle (the axis) first, with the zero nearest to
    it.  Place n stands for a root at 0 that is added.
    """
    sizes = len(z), len(p)
    zeros, poles = half_of_pairs(z), half_of_pairs(p)
    if pairing == "minimal":
        count = (len(p) + 1) // 2
    else:
        whole = max(sizes) + (max(sizes) % 2 if pairing == "nearest" else 0)
        count = (whole + 1) // 2
        for roots, n in ((zeros, sizes[0]), (poles, sizes[1])):
            roots += [(0j, n, n)] * (whole - n)
            first = next((k for k, r in enumerate(roots) if r[0].imag == 0), len(roots))
            roots[first:] = sorted(roots[first:], key=lambda r: r[0].real)
    is_real = lambda root: root[0].imag == 0
    margin = (lambda v: abs(v.real)) if analog else (lambda v: abs(1 - abs(v)))

    def take(roots: Any, size: Any, kind: Any = lambda root: True) -> Any:
        places = [k for k, r in enumerate(roots) if kind(r)]
        if not places:
            raise ValueError(
                f"pairing={pairing!r} finds no partner for a root; there are too many real zeros or poles."
            )
        return roots.pop(min(places, key=lambda k: size(roots[k][0])))

    def places(chosen: Any) -> list[int]:
        """Of one complex root both of its pair."""
        found = [i for r in chosen for i in (r[1:] if not is_real(r) else r[1:2])]
        return [*found, *[0] * (2 - len(found)), len(found)]

    sections: list[Any] = []
    for _ in range(count):
        pole = take(poles, margin)
        near = lambda v, pole=pole: abs(v - pole[0])
        mine, partners = [pole], []
        if is_real(pole) and not any(map(is_real, poles)):
            partners = [take(zeros, near, is_real)] if zeros else []
            if pairing != "minimal":
                mine, partners = [*mine, (0j, sizes[1], sizes[1])], [*partners, (0j, sizes[0], sizes[0])]
        else:
            one_left = sum(map(is_real, poles)) == sum(map(is_real, zeros)) == 1 and len(poles) + 1 == len(zeros)
            if is_real(pole):
                mine.append(take(poles, margin, is_real))
            if zeros:
                kind = (lambda root: not is_real(root)) if one_left and not is_real(pole) else (lambda root: True)
                partners.append(take(zeros, near, kind))
                if is_real(partners[0]) and zeros:
                    partners.append(take(zeros, near, is_real))
        sections.append((places(partners), places(mine)))
    return np.moveaxis(np.array(sections[::-1]), 1, 0)


constant(pairing_of, like=lambda z, p, *, pairing, analog: None)


def quadratics(roots: Any, places: Any) -> Any:
    """The polynomials of the roots at some places, two, one or none in a row."""
    at = np.concatenate([roots, np.zeros(1)])
    r, s, count = at[places[:, 0]], at[places[:, 1]], places[:, 2]
    two = np.stack([np.ones(len(r)), -np.real(r + s), np.real(r * s)], 1)
    one = np.stack([np.zeros(len(r)), np.ones(len(r)), -np.real(r)], 1)
    return np.where(count[:, None] == 2, two, np.where(count[:, None] == 1, one, np.array([0.0, 0.0, 1.0])))


@in_place_of(ss.zpk2sos)
def zpk2sos(z: Any, p: Any, k: Any, pairing: str | None, analog: bool) -> Any:
    """Which roots share a section is a choice; the coefficients are those of their products."""
    pairing = pairing or ("minimal" if analog else "nearest")
    if pairing not in ("nearest", "keep_odd", "minimal"):
        raise ValueError(f"pairing must be one of ['nearest', 'keep_odd', 'minimal'], not {pairing}")
    if analog and pairing != "minimal":
        raise ValueError('for analog zpk2sos conversion, pairing must be "minimal"')
    z, p, k = np.atleast_1d(inexact(z)), np.atleast_1d(inexact(p)), np.real(inexact(k))
    if len(z) == len(p) == 0:
        one = np.array([0.0, 0.0, 1.0] if analog else [1.0, 0.0, 0.0])
        return np.concatenate([k * one, one])[None]
    if pairing == "minimal" and len(p) < len(z):
        raise ValueError("for analog zpk2sos conversion, must have len(p)>=len(z)")
    places = pairing_of(z, p, pairing=pairing, analog=analog)
    b, a = quadratics(z, places[0]), quadratics(p, places[1])
    return np.concatenate([np.concatenate([k * b[:1], b[1:]]), a], 1)


@in_place_of(ss.tf2sos)
def tf2sos(b: Any, a: Any, pairing: str | None, analog: bool) -> Any:
    return zpk2sos(*tf2zpk(b, a), pairing, analog=analog)

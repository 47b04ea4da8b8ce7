"""NumPy's polynomials: coefficients from the highest power down.

Leading zeros of coefficients are kept: which of them NumPy would strip depends on values, not on shapes.
"""

import warnings
from typing import Any

import numpy as np

from dotbar.core import Traced, primitive
from dotbar.errors import ConversionError
from dotbar.rules.kinds import align, composite, rule
from dotbar.rules.products import matvec
from dotbar.rules.shapes import astype, operand
from dotbar.rules.words import H, conj, mT, unbroadcast


def _slope(p: Any) -> Any:
    """The coefficients of p′."""
    p = operand(p)
    powers = np.arange(len(p) - 1, 0, -1)
    return p[:-1] * powers.reshape(-1, *(1,) * (p.ndim - 1))


def _batch_polyval(xs: Any, batched: Any, size: int) -> Any:
    """Coefficients that differ by item run along the items of x."""
    p, x = xs
    loop = max(np.ndim(p) - 1 - batched[0], np.ndim(x) - batched[1])
    if batched[0]:
        p = np.moveaxis(p, 0, 1)
        p = np.expand_dims(p, tuple(range(2, loop + 4 - np.ndim(p))))
    return np.polyval(p, align(x, loop) if batched[1] else x)


@rule(np.polyval, _batch_polyval)
def polyval(y: Any, p: Any, x: Any) -> Any:
    """For y = Σ pₖ xᵏ, ẏ = Σ ṗₖ xᵏ + p′(x) ẋ;  p̄ₖ = Σ conj(xᵏ) ȳ by Horner's scheme backwards."""

    def dot_p(pdot: Any) -> Any:
        return np.polyval(pdot, x)

    def bar_p(ybar: Any) -> Any:
        if not p.shape[0]:
            return np.zeros(p.shape)
        rows = [ybar]
        for _ in range(p.shape[0] - 1):
            rows.append(rows[-1] * conj(x))
        return np.stack([unbroadcast(row, p.shape[1:]) for row in reversed(rows)])

    def dot_x(xdot: Any) -> Any:
        return np.polyval(_slope(p), x) * xdot

    def bar_x(ybar: Any) -> Any:
        return unbroadcast(conj(np.polyval(_slope(p), x)) * ybar, x.shape)

    return (dot_p, bar_p), (dot_x, bar_x)


@composite(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    a1, a2 = (np.atleast_1d(operand(a)) for a in (a1, a2))
    if len(a1) < len(a2):
        a1, a2 = a2, a1
    gap = len(a1) - len(a2)
    return a1 + np.concatenate([np.zeros(gap, a2.dtype), a2]) if gap else a1 + a2


@composite(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    return np.polyadd(a1, -operand(a2))


@composite(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    return np.convolve(_coefficients(a1), _coefficients(a2))


def _coefficients(p: Any) -> Any:
    """A polynomial as a vector, which for the zero polynomial may have been empty."""
    p = np.atleast_1d(operand(p))
    if p.ndim > 1:
        raise ValueError("Polynomial must be 1d only.")
    return p if len(p) else np.zeros_like(p, shape=1)


@composite(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """Long division; the remainder has one coefficient less than the divisor."""
    u, v = (np.atleast_1d(operand(a)) for a in (u, v))
    if u.ndim > 1 or v.ndim > 1 or not (len(u) and len(v)):
        raise IndexError("polynomials are divided as vectors of coefficients, at least one each")
    n = len(v)
    quotient, remainder = [], astype(u, dtype=np.result_type(u.dtype, v.dtype))
    while len(remainder) >= n:
        q = remainder[0] / v[0]
        quotient.append(q)
        remainder = np.concatenate([remainder[1:n] - q * v[1:], remainder[n:]])
    zero = 0 * (u[:1] + v[:1])
    return np.stack(quotient) if quotient else zero, remainder if len(remainder) else zero


@composite(np.polyder)
def polyder(p: Any, m: int = 1) -> Any:
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    p = operand(p)
    slope = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return np.polyder(slope, m - 1) if m else p


@composite(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    p = operand(p)
    constants = np.atleast_1d(operand(0.0 if k is None else k))
    if len(constants) == 1 < m:
        constants = constants[0] * np.ones(m)
    if len(constants) < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for i in range(m):
        p = np.concatenate([p / np.arange(len(p), 0, -1), constants[i : i + 1]])
    return p


@composite(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    """∏ (x − zero); of a square matrix the characteristic polynomial."""
    zeros = np.atleast_1d(operand(seq_of_zeros))
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] != 0:
        return characteristic(zeros)
    if zeros.ndim != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    p = np.ones_like(zeros[:1]) if len(zeros) else np.ones(1)
    for zero in zeros:
        p = np.concatenate([p[:1], p[1:] - zero * p[:-1], -zero * p[-1:]])
    if p.dtype.kind == "c" and np.all(np.sort(zeros) == np.sort(np.conj(zeros))):
        p = np.real(p)
    return p


@primitive
def characteristic(A: Any) -> Any:
    """The coefficients of det(λ − A), of A's precision and kind, whatever its eigenvalues."""
    if A.ndim == 2:
        return np.poly(A).astype(np.result_type(A, np.float16))
    return np.reshape(np.stack([characteristic(a) for a in np.reshape(A, (-1, *A.shape[-2:]))]), (*A.shape[:-2], -1))


@rule(characteristic, "(n,n)->(k)")
def _characteristic(c: Any, A: Any) -> Any:
    """ċₖ = −tr(Mₖ₋₁ Ȧ) with the coefficients of adj(λ − A) = Σ λⁿ⁻ᵏ Mₖ₋₁; so repeated eigenvalues do no harm.

    Faddeev and LeVerrier: M₀ = 1, Mₖ = A Mₖ₋₁ + cₖ.  Gantmacher, The Theory of Matrices, IV, (43) to (47).
    """
    one = np.eye(A.shape[-1], dtype=A.dtype)
    Ms = [np.broadcast_to(one, A.shape)]
    for k in range(1, A.shape[-1]):
        Ms.append(A @ Ms[-1] + c[..., k, None, None] * one)
    M = np.stack(Ms, -3)

    def dot(Adot: Any) -> Any:
        cdot = -np.sum(M * mT(Adot)[..., None, :, :], (-2, -1))
        return np.concatenate([0 * cdot[..., :1], cdot], -1)

    def bar(cbar: Any) -> Any:
        return -np.sum(cbar[..., 1:, None, None] * H(M), -3)

    return dot, bar


@primitive
def zeros_of(p: Any) -> Any:
    """``np.roots`` along the last axis; zeros at an end, which NumPy strips, need one polynomial after the other."""
    if p.ndim == 1 or not np.all(p[..., [0, -1]]):
        rows = [np.roots(row) for row in np.reshape(p, (-1, p.shape[-1]))]
        if len(set(map(len, rows))) > 1:
            raise ConversionError("polynomials of a batch have different degrees, and so different numbers of roots.")
        return np.reshape(np.stack(rows), (*p.shape[:-1], -1))
    top = -p[..., 1:] / p[..., :1]
    companion = np.broadcast_to(np.eye(top.shape[-1], k=-1, dtype=top.dtype), (*top.shape, top.shape[-1])).copy()
    companion[..., :1, :] = top[..., None, :]
    return np.linalg.eigvals(companion)


@rule(zeros_of, "(n)->(k)", varying=True)
def _zeros_of(y: Any, p: Any) -> Any:
    """Differentiate p(y) = 0: ẏ = −ṗ(y)/p′(y), for simple roots."""
    first = lambda p: np.expand_dims(np.moveaxis(p, -1, 0), -1)  # np.polyval's order of axes
    w = -1 / np.polyval(_slope(first(p)), y)

    def dot(pdot: Any) -> Any:
        return w * np.polyval(first(pdot), y)

    def bar(ybar: Any) -> Any:
        powers = y[..., None] ** np.arange(p.shape[-1] - 1, -1, -1)
        return matvec(H(powers), ybar * conj(w))

    return dot, bar


@composite(np.roots)
def roots(p: Any) -> Any:
    p = np.atleast_1d(operand(p))
    if p.ndim != 1:
        raise ValueError("Input must be a rank-1 array.")
    return zeros_of(p)


@composite(np.polyfit)
def polyfit(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False) -> Any:
    """Least squares for the Vandermonde matrix, its columns scaled to length 1."""
    x, y, deg = operand(x) + 0.0, operand(y) + 0.0, int(deg)
    if deg < 0:
        raise ValueError("expected deg >= 0")
    if x.ndim != 1 or not x.size:
        raise TypeError("expected non-empty vector for x" if x.ndim == 1 else "expected 1D vector for x")
    if not 1 <= y.ndim <= 2:
        raise TypeError("expected 1D or 2D array for y")
    if len(x) != len(y):
        raise TypeError("expected x and y to have same length")
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    A = np.vander(x, deg + 1)
    if w is not None:
        w = operand(w) + 0.0
        A, y = A * w[:, None], y * (w[:, None] if y.ndim == 2 else w)
    scale = np.sqrt(np.sum(A * A, 0))
    A = A / scale
    c, residuals, rank, s = np.linalg.lstsq(A, y, rcond)
    c = (c / scale[:, None]) if y.ndim == 2 else c / scale
    if full:
        return c, residuals, rank, s, rcond
    if not isinstance(rank, Traced) and rank != deg + 1:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=2)
    if not cov:
        return c
    V = np.linalg.inv(mT(A) @ A) / np.outer(scale, scale)
    if cov == "unscaled":
        factor: Any = 1
    elif len(x) <= deg + 1:
        raise ValueError("the number of data points must exceed order to scale the covariance matrix")
    else:
        factor = residuals / (len(x) - deg - 1)
    return c, V * factor if y.ndim == 1 else V[:, :, None] * factor

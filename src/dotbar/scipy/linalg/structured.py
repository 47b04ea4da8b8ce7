"""Matrices of a structure, made from vectors and blocks, and equations and products with them in less than O(n³)."""

from typing import Any

import numpy as np
import scipy.linalg as sl
from numpy.lib.stride_tricks import sliding_window_view
from numpy.linalg import LinAlgError

from dotbar.core import as_array, dtype_of, primitive, shape_of, take_index
from dotbar.rules.kinds import composite, constant, linear, rule
from dotbar.rules.lapack_words import inexact, raise_if
from dotbar.rules.words import conj, scatter
from dotbar.scipy.linalg.equations import checked, columns, double, implicit
from dotbar.scipy.mirror import dispatching

for _fn in (sl.bandwidth, sl.issymmetric, sl.ishermitian):
    constant(dispatching(_fn))


# ---------------------------------------------------------------- matrices constant along diagonals


def vector(x: Any) -> Any:
    return np.atleast_1d(as_array(x))


def join(*parts: Any) -> Any:
    """The vectors along the last axis end to end, their other axes broadcast."""
    lead = np.broadcast_shapes(*(shape_of(x)[:-1] for x in parts))
    return np.concatenate([np.broadcast_to(x, lead + shape_of(x)[-1:]) for x in parts], -1)


@primitive
def antidiagonals(v: Any, *, rows: int) -> Any:
    """The matrix of the entries v[i + j]."""
    return sliding_window_view(v, v.shape[-1] - rows + 1, -1).copy()


@primitive
def antidiagonal_sums(M: Any) -> Any:
    """Σ M[i, j] over i + j = k, the transpose of ``antidiagonals``."""
    m, n = M.shape[-2:]
    v = np.zeros((*M.shape[:-2], m + n - 1), M.dtype)
    for i in range(m):
        v[..., i : i + n] += M[..., i, :]
    return v


linear(antidiagonals, lambda Mbar, v, *, rows: antidiagonal_sums(Mbar), batch="(n)->(m,k)", moves=True)
linear(antidiagonal_sums, lambda vbar, M: antidiagonals(vbar, rows=M.shape[-2]), batch="(m,k)->(n)")


def diagonals(v: Any, rows: int) -> Any:
    """The matrix of the entries v[i − j + n − 1]."""
    return np.flip(antidiagonals(v, rows=rows), -1)


@composite(dispatching(sl.toeplitz))
def toeplitz(c: Any, r: Any = None) -> Any:
    c = vector(c)
    r = conj(c) if r is None else vector(r)
    return diagonals(join(r[..., :0:-1], c), c.shape[-1]) if c.size and r.size else c[..., None] * r[..., None, :]


@composite(dispatching(sl.circulant))
def circulant(c: Any) -> Any:
    c = vector(c)
    return diagonals(join(c[..., 1:], c), c.shape[-1]) if c.size else c[..., None] * c[..., None, :]


@composite(dispatching(sl.hankel))
def hankel(c: Any, r: Any = None) -> Any:
    c = np.ravel(as_array(c))
    r = np.zeros_like(c) if r is None else np.ravel(as_array(r))
    return antidiagonals(join(c, r[1:]), rows=len(c)) if c.size and r.size else c[:, None] * r


@composite(dispatching(sl.convolution_matrix))
def convolution_matrix(a: Any, n: int, mode: str = "full") -> Any:
    """The rows of the full matrix, whose entries are a[i − j], that np.convolve has in this mode."""
    a = as_array(a)
    m = a.shape[-1]
    if n <= 0:
        raise ValueError("n must be a positive integer.")
    if m == 0:
        raise ValueError("len(a) must be at least 1.")
    less = min(m, n) - 1
    first, rows = {"full": (0, m + n - 1), "same": (less // 2, max(m, n)), "valid": (less, max(m, n) - less)}[mode]
    frame = np.zeros(n - 1, dtype_of(a))
    return diagonals(join(frame, a, frame)[..., first : first + rows + n - 1], rows)


# ---------------------------------------------------------------- matrices with vectors in some places


def placed(x: Any, rows: Any, columns: Any, n: int) -> Any:
    """The n×n matrices with the vectors x in the given places, and zeros elsewhere."""
    index = (..., np.array(rows, int), np.array(columns, int))
    return scatter(x, path=((take_index, {"index": index}),), shape=(*shape_of(x)[:-1], n, n))


def monic(a: Any) -> Any:
    """The coefficients −a₁/a₀, −a₂/a₀, ..."""
    a = inexact(vector(a))
    raise_if(a[..., :1] == 0, error=ValueError("The leading coefficient, `a[..., 0]`, must not be zero."))
    return -a[..., 1:] / a[..., :1]


@composite(dispatching(sl.leslie))
def leslie(f: Any, s: Any) -> Any:
    f, s = vector(f), vector(s)
    n = f.shape[-1]
    if s.shape[-1] != n - 1 or n < 2:
        raise ValueError("Incorrect lengths for f and s: s must have one entry less than f, and at least one.")
    return placed(join(f, s), [0] * n + [*range(1, n)], [*range(n), *range(n - 1)], n)


@composite(dispatching(sl.companion))
def companion(a: Any) -> Any:
    n = vector(a).shape[-1] - 1
    if n < 1:
        raise ValueError("The length of `a` along the last axis must be at least 2.")
    row = monic(a)
    return placed(row, [0] * n, range(n), n) + np.eye(n, k=-1, dtype=dtype_of(row))


@composite(dispatching(sl.fiedler_companion))
def fiedler_companion(a: Any) -> Any:
    n = vector(a).shape[-1] - 1
    if n < 1:
        return vector(a)[..., :0]
    b, k = monic(a), np.arange(n)
    odd, even = k[3::2], k[2::2]
    ones = np.zeros((n, n), dtype_of(b))
    ones[1:2, 0] = ones[odd, odd - 2] = ones[even - 2, even] = 1
    is_odd = k % 2 == 1
    return placed(b, np.where(is_odd, k - 1, k), np.where(is_odd, k, np.maximum(k - 1, 0)), n) + ones


@composite(dispatching(sl.fiedler))
def fiedler(a: Any) -> Any:
    a = vector(a)
    if not a.size:
        return np.zeros(0)
    M = np.abs(a[..., :, None] - a[..., None, :])
    return np.where(np.eye(a.shape[-1], dtype=bool), 0, M) if dtype_of(a).kind == "c" else M


# ---------------------------------------------------------------- matrices made of matrices


@composite(dispatching(sl.block_diag))
def block_diag(*arrs: Any) -> Any:
    blocks = [np.atleast_2d(as_array(a)) for a in arrs or ([],)]
    lead = np.broadcast_shapes(*(b.shape[:-2] for b in blocks))
    width, dtype = sum(b.shape[-1] for b in blocks), np.result_type(*map(dtype_of, blocks))
    rows, left = [], 0
    for b in blocks:
        m, n = b.shape[-2:]
        zeros = [np.zeros((*lead, m, k), dtype) for k in (left, width - left - n)]
        rows.append(np.concatenate([zeros[0], np.broadcast_to(b, (*lead, m, n)), zeros[1]], -1))
        left += n
    return np.concatenate(rows, -2)


@composite(dispatching(sl.khatri_rao))
def khatri_rao(a: Any, b: Any) -> Any:
    a, b = as_array(a), as_array(b)
    if a.shape[-1] != b.shape[-1]:
        raise ValueError("The number of columns for both arrays should be equal.")
    c = a[..., :, None, :] * b[..., None, :, :]
    return np.reshape(c, (*c.shape[:-3], c.shape[-3] * c.shape[-2], c.shape[-1]))


# ---------------------------------------------------------------- Toeplitz and circulant matrices


def column_and_row(c_or_cr: Any) -> tuple[Any, Any]:
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, conj(as_array(c_or_cr)))
    return double(vector(c)), double(vector(r))


def toeplitz_product(c: Any, r: Any, X: Any) -> Any:
    """T X, by the circulant matrix in which T is embedded."""
    if not X.size:
        return np.zeros((*X.shape[:-2], c.shape[-1], X.shape[-1]), dtype_of(X))
    period = join(c, r[..., :0:-1])[..., None]
    n = period.shape[-2]
    if any(dtype_of(x).kind == "c" for x in (period, X)):
        Y = np.fft.ifft(np.fft.fft(period, axis=-2) * np.fft.fft(X, n, -2), axis=-2)
    else:
        Y = np.fft.irfft(np.fft.rfft(period, axis=-2) * np.fft.rfft(X, n, -2), n, -2)
    return Y[..., : c.shape[-1], :]


@composite(dispatching(sl.matmul_toeplitz))
def matmul_toeplitz(c_or_cr: Any, x: Any, check_finite: bool = False, workers: int | None = None) -> Any:
    c, r, x = checked(check_finite, *column_and_row(c_or_cr), x)
    return columns(lambda X: toeplitz_product(c, r, X), double(x))


@primitive
def levinson(c: Any, r: Any, B: Any) -> Any:
    """X with T X = B for a Toeplitz matrix T, in O(n²)."""
    solve = lambda c, r, B: sl.solve_toeplitz((c, r), B, check_finite=False)
    return np.vectorize(solve, signature="(n),(n),(n,k)->(n,k)")(c, r, B) if B.size else B  # SciPy 1.16 joins a batch


@rule(levinson, "(n),(n),(n,k)->(n,k)")
def _levinson(X: Any, c: Any, r: Any, B: Any) -> Any:
    """G = T X − B."""
    return implicit(
        lambda c, r, B: toeplitz_product(c, r, X) - B,
        (c, r, B),
        lambda F: levinson(c, r, F),
        lambda Xbar: levinson(join(conj(c[..., :1]), conj(r[..., 1:])), conj(c), Xbar),
    )


@composite(dispatching(sl.solve_toeplitz))
def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: bool = True) -> Any:
    c, r, b = checked(check_finite, *column_and_row(c_or_cr), b)
    return columns(lambda B: levinson(c, r, B), b)


@composite(dispatching(sl.solve_circulant))
def solve_circulant(
    c: Any, b: Any, singular: str = "raise", tol: Any = None, caxis: int = -1, baxis: int = 0, outaxis: int = 0
) -> Any:
    """By the eigenvalues of C, the Fourier transform of c: division, or with ``lstsq`` by its pseudo-inverse."""
    c, b = np.moveaxis(vector(c), caxis, -1), np.moveaxis(vector(b), baxis, -1)
    if c.shape[-1] != b.shape[-1]:
        raise ValueError(f"Shapes of c {c.shape} and b {b.shape} are incompatible")
    if not b.size:
        return np.moveaxis(b * inexact(c), -1, outaxis)
    w = np.fft.fft(c)
    size = np.abs(w)
    if tol is None:
        tol = np.max(size, -1, keepdims=True, initial=0) * c.shape[-1] * np.finfo(np.float64).eps
    zero = size <= tol
    if singular == "raise":
        raise_if(zero, error=LinAlgError("near singular circulant matrix."))
    x = np.fft.ifft(np.where(zero, 0, np.fft.fft(b) / np.where(zero, 1, w)))
    return np.moveaxis(x if any(dtype_of(v).kind == "c" for v in (b, c)) else np.real(x), -1, outaxis)


# ---------------------------------------------------------------- banded matrices: A[i, j] stands at ab[u + i − j, j]


def moved(x: Any, d: int) -> Any:
    """x[i + d] at i along the axis before the last, and zero beyond the ends."""
    n = x.shape[-2]
    zeros = np.zeros_like(x[..., : min(abs(d), n), :])
    return (
        np.concatenate([x[..., d:, :], zeros], -2)
        if d >= 0
        else np.concatenate([zeros, x[..., : max(n + d, 0), :]], -2)
    )


def band_product(ab: Any, X: Any, u: int) -> Any:
    """A X, one diagonal after the other."""
    return sum(moved(ab[..., k, :, None] * X, u - k) for k in range(ab.shape[-2]))


def transposed_bands(ab: Any, u: int) -> Any:
    """The bands of Aᴴ."""
    rows = range(ab.shape[-2])[::-1]
    return np.concatenate([moved(conj(ab[..., k, :, None]), u - k) for k in rows], -1).swapaxes(-1, -2)


@primitive
def banded_system(ab: Any, B: Any, *, l_and_u: tuple[int, int]) -> Any:
    """X with A X = B for a banded matrix."""
    return sl.solve_banded(l_and_u, ab, B, check_finite=False)


@rule(banded_system, "(b,n),(n,k)->(n,k)")
def _banded_system(X: Any, ab: Any, B: Any, *, l_and_u: tuple[int, int]) -> Any:
    """G = A X − B."""
    below, above = l_and_u
    return implicit(
        lambda ab, B: band_product(ab, X, above) - B,
        (ab, B),
        lambda F: banded_system(ab, F, l_and_u=l_and_u),
        lambda Xbar: banded_system(transposed_bands(ab, above), Xbar, l_and_u=(above, below)),
    )


@composite(dispatching(sl.solve_banded))
def solve_banded(
    l_and_u: tuple[int, int],
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    ab, b = checked(check_finite, ab, b)
    return columns(lambda B: banded_system(ab, B, l_and_u=tuple(l_and_u)), b)


def hermitian_bands(ab: Any, lower: bool) -> Any:
    """All bands of a Hermitian matrix of which those on one side are given; its diagonal is real."""
    u = ab.shape[-2] - 1
    main = u * (not lower)
    diagonal = np.real(ab[..., main : main + 1, :]).astype(dtype_of(ab))
    if u == 0:
        return diagonal
    given = ab[..., 1:, :] if lower else ab[..., :-1, :]
    other = transposed_bands(given, -1 if lower else u)
    return np.concatenate([other, diagonal, given] if lower else [given, diagonal, other], -2)


@primitive
def hermitian_banded_system(ab: Any, B: Any, *, lower: bool = False) -> Any:
    """X with A X = B for a banded, Hermitian and positive definite matrix."""
    return sl.solveh_banded(ab, B, lower=lower, check_finite=False)


@rule(hermitian_banded_system, "(b,n),(n,k)->(n,k)")
def _hermitian_banded_system(X: Any, ab: Any, B: Any, *, lower: bool = False) -> Any:
    """G = A X − B."""

    def inverse(F: Any) -> Any:
        return hermitian_banded_system(ab, F, lower=lower)

    return implicit(
        lambda ab, B: band_product(hermitian_bands(ab, lower), X, ab.shape[-2] - 1) - B, (ab, B), inverse, inverse
    )


@composite(dispatching(sl.solveh_banded))
def solveh_banded(
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    lower: bool = False,
    check_finite: bool = True,
) -> Any:
    ab, b = checked(check_finite, ab, b)
    return columns(lambda B: hermitian_banded_system(ab, B, lower=lower), b)

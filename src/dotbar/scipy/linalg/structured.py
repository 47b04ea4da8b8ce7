"""Matrices of a structure, made from vectors and blocks, and equations and products with them in less than O(n³)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg as sl
from numpy.lib.stride_tricks import sliding_window_view
from numpy.linalg import LinAlgError

from dotbar.core import as_array, dtype_of, primitive, shape_of, take_index
from dotbar.rules.kinds import composite, constant, linear, rule
from dotbar.rules.lapack_words import inexact, raise_if
from dotbar.rules.words import conj, once, scatter
from dotbar.scipy.linalg.equations import checked, columns, double
from dotbar.scipy.mirror import dispatching

for _fn in (sl.bandwidth, sl.issymmetric, sl.ishermitian):
    constant(dispatching(_fn))


# ---------------------------------------------------------------- matrices constant along diagonals


def vector(x: Any) -> Any:
    x = as_array(x)
    return x if np.ndim(x) else np.atleast_1d(x)


def flat(x: Any) -> Any:
    x = as_array(x)
    return x if np.ndim(x) == 1 else np.ravel(x)


def join(*parts: Any) -> Any:
    """The vectors along the last axis end to end, their other axes broadcast."""
    lead = np.broadcast_shapes(*(shape_of(x)[:-1] for x in parts))
    full = (x if shape_of(x)[:-1] == lead else np.broadcast_to(x, lead + shape_of(x)[-1:]) for x in parts)
    return np.concatenate([*full], -1)


@primitive
def diagonals(v: Any, *, columns: int, anti: bool = False) -> Any:
    """The matrix of the entries v[i − j + n − 1], or if ``anti`` v[i + j], for so many columns n."""
    rows = sliding_window_view(v if anti else np.flip(v, -1), columns, -1)
    return (rows if anti else np.flip(rows, -2)).copy()


ROWS = 64  # are added at once


@primitive
def diagonal_sums(M: Any, *, anti: bool = False) -> Any:
    """Σ M[i, j] over i − j = k − n + 1, or if ``anti`` i + j = k: the transpose of ``diagonals``."""
    *lead, m, n = M.shape
    M = M if anti else np.flip(M, -2)
    k = min(m, ROWS)
    v = np.zeros((*lead, m + n + k), M.dtype)
    slanted = np.zeros((*lead, k, n + k), M.dtype)
    for first in range(0, m, k) if n else ():
        rows = M[..., first : first + k, :]
        slanted[..., : rows.shape[-2], :n] = rows
        slanted[..., rows.shape[-2] :, :n] = 0
        flat = np.reshape(slanted, (*lead, -1))[..., :-k]  # each row one place further than that before
        v[..., first : first + n + k - 1] += np.sum(np.reshape(flat, (*lead, k, n + k - 1)), -2)
    v = v[..., : max(m + n - 1, 0)]
    return v if anti else np.flip(v, -1)


linear(
    diagonals, lambda Mbar, v, *, columns, anti=False: diagonal_sums(Mbar, anti=anti), batch="(n)->(m,k)", moves=True
)
linear(
    diagonal_sums, lambda vbar, M, *, anti=False: diagonals(vbar, columns=M.shape[-1], anti=anti), batch="(m,k)->(n)"
)


@composite(dispatching(sl.toeplitz))
def toeplitz(c: Any, r: Any = None) -> Any:
    c = vector(c)
    r = conj(c) if r is None else vector(r)
    empty = not (c.size and r.size)
    return c[..., None] * r[..., None, :] if empty else diagonals(join(r[..., :0:-1], c), columns=r.shape[-1])


@composite(dispatching(sl.circulant))
def circulant(c: Any) -> Any:
    c = vector(c)
    return diagonals(join(c[..., 1:], c), columns=c.shape[-1]) if c.size else c[..., None] * c[..., None, :]


@composite(dispatching(sl.hankel))
def hankel(c: Any, r: Any = None) -> Any:
    c = flat(c)
    r = np.zeros_like(c) if r is None else flat(r)
    return diagonals(join(c, r[1:]), columns=len(r), anti=True) if c.size and r.size else c[:, None] * r


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
    return diagonals(join(frame, a, frame)[..., first : first + rows + n - 1], columns=n)


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
    return columns(lambda X: toeplitz_product(c, r, X), double(x), r.shape[-1])


@primitive
def levinson(c: Any, r: Any, B: Any) -> Any:
    """X with T X = B for a Toeplitz matrix T, in O(n²)."""
    solve = lambda c, r, B: sl.solve_toeplitz((c, r), B, check_finite=False)
    return np.vectorize(solve, signature="(n),(n),(n,k)->(n,k)")(c, r, B) if B.size else B  # SciPy 1.16 joins a batch


@rule(levinson, "(n),(n),(n,k)->(n,k)")
def _levinson(X: Any, c: Any, r: Any, B: Any) -> Any:
    """Ẋ = T⁻¹(Ḃ − ṪX);  B̄ = T⁻ᴴX̄, and c̄ and r̄ are the sums of −B̄Xᴴ along diagonals: a correlation."""
    n = c.shape[-1]

    def solve(F: Any) -> Any:
        return levinson(c, r, F)

    @once
    def adjoint(Xbar: Any) -> Any:
        return levinson(join(conj(c[..., :1]), conj(r[..., 1:])), conj(c), Xbar)

    @once
    def sums(Xbar: Any) -> Any:
        """Those below the diagonal and on it, then those above from the corner inwards."""
        size = max(2 * n - 1, 1)
        F, G = (np.fft.fft(M, size, -2) for M in (adjoint(Xbar), X))
        total = -np.fft.ifft(np.sum(F * conj(G), -1))
        return total if dtype_of(X).kind == "c" else np.real(total)

    def bar_r(Xbar: Any) -> Any:
        above = np.flip(sums(Xbar)[..., max(n, 1) :], -1)
        return join(np.zeros_like(r[..., :1]), above)

    return (
        (lambda dot: -solve(toeplitz_product(dot, np.zeros_like(r), X)), lambda Xbar: sums(Xbar)[..., :n]),
        (lambda dot: -solve(toeplitz_product(np.zeros_like(c), dot, X)), bar_r),
        (solve, adjoint),
    )


@composite(dispatching(sl.solve_toeplitz))
def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: bool = True) -> Any:
    c, r, b = checked(check_finite, *column_and_row(c_or_cr), b)
    return columns(lambda B: levinson(c, r, B), b, c.shape[-1])


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


def crossed(k: int, u: int, n: int) -> tuple[slice, slice]:
    """The rows and the columns in which the k-th of the bands meets the matrix."""
    d = u - k
    return slice(max(-d, 0), max(n - max(d, 0), 0)), slice(max(d, 0), max(n - max(-d, 0), 0))


@primitive
def band_product(ab: Any, X: Any, *, u: int) -> Any:
    """A X, one diagonal after the other."""
    lead = np.broadcast_shapes(ab.shape[:-2], X.shape[:-2])
    Y = np.zeros(lead + X.shape[-2:], np.result_type(ab, X))
    for k in range(ab.shape[-2]):
        rows, columns = crossed(k, u, X.shape[-2])
        Y[..., rows, :] += ab[..., k, columns, None] * X[..., columns, :]
    return Y


@primitive
def bands_of_product(X: Any, Y: Any, *, u: int, count: int) -> Any:
    """The bands of X Yᴴ."""
    lead, n = np.broadcast_shapes(X.shape[:-2], Y.shape[:-2]), X.shape[-2]
    ab = np.zeros((*lead, count, n), np.result_type(X, Y))
    for k in range(count):
        rows, columns = crossed(k, u, n)
        ab[..., k, columns] = np.einsum("...ik,...ik->...i", X[..., rows, :], conj(Y[..., columns, :]))
    return ab


@primitive
def adjoint_bands(ab: Any, *, u: int) -> Any:
    """The bands of Aᴴ."""
    count, n = ab.shape[-2:]
    turned = np.zeros_like(ab)
    for k in range(count):
        rows, columns = crossed(k, u, n)
        turned[..., count - 1 - k, rows] = conj(ab[..., k, columns])
    return turned


def below(ab: Any, u: int) -> int:
    """How many diagonals stand below the main one, of which u are above."""
    return ab.shape[-2] - 1 - u


linear(adjoint_bands, lambda ab_bar, ab, *, u: adjoint_bands(ab_bar, u=below(ab, u)), batch="(b,n)->(b,n)")


@rule(band_product, "(b,n),(n,k)->(n,k)")
def _band_product(Y: Any, ab: Any, X: Any, *, u: int) -> Any:
    return (
        (lambda dot: band_product(dot, X, u=u), lambda Ybar: bands_of_product(Ybar, X, u=u, count=ab.shape[-2])),
        (
            lambda dot: band_product(ab, dot, u=u),
            lambda Ybar: band_product(adjoint_bands(ab, u=u), Ybar, u=below(ab, u)),
        ),
    )


@rule(bands_of_product, "(n,k),(n,k)->(b,n)")
def _bands_of_product(ab: Any, X: Any, Y: Any, *, u: int, count: int) -> Any:
    return (
        (lambda dot: bands_of_product(dot, Y, u=u, count=count), lambda ab_bar: band_product(ab_bar, Y, u=u)),
        (
            lambda dot: bands_of_product(X, dot, u=u, count=count),
            lambda ab_bar: band_product(adjoint_bands(ab_bar, u=u), X, u=count - 1 - u),
        ),
    )


def banded_rule(X: Any, ab: Any, u: int, solve: Callable[[Any], Any], adjoint: Callable[[Any], Any]) -> Any:
    """Giles (2008), 2.3.1: Ẋ = A⁻¹(Ḃ − ȦX);  B̄ = A⁻ᴴX̄, Ā = −B̄Xᴴ on the bands."""
    adjoint = once(adjoint)
    return (
        (
            lambda dot: -solve(band_product(dot, X, u=u)),
            lambda Xbar: -bands_of_product(adjoint(Xbar), X, u=u, count=ab.shape[-2]),
        ),
        (solve, adjoint),
    )


@primitive
def banded_system(ab: Any, B: Any, *, l_and_u: tuple[int, int]) -> Any:
    """X with A X = B for a banded matrix."""
    return sl.solve_banded(l_and_u, ab, B, check_finite=False)


@rule(banded_system, "(b,n),(n,k)->(n,k)")
def _banded_system(X: Any, ab: Any, B: Any, *, l_and_u: tuple[int, int]) -> Any:
    lower, u = l_and_u
    return banded_rule(
        X,
        ab,
        u,
        lambda B: banded_system(ab, B, l_and_u=l_and_u),
        lambda Xbar: banded_system(adjoint_bands(ab, u=u), Xbar, l_and_u=(u, lower)),
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
    return columns(lambda B: banded_system(ab, B, l_and_u=tuple(l_and_u)), b, ab.shape[-1])


@primitive
def triangular_banded_system(ab: Any, B: Any, *, lower: bool, adjoint: bool = False) -> Any:
    """X with T X = B, or Tᴴ X = B, for the bands of a triangular matrix; nan if it is singular."""
    lead = np.broadcast_shapes(ab.shape[:-2], B.shape[:-2])
    ab, B = np.broadcast_to(ab, lead + ab.shape[-2:]), np.broadcast_to(B, lead + B.shape[-2:])
    tbtrs = sl.get_lapack_funcs("tbtrs", (ab, B))
    X = np.empty(B.shape, tbtrs.dtype)
    for i in np.ndindex(lead) if B.size else ():
        solution, info = tbtrs(ab[i], B[i], uplo="UL"[lower], trans="NC"[adjoint])
        X[i] = np.nan if info else solution
    return X


@rule(triangular_banded_system, "(b,n),(n,k)->(n,k)")
def _triangular_banded_system(X: Any, ab: Any, B: Any, *, lower: bool, adjoint: bool = False) -> Any:
    def solve(B: Any, adjoint: bool = adjoint) -> Any:
        return triangular_banded_system(ab, B, lower=lower, adjoint=adjoint)

    def transposed(Xbar: Any) -> Any:
        return solve(Xbar, adjoint=not adjoint)

    u = 0 if lower else ab.shape[-2] - 1
    if not adjoint:
        return banded_rule(X, ab, u, solve, transposed)
    return (
        (
            lambda dot: -solve(band_product(adjoint_bands(dot, u=u), X, u=below(ab, u))),
            lambda Xbar: -bands_of_product(X, transposed(Xbar), u=u, count=ab.shape[-2]),
        ),
        (solve, transposed),
    )


def hermitian_bands(ab: Any, lower: bool) -> Any:
    """All bands of a Hermitian matrix of which those on one side are given; its diagonal is real."""
    u = ab.shape[-2] - 1
    main = u * (not lower)
    diagonal = np.real(ab[..., main : main + 1, :]).astype(dtype_of(ab))
    if u == 0:
        return diagonal
    given = ab[..., 1:, :] if lower else ab[..., :-1, :]
    other = adjoint_bands(given, u=-1 if lower else u)
    return np.concatenate([other, diagonal, given] if lower else [given, diagonal, other], -2)


def half_bands(ab: Any, lower: bool) -> Any:
    """The transpose of ``hermitian_bands`` on the bands of a Hermitian matrix."""
    u = ab.shape[-2] // 2
    diagonal = np.real(ab[..., u : u + 1, :]).astype(dtype_of(ab))
    return np.concatenate([diagonal, 2 * ab[..., u + 1 :, :]] if lower else [2 * ab[..., :u, :], diagonal], -2)


@primitive
def hermitian_banded_system(ab: Any, B: Any, *, lower: bool = False) -> Any:
    """X with A X = B for a banded, Hermitian and positive definite matrix."""
    return sl.solveh_banded(ab, B, lower=lower, check_finite=False)


@rule(hermitian_banded_system, "(b,n),(n,k)->(n,k)")
def _hermitian_banded_system(X: Any, ab: Any, B: Any, *, lower: bool = False) -> Any:
    """As of any banded matrix, with A = Aᴴ."""
    u = ab.shape[-2] - 1

    @once
    def inverse(F: Any) -> Any:
        return hermitian_banded_system(ab, F, lower=lower)

    def bar(Xbar: Any) -> Any:
        Bbar = inverse(Xbar)
        product = lambda X, Y: bands_of_product(X, Y, u=u, count=2 * u + 1)
        return -half_bands(product(Bbar, X) + product(X, Bbar), lower) / 2

    return (lambda dot: -inverse(band_product(hermitian_bands(dot, lower), X, u=u)), bar), (inverse, inverse)


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
    return columns(lambda B: hermitian_banded_system(ab, B, lower=lower), b, ab.shape[-1])

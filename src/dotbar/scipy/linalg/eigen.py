"""Eigenproblems, ordinary and generalised: of general, Hermitian, tridiagonal and banded matrices."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg as sl
from numpy.linalg import LinAlgError

from dotbar.core import dtype_of, primitive
from dotbar.errors import NoRuleError
from dotbar.rules import spectral
from dotbar.rules.kinds import composite, constant, rule
from dotbar.rules.lapack_words import diag, raise_if, solve_triangular
from dotbar.rules.spectral import block_mean, over_gaps, phase_rate, refuse, refuse_phases, repeated, same_value
from dotbar.rules.words import H, conj, mT, once, stop_gradient
from dotbar.scipy.linalg.equations import checked, hermitian
from dotbar.scipy.linalg.factorizations import cholesky, columns, found, per_matrix_of, rows
from dotbar.scipy.linalg.structured import adjoint_bands, band_product, bands_of_product, half_bands, hermitian_bands
from dotbar.scipy.mirror import dispatching

eig = dispatching(sl.eig)
eigh = dispatching(sl.eigh)
eigh_tridiagonal = dispatching(sl.eigh_tridiagonal)
eig_banded = dispatching(sl.eig_banded)

# ---------------------------------------------------------------- general matrices


@primitive
def as_eigensystem(A: Any, w: Any, V: Any) -> Any:
    """w and V, as the eigenvalues and vectors of A."""
    return w, V


@rule(as_eigensystem, "(n,n),(n),(n,n)->(n),(n,n)")
def _as_eigensystem(y: Any, A: Any, w: Any, V: Any) -> Any:
    return spectral.eig(y, A), None, None


@primitive
def as_eigenpencil(A: Any, B: Any, w: Any, V: Any) -> Any:
    """w and V, as the eigenvalues and vectors of A v = w B v."""
    return w, V


@rule(as_eigenpencil, "(n,n),(n,n),(n),(n,n)->(n),(n,n)")
def _as_eigenpencil(y: Any, A: Any, B: Any, w: Any, V: Any) -> Any:
    """With P = (BV)⁻¹(ȦV − ḂV diag w):  ẇ = diag P,  V̇ = V(F∘P), less its part along v.

    The vectors have norm 1; their phases are LAPACK's own.  Stewart & Sun (1990), chapter VI.
    """
    w, V = y
    same = same_value(w)
    VL = V * w[..., None, :]

    def inverse() -> Any:
        raise_if(~np.isfinite(w), error=LinAlgError("an infinite eigenvalue has no derivative: B is singular."))
        X = B @ V
        size = np.linalg.norm(X, axis=-2, keepdims=True)
        return spectral.left_vectors(X / size) / mT(size)

    def dot(XdotV: Any) -> Any:
        P = inverse() @ XdotV
        wdot = block_mean(np.diagonal(P, axis1=-2, axis2=-1), same)

        def Vdot() -> Any:
            refuse(repeated(same), P - diag(wdot), P, message=spectral.EIGENVECTORS)
            X = V @ over_gaps(P, w, same)
            return X - V * np.sum(conj(V) * X, -2, keepdims=True)

        return wdot, Vdot

    @once
    def bar(ybar: Any) -> Any:
        wbar, Vbar = ybar
        wbar = np.zeros_like(w) if wbar is None else wbar
        mean = block_mean(wbar, same)
        core = diag(mean)
        if Vbar is not None:
            K = H(V) @ Vbar
            k = np.diagonal(K, axis1=-2, axis2=-1)
            refuse_phases(k, Vbar, "scipy.linalg.eig(a, b)")
            refuse(repeated(same), K, Vbar, message=spectral.EIGENVECTORS)
            refuse(repeated(same), diag(wbar - mean), diag(wbar), message=spectral.EIGENVECTORS)
            core = core + conj(over_gaps(conj(K - H(V) @ (V * k[..., None, :])), w, same))
        return H(inverse()) @ core

    return (
        (lambda Adot: dot(Adot @ V), lambda ybar: bar(ybar) @ H(V)),
        (lambda Bdot: dot(-Bdot @ VL), lambda ybar: -bar(ybar) @ H(VL)),
        None,
        None,
    )


def eigensystem(*matrices: Any, left: bool, right: bool) -> Any:
    """The eigenvalues, real if all of them are, and the left and the right eigenvectors, as SciPy has them."""
    w, *vectors = sl.eig(*matrices, left=left, right=right)
    return w if vectors[0].dtype.kind == "c" else w.real, *vectors


def as_complex(w: Any) -> Any:
    """In the complex type of the same precision."""
    return w.astype(np.result_type(dtype_of(w), np.complex64))


def homogeneous(w: Any, b: Any) -> Any:
    """(w, 1) of each eigenvalue."""
    if b is not None:
        raise NoRuleError(
            "scipy.linalg.eig and eigvals with homogeneous_eigvals=True have no derivative for two matrices: only the "
            "ratios of the coordinates are determined."
        )
    return np.stack([w, np.ones_like(w)], -2)


@composite(eig)
def _eig(
    a: Any,
    b: Any = None,
    left: bool = False,
    right: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    if not (left or right):
        return eigvals(a, b, check_finite=check_finite, homogeneous_eigvals=homogeneous_eigvals)
    if b is not None and not right:
        raise NoRuleError(
            "scipy.linalg.eig(a, b, left=True, right=False) has no derivative, as SciPy leaves the norm of the vectors "
            "open. With right=True it is 1."
        )
    matrices = checked(check_finite, *([a] if b is None else [a, b]))
    as_found: Any = as_eigensystem if b is None else as_eigenpencil
    w, *vectors = found(*matrices, solver=partial(eigensystem, left=left, right=right))
    values = w
    if left:
        conjugates, vectors[0] = as_found(*map(H, matrices), conj(w), vectors[0])
        values = conj(conjugates)
    if right:
        values, vectors[-1] = as_found(*matrices, w, vectors[-1])
    w = as_complex(values)
    return homogeneous(w, b) if homogeneous_eigvals else w, *vectors


@composite(dispatching(sl.eigvals))
def eigvals(
    a: Any,
    b: Any = None,
    overwrite_a: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    return eig(a, b, check_finite=check_finite, homogeneous_eigvals=homogeneous_eigvals)[0]


# ---------------------------------------------------------------- Hermitian matrices


def side(lower: bool) -> Any:
    """NumPy's name of the triangle that is read."""
    return "L" if lower else "U"


@primitive
def as_hermitian(A: Any, w: Any, V: Any, *, lower: bool = True) -> Any:
    """w and V, as the eigenvalues and vectors of a Hermitian A.

    All drivers of LAPACK leave the first coordinate of the vectors real, the last if they work on the upper triangle.
    """
    return w, V


@rule(as_hermitian, "(n,n),(n),(n,n)->(n),(n,n)")
def _as_hermitian(y: Any, A: Any, w: Any, V: Any, *, lower: bool = True) -> Any:
    return spectral.eigh(y, A, UPLO=side(lower)), None, None


def chosen(w: Any, V: Any, by_index: Any, by_value: Any, arrays: Any, solver: Callable[..., Any]) -> Any:
    """Some of all eigenvalues and vectors, these with the signs that ``solver`` gives them."""
    if by_index is None and by_value is None:
        return w if V is None else (w, V)
    if by_index is not None:
        index = np.arange(by_index[0], by_index[1] + 1) + np.zeros(w.shape[:-1] + (1,), int)
    else:
        inside = (w > by_value[0]) & (w <= by_value[1])
        count = np.flatnonzero(np.reshape(inside, (-1, w.shape[-1]))[0]).shape[0]
        raise_if(np.sum(inside, -1) != count, error=ValueError("different numbers of eigenvalues in the interval"))
        index = np.sum(w <= by_value[0], -1)[..., None] + np.arange(count)
    w = np.take_along_axis(w, index, -1)
    if V is None:
        return w
    V = columns(V, index)
    overlap = np.real(np.sum(conj(found(*arrays, solver=solver)[1]) * V, -2, keepdims=True))
    return w, np.where(overlap < 0, -V, V)


@composite(eigh)
def _eigh(
    a: Any,
    b: Any = None,
    *,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: str | None = None,
) -> Any:
    """With B = LLᴴ, A v = w B v is (L⁻¹AL⁻ᴴ)x = w x for x = Lᴴv; types 2 and 3 are (LᴴAL)x = w x.

    Golub & Van Loan (2013), section 8.7.2, as LAPACK computes it.
    """
    settings = {"lower": lower, "subset_by_index": subset_by_index, "subset_by_value": subset_by_value}
    (a,) = checked(check_finite, a)
    if b is None:
        if eigvals_only:
            return chosen(np.linalg.eigvalsh(a, side(lower)), None, subset_by_index, subset_by_value, (), sl.eigh)
        w, V = as_hermitian(a, *found(a, solver=partial(sl.eigh, lower=lower, driver=driver)), lower=lower)
        return chosen(w, V, subset_by_index, subset_by_value, (a,), partial(sl.eigh, driver=driver, **settings))
    if type not in (1, 2, 3) or driver not in (None, "gv", "gvd", "gvx"):
        raise ValueError(f"eigh(a, b) has the types 1, 2 and 3, and no driver {driver!r} for type {type!r}.")
    (b,) = checked(check_finite, b)
    if b.shape[-2:] != a.shape[-2:]:
        raise ValueError(f"wrong b dimensions {b.shape}, should be {a.shape}")
    L, A = cholesky(b, lower=lower, check_finite=check_finite), hermitian(a, lower=lower)
    L = L if lower else H(L)
    if type == 1:
        half = solve_triangular(L, A)
        C = solve_triangular(L, H(half))
    else:
        C = H(L) @ A @ L
    if driver is None:
        driver = "gvd" if subset_by_index is None and subset_by_value is None else "gvx"
    pairs = eigh(C, eigvals_only=eigvals_only, driver=driver.replace("g", "e"), **settings)
    if eigvals_only:
        return pairs
    w, X = pairs
    return w, L @ X if type == 3 else solve_triangular(L, X, adjoint=True)


@composite(dispatching(sl.eigvalsh))
def _eigvalsh(
    a: Any,
    b: Any = None,
    *,
    lower: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: int = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: str | None = None,
) -> Any:
    subset = {"subset_by_index": subset_by_index, "subset_by_value": subset_by_value}
    settings = {"lower": lower, "eigvals_only": True, "type": type, "check_finite": check_finite, "driver": driver}
    return eigh(a, b, **settings, **subset)


# ---------------------------------------------------------------- tridiagonal and banded matrices, by their lower bands


def size_of(ab: Any) -> Any:
    """A bound of ‖A‖: the largest sum along the bands of one side, twice."""
    return 2 * np.max(np.sum(np.abs(ab), -2), -1, initial=0)


def same_beside(w: Any, ab: Any) -> Any:
    """``same_value`` of some eigenvalues of A: beside the others, too, a gap of n·eps·‖A‖ is none."""
    return same_value(np.concatenate([w, size_of(ab)[..., None].astype(dtype_of(w))], -1))[..., :-1, :-1]


@primitive
def refuse_basis(V: Any, X: Any, same: Any) -> Any:
    """Refuse X if it has a part along other vectors of the eigenspace."""
    if np.any(where := repeated(same)):
        refuse(where, H(V) @ X, X, message=spectral.EIGENVECTORS)
    return same


constant(refuse_basis, like=lambda V, X, same: None, batch="(n,k),(n,k),(k,k)->(k,k)")


def over_value(ab: Any, w: Any, b: Any, shift: float = 0.0) -> Any:
    """(A − w)⁻¹ b for one eigenvalue, which rounding makes regular, or a shift of the same size."""
    u, n = len(ab) - 1, len(b)
    main = np.real(ab[0]) - (w + shift)
    if u == 1:
        gtsv = sl.get_lapack_funcs("gtsv", (ab, b))
        *_, x, info = gtsv(ab[1, :-1], main, conj(ab[1, :-1]), b)
    else:
        gbsv = sl.get_lapack_funcs("gbsv", (ab, b))
        bands = np.zeros((3 * u + 1, n), ab.dtype, order="F")
        bands[u:] = hermitian_bands(ab, True)
        bands[2 * u] = main
        *_, x, info = gbsv(u, u, bands, b, overwrite_ab=True)
    return over_value(ab, w, b, np.finfo(main.dtype).eps * size_of(ab)) if info and not shift else x


SMALL = 256  # up to this order two products of matrices are faster than a banded system for each column


@primitive
def over_values(ab: Any, w: Any, V: Any, B: Any) -> Any:
    """(A − wᵢ)⁺bᵢ for each eigenvalue and column, in O(n u²): without their parts in its eigenspace.

    Where that is slower, by all eigenvectors.
    """
    same, u = same_beside(w, ab), ab.shape[-2] - 1
    if w.shape[-1] == V.shape[-2] <= max(SMALL, u * u):
        return -V @ over_gaps(H(V) @ B, w, same)
    any_repeated = np.any(repeated(same))

    def outside(X: Any) -> Any:
        own = V @ (same * (H(V) @ X)) if any_repeated else V * np.sum(conj(V) * X, -2, keepdims=True)
        return X - own

    B = outside(B)
    lead = np.broadcast_shapes(ab.shape[:-2], B.shape[:-2])
    ab, B, w = (np.broadcast_to(x, lead + x.shape[-k:]) for x, k in ((ab, 2), (B, 2), (w, 1)))
    X = np.empty(B.shape, np.result_type(ab, B))
    for i in np.ndindex(*lead, w.shape[-1]):
        *item, k = i
        X[(*item, slice(None), k)] = over_value(ab[*item], w[i], B[(*item, slice(None), k)])
    return outside(X)


def of_bands(ab: Any, X: Any) -> Any:
    """A X."""
    return band_product(hermitian_bands(ab, True), X, u=ab.shape[-2] - 1)


def as_bands(X: Any, V: Any, u: int) -> Any:
    """The transpose of A ↦ A V, of the lower bands of a Hermitian A."""
    B = bands_of_product(X, V, u=u, count=2 * u + 1)
    return half_bands(B + adjoint_bands(B, u=u), True) / 2


@rule(over_values, "(b,n),(k),(n,k),(n,k)->(n,k)")
def _over_values(X: Any, ab: Any, w: Any, V: Any, B: Any) -> Any:
    """With S = (A − w)⁺, P = vvᴴ and D = Ȧ − ẇ:  Ṡ = −SDS + S²DP + PDS².  Golub & Pereyra (1973), eq. (4.12)."""
    u, same, fixed = ab.shape[-2] - 1, same_beside(w, ab), (w, V)
    _, V = as_banded(ab, w, V)  # they depend on A
    over = lambda B: over_values(ab, *fixed, B)
    inner = lambda X, Y: np.sum(conj(X) * Y, -2, keepdims=True)

    def refuse_repeated() -> None:
        one = np.ones(same.shape)
        refuse(repeated(same), one, one, message=spectral.EIGENVECTORS)

    def dot(ab_dot: Any) -> Any:
        refuse_repeated()
        AV, AX = of_bands(ab_dot, V), of_bands(ab_dot, X)
        first = over(over(AV) * inner(V, B) - AX + X * np.real(inner(V, AV)))
        return first + V * inner(V, of_bands(ab_dot, over(X)))

    def bar(Xbar: Any) -> Any:
        refuse_repeated()
        Bbar = over(Xbar)
        along_V = over(Bbar) * conj(inner(V, B)) + V * np.real(inner(Bbar, X))
        return as_bands(along_V, V, u) - as_bands(Bbar, X, u) + as_bands(V * inner(V, Xbar), over(X), u)

    return (dot, bar), None, None, (over, over)


@primitive
def as_banded(ab: Any, w: Any, V: Any) -> Any:
    """w and V, as some eigenvalues and vectors of a banded A: if of repeated ones, then of all that are equal."""
    return w, V


@rule(as_banded, "(b,n),(k),(n,k)->(k),(n,k)")
def _as_banded(y: Any, ab: Any, w: Any, V: Any) -> Any:
    """ẇ = diag(VᴴȦV), V̇ = −(A − w)⁺ȦV, whose first coordinate stays real.  Giles (2008), 3.1.

    The reduction to tridiagonal form leaves the first coordinate alone, for either triangle.
    """
    w, V = y
    u, n = ab.shape[-2] - 1, V.shape[-2]
    same, fixed = same_beside(w, ab), (stop_gradient(w), stop_gradient(V))
    is_complex = dtype_of(V).kind == "c"

    def dot(ab_dot: Any) -> Any:
        AV = of_bands(ab_dot, V)
        wdot = block_mean(np.real(np.sum(conj(V) * AV, -2)), same)

        def Vdot() -> Any:
            refuse_basis(V, AV - V * wdot[..., None, :], same)
            X = -over_values(ab, *fixed, AV)
            return X + 1j * V * phase_rate(np.imag(X[..., :1, :]), V[..., :1, :], n) if is_complex else X

        return wdot, Vdot

    def bar(ybar: Any) -> Any:
        wbar, Vbar = ybar
        if Vbar is None:
            return as_bands(V * block_mean(wbar, same)[..., None, :], V, u)
        wbar = np.zeros_like(w) if wbar is None else wbar
        mean = block_mean(wbar, same)
        refuse(repeated(same), diag(wbar - mean), diag(wbar), message=spectral.EIGENVECTORS)
        refuse_basis(V, Vbar, same)
        if is_complex:
            turn = np.imag(np.sum(conj(V) * Vbar, -2, keepdims=True))
            first = Vbar[..., :1, :] + 1j * phase_rate(turn, V[..., :1, :], n)
            Vbar = np.concatenate([first, Vbar[..., 1:, :]], -2)
        return as_bands(V * mean[..., None, :] - over_values(ab, *fixed, Vbar), V, u)

    return (dot, bar), None, None


def near_values(ab: Any, w: Any) -> Any:
    """An orthonormal basis of eigenvectors for some eigenvalues: inverse iteration, then that of Rayleigh and Ritz."""
    V = np.random.default_rng(0).standard_normal((ab.shape[-1], len(w))).astype(ab.dtype)
    for _ in range(2):
        V = np.stack([over_value(ab, *pair) for pair in zip(w, (V / np.max(np.abs(V), 0)).T)], -1)
    V = np.linalg.qr(V)[0]
    return V @ np.linalg.eigh(H(V) @ of_bands(ab, V))[1]


def banded_pairs(
    X: Any, *, solve: Callable[..., Any], lower: bool, eigvals_only: bool, select: Any, select_range: Any, **kw: Any
) -> Any:
    """The selected pairs with others of the same value, the places of the selected, and their signs as SciPy's."""
    if select in ("a", "all", 0):  # one of the drivers has no vectors
        return *(solve(X) if eigvals_only else solve(X, **kw)), np.arange(X.shape[-1])
    got = solve(X, eigvals_only=eigvals_only, select=select, select_range=select_range, **kw)
    w, V = (got, None) if eigvals_only else got
    ab = X if lower else adjoint_bands(X, u=len(X) - 1)
    margin = 2 * ab.shape[-1] * np.finfo(w.dtype).eps * size_of(ab)
    around = lambda w: (w[0] - margin, w[-1] + margin)
    whole, more = w, solve(X, eigvals_only=True, select="v", select_range=around(w)) if w.size and margin else w
    while len(more) > len(whole):
        whole, more = more, solve(X, eigvals_only=True, select="v", select_range=around(more))
    starts = np.arange(len(whole) - len(w) + 1)
    index = min(starts, key=lambda k: np.max(np.abs(whole[k : k + len(w)] - w), initial=0)) + np.arange(len(w))
    if V is None:
        return whole, near_values(ab, whole) if w.size else np.zeros((X.shape[-1], 0), X.dtype), index
    if len(whole) == len(w):
        return w, V, index
    whole, all_vectors = solve(X, select="v", select_range=around(whole))
    turned = np.real(np.sum(conj(V) * all_vectors[:, index], 0)) < 0
    all_vectors[:, index[turned]] *= -1
    return whole, all_vectors, index


def banded_spectrum(a_band: Any, lower: bool, eigvals_only: bool, **settings: Any) -> Any:
    """The selected eigenvalues of a banded matrix, and their vectors."""
    pairs = partial(banded_pairs, lower=lower, eigvals_only=eigvals_only, **settings)
    w, V, index = found(a_band, solver=partial(per_matrix_of, pairs))
    ab = a_band if lower else adjoint_bands(a_band, u=a_band.shape[-2] - 1)
    w, V = as_banded(ab, w, V)
    w = np.take_along_axis(w, index, -1)
    return w if eigvals_only else (w, columns(V, index))


def of_tridiagonal(ab: Any, **kw: Any) -> Any:
    return sl.eigh_tridiagonal(ab[0], ab[1, :-1], **kw)


@composite(eigh_tridiagonal)
def _eigh_tridiagonal(
    d: Any,
    e: Any,
    eigvals_only: bool = False,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> Any:
    d, e = checked(check_finite, d, e)
    ab = np.stack([d, np.concatenate([e, np.zeros_like(d[..., :1])], -1)], -2)
    settings = {"select": select, "select_range": select_range, "tol": tol, "lapack_driver": lapack_driver}
    return banded_spectrum(ab, True, eigvals_only, solve=of_tridiagonal, **settings)


@composite(dispatching(sl.eigvalsh_tridiagonal))
def _eigvalsh_tridiagonal(
    d: Any,
    e: Any,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
    tol: float = 0.0,
    lapack_driver: str = "auto",
) -> Any:
    return eigh_tridiagonal(d, e, True, select, select_range, check_finite, tol, lapack_driver)


@composite(eig_banded)
def _eig_banded(
    a_band: Any,
    lower: bool = False,
    eigvals_only: bool = False,
    overwrite_a_band: bool = False,
    select: Any = "a",
    select_range: Any = None,
    max_ev: int = 0,
    check_finite: bool = True,
) -> Any:
    (a_band,) = checked(check_finite, a_band)
    settings = {"select": select, "select_range": select_range, "max_ev": max_ev}
    return banded_spectrum(a_band, lower, eigvals_only, solve=partial(sl.eig_banded, lower=lower), **settings)


@composite(dispatching(sl.eigvals_banded))
def _eigvals_banded(
    a_band: Any,
    lower: bool = False,
    overwrite_a_band: bool = False,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
) -> Any:
    return eig_banded(a_band, lower, True, overwrite_a_band, select, select_range, 0, check_finite)


# ---------------------------------------------------------------- changes of form


@primitive
def conjugate_of(w: Any) -> Any:
    """For each eigenvalue the place of its conjugate, and 1 or 2 as it is the first or the second, 0 if real."""
    place = np.broadcast_to(np.arange(w.shape[-1]), w.shape).copy()
    which = np.zeros(w.shape, int)
    for i in np.ndindex(w.shape[:-1]):
        pairs = np.flatnonzero(np.iscomplex(w[i])).reshape(-1, 2)
        place[i][pairs] = pairs[:, ::-1]
        which[i][pairs] = 1, 2
    return place, which


constant(conjugate_of, like=lambda w: None, batch="(n)->(n),(n)")


@composite(dispatching(sl.cdf2rdf))
def _cdf2rdf(w: Any, v: Any) -> Any:
    """Im and Re of each pair of vectors, and (Re w, Im w; −Im w, Re w)."""
    place, which = conjugate_of(w)
    along = np.arange(w.shape[-1])
    pair = (place[..., :, None] == along) & (which[..., :, None] > 0)
    wr = diag(np.real(w)) + pair * np.imag(w)[..., :, None]
    choose = lambda real, first, second: np.where(which == 0, real, np.where(which == 1, first, second))[..., None, :]
    own, other = choose(1, 0.5j, 0.5), choose(0, -0.5j, 0.5)
    return wr, np.real(v * own + columns(v, place) * other)


@primitive
def balance(A: Any, *, permute: Any, scale: Any) -> Any:
    """The scaling, by powers of 2, and the permutation that balance A."""
    _, pair = sl.matrix_balance(A, permute=permute, scale=scale, separate=True)
    scaling, order = np.moveaxis(np.asarray(pair), -2, 0)
    return scaling, order.astype(int)


constant(balance, like=lambda A, *, permute, scale: None, batch="(n,n)->(n),(n)")


@composite(dispatching(sl.matrix_balance))
def _matrix_balance(
    A: Any, permute: Any = True, scale: Any = True, separate: bool = False, overwrite_a: bool = False
) -> Any:
    """B = T⁻¹AT, where T does not change in between: it permutes and scales by powers of 2."""
    (A,) = checked(True, A)
    scaling, order = balance(A, permute=permute, scale=scale)
    s = scaling.astype(np.finfo(dtype_of(A)).dtype)
    B = rows(columns(A, order), order) * (s[..., None, :] / s[..., :, None])
    if separate:
        return B, (scaling, order) if A.ndim == 2 else np.stack([scaling, order], -2)  # SciPy joins those of a batch
    return B, rows(diag(scaling), np.argsort(order, -1))

"""Eigenproblems, ordinary and generalised: of general, Hermitian, tridiagonal and banded matrices."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg as sl
from numpy.linalg import LinAlgError

from dotbar.core import RULES, dtype_of, primitive
from dotbar.errors import NoRuleError
from dotbar.rules import spectral
from dotbar.rules.kinds import composite, constant, rule
from dotbar.rules.lapack_words import diag, raise_if, solve_triangular
from dotbar.rules.linalg import from_diagonal
from dotbar.rules.spectral import block_mean, over_gaps, refuse, refuse_phases, repeated, same_value
from dotbar.rules.words import H, conj, mT, once
from dotbar.scipy.linalg.equations import hermitian
from dotbar.scipy.linalg.factorizations import cholesky, columns, found, rows
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
        return eigvals(a, b, homogeneous_eigvals=homogeneous_eigvals)
    if b is not None and not right:
        raise NoRuleError(
            "scipy.linalg.eig(a, b, left=True, right=False) has no derivative, as SciPy leaves the norm of the vectors "
            "open. With right=True it is 1."
        )
    matrices = (a,) if b is None else (a, b)
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
    return eig(a, b, homogeneous_eigvals=homogeneous_eigvals)[0]


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
    if b is None:
        if eigvals_only:
            return chosen(np.linalg.eigvalsh(a, side(lower)), None, subset_by_index, subset_by_value, (), sl.eigh)
        w, V = as_hermitian(a, *found(a, solver=partial(sl.eigh, lower=lower, driver=driver)), lower=lower)
        return chosen(w, V, subset_by_index, subset_by_value, (a,), partial(sl.eigh, driver=driver, **settings))
    L, A = cholesky(b, lower=lower), hermitian(a, lower=lower)
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
    return eigh(a, b, lower=lower, eigvals_only=True, type=type, driver=driver, **subset)


# ---------------------------------------------------------------- tridiagonal and banded matrices


def tridiagonal_values(d: Any, e: Any) -> Any:
    """``eigh_tridiagonal`` for its values: the vectors have a derivative only at the levels below."""
    return tuple(eigh_tridiagonal(d, e))


@rule(tridiagonal_values, "(n),(m)->(n),(n,n)")
def _tridiagonal_values(y: Any, d: Any, e: Any) -> Any:
    """ẇ = Σ v_i² ḋ_i + 2 Σ v_i v_i+1 ė_i, averaged over repeated values."""
    w, V = y
    same = same_value(w)
    on, off = V * V, 2 * V[..., :-1, :] * V[..., 1:, :]

    def pair(gradients: Any) -> Any:
        def dot(xdot: Any) -> Any:
            return block_mean((xdot[..., None, :] @ gradients)[..., 0, :], same), None

        def bar(ybar: Any) -> Any:
            return (gradients @ block_mean(ybar[0], same)[..., None])[..., 0]

        return dot, bar

    return pair(on), pair(off)


def on_diagonal(x: Any, offset: int = 0) -> Any:
    """The square matrix with x on a diagonal."""
    n = x.shape[-1] + abs(offset)
    return from_diagonal(x, shape=(*x.shape[:-1], n, n), offset=offset, axis1=-2, axis2=-1)


def ranges(select: Any, select_range: Any) -> tuple[Any, Any]:
    """The range of indices and that of values, of which one is None."""
    kind = {"a": None, "all": None, 0: None, "v": "v", "value": "v", 1: "v", "i": "i", "index": "i", 2: "i"}[
        select.lower() if isinstance(select, str) else select
    ]
    return select_range if kind == "i" else None, select_range if kind == "v" else None


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
    settings = {"tol": tol, "lapack_driver": lapack_driver}
    solver = partial(sl.eigh_tridiagonal, select=select, select_range=select_range, **settings)
    if eigvals_only:
        return chosen(RULES[tridiagonal_values](d, e)[0], None, *ranges(select, select_range), (), solver)
    T = on_diagonal(d) + on_diagonal(e, 1) + on_diagonal(e, -1)
    w, V = as_hermitian(T, *found(d, e, solver=solver if select in ("a", "all", 0) else sl.eigh_tridiagonal))
    return chosen(w, V, *ranges(select, select_range), (d, e), solver)


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


def hermitian_band(ab: Any, lower: bool) -> Any:
    """The Hermitian matrix of which the diagonals on one side are given."""
    u, n = ab.shape[-2] - 1, ab.shape[-1]
    main = np.real(ab[..., 0 if lower else u, :]).astype(dtype_of(ab))
    A = on_diagonal(main)
    for k in range(1, min(u + 1, n)):
        beside = ab[..., k, : n - k] if lower else conj(ab[..., u - k, k:])
        A = A + on_diagonal(beside, -k) + on_diagonal(conj(beside), k)
    return A


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
    """The reduction to tridiagonal form leaves the first coordinate alone, for either triangle."""
    A = hermitian_band(a_band, lower)
    solver = partial(sl.eig_banded, lower=lower, select=select, select_range=select_range, max_ev=max_ev)
    if eigvals_only:
        w, V = np.linalg.eigvalsh(A), None
    else:
        w, V = as_hermitian(A, *found(a_band, solver=partial(sl.eig_banded, lower=lower)))
    return chosen(w, V, *ranges(select, select_range), (a_band,), solver)


@composite(dispatching(sl.eigvals_banded))
def _eigvals_banded(
    a_band: Any,
    lower: bool = False,
    overwrite_a_band: bool = False,
    select: Any = "a",
    select_range: Any = None,
    check_finite: bool = True,
) -> Any:
    return eig_banded(a_band, lower, True, overwrite_a_band, select, select_range)


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
    scaling, order = balance(A, permute=permute, scale=scale)
    s = scaling.astype(np.finfo(dtype_of(A)).dtype)
    B = rows(columns(A, order), order) * (s[..., None, :] / s[..., :, None])
    return B, (scaling, order) if separate else rows(diag(scaling), np.argsort(order, -1))

"""Eigenproblems, ordinary and generalised, and the unitary forms on the way to them: Hessenberg, Schur, QZ."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg as sl
from numpy.linalg import LinAlgError

from dotbar.core import RULES, dtype_of, primitive
from dotbar.errors import DegenerateSpectrumError, NoRuleError
from dotbar.rules import spectral
from dotbar.rules.kinds import composite, constant, linear, match, rule
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

    The vectors have norm 1; their phases are LAPACK's own.  Stewart & Sun (1990), section VI.2.
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
    as_found = as_eigensystem if b is None else as_eigenpencil
    w, *vectors = found(*matrices, solver=partial(eigensystem, left=left, right=right))
    if left:
        conjugate, vectors[0] = as_found(*map(H, matrices), conj(w), vectors[0])
    if right:
        w, vectors[-1] = as_found(*matrices, w, vectors[-1])
    w = as_complex(w if right else conj(conjugate))
    return homogeneous(w, b) if homogeneous_eigvals else w, *vectors


@composite(dispatching(sl.eigvals))
def eigvals(
    a: Any,
    b: Any = None,
    overwrite_a: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    w = as_complex(np.linalg.eigvals(a)) if b is None else eig(a, b)[0]
    return homogeneous(w, b) if homogeneous_eigvals else w


# ---------------------------------------------------------------- Hermitian matrices


def side(lower: bool) -> str:
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


def band_places(u: int, n: int, lower: bool) -> tuple[Any, Any, Any, Any]:
    """Of each entry of a triangle with u further diagonals: its row and column in the band, and in the matrix."""
    k, j = (x.ravel() for x in np.indices((u + 1, n)))
    i = j + k if lower else j + k - u
    inside = (i >= 0) & (i < n)
    return k[inside], j[inside], i[inside], j[inside]


@primitive
def from_band(ab: Any, *, lower: bool) -> Any:
    """The triangle whose diagonals are the rows of ab."""
    u, n = ab.shape[-2] - 1, ab.shape[-1]
    k, j, row, column = band_places(u, n, lower)
    T = np.zeros((*ab.shape[:-2], n, n), ab.dtype)
    T[..., row, column] = ab[..., k, j]
    return T


@primitive
def to_band(T: Any, *, u: int, lower: bool) -> Any:
    """The transpose of ``from_band``: the diagonals of a triangle as rows."""
    k, j, row, column = band_places(u, T.shape[-1], lower)
    ab = np.zeros((*T.shape[:-2], u + 1, T.shape[-1]), T.dtype)
    ab[..., k, j] = T[..., row, column]
    return ab


linear(
    from_band,
    lambda Tbar, ab, *, lower: to_band(Tbar, u=ab.shape[-2] - 1, lower=lower),
    batch=lambda xs, batched, size, **kw: from_band(xs[0], **kw),
    moves=True,
)
linear(
    to_band,
    lambda abbar, T, *, u, lower: from_band(abbar, lower=lower),
    batch=lambda xs, batched, size, **kw: to_band(xs[0], **kw),
    moves=True,
)


def hermitian_band(ab: Any, lower: bool) -> Any:
    """The Hermitian matrix of which the diagonals on one side are given."""
    T = from_band(ab, lower=lower)
    beside = np.tril(T, -1) if lower else np.triu(T, 1)
    return beside + H(beside) + np.real(T) * np.eye(T.shape[-1], dtype=np.finfo(dtype_of(T)).dtype)


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


# ---------------------------------------------------------------- unitary similarity: Schur and Hessenberg


def split(T: Any) -> int:
    """Where to halve a quasi-triangular matrix without cutting a 2 × 2 block."""
    k = len(T) // 2
    return k + int(T[k, k - 1] != 0)


def is_leaf(T: Any) -> bool:
    return len(T) == 1 or (len(T) == 2 and T[1, 0] != 0)


def is_undetermined(same: Any, scale: Any, *rotated: Any) -> bool:
    """Whether values repeat; unless nothing is to be rotated, to rounding, that is refused."""
    if np.count_nonzero(same) <= len(same):
        return False
    noise = 10 * len(same) * np.finfo(scale.dtype).eps * np.max(np.abs(scale))
    if any(np.any(np.abs(np.tril(X, -1)) > noise) for X in rotated):
        raise DegenerateSpectrumError(
            f"an eigenvalue of multiplicity {np.max(np.sum(same, -1))}: its Schur vectors are not determined, and the "
            "derivative depends on them. Functions of the matrix, such as scipy.linalg.expm or sqrtm, are exact here."
        )
    return True


def quasi_eigenvalues(T: Any) -> Any:
    """The eigenvalues of a quasi-triangular matrix whose blocks LAPACK has made standard: a ± √(bc)."""
    w = np.diagonal(T).astype(np.result_type(T, np.complex64))
    i = np.flatnonzero(np.diagonal(T, -1))
    root = np.sqrt(as_complex(T[i, i + 1] * T[i + 1, i]))
    w[i] += root
    w[i + 1] -= root
    return w


def schur_sweep(T: Any, X: Any, adjoint: bool) -> None:
    """Turn M into the X below the diagonal with XT − TX = M there, in place; or the cotangent of X into that of M.

    By halves: X₂₁T₁₁ − T₂₂X₂₁ = M₂₁, then what X₂₁ adds to M₁₁ and M₂₂.  A real 2 × 2 block (a b; c a) turns by
    (m₂₂ − m₁₁)/2(b + c), which keeps its diagonal equal.
    """
    if is_leaf(T):
        turn = (X[1, 0] if adjoint else X[1, 1] - X[0, 0]) / (2 * (T[0, 1] + T[1, 0])) if len(T) == 2 else 0
        X[...] = 0
        if len(T) == 2 and adjoint:
            X[0, 0], X[1, 1] = -turn, turn
        elif len(T) == 2:
            X[1, 0] = turn
        return
    k = split(T)
    T11, T12, T22 = T[:k, :k], T[:k, k:], T[k:, k:]
    X11, X21, X22 = X[:k, :k], X[k:, :k], X[k:, k:]
    trsyl = sl.get_lapack_funcs("trsyl", (T,))

    def halves() -> None:
        schur_sweep(T11, X11, adjoint)
        schur_sweep(T22, X22, adjoint)

    if adjoint:
        halves()
        X21 += H(T12) @ X11 - X22 @ H(T12)
    solution, scale, _ = trsyl(T22, T11, X21, trana="NC"[adjoint], tranb="NC"[adjoint], isgn=-1)
    X21[...] = -scale * solution
    if not adjoint:
        X11 += T12 @ X21
        X22 -= X21 @ T12
        halves()
    X[:k, k:] = 0


def schur_kernel(T: Any, X: Any, scale: Any, adjoint: bool) -> None:
    w = quasi_eigenvalues(T)
    above, below = np.diagonal(T, 1), np.diagonal(T, -1)
    noise = len(T) * np.finfo(w.dtype).eps * np.max(np.abs(T))
    if np.any((below != 0) & (np.abs(above + below) <= noise)):
        raise DegenerateSpectrumError(
            "a normal 2 × 2 block of the real Schur form: its basis is not determined. Use output='complex'."
        )
    if is_undetermined(same_value(w), scale, X):
        X[...] = 0
    else:
        schur_sweep(T, X, adjoint)


def hessenberg_kernel(T: Any, X: Any, scale: Any, adjoint: bool) -> None:
    """Column after column: below the subdiagonal (ΩT − TΩ)_j = M_j gives Ω_j+1, whose first row and column are 0.

    The diagonal of a complex Ω keeps the subdiagonal real.  The adjoint is the same in reverse.
    """
    n, is_complex = len(T), T.dtype.kind == "c"
    steps = range(n - 1 if is_complex and n > 2 else max(n - 2, 0))
    h = np.real(np.diagonal(T, -1))[: len(steps)]
    if np.any(np.abs(h) <= n * np.finfo(h.dtype).eps * np.max(np.abs(T), initial=0)):
        raise DegenerateSpectrumError(
            "a Hessenberg form with a zero below its diagonal: the vectors behind it are not determined."
        )
    if not adjoint:
        Omega = np.zeros_like(X)
        for j in steps:
            i = j + 1
            c = X[i:, j] - Omega[i:, :i] @ T[:i, j] + T[i:, j:] @ Omega[j:, j]
            c[0] = 1j * c[0].imag if is_complex else 0
            Omega[i:, i] = c / h[j]
            Omega[i, i + 1 :] = -conj(Omega[i + 1 :, i])
        X[...] = np.tril(Omega, -1) + diag(np.diagonal(Omega)) / 2
        return
    Obar = np.tril(X, -1) + diag(np.diagonal(X)) / 2
    X[...] = 0
    for j in reversed(steps):
        i = j + 1
        c = Obar[i:, i] / h[j]
        c[0] = 1j * c[0].imag if is_complex else 0
        X[i:, j] = c
        Obar[i:, :i] -= np.outer(c, conj(T[:i, j]))
        Obar[j:, j] += H(T[i:, j:]) @ c


KERNELS = {"schur": schur_kernel, "hessenberg": hessenberg_kernel}


@primitive
def rotation(T: Any, M: Any, *, form: str, adjoint: bool = False) -> Any:
    """The skew-Hermitian Ω for which M − ΩT + TΩ has the form of T; or, of a cotangent of Ω, that of M."""
    lead = np.broadcast_shapes(T.shape[:-2], M.shape[:-2])
    T, M = np.broadcast_to(T, lead + T.shape[-2:]), np.broadcast_to(M, lead + M.shape[-2:])
    X = np.array(M - H(M) if adjoint else M, np.result_type(T, M))
    for i in np.ndindex(*lead) if X.size else ():
        KERNELS[form](T[i], X[i], M[i], adjoint)
    return X if adjoint else X - H(X)


@rule(rotation, "(n,n),(n,n)->(n,n)")
def _rotation(y: Any, T: Any, M: Any, *, form: str, adjoint: bool = False) -> Any:
    """On the entries that are to vanish, ΩT − TΩ = M;  its adjoint is YTᴴ − TᴴY = Ω̄ on skew-Hermitian matrices.

    Hence T̄ = −(ΩᴴY − YΩᴴ) for either, where the one not at hand solves for the cotangent of the other.
    """
    solve = partial(rotation, form=form)

    def dot_T(Tdot: Any) -> Any:
        E = H(Tdot) if adjoint else Tdot
        return -solve(T, y @ E - E @ y, adjoint=adjoint)

    def bar_T(ybar: Any) -> Any:
        other = solve(T, ybar, adjoint=not adjoint)
        Omega, Y = (other, y) if adjoint else (y, other)
        return Y @ H(Omega) - H(Omega) @ Y

    def dot_M(Mdot: Any) -> Any:
        return solve(T, Mdot, adjoint=adjoint)

    def bar_M(ybar: Any) -> Any:
        return solve(T, ybar, adjoint=not adjoint)

    return (dot_T, bar_T), (dot_M, bar_M)


@primitive
def block_upper(T: Any) -> Any:
    """1 on and above the diagonal blocks of a quasi-triangular matrix, 0 below."""
    below = np.zeros(T.shape, bool)
    below[..., 1:, :-1] = diag(np.diagonal(T, -1, -2, -1) != 0)
    return (np.triu(np.ones(T.shape)) + below).astype(np.finfo(T.dtype).dtype)


constant(block_upper, like=lambda T: None, batch="(n,n)->(n,n)")


def similarity_rule(T: Any, Z: Any, form: str) -> Any:
    """A = Z T Zᴴ with M = ZᴴȦZ:  Ż = ZΩ,  Ṫ = M − ΩT + TΩ.

    After Anderson et al. on the sensitivity of Schur vectors: Sun (1995), Perturbation bounds for the Schur form.
    """
    shape = block_upper(T) if form == "schur" else np.triu(np.ones(T.shape[-2:], np.finfo(dtype_of(T)).dtype), -1)

    def dot(Adot: Any) -> Any:
        M = H(Z) @ Adot @ Z
        Omega = rotation(T, M, form=form)
        return shape * (M - Omega @ T + T @ Omega), Z @ Omega

    def bar(ybar: Any) -> Any:
        Tbar, Zbar = ybar[:2]
        Tbar = np.zeros_like(T) if Tbar is None else shape * Tbar
        K = Tbar @ H(T)
        Obar = H(T) @ Tbar - K
        if Zbar is not None:
            Obar = Obar + H(Z) @ Zbar
        if form == "schur":
            refuse_phases(np.diagonal(Obar, axis1=-2, axis2=-1), np.abs(K) + np.abs(Obar), "scipy.linalg.schur")
        return Z @ (Tbar + rotation(T, Obar, form=form, adjoint=True)) @ H(Z)

    return dot, bar


@primitive
def schur_factors(A: Any, *, output: str, sort: Any) -> Any:
    """T and Z of A = Z T Zᴴ, and of a sorted form how many eigenvalues are in front."""
    return tuple(sl.schur(A, output=output, sort=sort))


@rule(schur_factors, "(n,n)->(n,n),(n,n),()")
def _schur_factors(y: Any, A: Any, *, output: str, sort: Any) -> Any:
    T, Z, *count = y
    form_dot, bar = similarity_rule(T, Z, "schur")

    def dot(Adot: Any) -> Any:
        return *form_dot(Adot), *(None for _ in count)

    return dot, bar


@composite(dispatching(sl.schur))
def _schur(
    a: Any,
    output: str = "real",
    lwork: Any = None,
    overwrite_a: bool = False,
    sort: Any = None,
    check_finite: bool = True,
) -> Any:
    return schur_factors(a, output=output, sort=sort)


@primitive
def hessenberg_factors(A: Any) -> Any:
    """H and Q of A = Q H Qᴴ."""
    return tuple(sl.hessenberg(A, calc_q=True))


@rule(hessenberg_factors, "(n,n)->(n,n),(n,n)")
def _hessenberg_factors(y: Any, A: Any) -> Any:
    """The first column of Q is that of I, and the others follow.  Golub & Van Loan (2013), theorem 7.4.2."""
    return similarity_rule(*y, "hessenberg")


@composite(dispatching(sl.hessenberg))
def _hessenberg(a: Any, calc_q: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    factors = hessenberg_factors(a)
    return factors if calc_q else factors[0]


@primitive
def complex_blocks(T: Any, Z: Any) -> Any:
    """For each neighbouring pair of columns of a real Schur form, 0 unless it is a block, else the sign of Im λ of the
    eigenvalue that the complex form has first.
    """
    first = np.diagonal(sl.rsf2csf(T, Z)[0], axis1=-2, axis2=-1)[..., :-1]
    return np.sign(first.imag) * (np.diagonal(T, -1, -2, -1) != 0)


constant(complex_blocks, like=lambda T, Z: None, batch="(n,n),(n,n)->(m)")


@composite(dispatching(sl.rsf2csf))
def _rsf2csf(T: Any, Z: Any, check_finite: bool = True) -> Any:
    """A block (a b; c d) with the eigenvalue λ turns by U = (u −s; s ū), (u, s) = (λ − d, c)/r."""
    T, Z = as_complex(T), as_complex(Z)
    above, on, below = (np.diagonal(T, k, -2, -1) for k in (1, 0, -1))
    a, d = on[..., :-1], on[..., 1:]
    sign = complex_blocks(np.real(T), np.real(Z)).astype(np.finfo(dtype_of(T)).dtype)
    block = sign != 0
    root = np.sqrt(np.where(block, -np.real((a - d) ** 2 / 4 + above * below), 1))
    mu, s = np.where(block, (a - d) / 2 + 1j * sign * root, 1), np.where(block, np.real(below), 0)
    r = np.sqrt(np.real(mu) ** 2 + np.imag(mu) ** 2 + s**2)
    u, s = mu / r, as_complex(s / r)
    one = np.ones_like(T[..., 0, :1])
    U = on_diagonal(np.concatenate([u, one], -1) * np.concatenate([one, conj(u)], -1))
    U = U + on_diagonal(s, -1) - on_diagonal(s, 1)
    return np.triu(H(U) @ T @ U), Z @ U


# ---------------------------------------------------------------- QZ


def pencil_sylvester(S2: Any, T2: Any, S1: Any, T1: Any, M: Any, N: Any, adjoint: bool) -> Any:
    """Ω, Ψ with ΩS₁ − S₂Ψ = M and ΩT₁ − T₂Ψ = N, or the adjoint Y, W with YS₁ᴴ + WT₁ᴴ = M, S₂ᴴY + T₂ᴴW = −N.

    Kågström & Westin (1989); LAPACK's for real matrices, column by column for triangular complex ones.
    """
    tgsyl = None if S2.dtype.kind == "c" else sl.get_lapack_funcs("tgsyl", (S2,))
    if tgsyl is not None and adjoint:
        Y, W, scale, *_ = tgsyl(S2, S1, -N, T2, T1, -M, trans="T")
        return Y / scale, W / scale
    if tgsyl is not None:
        Psi, Omega, scale, *_ = tgsyl(S2, S1, -M, T2, T1, -N)
        return Omega / scale, Psi / scale
    Y, W = np.empty_like(M), np.empty_like(N)
    n = len(S1)
    for j in reversed(range(n)) if adjoint else range(n):
        s, t = S1[j, j], T1[j, j]
        r = abs(s) ** 2 + abs(t) ** 2
        done = slice(j + 1, n) if adjoint else slice(j)
        solve = partial(sl.solve_triangular, t * S2 - s * T2, check_finite=False)
        if adjoint:
            m = M[:, j] - Y[:, done] @ conj(S1[j, done]) - W[:, done] @ conj(T1[j, done])
            z = solve(-N[:, j] - (s * H(S2) + t * H(T2)) @ m / r, trans=2)
            Y[:, j], W[:, j] = s * m / r + conj(t) * z, t * m / r - conj(s) * z
        else:
            m, k = M[:, j] - Y[:, done] @ S1[done, j], N[:, j] - Y[:, done] @ T1[done, j]
            W[:, j] = solve(s * k - t * m)
            Y[:, j] = (conj(s) * (m + S2 @ W[:, j]) + conj(t) * (k + T2 @ W[:, j])) / r
    return Y, W


def qz_leaf(T: Any, X: Any, W: Any, adjoint: bool) -> None:
    """What keeps T real and not negative on the diagonal, and diagonal in a real 2 × 2 block, in place."""
    t = np.real(np.diagonal(T))
    if len(T) == 1:
        turn = 1j * (X - W if adjoint else W).imag / (4 * t) if T.dtype.kind == "c" and t[0] else 0 * X
        X[...], W[...] = (0 * turn, turn) if adjoint else (turn, -turn)
        return
    gap = (t[1] - t[0]) * (t[1] + t[0])
    if abs(gap) <= 4 * np.finfo(t.dtype).eps * t.max() ** 2:
        raise DegenerateSpectrumError("a block of QZ that may be turned: B is a multiple of the identity in it.")
    if adjoint:
        x, w = X[1, 0], W[1, 0]
        X[...], W[...] = 0, 0
        W[0, 1], W[1, 0] = -(t[1] * x + t[0] * w) / gap, -(t[0] * x + t[1] * w) / gap
    else:
        above, below = W[0, 1], W[1, 0]
        X[...], W[...] = 0, 0
        X[1, 0], W[1, 0] = -(t[1] * above + t[0] * below) / gap, -(t[0] * above + t[1] * below) / gap


def qz_sweep(S: Any, T: Any, X: Any, W: Any, adjoint: bool) -> None:
    """As ``schur_sweep``, for ΩS − SΨ = M and ΩT − TΨ = N below the diagonal, in X and W."""
    if is_leaf(S):
        return qz_leaf(T, X, W, adjoint)
    k = split(S)
    one, two = slice(k), slice(k, None)

    def halves() -> None:
        for half in (one, two):
            qz_sweep(S[half, half], T[half, half], X[half, half], W[half, half], adjoint)

    S12, T12 = S[one, two], T[one, two]
    if adjoint:
        halves()
        X[two, one] -= X[two, two] @ H(S12) + W[two, two] @ H(T12)
        W[two, one] += H(S12) @ X[one, one] + H(T12) @ W[one, one]
    X[two, one], W[two, one] = pencil_sylvester(
        S[two, two], T[two, two], S[one, one], T[one, one], X[two, one], W[two, one], adjoint
    )
    if not adjoint:
        X[one, one] += S12 @ W[two, one]
        W[one, one] += T12 @ W[two, one]
        X[two, two] -= X[two, one] @ S12
        W[two, two] -= X[two, one] @ T12
        halves()
    X[one, two], W[one, two] = 0, 0
    return None


@primitive
def rotations(S: Any, T: Any, M: Any, N: Any, *, adjoint: bool = False) -> Any:
    """The skew-Hermitian Ω, Ψ for which M − ΩS + SΨ and N − ΩT + TΨ have the form of S and T; or the adjoint."""
    lead = np.broadcast_shapes(*(X.shape[:-2] for X in (S, T, M, N)))
    dtype = np.result_type(S, T, M, N)
    S, T, M, N = (np.broadcast_to(X, lead + X.shape[-2:]).astype(dtype) for X in (S, T, M, N))
    X, W = (M - H(M), N - H(N)) if adjoint else (M.copy(), N.copy())
    for i in np.ndindex(*lead) if S.size else ():
        s, t = np.diagonal(S[i]), np.diagonal(T[i])
        gap = np.abs(s[:, None] * t - t[:, None] * s)
        block = np.diag(np.diagonal(S[i], -1) != 0, -1)
        same = (gap <= len(s) * np.finfo(dtype).eps * np.max(np.abs(s)) * np.max(np.abs(t))) & ~(block | block.T)
        if is_undetermined(same, np.stack([M[i], N[i]]), X[i], W[i]):
            X[i], W[i] = 0, 0
        else:
            qz_sweep(S[i], T[i], X[i], W[i], adjoint)
    return (X, W) if adjoint else (X - H(X), W - H(W))


@rule(rotations, "(n,n),(n,n),(n,n),(n,n)->(n,n),(n,n)")
def _rotations(y: Any, S: Any, T: Any, M: Any, N: Any, *, adjoint: bool = False) -> Any:
    """As of ``rotation``: S̄ = −(ΩᴴY − YΨᴴ) and T̄ = −(ΩᴴW − WΨᴴ)."""
    zero = np.zeros_like(y[0])

    def minus(E: Any, first: bool) -> Any:
        """The tangent along that of S or T."""
        if adjoint:
            X = y[0 if first else 1]
            pair = X @ H(E), -H(E) @ X
        else:
            X = y[0] @ E - E @ y[1]
            pair = (X, zero) if first else (zero, X)
        return tuple(-X for X in rotations(S, T, *pair, adjoint=adjoint))

    @once
    def other(ybar: Any) -> Any:
        return rotations(S, T, *(zero if g is None else g for g in ybar), adjoint=not adjoint)

    def bar_of(k: int) -> Callable[[Any], Any]:
        def bar(ybar: Any) -> Any:
            (Omega, Psi), X = (other(ybar), y[k]) if adjoint else (y, other(ybar)[k])
            return X @ H(Psi) - H(Omega) @ X

        return bar

    return (
        (lambda Sdot: minus(Sdot, True), bar_of(0)),
        (lambda Tdot: minus(Tdot, False), bar_of(1)),
        (lambda Mdot: rotations(S, T, Mdot, zero, adjoint=adjoint), lambda ybar: other(ybar)[0]),
        (lambda Ndot: rotations(S, T, zero, Ndot, adjoint=adjoint), lambda ybar: other(ybar)[1]),
    )


@primitive
def qz_factors(A: Any, B: Any, *, output: str, sort: Any) -> Any:
    """S, T, Q, Z of A = Q S Zᴴ and B = Q T Zᴴ, and α, β if they are sorted."""
    if sort is None:
        return tuple(sl.qz(A, B, output))
    S, T, alpha, beta, Q, Z = sl.ordqz(A, B, sort, output)
    return S, T, Q, Z, alpha, beta


@rule(qz_factors, "(n,n),(n,n)->(n,n),(n,n),(n,n),(n,n),(n),(n)")
def _qz_factors(y: Any, A: Any, B: Any, *, output: str, sort: Any) -> Any:
    """With M = QᴴȦZ, N = QᴴḂZ:  Q̇ = QΩ,  Ż = ZΨ,  Ṡ = M − ΩS + SΨ,  Ṫ = N − ΩT + TΨ.

    α and β are the diagonals of S and T; those of a real 2 × 2 block are determined up to a factor.
    """
    S, T, Q, Z, *values = y
    form = block_upper(S)
    upper = np.triu(np.ones_like(form))
    zero = np.zeros_like(S)
    diagonal = lambda X: np.diagonal(X, axis1=-2, axis2=-1)

    def refuse_blocks(used: Any) -> None:
        inside = np.any((form != upper) | mT(form != upper), -1)
        raise_if(
            inside & used,
            error=DegenerateSpectrumError(
                "alpha and beta of a complex pair in the real form of QZ are determined up to a common factor: "
                "their derivatives are not. Use output='complex', or functions of the pair of matrices."
            ),
        )

    def dot(M: Any, N: Any) -> Any:
        Omega, Psi = rotations(S, T, M, N)
        Sdot, Tdot = form * (M - Omega @ S + S @ Psi), upper * (N - Omega @ T + T @ Psi)

        def value(Xdot: Any, v: Any) -> Callable[[], Any]:
            def tangent() -> Any:
                refuse_blocks(True)
                return diagonal(Xdot).astype(dtype_of(v))

            return tangent

        return Sdot, Tdot, Q @ Omega, Z @ Psi, *(value(Xdot, v) for Xdot, v in zip((Sdot, Tdot), values))

    @once
    def bars(ybar: Any) -> Any:
        Sbar, Tbar, Qbar, Zbar = (zero if g is None else g for g in ybar[:4])
        Sbar, Tbar = form * Sbar, upper * Tbar
        if values:
            given = [np.zeros_like(v) if g is None else g for v, g in zip(values, ybar[4:])]
            for g in given:
                refuse_blocks(g != 0)
            Sbar, Tbar = Sbar + diag(match(given[0], S)), Tbar + diag(given[1])
        Obar = H(Q) @ Qbar - Sbar @ H(S) - Tbar @ H(T)
        Pbar = H(Z) @ Zbar + H(S) @ Sbar + H(T) @ Tbar
        scale = np.abs(Obar) + np.abs(Pbar) + np.abs(Sbar @ H(S)) + np.abs(Tbar @ H(T))
        refuse_phases(diagonal(Obar + Pbar), scale, "scipy.linalg.qz")
        Y, W = rotations(S, T, Obar, Pbar, adjoint=True)
        return Q @ (Sbar + Y) @ H(Z), Q @ (Tbar + W) @ H(Z)

    return (
        (lambda Adot: dot(H(Q) @ Adot @ Z, zero), lambda ybar: bars(ybar)[0]),
        (lambda Bdot: dot(zero, H(Q) @ Bdot @ Z), lambda ybar: bars(ybar)[1]),
    )


@composite(dispatching(sl.qz))
def _qz(
    A: Any,
    B: Any,
    output: str = "real",
    lwork: Any = None,
    sort: Any = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    if sort is not None:
        raise ValueError("The 'sort' input of qz() has to be None and will be removed in a future release.")
    return qz_factors(A, B, output=output, sort=None)


@composite(dispatching(sl.ordqz))
def _ordqz(
    A: Any,
    B: Any,
    sort: Any = "lhp",
    output: str = "real",
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    S, T, Q, Z, alpha, beta = qz_factors(A, B, output=output, sort=sort)
    return S, T, alpha, beta, Q, Z


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

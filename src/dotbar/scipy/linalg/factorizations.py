"""Factorisations: Cholesky, LU, LDL, QR and RQ, singular values, polar and their bases of subspaces."""

from collections.abc import Callable
from functools import cache, partial
from math import prod
from typing import Any

import numpy as np
import scipy.linalg as sl
from numpy.linalg import LinAlgError

from dotbar import linalg
from dotbar.core import dtype_of, primitive
from dotbar.errors import NoRuleError
from dotbar.rules import spectral
from dotbar.rules.kinds import composite, constant, rule
from dotbar.rules.lapack_words import diag, raise_if, solve_triangular
from dotbar.rules.linalg import cholesky as cholesky_rule
from dotbar.rules.linalg import from_diagonal, qr_rule
from dotbar.rules.refusals import whole
from dotbar.rules.words import H, conj, mT, phi, sym
from dotbar.scipy.linalg.equations import checked
from dotbar.scipy.linalg.equations import columns as for_columns
from dotbar.scipy.linalg.structured import adjoint_bands, triangular_banded_system
from dotbar.scipy.mirror import dispatching

cholesky = dispatching(sl.cholesky)
cho_factor = dispatching(sl.cho_factor)
lu_factor = dispatching(sl.lu_factor)
qr = dispatching(sl.qr)
svdvals = dispatching(sl.svdvals)
orth = dispatching(sl.orth)
null_space = dispatching(sl.null_space)

# ---------------------------------------------------------------- Cholesky


@rule(cholesky, "(n,n)->(n,n)")
def _cholesky(L: Any, a: Any, *, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """NumPy's, with the upper factor as the default."""
    return cholesky_rule(L, a, upper=not lower)


LEAVES_A = bool(sl.cho_factor(np.array([[2.0, 1.0], [1.0, 2.0]]))[0][1, 0])  # before SciPy 1.18


@composite(cho_factor)
def _cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """In the triangle besides the factor SciPy leaves the entries of A, or zeros."""
    (a,) = checked(check_finite, a)
    factor = cholesky(a, lower=lower)
    if LEAVES_A:
        factor = factor + (np.triu(a, 1) if lower else np.tril(a, -1))
    return factor, lower


def by_factor(triangular: Callable[..., Any]) -> Callable[..., Any]:
    """A⁻¹b by the Cholesky factor of A and what solves systems with it."""

    def solution(c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Any:
        c, lower = c_and_lower
        lower = whole(lower, "c_and_lower", "its lower is a flag")
        c, b = checked(check_finite, c, b)

        def solve(B: Any) -> Any:
            Y = triangular(c, B, lower=lower, adjoint=not lower)
            return triangular(c, Y, lower=lower, adjoint=lower)

        return for_columns(solve, b, c.shape[-1])

    return solution


composite(dispatching(sl.cho_solve))(by_factor(solve_triangular))


# ---------------------------------------------------------------- banded Cholesky


@primitive
def congruences(W: Any, D: Any) -> Any:
    """X with X_k = D_k + W_kᴴ X_k+1 W_k, where the last is D_k.

    By cyclic reduction: two steps of the recursion are one of the same form for every other k.
    """
    count = D.shape[-3]
    if count <= 1:
        return D
    odd = slice(1, None, 2)
    W_odd, D_odd = W[..., odd, :, :], D[..., odd, :, :]
    X = np.zeros(np.broadcast_shapes(W.shape, D.shape), np.result_type(W, D))
    if count % 2:  # as if there were one more
        W_odd, D_odd = (np.concatenate([M, np.zeros_like(M[..., :1, :, :])], -3) for M in (W_odd, D_odd))
    W_even, D_even = W[..., ::2, :, :], D[..., ::2, :, :]
    X[..., ::2, :, :] = even = congruences(W_odd @ W_even, D_even + H(W_even) @ D_odd @ W_even)
    X[..., odd, :, :] = D[..., odd, :, :]
    before = slice(1, count - 1, 2)
    X[..., before, :, :] += H(W[..., before, :, :]) @ even[..., 1:, :, :] @ W[..., before, :, :]
    return X


def shifted(X: Any) -> Any:
    """X_k+1 at k, and zero behind the last."""
    return np.concatenate([X[..., 1:, :, :], np.zeros_like(X[..., :1, :, :])], -3)


def forwards(W: Any, D: Any) -> Any:
    """X with X_k+1 = D_k+1 + W_k X_k W_kᴴ, the transpose of ``congruences``."""
    back = slice(None, None, -1)
    return congruences(shifted(H(W)[..., back, :, :]), D[..., back, :, :])[..., back, :, :]


@rule(congruences, "(k,n,n),(k,n,n)->(k,n,n)")
def _congruences(X: Any, W: Any, D: Any) -> Any:
    after = shifted(X)

    def dot_W(Wdot: Any) -> Any:
        return congruences(W, H(Wdot) @ after @ W + H(W) @ after @ Wdot)

    def bar_W(Xbar: Any) -> Any:
        Dbar = forwards(W, Xbar)
        return after @ W @ H(Dbar) + H(after) @ W @ Dbar

    return (dot_W, bar_W), (lambda Ddot: congruences(W, Ddot), lambda Xbar: forwards(W, Xbar))


cholesky_banded = dispatching(sl.cholesky_banded)


@rule(cholesky_banded, "(b,n)->(b,n)")
def _cholesky_banded(
    cb: Any, ab: Any, *, overwrite_ab: bool = False, lower: bool = False, check_finite: bool = True
) -> Any:
    """By blocks of the order of the band: A_kk = L_kL_kᴴ + C_k−1C_k−1ᴴ, and A_k+1,k = C_kL_kᴴ below them.

    S_k = L_kL_kᴴ is a Schur complement.  With W_k = C_kL_k⁻¹:
    Ṡ_k+1 = Ȧ_k+1,k+1 − 2 sym(Ȧ_k+1,k W_kᴴ) + W_kṠ_kW_kᴴ,  L̇_k = L_kΦ(L_k⁻¹Ṡ_kL_k⁻ᴴ),  Ċ_k = (Ȧ_k+1,k − C_kL̇_kᴴ)L_k⁻ᴴ;
    S̄_k = L_k⁻ᴴ sym Φ(L_kᴴL̄_k − C̄_kᴴC_k) L_k⁻¹ + W_kᴴS̄_k+1W_k,  Ā_kk = S̄_k,  Ā_k+1,k = (C̄_k − 2S̄_k+1C_k)L_k⁻¹.
    """
    u, n = cb.shape[-2] - 1, cb.shape[-1]
    size = max(u, 1)
    count = -(-n // size)
    row, column = np.indices((u + 1, n))
    inside = row + column < n if lower else row + column >= u  # what else is stored stays as it is

    def blocks(band: Any, one: float = 0.0) -> tuple[Any, Any]:
        """The blocks on the diagonal and those below them: each column stands one place further than that before."""
        band = mT(np.where(inside, band, 0) if lower else adjoint_bands(np.where(inside, band, 0), u=u))
        lead, dtype = band.shape[:-2], dtype_of(band)
        band = np.concatenate([band, np.zeros((*lead, count * size - n, u + 1), dtype)], -2)
        band = np.reshape(band, (*lead, count, size, u + 1))
        band = np.concatenate([band, np.zeros((*lead, count, size, 2 * size - u), dtype)], -1)
        band = np.reshape(band, (*lead, count, size * (2 * size + 1)))[..., : 2 * size * size]
        X = mT(np.reshape(band, (*lead, count, size, 2 * size)))
        missing = (np.arange(count * size) >= n).reshape(count, 1, size) & np.eye(size, dtype=bool)
        return X[..., :size, :] + one * missing.astype(dtype), X[..., size:, :]

    def banded(diagonal: Any, lower_blocks: Any) -> Any:
        """The bands of the blocks."""
        X = np.concatenate([mT(np.tril(diagonal)), mT(lower_blocks)], -1)
        lead = X.shape[:-3]
        X = np.reshape(X, (*lead, count, 2 * size * size))
        X = np.concatenate([X, np.zeros((*lead, count, size), dtype_of(X))], -1)
        X = np.reshape(X, (*lead, count, size, 2 * size + 1))[..., : u + 1]
        band = mT(np.reshape(X, (*lead, count * size, u + 1))[..., :n, :])
        return band if lower else adjoint_bands(band, u=0)

    L, C = blocks(cb, 1.0)
    inverse = np.linalg.inv(L)
    W = C @ inverse

    def dot(ab_dot: Any) -> Any:
        T, B = blocks(ab_dot)
        A = T + H(np.tril(T, -1))
        change = 2 * sym(B @ H(W))
        S = forwards(W, sym(A) - np.concatenate([np.zeros_like(A[..., :1, :, :]), change[..., :-1, :, :]], -3))
        Ldot = L @ phi(inverse @ S @ H(inverse))
        return np.where(inside, banded(Ldot, (B - C @ H(Ldot)) @ H(inverse)), ab_dot)

    def bar(cb_bar: Any) -> Any:
        Lbar, Cbar = blocks(cb_bar)
        S = congruences(W, H(inverse) @ sym(phi(H(L) @ Lbar - H(Cbar) @ C)) @ inverse)
        T = S + np.tril(S, -1)
        return np.where(inside, banded(T, (Cbar - 2 * shifted(S) @ C) @ inverse), cb_bar)

    return dot, bar


composite(dispatching(sl.cho_solve_banded))(by_factor(triangular_banded_system))


# ---------------------------------------------------------------- LU


def per_matrix_of(f: Any, X: Any) -> Any:
    """A function of one matrix with several results, of each of a batch."""
    if X.ndim == 2:
        return f(X)
    lead, core = X.shape[:-2], X.shape[-2:]
    if 0 in lead:
        return tuple(np.zeros((*lead, *np.shape(part)), part.dtype) for part in f(np.eye(*core, dtype=X.dtype)))
    parts = zip(*map(f, X.reshape(prod(lead), *core)))
    return tuple(np.reshape(part, (*lead, *part[0].shape)) for part in parts)


@primitive
def row_order(pivots: Any, *, m: int) -> Any:
    """The order in which LAPACK's row exchanges leave m rows."""
    orders = [list(range(m)) for _ in np.ndindex(pivots.shape[:-1])]
    for order, exchanges in zip(orders, pivots.reshape(len(orders), pivots.shape[-1]).astype(int).tolist()):
        for i, k in enumerate(exchanges):
            order[i], order[k] = order[k], order[i]
    return np.array(orders, int).reshape(*pivots.shape[:-1], m)


constant(row_order, like=lambda pivots, *, m: None, batch="(k)->(m)")


@primitive
def ordered(X: Any, order: Any, *, axis: int) -> Any:
    """The rows (axis −2) or columns (−1) of X in an order, in which none stands twice."""
    if order.ndim == 1:
        return np.take(X, order, axis)
    lead = np.broadcast_shapes(X.shape[:-2], order.shape[:-1])
    X, order = np.broadcast_to(X, lead + X.shape[-2:]), np.broadcast_to(order, lead + order.shape[-1:])
    return np.take_along_axis(X, np.expand_dims(order, -3 - axis), axis)


@primitive
def put_back(Y: Any, order: Any, *, axis: int, length: int) -> Any:
    """The transpose of ``ordered``, for so many rows or columns."""
    lead = np.broadcast_shapes(Y.shape[:-2], order.shape[:-1])
    Y, order = np.broadcast_to(Y, lead + Y.shape[-2:]), np.broadcast_to(order, lead + order.shape[-1:])
    X = np.zeros((*lead, length, Y.shape[-1]) if axis == -2 else (*lead, Y.shape[-2], length), Y.dtype)
    np.put_along_axis(X, np.expand_dims(order, -3 - axis), Y, axis)
    return X


@rule(ordered, "(m,n),(k)->(p,q)")
def _ordered(Y: Any, X: Any, order: Any, *, axis: int) -> Any:
    length = X.shape[axis]
    bar = lambda Ybar: put_back(Ybar, order, axis=axis, length=length)
    return (lambda Xdot: ordered(Xdot, order, axis=axis), bar), None


@rule(put_back, "(p,q),(k)->(m,n)")
def _put_back(X: Any, Y: Any, order: Any, *, axis: int, length: int) -> Any:
    dot = lambda Ydot: put_back(Ydot, order, axis=axis, length=length)
    return (dot, lambda Xbar: ordered(Xbar, order, axis=axis)), None


def rows(X: Any, order: Any) -> Any:
    """The rows of X in another order."""
    return ordered(X, order, axis=-2)


def columns(X: Any, order: Any) -> Any:
    """The columns of X in another order."""
    return ordered(X, order, axis=-1)


def unit_lower(LU: Any) -> Any:
    """The L of a packed LU."""
    m, k = LU.shape[-2], min(LU.shape[-2:])
    return np.tril(LU[..., :k], -1) + np.eye(m, k, dtype=dtype_of(LU))


@primitive
def packed_lu(A: Any) -> Any:
    """P A = L U with U in the upper triangle and L below it, and LAPACK's pivots."""
    getrf = sl.get_lapack_funcs("getrf", (A,))
    return per_matrix_of(lambda A: getrf(A)[:2] if A.size else (A, A.ravel().astype(int)), A)


@rule(packed_lu, "(m,n)->(m,n),(k)")
def _packed_lu(y: Any, A: Any) -> Any:
    """With G = L⁻¹PȦ and T = tril(GU⁻¹, −1), its diagonal 0:  L̇ = LT,  U̇ = G − TU.

    A tall L is completed by columns of the identity.  T has no last column if A is not tall: the last pivot may be 0.
    """
    LU, pivots = y
    m, n = LU.shape[-2:]
    k, j = min(m, n), max(min(m - 1, n), 0)
    L, U = unit_lower(LU), np.triu(LU[..., :k, :])
    L1, L2, U1 = L[..., :k, :], L[..., k:, :], U[..., :j, :j]
    order = row_order(pivots, m=m)
    u = np.abs(np.diagonal(U, axis1=-2, axis2=-1))
    raise_if(
        u[..., :j] <= m * np.finfo(dtype_of(u)).eps * np.max(u, -1, keepdims=True, initial=0),
        error=LinAlgError(
            "the LU factors of a matrix of this rank have no derivative: a pivot is zero, and the column of L below it "
            "is not determined."
        ),
    )

    def dot(Adot: Any) -> Any:
        Adot = rows(Adot, order)
        G1 = solve_triangular(L1, Adot[..., :k, :])
        G = np.concatenate([G1, Adot[..., k:, :] - L2 @ G1], -2)
        T = np.tril(H(solve_triangular(U1, H(G[..., :j]), lower=False, adjoint=True)), -1)
        Ldot = L @ T[..., :k, :] + np.concatenate([np.zeros_like(T[..., :k, :]), T[..., k:, :]], -2)
        padding = np.zeros_like(G[..., j:])
        return np.concatenate([Ldot, padding], -1) + np.triu(G - T @ U[..., :j, :]), None

    def bar(ybar: Any) -> Any:
        Lbar, Ubar = np.tril(ybar[0][..., :j], -1), np.triu(ybar[0])
        Tbar = np.concatenate([H(L) @ Lbar, Lbar[..., k:, :]], -2) - Ubar @ H(U[..., :j, :])
        Gbar = H(solve_triangular(U1, H(np.tril(Tbar, -1)), lower=False))
        Gbar = np.concatenate([Gbar, np.zeros_like(Ubar[..., j:])], -1) + Ubar
        Abar = solve_triangular(L1, Gbar[..., :k, :] - H(L2) @ Gbar[..., k:, :], adjoint=True)
        return rows(np.concatenate([Abar, Gbar[..., k:, :]], -2), np.argsort(order, -1))

    return dot, bar


@composite(lu_factor)
def _lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return packed_lu(*checked(check_finite, a))


@composite(dispatching(sl.lu))
def _lu(
    a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True, p_indices: bool = False
) -> Any:
    LU, pivots = packed_lu(*checked(check_finite, a))
    m = LU.shape[-2]
    L, U = unit_lower(LU), np.triu(LU[..., : min(LU.shape[-2:]), :])
    place = np.argsort(row_order(pivots, m=m), -1)
    if permute_l:
        return rows(L, place), U
    P = (place[..., None] == np.arange(m)).astype(np.finfo(dtype_of(LU)).dtype)
    return place.astype(np.int32) if p_indices else P, L, U


@composite(dispatching(sl.lu_solve))
def _lu_solve(lu_and_piv: Any, b: Any, trans: int = 0, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    LU, pivots = lu_and_piv
    pivots = whole(pivots, "lu_and_piv", "its pivots are numbers of rows")
    LU, b = checked(check_finite, LU, b)
    L, order = unit_lower(LU), row_order(pivots, m=LU.shape[-1])

    def solve(B: Any) -> Any:
        return solve_triangular(LU, solve_triangular(L, rows(B, order)), lower=False)

    def solve_adjoint(B: Any) -> Any:
        Y = solve_triangular(LU, B, lower=False, adjoint=True)
        return rows(solve_triangular(L, Y, adjoint=True), np.argsort(order, -1))

    if trans not in (0, 1, 2):
        raise ValueError(f"trans must be 0, 1 or 2, and is {trans!r}.")
    if trans == 1:
        return conj(for_columns(solve_adjoint, conj(b), LU.shape[-1]))
    return for_columns(solve_adjoint if trans else solve, b, LU.shape[-1])


# ---------------------------------------------------------------- LDL


@primitive
def partner(D: Any) -> Any:
    """For each index of a block-diagonal D the other one of its 2 × 2 block, or itself."""
    below = np.diagonal(D, -1, -2, -1) != 0
    first, second = (np.zeros(D.shape[:-1], bool) for _ in range(2))
    first[..., :-1], second[..., 1:] = below, below
    return np.arange(D.shape[-1]) + first - second


constant(partner, like=lambda D: None, batch="(n,n)->(n)")


@primitive
def ldl_factors(A: Any, *, lower: bool, hermitian: bool) -> Any:
    """A = L D Lᴴ (Lᵀ unless Hermitian), and the order of rows that makes L triangular."""
    return tuple(sl.ldl(A, lower, hermitian))


@rule(ldl_factors, "(n,n)->(n,n),(n,n),(n)")
def _ldl_factors(y: Any, A: Any, *, lower: bool, hermitian: bool) -> Any:
    """With M = L⁻¹ȦL⁻ᴴ = SD + Ḋ + DSᴴ:  Ḋ are the blocks of M, SD its part on L's side of them, and L̇ = LS."""
    L, D, order = y
    t = H if hermitian else mT
    n = D.shape[-1]
    L, index, other = rows(L, order), np.arange(n), partner(D)
    block = (index[:, None] == index) | (other[..., :, None] == index)
    side = (np.tril if lower else np.triu)(np.ones((n, n))) * ~block
    symmetric = lambda X: (X + t(X)) / 2

    def over_D(X: Any, adjoint: bool = False) -> Any:
        """XD⁻¹, column by column; the adjugates of the 2 × 2 blocks."""
        d, e = np.diagonal(D, 0, -2, -1), np.sum(D * (block & (index[:, None] != index)), -2)
        pair = other != index
        d_other = np.where(pair, np.take_along_axis(d, other, -1), 1)
        e_other = np.take_along_axis(e, other, -1)
        det = d * d_other - e * e_other
        raise_if(
            (det == 0) & (index < n - 1 if lower else index > 0),
            error=LinAlgError("ldl of a matrix with a zero pivot has no derivative: L is not determined."),
        )
        det = np.where(det == 0, 1, det)
        own, cross = d_other / det, -e / det
        if adjoint:
            own, cross = conj(own), conj(np.take_along_axis(cross, other, -1))
        return X * own[..., None, :] + columns(X, other) * cross[..., None, :]

    def dot(Adot: Any) -> Any:
        half = solve_triangular(L, columns(rows(symmetric(Adot), order), order), lower=lower)
        M = t(solve_triangular(L, t(half), lower=lower))
        return rows(L @ over_D(side * M), np.argsort(order, -1)), block * M, None

    def bar(ybar: Any) -> Any:
        Lbar, Dbar, _ = (np.zeros_like(v) if g is None else g for v, g in zip((L, D, order), ybar))
        Mbar = side * over_D(H(L) @ rows(Lbar, order), adjoint=True) + block * Dbar
        half = solve_triangular(L, Mbar, lower=lower, adjoint=True)
        back = t(solve_triangular(L, t(half), lower=lower, adjoint=True))
        inverse = np.argsort(order, -1)
        return symmetric(columns(rows(back, inverse), inverse))

    return dot, bar


@composite(dispatching(sl.ldl))
def _ldl(
    A: Any, lower: bool = True, hermitian: bool = True, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    return ldl_factors(*checked(check_finite, A), lower=lower, hermitian=hermitian)


# ---------------------------------------------------------------- QR


@primitive
def pivot_columns(A: Any) -> Any:
    """The order in which column pivoting takes the columns."""
    return sl.qr(A, mode="r", pivoting=True)[1]


constant(pivot_columns, like=lambda A: None, batch="(m,n)->(n)")


@composite(qr)
def _qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """Of the columns in the order of the pivots."""
    if mode not in ("full", "qr", "r", "economic"):
        error = NoRuleError if mode == "raw" else ValueError
        raise error(f"scipy.linalg.qr(mode={mode!r}) has no derivative rule. Use 'full', 'economic' or 'r'.")
    (a,) = checked(check_finite, a)
    order = (pivot_columns(a),) if pivoting else ()
    if pivoting:
        a = columns(a, order[0])
    Q, R = np.linalg.qr(a, "complete" if mode in ("full", "qr") else "reduced")
    if mode != "r":
        return Q, R, *order
    below = np.zeros_like(a[..., R.shape[-2] :, :])
    return np.concatenate([R, below], -2), *order


@composite(dispatching(sl.qr_multiply))
def _qr_multiply(
    a: Any,
    c: Any,
    mode: str = "right",
    pivoting: bool = False,
    conjugate: bool = False,
    overwrite_a: bool = False,
    overwrite_c: bool = False,
) -> Any:
    """With all of Q if the place of c is to be used for Q c."""
    a, c = checked(True, a, c)
    if mode not in ("left", "right"):
        raise ValueError(f"Mode argument can only be 'left' or 'right' but not {mode!r}")
    Q, R, *order = qr(a, mode="full" if mode == "left" and overwrite_c else "economic", pivoting=pivoting)
    Q = conj(Q) if conjugate else Q
    return Q @ c if mode == "left" else c @ Q, R[..., : min(a.shape[-2:]), :], *order


def turned(X: Any) -> Any:
    """Xᴴ with its rows and columns from last to first."""
    return H(X)[..., ::-1, ::-1]


@composite(dispatching(sl.rq))
def _rq(a: Any, overwrite_a: bool = False, lwork: Any = None, mode: str = "full", check_finite: bool = True) -> Any:
    """A = R Q by the QR of Aᴴ with its rows and columns from last to first."""
    factors = [turned(X) for X in qr(turned(*checked(check_finite, a)), mode=mode)]
    return factors[0] if mode == "r" else tuple(factors[::-1])


# ---------------------------------------------------------------- QR of a matrix that was changed


@primitive
def as_factors(A: Any, Q: Any, R: Any) -> Any:
    """Q and R, as the factors of A."""
    return Q, R


@rule(as_factors, "(m,n),(m,k),(k,n)->(m,k),(k,n)")
def _as_factors(y: Any, A: Any, Q: Any, R: Any) -> Any:
    """Those of ``qr``, with the signs and phases of R as they are, which are arbitrary."""
    n = A.shape[-1]
    dot, qr_bar = qr_rule(y, A, complete=y[0].shape[-1] > n)

    def bar(ybar: Any) -> Any:
        Qbar, Rbar = (np.zeros_like(v) if g is None else g for v, g in zip(y, ybar))
        turn, returned = conj(y[0]) * Qbar, Rbar @ H(y[1])
        k = np.sum(turn, -2) - np.diagonal(returned, axis1=-2, axis2=-1)
        spectral.refuse_phases(k[..., :n], np.concatenate([turn, returned], -2), "scipy.linalg.qr_update")
        return qr_bar(ybar)

    return (dot, bar), None, None


@primitive
def found(*arrays: Any, solver: Callable[..., Any]) -> Any:
    """What a function of SciPy's finds, as constants: values for words that say what they are."""
    return tuple(solver(*arrays))


constant(found, like=lambda *arrays, solver: None)


def factors_after(A: Any, Q: Any, R: Any, *others: Any, update: Any) -> Any:
    """The factors of the changed matrix A, as SciPy's function makes them of the old ones."""
    Q, R = found(Q, R, *others, solver=update)
    m = A.shape[-2]
    if A.shape[-1] <= m:
        return as_factors(A, Q, R)
    Q, R = as_factors(A[..., :m], Q, R[..., :m])
    return Q, np.concatenate([R, H(Q) @ A[..., m:]], -1)


@composite(dispatching(sl.qr_delete))
def _qr_delete(
    Q: Any,
    R: Any,
    k: int,
    p: int = 1,
    which: str = "row",
    overwrite_qr: bool = False,
    check_finite: bool = True,
) -> Any:
    axis = {"row": -2, "col": -1}[which]
    Q, R = checked(check_finite, Q, R)
    A = Q @ R
    k = k % A.shape[axis]
    A = np.delete(A, np.arange(k, k + p), axis)
    return factors_after(A, Q, R, update=partial(sl.qr_delete, k=k, p=p, which=which))


@composite(dispatching(sl.qr_insert))
def _qr_insert(
    Q: Any,
    R: Any,
    u: Any,
    k: int,
    which: str = "row",
    rcond: Any = None,
    overwrite_qru: bool = False,
    check_finite: bool = True,
) -> Any:
    axis = {"row": -2, "col": -1}[which]
    Q, R, u = checked(check_finite, Q, R, u)
    A = Q @ R
    first, last = np.split(A, [k + A.shape[axis] if k < 0 else k], axis)
    A = np.concatenate([first, np.expand_dims(u, axis) if u.ndim == 1 else u, last], axis)
    return factors_after(A, Q, R, u, update=partial(sl.qr_insert, k=k, which=which, rcond=rcond))


@composite(dispatching(sl.qr_update))
def _qr_update(Q: Any, R: Any, u: Any, v: Any, overwrite_qruv: bool = False, check_finite: bool = True) -> Any:
    Q, R, u, v = checked(check_finite, Q, R, u, v)
    U, V = (x[:, None] if x.ndim == 1 else x for x in (u, v))
    return factors_after(Q @ R + U @ H(V), Q, R, u, v, update=sl.qr_update)


# ---------------------------------------------------------------- singular values


@primitive
def singular_factors(A: Any, *, full_matrices: bool, lapack_driver: str) -> Any:
    """A = U diag(s) Vᴴ as (U, s, Vᴴ)."""
    return tuple(sl.svd(A, full_matrices, lapack_driver=lapack_driver))


@rule(singular_factors, "(m,n)->(m,p),(k),(q,n)")
def _singular_factors(y: Any, A: Any, *, full_matrices: bool, lapack_driver: str) -> Any:
    """NumPy's: both drivers leave the same entries real."""
    return spectral.svd_rule(y, A, full_matrices=full_matrices)


@composite(dispatching(sl.svd))
def _svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    (a,) = checked(check_finite, a)
    if lapack_driver not in ("gesdd", "gesvd"):
        raise ValueError(f'lapack_driver must be "gesdd" or "gesvd", not "{lapack_driver}"')
    if not compute_uv:
        return svdvals(a)
    return singular_factors(a, full_matrices=full_matrices, lapack_driver=lapack_driver)


@composite(svdvals)
def _svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return np.linalg.svdvals(*checked(check_finite, a))


@composite(dispatching(sl.diagsvd))
def _diagsvd(s: Any, M: int, N: int) -> Any:
    return from_diagonal(s, shape=(*s.shape[:-1], M, N), offset=0, axis1=-2, axis2=-1)


@composite(dispatching(sl.polar))
def _polar(a: Any, side: str = "right") -> Any:
    return linalg.polar(*checked(True, a), side)


# ---------------------------------------------------------------- cosines and sines


def plane_counts(m: int, p: int, q: int) -> tuple[int, int, int, int, int]:
    """How many planes stand in both halves of rows and columns, and how many lines in one of each: 11, 12, 21, 22."""
    r = min(p, q, m - p, m - q)
    return r, min(p, q) - r, min(p, m - q) - r, min(m - p, q) - r, min(m - p, m - q) - r


def places(m: int, p: int, q: int) -> tuple[Any, ...]:
    """For U₁, U₂, V₁, V₂ the 0-1 matrices that put their vectors at the planes, in the order 11, r, 12, 21, 22.

    A line counts as a plane at the angle 0 or π/2 of which the other vectors are missing.
    """
    r, n11, n12, n21, n22 = plane_counts(m, p, q)
    one = np.eye(r + n11 + n12 + n21 + n22)
    lines = np.split(one, np.cumsum([n11, r, n12, n21]))
    return tuple(np.concatenate([lines[k] for k in order]) for order in ((0, 1, 2), (4, 1, 3), (0, 1, 3), (4, 1, 2)))


@primitive
def cosine_sine(X: Any, *, p: int, q: int, swap_sign: bool) -> Any:
    """The blocks U₁, U₂, the angles θ and the blocks V₁ᴴ, V₂ᴴ of a unitary X."""

    def factors(X: Any) -> Any:
        U, theta, Vh = sl.cossin(X, p, q, separate=True, swap_sign=swap_sign)
        return *U, theta, *Vh

    return per_matrix_of(factors, X)


@rule(cosine_sine, "(m,m)->(p,p),(r,r),(k),(q,q),(s,s)")
def _cosine_sine(y: Any, X: Any, *, p: int, q: int, swap_sign: bool) -> Any:
    """X = U D Vᴴ on unitary X, U and V of two blocks, D of planes (c −s; s c): U̇ = UΩ, V̇ = VΨ and UᴴẊV = ΩD + Ḋ − DΨ.

    With N = UᴴẊVDᵀ, which is skew-Hermitian, N₁₂ = −diag θ̇ − (cᵢsⱼΨ₁ − sᵢcⱼΨ₂)ᵢⱼ.  Two entries of it give those of
    Ψ₁ and Ψ₂, divided by cᵢ²sⱼ² − sᵢ²cⱼ² = sin(θⱼ − θᵢ) sin(θⱼ + θᵢ), and N₁₁ = Ω₁ − cΨ₁c − sΨ₂s.  A common
    phase of the vectors of a plane, or a rotation of equal planes, is arbitrary.
    """
    m = X.shape[-1]
    r, n11, n12, n21, n22 = plane_counts(m, p, q)
    dtype = dtype_of(y[2])
    E1, E2, F1, F2 = (E.astype(dtype) for E in places(m, p, q))
    theta = y[2]
    lead = np.zeros_like(theta[..., :0])
    line = lambda n, angle: np.concatenate([lead, np.full((*theta.shape[:-1], n), angle, dtype)], -1)
    angle = np.concatenate([line(n11, 0), theta, line(n12 + n21, np.pi / 2), line(n22, 0)], -1)
    A1, A2, B1, B2 = y[0] @ E1, y[1] @ E2, H(y[3]) @ F1, H(y[4]) @ F2
    sign = -1 if swap_sign else 1
    c, s = np.cos(angle)[..., None, :], sign * np.sin(angle)[..., None, :]
    P = mT(c) * s
    det = np.sin(angle[..., None, :] - angle[..., :, None]) * np.sin(angle[..., None, :] + angle[..., :, None])
    same = np.abs(det) <= m * np.finfo(dtype).eps
    det = np.where(same, np.inf, det)
    own = np.eye(angle.shape[-1], dtype=bool)
    turn = np.where(np.abs(c * s) <= m * np.finfo(dtype).eps, np.inf, 2 * c * s)
    middle = slice(n11, n11 + r)
    skew_of = lambda N: (N - H(N)) / 2
    both = lambda N: N + H(N)

    def dot(Xdot: Any) -> Any:
        M11, M12 = H(A1) @ Xdot[..., :p, :q] @ B1, H(A1) @ Xdot[..., :p, q:] @ B2
        M21, M22 = H(A2) @ Xdot[..., p:, :q] @ B1, H(A2) @ Xdot[..., p:, q:] @ B2
        N11, N22 = skew_of(M11 * c - M12 * s), skew_of(M21 * s + M22 * c)
        R = -((M11 * s + M12 * c) - H(M21 * c - M22 * s)) / 2
        thetadot = sign * np.real(np.diagonal(R, axis1=-2, axis2=-1))[..., middle]

        @cache
        def turns() -> Any:
            spectral.refuse(same & ~own, both(P * R) + both(mT(P) * R), Xdot, message=PLANES)
            phases = diag(1j * np.imag(np.diagonal(R, axis1=-2, axis2=-1))) / turn if dtype_of(R).kind == "c" else 0
            Psi1, Psi2 = both(P * R) / det + phases, both(mT(P) * R) / det - phases
            Omega1 = N11 + mT(c) * Psi1 * c + mT(s) * Psi2 * s
            Omega2 = N22 + mT(s) * Psi1 * s + mT(c) * Psi2 * c
            return A1 @ Omega1 @ E1.T, A2 @ Omega2 @ E2.T, H(B1 @ Psi1 @ F1.T), H(B2 @ Psi2 @ F2.T)

        first, second, third, fourth = ((lambda k=k: turns()[k]) for k in range(4))
        return first, second, thetadot, third, fourth

    def bar(ybar: Any) -> Any:
        U1bar, U2bar, thetabar, V1hbar, V2hbar = (np.zeros_like(v) if g is None else g for v, g in zip(y, ybar))
        Obar1, Obar2 = H(A1) @ U1bar @ E1, H(A2) @ U2bar @ E2
        Pbar1, Pbar2 = H(B1) @ H(V1hbar) @ F1, H(B2) @ H(V2hbar) @ F2
        scale = np.concatenate([Obar1, Obar2, Pbar1, Pbar2], -2)
        total = skew_of(Obar1 + Obar2 + Pbar1 + Pbar2)
        spectral.refuse(same | own, total, scale, message=PLANES)
        Pbar1, Pbar2 = (
            skew_of(Pbar1 + mT(c) * Obar1 * c + mT(s) * Obar2 * s),
            skew_of(Pbar2 + mT(s) * Obar1 * s + mT(c) * Obar2 * c),
        )
        N11bar, N22bar = skew_of(Obar1), skew_of(Obar2)
        Rbar = 2 * (P * Pbar1 + mT(P) * Pbar2) / det
        if dtype_of(Rbar).kind == "c":
            Rbar = Rbar + diag(1j * np.imag(np.diagonal(Pbar1 - Pbar2, axis1=-2, axis2=-1))) / turn
        edge = line(n11, 0), sign * thetabar, line(n12 + n21 + n22, 0)
        Rbar = -(Rbar + diag(np.concatenate(edge, -1))) / 2
        Mbar1 = A1 @ (N11bar * c + Rbar * s) @ H(B1), A1 @ (Rbar * c - N11bar * s) @ H(B2)
        Mbar2 = A2 @ (N22bar * s - H(Rbar) * c) @ H(B1), A2 @ (N22bar * c + H(Rbar) * s) @ H(B2)
        return np.concatenate([np.concatenate(Mbar1, -1), np.concatenate(Mbar2, -1)], -2)

    return dot, bar


PLANES = (
    "an angle of multiplicity {}, or phases: vectors of the cosine-sine decomposition that are not determined, and on "
    "which the derivative depends. Use the angles alone, or functions of the blocks of X."
)


def block_diagonal(A: Any, B: Any) -> Any:
    """The matrix with two blocks on its diagonal."""
    (m, n), (p, q) = A.shape[-2:], B.shape[-2:]
    corner = lambda X, rows, columns: np.broadcast_to(np.zeros_like(X[..., :1, :1]), (*X.shape[:-2], rows, columns))
    rows = np.concatenate([A, corner(A, m, q)], -1), np.concatenate([corner(B, p, n), B], -1)
    return np.concatenate(rows, -2)


@composite(dispatching(sl.cossin))
def _cossin(
    X: Any,
    p: int | None = None,
    q: int | None = None,
    separate: bool = False,
    swap_sign: bool = False,
    compute_u: bool = True,
    compute_vh: bool = True,
) -> Any:
    """On unitary matrices."""
    if p or q:
        p, q = 1 if p is None else p, 1 if q is None else q
    else:
        X11, X12, X21, X22 = X
        p, q = map(int, X11.shape[-2:])
        X = np.concatenate([np.concatenate([X11, X12], -1), np.concatenate([X21, X22], -1)], -2)
    U1, U2, theta, V1h, V2h = cosine_sine(X, p=p, q=q, swap_sign=swap_sign)
    if not compute_u:
        U1, U2 = U1[..., :0, :0], U2[..., :0, :0]
    if not compute_vh:
        V1h, V2h = V1h[..., :0, :0], V2h[..., :0, :0]
    if separate:
        return (U1, U2), theta, (V1h, V2h)
    m = X.shape[-1]
    _, n11, n12, n21, n22 = plane_counts(m, p, q)
    E1, E2, F1, F2 = (E.astype(dtype_of(theta)) for E in places(m, p, q))
    sign = -1 if swap_sign else 1
    ones, zeros = (np.broadcast_to(x, (*theta.shape[:-1], m)).astype(dtype_of(theta)) for x in (1, 0))
    c = np.concatenate([ones[..., :n11], np.cos(theta), zeros[..., : n12 + n21], ones[..., :n22]], -1)[..., None, :]
    s = np.concatenate([zeros[..., :n11], np.sin(theta), ones[..., : n12 + n21], zeros[..., :n22]], -1)[..., None, :]
    upper = np.concatenate([E1 * c @ F1.T, -sign * E1 * s @ F2.T], -1)
    lower = np.concatenate([sign * E2 * s @ F1.T, E2 * c @ F2.T], -1)
    return block_diagonal(U1, U2), np.concatenate([upper, lower], -2), block_diagonal(V1h, V2h)


# ---------------------------------------------------------------- bases of subspaces


def inverse_at_rank(A: Any, rcond: Any) -> Any:
    """A⁺ with SciPy's default for what counts as zero."""
    return np.linalg.pinv(A, np.finfo(dtype_of(A)).eps * max(A.shape[-2:]) if rcond is None else rcond)


@rule(orth, "(m,n)->(m,k)", varying=True)
def _orth(Q: Any, A: Any, *, rcond: Any = None) -> Any:
    """At constant rank Q̇ = (I − QQᴴ)ȦA⁺Q; a rotation of the basis, which is arbitrary, is left out or refused.

    Golub & Pereyra (1973), lemma 4.1, for the projector QQᴴ: exact where singular values repeat.
    """
    outside = lambda X: X - Q @ (H(Q) @ X)

    def dot(Adot: Any) -> Any:
        return outside(Adot @ (inverse_at_rank(A, rcond) @ Q))

    def bar(Qbar: Any) -> Any:
        spectral.refuse_rotation(Q, Qbar)
        return outside(Qbar) @ H(inverse_at_rank(A, rcond) @ Q)

    return dot, bar


@rule(null_space, "(m,n)->(n,k)", varying=True)
def _null_space(
    N: Any,
    A: Any,
    *,
    rcond: Any = None,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """At constant rank Ṅ = −A⁺ȦN, up to a rotation of the basis.  Golub & Pereyra (1973), lemma 4.1."""

    def dot(Adot: Any) -> Any:
        return -inverse_at_rank(A, rcond) @ (Adot @ N)

    def bar(Nbar: Any) -> Any:
        spectral.refuse_rotation(N, Nbar)
        return -H(inverse_at_rank(A, rcond)) @ Nbar @ H(N)

    return dot, bar


@composite(dispatching(sl.subspace_angles))
def _subspace_angles(A: Any, B: Any) -> Any:
    """tan θ = s/c, each as accurate as it can be.  Björck & Golub (1973)."""
    A, B = orth(A), orth(B)
    if A.shape[-1] < B.shape[-1]:
        A, B = B, A
    cosines = H(A) @ B
    return np.arctan2(np.linalg.svdvals(B - A @ cosines), np.linalg.svdvals(cosines)[..., ::-1])

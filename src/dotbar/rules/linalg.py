"""numpy.linalg: determinants, systems, factorisations.  Spectra are in spectral.py, norms in norms.py."""

from collections.abc import Callable
from functools import reduce
from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.linalg import LinAlgError

from dotbar.core import dtype_of, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import composite, linear, rule, shift_axis
from dotbar.rules.lapack_words import (
    cholesky_bar,
    cholesky_dot,
    diag,
    inexact,
    lu_det,
    lu_factor,
    lu_slogdet,
    lu_solve,
    raise_if,
    solve_triangular,
)
from dotbar.rules.shapes import operand
from dotbar.rules.spectral import refuse_rotation, singular_values_rule
from dotbar.rules.words import H, skew, sym

# ---------------------------------------------------------------- diagonals


def _batch_diagonal(xs: Any, batched: Any, size: int, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    n = np.ndim(xs[0]) - 1
    return np.diagonal(xs[0], offset, shift_axis(axis1, n), shift_axis(axis2, n))


@primitive
def from_diagonal(d: Any, *, shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> Any:
    """The transpose of ``np.diagonal``: zeros of ``shape`` with ``d`` on the diagonal."""
    x = np.zeros(shape, d.dtype)
    along = np.arange(d.shape[-1])
    np.moveaxis(x, (axis1, axis2), (-2, -1))[..., along + max(-offset, 0), along + max(offset, 0)] = d
    return x


def _batch_from_diagonal(
    xs: Any, batched: Any, size: int, shape: tuple[int, ...], offset: int, axis1: int, axis2: int
) -> Any:
    n = len(shape)
    return from_diagonal(xs[0], shape=(size, *shape), offset=offset, axis1=axis1 % n + 1, axis2=axis2 % n + 1)


linear(
    np.diagonal,
    lambda ybar, a, *, offset=0, axis1=0, axis2=1: from_diagonal(
        ybar, shape=a.shape, offset=offset, axis1=axis1, axis2=axis2
    ),
    batch=_batch_diagonal,
    moves=True,
)
linear(
    from_diagonal,
    lambda xbar, d, *, shape, offset, axis1, axis2: np.diagonal(xbar, offset, axis1, axis2),
    batch=_batch_from_diagonal,
    moves=True,
)


@composite(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    return np.sum(np.diagonal(a, offset, axis1, axis2), -1, dtype=dtype)


@composite(np.linalg.diagonal)
def matrix_diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return np.diagonal(x, offset, -2, -1)


@composite(np.linalg.trace)
def matrix_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return np.trace(x, offset, -2, -1, dtype)


# ---------------------------------------------------------------- determinants and systems, over one LU


@composite(np.linalg.det)
def det(a: Any) -> Any:
    """The adjugate at rank n − 1, zero below; see lu_det."""
    return lu_det(a, *lu_factor(a))


SlogdetResult = type(np.linalg.slogdet(np.eye(1)))


@composite(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    return SlogdetResult(*lu_slogdet(a, *lu_factor(a)))


@composite(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """A vector only if ``b`` has one dimension, as in NumPy 2."""
    a, b = inexact(a), inexact(b)
    if b.shape[-2:][0] != a.shape[-1]:
        raise ValueError("the rows of b are not as many as those of a")
    if np.finfo(dtype_of(a)).bits < np.finfo(dtype_of(b)).bits:
        a = a.astype(np.result_type(dtype_of(a), dtype_of(b)))
    LU = lu_factor(a)
    return lu_solve(a, b[:, None], *LU)[..., 0] if b.ndim == 1 else lu_solve(a, b, *LU)


@rule(np.linalg.inv, "(n,n)->(n,n)")
def inv(Y: Any, a: Any) -> Any:
    """Giles (2008), 2.2.3: Ẏ = −YȦY;  Ā = −YᴴȲYᴴ."""

    def dot(Adot: Any) -> Any:
        return -Y @ Adot @ Y

    def bar(Ybar: Any) -> Any:
        return -H(Y) @ Ybar @ H(Y)

    return dot, bar


@composite(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    rows = int(np.prod(a.shape[ind:], dtype=int))
    return np.reshape(np.linalg.inv(np.reshape(a, (rows, -1))), a.shape[ind:] + a.shape[:ind])


@composite(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    a, b = operand(a), operand(b)
    if axes is not None:
        last = normalize_axis_tuple(axes, a.ndim)
        a = np.transpose(a, [*(k for k in range(a.ndim) if k not in last), *last])
    shape = a.shape[b.ndim :]
    x = np.linalg.solve(np.reshape(a, (-1, int(np.prod(shape, dtype=int)))), np.reshape(b, -1))
    return np.reshape(x, shape)


@composite(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """Aⁿ by repeated squaring; the derivative at n = 0 is zero."""
    n = index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise LinAlgError("Last 2 dimensions of the array must be square")
    if n == 0:
        return np.zeros_like(a) + np.eye(a.shape[-1], dtype=dtype_of(a))
    if n < 0:
        return np.linalg.matrix_power(np.linalg.inv(a), -n)
    square, factors = a, []
    while n:
        n, odd = divmod(n, 2)
        if odd:
            factors.append(square)
        if n:
            square = square @ square
    return +reduce(np.matmul, factors)  # the plus makes A¹ an array of its own


# ---------------------------------------------------------------- pseudo-inverse and least squares


def truncates(a: Any, cut: Any) -> bool:
    """Whether a relative threshold drops what is not to be taken for rounding errors."""
    return cut is not None and bool(np.any(np.asarray(cut) > np.finfo(dtype_of(a)).eps ** 0.5))


def truncated_pinv(Y: Any, A: Any, part: Callable[[Any], Any] = lambda E: E) -> Any:
    """The derivative of Y = V g(S) Uᴴ where A = USVᴴ has other singular values than those in Y, g = 1/s or 0.

    Of vectors (u, ±v) of [0 A; Aᴴ 0] with values ±s, by divided differences of g; E = UᴴȦV:
    Ẏᴴ = U(D⁻∘sym E + D⁺∘skew E)Vᴴ + (I − UUᴴ)ȦV(g/s)Vᴴ + U(g/s)UᴴȦ(I − VVᴴ).  Higham (2008), theorem 3.11.
    """
    U, s, Vh = np.linalg.svd(A, full_matrices=False)
    V, Uh = H(Vh), H(U)
    kept = np.real(np.diagonal(Vh @ Y @ U, axis1=-2, axis2=-1)) * s > 0.5
    g = np.where(kept, 1 / np.where(kept, s, 1), 0)
    row, column = (lambda x: x[..., :, None]), (lambda x: x[..., None, :])
    mixed = row(kept) != column(kept)
    both = row(g) * column(g)
    minus = np.where(mixed, (row(g) - column(g)) / np.where(mixed, row(s) - column(s), 1), -both)
    plus = np.where(mixed, (row(g) + column(g)) / np.where(mixed, row(s) + column(s), 1), both)
    ratio = row(g * g)

    def along(E: Any) -> Any:
        """Ẏᴴ."""
        EV, UE = part(E) @ V, Uh @ part(E)
        X = Uh @ EV
        inner = U @ (minus * sym(X) + plus * skew(X)) @ Vh
        return inner + (EV - U @ X) @ (ratio * Vh) + U @ (ratio * (UE - X @ Vh))

    return (lambda Adot: H(along(Adot))), (lambda Ybar: part(along(H(Ybar))))


@rule(np.linalg.pinv, "(m,n)->(n,m)")
def pinv(Y: Any, a: Any, *, rcond: Any = None, hermitian: bool = False, rtol: Any = None) -> Any:
    """At constant rank, Ẏ = −YȦY + YYᴴȦᴴ(I − AY) + (I − YA)ȦᴴYᴴY.  Golub & Pereyra (1973), eq. (4.12)."""
    part = sym if hermitian else lambda X: X
    if truncates(a, rcond if rtol is None else rtol):
        return truncated_pinv(Y, a, part)

    def dot(Adot: Any) -> Any:
        E = part(Adot)
        F = Y @ H(Y) @ H(E)
        G = H(E) @ H(Y) @ Y
        return -Y @ E @ Y + F - F @ a @ Y + G - Y @ (a @ G)

    def bar(Ybar: Any) -> Any:
        F = H(Ybar) @ Y @ H(Y)
        G = H(Y) @ Y @ H(Ybar)
        return part(-H(Y) @ Ybar @ H(Y) + F - a @ (Y @ F) + G - (G @ Y) @ a)

    return dot, bar


@rule(np.linalg.lstsq, varying=True)
def lstsq(y: Any, a: Any, b: Any, *, rcond: Any = None) -> Any:
    """x = A⁺b, with r = b − Ax: ẋ = A⁺(ḃ − Ȧx) + A⁺A⁺ᴴȦᴴr + (I − A⁺A)ȦᴴA⁺ᴴx at constant rank.

    Golub & Pereyra (1973).  The sums of squared residuals ρ have ρ˙ = 2 Re rᴴ(ḃ − Ȧx), as rᴴA = 0.
    """
    x, residues, _, s = y
    vector = len(b.shape) == 1
    eps = np.finfo(dtype_of(x)).eps
    rtol = eps * max(a.shape) if rcond is None else eps if rcond < 0 else rcond
    columns = lambda v: v[:, None] if vector else v
    X, R = columns(x), columns(b) - a @ columns(x)
    Y = np.linalg.pinv(a, rtol)

    def results(Xdot: Any, Edot: Any, sdot: Any) -> Any:
        rho = 2 * np.real(np.sum(np.conj(R) * Edot, 0)) if residues.size else np.zeros_like(residues)
        rho = np.reshape(rho, residues.shape).astype(residues.dtype)  # SciPy's are numbers, or complex
        return Xdot[:, 0] if vector else Xdot, rho, None, sdot

    def cotangents(ybar: Any) -> Any:
        """X̄, and the cotangent of ḃ − Ȧx."""
        xbar, rhobar, _, _ = ybar
        Xbar = np.zeros_like(X) if xbar is None else columns(xbar)
        Ebar = H(Y) @ Xbar
        return Xbar, Ebar if rhobar is None or not residues.size else Ebar + 2 * R * np.real(rhobar)

    def spectrum() -> Any:
        return singular_values_rule(np.linalg.svd(a, full_matrices=False), a)

    def dot_a(Adot: Any) -> Any:
        Edot = -Adot @ X
        normal = H(Adot) @ (H(Y) @ X)
        if truncates(a, rtol):
            Xdot = truncated_pinv(Y, a)[0](Adot) @ columns(b)
        else:
            Xdot = Y @ Edot + Y @ (H(Y) @ (H(Adot) @ R)) + normal - Y @ (a @ normal)
        dot, _ = spectrum()
        return results(Xdot, Edot, dot(Adot)[1])

    def bar_a(ybar: Any) -> Any:
        Xbar, Ebar = cotangents(ybar)
        free = Xbar - H(a) @ (H(Y) @ Xbar)
        if truncates(a, rtol):
            Abar = truncated_pinv(Y, a)[1](Xbar @ H(columns(b))) - (Ebar - H(Y) @ Xbar) @ H(X)
        else:
            Abar = -Ebar @ H(X) + R @ H(Y @ (H(Y) @ Xbar)) + H(Y) @ X @ H(free)
        if ybar[3] is None:
            return Abar
        _, bar = spectrum()
        return Abar + bar((None, ybar[3], None))

    def dot_b(bdot: Any) -> Any:
        return results(Y @ columns(bdot), columns(bdot), np.zeros_like(s))

    def bar_b(ybar: Any) -> Any:
        Ebar = cotangents(ybar)[1]
        return Ebar[:, 0] if vector else Ebar

    return (dot_a, bar_a), (dot_b, bar_b)


# ---------------------------------------------------------------- factorisations


@rule(np.linalg.cholesky, "(n,n)->(n,n)")
def cholesky(L: Any, a: Any, *, upper: bool = False) -> Any:
    """A = L Lᴴ (or UᴴU) on Hermitian A.  Murray (2016), arXiv:1602.07527.

    L̇ = L Φ(L⁻¹ sym(Ȧ) L⁻ᴴ),   Ā = sym(L⁻ᴴ Φ(LᴴL̄) L⁻¹);   Φ: lower triangle, diagonal halved.
    """
    lower = H if upper else lambda X: X

    def dot(Adot: Any) -> Any:
        return lower(cholesky_dot(lower(L), sym(Adot)))

    def bar(Lbar: Any) -> Any:
        return cholesky_bar(lower(L), lower(Lbar))

    return dot, bar


@primitive
def qr_factors(A: Any, *, complete: bool = False) -> Any:
    """A = Q R for a matrix with no more columns than rows."""
    return tuple(np.linalg.qr(A, "complete" if complete else "reduced"))


def _refuse_dependent_columns(R: Any, m: int) -> None:
    """Without full column rank the columns of Q are not determined."""
    r = np.abs(np.diagonal(R, axis1=-2, axis2=-1))
    lowest = m * np.finfo(dtype_of(r)).eps * np.max(r, -1, keepdims=True, initial=0)
    raise_if(
        r <= lowest,
        error=LinAlgError(
            "qr of a rank-deficient matrix has no derivative: its columns (for a wide matrix, its first ones) are "
            "linearly dependent. np.linalg.pinv, lstsq and svd are differentiable at constant rank."
        ),
    )


@rule(qr_factors, "(m,n)->(m,k),(k,n)")
def qr_rule(y: Any, A: Any, *, complete: bool = False) -> Any:
    """Roberts & Roberts (2020), arXiv:2009.10071.  With C = QᴴȦR⁻¹:  Ṙ = (C − Ω)R,  Q̇ = QΩ + (I − QQᴴ)ȦR⁻¹.

    Ω is skew-Hermitian with the lower triangle of C, and i Im diag C as LAPACK makes diag R real.  The columns
    that ``complete`` adds move only as far as Q makes them: Q̇₂ = −Q Q̇ᴴQ₂.
    """
    Q, R = y
    n = R.shape[-1]
    Q2, Q, R = Q[..., n:], Q[..., :n], R[..., :n, :]
    _refuse_dependent_columns(R, Q.shape[-2])

    def over_R(X: Any) -> Any:
        return H(solve_triangular(R, H(X), lower=False, adjoint=True))

    def over_Rh(X: Any) -> Any:
        return H(solve_triangular(R, H(X), lower=False))

    def phase(C: Any) -> Any:
        return 1j * diag(np.imag(np.diagonal(C, axis1=-2, axis2=-1))) if dtype_of(C).kind == "c" else 0

    def dot(Adot: Any) -> Any:
        E = over_R(Adot)
        C = H(Q) @ E
        X = np.tril(C, -1)
        Omega = X - H(X) + phase(C)
        Qdot, Rdot = Q @ (Omega - C) + E, np.triu((C - Omega) @ R)
        if not complete:
            return Qdot, Rdot
        below = np.zeros_like(y[1][..., n:, :])
        return np.concatenate([Qdot, -Q @ (H(E) @ Q2)], -1), np.concatenate([Rdot, below], -2)

    def bar(ybar: Any) -> Any:
        Qbar, Rbar = (np.zeros_like(v) if g is None else g for v, g in zip(y, ybar))
        N = np.triu(Rbar[..., :n, :]) @ H(R)
        K = H(Q) @ Qbar[..., :n]
        W = K - N
        Cbar = N + np.tril(W - H(W), -1) + phase(W)
        Ebar = Q @ (Cbar - K) + Qbar[..., :n]
        if complete:
            refuse_rotation(Q2, Qbar[..., n:])
            Ebar = Ebar - Q2 @ (H(Qbar[..., n:]) @ Q)
        return over_Rh(Ebar)

    return dot, bar


QRResult = type(np.linalg.qr(np.eye(1)))


@composite(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """A wide matrix by its leading square: A = [A₁ A₂] = Q [R₁ QᴴA₂].  Roberts & Roberts (2020), section 4."""
    mode = {"f": "reduced", "full": "reduced", "e": "economic"}.get(mode, mode)
    if mode not in ("reduced", "complete", "r", "raw", "economic"):
        raise ValueError(f"Unrecognized mode {mode!r}")
    if mode not in ("reduced", "complete", "r"):
        raise NoRuleError(f"numpy.linalg.qr(mode={mode!r}) has no derivative rule. Use 'reduced', 'complete' or 'r'.")
    m, n = a.shape[-2:]
    if m < n:
        Q, R = qr_factors(a[..., :m])
        R = np.concatenate([R, H(Q) @ a[..., m:]], -1)
    else:
        Q, R = qr_factors(a, complete=mode == "complete")
    return R if mode == "r" else QRResult(Q, R)

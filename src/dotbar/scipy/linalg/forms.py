"""Unitary forms of a matrix and of a pair: Schur, Hessenberg, QZ.

Each is fixed by entries that are zero.  They give a linear equation for the rotations of the vectors, from which all
else follows, and which is solved by halves or column after column.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg as sl

from dotbar.core import dtype_of, primitive
from dotbar.errors import DegenerateSpectrumError
from dotbar.rules.kinds import composite, constant, match, rule
from dotbar.rules.lapack_words import diag, raise_if
from dotbar.rules.linalg import from_diagonal
from dotbar.rules.spectral import refuse_phases, same_value
from dotbar.rules.words import H, conj, mT, once
from dotbar.scipy.linalg.eigen import as_complex
from dotbar.scipy.linalg.equations import checked
from dotbar.scipy.mirror import dispatching

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
    X21[...] = -solution / scale
    if not adjoint:
        X11 += T12 @ X21
        X22 -= X21 @ T12
        halves()
    X[:k, k:] = 0


def schur_kernel(T: Any, X: Any, scale: Any, adjoint: bool) -> None:
    w = quasi_eigenvalues(T)
    above, below = np.diagonal(T, 1), np.diagonal(T, -1)
    noise = 10 * len(T) * np.finfo(w.dtype).eps * np.max(np.abs(T))
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

    Konstantinov, Petkov & Christov (1994), Nonlocal perturbation analysis of the Schur system of a matrix.
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
    return schur_factors(*checked(check_finite, a), output=output, sort=sort)


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
    factors = hessenberg_factors(*checked(check_finite, a))
    return factors if calc_q else factors[0]


@primitive
def complex_blocks(T: Any, Z: Any) -> Any:
    """For each neighbouring pair of columns of a real Schur form, 0 unless it is a block, else the sign of Im λ of the
    eigenvalue that the complex form has first.
    """
    first = np.diagonal(sl.rsf2csf(T, Z)[0], axis1=-2, axis2=-1)[..., :-1]
    return np.sign(first.imag) * (np.diagonal(T, -1, -2, -1) != 0)


constant(complex_blocks, like=lambda T, Z: None, batch="(n,n),(n,n)->(m)")


def on_diagonal(x: Any, offset: int = 0) -> Any:
    """The square matrix with x on a diagonal."""
    n = x.shape[-1] + abs(offset)
    return from_diagonal(x, shape=(*x.shape[:-1], n, n), offset=offset, axis1=-2, axis2=-1)


@composite(dispatching(sl.rsf2csf))
def _rsf2csf(T: Any, Z: Any, check_finite: bool = True) -> Any:
    """A block (a b; c d) with the eigenvalue λ turns by U = (u −s; s ū), (u, s) = (λ − d, c)/r."""
    T, Z = map(as_complex, checked(check_finite, T, Z))
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


@rule(qz_factors, "(n,n),(n,n)->(n,n),(n,n),(n,n),(n,n),(n),(n)", varying=True)
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
    return qz_factors(*checked(check_finite, A, B), output=output, sort=None)


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
    S, T, Q, Z, alpha, beta = qz_factors(*checked(check_finite, A, B), output=output, sort=sort)
    return S, T, alpha, beta, Q, Z

"""numpy.linalg: eigenvalues and singular values, and their vectors as LAPACK normalises them.

A value is repeated where a gap is at most n·eps·‖A‖.  There the values have the block's average derivative, and
the vectors are any basis of the block: a derivative that needs one of them is refused, because what the
vectors' cotangents say within the block does not determine it.
"""

from functools import cache
from typing import Any

import numpy as np

from dotbar.core import RULES, dtype_of, primitive
from dotbar.errors import DegenerateSpectrumError
from dotbar.rules.kinds import composite, constant, rule
from dotbar.rules.lapack_words import diag, lu_factor, lu_inverse, raise_if
from dotbar.rules.words import H, ratio, stop_gradient, sym

# ---------------------------------------------------------------- repeated values


@primitive
def same_value(w: Any) -> Any:
    """For each pair of eigenvalues whether they are one repeated value, up to n·eps·max|w|."""
    n = w.shape[-1]
    gap = np.abs(w[..., :, None] - w[..., None, :])
    same = gap <= n * np.finfo(w.dtype).eps * np.max(np.abs(w), -1, initial=0)[..., None, None]
    if np.count_nonzero(same) > w.size:  # small gaps add up to larger ones: close the relation
        for _ in range(n.bit_length()):
            same = same.astype(np.float32) @ same.astype(np.float32) > 0
    return same


constant(same_value, like=lambda w: None, batch="(n)->(n,n)")


def block_mean(x: Any, same: Any) -> Any:
    """The vectors x averaged over the blocks of repeated values."""
    weight = same / np.sum(same, -1, keepdims=True)
    return (weight.astype(dtype_of(x)) @ x[..., None])[..., 0]


def over_gaps(X: Any, w: Any, same: Any) -> Any:
    """F∘X with F_ij = 1/(w_j − w_i) between blocks, zero within."""
    return X / np.where(same, np.inf, w[..., None, :] - w[..., :, None])


@primitive
def refuse(where: Any, X: Any, scale: Any, *, message: str) -> Any:
    """Raise unless X vanishes where asked, to rounding at the given scale."""
    noise = 10 * max(X.shape[-2:]) * np.finfo(X.dtype).eps * np.max(np.abs(scale), (-2, -1), initial=0)
    met = where & (np.abs(X) > noise[..., None, None])
    if np.any(met):
        multiplicity = np.max(np.sum(np.broadcast_to(where, met.shape), -1)[np.any(met, -1)])
        raise DegenerateSpectrumError(message.format(multiplicity))
    return met


constant(refuse, like=lambda where, X, scale, *, message: None, batch="(m,n),(m,n),(k,l)->(m,n)")


def repeated(same: Any) -> Any:
    """The pairs within blocks of at least two values."""
    return same & (np.sum(same, -1) > 1)[..., None]


EIGENVECTORS = (
    "an eigenvalue of multiplicity {}: its eigenvectors are not determined, and the derivative depends on them. "
    "Use dotbar.linalg.matrix_function(f, A) for V f(w) Vᴴ or dotbar.linalg.projector(A, select), which are exact "
    "here; eigvalsh or eigvals for the eigenvalues alone; and np.trace(matrix_function(f, A)) for a second derivative "
    "of the sum of f(w)."
)
SINGULAR_VECTORS = (
    "a singular value of multiplicity {}: its singular vectors are not determined, and the derivative depends on "
    "them. Use dotbar.linalg.polar(A) or np.linalg.pinv(A), which are exact here; svdvals for the values alone; and "
    "np.trace(dotbar.linalg.matrix_function(f, AᴴA)) for a second derivative of the sum of f(s²)."
)
NULL_SPACE = (
    "a null space of dimension {}: its basis, which svd(full_matrices=True) and qr(mode='complete') add, is not "
    "determined, and the derivative depends on it. Use the thin form, or a function of the projector I − Q Qᴴ."
)


PHASES = (
    "the phases of vectors that {} leaves as its iterations make them: the derivative depends on them. Use functions "
    "of v vᴴ or |v|, or np.linalg.eig and eigh, whose vectors are normalised."
)


def refuse_rotation(Q: Any, Qbar: Any) -> None:
    """Refuse a cotangent of the basis Q of a complement that changes when the basis is rotated."""
    K = H(Q) @ Qbar
    everywhere = np.ones(K.shape[-2:], bool)
    refuse(everywhere, K - H(K), Qbar, message=NULL_SPACE)


def refuse_phases(k: Any, scale: Any, name: str) -> None:
    """Refuse cotangents that change when the vectors are multiplied by numbers of modulus 1."""
    if dtype_of(k).kind == "c":
        everywhere = np.ones(k.shape[-1:] * 2, bool)
        refuse(everywhere, diag(np.imag(k)), scale, message=PHASES.format(name))


# ---------------------------------------------------------------- phases


def phase_rate(turn: Any, v: Any, n: int) -> Any:
    """θ̇ = −Im(v̇)/v, which keeps the entries v of n-vectors real; 0 where v vanishes and leaves the phase open."""
    return ratio(-turn, np.where(np.abs(v) <= n * np.finfo(dtype_of(v)).eps, 0, np.real(v)))


# ---------------------------------------------------------------- Hermitian matrices


@rule(np.linalg.eigh, "(n,n)->(n),(n,n)")
def eigh(y: Any, a: Any, *, UPLO: str = "L") -> Any:
    """A V = V diag(w) on Hermitian A.  Giles (2008), 3.1: with P = VᴴȦV, ẇ = diag P and V̇ = V(F∘P + i diag θ̇).

    Reduction to tridiagonal form leaves the first coordinate alone (the last for UPLO='U'), so LAPACK's
    eigenvectors are real there, and θ̇ keeps them so.
    """
    w, V = y
    n = w.shape[-1]
    row = slice(0, 1) if UPLO.upper() == "L" else slice(-1, None)
    same = same_value(w)
    is_complex = dtype_of(V).kind == "c"

    def dot(Adot: Any) -> Any:
        P = H(V) @ sym(Adot) @ V
        wdot = block_mean(np.real(np.diagonal(P, axis1=-2, axis2=-1)), same)

        def Vdot() -> Any:
            refuse(repeated(same), P - diag(wdot), Adot, message=EIGENVECTORS)
            X = V @ over_gaps(P, w, same)
            return X + 1j * V * phase_rate(np.imag(X[..., row, :]), V[..., row, :], n) if is_complex else X

        return wdot, Vdot

    def bar(ybar: Any) -> Any:
        wbar, Vbar = ybar
        if Vbar is None:
            return (V * block_mean(wbar, same)[..., None, :]) @ H(V)
        wbar = np.zeros_like(w) if wbar is None else wbar
        K = H(V) @ Vbar
        refuse(repeated(same), K, Vbar, message=EIGENVECTORS)
        mean = block_mean(wbar, same)
        refuse(repeated(same), diag(wbar - mean), diag(wbar), message=EIGENVECTORS)
        if is_complex:
            turn = np.imag(np.diagonal(K, axis1=-2, axis2=-1))[..., None, :]
            K = K + H(V[..., row, :]) * (1j * phase_rate(turn, V[..., row, :], n))
        return sym(V @ (over_gaps(K, w, same) + diag(mean)) @ H(V))

    return dot, bar


def hermitian_spectrum(A: Any, *, UPLO: Any = "L") -> Any:
    """``eigh`` for its values: the vectors have a derivative only at the levels below, those of higher order."""
    return tuple(np.linalg.eigh(A, UPLO))


@rule(hermitian_spectrum, "(n,n)->(n),(n,n)")
def _hermitian_spectrum(y: Any, A: Any, *, UPLO: str = "L") -> Any:
    """ẇ = diag(VᴴȦV), averaged over repeated values.  Giles (2008), 3.1."""
    w, V = y

    def dot(Adot: Any) -> Any:
        return block_mean(np.real(np.sum(np.conj(V) * (sym(Adot) @ V), -2)), same_value(w)), None

    def bar(ybar: Any) -> Any:
        return (V * block_mean(ybar[0], same_value(w))[..., None, :]) @ H(V)

    return dot, bar


@composite(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return RULES[hermitian_spectrum](a, UPLO=UPLO)[0]


# ---------------------------------------------------------------- general matrices


def left_vectors(V: Any) -> Any:
    """V⁻¹, whose rows are long where eigenvalues are ill-conditioned and infinite for a defective matrix."""
    W = lu_inverse(V, *lu_factor(V))  # nan if V is singular
    n = V.shape[-1]
    raise_if(
        ~(np.linalg.norm(stop_gradient(W), axis=-1) <= 1e-2 / (n * np.finfo(dtype_of(V)).eps)),
        error=DegenerateSpectrumError(
            "the matrix is defective to working precision: it has no basis of eigenvectors, and its eigenvalues "
            "have no derivative. Symmetric functions of them, such as np.trace, np.linalg.det or powers, have one."
        ),
    )
    return W


@primitive
def largest_entry(V: Any) -> Any:
    """One-hot columns that mark the entries LAPACK's geev makes real: the largest of each column."""
    size = np.where(np.imag(V) == 0, np.abs(V), 0)
    if not size.size:
        return size
    return (np.arange(V.shape[-2])[:, None] == np.argmax(size, -2)[..., None, :]).astype(size.dtype)


constant(largest_entry, like=lambda V: None, batch="(n,n)->(n,n)")


@rule(np.linalg.eig, "(n,n)->(n),(n,n)", varying=True)
def eig(y: Any, a: Any) -> Any:
    """A V = V diag(w).  Giles (2008), 3.1: with P = V⁻¹ȦV, ẇ = diag P and V̇ = V(F∘P + diag c).

    LAPACK's vectors have norm 1 and their largest entry real; c keeps them so.
    """
    w, V = y
    n = w.shape[-1]
    same = same_value(w)
    is_complex = dtype_of(V).kind == "c"
    largest = largest_entry(V)
    real_entry = lambda X: np.sum(largest * X, -2, keepdims=True)

    def dot(Adot: Any) -> Any:
        P = left_vectors(V) @ Adot @ V
        wdot = block_mean(np.diagonal(P, axis1=-2, axis2=-1), same)

        def Vdot() -> Any:
            refuse(repeated(same), P - diag(wdot), P, message=EIGENVECTORS)
            X = V @ over_gaps(P, w, same)
            X = X - V * np.real(np.sum(np.conj(V) * X, -2, keepdims=True))
            return X + 1j * V * phase_rate(np.imag(real_entry(X)), real_entry(V), n) if is_complex else X

        return wdot, Vdot

    def bar(ybar: Any) -> Any:
        wbar, Vbar = (np.zeros_like(v) if g is None else g for v, g in zip(y, ybar))
        k = np.sum(np.conj(V) * Vbar, -2, keepdims=True)
        refuse(repeated(same), H(V) @ Vbar, Vbar, message=EIGENVECTORS)
        mean = block_mean(wbar, same)
        if ybar[1] is not None:
            refuse(repeated(same), diag(wbar - mean), diag(wbar), message=EIGENVECTORS)
        Ybar = Vbar - V * np.real(k)
        if is_complex:
            Ybar = Ybar + largest * (1j * phase_rate(np.imag(k), real_entry(V), n))
        return H(left_vectors(V)) @ (np.conj(over_gaps(np.conj(H(V) @ Ybar), w, same)) + diag(mean)) @ H(V)

    return dot, bar


def spectrum(A: Any) -> Any:
    """``eig`` for its values: the vectors have a derivative only at the levels below, those of higher order."""
    return tuple(np.linalg.eig(A))


@rule(spectrum, "(n,n)->(n),(n,n)", varying=True)
def _spectrum(y: Any, A: Any) -> Any:
    """ẇ = diag(V⁻¹ȦV), averaged over repeated values.  Giles (2008), 3.1."""
    w, V = y

    def dot(Adot: Any) -> Any:
        return block_mean(np.sum(np.swapaxes(left_vectors(V), -1, -2) * (Adot @ V), -2), same_value(w)), None

    def bar(ybar: Any) -> Any:
        return (H(left_vectors(V)) * block_mean(ybar[0], same_value(w))[..., None, :]) @ H(V)

    return dot, bar


@composite(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    return RULES[spectrum](a)[0]


# ---------------------------------------------------------------- singular values


def _is_zero(s: Any, m: int, n: int) -> Any:
    """Which singular values are zero to rounding."""
    return s <= max(m, n) * np.finfo(dtype_of(s)).eps * np.max(s, -1, keepdims=True, initial=0)


@primitive
def svd_factors(A: Any, *, full_matrices: bool = True) -> Any:
    """A = U diag(s) Vᴴ as (U, s, Vᴴ)."""
    return tuple(np.linalg.svd(A, full_matrices))


@rule(svd_factors, "(m,n)->(m,p),(k),(q,n)")
def svd_rule(y: Any, A: Any, *, full_matrices: bool = True) -> Any:
    """Wan & Zhang (2019), arXiv:1909.02659, with 1/(s_j² − s_i²) split; in the ranges U̇ = UΩ, V̇ = VΨ.

    M = UᴴȦV,  ṡ = Re diag M,  (Ω+Ψ)_ij = (M+Mᴴ)_ij/(s_j−s_i),  (Ω−Ψ)_ij = (M−Mᴴ)_ij/(s_i+s_j);  outside them
    U̇ = (I−UUᴴ)ȦV/s, V̇ = (I−VVᴴ)ȦᴴU/s.  A common phase keeps the first entry of each column of V (of U for a wide A)
    real, as bidiagonalisation leaves that coordinate alone.  Columns of a null space move only as far as
    the others make them.
    """
    k = y[1].shape[-1]
    (U, U2), s, (V, V2) = (y[0][..., :k], y[0][..., k:]), y[1], (H(y[2][..., :k, :]), H(y[2][..., k:, :]))
    m, n = U.shape[-2], V.shape[-2]
    same, zero = same_value(s), _is_zero(s, m, n)
    both_zero = zero[..., :, None] & zero[..., None, :]
    is_complex = dtype_of(U).kind == "c"
    real_row = (V if m >= n else U)[..., :1, :]

    def over_sums(X: Any, scale: Any) -> Any:
        refuse(both_zero, X, scale, message=SINGULAR_VECTORS)
        return X / np.where(both_zero, np.inf, s[..., :, None] + s[..., None, :])

    def outside(X: Any, Q: Any, QX: Any) -> Any:
        """(I − QQᴴ)X/s, given QᴴX."""
        if Q.shape[-2] == k:
            return np.zeros_like(X)
        rest = X - Q @ QX
        refuse(zero[..., None, :], rest, X, message=SINGULAR_VECTORS)
        return rest / np.where(zero, np.inf, s)[..., None, :]

    def dot(Adot: Any) -> Any:
        AV, AU = Adot @ V, H(Adot) @ U
        M = H(U) @ AV
        sdot = np.where(zero, 0, block_mean(np.real(np.diagonal(M, axis1=-2, axis2=-1)), same))

        @cache
        def vectors() -> Any:
            refuse(repeated(same) | both_zero, M + H(M) - 2 * diag(sdot), Adot, message=SINGULAR_VECTORS)
            D, E = over_gaps(M + H(M), s, same), over_sums(M - H(M), Adot)
            Udot = U @ ((D + E) / 2) + outside(AV, U, M)
            Vdot = V @ ((D - E) / 2) + outside(AU, V, H(M))
            if is_complex:
                turn = np.imag((Vdot if m >= n else Udot)[..., :1, :])
                rate = 1j * phase_rate(turn, real_row, min(m, n))
                Udot, Vdot = Udot + U * rate, Vdot + V * rate
            if full_matrices:
                Udot = np.concatenate([Udot, -U @ (H(Udot) @ U2)], -1)
                Vdot = np.concatenate([Vdot, -V @ (H(Vdot) @ V2)], -1)
            return Udot, Vdot

        return (lambda: vectors()[0]), sdot, (lambda: H(vectors()[1]))

    def bar(ybar: Any) -> Any:
        ubar, sbar, vbar = (np.zeros_like(v) if g is None else g for v, g in zip(y, ybar))
        vbar = H(vbar)
        Ubar, Vbar = ubar[..., :k], vbar[..., :k]
        mean = block_mean(sbar, same)
        if ybar[0] is None and ybar[2] is None:
            return (U * np.where(zero, 0, mean)[..., None, :]) @ H(V)
        if full_matrices:
            refuse_rotation(U2, ubar[..., k:])
            refuse_rotation(V2, vbar[..., k:])
            Ubar = Ubar - U2 @ (H(ubar[..., k:]) @ U)
            Vbar = Vbar - V2 @ (H(vbar[..., k:]) @ V)
        if is_complex:
            turn = np.imag(np.sum(np.conj(U) * Ubar, -2, keepdims=True) + np.sum(np.conj(V) * Vbar, -2, keepdims=True))
            kick = np.eye(min(m, n), 1) * (1j * phase_rate(turn, real_row, min(m, n)))
            Ubar, Vbar = (Ubar, Vbar + kick) if m >= n else (Ubar + kick, Vbar)
        KU, KV = H(U) @ Ubar, H(V) @ Vbar
        scale = np.concatenate([Ubar, Vbar], -2)
        refuse(repeated(same), KU + KV, scale, message=SINGULAR_VECTORS)
        refuse(repeated(same), diag(sbar - mean), diag(sbar), message=SINGULAR_VECTORS)
        D, E = over_gaps(KU + KV, s, same) / 2, over_sums(KU - KV, scale) / 2
        core = D + H(D) + E - H(E) + diag(mean)
        return (U @ core + outside(Ubar, U, KU)) @ H(V) + U @ H(outside(Vbar, V, KV))

    return dot, bar


def singular_values(A: Any) -> Any:
    """``svd`` for its values: the vectors have a derivative only at the levels below, those of higher order."""
    return tuple(np.linalg.svd(A, full_matrices=False))


@rule(singular_values, "(m,n)->(m,k),(k),(k,n)")
def singular_values_rule(y: Any, A: Any) -> Any:
    """ṡ = Re diag(UᴴȦV), averaged over repeated values, and 0 at s = 0.  Giles (2008), 3.2."""
    U, s, Vh = y
    zero = _is_zero(s, U.shape[-2], Vh.shape[-1])

    def average(x: Any) -> Any:
        return np.where(zero, 0, block_mean(x, same_value(s)))

    def dot(Adot: Any) -> Any:
        return None, average(np.real(np.sum(np.conj(U) * (Adot @ H(Vh)), -2))), None

    def bar(ybar: Any) -> Any:
        return (U * average(ybar[1])[..., None, :]) @ Vh

    return dot, bar


@composite(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    return RULES[singular_values](x)[1]


SVDResult = type(np.linalg.svd(np.eye(1)))


@composite(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    if not hermitian:
        return SVDResult(*svd_factors(a, full_matrices=full_matrices)) if compute_uv else np.linalg.svdvals(a)
    w, V = np.linalg.eigh(a) if compute_uv else (np.linalg.eigvalsh(a), None)
    order = np.flip(np.argsort(np.abs(w), -1), -1)
    w = np.take_along_axis(w, order, -1)
    if V is None:
        return np.abs(w)
    V = np.take_along_axis(V, order[..., None, :], -1)
    return SVDResult(V, np.abs(w), H(V * np.sign(w)[..., None, :]))


@composite(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """Infinite for a singular matrix, as in NumPy."""
    with np.errstate(all="ignore"):
        if p in (None, 2, -2):
            s = np.linalg.svdvals(x)
            y = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        else:
            inverse = lu_inverse(x, *lu_factor(x))
            y = np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(inverse, p, (-2, -1))
        return np.where(np.isnan(y) & ~np.any(np.isnan(x), (-2, -1)), np.inf, y)


constant(np.linalg.matrix_rank, like=lambda A, tol=None, hermitian=False, *, rtol=None: None, batch="(m,n)->()")

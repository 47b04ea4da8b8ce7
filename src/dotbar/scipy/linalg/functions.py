"""Functions of matrices.

Each derivative is exact also for defective matrices: it is never taken in a basis of eigenvectors.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy as np
import scipy.linalg as sl

from dotbar.core import dtype_of, primitive
from dotbar.errors import DegenerateSpectrumError, NoRuleError
from dotbar.linalg import put, slope
from dotbar.rules.kinds import composite, match, rule
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import H
from dotbar.scipy.linalg.equations import double, schur_form, sylvester
from dotbar.scipy.mirror import dispatching, stands_for
from dotbar.transforms import jvp, vjp

# ---------------------------------------------------------------- the derivative of a primary function


def doubled(A: Any, E: Any) -> Any:
    """[[A, E₁], [0, A]], and this matrix doubled again for each further direction."""
    for m in range(E.shape[-3]):
        Em = np.kron(np.eye(2**m, dtype=E.dtype), E[..., m, :, :])
        A = np.block([[A, Em], [np.zeros_like(A), A]])
    return A


def norms(A: Any) -> Any:
    return np.linalg.norm(A, axis=(-2, -1), keepdims=True)


def scales(A: Any, E: Any) -> Any:
    """Powers of two that make the directions small beside A, which then decides alone on scaling and squaring."""
    with np.errstate(all="ignore"):
        scale = np.exp2(np.round(np.log2(256 * norms(E) / norms(A)[..., None, :, :])))
    return np.where(np.isfinite(scale) & (scale > 0), scale, 1).astype(E.dtype)


@primitive
def derivative(A: Any, E: Any, *, f: Callable[[Any], Any], triangular: bool, dtype: np.dtype[Any]) -> Any:
    """Dᵏf(A)[E₁, ..., Eₖ] for the k matrices of E ``(..., k, n, n)``: the corner of f of the doubled matrix.

    Higham & Relton (2014), Higher order Fréchet derivatives of matrix functions, theorem 3.5.  ``triangular``: f is
    taken in the basis of a Schur form of A, where what is repeated in the doubled matrix is repeated exactly.
    """
    lead = np.broadcast_shapes(A.shape[:-2], E.shape[:-3])
    A, E = np.broadcast_to(A, lead + A.shape[-2:]), np.broadcast_to(E, lead + E.shape[-3:])
    n = A.shape[-1]
    if A.size == 0:
        return np.zeros(A.shape, dtype)
    scale = scales(A, E)
    if triangular:
        A, Q = triangular_form(A)
        E = H(Q)[..., None, :, :] @ E @ Q[..., None, :, :]
    Y = f(doubled(A, E / scale))[..., :n, -n:] * np.prod(scale, -3)
    if triangular:
        Y = Q @ Y @ H(Q)
    return (Y if np.dtype(dtype).kind == "c" else Y.real).astype(dtype)


def triangular_form(A: Any) -> tuple[Any, Any]:
    """T and Q of A = Q T Qᴴ with an upper triangular T: real if it can be, as SciPy has it."""
    T, Q = sl.schur(A)
    return (T, Q) if np.array_equal(T, np.triu(T)) else tuple(sl.rsf2csf(T, Q))


@rule(derivative, "(n,n),(k,n,n)->(n,n)")
def _derivative(Y: Any, A: Any, E: Any, *, f: Any, triangular: bool, dtype: Any) -> Any:
    """The derivative along one matrix more; tr(Ȳᴴ Dᵏf[E₁, ..., Eₖ]) is symmetric in Ȳᴴ and the E's."""
    k = E.shape[-3]

    def along(m: int, X: Any) -> Any:
        return derivative(A, put(E, m, X), f=f, triangular=triangular, dtype=dtype)

    def dot_A(Adot: Any) -> Any:
        return along(k, Adot)

    def bar_A(Ybar: Any) -> Any:
        return H(along(k, H(Ybar)))

    def dot_E(Edot: Any) -> Any:
        return sum(along(m, Edot[..., m, :, :]) for m in range(k))

    def bar_E(Ybar: Any) -> Any:
        return np.stack([H(along(m, H(Ybar))) for m in range(k)], -3)

    return (dot_A, bar_A), (dot_E, bar_E)


def primary(A: Any, dtype: Any, f: Callable[[Any], Any], triangular: bool = True) -> Any:
    """The (dot, bar) of a primary function: L(A, Ȧ) and L(A, Ȳᴴ)ᴴ.  Higham (2008), (3.16) and section 3.2."""

    def along(E: Any) -> Any:
        return derivative(A, E[..., None, :, :], f=f, triangular=triangular, dtype=dtype)

    return along, lambda Ybar: H(along(H(Ybar)))


# ---------------------------------------------------------------- exponential, logarithm, powers


def undrawn(fn: Callable[..., Any]) -> Callable[..., Any]:
    """SciPy's ``fn``, which draws from NumPy's global generator to estimate norms, and here leaves it as it was."""

    @wraps(fn)
    def call(*args: Any, **kw: Any) -> Any:
        state = np.random.get_state()
        try:
            return fn(*args, **kw)
        finally:
            np.random.set_state(state)

    return stands_for(fn)(dispatching(call))


expm = dispatching(sl.expm)
logm, fractional_matrix_power = undrawn(sl.logm), undrawn(sl.fractional_matrix_power)


@rule(expm, "(n,n)->(n,n)")
def _expm(Y: Any, A: Any) -> Any:
    return primary(A, Y.dtype, sl.expm, triangular=False)


@rule(logm, "(n,n)->(n,n)")
def _logm(Y: Any, A: Any) -> Any:
    return primary(A, Y.dtype, logm)


@rule(fractional_matrix_power)
def _fractional_matrix_power(Y: Any, A: Any, t: Any) -> Any:
    """Aᵗ = exp(t log A), and by products for an integer t."""

    def pair(f: Callable[[Any], Any], x: Any) -> Any:
        def dot(xdot: Any) -> Any:
            return match(jvp(f, (x,), (xdot,))[1], Y)

        def bar(Ybar: Any) -> Any:
            out, pull = vjp(f, x)
            return pull(match(Ybar, out))[0]

        return dot, bar

    def power(A: Any) -> Any:
        if type(t) in (int, float) and t == int(t):
            return np.linalg.matrix_power(A, int(t))
        return expm(t * logm(A))

    return pair(power, A), pair(lambda t: expm(t * logm(A)), t)


@composite(dispatching(sl.expm_frechet))
def _expm_frechet(A: Any, E: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True) -> Any:
    A, E = double(A), double(E)
    dtype = np.result_type(dtype_of(A), dtype_of(E))
    L = derivative(A, E[..., None, :, :], f=sl.expm, triangular=False, dtype=dtype)
    return (expm(A), L) if compute_expm else L


@composite(dispatching(sl.expm_cond))
def _expm_cond(A: Any, check_finite: bool = True) -> Any:
    """‖K‖₂‖A‖/‖exp A‖ with the matrix K of Ȧ ↦ L(A, Ȧ), one direction in each column.  Higham (2008), section 3.4."""
    A = double(A)
    n = A.shape[-1]
    basis = np.eye(n * n, dtype=dtype_of(A)).reshape(n * n, 1, n, n)
    K = derivative(A[..., None, :, :], basis, f=sl.expm, triangular=False, dtype=dtype_of(A))
    K = np.reshape(K, (*A.shape[:-2], n * n, n * n))
    size = lambda X: np.linalg.norm(X, axis=(-2, -1))
    return np.linalg.norm(K, 2, (-2, -1)) * size(A) / size(expm(A))


# ---------------------------------------------------------------- trigonometric and hyperbolic functions


def of_exponentials(real: Callable[[Any], Any], general: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of exp(iA), for a real matrix and for a general one."""

    def f(A: Any) -> Any:
        A = inexact(A)
        return (general if dtype_of(A).kind == "c" else real)(A)

    return f


cosm, sinm, coshm, sinhm = map(dispatching, (sl.cosm, sl.sinm, sl.coshm, sl.sinhm))

composite(cosm)(of_exponentials(lambda A: np.real(expm(1j * A)), lambda A: (expm(1j * A) + expm(-1j * A)) / 2))
composite(sinm)(of_exponentials(lambda A: np.imag(expm(1j * A)), lambda A: (expm(1j * A) - expm(-1j * A)) / 2j))
composite(coshm)(lambda A: (expm(A) + expm(-inexact(A))) / 2)
composite(sinhm)(lambda A: (expm(A) - expm(-inexact(A))) / 2)
composite(dispatching(sl.tanm))(lambda A: np.linalg.solve(cosm(A), sinm(A)))
composite(dispatching(sl.tanhm))(lambda A: np.linalg.solve(coshm(A), sinhm(A)))


# ---------------------------------------------------------------- square root and sign


@rule(dispatching(sl.sqrtm), "(n,n)->(n,n)")
def _sqrtm(X: Any, A: Any) -> Any:
    """XẊ + ẊX = Ȧ: sums of eigenvalues of the root, which do not vanish.  Higham (2008), section 6.1."""
    form = schur_form(X)

    def dot(Adot: Any) -> Any:
        return sylvester(X, X, Adot, *form, *form)

    def bar(Xbar: Any) -> Any:
        return sylvester(X, X, Xbar, *form, *form, adjoint_a=True, adjoint_b=True)

    return dot, bar


@rule(dispatching(sl.signm), "(n,n)->(n,n)")
def _signm(S: Any, A: Any) -> Any:
    """NṠ + ṠN = Ȧ − SȦS with A = SN and the spectrum of N in the right half-plane.  Higham (2008), theorem 5.3."""
    N = S @ A
    form = schur_form(N)

    def dot(Adot: Any) -> Any:
        return sylvester(N, N, Adot - S @ Adot @ S, *form, *form)

    def bar(Sbar: Any) -> Any:
        C = sylvester(N, N, Sbar, *form, *form, adjoint_a=True, adjoint_b=True)
        return C - H(S) @ C @ H(S)

    return dot, bar


# ---------------------------------------------------------------- any function, by Schur and Parlett

CLOSE = 1e-3
"""Eigenvalues whose distance is a smaller fraction of them are of one cluster: their differences lose digits."""

LONGEST = 14
"""The longest Taylor series: each term takes twice the work of the one before."""


def clusters(w: Any) -> Any:
    """A label for each eigenvalue: those that are close, or linked by close ones, have the same."""
    size = np.maximum(np.abs(w)[:, None], np.abs(w))
    near = np.abs(w[:, None] - w) <= np.maximum(CLOSE * size, w.size * np.finfo(w.dtype).eps ** 0.5 * np.max(size))
    for _ in range(len(w).bit_length()):
        near = near.astype(np.float32) @ near.astype(np.float32) > 0
    return np.argmax(near, -1)


def by_cluster(T: Any) -> tuple[Any, Any, Any]:
    """T = Q T′ Qᴴ with a triangular T′ in which the eigenvalues of a cluster stand together, and their labels."""
    T, Q, labels = T.astype(complex), np.eye(len(T), dtype=complex), clusters(np.diagonal(T))
    for place, label in enumerate(sorted(labels)):
        found = place + int(np.argmax(labels[place:] == label))
        if found > place:
            T, Q, _ = sl.lapack.ztrexc(T, Q, found + 1, place + 1)
            labels[place : found + 1] = np.roll(labels[place : found + 1], 1)
    return T, Q, labels


def taylor(T: Any, f: Callable[[Any], Any]) -> Any:
    """f of a triangular matrix with close eigenvalues, by the Taylor series.  Davies & Higham (2003), section 2."""
    center = np.mean(np.diagonal(T))
    N = T - center * np.eye(len(T))
    power, total, steepest = np.eye(len(T), dtype=complex), np.zeros_like(T), 0.0
    for k in range(1, LONGEST + 1):
        coefficient = f(center)
        total += coefficient * power
        steepest = max(steepest, np.abs(coefficient))
        power = power @ N / k
        if not np.max(np.abs(power)) * steepest > np.finfo(float).eps * np.max(np.abs(total)):
            return total
        f = slope(f)
    raise DegenerateSpectrumError(
        f"funm: {len(T) // 2} eigenvalues are close to each other, and the derivative there needs more than {LONGEST} "
        "terms of the function's Taylor series. expm, logm, sqrtm, cosm and the like have a derivative there."
    )


def parlett(T: Any, labels: Any, f: Callable[[Any], Any]) -> Any:
    """f of a triangular matrix, block by block; the blocks beside the diagonal follow from F T = T F.

    Parlett (1976); Davies & Higham (2003), algorithm 2.1, by halves.
    """
    starts = np.flatnonzero(np.diff(labels)) + 1
    if not starts.size:
        return taylor(T, f)
    m = starts[len(starts) // 2]
    F11, F22, T12 = parlett(T[:m, :m], labels[:m], f), parlett(T[m:, m:], labels[m:], f), T[:m, m:]
    F12, scale, _ = sl.lapack.ztrsyl(T[:m, :m], T[m:, m:], F11 @ T12 - T12 @ F22, isgn=-1)
    return np.block([[F11, F12 * scale], [np.zeros_like(T12.T), F22]])


def schur_parlett(T: Any, f: Callable[[Any], Any]) -> Any:
    """f of triangular matrices."""
    F = np.empty(T.shape, complex)
    for i in np.ndindex(T.shape[:-2]):
        ordered, Q, labels = by_cluster(T[i])
        F[i] = Q @ parlett(ordered, labels, f) @ H(Q)
    return F


@rule(dispatching(sl.funm), "(n,n)->(n,n)")
def _funm(Y: Any, A: Any, *, func: Callable[[Any], Any], disp: bool = True) -> Any:
    """As for any primary function, by Schur and Parlett; ``func`` is analytic, and dotbar differentiates it."""
    if not disp:
        raise NoRuleError("funm(disp=False) returns an estimate of its error, which has no derivative.")
    return primary(A, Y.dtype, partial(schur_parlett, f=func))

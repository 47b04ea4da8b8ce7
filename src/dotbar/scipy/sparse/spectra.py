"""Some eigenvalues and singular values of sparse matrices, and the exponential of one applied to vectors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as ss
import scipy.sparse.linalg as ssl

from dotbar.core import as_array, dtype_of, primitive
from dotbar.errors import DegenerateSpectrumError, NoRuleError
from dotbar.rules.kinds import rule
from dotbar.rules.words import H, conj, once, raise_if
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.sparse.arrays import sparse
from dotbar.scipy.sparse.solvers import columns, meets, square
from dotbar.scipy.sparse.words import batch_columns, coo, multiply, sampled, solve

# ---------------------------------------------------------------- eigenvalues of Hermitian matrices


def bordered(data: Any, row: Any, col: Any, v: Any, left: Any, right: Any, *, adjoint: bool = False) -> Any:
    """The solution of [[S, v], [leftᴴ, 0]] x = right, or of the adjoint system: S may be singular along v."""
    n = v.shape[0]
    i, last = np.arange(n), np.full(n, n)
    entries = np.concatenate([data, v, conj(left)])
    rows, cols = np.concatenate([row, i, last]), np.concatenate([col, last, i])
    return solve(entries, right[:, None], rows, cols, adjoint=adjoint)[:, 0]


def vectors_exist(w: Any) -> None:
    """Raise where an eigenvalue is repeated among those that are known."""
    gaps = np.where(np.eye(len(w), dtype=bool), np.inf, np.abs(w[:, None] - w))
    limit = 100 * np.finfo(dtype_of(w)).eps * np.max(np.abs(w))
    raise_if(
        gaps <= limit,
        error=DegenerateSpectrumError("an eigenvalue is repeated: its eigenvectors have no derivative."),
    )


def half(X: Any, Y: Any, row: Any, col: Any) -> Any:
    """The entries of the Hermitian part of X Yᴴ."""
    return (sampled(X, Y, row, col) + sampled(Y, X, row, col)) / 2


@primitive
def eigenpairs(
    data: Any, mass: Any, row: Any, col: Any, mass_row: Any, mass_col: Any, *, n: int, by: Callable[..., Any]
) -> tuple[Any, Any]:
    """Some w and v with A v = w M v, vᴴMv = 1, of Hermitian matrices, of which M is positive definite."""
    return by(coo(data, row, col, (n, n)).tocsr(), coo(mass, mass_row, mass_col, (n, n)).tocsc())


@rule(eigenpairs)
def _eigenpairs(
    y: Any, data: Any, mass: Any, row: Any, col: Any, mass_row: Any, mass_col: Any, *, n: int, by: Any
) -> Any:
    """ẇ = vᴴ(Ȧ − wṀ)v, (A − wM)v̇ = −(Ȧ − wṀ − ẇM)v with vᴴMv̇ = −vᴴṀv/2.

    With (A − wM)z = v̄ in the complement: Ā = w̄vvᴴ − zvᴴ, M̄ = −wĀ − Re(vᴴv̄)vvᴴ/2, the Hermitian parts of these.
    Magnus & Neudecker (2019), 9.12.
    """
    w, V = y
    of_A, of_M = (row, col), (mass_row, mass_col)
    rows, cols = np.concatenate([row, mass_row]), np.concatenate([col, mass_col])

    def hermitian_times(dot: Any, places: Any) -> Any:
        return (multiply(dot, V, *places, rows=n) + multiply(conj(dot), V, *places[::-1], rows=n)) / 2

    def turned(Y: Any) -> Any:
        vectors_exist(w)
        MV = multiply(mass, V, mass_row, mass_col, rows=n)
        right = np.concatenate([Y, np.zeros_like(Y[:1])])
        shifted = (np.concatenate([data, -w[i] * mass]) for i in range(V.shape[1]))
        each = [bordered(S, rows, cols, MV[:, i], MV[:, i], right[:, i])[:n] for i, S in enumerate(shifted)]
        return np.stack(each, -1)

    def along(X: Any) -> Any:
        return np.real(np.sum(conj(V) * X, 0))

    def dot_data(dot: Any) -> Any:
        AV = hermitian_times(dot, of_A)
        return along(AV), lambda: turned(-AV)

    def dot_mass(dot: Any) -> Any:
        MV = hermitian_times(dot, of_M)
        return -w * along(MV), lambda: turned(w * MV) - V * along(MV) / 2

    def bar_data(ybar: Any) -> Any:
        wbar, Vbar = ybar
        total = 0.0 if wbar is None else half(V * wbar, V, *of_A)
        return total if Vbar is None else total - half(turned(Vbar), V, *of_A)

    def bar_mass(ybar: Any) -> Any:
        wbar, Vbar = ybar
        total = 0.0 if wbar is None else -half(V * (w * wbar), V, *of_M)
        return total if Vbar is None else total + half(turned(Vbar) * w - V * along(Vbar) / 2, V, *of_M)

    return (dot_data, bar_data), (dot_mass, bar_mass), None, None, None, None


def found_by(pairs: Any, A: Any, M: Any, by: Callable[..., Any]) -> tuple[Any, Any]:
    """The eigenvalues and eigenvectors, by one of the words for them; M may be None, the identity."""
    A = square(sparse(A))
    if M is None:
        M, by = ss.eye_array(A.shape[0], dtype=A.dtype), lambda S, _, by=by: by(S, None)
    M = sparse(M)
    return pairs(A.data, M.data, A.row, A.col, M.row, M.col, n=A.shape[0], by=by)


def in_order(solver: Callable[..., Any], with_vectors: bool) -> Callable[..., Any]:
    """``solver`` with its vectors; where they are not asked for, SciPy returns the values in another order."""

    def call(*args: Any, **kw: Any) -> Any:
        w, V = solver(*args, **kw)
        if with_vectors:
            return w, V
        other = solver(*args, **kw, return_eigenvectors=False)
        order = np.argmin(np.abs(other[:, None] - w), 1)
        return w[order], V[:, order]

    return call


@stands_for(ssl.eigsh)
def eigsh(A: Any, k: int = 6, M: Any = None, *args: Any, return_eigenvectors: bool = True, **kw: Any) -> Any:
    if not meets(A, M):
        return ssl.eigsh(A, k, M, *args, return_eigenvectors=return_eigenvectors, **kw)
    solver = in_order(ssl.eigsh, return_eigenvectors)
    w, V = found_by(eigenpairs, A, M, lambda S, M: solver(S, k, M, *args, **kw))
    return (w, V) if return_eigenvectors else w


@stands_for(ssl.lobpcg)
def lobpcg(A: Any, X: Any, B: Any = None, M: Any = None, Y: Any = None, *args: Any, **kw: Any) -> Any:
    if not meets(A, X, B, M, Y):
        return ssl.lobpcg(A, X, B, M, Y, *args, **kw)
    if B is not None or Y is not None or meets(X, M):
        raise NoRuleError("scipy.sparse.linalg.lobpcg has a derivative in A, without B and Y.")
    if len(args) > 4 or kw.get("retLambdaHistory") or kw.get("retResidualNormsHistory"):
        raise NoRuleError("scipy.sparse.linalg.lobpcg has a derivative of its result, not of its history.")
    return found_by(eigenpairs, A, None, lambda S, _: ssl.lobpcg(S, X, None, M, None, *args, **kw))


# ---------------------------------------------------------------- eigenvalues of other matrices


@primitive
def general_eigenpairs(
    data: Any, mass: Any, row: Any, col: Any, mass_row: Any, mass_col: Any, *, n: int, by: Callable[..., Any]
) -> tuple[Any, Any]:
    """Some w and v with A v = w M v, vᴴMv = 1, where M is Hermitian and positive definite."""
    return by(coo(data, row, col, (n, n)).tocsr(), coo(mass, mass_row, mass_col, (n, n)).tocsc())


@rule(general_eigenpairs)
def _general_eigenpairs(
    y: Any, data: Any, mass: Any, row: Any, col: Any, mass_row: Any, mass_col: Any, *, n: int, by: Any
) -> Any:
    """[[A − wM, Mv], [vᴴM, 0]] [v̇; −ẇ] = [(wṀ − Ȧ)v; −vᴴṀv/2];  with [z; ζ] of the adjoint system, right-hand side
    [v̄; −w̄]: Ā = −zvᴴ, and M̄ is the Hermitian part of (conj(w)z − ζv/2)vᴴ.

    The phase of v stays: vᴴMv̇ is real.  Magnus & Neudecker (2019), 9.10; no vectors on the left are needed.
    """
    w, V = y
    rows, cols = np.concatenate([row, mass_row]), np.concatenate([col, mass_col])

    def solved(right: Any, adjoint: bool) -> Any:
        vectors_exist(w)
        MV = multiply(mass, V, mass_row, mass_col, rows=n)
        shifted = (np.concatenate([data, -w[k] * mass]) for k in range(V.shape[1]))
        each = (
            bordered(S, rows, cols, MV[:, k], MV[:, k], right[:, k], adjoint=adjoint) for k, S in enumerate(shifted)
        )
        return np.stack(list(each), -1)

    def dots(above: Any, below: Any) -> Any:
        X = solved(np.concatenate([above, below]), adjoint=False)
        return -X[n], X[:n]

    def dot_data(dot: Any) -> Any:
        return dots(-multiply(dot, V, row, col, rows=n), np.zeros_like(V[:1]))

    def dot_mass(dot: Any) -> Any:
        MV = multiply(dot, V, mass_row, mass_col, rows=n) + multiply(conj(dot), V, mass_col, mass_row, rows=n)
        return dots(w * MV / 2, -np.sum(conj(V) * MV, 0, keepdims=True) / 4)

    @once
    def adjoint(ybar: Any) -> Any:
        wbar, Vbar = (np.zeros_like(x) if g is None else g for g, x in zip(ybar, y))
        return solved(np.concatenate([Vbar, -wbar[None]]), adjoint=True)

    def bar_data(ybar: Any) -> Any:
        return -sampled(adjoint(ybar)[:n], V, row, col)

    def bar_mass(ybar: Any) -> Any:
        Z = adjoint(ybar)
        return half(conj(w) * Z[:n] - V * Z[n] / 2, V, mass_row, mass_col)

    return (dot_data, bar_data), (dot_mass, bar_mass), None, None, None, None


@stands_for(ssl.eigs)
def eigs(A: Any, k: int = 6, M: Any = None, *args: Any, return_eigenvectors: bool = True, **kw: Any) -> Any:
    if not meets(A, M):
        return ssl.eigs(A, k, M, *args, return_eigenvectors=return_eigenvectors, **kw)
    solver = in_order(ssl.eigs, return_eigenvectors)
    w, V = found_by(general_eigenpairs, A, M, lambda S, M: solver(S, k, M, *args, **kw))
    return (w, V) if return_eigenvectors else w


# ---------------------------------------------------------------- singular values


@primitive
def singular_triplets(data: Any, row: Any, col: Any, *, shape: Any, by: Callable[..., Any]) -> tuple[Any, Any, Any]:
    """Some singular values and vectors: U, s, Vᴴ."""
    return by(coo(data, row, col, shape).tocsr())


@rule(singular_triplets)
def _singular_triplets(y: Any, data: Any, row: Any, col: Any, *, shape: Any, by: Any) -> Any:
    """[u; v]/√2 and s are an eigenvector and an eigenvalue of [[0, A], [Aᴴ, 0]].  Golub & Van Loan (2013), 8.6.1."""
    U, s, Vh = y
    m, n = shape
    both = np.concatenate([data, conj(data)])
    diagonal = np.arange(m + n)
    places = np.concatenate([row, m + col, diagonal]), np.concatenate([m + col, row, diagonal])
    Z = np.concatenate([U, H(Vh)]) / np.sqrt(2)

    def turned(Y: Any) -> Any:
        vectors_exist(s)
        right = np.concatenate([Y, np.zeros_like(Y[:1])])
        shifted = (np.concatenate([both, -s[i] * np.ones(m + n)]) for i in range(len(s)))
        each = [bordered(S, *places, Z[:, i], Z[:, i], right[:, i])[: m + n] for i, S in enumerate(shifted)]
        return np.stack(each, -1)

    def dot(dot: Any) -> Any:
        up, down = multiply(dot, H(Vh), row, col, rows=m), multiply(conj(dot), U, col, row, rows=n)

        def vectors() -> Any:
            return turned(-np.concatenate([up, down]))

        return lambda: vectors()[:m], np.real(np.sum(conj(U) * up, 0)), lambda: H(vectors()[m:])

    def bar(ybar: Any) -> Any:
        Ubar, sbar, Vhbar = ybar
        total = 0.0 if sbar is None else sampled(U * sbar, H(Vh), row, col)
        if Ubar is None and Vhbar is None:
            return total
        Ubar, Vhbar = (np.zeros_like(v) if g is None else g for g, v in ((Ubar, U), (Vhbar, Vh)))
        X = turned(np.concatenate([Ubar, H(Vhbar)]))
        return total - sampled(X[:m], H(Vh), row, col) - sampled(U, X[m:], row, col)

    return (dot, bar), None, None


@stands_for(ssl.svds)
def svds(
    A: Any,
    k: int = 6,
    ncv: Any = None,
    tol: Any = 0,
    which: str = "LM",
    v0: Any = None,
    maxiter: Any = None,
    return_singular_vectors: Any = True,
    **kw: Any,
) -> Any:
    if not meets(A):
        return ssl.svds(A, k, ncv, tol, which, v0, maxiter, return_singular_vectors, **kw)
    if return_singular_vectors not in (True, False):
        raise NoRuleError("scipy.sparse.linalg.svds has a derivative for return_singular_vectors True or False.")
    A = sparse(A)
    by = lambda S: ssl.svds(S, k, ncv, tol, which, v0, maxiter, True, **kw)
    U, s, Vh = singular_triplets(A.data, A.row, A.col, shape=A.shape, by=by)
    return (U, s, Vh) if return_singular_vectors else s


# ---------------------------------------------------------------- exponentials


def doubled(data: Any, dot: Any, row: Any, col: Any, n: int) -> tuple[Any, Any, Any]:
    """The entries, rows and columns of [[A, Ȧ], [0, A]]."""
    rows, cols = np.concatenate([row, row, n + row]), np.concatenate([col, n + col, n + col])
    return np.concatenate([data, dot, data]), rows, cols


def below(B: Any) -> Any:
    """[0; B]."""
    return np.concatenate([np.zeros_like(B), B])


@primitive
def exponential(data: Any, B: Any, row: Any, col: Any) -> Any:
    """e^A B."""
    return ssl.expm_multiply(coo(data, row, col, (len(B), len(B))).tocsr(), B)


@rule(exponential, batch_columns(exponential))
def _exponential(Y: Any, data: Any, B: Any, row: Any, col: Any) -> Any:
    """Ẏ is the upper half of exp [[A, Ȧ], [0, A]] [0; B];  B̄ = e^{Aᴴ}Ȳ, Ā = ∫ e^{(1−s)Aᴴ}Ȳ (e^{sA}B)ᴴ ds.

    Higham (2008), (3.16) and (10.15).
    """
    n = B.shape[0]

    def dot_data(dot: Any) -> Any:
        block, rows, cols = doubled(data, dot, row, col, n)
        return exponential(block, below(B), rows, cols)[:n]

    def bar_data(Ybar: Any) -> Any:
        return exponential_bar(data, Ybar, B, row, col)

    def dot_B(Bdot: Any) -> Any:
        return exponential(data, Bdot, row, col)

    def bar_B(Ybar: Any) -> Any:
        return exponential(conj(data), Ybar, col, row)

    return (dot_data, bar_data), (dot_B, bar_B), None, None


@primitive
def exponential_bar(data: Any, Ybar: Any, B: Any, row: Any, col: Any) -> Any:
    """The entries of ∫ e^{(1−s)Aᴴ}Ȳ (e^{sA}B)ᴴ ds over [0, 1], by Gauss's quadrature.

    The integrand is of exponential type 2|A − μ|, for which so many nodes leave rounding errors only.
    """
    A = coo(data, row, col, (len(B), len(B))).tocsr()
    size = ssl.norm(A - A.trace() / len(B) * ss.eye_array(len(B)), 1)
    nodes, weights = np.polynomial.legendre.leggauss(int(16 + size))
    steps = np.diff(np.concatenate([[-1], nodes, [1]])) / 2
    AH = A.conj().T.tocsr()
    back = [Ybar]
    for h in steps[:0:-1]:
        back.append(ssl.expm_multiply(h * AH, back[-1]))
    total: Any = 0.0
    for h, weight in zip(steps, weights / 2):
        B = ssl.expm_multiply(h * A, B)
        total = total + weight * sampled(back.pop(), B, row, col)
    return total


@rule(exponential_bar)
def _exponential_bar(G: Any, data: Any, Ybar: Any, B: Any, row: Any, col: Any) -> Any:
    """⟨Ȳ, D²exp(A)[E, F] B⟩ is symmetric in E and F; it is the integral for [[A, E], [0, A]] at both blocks of A."""
    n, count = B.shape[0], data.shape[0]

    def second(dot: Any) -> Any:
        block, rows, cols = doubled(data, dot, row, col, n)
        above = np.concatenate([Ybar, np.zeros_like(Ybar)])
        both = exponential_bar(block, above, below(B), rows, cols)
        return both[:count] + both[2 * count :]

    def dot_data(dot: Any) -> Any:
        return second(dot)

    def bar_data(Gbar: Any) -> Any:
        return second(Gbar)

    def dot_Ybar(dot: Any) -> Any:
        return exponential_bar(data, dot, B, row, col)

    def bar_Ybar(Gbar: Any) -> Any:
        block, rows, cols = doubled(data, Gbar, row, col, n)
        return exponential(block, below(B), rows, cols)[:n]

    def dot_B(dot: Any) -> Any:
        return exponential_bar(data, Ybar, dot, row, col)

    def bar_B(Gbar: Any) -> Any:
        block, rows, cols = doubled(conj(data), conj(Gbar), col, row, n)
        return exponential(block, below(Ybar), rows, cols)[:n]

    return (dot_data, bar_data), (dot_Ybar, bar_Ybar), (dot_B, bar_B), None, None


@stands_for(ssl.expm_multiply)
def expm_multiply(
    A: Any, B: Any, start: Any = None, stop: Any = None, num: Any = None, endpoint: Any = None, traceA: Any = None
) -> Any:
    if not meets(A, B, start, stop):
        return ssl.expm_multiply(A, B, start, stop, num, endpoint, traceA)
    A, B = sparse(A), as_array(B)
    Y = columns(B)
    act = lambda t, Y: exponential(t * A.data, Y, A.row, A.col)
    if start is None and stop is None and num is None and endpoint is None:
        Y = act(1.0, Y)
        return Y if np.ndim(B) == 2 else Y[:, 0]
    num, endpoint = 50 if num is None else num, True if endpoint is None else endpoint
    if num < 2:
        raise ValueError("at least two time points are required")
    step = (stop - start) / (num - endpoint)
    path = [act(start, Y)]
    for _ in range(num - 1):
        path.append(act(step, path[-1]))
    return np.stack(path) if np.ndim(B) == 2 else np.stack(path)[:, :, 0]

"""Matrix equations: linear systems of every structure, least squares, Sylvester, Lyapunov and Riccati equations.

Each solves G(X, θ) = 0, which the solution and its derivative obey however it was found: see ``implicit``.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg as sl
from numpy.linalg import LinAlgError

from dotbar.core import dtype_of, primitive
from dotbar.errors import NoRuleError
from dotbar.linalg import unitary_factor
from dotbar.rules import linalg, norms
from dotbar.rules.kinds import DETERMINED, composite, constant, rule
from dotbar.rules.lapack_words import inexact, raise_if, solve_triangular
from dotbar.rules.words import H, conj, mT, once, sym
from dotbar.scipy.mirror import dispatching
from dotbar.transforms import jvp, vjp, vmap


def implicit(
    residual: Callable[..., Any],
    xs: Sequence[Any],
    inverse: Callable[[Any], Any],
    adjoint: Callable[[Any], Any],
) -> list[Any]:
    """The (dot, bar) of each argument θ of an equation G(X, θ) = 0, by the implicit function theorem.

    Ẋ = −G_X⁻¹ G_θ θ̇,  θ̄ = −G_θᴴ G_X⁻ᴴ X̄.  ``residual`` is G at the solution, as a function of ``xs``; ``inverse``
    applies G_X⁻¹ and ``adjoint`` G_X⁻ᴴ, once for all arguments.
    """
    adjoint = once(adjoint)

    def pair(i: int) -> Any:
        def part(x: Any) -> Any:
            return residual(*xs[:i], x, *xs[i + 1 :])

        def dot(xdot: Any) -> Any:
            return -inverse(jvp(part, (xs[i],), (xdot,))[1])

        def bar(Xbar: Any) -> Any:
            return vjp(part, xs[i])[1](-adjoint(Xbar))[0]

        return dot, bar

    return [None if x is None else pair(i) for i, x in enumerate(xs)]


def double(x: Any) -> Any:
    """An argument in double precision, to which some of SciPy's functions go over."""
    x = inexact(x)
    return x.astype(np.result_type(dtype_of(x), float))


def checked(check_finite: bool, *arrays: Any) -> Any:
    """Arguments as arrays, refused if one is not finite and that is asked for."""
    arrays = tuple(map(inexact, arrays))
    for x in arrays if check_finite else ():
        raise_if(~np.isfinite(x), error=ValueError("array must not contain infs or NaNs"))
    return arrays


# ---------------------------------------------------------------- linear systems

STRUCTURES: dict[str | None, Callable[[Any], Any]] = {
    **dict.fromkeys(("sym", "symmetric"), lambda A: (A + mT(A)) / 2),
    **dict.fromkeys(("her", "hermitian", "pos", "positive definite"), sym),
    "diagonal": lambda A: A * np.eye(A.shape[-1], dtype=dtype_of(A)),
    "tridiagonal": lambda A: np.tril(np.triu(A, -1), 1),
    "upper triangular": np.triu,
    "lower triangular": np.tril,
}
"""The part of a matrix that each ``assume_a`` uses, an orthogonal projection; the others use all of it."""

TRANSPOSED: dict[str | None, str] = {"upper triangular": "lower triangular", "lower triangular": "upper triangular"}


def part_used(A: Any, assume_a: str | None) -> Any:
    return STRUCTURES.get(assume_a, lambda A: A)(A)


@primitive
def system(A: Any, B: Any, *, assume_a: str | None = None, lower: bool = False) -> Any:
    """X with A X = B, by SciPy's solver for the structure of A."""
    return sl.solve(A, B, lower=lower, assume_a=assume_a, check_finite=False)


@rule(system, "(n,n),(n,k)->(n,k)")
def _system(X: Any, A: Any, B: Any, *, assume_a: str | None = None, lower: bool = False) -> Any:
    """Giles (2008), 2.3.1: Ẋ = A⁻¹(Ḃ − ȦX);  B̄ = A⁻ᴴX̄, Ā = −B̄Xᴴ, on matrices of the assumed structure."""

    def solve(F: Any) -> Any:
        return system(A, F, assume_a=assume_a, lower=lower)

    @once
    def adjoint(Xbar: Any) -> Any:
        return system(H(A), Xbar, assume_a=TRANSPOSED.get(assume_a, assume_a), lower=not lower)

    return (
        (lambda dot: -solve(part_used(dot, assume_a) @ X), lambda Xbar: -part_used(adjoint(Xbar) @ H(X), assume_a)),
        (solve, adjoint),
    )


def columns(solve: Callable[[Any], Any], b: Any, n: int) -> Any:
    """The solution for a right-hand side of n rows that is a vector if it has one dimension."""
    if not np.ndim(b) or b.shape[-2:][0] != n:
        raise ValueError(f"b of shape {b.shape} is incompatible with a matrix of order {n}.")
    return solve(b[..., None])[..., 0] if np.ndim(b) == 1 else solve(b)


@composite(dispatching(sl.solve))
def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: str | None = None,
    transposed: bool = False,
) -> Any:
    a, b = checked(check_finite, a, b)
    if transposed:
        a, assume_a, lower = mT(a), TRANSPOSED.get(assume_a, assume_a), not lower
    return columns(lambda B: system(a, B, assume_a=assume_a, lower=lower), b, a.shape[-1])


@composite(dispatching(sl.solve_triangular))
def _solve_triangular(
    a: Any,
    b: Any,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    T, b = checked(check_finite, a, b)
    if unit_diagonal:
        T = (np.tril(T, -1) if lower else np.triu(T, 1)) + np.eye(T.shape[-1], dtype=dtype_of(T))
    diagonal = np.diagonal(T, axis1=-2, axis2=-1)
    raise_if(diagonal == 0, error=LinAlgError("singular matrix: a diagonal entry is zero"))
    if trans in (1, "T"):
        T = conj(T)
    return columns(lambda B: solve_triangular(T, B, lower=lower, adjoint=trans not in (0, "N")), b, T.shape[-1])


@rule(dispatching(sl.inv), "(n,n)->(n,n)")
def _inv(
    Y: Any,
    a: Any,
    *,
    overwrite_a: bool = False,
    check_finite: bool = True,
    assume_a: str | None = None,
    lower: bool = False,
) -> Any:
    """Giles (2008), 2.2.3: Ẏ = −YȦY;  Ā = −YᴴȲYᴴ, on matrices of the assumed structure."""
    Y = part_used(Y, assume_a)  # SciPy leaves the entries of A beside a diagonal

    def dot(Adot: Any) -> Any:
        return -Y @ part_used(Adot, assume_a) @ Y

    def bar(Ybar: Any) -> Any:
        return part_used(-H(Y) @ Ybar @ H(Y), assume_a)

    return dot, bar


@composite(dispatching(sl.det))
def _det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    return np.linalg.det(double(*checked(check_finite, a)))


@composite(dispatching(sl.norm))
def _norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True) -> Any:
    return norms.norm(*checked(check_finite, a), ord, axis, keepdims)


# ---------------------------------------------------------------- pseudo-inverse and least squares


@primitive
def ranked_inverse(A: Any, *, invert: Callable[..., Any], hermitian: bool, cut: Any = None) -> Any:
    """A⁺ and the rank, of A without singular values below a relative threshold."""
    return tuple(invert(A, return_rank=True, check_finite=False))


@rule(ranked_inverse, "(m,n)->(n,m),()")
def _ranked_inverse(y: Any, A: Any, *, invert: Callable[..., Any], hermitian: bool, cut: Any = None) -> Any:
    """At constant rank, as numpy.linalg.pinv."""
    dot, bar = linalg.pinv(y[0], A, hermitian=hermitian, rtol=cut)
    return (lambda Adot: (dot(Adot), None)), (lambda ybar: bar(ybar[0]))


@composite(dispatching(sl.pinv))
def _pinv(a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False, check_finite: bool = True) -> Any:
    invert = partial(sl.pinv, atol=atol, rtol=rtol)
    Y, rank = ranked_inverse(*checked(check_finite, a), invert=invert, hermitian=False, cut=1.0 if atol else rtol)
    return (Y, rank) if return_rank else Y


@composite(dispatching(sl.pinvh))
def _pinvh(
    a: Any,
    atol: Any = None,
    rtol: Any = None,
    lower: bool = True,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    invert = partial(sl.pinvh, atol=atol, rtol=rtol)
    A = hermitian(*checked(check_finite, a), lower=lower)
    Y, rank = ranked_inverse(A, invert=invert, hermitian=True, cut=1.0 if atol else rtol)
    return (Y, rank) if return_rank else Y


@primitive
def hermitian(A: Any, *, lower: bool = True) -> Any:
    """The Hermitian matrix of which one triangle is given; its derivative is that of the Hermitian part."""
    if A.ndim < 2 or A.shape[-2] != A.shape[-1]:
        raise ValueError('expected square "a" matrix')
    T = np.tril(A, -1) if lower else np.triu(A, 1)
    return T + H(T) + A * np.eye(A.shape[-1], dtype=A.dtype)


@rule(hermitian, "(n,n)->(n,n)")
def _hermitian(Y: Any, A: Any, *, lower: bool = True) -> Any:
    return sym, sym


@primitive
def least_squares(a: Any, b: Any, *, cond: Any, lapack_driver: Any) -> Any:
    """x, the sums of squared residuals, the rank and the singular values."""
    return tuple(sl.lstsq(a, b, cond, lapack_driver=lapack_driver, check_finite=False))


@rule(least_squares, varying=True)
def _least_squares(y: Any, a: Any, b: Any, *, cond: Any, lapack_driver: Any) -> Any:
    """At constant rank, as numpy.linalg.lstsq."""
    return linalg.lstsq(y, a, b, rcond=np.finfo(dtype_of(y[0])).eps if cond is None else cond)


DROPS = (
    "scipy.linalg.lstsq has no derivative where cond drops columns by their pivots, as gelsy does; gelsd and gelss "
    "drop singular values."
)


@composite(dispatching(sl.lstsq))
def _lstsq(
    a: Any,
    b: Any,
    cond: Any = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    lapack_driver: Any = None,
) -> Any:
    a, b = checked(check_finite, a, b)

    def solve(a: Any, b: Any) -> Any:
        y = least_squares(a, b, cond=cond, lapack_driver=lapack_driver)
        if lapack_driver == "gelsy" and linalg.truncates(a, cond):
            raise_if(y[2] < min(a.shape), error=NoRuleError(DROPS))
        return y

    if a.ndim == 2 and b.ndim <= 2:
        return solve(a, b)
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    items = [np.reshape(np.broadcast_to(x, lead + x.shape[-2:]), (-1, *x.shape[-2:])) for x in (a, b) if x.ndim > 1]
    results = vmap(solve)(*items) if b.ndim > 1 else vmap(lambda a: solve(a, b))(*items)
    return tuple(x if x is None else np.reshape(x, lead + x.shape[1:]) for x in results)


@composite(dispatching(sl.orthogonal_procrustes))
def _orthogonal_procrustes(A: Any, B: Any, check_finite: bool = True) -> Any:
    """The R that minimises ‖AR − B‖ is the unitary factor of M = AᴴB, and tr(RᴴM) the sum of singular values."""
    A, B = checked(check_finite, A, B)
    M = H(A) @ B
    R = unitary_factor(M)
    return R, np.real(np.sum(conj(R) * M, (-2, -1)))


# ---------------------------------------------------------------- Sylvester and Lyapunov equations


@primitive
def schur_form(A: Any, *, output: str = "real") -> Any:
    """T and Q of A = Q T Qᴴ, by which ``sylvester`` solves: nan if A is not finite."""
    return tuple(sl.schur(A, output=output)) if A.size and np.all(np.isfinite(A)) else (A * np.nan, A * np.nan)


constant(schur_form, like=lambda A, *, output="real": None, batch="(n,n)->(n,n),(n,n)")


@primitive
def sylvester(
    A: Any,
    B: Any,
    C: Any,
    R: Any,
    U: Any,
    S: Any,
    V: Any,
    *,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    perturbed: bool = False,
) -> Any:
    """X with A X + X B = C, or with Aᴴ or Bᴴ in their places, by A = U R Uᴴ and B = V S Vᴴ, both real or both complex.

    Bartels & Stewart (1972), Solution of the matrix equation AX + XB = C.  If a sum of eigenvalues vanishes to
    rounding it is nan, or that of a ``perturbed`` equation, as LAPACK solves it.
    """
    if C.dtype.kind == "c" and R.dtype.kind != "c":
        settings = {"adjoint_a": adjoint_a, "adjoint_b": adjoint_b, "perturbed": perturbed}
        real, imag = (sylvester(A, B, part, R, U, S, V, **settings) for part in (C.real, C.imag))
        return real + 1j * imag
    F = H(U) @ C @ V
    lead = F.shape[:-2]
    R, S = np.broadcast_to(R, lead + R.shape[-2:]), np.broadcast_to(S, lead + S.shape[-2:])
    trsyl = sl.get_lapack_funcs("trsyl", (R, F))
    Y = np.empty(F.shape, trsyl.dtype)
    for i in np.ndindex(lead) if F.size else ():
        y, scale, info = trsyl(R[i], S[i], F[i], trana="NC"[adjoint_a], tranb="NC"[adjoint_b])
        Y[i] = y / scale if perturbed or not info else np.nan
    return U @ Y @ H(V)


@rule(sylvester, "(m,m),(n,n),(m,n),(m,m),(m,m),(n,n),(n,n)->(m,n)")
def _sylvester(
    X: Any,
    A: Any,
    B: Any,
    C: Any,
    R: Any,
    U: Any,
    S: Any,
    V: Any,
    *,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    perturbed: bool = False,
) -> Any:
    """G = A X + X B − C, whose derivative in X is the equation itself."""
    a, b = ((lambda M, f=f: H(M) if f else M) for f in (adjoint_a, adjoint_b))
    pairs = implicit(
        lambda A, B, C: a(A) @ X + X @ b(B) - C,
        (A, B, C),
        lambda F: sylvester(A, B, F, R, U, S, V, adjoint_a=adjoint_a, adjoint_b=adjoint_b),
        lambda Xbar: sylvester(A, B, Xbar, R, U, S, V, adjoint_a=not adjoint_a, adjoint_b=not adjoint_b),
    )
    return [*pairs, *[DETERMINED] * 4]


def schur_forms(*matrices: Any) -> list[Any]:
    """The Schur forms of matrices, complex if one of them is."""
    output = "complex" if any(dtype_of(A).kind == "c" for A in matrices) else "real"
    return [schur_form(A, output=output) for A in matrices]


@composite(dispatching(sl.solve_sylvester))
def _solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    a, b, q = inexact(a), inexact(b), inexact(q)
    (R, U), (S, V) = schur_forms(a, b)
    return sylvester(a, b, q, R, U, S, V, perturbed=True)


@composite(dispatching(sl.solve_continuous_lyapunov))
def lyapunov(a: Any, q: Any) -> Any:
    """A X + X Aᴴ = Q, of which one Schur form is enough."""
    a, q = np.atleast_2d(inexact(a)), np.atleast_2d(inexact(q))
    form = schur_form(a)
    return sylvester(a, a, q, *form, *form, adjoint_b=True, perturbed=True)


solve_discrete_lyapunov = dispatching(sl.solve_discrete_lyapunov)


@rule(solve_discrete_lyapunov, "(n,n),(n,n)->(n,n)")
def _solve_discrete_lyapunov(X: Any, a: Any, q: Any, *, method: str | None = None) -> Any:
    """G = A X Aᴴ − X + Q, whose derivative in X is the equation itself."""
    return implicit(
        lambda a, q: a @ X @ H(a) + q,
        (a, q),
        lambda F: solve_discrete_lyapunov(a, -F, method),
        lambda Xbar: solve_discrete_lyapunov(H(a), -Xbar, method),
    )


# ---------------------------------------------------------------- Riccati equations


def over(e: Any, F: Any) -> Any:
    """E⁻¹F, where None stands for the identity."""
    return F if e is None else np.linalg.solve(e, F)


def congruent(e: Any, F: Any) -> Any:
    """E⁻¹F E⁻ᴴ."""
    return over(e, H(over(e, H(F))))


def adjoint(e: Any) -> Any:
    return None if e is None else H(e)


@primitive
def continuous_riccati(a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, *, balanced: bool = True) -> Any:
    return sl.solve_continuous_are(a, b, q, r, e, s, balanced)


@rule(continuous_riccati, "(m,m),(m,n),(m,m),(n,n),(m,m),(m,n)->(m,m)")
def _continuous_riccati(
    X: Any, a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, *, balanced: bool = True
) -> Any:
    """G = EᴴXA + AᴴXE − L R⁻¹Lᴴ + Q with L = EᴴXB + S, for Hermitian Q and R.

    With W = E⁻¹(A − B R⁻¹Lᴴ) its derivative in X is WᴴZ + ZW for Z = EᴴẊE: a Lyapunov equation.
    Lancaster & Rodman (1995), Algebraic Riccati Equations, section 7.
    """

    def linear_term(b: Any, e: Any, s: Any) -> Any:
        L = X @ b if e is None else H(e) @ (X @ b)
        return L if s is None else L + s

    def residual(a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> Any:
        P = X @ a if e is None else H(e) @ (X @ a)
        L = linear_term(b, e, s)
        return P + H(P) - L @ np.linalg.solve(sym(r), H(L)) + sym(q)

    W = over(e, a - b @ np.linalg.solve(sym(r), H(linear_term(b, e, s))))
    form = schur_form(W)
    return implicit(
        residual,
        (a, b, q, r, e, s),
        lambda F: congruent(adjoint(e), sylvester(W, W, F, *form, *form, adjoint_a=True)),
        lambda Xbar: sylvester(W, W, congruent(e, sym(Xbar)), *form, *form, adjoint_b=True),
    )


@primitive
def discrete_riccati(a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, *, balanced: bool = True) -> Any:
    return sl.solve_discrete_are(a, b, q, r, e, s, balanced)


@rule(discrete_riccati, "(m,m),(m,n),(m,m),(n,n),(m,m),(m,n)->(m,m)")
def _discrete_riccati(
    X: Any, a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, *, balanced: bool = True
) -> Any:
    """G = AᴴXA − EᴴXE − L(R + BᴴXB)⁻¹Lᴴ + Q with L = AᴴXB + S, for Hermitian Q and R.

    With W = E⁻¹(A − B(R + BᴴXB)⁻¹Lᴴ) its derivative in X is WᴴZW − Z for Z = EᴴẊE: a discrete Lyapunov equation.
    """

    def gain(a: Any, b: Any, r: Any, s: Any) -> Any:
        XB = X @ b
        L = H(a) @ XB if s is None else H(a) @ XB + s
        return L, np.linalg.solve(sym(r) + H(b) @ XB, H(L))

    def residual(a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> Any:
        L, K = gain(a, b, r, s)
        G = H(a) @ X @ a - L @ K + sym(q)
        return G if e is None else G - H(e) @ X @ e

    W = over(e, a - b @ gain(a, b, r, s)[1])
    return implicit(
        residual,
        (a, b, q, r, e, s),
        lambda F: -congruent(adjoint(e), solve_discrete_lyapunov(H(W), F)),
        lambda Xbar: -solve_discrete_lyapunov(W, congruent(e, sym(Xbar))),
    )


def of_matrices(solve: Callable[..., Any]) -> Callable[..., Any]:
    """An equation whose coefficients may be numbers."""

    def call(a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: bool = True) -> Any:
        matrices = [None if x is None else np.atleast_2d(inexact(x)) for x in (a, b, q, r, e, s)]
        return solve(*matrices, balanced=balanced)

    return call


composite(dispatching(sl.solve_continuous_are))(of_matrices(continuous_riccati))
composite(dispatching(sl.solve_discrete_are))(of_matrices(discrete_riccati))

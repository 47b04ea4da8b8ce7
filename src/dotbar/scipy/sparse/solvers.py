"""Systems of equations with sparse matrices: direct, iterative and least squares.

The derivative of a solution is a solution with the same matrix, or its adjoint, by the same solver and to the same
tolerance; it is nan where an iteration has not converged.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as ss
import scipy.sparse.linalg as ssl

from dotbar.core import as_array, first_traced, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import rule
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import conj, raise_if, stop_gradient
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.sparse.arrays import SparseArray, is_sparse, sparse
from dotbar.scipy.sparse.words import coo, multiply, sampled, solve


def meets(*values: Any) -> bool:
    """Whether one of the values, matrices among them, is traced."""
    return any(isinstance(x, SparseArray) or first_traced(x) is not None for x in values)


def columns(b: Any) -> Any:
    """A right side as a matrix."""
    return b if np.ndim(b) == 2 else b[:, None]


def square(A: Any) -> Any:
    """A matrix, once it is known to be square."""
    if A.shape[0] != A.shape[1]:
        raise ValueError(f"matrix must be square (has shape {A.shape})")
    return A


# ---------------------------------------------------------------- direct


@stands_for(ssl.spsolve)
def spsolve(A: Any, b: Any, permc_spec: str | None = None, use_umfpack: bool = True) -> Any:
    if not meets(A, b):
        return ssl.spsolve(A, b, permc_spec, use_umfpack)
    A = square(sparse(A))
    if is_sparse(b) and b.shape[1] > 1:
        X = sparse(solve(A.data, sparse(b).toarray(), A.row, A.col, ordering=permc_spec, strict=True))
        return SparseArray(X.data, X.row, X.col, X.shape, A.format, A.is_matrix)
    b = sparse(b).toarray() if is_sparse(b) else as_array(b)
    X = solve(A.data, columns(b), A.row, A.col, ordering=permc_spec)
    return X if np.ndim(b) == 2 and b.shape[1] > 1 else X[:, 0]


@stands_for(ssl.spsolve_triangular)
def spsolve_triangular(
    A: Any,
    b: Any,
    lower: bool = True,
    overwrite_A: bool = False,
    overwrite_b: bool = False,
    unit_diagonal: bool = False,
) -> Any:
    if not meets(A, b):
        return ssl.spsolve_triangular(A, b, lower, overwrite_A, overwrite_b, unit_diagonal)
    A, b = square(sparse(A)), as_array(b)
    row, col = A.pattern
    A = A.chosen((row > col if lower else row < col) | ((row == col) & (not unit_diagonal)))
    if unit_diagonal:
        one = np.arange(A.shape[0])
        A = A.like(*(np.concatenate([v, w]) for v, w in zip((A.data, A.row, A.col), (np.ones(len(one)), one, one))))
    raise_if(A.diagonal() == 0, error=np.linalg.LinAlgError("A is singular: zero entry on diagonal."))
    X = solve(A.data, columns(b), A.row, A.col, ordering="NATURAL")
    return X if np.ndim(b) == 2 else X[:, 0]


class Factors:
    """What ``splu`` returns of a traced matrix, or of a plain one: solutions that may be differentiated."""

    def __init__(self, A: Any, permc_spec: str | None, plain: Any = None):
        self.A = square(A)
        self.permc_spec = permc_spec
        self.plain = plain

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.plain is None:
            raise NoRuleError(f"the factors of a traced matrix are known by solve alone: {name!r} has no derivative.")
        return getattr(self.plain, name)

    @property
    def shape(self) -> tuple[int, int]:
        return self.A.shape

    def solve(self, rhs: Any, trans: str = "N") -> Any:
        if self.plain is not None and not meets(rhs):
            return self.plain.solve(rhs, trans)
        if trans not in ("N", "T", "H"):
            raise ValueError("trans must be N, T, or H")
        A, rhs = sparse(self.A), as_array(rhs)
        data = conj(A.data) if trans == "T" else A.data
        X = solve(data, columns(rhs), A.row, A.col, adjoint=trans != "N", ordering=self.permc_spec, strict=True)
        return X if np.ndim(rhs) == 2 else X[:, 0]


@stands_for(ssl.splu)
def splu(A: Any, permc_spec: str | None = None, *args: Any, **kw: Any) -> Any:
    return Factors(A, permc_spec) if meets(A) else Factors(A, permc_spec, ssl.splu(A, permc_spec, *args, **kw))


@stands_for(ssl.factorized)
def factorized(A: Any) -> Any:
    return Factors(A, None).solve if meets(A) else Factors(A, None, ssl.splu(ss.csc_array(A))).solve


@stands_for(ssl.spilu)
def spilu(A: Any, *args: Any, **kw: Any) -> Any:
    if meets(A):
        raise NoRuleError("scipy.sparse.linalg.spilu drops entries by their size, which has no derivative; use splu.")
    return ssl.spilu(A, *args, **kw)


@stands_for(ssl.inv)
def inv(A: Any) -> Any:
    return spsolve(A, ss.eye_array(A.shape[0], format="csc")) if meets(A) else ssl.inv(A)


@stands_for(ssl.matrix_power)
def matrix_power(A: Any, power: int) -> Any:
    """By squaring."""
    if not meets(A):
        return ssl.matrix_power(A, power)
    if power < 0:
        raise ValueError("exponent must be >= 0")
    if power < 2:
        return A if power else sparse(ss.eye_array(A.shape[0]))
    half = matrix_power(A, power // 2)
    return half @ half @ A if power % 2 else half @ half


@stands_for(ssl.norm)
def norm(x: Any, ord: Any = None, axis: Any = None) -> Any:
    if not isinstance(x, SparseArray):
        return ssl.norm(x, ord, axis)
    x = x.merged()
    axis = None if axis is not None and np.size(axis) == 2 else axis
    if axis is None and ord in (None, "f", "fro"):
        return np.linalg.norm(x.data)
    if axis is None and ord in (1, -1, np.inf, -np.inf):
        sums = abs(x).sum(0 if abs(ord) == 1 else 1)
        return np.max(sums) if ord > 0 else np.min(sums)
    if axis is not None and ord in (None, 2):
        squares = np.ravel(x.multiply(x.conj()).real.sum(axis))
        return np.where(squares == 0, 0, np.sqrt(np.where(squares == 0, 1, squares)))
    if axis is not None and ord == 1:
        return np.ravel(abs(x).sum(axis))
    raise NoRuleError(f"scipy.sparse.linalg.norm has no derivative rule for ord={ord!r} and axis={axis!r}.")


# ---------------------------------------------------------------- iterative


@dataclass(frozen=True, eq=False)
class Iteration:
    """One of SciPy's solvers with its settings, of which a preconditioner is that of the matrix or of its adjoint."""

    solver: Callable[..., Any]
    settings: dict[str, Any]
    adjoint: bool = False
    of_derivative: bool = False

    def __call__(self, A: Any, b: Any, x0: Any) -> tuple[Any, Any]:
        if self.of_derivative and not np.all(np.isfinite(b)):
            return np.full_like(b, np.nan), np.intp(1)  # of which some solvers make an error
        settings = dict(self.settings)
        if self.adjoint:
            for name in ("M", "M1", "M2"):
                if settings.get(name) is not None:
                    settings[name] = ssl.aslinearoperator(settings[name]).H
        x, info = self.solver(A, b, x0, **settings)
        return x, np.intp(info)

    def of(self, adjoint: bool) -> "Iteration":
        """The same for a derivative: silent, and of the adjoint matrix if it is to be."""
        settings = {name: value for name, value in self.settings.items() if name not in ("callback", "show")}
        return replace(self, settings=settings, adjoint=self.adjoint ^ adjoint, of_derivative=True)


def settled(answer: tuple[Any, Any]) -> Any:
    """The solution, or nan where there is none."""
    x, info = answer
    return np.where(info == 0, x, np.nan)


@primitive
def iterate(data: Any, b: Any, x0: Any, row: Any, col: Any, *, by: Iteration) -> tuple[Any, Any]:
    """x with S x = b, and how the iteration has ended."""
    return by(coo(data, row, col, (len(b), len(b))).tocsr(), b, x0)


@rule(iterate)
def _iterate(y: Any, data: Any, b: Any, x0: Any, row: Any, col: Any, *, by: Iteration) -> Any:
    """Ẋ = S⁻¹(Ḃ − ṠX);  B̄ = S⁻ᴴX̄, S̄ = −B̄Xᴴ where entries are stored.  Where the iteration starts is no matter."""
    n = b.shape[0]

    def forward(right: Any) -> Any:
        return settled(iterate(data, right, np.zeros_like(right), row, col, by=by.of(adjoint=False))), None

    def back(ybar: Any) -> Any:
        right = settled((ybar[0], y[1]))
        return settled(iterate(conj(data), right, np.zeros_like(right), col, row, by=by.of(adjoint=True)))

    def dot_data(dot: Any) -> Any:
        return forward(-multiply(dot, settled(y)[:, None], row, col, rows=n)[:, 0])

    def bar_data(ybar: Any) -> Any:
        return -sampled(back(ybar)[:, None], y[0][:, None], row, col)

    def dot_b(bdot: Any) -> Any:
        return forward(bdot)

    def bar_b(ybar: Any) -> Any:
        return back(ybar)

    def dot_start(dot: Any) -> Any:
        return np.zeros_like(dot), None

    def bar_start(ybar: Any) -> Any:
        return np.zeros_like(ybar[0])

    return (dot_data, bar_data), (dot_b, bar_b), (dot_start, bar_start), None, None


@primitive
def iterate_operator(b: Any, x0: Any, *, operator: Any, by: Iteration) -> tuple[Any, Any]:
    """x with L(x) = b for a linear operator L, and how the iteration has ended."""
    return by(operator.H if by.adjoint else operator, b, x0)


@rule(iterate_operator)
def _iterate_operator(y: Any, b: Any, x0: Any, *, operator: Any, by: Iteration) -> Any:
    def dot(bdot: Any) -> Any:
        return settled(iterate_operator(bdot, np.zeros_like(bdot), operator=operator, by=by.of(adjoint=False))), None

    def bar(ybar: Any) -> Any:
        right = settled((ybar[0], y[1]))
        return settled(iterate_operator(right, np.zeros_like(right), operator=operator, by=by.of(adjoint=True)))

    def dot_start(dot: Any) -> Any:
        return np.zeros_like(dot), None

    def bar_start(ybar: Any) -> Any:
        return np.zeros_like(ybar[0])

    return (dot, bar), (dot_start, bar_start)


def iterative(solver: Callable[..., Any]) -> None:
    """Enter what stands for one of SciPy's iterative solvers."""

    def call(A: Any, b: Any, x0: Any = None, **settings: Any) -> Any:
        if not meets(A, b, x0, *settings.values()):
            return solver(A, b, x0, **settings)
        if meets(settings.get("shift")) and not isinstance(A, ssl.LinearOperator):  # minres solves (A − σ) x = b
            A = sparse(A) - sparse(ss.eye_array(np.shape(A)[0])).multiply(settings.pop("shift"))
        for name, value in settings.items():
            if meets(value):
                raise NoRuleError(
                    f"scipy.sparse.linalg.{solver.__name__} has no derivative with respect to {name!r}, on which its "
                    f"solution does not depend. Pass stop_gradient({name})."
                )
        right = np.reshape(inexact(as_array(b)), -1)
        start = np.zeros_like(right) if x0 is None else np.reshape(as_array(x0), -1)
        by = Iteration(solver, settings)
        if isinstance(A, ssl.LinearOperator):
            x, info = iterate_operator(right, start, operator=A, by=by)
        else:
            A = sparse(A)
            x, info = iterate(A.data, right, start, A.row, A.col, by=by)
        return x, info

    call.__name__ = solver.__name__
    stands_for(solver)(call)


for _solver in (
    *(ssl.cg, ssl.bicg, ssl.bicgstab, ssl.cgs, ssl.gmres, ssl.lgmres, ssl.minres, ssl.qmr, ssl.gcrotmk, ssl.tfqmr),
):
    iterative(_solver)


# ---------------------------------------------------------------- least squares


@primitive
def least(data: Any, b: Any, damp: Any, row: Any, col: Any, *, columns: int, by: "LeastSquares") -> Any:
    """What SciPy's solver returns of min |S x − b|² + damp² |x|²: x, numbers of steps, and norms."""
    return tuple(np.asarray(v)[()] for v in by(coo(data, row, col, (len(b), columns)).tocsr(), b, damp))


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """One of SciPy's solvers and its settings."""

    solver: Callable[..., Any]
    settings: dict[str, Any]
    patient: bool = False

    def longer(self) -> "LeastSquares":
        """The same for derivatives, which take more steps than SciPy allows by itself."""
        return replace(self, patient=True)

    def __call__(self, S: Any, b: Any, damp: Any) -> Any:
        limit = {"iter_lim" if self.solver is ssl.lsqr else "maxiter": 4 * sum(S.shape)} if self.patient else {}
        return self.solver(S, b, damp, **(limit | self.settings))


LIMIT = 7
"""How both solvers say that they ended before the solution was found."""


def found(answer: Any) -> Any:
    """The solution, or nan where there is none."""
    x, istop, *_ = answer
    return np.where(istop == LIMIT, np.nan, x)


def refused(*_: Any) -> Any:
    raise NoRuleError("of lsqr and lsmr the solution and the norms of it and its residual have derivatives only.")


@rule(least)
def _least(y: Any, data: Any, b: Any, damp: Any, row: Any, col: Any, *, columns: int, by: Any) -> Any:
    """With A = [S; damp], A⁺ and r = b − Ax: ẋ = A⁺(ḃ − Ȧx) + A⁺A⁺ᴴȦᴴr + (1 − A⁺A)ȦᴴA⁺ᴴx.

    Golub & Pereyra (1973), (4.12), applied to a vector; where A has full rank the last term is 0.
    """
    m, n, x = b.shape[0], columns, found(y)
    others = len(y) - 1
    diagonal = np.arange(n)
    rows, cols = np.concatenate([row, m + diagonal]), np.concatenate([col, diagonal])
    entries = np.concatenate([data, damp * np.ones(n)])

    def pinv(z: Any) -> Any:
        return found(least(entries, z, 0.0, rows, cols, columns=n, by=by.longer()))

    def pinv_adjoint(z: Any) -> Any:
        return found(least(conj(entries), z, 0.0, cols, rows, columns=m + n, by=by.longer()))

    def times(entries: Any, z: Any) -> Any:
        return multiply(entries, z[:, None], rows, cols, rows=m + n)[:, 0]

    def adjoint_times(entries: Any, z: Any) -> Any:
        return multiply(conj(entries), z[:, None], cols, rows, rows=n)[:, 0]

    def residual() -> Any:
        return np.concatenate([b, np.zeros_like(x)]) - times(entries, x)

    def tangents(xdot: Any) -> Any:
        return xdot, *(refused for _ in range(others))

    def dot_entries(dot: Any) -> Any:
        rest = adjoint_times(dot, pinv_adjoint(x))
        turn = pinv(pinv_adjoint(adjoint_times(dot, residual())))
        return tangents(turn - pinv(times(dot, x)) + rest - pinv(times(entries, rest)))

    def back(ybar: Any) -> Any:
        if any(g is not None for g in ybar[1:]):
            refused()
        return pinv_adjoint(ybar[0])

    def bar_entries(ybar: Any) -> Any:
        bbar = back(ybar)
        rest = ybar[0] - pinv(times(entries, ybar[0]))
        pairs = [(-bbar, x), (residual(), pinv(bbar)), (pinv_adjoint(x), rest)]
        return sampled(np.stack([u for u, _ in pairs], -1), np.stack([v for _, v in pairs], -1), rows, cols)

    def dot_data(dot: Any) -> Any:
        return dot_entries(np.concatenate([dot, np.zeros(n)]))

    def bar_data(ybar: Any) -> Any:
        return bar_entries(ybar)[: data.shape[0]]

    def dot_b(bdot: Any) -> Any:
        return tangents(pinv(np.concatenate([bdot, np.zeros(n)])))

    def bar_b(ybar: Any) -> Any:
        return back(ybar)[:m]

    def dot_damp(dot: Any) -> Any:
        return dot_entries(np.concatenate([np.zeros_like(data), dot * np.ones(n)]))

    def bar_damp(ybar: Any) -> Any:
        return np.sum(np.real(bar_entries(ybar)[data.shape[0] :]))

    return (dot_data, bar_data), (dot_b, bar_b), (dot_damp, bar_damp), None, None


def as_it_was(value: Any, again: Any) -> Any:
    """The value that the solver has found, with the derivative of its formula."""
    return stop_gradient(value) + again - stop_gradient(again)


def solved(solver: Any, A: Any, b: Any, damp: Any, settings: dict[str, Any]) -> tuple[Any, ...]:
    """All that SciPy's solver returns, and the norms of the residual, of it with the damping and of the solution."""
    A, b = sparse(A), np.reshape(as_array(b), -1)
    by = LeastSquares(solver, settings)
    x, *others = least(A.data, b, damp, A.row, A.col, columns=A.shape[1], by=by)
    r, size = np.linalg.norm(b - A @ x), np.linalg.norm(x)
    return x, others, r, np.hypot(r, damp * size), size


@stands_for(ssl.lsqr)
def lsqr(A: Any, b: Any, damp: Any = 0.0, *args: Any, **kw: Any) -> Any:
    if not meets(A, b, damp):
        return ssl.lsqr(A, b, damp, *args, **kw)
    names = ("atol", "btol", "conlim", "iter_lim", "show", "calc_var", "x0")
    x, (istop, itn, r1, r2, anorm, acond, arnorm, xnorm, var), *norms = solved(
        ssl.lsqr, A, b, damp, {**dict(zip(names, args)), **kw}
    )
    r1, r2, xnorm = map(as_it_was, (r1, r2, xnorm), norms)
    return x, istop, itn, r1, r2, anorm, acond, arnorm, xnorm, var


@stands_for(ssl.lsmr)
def lsmr(A: Any, b: Any, damp: Any = 0.0, *args: Any, **kw: Any) -> Any:
    if not meets(A, b, damp):
        return ssl.lsmr(A, b, damp, *args, **kw)
    names = ("atol", "btol", "conlim", "maxiter", "show", "x0")
    x, (istop, itn, normr, normar, norma, conda, normx), _, both, size = solved(
        ssl.lsmr, A, b, damp, {**dict(zip(names, args)), **kw}
    )
    return x, istop, itn, as_it_was(normr, both), normar, norma, conda, as_it_was(normx, size)


def refuse(original: Callable[..., Any], reason: str) -> None:
    """Enter a function that takes no sparse array of traced entries."""

    def call(*args: Any, **kw: Any) -> Any:
        if meets(*args, *kw.values()):
            raise NoRuleError(f"scipy.sparse.linalg.{original.__name__} has no derivative rule: {reason}.")
        return original(*args, **kw)

    call.__name__ = original.__name__
    stands_for(original)(call)


def of_pattern(original: Callable[..., Any]) -> None:
    """Enter a function that asks only where entries are."""

    def call(A: Any) -> Any:
        return original(coo(np.ones(A.nnz), *A.pattern, A.shape).tocsr() if isinstance(A, SparseArray) else A)

    call.__name__ = original.__name__
    stands_for(original)(call)


refuse(ssl.aslinearoperator, "its entries would not be known; give solvers the matrix itself")
refuse(ssl.expm, "the exponential of a sparse matrix is dense; use expm_multiply or scipy.linalg.expm")
for _original in (ssl.is_sptriangular, ssl.spbandwidth):
    of_pattern(_original)
refuse(ssl.onenormest, "it is an estimate; use norm")
if hasattr(ssl, "funm_multiply_krylov"):
    refuse(ssl.funm_multiply_krylov, "its space of approximation depends on the matrix; use expm_multiply")

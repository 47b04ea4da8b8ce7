"""Words of sparse linear algebra: a matrix is its stored entries and their rows and columns, and never dense.

A cotangent of the entries has the same pattern: it is sampled from the low-rank matrix that the dense rule would form.
Rows and columns are arguments too, of integers, so that matrices made inside a compiled function work as others do.
"""

from collections.abc import Sequence
from threading import local
from typing import Any

import numpy as np
import scipy.sparse as ss
import scipy.sparse.linalg as ssl

from dotbar.core import RULES, primitive
from dotbar.rules.kinds import batch_loop, rule
from dotbar.rules.words import conj, entries


def sampled(U: Any, V: Any, row: Any, col: Any) -> Any:
    """The entries Σₖ U[row, k] conj(V[col, k]) of U Vᴴ."""
    return np.sum(entries(U, row) * entries(conj(V), col), -1)


def batch_columns(word: Any) -> Any:
    """How to batch a word (data, B, row, col) that maps over the columns of B: items of B only are more columns."""

    def batch(xs: Sequence[Any], batched: Sequence[bool], size: int, **kw: Any) -> Any:
        data, B, row, col = xs
        if not batched[1] or sum(batched) > 1:
            return batch_loop(RULES[word], xs, batched, size, kw)
        n, k = B.shape[1:]
        Y = word(data, np.reshape(np.moveaxis(B, 0, 1), (n, size * k)), row, col, **kw)
        return np.moveaxis(np.reshape(Y, (len(Y), size, k)), 1, 0)

    return batch


def coo(data: Any, row: Any, col: Any, shape: tuple[int, int]) -> Any:
    """SciPy's sparse array; entries of one place are added."""
    return ss.coo_array((data, (row, col)), shape)


@primitive
def multiply(data: Any, B: Any, row: Any, col: Any, *, rows: int) -> Any:
    """S B, for S of so many rows with entries ``data`` and a dense matrix B."""
    S = coo(data, row, col, (rows, len(B)))
    return np.reshape(S @ B[:, 0], (rows, 1)) if B.shape[1] == 1 else S @ B  # SciPy's, of a single row, is a number


@rule(multiply, batch_columns(multiply))
def _multiply(Y: Any, data: Any, B: Any, row: Any, col: Any, *, rows: int) -> Any:
    """S̄ = ȲBᴴ where entries are stored, B̄ = SᴴȲ."""

    def dot_data(dot: Any) -> Any:
        return multiply(dot, B, row, col, rows=rows)

    def bar_data(Ybar: Any) -> Any:
        return sampled(Ybar, B, row, col)

    def dot_B(Bdot: Any) -> Any:
        return multiply(data, Bdot, row, col, rows=rows)

    def bar_B(Ybar: Any) -> Any:
        return multiply(conj(data), Ybar, col, row, rows=B.shape[0])

    return (dot_data, bar_data), (dot_B, bar_B), None, None


# ---------------------------------------------------------------- direct solution


class Latest(local):
    """The factors that were used last, and of which matrix: the bar of a solution needs those of its value."""

    key: tuple[Any, ...] = ()
    factors: Any = None


latest = Latest()


def factorise(data: Any, row: Any, col: Any, n: int, ordering: str | None) -> Any:
    """SuperLU's factors of a matrix, or None of a singular one."""
    key = (data, row, col)
    known = latest.key
    if known and known[3:] == (n, ordering) and all(map(np.array_equal, key, known)) and known[0].dtype == data.dtype:
        return latest.factors
    try:
        factors = ssl.splu(coo(data, row, col, (n, n)).tocsc(), permc_spec=ordering)
    except RuntimeError as error:
        if "singular" not in str(error):
            raise
        factors = None
    latest.key, latest.factors = (*map(np.copy, key), n, ordering), factors
    return factors


@primitive
def solve(
    data: Any, B: Any, row: Any, col: Any, *, adjoint: bool = False, ordering: str | None = None, strict: bool = False
) -> Any:
    """X with S X = B, or Sᴴ X = B; where S is singular it is nan, or an error if ``strict``."""
    wanted = np.result_type(data, B)
    precise = np.result_type(wanted, np.float64) if wanted.kind == "c" or wanted == np.float64 else wanted
    factors = factorise(data.astype(precise, copy=False), row, col, len(B), ordering)
    if factors is None and strict:
        raise RuntimeError("Factor is exactly singular")
    if factors is None:
        return np.full(B.shape, np.nan, wanted)
    return factors.solve(np.asarray(B, precise, order="F"), "H" if adjoint else "N").astype(wanted, copy=False)


@rule(solve, batch_columns(solve))
def _solve(
    X: Any, data: Any, B: Any, row: Any, col: Any, *, adjoint: bool = False, ordering: Any = None, strict: bool = False
) -> Any:
    """Giles (2008), 2.3.1: Ẋ = S⁻¹(Ḃ − ṠX);  B̄ = S⁻ᴴX̄, S̄ = −B̄Xᴴ where entries are stored."""
    n = X.shape[0]

    def again(B: Any, adjoint: bool) -> Any:
        return solve(data, B, row, col, adjoint=adjoint, ordering=ordering)

    def dot_data(dot: Any) -> Any:
        if adjoint:
            return -again(multiply(conj(dot), X, col, row, rows=n), adjoint)
        return -again(multiply(dot, X, row, col, rows=n), adjoint)

    def bar_data(Xbar: Any) -> Any:
        Bbar = again(Xbar, not adjoint)
        return -sampled(X, Bbar, row, col) if adjoint else -sampled(Bbar, X, row, col)

    def dot_B(Bdot: Any) -> Any:
        return again(Bdot, adjoint)

    def bar_B(Xbar: Any) -> Any:
        return again(Xbar, not adjoint)

    return (dot_data, bar_data), (dot_B, bar_B), None, None

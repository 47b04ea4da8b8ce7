"""Linear systems v' = L(t) v + g(t) along a known solution: its sensitivities, forwards, and its adjoint, backwards.

The steps are those in which the solution was found, each divided until its own error is small enough.  So y is never
solved for a second time, and stiff systems, which were found by implicit methods, take one here, too.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.integrate as si

Function = Callable[..., Any]


class Tableau:
    """A Runge-Kutta method: each stage from those before it, the last at the end of the step.

    Args:
        A: the coefficients of the stages.
        E: the differences to the coefficients of other methods, whose results differ by about the error.
        order: of the smallest of these differences, as a power of the step.
    """

    def __init__(self, A: Any, E: Any, order: int):
        self.A, self.E = np.asarray(A, float), np.asarray(E, float)
        self.c = np.sum(self.A, 1)
        self.diagonal = float(self.A[0, 0])
        self.order = order

    @classmethod
    def explicit(cls, solver: Any) -> "Tableau":
        """That of an explicit solver of SciPy's."""
        n = solver.n_stages
        A = np.zeros((n + 1, n + 1))
        A[:n, : solver.A.shape[1]] = solver.A[:n]
        A[n, :n] = solver.B
        E = [solver.E5, solver.E3] if issubclass(solver, si.DOP853) else [solver.E]
        return cls(A, E, solver.error_estimator_order + 1)

    def error(self, steps: Any, scale: Any) -> Any:
        """The size of the error, where 1 is allowed, from the differences; of two as Dormand and Prince (1989)."""
        sizes = [np.sqrt(np.mean(np.abs(d / scale) ** 2, -1)) for d in steps]
        return sizes[0] if len(sizes) == 1 else sizes[0] ** 2 / (np.hypot(sizes[0], 0.1 * sizes[1]) + TINY)


TINY = float(np.finfo(float).tiny)

SDIRK = Tableau(
    [
        [1 / 4, 0, 0, 0, 0],
        [1 / 2, 1 / 4, 0, 0, 0],
        [17 / 50, -1 / 25, 1 / 4, 0, 0],
        [371 / 1360, -137 / 2720, 15 / 544, 1 / 4, 0],
        [25 / 24, -49 / 48, 125 / 16, -85 / 12, 1 / 4],
    ],
    [[-3 / 16, -27 / 32, 25 / 32, 0, 1 / 4]],
    4,
)
"""L-stable, of order 4.  Hairer and Wanner (1996), table IV.6.5."""


class Variation:
    """v' = L(t) v + g(t) of several vectors v, the rows of an array, and the integral of q(t, v).

    Args:
        slope: L v + g and q of t, y and v, side by side in each row.
        matrix: L of t and y, so that real rows v become v L; only implicit methods ask for it.
        tableaus: the methods.  A step whose error is too large is tried by the next, which then goes on.
        rtol: the relative tolerance.
        atol: the absolute tolerance.
        n: the length of the rows of v; what is longer in those of ``slope`` is q.
    """

    SMALLEST = 1e-14
    """Steps are not smaller than this part of the time at which they are taken: their errors are rounding then."""

    def __init__(self, slope: Function, matrix: Function, tableaus: Sequence[Tableau], rtol: Any, atol: Any, n: int):
        self.slope, self.matrix = slope, matrix
        self.tableaus = list(tableaus)
        self.rtol, self.atol = rtol, atol
        self.n = n
        self.h = np.inf

    def through(self, y: Function, a: Any, b: Any, v: Any) -> Any:
        """v and the integral at b, from those at a; y is the solution between."""
        while a != b:
            whole = abs(b - a) <= 1.01 * self.h
            t = b if whole else a + np.copysign(self.h, b - a)
            h = abs(t - a)
            for k, tableau in enumerate(self.tableaus):
                new, error = self.step(tableau, y, a, t, v)
                if error <= 1:
                    self.tableaus.insert(0, self.tableaus.pop(k))
                    break
            if np.isnan(error):
                return np.full_like(v, np.nan)
            after = h * min(max(0.9 * (error + TINY) ** (-1 / tableau.order), 0.1), 5.0)
            if error <= 1 or h <= self.SMALLEST * max(abs(a), abs(b)):
                self.h = max(self.h, after) if whole else after
                a, v = t, new
            else:
                self.h = after
        return v

    def step(self, tableau: Tableau, y: Function, a: Any, b: Any, v: Any) -> tuple[Any, Any]:
        """v and the integral at b, and the size of their error."""
        A, gamma, n, h = tableau.A, tableau.diagonal, self.n, b - a
        times = a + tableau.c * h
        K = np.zeros((len(A), v.size), v.dtype)
        rows = K.reshape(len(A), *v.shape)
        for i, (t, yi) in enumerate(zip(times.tolist(), np.ascontiguousarray(y(times).T))):
            at = (v.ravel() + h * (A[i, :i] @ K[:i])).reshape(v.shape)[:, :n].copy()
            rows[i] = self.slope(t, yi, at)
            if gamma:
                L = self.matrix(t, yi)
                k = rows[i, :, :n].copy().view(float)
                k = np.linalg.solve((np.eye(len(L)) - h * gamma * L).T, k.T).T.copy().view(v.dtype)
                rows[i] = self.slope(t, yi, at + h * gamma * k)
                rows[i, :, :n] = k  # which is that, without its rounding errors
        new = v + h * (A[-1] @ K).reshape(v.shape)
        scale = self.rtol * np.maximum(np.abs(v), np.abs(new))
        scale[:, :n] += self.atol
        scale[:, n:] += np.min(self.atol)
        differences = h * (tableau.E @ K).reshape(-1, *v.shape)
        error = tableau.error(differences[..., :n], scale[:, :n])
        if v.shape[1] > n:
            error = np.maximum(error, tableau.error(differences[..., n:], scale[:, n:]))
        return new, np.max(error)


def tableaus(solver: Any) -> list[Tableau]:
    """The methods for systems along what a solver of SciPy's has found."""
    if issubclass(solver, (si.RK23, si.RK45, si.DOP853)):
        return [Tableau.explicit(solver)]
    return [Tableau.explicit(si.RK45), SDIRK]

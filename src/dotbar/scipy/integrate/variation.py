"""Linear systems v' = L(t) v + g(t) along a known solution: its sensitivities, forwards, and its adjoint, backwards.

Steps are measured in those in which the solution was found, and are as long as their own error permits.  So y is never
solved for a second time, and stiff systems, which were found by implicit methods, take one here, too.

As the system is linear, so is a step: of a few equations the matrices of many steps are formed together, by one call of
the right-hand side's derivative for all stages of all of them, and v is multiplied by one after the other.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.integrate as si

from dotbar.scipy.integrate.trajectory import Method, Window

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

    def step(self, x: Any, h: Any, slope: Function, matrix: Function, n: int) -> tuple[Any, Any]:
        """x after steps of x' = f(t, x), and the differences to the other methods; rows of x are systems of their own.

        Args:
            x: where the steps start.
            h: their lengths.
            slope: f of a stage's number and x.
            matrix: L of a stage's number, so that f is x L and a constant in the first n columns, of which all depend
                on these alone; only implicit methods ask for it.
            n: how many they are.
        """
        K = np.zeros((len(self.A), *x.shape))
        combined = lambda weights, K: (weights @ K.reshape(len(K), -1)).reshape(*weights.shape[:-1], *x.shape)
        for i, a in enumerate(self.A):
            at = x + h * combined(a[:i], K[:i]) if i else x.copy()
            K[i] = slope(i, at)
            if self.diagonal:
                part = self.diagonal * h
                k = np.linalg.solve((np.eye(n) - part * matrix(i)).swapaxes(-1, -2), K[i, ..., :n].swapaxes(-1, -2))
                k = k.swapaxes(-1, -2)
                at[..., :n] += part * k
                K[i] = slope(i, at)
                K[i, ..., :n] = k  # which is that, without its rounding errors
        return x + h * combined(self.A[-1], K), h * combined(self.E, K)

    def error(self, steps: Any, scale: Any) -> Any:
        """The size of the error, where 1 is allowed, from the differences; of two as Dormand and Prince (1989)."""
        sizes = [np.sqrt(np.mean(np.abs(d / scale) ** 2, -1)) for d in steps]
        return sizes[0] if len(sizes) == 1 else sizes[0] ** 2 / (np.hypot(sizes[0], 0.1 * sizes[1]) + TINY)

    def factor(self, error: Any) -> Any:
        """By how much steps of this error are to be longer."""
        return np.clip(0.9 * (error + TINY) ** (-1 / self.order), 0.1, 5.0)


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


def tableaus(solver: Any) -> list[Tableau]:
    """The methods for systems along what a solver of SciPy's has found."""
    if issubclass(solver, (si.RK23, si.RK45, si.DOP853)):
        return [Tableau.explicit(solver)]
    return [Tableau.explicit(si.RK45), SDIRK]


class Variation:
    """v' = L(t) v + g(t) of several vectors v, the rows of an array, and the integral of q(t, v).

    Args:
        slope: L v + g and q of t, y and v, side by side in each row.
        matrix: L of t and y in real numbers, so that rows v become v L; only implicit methods ask for it.
        matrices: of many t and y: what ``slope`` makes of the real unit vectors without g, and of g alone if there is
            one, in real numbers.
        how: the method of the solution, and the tolerances.
        v: an example.
        n: the length of the rows of v without q.
        affine: whether there is a g.
    """

    SMALL = 300
    """Numbers in the matrix of a step for which it is formed."""
    TOGETHER = 1 << 19
    """Numbers in the matrices of all stages of the steps that are taken together."""
    MILD = 0.4
    """A step that is to be shorter by no more than this is tried so; otherwise another method may do better."""
    SMALLEST = 1e-14
    """Steps are not smaller than this part of the time at which they are taken: their errors are rounding then."""

    def __init__(
        self, slope: Function, matrix: Function, matrices: Function, how: Method, v: Any, n: int, affine: bool
    ):
        self.slope, self.matrix, self.matrices = slope, matrix, matrices
        self.tableaus = tableaus(how.method)
        self.rtol, self.atol = how.rtol, how.atol
        self.dtype, self.n, self.affine = v.dtype, n, affine
        self.real = n * v.itemsize // 8
        size = max((self.real + affine * len(v)) * v.shape[1] * v.itemsize // 8, 1)
        stages = max(len(tableau.A) for tableau in self.tableaus)
        self.formed = size <= self.SMALL
        self.most = max(self.TOGETHER // (size * stages), 1) if self.formed else 1
        self.stretch = 1.0

    @np.errstate(all="ignore")
    def through(self, y: Window, a: Any, stops: Sequence[Any], v: Any, arrived: Function) -> Any:
        """v and the integral at the last of the stops, from those at a; y is the solution between.

        At the end of each step ``arrived`` takes the number of the stop there, or that of all if there is none, and v,
        and returns v from there on; the same more than once, if steps are tried again.
        """
        k = 0
        while k < len(stops):
            lost = np.all(np.any(np.isnan(v), 1))
            if stops[k] == a or lost or not (np.any(v) or (self.affine and v.size)):
                a, v, k = stops[k], arrived(k, np.full_like(v, np.nan) if lost else v), k + 1
                continue
            times, parts, numbers = self.plan(y, a, k, stops)
            for tableau in self.tableaus:
                ends, errors = self.steps(tableau, y, times, v, numbers, arrived)
                good = errors <= 1
                taken = len(good) if np.all(good) else int(np.argmin(good))
                change = tableau.factor(np.max(errors) if taken == len(good) else errors[taken])
                if taken or change > self.MILD:
                    break
            self.tableaus.sort(key=lambda other: other is not tableau)
            if taken == len(good):
                longest = np.max(parts)
                self.stretch = max(change * longest, self.stretch if longest < 0.9 * self.stretch else 0.0)
            elif not taken or change > self.MILD or len(self.tableaus) == 1:
                self.stretch = change * parts[taken]
            if taken:
                a, v = times[taken], arrived(numbers[taken - 1], ends[taken - 1])
                k += sum(number < len(stops) for number in numbers[:taken])
        return v

    def plan(self, y: Window, a: Any, first: int, stops: Sequence[Any]) -> tuple[Any, Any, list[int]]:
        """The ends of steps from a past the first stop on, their lengths in steps of the solution, the stops there."""
        times, parts, numbers = [a], [], []
        near = np.array([a, *stops[first : first + self.most]])
        for k, (start, end) in enumerate(pairwise(y.places(near).tolist()), first):
            n = max(int(np.ceil(abs(end - start) / self.stretch - 0.01)), 1)
            some = min(n, self.most - len(parts))
            times += y.times(start + (end - start) * np.arange(1, some + 1) / n).tolist()
            parts += some * [abs(end - start) / n]
            numbers += some * [len(stops)]
            if some == n:
                times[-1], numbers[-1] = stops[k], k
            if len(parts) == self.most:
                break
        return np.array(times), np.array(parts), numbers

    def steps(
        self, tableau: Tableau, y: Window, times: Any, v: Any, numbers: Sequence[int], arrived: Function
    ) -> tuple[Any, Any]:
        """v at the ends of some steps, and the sizes of their errors; of a row that is nan nothing is asked."""
        n, h = self.real, np.diff(times)[:, None, None]
        stages = times[:-1, None] + tableau.c * h[:, 0]
        Y = np.ascontiguousarray(y(np.ravel(stages)).T).reshape(*stages.shape, -1)
        starts, ends = np.empty((2, len(h), *v.shape), v.dtype)
        if not self.formed:
            starts[0] = v
            ends[0], differences = self.step(tableau, stages[0], Y[0], h, v)
        else:
            A, E = self.propagators(tableau, stages, Y, h)
            for k, number in enumerate(numbers):
                starts[k] = v
                x, new = v.view(float), ends[k].view(float)
                new[:] = x[:, :n] @ A[k, :n] + (A[k, n:] if self.affine else 0)
                new[:, n:] += x[:, n:]
                v = arrived(number, ends[k])
            differences = starts.view(float)[..., :n] @ E[..., :n, :] + (E[..., n:, :] if self.affine else 0)
        differences = differences.view(self.dtype)
        scale = self.rtol * np.maximum(np.abs(starts), np.abs(ends))
        scale[..., : self.n] += self.atol
        scale[..., self.n :] += np.min(self.atol)
        parts = [slice(self.n), slice(self.n, None)] if v.shape[1] > self.n else [slice(self.n)]
        errors = np.max([tableau.error(differences[..., part], scale[..., part]) for part in parts], 0)
        lost = np.isnan(errors)
        ends[lost] = np.nan
        negligible = np.abs(np.diff(times)) <= self.SMALLEST * np.maximum(np.abs(times[1:]), np.abs(times[:-1]))
        return ends, np.max(np.where(lost | negligible[:, None], 0, errors), -1, initial=0)

    def step(self, tableau: Tableau, times: Any, Y: Any, h: Any, v: Any) -> tuple[Any, Any]:
        """v after a step, and the differences to the other methods in real numbers."""
        n = self.real

        def slope(i: int, x: Any) -> Any:
            at = np.ascontiguousarray(x[0, :, :n]).view(self.dtype)
            return np.asarray(self.slope(times[i], Y[i], at), self.dtype).view(float)

        new, differences = tableau.step(v.view(float)[None], h, slope, lambda i: self.matrix(times[i], Y[i]), n)
        return new[0].view(self.dtype), differences

    def propagators(self, tableau: Tableau, times: Any, Y: Any, h: Any) -> tuple[Any, Any]:
        """What many steps make of the real unit vectors and, in the last rows, of g; likewise of the differences."""
        n = self.real
        L = self.matrices(np.ravel(times), Y.reshape(times.size, -1))
        L = L.reshape(*times.shape, *L.shape[1:])

        def slope(i: int, x: Any) -> Any:
            k = x[..., :n] @ L[:, i, :n]
            k[:, n:] += L[:, i, n:]
            return k

        x = np.broadcast_to(np.eye(*L.shape[2:]), (len(h), *L.shape[2:])).copy()
        x[:, n:] = x[..., n:] = 0
        return tableau.step(x, h, slope, lambda i: L[:, i, :n, :n], n)

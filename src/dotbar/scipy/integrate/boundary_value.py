"""Boundary value problems: ``solve_bvp``, differentiated through its collocation equations on its final mesh."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import scipy.integrate as si

from dotbar.core import as_array, primitive
from dotbar.errors import NoRuleError
from dotbar.nested import stand_in
from dotbar.rules.kinds import constant
from dotbar.rules.words import stop_gradient
from dotbar.scipy.closed import Function, Packed, arguments, closed, is_traced
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.optimize.implicit import filled, solution
from dotbar.trace import recordings
from dotbar.transforms import vmap


@stands_for(si.solve_bvp)
def solve_bvp(*args: Any, **kw: Any) -> Any:
    """SciPy's; ``y``, ``yp``, ``p`` and ``sol`` are functions of the parameters in ``fun`` and ``bc``.

    So they are of the ends of ``x``, between which the mesh stretches.  Jacobians that are given serve SciPy where
    nothing is traced.
    """
    given = arguments(si.solve_bvp, args, kw)
    fun, bc, x, y, p = (given[name] for name in ("fun", "bc", "x", "y", "p"))
    x, y, p = as_array(x) * 1.0, as_array(y) * 1.0, None if p is None else np.atleast_1d(as_array(p)) * 1.0
    column, unknown = stand_in(y)[:, 0], [] if p is None else [stand_in(p)]

    def at_point(_: Any, x: Any, y: Any, *p: Any) -> Any:
        """The right-hand side at one point: SciPy asks for many, each of which stands alone."""
        return np.reshape(as_array(fun(np.reshape(x, 1), np.reshape(y, (-1, 1)), *p)), -1)

    at_ends = lambda _, ya, yb, *p: as_array(bc(ya, yb, *p))
    calls, theta = closed((), (at_point, (stand_in(x)[0], column, *unknown)), (at_ends, (column, column, *unknown)))
    if not any(map(is_traced, (*theta, x, y, p))):
        return si.solve_bvp(*args, **kw)
    if given["S"] is not None:
        raise NoRuleError("solve_bvp with a singular term S has no derivative rule; write the term into fun.")
    n, parameters = len(column), [] if p is None else [p]
    problem = Problem(calls, n, {name: given[name] for name in ("tol", "max_nodes", "verbose", "bc_tol")})
    guess = np.concatenate([np.reshape(y, -1), *parameters])
    mesh, z, status = reported(*map(stop_gradient, (x, guess, *theta)), problem=problem)
    if is_traced(x):
        mesh = x[0] + (x[-1] - x[0]) * ((mesh - mesh[0]) / (mesh[-1] - mesh[0]))
    parameters = Packed([mesh, *theta])

    def conditions(packed: Any, fixed: Any, z: Any) -> Any:
        mesh, *theta = parameters.unpacked(packed, fixed[2:])
        return problem.conditions(theta, mesh, z)

    solve = lambda packed, fixed: (fixed[0], np.equal(fixed[1], 0))
    z, _ = solution(parameters.theta, z, status, *parameters.fixed, solve=solve, conditions=conditions)
    y, found = problem.split(z, len(mesh))
    yp = problem.slopes(theta, mesh, y, found)
    values = {"x": mesh, "y": y, "yp": yp, "p": None if p is None else found, "sol": partial(hermite, mesh, y, yp)}
    if len(problem.results) == 1 and not recordings.open:
        return filled(problem.results[0], **values)
    return filled(None, **values, status=status, success=np.equal(status, 0))


class Problem:
    """A boundary value problem of n equations: what SciPy is asked, and the equations that its solution obeys."""

    def __init__(self, calls: Sequence[Function], n: int, options: dict[str, Any]):
        self.at_point, self.at_ends = calls
        self.n = n
        self.options = options
        self.results: list[Any] = []

    def split(self, z: Any, m: int) -> tuple[Any, Any]:
        """y on a mesh of m points, and the unknown parameters."""
        return np.reshape(z[: self.n * m], (self.n, m)), z[self.n * m :]

    def slopes(self, theta: Sequence[Any], x: Any, y: Any, p: Any) -> Any:
        """y' at points of the mesh."""
        unknown = (p,) if len(p) else ()
        return vmap(lambda x, y: self.at_point(theta, x, y, *unknown), in_axes=(0, 1), out_axes=1)(x, y)

    def solve(self, theta: Sequence[Any], x: Any, guess: Any) -> Any:
        """SciPy's result."""
        y, p = self.split(guess, len(x))
        fun = lambda x, y, p=p[:0]: self.slopes(theta, x, y, p)
        bc = lambda ya, yb, *p: self.at_ends(theta, ya, yb, *p)
        return si.solve_bvp(fun, bc, x, y, p if len(p) else None, **self.options)

    def conditions(self, theta: Sequence[Any], x: Any, z: Any) -> Any:
        """The collocation of a cubic spline in the middle of each interval.  Kierzenka and Shampine (2001), (2.2)."""
        y, p = self.split(z, len(x))
        h, f = np.diff(x), self.slopes(theta, x, y, p)
        middle = (y[:, 1:] + y[:, :-1]) / 2 - h / 8 * np.diff(f)
        f_middle = self.slopes(theta, x[:-1] + h / 2, middle, p)
        gaps = np.diff(y) - h / 6 * (f[:, :-1] + f[:, 1:] + 4 * f_middle)
        unknown = (p,) if len(p) else ()
        return np.concatenate([np.ravel(gaps), self.at_ends(theta, y[:, 0], y[:, -1], *unknown)])


@primitive
def reported(x: Any, guess: Any, *theta: Any, problem: Problem) -> tuple[Any, Any, Any]:
    """SciPy's mesh, its solution there, and its status."""
    found = problem.solve(theta, x, guess)
    problem.results.append(found)
    return found.x, np.concatenate([np.ravel(found.y), [] if found.p is None else found.p]), np.int64(found.status)


constant(reported, like=lambda x, guess, *theta, problem: None)


def hermite(x: Any, y: Any, yp: Any, at: Any) -> Any:
    """The cubic spline with values and slopes at the points of a mesh."""
    t = as_array(at)
    k = np.clip(np.searchsorted(stop_gradient(x), stop_gradient(t), "right") - 1, 0, len(x) - 2)
    h = np.diff(x)[k]
    s = (t - x[k]) / h
    value = y[:, k] + s * s * (3 - 2 * s) * (y[:, k + 1] - y[:, k])
    return value + h * s * (1 - s) * ((1 - s) * yp[:, k] - s * yp[:, k + 1])

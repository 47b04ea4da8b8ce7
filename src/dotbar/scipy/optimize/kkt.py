"""Minima: stationarity and the active constraints, the conditions of Karush, Kuhn and Tucker.

A problem is min f(x) subject to l ≤ h(x) ≤ u, rows of which may be equations (l = u) or bounds on x itself.  With the
multipliers λ, positive at a lower limit, negative at an upper one and 0 where a row is inactive, its solution has

    ∇f(x) = Σ λᵢ ∇hᵢ(x),     hᵢ(x) = lᵢ or uᵢ where row i is active,     λᵢ = 0 elsewhere.

Nocedal and Wright (2006), theorem 12.1.  How x and λ depend on parameters: Fiacco (1983), theorem 3.2.1.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.optimize as so

from dotbar.core import shape_of
from dotbar.scipy.closed import Function
from dotbar.scipy.optimize.implicit import SUCCESSFUL, Functions, Given, along, solved
from dotbar.transforms import grad, jacobian


def minimum(
    run: Function, functions: Given, given: Any, start: Any, starts: Sequence[Any], read: Function
) -> tuple[Any, ...]:
    """x, the optimal value, whether SciPy reports success, what else is read from it, and SciPy's result.

    Args:
        run: calls SciPy, given the functions by name and the starts.
        functions: of what is given and of x: the objective ``"f"``; of each set k of constraints ``("h", k)`` and of
            its limits ``("l", k)``, which stand in the two rows of an array and do not depend on x; others for ``run``.
        given: a container of all that the user gave besides.
        start: a vector of the size of x that lies as far from it as the problem is large.
        starts: where SciPy is to begin.
        read: x, whether SciPy reports success, the optimal value and further values, from SciPy's result.
    """

    def study(fs: Functions, x: Any) -> tuple[Any, Any]:
        force, feasible = forces(fs, x, start)
        slope = grad(lambda x: lagrangian(fs, x, force))
        steepest = np.linalg.norm(grad(lambda x: np.reshape(fs["f"](x), ()))(start))
        found = feasible and not has_kink(slope, x, start) and not descends(slope, x, start, steepest)
        return np.concatenate([x, force]), np.bool_(found)

    n = start.size
    split = lambda f: lambda fs, z: f(fs, z[:n], z[n:])
    z, success, value, *others, result = solved(
        run, functions, given, starts, read, split(conditions), split(lagrangian), study=study
    )
    return z[:n], value, success, *others, result


# ---------------------------------------------------------------- the conditions


def has_kink(slope: Function, x: Any, x0: Any, size: Function = np.linalg.norm) -> Any:
    """Whether the slope of a function jumps at x: as much within a tenth of a small distance as within all of it.

    If sizes are absolute values, so for each entry alone.
    """
    g = slope(x)
    lengths = size(x - x0), size(x), 1.0
    steep, length = size(g), np.select([np.greater(v, 0) for v in lengths], lengths)
    step = -1e-3 * length / np.where(steep > 0, steep, 1.0) * g
    near, far = (size(slope(x + k * step) - g) for k in (0.1, 1.0))
    return (steep > 0) & (near >= 0.5 * far) & (far >= 0.5 * steep)


def descends(slope: Function, x: Any, x0: Any, steepest: Any) -> bool:
    """Whether a function goes on to descend from x, by Cauchy's step ‖g‖² / ‖H g‖ along its slope g.

    That is looked at only where g is not small in comparison with how steep the problem is.
    """
    g = slope(x)
    size = np.linalg.norm(g)
    if not size > NEAR * steepest:
        return False
    tolerance, _, least = SUCCESSFUL
    lengths = np.linalg.norm(x) + np.linalg.norm(x - x0) + least
    return bool(size**2 > tolerance * lengths * np.linalg.norm(along(slope, x, g)))


def rows(fs: Functions, x: Any) -> tuple[Any, Any, Any]:
    """h(x), l and u of all rows."""
    named = [(name, f) for name, f in fs.items() if type(name) is tuple]
    hs = [np.ravel(f(x)) for (kind, _), f in named if kind == "h"]
    limits = [f() for (kind, _), f in named if kind == "l"]
    limits = [np.broadcast_to(np.reshape(pair, (2, -1)), (2, *shape_of(h))) for h, pair in zip(hs, limits)]
    if not hs:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    return np.concatenate(hs), *np.concatenate(limits, 1)


def excess(fs: Functions, x: Any, force: Any) -> tuple[Any, Any]:
    """How far active rows are from their limits, 0 for inactive ones; and which are active."""
    h, lower, upper = rows(fs, x)
    equal = lower == upper
    at_lower, at_upper = equal | (force > 0), force < 0
    return np.where(at_lower, h - lower, np.where(at_upper, h - upper, 0)), at_lower | at_upper


def lagrangian(fs: Functions, x: Any, force: Any) -> Any:
    """f − Σ λᵢ (hᵢ − limit)."""
    return np.reshape(fs["f"](x), ()) - np.sum(np.where(np.isnan(force), 0, force) * excess(fs, x, force)[0])


def conditions(fs: Functions, x: Any, force: Any) -> Any:
    """∇ₓL and, row by row, the excess of an active one, the multiplier of an inactive one.

    A row at its limit without a force, whose multiplier is nan, is neither: its derivative on one side is not that on
    the other.  Its conditions have no derivative at all, and are singular.
    """
    slope = grad(lambda x: lagrangian(fs, x, force))(x)
    gap, active = excess(fs, x, force)
    return np.concatenate([slope, np.where(active, gap, np.where(np.isnan(force), 0, force))])


# ---------------------------------------------------------------- the multipliers


NEAR, WEAK = 1e-4, 1e-6
"""Relative to the problem's size: how far from its limit a row may be active, and what is no force or no distance."""

ALIKE = 1e-2
"""Force and distance of a row near its limit that are so much alike say nothing, as a solver leaves both at once."""


def forces(fs: Functions, x: Any, x0: Any) -> tuple[Any, bool]:
    """The multipliers at a solution: nonnegative least squares for ∇f = Σ λᵢ ∇hᵢ over the rows near a limit.

    And whether all rows lie within their limits, or near them.

    A row is active if its force, relative to the slope of f, is larger than its distance from the limit, relative to
    what it was at x0; it is nan if both are nothing.
    """
    h, lower, upper = rows(fs, x)
    if not h.size:
        return h, True
    slope = grad(lambda x: np.reshape(fs["f"](x), ()))
    J = jacobian(lambda x: rows(fs, x)[0])(x)
    norms = np.linalg.norm(J, axis=1)
    steepness = max(np.linalg.norm(slope(x)), np.linalg.norm(slope(x0))) or 1.0
    equal = lower == upper
    with np.errstate(invalid="ignore"):
        at_upper = ~equal & (upper - h < h - lower)
    limit = np.where(at_upper, upper, lower)
    size = np.abs(limit) + np.abs(rows(fs, x0)[0] - limit) + norms * np.linalg.norm(x - x0)
    distance = np.abs(h - limit) / np.where(np.isfinite(size) & (size > 0), size, 1)
    near = equal | (distance <= NEAR)
    signs = np.where(at_upper, -1.0, 1.0)
    columns = np.concatenate([(signs[:, None] * J)[near], -J[equal]]).T
    solvable = columns.size and np.all(np.isfinite(columns)) and np.all(np.isfinite(slope(x)))
    found = so.nnls(columns, slope(x))[0] if solvable else np.zeros(columns.shape[1])
    force = np.zeros(h.size)
    force[near] = signs[near] * found[: near.sum()]
    force[equal] -= found[near.sum() :]
    relative = np.abs(force) * norms / steepness
    less, more = np.minimum(relative, distance), np.maximum(relative, distance)
    undecided = near & ~equal & ((more <= WEAK) | (more <= 10 * NEAR) & (less >= ALIKE * more))
    feasible = bool(np.all((distance <= NEAR) | (lower <= h) & (h <= upper)))
    return np.where(undecided, np.nan, np.where(equal | (relative > distance), force, 0.0)), feasible

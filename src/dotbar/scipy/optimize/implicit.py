"""What a solver returns as a function of parameters: x with F(x, θ) = 0, differentiated through F alone.

Each solver of this folder is :func:`solution` with conditions F of its own: the equation of a root, stationarity and
the active constraints at a minimum.  F is made of functions with rules, so derivatives of any order follow.
"""

from collections.abc import Sequence
from copy import copy
from functools import partial
from typing import Any

import numpy as np
import scipy.optimize as so

from dotbar.core import dtype_of, is_differentiable, primitive, shape_of
from dotbar.errors import DegenerateSolutionError, DotbarError, NoRuleError
from dotbar.rules.kinds import add, constant, rule
from dotbar.rules.words import H, conj, raise_if, stop_gradient
from dotbar.scipy.closed import Closed, Function, Packed, closed, is_traced, recorded, with_args
from dotbar.trace import recordings
from dotbar.transforms import jacobian, jvp, vjp

Functions = dict[Any, Function]
Given = dict[Any, tuple[Function, Sequence[Any]]]


@primitive
def solution(
    theta: Any,
    *fixed: Any,
    solve: Function,
    conditions: Function,
    objective: Function | None = None,
    entrywise: bool = False,
    within: float | None = None,
) -> tuple[Any, ...]:
    """x with conditions(θ, fixed, x) = 0, whether it was found, the optimal value of an objective, and plain results.

    Args:
        theta: the parameters, a vector.
        fixed: values on which the solution does not depend, or not smoothly.
        solve: takes θ and the fixed values as plain arrays; returns these results.
        conditions: F of θ, of the fixed values and of x; its result has the shape of x, a vector.
        objective: a function of the same whose value at x is optimal, so that ∂/∂x = 0.
        entrywise: each entry of F depends on the same entry of x alone; x has any shape then.
        within: at a multiple root F_x is only as small as the solver's x is near.  So it counts as singular if it
            vanishes within this distance, and √ε of the size of x; None to count it as it is.
    """
    return solve(theta, fixed)


@rule(solution)
def _solution(
    y: Any,
    theta: Any,
    *fixed: Any,
    solve: Any,
    conditions: Any,
    objective: Any = None,
    entrywise: bool = False,
    within: float | None = None,
) -> Any:
    """F_x ẋ = −F_θ θ̇;   F_xᴴ λ = −x̄, θ̄ = F_θᴴ λ.  Griewank and Walther (2008), section 15.1.

    The optimal value V(θ) of an objective L has V̇ = L_θ θ̇, as L_x = 0: the envelope theorem.  All derivatives are nan
    where no solution was found.
    """
    x, found = y[:2]
    weight = np.where(found, 1.0, np.nan)

    def F_x() -> Any:
        F = lambda x: conditions(theta, fixed, x)
        J, one = (along(F, x, np.ones_like(x)), 1.0) if entrywise else (jacobian(F)(x), np.eye(len(x)))
        J = np.where(found, J, one)
        check = check_entries if entrywise else check_matrix
        check(F, stop_gradient(x), stop_gradient(J), within)
        return J

    def divided(r: Any, J: Any) -> Any:
        return r / J if entrywise else np.linalg.solve(J, r[..., None])[..., 0]

    def dot(thetadot: Any) -> Any:
        push = lambda f: along(lambda theta: f(theta, fixed, x), theta, thetadot)
        dots = [lambda: -weight * divided(push(conditions), F_x()), *(None for _ in y[1:])]
        if objective:
            dots[2] = weight * push(objective)
        return tuple(dots)

    def bar(ybar: Any) -> Any:
        pull = lambda f, fbar: vjp(lambda theta: f(theta, fixed, x), theta)[1](fbar)[0]
        thetabar = None
        if ybar[0] is not None:
            thetabar = pull(conditions, divided(-ybar[0], conj(F_x()) if entrywise else H(F_x())))
        if objective and ybar[2] is not None:
            thetabar = add(thetabar, pull(objective, ybar[2]))
        return thetabar if thetabar is None else thetabar * np.min(weight)

    return [(dot, bar), *(None for _ in fixed)]


def along(f: Function, x: Any, xdot: Any) -> Any:
    """The derivative of a function at x in the direction ẋ."""
    return jvp(f, (x,), (xdot,))[1]


@primitive
def independent(x: Any, found: Any, start: Any) -> Any:
    """x, which does not depend on where the search for it began; if it was not found, nobody knows how it does."""
    return x


@rule(independent)
def _independent(y: Any, x: Any, found: Any, start: Any) -> Any:
    """ẋ, and nan where nothing was found."""
    unknown = lambda: np.min(np.where(found, 0.0, np.nan))
    dot = lambda startdot: np.full(shape_of(x), 1.0, dtype_of(y)) * (unknown() * np.sum(startdot))
    bar = lambda ybar: np.full(shape_of(start), 1.0) * (unknown() * np.sum(ybar))
    return [(lambda xdot: xdot, lambda ybar: ybar), None, (dot, bar)]


# ---------------------------------------------------------------- calls of SciPy's solvers


def solved(
    run: Function,
    functions: Given,
    given: Any,
    starts: Sequence[Any],
    read: Function,
    conditions: Function,
    objective: Function | None = None,
    study: Function | None = None,
    entrywise: bool = False,
    within: float | None = None,
) -> tuple[Any, ...]:
    """What is read from the result of SciPy's solver, and that result, or None where it is not one plain result.

    A solution is found where SciPy reports success, or if none the less it is as near as one could wish: a search may
    well end at the minimum with a complaint that it gets no lower.

    Args:
        run: calls SciPy, given the functions by name and the starts.
        functions: what the user gave, as functions of ``given`` and of x, each with examples of x; ``"f"`` among them.
        given: a container of all that the user gave besides.
        starts: where to begin, on which the solution does not depend.
        read: reads the solution, whether SciPy reports success and further values from SciPy's result.
        conditions: F of the functions by name and of x.
        objective: likewise, what x makes optimal.
        study: finds what the conditions determine, if that is more than x, and whether they are smooth there.
        entrywise: as of :func:`solution`.
        within: likewise.
    """
    calls, operands = closed(given, *functions.values())
    parameters = Packed(operands)
    n, results = len(parameters.fixed), []

    def bound(theta: Any, fixed: Sequence[Any]) -> Functions:
        values = parameters.unpacked(theta, fixed)
        return {name: partial(call, values) for name, call in zip(functions, calls)}

    if not any(map(is_traced, (*operands, *starts))):
        result = run(bound(parameters.theta, parameters.fixed), *starts)
        return *read(result), result

    def solve(theta: Any, fixed: Sequence[Any]) -> tuple[Any, ...]:
        fs = bound(theta, fixed[:n])
        results.append(result := run(fs, *fixed[n:]))
        x, success, *values = read(result)
        with np.errstate(all="ignore"):
            x, smooth = study(fs, x) if study else (x, True)
            F, start = lambda x: conditions(fs, x), functions["f"][1][0]
            found = success if np.all(success) else success | reached(F, x, start, entrywise)
        return x, found & smooth, *map(np.float64, values), success

    of_parameters = lambda f: f and (lambda theta, fixed, x: f(bound(theta, fixed[:n]), x))
    how = {"conditions": of_parameters(conditions), "objective": of_parameters(objective), "within": within}
    x, found, *values, success = solution(
        parameters.theta, *parameters.fixed, *map(stop_gradient, starts), solve=solve, entrywise=entrywise, **how
    )
    for start in starts:
        if is_differentiable(start) and is_traced(start):
            x = independent(x, found, start)
            values[:1] = [independent(value, found, start) for value in values[:1] if objective]
    return x, success, *values, results[0] if len(results) == 1 and not recordings.open else None


def of_one(x: Any, **functions: Any) -> Given:
    """Functions of x, of which there is an example, and of further arguments; those not given are left out."""
    return {name: (with_args(f), (x,)) for name, f in functions.items() if callable(f)}


def filled(result: Any, **values: Any) -> Any:
    """SciPy's result with traced values in their places; without its other fields where they are not one result's."""
    if result is not None and not any(map(is_traced, values.values())):
        return result
    report = so.OptimizeResult() if result is None else copy(result)
    report.update({name: withheld(x, name) for name, x in report.items()} | values)
    return report


def rest(values: Sequence[Any], x: Any) -> tuple[Any, ...]:
    """What SciPy reports besides a solution x."""
    return tuple(withheld(y, "a further result") for y in values) if is_traced(x) else tuple(values)


def withheld(x: Any, name: str) -> Any:
    """What SciPy reports besides a solution that is differentiated: counts and texts as they are."""
    if type(x) is dict:
        return {key: withheld(y, str(key)) for key, y in x.items()}
    kind, size = np.dtype(getattr(x, "dtype", float)).kind, getattr(x, "size", 1)
    return x if isinstance(x, (bool, int, str, type(None))) or kind in "biu" or not size else Withheld(name)


class Withheld:
    """In the place of numbers that depend on the parameters, but are none of the solution's values."""

    def __init__(self, name: str):
        self.name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        self.refuse()

    def __repr__(self) -> str:
        return f"<{self.name}, which has no derivative>"

    def refuse(self, *args: Any, **kw: Any) -> Any:
        """Raise, whatever it is used for."""
        raise NoRuleError(
            f"{self.name!r} of a solution that is being differentiated has no derivative. Compute it from the "
            "solution, or pass stop_gradient(x) to the solver."
        )

    __array__ = __array_ufunc__ = __array_function__ = __float__ = __complex__ = __iter__ = __len__ = refuse
    __getitem__ = __neg__ = __abs__ = __bool__ = __call__ = refuse
    __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __matmul__ = refuse
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __rmatmul__ = refuse
    __lt__ = __le__ = __gt__ = __ge__ = refuse


def exact(derivative: Function, f: Function, *xs: Any) -> Function | None:
    """A derivative of f that a solver was not given, if dotbar has it; what is wrong with x the solver will say.

    Where f is a Program, so is its derivative.
    """
    if isinstance(getattr(f, "func", None), Closed):
        derivative = partial(recorded(lambda *xs, own=derivative: own(*xs[2:]), 0.0, (), *xs), 0.0, ())
    try:
        derivative(*xs)
    except Exception:
        return None
    return derivative


# ---------------------------------------------------------------- near, and degenerate solutions


NEAR = 1e-5
"""How far, relative to its size, a solution may lie from where a search ended without success."""


def reached(F: Function, x: Any, start: Any, entrywise: bool) -> Any:
    """Whether Newton's step from x to F = 0 is nothing in comparison with x and with the way to it from the start.

    Or it is no larger than rounding makes it, |F_x⁻¹| |F_x| |x| ε: Higham (2002), section 7.2.  All this entry by
    entry, so that units do not matter.  F may determine more than x, multipliers, which stand behind it.  Where F_x is
    singular, its step must lead to F = 0 all the same.
    """
    try:
        r, J = F(x), along(F, x, np.ones_like(x)) if entrywise else jacobian(F)(x)
    except DotbarError:
        return np.False_
    if entrywise:
        return np.abs(r) <= np.abs(J) * NEAR * (np.abs(x) + np.abs(x - start))
    if not (np.all(np.isfinite(r)) and np.all(np.isfinite(J))):
        return np.False_
    n = start.size
    rows, columns = sizes(J)
    inverse = np.linalg.pinv(J / rows / columns) / columns.T / rows.T
    step, rounding = inverse @ r, 10 * EPS**2 * np.abs(inverse) @ np.abs(J) @ np.abs(x)
    near = np.abs(step[:n]) <= rounding[:n] + NEAR * (np.abs(x[:n]) + np.abs(x[:n] - np.ravel(start)))
    left = (r - J @ step) / rows[:, 0]
    return np.all(near) & (np.linalg.norm(left) <= NEAR * np.linalg.norm(r / rows[:, 0]))


def raise_where(singular: Any) -> None:
    """Raise the error for a solution without a derivative."""
    message = (
        "the solution has no derivative: the Jacobian of the conditions that determine it is singular there. Such is a "
        "multiple root, a minimum with a singular Hessian or dependent active constraints, or one that just touches a "
        "constraint."
    )
    raise_if(singular, error=DegenerateSolutionError(message))


def check_entries(F: Function, x: Any, F_x: Any, within: float | None) -> None:
    """Raise if F_x is 0, or would be 0 a little further, in any entry."""
    vanishes = F_x == 0
    if within is not None:
        one = np.ones_like(x)
        reach = within + EPS * np.abs(x)
        F_xx = along(lambda x: along(F, x, one), x, one)
        vanishes = vanishes | (np.abs(F_x) <= np.abs(F_xx) * reach)
    raise_where(vanishes)


def check_matrix(F: Function, x: Any, F_x: Any, within: float | None) -> None:
    """Raise if F_x is singular, or would be so a little further in its weakest direction."""
    u, v, singular = weakest(F_x)
    if within is not None:
        reach = within + EPS * np.sum(np.abs(v * x))
        F_xx = along(lambda x: along(F, x, v), x, v)
        singular = singular | (np.abs(np.sum(u * (F_x @ v))) <= np.abs(np.sum(u * F_xx)) * reach)
    raise_where(singular)


EPS = float(np.sqrt(np.finfo(float).eps))


def sizes(A: Any) -> tuple[Any, Any]:
    """Of the rows of A, and then of its columns: what to divide by for the largest entry to be 1."""
    size = lambda A, axis: np.where((m := np.max(np.abs(A), axis, keepdims=True, initial=0)) > 0, m, 1)
    rows = size(A, -1)
    return rows, size(A / rows, -2)


@primitive
def weakest(A: Any) -> Any:
    """u and v with the least uᵀ A v, rows and columns of A scaled to be of one size, and whether A is singular."""
    finite = np.where(np.isfinite(A), A, 0)
    rows, columns = sizes(finite)
    U, s, Vh = np.linalg.svd(finite / rows / columns)
    u, v = U[..., :, -1] / rows[..., 0], np.conj(Vh[..., -1, :]) / columns[..., 0, :]
    unit = lambda v: v / np.linalg.norm(v, axis=-1, keepdims=True)
    n, eps = A.shape[-1], np.finfo(A.dtype).eps
    return unit(np.conj(u)), unit(v), s[..., -1] <= 10 * n * eps * s[..., 0]


constant(weakest, batch="(n,n)->(n),(n),()")

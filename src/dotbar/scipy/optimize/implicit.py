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
from dotbar.transforms import jacfwd, jvp, vjp

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
    start: Any = None,
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
        start: an example of x; that x which was found to be :func:`near` the solution is looked at again, measured by
            the way from there.  None if there is no doubt.
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
    start: Any = None,
) -> Any:
    """F_x ẋ = −F_θ θ̇;   F_xᴴ λ = −x̄, θ̄ = F_θᴴ λ.  Griewank and Walther (2008), section 15.1.

    The optimal value V(θ) of an objective L has V̇ = L_θ θ̇, as L_x = 0: the envelope theorem.  All derivatives are nan
    where no solution was found.
    """
    x, found = y[:2]
    weight = np.where(found, 1.0, np.nan)

    def F_x() -> Any:
        F = lambda x: conditions(theta, fixed, x)
        J, one = (along(F, x, np.ones_like(x)), 1.0) if entrywise else (jacfwd(F)(x), np.eye(len(x)))
        J = np.where(found, J, one)
        check = check_entries if entrywise else check_matrix
        check(F, stop_gradient(x), stop_gradient(J), within)
        if start is None:
            return J
        return np.where(near(F, stop_gradient(x), stop_gradient(J), start, entrywise, *SUCCESSFUL), J, np.nan)

    def dot(thetadot: Any) -> Any:
        push = lambda f: along(lambda theta: f(theta, fixed, x), theta, thetadot)
        dots = [lambda: -weight * divided(push(conditions), F_x(), entrywise), *(None for _ in y[1:])]
        if objective:
            dots[2] = weight * push(objective)
        return tuple(dots)

    def bar(ybar: Any) -> Any:
        pull = lambda f, fbar: vjp(lambda theta: f(theta, fixed, x), theta)[1](fbar)[0]
        thetabar = None
        if ybar[0] is not None:
            thetabar = pull(conditions, divided(-ybar[0], conj(F_x()) if entrywise else H(F_x()), entrywise))
        if objective and ybar[2] is not None:
            thetabar = add(thetabar, pull(objective, ybar[2]))
        return thetabar if thetabar is None else thetabar * np.min(weight)

    return [(dot, bar), *(None for _ in fixed)]


def divided(r: Any, F_x: Any, entrywise: bool) -> Any:
    """F_x⁻¹ r."""
    return r / F_x if entrywise else np.linalg.solve(F_x, r[..., None])[..., 0]


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

    A solution is found where Newton's step by its conditions is small, not where SciPy reports success: a search may
    end at the minimum with a complaint that it gets no lower, or far from it content with how slowly it descends.

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
    n, start, results = len(parameters.fixed), functions["f"][1][0], []

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
            found = success if np.all(success) else success | reached(lambda x: conditions(fs, x), x, start, entrywise)
        return x, found & smooth, *(np.asarray(v)[()] for v in values), success

    of_parameters = lambda f: f and (lambda theta, fixed, x: f(bound(theta, fixed[:n]), x))
    how = {"entrywise": entrywise, "within": within, "start": start}
    how |= {"conditions": of_parameters(conditions), "objective": of_parameters(objective)}
    x, found, *values, success = solution(
        parameters.theta, *parameters.fixed, *map(stop_gradient, starts), solve=solve, **how
    )
    for where in starts:
        if is_differentiable(where) and is_traced(where):
            x = independent(x, found, where)
            values[:1] = [independent(value, found, where) for value in values[:1] if objective]
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

    Where f is a Program, so is its derivative.  That where the solver begins is not computed twice.
    """
    if isinstance(getattr(f, "func", None), Closed):
        derivative = partial(recorded(lambda *xs, own=derivative: own(*xs[2:]), 0.0, (), *xs), 0.0, ())
    try:
        at_start = [derivative(*xs)]
    except Exception:
        return None
    is_start = lambda ys: all(np.array_equal(x, y) for x, y in zip(xs, ys))
    return lambda *ys: at_start.pop() if at_start and is_start(ys) else derivative(*ys)


# ---------------------------------------------------------------- near, and degenerate solutions


SUCCESSFUL, OTHERWISE = (1e-2, 0.1, 1e-2), (1e-5, 0.0, 0.0)
"""How near the solution must be, relative to its size, to where a search ended: with success, when it may be as far as
the user allowed, and without; and what no entry is less than, relative to the largest and at all."""


def near(
    F: Function, x: Any, F_x: Any, start: Any, entrywise: bool, tolerance: float, floor: float, least: float
) -> Any:
    """Whether Newton's step s from x to F = 0 is small: |F_x| |s| ≤ tolerance · |F_x| (|x| + |x − start|).

    That it is so row by row does not depend on units.  F may determine more than x, multipliers, which stand behind it.
    """
    s = divided(stop_gradient(F(x)), F_x, entrywise)
    if entrywise:
        return np.abs(s) <= tolerance * (np.abs(x) + np.abs(x - start) + least)
    start = np.pad(np.ravel(start), (0, len(x) - np.size(start)))
    size = np.abs(x) + np.abs(x - start)
    size = size + floor * np.max(size, initial=0) + least
    return np.all(np.abs(F_x) @ np.abs(s) <= tolerance * (np.abs(F_x) @ size))


def reached(F: Function, x: Any, start: Any, entrywise: bool) -> Any:
    """Whether a solver that reports no success has all the same reached F = 0."""
    try:
        F_x = along(F, x, np.ones_like(x)) if entrywise else jacfwd(F)(x)
        return near(F, x, F_x, start, entrywise, *OTHERWISE)
    except (DotbarError, np.linalg.LinAlgError):
        return np.False_


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


@primitive
def weakest(A: Any) -> Any:
    """u and v with the least uᵀ A v, rows and columns of A scaled to be of one size, and whether A is singular."""
    size = lambda A, axis: np.where((m := np.max(np.abs(A), axis, keepdims=True, initial=0)) > 0, m, 1)
    finite = np.where(np.isfinite(A), A, 0)
    rows = size(finite, -1)
    columns = size(finite / rows, -2)
    U, s, Vh = np.linalg.svd(finite / rows / columns)
    u, v = U[..., :, -1] / rows[..., 0], np.conj(Vh[..., -1, :]) / columns[..., 0, :]
    unit = lambda v: v / np.linalg.norm(v, axis=-1, keepdims=True)
    n, eps = A.shape[-1], np.finfo(A.dtype).eps
    return unit(np.conj(u)), unit(v), s[..., -1] <= 10 * n * eps * s[..., 0]


constant(weakest, batch="(n,n)->(n),(n),()")

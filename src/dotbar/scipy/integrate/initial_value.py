"""Initial value problems: ``solve_ivp`` with its events and dense output, ``odeint``.

The solution at given times is the word :func:`flow`.  Its dot is the flow of the system and its sensitivities together,
its bar the adjoint system, solved backwards; both with an error control of their own, by the method that was asked for.
"""

from collections.abc import Sequence
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.integrate as si

from dotbar.core import RULES, as_array, dtype_of, primitive, shape_of
from dotbar.errors import ConversionError, StructureError
from dotbar.nested import stand_in
from dotbar.rules.kinds import batch_loop, constant, rule
from dotbar.rules.words import conj, stop_gradient
from dotbar.scipy.closed import Function, Packed, arguments, as_tuple, closed, is_traced, recorded, with_args
from dotbar.scipy.integrate.quadrature import normalised
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.optimize.implicit import filled, solution
from dotbar.trace import recordings
from dotbar.transforms import jvp, vjp, vmap


@primitive
def flow(
    y0: Any, theta: Any, t0: Any, times: Any, *fixed: Any, f: Function, how: "Method", values: Function | None = None
) -> Any:
    """The solution of y' = f(θ, fixed, t, y), y(t₀) = y₀ at times, shape (times, *y).

    Args:
        y0: the initial value, a vector.
        theta: the parameters, a vector.
        t0: the initial time.
        times: where the solution is wanted.
        fixed: what else f depends on, without a derivative.
        f: the right-hand side.
        how: the method, for all that is derived from this system.
        values: how SciPy computes this solution itself, given f, t₀, y₀ and the times; None for ``how`` to do it.
    """
    at = partial(f, theta, fixed)
    return values(theta, fixed, at, t0, y0, times) if values else how.at(at, t0, y0, times)


@rule(flow)
def _flow(Y: Any, y0: Any, theta: Any, t0: Any, times: Any, *fixed: Any, f: Any, how: Any, values: Any = None) -> Any:
    """Ẏ(t) = s(t) + f(t, y) ṫ with s' = f_y s + f_θ θ̇, s(t₀) = ẏ₀ − f(t₀, y₀) ṫ₀.

    λ' = −f_yᴴ λ backwards in time, to which Ȳₖ is added at tₖ;  ȳ₀ = λ(t₀), θ̄ = ∫ f_θᴴ λ dt, t̄₀ = −⟨f(t₀, y₀), ȳ₀⟩,
    t̄ₖ = ⟨f(tₖ, yₖ), Ȳₖ⟩.  Hairer, Nørsett and Wanner (1993), section I.14; Cao, Li, Petzold and Serban (2003).
    """
    n, k = len(y0), len(theta)
    slopes = lambda: at_points(partial(f, theta, fixed), times, Y)

    def along(ydot: Any, thetadot: Any) -> Any:
        """The sensitivities s in a direction of size 1 in y₀ or θ."""

        def both(thetas: Any, fixed: Any, t: Any, ys: Any) -> Any:
            """(f, f_y s + f_θ θ̇) of (y, s) and (θ, θ̇)."""
            at = lambda y, theta: f(theta, fixed, t, y)
            return np.concatenate(jvp(at, (ys[:n], thetas[:k]), (ys[n:], thetas[k:])))

        ys, thetas = np.concatenate([y0, ydot]), np.concatenate([theta, thetadot])
        system = recorded(both, thetas, fixed, t0 * 1.0, ys)
        return flow(ys, thetas, t0, times, *fixed, f=system, how=how.of_pair())[:, n:]

    def dot_y0(ydot: Any) -> Any:
        unit, size = normalised(ydot)
        return size * along(unit, np.zeros(shape_of(theta), dtype_of(theta)))

    def dot_theta(thetadot: Any) -> Any:
        unit, size = normalised(thetadot)
        return size * along(np.zeros(shape_of(y0), dtype_of(y0)), unit)

    def dot_t0(tdot: Any) -> Any:
        return dot_y0(-f(theta, fixed, t0, y0) * tdot)

    @cache
    def bars() -> Any:
        return adjoint(y0, theta, t0, times, Ybars[0], *fixed, f=f, how=how)

    Ybars: list[Any] = []

    def bar(of: Function) -> Function:
        def given(Ybar: Any) -> Any:
            Ybars[:] = [Ybar]
            return of(Ybar)

        return given

    return [
        (dot_y0, bar(lambda Ybar: bars()[0])),
        (dot_theta, bar(lambda Ybar: bars()[1])),
        (dot_t0, bar(lambda Ybar: -np.real(np.sum(conj(f(theta, fixed, t0, y0)) * bars()[0])))),
        (lambda tdot: slopes() * tdot[:, None], lambda Ybar: np.real(np.sum(conj(slopes()) * Ybar, -1))),
        *(None for _ in fixed),
    ]


@primitive
def adjoint(
    y0: Any, theta: Any, t0: Any, times: Any, Ybar: Any, *fixed: Any, f: Function, how: "Method"
) -> tuple[Any, Any]:
    """ȳ₀ and θ̄ of :func:`flow`: the adjoint system from the last time back to t₀, where y is solved for again.

    From checkpoint to checkpoint, so that no more of y is held than between two of them.  θ̄ is an integral over the
    steps of y and of λ, by Gauss and Legendre: it neither costs steps nor enlarges the system.
    """
    size = np.max(np.abs(Ybar), initial=0) or 1.0
    lam, thetabar = np.zeros(len(y0), np.result_type(y0, Ybar)), np.zeros_like(theta)
    pulled = lambda theta, fixed, t, y, lam: -vjp(lambda y: f(theta, fixed, t, y), y)[1](lam)[0]
    pull = recorded(pulled, theta, fixed, float(t0), y0, lam)
    order = np.argsort(np.abs(times - t0))
    stops = list(zip(times[order], Ybar[order] / size))
    t = times[order[-1]] if stops else t0
    at = partial(f, theta, fixed)
    for start, y_start, end in reversed(how.pieces(at, t0, y0, t)):
        y = how.path(at, start, y_start, end)
        back = lambda t, lam, y=y: pull(theta, fixed, t, y(t), lam)
        while t != start:
            while stops and stops[-1][0] == t:
                lam = lam + stops.pop()[1]
            stop = stops[-1][0] if stops and abs(stops[-1][0] - t0) > abs(start - t0) else start
            path = how.path(back, t, lam, stop)
            if theta.size:
                nodes, weights = gauss(stop, t, np.concatenate([y.ts, path.ts]))
                f_of_theta = lambda theta, nodes=nodes, y=y: at_points(partial(f, theta, fixed), nodes, y(nodes).T)
                thetabar = thetabar + vjp(f_of_theta, theta)[1](weights[:, None] * path(nodes).T)[0]
            lam, t = path(stop), stop
    for _, ybar in stops:
        lam = lam + ybar
    return size * lam, size * thetabar


def at_points(f: Function, times: Any, Y: Any) -> Any:
    """f(t, y) at several times, all at once unless f branches on values."""
    try:
        return vmap(f)(times, Y)
    except ConversionError:
        return np.stack([f(t, y) for t, y in zip(times, Y)])


def gauss(start: Any, end: Any, steps: Any) -> tuple[Any, Any]:
    """Nodes and weights of an integral from start to end: four in each of the steps between."""
    inside = steps[(steps > min(start, end)) & (steps < max(start, end))]
    marks = np.unique([start, *inside, end])
    x, w = np.polynomial.legendre.leggauss(4)
    half = np.diff(marks)[:, None] / 2
    return np.ravel(marks[:-1, None] + half * (1 + x)), np.ravel(half * w) * (1.0 if end >= start else -1.0)


@rule(adjoint)
def _adjoint(y: Any, y0: Any, theta: Any, t0: Any, times: Any, Ybar: Any, *fixed: Any, f: Any, how: Any) -> Any:
    """P(x, Ȳ) = ∇ₓ⟨Ȳ, F(x)⟩ of the flow F: its derivatives are pullbacks of F's own, as ∇ₓ and a direction commute.

    Ṗ = ∇ₓ⟨Ȳ, F′(x) ẋ⟩ + P(x, Ȳ̇);  the bar of x is ∇ₓ⟨Ȳ, F′(x) P̄⟩, that of Ȳ is F′(x) P̄.
    """
    xs = (y0, theta, t0, times)
    F = lambda *xs: flow(*xs, *fixed, f=f, how=how)

    def pushed(directions: dict[int, Any]) -> Function:
        """F′(x) in directions of some of the arguments, as a function of all."""
        some = sorted(directions)

        def push(*xs: Any) -> Any:
            of_some = lambda *ys: F(*(dict(zip(some, ys)).get(i, x) for i, x in enumerate(xs)))
            return jvp(of_some, tuple(xs[i] for i in some), tuple(directions[i] for i in some))[1]

        return push

    def pair(k: int) -> Any:
        def dot(xdot: Any) -> Any:
            return vjp(pushed({k: xdot}), *xs)[1](Ybar)[:2]

        def bar(xbars: Any) -> Any:
            return vjp(pushed(directions(xbars)), *xs)[1](Ybar)[k]

        return dot, bar

    directions = lambda xbars: {i: xbar for i, xbar in enumerate(xbars) if xbar is not None}
    of_Ybar = lambda Ydot: adjoint(*xs, Ydot, *fixed, f=f, how=how), lambda xbars: pushed(directions(xbars))(*xs)
    return [*map(pair, range(4)), of_Ybar, *(None for _ in fixed)]


SMALLEST = 100 * np.finfo(float).eps
"""The smallest relative tolerance that SciPy accepts."""


class Method:
    """How the systems that are derived from one are solved: the method and the tolerances asked for."""

    EVERY = 100
    """Steps from one checkpoint to the next."""

    def __init__(self, method: Any, rtol: Any, atol: Any, max_step: float = np.inf):
        self.options = {"method": method, "rtol": np.maximum(rtol, SMALLEST), "max_step": max_step}
        self.atol = np.asarray(atol)

    def of_pair(self) -> "Method":
        """The same for a system and its sensitivities."""
        atol = np.concatenate([self.atol, self.atol]) if np.ndim(self.atol) else self.atol
        return Method(atol=atol, **self.options)

    def solve(self, f: Function, t0: Any, y0: Any, end: Any, **options: Any) -> Any:
        """SciPy's result from t₀ to the end."""
        atol = self.atol if np.size(self.atol) in (1, len(y0)) else np.min(self.atol)
        return si.solve_ivp(f, (t0, end), y0, atol=atol, **self.options, **options)

    def at(self, f: Function, t0: Any, y0: Any, times: Any) -> Any:
        """The solution at times in any order; nan where it was not reached."""
        stops, places = np.unique(np.abs(times - t0), return_inverse=True)
        sign = 1.0 if np.all(times >= t0) else -1.0
        Y = np.full((len(stops), len(y0)), np.nan, y0.dtype)
        Y[stops == 0] = y0
        later = np.flatnonzero(stops)
        if later.size:
            found = self.solve(f, t0, y0, t0 + sign * stops[-1], t_eval=(t0 + sign * stops)[later]).y.T
            Y[later[: len(found)]] = found
        return Y[places]

    def pieces(self, f: Function, t0: Any, y0: Any, end: Any) -> list[tuple[Any, Any, Any]]:
        """Checkpoints from t₀ to the end: a time, the solution there, the next time."""
        if end == t0:
            return []
        found = self.solve(f, t0, y0, end)
        if not found.success:
            return [(t0, np.full_like(y0, np.nan), end)]
        marks = [*range(0, len(found.t) - 1, self.EVERY), len(found.t) - 1]
        return [(found.t[i], found.y[:, i], found.t[k]) for i, k in pairwise(marks)]

    def path(self, f: Function, t0: Any, y0: Any, end: Any) -> Any:
        """The solution as a function of time, with its steps; nan if the end was not reached.

        At a tenth of the tolerances, as the errors of two such functions and of an integral over both add up.
        """
        tight = Method(self.options["method"], self.options["rtol"] / 10, self.atol / 10, self.options["max_step"])
        found = tight.solve(f, t0, y0, end, dense_output=True) if np.all(np.isfinite(y0)) else None
        if found is not None and found.success:
            return found.sol
        nowhere = lambda t: np.full((len(y0), *np.shape(t)), np.nan)
        nowhere.ts = np.array([t0, end])
        return nowhere


# ---------------------------------------------------------------- SciPy's functions


@stands_for(si.solve_ivp)
def solve_ivp(*args: Any, **kw: Any) -> Any:
    """SciPy's; the solution is a function of t_span, y0, t_eval and the parameters in ``fun``, ``args`` and ``events``.

    So are the dense output, and the times of events, where event(t, y(t)) = 0.  The steps that the solver chooses are
    constants.
    """
    given = arguments(si.solve_ivp, args, kw)
    options = given["options"]
    events = [given["events"]] if callable(given["events"]) else list(given["events"] or ())
    others = [options["jac"]] if callable(options.get("jac")) else []
    t0, end = (x * 1.0 for x in given["t_span"])
    y0, t_eval = np.atleast_1d(as_array(given["y0"])) * 1.0, given["t_eval"]
    t_eval = None if t_eval is None else as_array(t_eval) * 1.0
    start = (float(stand_in(t0)), stand_in(y0))
    system = System(as_tuple(given["args"] or ()), start, given["fun"], *events, *others)
    if not any(map(is_traced, (system.theta, *system.fixed, t0, end, y0, t_eval))):
        return si.solve_ivp(*args, **kw)
    run = Run(system, given, events, len(others))
    fixed = (*map(stop_gradient, (*system.fixed, end)),)
    found = run.report(*map(stop_gradient, (y0, system.theta, t0)), np.zeros(0) if t_eval is None else t_eval, *fixed)
    t, status, happened = found[0], found[1], found[2:]
    how = Method(given["method"], options.get("rtol", 1e-3), options.get("atol", 1e-6), options.get("max_step", np.inf))
    at = lambda times, xs=(y0, system.theta, t0), fixed=fixed: flow(
        *xs, times, *fixed, f=system.rhs, how=how, values=run.values
    )

    def time_of(k: int, t: Any) -> Any:
        """The times of the k-th event: g(t, y(t)) = 0."""
        parameters = Packed([y0, system.theta, t0])

        def g(packed: Any, fixed: Any, t: Any) -> Any:
            y0, theta, t0 = parameters.unpacked(packed, ())
            g = lambda t, y: np.reshape(system.call(1 + k, theta, fixed[1:], t, y), ())
            return at_points(g, t, at(t, (y0, theta, t0), fixed[1:]))

        found = lambda packed, fixed: (fixed[0], np.True_)
        return solution(parameters.theta, t, *fixed, solve=found, conditions=g, entrywise=True)[0]

    t_events = [time_of(k, t) if len(t) else t for k, t in enumerate(happened)]
    ends = [t[-1] for t, event in zip(t_events, events) if len(t) >= (getattr(event, "terminal", None) or np.inf)]
    if t_eval is not None:
        t = t_eval[: len(t)]
    else:
        last = ends[0] if ends else np.where(status == 0, end, t[-1])
        t = np.concatenate([np.reshape(t0, 1), t[1:-1], np.reshape(last, 1)])
    values = {
        "t": t,
        "y": np.transpose(at(t)),
        "sol": at_any_time(at) if given["dense_output"] else None,
        "t_events": t_events if events else None,
        "y_events": [at(t) if len(t) else np.zeros(0) for t in t_events] if events else None,
    }
    if len(run.results) == 1 and not recordings.open:
        return filled(run.results[0], **values)
    return filled(None, **values, status=status, success=status >= 0)


def at_any_time(at: Function) -> Function:
    """Dense output: the solution at a time, or at several, along the last axis."""
    return lambda t: np.transpose(at(as_array(t) * 1.0)) if np.ndim(t) else at(np.reshape(as_array(t) * 1.0, 1))[0]


class Run:
    """SciPy's own solution of a problem: what was asked for, and its values at any times."""

    def __init__(self, system: "System", given: dict[str, Any], events: Sequence[Any], others: int):
        self.system = system
        self.events = events
        self.jac = 1 + len(events) if others else None
        self.options = {"method": given["method"], **given["options"]}
        self.has_t_eval = given["t_eval"] is not None
        self.results: list[Any] = []
        self.last: tuple[Any, Any] = (None, None)

    def solve(self, y0: Any, theta: Any, fixed: Sequence[Any], t0: Any, **options: Any) -> Any:
        """SciPy's result; the end is the last of the fixed values."""
        bound = [self.system.bound(k, theta, fixed) for k in range(len(self.system.calls))]
        for event, own in zip(self.events, bound[1:]):
            own.terminal, own.direction = getattr(event, "terminal", None), getattr(event, "direction", 0)
        if self.jac is not None:
            options["jac"] = bound[self.jac]
        rhs = partial(self.system.rhs, theta, fixed)
        events = bound[1 : 1 + len(self.events)] or None
        return si.solve_ivp(rhs, (t0, fixed[-1]), y0, events=events, **{**self.options, **options})

    def report(self, *xs: Any) -> Any:
        """The times of the result, its status, and the times of each event."""
        return reported(*xs, run=self)

    def values(self, theta: Any, fixed: Sequence[Any], f: Function, t0: Any, y0: Any, times: Any) -> Any:
        """The solution at times, from SciPy's dense output; nan where it was not reached."""
        key = tuple(np.asarray(x).tobytes() for x in (theta, t0, y0, *fixed))
        if self.last[0] != key:
            self.last = key, self.solve(y0, theta, fixed, t0, dense_output=True)
        found = self.last[1]
        reached = np.abs(times - t0) <= np.abs(found.t[-1] - t0) * (1 + 1e-12)
        return np.where(reached[:, None], found.sol(times).T, np.nan)


@primitive
def reported(y0: Any, theta: Any, t0: Any, t_eval: Any, *fixed: Any, run: Run) -> tuple[Any, ...]:
    """The times that SciPy's result is given at, its status, and the times of events."""
    result = run.solve(y0, theta, fixed, t0, t_eval=t_eval if run.has_t_eval else None)
    run.results.append(result)
    return result.t, np.int64(result.status), *(result.t_events or ())


def _report_items(xs: Sequence[Any], batched: Sequence[bool], size: int, run: Run) -> Any:
    try:
        return batch_loop(RULES[reported], xs, batched, size, {"run": run})
    except ValueError:
        raise StructureError(
            "the items of a batch differ in the number of steps that solve_ivp takes or of events that it meets. "
            "Pass t_eval; the events must be as many for all."
        ) from None


constant(reported, like=lambda y0, theta, t0, t_eval, *fixed, run: None, batch=_report_items)


@stands_for(si.odeint)
def odeint(*args: Any, **kw: Any) -> Any:
    """SciPy's; the solution is a function of y0, of the times, and of the parameters in ``func`` and ``args``."""
    given = arguments(si.odeint, args, kw)
    func, y0, t, args, jac, tfirst = (given.pop(k) for k in ("func", "y0", "t", "args", "Dfun", "tfirst"))
    first = func if tfirst else lambda y, t, *args: func(y, t, *args)
    rhs = first if tfirst else lambda t, y, *args: func(y, t, *args)
    y0, t = np.atleast_1d(as_array(y0)), as_array(t)
    start = (float(stand_in(t[0])), stand_in(y0) * 1.0)
    system = System(as_tuple(args), start, rhs, *([] if jac is None else [jac]))
    if not any(map(is_traced, (system.theta, *system.fixed, y0, t))):
        return si.odeint(func, y0, t, as_tuple(args), jac, tfirst=tfirst, **given)

    def values(theta: Any, fixed: Any, at: Function, t0: Any, y0: Any, times: Any) -> Any:
        jacobian = system.bound(1, theta, fixed) if jac is not None else None
        if jacobian is not None and not tfirst:
            plain = jacobian
            jacobian = lambda t, y: plain(y, t)
        return si.odeint(at, y0, times, (), jacobian, tfirst=True, **{**given, "full_output": False})

    default = 1.49012e-8  # ODEPACK's
    how = Method("LSODA", *(default if given[name] is None else given[name] for name in ("rtol", "atol")))
    Y = flow(y0 * 1.0, system.theta, t[0], t * 1.0, *system.fixed, f=system.rhs, how=how, values=values)
    return (Y, {}) if given["full_output"] else Y


class System:
    """Functions of t and y, and what they close over, as a vector of parameters and fixed values."""

    def __init__(self, args: tuple[Any, ...], start: tuple[Any, Any], *functions: Function):
        self.calls, operands = closed(args, *((with_args(f), start) for f in functions))
        self.parameters = Packed(operands)
        self.theta, self.fixed = self.parameters.theta, self.parameters.fixed

    def call(self, k: int, theta: Any, fixed: Sequence[Any], t: Any, y: Any) -> Any:
        """The k-th function."""
        return as_array(self.calls[k](self.parameters.unpacked(theta, fixed), t, y))

    def rhs(self, theta: Any, fixed: Sequence[Any], t: Any, y: Any) -> Any:
        """The right-hand side, a vector."""
        return np.atleast_1d(self.call(0, theta, fixed, t, y))

    def bound(self, k: int, theta: Any, fixed: Sequence[Any]) -> Function:
        """The k-th function for SciPy."""
        return partial(self.call, k, theta, fixed)

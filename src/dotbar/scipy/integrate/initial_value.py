"""Initial value problems: ``solve_ivp`` with its events and dense output, ``odeint``.

The solution at given times is the word :func:`flow`.  Its dot is the flow of the system and its sensitivities together,
its bar the adjoint system, solved backwards; both with an error control of their own, by the method that was asked for.
"""

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import scipy.integrate as si

from dotbar.core import RULES, as_array, dtype_of, is_differentiable, primitive, shape_of
from dotbar.errors import StructureError
from dotbar.nested import stand_in
from dotbar.rules.kinds import batch_loop, constant, rule
from dotbar.rules.refusals import differentiated, refusal
from dotbar.rules.words import conj, stop_gradient
from dotbar.scipy.closed import (
    Closed,
    Function,
    Packed,
    arguments,
    as_tuple,
    closed,
    derived,
    is_traced,
    recorded,
    with_args,
)
from dotbar.scipy.integrate.quadrature import at_points
from dotbar.scipy.integrate.trajectory import Method, Trajectory, keeping
from dotbar.scipy.integrate.variation import Variation
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.optimize.implicit import filled, solution
from dotbar.trace import recordings
from dotbar.transforms import jvp, vjp, vmap


@primitive
def flow(
    y0: Any, theta: Any, t0: Any, times: Any, *fixed: Any, f: Function, how: Method, values: Function | None = None
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
        values: how SciPy computes this solution itself, given the same; None for ``how`` to do it.
    """
    if values:
        return values(theta, fixed, t0, y0, times)
    return how.solution(f, theta, fixed, t0, y0, last(times, t0)).at(times)


@rule(flow)
def _flow(Y: Any, y0: Any, theta: Any, t0: Any, times: Any, *fixed: Any, f: Any, how: Any, values: Any = None) -> Any:
    """Ẏ(t) = s(t) + f(t, y) ṫ with s' = f_y s + f_θ θ̇, s(t₀) = ẏ₀ − f(t₀, y₀) ṫ₀.

    λ' = −f_yᴴ λ backwards in time, to which Ȳₖ is added at tₖ;  ȳ₀ = λ(t₀), θ̄ = ∫ f_θᴴ λ dt, t̄₀ = −⟨f(t₀, y₀), ȳ₀⟩,
    t̄ₖ = ⟨f(tₖ, yₖ), Ȳₖ⟩.  Hairer, Nørsett and Wanner (1993), section I.14; Cao, Li, Petzold and Serban (2003).
    """
    slopes = lambda: at_points(partial(f, theta, fixed), times, Y)
    xs = (y0, theta, t0, times)

    def dot_y0(ydot: Any) -> Any:
        return sensitivity(*xs, ydot, np.zeros(shape_of(theta), dtype_of(theta)), *fixed, f=f, how=how)

    def dot_theta(thetadot: Any) -> Any:
        return sensitivity(*xs, np.zeros(shape_of(y0), dtype_of(y0)), thetadot, *fixed, f=f, how=how)

    def dot_t0(tdot: Any) -> Any:
        return dot_y0(-f(theta, fixed, t0, y0) * tdot)

    @cache
    def bars() -> Any:
        return adjoint(*xs, Ybars[0], *fixed, f=f, how=how)

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
        *by_fixed(flow, xs, fixed, f, how),
    ]


class Joined(Method):
    """A system as one of more parameters: one of the fixed values is among them."""

    def __init__(self, f: Function, how: Method, theta: Any, x: Any, place: int):
        super().__init__(how.method, how.rtol, how.atol, **how.options)
        self.f, self.how, self.place = f, how, place
        self.parameters = Packed([theta, x])

    def split(self, both: Any, fixed: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
        """The parameters and the fixed values of the system itself."""
        theta, x = self.parameters.unpacked(both, ())
        return theta, (*fixed[: self.place], x, *fixed[self.place :])

    def rhs(self, both: Any, fixed: Sequence[Any], t: Any, y: Any) -> Any:
        """The right-hand side."""
        return self.f(*self.split(both, fixed), t, y)

    def solution(self, f: Function, theta: Any, fixed: Any, t0: Any, y0: Any, end: Any) -> Trajectory:
        """The solution of the system itself."""
        return self.how.solution(self.f, *self.split(theta, fixed), t0, y0, end)


def by_fixed(word: Function, xs: Sequence[Any], fixed: Sequence[Any], f: Function, how: Method) -> list[Any]:
    """The derivatives of one of the words in the fixed values: what is a number has some, as a further parameter."""
    theta = xs[1]

    def pair(place: int, x: Any) -> Any:
        if not is_differentiable(x):
            return None
        rest = fixed[:place] + fixed[place + 1 :]

        def of(x: Any) -> Any:
            joined = Joined(f, how, theta, x, place)
            more = [np.concatenate([dot, np.zeros(np.size(x))]) for dot in xs[5:]]
            ys = word(xs[0], joined.parameters.theta, *xs[2:5], *more, *rest, f=joined.rhs, how=joined)
            return (ys[0], ys[1][: len(theta)]) if isinstance(ys, tuple) else ys

        def bar(ybar: Any) -> Any:
            given = lambda ys: [y for y, of_y in zip(as_tuple(ys), as_tuple(ybar)) if of_y is not None]
            return vjp(lambda x: given(of(x)), x)[1](given(ybar))[0]

        return lambda xdot: jvp(of, (x,), (xdot,))[1], bar

    return list(map(pair, range(len(fixed)), fixed))


def last(times: Any, t0: Any) -> Any:
    """The time that is the farthest from t₀."""
    return times[np.argmax(np.abs(times - t0))] if len(times) else t0


# ---------------------------------------------------------------- in a direction


@primitive
def sensitivity(
    y0: Any, theta: Any, t0: Any, times: Any, ydot: Any, thetadot: Any, *fixed: Any, f: Function, how: Method
) -> Any:
    """s of :func:`flow` at the times, in a direction of y₀ and θ."""
    return sensitivities(y0, theta, t0, times, ydot[None], thetadot[None], *fixed, f=f, how=how)[0]


def sensitivities(
    y0: Any, theta: Any, t0: Any, times: Any, Ydot: Any, Thetadot: Any, *fixed: Any, f: Function, how: Method
) -> Any:
    """s in several directions, which are the rows of Ẏ₀ and Θ̇, together."""
    size = np.maximum(np.max(np.abs(Ydot), -1, initial=0), np.max(np.abs(Thetadot), -1, initial=0))[:, None]
    size = np.where(size > 0, size, 1.0)
    Ydot, Thetadot = (Ydot / size).astype(kind_of(y0, Ydot)), Thetadot / size

    def pushed(theta: Any, fixed: Any, t: Any, y: Any, s: Any, Thetadot: Any) -> Any:
        push = lambda s, thetadot: jvp(lambda y, theta: f(theta, fixed, t, y), (y, theta), (s, thetadot))[1]
        return vmap(push)(s, Thetadot)

    def pushed_alone(theta: Any, fixed: Any, t: Any, y: Any, s: Any) -> Any:
        return vmap(lambda s: jvp(lambda y: f(theta, fixed, t, y), (y,), (s,))[1])(s)

    t0 = float(t0)
    along = variation(pushed, pushed_alone, how, theta, fixed, t0, y0, Ydot, Thetadot)
    found = how.solution(f, theta, fixed, t0, y0, last(times, t0))
    S = np.full((len(times), *Ydot.shape), np.nan, Ydot.dtype)
    S[times == t0] = s = Ydot
    order = np.argsort(np.abs(times - t0), kind="stable")
    rest = order[found.reaches(times[order]) & (times[order] != t0)]
    for window in found.windows() if len(rest) else ():
        far = np.inf if window.end == found.end else np.abs(window.end - t0)
        here, rest = np.split(rest, [np.searchsorted(np.abs(times[rest] - t0), far, "right")])

        def arrived(k: int, s: Any, here: Any = here) -> Any:
            if k < len(here):
                S[here[k]] = s
            return s

        ends = [window.end] if len(rest) else []
        s = along.through(window, window.start, [*times[here], *ends], s, arrived)
    return np.moveaxis(size * S, 1, 0)


def kind_of(*xs: Any) -> Any:
    """What SciPy's solvers compute in."""
    return complex if np.result_type(*xs).kind == "c" else float


def variation(
    f: Function, f_y: Function, how: Method, theta: Any, fixed: Any, t0: Any, y0: Any, v: Any, *others: Any
) -> Variation:
    """v' = f(θ, fixed, t, y, v, ...) of rows v, in which it is linear or, if there are others, affine.

    f_y is the same without the others and without what is integrated besides.
    """
    rows = v[:, : len(y0)]
    one = np.eye(len(y0) * rows.itemsize // 8).view(rows.dtype)
    units = [np.concatenate([one, np.zeros_like(rows)])] if others else [one]
    units += [np.concatenate([np.zeros((len(one), *np.shape(x)[1:])), x]) for x in others]

    @cache
    def of_rows() -> Function:
        return how.recorded(f, theta, fixed, t0, y0, rows, *others)

    def slope(t: Any, y: Any, v: Any) -> Any:
        return of_rows()(theta, fixed, float(t), y, v, *others)

    def of_units(f: Function, times: Any, Y: Any, *units: Any) -> Any:
        """f of the same rows at many points: as many as a power of 2, for each of which there is a Program."""
        size = 1 << (len(times) - 1).bit_length()
        xs = [np.concatenate([x, np.broadcast_to(x[-1:], (size - len(x), *x.shape[1:]))]) for x in (times, Y)]

        def at_all(theta: Any, fixed: Any, times: Any, Y: Any, *units: Any) -> Any:
            return at_points(lambda t, y: f(theta, fixed, t, y, *units), times, Y)

        L = how.recorded(at_all, theta, fixed, *xs, *units, name=f.__name__)(theta, fixed, *xs, *units)
        return np.ascontiguousarray(L[: len(times)], rows.dtype).view(float)

    matrices = lambda times, Y: of_units(f, times, Y, *units)
    matrix = lambda t, y: of_units(f_y, t[None], y[None], one)[0]
    return Variation(slope, matrix, matrices, how, v, len(y0), bool(others))


@rule(sensitivity, batch=lambda xs, batched, size, **how: over_directions(sensitivities, 4, 6, xs, batched, size, how))
def _sensitivity(
    s: Any, y0: Any, theta: Any, t0: Any, times: Any, ydot: Any, thetadot: Any, *fixed: Any, f: Any, how: Any
) -> Any:
    """The flow of the pair (y, s), (f, f_y s + f_θ θ̇) is what the derivatives in x are those of; s is linear in ẋ."""
    n, k = len(y0), len(theta)
    xs = (y0, theta, t0, times)

    def both(thetas: Any, fixed: Any, t: Any, ys: Any) -> Any:
        at = lambda y, theta: f(theta, fixed, t, y)
        return np.concatenate(jvp(at, (ys[:n], thetas[:k]), (ys[n:], thetas[k:])))

    @cache
    def system() -> Function:
        ys, thetas = np.concatenate([y0, ydot]), np.concatenate([theta, thetadot])
        return recorded(both, thetas, fixed, t0 * 1.0, ys)

    def pair(*xs: Any) -> Any:
        y0, theta, t0, times = xs
        ys, thetas = np.concatenate([y0, ydot]), np.concatenate([theta, thetadot])
        return flow(ys, thetas, t0, times, *fixed, f=system(), how=how.of_pair())[:, n:]

    def along(i: int) -> Any:
        of = lambda x: pair(*xs[:i], x, *xs[i + 1 :])
        return lambda xdot: jvp(of, (xs[i],), (xdot,))[1], lambda sbar: vjp(of, xs[i])[1](sbar)[0]

    of_y = lambda ydot: sensitivity(*xs, ydot, np.zeros_like(theta), *fixed, f=f, how=how)
    of_theta = lambda thetadot: sensitivity(*xs, np.zeros_like(y0), thetadot, *fixed, f=f, how=how)
    back = lambda i: lambda sbar: adjoint(*xs, sbar, *fixed, f=f, how=how)[i]
    return [
        *map(along, range(4)),
        (of_y, back(0)),
        (of_theta, back(1)),
        *by_fixed(sensitivity, (*xs, ydot, thetadot), fixed, f, how),
    ]


def over_directions(
    several: Function, first: int, end: int, xs: Sequence[Any], batched: Sequence[bool], size: int, kw: Any
) -> Any:
    """A batch of plain directions is solved for together; of anything else, one by one."""
    if any(batched[:first]) or any(batched[end:]) or any(map(is_traced, xs)):
        return batch_loop(RULES[sensitivity if end == 6 else adjoint], xs, batched, size, kw)
    rows = [x if b else np.broadcast_to(x, (size, *np.shape(x))) for x, b in zip(xs[first:end], batched[first:end])]
    return several(*xs[:first], *rows, *xs[end:], **kw)


# ---------------------------------------------------------------- backwards


@primitive
def adjoint(
    y0: Any, theta: Any, t0: Any, times: Any, Ybar: Any, *fixed: Any, f: Function, how: Method
) -> tuple[Any, Any]:
    """ȳ₀ and θ̄ of :func:`flow`: the adjoint system from the last time back to t₀, along the solution."""
    ybars, thetabars = adjoints(y0, theta, t0, times, Ybar[None], *fixed, f=f, how=how)
    return ybars[0], thetabars[0]


def adjoints(
    y0: Any, theta: Any, t0: Any, times: Any, Ybars: Any, *fixed: Any, f: Function, how: Method
) -> tuple[Any, Any]:
    """ȳ₀ and θ̄ of several Ȳ together."""
    n = len(y0)
    size = np.max(np.abs(Ybars), (1, 2), initial=0)[:, None]
    size = np.where(size > 0, size, 1.0)

    def pulled(theta: Any, fixed: Any, t: Any, y: Any, lam: Any) -> Any:
        pull = vjp(lambda y, theta: f(theta, fixed, t, y), y, theta)[1]
        return vmap(lambda lam: np.concatenate([-(bars := pull(lam))[0], -bars[1]]))(lam)

    def pulled_alone(theta: Any, fixed: Any, t: Any, y: Any, lam: Any) -> Any:
        pull = vjp(lambda y: f(theta, fixed, t, y), y)[1]
        return vmap(lambda lam: -pull(lam)[0])(lam)

    t0 = float(t0)
    v = np.zeros((len(Ybars), n + len(theta)), kind_of(y0, Ybars))
    along = variation(pulled, pulled_alone, how, theta, fixed, t0, y0, v)
    found = how.solution(f, theta, fixed, t0, y0, last(times, t0))
    order = np.argsort(-np.abs(times - t0), kind="stable")
    rest = order[times[order] != t0]
    if not np.all(found.reaches(times)):
        v[:] = np.nan
    for window in found.windows(backwards=True):
        here, rest = np.split(rest, [np.searchsorted(-np.abs(times[rest] - t0), -np.abs(window.start - t0))])

        def arrived(k: int, v: Any, here: Any = here) -> Any:
            if k < len(here):
                v = v.copy()
                v[:, :n] += Ybars[:, here[k]] / size
            return v

        v = along.through(window, window.end, [*times[here], window.start], v, arrived)
    v[:, :n] += np.sum(Ybars[:, times == t0], 1) / size
    thetabars = v[:, n:] if dtype_of(theta).kind == "c" else np.real(v[:, n:])
    return size * v[:, :n], size * thetabars


@rule(adjoint, batch=lambda xs, batched, size, **how: over_directions(adjoints, 4, 5, xs, batched, size, how))
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
    return [*map(pair, range(4)), of_Ybar, *by_fixed(adjoint, (*xs, Ybar), fixed, f, how)]


# ---------------------------------------------------------------- SciPy's functions


@stands_for(si.solve_ivp)
def solve_ivp(*args: Any, **kw: Any) -> Any:
    """SciPy's; the solution is a function of t_span, y0, t_eval and the parameters in ``fun``, ``args`` and ``events``.

    So are the dense output, and the times of events, where event(t, y(t)) = 0.  The steps that the solver chooses are
    constants.
    """
    given = arguments(si.solve_ivp, args, kw)
    options = given["options"]
    for name, x in options.items():
        if name != "jac" and differentiated(x):
            raise refusal("scipy.integrate.solve_ivp", name, "it says how the solver goes")
    events = [given["events"]] if callable(given["events"]) else list(given["events"] or ())
    others = [options["jac"]] if callable(options.get("jac")) else []
    t0, end = (x * 1.0 for x in given["t_span"])
    y0, t_eval = as_array(given["y0"]) * 1.0, given["t_eval"]
    if np.ndim(y0) != 1:
        raise ValueError("`y0` must be 1-dimensional.")
    t_eval = None if t_eval is None else as_array(t_eval) * 1.0
    system = System(as_tuple(given["args"] or ()), (t0, y0), [end, t_eval], given["fun"], *events, *others)
    if not any(map(is_traced, (system.theta, *system.fixed, t0, end, y0, t_eval))):
        return si.solve_ivp(*args, **kw)
    run = Run(system, given, events, len(others))
    fixed = (*system.fixed, stop_gradient(end))
    start = map(stop_gradient, (y0, system.theta, t0))
    nowhere = np.zeros(0) if t_eval is None else t_eval
    t, status, *happened = reported(*start, nowhere, *map(stop_gradient, fixed), run=run)
    y = lambda times, xs=(y0, system.theta, t0), fixed=fixed: flow(*xs, times, *fixed, f=system.rhs, how=run)

    def time_of(k: int, t: Any) -> Any:
        """The times of the k-th event: g(t, y(t)) = 0."""
        parameters = Packed([y0, system.theta, t0, *fixed])

        def g(packed: Any, plain: Any, t: Any) -> Any:
            y0, theta, t0, *fixed = parameters.unpacked(packed, plain[1:])
            g = lambda t, y: np.reshape(system.call(1 + k, theta, fixed, t, y), ())
            return at_points(g, t, y(t, (y0, theta, t0), fixed))

        found = lambda packed, plain: (plain[0], np.True_)
        return solution(parameters.theta, t, *parameters.fixed, solve=found, conditions=g, entrywise=True)[0]

    t_events = [time_of(k, t) if len(t) else t for k, t in enumerate(happened)]
    ends = [t[-1] for t, event in zip(t_events, events) if len(t) >= (getattr(event, "terminal", None) or np.inf)]
    if t_eval is not None:
        t = t_eval[: len(t)]
    else:
        stop = ends[0] if ends else np.where(status == 0, end, t[-1])
        t = np.concatenate([np.reshape(t0, 1), t[1:-1], np.reshape(stop, 1)])
    values = {
        "t": t,
        "y": np.transpose(y(t)),
        "sol": at_any_time(y) if given["dense_output"] else None,
        "t_events": t_events if events else None,
        "y_events": [y(t) if len(t) else np.zeros(0) for t in t_events] if events else None,
    }
    if len(run.results) == 1 and not recordings.open:
        return filled(run.results[0], **values)
    return filled(None, **values, status=status, success=status >= 0)


def at_any_time(y: Function) -> Function:
    """Dense output: the solution at a time, or at several, along the last axis."""
    return lambda t: np.transpose(y(as_array(t) * 1.0)) if np.ndim(t) else y(np.reshape(as_array(t) * 1.0, 1))[0]


class Run(Method):
    """SciPy's own solution of a problem: what was asked for, and the steps that it took."""

    def __init__(self, system: "System", given: dict[str, Any], events: Sequence[Any], others: int):
        self.system = system
        self.events = events
        self.jac = 1 + len(events) if others else None
        self.asked = given["options"]
        self.has_t_eval = given["t_eval"] is not None
        self.results: list[Any] = []
        options = {"rtol": 1e-3, "atol": 1e-6, "max_step": np.inf, **self.asked}
        super().__init__(given["method"], options["rtol"], options["atol"], max_step=options["max_step"])
        self.programs = system.programs

    def report(self, theta: Any, fixed: Sequence[Any], t0: Any, y0: Any, t_eval: Any = None) -> tuple[Any, Trajectory]:
        """SciPy's result, and its steps; the end is the last of the fixed values."""
        bound = [self.system.bound(k, theta, fixed) for k in range(len(self.system.calls))]
        for event, own in zip(self.events, bound[1:]):
            own.terminal, own.direction = getattr(event, "terminal", None), getattr(event, "direction", 0)
        end, steps = fixed[-1], Trajectory(self, bound[0], t0, y0)
        options = {**self.asked, "events": bound[1 : 1 + len(self.events)] or None, "t_eval": t_eval}
        if self.jac is not None:
            options["jac"] = bound[self.jac]
        return si.solve_ivp(bound[0], (t0, end), y0, keeping(self.method), trajectory=steps, **options), steps

    def solution(self, f: Function, theta: Any, fixed: Any, t0: Any, y0: Any, end: Any) -> Trajectory:
        """The steps of SciPy's result, the last of which is kept."""
        return self.kept((theta, t0, y0, *fixed), lambda: self.report(theta, fixed, t0, y0)[1])


@primitive
def reported(y0: Any, theta: Any, t0: Any, t_eval: Any, *fixed: Any, run: Run) -> tuple[Any, ...]:
    """The times that SciPy's result is given at, its status, and the times of events."""
    result, steps = run.report(theta, fixed, t0, y0, t_eval if run.has_t_eval else None)
    run.kept((theta, t0, y0, *fixed), lambda: steps)
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
    system = System(as_tuple(args), (t[0], y0 * 1.0), [t], rhs, *([] if jac is None else [jac]))
    if not any(map(is_traced, (system.theta, *system.fixed, y0, t))):
        return si.odeint(func, y0, t, as_tuple(args), jac, tfirst=tfirst, **given)

    def values(theta: Any, fixed: Any, t0: Any, y0: Any, times: Any) -> Any:
        jacobian = system.bound(1, theta, fixed) if jac is not None else None
        if jacobian is not None and not tfirst:
            plain = jacobian
            jacobian = lambda t, y: plain(y, t)
        return si.odeint(
            system.bound(0, theta, fixed), y0, times, (), jacobian, tfirst=True, **{**given, "full_output": False}
        )

    default = 1.49012e-8  # ODEPACK's
    how = Method("LSODA", *(default if given[name] is None else given[name] for name in ("rtol", "atol")))
    how.programs = system.programs
    Y = flow(y0 * 1.0, system.theta, t[0], t * 1.0, *system.fixed, f=system.rhs, how=how, values=values)
    return (Y, {}) if given["full_output"] else Y


class System:
    """Functions of t and y, and what they close over, as a vector of parameters and fixed values.

    Only what is under differentiation now is a parameter, if anything is, as others cost as much.
    """

    def __init__(self, args: tuple[Any, ...], start: tuple[Any, Any], others: list[Any], *functions: Function):
        example = float(stand_in(start[0])), stand_in(start[1])
        self.calls, operands = closed(args, *((with_args(f), example) for f in functions))
        chosen = differentiated if differentiated([*operands, *start, *others]) else is_differentiable
        self.parameters = Packed(operands, chosen)
        self.theta, self.fixed = self.parameters.theta, self.parameters.fixed
        self.programs = derived(self.calls[0], self.parameters)

    def call(self, k: int, theta: Any, fixed: Sequence[Any], t: Any, y: Any) -> Any:
        """The k-th function."""
        return as_array(self.calls[k](self.parameters.unpacked(theta, fixed), t, y))

    def rhs(self, theta: Any, fixed: Sequence[Any], t: Any, y: Any) -> Any:
        """The right-hand side, a vector."""
        return np.atleast_1d(self.call(0, theta, fixed, t, y))

    def bound(self, k: int, theta: Any, fixed: Sequence[Any]) -> Function:
        """The k-th function for SciPy, which gives the time as a number of NumPy's or of Python's."""
        f, values = self.calls[k], self.parameters.unpacked(theta, fixed)
        plain = f.bound(values) if isinstance(f, Closed) else partial(f, values)
        return lambda t, y: plain(float(t), y)

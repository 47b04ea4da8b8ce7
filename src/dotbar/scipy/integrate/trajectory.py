"""The steps of a solution of y' = f(t, y), as SciPy's solvers take them, and the solution between them."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import scipy.integrate as si

from dotbar.scipy.closed import recorded

Function = Callable[..., Any]
Piece = tuple[Any, Any, Function]
"""A step: its ends and the solution as a function of the time between."""

SOLVERS = {name: getattr(si, name) for name in ("RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA")}
SMALLEST = 100 * np.finfo(float).eps
"""The smallest relative tolerance that SciPy accepts."""


class Window:
    """A solution from the start of some steps to their end."""

    def __init__(self, pieces: Sequence[Piece]):
        self.start, self.end = pieces[0][0], pieces[-1][1]
        self.way = np.sign(self.end - self.start)
        self.ways = self.way * np.array([self.start, *(end for _, end, _ in pieces)])
        self.pieces = [piece for *_, piece in pieces]

    def places(self, times: Any) -> Any:
        """Times measured in steps from the start."""
        return np.interp(self.way * times, self.ways, np.arange(len(self.ways)))

    def times(self, places: Any) -> Any:
        """The times of places."""
        return self.way * np.interp(places, np.arange(len(self.ways)), self.ways)

    def __call__(self, times: Any) -> Any:
        """The solution at times, shape (n, times)."""
        places = np.searchsorted(self.ways[1:-1], self.way * times)
        numbers = np.unique(places).tolist()
        if len(numbers) == 1:
            return self.pieces[numbers[0]](times)
        parts = [(places == k, self.pieces[k]) for k in numbers]
        values = [piece(times[here]) for here, piece in parts]
        Y = np.empty((len(values[0]), len(times)), values[0].dtype)
        for (here, _), value in zip(parts, values):
            Y[:, here] = value
        return Y


class Trajectory:
    """A solution from t₀ to where it was followed: checkpoints, and between them its pieces while memory permits."""

    BYTES = 1 << 27
    """As much as the pieces may take; beyond that they are computed again, from checkpoint to checkpoint."""
    EVERY = 100
    """Steps from one checkpoint to the next."""

    def __init__(self, how: "Method", f: Function, t0: Any, y0: Any, room: float | None = None):
        self.how, self.f = how, f
        self.t0, self.end = t0, t0
        self.y0 = y0
        self.room = self.BYTES if room is None else room
        self.sizes: list[int] = []
        self.checkpoints: list[tuple[Any, Any]] = []
        self.kept: list[list[Piece]] | None = []

    def add(self, start: Any, y: Any, end: Any, piece: Function) -> None:
        """One step more, from y at its start."""
        size = sum(x.nbytes for x in vars(piece).values() if isinstance(x, np.ndarray))
        if not self.checkpoints or len(self.sizes) == self.EVERY or sum(self.sizes) + size > self.BYTES:
            self.checkpoints.append((start, y))
            self.sizes = []
            if self.kept is not None:
                self.kept.append([])
        self.sizes.append(size)
        self.end = end
        self.room -= size
        if self.room < 0:
            self.kept = None
        if self.kept is not None:
            self.kept[-1].append((start, end, piece))

    def windows(self, backwards: bool = False) -> Iterator[Window]:
        """The steps from each checkpoint to the next."""
        ends = [*(t for t, _ in self.checkpoints[1:]), self.end]
        numbers = range(len(self.checkpoints))
        for i in reversed(numbers) if backwards else numbers:
            if self.kept is not None:
                yield Window(self.kept[i])
            else:
                again = self.how.trajectory(self.f, *self.checkpoints[i], ends[i], room=np.inf)
                yield Window([piece for window in again.kept or () for piece in window])

    def reaches(self, times: Any) -> Any:
        """Which times it has come to."""
        way = np.sign(self.end - self.t0) * (times - self.t0)
        return (way >= 0) & (way <= np.abs(self.end - self.t0) * (1 + 1e-12)) | (times == self.t0)

    def at(self, times: Any) -> Any:
        """The solution at times in any order, shape (times, n); nan where it has not come to."""
        Y = np.full((len(times), len(self.y0)), np.nan, self.y0.dtype)
        order = np.argsort(np.abs(times - self.t0), kind="stable")
        order = order[self.reaches(times[order])]
        ways = np.abs(times[order] - self.t0)
        now = np.searchsorted(ways, 0, "right")
        Y[order[:now]] = self.y0
        for window in self.windows() if now < len(order) else ():
            far = np.inf if window.end == self.end else np.abs(window.end - self.t0)
            after = np.searchsorted(ways, far, "right")
            if after > now:
                Y[order[now:after]] = window(times[order[now:after]]).T
                now = after
        return Y


class Method:
    """How a system and those that are derived from it are solved: the method and the tolerances asked for."""

    def __init__(self, method: Any, rtol: Any, atol: Any, **options: Any):
        self.method = SOLVERS.get(method, method)
        self.rtol, self.atol = np.maximum(rtol, SMALLEST), np.asarray(atol)
        self.options = options
        self.last: tuple[Any, Any] = (None, None)
        self.programs: dict[Any, Function] = {}
        self.others: set[Any] = set()

    def of_pair(self) -> "Method":
        """The same for a system and its sensitivities."""
        atol = np.concatenate([self.atol, self.atol]) if np.ndim(self.atol) else self.atol
        return Method(self.method, self.rtol, atol, **self.options)

    def trajectory(self, f: Function, t0: Any, y0: Any, end: Any, room: float | None = None) -> Trajectory:
        """The solution from t₀ to the end, or as far as SciPy's solver comes."""
        found = Trajectory(self, f, t0, y0, room)
        if end != t0 and np.all(np.isfinite(y0)):
            options = {"rtol": self.rtol, "atol": self.atol, **self.options, "trajectory": found}
            solver = keeping(self.method)(f, t0, y0, end, **options)
            while solver.status == "running":
                solver.step()
        return found

    def solution(self, f: Function, theta: Any, fixed: Any, t0: Any, y0: Any, end: Any) -> Trajectory:
        """The steps of the solution of y' = f(θ, fixed, t, y), the last of which is kept."""
        return self.kept(
            (theta, t0, y0, end, *fixed),
            lambda: self.trajectory(lambda t, y: f(theta, fixed, float(t), y), t0, y0, end),
        )

    def recorded(self, f: Function, theta: Any, fixed: Any, *xs: Any, name: str = "") -> Function:
        """A function that is made of the right-hand side, as a Program if it can be recorded."""
        if (f.__name__, name) in self.others:
            return f
        made = recorded(f, theta, fixed, *xs, among=self.programs, name=name)
        if made is f:
            self.others.add((f.__name__, name))
        return made

    def kept(self, xs: Any, solve: Callable[[], Trajectory]) -> Trajectory:
        """What was found for these values last, or is found now."""
        key = tuple(np.asarray(x).tobytes() for x in xs)
        found = self.last  # which another thread may change
        if found[0] != key:
            self.last = found = key, solve()
        return found[1]


@cache
def keeping(method: Any) -> Any:
    """A solver of SciPy's that enters its steps into a trajectory; what is none is for SciPy to refuse."""
    if not (isinstance(method, type) and issubclass(method, si.OdeSolver)):
        return method

    class Keeping(method):
        def __init__(self, *args: Any, trajectory: Trajectory, **options: Any):
            super().__init__(*args, **options)
            self.trajectory: Any = trajectory

        def step(self) -> Any:
            y = self.y.copy()
            message = super().step()
            if self.status != "failed":
                self.piece = super().dense_output()
                self.trajectory.add(self.t_old, y, self.t, self.piece)
            if self.status != "running":
                self.trajectory = None  # SciPy's solvers hold themselves, until they are collected as garbage
            return message

        def dense_output(self) -> Any:
            return self.piece

    return Keeping

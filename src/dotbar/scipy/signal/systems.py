"""Linear systems with an input: their forms, from continuous to discrete time, control, and responses in time."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.signal as ss

from dotbar.batch import in_common
from dotbar.core import dtype_of, first_traced, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import rule
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import H, conj
from dotbar.scipy.binding import in_place_of
from dotbar.scipy.interpolate import make_interp_spline
from dotbar.scipy.linalg.functions import expm
from dotbar.scipy.mirror import OWN, before
from dotbar.scipy.signal.conversions import normalize, polynomial, tf2zpk, zpk2tf

# ---------------------------------------------------------------- forms


@in_place_of(ss.abcd_normalize)
def abcd_normalize(A: Any = None, B: Any = None, C: Any = None, D: Any = None) -> Any:
    """The matrices, those not given of zeros."""
    A, B, C, D = (None if M is None else np.atleast_2d(inexact(M)) for M in (A, B, C, D))

    def size(what: str, *found: tuple[Any, int]) -> int:
        sizes = [M.shape[axis] for M, axis in found if M is not None]
        if not sizes:
            raise ValueError(f"Not enough information on the system: the number of {what} is unknown.")
        return sizes[0]

    n = size("states", (A, 0), (B, 0), (C, 1))
    m, k = size("inputs", (B, 1), (D, 1)), size("outputs", (C, 0), (D, 0))
    shapes = ((n, n), (n, m), (k, n), (k, m))
    kind = float if before("1.18.0") else np.result_type(*(dtype_of(M) for M in (A, B, C, D) if M is not None))
    found = [np.zeros(shape, kind) if M is None else M for M, shape in zip((A, B, C, D), shapes)]
    if any(M.shape != shape for M, shape in zip(found, shapes)):
        raise ValueError("The matrices of the system have shapes that do not go together.")
    return tuple(found)


@in_place_of(ss.tf2ss)
def tf2ss(num: Any, den: Any) -> Any:
    """The controller canonical form."""
    num, den = normalize(num, den)
    num, n = np.atleast_2d(num), len(den) - 1
    if num.shape[1] > n + 1:
        raise ValueError("Improper transfer function. `num` is longer than `den`.")
    num = np.pad(num, [(0, 0), (n + 1 - num.shape[1], 0)])
    if n == 0:
        return np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((len(num), 1)), num
    A = np.concatenate([-den[None, 1:], np.eye(n)[:-1]])
    return A, np.eye(n)[:, :1], num[:, 1:] - num[:, :1] * den[1:], num[:, :1]


@in_place_of(ss.ss2tf)
def ss2tf(A: Any, B: Any, C: Any, D: Any, input: int) -> Any:
    """C adj(s − A) B + D det(s − A) over det(s − A), the first by the determinant of s − A + B C."""
    A, B, C, D = abcd_normalize(A, B, C, D)
    B, D = B[:, input : input + 1], D[:, input]
    if len(A) == 0:
        return D, np.ones(1)
    den = np.poly(A)
    return np.stack([np.poly(A - B * row) + (d - 1) * den for row, d in zip(C, D)]), den


@in_place_of(ss.zpk2ss)
def zpk2ss(z: Any, p: Any, k: Any) -> Any:
    return tf2ss(*zpk2tf(z, p, k))


@in_place_of(ss.ss2zpk)
def ss2zpk(A: Any, B: Any, C: Any, D: Any, input: int) -> Any:
    return tf2zpk(*ss2tf(A, B, C, D, input=input))


PARTS = {"TransferFunction": ("num", "den"), "ZerosPolesGain": ("zeros", "poles", "gain"), "StateSpace": tuple("ABCD")}


def parts_of(system: Any) -> tuple[Any, ...]:
    """(num, den), (zeros, poles, gain) or (A, B, C, D); of a discrete system also the time step."""
    if isinstance(system, (tuple, list)):
        return tuple(system)
    names = next(PARTS[c.__name__] for c in type(system).__mro__ if c.__name__ in PARTS)
    return tuple(getattr(system, name) for name in (*names, *["dt"] * isinstance(system, ss.dlti)))


def states_of(system: tuple[Any, ...]) -> Any:
    """A, B, C and D of a system in any form."""
    forms = {2: tf2ss, 3: zpk2ss, 4: abcd_normalize}
    if len(system) not in forms:
        raise ValueError("The system is given by 2 (num, den), 3 (zeros, poles, gain) or 4 (A, B, C, D) arrays.")
    return tuple(inexact(M) for M in forms[len(system)](*system))


# ---------------------------------------------------------------- discrete time


def blocks(rows: Any) -> Any:
    return np.concatenate([np.concatenate(row, 1) for row in rows])


def held(A: Any, B: Any, dt: Any) -> tuple[Any, Any, Any]:
    """What a step makes of the state, of a constant input and of one that grows to 1.  Van Loan (1978), (1.4)."""
    (n, m), zero = B.shape, np.zeros
    M = blocks([[A * dt, B * dt, zero((n, m))], [zero((m, n + m)), np.eye(m)], [zero((m, n + 2 * m))]])
    E = expm(M)
    return E[:n, :n], E[:n, n : n + m], E[:n, n + m :]


@in_place_of(ss.cont2discrete)
def cont2discrete(system: Any, dt: Any, method: str, alpha: Any) -> Any:
    """By a rational approximation of the exponential, or exactly for inputs of some form between the steps.

    Franklin, Powell & Workman, Digital Control of Dynamic Systems, chapters 4 and 6; gbt: Zhang, Chen & Chen (2009).
    """
    system = parts_of(system)
    if len(system) in (2, 3):
        back = {2: ss2tf, 3: ss2zpk}[len(system)]
        *found, dt = cont2discrete(states_of(system), dt, method, alpha)
        return *back(*found, input=0), dt
    A, B, C, D = states_of(system)
    one = np.eye(len(A))
    weights = {"bilinear": 0.5, "tustin": 0.5, "euler": 0.0, "forward_diff": 0.0, "backward_diff": 1.0, "gbt": alpha}
    if method in weights:
        alpha = weights[method]
        if alpha is None:
            raise ValueError("Alpha parameter must be specified for the generalized bilinear transform (gbt) method")
        M = one - alpha * dt * A
        Cd = np.linalg.solve(M.T, C.T).T
        advance, through = np.linalg.solve(M, one + (1 - alpha) * dt * A), np.linalg.solve(M, dt * B)
        return advance, through, Cd, D + alpha * (C @ through), dt
    if method == "impulse":
        if not in_common(np.all(np.abs(D) <= 1e-8)):
            raise ValueError("Impulse method is only applicable to strictly proper systems")
        advance = expm(A * dt)
        return advance, advance @ B * dt, C, C @ B * dt, dt
    advance, constant, ramp = held(A, B, dt)
    if method == "zoh":
        return advance, constant, C, D, dt
    if method == "foh":
        return advance, constant - ramp + advance @ ramp, C, D + C @ ramp, dt
    raise ValueError(f"Unknown transformation method '{method}'")


@in_place_of(ss.place_poles)
def place_poles(A: Any, B: Any, poles: Any, method: str, rtol: float, maxiter: int) -> Any:
    """Of one input the gain is unique, the last row of the controllability matrix' inverse times p(A).

    Ackermann (1972); with more inputs it is not, and an iteration stops at one of many.
    """
    A, B, poles = inexact(A), inexact(B), np.atleast_1d(inexact(poles))
    if B.shape[1] != 1:
        raise NoRuleError(
            "scipy.signal.place_poles has a derivative for one input: with more the gain is not unique. "
            "Use dotbar.scipy.linalg.solve_continuous_are, whose gain is."
        )
    columns, p_of_A = [B], np.eye(len(A))
    for _ in range(len(A) - 1):
        columns.append(A @ columns[-1])
    p = np.real(polynomial(poles))
    for k in range(1, len(p)):
        p_of_A = A @ p_of_A + p[k] * np.eye(len(A))
    gain = np.linalg.solve(np.concatenate(columns, 1).T, np.eye(len(A))[:, -1:]).T @ p_of_A
    order = np.lexsort((np.imag(poles), -np.abs(np.imag(poles)), np.real(poles), np.imag(poles) != 0))
    return SimpleNamespace(gain_matrix=gain, computed_poles=poles[order], requested_poles=poles[order])


# ---------------------------------------------------------------- responses in time


@primitive
def recurrence(A: Any, x: Any, V: Any) -> Any:
    """The rows x₀ = x, xₖ₊₁ = A xₖ + vₖ."""
    X = np.empty((len(V) + 1, len(x)), np.result_type(A, x, V))
    X[0] = x
    for k in range(len(V)):
        X[k + 1] = A @ X[k] + V[k]
    return X


@rule(recurrence)
def _recurrence(X: Any, A: Any, x: Any, V: Any) -> Any:
    """Ẋ is the recurrence of ẋ and V̇ + X Ȧᵀ; the bars of the states run backwards by Aᴴ, Ā = Σ λₖ₊₁ xₖᴴ."""

    def backwards(Xbar: Any) -> Any:
        return np.flip(recurrence(H(A), Xbar[-1], np.flip(Xbar[:-1], 0)), 0)

    def dot_A(dot: Any) -> Any:
        return recurrence(A, np.zeros(x.shape, A.dtype), X[:-1] @ dot.T)

    def bar_A(Xbar: Any) -> Any:
        return backwards(Xbar)[1:].T @ conj(X[:-1])

    def dot_x(dot: Any) -> Any:
        return recurrence(A, dot, np.zeros(V.shape, A.dtype))

    def bar_x(Xbar: Any) -> Any:
        return backwards(Xbar)[0]

    def dot_V(dot: Any) -> Any:
        return recurrence(A, np.zeros(x.shape, A.dtype), dot)

    def bar_V(Xbar: Any) -> Any:
        return backwards(Xbar)[1:]

    return (dot_A, bar_A), (dot_x, bar_x), (dot_V, bar_V)


def columns_of(U: Any, steps: int, inputs: int) -> Any:
    """The inputs, a column each; 0 or None stand for none."""
    if U is None or np.ndim(U) == 0:
        return np.zeros((steps, inputs)) + (0.0 if U is None else U)
    U = inexact(U)
    return U[:, None] if U.ndim == 1 else U


@in_place_of(ss.lsim)
def lsim(system: Any, U: Any, T: Any, X0: Any = None, interp: bool = True) -> Any:
    """From step to step by the exponential of the system and its input, which is linear or constant between."""
    A, B, C, D = states_of(parts_of(system))
    T = inexact(T)
    U = columns_of(U, len(T), B.shape[1])
    x = np.zeros(len(A)) if X0 is None else inexact(X0)
    advance, constant, ramp = held(A, B, T[1] - T[0] if len(T) > 1 else 0.0)
    V = U[:-1] @ constant.T + ((U[1:] - U[:-1]) @ ramp.T if interp else 0.0)
    X = recurrence(advance, expm(A * T[0]) @ x, V)
    X = X.astype(dtype_of(A) if before("1.18.0") else np.result_type(*map(dtype_of, (A, B, C, D))))
    return T, np.squeeze(X @ C.T + U @ D.T), np.squeeze(X)


def times(A: Any, N: int | None) -> Any:
    """Seven times the slowest decay; a system that does not decay is followed to 7."""
    slowest = np.min(np.abs(np.real(np.linalg.eigvals(A))))
    slowest = np.where(slowest == 0, 1.0, slowest)
    return np.linspace(0.0, 7 / slowest, 100 if N is None else N)


@in_place_of(ss.impulse)
def impulse(system: Any, X0: Any, T: Any, N: int | None) -> Any:
    """An impulse is a start at B."""
    system = states_of(parts_of(system))
    x = np.squeeze(system[1] + (0.0 if X0 is None else inexact(X0)))
    T = times(system[0], N) if T is None else inexact(T)
    return lsim(system, None, T, x, interp=False)[:2]


@in_place_of(ss.step)
def step(system: Any, X0: Any, T: Any, N: int | None) -> Any:
    system = states_of(parts_of(system))
    T = times(system[0], N) if T is None else inexact(T)
    return lsim(system, np.ones(len(T)), T, X0, interp=False)[:2]


@in_place_of(ss.dlsim)
def dlsim(system: Any, u: Any, t: Any, x0: Any) -> Any:
    """xₖ₊₁ = A xₖ + B uₖ, yₖ = C xₖ + D uₖ; inputs at other times than the steps are interpolated linearly."""
    *parts, dt = parts_of(system)
    A, B, C, D = states_of(tuple(parts))
    u = np.atleast_1d(inexact(u))
    u = u[:, None] if u.ndim == 1 else u
    steps, end = len(u), (len(u) - 1) * dt
    if t is not None:
        t = inexact(t)
        end = t[-1]
        steps = int(in_common(np.floor(end / dt))) + 1
    times = np.linspace(0.0, end, steps)
    if t is not None:
        u = make_interp_spline(t, u, 1)(times)
    X = recurrence(A, np.zeros(len(A)) if x0 is None else inexact(x0), u[:-1] @ B.T)
    y = X @ C.T + u @ D.T
    return (times, y, X) if len(parts) == 4 else (times, y)


def for_each_input(system: Any, x0: Any, t: Any, n: int | None, signal: Any) -> Any:
    """The responses to a signal at one input after the other."""
    *parts, dt = parts_of(system)
    system = (*states_of(tuple(parts)), dt)
    n = 100 if n is None else n
    t = np.linspace(0.0, n * dt, n, endpoint=False) if t is None else inexact(t)
    inputs = np.eye(system[1].shape[1])
    found = [dlsim(system, signal(len(t))[:, None] * e, t, x0)[:2] for e in inputs]
    return found[0][0], tuple(y for _, y in found)


@in_place_of(ss.dimpulse)
def dimpulse(system: Any, x0: Any, t: Any, n: int | None) -> Any:
    return for_each_input(system, x0, t, n, lambda count: np.concatenate([np.ones(1), np.zeros(count - 1)]))


@in_place_of(ss.dstep)
def dstep(system: Any, x0: Any, t: Any, n: int | None) -> Any:
    return for_each_input(system, x0, t, n, np.ones)


# ---------------------------------------------------------------- systems as objects


class Plain(type):
    """The class of SciPy's classes that hold plain arrays, and refuse traced ones by name."""

    original: type

    def __call__(cls, *system: Any, **settings: Any) -> Any:
        if first_traced([*system, *settings.values()]) is not None:
            raise NoRuleError(
                f"scipy.signal.{cls.__name__} holds plain arrays. Give the functions, such as lsim, step, bode and "
                "cont2discrete, the system as a tuple: (num, den), (zeros, poles, gain) or (A, B, C, D)."
            )
        return cls.original(*system, **settings)

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, cls.original)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(getattr(other, "original", other), cls.original)


for _class in (ss.lti, ss.dlti, ss.StateSpace, ss.TransferFunction, ss.ZerosPolesGain):
    OWN[_class] = Plain(_class.__name__, (), {"original": _class, "__doc__": _class.__doc__})

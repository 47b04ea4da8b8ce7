"""check_grads: an honest test of derivatives by adaptive differences, the complex step and the adjoint identity."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotbar.custom import is_float
from dotbar.errors import GradientError, InputError
from dotbar.hooks import input_names
from dotbar.transforms import derived, jvp, vjp
from dotbar.tree import flatten, unflatten

__all__ = ["check_grads"]

Arrays = list[Any]
Function = Callable[[Arrays], Arrays]

STEPS = 0.1 * 0.5 ** np.arange(16)
SAFETY = 10.0  # times the estimated error of a difference is what a derivative may be off
ENTRIES = 200  # of an array that is searched for the wrong entry


@derived
def check_grads(
    f: Callable[..., Any],
    modes: str | Sequence[str] = ("fwd", "rev"),
    order: int = 2,
    symmetric: bool | None = None,
    seed: int = 0,
) -> Callable[..., None]:
    """A function that checks the derivatives of ``f`` at its arguments and raises if one is wrong.

    ``check_grads(f)(*args)`` compares, along a random direction, forward and reverse mode with

    - central differences of order six, whose step is chosen for each entry where truncation and rounding
      balance; their estimated error is the tolerance, whatever the size of the arrays;
    - the complex step, where ``f`` turns out to be analytic: exact to rounding;
    - each other: Re⟨ȳ, ẏ⟩ = Re⟨x̄, ẋ⟩.

    Args:
        f: a function of arrays or containers of arrays; integers and other data are left alone.
        modes: ``"fwd"``, ``"rev"`` or both; for a second order, every combination of them.
        order: up to which order of derivatives.
        symmetric: whether square matrices are perturbed Hermitian-symmetrically, for functions that read one
            triangle.  By default that is found out: a Hermitian argument of which a triangle has no influence.
        seed: of the random directions.

    Raises:
        GradientError: an AssertionError that says which argument, which entry, both numbers, and the likely kind of
            mistake; or that the function has a kink there, or is too rough to be checked.
    """
    modes = (modes,) if isinstance(modes, str) else modes
    if unknown := set(modes) - {"fwd", "rev"}:
        raise InputError(f"modes has {unknown.pop()!r}; it may hold 'fwd' and 'rev'.")

    @wraps(f)
    def check(*args: Any, **kwargs: Any) -> None:
        leaves, structure = flatten(args)
        paths = [p for name, s in zip(input_names(f, len(args)), structure.items) for p in s.paths(name)]
        where = [k for k, x in enumerate(leaves) if is_float(x)]

        def flat(xs: Arrays) -> Arrays:
            full = list(leaves)
            for k, x in zip(where, xs):
                full[k] = x
            return [y for y in flatten(f(*unflatten(structure, full), **kwargs))[0] if is_float(y)]

        xs = [leaves[k] for k in where]
        if not xs:
            raise InputError("check_grads needs an argument of a floating or complex dtype.")
        hermitian = [is_square(x) if symmetric is None else bool(symmetric and is_square(x)) for x in xs]
        if symmetric is None:
            hermitian = [maybe and reads_one_triangle(flat, xs, k) for k, maybe in enumerate(hermitian)]
        name = getattr(f, "__name__", "the function")
        Check(flat, xs, [paths[k] for k in where], hermitian, name, np.random.default_rng(seed)).run(modes, order)

    return check


@dataclass
class Check:
    """One function at one point; ``name`` is what messages call it."""

    f: Function
    xs: Arrays
    paths: list[str]
    hermitian: list[bool]
    name: str
    rng: "np.random.Generator"
    analytic: bool = True

    def run(self, modes: Sequence[str], order: int) -> None:
        """Check the first derivative, then those of the derivatives that each mode gives."""
        ts = self.direction()
        ybars = self.first_order(modes, ts)
        if order > 1:
            derivatives: dict[str, tuple[str, Function]] = {
                "fwd": ("the forward-mode derivative", lambda xs: jvp(self.f, (xs,), (ts,))[1]),
                "rev": ("the reverse-mode derivative", lambda xs: vjp(self.f, xs)[1](ybars)[0]),
            }
            for mode in modes:
                what, g = derivatives[mode]
                name = f"{what} of {self.name}"
                Check(g, self.xs, self.paths, self.hermitian, name, self.rng, False).run(modes, order - 1)

    def direction(self) -> Arrays:
        """Random tangents of the size of each entry."""
        ts = [normal(self.rng, x) * entry_size(x) for x in self.xs]
        return [match((t + H(t)) / 2 if h else t, x) for t, x, h in zip(ts, self.xs, self.hermitian)]

    def first_order(self, modes: Sequence[str], ts: Arrays) -> Arrays:
        """Check the derivative along ``ts``; returns the cotangents, which give each result the same weight."""
        measured = differences(self.f, self.xs, ts)
        if measured.kink is not None:
            self.report_kink(measured.kink, ts)
        want = complex_step(self.f, self.xs, ts, measured) if self.analytic else measured
        tolerance = [SAFETY * e + slack(w) for w, e in zip(want.values, want.errors)]
        ys = self.f(self.xs)
        alone = len(ys) == 1 and np.ndim(ys[0]) == 0
        sizes = [np.where(np.abs(w) > tol, entry_size(w), largest(w)) for w, tol in zip(want.values, tolerance)]
        ybars = [np.ones_like(y) if alone else match(normal(self.rng, y) / n, y) for y, n in zip(ys, sizes)]
        dots = xbars = None
        if "fwd" in modes:
            dots = jvp(self.f, (self.xs,), (ts,))[1]
            off = [~(np.abs(t - w) <= tol) for t, w, tol in zip(dots, want.values, tolerance)]
            if any(map(np.any, off)):
                near = self.nearby(lambda xs: jvp(self.f, (xs,), (ts,))[1])
                noise = [100 * np.abs(t - other) for t, other in zip(dots, near)]
                if any(np.any(o & ~(np.abs(t - w) <= n)) for o, t, w, n in zip(off, dots, want.values, noise)):
                    self.blame("fwd", ybars)
        if "rev" in modes:
            xbars = vjp(self.f, self.xs)[1](ybars)[0]
            allowed = sum(float(np.sum(np.abs(g) * tol)) for g, tol in zip(ybars, tolerance)) + self.noise(xbars, ts)
            if not abs(inner(xbars, ts) - inner(ybars, want.values)) <= allowed:
                self.blame("rev", ybars)
        if dots is not None and xbars is not None:
            a, b = inner(ybars, dots), inner(xbars, ts)
            if not abs(a - b) <= self.noise(xbars, ts) + self.noise(ybars, dots):
                raise GradientError(
                    f"forward and reverse mode of {self.name} disagree: Re⟨ȳ, ẏ⟩ = {a:.12g}, Re⟨x̄, ẋ⟩ = {b:.12g}."
                )
        if rough := measured.roughness():
            raise GradientError(
                f"{self.name} could not be checked here: differences of it vary by {rough:.1g} of their size, "
                "whatever the step. It is discontinuous, random or very rough near this point."
            )
        return ybars

    def nearby(self, derivative: Function) -> Arrays:
        """A derivative at arguments changed by rounding: how it differs tells the noise that has no blame."""
        return derivative([match(x * (1 + 4 * eps_of(x) * self.rng.standard_normal(np.shape(x))), x) for x in self.xs])

    def noise(self, u: Arrays, v: Arrays) -> float:
        """How much rounding may change an inner product."""
        return sum(1e5 * eps_of(b) * float(np.sum(np.abs(a) * np.abs(b))) for a, b in zip(u, v))

    # ------------------------------------------------ saying what is wrong

    def units(self, k: int) -> list[tuple[tuple[int, ...], Arrays, complex]]:
        """Directions along entries of an argument, also imaginary ones, with 1/size of each."""
        x = np.asarray(self.xs[k])
        size = entry_size(x)
        places = list(np.ndindex(x.shape))
        if len(places) > ENTRIES:
            places = [places[i] for i in self.rng.choice(len(places), ENTRIES, replace=False)]
        found = []
        for place in places:
            for unit in (1, 1j) if x.dtype.kind == "c" else (1,):
                t = np.zeros_like(x)
                t[place] = unit * size[place]
                t = (t + H(t)) / 2 if self.hermitian[k] else t
                ts = [np.zeros_like(z) for z in self.xs]
                ts[k] = t
                found.append((place, ts, unit / size[place]))
        return found

    def blame(self, mode: str, ybars: Arrays) -> None:
        """Find the entry that is most wrong, and raise."""
        xbars = vjp(self.f, self.xs)[1](ybars)[0] if mode == "rev" else []
        worst: tuple[float, Any] = (0.0, None)
        for k, x in enumerate(self.xs):
            got, want = np.zeros(np.shape(x), complex), np.zeros(np.shape(x), complex)
            error = np.zeros(np.shape(x))
            seen = np.zeros(np.shape(x), bool)
            for place, ts, weight in self.units(k):
                d = differences(self.f, self.xs, ts)
                dots = jvp(self.f, (self.xs,), (ts,))[1] if mode == "fwd" else []
                got[place] += weight * (inner(xbars, ts) if mode == "rev" else inner(ybars, dots))
                want[place] += weight * inner(ybars, d.values)
                error[place] += abs(weight) * sum(float(np.sum(np.abs(g) * e)) for g, e in zip(ybars, d.errors))
                seen[place] = True
            with np.errstate(all="ignore"):
                off = np.abs(got - want) / (error + slack(want))
            off = np.where(np.isnan(off), np.where(got == want, 0, np.inf), off)
            place = np.unravel_index(np.argmax(np.where(seen, off, 0)), off.shape) if off.size else ()
            if off.size and off[place] > max(worst[0], 1):
                worst = off[place], (k, tuple(map(int, place)), got, want, error, seen)
        way = {"fwd": "forward", "rev": "reverse"}[mode]
        if worst[1] is None:
            raise GradientError(
                f"the {way}-mode derivative of {self.name} is wrong along a random direction, but right along each "
                "entry. Likely mistake: it is not linear in the tangent or cotangent, or not of the full precision."
            )
        k, place, got, want, error, seen = worst[1]
        at = f" at entry {place}" if place else ""
        of = "" if all(np.ndim(g) == 0 and g == 1 for g in ybars) else " of Re⟨ȳ, f⟩ with a random ȳ"
        raise GradientError(
            f"the {way}-mode derivative of {self.name} by {self.paths[k]} is wrong{at}: dotbar has "
            f"{number(got[place])}, differences have {number(want[place])} ± {error[place]:.1g}{of}. "
            f"Likely mistake: {kind_of_mistake(got, want, error, seen)}."
        )

    def report_kink(self, seen: Any, ts: Arrays) -> None:
        """Find an entry along which the function has a kink, and raise; else of the one seen along ``ts``."""
        for k in range(len(self.xs)):
            for place, along, weight in self.units(k):
                if (kink := differences(self.f, self.xs, along).kink) is not None:
                    at = f" at entry {place} of {self.paths[k]}" if place else f" in {self.paths[k]}"
                    self._raise_kink(at, kink, along, abs(weight))
        self._raise_kink(" along a random direction", seen, ts)

    def _raise_kink(self, at: str, kink: Any, ts: Arrays, weight: float = 1.0) -> None:
        k, place, left, right = kink
        left, right = (0.0 if abs(side) < 1e-6 * abs(right - left) else side for side in (left, right))
        dot = np.asarray(jvp(self.f, (self.xs,), (ts,))[1][k])[place]
        raise GradientError(
            f"{self.name} has a kink here{at}: its one-sided derivatives are {number(weight * left)} and "
            f"{number(weight * right)}. No derivative exists there to compare with; dotbar has {number(weight * dot)}. "
            "Check another point."
        )


def kind_of_mistake(got: NDArray[Any], want: NDArray[Any], error: NDArray[Any], seen: NDArray[np.bool_]) -> str:
    """What a wrong gradient looks like, from all its entries that were measured."""
    g, w, e = got[seen], want[seen], error[seen]
    size = np.max(np.abs(w), initial=0)

    def alike(a: Any, b: Any, e: Any) -> Any:
        return np.abs(a - b) <= 1e-4 * np.maximum(np.abs(a), np.abs(b)) + SAFETY * e

    def same(a: Any, b: Any) -> bool:
        return bool(np.all(alike(a, b, e if a.ndim == 1 else error)))

    if not np.isfinite(g).all():
        return "not finite"
    if not np.isfinite(w).all():
        return "none, if the function is not finite nearby"
    if same(g, w) and size:
        return f"a small one, {np.max(np.abs(g - w) / np.where(w == 0, size, np.abs(w))):.1g} of the entry"
    if same(g, 0 * w):
        return "it is zero, the dependence is missing"
    if size == 0:
        return "it should be zero"
    if same(g, -w):
        return "the sign"
    if same(g, np.conj(w)):
        return "a missing conjugate"
    factor = np.vdot(w, g) / np.vdot(w, w)
    if same(g, factor * w):
        return f"a factor of {number(factor)}"
    if is_square(got) and seen.all():
        if same(got, np.swapaxes(want, -1, -2)):
            return "it is transposed"
        if same(got, H(want)):
            return "it is transposed and conjugated"
        if same(got + H(got), want + H(want)):
            return "only the Hermitian part is right; does the function read one triangle? Then pass symmetric=True"
    wrong = ~alike(g, w, e)
    if np.all(g[wrong] == 0):
        return f"{wrong.sum()} of {wrong.size} entries are zero that should not be"
    return f"{wrong.sum()} of {wrong.size} entries are wrong, without a simple pattern"


def number(x: Any) -> str:
    """A number for a message; real if it is."""
    x = complex(x)
    return f"{x.real:.8g}" if x.imag == 0 else f"{x:.8g}"


# ---------------------------------------------------------------- differences


@dataclass
class Measured:
    """A derivative along a direction, by differences: values and estimated errors of each output."""

    values: Arrays
    errors: Arrays
    scale: float
    kink: Any = None

    def roughness(self) -> float:
        """The relative error if it is too large for a check to mean anything, else 0."""
        size = max((float(np.max(np.abs(v), initial=0)) for v in self.values), default=0.0)
        error = max((float(np.max(e, initial=0)) for e in self.errors), default=0.0)
        return 0.0 if error <= 0.01 * size or error < 1e-6 * self.scale else error / (size or 1)


def differences(f: Function, xs: Arrays, ts: Arrays) -> Measured:
    """The derivative of ``f`` along ``ts``, each entry at the step that suits it best.

    Central differences at a ladder of steps h, h/2, h/4, ... are extrapolated twice, to order six.  The error
    of each is the largest of three estimates, |S − R| against the lower order, |Sₖ − Sₖ₋₁| and |Sₖ₊₁ − Sₖ| against the
    steps before and after, plus rounding, ε·|f|/h.  The ladder is what FiniteDifferences.jl finds by estimating
    |f⁽⁷⁾|: the step where truncation and rounding balance.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        middle = [np.asarray(y) for y in f(xs)]
        sides = [[[np.asarray(y) for y in shifted(f, xs, ts, s * h)] for s in (1, -1)] for h in STEPS]
        columns = [_extrapolate(m, [(plus[k], minus[k]) for plus, minus in sides]) for k, m in enumerate(middle)]
    kinks = [(k, *kink) for k, (_, _, kink) in enumerate(columns) if kink is not None]
    scale = max(map(largest, middle), default=1.0)
    return Measured([c[0] for c in columns], [c[1] for c in columns], scale, kinks[0] if kinks else None)


def shifted(f: Function, xs: Arrays, ts: Arrays, h: float) -> Arrays:
    """f(x + h t), and nan where that raises."""
    try:
        return f([(x + h * t).astype(np.asarray(x).dtype) for x, t in zip(xs, ts)])
    except (ArithmeticError, ValueError, np.linalg.LinAlgError):
        return [y * np.nan for y in f(xs)]


def _extrapolate(middle: NDArray[Any], sides: list[tuple[NDArray[Any], NDArray[Any]]]) -> tuple[Any, Any, Any]:
    """One output: its derivative, the error, and (place, left, right) if it has a kink."""
    if middle.size == 0:
        return middle, np.zeros(middle.shape), None
    plus, minus = np.stack([p for p, _ in sides]), np.stack([m for _, m in sides])
    h = STEPS.reshape(-1, *(1,) * middle.ndim)
    central = (plus - minus) / (2 * h)
    right, left = (plus - middle) / h, (middle - minus) / h
    size = np.maximum(np.maximum(np.abs(plus), np.abs(minus)), np.abs(middle))
    rounding = 4 * eps_of(middle) * (size + np.abs(central)) / h

    R = _richardson(central, 4)
    S = _richardson(R, 16)
    change = np.abs(np.diff(S, axis=0))
    rounding += 4 * np.max(change[-2:] * h[-2:], axis=0) / h  # where larger numbers cancelled there is more than ε|f|/h
    after = np.concatenate([change[1:], change[-1:]])  # by rounding one change may be small by chance
    error = np.maximum(np.maximum(np.abs(S[1:] - R[2:]), change), after) + rounding[3:]
    value, error = _best(S[1:], error)

    jump = _richardson(right - left, 2)
    change = np.abs(jump[1:] - jump[:-1]) + 4 * rounding[2:]
    jump, change = _best(jump[1:], change)
    clear = np.abs(jump) > np.maximum(20 * change, 1e-3 * np.abs(value)) + 1e4 * eps_of(middle) * largest(middle)
    if not clear.any():
        return value, error, None
    place = np.unravel_index(np.argmax(np.where(clear, np.abs(jump), 0)), middle.shape)
    return value, error, (place, value[place] - jump[place] / 2, value[place] + jump[place] / 2)


def _richardson(D: NDArray[Any], power: int) -> NDArray[Any]:
    """Remove the leading error term of each row but the first, which falls by ``power`` from row to row."""
    return (power * D[1:] - D[:-1]) / (power - 1)


def _best(values: NDArray[Any], errors: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """For each entry the row with the smallest error."""
    errors = np.where(np.isfinite(values) & np.isfinite(errors), errors, np.inf)
    row = np.argmin(errors, 0)[None]
    return np.take_along_axis(values, row, 0)[0], np.take_along_axis(errors, row, 0)[0]


def complex_step(f: Function, xs: Arrays, ts: Arrays, measured: Measured) -> Measured:
    """The derivative by f(x + ihẋ) = f(x) + ihẏ − ..., exact to rounding, if ``f`` is analytic.

    If it is not, what was measured.  The tolerance is 1/1000 of that of differences, but no less than rounding.
    """
    h = 1e-30
    if any(np.asarray(x).dtype != np.float64 for x in xs):
        return measured
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ys, zs = f(xs), f([x + 1j * h * t for x, t in zip(xs, ts)])
            steps = [np.imag(z) / h for z in zs]
            analytic = all(
                np.iscomplexobj(z)
                and np.allclose(np.real(z), y, 1e-12)
                and np.all(np.abs(s - d) <= SAFETY * e + slack(d))
                for y, z, s, d, e in zip(ys, zs, steps, measured.values, measured.errors, strict=True)
            )
    except Exception:  # whatever a function does with complex numbers, then it is not analytic
        return measured
    if not analytic:
        return measured
    errors = [np.maximum(slack(s), e / 100) / SAFETY for s, e in zip(steps, measured.errors)]
    return Measured(steps, errors, measured.scale)


# ---------------------------------------------------------------- small words


def H(X: Any) -> Any:
    """Xᴴ of the last two axes."""
    return np.conj(np.swapaxes(X, -1, -2))


def eps_of(x: Any) -> float:
    """The relative rounding error of a dtype."""
    return float(np.finfo(np.asarray(x).dtype).eps)


def slack(x: Any) -> NDArray[Any]:
    """The rounding that a derivative of this size may have, entry by entry; a zero is one of the others' sums."""
    return eps_of(x) * np.where(x == 0, 100 * largest(x), 1e4 * np.abs(x))


def inner(u: Arrays, v: Arrays) -> float:
    """Re⟨u, v⟩."""
    return sum(float(np.real(np.vdot(a, b))) for a, b in zip(u, v))


def largest(x: Any) -> float:
    """The size of an array's finite entries; 1 if they are zero."""
    return float(np.max(np.abs(x), initial=0, where=np.isfinite(x))) or 1.0


def entry_size(x: Any) -> NDArray[Any]:
    """The size of each entry; that of the array where it is zero or not finite."""
    return np.where((x == 0) | ~np.isfinite(x), largest(x), np.abs(x))


def normal(rng: "np.random.Generator", x: Any) -> Any:
    """Standard normal entries of the shape and dtype of ``x``."""
    x = np.asarray(x)
    t = rng.standard_normal(x.shape)
    t = t + 1j * rng.standard_normal(x.shape) if x.dtype.kind == "c" else t
    return match(t, x)


def match(t: Any, x: Any) -> Any:
    """A tangent or cotangent in the dtype of ``x``."""
    return np.asarray(t).astype(np.asarray(x).dtype)[()]


def is_square(x: Any) -> bool:
    """Whether the last two axes have one length above 1."""
    return np.ndim(x) >= 2 and np.shape(x)[-1] == np.shape(x)[-2] > 1


def reads_one_triangle(f: Function, xs: Arrays, k: int) -> bool:
    """Whether an argument is Hermitian and one strict triangle of it, and not the other, has no influence."""
    x = np.asarray(xs[k])
    if not np.array_equal(x, H(x)):
        return False
    t = 1e-3 * normal(np.random.default_rng(1), x)
    ys = f(xs)

    def ignores(part: Any) -> bool:
        moved = shifted(f, xs, [part if j == k else np.zeros_like(z) for j, z in enumerate(xs)], 1.0)
        return all(np.array_equal(a, b) for a, b in zip(moved, ys))

    return ignores(np.triu(t, 1)) != ignores(np.tril(t, -1))

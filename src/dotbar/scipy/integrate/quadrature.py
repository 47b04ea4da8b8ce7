"""Adaptive quadrature: ``quad``, ``quad_vec``, ``nquad``, ``dblquad``, ``tplquad``."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import scipy.integrate as si
import scipy.optimize as so

from dotbar.core import active, as_array, dtype_of, is_differentiable, primitive, shape_of
from dotbar.errors import ConversionError, NoRuleError
from dotbar.nested import stand_in
from dotbar.rules.kinds import rule, unbroadcast
from dotbar.rules.refusals import differentiated, refusal
from dotbar.rules.words import conj, raise_if, stop_gradient
from dotbar.scipy.closed import Function, Packed, arguments, as_tuple, closed, derived, is_traced, recorded, with_args
from dotbar.scipy.mirror import stands_for
from dotbar.transforms import jvp, vjp, vmap

Method = Callable[[Function, Any, Any], tuple[Any, ...]]


@primitive
def integral(a: Any, b: Any, theta: Any, *fixed: Any, f: Function, how: "Quadrature", many: bool) -> tuple[Any, Any]:
    """∫ f(θ, fixed, x) w(x) dx from a to b and the error that is estimated, which has no derivative.

    Args:
        a: the lower limit.
        b: the upper limit.
        theta: the parameters, a vector.
        fixed: what else f depends on, without a derivative.
        f: the integrand.
        how: the method, with its tolerances and its weight w.
        many: whether f is an array that is integrated entry by entry, and not in the method's own way.
    """
    at = partial(f, theta, fixed)
    return (how.entries if many else how.value)(at, a, b)


@rule(integral)
def _integral(y: Any, a: Any, b: Any, theta: Any, *fixed: Any, f: Any, how: "Quadrature", many: bool) -> Any:
    """İ = f(b) ḃ − f(a) ȧ + ∫ f_θ θ̇ dx, θ̄ = ∫ f_θᴴ Ī dx: Leibniz's rule; the integrals are again of this kind.

    θ̇ and Ī are of size 1 in them, so that absolute tolerances mean what they mean for the integral itself.
    """
    n, x = len(theta), middle(a, b)
    programs = getattr(f, "programs", None)

    def at_limit(x: Any) -> Any:
        inside = np.where(np.isfinite(x), x, 0)
        return np.where(np.isfinite(x), f(theta, fixed, inside) * how.weight(inside), 0)

    def end(x: Any, sign: int) -> Any:
        if how.weight is None:
            return "the weight depends on the limits"
        return (
            lambda xdot: (sign * at_limit(x) * xdot, None),
            lambda ybar: None if ybar[0] is None else np.sum(np.real(sign * conj(at_limit(x)) * ybar[0])),
        )

    def dot(thetadot: Any) -> Any:
        unit, size = normalised(thetadot)

        def pushed(pair: Any, fixed: Any, x: Any) -> Any:
            return jvp(lambda theta: f(theta, fixed, x), (pair[:n],), (pair[n:],))[1]

        pair = np.concatenate([theta, unit])
        return size * integral(
            a, b, pair, *fixed, f=recorded(pushed, pair, fixed, x, among=programs), how=how, many=many
        )[0], None

    def bar(ybar: Any) -> Any:
        if ybar[0] is None:
            return None
        unit, size = normalised(ybar[0])

        def pulled(pair: Any, fixed: Any, x: Any) -> Any:
            Ibar = np.reshape(pair[n:], unit.shape)
            return vjp(lambda theta: f(theta, fixed, x), pair[:n])[1](Ibar)[0]

        pair = np.concatenate([theta, np.ravel(unit)])
        of_pair = recorded(pulled, pair, fixed, x, among=programs, name=shape_of(unit))
        return size * integral(a, b, pair, *fixed, f=of_pair, how=how, many=True)[0]

    return [end(a, -1), end(b, 1), (dot, bar), *(None for _ in fixed)]


def normalised(t: Any) -> tuple[Any, Any]:
    """A direction of size 1, and its size as a constant."""
    size = stop_gradient(np.max(np.abs(t), initial=0))
    size = np.where(size > 0, size, 1)
    return t / size, size


# ---------------------------------------------------------------- methods


class Quadrature:
    """The method of ``quad`` with its settings."""

    FEW = 16
    """So many entries are integrated one by one, with QUADPACK's extrapolation at singular ends."""

    def __init__(self, options: dict[str, Any]):
        self.options = options
        weight, w = options["weight"], options["wvar"]
        known = {
            None: lambda x: 1.0,
            "cos": lambda x: np.cos(w * x),
            "sin": lambda x: np.sin(w * x),
            "cauchy": lambda x: 1 / (x - w),
        }
        self.weight = known.get(weight)

    def value(self, f: Function, a: Any, b: Any) -> tuple[Any, Any]:
        """SciPy's value and error."""
        return si.quad(f, a, b, **self.options)[:2]

    def entries(self, f: Function, a: Any, b: Any) -> tuple[Any, Any]:
        """The integral of each entry of an array."""
        seen: dict[float, Any] = {}

        def at(x: float) -> Any:
            if x not in seen:
                seen[x] = f(x)
            return seen[x]

        form = at(0.5 * (a + b) if np.isfinite(a) and np.isfinite(b) else 1.0)
        if form.size > self.FEW and self.options["weight"] is None:
            names = ("epsabs", "epsrel", "limit", "points")
            return si.quad_vec(f, a, b, norm="max", **{name: self.options[name] for name in names})[:2]
        options = {**self.options, "complex_func": dtype_of(form).kind == "c"}
        results = [si.quad(lambda x, i=i: at(x).flat[i], a, b, **options)[:2] for i in range(form.size)]
        return tuple(np.reshape([r[k] for r in results], form.shape) for k in range(2))


class VectorQuadrature:
    """The method of ``quad_vec`` with its settings."""

    def __init__(self, options: dict[str, Any]):
        self.options = options
        self.weight = lambda x: 1.0

    def value(self, f: Function, a: Any, b: Any) -> tuple[Any, Any]:
        """SciPy's value and error."""
        return si.quad_vec(f, a, b, **self.options)[:2]

    entries = value


def middle(a: Any, b: Any) -> Any:
    """A point between two limits."""
    ends = np.stack(np.broadcast_arrays(stand_in(a), stand_in(b)))
    x = np.where(np.all(np.isfinite(ends), 0), np.mean(np.where(np.isfinite(ends), ends, 1.0), 0), 1.0)
    return x if np.ndim(x) else float(x)


class Integrand:
    """A function f(θ, fixed, x), and what was made of it."""

    def __init__(self, func: Function, args: Any, a: Any, b: Any):
        (self.call,), operands = closed(as_tuple(args), (with_args(func), (middle(a, b),)))
        self.parameters = Packed(operands)
        self.programs = derived(self.call, self.parameters)

    def __call__(self, theta: Any, fixed: Sequence[Any], x: Any) -> Any:
        return self.call(self.parameters.unpacked(theta, fixed), x)


def integrand(func: Function, args: Any, a: Any, b: Any) -> tuple[Function, Packed]:
    """A function f(θ, fixed, x) and its parameters."""
    f = Integrand(func, args, a, b)
    return f, f.parameters


@stands_for(si.quad)
def quad(*args: Any, **kw: Any) -> Any:
    """SciPy's; the integral is a function of its limits and of the parameters in ``func`` and ``args``.

    Where something is traced, the dictionary of ``full_output`` is empty.
    """
    given = arguments(si.quad, args, kw)
    func, a, b, args, full_output = (given.pop(k) for k in ("func", "a", "b", "args", "full_output"))
    if not callable(func):
        return si.quad(func, a, b, args, full_output, **given)
    f, parameters = integrand(func, args, a, b)
    if not any(map(is_traced, (parameters.theta, *parameters.fixed, a, b))):
        return si.quad(partial(f, parameters.theta, parameters.fixed), a, b, (), full_output, **given)
    if is_traced(given["wvar"]) or any(map(is_traced, given["points"] if given["points"] is not None else ())):
        raise NoRuleError("quad has no derivative with respect to wvar and points; pass stop_gradient(x).")
    value, error = integral(a, b, parameters.theta, *parameters.fixed, f=f, how=Quadrature(given), many=False)
    return (value, error, {}) if full_output else (value, error)


@stands_for(si.quad_vec)
def quad_vec(*args: Any, **kw: Any) -> Any:
    """SciPy's; the integral is a function of its limits and of the parameters in ``f`` and ``args``."""
    given = arguments(si.quad_vec, args, kw)
    func, a, b, args = (given.pop(k) for k in ("f", "a", "b", "args"))
    f, parameters = integrand(func, args, a, b)
    if not any(map(is_traced, (parameters.theta, *parameters.fixed, a, b))):
        return si.quad_vec(partial(f, parameters.theta, parameters.fixed), a, b, **given)
    given["full_output"] = False
    return integral(a, b, parameters.theta, *parameters.fixed, f=f, how=VectorQuadrature(given), many=False)


# ---------------------------------------------------------------- several variables


@stands_for(si.nquad)
def nquad(func: Function, ranges: Any, args: Any = None, opts: Any = None, full_output: bool = False) -> Any:
    """SciPy's: integrals of integrals; where something is traced, the error is that of the outermost."""
    args = () if args is None else as_tuple(args)
    calls = [r if callable(r) else lambda *_, r=r: r for r in ranges]
    given = {} if opts is None else opts
    options = [given] * len(ranges) if isinstance(given, dict) or callable(given) else given
    options = [o if callable(o) else lambda *_, o=o: o for o in options]

    def inner(k: int, outer: tuple[Any, ...]) -> Any:
        """The integral over the variables 0 to k at those further out."""
        low, high = calls[k](*outer, *args)
        f = (lambda x: inner(k - 1, (x, *outer))[0]) if k else lambda x: func(x, *outer, *args)
        return quad(f, low, high, **options[k](*outer, *args))

    if not depends(lambda x: inner(len(ranges) - 1, ())[0]):
        return si.nquad(func, ranges, args, opts, full_output)
    value, error = inner(len(ranges) - 1, ())
    return (value, error, {}) if full_output else (value, error)


def depends(f: Function) -> bool:
    """Whether a function closes over traced values."""
    return any(map(is_traced, closed((), (lambda given, x: f(x), (0.0,)))[1]))


def limit(f: Any, *x: Any) -> Any:
    """A limit of an integral, which may be a function of the outer variables."""
    return f(*x) if callable(f) else f


@stands_for(si.dblquad)
def dblquad(
    func: Function,
    a: Any,
    b: Any,
    gfun: Any,
    hfun: Any,
    args: Any = (),
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
) -> Any:
    """SciPy's; the integral is a function of all limits and of the parameters in ``func`` and ``args``."""
    ranges = [lambda x, *_: (limit(gfun, x), limit(hfun, x)), (a, b)]
    return nquad(func, ranges, args, {"epsabs": epsabs, "epsrel": epsrel})


@stands_for(si.tplquad)
def tplquad(
    func: Function,
    a: Any,
    b: Any,
    gfun: Any,
    hfun: Any,
    qfun: Any,
    rfun: Any,
    args: Any = (),
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
) -> Any:
    """SciPy's; the integral is a function of all limits and of the parameters in ``func`` and ``args``."""
    ranges = [
        lambda y, x, *_: (limit(qfun, x, y), limit(rfun, x, y)),
        lambda x, *_: (limit(gfun, x), limit(hfun, x)),
        (a, b),
    ]
    return nquad(func, ranges, args, {"epsabs": epsabs, "epsrel": epsrel})


def at_points(f: Function, *xs: Any) -> Any:
    """f at several points, all at once unless f branches on values."""
    try:
        return vmap(f)(*xs)
    except ConversionError:
        return np.stack([f(*x) for x in zip(*xs)])


class BoxQuadrature:
    """The method of ``cubature`` with its settings; f is a function of one point."""

    def __init__(self, options: dict[str, Any]):
        self.options = options
        self.weight = None

    def value(self, f: Function, a: Any, b: Any) -> tuple[Any, Any]:
        """SciPy's value and error."""
        found = si.cubature(lambda xs: at_points(f, xs), a, b, **self.options)
        return found.estimate, found.error

    entries = value


@stands_for(si.cubature)
def cubature(*args: Any, **kw: Any) -> Any:
    """SciPy's; ``estimate`` is a function of the limits and of the parameters in ``f`` and ``args``.

    Limits that are traced become parameters: ∫ f(x) dx from a to b is ∏(b − a) ∫ f(a + (b − a) u) du over a cube.
    """
    if not active.levels:
        return si.cubature(*args, **kw)
    given = arguments(si.cubature, args, kw)
    func, a, b, args = (given.pop(k) for k in ("f", "a", "b", "args"))
    a, b = lower, upper = as_array(a) * 1.0, as_array(b) * 1.0
    at_point = lambda x, *args: as_array(func(np.reshape(x, (1, -1)), *args))[0]
    of_box = at_point
    if is_traced(a) or is_traced(b):
        raise_if(np.any(np.isinf(a) | np.isinf(b)), error=NoRuleError("cubature has no derivative by infinite limits."))
        if given["points"]:
            raise NoRuleError("cubature has no derivative by limits where points are given.")
        of_box = lambda u, *args: np.prod(upper - lower) * at_point(lower + (upper - lower) * u, *args)
        a, b = np.zeros(shape_of(lower)), np.ones(shape_of(upper))
    f, parameters = integrand(of_box, args, a, b)
    if not any(map(is_traced, (parameters.theta, *parameters.fixed))):
        return si.cubature(func, a, b, args=args, **given)
    how = BoxQuadrature(given)
    value, error = integral(a, b, parameters.theta, *parameters.fixed, f=f, how=how, many=False)
    return so.OptimizeResult(estimate=value, error=error)


# ---------------------------------------------------------------- entry by entry


@primitive
def entrywise(a: Any, b: Any, *args: Any, f: Function, how: Function) -> tuple[Any, Any, Any]:
    """∫ f(x, args) dx or Σ f(k, args) from a to b for each entry of all arguments; its error and status."""
    return how(f, a, b, args)


@rule(entrywise)
def _entrywise(y: Any, a: Any, b: Any, *args: Any, f: Any, how: Any) -> Any:
    """İ = f(b) ḃ − f(a) ȧ + ∫ f_θ dx θ̇: Leibniz's rule, in each entry."""

    def factor(x: Any, of: Function) -> Any:
        dot = lambda xdot: (of() * xdot, None, None)
        bar = lambda ybar: None if ybar[0] is None else unbroadcast(np.conj(of()) * ybar[0], shape_of(x))
        return dot, bar

    def at(x: Any) -> Any:
        inside = np.where(np.isfinite(x), x, 0)
        return np.where(np.isfinite(x), f(inside, *args), 0)

    def by(k: int) -> Any:
        def slope(x: Any, *args: Any) -> Any:
            of = lambda arg: f(x, *args[:k], arg, *args[k + 1 :])
            return jvp(of, (args[k],), (np.ones(shape_of(args[k]), dtype_of(args[k])),))[1]

        return lambda: entrywise(a, b, *args, f=slope, how=how)[0]

    limits = [factor(a, lambda: -at(a)), factor(b, lambda: at(b))]
    if how.func is summed:
        limits = ["the terms of a sum are counted"] * 2
    return [*limits, *(factor(x, by(k)) for k, x in enumerate(args))]


def integrated(f: Function, a: Any, b: Any, args: Any, **options: Any) -> tuple[Any, Any, Any]:
    """By ``tanhsinh``."""
    found = si.tanhsinh(f, a, b, args=args, **options)
    return found.integral, found.error, np.asarray(found.status)


def summed(f: Function, a: Any, b: Any, args: Any, **options: Any) -> tuple[Any, Any, Any]:
    """By ``nsum``."""
    found = si.nsum(f, a, b, args=args, **options)
    return found.sum, found.error, np.asarray(found.status)


def each_entry(method: Function, how: Function, name: str) -> Function:
    """``tanhsinh`` or ``nsum``."""

    @stands_for(method)
    def find(*given: Any, **kw: Any) -> Any:
        options = arguments(method, given, kw)
        f, a, b, args = (options.pop(k) for k in ("f", "a", "b", "args"))
        args = as_tuple(args)
        if not any(map(is_traced, (a, b, *args))):
            return method(*given, **kw)
        if options["log"] or options.get("preserve_shape"):
            raise NoRuleError(f"{method.__name__} has no derivative with log=True or preserve_shape=True.")
        floats = [as_array(x) * 1.0 if is_differentiable(x) else x for x in args]
        value, error, status = entrywise(a, b, *floats, f=f, how=partial(how, **options))
        found = {name: value, "error": error, "status": status, "success": np.equal(status, 0)}
        return so.OptimizeResult(found)

    return find


tanhsinh, nsum = each_entry(si.tanhsinh, integrated, "integral"), each_entry(si.nsum, summed, "sum")


# ---------------------------------------------------------------- points that are given


@stands_for(si.qmc_quad)
def qmc_quad(func: Function, a: Any, b: Any, **options: Any) -> Any:
    """SciPy's: a mean of ``func`` at quasi-random points, which are the same for all limits but for their scale."""
    if not active.levels:
        return si.qmc_quad(func, a, b, **options)
    for name, x in options.items():
        if differentiated(x):
            raise refusal("scipy.integrate.qmc_quad", name, "it says which points are taken")
    if options.get("log"):
        raise NoRuleError("qmc_quad has no derivative with log=True.")
    a, b = (np.atleast_1d(as_array(x) * 1.0) for x in (a, b))
    a, b = np.broadcast_arrays(a, b)
    seen: list[Any] = []
    note = lambda u: (seen.append(u), np.zeros(np.shape(u)[1:]))[1]
    si.qmc_quad(note, np.zeros(len(a)), np.ones(len(a)), **options)
    sides = (b - a)[:, None]
    n = options.get("n_estimates", 8)
    means = np.stack([np.mean(func(a[:, None] + sides * u)) for u in seen[-n:]]) * np.prod(b - a)
    found = si.qmc_quad(lambda x: np.zeros(np.shape(x)[1:]), np.zeros(1), np.ones(1), n_estimates=2, n_points=1)
    return type(found)(np.mean(means), np.std(means, ddof=1) / np.sqrt(n))

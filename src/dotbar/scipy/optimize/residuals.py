"""Least squares: ``least_squares`` with its losses and bounds, ``leastsq``, ``curve_fit`` with its covariance."""

from inspect import signature
from typing import Any

import numpy as np
import scipy.optimize as so

from dotbar.core import active, as_array, dtype_of, shape_of
from dotbar.errors import NoRuleError
from dotbar.nested import stand_in
from dotbar.rules.words import mT, stop_gradient
from dotbar.scipy.closed import Function, arguments, as_tuple, is_traced
from dotbar.scipy.linalg import solve_triangular
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.optimize.implicit import Functions, Given, along, exact, filled, of_one, rest
from dotbar.scipy.optimize.kkt import minimum
from dotbar.scipy.optimize.minima import bounded, limits
from dotbar.scipy.optimize.roots import matrix
from dotbar.transforms import jacfwd

LOSSES: dict[str, Function] = {
    "linear": lambda z: z,
    "huber": lambda z: np.where(z <= 1, z, 2 * np.sqrt(np.where(z <= 1, 1, z)) - 1),
    "soft_l1": lambda z: 2 * (np.sqrt(1 + z) - 1),
    "cauchy": lambda z: np.log1p(z),
    "arctan": lambda z: np.arctan(z),
}
"""ρ(z) of z = r², as SciPy defines them."""


def robust(loss: Any, scale: Any) -> Function:
    """½ c² ρ(r²/c²) of each residual r, with c = ``f_scale``; SciPy's own losses are named, others return ρ, ρ′, ρ″."""
    rho = LOSSES[loss] if isinstance(loss, str) else lambda z: loss(z)[0]
    return lambda r: 0.5 * scale**2 * rho((r / scale) ** 2)


@stands_for(so.least_squares)
def least_squares(*args: Any, **kw: Any) -> Any:
    """SciPy's with the exact Jacobian in the place of two-point differences.

    ``x``, ``cost`` and ``fun`` are functions of the parameters in ``fun``, ``args``, ``kwargs`` and ``bounds``; the
    conditions are those of the minimum of ½ c² Σ ρ(rᵢ²/c²), c = ``f_scale``.
    """
    given = arguments(so.least_squares, args, kw)
    f, x0, jac, bounds, args, keywords = (given.pop(k) for k in ("fun", "x0", "jac", "bounds", "args", "kwargs"))
    loss = given["loss"]
    x0 = as_array(x0)
    start = np.atleast_1d(np.asarray(stand_in(x0), float))
    own = lambda f: lambda given, x: f(x, *given["args"], **given["kwargs"])
    residual = lambda given, x: np.atleast_1d(as_array(own(f)(given, x)))
    cost = lambda given, x: np.sum(robust(loss, given["f_scale"])(residual(given, x)))
    functions: Given = {"f": (cost, (start,)), "r": (own(f), (start,))}
    functions["f_scale"] = (lambda given: given["f_scale"]), ()
    if callable(jac):
        functions["jac"] = own(jac), (start,)
    pair = pair_of(bounds)
    if has_bounds := limited(pair):
        functions |= bounded(start)

    def run(fs: Functions, x0: Any) -> Any:
        x = np.atleast_1d(np.asarray(x0, float))
        first = fs.get("jac", jac)
        if first == "2-point" and given["jac_sparsity"] is None and given["diff_step"] is None:
            first = exact(jacfwd(lambda x: np.atleast_1d(as_array(fs["r"](x)))), fs["r"], x) or first
        where = {"bounds": (*fs["l", "x"](),)} if has_bounds else {}
        return so.least_squares(fs["r"], x0, first, **where, **given | {"f_scale": float(fs["f_scale"]())})

    tree = {"args": as_tuple(args), "kwargs": keywords or {}, "bounds": pair, "f_scale": given["f_scale"]}
    read = lambda result: (result.x, np.bool_(result.success), result.cost)
    x, value, found, result = minimum(run, functions, tree, start, (x0,), read)
    values = {"x": x, "cost": value, "success": found}
    return filled(result, **values, fun=residual(tree, x)) if is_traced(x) else result


def pair_of(bounds: Any) -> tuple[Any, Any]:
    """The lower and the upper limits, as SciPy takes them for least squares; traced values also within lists."""
    lower, upper = limits(bounds) if isinstance(bounds, so.Bounds) else bounds
    return as_array(lower), as_array(upper)


def limited(pair: tuple[Any, Any]) -> bool:
    """Whether any limit is finite, or may be."""
    return any(is_traced(x) or bool(np.any(np.isfinite(x))) for x in pair)


@stands_for(so.leastsq)
def leastsq(*args: Any, **kw: Any) -> Any:
    """SciPy's with the exact Jacobian where none is given; x depends on the parameters in ``func`` and ``args``."""
    given = arguments(so.leastsq, args, kw)
    f, x0, args, jac, full_output = (given.pop(k) for k in ("func", "x0", "args", "Dfun", "full_output"))
    x0 = as_array(x0)
    start = np.ravel(np.asarray(stand_in(x0), float))
    residual = lambda args, x: np.atleast_1d(as_array(f(x, *args)))
    functions: Given = {"f": ((lambda args, x: 0.5 * np.sum(residual(args, x) ** 2)), (start,))}
    functions |= of_one(start, r=f, jac=jac)

    def run(fs: Functions, x0: Any) -> Any:
        slopes = fs.get("jac") or exact(matrix(fs["r"], bool(given["col_deriv"])), fs["r"], start)
        result = so.leastsq(fs["r"], x0, (), slopes, full_output=True, **given)
        if result[4] not in (1, 2, 3, 4) and not full_output:
            so.leastsq(fs["r"], x0, (), slopes, **given)  # which warns
        return result

    read = lambda result: (result[0], np.bool_(result[4] in (1, 2, 3, 4)), 0.5 * np.sum(result[2]["fvec"] ** 2))
    x, _, found, result = minimum(run, functions, as_tuple(args), start, (x0,), read)
    covariance, report, message, status = (None, {}, "", found) if result is None else rest(result[1:], x)
    if full_output and is_traced(x):
        covariance = covariance_of(lambda x: np.ravel(residual(as_tuple(args), x)), x, True, robust("linear", 1.0))
    return (x, covariance, report, message, status) if full_output else (x, status)


@stands_for(so.curve_fit)
def curve_fit(f: Function, xdata: Any, ydata: Any, *args: Any, **kw: Any) -> Any:
    """SciPy's with the exact Jacobian where none is given.

    The parameters and their covariance C = s² (JᵀJ)⁻¹ are functions of the data, sigma and what ``f`` closes over.
    """
    names = [p.name for p in signature(so.curve_fit).parameters.values() if p.kind is not p.VAR_KEYWORD]
    given = dict(zip(names[3:], args)) | kw
    p0, sigma, jac, bounds = (given.pop(k, None) for k in ("p0", "sigma", "jac", "bounds"))
    p0 = as_array(p0)
    n = count_of_parameters(f) if p0 is None else np.size(stand_in(p0))
    pair = pair_of((-np.inf, np.inf) if bounds is None else bounds)
    has_bounds = limited(pair)
    start = inside(*(np.broadcast_to(stand_in(x), n) for x in pair))
    if p0 is not None:
        start = np.asarray(stand_in(p0), float).reshape(n)

    omits = given.get("nan_policy") == "omit"
    if omits and sigma is not None and len(shape_of(as_array(sigma))) > 1 and active.levels:
        raise NoRuleError(
            "curve_fit has no derivative with nan_policy='omit' and a matrix sigma; leave out what is nan."
        )

    def model(given: Any, p: Any) -> Any:
        return f(numbers(given["x"]), *p)

    def residual(given: Any, p: Any) -> Any:
        r, sigma = model(given, p) - numbers(given["y"]), given["sigma"]
        if omits:
            r = np.where(missing(given["x"], given["y"]), 0.0, r)
        if sigma is None:
            return r
        sigma = numbers(sigma)
        if np.ndim(sigma) < 2 or np.size(sigma) == 1:
            return r / sigma
        return solve_triangular(np.linalg.cholesky(sigma), r, lower=True)

    loss = robust(given.get("loss", "linear"), given.get("f_scale", 1.0))
    tree = {"x": xdata, "y": ydata, "sigma": sigma, "bounds": pair}
    functions: Given = {name: (lambda given, name=name: given[name], ()) for name in ("x", "y")}
    functions |= {"f": (lambda given, p: np.sum(loss(residual(given, p))), (start,)), "model": (model, (start,))}
    if sigma is not None:
        functions["sigma"] = (lambda given: given["sigma"]), ()
    if callable(jac):
        functions["jac"] = (lambda given, p: jac(given["x"], *p)), (start,)
    if has_bounds:
        functions |= bounded(start)

    def run(fs: Functions, p0: Any) -> Any:
        slopes = fs["jac"] if callable(jac) else exact(jacfwd(fs["model"]), fs["model"], start) if jac is None else None
        x, y = fs["x"](), fs["y"]()
        kept = ~missing(x, y) if omits else None
        keep = (lambda v: np.asarray(v)[kept]) if omits else (lambda v: v)
        first = slopes and (lambda x, *p: keep(slopes(np.array(p))))
        where = {"bounds": (*fs["l", "x"](),)} if has_bounds else {}
        weights = {} if sigma is None else {"sigma": fs["sigma"]()}
        if np.size(weights.get("sigma", ())) == 1:  # SciPy takes one number only where it has no Jacobian
            weights["sigma"] = np.full(np.size(y), weights["sigma"])
        if omits:
            x, y = np.zeros(np.sum(kept)), keep(numbers(y))  # f has x already
            weights = {name: keep(v) if np.ndim(v) < 2 else keep(v)[:, kept] for name, v in weights.items()}
        at = lambda x, *p: keep(fs["model"](np.array(p)))
        options = {**given, **where, **weights, "full_output": True}
        return so.curve_fit(at, x, y, p0, jac=first or jac, **options)

    def read(result: Any) -> Any:
        return result[0], np.True_, 0.5 * np.sum(result[2]["fvec"] ** 2), result[1]

    p, _, _, covariance, result = minimum(run, functions, tree, start, (start if p0 is None else p0,), read)
    if is_traced(p):
        m = np.sum(~missing(xdata, ydata)) if omits else None
        C = covariance_of(lambda p: np.ravel(residual(tree, p)), p, given.get("absolute_sigma", False), loss, m)
        covariance = stop_gradient(covariance) + np.where(np.isfinite(covariance), C - stop_gradient(C), 0)
    return (p, covariance, *rest((result or (None,) * 5)[2:], p)) if given.get("full_output") else (p, covariance)


def count_of_parameters(model: Function) -> int:
    """How many parameters a model f(x, a, b, ...) has."""
    named = [p for p in signature(model).parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(named) < 2:
        raise ValueError("Unable to determine number of fit parameters.")
    return len(named) - 1


def covariance_of(residual: Function, p: Any, absolute: bool, loss: Function, m: Any = None) -> Any:
    """s² (JᵀWJ)⁻¹, W the second derivatives of the loss; s² = 2 Σ loss / (m − n), or 1 where sigma is absolute."""
    J, r = jacfwd(residual)(p), residual(p)
    one = np.ones_like(r)
    W = np.maximum(along(lambda r: along(loss, r, one), r, one), np.finfo(float).eps)
    C = np.linalg.inv(mT(J) @ (W[:, None] * J))
    return C if absolute else C * 2 * np.sum(loss(r)) / np.maximum((len(r) if m is None else m) - len(p), 1)


def missing(x: Any, y: Any) -> Any:
    """Which data SciPy omits: where y or any of x is nan."""
    x, y = map(numbers, (x, y))
    of_x = np.isnan(stop_gradient(x)) if isinstance(x, np.ndarray) or is_traced(x) else np.False_
    return np.isnan(stop_gradient(y)) | np.any(of_x, tuple(range(len(shape_of(of_x)) - 1)))


def numbers(x: Any) -> Any:
    """Data as SciPy hands them to the model: numbers in lists or arrays as floats, anything else as it is."""
    if not (isinstance(x, (list, tuple, np.ndarray)) or is_traced(x)):
        return x
    x = as_array(x)
    return x if dtype_of(x) == np.float64 else x.astype(float)


def inside(lower: Any, upper: Any) -> Any:
    """Where SciPy begins if not told: within the bounds, 1 from a single one."""
    low, high = np.isfinite(lower), np.isfinite(upper)
    from_low, from_high = np.where(low, lower, 0.0) + ~high, np.where(high, upper, 0.0) - ~low
    return np.where(low | high, (low * from_low + high * from_high) / np.maximum(low + 1 * high, 1), 1.0)

"""Minima of a function: ``minimize`` with bounds and constraints; of one variable, ``minimize_scalar`` and its like."""

from typing import Any

import numpy as np
import scipy.optimize as so

from dotbar.core import as_array
from dotbar.nested import stand_in
from dotbar.scipy.closed import Function, arguments, as_tuple
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.optimize.implicit import Functions, Given, exact, filled
from dotbar.scipy.optimize.kkt import minimum
from dotbar.transforms import grad, hessian, hvp, jacobian

BY_HESSIAN = ("dogleg", "trust-exact", "trust-constr")
BY_PRODUCT = ("newton-cg", "trust-ncg", "trust-krylov")
BY_SLOPE = ("bfgs", "cg", "l-bfgs-b", "tnc", "slsqp", *BY_HESSIAN, *BY_PRODUCT)
CONSTRAINTS = (so.NonlinearConstraint, so.LinearConstraint)


@stands_for(so.minimize)
def minimize(*args: Any, **kw: Any) -> Any:
    """SciPy's; methods that use a gradient, a Hessian or its products with vectors have exact ones if none is given.

    ``x`` and ``fun`` are functions of the parameters in ``fun``, ``args``, ``bounds`` and ``constraints``.
    """
    given = arguments(so.minimize, args, kw)
    f, args, x0, method, jac, hess, hessp, bounds, constraints = (
        given.pop(k) for k in ("fun", "args", "x0", "method", "jac", "hess", "hessp", "bounds", "constraints")
    )
    if jac is True:
        both, f, jac = f, lambda x, *args: both(x, *args)[0], lambda x, *args: both(x, *args)[1]
    x0 = as_array(x0)
    start = np.atleast_1d(np.asarray(stand_in(x0), float))
    constraints = [constraints] if isinstance(constraints, (dict, *CONSTRAINTS)) else list(constraints or ())
    functions: Given = {
        name: (lambda given, *xs, f=f: f(*xs, *given["args"]), xs)
        for name, f, xs in (
            ("f", f, [start]),
            ("jac", jac, [start]),
            ("hess", hess, [start]),
            ("p", hessp, [start] * 2),
        )
        if callable(f)
    }
    if bounds is not None:
        functions |= bounded(start)
    for k, constraint in enumerate(constraints):
        functions |= constrained(constraint, k, start)
    name = (method or "bfgs").lower() if isinstance(method, (str, type(None))) else ""

    def run(fs: Functions, x0: Any) -> Any:
        x = np.atleast_1d(np.asarray(x0, float))
        scalar = lambda x: np.reshape(as_array(fs["f"](x)), ())
        options = {**given, "jac": fs.get("jac", jac), "hess": fs.get("hess", hess), "hessp": fs.get("p", hessp)}
        if options["jac"] is None and name in BY_SLOPE:
            options["jac"] = exact(grad(scalar), fs["f"], x)
        if callable(options["jac"]) and options["hess"] is None and options["hessp"] is None:
            if name in BY_HESSIAN:
                options["hess"] = exact(hessian(scalar), fs["f"], x)
            if name in BY_PRODUCT:
                options["hessp"] = exact(lambda x, p: hvp(scalar, (x,), (p,)), fs["f"], x, x)
        if bounds is not None:
            options["bounds"] = so.Bounds(*fs["l", "x"](), getattr(bounds, "keep_feasible", False))
        options["constraints"] = [as_scipys(constraint, k, fs, x, name) for k, constraint in enumerate(constraints)]
        return so.minimize(fs["f"], x0, (), method, **options)

    read = lambda result: (result.x, np.bool_(result.success), result.fun)
    tree = {"args": as_tuple(args), "bounds": limits(bounds), "rows": list(map(contents, constraints))}
    x, value, found, result = minimum(run, functions, tree, start, (x0,), read)
    return filled(result, x=x, fun=value, success=found)


@stands_for(so.minimize_scalar)
def minimize_scalar(*args: Any, **kw: Any) -> Any:
    """SciPy's; ``x`` and ``fun`` are functions of the parameters in ``fun``, ``args`` and ``bounds``."""
    given = arguments(so.minimize_scalar, args, kw)
    f, args, bracket, bounds = (given.pop(k) for k in ("fun", "args", "bracket", "bounds"))
    pair = stand_in_all(bounds if bracket is None else bracket) or [0.0, 1.0]
    start = np.array([pair[0]])
    functions: Given = {"f": (lambda given, x: f(x[0], *given["args"]), (np.array([np.mean(pair)]),))}
    if bounds is not None:
        functions |= bounded(start)

    def run(fs: Functions, *bracket: Any) -> Any:
        where = {"bounds": tuple(np.ravel(fs["l", "x"]())) if bounds is not None else None}
        return so.minimize_scalar(lambda x: fs["f"](np.array([x])), bracket or None, **where, **given)

    read = lambda result: (np.reshape(result.x, 1), np.bool_(result.success), result.fun)
    tree = {"args": as_tuple(args), "bounds": None if bounds is None else tuple(bounds)}
    x, value, found, result = minimum(run, functions, tree, start, bracket or (), read)
    return filled(result, x=x[0], fun=value, success=found)


def line_minimum(method: Function, *counts: str) -> Function:
    """``brent`` or ``golden``: where a function of one variable is least, beginning from a bracket.

    As SciPy's ``minimize_scalar``, which says whether it was found.
    """

    @stands_for(method)
    def find(*args: Any, **kw: Any) -> Any:
        given = arguments(method, args, kw)
        f, args, brack, tol, full_output = (given.pop(k) for k in ("func", "args", "brack", "tol", "full_output"))
        start = np.array(stand_in_all(brack)[:1] or [0.0])
        functions: Given = {"f": (lambda args, x: f(x[0], *args), (start,))}

        def run(fs: Functions, *brack: Any) -> Any:
            options = {"xtol": tol, **given}
            along = lambda x: fs["f"](np.array([x]))
            return so.minimize_scalar(along, brack or None, method=method.__name__, options=options)

        read = lambda result: (np.reshape(result.x, 1), np.bool_(result.success), result.fun)
        x, value, _, result = minimum(run, functions, as_tuple(args), start, brack or (), read)
        return (x[0], value, *(result[name] for name in counts if result)) if full_output else x[0]

    return find


brent, golden = line_minimum(so.brent, "nit", "nfev"), line_minimum(so.golden, "nfev")


@stands_for(so.fminbound)
def fminbound(*args: Any, **kw: Any) -> Any:
    """SciPy's; where a function of one variable is least between two limits."""
    given = arguments(so.fminbound, args, kw)
    f, x1, x2, args, full_output = (given.pop(k) for k in ("func", "x1", "x2", "args", "full_output"))
    start = np.array([float(stand_in(x1))])
    functions: Given = {"f": (lambda given, x: f(x[0], *given["args"]), (start,))} | bounded(start)

    def run(fs: Functions) -> Any:
        lower, upper = np.ravel(fs["l", "x"]())
        return so.fminbound(lambda x: fs["f"](np.array([x])), lower, upper, full_output=True, **given)

    read = lambda result: (np.reshape(result[0], 1), np.bool_(result[2] == 0), result[1])
    tree = {"args": as_tuple(args), "bounds": (x1, x2)}
    x, value, _, result = minimum(run, functions, tree, start, (), read)
    return (x[0], value, *(result or ())[2:]) if full_output else x[0]


def stand_in_all(pair: Any) -> list[float]:
    """Plain examples of two or three numbers."""
    return [float(stand_in(x)) for x in pair or ()]


# ---------------------------------------------------------------- bounds and constraints


def limits(bounds: Any) -> Any:
    """The lower and the upper bounds; None for none."""
    if bounds is None or isinstance(bounds, so.Bounds):
        return bounds and (bounds.lb, bounds.ub)
    lower, upper = zip(*bounds)
    return [-np.inf if x is None else x for x in lower], [np.inf if x is None else x for x in upper]


def stacked(lower: Any, upper: Any) -> Any:
    """The limits as the two rows of an array."""
    return np.stack(np.broadcast_arrays(*(1.0 * np.ravel(as_array(x)) for x in (lower, upper))))


def bounded(x: Any) -> Given:
    """Bounds as rows: the limits are what is given as ``bounds``."""
    return {
        ("h", "x"): (lambda given, x: x, (x,)),
        ("l", "x"): (lambda given: np.broadcast_to(stacked(*given["bounds"]), (2, x.size)), ()),
    }


def contents(constraint: Any) -> dict[str, Any]:
    """What a constraint holds besides functions."""
    if isinstance(constraint, dict):
        return {"args": as_tuple(constraint.get("args", ()))}
    return {name: getattr(constraint, name) for name in ("A", "lb", "ub") if hasattr(constraint, name)}


def constrained(constraint: Any, k: int, x: Any) -> Given:
    """A constraint as rows, given its contents as the k-th of ``rows``."""
    of = lambda f: lambda given, *xs: f(given["rows"][k], *xs)
    if isinstance(constraint, dict):
        upper = 0.0 if constraint["type"].lower() == "eq" else np.inf
        own = {"h": constraint["fun"], "j": constraint.get("jac")}
        found = {name: (lambda rows, x, f=f: f(x, *rows["args"]), (x,)) for name, f in own.items() if callable(f)}
        found["l"] = (lambda rows: stacked(0.0, upper)), ()
    else:
        found = {"l": ((lambda rows: stacked(rows["lb"], rows["ub"])), ())}
        if isinstance(constraint, so.LinearConstraint):
            found |= {"h": ((lambda rows, x: rows["A"] @ x), (x,)), "A": ((lambda rows: rows["A"]), ())}
        else:
            own = {"h": constraint.fun, "j": constraint.jac}
            found |= {name: (lambda rows, x, f=f: f(x), (x,)) for name, f in own.items() if callable(f)}
    return {(name, k): (of(f), xs) for name, (f, xs) in found.items()}


def as_scipys(constraint: Any, k: int, fs: Functions, x: Any, method: str) -> Any:
    """A constraint for SciPy, with the exact Jacobian where none is given and the method uses one."""
    if isinstance(constraint, so.LinearConstraint):
        return so.LinearConstraint(fs["A", k](), *fs["l", k](), constraint.keep_feasible)
    h, jac = fs["h", k], fs.get(("j", k))
    if jac is None and method not in ("cobyla", "cobyqa"):
        jac = exact(jacobian(lambda x: np.atleast_1d(as_array(h(x)))), h, x)
    if isinstance(constraint, dict):
        return {"type": constraint["type"], "fun": h} | ({"jac": jac} if jac else {})
    others = ("hess", "keep_feasible", "finite_diff_rel_step", "finite_diff_jac_sparsity")
    options = {name: getattr(constraint, name) for name in others}
    return so.NonlinearConstraint(h, *fs["l", k](), jac=jac or constraint.jac, **options)

"""Searches everywhere, and the older names of searches from a start; what they find is a minimum or a root, too."""

from types import ModuleType
from typing import Any

import numpy as np
import scipy.optimize as so

from dotbar.core import active, as_array, first_traced
from dotbar.errors import ConversionError, NoRuleError
from dotbar.nested import stand_in
from dotbar.rules.refusals import differentiated, refusal
from dotbar.scipy.closed import Function, arguments, as_tuple, is_traced
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.optimize.implicit import Functions, Given, exact, filled, of_one, rest, solved
from dotbar.scipy.optimize.kkt import minimum
from dotbar.scipy.optimize.minima import CONSTRAINTS, as_scipys, bounded, constrained, contents, limits
from dotbar.scipy.optimize.roots import in_shape, value
from dotbar.transforms import grad


def everywhere(method: Function) -> Function:
    """A search within bounds, whose result is a local minimum, too."""

    @stands_for(method)
    def find(*args: Any, **kw: Any) -> Any:
        if not active.levels:
            return method(*args, **kw)
        given = arguments(method, args, kw)
        f, bounds, args = (given.pop(k) for k in ("func", "bounds", "args"))
        given |= given.pop("kwargs", {})
        constraints = given.pop("constraints", None) or ()
        constraints = [constraints] if isinstance(constraints, (dict, *CONSTRAINTS)) else list(constraints)
        given = settings(method, given)
        start = np.mean([np.ravel(stand_in(as_array(x))) for x in limits(bounds)], 0)
        functions: Given = {"f": (lambda given, x: f(x, *given["args"]), (start,))} | bounded(start)
        for k, constraint in enumerate(constraints):
            functions |= constrained(constraint, k, start)

        def run(fs: Functions) -> Any:
            where = so.Bounds(*fs["l", "x"](), getattr(bounds, "keep_feasible", False))
            if constraints:
                given["constraints"] = tuple(as_scipys(c, k, fs, start, "") for k, c in enumerate(constraints))
            return method(lambda x: fs["f"](np.array(x)), where, **given)

        tree = {"args": as_tuple(args), "bounds": limits(bounds), "rows": list(map(contents, constraints))}
        x, value, found, result = minimum(run, functions, tree, start, (), read)
        if is_traced(x):
            refuse(given.get("vectorized"), method, "vectorized=True, whose function is of many points")
            refuse(np.any(given.get("integrality")), method, "integers, which jump")
        return filled(result, x=x, fun=value, success=found)

    return find


def read(result: Any) -> Any:
    """x, whether it was found, and the optimal value."""
    return result.x, np.bool_(result.success), result.fun


def settings(method: Function, given: dict[str, Any]) -> dict[str, Any]:
    """What says how the search goes, of which nothing may be traced; of two names of a generator the one given."""
    for name, x in given.items():
        if differentiated(x):
            raise refusal(f"scipy.optimize.{method.__name__}", name, "it says how the search goes")
    return {k: v for k, v in given.items() if v is not None or k not in ("rng", "seed")}


def refuse(unless: Any, method: Function, why: str) -> None:
    """Raise for what has no derivative."""
    if unless:
        raise NoRuleError(f"scipy.optimize.{method.__name__} has no derivative with {why}.")


differential_evolution, shgo, dual_annealing, direct = map(
    everywhere, (so.differential_evolution, so.shgo, so.dual_annealing, so.direct)
)


@stands_for(so.basinhopping)
def basinhopping(*args: Any, **kw: Any) -> Any:
    """SciPy's; ``x`` and ``fun`` are functions of the parameters in ``func`` and in ``minimizer_kwargs``."""
    if not active.levels:
        return so.basinhopping(*args, **kw)
    given = arguments(so.basinhopping, args, kw)
    f, x0, options = given.pop("func"), as_array(given.pop("x0")), dict(given.pop("minimizer_kwargs") or {})
    args, bounds = as_tuple(options.pop("args", ())), options.pop("bounds", None)
    given = settings(so.basinhopping, given)
    start = np.ravel(np.asarray(stand_in(x0), float))
    functions: Given = {"f": (lambda given, x: f(x, *given["args"]), (start,))}
    if callable(jac := options.pop("jac", None)):
        functions["jac"] = (lambda given, x: jac(x, *given["args"])), (start,)
    if bounds is not None:
        functions |= bounded(start)

    def run(fs: Functions, x0: Any) -> Any:
        where = {} if bounds is None else {"bounds": so.Bounds(*fs["l", "x"]())}
        slope = {} if "jac" not in fs else {"jac": fs["jac"]}
        return so.basinhopping(fs["f"], x0, minimizer_kwargs={**options, **where, **slope}, **given)

    x, value, found, result = minimum(run, functions, {"args": args, "bounds": limits(bounds)}, start, (x0,), read)
    if is_traced(x):
        refuse(options.get("constraints"), so.basinhopping, "constraints; minimize, started at its result, has one")
    return filled(result, x=x, fun=value, success=found)


@stands_for(so.brute)
def brute(*args: Any, **kw: Any) -> Any:
    """SciPy's; what ``finish`` finds is a function of the parameters in ``func`` and ``args``."""
    if not active.levels:
        return so.brute(*args, **kw)
    given = arguments(so.brute, args, kw)
    f, ranges, args, full_output = (given.pop(k) for k in ("func", "ranges", "args", "full_output"))
    start = np.array([float(r.start if isinstance(r, slice) else r[0]) for r in ranges])
    functions: Given = {"f": (lambda args, x: f(x, *args), (start,))}
    run = lambda fs: so.brute(lambda x: fs["f"](np.atleast_1d(x)), ranges, full_output=True, **given)
    read = lambda result: (np.atleast_1d(result[0]), np.True_, result[1])
    x, value, _, result = minimum(run, functions, as_tuple(args), start, (), read)
    if is_traced(x):
        refuse(given["finish"] is None, so.brute, "finish=None: the result is a point of the grid")
    return (x, value, *rest((result or (None,) * 4)[2:], x)) if full_output else x


# ---------------------------------------------------------------- older names


def from_start(method: Function) -> Function:
    """An older name of a method of ``minimize``, with the exact gradient where it takes one that is not given."""

    @stands_for(method)
    def find(*args: Any, **kw: Any) -> Any:
        given = arguments(method, args, kw)
        name = "f" if "f" in given else "func"
        f, x0, args = given.pop(name), as_array(given.pop("x0")), given.pop("args")
        start = np.ravel(np.asarray(stand_in(x0), float))
        slopes = {k: given.pop(k) for k in ("fprime", "fhess") if k in given}
        given = settings(method, given)
        full_output, retall = given.pop("full_output"), given.pop("retall")
        functions = of_one(start, f=f, **slopes)
        if callable(product := given.pop("fhess_p", None)):
            functions["fhess_p"] = (lambda args, x, p: product(x, p, *args)), (start, start)

        def run(fs: Functions, x0: Any) -> Any:
            options = {k: fs.get(k) for k in (*slopes, "fhess_p") if k in fs or k in slopes}
            if "fprime" in options:
                options["fprime"] = options["fprime"] or exact(
                    grad(lambda x: np.reshape(as_array(fs["f"](x)), ())), fs["f"], start
                )
            return method(fs["f"], x0, **options, full_output=True, retall=retall, **given)

        def read(result: Any) -> Any:
            return result[0], np.bool_(result[-2 if retall else -1] == 0), result[1]

        x, value, found, result = minimum(run, functions, as_tuple(args), start, (x0,), read)
        if not (full_output or retall):
            return x
        others = rest(result[2:], x) if result else (found,)
        return (x, value, *others) if full_output else (x, others[-1])

    return find


fmin, fmin_powell, fmin_bfgs, fmin_cg, fmin_ncg = map(
    from_start, (so.fmin, so.fmin_powell, so.fmin_bfgs, so.fmin_cg, so.fmin_ncg)
)


def of_equations(method: Function) -> Function:
    """An older name of a method of ``root``, which raises where it does not converge."""

    @stands_for(method)
    def find(*args: Any, **kw: Any) -> Any:
        given = arguments(method, args, kw)
        given |= given.pop("kw", {})
        F, xin = given.pop("F"), as_array(given.pop("xin"))
        given = settings(method, given)
        start = np.asarray(stand_in(xin), float)
        x, _, _ = solved(
            lambda fs, x0: method(fs["f"], x0, **given),
            of_one(start, f=F),
            (),
            (xin,),
            lambda x: (np.ravel(x), np.True_),
            in_shape(start.shape, value),
            within=0.0,
        )
        return np.reshape(x, start.shape)

    return find


QUASI_NEWTON = ("broyden1", "broyden2", "anderson", "linearmixing", "diagbroyden", "excitingmixing", "newton_krylov")
for name in QUASI_NEWTON:
    of_equations(getattr(so, name))


# ---------------------------------------------------------------- refused


REFUSED = {
    "bracket line_search": "where a search stops, no condition determines",
    "milp quadratic_assignment": "its solutions are among integers, which jump",
    "approx_fprime check_grad": "it takes differences, where dotbar.grad is exact and dotbar.check_grads tests",
    "fmin_cobyla fmin_l_bfgs_b fmin_slsqp fmin_tnc": "it is an older name; use minimize, which has one",
}


def refused(module: ModuleType, name: str, why: str) -> None:
    """A function of a module of SciPy's without a derivative, and why."""
    method = getattr(module, name)

    def find(*args: Any, **kw: Any) -> Any:
        refusal = NoRuleError(f"{module.__name__}.{name} has no derivative rule: {why}.")
        if first_traced([*args, *kw.values()]) is not None:
            raise refusal
        try:
            result = method(*args, **kw)
        except ConversionError as error:
            raise refusal from error
        if first_traced(result) is not None:
            raise refusal
        return result

    find.__name__ = name  # which in SciPy may be another
    find.without_derivative = why  # type: ignore[attr-defined]
    stands_for(method)(find)


for names, why in REFUSED.items():
    for name in names.split():
        refused(so, name, why)

"""Linear problems: ``linprog``, ``nnls``, ``lsq_linear``, ``linear_sum_assignment``."""

from typing import Any

import numpy as np
import scipy.optimize as so

from dotbar.core import as_array, shape_of
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import constant
from dotbar.scipy.closed import arguments, is_traced
from dotbar.scipy.mirror import dispatching, stands_for
from dotbar.scipy.optimize.implicit import Functions, Given, filled
from dotbar.scipy.optimize.kkt import minimum
from dotbar.scipy.optimize.minima import bounded, limits, stacked

linear_sum_assignment = dispatching(so.linear_sum_assignment)

constant(linear_sum_assignment, like=lambda cost_matrix, *, maximize=False: None)


def of_given(*names: str) -> Given:
    """What the user gave, by name, as functions."""
    return {name: (lambda given, name=name: as_array(given[name]), ()) for name in names}


@stands_for(so.linprog)
def linprog(*args: Any, **kw: Any) -> Any:
    """SciPy's; ``x``, ``fun``, ``slack`` and ``con`` are functions of all the numbers of the problem."""
    given = arguments(so.linprog, args, kw)
    arrays = {name: given.pop(name) for name in ("c", "A_ub", "b_ub", "A_eq", "b_eq")}
    arrays = {name: x for name, x in arrays.items() if x is not None}
    bounds, x0 = given.pop("bounds"), given.pop("x0")
    n = np.size(as_array(arrays["c"]))
    pairs = [(0, None)] * n if bounds is None else list(bounds)
    if not hasattr(pairs[0], "__len__"):
        pairs = [pairs]
    pairs = [tuple(pair) for pair in pairs] * (n // len(pairs))
    x = np.zeros(n)
    functions: Given = of_given(*arrays) | {"f": (lambda given, x: np.ravel(as_array(given["c"])) @ x, (x,))}
    functions |= bounded(x)
    if "A_ub" in arrays:
        functions["h", "ub"] = (lambda given, x: as_array(given["A_ub"]) @ x), (x,)
        functions["l", "ub"] = (lambda given: stacked(-np.inf, given["b_ub"])), ()
    if "A_eq" in arrays:
        functions["h", "eq"] = (lambda given, x: as_array(given["A_eq"]) @ x), (x,)
        functions["l", "eq"] = (lambda given: stacked(given["b_eq"], given["b_eq"])), ()

    def run(fs: Functions) -> Any:
        where = bounds if not changed else fs["l", "x"]().T
        return so.linprog(**{name: fs[name]() for name in arrays}, bounds=where, x0=x0, **given)

    changed = any(is_traced(x) for pair in pairs for x in pair)
    read = lambda result: (
        (np.full(n, np.nan) if result.x is None else result.x),
        np.bool_(result.success),
        np.nan if result.fun is None else result.fun,
    )
    x, value, found, result = minimum(run, functions, arrays | {"bounds": limits(pairs)}, x, (), read)
    if not is_traced(x):
        return result
    if given["integrality"] is not None and np.any(given["integrality"]):
        raise NoRuleError("linprog has no derivative where variables are integers: it is 0 or does not exist.")
    rest = {"slack": ("b_ub", "A_ub"), "con": ("b_eq", "A_eq")}
    values = {name: as_array(arrays[b]) - as_array(arrays[A]) @ x for name, (b, A) in rest.items() if A in arrays}
    return filled(result, x=x, fun=value, success=found, **values)


def half_square(given: Any, x: Any) -> Any:
    """½ ‖A x − b‖²."""
    return 0.5 * np.sum((as_array(given["A"]) @ x - np.ravel(as_array(given["b"]))) ** 2)


@stands_for(so.nnls)
def nnls(A: Any, b: Any, **options: Any) -> Any:
    """SciPy's: x ≥ 0 with the least ‖A x − b‖, and that norm."""
    x = np.zeros(shape_of(A)[1])
    functions: Given = of_given("A", "b") | {"f": (half_square, (x,))} | bounded(x)
    tree = {"A": A, "b": b, "bounds": (0.0, np.inf)}
    read = lambda result: (result[0], np.True_, 0.5 * result[1] ** 2)
    x, _, _, result = minimum(lambda fs: so.nnls(fs["A"](), fs["b"](), **options), functions, tree, x, (), read)
    return (x, np.linalg.norm(as_array(A) @ x - np.ravel(as_array(b)))) if is_traced(x) else result


@stands_for(so.lsq_linear)
def lsq_linear(*args: Any, **kw: Any) -> Any:
    """SciPy's; ``x``, ``cost`` and ``fun`` are functions of A, b and the bounds."""
    given = arguments(so.lsq_linear, args, kw)
    A, b, bounds = (given.pop(k) for k in ("A", "b", "bounds"))
    pair = limits(bounds) if isinstance(bounds, so.Bounds) else tuple(bounds)
    x = np.zeros(shape_of(A)[1])
    functions: Given = of_given("A", "b") | {"f": (half_square, (x,))} | bounded(x)
    run = lambda fs: so.lsq_linear(fs["A"](), fs["b"](), (*fs["l", "x"](),), **given)
    read = lambda result: (result.x, np.bool_(result.success), result.cost)
    x, value, found, result = minimum(run, functions, {"A": A, "b": b, "bounds": pair}, x, (), read)
    return filled(result, x=x, cost=value, success=found, fun=as_array(A) @ x - b) if is_traced(x) else result

"""Roots and fixed points: ``brentq`` and its like, ``newton``, ``root_scalar``, ``fsolve``, ``root``."""

from typing import Any, NamedTuple

import numpy as np
import scipy.optimize as so

from dotbar.core import as_array
from dotbar.nested import stand_in
from dotbar.scipy.closed import Function, arguments, as_tuple
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.optimize.implicit import Functions, along, exact, filled, of_one, rest, solved
from dotbar.transforms import jacfwd
from dotbar.tree import flatten, unflatten


def value(fs: Functions, x: Any) -> Any:
    """F is the function itself."""
    return fs["f"](x)


def slope(f: Function) -> Function:
    """f′ of a function of each entry alone."""
    return lambda x: along(f, x, np.ones_like(x))


# ---------------------------------------------------------------- of one variable


def bracketed(method: Function) -> Function:
    """A method that finds the root between a and b, on which it does not depend."""

    @stands_for(method)
    def find(*args: Any, **kw: Any) -> Any:
        given = arguments(method, args, kw)
        f, a, b, args, full_output = (given.pop(k) for k in ("f", "a", "b", "args", "full_output"))
        root, found, result = solved(
            lambda fs, a, b: method(fs["f"], a, b, **given, full_output=True),
            of_one(0.5 * (stand_in(a) + stand_in(b)), f=f),
            as_tuple(args),
            (a, b),
            lambda result: (result[0], np.bool_(result[1].converged)),
            value,
            entrywise=True,
            within=given["xtol"],
        )
        return (root, filled(result and result[1], root=root, converged=found)) if full_output else root

    return find


bisect, brenth, brentq, ridder, toms748 = map(bracketed, (so.bisect, so.brenth, so.brentq, so.ridder, so.toms748))


class Report(NamedTuple):
    """What ``newton`` reports of several roots; where slopes vanished is not known for more than one call."""

    root: Any
    converged: Any
    zero_der: Any


@stands_for(so.newton)
def newton(*args: Any, **kw: Any) -> Any:
    """SciPy's; with neither a derivative nor a second point it takes Newton's own steps by the exact derivative."""
    given = arguments(so.newton, args, kw)
    f, first, second, args = (given.pop(k) for k in ("func", "fprime", "fprime2", "args"))
    x0, x1, full_output = as_array(given.pop("x0")), as_array(given.pop("x1")), given.pop("full_output")

    def run(fs: Functions, x0: Any, x1: Any = None) -> Any:
        fprime = fs.get("fprime")
        if fprime is None and x1 is None:
            fprime = exact(slope(fs["f"]), fs["f"], np.asarray(x0)[()] * 1.0)
        derivatives = {"fprime": fprime, "fprime2": fs.get("fprime2")}
        return so.newton(fs["f"], x0, x1=x1, **derivatives, **given, full_output=True)

    root, found, result = solved(
        run,
        of_one(np.asarray(stand_in(x0))[()] * 1.0, f=f, fprime=first, fprime2=second),
        as_tuple(args),
        (x0,) if x1 is None else (x0, x1),
        lambda result: (result[0], np.bool_(getattr(result[1], "converged", result[1]))),
        value,
        entrywise=True,
        within=given["tol"],
    )
    if not full_output:
        return root
    if np.size(stand_in(x0)) > 1:
        return Report(root, found, None) if result is None else result._replace(root=root, converged=found)
    return root, filled(result and result[1], root=root, converged=found)


@stands_for(so.root_scalar)
def root_scalar(*args: Any, **kw: Any) -> Any:
    """SciPy's; Newton's and Halley's methods have the exact derivatives that are not given."""
    given = arguments(so.root_scalar, args, kw)
    f, args, first, second = (given.pop(k) for k in ("f", "args", "fprime", "fprime2"))
    where = {k: x for k in ("bracket", "x0", "x1") if (x := given.pop(k)) is not None}
    starts, structure = flatten({k: [*x] if k == "bracket" else x for k, x in where.items()})
    together = any(d and not callable(d) for d in (first, second))  # f returns its derivatives, too
    example = unflatten(structure, [float(stand_in(x)) for x in starts])
    x = example["x0"] if "x0" in example else float(np.mean(example["bracket"]))
    method = (given["method"] or "newton" if "bracket" not in example and "x1" not in example else "").lower()

    def run(fs: Functions, *starts: Any) -> Any:
        fprime, fprime2 = fs.get("fprime", first), fs.get("fprime2", second)
        where = unflatten(structure, list(starts))
        if not together and method in ("newton", "halley"):
            fprime = fprime or exact(slope(fs["f"]), fs["f"], where["x0"])
            if method == "halley":
                fprime2 = fprime2 or exact(slope(slope(fs["f"])), fs["f"], where["x0"])
        return so.root_scalar(fs["f"], fprime=fprime, fprime2=fprime2, **where, **given)

    root, found, result = solved(
        run,
        of_one(
            example["x0"] if "x0" in example else float(np.mean(example["bracket"])), f=f, fprime=first, fprime2=second
        ),
        as_tuple(args),
        starts,
        lambda result: (result.root, np.bool_(result.converged)),
        lambda fs, x: fs["f"](x)[0] if together else fs["f"](x),
        entrywise=True,
        within=given["xtol"] or 0.0,
    )
    return filled(result, root=root, converged=found)


# ---------------------------------------------------------------- of several


def in_shape(shape: tuple[int, ...], F: Function) -> Function:
    """The conditions of a solution of a shape as those of a vector."""
    return lambda fs, x: np.ravel(F(fs, np.reshape(x, shape)))


@stands_for(so.fsolve)
def fsolve(*args: Any, **kw: Any) -> Any:
    """SciPy's with the exact Jacobian where none is given."""
    given = arguments(so.fsolve, args, kw)
    f, x0, args, fprime, full_output = (given.pop(k) for k in ("func", "x0", "args", "fprime", "full_output"))
    x0 = as_array(x0)
    transposed, banded = given["col_deriv"], given["band"] is not None

    def run(fs: Functions, x0: Any) -> Any:
        x = np.asarray(x0, float).ravel()
        jac = fs.get("fprime") or (None if banded else exact(matrix(fs["f"], transposed), fs["f"], x))
        result = so.fsolve(fs["f"], x0, (), jac, **given, full_output=True)
        if result[2] != 1 and not full_output:
            so.fsolve(fs["f"], x0, (), jac, **given)  # which warns
        return result

    x, found, result = solved(
        run,
        of_one(np.asarray(stand_in(x0), float).ravel(), f=f, fprime=fprime),
        as_tuple(args),
        (x0,),
        lambda result: (result[0], np.bool_(result[2] == 1)),
        value,
        within=0.0,
    )
    return (x, *(rest(result[1:], x) if result else (None, found, ""))) if full_output else x


@stands_for(so.root)
def root(*args: Any, **kw: Any) -> Any:
    """SciPy's; the methods that take a Jacobian have the exact one where none is given."""
    given = arguments(so.root, args, kw)
    f, x0, args, jac, method = (given.pop(k) for k in ("fun", "x0", "args", "jac", "method"))
    x0 = as_array(x0)
    newtons = method.lower() in ("hybr", "lm")
    if jac is True:
        both, f, jac = f, lambda x, *args: both(x, *args)[0], lambda x, *args: both(x, *args)[1]
    transposed = bool((given["options"] or {}).get("col_deriv"))

    def run(fs: Functions, x0: Any) -> Any:
        first = fs.get("jac")
        if newtons and first is None and not {"band", "eps"} & {*(given["options"] or {})}:
            first = exact(matrix(fs["f"], transposed), fs["f"], np.asarray(x0, float).ravel())
        return so.root(fs["f"], x0, (), method, first, **given)

    start = np.asarray(stand_in(x0), float)
    shape = (start.size,) if newtons else start.shape
    x, found, result = solved(
        run,
        of_one(np.reshape(start, shape), f=f, jac=jac),
        as_tuple(args),
        (x0,),
        lambda result: (np.ravel(result.x), np.bool_(result.success)),
        in_shape(shape, value),
        within=0.0,
    )
    return filled(result, x=np.reshape(x, shape), success=found)


def matrix(f: Function, transposed: bool = False) -> Function:
    """The Jacobian of a function of a vector, as MINPACK wants it."""

    def jac(x: Any) -> Any:
        J = jacfwd(lambda x: np.atleast_1d(as_array(f(x))))(x)
        return J.T if transposed else J

    return jac


@stands_for(so.fixed_point)
def fixed_point(*args: Any, **kw: Any) -> Any:
    """x = f(x)."""
    given = arguments(so.fixed_point, args, kw)
    f, x0, args = (given.pop(k) for k in ("func", "x0", "args"))
    x0 = as_array(x0)
    start = np.asarray(stand_in(x0), float)
    x, _, _ = solved(
        lambda fs, x0: so.fixed_point(fs["f"], x0, **given),
        of_one(start, f=f),
        as_tuple(args),
        (x0,),
        lambda x: (np.ravel(x), np.True_),
        in_shape(start.shape, lambda fs, x: x - fs["f"](x)),
        within=0.0,
    )
    return np.reshape(x, start.shape)[()]

"""``scipy.optimize.elementwise``: a root or a minimum of a function of one variable for each entry of arrays."""

from typing import Any

import numpy as np
import scipy.optimize.elementwise as oe

from dotbar.core import active, as_array, shape_of
from dotbar.nested import stand_in
from dotbar.scipy.closed import Function, arguments, as_tuple
from dotbar.scipy.mirror import members as _members
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.optimize.implicit import Functions, along, filled, solved
from dotbar.scipy.optimize.kkt import has_kink
from dotbar.scipy.optimize.searches import refused


def value(fs: Functions, x: Any) -> Any:
    """The function itself."""
    return fs["f"](x)


def slope(fs: Functions, x: Any) -> Any:
    """Its derivative, entry by entry."""
    return along(fs["f"], x, np.ones_like(x))


def of_entries(method: Function, conditions: Function, objective: Function | None, within: float | None) -> Function:
    """A solver that goes on with those entries which it has not finished yet.

    A function that is recorded has one shape.  So SciPy is given the numbers of the entries as a further argument, by
    which those that it asks for are put among the others.
    """

    @stands_for(method)
    def find(*args: Any, **kw: Any) -> Any:
        if not active.levels:
            return method(*args, **kw)
        given = arguments(method, args, kw)
        f, init, args = (given.pop(name) for name in ("f", "init", "args"))
        init, args = [as_array(x) for x in init], tuple(map(as_array, as_tuple(args)))
        shape = np.broadcast_shapes(*map(shape_of, (*init, *args)))
        start = np.broadcast_to(1.0 * stand_in(init[0]), shape)[()]

        def run(fs: Functions, *init: Any) -> Any:
            def of_some(x: Any, places: Any) -> Any:
                xs = np.array(np.broadcast_to(init[0], shape), x.dtype)
                xs.reshape(-1)[places] = x
                return np.broadcast_to(fs["f"](xs[()]), shape).reshape(-1)[places]

            return method(of_some, init, args=(np.arange(start.size).reshape(shape),), **given)

        def study(fs: Functions, x: Any) -> tuple[Any, Any]:
            return x, ~has_kink(lambda x: slope(fs, x), x, start, np.abs) if objective else np.True_

        x, success, *values, result = solved(
            run,
            {"f": (lambda args, x: f(x, *args), (start,))},
            args,
            init,
            lambda result: (result.x, result.success, *([result.f_x] if objective else [])),
            conditions,
            objective,
            study,
            entrywise=True,
            within=within,
        )
        return filled(result, x=x, success=success, **({"f_x": values[0]} if values else {}))

    return find


find_root = of_entries(oe.find_root, value, None, 0.0)
find_minimum = of_entries(oe.find_minimum, slope, value, None)

for name in ("bracket_root", "bracket_minimum"):
    refused(oe, name, "where a search stops, no condition determines")

__getattr__, __dir__, __all__ = _members("scipy.optimize.elementwise")

"""Samples of scipy/optimize/roots.py: roots as functions of the parameters of their equation."""

import numpy as np

import dotbar.scipy.optimize as so
from dotbar.scipy.optimize.implicit import independent, solution
from samples import sample

a, c = np.array([1.3, 0.4]), np.array([0.7, 1.9, 3.1])


def closing(solver, *starts, **options):
    """The function's parameter is closed over."""
    return lambda a: solver(lambda x: np.exp(x) * a[0] + a[1] * x - 3, *starts, **options)


def given(solver, *starts, **options):
    """The function's parameters are arguments of it."""
    return lambda a: solver(lambda x, p, q: np.exp(x) * p + q * x - 3, *starts, args=(a[0], a[1]), **options)


def pair(x, a):
    """Two equations for two unknowns."""
    return [x[0] * np.exp(x[1]) - a[0], x[0] ** 2 + a[1] * x[1] - 2]


def at(call, *args, **options):
    number = lambda *args: np.positive(call(*args))  # SciPy returns some as Python's
    return sample(solution, *args, call=number, no_float32="a solver's tolerance is not that of float32", **options)


SAMPLES = [
    sample(independent, a, np.True_, c),
    at(closing(so.brentq, 0.0, 2.0), a, case="brentq root param"),
    at(given(so.brenth, 0.0, 2.0, xtol=1e-13), a),
    at(closing(so.bisect, 0.0, 2.0), a),
    at(closing(so.ridder, 0.0, 2.0), a),
    at(given(so.toms748, 0.0, 2.0), a),
    at(given(so.newton, 0.5, tol=1e-13), a, case="newton root param"),
    at(lambda c: so.newton(lambda x: x**3 - c * x - 2, np.full(3, 2.0), tol=1e-13), c),
    at(lambda a: so.root_scalar(lambda x: a[0] * x**3 - a[1], x0=0.7, xtol=1e-13).root, a),
    at(lambda a: so.root_scalar(lambda x: a[0] * x**3 - a[1], x0=0.7, method="halley", xtol=1e-13).root, a),
    at(lambda a: so.root_scalar(lambda x: a[0] * x**3 - a[1], x0=0.7, x1=0.8, xtol=1e-13).root, a),
    at(lambda a: so.root_scalar(lambda x: a[0] * x**3 - a[1], bracket=[0, 2.0]).root, a),
    at(lambda a: so.fsolve(lambda x: pair(x, a), [1.0, 0.5], xtol=1e-13), a, case="fsolve param"),
    at(lambda a: so.root(pair, [1.0, 0.5], args=(a,), tol=1e-13).x, a, case="root param"),
    at(lambda a: so.root(pair, [1.0, 0.5], args=(a,), tol=1e-13, method="lm").x, a),
    at(
        lambda a: so.root(lambda x: np.stack(pair(x, a)), [1.0, 0.5], tol=1e-11, method="broyden1").x,
        a,
        same_bits=False,
    ),
    at(lambda c: so.elementwise.find_root(lambda x, c: x**3 - c * x - 2, (1.0, 3.0), args=(c,)).x, c),
    at(lambda c: so.fixed_point(lambda x: np.cos(c * x) / c, np.ones(3), xtol=1e-13), c, case="fixed_point param"),
]

"""Samples of scipy/optimize/minima.py: minima as functions of the parameters of their problem."""

import numpy as np

import dotbar.scipy.optimize as so
from dotbar.scipy.optimize.implicit import solution
from samples import sample

p, b = np.array([1.3, 0.4]), np.array([0.7, 1.2])


def f(x, p):
    """A strictly convex function of two variables."""
    return p[0] * np.exp(x[0]) + np.exp(-x[0]) + (x[1] - p[1] * x[0]) ** 2 + 0.1 * x[1] ** 4


def quadratic(x, p):
    return (x[0] - p[0]) ** 2 + 2 * (x[1] - p[1]) ** 2 + x[0] * x[1]


def x_of(*start, f=f, **options):
    return lambda p: so.minimize(f, np.array(start), (p,), **options).x


def at(call, *args, **options):
    return sample(solution, *args, call=call, no_float32="a solver's tolerance is not that of float32", **options)


SAMPLES = [
    at(x_of(0.0, 1.0, tol=1e-7), p, rtol=1e-5, case="minimize argmin param"),
    at(lambda p: so.minimize(lambda x: f(x, p), [0.0, 1.0], tol=1e-8).fun, p, case="minimize optimal value param"),
    at(x_of(0.0, 1.0, method="Newton-CG", tol=1e-12), p),
    at(lambda b: so.minimize(f, [0.0, 1.0], (p,), bounds=[(0.5, None), (-1.0, b[1])], tol=1e-13).x, b),
    at(
        lambda p, b: (
            so.minimize(
                lambda x: quadratic(x, p),
                [0.5, 0.5],
                bounds=[(None, 0.9), (None, None)],
                constraints=[
                    {"type": "eq", "fun": lambda x: x[0] * b[0] + x[1] ** 2 - 1},
                    {"type": "ineq", "fun": lambda x, b: b - x[1], "args": (b[1],)},
                ],
                tol=1e-13,
            ).x
        ),
        p,
        b,
        case="minimize constrained (SLSQP)",
    ),
    at(
        lambda b: (
            so.minimize(
                lambda x: quadratic(x, p),
                [0.5, 0.5],
                constraints={"type": "ineq", "fun": lambda x: b[0] - x[0] - x[1] ** 2},
                tol=1e-13,
            ).fun
        ),
        b,
    ),
    at(lambda p: so.minimize_scalar(lambda x: np.exp(p[0] * x) - p[1] * x, tol=1e-10).x, p, case="minimize_scalar"),
    at(lambda b: so.elementwise.find_minimum(lambda x, b: np.exp(b * x) - x, (-2.0, 0.3, 2.0), args=(b,)).f_x, b),
    at(lambda p: so.minimize_scalar(lambda x: (x - p[0]) ** 2 * p[1], bounds=(p[0] + p[1], 5.0)).x, p),
]

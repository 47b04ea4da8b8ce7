"""Samples of scipy/optimize/residuals.py and linear.py: fits and linear problems as functions of their data."""

import numpy as np

import dotbar.scipy.optimize as so
from dotbar.scipy.optimize.implicit import solution
from samples import normal, sample, uniform

t = np.linspace(0.0, 2.0, 7)
y = 1.3 * np.exp(-0.7 * t) + 0.1 * normal(7)
A, b = np.abs(normal(5, 3)) + 0.1, normal(5) + 1
P, q = np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([4.0, 6.0])


def model(t, a, k):
    return a * np.exp(-k * t)


def at(call, *args, **options):
    return sample(solution, *args, call=call, no_float32="a solver's tolerance is not that of float32", **options)


def fit(y, **options):
    return so.least_squares(lambda x: model(t, *x) - y, [1.0, 1.0], xtol=1e-13, ftol=1e-13, gtol=1e-13, **options)


SAMPLES = [
    at(lambda y: fit(y).x, y, case="least_squares argmin"),
    at(lambda y: (fit(y, loss="soft_l1").x, fit(y, bounds=([0.0, 0.0], [1.2, 5.0])).cost), y),
    at(lambda t, y: so.curve_fit(model, t, y, xtol=1e-13, ftol=1e-13), t, y, case="curve_fit params wrt data"),
    at(lambda y, s: so.curve_fit(model, t, y, [1, 1], s, True, method="trf", xtol=1e-13)[1], y, uniform(0.5, 1, 7)),
    at(lambda c, A, b: so.linprog(c, A, b).x, np.array([-1.0, -1.2]), P, q, case="linprog solution wrt b"),
    at(
        lambda c, b, u: np.positive(so.linprog(c, None, None, [[1, 1, 2]], b, [(0, u), (0, 1.5), (None, None)]).fun),
        np.array([1.0, 0.5, 3.0]),
        np.array([4.0]),
        1.2,
    ),
    at(lambda A, b: [np.positive(y) for y in so.nnls(A, b)], A, b, case="nnls"),
    at(lambda A, b, u: so.lsq_linear(A, b, (-0.1, u), tol=1e-13).x, A, b, 0.3, case="lsq_linear bounded"),
    sample(
        so.linear_sum_assignment,
        normal(3, 3),
        call=lambda C: np.sum(C[so.linear_sum_assignment(C)] ** 2),
        case="linear_sum_assignment cost",
    ),
]

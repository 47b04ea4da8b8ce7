"""Samples of scipy/optimize/searches.py: what searches find, as functions of the parameters of their problem."""

import numpy as np

import dotbar.scipy.optimize as so
from dotbar.scipy.optimize.implicit import solution
from samples import sample

p = np.array([1.3, 0.4])


def f(x, p):
    return (x[0] - p[0]) ** 2 + (x[1] - p[1] * x[0]) ** 2


def at(call, *args, **options):
    return sample(
        solution, *args, call=call, no_float32="a search's tolerance is not that of float32", same_bits=False, **options
    )


SAMPLES = [
    at(lambda p: so.shgo(f, [(-3, 3)] * 2, args=(p,), n=20).x, p, no_second="the minimum is one of minimize's"),
    at(lambda p: so.fmin_bfgs(f, [0, 0.0], args=(p,), gtol=1e-9, disp=0), p, no_second="it is one of minimize's"),
    at(lambda p: so.broyden1(lambda x: x * np.exp(x) - p, [0.8, 0.3], f_tol=1e-13), p),
]

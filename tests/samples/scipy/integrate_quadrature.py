"""Samples of scipy/integrate/quadrature.py: integrals as functions of limits and parameters."""

import numpy as np

import dotbar.scipy.integrate as si
from dotbar.scipy.integrate.quadrature import integral
from samples import sample, uniform

p = np.array([1.3, 0.4])


def f(x, p):
    return np.exp(-p[0] * x**2) * np.cos(p[1] * x)


def at(call, *args, **options):
    number = lambda *args: np.positive(call(*args))  # SciPy returns some as Python's
    return sample(integral, *args, call=number, no_float32="the integral is computed in double precision", **options)


SAMPLES = [
    at(lambda p, a, b: si.quad(f, a, b, (p,), epsabs=1e-13)[0], p, 0.2, 1.5, case="quad (param+limits)"),
    at(lambda p: si.quad(lambda x: f(x, p), 0, np.inf, epsabs=1e-13)[0], p),
    at(lambda p, b: si.quad(lambda x: f(x, p), 0.1, b, weight="cos", wvar=3.0)[0], p, 1.5),
    at(lambda p: si.dblquad(lambda y, x: x * np.sin(p[0] * y), 0, p[1], lambda x: x, 1.0)[0], p, case="dblquad param"),
    at(
        lambda q, b: si.quad_vec(lambda x: np.sin(q * x), 0.0, b, epsabs=1e-14)[0],
        uniform(0.5, 1, 3),
        1.4,
        case="quad_vec param",
    ),
]

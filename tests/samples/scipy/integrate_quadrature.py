"""Samples of scipy/integrate/quadrature.py: integrals as functions of limits and parameters."""

import numpy as np
from scipy.stats import qmc

import dotbar.scipy.integrate as si
from dotbar.scipy.integrate.quadrature import entrywise, integral
from samples import sample, uniform

p = np.array([1.3, 0.4])


def halton():
    return qmc.Halton(2, rng=np.random.default_rng(1))


def f(x, p):
    return np.exp(-p[0] * x**2) * np.cos(p[1] * x)


def at(call, *args, **options):
    number = lambda *args: np.positive(call(*args))  # SciPy returns some as Python's
    return sample(
        integral,
        *args,
        call=number,
        no_float32="the integral is computed in double precision",
        same_bits=False,
        **options,
    )


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
    at(
        lambda p, a, b: si.cubature(lambda x, p: f(x[:, 0] * x[:, 1], p), a, b, args=(p,), rtol=1e-10).estimate,
        p,
        np.zeros(2),
        np.array([1.0, 0.7]),
    ),
    sample(
        entrywise,
        0.1,
        np.array([1.0, 2.0]),
        np.array([0.5, 0.7]),
        call=lambda a, b, q: si.tanhsinh(lambda x, q: np.exp(-q * x * x), a, b, args=(q,)).integral,
        no_float32="the integral is computed in double precision",
    ),
    sample(
        entrywise,
        np.array([2.5, 3.5]),
        call=lambda q: si.nsum(lambda k, q: k**-q, 1, np.inf, args=(q,)).sum,
        no_float32="the sum is computed in double precision",
    ),
    at(lambda p, b: si.qmc_quad(lambda x: f(x[0] + x[1], p), [0, 0], b, n_points=8, qrng=halton())[0], p, np.ones(2)),
]

"""Samples of scipy/integrate/boundary_value.py: solutions as functions of parameters and of the ends."""

import numpy as np

import dotbar.scipy.integrate as si
from dotbar.scipy.optimize.implicit import solution
from samples import sample


def at(call, *args, **options):
    return sample(solution, *args, call=call, no_float32="a solver's tolerance is not that of float32", **options)


def pendulum(q, length):
    """y'' = −q₀ sin y, y(0) = q₁, y(length) = 1/2."""
    x = length * np.linspace(0, 1, 9)
    fun = lambda x, y: np.stack([y[1], -q[0] * np.sin(y[0])])
    bc = lambda ya, yb: np.stack([ya[0] - q[1], yb[0] - 0.5])
    return si.solve_bvp(fun, bc, x, np.full((2, 9), 0.3), tol=2e-4, bc_tol=1e-10)


SAMPLES = [
    at(lambda q, b: pendulum(q, b).sol(np.array([0.2, 0.7])), np.array([1.3, 0.8]), 1.2, case="solve_bvp", rtol=1e-5),
]

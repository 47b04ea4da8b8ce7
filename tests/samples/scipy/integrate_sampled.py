"""Samples of scipy/integrate/sampled.py."""

import numpy as np

import dotbar.scipy.integrate as si
from samples import normal, sample, uniform

y, x = normal(6), np.cumsum(uniform(0.5, 1, 6))
Y = normal(5, 2)

SAMPLES = [
    sample(si.trapezoid, y, x, case="trapezoid"),
    sample(si.trapezoid, Y, axis=0, dx=0.3, call=lambda y, dx, axis: si.trapezoid(y, None, dx, axis), wrt=(0, "dx")),
    sample(si.cumulative_trapezoid, y, x, case="cumulative_trapezoid"),
    sample(si.cumulative_trapezoid, Y, axis=0, dx=0.3, initial=0, wrt=(0, "dx")),
    sample(si.simpson, y, x=x, wrt=(0, "x"), case="simpson", no_float32="SciPy before 1.18 returns float64 here"),
    sample(si.simpson, Y, dx=0.3, axis=0, wrt=(0, "dx")),
    sample(si.simpson, y[:2], x[:2]),
    sample(si.cumulative_simpson, y, x=x, initial=0.5, wrt=(0, "x", "initial"), case="cumulative_simpson"),
    sample(si.cumulative_simpson, Y, dx=0.3, axis=0, wrt=(0, "dx")),
    sample(si.romb, Y, 0.3, axis=0, case="romb"),
    sample(
        si.trapezoid,
        np.array([0.3, 1.2]),
        0.1,
        1.4,
        call=lambda p, a, b: si.fixed_quad(lambda x, q: np.exp(-p[0] * x) * q, a, b, (p[1],), n=4)[0],
        case="fixed_quad (param)",
    ),
]

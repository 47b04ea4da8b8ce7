"""Samples of scipy/integrate/initial_value.py: solutions as functions of initial values, times and parameters.

The tolerances are small, as forward and reverse mode solve different systems, each as accurate as was asked for.
"""

import numpy as np

import dotbar
import dotbar.scipy.integrate as si
from dotbar.scipy.integrate.initial_value import adjoint, flow, sensitivity
from samples import sample

y0, p, t = np.array([1.0, 0.5]), np.array([1.3, 0.7]), np.array([0.0, 0.3, 0.6])
TIGHT = {"rtol": 1e-12, "atol": 1e-13}


def rhs(t, y, p):
    return [y[1] * p[0], np.sin(t) - p[1] * y[0] ** 3]


def at(call, *args, **options):
    return sample(
        flow, *args, call=call, no_float32="a solver's tolerance is not that of float32", same_bits=False, **options
    )


def solve(method, y0, p, times):
    return si.solve_ivp(rhs, (0.0, 0.1), y0, method, args=(p,), t_eval=times, **TIGHT)


def falls(t, y, h):
    return y[0] - h


falls.terminal = True

SAMPLES = [
    at(
        lambda y0, p: si.odeint(lambda y, t: rhs(t, y, p), y0, t, **TIGHT),
        y0,
        p,
        case="odeint wrt y0,theta",
    ),
    at(
        lambda t: si.odeint(rhs, y0, np.concatenate([[0.0], t]), (p,), tfirst=True, **TIGHT),
        t[1:],
        case="odeint wrt times",
    ),
    at(lambda y0, p, times: solve("RK45", y0, p, times).y[:, -1], y0, p, np.array([0.05]), case="solve_ivp RK45"),
    at(
        lambda y0, p: solve("Radau", y0, p, [0.03]).y[:, -1],
        y0,
        p,
        case="solve_ivp stiff (BDF/Radau)",
        no_second="the words are those of the other methods, and SciPy's Radau takes its time",
    ),
    at(
        lambda y0, h: si.solve_ivp(
            lambda t, y, h: np.stack([y[1], -9.8 + 0 * y[0]]), (0, 2.0), y0, "DOP853", events=falls, args=(h,), **TIGHT
        ).t_events[0],
        y0,
        0.3,
        case="solve_ivp event time",
    ),
    sample(
        adjoint,
        y0,
        p,
        call=lambda y0, p: dotbar.grad(lambda p: np.sum(solve("DOP853", y0, p, [0.05]).y ** 2))(p),
        no_float32="a solver's tolerance is not that of float32",
        no_second="the words are those of the first order",
        same_bits=False,
    ),
    sample(
        sensitivity,
        y0,
        p,
        call=lambda y0, p: dotbar.jvp(lambda p: solve("DOP853", y0, p, [0.05]).y, (p,), (np.ones(2),))[1],
        no_float32="a solver's tolerance is not that of float32",
        no_second="the words are those of the first order",
        same_bits=False,
    ),
]

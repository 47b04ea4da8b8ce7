"""The charge w that steers a particle through the origin: a descent around an integrator around a force.

Two charges repel the particle; its path, by Euler's method, is followed until it meets the x axis, and w minimises
the square of where.  The force is itself a derivative, that of the potential.  The four functions are named after the
outer and the inner derivative, f forward, r reverse.
"""

import numpy as np
from descent import argmin

from dotbar import grad, jacfwd, jit, while_loop

MODES = {"f": jacfwd, "r": grad}
DT = 0.1


def potential(x, charges):
    """Σ 1/|x − charge|."""
    return np.sum(1 / np.sqrt(np.sum((x - charges) ** 2, axis=1)))


def landing(w, inner):
    """The square of the x at which the particle meets the axis, between two steps by interpolation."""
    charges = np.stack((np.stack((10.0, 10.0 - w)), np.array([10.0, 0.0])))
    slope = inner(potential)

    def above(state):
        return state[0][1] > 0

    def step(state):
        x, v, before = state
        v = v - DT * slope(before, charges)
        return x + DT * v, v, x

    start, v = np.array([0.0, 8.0]), np.array([0.75, 0.0])
    x, v, _ = while_loop(above, step, (start + DT * v, v, start))
    return (x[0] - x[1] / v[1] * v[0]) ** 2


def particle(outer, inner):
    def solve(w):
        f = lambda w: landing(w, inner)
        return argmin(f, outer(f), w)

    return solve


def prepare(input):
    return (np.float64(input["w"]),)


def example():
    return {"w": 0.0}


FUNCTIONS = {a + b: jit(particle(MODES[a], MODES[b])) for a in MODES for b in MODES}

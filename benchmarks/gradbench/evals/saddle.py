"""min over x of max over y of |x|² − |y|², a descent around an ascent, with any mode of derivative in any.

The four functions are named after the outer and the inner derivative, f forward, r reverse.
"""

import numpy as np
from descent import argmax, argmin

from dotbar import grad, jacfwd, jit

MODES = {"f": jacfwd, "r": grad}


def objective(x, y):
    return np.sum(x * x) - np.sum(y * y)


def saddle(outer, inner):
    def best(x, start):
        """argmax of f(x, ·)."""
        along = lambda y: objective(x, y)
        return argmax(along, inner(along), start)

    def solve(start):
        highest = lambda x: objective(x, best(x, start))
        x = argmin(highest, outer(highest), start)
        return np.concatenate((x, best(x, start)))

    return solve


def prepare(input):
    return (np.array(input["start"]),)


def example():
    return {"start": [1.0, 1.0]}


FUNCTIONS = {a + b: jit(saddle(MODES[a], MODES[b])) for a in MODES for b in MODES}

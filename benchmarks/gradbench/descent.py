"""Gradient descent with the step length of GradBench's nested evals, which any transform may differentiate.

The step η is halved when the objective does not fall, doubled after ten steps that did; the descent ends where the
gradient, or the step, is at most 10⁻⁵ long (Pearlmutter & Siskind, 2008).
"""

import numpy as np

from dotbar import cond, while_loop

SMALL = 1e-5


def length(v):
    return np.sqrt(np.sum(v * v))


def argmin(f, gradient, x):
    """A minimum of f near x."""

    def unfinished(state):
        return state[-1]

    def advance(state):
        x, fx, g, eta, count, _ = state
        eta, count = cond(count == 10, lambda: (2 * eta, 0), lambda: (eta, count))
        new = x - eta * g

        def fall():
            g = gradient(new)
            return new, fnew, g, eta, count + 1, length(g) > SMALL

        def rise():
            return x, fx, g, eta / 2, 0, True

        def stay():
            return x, fx, g, eta, count, False

        if_far = lambda: cond(fnew < fx, fall, rise)
        fnew = f(new)
        return cond(length(new - x) > SMALL, if_far, stay)

    g = gradient(x)
    return while_loop(unfinished, advance, (x, f(x), g, SMALL, 0, length(g) > SMALL))[0]


def argmax(f, gradient, x):
    """A maximum of f near x."""
    return argmin(lambda x: -f(x), lambda x: -gradient(x), x)

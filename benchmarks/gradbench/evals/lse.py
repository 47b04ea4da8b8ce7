"""log Σᵢ exp(xᵢ), and its gradient."""

import numpy as np

from dotbar import grad, jit, stop_gradient


def logsumexp(x):
    a = stop_gradient(np.max(x))  # any a gives the same value
    return a + np.log(np.sum(np.exp(x - a)))


def prepare(input):
    return (np.array(input["x"]),)


def example(n):
    return {"x": np.random.default_rng(0).random(n).tolist()}


FUNCTIONS = {"primal": jit(logsumexp), "gradient": jit(grad(logsumexp))}

"""y₀′ = x₀ and yᵢ′ = xᵢ yᵢ₋₁ from y = 0 to time 2 by s steps of Runge and Kutta, and the gradient of the last yᵢ."""

import numpy as np

from dotbar import grad, jit, scan


def solve(x, s):
    hx = 2 / s * x
    one = np.ones(1)

    def f(y):
        """h times y′."""
        return hx * np.concatenate((one, y[:-1]))

    def step(y, _):
        k1 = f(y)
        k2 = f(y + k1 / 2)
        k3 = f(y + k2 / 2)
        k4 = f(y + k3)
        return y + (k1 + 2 * (k2 + k3) + k4) / 6, None

    return scan(step, np.zeros_like(x), None, s)[0]


def last(x, s):
    return solve(x, s)[-1]


def prepare(input):
    return np.array(input["x"]), input["s"]


def example(n, s):
    return {"x": np.random.default_rng(0).random(n).tolist(), "s": s}


FUNCTIONS = {"primal": jit(solve, static_argnums=1), "gradient": jit(grad(last), static_argnums=1)}

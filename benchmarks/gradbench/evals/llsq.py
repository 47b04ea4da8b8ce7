"""Least squares by a polynomial: y(x) = ½ Σᵢ (sign tᵢ − Σⱼ xⱼ tᵢʲ)² at n points of [−1, 1], and its gradient.

The m powers are products of few, tʲ = (tᴮ)ᵖ tᵠ for j = Bp + q (Paterson & Stockmeyer, 1973): the polynomial is a
matrix product and a weighted sum, and its table has B + m/B columns instead of m.
"""

import numpy as np

from dotbar import grad, jit

B = 16


def powers(t, m):
    """1, t, …, tᵐ⁻¹, a row for each power."""
    rows = [np.ones_like(t)]
    for _ in range(m - 1):
        rows.append(rows[-1] * t)
    return np.stack(rows)


def objective(x, n):
    t = 2 * np.arange(n) / (n - 1) - 1
    blocks = -(-len(x) // B)
    X = np.reshape(np.pad(x, (0, blocks * B - len(x))), (blocks, B))
    r = np.sign(t) - np.einsum("pi,pi->i", powers(t**B, blocks), X @ powers(t, B))
    return r @ r / 2


def prepare(input):
    return np.array(input["x"]), input["n"]


def example(n, m=128):
    return {"x": np.random.default_rng(0).random(m).tolist(), "n": n}


FUNCTIONS = {
    "primal": jit(objective, static_argnums=1),
    "gradient": jit(grad(objective), static_argnums=1),
}

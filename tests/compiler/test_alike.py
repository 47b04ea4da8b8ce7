"""Nests that do the same are one function, and compute what they would compute each by itself."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from dotbar import grad, jit, set_num_threads
from dotbar.compiler import alike

rng = np.random.default_rng(0)
X, W = rng.standard_normal((9, 9)), rng.standard_normal((9, 9)) / 3


def functions(f, *args):
    return len(set(re.findall(r"define internal .*@(dotbar\.nest\.\w+)\(", jit(f).llvm(*args))))


def barriers(x):
    """Steps with sums along rows: nests over blocks."""
    for _ in range(5):
        x = x / np.sqrt(1 + np.sum(x * x, 1, keepdims=True))
    return x


def numbers(x):
    """A number goes into each nest, and two come out."""
    for _ in range(5):
        x = np.cos(x) * (np.sum(x * x) / (81 + np.max(x)))
    return x


def truths(x):
    for _ in range(5):
        x = np.where(np.all(np.cos(x) > -0.5), np.sin(x), np.cos(x)) @ W
    return x


def turned(x):
    for _ in range(4):
        x = np.tanh(x @ W).T + x
    return x


def assigned(x):
    for _ in range(5):
        x = x @ W
        x[2:5] = np.sin(x[1:4])
    return x


def looked_up(x):
    for _ in range(5):
        x = np.tanh(x[np.arange(9)[::-1]] @ W + np.sum(x) / 81)
    return x


PROGRAMS = (barriers, numbers, truths, turned, assigned, looked_up)


@pytest.mark.parametrize("f", PROGRAMS)
@pytest.mark.parametrize("derivative", [False, True])
def test_results_are_the_same_to_the_last_bit(monkeypatch, f, derivative):
    g = grad(lambda x: np.sum(np.sin(f(x)))) if derivative else f
    compiled = jit(g)
    compiled(X)
    result = compiled(X)
    assert functions(g, X) > 0
    monkeypatch.setattr(alike, "FEWEST", 10**9)
    alone = jit(g)
    alone(X)
    assert functions(g, X) == 0
    assert_array_equal(result, alone(X))
    np.testing.assert_allclose(result, g(X), rtol=1e-10, atol=1e-12)


def test_the_text_grows_with_what_is_new():
    def steps(n):
        def f(x):
            for _ in range(n):
                x = np.sin(x / np.sqrt(1 + np.sum(x * x, 1, keepdims=True))) @ W
            return x

        return len(jit(f).llvm(X))

    assert steps(40) - steps(20) < 20 * 2000


@pytest.mark.parametrize(
    "step",
    [
        lambda x, k: np.sin(x + k) @ W,  # another number
        lambda x, k: np.sin(x[: 8 - k]).T @ np.ones((8 - k, 1)) + np.ones((9, 9)),  # another shape
        lambda x, k: (np.sin, np.cos, np.tanh, np.exp)[k](x) @ W,  # another function
        lambda x, k: x @ W + np.sum(np.moveaxis(x.reshape(3, 3, 9), (0, 1, 2), ((0, 1, 2), (1, 0, 2))[k % 2])),
    ],
)
def test_what_differs_is_apart(step):
    def f(x):
        for k in range(4):
            x = step(x, k)
        return x

    compiled = jit(f)
    compiled(X)
    np.testing.assert_allclose(compiled(X), f(X), rtol=1e-10)


def test_with_threads():
    set_num_threads(2)
    try:
        compiled = jit(barriers)
        compiled(X)
        np.testing.assert_allclose(compiled(X), barriers(X), rtol=1e-10)
    finally:
        set_num_threads(1)

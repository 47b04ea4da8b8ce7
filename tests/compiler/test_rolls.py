"""Rolled arrays are read where they lie, beside their own entries."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from dotbar import jit, value_and_grad
from dotbar.compiler import engine
from dotbar.compiler.run import supported

pytestmark = pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")

X = np.sin(np.arange(60.0)).reshape(3, 4, 5)
CASES = [
    *(((5,), s, None) for s in (0, 1, -1, 2, 3, 7, -12)),
    *(((40,), s, 0) for s in (1, -8, 9, 20, 39)),
    *((X.shape, s, k) for s in (1, -2) for k in (0, 1, 2, -1, None)),
    (X.shape, (1, -1), (0, 2)),
    (X.shape, 1, (0, 2)),
    (X.shape, (1, 2), (1, 1)),
    ((1,), 1, 0),
    ((2,), 1, 0),
]


@pytest.mark.parametrize(("shape", "shift", "axis"), CASES)
def test_roll(shape, shift, axis):
    x = np.arange(float(np.prod(shape))).reshape(shape)
    compiled = jit(lambda x: np.roll(x, shift, axis) * 2)
    assert all(map(supported, compiled.program(x).equations))
    for _ in range(2):
        assert_array_equal(compiled(x), np.roll(x, shift, axis) * 2)


@pytest.mark.parametrize("axis", [0, 1])
def test_stencil(axis):
    def f(x, k):
        for _ in range(3):
            x = x + k * (np.roll(x, 1, axis) + np.roll(x, -1, axis) - 2 * x) + np.roll(x, 2, axis) * x**2
        return np.sum(x * x)

    g = value_and_grad(f, argnums=(0, 1))
    x = np.cos(np.arange(54.0)).reshape(6, 9)
    compiled = jit(g)
    for _ in range(2):
        (y, (xbar, kbar)), (z, (xwant, kwant)) = compiled(x, 0.1), g(x, 0.1)
        assert_allclose([y, kbar], [z, kwant], rtol=1e-12)
        assert_allclose(xbar, xwant, rtol=1e-12, atol=1e-12)


def test_of_a_sum_of_rolled_and_unrolled():
    x = np.arange(20.0)
    compiled = jit(lambda x: (np.roll(x + 1, 1) - (x + 1), np.roll(x + 1, 1)))
    for _ in range(2):
        for y, z in zip(compiled(x), (np.roll(x + 1, 1) - (x + 1), np.roll(x + 1, 1))):
            assert_array_equal(y, z)

"""Sums of products of matrices are products of sums."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dotbar import jit
from dotbar.compiler.simplify import simplify

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((4, 9, 5)), rng.standard_normal((4, 5, 7))


@pytest.mark.parametrize("axis", [-2, -1, (-2, -1)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("flipped", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("stack", [True, False])
def test_of_products(axis, keepdims, flipped, stack):
    x, y = (np.swapaxes(v, -1, -2).copy() if t else v for v, t in zip((X, Y) if stack else (X[0], Y[0]), flipped))

    def f(x, y):
        x, y = (np.swapaxes(v, -1, -2) if t else v for v, t in zip((x, y), flipped))
        return np.sum(x @ y, axis, keepdims=keepdims)

    program = simplify(jit(f).program(x, y)).validate()
    assert all(np.prod(z.shape) <= 36 for e in program.equations for z in e.outputs if "matmul" in e.rule.name)
    assert_allclose(program.run(x, y)[0], f(x, y), rtol=1e-12, atol=1e-12)


def test_a_sum_over_the_stack_stays():
    program = simplify(jit(lambda x, y: np.sum(x @ y, 0)).program(X, Y))
    assert_allclose(program.run(X, Y)[0], np.sum(X @ Y, 0), rtol=1e-12)

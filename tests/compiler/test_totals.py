"""Sums over steps of products of vectors are products of stacks."""

import numpy as np
import pytest
from recorded import assert_near, record

from dotbar import grad, scan
from dotbar.compiler.simplify import simplify
from dotbar.nested import LOOP

rng = np.random.default_rng(5)
W, V = rng.normal(size=(5, 6)) / 3, rng.normal(size=(6, 5)) / 3


def recurrent(W, xs):
    """A vector as state."""
    return np.sum(scan(lambda h, x: (np.tanh(W @ np.concatenate([h, x])), h), np.zeros(5), xs)[1] ** 2)


def twice(W, xs):
    """Two shares of each step, of which one reads the stack that the loop goes along."""
    return np.sum(scan(lambda h, x: (np.sin(W @ h) + W @ (h * x), None), np.ones(6), xs)[0])


def of_rows(W, xs):
    """A few rows at a time."""
    return np.sum(scan(lambda h, x: (np.tanh(h @ W) + x, None), np.ones((2, 6)), xs)[0] ** 2)


def of_columns(W, xs):
    return np.sum(scan(lambda h, x: (np.tanh(W @ h) + x, None), np.ones((6, 2)), xs)[0] ** 2)


CASES = [
    (recurrent, W, rng.normal(size=(7, 1))),
    (twice, W[:, :5][[0, 1, 2, 3, 4, 0]][:, [0, 1, 2, 3, 4, 1]], rng.normal(size=(7, 6))),
    (of_rows, rng.normal(size=(6, 6)) / 3, rng.normal(size=(7, 2, 6))),
    (of_columns, rng.normal(size=(6, 6)) / 3, rng.normal(size=(7, 6, 2))),
]


@pytest.mark.parametrize(("f", "W", "xs"), CASES, ids=[f.__name__ for f, _, _ in CASES])
def test_no_loop_carries_the_bar_of_a_matrix(f, W, xs):
    before = record(grad(f), W, xs)
    after = simplify(before).validate()
    carried = lambda program: [
        y.shape for e in program.equations if e.rule is LOOP for y in e.outputs[: e.settings["carries"]]
    ]
    assert W.shape in carried(before)
    assert W.shape not in carried(after)
    for t in (1.0, 0.7):
        assert_near(after.run(t * W, xs), before.run(t * W, xs), 1e-12)
    assert simplify(before, reassociate=False).validate()
    assert W.shape in carried(simplify(before, reassociate=False))


def test_a_sum_that_steps_read_stays():
    f = lambda W, xs: np.sum(scan(lambda A, x: (A + np.outer(A @ x, x), None), W, xs)[0])
    program = simplify(record(f, np.eye(6), rng.normal(size=(4, 6))))
    (loop,) = [e for e in program.equations if e.rule is LOOP]
    assert loop.settings["carries"] == 1


def test_rows_that_are_more_than_the_sum_stay():
    """A product over many rows is smaller than they are."""
    f = lambda W, xs: np.sum(scan(lambda h, x: (np.tanh(h @ W) + x, None), np.ones((20, 3)), xs)[0])
    program = simplify(record(grad(f), np.eye(3), rng.normal(size=(4, 20, 3))))
    assert (3, 3) in [y.shape for e in program.equations if e.rule is LOOP for y in e.outputs]

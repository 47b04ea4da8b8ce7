"""A derivative's loop reads what the first loop kept instead of computing it again."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from dotbar import jit, scan, value_and_grad, while_loop
from dotbar.compiler import histories
from dotbar.compiler.histories import remember
from dotbar.compiler.simplify import simplify

rng = np.random.default_rng(0)
W, X = rng.standard_normal((20, 20)) / 5, rng.standard_normal((6, 20, 20))


def recurrent(W, X, reverse=False):
    def step(h, x):
        h = np.tanh(h @ W + x)
        return h, np.sum(h)

    h, ys = scan(step, np.zeros(X.shape[1:]), X, reverse=reverse)
    return np.sum(h * h) + np.sum(ys)


def bodies(program):
    return [e.settings["body"] for e in program.equations if "body" in e.settings]


def products(body):
    return sum("matmul" in e.rule.name for e in body.equations)


def recorded(f, *args):
    return jit(value_and_grad(f, argnums=tuple(range(len(args))))).program(*args)


def check(program):
    args = [rng.standard_normal(x.shape) / 9 if x.shape else 0.3 for x in program.inputs]
    before, after = (p.validate().run(*args) for p in (program, remember(program)))
    for y, z in zip(before, after, strict=True):
        assert_array_equal(y, z)


@pytest.mark.parametrize("reverse", [False, True])
def test_products_are_kept(reverse):
    program = recorded(lambda W, X: recurrent(W, X, reverse), W, X)
    assert [products(body) for body in bodies(program)] == [1, 3]
    assert [products(body) for body in bodies(remember(program))] == [1, 2]
    check(program)


def test_of_second_derivatives():
    program = recorded(lambda W: np.sum(value_and_grad(lambda W: recurrent(W, X[:3, :4, :4]))(W)[1] ** 2), W[:4, :4])
    check(program)
    simplify(program).validate()


def test_what_is_cheap_is_computed_again():
    program = recorded(lambda x: scan(lambda h, _: (h * h + h, None), x, length=9)[0], 0.3)
    assert remember(program) is program


def test_not_more_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(histories, "MOST", 1000)
    program = recorded(recurrent, W, X)
    assert remember(program) is program


def test_loops_of_unknown_length_stay():
    def f(W):
        return np.sum(while_loop(lambda s: s[1] < 3, lambda s: (np.tanh(s[0] @ W), s[1] + 1), (np.eye(20), 0))[0])

    program = recorded(f, W)
    assert remember(program) is program


def test_a_loop_over_other_constants():
    def f(A, B):
        step = lambda M: lambda h, x: (np.tanh(h @ M + x), h)
        h, hs = scan(step(A), np.zeros((20, 20)), X)
        return np.sum(scan(step(B), h, hs)[0])

    check(recorded(f, W, W.T.copy()))

"""A long program is several functions, and computes what it would compute as one."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import dotbar as db
from dotbar import grad, jit, value_and_grad
from dotbar.compiler import parts

rng = np.random.default_rng(0)
X = rng.standard_normal((9, 9)) / 3


def functions(f, *args):
    return jit(f).llvm(*args).count("define internal i32 @program.part")


def numbers(x):
    a, b = x[0, 0], x[1, 1]
    for k in range(20):
        a, b = np.sin(a * b + k), np.exp(-b * b) / (1 + a * a)
    return a, b, a > b


def truths(x):
    kept = [x[k, k] > 0 for k in range(9)]
    y = np.sum(x)
    for _ in range(9):
        y = np.sin(y)
    return [np.where(b, y, k) for k, b in enumerate(kept)]


def mixed(x):
    first = np.sum(x)
    for _ in range(4):
        x = np.tanh(x @ x) * np.max(x) + np.sum(x * x) / 81 * first
    return x, first


def guarded(x):
    y = x[0, 0]
    for k in range(12):
        y = np.sin(y) + 1 if x[k % 9, 2] > 0 else np.cos(y)
    return y * np.sum(x)


def in_bodies(x):
    def step(f):
        def next(c, row):
            for k in range(8):
                c = f(c + np.sum(row) * k) @ x * row
            return c, c[0] * np.max(c)

        return next

    c, y = db.scan(step(np.sin), x[0], x)
    return *db.scan(step(np.cos), c, x), y


def of_unknown_length(x):
    def body(state):
        i, y = state
        for _ in range(5):
            y = np.sin(y) * np.cos(np.sum(y))
        return i + 1, y + x

    return db.while_loop(lambda state: state[0] < 3 + x[0, 0], body, (0, x))[1]


PROGRAMS = (numbers, truths, mixed, guarded, in_bodies, of_unknown_length)


@pytest.mark.parametrize("f", PROGRAMS)
@pytest.mark.parametrize("derivative", [False, True])
def test_results_are_the_same_to_the_last_bit(monkeypatch, f, derivative):
    total = lambda x: sum(np.sum(y) for y in db.tree.flatten(f(x))[0] if y.dtype.kind == "f")
    g = grad(total) if derivative else f
    whole = jit(g)
    whole(X)
    assert functions(g, X) == 0
    monkeypatch.setattr(parts, "LENGTH", 12)
    several = jit(g)
    several(X)
    assert "part0" in several.llvm(X)
    for y, z in zip(db.tree.flatten(whole(X))[0], db.tree.flatten(several(X))[0], strict=True):
        assert_array_equal(y, z)


def test_a_guard_that_fails_stops_the_parts_behind_it(monkeypatch):
    monkeypatch.setattr(parts, "LENGTH", 12)
    compiled = jit(guarded)
    for sign in (1, 1, -1, -1, 1):
        np.testing.assert_allclose(compiled(sign * X), guarded(sign * X), rtol=1e-12)


def steps(n):
    def f(x, y):
        for k in range(n):
            x, y = y, np.sin(x) * (k + y)
            if k % 50 == 0:
                x, y = np.tanh(x), np.tanh(y)
        return x

    return f


def test_no_function_grows_with_the_program():
    text = jit(steps(2000)).llvm(0.3, 0.8)
    assert all(function.count("\n") < 3 * parts.LENGTH for function in text.split("define "))


def test_thousands_of_operations_without_recursion():
    compiled = jit(value_and_grad(steps(5000), argnums=(0, 1)))
    with pytest.warns(UserWarning, match="10000 operations"):
        first = compiled(0.3, 0.8)
    for y, z in zip(db.tree.flatten(compiled(0.3, 0.8))[0], db.tree.flatten(first)[0], strict=True):
        np.testing.assert_allclose(y, z, rtol=1e-6)

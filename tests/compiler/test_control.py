"""Loops and branches in native code: nothing of them is left to NumPy, also in derivatives and batches."""

import resource

import numpy as np
import pytest
from recorded import assert_near, assert_same_bits, record

from dotbar import cond, fori_loop, grad, hessian, jit, jvp, scan, switch, value_and_grad, vmap, while_loop
from dotbar.compiler import engine
from dotbar.compiler.run import compiled, whole

pytestmark = pytest.mark.skipif(not engine.available(), reason="without llvmlite there is no native code")

X = np.array([0.5, -1.5, 2.0, 0.25, 1.0, -0.75, 3.0])


def native(f, *args):
    """What runs a function natively, all of it."""
    program = compiled(record(f, *args))
    assert whole(program) is not None, str(program)
    return program.function()


def root(a):
    step = lambda y: (y + a / y) / 2
    return while_loop(lambda s: abs(s[0] - s[1]) > 1e-9, lambda s: (step(s[0]), s[0]), (step(a), a))[0]


def running(x):
    """Carries of several dtypes and shapes, a constant array in the body, rows and numbers as outputs."""
    weights = np.array([1.0, -2.0, 0.5])

    def step(s, u):
        n, row, up = s
        row = row * u + weights[::-1]
        return (n + 1, row, row[0] > up), (row, n, u > 0)

    return scan(step, (0, np.zeros(3), False), x)


def turned(x):
    return scan(lambda c, u: (c - u, c * u), np.float32(1), x.astype(np.float32), reverse=True)


def filled(x):
    """Steps that write entries at places that are known when they run."""

    def step(i, table):
        table[i] = np.take(table, i - 1) * 0.5 + np.take(x, i)
        return table

    return fori_loop(1, 7, step, x)


def waves(x):
    """A branch in a loop in a loop."""
    inner = lambda i, c: cond(c > 1, lambda c: c * 0.5, lambda c: c + np.take(x, i), c)
    return fori_loop(0, 5, lambda i, c: fori_loop(0, 7, inner, c), x[0])


def chosen(x):
    return switch(np.sum(x > 0), [lambda: x, lambda: x + 1, lambda: x * 2, lambda: x[::-1], lambda: -x])


def no_steps(x):
    return fori_loop(3, 3, lambda i, c: c * 2, x), while_loop(lambda c: c < 0, lambda c: c + 1, x[0])


EXACT = [running, turned, filled, waves, chosen, no_steps, lambda x: root(x[2])]


@pytest.mark.parametrize("f", EXACT, ids=[f.__name__ for f in EXACT])
def test_results_are_those_of_numpy_to_the_last_bit(f):
    run = native(f, X)
    for x in (X, X[::-1].copy(), np.abs(X) * 1.1):
        want = record(f, x).run(x)
        for _ in range(2):
            assert_same_bits(run(x), want)


@pytest.mark.parametrize("steps", range(6))
def test_the_last_step_writes_the_result(steps):
    """Whichever of two blocks it begins with."""
    f = lambda x: scan(lambda c, u: (c * u + 1, None), x, x[:steps])[0]
    assert_same_bits(native(f, X)(X), [f(X)])


def hidden_state(x):
    W = np.outer(np.sin(x), x) / 9
    return scan(lambda h, u: (np.tanh(W @ h + u), np.sum(h * u)), x * 0.1, np.stack([x, 2 * x, -x]))[1]


def descent(x):
    slope = grad(lambda y: root(1 + y * y) + (y - x[0]) ** 2)
    return while_loop(lambda y: abs(slope(y)) > 1e-9, lambda y: y - 0.3 * slope(y), x[1])


SMOOTH = {
    "recurrence": hidden_state,
    "root": lambda x: root(1 + np.sum(x * x)),
    "roots": lambda x: scan(lambda c, u: (root(c + u * u), c), 1.0, x)[1],
    "descent": descent,
    "waves": waves,
}
WAYS = {
    "value and gradient": lambda f: value_and_grad(lambda x: np.sum(f(x) ** 2)),
    "forward": lambda f: lambda x: jvp(f, (x,), (x,)),
    "hessian": lambda f: hessian(lambda x: np.sum(f(x) ** 2)),
    "batch of gradients": lambda f: lambda x: vmap(grad(lambda x: np.sum(f(x) ** 2)))(np.stack([x, 1 - x, x / 2])),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("f", SMOOTH.values(), ids=SMOOTH)
def test_derivatives_are_native(f, way):
    g = way(f)
    run = native(g, X)
    for x in (X, X * 0.9):
        assert_near(run(x), record(g, x).run(x), 1e-7)


def test_stacks_are_freed():
    """A stack of a megabyte, two hundred times, at numbers of steps that differ."""
    f = jit(grad(lambda x, n: np.sum(fori_loop(0, n, lambda i, c: np.sin(c) * x, x))))
    x = np.linspace(0, 1, 1000)
    f(x, 120)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for n in range(100, 300):
        f(x, n % 130)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000


def test_errors_inside_a_body_are_numpys():
    f = jit(lambda A: scan(lambda c, A: (c + np.linalg.cholesky(A)[0, 0], None), 0.0, A)[0])
    good = np.stack([np.eye(3)] * 4)
    assert f(good) == 4
    bad = good.copy()
    bad[2, 1, 1] = -1
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        f(bad)
    assert f(good) == 4


@pytest.mark.parametrize(("kind", "length"), [("loop", 1), ("body", 99)])
def test_equal_loops_and_bodies_are_one_function(kind, length):
    f = lambda x: scan(lambda c, u: (c * u + 1, None), np.ones(length), x)[0]
    text = whole(compiled(record(lambda x: f(x) + f(x[::-1]), X))).native.text
    assert text.count(f"define internal i32 @dotbar.{kind}.") == 1

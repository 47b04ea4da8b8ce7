"""Small loops and branches: each number of theirs is a register, and their results are those of NumPy."""

import numpy as np
import pytest
from recorded import assert_near, assert_same_bits, record

from dotbar import cond, fori_loop, grad, jacfwd, jit, jvp, scan, switch, value_and_grad, vmap, while_loop
from dotbar.compiler import engine
from dotbar.compiler.run import compiled, whole

pytestmark = pytest.mark.skipif(not engine.available(), reason="without llvmlite there is no native code")

X = np.array([0.5, -1.5, 2.0, 0.25])


def native(f, *args):
    """What runs a function natively, without a step that goes through memory."""
    program = compiled(record(f, *args))
    segment = whole(program)
    assert segment is not None, str(program)
    assert "@dotbar.body." not in segment.native.text
    return program.function()


def first_entries(x, shape):
    return x[: int(np.prod(shape))].reshape(shape)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(), (1,), (2,), (1, 2), (2, 1, 2), (0,)], ids=str)
def test_carries_of_all_small_shapes(shape, dtype):
    """A number of steps that is known, and one that is not; numbers and bools beside; transposes and sums."""

    def f(x):
        a = first_entries(x, shape)

        def step(s, u):
            c, n, up = s
            return (c * a.T.T - u + np.sum(c), n + 1, n % 2 == 0), (c + u, up)

        def more(s):
            return (s[1] < 20) & (np.sum(s[0] * s[0]) < 50)

        return scan(step, (a, 0, True), x), while_loop(more, lambda s: step(s, x[0])[0], (a, 0, False))

    x = X.astype(dtype)
    run = native(f, x)
    for y in (x, x / 4, -x):
        assert_same_bits(run(y), record(f, y).run(y))


def table(x):
    """Entries read and written at places that are known when it runs."""

    def step(i, t):
        t[i, 1] += np.take(x, i)
        t[1 - i % 2] = t[i, ::-1] * 0.5
        return t

    return fori_loop(0, 2, step, first_entries(x, (2, 2)))


def chosen(x):
    """Branches in steps, of which some are the operands themselves."""
    cases = [lambda c, n: (c, n), lambda c, n: (n * c[::-1], 2), lambda c, n: (x[:2], n + 1)]
    return fori_loop(0, 9, lambda i, s: switch(i % 4 - 1, cases, *s), (x[:2], 0))


def nested(x):
    """A loop of unknown length in another, a branch in that."""
    halved = lambda c: while_loop(
        lambda c: np.sum(c * c) > 1, lambda c: cond(c[0] > 0, np.negative, np.cos, c * 0.5), c
    )
    return while_loop(lambda s: s[0] < 4, lambda s: (s[0] + 1, halved(s[1] * 3 + x[2:])), (0, x[:2]))


EXACT = [table, chosen, nested]


@pytest.mark.parametrize("f", EXACT, ids=lambda f: f.__name__)
def test_results_are_those_of_numpy_to_the_last_bit(f):
    run = native(f, X)
    for x in (X, X[::-1].copy(), X * 10):
        assert_same_bits(run(x), record(f, x).run(x))


def test_no_number_times_zero_is_taken_for_zero():
    f = lambda x: fori_loop(0, 3, lambda i, c: c * np.array([0.0, 1.0]) + 0.0, x)
    x = np.array([np.inf, np.nan])
    assert_same_bits(native(f, x)(x), record(f, x).run(x))


def test_an_index_beyond_the_ends():
    f = jit(lambda x, n: fori_loop(0, n, lambda i, c: c + x[i], 0.0))
    assert f(X, 4) == np.sum(X)
    with pytest.raises(IndexError):
        f(X, 5)
    assert f(X, 2) == X[0] + X[1]


@pytest.mark.parametrize("n", [1, 2])
def test_products_of_matrices(n):
    """And of vectors, stacks and transposes."""

    def f(A):
        step = lambda i, s: (A @ s[0] @ A.T + s[1], s[1] * 0.5 + s[0][0] @ A, np.stack((A, A.T)) @ s[0][:, 0])
        return fori_loop(0, 4, step, (A * 2, A[0], np.stack((A[0], A[0]))))

    A = np.cos(np.arange(n * n)).reshape(n, n)
    total = value_and_grad(lambda A: sum(np.sum(np.sin(y)) for y in f(A)))
    for g in (f, total):
        assert_near(native(g, A)(A), record(g, A).run(A), 1e-12)


# ---------------------------------------------------------------- derivatives


def landing(w):
    """Steps of a falling point until it is below the ground; their number depends on w."""
    step = lambda s: (s[0] + 0.1 * s[1], s[1] - 0.1 * w * s[0] / np.sqrt(np.sum(s[0] ** 2)))
    return np.sum(while_loop(lambda s: s[0][1] > 0, step, (np.array([0.5, 1.0]), np.array([1.0, 0.5])))[0] ** 2)


def settled(w):
    """A descent of unknown length along the slope of a loop of unknown length."""
    slope = grad(lambda y: landing(y * y + 1) + y)
    step = lambda s: (s[0] - 0.05 * slope(s[0]), s[1] + 1)
    return while_loop(lambda s: s[1] < 3 + 9 * abs(w), step, (w, 0))[0]


def counted(w):
    """Steps of known and unknown number, rows in and out."""
    return np.sum(scan(lambda c, u: (c * u + landing(w + u * u), c), w, X * X)[1])


SMOOTH = [landing, settled, counted]
WAYS = {
    "reverse": value_and_grad,
    "forward": lambda f: lambda x: jvp(f, (x,), (1.0,)),
    "forward over forward": lambda f: jacfwd(jacfwd(f)),
    "forward over reverse": lambda f: jacfwd(grad(f)),
    "reverse over forward": lambda f: grad(jacfwd(f)),
    "reverse over reverse": lambda f: grad(grad(f)),
    "batch of gradients": lambda f: lambda x: vmap(grad(f))(np.stack([x, x + 1])),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("f", SMOOTH, ids=lambda f: f.__name__)
def test_derivatives(f, way):
    """At several numbers of steps, from one to another, as a stack keeps its memory from one step to the next."""
    g = way(f)
    run = native(g, 1.0)
    for x in (1.0, 0.1, 2.5, 1.0):
        assert_near(run(x), record(g, x).run(x), 1e-9)


def test_stacks_within_steps_grow_and_shrink():
    f = jit(grad(lambda w: fori_loop(0, 6, lambda i, c: c + while_loop(lambda s: s < 2.0**i, lambda s: s * w, w), 0.0)))
    for w in (1.01, 3.0, 1.001):
        assert_near([f(w)], [grad(lambda w: sum(power(w, i) for i in range(6)))(w)], 1e-9)


def power(w, i):
    s = w
    while s < 2.0**i:
        s = s * w
    return s

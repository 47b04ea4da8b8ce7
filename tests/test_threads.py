"""Derivatives in independent threads do not see each other."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import dotbar


def loss(w, x):
    h = np.tanh(dotbar.name(w * x, "a"))
    h[0] = h[1] * w[0]
    return np.sum(dotbar.checkpoint(np.sin)(h) * w)


def derivatives(seed):
    rng = np.random.default_rng(seed)
    w, x = rng.standard_normal(5), rng.standard_normal(5)
    value, bars = dotbar.bars(loss)(w, x)
    return [
        value,
        bars["a"],
        dotbar.grad(loss, (0, 1))(w, x)[1],
        dotbar.hessian(loss)(w, x),
        dotbar.vmap(dotbar.grad(loss), (None, 0))(w, np.stack([x, w])),
    ]


def test_threads_give_what_one_thread_gives():
    want = [derivatives(seed) for seed in range(40)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(derivatives, range(40)))
    for one, other in zip(got, want):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_watching_is_a_matter_of_one_thread():
    with dotbar.debug_nans(), ThreadPoolExecutor(1) as pool:
        assert np.isinf(pool.submit(dotbar.grad(np.sqrt), 0.0).result())


@pytest.mark.parametrize("inner", [np.sin, dotbar.checkpoint(np.sin)], ids=["plain", "checkpoint"])
def test_one_pullback_in_many_threads(inner):
    x = np.linspace(0.1, 1, 50)
    _, pullback = dotbar.vjp(lambda x: inner(x) * np.cumsum(inner(x)), x)
    want = [pullback(k * x)[0] for k in range(20)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda k: pullback(k * x)[0], range(20)))
    np.testing.assert_array_equal(got, want)


def test_a_compiled_function_runs_in_two_threads_while_a_third_compiles():
    """New shapes, and other ways through the function, are recorded and compiled as the others call it."""

    def f(x):
        return np.sum(np.tanh(x) ** 2) if x[0] > 0 else np.sum(np.sin(x))

    compiled = dotbar.jit(dotbar.value_and_grad(f))
    xs = [np.full(7, 0.3), np.full(9, 0.6), *(sign * np.full(n, 0.2) for n in range(10, 20) for sign in (1, -1))]
    wanted = [dotbar.value_and_grad(f)(x) for x in xs]

    def agree(k):
        value, bar = compiled(xs[k])
        np.testing.assert_allclose(value, wanted[k][0], rtol=1e-13)
        np.testing.assert_allclose(bar, wanted[k][1], rtol=1e-13)

    def hammer(k):
        calls = 0
        while calls < 100 or not third.done():
            agree(k)
            calls += 1

    def compile():
        for k in range(2, len(xs)):
            for _ in range(3):
                agree(k)

    with ThreadPoolExecutor(3) as pool:
        third = pool.submit(compile)
        for done in [pool.submit(hammer, k) for k in (0, 1)]:
            done.result()
        third.result()

"""Nests in shares, done by any threads in any order, compute what they compute as a whole."""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ctypes import CFUNCTYPE, c_int

import numpy as np
import pytest
from test_loops import agree, record, run

import dotbar as db
from dotbar.compiler import engine, shares
from dotbar.compiler.loops import native
from dotbar.compiler.threads import set_num_threads

pytestmark = pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")

X = np.linspace(-2, 3, 1237)
A = np.sin(np.arange(53.0 * 19)).reshape(53, 19)
B = np.cos(np.arange(7.0 * 5 * 11)).reshape(7, 5, 11)


@pytest.fixture(autouse=True)
def several_threads(monkeypatch):
    monkeypatch.setattr(shares, "LARGE", 0)
    set_num_threads(3)
    yield
    set_num_threads(1)


def written(x):
    y = np.exp(x)
    y[1::2] = x[1::2] * 2
    y[3] += 1
    return y


def number_between(x):
    """A number from one nest is read in the shares of others."""
    m = np.max(x)
    return np.log(np.sum(np.exp(x - m))) + m, x - np.mean(x) * m


DIVIDED = {
    "elements": (lambda x: np.sin(x) * x + 1, X),
    "rows": (lambda x: np.tanh(x) - x[:, ::-1], A),
    "three axes": (lambda x: x.transpose(1, 0, 2) * 2 + 1, B),
    "broadcast": (lambda x: x[:, None] * x, X[:40]),
    "sum": (lambda x: np.sum(np.exp(x)), X),
    "sums and elements": (lambda x: (np.sum(x, 1), x * x, np.sum(x), np.max(x)), A),
    "sums of short rows": (lambda x: np.sum(x.reshape(-1, 3) ** 2, 1), X[:1236]),
    "integers": (lambda x: (np.sum(x.astype(np.int64)), x.astype(np.int64) * 3), X),
    "truth": (lambda x: (np.any(x > 2.9), np.all(x > -3), x > 1), X),
    "single precision": (lambda x: np.sum(x.astype(np.float32), dtype=np.float32), A),
    "sum over rows": (lambda x: np.sum(x * x, 0), np.sin(np.arange(30.0 * 90)).reshape(30, 90)),
    "sums over rows and elements": (lambda x: (np.sum(np.exp(x), 1), x + 1), B),
    "product": (lambda x: x @ x.T, A),
    "product with another's transpose": (lambda x: x.T @ x + 1, np.sin(np.arange(70.0 * 50)).reshape(70, 50)),
    "matrix times vector": (lambda x: x @ x[0], np.sin(np.arange(70.0 * 5)).reshape(70, 5)),
    "stack of products": (lambda x: x @ np.swapaxes(x, 1, 2), B),
    "number between": (number_between, X),
    "written": (written, X),
}
WHOLE = {
    "sums over rows and columns": (lambda x: (np.sum(x, 0), np.sum(x, 1)), A),
    "one row": (lambda x: x + 1, A[:1, :5]),
    "no entries": (lambda x: (x + 1, np.sum(x)), A[:0]),
    "a number": (lambda x: x[0, 0] * 2, A),
}


@pytest.mark.parametrize("name", DIVIDED)
def test_shares_agree_with_the_whole(name):
    f, x = DIVIDED[name]
    agree(f, x, ulp=40)
    assert ".share" in native(record(f, x)).text


@pytest.mark.parametrize("name", WHOLE)
def test_nests_that_are_not_divided(name):
    f, x = WHOLE[name]
    agree(f, x, ulp=40)
    assert ".share" not in native(record(f, x)).text


@pytest.mark.parametrize("n", [2, 7])
@pytest.mark.parametrize("rows", [2, 3, 8, 31, 100])
def test_any_number_of_rows(rows, n):
    set_num_threads(n)
    agree(lambda x: (np.sum(x * x), np.sum(x, 1), x + 1), np.sin(np.arange(rows * 6.0)).reshape(rows, 6), ulp=40)


@pytest.mark.parametrize("shape", [(32, 5, 7), (33, 300, 9), (100, 17, 1), (47, 1, 1000)])
def test_rows_of_products(shape):
    n, k, m = shape
    a, b = np.sin(np.arange(n * k * 1.0)).reshape(n, k), np.cos(np.arange(k * m * 1.0)).reshape(k, m)
    agree(np.matmul, a, b, ulp=40)
    agree(lambda x, y: x.T @ y.T, np.asfortranarray(a).T.copy(), b.T.copy(), ulp=40)


def test_an_error_in_a_share_is_the_functions():
    x = np.stack([np.eye(30) * k for k in range(8)])
    status, _ = run(record(np.linalg.cholesky, x + np.eye(30)), x)
    assert status == -1


def test_one_thread_and_small_nests_have_no_shares(monkeypatch):
    program = record(np.exp, X)
    set_num_threads(1)
    assert ".share" not in native(program).text
    set_num_threads(2)
    assert ".share" in native(program).text
    monkeypatch.undo()
    assert ".share" not in native(program).text


def test_sums_are_the_same_each_time():
    program = record(lambda x: np.sum(np.sin(x)), X)
    sums = {float(run(program, X)[1][0]) for _ in range(50)}
    assert len(sums) == 1


def test_a_compiled_gradient_in_several_threads():
    def f(x, w):
        return np.sum(np.tanh(x @ w) ** 2) + np.sum(np.log1p(np.exp(x)))

    xs = [np.full((60, 9), 0.1 * k) for k in range(1, 5)]
    w = np.cos(np.arange(36.0)).reshape(9, 4)
    wanted = [db.value_and_grad(f, (0, 1))(x, w) for x in xs]

    def hammer(compiled, k):
        for _ in range(100):
            value, grads = compiled(xs[k], w)
            np.testing.assert_allclose(value, wanted[k][0], rtol=1e-12)
            for g, h in zip(grads, wanted[k][1]):
                np.testing.assert_allclose(g, h, rtol=1e-11, atol=1e-13)

    with ThreadPoolExecutor(4) as pool, often():
        for _ in range(5):  # all threads meet while it is compiled
            compiled = db.jit(db.value_and_grad(f, (0, 1)))
            list(pool.map(hammer, [compiled] * 4, range(4)))


def test_code_stays_where_several_threads_look_for_it():
    text = f"define i32 @one() #0 {{ ret i32 1 }}\nattributes #0 = {{ {engine.attributes()} }}"
    with ThreadPoolExecutor(4) as pool, often():
        for _ in range(50):
            code = engine.compile(text)
            addresses = set(pool.map(code.address, ["one"] * 4))
            assert len(addresses) == 1
            assert CFUNCTYPE(c_int)(addresses.pop())() == 1


@contextmanager
def often():
    """Threads take turns a hundred times as often."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(interval / 100)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)

"""Memory: nothing is left behind, nothing is kept that no bar needs, single entries cost what they are."""

import contextlib
import gc
import sys
import tracemalloc

import numpy as np
import pytest

import dotbar
from dotbar import grad, hessian, jvp, value_and_grad, vjp, vmap

X = np.linspace(0.1, 1.0, 50)


def peak_of(f):
    """The most bytes allocated at once while ``f`` runs, beyond those before."""
    gc.collect()
    tracemalloc.start()
    try:
        f()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def in_place(x):
    y = np.zeros_like(x)
    y[1:] = x[:-1]
    y[0] = np.sin(y[1])
    y *= x
    return np.sum(y.reshape(5, 10).T[2:] ** 2)


USES = {
    "grad": lambda: grad(lambda x: np.sum(np.sin(x) * x))(X),
    "in place": lambda: grad(in_place)(X),
    "jvp": lambda: jvp(in_place, (X,), (X,)),
    "hessian": lambda: hessian(in_place)(X),
    "vmap": lambda: vmap(grad(in_place))(np.stack([X, X])),
    "vjp": lambda: vjp(in_place, X)[1](1.0),
    "linearize": lambda: dotbar.linearize(in_place, X)[1](X),
    "checkpoint": lambda: grad(dotbar.checkpoint(in_place))(X),
    "bars": lambda: dotbar.bars(lambda x: np.sum(dotbar.name(x, "a") ** 2))(X),
    "debug": lambda: watched(),
    "check": lambda: dotbar.check_grads(lambda x: np.sum(x * x))(X[:3]),
}


def watched():
    with dotbar.debug_nans():
        return grad(in_place)(X)


def assert_no_cycles(use):
    use()
    while gc.collect():  # what tests before have left, some of which frees more
        pass
    gc.disable()
    try:
        use()
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_no_reference_cycles_are_left(use):
    assert_no_cycles(use)


def raises(x):
    np.sin(x)
    raise KeyError


def converts(x):
    return np.zeros(3)[x]


def writes_into_plain(x):
    plain = np.zeros(3)
    plain[0] = x[0]
    return plain[0]


@pytest.mark.parametrize("f", [raises, converts, writes_into_plain])
def test_no_reference_cycles_after_an_error(f):
    def use():
        with contextlib.suppress(KeyError, TypeError):
            grad(f)(X)

    assert_no_cycles(use)


def test_a_million_operations_in_a_chain():
    """No recursion, neither in the sweep nor when the tape is freed."""

    def chain(x):
        for _ in range(10**6):
            x = x * 0.999999
        return x

    value, g = value_and_grad(chain)(2.0)
    np.testing.assert_allclose([value, g], [2 * 0.999999**10**6, 0.999999**10**6], rtol=1e-9)


N = 100_000  # 800 kB an array


def test_memory_is_freed_as_the_sweep_goes():
    """Each bar is dropped once it was passed on: the sweep adds a few arrays to what the tape holds."""

    def chain(x):
        for _ in range(30):
            x = np.sin(x)
        return np.sum(x)

    x = np.ones(N)
    assert peak_of(lambda: grad(chain)(x)) < (30 + 6) * x.nbytes


def test_values_are_kept_only_if_a_bar_needs_them():
    def sums(x):
        for _ in range(30):
            x = np.cos(0.3) * (x + 1.0) - x / 2.0
            x = x.reshape(-1, 10).T.reshape(-1)
        return np.sum(x)

    x = np.ones(N)
    assert peak_of(lambda: grad(sums)(x)) < 8 * x.nbytes


def test_checkpoints_keep_their_inputs_only():
    def step(x):
        for _ in range(20):
            x = np.sin(x)
        return x

    def loss(step):
        def f(x):
            for _ in range(10):
                x = step(x)
            return np.sum(x)

        return f

    x = np.ones(N)
    assert peak_of(lambda: grad(loss(step))(x)) > 190 * x.nbytes
    assert peak_of(lambda: grad(loss(dotbar.checkpoint(step)))(x)) < 50 * x.nbytes
    assert (
        peak_of(lambda: grad(lambda x: np.sum(vmap(loss(dotbar.checkpoint(step)))(x)))(x.reshape(10, -1)))
        < 50 * x.nbytes
    )


def test_dead_branches_are_never_computed():
    swept = []
    f = dotbar.custom_vjp(lambda x: x)
    f.defvjp(lambda x: (x, None), lambda _, g: swept.append(1) or (g,))

    def loss(x):
        f(x * 2)
        y, _ = f(x), f(x)
        return np.sum(y)

    grad(loss)(X)
    assert swept == [1]


def test_forward_mode_of_a_long_loop():
    """10⁵ steps hold no more than 10³ do: value and dot are all there is."""
    held = []

    def loop(x):
        y = x
        for k in range(10**5):
            y = y * 0.5 + x
            if k in (10**3, 10**5 - 1):
                held.append(sys.getallocatedblocks())
        return y

    jvp(loop, (np.ones(10),), (np.ones(10),))
    assert held[1] - held[0] < 300


# ---------------------------------------------------------------- single entries


def read_each(x):
    total = 0.0
    for i in range(x.shape[0]):
        total = total + x[i] * x[i]
    return np.sum(total)


def write_each(x):
    y = np.zeros_like(x)
    for i in range(x.shape[0]):
        y[i] = x[i] * 2.0
    return np.sum(y * y)


def recur(x):
    y = x * 1.0
    for i in range(1, x.shape[0]):
        y[i] = y[i - 1] * 0.5 + y[i]
    return np.sum(y[-1])


ORDERS = {
    "value": lambda f, x: f(np.zeros_like(x) + x),
    "forward": lambda f, x: jvp(f, (x,), (x,)),
    "reverse": lambda f, x: grad(f)(x),
    "reverse over reverse": lambda f, x: grad(lambda x: np.sum(grad(f)(x) * x))(x),
    "forward over reverse": lambda f, x: dotbar.hvp(f, (x,), (x,)),
}


def large_allocations(use, size):
    """The bytes of all allocations of about ``size`` and more, also of those that are soon freed.

    At each call and return, also of C functions, what the peak since the one before went up is added.
    """
    total, before = 0, 0

    def note(frame, event, arg):
        nonlocal total, before
        now, peak = tracemalloc.get_traced_memory()
        total += peak - before if peak - before > size / 2 else 0
        tracemalloc.reset_peak()
        before = now

    gc.collect()
    tracemalloc.start()
    sys.setprofile(note)
    try:
        use()
    finally:
        sys.setprofile(None)
        tracemalloc.stop()
    return total


@pytest.mark.parametrize("f", [read_each, write_each, recur], ids=lambda f: f.__name__)
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_single_entries_cost_their_own_size(f, order):
    """n reads and writes of rows allocate far fewer than n arrays of the whole size, in any mode."""
    x = np.linspace(0, 1, 200 * 500).reshape(200, 500)
    assert large_allocations(lambda: order(f, x), x.nbytes) < 0.3 * len(x) * x.nbytes


def consume(x):
    total = 0.0
    while len(x):
        total, x = total + x[0] ** 2, x[1:]
    return total


def test_slices_of_slices_hold_one_slice():
    held = [peak_of(lambda n=n: grad(consume)(np.ones(n))) for n in (200, 2000)]
    assert held[1] < 15 * held[0]


def test_large_allocations_sees_what_is_soon_freed():
    x = np.ones(10**5)
    assert large_allocations(lambda: [np.copy(x).size for _ in range(100)], x.nbytes) >= 100 * x.nbytes

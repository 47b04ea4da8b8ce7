"""scan, while_loop, fori_loop, cond and switch: Python's loops and branches in every mode, also where items differ."""

import tracemalloc
from typing import NamedTuple

import numpy as np
import pytest

import dotbar.numpy as dnp
from dotbar import (
    checkpoint,
    cond,
    debug_print,
    fori_loop,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    scan,
    switch,
    vjp,
    vmap,
    while_loop,
)
from dotbar.errors import InputError, OutputError, StructureError

close = lambda actual, wanted, rtol=1e-9: np.testing.assert_allclose(actual, wanted, rtol=rtol, atol=1e-12)


def by_forward(f):
    return lambda x: jvp(f, (x,), (1.0,))[1]


MODES = {"forward": by_forward, "reverse": grad}
each_mode = pytest.mark.parametrize("d", MODES.values(), ids=MODES)
each_mode_inside = pytest.mark.parametrize("d_inside", MODES.values(), ids=MODES)
each_outermost = pytest.mark.parametrize("d_outside", MODES.values(), ids=MODES)


def root(a):
    """√a by Newton's steps, until they no longer move."""
    step = lambda y: (y + a / y) / 2
    return while_loop(lambda s: abs(s[0] - s[1]) > 1e-9, lambda s: (step(s[0]), s[0]), (step(a), a))[0]


# ---------------------------------------------------------------- scan


def horner(x, coefficients):
    """Σ cₖ x^(n−k), and the partial sums."""
    return scan(lambda p, c: (p * x + c, p), 0.0, coefficients)


def test_scan_is_the_loop():
    total, partial = horner(2.0, np.array([3.0, 0.0, 1.0]))
    assert total == 13.0
    np.testing.assert_array_equal(partial, [0.0, 3.0, 6.0])


def test_scan_in_reverse_keeps_the_order_of_its_outputs():
    total, partial = scan(lambda c, x: (c + x, c), 0, np.array([1, 2, 3]), reverse=True, unroll=2)
    assert total == 6
    np.testing.assert_array_equal(partial, [5, 3, 0])


def test_scan_without_inputs():
    assert scan(lambda c, x: (c + 1, x), 0, length=3) == (3, None)
    np.testing.assert_array_equal(scan(lambda c, x: (2 * c, c), 1.0, None, 4)[1], [1, 2, 4, 8])


class State(NamedTuple):
    position: np.ndarray
    speed: float


def test_containers():
    def step(state, force):
        new = State(state.position + state.speed, state.speed + force["push"])
        return new, {"at": new.position, "speeds": (new.speed, None)}

    last, seen = scan(step, State(np.zeros(2), 0.0), {"push": np.ones(3)})
    assert type(last) is State
    np.testing.assert_array_equal(last.position, [3, 3])
    np.testing.assert_array_equal(seen["at"], [[0, 0], [1, 1], [3, 3]])
    assert seen["speeds"][1] is None


def test_no_steps():
    carry, ys = scan(lambda c, x: (c * x, (c, x > 0)), 2.0, np.zeros((0, 3)))
    assert carry == 2.0
    assert (ys[0].shape, ys[1].shape, ys[1].dtype) == ((0,), (0, 3), bool)
    assert fori_loop(3, 1, lambda i, c: c + i, 5) == 5
    close(grad(lambda x: scan(lambda c, _: (c * x, None), x, length=0)[0])(3.0), 1.0)


@each_mode
@pytest.mark.parametrize("steps", [None, 1, 2, 5, 9])
def test_scan_differentiates(d, steps):
    """Of Σ cₖ x^(n−k), with respect to x, c and the first carry, whatever is recomputed."""
    c, n = np.array([3.0, 0.0, 1.0, -2.0, 0.5]), 5
    f = lambda x, start=0.0, c=c: scan(lambda p, c: (p * x + c, p), start, c, checkpoint=steps)[0]
    close(d(f)(1.3), np.polyval(np.polyder(c), 1.3))
    close(d(d(f))(1.3), np.polyval(np.polyder(c, 2), 1.3))
    close(d(lambda s: f(1.3, s))(0.7), 1.3**n)
    close(d(lambda t: f(1.3, 0.0, t * c))(1.0), f(1.3))


def test_outputs_differentiate():
    x = np.array([0.3, -0.2, 0.9])
    f = lambda x: scan(lambda c, x: (np.sin(c + x), c * x), 0.5, x)[1]

    def by_hand(x):
        c, ys = 0.5, []
        for k in range(3):
            ys.append(c * x[k])
            c = np.sin(c + x[k])
        return np.stack(ys)

    for jacobian in (jacfwd, jacrev):
        close(jacobian(f)(x), jacobian(by_hand)(x))
    close(hessian(lambda x: np.sum(f(x) ** 2))(x), hessian(lambda x: np.sum(by_hand(x) ** 2))(x))
    X = np.stack([x, 2 * x])
    close(vmap(f)(X), np.stack([f(x), f(2 * x)]))
    close(vmap(jacrev(f))(X), np.stack([jacrev(f)(x), jacrev(f)(2 * x)]))


def peak(f, *args):
    """The most bytes held during a call."""
    f(*args)
    tracemalloc.start()
    f(*args)
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size


walk = lambda x, **kw: np.sum(scan(lambda c, x: (np.sin(c + x), c), np.zeros(8), x, **kw)[1] ** 2)
LINEAR = {
    "value": walk,
    "forward": lambda x: jvp(walk, (x,), (x,)),
    "reverse": grad(walk),
    "reverse over reverse": grad(lambda x: np.sum(grad(walk)(x) ** 2)),
}


@pytest.mark.parametrize("f", LINEAR.values(), ids=LINEAR)
def test_memory_is_linear_in_the_number_of_steps(f):
    assert peak(f, np.ones((1600, 8))) < 16 * peak(f, np.ones((200, 8)))  # eight times the steps; squared, 64


def test_checkpoint_saves_memory():
    long = lambda **kw: grad(
        lambda x: scan(lambda c, _: (np.sin(c + x), None), np.zeros(300), None, 400, **kw)[0].sum()
    )
    assert peak(long(checkpoint=20), np.ones(300)) < peak(long(), np.ones(300)) / 5
    close(long(checkpoint=20)(np.ones(300)), long()(np.ones(300)))


# ---------------------------------------------------------------- while_loop and fori_loop


@each_mode
@each_mode_inside
def test_while_differentiates_as_often_as_one_likes(d, d_inside):
    close(root(3.0), np.sqrt(3))
    close(d(root)(3.0), 0.5 / np.sqrt(3), 1e-7)
    close(d(d_inside(root))(3.0), -0.25 * 3**-1.5, 1e-5)


@each_mode
@each_mode_inside
@each_outermost
def test_while_inside_gradient_descent_inside_grad(d, d_inside, d_outside):
    """y* = a² minimises ⅔ y^(3/2) − a y, whose root is a loop, by a loop of steps along its derivative."""
    objective = lambda y, a: 2 / 3 * y * root(y) - a * y

    def minimiser(a):
        slope = lambda y: d_inside(lambda y: objective(y, a))(y)
        step = lambda s: (s[0] - 2 * s[1], slope(s[0] - 2 * s[1]))
        return while_loop(lambda s: abs(s[1]) > 1e-12, step, (1.0 + 0 * a, slope(1.0 + 0 * a)))[0]

    close(minimiser(1.5), 1.5**2, 1e-7)
    close(d(minimiser)(1.5), 3.0, 1e-5)
    close(d_outside(d(minimiser))(1.5), 2.0, 1e-3)


@each_mode
def test_fori_loop(d):
    power = lambda x: fori_loop(2, 7, lambda i, c: c * x + i, 1.0)
    p = np.array([1.0, 2, 3, 4, 5, 6])
    close(power(1.1), np.polyval(p, 1.1))
    close(d(power)(1.1), np.polyval(np.polyder(p), 1.1))
    close(d(d(power))(1.1), np.polyval(np.polyder(p, 2), 1.1))


def test_integers_count():
    steps = lambda n: while_loop(
        lambda s: s[0] != 1, lambda s: (np.where(s[0] % 2, 3 * s[0] + 1, s[0] // 2), s[1] + 1), (n, 0)
    )
    assert steps(27)[1] == 111
    np.testing.assert_array_equal(vmap(lambda n: steps(n)[1])(np.array([1, 2, 27, 6])), [0, 1, 111, 8])


# ---------------------------------------------------------------- items that differ

A = np.array([0.5, 1.7, 3.0, 100.0])


@each_mode
def test_items_finish_when_they_are_done(d):
    np.testing.assert_array_equal(vmap(root)(A), [root(a) for a in A])
    np.testing.assert_array_equal(vmap(d(root))(A), [d(root)(a) for a in A])
    close(vmap(d(d(root)))(A), [d(d(root))(a) for a in A])
    close(d(lambda t: np.sum(vmap(root)(t * A)))(1.0), sum(a * d(root)(a) for a in A))
    close(vmap(vmap(root))(A.reshape(2, 2)), np.sqrt(A).reshape(2, 2))


def drained(x):
    """One more step than an item takes would be the root of a negative number, or that of 0."""
    return while_loop(lambda x: x >= 1, lambda x: np.sqrt(np.sum(np.stack([x, -1.0]))) + 0 * x, x)


@each_mode
def test_a_finished_item_takes_no_further_step(d):
    """Neither a warning nor a nan comes from it, also behind functions that mix entries."""
    x = np.array([-3.0, 0.0, 1.0625, 4.0, 30.0])
    np.testing.assert_array_equal(vmap(drained)(x), [drained(v) for v in x])
    np.testing.assert_array_equal(vmap(d(drained))(x), [d(drained)(v) for v in x])
    close(d(lambda t: np.sum(vmap(drained)(t + x)))(0.0), sum(d(drained)(v) for v in x))


@each_mode
def test_loops_of_different_lengths(d):
    n, x = np.array([0, 1, 5, 2]), np.array([1.5, 2.0, 0.5, -1.0])
    power = lambda n, x: fori_loop(0, n, lambda i, c: c * x, 1.0)
    close(vmap(power)(n, x), x**n)
    close(vmap(lambda n, x: d(lambda x: power(n, x))(x))(n, x), n * x ** (n - 1.0))
    close(vmap(lambda n, x: fori_loop(n, 5, lambda i, c: c + i, 0.0 * x))(n, x), [10, 10, 0, 9])


safe_log = lambda x: cond(x > 0, lambda x: np.log(np.sum(np.stack([x, x]))), lambda x: x - 1, x)
LOG = np.array([-2.0, 0.0, 1.0, 3.0])


@each_mode
def test_a_branch_not_taken_leaves_no_nan(d):
    slope = [1.0, 1.0, 1.0, 1 / 3]
    close(vmap(safe_log)(LOG), [safe_log(x) for x in LOG])
    close([d(safe_log)(x) for x in LOG], slope)
    close(vmap(d(safe_log))(LOG), slope)
    close(grad(lambda x: np.sum(vmap(safe_log)(x)))(LOG), slope)
    close(vmap(d(d(safe_log)))(LOG), [0, 0, -1, -1 / 9])


def test_a_branch_that_no_item_takes_is_not_computed():
    refuse = lambda x: 1 / 0
    close(vmap(lambda x: cond(x > 9, refuse, np.negative, x))(LOG), -LOG)


def test_conditions_of_two_batches():
    f = lambda x, y: cond(x > y, lambda x, y: x * y, lambda x, y: y / (y - x + 1), x, y)
    close(
        vmap(vmap(f, in_axes=(None, 0)), in_axes=(0, None))(LOG, A),
        [[f(x, y) for y in A] for x in LOG],
    )


@each_mode
def test_switch(d):
    branches = [np.sin, lambda x: x**2, np.exp]
    index, x = np.array([-4, 0, 1, 2, 9]), np.linspace(0.1, 0.9, 5)
    one = lambda i, x: switch(i, branches, x)
    wanted = [np.sin(x[0]), np.sin(x[1]), x[2] ** 2, np.exp(x[3]), np.exp(x[4])]
    slope = [np.cos(x[0]), np.cos(x[1]), 2 * x[2], np.exp(x[3]), np.exp(x[4])]
    close([one(i, v) for i, v in zip(index, x)], wanted)
    close(vmap(one)(index, x), wanted)
    close([d(lambda v, i=i: one(i, v))(v) for i, v in zip(index, x)], slope)
    close(vmap(lambda i, v: d(lambda v: one(i, v))(v))(index, x), slope)


# ---------------------------------------------------------------- dtypes, assignment, errors


@pytest.mark.parametrize("start", [0, 0.0, np.float32(0)])
def test_a_python_number_takes_on_the_dtype_of_the_steps(start):
    x = np.ones(3, np.float32)
    carry, ys = scan(lambda c, x: (c + x, c), start, x)
    assert carry == 3
    assert carry.dtype == ys.dtype == np.float32
    assert scan(lambda c, x: (0.0, c), np.float32(1), x)[0].dtype == np.float32
    assert vjp(lambda x: scan(lambda c, x: (c + x, None), start, x)[0], x)[1](np.float32(1))[0].dtype == np.float32


def test_complex_carries():
    z = 0.6 + 0.5j
    close(
        grad(lambda z: fori_loop(0, 3, lambda i, w: w * w + z, 0j + z), holomorphic=True)(z),
        jvp(lambda z: ((z * z + z) ** 2 + z) ** 2 + z, (z,), (1 + 0j,))[1],
    )


def fills(x):
    """Steps that assign to what they are given."""

    def step(carry, row):
        carry[0] += row[1]
        row[0] = carry[0]
        return carry, carry

    return scan(step, x[0], x)


def test_steps_may_assign_to_what_they_are_given():
    x = np.arange(6.0).reshape(3, 2)
    for f in (lambda x: fills(x)[1], lambda x: while_loop(lambda c: c[0, 0] < 3, lambda c: dnp.add(c, 1, out=c), x)):
        before = x.copy()
        values = f(x)
        np.testing.assert_array_equal(x, before)
        np.testing.assert_array_equal(vjp(f, x)[0], values)
        np.testing.assert_array_equal(jacfwd(f)(x), jacrev(f)(x))
    np.testing.assert_array_equal(fills(x)[1], [[1, 1], [4, 1], [9, 1]])

    def clear(x):
        x[...] = 0
        return x

    np.testing.assert_array_equal(cond(True, clear, clear, x), np.zeros((3, 2)))
    np.testing.assert_array_equal(switch(0, [clear], x), np.zeros((3, 2)))
    np.testing.assert_array_equal(x, before)


ERRORS = [
    (lambda: scan(lambda c, x: c, 0.0, np.ones(2)), OutputError, r"pair \(carry, y\)"),
    (lambda: scan(lambda c, x: ((c, c), x), 0.0, np.ones(2)), StructureError, r"the carry.*from \* to \(\*, \*\)"),
    (lambda: scan(lambda c, x: ({"a": x}, x), {"a": 0.0}, np.ones((2, 3))), StructureError, r"carry\['a'\].*\(3,\)"),
    (
        lambda: scan(lambda c, x: (c + 0.5, x), np.array(1), np.ones(2)),
        StructureError,
        "dtype.*int64 to float64.*astype",
    ),
    (lambda: scan(lambda c, x: (c + 1, np.ones(c)), 1, np.ones(2)), StructureError, "the output changes its shape"),
    (lambda: scan(lambda c, x: (c, x), 0.0), InputError, "neither xs nor a length"),
    (lambda: scan(lambda c, x: (c, x), 0.0, np.ones(2), 3), StructureError, r"length: 3, xs: 2"),
    (lambda: scan(lambda c, x: (c, x), 0.0, (np.ones(2), np.ones(3))), StructureError, r"xs\[0\]: 2, xs\[1\]: 3"),
    (lambda: scan(lambda c, x: (c, x), 0.0, 1.0), StructureError, "xs is a scalar"),
    (lambda: while_loop(lambda c: c < 3, lambda c: c + 1, np.zeros(2)), StructureError, r"\(2,\).*np\.any"),
    (lambda: while_loop(lambda c: c < 3, lambda c: (c, c), 0.0), StructureError, "structure"),
    (
        lambda: fori_loop(0, 3, lambda i, c: np.ones(2), 0.0),
        StructureError,
        r"shape between steps, from \(\) to \(2,\)",
    ),
    (lambda: cond(np.ones(2) > 0, np.sin, np.cos, 0.0), StructureError, r"condition of cond is of shape \(2,\)"),
    (lambda: vmap(lambda x: cond(x > 1, lambda: x, lambda: (x, x)))(A), StructureError, "the result.*between branches"),
    (lambda: switch(0, []), InputError, "no branches"),
    (lambda: switch(1.0, [np.sin]), InputError, "dtype float64"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS, ids=[message for _, _, message in ERRORS])
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_debug_print(capsys):
    def f(x):
        debug_print("x = {:.1f}, {}", x, "y")
        return x * x

    assert grad(f)(2.0) == 4.0
    np.testing.assert_array_equal(vmap(grad(checkpoint(f)))(np.array([1.0, 2.0])), [2.0, 4.0])
    assert capsys.readouterr().out.splitlines()[:3] == ["x = 2.0, y", "x = 1.0, y", "x = 2.0, y"]

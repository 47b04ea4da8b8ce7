"""Loops and branches under jit: one equation each, whose values and derivatives are those of eager mode."""

import warnings
from typing import NamedTuple

import numpy as np
import pytest

from dotbar import (
    cond,
    debug_print,
    fori_loop,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jit,
    jvp,
    nested,
    scan,
    switch,
    value_and_grad,
    vjp,
    vmap,
    while_loop,
)
from dotbar.compiler import run
from dotbar.core import is_differentiable
from dotbar.errors import ConversionError, MutationError, ProgramError, StructureError
from dotbar.nested import BRANCH, LOOP
from dotbar.program import Program, Var, programs
from dotbar.trace import LONG
from dotbar.tree import flatten


def close(actual, wanted, rtol=1e-9):
    """The same structure, shapes and dtypes, and values that are near for their dtype."""
    (xs, form), (ys, expected) = flatten(actual), flatten(wanted)
    assert form == expected
    for x, y in zip(map(np.asarray, xs), map(np.asarray, ys)):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        single = y.dtype == np.float32
        np.testing.assert_allclose(x, y, rtol=1e-4 if single else rtol, atol=1e-5 if single else 1e-11)


def control(program):
    """The loops and branches of a Program, also those inside others."""
    found = [e for e in program.equations if e.rule in (LOOP, BRANCH)]
    return found + [inner for e in found for p in programs(e).values() for inner in control(p)]


# ---------------------------------------------------------------- functions of one array


class State(NamedTuple):
    position: np.ndarray
    rest: dict


def pendulum(x):
    """A carry of numbers, no inputs, an output."""

    def step(state, _):
        angle, speed = state
        speed = speed - 0.1 * x[0] * np.sin(angle)
        angle = angle + 0.1 * speed
        return (angle, speed), angle * x[1]

    return scan(step, (1.0, 0.0), length=7)


def recurrence(x):
    """A carry that is an array, inputs, outputs in a container, a matrix closed over."""
    W = np.outer(x, x) / 3

    def step(h, u):
        h = np.tanh(W @ h + u)
        return h, {"h": h * x, "none": None, "norm": np.sum(h**2)}

    return scan(step, np.ones(3), np.stack([x, 2 * x, -x, x * x]))


def backwards(x):
    """From the last to the first."""
    return scan(lambda c, u: (np.sin(c) + u, c * u), 0.5 * x[0], x, reverse=True)


def segments(x):
    """Of seven steps every third carry is kept."""
    xs = np.stack([x, x**2, np.sin(x), x + 1, x - 1, 2 * x, np.cos(x)])
    return scan(lambda c, u: (np.sin(c + u), c * u), x, (xs), checkpoint=3)


def segments_backwards(x):
    xs = {"a": np.stack([x, x**2, np.sin(x), x + 1, x - 1]), "b": None}
    return scan(lambda c, u: (np.sin(c + u["a"]), c * u["a"]), x, xs, reverse=True, checkpoint=2)


def containers(x):
    """Carries of several arrays, integers and Python's numbers."""

    def step(state, u):
        n, t = state.rest["n"], state.rest["t"]
        moved = State(state.position * u + n, {"n": n + 1, "t": t + 0.5})
        return moved, (moved.position, t * u)

    return scan(step, State(x, {"n": 0, "t": 0.0}), x)


def no_steps(x):
    return scan(lambda c, u: (c * u, (c, u > 0)), x[0], np.stack([x])[:0, 0])


def one_step(x):
    return scan(lambda c, u: (c * u, c), x[0], x[1:2])


def assigning(x):
    """Steps that assign to the carry and to what they are given."""

    def step(c, row):
        c[0] += row[1]
        row[0] = c[0] * c[1]
        return c, row

    return scan(step, x, np.stack([x, 2 * x, x * x]))


def root(a):
    """√a by Newton's steps, until they no longer move."""
    step = lambda y: (y + a / y) / 2
    return while_loop(lambda s: np.abs(s[0] - s[1]) > 1e-9, lambda s: (step(s[0]), s[0]), (step(a), a))[0]


def roots(x):
    return root(x[0] ** 2 + 1.0) * root(x[1] ** 2 + 3.0) + x


def collatz_of_floats(x):
    """An integer decides how often, a condition what a step is."""
    halved = lambda s: (s[0] // 2, s[1] * np.sin(s[2]), s[2])
    tripled = lambda s: (3 * s[0] + 1, s[1] + s[2], s[2] * 1.1)
    step = lambda s: cond(s[0] % 2 == 0, halved, tripled, s)
    return while_loop(lambda s: s[0] != 1, step, (6, x, x[0]))[1:]


def power(x):
    """Σ over a range of Python's numbers."""
    return fori_loop(2, 7, lambda i, c: c * x + i, 1.0 * x)


def gathered(x):
    """An array closed over, of which each step takes an entry."""
    return fori_loop(0, 3, lambda i, c: c + np.take(x, i) ** 2 * np.take(x, 2 - i), 0.0)


def taken(x):
    return cond(x[0] > 0, lambda x: {"y": np.log(x[0] + 1) * x, "z": x[1]}, lambda x: {"y": -x, "z": x[1] ** 2}, x)


def not_taken(x):
    return cond(x[0] > 9, lambda: 1.0, lambda: np.sum(x))


def switched(x):
    index = np.sum(x > 0.4)
    return switch(index, [np.sin, lambda x: x**2, np.exp], x) * x[0]


def nested_scans(x):
    """A scan of scans, the inner one over what the outer one carries."""
    inner = lambda c, row: scan(lambda a, b: (a * np.cos(b), a + b * x[0]), np.sum(c), row * c)
    outer = lambda c, row: (c + inner(c, row)[0], inner(c, row)[1])
    return scan(outer, x, np.stack([x, x**2]))


def scan_of_whiles(x):
    return scan(lambda c, u: (root(1.5 + np.sin(c + u)), root(2 + c * u)), x[0], x * 0.3)


def descent(x):
    """A loop of gradient steps whose slope is a derivative of a loop."""
    objective = lambda y: np.sum((y - x) ** 2) + root(1 + np.sum(y**2))
    step = lambda s: (s[0] - 0.3 * grad(objective)(s[0]), s[1] + 1)
    return while_loop(lambda s: s[1] < 4, step, (np.zeros(3), 0))[0]


def inner_modes(x):
    """Derivatives of loops, inside the function."""
    f = lambda x: np.sum(scan(lambda c, u: (np.sin(c * u), c), x[0], x)[1] ** 2)
    return grad(f)(x) + jvp(f, (x,), (x,))[1] * x


def vmapped_whiles(x):
    """Items that take different numbers of steps."""
    return vmap(lambda a: root(1 + a**2))(x * np.array([1.0, 10.0, 100.0]))


def unequal_lengths(x):
    count = vmap(lambda n, a: fori_loop(0, n, lambda i, c: c * a + i, a))
    return count(np.array([0, 3, 1]), x)


def of_float32(x):
    """Python's numbers in the carry take on the dtype of the steps."""
    y = x.astype(np.float32)
    return scan(lambda c, u: (c + u, c), 0, y), fori_loop(0, 3, lambda i, c: c * i + y, y)


def complex_carry(x):
    z = x[0] + 1j * x[1]
    return np.abs(fori_loop(0, 3, lambda i, w: w * w + z, 0j * z))


FUNCTIONS = [
    *(pendulum, recurrence, backwards, segments, segments_backwards, containers, no_steps, one_step, assigning),
    *(roots, collatz_of_floats, power, gathered, taken, not_taken, switched, nested_scans, scan_of_whiles, descent),
    *(inner_modes, vmapped_whiles, unequal_lengths, of_float32, complex_carry),
]
each = pytest.mark.parametrize("f", FUNCTIONS, ids=[f.__name__ for f in FUNCTIONS])
X, NEAR = np.array([0.7, -0.3, 0.5]), np.array([0.9, 0.6, -0.2])


def total(f):
    """One number of a function's result."""
    return lambda x: sum(np.sum(np.sin(y)) for y in flatten(f(x))[0] if is_differentiable(y))


def shape_of_result(f):
    return lambda x: flatten(f(x))[0]


MODES = {
    "value": lambda f: f,
    "value_and_grad": lambda f: value_and_grad(total(f)),
    "jvp": lambda f: lambda x: jvp(shape_of_result(f), (x,), (x * x,)),
    "vjp": lambda f: lambda x: vjp(total(f), x)[1](1.5),
    "hessian": lambda f: hessian(total(f)),
    "forward over forward": lambda f: jacfwd(jacfwd(total(f))),
    "reverse over reverse": lambda f: jacrev(jacrev(total(f))),
    "vmap": lambda f: lambda x: vmap(shape_of_result(f))(np.stack([x, -x, x * x])),
    "vmap of grad": lambda f: lambda x: vmap(grad(total(f)))(np.stack([x, -x, x * x])),
    "grad of vmap": lambda f: lambda x: grad(lambda X: np.sum(vmap(total(f))(X) ** 2))(np.stack([x, -x, x * x])),
}


@each
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_compiled_is_eager(f, mode):
    """Recorded at one point and run at others; with jit outside of the derivative and inside."""
    with np.errstate(all="ignore"):
        for g in (jit(mode(f)), mode(jit(f))):
            for x in (X, NEAR, X):
                close(g(x), mode(f)(x), 1e-4 if f is of_float32 else 1e-7)


@each
def test_programs_are_well_formed(f):
    """Each loop and branch is one equation, and the Program of a derivative is as valid as that of the value."""
    for g in (f, grad(total(f))):
        program = jit(g).program(X).validate()
        assert control(program) or f is not_taken
        assert len(program.equations) < 100
        close(program.run(X), flatten(g(X))[0], 1e-7)


# ---------------------------------------------------------------- numbers of steps known at run time


def by_forward(f):
    return lambda x: jvp(f, (x,), (1.0,))[1]


WAYS = {"forward": by_forward, "reverse": grad}
each_way = pytest.mark.parametrize("d", WAYS.values(), ids=WAYS)
each_way_inside = pytest.mark.parametrize("d_inside", WAYS.values(), ids=WAYS)


@each_way
@each_way_inside
def test_while_inside_gradient_descent_inside_grad(d, d_inside):
    """y* = a² minimises ⅔ y^(3/2) − a y, whose root is a loop, by a loop of steps along its derivative."""
    objective = lambda y, a: 2 / 3 * y * root(y) - a * y

    def minimiser(a):
        slope = lambda y: d_inside(lambda y: objective(y, a))(y)
        step = lambda s: (s[0] - 2 * s[1], slope(s[0] - 2 * s[1]))
        return while_loop(lambda s: abs(s[1]) > 1e-12, step, (1.0 + 0 * a, slope(1.0 + 0 * a)))[0]

    compiled, slope = jit(minimiser), jit(d(minimiser))
    for a in (1.5, 1.2, 2.0):
        np.testing.assert_allclose(compiled(a), a * a, 1e-7)
        np.testing.assert_allclose(slope(a), d(minimiser)(a), 1e-9)
        np.testing.assert_allclose(slope(a), 2 * a, 1e-5)
        np.testing.assert_allclose(d(compiled)(a), 2 * a, 1e-5)
    np.testing.assert_allclose(jit(d(d(minimiser)))(1.5), 2.0, 1e-3)


def test_only_what_depends_on_a_tangent_has_one_for_each_item():
    """A step length that a branch chooses has no tangent, and a primal value is not repeated for a batch of them."""

    def descend(x):
        def step(state):
            x, eta = state
            return cond(eta > 0.25, lambda: (x - eta * x, eta / 2), lambda: (x, eta / 2))

        return while_loop(lambda state: state[1] > 0.1, step, (x, 1.0))[0]

    f = jit(jacfwd(descend))
    x = np.array([1.0, 2.0, 3.0])
    close(f(x), jacfwd(descend)(x))
    (e,) = (e for e in f.program(x).equations if e.rule is LOOP)
    assert sorted(y.shape for y in e.outputs) == [(), (3,), (3, 3)]


def test_one_recording_serves_all_numbers_of_steps():
    """Also those of a range that an argument ends, in every mode."""
    calls = []

    def f(n, x):
        calls.append("recorded")
        return fori_loop(0, n, lambda i, c: c * x + i, 1.0 * x)

    eager = lambda n, x: fori_loop(0, n, lambda i, c: c * x + i, 1.0 * x)
    for g, wanted in ((jit(f), eager), (jit(grad(f, 1)), grad(eager, 1)), (jit(hessian(f, 1)), hessian(eager, 1))):
        before = len(calls)
        g(5, 1.1)
        recorded = len(calls)
        assert recorded > before
        for n in (0, 1, 5, 8):
            np.testing.assert_allclose(g(n, 0.9), wanted(n, 0.9), 1e-12)
        assert len(calls) == recorded


# ---------------------------------------------------------------- what a body may do


def test_a_body_may_not_decide():
    x = np.ones(3)
    for body in (
        lambda c, u: (c if u > 0 else -c, None),
        lambda c, u: (c * int(u), None),
        lambda c, u: (c + np.arange(3)[int(c)], None),
        lambda c, u: (c + np.sum(np.nonzero(np.stack([u, c]))[0]), None),
    ):
        with pytest.raises(ConversionError, match=r"test_nested.py:\d+.*np.where"):
            jit(lambda x, b=body: scan(b, 0.0, x)[0])(x)
    with pytest.raises(ConversionError, match=r"bool\(\).*dotbar.cond"):
        jit(lambda x: while_loop(lambda c: bool(c < x[0]), lambda c: c + 1, 0.0))(x)
    with pytest.raises(ConversionError, match=r"bool\(\).*dotbar.cond"):
        jit(lambda x: cond(x[0] > 0, lambda x: 1.0 if x[1] > 0 else 2.0, lambda x: 3.0, x))(x)


def test_what_is_known_outside_decides():
    """A value that no step changes is of the function around the loop, and guarded there."""
    f = lambda x: scan(lambda c, u: (c + u if x[0] > 0 else c - u, None), 0.0, x)[0]
    g = jit(f)
    for x in (X, -X, X):
        close(g(x), f(x))


def outer_assigned(x):
    seen = np.zeros(3, like=x)

    def step(c, u):
        seen[0] = c
        return c + u, None

    return scan(step, 0.0, x)[0] + seen


def outer_of_the_caller(x):
    y = x * 2

    def step(c, u):
        y[0] = 1.0
        return c + u * y[0], None

    return scan(step, 0.0, x)[0]


def argument_assigned(x):
    def step(c, u):
        np.add(x, c, out=x)
        return c + u, None

    return scan(step, 0.0, x)[0]


@pytest.mark.parametrize("f", [outer_assigned, outer_of_the_caller, argument_assigned])
@pytest.mark.parametrize("mode", [lambda f: f, grad, lambda f: vmap(f)], ids=["value", "grad", "vmap"])
def test_a_body_may_not_assign_to_what_is_outside(f, mode):
    x = np.ones((2, 3)) if mode not in (grad,) and mode(len) is not len else np.ones(3)
    with pytest.raises(MutationError, match="part of the carry"):
        jit(mode(lambda x: np.sum(f(x))))(x)


def test_a_body_may_assign_to_its_own():
    """Also to an array made of values from outside, none of them of the steps."""

    def f(x):
        def step(c, u):
            A = np.zeros((2, 2), like=x)
            A[0, 1] = u * c
            B = x[:2] * 2
            B[0] = 1.0
            return np.sum(A @ B) + c, B * c

        return scan(step, 1.0, x)

    close(jit(f)(X), f(X))
    close(jit(grad(total(f)))(X), grad(total(f))(X))


def test_carries_must_stay_what_they_are():
    for call, message in (
        (lambda x: scan(lambda c, u: ((c, c), u), 0.0, x), "structure"),
        (lambda x: scan(lambda c, u: (c[:1], u), x, x), r"shape.*\(3,\) to \(1,\)"),
        (lambda x: scan(lambda c, u: (c + u, u), np.array(1), x), "int64 to float64.*astype"),
        (lambda x: while_loop(lambda c: x < c, lambda c: c + 1, 0.0), r"\(3,\).*np\.any"),
        (lambda x: cond(x[0] > 0, lambda: x, lambda: x[0]), "between branches"),
        (lambda x: cond(x[0] > 0, lambda: x, lambda: (x, x)), "between branches"),
    ):
        with pytest.raises(StructureError, match=message):
            jit(call)(X)


def test_branches_agree_on_a_dtype():
    f = lambda x: cond(x[0] > 0, lambda: 0, lambda: x[0])
    for x in (X, -X, X.astype(np.float32)):
        wanted = x.dtype.type(f(x))
        got = jit(f)(x)
        assert (got, got.dtype) == (wanted, x.dtype)


def test_functions_that_refuse_their_example():
    """What a body is recorded on may be no matrix that has a factor; only what it runs on must."""

    def f(x):
        made = scan(lambda c, u: (c + u, np.eye(2) * u), x[0], x)[1]
        return scan(lambda c, A: (c + np.linalg.cholesky(A)[0, 0], np.linalg.inv(A)), 0.0, made + 3 * np.eye(2))

    close(jit(f)(X), f(X))
    assert np.isfinite(jit(grad(lambda x: f(x)[0]))(X)).all()


def test_debug_print_prints_when_it_runs(capsys):
    def f(x):
        def step(c, u):
            debug_print("c = {:.1f}", c)
            return c + u, None

        return scan(step, 0.0, x)[0]

    lines = lambda: capsys.readouterr().out.splitlines()
    g = jit(f)
    g(np.array([1.0, 2.0]))
    assert lines() == ["c = 0.0", "c = 1.0"]
    g(np.array([5.0, 2.0]))
    assert lines() == ["c = 0.0", "c = 5.0"]
    h = jit(grad(f))
    h(np.array([5.0, 2.0]))
    assert lines() == ["c = 0.0", "c = 5.0"]
    h(np.array([4.0, 2.0]))
    assert lines() == ["c = 0.0", "c = 4.0"]
    i = jit(lambda x: cond(x > 0, lambda: debug_print("up"), lambda: debug_print("down")))
    i(1.0)
    i(-1.0)
    assert lines() == ["up", "down"]


def test_a_long_loop_of_python_is_noticed():
    def f(x):
        for _ in range(LONG // 2 + 10):
            x = x + 1.0
            x = x * 0.5
        return x

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        jit(f).program(1.0)
    (warning,) = caught
    assert "dotbar.scan" in str(warning.message)
    assert "test_nested.py:" in str(warning.message)


# ---------------------------------------------------------------- the Program


def test_printed_programs_show_their_bodies():
    text = str(jit(lambda x: scan(lambda c, u: (c * x[0] + u, c), 0.0, x)).program(X))
    assert text == SCAN.strip("\n")
    assert "branch 0 (" in str(jit(taken).program(X))


SCAN = """
program (a: f64[3]):
  b: f64[] = read a  path=[0]
  c: f64[]~, d: f64[3] = loop b 0.0 a  consts=1  carries=1  test=None  length=3  reverse=False
    body (a: f64[], b: f64[]~, c: f64[]):
      d: f64[] = multiply b a
      e: f64[] = add d c
      return e, b
  return c, d
"""


def test_the_validator_looks_inside():
    program = jit(lambda x: scan(lambda c, u: (c * u, c), x[0], x)).program(X)
    loop = next(e for e in program.equations if e.rule is LOOP)
    body = loop.settings["body"]
    wrong = [
        Program(body.inputs, body.equations[1:], body.outputs),
        Program(body.inputs[1:], body.equations, body.outputs),
        Program([Var((2,), x.dtype) for x in body.inputs], [], body.inputs),
        Program(body.inputs, body.equations, [np.zeros(3), body.outputs[1]]),
    ]
    for broken in wrong:
        loop.settings["body"] = broken
        with pytest.raises(ProgramError):
            program.validate()
    loop.settings["body"] = body
    program.validate()


def test_a_body_that_is_run_often_becomes_native(monkeypatch):
    """A recording runs steps through NumPy, and compiles them when that would have been cheaper."""
    f = lambda x: np.sum(scan(lambda c, _: (np.sin(c) * x, c), x, None, 20)[1])
    x, compiled, made, counts = np.array([0.3, 1.2]), run.compiled, [], []
    monkeypatch.setattr(run, "compiled", lambda program: made.append(program) or compiled(program))
    for worth in (0, 20, 10**6):
        monkeypatch.setattr(nested, "WORTH", worth)
        made.clear()
        np.testing.assert_allclose(jit(grad(f))(x), grad(f)(x), rtol=1e-12)
        counts.append(len(made))
    assert counts[0] == counts[1] > counts[2] == 0

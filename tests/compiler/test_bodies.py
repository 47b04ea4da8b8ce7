"""Loops and branches are left with what somebody reads."""

import numpy as np
import pytest
from recorded import record

from dotbar import cond, grad, jvp, scan, vmap, while_loop
from dotbar.compiler.bodies import trim
from dotbar.nested import BRANCH, LOOP
from dotbar.program import programs

X = np.array([0.5, -1.5, 2.0])


def trimmed(f, *args):
    """A Program before and after, and its loops and branches."""
    program = record(f, *args)
    smaller = trim(program).validate()
    np.testing.assert_array_equal(smaller.run(*args), program.run(*args))
    return [e for e in smaller.equations if e.rule in (LOOP, BRANCH)]


def test_results_that_nobody_reads_go():
    step = lambda c, u: ((c[0] * u, c[1] + c[0], c[2] * 2), (c[0], c[1], u))
    run = lambda x: scan(step, (x[0], x[1], x[2]), x)
    (loop,) = trimmed(lambda x: run(x)[0][0], X)
    assert (len(loop.inputs), len(loop.outputs), loop.settings["carries"]) == (2, 1, 1)
    (loop,) = trimmed(lambda x: run(x)[0][1], X)  # needs the first carry
    assert (len(loop.inputs), len(loop.outputs), loop.settings["carries"]) == (3, 2, 2)
    (loop,) = trimmed(lambda x: run(x)[1][2], X)  # no carry at all
    assert (len(loop.inputs), len(loop.outputs), loop.settings["carries"]) == (1, 1, 0)
    (branch,) = trimmed(lambda x: cond(x[0] > 0, lambda: (x[1], x[2]), lambda: (x[2], np.sum(x)))[0], X)
    assert (len(branch.inputs), len(branch.outputs)) == (3, 1)


def test_what_a_test_asks_stays():
    f = lambda x: while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * 2, s[2] + 1), (x[0], x[1], x[2]))
    (loop,) = trimmed(lambda x: f(x)[1], X)
    assert (len(loop.outputs), loop.settings["carries"]) == (2, 2)


@pytest.mark.parametrize("d", [grad, lambda f: lambda x: jvp(f, (x,), (1.0,))[1]], ids=["reverse", "forward"])
def test_stacks_of_batches_lie_as_loops_read_them(d):
    root = lambda a: while_loop(lambda y: abs(y * y - a) > 1e-9, lambda y: (y + a / y) / 2, a)
    program = trim(record(vmap(d(root)), abs(X))).pruned()
    assert not [e for e in program.equations if e.rule.fn is np.transpose]
    assert any(-1 in y.shape for e in program.equations for y in e.outputs) == (d is grad)


def test_bodies_are_trimmed_in_turn():
    inner = lambda c: scan(lambda a, b: (a * b, a), c, X)
    (loop,) = trimmed(lambda x: scan(lambda c, u: (inner(c * u)[0], None), x[0], x)[0], X)
    (body,) = programs(loop).values()
    (within,) = [e for e in body.equations if e.rule is LOOP]
    assert len(within.outputs) == 1

"""Writes and reads: what the pass knows of the entries of arrays, and that it knows no more than is true."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import assert_same_bits, record

import dotbar
from dotbar.compiler.simplify import simplify
from dotbar.compiler.writes import region
from dotbar.core import take_index
from dotbar.rules.words import read

SHAPE = (4, 3)
PLACES = [
    *(0, -1, (2, 1), (-1, 0), (..., 2), (slice(None), 1), slice(1, 3), slice(None, None, -1), slice(None)),
    *((slice(0, 4, 2), 0), (slice(1, 4, 2), 0), (slice(0, 2), slice(1, 3)), (None, 2), (slice(2, 2), 0)),
]


def fits(shape, into):
    """Whether an array of a shape can be assigned to one of another."""
    return len(shape) <= len(into) and all(m in (1, n) for m, n in zip(shape[::-1], into[::-1]))


steps = st.lists(st.tuples(st.sampled_from(["write", "copy", "number", "transposed"]), *2 * [st.sampled_from(PLACES)]))


@settings(max_examples=60, deadline=None)
@given(steps)
def test_any_writes_and_reads(todo):
    """Reads return what was written last, whatever overlaps."""

    def f(x, v):
        a, seen = np.copy(x), []
        for kind, to, of in todo:
            if kind == "write":
                a[to] = v[to]
            elif kind == "number":
                a[to] = 2.0
            elif kind == "transposed":
                a.T[::-1][0, :2] = a[:2, 0] + 1
            elif fits(np.shape(x[of]), np.shape(x[to])):
                a[to] = a[of]
            seen.append(a[of] * 1.5)
        return a, seen

    x, v = np.arange(12.0).reshape(SHAPE), -np.arange(1.0, 13).reshape(SHAPE)
    program = record(f, x, v)
    simpler = simplify(program, reassociate=False).validate()
    assert_same_bits(simpler.run(x, v), program.run(x, v))
    assert_same_bits(simplify(program).validate().run(x, v), program.run(x, v))


@pytest.mark.parametrize("place", PLACES, ids=repr)
def test_region_is_what_the_index_selects(place):
    numbers = np.arange(12).reshape(SHAPE)
    where = region(SHAPE, ((take_index, {"index": place}),))
    assert where is not None
    assert np.array_equal(numbers[np.ix_(*where.ranges)].ravel(), numbers[place].ravel())
    assert where.shape == numbers[place].shape


@pytest.mark.parametrize("at", [lambda k: k, lambda k: (k, 2), lambda k: (slice(None), k % 5)])
def test_reads_see_through_any_number_of_writes_of_the_same_kind(at):
    """A loop that writes one row after the other and reads the row before, as an ODE solver does."""

    def f(x):
        y = np.zeros((60, 5), like=x)
        y[at(0)] = np.sum(x)
        for k in range(1, 60):
            y[at(k)] = np.sin(y[at(k - 1)])
        return np.sum(y)

    program = simplify(record(dotbar.grad(f), np.ones(3))).validate()
    assert not [e for e in program.equations if e.rule.fn is read]

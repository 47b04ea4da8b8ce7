"""Writes and reads: what the pass knows of the entries of arrays, and that it knows no more than is true."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import assert_same_bits, record

import dotbar
from dotbar.compiler.regions import region
from dotbar.compiler.simplify import simplify
from dotbar.core import take_index, value_of
from dotbar.program import WRITTEN
from dotbar.rules.shapes import reshape_to
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


def test_writes_that_are_replaced_unread_are_not_made():
    """An accumulator of two parts, as the reverse sweep of ``d[0] = x[0]; d[1:] = x[1:] * y`` has it."""

    def f(x):
        total = np.zeros(6, like=x)
        for _ in range(20):
            total[0] = total[0] + np.sin(x[0])
            total[1:] = total[1:] * x[1:] + 1.0
        return total

    program = simplify(record(f, np.ones(6))).validate()
    assert [e.settings["path"] for e in program.equations if e.rule is WRITTEN] == [path(0), path(slice(1, None))]


def test_reads_of_a_part_of_what_was_written():
    def f(x, v):
        a = np.zeros((4, 6), like=x)
        a[2, 0:5] = v
        return a[2], a[1], a[2, 1:3], a[1:3, 4]

    x, v = np.ones(6), np.arange(5.0)
    program = simplify(record(f, x, v)).validate()
    assert_same_bits(program.run(x, v), f(x, v))
    assert all(y.shape != (4, 6) for e in program.equations for y in e.outputs)


def path(index):
    return ((take_index, {"index": index}),)


@settings(max_examples=200, deadline=None)
@given(*2 * [st.lists(st.sampled_from(PLACES), min_size=1, max_size=2)], st.permutations(range(3)))
def test_what_regions_have_in_common(first, second, axes):
    """Regions of one array, reshaped and transposed: where one lies within the other, and what both have."""

    def steps(places):
        return ((reshape_to, {"shape": (4, 4, 4)}), (np.transpose, {"axes": axes}), *(path(p)[0] for p in places))

    numbers = np.arange(64)
    p, q = ((s, region((64,), s)) for s in (steps(first[:1]), steps(second[:1])))
    for where, r in (p, q):
        assert np.array_equal(value_of(numbers, r.path((64,))), value_of(numbers, where))
    (where, r), (other, s) = p, q
    read, whole = value_of(numbers, where), value_of(numbers, other)
    shared = set(read.flat) & set(whole.flat)
    assert not (r.apart(s) and shared)
    if (part := r.part_of(s)) is not None:
        assert np.array_equal(value_of(whole, part.path(whole.shape)), read)
    both = r.common(s)
    if both is not None:
        assert (set(value_of(numbers, both.path((64,))).flat) if all(both.ranges) else set()) == shared

"""Numbers in registers: factors go through operations, and slow ones are vectors, with the results of NumPy."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import assert_near, record

from dotbar import fori_loop
from dotbar.compiler import engine
from dotbar.compiler.run import compiled
from dotbar.compiler.scalars import Scalars

pytestmark = pytest.mark.skipif(not engine.available(), reason="without llvmlite there is no native code")

F64 = np.dtype(float)
VALUES = np.array([1.0, -1.0, 3.0, 0.3, np.nan, np.inf, -np.inf])
NUMBERS = st.sampled_from([2.0, -2.0, 0.5, -1.0, 1.0, 0.1, 0.0])


@st.composite
def terms(draw, depth=6):
    """A function of a vector and its text; divisors are not 0, as its sign may change."""
    if not depth:
        return draw(st.sampled_from([lambda x: x, lambda x: x[::-1]]))
    a, b, c = draw(terms(depth - 1)), draw(terms(draw(st.integers(0, depth - 1)))), draw(NUMBERS)
    ways = [
        lambda x: a(x) + b(x),
        lambda x: a(x) - b(x),
        lambda x: a(x) * b(x),
        lambda x: a(x) / (x * (c or 2)),
        lambda x: np.sqrt(a(x)),
        lambda x: -a(x),
        lambda x: a(x) * c,
        lambda x: c + a(x),
        lambda x: c / (x * -0.5) - a(x),
    ]
    return draw(st.sampled_from(ways))


@given(terms())
@settings(max_examples=60, deadline=None)
def test_random_terms(f):
    g = lambda x: fori_loop(0, 2, lambda i, s: (s[1], f(s[0])), (x, -x))
    program = record(g, VALUES[:2])
    run = compiled(program).function()
    for x in (VALUES[:2], VALUES[2:4], VALUES[4:6], VALUES[5:7]):
        assert_near(run(x), program.run(x), 1e-9)


def instructions(f, n):
    """What is written for a function of code and registers, without what nothing reads."""
    code = Scalars()
    used = set(re.findall(r"%\w+", " ".join(f(code, *(f"%in{k}" for k in range(n))))))
    lines = []
    for line in reversed(code.lines):
        name, _, right = line.strip().partition(" = ")
        if name in used:
            used.update(re.findall(r"%\w+", right))
            lines.append(right.split()[0])
    return " ".join(lines[::-1])


def twice_half(code, a, b):
    """(2a)·(b/2)."""
    return [code.entry("multiply", F64, code.entry("multiply", F64, a, 2.0), code.entry("divide", F64, b, 2.0))]


def difference(code, a, b):
    """(−2a) + (2b)."""
    return [code.entry("add", F64, code.entry("multiply", F64, a, -2.0), code.entry("multiply", F64, b, 2.0))]


def with_zero(code, a, b):
    """(2a + 0·b) / 2: the factors of a 0 are all equal."""
    total = code.entry("add", F64, code.entry("multiply", F64, a, 2.0), code.entry("multiply", F64, b, 0.0))
    return [code.entry("multiply", F64, total, 0.5)]


def roots(code, a, b):
    """1 / √a, twice: vectors from the root on."""
    return code.each("multiply", F64, code.each("divide", F64, [1.0, 1.0], code.each("sqrt", F64, [a, b])), [3.0, 3.0])


def known(code, a, b):
    """What was computed in a scope is computed again after it."""
    with code.scope():
        code.entry("multiply", F64, a, b)
    return [code.entry("multiply", F64, a, b), code.entry("multiply", F64, a, b), code.entry("add", F64, 2.0, -1.0)]


CASES = [
    (twice_half, "fmul"),
    (difference, "fsub fmul"),
    (with_zero, "fmul fadd"),
    (roots, "insertelement insertelement call fdiv extractelement extractelement fmul fmul"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_what_is_written(case):
    f, want = case
    got = instructions(lambda *xs: map(str, f(*xs)), 2)
    assert got == want


def test_results_are_known_within_their_scope():
    code = Scalars()
    assert known(code, "%a", "%b")[2] == 1
    assert len(code.lines) == 2

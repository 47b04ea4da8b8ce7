"""Simplified Programs give what the recorded ones give: for every registered function, its dot and its bar."""

from functools import partial

import numpy as np
import pytest
from recorded import assert_near, assert_same_bits, record
from samples import all_samples
from test_registry import directions, like, out_leaves

import dotbar
from dotbar.compiler.algebra import algebra
from dotbar.compiler.common import share
from dotbar.compiler.constants import fold, splats
from dotbar.compiler.dead import prune
from dotbar.compiler.simplify import simplify
from dotbar.compiler.writes import forward

each_sample = pytest.mark.parametrize("s", all_samples(), ids=repr)
EXACT = (splats, fold, lambda p: forward(p, False), lambda p: algebra(p, False), share, prune)


def check(s, f, args):
    same = assert_same_bits if s.same_bits else partial(assert_near, tol=1e-8)
    program = record(f, *args)
    want = program.run(*args)
    simpler = program
    for one in EXACT:
        simpler = one(simpler).validate()
        same(simpler.run(*args), want)
    simpler = simplify(program, reassociate=False).validate()
    written_out = sum(e.rule.fn in (np.mean, np.var, np.std) for e in program.equations)
    assert len(simpler.equations) <= len(program.equations) + 6 * written_out
    same(simpler.run(*args), want)
    assert_near(simplify(program).validate().run(*args), want, 1e-12 if s.same_bits else 1e-8)


@each_sample
def test_function(s):
    check(s, out_leaves(s), s.primals)


@each_sample
def test_dot(s):
    check(s, lambda *xs: dotbar.jvp(out_leaves(s), xs, directions(s)), s.primals)


@each_sample
def test_bar(s):
    f, rng = out_leaves(s), np.random.default_rng(0)
    bars = [like(rng, y) for y in f(*s.primals)]
    check(s, lambda *xs: dotbar.vjp(f, *xs)[1](bars), s.primals)

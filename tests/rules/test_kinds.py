"""What the tape keeps of a call, read off the rule's bytecode: the same under every version of Python."""

import numpy as np
import pytest
import scipy.special as sc

from dotbar import grad, jvp
from dotbar.core import RULES, Rule, primitive
from dotbar.errors import NoRuleError
from dotbar.express import fits
from dotbar.rules import lapack_words, reductions, shapes, words
from dotbar.rules.kinds import Elementwise, argument_name, elementwise, needed

KEPT = [
    # function, active arguments, whether the result is kept, whether each argument is
    (np.add, (0, 1), False, (False, False)),
    (np.multiply, (0,), False, (False, True)),
    (np.multiply, (1,), False, (True, False)),
    (np.multiply, (0, 1), False, (True, True)),
    (np.divide, (0,), False, (False, True)),
    (np.divide, (1,), True, (False, True)),
    (reductions._sum, (0,), False, (False,)),
    (np.exp, (0,), True, (False,)),
    (np.log, (0,), False, (True,)),
    (np.sqrt, (0,), True, (False,)),
    (np.transpose, (0,), False, (False,)),
    (np.broadcast_to, (0,), False, (False,)),
    (np.fft.fft, (0,), False, (False,)),
    (np.linalg.cholesky, (0,), True, (False,)),
    (np.linalg.inv, (0,), True, (False,)),
    (np.linalg.eigh, (0,), True, (False,)),
    (np.polyval, (0,), False, (False, True)),
    (np.polyval, (1,), False, (True, True)),
    (lapack_words.solve_triangular, (0,), True, (True, False)),
    (lapack_words.solve_triangular, (1,), False, (True, False)),
    (lapack_words.lu_solve, (1,), False, (True, False, True, True)),
    (shapes.pile, (0, 1), False, (False, False)),
    (words.ratio, (0,), False, (False, True)),
]


@pytest.mark.parametrize(("fn", "active", "result", "arguments"), KEPT, ids=lambda v: getattr(v, "__name__", None))
def test_the_tape_keeps_what_the_active_bars_need(fn, active, result, arguments):
    rule = fn if isinstance(fn, Rule) else RULES[fn]
    assert rule.keep(active, len(arguments)) == (result, list(arguments))


def test_handing_a_value_to_an_inner_function_is_not_needing_it():
    def body(y, a, b):
        def dot_a(adot):
            return adot * b

        def bar_a(ybar):
            return ybar * y

        return dot_a, bar_a

    assert needed(body.__code__, lambda name: name.startswith("dot")) >= {"y"}
    assert not needed(body.__code__, lambda name: name.startswith("dot")) & {"a", "b"}


def test_every_load_counts():
    """Also those that follow a store, come in pairs, or stand beside one of the shape alone."""

    def after_a_store(a, b):
        n = a.shape
        return b, n

    def pairs(a, b):
        return a * b.shape

    def twice(a):
        return a * a.shape

    def shape_only(a):
        return a.shape, a.dtype, a.ndim, a.size

    assert needed(after_a_store.__code__) >= {"b"}
    assert "a" not in needed(after_a_store.__code__)
    assert needed(pairs.__code__) == {"a"}
    assert needed(twice.__code__) == {"a"}
    assert not needed(shape_only.__code__)


def test_why_an_argument_has_no_derivative_is_said():
    @primitive
    def power(n, x):
        return x**n

    elementwise(power, "the order is an integer", lambda a, b: a * b ** (a - 1))
    assert grad(power, 1)(2, 3.0) == 6
    for transform in (grad(power), lambda n, x: jvp(power, (n, x), (1.0, 0.0))):
        with pytest.raises(NoRuleError, match=r"power has no derivative with respect to 'n': the order is an integer"):
            transform(2.0, 3.0)


def test_arguments_of_ufuncs_have_the_names_of_their_signature():
    assert [argument_name(RULES[np.add], i) for i in range(2)] == ["x1", "x2"]


def test_complex_results_of_real_arguments_do_not_take_the_express_lane():
    """Whose cotangents would need conjugate partials."""
    assert fits(Elementwise(sc.erf, [lambda y, x: y]))
    assert not fits(Elementwise(sc.wofz, [lambda y, x: y]))
    assert not fits(Elementwise(sc.hankel1, [lambda y: y, lambda y: y]))

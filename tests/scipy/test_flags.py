"""What only says what is computed, such as a flag, a name or an axis, has no derivative and is refused by name."""

import inspect

import numpy as np
import pytest
from refusals import MEMBERS

import dotbar
import dotbar.scipy.linalg as sl
import dotbar.scipy.signal as ss
import dotbar.scipy.stats as stats
from dotbar.core import parameters_of
from dotbar.errors import NoRuleError

FLAGS = [
    (name, flag.name)
    for name, f in MEMBERS.items()
    if inspect.isfunction(f)
    for flag in parameters_of(f).values()
    if (type(flag.default) in (bool, str) and flag.name != "window") or flag.name == "axis"
]


@pytest.mark.parametrize(("name", "flag"), FLAGS)
def test_a_flag_is_refused_by_name(name, flag):
    """Before anything else is looked at, so that no other argument need be given."""
    with pytest.raises(NoRuleError, match=f"'{flag}'|has no derivative rule"):
        dotbar.jvp(lambda x: MEMBERS[name](**{flag: x}), (1.0,), (1.0,))


A, B = np.eye(3) + 0.1, np.ones((3, 2))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: sl.solve_triangular(A, B, x),
        lambda x: sl.solve_triangular(A, B, trans=x),
        lambda x: ss.upfirdn(B[0], A, x),
        lambda x: ss.detrend(A, bp=x),
        lambda x: stats.kstat(A, n=x),
        lambda x: stats.multivariate_normal.pdf(B[:, 0], allow_singular=x),
        lambda x: np.linalg.norm(x * A, axis=0, keepdims=x),
        lambda x: np.var(x * A, x),
    ],
)
def test_integers_and_flags_of_other_kinds_are_refused(f):
    for transform in (dotbar.grad, lambda g: lambda x: dotbar.jvp(g, (x,), (1.0,))):
        with pytest.raises(NoRuleError, match=r"has no derivative with respect to '\w+'"):
            transform(lambda x: np.sum(f(x)))(1.0)


def test_what_has_no_derivative_may_come_from_a_batch_or_a_constant():
    lower = dotbar.grad(lambda x: np.sum(sl.solve_triangular(A, x * B[:, 0], lower=dotbar.stop_gradient(x) > 0)))
    assert np.isclose(lower(1.0), np.sum(sl.solve_triangular(A, B[:, 0], lower=True)))
    assert sl.solve(A, B, lower=True).shape == (3, 2)

"""debug_nans names the operation that made the first derivative that is not finite."""

import re
from pathlib import Path

import numpy as np
import pytest

import dotbar
from dotbar import debug_nans, grad, jvp, vmap
from dotbar.errors import NonFiniteError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def root_of_squares(x):
    return np.sqrt(np.sum(x * x))  # the line of the root


def dot_root(x):
    return np.sqrt(x @ x)  # the line of the dot product


def log_of_zero(x):
    y = np.exp(x) - 1
    return np.sum(np.log(y) * 2)  # the line of the logarithm


def overflow(x):
    y = x * 1e200
    return np.sum(y * y)  # the line that overflows


def flat(x):
    return np.sum(x**1.5)  # the line of the power


def line_of(comment):
    lines = Path(__file__).read_text().splitlines()
    return 1 + next(k for k, line in enumerate(lines) if line.endswith(f"# {comment}"))


CASES = [
    (root_of_squares, np.zeros(3), "sqrt", "the line of the root", r"use np\.linalg\.norm\(x\)"),
    (dot_root, np.zeros(3), "sqrt", "the line of the dot product", r"use np\.linalg\.norm\(x\)"),
    (
        log_of_zero,
        np.array([1.0, 0.0]),
        "log",
        "the line of the logarithm",
        "value of the function itself is not finite",
    ),
]
MODES = {
    "reverse": lambda f, x: grad(f)(x),
    "forward": lambda f, x: jvp(f, (x,), (np.ones_like(x),)),
    "second order": lambda f, x: grad(lambda x: np.sum(grad(f)(x)))(x),
    "checkpoint": lambda f, x: grad(dotbar.checkpoint(f))(x),
    "batched": lambda f, x: vmap(grad(f))(np.stack([x, x + 1])),
    "grad of batched": lambda f, x: grad(lambda b: np.sum(vmap(f)(b)))(np.stack([x + 1, x])),
}


@pytest.mark.parametrize(("f", "x", "name", "comment", "reason"), CASES, ids=[c[0].__name__ for c in CASES])
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_names_place_function_and_reason(f, x, name, comment, reason, mode):
    with debug_nans(), pytest.raises(NonFiniteError) as caught:
        mode(f, x)
    message = str(caught.value)
    assert f"{__file__}:{line_of(comment)}, in {f.__name__}" in message
    assert re.search(rf"(bar|dot|argument \d) of numpy\.{name} is (inf|nan|-inf)", message)
    assert re.search(reason, message)
    assert isinstance(caught.value, FloatingPointError)


def push(f, x):
    """A linear map that was recorded where it is finite, of a tangent that makes it overflow."""
    return dotbar.linearize(f, x)[1](np.full_like(x, 1e100))


LATER = {
    "linearize": (lambda f, x: dotbar.linearize(f, x), root_of_squares, np.zeros(3), "the line of the root", "sqrt"),
    "push": (push, overflow, np.array([1e-50]), "the line that overflows", "multiply"),
    "forward of reverse": (lambda f, x: dotbar.hessian(f)(x), flat, np.zeros(2), "the line of the power", "power"),
    "reverse of reverse": (lambda f, x: dotbar.jacrev(grad(f))(x), flat, np.zeros(2), "the line of the power", "power"),
}


@pytest.mark.parametrize(("mode", "f", "x", "comment", "name"), LATER.values(), ids=LATER)
def test_an_operation_within_a_bar_is_that_of_the_line_it_belongs_to(mode, f, x, comment, name):
    with debug_nans(), pytest.raises(NonFiniteError) as caught:
        mode(f, x)
    message = str(caught.value)
    assert f"{__file__}:{line_of(comment)}, in {f.__name__}" in message
    assert re.search(rf"(bar|dot)( of a)? of numpy\.{name} is (inf|nan)", message)


def test_says_where_in_the_array_and_with_which_values():
    with (
        debug_nans(),
        pytest.raises(NonFiniteError, match=r"inf at index \(1,\), where x = 0\.0 and the result is 0\.0"),
    ):
        grad(lambda x: np.sum(np.sqrt(x)))(np.array([1.0, 0.0]))


def test_sqrt_of_something_else_has_no_advice():
    with debug_nans(), pytest.raises(NonFiniteError) as caught:
        grad(lambda x: np.sum(np.sqrt(x)))(np.zeros(2))
    assert "norm" not in str(caught.value)


def test_overflow_of_a_product():
    with debug_nans(), pytest.raises(NonFiniteError, match=r"numpy\.multiply is inf"):
        grad(overflow)(np.array([1e200]))


def test_finite_derivatives_are_the_same_inside():
    f = lambda x: np.sum(np.where(x > 0, np.log(x), 0) * x[0])
    x = np.array([2.0, 0.0, 3.0])
    with debug_nans():
        inside = grad(f)(x), dotbar.bars(f)(x)[1]["x"]
    for got in inside:
        np.testing.assert_array_equal(got, grad(f)(x))


def test_ends_with_the_context():
    with debug_nans():
        pass
    assert np.isinf(grad(np.sqrt)(0.0))


def broken(kind):
    """Twice the sum, with a rule that divides by zero."""
    if kind is dotbar.custom_jvp:
        f = kind(lambda x: np.sum(x) * 2)
        f.defjvp(lambda primals, tangents: (f(*primals), np.sum(tangents[0]) * np.inf))
    else:
        f = kind(lambda x: np.sum(x) * 2)
        f.defvjp(lambda x: (np.sum(x) * 2, None), lambda _, g: (g * np.full(2, np.inf),))
    return f


@pytest.mark.parametrize("kind", [dotbar.custom_jvp, dotbar.custom_vjp])
@pytest.mark.parametrize("mode", ["forward", "reverse", "second order", "checkpoint"])
def test_a_rule_of_the_users_own(kind, mode):
    f = broken(kind)
    with debug_nans(), pytest.raises(NonFiniteError, match=rf"{re.escape(__file__)}.*lambda.* is (inf|nan)"):
        MODES[mode](lambda x: f(x) ** 2, np.ones(2))


@pytest.mark.parametrize(
    "mode", [lambda v: dotbar.vjp(np.sin, v)[1](v * np.nan), lambda v: jvp(np.sin, (v,), (v / 0,))]
)
def test_what_was_given_is_not_finite(mode):
    with debug_nans(), pytest.raises(NonFiniteError, match="derivative that it was computed from was not finite"):
        mode(np.ones(2))

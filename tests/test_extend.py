"""Users teach dotbar their own functions: every kind of rule, in three steps, in every mode."""

import numpy as np
import pytest

from dotbar import check_grads, grad, jacobian, jvp, vmap
from dotbar.errors import NoRuleError, RuleError
from dotbar.extend import (
    H,
    bilinear,
    composite,
    constant,
    elementwise,
    linear,
    phi,
    primitive,
    ratio,
    rule,
    skew,
    spread,
    sym,
    unbroadcast,
)

X = np.array([0.3, -1.2, 2.0])
A = np.array([[2.0, 1.0, 0.5], [0.3, 3.0, 0.2], [0.1, 0.4, 4.0]])


@primitive
def softplus(x):
    return np.logaddexp(0, x)


elementwise(softplus, lambda y, x: np.exp(x - y))


@primitive
def geometric(a, b):
    return np.sqrt(np.asarray(a) * b)


elementwise(geometric, lambda y, a: y / (2 * a), lambda y, b: y / (2 * b))


@primitive
def running(x):
    return np.cumsum(x, -1)


linear(running, lambda ybar, x: np.cumsum(ybar[..., ::-1], -1)[..., ::-1], batch="(n)->(n)")


@primitive
def commutator(a, b):
    return a @ b - b @ a


bilinear(
    commutator,
    "(n,n),(n,n)->(n,n)",
    lambda Cbar, B: Cbar @ H(B) - H(B) @ Cbar,
    lambda Cbar, A: H(A) @ Cbar - Cbar @ H(A),
)


@primitive
def unit(x):
    return x / np.sqrt(np.sum(x * x, -1, keepdims=True))


@rule(unit, "(n)->(n)")
def _unit(y, x):
    """ẏ = (ẋ − y yᵀẋ)/|x|, symmetric in ẋ ↦ ẏ."""

    def project(v):
        return (v - y * np.sum(y * v, -1, keepdims=True)) / np.sqrt(np.sum(x * x, -1, keepdims=True))

    def dot(xdot):
        return project(xdot)

    def bar(ybar):
        return project(ybar)

    return dot, bar


@primitive
def shifted_square(x, c=0.0):
    return (x - c) ** 2


@composite(shifted_square)
def _shifted_square(x, c=0.0):
    return np.square(x - c)


@primitive
def steps(x):
    return np.floor(x) * 2


constant(steps, batch="()->()")

CASES = {
    "elementwise": (softplus, X),
    "elementwise of two, broadcast": (geometric, np.abs(X), np.array([[1.0], [2.0]])),
    "linear": (running, X),
    "bilinear": (commutator, A, A.T + 1),
    "rule": (unit, X),
    "composite": (shifted_square, X),
    "composite with a setting": (lambda x: shifted_square(x, 2.0), X),
    "constant": (lambda x: steps(x) * x, X + 0.1),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_kind_in_every_mode(case):
    f, *args = case
    check_grads(f)(*args)
    batch = [np.stack([x, 1.5 * x]) for x in args]
    want = [f(*xs) for xs in zip(*batch)]
    np.testing.assert_allclose(vmap(f)(*batch), want)
    g = lambda *xs: jacobian(f)(*xs)
    np.testing.assert_allclose(vmap(g)(*batch), [g(*xs) for xs in zip(*batch)], atol=1e-12)


def test_each_function_has_one_definition():
    with pytest.raises(RuleError, match="softplus already has a rule"):
        elementwise(softplus, lambda y: y)


def test_without_a_rule_the_function_is_named():
    @primitive
    def orphan(x):
        return x

    with pytest.raises(NoRuleError, match=r"orphan has no derivative rule.*dotbar\.extend"):
        grad(orphan)(1.0)


def test_a_rule_of_the_wrong_shape_is_named():
    @primitive
    def broken(x):
        return x * 2

    rule(broken)(lambda y, x: (lambda xdot: xdot[:1], lambda ybar: ybar[:1]))
    with pytest.raises(RuleError, match=r"broken returned a cotangent of shape \(1,\) for argument 0, .*\(3,\)"):
        grad(lambda x: np.sum(broken(x)))(X)
    with pytest.raises(RuleError, match=r"broken returned a tangent of shape \(1,\)"):
        jvp(broken, (X,), (X,))


def test_the_words():
    C = A + 1j * A.T
    np.testing.assert_array_equal(H(C), C.conj().T)
    np.testing.assert_allclose(sym(C) + skew(C), C)
    np.testing.assert_array_equal(sym(C), H(sym(C)))
    np.testing.assert_array_equal(phi(A), np.tril(A) - np.diag(np.diag(A)) / 2)
    np.testing.assert_array_equal(spread(X, (2, 3), 0), np.stack([X, X]))
    np.testing.assert_array_equal(unbroadcast(np.ones((4, 2, 3)), (2, 1)), np.full((2, 1), 12.0))
    assert ratio(0.0, 0.0) == 0
    assert ratio(1.0, 2.0) == 0.5

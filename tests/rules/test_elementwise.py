"""Kinks, special points, structural zeros and degenerate shapes of functions entry by entry."""

import inspect

import numpy as np
import pytest

import dotbar
from dotbar import elementwise_grad, grad, jacobian, jvp, vmap
from dotbar.rules.undispatched import kaiser, vectorize

inf, nan, pi = np.inf, np.nan, np.pi
MODES = {
    "reverse": elementwise_grad,
    "forward": lambda f: lambda x: jvp(f, (x,), (np.ones_like(x),))[1],
    "batch": lambda f: vmap(grad(f)),
}
each_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


def test_sinc_at_zero():
    """sinc x = Σ (−1)ᵏ (πx)²ᵏ/(2k + 1)!."""
    f = np.sinc
    for want in (1, 0, -(pi**2) / 3, 0, pi**4 / 5):
        assert f(0.0) == pytest.approx(want, abs=1e-14)
        f = grad(f)
    assert grad(np.sinc)(1e-9) == pytest.approx(-(pi**2) / 3 * 1e-9, rel=1e-14)


def test_i0_at_zero():
    """I₀(x) = Σ (x/2)²ᵏ/k!²."""
    f = lambda x: np.i0(x)[()]
    for want in (1, 0, 1 / 2, 0, 3 / 8):
        assert f(0.0) == pytest.approx(want, abs=1e-15)
        f = grad(f)


LOWER = {"min": -1, "max": None} if "min" in inspect.signature(np.clip).parameters else {"a_min": -1, "a_max": None}


@each_mode
def test_clip_at_a_bound(mode):
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(mode(lambda x: np.clip(x, -1, 1))(x), [0, 0.5, 1, 0.5, 0])
    np.testing.assert_array_equal(mode(lambda x: np.clip(x, **LOWER))(x), [0, 0.5, 1, 1, 1])
    np.testing.assert_array_equal(mode(lambda x: np.clip(0.0 * x, x, 1))(np.array([-1.0, 0.0, 0.5])), [0, 0.5, 1])


@each_mode
@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.select([x > 0], [np.log(x * x)], 0.0 * x),
        lambda x: np.select([x == 0, x > -5], [0 * x, np.log(x * x)]),
        lambda x: np.choose((x > 0) * 1, [x * 0, np.log(x * x)]),
        lambda x: np.piecewise(x, [x > 0], [lambda v: np.log(v * v), 0.0]),
        lambda x: np.nan_to_num(np.log(x * x), neginf=0.0) * (x > 0),
    ],
    ids=["select", "select both", "choose", "piecewise", "nan_to_num"],
)
def test_a_branch_not_taken_is_a_structural_zero(mode, f):
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(mode(f)(np.array([2.0, 0.0, 1.0])), [1, 0, 2])


def test_nan_to_num():
    x = np.array([1.0, nan, inf, -inf])
    np.testing.assert_array_equal(elementwise_grad(np.nan_to_num)(x), [1, 0, 0, 0])
    z = np.array([1 + 1j, complex(nan, 1)])
    np.testing.assert_array_equal(jvp(np.nan_to_num, (z,), (np.full(2, 1 + 1j),))[1], [1 + 1j, 1j])


@pytest.mark.parametrize("f", [np.round, np.around, np.fix, lambda x: np.digitize(x, [0.5]) * 1.0])
def test_steps_are_constant(f):
    np.testing.assert_array_equal(elementwise_grad(lambda x: x + f(x))(np.array([0.3, -1.7])), [1, 1])
    np.testing.assert_array_equal(jacobian(f)(np.array([0.3, -1.7])), np.zeros((2, 2)))


@each_mode
def test_interp_beyond_and_at_the_knots(mode):
    xp, fp = np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0, 2.0])
    x = np.array([-1.0, 0.0, 0.5, 1.0, 3.0, 4.0])
    np.testing.assert_array_equal(mode(lambda x: np.interp(x, xp, fp))(x), [0, 2, 2, 0, 0, 0])
    value, dot = jvp(lambda x: np.interp(x, [1.0, 2.0, 2.0], [3.0, inf, 4.0]), (np.array([2.0, nan]),), (np.ones(2),))
    np.testing.assert_array_equal(value, [4, nan])
    assert dot[0] == 0


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("v", [np.array([[2.0, nan], [1.0, 5.0]]), 2.0, np.zeros(0)], ids=["matrix", "number", "empty"])
def test_searching_arrays_that_differ_by_item(side, v):
    a = np.array([[1.0, 2.0, 2.0, 4.0], [0.0, 0.0, 3.0, nan], [2.0, 2.0, 2.0, 2.0]])
    want = np.stack([np.searchsorted(row, v, side) for row in a])
    np.testing.assert_array_equal(vmap(lambda a: np.searchsorted(a, v, side))(a), want)
    order = np.array([3, 1, 0, 2])
    unsorted = a[:, np.argsort(order)]
    np.testing.assert_array_equal(vmap(lambda a: np.searchsorted(a, v, side, order))(unsorted), want)
    np.testing.assert_array_equal(vmap(vmap(lambda a: np.searchsorted(a, v, side)))(np.stack([a, a]))[1], want)
    both = vmap(lambda a: vmap(lambda a, v: np.searchsorted(a, v, side))(a, a[:, 1]))(np.stack([a, a]))
    np.testing.assert_array_equal(both[0], [np.searchsorted(row, row[1], side) for row in a])


def test_interp_shares_between_two_knots():
    xp, x = np.array([0.0, 1.0, 3.0]), np.array([0.25, 2.0, -1.0, 5.0])
    want = [[0.75, 0.25, 0], [0, 0.5, 0.5], [1, 0, 0], [0, 0, 1]]
    np.testing.assert_allclose(jacobian(lambda fp: np.interp(x, xp, fp))(np.ones(3)), want)
    outside = jacobian(lambda fp: np.interp(x, xp, fp, left=7.0, right=8.0))(np.ones(3))
    np.testing.assert_allclose(outside[2:], 0)


def test_counting_is_constant_in_what_is_counted():
    x, w = np.array([0.1, 0.4, 0.9]), np.array([1.0, 2.0, 4.0])
    counts, _ = np.histogram(x, 2, weights=w)
    value, dot = jvp(lambda x: np.histogram(x, 2, weights=w)[0] + 0 * np.sum(x), (x,), (np.ones(3),))
    np.testing.assert_array_equal(value, counts)
    np.testing.assert_array_equal(dot, 0)
    np.testing.assert_array_equal(jacobian(lambda w: np.histogram(x, 2, weights=w)[0])(w), [[1, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(jacobian(lambda w: np.bincount([1, 0, 1], w, 4))(w).sum(0), 1)
    with pytest.raises(ValueError, match="negative"):
        grad(lambda w: np.sum(np.bincount([1, -1, 0], w)))(w)
    with pytest.raises(ValueError, match="same length"):
        grad(lambda w: np.sum(np.bincount([1, 0], w)))(w)


@pytest.mark.parametrize("endpoint", [True, False])
@pytest.mark.parametrize("num", [0, 1, 2, 5])
@pytest.mark.parametrize("f", [np.linspace, np.logspace, np.geomspace])
def test_grids_of_few_points(f, num, endpoint):
    value, dot = jvp(lambda a, b: f(a, b, num, endpoint), (1.0, 2.0), (1.0, 0.0))
    np.testing.assert_allclose(value, f(1.0, 2.0, num, endpoint), rtol=1e-14)
    assert dot.shape == (num,)


@pytest.mark.parametrize("f", [np.linspace, np.logspace, np.geomspace])
def test_grids_of_fewer_points_than_none(f):
    with pytest.raises(ValueError, match="non-negative"):
        jvp(lambda a: f(a, 2.0, -1), (1.0,), (1.0,))


@pytest.mark.parametrize(
    "f", [np.sinc, np.i0, np.nan_to_num, lambda x: np.clip(x, 0, 1), lambda x: np.unwrap(x, axis=0)]
)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (1,), (1, 1)])
def test_degenerate_shapes(f, shape):
    assert dotbar.vjp(f, np.ones(shape))[1](np.ones(shape))[0].shape == shape


def test_piecewise_takes_the_last_condition_that_holds():
    f = lambda x: np.piecewise(x, [x > 0, x > 1], [lambda v, c: v, lambda v, c: c * v], 3.0)
    x = np.array([-1.0, 0.5, 2.0])
    np.testing.assert_array_equal(elementwise_grad(f)(x), [0, 1, 3])
    with pytest.raises(ValueError, match="functions are expected"):
        elementwise_grad(lambda x: np.piecewise(x, [x > 0], [1.0, 2.0, 3.0]))(x)


def test_choose_modes():
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(jacobian(lambda x: np.choose([5, -1], [x, 2 * x], mode="clip"))(x), [[2, 0], [0, 1]])
    np.testing.assert_array_equal(jacobian(lambda x: np.choose([5, -1], [x, 2 * x], mode="wrap"))(x), [[2, 0], [0, 2]])
    with pytest.raises(ValueError, match="choice array"):
        jacobian(lambda x: np.choose([5, -1], [x, 2 * x]))(x)


def test_vectorize():
    f = vectorize(lambda x, n, c=1.0: c * x**n, excluded=["n"])
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(f(x, n=2), x**2)
    np.testing.assert_array_equal(grad(lambda x: np.sum(f(x, n=2, c=3.0)))(x), 6 * x)
    with pytest.raises(ValueError, match="size 0"):
        grad(lambda x: np.sum(f(x, n=2)))(np.ones(0))


def test_kaiser():
    for M in (0, 1, 2, 7):
        np.testing.assert_allclose(kaiser(M, 3.0), np.kaiser(M, 3.0), rtol=1e-13)

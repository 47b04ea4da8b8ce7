"""Hypergeometric functions near special points and over their range, against mpmath."""

import mpmath
import numpy as np
import pytest
import scipy.special as sc
from against_mpmath import worst_error
from references import HYPERGEOMETRIC

import dotbar

a, b, c = HYPERGEOMETRIC


@pytest.mark.parametrize("z", [0.0, 1e-9, 0.5, 0.97, -0.8, -40.0])
@pytest.mark.parametrize("order", [(1, 0, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (1, 1, 0, 0), (0, 0, 2, 0), (1, 0, 0, 1)])
def test_gauss(z, order):
    assert worst_error(sc.hyp2f1, mpmath.hyp2f1, (a, b, c, z), order) < 1e-12


@pytest.mark.parametrize("order", [(1, 0, 0, 0), (0, 0, 1, 0)])
def test_gauss_at_one(order):
    assert worst_error(sc.hyp2f1, mpmath.hyp2f1, ([0.3, -1.7], [0.5, 0.25], [2.7, 1.5], 1.0), order) < 1e-12


@pytest.mark.parametrize("order", [(1, 0, 0, 0), (0, 0, 1, 0), (1, 0, 1, 0)])
def test_gauss_in_the_plane(order):
    z = np.array([0.4 + 0.8j, -0.5 + 2j, 3 + 1j, 0.5 - 0.86j])
    assert worst_error(sc.hyp2f1, mpmath.hyp2f1, (0.3, 1.2, 0.7, z), order) < 1e-12


@pytest.mark.parametrize("z", [0.0, 0.3, 12.0, 150.0, -3.0, -150.0])
@pytest.mark.parametrize("order", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 2, 0)])
def test_kummer(z, order):
    assert worst_error(sc.hyp1f1, mpmath.hyp1f1, (a, c, z), order) < 1e-12


@pytest.mark.parametrize("z", [0.0, 0.3, 200.0, -3.0, -200.0])
@pytest.mark.parametrize("order", [(1, 0), (0, 1), (2, 0), (1, 1)])
def test_confluent_limit(z, order):
    assert worst_error(sc.hyp0f1, mpmath.hyp0f1, (c, z), order) < 1e-12


@pytest.mark.parametrize("x", [1e-3, 0.4, 3.0, 60.0])
@pytest.mark.parametrize("order", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (2, 0, 0)])
def test_tricomi(x, order):
    assert worst_error(sc.hyperu, mpmath.hyperu, (a, b, x), order) < 1e-12


def test_where_a_series_is_one_term():
    assert dotbar.grad(sc.hyperu, argnums=(1, 2))(0.0, 0.4, 2.2) == (0, 0)
    assert dotbar.grad(sc.hyp2f1, argnums=(1, 2, 3))(0.0, 0.4, 1.3, 0.6) == (0, 0, 0)


def test_outside_the_domain_the_derivative_is_nan():
    assert np.isnan(dotbar.grad(lambda a: sc.hyp2f1(a, 0.3, 1.2, 1.5))(0.4))
    assert np.isnan(dotbar.grad(lambda a: sc.hyperu(a, 0.3, -1.0))(0.4))


def test_far_out():
    """Series, continuation and asymptotic expansion in one call."""
    z = np.array([1e-3, -900.0, -3.0, -1e5, 200.0])
    for order in ((1, 0, 0), (0, 1, 0)):
        assert worst_error(sc.hyp1f1, mpmath.hyp1f1, (0.4, 1.3, z), order) < 1e-11
    points = np.array([-1e4, -0.1, 1e4])
    assert worst_error(sc.hyp0f1, mpmath.hyp0f1, (1.3, points), (1, 0)) < 1e-11
    assert worst_error(sc.hyp2f1, mpmath.hyp2f1, (0.3, -3.0, 0.8, np.array([4.0, 0.3, -1e6])), (0, 0, 1, 0)) < 1e-12
    assert worst_error(sc.hyperu, mpmath.hyperu, (0.3, 0.4, np.array([0.0, 1e-30, 1e4])), (0, 1, 0)) < 1e-11

"""Elliptic integrals and functions near special points and over their range, against mpmath."""

import mpmath
import numpy as np
import pytest
import scipy.special as sc
from against_mpmath import worst_error
from references import AMPLITUDES, CARLSON, PARAMETERS

import dotbar

x, y, z, p = CARLSON


@pytest.mark.parametrize("order", [(1,), (2,), (3,)])
def test_complete_integrals(order):
    assert worst_error(sc.ellipk, mpmath.ellipk, (PARAMETERS,), order) < 1e-12
    assert worst_error(sc.ellipe, mpmath.ellipe, (PARAMETERS,), order) < 1e-12
    small = np.array([1e-12, 1e-3, 0.5, 1.0, 7.0])
    assert worst_error(sc.ellipkm1, lambda p: mpmath.ellipk(1 - p), (small,), order) < 1e-12


@pytest.mark.parametrize("m", [0.0, 1e-9, 0.5, 0.99, -0.3, -40.0])
@pytest.mark.parametrize("order", [(1, 0), (0, 1), (1, 1), (0, 2)])
def test_incomplete_integrals(m, order):
    assert worst_error(sc.ellipkinc, mpmath.ellipf, (AMPLITUDES, m), order) < 1e-12
    assert worst_error(sc.ellipeinc, mpmath.ellipe, (AMPLITUDES, m), order) < 1e-12


@pytest.mark.parametrize("order", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (0, 0, 2)])
def test_carlson(order):
    assert worst_error(sc.elliprf, mpmath.elliprf, (x, y, z), order) < 1e-12
    assert worst_error(sc.elliprd, mpmath.elliprd, (x, y, z), order) < 1e-12
    assert worst_error(sc.elliprg, mpmath.elliprg, (x, y, z), order) < 1e-12
    assert worst_error(sc.elliprc, mpmath.elliprc, (x, y), order[1:]) < 1e-12
    assert worst_error(sc.elliprj, mpmath.elliprj, (x, y, z, p), (*order[:2], 0, order[2])) < 1e-12


@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize("order", [(1, 0), (0, 1), (1, 1), (0, 2)])
def test_jacobi(k, order):
    u = np.array([0.0, 0.7, -2.0, 6.5])
    exact = lambda u, m: mpmath.ellipfun(("sn", "cn", "dn")[k], u, m)
    for m in (0.0, 0.3, 0.95):
        assert worst_error(lambda u, m: sc.ellipj(u, m)[k], exact, (u + 1e-3, m + 1e-6), order) < 1e-11


def test_a_variable_at_zero():
    """R_F, R_D and R_C fall vertically from there; R_G does not, and the others are smooth in their other variables."""
    slope = lambda f, *xs: dotbar.grad(f)(0.0, *xs)
    assert slope(sc.elliprf, 1.0, 2.0) == slope(sc.elliprd, 1.0, 2.0) == slope(sc.elliprc, 1.0) == -np.inf
    assert np.isclose(slope(sc.elliprg, 1.0, 2.0), sc.elliprf(0, 1, 2) / 4, rtol=1e-14)
    assert dotbar.grad(lambda z: sc.elliprg(0.0, 0.0, z))(4.0) == 1 / 8
    of_p = lambda p: mpmath.elliprj(0, 1, 2, p)
    assert worst_error(lambda p: sc.elliprj(0.0, 1.0, 2.0, p), of_p, (np.array([0.5, 2.0]),), (1,)) < 1e-13


def test_the_amplitude_at_m_equal_to_one():
    """Am(u, 1) is the Gudermannian function."""
    value, slope = dotbar.value_and_grad(lambda u: sc.ellipj(u, 1.0)[3])(0.8)
    assert np.isclose(value, np.arctan(np.sinh(0.8)), rtol=1e-14)
    assert np.isclose(slope, 1 / np.cosh(0.8), rtol=1e-14)

"""Orthogonal polynomials and Legendre functions: degrees and parameters against mpmath, endpoints, every order."""

import mpmath
import numpy as np
import pytest
import scipy.special as plain
from against_mpmath import worst_error
from references import ALPHA, BETAS, DEGREES, INTERVAL, REFERENCES

import dotbar
import dotbar.scipy.special as sc
from dotbar.errors import NoRuleError

degrees = pytest.mark.parametrize("n", [0.0, 1.0, 0.4, 7.3, 23.0])


@degrees
@pytest.mark.parametrize("order", [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (1, 0, 0, 1)])
def test_jacobi(n, order):
    assert worst_error(sc.eval_jacobi, mpmath.jacobi, (n, ALPHA, BETAS, INTERVAL), order) < 1e-11


@degrees
@pytest.mark.parametrize("order", [(1, 0, 0), (0, 1, 0)])
def test_gegenbauer(n, order):
    assert worst_error(sc.eval_gegenbauer, REFERENCES["eval_gegenbauer"], (n, ALPHA + 0.5, INTERVAL), order) < 1e-11


@degrees
@pytest.mark.parametrize("order", [(1, 0, 0), (0, 1, 0), (1, 1, 0)])
def test_laguerre(n, order):
    points = np.array([-3.0, 0.0, 0.2, 4.0, 30.0, 100.0])
    assert worst_error(sc.eval_genlaguerre, mpmath.laguerre, (n, ALPHA, points), order) < 1e-11


@pytest.mark.parametrize("n", [0.4, 6.0, 12.7, 18.1])
def test_by_argument_also_where_scipys_real_degrees_are_inexact(n):
    inside = np.array([-0.96, -0.8, -0.5, 0.3])
    assert worst_error(sc.eval_jacobi, mpmath.jacobi, (n, 0.7, 1.3, inside), (0, 0, 0, 1)) < 1e-12
    assert worst_error(sc.eval_gegenbauer, REFERENCES["eval_gegenbauer"], (n, 0.8, inside), (0, 0, 1)) < 1e-12
    assert worst_error(sc.eval_chebyt, mpmath.chebyt, (n, inside), (0, 1)) < 1e-12
    assert worst_error(sc.eval_chebyu, mpmath.chebyu, (n, inside), (0, 1)) < 1e-12
    assert worst_error(sc.eval_legendre, mpmath.legendre, (n, inside), (0, 2)) < 1e-12
    assert worst_error(sc.eval_genlaguerre, mpmath.laguerre, (n, 1.2, 40 + 40 * inside), (0, 0, 1)) < 1e-12


@pytest.mark.parametrize("n", DEGREES)
def test_degrees(n):
    inside = INTERVAL[:-1]
    assert worst_error(sc.eval_legendre, mpmath.legendre, (n, inside), (1, 0)) < 1e-11
    assert worst_error(sc.eval_chebyt, mpmath.chebyt, (n, inside), (1, 0)) < 1e-11
    assert worst_error(sc.eval_chebyu, mpmath.chebyu, (n, inside), (1, 0)) < 1e-11
    assert worst_error(sc.eval_laguerre, REFERENCES["eval_laguerre"], (n, 20 * inside), (1, 0)) < 1e-11


@pytest.mark.parametrize("end", [1.0, -1.0])
def test_at_the_ends_of_the_interval(end):
    slope = lambda f: dotbar.grad(lambda x: f(5, x))(end)
    assert np.isclose(slope(sc.eval_legendre), 15)  # n(n + 1)/2
    assert np.isclose(slope(sc.eval_chebyt), 25)  # n²
    assert np.isclose(slope(sc.eval_chebyu), 70)  # n(n + 1)(n + 2)/3
    assert np.isclose(dotbar.grad(lambda x: sc.lpmv(0, 5, x))(end), 15)
    assert np.isclose(dotbar.grad(lambda x: sc.assoc_legendre_p(5, 0, x)[0])(end), 15)
    assert np.isclose(dotbar.grad(lambda x: sc.lpmv(2, 2, x))(end), -6 * end)  # 3 (1 − x²)
    assert dotbar.grad(lambda a: sc.eval_chebyt(a, end))(4.0) == pytest.approx(0, abs=1e-14)


def test_chebyshevs_polynomials_of_real_degree():
    """T(x) = cos nθ between the ends, at both ends, and cosh nη beyond 1."""
    slope = lambda x: dotbar.grad(lambda n: sc.eval_chebyt(n, x))(2.5)
    assert np.isclose(slope(-1.0), -np.pi * np.sin(2.5 * np.pi))
    assert slope(1.0) == 0
    assert np.isclose(slope(2.0), np.arccosh(2.0) * np.sinh(2.5 * np.arccosh(2.0)))
    assert np.isnan(slope(-2.0))


def test_the_derivatives_of_a_constant_polynomial_are_zero():
    for f in (sc.eval_legendre, sc.eval_chebyt, sc.eval_chebyu, sc.eval_laguerre, sc.eval_hermite, sc.eval_hermitenorm):
        assert dotbar.grad(lambda x, f=f: f(0, x))(0.3) == dotbar.grad(dotbar.grad(lambda x, f=f: f(0, x)))(0.3) == 0
    assert dotbar.grad(dotbar.grad(lambda x: sc.eval_gegenbauer(0.0, 0.7, x)))(0.3) == 0


@pytest.mark.parametrize("diff_n", [0, 1, 2])
@pytest.mark.parametrize("points", [np.array([0.4, -0.3, 0.9]), np.float64(0.3), np.array([[0.2 + 0.3j]])])
def test_values_and_derivatives_are_scipys(points, diff_n):
    """Traced, each function computes what SciPy's does, derivatives that it gives included."""

    def same(f, *xs):
        traced = dotbar.jvp(lambda *xs: f(sc, *xs), xs, xs)[0]
        for a, b in zip(*((y if isinstance(y, tuple) else (y,)) for y in (traced, f(plain, *xs))), strict=True):
            np.testing.assert_allclose(a, b, 1e-12, 1e-13, strict=True)

    same(lambda s, z: s.assoc_legendre_p(3, -1, z, diff_n=diff_n), points)
    same(
        lambda s, z: s.assoc_legendre_p(3, [-1, 1], z + 2, branch_cut=3, norm=True, diff_n=diff_n), np.ravel(points)[0]
    )
    same(lambda s, z: s.assoc_legendre_p_all(3, 2, z, diff_n=diff_n), points)
    same(lambda s, z: s.assoc_legendre_p_all(3, 2, z, norm=True, diff_n=diff_n), points)
    if np.iscomplexobj(points):
        return
    same(lambda s, z: s.legendre_p(3, z, diff_n=diff_n), points)
    same(lambda s, z: s.legendre_p_all(3, z, diff_n=diff_n), points)
    same(lambda s, z: s.sph_legendre_p(3, -1, z, diff_n=diff_n), points)
    same(lambda s, z: s.sph_legendre_p_all(3, 2, z, diff_n=diff_n), points)
    same(lambda s, t, p: s.sph_harm_y(3, -2, t, p, diff_n=diff_n), points, points + 1)
    same(lambda s, t, p: s.sph_harm_y_all(3, 2, t, p, diff_n=diff_n), points, points + 1)


def test_associated_functions_below_their_order():
    """P₂³ = 0, though not its derivative in the degree; mpmath's."""
    assert sc.lpmv(3, 2.0, 0.3) == 0
    assert np.isclose(dotbar.grad(lambda v: sc.lpmv(3, v, 0.3))(2.0), -4.334496525254867, rtol=1e-14)


def test_spherical_harmonics_at_the_poles():
    """Only those with |m| = 1 have a slope there."""
    for theta in (0.0, np.pi):
        for m, want in (
            (0, 0),
            (1, -np.sqrt(3 / (8 * np.pi)) * np.cos(theta)),
            (-1, np.sqrt(3 / (8 * np.pi)) * np.cos(theta)),
        ):
            got = dotbar.jvp(lambda t, m=m: sc.sph_harm_y(1, m, t, 0.0), (theta,), (1.0,))[1]
            assert np.isclose(got, want, atol=1e-15)


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda m: sc.lpmv(m, 2.3, 0.4), "m"),
        (lambda n: sc.legendre_p(n, 0.4), "n"),
        (lambda m: sc.sph_harm_y(3, m, 0.4, 0.2), "m"),
        (lambda k: sc.assoc_legendre_p(3, 1, 0.4, branch_cut=k), "branch_cut"),
    ],
)
def test_integers_are_refused_by_name(f, name):
    with pytest.raises(NoRuleError, match=f"with respect to '{name}': SciPy has it at integers only"):
        dotbar.grad(f)(2.0)


@pytest.mark.parametrize("x", [1.5, -1.5])
def test_associated_functions_are_nan_where_scipys_are(x):
    for m in (-2, 1, 2):
        value, slope = dotbar.value_and_grad(lambda x, m=m: sc.lpmv(m, 2.5, x))(x)
        assert np.isnan([sc.lpmv(m, 2.5, x), value, slope]).all()
    assert dotbar.value_and_grad(lambda x: sc.lpmv(0, 2, x))(x) == (sc.lpmv(0, 2, x), 3 * x)

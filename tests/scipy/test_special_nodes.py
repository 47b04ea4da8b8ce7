"""Gauss's nodes and weights by their parameters."""

import mpmath
import numpy as np
import pytest

import dotbar
import dotbar.scipy.special as sc
from dotbar.errors import DotbarError


@pytest.mark.parametrize("n", [1, 5, 40])
def test_what_the_rule_integrates_has_the_derivative_of_the_integral(n):
    """∫ (1 − x)ᵅ (1 + x)ᵝ x dx = 2^(α + β + 1) (β − α)/(α + β + 2) B(α + 1, β + 1), exactly."""

    def by_rule(a, b):
        x, w = sc.roots_jacobi(n, a, b)
        return np.sum(w * x)

    exact = lambda a, b: 2 ** (a + b + 1) * (b - a) / (a + b + 2) * sc.beta(a + 1, b + 1)
    args = (0.7, -0.4)
    np.testing.assert_allclose(by_rule(*args), exact(*args), 1e-12)
    np.testing.assert_allclose(dotbar.grad(by_rule, (0, 1))(*args), dotbar.grad(exact, (0, 1))(*args), 1e-11)
    second = [dotbar.hessian(f, (0, 1))(*args) for f in (by_rule, exact)]
    np.testing.assert_allclose(*second, 1e-9)


@pytest.mark.parametrize("k", [0, 7])
def test_a_node_against_mpmath(k):
    n, a = 8, 0.3
    root = lambda a: mpmath.findroot(lambda x: mpmath.laguerre(n, a, x), sc.roots_genlaguerre(n, float(a))[0][k])
    got = dotbar.grad(lambda a: sc.roots_genlaguerre(n, a)[0][k])(a)
    with mpmath.workdps(30):
        assert got == pytest.approx(float(mpmath.diff(root, a)), 1e-12)


def test_the_number_of_nodes_is_refused():
    with pytest.raises(DotbarError, match="'n'"):
        dotbar.grad(lambda n: np.sum(sc.roots_jacobi(n, 0.3, 0.4)[1]))(3.0)
    with pytest.raises(ValueError, match="greater than -1"):
        dotbar.grad(lambda a: np.sum(sc.roots_jacobi(3, a, 0.4)[1]))(-2.0)

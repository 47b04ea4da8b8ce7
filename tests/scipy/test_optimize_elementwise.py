"""scipy.optimize.elementwise: many roots and minima at once."""

import numpy as np
import pytest
import scipy.optimize.elementwise as plain

import dotbar
from dotbar import grad, hessian, jacobian, jit, vmap
from dotbar.errors import DegenerateSolutionError, NoRuleError
from dotbar.scipy.optimize.elementwise import bracket_minimum, bracket_root, find_minimum, find_root

c = np.array([0.7, 1.9, 3.1])


def f(x, c):
    return x**3 - c * x - 2


def g(x, c):
    """Least at x = 1 / c, where it is 1 + log c."""
    return np.exp(c * x - 1) - c * x + 1 + np.log(c)


JACOBIANS = [
    dotbar.jacfwd,
    dotbar.jacrev,
    lambda f: jit(jacobian(f)),
    lambda f: jacobian(jit(f)),
    lambda f: lambda c: vmap(jacobian(f))(c[None])[0],
]


@pytest.mark.parametrize("J", JACOBIANS)
def test_each_entry_has_a_root_and_a_minimum_of_its_own(J):
    root = lambda c: find_root(f, (1.0, 3.0), args=(c,)).x
    x = root(c)
    assert np.allclose(J(root)(c), np.diag(x / (3 * x**2 - c)))
    assert np.allclose(J(lambda c: find_minimum(g, (-3.0, 0.4, 3.0), args=(c,)).x)(c), np.diag(-1 / c**2), atol=1e-6)
    assert np.allclose(J(lambda c: find_minimum(g, (-3.0, 0.4, 3.0), args=(c,)).f_x)(c), np.diag(1 / c), atol=1e-6)


def test_what_the_function_closes_over_and_numbers():
    root = lambda a: find_root(lambda x: x**2 - a, (0.0, 9.0)).x
    assert np.shape(root(2.0)) == ()
    assert np.isclose(grad(root)(2.0), 0.5 / np.sqrt(2.0))
    assert np.isclose(hessian(root)(2.0), -0.25 * 2.0**-1.5)
    assert grad(lambda a: find_root(lambda x: x**2 - 2, (a, 9.0)).x)(1.0) == 0  # where it begins


def test_shapes_and_types_are_scipys():
    init = np.ones((2, 1)), np.full((2, 1), 3.0)
    seen = []
    grad(lambda c: (seen.append(find_root(f, init, args=(c,))), np.sum(seen[0].x))[1])(c)
    wanted = plain.find_root(f, init, args=(c,))
    assert np.shape(seen[0].x) == wanted.x.shape == (2, 3)
    assert np.array_equal(seen[0].nfev, wanted.nfev)
    assert seen[0].keys() == wanted.keys()
    init, half = (np.float32(1), np.float32(3)), c.astype(np.float32)
    assert grad(lambda c: np.sum(find_root(f, init, args=(c,)).x))(half).dtype == np.float32


@pytest.mark.parametrize(("init", "maxiter"), [((5.0, 6.0), None), ((1.0, 3.0), 3)])
def test_what_is_not_found_has_a_derivative_of_nan(init, maxiter):
    """No root between the ends; too few steps."""
    root = lambda c: find_root(f, init, args=(c,), maxiter=maxiter)
    assert not np.any(root(c).success)
    assert np.all(np.isnan(grad(lambda c: np.sum(root(c).x))(c)))


def test_degenerate_solutions():
    with pytest.raises(DegenerateSolutionError):
        grad(lambda t: find_root(lambda x: t * (x - 1) ** 3, (0.0, 5.0)).x)(1.0)
    assert np.isnan(grad(lambda t: find_minimum(lambda x: np.abs(x - t) + t, (-3.0, 0.5, 9.0)).f_x)(1.0))


REFUSED = {
    "where a search stops": lambda t: bracket_root(lambda x: x - t, 0.0).xl,
    "bracket_minimum": lambda t: bracket_minimum(lambda x, t: (x - t) ** 2, 0.0, args=(t,)).xm,
    "tolerances": lambda t: find_root(lambda x: x - t, (0.0, 5.0), tolerances={"xatol": t}).x,
    "f_x": lambda t: find_root(lambda x: x - t, (0.0, 5.0)).f_x * 1.0,
}


@pytest.mark.parametrize("why", REFUSED)
def test_refusals(why):
    with pytest.raises(NoRuleError, match=why):
        grad(REFUSED[why])(1.0)

"""scipy.optimize: searches everywhere, older names, and functions of arrays."""

import numpy as np
import pytest
import scipy.optimize as plain

import dotbar.scipy.optimize as so
from dotbar import grad, jacobian, jit, vmap
from dotbar.errors import NoRuleError

p = np.array([1.3, 0.4])
BOX = [(-3.0, 3.0)] * 2


def f(x, p):
    """Its minimum lies at x₀ = p₀, x₁ = p₀ p₁."""
    return (x[0] - p[0]) ** 2 + (x[1] - p[1] * x[0]) ** 2


SEARCHES = {
    "differential_evolution": lambda p: so.differential_evolution(f, BOX, args=(p,), rng=1).x,
    "dual_annealing": lambda p: so.dual_annealing(lambda x: f(x, p), BOX, maxiter=30, rng=1).x,
    "direct": lambda p: so.direct(f, BOX, args=(p,), len_tol=1e-4, vol_tol=0).x,
    "basinhopping": lambda p: so.basinhopping(f, [0, 0.0], niter=2, rng=1, minimizer_kwargs={"args": (p,)}).x,
    "brute": lambda p: so.brute(f, ((-3, 3), (-3, 3)), (p,), Ns=7),
    "fmin": lambda p: so.fmin(f, [0, 0.0], (p,), 1e-8, 1e-8, disp=0),
    "fmin_powell": lambda p: so.fmin_powell(f, [0, 0.0], (p,), disp=0),
    "fmin_cg": lambda p: so.fmin_cg(f, [0, 0.0], args=(p,), disp=0),
    "fmin_ncg": lambda p: so.fmin_ncg(f, [0, 0.0], grad(f), args=(p,), disp=0),
}


@pytest.mark.filterwarnings("ignore:delta_grad:UserWarning")
@pytest.mark.parametrize("name", SEARCHES)
def test_what_is_found_is_a_minimum_as_any_other(name):
    assert np.allclose(jacobian(SEARCHES[name])(p), [[1, 0], [p[1], p[0]]], atol=1e-3)


def test_bounds_and_constraints_of_a_search():
    """The nearest point to (9, 9) in a box, and on one side of a line."""
    away = lambda x: np.sum((x - 9.0) ** 2)
    box = lambda b: so.differential_evolution(away, [(0.0, b[0]), (0.0, b[1])], rng=1).x
    assert np.allclose(jacobian(box)(p), np.eye(2), atol=1e-6)
    line = lambda c: so.shgo(away, BOX, constraints={"type": "ineq", "fun": lambda x: c - x[0] - x[1]}, n=16).x
    assert np.allclose(jacobian(line)(1.0), 0.5, atol=1e-4)


@pytest.mark.parametrize("name", ["broyden1", "broyden2", "anderson", "diagbroyden", "newton_krylov"])
def test_older_names_of_root(name):
    x = lambda p: getattr(so, name)(lambda x: x + 0.1 * np.sin(x) - p, [1.0, 0.3], f_tol=1e-10)
    wanted = np.diag(1 / (1 + 0.1 * np.cos(x(p))))
    for J in (jacobian(x), jit(jacobian(x)), jacobian(jit(x))):
        assert np.allclose(J(p), wanted)
    assert np.allclose(vmap(jacobian(x))(np.stack([p, p]))[1], wanted)


def test_plain_calls_are_scipys():
    assert np.array_equal(so.fmin(f, [0, 0.0], (p,), disp=0), plain.fmin(f, [0, 0.0], (p,), disp=0))
    ours, theirs = (m.differential_evolution(f, BOX, args=(p,), rng=1) for m in (so, plain))
    assert (ours.nfev, ours.keys()) == (theirs.nfev, theirs.keys())


REFUSED = {
    "grid": lambda t: so.brute(lambda x: (x[0] - t) ** 2, ((-3, 3),), finish=None),
    "integers": lambda t: so.milp([t]),
    "differences": lambda t: so.approx_fprime([t], np.sum),
    "minimize": lambda t: so.fmin_tnc(lambda x: (x[0] - t) ** 2, [0.0], args=(t,)),
    "points": lambda t: (
        so.differential_evolution(lambda x: (x[0] - t) ** 2, BOX[:1], vectorized=True, updating="deferred").fun
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_refusals_say_why(why):
    with pytest.raises(NoRuleError, match=why):
        grad(lambda t: np.sum(REFUSED[why](t)))(1.0)


@pytest.mark.parametrize("increasing", [True, False])
def test_isotonic_regression_projects(increasing):
    y = np.array([1.0, 3.0, 2.0, 4.0, 3.5, 7.0, 6.0])
    x = lambda y: so.isotonic_regression(y, increasing=increasing).x
    J = jacobian(x)(y)
    assert np.allclose(J, J.T)
    assert np.allclose(J[:, 0], jacobian(lambda first: x([first, *y[1:]]))(y[0]))
    assert np.allclose(J @ J, J)
    assert np.allclose(J @ y, plain.isotonic_regression(y, increasing=increasing).x)

"""scipy.optimize: what the samples do not cover: methods, degenerate and failed solutions, ways to pass parameters."""

import math

import numpy as np
import pytest
import scipy.optimize as plain

import dotbar
import dotbar.scipy.optimize as so
from dotbar import grad, hessian, jacobian, jit, jvp, scan, vmap
from dotbar.errors import ConversionError, DegenerateSolutionError, NoRuleError
from dotbar.scipy.optimize.implicit import reached

p = np.array([1.3, 0.4])


def f(x, p):
    """Its minimum lies at x₀ = p₀, x₁ = p₀ p₁."""
    return (x[0] - p[0]) ** 2 + (x[1] - p[1] * x[0]) ** 2 + 1.0


def argmin(p):
    return np.stack([p[0], p[0] * p[1]])


BY_HESSIAN, BY_PRODUCT = ["dogleg", "trust-exact", "trust-constr"], ["Newton-CG", "trust-ncg", "trust-krylov"]
ALL = ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", *BY_HESSIAN, *BY_PRODUCT]


@pytest.mark.parametrize("method", ["Nelder-Mead", "Powell", "COBYLA", "COBYQA", *ALL])
def test_every_method_of_minimize(method):
    options = {} if method == "dogleg" else {"tol": 1e-10 if method != "TNC" else 1e-13}
    x = lambda p: so.minimize(f, [0.8, 0.7], (p,), method, **options).x
    assert np.allclose(jacobian(x)(p), jacobian(argmin)(p), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("method", ALL)
def test_methods_have_exact_derivatives_by_themselves(method):
    found = so.minimize(f, [0.8, 0.7], (p,), method)
    given = {"jac": grad(f), "hess": hessian(f) if method in BY_HESSIAN else None}
    given["hessp"] = (lambda x, v, p: hessian(f)(x, p) @ v) if method in BY_PRODUCT else None
    wanted = plain.minimize(f, [0.8, 0.7], (p,), method, **given)
    assert (found.nfev, found.nit) == (wanted.nfev, wanted.nit)
    assert np.allclose(found.x, wanted.x, 1e-12)


def test_what_the_user_chooses_stays():
    found = so.minimize(f, [0.8, 0.7], (p,), "trust-constr", jac="2-point", hess=so.BFGS())
    assert found.nfev == plain.minimize(f, [0.8, 0.7], (p,), "trust-constr", jac="2-point", hess=so.BFGS()).nfev
    assert so.minimize(f, [0.8, 0.7], (p,), "trust-constr", jac="2-point").success
    value_and_slope = lambda x, p: (f(x, p), grad(f)(x, p))
    x = lambda p: so.minimize(value_and_slope, [0.8, 0.7], (p,), jac=True, tol=1e-7).x
    assert np.allclose(jacobian(x)(p), jacobian(argmin)(p), atol=1e-5)


def test_a_function_that_cannot_be_differentiated_is_scipys_matter():
    rough = lambda x: math.cos(x[0]) + float(x[1]) ** 2
    assert so.minimize(rough, [3.0, 1.0]).nfev == plain.minimize(rough, [3.0, 1.0]).nfev
    equation = lambda x: [math.sin(x[0]), x[1]]
    assert np.array_equal(so.root(equation, [3.0, 1.0]).x, plain.root(equation, [3.0, 1.0]).x)


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr", "COBYLA", "COBYQA"])
def test_constrained(method):
    """min (x₀ − 2)² + (x₁ − 1)² on x₀² + x₁² ≤ r², x₁ ≥ l: at the corner x₁ = l, x₀ = √(r² − l²)."""

    def x(q):
        disc = so.NonlinearConstraint(lambda x: x @ x, -np.inf, q[0] ** 2)
        line = so.LinearConstraint(np.array([[0.0, 1.0]]), q[1], np.inf)
        goal = lambda x: (x[0] - 2) ** 2 + (x[1] - 0.1) ** 2
        return so.minimize(goal, [0.5, 1.0], method=method, constraints=[disc, line], tol=1e-9).x

    q, side = np.array([1.5, 0.9]), 1.2
    assert np.allclose(jacobian(x)(q), [[1.5 / side, -0.9 / side], [0, 1]], atol=1e-4)


def test_limits_may_depend_on_parameters():
    x = lambda b: so.minimize(f, [0.1, 0.1], (p,), bounds=so.Bounds(-1 + 0 * b, b), tol=1e-13).x
    b = np.array([1.0, 0.2])
    assert np.allclose(jacobian(x)(b), np.eye(2), atol=1e-6)
    assert np.allclose(grad(lambda b: so.minimize_scalar(lambda x: x, bounds=(b, 2.0)).x)(1.0), 1)


@pytest.mark.parametrize(
    "method", [so.brent, so.golden, lambda f, **options: so.fminbound(f, -1.0, 3.0, xtol=1e-9, **options)]
)
def test_along_a_line(method):
    """exp(x) − t x is least at log t, where it is t − t log t."""
    x = lambda t: method(lambda x: np.exp(x) - t * x)
    value = lambda t: method(lambda x: np.exp(x) - t * x, full_output=True)[1]
    assert np.isclose(grad(x)(2.0), 0.5, 1e-5)
    assert np.isclose(grad(grad(x))(2.0), -0.25, 1e-5)
    assert np.isclose(grad(value)(2.0), -np.log(2.0), 1e-5)


def test_where_a_search_stops_has_no_derivative():
    with pytest.raises(NoRuleError, match=r"optimize\.bracket"):
        grad(lambda t: so.bracket(lambda x: (x - t) ** 2)[1])(2.0)
    assert so.bracket(lambda x: x**2) == plain.bracket(lambda x: x**2)


def test_the_optimal_value_needs_no_second_derivative_of_the_objective():
    """Its gradient is that of the objective; a flat minimum, whose place has no derivative, has one."""
    flat = lambda t: so.minimize(lambda x: t**2 * np.sum((x - 1) ** 4) + t, [1.5, 1.2], method="BFGS")
    assert np.isclose(grad(lambda t: flat(t).fun)(2.0), 1)
    assert np.isclose(jvp(lambda t: flat(t).fun, (2.0,), (1.0,))[1], 1)


DEGENERATE = [
    lambda t: so.newton(lambda x: t * (x - 1) ** 2, 1.5, maxiter=200),
    lambda t: so.bisect(lambda x: t * x**3, -1.0, 2.0),
    lambda t: so.fsolve(lambda x: [x[0] + x[1] - t, 2 * x[0] + 2 * x[1] - 2 * t], [1.0, 1.0])[0],
    lambda t: so.minimize(lambda x: (x[0] + x[1] - t) ** 2, [1.0, 0.0]).x[0],
    lambda t: so.minimize(lambda x: np.sum((x - t) ** 2), [1.0, 0.0], bounds=[(1.0, 9.0), (-9.0, 9.0)]).x[0],
    lambda t: so.linprog([1.0, 1.0], [[-1.0, -1.0]], [-t]).x[0],
]


@pytest.mark.parametrize("call", DEGENERATE)
@pytest.mark.parametrize("mode", [grad, lambda f: lambda t: jvp(lambda t: 1.0 * f(t), (t,), (1.0,))[1]])
def test_degenerate_solutions_raise(call, mode):
    """A multiple root, a singular Jacobian or Hessian, a constraint without force, a face of solutions."""
    with pytest.raises(DegenerateSolutionError, match="singular"):
        mode(call)(1.0)


def test_what_has_not_converged_has_a_derivative_of_nan():
    x = lambda t: so.root_scalar(lambda x: x**2 - t, x0=t, method="newton", maxiter=2)
    assert not x(2.0).converged
    assert np.isnan(grad(lambda t: x(t).root)(2.0))
    assert np.isnan(jvp(lambda t: 1.0 * x(t).root, (2.0,), (1.0,))[1])
    y = lambda t: so.minimize(lambda x: np.sum((x - t) ** 4 + np.cos(x)), [9.0, 3.0], options={"maxiter": 1})
    assert not y(0.3).success
    assert np.isnan(grad(lambda t: y(t).x[0])(0.3))
    assert np.isnan(grad(lambda t: y(t).fun)(0.3))
    nowhere = lambda b: so.linprog([1.0, 1.0], [[1.0, 1.0]], b)
    assert nowhere(np.array([-1.0])).x is None
    assert np.isnan(grad(lambda b: nowhere(b).fun)(np.array([-1.0])))
    assert np.isnan(grad(lambda b: nowhere(b).x[0])(np.array([-1.0])))
    with pytest.raises(RuntimeError, match="converge"):
        grad(lambda t: so.newton(lambda x: x**2 + t, 1.0, maxiter=5))(1.0)


def curved(x, p):
    """Its minimum lies at x₀ = p₀, x₁ = p₀ p₁, too."""
    return np.exp(x[0] - p[0]) - x[0] + (x[1] - p[1] * x[0]) ** 2


def cubes(x, p):
    return x**3 - p


WITHOUT_SUCCESS = {
    method: lambda p, n, method=method, tolerance=tolerance: so.minimize(
        curved, [0.8, 0.7], (p,), method, options={"maxiter": n, tolerance: 0.0}
    )
    for method, tolerance in {"BFGS": "gtol", "CG": "gtol", "SLSQP": "ftol", "trust-exact": "gtol"}.items()
} | {
    "Nelder-Mead": lambda p, n: so.minimize(
        curved, [0.8, 0.7], (p,), "Nelder-Mead", options={"xatol": 0.0, "fatol": 0.0, "maxiter": n}
    ),
    "hybr": lambda p, n: so.root(cubes, [0.8, 0.7], (p,), tol=0.0, options={"maxfev": n}),
    "lm": lambda p, n: so.root(cubes, [0.8, 0.7], (p,), method="lm", tol=0.0, options={"maxiter": n}),
    "broyden1": lambda p, n: so.root(
        cubes, [1.0, 0.7], (p,), method="broyden1", options={"fatol": 0.0, "maxiter": min(n, 12)}
    ),
    "trust-constr": lambda p, n: so.minimize(
        curved, [0.8, 0.7], (p,), "trust-constr", options={"gtol": 0.0, "xtol": 0.0, "maxiter": min(n, 30)}
    ),
    "differential_evolution": lambda p, n: so.differential_evolution(
        curved, [(-3, 3)] * 2, (p,), rng=1, maxiter=min(n, 3), polish=n > 2
    ),
}


@pytest.mark.filterwarnings("ignore:delta_grad:UserWarning")
@pytest.mark.parametrize("name", WITHOUT_SUCCESS)
def test_where_a_solver_ends_decides_not_its_success(name):
    """A search that complains at the minimum has found it; one that was stopped early has not."""
    found = lambda n: lambda p: np.positive(WITHOUT_SUCCESS[name](p, n).x)
    assert not WITHOUT_SUCCESS[name](p, 200).success
    wanted = np.diag(p ** (-2 / 3) / 3) if name in ("hybr", "lm", "broyden1") else jacobian(argmin)(p)
    for transform in (jacobian, lambda f: jit(jacobian(f))):
        assert np.allclose(transform(found(200))(p), wanted, atol=1e-4)
        assert np.all(np.isnan(transform(found(2))(p)))


def test_a_minimum_outside_of_the_limits_is_none():
    """Where f is least, but the limits, which contradict one another, are not kept."""
    apart = [{"type": "ineq", "fun": lambda x: x[0] - 2}, {"type": "ineq", "fun": lambda x: -x[0] - 2}]
    x = lambda t: so.minimize(lambda x: np.sum((x - t) ** 2), [0.0], method="SLSQP", constraints=apart)
    assert not x(0.0).success
    assert np.isnan(grad(lambda t: x(t).x[0])(0.0))
    assert np.isnan(grad(lambda t: x(t).fun)(0.0))


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "SLSQP", "trust-exact"])
@pytest.mark.parametrize("transform", [lambda f: f, jit])
def test_content_far_from_the_minimum(method, transform):
    """A slope below the tolerance, as the function is small, is not a minimum; once it is, the derivative is there."""
    small = lambda p, **how: so.minimize(lambda x: 1e-7 * (curved(x, p) + 2), [0.8, 0.7], method=method, **how)
    assert small(p).success
    assert np.all(np.isnan(transform(jacobian(lambda p: small(p).x))(p)))
    assert np.all(np.isnan(transform(grad(lambda p: small(p).fun))(p)))
    found = lambda p: small(p, tol=1e-20, options={"maxiter": 40}).x
    assert np.allclose(transform(jacobian(found))(p), jacobian(argmin)(p), atol=1e-3)


def test_success_is_reported_as_by_scipy():
    seen = []
    grad(lambda p: (seen.append(WITHOUT_SUCCESS["BFGS"](p, 200)), seen[0].x[0])[1])(p)
    assert not seen[0].success
    assert not jit(lambda p: WITHOUT_SUCCESS["BFGS"](p, 200).success)(p)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_what_is_near_does_not_depend_on_units(scale):
    units, root = np.array([1.0, scale]), np.array([1.3, 0.4])
    F = lambda x: cubes(x / units, root**3) * scale * units
    near = lambda error: reached(F, (root + error) * units, 0 * root, False)
    assert near(np.array([1e-8, 1e-8]))
    assert not near(np.array([0.0, 1e-4]))
    assert not near(np.array([1e-4, 0.0]))


def test_where_a_search_begins_counts_if_it_ends_early():
    stopped = lambda t: so.minimize(lambda x: np.sum(x**4), t * np.ones(2), options={"maxiter": 1})
    for part in (lambda t: stopped(t).x[0], lambda t: stopped(t).fun):
        assert np.isnan(grad(part)(1.0))
        assert np.isnan(jvp(lambda t, part=part: 1.0 * part(t), (1.0,), (1.0,))[1])
    assert grad(lambda t: so.minimize(lambda x: np.sum((x - 1) ** 2), t * np.ones(2)).x[0])(3.0) == 0


def test_the_value_at_a_kink_has_no_derivative():
    """min |x − t| + t: the slope on one side of the minimum is not that of the value."""
    least = lambda t: so.minimize(lambda x: np.abs(x[0] - t) + t, [0.0], method="Nelder-Mead").fun
    assert np.isnan(grad(least)(1.0))


@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_a_bound_that_is_just_touched(method):
    fit = lambda t: so.least_squares(lambda x: x - t, [0.5], bounds=(0, 1.0), method=method).x[0]
    with pytest.raises(DegenerateSolutionError):
        grad(fit)(1.0)
    assert np.isclose(grad(fit)(0.8), 1)
    assert grad(fit)(1.2) == 0


def test_correlated_errors_of_a_fit_under_every_transform():
    x, y = np.linspace(0, 1, 4), np.array([0.1, 0.5, 0.7, 1.2])
    fit = lambda s: so.curve_fit(lambda x, a, b: a * x + b, x, y, sigma=np.diag(s) + 0.1, absolute_sigma=True)[1][0, 0]
    s, A = np.linspace(0.5, 1, 4), np.stack([x, np.ones(4)], 1)
    wanted = grad(lambda s: np.linalg.inv(A.T @ np.linalg.solve(np.diag(s) + 0.1, A))[0, 0])(s)
    for g in (grad(fit), jit(grad(fit)), grad(jit(fit)), lambda s: vmap(grad(fit))(s[None])[0]):
        assert np.allclose(g(s), wanted)


def test_parameters_by_closure_by_args_and_in_containers():
    root = lambda g, *args: so.brentq(g, 0.0, 9.0, args=args)
    ways = [
        lambda t: root(lambda x: x * x - t),
        lambda t: root(lambda x, t: x * x - t, t),
        lambda t: root(lambda x, q: x * x - q["a"][0], {"a": [t]}),
    ]
    for way in ways:
        for call in (grad(way), jit(grad(way)), grad(jit(way))):
            assert np.isclose(call(2.0), 0.5 / np.sqrt(2.0), 1e-11)
        assert np.allclose(vmap(grad(way))(np.array([2.0, 3.0])), 0.5 / np.sqrt([2.0, 3.0]), 1e-11)


def test_a_function_that_branches_takes_its_parameters_by_args():
    def g(x, t):
        return x * x - t if x > 0 else -t

    assert np.isclose(grad(lambda t: so.brentq(g, 0.0, 9.0, args=(t,)))(2.0), 0.5 / np.sqrt(2.0))
    with pytest.raises(ConversionError, match="bool"):
        grad(lambda t: so.brentq(lambda x: g(x, t), 0.0, 9.0))(2.0)


def test_solutions_of_solutions():
    """The outer minimum over a of the inner minimum over x."""
    inner = lambda a, t: so.minimize(lambda x: (x[0] - a * t) ** 2 + a**2, [0.0], method="BFGS")
    outer = lambda t: so.minimize(lambda a: inner(a[0], t).fun + (inner(a[0], t).x[0] - 1) ** 2, [0.3], tol=1e-7).x[0]
    assert np.isclose(outer(1.5), 1.5 / (1 + 1.5**2), atol=1e-6)
    assert np.isclose(grad(outer)(1.5), (1 - 1.5**2) / (1 + 1.5**2) ** 2, atol=1e-5)


def test_solutions_inside_a_loop():
    """cₖ₊₁² = t cₖ + 1."""
    step = lambda c, t: so.newton(lambda x: x**2 - c * t - 1, 1.5, tol=1e-12)
    f = lambda t: scan(lambda c, _: (step(c, t), None), t, length=3)[0]
    plainly = lambda t: np.sqrt(t * np.sqrt(t * np.sqrt(t * t + 1) + 1) + 1)
    for g in (grad(f), jit(grad(f)), grad(jit(f)), lambda t: vmap(grad(f))(np.array([t]))[0]):
        assert np.isclose(g(2.0), grad(plainly)(2.0))
    assert np.isclose(jit(hessian(f))(2.0), hessian(plainly)(2.0))


def test_results_are_scipys_with_traced_values_in_their_places():
    seen = []

    def of(t):
        seen.append(so.minimize(lambda x: (x[0] - t) ** 2, [0.0]))
        return seen[-1].x[0]

    assert np.isclose(grad(of)(2.0), 1)
    assert seen[0].success
    assert seen[0].message == "Optimization terminated successfully."
    assert type(seen[0].nfev) is int
    with pytest.raises(NoRuleError, match="'jac' of a solution"):
        np.sum(seen[0].jac)


CONSTANT = {
    "jac": lambda q: 2.0 * so.minimize(lambda x: (x[0] - q) ** 2, [0.0], bounds=[(2.0, 3.0)]).jac[0],
    "hess_inv": lambda q: np.sum(so.minimize(lambda x: (x[0] - q) ** 2, [0.0]).hess_inv),
    "fvec": lambda q: so.fsolve(lambda x: x - q, [0.0], full_output=True)[1]["fvec"][0],
    "grad": lambda q: so.least_squares(lambda x: x - q, [0.0])["grad"] @ np.ones(1),
    "a further result": lambda q: so.fmin_bfgs(lambda x: (x[0] - q) ** 2, [0.0], full_output=True, disp=0)[2] + 1.0,
}


@pytest.mark.parametrize("name", CONSTANT)
def test_what_is_reported_besides_the_solution_is_not_silently_constant(name):
    with pytest.raises(NoRuleError, match=f"{name!r} of a solution"):
        grad(CONSTANT[name])(1.0)


@pytest.mark.parametrize("method", [so.brent, so.golden])
def test_a_line_search_that_stops_early_has_a_derivative_of_nan(method):
    assert np.isnan(grad(lambda t: method(lambda x: np.exp(x) - t * x, maxiter=2))(2.0))
    for full_output in (False, True):
        ours, theirs = (
            m(lambda x: np.exp(x) - x, brack=(-1.0, 2.0), full_output=full_output)
            for m in (method, getattr(plain, method.__name__))
        )
        assert ours == theirs


def test_integers_of_a_linear_program_are_refused():
    x = lambda c: so.linprog(c, bounds=[(0, 2.5)] * 2, integrality=[1, 0]).x[0]
    with pytest.raises(NoRuleError, match="integers"):
        grad(x)(-np.ones(2))


def test_the_start_counts_for_nothing():
    assert grad(lambda x0: so.newton(lambda x: x**3 - 2, x0))(1.0) == 0
    assert grad(lambda a: so.brentq(lambda x: x**3 - 2, a, 3.0))(0.5) == 0


@pytest.mark.parametrize("loss", ["linear", "huber", "soft_l1", "cauchy", "arctan"])
def test_losses(loss):
    r = lambda x, y: x[0] * np.arange(1.0, 6.0) - y
    fit = lambda y: so.least_squares(r, [1.0], args=(y,), loss=loss, f_scale=0.7, ftol=1e-14, xtol=1e-14, gtol=1e-14)
    y = np.array([1.0, 2.3, 2.9, 7.0, 5.1])
    e = np.array([0.3, -0.2, 0.5, 1.0, 0.1])
    h = 1e-5
    for part in ("x", "cost", "fun"):
        got = jvp(lambda y, part=part: fit(y)[part], (y,), (e,))[1]
        assert np.allclose(got, (fit(y + h * e)[part] - fit(y - h * e)[part]) / (2 * h), atol=1e-6)


def test_leastsq():
    line = lambda y: so.leastsq(lambda x, y: x[0] * np.arange(3.0) + x[1] - y, [1.0, 1.0], (y,), full_output=True)
    assert np.allclose(
        jacobian(lambda y: line(y)[0])(np.array([1.0, 2.0, 4.0])), [[-0.5, 0, 0.5], [5 / 6, 1 / 3, -1 / 6]]
    )
    assert line(np.ones(3))[4] in (1, 2, 3, 4)
    slope = lambda y: so.leastsq(lambda x, y: x[0] * y - 1, [1.0], (y,), full_output=True)[1][0, 0]
    assert np.allclose(grad(slope)(np.array([1.0, 2.0])), [-2 / 25, -4 / 25])  # of 1 / yᵀy
    assert len(so.leastsq(lambda x: x - 1, [0.0])) == 2


def test_curve_fit_is_least_squares_of_the_data():
    """For a line, parameters and covariance are known."""
    x, y = np.linspace(0, 1, 6), np.array([0.1, 0.3, 0.3, 0.6, 0.9, 0.8])
    A = np.stack([x, np.ones(6)], 1)
    s = np.linspace(0.5, 1, 6)

    def known(y, s):
        W = A / s[:, None]
        return np.linalg.solve(W.T @ W, W.T @ (y / s)), np.linalg.inv(W.T @ W)

    got = lambda y, s: so.curve_fit(lambda x, a, b: a * x + b, x, y, sigma=s, absolute_sigma=True)
    for mode in (dotbar.jacfwd, dotbar.jacrev):
        for a, b in zip(mode(got, (0, 1))(y, s), mode(known, (0, 1))(y, s)):
            assert all(np.allclose(u, v, atol=1e-7) for u, v in zip(a, b))


@pytest.mark.parametrize("wrap", [lambda f: f, jit, lambda f: lambda S: vmap(f)(S[None])[0]])
def test_what_is_factored_outside_the_function(wrap):
    """The factors of S do not depend on x: they are operands besides S, by which no derivative is asked for."""

    def root(S):
        return so.root(
            lambda x: np.linalg.solve(S, x * x - 1.0) + x + np.linalg.det(S) / 10, np.array([0.3, 0.2]), tol=1e-14
        ).x

    S = np.array([[2.0, 0.3], [0.1, 1.5]])
    J = wrap(jacobian(root))(S)
    E, h = np.array([[0.3, -0.2], [0.5, 0.1]]), 1e-5
    np.testing.assert_allclose(np.sum(J * E, (-2, -1)), (root(S + h * E) - root(S - h * E)) / (2 * h), rtol=1e-6)


@pytest.mark.parametrize("loss", ["soft_l1", "cauchy", "arctan"])
@pytest.mark.parametrize("result", [0, 1])
def test_a_fit_with_a_loss(loss, result):
    x, y = np.linspace(0, 2, 8), 1.3 * np.exp(-0.7 * np.linspace(0, 2, 8)) + np.array([0, 0.05, 0, 0, -0.9, 0, 0.03, 0])
    how = {"method": "trf", "loss": loss, "f_scale": 0.2, "xtol": 1e-14, "ftol": 1e-14, "gtol": 1e-14}
    model = lambda x, a, k: a * np.exp(-k * x)
    fit = lambda y: so.curve_fit(model, x, y, **how)[result]
    assert np.allclose(fit(y), plain.curve_fit(model, x, y, **how)[result], rtol=1e-5)
    e, h = np.cos(np.arange(8.0)), 1e-4
    got = jvp(fit, (y,), (e,))[1]
    assert np.allclose(got, (fit(y + h * e) - fit(y - h * e)) / (2 * h), rtol=2e-3, atol=1e-5)


def test_one_sigma_for_all_data():
    x, y = np.linspace(0, 1, 4), np.array([0.1, 0.5, 0.7, 1.2])
    fit = lambda m, s: m.curve_fit(lambda x, a: a * x, x, y, sigma=s, absolute_sigma=True)[1][0, 0]
    assert np.isclose(fit(so, 2.0), fit(plain, 2.0))
    assert np.isclose(grad(lambda s: fit(so, s))(2.0), fit(plain, 2.0))  # s² / Σ x²


def test_the_scale_of_a_loss_and_bounds_in_lists():
    x, y = np.arange(1.0, 6.0), np.array([1.0, 2.3, 2.9, 7.0, 5.1])
    tight = {"xtol": 1e-14, "ftol": 1e-14, "gtol": 1e-14}
    fit = lambda c: so.least_squares(lambda a: a[0] * x - y, [1.0], loss="huber", f_scale=c, **tight).x[0]
    assert np.isclose(grad(fit)(0.7), (fit(0.701) - fit(0.699)) / 0.002, rtol=1e-4)
    box = lambda u: so.least_squares(lambda x: x - 3, [0.1, 0.1], bounds=([0, 0], [u, 5.0])).x
    assert np.allclose(jvp(box, (1.0,), (1.0,))[1], [1, 0], atol=1e-6)


STARTS = {
    "minimize": lambda x0: so.minimize(lambda x: np.sum((x - 2) ** 2), x0).x,
    "root": lambda x0: so.root(lambda x: x**3 - 2, x0).x,
    "fsolve": lambda x0: so.fsolve(lambda x: x**3 - 2, x0),
    "newton": lambda x0: so.newton(lambda x: x**3 - 2, x0),
    "fixed_point": lambda x0: so.fixed_point(lambda x: np.cos(x), x0),
    "least_squares": lambda x0: so.least_squares(lambda x: x**3 - 2, x0).x,
    "leastsq": lambda x0: so.leastsq(lambda x: x**3 - 2, x0)[0],
    "curve_fit": lambda x0: so.curve_fit(lambda x, a, b: a * x + b, np.arange(3.0), np.arange(3.0), x0)[0],
    "fmin_bfgs": lambda x0: so.fmin_bfgs(lambda x: np.sum((x - 2) ** 2), x0, disp=0),
    "broyden1": lambda x0: so.broyden1(lambda x: x**3 - 2, x0),
}


@pytest.mark.parametrize("name", STARTS)
def test_a_start_in_a_list_counts_for_nothing(name):
    assert np.all(jacobian(lambda t: 1.0 * STARTS[name]([t, 1.1]))(1.2) == 0)


@pytest.mark.parametrize("sigma", [None, np.array([1.0, 2.0, 1.0, 2.0, 1.5])])
@pytest.mark.parametrize("wrap", [lambda f: f, jit])
def test_a_fit_omits_what_is_nan(sigma, wrap):
    x = np.array([1.0, 2.0, 3.0, np.nan, 5.0])
    kept, y = np.array([0, 2, 4]), np.array([1.0, 3.0, 4.4])
    model = lambda x, a, b: a * x + b * np.log(x)
    omitted = lambda y: so.curve_fit(
        model, x, np.stack([y[0], np.nan, y[1], 5.0, y[2]]), None, sigma, nan_policy="omit"
    )
    clean = lambda y: so.curve_fit(model, x[kept], y, None, None if sigma is None else sigma[kept])
    for k in (0, 1):
        assert np.allclose(omitted(y)[k], clean(y)[k])
        J, wanted = wrap(jacobian(lambda y, k=k: omitted(y)[k]))(y), jacobian(lambda y, k=k: clean(y)[k])(y)
        assert np.allclose(J, wanted)
    matrix = lambda s: so.curve_fit(model, x, x, None, s * np.eye(5), nan_policy="omit")[0][0]
    assert np.isfinite(matrix(1.0))
    with pytest.raises(NoRuleError, match="matrix sigma"):
        grad(matrix)(1.0)

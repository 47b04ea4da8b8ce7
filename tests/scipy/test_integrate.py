"""scipy.integrate: what the samples do not cover: methods, settings, accuracy, events, failures."""

import gc
import tracemalloc

import numpy as np
import pytest
import scipy.integrate as plain
from scipy.linalg import expm

import dotbar.scipy.integrate as si
from dotbar import cond, grad, jacfwd, jacobian, jacrev, jit, jvp, scan, vjp, vmap
from dotbar.errors import NoRuleError, StructureError
from dotbar.scipy.integrate.trajectory import Method, Trajectory

both_modes = pytest.mark.parametrize("jac", [jacfwd, jacrev])

# ---------------------------------------------------------------- quadrature


@both_modes
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"points": [0.5, 1.0]},
        {"weight": "cos", "wvar": 2.0},
        {"weight": "sin", "wvar": 2.0},
        {"weight": "cauchy", "wvar": 7.0},
    ],
    ids=repr,
)
def test_quad_with_settings(jac, options):
    f = lambda x, q: np.exp(-q[0] * x) * np.sin(q[1] * x)
    integral = lambda q: si.quad(f, q[2], q[3], (q,), epsabs=1e-12, **options)[0]
    q, h = np.array([0.7, 1.3, 0.1, 1.6]), 1e-4
    wanted = [(integral(q + h * e) - integral(q - h * e)) / (2 * h) for e in np.eye(4)]
    assert np.allclose(jac(lambda q: np.positive(integral(q)))(q), wanted, atol=1e-7)


def test_a_weight_that_depends_on_the_limits():
    integral = lambda b, q: si.quad(lambda x: np.cos(q * x), 0.0, b, weight="alg", wvar=(0.5, 0.5))[0]
    assert np.isclose(grad(integral, 1)(1.0, 0.3), (integral(1.0, 0.3001) - integral(1.0, 0.2999)) / 2e-4)
    with pytest.raises(NoRuleError, match="weight depends on the limits"):
        grad(integral)(1.0, 0.3)


@both_modes
def test_infinite_limits_singular_ends_and_complex_values(jac):
    gaussian = lambda s: np.positive(si.quad(lambda x: np.exp(-x * x / s), -np.inf, np.inf)[0])
    assert np.isclose(jac(gaussian)(2.0), np.sqrt(np.pi / 2) / 2)
    power = lambda a: np.positive(si.quad(lambda x: x**a, 0.0, 1.0)[0])
    assert np.isclose(jac(power)(-0.5), -4.0, 1e-7)
    wave = lambda k: np.abs(si.quad(lambda x: np.exp(1j * k * x), 0.0, 1.0, complex_func=True)[0])
    assert np.isclose(jac(wave)(1.0), np.cos(0.5) - 2 * np.sin(0.5))


@both_modes
def test_many_parameters_are_integrated_together(jac):
    q = np.linspace(0.1, 1.0, 20)
    integral = lambda q: np.positive(si.quad(lambda x: np.sum(np.cos(q * x)), 0.0, 1.0)[0])
    assert np.allclose(jac(integral)(q), np.cos(q) / q - np.sin(q) / q**2)


@both_modes
def test_several_variables(jac):
    volume = lambda r: si.tplquad(lambda z, y, x: r * x, 0.0, r, 0.0, lambda x: x, 0.0, lambda x, y: x + y)[0]
    assert np.isclose(jac(lambda r: np.positive(volume(r)))(1.2), 1.875 * 1.2**4)
    box = lambda r: si.nquad(lambda x, y, a: a * x * y, [lambda y, a: (0.0, y * a), (0.0, 1.0)], (r,))[0]
    assert np.isclose(jac(lambda r: np.positive(box(r)))(1.2), 3 * 1.2**2 / 8)


def test_a_derivative_as_accurate_as_the_integral():
    """∫ exp(−q x) dx over [0, 30], to rounding at the default tolerance."""
    q = 1.7
    assert np.isclose(grad(lambda q: si.quad(lambda x: np.exp(-q * x), 0, 30)[0])(q), -1 / q**2, 1e-12)
    assert np.isclose(grad(grad(lambda q: si.quad(lambda x: np.exp(-q * x), 0, 30)[0]))(q), 2 / q**3, 1e-12)


def test_parameters_that_are_not_those_of_the_integrand_are_refused():
    with pytest.raises(NoRuleError, match="wvar"):
        grad(lambda w: si.quad(lambda x: x * w, 0, 1, weight="cos", wvar=w)[0])(1.0)


# ---------------------------------------------------------------- initial values

A = np.array([[-0.5, 1.0], [-1.0, -0.2]])
y0 = np.array([1.0, 0.3])


def linear(A, y0, end, method="RK45", **options):
    return si.solve_ivp(lambda t, y: A @ y, (0, end), y0, method, **{"rtol": 1e-8, "atol": 1e-10, **options})


def derivatives(f, xs, ts, ybar):
    """Along ts, forward; and the same by the bars of the result."""
    forward = np.sum(ybar * jvp(f, xs, ts)[1])
    return forward, sum(np.sum(g * t) for g, t in zip(vjp(f, *xs)[1](ybar), ts))


def known(A, y0, end, dA, dy, ybar):
    """The derivative of ⟨ȳ, exp(A t) y₀⟩."""
    n = len(A)
    both = expm(end * np.block([[A, dA], [np.zeros((n, n)), A]]))
    return ybar @ (both[:n, n:] @ y0 + both[:n, :n] @ dy)


@pytest.mark.parametrize("method", ["RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA"])
@pytest.mark.parametrize("end", [1.5, -1.5])
def test_every_method_keeps_its_tolerance_in_both_modes(method, end):
    dA, dy, ybar = np.array([[0.3, -1.0], [0.5, 0.2]]), np.array([0.4, -0.7]), np.array([1.0, -2.0])
    f = lambda A, y0: linear(A, y0, end, method, rtol=1e-6, atol=1e-8, t_eval=[end]).y[:, -1]
    wanted = known(A, y0, end, dA, dy, ybar)
    assert np.allclose(derivatives(f, (A, y0), (dA, dy), ybar), wanted, 1e-4)


@pytest.mark.parametrize("rtol", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("method", ["RK45", "DOP853", "Radau", "BDF", "LSODA"])
def test_derivatives_are_as_accurate_as_was_asked_for(method, rtol):
    dA, dy, ybar = np.array([[0.3, -1.0], [0.5, 0.2]]), np.array([0.4, -0.7]), np.array([1.0, -2.0])
    f = lambda A, y0: linear(A, y0, 2.0, method, rtol=rtol, atol=rtol / 100, t_eval=[2.0]).y[:, -1]
    assert np.allclose(derivatives(f, (A, y0), (dA, dy), ybar), known(A, y0, 2.0, dA, dy, ybar), atol=20 * rtol)


def test_a_very_stiff_oscillator():
    """Van der Pol's with μ = 1000, after one jump: explicit methods would take a million steps back."""
    f = lambda mu: si.solve_ivp(
        lambda t, y: [y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]],
        (0, 1000.0),
        [2.0, 0.0],
        "Radau",
        [1000.0],
        rtol=1e-7,
        atol=1e-9,
    ).y[0, -1]
    assert np.isclose(grad(f)(1000.0), -7.53193e-4, 0.03)  # by differences at rtol=1e-9


def test_derivatives_solve_nothing_again(monkeypatch):
    """The adjoint and any number of sensitivities go along the steps that SciPy took."""
    monkeypatch.setattr(Method, "trajectory", None)
    f = lambda A: linear(A, y0, 3.0, t_eval=np.linspace(0, 3, 7)).y
    assert np.allclose(jacfwd(f)(A), jacrev(f)(A), atol=1e-6)


@pytest.mark.parametrize("jac", [jacfwd, jacrev])
@pytest.mark.parametrize("inner", [grad, lambda f: jit(grad(f)), jacfwd], ids=["grad", "jit", "jacfwd"])
def test_what_a_gradient_closes_over_has_derivatives_too(inner, jac):
    """Under ``jit`` a closed-over matrix is a value of the recording, of which the inner gradient asks nothing."""
    f = lambda p, A: np.sum(linear(p[0] * A, p[1] * y0, 1.0, t_eval=[0.5, 1.0]).y ** 2)
    p = np.array([0.9, 1.1])
    wanted = jacfwd(lambda A: jacfwd(f)(p, A))(A)
    assert np.allclose(jac(lambda A: inner(lambda p: f(p, A))(p))(A), wanted, atol=1e-6)
    assert np.allclose(jac(inner(f), 1)(p, A), wanted, atol=1e-6)


def test_a_matrix_that_is_changed_in_place():
    """What was made of a right-hand side serves later gradients only if its constants are the same."""
    M = A.copy()
    f = lambda p: si.solve_ivp(lambda t, y: p * (M @ y), (0, 1.0), y0, t_eval=[1.0], rtol=1e-8).y[0, -1]
    first = grad(f)(1.0)
    M[0, 1] *= 2
    fresh = 2 * A[0, 1]
    wanted = grad(lambda p: linear(p * np.array([[A[0, 0], fresh], A[1]]), y0, 1.0, t_eval=[1.0]).y[0, -1])(1.0)
    assert np.isclose(grad(f)(1.0), wanted, 1e-6)
    assert not np.isclose(first, wanted, 1e-2)


@both_modes
@pytest.mark.parametrize("dtype", [np.float32, np.longdouble, int])
def test_initial_values_of_any_type_and_none(jac, dtype):
    f = lambda y0: lambda p: si.solve_ivp(lambda t, y: -p * y, (0, 1.0), y0, t_eval=[1.0], rtol=1e-8).y[:, 0]
    assert np.allclose(jac(f(np.array([1, 2], dtype)))(1.0), [-np.exp(-1), -2 * np.exp(-1)], 1e-4)
    assert jac(f(np.zeros(0, dtype)))(1.0).shape == (0,)


@pytest.mark.parametrize("n", [2, 20])
def test_a_direction_that_is_nan_spoils_no_other(n):
    start, f = np.cos(np.arange(n)), lambda y: si.solve_ivp(lambda t, y: -y * y, (0, 1.0), y, t_eval=[0.5, 1.0]).y
    directions = np.ones((3, n))
    directions[1, 0] = np.nan
    forward = vmap(lambda v: jvp(f, (start,), (v,))[1])(directions)
    backward = vmap(lambda v: vjp(f, start)[1](np.stack([v, v], 1))[0])(directions)
    for found, alone in (
        (forward, jvp(f, (start,), (directions[0],))[1]),
        (backward, vjp(f, start)[1](np.ones((n, 2)))[0]),
    ):
        assert np.allclose(found[[0, 2]], alone, 1e-2)
        assert np.all(np.isnan(found[1]))


def test_a_solution_is_asked_for_in_any_order():
    """The stages of DOP853 are not in the order of time."""
    (window,) = Method("RK45", 1e-6, 1e-9).trajectory(lambda t, y: A @ y, 0.0, y0, 3.0).windows()
    times = np.random.default_rng(0).permutation(np.linspace(0, 3, 50))
    assert np.allclose(window(times).T, [expm(A * t) @ y0 for t in times], atol=1e-4)


@pytest.mark.parametrize("n", [3, 40])
@pytest.mark.parametrize(("method", "i"), [("DOP853", 1j), ("BDF", 1j), ("Radau", 1.0), ("LSODA", 1.0)])
def test_few_equations_and_many(n, method, i):
    """Of few the matrices of many steps are formed at once; both ways with more stops than steps, and complex."""
    L = 0.3 * (np.eye(n, k=1) + np.eye(n, k=-1) - 2 * np.eye(n)) + 0.2 * i * np.eye(n)
    start, times, tight = i * np.cos(np.arange(n)), np.linspace(0, 1, 30), {"rtol": 1e-8, "atol": 1e-10}
    y = lambda p: si.solve_ivp(lambda t, y: p * (L @ y), (0, 1.0), start, method, times, **tight).y
    found = np.sum(np.abs(y(1.3)) ** 2), jacfwd(lambda p: np.sum(np.abs(y(p)) ** 2))(1.3)
    values = np.array([expm(1.3 * t * L) @ start for t in times])
    slopes = np.array([t * L @ value for t, value in zip(times, values)])
    assert np.allclose(found, [np.sum(np.abs(values) ** 2), 2 * np.sum(np.real(np.conj(values) * slopes))], 1e-5)
    assert np.isclose(grad(lambda p: np.sum(np.abs(y(p)) ** 2))(1.3), found[1], 1e-6)


@pytest.mark.parametrize("name", ["rtol", "atol", "max_step", "first_step"])
def test_what_says_how_the_solver_goes_is_refused(name):
    with pytest.raises(NoRuleError, match=name):
        grad(lambda h: si.solve_ivp(lambda t, y: -y, (0, 1.0), y0, **{name: 1e-3 * h}).y[0, -1])(1.0)


MISUSE = {
    "1-dimensional": lambda x: si.solve_ivp(lambda t, y: -y, (0, 1.0), x),
    "within": lambda x: si.solve_ivp(lambda t, y: -x * y, (0, 1.0), y0, t_eval=[2.0]),
    "sorted": lambda x: si.solve_ivp(lambda t, y: -x * y, (0, 1.0), y0, t_eval=[0.5, 0.2]),
    "must be one of": lambda x: si.solve_ivp(lambda t, y: -x * y, (0, 1.0), y0, "Euler"),
}


@pytest.mark.parametrize("why", MISUSE)
def test_what_scipy_refuses_is_refused_as_by_scipy(why):
    for call in (MISUSE[why], lambda x: grad(lambda x: MISUSE[why](x).y[0, -1])(x)):
        with pytest.raises(ValueError, match=why):
            call(1.0)


def test_derivatives_of_all_directions_nest():
    """y' = −k y: ∂²/∂k² of y(1) is exp(−k) y₀."""
    f = lambda k: si.solve_ivp(lambda t, y: -k * y, (0, 1.0), y0, t_eval=[1.0], rtol=1e-9, atol=1e-11).y[:, 0]
    for outer, inner in ((jacfwd, jacrev), (jacrev, jacrev)):
        second = outer(inner(f))
        for g in (second, jit(second), lambda k, second=second: vmap(second)(k[None])[0]):
            assert np.allclose(np.ravel(g(np.array([0.7]))), np.exp(-0.7) * y0, atol=1e-7)


def test_a_small_direction_is_as_accurate_as_a_large_one():
    """An absolute tolerance does not swallow the sensitivities."""
    dA, ybar = np.array([[0.3, -1.0], [0.5, 0.2]]) * 1e-12, np.array([1.0, -2.0]) * 1e-12
    f = lambda A: linear(A, y0, 1.5, t_eval=[1.5]).y[:, -1]
    wanted = known(A, y0, 1.5, dA, np.zeros(2), ybar)
    assert np.allclose(derivatives(f, (A,), (dA,), ybar), wanted, 1e-6, 0)


def test_a_stiff_system():
    """Robertson's kinetics: reverse and forward agree where explicit methods would need a million steps."""

    def rates(t, y, k):
        slow, fast, back = k[0] * y[0], k[1] * y[1] ** 2, k[2] * y[1] * y[2]
        return [back - slow, slow - back - fast, fast]

    k = np.array([0.04, 3e7, 1e4])
    y = lambda k: si.solve_ivp(rates, (0, 40.0), [1.0, 0, 0], "BDF", [40.0], args=(k,), rtol=1e-6, atol=1e-10).y[:, -1]
    forward, reverse = derivatives(y, (k,), (k,), np.array([1.0, 1e4, 1.0]))
    assert np.isclose(forward, reverse, 1e-3)
    h = 1e-3
    assert np.allclose(jvp(y, (k,), (k,))[1], (y(k + h * k) - y(k - h * k)) / (2 * h), 1e-2)


def test_checkpoints_change_nothing_but_the_memory(monkeypatch):
    f = lambda A: np.sum(linear(A, y0, 3.0, t_eval=np.linspace(0, 3, 7)).y ** 2)
    whole = grad(f)(A)
    monkeypatch.setattr(Trajectory, "EVERY", 3)
    monkeypatch.setattr(Trajectory, "BYTES", 1000)
    assert np.allclose(grad(f)(A), whole, 1e-6)
    assert np.allclose(jacfwd(f)(A), whole, 1e-6)


def test_an_adjoint_along_many_steps_takes_little_memory(monkeypatch):
    """Of 300 steps of 1,000 variables, which are 12 MB with what interpolates between them."""
    f = lambda k: si.solve_ivp(lambda t, y: -k * y, (0, 2.0), np.ones(1000), t_eval=[2.0], max_step=1 / 150).y[0, 0]

    def peak():
        gc.collect()
        tracemalloc.start()
        assert np.isclose(grad(f)(1.0), -2 * np.exp(-2), 1e-3)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    whole = peak()
    monkeypatch.setattr(Trajectory, "BYTES", 1 << 20)
    assert peak() < whole - 6e6


@both_modes
def test_dense_output_and_times(jac):
    """y(t; t₀, t₁) = exp(A (t − t₀)) y₀."""
    at = lambda q: si.solve_ivp(
        lambda t, y: A @ y, (q[0], 2.0 + q[0]), y0, dense_output=True, rtol=1e-9, atol=1e-11
    ).sol(q[1:])
    slope = lambda t: A @ expm(A * t) @ y0
    J = jac(at)(np.array([0.2, 1.0, 0.7]))
    assert np.allclose(
        J[:, :, 1:], np.stack([np.outer(slope(0.8), [1, 0]), np.outer(slope(0.5), [0, 1])], 1), atol=1e-6
    )
    assert np.allclose(J[:, :, 0], -np.stack([slope(0.8), slope(0.5)], 1), atol=1e-6)


def ball(q, **options):
    """Thrown up from q₀ at speed q₁ under the gravity q₂."""
    hits = lambda t, y: y[0]
    hits.terminal, hits.direction = True, -1
    top = lambda t, y: y[1]
    fun = lambda t, y: np.stack([y[1], -q[2] + 0 * y[1]])
    return si.solve_ivp(fun, (0, 9.0), q[:2], events=[hits, top], rtol=1e-9, atol=1e-11, **options)


@both_modes
def test_events_move_with_the_parameters(jac):
    q = np.array([1.0, 3.0, 9.8])
    hit = lambda q: (q[1] + np.sqrt(q[1] ** 2 + 2 * q[0] * q[2])) / q[2]
    parts = lambda q: (lambda s: (s.t[-1], s.y[1, -1], s.t_events[0][0], s.t_events[1][0], s.y_events[1][0, 0]))(
        ball(q)
    )
    exact = lambda q: (hit(q), q[1] - q[2] * hit(q), hit(q), q[1] / q[2], q[0] + q[1] ** 2 / (2 * q[2]))
    assert np.allclose(parts(q), exact(q))
    assert np.allclose(jac(parts)(q), jacobian(exact)(q), atol=1e-6)


def test_steps_that_differ_between_items():
    f = lambda q: ball(q).t[-1]
    assert np.isclose(jit(f)(np.array([1.0, 3.0, 9.8])), f(np.array([1.0, 3.0, 9.8])))
    assert np.isclose(jit(f)(np.array([5.0, 1.0, 1.8])), f(np.array([5.0, 1.0, 1.8])))  # it takes other steps
    sharp = lambda k: si.solve_ivp(lambda t, y: -k * y, (0, 1), [1.0]).y[0, -1]
    with pytest.raises(StructureError, match="t_eval"):
        vmap(sharp)(np.array([1.0, 300.0]))


def test_what_the_solver_does_not_reach():
    """y' = y² is infinite at t = 1: SciPy stops there."""
    f = lambda a: si.solve_ivp(lambda t, y: a * y**2, (0, 2.0), [1.0], t_eval=[0.5, 1.5])
    assert not f(1.0).success
    assert np.isclose(grad(lambda a: f(a).y[0, 0])(1.0), 2.0, 1e-2)
    assert f(1.0).y.shape == (1, 1)


@both_modes
def test_complex_values(jac):
    f = lambda w: np.abs(si.solve_ivp(lambda t, y: 1j * w * y + y, (0, 1.0), [1 + 0j], t_eval=[1.0]).y[0, 0] - 1)
    exact = lambda w: np.abs(np.exp(1j * w + 1) - 1)
    assert np.isclose(jac(f)(1.2), jac(exact)(1.2), 1e-2)


@both_modes
def test_functions_that_branch_take_their_parameters_by_args(jac):
    rates = lambda t, y, k: [-k * y[0] if t < 0.5 else -2 * k * y[0]]
    f = lambda k, T: si.solve_ivp(rates, (0, 1.0), [1.0], args=(k,), t_eval=T, rtol=1e-9, atol=1e-10).y[0, -1]
    got = jac(f, (0, 1))(0.7, np.array([0.3, 1.0]))
    assert np.allclose(np.concatenate([[got[0]], got[1]]), np.array([-1.5, 0, -1.4]) * np.exp(-1.05), atol=1e-7)
    g = lambda x, k: k * x if x < 0.5 else k * k
    assert np.isclose(jac(lambda k: np.positive(si.quad(g, 0, 1, (k,), points=[0.5])[0]))(0.7), 0.825)


def test_solvers_inside_loops_and_branches():
    decay = lambda k: scan(lambda y, _: (si.odeint(lambda y, t: -k * y, y, [0, 1.0])[-1], None), np.ones(1), length=2)
    f = lambda k: cond(k > 0, lambda k: decay(k)[0][0], lambda k: k, k)
    for g in (grad(f), jit(grad(f)), grad(jit(f))):
        assert np.isclose(g(0.7), -2 * np.exp(-1.4), 1e-6)
        assert g(-0.7) == 1


def test_odeint_with_a_jacobian_of_its_own():
    f = lambda k, **options: si.odeint(lambda y, t: -k * y, [1.0], [0, 1.0], rtol=1e-9, atol=1e-9, **options)[-1, 0]
    assert np.isclose(grad(lambda k: f(k, Dfun=lambda y, t: -k * np.eye(1)))(0.7), -np.exp(-0.7))


def test_plain_calls_are_scipys():
    fun = lambda t, y: [-y[0]]
    ours, theirs = si.solve_ivp(fun, (0, 1), [1.0]), plain.solve_ivp(fun, (0, 1), [1.0])
    assert np.array_equal(ours.y, theirs.y)
    assert ours.keys() == theirs.keys()
    traced = []
    grad(lambda k: traced.append(si.solve_ivp(lambda t, y: -k * y, (0, 1), [1.0])) or traced[0].y[0, -1])(1.0)
    assert traced[0].keys() == theirs.keys()
    assert traced[0].nfev == theirs.nfev


# ---------------------------------------------------------------- boundary values


@both_modes
def test_an_unknown_parameter_of_a_boundary_value_problem(jac):
    """y'' = −p y, y(0) = y(L) = 0, y'(0) = 1: p = (π/L)²."""

    def eigenvalue(L):
        x = L * np.linspace(0, 1, 21)
        fun = lambda x, y, p: np.stack([y[1], -p[0] * y[0]])
        bc = lambda ya, yb, p: np.stack([ya[0], yb[0], ya[1] - 1])
        guess = np.stack([np.sin(np.pi * np.linspace(0, 1, 21)), np.cos(np.pi * np.linspace(0, 1, 21))])
        return si.solve_bvp(fun, bc, x, guess, [9.0], tol=1e-6)

    assert np.isclose(jac(lambda L: eigenvalue(L).p[0])(1.1), -2 * np.pi**2 / 1.1**3, 1e-5)
    assert jit(lambda L: eigenvalue(L).p)(1.1).shape == (1,)

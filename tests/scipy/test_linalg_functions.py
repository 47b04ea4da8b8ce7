"""Functions of matrices where a basis of eigenvectors would not do, and against each other."""

import mpmath
import numpy as np
import pytest
import scipy.linalg
from samples import cnormal, normal

import dotbar
import dotbar.scipy.linalg as sl
from dotbar.errors import DegenerateSpectrumError, NoRuleError
from dotbar.linalg import matrix_function

mpmath.mp.dps = 50


def along(f, A, *directions):
    """The derivative of f at A along directions, one after the other."""
    for E in directions:
        f = lambda A, f=f, E=E: dotbar.jvp(f, (A,), (E,))[1]
    return f(A)


def back(f, A, Ybar):
    return dotbar.vjp(f, A)[1](Ybar)[0]


def close(got, want, tol=1e-12):
    assert got.dtype == want.dtype
    assert np.max(np.abs(got - want), initial=0) <= tol * np.max(np.abs(want), initial=1e-300)


def exact(A, *directions):
    """The derivative of the exponential, of the doubled matrix in 50 digits."""
    D = A
    for m, E in enumerate(directions):
        D = np.block([[D, np.kron(np.eye(2**m), E)], [np.zeros_like(D), D]])
    n = len(A)
    return np.array(mpmath.expm(mpmath.matrix(D.tolist())).tolist(), object)[:n, -n:].astype(A.dtype)


JORDAN = 2 * np.eye(4) + np.eye(4, k=1)
E, F = normal(4, 4, seed=1), normal(4, 4, seed=2)
BASIS = normal(4, 4, seed=3)
NEAR = BASIS @ (JORDAN + 1e-9 * normal(4, 4, seed=4)) @ np.linalg.inv(BASIS)


@pytest.mark.parametrize("n", [2, 4, 6])
@pytest.mark.parametrize("turn", [lambda N: N, np.transpose])
def test_expm_of_a_nilpotent_matrix(n, turn):
    N, X = turn(np.triu(1e6 * normal(n, n), 1)), normal(n, n, seed=1)
    want = exact(N, X)
    assert np.all(np.abs(along(sl.expm, N, X) - want) <= 1e-13 * np.abs(want))
    want = exact(N.T, X)
    assert np.all(np.abs(back(sl.expm, N, X) - want) <= 1e-13 * np.abs(want))


@pytest.mark.parametrize("size", [1e-3, 0.1, 1, 20])
@pytest.mark.parametrize("n", [4, 45])
def test_expm_of_any_size(size, n):
    A, X = size * normal(n, n) / n, normal(n, n, seed=1)
    block = scipy.linalg.expm(np.block([[A, X], [0 * A, A]]))
    close(along(sl.expm, A, X), block[:n, n:])


def test_second_derivatives_of_expm():
    close(along(sl.expm, NEAR, E, F), exact(NEAR, E, F), 1e-11)


@pytest.mark.parametrize("make", [normal, cnormal])
@pytest.mark.parametrize("size", [1e-3, 0.1, 0.5, 3, 300])
def test_expm_of_larger_matrices(size, make):
    """The derivative goes on from the products of the value: of each degree, and after more squarings than are kept."""
    n = 20
    A, X, Y = make(n, n) / n**0.5 - 1.1 * np.eye(n), make(n, n, seed=1), make(n, n, seed=2)
    A *= size
    twice = np.block([[A, X], [0 * A, A]])
    twice = scipy.linalg.expm(np.block([[twice, np.kron(np.eye(2), Y)], [0 * twice, twice]]))
    for f in (sl.expm, dotbar.jit(sl.expm)):
        close(dotbar.vjp(f, A)[0], scipy.linalg.expm(A), 1e-11)
        close(along(f, A, X), twice[:n, n : 2 * n], 1e-11)
        close(along(f, A, X, Y), twice[:n, -n:], 1e-11)
        bars = dotbar.vmap(lambda Ybar: back(f, A, Ybar))(np.stack([X, Y]))  # noqa: B023
        close(np.vdot(bars[1], X).real, np.vdot(Y, twice[:n, n : 2 * n]).real, 1e-10)


@pytest.mark.parametrize("A", [JORDAN, NEAR, JORDAN.T, 2 * np.eye(4), NEAR + 1j * np.eye(4)])
@pytest.mark.parametrize(
    ("f", "inverse"),
    [
        (sl.logm, sl.expm),
        (sl.sqrtm, lambda Y: Y @ Y),
        (lambda A: sl.fractional_matrix_power(A, 0.25), lambda Y: np.linalg.matrix_power(Y, 4)),
        (lambda A: sl.fractional_matrix_power(A, -0.5), lambda Y: np.linalg.inv(Y @ Y)),
    ],
)
def test_inverse_functions_of_defective_matrices(f, inverse, A):
    """The chain rule for g(f(A)) = A, to the second order."""
    Y = f(A)
    close(along(inverse, Y, along(f, A, E)), E + 0 * Y, 1e-9)
    second = along(inverse, Y, along(f, A, E), along(f, A, F)) + along(inverse, Y, along(f, A, E, F))
    assert np.max(np.abs(second)) <= 1e-6


@pytest.mark.parametrize("A", [JORDAN, NEAR, JORDAN.T, 2 * np.eye(4), cnormal(4, 4) + 4 * np.eye(4)])
@pytest.mark.parametrize(
    ("func", "f"),
    [
        (np.exp, sl.expm),
        (np.log, sl.logm),
        (np.sqrt, sl.sqrtm),
        (np.cos, sl.cosm),
        (lambda z: z**3 - 1 / z, lambda A: A @ A @ A - np.linalg.inv(A)),
    ],
)
def test_funm_of_defective_matrices(func, f, A, capsys):
    """SciPy's value is inaccurate there, and says so; the derivative is not."""
    A, X = A + 0j, E + 0j
    close(along(lambda A: sl.funm(A, func), A, X), along(f, A, X), 1e-8)
    close(back(lambda A: sl.funm(A, func), A, X), back(f, A, X), 1e-8)
    capsys.readouterr()


@pytest.mark.parametrize(
    ("func", "slope"),
    [
        (np.exp, scipy.linalg.expm),
        (np.log, np.linalg.inv),
        (lambda z: 1 / (1 + z), lambda J: -np.linalg.matrix_power(J + np.eye(12), -2)),
    ],
)
def test_funm_of_many_equal_eigenvalues(func, slope, capsys):
    """Along a direction that commutes with A the derivative is f′(A) times it."""
    shift = np.eye(12, k=1)
    J = 2 * np.eye(12) + shift
    close(along(lambda A: sl.funm(A, func), J, shift), slope(J) @ shift, 1e-10)
    capsys.readouterr()


@pytest.mark.parametrize("spread", [1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1])
@pytest.mark.parametrize(("func", "f"), [(np.exp, sl.expm), (np.log, sl.logm)])
def test_funm_of_eigenvalues_at_any_distance(func, f, spread, capsys):
    A = NEAR + spread * normal(4, 4, seed=9) + 0j
    X, Y = E + 0j, F + 0j
    close(along(lambda A: sl.funm(A, func), A, X), along(f, A, X), 1e-12)
    close(along(lambda A: sl.funm(A, func), A, X, Y), along(f, A, X, Y), 1e-11)
    capsys.readouterr()


@pytest.mark.parametrize("size", [1e-12, 1e-6, 1e6])
def test_funm_of_matrices_of_any_size(size, capsys):
    for A in (size * JORDAN, size * NEAR, size * np.eye(4)):
        close(along(lambda A: sl.funm(A, np.log), A + 0j, E + 0j), along(sl.logm, A + 0j, E + 0j), 1e-12)
    capsys.readouterr()


def test_funm_of_a_function_that_is_not_analytic(capsys):
    """It needs derivatives at the eigenvalues only, if they are apart."""
    A = np.diag([-2.0, 1, 3, 5]) + (E + E.T) / 9
    X = F + F.T
    close(along(lambda A: sl.funm(A, np.abs), A, X), along(lambda A: matrix_function(np.abs, A), A, X), 1e-11)
    capsys.readouterr()


def test_funm_refuses(capsys):
    with pytest.raises(DegenerateSpectrumError, match="6 close eigenvalues"):
        dotbar.grad(lambda A: np.sum(sl.funm(A, np.abs)))(JORDAN[:3, :3])
    with pytest.raises(NoRuleError, match="disp=False"):
        dotbar.grad(lambda A: np.sum(sl.funm(A, np.sin, disp=False)[0]))(E)
    capsys.readouterr()


def test_sign_of_a_defective_matrix():
    """sign(A) = A (A²)^(−½)."""
    T = np.block([[JORDAN, normal(4, 4)], [np.zeros((4, 4)), -JORDAN]])
    X = normal(8, 8, seed=1)
    root = lambda A: A @ sl.fractional_matrix_power(A @ A, -0.5)
    close(along(sl.signm, T, X), along(root, T, X), 1e-8)


def test_sqrtm_at_the_identity():
    assert np.array_equal(along(sl.sqrtm, np.eye(4), E), E / 2)
    assert np.allclose(along(sl.sqrtm, np.eye(4), E, F), -(E @ F + F @ E) / 8, rtol=1e-14)
    assert np.array_equal(back(sl.sqrtm, np.eye(4), E), E / 2)


@pytest.mark.parametrize("f", [sl.sqrtm, sl.logm])
@pytest.mark.parametrize("side", [1e-9, -1e-9])
def test_beside_the_negative_axis(f, side):
    """Finite; the derivative of the conjugate matrix is the conjugate."""
    A = np.diag([-1 + side * 1j, 2, 3]) + np.triu(normal(3, 3), 1)
    X = normal(3, 3)
    got = along(f, A, X + 0j)
    assert np.all(np.isfinite(got))
    close(np.conj(got), along(f, np.conj(A), X + 0j))


@pytest.mark.parametrize("f", [sl.sqrtm, sl.logm])
def test_real_matrices_with_complex_functions(f):
    """On the negative axis, along real matrices: as of the complex matrix beside it."""
    A = BASIS @ (np.diag([-1.0, -2, 3, 4])) @ np.linalg.inv(BASIS)
    value = f(A)
    assert value.dtype == complex
    beside = A + 1e-13j * np.eye(4)
    flip = np.conj if np.linalg.norm(f(beside) - value) > 1 else np.asarray
    if np.linalg.norm(flip(f(beside)) - value) < 1e-6:
        close(along(f, A, E), flip(along(f, beside, E + 0j)), 1e-8)
        close(along(f, A, E, F), flip(along(f, beside, E + 0j, F + 0j)), 1e-6)
    gradient = dotbar.grad(lambda A: np.sum(np.real(f(A) * (E + 1j * F))))(A)
    assert gradient.dtype == float
    assert np.isclose(np.sum(gradient * E), np.sum(np.real(along(f, A, E) * (E + 1j * F))))


@pytest.mark.parametrize(
    "f", [sl.expm, sl.logm, sl.sqrtm, sl.cosm, sl.sinm, sl.coshm, sl.sinhm, sl.tanm, sl.tanhm, sl.signm]
)
def test_invariance(f):
    """f(SAS⁻¹) = S f(A) S⁻¹, and a block-diagonal matrix has two functions."""
    A, X = np.diag([0.5, 0.5, 0.9, 1.2]) + np.triu(normal(4, 4), 2) / 3, normal(4, 4, seed=5)
    S = np.eye(4) + normal(4, 4, seed=6) / 8
    turned = lambda M: S @ M @ np.linalg.inv(S)
    close(along(f, turned(A), turned(X)), turned(along(f, A, X)), 1e-10)


@pytest.mark.parametrize("name", ["expm", "logm", "sqrtm", "cosm", "sinm", "coshm", "sinhm", "tanm", "tanhm", "signm"])
def test_of_numbers(name):
    """A 1×1 matrix is a number."""
    scalar = {"logm": np.log, "signm": np.sign}.get(name) or getattr(np, name[:-1])
    for x in (0.7, 0.7 + 0.2j):
        f = lambda x: getattr(sl, name)(np.reshape(x, (1, 1)))[0, 0]
        g = lambda x: scalar(x) + 0 * x
        if name == "signm" and type(x) is complex:
            continue
        one = x / x
        assert np.isclose(dotbar.jvp(f, (x,), (one,))[1], dotbar.jvp(g, (x,), (one,))[1], rtol=1e-12)


@pytest.mark.parametrize("f", [sl.expm, sl.sqrtm])
def test_without_rows(f):
    assert dotbar.grad(lambda A: np.sum(f(A)))(np.zeros((0, 0))).shape == (0, 0)
    assert dotbar.grad(lambda A: np.sum(f(A)))(np.zeros((3, 0, 0))).shape == (3, 0, 0)


@pytest.mark.parametrize("f", [sl.expm, sl.cosm, sl.sinm, sl.coshm, sl.sinhm, sl.tanm, sl.tanhm])
def test_of_the_null_matrix(f):
    zero = np.zeros((3, 3))
    X = normal(3, 3)
    even = f in (sl.cosm, sl.coshm)
    assert np.allclose(along(f, zero, X), 0 if even else X, atol=1e-15)
    square = {sl.cosm: -X @ X, sl.coshm: X @ X, sl.expm: X @ X}.get(f, 0 * X)
    assert np.allclose(along(f, zero, X, X), square, atol=1e-14)


def test_powers_of_a_traced_exponent():
    """At an integer, too."""
    A = JORDAN + normal(4, 4) / 8
    power = lambda t: sl.fractional_matrix_power(A, t)
    for t in (2.0, 0.5, -1.0):
        assert np.allclose(dotbar.jvp(power, (t,), (1.0,))[1], sl.logm(A) @ power(t))
    mixed = lambda A: dotbar.jvp(lambda t: sl.fractional_matrix_power(A, t), (2.0,), (1.0,))[1]
    close(along(mixed, A, E), along(lambda A: sl.logm(A) @ A @ A, A, E), 1e-11)


def test_random_numbers_are_left_alone():
    state = np.random.get_state()[1].copy()
    dotbar.grad(lambda A: np.sum(sl.logm(A)))(JORDAN)
    assert np.array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize(
    "f", [sl.logm, sl.sqrtm, lambda A: sl.fractional_matrix_power(A, 0.5), lambda A: np.linalg.eigvals(A) ** 3]
)
def test_compiled_where_the_results_become_complex(f):
    real = np.diag([1.0, 2, 3]) + normal(3, 3) / 9
    other = np.diag([-1.0, 2, 2]) + np.array([[0.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    loss = lambda A: np.sum(np.real(f(A)))
    compiled = dotbar.jit(dotbar.grad(loss)), dotbar.grad(dotbar.jit(loss))
    for A in (real, other, real, other):
        for gradient in compiled:
            close(gradient(A), dotbar.grad(loss)(A))


@pytest.mark.filterwarnings("ignore:Matrix is singular:RuntimeWarning")
@pytest.mark.parametrize("A", [np.diag([1.0, 0]), np.ones((2, 2)), np.zeros((2, 2)), np.eye(2, k=1), np.diag([1j, 0])])
def test_roots_of_singular_matrices_have_no_derivative(A):
    Y, dot = dotbar.jvp(sl.sqrtm, (A,), (np.eye(2) + 0 * A,))
    (bar,) = dotbar.vjp(sl.sqrtm, A)[1](np.ones_like(Y))
    assert np.all(np.isnan(dot))
    assert np.all(np.isnan(bar))


NEARLY_DEFECTIVE = {
    "expm": (sl.expm, mpmath.exp),
    "logm": (sl.logm, mpmath.log),
    "sqrtm": (sl.sqrtm, mpmath.sqrt),
    "tanhm": (sl.tanhm, mpmath.tanh),
    "funm": (lambda A: sl.funm(A, lambda z: 1 / (5 + z)), lambda z: 1 / (5 + z)),
    "fractional_matrix_power": (lambda A: sl.fractional_matrix_power(A, 0.5), mpmath.sqrt),
}


@pytest.mark.parametrize("make", [normal, cnormal])
@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-12])
@pytest.mark.parametrize("name", NEARLY_DEFECTIVE)
def test_nearly_defective_matrices(name, gap, make, capsys):
    """The basis of eigenvectors has a condition number up to 1e12; the reference divides it out with 100 digits."""
    f, function = NEARLY_DEFECTIVE[name]
    Q, E = np.linalg.qr(make(3, 3))[0], make(3, 3, seed=1)
    A = Q @ (np.diag([1.5, 1.5 + gap, 1.5 - 2 * gap]) + np.triu(np.ones((3, 3)), 1)) @ np.conj(Q.T)

    def along(E):
        with mpmath.workdps(100):
            step, values = mpmath.mpf(10) ** -30, []
            for sign in (1, -1):
                w, V = mpmath.eig(mpmath.matrix(A.tolist()) + sign * step * mpmath.matrix(E.tolist()))
                values.append(V * mpmath.diag([function(x) for x in w]) * V**-1)
            return np.array(((values[0] - values[1]) / (2 * step)).tolist()).astype(complex)

    want, adjoint = along(E), np.conj(along(np.conj(E.T)).T)
    np.testing.assert_allclose(dotbar.jvp(f, (A,), (E,))[1], want, atol=1e-13 * np.max(np.abs(want)))
    np.testing.assert_allclose(dotbar.vjp(f, A)[1](E)[0], adjoint, atol=1e-13 * np.max(np.abs(adjoint)))


def test_numbers_as_matrices():
    np.testing.assert_allclose(dotbar.grad(lambda x: np.sum(sl.expm(x)))(2.0), np.exp(2.0))
    np.testing.assert_allclose(dotbar.jvp(sl.cosm, (2.0,), (1.0,))[1], [[-np.sin(2.0)]])


def test_funm_of_a_function_of_other_values_is_refused():
    with pytest.raises(NoRuleError, match="'func' takes from elsewhere"):
        dotbar.grad(lambda x: np.sum(sl.funm(np.eye(2), lambda z: np.exp(x * z))))(1.0)


@pytest.mark.filterwarnings("ignore:(The )?logm")
@pytest.mark.parametrize("A", [np.zeros((2, 2)), np.diag([1.0, 0]), np.ones((2, 2))])
def test_logarithms_of_singular_matrices_have_no_derivative(A):
    assert np.all(np.isnan(dotbar.jvp(sl.logm, (A,), (np.eye(2),))[1]))
    assert np.all(np.isnan(dotbar.grad(lambda A: np.sum(sl.logm(A)).real)(A)))

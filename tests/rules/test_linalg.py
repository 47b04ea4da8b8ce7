"""Linear algebra beyond the samples: repeated values, singular matrices, zeros, blocks, empty shapes, errors."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.linalg
from samples import cnormal, hpd, normal, spd

import dotbar
from dotbar.errors import DegenerateSpectrumError, NoRuleError
from dotbar.linalg import matrix_function, polar, projector
from dotbar.rules import lapack_words as words
from dotbar.rules.words import H, sym

real_or_complex = pytest.mark.parametrize("make", [normal, cnormal], ids=["real", "complex"])


def unitary(n, make=normal, seed=7):
    return np.linalg.qr(make(n, n, seed=seed))[0]


def with_eigenvalues(w, make=normal):
    V = unitary(len(w), make)
    return (V * np.asarray(w)) @ H(V)


def with_singular_values(s, m, make=normal):
    return unitary(m, make)[:, : len(s)] * np.asarray(s) @ unitary(len(s), make, seed=8)


def difference(f, x, t, h=1e-5):
    return (f(x + h * t) - f(x - h * t)) / (2 * h)


REPEATED = [2.0, 1.0, 2.0, 2.0, 5.0]


# ---------------------------------------------------------------- repeated values


@real_or_complex
@pytest.mark.parametrize("w", [REPEATED, [1.0] * 5, [1.0, 1.0 + 1e-9, 1.0 + 1e-4, 2.0, 3.0]], ids=str)
def test_matrix_function_is_exact_at_repeated_eigenvalues(make, w):
    A, E = with_eigenvalues(w, make), sym(make(5, 5))
    value, dot = dotbar.jvp(lambda A: matrix_function(np.exp, A), (A,), (E,))
    want_value, want = scipy.linalg.expm_frechet(A, E)
    np.testing.assert_allclose(value, want_value, atol=1e-11)
    np.testing.assert_allclose(dot, want, atol=1e-10)
    Fbar = make(5, 5, seed=3)
    (Abar,) = dotbar.vjp(lambda A: matrix_function(np.exp, A), A)[1](Fbar)
    np.testing.assert_allclose(Abar, scipy.linalg.expm_frechet(A, sym(Fbar))[1], atol=1e-10)


def along(f, A, E, order):
    """The derivative of an order along E, by forward mode."""
    for _ in range(order):
        f = lambda A, f=f: dotbar.jvp(f, (A,), (E,))[1]
    return f(A)


POWERS = {"w⁵": (lambda w: w**5, lambda A: A @ A @ A @ A @ A), "1/w": (lambda w: 1 / w, np.linalg.inv)}


@real_or_complex
@pytest.mark.parametrize(("f", "product"), POWERS.values(), ids=POWERS)
@pytest.mark.parametrize("w", [REPEATED, [1.0, 1.0 + 1e-9, 1.0 + 1e-4, 1.2, 3.0]], ids=str)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_matrix_function_has_derivatives_of_every_order(make, f, product, w, order):
    A, E, Fbar = with_eigenvalues(w, make), sym(make(5, 5)), sym(make(5, 5, seed=3))
    spectral = lambda A: matrix_function(f, A)
    pull = lambda f: lambda A: sym(dotbar.vjp(f, A)[1](Fbar)[0])
    np.testing.assert_allclose(along(spectral, A, E, order), along(product, A, E, order), rtol=1e-9, atol=1e-9)
    want = along(pull(product), A, E, order - 1)
    np.testing.assert_allclose(along(pull(spectral), A, E, order - 1), want, rtol=1e-9, atol=1e-9)


@real_or_complex
def test_polar_has_a_third_derivative(make):
    """PP = AᴴA, by Leibniz."""
    A, E = with_singular_values([2.0, 2.0, 1.0], 4, make), make(4, 3)
    P, first, second, third = (along(lambda A: polar(A)[1], A, E, order) for order in range(4))
    np.testing.assert_allclose(second @ P + 2 * first @ first + P @ second, 2 * H(E) @ E, atol=1e-10)
    np.testing.assert_allclose(third @ P + 3 * second @ first + 3 * first @ second + P @ third, 0, atol=1e-10)


def test_matrix_function_where_eigenvalues_are_rounding_errors():
    """exp is as smooth near 0 as elsewhere; sqrt is not, and its difference quotients are exact."""
    E = sym(normal(3, 3))
    A = np.diag([1e-17, -1e-17, 1.0])
    np.testing.assert_allclose(along(lambda A: matrix_function(np.exp, A), A, E, 1)[:2, :2], E[:2, :2], rtol=1e-12)
    dot = along(lambda A: matrix_function(np.sqrt, A), np.diag([1e-20, 4e-20, 1.0]), E, 1)
    np.testing.assert_allclose(dot, E / np.add.outer([1e-10, 2e-10, 1], [1e-10, 2e-10, 1]), rtol=1e-12)


def test_matrix_function_of_a_rapidly_varying_function():
    """Close on the scale of the matrix is not close on that of f."""
    w, E = np.array([1.0, 1.003, 1.01]), sym(normal(3, 3))
    dot = along(lambda A: matrix_function(lambda w: np.sin(1e4 * w), A), np.diag(w), E, 1)
    with np.errstate(invalid="ignore"):
        quotient = np.subtract.outer(np.sin(1e4 * w), np.sin(1e4 * w)) / np.subtract.outer(w, w)
    want = E * np.where(np.eye(3), 1e4 * np.cos(1e4 * w), quotient)
    np.testing.assert_allclose(dot, want, rtol=1e-10)


@real_or_complex
@pytest.mark.parametrize("side", ["left", "right"])
def test_polar_is_exact_at_repeated_singular_values(make, side):
    A, E = with_singular_values([2.0, 2.0, 1.0], 4, make), make(4, 3)
    want_U, want_P = scipy.linalg.polar(A, side)
    U, P = polar(A, side)
    np.testing.assert_allclose(U, want_U, atol=1e-12)
    np.testing.assert_allclose(P, want_P, atol=1e-12)
    f = lambda A: np.stack([polar(A, side)[0] @ np.ones(3), polar(A, side)[0] @ np.arange(3.0)])
    np.testing.assert_allclose(dotbar.jvp(f, (A,), (E,))[1], difference(f, A, E), atol=1e-8)


@real_or_complex
@pytest.mark.parametrize(
    "select", [[2, 3, 1], slice(1, 4), lambda w: np.abs(w - 2) < 0.5], ids=["list", "slice", "mask"]
)
def test_projector_is_exact_at_repeated_eigenvalues(make, select):
    """P commutes with A and P² = P: so do their derivatives."""
    A, E, M = with_eigenvalues(REPEATED, make), sym(make(5, 5)), make(5, 5, seed=2)
    P, Pdot = dotbar.jvp(lambda A: projector(A, select), (A,), (E,))
    np.testing.assert_allclose(Pdot @ P + P @ Pdot, Pdot, atol=1e-12)
    np.testing.assert_allclose(Pdot @ A + P @ E, E @ P + A @ Pdot, atol=1e-12)
    (Abar,) = dotbar.vjp(lambda A: projector(A, select), A)[1](M)
    np.testing.assert_allclose(np.vdot(Abar, E).real, np.vdot(M, Pdot).real)
    second, third = (along(lambda A: projector(A, select), A, E, order) for order in (2, 3))
    np.testing.assert_allclose(second @ P + 2 * Pdot @ Pdot + P @ second, second, atol=1e-11)
    leibniz = third @ P + 3 * second @ Pdot + 3 * Pdot @ second + P @ third
    np.testing.assert_allclose(leibniz, third, atol=1e-10)


def test_matrix_function_of_a_constant_and_of_a_traced_parameter():
    A = spd(3)
    np.testing.assert_allclose(matrix_function(lambda w: 2, A), 2 * np.eye(3), atol=1e-14)
    assert np.all(dotbar.grad(lambda A: np.sum(matrix_function(lambda w: 2.0, A)))(A) == 0)
    for f in (lambda p: matrix_function(lambda w: w**p, A), lambda p: matrix_function(lambda w: w**p, p * A)):
        with pytest.raises(NoRuleError, match="with respect to A only"):
            dotbar.grad(lambda p: np.sum(f(p)))(0.5)  # noqa: B023


def test_projector_refuses_a_part_of_an_eigenvalue():
    with pytest.raises(DegenerateSpectrumError, match="multiplicity 3"):
        dotbar.jvp(lambda A: projector(A, [1]), (with_eigenvalues(REPEATED),), (np.ones((5, 5)),))


@real_or_complex
@pytest.mark.parametrize("eigenvalues", [np.linalg.eigvalsh, lambda A: np.linalg.eigh(A)[0]])
def test_repeated_eigenvalues_share_the_average(make, eigenvalues):
    A = with_eigenvalues(REPEATED, make)
    P = projector(A, lambda w: np.abs(w - 2) < 0.5)
    g = dotbar.grad(lambda A: eigenvalues(A)[2])(A)
    np.testing.assert_allclose(g, P / 3, atol=1e-12)


@real_or_complex
def test_repeated_singular_values_share_the_average(make):
    A = with_singular_values([3.0, 3.0, 1.0], 4, make)
    U, _, Vh = np.linalg.svd(A, full_matrices=False)
    for f in (np.linalg.svdvals, lambda A: np.linalg.svd(A, full_matrices=False)[1]):
        first, _, last = dotbar.vmap(dotbar.vjp(f, A)[1])(np.eye(3))[0]
        np.testing.assert_allclose(first, U[:, :2] @ Vh[:2] / 2, atol=1e-12)
        np.testing.assert_allclose(last, np.outer(U[:, 2], Vh[2]), atol=1e-12)


VALUES = {
    "eigh": (lambda A: np.linalg.eigh(A)[0], with_eigenvalues(REPEATED)),
    "eigh of I": (lambda A: np.linalg.eigh(A)[0], np.eye(3)),
    "eig": (lambda A: np.linalg.eig(A)[0], np.diag([1.0, 2.0, 2.0])),
    "svd": (lambda A: np.linalg.svd(A)[1], with_singular_values([2.0, 2.0, 1.0], 4)),
    "svd of low rank": (lambda A: np.linalg.svd(A)[1], with_singular_values([2.0, 1.0, 0.0], 3)),
    "and V as auxiliary data": (lambda A: np.linalg.eigh(A), np.eye(3)),
    "and V as a constant": (lambda A: np.linalg.eigh(A)[0] * dotbar.stop_gradient(np.linalg.eigh(A)[1]), np.eye(3)),
}


@pytest.mark.parametrize(("f", "A"), VALUES.values(), ids=VALUES)
def test_values_alone_are_differentiated_in_both_modes(f, A):
    """The vectors' tangent is refused where it is used, not where it is made."""
    options = {"has_aux": True} if type(f(A)) is not np.ndarray else {}
    E = normal(*A.shape)
    y, dot, *_ = dotbar.jvp(f, (A,), (E,), **options)
    (Abar,) = dotbar.vjp(f, A, **options)[1](np.arange(y.size).reshape(y.shape))
    np.testing.assert_allclose(np.sum(np.arange(y.size).reshape(y.shape) * dot), np.vdot(Abar, E), atol=1e-12)
    jacobian = dotbar.jacfwd(f, **options)(A)
    np.testing.assert_allclose(np.tensordot(jacobian[0] if options else jacobian, E, 2), dot, atol=1e-12)


def reconstructed(A, f=np.exp):
    w, V = np.linalg.eigh(A)
    return (V * f(w)) @ H(V)


def svd_product(A):
    U, _, Vh = np.linalg.svd(A, full_matrices=False)
    return U @ Vh


DEGENERATE = {
    "eigh": (reconstructed, with_eigenvalues(REPEATED), "multiplicity 3.*matrix_function.*projector"),
    "eigh of I": (reconstructed, np.eye(3), "multiplicity 3"),
    "eigh complex": (reconstructed, with_eigenvalues(REPEATED, cnormal), "multiplicity 3"),
    "eigenvectors": (lambda A: np.linalg.eigh(A)[1], np.eye(3), "multiplicity 3"),
    "eig": (lambda A: np.linalg.eig(A)[1], np.diag([1.0, 2.0, 2.0]), "multiplicity 2"),
    "defective": (np.linalg.eigvals, np.array([[1.0, 1.0], [0.0, 1.0]]), "defective"),
    "nilpotent": (np.linalg.eigvals, np.eye(3, k=1), "defective"),
    "svd": (svd_product, with_singular_values([2.0, 2.0, 1.0], 4), "multiplicity 2.*polar"),
    "svd of I": (svd_product, np.eye(3), "multiplicity 3"),
    "svd of low rank": (svd_product, with_singular_values([2.0, 1.0, 0.0], 4), "multiplicity 1"),
    "svd complex": (svd_product, with_singular_values([2.0, 2.0, 1.0], 4, cnormal), "multiplicity 2"),
    "polar of low rank": (lambda A: polar(A)[0], with_singular_values([2.0, 0.0, 0.0], 3), "multiplicity 2"),
}


@pytest.mark.parametrize(("f", "A", "message"), DEGENERATE.values(), ids=DEGENERATE)
@pytest.mark.parametrize("mode", ["forward", "reverse", "vmap of reverse"])
def test_undetermined_vectors_are_refused(f, A, message, mode):
    rng = np.random.default_rng(0)
    direction = rng.standard_normal(A.shape).astype(A.dtype)
    ybar = rng.standard_normal(f(A).shape).astype(f(A).dtype)
    pull = lambda A: dotbar.vjp(f, A)[1](ybar)
    derivative = {
        "forward": lambda: dotbar.jvp(f, (A,), (direction,)),
        "reverse": lambda: pull(A),
        "vmap of reverse": lambda: dotbar.vmap(pull)(np.stack([A, A])),
    }[mode]
    with pytest.raises(DegenerateSpectrumError, match=message):
        derivative()


def test_vectors_outside_the_block_are_differentiated():
    """The last eigenvector is simple; a tangent that leaves the block alone is harmless."""
    A, E = with_eigenvalues([1.0, 1.0, 4.0]), sym(normal(3, 3))
    f = lambda A: np.linalg.eigh(A)[1][:, 2] * np.sign(np.linalg.eigh(A)[1][0, 2])
    (Abar,) = dotbar.vjp(f, A)[1](np.ones(3))
    np.testing.assert_allclose(np.vdot(Abar, E), np.ones(3) @ difference(f, A, E), rtol=1e-7)
    E = sym(np.outer(f(A), normal(3)))
    np.testing.assert_allclose(dotbar.jvp(f, (A,), (E,))[1], difference(f, A, E), atol=1e-8)


@real_or_complex
@pytest.mark.parametrize(
    "basis", [lambda A: np.linalg.svd(A)[0][:, 3:], lambda A: np.linalg.qr(A, "complete")[0][:, 3:]]
)
def test_null_space_columns_are_refused_unless_their_basis_does_not_matter(make, basis):
    A, M = make(5, 3), make(5, 5)
    with pytest.raises(DegenerateSpectrumError, match="null space of dimension 2"):
        dotbar.vjp(basis, A)[1](make(5, 2, seed=4))

    def project(A):
        B = basis(A)
        return np.real(np.vdot(M, B @ H(B)))

    want = dotbar.grad(lambda A: -np.real(np.vdot(M, A @ np.linalg.pinv(A))))(A)
    np.testing.assert_allclose(dotbar.grad(project)(A), want, atol=1e-12)
    np.testing.assert_allclose(dotbar.jvp(project, (A,), (A[::-1],))[1], np.vdot(want, A[::-1]).real)


# ---------------------------------------------------------------- bases, signs and phases do not matter


@pytest.mark.parametrize(
    "f",
    [
        lambda A: np.real(np.trace(reconstructed(A, np.sin) @ np.diag([1.0, 2.0, 3.0, 4.0]))),
        lambda A: np.abs(np.linalg.eigh(A, "U")[1][1, 2]) ** 2,
        lambda A: np.abs(np.linalg.eig(A)[1][1, 2]) ** 2,
        lambda A: np.abs(np.linalg.svd(A)[0][0, 1]) ** 2,
        lambda A: np.real((svd_product(A) @ np.arange(4.0))[1]),
    ],
)
def test_gradient_of_an_invariant_is_the_same_in_another_basis(f):
    """g(A) = f(QAQᴴ) at QᴴAQ has the gradient Qᴴ∇f(A)Q; the diagonal A leaves LAPACK's phases open."""
    Q = unitary(4, cnormal)
    D = np.diag([1.0, 2.0, 4.0, 7.0]).astype(complex)
    for A in (D, D + 0.1 * sym(cnormal(4, 4))):
        want = sym(dotbar.grad(f)(A))
        got = sym(dotbar.grad(lambda B: f(H(Q) @ B @ Q))(Q @ A @ H(Q)))
        np.testing.assert_allclose(H(Q) @ got @ Q, want, atol=1e-10)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (5, 5), (90, 90), (200, 6), (6, 200), (70, 60), (60, 70)])
def test_the_entries_that_lapack_makes_real(m, n):
    """The rules' phases rest on this; it holds on every path LAPACK takes, by blocks or not, through QR or not."""
    A = cnormal(m, n)
    real = [np.diagonal(np.linalg.qr(A)[1])]
    for full in (True, False):
        U, s, Vh = np.linalg.svd(A, full_matrices=full)
        real.append(Vh[: len(s), 0] if m >= n else U[0, : len(s)])
    if m == n:
        V = np.linalg.eig(A)[1]
        real += [np.linalg.eigh(A, "L")[1][0], np.linalg.eigh(A, "U")[1][-1], V[np.argmax(np.abs(V), 0), np.arange(n)]]
    for entries in real:
        np.testing.assert_array_less(np.abs(entries.imag), 1e-13)


# ---------------------------------------------------------------- singular and empty matrices


def test_determinant_below_full_rank():
    """The adjugate at rank n − 1, zero below, and the second derivative at both."""
    for A in (normal(4, 3) @ normal(3, 4), np.diag([1.0, 2.0, 0.0]), np.zeros((1, 1))):
        n = len(A)
        minors = [[np.linalg.det(np.delete(np.delete(A, i, 0), j, 1)) for j in range(n)] for i in range(n)]
        sign = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
        np.testing.assert_allclose(dotbar.grad(np.linalg.det)(A), sign * minors, atol=1e-12)
    A, E = np.outer(np.arange(1.0, 4), np.ones(3)), normal(3, 3)
    assert np.all(np.abs(dotbar.grad(np.linalg.det)(A)) < 1e-14)
    hessian = dotbar.jvp(dotbar.grad(np.linalg.det), (A,), (E,))[1]
    np.testing.assert_allclose(hessian, difference(dotbar.grad(np.linalg.det), A, E), atol=1e-8)


def test_determinants_of_a_batch_with_singular_and_nan_entries():
    A = np.stack([np.diag([2.0, 3.0]), np.diag([0.0, 3.0]), np.full((2, 2), np.nan)])
    g = dotbar.vjp(np.linalg.det, A[:2])[1](np.ones(2))[0]
    np.testing.assert_allclose(g, [np.diag([3.0, 2.0]), np.diag([3.0, 0.0])], atol=1e-15)
    for bad in (A[2], np.array([[np.inf, 1.0], [1.0, 1.0]])):
        assert not np.all(np.isfinite(dotbar.grad(np.linalg.det)(bad)))


def test_slogdet_of_a_singular_matrix():
    A = np.diag([1.0, 0.0])
    for f in (lambda A: np.linalg.slogdet(A)[1], lambda A: np.linalg.slogdet(A[None])[1][0]):
        value, g = dotbar.value_and_grad(f)(A)
        assert value == -np.inf
        assert np.all(np.isnan(g))


NAMED = {
    "eigenvalues": (np.linalg.eigh, np.linalg.eig),
    "S": (np.linalg.svd,),
    "R": (np.linalg.qr,),
    "logabsdet": (np.linalg.slogdet,),
}


@pytest.mark.parametrize(("name", "fn"), [(name, fn) for name, fns in NAMED.items() for fn in fns])
def test_results_have_numpys_names_in_every_mode(name, fn):
    A = spd(3)
    f = lambda A: np.sum(np.abs(getattr(fn(A), name)))
    for y in (dotbar.value_and_grad(f)(A)[0], dotbar.jvp(f, (A,), (A,))[0], dotbar.jit(f)(A), *dotbar.vmap(f)(A[None])):
        assert np.isclose(y, f(A))
    assert np.isclose(f(dotbar.core.cell(A)), f(A))


@pytest.mark.parametrize("f", [np.linalg.inv, np.linalg.cholesky, lambda A: np.linalg.solve(A, np.ones(2))])
def test_lapack_errors_are_unchanged(f):
    A = np.array([[0.0, 0.0], [0.0, -1.0]])
    with pytest.raises(np.linalg.LinAlgError) as plain:
        f(A)
    for transform in (dotbar.jacrev, dotbar.jacfwd):
        with pytest.raises(np.linalg.LinAlgError) as traced:
            transform(f)(A)
        assert str(traced.value) == str(plain.value)


@pytest.mark.parametrize(
    "f", [np.linalg.det, np.linalg.slogdet, np.linalg.inv, lambda A: np.linalg.solve(A, np.ones(2))]
)
@pytest.mark.parametrize("A", [np.ones((2, 3)), np.ones(2), np.ones((2, 2), np.longdouble)])
def test_what_numpy_refuses_is_refused(f, A):
    with pytest.raises((np.linalg.LinAlgError, TypeError)) as plain:
        f(A)
    with pytest.raises((np.linalg.LinAlgError, TypeError)) as traced:
        dotbar.vjp(f, A)
    assert str(traced.value) == str(plain.value)


@pytest.mark.parametrize("dtype", [np.float32, int, np.complex64])
def test_solve_works_in_the_precision_of_both_arguments(dtype):
    A, b = (10 * spd(3)).astype(dtype), normal(3)
    x, pull = dotbar.vjp(lambda b: np.linalg.solve(A, b), b)
    np.testing.assert_allclose(x, np.linalg.solve(A, b), rtol=1e-14)
    np.testing.assert_allclose(pull(np.ones_like(x))[0], np.linalg.solve(A.T, np.ones(3)).real, rtol=1e-14)


@pytest.mark.parametrize("p", [None, -2, 1, np.inf, "fro"])
@pytest.mark.parametrize("A", [np.diag([1.0, 0.0]), np.zeros((3, 2, 2))])
def test_cond_of_a_singular_matrix(p, A):
    np.testing.assert_array_equal(dotbar.vjp(lambda A: np.linalg.cond(A, p), A)[0], np.linalg.cond(A, p))


@pytest.mark.parametrize("mode", ["reduced", "complete", "r"])
def test_qr_of_dependent_columns_says_so(mode):
    A = np.outer(np.ones(4), np.arange(1.0, 4))
    f = lambda A: np.sum(np.linalg.qr(A, mode)[-1])
    for derivative in (dotbar.grad(f), lambda A: dotbar.jvp(f, (A,), (A,))):
        with pytest.raises(np.linalg.LinAlgError, match="rank-deficient"):
            derivative(A)


@pytest.mark.parametrize(
    "f",
    [
        np.linalg.det,
        lambda A: np.linalg.slogdet(A)[1],
        lambda A: np.sum(np.linalg.inv(A)),
        lambda A: np.sum(np.linalg.cholesky(A)),
        lambda A: np.sum(np.linalg.solve(A, np.ones((len(A), 2)))),
        lambda A: np.sum(np.linalg.eigvalsh(A)),
        lambda A: np.sum(np.linalg.eigh(A)[1]),
        lambda A: np.sum(np.real(np.linalg.eig(A)[0])),
        lambda A: np.sum(np.linalg.svdvals(A)),
        lambda A: np.sum(np.linalg.qr(A)[1]),
        lambda A: np.sum(np.linalg.pinv(A)),
        lambda A: np.linalg.norm(A),
        np.trace,
    ],
)
@pytest.mark.parametrize("shape", [(0, 0), (1, 1)])
def test_smallest_matrices(f, shape):
    A = np.full(shape, 2.0)
    value, g = dotbar.value_and_grad(f)(A)
    assert value == f(A)
    assert g.shape == shape
    np.testing.assert_allclose(np.sum(g), difference(lambda A: f(A), A, np.ones(shape)) if A.size else 0, atol=1e-8)


@pytest.mark.parametrize(
    "f", [np.linalg.det, np.linalg.inv, np.linalg.cholesky, np.linalg.eigvalsh, np.linalg.svdvals, np.linalg.pinv]
)
def test_empty_batches(f):
    A = np.zeros((0, 3, 3))
    assert dotbar.grad(lambda A: np.sum(f(A)))(A).shape == A.shape


# ---------------------------------------------------------------- norms at zero


NORMS = {
    "default": np.linalg.norm,
    "vector 2": lambda x: np.linalg.norm(x[0], 2),
    "vector 3": lambda x: np.linalg.norm(x[0], 3),
    "vector 1": lambda x: np.linalg.norm(x[0], 1),
    "vector inf": lambda x: np.linalg.norm(x[0], np.inf),
    "vector_norm 0.5": lambda x: np.linalg.vector_norm(x, ord=0.5),
    **{f"matrix {p}": lambda x, p=p: np.linalg.norm(x, p) for p in ("fro", "nuc", 1, 2, -2, np.inf)},
}


@pytest.mark.parametrize("f", NORMS.values(), ids=NORMS)
@pytest.mark.parametrize("dtype", [float, complex])
def test_every_norm_has_derivative_zero_at_zero(f, dtype):
    x = np.zeros((3, 3), dtype)
    np.testing.assert_array_equal(dotbar.grad(f)(x), 0)
    assert dotbar.jvp(f, (x,), (np.ones_like(x),))[1] == 0


def test_second_derivative_of_a_norm_at_zero_is_not_that_of_the_convention():
    x = np.zeros(3)
    assert np.all(np.isnan(dotbar.hessian(np.linalg.norm)(x)))
    hessian = dotbar.hessian(lambda x: np.linalg.norm(x) ** 2)(x)
    assert np.all(np.isnan(hessian) | (hessian == 2 * np.eye(3)))


@pytest.mark.parametrize("p", [0.5, 1.5, 2.5])
def test_second_derivative_of_a_norm_at_a_zero_entry_is_the_same_in_all_modes(p):
    """Below order 2 it does not exist; the norms of other rows do not mind."""
    f = lambda x: np.linalg.norm(x, p, axis=-1)
    x = np.array([[3.0, 0.0, -4.0], [1.0, 2.0, 3.0]])
    for outer in (dotbar.jacfwd, dotbar.jacrev):
        for inner in (dotbar.jacfwd, dotbar.jacrev):
            H = outer(inner(f))(x)
            assert np.all(np.isnan(H[0, 0, :, 0]) == (p < 2))
            assert np.all(np.isfinite(H[1, 1, :, 1]))


@real_or_complex
def test_nuclear_norm_at_low_rank_is_smooth_on_the_range(make):
    A = with_singular_values([3.0, 1.0, 0.0], 4, make)
    U, _, Vh = np.linalg.svd(A)
    g = dotbar.grad(lambda A: np.linalg.norm(A, "nuc"))(A)
    np.testing.assert_allclose(g, U[:, :2] @ Vh[:2], atol=1e-12)


# ---------------------------------------------------------------- kernels


@real_or_complex
@pytest.mark.parametrize("n", [words.BLOCK - 1, words.BLOCK + 1, 2 * words.BLOCK + 5])
@pytest.mark.parametrize("batch", [(), (2,)])
def test_cholesky_by_halves_is_the_formula(make, n, batch):
    A = (spd if make is normal else hpd)(n, *batch)
    L, X = np.linalg.cholesky(A), make(*batch, n, n)
    np.testing.assert_allclose(words.cholesky_dot(L, sym(X)), words._symbolic_dot(L, sym(X)), atol=1e-12)
    X = np.tril(X)
    np.testing.assert_allclose(words.cholesky_bar(L, X), words._symbolic_bar(L, X), atol=1e-12)


@real_or_complex
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
@pytest.mark.parametrize("n", [5, words.SMALL_TRIANGLE + 6])
@pytest.mark.parametrize("shapes", [((), ()), ((2,), ()), ((), (3,)), ((3, 1), (2,))])
@pytest.mark.parametrize("order", [np.ascontiguousarray, np.asfortranarray])
def test_solve_triangular(make, lower, adjoint, n, shapes, order):
    T = make(*shapes[0], n, n) + 4 * n * np.eye(n)
    B = make(*shapes[1], n, 2)
    X = words.solve_triangular(order(T), order(B), lower=lower, adjoint=adjoint)
    T = np.tril(T) if lower else np.triu(T)
    np.testing.assert_allclose((H(T) if adjoint else T) @ X, np.broadcast_to(B, X.shape), atol=1e-12)


def test_scipy_is_loaded_only_when_needed():
    code = "import sys, dotbar; assert not [m for m in sys.modules if m.startswith('scipy')]"
    subprocess.run([sys.executable, "-c", code], check=True)

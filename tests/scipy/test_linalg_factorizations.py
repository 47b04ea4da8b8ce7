"""Factorisations of scipy.linalg: what does not depend on the arbitrary choices, awkward matrices, errors."""

import numpy as np
import pytest
import scipy.linalg
from samples import cnormal, hpd, normal, spd

import dotbar
import dotbar.scipy.linalg as sl
from dotbar.errors import DegenerateSpectrumError, NoRuleError
from dotbar.rules.words import H, mT, sym
from dotbar.scipy.linalg.structured import hermitian_bands

real_or_complex = pytest.mark.parametrize("make", [normal, cnormal], ids=["real", "complex"])


def unitary(n, make=normal):
    return np.linalg.qr(make(n, n, seed=9))[0]


def inner(a, b):
    return np.real(np.vdot(a, b))


# ---------------------------------------------------------------- the factors multiply to the matrix


def permuted(P, L, U):
    return P @ L @ U


def by_indices(p, L, U):
    return np.take_along_axis(L @ U, p[:, None], 0)


def in_order(Q, R, p):
    return np.take_along_axis(Q @ R, np.argsort(p)[None, :], 1)


REBUILT = {
    "lu": lambda A: permuted(*sl.lu(A)),
    "lu p_indices": lambda A: by_indices(*sl.lu(A, p_indices=True)),
    "lu permute_l": lambda A: np.matmul(*sl.lu(A, permute_l=True)),
    "qr": lambda A: np.matmul(*sl.qr(A)),
    "qr economic": lambda A: np.matmul(*sl.qr(A, mode="economic")),
    "qr pivoting": lambda A: in_order(*sl.qr(A, pivoting=True, mode="economic")),
    "rq": lambda A: np.matmul(*sl.rq(A)),
    "rq economic": lambda A: np.matmul(*sl.rq(A, mode="economic")),
    "svd": lambda A: (lambda U, s, Vh: U @ sl.diagsvd(s, *A.shape) @ Vh)(*sl.svd(A)),
    "svd gesvd": lambda A: (lambda U, s, Vh: (U * s) @ Vh)(*sl.svd(A, full_matrices=False, lapack_driver="gesvd")),
    "polar": lambda A: np.matmul(*sl.polar(A)),
    "polar left": lambda A: np.matmul(*sl.polar(A, "left")[::-1]),
}


@pytest.mark.parametrize("name", REBUILT)
@pytest.mark.parametrize("shape", [(7, 7), (9, 4), (4, 9)])
@real_or_complex
def test_the_factors_multiply_to_the_matrix(name, shape, make):
    A, E, ybar = make(*shape), make(*shape, seed=3), make(*shape, seed=5)
    y, dot = dotbar.jvp(REBUILT[name], (A,), (E,))
    np.testing.assert_allclose(y, A, atol=1e-12)
    np.testing.assert_allclose(dot, E, atol=1e-11)
    np.testing.assert_allclose(dotbar.vjp(REBUILT[name], A)[1](ybar)[0], ybar, atol=1e-11)


def banded(ab, lower):
    """The Hermitian matrix of a band, as solveh_banded has it."""
    return hermitian_bands(ab, lower)


HERMITIAN = {
    "cholesky": lambda A: (lambda U: H(U) @ U)(sl.cholesky(A)),
    "cholesky lower": lambda A: (lambda L: L @ H(L))(sl.cholesky(A, lower=True)),
    "cho_factor": lambda A: (lambda U: H(U) @ U)(np.triu(sl.cho_factor(A)[0])),
    "cho_solve": lambda A: np.linalg.inv(sl.cho_solve(sl.cho_factor(A, True), np.eye(len(A)))),
    "ldl": lambda A: (lambda L, D, p: L @ D @ H(L))(*sl.ldl(A)),
    "ldl upper": lambda A: (lambda L, D, p: L @ D @ H(L))(*sl.ldl(A, lower=False)),
}


@pytest.mark.parametrize("name", HERMITIAN)
@real_or_complex
def test_the_factors_multiply_to_the_hermitian_matrix(name, make):
    A = (spd if make is normal else hpd)(7)
    if "ldl" in name:
        A = sym(A) - 12 * np.eye(7)  # indefinite
    E, ybar = make(7, 7, seed=3), make(7, 7, seed=5)
    y, dot = dotbar.jvp(HERMITIAN[name], (A,), (E,))
    np.testing.assert_allclose(y, A, atol=1e-12)
    np.testing.assert_allclose(dot, sym(E), atol=1e-10)
    np.testing.assert_allclose(dotbar.vjp(HERMITIAN[name], A)[1](ybar)[0], sym(ybar), atol=1e-10)


def test_ldl_of_a_symmetric_complex_matrix():
    A = cnormal(5, 5)
    A, E = A + A.T, cnormal(5, 5, seed=3)
    rebuilt = lambda A: (lambda L, D, p: L @ D @ mT(L))(*sl.ldl(A, hermitian=False))
    np.testing.assert_allclose(dotbar.jvp(rebuilt, (A,), (E,))[1], (E + E.T) / 2, atol=1e-12)


@real_or_complex
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize(("n", "u"), [(3, 2), (64, 1), (150, 3), (130, 70)])
def test_banded_cholesky_of_any_size(make, lower, n, u):
    """Across its blocks, and without a trace of what stands in the band outside the matrix."""
    ab = 0.1 * make(u + 1, n)
    main = 0 if lower else u
    ab[main] = u + 1
    E, cbar = make(u + 1, n, seed=3), make(u + 1, n, seed=5)
    cb, dot = dotbar.jvp(lambda ab: sl.cholesky_banded(ab, lower=lower), (ab,), (E,))
    np.testing.assert_allclose(cb, scipy.linalg.cholesky_banded(ab, lower=lower), atol=1e-13)
    abbar = dotbar.vjp(lambda ab: sl.cholesky_banded(ab, lower=lower), ab)[1](cbar)[0]
    np.testing.assert_allclose(inner(cbar, dot), inner(abbar, E), rtol=1e-11)
    solve = lambda ab: sl.cho_solve_banded((sl.cholesky_banded(ab, lower=lower), lower), np.ones(n))
    want = dotbar.jvp(lambda ab: sl.solveh_banded(ab, np.ones(n), lower=lower), (ab,), (E,))[1]
    np.testing.assert_allclose(dotbar.jvp(solve, (ab,), (E,))[1], want, atol=1e-12)


# ---------------------------------------------------------------- pivots, bases, phases


@real_or_complex
def test_a_row_exchange_does_not_matter(make):
    A, M = make(5, 5), make(5, 5, seed=2)
    f = lambda A: np.real(np.vdot(M, sl.lu_solve(sl.lu_factor(A), np.eye(5))))
    want = dotbar.grad(lambda A: np.real(np.vdot(M, np.linalg.inv(A))))(A)
    np.testing.assert_allclose(dotbar.grad(f)(A), want, atol=1e-10)
    order = [3, 0, 4, 1, 2]
    g = dotbar.grad(lambda A: f(A[order]))(A[np.argsort(order)])
    np.testing.assert_allclose(g[order], want, atol=1e-10)


def test_the_last_pivot_may_be_zero():
    """det is the product of the pivots also at rank n − 1."""
    A = np.array([[4.0, 1, 2], [2, 3, 1], [6, 4, 3]])  # the third row is the sum of the others

    def det(A):
        P, _, U = sl.lu(A)
        return np.linalg.det(P) * np.prod(np.diagonal(U))

    np.testing.assert_allclose(dotbar.grad(det)(A), dotbar.grad(np.linalg.det)(A), atol=1e-12)


REPEATED = {
    "orth": (lambda A: (lambda Q: Q @ H(Q))(sl.orth(A)), lambda A: A @ np.linalg.pinv(A)),
    "null_space": (
        lambda A: (lambda N: N @ H(N))(sl.null_space(A)),
        lambda A: np.eye(A.shape[1]) - np.linalg.pinv(A) @ A,
    ),
    "polar": (lambda A: sl.polar(A)[0], dotbar.linalg.unitary_factor),
}


@pytest.mark.parametrize("name", REPEATED)
@real_or_complex
def test_exact_at_repeated_singular_values(name, make):
    f, formula = REPEATED[name]
    shape = (3, 5) if name == "null_space" else (5, 3)
    A = unitary(5, make)[: shape[0], : shape[1]] * 2.0
    A, E = A if name != "null_space" else H(unitary(5, make)[:, :3]), make(*shape, seed=3)
    np.testing.assert_allclose(f(A), formula(A), atol=1e-12)
    np.testing.assert_allclose(dotbar.jvp(f, (A,), (E,))[1], dotbar.jvp(formula, (A,), (E,))[1], atol=1e-12)
    M = make(*f(A).shape, seed=4)
    np.testing.assert_allclose(dotbar.vjp(f, A)[1](M)[0], dotbar.vjp(formula, A)[1](M)[0], atol=1e-12)


@real_or_complex
def test_subspace_angles_small_and_right(make):
    """Angles of 1e-9 and π/2 − 1e-9 are differentiated to full accuracy."""
    Q = unitary(6, make)
    for angle in (1e-9, 0.3, np.pi / 2 - 1e-9):
        f = lambda t: sl.subspace_angles(Q[:, :2], np.stack([np.cos(t) * Q[:, 0] + np.sin(t) * Q[:, 3], Q[:, 1]], 1))
        y, dot = dotbar.jvp(f, (angle,), (1.0,))
        np.testing.assert_allclose(y, [angle, 0], atol=1e-15)
        np.testing.assert_allclose(dot, [1, 0], atol=1e-6)


@real_or_complex
@pytest.mark.parametrize(("p", "q", "swap"), [(3, 3, False), (2, 4, True), (1, 3, False), (5, 4, True)])
def test_cossin_multiplies_to_the_matrix(make, p, q, swap):
    X = unitary(6, make)
    K, ybar = make(6, 6, seed=3), make(6, 6, seed=4)
    tangent = X @ (K - H(K))
    f = lambda X: (lambda U, D, Vh: U @ D @ Vh)(*sl.cossin(X, p, q, swap_sign=swap))
    np.testing.assert_allclose(dotbar.jvp(f, (X,), (tangent,))[1], tangent, atol=1e-11)
    Xbar = dotbar.vjp(f, X)[1](ybar)[0]
    np.testing.assert_allclose(inner(Xbar, tangent), inner(ybar, tangent), rtol=1e-11)


def test_qr_after_a_change_is_that_of_the_changed_matrix():
    A, u, v = normal(5, 3), normal(5), normal(3)
    Q, R = sl.qr(A, mode="economic")
    E = normal(5, seed=6)
    for f, changed in (
        (lambda u: sl.qr_update(Q, R, u, v), lambda u: A + np.outer(u, v)),
        (lambda u: sl.qr_insert(Q, R, u, -1, "col"), lambda u: np.insert(A, -1, u, 1)),
        (lambda u: sl.qr_insert(Q, R, u[:3], 1), lambda u: np.insert(A, 1, u[:3], 0)),
    ):
        y, dot = dotbar.jvp(lambda u, f=f: np.matmul(*f(u)), (u,), (E,))
        np.testing.assert_allclose(y, changed(u), atol=1e-14)
        np.testing.assert_allclose(dot, changed(u + E) - changed(u), atol=1e-13)


# ---------------------------------------------------------------- refusals and errors


REFUSED = {
    "orth": (sl.orth, normal(5, 3), "null space"),
    "null_space": (sl.null_space, normal(3, 5), "null space"),
    "qr full": (lambda A: sl.qr(A)[0], normal(5, 3), "null space"),
    "svd full": (lambda A: sl.svd(A)[0], normal(5, 3), "null space"),
    "svd of I": (lambda A: sl.svd(A)[0], np.eye(3), "multiplicity 3"),
    "qr_update": (lambda A: sl.qr_update(*sl.qr(A), A[0], A[1])[0], cnormal(3, 3), "phases"),
    "cossin": (lambda A: sl.cossin(A, 2, 2)[0], unitary(4, cnormal), "phases"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_determined_is_refused(name):
    f, A, message = REFUSED[name]
    pull = dotbar.vjp(f, A)[1]
    with pytest.raises(DegenerateSpectrumError, match=message):
        pull(np.random.default_rng(0).standard_normal(f(A).shape).astype(A.dtype))


@pytest.mark.parametrize(
    "f",
    [
        lambda A: sl.lu(A)[1],
        lambda A: sl.qr(A)[1],
        lambda A: sl.rq(A)[0],
        lambda A: sl.qr_multiply(A, np.eye(3))[0],
        lambda A: sl.ldl(A)[0],
    ],
)
def test_dependent_columns_say_so(f):
    A = np.outer(np.arange(1.0, 4), np.arange(1.0, 4))
    A[0, 0] = 1.0
    with pytest.raises(np.linalg.LinAlgError, match=r"rank|pivot"):
        dotbar.jvp(f, (A,), (normal(3, 3),))


@pytest.mark.parametrize(
    "f",
    [
        sl.cholesky,
        lambda A: sl.cho_factor(A)[0],
        lambda A: sl.cholesky_banded(A[:2]),
    ],
)
def test_a_matrix_that_is_not_positive_definite(f):
    with pytest.raises(np.linalg.LinAlgError):
        dotbar.vjp(f, -np.eye(3))


def test_raw_qr_refuses():
    with pytest.raises(NoRuleError, match="mode='raw'"):
        dotbar.vjp(lambda A: sl.qr(A, mode="raw")[1], normal(3, 3))


@pytest.mark.parametrize(
    "f", [sl.cholesky, lambda A: sl.lu_factor(A)[0], lambda A: sl.lu(A)[2], sl.svdvals, lambda A: sl.qr(A)[1]]
)
@pytest.mark.parametrize("n", [0, 1])
def test_smallest_matrices(f, n):
    A = np.full((n, n), 4.0)
    y, pull = dotbar.vjp(f, A)
    np.testing.assert_array_equal(y, f(A))
    assert pull(np.ones_like(y))[0].shape == A.shape


@pytest.mark.parametrize("kept", [{}, {"compute_u": False}, {"compute_vh": False}, {"separate": True}])
def test_cossin_of_blocks_as_scipy(kept):
    X = unitary(5)
    blocks = (X[:2, :3], X[:2, 3:], X[2:, :3], X[2:, 3:])
    want = dotbar.tree.flatten(scipy.linalg.cossin(blocks, **kept))[0]
    got = dotbar.tree.flatten(dotbar.jvp(lambda *blocks: sl.cossin(blocks, **kept), blocks, blocks)[0])[0]
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, atol=1e-13)


@pytest.mark.parametrize(
    "f", [sl.svdvals, sl.eigvals, sl.eigvalsh, sl.lu, sl.qr, sl.ldl, sl.schur, sl.hessenberg, sl.polar]
)
def test_lists_of_values_under_differentiation(f):
    first = lambda x: (lambda y: y[0] if isinstance(y, tuple) else y)(f(x))
    array = lambda x: np.stack([np.stack([x, x * x]), np.stack([x * x, 3 * x])])
    as_list = dotbar.jvp(lambda x: first([[x, x * x], [x * x, 3 * x]]), (0.7,), (1.0,))
    np.testing.assert_array_equal(as_list, dotbar.jvp(lambda x: first(array(x)), (0.7,), (1.0,)))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: sl.pinv(np.eye(2), rtol=x),
        lambda x: sl.lstsq(np.eye(2), np.ones(2), x)[0],
        lambda x: sl.eigvalsh(np.eye(2), subset_by_value=[0, x]),
        lambda x: sl.eigvalsh_tridiagonal(np.ones(2), np.ones(1), "v", (0.0, x)),
    ],
)
def test_thresholds_and_ranges_have_no_derivative(f):
    with pytest.raises(NoRuleError, match="says what is computed"):
        dotbar.grad(lambda x: np.sum(f(x)))(0.1)

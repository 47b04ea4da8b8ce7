"""scipy.sparse: objects, patterns, memory, solvers that do not converge."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg as plain

import dotbar.scipy.linalg as sl
import dotbar.scipy.sparse as ss
import dotbar.scipy.sparse.linalg as ssl
from dotbar import grad, jacobian, jit, jvp, vmap
from dotbar.errors import ConversionError, DegenerateSpectrumError, NoRuleError

rng = np.random.default_rng(0)
P = scipy.sparse.random_array((6, 5), density=0.5, rng=rng, format="csr")
DENSE = P.toarray()
ROW, COL = P.tocoo().coords
X = rng.standard_normal((5, 3))
Z = rng.standard_normal((2, 6))
EYE = scipy.sparse.eye_array(5)


def with_corner(D):
    """D, and 2 and 1 on the diagonal after it."""
    return np.pad(D, ((0, 2), (0, 2))) + np.diag(np.array([0.0, 0, 0, 0, 0, 0, 2, 1]))[:, [0, 1, 2, 3, 4, 6, 7]]


def dense(data):
    """The same matrix as an array."""
    D = np.zeros((6, 5), like=data) if not isinstance(data, np.ndarray) else np.zeros((6, 5))
    np.add.at(D, (ROW, COL), data)
    return D


@pytest.mark.parametrize("form", [ss.csr_array, ss.csr_matrix])
@pytest.mark.parametrize(
    ("of_sparse", "of_dense"),
    [
        (lambda A: A @ X, lambda D: D @ X),
        (lambda A: Z @ A, lambda D: Z @ D),
        (lambda A: A.T @ Z.T, lambda D: D.T @ Z.T),
        (lambda A: (A.T @ A).toarray(), lambda D: D.T @ D),
        (lambda A: (P @ A.T).toarray(), lambda D: DENSE @ D.T),
        (lambda A: (A - 3 * A + P).toarray(), lambda D: DENSE - 2 * D),
        (lambda A: A.multiply(DENSE + 1).toarray(), lambda D: D * (DENSE + 1)),
        (lambda A: A.multiply(A).toarray(), lambda D: D * D),
        (lambda A: abs(-A / 2).toarray(), lambda D: np.abs(D) / 2),
        (lambda A: A.sum(), np.sum),
        (lambda A: A.sum(0), lambda D: np.sum(D, 0)),
        (lambda A: A.mean(1), lambda D: np.mean(D, 1)),
        (lambda A: A.diagonal(-1), lambda D: np.diagonal(D, -1)),
        (lambda A: A[1:5, ::-2].toarray(), lambda D: D[1:5, ::-2]),
        (lambda A: A[0, 1] * A[2:3].toarray(), lambda D: D[0, 1] * D[2:3]),
        (lambda A: ss.vstack([A, P]).tocsc().toarray(), lambda D: np.concatenate([D, DENSE])),
        (lambda A: ss.hstack([P, A]).toarray(), lambda D: np.concatenate([DENSE, D], 1)),
        (lambda A: ss.kron(A, np.eye(2)).toarray(), lambda D: np.kron(D, np.eye(2))),
        (
            lambda A: ss.block_diag([A, P]).toarray(),
            lambda D: np.block([[D, np.zeros((6, 5))], [np.zeros((6, 5)), DENSE]]),
        ),
        (lambda A: ss.block_array([[A, None], [P, A]]).toarray(), lambda D: np.block([[D, 0 * D], [DENSE, D]])),
        (lambda A: ss.triu(A, 1).toarray() + ss.tril(A, -1).toarray(), lambda D: np.triu(D, 1) + np.tril(D, -1)),
        (lambda A: ssl.matrix_power(A.T @ A, 3).toarray(), lambda D: np.linalg.matrix_power(D.T @ D, 3)),
        (lambda A: ssl.inv((A.T @ A + EYE).tocsc()).toarray(), lambda D: np.linalg.inv(D.T @ D + np.eye(5))),
        (ssl.norm, np.linalg.norm),
        (lambda A: A[[4, 0, 0]].toarray(), lambda D: D[[4, 0, 0]]),
        (lambda A: A[:, DENSE[0] != 0].toarray(), lambda D: D[:, DENSE[0] != 0]),
        (lambda A: A[np.ix_([5, 1], [2, 2])].toarray(), lambda D: D[np.ix_([5, 1], [2, 2])]),
        (lambda A: A[2:3] @ X, lambda D: D[2:3] @ X),
        (lambda A: A[2:3] @ X[:, 0], lambda D: D[2:3] @ X[:, 0]),
        (lambda A: A.reshape(3, -1).toarray(), lambda D: D.reshape(3, -1)),
        (lambda A: A.reshape((5, 6), order="F").toarray(), lambda D: D.reshape((5, 6), order="F")),
        (lambda A: (A.sin() + A.expm1() + A.power(2)).toarray(), lambda D: np.sin(D) + np.expm1(D) + D**2),
        (lambda A: A.transpose((1, 0)).toarray() * A.sum((0, 1)), lambda D: D.T * np.sum(D)),
        (
            lambda A: ss.kronsum(A.T @ A, np.eye(2)).toarray(),
            lambda D: np.kron(np.eye(2), D.T @ D) + np.kron(np.eye(2), np.eye(5)),
        ),
        (lambda A: ss.csc_matrix(A) * X, lambda D: D @ X),
        (lambda A: (ss.csc_array(A) * P).toarray(), lambda D: D * DENSE),
        (lambda A: (P * A).toarray(), lambda D: DENSE * D),
        (lambda A: ss.block_diag([A, [[2.0]], [[1.0]]]).toarray(), with_corner),
        (
            lambda A: ssl.norm(A, axis=(0, 1)) * ssl.norm(A, 1, axis=1),
            lambda D: np.linalg.norm(D) * np.sum(np.abs(D), 1),
        ),
        (lambda A: ssl.norm(A, 1), lambda D: np.linalg.norm(D, 1)),
    ],
)
def test_as_the_dense_matrix(form, of_sparse, of_dense):
    """Value, both modes, compiled: what the array gives."""
    weight = lambda f, make: lambda data: np.sum(np.cos(f(make(data)) + 0.3))
    a = weight(of_sparse, lambda data: form((data, P.indices, P.indptr), shape=(6, 5)))
    b = weight(of_dense, dense)
    assert np.isclose(a(P.data), b(P.data), 1e-13)
    want = grad(b)(P.data)
    assert np.allclose(grad(a)(P.data), want, 1e-12, 1e-12)
    assert np.allclose(jacobian(a, mode="forward")(P.data), want, 1e-12, 1e-12)
    assert np.allclose(jit(grad(a))(P.data), want, 1e-12, 1e-12)


@pytest.mark.parametrize("form", [ss.csr_array, ss.csc_array, ss.coo_array, ss.csr_matrix])
def test_a_plain_sparse_matrix_meets_traced_vectors(form):
    S = form(DENSE)
    assert isinstance(S, getattr(scipy.sparse, form.__name__))
    assert np.allclose(jacobian(lambda x: S @ x)(X[:, 0]), DENSE)
    assert np.allclose(jacobian(lambda x: S.T @ x)(Z[0]), DENSE.T)
    assert np.allclose(jacobian(lambda x: x @ S)(Z[0]), DENSE.T)
    assert np.allclose(vmap(lambda x: S @ x)(X.T), (DENSE @ X).T)
    assert np.allclose(S @ X, P @ X)


def test_sums_of_a_matrix_are_a_row_or_a_column():
    """As SciPy's are, so that what is broadcast against them is the same."""
    for make, axis, shape in [(ss.csr_matrix, 0, (1, 5)), (ss.csr_matrix, -1, (6, 1)), (ss.csr_array, 1, (6,))]:
        total = jvp(lambda d, axis=axis, make=make: make((d, P.indices, P.indptr)).sum(axis), (P.data,), (P.data,))[1]
        assert total.shape == shape
        assert np.allclose(np.ravel(total), np.sum(DENSE, axis))


def test_scipys_own_names_the_one_to_use():
    with pytest.raises(ConversionError, match=r"dotbar\.scipy\.sparse\.csr_array\(S\) @ x"):
        grad(lambda x: np.sum(P @ x))(X[:, 0])


def test_diagonals():
    d = rng.standard_normal(5)
    make = lambda form, d: form((np.stack([d, 2 * d]), [0, 1]), shape=(5, 5)) @ X
    assert np.allclose(jvp(lambda d: make(ss.dia_array, d), (d,), (d,))[0], make(scipy.sparse.dia_array, d))
    again = lambda f, d: f([d, d[1:]], offsets=[0, -1]) @ X
    assert np.allclose(jvp(lambda d: again(ss.diags_array, d), (d,), (d,))[0], again(scipy.sparse.diags_array, d))


def laplacian(d, n):
    """A tridiagonal matrix with d on its diagonal."""
    i = np.arange(n)
    off = -np.ones(n - 1)
    entries = np.concatenate([d, off, off])
    places = np.concatenate([i, i[1:], i[:-1]]), np.concatenate([i, i[:-1], i[1:]])
    return ss.coo_array((entries, places), shape=(n, n))


@pytest.mark.parametrize(
    "f",
    [
        lambda A, b: A @ b,
        lambda A, b: ssl.spsolve(A.tocsc(), b, permc_spec="NATURAL"),
        lambda A, b: ssl.splu(A, permc_spec="NATURAL").solve(b),
        lambda A, b: ssl.cg(A, b)[0],
        lambda A, b: (A.T @ A) @ b,
        lambda A, b: A.sum(0) * A.diagonal(),
    ],
)
def test_nothing_is_made_dense(f):
    """A million million entries would be 8 TB."""
    n = 100_000
    d, b = 4.0 + np.arange(n) / n, np.ones(n)
    tracemalloc.start()
    gd, gb = grad(lambda d, b: np.sum(f(laplacian(d, n), b) ** 2), argnums=(0, 1))(d, b)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert gd.shape == gb.shape == (n,)
    assert peak < 3000 * n


def test_solutions_of_a_tridiagonal_system():
    n = 40
    d, b = 4.0 + rng.random(n), rng.standard_normal(n)
    want = grad(lambda d: np.sum(np.linalg.solve(laplacian(d, n).toarray(), b) ** 3))(d)
    for f in (
        lambda A: ssl.spsolve(A, b),
        lambda A: ssl.splu(A).solve(b),
        lambda A: ssl.splu(A).solve(b, "T"),
        lambda A: ssl.factorized(A)(b),
        lambda A: ssl.cg(A, b, rtol=1e-13)[0],
        lambda A: ssl.cg(A, b, rtol=1e-13, M=scipy.sparse.eye_array(n) / 4)[0],
        lambda A: ssl.bicgstab(A, b, rtol=1e-13)[0],
        lambda A: ssl.gmres(A, b, rtol=1e-13)[0],
        lambda A: ssl.minres(A, b, rtol=1e-13)[0],
        lambda A: ssl.lsqr(A, b, atol=1e-14, btol=1e-14)[0],
        lambda A: ssl.lsmr(A, b, atol=1e-14, btol=1e-14)[0],
    ):
        assert np.allclose(grad(lambda d, f=f: np.sum(f(laplacian(d, n)) ** 3))(d), want, 1e-8, 1e-10)


def test_tolerances_are_respected():
    """The derivative is as accurate as the solution is asked to be, no more and no less by orders of magnitude."""
    n = 200
    d, b = 2.001 + rng.random(n) / 100, rng.standard_normal(n)
    exact = grad(lambda d: np.sum(ssl.spsolve(laplacian(d, n).tocsc(), b)))(d)
    for rtol in (1e-3, 1e-7, 1e-11):
        got = grad(lambda d, rtol=rtol: np.sum(ssl.cg(laplacian(d, n), b, rtol=rtol)[0]))(d)
        assert np.linalg.norm(got - exact) < 300 * rtol * np.linalg.norm(exact)


def test_where_an_iteration_has_not_converged():
    """SciPy says so by its second result; the derivative is nan."""
    n = 200
    d, b = 2.001 + rng.random(n) / 100, rng.standard_normal(n)
    f = lambda d: ssl.cg(laplacian(d, n), b, maxiter=3)
    assert jvp(lambda d: f(d)[0], (d,), (d,))[0].shape == (n,)
    assert f(d)[1] > 0
    assert np.all(np.isnan(grad(lambda d: np.sum(f(d)[0]))(d)))


@pytest.mark.parametrize("solver", [ssl.lsqr, ssl.lsmr])
def test_where_least_squares_have_not_converged(solver):
    A = lambda d: ss.csr_array((d, P.indices, P.indptr), shape=P.shape)
    limit = {"iter_lim" if solver is ssl.lsqr else "maxiter": 1}
    f = lambda d: np.sum(solver(A(d), Z[0], **limit)[0])
    assert np.isfinite(f(P.data))
    assert np.all(np.isnan(grad(f)(P.data)))
    assert np.isnan(jvp(f, (P.data,), (P.data,))[1])


def test_general_eigenvalues():
    """As scipy.linalg has them, also with a matrix M, near a point, and where their order is another."""
    S = scipy.sparse.csr_array(DENSE[:5] + np.diag(np.arange(5.0)))
    A = lambda d: ss.csr_array((d, S.indices, S.indptr))
    M = scipy.sparse.diags_array(1.0 + np.arange(5), format="csc")
    slope = lambda f: np.sort_complex(jvp(f, (S.data,), (np.cos(S.data),))[1])
    w = lambda A: sl.eig(A.toarray())[0]
    want = slope(lambda d: w(A(d))[np.argsort(-np.abs(w(S)), kind="stable")[:3]])
    assert np.allclose(slope(lambda d: ssl.eigs(A(d), k=3, v0=np.ones(5), return_eigenvectors=False)), want, 1e-8)
    both = lambda d: A(d) + A(d).T
    every = lambda d: sl.eigh(both(d).toarray(), M.toarray(), eigvals_only=True)
    for kw in ({"which": "SA"}, {"sigma": every(S.data)[0] - 0.1}, {"which": "SA", "return_eigenvectors": False}):
        got = lambda d, kw=kw: ssl.eigsh(both(d), k=2, M=M, v0=np.ones(5), **kw)
        values = got if "return_eigenvectors" in kw else lambda d, got=got: got(d)[0]
        assert np.allclose(slope(values), slope(lambda d: every(d)[:2]), 1e-7)


def test_a_singular_matrix():
    """``spsolve`` returns nan, ``splu`` raises."""
    with pytest.raises(RuntimeError, match="exactly singular"):
        grad(lambda d: ssl.splu(ss.csc_array((d, ([0, 1], [0, 1])))).solve(np.ones(2))[0])(np.array([1.0, 0.0]))
    f = lambda d: ssl.spsolve(ss.csc_array((d, ([0, 1], [0, 1])), shape=(2, 2)), np.ones(2))
    assert np.all(np.isnan(jvp(f, (np.array([1.0, 0.0]),), (np.ones(2),))[0]))


def test_spectra():
    n = 30
    d = rng.random(n) * 3 + np.arange(n)
    A = lambda d: laplacian(d, n)
    dense_w = lambda d: np.sum(np.linalg.eigvalsh(A(d).toarray())[-3:] ** 2)
    for f in (
        lambda d: np.sum(ssl.eigsh(A(d), k=3)[0] ** 2),
        lambda d: np.sum(ssl.eigsh(A(d), k=3, return_eigenvectors=False) ** 2),
        lambda d: np.sum(ssl.svds(A(d), k=3)[1] ** 2),
        lambda d: np.sum(ssl.lobpcg(A(d), rng.standard_normal((n, 3)), tol=1e-10, maxiter=500)[0] ** 2),
    ):
        assert np.allclose(grad(f)(d), grad(dense_w)(d), 1e-7, 1e-7)


def test_eigenvectors_of_a_repeated_eigenvalue():
    A = lambda d: ss.coo_array((d, (np.arange(6), np.arange(6))), shape=(6, 6))
    d = np.array([1.0, 2.0, 3.0, 4.0, 9.0, 9.0])
    w = np.sum(grad(lambda d: np.sum(ssl.eigsh(A(d), k=2)[0]))(d))
    assert np.isclose(w, 2.0)
    with pytest.raises(DegenerateSpectrumError):
        grad(lambda d: np.sum(ssl.eigsh(A(d), k=2)[1] ** 3))(d)


def test_paths_of_exponentials():
    A = lambda d: laplacian(d, 5)
    d = rng.random(5)
    f = lambda d, t: ssl.expm_multiply(A(d), X, start=0.0, stop=t, num=4)
    value, along = jvp(f, (d, 2.0), (np.zeros(5), 1.0))
    want = plain.expm_multiply(A(d), X, start=0.0, stop=2.0, num=4)
    assert np.allclose(value, want, 1e-12)
    assert np.allclose(along[-1], A(d) @ want[-1], 1e-10)


@pytest.mark.parametrize(
    ("f", "error"),
    [
        (lambda A: A + 1, NotImplementedError),
        (bool, ValueError),
        (lambda A: A.sum(2), ValueError),
        (lambda A: A[7, 0], IndexError),
        (lambda A: A @ np.ones(4), ValueError),
        (lambda A: ssl.splu(A[:4].tocsc()), ValueError),
        (lambda A: ssl.splu(A.tocsc()).solve(np.ones(5), "X"), ValueError),
        (lambda A: ssl.spsolve_triangular(ss.tril(A, -1).tocsr(), np.ones(5)), np.linalg.LinAlgError),
        (lambda A: ss.diags_array([A.data, A.data], offsets=[0]), ValueError),
        (lambda A: ssl.expm_multiply(A, np.ones(5), start=0, stop=1, num=1), ValueError),
    ],
)
def test_errors_are_scipys(f, error):
    plain_matrix = laplacian(4.0 + np.arange(5), 5).tocsr()
    with pytest.raises(error):
        f(plain_matrix)
    with pytest.raises(error):
        grad(lambda d: f(laplacian(d, 5).tocsr()))(4.0 + np.arange(5))


@pytest.mark.parametrize(
    "f",
    [
        lambda A: ssl.spilu(A),
        lambda A: ssl.expm(A),
        lambda A: ssl.lsqr(A, np.ones(5))[5],
        lambda A: ssl.lsqr(ssl.aslinearoperator(A), np.ones(5)),
        lambda A: ssl.cg(EYE, np.ones(5), M=A),
        lambda A: ssl.cg(EYE, np.ones(5) + A.sum(), rtol=A.sum()),
        lambda A: ssl.splu(A).L,
        lambda A: ssl.lobpcg(A, np.ones((5, 1)), retLambdaHistory=True),
        lambda A: A == 0,
        lambda A: A.max(),
        lambda A: A.tolil(),
        lambda A: A.asformat("bsr"),
        lambda A: ss.lil_array(A),
        lambda A: A[[0, 1], [1, 2]],
        lambda A: A[0],
        lambda A: A.__setitem__((0, 0), 1.0),
        lambda A: ss.coo_array((A.data, (A.row,))),
    ],
)
def test_what_has_no_rule_says_so(f):
    """Named, not made constant or dense."""
    with pytest.raises(NoRuleError):
        grad(lambda d: f(laplacian(d, 5)))(4.0 + np.arange(5))


def test_minres_depends_on_its_shift():
    A, b = scipy.sparse.csr_array(np.diag([3.0, 4.0, 5.0]) + np.eye(3, k=1) + np.eye(3, k=-1)), np.arange(1.0, 4.0)
    slope = jacobian(lambda shift: ssl.minres(A, b, shift=shift, rtol=1e-14)[0])(0.3)
    shifted = A.toarray() - 0.3 * np.eye(3)
    np.testing.assert_allclose(slope, np.linalg.solve(shifted, np.linalg.solve(shifted, b)), rtol=1e-10)


@pytest.mark.parametrize(
    "make",
    [
        lambda M, A: M.hstack([A, A], dtype=np.float32).toarray(),
        lambda M, A: M.vstack([A, A], dtype=complex).toarray(),
        lambda M, A: M.block_diag([A, A], dtype=np.float32).toarray(),
        lambda M, A: M.bmat([[A, A]], dtype=np.float32).toarray(),
        lambda M, A: A.sum(axis=0, dtype=np.float32),
        lambda M, A: A.sum(dtype=np.float32),
        lambda M, A: M.diags([[A[0, 0], A[0, 1]], [A[1, 1]]], [0, 1], dtype=np.float32).toarray(),
    ],
)
def test_a_type_that_is_asked_for(make):
    plain = make(scipy.sparse, scipy.sparse.csr_array([[1.0, 0.3], [0.0, 0.2]]))
    values, _ = jvp(
        lambda d: make(ss, ss.csr_array((d, ([0, 0, 1], [0, 1, 1])))), (np.array([1.0, 0.3, 0.2]),), (np.ones(3),)
    )
    assert values.dtype == plain.dtype
    assert np.array_equal(values, plain)

"""scipy.sparse: objects, patterns, memory, solvers that do not converge."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg as plain

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


def test_a_singular_matrix():
    """``spsolve`` returns nan."""
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
    "f",
    [
        lambda A: ssl.spilu(A),
        lambda A: ssl.eigs(A, k=2),
        lambda A: ssl.expm(A),
        lambda A: ssl.lsqr(A, np.ones(5))[5],
        lambda A: ssl.eigsh(A, k=2, M=scipy.sparse.eye_array(5))[0][0],
    ],
)
def test_what_has_no_rule_says_so(f):
    with pytest.raises(NoRuleError):
        grad(lambda d: f(laplacian(d, 5)))(4.0 + np.arange(5))

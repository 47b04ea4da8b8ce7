"""Samples of scipy/sparse."""

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg as plain

import dotbar.scipy.sparse as ss
import dotbar.scipy.sparse.linalg as ssl
from dotbar.scipy.sparse.solvers import Iteration, LeastSquares, iterate, iterate_operator, least
from dotbar.scipy.sparse.spectra import eigenpairs, exponential, exponential_bar, general_eigenpairs, singular_triplets
from dotbar.scipy.sparse.words import multiply, solve
from samples import cnormal, normal, sample

N = 5
ROW = np.array([0, 0, 1, 1, 1, 2, 2, 3, 3, 0, 4, 4])
COL = np.array([0, 1, 0, 1, 2, 1, 2, 3, 0, 3, 4, 2])
DATA = normal(12) + 4.0 * (ROW == COL)
CDATA = cnormal(12) + 4.0 * (ROW == COL)
START = np.searchsorted(np.sort(ROW), np.arange(N + 1))
ORDER = np.argsort(ROW, kind="stable")
TALL = (np.array([0, 1, 2, 3, 4, 5, 0, 2, 4]), np.array([0, 1, 2, 0, 1, 2, 1, 0, 2]))
PAIRS = (np.array([0, 1, 2, 3, 0, 1]), np.array([0, 1, 2, 3, 1, 0]))
EVEN = DATA[:6] + 4 * (PAIRS[0] == PAIRS[1])
B = normal(N)
OPERATOR = plain.aslinearoperator(scipy.sparse.csr_array(normal(N, N) + 4 * np.eye(N)))
GMRES = Iteration(plain.gmres, {"rtol": 1e-14})


def part(word, i):
    """One of the results."""
    return lambda *args, **kw: word(*args, **kw)[i]


def matrix(data, form=ss.csr_array, shape=(N, N)):
    return form((data, (ROW, COL)), shape=shape)


def symmetric(data):
    """A + Aᵀ + 20, positive definite."""
    A = matrix(data)
    return A + A.T + ss.csr_array(np.diag(np.arange(1.0, N + 1) * 7))


def tall(data):
    return ss.coo_array((data, TALL), shape=(6, 3))


def iterated(name, form=matrix, **settings):
    """The solution by an iterative solver, to rounding."""
    return lambda data, b: getattr(ssl, name)(form(data), b, rtol=1e-14, **settings)[0]


def projectors(data):
    """Of eigenvectors, what does not depend on their signs."""
    w, V = ssl.eigsh(symmetric(data), k=2, v0=np.ones(N))
    return w, V[:, 0][:, None] * V[:, 0]


def ritz(data):
    A = ss.diags_array([data + 9.0 * np.arange(12), data[1:], data[1:]], offsets=[0, 1, -1], format="csr")
    w, V = ssl.lobpcg(A, normal(12, 2, seed=3), tol=1e-11, maxiter=400)
    return w, V[:, 1][:, None] * V[:, 1]


def triplets(data):
    U, s, Vh = ssl.svds(tall(data), k=1, v0=np.ones(3))
    return s, U @ Vh


def squares(name, **settings):
    return lambda data, b, damp: getattr(ssl, name)(tall(data), b, damp, 1e-15, 1e-15, 1e12, **settings)[0]


def dense_pairs(S, M):
    return scipy.linalg.eigh((S + S.T).toarray() / 2, M.toarray())


def general_pairs(A, M):
    """The same of a matrix that is not Hermitian."""
    w, V = np.linalg.eig(np.linalg.solve(M.toarray(), A.toarray()).astype(complex))
    return w, V / np.sqrt(np.real(np.sum(np.conj(V) * (M @ V), 0)))


def squared_vectors(word):
    """Values, and of vectors what does not depend on their phases."""

    def call(*args, **kw):
        w, V = word(*args, **kw)
        return w, np.real(V[:3] * np.conj(V[:3]))

    return call


def matrix_of_diagonal(m):
    return ss.csc_array((m, (np.arange(N), np.arange(N))), shape=(N, N))


def dense_triplets(S):
    return np.linalg.svd(S.toarray(), full_matrices=False)


SAMPLES = [
    sample(iterate, DATA, B, np.zeros(N), ROW, COL, by=GMRES, no_float32="rtol"),
    sample(
        iterate_operator,
        B,
        np.zeros(N),
        operator=OPERATOR,
        by=GMRES,
        no_float32="rtol",
    ),
    sample(
        least,
        normal(9),
        normal(6),
        0.3,
        *TALL,
        columns=3,
        by=LeastSquares(plain.lsqr, {"atol": 1e-15, "btol": 1e-15, "conlim": 1e12}),
        call=part(least, 0),
        no_float32="its tolerance",
        same_bits=False,
    ),
    sample(
        eigenpairs,
        DATA[:6] + 4 * (PAIRS[0] == PAIRS[1]),
        np.array([2.0, 3.0, 4.0, 5.0]),
        *PAIRS,
        np.arange(4),
        np.arange(4),
        n=4,
        by=dense_pairs,
        call=squared_vectors(eigenpairs),
    ),
    sample(
        general_eigenpairs,
        DATA,
        2.0 + np.arange(N),
        ROW,
        COL,
        np.arange(N),
        np.arange(N),
        n=N,
        by=general_pairs,
        call=squared_vectors(general_eigenpairs),
    ),
    sample(ssl.eigs, DATA, call=lambda data: np.abs(ssl.eigs(matrix(data), k=2, v0=np.ones(N))[0])),
    sample(
        ssl.eigs,
        DATA,
        2.0 + np.arange(N),
        call=lambda data, m: np.abs(ssl.eigs(matrix(data), k=2, M=matrix_of_diagonal(m), v0=np.ones(N))[0]),
        no_float32="ARPACK wants one precision",
    ),
    sample(
        ssl.eigsh,
        DATA,
        2.0 + np.arange(N),
        call=lambda data, m: ssl.eigsh(
            symmetric(data), k=2, M=matrix_of_diagonal(m), which="SA", v0=np.ones(N), return_eigenvectors=False
        ),
        no_float32="ARPACK wants one precision",
    ),
    sample(ss.spdiags, normal(2, 4), call=lambda data: ss.spdiags(data, [0, -1], 4, 4) @ np.ones(4)),
    sample(ss.kronsum, DATA, call=lambda data: ss.kronsum(matrix(data), np.eye(2)).sum(0)),
    sample(ss.find, DATA, call=lambda data: ss.find(matrix(data))[2], no_vmap="which entries are zero may differ"),
    sample(
        singular_triplets,
        normal(9),
        *TALL,
        shape=(6, 3),
        by=dense_triplets,
        call=lambda *args, **kw: singular_triplets(*args, **kw)[1],
    ),
    sample(exponential, CDATA / 5, cnormal(N, 2), ROW, COL),
    sample(exponential_bar, DATA / 5, normal(N, 2), normal(N, 2, seed=5), ROW, COL),
    sample(exponential_bar, CDATA / 5, cnormal(N, 1), cnormal(N, 1, seed=5), ROW, COL),
    sample(multiply, DATA, normal(N, 3), ROW, COL, rows=N),
    sample(multiply, CDATA, cnormal(N, 2), ROW, COL, rows=N),
    sample(solve, DATA, normal(N, 3), ROW, COL),
    sample(solve, CDATA, cnormal(N, 2), ROW, COL, adjoint=True),
    sample(
        ssl.spsolve, DATA, B, call=lambda data, b: ssl.spsolve(matrix(data, ss.csc_array), b), case="spsolve wrt data,b"
    ),
    sample(
        ss.csr_array,
        DATA[ORDER],
        normal(N, 2),
        call=lambda data, X: ss.csr_array((data, COL[ORDER], START), shape=(N, N)) @ X,
        case="sparse @ dense wrt data",
    ),
    sample(
        ss.coo_array, DATA, B, call=lambda data, x: matrix(data, ss.coo_array) @ x, case="sparse COO @ dense wrt data"
    ),
    sample(ss.csr_array, DATA, call=lambda data: (matrix(data).T @ matrix(data)).toarray()),
    sample(ssl.splu, DATA, B, call=lambda data, b: ssl.splu(matrix(data, ss.csc_array)).solve(b), case="splu.solve"),
    sample(ssl.cg, DATA, B, call=iterated("cg", symmetric), case="cg", no_float32="rtol"),
    sample(ssl.gmres, DATA, B, call=iterated("gmres"), case="gmres", no_float32="rtol"),
    sample(ssl.bicgstab, DATA, B, call=iterated("bicgstab"), case="bicgstab", no_float32="rtol"),
    sample(ssl.minres, DATA, B, call=iterated("minres", symmetric), case="minres", no_float32="rtol"),
    sample(
        ssl.expm_multiply, DATA / 4, B, call=lambda data, b: ssl.expm_multiply(matrix(data), b), case="expm_multiply"
    ),
    sample(ssl.eigsh, DATA, call=projectors, case="eigsh k=2"),
    sample(ssl.svds, normal(9), call=triplets, case="svds"),
    sample(ssl.lobpcg, DATA, call=ritz, case="lobpcg", no_float32="its tolerance", same_bits=False),
    sample(
        ssl.lsqr,
        normal(9),
        normal(6),
        0.3,
        call=squares("lsqr"),
        case="lsqr",
        no_float32="its tolerance",
        same_bits=False,
    ),
    sample(
        ssl.lsmr,
        normal(9),
        normal(6),
        0.3,
        call=squares("lsmr"),
        case="lsmr",
        no_float32="its tolerance",
        same_bits=False,
    ),
]
if hasattr(scipy.sparse, "swapaxes"):
    SAMPLES += [
        sample(ss.swapaxes, DATA, call=lambda data: ss.swapaxes(matrix(data), 0, -1) @ B),
        sample(ss.permute_dims, DATA, call=lambda data: ss.permute_dims(matrix(data), (1, 0)) @ B),
    ]

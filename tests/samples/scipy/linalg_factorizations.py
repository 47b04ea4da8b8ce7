"""Samples of scipy/linalg/factorizations.py."""

import numpy as np

import dotbar.scipy.linalg as sl
from dotbar.rules.words import H, stop_gradient, sym
from dotbar.scipy.linalg import factorizations as own
from samples import cnormal, hpd, normal, sample, spd

A, C = normal(4, 4), cnormal(3, 3)
tall, wide, ctall, cwide = normal(5, 3), normal(3, 5), cnormal(5, 3), cnormal(3, 5)
blocks = np.array([[0, 3.0, 1, 2], [3, 0.1, 2, 1], [1, 2, 0.2, 4], [2, 1, 4, 0.3]])
band = np.array([[0, 0, 1, 2, 1], [0, 1, 2, 1, 2], [6, 7, 8, 9, 7.0]])
cband = band[::-1] * [[1], [1j], [1 + 1j]]
lower = np.tril(A) + 4 * np.eye(4)


def first(f, k=1):
    """The first k results."""
    return lambda *args, **kw: tuple(f(*args, **kw))[:k]


def thin_qr(a, **kw):
    Q, R, *_ = sl.qr(a, **kw)
    return Q[:, : a.shape[1]], R


def thin_rq(a, **kw):
    R, Q = sl.rq(a, **kw)
    return R, Q[-a.shape[0] :]


def thin_svd(a, **kw):
    U, s, Vh = sl.svd(a, **kw)
    return U[:, : len(s)], s, Vh[: len(s)]


def projector(basis, **fixed):
    def onto(a):
        Q = basis(a, **fixed)
        return Q @ H(Q)

    return onto


def of_product(f):
    """The function of A = BC, of a rank that stays the same."""
    return lambda b, c: f(b @ c)


def ldl(f=sl.ldl, lower=True):
    return lambda a: f(a, lower=lower, hermitian=True)[:2]


def solved_by_lu(a, b, trans=0):
    return sl.lu_solve(sl.lu_factor(a), b, trans)


def solved_by_cholesky(a, b, lower=False):
    return sl.cho_solve(sl.cho_factor(a, lower), b)


def solved_by_bands(ab, b, lower=False):
    return sl.cho_solve_banded((ab, lower), b)


def changed(f, *settings, mode="full"):
    """Of the factors of a matrix, those of the changed one, without the columns that are arbitrary."""

    def call(a, *vectors):
        Q, R = f(*sl.qr(a, mode=mode), *vectors, *settings)
        return np.abs(Q[:, : R.shape[1]]), np.abs(R[np.triu_indices(len(R), m=R.shape[1])])

    return call


def angles(f, **kw):
    return lambda a: f(np.linalg.qr(a)[0], **kw)[2]


def of_unitary(f, p, q, **kw):
    """Of the factors of a unitary matrix what does not depend on phases, nor on bases for equal angles."""

    def call(a):
        U, D, Vh = f(np.linalg.qr(a)[0], p, q, **kw)
        r = min(p, q, len(a) - p, len(a) - q)
        n11, n22 = min(p, q) - r, min(len(a) - p, len(a) - q) - r
        i, k = np.r_[n11 : n11 + r, p + n22 : p + n22 + r], np.r_[n11 : n11 + r, q + n22 : q + n22 + r]
        return np.real(U * np.conj(U))[:, i], D, np.real(Vh * np.conj(Vh))[k]

    return call


SAMPLES = [
    sample(own.ordered, C, np.array([2, 0]), axis=-2, wrt=(0,)),
    sample(own.ordered, normal(2, 3, 4), np.array([[3, 1], [2, 0]]), axis=-1, wrt=(0,)),
    sample(own.put_back, normal(3, 2), np.array([2, 0]), axis=-1, length=4, wrt=(0,)),
    sample(own.put_back, normal(2, 2, 3), np.array([[3, 1], [2, 0]]), axis=-2, length=4, wrt=(0,)),
    # Cholesky
    sample(sl.cholesky, spd(4), lower=True, hermitian=True, case="cholesky"),
    sample(sl.cholesky, spd(3, 2), hermitian=True, case="cholesky upper"),
    sample(sl.cholesky, hpd(3), hermitian=True),
    sample(sl.cho_factor, spd(3), call=first(sl.cho_factor), hermitian=True),
    sample(sl.cho_factor, hpd(3), lower=True, call=first(sl.cho_factor), hermitian=True),
    sample(sl.cho_solve, lower, normal(4, 2), call=lambda c, b: sl.cho_solve((c, True), b), case="cho_solve"),
    sample(sl.cho_solve, C + 3 * np.eye(3), cnormal(3), call=lambda c, b: sl.cho_solve((c, False), b)),
    sample(
        sl.cho_solve, spd(4), normal(4), call=solved_by_cholesky, hermitian=True, wrt=(0,), case="cho_factor+cho_solve"
    ),
    sample(sl.cholesky_banded, band, case="cholesky_banded"),
    sample(sl.cholesky_banded, cband, lower=True),
    sample(own.congruences, normal(5, 2, 2), normal(5, 2, 2, seed=1)),
    sample(own.congruences, cnormal(4, 2, 2), cnormal(4, 2, 2, seed=1)),
    sample(sl.cho_solve_banded, band, normal(5), call=solved_by_bands, case="cho_solve_banded"),
    sample(sl.cho_solve_banded, cband, cnormal(5, 2), lower=True, call=solved_by_bands),
    # LU
    sample(own.packed_lu, A, call=first(own.packed_lu)),
    sample(own.packed_lu, normal(2, 3, 3), call=first(own.packed_lu)),
    sample(own.packed_lu, ctall, call=first(own.packed_lu)),
    sample(own.packed_lu, cwide, call=first(own.packed_lu)),
    sample(sl.lu, A, case="lu (L,U)"),
    sample(sl.lu, tall, permute_l=True, case="lu tall"),
    sample(sl.lu, wide, p_indices=True, case="lu wide"),
    sample(sl.lu, C),
    sample(sl.lu_factor, A, call=first(sl.lu_factor), case="lu_factor"),
    sample(sl.lu_solve, A, normal(4), call=solved_by_lu, case="lu_factor+lu_solve"),
    sample(sl.lu_solve, normal(2, 3, 3), normal(3), call=solved_by_lu),
    sample(sl.lu_solve, C, cnormal(3, 2), trans=1, call=solved_by_lu),
    sample(sl.lu_solve, C, cnormal(3, 2), trans=2, call=solved_by_lu),
    # LDL
    sample(own.ldl_factors, sym(A), call=ldl(), hermitian=True),
    sample(own.ldl_factors, sym(normal(2, 4, 4)), call=ldl(own.ldl_factors, lower=False), hermitian=True),
    sample(sl.ldl, sym(normal(4, 4, seed=1)), call=ldl(), hermitian=True, case="ldl"),
    sample(sl.ldl, blocks, call=ldl(lower=False), hermitian=True),
    sample(sl.ldl, sym(cnormal(4, 4)), call=ldl(), hermitian=True),
    sample(sl.ldl, C, call=lambda a: sl.ldl(a + a.T, hermitian=False)[:2]),
    # QR
    sample(sl.qr, tall, mode="economic", case="qr economic"),
    sample(sl.qr, A, pivoting=True, call=first(sl.qr, 2), case="qr pivoting"),
    sample(sl.qr, cwide, mode="r", pivoting=True, call=first(sl.qr)),
    sample(sl.qr, tall, call=thin_qr),
    sample(sl.qr, ctall, mode="r"),
    sample(sl.qr_multiply, tall, normal(2, 5), case="qr_multiply"),
    sample(sl.qr_multiply, tall, normal(3), mode="left", pivoting=True, call=first(sl.qr_multiply, 2)),
    sample(sl.qr_multiply, ctall, cnormal(3, 2), mode="left", conjugate=True),
    sample(sl.rq, A, case="rq"),
    sample(sl.rq, ctall, mode="economic"),
    sample(sl.rq, cwide, call=thin_rq),
    sample(sl.rq, wide, mode="r"),
    sample(own.as_factors, tall, call=lambda a: own.as_factors(a, *np.linalg.qr(stop_gradient(a)))),
    sample(sl.qr_delete, A, call=changed(sl.qr_delete, 1, 2, "col")),
    sample(sl.qr_delete, tall, call=changed(sl.qr_delete, 1, mode="economic")),
    sample(sl.qr_insert, tall, normal(5), call=changed(sl.qr_insert, 2, "col")),
    sample(sl.qr_insert, wide, normal(5), call=changed(sl.qr_insert, 0)),
    sample(sl.qr_update, A, normal(4), normal(4, seed=1), call=changed(sl.qr_update)),
    sample(sl.qr_update, ctall, cnormal(5), cnormal(3), call=changed(sl.qr_update, mode="economic")),
    # singular values
    sample(own.singular_factors, tall, full_matrices=False, lapack_driver="gesvd"),
    sample(sl.svd, A, case="svd"),
    sample(sl.svd, cwide, call=thin_svd),
    sample(sl.svd, ctall, full_matrices=False, lapack_driver="gesvd"),
    sample(sl.svd, wide, compute_uv=False),
    sample(sl.svdvals, ctall, case="svdvals"),
    sample(sl.diagsvd, normal(3), 5, 3, case="diagsvd"),
    sample(sl.diagsvd, cnormal(2, 3), 3, 4),
    sample(sl.polar, A, case="polar"),
    sample(sl.polar, tall, case="polar tall"),
    sample(sl.polar, cwide, side="left"),
    # cosines and sines
    sample(own.cosine_sine, normal(4, 4), call=angles(own.cosine_sine, p=2, q=2, swap_sign=False)),
    sample(sl.cossin, normal(4, 4), call=of_unitary(sl.cossin, 2, 2), case="cossin"),
    sample(sl.cossin, normal(5, 5), call=of_unitary(sl.cossin, 2, 3, swap_sign=True)),
    sample(sl.cossin, cnormal(5, 5), call=of_unitary(sl.cossin, 1, 3)),
    sample(sl.cossin, cnormal(4, 4), call=of_unitary(sl.cossin, 3, 2)),
    # bases of subspaces
    sample(sl.orth, tall, call=projector(sl.orth), case="orth (projector)"),
    sample(sl.orth, cnormal(5, 2), cnormal(2, 3), call=of_product(projector(sl.orth, rcond=1e-5)), wrt=(0, 1)),
    sample(sl.null_space, wide, call=projector(sl.null_space), case="null_space (projector)"),
    sample(sl.null_space, cwide, call=projector(sl.null_space)),
    sample(sl.subspace_angles, tall, normal(5, 2), case="subspace_angles"),
    sample(sl.subspace_angles, cnormal(5, 2), ctall),
]

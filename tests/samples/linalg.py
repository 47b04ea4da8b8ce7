"""Samples of rules/linalg.py, spectral.py, norms.py and lapack_words.py."""

import numpy as np

import dotbar.linalg as dl
from dotbar.rules import lapack_words as words
from dotbar.rules.linalg import from_diagonal, qr_factors
from dotbar.rules.norms import power_norm, two_norm
from dotbar.rules.spectral import hermitian_spectrum, singular_values, spectrum, svd_factors
from dotbar.rules.words import sym
from samples import cnormal, hpd, normal, sample, spd, uniform

A, B, C = normal(4, 4), normal(2, 3, 3), cnormal(3, 3)
tall, wide, ctall, cwide = normal(5, 3), normal(3, 5), cnormal(5, 3), cnormal(3, 5)


def thin(U, s, Vh):
    """What of a full decomposition is determined."""
    k = s.shape[-1]
    return U[..., :k], s, Vh[..., :k, :]


def thin_qr(A):
    Q, R = np.linalg.qr(A, "complete")
    return Q[..., : A.shape[-1]], R


def by_lu(fn, **kw):
    """A word over the factors of its first argument."""
    return lambda A, *rest: fn(A, *rest, *words.lu_factor(A), **kw)


lower, clower = np.linalg.cholesky(spd(4)), np.linalg.cholesky(hpd(3))

SAMPLES = [
    # words
    sample(words.solve_triangular, lower, normal(4, 2)),
    sample(words.solve_triangular, clower, cnormal(3, 2), adjoint=True),
    sample(words.solve_triangular, np.triu(A) + 4 * np.eye(4), normal(2, 4, 3), lower=False),
    sample(words.solve_triangular, np.tril(B) + 3 * np.eye(3), normal(3, 2), adjoint=True),
    sample(words.lu_solve, C, cnormal(3, 2), call=by_lu(words.lu_solve)),
    sample(words.lu_solve, C, cnormal(3, 2), call=by_lu(words.lu_solve, adjoint=True)),
    sample(words.lu_solve, A, normal(2, 4, 3), call=by_lu(words.lu_solve)),
    sample(words.lu_inverse, A, call=by_lu(words.lu_inverse)),
    sample(words.lu_inverse, cnormal(2, 3, 3), call=by_lu(words.lu_inverse)),
    sample(words.lu_det, C, call=by_lu(words.lu_det)),
    sample(words.lu_slogdet, C, call=by_lu(words.lu_slogdet)),
    sample(words.adjugate, A, call=by_lu(words.adjugate)),
    sample(words.adjugate, C, call=by_lu(words.adjugate)),
    sample(words.adjugate_dot, B, normal(2, 3, 3, seed=1), call=by_lu(words.adjugate_dot)),
    sample(words.adjugate_dot, C, cnormal(3, 3, seed=1), call=by_lu(words.adjugate_dot)),
    sample(words.cholesky_dot, lower, normal(4, 4), call=lambda L, Adot: words.cholesky_dot(np.tril(L), Adot)),
    sample(words.cholesky_bar, clower, cnormal(3, 3), call=lambda L, Lbar: words.cholesky_bar(np.tril(L), Lbar)),
    # determinants and systems
    sample(np.linalg.det, A, case="det"),
    sample(np.linalg.det, B, case="det batched"),
    sample(np.linalg.det, C, case="det complex"),
    sample(np.linalg.det, normal(4, 3) @ normal(3, 4)),
    sample(np.linalg.slogdet, A, case="slogdet"),
    sample(np.linalg.slogdet, C, case="slogdet complex"),
    sample(np.linalg.slogdet, cnormal(2, 3, 3)),
    sample(np.linalg.inv, A, case="inv"),
    sample(np.linalg.inv, B, case="inv batched"),
    sample(np.linalg.inv, C, case="inv complex"),
    sample(np.linalg.solve, A, normal(4, 2), case="solve"),
    sample(np.linalg.solve, A, normal(4), case="solve vec"),
    sample(np.linalg.solve, B, normal(2, 3, 2), case="solve batched"),
    sample(np.linalg.solve, normal(2, 1, 3, 3), normal(3, 3, 1)),
    sample(np.linalg.solve, B, normal(3)),
    sample(np.linalg.solve, C, cnormal(3, 2), case="solve complex"),
    sample(np.linalg.solve, C, normal(3)),
    sample(np.linalg.tensorinv, normal(2, 3, 3, 2), case="tensorinv"),
    sample(np.linalg.tensorinv, normal(6, 2, 3), ind=1),
    sample(np.linalg.tensorsolve, normal(2, 3, 3, 2), normal(2, 3), case="tensorsolve"),
    sample(np.linalg.tensorsolve, normal(3, 2, 3, 2), normal(3, 2), axes=(0, 1)),
    sample(np.linalg.matrix_power, A, 3, case="matrix_power 3"),
    sample(np.linalg.matrix_power, A, -2, case="matrix_power -2"),
    sample(np.linalg.matrix_power, B, 0),
    sample(np.linalg.matrix_power, C, 1),
    # pseudo-inverse and least squares
    sample(np.linalg.pinv, tall, case="pinv"),
    sample(np.linalg.pinv, wide, case="pinv wide"),
    sample(np.linalg.pinv, ctall, case="pinv complex"),
    sample(np.linalg.pinv, normal(2, 3, 2)),
    sample(np.linalg.pinv, hpd(3), call=lambda A: np.linalg.pinv(A, hermitian=True), hermitian=True),
    sample(np.linalg.pinv, normal(5, 2), normal(2, 3), call=lambda a, b: np.linalg.pinv(a @ b, 1e-6)),
    sample(np.linalg.lstsq, tall, normal(5), case="lstsq; lstsq residuals"),
    sample(np.linalg.lstsq, tall, normal(5, 2)),
    sample(np.linalg.lstsq, wide, normal(3, 2), case="lstsq underdetermined"),
    sample(np.linalg.lstsq, ctall, cnormal(5, 2)),
    sample(
        np.linalg.lstsq, normal(5, 2), normal(2, 3), normal(5), call=lambda a, b, c: np.linalg.lstsq(a @ b, c, 1e-6)[:2]
    ),
    # Cholesky and QR
    sample(np.linalg.cholesky, spd(4), hermitian=True, case="cholesky"),
    sample(np.linalg.cholesky, spd(3, 2), hermitian=True, case="cholesky batched"),
    sample(np.linalg.cholesky, hpd(3), hermitian=True, case="cholesky complex"),
    sample(np.linalg.cholesky, hpd(3), upper=True, hermitian=True),
    sample(np.linalg.qr, tall, case="qr reduced tall"),
    sample(np.linalg.qr, A, case="qr square"),
    sample(np.linalg.qr, wide, case="qr wide"),
    sample(np.linalg.qr, tall, mode="r", case="qr mode=r"),
    sample(np.linalg.qr, cwide, mode="r"),
    sample(np.linalg.qr, tall, call=thin_qr, case="qr complete tall (R part, Q thin)"),
    sample(np.linalg.qr, ctall, call=thin_qr),
    sample(np.linalg.qr, cwide, mode="complete"),
    sample(np.linalg.qr, ctall, case="qr complex"),
    sample(np.linalg.qr, C),
    sample(np.linalg.qr, normal(2, 4, 3)),
    sample(qr_factors, ctall),
    # traces
    sample(from_diagonal, normal(3, 2), shape=(4, 3, 2), offset=-1, axis1=0, axis2=2),
    sample(np.diagonal, normal(3, 4, 2), offset=1, axis1=-2, axis2=0),
    sample(np.trace, normal(3, 4, 2), 1, 0, 2, case="trace"),
    sample(np.linalg.trace, normal(2, 3, 4), offset=-1),
    sample(np.linalg.diagonal, normal(2, 3, 4), offset=1, case="diagonal"),
    # eigenvalues
    sample(np.linalg.eigh, spd(4), hermitian=True, case="eigh"),
    sample(np.linalg.eigh, spd(3, 2), hermitian=True, case="eigh batched"),
    sample(np.linalg.eigh, hpd(4), hermitian=True, case="eigh complex"),
    sample(np.linalg.eigh, hpd(3), "U", hermitian=True),
    sample(np.linalg.eigvalsh, spd(4), hermitian=True, case="eigvalsh"),
    sample(np.linalg.eigvalsh, hpd(3, 2), "U", hermitian=True),
    sample(hermitian_spectrum, spd(3), call=np.linalg.eigvalsh, hermitian=True),
    sample(np.linalg.eig, A, case="eig"),
    sample(np.linalg.eig, spd(3) @ np.diag([1.0, 2.0, 3.0])),
    sample(np.linalg.eig, cnormal(4, 4)),
    sample(np.linalg.eig, cnormal(2, 3, 3)),
    sample(np.linalg.eigvals, A, case="eigvals"),
    sample(np.linalg.eigvals, C),
    sample(spectrum, C, call=np.linalg.eigvals),
    # singular values
    sample(np.linalg.svd, tall, full_matrices=False, case="svd full_matrices=False"),
    sample(np.linalg.svd, wide, full_matrices=False, case="svd wide"),
    sample(np.linalg.svd, A, case="svd square full"),
    sample(
        np.linalg.svd, tall, call=lambda A: thin(*np.linalg.svd(A)), case="svd nonsquare full_matrices=True (thin part)"
    ),
    sample(np.linalg.svd, cwide, call=lambda A: thin(*np.linalg.svd(A))),
    sample(np.linalg.svd, C, case="svd complex"),
    sample(np.linalg.svd, ctall, full_matrices=False),
    sample(np.linalg.svd, cwide, full_matrices=False),
    sample(np.linalg.svd, normal(2, 3, 2), full_matrices=False),
    sample(np.linalg.svd, hpd(3) - 4 * np.eye(3), call=lambda A: np.linalg.svd(A, hermitian=True), hermitian=True),
    sample(np.linalg.svd, tall, compute_uv=False, case="svd compute_uv=False"),
    sample(np.linalg.svdvals, wide, case="svdvals"),
    sample(np.linalg.svdvals, ctall),
    sample(svd_factors, tall, full_matrices=False),
    sample(singular_values, tall, call=np.linalg.svdvals),
    sample(np.linalg.cond, A, case="cond"),
    sample(np.linalg.cond, A, p=-2),
    *(sample(np.linalg.cond, A, p=p, case="cond p=1" if p == 1 else "") for p in (1, -1, np.inf, -np.inf, "fro")),
    sample(np.linalg.cond, cnormal(2, 3, 3), call=lambda a: np.real(np.linalg.cond(a, 1))),  # complex in NumPy 2.0
    # norms
    *(
        sample(
            np.linalg.norm,
            normal(3, 4),
            ord=p,
            case=f"norm matrix ord={p}" if not isinstance(p, str) else f'norm matrix ord="{p}"',
        )
        for p in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    ),
    *(
        sample(np.linalg.norm, normal(5), ord=p, case=f"norm vector ord={p}")
        for p in (None, 1, 2, 3, 0.5, np.inf, -np.inf, 0, -1)
    ),
    *(sample(np.linalg.norm, cnormal(3, 3), ord=p) for p in ("nuc", 1, 2, np.inf)),
    *(
        sample(np.linalg.norm, cnormal(4), ord=p, case="norm complex vector" if p is None else "")
        for p in (None, 1, 3, -1)
    ),
    sample(np.linalg.norm, normal(2, 3, 4)),
    sample(np.linalg.norm, normal(2, 3, 4), axis=1, keepdims=True, case="norm axis/keepdims"),
    sample(np.linalg.norm, normal(2, 3, 4), ord=1, axis=(2, 0), keepdims=True),
    sample(np.linalg.norm, normal(2, 3, 4), ord="nuc", axis=(0, 2)),
    sample(np.linalg.norm, normal(2, 3, 4), ord=3, axis=-1),
    sample(np.linalg.matrix_norm, normal(2, 3, 4), case="matrix_norm"),
    sample(np.linalg.matrix_norm, normal(2, 3, 4), ord=2, keepdims=True),
    sample(np.linalg.vector_norm, normal(2, 3, 4), case="vector_norm"),
    sample(np.linalg.vector_norm, normal(2, 3, 4), ord=1, axis=(0, 2), keepdims=True),
    sample(two_norm, normal(2, 3, 2), axis=(0, 1, 2)),
    sample(power_norm, uniform(0.5, 2, 4), p=1.5),
    # dotbar.linalg
    sample(dl.spectral_function, spd(3), call=lambda A: dl.matrix_function(np.log, A), hermitian=True),
    sample(
        dl.spectral_function, hpd(3), call=lambda A: dl.matrix_function(lambda w: np.exp(0.3j * w), A), hermitian=True
    ),
    sample(dl.spectral_function, spd(3, 2), call=lambda A: dl.projector(A, [0, 2]), hermitian=True),
    sample(dl.spectral_function, hpd(4), call=lambda A: dl.projector(A, lambda w: w > 6), hermitian=True),
    sample(
        dl.frechet,
        hpd(3),
        cnormal(2, 3, 3),
        wrt=(0, 1),
        call=lambda A, E: dl.frechet(A, sym(E), f=dl.Smooth(np.sqrt)),
        hermitian=True,
    ),
    sample(dl.frechet, spd(3), normal(1, 3, 3), wrt=(0, 1), f=dl.Step([1]), hermitian=True),
    sample(dl.sylvester, hpd(3), cnormal(3, 3), hermitian=True),
    *(sample(dl.unitary_factor, A, call=dl.polar) for A in (normal(4, 4), normal(5, 3), normal(3, 5), cnormal(4, 3))),
    sample(dl.unitary_factor, cnormal(2, 3, 3), call=lambda A: dl.polar(A, side="left")),
    # constant
    sample(
        np.linalg.matrix_rank,
        A,
        call=lambda A: np.linalg.matrix_rank(A) * np.sum(A),
        case="matrix_rank (nondiff) mixed",
    ),
]

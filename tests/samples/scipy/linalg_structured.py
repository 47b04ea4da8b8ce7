"""Samples of scipy/linalg/structured.py."""

import numpy as np

import dotbar.scipy.linalg as sl
from dotbar.scipy.linalg.structured import (
    adjoint_bands,
    band_product,
    banded_system,
    bands_of_product,
    diagonal_sums,
    diagonals,
    hermitian_banded_system,
    levinson,
    triangular_banded_system,
)
from samples import cnormal, normal, sample

c, r, z = normal(4), normal(3, seed=1), cnormal(4)
BAND = normal(4, 5) + 4 * np.eye(4, 5, k=1)[:, [1, 1, 1, 1, 1]]
HBAND = normal(2, 5) / 2 + np.array([[0.0], [3]])
HBANDC = cnormal(3, 5) / 3 + np.array([[4.0], [0], [0]])
T = c + [3, 0, 0, 0]
B, BC = normal(5, 2, seed=2), cnormal(5, 2, seed=2)

SAMPLES = [
    sample(sl.toeplitz, c, r, case="toeplitz"),
    sample(sl.toeplitz, z),
    sample(diagonals, c, columns=3),
    sample(diagonals, c, columns=3, anti=True),
    sample(diagonal_sums, normal(2, 3, 4)),
    sample(diagonal_sums, normal(3, 4), anti=True),
    sample(sl.circulant, c, case="circulant"),
    sample(sl.circulant, cnormal(2, 3)),
    sample(sl.hankel, c, r, case="hankel"),
    sample(sl.hankel, z),
    sample(sl.companion, c, case="companion"),
    sample(sl.companion, cnormal(2, 3)),
    sample(sl.leslie, c, r, case="leslie"),
    sample(sl.leslie, cnormal(3), cnormal(2)),
    sample(sl.fiedler, c, case="fiedler"),
    sample(sl.fiedler, z),
    sample(sl.fiedler_companion, normal(6), case="fiedler_companion"),
    sample(sl.fiedler_companion, normal(7)),
    sample(sl.fiedler_companion, cnormal(2)),
    sample(sl.convolution_matrix, c, 3, case="convolution_matrix"),
    sample(sl.convolution_matrix, z, 6, "same"),
    sample(sl.convolution_matrix, c, 3, mode="valid"),
    sample(sl.block_diag, normal(2, 3), normal(3), np.array(0.5), case="block_diag"),
    sample(sl.block_diag, cnormal(2, 2), np.ones((1, 2)), wrt=(0,)),
    sample(sl.khatri_rao, normal(2, 3), normal(4, 3), case="khatri_rao"),
    sample(sl.khatri_rao, cnormal(2, 3), cnormal(2, 3, seed=1)),
    sample(np.kron, normal(2, 3), normal(3, 2), case="kron"),
    sample(sl.issymmetric, np.eye(3), wrt=(0,), case="bandwidth/issymmetric (nondiff)"),
    sample(sl.matmul_toeplitz, c, B[:4], case="matmul_toeplitz"),
    sample(sl.matmul_toeplitz, c, r, z[:3], call=lambda c, r, x: sl.matmul_toeplitz((c, r), x)),
    sample(sl.solve_toeplitz, T, B[:4], case="solve_toeplitz"),
    sample(sl.solve_toeplitz, T + 1j * z, T[::-1] + z, BC[:4, 0], call=lambda c, r, b: sl.solve_toeplitz((c, r), b)),
    sample(levinson, T, T + 1, B[:4]),
    sample(sl.solve_circulant, T, B[:4], case="solve_circulant"),
    sample(sl.solve_circulant, T + z, z, outaxis=-1),
    sample(sl.solve_banded, (1, 1), BAND[:3], B, wrt=(1, 2), case="solve_banded"),
    sample(sl.solve_banded, (2, 1), BAND, B[:, 0], wrt=(1, 2), case="solve_banded (2,1)"),
    sample(sl.solve_banded, (2, 1), BAND + 1j * normal(4, 5, seed=7), BC, wrt=(1, 2)),
    sample(banded_system, BAND, B, l_and_u=(2, 1)),
    sample(sl.solveh_banded, HBAND, B, case="solveh_banded"),
    sample(sl.solveh_banded, HBANDC, BC[:, 0], lower=True),
    sample(hermitian_banded_system, HBAND, B),
    sample(band_product, BAND, B, u=1),
    sample(bands_of_product, BC, BC[::-1], u=1, count=4),
    sample(adjoint_bands, HBANDC, u=1),
    sample(triangular_banded_system, HBANDC, BC, lower=True),
    sample(triangular_banded_system, HBANDC[::-1], BC, lower=False, adjoint=True),
]

"""Samples of scipy/linalg/functions.py."""

from functools import partial

import numpy as np

import dotbar.scipy.linalg as sl
from dotbar.scipy.linalg import functions as own
from dotbar.scipy.linalg.functions import corner, derivative, logarithm
from samples import cnormal, normal, sample

A, C = normal(4, 4), cnormal(3, 3) / 2
P = A @ A / 4 + 4 * np.eye(4)  # its eigenvalues are far from the negative axis
Q = C + 3 * np.eye(3)
NEGATIVE = np.diag([-1.0, 2, 3]) + normal(3, 3) / 10
LOG = {"L": partial(corner, f=logarithm), "triangular": True, "dtype": np.dtype(float)}
WARNS = "SciPy measures the error of the logarithm in double precision, and warns"

LARGE = normal(17, 17) / 4


def with_steps(f):
    return lambda A, *E: f(A, *E, *own.exponential_steps(A))


SAMPLES = [
    sample(own.exponential, LARGE, call=with_steps(own.exponential)),
    sample(own.exponential_dot, LARGE, normal(17, 17, seed=1), call=with_steps(own.exponential_dot)),
    sample(sl.expm, A, case="expm"),
    sample(sl.expm, normal(2, 3, 3), case="expm batched"),
    sample(sl.expm, C, case="expm complex"),
    sample(sl.expm, normal(1, 1)),
    sample(sl.expm, np.triu(A)),
    sample(sl.expm_frechet, A, normal(4, 4, seed=3), case="expm_frechet"),
    sample(sl.expm_frechet, C, cnormal(3, 3, seed=3), compute_expm=False),
    sample(sl.expm_cond, normal(2, 2), case="expm_cond"),
    sample(sl.logm, P, case="logm", no_float32=WARNS),
    sample(sl.logm, np.stack([P, P + np.eye(4)]), no_float32=WARNS),
    sample(sl.logm, Q, case="logm complex", no_float32=WARNS),
    sample(sl.logm, NEGATIVE, no_float32=WARNS),
    sample(sl.logm, np.eye(3), no_float32=WARNS),
    sample(logarithm, Q),
    sample(sl.fractional_matrix_power, P, 0.3, case="fractional_matrix_power"),
    sample(sl.fractional_matrix_power, Q, -1.7),
    sample(sl.fractional_matrix_power, A, -2, wrt=(0,)),
    sample(sl.sqrtm, P, case="sqrtm"),
    sample(sl.sqrtm, np.stack([P, P + np.eye(4)])),
    sample(sl.sqrtm, Q, case="sqrtm complex"),
    sample(sl.sqrtm, NEGATIVE),
    sample(sl.sqrtm, np.eye(3)),
    sample(sl.signm, A, case="signm"),
    sample(sl.signm, C + np.diag([1, 1, -1])),
    sample(sl.cosm, A, case="cosm"),
    sample(sl.cosm, C),
    sample(sl.sinm, A, case="sinm"),
    sample(sl.sinm, C),
    sample(sl.tanm, A / 4, case="tanm"),
    sample(sl.tanm, C),
    sample(sl.coshm, A, case="coshm"),
    sample(sl.coshm, C),
    sample(sl.sinhm, A, case="sinhm"),
    sample(sl.sinhm, C),
    sample(sl.tanhm, A / 4, case="tanhm"),
    sample(sl.tanhm, C),
    sample(sl.funm, A, np.exp, case="funm"),
    sample(sl.funm, C, lambda z: np.sin(z) / (4 + z)),
    sample(
        derivative,
        P,
        normal(2, 4, 4, seed=5),
        L=partial(corner, f=logarithm),
        triangular=True,
        dtype=np.dtype(float),
        no_float32=WARNS,
    ),
]

"""Samples of scipy/linalg/equations.py."""

import numpy as np
import scipy.linalg

import dotbar.scipy.linalg as sl
from dotbar.rules.words import H, sym
from dotbar.scipy.linalg.equations import (
    continuous_riccati,
    discrete_riccati,
    hermitian,
    least_squares,
    ranked_inverse,
    schur_form,
    sylvester,
    system,
)
from samples import cnormal, hpd, normal, sample, spd

A, B, C = normal(3, 3), normal(2, 2, seed=1), normal(3, 2, seed=2)
AC, BC, CC = cnormal(3, 3), cnormal(2, 2, seed=1), cnormal(3, 2, seed=2)
b = normal(3, seed=3)
LOWER = np.tril(A) + 3 * np.eye(3)
LOW = normal(4, 2) @ normal(2, 3, seed=1)  # of rank 2


def of_hermitian(fn, **settings):
    """A function of a Hermitian matrix, of which differences take symmetric steps."""
    return lambda A, *args: fn(sym(A), *args, **settings)


def low_rank(fn, **settings):
    """A pseudo-inverse of a product, whose rank is the same nearby."""
    return lambda F, G: fn(F @ G, **settings)


def riccati(fn):
    """With Q and R made Hermitian; E and S may be left out."""
    return lambda a, b, q, r, *others: fn(a, b, sym(q), sym(r), *others)


E = np.eye(3) + normal(3, 3, seed=8) / 5
S = normal(3, 2, seed=9) / 5

SAMPLES = [
    sample(sl.solve, A, C, case="solve"),
    sample(sl.solve, A, b, transposed=True, case="solve transposed"),
    sample(sl.solve, spd(3), C, call=of_hermitian(sl.solve, assume_a="pos"), case="solve assume_a=pos"),
    sample(sl.solve, hpd(3), CC, call=of_hermitian(sl.solve, assume_a="her", lower=True)),
    sample(sl.solve, A + A.T, b, call=lambda A, b: sl.solve((A + A.T) / 2, b, assume_a="sym")),
    sample(sl.solve, LOWER, C, call=lambda A, b: sl.solve(np.tril(A), b, assume_a="lower triangular")),
    sample(sl.solve, AC, cnormal(2, 3, 2)),
    sample(system, A, C),
    sample(sl.solve_triangular, A + 3 * np.eye(3), C, lower=True, case="solve_triangular lower"),
    sample(sl.solve_triangular, AC + 3 * np.eye(3), CC, trans=1, case="solve_triangular trans"),
    sample(sl.solve_triangular, AC + 3 * np.eye(3), CC[:, 0], trans="C", lower=True),
    sample(sl.solve_triangular, A, b, unit_diagonal=True, case="solve_triangular unit_diagonal"),
    sample(sl.inv, A, case="inv"),
    sample(sl.inv, cnormal(2, 3, 3)),
    sample(sl.det, A, case="det"),
    sample(sl.det, cnormal(2, 3, 3)),
    sample(sl.norm, A, case="norm"),
    sample(sl.norm, AC, "nuc"),
    sample(sl.pinv, normal(4, 3), case="pinv"),
    sample(sl.pinv, cnormal(4, 2), cnormal(2, 3, seed=1), call=low_rank(sl.pinv, rtol=1e-6)),
    sample(
        ranked_inverse,
        normal(4, 3),
        call=lambda a: ranked_inverse(a, invert=scipy.linalg.pinv, hermitian=False),
    ),
    sample(sl.pinv, normal(2, 3, 4), return_rank=True),
    sample(sl.pinvh, spd(3), call=of_hermitian(sl.pinvh), case="pinvh"),
    sample(sl.pinvh, cnormal(3, 2), call=lambda F: sl.pinvh(F @ H(F), rtol=1e-6)),
    sample(hermitian, AC + H(AC), hermitian=True),
    sample(sl.lstsq, normal(4, 3), normal(4, 2, seed=1), case="lstsq"),
    sample(sl.lstsq, cnormal(4, 3), cnormal(4, seed=1)),
    sample(sl.lstsq, normal(2, 1, 4, 3), normal(3, 4, 2, seed=1)),
    sample(sl.lstsq, normal(2, 3, 4), normal(3, seed=1), lapack_driver="gelss"),
    sample(least_squares, normal(3, 3), normal(3), cond=None, lapack_driver=None),
    sample(sl.orthogonal_procrustes, normal(4, 3), normal(4, 3, seed=1), case="orthogonal_procrustes"),
    sample(sl.orthogonal_procrustes, cnormal(4, 2), cnormal(4, 2, seed=1)),
    sample(sl.solve_sylvester, A, B, C, case="solve_sylvester"),
    sample(sl.solve_sylvester, AC, BC, CC),
    sample(sylvester, A, B, C, *schur_form(A), *schur_form(B), wrt=(2,), adjoint_a=True),
    sample(sl.solve_continuous_lyapunov, A, normal(3, 3, seed=4), case="solve_continuous_lyapunov; solve_lyapunov"),
    sample(sl.solve_continuous_lyapunov, AC, cnormal(3, 3, seed=4)),
    sample(sl.solve_discrete_lyapunov, A, normal(3, 3, seed=4), case="solve_discrete_lyapunov"),
    sample(sl.solve_discrete_lyapunov, AC, cnormal(3, 3, seed=4), method="bilinear"),
    sample(
        sl.solve_continuous_are,
        A,
        C,
        spd(3),
        spd(2),
        call=riccati(sl.solve_continuous_are),
        case="solve_continuous_are",
    ),
    sample(sl.solve_continuous_are, AC, CC, hpd(3), hpd(2), E, S, call=riccati(sl.solve_continuous_are)),
    sample(sl.solve_discrete_are, A, C, spd(3), spd(2), call=riccati(sl.solve_discrete_are), case="solve_discrete_are"),
    sample(sl.solve_discrete_are, AC, CC, hpd(3), hpd(2), E, S, call=riccati(sl.solve_discrete_are)),
    sample(continuous_riccati, A, C, spd(3), spd(2), call=riccati(continuous_riccati)),
    sample(discrete_riccati, A, C, spd(3), spd(2), call=riccati(discrete_riccati)),
    sample(sl.solve_continuous_are, 0.3, 1.2, 2.0, 0.7),
]

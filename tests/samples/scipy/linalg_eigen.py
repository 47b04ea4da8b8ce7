"""Samples of scipy/linalg/eigen.py."""

import numpy as np

import dotbar.scipy.linalg as sl
from dotbar.rules.words import stop_gradient, sym
from dotbar.scipy.linalg import eigen as own
from samples import cnormal, hpd, normal, sample, spd

A, C, S, F = normal(4, 4), cnormal(3, 3), sym(normal(4, 4)), sym(cnormal(3, 3))
turning = np.array([[1, 3.0, 0.3, 0.1], [-1, 1.4, 0.2, 0.5], [0.1, 0.2, 4, 2], [0.2, 0.1, -1, 3]])  # two complex pairs
d, e = normal(4), normal(3)
signs = "the iterations leave other signs in single precision"


def moduli(X):
    """The squares of the moduli of the entries."""
    return np.real(X * np.conj(X))


def phaseless(f, *which, **fixed):
    """The results with the moduli of the entries of matrices in place of these."""

    def call(*args, **kw):
        y = f(*args, **kw, **fixed)
        return tuple(moduli(v) if k in which else v for k, v in enumerate(y))

    return call


def pencil(a, b):
    w, V = own.as_eigenpencil(a, b, *sl.eig(stop_gradient(a), stop_gradient(b)))
    return w, np.abs(V)


def as_hermitian(a):
    return own.as_hermitian(a, *np.linalg.eigh(stop_gradient(a)))


CBAND = cnormal(2, 4) * [[1], [1j]]


def pairs(ab):
    return sl.eig_banded(stop_gradient(ab), lower=True)


def over_values(ab, B):
    return own.over_values(ab, *pairs(ab), B)


SAMPLES = [
    # general
    sample(own.as_eigensystem, C, call=lambda a: own.as_eigensystem(a, *np.linalg.eig(stop_gradient(a)))),
    sample(sl.eig, A, no_float32=signs, case="eig"),
    sample(sl.eig, C, left=True, right=False),
    sample(sl.eig, turning, left=True, no_float32=signs),
    sample(sl.eig, C, homogeneous_eigvals=True),
    sample(own.as_eigenpencil, C, hpd(3), call=pencil),
    sample(sl.eig, A, spd(4), call=phaseless(sl.eig, 1), case="eig generalized"),
    sample(sl.eig, turning, spd(4), left=True, call=phaseless(sl.eig, 1, 2)),
    sample(sl.eigvals, A, case="eigvals"),
    sample(sl.eigvals, C, cnormal(3, 3, seed=3)),
    # Hermitian
    sample(own.as_hermitian, F, call=as_hermitian, hermitian=True),
    sample(sl.eigh, F, driver="ev", hermitian=True),
    sample(sl.eigh, S, hermitian=True, no_float32=signs, case="eigh"),
    sample(sl.eigh, F, lower=False, driver="evr", hermitian=True),
    sample(sl.eigh, S, subset_by_index=[1, 2], hermitian=True, no_float32=signs),
    sample(sl.eigh, F, subset_by_value=[-10.0, 0.5], hermitian=True),
    sample(sl.eigh, S, spd(4), hermitian=True, case="eigh generalized(a,b)"),
    sample(sl.eigh, F, hpd(3), type=2, lower=False, hermitian=True),
    sample(sl.eigh, S, spd(4), type=3, subset_by_index=[0, 1], hermitian=True),
    sample(sl.eigh, F, hpd(3), lower=False, hermitian=True),
    sample(sl.eigvalsh, S, hermitian=True, case="eigvalsh"),
    sample(sl.eigvalsh, F, hpd(3), subset_by_index=[1, 2], hermitian=True),
    sample(own.as_banded, CBAND, call=lambda ab: own.as_banded(ab, *pairs(ab))),
    sample(own.over_values, CBAND, cnormal(4, 4, seed=3), call=over_values),
    sample(own.over_values, normal(3, 5), normal(5, 5, seed=3), call=over_values),
    sample(sl.eigh_tridiagonal, d, e, eigvals_only=True, case="eigh_tridiagonal eigvals"),
    sample(sl.eigh_tridiagonal, d, e, case="eigh_tridiagonal vectors"),
    sample(sl.eigh_tridiagonal, d, e, select="i", select_range=(1, 2)),
    sample(sl.eigvalsh_tridiagonal, d, e, select="v", select_range=(-0.5, 5.0)),
    sample(sl.eig_banded, normal(2, 4), case="eig_banded"),
    sample(sl.eig_banded, cnormal(3, 4), lower=True, call=lambda ab, **kw: sl.eig_banded(ab * [[1], [1j], [1j]], **kw)),
    sample(sl.eig_banded, normal(3, 4), select="i", select_range=(0, 1)),
    sample(sl.eigvals_banded, normal(2, 4), lower=True, case="eigvals_banded"),
    sample(sl.eigvals_banded, CBAND, lower=True, select="v", select_range=(-1.0, 5.0)),
    # changes of form
    sample(sl.cdf2rdf, *np.linalg.eig(turning), case="cdf2rdf"),
    sample(sl.matrix_balance, A * 10.0 ** np.arange(4), case="matrix_balance"),
    sample(sl.matrix_balance, C, separate=True),
    sample(sl.matrix_balance, normal(2, 3, 3), separate=True),
]

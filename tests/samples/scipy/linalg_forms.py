"""Samples of scipy/linalg/forms.py."""

import numpy as np

import dotbar.scipy.linalg as sl
from dotbar.rules.words import sym
from dotbar.scipy.linalg import forms as own
from samples import cnormal, hpd, normal, sample, spd
from samples.scipy.linalg_eigen import moduli, phaseless, signs, turning

A, C, S, F = normal(4, 4), cnormal(3, 3), sym(normal(4, 4)), sym(cnormal(3, 3))


def similar(f, **kw):
    """Of T and Z the products that do not depend on phases."""

    def call(a, **more):
        T, Z = f(a, **kw, **more)[:2]
        return moduli(T), moduli(Z), np.diagonal(T)

    return call


def schur_to_complex(a):
    T, Z = sl.rsf2csf(*sl.schur(a))
    return T, Z


def of_triangle(T, M, **kw):
    return own.rotation(np.triu(T), M, **kw)


def of_triangles(S, T, M, N, **kw):
    return own.rotations(np.triu(S), np.triu(T), M, N, **kw)


SAMPLES = [
    sample(own.rotation, np.triu(A), S, form="schur", call=of_triangle),
    sample(
        own.rotation,
        np.triu(C),
        C,
        form="schur",
        adjoint=True,
        call=of_triangle,
    ),
    sample(own.schur_factors, turning, output="real", sort=None, no_float32=signs),
    sample(sl.schur, turning, case="schur", no_float32=signs),
    sample(sl.schur, S, hermitian=True, case="schur real symmetric"),
    sample(sl.schur, C, call=similar(sl.schur)),
    sample(sl.schur, A, output="complex", call=similar(sl.schur, sort="lhp")),
    sample(own.hessenberg_factors, A),
    sample(sl.hessenberg, A, case="hessenberg"),
    sample(sl.hessenberg, cnormal(4, 4), calc_q=True),
    sample(sl.rsf2csf, turning, call=schur_to_complex, case="rsf2csf", no_float32=signs),
    sample(own.rotations, np.triu(A), np.triu(spd(4)), A, S, call=of_triangles),
    sample(own.rotations, np.triu(C), np.triu(hpd(3)), C, F, adjoint=True, call=of_triangles),
    sample(own.qz_factors, A, spd(4), output="real", sort=None, no_float32=signs),
    sample(sl.qz, A, spd(4), case="qz", no_float32=signs),
    sample(sl.qz, C, cnormal(3, 3, seed=2), call=phaseless(sl.qz, 0, 1, 2, 3)),
    sample(sl.qz, turning, normal(4, 4), no_float32=signs),
    sample(sl.ordqz, C, cnormal(3, 3, seed=2), sort="rhp", call=phaseless(sl.ordqz, 0, 1, 4, 5), case="ordqz"),
]

"""Samples of scipy/special/noncentral.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special import noncentral
from samples import sample

k, m, nc, x, t = 3.3, 4.6, 0.7, 2.2, 1.4
half, p, d = 1.4, np.array([0.3, 0.6]), np.array([0.7])
chi, f, student = sc.chndtr(x, k, nc), sc.ncfdtr(k, m, nc, x), sc.nctdtr(k, nc, t)
ONCE = {"no_second": "the words of higher order are checked at the distribution function; each takes a second here"}
SOLVED = {**ONCE, "rtol": 1e-4, "no_float32": "SciPy solves the equation in single precision only to a few digits"}

SAMPLES = [
    sample(noncentral.chi_square_density, x, k, d, n=0, **ONCE),
    sample(noncentral.chi_square_at, x, k, d, n=1, **ONCE),
    sample(sc.chndtr, x, k, d, case="chndtr"),
    sample(sc.chndtrix, chi, k, nc, **SOLVED),
    sample(sc.chndtridf, x, chi, nc, **SOLVED),
    sample(sc.chndtrinc, x, k, chi, **SOLVED),
    *(sample(noncentral.beta_mean, half, 2.0, d, p, m=0, n=0, kind=kind, **ONCE) for kind in ("density", "difference")),
    sample(noncentral.noncentral_beta, half, 2.0, d, p, **ONCE),
    sample(sc.ncfdtr, k, m, nc, x),
    sample(sc.ncfdtridfn, f, m, nc, x, **SOLVED),
    sample(sc.ncfdtridfd, k, f, nc, x, **SOLVED),
    sample(sc.ncfdtrinc, k, m, f, x, **SOLVED),
    sample(sc.ncfdtri, k, m, nc, f, **SOLVED),
    sample(noncentral.scale_mean, half, 0.5, d, n=0, i=1, j=0, **ONCE),
    sample(noncentral.normal_over_scale, half, 0.5, d, **ONCE),
    sample(sc.nctdtr, k, nc, t),
    sample(sc.nctdtridf, student, nc, t, **SOLVED),
    sample(sc.nctdtrinc, k, student, t, **SOLVED),
    sample(sc.nctdtrit, k, nc, student, **SOLVED),
]

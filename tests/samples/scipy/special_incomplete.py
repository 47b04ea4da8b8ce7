"""Samples of scipy/special/incomplete.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special import incomplete
from samples import sample, uniform

a, x = uniform(0.5, 5.0, 3, 1, seed=1), uniform(0.5, 5.0, 2, seed=2)
b, p = uniform(0.5, 5.0, 3, seed=3), uniform(0.1, 0.9, 3, seed=4)

SAMPLES = [
    sample(incomplete.gamma_density, a, x),
    sample(incomplete.gammainc_at, a, x, n=1),
    sample(incomplete.gammainc_at, np.array([1e-3, 0.4]), np.array([0.3, 2.0]), n=1, rtol=1e-5),
    sample(incomplete.beta_density, b, b[::-1] + 1, p),
    sample(incomplete.betainc_at, b, b[::-1] + 1, p, m=1, n=0),
    sample(sc.gammainc, a, x, case="gammainc wrt x; gammainc wrt a"),
    sample(sc.gammaincc, a, x, case="gammaincc wrt x; gammaincc wrt a"),
    sample(sc.gammaincinv, b, p, case="gammaincinv wrt y; gammaincinv wrt a"),
    sample(sc.gammainccinv, b, p, case="gammainccinv wrt y"),
    sample(sc.betainc, b, b[::-1], p, case="betainc wrt x; betainc wrt a,b"),
    sample(sc.betaincc, b, b[::-1], p, case="betaincc wrt x"),
    sample(sc.betaincinv, b, b[::-1] + 1, p, case="betaincinv wrt y"),
    sample(sc.betainccinv, b, b[::-1] + 1, p),
]

"""Samples of scipy/special/exponential.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special.exponential import above_branch_point, branch_of_lambertw, exponential_moment
from samples import cnormal, sample, uniform

X = uniform(0.3, 3, 4)
Z = cnormal(3)

SAMPLES = [
    sample(sc.expi, np.append(X, -0.7), case="expi"),
    sample(sc.expi, Z),
    sample(sc.exp1, X, case="exp1"),
    sample(sc.exp1, Z),
    sample(sc.expn, np.array([0, 1, 2, 5]), X, case="expn"),
    sample(sc.sici, np.append(X, -0.7), case="sici"),
    sample(sc.sici, Z),
    sample(sc.shichi, np.append(X, -0.7), case="shichi"),
    sample(sc.shichi, Z),
    sample(sc.spence, np.append(X, 1.0), case="spence"),
    sample(sc.spence, Z),
    sample(sc.exprel, np.array([-30.0, -1.0, 0.0, 2.5]), case="exprel"),
    sample(exponential_moment, np.array([-30.0, 0.0, 2.5, 4.0]), n=2),
    sample(sc.lambertw, X, case="lambertw"),
    sample(sc.lambertw, Z, k=-1),
    sample(sc.lambertw, 0.3 + 0.2j, np.array([-2, -1, 0, 1])),
    sample(branch_of_lambertw, X, 0, tol=1e-8),
    sample(above_branch_point, X - 0.6, 0, tol=1e-8),
    sample(sc.wrightomega, np.append(X, -2.0), case="wrightomega"),
    sample(sc.wrightomega, Z),
    sample(sc.agm, X, X[::-1] + 0.2, case="bernoulli/agm"),
    sample(sc.agm, np.array([2.0, -2.0]), np.array([2.0, -0.7])),
]

"""Samples of scipy/special/spherical.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special import spherical
from samples import sample, uniform

x = uniform(-0.9, 0.9, 3)
theta = uniform(0.2, 2.9, 3)
phi = uniform(-3, 3, 3)
m = np.array([-1, 0, 3])

SAMPLES = [
    sample(sc.lpmv, 2, 3.0, x, wrt=(2,), case="lpmv"),
    sample(sc.lpmv, np.array([-1, 0, 1]), 2.3, x),
    sample(sc.legendre_p, 3, x),
    sample(sc.legendre_p_all, 3, x, diff_n=1),
    sample(sc.assoc_legendre_p, 3, m, x, case="assoc_legendre_p"),
    sample(sc.assoc_legendre_p, 3, m, x, norm=True, diff_n=1),
    sample(sc.assoc_legendre_p, 3, m, x + 0.3j, branch_cut=3),
    sample(sc.assoc_legendre_p_all, 2, 1, x[:2]),
    sample(sc.sph_legendre_p, 3, m, theta, case="sph_legendre_p"),
    sample(sc.sph_legendre_p_all, 2, 1, theta[:2], diff_n=1),
    sample(sc.sph_harm_y, 3, m, theta, phi, case="sph_harm_y wrt angles"),
    sample(sc.sph_harm_y, 2, 1, theta, 0.3, diff_n=2),
    sample(sc.sph_harm_y_all, 2, 1, theta[:2], phi[:2]),
    sample(spherical.zonal, 3, m, theta),
    sample(spherical.harmonic, 3, m, theta, phi),
    sample(spherical.mirror, 2.3, np.array([0, 1, 2]), order=(0, 0)),
    sample(sc.assoc_laguerre, x, 3, 1),
    sample(sc.assoc_laguerre, x, 2.3, 0.4),
]

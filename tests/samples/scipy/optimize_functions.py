"""Samples of scipy/optimize/functions.py."""

import numpy as np

import dotbar.scipy.optimize as so
from dotbar.scipy.optimize.functions import blocks
from samples import normal, sample, uniform

x, p = normal(4), normal(4)
y = np.array([1.0, 3.0, 2.0, 4.0, 3.5, 7.0, 6.0])

SAMPLES = [
    sample(so.rosen, x),
    sample(so.rosen, normal(3, 2)),
    sample(so.rosen_der, x),
    sample(so.rosen_hess, x),
    sample(so.rosen_hess_prod, x, p),
    sample(blocks, y, uniform(1, 2, 7), call=lambda y, w: so.isotonic_regression(y, weights=w).x),
    sample(blocks, y, call=lambda y: so.isotonic_regression(y, increasing=False).x ** 2),
]

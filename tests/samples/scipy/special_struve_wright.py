"""Samples of scipy/special/struve_wright.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special import struve_wright
from samples import sample, uniform

X = np.array([0.7, 12.0])
V = np.array([1.3, -0.6])
WITHIN = "the samples of the functions themselves go through it"

SAMPLES = [
    sample(sc.struve, V, X, case="struve"),
    sample(sc.modstruve, V, X, case="modstruve"),
    sample(struve_wright.by_order, V, X, sign=-1, n=1, no_second=WITHIN),
    sample(struve_wright.beginning, V, np.array([0.7, 0.2]), sign=-1, n=0, m=0),
    sample(sc.besselpoly, uniform(0.3, 3, 2), uniform(0, 2, 2, seed=1), V[:1]),
    sample(struve_wright.moment, 1.3, 0.2, 0.7, order=(0, 0, 0), no_second=WITHIN),
    sample(sc.wright_bessel, uniform(0.2, 1, 2), uniform(0.2, 2, 2, seed=1), X),
    sample(sc.log_wright_bessel, uniform(0.2, 1, 2), uniform(0.2, 2, 2, seed=1), X, case="log_wright_bessel"),
    sample(struve_wright.wright, 0.3, 0.8, 0.1, 2.0, order=(0, 0, 0, 0)),
]

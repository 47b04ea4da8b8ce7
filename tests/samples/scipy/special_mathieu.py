"""Samples of scipy/special/mathieu.py."""

import numpy as np

import dotbar.scipy.special as sc
from samples import sample, uniform

M = np.array([1, 2])
Q = uniform(0.5, 6, 2)
DEGREES = uniform(10, 80, 2)

SAMPLES = [
    sample(sc.mathieu_a, M, Q),
    sample(sc.mathieu_b, M, Q),
    sample(sc.mathieu_cem, M, Q, DEGREES, case="mathieu_cem"),
    sample(sc.mathieu_sem, M, Q, DEGREES),
    *(sample(f, 1, 1.3, 0.4) for f in (sc.mathieu_modcem1, sc.mathieu_modcem2, sc.mathieu_modsem1, sc.mathieu_modsem2)),
]

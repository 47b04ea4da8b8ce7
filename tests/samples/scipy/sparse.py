"""Samples of scipy/sparse."""

import numpy as np

from dotbar.scipy.sparse.words import multiply, solve
from samples import cnormal, normal, sample

ROW = np.array([0, 0, 1, 1, 1, 2, 2, 3, 3, 0])
COL = np.array([0, 1, 0, 1, 2, 1, 2, 3, 0, 3])
DATA = normal(10) + 4.0 * (ROW == COL)
CDATA = cnormal(10) + 4.0 * (ROW == COL)

SAMPLES = [
    sample(multiply, DATA, normal(4, 3), ROW, COL, rows=5),
    sample(multiply, CDATA, cnormal(4, 3), ROW, COL, rows=5),
    sample(solve, DATA, normal(4, 3), ROW, COL),
    sample(solve, CDATA, cnormal(4, 2), ROW, COL, adjoint=True),
]

"""Samples of scipy/spatial/alignment.py."""

import numpy as np

import dotbar.scipy.spatial as sp
from samples import normal, sample

A, B = normal(5, 3), normal(5, 3, seed=1)
start, end = np.array([0.6, 0.8, 0.0]), np.array([0.0, 0.6, -0.8])
unit = lambda x: x / np.linalg.norm(x)
slerp = lambda start, end, t: sp.geometric_slerp(unit(start), unit(end), t)
UNIT = "rounded to float32, a vector is not of length 1 to SciPy's tolerance"

SAMPLES = [
    sample(sp.procrustes, A, B, case="procrustes disparity"),
    sample(sp.distance_matrix, A, B[:2]),
    sample(sp.distance_matrix, A, B[:2], 3.0, wrt=(0, 1, 2)),
    sample(sp.minkowski_distance, A, B, p=1.5),
    sample(sp.minkowski_distance_p, A, B, 3.0),
    sample(sp.minkowski_distance_p, A, B, np.inf, wrt=(0, 1)),
    *(sample(sp.geometric_slerp, start, end, t, call=slerp, no_float32=UNIT) for t in (0.3, np.array([0.2, 0.3]))),
]

"""Samples of scipy/linalg/functions.py."""

import dotbar.scipy.linalg as sl
from samples import normal, sample

A = normal(4, 4)

SAMPLES = [
    sample(sl.expm, A, case="expm"),
]

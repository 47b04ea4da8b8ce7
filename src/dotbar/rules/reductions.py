"""Reductions along axes, and scans."""

import numpy as np

from dotbar.rules.kinds import linear
from dotbar.rules.words import spread

linear(
    np.sum,
    lambda ybar, a, *, axis=None, dtype=None, keepdims=False: spread(ybar, a.shape, axis, keepdims),
    batch="axis",
    moves=True,
)

"""Samples of rules/ufuncs.py."""

import numpy as np
from samples import normal, sample, uniform

x, p = normal(3, 4), uniform(0.5, 2.0, 3, 4)

SAMPLES = [
    sample(np.exp, x, case="exp"),
    sample(np.multiply, normal(3, 1), normal(4), case="multiply"),
]

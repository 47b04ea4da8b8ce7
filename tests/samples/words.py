"""Samples of rules/words.py."""

import numpy as np

from dotbar.core import take_index
from dotbar.rules.words import gather, grid, ratio, read, scatter, stop_gradient, ungather
from samples import normal, sample, uniform

x, t = normal(3, 4), normal(2, 3, 4)
rows = np.array([2, 0, 2])


def path(*index):
    return ((np.transpose, {}), (take_index, {"index": index}))


SAMPLES = [
    sample(stop_gradient, x, call=lambda x: x * stop_gradient(np.ones_like(x))),
    sample(ratio, x, uniform(0.5, 2.0, 4)),
    sample(read, x, path=path(slice(None, None, 2), 1)),
    sample(scatter, normal(3, 3), path=path(rows), shape=(3, 4)),
    sample(grid, normal(12), start=7, shape=(2, 3), strides=(4, -2)),
    sample(gather, t, rows, template=(1, None), traced=(False, True)),
    sample(gather, t, rows, template=(slice(1, 2), None, ..., rows), traced=(False, True, False, False)),
    sample(ungather, normal(3, 4), rows, template=(1, None), traced=(False, True), shape=(2, 3, 4)),
]

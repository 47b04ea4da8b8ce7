"""Samples of scipy/spatial/differences.py."""

from dotbar.scipy.spatial.differences import moments, products
from samples import normal, sample

A, B, C, D = normal(3, 2), normal(4, 2), normal(3, 2, seed=1), normal(4, 2, seed=1)

SAMPLES = [
    sample(products, A, B, C, D),
    sample(moments, normal(3, 4), A, B),
]

"""Samples of rules/products.py."""

import numpy as np
from samples import cnormal, normal, sample

from dotbar.rules.products import matvec

SAMPLES = [
    sample(np.matmul, normal(3, 4), normal(4, 2), case="matmul"),
    sample(np.matmul, normal(4), normal(4)),
    sample(np.matmul, normal(3, 4), normal(4)),
    sample(np.matmul, normal(3), normal(3, 4)),
    sample(np.matmul, normal(4), normal(2, 4, 3)),
    sample(np.matmul, normal(2, 3, 4), normal(4)),
    sample(np.matmul, normal(2, 3, 4), normal(4, 2)),
    sample(np.matmul, normal(3, 4), normal(2, 4, 2)),
    sample(np.matmul, normal(5, 1, 3, 4), normal(2, 4, 2)),
    sample(np.matmul, cnormal(3, 4), normal(4, 2)),
    sample(np.matmul, cnormal(4), cnormal(4)),
    sample(np.matmul, cnormal(4), cnormal(4, 3)),
    sample(np.linalg.matmul, normal(2, 4), normal(4, 3)),
    sample(matvec, normal(3, 4), normal(4), case="matvec"),
    sample(matvec, normal(3, 4), normal(2, 4)),
    sample(matvec, cnormal(5, 1, 3, 4), cnormal(2, 4)),
    sample(np.vecdot, normal(2, 3), normal(3), case="vecdot"),
    sample(np.vecdot, cnormal(3), cnormal(2, 3)),
    sample(np.linalg.vecdot, cnormal(3, 2), cnormal(3, 2), axis=0),
]

if hasattr(np, "vecmat"):
    SAMPLES += [
        sample(np.vecmat, normal(3), normal(3, 4), case="vecmat"),
        sample(np.vecmat, cnormal(2, 3), cnormal(3, 4)),
    ]

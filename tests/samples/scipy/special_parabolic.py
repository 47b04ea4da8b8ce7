"""Samples of scipy/special/parabolic.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special import parabolic
from samples import sample

V = np.array([1.3, -2.2])
X = np.array([0.7, -1.0])

LOOPS = "SciPy gives nan in single precision"
NUMBERS = "SciPy takes numbers"

SAMPLES = [
    sample(sc.pbdv, V, X, case="pbdv", no_float32=LOOPS),
    sample(sc.pbvv, V, X, no_float32=LOOPS),
    sample(sc.pbwa, V, X),
    sample(
        parabolic.by_parameter,
        V,
        X,
        f=parabolic.whittaker,
        n=1,
        slope=0,
        no_second="the samples of the functions themselves go through it",
    ),
    sample(sc.pbdv_seq, 2.3, 0.7, no_vmap=NUMBERS),
    sample(sc.pbvv_seq, 0.3, 0.7, no_vmap=NUMBERS),
    sample(sc.pbdn_seq, 2, 0.7, no_vmap=NUMBERS),
]

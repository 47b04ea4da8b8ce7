"""Samples of scipy/special/lame.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special.lame import lame, second_kind
from samples import sample

n, p = np.array([2, 3, 3, 4]), np.array([1, 3, 5, 9])
s = np.array([0.7, 2.5, 3.4, 4.0])

SAMPLES = [
    sample(sc.ellip_harm, 5.0, 8.0, n, p, s, wrt=(4,)),
    sample(sc.ellip_harm, 5.0, 8.0, 3, 2, 2.4, signm=-1, wrt=(4,)),
    sample(second_kind, 5.0, 8.0, n, p, s + 2.5, wrt=(4,)),
    sample(lame, 5.0, 8.0, n, p, s, order=1, wrt=(4,)),
]

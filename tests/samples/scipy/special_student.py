"""Samples of scipy/special/student.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special import student
from samples import sample, uniform

v, t, p = uniform(0.5, 5.0, 3), np.array([-1.2, 0.4, 2.5]), uniform(0.1, 0.9, 3)

SAMPLES = [
    sample(student.log1p_rest, p),
    sample(student.student_density, v, t),
    sample(student.student_at, v, t, n=1),
    sample(sc.stdtr, v, t, case="stdtr"),
    sample(sc.stdtr, np.array([30.0, 1e4]), np.array([0.0, -2.0]), wrt=(1,)),
    sample(sc.stdtrit, v, p, case="stdtrit"),
    sample(sc.stdtridf, p / 10, np.array([-2.2, -2.4, -2.5]), rtol=1e-5),
]

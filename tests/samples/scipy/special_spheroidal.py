"""Samples of scipy/special/spheroidal.py."""

import numpy as np

import dotbar.scipy.special as sc
from samples import sample

INSIDE, OUTSIDE = np.array([0.4, -0.2]), np.array([2.1, 3.0])
ENDLESS = "SciPy's loops for single precision do not end"

SAMPLES = [
    sample(f, 1, 2, 1.3, x, wrt=(3,), no_float32=ENDLESS)
    for f, x in (
        (sc.pro_ang1, INSIDE),
        (sc.pro_rad1, OUTSIDE),
        (sc.pro_rad2, OUTSIDE),
        (sc.obl_ang1, INSIDE),
        (sc.obl_rad1, OUTSIDE),
        (sc.obl_rad2, OUTSIDE),
    )
] + [
    sample(f, 1, 2, 1.3, cv(1, 2, 1.3), x, wrt=(4,), no_float32=ENDLESS)
    for f, cv, x in (
        (sc.pro_ang1_cv, sc.pro_cv, INSIDE),
        (sc.pro_rad1_cv, sc.pro_cv, OUTSIDE),
        (sc.pro_rad2_cv, sc.pro_cv, OUTSIDE),
        (sc.obl_ang1_cv, sc.obl_cv, INSIDE),
        (sc.obl_rad1_cv, sc.obl_cv, OUTSIDE),
        (sc.obl_rad2_cv, sc.obl_cv, OUTSIDE),
    )
]

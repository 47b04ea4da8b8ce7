"""Samples of scipy/special/spheroidal.py."""

import numpy as np

import dotbar.scipy.special as sc
from samples import sample

INSIDE, OUTSIDE = np.array([0.4, -0.2]), np.array([2.1, 3.0])
ENDLESS = "SciPy's loops for single precision do not end"

SAMPLES = [
    *(sample(f, 1, 2, 1.3, INSIDE, wrt=(2, 3), no_float32=ENDLESS) for f in (sc.pro_ang1, sc.obl_ang1)),
    *(
        sample(f, 1, 2, 1.3, OUTSIDE, wrt=(3,), no_float32=ENDLESS)
        for f in (sc.pro_rad1, sc.pro_rad2, sc.obl_rad1, sc.obl_rad2)
    ),
    *(sample(f, 0, np.array([2, 3]), 1.3, no_float32=ENDLESS) for f in (sc.pro_cv, sc.obl_cv)),
    *(sample(f, 1, 3, 1.3, no_float32=ENDLESS) for f in (sc.pro_cv_seq, sc.obl_cv_seq)),
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

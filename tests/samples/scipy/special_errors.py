"""Samples of scipy/special/errors.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special import errors
from samples import cnormal, normal, sample, uniform

x, unit, z = normal(4), uniform(0.1, 0.9, 4), cnormal(4)
far = np.array([-8.0, -2.0, 0.0, 7.0])
s, g = uniform(0.3, 2.0, 4, seed=1), uniform(0.1, 2.0, 4, seed=2)

SAMPLES = [
    *(sample(f, x, case=f.__name__) for f in (sc.erf, sc.erfc, sc.erfcx, sc.erfi, sc.ndtr, sc.dawsn)),
    *(sample(f, z / 2, case="erf complex") for f in (sc.erf, sc.erfc, sc.erfcx, sc.erfi, sc.dawsn, sc.ndtr)),
    sample(sc.log_ndtr, x, case="log_ndtr"),
    sample(sc.log_ndtr, np.array([-300.0, -40.0, 6.0]), case="log_ndtr far tail"),
    sample(sc.log_ndtr, z),
    *(sample(f, unit, case=f.__name__) for f in (sc.erfinv, sc.erfcinv, sc.ndtri)),
    sample(sc.ndtri_exp, np.array([-0.2, -3.0, -100.0, -1e5]), case="ndtri_exp"),
    sample(sc.wofz, far, case="wofz real"),
    sample(sc.wofz, np.append(z, [7 - 1j, 8 + 2j, -3j]), case="wofz complex", rtol=1e-5),
    sample(sc.dawsn, far),
    sample(errors.faddeeva, z, n=2),
    sample(errors.gaussian, z, n=1),
    sample(errors.smoothed, x + 1j * g, s, n=0),
    sample(sc.voigt_profile, x, s, g, case="voigt_profile"),
    sample(sc.fresnel, x, case="fresnel"),
    sample(sc.fresnel, z / 2),
    *(sample(f, s) for f in (sc.modfresnelp, sc.modfresnelm)),
    sample(sc.owens_t, x, normal(4, seed=1), case="owens_t"),
]

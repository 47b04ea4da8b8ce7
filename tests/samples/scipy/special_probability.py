"""Samples of scipy/special/probability.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special import probability
from samples import sample, uniform

a, b, c = (uniform(0.5, 4.0, 3, seed=k) for k in range(3))
p, q = uniform(0.1, 0.9, 3, seed=3), uniform(0.2, 0.8, 3, seed=4)
k, n = np.array([2.0, 1.0, 4.0]), np.array([5.0, 3.0, 9.0])
WHOLE = "SciPy warns that n is no integer in single precision"

SAMPLES = [
    sample(sc.bdtr, k + 0.4, 9, p, no_float32=WHOLE, case="bdtr", wrt=(0, 2)),
    sample(sc.bdtrc, k + 0.4, 9, p, no_float32=WHOLE, wrt=(0, 2)),
    sample(sc.bdtri, k + 0.4, 9, p, no_float32=WHOLE, wrt=(0, 2)),
    sample(sc.nbdtr, k, 4, p, case="nbdtr", wrt=(2,)),
    sample(sc.nbdtrc, k, 4, p, wrt=(2,)),
    sample(sc.nbdtri, k, 4, p, wrt=(2,)),
    sample(sc.pdtr, k + 0.4, a, case="pdtr"),
    sample(sc.pdtrc, k + 0.4, a),
    sample(sc.pdtri, k.astype(int), p),
    sample(sc.gdtr, a, b, c / 2, case="gdtr"),
    sample(sc.gdtrc, a, b, c / 2),
    sample(sc.chdtr, a, c, case="chdtr"),
    sample(sc.chdtrc, a, c),
    sample(sc.chdtri, a, p),
    sample(sc.fdtr, a, b, c, case="fdtr"),
    sample(sc.fdtrc, a, b, c),
    sample(probability.snedecor_by_denominator, a, b, c),
    sample(sc.fdtri, a + 1, b + 1, p),
    sample(sc.nrdtrimn, p, a, c),
    sample(sc.nrdtrisd, a, p / 2, -c),
    sample(sc.tklmbda, c - 2, np.array([-0.3, 0.2, 0.0]), case="tklmbda", rtol=1e-5),
    sample(sc.kolmogorov, np.array([0.5, 0.9, 1.3]), case="kolmogorov"),
    sample(sc.kolmogi, p),
    sample(probability.smirnov_at, 4, q, r=0),
    sample(sc.smirnov, np.array([3, 5, 6]), q),
    sample(sc.smirnovi, np.array([3, 5, 6]), q),
    *(sample(f, q, b, c, rtol=1e-5) for f in (sc.gdtria,)),
    sample(sc.gdtrib, a, q, c / 2, rtol=1e-5),
    sample(sc.gdtrix, a, b, q, rtol=1e-5),
    sample(sc.chdtriv, q, c, rtol=1e-5),
    sample(sc.btdtria, p, b, q, rtol=1e-5),
    sample(sc.btdtrib, a, p, q, rtol=1e-5),
    sample(sc.fdtridfd, a + 2, 0.6 * q, 1 + 0 * c, rtol=1e-4),
    sample(sc.bdtrik, q, n + 0.5, p, rtol=1e-5),
    sample(sc.bdtrin, k, q, p, rtol=1e-5),
    sample(sc.nbdtrik, q / 2 + 0.5, n, p / 2, rtol=1e-5),
    sample(sc.nbdtrin, k, q, p, rtol=1e-5),
    sample(sc.pdtrik, q, a + 2, rtol=1e-5),
]

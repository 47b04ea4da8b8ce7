"""Samples of scipy/special/elliptic.py."""

import dotbar.scipy.special as sc
from dotbar.scipy.special import elliptic
from samples import normal, sample, uniform

m = uniform(-1, 0.9, 4)
unit = uniform(0.1, 0.9, 4)
x, y, z, p = uniform(0.5, 3, 4, 3)
complex_x = x + 0.5j * normal(3)

SAMPLES = [
    sample(sc.ellipk, m, case="ellipk"),
    sample(sc.ellipkm1, unit, case="ellipkm1"),
    sample(sc.ellipe, m, case="ellipe"),
    sample(sc.ellipkinc, uniform(-4, 4, 4), m, case="ellipkinc wrt phi,m"),
    sample(sc.ellipeinc, uniform(-4, 4, 4), m, case="ellipeinc wrt phi,m"),
    sample(sc.ellipeinc, uniform(-1, 1, 2, 1), 0.4),
    sample(sc.ellipj, uniform(-2, 2, 4), unit, case="ellipj"),
    sample(sc.ellipj, 0.7, unit),
    sample(sc.elliprf, x, y, z, case="elliprf"),
    sample(sc.elliprf, complex_x, y + 0j, z + 0j),
    sample(sc.elliprg, x, y, z, case="elliprg"),
    sample(sc.elliprc, x, y, case="elliprc"),
    sample(sc.elliprc, complex_x, y + 0j),
    sample(sc.elliprc, x, -y),
    sample(sc.elliprd, x, y, z, case="elliprd"),
    sample(sc.elliprd, x, x, complex_x, wrt=(2,)),
    sample(sc.elliprj, x, y, z, p, case="elliprj"),
    sample(sc.elliprj, x, y, z, -p, wrt=(0, 3)),
    sample(elliptic.rc, x, y, order=(1, 0), wrt=(1,)),
    sample(elliptic.rd, x, y, z, order=(0, 0, 1), wrt=(0,)),
    sample(elliptic.rj, x, y, z, p, order=(0, 1, 0, 0), wrt=(3,)),
    sample(elliptic.parameter_slope, uniform(-4, 4, 4), m, e=-0.5, n=1),
]

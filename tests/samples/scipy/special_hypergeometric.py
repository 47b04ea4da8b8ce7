"""Samples of scipy/special/hypergeometric.py."""

import dotbar.scipy.special as sc
from dotbar.scipy.special import hypergeometric
from samples import cnormal, sample, uniform

a, b = uniform(-1.5, 1.5, 2, 3)
c = uniform(0.7, 2, 3)
z = uniform(-1.5, 0.7, 3)
x = uniform(0.5, 3, 3)

SAMPLES = [
    sample(sc.hyp0f1, c, z, case="hyp0f1 wrt z"),
    sample(sc.hyp0f1, 1.2, cnormal(2)),
    sample(sc.hyp1f1, a, c, z, case="hyp1f1 wrt z; hyp1f1 wrt a,b"),
    sample(sc.hyp1f1, 0.4, 1.2, cnormal(2), wrt=(0, 2)),
    sample(sc.hyp2f1, a, b, c, z, case="hyp2f1 wrt z; hyp2f1 wrt a,b,c"),
    sample(sc.hyp2f1, 0.4, 0.3, 1.2, cnormal(2) / 2, wrt=(2, 3)),
    sample(sc.hyperu, a, b, x, case="hyperu"),
    sample(hypergeometric.confluent_limit, c, z, order=(1, 1), wrt=(0,)),
    sample(hypergeometric.kummer, a, c, z, order=(1, 0, 0), wrt=(1,)),
    sample(hypergeometric.gauss, a, b, c, z, order=(0, 1, 0, 0), wrt=(2,)),
    sample(hypergeometric.tricomi, a, b, x, order=(0, 1, 0), wrt=(0,)),
]

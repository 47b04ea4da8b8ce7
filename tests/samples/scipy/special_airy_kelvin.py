"""Samples of scipy/special/airy_kelvin.py."""

import numpy as np

import dotbar.scipy.special as sc
from samples import cnormal, sample, uniform

X = uniform(0.3, 4, 3)
SIGNED = np.append(X, -1.2)
Z = cnormal(3)

SAMPLES = [
    sample(sc.airy, SIGNED, call=lambda x: sc.airy(x)[0], case="airy Ai"),
    sample(sc.airy, SIGNED, case="airy all"),
    sample(sc.airy, Z),
    sample(sc.airye, X, case="airye"),
    sample(sc.airye, 20 + X),
    sample(sc.airye, Z),
    sample(sc.itairy, uniform(0.3, 2, 3)),
    sample(sc.ber, SIGNED, case="kelvin ber"),
    *(sample(f, SIGNED) for f in (sc.bei, sc.berp, sc.beip)),
    *(sample(f, X) for f in (sc.ker, sc.kei, sc.kerp, sc.keip, sc.kelvin)),
    sample(sc.itj0y0, X, case="itj0y0"),
    *(sample(f, X) for f in (sc.iti0k0, sc.it2j0y0, sc.it2i0k0, sc.itstruve0, sc.itmodstruve0, sc.it2struve0)),
]

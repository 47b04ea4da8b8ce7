"""Samples of scipy/special/bessel.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special.bessel import expansion, order_derivative
from samples import cnormal, sample, uniform

X = uniform(0.4, 6, 3)
V = np.array([1.3, -0.6, 4.0])
Z = 2 * cnormal(2)
SPHERICAL = (sc.spherical_jn, sc.spherical_yn, sc.spherical_in, sc.spherical_kn)


def of_order(name):
    """At an integer and another order, and in the order; at real and complex arguments."""
    f = getattr(sc, name)
    cases = f"{name} (integer order 2) wrt x; {name} (order 1.3) wrt x"
    return [
        sample(f, np.array([[2.0], [1.3]]), X, wrt=(1,), case=cases),
        sample(f, V, X, case=f"{name} wrt order"),
        sample(f, V[:2], Z),
    ]


SAMPLES = [
    *(sample(f, X, case=f.__name__) for f in (sc.j0, sc.j1, sc.y0, sc.y1, sc.k0, sc.k1, sc.k0e, sc.k1e)),
    *(sample(f, X - 2.1, case=f.__name__) for f in (sc.i0, sc.i0e, sc.i1, sc.i1e)),
    *(s for name in ("jv", "yv", "iv", "kv", "ive", "kve", "jve", "yve") for s in of_order(name)),
    sample(sc.hankel1, V, X, case="hankel1"),
    sample(sc.hankel2, V, X, case="hankel2"),
    *(sample(f, V[:2], Z) for f in (sc.hankel1, sc.hankel2, sc.hankel1e, sc.hankel2e)),
    *(sample(f, 80 + X) for f in (sc.k0e, sc.k1e)),
    *(sample(f, 100 * X - 200) for f in (sc.i0e, sc.i1e)),
    *(sample(f, V, 80 + X) for f in (sc.ive, sc.kve, sc.hankel1e)),
    sample(expansion, V, 80 + X, f=sc.hankel1e, n=0, m=1),
    sample(sc.jn, 2, X, case="jn/yn"),
    sample(sc.yn, 2, X, case="jn/yn"),
    sample(sc.kn, np.array([0, 1, 3]), X),
    sample(order_derivative, V, X, f=sc.ive, n=1, no_second="the samples of the functions themselves go through it"),
    *(sample(f, V, X, 2) for f in (sc.jvp, sc.yvp, sc.ivp, sc.kvp, sc.h1vp, sc.h2vp)),
    *(sample(f, 2, X, case=f.__name__) for f in (sc.spherical_jn, sc.spherical_yn, sc.spherical_in, sc.spherical_kn)),
    *(
        sample(f, np.array([1, 3]), Z, True)
        for f in (sc.spherical_jn, sc.spherical_yn, sc.spherical_in, sc.spherical_kn)
    ),
    sample(sc.spherical_jn, 0, np.append(X, 0.0), case="spherical_jn n=0"),
    sample(sc.riccati_jn, 3, 1.7, no_vmap="SciPy takes a number"),
    sample(sc.riccati_yn, 3, 1.7, no_vmap="SciPy takes a number"),
    sample(sc.lmbda, 2.3, 1.7, no_vmap="SciPy takes a number"),
]

"""Samples of scipy/special/orthogonal.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special import orthogonal
from samples import cnormal, sample, uniform

n = np.array([0, 1, 4])
nu, alpha, beta = uniform(0.2, 3, 3, 3)
x = uniform(-0.9, 0.9, 3)
inside = uniform(0.1, 0.9, 3)
two = (sc.eval_legendre, sc.eval_chebyt, sc.eval_chebyu, sc.eval_laguerre)
shifted = (sc.eval_sh_legendre, sc.eval_sh_chebyt, sc.eval_sh_chebyu)

SAMPLES = [
    *(sample(f, n, x, case=f.__name__) for f in (*two, sc.eval_hermite, sc.eval_hermitenorm)),
    *(sample(f, 3, cnormal(2)) for f in two),
    sample(sc.eval_legendre, nu, x, case="eval_legendre real degree"),
    *(sample(f, nu, x) for f in (*two[1:], sc.eval_chebyc, sc.eval_chebys)),
    *(sample(f, 2, inside) for f in shifted),
    *(sample(f, 2, x) for f in (sc.eval_chebyc, sc.eval_chebys)),
    sample(sc.eval_genlaguerre, n, alpha, x, case="eval_genlaguerre"),
    sample(sc.eval_genlaguerre, nu, alpha, x),
    sample(sc.eval_gegenbauer, n, alpha, x, case="eval_gegenbauer"),
    sample(sc.eval_gegenbauer, nu, 0.7, x, wrt=(0, 2)),
    sample(sc.eval_jacobi, n, alpha, beta, x, case="eval_jacobi"),
    sample(sc.eval_jacobi, nu, alpha, beta, x, wrt=(0,)),
    sample(sc.eval_jacobi, 3, 0.4, 0.7, cnormal(2), wrt=(3,)),
    sample(sc.eval_sh_jacobi, 3, alpha + 2, beta, inside),
    sample(orthogonal.jacobi, nu, alpha, beta, x, order=(0, 1, 0, 0), wrt=(2,)),
    sample(orthogonal.gegenbauer, nu, alpha, x, order=(1, 0, 0), wrt=(0,)),
    sample(orthogonal.laguerre, nu, alpha, x, order=(0, 0, 1), wrt=(1,)),
    sample(orthogonal._jacobi, nu, alpha, beta, x),
    sample(orthogonal._gegenbauer, n, alpha, x),
    sample(orthogonal._laguerre, nu, alpha, x),
    sample(orthogonal.monic, nu, alpha, order=(0, 0)),
]

"""Samples of scipy/special/gammas.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special import gammas
from samples import sample, uniform

p = uniform(0.5, 4.0, 4)
left = np.array([-0.3, -1.6, 0.2, -3.5])
z = np.array([0.4 + 1j, -1.3 - 0.6j, 5.0 - 2j])
a, b = uniform(0.5, 3.0, 3, 1, seed=1), uniform(0.5, 3.0, 2, seed=2)

SAMPLES = [
    sample(sc.gamma, p, case="gamma"),
    sample(sc.gamma, z),
    sample(sc.gammaln, p, case="gammaln"),
    sample(sc.loggamma, p, case="loggamma"),
    sample(sc.loggamma, z, case="loggamma complex"),
    sample(sc.rgamma, np.append(p, [-0.3, 0.0, -2.0]), case="rgamma"),
    sample(sc.rgamma, z),
    sample(sc.gammasgn, left, case="gammasgn"),
    sample(sc.psi, np.append(p, left), case="digamma/psi", rtol=1e-5),
    sample(sc.psi, z),
    sample(sc.polygamma, 1, p, case="polygamma 1"),
    sample(sc.polygamma, 3, p, case="polygamma 3"),
    sample(sc.multigammaln, p + 2, 3, case="multigammaln"),
    sample(gammas.polygamma_at, p, n=2),
    sample(gammas.polygamma_at, z, n=1),
    sample(gammas.difference, np.array([0.7, 30.0, 2.0]), np.array([1.5, 1e-3, -0.3]), n=1),
    sample(gammas.stirling, np.array([0.7, 11.9, 12.1]), n=0),
    sample(gammas.stirling, np.array([0.7, 11.9, 12.1]), n=2),
    sample(gammas.rgamma_at, left, n=1),
    sample(sc.poch, a, b, case="poch wrt z; poch wrt m"),
    sample(sc.poch, np.array([-2.0, -2.0, 3.0]), np.array([1.0, 2.0, 4.0]), wrt=(0,)),
    sample(sc.beta, a, b, case="beta"),
    sample(sc.betaln, a, b, case="betaln"),
    sample(sc.binom, a, b, case="binom"),
    sample(sc.binom, np.array([3.0, 4.0]), np.array([5.0, -1.0])),
    sample(sc.comb, a + 4, b, case="comb (n,k)"),
    sample(sc.comb, a + 4, b, repetition=True),
    sample(sc.perm, a + 4, b),
    sample(sc.factorial, p, case="factorial"),
    sample(sc.factorial2, p, extend="complex"),
    sample(sc.factorialk, p, 3, extend="complex", wrt=(0,)),
    sample(gammas.hurwitz, a + 1, b, n=1),
    sample(gammas.riemann, np.array([2.5, 0.3, -1.7, -6.0]), n=1),
    sample(sc.zeta, a + 1, b, case="zeta(x,q) wrt q; zeta(x,q) wrt x"),
    sample(sc.zeta, np.array([2.5, 1.4, 0.3, -1.7]), case="zeta(x) Riemann"),
    sample(sc.zeta, np.array([2.5 + 1j, -1.4 - 3j])),
    sample(sc.zetac, np.array([2.5, 1.6, 0.3, -1.7]), case="zetac"),
]

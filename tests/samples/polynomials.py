"""Samples of rules/polynomials.py."""

import numpy as np

from dotbar.rules.polynomials import characteristic, zeros_of
from samples import cnormal, normal, sample, uniform

x, p, q = normal(3, 2), normal(4), normal(3, seed=1)
ROOTS = "no batch: which roots are real depends on the values"


def by_size(zeros):
    """A symmetric function of roots: their order is LAPACK's own."""
    return np.stack([np.sum(zeros**k) for k in (1, 2, 3)])


SAMPLES = [
    sample(np.polyval, p, x, case="poly ops: polyval"),
    sample(np.polyval, cnormal(3), normal(2)),
    sample(np.polydiv, normal(2), cnormal(3)),
    sample(np.polyadd, p, q),
    sample(np.polyadd, cnormal(2), q),
    sample(np.polysub, q, p),
    sample(np.polymul, p, q, case="polymul"),
    sample(np.polydiv, normal(5), np.array([2.0, 0.3, -0.4]), case="polydiv"),
    sample(np.polydiv, cnormal(3), np.array([2.0])),
    sample(np.polydiv, normal(2), uniform(1.0, 2.0, 3)),
    sample(np.polyder, p, case="polyder"),
    sample(np.polyder, p, m=2),
    sample(np.polyint, p, case="polyint"),
    sample(np.polyint, p, 2, normal(2), wrt=(0, 2)),
    sample(np.poly, p, case="poly"),
    sample(np.poly, normal(3, 3)),
    sample(characteristic, np.eye(3) + np.eye(3, k=1)),
    sample(characteristic, cnormal(2, 3, 3)),
    sample(np.poly, cnormal(3), no_vmap=ROOTS),
    sample(np.roots, np.array([1.0, -6.0, 11.0, -6.0]), case="roots"),
    sample(np.roots, normal(5), call=lambda p: by_size(np.roots(p))),
    sample(np.roots, cnormal(4)),
    sample(zeros_of, cnormal(2, 4)),
    sample(np.polyfit, np.linspace(-1, 1, 6), normal(6), 2, case="polyfit"),
    sample(np.polyfit, np.linspace(-1, 1, 6), normal(6, 2), 1, w=uniform(1.0, 2.0, 6), wrt=(0, 1, "w")),
    sample(np.polyfit, np.linspace(-1, 1, 6), normal(6), 2, cov=True),
]

"""Samples of scipy/special/nodes.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special import nodes
from samples import sample

SAMPLES = [
    sample(sc.roots_jacobi, 3, 0.4, 1.3),
    sample(sc.roots_jacobi, 2, -0.5, 0.7, mu=True),
    sample(sc.roots_gegenbauer, 4, 0.8),
    sample(sc.roots_sh_jacobi, 3, 2.4, 1.3, True),
    sample(sc.roots_genlaguerre, 3, 0.6, mu=True),
    sample(nodes.jacobi_nodes, np.array([0.3, 1.2]), 0.7, n=2),
    sample(nodes.laguerre_nodes, np.array([0.3, 1.2]), n=2),
]

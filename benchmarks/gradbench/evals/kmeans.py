"""k-means by Newton's method: f(C) = Σᵢ minⱼ |Cⱼ − Pᵢ|², and the step ∇f / diag ∇²f.

f is Σᵢ |C_{j(i)} − Pᵢ|² with j(i) the nearest centroid, a constant almost everywhere.  The Hessian is diagonal, so its
product with a vector of ones is its diagonal: one forward sweep over the gradient gives both.
"""

import numpy as np

from dotbar import grad, jit, jvp, scan, stop_gradient

DISTANCES = 50_000  # that stay in cache: those of some points to all centroids


def nearest(P, C):
    """argminⱼ |Cⱼ − Pᵢ|² = argminⱼ ½|Cⱼ|² − Pᵢᵀ Cⱼ."""
    half = np.sum(C * C, axis=1) / 2
    some = lambda P: np.argmin(half - P @ C.T, axis=1)
    rows = min(DISTANCES // len(C), len(P))
    whole = len(P) - len(P) % rows
    _, j = scan(lambda _, P: (None, some(P)), None, np.reshape(P[:whole], (-1, rows, P.shape[1])))
    rest = [some(P[whole:])] if whole < len(P) else []
    return np.concatenate([np.ravel(j), *rest])


def cost(C, P):
    return np.sum((C[nearest(P, stop_gradient(C))] - P) ** 2)


def direction(C, P):
    gradient, diagonal = jvp(lambda C: grad(cost)(C, P), (C,), (np.ones_like(C),))
    return gradient / diagonal


def prepare(input):
    return np.array(input["centroids"]), np.array(input["points"])


def example(k, n, d):
    points = np.random.default_rng(0).random((n, d)).tolist()
    return {"points": points, "centroids": points[-k:]}


FUNCTIONS = {"cost": jit(cost), "dir": jit(direction)}

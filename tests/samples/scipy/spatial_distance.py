"""Samples of scipy/spatial/distance.py."""

import numpy as np

import dotbar.scipy.spatial.distance as d
from samples import normal, sample, spd, uniform

A, B = normal(3, 4), normal(2, 4, seed=1)
u, v, w = normal(4), normal(4, seed=1), uniform(0.5, 2, 4)
positive, others = uniform(0.2, 1, 3, 4), uniform(0.2, 1, 2, 4, seed=1)
plain = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "cosine", "correlation", "canberra", "braycurtis")
LISTED = {"euclidean", "cityblock", "chebyshev", "cosine"}


def array(f):
    """SciPy returns some distances as Python's numbers."""
    return lambda *args, **kw: np.multiply(1.0, f(*args, **kw))


SAMPLES = [
    *(sample(d.cdist, A, B, name, case=f"cdist {name}") for name in plain),
    *(sample(d.pdist, A, name, case=f"pdist {name}" if name in LISTED else "") for name in plain),
    *(sample(d.cdist, A, B, name, w=w) for name in plain),
    *(sample(getattr(d, name), u, v, call=array(getattr(d, name))) for name in plain),
    *(
        sample(getattr(d, name), u, v, w=w, wrt=(0, "w"), call=array(getattr(d, name)))
        for name in plain
        if name != "chebyshev"
    ),
    sample(d.cdist, A, B, "minkowski", p=3.0, wrt=(0, 1, "p"), case="cdist minkowski"),
    sample(d.pdist, A, "minkowski", p=1.5, w=w),
    sample(d.minkowski, u, v, 3),
    sample(d.minkowski, u, v, 2.5, w),
    sample(d.cdist, positive, others, "jensenshannon", case="cdist jensenshannon"),
    sample(d.jensenshannon, positive, uniform(0.2, 1, 3, 4, seed=2), 2.0, axis=1, keepdims=True),
    sample(d.cdist, A, B, "mahalanobis", VI=spd(4) / 4, wrt=(0, 1, "VI"), case="cdist mahalanobis wrt VI"),
    sample(d.pdist, normal(5, 2), "mahalanobis"),
    sample(d.mahalanobis, u, v, spd(4) / 4),
    sample(d.cdist, A, B, "seuclidean"),
    sample(d.pdist, A, "seuclidean", V=w, wrt=(0, "V")),
    sample(d.seuclidean, u, v, w, call=array(d.seuclidean)),
    sample(d.cdist, A, B, lambda u, v: np.sum(u * v)),
    sample(d.squareform, uniform(0.1, 1, 6), case="squareform"),
    sample(d.squareform, normal(3, 3), checks=False),
    sample(d.directed_hausdorff, A, B, call=lambda A, B: np.multiply(1.0, d.directed_hausdorff(A, B)[0])),
    sample(d.root, w),
]

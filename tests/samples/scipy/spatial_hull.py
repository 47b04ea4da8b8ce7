"""Samples of scipy/spatial/hull.py."""

import numpy as np

import dotbar.scipy.spatial as sp
from samples import normal, sample


def measures(points, **kw):
    hull = sp.ConvexHull(points, **kw)
    return np.multiply(1.0, hull.area), np.multiply(1.0, hull.volume)


SAMPLES = [
    sample(sp.ConvexHull, normal(7, 2), call=measures, case="ConvexHull area/volume"),
    sample(sp.ConvexHull, normal(8, 3), call=measures),
    sample(sp.ConvexHull, normal(6, 4), call=measures),
]

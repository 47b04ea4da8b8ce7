"""Samples of scipy/ndimage."""

import numpy as np

import dotbar.scipy.ndimage as nd
from dotbar.scipy.ndimage.filters import running_mean, shifted_products, weighted
from dotbar.scipy.ndimage.geometry import coefficients
from samples import cnormal, normal, sample, uniform

X = normal(5, 6)
W = normal(3, 2)
AT = uniform(0.2, 3.8, 2, 4)
LABELS = np.array([[1, 1, 2, 0], [1, 2, 2, 3], [0, 3, 3, 3]])
ON = np.array([[1, 1, 1, 0], [1, 1, 1, 1], [0, 1, 1, 1]])


def mapped(order, **options):
    return lambda x, c: nd.map_coordinates(x, c, order=order, **options)


SAMPLES = [
    sample(
        nd.geometric_transform,
        normal(3, 4),
        np.array([0.9, 0.3]),
        call=lambda x, t: nd.geometric_transform(
            x, lambda at, t: (at[0] * t[0] + 0.2, at[1] - t[1]), (2, 3), mode="mirror", extra_arguments=(t,)
        ),
    ),
    sample(nd.median, normal(3, 4)),
    sample(weighted, cnormal(4, 5), cnormal(2, 3)),
    sample(shifted_products, cnormal(4, 5), cnormal(3, 3), shape=(2, 3)),
    sample(running_mean, normal(4, 6), size=3, axis=1),
    sample(coefficients, normal(4, 6), order=3, axis=1, mode="mirror"),
    sample(coefficients, normal(4, 6), order=2, axis=0, mode="reflect"),
    sample(coefficients, normal(4, 6), order=5, axis=1, mode="grid-wrap"),
    sample(nd.convolve, X, W, case="convolve"),
    sample(nd.correlate, X, W, mode="wrap", origin=(1, 0), case="correlate"),
    sample(nd.convolve1d, X, np.array([0.3, -0.2, 0.5, 0.1]), mode="mirror", case="convolve1d"),
    sample(nd.gaussian_filter, X, wrt=(0,), sigma=0.8, case="gaussian_filter"),
    sample(nd.gaussian_filter, X, 0.83, mode="nearest", order=(0, 1), radius=3, case="gaussian_filter wrt sigma"),
    sample(nd.uniform_filter, X, 3, wrt=(0,), mode="constant", cval=0.7, case="uniform_filter"),
    sample(nd.sobel, X, case="sobel"),
    sample(nd.laplace, X, mode="wrap", case="laplace"),
    sample(nd.gaussian_gradient_magnitude, X, 0.6, wrt=(0,), case="gaussian_gradient_magnitude"),
    sample(nd.maximum_filter, X, 3, wrt=(0,), case="maximum_filter"),
    sample(nd.median_filter, X, (2, 3), wrt=(0,), case="median_filter"),
    sample(
        nd.map_coordinates,
        X,
        AT,
        call=mapped(1),
        case="map_coordinates order1 wrt input; map_coordinates order1 wrt coords",
    ),
    sample(
        nd.map_coordinates,
        X,
        AT,
        call=mapped(3),
        case="map_coordinates order3 wrt coords; map_coordinates order3 wrt input",
    ),
    sample(nd.map_coordinates, X, 2 * AT, call=mapped(2, mode="reflect")),
    sample(
        nd.affine_transform,
        X,
        np.array([[0.9, 0.13], [-0.07, 0.85]]),
        np.array([0.37, 0.22]),
        order=2,
        case="affine_transform",
        no_second="points pass from one polynomial to the next",
        no_float32="entries cross the edge",
    ),
    sample(nd.zoom, X, 1.4, wrt=(0,), case="zoom"),
    sample(nd.rotate, X, 11.3, mode="reflect", reshape=False, case="rotate", rtol=1e-5, no_float32="the angle"),
    sample(nd.shift, X, np.array([0.33, -1.21]), mode="nearest", case="shift"),
    sample(nd.spline_filter, X, case="spline_filter"),
    sample(nd.center_of_mass, X**2, call=nd.center_of_mass, case="distance_transform / center_of_mass"),
    sample(nd.distance_transform_edt, np.array([1.1, 0.9]), call=lambda s: nd.distance_transform_edt(ON, s)),
    sample(nd.fourier_gaussian, cnormal(4, 5), 0.7, case="fourier_gaussian"),
    sample(nd.fourier_ellipsoid, cnormal(4, 5), call=lambda x: nd.fourier_ellipsoid(x, (2.3, 1.7))),
    sample(nd.fourier_ellipsoid, cnormal(4, 3, 2), call=lambda x: nd.fourier_ellipsoid(x, 1.3, n=3, axis=1)),
    sample(nd.sum_labels, normal(3, 4), LABELS, wrt=(0,), index=[1, 3, 5], case="sum_labels"),
    sample(nd.variance, normal(3, 4), LABELS, wrt=(0,), index=[1, 3]),
]

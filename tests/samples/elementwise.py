"""Samples of rules/elementwise.py."""

import numpy as np

import dotbar.numpy as dnp
from dotbar.rules.elementwise import bessel_i, spherical_jn
from dotbar.rules.undispatched import kaiser, vectorize
from samples import cnormal, normal, sample, uniform

x = normal(3, 4)
holes = np.array([1.0, np.nan, np.inf, -2.0, -np.inf])
grid, knots, heights = uniform(-0.5, 4.5, 7), np.array([0.0, 0.9, 2.2, 3.0, 4.1]), normal(5)
counted, weights = np.array([0, 2, 1, 2, 0, 5]), normal(6)
NO_BATCH = "the shape or dtype of the result depends on the values"

SAMPLES = [
    sample(np.nan_to_num, x, case="nan_to_num"),
    sample(np.nan_to_num, normal(5), call=lambda x: np.nan_to_num(x + holes, nan=1.0, posinf=3.0, neginf=-3.0)),
    sample(np.nan_to_num, cnormal(3)),
    sample(np.real_if_close, normal(3), case="real_if_close"),
    sample(np.real_if_close, normal(3), call=lambda x: np.real_if_close(x + 0j), no_vmap=NO_BATCH),
    sample(np.sinc, np.array([0.0, 1e-9, 1e-3, 0.4, -1.7, 3.0, 25.2]), case="sinc"),
    sample(np.sinc, np.array([0.3 + 0.2j, -1.2 + 0.5j])),
    sample(spherical_jn, np.array([0.0, 0.3, -2.2]), n=1),
    sample(spherical_jn, np.array([0.0, 0.3, -2.2]), n=3),
    sample(np.i0, np.array([0.0, 0.5, -2.0, 4.0]), case="i0"),
    sample(bessel_i, np.array([0.0, 0.5, -2.0, 4.0]), n=2),
    sample(np.clip, x, -0.5, 0.7, wrt=(0,), case="clip"),
    sample(np.clip, x, None, 0.7, wrt=(0,)),
    sample(np.clip, x, -0.5, None, wrt=(0,)),
    sample(np.clip, x, uniform(-1.0, 0.0, 4), uniform(0.0, 1.0, 3, 1), case="clip wrt bounds"),
    sample(np.round, x, 1, wrt=(0,), case="round", call=lambda x, n: x * np.round(x, n)),
    sample(np.around, x, wrt=(0,), call=lambda x: x * np.around(x)),
    sample(np.fix, 3 * x, case="fix", call=lambda x: x * np.fix(x)),
    sample(np.unwrap, np.cumsum(uniform(0.0, 3.0, 3, 6), 1) % (2 * np.pi), case="unwrap"),
    sample(np.unwrap, np.cumsum(uniform(0.0, 3.0, 6, 2), 0) % 5, axis=0, period=5.0),
    sample(np.where, x > 0, x, normal(4), case="where"),
    sample(np.select, x, normal(4), case="select", call=lambda x, y: np.select([x > 1, x < 0], [x**2, y], 0.5 * x)),
    sample(np.piecewise, x, case="piecewise", call=lambda x: np.piecewise(x, [x > 1, x < 0], [np.exp, 2.0, np.sin])),
    sample(
        np.piecewise, x, call=lambda x: np.piecewise(x, x > 0, [lambda v, p: p * v, np.cos], 3.0) if 0 else np.sin(x)
    ),
    sample(np.choose, x, normal(4), case="choose", call=lambda x, y: np.choose([[0], [1], [2]], [x, y, x * x])),
    sample(np.choose, x, call=lambda x: np.choose([3, -1, 0, 7], x, mode="wrap")),
    sample(np.interp, grid, knots, heights, wrt=(0,), case="interp wrt x"),
    sample(np.interp, grid, knots, heights, wrt=(2,), case="interp wrt fp"),
    sample(np.interp, grid, knots, heights, wrt=(1,), case="interp wrt xp"),
    sample(np.interp, grid, knots, heights, 0.3, -0.4),
    sample(np.interp, grid, knots, heights, period=4.3),
    sample(np.interp, 0.5, knots, cnormal(5)),
    sample(np.interp, grid, np.array([1.0]), np.array([2.0])),
    sample(
        np.digitize,
        x,
        [-1.0, 0.0, 0.5],
        call=lambda x, b: x * np.digitize(x, b),
        case="digitize/searchsorted(nondiff) mixed",
    ),
    sample(np.searchsorted, knots, grid, wrt=(1,), call=lambda a, v: v * np.searchsorted(a, v)),
    sample(np.bincount, counted, weights, 8, wrt=(1,), case="bincount weights", no_float32="NumPy counts in float64"),
    sample(np.histogram, grid, 5, wrt=("weights",), weights=normal(7), case="histogram weights"),
    sample(
        np.histogram,
        grid,
        [0.0, 1.0, 3.0],
        wrt=("weights",),
        weights=uniform(1.0, 2.0, 7),
        density=True,
    ),
    sample(np.histogram_bin_edges, normal(7), 4),
    sample(np.histogram_bin_edges, -1.5, 0.5, call=lambda lo, hi: dnp.histogram_bin_edges(grid, 3, (lo, hi))),
    sample(np.histogram, normal(7), call=lambda a: np.histogram(a, 3, density=True)[0]),
    sample(np.histogram, np.sort(normal(4)), call=lambda edges: np.histogram(grid, edges, density=True)[0]),
    sample(np.histogramdd, normal(7, 2), (2, 3), wrt=("weights",), weights=normal(7)),
    sample(np.histogramdd, normal(7, 2), call=lambda x: np.histogramdd(x, (2, 3), density=True)),
    sample(np.histogramdd, np.sort(normal(4)), call=lambda e: dnp.histogramdd(normal(7, 2), [e, 2], density=True)[0]),
    sample(np.histogramdd, normal(7, 2), 2, [(-1.0, 1.0), (-1.0, 0.5)], True, uniform(1.0, 2.0, 7), wrt=(4,)),
    sample(np.histogram2d, normal(7), normal(7, seed=1), [-1.0, 0.0, 0.5, 1.0], wrt=("weights",), weights=normal(7)),
    sample(np.linspace, np.array(0.3), np.array(2.0), 5, wrt=(0, 1), case="linspace endpoints"),
    sample(np.linspace, normal(3), normal(2, 1), 4, endpoint=False, axis=-1),
    sample(np.linspace, normal(2), cnormal(2), 4, retstep=True),
    sample(np.linspace, normal(2), normal(2), 1),
    sample(np.logspace, np.array(0.3), np.array(2.0), 5, wrt=(0, 1), case="logspace endpoints"),
    sample(np.logspace, normal(2), normal(2), 5, base=uniform(1.0, 3.0, 2), axis=-1, wrt=(0, 1, "base")),
    sample(np.geomspace, np.array(0.3), np.array(2.0), 5, wrt=(0, 1), case="geomspace endpoints"),
    sample(np.geomspace, -uniform(1.0, 2.0, 2), -uniform(2.0, 3.0, 2), 4, False, wrt=(0, 1), axis=1),
    sample(np.geomspace, cnormal(2), cnormal(2), 4, wrt=(0, 1)),
    sample(np.meshgrid, normal(3), normal(2), normal(4), case="meshgrid"),
    sample(np.meshgrid, normal(3), normal(2), sparse=True, indexing="ij", copy=False),
    sample(
        np.apply_along_axis,
        np.sum,
        0,
        x,
        call=lambda f, k, x: np.apply_along_axis(lambda v: v * v[0], k, x),
        case="apply_along_axis",
    ),
    sample(
        np.apply_along_axis,
        np.sum,
        1,
        normal(2, 3, 2),
        call=lambda f, k, x: np.apply_along_axis(lambda v, c: c * np.outer(v, v), k, x, 2.0),
    ),
    sample(np.apply_along_axis, np.sum, -1, x, call=lambda f, k, x: np.apply_along_axis(f, k, x)),
    sample(np.vectorize, x, call=lambda x: vectorize(lambda a, b: a * np.sin(b))(x, x[0]), case="vectorize"),
    sample(
        np.vectorize, x, call=lambda x: vectorize(lambda a, b: (b * a, a @ a), signature="(n),()->(n),()")(x, x[:, 0])
    ),
    sample(kaiser, 7, np.array(2.5), case="bartlett/kaiser(beta)"),
    sample(np.float_power, -uniform(0.5, 2.0, 4), 3.0, wrt=(0,), case="float_power neg"),
]

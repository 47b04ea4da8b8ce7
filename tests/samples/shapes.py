"""Samples of rules/shapes.py."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import dotbar.numpy
from dotbar.rules.shapes import astype, choose, concat, pile, reshape_to
from samples import cnormal, normal, sample, uniform

x, t, v = normal(3, 4), normal(2, 3, 4), normal(5)
positive = uniform(0.5, 1.5, 2, 3)
gap = np.array([0.0, 0.0, 1.5, 0.0, -2.0, 0.0])


def trimmed(filt, **kw):
    """Trimming at zeros that do not move with the argument."""
    return np.trim_zeros(filt * (gap != 0), **kw)


SAMPLES = [
    # making arrays
    sample(np.shape, x, call=lambda x: x * np.shape(x)[0]),
    sample(np.ndim, x, call=lambda x: x * np.ndim(x)),
    sample(np.size, x, call=lambda x: x * np.size(x, axis=1)),
    *(
        sample(fn, x, call=lambda x, fn=fn: x[:, :3] * fn(3, like=x))
        for fn in (np.zeros, np.ones, np.eye, np.identity, np.tri)
    ),
    *(sample(fn, x, call=lambda x, fn=fn: x * fn(x)) for fn in (np.zeros_like, np.ones_like)),
    sample(np.empty, x, call=lambda x: x + 0 * np.isnan(np.empty(4, like=x))),
    sample(np.empty_like, x, call=lambda x: x + 0 * np.isnan(np.empty_like(x))),
    sample(np.array, v, call=lambda x: np.array([x[0], x[2] * x[1], 1.0], like=x), case="array of scalars"),
    sample(np.array, v, call=lambda x: np.array(x, np.float64, ndmin=2, like=x)),
    *(
        sample(fn, v, call=lambda x, fn=fn: fn([x, 2 * x], like=x))
        for fn in (np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.require)
    ),
    sample(np.full, normal(3), call=lambda x: np.full((2, 3), x, like=x), case="full(fill)"),
    sample(np.full_like, x, 0.3),
    sample(np.full_like, x, normal(4), shape=(2, 4)),
    sample(
        np.arange,
        v[:2],
        call=lambda p: np.arange(p[0] / 100, 0.85, 0.25 + p[1] / 100, like=p),
        no_vmap="lengths may differ",
    ),
    sample(astype, x, dtype=np.dtype(np.complex128)),
    sample(np.copy, x, case="copy"),
    sample(np.where, x > 0, x, normal(4)),
    sample(np.where, x, call=lambda x: x[np.where(x > 0)] ** 2, no_vmap="as many results as positive entries"),
    sample(choose, x > 0, x, normal(3, 1)),
    # the shape of one array
    sample(np.reshape, x, (2, -1), case="reshape"),
    sample(np.reshape, t, (4, 6), order="F"),
    sample(reshape_to, t, shape=(6, 4), order="F"),
    sample(np.ravel, x, case="ravel"),
    sample(np.ravel, t, order="F"),
    sample(np.transpose, x, case="transpose"),
    sample(np.transpose, t, (1, 2, 0)),
    sample(np.permute_dims, t, (-1, 0, 1), case="permute_dims"),
    sample(np.broadcast_to, normal(3, 1), (2, 3, 4), case="broadcast_to"),
    sample(np.broadcast_arrays, normal(3, 1), normal(4), case="broadcast_arrays"),
    sample(np.expand_dims, x, (0, -1), case="expand_dims"),
    sample(np.squeeze, normal(1, 3, 1), case="squeeze"),
    sample(np.squeeze, normal(1, 3, 1), axis=-1),
    sample(np.atleast_1d, 0.3, x, case="atleast_1d"),
    sample(np.atleast_2d, v, case="atleast_2d"),
    sample(np.atleast_3d, v, x, case="atleast_3d"),
    sample(np.swapaxes, t, 0, -1, case="swapaxes"),
    sample(np.moveaxis, t, (0, 1), (-1, 0), case="moveaxis"),
    sample(np.rollaxis, t, 2, 1, case="rollaxis"),
    sample(np.matrix_transpose, t, case="matrix_transpose"),
    sample(np.linalg.matrix_transpose, cnormal(2, 3)),
    sample(np.rot90, x, case="rot90"),
    sample(np.rot90, t, 3, axes=(0, 2)),
    sample(np.flip, t, case="flip"),
    sample(np.flip, t, axis=(0, -1)),
    sample(np.fliplr, x, case="fliplr"),
    sample(np.flipud, x, case="flipud"),
    sample(np.split, x, 2, axis=1, case="split"),
    sample(np.array_split, v, [1, 3], case="array_split"),
    sample(np.vsplit, normal(4, 2), 2, case="vsplit"),
    sample(np.hsplit, x, 2, case="hsplit"),
    sample(np.dsplit, t, 2, case="dsplit"),
    sample(sliding_window_view, v, 3, case="sliding_window_view"),
    sample(sliding_window_view, x, (2, 3)),
    sample(sliding_window_view, t, (2, 2), axis=(2, 0)),
    # joining arrays
    sample(concat, x, normal(2, 4)),
    sample(pile, x, normal(3, 4), x, axis=1),
    sample(np.concatenate, x, normal(2, 4), call=lambda *a: np.concatenate(a), case="concatenate"),
    sample(np.concatenate, x, v, call=lambda *a: np.concatenate(a, axis=None)),
    sample(np.stack, x, x + 1, call=lambda *a: np.stack(a, axis=-1), case="stack"),
    sample(np.vstack, v, normal(2, 5), call=lambda *a: np.vstack(a), case="vstack"),
    sample(np.hstack, v, normal(2), call=lambda *a: np.hstack(a), case="hstack"),
    sample(np.dstack, x, x + 1, call=lambda *a: np.dstack(a), case="dstack"),
    sample(np.column_stack, v, normal(5, 2), call=lambda *a: np.column_stack(a), case="column_stack"),
    sample(np.append, x, v, case="append"),
    sample(np.append, x, normal(3, 2), axis=1),
    sample(np.block, x, normal(3, 2), v, call=lambda a, b, c: np.block([[a, b], [c, 1.0]]), case="block"),
    sample(np.concatenate, v, 0.3, call=lambda a, b: dotbar.numpy.r_[a, b, 0:2, a[:1]], case="r_"),
    sample(np.concatenate, v, v + 1, call=lambda a, b: dotbar.numpy.c_[a, b], case="c_"),
    sample(np.concatenate, x, x[:1], call=lambda a, b: dotbar.numpy.r_["0,2", a, b]),
    # repeating and removing entries
    sample(np.roll, x, 5, case="roll"),
    sample(np.roll, t, (1, -2), axis=(0, 2)),
    sample(np.tile, x, (2, 1, 3), case="tile"),
    sample(np.tile, t, 2),
    sample(np.repeat, x, 2, axis=1, case="repeat"),
    sample(np.repeat, x, [0, 2, 1], axis=0, case="repeat counts"),
    sample(np.repeat, x, 3),
    sample(np.resize, x, (5, 3), case="resize"),
    sample(np.insert, x, 1, 0.7, axis=1, case="insert"),
    sample(np.insert, x, [0, 2], normal(3, 2), axis=1),
    sample(np.insert, v, slice(0, 4, 2), normal(2)),
    sample(np.insert, x, 1, normal(2, 3), axis=1),
    sample(np.delete, x, [0, -1], axis=1, case="delete"),
    sample(np.delete, x, slice(1, 7, 2)),
    sample(np.trim_zeros, gap, call=trimmed, case="trim_zeros", no_vmap="the length depends on the entries"),
    sample(np.trim_zeros, gap, call=trimmed, trim="b", no_vmap="the length depends on the entries"),
    sample(np.apply_over_axes, t, call=lambda x: np.apply_over_axes(np.sum, x, (0, 2)), case="apply_over_axes"),
    # padding
    sample(np.pad, x, ((1, 2), (0, 3)), case="pad constant"),
    sample(np.pad, x, 2, constant_values=0.3, wrt=(0, "constant_values"), case="pad constant value"),
    sample(np.pad, x, 1, constant_values=normal(2, 2), wrt=(0, "constant_values")),
    sample(np.pad, x, 2, mode="edge", case="pad edge"),
    sample(np.pad, x, ((2, 5), (1, 7)), mode="reflect", case="pad reflect"),
    sample(np.pad, x, ((2, 5), (1, 7)), mode="reflect", reflect_type="odd"),
    sample(np.pad, x, ((2, 5), (1, 9)), mode="symmetric", case="pad symmetric"),
    sample(np.pad, x, ((2, 5), (1, 9)), mode="symmetric", reflect_type="odd"),
    sample(np.pad, x, ((2, 5), (0, 9)), mode="wrap", case="pad wrap"),
    sample(np.pad, x, ((1, 2), (2, 0)), mode="mean", case="pad mean"),
    sample(np.pad, x, 1, mode="mean", stat_length=2),
    sample(np.pad, x, 1, mode="maximum"),
    sample(np.pad, x, 1, mode="minimum", stat_length=((1, 2), (2, 1))),
    sample(np.pad, x, 1, mode="median"),
    sample(np.pad, x, ((3, 2), (0, 1)), mode="linear_ramp", case="pad linear_ramp"),
    sample(np.pad, x, 2, mode="linear_ramp", end_values=(0.3, 0.7)),
    sample(np.pad, x, 2, mode="linear_ramp", end_values=normal(2), wrt=(0, "end_values")),
]

if hasattr(np, "astype"):
    SAMPLES.append(sample(np.astype, x, np.complex128, case="astype/asarray"))
if hasattr(np, "unstack"):
    SAMPLES.append(sample(np.unstack, t, axis=1, case="unstack"))
    SAMPLES.append(sample(np.reshape, x, -1, copy=True))

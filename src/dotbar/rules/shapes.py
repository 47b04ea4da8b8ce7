"""Shape operations: reshape, transpose, join, split, repeat."""

from typing import Any

import numpy as np

from dotbar.core import cell, dtype_of
from dotbar.rules.kinds import composite, linear, rule
from dotbar.rules.words import masked


@composite(np.shape)
def shape(a: Any) -> Any:
    return a.shape


@composite(np.ndim)
def ndim(a: Any) -> Any:
    return a.ndim


@composite(np.size)
def size(a: Any, axis: Any = None) -> Any:
    if axis is None:
        return a.size
    axes = axis if isinstance(axis, tuple) else (axis,)
    return int(np.prod([a.shape[k] for k in axes], dtype=int))


# ---------------------------------------------------------------- making arrays


@composite(np.zeros)
def zeros(shape: Any, dtype: Any = float, order: Any = "C", **_: Any) -> Any:
    return cell(np.zeros(shape, dtype, order))


@composite(np.zeros_like)
def zeros_like(a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **_: Any) -> Any:
    return cell(np.zeros(a.shape if shape is None else shape, dtype_of(a) if dtype is None else dtype))


linear(np.reshape, lambda ybar, a, *, shape=None, order="C", copy=None: np.reshape(ybar, a.shape, order=order), moves=True)


@rule(np.where, "(),(),()->()")
def where(y: Any, condition: Any, x: Any = None, y_: Any = None) -> Any:
    return [
        None,
        (lambda xdot: np.where(condition, xdot, 0), lambda ybar: masked(ybar, condition)),
        (lambda ydot: np.where(condition, 0, ydot), lambda ybar: masked(ybar, ~condition)),
    ]


linear(np.copy, lambda ybar, a, *, order="K", subok=False: ybar, batch="()->()", moves=True)

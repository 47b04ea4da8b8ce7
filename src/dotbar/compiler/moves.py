"""Transposes, reshapes and broadcasts: one is enough, and none where it moves nothing.

::

    b: f64[3, 4] = transpose a                  d: f64[4, 1] = reshape_to a  shape=(4, 1)
    c: f64[4, 3] = transpose b         →        return a, d
    d: f64[4, 1] = transpose e
    return c, d

With ``reassociate`` (as NumPy sums arrays laid out otherwise in another order) an entrywise operation goes before the
reshapes of its operands, and a transpose of it to its operands where it meets reshapes there: (u vᵀ)ᵀ = v uᵀ.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from dotbar.compiler.rewriting import ANY, Walk, has_no_axes, is_entrywise, of, reassociated, reshaped, uniform
from dotbar.program import Equation, Var
from dotbar.rules.shapes import reshape_to

__all__ = ["axes_of_transpose"]


def axes_of_transpose(e: Equation) -> tuple[int, ...]:
    """Where each axis of a transpose comes from."""
    n, axes = len(e.outputs[0].shape), e.settings.get("axes")
    return tuple(range(n))[::-1] if axes is None else tuple(a % n for a in axes)


@of(np.transpose)
def _transpose(e: Equation, walk: Walk) -> Any:
    """A transpose of a transpose is one transpose or none; of axes of length 1, a reshape."""
    axes, x, y = axes_of_transpose(e), e.inputs[0], e.outputs[0]
    inner = walk.made_by(x, np.transpose)
    if inner is not None:
        before = axes_of_transpose(inner)
        return _transposed(inner.inputs[0], tuple(before[a] for a in axes), y, walk)
    long = [a for a in axes if x.shape[a] > 1]
    return reshaped(x, y.shape, walk) if long == sorted(long) else None


@reassociated(np.transpose)
def _transpose_inside(e: Equation, walk: Walk) -> Any:
    """A transpose of an operation whose operands are transposed by reshapes, as (u vᵀ)ᵀ = v uᵀ."""
    axes, whole = axes_of_transpose(e), e.inputs[0].shape
    return _moved_inside(e, lambda u: _transposed_where_free(u, axes, whole, walk), walk)


def _transposed_where_free(x: Any, axes: tuple[int, ...], whole: tuple[int, ...], walk: Walk) -> Any:
    """An operand of an operation of shape ``whole``, transposed by a reshape, or back to what was transposed."""
    if type(x) is not Var:
        lead = (1,) * (len(whole) - np.ndim(x))
        return (
            None if uniform(x) is None else np.transpose(np.reshape(x, lead + np.shape(x)), axes) if np.ndim(x) else x
        )
    if x.weak:
        return None
    x = reshaped(x, (1,) * (len(whole) - len(x.shape)) + x.shape, walk)
    shape = tuple(x.shape[a] for a in axes)
    inner = walk.made_by(x, np.transpose)
    if inner is not None and tuple(axes_of_transpose(inner)[a] for a in axes) == tuple(range(len(axes))):
        return inner.inputs[0]
    long = [a for a in axes if x.shape[a] > 1]
    return reshaped(x, shape, walk) if long == sorted(long) else None


def _moved_inside(e: Equation, move: Callable[[Any], Any], walk: Walk) -> Any:
    """The operation on moved operands, for an operation whose result is; None if some cannot be moved."""
    found = walk.inner(e.inputs[0])
    if found is None or not is_entrywise(found) or len(found.inputs) == 1:
        return None
    inputs = [move(x) for x in found.inputs]
    if any(x is None for x in inputs):
        return None
    return walk.emit(found.rule, inputs, {}, e.outputs[0])


def _transposed(x: Any, axes: tuple[int, ...], y: Var, walk: Walk) -> Any:
    return x if axes == tuple(range(len(axes))) else walk.emit(np.transpose, (x,), {"axes": axes}, y)


@of(reshape_to)
def _reshape(e: Equation, walk: Walk) -> Any:
    """A reshape to the same shape, or of a reshape."""
    x, y = e.inputs[0], e.outputs[0]
    if x.shape == y.shape and len(y.shape) < 2:
        return x
    if e.settings.get("order", "C") != "C":
        return None
    if x.shape == y.shape:
        return x
    inner = walk.made_by(x, reshape_to)
    if inner is not None:
        return reshaped(inner.inputs[0], y.shape, walk) if inner.settings.get("order", "C") == "C" else None
    return None


@reassociated(ANY, after=(reshape_to,))
def _reshape_outside(e: Equation, walk: Walk) -> Any:
    """An entrywise operation on reshapes of arrays of one shape, and on numbers, is a reshape of the operation.

    Signs and scales stay outside.
    """
    if not is_entrywise(e) or e.rule.fn is np.negative:
        return None
    if e.rule.fn in (np.multiply, np.divide) and has_no_axes(e.inputs[1]):
        return None
    shape = None
    inputs: list[Any] = []
    for x in e.inputs:
        found = walk.made_by(x, reshape_to)
        if found is not None and x.shape == e.outputs[0].shape and found.settings.get("order", "C") == "C":
            x = found.inputs[0]
            if shape not in (None, x.shape):
                return None
            shape = x.shape
        elif np.shape(x) if type(x) is not Var else x.shape:
            return None
        inputs.append(x)
    if shape is None or any(type(x) is Var and x.weak for x in inputs):
        return None
    y = e.outputs[0]
    return reshaped(walk.emit(e.rule, inputs, {}, (shape, y.dtype)), y.shape, walk)


@of(np.broadcast_to)
def _broadcast(e: Equation, walk: Walk) -> Any:
    """A broadcast to the same shape, or of a broadcast."""
    x, y = e.inputs[0], e.outputs[0]
    if x.shape == y.shape:
        return x
    inner = walk.made_by(x, np.broadcast_to)
    return walk.emit(np.broadcast_to, inner.inputs, {"shape": y.shape}, y) if inner else None

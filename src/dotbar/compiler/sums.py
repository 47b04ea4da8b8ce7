"""Sums: what does not vary along a sum stands before it.

::

    b: f64[9, 5] = broadcast_to a                       b: f64[] = sum a
    c: f64[] = sum b                                    c: f64[] = multiply b 9.0
    d: f64[9, 5] = multiply e f                  →      d: f64[] = sum f
    g: f64[] = sum d                                    g: f64[] = multiply e d
    h: f64[] = mean f                                   h: f64[] = divide d 45.0

Exact are the forms in which a reduction is written:  its axes in order;  a mean as a sum over a number, a variance and
a standard deviation as sums, as NumPy computes them, so that they share what the derivative needs.

With ``reassociate``, for real x:  Σ(−x) = −Σx;  Σ(u·x) = u·Σx and Σ(x/u) = (Σx)/u where u does not vary along the sum
(each may overflow where the other does not);  Σᵢ(XY)ᵢⱼ = ((Σᵢ Xᵢ) Y)ⱼ.
"""

from math import prod
from typing import Any

import numpy as np

from dotbar.compiler.products import PRODUCTS
from dotbar.compiler.rewriting import Walk, is_real, of, reassociated, reshaped, uniform
from dotbar.program import Equation, Var
from dotbar.rules.shapes import axes_of

__all__: list[str] = []


# ---------------------------------------------------------------- forms


REDUCTIONS = (np.sum, np.prod, np.mean, np.var, np.std, np.max, np.min, np.amax, np.amin, np.all, np.any)
DEFAULTS: dict[str, Any] = {"keepdims": (False,), "ddof": (0,)}


@of(*REDUCTIONS)
def _form(e: Equation, walk: Walk) -> Any:
    """A reduction with its axes in a tuple, ascending, and without settings that say nothing."""
    n, axis = len(e.inputs[0].shape), e.settings.get("axis")
    axes = tuple(sorted(axes_of(axis, n)))
    settings = {k: v for k, v in e.settings.items() if v is not None and v not in DEFAULTS.get(k, ())}
    dtype = settings.get("dtype")
    own = e.inputs[0].dtype  # sums of short integers are long ones
    if dtype is not None and dtype == own and own.kind in "fc":
        del settings["dtype"]
    if axis == axes and len(settings) == len(e.settings):
        return None
    return walk.emit(e.rule, e.inputs, {**settings, "axis": axes}, e.outputs[0])


@of(np.mean)
def _mean(e: Equation, walk: Walk) -> Any:
    """The mean is the sum over the number."""
    axes = _summed(e)
    return None if axes is None else _mean_of(e.inputs[0], axes, "keepdims" in e.settings, e.outputs[0], walk)


@of(np.var, np.std)
def _var(e: Equation, walk: Walk) -> Any:
    """The variance is the mean of (x − mean)²; the standard deviation its root."""
    axes, x, y = _summed(e, "ddof"), e.inputs[0], e.outputs[0]
    if axes is None:
        return None
    mean = _mean_of(x, axes, True, (tuple(1 if k in axes else n for k, n in enumerate(x.shape)), x.dtype), walk)
    square = walk.emit(np.square, (walk.emit(np.subtract, (x, mean), {}, x),), {}, x)
    var = _mean_of(square, axes, "keepdims" in e.settings, y, walk, e.settings.get("ddof", 0))
    return var if e.rule.fn is np.var else walk.emit(np.sqrt, (var,), {}, y)


def _mean_of(x: Var, axes: tuple[int, ...], keepdims: bool, y: Any, walk: Walk, ddof: Any = 0) -> Var:
    settings = {"axis": axes, "keepdims": True} if keepdims else {"axis": axes}
    count = x.dtype.type(max(prod(x.shape[a] for a in axes) - ddof, 0))
    return walk.emit(np.divide, (walk.emit(np.sum, (x,), settings, y), count), {}, y)


# ---------------------------------------------------------------- sums


def _summed(e: Equation, *more: str) -> tuple[int, ...] | None:
    """The axes of a plain reduction of real floats."""
    if type(e.inputs[0]) is not Var or not is_real(e) or not e.settings.keys() <= {"axis", "keepdims", *more}:
        return None
    axes = e.settings["axis"]
    return axes if e.inputs[0].dtype.itemsize > 2 else None


def _sum(e: Equation, x: Any, axes: tuple[int, ...], walk: Walk) -> Var:
    """The sum of another array over axes, in the form of an equation."""
    keep = "keepdims" in e.settings
    shape = tuple(1 if k in axes else n for k, n in enumerate(x.shape) if keep or k not in axes)
    return walk.emit(e.rule, (x,), {**e.settings, "axis": axes}, (shape, x.dtype))


@reassociated(np.sum)
def _sum_of_one(e: Equation, walk: Walk) -> Any:
    """The sum over axes of length 1, or over none; of −0 it is 0."""
    axes = _summed(e)
    if axes is None or any(e.inputs[0].shape[a] != 1 for a in axes):
        return None
    return reshaped(e.inputs[0], e.outputs[0].shape, walk)


@reassociated(np.sum, after=(np.negative,))
def _sum_of_negative(e: Equation, walk: Walk) -> Any:
    """Σ(−x) = −Σx."""
    found, axes = walk.made_by(e.inputs[0], np.negative), _summed(e)
    if found is None or axes is None:
        return None
    return walk.emit(np.negative, (_sum(e, found.inputs[0], axes, walk),), {}, e.outputs[0])


@reassociated(np.sum, after=(np.multiply, np.divide))
def _sum_of_product(e: Equation, walk: Walk) -> Any:
    """Σ(u·x) = u·Σx and Σ(x/u) = (Σx)/u where u does not vary along the sum."""
    found, axes = walk.made_by(e.inputs[0], np.multiply, np.divide), _summed(e)
    if found is None or axes is None or not axes or not is_real(found):
        return None
    whole = e.inputs[0].shape
    for k in (0, 1) if found.rule.fn is np.multiply else (1,):
        u, x = found.inputs[k], found.inputs[1 - k]
        if type(x) is Var and x.shape == whole and (u_sum := _along(u, len(whole), axes, e, walk)) is not None:
            terms = (u_sum, _sum(e, x, axes, walk))
            return walk.emit(found.rule, terms[::-1] if k else terms, {}, e.outputs[0])
    return None


def _along(u: Any, n: int, axes: tuple[int, ...], e: Equation, walk: Walk) -> Any:
    """The factor ``u`` beside the sum over axes, out of n, along which it does not vary; None if it does."""
    if type(u) is not Var:
        return uniform(u)
    if not u.shape:
        return u
    shape = (1,) * (n - len(u.shape)) + u.shape
    if any(shape[a] != 1 for a in axes):
        return None
    kept = "keepdims" in e.settings
    return reshaped(u, tuple(m for k, m in enumerate(shape) if kept or k not in axes), walk)


@reassociated(np.sum, after=(np.broadcast_to,))
def _sum_of_broadcast(e: Equation, walk: Walk) -> Any:
    """Σ of an array that is broadcast along the sum: it, times the number of terms."""
    found, axes = walk.made_by(e.inputs[0], np.broadcast_to), _summed(e)
    if found is None or axes is None or not axes or found.inputs[0].weak:
        return None
    x, whole = found.inputs[0], e.inputs[0].shape
    shape = (1,) * (len(whole) - len(x.shape)) + x.shape
    stretched = tuple(a for a in axes if shape[a] == 1)
    if not stretched:
        return None
    x = reshaped(x, shape, walk)
    count = x.dtype.type(prod(whole[a] for a in stretched))
    small = tuple(1 if a in stretched else n for a, n in enumerate(whole))
    if shape != small:
        x = walk.emit(np.broadcast_to, (x,), {"shape": small}, (small, x.dtype))
    y = e.outputs[0]
    return walk.emit(np.multiply, (_sum(e, x, axes, walk), count), {}, y)


MATMULS = (np.matmul, PRODUCTS[np.matmul].fn)


@reassociated(np.sum, after=MATMULS)
def _sum_of_matmul(e: Equation, walk: Walk) -> Any:
    """Σᵢ(XY)ᵢⱼ = ((Σᵢ Xᵢ) Y)ⱼ and Σⱼ(XY)ᵢⱼ = (X (Σⱼ Yⱼ))ᵢ, for each two matrices of two stacks."""
    found, axes = walk.made_by(e.inputs[0], *MATMULS), _summed(e)
    if found is None or axes is None or not axes or not is_real(found):
        return None
    n = len(e.inputs[0].shape)
    if any(len(x.shape) != n for x in found.inputs) or axes[0] < n - 2:
        return None
    X, Y = found.inputs
    flipped = found.settings.get("transpose", (False, False))
    total = Equation(e.rule, (), {**e.settings, "keepdims": True}, ())
    shape = [*e.inputs[0].shape]
    if n - 2 in axes:
        X, shape[n - 2] = _sum(total, X, (n - 1 if flipped[0] else n - 2,), walk), 1
    if n - 1 in axes:
        Y, shape[n - 1] = _sum(total, Y, (n - 2 if flipped[1] else n - 1,), walk), 1
    Z = walk.emit(found.rule, (X, Y), found.settings, (tuple(shape), e.outputs[0].dtype))
    return reshaped(Z, e.outputs[0].shape, walk)

"""Reductions along axes: sums, products, extrema, and the counts and positions that are constants.

Each of NumPy's functions is a composite that settles ``where=`` and ``initial=`` by other functions, and hands
what is left to one rule.
"""

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import numpy as np

from dotbar.core import Rule, as_array, dtype_of, primitive, shape_of
from dotbar.rules.kinds import Constant, General, Linear, composite, constant, rule, shift_axis
from dotbar.rules.shapes import astype, axes_of
from dotbar.rules.words import conj, masked, ratio, spread

# ---------------------------------------------------------------- axes


def extent(shape: tuple[int, ...], axis: Any) -> int:
    """How many entries a reduction along the axes takes into one."""
    return prod(shape if axis is None else (shape[k] for k in axes_of(axis, len(shape))))


def lines(a: Any, axis: Any) -> tuple[Any, Callable[[Any], Any]]:
    """``a`` with the given axes as one last axis, and the way back."""
    axes = axes_of(axis, np.ndim(a))
    order = (*(k for k in range(np.ndim(a)) if k not in axes), *axes)
    moved = np.transpose(a, order)
    split = len(order) - len(axes)

    def back(x: Any) -> Any:
        return np.transpose(np.reshape(x, moved.shape), np.argsort(order))

    return np.reshape(moved, (*moved.shape[:split], prod(moved.shape[split:]))), back


def restore(y: Any, axis: Any, ndim: int, keepdims: bool) -> Any:
    """The result of reducing the lines of an array of ``ndim`` axes, its reduced axes kept if wanted."""
    return np.expand_dims(y, axes_of(axis, ndim)) if keepdims else y


def chosen(where: Any, a: Any, neutral: Any) -> Any:
    """``a`` with ``neutral`` in place of what ``where`` leaves out of a reduction."""
    return np.where(np.broadcast_to(where, shape_of(a)), a, neutral)


# ---------------------------------------------------------------- sums and products

_sum = Linear(
    np.sum,
    lambda ybar, a, *, axis=None, dtype=None, keepdims=False: spread(ybar, a.shape, axis, keepdims),
    "axis",
    moves=True,
)


@composite(np.sum)
def total(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """y = Σ aᵢ."""
    if where is not True:
        a = chosen(where, as_array(a), 0)
    y = _sum(a, axis=axis, dtype=dtype, keepdims=keepdims)
    return y if initial is None else y + number(initial, dtype_of(y))


def number(initial: Any, dtype: Any) -> Any:
    """The entry that a reduction starts with."""
    return np.reshape(astype(initial, dtype=dtype), ())


def before(a: Any) -> Any:
    """Π_{j<i} aⱼ for each entry i along the last axis."""
    one = np.ones((*shape_of(a)[:-1], 1), dtype_of(a))
    return np.concatenate([one, np.cumprod(a, -1)], -1)[..., :-1]


def others(a: Any, axis: Any) -> Any:
    """Π_{j≠i} aⱼ for each entry i along the axes, without a division: exact where entries are zero."""
    x, back = lines(a, axis)
    return back(before(x) * before(x[..., ::-1])[..., ::-1])


def _prod_body(y: Any, a: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """y = Π aᵢ:  ẏ = Σᵢ pᵢ ȧᵢ,  āᵢ = p̄ᵢ ȳ,  pᵢ = Π_{j≠i} aⱼ."""
    p = others(a, axis)

    def dot(adot: Any) -> Any:
        return np.sum(p * adot, axis, dtype, keepdims=keepdims)

    def bar(ybar: Any) -> Any:
        return spread(ybar, shape_of(a), axis, keepdims) * conj(p)

    return dot, bar


_prod = General(np.prod, _prod_body, "axis")


@composite(np.prod)
def product(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """y = Π aᵢ."""
    if where is not True:
        a = chosen(where, as_array(a), 1)
    y = _prod(a, axis=axis, dtype=dtype, keepdims=keepdims)
    return y if initial is None else y * number(initial, dtype_of(y))


@composite(np.nansum)
def nansum(a: Any, *args: Any, **kw: Any) -> Any:
    a = as_array(a)
    return np.sum(np.where(np.isnan(a), 0, a), *args, **kw)


@composite(np.nanprod)
def nanprod(a: Any, *args: Any, **kw: Any) -> Any:
    a = as_array(a)
    return np.prod(np.where(np.isnan(a), 1, a), *args, **kw)


# ---------------------------------------------------------------- extrema


@primitive
def attains(a: Any, y: Any) -> Any:
    """Where the entries of ``a`` equal the extremum ``y``, two NaNs being equal."""
    hit, lost = np.equal(a, y), np.not_equal(y, y)
    return hit | (lost & np.not_equal(a, a)) if lost.any() else hit


constant(attains, like=lambda a, y: None, batch="(),()->()")


def extremum_rule(fn: Any, hits: Callable[[Any, Any], Any]) -> Rule:
    """y = max aᵢ: the entries that attain it share equally, so ẏ is the mean of their ȧᵢ."""

    def body(y: Any, a: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        hit = hits(a, spread(y, shape_of(a), axis, keepdims))
        count = np.maximum(np.sum(hit, axis, dtype_of(y), keepdims=keepdims), 1)

        def dot(adot: Any) -> Any:
            return np.sum(np.where(hit, adot, 0), axis, keepdims=keepdims) / count

        def bar(ybar: Any) -> Any:
            return masked(spread(ybar / count, shape_of(a), axis, keepdims), hit)

        return dot, bar

    return General(fn, body, "axis")


def extremum(
    rule: Rule,
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """The largest or smallest entry; ``initial`` is one more entry of each line."""
    if initial is None:
        if where is not True:
            raise ValueError(f"{rule.name} has no identity, so to use a where mask one has to specify 'initial'")
        return rule(a, axis=axis, keepdims=keepdims)
    a = as_array(a)
    initial = number(initial, dtype_of(a))
    if where is not True:
        a = chosen(where, a, initial)
    x, _ = lines(a, axis)
    column = np.broadcast_to(initial, (*shape_of(x)[:-1], 1))
    return restore(rule(np.concatenate([x, column], -1), axis=-1), axis, np.ndim(a), keepdims)


for _fn in (np.max, np.amax, np.min, np.amin):
    composite(_fn)(partial(extremum, extremum_rule(_fn, attains)))
for _fn in (np.nanmax, np.nanmin):
    composite(_fn)(partial(extremum, extremum_rule(_fn, np.equal)))


@composite(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """The largest minus the smallest entry."""
    a = as_array(a)
    return np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims)


# ---------------------------------------------------------------- sums of exponentials


@primitive
def logsumexp(a: Any, *, axis: Any = 0, keepdims: bool = False) -> Any:
    """log Σ exp aᵢ = m + log k + log(1 + Σ exp(aᵢ − m)/k): k entries are the maximum m, the sum is over the others.

    So it is accurate also where the result is near 0.  Of no entries it is −∞.
    """
    top = np.max(a, axis, keepdims=True, initial=-np.inf)
    highest = np.equal(a, top)
    number = np.maximum(np.sum(highest, axis, dtype_of(a), keepdims=True), 1)
    others = np.where(highest, -np.inf, a) - np.where(np.equal(top, -np.inf), 0, top)
    y = top + (np.log(number) + np.log1p(np.sum(np.exp(others), axis, keepdims=True) / number))
    return y if keepdims else np.squeeze(y, axis)


@rule(logsumexp, "axis")
def _logsumexp(y: Any, a: Any, *, axis: Any = 0, keepdims: bool = False) -> Any:
    """ẏ = Σᵢ wᵢ ȧᵢ,  āᵢ = wᵢ ȳ,  wᵢ = exp(aᵢ − y);  entries that are +∞ share equally, where all are −∞ w is 0."""
    top = spread(y, shape_of(a), axis, keepdims)
    infinite = np.equal(a, np.inf)
    share = ratio(1.0, np.sum(infinite, axis, dtype_of(y), keepdims=True))
    w = np.where(infinite, share, np.exp(a - np.where(np.isinf(top) & (top < 0), 0, top)))

    def dot(adot: Any) -> Any:
        return np.sum(w * adot, axis, keepdims=keepdims)

    def bar(ybar: Any) -> Any:
        return w * spread(ybar, shape_of(a), axis, keepdims)

    return dot, bar


# ---------------------------------------------------------------- constants


def _arg_batch(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Batch a function that counts positions: along all axes they count through the item."""

    def batch(xs: Any, batched: Any, size: int, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        (a,) = xs
        shape = shape_of(a)[1:]
        if axis is not None and shape:
            return fn(a, shift_axis(axis, len(shape)), keepdims=keepdims)
        y = fn(np.reshape(a, (size, prod(shape))), 1)
        return np.reshape(y, (size, *(1,) * len(shape))) if keepdims else y

    return batch


for _fn in (np.argmax, np.argmin, np.nanargmax, np.nanargmin):
    constant(_fn, like=lambda a, *, axis=None, out=None, keepdims=False: None, batch=_arg_batch(_fn))

constant(np.count_nonzero, like=lambda a, *, axis=None, keepdims=False: None, batch="axis")

_all = Constant(np.all, ["a"], ["axis", "keepdims"], "axis")
_any = Constant(np.any, ["a"], ["axis", "keepdims"], "axis")


@composite(np.all)
def all_true(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
    return _all(a if where is True else np.logical_or(a, np.logical_not(where)), axis=axis, keepdims=keepdims)


@composite(np.any)
def any_true(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
    return _any(a if where is True else np.logical_and(a, where), axis=axis, keepdims=keepdims)

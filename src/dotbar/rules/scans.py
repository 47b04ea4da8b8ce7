"""Running sums, products and extrema, differences, and quadrature along an axis."""

from collections.abc import Callable
from functools import partial
from math import isqrt
from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from dotbar.core import Rule, as_array, dtype_of, primitive, shape_of, take_index
from dotbar.rules.kinds import General, Linear, composite, linear, rule
from dotbar.rules.reductions import attains, axes_of, before
from dotbar.rules.shapes import astype, check_axes, one_axis, operand
from dotbar.rules.words import conj, scatter

# ---------------------------------------------------------------- along one axis


def backwards(x: Any, axis: int = -1) -> Any:
    """``x`` in reverse order along an axis."""
    return x[(*(slice(None),) * (axis % np.ndim(x)), slice(None, None, -1))]


def delay(x: Any) -> Any:
    """The previous entry of each along the last axis; 0 before the first."""
    return np.concatenate([np.zeros((*shape_of(x)[:-1], 1), dtype_of(x)), x], -1)[..., :-1]


# ---------------------------------------------------------------- the linear recurrence


@primitive
def recurrence(a: Any, b: Any) -> Any:
    """tᵢ = aᵢ tᵢ₋₁ + bᵢ along the last axis, from t₋₁ = 0."""
    return _by_blocks(a, b, np.multiply)


def _by_blocks(a: Any, b: Any, times: Callable[[Any, Any], Any]) -> Any:
    """The recurrence by blocks of √n entries.

    They run side by side, each from 0; then each receives what the one before it ends with, which is the same
    recurrence over the blocks.
    """
    a, b = np.broadcast_arrays(a, b)
    *lead, n = a.shape
    width = n if n < 4 else isqrt(n)
    count = -(-n // width) if n else 0

    def blocks(x: Any) -> Any:
        rows = np.pad(x, [(0, 0)] * len(lead) + [(0, count * width - n)])
        return np.array(np.moveaxis(np.reshape(rows, (*lead, count, width)), -1, 0), np.result_type(a, b), order="C")

    p, t = blocks(a), blocks(b)
    with np.errstate(all="ignore"):
        for i in range(1, width):
            t[i] += times(p[i], t[i - 1])
            p[i] *= p[i - 1]
        if count > 1:
            t += _through(p, delay(_by_blocks(p[-1], t[-1], _through)))
    return np.reshape(np.moveaxis(t, 0, -1), (*lead, count * width))[..., :n]


def _through(p: Any, t: Any) -> Any:
    """p t, where a 0 stays 0 though the product p of many factors has overflowed."""
    return np.where(t == 0, 0, p * t)


def recurrence_transposed(a: Any, tbar: Any) -> Any:
    """The transpose in b: sᵢ = t̄ᵢ + āᵢ₊₁ sᵢ₊₁."""
    return backwards(recurrence(delay(backwards(conj(a))), backwards(tbar)))


@rule(recurrence, "(n),(n)->(n)")
def _recurrence(t: Any, a: Any, b: Any) -> Any:
    """ṫᵢ = aᵢ ṫᵢ₋₁ + (ȧᵢ tᵢ₋₁ + ḃᵢ): the same recurrence."""

    def dot_a(adot: Any) -> Any:
        return recurrence(a, adot * delay(t))

    def bar_a(tbar: Any) -> Any:
        return conj(delay(t)) * recurrence_transposed(a, tbar)

    def dot_b(bdot: Any) -> Any:
        return recurrence(a, bdot)

    def bar_b(tbar: Any) -> Any:
        return recurrence_transposed(a, tbar)

    return (dot_a, bar_a), (dot_b, bar_b)


# ---------------------------------------------------------------- running sums and products

_cumsum = Linear(
    np.cumsum,
    lambda ybar, a, *, axis=0, dtype=None: backwards(np.cumsum(backwards(ybar, axis), axis), axis),
    "axis",
)


def _cumprod_body(y: Any, a: Any, *, axis: int = 0, dtype: Any = None) -> Any:
    """yᵢ = yᵢ₋₁ aᵢ, so ẏᵢ = aᵢ ẏᵢ₋₁ + yᵢ₋₁ ȧᵢ: a recurrence without division, exact where entries are zero."""
    x = np.moveaxis(a, axis, -1)
    p = before(x)

    def dot(adot: Any) -> Any:
        return np.moveaxis(recurrence(x, p * np.moveaxis(adot, axis, -1)), -1, axis)

    def bar(ybar: Any) -> Any:
        return np.moveaxis(conj(p) * recurrence_transposed(x, np.moveaxis(ybar, axis, -1)), -1, axis)

    return dot, bar


_cumprod = General(np.cumprod, _cumprod_body, "axis")


def scan(rule: Rule, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """A running sum or product; along no given axis it runs through all entries."""
    a = as_array(a)
    a, axis = one_axis(operand(a), axis)
    return rule(a, axis=axis, dtype=dtype)


def scan_skipping_nan(fn: Callable[..., Any], neutral: int, a: Any, *args: Any, **kw: Any) -> Any:
    """A running sum or product in which each NaN counts as ``neutral``."""
    a = as_array(a)
    return fn(np.where(np.isnan(a), neutral, a), *args, **kw)


def cumulative(
    fn: Callable[..., Any],
    neutral: int,
    x: Any,
    *,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    include_initial: bool = False,
) -> Any:
    """A running sum or product under the array API standard: it may begin with its neutral element."""
    x = as_array(x)
    if axis is None:
        if np.ndim(x) > 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        axis = 0
    y = fn(np.reshape(x, -1) if np.ndim(x) == 0 else x, axis, dtype)
    if not include_initial:
        return y
    shape = list(shape_of(y))
    shape[axis] = 1
    return np.concatenate([np.full(shape, neutral, dtype_of(y)), y], axis)


composite(np.cumsum)(partial(scan, _cumsum))
composite(np.cumprod)(partial(scan, _cumprod))
composite(np.nancumsum)(partial(scan_skipping_nan, np.cumsum, 0))
composite(np.nancumprod)(partial(scan_skipping_nan, np.cumprod, 1))
if hasattr(np, "cumulative_sum"):
    composite(np.cumulative_sum)(partial(cumulative, np.cumsum, 0))
    composite(np.cumulative_prod)(partial(cumulative, np.cumprod, 1))


# ---------------------------------------------------------------- running extrema


@primitive
def running_max(a: Any, *, axis: int = 0) -> Any:
    """``np.maximum.accumulate``."""
    return np.maximum.accumulate(a, axis)


@primitive
def running_min(a: Any, *, axis: int = 0) -> Any:
    """``np.minimum.accumulate``."""
    return np.minimum.accumulate(a, axis)


def _running_extremum(y: Any, a: Any, *, axis: int = 0) -> Any:
    """Entries so far that attain the extremum share equally: a sum that starts anew wherever the extremum moves."""
    x, top = np.moveaxis(a, axis, -1), np.moveaxis(y, axis, -1)
    hit = attains(x, top)
    stay = astype(attains(top, delay(top)), dtype=dtype_of(y))
    count = recurrence(stay, astype(hit, dtype=dtype_of(y)))

    def dot(adot: Any) -> Any:
        return np.moveaxis(recurrence(stay, np.where(hit, np.moveaxis(adot, axis, -1), 0)) / count, -1, axis)

    def bar(ybar: Any) -> Any:
        s = recurrence_transposed(stay, np.moveaxis(ybar, axis, -1) / count)
        return np.moveaxis(np.where(hit, s, 0), -1, axis)

    return dot, bar


rule(running_max, "axis")(_running_extremum)
rule(running_min, "axis")(_running_extremum)


# ---------------------------------------------------------------- sums over segments


@primitive
def add_reduceat(a: Any, *, indices: Any, axis: int = 0) -> Any:
    """``np.add.reduceat``: the sums over a[iₖ : iₖ₊₁]; where iₖ ≥ iₖ₊₁ the entry iₖ alone."""
    return np.add.reduceat(a, indices, axis)


def _add_reduceat_bar(ybar: Any, a: Any, *, indices: Any, axis: int = 0) -> Any:
    axis = axis % a.ndim
    ends = np.append(indices[1:], a.shape[axis])
    spans = [np.arange(i, max(i + 1, end)) for i, end in zip(indices, ends)]
    segment = np.repeat(np.arange(len(spans)), [len(s) for s in spans])
    lead = (slice(None),) * axis
    path = ((take_index, {"index": (*lead, np.concatenate(spans))}),)
    return scatter(ybar[(*lead, segment)], path=path, shape=a.shape)


linear(add_reduceat, _add_reduceat_bar, batch="axis")


# ---------------------------------------------------------------- differences


def _diff_bar(ybar: Any, a: Any, *, n: int = 1, axis: int = -1) -> Any:
    """The n-th difference of ȳ between zeros, with the sign (−1)ⁿ."""
    edge = list(shape_of(ybar))
    edge[axis] = n
    zero = np.zeros(edge, dtype_of(ybar))
    return (-1) ** n * _diff(np.concatenate([zero, ybar, zero], axis), n=n, axis=axis)


_diff = Linear(np.diff, _diff_bar, "axis")


@composite(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The n-th difference yᵢ = aᵢ₊₁ − aᵢ; ``prepend`` and ``append`` are joined on before."""
    a, n = as_array(a), index(n)
    if n == 0:
        return a
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n!r}")
    axis = normalize_axis_index(axis, np.ndim(a))
    edge = list(shape_of(a))
    edge[axis] = 1
    joined = [np.broadcast_to(v, edge) if np.ndim(v) == 0 else v for v in (prepend, a, append) if v is not None]
    a = np.concatenate(joined, axis) if len(joined) > 1 else a
    return _diff(a, n=min(n, shape_of(a)[axis]), axis=axis)


@composite(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of consecutive entries, with other entries joined on."""
    ary = as_array(ary)
    y = np.diff(np.reshape(ary, -1))
    pieces = [y if v is y else np.reshape(v, -1) for v in (to_begin, y, to_end) if v is not None]
    return np.concatenate(pieces, dtype=dtype_of(ary), casting="same_kind")


def central(f: Any, h: Any) -> Any:
    """df/dx at the inner points of the last axis, exact on parabolas; ``h`` is one step or all of them."""
    if np.ndim(h) == 0:
        return (f[..., 2:] - f[..., :-2]) / (2.0 * h)
    left, right = h[:-1], h[1:]
    return (
        -right / (left * (left + right)) * f[..., :-2]
        + (right - left) / (left * right) * f[..., 1:-1]
        + left / (right * (left + right)) * f[..., 2:]
    )


def forward(f: Any, h: Any, order: int) -> Any:
    """df/dx at the first point of the last axis, exact on polynomials of degree ``order``."""
    near, far = h[:1], h[1:2]
    if order == 1:
        return (f[..., 1:2] - f[..., :1]) / near
    return (
        -(2.0 * near + far) / (near * (near + far)) * f[..., :1]
        + (near + far) / (near * far) * f[..., 1:2]
        - near / (far * (near + far)) * f[..., 2:3]
    )


def steps(spacing: tuple[Any, ...], shape: tuple[int, ...], axes: tuple[int, ...]) -> list[Any]:
    """The step, or the steps between given coordinates, along each axis."""
    if len(spacing) == 0:
        return [1.0] * len(axes)
    if len(spacing) == 1 and np.ndim(spacing[0]) == 0:
        return [spacing[0]] * len(axes)
    if len(spacing) != len(axes):
        raise TypeError("invalid number of arguments")
    for x, k in zip(spacing, axes):
        if np.ndim(x) > 1:
            raise ValueError("distances must be either scalars or 1d")
        if np.ndim(x) == 1 and len(x) != shape[k]:
            raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    return [np.diff(x) if np.ndim(x) else x for x in spacing]


@composite(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Derivatives along axes by differences: central ones inside, one-sided ones at both ends.  Fornberg (1988)."""
    f = as_array(f)
    check_axes(axis, np.ndim(f))
    axes = axes_of(axis, np.ndim(f))
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    dtype = np.result_type(dtype_of(f), np.float16 if dtype_of(f).kind in "fc" else np.float64)

    def along(k: int, h: Any) -> Any:
        x = np.moveaxis(f, k, -1)
        n = shape_of(x)[-1]
        if n < edge_order + 1:
            raise ValueError(
                "Shape of array too small to calculate a numerical gradient, "
                "at least (edge_order + 1) elements are required."
            )
        every = h * np.ones(n - 1, dtype)
        first = forward(x, every, edge_order)
        last = -forward(backwards(x), backwards(every), edge_order)
        y = np.concatenate([first, central(x, h), last], -1)
        return np.moveaxis(y if dtype_of(y) == dtype else astype(y, dtype=dtype), -1, k)

    slopes = tuple(along(k, h) for k, h in zip(axes, steps(tuple(map(as_array, varargs)), shape_of(f), axes)))
    return slopes[0] if len(slopes) == 1 else slopes


@composite(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """∫ y dx by the trapezoidal rule: Σ hᵢ (yᵢ + yᵢ₊₁)/2."""
    y, x = as_array(y), as_array(x)
    y = np.moveaxis(y, axis, -1)
    h = dx if x is None else np.diff(x) if np.ndim(x) == 1 else np.diff(np.moveaxis(x, axis, -1))
    return np.sum(h * (y[..., 1:] + y[..., :-1]) / 2.0, -1)

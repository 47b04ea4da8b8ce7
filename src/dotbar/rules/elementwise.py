"""Functions of each entry beyond the ufuncs: special points, selection, interpolation, counting, grids."""

from collections.abc import Callable
from math import prod
from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from dotbar import core
from dotbar.core import Traced, dtype_of, primitive, shape_of, take_index
from dotbar.errors import ConversionError
from dotbar.rules.kinds import Constant, call_batched, composite, constant, elementwise, rule
from dotbar.rules.shapes import astype, cast, check_cast, operand, stand_in
from dotbar.rules.words import entries, raise_if, scatter, ungather

# ---------------------------------------------------------------- rounding and repairing

constant(np.round, like=lambda a, *, decimals=0: None, batch="()->()")
constant(np.around, like=lambda a, *, decimals=0: None, batch="()->()")
constant(np.fix, like=lambda x: None, batch="()->()")


@composite(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Replaced entries are structural zeros of the derivative."""
    dtype = dtype_of(x)
    if dtype.kind == "c":
        re, im = (nan_to_num(part, True, nan, posinf, neginf) for part in (np.real(x), np.imag(x)))
        y = re + 1j * im
    elif dtype.kind != "f":
        y = np.copy(x)
    else:
        limits = np.finfo(dtype)
        y = np.where(np.isnan(x), nan, x)
        y = np.where(np.equal(x, np.inf), limits.max if posinf is None else posinf, y)
        y = np.where(np.equal(x, -np.inf), limits.min if neginf is None else neginf, y)
    check_cast(dtype_of(y), dtype, "same_kind")
    return y if copy else core.copy_into(x, y)


@composite(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    if dtype_of(a).kind != "c":
        return a
    tol = tol * np.finfo(dtype_of(a)).eps if tol > 1 else tol
    return np.real(a) if np.all(np.abs(np.imag(a)) < tol) else a


NOT_GIVEN: Any = object()


@composite(np.clip)
def clip(
    a: Any, a_min: Any = NOT_GIVEN, a_max: Any = NOT_GIVEN, *, min: Any = NOT_GIVEN, max: Any = NOT_GIVEN, **kw: Any
) -> Any:
    """At a bound, argument and bound share the derivative equally."""
    given = [bound is not NOT_GIVEN for bound in (a_min, a_max, min, max)]
    if given[0] != given[1] or (given[0] and any(given[2:])):
        raise TypeError("np.clip takes a_min and a_max, or min and max")
    lo, hi = (None if bound is NOT_GIVEN else bound for bound in ((a_min, a_max) if given[0] else (min, max)))
    if lo is None and hi is None:
        return +a
    y = a if lo is None else np.maximum(a, lo, **kw)
    return y if hi is None else np.minimum(y, hi, **kw)


@rule(np.unwrap, "axis")
def unwrap(y: Any, p: Any, *, discont: Any = None, axis: int = -1, period: Any = 2 * np.pi) -> Any:
    """Adds multiples of the period, which do not change nearby."""
    return (lambda pdot: pdot), (lambda ybar: ybar)


# ---------------------------------------------------------------- sinc and Bessel functions


@primitive
def spherical_jn(x: Any, *, n: int) -> Any:
    """The spherical Bessel function jₙ(πx), n ≥ 1."""
    u = np.pi * x
    if n == 1:
        return _spherical_j1(u)
    from scipy.special import spherical_jn as jn

    def by_parity(u: Any) -> Any:  # older versions of SciPy give nan at negative numbers
        return jn(n, u) if u.dtype.kind == "c" else np.sign(u) ** n * jn(n, np.abs(u))

    return _in_scipy(by_parity, u)


def _in_scipy(f: Callable[[Any], Any], x: Any) -> Any:
    """A function of SciPy, which knows only double precision, in the precision of its argument."""
    dtype = dtype_of(x)
    return np.asarray(f(np.asarray(x, np.complex128 if dtype.kind == "c" else np.float64))).astype(dtype)[()]


def _spherical_j1(u: Any) -> Any:
    """j₁(u) = (sin u − u cos u)/u², near 0 by its series u/3 (1 − u²/10 (1 − u²/28 (1 − …))).  DLMF 10.53.1."""
    near = np.abs(u) < 1
    v, t = np.where(near, 1, u), np.where(near, u, 0)
    series = np.ones_like(t)
    for k in range(8, 0, -1):
        series = 1 - t * t / (2 * k * (2 * k + 3)) * series
    return np.where(near, t / 3 * series, (np.sin(v) / v - np.cos(v)) / v)


elementwise(np.sinc, lambda x: -np.pi * spherical_jn(x, n=1))  # sinc x = j₀(πx),  j₀′ = −j₁


@rule(spherical_jn, "()->()")
def _spherical_jn(y: Any, x: Any, *, n: int) -> Any:
    """(2n + 1) jₙ′ = n jₙ₋₁ − (n + 1) jₙ₊₁, exact at 0.  DLMF 10.51.2."""

    def slope() -> Any:
        below = np.sinc(x) if n == 1 else spherical_jn(x, n=n - 1)
        return np.pi / (2 * n + 1) * (n * below - (n + 1) * spherical_jn(x, n=n + 1))

    return (lambda xdot: slope() * xdot), (lambda ybar: np.conj(slope()) * ybar)


@primitive
def bessel_i(x: Any, *, n: int) -> Any:
    """The modified Bessel function Iₙ(x), n ≥ 1."""
    from scipy.special import i1, iv

    return _in_scipy(i1 if n == 1 else lambda x: iv(n, x), x)


elementwise(np.i0, lambda x: bessel_i(x, n=1))


@rule(bessel_i, "()->()")
def _bessel_i(y: Any, x: Any, *, n: int) -> Any:
    """2 Iₙ′ = Iₙ₋₁ + Iₙ₊₁.  DLMF 10.29.1."""

    def slope() -> Any:
        return ((np.i0(x) if n == 1 else bessel_i(x, n=n - 1)) + bessel_i(x, n=n + 1)) / 2

    return (lambda xdot: slope() * xdot), (lambda ybar: slope() * ybar)


# ---------------------------------------------------------------- selection


@composite(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The first choice whose condition holds; the others are structural zeros of the derivative."""
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    y = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        y = np.where(condition, choice, y)
    return y


@composite(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Each function is called on its own entries only, or on all of a batch and then selected."""
    x = operand(x)
    if not isinstance(condlist, (list, tuple)) or (x.ndim and not np.ndim(condlist[0])):
        condlist = [condlist]
    conditions = [core.without_cells(c) for c in condlist]
    if len(funclist) == len(conditions) + 1:
        rest = True
        for c in conditions:
            rest = rest & np.logical_not(c)
        conditions.append(rest)
    elif len(funclist) != len(conditions):
        raise ValueError(
            f"with {len(conditions)} condition(s), either {len(conditions)} or {len(conditions) + 1} "
            "functions are expected"
        )
    y = np.zeros_like(x) if isinstance(x, Traced) else core.cell(np.zeros_like(x))
    for c, f in zip(conditions, funclist):
        if isinstance(c, Traced):
            y = np.where(c, f(x, *args, **kw) if callable(f) else f, y)
        elif np.any(c):
            c = np.asarray(c)
            y[c] = f(x[c], *args, **kw) if callable(f) else f
    return y


@composite(np.choose)
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    """Entries that are not chosen are structural zeros of the derivative; a batch takes the nearest valid index."""
    a, n = operand(a), len(choices)
    if mode == "raise" and not isinstance(a, Traced) and np.any((a < 0) | (a >= n)):
        raise ValueError("invalid entry in choice array")
    a = np.mod(a, n) if mode == "wrap" else np.minimum(np.maximum(a, 0), n - 1)
    y = choices[0]
    for k in range(1, n):
        y = np.where(np.equal(a, k), choices[k], y)
    return np.broadcast_to(y, np.broadcast_shapes(shape_of(y), shape_of(a)))


# ---------------------------------------------------------------- searching, interpolation, counting


def _ranks(x: Any) -> Any:
    """The place of each entry along the sorted last axis, equal entries in their order."""
    return np.argsort(np.argsort(x, stable=True))


def _batch_searchsorted(xs: Any, batched: Any, size: int, side: str = "left", sorter: Any = None) -> Any:
    """With an array per item: how many of its entries come before each value when both are sorted together."""
    a, v = xs
    if not batched[0]:
        return np.searchsorted(a, v, side, sorter)
    a = a if sorter is None else np.take(a, sorter, 1)
    v = v if batched[1] else np.broadcast_to(v, (size, *shape_of(v)))
    values = np.reshape(v, (size, prod(shape_of(v)[1:])))
    n = shape_of(values)[1]
    if side == "left":
        seats = _ranks(np.concatenate([values, a], 1))[:, :n]
    else:
        seats = _ranks(np.concatenate([a, values], 1))[:, shape_of(a)[1] :]
    return np.reshape(seats - _ranks(values), shape_of(v))


def _batch_digitize(xs: Any, batched: Any, size: int, right: bool = False) -> Any:
    how = None if batched[1] else "(),(n)->()"
    return call_batched(core.RULES[np.digitize], how, xs, batched, size, {"right": right})


constant(np.searchsorted, like=lambda a, v, *, side="left", sorter=None: None, batch=_batch_searchsorted)
constant(np.digitize, like=lambda x, bins, *, right=False: None, batch=_batch_digitize)


def in_double(x: Any) -> Any:
    """An array in double precision, where NumPy works in no other."""
    x = operand(x)
    return astype(x, dtype=np.result_type(x.dtype, np.float64))


@composite(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """On each interval y = f₀ + (x − x₀)(f₁ − f₀)/(x₁ − x₀); at a knot the interval to its right counts."""
    x, xp, fp = map(operand, (x, xp, fp))
    x, xp = cast(x, np.float64), cast(xp, np.float64)
    fp = cast(fp, np.complex128 if fp.dtype.kind == "c" else np.float64)
    if xp.ndim != 1 or fp.ndim != 1 or len(xp) != len(fp) or not len(xp):
        raise ValueError("fp and xp are not 1-D sequences of the same length, or are empty")
    if period is not None:
        x, xp = np.mod(x, abs(period)), np.mod(xp, abs(period))
        order = np.argsort(xp)
        xp, fp = entries(xp, (order,)), entries(fp, (order,))
        xp = np.concatenate([xp[-1:] - abs(period), xp, xp[:1] + abs(period)])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
        left = right = None
    n = len(xp)
    k = np.minimum(np.maximum(np.searchsorted(xp, x, "right") - 1, 0), n - 1)
    low, high = np.less(x, xp[0]), np.greater_equal(x, xp[-1])
    inside = np.greater_equal(x, xp[0]) & np.less(x, xp[-1])
    x0, x1, f0, f1 = (entries(v, (i,)) for v in (xp, fp) for i in (k, np.minimum(k + 1, n - 1)))
    y = f0 + np.where(low | high, 0, x - x0) * ((f1 - f0) / np.where(inside, x1 - x0, 1))
    y = np.where(low, fp[0] if left is None else left, y)
    y = np.where(high, fp[-1], y)
    return y if right is None else np.where(np.greater(x, xp[-1]), right, y)


@composite(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """Linear in the weights; for places that differ by item ``minlength`` is the length."""
    x = core.without_cells(x)
    if isinstance(x, Traced):
        raise_if(np.less(x, 0), error=ValueError("'list' argument must have no negative elements"))
        n = minlength
        try:
            if not n or np.any(np.greater_equal(x, n)):
                n = max(n, int(np.max(x, initial=-1)) + 1)
        except ConversionError:
            error = ConversionError("np.bincount of a batch needs a minlength that is enough for each item.")
            raise_if(np.greater_equal(x, n), error=error)
        w = np.ones(x.shape) if weights is None else cast(operand(weights), np.float64)
        y = ungather(w, x, template=(None,), traced=(True,), shape=(n,))
        return astype(y, dtype=np.intp) if weights is None else y
    if not isinstance(weights, Traced):
        return np.bincount(x, weights, minlength)
    x = np.asarray(x)
    if x.ndim != 1 or shape_of(weights) != x.shape:
        raise ValueError("The weights and list don't have the same length.")
    if x.size and x.min() < 0:
        raise ValueError("'list' argument must have no negative elements")
    n = max(int(x.max(initial=-1)) + 1, minlength)
    return scatter(cast(weights, np.float64), path=((take_index, {"index": x}),), shape=(n,))


_edges = Constant(np.histogram_bin_edges, ["a"], ["bins", "range", "weights"], None)


def spaced_edges(a: Any, bins: Any, range: Any, dtype: Any = None) -> Any:
    """The given edges, or equally spaced ones over the given range or from the smallest entry to the largest."""
    bins = core.as_array(bins)
    if np.ndim(bins) == 1:
        bins = operand(bins)
        raise_if(np.less(np.diff(bins), 0), error=ValueError("`bins` must increase monotonically, when an array"))
        return bins
    n = index(bins)
    lo, hi = range if range is not None else (np.min(a), np.max(a)) if a.size else (0, 1)
    valid = np.less_equal(lo, hi) & np.isfinite(lo) & np.isfinite(hi) & (n > 0)
    raise_if(np.logical_not(valid), error=ValueError("`bins` must be positive, and their range finite"))
    same = np.equal(lo, hi)
    return np.linspace(np.where(same, lo - 0.5, lo), np.where(same, hi + 0.5, hi), n + 1, dtype=dtype)


@composite(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    a = operand(a)
    if weights is not None and shape_of(operand(weights)) != a.shape:
        raise ValueError("weights should have the same shape as a.")
    if isinstance(bins, str):
        bins = len(_edges(a, bins=bins, range=range, weights=weights)) - 1
    bounds = () if range is None else range
    dtype = np.result_type(a.dtype, *(v.dtype if hasattr(v, "dtype") else v for v in bounds))
    return spaced_edges(a, bins, range, dtype if dtype.kind in "fc" else np.float64)


@composite(np.histogram)
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """Linear in the weights; a density is divided by its total and by the widths of the bins."""
    edges = np.histogram_bin_edges(a, bins, range, weights)
    a = np.reshape(a, -1)
    inside = np.flatnonzero(np.greater_equal(a, edges[0]) & np.less_equal(a, edges[-1]))
    bin_of = np.minimum(np.searchsorted(edges, a, "right")[inside] - 1, len(edges) - 2)
    if weights is None:
        counts: Any = np.bincount(bin_of, minlength=len(edges) - 1)
    else:
        path = ((take_index, {"index": bin_of}),)
        counts = scatter(np.reshape(weights, -1)[inside], path=path, shape=(len(edges) - 1,))
    return (counts / np.diff(edges) / np.sum(counts) if density else counts), edges


@composite(np.histogramdd)
def histogramdd(sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """Linear in the weights; the density depends on the edges, and by them on the outermost points."""
    sample = operand(sample) if hasattr(sample, "shape") else np.transpose(np.atleast_2d(operand(sample)))
    sample = sample if sample.ndim > 1 else sample[:, None]
    ndim = sample.shape[1]
    bins = bins if isinstance(bins, (list, tuple)) or np.ndim(bins) else [bins] * ndim
    range = [None] * ndim if range is None else range
    if not len(bins) == len(range) == ndim:
        raise ValueError("The dimension of bins and range must be equal to the dimension of the sample x.")
    edges = list(map(spaced_edges, np.transpose(sample), bins, range))
    place, inside = np.zeros(len(sample), int), np.ones(len(sample), bool)
    for x, e in zip(np.transpose(sample), edges):
        inside = inside & np.greater_equal(x, e[0]) & np.less_equal(x, e[-1])
        place = place * (len(e) - 1) + np.minimum(np.maximum(np.searchsorted(e, x, "right") - 1, 0), len(e) - 2)
    shape = tuple(len(e) - 1 for e in edges)
    weights = np.ones(len(sample)) if weights is None else operand(weights)
    counts = np.reshape(np.bincount(np.where(inside, place + 1, 0), weights, prod(shape) + 1)[1:], shape)
    if density:
        counts = counts / np.sum(counts)
        for k, e in enumerate(edges):
            counts = counts / np.reshape(np.diff(e), (-1,) + (1,) * (ndim - k - 1))
    return counts, tuple(edges)


@composite(np.histogram2d)
def histogram2d(x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    if isinstance(bins, (list, tuple)) or np.ndim(bins):
        bins = bins if len(bins) in (1, 2) else [operand(bins)] * 2
    counts, edges = np.histogramdd([x, y], bins, range, density, weights)
    return counts, *edges


# ---------------------------------------------------------------- grids


@composite(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """The points (1 − t) start + t stop for equally spaced t, exact at both ends; whole numbers are rounded down."""
    start, stop = (operand(v) if isinstance(v, (list, tuple)) else v for v in (start, stop))
    delta = stop - start * 1.0
    t = _parameter(num, endpoint, np.ndim(delta), np.finfo(dtype_of(delta)).dtype)
    y = (1 - t) * start + t * stop
    y = _placed(y if dtype is None or np.dtype(dtype).kind not in "iu" else np.floor(y), axis, dtype)
    parts = num - bool(endpoint)
    return (y, delta / parts if parts > 0 else np.nan * delta) if retstep else y


@composite(np.logspace)
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    if np.ndim(base):
        ndim = np.broadcast(*map(stand_in, (start, stop, base))).ndim
        start, stop, base = (np.reshape(v, (1,) * (ndim - np.ndim(v)) + shape_of(v)) for v in (start, stop, base))
        base = np.expand_dims(base, axis)
    y = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return y if dtype is None else astype(y, dtype=dtype)


@composite(np.geomspace)
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """The points start · (stop/start)ᵗ for equally spaced t."""
    start, stop = in_double(start), in_double(stop)
    ratio = stop / start
    t = _parameter(num, endpoint, np.ndim(ratio), np.float64)
    return _placed(start * ratio**t, axis, dtype)


def _parameter(num: int, endpoint: bool, ndim: int, dtype: Any) -> Any:
    """Equally spaced t from 0 to 1 along a new first axis."""
    return np.linspace(0, 1, num, endpoint, dtype=dtype).reshape(num, *(1,) * ndim)


def _placed(y: Any, axis: int, dtype: Any) -> Any:
    y = np.moveaxis(y, 0, axis) if axis != 0 else y
    return y if dtype is None else astype(y, dtype=dtype)


@composite(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    n = len(xi)
    place = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    grids = [np.reshape(x, [-1 if k == place[i] else 1 for k in range(n)]) for i, x in enumerate(xi)]
    if not sparse:
        shape = np.broadcast_shapes(*map(shape_of, grids))
        grids = [np.broadcast_to(g, shape) for g in grids]
    return tuple(map(np.copy, grids)) if copy else tuple(grids)


# ---------------------------------------------------------------- functions along an axis


@composite(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kw: Any) -> Any:
    """One call per line; the axes of its result take the place of the line."""
    arr = operand(arr)
    axis = normalize_axis_index(axis, arr.ndim)
    rows = np.moveaxis(arr, axis, -1)
    lead = rows.shape[:-1]
    results = [func1d(rows[index], *args, **kw) for index in np.ndindex(lead)]
    if not results:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    y = np.stack(results)
    inner = y.shape[1:]
    y = np.reshape(y, (*lead, *inner))
    n = len(inner)
    return np.moveaxis(y, list(range(len(lead), len(lead) + n)), list(range(axis, axis + n)))

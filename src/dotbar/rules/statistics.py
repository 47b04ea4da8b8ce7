"""Means, variances, order statistics and correlations."""

from functools import partial
from math import prod
from typing import Any

import numpy as np

from dotbar.core import Traced, as_array, dtype_of, primitive, shape_of
from dotbar.rules.kinds import General, Linear, composite, constant, rule
from dotbar.rules.reductions import axes_of, extent, lines, restore
from dotbar.rules.shapes import astype, check_axes
from dotbar.rules.words import H, conj, raise_if, ratio, spread, stop_gradient

# ---------------------------------------------------------------- means


def _mean_bar(ybar: Any, a: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return spread(ybar / max(extent(a.shape, axis), 1), a.shape, axis, keepdims)


_mean = Linear(np.mean, _mean_bar, "axis", moves=True)


@composite(np.mean)
def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """y = Σ aᵢ / n."""
    if where is True:
        return _mean(a, axis=axis, dtype=dtype, keepdims=keepdims)
    a = as_array(a)
    count = np.count_nonzero(np.broadcast_to(where, shape_of(a)), axis, keepdims=keepdims)
    return share(np.sum(a, axis, dtype, keepdims=keepdims, where=where), count, dtype)


def share(total: Any, n: Any, dtype: Any) -> Any:
    """total / n, where the integers n leave the dtype as it is, and so does a dtype that was asked for."""
    y = total / n
    return astype(y, dtype=dtype_of(total)) if dtype is not None or dtype_of(total).kind in "fc" else y


@composite(np.nanmean)
def nanmean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    a = as_array(a)
    check_inexact(a, dtype)
    return np.mean(a, axis, dtype, keepdims=keepdims, where=present(a, where))


def check_inexact(a: Any, dtype: Any) -> None:
    """What may hold NaN is not averaged in integers."""
    if dtype is not None and dtype_of(a).kind in "fc" and np.dtype(dtype).kind not in "fc":
        raise TypeError("If a is inexact, then dtype must be inexact")


def present(a: Any, where: Any) -> Any:
    """Where an entry is wanted and is not NaN."""
    found = np.logical_not(np.isnan(a))
    return found if where is True else np.logical_and(found, where)


@composite(np.average)
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """y = Σ wᵢ aᵢ / Σ wᵢ."""
    a, weights = as_array(a), as_array(weights)
    check_axes(axis, np.ndim(a))
    if weights is None:
        y = np.mean(a, axis, keepdims=keepdims)
        total: Any = np.full(shape_of(y), np.size(a) / np.size(y), dtype_of(y))
    else:
        w = weights_along(weights, shape_of(a), axis)
        total = np.sum(w, axis, np.result_type(dtype_of(a), dtype_of(w)), keepdims=keepdims)
        raise_if(np.equal(total, 0), error=ZeroDivisionError("Weights sum to zero, can't be normalized"))
        y = np.sum(a * w, axis, keepdims=keepdims) / total
    return (y, np.copy(np.broadcast_to(total, shape_of(y)))) if returned else y


def weights_along(w: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """Weights of the entries along some axes, shaped to broadcast against an array of ``shape``."""
    if shape_of(w) == shape:
        return w
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = axes_of(axis, len(shape))
    if shape_of(w) != tuple(shape[k] for k in axes):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    return np.reshape(np.transpose(w, np.argsort(axes)), tuple(n if k in axes else 1 for k, n in enumerate(shape)))


# ---------------------------------------------------------------- variances


def _degrees(a: Any, axis: Any, ddof: Any) -> float:
    """n − ddof, the divisor of a variance; nan where NumPy divides by zero."""
    n = extent(shape_of(a), axis) - ddof
    return n if n > 0 else np.nan


def _var_body(y: Any, a: Any, *, axis: Any = None, dtype: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any:
    """y = Σ |dᵢ|² / (n − ddof),  d = a − mean(a):  ẏ = 2 Re Σ d̄ᵢ ȧᵢ / (n − ddof),  āᵢ = 2 dᵢ ȳ / (n − ddof)."""
    d = a - np.mean(a, axis, dtype, keepdims=True)
    scale = 2 / _degrees(a, axis, ddof)

    def dot(adot: Any) -> Any:
        return scale * np.sum(conj(d) * adot, axis, keepdims=keepdims)

    def bar(ybar: Any) -> Any:
        return d * spread(scale * ybar, shape_of(a), axis, keepdims)

    return dot, bar


def _std_body(y: Any, a: Any, *, axis: Any = None, dtype: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any:
    """y = √var(a):  ẏ = Re Σ d̄ᵢ ȧᵢ / ((n − ddof) y),  āᵢ = dᵢ ȳ / ((n − ddof) y),  and 0 where y is 0."""
    d = a - np.mean(a, axis, dtype, keepdims=True)
    d = d - np.mean(d, axis, keepdims=True)  # the mean of equal entries is rounded, and d must vanish there
    scale = 1 / _degrees(a, axis, ddof)

    def dot(adot: Any) -> Any:
        return ratio(scale * np.sum(conj(d) * adot, axis, keepdims=keepdims), y)

    def bar(ybar: Any) -> Any:
        return d * spread(ratio(scale * ybar, y), shape_of(a), axis, keepdims)

    return dot, bar


_var = General(np.var, _var_body, "axis")
_std = General(np.std, _std_body, "axis")


def correction_of(ddof: Any, correction: Any) -> Any:
    """The one of ``ddof`` and its newer name that was given."""
    if correction is None:
        return ddof
    if ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously.")
    return correction


@composite(np.var)
def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """y = Σ |aᵢ − mean|² / (n − ddof)."""
    a = as_array(a)
    ddof = correction_of(ddof, correction)
    if where is True and mean is None:
        return _var(a, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims)
    if mean is None:
        mean = np.mean(a, axis, dtype, keepdims=True, where=where)
    d = a - mean
    square = d * d if dtype_of(d).kind != "c" else np.real(d * np.conj(d))
    count = np.count_nonzero(np.broadcast_to(where, shape_of(a)), axis, keepdims=keepdims)
    return share(np.sum(square, axis, dtype, keepdims=keepdims, where=where), np.maximum(count - ddof, 0), dtype)


@primitive
def root(v: Any) -> Any:
    """√v of a sum of squares: at 0 its derivative is 0."""
    return np.sqrt(v)


@rule(root, "()->()")
def _root(y: Any, v: Any) -> Any:
    return lambda vdot: ratio(vdot, 2 * y), lambda ybar: ratio(ybar, 2 * y)


@composite(np.std)
def std(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: bool = False, **kw: Any
) -> Any:
    """y = √var(a)."""
    if kw.keys() - {"correction"}:
        variance = np.var(as_array(a), axis, dtype, None, ddof, keepdims, **kw)
        if dtype_of(variance).kind not in "fc":
            raise TypeError(f"a standard deviation cannot be of dtype {dtype_of(variance)}")
        return root(variance)
    return _std(a, axis=axis, dtype=dtype, ddof=correction_of(ddof, kw.get("correction")), keepdims=keepdims)


@composite(np.nanvar)
def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    **kw: Any,
) -> Any:
    """The variance of what is not NaN; nan, never infinite, where no degrees of freedom are left."""
    a = as_array(a)
    check_inexact(a, dtype)
    where = np.broadcast_to(present(a, where), shape_of(a))
    y = np.var(a, axis, dtype, None, ddof, keepdims, where=where, **kw)
    count = np.count_nonzero(where, axis, keepdims=keepdims)
    return np.where(count > correction_of(ddof, kw.get("correction")), y, np.nan)


@composite(np.nanstd)
def nanstd(a: Any, *args: Any, **kw: Any) -> Any:
    return root(np.nanvar(as_array(a), *args, **kw))


# ---------------------------------------------------------------- order statistics


MANY = 8  # ranks, for which one sort costs less than a search for each


@primitive
def places(x: Any, ranks: Any, *, skip_nan: bool) -> Any:
    """Where the entries of the given ranks in ascending order stand in each row, equal entries in their order.

    NaN is the largest of all, and takes every rank of its row unless ``skip_nan``.
    """
    lead = np.broadcast_shapes(x.shape[:-1], ranks.shape[:-1])
    n, k = x.shape[-1], ranks.shape[-1]
    x = np.reshape(np.broadcast_to(x, (*lead, n)), (prod(lead), n))
    ranks = np.reshape(np.broadcast_to(ranks, (*lead, k)), (prod(lead), k))
    if not skip_nan:
        ranks = np.where(np.any(np.isnan(x), -1, keepdims=True), n - 1, ranks)
    if k > MANY or k == 0:
        found = np.take_along_axis(np.argsort(x, -1, kind="stable"), ranks, -1)
    else:
        values = np.take_along_axis(np.partition(x, np.unique(ranks), -1), ranks, -1)
        found = np.stack([_place(x, values[:, [i]], ranks[:, i]) for i in range(k)], -1)
    return np.reshape(found, (*lead, k))


def _place(x: Any, value: Any, rank: Any) -> Any:
    """Where in each row the entry of a rank stands, given its value."""
    nan = np.isnan(value)
    smaller, equal = x < value, x == value
    if np.any(nan):
        smaller, equal = np.where(nan, ~np.isnan(x), smaller), np.where(nan, np.isnan(x), equal)
    count = np.count_nonzero(equal, -1)
    first = np.cumsum(count) - count
    return np.nonzero(equal)[1][first + rank - np.count_nonzero(smaller, -1)]


constant(places, like=lambda x, ranks, *, skip_nan: None, batch="(n),(k)->(k)")


def in_order(x: Any, ranks: Any, skip_nan: bool) -> Any:
    """The entries of each row of a matrix that have the given ranks in ascending order."""
    return np.take_along_axis(x, places(x, ranks, skip_nan=skip_nan), -1)


def median(
    skip_nan: bool,
    a: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Any:
    """The middle entry, or the mean of the two; of equal entries the first stands first."""
    a = as_array(a)
    check_axes(axis, np.ndim(a))
    if extent(shape_of(a), axis) == 0:
        return np.mean(a, axis, keepdims=keepdims)
    x, _ = lines(a if dtype_of(a).kind in "fc" else astype(a, dtype=float), axis)
    *lead, n = shape_of(x)
    x = np.reshape(x, (prod(lead), n))
    if skip_nan:
        count = np.count_nonzero(np.logical_not(np.isnan(x)), -1, keepdims=True)
        ranks = np.concatenate([np.maximum(count - 1, 0) // 2, count // 2], -1)
    else:
        ranks = np.arange((n - 1) // 2, n // 2 + 1)
    return restore(np.reshape(np.mean(in_order(x, ranks, skip_nan), -1), lead), axis, np.ndim(a), keepdims)


composite(np.median)(partial(median, False))
composite(np.nanmedian)(partial(median, True))


CONTINUOUS = {  # α and β of Hyndman & Fan (1996)
    "interpolated_inverted_cdf": (0, 1),
    "hazen": (1 / 2, 1 / 2),
    "weibull": (0, 0),
    "linear": (1, 1),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
BETWEEN = {
    "averaged_inverted_cdf": lambda n, q: (np.floor(n * q) + np.ceil(n * q) - 1) / 2,
    "midpoint": lambda n, q: (np.floor((n - 1) * q) + np.ceil((n - 1) * q)) / 2,
}
WHOLE = {
    "inverted_cdf": lambda n, q: np.ceil(n * q - 1),
    "closest_observation": lambda n, q: np.rint(n * q) - 1,
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "nearest": lambda n, q: np.rint((n - 1) * q),
}


def virtual_index(q: Any, n: Any, method: str) -> Any:
    """Where the q-quantile of n sorted entries stands: a place between 0 and n − 1, not whole in general."""
    if method == "linear":
        return (n - 1) * q
    if method in CONTINUOUS:
        alpha, beta = CONTINUOUS[method]
        return n * q + (alpha + q * (1 - alpha - beta)) - 1
    steps = {**BETWEEN, **WHOLE}
    if method in steps:
        return steps[method](n, stop_gradient(q))
    raise ValueError(f"{method!r} is not a valid method. Use one of: {[*CONTINUOUS, *steps]}")


def check_fractions(q: Any, whole: int) -> None:
    """Quantiles lie between 0 and 1, percentiles between 0 and 100."""
    name = "Quantiles" if whole == 1 else "Percentiles"
    inside = np.logical_and(np.greater_equal(q, 0), np.less_equal(q, whole))
    raise_if(np.logical_not(inside), error=ValueError(f"{name} must be in the range [0, {whole}]"))


def is_python_number(x: Any) -> bool:
    """Whether a value is a Python number, which leaves the dtype to the arrays it meets."""
    while isinstance(x, Traced):
        x = x.value
    return type(x) in (int, float)


def weighted_rank(x: Any, q: Any, w: Any) -> Any:
    """The first rank at which the sum of the weights reaches the share ``q`` of all."""
    cdf = np.cumsum(np.take_along_axis(w, np.argsort(x, -1, kind="stable"), -1), -1)
    cdf = cdf / cdf[:, -1:]
    below = np.logical_or(np.expand_dims(cdf, -1) < q, np.expand_dims(cdf, -1) == 0)
    return np.minimum(np.sum(below, 1), shape_of(x)[-1] - 1)


def interpolated(x: Any, q: Any, method: str, weak: bool, skip_nan: bool) -> Any:
    """y = s_k + γ (s_{k+1} − s_k), where k + γ is the virtual index of q among the sorted entries s of each row.

    A ``weak`` q is a Python number, which leaves the dtype as it is.
    """
    n = shape_of(x)[-1]
    if skip_nan:
        n = astype(np.count_nonzero(np.logical_not(np.isnan(x)), -1, keepdims=True), dtype=dtype_of(q))
    h = virtual_index(q, n, method)
    k = np.floor(h)
    ranks = astype(
        np.clip(k if method in WHOLE else np.concatenate([k, k + 1], -1), 0, np.maximum(n - 1, 0)), dtype=int
    )
    s = in_order(x, ranks, skip_nan)
    if method in WHOLE:
        return s
    first, second = s[:, : shape_of(q)[0]], s[:, shape_of(q)[0] :]
    gamma = astype(h - k, dtype=dtype_of(x)) if weak and dtype_of(x).kind == "f" else h - k
    return first + gamma * (second - first)


def quantile(
    whole: int,
    skip_nan: bool,
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    """Quantiles along axes, one for each entry of ``q``, whose axes come first."""
    a, q, weights = as_array(a), as_array(q), as_array(weights)
    if dtype_of(a).kind == "c":
        raise TypeError("a must be an array of real numbers")
    if np.ndim(q) > 2:
        raise ValueError("q must be a scalar or 1d")
    check_axes(axis, np.ndim(a))
    check_fractions(q, whole)
    x, _ = lines(a, axis)
    *lead, n = shape_of(x)
    x, p = np.reshape(x, (prod(lead), n)), np.reshape(q, -1) / whole
    if weights is not None:
        if method != "inverted_cdf":
            raise ValueError(f"Only method 'inverted_cdf' supports weights. Got: {method}.")
        raise_if(np.less(weights, 0), error=ValueError("Weights must be non-negative."))
        w = np.broadcast_to(weights_along(stop_gradient(weights), shape_of(a), axis), shape_of(a))
        w = np.reshape(lines(w, axis)[0], (prod(lead), n))
        total = np.sum(w, -1)
        vain = np.equal(total, 0) | np.logical_not(np.isfinite(total))
        raise_if(vain & (n > 0), error=ValueError("Weights included NaN, inf or were all zero."))
        y = in_order(x, weighted_rank(x, p, np.where(np.isnan(x), 0, w) if skip_nan else w), skip_nan)
    else:
        y = interpolated(x, p, method, is_python_number(q), skip_nan)
    y = np.reshape(np.transpose(y), (*shape_of(q), *lead))
    axes = axes_of(axis, np.ndim(a))
    return np.expand_dims(y, tuple(i + np.ndim(q) for i in axes)) if keepdims else y


composite(np.quantile)(partial(quantile, 1, False))
composite(np.nanquantile)(partial(quantile, 1, True))
composite(np.percentile)(partial(quantile, 100, False))
composite(np.nanpercentile)(partial(quantile, 100, True))


# ---------------------------------------------------------------- correlations


def variables(m: Any, rowvar: bool) -> Any:
    """Observations as a matrix, one variable per row."""
    if np.ndim(m) > 2:
        raise ValueError("m and y have at most 2 dimensions")
    return np.reshape(m, (1, -1)) if np.ndim(m) < 2 else m if rowvar else np.transpose(m)


def observation_weights(n: int, **weights: Any) -> Any:
    """The product of the given weights of n observations; None if none is given."""
    product: Any = None
    for name, w in weights.items():
        if w is None:
            continue
        if shape_of(w) != (n,):
            raise RuntimeError(f"{name} has to be one weight for each of the {n} observations")
        raise_if(np.less(w, 0), error=ValueError(f"{name} cannot be negative"))
        product = w if product is None else product * w
    return product


@composite(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """C = (X − μ) W (X − μ)ᴴ / f, where f corrects the sum of the weights for the mean taken from the data."""
    X = variables(as_array(m), rowvar)
    dtype = None if dtype is None else np.dtype(dtype)
    if shape_of(X)[0] == 0:
        return np.zeros((0, 0))
    if y is not None:
        X = np.concatenate([X, variables(as_array(y), rowvar or shape_of(y)[:1] == (1,))])
    X = astype(X, dtype=np.result_type(dtype_of(X), np.float64) if dtype is None else dtype)
    if dtype_of(X).kind not in "fc":
        raise TypeError(f"a covariance cannot be of dtype {dtype_of(X)}")
    fweights, aweights = as_array(fweights), as_array(aweights)
    if fweights is not None:
        raise_if(np.not_equal(fweights, np.round(fweights)), error=TypeError("fweights must be integer"))
    w = observation_weights(shape_of(X)[1], fweights=fweights, aweights=aweights)
    mean, total = np.average(X, 1, w, returned=True)
    ddof = (0 if bias else 1) if ddof is None else ddof
    lost = ddof if aweights is None or ddof == 0 else ddof * np.sum(w * aweights) / total[0]
    D = X - np.expand_dims(mean, 1)
    C = np.matmul(D if w is None else D * w, H(D)) / np.maximum(np.real(total[0] - lost), 0)
    return np.squeeze(C)


@composite(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """R_ij = C_ij / √(C_ii C_jj)."""
    C = np.cov(x, y, rowvar, dtype=dtype)
    if np.ndim(C) == 0:
        return C / C
    k = np.arange(shape_of(C)[0])
    deviation = np.sqrt(np.real(C[k, k]))
    R = C / np.expand_dims(deviation, 1) / deviation
    if dtype_of(R).kind == "c":
        return np.clip(np.real(R), -1, 1) + 1j * np.clip(np.imag(R), -1, 1)
    return np.clip(R, -1, 1)

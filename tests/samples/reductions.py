"""Samples of rules/reductions.py, rules/statistics.py and rules/scans.py."""

from functools import partial

import numpy as np

from dotbar.rules.reductions import logsumexp
from dotbar.rules.scans import add_reduceat, recurrence, running_max, running_min
from dotbar.rules.statistics import root
from samples import cnormal, normal, sample, uniform

x, z = normal(3, 4), cnormal(3, 4)
box = normal(2, 3, 4)
holes = np.where(normal(3, 4, seed=7) > 0.8, np.nan, normal(3, 4))
some = np.array([[True, True, False, True], [True, False, True, True], [False, True, True, True]])
zeros = normal(3, 4)
zeros[0, 1] = zeros[2, 0] = zeros[2, 3] = 0.0
w = uniform(0.5, 2.0, 3, 4)
grid = np.cumsum(uniform(0.5, 1.5, 5))
curve = normal(3, 5)
QUANTILES = np.array([[0.21, 0.45], [0.705, 0.83]])

NOT_TWICE = dict.fromkeys((np.std, np.nanstd), "the deviation of one entry is not smooth")

CASES = [
    (np.sum, "sum axis; sum keepdims/axis tuple; sum all"),
    (np.prod, "prod axis; prod keepdims/axis tuple; prod all"),
    (np.max, "max axis; max keepdims/axis tuple; max all"),
    (np.mean, "mean axis; mean keepdims/axis tuple; mean all"),
    (np.var, "var axis; var keepdims/axis tuple; var all"),
    (np.std, "std axis; std keepdims/axis tuple; std all"),
    (np.min, "min axis"),
    (np.amax, "amax axis"),
    (np.amin, "amin axis"),
    (np.ptp, "ptp axis"),
    (np.median, "median axis"),
    (np.nansum, "nansum axis"),
    (np.nanprod, "nanprod axis"),
    (np.nanmax, "nanmax axis"),
    (np.nanmin, "nanmin axis"),
    (np.nanmean, "nanmean axis"),
    (np.nanvar, "nanvar axis"),
    (np.nanstd, "nanstd axis"),
    (np.nanmedian, "nanmedian axis"),
]

REDUCTIONS = [
    s
    for fn, case in CASES
    for s in (
        sample(fn, box, axis=1, case=case),
        sample(fn, box, axis=(0, -1), keepdims=True, case=case),
        sample(fn, x, case=case),
        sample(fn, np.array(1.5), case=case, no_second=NOT_TWICE.get(fn, "")),
    )
]

WITH_NAN = [
    sample(fn, holes, axis=axis, case=f"{fn.__name__} with a NaN" if fn is not np.nanmin else "")
    for fn in (np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd, np.nanmedian)
    for axis in (None, 1)
]

SETTINGS = [
    sample(np.sum, z, axis=0),
    sample(np.prod, z, axis=0),
    sample(np.mean, z, axis=0),
    sample(np.var, z, axis=0),
    sample(np.std, z, axis=0),
    sample(np.sum, x, axis=()),
    sample(np.max, x, axis=()),
    sample(np.prod, x, axis=()),
    sample(np.prod, zeros),
    sample(np.prod, zeros, axis=1),
    sample(np.var, x, axis=1, ddof=1, case="var ddof=1"),
    sample(np.var, x, axis=1, where=some),
    sample(np.var, x, normal(3, 1), call=lambda a, m: np.var(a, 1, mean=m)),
    sample(np.std, x, axis=1, ddof=1),
    sample(np.std, x, axis=0, where=some, keepdims=True),
    sample(np.sum, x, axis=0, where=some, case="sum where="),
    sample(np.sum, x, call=lambda a: np.sum(a, 1, where=a > 0)),
    sample(np.mean, x, axis=0, where=some, case="mean where="),
    sample(np.mean, x, axis=0, dtype=np.float64),
    sample(np.prod, x, axis=0, where=some),
    sample(np.sum, x, 0.7, call=lambda a, i: np.sum(a, 1, initial=i)),
    sample(np.prod, x, 0.7, call=lambda a, i: np.prod(a, 1, initial=i)),
    sample(np.max, x, 0.3, call=lambda a, i: np.max(a, 1, initial=i), case="max initial="),
    sample(np.max, x, 0.3, call=lambda a, i: np.max(a, (0, 1), keepdims=True, initial=i), case="max initial="),
    sample(np.min, x, -0.3, call=lambda a, i: np.min(a, 0, initial=i, where=some)),
    sample(np.nansum, holes, 0.5, call=lambda a, i: np.nansum(a, 1, initial=i)),
    sample(np.sum, box, call=partial(np.add.reduce, axis=(0, 2)), case="add.reduce"),
    sample(np.prod, x, call=partial(np.multiply.reduce, axis=1), case="multiply.reduce"),
    sample(np.max, x, call=np.maximum.reduce, case="maximum.reduce"),
    sample(np.cumsum, x, call=partial(np.add.accumulate, axis=1), case="add.accumulate"),
    sample(np.cumprod, x, call=np.multiply.accumulate, case="multiply.accumulate"),
    sample(np.all, x, call=lambda a: a * np.all(a > -9, axis=1, keepdims=True)),
    sample(np.any, x, call=lambda a: a * np.any(a > 0, where=a < 1)),
    sample(logsumexp, x, call=np.logaddexp.reduce, case="logaddexp.reduce"),
    sample(logsumexp, x, axis=0, case="logaddexp.reduce"),
    sample(logsumexp, box, axis=(0, 2), keepdims=True, case="logaddexp.reduce"),
]

STATISTICS = [
    sample(root, w),
    sample(np.median, normal(3, 6), axis=1, case="median even count"),
    sample(np.median, normal(3, 5), axis=1),
    sample(np.average, x, w, call=lambda a, w: np.average(a, 1, w), case="average weights"),
    sample(np.average, x, w[:, 0].copy(), call=lambda a, w: np.average(a, 0, w, returned=True), case="average weights"),
    sample(np.average, box, normal(4, 2) ** 2, call=lambda a, w: np.average(a, (2, 0), w, keepdims=True)),
    sample(np.average, x, axis=0, returned=True),
    sample(np.quantile, x, 0.3, case="quantile; quantile wrt q"),
    sample(np.quantile, box, QUANTILES, call=partial(np.quantile, axis=1), case="quantile; quantile wrt q"),
    sample(np.quantile, box, QUANTILES, call=partial(np.quantile, axis=(0, 2), keepdims=True)),
    sample(np.percentile, box, 100 * QUANTILES, call=partial(np.percentile, axis=1), case="percentile"),
    sample(np.percentile, x, 35, case="percentile"),
    sample(np.nanquantile, holes, QUANTILES, call=partial(np.nanquantile, axis=1), case="nanquantile"),
    sample(np.nanpercentile, holes, 42.0, call=partial(np.nanpercentile, axis=0), case="nanpercentile"),
    sample(np.quantile, x, 0.4, axis=1, wrt=(0,), method="inverted_cdf", weights=w),
    *(
        sample(np.quantile, normal(9, 2), QUANTILES, axis=0, method=method)
        for method in (
            "interpolated_inverted_cdf",
            "hazen",
            "weibull",
            "median_unbiased",
            "normal_unbiased",
            "inverted_cdf",
            "averaged_inverted_cdf",
            "closest_observation",
            "lower",
            "higher",
            "midpoint",
            "nearest",
        )
    ),
    sample(np.cov, x, case="cov"),
    sample(np.cov, x, normal(4), case="cov"),
    sample(np.cov, z, rowvar=False, bias=True),
    sample(np.cov, normal(5)),
    sample(
        np.cov, x, w[0].copy(), call=lambda m, w: np.cov(m, aweights=w, fweights=np.array([1, 2, 1, 3])), case="cov"
    ),
    sample(np.corrcoef, normal(3, 6), case="corrcoef"),
    sample(np.corrcoef, normal(6), normal(6, seed=1), case="corrcoef"),
    sample(np.corrcoef, cnormal(3, 6)),
]

SCANS = [
    *(
        s
        for fn in (np.cumsum, np.cumprod, np.nancumsum, np.nancumprod)
        for s in (
            sample(fn, x, axis=0, case=fn.__name__),
            sample(fn, box, axis=-1, case=fn.__name__),
            sample(fn, x, case=fn.__name__),
            sample(fn, z, axis=1),
            sample(fn, np.array(1.5)),
        )
    ),
    sample(np.nancumsum, holes, axis=1),
    sample(np.nancumprod, holes, axis=1),
    sample(np.cumprod, zeros, axis=1),
    sample(np.cumprod, zeros),
    *(
        s
        for name in ("cumulative_sum", "cumulative_prod")
        if hasattr(np, name)
        for s in (
            sample(getattr(np, name), x, axis=1, case=name),
            sample(getattr(np, name), x, axis=0, include_initial=True, case=name),
            sample(getattr(np, name), normal(5), case=name),
        )
    ),
    sample(recurrence, uniform(-1, 1, 3, 7), normal(3, 7)),
    sample(recurrence, cnormal(5), cnormal(2, 5)),
    sample(running_max, normal(3, 9), axis=1, case="maximum.accumulate"),
    sample(running_max, box, axis=1, case="maximum.accumulate"),
    sample(running_max, x, call=np.maximum.accumulate, case="maximum.accumulate"),
    sample(running_min, x, call=partial(np.minimum.accumulate, axis=1), case="minimum.accumulate"),
    sample(running_min, normal(3, 9), axis=1, case="minimum.accumulate"),
    sample(add_reduceat, normal(9, 2), indices=np.array([0, 4, 1, 7]), axis=0, case="add.reduceat"),
    sample(add_reduceat, normal(2, 9), indices=np.array([2, 2, 5]), axis=-1, case="add.reduceat"),
    sample(add_reduceat, normal(9), call=lambda a: np.add.reduceat(a, [0, 4, 1, 7]), case="add.reduceat"),
    sample(
        np.logaddexp, normal(3), call=lambda x: np.logaddexp(np.logaddexp(x[0], x[1]), x[2]), case="logaddexp chain"
    ),
    sample(np.linalg.norm, x, case="linalg.norm default"),
    sample(np.diff, x, case="diff"),
    sample(np.diff, z, n=2, axis=0, case="diff"),
    sample(np.diff, x, n=3, axis=1, case="diff"),
    sample(np.diff, x, n=7, axis=0),
    sample(np.diff, x, n=0),
    sample(np.diff, x, normal(3, 1), 0.5, call=lambda a, p, q: np.diff(a, prepend=p, append=q), case="diff prepend"),
    sample(np.ediff1d, x, case="ediff1d"),
    sample(np.ediff1d, x, normal(2), 0.5, case="ediff1d"),
    sample(np.gradient, curve, case="gradient"),
    sample(np.gradient, curve, edge_order=2, case="gradient"),
    sample(np.gradient, curve, 0.7, axis=1, case="gradient spacing"),
    sample(np.gradient, curve, 0.7, grid, edge_order=2, case="gradient spacing"),
    sample(np.gradient, curve, grid, axis=1, case="gradient spacing"),
    sample(np.trapezoid, curve, case="trapezoid"),
    sample(np.trapezoid, curve, grid, case="trapezoid"),
    sample(np.trapezoid, curve, np.cumsum(w, 0), axis=0, call=lambda y, x, axis: np.trapezoid(y[:, :4], x, axis=axis)),
    sample(np.trapezoid, curve, 0.4, call=lambda y, h: np.trapezoid(y, dx=h, axis=0), case="trapezoid"),
]

SAMPLES = [*REDUCTIONS, *WITH_NAN, *SETTINGS, *STATISTICS, *SCANS]

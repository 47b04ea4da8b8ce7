"""Samples of scipy/stats: statistics.py, hypotheses.py, fits.py, bins.py, powers.py and kernels.py."""

import warnings

import numpy as np

import dotbar.scipy.stats as st
from dotbar.scipy.mirror import before
from samples import normal, sample, uniform

x, y = normal(6), normal(6, seed=1)
X = normal(5, 3)
p, q = uniform(0.2, 1, 4), uniform(0.2, 1, 4, seed=1)
w = uniform(0.5, 1.5, 6)
z = normal(10, seed=2)
P = uniform(0.05, 0.95, 5, 3)
table = uniform(5, 20, 2, 3)

by_version = {"no_float32": "SciPy's versions differ in the precision of the result"}
since_1_17 = by_version if before("1.17.0") else {}
by_values = {"no_second": "of the p-value's density only values are known"}
in_double = {"no_float32": "SciPy computes in double precision"}
own_quantiles = {"no_float32": "SciPy's quantiles are good to ten digits", "rtol": 1e-6}
iterative = {"no_float32": "SciPy stops where rounding errors begin", "same_bits": False, "rtol": 1e-5}


def statistic_of(test, *args, **kw):
    """The p-values of some tests are known by their values alone, or constant between critical values."""
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        return test(*args, **kw).statistic


def number(f, *args, **settings):
    """SciPy returns some of these as Python's."""
    return sample(f, *args, call=lambda *args, **kw: np.positive(f(*args, **kw)), **settings, **by_version)


SAMPLES = [
    sample(st.sem, x, case="sem"),
    sample(st.sem, X, axis=None, ddof=0, keepdims=True),
    sample(st.zscore, X, axis=1, ddof=1, case="zscore"),
    sample(st.zmap, x, y),
    sample(st.gzscore, q),
    sample(st.skew, X, axis=0, case="skew"),
    sample(st.skew, x, bias=False),
    sample(st.kurtosis, x, case="kurtosis"),
    sample(st.kurtosis, X, axis=(0, 1), fisher=False, bias=False),
    sample(st.moment, X, order=3, axis=1, case="moment"),
    sample(st.moment, x, order=[1, 2], center=0.3, **by_version),
    sample(st.variation, q, ddof=1),
    *(sample(st.kstat, x, n=n) for n in (1, 2, 3, 4)),
    sample(st.gmean, q, case="gmean"),
    sample(st.gmean, q, weights=p, wrt=(0, "weights")),
    sample(st.hmean, q, case="hmean"),
    *(sample(st.pmean, q, k, weights=p, wrt=(0, 1, "weights"), **by_version) for k in (1.5, 0.0)),
    sample(st.gstd, q),
    sample(st.trim_mean, X, 0.25, axis=0, wrt=(0,), case="trim_mean"),
    *(sample(fn, x, (-1.0, 1.0), wrt=(0,)) for fn in (st.tmean, st.tvar, st.tstd, st.tsem)),
    sample(st.iqr, x, **since_1_17),
    sample(st.median_abs_deviation, x, scale="normal"),
    sample(st.circmean, x),
    sample(st.circvar, X, axis=0),
    sample(st.circstd, x),
    sample(st.pearsonr, x, y, call=lambda x, y: st.pearsonr(x, y).statistic, case="pearsonr"),
    sample(st.pearsonr, x, y, alternative="less", **since_1_17),
    sample(st.linregress, x, y, call=lambda x, y: st.linregress(x, y).slope, case="linregress slope", **by_version),
    sample(st.linregress, x, y, **by_version),
    sample(st.ttest_1samp, X, 0.1, **since_1_17),
    sample(st.ttest_rel, x, y, alternative="less", **since_1_17),
    sample(st.ttest_ind, x, y[:4], **since_1_17),
    sample(st.ttest_ind, X, X[:4] + 0.1, equal_var=False),
    sample(st.chisquare, p, **by_version),
    sample(st.entropy, p, case="entropy"),
    sample(st.entropy, p, q, base=2),
    *(
        sample(st.differential_entropy, X, axis=0, window_length=2, method=method)
        for method in ("van es", "vasicek", "ebrahimi", "correa")
    ),
    sample(st.wasserstein_distance, x, y[:4], case="wasserstein_distance"),
    sample(st.wasserstein_distance, x, y, w, uniform(0.5, 1.5, 6, seed=1)),
    sample(st.energy_distance, x, y[:4]),
    sample(st.boxcox_llf, 0.7, q),
    sample(st.boxcox, q, 0.7),
    sample(st.boxcox, q, **iterative),
    sample(st.boxcox_normmax, q, method="all", **iterative),
    sample(st.yeojohnson, x, 0.7),
    sample(st.yeojohnson_llf, 0.7, x if before("1.17.0") else X),  # SciPy forgot the axis
    sample(st.yeojohnson_normmax, x, **iterative),
    sample(st.ppcc_max, x, **iterative),
    sample(st.obrientransform, x, y, no_float32="SciPy finds too large a rounding error"),
    sample(st.f_oneway, x, y[:4], w, **since_1_17),
    sample(st.f_oneway, X, X[:4] + 0.1, equal_var=False, **since_1_17),
    *(sample(st.levene, x, y[:4], center=center, **since_1_17) for center in ("median", "mean", "trimmed")),
    sample(st.bartlett, x, y[:4], **since_1_17),
    sample(st.alexandergovern, x, y[:4], w, **since_1_17),
    sample(st.skewtest, z, **since_1_17),
    sample(st.kurtosistest, z, alternative="less", **since_1_17),
    sample(st.normaltest, z, **since_1_17),
    sample(st.jarque_bera, X, axis=0, **since_1_17),
    *(sample(st.power_divergence, p, lambda_=k, **by_version) for k in ("log-likelihood", -1, 0.4)),
    sample(st.chi2_contingency, table, call=lambda t: st.chi2_contingency(t)[:2], **by_version),
    sample(st.chi2_contingency, table[:, :2], call=lambda t: st.chi2_contingency(t).pvalue, **by_version),
    *(
        sample(st.combine_pvalues, P, method=method, **since_1_17)
        for method in ("fisher", "pearson", "tippett", "mudholkar_george")
    ),
    sample(st.combine_pvalues, P[0], "stouffer", w[:3], wrt=(0, 2), **since_1_17),
    sample(st.false_discovery_control, P, axis=1, method="by"),
    sample(st.tukey_hsd, x, y[:4], call=lambda x, y: st.tukey_hsd(x, y).pvalue[0], **by_values),
    *(
        sample(st.shapiro, t, **own_quantiles, call=lambda x: st.shapiro(x).statistic)
        for t in (x[:3], x[:5], x, normal(12, seed=3))
    ),
    *(
        sample(st.anderson, z, dist, call=lambda x, dist: statistic_of(st.anderson, x, dist), **in_double)
        for dist in ("norm", "gumbel_l", "gumbel_r")
    ),
    sample(st.anderson, np.exp(z), "expon", call=lambda x, dist: statistic_of(st.anderson, x, dist), **in_double),
    sample(
        st.cramervonmises,
        *(X, 0.3),
        call=lambda X, m: statistic_of(st.cramervonmises, X, "norm", (m, 1.2), axis=1),
        **in_double,
    ),
    *(
        sample(
            st.binned_statistic,
            *(np.arange(6.0), np.stack([x, y]), kind),
            wrt=(1,),
            bins=2,
            call=lambda x, v, kind, bins: st.binned_statistic(x, v, kind, bins).statistic,
            **in_double,
        )
        for kind in ("mean", "std", "sum", "min", "max", "median")
    ),
    sample(
        st.binned_statistic_2d,
        *(x, y, w),
        wrt=(2,),
        call=lambda x, y, v: st.binned_statistic_2d(x, y, v, "sum", 2).statistic,
        **in_double,
    ),
    sample(
        st.binned_statistic_dd,
        *((x, y), w),
        wrt=(1,),
        call=lambda xs, v: st.binned_statistic_dd(xs, v, "sum", 2).statistic,
        **in_double,
    ),
    number(st.wasserstein_distance_nd, X, X[:4, ::-1] + 0.1, w[:5], w[2:]),
    sample(st.ks_1samp, x, st.norm.cdf, **by_values, **by_version),
    sample(st.kstest, x, "norm", alternative="less", **by_version),
    sample(st.epps_singleton_2samp, z, z[::-1] ** 2, **since_1_17),
    sample(st.ttest_ind_from_stats, 1.0, 2.0, 5, 1.5, 0.7, 9),
    sample(st.pointbiserialr, x, y, **since_1_17),
    sample(st.bayes_mvs, x, call=lambda x: tuple(tuple(t) for t in st.bayes_mvs(x)), **by_version),
    sample(st.mvsdist, x, call=lambda x: [d.std() for d in st.mvsdist(x)], **by_version),
    sample(st.describe, X, axis=1, **by_version),
    sample(st.tmin, X, -1.0, wrt=(0,)),
    sample(st.tmax, X, 1.0, axis=1, wrt=(0,)),
    sample(st.trim1, x, 0.2, wrt=(0,)),
    sample(st.trimboth, X, 0.25, axis=0, wrt=(0,)),
    sample(st.kstatvar, x, n=1),
    sample(st.kstatvar, X, axis=0),
    sample(st.lmoment, x),
    sample(st.lmoment, X, [1, 3], axis=0, standardize=False),
    sample(st.expectile, x, 0.7, weights=w, wrt=(0, 1, "weights"), **by_version),
    sample(st.scoreatpercentile, X, [20.0, 60.0], axis=0),
    sample(st.theilslopes, x, y, **by_version),
    sample(st.siegelslopes, x, y, method="separate", **by_version),
    sample(
        st.directional_stats,
        X,
        call=lambda X: (d := st.directional_stats(X)) and (d.mean_direction, d.mean_resultant_length),
        **by_version,
    ),
    sample(
        st.gaussian_kde,
        X.T,
        normal(3, 2, seed=3),
        w[:5],
        call=lambda X, x, w: st.gaussian_kde(X, weights=w).logpdf(x),
        case="gaussian_kde.logpdf",
    ),
    sample(st.gaussian_kde, x, y[:2], 0.4, call=lambda data, x, h: st.gaussian_kde(data, h)(x)),
    sample(
        st.gaussian_kde,
        *(x, y[:4], w, 0.4, 0.3),
        call=lambda x, y, w, h, m: (
            (k := st.gaussian_kde(x, h, w)).integrate_kde(st.gaussian_kde(y)),
            k.integrate_gaussian(m, h),
            k.integrate_box(-0.5, m),
            k.marginal(0).pdf(m),
        ),
        same_bits=False,
    ),
    *(number(st.qmc.discrepancy, P, method=method) for method in ("CD", "WD", "MD", "L2-star")),
    number(st.qmc.update_discrepancy, P[0], P[1:], 0.3),
    number(st.qmc.geometric_discrepancy, P),
    number(st.qmc.geometric_discrepancy, P, method="mst"),
    number(st.qmc.scale, P, -np.ones(3), w[:3]),
    number(st.qmc.scale, P, -np.ones(3), 1 + w[:3], reverse=True),
]
if hasattr(st, "quantile"):
    SAMPLES += [
        sample(st.quantile, X, 0.3, axis=1, **by_version),
        sample(st.quantile, X, np.array([0.2, 0.7]), method="hazen", axis=-1, **by_version),
        sample(st.quantile, x, 0.4, method="harrell-davis", **by_version),
    ]

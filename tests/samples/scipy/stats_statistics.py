"""Samples of scipy/stats/statistics.py and kernels.py."""

import dotbar.scipy.stats as st
from dotbar.scipy.mirror import before
from samples import normal, sample, uniform

x, y = normal(6), normal(6, seed=1)
X = normal(5, 3)
p, q = uniform(0.2, 1, 4), uniform(0.2, 1, 4, seed=1)
w = uniform(0.5, 1.5, 6)

by_version = {"no_float32": "SciPy's versions differ in the precision of the result"}
since_1_17 = by_version if before("1.17.0") else {}

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
    sample(st.pmean, q, 1.5, weights=p, wrt=(0, "weights")),
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
    sample(
        st.gaussian_kde,
        X.T,
        normal(3, 2, seed=3),
        w[:5],
        call=lambda X, x, w: st.gaussian_kde(X, weights=w).logpdf(x),
        case="gaussian_kde.logpdf",
    ),
    sample(st.gaussian_kde, x, y[:2], 0.4, call=lambda data, x, h: st.gaussian_kde(data, h)(x)),
]

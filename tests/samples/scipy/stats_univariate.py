"""Samples of scipy/stats/univariate.py, moments.py and continuous.py: all functions of a distribution at once."""

import numpy as np

import dotbar.scipy.stats as st
from dotbar.scipy.stats.continuous import mean_score
from dotbar.scipy.stats.discrete import score_sum, summed
from dotbar.scipy.stats.law import law, mass, moment
from samples import Sample, sample

Q = np.array([0.1, 0.6, 0.97])


def continuous(name: str, *shapes: float) -> Sample:
    """log f, F, log F and the quantiles of a distribution with loc and scale."""
    dist = getattr(st, name)

    def call(x, q, *parameters):
        return (
            dist.logpdf(x, *parameters),
            dist.cdf(x, *parameters),
            dist.logcdf(x, *parameters),
            dist.ppf(q, *parameters),
        )

    args = (dist.ppf(Q - 0.05, *shapes, 0.3, 1.7), Q, *shapes, 0.3, 1.7)
    rows = "; ".join(f"{name}.{method}" for method in ("logpdf", "cdf", "logcdf", "ppf"))
    return sample(dist.cdf, *args, call=call, case=rows)


def in_x_only(name: str, *shapes: float) -> Sample:
    """F, log F and the quantiles of a distribution in x."""
    dist = getattr(st, name)
    rows = "; ".join(f"{name}.{method} wrt x only" for method in ("cdf", "logcdf", "ppf"))
    call = lambda x, q: (dist.cdf(x, *shapes), dist.logcdf(x, *shapes), dist.ppf(q, *shapes))
    return sample(dist.logcdf, dist.ppf(Q - 0.05, *shapes), Q, call=call, case=rows)


def discrete(name: str, *shapes: float) -> Sample:
    """log f and F of a distribution in its parameters."""
    dist = getattr(st, name)
    k = dist.ppf(Q, *shapes)
    rows = "; ".join(f"{name}.{method} wrt params" for method in ("logpmf", "cdf"))
    wrt = tuple(i + 1 for i, s in enumerate(shapes) if isinstance(s, float))
    return sample(dist.cdf, k, *shapes, wrt=wrt, call=lambda *args: (dist.logpmf(*args), dist.cdf(*args)), case=rows)


SAMPLES = [
    continuous("norm"),
    continuous("t", 3.5),
    continuous("gamma", 2.3),
    continuous("beta", 1.7, 0.8),
    continuous("expon"),
    continuous("chi2", 4.2),
    continuous("f", 5.5, 7.1),
    continuous("cauchy"),
    continuous("laplace"),
    continuous("logistic"),
    continuous("lognorm", 0.7),
    continuous("uniform"),
    continuous("pareto", 2.6),
    continuous("weibull_min", 1.8),
    continuous("gumbel_r"),
    continuous("gumbel_l"),
    continuous("invgamma", 3.1),
    continuous("truncnorm", -0.7, 1.9),
    continuous("vonmises", 1.4),
    continuous("halfnorm"),
    continuous("halfcauchy"),
    continuous("rayleigh"),
    continuous("skewnorm", 1.5),
    continuous("genextreme", -0.3),
    continuous("genpareto", 0.2),
    continuous("invgauss", 0.8),
    continuous("wrapcauchy", 0.4),
    continuous("gennorm", 1.3),
    continuous("exponnorm", 1.5),
    continuous("nct", 6.0, 0.5),
    continuous("ncx2", 3.3, 1.2),
    continuous("triang", 0.4),
    continuous("powerlaw", 1.7),
    continuous("loggamma", 0.9),
    continuous("fisk", 3.1),
    continuous("burr", 2.5, 1.3),
    continuous("maxwell"),
    continuous("rice", 0.8),
    in_x_only("gamma", 2.3),
    in_x_only("beta", 1.7, 0.8),
    in_x_only("t", 3.5),
    in_x_only("chi2", 4.2),
    in_x_only("f", 5.5, 7.1),
    in_x_only("vonmises", 1.4),
    discrete("poisson", 2.7),
    discrete("bernoulli", 0.3),
    discrete("binom", 9, 0.3),
    discrete("nbinom", 3.5, 0.4),
    discrete("geom", 0.3),
    discrete("betabinom", 7, 1.2, 2.3),
    sample(
        st.gamma.sf,
        Q,
        2.3,
        0.05,
        0.4,
        call=lambda x, *p: [getattr(st.gamma(*p), m)(x) for m in ("pdf", "sf", "logsf", "isf")],
    ),
    sample(law, Q, 0.05, 1.7, 2.3, dist=st.gamma.plain, method="isf"),
    *(sample(moment, 0.3, 1.7, 2.3, dist=st.gamma.plain, kind=kind) for kind in ("mean", "kurtosis", "entropy")),
    sample(moment, 0.3, 1.7, 0.1, dist=st.genpareto.plain, kind="variance"),
    sample(mean_score, Q, 2.3, name="gamma", i=0),
    sample(mass, np.arange(3), 0, 2.3, wrt=(2,), dist=st.poisson.plain, method="logsf"),
    sample(score_sum, np.arange(1, 4), 3.5, 0.4, wrt=(1, 2), dist=st.nbinom.plain, directions=(0,)),
    *(sample(summed, 0.6, dist=st.logser.plain, kind=kind) for kind in ("variance", "kurtosis", "entropy")),
    sample(st.planck.logcdf, np.arange(3), 0.7, wrt=(1,)),
    sample(st.gamma.moment, 2.3, 0.1, 1.7, call=lambda *p: st.gamma.moment(3, *p)),
    sample(st.gamma.interval, 0.9, 2.3, 0.1, 1.7),
    sample(st.gamma.nnlf, Q, 2.3, 0.05, 1.7, call=lambda x, *p: st.gamma.nnlf(p, x)),
]

"""Samples of scipy/stats/multivariate.py."""

import numpy as np

import dotbar.scipy.stats as st
from dotbar.scipy.special import softmax
from dotbar.scipy.stats.multivariate import orthant
from samples import normal, sample, spd, uniform

x, m, L, M = normal(2, 3), normal(3, seed=1), np.linalg.cholesky(spd(3)), np.linalg.cholesky(spd(3, seed=1))
counts = np.array([[1, 2, 3], [0, 4, 2]])
p = np.array([0.2, 0.3, 0.5])
alpha = uniform(0.5, 2, 3)
in_double = {"no_float32": "SciPy computes in double precision"}


def square(L):
    """A positive definite matrix, however its factor is perturbed."""
    return L @ L.T


SAMPLES = [
    sample(
        st.multivariate_normal.logpdf,
        *(x, m, L),
        call=lambda x, m, L: st.multivariate_normal.logpdf(x, m, square(L)),
        case="multivariate_normal.logpdf",
    ),
    sample(st.multivariate_normal.pdf, x[0], m, L, call=lambda x, m, L: st.multivariate_normal(m, square(L)).pdf(x)),
    sample(st.multivariate_normal.entropy, L, call=lambda L: st.multivariate_normal.entropy(np.ones(3), square(L))),
    sample(
        st.multivariate_normal.cdf,
        *(x[:, :2], m[:2], L[:2, :2]),
        call=lambda x, m, L: st.multivariate_normal.cdf(x, m, square(L)),
        case="multivariate_normal.cdf",
    ),
    sample(orthant, x[:, :2], L[:2, :2], settings=(), call=lambda u, L, settings: orthant(u, square(L), settings=())),
    sample(
        st.multivariate_t.logpdf,
        *(x, m, L, 3.3),
        call=lambda x, m, L, df: st.multivariate_t.logpdf(x, m, square(L), df),
        case="multivariate_t.logpdf",
    ),
    sample(st.dirichlet.logpdf, p, alpha, wrt=(1,), case="dirichlet.logpdf wrt alpha"),
    sample(st.dirichlet.logpdf, p[:2], alpha),
    sample(
        st.multinomial.logpmf,
        *(counts, 6, p),
        wrt=(2,),
        call=lambda x, n, p: st.multinomial.logpmf(x, n, softmax(p)),
        case="multinomial.logpmf wrt p",
    ),
    sample(st.dirichlet_multinomial.logpmf, counts, alpha, 6, wrt=(1,)),
    sample(
        st.wishart.logpdf,
        *(L, 4.5, M),
        call=lambda L, df, M: st.wishart.logpdf(square(L), df, square(M)),
        case="wishart.logpdf",
    ),
    sample(st.invwishart.logpdf, L, 4.5, M, call=lambda L, df, M: st.invwishart.logpdf(square(L), df, square(M))),
    sample(
        st.matrix_normal.logpdf,
        *(x, normal(2, 3, seed=2), L[:2, :2], M),
        call=lambda X, mean, L, M: st.matrix_normal.logpdf(X, mean, square(L), square(M)),
    ),
    sample(st.dirichlet.entropy, alpha),
    sample(st.dirichlet.cov, alpha, **in_double),
    sample(st.dirichlet_multinomial.var, alpha, 6, **in_double),
    sample(st.multinomial.cov, p, call=lambda p: st.multinomial.cov(6, softmax(p)), **in_double),
    *(sample(d.entropy, 7.2, M, call=lambda df, M, d=d: d.entropy(df, square(M))) for d in (st.wishart, st.invwishart)),
    *(sample(d.var, 7.2, M, **in_double) for d in (st.wishart, st.invwishart)),
    sample(st.multivariate_t.entropy, m, L, 3.3, call=lambda m, L, df: st.multivariate_t.entropy(m, square(L), df)),
    sample(st.vonmises_fisher.entropy, 2.3, call=lambda k: st.vonmises_fisher.entropy([0.6, 0.8], k)),
    sample(
        st.matrix_normal.entropy,
        *(L[:2, :2], M),
        call=lambda L, M: st.matrix_normal.entropy(square(L), square(M)),
    ),
]
if hasattr(st, "normal_inverse_gamma"):
    SAMPLES.append(sample(st.normal_inverse_gamma.logpdf, 0.3, 0.7, 0.2, 1.1, 2.3, 0.9))
    SAMPLES.append(sample(st.normal_inverse_gamma.var, 0.2, 1.1, 2.3, 0.9, **in_double))
if hasattr(st, "matrix_t"):
    SAMPLES.append(
        sample(
            st.matrix_t.logpdf,
            *(x, normal(2, 3, seed=2), L[:2, :2], M, 3.3),
            call=lambda X, mean, L, M, df: st.matrix_t.logpdf(X, mean, square(L), square(M), df),
        )
    )

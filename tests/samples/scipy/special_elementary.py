"""Samples of scipy/special/elementary.py."""

import numpy as np

import dotbar.scipy.special as sc
from dotbar.scipy.special import elementary
from samples import cnormal, normal, sample, uniform

x, z = normal(3, 4), cnormal(4)
p, unit = uniform(0.5, 2.0, 4), uniform(0.1, 0.9, 4)
a, b = uniform(0.5, 2.0, 3, 1, seed=1), uniform(0.5, 2.0, 2, seed=2)
signed = np.array([0.3, -0.5, 2.2, -1.9])

SAMPLES = [
    sample(sc.entr, p, case="entr"),
    sample(sc.rel_entr, a, b, case="rel_entr"),
    sample(sc.kl_div, a, b, case="kl_div"),
    sample(sc.xlogy, a, b, case="xlogy"),
    sample(sc.xlogy, z, cnormal(4, seed=3)),
    sample(sc.xlog1py, a, b, case="xlog1py"),
    sample(sc.huber, p, signed, case="huber"),
    sample(sc.pseudo_huber, p, signed, case="pseudo_huber"),
    sample(elementary.exponential_moment, 3 * signed, n=1),
    sample(sc.boxcox, a, normal(2), case="boxcox"),
    sample(sc.boxcox, p, np.array([0.0, 1e-9, 1.0, -1e-5])),
    sample(sc.boxcox1p, a, normal(2), case="boxcox1p"),
    sample(sc.inv_boxcox, uniform(0.1, 0.9, 4), signed / 4, case="inv_boxcox"),
    sample(sc.inv_boxcox, unit, np.array([0.0, 1e-9, 1.0, -1e-5])),
    sample(sc.inv_boxcox1p, unit, signed / 4),
    sample(sc.powm1, a, b, case="powm1"),
    sample(sc.cbrt, p, case="cbrt"),
    sample(sc.exp10, signed, case="exp10"),
    *(sample(f, p, case="exp2/expm1/log1p") for f in (sc.exp2, sc.expm1, sc.log1p)),
    *(sample(f, z) for f in (sc.expm1, sc.log1p)),
    sample(sc.cosm1, x, case="cosm1"),
    *(sample(f, 40 * p, case="cosdg/sindg") for f in (sc.cosdg, sc.sindg, sc.tandg, sc.cotdg)),
    sample(sc.radian, p, 20 * p, 30 * p),
    sample(sc.round, np.array([0.3, 1.2, -2.4]), case="round/sinc"),
    sample(np.sinc, x, call=sc.sinc, case="round/sinc; sinc/diric"),
    *(sample(sc.diric, np.array([0.4, -2.0, 0.0, 2 * np.pi]), n, case="sinc/diric") for n in (4, 5)),
    sample(sc.expit, x, case="expit"),
    sample(sc.logit, unit, case="logit"),
    sample(sc.log_expit, x, case="log_expit"),
    sample(sc.softmax, x, axis=-1, case="softmax"),
    sample(sc.softmax, x),
    sample(sc.log_softmax, x, axis=0, case="log_softmax"),
    sample(elementary.log_sum_exp, x, normal(3, 4, seed=2), axis=1),
    sample(sc.logsumexp, x, axis=1, case="logsumexp axis"),
    sample(sc.logsumexp, x, keepdims=True),
    sample(sc.logsumexp, x, (0, 1), p, case="logsumexp b="),
    sample(sc.logsumexp, x, 0, normal(3, 4, seed=2), return_sign=True),
    sample(sc.logsumexp, cnormal(3, 2), axis=0),
    sample(sc.logsumexp, cnormal(3, 2), axis=0, return_sign=True),
]
if hasattr(sc, "softplus"):
    SAMPLES += [sample(sc.softplus, x, case="softplus")]

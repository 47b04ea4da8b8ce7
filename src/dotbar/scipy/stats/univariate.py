"""The rules of distributions in x and every parameter: one for continuous ones and one for discrete ones.

The value is SciPy's own.  The derivatives come from the logarithm of the density, which is SciPy's formula run on
traced values or one of ``continuous.DENSITIES``, and from the transport V of its quantiles (``transport``):

=============  ===========================================  =================================
function       ∂/∂x                                         ∂/∂θ
=============  ===========================================  =================================
log f          s                                            the score of θ
F, 1 − F       ± f                                          ± f V
log F, log S   ± f/F, ± f/S                                 the same times V
quantiles      ± 1/f                                        −V
samples                                                     −V: the sample keeps its quantile
=============  ===========================================  =================================

With z = (x − loc)/scale, V is −1 for loc, −z for scale, and scale · V(z) for a shape parameter.  A discrete
distribution has the same table without its first column.
"""

from typing import Any

import numpy as np

from dotbar.rules.kinds import rule
from dotbar.rules.words import stop_gradient
from dotbar.scipy.stats import continuous, discrete
from dotbar.scipy.stats.continuous import density, support, velocities
from dotbar.scipy.stats.discrete import mass_logarithm, score_sum
from dotbar.scipy.stats.law import as_double, entrywise, law, mass
from dotbar.scipy.stats.transport import partial

SIGNS = {"cdf": 1, "logcdf": 1, "ppf": 1, "sf": -1, "logsf": -1, "isf": -1}
"""The functions that a quantile's transport differentiates, with the direction in which they run."""


def within(dist: Any, z: Any, shapes: Any, strictly: bool = False) -> tuple[Any, Any]:
    """Where z lies in the support, and z there; elsewhere some point of the support."""
    lower, upper = support(dist, map(stop_gradient, shapes))
    inside = (z > lower) & (z < upper) if strictly else (z >= lower) & (z <= upper)
    middle = (np.maximum(lower, np.minimum(upper - 2, -1)) + np.minimum(upper, np.maximum(lower + 2, 1))) / 2
    return inside, np.where(inside, z, middle)


# ---------------------------------------------------------------- continuous distributions


@rule(law, "(),(),(),(),(),(),(),()->()")
def _law(y: Any, *args: Any, dist: Any, method: str) -> Any:
    """See the table above.  Samples: Figurnov, Mohamed & Mnih (2018), arXiv:1805.08498, eq. (6)."""
    x, loc, scale, *shapes = map(as_double, args)
    x = y if method in ("ppf", "isf") else x
    with np.errstate(all="ignore"):
        z = (x - loc) / scale

    def score(i: int) -> Any:
        inside, t = within(dist, z, shapes)
        s = partial(density(dist), max(i - 2, 0), (t, *shapes))
        return np.where(inside, (s / scale, -s / scale, -(t * s + 1) / scale)[i] if i < 3 else s, 0)

    def velocity(i: int) -> Any:
        if i < 3:
            return (1.0, -1.0, -z)[i]
        inside, t = within(dist, z, shapes, strictly=True)
        return np.where(inside, scale * velocities(dist)[i - 3](t, *shapes), 0)

    def factor(i: int) -> Any:
        if method in ("pdf", "logpdf"):
            return score(i) if method == "logpdf" else np.where(y > 0, y * score(i), 0) if i > 2 else y * score(i)
        if method == "rvs":
            return -velocity(i) if i else 1.0
        logf = law(x, loc, scale, *shapes, dist=dist, method="logpdf")
        if method in ("ppf", "isf"):
            return -velocity(i) if i else SIGNS[method] * np.exp(-logf)
        ratio = np.exp(logf - y if method.startswith("log") else logf)
        moves = (logf > -np.inf) & within(dist, z, shapes, strictly=i > 2)[0]
        return np.where(moves, SIGNS[method] * ratio * velocity(i), 0)

    pairs: list[Any] = [entrywise(factor, y)(i) for i in range(len(args))]
    if dist.name in continuous.OPAQUE:
        pairs[3:] = [continuous.OPAQUE[dist.name]] * len(shapes)
        if method in ("pdf", "logpdf") and dist.name not in continuous.DENSITIES:
            pairs[:3] = ["the density is known by its values alone"] * 3
    return pairs


# ---------------------------------------------------------------- discrete distributions


@rule(mass, "(),(),(),(),(),(),(),()->()")
def _mass(y: Any, *args: Any, dist: Any, method: str) -> Any:
    """The table above without its first column."""
    k, loc, *shapes = args
    shapes = [s if i in discrete.INTEGERS.get(dist.name, ()) else as_double(s) for i, s in enumerate(shapes)]
    k = np.floor(k - loc) * 1.0

    def factor(i: int) -> Any:
        inside, t = within(dist, k, shapes)
        if method in ("pmf", "logpmf"):
            s = partial(mass_logarithm(dist), i - 1, (t, *shapes))
            return np.where(inside & (y > -np.inf), s if method == "logpmf" else y * s, 0)
        known = discrete.VELOCITIES[dist.name][i - 2]
        v = score_sum(t, *shapes, dist=dist, directions=(i - 2,)) if known is None else known(t, *shapes)
        logf = mass(k, 0, *shapes, dist=dist, method="logpmf")
        ratio = np.exp(logf - y if method.startswith("log") else logf)
        return np.where(inside & (y > -np.inf), SIGNS[method] * ratio * v, 0)

    found = [entrywise(factor, y)(i) for i in range(2, len(args))]
    return [f"{dist.name} lives on the integers"] * 2 + discrete.pairs(dist, found)

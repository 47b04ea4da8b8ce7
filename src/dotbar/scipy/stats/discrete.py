"""Discrete distributions: masses, derivatives of distribution functions by parameters, and sums over the integers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dotbar.core import primitive
from dotbar.rules.kinds import rule
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.gammas import zeta
from dotbar.scipy.stats.law import entrywise
from dotbar.scipy.stats.transport import partial

__all__ = ["DENSITIES", "INTEGERS", "MOMENTS", "OPAQUE", "VELOCITIES", "mass_logarithm", "pairs", "score_sum", "summed"]

INTEGERS = {
    "betabinom": (0,),
    "betanbinom": (0,),
    "binom": (0,),
    "boltzmann": (1,),
    "hypergeom": (0, 1, 2),
    "nchypergeom_fisher": (0, 1, 2),
    "nchypergeom_wallenius": (0, 1, 2),
    "nhypergeom": (0, 1, 2),
    "randint": (0, 1),
    "zipfian": (1,),
}
"""The shape parameters that are integers."""

OPAQUE = {
    "nchypergeom_wallenius": "its mass is an integral",
    "poisson_binom": "the probabilities are one list; write the mass as a product of polynomials",
}
"""Distributions without derivatives by their other shape parameters, and why."""


def log_choose(n: Any, k: Any) -> Any:
    """The logarithm of a binomial coefficient, −∞ where it vanishes."""
    possible = (k >= 0) & (k <= n)
    n, k = np.where(possible, n, 0), np.where(possible, k, 0)
    return np.where(possible, -np.log(n + 1) - sc.betaln(n - k + 1, k + 1), -np.inf)


def fisher(k: Any, M: Any, n: Any, N: Any, odds: Any) -> Any:
    """Fog (2008), eq. (3)."""

    def log_weight(k: Any, M: Any, n: Any, N: Any, odds: Any) -> Any:
        return log_choose(n, k) + log_choose(M - n, N - k) + k * np.log(odds)

    weights = np.exp(log_weight(np.arange(int(np.max(N)) + 1), *(np.expand_dims(t, -1) for t in (M, n, N, odds))))
    return log_weight(k, M, n, N, odds) - np.log(np.sum(weights, -1))


def zipfian(k: Any, a: Any, n: Any) -> Any:
    j = np.arange(1.0, int(np.max(n)) + 1)
    powers = np.where(j <= np.expand_dims(n, -1), j ** -np.expand_dims(a, -1), 0)
    return -a * np.log(k) - np.log(np.sum(powers, -1))


def skellam(k: Any, m: Any, n: Any) -> Any:
    """Skellam (1946)."""
    root, k = 2 * np.sqrt(m * n), k * 1.0
    return k / 2 * np.log(m / n) + np.log(sc.ive(np.abs(k), root)) - (np.sqrt(m) - np.sqrt(n)) ** 2


# fmt: off
DENSITIES: dict[str, Callable[..., Any]] = {
    "bernoulli": lambda k, p: sc.xlogy(k, p) + sc.xlog1py(1 - k, -p),
    "betabinom": lambda k, n, a, b: log_choose(n, k) + sc.betaln(k + a, n - k + b) - sc.betaln(a, b),
    "betanbinom": lambda k, n, a, b: sc.betaln(a + n, b + k) - sc.betaln(a, b) - np.log(n + k) - sc.betaln(n, k + 1),
    "binom": lambda k, n, p: log_choose(n, k) + sc.xlogy(k, p) + sc.xlog1py(n - k, -p),
    "boltzmann": lambda k, lam, n: np.log(np.expm1(-lam) / np.expm1(-lam * n)) - lam * k,
    "dlaplace": lambda k, a: np.log(np.tanh(a / 2)) - a * np.abs(k),
    "geom": lambda k, p: sc.xlog1py(k - 1, -p) + np.log(p),
    "hypergeom": lambda k, M, n, N: log_choose(n, k) + log_choose(M - n, N - k) - log_choose(M, N),
    "logser": lambda k, p: k * np.log(p) - np.log(k) - np.log(-np.log1p(-p)),
    "nchypergeom_fisher": fisher,
    "nbinom": lambda k, n, p: (sc.gammaln(n + k) - sc.gammaln(k + 1) - sc.gammaln(n)
                               + sc.xlogy(n, p) + sc.xlog1py(k, -p)),
    "nhypergeom": lambda k, M, n, r: log_choose(k + r - 1, k) + log_choose(M - r - k, n - k) - log_choose(M, n),
    "planck": lambda k, lam: np.log(-np.expm1(-lam)) - lam * k,
    "poisson": lambda k, mu: sc.xlogy(k, mu) - mu - sc.gammaln(k + 1),
    "randint": lambda k, low, high: -np.log(high - low) + 0 * k,
    "skellam": skellam,
    "yulesimon": lambda k, a: np.log(a) + sc.betaln(k, a + 1),
    "zipf": lambda k, a: -a * np.log(k) - np.log(zeta(a)),
    "zipfian": zipfian,
}
"""log f; of a distribution that is not here it is SciPy's own formula, run on traced values."""

BY_VALUES = ("nchypergeom_fisher", "zipfian")
"""Distributions whose mass is divided by a sum of as many terms as the parameters say."""

VELOCITIES: dict[str, tuple[Callable[..., Any] | None, ...]] = {
    "bernoulli": (lambda k, p: np.where(k < 1, -1 / (1 - p), 0.0),),
    "betabinom": (None, None, None),
    "betanbinom": (None, None, None),
    "binom": (None, lambda k, n, p: -(n - k) / (1 - p)),
    "boltzmann": (None, None),
    "dlaplace": (lambda k, a: np.where(k < 0, (sc.expit(a) - k - 1) / np.expm1(-a), (sc.expit(a) + k) / np.expm1(a)),),
    "geom": (lambda k, p: k / p,),
    "hypergeom": (None, None, None),
    "logser": (None,),
    "nbinom": (None, lambda k, n, p: (n + k) / p),
    "nchypergeom_fisher": (None, None, None, None),
    "nchypergeom_wallenius": (None, None, None, None),
    "nhypergeom": (None, None, None),
    "planck": (None,),
    "poisson": (lambda k, mu: -1.0 + 0 * k,),
    "poisson_binom": (None,),
    "randint": (None, None),
    "skellam": (lambda k, m, n: -1.0 + 0 * k, lambda k, m, n: np.exp(skellam(k + 1, m, n) - skellam(k, m, n))),
    "yulesimon": (None,),
    "zipf": (None,),
    "zipfian": (None, None),
}

# fmt: on
"""(∂F/∂θ)/f for each shape parameter; None where it is a sum of scores."""


def _binomial(n: Any, p: Any) -> tuple[Any, Any, Any, Any]:
    var = n * p * (1 - p)
    return n * p, var, (1 - 2 * p) / np.sqrt(var), (1 - 6 * p * (1 - p)) / var


# fmt: off
MOMENTS: dict[str, Callable[..., tuple[Any, Any, Any, Any]]] = {
    "bernoulli": lambda p: _binomial(1, p),
    "binom": lambda n, p: _binomial(n, p),
    "geom": lambda p: (1 / p, (1 - p) / p**2, (2 - p) / np.sqrt(1 - p), 6 + p**2 / (1 - p)),
    "nbinom": lambda n, p: (n * (1 - p) / p, n * (1 - p) / p**2, (2 - p) / np.sqrt(n * (1 - p)),
                            (p * p - 6 * p + 6) / (n * (1 - p))),
    "poisson": lambda mu: (mu, mu, 1 / np.sqrt(mu), 1 / mu),
}
# fmt: on


def mass_logarithm(dist: Any) -> Callable[..., Any]:
    """The logarithm of the standard density as a function that can be differentiated."""
    return DENSITIES.get(dist.name, dist._logpmf)


def pairs(dist: Any, found: list[Any]) -> list[Any]:
    """The pairs (dot, bar) of the shape parameters; of those without a derivative the reason."""
    integers = INTEGERS.get(dist.name, ())
    names = (dist.shapes or "").split(", ")
    return [
        f"{names[i]} of {dist.name} is an integer" if i in integers else OPAQUE.get(dist.name, pair)
        for i, pair in enumerate(found)
    ]


# ---------------------------------------------------------------- sums over the integers


def along(directions: tuple[int, ...], f: Callable[..., Any]) -> Callable[..., Any]:
    """∂f/∂xᵢ∂xⱼ… of a function that goes entry by entry."""
    for i in directions:
        f = lambda *xs, f=f, i=i: partial(f, i, xs)
    return f


@primitive
def score_sum(k: Any, *shapes: Any, dist: Any, directions: tuple[int, ...]) -> Any:
    """(∂F/∂θᵢ)/f at k, and its derivatives by θⱼ…: the scores of all integers up to k, weighted by f over that at k."""
    i, *further = directions
    k, *shapes = (np.expand_dims(t, -1) for t in np.broadcast_arrays(k, *shapes))
    lower = np.broadcast_to(dist._get_support(*shapes)[0], k.shape)
    j = k - np.arange(int(np.max(k - lower, initial=0)) + 1)
    inside, logf = j >= lower, mass_logarithm(dist)
    j = np.where(inside, j, k)
    terms = lambda *shapes: partial(logf, i + 1, (j, *shapes)) * np.exp(logf(j, *shapes) - logf(k, *shapes))
    return np.sum(np.where(inside, along(tuple(further), terms)(*shapes), 0), -1)


@rule(score_sum, "(),(),(),(),()->()")
def _score_sum(v: Any, k: Any, *shapes: Any, dist: Any, directions: tuple[int, ...]) -> Any:
    further = lambda j: score_sum(k, *shapes, dist=dist, directions=(*directions, j))
    return ["k is an integer", *pairs(dist, [entrywise(further, v)(j) for j in range(len(shapes))])]


MOST = 2**20
"""So many terms at most."""


@primitive
def summed(*shapes: Any, dist: Any, kind: str, directions: tuple[int, ...] = ()) -> Any:
    """The ``mean``, ``variance``, ``skewness``, ``kurtosis`` or ``entropy`` of a discrete distribution, or derivatives.

    These by the sum over all integers with mass; NaN where it does not come near SciPy's value.
    """
    y = dist.entropy(*shapes) if kind == "entropy" else dist.stats(*shapes, moments=kind[0])
    if not directions:
        return y
    shapes = np.broadcast_arrays(*shapes)
    lower, upper = (np.broadcast_to(end, np.shape(y)) for end in dist._get_support(*shapes))
    middle = dist.ppf(0.5, *shapes)

    def covered(reach: float) -> Any:
        """So far from the median on each side."""
        return np.maximum(lower, middle - reach), np.minimum(upper, middle + reach)

    reach = 64
    while reach < MOST:
        low, high = covered(reach // 4)
        if np.max(dist.cdf(low - 1, *shapes) + dist.sf(high, *shapes), initial=0) <= 1e-15:
            break
        reach *= 2
    low, high = (np.expand_dims(end, -1) for end in covered(reach))
    along_last = [np.expand_dims(t, -1) for t in shapes]
    k = low + np.arange(np.max(high - low, initial=0) + 1)
    k = np.where(mass := dist.pmf(k, *along_last) > 0, k, np.expand_dims(middle, -1))
    of = lambda *shapes: moment_of(mass_logarithm(dist), kind, np.where(mass, 1, 0), k, *shapes)
    near = np.isfinite(y) & (np.abs(of(*along_last) - y) <= 1e-7 * (1 + np.abs(y)))
    return np.where(near, along(directions, of)(*along_last), np.nan)


def moment_of(logf: Callable[..., Any], kind: str, counted: Any, k: Any, *shapes: Any) -> Any:
    """A moment or the entropy as a sum along the last axis."""
    logs = logf(k, *shapes)
    f = counted * np.exp(logs)
    if kind == "entropy":
        return -np.sum(f * logs, -1)
    mean = np.sum(f * k, -1)
    if kind == "mean":
        return mean
    central = lambda order: np.sum(f * (k - np.expand_dims(mean, -1)) ** order, -1)
    var = central(2)
    return {
        "variance": lambda: var,
        "skewness": lambda: central(3) / var**1.5,
        "kurtosis": lambda: central(4) / var**2 - 3,
    }[kind]()


@rule(summed, "(),(),(),()->()")
def _summed(y: Any, *shapes: Any, dist: Any, kind: str, directions: tuple[int, ...] = ()) -> Any:
    further = lambda j: summed(*shapes, dist=dist, kind=kind, directions=(*directions, j))
    return pairs(dist, [entrywise(further, y)(j) for j in range(len(shapes))])

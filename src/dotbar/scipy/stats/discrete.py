"""Discrete distributions: what their distribution functions' derivatives by parameters are."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dotbar.scipy.special import ufuncs as sc

__all__ = ["DENSITIES", "INTEGERS", "VELOCITIES"]

INTEGERS = {"betabinom": (0,), "betanbinom": (0,), "binom": (0,), "boltzmann": (1,)}
"""The shape parameters that are integers."""

# fmt: off
DENSITIES: dict[str, Callable[..., Any]] = {
    "bernoulli": lambda k, p: sc.xlogy(k, p) + sc.xlog1py(1 - k, -p),
    "betabinom": lambda k, n, a, b: (sc.betaln(k + a, n - k + b) - sc.betaln(a, b)
                                     - np.log(n + 1) - sc.betaln(n - k + 1, k + 1)),
    "binom": lambda k, n, p: -np.log(n + 1) - sc.betaln(n - k + 1, k + 1) + sc.xlogy(k, p) + sc.xlog1py(n - k, -p),
    "geom": lambda k, p: sc.xlog1py(k - 1, -p) + np.log(p),
    "nbinom": lambda k, n, p: (sc.gammaln(n + k) - sc.gammaln(k + 1) - sc.gammaln(n)
                               + sc.xlogy(n, p) + sc.xlog1py(k, -p)),
    "poisson": lambda k, mu: sc.xlogy(k, mu) - mu - sc.gammaln(k + 1),
}
"""log f; of a distribution that is not here it is SciPy's own formula, run on traced values."""

VELOCITIES: dict[str, tuple[Callable[..., Any] | None, ...]] = {
    "bernoulli": (lambda k, p: np.where(k < 1, -1 / (1 - p), 0.0),),
    "betabinom": (None, None, None),
    "betanbinom": (None, None, None),
    "binom": (None, lambda k, n, p: -(n - k) / (1 - p)),
    "boltzmann": (None, None),
    "dlaplace": (lambda k, a: np.where(k < 0, (sc.expit(a) - k - 1) / np.expm1(-a), (sc.expit(a) + k) / np.expm1(a)),),
    "geom": (lambda k, p: k / p,),
    "logser": (None,),
    "nbinom": (None, lambda k, n, p: (n + k) / p),
    "planck": (None,),
    "poisson": (lambda k, mu: -1.0 + 0 * k,),
    "yulesimon": (None,),
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

"""Discrete distributions: what their distribution functions' derivatives by parameters are."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sc

__all__ = ["DENSITIES", "INTEGERS", "VELOCITIES"]

INTEGERS = {"binom": (0,), "betabinom": (0,)}
"""The shape parameters that are integers."""

# fmt: off
DENSITIES: dict[str, Callable[..., Any]] = {
    "bernoulli": lambda k, p: sc.xlogy(k, p) + sc.xlog1py(1 - k, -p),
    "binom": lambda k, n, p: -np.log(n + 1) - sc.betaln(n - k + 1, k + 1) + sc.xlogy(k, p) + sc.xlog1py(n - k, -p),
    "nbinom": lambda k, n, p: (sc.gammaln(n + k) - sc.gammaln(k + 1) - sc.gammaln(n)
                               + sc.xlogy(n, p) + sc.xlog1py(k, -p)),
}
"""log f where SciPy's own formula is in native code."""

VELOCITIES: dict[str, tuple[Callable[..., Any] | None, ...]] = {
    "bernoulli": (lambda k, p: np.where(k < 1, -1 / (1 - p), 0.0),),
    "betabinom": (None, None, None),
    "betanbinom": (None, None, None),
    "binom": (None, lambda k, n, p: -(n - k) / (1 - p)),
    "boltzmann": (None, None),
    "dlaplace": (None,),
    "geom": (lambda k, p: k / p,),
    "logser": (None,),
    "nbinom": (None, lambda k, n, p: (n + k) / p),
    "planck": (None,),
    "poisson": (lambda k, mu: -1.0 + 0 * k,),
    "yulesimon": (None,),
    "zipf": (None,),
    "zipfian": (None, None),
}
# fmt: on
"""(∂F/∂θ)/f for each shape parameter; None where it is a sum of scores."""

"""Densities, and some distribution functions, composed of functions that have rules.

Their derivatives follow, they compile to native code, and small arrays cost little: SciPy's own methods check their
arguments for a tenth of a millisecond.
"""

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import numpy as np
from scipy.stats import rv_continuous

from dotbar.rules.words import settled, stop_gradient
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.stats import discrete
from dotbar.scipy.stats.continuous import DENSITIES, OPAQUE, density, support
from dotbar.scipy.stats.law import as_double
from dotbar.scipy.stats.univariate import within

__all__ = ["admissible", "composed"]


def admissible(dist: Any, scale: Any, shapes: Any) -> Any:
    """Where there is such a distribution: shapes are positive if SciPy says no more, or warns, as of erlang."""
    if type(dist)._argcheck is not rv_continuous._argcheck and dist.name != "erlang":
        return (scale > 0) & dist._argcheck(*map(stop_gradient, shapes))
    return reduce(np.logical_and, (s > 0 for s in (scale, *shapes)))


def log_density(x: Any, loc: Any, scale: Any, *shapes: Any, dist: Any) -> Any:
    """log f((x − loc)/scale) − log scale; −∞ outside the support, and at an end of it where the formula is 0 · ∞."""
    shapes = tuple(map(as_double, shapes))
    with np.errstate(all="ignore"):
        z = (as_double(x) - loc) / scale
        inside, t = within(dist, z, shapes)
        lower, upper = support(dist, map(stop_gradient, shapes))
        logf = density(dist)(t, *shapes)
        vanishes = ~inside | (np.isnan(logf) & (np.equal(t, lower) | np.equal(t, upper)))
        known = admissible(dist, scale, shapes) & ~np.isnan(z)
        return (np.where(vanishes, -np.inf, logf) - np.log(scale)) * np.where(known, 1.0, np.nan)


def of_deviation(f: Callable[[Any], Any], x: Any, loc: Any, scale: Any) -> Any:
    """A function of (x − loc)/scale."""
    with np.errstate(all="ignore"):
        return f((as_double(x) - loc) / scale) * np.where(scale > 0, 1.0, np.nan)


NORMAL: dict[str, Callable[[Any], Any]] = {
    "cdf": sc.ndtr,
    "sf": lambda x: sc.ndtr(-x),
    "logcdf": sc.log_ndtr,
    "logsf": lambda x: sc.log_ndtr(-x),
}


def log_mass(k: Any, loc: Any, *shapes: Any, dist: Any, method: str) -> Any:
    """log f(k − loc), −∞ outside the support and between the integers."""
    function, names = f"dotbar.scipy.stats.{dist.name}.{method}", (dist.shapes or "").split(", ")
    whole = lambda x, name, why: settled(x, function=function, argument=name, why=why)
    k, loc = (whole(x, name, f"{dist.name} lives on the integers") for x, name in ((k, "k"), (loc, "loc")))
    integers = discrete.INTEGERS.get(dist.name, ())
    shapes = tuple(
        whole(s, name, f"{name} of {dist.name} is an integer") if i in integers else as_double(s)
        for i, (s, name) in enumerate(zip(shapes, names))
    )
    with np.errstate(all="ignore"):
        k = as_double(k) - loc
        inside, t = within(dist, k, shapes)
        logf = np.where(inside & (k == np.floor(k)), discrete.DENSITIES[dist.name](t, *shapes), -np.inf)
        return logf * np.where(admissible(dist, 1, shapes) & ~np.isnan(k), 1.0, np.nan)


def composed(dist: Any, method: str) -> Callable[..., Any] | None:
    """A function of x, loc, scale (of continuous distributions) and the shape parameters, if there is one."""
    if dist.name in discrete.DENSITIES and dist.name not in discrete.BY_VALUES:
        logf = partial(log_mass, dist=dist, method=method)
        return {"logpmf": logf, "pmf": lambda *args: np.exp(logf(*args))}.get(method)
    if dist.name in OPAQUE and dist.name not in DENSITIES:
        return None
    if method == "logpdf":
        return partial(log_density, dist=dist)
    if method == "pdf":
        return lambda *args: np.exp(log_density(*args, dist=dist))
    return partial(of_deviation, NORMAL[method]) if dist.name == "norm" and method in NORMAL else None

"""Moments and entropies in every parameter, by the same nodes as the transport, on both sides of the median."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import rv_continuous

from dotbar.rules.kinds import rule
from dotbar.rules.words import stop_gradient
from dotbar.scipy.stats import continuous
from dotbar.scipy.stats.continuous import density
from dotbar.scipy.stats.law import as_double, entrywise, law, moment
from dotbar.scipy.stats.transport import WEIGHTS, U, between, expectation, partial


def mean_of(dist: Any, shapes: tuple[Any, ...]) -> Callable[[Callable[..., Any]], Any]:
    """The expectation of h(X, *shapes) for a standard X, as a function of h that can be differentiated.

    Where the support is fixed the nodes are, and the density over them moves; else they are quantiles, which move.
    """
    if dist._get_support.__func__ is rv_continuous._get_support:
        median = lambda *shapes: law(0.5, 0.0, 1.0, *map(stop_gradient, shapes), dist=dist, method="ppf")
        centre = continuous.KINKS.get(dist.name, median)(*shapes)
        return lambda h: expectation(density(dist), h, between(*continuous.ends(dist)), centre, *shapes)

    p = np.exp(-U) / 2
    moving, fixed = ([np.expand_dims(s, -1) for s in t] for t in (shapes, map(stop_gradient, shapes)))

    def by_quantiles(h: Callable[..., Any]) -> Any:
        def side(method: str) -> Any:
            at = lambda p, shapes: h(law(p, 0.0, 1.0, *shapes, dist=dist, method=method), *shapes)
            counted = np.isfinite(stop_gradient(at(p, fixed)))
            return np.where(counted, p * WEIGHTS * at(np.where(counted, p, 0.5), moving), 0)

        return np.sum(side("ppf") + side("isf"), -1)

    return by_quantiles


def moments(dist: Any, *shapes: Any) -> dict[str, Callable[[], Any]]:
    """Moments and entropy of the standard distribution as functions that can be differentiated."""
    origin = np.expand_dims(moment(0.0, 1.0, *map(stop_gradient, shapes), dist=dist, kind="mean"), -1)
    mean = mean_of(dist, shapes)

    def about(k: int) -> Any:
        return mean(lambda t, *_: (t - origin) ** k)

    def variance() -> Any:
        return about(2) - about(1) ** 2

    def skewness() -> Any:
        m = about(1)
        return (about(3) - 3 * m * about(2) + 2 * m**3) / variance() ** 1.5

    def kurtosis() -> Any:
        m = about(1)
        return (about(4) - 4 * m * about(3) + 6 * m**2 * about(2) - 3 * m**4) / variance() ** 2 - 3

    return {
        "mass": lambda: mean(lambda t, *_: np.ones_like(t)),
        "mean": lambda: origin[..., 0] + about(1),
        "variance": variance,
        "skewness": skewness,
        "kurtosis": kurtosis,
        "entropy": lambda: -mean(density(dist)),
    }


@rule(moment, "(),(),(),(),(),(),(),()->()")
def _moment(y: Any, *args: Any, dist: Any, kind: str) -> Any:
    """∂/∂θ E h(X) = ∫ (h s + ∂h/∂θ) f dx with the score s of θ; NaN where the nodes miss E h(X) itself, or E s = 0."""
    loc, scale, *shapes = map(as_double, args)

    def of_standard(*shapes: Any, kind: str = kind) -> Any:
        return moments(dist, *shapes)[kind]()

    def scaled(m: Any) -> Any:
        return {"mean": loc + scale * m, "variance": scale**2 * m, "entropy": m + np.log(scale)}.get(kind, m)

    def factor(i: int) -> Any:
        if i == 0:
            return 1.0 if kind == "mean" else 0.0
        if i == 1:
            return {"mean": (y - loc) / scale, "variance": 2 * y / scale, "entropy": 1 / scale}.get(kind, 0.0)
        p = {"mean": scale, "variance": scale**2}.get(kind, 1.0) * partial(of_standard, i - 2, tuple(shapes))
        value, fixed = stop_gradient(y), tuple(map(stop_gradient, shapes))
        error = np.abs(scaled(of_standard(*shapes)) - y)
        drift = np.abs(partial(lambda *shapes: of_standard(*shapes, kind="mass"), i - 2, fixed))
        known = np.isfinite(value) & (stop_gradient(error) <= 1e-7 * (1 + np.abs(value))) & (drift <= 1e-6)
        return p + np.where(known, 0.0, np.nan) * sum(shapes)

    return [entrywise(factor, y)(i) for i in range(len(args))]

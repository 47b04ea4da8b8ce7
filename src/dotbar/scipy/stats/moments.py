"""Moments and entropies in every parameter: the score under the integral, over nodes on both sides of the median."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dotbar.rules.kinds import rule
from dotbar.rules.words import stop_gradient
from dotbar.scipy.stats import continuous
from dotbar.scipy.stats.continuous import density
from dotbar.scipy.stats.law import as_double, entrywise, law, moment
from dotbar.scipy.stats.transport import between, expectation, partial


def moments(dist: Any, *shapes: Any) -> dict[str, Callable[[], Any]]:
    """Moments and entropy of the standard distribution as functions that can be differentiated."""
    coordinate = between(dist.a, dist.b)
    plain = tuple(map(stop_gradient, shapes))
    centre = continuous.KINKS.get(dist.name, lambda *shapes: law(0.5, 0.0, 1.0, *shapes, dist=dist, method="ppf"))(
        *plain
    )
    origin = np.expand_dims(moment(0.0, 1.0, *plain, dist=dist, kind="mean"), -1)

    def about(k: int) -> Any:
        return expectation(density(dist), lambda t, *_: (t - origin) ** k, coordinate, centre, *shapes)

    def variance() -> Any:
        return about(2) - about(1) ** 2

    def skewness() -> Any:
        m = about(1)
        return (about(3) - 3 * m * about(2) + 2 * m**3) / variance() ** 1.5

    def kurtosis() -> Any:
        m = about(1)
        return (about(4) - 4 * m * about(3) + 6 * m**2 * about(2) - 3 * m**4) / variance() ** 2 - 3

    def entropy() -> Any:
        return -expectation(density(dist), density(dist), coordinate, centre, *shapes)

    return {
        "mean": lambda: origin[..., 0] + about(1),
        "variance": variance,
        "skewness": skewness,
        "kurtosis": kurtosis,
        "entropy": entropy,
    }


@rule(moment, "(),(),(),(),(),(),(),()->()")
def _moment(y: Any, *args: Any, dist: Any, kind: str) -> Any:
    """∂/∂θ E h(X) = ∫ (h s + ∂h/∂θ) f dx with the score s of θ; NaN where the same integral misses E h(X) itself."""
    loc, scale, *shapes = map(as_double, args)

    def of_standard(*shapes: Any) -> Any:
        return moments(dist, *shapes)[kind]()

    def scaled(m: Any) -> Any:
        return {"mean": loc + scale * m, "variance": scale**2 * m, "entropy": m + np.log(scale)}.get(kind, m)

    def factor(i: int) -> Any:
        if i == 0:
            return 1.0 if kind == "mean" else 0.0
        if i == 1:
            return {"mean": (y - loc) / scale, "variance": 2 * y / scale, "entropy": 1 / scale}.get(kind, 0.0)
        p = {"mean": scale, "variance": scale**2}.get(kind, 1.0) * partial(of_standard, i - 2, tuple(shapes))
        error = stop_gradient(scaled(of_standard(*shapes)) - y)
        return np.where(np.abs(error) <= 1e-7 * (1 + np.abs(stop_gradient(y))), p, np.nan)

    return [entrywise(factor, y)(i) for i in range(len(args))]

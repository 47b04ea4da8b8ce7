"""Derivatives of special functions against mpmath."""

import mpmath
import numpy as np

import dotbar


def partial(f, args, order):
    """The mixed partial derivative ∂ⁱ⁺ʲ⁺…f by forward mode, at points that the arguments give entry by entry."""
    for k, n in enumerate(order):
        for _ in range(n):
            f = by_one(f, k)
    return f(*args)


def by_one(f, k):
    def slope(*xs):
        tangents = [np.zeros_like(x) for x in xs]
        tangents[k] = np.ones_like(xs[k])
        return dotbar.jvp(f, xs, tuple(tangents))[1]

    return slope


def worst_error(f, exact, args, order):
    """The largest error of a partial derivative, relative where it is not 0; ``exact`` is mpmath's function."""
    args = np.broadcast_arrays(*(np.asarray(x) * 1.0 for x in args))
    got = partial(f, args, order)
    worst = 0.0
    with mpmath.workdps(40):
        for y, *xs in zip(got.flat, *(x.flat for x in args), strict=True):
            xs = tuple(mpmath.mpmathify(x.item()) for x in xs)
            want = mpmath.diff(exact, *((xs, order) if len(xs) > 1 else (xs[0], order[0])))
            worst = max(worst, float(abs(y.item() - want) / (abs(want) if abs(want) > 1e-18 else 1)))
    return worst

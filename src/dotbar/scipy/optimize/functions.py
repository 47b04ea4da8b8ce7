"""Functions of arrays: Rosenbrock's with its derivatives, and ``isotonic_regression``."""

from typing import Any

import numpy as np
import scipy.optimize as so

from dotbar.core import as_array, primitive
from dotbar.rules.kinds import composite, constant
from dotbar.scipy.closed import arguments, is_traced
from dotbar.scipy.mirror import dispatching, stands_for

rosen = dispatching(so.rosen)
rosen_der = dispatching(so.rosen_der)
rosen_hess = dispatching(so.rosen_hess)
rosen_hess_prod = dispatching(so.rosen_hess_prod)


@composite(rosen)
def _rosen(x: Any) -> Any:
    """Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²."""
    x = as_array(x)
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2, 0)


@composite(rosen_der)
def _rosen_der(x: Any) -> Any:
    x = as_array(x)
    rest, zero = x[1:] - x[:-1] ** 2, 0 * x[:1]
    here = -400 * x[:-1] * rest - 2 * (1 - x[:-1])
    return np.concatenate([here, zero]) + np.concatenate([zero, 200 * rest])


@composite(rosen_hess)
def _rosen_hess(x: Any) -> Any:
    diagonal, beside = rosen_bands(x)
    return np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)


@composite(rosen_hess_prod)
def _rosen_hess_prod(x: Any, p: Any) -> Any:
    (diagonal, beside), p = rosen_bands(x), np.atleast_1d(as_array(p))
    zero = 0 * p[:1]
    return diagonal * p + np.concatenate([beside * p[1:], zero]) + np.concatenate([zero, beside * p[:-1]])


def rosen_bands(x: Any) -> tuple[Any, Any]:
    """The diagonal of the Hessian and the one beside it."""
    x = np.atleast_1d(as_array(x))
    zero = 0 * x[:1]
    here = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    return np.concatenate([here, zero]) + np.concatenate([zero, 0 * x[1:] + 200]), -400 * x[:-1]


@primitive
def blocks(y: Any, weights: Any, *, increasing: bool = True) -> Any:
    """The number of the block of each entry in the isotonic regression."""
    ends = so.isotonic_regression(y, weights=weights, increasing=increasing).blocks
    return np.repeat(np.arange(len(ends) - 1), np.diff(ends))


constant(blocks, like=lambda y, weights, *, increasing=True: None)


@stands_for(so.isotonic_regression)
def isotonic_regression(*args: Any, **kw: Any) -> Any:
    """SciPy's; x, the weighted mean of each block of y, is a function of y and of the weights."""
    given = arguments(so.isotonic_regression, args, kw)
    y, weights, increasing = (given[name] for name in ("y", "weights", "increasing"))
    y, weights = as_array(y), as_array(weights)
    if not (is_traced(y) or is_traced(weights)):
        return so.isotonic_regression(*args, **kw)
    w = np.ones(y.shape) if weights is None else weights
    block = blocks(y, w, increasing=increasing)
    total = lambda v: np.bincount(block, v, len(y))
    return so.OptimizeResult(x=(total(w * y) / np.where(total(np.ones(len(y))) > 0, total(w), 1))[block])

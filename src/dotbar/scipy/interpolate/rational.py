"""Rational functions in barycentric form, in the points, and where their weights are a formula in values and nodes."""

from typing import Any

import numpy as np
import scipy.interpolate as si

from dotbar.core import dtype_of, new_zeros
from dotbar.errors import NoRuleError
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import entries, raise_if, stop_gradient
from dotbar.scipy.interpolate.objects import Interpolator, is_traced
from dotbar.scipy.interpolate.one_dimension import products_of_others
from dotbar.scipy.mirror import stands_for


class Rational(Interpolator):
    """Σᵢ wᵢ fᵢ/(z − zᵢ) / Σᵢ wᵢ/(z − zᵢ), both times Π(z − zⱼ): smooth at the nodes too.  Berrut & Trefethen (2004)."""

    @property
    def parts(self) -> tuple[Any, Any, Any, int]:
        """Nodes, values, weights, and the axis of the values."""
        return self.fitted

    def value(self, z: Any) -> Any:  # type: ignore[override]
        nodes, values, weights, axis = self.parts
        z = inexact(z)
        extent = np.max(np.abs(stop_gradient(nodes) - np.mean(stop_gradient(nodes)))) / 2  # which changes nothing
        products = weights * products_of_others((z[..., None] - nodes) / np.where(extent == 0, 1.0, extent))
        y = np.tensordot(products / np.sum(products, -1, keepdims=True), values, 1)
        return np.moveaxis(y, 0, axis) if z.ndim else y


@stands_for(si.AAA)
class AAA(Rational, si.AAA):
    """Nodes are chosen one after the other and weights are singular vectors of what is left: of the points alone."""

    def fit(self, *args: Any, **kw: Any) -> Any:
        if is_traced(*args, *kw.values()):
            raise NoRuleError("AAA has a derivative in the points alone: it chooses its nodes among the data.")

    def __init__(self, *args: Any, **kw: Any):
        self.fit(*args, **kw)
        si.AAA.__init__(self, *args, **kw)

    @property
    def parts(self) -> tuple[Any, Any, Any, int]:
        return self.support_points, self.support_values, self.weights, vars(self).get("_axis", 0)


@stands_for(si.FloaterHormannInterpolator)
class FloaterHormannInterpolator(Rational, si.FloaterHormannInterpolator):
    """wₖ = Σᵢ (−1)ⁱ Π_{j≠k} 1/(zₖ − zⱼ) over the runs i … i + d of nodes that hold k.  Floater & Hormann (2007)."""

    def fit(self, points: Any, values: Any, *, d: int = 3, axis: int = 0) -> Any:  # type: ignore[override]
        z, f = inexact(points), inexact(values)
        f = np.moveaxis(f, axis, 0)
        n = len(z)
        if z.ndim != 1 or len(f) != n or not 0 <= d <= n:
            raise ValueError("`points` must be 1-D, as long as `values`, and `d` between 0 and their number")
        d = min(d, n - 1)
        runs = np.arange(n - d)[:, None] + np.arange(d + 1)
        apart = entries(z, runs)[:, :, None] - entries(z, runs)[:, None, :] + np.eye(d + 1, dtype=dtype_of(z))
        raise_if(apart == 0, error=ValueError("`points` must be distinct"))
        shares = np.where(runs[:, :1] % 2 == 0, 1.0, -1.0).astype(dtype_of(z)) / np.prod(apart, -1)
        weights = new_zeros((n,), dtype_of(shares), shares)
        np.add.at(weights, runs, shares)
        return z, f, weights, axis

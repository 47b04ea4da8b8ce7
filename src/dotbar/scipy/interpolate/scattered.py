"""Interpolation of scattered data: radial functions, simplices, nearest neighbours."""

from inspect import signature
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import scipy.interpolate as si
from scipy.spatial import Delaunay, KDTree

from dotbar.core import primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import constant
from dotbar.rules.words import H, entries, mT, stop_gradient
from dotbar.scipy.interpolate.grid import coordinates
from dotbar.scipy.interpolate.objects import Interpolator, against, double, filled, is_traced
from dotbar.scipy.mirror import own_module, stands_for
from dotbar.scipy.spatial.distance import cdist

# ---------------------------------------------------------------- radial functions


def root(q: Any, power: float) -> Any:
    """A half-integer power of the squared distance, whose derivatives are 0 where the distance is."""
    return np.where(q == 0, 0.0, np.where(q == 0, 1.0, q) ** power)


KERNELS = {
    "linear": lambda q: -root(q, 0.5),
    "thin_plate_spline": lambda q: np.where(q == 0, 0.0, 0.5 * q * np.log(np.where(q == 0, 1.0, q))),
    "cubic": lambda q: root(q, 1.5),
    "quintic": lambda q: -root(q, 2.5),
    "multiquadric": lambda q: -np.sqrt(q + 1),
    "inverse_multiquadric": lambda q: 1 / np.sqrt(q + 1),
    "inverse_quadratic": lambda q: 1 / (q + 1),
    "gaussian": lambda q: np.exp(-q),
}
"""φ(r) as functions of q = r², which is smooth where r is 0."""

DEGREES = {"multiquadric": 0, "linear": 0, "thin_plate_spline": 1, "cubic": 1, "quintic": 2}


def monomials(d: int, degree: int) -> Any:
    """The exponents of all monomials up to a degree."""
    powers = [
        [term.count(a) for a in range(d)]
        for total in range(degree + 1)
        for term in combinations_with_replacement(range(d), total)
    ]
    return np.array(powers, int).reshape(-1, d)


@primitive
def neighbourhoods(x: Any, y: Any, *, count: int) -> Any:
    """The numbers of the nearest of the points y to each point x, in increasing order."""
    return np.sort(np.reshape(KDTree(y).query(x, count)[1], (len(x), count)), 1)


constant(neighbourhoods, like=lambda x, y, *, count: None)


@stands_for(si.RBFInterpolator)
class RBFInterpolator(Interpolator, si.RBFInterpolator):
    """Σⱼ aⱼ φ(ε|x − yⱼ|) + p(x), from the system [[φ + diag(λ), P], [Pᵀ, 0]].  Fasshauer (2007), chapter 6."""

    def fit(  # type: ignore[override]
        self,
        y: Any,
        d: Any,
        neighbors: int | None = None,
        smoothing: Any = 0.0,
        kernel: str = "thin_plate_spline",
        epsilon: Any = None,
        degree: int | None = None,
    ) -> Any:
        y, d = double(y), double(d)
        kernel = kernel.lower()
        scale_free = ("linear", "thin_plate_spline", "cubic", "quintic")
        if epsilon is None and kernel not in scale_free:
            raise ValueError(f"`epsilon` must be specified if `kernel` is not one of {set(scale_free)}.")
        epsilon = 1.0 if epsilon is None else double(epsilon)
        if kernel not in KERNELS:
            raise ValueError(f"`kernel` must be one of {set(KERNELS)}.")
        degree = max(DEGREES.get(kernel, -1), 0) if degree is None else degree
        if y.ndim != 2 or len(d) != len(y):
            raise ValueError("`y` must be a 2-dimensional array, and `d` as long.")
        smoothing = np.broadcast_to(double(smoothing), (len(y),))
        powers = monomials(y.shape[1], degree)
        if len(powers) > (len(y) if neighbors is None else min(neighbors, len(y))):
            raise ValueError(f"At least {len(powers)} data points are required when `degree` is {degree}.")
        return y, d, smoothing, epsilon, KERNELS[kernel], powers, neighbors

    def value(self, x: Any) -> Any:  # type: ignore[override]
        y, d, smoothing, epsilon, phi, powers, neighbors = self.fitted
        x = double(x)
        if x.ndim != 2 or x.shape[1] != y.shape[1]:
            raise ValueError(f"`x` must be a 2-dimensional array of {y.shape[1]} columns.")
        data = np.reshape(d, (len(y), -1))
        if neighbors is None:
            out = radial(x, y, data, smoothing, epsilon, phi, powers)
        else:
            near = neighbourhoods(x, y, count=min(neighbors, len(y)))
            local = (entries(v, near) for v in (y, data, smoothing))
            out = radial(x[:, None], *local, epsilon, phi, powers)[:, 0]
        return np.reshape(out, (len(x), *d.shape[1:]))


def radial(x: Any, y: Any, d: Any, smoothing: Any, epsilon: Any, phi: Any, powers: Any) -> Any:
    """The interpolant at x of data d at y; leading axes are those of independent problems."""
    low, high = (f(stop_gradient(y), -2, keepdims=True) for f in (np.min, np.max))
    shift, scale = (high + low) / 2, np.where(high == low, 1.0, (high - low) / 2)  # which change nothing but rounding
    R = len(powers)

    def matrices(x: Any) -> tuple[Any, Any]:
        q = np.sum((epsilon * (x[..., :, None, :] - y[..., None, :, :])) ** 2, -1)
        return phi(q), np.prod((((x - shift) / scale)[..., None, :]) ** powers, -1)

    K, P = matrices(y)
    K = K + smoothing[..., None] * np.eye(y.shape[-2])
    corner = np.zeros((*P.shape[:-2], R, R))
    A = np.concatenate([np.concatenate([K, P], -1), np.concatenate([H(P), corner], -1)], -2)
    right = np.concatenate([d, np.zeros((*d.shape[:-2], R, d.shape[-1]))], -2)
    return np.concatenate(matrices(x), -1) @ np.linalg.solve(A, right)


OLDER = {
    "multiquadric": lambda q: np.sqrt(q + 1),
    "inverse_multiquadric": KERNELS["inverse_multiquadric"],
    "gaussian": KERNELS["gaussian"],
    "linear": lambda q: root(q, 0.5),
    "cubic": KERNELS["cubic"],
    "quintic": lambda q: root(q, 2.5),
    "thin_plate": KERNELS["thin_plate_spline"],
}
"""The same of the older class; in the first three distances count in units of ε."""

OTHER_NAMES = {
    "inverse": "inverse_multiquadric",
    "inverse multiquadric": "inverse_multiquadric",
    "thin-plate": "thin_plate",
}


@stands_for(si.Rbf)
class Rbf(Interpolator, si.Rbf):
    """Σⱼ aⱼ φ(|x − xⱼ|) with (φ − λ) a = d, of points and data that are given coordinate by coordinate."""

    def fit(  # type: ignore[override]
        self,
        *args: Any,
        function: Any = "multiquadric",
        epsilon: Any = None,
        smooth: Any = 0.0,
        norm: Any = "euclidean",
        mode: str = "1-D",
        **more: Any,
    ) -> Any:
        if mode not in ("1-D", "N-D"):
            raise ValueError("Mode has to be 1-D or N-D.")
        *coordinates, d = map(double, args)
        y = np.stack([np.ravel(v) for v in coordinates], -1)
        d = np.ravel(d) if mode == "1-D" else d
        if len(d) != len(y):
            raise ValueError("All arrays must be equal length.")
        edges = np.ptp(y, 0)
        longest = np.where(edges == 0, 1.0, edges)
        mean = (np.prod(longest) / len(y)) ** (1 / np.sum(edges != 0)) if epsilon is None else epsilon
        vars(self).update(more, epsilon=mean)
        phi = self.radial(function, mean)
        squares = self.squares(norm)
        return y, squares, phi, np.linalg.solve(phi(squares(y, y)) - smooth * np.eye(len(y)), d)

    def squares(self, norm: Any) -> Any:
        """The squared distances of all pairs, which are smooth where two points meet."""
        if norm == "euclidean":
            return lambda x, y: np.sum((x[:, None] - y[None]) ** 2, -1)
        return lambda x, y: cdist(x, y, norm) ** 2

    def radial(self, function: Any, epsilon: Any) -> Any:
        """The radial function, of squared distances; one of the user's is given distances, perhaps after the object."""
        if callable(function):
            own = (self,) if len(signature(function).parameters) == 2 else ()
            return lambda q: function(*own, root(q, 0.5))
        name = function.lower()
        name = OTHER_NAMES.get(name, name)
        if name not in OLDER:
            raise ValueError(f"function must be a callable or one of {', '.join(OLDER)}")
        scale = epsilon**2 if name in ("multiquadric", "inverse_multiquadric", "gaussian") else 1.0
        return lambda q: OLDER[name](q / scale)

    def value(self, *args: Any) -> Any:  # type: ignore[override]
        y, squares, phi, nodes = self.fitted
        args = tuple(map(double, args))
        if any(x.shape != args[0].shape for x in args):
            raise ValueError("Array lengths must be equal")
        x = np.stack([np.ravel(v) for v in args], -1)
        return np.reshape(phi(squares(x, y)) @ nodes, args[0].shape + nodes.shape[1:])


# ---------------------------------------------------------------- simplices and neighbours


@primitive
def corners(points: Any, x: Any, *, rescale: bool) -> tuple[Any, Any]:
    """The numbers of the corners of the Delaunay simplex around each point x, and whether there is one."""
    points, x = in_units(points, x, rescale)
    triangulation = Delaunay(points)
    simplex = triangulation.find_simplex(x)
    return triangulation.simplices[simplex].astype(int), simplex >= 0


constant(corners, like=lambda points, x, *, rescale: None)


def in_units(points: Any, x: Any, rescale: bool) -> tuple[Any, Any]:
    """Both divided by the extents of the data, which changes what is near and no barycentric coordinates."""
    centre, extent = np.mean(points, 0), np.ptp(points, 0)
    extent = np.where(extent > 0, extent, 1.0)
    return ((points - centre) / extent, (x - centre) / extent) if rescale else (points, x)


def barycentric_coordinates(p: Any, x: Any) -> Any:
    """The coordinates b of points x in simplices p, Σ bₖ pₖ = x, Σ bₖ = 1."""
    b = np.linalg.solve(mT(p[:, 1:] - p[:, :1]), (x - p[:, 0])[..., None])[..., 0]
    return np.concatenate([1 - np.sum(b, -1, keepdims=True), b], -1)


def barycentric(points: Any, values: Any, x: Any, fill_value: Any, rescale: bool) -> Any:
    """Σ wᵢ vᵢ over the corners."""
    around, inside = corners(points, x, rescale=rescale)
    w = barycentric_coordinates(entries(points, around), x)
    picked = entries(values, around)
    return filled(~inside, fill_value, np.sum(against(w, picked) * picked, 1))


class Scattered(Interpolator):
    """What is given points and values, and called at points of shape (…, d) or at their coordinates."""

    def value(self, *xi: Any, **options: Any) -> Any:
        if options:
            raise NoRuleError(f"{type(self).__name__} has a derivative without the options {', '.join(options)}.")
        points, values, *rest = self.fitted
        x = coordinates(xi, points.shape[1])
        flat = np.reshape(x, (-1, points.shape[1]))
        return np.reshape(self.of(points, values, flat, *rest), (*x.shape[:-1], *values.shape[1:]))

    def of(self, points: Any, values: Any, x: Any, *rest: Any) -> Any:
        raise NotImplementedError


@stands_for(si.LinearNDInterpolator)
class LinearNDInterpolator(Scattered, si.LinearNDInterpolator):
    """Linear on the simplices of the Delaunay triangulation."""

    def fit(self, points: Any, values: Any, fill_value: Any = np.nan, rescale: bool = False) -> Any:  # type: ignore[override]
        if isinstance(points, Delaunay):
            points = points.points
        return double(coordinates(points, 2)), double(values), fill_value, rescale

    def of(self, points: Any, values: Any, x: Any, fill_value: Any, rescale: bool) -> Any:  # type: ignore[override]
        return barycentric(points, values, x, fill_value, rescale)


@stands_for(si.NearestNDInterpolator)
class NearestNDInterpolator(Scattered, si.NearestNDInterpolator):
    """The value at the nearest point."""

    def fit(self, x: Any, y: Any, rescale: bool = False, tree_options: Any = None) -> Any:  # type: ignore[override]
        return double(coordinates(x, 2)), double(y), rescale

    def of(self, points: Any, values: Any, x: Any, rescale: bool) -> Any:  # type: ignore[override]
        points, x = in_units(points, x, rescale)
        return entries(values, neighbourhoods(x, points, count=1)[:, 0])


@stands_for(si.griddata)
def griddata(
    points: Any, values: Any, xi: Any, method: str = "linear", fill_value: Any = np.nan, rescale: bool = False
) -> Any:
    if not is_traced(points, values, xi):
        return si.griddata(points, values, xi, method, fill_value, rescale)
    points = np.stack(points, -1) if isinstance(points, tuple) else double(points)
    if points.ndim == 1 or points.shape[-1] == 1:
        points = np.reshape(points, -1)
        order = np.argsort(points)
        fill_value = "extrapolate" if method == "nearest" else fill_value
        interp1d = own_module("scipy.interpolate").interp1d  # type: ignore[union-attr]
        f = interp1d(points[order], values[order], method, 0, bounds_error=False, fill_value=fill_value)
        return f(xi[0] if isinstance(xi, tuple) else xi)
    if method == "nearest":
        return NearestNDInterpolator(points, values, rescale)(xi)
    if method == "linear":
        return LinearNDInterpolator(points, values, fill_value, rescale)(xi)
    if method != "cubic" or points.shape[-1] != 2:
        raise ValueError(f"Unknown interpolation method {method!r} for {points.shape[-1]} dimensional data")
    surface = own_module("scipy.interpolate").CloughTocher2DInterpolator  # type: ignore[union-attr]
    return surface(points, values, fill_value, rescale=rescale)(xi)

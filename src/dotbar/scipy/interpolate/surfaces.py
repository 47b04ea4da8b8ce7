"""FITPACK's surfaces: tensor splines in two variables, evaluated at traced points, through or near traced values."""

from typing import Any

import numpy as np
import scipy.interpolate as si

from dotbar.errors import NoRuleError
from dotbar.rules.words import entries, raise_if
from dotbar.scipy.interpolate.bsplines import differentiated, integrated, nearest, not_a_knot
from dotbar.scipy.interpolate.grid import tensor_fit, tensor_spline
from dotbar.scipy.interpolate.objects import Interpolator, against, double, increasing, is_traced
from dotbar.scipy.interpolate.piecewise import basis
from dotbar.scipy.mirror import stands_for


def on_grid(t: Any, c: Any, k: Any, x: Any, y: Any, dx: int, dy: int) -> Any:
    """The values at all pairs of coordinates."""
    (i, M), (j, N) = basis(t[0], x, k[0], dx), basis(t[1], y, k[1], dy)
    return np.einsum("ai,aibj,bj->ab", M, entries(c, (i[:, :, None, None], j)), N)


def nearest_inside(t: Any, k: Any, *coordinates: Any) -> list[Any]:
    """The coordinates, or the nearest ones of the domain."""
    return [np.clip(double(v), s[m], s[-m - 1]) for v, s, m in zip(coordinates, t, k)]


def with_ends(inner: Any, low: Any, high: Any, k: int) -> Any:
    """The inner knots, and those at the ends."""
    return np.concatenate([np.repeat(double(low), k + 1), inner, np.repeat(double(high), k + 1)])


class Bivariate(Interpolator):
    """What FITPACK's surfaces share; outside of its domain a surface has the nearest value."""

    tck: Any
    degrees: Any

    @property
    def spline(self) -> tuple[Any, Any, Any]:
        """Knots, coefficients and degrees, SciPy's own where the data are plain."""
        if not self.is_plain:
            return self.fitted
        *t, c = self.tck
        return t, np.reshape(c, [len(s) - m - 1 for s, m in zip(t, self.degrees)]), self.degrees

    def value(self, x: Any, y: Any, dx: int = 0, dy: int = 0, grid: bool = True) -> Any:  # type: ignore[override]
        t, c, k = self.spline
        if (dx and dx >= k[0]) or (dy and dy >= k[1]):
            raise ValueError("order of derivative must be less than degree of spline")
        x, y = nearest_inside(t, k, x, y)
        if grid:
            x, y = np.atleast_1d(x, y)
            descends = np.any(np.diff(x) < 0) | np.any(np.diff(y) < 0)
            raise_if(descends, error=ValueError("x and y must be sorted when `grid` is True"))
            return on_grid(t, c, k, x, y, dx, dy)
        points = np.stack(np.broadcast_arrays(x, y), -1)
        return np.reshape(tensor_spline(t, c, k, np.reshape(points, (-1, 2)), (dx, dy)), points.shape[:-1])

    def ev(self, xi: Any, yi: Any, dx: int = 0, dy: int = 0) -> Any:
        return self(xi, yi, dx=dx, dy=dy, grid=False)

    def get_knots(self) -> Any:
        return super().get_knots() if self.is_plain else tuple(self.fitted[0])  # type: ignore[misc]

    def get_coeffs(self) -> Any:
        return super().get_coeffs() if self.is_plain else np.reshape(self.fitted[1], -1)  # type: ignore[misc]

    def integral(self, xa: Any, xb: Any, ya: Any, yb: Any) -> Any:
        if self.is_plain and not is_traced(xa, xb, ya, yb):
            return super().integral(xa, xb, ya, yb)  # type: ignore[misc]
        t, c, k = self.spline
        for axis, (a, b) in enumerate(((xa, xb), (ya, yb))):
            s, m = t[axis], k[axis]
            ends = np.clip(np.stack([double(a), double(b)]), s[m], s[-m - 1])
            S, C, K = integrated(s, np.moveaxis(c, axis, 0), m)
            number, N = basis(S, ends, K)
            picked = entries(C, number)
            F = np.sum(against(N, picked) * picked, 1)
            c = np.expand_dims(F[1] - F[0], axis)
        return c[0, 0]

    def partial_derivative(self, dx: int, dy: int) -> Any:
        t, c, k = self.spline
        found = []
        for axis, nu in enumerate((dx, dy)):
            if nu and nu >= k[axis]:
                raise ValueError("order of derivative must be less than degree of spline")
            s, c, m = t[axis], np.moveaxis(c, axis, 0), k[axis]
            for _ in range(nu):
                s, c, m = differentiated(s, c, m)
            found.append((s, m))
            c = np.moveaxis(c, 0, axis)
        return BivariateSpline(*zip(*found), c)


@stands_for(si.BivariateSpline)
class BivariateSpline(Bivariate, si.BivariateSpline):
    """A surface by its knots, degrees and coefficients."""

    def __init__(self, t: Any, k: Any, c: Any):
        self.is_plain = not is_traced(*t, c)
        self.fitted = t, c, k
        if self.is_plain:
            self.tck, self.degrees = (*t, np.reshape(c, -1)), k


@stands_for(si.RectBivariateSpline)
class RectBivariateSpline(Bivariate, si.RectBivariateSpline):
    """The tensor spline through values on a grid."""

    def fit(  # type: ignore[override]
        self,
        x: Any,
        y: Any,
        z: Any,
        bbox: Any = (None,) * 4,
        kx: int = 3,
        ky: int = 3,
        s: Any = 0,
        maxit: int = 20,
    ) -> Any:
        if is_traced(s) or s:
            raise NoRuleError("RectBivariateSpline has a derivative where it interpolates, at s=0, only.")
        points, knots, z = [double(x), double(y)], [], double(z)
        if z.shape != (len(x), len(y)):
            raise ValueError("x and y dimensions of z must have as many elements as x and y")
        for name, x, k, ends in zip("xy", points, (kx, ky), (bbox[:2], bbox[2:])):
            low, high = (x[i] if end is None else end for i, end in zip((0, -1), ends))
            inner = not_a_knot(increasing(x, f"{name} must be strictly increasing"), k)[k + 1 : -k - 1]
            knots.append(with_ends(inner, low, high, k))
        return tensor_fit(points, z, (kx, ky), knots)


@stands_for(si.LSQBivariateSpline)
class LSQBivariateSpline(Bivariate, si.LSQBivariateSpline):
    """The tensor spline with given knots nearest to scattered data."""

    def fit(  # type: ignore[override]
        self,
        x: Any,
        y: Any,
        z: Any,
        tx: Any,
        ty: Any,
        w: Any = None,
        bbox: Any = (None,) * 4,
        kx: int = 3,
        ky: int = 3,
        eps: Any = None,
    ) -> Any:
        x, y, z, k = double(x), double(y), double(z), (kx, ky)
        ends = [(np.min(v), np.max(v)) for v in (x, y)]
        ends = [tuple(a if b is None else b for a, b in zip(e, box)) for e, box in zip(ends, (bbox[:2], bbox[2:]))]
        t = [with_ends(double(inner), *e, m) for inner, e, m in zip((tx, ty), ends, k)]
        (i, M), (j, N) = (basis(s, v, m) for s, v, m in zip(t, (x, y), k))
        shape = tuple(len(s) - m - 1 for s, m in zip(t, k))
        numbers = np.reshape(i[:, :, None] * shape[1] + j[:, None, :], (len(x), -1))
        products = np.reshape(M[:, :, None] * N[:, None, :], (len(x), -1))
        c = nearest(numbers, products, z, np.ones(len(x)) if w is None else double(w), shape[0] * shape[1])
        error = "the data do not determine the coefficients: FITPACK's choice among the nearest has no derivative rule."
        raise_if(np.isnan(c), error=NoRuleError(error))
        return t, np.reshape(c, shape), k


def of_plain_data(original: type) -> type:
    """Enter a class whose knots FITPACK chooses by the data: of these it has no derivative, of the points it has."""

    class Surface(Bivariate, original):  # type: ignore[misc]
        def fit(self, *args: Any, **kw: Any) -> Any:
            if is_traced(*args, *kw.values()):
                why = "FITPACK chooses the knots by the data, which is no continuous choice"
                raise NoRuleError(f"{original.__name__} has a derivative in the points alone: {why}.")

        def __init__(self, *args: Any, **kw: Any):
            self.fit(*args, **kw)
            original.__init__(self, *args, **kw)

    Surface.__name__ = Surface.__qualname__ = original.__name__
    return stands_for(original)(Surface)


SmoothBivariateSpline = of_plain_data(si.SmoothBivariateSpline)


def on_sphere(original: type) -> None:
    """The same of the surfaces over a sphere."""

    class Sphere(of_plain_data(original)):  # type: ignore[misc]
        def value(self, theta: Any, phi: Any, dtheta: int = 0, dphi: int = 0, grid: bool = True) -> Any:
            theta = double(theta)
            outside = (theta < 0) | (theta > np.pi)
            raise_if(outside, error=ValueError("requested theta out of bounds."))
            return super().value(theta, phi, dtheta, dphi, grid)

        def ev(self, theta: Any, phi: Any, dtheta: int = 0, dphi: int = 0) -> Any:
            return self(theta, phi, dtheta=dtheta, dphi=dphi, grid=False)

    Sphere.__name__ = Sphere.__qualname__ = original.__name__
    stands_for(original)(Sphere)


for _original in (si.SmoothSphereBivariateSpline, si.LSQSphereBivariateSpline, si.RectSphereBivariateSpline):
    on_sphere(_original)


@stands_for(si.bisplev)
def bisplev(x: Any, y: Any, tck: Any, dx: int = 0, dy: int = 0) -> Any:
    tx, ty, c, kx, ky = tck
    if not is_traced(x, y, tx, ty, c):
        return si.bisplev(x, y, tck, dx, dy)
    x, y, t = np.atleast_1d(double(x)), np.atleast_1d(double(y)), (double(tx), double(ty))
    c = np.reshape(double(c), [len(s) - m - 1 for s, m in zip(t, (kx, ky))])
    z = BivariateSpline(t, (kx, ky), c).value(x, y, dx, dy)
    return z if len(x) > 1 else z[0] if len(y) > 1 else z[0, 0]

"""Samples of scipy/interpolate."""

import numpy as np
import scipy.sparse.linalg

import dotbar.scipy.interpolate as si
from samples import normal, sample, uniform

X = np.array([0.0, 0.7, 1.5, 2.1, 3.2, 3.9, 5.0])
Y = normal(7)
YS = normal(7, 2)
RING = np.array([0.3, 1.2, -0.5, 0.8, 0.1, -0.9, 0.3])
AT = np.array([0.31, 1.11, 2.64, 3.35, 4.6])
COEFFICIENTS = normal(3, 6, 2)
KNOTS = np.array([0.0, 0.2, 0.4, 0.7, 1.2, 1.9, 2.6, 3.2, 3.7, 4.1, 4.5])
BETWEEN = np.array([0.95, 1.55, 2.25])
GRID = (np.array([0.0, 0.5, 1.2, 1.9, 2.5, 3.3]), np.array([0.0, 0.8, 1.5, 2.1, 3.0, 3.6, 4.4]))
VALUES = normal(6, 7)
POINTS = uniform(0.1, 3.2, 4, 2)
SITES = uniform(0, 3, 9, 2, seed=3)
INSIDE = np.mean(SITES, 0) + 0.1 * normal(3, 2)
MANY = np.linspace(0, 3, 14)
NOISY = np.sin(2 * MANY) + 0.1 * normal(14)


RATIONAL = si.AAA(MANY, np.tan(MANY / 3))


def made(cls, **options):
    """Make the object from the data and call it at the points, which come last."""
    return lambda *args: cls(*args[:-1], **options)(args[-1])


def spline(**options):
    return made(si.CubicSpline, **options)


def ring(x, y, at):
    """The ends of the data kept the same."""
    return si.CubicSpline(x, np.concatenate([y, y[:1]]), bc_type="periodic")(at)


def grid_of(method, **options):
    return lambda a, b, z, x: si.RegularGridInterpolator((a, b), z, method, **options)(x)


def direct(method):
    """SciPy's default solver stops at 1e-6."""
    return grid_of(method, solver=scipy.sparse.linalg.spsolve)


def least_squares(x, y, inner, at):
    return si.make_lsq_spline(x, y, np.concatenate([np.zeros(4), inner, 3 * np.ones(4)]))(at)


def smoothing(x, y, lam, at):
    return si.make_smoothing_spline(x, y, lam=lam)(at)


SAMPLES = [
    sample(si.CubicSpline, X, YS, AT, call=spline(), case="CubicSpline wrt y,xnew; CubicSpline wrt knots"),
    sample(si.CubicSpline, X, YS, AT, call=spline(bc_type=("natural", (1, np.ones(2))))),
    sample(si.CubicSpline, X[:3], Y[:3], AT, call=spline(bc_type=("not-a-knot", "not-a-knot"))),
    sample(si.CubicSpline, X, RING[:6], AT, call=ring),
    sample(
        si.PchipInterpolator,
        X,
        YS,
        AT,
        call=made(si.PchipInterpolator),
        case="PchipInterpolator wrt y,xnew; PchipInterpolator wrt knots",
    ),
    sample(
        si.Akima1DInterpolator,
        X,
        YS.T,
        AT,
        call=made(si.Akima1DInterpolator, axis=1),
        case="Akima1DInterpolator wrt y,xnew; Akima1DInterpolator wrt knots",
    ),
    sample(si.Akima1DInterpolator, X, Y, AT, call=made(si.Akima1DInterpolator, method="makima")),
    sample(si.CubicHermiteSpline, X, Y, normal(7, seed=4), AT, call=made(si.CubicHermiteSpline)),
    sample(si.interp1d, X, YS.T, AT, call=made(si.interp1d), case="interp1d linear"),
    sample(si.interp1d, X, Y, AT, call=made(si.interp1d, kind="cubic"), case="interp1d cubic"),
    sample(si.interp1d, X, Y, AT, call=made(si.interp1d, kind="quadratic")),
    sample(si.interp1d, X, Y, AT, call=made(si.interp1d, kind="previous")),
    sample(
        si.RegularGridInterpolator,
        *GRID,
        VALUES,
        POINTS,
        call=grid_of("linear"),
        case="RegularGridInterpolator linear wrt values,xi",
    ),
    sample(
        si.RegularGridInterpolator, *GRID, VALUES, POINTS, call=direct("cubic"), case="RegularGridInterpolator cubic"
    ),
    sample(si.RegularGridInterpolator, *GRID, VALUES, POINTS, call=direct("slinear")),
    sample(si.RegularGridInterpolator, *GRID, VALUES, POINTS, call=grid_of("pchip")),
    sample(si.RegularGridInterpolator, *GRID, VALUES, POINTS, call=grid_of("nearest")),
    sample(si.BSpline, KNOTS, normal(7, 2), BETWEEN, call=made(si.BSpline, k=3), case="BSpline wrt c,x"),
    sample(si.BSpline, KNOTS, normal(7), BETWEEN, call=lambda t, c, x: si.BSpline(t, c, 3)(x, 2)),
    sample(
        si.BSpline,
        KNOTS,
        normal(7),
        BETWEEN[:2],
        call=lambda t, c, x: si.BSpline(t, c, 3).integrate(x[0], x[1]) + si.BSpline(t, c, 3).derivative()(x),
    ),
    sample(si.make_interp_spline, X, YS, AT, call=made(si.make_interp_spline), case="make_interp_spline"),
    sample(si.make_interp_spline, X, Y, AT, call=made(si.make_interp_spline, k=4)),
    sample(si.make_interp_spline, X, Y, AT, call=made(si.make_interp_spline, bc_type="natural")),
    sample(si.make_lsq_spline, MANY, NOISY, BETWEEN, AT[:2], call=least_squares, wrt=(1, 2, 3)),
    sample(si.make_smoothing_spline, X, YS, 0.3, AT, call=smoothing),
    sample(
        si.UnivariateSpline,
        MANY,
        NOISY,
        AT[:3],
        call=made(si.UnivariateSpline, s=20.0),
        case="UnivariateSpline/splrep smoothing",
    ),
    sample(si.splrep, MANY, NOISY, AT[:3], call=lambda x, y, at: si.splev(at, si.splrep(x, y), der=1)),
    sample(si.LSQUnivariateSpline, MANY, NOISY, AT[:3], call=lambda x, y, at: si.LSQUnivariateSpline(x, y, [1.1])(at)),
    sample(si.PPoly, COEFFICIENTS, X, AT, call=made(si.PPoly), case="PPoly"),
    sample(si.PPoly, COEFFICIENTS, X, AT, call=lambda c, x, at: si.PPoly(c, x)(at, 1)),
    sample(si.PPoly, COEFFICIENTS, X, AT, call=lambda c, x, at: si.PPoly(c, x).antiderivative(2)(at)),
    sample(si.PPoly, COEFFICIENTS, X, 0.4, 13.0, call=lambda c, x, a, b: si.PPoly(c, x).integrate(a, b, "periodic")),
    sample(si.BPoly, COEFFICIENTS, X, AT, call=made(si.BPoly)),
    sample(si.BPoly, COEFFICIENTS, X, 0.4, 3.0, call=lambda c, x, a, b: si.BPoly(c, x).derivative().integrate(a, b)),
    sample(
        si.RBFInterpolator, SITES, normal(9), POINTS, call=made(si.RBFInterpolator), case="RBFInterpolator", rtol=1e-5
    ),
    sample(si.BPoly.from_derivatives, X[:3], normal(3, 2, 2), AT[:2], call=made(si.BPoly.from_derivatives)),
    sample(
        si.BPoly.from_derivatives,
        normal(3),
        normal(1),
        call=lambda a, b: si.BPoly.from_derivatives([0.0, 1.0, 3.0], [a, b, a[:2]], [1, 2])(AT[:3] / 2),
    ),
    sample(
        si.BSpline.design_matrix,
        BETWEEN,
        KNOTS,
        call=lambda x, t: si.BSpline.design_matrix(x, t, 3, extrapolate=True) @ normal(7),
    ),
    sample(si.RBFInterpolator, SITES, normal(9), POINTS, call=made(si.RBFInterpolator, kernel="gaussian", epsilon=1.5)),
    sample(si.RBFInterpolator, SITES, normal(9), POINTS, call=made(si.RBFInterpolator, neighbors=6, kernel="linear")),
    sample(si.Rbf, *SITES.T, normal(9), *INSIDE.T, call=lambda x, y, d, *at: si.Rbf(x, y, d)(*at)),
    sample(
        si.Rbf,
        normal(9, 2),
        0.7,
        0.1,
        call=lambda d, e, s: si.Rbf(*SITES.T, d, function="gaussian", epsilon=e, smooth=s, mode="N-D")(*INSIDE.T),
    ),
    sample(si.griddata, SITES, normal(9, 2), INSIDE, call=si.griddata, case="griddata linear"),
    sample(si.griddata, SITES, normal(9, 2), INSIDE, call=lambda p, v, x: si.griddata(p, v, x, "nearest")),
    sample(
        si.BarycentricInterpolator, X, YS, AT, call=made(si.BarycentricInterpolator), case="BarycentricInterpolator"
    ),
    sample(si.KroghInterpolator, X[:4], Y[:4], AT, call=lambda x, y, at: si.KroghInterpolator(x, y).derivative(at)),
    sample(
        si.RectBivariateSpline,
        *GRID,
        VALUES,
        *POINTS[:3].T,
        call=lambda a, b, z, x, y: si.RectBivariateSpline(a, b, z).ev(x, y),
        case="RectBivariateSpline",
    ),
    sample(
        si.LSQBivariateSpline,
        uniform(0, 3, 20, seed=1),
        uniform(0, 3, 20, seed=2),
        normal(20),
        call=lambda x, y, z: si.LSQBivariateSpline(x, y, z, [1.5], [], None, [-1, 4, -1, 4], 2, 2).ev([0.7, 1.9], 1.1),
    ),
    sample(si.FloaterHormannInterpolator, X, YS, AT, call=made(si.FloaterHormannInterpolator, d=2)),
    sample(si.AAA, AT, call=lambda at: RATIONAL(at / 2)),
    sample(si.NdPPoly, normal(3, 2, 5, 6), POINTS, call=lambda c, at: si.NdPPoly(c, GRID)(at)),
    sample(
        si.CloughTocher2DInterpolator, SITES, normal(9), INSIDE, call=made(si.CloughTocher2DInterpolator, tol=1e-13)
    ),
    sample(si.insert, normal(7), 1.5, call=lambda c, x: si.insert(x, (KNOTS, c, 3))[1][:8]),
    sample(si.bisplev, normal(49), AT / 2, call=lambda c, x: si.bisplev(0.4, x, (KNOTS, KNOTS, c, 3, 3), dy=1)),
]

"""scipy.interpolate: what the samples do not show: objects, awkward points, smoothing under a bound."""

import pickle

import numpy as np
import pytest
import scipy.interpolate

import dotbar
import dotbar.scipy.interpolate as si
from dotbar import grad, jacobian, jit, jvp, vmap
from dotbar.errors import NoRuleError
from dotbar.scipy.interpolate.clough_tocher import interpolated

rng = np.random.default_rng(0)
X = np.array([0.0, 0.7, 1.5, 2.1, 3.2, 3.9, 5.0])
Y = rng.standard_normal((7, 2))
AT = np.array([0.31, 1.11, 2.64, 3.35, 4.6])
GRID = (np.linspace(0, 3, 6), np.linspace(0, 4, 7))
VALUES = rng.standard_normal((6, 7))
INSIDE = rng.uniform(0.2, 2.8, (4, 2))
SITES = rng.uniform(0, 3, (12, 2))

OF_A_NUMBER = [
    si.CubicSpline(X, Y),
    si.PchipInterpolator(X, Y),
    si.Akima1DInterpolator(X, Y),
    si.PPoly(rng.random((3, 6)), X),
    si.BPoly(rng.random((3, 6)), X),
    si.make_interp_spline(X, Y),
    si.make_lsq_spline(X, Y, np.r_[[0.0] * 4, 2.0, [5.0] * 4]),
    si.make_smoothing_spline(X, Y, lam=0.1),
    si.interp1d(X, Y.T),
    si.interp1d(X, Y.T, "cubic"),
    si.UnivariateSpline(X, Y[:, 0]),
    si.UnivariateSpline(X, Y[:, 0]).derivative(),
    si.BarycentricInterpolator(X, Y),
    si.KroghInterpolator(X, Y),
]
OF_POINTS = [
    si.RegularGridInterpolator(GRID, VALUES),
    si.RegularGridInterpolator(GRID, VALUES, "cubic"),
    si.RegularGridInterpolator(GRID, VALUES, "pchip"),
    si.RBFInterpolator(SITES, SITES**2),
    si.LinearNDInterpolator(SITES, SITES**2),
]


@pytest.mark.parametrize("f", OF_A_NUMBER, ids=lambda f: type(f).__name__)
def test_a_plain_interpolator_at_traced_points(f):
    """Differentiated, batched and compiled: what SciPy's object returns, and the slope of it."""
    h = 1e-6
    y, slope = jvp(f, (AT,), (np.ones(5),))
    assert np.allclose(y, f(AT), 1e-13, 1e-13)
    assert np.allclose(slope, (f(AT + h) - f(AT - h)) / (2 * h), 1e-6, 1e-6)
    assert np.allclose(vmap(f)(AT), np.stack([f(x) for x in AT]), 1e-13, 1e-13)
    assert np.allclose(jit(f)(AT), f(AT), 1e-13, 1e-13)


@pytest.mark.parametrize("f", OF_POINTS, ids=lambda f: type(f).__name__)
def test_a_plain_interpolator_at_traced_positions(f):
    h, along = 1e-6, np.ones((4, 2))
    y, slope = jvp(f, (INSIDE,), (along,))
    assert np.allclose(y, f(INSIDE), 1e-12, 1e-12, equal_nan=True)
    want = (f(INSIDE + h * along) - f(INSIDE - h * along)) / (2 * h)
    inside = np.isfinite(want)
    assert np.allclose(slope[inside], want[inside], 1e-6, 1e-6)
    assert np.allclose(vmap(f)(INSIDE[:, None]), np.stack([f(x[None]) for x in INSIDE]), 1e-12, equal_nan=True)


def test_with_plain_data_the_object_is_scipys():
    f = si.CubicSpline(X, Y)
    assert isinstance(f, scipy.interpolate.CubicSpline)
    plain = scipy.interpolate.CubicSpline(X, Y)
    assert np.array_equal(f(AT), plain(AT))
    assert np.array_equal(f.derivative()(AT), plain.derivative()(AT))
    assert np.array_equal(pickle.loads(pickle.dumps(f))(AT), plain(AT))


@pytest.mark.parametrize("extrapolate", [True, False, "periodic"])
@pytest.mark.parametrize("nu", [0, 1, 2])
@pytest.mark.parametrize(
    "make",
    [
        lambda c, extrapolate: si.PPoly(c, X, extrapolate),
        lambda c, extrapolate: si.BPoly(c, X, extrapolate),
        lambda c, extrapolate: si.BSpline(np.r_[-1.0, -0.5, X, 5.5, 6.0], np.reshape(c, (-1, 2))[:8], 2, extrapolate),
    ],
)
def test_outside_as_scipy(make, nu, extrapolate):
    c = rng.standard_normal((4, 6, 2))
    at = np.array([-0.7, 0.0, 0.7, 4.9, 5.0, 5.4, 12.0, np.nan])
    plain = make(c, extrapolate)(at, nu)
    assert np.allclose(jvp(lambda c: make(c, extrapolate)(at, nu), (c,), (c,))[0], plain, 1e-12, 1e-12, equal_nan=True)


@pytest.mark.parametrize("limits", [(0.2, 4.1), (4.1, 0.2), (-3.0, 17.0)])
@pytest.mark.parametrize("extrapolate", [True, "periodic"])
def test_integrals_as_scipy(limits, extrapolate):
    for f in (si.PPoly(rng.random((3, 6, 2)), X), si.make_interp_spline(X, Y)):
        want = f.integrate(*limits, extrapolate)
        value, dots = jvp(lambda a, b, f=f: f.integrate(a, b, extrapolate), limits, (1.0, 0.0))
        assert np.allclose(value, want, 1e-11, 1e-11)
        where = limits[0] if extrapolate is True else limits[0] % 5.0
        assert np.allclose(dots, -f(where), 1e-11)


def test_nodes_are_smooth_points_of_polynomials():
    """Where the barycentric formula divides 0 by 0."""
    powers = lambda x: 2 * x**3 - x
    f = si.BarycentricInterpolator(X, powers(X))
    assert np.allclose(grad(f)(X[2]), 6 * X[2] ** 2 - 1, 1e-11)
    assert np.allclose(grad(grad(f))(X[2]), 12 * X[2], 1e-9)


def test_centres_of_radial_functions():
    """The interpolant of a linear function is that function, at its centres too."""
    values = SITES @ [2.0, -1.0]
    f = si.RBFInterpolator(SITES, values)
    assert np.allclose(jacobian(f)(SITES[:1])[0, 0], [2.0, -1.0], 1e-9)
    slopes = grad(lambda y: si.RBFInterpolator(y, values)(SITES[:1] + 0.1)[0])(SITES)
    assert np.all(np.isfinite(slopes))


@pytest.mark.parametrize("s", [0.3, 1.0])
def test_the_residual_of_a_smoothing_spline_stays(s):
    """Its derivative is that of the spline with the least jumps for the residual that FITPACK has reached."""
    x = np.linspace(0, 3, 25)
    y = np.sin(4 * x) + 0.2 * np.cos(37 * x**2)
    residual = lambda y: si.UnivariateSpline(x, y, s=s).get_residual()
    assert np.max(np.abs(grad(residual)(y))) < 1e-8
    spline = si.UnivariateSpline(x, y, s=s)
    assert 0 < len(spline.get_knots()) - 2 < 22
    # The value is linear in y apart from the strength of the smoothing: scaled data have the scaled spline.
    along = jvp(lambda y, r: si.UnivariateSpline(x, y, s=s)(AT[:3]) * 1.0, (y, 1.0), (y, 0.0))[1]
    shifted = jvp(lambda y: si.UnivariateSpline(x, y, s=s)(AT[:3]), (y,), (1 + 2 * x - x**3,))[1]
    assert np.allclose(shifted, 1 + 2 * AT[:3] - AT[:3] ** 3, 1e-7)  # cubics are reproduced
    assert np.all(np.isfinite(along))


T = np.r_[[0.0] * 4, 1.1, 2.3, [5.0] * 4]
C = rng.standard_normal((6, 2))
Z = np.sin(SITES[:, 0]) * SITES[:, 1]
MANY = rng.uniform(0, 3, (40, 2))
HEIGHTS = np.sin(MANY[:, 0]) * MANY[:, 1]
CHOSEN = np.linspace(0, 5, 25)
OUTSIDE = np.array([[0.4, 0.7], [9.0, 1.0], [np.nan, 1.0]])


@pytest.mark.parametrize(
    ("f", "xs"),
    [
        (lambda M, y: M.Akima1DInterpolator(X, y, extrapolate="periodic")(AT + 4), (Y,)),
        (lambda M, y: M.PPoly.from_spline(M.make_interp_spline(X, y))(AT), (Y[:, 1],)),
        (lambda M, y: M.PPoly.from_spline(M.splrep(X, y), False)(AT), (Y[:, 0],)),
        (lambda M, c: M.PPoly.from_bernstein_basis(M.BPoly(c, X))(AT), (C[:4, [0, 1, 1, 0, 0, 1]],)),
        (lambda M, c: M.BPoly.from_power_basis(M.PPoly(c, X))(AT), (C[:4, [0, 1, 1, 0, 0, 1]],)),
        (lambda M, y: M.make_interp_spline(X, np.concatenate([y, y[:1]]), 1, bc_type="periodic")(AT + 3), (Y[:-1],)),
        (lambda M, t: M.BSpline.basis_element(t)(AT), (np.array([0.0, 1.0, 2.2, 4.0, 5.0]),)),
        (lambda M, c, x: M.BSpline(T, c, 3).insert_knot(x, 2).c, (C, 1.7)),
        (lambda M, c, x: M.insert(x, (T, c, 3))[1][:7], (C[:, 0], 1.7)),
        (lambda M, c: M.insert(0.4, M.BSpline(T, c, 3))(AT), (C[:, 0],)),
        (
            lambda M, z: M.LSQBivariateSpline(*MANY.T, z, [1.5], [1.4], bbox=[-0.1, 3.1, -0.1, 3.1]).ev(*INSIDE.T),
            (HEIGHTS,),
        ),
        (lambda M, x: M.LSQBivariateSpline(*x.T, HEIGHTS, [1.5], [], bbox=[-1, 4, -1, 4])(0.7, 0.8), (MANY,)),
        (lambda M, t: M.LSQBivariateSpline(*MANY.T, HEIGHTS, t, [1.4]).ev(*INSIDE.T), (np.array([1.1, 1.9]),)),
        (lambda M, a, b: M.SmoothBivariateSpline(*MANY.T, HEIGHTS, s=1.0).ev(a, b, dx=1), tuple(INSIDE.T)),
        (lambda M, a: M.SmoothBivariateSpline(*MANY.T, HEIGHTS, s=1.0)(np.sort(a), [0.3, 1.2]), (INSIDE[:, 0],)),
        (lambda M, a: M.SmoothSphereBivariateSpline(*MANY.T, HEIGHTS, s=3.0)(np.sort(a), [0.3]), (INSIDE[:, 0],)),
        (lambda M, a: M.RectSphereBivariateSpline(GRID[0][1:] - 0.3, GRID[1], VALUES[1:]).ev(a, a), (INSIDE[:, 0],)),
        (lambda M, a: M.RectBivariateSpline(*GRID, VALUES, s=2.0).ev(a, 0.7), (INSIDE[:, 0],)),
        (lambda M, z: M.RectBivariateSpline(*GRID, z).partial_derivative(1, 2)(0.4, [0.3, 0.9]), (VALUES,)),
        (lambda M, a, c: M.bisplev([0.2, 0.9], a, (T, T, c, 3, 3), 0, 1), (AT[:2], np.outer(C[:, 0], C[:, 1]).ravel())),
        (lambda M, v: M.LinearNDInterpolator(SITES * [1, 30], v, rescale=True)(INSIDE * [1, 30]), (Z,)),
        (lambda M, v: M.NearestNDInterpolator(SITES * [1, 30], v, rescale=True)(INSIDE * [1, 30]), (Z,)),
        (lambda M, v: M.RegularGridInterpolator((GRID[0][:1], GRID[1]), v)([[0.0, 0.7]]), (VALUES[:1],)),
        (lambda M, v: M.interpn(GRID, v, OUTSIDE[:1], "splinef2d"), (VALUES,)),
        (lambda M, y: M.interp1d(X, y.T, "zero")(np.r_[AT, np.nan]), (Y,)),
        (lambda M, x, y: M.FloaterHormannInterpolator(x, y, d=2)(AT), (X, Y)),
        (lambda M, y: M.FloaterHormannInterpolator(X, y)(X[:3]), (Y,)),
        (lambda M, at: M.FloaterHormannInterpolator(X, Y[:, 0])(at), (X,)),
        (lambda M, at: M.AAA(CHOSEN, np.tan(CHOSEN / 4))(at), (AT,)),
        (lambda M, v: M.griddata(MANY, v, [[1.0, 1.2], [2.0, 1.9], [9.0, 1.0]], "cubic", 0.5), (HEIGHTS,)),
        (lambda M, v: M.CloughTocher2DInterpolator(MANY * [1, 9], v, rescale=True)(1.1, [3.0, 11.0]), (HEIGHTS,)),
        (lambda M, p: M.CloughTocher2DInterpolator(p, HEIGHTS, tol=1e-13)([[1.0, 1.2], [2.0, 1.9]]), (MANY,)),
        (lambda M, x: M.CloughTocher2DInterpolator(MANY, HEIGHTS)(x), (INSIDE / 4 + 1,)),
        (lambda M, c, x: M.NdPPoly(c, GRID)(x, (1, 0)), (rng.standard_normal((3, 2, 5, 6, 2)), INSIDE)),
        (lambda M, c: M.NdPPoly(c, GRID, False)([[0.3, 9.0], [0.3, 0.4]]), (rng.standard_normal((1, 4, 5, 6)),)),
        (lambda M, x: M.NdPPoly(VALUES[:3, :2, None, None] * np.ones((5, 6)), GRID).derivative((1, 0))(x), (INSIDE,)),
    ],
)
def test_as_scipy_and_its_differences(f, xs):
    h, along = 1e-6, [np.cos(np.arange(np.size(x))).reshape(np.shape(x)) for x in xs]
    value, dot = jvp(lambda *xs: f(si, *xs), xs, tuple(along))
    assert np.allclose(value, f(scipy.interpolate, *xs), 1e-11, 1e-12, equal_nan=True)
    high, low = (f(scipy.interpolate, *[x + step * t for x, t in zip(xs, along)]) for step in (h, -h))
    assert np.allclose(dot, (high - low) / (2 * h), 1e-5, 1e-6, equal_nan=True)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_smoothing_splines_are_scipys(k):
    """The class goes on from knots that ``splrep`` would not have had; both move along with s."""
    y = np.sin(3 * CHOSEN) + 0.1 * np.cos(37 * CHOSEN**2)
    curve = lambda M, y, s: M.UnivariateSpline(CHOSEN, y, k=k, s=s)(AT)
    by_splrep = lambda M, y, s: M.splev(AT, M.splrep(CHOSEN, y, k=k, s=s))
    for f in (curve, by_splrep):
        value = jvp(lambda s, f=f: f(si, y, s), (0.3,), (1.0,))[0]
        assert np.allclose(value, f(scipy.interpolate, y, 0.3), 1e-12)
        assert np.allclose(jit(lambda y, f=f: f(si, y, 0.3))(y), value, 1e-12)
    residual = lambda s: si.UnivariateSpline(CHOSEN, y, k=k, s=s).get_residual()
    assert np.isclose(grad(residual)(0.3), 1.0, 1e-6)


@pytest.mark.parametrize(
    "f",
    [
        lambda z: si.RegularGridInterpolator(GRID, z, bounds_error=False)(OUTSIDE),
        lambda z: si.RegularGridInterpolator(GRID, z, "nearest", False, None)(OUTSIDE),
        lambda z: si.LinearNDInterpolator(SITES, z[:2, :6].ravel())(OUTSIDE),
        lambda z: si.interp1d(GRID[0], z[:, 0], bounds_error=False)([0.3, 9.0, np.nan]),
    ],
)
def test_where_the_value_is_nan_the_derivative_is(f):
    value, dot = jvp(f, (VALUES,), (VALUES,))
    assert np.isnan(value[-1])
    assert np.array_equal(np.isnan(value), np.isnan(dot))


@pytest.mark.parametrize(
    ("f", "error"),
    [
        (lambda M, y: M.CubicSpline(X, y, bc_type="foo"), ValueError),
        (lambda M, y: M.PchipInterpolator(X[:1], y[:1]), ValueError),
        (lambda M, y: M.BSpline(T, y[:5], 3), ValueError),
        (lambda M, y: M.BSpline(np.r_[T[:4], 1.0, 1.0, 1.0, T[-4:]], y, 3).derivative(2), ValueError),
        (lambda M, y: M.BSpline(X, y[:7], 0).derivative(), ValueError),
        (lambda M, y: M.make_interp_spline(X, y, 1, bc_type="natural"), ValueError),
        (lambda M, y: M.make_interp_spline(X, y * np.nan), ValueError),
        (lambda M, y: M.make_smoothing_spline(X, y, lam=-1.0), ValueError),
        (lambda M, y: M.make_smoothing_spline(X, y, -np.ones(7), 1.0), ValueError),
        (lambda M, y: M.make_smoothing_spline(X[:4], y[:4], lam=1.0), ValueError),
        (lambda M, y: M.interp1d(X, y, "foo"), NotImplementedError),
        (lambda M, y: M.griddata(np.stack([X, X, X], 1), y, [[1.0, 1.0, 1.0]], "cubic"), ValueError),
        (lambda M, y: M.BarycentricInterpolator(X[[0, 1, 1]], y[:3]), ValueError),
        (lambda M, y: M.RegularGridInterpolator((X,), y[:5]), ValueError),
        (lambda M, y: M.RegularGridInterpolator((X,), y, "foo")([1.0]), ValueError),
        (lambda M, y: M.RegularGridInterpolator((X,), y)([1.0], nu=(1,)), ValueError),
        (lambda M, y: M.RegularGridInterpolator((X,), y)([np.nan]), ValueError),
        (lambda M, y: M.RectBivariateSpline(X, X, np.outer(y, y)).ev(1.0, 1.0, dx=3), ValueError),
        (lambda M, y: M.RectBivariateSpline(X, X, np.outer(y, y))([2.0, 1.0], [1.0]), ValueError),
        (lambda M, y: M.RectBivariateSpline(X[::-1], X, np.outer(y, y)), ValueError),
        (lambda M, y: M.interpn((X, X), np.outer(y, y), [9.0, 9.0], "splinef2d"), ValueError),
        (lambda M, y: M.RBFInterpolator(SITES[:2], y[:2]), ValueError),
        (lambda M, y: M.RBFInterpolator(SITES[:7], y, kernel="foo"), ValueError),
        (lambda M, y: M.RBFInterpolator(SITES[:7], y)(X), ValueError),
    ],
)
def test_what_scipy_refuses(f, error):
    with pytest.raises(error):
        f(scipy.interpolate, Y[:, 0])
    with pytest.raises(error):
        jvp(lambda y: getattr(f(si, y), "fitted", 0) and 0.0, (Y[:, 0],), (Y[:, 0],))


def test_errors_are_scipys():
    with pytest.raises(ValueError, match="strictly increasing"):
        grad(lambda x: si.CubicSpline(x, Y[:, 0])(0.3))(X[::-1].copy())
    with pytest.raises(ValueError, match="below the interpolation range"):
        grad(lambda y: si.interp1d(X, y)(-1.0))(Y[:, 0])
    with pytest.raises(ValueError, match="out of bounds"):
        grad(lambda z: si.RegularGridInterpolator(GRID, z)([[9.0, 9.0]])[0])(VALUES)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda y: si.make_smoothing_spline(X, y)(0.3), Y[:, 0]),
        (lambda z: si.RectBivariateSpline(*GRID, z, s=1.0)(0.3, 0.4)[0, 0], VALUES),
        (lambda y: si.UnivariateSpline(X, y).roots()[0], Y[:, 0]),
        (lambda y: si.UnivariateSpline(X, y).set_smoothing_factor(1.0), Y[:, 0]),
        (lambda y: si.UnivariateSpline(X, y, s=0 * y[0])(0.3), Y[:, 0]),
        (lambda y: si.splint(0, 1, si.splrep(X, y), full_output=1)[0], Y[:, 0]),
        (lambda y: si.KroghInterpolator(X[[0, 1, 1]], y[:3])(0.3), Y[:, 0]),
        (lambda y: si.BarycentricInterpolator(X, y).add_xi([6.0], [1.0]), Y[:, 0]),
        (lambda z: si.SmoothBivariateSpline(*SITES.T, z, kx=1, ky=1).ev(1.0, 1.0), Z),
        (lambda z: si.NearestNDInterpolator(SITES, z)(INSIDE, distance_upper_bound=0.1)[0], Z),
        (lambda y: si.AAA(X, y)(0.3), Y[:, 0]),
        (lambda y: si.FloaterHormannInterpolator(X, y).poles()[0].real, Y[:, 0]),
        (lambda c: si.NdBSpline((T,), c, 3).derivative((1,))([[0.3]])[0], Y[:6, 0]),
    ],
)
def test_what_has_no_rule_says_so(f, x):
    with pytest.raises(NoRuleError):
        dotbar.grad(f)(x)


def test_a_band_is_not_made_dense():
    """Memory of a spline through many points, and of its gradient, grows as their number does."""
    import tracemalloc

    n = 20_000
    x = np.linspace(0, 1, n)
    tracemalloc.start()
    grad(lambda y: np.sum(si.CubicSpline(x, y)(x[:-1] + 1e-6) ** 2))(np.sin(x))
    grad(lambda y: np.sum(si.make_interp_spline(x, y)(x[:-1] + 1e-6) ** 2))(np.sin(x))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4000 * n


FLAGS = {
    "degree": lambda x: si.BSpline(T, C, x),
    "extrapolate": lambda x: si.CubicSpline(X, x * Y)(AT, extrapolate=x),
    "derivative": lambda x: si.UnivariateSpline(X, Y[:, 0])(AT, x),
    "method": lambda x: si.RegularGridInterpolator(GRID, VALUES, x),
    "bounds_error": lambda x: si.RegularGridInterpolator(GRID, x * VALUES, "linear", x),
    "nu": lambda x: si.RegularGridInterpolator(GRID, x * VALUES, "cubic")(INSIDE, nu=(x, 0)),
    "kind": lambda x: si.interp1d(X, Y.T, x),
    "rescale": lambda x: si.LinearNDInterpolator(SITES, x * Z, rescale=x),
    "grid": lambda x: si.RectBivariateSpline(*GRID, VALUES)(0.3, 0.4, grid=x),
    "axis": lambda x: si.PPoly(x * C[:4, :, None], X[:3], axis=x),
    "orders": lambda x: si.BSpline(T, x * C, 3).derivative(x),
}


@pytest.mark.parametrize("name", FLAGS)
def test_what_says_what_is_computed_is_refused(name):
    with pytest.raises(NoRuleError, match="it says what is computed"):
        jvp(lambda x: 0 * x if FLAGS[name](x) is None else x, (1.0,), (1.0,))


def test_gradients_that_bend_the_edges_least():
    """SciPy iterates for what a sparse system gives: the formula is SciPy's value."""
    points = rng.uniform(0, 3, (30, 2))
    values, at = np.sin(points[:, 0]) * points[:, 1], rng.uniform(1, 2, (9, 2))
    exact = scipy.interpolate.CloughTocher2DInterpolator(points, values, tol=1e-14, maxiter=9999)(at)
    assert np.allclose(interpolated(points, values[:, None], at)[0][:, 0], exact, 1e-12)
    linear = lambda c: si.CloughTocher2DInterpolator(points, points @ c)(at)
    assert np.allclose(jacobian(linear)(np.ones(2)), at, 1e-12)  # linear functions are reproduced


OLDER = [
    *({"function": name} for name in ("inverse", "gaussian", "linear", "cubic", "quintic", "thin-plate")),
    {"norm": "cityblock"},
    {"function": lambda r: 1 / (1 + r**2)},
    {"function": lambda self, r: np.exp(-self.rate * (r / self.epsilon) ** 2), "rate": 2.0, "smooth": 0.1},
]


@pytest.mark.parametrize("settings", OLDER)
def test_rbf_is_scipys_in_all_functions(settings):
    P, q = np.random.default_rng(1).normal(size=(3, 8)), np.random.default_rng(2).normal(size=(2, 3))
    f = lambda M, P, q: M.Rbf(*P, **settings)(*q)
    value, _ = jvp(lambda P, q: f(si, P, q), (P, q), (P, q))
    assert np.allclose(value, f(scipy.interpolate, P, q), 1e-9)
    dotbar.check_grads(lambda P, q: f(si, P, q))(P, q)


@pytest.mark.parametrize("orders", [None, 1, 3, [1, 2]])
def test_polynomials_by_derivatives_are_scipys(orders):
    xi, y, at = np.array([0.0, 1.0, 2.5]), np.random.default_rng(1).normal(size=(3, 2, 2)), np.array([0.3, 1.7])
    f = lambda M, xi, y: M.BPoly.from_derivatives(xi, list(y), orders)(at)
    value, _ = jvp(lambda xi, y: f(si, xi, y), (xi, y), (xi, y))
    assert np.allclose(value, f(scipy.interpolate, xi, y), 1e-13)
    dotbar.check_grads(lambda xi, y: f(si, xi, y))(xi, y)


@pytest.mark.parametrize(("y", "orders"), [([1.0, 2.0], None), ([[1.0]], None), ([[1.0], [1.0]], 3)])
def test_polynomials_by_derivatives_refuse_what_scipy_does(y, orders):
    with pytest.raises(ValueError, match=r"1-D array|same length|requested"):
        grad(lambda x: si.BPoly.from_derivatives(np.stack([0.0, x]), y, orders)(0.5))(1.0)


def test_a_design_matrix_keeps_its_pattern():
    x, t = np.array([0.2, 1.4, 2.7]), np.array([0.0, 0, 0, 0, 1, 2, 3, 3, 3, 3])
    B = lambda M, x: M.BSpline.design_matrix(x, t, 3)
    found = []
    value, _ = jvp(lambda x: (found.append(B(si, x)), found[0].data)[1], (x,), (x,))
    plain = B(scipy.interpolate, x)
    assert np.allclose(value, plain.data)
    assert np.array_equal(found[0].col, plain.indices)
    with pytest.raises(ValueError, match="Out of bounds"):
        grad(lambda x: B(si, x + 9).sum())(x)


def test_the_value_of_an_end_condition_has_the_shape_of_the_data():
    ends = ((1, 0.0), (2, 0.0))
    with pytest.raises(ValueError, match="is not the expected one"):
        grad(lambda y: np.sum(si.CubicSpline(np.arange(4.0), y, bc_type=ends)(0.5)))(np.ones((4, 2)))

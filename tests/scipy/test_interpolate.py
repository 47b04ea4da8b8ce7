"""scipy.interpolate: what the samples do not show: objects, awkward points, smoothing under a bound."""

import pickle

import numpy as np
import pytest
import scipy.interpolate

import dotbar
import dotbar.scipy.interpolate as si
from dotbar import grad, jacobian, jit, jvp, vmap
from dotbar.errors import NoRuleError

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
        (lambda v: si.griddata(SITES, v, INSIDE, "cubic")[0], SITES[:, 0]),
        (lambda y: si.UnivariateSpline(X, y).roots()[0], Y[:, 0]),
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

"""scipy.ndimage: every way to continue an image, every order; nothing of the size of window times image for sums."""

import tracemalloc

import numpy as np
import pytest
import scipy.ndimage

import dotbar.scipy.ndimage as nd
from dotbar import grad, jvp, vjp, vmap
from dotbar.errors import NoRuleError

rng = np.random.default_rng(0)
X = rng.standard_normal((7, 6))
AT = rng.uniform(-9, 15, (2, 40))
W = rng.random((3, 4))
MODES = ["reflect", "grid-mirror", "mirror", "nearest", "wrap", "grid-wrap", "constant", "grid-constant"]

HOMOGENEOUS = [
    *(lambda x, k=k, **s: nd.map_coordinates(x, AT, order=k, **s) for k in range(6)),
    lambda x, **s: nd.map_coordinates(x, AT, order=3, prefilter=False, **s),
    lambda x, **s: nd.correlate(x, W, origin=(1, -1), **s),
    lambda x, **s: nd.convolve(x, W, origin=(1, 0), **s),
    lambda x, **s: nd.correlate1d(x, rng_weights(9), 0, **s),
    lambda x, **s: nd.convolve1d(x, rng_weights(4), 1, origin=-1, **s),
    lambda x, **s: nd.uniform_filter(x, 4, origin=1, **s),
    lambda x, **s: nd.gaussian_filter(x, 1.3, (0, 2), **s),
    lambda x, **s: nd.gaussian_filter(x, (0.0, 0.7), (0, 3), truncate=5.0, **s),
    lambda x, **s: nd.gaussian_laplace(x, 0.9, **s),
    lambda x, **s: nd.gaussian_gradient_magnitude(x, 0.9, **s),
    lambda x, **s: nd.sobel(x, 0, **s),
    lambda x, **s: nd.prewitt(x, **s),
    lambda x, **s: nd.laplace(x, **s),
    lambda x, **s: nd.maximum_filter(x, (2, 3), origin=(0, 1), **s),
    lambda x, **s: nd.minimum_filter(x, footprint=[[1, 0, 1]], **s),
    lambda x, **s: nd.median_filter(x, 4, **s),
    lambda x, **s: nd.percentile_filter(x, 30, 3, **s),
    lambda x, **s: nd.rank_filter(x, -2, 3, **s),
    lambda x, **s: nd.grey_opening(x, (2, 3), **s),
    lambda x, **s: nd.grey_closing(x, footprint=[[1, 0, 1], [1, 1, 0]], **s),
    lambda x, **s: nd.morphological_gradient(x, 3, **s),
    lambda x, **s: nd.morphological_laplace(x, (2, 2), **s),
    lambda x, **s: nd.white_tophat(x, 3, **s),
    lambda x, **s: nd.black_tophat(x, (1, 4), **s),
    lambda x, **s: nd.shift(x, (1.3, -2.1), **s),
    lambda x, **s: nd.zoom(x, 1.7, **s),
    lambda x, **s: nd.rotate(x, 30, order=2, **s),
    lambda x, **s: nd.rotate(np.stack([x, 2 * x]), 40, axes=(1, 2), **s),
    lambda x, **s: nd.affine_transform(x, [1.1, 0.9], 0.2, **s),
    lambda x, **s: nd.affine_transform(x, [[1, 0.2, 0.1], [0.3, 1, 0.2]], output_shape=(4, 5), **s),
]


BY_ORDER = ("minimum", "maximum", "median")


def rng_weights(n):
    return np.cos(np.arange(n) ** 2)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("f", HOMOGENEOUS)
def test_as_scipy(f, mode):
    """f(tx) = t f(x): the tangent along x is the value, and so for the cotangent."""
    value = f(X, mode=mode)
    y, dot = jvp(lambda x: f(x, mode=mode), (X,), (X,))
    assert np.allclose(y, value, 1e-11, 1e-11)
    assert np.allclose(dot, value, 1e-11, 1e-11)
    weights = rng.standard_normal(value.shape)
    xbar = vjp(lambda x: f(x, mode=mode), X)[1](weights)
    assert np.isclose(np.vdot(xbar, X), np.vdot(weights, value))
    with_cval = jvp(lambda x: f(x, mode=mode, cval=0.7), (X,), (X,))[0]
    assert np.allclose(with_cval, f(X, mode=mode, cval=0.7), 1e-11, 1e-11)


@pytest.mark.parametrize("mode", ["reflect", "mirror", "nearest", "wrap", "grid-wrap", "constant"])
@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_the_transpose_of_the_coefficients(order, mode):
    """⟨y, Px⟩ = ⟨Pᵀy, x⟩ for every way to continue."""
    x, y = rng.standard_normal((2, 9))
    value, pull = vjp(lambda x: nd.spline_filter1d(x, order, mode=mode), x)
    assert np.isclose(np.vdot(y, value), np.vdot(pull(y), x), 1e-10)


@pytest.mark.parametrize("f", [nd.grey_erosion, nd.grey_dilation])
@pytest.mark.parametrize("shape", [(2, 3), (3, 4)])
def test_structures_as_scipy(f, shape):
    structure = rng.random(shape)
    got = jvp(lambda x, s: f(x, structure=s, mode="mirror"), (X, structure), (X, structure))[0]
    assert np.allclose(got, f(X, structure=structure, mode="mirror"), 1e-13)


@pytest.mark.parametrize("mode", ["constant", "grid-constant", "nearest"])
@pytest.mark.parametrize(
    "f",
    [
        lambda v, **s: nd.map_coordinates(X, AT, cval=v, **s),
        lambda v, **s: nd.correlate(X, W, cval=v, **s),
        lambda v, **s: nd.median_filter(X, 3, cval=v, **s),
        lambda v, **s: nd.grey_dilation(X, 3, cval=v, **s),
    ],
)
def test_the_value_beyond_the_edges(f, mode):
    value, dot = jvp(lambda v: f(v, mode=mode), (0.3,), (1.0,))
    assert np.allclose(value, f(0.3, mode=mode), 1e-12, 1e-12)
    assert np.allclose(dot, (f(0.3 + 1e-6, mode=mode) - f(0.3 - 1e-6, mode=mode)) / 2e-6, 1e-6, 1e-6)


COMPLEX = [
    lambda z: nd.spline_filter(z),
    lambda z: nd.gaussian_gradient_magnitude(z, 1.0),
    lambda z: nd.gaussian_filter(z, 1.0),
    lambda z: nd.map_coordinates(z, AT, mode="reflect"),
]


@pytest.mark.filterwarnings("ignore:promoting specified output dtype to complex")
@pytest.mark.parametrize("f", COMPLEX)
def test_complex_images(f):
    z = X + 1j * X[::-1]
    value, dot = jvp(f, (z,), (z,))
    assert np.allclose(value, f(z), 1e-12, 1e-12)
    assert np.allclose(dot, value, 1e-11, 1e-11)


def test_regions_without_entries():
    """0 among several; SciPy refuses a single one."""
    labels = rng.integers(0, 4, X.shape)
    for f in (nd.minimum, nd.maximum, nd.mean, nd.sum):
        with np.errstate(invalid="ignore"):
            want = f(X, labels, [9, 1])
            assert np.allclose(jvp(lambda x, f=f: f(x, labels, [9, 1]), (X,), (X,))[0], want, equal_nan=True)
    with pytest.raises(ValueError, match="zero-size array"):
        grad(lambda x: nd.maximum(x, labels, 9))(X)
    assert jvp(lambda x: nd.sum(x, labels, []), (X,), (X,))[0].shape == (0,)


def test_measurements_as_scipy():
    labels = rng.integers(0, 4, X.shape)
    for name in ("sum_labels", "sum", "mean", "variance", "standard_deviation", "center_of_mass", *BY_ORDER):
        own, plain = getattr(nd, name), getattr(scipy.ndimage, name)
        for args in ((), (labels,), (labels, 2), (labels, [1, 3, 3])):
            got = jvp(lambda x, own=own, args=args: own(x, *args), (X,), (X,))[0]
            assert np.allclose(got, plain(X, *args), 1e-11)


def test_a_flat_image_has_a_gradient():
    """The magnitude of a gradient that is zero has the derivative 0, as every norm has."""
    flat = np.zeros((6, 6))
    assert np.all(grad(lambda x: np.sum(nd.gaussian_gradient_magnitude(x, 1.0)))(flat) == 0)


def test_widths():
    """The second derivative in the width of a Gaussian window, which is far from its ends."""
    x = np.zeros(81)
    x[40] = 1.0
    middle = lambda s: nd.gaussian_filter(x, s, truncate=9.0)[40]
    assert np.isclose(grad(middle)(3.0), -1 / (9 * np.sqrt(2 * np.pi)), 1e-9)
    assert np.isclose(grad(grad(middle))(3.0), 2 / (27 * np.sqrt(2 * np.pi)), 1e-7)


def test_a_wide_window_takes_no_more_memory():
    x = rng.standard_normal((300, 300))
    tracemalloc.start()
    grad(lambda x: np.sum(nd.gaussian_filter(x, 12.0) ** 2))(x)
    grad(lambda x: np.sum(nd.uniform_filter(x, 51) ** 2))(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * x.nbytes


@pytest.mark.parametrize(
    "f",
    [
        lambda x: nd.binary_dilation(x),
        lambda x: nd.generic_filter(x, np.ptp, 3),
        lambda x: nd.distance_transform_edt(x),
        lambda x: nd.sobel(x, output=np.zeros((7, 6))),
        lambda x: nd.gaussian_filter(np.arange(9), x[0, 0]),
        lambda x: nd.map_coordinates(np.arange(9), x[:1]),
        lambda x: nd.distance_transform_edt(np.eye(3), x[0, 0], distances=np.zeros((3, 3))),
        lambda x: nd.median_filter(x, (3, 2), axes=(1, 0)),
        lambda x: nd.correlate(x, W, axes=(1, 0)),
    ],
)
def test_what_has_no_rule_says_so(f):
    with pytest.raises(NoRuleError):
        grad(lambda x: np.sum(f(x)))(X)


@pytest.mark.parametrize(
    ("f", "error"),
    [
        (lambda x: nd.spline_filter(x, 1), RuntimeError),
        (lambda x: nd.map_coordinates(x, AT, order=6), RuntimeError),
        (lambda x: nd.map_coordinates(x, AT[:1]), RuntimeError),
        (lambda x: nd.zoom(x, [2.0, 2.0, 2.0]), RuntimeError),
        (lambda x: nd.correlate(x, W[0]), RuntimeError),
        (lambda x: nd.correlate(x, W, mode="foo"), RuntimeError),
        (lambda x: nd.median_filter(x), RuntimeError),
        (lambda x: nd.grey_erosion(x), ValueError),
        (lambda x: nd.median_filter(x + 1j, 3), TypeError),
        (lambda x: nd.gaussian_filter(x, 1.0, -1), ValueError),
        (lambda x: nd.affine_transform(x, np.eye(3) + 0.1), ValueError),
    ],
)
def test_errors_are_scipys(f, error):
    with pytest.raises(error):
        f(X)
    with pytest.raises(error):
        grad(lambda x: np.sum(np.abs(f(x))))(X)


@pytest.mark.parametrize("f", [nd.gaussian_filter, nd.gaussian_laplace, nd.gaussian_gradient_magnitude])
def test_windows_of_a_batch_are_as_wide_as_each_needs(f):
    x, sigmas = rng.standard_normal((6, 7)), np.array([[1.0, 2.0], [0.4, 0.7], [3.0, 0.5]])
    got = vmap(lambda s: f(x, s))(sigmas)
    assert np.allclose(got, [f(x, s) for s in sigmas], 1e-12, 1e-14)
    gradient = grad(lambda s: np.sum(f(x, s) ** 2))
    assert np.allclose(vmap(gradient)(sigmas), [gradient(s) for s in sigmas], 1e-11, 1e-13)


def test_a_width_of_zero_leaves_its_item_of_a_batch():
    x = rng.standard_normal((6, 7))
    got = vmap(lambda s: nd.gaussian_filter(x, s))(np.array([0.0, 1.5]))
    assert np.array_equal(got[0], x)
    assert np.allclose(got[1], nd.gaussian_filter(x, 1.5), 1e-12, 1e-14)


def test_images_without_entries():
    x = np.zeros((0, 3))
    y, pull = vjp(lambda x: nd.gaussian_filter(x, 1.0), x)
    assert y.shape == nd.gaussian_filter(x, 1.0).shape == pull(y)[0].shape

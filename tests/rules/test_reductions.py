"""Reductions, statistics and scans beyond the registry's samples: kinks, infinities, empty arrays, settings."""

import warnings

import numpy as np
import pytest

from dotbar import grad, hessian, jacobian, jvp, vjp, vmap
from dotbar.errors import ConversionError
from dotbar.rules.scans import recurrence

inf, nan = np.inf, np.nan

REDUCTIONS = [np.sum, np.prod, np.max, np.min, np.mean, np.var, np.std, np.ptp, np.median]
IGNORING_NAN = {
    np.nansum: np.sum,
    np.nanprod: np.prod,
    np.nanmax: np.max,
    np.nanmin: np.min,
    np.nanmean: np.mean,
    np.nanvar: np.var,
    np.nanstd: np.std,
    np.nanmedian: np.median,
}
SCANS = [np.cumsum, np.cumprod, np.nancumsum, np.nancumprod, np.maximum.accumulate, np.minimum.accumulate]


@pytest.mark.parametrize(
    ("f", "x", "want"),
    [
        (np.max, [1, 3, 3, 2], [0, 0.5, 0.5, 0]),
        (np.min, [1, 1, 1, 2], [1 / 3, 1 / 3, 1 / 3, 0]),
        (np.max, [1, nan, 3], [0, 1, 0]),
        (np.min, [1, nan, 3], [0, 1, 0]),
        (np.ptp, [1, 2, 2], [-1, 0.5, 0.5]),
        (np.nanmax, [nan, 3, 3], [0, 0.5, 0.5]),
        (lambda x: np.max(x, initial=3.0), [3, 1], [0.5, 0]),
        (np.median, [2, 1, 2, 2, 3], [0, 0, 1, 0, 0]),
        (np.median, [2, 1, 2, 2, 3, 9], [0, 0, 0.5, 0.5, 0, 0]),
        (np.median, [2, nan, 2, 2], [0, 1, 0, 0]),
        (lambda x: np.quantile(x, 0.25), [5, 5, 1, 5, 5], [1, 0, 0, 0, 0]),
        (np.std, [0.1, 0.1, 0.1], [0, 0, 0]),
        (np.std, [7], [0]),
        (np.nanstd, [0.1, nan, 0.1, 0.1], [0, 0, 0, 0]),
        (np.logaddexp.reduce, [1, -inf, 1], [0.5, 0, 0.5]),
        (np.logaddexp.reduce, [-inf, -inf], [0, 0]),
        (np.logaddexp.reduce, [inf, -inf, 3, inf], [0.5, 0, 0, 0.5]),
        (lambda x: np.sum(np.maximum.accumulate(x)), [1, 1, 0], [1 + 0.5 + 0.5, 0.5 + 0.5, 0]),
    ],
)
def test_conventions(f, x, want):
    """Ties share equally or keep a stable order, NaN takes the whole, and what is not smooth is 0; in both modes."""
    x = np.array(x, float)
    np.testing.assert_allclose(grad(f)(x), want, atol=1e-15)
    forward = [jvp(f, (x,), (e,))[1] for e in np.eye(len(x))]
    np.testing.assert_allclose(forward, want, atol=1e-15)


@pytest.mark.parametrize("f", [np.std, np.nanstd, lambda x: np.std(x) ** 2])
def test_second_derivative_where_not_smooth(f):
    """It is nan, not the derivative of the 0 that the first one is by convention."""
    assert np.all(np.isnan(hessian(f)(np.ones(3))))


@pytest.mark.parametrize("x", [[2.0, 0.0, 3.0, 5.0], [0.0, 2.0, 0.0, 3.0], [0.0, 0.0, 0.0, 1.0]])
@pytest.mark.parametrize("running", [np.cumprod, np.nancumprod, np.multiply.accumulate])
def test_products_with_zeros_are_exact(x, running):
    """First and second derivatives are the products of the other entries, to the last bit."""
    x = np.array(x)
    n = np.arange(len(x))
    first = np.array([np.prod(x[n != i]) for i in n])
    second = np.array([[np.prod(x[(n != i) & (n != j)]) if i != j else 0 for j in n] for i in n])
    for f in (np.prod, np.nanprod, lambda x: running(x)[-1]):
        np.testing.assert_array_equal(grad(f)(x), first)
        np.testing.assert_array_equal(hessian(f)(x), second)
        np.testing.assert_array_equal(jacobian(grad(f), mode="reverse")(x), second)


@pytest.mark.parametrize("n", [0, 1, 2, 10, 100])
def test_recurrence(n):
    """The blocks give what the loop gives."""
    a, b = np.random.default_rng(n).standard_normal((2, 3, n))
    want, t = np.empty((3, n)), np.zeros(3)
    for i in range(n):
        t = want[:, i] = a[:, i] * t + b[:, i]
    np.testing.assert_allclose(recurrence(a, b), want, rtol=1e-12)


def test_recurrence_that_stopped_stays_at_zero():
    """A zero survives factors whose product overflows."""
    assert not np.any(recurrence(np.full(100, 1e100), np.zeros(100)))


@pytest.mark.parametrize("f", IGNORING_NAN, ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [0, 1])
def test_nan_counts_for_nothing(f, axis):
    """The derivative is that of the function of what is left, and 0 at each NaN."""
    x = np.random.default_rng(0).standard_normal((3, 5))
    left = x[:, [0, 2, 3]] if axis == 1 else x[[0, 2]]
    x[(slice(None), [1, 4]) if axis == 1 else 1] = nan
    out, pull = vjp(lambda x: f(x, axis=axis), x)
    want, pull_left = vjp(lambda x: IGNORING_NAN[f](x, axis=axis), left)
    np.testing.assert_allclose(out, want, rtol=1e-14)
    bar = np.arange(1.0, 1 + len(out))
    xbar = pull(bar)[0]
    assert not np.any(xbar[np.isnan(x)])
    np.testing.assert_allclose(xbar[~np.isnan(x)], pull_left(bar)[0].reshape(-1), rtol=1e-13)


@pytest.mark.parametrize("f", REDUCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize(("shape", "axis"), [((), None), ((1,), 0), ((1, 1), (0, 1)), ((1, 3), 0), ((3, 1, 2), (1,))])
@pytest.mark.parametrize("keepdims", [False, True])
def test_axes_of_length_one(f, shape, axis, keepdims):
    """One entry is its own sum, product, extremum and mean, and has no spread."""
    x = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    out, pull = vjp(lambda x: f(x, axis=axis, keepdims=keepdims), x)
    plain = f(x, axis=axis, keepdims=keepdims)
    assert np.shape(out) == np.shape(plain)
    np.testing.assert_array_equal(out, plain)
    spread = f in (np.var, np.std, np.ptp)
    np.testing.assert_array_equal(pull(np.ones_like(plain))[0], np.full(shape, 0.0 if spread else 1.0))


@pytest.mark.parametrize("f", [np.sum, np.prod, np.nansum, np.nanprod, np.logaddexp.reduce], ids=lambda f: f.__name__)
@pytest.mark.parametrize(("shape", "axis"), [((0,), 0), ((0, 3), 0), ((3, 0), 1), ((3, 0), 0)])
def test_empty(f, shape, axis):
    """As NumPy, with an empty gradient."""
    out, pull = vjp(lambda x: f(x, axis=axis), np.zeros(shape))
    np.testing.assert_array_equal(out, f(np.zeros(shape), axis=axis))
    assert pull(np.ones_like(out))[0].shape == shape


@pytest.mark.parametrize("f", SCANS, ids=lambda f: f.__qualname__)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (1,)])
def test_scans_of_nothing(f, shape):
    out, pull = vjp(f, np.zeros(shape))
    assert pull(np.ones_like(out))[0].shape == shape


@pytest.mark.parametrize("f", [np.sum, np.prod, np.mean, np.var, np.std, np.max, np.all, np.any])
def test_where_may_be_batched(f):
    """A mask made of batched values selects within each item."""
    x = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, 2.0]])
    kw = {"initial": 0.0} if f is np.max else {}
    reduce = lambda x: f(x, where=x > 0, **kw)
    np.testing.assert_allclose(vmap(reduce)(x), [reduce(item) for item in x])
    if f not in (np.all, np.any):
        np.testing.assert_allclose(vmap(grad(reduce))(x), [grad(reduce)(item) for item in x])


def test_entries_left_out_are_structural_zeros():
    """An entry that ``where=`` leaves out may have an infinite derivative."""
    with np.errstate(divide="ignore", invalid="ignore"):
        gradient = grad(lambda x: np.sum(np.log(x), where=x > 0))(np.array([0.0, -1.0, 2.0]))
    np.testing.assert_array_equal(gradient, [0, 0, 0.5])


@pytest.mark.parametrize("f", [*REDUCTIONS, *SCANS, np.diff, np.gradient, np.trapezoid, np.average])
@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64])
def test_integers_are_batched(f, dtype):
    """Of the dtype that NumPy gives, and without overflow where NumPy has none."""
    x = np.array([[1, 0, 1, 1], [100, 100, 3, 100]]).astype(dtype)
    if dtype is bool and f in (np.ptp, np.gradient):
        pytest.skip("NumPy subtracts no booleans")
    want = np.stack([f(item) for item in x])
    got = vmap(f)(x)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("f", [np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.count_nonzero, np.all, np.any])
@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_constants_are_batched(f, axis, keepdims):
    x = np.random.default_rng(1).integers(0, 3, (4, 2, 3)).astype(float)
    g = lambda x: f(x, axis=axis, keepdims=keepdims)
    np.testing.assert_array_equal(vmap(g)(x), np.stack([g(item) for item in x]))
    assert not np.any(grad(lambda x: np.sum(0 * x) + np.sum(g(x)))(x[0]))


@pytest.mark.parametrize("f", REDUCTIONS[:7], ids=lambda f: f.__name__)
def test_out(f):
    """``out=`` by keyword or in its place takes the result, and its derivative goes on from there."""
    x = np.array([[1.0, 2.0], [3.0, 5.0]])
    place = {np.max: 2, np.min: 2}.get(f, 3)

    def by_keyword(x):
        out = np.zeros_like(x[0])
        f(x, axis=0, out=out)
        return np.sum(out * out)

    def by_position(x):
        out = np.zeros_like(x[0])
        f(x, 0, *[None] * (place - 2), out)
        return np.sum(out * out)

    want = grad(lambda x: np.sum(f(x, axis=0) ** 2))(x)
    np.testing.assert_allclose(grad(by_keyword)(x), want)
    np.testing.assert_allclose(grad(by_position)(x), want)
    with pytest.raises(ConversionError, match="zeros_like"):
        grad(lambda x: np.sum(f(x, axis=0, out=np.zeros(2))))(x)


@pytest.mark.parametrize("f", [np.mean, np.var, np.std, np.prod, np.max, np.median, np.nanvar])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_dtype_is_kept(f, dtype):
    x = np.array([1, 2, 4], dtype)
    out, pull = vjp(f, x)
    assert out.dtype == dtype
    assert pull(out)[0].dtype == dtype


@pytest.mark.parametrize("f", [np.nanvar, np.nanstd])
@pytest.mark.parametrize("ddof", [1, 2, 3])
def test_nan_where_no_degrees_of_freedom_are_left(f, ddof):
    x = np.array([[1.0, 2.0, 4.0], [np.nan, 3.0, 5.0]])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        np.testing.assert_allclose(vjp(lambda x: f(x, 1, ddof=ddof), x)[0], f(x, 1, ddof=ddof))


@pytest.mark.parametrize("method", ["linear", "hazen", "inverted_cdf", "averaged_inverted_cdf", "closest_observation"])
@pytest.mark.parametrize("n", [1, 2, 7, 12])
def test_quantiles_at_all_places(method, n):
    """The sorted entries are found as NumPy finds them, at whole and half places and at both ends too."""
    x = np.random.default_rng(n).standard_normal(n).round(1)
    q = np.linspace(0, 1, 2 * n * 3 + 1)
    out, _ = vjp(lambda x: np.quantile(x, q, method=method), x)
    np.testing.assert_allclose(out, np.quantile(x, q, method=method), atol=1e-14)


@pytest.mark.parametrize(
    ("f", "error"),
    [
        (lambda x: np.max(x, where=x > 0), ValueError),
        (lambda x: np.max(x[:0]), ValueError),
        (lambda x: np.max(x, axis=3), np.exceptions.AxisError),
        (lambda x: np.cumsum(x, axis=3), np.exceptions.AxisError),
        (lambda x: np.quantile(x, 1.5), ValueError),
        (lambda x: np.percentile(x, x), ValueError),
        (lambda x: np.quantile(x, 0.5, method="best"), ValueError),
        (lambda x: np.quantile(x + 0j, 0.5), TypeError),
        (lambda x: np.average(x, weights=np.array([1.0, -1.0])), ZeroDivisionError),
        (lambda x: np.average(np.outer(x, x), weights=x), TypeError),
        (lambda x: np.average(np.outer(x, x), 0, weights=x[:1]), ValueError),
        (lambda x: np.var(x, ddof=1, correction=1), ValueError),
        (lambda x: np.gradient(x, edge_order=2), ValueError),
        (lambda x: np.gradient(x, 1.0, 2.0), TypeError),
        (lambda x: np.diff(x, -1), ValueError),
        *([(lambda x: np.cumulative_sum(np.outer(x, x)), ValueError)] if hasattr(np, "cumulative_sum") else []),
    ],
)
def test_errors_are_those_of_numpy(f, error):
    x = np.array([-1.0, 2.0])
    with pytest.raises(error):
        f(x)
    with pytest.raises(error):
        vjp(f, x)

"""Special functions at awkward points: zeros, poles, infinities, integers, ties; refusals by name."""

import numpy as np
import pytest

import dotbar
import dotbar.scipy.special as sc
from dotbar.errors import DotbarError

inf = np.inf


def slopes(f, *xs):
    """The partial derivatives, by both modes."""
    xs = tuple(map(float, xs))
    backward = dotbar.grad(f, tuple(range(len(xs))))(*xs)
    of = lambda k: lambda x: f(*xs[:k], x, *xs[k + 1 :])
    forward = [dotbar.jvp(of(k), (x,), (1.0,))[1] for k, x in enumerate(xs)]
    assert np.allclose(backward, forward, 1e-14, 0, equal_nan=True)
    return np.array(forward)


@pytest.mark.parametrize(
    ("f", "xs", "want"),
    [
        (sc.rgamma, (0.0,), 1),
        (sc.rgamma, (-3.0,), -6),
        (sc.gamma, (0.5,), np.sqrt(np.pi) * sc.psi(0.5)),
        (sc.poch, (-2.0, 2.0), (-3, 2 * sc.psi(0.0))),
        (sc.binom, (4.0, -1.0), (0, 0.2)),
        (sc.gammainc, (1.0, 0.0), (0, 1)),
        (sc.gammainc, (3.0, 0.0), (0, 0)),
        (sc.gammainc, (2.0, inf), (0, 0)),
        (sc.gammainc, (0.0, 1.5), (-sc.exp1(1.5), 0)),
        (sc.gammainc, (inf, 2.0), (0, 0)),
        (sc.gammaincinv, (2.0, 0.0), (0, inf)),
        (sc.betainc, (1.0, 3.0, 0.0), (0, 0, 3)),
        (sc.betainc, (2.0, 3.0, 1.0), (0, 0, 0)),
        (sc.betainc, (0.0, 2.0, 0.3), (np.log(0.3) + 0.7, 0, 0)),  # −∫ₓ¹ (1 − t)ᵇ⁻¹/t dt
        (sc.betainc, (2.0, 0.0, 0.3), (0, -0.3 - np.log(0.7), 0)),
        (sc.xlogy, (0.0, 0.0), (-inf, 0)),
        (sc.xlog1py, (0.0, -1.0), (-inf, 0)),
        (sc.boxcox, (2.0, 0.0), (0.5, np.log(2) ** 2 / 2)),
        (sc.boxcox, (0.0, 2.0), (0, 0.25)),
        (sc.inv_boxcox, (0.3, 0.0), (np.exp(0.3), -np.exp(0.3) * 0.09 / 2)),
        (sc.inv_boxcox, (-1.0, 0.5), (0.5, -1 - np.log(0.5))),
        (sc.huber, (1.0, 0.0), (0, 0)),
        (sc.erfinv, (1.0,), inf),
        (sc.ndtri, (0.0,), inf),
        (sc.cbrt, (0.0,), inf),
        (sc.agm, (0.0, 1.0), (inf, 0)),
        *((f, (inf,), 0) for f in (sc.i0e, sc.i1e, sc.k0e, sc.k1e)),
        *((f, (inf,), 0) for f in (sc.erfcx, sc.dawsn)),
        (sc.it2struve0, (0.0,), -2 / np.pi),
        (sc.agm, (1e-300, 1e-300), (0.5, 0.5)),
        (sc.agm, (1e308, 1e308), (0.5, 0.5)),
        (sc.agm, (1e-300, 1.0), (3.278721999936511e294, 0.002266127472157885)),
        (sc.log_ndtr, (-1e10,), 1e10),
        (sc.log_ndtr, (50.0,), 0),
        (sc.logit, (0.0,), inf),
        (sc.stdtr, (3.0, 0.0), (0, 2 / (np.pi * np.sqrt(3)))),
        (sc.stdtr, (3.0, inf), (0, 0)),
        (sc.stdtr, (inf, 0.0), (0, 1 / np.sqrt(2 * np.pi))),
        (sc.fdtr, (2.0, 3.0, inf), (0, 0, 0)),
        (sc.chndtr, (0.0, 2.0, 1.0), (np.exp(-0.5) / 2, 0, 0)),
        (sc.chndtr, (inf, 2.0, 1.0), (0, 0, 0)),
        (sc.ncfdtr, (2.0, 3.0, 1.0, 0.0), (0, 0, 0, np.exp(-0.5))),
        (
            sc.nctdtr,
            (3.0, 1.0, 0.0),
            (0, -np.exp(-0.5) / np.sqrt(2 * np.pi), sc.gamma(2) / sc.gamma(1.5) / np.sqrt(3 * np.pi) * np.exp(-0.5)),
        ),
        (sc.nctdtr, (3.0, 1.0, inf), (0, 0, 0)),
        (lambda b, x: sc.hyp1f1(-1, b, x), (-2.0, 0.5), (0.125, 0.5)),
        (sc.voigt_profile, (1.0, 0.0, 1.0), (-1 / (2 * np.pi), 0, 0)),
        (sc.zeta, (0.0,), -np.log(2 * np.pi) / 2),
        (sc.kolmogorov, (0.0,), 0),
        (sc.bdtr, (2.5, 0.3), (0, -30 * 0.3**2 * 0.7**2)),
    ],
    ids=lambda v: getattr(v, "__name__", str(v)),
)
def test_first_derivative(f, xs, want):
    f = (lambda k, p: sc.bdtr(k, 5, p)) if f is sc.bdtr else f
    if np.isnan(f(*xs)):
        pytest.skip("SciPy has no value here")
    assert np.allclose(slopes(f, *xs), want, 1e-12, 1e-14, equal_nan=True)


@pytest.mark.parametrize(
    ("f", "xs"),
    [
        (sc.exp1, (-1.0,)),
        (sc.gammainc, (2.0, np.nan)),
        (sc.gammainc, (1.0, -2.0)),
        (sc.gammaincinv, (0.0, 0.5)),
        (sc.betainc, (2.0, 3.0, -1.0)),
        (sc.betainc, (2.0, 3.0, np.nan)),
        (sc.fdtr, (3.0, inf, 2.0)),
        (sc.kolmogorov, (np.nan,)),
        (sc.kolmogi, (np.nan,)),
        (sc.hyperu, (np.nan, 1.0, 2.0)),
        (sc.eval_jacobi, (1.5, np.nan, 1.0, 0.2)),
        (sc.eval_genlaguerre, (np.nan, 1.0, 2.0)),
    ],
)
def test_nan_where_the_value_is(f, xs):
    if not np.isnan(f(*xs)):
        pytest.skip("SciPy has a value here")
    assert np.all(np.isnan(slopes(f, *xs)))


@pytest.mark.parametrize("xs", [(1.0, 2.0, 3.0, 1.0), (1.0, 2.0, 3.0, -inf), (1.0, 2.0, 3.0, 1.5)])
def test_a_series_without_a_sum_has_no_derivative_in_its_parameters(xs):
    assert np.all(np.isnan(slopes(sc.hyp2f1, *xs)[:3]))


@pytest.mark.parametrize(
    ("f", "x", "want"),
    [
        (sc.rgamma, 0.0, 2 * np.euler_gamma),
        (sc.sinc, 0.0, -(np.pi**2) / 3),
        (lambda x: sc.diric(x, 5), 0.0, -2.0),
        (lambda x: sc.xlogy(x, 2.0), 0.0, 0.0),
        (lambda x: sc.boxcox(2.0, x), 0.0, np.log(2) ** 3 / 3),
        (sc.log_ndtr, -1e6, -1.0),
        (sc.log_ndtr, 45.0, 0.0),
    ],
    ids=lambda v: getattr(v, "__name__", str(v)),
)
def test_second_derivative(f, x, want):
    assert np.isclose(dotbar.grad(dotbar.grad(f))(x), want, 1e-11, 1e-14)


@pytest.mark.parametrize(
    ("a", "want"),
    [
        ([0.0, -inf, np.log(3.0)], [0.25, 0, 0.75]),
        ([-inf, -inf], [0, 0]),
        ([inf, 0.0, inf], [0.5, 0, 0.5]),
        ([1e4, 1e4], [0.5, 0.5]),
    ],
)
def test_logsumexp_of_infinities(a, want):
    a = np.array(a)
    assert np.allclose(dotbar.grad(sc.logsumexp)(a), want)
    tangents = [dotbar.jvp(sc.logsumexp, (a,), (t,))[1] for t in np.eye(a.size)]
    assert np.allclose(tangents, want)
    assert np.all(np.isfinite(dotbar.hessian(sc.logsumexp)(a)))


def test_logsumexp_by_a_weight_of_zero():
    a, b = np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.0, 2.0])
    g = dotbar.grad(lambda b: sc.logsumexp(a, b=b))(b)
    assert np.allclose(g, np.exp(a) / np.sum(b * np.exp(a)))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: sc.polygamma(x, 2.0), "order is an integer"),
        (lambda x: sc.smirnov(x, 0.3), "'n'"),
        (lambda x: sc.comb(x, 2.0, exact=True), "exact"),
        (lambda x: sc.diric(0.3, x), "'n'"),
        (lambda x: sc.factorialk(x, 3), "extend"),
        (lambda x: sc.multigammaln(3.0, x), "'d'"),
    ],
)
def test_what_has_no_derivative_is_refused(call, name):
    with pytest.raises(DotbarError, match=name):
        dotbar.grad(call)(3.0)


def test_scipys_error_outside_the_domain():
    with pytest.raises(ValueError, match="condition a"):
        dotbar.grad(lambda a: sc.multigammaln(a, 3))(0.5)


@pytest.mark.parametrize(
    ("f", "plain"),
    [
        (lambda n: sc.comb([n, 2 * n], 2), lambda n: sc.comb(n * np.array([1, 2]), 2)),
        (lambda n: sc.perm([n, 2 * n], [2, 3]), lambda n: sc.perm(n * np.array([1, 2]), np.array([2, 3]))),
        (lambda x: sc.polygamma(n=1, x=x), lambda x: sc.polygamma(1, x)),
    ],
)
def test_lists_and_names(f, plain):
    assert np.array_equal(dotbar.jvp(f, (5.0,), (1.0,)), dotbar.jvp(plain, (5.0,), (1.0,)))


@pytest.mark.parametrize(
    ("f", "dtype"), [(sc.jv, np.float32), (sc.jv, complex), (sc.ellipj, np.float32), (sc.pbdv, np.float32)], ids=str
)
def test_the_result_of_a_ufunc_in_a_given_dtype(f, dtype):
    x = np.array([0.3, 0.7])
    of = lambda x: f(0.5, x, dtype=dtype)
    value, slope = dotbar.jvp(of, (x,), (np.ones(2),))
    for got, want, rise in zip(*map(np.atleast_2d, (value, of(x), slope)), strict=True):
        assert got.dtype == rise.dtype == dtype
        assert np.array_equal(got, want)


def test_inv_boxcox_near_one():
    """∂y/∂l = −x²/2 + …, from the logarithm of y = 1 + x + …"""
    assert dotbar.grad(sc.inv_boxcox, 1)(1e-10, 1.0) == pytest.approx(-5e-21, rel=1e-9, abs=0)

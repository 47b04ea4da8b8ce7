"""Bessel functions: derivatives by order and argument against mpmath, limits, refusals."""

import mpmath
import numpy as np
import pytest
import scipy.special as plain
from references import ORDERS, POINTS, REFERENCES

import dotbar.scipy.special as sc
from dotbar import grad, jvp
from dotbar.errors import NoRuleError

COMPLEX = [0.2 + 0.1j, -3 + 2j, 20 - 9j]
FUNCTIONS = (sc.jv, sc.yv, sc.iv, sc.kv, sc.hankel1, sc.hankel2)
STENCILS = {1: {-1: -0.5, 1: 0.5}, 2: {-1: 1, 0: -2, 1: 1}}


def by_order(f, v, z, n):
    """The n-th derivative, from differences with 80 digits, and the amplitude of the function, for oscillating ones."""
    with mpmath.workdps(80):
        h, v, z = mpmath.mpf(10) ** -16, mpmath.mpf(v), mpmath.mpmathify(z)
        want = complex(sum(c * REFERENCES[f.__name__](v + k * h, z) for k, c in STENCILS[n].items()) / h**n)
        turning = f not in (sc.iv, sc.kv) and abs(v) < abs(z)
        return want, max(abs(want), complex(abs(mpmath.hankel1(v, z)) + abs(mpmath.hankel2(v, z))).real * turning)


def nth(f, n):
    """The n-th derivative of a function of each entry."""
    return f if n == 0 else lambda v: jvp(nth(f, n - 1), (v,), (np.ones_like(v),))[1]


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_by_order(f, n):
    """To 1e-12, relative to the amplitude; even and odd parts vanish at ν = 0 where they should."""
    for points in (POINTS[f.__name__], [(v, z) for v in ORDERS for z in COMPLEX]):
        v, z = map(np.array, zip(*points))
        got = nth(lambda u, z=z: f(u, z), n)(v)
        for entry, order, point in zip(got, v, z):
            vanishing = order == 0 if np.real(point) > 0 else abs(order) < 1e-5  # where K is even in the order
            if np.isfinite(entry) and not (vanishing and f in (sc.iv, sc.kv)):
                want, scale = by_order(f, order, point, n)
                assert abs(entry - want) <= 1e-12 * scale, (order, point, entry, want)


@pytest.mark.parametrize(("v", "x"), [(99.9, 1e4), (300.2, 2e3), (1000.5, 2.5e4), (333.3, 340.0)])
@pytest.mark.parametrize("f", [*FUNCTIONS[:2], sc.ive, sc.kve, sc.hankel1e, sc.hankel2e], ids=lambda f: f.__name__)
def test_large_orders(f, v, x):
    """By order and by argument, also where recurrences lose x digits, and near the turning point."""
    want, scale = by_order(f, v, x, 1)
    scale = scale if f in (sc.jv, sc.yv) else abs(want)
    assert abs(jvp(lambda v: f(v, x), (v,), (1.0,))[1] - want) <= 1e-12 * scale
    with mpmath.workdps(80):
        h = mpmath.mpf(x) / 10**20
        slope = complex((REFERENCES[f.__name__](v, x + h) - REFERENCES[f.__name__](v, x - h)) / (2 * h))
    if f not in (sc.jv, sc.yv):
        assert abs(jvp(lambda x: f(v, x), (x,), (1.0,))[1] - slope) <= 1e-12 * abs(slope)


@pytest.mark.parametrize("f", [sc.jv, sc.iv, sc.jve, sc.ive], ids=lambda f: f.__name__)
@pytest.mark.parametrize("v", [0.0, 1e-6, -1e-9, 1e-12])
def test_slopes_where_the_order_below_is_rounded(f, v):
    exact = REFERENCES[f.__name__]
    for x in (1e-20, 1e-3, 0.7):
        with mpmath.workdps(80):
            h = mpmath.mpf(x) / 10**20
            want = float((exact(v, x + h) - exact(v, x - h)) / (2 * h))
        assert grad(lambda x: f(v, x))(x) == pytest.approx(want, rel=1e-12)


def test_orders_of_functions_that_leave_the_range_of_numbers():
    """0 where J and I are below the smallest number; no overflow on the way at large orders."""
    by_order = lambda f, v, x: grad(lambda v: f(v, x))(v)
    assert by_order(sc.jv, 1000.5, 9.0) == by_order(sc.iv, 1000.5, 9.0) == by_order(sc.iv, 1000.5, 300.0) == 0
    assert by_order(sc.iv, 0.0, 5e3) == 0
    for x in (2.5e4, 5e3):
        with mpmath.workdps(80):
            h = mpmath.mpf(10) ** -20
            want = float((mpmath.besseli(1000.5 + h, x) - mpmath.besseli(1000.5 - h, x)) / (2 * h) * mpmath.exp(-x))
        assert by_order(sc.ive, 1000.5, x) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_mixed_derivatives_commute(f):
    v, x = 1.7, 3.1
    first = grad(lambda v: jvp(lambda x: np.real(f(v, x)), (x,), (1.0,))[1])(v)
    second = grad(lambda x: jvp(lambda v: np.real(f(v, x)), (v,), (1.0,))[1])(x)
    assert np.isclose(first, second, 1e-13)


def test_closed_forms():
    """DLMF 10.15.3-4 at orders 0, 10.15.6-9 at 1/2, 10.38.4-7."""
    x = np.array([0.1, 1.0, 7.0, 40.0])
    dv = lambda f, v: jvp(lambda v: f(v, x), (np.full(4, v),), (np.ones(4),))[1]
    s, c = plain.sici(2 * x)
    root = np.sqrt(2 / (np.pi * x))
    for got, want in (
        (dv(sc.jv, 0.0), np.pi / 2 * plain.y0(x)),
        (dv(sc.yv, 0.0), -np.pi / 2 * plain.j0(x)),
        (dv(sc.iv, 0.0), -plain.k0(x)),
        (dv(sc.kv, 0.0), 0 * x),
        (dv(sc.jv, 0.5), root * (c * np.sin(x) - s * np.cos(x))),
        (dv(sc.yv, 0.5), root * (c * np.cos(x) + (s - np.pi) * np.sin(x))),
        (dv(sc.kv, 0.5), np.sqrt(np.pi / (2 * x)) * plain.exp1(2 * x) * np.exp(x)),
    ):
        np.testing.assert_allclose(got, want, 1e-12, 1e-14)


@pytest.mark.parametrize(
    ("f", "v", "x", "want"),
    [
        (sc.jv, 1.5, 0.0, 0.0),
        (sc.jv, 0.0, 0.0, -np.inf),
        (sc.iv, 2.0, 0.0, 0.0),
        (sc.kv, 0.0, 0.0, 0.0),
        (sc.kv, 1.0, 0.0, np.inf),
        (sc.yv, 1.0, 0.0, -np.inf),
        (sc.jv, 1.0, np.inf, 0.0),
        (sc.kv, 1.0, np.inf, 0.0),
        (sc.iv, 1.0, np.inf, -np.inf),
        (sc.jv, 1.0, -2.0, np.nan),
        (sc.jv, np.nan, 2.0, np.nan),
    ],
)
def test_limits_of_the_derivative_by_order(f, v, x, want):
    assert np.array_equal(grad(lambda v: f(v, x))(v), want, equal_nan=True)


def test_slopes_at_zero():
    at = lambda f: grad(f)(0.0)
    assert at(sc.j1) == 0.5
    assert at(sc.i1) == 0.5
    assert at(lambda x: sc.jv(1, x)) == 0.5
    assert at(lambda x: sc.spherical_jn(1, x)) == pytest.approx(1 / 3)
    assert grad(grad(lambda x: sc.spherical_jn(0, x)))(0.0) == pytest.approx(-1 / 3)
    assert grad(grad(sc.j0))(0.0) == -0.5
    assert [grad(lambda x, n=n: sc.spherical_yn(n, x))(0.0) for n in (0, 1, 3)] == [np.inf] * 3
    assert [grad(lambda x, n=n: sc.spherical_kn(n, x))(0.0) for n in (0, 1, 3)] == [-np.inf] * 3
    assert grad(lambda x: sc.shichi(x)[0])(1e-300) == 1
    assert grad(lambda x: sc.spherical_jn(1, x))(1e-310) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "f",
    [lambda n: sc.yn(n, 1.0), lambda n: sc.kn(n, 1.0), lambda n: sc.spherical_jn(n, 1.0), lambda n: sc.expn(n, 1.0)],
)
def test_integer_orders_refuse(f):
    with pytest.raises(NoRuleError, match=r"'n': .*integer"):
        grad(f)(2.0)


@pytest.mark.parametrize("f", [lambda n: sc.jn_zeros(n, 3), lambda n: sc.jn_zeros(0, n), sc.bernoulli, sc.y0_zeros])
def test_integers_refuse(f):
    with pytest.raises(NoRuleError, match="integer"):
        jvp(f, (2.0,), (1.0,))

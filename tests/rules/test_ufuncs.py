"""Universal functions beyond the registry's samples: extreme points, kinks, keywords, methods, operators."""

import operator

import mpmath
import numpy as np
import pytest

from dotbar import grad, jvp, vjp, vmap
from dotbar.core import RULES
from dotbar.errors import ConversionError, NoRuleError

inf, nan = np.inf, np.nan
LINE = (-1e6, -710.0, -3.0, -1e-3, -1e-20, 1e-20, 1e-3, 0.7, 3.0, 20.0, 700.0, 1e6)
WIDE = (-1e100, -1e30, *LINE, 1e30, 1e100)
POSITIVE = (1e-300, 1e-100, 1e-20, 1e-3, 0.7, 3.0, 1e6, 1e100, 1e300)
INSIDE = (-1 + 1e-16, -1 + 1e-10, -0.7, -1e-3, -1e-20, 1e-20, 1e-3, 0.7, 1 - 1e-10, 1 - 1e-16)

UNARY = {
    np.negative: (lambda x: -x, WIDE),
    np.positive: (lambda x: x, WIDE),
    np.reciprocal: (lambda x: 1 / x, WIDE),
    np.square: (lambda x: x * x, WIDE),
    np.sqrt: (mpmath.sqrt, POSITIVE),
    np.cbrt: (mpmath.cbrt, POSITIVE),
    np.exp: (mpmath.exp, LINE),
    np.exp2: (lambda x: mpmath.power(2, x), LINE),
    np.expm1: (mpmath.expm1, LINE),
    np.log: (mpmath.log, POSITIVE),
    np.log2: (lambda x: mpmath.log(x, 2), POSITIVE),
    np.log10: (mpmath.log10, POSITIVE),
    np.log1p: (mpmath.log1p, (-1 + 1e-16, -0.7, -1e-20, *POSITIVE)),
    np.sin: (mpmath.sin, LINE),
    np.cos: (mpmath.cos, LINE),
    np.tan: (mpmath.tan, LINE),
    np.arcsin: (mpmath.asin, INSIDE),
    np.arccos: (mpmath.acos, INSIDE),
    np.arctan: (mpmath.atan, WIDE),
    np.sinh: (mpmath.sinh, LINE),
    np.cosh: (mpmath.cosh, LINE),
    np.tanh: (mpmath.tanh, LINE),
    np.arcsinh: (mpmath.asinh, WIDE),
    np.arccosh: (mpmath.acosh, (1 + 1e-15, 1 + 1e-10, 1.5, 3.0, 1e6, 1e100)),
    np.arctanh: (mpmath.atanh, INSIDE),
    np.deg2rad: (mpmath.radians, WIDE),
    np.radians: (mpmath.radians, WIDE),
    np.rad2deg: (mpmath.degrees, WIDE),
    np.degrees: (mpmath.degrees, WIDE),
    np.absolute: (abs, WIDE),
    np.fabs: (abs, WIDE),
}
FLAT = {np.sign, np.floor, np.ceil, np.trunc, np.rint, np.spacing}
UFUNCS = {f for f in vars(np).values() if isinstance(f, np.ufunc)}


def rounded(exact):
    """An mpmath number as a float; what a double cannot hold with all its digits becomes 0 or ∞."""
    return 0.0 if abs(exact) < 1e-290 else float(exact)


@pytest.mark.parametrize("f", UNARY, ids=lambda f: f.__name__)
@pytest.mark.parametrize("order", [1, 2])
def test_unary_derivatives_to_twelve_digits(f, order):
    """Near, far and beside the singularities, first and second derivatives agree with mpmath."""
    exact, points = UNARY[f]
    x = np.array(points)
    slope = lambda x: vjp(f, x)[1](np.ones_like(x))[0]
    with np.errstate(over="ignore"):
        got = slope(x) if order == 1 else jvp(slope, (x,), (np.ones_like(x),))[1]
    with mpmath.workdps(400):
        want = [rounded(mpmath.diff(exact, mpmath.mpf(x), order, h=abs(mpmath.mpf(x)) / 10**100)) for x in points]
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-290)


@pytest.mark.parametrize(
    ("f", "at", "want"),
    [
        (np.tanh, 800 + 1j, 0),
        (np.tanh, -30 + 1j, 4 * np.exp(-60 + 2j)),
        (np.tan, 1 - 30j, 4 * np.exp(-60 - 2j)),
        (np.arcsin, 1j * 1e200, 1e-200),
        (np.arcsinh, 1e200 + 1j, 1e-200),
        (np.arccosh, 1e200 + 1j, 1e-200),
        (np.log1p, -1 + 1e-20j, -1e20j),
        (np.expm1, -50 + 1j, np.exp(-50 + 1j)),
    ],
)
def test_complex_derivatives_far_out(f, at, want):
    np.testing.assert_allclose(jvp(f, (np.array(at),), (np.array(1 + 0j),))[1], want, rtol=1e-12)


def test_every_ufunc_has_a_rule():
    assert set(RULES) >= UFUNCS


def test_every_real_unary_ufunc_is_compared():
    assert {f for f in UFUNCS if f.nin == f.nout == 1 and "d->d" in f.types} == {*UNARY, *FLAT, np.conjugate}


LIMITS = [
    *((f, -inf, 0.0) for f in (np.exp, np.exp2, np.expm1, np.arctan, np.tanh, np.arcsinh, np.reciprocal)),
    *((f, inf, 0.0) for f in (np.log, np.log1p, np.sqrt, np.cbrt, np.arctan, np.tanh, np.arcsinh, np.arccosh)),
    *((f, inf, inf) for f in (np.exp, np.exp2, np.expm1, np.sinh, np.cosh, np.square)),
    *((f, 0.0, inf) for f in (np.sqrt, np.cbrt, np.log)),
    *((f, 1.0, inf) for f in (np.arcsin, np.arccosh, np.arctanh)),
    (np.arccos, 1.0, -inf),
    (np.absolute, 0.0, 0.0),
    (np.absolute, -inf, -1.0),
    (np.fabs, 0.0, 0.0),
    (np.sign, 0.0, 0.0),
    (np.angle, 0.0, nan),
]


@pytest.mark.parametrize("kind", [float, np.float64, np.array])
@pytest.mark.parametrize(("f", "x", "want"), LIMITS)
def test_limits(f, x, want, kind):
    """Derivatives at the ends of the domain, for Python's numbers, NumPy's and arrays; they warn only if f does."""
    x = kind(x)
    with np.errstate(all="ignore" if warns(f, x) else None):
        np.testing.assert_allclose(grad(f)(x), want)
        np.testing.assert_allclose(jvp(f, (x,), (kind(1.0),))[1], want)
        grad(grad(f))(x)
        jvp(grad(f), (x,), (kind(1.0),))


def warns(f, x):
    try:
        with np.errstate(all="raise"):
            f(x)
    except FloatingPointError:
        return True
    return False


KINKS = [
    (np.maximum, (0.0, 0.0), (0.5, 0.5)),
    (np.minimum, (2.0, 2.0), (0.5, 0.5)),
    (np.fmax, (-inf, -inf), (0.5, 0.5)),
    (np.fmin, (inf, inf), (0.5, 0.5)),
    (np.maximum, (nan, 1.0), (1.0, 0.0)),
    (np.maximum, (1.0, nan), (0.0, 1.0)),
    (np.fmax, (nan, 1.0), (0.0, 1.0)),
    (np.power, (0.0, 0.0), (0.0, 0.0)),
    (np.power, (0.0, 2.0), (0.0, 0.0)),
    (np.power, (0.0, 1.0), (1.0, 0.0)),
    (np.power, (0.0, 0.5), (inf, 0.0)),
    (np.float_power, (0.0, 0.0), (0.0, 0.0)),
    (np.arctan2, (0.0, 0.0), (nan, nan)),
    (np.hypot, (0.0, 0.0), (0.0, 0.0)),
    (np.hypot, (1e200, 1e200), (np.sqrt(0.5), np.sqrt(0.5))),
    (np.arctan2, (1.0, 0.0), (0.0, -1.0)),
    (np.arctan2, (0.0, -2.0), (-0.5, 0.0)),
    (np.arctan2, (1.0, inf), (0.0, 0.0)),
    (np.arctan2, (-inf, 1.0), (0.0, 0.0)),
    (np.arctan2, (1e200, 1e200), (5e-201, -5e-201)),
    (np.logaddexp, (-inf, -inf), (0.0, 0.0)),
    (np.logaddexp, (inf, inf), (0.5, 0.5)),
    (np.logaddexp, (-inf, 3.0), (0.0, 1.0)),
    (np.logaddexp, (inf, 3.0), (1.0, 0.0)),
    (np.logaddexp, (1e10, 1e10), (0.5, 0.5)),
    (np.logaddexp, (-50.0, 0.0), (1 / (1 + np.exp(50)), 1.0)),
    (np.logaddexp2, (-inf, -inf), (0.0, 0.0)),
    (np.logaddexp2, (-50.0, 0.0), (1 / (1 + 2.0**50), 1 / (1 + 2.0**-50))),
    (np.copysign, (0.0, -1.0), (0.0, 0.0)),
    (np.copysign, (-2.0, -1.0), (1.0, 0.0)),
    (np.remainder, (-7.0, 3.0), (1.0, 3.0)),
    (np.fmod, (-7.0, 3.0), (1.0, 2.0)),
    (np.heaviside, (0.0, 0.3), (0.0, 1.0)),
]


@pytest.mark.parametrize(("f", "at", "want"), KINKS)
def test_kinks_of_two_arguments(f, at, want):
    np.testing.assert_allclose(grad(f, argnums=(0, 1))(*at), want, rtol=1e-12)
    a, b = at
    np.testing.assert_allclose(jvp(lambda a: f(a, b), (a,), (1.0,))[1], want[0], rtol=1e-12)
    np.testing.assert_allclose(jvp(lambda b: f(a, b), (b,), (1.0,))[1], want[1], rtol=1e-12)


@pytest.mark.parametrize(
    ("f", "want"),
    [
        (lambda a: np.hypot(a, 1.0), 1e-24),
        (lambda a: np.arctan2(a, 1.0), -2e-24),
        (lambda a: np.arctan2(1.0, a), 2e-24),
        (lambda a: np.logaddexp(a / 1e7, 0.0), 1e-14 * np.exp(-10.0) / (1 + np.exp(-10.0)) ** 2),
        (lambda a: a**-0.5, 0.75e-20),
    ],
)
def test_second_derivatives_of_two_arguments_to_twelve_digits(f, want):
    np.testing.assert_allclose(grad(grad(f))(1e8), want, rtol=1e-12)
    np.testing.assert_allclose(jvp(grad(f), (1e8,), (1.0,))[1], want, rtol=1e-12)


@pytest.mark.parametrize(
    ("f", "first", "second"),
    [
        (lambda x: x**0, 0.0, 0.0),
        (lambda x: x**0.0, 0.0, 0.0),
        (lambda x: x**1, 1.0, 0.0),
        (lambda x: x**1.0, 1.0, 0.0),
        (lambda x: x**2, 0.0, 2.0),
        (lambda x: x**2.0, 0.0, 2.0),
        (lambda x: x**3, 0.0, 0.0),
        (lambda x: np.power(x, 2), 0.0, 2.0),
        (lambda x: np.power(x, np.array(3.0)), 0.0, 0.0),
        (lambda x: np.maximum(x, 0), 0.5, 0.0),
        (lambda x: np.hypot(x, 0), 0.0, nan),
        (lambda x: np.absolute(x + 0j), 0.0, nan),
        (lambda x: 0.0**x + 0 * x, 0.0, 0.0),
        (lambda x: np.arctan2(x, 1.0), 1.0, 0.0),
        (lambda x: np.arctan2(1.0, x), -1.0, 0.0),
        (lambda x: np.logaddexp(x, 0.0), 0.5, 0.25),
        (lambda x: np.logaddexp2(x, 0.0), 0.5, np.log(2) / 4),
    ],
)
def test_second_derivatives_at_zero(f, first, second):
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(grad(f)(0.0), first)
        np.testing.assert_allclose(grad(grad(f))(0.0), second)
        np.testing.assert_allclose(jvp(grad(f), (0.0,), (1.0,))[1], second)


def test_tanh_has_exact_third_derivative_at_zero():
    assert grad(grad(grad(np.tanh)))(0.0) == -2


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.reciprocal, 1e-200),
        (lambda x: np.fmod(x, 1e-320), 1.0),
        (lambda x: np.remainder(1e308, x), 1e-320),
        (lambda x: x**-2.0, np.inf),
        (lambda x: np.float_power(0.5, x), np.inf),
    ],
)
def test_the_sweep_of_python_floats_is_silent(f, x):
    """A derivative that overflows gives no warnings beyond those of the function."""
    with np.errstate(all="ignore"):
        _, pullback = vjp(f, x)
    pullback(np.float64(1e200))


@pytest.mark.parametrize("z", [1e-320 + 0j, np.inf + 0j, 3e-200j])
def test_the_sign_of_complex_numbers_in_batches(z):
    item, batch = grad(np.absolute), vmap(grad(np.absolute))
    np.testing.assert_array_equal(batch(np.array([z, z])), [item(z), item(z)])


@pytest.mark.parametrize("f", [np.log, np.sqrt, np.reciprocal, np.absolute, np.sign, np.conj, np.real, np.imag])
def test_masks_pass_through_elementwise_functions(f):
    """where(z ≠ 0, f(z), 0) is not poisoned at 0, in any order."""
    z = np.array([0.0, 1.0 + 2.0j])
    h = lambda z: np.sum(np.real(np.where(z != 0, f(z) ** 2, 0)))
    with np.errstate(all="ignore"):
        assert np.all(np.isfinite(grad(h)(z)))
        assert np.all(np.isfinite(grad(lambda z: np.sum(np.absolute(grad(h)(z)[1])))(z)))


def test_parts_of_complex_numbers_are_views():
    def f(x):
        y = x[0] + 1j * x[1]
        y.real[1] = y.imag[0] ** 2
        y.imag[...] *= 3
        part = y.imag
        part[0] = x[0, 2] * part[2]
        return np.stack([y.real, y.imag, np.absolute(y)])

    agrees(f, x0)


# ---------------------------------------------------------------- keywords

x0 = np.array([[-1.53, 0.52, 2.17], [0.34, 1.26, -0.71]])


def test_where_leaves_out_entries_and_their_warnings():
    f = lambda x: np.sum(np.log(x, where=x > 0, out=np.zeros_like(x)))
    np.testing.assert_allclose(grad(f)(x0), np.where(x0 > 0, 1 / x0, 0))
    g = lambda x: np.sum(np.log(x, where=x > 0))
    np.testing.assert_allclose(grad(g)(x0), np.where(x0 > 0, 1 / x0, 0))


def test_out_is_returned_and_written_to():
    def f(x):
        y = np.zeros_like(x)
        assert np.exp(x, out=y) is y
        np.add(y, x, y)
        return np.sum(y[0])

    np.testing.assert_allclose(grad(f)(x0), [np.exp(x0[0]) + 1, np.zeros(3)])


def test_several_outs():
    def f(x):
        fraction = np.zeros_like(x)
        y, whole = np.modf(x, fraction, None)
        assert y is fraction
        return np.sum(fraction * whole)

    np.testing.assert_allclose(grad(f)(x0), np.trunc(x0))


@pytest.mark.parametrize(
    "write",
    [
        lambda a, x: np.exp(x, out=a),
        lambda a, x: operator.iadd(a, x),
        lambda a, x: np.add.at(a, 0, x[0]),
        lambda a, x: np.add.reduce(x, out=a[0]),
        lambda a, x: np.sin(x, a),
    ],
)
def test_a_plain_target_is_refused(write):
    def f(x):
        write(np.zeros((2, 3)), x)
        return np.sum(x)

    with pytest.raises(ConversionError, match="zeros_like"):
        grad(f)(x0)


def test_plain_values_may_be_written_to_a_plain_array():
    """What np.zeros_like of a traced value returns is plain until it is assigned a traced value."""
    a = np.zeros((2, 3))
    grad(lambda x: np.sum(np.add(np.zeros_like(x), 1.0, out=a) * x))(x0)
    np.testing.assert_equal(a, 1)


@pytest.mark.parametrize("f", [np.sqrt, np.log, np.arcsin, np.arccosh, np.arctanh, np.power])
def test_complex_results_of_real_arguments(f):
    """dtype=complex leads beyond the real domain, where the derivative is the complex one."""
    x, xs = np.array([-2.5, 3.5]), (0.3,) * (f.nin - 1)
    want = jvp(lambda z: f(z, *xs), (x + 0j,), (np.ones(2) + 0j,))[1]
    np.testing.assert_allclose(jvp(lambda x: f(x, *xs, dtype=complex), (x,), (np.ones(2),))[1], want)
    np.testing.assert_allclose(grad(lambda x: np.sum(f(x, *xs, dtype=complex).imag))(x), want.imag)


def test_dtype_and_casting():
    y, dot = jvp(lambda x: np.multiply(x, x, dtype=np.float32), (x0,), (np.ones_like(x0),))
    assert y.dtype == dot.dtype == np.float32
    assert grad(lambda x: np.sum(np.sin(x, dtype=np.float32)))(x0).dtype == np.float64
    with pytest.raises(TypeError):
        grad(lambda x: np.sum(np.sin(x, dtype=np.float32, casting="safe")))(x0)
    with pytest.raises(TypeError):
        grad(lambda x: np.sum(np.sin(x, out=np.zeros_like(x, dtype=int))))(x0)


# ---------------------------------------------------------------- methods

REDUCTIONS = [
    *((f, {"axis": axis, "keepdims": keep}) for f in (np.add, np.multiply, np.maximum, np.logaddexp, np.hypot)
      for axis in (0, -1, None, (0, 1), ()) for keep in (False, True)),
    *((f, {"axis": 1}) for f in (np.subtract, np.divide, np.minimum, np.fmax, np.fmin, np.logaddexp2)),
    *((f, {"axis": 1, "initial": 1.25}) for f in (np.add, np.multiply, np.maximum, np.fmax, np.subtract, np.logaddexp)),
    *((f, {"axis": 0, "where": x0 > 0, "initial": 1.25}) for f in (np.add, np.minimum, np.fmin, np.divide)),
    *((f, {"axis": 1, "where": x0 > 0}) for f in (np.add, np.multiply, np.logaddexp, np.hypot)),
    (np.add, {}),
    (np.add, {"dtype": np.float32}),
    *((f, {"axis": 0}) for f in (np.power, np.arctan2)),
]  # fmt: skip


def agrees(f, x, rtol=1e-6):
    """The value is NumPy's, the dot is that of differences, the bar its adjoint; vmap is the loop."""
    y = f(x)
    t = np.random.default_rng(0).standard_normal(x.shape)
    value, dot = jvp(f, (x,), (t,))
    np.testing.assert_allclose(value, y, rtol=rtol if y.dtype == np.float32 else 1e-13)
    assert np.shape(value) == np.shape(y)
    assert value.dtype == y.dtype
    if y.dtype == np.float64:
        h = 1e-6
        np.testing.assert_allclose(dot, (f(x + h * t) - f(x - h * t)) / (2 * h), rtol=rtol, atol=1e-8)
    ybar = np.random.default_rng(1).standard_normal(np.shape(y)).astype(y.dtype)
    (xbar,) = vjp(f, x)[1](ybar)
    np.testing.assert_allclose(np.sum(ybar * dot), np.sum(xbar * t), rtol=rtol)
    np.testing.assert_allclose(vmap(f)(np.stack([x, x + 0.01])), [f(x), f(x + 0.01)], rtol=rtol)


@pytest.mark.parametrize(("ufunc", "kw"), REDUCTIONS)
def test_reduce(ufunc, kw):
    agrees(lambda x: ufunc.reduce(x, **kw), np.abs(x0) if ufunc is np.power else x0)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum, np.subtract, np.logaddexp, np.hypot])
def test_accumulate(ufunc, axis):
    agrees(lambda x: ufunc.accumulate(x, axis), x0)


@pytest.mark.parametrize("indices", [[0, 2], [1], [2, 0, 1, 1]])
@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.logaddexp])
def test_reduceat(ufunc, indices):
    agrees(lambda x: ufunc.reduceat(x, indices, axis=1), x0)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.divide, np.arctan2])
def test_outer(ufunc):
    agrees(lambda x: ufunc.outer(x, x[0]), x0)


@pytest.mark.parametrize("ufunc", [np.add, np.subtract, np.multiply, np.maximum, np.divide])
@pytest.mark.parametrize("index", [0, ([0, 1, 0, 0],), (slice(None), [2, 2, 0]), (..., 1), ([0, 0], [1, 1])])
def test_at(ufunc, index):
    def f(x):
        y = x * 1.0
        ufunc.at(y, index, x[0, 0] + 2.0)
        return y

    agrees(f, x0)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply])
def test_at_places_that_differ_between_items(ufunc):
    def f(x, rows, columns):
        y = x * 1.0
        ufunc.at(y, (rows, columns), x[1] ** 2)
        ufunc.at(y, rows, x[0])
        return y

    xs, rows, columns = np.stack([x0, x0 + 0.1]), np.array([[0, 1, 0], [1, 1, 1]]), np.array([[2, 1, 2], [0, 0, 0]])
    np.testing.assert_allclose(vmap(f)(xs, rows, columns), [f(*item) for item in zip(xs, rows, columns)])
    with pytest.raises(NoRuleError, match="only integers"):
        vmap(lambda x, i: ufunc.at(x * 1.0, (slice(None), i), 2.0))(xs, rows)


def test_negative_at():
    def f(x):
        y = x * 1.0
        np.negative.at(y, [0, 0, 1])
        return y

    agrees(f, x0)


@pytest.mark.parametrize("kw", [{"axis": 2}, {"axis": (0, 0)}, {"where": x0 > 0}])
def test_errors_of_reduce_are_numpys(kw):
    for f in (np.fmax, np.maximum):
        with pytest.raises(ValueError, match=r"axis|identity"):
            grad(lambda x, f=f: np.sum(f.reduce(x, **kw)))(x0)


def test_traced_settings_of_reduce():
    agrees(lambda x: np.hypot.reduce(x, where=x > 0), x0)
    agrees(lambda x: np.fmin.reduce(x, axis=1, where=x > 0, initial=x[0, 0] + 1.0), x0)
    agrees(lambda x: np.add.reduce(x, axis=1, where=x > 0, initial=x[0, 0] + 1.0), x0)


def test_reductions_of_nothing():
    assert grad(lambda x: np.add.reduce(x) + np.logaddexp2.reduce(x))(np.zeros(0)).shape == (0,)
    with pytest.raises(ValueError, match="identity"):
        grad(lambda x: np.fmax.reduce(x))(np.zeros(0))


def test_logical_reductions_are_constants():
    f = lambda x: x[0] * np.logical_and.reduce(x) * np.logical_xor.reduce(x)
    np.testing.assert_array_equal(grad(f)(x0[0]), [1, 0, 0])


# ---------------------------------------------------------------- operators


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "mod", "pow", "floordiv"])
@pytest.mark.parametrize("other", [2, 2.0, np.array([1.5, 2.5, 0.5])])
def test_binary_operators(name, other):
    op, x = getattr(operator, name), np.abs(x0)
    agrees(lambda x: op(x, other), x)
    agrees(lambda x: op(other, x), x)


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "imod", "ipow"])
def test_in_place_operators_write_through_views(name):
    def f(x):
        y = x * 1.0
        row = y[0]
        row = getattr(operator, name)(row, 1.5 + x[1] ** 2)
        return y

    agrees(f, np.abs(x0))


def test_divmod():
    agrees(lambda x: np.stack(divmod(x, 0.7)), x0)
    agrees(lambda x: np.stack(divmod(5.0, x)), x0)


@pytest.mark.parametrize("exponent", [0.5, 2, 2.0, 3, 0, -2, 1.7])
def test_powers_are_numpys_to_the_last_bit(exponent):
    x = np.abs(x0)
    np.testing.assert_array_equal(jvp(lambda x: x**exponent, (x,), (x,))[0], x**exponent)
    np.testing.assert_array_equal(vjp(lambda x: x**exponent, x)[0], x**exponent)


def test_rounding_is_locally_constant():
    assert grad(lambda x: x * round(x))(2.6) == 3
    assert grad(lambda x: x * round(x, 1))(2.64) == 2.6
    assert grad(lambda x: x * abs(-x) * (x > 1) * (+x >= 2))(2.0) == 4
    assert isinstance(jvp(lambda x: (x < 1, x == x), (x0,), (x0,))[0][0], np.ndarray)


def test_comparisons_stay_batched():
    np.testing.assert_array_equal(vmap(lambda x: x > 0)(x0), x0 > 0)

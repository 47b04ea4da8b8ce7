"""Struve, parabolic cylinder, Mathieu and Wright's functions, exponential integrals: derivatives against mpmath."""

import mpmath
import numpy as np
import pytest
from references import POINTS, REFERENCES, wright

import dotbar.scipy.special as sc
from dotbar import grad, jvp
from dotbar.errors import NoRuleError


def derivative(f, x):
    """The derivative, from differences with 60 digits."""
    with mpmath.workdps(60):
        h, x = mpmath.mpf(10) ** -18, mpmath.mpf(x)
        return float(mpmath.re((f(x + h) - f(x - h)) / (2 * h)))


PARAMETERS = {
    **{name: (getattr(sc, name), REFERENCES[name], POINTS[name]) for name in ("struve", "modstruve")},
    **{
        name: (lambda v, x, name=name: getattr(sc, name)(v, x)[0], REFERENCES[name][0], POINTS[name])
        for name in ("pbdv", "pbvv", "pbwa")
    },
    "wright_bessel": (
        lambda b, x: sc.wright_bessel(0.5, b, x),
        lambda b, x: wright(0.5, b, x),
        [(b, x) for b in (0.0, 0.7, 3.0) for x in (0.0, 1.3, 9.0)],
    ),
    "wright_bessel a": (
        lambda a, x: sc.wright_bessel(a, 0.7, x),
        lambda a, x: wright(a, 0.7, x),
        [(a, x) for a in (0.3, 1.2) for x in (0.4, 9.0)],
    ),
    "besselpoly": (
        lambda v, a: sc.besselpoly(a, 0.3, v),
        lambda v, a: REFERENCES["besselpoly"](a, mpmath.mpf(0.3), v),
        [(0.4, 0.8), (2.0, 1.5)],
    ),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_by_parameter(name):
    """To 1e-12 of the derivative."""
    f, reference, points = PARAMETERS[name]
    for p, x in points:
        want = derivative(lambda u, x=x: reference(u, x), p)
        assert grad(lambda u, x=x: f(u, x))(p) == pytest.approx(want, rel=2e-12, abs=1e-300), (p, x)


SLOPES = {
    "expi": (sc.expi, mpmath.ei),
    "exp1": (sc.exp1, mpmath.e1),
    "expn": (lambda x: sc.expn(3, x), lambda x: mpmath.expint(3, x)),
    "si": (lambda x: sc.sici(x)[0], mpmath.si),
    "chi": (lambda x: sc.shichi(x)[1], mpmath.chi),
    "exprel": (sc.exprel, lambda x: mpmath.expm1(x) / x),
    "spence": (sc.spence, lambda x: mpmath.polylog(2, 1 - x)),
    "lambertw": (lambda x: np.real(sc.lambertw(x)), mpmath.lambertw),
    "agm": (lambda x: sc.agm(x, 1.3), lambda x: mpmath.agm(x, 1.3)),
    "k0e": (sc.k0e, lambda x: mpmath.exp(x) * mpmath.besselk(0, x)),
    "i1e": (sc.i1e, lambda x: mpmath.exp(-x) * mpmath.besseli(1, x)),
    "airye": (lambda x: sc.airye(x)[0], lambda x: mpmath.airyai(x) * mpmath.exp(2 * x * mpmath.sqrt(x) / 3)),
    "bei": (sc.bei, lambda x: mpmath.bei(0, x)),
    "kerp": (sc.kerp, lambda x: mpmath.diff(lambda t: mpmath.ker(0, t), x)),
}


@pytest.mark.parametrize("name", SLOPES)
def test_by_argument(name):
    f, reference = SLOPES[name]
    for x in (1e-3, 0.9, 6.0, 30.0) if name not in ("kerp", "bei") else (0.9, 6.0):
        assert grad(f)(x) == pytest.approx(derivative(reference, x), rel=1e-12), x


def test_far_out_scaled_functions_keep_their_digits():
    """√(2πx) exp(−x) I₀ → 1 + 1/(8x) and so on.  DLMF 10.40.1, 10.40.2."""
    for f, c in ((sc.i0e, 1 / np.sqrt(2 * np.pi)), (sc.k0e, np.sqrt(np.pi / 2))):
        assert grad(f)(1e12) == pytest.approx(-c / 2 * 1e-18, rel=1e-11)


STRUVE_AT = [(v, x) for v in (-4.0, -1.0, -0.3, 0.0, 1e-6, 2.0) for x in (1e-6, 0.9, 1.1, 300.0, 1e4)]


@pytest.mark.parametrize("name", ["struve", "modstruve"])
def test_slopes_of_struve_functions(name):
    """To 1e-12: also at ν = −1, where the leading term has none, far out, and left of 0 at integer orders."""
    f, exact = getattr(sc, name), REFERENCES[name]
    for v, x in STRUVE_AT + [(v, -x) for v, x in STRUVE_AT if v in (-1.0, 0.0, 2.0)]:
        if name == "struve" or abs(x) < 700:
            want = derivative(lambda t, v=v: exact(v, t), x)
            assert grad(lambda t, v=v: f(v, t))(x) == pytest.approx(want, rel=1e-12, abs=1e-290), (v, x)


@pytest.mark.parametrize("f", [sc.struve, sc.modstruve])
def test_struve_functions_at_zero(f):
    slopes = lambda v: grad(f, (0, 1))(v, 0.0)
    assert slopes(0.0) == pytest.approx((0, 2 / np.pi))
    assert slopes(0.5) == slopes(2.0) == (0, 0)
    assert slopes(-0.5)[1] == np.inf
    assert grad(grad(lambda x: f(1.0, x)))(0.0) == pytest.approx(4 / (3 * np.pi))
    assert np.isnan(grad(f)(1.0, -0.5))


@pytest.mark.parametrize("x", [9.0, 299.7, 1e4 + 0.3, -27.3])
def test_fresnels_phase(x):
    """Z² is reduced before it is rounded."""
    with mpmath.workdps(40):
        wave = mpmath.expjpi(mpmath.mpf(x) ** 2 / 2)
    found = [grad(lambda x, k=k: sc.fresnel(x)[k])(x) for k in (0, 1)]
    assert np.allclose(found, [float(wave.imag), float(wave.real)], 1e-13, 1e-15)


@pytest.mark.parametrize(("f", "sign"), [(sc.modfresnelp, 1), (sc.modfresnelm, -1)])
def test_modified_fresnel_functions_far_out(f, sign):
    exact = lambda x: mpmath.exp(-sign * 1j * x * x) * mpmath.erfc(mpmath.expjpi(-sign * mpmath.mpf(0.25)) * x) / 2
    for x in (0.3, 30.0, 1e4):
        with mpmath.workdps(60):
            want = complex(mpmath.diff(exact, x))
        assert jvp(f, (x,), (1.0,))[1][1] == pytest.approx(want, rel=1e-12)


def test_kelvin_functions_near_zero():
    """Ber″ ~ −3x²/16 and kei″ ~ −log(x/2)/2 − γ/2 − 1/4, whose complex sums are dominated by the other parts."""
    for x in (1e-20, 1e-6):
        assert grad(sc.berp)(x) == pytest.approx(-3 * x * x / 16, rel=1e-11)
        assert grad(sc.keip)(x) == pytest.approx(-(np.log(x / 2) + np.euler_gamma + 0.5) / 2, rel=1e-11)
    assert grad(sc.keip)(0.0) == grad(sc.kerp)(0.0) == np.inf
    assert np.isnan(grad(sc.kerp)(-1.0))


def test_scaled_airy_functions_are_not_scaled_left_of_zero():
    for x in (-0.3, -20.0):
        assert grad(grad(lambda x: sc.airye(x)[2]))(x) == pytest.approx(x * sc.airy(x)[2], rel=1e-12)


@pytest.mark.parametrize("x", [-1e-9, 0.0, 1e-9])
def test_removable_points(x):
    assert grad(grad(sc.exprel))(x) == pytest.approx(1 / 3, 1e-8)
    assert grad(grad(sc.spence))(1 + x) == pytest.approx(0.5, 1e-8)
    assert grad(lambda x: sc.sici(x)[0])(x) == pytest.approx(1)
    assert grad(lambda x: sc.it2j0y0(x)[0])(x) == pytest.approx(x / 4, abs=1e-15)
    assert jvp(lambda z: sc.lambertw(z), (x + 0j,), (1.0 + 0j,))[1] == pytest.approx(1, 1e-8)


def test_branches_of_lambertw():
    z = 0.3 - 0.8j
    for k in (-2, -1, 0, 1, 3):
        w, wdot = jvp(lambda z, k=k: sc.lambertw(z, k), (z,), (1.0 + 0j,))
        assert wdot == pytest.approx(w / (z * (1 + w)), 1e-13)
    assert grad(lambda x: np.real(sc.lambertw(x, -1)))(-1e-200) == pytest.approx(-1e200, 0.01)


def test_mathieu_at_small_parameters():
    """a₀ = −q²/2 + 7q⁴/128, a₁ = 1 + q − q²/8 − q³/64.  DLMF 28.6.1, 28.6.2."""
    q = 1e-3
    assert grad(lambda q: sc.mathieu_a(0, q))(q) == pytest.approx(-q + 7 * q**3 / 32, 1e-9)
    assert grad(grad(lambda q: sc.mathieu_a(0, q)))(0.0) == pytest.approx(-1)
    assert grad(lambda q: sc.mathieu_a(1, q))(q) == pytest.approx(1 - q / 4 - 3 * q**2 / 64, 1e-9)


@pytest.mark.parametrize(
    ("f", "m", "q", "x", "want"),
    [
        (sc.mathieu_modsem1, 100, 1.0, 0.1, 9.3001113126655757e-183),
        (sc.mathieu_modcem1, 100, 10.0, 0.1, 9.2187297056041768e-134),
        (sc.mathieu_modcem2, 60, 1.0, 0.1, 3.791335217880163e96),
        (sc.mathieu_modcem2, 30, 1e-6, 0.7, 3.437130090533522e127),
    ],
    ids=str,
)
def test_modified_mathieu_functions_of_large_orders(f, m, q, x, want):
    """The derivative by q of the series with 120 digits: products of Bessel functions multiply small coefficients."""
    assert grad(lambda q: f(m, q, x)[0])(q) == pytest.approx(want, 1e-12)


@pytest.mark.parametrize(
    "f",
    [
        lambda c: sc.pro_rad1(1, 2, c, 1.3)[0],
        lambda c: sc.obl_ang1_cv(1, 2, c, 4.0, 0.3)[0],
        lambda q: sc.mathieu_even_coef(2, q),
        lambda m: sc.mathieu_cem(m, 1.0, 30.0)[0],
        lambda k: sc.lambertw(0.5, k),
    ],
)
def test_refusals_give_the_reason(f):
    with pytest.raises(NoRuleError, match=r"has no derivative with respect to '\w+': "):
        jvp(f, (1.0,), (1.0,))


@pytest.mark.parametrize(
    ("f", "order", "c", "want"),
    [
        (lambda c: sc.pro_ang1(2, 5, c, 0.9)[0], 1, 12.0, -0.4427479436647205),
        (lambda c: sc.obl_ang1(0, 3, c, -0.6)[0], 1, 2.5, 0.086182942353077306),
        (lambda c: sc.pro_cv(1, 1, c), 1, 25.0, 0.99942498394842339),
        (lambda c: sc.obl_cv(2, 5, c), 1, 12.0, -13.819196112445164),
        (lambda c: sc.pro_cv(0, 2, c), 2, 0.0, 22 / 21),  # λ = 6 + 11/21 c² + …, DLMF 30.3.9
    ],
)
def test_spheroidal_functions_in_c(f, order, c, want):
    """Against the series with 40 digits."""
    for _ in range(order):
        f = grad(f)
    assert f(c) == pytest.approx(want, 1e-12)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda d: sc.ncfdtr(1.0, d, -3.0, 2.0), 2.0),
        (lambda p: sc.ncfdtri(1.0, 2.0, 3.0, p), 2.0),
        (lambda t: sc.nctdtr(-2.0, 0.3, t), 0.4),
        (lambda c: sc.obl_ang1(1, 1, c, 0.1)[0], 25.0),
    ],
)
def test_every_derivative_of_a_value_that_is_lost_is_nan(f, x):
    assert np.isnan(grad(f)(x))
    assert np.isnan(grad(grad(f))(x))

"""Derivatives of special functions in the complex plane against mpmath."""

import mpmath as mp
import numpy as np
import pytest

import dotbar.scipy.special as sc
from dotbar import jvp

BRANCH_POINT = -np.exp(-1)


def slope(f, z):
    return jvp(f, (z,), (np.ones_like(z),))[1]


@pytest.mark.parametrize("phase", [0.3, np.pi / 4, 1.2, 2.2, -np.pi / 4])
@pytest.mark.parametrize("size", [1e-8, 0.3, 5.9, 6.1, 1e2, 1e4])
@pytest.mark.parametrize("name", ["erf", "erfc", "erfi", "erfcx", "wofz", "dawsn", "exp1", "expi"])
def test_error_functions(name, size, phase):
    z = np.complex128(size * np.exp(1j * phase))
    got = slope(getattr(sc, name), z)
    with mp.workdps(60):
        u, root = mp.mpc(z), mp.sqrt(mp.pi)
        w = lambda u: mp.exp(-u * u) * mp.erfc(-1j * u)
        want = {
            "erf": lambda: 2 / root * mp.exp(-u * u),
            "erfc": lambda: -2 / root * mp.exp(-u * u),
            "erfi": lambda: 2 / root * mp.exp(u * u),
            "erfcx": lambda: 2 * u * w(1j * u) - 2 / root,
            "wofz": lambda: 2j / root - 2 * u * w(u),
            "dawsn": lambda: 1 - u * root * mp.exp(-u * u) * mp.erfi(u),
            "exp1": lambda: -mp.exp(-u) / u,
            "expi": lambda: mp.exp(u) / u,
        }[name]()
        if np.isfinite(got) and 1e-280 < abs(want) < 1e280:
            assert abs(got - want) <= 1e-12 * abs(want)


@pytest.mark.parametrize("k", [-1, 0, 1])
@pytest.mark.parametrize("phase", [0.0, 2.0, np.pi, -1.0])
@pytest.mark.parametrize("distance", [1e-2, 1e-8, 1e-15])
def test_lambertw_near_its_branch_point(distance, phase, k):
    """The first derivative e^-w/(1 + w) and the second, where SciPy's w itself has as few as 8 digits."""
    z = np.complex128(BRANCH_POINT + distance * np.exp(1j * phase))
    first = lambda z: slope(lambda z: sc.lambertw(z, k), z)
    with mp.workdps(60):
        w = mp.lambertw(mp.mpc(z), k)
        wants = mp.exp(-w) / (1 + w), -mp.exp(-2 * w) * (2 + w) / (1 + w) ** 3
        for got, want in zip((first(z), slope(first, z)), wants):
            assert abs(got - want) <= 1e-13 * abs(want)


def test_lambertw_on_its_cut():
    """From either side, by the sign of the imaginary part; on the branch -1 SciPy takes -0 for 0 where it is real."""
    at = lambda y: np.array([complex(-0.3679, y), complex(-1.0, y)])
    above, below = (slope(lambda z: sc.lambertw(z, 0), at(y)) for y in (0.0, -0.0))
    np.testing.assert_allclose(above, np.conj(below), 1e-14)


@pytest.mark.parametrize("z", [9j, 9.5, 15 + 3j, 30.0, 30 * np.exp(2j), 200 * np.exp(-1.3j)])
def test_airye(z):
    """Ai and Ai' times exp(2/3 z^(3/2)): their slopes are small differences of large terms."""
    z = np.complex128(z)
    got = jvp(sc.airye, (z,), (np.ones_like(z),))[1]
    with mp.workdps(60):
        u = mp.mpc(z)
        root, scale = mp.sqrt(u), mp.exp(mp.mpf(2) / 3 * u * mp.sqrt(u))
        ai, aip = mp.airyai(u), mp.airyai(u, derivative=1)
        for y, want in zip(got, ((aip + root * ai) * scale, (u * ai + root * aip) * scale)):
            assert abs(y - want) <= 1e-12 * abs(want)


@pytest.mark.parametrize("z", [-1e3 - 1j, -1e3j, -300 - 900j, 40 - 9j, -900 - 500j])
@pytest.mark.parametrize("v", [0.3, 7.2, -2.4])
@pytest.mark.parametrize("name", ["kve", "hankel1e", "hankel2e"])
def test_scaled_bessel_functions(name, v, z):
    """In the half-plane where J + iY does not cancel, which is another one for J - iY."""
    z = np.conj(z) if name == "hankel2e" else z
    f = {
        "kve": lambda z: mp.exp(z) * mp.besselk(v, z),
        "hankel1e": lambda z: mp.exp(-1j * z) * mp.hankel1(v, z),
        "hankel2e": lambda z: mp.exp(1j * z) * mp.hankel2(v, z),
    }[name]
    got = slope(lambda z: getattr(sc, name)(v, z), np.complex128(z))
    with mp.workdps(60):
        h = mp.mpf(10) ** -20
        want = (f(z + h) - f(z - h)) / (2 * h)
        assert abs(got - want) <= 1e-12 * abs(want)

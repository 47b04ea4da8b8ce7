"""Polynomials: identities between them, zero coefficients, errors."""

import re

import numpy as np
import pytest

from dotbar import grad, jacobian, jvp, vjp, vmap
from dotbar.errors import ConversionError

u, v = np.array([1.0, -3.0, 0.5, 2.0]), np.array([2.0, 1.0])


def test_division_is_the_inverse_of_multiplication():
    def residue(u, v):
        q, r = np.polydiv(u, v)
        return np.polysub(np.polyadd(np.polymul(q, v), r), u)

    value, dot = jvp(residue, (u, v), (np.ones(4), np.ones(2)))
    np.testing.assert_allclose(value, 0, atol=1e-14)
    np.testing.assert_allclose(dot, 0, atol=1e-13)


def test_integral_then_derivative():
    np.testing.assert_allclose(
        jacobian(lambda p: np.polyder(np.polyint(p, 2, [5.0, 6.0]), 2))(u), np.eye(4), atol=1e-15
    )


def test_poly_of_roots():
    p = np.array([1.0, -6.0, 11.0, -6.0])
    J = jacobian(lambda p: np.poly(np.roots(p)))(p)
    np.testing.assert_allclose(J[1:, 1:], np.eye(3), atol=1e-12)


@pytest.mark.parametrize("end", [[], [0], [-1]], ids=["none", "leading", "trailing"])
def test_roots_of_a_batch_with_zeros_at_an_end(end):
    batch = np.cos(np.arange(15.0)).reshape(3, 5)
    batch[:, end] = 0
    f = lambda p: np.real(np.sum(np.roots(p) ** 2))
    for g in (np.roots, grad(f)):
        np.testing.assert_allclose(vmap(g)(batch), np.stack([g(p) for p in batch]), atol=1e-13)
    assert vmap(np.roots)(batch[:, :1] + 1).shape == (3, 0)
    with pytest.raises(ConversionError, match="different degrees"):
        vmap(np.roots)(np.array([[1.0, 2.0], [0.0, 1.0]]))


@pytest.mark.parametrize("p", [[0.0, 1.0, -3.0, 2.0], [1.0, -3.0, 2.0, 0.0], [2.0], [0.0, 0.0], [1.0, 0.0, 4.0]])
def test_roots_with_zero_coefficients(p):
    """ṗ(r) + p′(r) ṙ = 0 at each root."""
    p, t = np.array(p), np.arange(1.0, len(p) + 1)
    r, rdot = jvp(np.roots, (p,), (t,))
    np.testing.assert_allclose(r, np.roots(p))
    np.testing.assert_allclose(np.polyval(t, r) + np.polyval(np.polyder(p), r) * rdot, 0, atol=1e-12)
    (pbar,) = vjp(np.roots, p)[1](np.ones_like(r))
    np.testing.assert_allclose(pbar @ t, np.sum(rdot).real, atol=1e-12)


def test_polyfit_recovers_what_it_fits():
    x = np.linspace(-1.0, 2.0, 9)
    J = jacobian(lambda p: np.polyfit(x, np.polyval(p, x), 3))(u)
    np.testing.assert_allclose(J, np.eye(4), atol=1e-12)
    full = np.polyfit(x, np.polyval(u, x), 3, full=True)
    value, dot = jvp(lambda y: np.polyfit(x, y, 3, full=True)[0], (np.polyval(u, x),), (np.polyval(u, x),))
    np.testing.assert_allclose(value, full[0])
    np.testing.assert_allclose(dot, full[0])


def test_polyfit_warns_as_numpy():
    with pytest.warns(np.exceptions.RankWarning):
        jvp(lambda y: np.polyfit(np.ones(3), y, 1), (np.ones(3),), (np.ones(3),))


@pytest.mark.parametrize(
    "f",
    [
        lambda p: np.polyder(p, -1),
        lambda p: np.polyint(p, -1),
        lambda p: np.polyint(p, 3, [1.0, 2.0]),
        lambda p: np.poly(np.reshape(p, (1, 2, 2))),
    ],
)
def test_errors(f):
    with pytest.raises(ValueError, match=r".") as plain:
        f(u)
    with pytest.raises(ValueError, match=re.escape(str(plain.value))):
        grad(lambda p: np.sum(f(p)))(u)


@pytest.mark.parametrize(("x", "y", "deg"), [((2, 2), (2,), 1), ((0,), (0,), 1), ((3,), (2,), 1), ((3,), (3, 1, 1), 1)])
def test_polyfit_refuses(x, y, deg):
    with pytest.raises(TypeError):
        np.polyfit(np.ones(x), np.ones(y), deg)
    with pytest.raises(TypeError):
        grad(lambda y: np.sum(np.polyfit(np.ones(x), y, deg)))(np.ones(y))

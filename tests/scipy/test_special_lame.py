"""Ellipsoidal harmonics of every class: Lamé's equation, and what has no derivative."""

import numpy as np
import pytest

import dotbar
import dotbar.scipy.special as sc
from dotbar.errors import NoRuleError

H2, K2 = 5.0, 8.0


@pytest.mark.parametrize("n", range(6))
def test_lames_equation(n):
    """(s²−h²)(s²−k²) E″ + s (2s²−h²−k²) E′ + (a − n(n+1) s²) E = 0 with one a for all s."""
    s = np.array([0.3, 1.1, 2.5, 3.5, 9.0])
    for p in range(1, 2 * n + 2):
        E = lambda s, p=p: sc.ellip_harm(H2, K2, n, p, s)
        slope = lambda s, E=E: dotbar.jvp(E, (s,), (np.ones_like(s),))[1]
        second = dotbar.jvp(slope, (s,), (np.ones_like(s),))[1]
        rest = (s * s - H2) * (s * s - K2) * second + s * (2 * s * s - H2 - K2) * slope(s) - n * (n + 1) * s * s * E(s)
        a = -rest[-1] / E(s)[-1]
        assert np.allclose(rest, -a * E(s), 1e-9, 1e-9 * np.max(np.abs(rest)))


@pytest.mark.parametrize("k", range(4))
def test_parameters_are_refused(k):
    args = [H2, K2, 3.0, 2.0, 4.0]
    with pytest.raises(NoRuleError, match=f"with respect to '{['h2', 'k2', 'n', 'p'][k]}'"):
        dotbar.grad(sc.ellip_harm, argnums=k)(*args)

"""The densities that dotbar composes are SciPy's: in the tails, at the ends of the support, out of range."""

import warnings

import numpy as np
import pytest
import scipy.stats
from scipy.stats._distr_params import distcont

import dotbar
from dotbar.scipy import stats
from dotbar.scipy.stats import continuous

SHAPES = dict(distcont)


def points(dist, shapes):
    """Quantiles, the ends of the support and beyond, infinity, nan."""
    with np.errstate(all="ignore"):
        low, high = dist.support(*shapes)
        inside = dist.ppf([0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999], *shapes)
        return np.array([*inside, low, high, low - 1, high + 1, inside[-1] * 1e3, -np.inf, np.inf, np.nan, 0.0])


@pytest.mark.parametrize("name", sorted(continuous.VELOCITIES))
@pytest.mark.parametrize(("loc", "scale"), [(0.0, 1.0), (0.5, 2.5), (0.0, -1.0)])
def test_log_densities_are_scipys(name, loc, scale):
    """Or better: some of SciPy's are nan at infinity, and −∞ where the density itself is below the least number."""
    plain, own = getattr(scipy.stats, name), getattr(stats, name)
    shapes = SHAPES.get(name, ())
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        x = loc + scale * points(plain, shapes)
        expected = plain.logpdf(x, *shapes, loc=loc, scale=scale)
    found, slope = dotbar.jvp(lambda loc: own.logpdf(x, *shapes, loc=loc, scale=scale), (loc,), (1.0,))
    usual = np.isfinite(expected)
    np.testing.assert_allclose(found[usual], expected[usual], rtol=1e-11, atol=1e-11)
    assert np.all(found[expected == -np.inf] < -70)
    assert np.all(np.isnan(found) == (np.isnan(expected) & (np.isnan(x) | (scale < 0))))
    assert np.all(np.isnan(slope[np.isnan(found)]))

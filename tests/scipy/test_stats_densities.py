"""The densities that dotbar composes are SciPy's: in the tails, at the ends of the support, out of range."""

import warnings

import numpy as np
import pytest
import scipy.stats
from scipy.stats._distr_params import distcont, distdiscrete

import dotbar
from dotbar.errors import NoRuleError
from dotbar.scipy import stats
from dotbar.scipy.stats import continuous, discrete

SHAPES = dict(distcont)
MASSES = [(name, shapes) for name, shapes in distdiscrete if name in {*discrete.DENSITIES} - {*discrete.BY_VALUES}]


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


@pytest.mark.parametrize(("name", "shapes"), MASSES)
@pytest.mark.parametrize("loc", [0, 2])
def test_log_masses_are_scipys(name, shapes, loc):
    """Also beyond the support, between the integers, and batched; dlaplace's are finite where SciPy's underflow."""
    plain, own = getattr(scipy.stats, name), getattr(stats, name)
    ends = np.array(plain.support(*shapes))
    k = np.array([*plain.ppf([0.01, 0.3, 0.9], *shapes), *ends, *(ends + [-1, 1]), 0.5, np.inf, np.nan])
    for method in ("logpmf", "pmf"):
        found = dotbar.vmap(lambda k: getattr(own, method)(k, *shapes, loc))(k + loc)  # noqa: B023
        with np.errstate(all="ignore"):
            expected = getattr(plain, method)(k + loc, *shapes, loc)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("transform", [dotbar.grad, lambda f: lambda x: dotbar.jvp(f, (x,), (1.0,))])
def test_integers_are_refused_by_name(transform):
    for name, f in {"k": lambda k: stats.binom.logpmf(k, 5, 0.3), "n": lambda n: stats.binom.pmf(1, n, 0.3)}.items():
        with pytest.raises(NoRuleError, match=f"binom.l?o?g?pmf has no derivative with respect to '{name}'"):
            transform(f)(3.0)
        assert np.isclose(dotbar.jit(f)(3.0), f(3.0))


def test_a_likelihood_of_counts_has_native_code():
    k = np.array([0.0, 2.0, 3.0])
    for f in (
        lambda theta: np.sum(stats.poisson.logpmf(k, np.exp(theta))),
        lambda theta: np.sum(stats.nbinom.logpmf(k, theta, 0.3)),
    ):
        program = dotbar.jit(dotbar.grad(f)).optimized(1.2)
        assert "stats" not in str(program)

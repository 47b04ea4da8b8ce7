"""Statistics and multivariate distributions beyond the registry's checks."""

import inspect

import mpmath as mp
import numpy as np
import pytest
import scipy.stats

import dotbar
import dotbar.scipy.stats as st
from dotbar.errors import DotbarError, NoRuleError
from dotbar.scipy.mirror import OWN
from dotbar.scipy.stats.multivariate import FORMULAS, multi_rv_generic
from dotbar.tree import flatten

x = np.random.default_rng(0).standard_normal((4, 5, 3))


@pytest.mark.parametrize(
    "name", ["sem", "skew", "kurtosis", "moment", "variation", "tmean", "circmean", "iqr", "kstat"]
)
@pytest.mark.parametrize("axis", [0, 1, -1, None, (0, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_axes_are_scipys(name, axis, keepdims):
    f = lambda x: getattr(st, name)(x, axis=axis, keepdims=keepdims)
    assert np.allclose(dotbar.jvp(f, (x,), (x,))[0], f(x), 1e-13, 1e-13)


@pytest.mark.parametrize("axis", [0, 2, None])
def test_scores_keep_their_shape(axis):
    f = lambda x: st.zscore(x, axis=axis)
    assert np.allclose(dotbar.jvp(f, (x,), (x,))[0], f(x), 1e-13, 1e-13)


def test_scores_do_not_depend_on_location_and_scale():
    for direction in (np.ones(5), x[0, :, 0]):
        assert np.allclose(dotbar.jvp(st.zscore, (x[0, :, 0],), (direction,))[1], 0, atol=1e-14)
        assert np.isclose(dotbar.jvp(st.skew, (x[0, :, 0],), (direction,))[1], 0, atol=1e-14)


def test_a_constant_sample_has_no_skewness():
    assert np.isnan(dotbar.value_and_grad(st.skew)(np.ones(4))[0])


OMITTING = {
    **dict.fromkeys(
        ("skew", "sem", "gmean", "tvar", "iqr", "kstat", "circmean", "entropy", "skewtest", "shapiro"), ({}, 1)
    ),
    "pmean": ({"p": 1.5}, 1),
    "moment": ({"order": [2, 3]}, 1),
    "ttest_1samp": ({"popmean": 0.3}, 1),
    "cramervonmises": ({"cdf": "gamma", "args": (3.0,)}, 1),
    **dict.fromkeys(("linregress", "ttest_rel", "ttest_ind", "f_oneway", "bartlett", "theilslopes"), ({}, 2)),
}


@pytest.mark.parametrize("axis", [1, None])
@pytest.mark.parametrize("name", OMITTING)
def test_nans_are_left_out(name, axis):
    """Of each sample by itself, or of pairs."""
    kw, count = OMITTING[name]
    samples = np.random.default_rng(0).gamma(3.0, size=(2, 3, 24))[:count]
    samples[0, 0, 2] = samples[0, 1, 5] = samples[-1, 0, 4] = np.nan
    kw = {**kw, "axis": axis, "nan_policy": "omit"}

    def f(where, *samples):
        result = getattr(where, name)(*samples, **kw)
        return [getattr(result, "statistic", result[0] if isinstance(result, tuple) else result)]

    directions = tuple(np.nan_to_num(samples**2))
    (y,), (slope,) = dotbar.jvp(lambda *samples: f(st, *samples), tuple(samples), directions)
    assert np.shape(y) == np.shape(f(scipy.stats, *samples)[0])
    assert np.allclose(y, f(scipy.stats, *samples)[0], 1e-10)
    (up,), (down,) = (f(scipy.stats, *(samples + h * np.array(directions))) for h in (1e-6, -1e-6))
    assert np.allclose(slope, (up - down) / 2e-6, 1e-5, 1e-6)


def test_nans_raise_if_they_are_to():
    f = lambda u: st.sem(u, nan_policy="raise")
    assert dotbar.grad(f)(x[0, :, 0]).shape == (5,)
    with pytest.raises(ValueError, match="The input contains nan values"):
        dotbar.grad(f)(np.array([0.1, np.nan, 0.3]))
    with pytest.raises(NoRuleError, match="zscore has no derivative rule with nan_policy='omit'"):
        dotbar.grad(lambda u: st.zscore(u, nan_policy="omit")[0])(x[0, :, 0])


WITH_A_NAN = {
    "tmean": {"limits": (-1.0, 1.0)},
    "tmin": {"lowerlimit": -1.0},
    "trim_mean": {"proportiontocut": 0.2},
    "iqr": {},
    "describe": {},
    "theilslopes": {},
    "siegelslopes": {},
    "skewtest": {},
    "ks_1samp": {"cdf": st.norm.cdf},
    "lmoment": {},
    "bartlett": {},
    **({"quantile": {"p": 0.3}} if hasattr(st, "quantile") else {}),
}


@pytest.mark.parametrize("name", WITH_A_NAN)
def test_what_a_nan_makes_nan_has_no_derivative(name):
    """Also where the order of the values, or whether they lie within limits, would leave it out."""
    z = np.append(np.ravel(x)[:9], np.nan)
    arguments = (np.ravel(x)[:7], z) if name == "bartlett" else (z,)
    f = lambda *xs: flatten(getattr(st, name)(*xs, **WITH_A_NAN[name]))[0][-2:]
    y, slope = dotbar.jvp(f, arguments, tuple(map(np.ones_like, arguments)))
    assert np.all(np.isnan([*map(np.max, y)]))
    assert np.all(np.isnan([*map(np.max, slope)]))


@pytest.mark.parametrize(
    ("name", "least"), [("skewtest", 8), ("kurtosistest", 5), ("ttest_1samp", 2), ("kstatvar", 4), ("tmean", 1)]
)
def test_too_few_values_are_refused(name, least):
    arguments = {"popmean": 0.1} if name == "ttest_1samp" else {}
    with pytest.raises(NoRuleError, match=f"{name} has no derivative for fewer than {least} values"):
        dotbar.jvp(lambda x: getattr(st, name)(x, **arguments), (np.ravel(x)[: least - 1],), (np.ones(least - 1),))


@pytest.mark.parametrize("p", [-3.0, -0.1, -1e-4, 0.0, 1e-9, 0.02, 0.1, 2.0])
def test_the_power_mean_is_smooth_in_the_power(p):
    """At p = 0, where it is the geometric mean, too."""
    a = [mp.mpf(t) for t in (0.3, 1.2, 2.5, 0.7)]
    with mp.workdps(80):
        power = lambda p: (mp.fsum(t**p for t in a) / 4) ** (1 / p)
        p0 = p + mp.mpf("1e-30")
        want = [power(p0), mp.diff(power, p0), mp.diff(power, p0, 2)]
    f = lambda p: st.pmean(np.array(a, float), p)
    found = *dotbar.value_and_grad(f)(p), dotbar.grad(dotbar.grad(f))(p)
    assert np.allclose(found, np.array(want, float), 1e-10)


def test_the_power_mean_of_a_zero():
    f = lambda p: st.pmean(np.array([0.0, 1.0]), p)
    assert np.isclose(dotbar.grad(f)(0.05), np.log(2) / 0.05**2 * 2**-20.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda u: st.hmean(-u),
        lambda u: st.pmean(-u, 2),
        lambda u: st.lmoment(0 * u + 0.1, 3),
        lambda u: st.shapiro(0 * u + 0.1).statistic,
        lambda u: st.expectile(u + np.append(np.zeros(4), np.nan)),
    ],
)
def test_what_is_no_number_has_no_derivative(f):
    u = np.arange(1.0, 6.0)
    y, slope = dotbar.value_and_grad(f)(u)
    assert np.isnan(y)
    assert np.isnan(slope).any()


def test_equal_directions_have_no_spread():
    y, slope = dotbar.value_and_grad(st.circstd)(np.ones(12))
    assert abs(y) < 1e-7
    assert np.all(np.isfinite(slope))


def test_a_number_is_a_sample_of_one():
    assert dotbar.grad(st.tmean)(0.3) == 1
    assert dotbar.grad(lambda x: st.gmean(x))(0.3) == pytest.approx(1)


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
@pytest.mark.parametrize(
    "f",
    [
        lambda where, u, v, **kw: where.ttest_1samp(u, 0.1, **kw),
        lambda where, u, v, **kw: where.ttest_ind(u, v, equal_var=False, **kw),
        lambda where, u, v, **kw: where.ttest_rel(u, v, **kw),
        lambda where, u, v, **kw: where.pearsonr(u, v, **kw),
    ],
    ids=["ttest_1samp", "ttest_ind", "ttest_rel", "pearsonr"],
)
def test_confidence_intervals(f, alternative):
    u, v = np.ravel(x)[:8], np.ravel(x)[8:16]

    def ends(u, where=st):
        result = f(where, u, v, alternative=alternative)
        interval = result.confidence_interval(0.9)
        return [getattr(result, "df", 0.0) * 1.0, *interval]

    y, slope = dotbar.jvp(ends, (u,), (v,))
    assert np.allclose(y, ends(u, scipy.stats), 1e-12)
    up, down = (np.array(ends(u + h * v, scipy.stats), float) for h in (1e-6, -1e-6))
    known = np.isfinite(up)
    assert np.allclose(np.array(slope, float)[known], (up[known] - down[known]) / 2e-6, 1e-6, 1e-7)


@pytest.mark.parametrize("keepdims", [False, True])
def test_tests_of_several_samples_are_along_an_axis(keepdims):
    u, v = x, x[:, :4] + 0.1
    for name in ("f_oneway", "levene", "bartlett", "ttest_ind", "alexandergovern"):

        def f(u, where=st):
            result = getattr(where, name)(u, v, axis=1, keepdims=keepdims)  # noqa: B023
            return result.statistic, result.pvalue

        for found, plain in zip(dotbar.jvp(f, (u,), (u,))[0], f(u, scipy.stats)):
            assert found.shape == plain.shape
            assert np.allclose(found, plain, 1e-10)


def test_what_scipy_refuses_raises_its_error():
    with pytest.raises(ValueError, match="sum of the observed"):
        dotbar.grad(lambda x: st.chisquare(x, np.ones(3)).statistic)(np.array([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="all x values are identical"):
        dotbar.grad(lambda x: st.linregress(x, np.arange(4.0)).slope)(np.ones(4))
    with pytest.raises(ValueError, match="between 0 and 1"):
        dotbar.grad(lambda p: np.sum(st.false_discovery_control(p)))(np.array([0.1, 1.1]))
    with pytest.raises(ValueError, match="unit hypercube"):
        dotbar.grad(st.qmc.discrepancy)(np.array([[0.1, 1.1]]))


def test_equal_samples_are_no_distance_apart():
    u = x[0, :, 0]
    assert dotbar.grad(lambda v: st.wasserstein_distance(u, v))(u + 0.1) @ np.ones(5) == pytest.approx(1)
    assert np.all(np.isfinite(dotbar.grad(lambda v: st.wasserstein_distance(u, v))(u)))


def test_results_are_tuples_as_scipys():
    u, v = x[0, :, 0], x[1, :, 0]
    f = lambda u: st.linregress(u, v).intercept_stderr + st.pearsonr(u, v).pvalue
    plain = scipy.stats.linregress(u, v).intercept_stderr + scipy.stats.pearsonr(u, v).pvalue
    assert np.isclose(dotbar.jvp(f, (u,), (u,))[0], plain, 1e-12)
    slope, intercept, r, p, stderr = dotbar.jvp(lambda u: st.linregress(u, v), (u,), (u,))[0]
    assert np.allclose((slope, intercept, r, p, stderr), tuple(scipy.stats.linregress(u, v)), 1e-12)


# ---------------------------------------------------------------- multivariate


def test_the_gradient_of_a_normal_density_by_its_covariance():
    """½ (Σ⁻¹ d dᵀ Σ⁻¹ − Σ⁻¹), symmetric."""
    S, d = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([0.3, -0.2])
    P = np.linalg.inv(S)
    want = (P @ np.outer(d, d) @ P - P) / 2
    assert np.allclose(dotbar.grad(lambda S: st.multivariate_normal.logpdf(d, None, S))(S), want, 1e-13)
    assert np.allclose(dotbar.grad(lambda S: st.multivariate_normal(cov=S).logpdf(d))(S), want, 1e-13)


@pytest.mark.parametrize("n", [2, 3])
def test_the_normal_distribution_function_of_independent_components(n):
    """A product: ∂P/∂uᵢ = φ(uᵢ) Πⱼ Φ(uⱼ), ∂P/∂Σᵢⱼ = ½ φ(uᵢ) φ(uⱼ) Π Φ."""
    u = np.linspace(-0.3, 0.6, n)
    phi, Phi = scipy.stats.norm.pdf(u), scipy.stats.norm.cdf(u)
    f = lambda u, S: st.multivariate_normal.cdf(u, None, S)
    slope, curvature = dotbar.grad(f, (0, 1))(u, np.eye(n))
    assert np.allclose(slope, phi / Phi * np.prod(Phi), 1e-9)
    want = np.outer(phi / Phi, phi / Phi) * np.prod(Phi) / 2
    np.fill_diagonal(want, -u * phi / Phi * np.prod(Phi) / 2)
    assert np.allclose(curvature, want, 1e-8)


@pytest.mark.parametrize("n", [4, 5])
def test_a_derivative_of_the_normal_distribution_function_is_the_same_each_time(n):
    u, S = np.linspace(-0.3, 0.6, n), np.eye(n) + 0.3
    f = lambda u, S: st.multivariate_normal.cdf(u, None, S)
    once, again = (dotbar.grad(f, 0)(u, S) for _ in range(2))
    assert np.array_equal(once, again)
    with_tolerance = scipy.stats.multivariate_normal(None, S, allow_singular=True)
    step = 0.2 * np.eye(n)[0]
    difference = (with_tolerance.cdf(u + step) - with_tolerance.cdf(u - step)) / 0.4
    assert np.isclose(once[0], difference, 1e-2)


SPREAD = np.array([[2.0, 0.5], [0.5, 1.0]])


@pytest.mark.parametrize(
    "f",
    [
        lambda m, S: st.multivariate_normal.rvs(m, S, 3, np.random.default_rng(1)),
        lambda m, S: st.multivariate_normal(m, S, seed=1).rvs(3),
        lambda m, S: st.multivariate_t(m, S, 3.0).rvs(2, random_state=1),
        lambda m, S: st.wishart.rvs(3.5, S, 2, random_state=1) + m,
        lambda m, S: st.invwishart(3.5, S).rvs(random_state=1) + m,
        lambda m, S: st.matrix_normal.rvs(S * m, S, S, 2, 1),
    ],
)
def test_samples_move_with_their_location_and_scale(f):
    """By L of the scale matrix L Lᵀ: the noise stays."""
    x = f(np.array([0.3, 0.1]), SPREAD)
    m, S = np.array([0.3, 0.1]), SPREAD
    y, slope = dotbar.jvp(f, (m, S), (np.array([1.0, -0.5]), S))
    assert np.allclose(x, y, 1e-14)
    h = 1e-6
    up, down = (f(m + k * np.array([1.0, -0.5]), S * (1 + k)) for k in (h, -h))
    assert np.allclose(slope, (up - down) / (2 * h), 1e-6)


def test_parameters_of_frozen_distributions_are_read():
    frozen = lambda x: st.multivariate_normal([x, 1.0], x * np.eye(2))
    assert dotbar.grad(lambda x: frozen(x).mean[0] + frozen(x).cov[1, 1])(0.5) == 2
    assert dotbar.grad(lambda x: st.dirichlet([x, 1.0]).mean()[0])(1.0) == 0.25


FACTORS = {
    "from_diagonal": np.array([1.0, 2.0]),
    "from_cholesky": np.array([[1.5, 0.0], [0.3, 1.1]]),
    "from_precision": np.array([[2.0, 0.5], [0.5, 1.0]]),
    "from_eigendecomposition": (np.array([1.0, 2.0]), np.array([[0.6, -0.8], [0.8, 0.6]])),
}


@pytest.mark.parametrize("name", FACTORS)
@pytest.mark.parametrize(
    "f",
    [
        lambda C, where: where.multivariate_normal.logpdf([0.3, 0.1], [0.1, 0.2], C),
        lambda C, where: where.multivariate_normal(cov=C).entropy(),
        lambda C, where: where.multivariate_normal([0.1, 0.2], C).rvs(3, random_state=1),
        lambda C, where: C.colorize(C.whiten(np.ones((2, 2))) + 1) + C.log_pdet + C.covariance,
    ],
)
def test_covariances_by_their_factors(name, f):
    factors = FACTORS[name]
    first = factors[0] if isinstance(factors, tuple) else factors

    def at(first, where):
        of = (first, factors[1]) if isinstance(factors, tuple) else first
        return f(getattr(where.Covariance, name)(of), where)

    y, slope = dotbar.jvp(lambda t: at(t, st), (first,), (first,))
    assert np.allclose(y, at(first, scipy.stats), 1e-12)
    up, down = (at(first * (1 + h), scipy.stats) for h in (1e-6, -1e-6))
    assert np.allclose(slope, (up - down) / 2e-6, 1e-6, 1e-8)
    assert isinstance(st.Covariance.from_diagonal([1.0]), st.Covariance)


def public_methods(dist):
    names = [n for n in dir(type(dist.plain)) if not n.startswith("_") and callable(getattr(dist, n))]
    return [(dist, name) for name in names]


@pytest.mark.parametrize(
    ("dist", "name"),
    [pair for d in vars(scipy.stats).values() if isinstance(d, multi_rv_generic) for pair in public_methods(OWN[d])],
    ids=lambda x: x if isinstance(x, str) else x.name,
)
def test_each_method_of_a_multivariate_distribution_differentiates_or_refuses(dist, name):
    if name in FORMULAS.get(dist.name, {}) or name in ("pdf", "pmf"):
        return
    with pytest.raises(NoRuleError, match=rf"{dist.name}\.{name} has no derivative rule: "):
        dotbar.grad(lambda x: getattr(dist, name)(x))(1.0)


def test_a_singular_covariance_raises():
    with pytest.raises(np.linalg.LinAlgError):
        dotbar.grad(lambda S: st.multivariate_normal.logpdf([0.1, 0.2], None, S))(np.ones((2, 2)))


def test_frozen_multivariate_distributions_are_scipys_with_plain_arguments():
    S = np.array([[2.0, 0.5], [0.5, 1.0]])
    own, plain = st.multivariate_normal([1.0, 2.0], S), scipy.stats.multivariate_normal([1.0, 2.0], S)
    assert own.logpdf([0.1, 0.2]) == plain.logpdf([0.1, 0.2])
    assert np.array_equal(own.rvs(3, random_state=0), plain.rvs(3, random_state=0))
    assert np.array_equal(own.mean, plain.mean)


def test_what_has_no_derivative_refuses():
    for f in (
        lambda v: st.multivariate_hypergeom.logpmf([1, 2], v, 3),
        lambda v: st.random_correlation.rvs(v)[0, 0],
        lambda v: st.spearmanr(v, v[::-1]).statistic,
        lambda v: st.kendalltau(v, v[::-1]).statistic,
        lambda v: st.boxcox(v, alpha=0.1)[0][0],
        lambda v: st.Mixture([st.Normal(mu=v[0])]).pdf(0.0),
        lambda v: st.rv_histogram((v, [0.0, 1.0, 2.0])).rvs(),
    ):
        with pytest.raises((DotbarError, TypeError)):
            dotbar.grad(f)(np.array([0.5, 1.5]))


# ---------------------------------------------------------------- fits and bins


@pytest.mark.parametrize("n", [3, 4, 5, 6, 11, 12, 30])
def test_the_pvalue_of_shapiro(n):
    u, v = np.random.default_rng(n).gamma(3.0, size=(2, n))
    p, slope = dotbar.jvp(lambda u: st.shapiro(u).pvalue, (u,), (v,))
    plain = lambda u: scipy.stats.shapiro(u).pvalue
    assert np.isclose(p, plain(u), 1e-9)
    assert np.isclose(slope, (plain(u + 1e-5 * v) - plain(u - 1e-5 * v)) / 2e-5, 1e-5)


def test_the_logistic_distribution_of_anderson_is_fitted():
    """SciPy's fit stops at 10⁻⁵."""
    u, v = np.random.default_rng(0).gamma(3.0, size=(2, 20))
    kw = {} if "method" not in inspect.signature(scipy.stats.anderson).parameters else {"method": "interpolate"}
    y, slope = dotbar.jvp(lambda u: st.anderson(u, "logistic", **kw).statistic, (u,), (v,))
    plain = lambda u: scipy.stats.anderson(u, "logistic", **kw).statistic
    assert np.isclose(y, plain(u), 1e-5)
    assert np.isclose(slope, (plain(u + 1e-3 * v) - plain(u - 1e-3 * v)) / 2e-3, 1e-3)


@pytest.mark.parametrize("name", ["ks_1samp", "cramervonmises", "kstest"])
def test_a_distribution_function_may_close_over_traced_values(name):
    u = np.random.default_rng(0).standard_normal(9)
    f = lambda s, where: getattr(where, name)(u, lambda t: where.norm.cdf(t, 0, s)).statistic
    y, slope = dotbar.value_and_grad(lambda s: f(s, st))(1.2)
    assert np.isclose(y, f(1.2, scipy.stats), 1e-13)
    assert np.isclose(slope, (f(1.2 + 1e-5, scipy.stats) - f(1.2 - 1e-5, scipy.stats)) / 2e-5, 1e-6)


def test_the_pvalue_of_cramer_and_von_mises_is_refused_when_it_is_used():
    u = np.ravel(x)[:9]
    assert st.cramervonmises(u, "norm").pvalue == dotbar.vmap(lambda u: st.cramervonmises(u, "norm").pvalue)(u[None])[0]
    for transform in (dotbar.grad, lambda f: lambda x: dotbar.jvp(f, (x,), (x,))):
        with pytest.raises(NoRuleError, match="the p-value is a series"):
            transform(lambda u: st.cramervonmises(u, "norm").pvalue)(u)


@pytest.mark.parametrize("statistic", ["mean", "sum", "std", "median", "min", "max", "count"])
def test_bins_are_scipys(statistic):
    """Empty ones, values beyond the range, several rows of values, and bins along each axis."""
    rng = np.random.default_rng(0)
    (a, b), v = rng.random((2, 12)), rng.standard_normal((2, 12))
    for name, points, bins in (
        ("binned_statistic", (a,), [0.2, 0.3, 0.31, 0.32, 0.9]),
        ("binned_statistic_2d", (a, b), [2, 5]),
        ("binned_statistic_dd", (np.stack([a, b, b], -1),), 3),
        ("binned_statistic_dd", ([a, b],), [2, 3]),
    ):
        f = lambda v, where: getattr(where, name)(*points, v, statistic, bins)  # noqa: B023
        for values in (v, v[0]):
            found, plain = dotbar.jvp(lambda v: f(v, st), (values,), (values,))[0], f(values, scipy.stats)  # noqa: B023
            assert np.allclose(found.statistic, plain.statistic, 1e-13, equal_nan=True)
            assert np.array_equal(found.binnumber, plain.binnumber)
    own = lambda v: np.nansum(st.binned_statistic(a, v, statistic, 30).statistic)
    slope = dotbar.jit(dotbar.grad(own))(v[0])
    assert np.allclose(slope, dotbar.grad(own)(v[0]), 1e-13)
    assert np.all(np.isfinite(slope))


@pytest.mark.parametrize("argument", ["x", "bins"])
def test_which_bin_a_point_lies_in_is_refused(argument):
    kw = {"x": x[0, :, 0], "bins": np.array([-1.0, 0.0, 1.0])}
    with pytest.raises(NoRuleError, match=rf"with respect to '{argument}': in which bin a point lies jumps"):
        dotbar.grad(lambda t: st.binned_statistic(values=x[1, :, 0], **{**kw, argument: t}).statistic[0])(kw[argument])


def test_equal_masses_are_carried_along_any_of_several_best_plans():
    u, v = x[0], x[1] + 0.3
    y, slope = dotbar.jvp(lambda u: st.wasserstein_distance_nd(u, v), (u,), (x[2],))
    plain = lambda u: scipy.stats.wasserstein_distance_nd(u, v)
    assert np.isclose(y, plain(u), 1e-12)
    assert np.isclose(slope, (plain(u + 1e-6 * x[2]) - plain(u - 1e-6 * x[2])) / 2e-6, 1e-6)

"""Distributions beyond the registry's checks: all of them, far tails, edges of the support, samples, accuracy."""

import inspect
import pickle
import warnings

import mpmath as mp
import numpy as np
import pytest
import scipy.stats
from scipy.stats._distr_params import distcont, distdiscrete

import dotbar
import dotbar.scipy.stats as st
from dotbar.errors import DotbarError, NoRuleError
from dotbar.scipy.stats import continuous, discrete, variables

SHAPES = {name: shapes for name, shapes in reversed([*distcont, *distdiscrete]) if isinstance(name, str)}
SHAPES |= {"reciprocal": SHAPES["loguniform"], "kappa4": (-0.1, 0.2)}
SLOW = {"norminvgauss", "genexpon", "gausshyper", "genhyperbolic", "geninvgauss", "dpareto_lognorm"}
"""Distributions whose own functions SciPy integrates numerically."""


def derivative(f, x, h):
    """Richardson's extrapolation of central differences, with its error."""
    pairs = [(np.asarray(f(x + k)), np.asarray(f(x - k)), k) for k in (h, h / 2, h / 4)]
    a, b, c = (np.where(up == down, 0, up - down) / (2 * k) for up, down, k in pairs)
    once, twice = (4 * b - a) / 3, (4 * c - b) / 3
    return (16 * twice - once) / 15, np.max(np.abs(twice - once))


def agree(plain, own, args, positions):
    """The derivative by each argument against differences."""
    for i in positions:
        at = lambda f, v, i=i: f(*args[:i], v, *args[i + 1 :])
        x = args[i]
        y, dot = dotbar.jvp(lambda v: at(own, v), (x,), (np.ones_like(x),))  # noqa: B023
        assert np.allclose(y, at(plain, x), 1e-12, 0, equal_nan=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = [derivative(lambda v: at(plain, v), x, h * np.min(np.abs(x))) for h in (1e-2, 1e-3, 1e-4)]  # noqa: B023
        want, error = min(found, key=lambda pair: np.nan_to_num(pair[1], nan=np.inf))
        assert np.all(np.abs(dot - want) <= (1e-7 + 10 * error) * (1 + np.max(np.abs(want)))), f"argument {i}"


@pytest.mark.parametrize("name", sorted(set(continuous.VELOCITIES) - SLOW))
def test_every_continuous_distribution(name):
    plain, own = getattr(scipy.stats, name), getattr(st, name)
    shapes, q = [float(s) for s in SHAPES[name]], np.array([0.02, 0.48, 0.9])
    parameters = (*shapes, 0.3, 1.7)
    x = plain.ppf(q, *parameters)
    for method in ("logpdf", "pdf", "cdf", "logcdf", "sf", "logsf"):
        agree(getattr(plain, method), getattr(own, method), (x, *parameters), range(len(parameters) + 1))
    for method in ("ppf", "isf"):
        agree(getattr(plain, method), getattr(own, method), (q, *parameters), range(len(parameters) + 1))


@pytest.mark.parametrize("name", sorted(set(discrete.VELOCITIES) - set(discrete.OPAQUE)))
def test_every_discrete_distribution(name):
    plain, own = getattr(scipy.stats, name), getattr(st, name)
    integers = discrete.INTEGERS.get(name, ())
    shapes = [s if i in integers else float(s) for i, s in enumerate(SHAPES[name])]
    k = plain.ppf(np.array([0.1, 0.5, 0.9]), *shapes)
    for method in ("logpmf", "pmf", "cdf", "logcdf", "sf", "logsf"):
        positions = [i + 1 for i in range(len(shapes)) if i not in integers]
        agree(getattr(plain, method), getattr(own, method), (k, *shapes), positions)
    for i in integers:
        with pytest.raises(NoRuleError, match="is an integer"):
            dotbar.grad(lambda n, i=i: np.sum(own.logpmf(k, *shapes[:i], n, *shapes[i + 1 :])))(float(shapes[i]))
    with pytest.raises(NoRuleError, match="lives on the integers"):
        dotbar.grad(lambda k: own.logpmf(k, *shapes))(1.0)


@pytest.mark.parametrize(
    "name",
    [
        *("gamma", "beta", "lognorm", "skewnorm", "weibull_min", "gennorm", "laplace_asymmetric", "triang"),
        *("truncnorm", "genpareto", "genextreme", "loguniform"),
    ],
)
def test_moments_and_entropy(name):
    plain, own = getattr(scipy.stats, name), getattr(st, name)
    parameters = (*map(float, SHAPES[name]), 0.3, 1.7)
    for method in ("mean", "var", "std", "entropy"):
        agree(getattr(plain, method), getattr(own, method), parameters, range(len(parameters)))
    for kind in ("s", "k"):
        f = lambda dist, kind=kind: lambda *p: dist.stats(*p, moments=kind)
        agree(f(plain), f(own), parameters, range(len(parameters)))


@pytest.mark.parametrize(
    "name", ["triang", "foldnorm", "pareto", "invweibull", "kappa3", "genpareto", "laplace_asymmetric", "bradford"]
)
def test_second_derivatives_of_the_entropy(name):
    """Also where the kink of the density, or its support, moves; and the squares of the density underflow."""
    shapes = SHAPES[name][0] * np.array([1.0, 0.9])
    f = getattr(st, name).entropy
    slope = dotbar.grad(f)
    second = lambda x: dotbar.jvp(lambda x: dotbar.jvp(f, (x,), (1.0,))[1], (x,), (1.0,))[1]
    want = [derivative(slope, x, 1e-2 * x)[0] for x in shapes]
    assert np.allclose([dotbar.grad(slope)(x) for x in shapes], want, 1e-6, 1e-6)
    for found in (dotbar.grad(slope), second):
        assert np.allclose(dotbar.vmap(found)(shapes), want, 1e-6, 1e-6)


def test_of_a_moment_that_is_not_computed_all_derivatives_are_unknown():
    f = lambda k: st.kappa4.var(-0.1, k)
    assert np.isnan([f(0.19), dotbar.grad(f)(0.19), dotbar.grad(dotbar.grad(f))(0.19)]).all()


def test_the_shape_of_erlang_may_be_batched():
    slope = dotbar.grad(lambda a: st.erlang.logpdf(0.3, a))
    assert np.allclose(dotbar.vmap(slope)(np.array([3.0, 4.0])), [slope(3.0), slope(4.0)])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: st.crystalball.var(x, 3.0),  # is infinite
        lambda x: st.trapezoid.mean(x, 0.8),  # has two kinks, which no nodes are at
        lambda x: st.zipf.var(x + 2),  # converges slowly
    ],
)
def test_a_moment_that_is_not_computed_well_enough_has_no_derivative(f):
    assert np.isnan(dotbar.grad(f)(0.2))


@pytest.mark.parametrize("f", [np.cos, lambda x: x * x], ids=["cos", "square"])
@pytest.mark.parametrize("options", [{}, {"lb": 0.4, "ub": 1.9}, {"lb": 0.4, "conditional": True}])
@pytest.mark.parametrize(
    ("name", "shapes"), [("norm", ()), ("gamma", (2.3,)), ("genpareto", (-0.3,)), ("beta", (2.3, 1.5))]
)
def test_expectations_of_functions(f, options, name, shapes):
    plain = getattr(scipy.stats, name)
    parameters = (*shapes, 0.3, 1.7)
    expect = lambda dist, *p: dist.expect(f, p[:-2], *p[-2:], **options)
    for i, p in enumerate(parameters):
        at = lambda dist, v: expect(dist, *parameters[:i], v, *parameters[i + 1 :])  # noqa: B023
        y, slope = dotbar.value_and_grad(lambda v: at(getattr(st, name), v))(p)  # noqa: B023
        assert np.isclose(y, at(plain, p), 1e-6)
        assert np.isclose(slope, (at(plain, p + 1e-3) - at(plain, p - 1e-3)) / 2e-3, 1e-4, 1e-5)


def test_an_expectation_depends_on_what_its_function_closes_over():
    assert np.isclose(dotbar.grad(lambda a: st.norm.expect(lambda x: a * x * x))(0.7), 1)


@pytest.mark.parametrize("order", range(6))
def test_raw_moments(order):
    f = lambda where: lambda *p: where.gamma.moment(order, *p) * np.float64(1)
    y, slope = dotbar.jvp(f(st), (2.0, 0.3, 1.7), (1.0, 1.0, 1.0))
    want, _ = derivative(lambda t: f(scipy.stats)(2.0 + t, 0.3 + t, 1.7 + t), 0.0, 1e-2)
    assert np.isclose(y, f(scipy.stats)(2.0, 0.3, 1.7), 1e-8)
    assert np.isclose(slope, want, 1e-6)


def test_intervals_likelihoods_and_ends_of_the_support():
    interval = lambda where: lambda q: where.gamma.interval(q, 2.0)[1]
    likelihood = lambda where: lambda m: where.norm.nnlf((m, 2.0), np.arange(3.0))
    for f in (interval, likelihood):
        agree(f(scipy.stats), f(st), (0.6,), [0])
    end = lambda c: st.genpareto.support(c, 0.1, 2.0)[1]
    assert np.isclose(dotbar.grad(end)(-0.5), 8)
    assert np.isnan(dotbar.value_and_grad(lambda a: st.gamma.support(a)[0])(-1.0)[0])
    ends = dotbar.vmap(lambda c: st.gamma.support(c, scale=c)[1])(np.array([1.0, -1.0]))
    assert np.array_equal(ends, [np.inf, np.nan], equal_nan=True)


@pytest.mark.parametrize("name", ["logser", "planck", "nbinom", "skellam", "dlaplace", "betabinom", "boltzmann"])
def test_entropies_and_moments_of_discrete_distributions_are_sums(name):
    plain, own = getattr(scipy.stats, name), getattr(st, name)
    integers = discrete.INTEGERS.get(name, ())
    shapes = [s if i in integers else float(s) for i, s in enumerate(SHAPES[name])]
    positions = [i for i in range(len(shapes)) if i not in integers]
    for kind in ("mean", "var", "entropy"):
        if (name, kind) not in {("skellam", "entropy"), ("dlaplace", "entropy")}:  # SciPy's are sums that stop early
            agree(getattr(plain, kind), getattr(own, kind), shapes, positions)


@pytest.mark.parametrize("name", ["nbinom", "logser", "planck", "yulesimon", "zipf"])
def test_a_batch_of_counts_of_infinite_support(name):
    own, shapes = getattr(st, name), [float(s) for s in SHAPES[name]]
    slope = dotbar.grad(lambda a, k: own.logcdf(k, a, *shapes[1:]))
    k = np.array([1.0, 3.0, 8.0])
    assert np.allclose(dotbar.vmap(slope, (None, 0))(shapes[0], k), [slope(shapes[0], j) for j in k], 1e-12)
    both = dotbar.vmap(dotbar.grad(slope), (None, 0))(shapes[0], k)
    assert np.allclose(both, [dotbar.grad(slope)(shapes[0], j) for j in k], 1e-10)


def test_moments_of_discrete_distributions():
    for name in discrete.MOMENTS:
        plain, own = getattr(scipy.stats, name), getattr(st, name)
        p = float(SHAPES[name][-1])
        rest = SHAPES[name][:-1]
        agree(lambda p: plain.stats(*rest, p, moments="mvsk"), lambda p: own.stats(*rest, p, moments="mvsk"), (p,), [0])  # noqa: B023


# ---------------------------------------------------------------- far tails


@pytest.mark.parametrize(
    ("f", "x", "want"),
    [
        (st.norm.logcdf, -40.0, 40.02496884722682),
        (st.norm.logsf, 1e6, -1000000.000001),
        (lambda x: st.t.logcdf(x, 3.0), -1e6, 3e-6),
        (lambda x: st.truncnorm.logcdf(x, -50.0, -40.0), -45.0, 45.022200),
        (lambda x: st.logistic.logsf(x), 800.0, -1.0),
        (lambda x: st.gamma.logsf(x, 2.0), 500.0, -500 / 501),
    ],
)
def test_logarithms_of_tails_keep_their_slope(f, x, want):
    assert np.isclose(dotbar.grad(f)(x), want, 1e-6)


@pytest.mark.parametrize("x", [1e-100, 1e-20, 300.0, 600.0])
def test_a_shape_parameter_in_the_far_tail(x):
    """∂ log F/∂a stays accurate where F or 1 − F is 1 to rounding."""
    a = 2.5
    with mp.workdps(60):
        log_f = lambda a: mp.log(
            mp.gammainc(a, x, regularized=True) if x > 1 else mp.gammainc(a, 0, x, regularized=True)
        )
        want = float(mp.diff(log_f, a))
    f = st.gamma.logsf if x > 1 else st.gamma.logcdf
    assert np.isclose(dotbar.grad(lambda a: f(x, a))(a), want, 1e-10)


# ---------------------------------------------------------------- edges


@pytest.mark.parametrize(
    "dist",
    [st.expon, st.halfnorm, st.uniform, st.gamma(2.5), st.beta(2.0, 3.0)],
    ids=lambda d: getattr(d, "dist", d).name,
)
def test_outside_the_support(dist):
    for method, value in (("pdf", 0), ("logpdf", -np.inf), ("cdf", 0), ("logcdf", -np.inf), ("sf", 1), ("logsf", 0)):
        y, slope = dotbar.value_and_grad(getattr(dist, method))(-0.5)
        assert (y, slope) == (value, 0)


def test_invalid_parameters_give_nan_in_the_derivative():
    for f in (
        lambda a: st.gamma.logpdf(1.0, a),
        lambda a: st.gamma.cdf(1.0, a),
        lambda a: st.gamma.ppf(0.5, a),
        lambda a: st.norm.logcdf(1.0, 0.0, a),
        lambda a: st.gamma.mean(a),
    ):
        y, slope = dotbar.value_and_grad(f)(-1.0)
        assert np.isnan(y)
        assert np.isnan(slope)


@pytest.mark.parametrize("dist", [st.genpareto, st.genextreme], ids=["genpareto", "genextreme"])
def test_shape_zero_is_no_singularity(dist):
    x = np.array([0.3, 1.0, 2.0])
    for method in ("logpdf", "cdf", "logsf"):
        f = lambda c: getattr(dist, method)(x, c)  # noqa: B023
        slopes = [dotbar.jvp(f, (c,), (1.0,))[1] for c in (-1e-6, 0.0, 1e-6)]
        curvature = dotbar.jvp(lambda c: dotbar.jvp(f, (c,), (1.0,))[1], (0.0,), (1.0,))[1]  # noqa: B023
        assert np.allclose((slopes[0] + slopes[2]) / 2, slopes[1], 1e-9, 1e-9)
        assert np.allclose((slopes[2] - slopes[0]) / 2e-6, curvature, 1e-4, 1e-4)


def test_at_the_ends_of_the_support_the_distribution_function_does_not_move():
    for b in (0.5, 1.0, 2.0):
        slopes = dotbar.grad(lambda a, b: st.beta.cdf(1.0, a, b), (0, 1))(2.5, b)
        assert slopes == (0, 0)
    assert dotbar.grad(lambda a: st.gamma.cdf(0.0, a))(0.5) == 0
    assert dotbar.grad(lambda kappa: st.vonmises.cdf(np.pi, kappa))(1.3) == 0


def test_beside_the_integers_there_is_no_mass():
    assert dotbar.value_and_grad(lambda mu: st.poisson.logpmf(1.5, mu))(1.3) == (-np.inf, 0)
    assert dotbar.value_and_grad(lambda mu: st.poisson.pmf(-1, mu))(1.3) == (0, 0)


def test_each_item_of_a_batch_has_its_own_count():
    slope = lambda k: dotbar.grad(lambda a: st.betabinom.cdf(k, 5, a, 2.0))(1.5)
    assert np.allclose(dotbar.vmap(slope)(np.arange(4.0)), [slope(k) for k in range(4)], 1e-13)


def test_no_noncentrality_is_no_singularity():
    for method in ("logpdf", "cdf"):
        f = lambda x, nc: getattr(st.ncx2, method)(x, 3.0, nc)  # noqa: B023
        at = lambda nc: np.array(dotbar.grad(f, (0, 1))(1.7, nc))  # noqa: B023
        assert np.allclose(at(0.0), at(1e-9), 1e-8)
        assert np.allclose(at(2e-6), at(3e-6), 1e-5)
        central = dotbar.grad(getattr(st.chi2, method))(1.7, 3.0)
        assert np.isclose(at(0.0)[0], central)


def test_infinitely_many_degrees_of_freedom():
    x = np.array([-3.0, 0.1, 2.0])
    assert np.allclose(dotbar.jvp(lambda x: st.t.logpdf(x, np.inf), (x,), (np.ones(3),))[1], -x, 1e-9)
    assert np.allclose(dotbar.jvp(lambda x: st.t.cdf(x, np.inf), (x,), (np.ones(3),))[1], scipy.stats.norm.pdf(x))


# ---------------------------------------------------------------- SciPy's own behaviour


def test_with_plain_arguments_it_is_scipys():
    assert isinstance(st.norm, type(scipy.stats.norm))
    assert st.norm.fit([1.0, 2.0, 4.0]) == scipy.stats.norm.fit([1.0, 2.0, 4.0])
    assert st.norm(1, 2).interval(0.9) == scipy.stats.norm(1, 2).interval(0.9)
    assert st.gamma.expect(lambda x: x**2, (2.0,)) == scipy.stats.gamma.expect(lambda x: x**2, (2.0,))
    assert np.array_equal(st.beta.rvs(1, 2, size=3, random_state=0), scipy.stats.beta.rvs(1, 2, size=3, random_state=0))
    assert scipy.stats.kstest([0.1, 0.3], st.norm.cdf) == scipy.stats.kstest([0.1, 0.3], "norm")


def test_the_module_of_distributions_has_them():
    assert st.distributions.norm is st.norm


def test_pickle():
    assert pickle.loads(pickle.dumps(st.norm)) is st.norm
    assert pickle.loads(pickle.dumps(st.poisson)) is st.poisson
    assert pickle.loads(pickle.dumps(st.gamma(2.0, scale=3.0))).logpdf(1.3) == st.gamma.logpdf(1.3, 2.0, scale=3.0)
    assert pickle.loads(pickle.dumps(st.multivariate_normal)) is st.multivariate_normal


def test_frozen_distributions_take_traced_parameters():
    f = lambda m: st.norm(m, 2.0).logpdf(0.3) + st.gamma(np.exp(m)).mean() + st.norm(m).interval(0.9)[1]
    want, _ = derivative(lambda m: f(m), 0.4, 1e-3)
    assert np.isclose(dotbar.grad(f)(0.4), want)


def test_what_has_no_derivative_refuses():
    for f in (
        lambda x: st.studentized_range.cdf(0.3, x, 3),
        lambda x: st.landau.logpdf(x),
        lambda x: st.levy_stable.pdf(x, 1.3, 0.1),
        lambda x: st.poisson.ppf(x, 2.0),
        lambda x: np.sum(st.poisson.rvs(x, size=2)),
        lambda x: st.gamma.fit(x * np.ones(3))[0],
        lambda x: st.poisson.expect(lambda t: t, (x,)),
    ):
        with pytest.raises(DotbarError):
            dotbar.grad(f)(0.5)


# ---------------------------------------------------------------- the newer interface

VARIABLES = {
    "Normal": lambda m, where: where.Normal(mu=m, sigma=m + 1.3),
    "standard": lambda m, where: where.Normal(sigma=m),
    "Uniform": lambda m, where: where.Uniform(a=m - 1.5, b=2 + m),
}


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("method", sorted(set(variables.METHODS) - {"support"}))
def test_random_variables_of_the_newer_interface(name, method):
    args = {"p": ([0.2, 0.7],), "x": ([-0.2, 0.3],), "logp": ([-1.0, -0.3],)}
    first = inspect.signature(variables.METHODS[method]).parameters
    values = next((np.array(v[0]) for k, v in args.items() if k in first), None)
    extra = {"rng": 0} if method == "sample" else {}

    def f(m, where=st):
        rng = {k: np.random.default_rng(v) for k, v in extra.items()}
        return np.stack([getattr(VARIABLES[name](m, where), method)(*([] if values is None else [values]), **rng)])

    y, slope = dotbar.jvp(f, (0.7,), (1.0,))
    plain = lambda m: f(m, scipy.stats)
    assert np.allclose(y, plain(0.7), 1e-12)
    assert np.allclose(slope, (plain(0.7 + 1e-6) - plain(0.7 - 1e-6)) / 2e-6, 1e-6, 1e-6)


def test_random_variables_are_scipys_with_plain_arguments():
    X = st.Normal(mu=1.0, sigma=2.0)
    assert isinstance(X, scipy.stats.Normal)
    assert X.moment(3) == scipy.stats.Normal(mu=1.0, sigma=2.0).moment(3)
    assert (2 * X + 1).mean() == 3
    assert pickle.loads(pickle.dumps(X)).logpdf(0.3) == X.logpdf(0.3)
    assert np.isclose(dotbar.grad(st.Normal().logpdf)(0.3), -0.3)
    assert dotbar.grad(lambda m: st.Normal(mu=m).mu)(0.3) == 1
    assert dotbar.grad(lambda b: st.Uniform(a=0.0, b=b).support()[1])(1.0) == 1


@pytest.mark.parametrize(
    "f",
    [
        lambda m: (st.Normal(mu=m) + 1).mean(),
        lambda m: abs(st.Normal(mu=m)).pdf(0.1),
        lambda m: st.exp(st.Normal(mu=m)).pdf(1.0),
        lambda m: st.truncate(st.Normal(mu=m), 0, 1).pdf(0.5),
        lambda m: st.order_statistic(st.Normal(mu=m), r=1, n=2).mean(),
        lambda m: st.Mixture([st.Normal(mu=m), st.Normal()]).pdf(0.1),
        lambda m: st.Mixture([st.Normal()], weights=[m]),
        lambda m: st.Binomial(n=3, p=m).pmf(1),
        lambda m: st.Normal(mu=m).moment(3),
        lambda m: st.Normal(mu=m).pdf(0.1, method="formula"),
    ],
)
def test_what_random_variables_do_not_differentiate_names_the_older_interface(f):
    with pytest.raises(NoRuleError, match=r"has no derivative rule.*dotbar\.scipy\.stats\.(norm|binom)"):
        dotbar.grad(f)(0.5)


# ---------------------------------------------------------------- samples


def draws(name, *shapes):
    dist = getattr(st, name)
    return lambda *p: dist.rvs(*p, size=4, random_state=np.random.default_rng(3)), (*shapes, 0.3, 1.7)


@pytest.mark.parametrize(
    ("name", "shapes"), [("norm", ()), ("gamma", (2.3,)), ("beta", (1.7, 0.8)), ("t", (3.5,)), ("vonmises", (1.4,))]
)
def test_a_sample_keeps_its_quantile(name, shapes):
    f, parameters = draws(name, *shapes)
    dist = getattr(st, name)
    x = f(*parameters)
    for i, p in enumerate(parameters):
        y, dot = dotbar.jvp(lambda v: f(*parameters[:i], v, *parameters[i + 1 :]), (p,), (1.0,))  # noqa: B023
        assert np.array_equal(x, y)
        along = dotbar.jvp(
            lambda x, v: dist.cdf(x, *parameters[:i], v, *parameters[i + 1 :]),  # noqa: B023
            (x, p),
            (dot, 1.0),
        )
        assert np.allclose(along[1], 0, atol=1e-12)


def test_multivariate_samples_move_with_the_factor():
    S = np.array([[2.0, 0.3], [0.3, 1.0]])
    f = lambda m, S: st.multivariate_normal.rvs(m, S, 3, np.random.default_rng(0))
    m = np.array([0.1, 0.2])
    y, dot = dotbar.jvp(f, (m, S), (np.ones(2), 2 * S))
    assert np.allclose(y, f(m, S), 1e-14)
    assert np.allclose(dot, 1 + (y - m), 1e-12)


def test_the_estimate_by_samples_of_a_gradient_is_unbiased():
    """d/da E X² = 2a + 1 for the gamma distribution."""
    f = lambda a: np.mean(st.gamma.rvs(a, size=20000, random_state=np.random.default_rng(1)) ** 2)
    assert abs(dotbar.grad(f)(1.5) - 4.0) < 0.2


# ---------------------------------------------------------------- accuracy


def incomplete_gamma(x, a):
    return mp.gammainc(a, 0, x, regularized=True)


def incomplete_beta(x, a, b):
    return mp.betainc(a, b, 0, x, regularized=True)


def student(x, df):
    return mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + x * x), regularized=True) / 2


def skew_normal(x, a):
    return mp.ncdf(x) - mp.quad(lambda t: mp.exp(-x * x * (1 + t * t) / 2) / (1 + t * t), [0, a]) / mp.pi


def inverse_gaussian(x, mu):
    return mp.ncdf((x / mu - 1) / mp.sqrt(x)) + mp.exp(2 / mu) * mp.ncdf(-(x / mu + 1) / mp.sqrt(x))


def noncentral_chi2(x, df, nc):
    term = lambda j: mp.exp(-nc / 2) * (nc / 2) ** j / mp.factorial(j) * incomplete_gamma(x / 2, df / 2 + j)
    return mp.nsum(term, [0, mp.inf])


@pytest.mark.parametrize(
    ("name", "exact", "x", "shapes"),
    [
        *(("gamma", incomplete_gamma, x, (a,)) for a in (0.1, 2.0, 100.0) for x in (0.1 * a, a, 2.0 * a)),
        *(("beta", incomplete_beta, x, (a, b)) for a, b in ((0.5, 0.5), (3.0, 40.0)) for x in (0.02, 0.5, 0.9)),
        *(("t", student, x, (df,)) for df in (0.7, 4.0, 50.0) for x in (-100.0, -2.0, -0.3)),
        *(("skewnorm", skew_normal, x, (1.5,)) for x in (-2.0, 0.3, 3.0)),
        *(("invgauss", inverse_gaussian, x, (0.8,)) for x in (0.1, 0.7, 4.0)),
        *(("ncx2", noncentral_chi2, x, (3.3, 1.2)) for x in (0.1, 3.0, 12.0)),
    ],
)
def test_parameter_derivatives_of_distribution_functions_are_exact(name, exact, x, shapes):
    own = getattr(st, name)
    with mp.workdps(30):
        at = (mp.mpf(x), *map(mp.mpf, shapes))
        want = [float(mp.diff(lambda v: exact(*at[:i], v, *at[i + 1 :]), at[i])) for i in range(1, len(at))]  # noqa: B023
    got = dotbar.grad(lambda shapes: own.cdf(x, *shapes))(list(shapes))
    assert np.allclose(got, want, 1e-12, 1e-15)


def test_compiled_code_draws_the_same_numbers_each_time():
    def two_samples(p):
        rng = np.random.default_rng(1)
        return st.beta.rvs(p[0], p[1], size=3, random_state=rng), st.norm.rvs(p[0], p[1], size=3, random_state=rng)

    p = np.array([2.0, 3.0])
    expected = two_samples(p)
    f = dotbar.jit(two_samples)
    for _ in range(4):
        np.testing.assert_array_equal(f(p), expected)


def test_the_multivariate_normal_cdf_of_one_dimension():
    """Its second derivatives have no others to condition on."""
    f = lambda cov: st.multivariate_normal.cdf(0.7, cov=cov)
    want = lambda cov: st.norm.cdf(0.7, scale=np.sqrt(cov))
    for own, other in ((f, want), (dotbar.grad(f), dotbar.grad(want))):
        assert np.isclose(dotbar.grad(own)(1.3), dotbar.grad(other)(1.3), 1e-12)


@pytest.mark.parametrize("density", [True, False])
@pytest.mark.parametrize(
    "name", ["pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf", "mean", "var", "std", "median", "entropy"]
)
def test_histograms(name, density):
    """By heights, edges, location and scale."""
    points = () if name in ("mean", "var", "std", "median", "entropy") else (np.array([0.3, 0.6, 0.9]),)
    arguments = (np.array([2.0, 3.0, 5.0, 1.0]), np.array([-0.5, 0.2, 0.7, 1.2, 2.0]), 0.05, 1.1)

    def f(where, heights, edges, loc, scale):
        return getattr(where.rv_histogram((heights, edges), density=density), name)(*points, loc=loc, scale=scale)

    agree(lambda *args: f(scipy.stats, *args), lambda *args: f(st, *args), arguments, range(4))


@pytest.mark.parametrize("size", [None, (), 0, 3, (3,), (2, 3), [2, 3]])
@pytest.mark.parametrize("generator", [lambda: 3, lambda: np.random.default_rng(3), lambda: np.random.RandomState(3)])
def test_traced_samples_are_the_numbers_that_scipy_draws(size, generator):
    for f in (
        lambda where, a: where.gamma.rvs(a, size=size, random_state=generator()),
        lambda where, a: where.gamma(a, scale=2.0).rvs(size, generator()),
        lambda where, a: where.norm.rvs(0.1, a, size, random_state=generator()),
    ):
        plain = f(scipy.stats, 2.3)
        found = dotbar.jvp(lambda a: f(st, a), (2.3,), (1.0,))[0]  # noqa: B023
        assert np.shape(found) == np.shape(plain)
        assert np.array_equal(found, plain)

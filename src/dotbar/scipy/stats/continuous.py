"""What SciPy's formulas do not tell of continuous distributions: smooth forms of densities, transports in closed form.

All are of the standard distribution, of x and the shape parameters in SciPy's order.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from dotbar.core import primitive
from dotbar.rules.kinds import rule
from dotbar.rules.words import stop_gradient
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.stats.law import entrywise, law, tails
from dotbar.scipy.stats.transport import Coordinate, additive, between, partial, transport

__all__ = ["DENSITIES", "KINKS", "LOGARITHMS", "SUPPORTS", "VELOCITIES", "density", "velocities"]

HALF_LOG_2PI = np.log(2 * np.pi) / 2


def softplus(x: Any) -> Any:
    return np.logaddexp(0, x)


def log_normal_mass(a: Any, b: Any) -> Any:
    """log (Φ(b) − Φ(a)), taken in the left tail."""
    a, b = np.where(a > 0, -b, a), np.where(a > 0, -a, b)
    return sc.log_ndtr(b) + np.log1p(-np.exp(sc.log_ndtr(a) - sc.log_ndtr(b)))


# ---------------------------------------------------------------- removable singularities


def near_zero(w: Any, exact: Callable[[Any], Any], coefficients: list[float]) -> Any:
    """A function of w that is exact(w), by its power series where that would cancel."""
    small = np.abs(w) < 0.05
    near, far = np.where(small, w, 0.0), np.where(small, 1.0, w)
    return np.where(small, np.polyval(np.array(coefficients[::-1]), near), exact(far))


def log1p_ratio(w: Any) -> Any:
    """The ratio log(1 + w)/w, of which the series is Σ (−w)ᵏ/(k + 1)."""
    return near_zero(w, lambda w: np.log1p(w) / w, [(-1) ** k / (k + 1) for k in range(13)])


def log1p_excess(w: Any) -> Any:
    """The ratio ((1 + w) log(1 + w) − w)/w², of which the series is Σ (−w)ᵏ/((k + 1)(k + 2))."""
    exact = lambda w: ((1 + w) * np.log1p(w) - w) / (w * w)
    return near_zero(w, exact, [(-1) ** k / ((k + 1) * (k + 2)) for k in range(13)])


# ---------------------------------------------------------------- densities that are integrals or Bessel functions

TAU = np.arange(-4.5, 3.5, 0.08)
NODES, WEIGHTS = np.sinh(TAU), 0.08 * np.cosh(TAU)


def log_hh(nu: Any, mu: Any) -> Any:
    """log ∫₀^∞ y^ν exp(−(y − μ)²/2) dy, an integral Hh of the normal distribution, by the trapezoidal rule in log y.

    The nodes lie about the integrand's maximum, on the scale of its curvature there.  Abramowitz & Stegun 19.14.
    """
    n, m = stop_gradient(nu) + 1, stop_gradient(mu)
    root = np.sqrt(m * m + 4 * n)
    y = np.where(m > 0, (m + root) / 2, 2 * n / (root + np.abs(m)))
    width = 1 / np.sqrt(y * (2 * y - m))
    logy = np.expand_dims(np.log(y), -1) + np.expand_dims(width, -1) * NODES
    nu, mu = np.expand_dims(nu, -1), np.expand_dims(mu, -1)
    exponents = (nu + 1) * logy - (np.exp(logy) - mu) ** 2 / 2
    top = np.max(stop_gradient(exponents), -1, keepdims=True)
    total = np.sum(WEIGHTS * np.exp(exponents - top), -1)
    return np.log(total) + top[..., 0] + np.log(width)


def nct(x: Any, df: Any, nc: Any) -> Any:
    """Johnson, Kotz & Balakrishnan (1995), vol. 2, (31.15)."""
    r = x * x + df
    front = df / 2 * np.log(df) - sc.gammaln(df / 2) - (df - 1) / 2 * np.log(2) - np.log(np.pi) / 2
    return front - (df + 1) / 2 * np.log(r) - df * nc * nc / (2 * r) + log_hh(df, nc * x / np.sqrt(r))


def nct_by_noncentrality(x: Any, df: Any, nc: Any) -> Any:
    """∂F/∂δ = −∫ φ(x√(w/ν) − δ) g(w) dw, f the same with a factor √(w/ν)."""
    r = np.sqrt(x * x + df)
    return -r * np.exp(log_hh(df - 1, nc * x / r) - log_hh(df, nc * x / r))


def ncx2(x: Any, df: Any, nc: Any) -> Any:
    """Johnson, Kotz & Balakrishnan (1995), vol. 2, (29.4); near nc = 0 by the series of ₀F₁(; b; z)."""
    b, z = df / 2, nc * x / 4
    small = z < 1e-6
    near = DENSITIES["chi2"](x, df) - nc / 2 + z / b - z * z / (2 * b * b * (b + 1))
    nc, root = np.where(small, 1.0, nc), 2 * np.sqrt(np.where(small, 1.0, z))
    spread = (np.sqrt(x) - np.sqrt(nc)) ** 2 / 2
    far = (b - 1) / 2 * np.log(x / nc) + np.log(sc.ive(b - 1, root)) - spread - np.log(2)
    return np.where(small, near, far)


def ncx2_by_noncentrality(x: Any, df: Any, nc: Any) -> Any:
    """∂F/∂λ = −f with two more degrees of freedom.  Johnson, Kotz & Balakrishnan (1995), vol. 2, (29.23)."""
    b, z = df / 2, nc * x / 4
    small = z < 1e-8
    nc, root = np.where(small, 1.0, nc), 2 * np.sqrt(np.where(small, 1.0, z))
    far = np.sqrt(x / nc) * sc.ive(b, root) / sc.ive(b - 1, root)
    return -np.where(small, x / df * (1 - z / (b * (b + 1))), far)


def student(x: Any, df: Any) -> Any:
    """Student's density; beyond 10¹² degrees of freedom, and at infinity, its limit has the same derivatives."""
    df = np.minimum(df, 1e12)
    front = sc.gammaln((df + 1) / 2) - sc.gammaln(df / 2) - np.log(df * np.pi) / 2
    return front - (df + 1) * np.log(np.hypot(1, x / np.sqrt(df)))


# fmt: off
DENSITIES: dict[str, Callable[..., Any]] = {
    "beta": lambda x, a, b: sc.xlogy(a - 1, x) + sc.xlog1py(b - 1, -x) - sc.betaln(a, b),
    "burr": lambda x, c, d: np.log(c * d / x) - c * np.log(x) - (d + 1) * softplus(-c * np.log(x)),
    "burr12": lambda x, c, d: np.log(c * d / x) + c * np.log(x) - (d + 1) * softplus(c * np.log(x)),
    "cauchy": lambda x: -np.log(np.pi) - 2 * np.log(np.hypot(1, x)),
    "chi2": lambda x, df: sc.xlogy(df / 2 - 1, x) - x / 2 - sc.gammaln(df / 2) - df / 2 * np.log(2),
    "cosine": lambda x: 2 * np.log(np.cos(x / 2)) - np.log(np.pi),
    "dgamma": lambda x, a: (a - 1) * np.log(np.abs(x)) - np.abs(x) - np.log(2) - sc.gammaln(a),
    "exponnorm": lambda x, K: (1 / (2 * K) - x) / K + sc.log_ndtr(x - 1 / K) - np.log(K),
    "f": lambda x, m, n: (m / 2 * np.log(m) + n / 2 * np.log(n) + sc.xlogy(m / 2 - 1, x)
                          - (m + n) / 2 * np.log(n + m * x) - sc.betaln(m / 2, n / 2)),
    "fisk": lambda x, c: np.log(c / x) + c * np.log(x) - 2 * softplus(c * np.log(x)),
    "gamma": lambda x, a: sc.xlogy(a - 1, x) - x - sc.gammaln(a),
    "genextreme": lambda x, c: (c - 1) * x * log1p_ratio(-c * x) - np.exp(-x * log1p_ratio(-c * x)),
    "gengamma": lambda x, a, c: np.log(np.abs(c)) + (c * a - 1) * np.log(x) - x**c - sc.gammaln(a),
    "genlogistic": lambda x, c: np.log(c) + c * x - (c + 1) * softplus(x),
    "gennorm": lambda x, b: np.log(b / 2) - sc.gammaln(1 / b) - np.abs(x) ** b,
    "genpareto": lambda x, c: -(c + 1) * x * log1p_ratio(c * x),
    "halfcauchy": lambda x: np.log(2 / np.pi) - 2 * np.log(np.hypot(1, x)),
    "hypsecant": lambda x: np.log(2 / np.pi) - np.logaddexp(x, -x),
    "invgamma": lambda x, a: -(a + 1) * np.log(x) - 1 / x - sc.gammaln(a),
    "johnsonsb": lambda x, a, b: np.log(b / (x * (1 - x))) - (a + b * sc.logit(x)) ** 2 / 2 - HALF_LOG_2PI,
    "johnsonsu": lambda x, a, b: np.log(b / np.hypot(1, x)) - (a + b * np.arcsinh(x)) ** 2 / 2 - HALF_LOG_2PI,
    "laplace": lambda x: -np.log(2) - np.abs(x),
    "laplace_asymmetric": lambda x, k: -np.log(k + 1 / k) - x * np.where(x < 0, -1 / k, k),
    "loggamma": lambda x, c: c * x - np.exp(x) - sc.gammaln(c),
    "logistic": lambda x: x - 2 * softplus(x),
    "lognorm": lambda x, s: -HALF_LOG_2PI - np.log(s * x) - (np.log(x) / s) ** 2 / 2,
    "loguniform": lambda x, a, b: -np.log(x) - np.log(np.log(b / a)),
    "nct": nct,
    "ncx2": ncx2,
    "powerlaw": lambda x, a: np.where((x == 0) & (a < 1), -np.inf, np.log(a) + sc.xlogy(a - 1, x)),  # SciPy's at 0
    "recipinvgauss": lambda x, mu: -HALF_LOG_2PI - np.log(x) / 2 - (1 - mu * x) ** 2 / (2 * x * mu * mu),
    "rice": lambda x, b: np.log(x) - (x - b) ** 2 / 2 + np.log(sc.i0e(x * b)),
    "skewnorm": lambda x, a: np.log(2) - HALF_LOG_2PI - x * x / 2 + sc.log_ndtr(a * x),
    "t": student,
    "triang": lambda x, c: np.log(2 * np.where(x < c, x / c, (1 - x) / (1 - c))),
    "truncexpon": lambda x, b: -x - np.log(-np.expm1(-b)),
    "truncnorm": lambda x, a, b: -HALF_LOG_2PI - x * x / 2 - log_normal_mass(a, b),
    "uniform": lambda x: 0.0 * x,
    "vonmises": lambda x, k: k * sc.cosm1(x) - np.log(2 * np.pi) - np.log(sc.i0e(k)),
    "weibull_min": lambda x, c: np.log(c) + sc.xlogy(c - 1, x) - x**c,
    "wrapcauchy": lambda x, c: np.log((1 - c * c) / (2 * np.pi)) - np.log(1 + c * c - 2 * c * np.cos(x)),
}
"""log f; of a distribution that is not here it is SciPy's own formula, run on traced values."""
DENSITIES["reciprocal"] = DENSITIES["loguniform"]
DENSITIES["gibrat"] = lambda x: DENSITIES["lognorm"](x, 1.0)


SUPPORTS: dict[str, Callable[..., Any]] = {
    "genextreme": lambda c: (np.where(c < 0, 1 / c, -np.inf), np.where(c > 0, 1 / c, np.inf)),
    "genpareto": lambda c: (0.0, np.where(c < 0, -1 / c, np.inf)),
}
"""The ends of the support where SciPy's own code branches on values."""

LOGARITHMS: dict[str, dict[str, Callable[..., Any]]] = {
    "norm": {"logcdf": sc.log_ndtr, "logsf": lambda x: sc.log_ndtr(-x)},
}
"""log F and log (1 − F) where their own rule is more accurate in the far tail than the ratio of f to F."""

KINKS: dict[str, Callable[..., Any]] = {"triang": lambda c: c, "laplace_asymmetric": lambda k: np.zeros_like(k)}
"""Where the density has a kink, if not at the median."""


# ---------------------------------------------------------------- transports


def density(dist: Any) -> Callable[..., Any]:
    """The logarithm of the standard density as a function that can be differentiated."""
    return DENSITIES.get(dist.name, dist._logpdf)


def integrand(name: str) -> tuple[Callable[..., Any], Callable[..., Any], Coordinate]:
    """The density, its tails and the coordinate in which the mean score of a distribution is computed.

    Of beta it is the density of the logarithm of the odds x/(1 − x), which has no singular ends.
    """
    dist = getattr(stats, name)
    own = lambda x, *shapes: tails(dist, x, *shapes)
    if name == "beta":
        of_odds = lambda y, a, b: a * y - (a + b) * softplus(y) - sc.betaln(a, b)
        return of_odds, lambda y, a, b: own(sc.expit(y), a, b), additive
    if name == "vonmises":
        return density(dist), own, between(-np.pi, np.pi)
    return density(dist), own, additive if name == "loggamma" else between(dist.a, dist.b)


@primitive
def mean_score(x: Any, *shapes: Any, name: str, i: int) -> Any:
    """V for the i-th shape parameter of a distribution by its mean score, a block of points at a time."""
    xs = np.broadcast_arrays(x, *shapes)
    blocks = ([t.ravel()[k : k + BLOCK] for t in xs] for k in range(0, xs[0].size, BLOCK))
    with np.errstate(all="ignore"):
        parts = [transport(*integrand(name), i, *block) for block in blocks]
    return np.reshape(np.concatenate([np.empty(0), *parts]), xs[0].shape)[()]


BLOCK = 1024
"""So many points at a time: their nodes fit into the cache."""


@rule(mean_score, "(),(),(),(),(),()->()")
def _mean_score(v: Any, *xs: Any, name: str, i: int) -> Any:
    """∂V/∂x = s − V ∂(log f)/∂x; by a parameter, under the integral."""

    def factor(k: int) -> Any:
        if k > 0:
            return partial(lambda *xs: transport(*integrand(name), i, *xs), k, xs)
        logf = integrand(name)[0]
        return partial(logf, i + 1, xs) - v * partial(logf, 0, xs)

    return [entrywise(factor, v)(k) for k in range(len(xs))]


def by_mean_score(name: str, i: int) -> Callable[..., Any]:
    return lambda x, *shapes: mean_score(x, *shapes, name=name, i=i)


def velocities(dist: Any) -> list[Callable[..., Any]]:
    """V for each shape parameter."""
    return [by_mean_score(dist.name, i) if v is None else v for i, v in enumerate(VELOCITIES[dist.name])]


def own_tail(dist: Any, method: str) -> Callable[..., Any]:
    return lambda x, *shapes: law(x, 0.0, 1.0, *shapes, dist=dist, method=method)


def by_power(x: Any, c: Any) -> Any:
    """x = E^(±1/c) with E free of c."""
    return x * np.log(np.abs(x)) / c


def beta_by_odds(i: int) -> Callable[..., Any]:
    return lambda x, a, b: mean_score(sc.logit(x), a, b, name="beta", i=i) * x * (1 - x)


def vonmises_by_kappa(x: Any, kappa: Any) -> Any:
    """V has the period of the density, and vanishes between two periods."""
    x = x - 2 * np.pi * np.round(stop_gradient(x) / (2 * np.pi))
    inside = np.abs(x) < np.pi
    return np.where(inside, mean_score(np.where(inside, x, 0.0), kappa, name="vonmises", i=0), 0)


def truncnorm_by_end(sign: int) -> Callable[..., Any]:
    """∂F/∂a = −φ(a)/Z · (1 − F), ∂F/∂b = −φ(b)/Z · F."""
    tail = own_tail(stats.truncnorm, "logsf" if sign < 0 else "logcdf")

    def velocity(x: Any, a: Any, b: Any) -> Any:
        end = a if sign < 0 else b
        return -np.exp((x * x - end * end) / 2 + tail(x, a, b))

    return velocity


VELOCITIES: dict[str, tuple[Callable[..., Any] | None, ...]] = {
    "alpha": (None,),
    "anglit": (),
    "arcsine": (),
    "argus": (None,),
    "beta": (beta_by_odds(0), beta_by_odds(1)),
    "betaprime": (None, None),
    "bradford": (None,),
    "burr": (by_power_of_first := lambda x, c, d: by_power(x, c),
             lambda x, c, d: -x / (c * d) * (1 + x**c) * softplus(-c * np.log(x))),
    "burr12": (by_power_of_first, lambda x, c, d: x / (c * d) * (1 + x**-c) * softplus(c * np.log(x))),
    "cauchy": (),
    "chi": (None,),
    "chi2": (None,),
    "cosine": (),
    "dgamma": (lambda x, a: np.sign(x) * by_mean_score("gamma", 0)(np.abs(x), a),),
    "dweibull": (by_power,),
    "expon": (),
    "exponnorm": (None,),
    "exponpow": (None,),
    "exponweib": (None, lambda x, a, c: by_power(x, c)),
    "f": (None, None),
    "fatiguelife": (lambda x, c: -2 * x * (x - 1) / (c * (x + 1)),),
    "fisk": (by_power,),
    "foldcauchy": (None,),
    "foldnorm": (None,),
    "gamma": (None,),
    "genexpon": (None, None, None),
    "genextreme": (lambda x, c: x * x * log1p_excess(-c * x),),
    "gengamma": (None, lambda x, a, c: by_power(x, c)),
    "genlogistic": (lambda x, c: -softplus(-x) * (1 + np.exp(x)) / c,),
    "gennorm": (None,),
    "genpareto": (lambda x, c: -x * x * log1p_excess(c * x),),
    "gibrat": (),
    "gompertz": (lambda x, c: -np.expm1(-x) / c,),
    "gumbel_l": (),
    "gumbel_r": (),
    "halfcauchy": (),
    "halfgennorm": (None,),
    "halflogistic": (),
    "halfnorm": (),
    "hypsecant": (),
    "invgamma": (None,),
    "invgauss": (lambda x, mu: -2 / mu**2 * np.exp(2 / mu + sc.log_ndtr(-(x / mu + 1) / np.sqrt(x))
                                                   - stats.invgauss._logpdf(x, mu)),),
    "invweibull": (by_power,),
    "johnsonsb": (lambda x, a, b: x * (1 - x) / b, lambda x, a, b: x * (1 - x) * sc.logit(x) / b),
    "johnsonsu": (lambda x, a, b: np.hypot(1, x) / b, lambda x, a, b: np.hypot(1, x) * np.arcsinh(x) / b),
    "kappa3": (None,),
    "laplace": (),
    "laplace_asymmetric": (lambda x, k: np.abs(x) / k + 2 / (1 + k * k),),
    "levy": (),
    "levy_l": (),
    "loggamma": (None,),
    "logistic": (),
    "lognorm": (lambda x, s: -x * np.log(x) / s,),
    "loguniform": (lambda x, a, b: -x / a * np.log(b / x) / np.log(b / a),
                   lambda x, a, b: -x / b * np.log(x / a) / np.log(b / a)),
    "lomax": (lambda x, c: (1 + x) * np.log1p(x) / c,),
    "maxwell": (),
    "mielke": (None, None),
    "moyal": (),
    "nakagami": (None,),
    "nct": (None, nct_by_noncentrality),
    "ncx2": (None, ncx2_by_noncentrality),
    "norm": (),
    "norminvgauss": (None, None),
    "pareto": (by_power,),
    "powerlaw": (by_power,),
    "powerlognorm": (None, None),
    "powernorm": (None,),
    "rayleigh": (),
    "rdist": (None,),
    "recipinvgauss": (None,),
    "rice": (lambda x, b: -sc.i1e(x * b) / sc.i0e(x * b),),
    "semicircular": (),
    "skewnorm": (lambda x, a: np.exp(-x * x * (1 + a * a) / 2 - DENSITIES["skewnorm"](x, a)) / -(np.pi * (1 + a * a)),),
    "t": (None,),
    "triang": (lambda x, c: np.where(x < c, -x / (2 * c), -(1 - x) / (2 * (1 - c))),),
    "truncexpon": (lambda x, b: -np.exp(x - b) * np.expm1(-x) / np.expm1(-b),),
    "truncnorm": (truncnorm_by_end(-1), truncnorm_by_end(1)),
    "uniform": (),
    "vonmises": (vonmises_by_kappa,),
    "wald": (),
    "weibull_max": (by_power,),
    "weibull_min": (by_power,),
    "wrapcauchy": (lambda x, c: 2 * np.sin(x) / (1 - c * c),),
}
# fmt: on
"""V = (∂F/∂θ)/f for each shape parameter; None where it is the mean score over a tail.  A distribution that is not here
has no derivatives."""
VELOCITIES["erlang"], VELOCITIES["reciprocal"] = VELOCITIES["gamma"], VELOCITIES["loguniform"]

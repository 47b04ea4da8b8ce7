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
from dotbar.scipy.special.probability import kolmogorov_slope, smirnov_at
from dotbar.scipy.stats.law import entrywise, law, tails
from dotbar.scipy.stats.transport import Coordinate, additive, between, partial, transport

__all__ = ["DENSITIES", "KINKS", "SUPPORTS", "VELOCITIES", "density", "support", "velocities"]

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


def crystal_ball(x: Any, b: Any, m: Any) -> Any:
    """Normal down to −β, then a power.  Gaiser (1982), appendix F."""
    mass = m / (b * (m - 1)) * np.exp(-b * b / 2) + np.sqrt(2 * np.pi) * sc.ndtr(b)
    power = m * np.log(m / b) - b * b / 2 - m * np.log(m / b - b - np.where(x > -b, -b, x))
    return np.where(x > -b, -x * x / 2, power) - np.log(mass)


def log_mills(z: Any) -> Any:
    """log (Φ(−z)/φ(z))."""
    return sc.log_ndtr(-z) + z * z / 2 + HALF_LOG_2PI


def double_pareto_lognormal(x: Any, u: Any, s: Any, a: Any, b: Any) -> Any:
    """Hajargasht & Griffiths (2013), eq. (2.6)."""
    y = (np.log(x) - u) / s
    mills = np.logaddexp(log_mills(a * s - y), log_mills(b * s + y))
    return np.log(a * b / (a + b)) - np.log(x) - y * y / 2 - HALF_LOG_2PI + mills


def generalized_hyperbolic(x: Any, p: Any, a: Any, b: Any) -> Any:
    """Barndorff-Nielsen & Blaesild (1981), with δ = 1, μ = 0."""
    root, r = np.sqrt((a - b) * (a + b)), np.hypot(1, x)
    front = p * np.log(root) - (p - 0.5) * np.log(a) - HALF_LOG_2PI - np.log(sc.kve(p, root)) + root
    return front + (p - 0.5) * np.log(r) + np.log(sc.kve(p - 0.5, a * r)) - a * r + b * x


def skew_student(x: Any, a: Any, b: Any) -> Any:
    """Jones & Faddy (2003), eq. (1)."""
    t = x / np.sqrt(a + b + x * x)
    front = sc.betaln(a, b) + (a + b - 1) * np.log(2) + np.log(a + b) / 2
    return (a + 0.5) * np.log1p(t) + (b + 0.5) * np.log1p(-t) - front


def log_kappa(x: Any, h: Any, k: Any) -> Any:
    """log F of kappa4.  Hosking (1994), eq. (1)."""
    u = np.exp(-x * log1p_ratio(-k * x))
    return -u * log1p_ratio(-h * u)


def ncf(x: Any, m: Any, n: Any, nc: Any) -> Any:
    """Johnson, Kotz & Balakrishnan (1995), vol. 2, (30.10), as the central density times a ₁F₁."""
    z = nc * m * x / (2 * (n + m * x))
    return DENSITIES["f"](x, m, n) - nc / 2 + np.log(sc.hyp1f1((m + n) / 2, m / 2, z))


def pearson3(x: Any, skew: Any) -> Any:
    """A gamma variable, centred and scaled; its limit at no skewness is normal."""
    normal = np.abs(skew) < 1e-5
    s = np.where(normal, 1.0, skew)
    gamma = np.log(np.abs(2 / s)) + DENSITIES["gamma"](2 * x / s + 4 / s**2, 4 / s**2)
    return np.where(normal, -x * x / 2 - HALF_LOG_2PI, gamma)


def tukey_lambda(x: Any, lam: Any) -> Any:
    """1/f = p^(λ−1) + (1 − p)^(λ−1) at p = F(x)."""
    below, above = tails(stats.tukeylambda, x, lam)
    logf = -np.logaddexp((lam - 1) * below, (lam - 1) * above)
    return np.where(lam * np.abs(x) < 1, logf, -np.inf)  # as SciPy's at the ends


# fmt: off
DENSITIES: dict[str, Callable[..., Any]] = {
    "anglit": lambda x: np.log(np.cos(2 * x)),
    "arcsine": lambda x: -np.log(np.pi) - (np.log(x) + np.log1p(-x)) / 2,
    "beta": lambda x, a, b: sc.xlogy(a - 1, x) + sc.xlog1py(b - 1, -x) - sc.betaln(a, b),
    "bradford": lambda x, c: np.log(c) - np.log1p(c * x) - np.log(np.log1p(c)),
    "burr": lambda x, c, d: np.log(c * d / x) - c * np.log(x) - (d + 1) * softplus(-c * np.log(x)),
    "burr12": lambda x, c, d: np.log(c * d / x) + c * np.log(x) - (d + 1) * softplus(c * np.log(x)),
    "cauchy": lambda x: -np.log(np.pi) - 2 * np.log(np.hypot(1, x)),
    "chi2": lambda x, df: sc.xlogy(df / 2 - 1, x) - x / 2 - sc.gammaln(df / 2) - df / 2 * np.log(2),
    "cosine": lambda x: 2 * np.log(np.cos(x / 2)) - np.log(np.pi),
    "crystalball": crystal_ball,
    "dgamma": lambda x, a: (a - 1) * np.log(np.abs(x)) - np.abs(x) - np.log(2) - sc.gammaln(a),
    "dpareto_lognorm": double_pareto_lognormal,
    "exponnorm": lambda x, K: (1 / (2 * K) - x) / K + sc.log_ndtr(x - 1 / K) - np.log(K),
    "f": lambda x, m, n: (m / 2 * np.log(m) + n / 2 * np.log(n) + sc.xlogy(m / 2 - 1, x)
                          - (m + n) / 2 * np.log(n + m * x) - sc.betaln(m / 2, n / 2)),
    "fisk": lambda x, c: np.log(c / x) + c * np.log(x) - 2 * softplus(c * np.log(x)),
    "foldcauchy": lambda x, c: (np.log(2 / np.pi) + 2 * np.log(np.hypot(x, np.hypot(1, c)))
                                - 2 * np.log(np.hypot(1, x - c)) - 2 * np.log(np.hypot(1, x + c))),
    "foldnorm": lambda x, c: softplus(-2 * c * x) - (x - c) ** 2 / 2 - HALF_LOG_2PI,
    "gamma": lambda x, a: sc.xlogy(a - 1, x) - x - sc.gammaln(a),
    "gausshyper": lambda x, a, b, c, z: (sc.xlogy(a - 1, x) + sc.xlog1py(b - 1, -x) - c * np.log1p(z * x)
                                         - sc.betaln(a, b) - np.log(sc.hyp2f1(c, a, a + b, -z))),
    "genextreme": lambda x, c: (c - 1) * x * log1p_ratio(-c * x) - np.exp(-x * log1p_ratio(-c * x)),
    "gengamma": lambda x, a, c: np.log(np.abs(c)) + (c * a - 1) * np.log(x) - x**c - sc.gammaln(a),
    "genhalflogistic": lambda x, c: (np.log(2) - (1 - c) * x * log1p_ratio(-c * x)
                                     - 2 * softplus(-x * log1p_ratio(-c * x))),
    "genhyperbolic": generalized_hyperbolic,
    "geninvgauss": lambda x, p, b: ((p - 1) * np.log(x) - b * (np.sqrt(x) - 1 / np.sqrt(x)) ** 2 / 2
                                    - np.log(2 * sc.kve(p, b))),
    "genlogistic": lambda x, c: np.log(c) + c * x - (c + 1) * softplus(x),
    "gennorm": lambda x, b: np.log(b / 2) - sc.gammaln(1 / b) - np.abs(x) ** b,
    "genpareto": lambda x, c: -(c + 1) * x * log1p_ratio(c * x),
    "halfcauchy": lambda x: np.log(2 / np.pi) - 2 * np.log(np.hypot(1, x)),
    "hypsecant": lambda x: np.log(2 / np.pi) - np.logaddexp(x, -x),
    "invgamma": lambda x, a: -(a + 1) * np.log(x) - 1 / x - sc.gammaln(a),
    "invweibull": lambda x, c: np.log(c) - (c + 1) * np.log(x) - np.exp(-c * np.log(x)),
    "jf_skew_t": skew_student,
    "johnsonsb": lambda x, a, b: np.log(b / (x * (1 - x))) - (a + b * sc.logit(x)) ** 2 / 2 - HALF_LOG_2PI,
    "johnsonsu": lambda x, a, b: np.log(b / np.hypot(1, x)) - (a + b * np.arcsinh(x)) ** 2 / 2 - HALF_LOG_2PI,
    "ksone": lambda x, n: np.log(-smirnov_at(n, x, r=1)),
    "kstwobign": lambda x: np.log(-kolmogorov_slope(x)),
    "kappa3": lambda x, a: np.log(a) - (1 / a + 1) * np.logaddexp(np.log(a), a * np.log(x)),
    "kappa4": lambda x, h, k: (1 - h) * log_kappa(x, h, k) - (1 - k) * x * log1p_ratio(-k * x),
    "laplace": lambda x: -np.log(2) - np.abs(x),
    "laplace_asymmetric": lambda x, k: -np.log(k + 1 / k) - x * np.where(x < 0, -1 / k, k),
    "levy": lambda x: -HALF_LOG_2PI - 1.5 * np.log(x) - 1 / (2 * x),
    "levy_l": lambda x: -HALF_LOG_2PI - 1.5 * np.log(np.abs(x)) - 1 / (2 * np.abs(x)),
    "loggamma": lambda x, c: c * x - np.exp(x) - sc.gammaln(c),
    "logistic": lambda x: x - 2 * softplus(x),
    "loglaplace": lambda x, c: np.log(c / 2) - np.log(x) - c * np.abs(np.log(x)),
    "lognorm": lambda x, s: -HALF_LOG_2PI - np.log(s * x) - (np.log(x) / s) ** 2 / 2,
    "loguniform": lambda x, a, b: -np.log(x) - np.log(np.log(b / a)),
    "moyal": lambda x: -HALF_LOG_2PI - (x + np.exp(-x)) / 2,
    "ncf": ncf,
    "nct": nct,
    "ncx2": ncx2,
    "norminvgauss": lambda x, a, b: generalized_hyperbolic(x, -0.5, a, b),
    "pareto": lambda x, b: np.log(b) - (b + 1) * np.log(x),
    "pearson3": pearson3,
    "powerlaw": lambda x, a: np.where((x == 0) & (a < 1), -np.inf, np.log(a) + sc.xlogy(a - 1, x)),  # SciPy's at 0
    "recipinvgauss": lambda x, mu: -HALF_LOG_2PI - np.log(x) / 2 - (1 - mu * x) ** 2 / (2 * x * mu * mu),
    "rel_breitwigner": lambda x, r: (np.log(2 * np.sqrt(2) / np.pi) + 2 * np.log(r) + np.log1p(1 / r**2) / 2
                                     - np.log(1 + np.hypot(1, 1 / r)) / 2 - np.log((x * x - r * r) ** 2 + r * r)),
    "rice": lambda x, b: np.log(x) - (x - b) ** 2 / 2 + np.log(sc.i0e(x * b)),
    "skewcauchy": lambda x, a: -np.log(np.pi) - 2 * np.log(np.hypot(1, x / (1 + a * np.sign(x)))),
    "skewnorm": lambda x, a: np.log(2) - HALF_LOG_2PI - x * x / 2 + sc.log_ndtr(a * x),
    "t": student,
    "trapezoid": lambda x, c, d: (np.log(np.where(x < c, x / c, np.where(x > d, (1 - x) / (1 - d), 1)))
                                  + np.log(2 / (1 + d - c))),
    "triang": lambda x, c: np.log(2) + np.where(x < c, np.log(x) - np.log(c), np.log1p(-x) - np.log1p(-c)),
    "truncexpon": lambda x, b: -x - np.log(-np.expm1(-b)),
    "truncnorm": lambda x, a, b: -HALF_LOG_2PI - x * x / 2 - log_normal_mass(a, b),
    "truncpareto": lambda x, b, c: np.log(b / -np.expm1(-b * np.log(c))) - (b + 1) * np.log(x),
    "truncweibull_min": lambda x, c, a, b: (np.log(c) + sc.xlogy(c - 1, x) + a**c - x**c
                                            - np.log(-np.expm1(a**c - b**c))),
    "tukeylambda": tukey_lambda,
    "uniform": lambda x: 0.0 * x,
    "vonmises": lambda x, k: k * sc.cosm1(x) - np.log(2 * np.pi) - np.log(sc.i0e(k)),
    "weibull_min": lambda x, c: np.log(c) + sc.xlogy(c - 1, x) - x**c,
    "wrapcauchy": lambda x, c: np.log((1 - c * c) / (2 * np.pi)) - np.log(1 + c * c - 2 * c * np.cos(x)),
}
"""log f; of a distribution that is not here it is SciPy's own formula, run on traced values."""
DENSITIES["reciprocal"], DENSITIES["vonmises_line"] = DENSITIES["loguniform"], DENSITIES["vonmises"]
DENSITIES["gibrat"] = lambda x: DENSITIES["lognorm"](x, 1.0)


def ends_of_kappa(h: Any, k: Any) -> tuple[Any, Any]:
    some_h, some_k = np.where(h > 0, h, 1.0), np.where(k == 0, 1.0, k)
    of_h = np.where(k == 0, np.log(some_h), -np.expm1(-k * np.log(some_h)) / some_k)
    return np.where(h > 0, of_h, np.where(k < 0, 1 / some_k, -np.inf)), np.where(k > 0, 1 / some_k, np.inf)


SUPPORTS: dict[str, Callable[..., Any]] = {
    "kappa4": ends_of_kappa,
    "tukeylambda": lambda lam: (np.where(lam > 0, -1 / np.where(lam > 0, lam, 1.0), -np.inf),
                                np.where(lam > 0, 1 / np.where(lam > 0, lam, 1.0), np.inf)),
    "pearson3": lambda skew: (np.where(skew > 1e-5, -2 / skew, -np.inf), np.where(skew < -1e-5, -2 / skew, np.inf)),
    "genextreme": lambda c: (np.where(c < 0, 1 / c, -np.inf), np.where(c > 0, 1 / c, np.inf)),
    "genpareto": lambda c: (0.0, np.where(c < 0, -1 / c, np.inf)),
}
"""The ends of the support where SciPy's own code branches on values."""

def support(dist: Any, shapes: Any) -> tuple[Any, Any]:
    """The ends of the support, given the shape parameters."""
    return SUPPORTS.get(dist.name, dist._get_support)(*shapes)


KINKS: dict[str, Callable[..., Any]] = {
    "crystalball": lambda b, m: -b,
    "laplace_asymmetric": lambda k: np.zeros_like(k),
    "skewcauchy": lambda a: np.zeros_like(a),
    "triang": lambda c: c,
}
"""Where the density has a kink, if not at the median."""


# ---------------------------------------------------------------- transports


def density(dist: Any) -> Callable[..., Any]:
    """The logarithm of the standard density as a function that can be differentiated."""
    return DENSITIES.get(dist.name, dist._logpdf)


def ends(dist: Any) -> tuple[float, float]:
    """Of the support, of a periodic density those of a period."""
    return (-np.pi, np.pi) if dist.name == "vonmises" else (dist.a, dist.b)


def integrand(name: str) -> tuple[Callable[..., Any], Callable[..., Any], Coordinate]:
    """The density, its tails and the coordinate in which the mean score of a distribution is computed.

    Of beta it is the density of the logarithm of the odds x/(1 − x), which has no singular ends.
    """
    dist = getattr(stats, name)
    own = lambda x, *shapes: tails(dist, x, *shapes)
    if name == "beta":
        of_odds = lambda y, a, b: a * y - (a + b) * softplus(y) - sc.betaln(a, b)
        return of_odds, lambda y, a, b: own(sc.expit(y), a, b), additive
    return density(dist), own, additive if name == "loggamma" else between(*ends(dist))


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


def by_tails(name: str, split: Callable[..., Any], below: Callable[..., Any], above: Callable[..., Any]) -> Any:
    """V from log F below a point and log (1 − F) above it, where they are elementary."""

    def side(f: Callable[..., Any], i: int, x: Any, shapes: Any) -> Any:
        return partial(f, i + 1, (x, *shapes)) * np.exp(f(x, *shapes) - DENSITIES[name](x, *shapes))

    def velocity(i: int) -> Callable[..., Any]:
        def V(x: Any, *shapes: Any) -> Any:
            at = split(*map(stop_gradient, shapes))
            low, high = np.where(x < at, x, at), np.where(x < at, at, x)
            return np.where(x < at, side(below, i, low, shapes), -side(above, i, high, shapes))

        return V

    return tuple(map(velocity, range(getattr(stats, name).numargs)))


def median(name: str) -> Callable[..., Any]:
    return lambda *shapes: law(0.5, 0.0, 1.0, *shapes, dist=getattr(stats, name), method="ppf")


def log_mass(x: Any) -> Any:
    """log |1 − eˣ|."""
    return np.log(np.abs(np.expm1(x)))


def breit_wigner_mass(x: Any, r: Any, arctan: Callable[[Any], Any]) -> Any:
    """log F, or log (1 − F) with arctan 1/w, by partial fractions."""
    mass = np.imag(np.sqrt(-1 + 1j / r) * arctan(x / np.sqrt(-r * (r + 1j))))
    return np.log(2 / np.pi * mass) + np.log(2 / (1 + np.hypot(1, 1 / r))) / 2


crystal_ball_tails = by_tails(
    "crystalball",
    lambda b, m: -b,
    lambda x, b, m: crystal_ball(x, b, m) + np.log((m / b - b - x) / (m - 1)),
    lambda x, b, m: crystal_ball(x, b, m) + log_mills(x),
)
kappa_tails = by_tails("kappa4", median("kappa4"), log_kappa, lambda x, h, k: log_mass(log_kappa(x, h, k)))
trapezoid_tails = by_tails(
    "trapezoid",
    median("trapezoid"),
    lambda x, c, d: np.log(np.where(x < c, x * x / np.where(x < c, c, 1), 2 * x - c) / (1 + d - c)),
    lambda x, c, d: np.log(np.where(x > d, (1 - x) ** 2 / np.where(x > d, 1 - d, 1), 1 + d - 2 * x) / (1 + d - c)),
)
breit_wigner_tails = by_tails(
    "rel_breitwigner",
    median("rel_breitwigner"),
    lambda x, r: breit_wigner_mass(x, r, np.arctan),
    lambda x, r: breit_wigner_mass(x, r, lambda w: np.arctan(1 / w)),
)
truncated_pareto_tails = by_tails(
    "truncpareto",
    median("truncpareto"),
    lambda x, b, c: log_mass(-b * np.log(x)) - log_mass(-b * np.log(c)),
    lambda x, b, c: -b * np.log(x) + log_mass(-b * np.log(c / x)) - log_mass(-b * np.log(c)),
)
truncated_weibull_tails = by_tails(
    "truncweibull_min",
    median("truncweibull_min"),
    lambda x, c, a, b: log_mass(a**c - x**c) - log_mass(a**c - b**c),
    lambda x, c, a, b: a**c - x**c + log_mass(x**c - b**c) - log_mass(a**c - b**c),
)


def pearson3_by_skewness(x: Any, skew: Any) -> Any:
    """Of x = (g − α) s/2 with a gamma variable g of shape α = 4/s²; at no skewness by Edgeworth's series."""
    normal = np.abs(skew) < 1e-5
    s = np.where(normal, 1.0, skew)
    a = 4 / s**2
    g = np.where(normal, 1.0, 2 * x / s + a)
    return np.where(normal, (1 - x * x) / 6, (a - g) / 2 - a * (1 + mean_score(g, a, name="gamma", i=0)))


def skew_cauchy_by_skewness(x: Any, a: Any) -> Any:
    """∂F/∂a = −(arctan(1/u) + u/(1 + u²))/π with u = |x/(1 ± a)|."""
    u = np.abs(x / (1 + a * np.sign(x)))
    return -(1 + u * u) * np.arctan2(1, u) - u


def tukey_lambda_by_lambda(x: Any, lam: Any) -> Any:
    """−∂Q/∂λ of the quantiles Q = (p^λ − (1 − p)^λ)/λ."""
    below, above = (np.exp(t) for t in tails(stats.tukeylambda, x, lam))
    return partial(sc.boxcox, 1, (above, lam)) - partial(sc.boxcox, 1, (below, lam))


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
    "crystalball": crystal_ball_tails,
    "dgamma": (lambda x, a: np.sign(x) * by_mean_score("gamma", 0)(np.abs(x), a),),
    "dpareto_lognorm": (None, None, None, None),
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
    "gausshyper": (None, None, None, None),
    "genexpon": (None, None, None),
    "genextreme": (lambda x, c: x * x * log1p_excess(-c * x),),
    "gengamma": (None, lambda x, a, c: by_power(x, c)),
    "genhalflogistic": (lambda x, c: x * x * log1p_excess(-c * x),),
    "genhyperbolic": (None, None, None),
    "geninvgauss": (None, None),
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
    "jf_skew_t": (None, None),
    "johnsonsb": (lambda x, a, b: x * (1 - x) / b, lambda x, a, b: x * (1 - x) * sc.logit(x) / b),
    "johnsonsu": (lambda x, a, b: np.hypot(1, x) / b, lambda x, a, b: np.hypot(1, x) * np.arcsinh(x) / b),
    "kappa3": (None,),
    "kappa4": kappa_tails,
    "laplace": (),
    "laplace_asymmetric": (lambda x, k: np.abs(x) / k + 2 / (1 + k * k),),
    "levy": (),
    "levy_l": (),
    "loggamma": (None,),
    "logistic": (),
    "loglaplace": (by_power,),
    "lognorm": (lambda x, s: -x * np.log(x) / s,),
    "loguniform": (lambda x, a, b: -x / a * np.log(b / x) / np.log(b / a),
                   lambda x, a, b: -x / b * np.log(x / a) / np.log(b / a)),
    "lomax": (lambda x, c: (1 + x) * np.log1p(x) / c,),
    "maxwell": (),
    "mielke": (None, None),
    "moyal": (),
    "nakagami": (None,),
    "ncf": (None, None, None),
    "nct": (None, nct_by_noncentrality),
    "ncx2": (None, ncx2_by_noncentrality),
    "norm": (),
    "norminvgauss": (None, None),
    "pareto": (by_power,),
    "pearson3": (pearson3_by_skewness,),
    "powerlaw": (by_power,),
    "powerlognorm": (None, None),
    "powernorm": (None,),
    "rayleigh": (),
    "rdist": (None,),
    "recipinvgauss": (None,),
    "rel_breitwigner": breit_wigner_tails,
    "rice": (lambda x, b: -sc.i1e(x * b) / sc.i0e(x * b),),
    "semicircular": (),
    "skewcauchy": (skew_cauchy_by_skewness,),
    "skewnorm": (lambda x, a: np.exp(-x * x * (1 + a * a) / 2 - DENSITIES["skewnorm"](x, a)) / -(np.pi * (1 + a * a)),),
    "t": (None,),
    "trapezoid": trapezoid_tails,
    "triang": (lambda x, c: np.where(x < c, -x / (2 * c), -(1 - x) / (2 * (1 - c))),),
    "truncexpon": (lambda x, b: -np.exp(x - b) * np.expm1(-x) / np.expm1(-b),),
    "truncnorm": (truncnorm_by_end(-1), truncnorm_by_end(1)),
    "truncpareto": truncated_pareto_tails,
    "truncweibull_min": truncated_weibull_tails,
    "tukeylambda": (tukey_lambda_by_lambda,),
    "uniform": (),
    "vonmises": (vonmises_by_kappa,),
    "vonmises_line": (vonmises_by_kappa,),
    "wald": (),
    "weibull_max": (by_power,),
    "weibull_min": (by_power,),
    "wrapcauchy": (lambda x, c: 2 * np.sin(x) / (1 - c * c),),
}
# fmt: on
"""V = (∂F/∂θ)/f for each shape parameter; None where it is the mean score over a tail."""
VELOCITIES["erlang"], VELOCITIES["reciprocal"] = VELOCITIES["gamma"], VELOCITIES["loguniform"]

OPAQUE = {
    "irwinhall": "the number of terms is an integer",
    "ksone": "the size of the sample is an integer",
    "kstwo": "the size of the sample is an integer",
    "kstwobign": "",
    "landau": "",
    "studentized_range": "it is a double integral",
}
"""Distributions with derivatives by x, loc and scale alone, as only values of the density are known; why so."""

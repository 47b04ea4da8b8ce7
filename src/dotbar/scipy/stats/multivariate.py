"""Multivariate distributions in x and every parameter.

Positive definite parameters are functions of their lower triangle, factored by Cholesky: a singular one raises.
"""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

import numpy as np
from scipy import stats

from dotbar.core import as_array, first_traced, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import rule
from dotbar.rules.lapack_words import solve_triangular
from dotbar.rules.words import H, mT, settled, stop_gradient, sym
from dotbar.scipy.mirror import OWN
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.stats.covariance import as_matrix
from dotbar.scipy.stats.law import sample
from dotbar.scipy.stats.objects import named, named_as, or_scipys, refused

multi_rv_generic: Any = next(c for c in type(stats.dirichlet).__mro__ if c.__name__ == "multi_rv_generic")
LOG_2PI = np.log(2 * np.pi)


# ---------------------------------------------------------------- parameters as SciPy reads them


def location_and_spread(mean: Any, cov: Any) -> tuple[Any, Any]:
    """A mean vector and a matrix, from what SciPy takes for them."""
    cov = as_array(1.0 if cov is None else getattr(cov, "covariance", cov))
    if mean is None:
        mean = np.zeros(cov.shape[0] if np.ndim(cov) == 2 else 1)
    mean = np.atleast_1d(as_array(mean))
    if np.ndim(cov) < 2:
        cov = cov * np.eye(len(mean))
    return mean, cov


def points(x: Any, dim: int) -> Any:
    """Points along the last axis."""
    x = as_array(x)
    if np.ndim(x) < 2:
        return np.reshape(x, (-1, 1)) if dim == 1 else np.reshape(x, (1, -1))
    return x


def log_determinant(L: Any) -> Any:
    """log |L Lᴴ|."""
    return 2 * np.sum(np.log(np.diagonal(L, axis1=-2, axis2=-1)), -1)


def distance(L: Any, d: Any) -> Any:
    """dᴴ (L Lᴴ)⁻¹ d of vectors along the last axis."""
    z = solve_triangular(L, np.reshape(d, (-1, d.shape[-1])).T)
    return np.reshape(np.sum(z * z, 0), d.shape[:-1])


def log_multigamma(a: Any, p: int) -> Any:
    """log Γₚ(a)."""
    return p * (p - 1) / 4 * np.log(np.pi) + np.sum(sc.gammaln(np.expand_dims(a, -1) - np.arange(p) / 2), -1)


# ---------------------------------------------------------------- densities


def normal_logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    mean, cov = location_and_spread(mean, cov)
    L, d = np.linalg.cholesky(cov), points(x, len(mean)) - mean
    return np.squeeze(-(len(mean) * LOG_2PI + log_determinant(L) + distance(L, d)) / 2)


def t_logpdf(x: Any, loc: Any = None, shape: np.ndarray | Any = 1, df: Any = 1) -> Any:
    """Kotz & Nadarajah (2004), (1.1)."""
    loc, shape = location_and_spread(loc, shape)
    L, d, p = np.linalg.cholesky(shape), points(x, len(loc)) - loc, len(loc)
    front = sc.gammaln((df + p) / 2) - sc.gammaln(df / 2) - p / 2 * np.log(df * np.pi) - log_determinant(L) / 2
    return np.squeeze(front - (df + p) / 2 * np.log1p(distance(L, d) / df))


def dirichlet_logpdf(x: Any, alpha: Any) -> Any:
    x, alpha = as_array(x), as_array(alpha)
    if len(x) == len(alpha) - 1:
        x = np.concatenate([x, 1 - np.sum(x, 0, keepdims=True)])
    normalizer = np.sum(sc.gammaln(alpha)) - sc.gammaln(np.sum(alpha))
    return np.squeeze(np.sum(sc.xlogy(alpha - 1, x.T), -1) - normalizer)


def multinomial_logpmf(x: Any, n: Any, p: Any) -> Any:
    p, counts = with_last(p), np.asarray(x)
    valid = np.all(counts >= 0, -1) & (np.sum(counts, -1) == n)
    value = sc.gammaln(np.asarray(n) + 1.0) + np.sum(sc.xlogy(counts, p) - sc.gammaln(counts + 1.0), -1)
    return np.where(valid, value, -np.inf)[()]


def dirichlet_multinomial_logpmf(x: Any, alpha: Any, n: Any) -> Any:
    alpha, counts, n = as_array(alpha), np.asarray(x), np.asarray(n)
    total = np.sum(alpha, -1)
    front = sc.gammaln(total) + sc.gammaln(n + 1.0) - sc.gammaln(n + total)
    terms = sc.gammaln(counts + alpha) - sc.gammaln(alpha) - sc.gammaln(counts + 1.0)
    return np.where(np.sum(counts, -1) == n, front + np.sum(terms, -1), -np.inf)[()]


def matrices(x: Any, dim: int) -> Any:
    """Matrices along the last two axes; SciPy has them along the first two."""
    x = as_array(x)
    if np.ndim(x) < 2:
        return np.reshape(x, (-1, 1, 1)) if dim == 1 else x * np.eye(dim)
    return np.moveaxis(x, (0, 1), (-2, -1))


def wishart_logpdf(x: Any, df: Any, scale: Any) -> Any:
    """Muirhead (1982), theorem 3.2.1."""
    scale = np.atleast_2d(as_array(scale))
    p = len(scale)
    x = matrices(x, p)
    L, S = np.linalg.cholesky(x), np.linalg.cholesky(scale)
    trace = np.sum(solve_triangular(S, L) ** 2, (-2, -1))
    front = -df * p / 2 * np.log(2) - df / 2 * log_determinant(S) - log_multigamma(df / 2, p)
    return np.squeeze(front + (df - p - 1) / 2 * log_determinant(L) - trace / 2)


def invwishart_logpdf(x: Any, df: Any, scale: Any) -> Any:
    """Muirhead (1982), problem 3.6."""
    scale = np.atleast_2d(as_array(scale))
    p = len(scale)
    x = matrices(x, p)
    L, S = np.linalg.cholesky(x), np.linalg.cholesky(scale)
    trace = np.sum(solve_triangular(L, S) ** 2, (-2, -1))
    front = -df * p / 2 * np.log(2) + df / 2 * log_determinant(S) - log_multigamma(df / 2, p)
    return np.squeeze(front - (df + p + 1) / 2 * log_determinant(L) - trace / 2)


def matrix_normal_logpdf(X: Any, mean: Any = None, rowcov: Any = 1, colcov: Any = 1) -> Any:
    """Gupta & Nagar (1999), theorem 2.2.1."""
    X = as_array(X)
    m, n = X.shape[-2:]
    U, V = (as_array(c) * np.eye(k) if np.ndim(c) < 2 else as_array(c) for c, k in ((rowcov, m), (colcov, n)))
    U, V = np.linalg.cholesky(U), np.linalg.cholesky(V)
    z = solve_triangular(U, X - (0.0 if mean is None else mean))
    z = solve_triangular(V, mT(z))
    return -(m * n * LOG_2PI + n * log_determinant(U) + m * log_determinant(V) + np.sum(z * z, (-2, -1))) / 2


def matrix_t_logpdf(X: Any, mean: Any = None, row_spread: Any = 1, col_spread: Any = 1, df: Any = 1) -> Any:
    """Gupta & Nagar (1999), theorem 4.2.1."""
    X = as_array(X)
    m, n = X.shape[-2:]
    U, V = (as_array(c) * np.eye(k) if np.ndim(c) < 2 else as_array(c) for c, k in ((row_spread, m), (col_spread, n)))
    U, V = np.linalg.cholesky(U), np.linalg.cholesky(V)
    z = solve_triangular(V, mT(solve_triangular(U, X - (0.0 if mean is None else mean))))
    half = (df + m + n - 1) / 2
    front = log_multigamma(half, m) - log_multigamma((df + m - 1) / 2, m) - m * n / 2 * np.log(np.pi)
    spread = log_determinant(np.linalg.cholesky(np.eye(n) + z @ mT(z)))
    return front - (n * log_determinant(U) + m * log_determinant(V)) / 2 - half * spread


def vonmises_fisher_logpdf(x: Any, mu: Any = None, kappa: Any = 1) -> Any:
    """Mardia & Jupp (2000), (9.3.4)."""
    x, mu = as_array(x), as_array(mu)
    order = len(mu) / 2 - 1
    front = order * np.log(kappa) - (order + 1) * LOG_2PI - np.log(sc.ive(order, kappa)) - kappa
    return front + kappa * np.sum(x * mu, -1)


def normal_inverse_gamma_logpdf(x: Any, s2: Any, mu: Any = 0, lmbda: Any = 1, a: Any = 1, b: Any = 1) -> Any:
    normal = (np.log(lmbda) - LOG_2PI - np.log(s2)) / 2 - lmbda * (x - mu) ** 2 / (2 * s2)
    return normal + a * np.log(b) - sc.gammaln(a) - (a + 1) * np.log(s2) - b / s2


def normal_entropy(mean: Any = None, cov: Any = 1) -> Any:
    mean, cov = location_and_spread(mean, cov)
    return (len(mean) * (LOG_2PI + 1) + log_determinant(np.linalg.cholesky(cov))) / 2


# ---------------------------------------------------------------- the normal distribution function


@primitive
def orthant(u: Any, cov: Any, *, settings: Any, seeded: bool = False) -> Any:
    """P(X ≤ u) for a normal X of mean zero; from the third dimension on by points at random, or always the same."""
    lead, n = np.broadcast_shapes(u.shape[:-1], cov.shape[:-2]), u.shape[-1]
    if cov.ndim == 2:
        rng = np.random.default_rng(0) if seeded else None
        return np.reshape(stats.multivariate_normal.cdf(u, np.zeros(n), cov, True, *settings, rng=rng), lead)[()]
    u, cov = np.broadcast_to(u, (*lead, n)), np.broadcast_to(cov, (*lead, n, n))
    return np.reshape([orthant(u[i], cov[i], settings=settings, seeded=seeded) for i in np.ndindex(*lead)], lead)


def probability(u: Any, cov: Any, settings: Any) -> Any:
    """P(X ≤ u) within a derivative, in one dimension in closed form."""
    n = u.shape[-1]
    if n == 0:
        return 1.0
    if n == 1:
        return sc.ndtr(u[..., 0] / np.sqrt(cov[..., 0, 0]))
    return orthant(u, cov, settings=settings, seeded=True)


def slices(u: Any, cov: Any, settings: Any) -> Any:
    """For each component the density at Xᵢ = uᵢ, and the bounds and the covariance of the others given that."""
    for i in range(u.shape[-1]):
        others = [k for k in range(u.shape[-1]) if k != i]
        var = cov[..., i, i]
        slope = cov[..., others, i] / np.expand_dims(var, -1)
        bounds = u[..., others] - slope * u[..., i : i + 1]
        spread = cov[..., others, :][..., others] - np.expand_dims(slope, -1) * np.expand_dims(cov[..., i, others], -2)
        density = np.exp(-(u[..., i] ** 2) / (2 * var)) / np.sqrt(2 * np.pi * var)
        yield i, others, density, bounds, spread


def gradient(u: Any, cov: Any, settings: Any) -> Any:
    """∂P/∂uᵢ = φ(uᵢ) P(Xⱼ ≤ uⱼ, j ≠ i | Xᵢ = uᵢ)."""
    parts = [f * probability(bounds, spread, settings) for _, _, f, bounds, spread in slices(u, cov, settings)]
    return np.stack(parts, -1) if parts else np.zeros_like(u)


def curvature(u: Any, cov: Any, settings: Any) -> Any:
    """∂²P/∂uᵢ∂uⱼ: the gradient of the slice, which moves with uᵢ."""
    rows = []
    for i, others, f, bounds, spread in slices(u, cov, settings):
        mixed = np.expand_dims(f, -1) * gradient(bounds, spread, settings)
        own = f * probability(bounds, spread, settings) * u[..., i] + np.sum(mixed * cov[..., others, i], -1)
        own = -np.expand_dims(own / cov[..., i, i], -1)
        rows.append(np.concatenate([mixed[..., :i], own, mixed[..., i:]], -1))
    return np.stack(rows, -2)


@rule(orthant, "(n),(n,n)->()")
def _orthant(p: Any, u: Any, cov: Any, *, settings: Any, seeded: bool = False) -> Any:
    """The normal density solves the heat equation in its covariance: ∂P/∂Σ = ½ ∂²P/∂u².  Plackett (1954), eq. (3)."""

    def dot_u(udot: Any) -> Any:
        return np.sum(gradient(u, cov, settings) * udot, -1)

    def bar_u(pbar: Any) -> Any:
        return np.expand_dims(pbar, -1) * gradient(u, cov, settings)

    def dot_cov(covdot: Any) -> Any:
        return np.sum(curvature(u, cov, settings) * sym(covdot), (-2, -1)) / 2

    def bar_cov(pbar: Any) -> Any:
        return np.expand_dims(pbar, (-2, -1)) * curvature(u, cov, settings) / 2

    return (dot_u, bar_u), (dot_cov, bar_cov)


def normal_cdf(
    x: Any,
    mean: Any = None,
    cov: Any = 1,
    allow_singular: bool = False,
    maxpts: Any = None,
    abseps: float = 1e-5,
    releps: float = 1e-5,
    *,
    lower_limit: Any = None,
    rng: Any = None,
) -> Any:
    if lower_limit is not None or rng is not None:
        raise NoRuleError("scipy.stats.multivariate_normal.cdf has no derivative rule with lower_limit or rng.")
    mean, cov = location_and_spread(mean, cov)
    return np.squeeze(orthant(points(x, len(mean)) - mean, cov, settings=(maxpts, abseps, releps)))


# ---------------------------------------------------------------- moments and entropies


def dirichlet_mean(alpha: Any) -> Any:
    alpha = as_array(alpha)
    return alpha / np.sum(alpha)


def outer(p: Any) -> Any:
    """diag(p) − p pᵀ."""
    return np.expand_dims(p, -1) * (np.eye(p.shape[-1]) - np.expand_dims(p, -2))


def dirichlet_cov(alpha: Any) -> Any:
    return outer(dirichlet_mean(alpha)) / (np.sum(as_array(alpha)) + 1)


def dirichlet_entropy(alpha: Any) -> Any:
    alpha = as_array(alpha)
    total = np.sum(alpha)
    mixed = (total - len(alpha)) * sc.psi(total) - np.sum((alpha - 1) * sc.psi(alpha))
    return np.sum(sc.gammaln(alpha)) - sc.gammaln(total) + mixed


def with_last(p: Any) -> Any:
    """Probabilities, of which the last is what the others leave."""
    p = as_array(p)
    return np.concatenate([p[..., :-1], 1 - np.sum(p[..., :-1], -1, keepdims=True)], -1)


def over_counts(n: Any, own: Any, ndim: int) -> Any:
    """A number of draws against an array of ``ndim`` own dimensions."""
    return np.reshape(np.asarray(n), np.shape(n) + (1,) * ndim) * own


def dirichlet_multinomial_cov(alpha: Any, n: Any) -> Any:
    """Mosimann (1962)."""
    alpha, n = as_array(alpha), np.asarray(n)
    total = np.sum(alpha, -1)
    factor = n * (n + total) / (1 + total)
    return np.reshape(factor, factor.shape + (1, 1)) * outer(alpha / np.expand_dims(total, -1))


def diagonal(cov: Callable[..., Any]) -> Callable[..., Any]:
    """The variances."""
    return lambda *args, **kw: np.diagonal(cov(*args, **kw), axis1=-2, axis2=-1)


def scale_of(scale: Any) -> tuple[Any, int]:
    """A scale matrix, and its size."""
    scale = as_array(scale)
    scale = scale * np.eye(1) if np.ndim(scale) == 0 else np.diag(scale) if np.ndim(scale) == 1 else scale
    return scale, len(scale)


def number_or_matrix(x: Any) -> Any:
    return np.squeeze(x) if x.shape == (1, 1) else x


def wishart_mode(df: Any, scale: Any) -> Any:
    scale, p = scale_of(scale)
    return number_or_matrix(np.where(df >= p + 1, df - p - 1, np.nan) * scale)


def wishart_var(df: Any, scale: Any) -> Any:
    scale, _ = scale_of(scale)
    d = np.diagonal(scale)
    return number_or_matrix(df * (scale**2 + np.outer(d, d)))


def multigamma_slope(a: Any, p: int) -> Any:
    """The derivative of log Γₚ(a)."""
    return np.sum(sc.psi(np.expand_dims(a, -1) - np.arange(p) / 2), -1)


def wishart_entropy(df: Any, scale: Any) -> Any:
    scale, p = scale_of(scale)
    logdet = log_determinant(np.linalg.cholesky(scale))
    front = (p + 1) / 2 * logdet + p * (p + 1) / 2 * np.log(2) + log_multigamma(df / 2, p)
    return front - (df - p - 1) / 2 * multigamma_slope(df / 2, p) + df * p / 2


def invwishart_entropy(df: Any, scale: Any) -> Any:
    scale, p = scale_of(scale)
    logdet = log_determinant(np.linalg.cholesky(scale))
    front = (p + 1) / 2 * (logdet - np.log(2)) + log_multigamma(df / 2, p) + p * df / 2
    return front - (df + p + 1) / 2 * multigamma_slope(df / 2, p)


def invwishart_mean(df: Any, scale: Any) -> Any:
    scale, p = scale_of(scale)
    return number_or_matrix(scale * above(df, p + 1) / (df - p - 1))


def invwishart_var(df: Any, scale: Any) -> Any:
    """Muirhead (1982), problem 3.6."""
    scale, p = scale_of(scale)
    d = np.diagonal(scale)
    total = above(df, p + 3) * ((df - p + 1) * scale**2 + (df - p - 1) * np.outer(d, d))
    return number_or_matrix(total / ((df - p) * (df - p - 1) ** 2 * (df - p - 3)))


def matrix_normal_entropy(rowcov: Any = 1, colcov: Any = 1) -> Any:
    U, V = (np.linalg.cholesky(scale_of(c)[0]) for c in (rowcov, colcov))
    m, n = len(U), len(V)
    return m * n / 2 * (1 + LOG_2PI) + (n * log_determinant(U) + m * log_determinant(V)) / 2


def t_entropy(loc: Any = None, shape: np.ndarray | Any = 1, df: Any = 1) -> Any:
    """Arellano-Valle, Contreras-Reyes & Genton (2013), eq. (6)."""
    loc, shape = location_and_spread(loc, shape)
    p, half = len(loc), (df + len(loc)) / 2
    front = sc.gammaln(df / 2) - sc.gammaln(half) + p / 2 * np.log(df * np.pi)
    return front + half * (sc.psi(half) - sc.psi(df / 2)) + log_determinant(np.linalg.cholesky(shape)) / 2


def vonmises_fisher_entropy(mu: Any = None, kappa: Any = 1) -> Any:
    order = np.size(mu) / 2 - 1
    length = sc.ive(order + 1, kappa) / sc.ive(order, kappa)
    return (order + 1) * LOG_2PI - order * np.log(kappa) + np.log(sc.ive(order, kappa)) + kappa * (1 - length)


def above(x: Any, limit: float) -> Any:
    """1, or NaN where there is no such moment."""
    return np.where(x > limit, 1.0, np.nan)


# ---------------------------------------------------------------- samples


def moved(x: Any, loc: Any, L: Any) -> Any:
    """x = loc + L ε as a function of loc and L, vectors along the last axis."""
    deviations = np.reshape(x, (-1, len(loc))) - stop_gradient(loc)
    noise = solve_triangular(stop_gradient(L), deviations.T)
    return np.reshape(loc + H(L @ noise), x.shape)


def normal_rvs(mean: Any = None, cov: Any = 1, size: Any = 1, random_state: Any = None) -> Any:
    mean, cov = location_and_spread(mean, cov)
    x = sample(mean, cov, draw=stats.multivariate_normal.rvs, size=size, random_state=random_state)
    return moved(x, mean, np.linalg.cholesky(cov))


def t_rvs(loc: Any = None, shape: np.ndarray | Any = 1, df: Any = 1, size: Any = 1, random_state: Any = None) -> Any:
    loc, shape = location_and_spread(loc, shape)
    df = unmoved("multivariate_t", df)
    x = sample(loc, shape, df, draw=stats.multivariate_t.rvs, size=size, random_state=random_state)
    return moved(x, loc, np.linalg.cholesky(shape))


def unmoved(name: str, df: Any) -> Any:
    """The degrees of freedom, by which samples have no derivative."""
    function = f"dotbar.scipy.stats.{name}.rvs"
    return settled(as_array(df), function=function, argument="df", why=REASONS["rvs"])


def congruent(name: str) -> Callable[..., Any]:
    """x = L W Lᴴ as a function of the scale matrix L Lᴴ."""

    def rvs(df: Any, scale: Any, size: Any = 1, random_state: Any = None) -> Any:
        scale, p = scale_of(scale)
        x = sample(unmoved(name, df), scale, draw=getattr(stats, name).rvs, size=size, random_state=random_state)
        L = np.linalg.cholesky(scale)
        back = lambda X: solve_triangular(np.broadcast_to(stop_gradient(L), X.shape), X)
        W = back(mT(back(np.reshape(x, (-1, p, p)))))
        return np.reshape(L @ W @ mT(L), np.shape(x))

    return rvs


def matrix_normal_rvs(
    mean: Any = None, rowcov: Any = 1, colcov: Any = 1, size: Any = 1, random_state: Any = None
) -> Any:
    """X = M + L ε Rᴴ."""
    (rowcov, m), (colcov, n) = scale_of(rowcov), scale_of(colcov)
    mean = np.zeros((m, n)) if mean is None else as_array(mean)
    rowcov, colcov = (c * np.eye(k) if len(c) == 1 else c for c, k in zip((rowcov, colcov), mean.shape, strict=True))
    x = sample(mean, rowcov, colcov, draw=stats.matrix_normal.rvs, size=size, random_state=random_state)
    L, R = np.linalg.cholesky(rowcov), np.linalg.cholesky(colcov)
    back = lambda C, X: solve_triangular(np.broadcast_to(stop_gradient(C), (*X.shape[:-2], *C.shape)), X)
    noise = mT(back(R, mT(back(L, x - stop_gradient(mean)))))
    return mean + L @ noise @ mT(R)


# ---------------------------------------------------------------- the distributions

FORMULAS: dict[str, dict[str, Callable[..., Any]]] = {
    "dirichlet": {
        "logpdf": dirichlet_logpdf,
        "mean": dirichlet_mean,
        "var": diagonal(dirichlet_cov),
        "cov": dirichlet_cov,
        "entropy": dirichlet_entropy,
    },
    "dirichlet_multinomial": {
        "logpmf": dirichlet_multinomial_logpmf,
        "mean": lambda alpha, n: over_counts(n, as_array(alpha) / np.sum(as_array(alpha), -1, keepdims=True), 1),
        "var": diagonal(dirichlet_multinomial_cov),
        "cov": dirichlet_multinomial_cov,
    },
    "invwishart": {
        "logpdf": invwishart_logpdf,
        "mean": invwishart_mean,
        "mode": lambda df, scale: number_or_matrix((t := scale_of(scale))[0] / (df + t[1] + 1)),
        "var": invwishart_var,
        "entropy": invwishart_entropy,
        "rvs": congruent("invwishart"),
    },
    "matrix_normal": {"logpdf": matrix_normal_logpdf, "entropy": matrix_normal_entropy, "rvs": matrix_normal_rvs},
    "matrix_t": {"logpdf": matrix_t_logpdf},
    "multinomial": {
        "logpmf": multinomial_logpmf,
        "mean": lambda n, p: over_counts(n, with_last(p), 1),
        "cov": lambda n, p: over_counts(n, outer(with_last(p)), 2),
    },
    "multivariate_normal": {
        "logpdf": normal_logpdf,
        "cdf": normal_cdf,
        "logcdf": lambda *args, **kw: np.log(normal_cdf(*args, **kw)),
        "entropy": normal_entropy,
        "rvs": normal_rvs,
    },
    "multivariate_t": {"logpdf": t_logpdf, "entropy": t_entropy, "rvs": t_rvs},
    "normal_inverse_gamma": {
        "logpdf": normal_inverse_gamma_logpdf,
        "mean": lambda mu=0, lmbda=1, a=1, b=1: (mu * above(a, 1) + 0 * lmbda, b * above(a, 1) / (a - 1)),
        "var": lambda mu=0, lmbda=1, a=1, b=1: (
            b * above(a, 1) / ((a - 1) * lmbda) + 0 * mu,
            b**2 * above(a, 2) / ((a - 1) ** 2 * (a - 2)),
        ),
    },
    "vonmises_fisher": {"logpdf": vonmises_fisher_logpdf, "entropy": vonmises_fisher_entropy},
    "wishart": {
        "logpdf": wishart_logpdf,
        "mean": lambda df, scale: number_or_matrix(df * scale_of(scale)[0]),
        "mode": wishart_mode,
        "var": wishart_var,
        "entropy": wishart_entropy,
        "rvs": congruent("wishart"),
    },
}

REASONS = {
    "cdf": "it is approximated at points drawn at random",
    "fit": "write the likelihood by logpdf",
    "marginal": "take the entries of the parameters",
    "rvs": "how its samples move with the parameters is not known",
}
INTEGERS = {"multivariate_hypergeom", "ortho_group", "random_table", "special_ortho_group", "unitary_group"}


class Frozen:
    """A distribution with its parameters: SciPy's frozen one until something traced comes."""

    def __init__(self, dist: Any, args: tuple[Any, ...], kw: dict[str, Any]):
        self.dist, self.args, self.kw = dist, args, kw
        self.plain = dist.plain(*args, **kw) if first_traced([*map(as_matrix, (*args, *kw.values()))]) is None else None
        self.given = signature(type(dist.plain).__call__).bind(dist, *args, **kw).arguments

    def __reduce__(self) -> Any:
        return Frozen, (self.dist, self.args, self.kw)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("plain", "given"):
            raise AttributeError(name)
        method = getattr(self.dist, name, None)
        if self.plain is not None and name not in vars(type(self.dist)):
            return getattr(self.plain, name)
        if method is None:
            if name in self.given:
                return as_array(as_matrix(self.given[name]))
            raise AttributeError(f"a frozen {type(self.dist).__name__} with traced parameters has no {name!r}")

        def call(*args: Any, **kw: Any) -> Any:
            if self.plain is not None and first_traced([*args, *kw.values()]) is None:
                return getattr(self.plain, name)(*args, **kw)
            taken = signature(method).parameters
            if name == "rvs":
                kw = {"random_state": self.given.get("seed")} | dict(zip(("size", "random_state"), args)) | kw
                args = ()
            return method(*args, **{k: v for k, v in self.given.items() if k in taken}, **kw)

        return call


def enter(name: str, formulas: dict[str, Callable[..., Any]]) -> None:
    """Let an object of a subclass, whose methods differentiate, stand for SciPy's distribution."""
    dist = getattr(stats, name)
    kind = type(dist)
    formulas = {method: named_as(f"{name}.{method}", getattr(dist, method), f) for method, f in formulas.items()}
    for log, exp in (("logpdf", "pdf"), ("logpmf", "pmf")):
        if log in formulas:
            formulas = {**formulas, exp: lambda *args, f=formulas[log], **kw: np.exp(f(*args, **kw))}
    public = {method for method in dir(kind) if not method.startswith("_") and callable(getattr(kind, method))}
    methods: dict[str, Any] = {method: or_scipys(getattr(kind, method), quietly(f)) for method, f in formulas.items()}
    for method in public - set(methods):
        why = "the parameters are integers" if name in INTEGERS else REASONS.get(method, "it is a sum over all counts")
        methods[method] = or_scipys(getattr(kind, method), refused(method, why))
    if name == "multivariate_normal":
        methods = {method: of_matrices(f) for method, f in methods.items()} | {"rvs": by_factors(methods["rvs"])}
    methods["__reduce__"] = lambda self: (named, (name,))
    methods["__call__"] = lambda self, *args, **kw: Frozen(self, args, kw)
    own = type(kind.__name__, (kind,), {"__module__": "dotbar.scipy.stats", "name": name, "plain": dist, **methods})
    OWN[dist] = own.__new__(own)
    OWN[dist].__dict__.update(dist.__dict__)


def of_matrices(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that takes covariances made of traced values."""

    @wraps(method)
    def call(self: Any, *args: Any, **kw: Any) -> Any:
        return method(self, *map(as_matrix, args), **{k: as_matrix(v) for k, v in kw.items()})

    return call


def by_factors(rvs: Callable[..., Any]) -> Callable[..., Any]:
    """Samples, of a covariance given by its factors as SciPy makes them."""

    @wraps(rvs)
    def call(self: Any, mean: Any = None, cov: Any = 1, size: Any = 1, random_state: Any = None) -> Any:
        if not isinstance(cov, stats.Covariance) or first_traced([mean, as_matrix(cov)]) is None:
            return rvs(self, mean, cov, size, random_state)
        shape = (*np.atleast_1d(size or ()).astype(int), cov.shape[-1])
        noise = lambda size, random_state: self._get_random_state(random_state).normal(size=size)
        x = cov.colorize(sample(draw=noise, size=shape, random_state=random_state))
        return x if mean is None else as_array(mean) + x

    return call


def quietly(formula: Callable[..., Any]) -> Callable[..., Any]:
    """A formula as a method, without NumPy's warnings where its value is infinite or NaN."""

    def method(self: Any, *args: Any, **kw: Any) -> Any:
        with np.errstate(all="ignore"):
            return formula(*args, **kw)

    return method


for _name, _dist in vars(stats).items():
    if isinstance(_dist, multi_rv_generic):
        enter(_name, FORMULAS.get(_name, {}))

"""Distributions in x and every parameter.  The value is SciPy's own, and so is everything that has no derivative.

The derivatives come from the logarithm of the density, which is SciPy's formula run on traced values or one of
``continuous.DENSITIES``, and from the transport V of its quantiles (``transport``):

=============  ===========================================  =================================
function       ∂/∂x                                         ∂/∂θ
=============  ===========================================  =================================
log f          s                                            the score of θ
F, 1 − F       ± f                                          ± f V
log F, log S   ± f/F, ± f/S                                 the same times V
quantiles      ± 1/f                                        −V
samples                                                     −V: the sample keeps its quantile
=============  ===========================================  =================================

With z = (x − loc)/scale, V is −1 for loc, −z for scale, and scale · V(z) for a shape parameter.  A discrete
distribution has the same table without its first column.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats
from scipy.stats import rv_continuous, rv_discrete

from dotbar.core import as_array, first_traced
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import rule
from dotbar.rules.words import stop_gradient
from dotbar.scipy.mirror import OWN
from dotbar.scipy.stats import continuous, discrete
from dotbar.scipy.stats.continuous import density, velocities
from dotbar.scipy.stats.law import drawn, entrywise, law, mass
from dotbar.scipy.stats.law import moment as law_moment
from dotbar.scipy.stats.transport import between, expectation, partial

SIGNS = {"cdf": 1, "logcdf": 1, "ppf": 1, "sf": -1, "logsf": -1, "isf": -1}
"""The functions that a quantile's transport differentiates, with the direction in which they run."""


def as_double(x: Any) -> Any:
    """A parameter in the precision in which SciPy computes distributions."""
    return x * np.float64(1)


def within(dist: Any, z: Any, shapes: Any, strictly: bool = False) -> tuple[Any, Any]:
    """Where z lies in the support, and z there; elsewhere some point of the support."""
    support = continuous.SUPPORTS.get(dist.name, dist._get_support)
    lower, upper = support(*map(stop_gradient, shapes))
    inside = (z > lower) & (z < upper) if strictly else (z >= lower) & (z <= upper)
    middle = (np.maximum(lower, np.minimum(upper - 2, -1)) + np.minimum(upper, np.maximum(lower + 2, 1))) / 2
    return inside, np.where(inside, z, middle)


# ---------------------------------------------------------------- continuous distributions


@rule(law, "(),(),(),(),(),(),(),()->()")
def _law(y: Any, *args: Any, dist: Any, method: str) -> Any:
    """See the table above.  Samples: Figurnov, Mohamed & Mnih (2018), arXiv:1805.08498, eq. (6)."""
    x, loc, scale, *shapes = map(as_double, args)
    x = y if method in ("ppf", "isf") else x
    z = (x - loc) / scale

    def score(i: int) -> Any:
        inside, t = within(dist, z, shapes)
        s = partial(density(dist), max(i - 2, 0), (t, *shapes))
        return np.where(inside, (s / scale, -s / scale, -(t * s + 1) / scale)[i] if i < 3 else s, 0)

    def velocity(i: int) -> Any:
        if i < 3:
            return (1.0, -1.0, -z)[i]
        inside, t = within(dist, z, shapes, strictly=True)
        return np.where(inside, scale * velocities(dist)[i - 3](t, *shapes), 0)

    def factor(i: int) -> Any:
        if method in ("pdf", "logpdf"):
            return score(i) if method == "logpdf" else np.where(y > 0, y * score(i), 0) if i > 2 else y * score(i)
        if method == "rvs":
            return -velocity(i) if i else 1.0
        if method in continuous.LOGARITHMS.get(dist.name, ()):
            return partial(continuous.LOGARITHMS[dist.name][method], 0, (z,)) / scale * velocity(i)
        logf = law(x, loc, scale, *shapes, dist=dist, method="logpdf")
        if method in ("ppf", "isf"):
            return -velocity(i) if i else SIGNS[method] * np.exp(-logf)
        ratio = np.exp(logf - y if method.startswith("log") else logf)
        return np.where(logf > -np.inf, SIGNS[method] * ratio * velocity(i), 0)

    return [entrywise(factor, y)(i) for i in range(len(args))]


def moments(dist: Any, *shapes: Any) -> dict[str, Callable[[], Any]]:
    """Moments and entropy of the standard distribution as functions that can be differentiated."""
    coordinate = between(dist.a, dist.b)
    plain = tuple(map(stop_gradient, shapes))
    centre = continuous.KINKS.get(dist.name, lambda *shapes: law(0.5, 0.0, 1.0, *shapes, dist=dist, method="ppf"))(
        *plain
    )
    origin = np.expand_dims(law_moment(0.0, 1.0, *plain, dist=dist, kind="mean"), -1)

    def about(k: int) -> Any:
        return expectation(density(dist), lambda t, *_: (t - origin) ** k, coordinate, centre, *shapes)

    def variance() -> Any:
        return about(2) - about(1) ** 2

    def skewness() -> Any:
        m = about(1)
        return (about(3) - 3 * m * about(2) + 2 * m**3) / variance() ** 1.5

    def kurtosis() -> Any:
        m = about(1)
        return (about(4) - 4 * m * about(3) + 6 * m**2 * about(2) - 3 * m**4) / variance() ** 2 - 3

    def entropy() -> Any:
        return -expectation(density(dist), density(dist), coordinate, centre, *shapes)

    return {
        "mean": lambda: origin[..., 0] + about(1),
        "variance": variance,
        "skewness": skewness,
        "kurtosis": kurtosis,
        "entropy": entropy,
    }


@rule(law_moment, "(),(),(),(),(),(),(),()->()")
def _moment(y: Any, *args: Any, dist: Any, kind: str) -> Any:
    """∂/∂θ E h(X) = ∫ (h s + ∂h/∂θ) f dx with the score s of θ; NaN where the same integral misses E h(X) itself."""
    loc, scale, *shapes = map(as_double, args)

    def of_standard(*shapes: Any) -> Any:
        return moments(dist, *shapes)[kind]()

    def scaled(m: Any) -> Any:
        return {"mean": loc + scale * m, "variance": scale**2 * m, "entropy": m + np.log(scale)}.get(kind, m)

    def factor(i: int) -> Any:
        if i == 0:
            return 1.0 if kind == "mean" else 0.0
        if i == 1:
            return {"mean": (y - loc) / scale, "variance": 2 * y / scale, "entropy": 1 / scale}.get(kind, 0.0)
        p = {"mean": scale, "variance": scale**2}.get(kind, 1.0) * partial(of_standard, i - 2, tuple(shapes))
        error = stop_gradient(scaled(of_standard(*shapes)) - y)
        return np.where(np.abs(error) <= 1e-7 * (1 + np.abs(stop_gradient(y))), p, np.nan)

    return [entrywise(factor, y)(i) for i in range(len(args))]


# ---------------------------------------------------------------- discrete distributions


def mass_logarithm(dist: Any) -> Callable[..., Any]:
    """The logarithm of the standard density as a function that can be differentiated."""
    return discrete.DENSITIES.get(dist.name, dist._logpmf)


def sum_of_scores(dist: Any, i: int, k: Any, *shapes: Any) -> Any:
    """(∂F/∂θ)/f at k: the scores of all integers up to k, weighted by f relative to that at k."""
    lower = dist._get_support(*map(stop_gradient, shapes))[0]
    steps = np.arange(int(np.max(k - lower)) + 1)
    k, *shapes = (np.expand_dims(s, -1) for s in (k, *shapes))
    inside = k - steps >= np.expand_dims(lower, -1)
    j = np.where(inside, k - steps, k)
    logf = mass_logarithm(dist)
    terms = partial(logf, i + 1, (j, *shapes)) * np.exp(logf(j, *shapes) - logf(k, *shapes))
    return np.sum(np.where(inside, terms, 0), -1)


@rule(mass, "(),(),(),(),(),(),(),()->()")
def _mass(y: Any, *args: Any, dist: Any, method: str) -> Any:
    """The table above without its first column."""
    k, loc, *shapes = args
    shapes = [s if i in discrete.INTEGERS.get(dist.name, ()) else as_double(s) for i, s in enumerate(shapes)]
    k = np.floor(k - loc) * 1.0

    def factor(i: int) -> Any:
        inside, t = within(dist, k, shapes)
        if method in ("pmf", "logpmf"):
            s = partial(mass_logarithm(dist), i - 1, (t, *shapes))
            return np.where(inside, s if method == "logpmf" else y * s, 0)
        known = discrete.VELOCITIES[dist.name][i - 2]
        v = sum_of_scores(dist, i - 2, t, *shapes) if known is None else known(t, *shapes)
        logf = mass(k, 0, *shapes, dist=dist, method="logpmf")
        ratio = np.exp(logf - y if method.startswith("log") else logf)
        return np.where(inside & (y > -np.inf), SIGNS[method] * ratio * v, 0)

    pairs = [entrywise(factor, y)(i) for i in range(2, len(args))]
    for i in discrete.INTEGERS.get(dist.name, ()):
        pairs[i] = f"{dist.shapes.split(', ')[i]} is an integer"
    return ["the distribution lives on the integers", "the distribution lives on the integers", *pairs]


# ---------------------------------------------------------------- the distributions


class Differentiable:
    """What a distribution adds to SciPy's own class, of which it is a subclass."""

    plain: Any
    """SciPy's distribution."""

    def __reduce__(self) -> Any:
        return named, (self.plain.name,)

    def refuse(self, method: str) -> NoRuleError:
        """The error for what has no derivative."""
        return NoRuleError(
            f"dotbar.scipy.stats.{self.plain.name}.{method} has no derivative rule. "
            "Pass stop_gradient(x) to treat an argument as a constant."
        )

    def moment(self: Any, order: int, *args: Any, **kw: Any) -> Any:
        """The moment of that order about zero."""
        if first_traced([*args, *kw.values()]) is None:
            return super().moment(order, *args, **kw)  # type: ignore[misc]
        raise self.refuse("moment")

    def expect(self: Any, *args: Any, **kw: Any) -> Any:
        """The expectation of a function."""
        if first_traced([*args, *kw.values()]) is None:
            return super().expect(*args, **kw)  # type: ignore[misc]
        raise self.refuse("expect")


def traced_method(kind: type, method: str) -> Callable[..., Any]:
    """A function of x and the parameters: SciPy's, or the word if something is traced."""

    def call(self: Any, x: Any, *args: Any, **kw: Any) -> Any:
        if first_traced([x, *args, *kw.values()]) is None:
            return getattr(super(kind, self), method)(x, *args, **kw)
        if self.plain.name not in kind.KNOWN:  # type: ignore[attr-defined]
            raise self.refuse(method)
        shapes, loc, scale = self._parse_args(*args, **kw)
        parameters = (loc, scale, *shapes) if kind is Continuous else (loc, *shapes)
        return kind.WORD(*map(as_array, (x, *parameters)), dist=self.plain, method=method)  # type: ignore[attr-defined]

    call.__name__, call.__doc__ = method, getattr(rv_continuous, method, getattr(rv_discrete, method, None)).__doc__
    call.__qualname__, call.__module__ = f"{kind.__name__}.{method}", "dotbar.scipy.stats"
    return call


class Continuous(Differentiable):
    """A continuous distribution."""

    WORD = law
    KNOWN = continuous.VELOCITIES

    def stats(self: Any, *args: Any, **kw: Any) -> Any:
        """Mean, variance, skewness and kurtosis, as chosen by ``moments``."""
        if first_traced([*args, *kw.values()]) is None:
            return super().stats(*args, **kw)  # type: ignore[misc]
        shapes, loc, scale, chosen = self._parse_args_stats(*args, **kw)
        kinds = [kind for kind in ("mean", "variance", "skewness", "kurtosis") if kind[0] in chosen]
        found = tuple(self._integral(kind, loc, scale, shapes) for kind in kinds)
        return found[0] if len(found) == 1 else found

    def entropy(self: Any, *args: Any, **kw: Any) -> Any:
        """The differential entropy."""
        if first_traced([*args, *kw.values()]) is None:
            return super().entropy(*args, **kw)  # type: ignore[misc]
        shapes, loc, scale = self._parse_args(*args, **kw)
        return self._integral("entropy", loc, scale, shapes)

    def _integral(self: Any, kind: str, loc: Any, scale: Any, shapes: Any) -> Any:
        if self.plain.name not in self.KNOWN or self.plain._get_support.__func__ is not rv_continuous._get_support:
            raise self.refuse(kind)
        return law_moment(*map(as_array, (loc, scale, *shapes)), dist=self.plain, kind=kind)

    def rvs(self: Any, *args: Any, random_state: Any = None, **kw: Any) -> Any:
        """A sample, reparametrised: when a parameter changes, it moves with the quantile at which it lies."""
        if first_traced([*args, *kw.values()]) is None:
            return super().rvs(*args, random_state=random_state, **kw)  # type: ignore[misc]
        if self.plain.name not in self.KNOWN:
            raise self.refuse("rvs")
        *args, kw["size"] = args if len(args) > self.numargs + 2 else (*args, kw.get("size"))
        size = kw.pop("size")
        shapes, loc, scale = self._parse_args(*args, **kw)
        state = self._random_state if random_state is None else random_state
        parameters = [as_array(p) for p in (loc, scale, *shapes)]
        x = drawn(*parameters, dist=self.plain, size=size, random_state=state)
        return law(x, *parameters, dist=self.plain, method="rvs")


class Discrete(Differentiable):
    """A discrete distribution."""

    WORD = mass
    KNOWN = discrete.VELOCITIES

    def stats(self: Any, *args: Any, **kw: Any) -> Any:
        """Mean, variance, skewness and kurtosis, as chosen by ``moments``."""
        if first_traced([*args, *kw.values()]) is None:
            return super().stats(*args, **kw)  # type: ignore[misc]
        if self.plain.name not in discrete.MOMENTS:
            raise self.refuse("stats")
        shapes, loc, _, chosen = self._parse_args_stats(*args, **kw)
        valid = np.where(self._argcheck(*map(stop_gradient, shapes)), 1.0, np.nan)
        mean, *others = discrete.MOMENTS[self.plain.name](*shapes)
        found = tuple(m * valid for name, m in zip("mvsk", (loc + mean, *others)) if name in chosen)
        return found[0] if len(found) == 1 else found

    def entropy(self: Any, *args: Any, **kw: Any) -> Any:
        """The entropy."""
        if first_traced([*args, *kw.values()]) is None:
            return super().entropy(*args, **kw)  # type: ignore[misc]
        raise self.refuse("entropy")

    def rvs(self: Any, *args: Any, **kw: Any) -> Any:
        """A sample: integers, which have no derivative."""
        if first_traced([*args, *kw.values()]) is None:
            return super().rvs(*args, **kw)  # type: ignore[misc]
        raise self.refuse("rvs")

    def ppf(self: Any, q: Any, *args: Any, **kw: Any) -> Any:
        """A quantile: an integer, which has no derivative."""
        if first_traced([q, *args, *kw.values()]) is None:
            return super().ppf(q, *args, **kw)  # type: ignore[misc]
        raise self.refuse("ppf")

    def isf(self: Any, q: Any, *args: Any, **kw: Any) -> Any:
        """A quantile: an integer, which has no derivative."""
        if first_traced([q, *args, *kw.values()]) is None:
            return super().isf(q, *args, **kw)  # type: ignore[misc]
        raise self.refuse("isf")


for _kind, _methods in {
    Continuous: ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf"),
    Discrete: ("pmf", "logpmf", "cdf", "logcdf", "sf", "logsf"),
}.items():
    for _method in _methods:
        setattr(_kind, _method, traced_method(_kind, _method))


def named(name: str) -> Any:
    """The distribution of that name, for pickle."""
    return OWN[getattr(stats, name)]


def enter(dist: Any) -> None:
    """Let a distribution that differentiates stand for SciPy's."""
    kind = Continuous if isinstance(dist, rv_continuous) else Discrete
    own = type(type(dist).__name__, (kind, type(dist)), {"__module__": "dotbar.scipy.stats", "plain": dist})
    OWN[dist] = own.__new__(own)
    OWN[dist].__setstate__(dist.__getstate__())


for _dist in vars(stats).values():
    if isinstance(_dist, (rv_continuous, rv_discrete)):
        enter(_dist)

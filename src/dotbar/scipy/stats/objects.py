"""SciPy's distributions as objects that take traced values: its own, and where something is traced the words."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy as np
from scipy import stats
from scipy.stats import rv_continuous, rv_discrete

from dotbar.core import active, as_array, first_traced
from dotbar.errors import NoRuleError
from dotbar.scipy.integrate.quadrature import quad
from dotbar.scipy.mirror import OWN, without_flags
from dotbar.scipy.stats import continuous, discrete
from dotbar.scipy.stats.densities import admissible, composed
from dotbar.scipy.stats.discrete import summed
from dotbar.scipy.stats.law import law, mass, moment, sample

__all__ = ["named", "named_as", "or_scipys", "refused"]


def or_scipys(scipys: Callable[..., Any], traced: Callable[..., Any]) -> Callable[..., Any]:
    """A method of SciPy's, in whose place another is called if an argument is traced."""

    @wraps(scipys)
    def call(self: Any, *args: Any, **kw: Any) -> Any:
        return (scipys if first_traced([*args, *kw.values()]) is None else traced)(self, *args, **kw)

    call.__module__ = "dotbar.scipy.stats"
    return call


def in_a_transform(scipys: Callable[..., Any], own: Callable[..., Any]) -> Callable[..., Any]:
    """A method of SciPy's, in whose place another is called where its function may close over traced values."""

    @wraps(scipys)
    def call(self: Any, *args: Any, **kw: Any) -> Any:
        return (own if active.levels else scipys)(self, *args, **kw)

    call.__module__ = "dotbar.scipy.stats"
    return call


def named_as(name: str, scipys: Callable[..., Any], f: Callable[..., Any]) -> Callable[..., Any]:
    """A method that refuses traced flags, under the name by which it is known to the user."""
    f = without_flags(scipys, f)
    f.__name__ = f.__qualname__ = name
    f.__module__ = "dotbar.scipy.stats"
    return f


def refused(name: str, why: str) -> Callable[..., Any]:
    """A method that has no derivative."""

    def method(self: Any, *args: Any, **kw: Any) -> Any:
        raise NoRuleError(
            f"dotbar.scipy.stats.{self.name}.{name} has no derivative rule: {why}. "
            "Pass stop_gradient(x) to treat an argument as a constant."
        )

    return method


# ---------------------------------------------------------------- methods for traced values


def by_law(method: str) -> Callable[..., Any]:
    """A function of x and the parameters of a continuous distribution."""

    def call(self: Any, x: Any, *args: Any, **kw: Any) -> Any:
        shapes, loc, scale = self._parse_args(*args, **kw)
        f = composed(self.plain, method) or partial(law, dist=self.plain, method=method)
        return f(*map(as_array, (x, loc, scale, *shapes)))

    return call


def by_mass(method: str) -> Callable[..., Any]:
    """A function of k and the parameters of a discrete distribution."""

    def call(self: Any, k: Any, *args: Any, **kw: Any) -> Any:
        shapes, loc, _ = self._parse_args(*args, **kw)
        f = composed(self.plain, method) or partial(mass, dist=self.plain, method=method)
        return f(*map(as_array, (k, loc, *shapes)))

    return call


def rvs(self: Any, *args: Any, size: Any = None, random_state: Any = None, **kw: Any) -> Any:
    """A sample, reparametrised: when a parameter changes, it moves with the quantile at which it lies."""
    if len(args) > self.numargs + 2:
        *args, size = args
    shapes, loc, scale = self._parse_args(*args, **kw)
    parameters = [as_array(p) for p in (loc, scale, *shapes)]
    draw = lambda loc, scale, *shapes, **how: self.plain.rvs(*shapes, loc=loc, scale=scale, **how)
    state = self._random_state if random_state is None else random_state
    x = sample(*parameters, draw=draw, size=size, random_state=state)
    return law(x, *parameters, dist=self.plain, method="rvs")


KINDS = ("mean", "variance", "skewness", "kurtosis")


def chosen(found: dict[str, Callable[[], Any]], letters: str) -> Any:
    """The moments that SciPy's letters choose."""
    if not isinstance(letters, str):
        raise NoRuleError("stats has no derivative with respect to 'moments': it says what is computed.")
    values = tuple(compute() for name, compute in found.items() if name[0] in letters)
    return values[0] if len(values) == 1 else values


def integral(self: Any, kind: str, loc: Any, scale: Any, shapes: Any) -> Any:
    """A moment or the entropy of a continuous distribution."""
    return moment(*map(as_array, (loc, scale, *shapes)), dist=self.plain, kind=kind)


def continuous_stats(self: Any, *args: Any, **kw: Any) -> Any:
    shapes, loc, scale, letters = self._parse_args_stats(*args, **kw)
    return chosen({kind: lambda kind=kind: integral(self, kind, loc, scale, shapes) for kind in KINDS}, letters)


def continuous_entropy(self: Any, *args: Any, **kw: Any) -> Any:
    shapes, loc, scale = self._parse_args(*args, **kw)
    return integral(self, "entropy", loc, scale, shapes)


def raw_moment(self: Any, order: int, *args: Any, **kw: Any) -> Any:
    """E Xᵏ from the central moments; beyond the fourth as an integral."""
    if order > 4 and isinstance(self, rv_continuous):
        shapes, loc, scale = self._parse_args(*args, **kw)
        return self.expect(lambda x: x**order, shapes, loc=loc, scale=scale)
    if order not in range(5):
        raise NoRuleError(f"dotbar.scipy.stats.{self.name}.moment has a derivative rule for the orders 0 to 4.")
    m, v, s, k = self.stats(*args, moments="mvsk", **kw)
    third = s * v**1.5
    return (
        np.ones_like(m),
        m,
        m**2 + v,
        m**3 + 3 * m * v + third,
        m**4 + 6 * m**2 * v + 4 * m * third + (k + 3) * v**2,
    )[order]


def interval(self: Any, confidence: Any, *args: Any, **kw: Any) -> tuple[Any, Any]:
    """The quantiles between which the variable lies with the given probability, as likely above as below."""
    return self.ppf((1 - confidence) / 2, *args, **kw), self.ppf((1 + confidence) / 2, *args, **kw)


def ends(self: Any, shapes: Any) -> tuple[Any, Any]:
    """Of the support of the standard variable."""
    return continuous.support(self, map(as_array, shapes))


def support(self: Any, *args: Any, **kw: Any) -> tuple[Any, Any]:
    """The ends of the support, NaN for invalid parameters."""
    shapes, loc, scale = self._parse_args(*args, **kw)
    valid = admissible(self, scale, shapes)

    def moved(end: Any) -> Any:
        finite = np.isfinite(end)
        return np.where(valid, np.where(finite, loc + scale * np.where(finite, end, 0), end), np.nan)

    return tuple(map(moved, ends(self, shapes)))  # type: ignore[return-value]


def expect(
    self: Any,
    func: Callable[[Any], Any] | None = None,
    args: tuple[Any, ...] = (),
    loc: Any = 0,
    scale: Any = 1,
    lb: Any = None,
    ub: Any = None,
    conditional: bool = False,
    **options: Any,
) -> Any:
    """E func(X), an integral over the standard variable."""
    func = func or (lambda x: x)
    a, b = (
        end if given is None else (given - loc) / scale for given, end in zip((lb, ub), ends(self, args), strict=True)
    )
    mass = self.sf(a, *args) - self.sf(b, *args) if conditional else 1
    return quad(lambda z: func(loc + scale * z) * self.pdf(z, *args), a, b, **options)[0] / mass


def nnlf(self: Any, theta: Any, x: Any) -> Any:
    """−Σ log f(x) of the parameters, with loc and scale last."""
    return -np.sum(self.logpdf(as_array(x), *theta))


def discrete_stats(self: Any, *args: Any, **kw: Any) -> Any:
    shapes, loc, _, letters = self._parse_args_stats(*args, **kw)
    if self.name in discrete.MOMENTS:
        valid = np.where(admissible(self, 1, shapes), 1.0, np.nan)
        found = {kind: lambda m=valid * m: m for kind, m in zip(KINDS, discrete.MOMENTS[self.name](*shapes))}
    else:
        found = {kind: lambda kind=kind: summed(*map(as_array, shapes), dist=self.plain, kind=kind) for kind in KINDS}
    mean = found["mean"]
    return chosen({**found, "mean": lambda: loc + mean()}, letters)


def discrete_entropy(self: Any, *args: Any, **kw: Any) -> Any:
    shapes, _, _ = self._parse_args(*args, **kw)
    return summed(*map(as_array, shapes), dist=self.plain, kind="entropy")


CONTINUOUS: dict[str, Callable[..., Any]] = {
    **{name: by_law(name) for name in ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf")},
    "rvs": rvs,
    "stats": continuous_stats,
    "entropy": continuous_entropy,
    "support": support,
    "moment": raw_moment,
    "interval": interval,
    "nnlf": nnlf,
    "fit": refused("fit", "minimize nnlf by dotbar.scipy.optimize.minimize, which has one"),
    "fit_loc_scale": refused("fit_loc_scale", "take loc and scale from the mean and the variance of the data"),
}
DISCRETE: dict[str, Callable[..., Any]] = {
    **{name: by_mass(name) for name in ("pmf", "logpmf", "cdf", "logcdf", "sf", "logsf")},
    "stats": discrete_stats,
    "entropy": discrete_entropy,
    "support": support,
    "moment": raw_moment,
    "expect": refused("expect", "sum func(k) pmf(k) over the integers that matter"),
    **{name: refused(name, "quantiles are integers, which jump") for name in ("ppf", "isf", "median", "interval")},
    "rvs": refused("rvs", "samples are integers, which jump; logpmf has one, for the score"),
}
UNSTABLE = {
    name: refused(name, "its density is an oscillating integral, which SciPy approximates piece by piece")
    for name in CONTINUOUS
}
"""Of ``levy_stable``."""


# ---------------------------------------------------------------- the objects


def named(name: str) -> Any:
    """The distribution of that name, for pickle."""
    return OWN[getattr(stats, name)]


def enter(dist: Any) -> None:
    """Let an object of a subclass, whose methods differentiate, stand for SciPy's distribution."""
    methods = CONTINUOUS if isinstance(dist, rv_continuous) else DISCRETE
    methods = UNSTABLE if dist.name == "levy_stable" else methods
    kind = type(dist)
    methods = {
        name: or_scipys(getattr(kind, name), named_as(f"{dist.name}.{name}", getattr(kind, name), f))
        for name, f in methods.items()
    }
    if isinstance(dist, rv_continuous):
        methods["expect"] = in_a_transform(kind.expect, expect)
    methods["__reduce__"] = lambda self: (named, (dist.name,))
    own = type(kind.__name__, (kind,), {"__module__": "dotbar.scipy.stats", "plain": dist, **methods})
    OWN[dist] = own.__new__(own)
    OWN[dist].__setstate__(dist.__getstate__())


for _dist in vars(stats).values():
    if isinstance(_dist, (rv_continuous, rv_discrete)):
        enter(_dist)

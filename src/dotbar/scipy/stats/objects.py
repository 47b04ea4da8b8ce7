"""SciPy's distributions as objects that take traced values: its own, and where something is traced the words."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy as np
from scipy import stats
from scipy.stats import rv_continuous, rv_discrete

from dotbar.core import as_array, first_traced
from dotbar.errors import NoRuleError
from dotbar.rules.words import stop_gradient
from dotbar.scipy.mirror import OWN
from dotbar.scipy.stats import continuous, discrete
from dotbar.scipy.stats.densities import composed
from dotbar.scipy.stats.law import drawn, law, mass, moment

__all__ = ["named", "or_scipys"]


def or_scipys(scipys: Callable[..., Any], traced: Callable[..., Any]) -> Callable[..., Any]:
    """A method of SciPy's, in whose place another is called if an argument is traced."""

    @wraps(scipys)
    def call(self: Any, *args: Any, **kw: Any) -> Any:
        return (scipys if first_traced([*args, *kw.values()]) is None else traced)(self, *args, **kw)

    call.__module__ = "dotbar.scipy.stats"
    return call


def refused(name: str) -> Callable[..., Any]:
    """A method that has no derivative."""

    def method(self: Any, *args: Any, **kw: Any) -> Any:
        raise NoRuleError(
            f"dotbar.scipy.stats.{self.name}.{name} has no derivative rule. "
            "Pass stop_gradient(x) to treat an argument as a constant."
        )

    return method


def known(table: dict[str, Any], name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of the distributions in a table; the others refuse."""
    return lambda self, *args, **kw: (method if self.name in table else refused(name))(self, *args, **kw)


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
        return mass(*map(as_array, (k, loc, *shapes)), dist=self.plain, method=method)

    return call


def rvs(self: Any, *args: Any, size: Any = None, random_state: Any = None, **kw: Any) -> Any:
    """A sample, reparametrised: when a parameter changes, it moves with the quantile at which it lies."""
    if len(args) > self.numargs + 2:
        *args, size = args
    shapes, loc, scale = self._parse_args(*args, **kw)
    parameters = [as_array(p) for p in (loc, scale, *shapes)]
    state = self._random_state if random_state is None else random_state
    x = drawn(*parameters, dist=self.plain, size=size, random_state=state)
    return law(x, *parameters, dist=self.plain, method="rvs")


def chosen(found: dict[str, Callable[[], Any]], letters: str) -> Any:
    """The moments that SciPy's letters choose."""
    values = tuple(compute() for name, compute in found.items() if name[0] in letters)
    return values[0] if len(values) == 1 else values


def integral(self: Any, kind: str, loc: Any, scale: Any, shapes: Any) -> Any:
    """A moment or the entropy of a continuous distribution."""
    return moment(*map(as_array, (loc, scale, *shapes)), dist=self.plain, kind=kind)


def continuous_stats(self: Any, *args: Any, **kw: Any) -> Any:
    shapes, loc, scale, letters = self._parse_args_stats(*args, **kw)
    kinds = ("mean", "variance", "skewness", "kurtosis")
    return chosen({kind: lambda kind=kind: integral(self, kind, loc, scale, shapes) for kind in kinds}, letters)


def continuous_entropy(self: Any, *args: Any, **kw: Any) -> Any:
    shapes, loc, scale = self._parse_args(*args, **kw)
    return integral(self, "entropy", loc, scale, shapes)


def discrete_stats(self: Any, *args: Any, **kw: Any) -> Any:
    shapes, loc, _, letters = self._parse_args_stats(*args, **kw)
    valid = np.where(self._argcheck(*map(stop_gradient, shapes)), 1.0, np.nan)
    mean, var, skew, kurt = (valid * m for m in discrete.MOMENTS[self.name](*shapes))
    return chosen({"m": lambda: loc + mean, "v": lambda: var, "s": lambda: skew, "k": lambda: kurt}, letters)


CONTINUOUS = {
    **{name: by_law(name) for name in ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf")},
    "rvs": rvs,
    "stats": continuous_stats,
    "entropy": continuous_entropy,
}
DISCRETE = {name: by_mass(name) for name in ("pmf", "logpmf", "cdf", "logcdf", "sf", "logsf")}
REFUSED = ("moment", "expect")
REFUSED_BY_INTEGERS = (*REFUSED, "ppf", "isf", "rvs", "entropy")


# ---------------------------------------------------------------- the objects


def named(name: str) -> Any:
    """The distribution of that name, for pickle."""
    return OWN[getattr(stats, name)]


def enter(dist: Any) -> None:
    """Let an object of a subclass, whose methods differentiate, stand for SciPy's distribution."""
    if isinstance(dist, rv_continuous):
        methods = {name: known(continuous.VELOCITIES, name, method) for name, method in CONTINUOUS.items()}
        methods |= {name: refused(name) for name in REFUSED}
    else:
        methods = {name: known(discrete.VELOCITIES, name, method) for name, method in DISCRETE.items()}
        methods |= {name: refused(name) for name in REFUSED_BY_INTEGERS}
        methods["stats"] = known(discrete.MOMENTS, "stats", discrete_stats)
    kind = type(dist)
    methods = {name: or_scipys(getattr(kind, name), method) for name, method in methods.items()}
    methods["__reduce__"] = lambda self: (named, (dist.name,))
    own = type(kind.__name__, (kind,), {"__module__": "dotbar.scipy.stats", "plain": dist, **methods})
    OWN[dist] = own.__new__(own)
    OWN[dist].__setstate__(dist.__getstate__())


for _dist in vars(stats).values():
    if isinstance(_dist, (rv_continuous, rv_discrete)):
        enter(_dist)

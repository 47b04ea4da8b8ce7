"""Random variables of SciPy's newer interface: Normal, Uniform and Logistic, by the older distributions' rules.

A variable is SciPy's own until a parameter or an argument is traced.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from scipy import stats

from dotbar.core import as_array, first_traced
from dotbar.errors import NoRuleError
from dotbar.scipy.mirror import OWN

# fmt: off
METHODS: dict[str, Callable[..., Any]] = {
    "pdf": lambda d, x: d.pdf(x),
    "logpdf": lambda d, x: d.logpdf(x),
    "cdf": lambda d, x, y=None: d.cdf(x) if y is None else d.cdf(y) - d.cdf(x),
    "ccdf": lambda d, x, y=None: d.sf(x) if y is None else d.cdf(x) + d.sf(y),
    "logcdf": lambda d, x, y=None: d.logcdf(x) if y is None else np.log(d.cdf(y) - d.cdf(x)),
    "logccdf": lambda d, x, y=None: d.logsf(x) if y is None else np.logaddexp(d.logcdf(x), d.logsf(y)),
    "icdf": lambda d, p: d.ppf(p),
    "iccdf": lambda d, p: d.isf(p),
    "ilogcdf": lambda d, logp: d.ppf(np.exp(logp)),
    "ilogccdf": lambda d, logp: d.isf(np.exp(logp)),
    "mean": lambda d: d.mean(),
    "median": lambda d: d.median(),
    "mode": lambda d: d.mean(),  # all three are symmetric
    "variance": lambda d: d.var(),
    "standard_deviation": lambda d: d.std(),
    "skewness": lambda d: d.stats(moments="s"),
    "kurtosis": lambda d, convention="non-excess": d.stats(moments="k") + 3 * (convention == "non-excess"),
    "entropy": lambda d: d.entropy(),
    "support": lambda d: d.support(),
    "sample": lambda d, shape=(), rng=None: d.rvs(size=shape, random_state=rng),
}
# fmt: on
"""What a method is of the older distribution, with its parameters."""

OPERATORS = """
    __abs__ __add__ __mul__ __neg__ __pow__ __radd__ __rmul__ __rpow__ __rsub__ __rtruediv__ __sub__ __truediv__
    logentropy moment plot
"""


def method(scipys: Callable[..., Any], name: str) -> Callable[..., Any]:
    """One of the table above, or one that refuses traced values."""
    formula = METHODS.get(name)

    @wraps(scipys)
    def call(self: Any, *args: Any, method: Any = None, **kw: Any) -> Any:
        how = {} if method is None else {"method": method}
        if not self.given and first_traced([*args, *kw.values()]) is None:
            return scipys(self, *args, **how, **kw)
        if formula is None or how:
            raise without_rule(self, f".{name}(method=...)" if formula else f".{name}")
        return formula(self.older(*self.of_older(**self.named)), *map(as_array, args), **kw)

    call.__module__ = "dotbar.scipy.stats"
    return call


def without_rule(variable: Any, what: str) -> NoRuleError:
    return NoRuleError(
        f"dotbar.scipy.stats.{type(variable).__name__}{what} has no derivative rule; "
        f"dotbar.scipy.stats.{variable.older.name} is the same distribution by other names."
    )


def enter(scipys: Any, older: Any, of_older: Callable[..., tuple[Any, ...]], **defaults: Any) -> None:
    """Let a subclass, whose methods differentiate, stand for SciPy's class."""

    def new(cls: Any, **kw: Any) -> Any:
        return object.__new__(cls)

    def init(self: Any, **kw: Any) -> None:
        self.named = {**defaults, **{k: v for k, v in kw.items() if k in defaults}}
        self.given = first_traced([*kw.values()]) is not None
        if self.given:
            self._parameters = self._original_parameters = self.named
        else:
            scipys.__init__(self, **{**self.named, **kw})

    def missing(self: Any, name: str) -> Any:
        if name.startswith("__") or not vars(self).get("given"):
            raise AttributeError(name)
        raise without_rule(self, " with traced parameters, in what SciPy makes of it,")

    own: dict[str, Any] = {name: method(getattr(scipys, name), name) for name in (*METHODS, *OPERATORS.split())}
    own |= {"__new__": new, "__init__": init, "__getattr__": missing, "__module__": "dotbar.scipy.stats"}
    own |= {
        "older": OWN[older],
        "of_older": staticmethod(of_older),
        "__reduce__": lambda self: (again, (scipys, self.named)),
    }
    OWN[scipys] = type(scipys.__name__, (scipys,), own)


def again(scipys: Any, named: dict[str, Any]) -> Any:
    """The variable, for pickle."""
    return OWN[scipys](**named)


enter(stats.Normal, stats.norm, lambda mu, sigma: (mu, sigma), mu=0.0, sigma=1.0)
enter(stats.Uniform, stats.uniform, lambda a, b: (a, b - a), a=None, b=None)
if hasattr(stats, "Logistic"):
    enter(stats.Logistic, stats.logistic, lambda: ())


def refuses(scipys: Any, remedy: str) -> None:
    """Let a subclass, which is not made of traced values, stand for SciPy's class."""

    def init(self: Any, *args: Any, **kw: Any) -> None:
        variables = [v for x in args if isinstance(x, (list, tuple)) for v in x]
        if first_traced([*args, *kw.values()]) is not None or any(getattr(v, "given", False) for v in variables):
            raise NoRuleError(f"dotbar.scipy.stats.{scipys.__name__} has no derivative rule; {remedy}.")
        scipys.__init__(self, *args, **kw)

    OWN[scipys] = type(scipys.__name__, (scipys,), {"__module__": "dotbar.scipy.stats", "__init__": init})


refuses(
    stats.Mixture, "add the densities of the older distributions, such as dotbar.scipy.stats.norm, by their weights"
)
if hasattr(stats, "Binomial"):
    refuses(stats.Binomial, "dotbar.scipy.stats.binom has one")

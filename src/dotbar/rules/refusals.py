"""Arguments without a derivative, which are refused by name when they are under differentiation."""

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from sys import maxsize
from typing import Any, get_args

import numpy as np

from dotbar.core import BASE, Rule, Settings, Traced, full_name, is_differentiable, parameters_of
from dotbar.errors import NoRuleError
from dotbar.rules.mentions import mentioned

SETTINGS = """
    axes axis baxis caxis freq_axis offsets outaxis time_axis origin shape size
    device dtype format norm order out output output_type orthogonalize
    bp der ext inclusive index labels lambda_ ord percentile proportiontocut radius rank trim truncate
    limits lowerlimit upperlimit select_range subset_by_index subset_by_value
    atol bc_tol btol cond conlim drop_tol epsabs epsrel ftol gtol lsmr_tol rcond rtol tol xtol
    iter_lim itmax limit limlst lsmr_maxiter lwork max_iter max_nfev maxfev maxfun maxiter maxp1
    ixpr max_nodes mxhnil mxordn mxords mxstep printmessg tcrit h0 hmax hmin
    Dfun hess hessp fprime fprime2 epsfcn tr_options x_scale diff_step grow_limit amax c1 c2 old_fval old_old_fval
    n_points n_estimates inner_m outer_k restart restartControl verbosityLevel cache_size
    callback check_finite disp full_output method options plan quiet verbose workers wopts wvar
    random_state rng seed
"""
"""What in NumPy and SciPy always says along which axis, of which form, how, how exactly and for how long."""

PLAIN = (bool, int, str, type(None), type(Ellipsis))


class Flags:
    """The parameters that say what a function computes, and have no derivative.

    They are those that by default are a flag or a name, that the body annotates as flag, name or integers or does not
    mention at all, and some that are settings by their name, unless the body annotates them as arrays.
    """

    ARRAYS = ("window",)
    """What may be an array as well as the name of one."""

    def __init__(self, fn: Any, body: Any, name: str = ""):
        self.fn = fn
        self.body = body
        self._name = name

    @property
    def name(self) -> str:
        """What the user knows the function as."""
        return self._name or full_name(self.fn)

    @cached_property
    def order(self) -> list[str]:
        """The parameters that may be positional; read at the first call, as signatures take time."""
        own = parameters_of(self.fn) or parameters_of(self.body)
        return [name for name, p in own.items() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]

    @cached_property
    def names(self) -> set[str]:
        """Which they are."""
        names = {k for k, p in parameters_of(self.fn).items() if type(p.default) in (bool, str)}
        body = inspect.unwrap(self.body)
        parameters = parameters_of(body)
        known = mentioned(body.__code__) if inspect.isfunction(body) else parameters
        names |= {k for k, p in parameters.items() if k not in known or is_plain(p.annotation)}
        if self.name.startswith(("numpy.", "scipy.", "dotbar.scipy.")):
            names.update(SETTINGS.split())
        arrays = {k for k, p in parameters.items() if np.ndarray in get_args(p.annotation)}
        return names.difference(self.ARRAYS, arrays)

    @cached_property
    def first(self) -> int:
        """The place of the first."""
        return next((place for place, name in enumerate(self.order) if name in self.names), maxsize)

    def check(self, args: tuple[Any, ...], kw: Settings) -> None:
        """Refuse a value under differentiation in the place of one of them."""
        if len(args) > self.first:
            for name, x in zip(self.order[self.first :], args[self.first :]):
                self._check(name, x)
        for name, x in kw.items():
            self._check(name, x)

    def _check(self, name: str, x: Any) -> None:
        if name in self.names and differentiated(x):
            raise refusal(self.name, name, "it says what is computed")


def is_plain(annotation: Any) -> bool:
    """Whether an annotation leaves only flags, names and integers, or sequences of them."""
    parts = get_args(annotation)
    return all(map(is_plain, parts)) if parts else annotation in PLAIN


def differentiated(x: Any) -> bool:
    """Whether a value, or one in a container, is under differentiation."""
    if isinstance(x, Traced):
        return x.level is not BASE and x.level.derives and is_differentiable(x)
    if isinstance(x, (list, tuple)):
        return any(map(differentiated, x))
    if type(x) is dict:
        return any(map(differentiated, x.values()))
    entries = getattr(x, "__dict__", {}).get("data")  # of a sparse array
    return isinstance(entries, Traced) and differentiated(entries)


def differentiated_arguments(fn: Callable[..., Any], args: tuple[Any, ...], kw: Settings) -> Iterator[str]:
    """The names of the arguments of a call that are."""
    names = [name for name, p in parameters_of(fn).items() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names += [f"argument {k}" for k in range(len(names), len(args))]
    return (name for name, x in (*zip(names, args), *kw.items()) if differentiated(x))


def whole(x: Any, argument: str, why: str) -> Any:
    """What stands beside an array in an argument, such as a flag, once it is known not to be under differentiation."""
    if differentiated(x):
        raise refusal("this function", argument, why)
    return x


def argument_name(rule: Rule, i: int) -> str:
    """What the user knows an array argument as; a ufunc's docstring shows its signature, at last with names."""
    fn = rule.fn
    if isinstance(fn, np.ufunc):
        signatures = re.findall(rf"^\s*{fn.__name__}\((.*\bout\b)", fn.__doc__ or "", re.MULTILINE)
        if signatures:
            return signatures[-1].split(", ")[i]
    names = [name for name, p in parameters_of(fn).items() if p.kind is not p.VAR_POSITIONAL]
    return f"argument {i}" if rule.variadic else (names or rule.arrays)[i]


def refusal(function: str, argument: str, why: str | None) -> NoRuleError:
    """The error for an argument without a derivative."""
    error = NoRuleError(
        f"{function} has no derivative with respect to {argument!r}{f': {why}' if why else ''}. "
        f"Pass stop_gradient({argument}) to treat it as a constant."
    )
    error.argument, error.why = argument, why or ""
    return error

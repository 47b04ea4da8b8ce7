"""How accurate the derivatives of special functions are: ``python tests/accuracy.py`` writes docs/special_functions.md.

A row is a public function with an argument that the samples differentiate.
"""

import inspect
import math
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import mpmath as mp
import numpy as np
import test_registry
from test_registry import differences, like, out_leaves

import dotbar
import dotbar.scipy.special as sc
from dotbar.core import RULES
from dotbar.rules.kinds import argument_name
from dotbar.tree import flatten

sys.path.append(str(Path(__file__).parent / "scipy"))

from references import POINTS, REFERENCES

PAGE = Path(__file__).parents[1] / "docs" / "special_functions.md"
PUBLIC = {name: fn for name in dir(sc) if hasattr(fn := getattr(sc, name), "__name__")}
NAMES = {id(fn): name for name, fn in sorted(PUBLIC.items(), key=lambda item: item[0] == item[1].__name__)}
SAMPLES = [s for s in test_registry.SAMPLES if id(s.fn) in NAMES]


def arguments() -> Iterator[tuple[str, Any, int]]:
    """The functions, and the positions of the arguments that samples differentiate."""
    found = {(NAMES[id(s.fn)], i) for s in SAMPLES for i in s.wrt if isinstance(i, int)}
    yield from ((name, getattr(sc, name), i) for name, i in sorted(found))


def name_of(fn: Any, i: int) -> str:
    """The name of an argument."""
    rule = RULES.get(fn)
    if rule is None:
        return fn.__doc__.partition("(")[2].split(", ")[i]
    return list(inspect.signature(rule.body).parameters)[i] if rule.kind == "composite" else argument_name(rule, i)


# ---------------------------------------------------------------- methods


def method(fn: Any, i: int) -> str:
    """How a derivative is computed: the first sentence of the docstring of the rule, or of the word a partial uses."""
    rule = RULES.get(fn)
    if rule is None or rule.kind == "composite":
        return sentence(getattr(rule, "body", None)) or "composed of functions that have rules"
    partial = partial_of(rule, i)
    if partial is None:
        return "0: piecewise constant"
    if not callable(partial):
        return "closed form"
    helpers = list(mentioned(partial))
    ufuncs = sorted(f"`{name}`" for name in names_in(partial.__code__) if isinstance(PUBLIC.get(name), np.ufunc))
    closed = f"closed form in {', '.join(ufuncs)}" if ufuncs else ""
    sentences = (sentence(f) for f in (partial, *(f for f in helpers if f in RULES)))
    return next(filter(None, (*sentences, closed, *map(sentence, helpers))), "closed form")


def partial_of(rule: Any, i: int) -> Any:
    """The partial derivative that an elementwise rule, or one written like it, was registered with, else the body."""
    if rule.kind == "elementwise":
        return rule.partials[i]
    closed = inspect.getclosurevars(rule.body).nonlocals
    return closed["partials"][i] if "partials" in closed else rule.body


def mentioned(f: Any) -> Iterator[Any]:
    """The functions of the same package that f mentions."""
    for name in names_in(f.__code__):
        g = f.__globals__.get(name)
        if callable(g) and (getattr(g, "__module__", None) or "").startswith("dotbar.scipy.special"):
            yield g


def names_in(code: CodeType) -> Iterator[str]:
    """The names that a function's code mentions, those of functions inside included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


def sentence(f: Any) -> str:
    """The first sentence of a docstring."""
    text = " ".join((getattr(f, "__doc__", None) or "").partition("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z])", text)[0].rstrip(".:")


# ---------------------------------------------------------------- errors


def calls_of(name: str, i: int) -> list[tuple[Any, ...]]:
    """The calls at which a reference is compared: at the points of the tests, else the samples' real ones."""
    if name not in REFERENCES:
        return []
    if name in POINTS:
        return [tuple(map(np.array, zip(*POINTS[name])))]
    fn = PUBLIC[name]
    found = [s.args for s in SAMPLES if s.fn is fn and i in s.wrt and not s.kwargs]
    return [args for args in found if all(np.asarray(x).dtype.kind in "fiu" for x in args)]


def against_mpmath(name: str, i: int) -> float:
    """The greatest relative error of a derivative."""
    exact = REFERENCES[name] if isinstance(REFERENCES[name], tuple) else (REFERENCES[name],)
    worst = 0.0
    for args in calls_of(name, i):
        of = lambda x, args=args: flatten(PUBLIC[name](*args[:i], x, *args[i + 1 :]))[0]
        slopes = map(np.ravel, dotbar.jvp(of, (args[i],), (np.ones_like(args[i]),))[1])
        points = [tuple(mp.mpf(x.item()) for x in point) for point in np.broadcast(*map(np.asarray, args))]
        for f, found in zip(exact, slopes):
            if f is not None:
                worst = np.max([worst, *(error(y, f, xs, i) for y, xs in zip(found, points, strict=True))])
    return worst


def error(slope: Any, f: Any, xs: tuple[Any, ...], i: int) -> float:
    """Relative, or to the value where the derivative vanishes; 0 where it is infinite or too large for a number."""
    try:
        with mp.workdps(40):
            want = complex(mp.diff(lambda x: f(*xs[:i], x, *xs[i + 1 :]), xs[i]))
            scale = complex(f(*xs)) if abs(want) < 1e-12 and xs[i] else 0
    except (ZeroDivisionError, ValueError, OverflowError) as reason:
        print(f, xs, i, reason)
        return 0.0
    if not np.isfinite(slope) and (not np.isfinite(want) or abs(want) > 1e200):
        return 0.0
    return float(abs(slope - want) / (abs(want) if abs(want) > 1e-15 * abs(scale) else abs(scale) or 1))


def against_differences(fn: Any, i: int) -> float:
    """The greatest error of a derivative along a direction, relative to the largest entry of a result."""
    worst = 0.0
    for s in SAMPLES:
        if s.fn is fn and i in s.wrt:
            f = out_leaves(s)
            of = lambda x, s=s, f=f: f(*(x if k == i else p for k, p in zip(s.wrt, s.primals)))
            x = s.args[i]
            t = like(np.random.default_rng(0), x)
            for got, want in zip(dotbar.jvp(of, (x,), (t,))[1], differences(of, (x,), (t,))[0], strict=True):
                worst = max(worst, np.max(np.abs(got - want), initial=0) / (np.max(np.abs(want), initial=0) or 1))
    return worst


# ---------------------------------------------------------------- the page


def rounded(x: float) -> str:
    """Up to a power of ten; less than one rounding error is not told apart."""
    return f"1e{math.ceil(math.log10(max(x, 1e-15)))}" if np.isfinite(x) else "nan"


def rows() -> Iterator[tuple[str, ...]]:
    for name, fn, i in arguments():
        known = bool(calls_of(name, i))
        measured = rounded(against_mpmath(name, i) if known else against_differences(fn, i))
        yield f"`{name}`", f"`{name_of(fn, i)}`", method(fn, i), measured + ("" if known else ", differences")


INTRODUCTION = (
    "Each function of `dotbar.scipy.special` and argument, how its derivative is computed, and the greatest relative "
    "error of the first derivative, rounded up to a power of ten (absolute where the derivative is 0). References are "
    "derivatives of mpmath's functions with 40 digits, at the points of the tests; for functions that mpmath lacks, "
    "extrapolated differences in double precision, which have about ten digits themselves. An inverse that SciPy "
    "finds to a few digits has a derivative as accurate as itself; so has a closed form in a function that SciPy "
    "computes to a few digits, as some polynomials whose degree is a float. This page is written by `python "
    "tests/accuracy.py`."
)


def page() -> str:
    """The text of docs/special_functions.md."""
    table = ["| function | argument | method | error |", "|---|---|---|---|"]
    table += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows()]
    return "\n".join(["# Special functions", "", *textwrap.wrap(INTRODUCTION, 120), "", *table]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

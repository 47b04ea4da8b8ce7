"""A traced call accepts and refuses what NumPy does: the samples' calls, with settings and shapes perturbed.

Where NumPy returns, the traced call returns the same value, shape and dtype; where NumPy raises, it raises an
exception that the same ``except`` catches.
"""

import inspect
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from samples import Sample, all_samples, is_differentiable

import dotbar
from dotbar.core import RULES, Traced
from dotbar.tree import flatten

SETTINGS: dict[str, tuple[Any, ...]] = {
    "axis": (None, 0, -1, 1, 2, -7, (), (0, 0), (0, 7), 1.5, "x"),
    "axes": (None, 0, (0, 0), (0, 7), 1.5),
    "axis1": (7, 1.5),
    "source": (7, (0, 0)),
    "keepdims": (True,),
    "dtype": (int, np.float32, complex, "nonsense"),
    "casting": ("no", "nonsense"),
    "where": (np.array([True, False, True]), np.ones((2, 5), bool), np.ones((1, 1, 1, 1), bool)),
    "initial": (2.0, 1j, np.ones(2)),
    "ddof": (1, 50, -1),
    "correction": (1,),
    "n": (0, -1, 3, 1.5),
    "k": (-1, 50, 1.5),
    "offset": (1, 50),
    "order": ("F", "nonsense"),
    "mode": ("full", "same", "nonsense"),
    "method": ("nearest", "nonsense"),
    "shape": (5, -1, (2, 2), (3, -1, -1)),
    "shift": ((1, 2), 1.5),
    "repeats": (-1, (1, 2), 1.5),
    "indices_or_sections": (5, (1, 2), 1.5, 0),
    "num": (0, 1, -1, 2.5),
    "edge_order": (2, 3, 0),
    "deg": (-1, 1.5),
    "q": (2.0, -0.5, 0.5, np.ones((0,)), 0.5j),
    "weights": (np.zeros((3, 4)), np.ones(2), -np.ones((3, 4))),
    "indices": (50, 1.5, (0, 1)),
    "kth": (50, (0, 1), 1.5),
    "min": (None, 0.0),
    "bins": (3, 0, (0.0, 1.0), (1.0, 0.0), 1.5),
    "density": (True,),
    "returned": (True,),
    "rowvar": (False,),
    "bias": (True,),
    "endpoint": (False,),
    "m": (-1, 0, 2),
}


EXEMPT = {
    r"numpy\.polydiv .*\((2, 0|1, 2|2, 1|1, 5|3, 1|5, 1)\)": "NumPy divides some matrices, to no purpose",
    r"numpy\.(median|percentile|quantile|nan\w+) .*axis=\(\) at shape \(0, 3\)": "NumPy's reshape fails by accident",
    r"numpy\.quantile .*argument 1 of shape \((0, 3|2, 0)\)": "no quantiles are asked for",
    r"numpy\.quantile .*argument 1 .*complex": "NumPy drops the imaginary part of q",
    r"numpy\.linalg\.\w*norm .*axis=1\.5": "NumPy rounds an axis down",
    r"numpy\.linalg\.tensorinv .*shape \(\)": "NumPy's reshape fails by accident",
    r"numpy\.linalg\.tensorsolve .*axes=(0|\(0, 0\))": "NumPy looks for axes in a list",
    r"numpy\.take .*indices=1\.5": "NumPy rounds a single index down",
    r"numpy\.take .*at shape \(0, 3\)": "NumPy looks at no index where there is no entry",
    r"numpy\.take_along_axis .*indices=\(0, 1\)": "dotbar takes a list",
    r"numpy\.vecmat .*order='F'": "NumPy's result is not the product",
}
"""Calls at which dotbar answers otherwise, each with the reason."""


def other_arrays(x: Any) -> Iterator[Any]:
    """Arrays of other shapes and dtypes than ``x``."""
    x = np.asarray(x)
    yield x.dtype.type(1.5)
    yield np.zeros((0,), x.dtype)
    yield np.zeros((0, 3), x.dtype)
    yield np.zeros((2, 0), x.dtype)
    yield x[None]
    yield x[..., None]
    yield np.ravel(x)[:5]
    yield x * (1 + 0.5j)
    yield x.astype(np.float32 if x.dtype.kind == "f" else np.complex64)


Call = tuple[str, tuple[Any, ...], dict[str, Any], tuple[int | str, ...]]


def perturbed(s: Sample) -> Iterator[Call]:
    """Calls beside a sample's own: what differs, the arguments, the keywords, which of them are differentiated."""
    yield "itself", s.args, s.kwargs, s.wrt
    yield "unknown keyword", s.args, {**s.kwargs, "nonsense": 1}, s.wrt
    for k in s.wrt:
        for x in other_arrays(s.args[k]) if isinstance(k, int) else ():
            args = (*s.args[:k], x, *s.args[k + 1 :])
            yield f"argument {k} of shape {x.shape} and {x.dtype}", args, s.kwargs, s.wrt
    try:
        parameters = list(inspect.signature(s.fn).parameters.values())
    except ValueError:
        return
    names = [p.name for p in parameters]
    given = names[: len(s.args)]
    if all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters[: len(given)]):
        wrt = tuple(k if isinstance(k, str) else names[k] for k in s.wrt)
        yield "arguments by keyword", (), {**dict(zip(given, s.args)), **s.kwargs}, wrt
    for name in names:
        for value in SETTINGS.get(name, ()):
            what = f"{name}={value!r}"
            if name in given:
                i = names.index(name)
                if i not in s.wrt:
                    yield what, (*s.args[:i], value, *s.args[i + 1 :]), s.kwargs, s.wrt
            elif name != "where" or not isinstance(s.fn, np.ufunc):  # what that leaves out is not initialized
                kwargs = {**s.kwargs, name: value}
                yield what, s.args, kwargs, s.wrt
                for x in (np.float64(1.5), np.zeros((0, 3))) if s.wrt == (0,) else ():
                    yield f"{what} at shape {x.shape}", (x, *s.args[1:]), kwargs, s.wrt


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or the exception that it raises."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return call()
        except Exception as error:
            return error


def by_vjp(f: Any, xs: Any) -> None:
    dotbar.vjp(f, *xs)


def by_jvp(f: Any, xs: Any) -> None:
    dotbar.jvp(f, tuple(xs), tuple(map(np.ones_like, xs)))


def traced_outcome(transform: Any, fn: Any, args: Any, kwargs: Any, wrt: Any) -> Any:
    """The outcome of the call with the differentiated arguments traced."""
    places = [k for k in wrt if is_differentiable(args[k] if isinstance(k, int) else kwargs[k])]
    found = [outcome(partial(fn, *args, **kwargs))]

    def f(*xs: Any) -> Any:
        given, named = list(args), dict(kwargs)
        for k, x in zip(places, xs):
            (given if isinstance(k, int) else named)[k] = x  # type: ignore[call-overload]
        found.append(plain(outcome(partial(fn, *given, **named))))
        return xs[0] * 1.0

    if places:
        transform(f, [args[k] if isinstance(k, int) else kwargs[k] for k in places])
    return found[-1]


def plain(y: Any) -> Any:
    """A result without its levels."""
    if isinstance(y, (tuple, list)):
        return type(y)(*map(plain, y)) if hasattr(y, "_fields") else type(y)(map(plain, y))
    while isinstance(y, Traced):
        y = y.current()
    return y


def difference(got: Any, want: Any) -> str:
    """How an outcome differs from NumPy's; nothing if it does not."""
    if isinstance(want, Exception):
        family = next(c for c in type(want).__mro__ if not c.__module__.startswith("numpy._"))
        return "" if isinstance(got, family) else f"NumPy raises {want!r}, dotbar: {got!r}"
    if isinstance(got, Exception):
        return f"dotbar raises {got!r}, NumPy returns {want!r}"
    a, b = (list(map(np.asarray, flatten(y)[0])) for y in (got, want))
    if [(u.shape, u.dtype) for u in a] != [(v.shape, v.dtype) for v in b]:
        return f"{[f'{u.dtype}{u.shape}' for u in a]}, wanted {[f'{v.dtype}{v.shape}' for v in b]}"
    close = [np.allclose(u, v, 1e-5, 1e-6, equal_nan=True) for u, v in zip(a, b) if v.dtype.kind in "biufc"]
    return "" if all(close) else f"{got}, wanted {want}"


def samples_by_function() -> dict[str, list[Sample]]:
    """For each of NumPy's functions, some samples that call it directly."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for s in all_samples():
        name = RULES[s.fn].name if s.fn in RULES else ""
        if name.startswith("numpy.") and s.call is None:
            found[name].append(s)
    return {name: ss if len(ss) < 3 else [*ss[:2], ss[-1]] for name, ss in found.items()}


CASES = samples_by_function()
odd_calls = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="what NumPy answers to odd calls differs between versions"
)


@odd_calls
@pytest.mark.parametrize("transform", [by_vjp, by_jvp])
@pytest.mark.parametrize("name", CASES)
def test_answers_of_numpy(name, transform):
    wrong = []
    for s in CASES[name]:
        for what, args, kwargs, wrt in perturbed(s):
            call = f"{name} {s!r} with {what}"
            if any(re.match(pattern, call) for pattern in EXEMPT):
                continue
            want = outcome(partial(s.fn, *args, **kwargs))
            got = traced_outcome(transform, s.fn, args, kwargs, wrt)
            if text := difference(got, want):
                wrong.append(f"{call}: {text}")
    assert not wrong, "\n".join(wrong)

"""The express lane of reverse mode: the commonest operations on float64 arrays, and on Python floats.

For each elementwise rule of one or two arguments, functions are generated that record and sweep that operation
alone, as ``namedtuple`` generates a class; sums and products of matrices have theirs written out.  They do what
``Tape.process`` and the rule's bars do in the case that casting, guards and other levels play no part,
and hand over to those in every other case.  Python floats are computed by ``math``; where it raises (1/0, log 0),
NumPy's result is taken.
"""

import dis
import inspect
import math
import operator
from collections.abc import Callable
from sys import getrefcount
from types import FunctionType
from typing import Any, TypeGuard, cast

import numpy as np

from dotbar.core import RULES, Traced, find_rule, refresh
from dotbar.rules.kinds import Elementwise, dense, each, fit
from dotbar.rules.methods import BINARY, POWERS, UNARY, refuses
from dotbar.rules.products import MATMUL
from dotbar.rules.reductions import extent
from dotbar.rules.words import spread
from dotbar.tape import SMALL, Taped, accumulate, sweep

F8 = np.dtype(np.float64)


def is_current(x: Any) -> bool:
    """Read a view anew if it is out of date; whether it is of a tape then."""
    refresh(x)
    return type(x) is Taped


class Lane(dict[Any, Callable[..., Any]]):
    """What records a call of each ufunc, made at its first call; for most it is the rule itself."""

    def __missing__(self, ufunc: np.ufunc) -> Callable[..., Any]:
        rule = find_rule(ufunc)
        self[ufunc] = make_record(rule) if fits(rule) else rule
        return self[ufunc]


def fits(rule: Any) -> TypeGuard[Elementwise]:
    """Whether the express lane serves a rule."""
    return (
        isinstance(rule, Elementwise)
        and len(rule.partials) <= 2
        and rule.has_all_partials
        and cast(np.ufunc, rule.fn).resolve_dtypes((*[F8] * len(rule.partials), None))[-1] is F8  # not Hankel's
    )


RECORD = Lane()

SCALAR: dict[Any, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.negative: operator.neg,
    np.positive: operator.pos,
    np.power: math.pow,
    np.square: lambda x: x * x,
    np.sqrt: math.sqrt,
    np.cbrt: math.cbrt,
    np.exp: math.exp,
    np.exp2: math.exp2,
    np.expm1: math.expm1,
    np.log: math.log,
    np.log2: math.log2,
    np.log10: math.log10,
    np.log1p: math.log1p,
    np.sin: math.sin,
    np.cos: math.cos,
    np.tan: math.tan,
    np.sinh: math.sinh,
    np.cosh: math.cosh,
    np.tanh: math.tanh,
    np.arcsin: math.asin,
    np.arccos: math.acos,
    np.arctan: math.atan,
    np.arcsinh: math.asinh,
    np.arccosh: math.acosh,
    np.arctanh: math.atanh,
    np.arctan2: math.atan2,
    np.hypot: math.hypot,
}


class ScalarNumPy:
    """NumPy with the functions of one Python float taken from ``math``: what partials see in the scalar lane."""

    def __init__(self) -> None:
        for ufunc, f in SCALAR.items():
            setattr(self, ufunc.__name__, f)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


SCALAR_NUMPY = ScalarNumPy()
FALLBACK = (ValueError, OverflowError, ZeroDivisionError, TypeError)

_UNARY = """
def record(x):
    if type(x) is Taped and (x.alias is None or is_current(x)):
        v = x.value
        kind = type(v)
        if kind is ndarray:
            if v.dtype is F8:
                y = fn(v)
                tape = x.level
                tape.push((sweep if v.nbytes < LARGE else sweep_large, x.aux{keep}))
                return Taped(y, tape, len(tape.entries) - 1)
        elif kind is float:
            try:
                y = scalar(v)
            except FALLBACK:
                return rule(x)
            tape = x.level
            {warn}
            tape.push((sweep_scalar, x.aux{keep}))
            return Taped(y, tape, len(tape.entries) - 1)
    return rule(x)
"""

_BINARY = """
def record({a}, {b}):
    kind_b = type(b)
    if type(a) is Taped:
        if a.alias is None or is_current(a):
            u = a.value
            kind = type(u)
            if kind_b is Taped:
                if (b.alias is None or is_current(b)) and b.level is a.level:
                    v = b.value
                    if kind is ndarray:
                        if type(v) is ndarray and u.dtype is F8 and v.dtype is F8:
                            y = fn(u, v)
                            tape = a.level
                            if u.shape == v.shape:
                                tape.push((sweep if v.nbytes < LARGE else sweep_large, a.aux, b.aux{keep}))
                            else:
                                tape.push((sweep_wide, a.aux, b.aux, u.shape, v.shape{keep}))
                            return Taped(y, tape, len(tape.entries) - 1)
                    elif kind is float and type(v) is float:
                        try:
                            y = scalar(u, v)
                        except FALLBACK:
                            return rule(a, b)
                        tape = a.level
                        {warn}
                        tape.push((sweep_scalar, a.aux, b.aux{keep}))
                        return Taped(y, tape, len(tape.entries) - 1)
            elif kind_b is ndarray:
                if kind is ndarray and u.dtype is F8 and b.dtype is F8 and b.nbytes <= SMALL:
                    tape = a.level
                    v = tape.keep(b)
                    y = fn(u, v)
                    if y.shape == u.shape:
                        tape.push((sweep_a if u.nbytes < LARGE else sweep_large_a, a.aux{keep_a}))
                        return Taped(y, tape, len(tape.entries) - 1)
            elif kind_b is float or kind_b is int:
                v = b
                if kind is ndarray:
                    if u.dtype is F8:
                        y = fn(u, v)
                        tape = a.level
                        tape.push((sweep_a if u.nbytes < LARGE else sweep_large_a, a.aux{keep_a}))
                        return Taped(y, tape, len(tape.entries) - 1)
                elif kind is float:
                    try:
                        y = scalar(u, v)
                    except FALLBACK:
                        return rule(a, b)
                    tape = a.level
                    {warn}
                    tape.push((sweep_scalar_a, a.aux{keep_a}))
                    return Taped(y, tape, len(tape.entries) - 1)
    elif (type(a) is float or type(a) is int) and kind_b is Taped and (b.alias is None or is_current(b)):
        u = a
        v = b.value
        kind = type(v)
        if kind is ndarray:
            if v.dtype is F8:
                y = fn(u, v)
                tape = b.level
                tape.push((sweep_b if v.nbytes < LARGE else sweep_large_b, b.aux{keep_b}))
                return Taped(y, tape, len(tape.entries) - 1)
        elif kind is float:
            try:
                y = scalar(u, v)
            except FALLBACK:
                return rule(a, b)
            tape = b.level
            {warn}
            tape.push((sweep_scalar_b, b.aux{keep_b}))
            return Taped(y, tape, len(tape.entries) - 1)
    return rule(a, b)
"""

_SWEEP = """
def sweep(g, bars, entry):
    _, {nodes}{keep}= entry
{terms}
"""

_SWEEP_WIDE = """
def sweep(g, bars, entry):
    _, {nodes}{shapes}{keep}= entry
{terms}
"""

_SWEEP_SCALAR = """
def sweep(g, bars, entry):
    _, {nodes}{keep}= entry
    try:
{terms}
    except FALLBACK:
        return exact(g, bars, entry)
"""


def _is(partial: Any, pattern: Callable[..., Any]) -> bool:
    """Whether a partial is written as ``pattern`` is, up to the names."""
    code, sought = inspect.unwrap(partial).__code__, pattern.__code__  # type: ignore[attr-defined]
    return (code.co_code, code.co_consts) == (sought.co_code, sought.co_consts)


def _terms(rule: Elementwise, active: tuple[int, ...], in_place: bool) -> list[str]:
    """The source of ``t = g · partial`` for each partial; the last may take the memory of a large ``g``.

    A partial ``1 / b`` is divided by, not multiplied with, and the partial ``-y / b`` of a quotient takes that up.
    """
    names = "yx" if len(rule.picks) == 1 else "yab"
    in_place = in_place and all(rule.partials[i] != 1 for i in active)
    terms: list[str] = []
    for i in active:
        partial, values = rule.partials[i], [names[k] for k in rule.picks[i]]
        fresh = not (in_place and i == active[-1])
        if not callable(partial):
            term = {1: "g", -1: "-g"}.get(partial) or _times(repr(partial), fresh)
        elif _is(partial, lambda x: x):
            term = _times(values[0], fresh)
        elif _is(partial, lambda x: 1 / x):
            term = _times(values[0], fresh, "divide", "/")
        elif _is(partial, lambda y, b: -y / b):
            y, b = values
            term = f"-({y} * {'t0' if terms == [f't0 = g / {b}'] else f'(g / {b})'})"
        else:
            term = _times(f"p{i}({', '.join(values)})", fresh)
        terms.append(f"t{i} = {term}")
    return terms


def _times(factor: str, fresh: bool, ufunc: str = "multiply", sign: str = "*") -> str:
    """The source of ``g`` times a factor, in fresh memory or in that of ``g``."""
    product = f"g {sign} {factor}"
    return product if fresh else f"{ufunc}(g, {factor}, g) if spare(g) else {product}"


LARGE = 1 << 16


def spare(g: Any) -> bool:
    """Whether a cotangent is a large array that only the sweep holds: fresh memory would cost more than the product."""
    return type(g) is np.ndarray and g.base is None and getrefcount(g) == _SPARE


def _holders(g: Any) -> int:
    return getrefcount(g)


def _count_holders() -> int:
    """How many references a cotangent has that only the sweep holds, seen from where :func:`spare` is called."""
    counts: list[int] = []

    def entry(g: Any, bars: Any, entry: Any) -> None:
        counts.append(_holders(g))

    sweep([None, (entry,)], [None, np.empty(1)])
    return counts[0]


_SPARE = _count_holders()


def merged(o: Any, t: Any) -> Any:
    """The sum of two cotangents, of which ``t`` is fresh."""
    return np.add(o, t, t) if type(o) is type(t) is np.ndarray else o + t


def _compile(source: str, name: str, scope: dict[str, Any]) -> Callable[..., Any]:
    namespace = dict(scope)
    exec(compile(source, f"<dotbar express: {name}>", "exec"), namespace)
    return namespace["record" if "def record" in source else "sweep"]


def _on_scalars(partial: Any) -> Any:
    """A partial, and the words it is made of, with ``np`` replaced by the scalar functions."""
    if not callable(partial):
        return partial
    body = inspect.unwrap(partial)
    scope = {**body.__globals__, "np": SCALAR_NUMPY}  # type: ignore[attr-defined]
    for name in {i.argval for i in dis.get_instructions(body) if i.opname == "LOAD_GLOBAL"}:
        word = scope.get(name)
        if isinstance(word, FunctionType) and word.__module__.startswith("dotbar.rules."):
            scope[name] = _on_scalars(word)
    return FunctionType(body.__code__, scope, None, body.__defaults__, body.__closure__)  # type: ignore[attr-defined]


def is_silent(partial: Any) -> bool:
    """Whether a partial of Python floats is computed by ``math`` alone, which gives no warnings."""
    return not callable(partial) or {*inspect.unwrap(partial).__code__.co_names} <= {"np", *vars(SCALAR_NUMPY)}


def _exactly(sweep: Callable[..., Any], n_nodes: int) -> Callable[..., Any]:
    """The sweep by NumPy of an entry that holds Python floats: 1/0 is inf."""

    def exact(g: Any, bars: Any, entry: Any) -> None:
        with np.errstate(all="ignore"):
            sweep(g, bars, (*entry[: 1 + n_nodes], *map(np.float64, entry[1 + n_nodes :])))

    return exact


def _sweeps(rule: Elementwise, active: tuple[int, ...]) -> tuple[dict[str, Callable[..., Any]], str]:
    """The sweeps of an entry for arrays of one shape, of several, and for floats; and the source of what it keeps."""
    local = "yx" if len(rule.picks) == 1 else "yab"
    value = "yv" if len(rule.picks) == 1 else "yuv"
    picked = sorted({k for i in active for k in rule.picks[i]})
    names = {
        "nodes": "".join(f"n{i}, " for i in active),
        "keep": "".join(f"{local[k]}, " for k in picked),
    }
    compute = _terms(rule, active, in_place=False)
    compute_large = _terms(rule, active, in_place=True)
    shrink = [f"if t{i}.shape != s{i}: t{i} = fit(t{i}, s{i}, 0)" for i in active]
    add = [f"o = bars[n{i}]; bars[n{i}] = t{i} if o is None else o + t{i}" for i in active]
    sums = [f"o + t{i}" if rule.partials[i] == 1 else f"merged(o, t{i})" for i in active]
    add_large = [f"o = bars[n{i}]; bars[n{i}] = t{i} if o is None else {total}" for i, total in zip(active, sums)]
    shapes = "".join(f"s{i}, " for i in active)
    scope: dict[str, Any] = {f"p{i}": rule.partials[i] for i in active}
    scope |= {"divide": np.divide, "fit": fit, "merged": merged, "multiply": np.multiply, "spare": spare}
    lines = lambda indent, source: "\n".join(indent + line for line in source)
    make = lambda template, terms: _compile(
        template.format(**names, shapes=shapes, terms=lines("    ", terms)), rule.name, scope
    )
    array = make(_SWEEP, compute + add)
    sweeps = {
        "sweep": array,
        "sweep_large": make(_SWEEP, compute_large + add_large),
        "sweep_wide": make(_SWEEP_WIDE, compute + shrink + add),
        "sweep_scalar": array,
    }
    kept = "".join(f", {value[k]}" for k in picked)
    if not picked:
        return sweeps, kept
    sweeps["sweep_scalar"] = _compile(
        _SWEEP_SCALAR.format(**names, terms=lines("        ", compute)) + lines("    ", add),
        rule.name,
        scope
        | {f"p{i}": _on_scalars(rule.partials[i]) for i in active}
        | {"FALLBACK": FALLBACK, "exact": _exactly(array, len(active))},
    )
    return sweeps, kept


def make_record(rule: Elementwise, reflected: bool = False) -> Callable[..., Any]:
    """The function that records a call of an elementwise rule of one or two arguments."""
    a, b = "ba" if reflected else "ab"
    scope: dict[str, Any] = {
        "F8": F8,
        "FALLBACK": FALLBACK,
        "LARGE": LARGE,
        "is_current": is_current,
        "SMALL": SMALL,
        "Taped": Taped,
        "fn": rule.fn,
        "ndarray": np.ndarray,
        "rule": lambda *xs: NotImplemented if any(map(refuses, xs)) else rule(*xs),
        "scalar": SCALAR.get(rule.fn, rule.fn),
    }
    sweeps, keep = _sweeps(rule, tuple(range(len(rule.partials))))
    scope |= sweeps
    warn = "pass" if all(map(is_silent, rule.partials)) else "tape.may_warn = True"
    if len(rule.partials) == 1:
        return _compile(_UNARY.format(keep=keep, warn=warn), rule.name, scope)
    kept: dict[str, str] = {}
    for i, name in enumerate("ab"):
        sweeps, kept[name] = _sweeps(rule, (i,))
        scope |= {f"{key}_{name}": f for key, f in sweeps.items()}
    source = _BINARY.format(a=a, b=b, keep=keep, keep_a=kept["a"], keep_b=kept["b"], warn=warn)
    return _compile(source, rule.name, scope)


# ---------------------------------------------------------------- sums, means and products of matrices


def is_plain(x: Any) -> bool:
    """Whether a value is a float64 array on a tape, with no other level about it."""
    return (
        type(x) is Taped and (x.alias is None or is_current(x)) and type(x.value) is np.ndarray and x.value.dtype is F8
    )


def record_sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``np.sum`` of a float64 array."""
    if not is_plain(x):
        return RULES[np.sum](x, axis=axis, keepdims=keepdims)
    tape, v = x.level, x.value
    y: Any = np.add.reduce(v, axis, keepdims=keepdims)
    tape.push((sweep_sum, x.aux, v.shape, axis, keepdims))
    return Taped(float(y) if type(y) is np.float64 else y, tape, len(tape.entries) - 1)


def sweep_sum(g: Any, bars: Any, entry: Any) -> None:
    """x̄ = ȳ along the axes of the sum."""
    _, node, shape, axis, keepdims = entry
    accumulate(bars, node, each(lambda t: spread(t, shape, axis, keepdims), g))


def record_mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """``np.mean`` of a float64 array."""
    if is_plain(x) and x.value.size:
        return record_sum(x, axis, keepdims) / extent(x.value.shape, axis)
    return RULES[np.mean](x, axis=axis, keepdims=keepdims)


def record_matmul(a: Any, b: Any) -> Any:
    """``A @ B`` of float64 matrices, of which one may be a small plain array."""
    mine_a, mine_b = is_plain(a), is_plain(b)
    if (mine_a and ((mine_b and a.level is b.level) or is_small(b))) or (mine_b and is_small(a)):
        tape = a.level if mine_a else b.level
        A = a.value if mine_a else tape.keep(a)
        B = b.value if mine_b else tape.keep(b)
        if A.ndim == B.ndim == 2:
            C = np.matmul(A, B)
            kept = (B if mine_a else None, A if mine_b else None)
            tape.push((sweep_matmul, a.aux if mine_a else None, b.aux if mine_b else None, *kept))
            return Taped(C, tape, len(tape.entries) - 1)
    return NotImplemented if refuses(a) or refuses(b) else RULES[np.matmul](a, b)


def is_small(x: Any) -> bool:
    """Whether an array is plain, of float64 and copied rather than watched by the tape."""
    return type(x) is np.ndarray and x.dtype is F8 and x.nbytes <= SMALL


def sweep_matmul(g: Any, bars: Any, entry: Any) -> None:
    """Ā = C̄ Bᴴ and B̄ = Aᴴ C̄, as the rule has them."""
    _, node_a, node_b, B, A = entry
    g = dense(g)
    if node_a is not None:
        accumulate(bars, node_a, MATMUL.bar_of[0](g, B))
    if node_b is not None:
        accumulate(bars, node_b, MATMUL.bar_of[1](g, A))


FUNCTIONS: dict[Any, Callable[..., Any]] = {np.sum: record_sum, np.mean: record_mean}


# ---------------------------------------------------------------- dispatch


def _function(self: Any, func: Callable[..., Any], types: Any, args: Any, kw: Any) -> Any:
    """``Traced.__array_function__`` with the express lane first."""
    if func in FUNCTIONS and len(args) <= 2 and kw.keys() <= {"axis", "keepdims"}:
        return FUNCTIONS[func](*args, **kw)
    return Traced.__array_function__(self, func, types, args, kw)


def _dispatch(self: Any, ufunc: np.ufunc, method: str, x: Any, *rest: Any, **kw: Any) -> Any:
    """``Traced.__array_ufunc__`` with the express lane first."""
    if kw or method != "__call__":
        return Traced.__array_ufunc__(self, ufunc, method, x, *rest, **kw)
    return RECORD[ufunc](x, *rest) if rest else RECORD[ufunc](x)


def _operator(name: str, ufunc: np.ufunc, reflected: bool) -> Callable[..., Any]:
    """A Python operator that at its first use gives place to the generated function."""

    def first(*xs: Any) -> Any:
        record = make_record(cast(Elementwise, find_rule(ufunc)), reflected)
        setattr(Taped, name, record)
        return record(*xs)

    return first


def _power(self: Any, exponent: Any) -> Any:
    """``Traced.__pow__`` with the express lane first."""
    if (type(exponent) is int or type(exponent) is float) and exponent in POWERS:
        return RECORD[POWERS[exponent]](self)
    return RECORD[np.power](self, exponent)


def install() -> None:
    """Give ``Taped`` the express lane for the elementwise ufuncs of one or two arguments."""
    for name, ufunc in (BINARY | UNARY).items():
        if fits(RULES.get(ufunc)):
            setattr(Taped, f"__{name}__", _operator(f"__{name}__", ufunc, reflected=False))
            if name in BINARY:
                setattr(Taped, f"__r{name}__", _operator(f"__r{name}__", ufunc, reflected=True))
    RECORD[np.matmul] = Taped.__matmul__ = record_matmul  # type: ignore[attr-defined]
    Taped.__rmatmul__ = lambda self, other: record_matmul(other, self)  # type: ignore[attr-defined]
    Taped.__pow__ = _power  # type: ignore[attr-defined]
    Taped.__array_function__ = _function  # type: ignore[method-assign]
    Taped.__array_ufunc__ = _dispatch  # type: ignore[method-assign]


install()

"""The six kinds of rule.  Each function is registered once; dot, bar and vmap follow.

============  ===============================  =============================================
kind          you write                        derived
============  ===============================  =============================================
constant      nothing                          zero derivative
elementwise   one partial per argument         dot, bar, broadcasting, vmap
linear        its bar (the transpose)          dot = the function itself
bilinear      two bars                         both dots
rule          dot and bar                      vmap from the signature
composite     the function in other functions  everything
============  ===============================  =============================================

A body or a partial names the values it needs: the result first, then the arguments.  The tape keeps those
that the bar mentions, and of the others (or where only ``x.shape`` and ``x.dtype`` are mentioned) the shape.
Parameters before ``*`` are arrays, which may be traced; those after it are settings, in NumPy's order.
"""

import inspect
import re
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from dotbar.core import (
    RULES,
    Rule,
    Settings,
    Shape,
    dtype_of,
    full_name,
    into,
    new_zeros,
    parameters_of,
    shape_of,
    with_infinities,
)
from dotbar.errors import NoRuleError, RuleError
from dotbar.rules.mentions import needed
from dotbar.rules.refusals import Flags, argument_name, refusal

Batch = str | Callable[..., Any] | None
Varying = bool | Callable[..., bool]


# ---------------------------------------------------------------- cotangents with structural zeros


class Masked:
    """A cotangent that is structurally zero where ``mask`` is False: 0 · ∞ is 0 there, and nan elsewhere.

    Functions that select (``where``, indexing) attach a mask, elementwise functions carry it along,
    and functions that mix entries drop it.
    """

    __slots__ = ("array", "mask")
    __array_ufunc__ = None

    def __init__(self, array: Any, mask: Any):
        self.array = array
        self.mask = mask

    @property
    def shape(self) -> tuple[int, ...]:
        return shape_of(self.array)

    @property
    def dtype(self) -> np.dtype[Any]:
        return dtype_of(self.array)

    def freeze(self) -> "Masked":
        return self

    def __mul__(self, factor: Any) -> "Masked":
        return Masked(np.where(self.mask, self.array * factor, 0), self.mask)

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> "Masked":
        return Masked(np.where(self.mask, self.array / divisor, 0), self.mask)

    def __neg__(self) -> "Masked":
        return Masked(-self.array, self.mask)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Masked):
            return Masked(self.array + other.array, self.mask | other.mask)
        return self.array + other

    __radd__ = __add__


def dense(g: Any) -> Any:
    """A cotangent as an array, its structural zeros written out."""
    return g.array if isinstance(g, Masked) else g


def masked(g: Any, mask: Any) -> Any:
    """A cotangent that is structurally zero where ``mask`` is False, besides where it was before."""
    known = mask if shape_of(mask) == shape_of(g) else np.broadcast_to(mask, shape_of(g))
    if isinstance(g, Masked):
        g, known = g.array, known & g.mask
    return Masked(np.where(known, g, 0), known)


def each(f: Callable[[Any], Any], g: Any) -> Any:
    """Apply a function that only moves entries to a cotangent and to its mask."""
    if isinstance(g, Masked):
        return Masked(f(g.array), f(g.mask * 1.0) != 0)
    return f(g)


# ---------------------------------------------------------------- shapes


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum a cotangent over the axes along which a value of ``shape`` was broadcast."""
    now = shape_of(g)
    if now == shape:
        return g
    lead = len(now) - len(shape)
    if lead < 0:
        return np.reshape(np.broadcast_to(g, np.broadcast_shapes(now, shape)), shape)
    axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 and now[i + lead] != 1)
    full = now[:lead] + tuple(n if m == 1 else m for m, n in zip(now[lead:], shape))
    g = np.sum(g if full == now else np.broadcast_to(g, full), axes)
    return g if shape_of(g) == shape else np.reshape(g, shape)


def match(xbar: Any, x: Any) -> Any:
    """A cotangent in its primal's dtype: the real part for a real primal, float32 for float32."""
    want, have = dtype_of(x), dtype_of(xbar)
    if have == want:
        return xbar
    if isinstance(xbar, Masked):
        return Masked(match(xbar.array, x), xbar.mask)
    if have.kind == "c" and want.kind != "c":
        xbar = np.real(xbar)
    return xbar.astype(want) if hasattr(xbar, "astype") else want.type(xbar)


# ---------------------------------------------------------------- batching


def align(x: Any, ndim: int) -> Any:
    """Insert axes behind the batch axis, so that an array of fewer dimensions broadcasts."""
    missing = ndim + 1 - np.ndim(x)
    return np.reshape(x, shape_of(x)[:1] + (1,) * missing + shape_of(x)[1:]) if missing > 0 else x


def batch_signature(fn: Any, core: Sequence[int], xs: Sequence[Any], batched: Sequence[bool], kw: Settings) -> Any:
    """Batch a function that maps over leading axes; ``core`` counts each argument's own dimensions."""
    own = [0 if x is None else np.ndim(x) - b - n for x, b, n in zip(xs, batched, core)]
    loop = max(own)
    aligned = [align(x, loop + n) if b else x for x, b, n in zip(xs, batched, core)]
    return fn(*aligned, **kw)


def shift_axis(axis: Any, ndim: int) -> Any:
    """An axis, a tuple of axes or None (all) of one item, as axes of the batch; NumPy allows 0 of a number."""
    if axis is None or (ndim == 0 and axis in (0, -1)):
        return tuple(range(1, ndim + 1))
    if isinstance(axis, (tuple, list)):
        return tuple(shift_axis(a, ndim) for a in axis)
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis % ndim + 1


def batch_loop(rule: Rule, xs: Sequence[Any], batched: Sequence[bool], size: int, kw: Settings) -> Any:
    """One call per item, for functions that cannot map over a leading axis by themselves."""
    if size == 0:
        raise NoRuleError(f"vmap of {rule.name} over an axis of length 0 has no result to take the shape from.")
    results = [rule.fn(*[x[i] if b else x for x, b in zip(xs, batched)], **kw) for i in range(size)]
    if isinstance(results[0], tuple):
        return tuple(np.stack(column) for column in zip(*results))
    return np.stack(results)


def call_batched(rule: Rule, how: Batch, xs: Sequence[Any], batched: Sequence[bool], size: int, kw: Settings) -> Any:
    """Batch by a gufunc signature, by the axis setting, or by the rule's own function."""
    if how is None:
        return batch_loop(rule, xs, batched, size, kw)
    if callable(how):
        return how(xs, batched, size, **kw)
    if how == "axis":
        ndim = np.ndim(xs[0]) - 1
        return rule.fn(*xs, **{**kw, "axis": shift_axis(kw.get("axis", rule.default_axis), ndim)})  # type: ignore[attr-defined]
    return batch_signature(rule.fn, core_dims(how), xs, batched, kw)


def core_dims(signature: str) -> list[int]:
    """The number of core dimensions of each argument of a gufunc signature."""
    return [len(s.split(",")) if s else 0 for s in re.findall(r"\(([^)]*)\)", signature.split("->")[0])]


def _parameters(fn: Callable[..., Any], leading: int) -> tuple[list[str], list[str], list[str], dict[str, Any]]:
    """The leading names, the array names, the settings and the settings' defaults of a rule's function."""
    positional: list[str] = []
    settings: list[str] = []
    defaults: dict[str, Any] = {}
    for p in inspect.signature(fn).parameters.values():
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            positional.append(p.name)
        elif p.kind == p.VAR_POSITIONAL:
            positional.append("*" + p.name)
        elif p.kind == p.KEYWORD_ONLY:
            settings.append(p.name)
        if p.default is not p.empty:
            defaults[p.name] = p.default
    return positional[:leading], positional[leading:], settings, defaults


# ---------------------------------------------------------------- the kinds


class Constant(Rule):
    """A function with zero derivative: its result is a plain value at every differentiating level."""

    kind: ClassVar[str] = "constant"

    def __init__(self, fn: Any, arrays: Sequence[str], settings: Sequence[str], batch: Batch, axis: Any = None):
        super().__init__(fn, arrays, settings)
        self.how = batch
        self.default_axis = axis

    def batch(self, xs: Sequence[Any], batched: Sequence[bool], size: int, kw: Settings) -> Any:
        return call_batched(self, self.how, xs, batched, size, kw)

    def varies(self, xs: Sequence[Any]) -> bool:
        return not isinstance(self.how, str)


class Elementwise(Rule):
    """y = f(a, b, ...) entry by entry, given by its partial derivatives.

    A partial is a function, a constant, None for 0, or a text: why there is none.
    """

    kind: ClassVar[str] = "elementwise"

    def __init__(self, fn: Any, partials: Sequence[Any], settings: Sequence[str] = ()):
        names = ("x",) if len(partials) == 1 else tuple("abcdef"[: len(partials)])
        super().__init__(fn, names, settings)
        self.partials = tuple(partials)
        self.has_all_partials = not any(p is None or type(p) is str for p in partials)
        values = ("y", *names)
        self.picks = [
            tuple(map(values.index, inspect.signature(p).parameters)) if callable(p) else () for p in partials
        ]

    def keep(self, active: Sequence[int], n: int) -> tuple[bool, list[bool]]:
        picked = {k for i in active for k in self.picks[i]}
        return 0 in picked, [k + 1 in picked for k in range(n)]

    def _times(self, i: int, values: Sequence[Any], t: Any, conj: bool) -> Any:
        p = self.partials[i]
        if not callable(p):
            if type(p) is str:
                raise refusal(self.name, argument_name(self, i), p)
            return t if p == 1 else -t if p == -1 else None if p is None else t * p
        w = with_infinities(p, [values[k] for k in self.picks[i]], {})
        if conj and dtype_of(w).kind == "c":
            w = np.conj(w)
        return t * w

    def dot(self, y: Any, xs: Sequence[Any], kw: Settings, xdots: Sequence[Any]) -> Any:
        terms = [self._times(i, (y, *xs), t, conj=False) for i, t in enumerate(xdots) if t is not None]
        ydot: Any = None
        for t in terms:
            ydot = add(ydot, t)
        if ydot is None:
            return np.zeros(shape_of(y), dtype_of(y))
        return ydot if shape_of(ydot) == shape_of(y) else np.broadcast_to(ydot, shape_of(y))

    def bars(self, y: Any, xs: Sequence[Any], kw: Settings, ybar: Any, active: Sequence[int]) -> list[Any]:
        def bar(i: int) -> Any:
            t = self._times(i, (y, *xs), ybar, conj=True)
            shape = shape_of(xs[i])
            return t if t is None or shape_of(t) == shape else each(lambda g: unbroadcast(g, shape), t)

        return [bar(i) for i in active]

    def batch(self, xs: Sequence[Any], batched: Sequence[bool], size: int, kw: Settings) -> Any:
        return batch_signature(self.fn, [0] * len(xs), xs, batched, kw)


class Linear(Rule):
    """A function linear in its array arguments jointly, given by its transpose."""

    kind: ClassVar[str] = "linear"
    makes_views: ClassVar[bool] = True

    def __init__(self, fn: Any, bar: Callable[..., Any], batch: Batch = None, moves: bool = False):
        _, arrays, settings, defaults = _parameters(bar, 1)
        super().__init__(fn, arrays, settings)
        self.bar = bar
        self.how = batch
        self.moves = moves
        self.default_axis = defaults.get("axis")

    def keep(self, active: Sequence[int], n: int) -> tuple[bool, list[bool]]:
        return False, [False] * n

    def dot(self, y: Any, xs: Sequence[Any], kw: Settings, xdots: Sequence[Any]) -> Any:
        some = next(t for t in xdots if t is not None)
        zero = lambda x: None if x is None else new_zeros(shape_of(x), dtype_of(x), some)
        return self.fn(*[zero(x) if t is None else t for x, t in zip(xs, xdots)], **kw)

    def bars(self, y: Any, xs: Sequence[Any], kw: Settings, ybar: Any, active: Sequence[int]) -> list[Any]:
        if len(xs) == 1 and not self.variadic:
            return [each(lambda g: self.bar(g, xs[0], **kw), ybar if self.moves else dense(ybar))]
        all_bars = self.bar(dense(ybar), *xs, **kw)
        if self.moves and isinstance(ybar, Masked):
            known = self.bar(ybar.mask, *xs, **kw)
            return [Masked(all_bars[i], known[i]) for i in active]
        return [all_bars[i] for i in active]

    def batch(self, xs: Sequence[Any], batched: Sequence[bool], size: int, kw: Settings) -> Any:
        return call_batched(self, self.how, xs, batched, size, kw)


class Bilinear(Rule):
    """A function linear in each of two arguments: each bar sees the cotangent and the other argument."""

    kind: ClassVar[str] = "bilinear"

    def __init__(self, fn: Any, signature: str | Batch, bar_a: Callable[..., Any], bar_b: Callable[..., Any]):
        _, _, settings, _ = _parameters(bar_a, 1)
        super().__init__(fn, ("a", "b"), settings)
        self.bar_of = (bar_a, bar_b)
        self.how = signature
        self.core = core_dims(signature) if isinstance(signature, str) else None

    def keep(self, active: Sequence[int], n: int) -> tuple[bool, list[bool]]:
        return False, [1 in active, 0 in active]

    def dot(self, y: Any, xs: Sequence[Any], kw: Settings, xdots: Sequence[Any]) -> Any:
        (a, b), (adot, bdot) = xs, xdots
        if bdot is None:
            return self.fn(adot, b, **kw)
        if adot is None:
            return self.fn(a, bdot, **kw)
        return self.fn(adot, b, **kw) + self.fn(a, bdot, **kw)

    def bars(self, y: Any, xs: Sequence[Any], kw: Settings, ybar: Any, active: Sequence[int]) -> list[Any]:
        ybar = dense(ybar)
        bars = [self.bar_of[i](ybar, xs[1 - i], **kw) for i in active]
        return bars if self.core is None else [self._fit(g, i, xs) for g, i in zip(bars, active)]

    def _fit(self, g: Any, i: int, xs: Sequence[Any]) -> Any:
        return fit(g, shape_of(xs[i]), self.core[i])  # type: ignore[index]

    def batch(self, xs: Sequence[Any], batched: Sequence[bool], size: int, kw: Settings) -> Any:
        return call_batched(self, self.how, xs, batched, size, kw)


def fit(g: Any, shape: tuple[int, ...], core: int) -> Any:
    """Undo the broadcasting of leading axes; the ``core`` trailing ones are the rule's own."""
    lead, now = len(shape) - core, shape_of(g)
    want = shape[:lead] + now[len(now) - core :]
    return g if now == want else each(lambda t: unbroadcast(t, want), g)


DETERMINED: Any = ()
"""In the place of a pair: an argument that others determine, such as the factors of one, by which derivatives count."""


class General(Rule):
    """Dot and bar side by side: ``body(y, *arrays, **settings)`` returns one pair (dot, bar) per array.

    None, or a text that says why, in the place of a pair stands for an argument without a derivative.  Of several
    results of one argument, the dot may give a tangent as a function, which is called when the tangent is used: one
    that may have to be refused.
    """

    kind: ClassVar[str] = "rule"

    def __init__(
        self, fn: Any, body: Callable[..., Any], batch: Batch = None, moves: bool = False, varying: Varying = False
    ):
        (self.result,), arrays, settings, defaults = _parameters(body, 1)
        super().__init__(fn, arrays, settings)
        self.body = body
        self.how = batch
        self.moves = moves
        self.varying = varying
        self.core = core_dims(batch) if isinstance(batch, str) and batch != "axis" else None
        self.entrywise = isinstance(batch, str) and not set(batch) - set("(),->")
        self.default_axis = defaults.get("axis")

    @cached_property
    def _needed(self) -> list[set[str]]:
        """For each array, the names that its bar needs."""

        def skip_for(array: str) -> Callable[[str], bool]:
            others = {f"bar_{name}" for name in self.arrays if name != array}
            return lambda name: name.startswith("dot") or name in others

        return [needed(self.body.__code__, skip_for(array)) for array in self.arrays]

    def keep(self, active: Sequence[int], n: int) -> tuple[bool, list[bool]]:
        if self.variadic:
            names = needed(self.body.__code__, lambda name: name.startswith("dot"))
            return self.result in names, [self.arrays[-1][1:] in names] * n
        names = set[str]().union(*(self._needed[i] for i in active))
        return self.result in names, [name in names for name in self.arrays]

    def _pairs(self, y: Any, xs: Sequence[Any], kw: Settings) -> Sequence[Any]:
        out = self.body(y, *xs, **kw)
        return (out,) if isinstance(out, tuple) and callable(out[0]) else out

    def _pair(self, pairs: Sequence[Any], i: int) -> Any:
        if pairs[i] is None or type(pairs[i]) is str:
            raise refusal(self.name, argument_name(self, i), pairs[i])
        return pairs[i]

    def dot(self, y: Any, xs: Sequence[Any], kw: Settings, xdots: Sequence[Any]) -> Any:
        pairs = self._pairs(y, xs, kw)
        total: Any = None
        for i, xdot in enumerate(xdots):
            if xdot is not None and pairs[i] is not DETERMINED:
                t = self._pair(pairs, i)[0](xdot)
                total = t if total is None else add(total, t)
        if total is not None:
            return total
        zeros = [np.zeros(shape_of(part), dtype_of(part)) for part in (y if isinstance(y, tuple) else (y,))]
        return tuple(zeros) if isinstance(y, tuple) else zeros[0]

    def bars(self, y: Any, xs: Sequence[Any], kw: Settings, ybar: Any, active: Sequence[int]) -> list[Any]:
        pairs = self._pairs(y, xs, kw)
        mask = ybar.mask if isinstance(ybar, Masked) and self.entrywise else None
        if not self.moves:
            ybar = tuple(map(dense, ybar)) if isinstance(ybar, list) else dense(ybar)
        bars = [None if pairs[i] is DETERMINED else self._pair(pairs, i)[1](ybar) for i in active]
        if mask is not None:
            bars = [masked(g, mask) for g in bars]
        if self.core is None:
            return bars
        return [g if g is None else fit(g, shape_of(xs[i]), self.core[i]) for g, i in zip(bars, active)]

    def batch(self, xs: Sequence[Any], batched: Sequence[bool], size: int, kw: Settings) -> Any:
        return call_batched(self, self.how, xs, batched, size, kw)

    def varies(self, xs: Sequence[Any]) -> bool:
        return self.varying(*xs) if callable(self.varying) else self.varying


def add(a: Any, b: Any) -> Any:
    """Add two results, or two tuples of results of which any may be None, or a function that makes it when used."""
    if isinstance(a, tuple):
        return tuple((lambda x=x, y=y: add(x(), y())) if callable(x) else add(x, y) for x, y in zip(a, b, strict=True))
    return b if a is None else a if b is None else a + b


class Composite(Rule):
    """A function written in others: a traced call runs the body instead."""

    kind: ClassVar[str] = "composite"

    def __init__(self, fn: Any, body: Callable[..., Any]):
        super().__init__(fn, (), ())
        self.body = body
        self.flags = Flags(fn, body)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The body's parameters; read at the first call, as signatures take time."""
        return tuple(parameters_of(self.body))

    @cached_property
    def place_of_out(self) -> int:
        """The position of ``out``."""
        return self.parameters.index("out") if "out" in self.parameters else sys.maxsize

    def __call__(self, *args: Any, **kw: Any) -> Any:
        self.flags.check(args, kw)
        k = self.place_of_out
        if len(args) > k and args[k] is not None:
            return into(args[k], self.body, (*args[:k], None, *args[k + 1 :]), kw)
        return self.body(*args, **kw)


# ---------------------------------------------------------------- registration


def _register(fn: Any, rule: Rule) -> None:
    if fn in RULES:
        raise RuleError(f"{full_name(fn)} already has a rule; each function has one definition.")
    RULES[fn] = rule


def constant(fn: Any, like: Callable[..., Any] | None = None, batch: Batch = None) -> None:
    """Register a function with zero derivative.  ``like`` shows its parameters: arrays, ``*``, settings."""
    _, arrays, settings, defaults = _parameters(like, 0) if like else ([], ["x"], [], {})
    _register(fn, Constant(fn, arrays, settings, batch, defaults.get("axis")))


def elementwise(fn: Any, *partials: Any, settings: Sequence[str] = ()) -> None:
    """Register y = f(x) or f(a, b, ...) by one partial derivative per argument.

    Each partial names exactly the values it needs, of ``y`` and ``x`` (or ``a``, ``b``, ``c``), or is a constant, None
    where the derivative is zero, or a text that says why there is none.  For real y = f(z) of complex z it is w with
    ẏ = Re(w ż), z̄ = conj(w) ȳ.
    """
    _register(fn, Elementwise(fn, partials, settings))


def linear(fn: Any, bar: Callable[..., Any], batch: Batch = None, moves: bool = False) -> None:
    """Register a linear function by its transpose ``bar(ybar, x, *, settings)``; of ``x`` it sees shape and dtype.

    ``moves`` says that entries are only moved, so that structural zeros stay known.
    """
    _register(fn, Linear(fn, bar, batch, moves))


def bilinear(fn: Any, signature: Batch, bar_a: Callable[..., Any], bar_b: Callable[..., Any]) -> None:
    """Register a function linear in each of two arguments: ``bar_a(ybar, b)`` and ``bar_b(ybar, a)``."""
    _register(fn, Bilinear(fn, signature, bar_a, bar_b))


def rule(
    fn: Any, batch: Batch = None, moves: bool = False, varying: Varying = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated body, which returns (dot, bar), or one such pair for each array argument.

    ``batch`` is a gufunc signature, ``"axis"`` or a function (xs, batched, size, **settings).  ``moves`` says that
    bar takes its cotangent together with the mask of structural zeros.  ``varying`` says, or a function of the
    arguments does, that shapes or dtypes of the results depend on values.
    """

    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        _register(fn, General(fn, body, batch, moves, varying))
        return body

    return register


def composite(fn: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated body, which computes the function by others that have rules."""

    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        _register(fn, Composite(fn, body))
        return body

    return register


__all__ = [
    "Masked",
    "Shape",
    "add",
    "bilinear",
    "composite",
    "constant",
    "dense",
    "elementwise",
    "linear",
    "rule",
    "unbroadcast",
]

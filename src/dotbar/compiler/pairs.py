"""Complex numbers as pairs of real ones: their arithmetic, written out.

In: a function and operands of which some are complex.  Out: views of real numbers, or a :class:`Pair` of them.  What
moves entries, or adds them, does so with both parts.  Between nests the parts are blocks of their own; in inputs and
outputs they lie side by side, as NumPy has them.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from dotbar.compiler.shapes import MOVES, Shape
from dotbar.core import take_index
from dotbar.program import WRITTEN
from dotbar.rules import words
from dotbar.rules.shapes import astype, choose, concat, pile
from dotbar.rules.ufuncs import phase

View: TypeAlias = Any  # of the lowering, which calls this
Lowering: TypeAlias = Any
PARTS = {np.dtype(np.complex64): np.dtype(np.float32), np.dtype(complex): np.dtype(float)}
WHOLES = {part: whole for whole, part in PARTS.items()}


class Pair(NDArrayOperatorsMixin):
    """x + iy; the parts are views, or numbers."""

    def __init__(self, lowering: Lowering, re: Any, im: Any, weak: bool = False):
        self.lowering, self.weak = lowering, weak
        self.re, self.im = re, im

    @property
    def dtype(self) -> np.dtype[Any]:
        return WHOLES[np.result_type(*(getattr(x, "dtype", float) for x in (self.re, self.im)))]

    @property
    def shape(self) -> Shape:
        return np.broadcast_shapes(*(getattr(x, "shape", ()) for x in (self.re, self.im)))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kw: Any) -> Any:
        return self.lowering.applied(ufunc, inputs, kw)

    def __array_function__(self, fn: Any, types: Any, args: Any, kw: Any) -> Any:
        return self.lowering.applied(choose if fn is np.where else fn, args, kw)


def is_complex(x: Any) -> bool:
    """Whether an operand is a complex number or an array of them."""
    return isinstance(x, (Pair, complex)) or (isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind == "c")


def split(view: View, weak: bool = False) -> Pair:
    """The pair whose parts lie side by side along the last axis of a view."""
    return Pair(view.lowering, *(view.move(lambda v, k=k: v[..., k]) for k in (0, 1)), weak=weak)


def joined(x: Pair) -> View:
    """The parts side by side, as NumPy has them."""
    parts = [x.lowering.view(part, PARTS[x.dtype]) for part in (x.re, x.im)]
    parts = [part.move(lambda v: np.broadcast_to(v, x.shape)) for part in parts]
    return x.lowering.joined(parts, -1, new=True)


def real(x: Any) -> Any:
    return x.re if isinstance(x, Pair) else x.real if is_complex(x) else x


def imag(x: Any) -> Any:
    if isinstance(x, Pair):
        return x.im
    if hasattr(x, "lowering"):
        return x.lowering.full(0, x.shape, x.dtype)
    return x.imag


def applied(lowering: Lowering, fn: Any, xs: Sequence[Any], settings: dict[str, Any]) -> Any:
    """What a function makes of operands, or casts to a complex dtype; None if it is unknown."""
    if fn in (words.read, WRITTEN.fn) and any(step[0] in (np.real, np.imag) for step in settings["path"]):
        return _at_a_part(lowering, fn, xs, settings["path"])
    if fn in PARTWISE or fn in MOVES:
        places = PARTWISE.get(fn, range(len(xs)))
        if settings.get("dtype") is not None:
            wanted = np.dtype(settings["dtype"])
            if wanted not in PARTS:
                own = (lambda x: np.not_equal(x, 0)) if wanted.kind == "b" else real
                return lowering.applied(fn, list(map(own, xs)), settings) if fn is astype else None
            settings = settings | {"dtype": PARTS[wanted]}
        parts = (
            [part(x) if k in places else x for k, x in enumerate(xs)] if places else list(map(part, xs))
            for part in (real, imag)
        )
        return Pair(lowering, *(lowering.applied(fn, one, settings) for one in parts))
    if fn in TRUTHS:
        return lowering.applied(fn, [np.not_equal(x, 0) for x in xs], settings)
    if fn in (np.real, np.imag):
        return real(xs[0]) if fn is np.real else imag(xs[0])
    if fn is words.ratio:
        return fn.__wrapped__(*xs)
    if fn not in FORMULAS or settings:
        return None
    if isinstance(fn, np.ufunc):
        dtype = fn.resolve_dtypes((*map(kind, xs), *(None,) * fn.nout))[0]
        if dtype not in PARTS:
            return None
        operand = lambda x: lowering.operand(lowering.cast(x, PARTS[dtype]))
        xs = [Pair(lowering, *(operand(part(x)) for part in (real, imag))) for x in xs]
    return FORMULAS[fn](*xs)


def _at_a_part(lowering: Lowering, fn: Any, xs: Sequence[Any], path: Any) -> Any:
    """A read of one part, or a write to it, that leaves the other as it is."""
    z, rest = xs[0], tuple(step for step in path if step[0] not in (np.real, np.imag))
    if len(path) != len(rest) + 1 or not isinstance(z, Pair):
        return None
    if not rest or rest[-1][0] is not take_index:
        rest = (*rest, (take_index, {"index": ...}))
    first = any(step[0] is np.real for step in path)
    y = lowering.applied(fn, [z.re if first else z.im, *xs[1:]], {"path": rest})
    if fn is words.read:
        return y
    return Pair(lowering, y, z.im) if first else Pair(lowering, z.re, y)


def kind(x: Any) -> Any:
    """What stands for an operand in NumPy's promotion."""
    if getattr(x, "weak", False):
        return complex if isinstance(x, Pair) else {"f": float, "i": int}.get(x.dtype.kind, x.dtype)
    return type(x) if type(x) in (int, float, complex) else x.dtype


def _of_parts(fn: Callable[..., Any]) -> Callable[..., Pair]:
    return lambda *zs: Pair(zs[0].lowering, fn(*(z.re for z in zs)), fn(*(z.im for z in zs)))


def _multiply(a: Pair, b: Pair) -> Pair:
    return Pair(a.lowering, a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)


def _divide(a: Pair, b: Pair) -> Pair:
    """Smith (1962): the larger part of the divisor is divided out first; by 0 as its absolute value."""
    wide = np.abs(b.re) >= np.abs(b.im)
    zero = (b.re == 0) & (b.im == 0)
    c, d = np.where(wide, b.re, b.im), np.where(wide, b.im, b.re)
    ratio = d / np.where(zero, 1, c)
    scale = 1 / (c + d * ratio)
    x, y = np.where(wide, a.re, a.im), np.where(wide, a.im, a.re)
    re, im = (x + y * ratio) * scale, (y - x * ratio) * scale
    im = np.where(wide, im, -im)
    size = np.abs(b.re)
    return Pair(a.lowering, np.where(zero, a.re / size, re), np.where(zero, a.im / size, im))


def _exp(z: Pair) -> Pair:
    size = np.exp(z.re)
    return Pair(z.lowering, size * np.cos(z.im), np.where(z.im == 0, z.im, size * np.sin(z.im)))


def _phase(z: Pair) -> Pair:
    """z/|z|, and 0 of 0."""
    size = np.abs(z)
    size = np.where(size == 0, 1, size)
    return Pair(z.lowering, z.re / size, z.im / size)


PARTWISE: dict[Any, Any] = {
    words.read: (0,),
    words.gather: (0,),
    words.ungather: (0,),
    words.scatter: (0,),
    WRITTEN.fn: (0, 1),
    choose: (1, 2),
    concat: None,
    pile: None,
    **dict.fromkeys((np.sum, np.mean, np.cumsum, np.diff, np.roll, np.copy, words.stop_gradient, astype), (0,)),
}
"""What does the same with both parts, of the operands at these places or of all."""

TRUTHS = {np.any, np.all, np.count_nonzero, np.logical_not, np.logical_and, np.logical_or}

FORMULAS: dict[Any, Callable[..., Any]] = {
    np.add: _of_parts(lambda a, b: a + b),
    np.subtract: _of_parts(lambda a, b: a - b),
    np.negative: _of_parts(lambda a: -a),
    np.positive: lambda z: z,
    np.conjugate: lambda z: Pair(z.lowering, z.re, -z.im),
    np.multiply: _multiply,
    np.square: lambda z: _multiply(z, z),
    np.divide: _divide,
    np.exp: _exp,
    phase: _phase,
    np.absolute: lambda z: np.hypot(z.re, z.im),
    np.equal: lambda a, b: (a.re == b.re) & (a.im == b.im),
    np.not_equal: lambda a, b: (a.re != b.re) | (a.im != b.im),
    np.isnan: lambda z: np.isnan(z.re) | np.isnan(z.im),
    np.isinf: lambda z: np.isinf(z.re) | np.isinf(z.im),
    np.isfinite: lambda z: np.isfinite(z.re) & np.isfinite(z.im),
}

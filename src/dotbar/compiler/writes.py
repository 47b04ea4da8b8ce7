"""Writes and reads of array entries: the value of an entry just written is known, what is written again need not be.

::

    c: f64[5] = written a b  path=[0]
    d: f64[] = read c  path=[0]                c: f64[5] = written a b  path=[0]
    e: f64[] = multiply 0.5 d             →    e: f64[] = multiply 0.5 b
    f: f64[5] = written c e  path=[1]          f: f64[5] = written c e  path=[1]
    g: f64[] = read f  path=[0]                return f, b
    return f, g

Which entries a path of integers, slices and transposes selects is known when the Program is compiled: a
:class:`Region`.  Indices by arrays stay as they are.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

import numpy as np

from dotbar.compiler.rewriting import Walk, is_splat, key, rewrite, splat, uniform
from dotbar.core import shape_of, take_index
from dotbar.program import WRITTEN, Equation, Program, Var
from dotbar.rules.shapes import reshape_to
from dotbar.rules.words import read, scatter

__all__ = ["Region", "forward", "region"]

FAR = 16  # writes through which a read is followed; a chain of those to rows or single entries counts as one


@dataclass(frozen=True)
class Region:
    """The entries that a path selects: a range along each axis of the array, and the axes of the result.

    An axis of the result is an axis of the array, in any order, or None for a new one.
    """

    ranges: tuple[range, ...]
    axes: tuple[int | None, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result."""
        return tuple([1 if a is None else len(self.ranges[a]) for a in self.axes])

    @property
    def order(self) -> list[int]:
        """The axes along which the result has several entries."""
        return [a for a in self.axes if a is not None and len(self.ranges[a]) > 1]

    @property
    def in_order(self) -> bool:
        """Whether the entries come in the order in which the array holds them."""
        return self.order == sorted(self.order)

    def covers(self, shape: tuple[int, ...]) -> bool:
        """Whether all entries of the array are selected, in order."""
        return self.in_order and all(r == range(n) for r, n in zip(self.ranges, shape))

    @property
    def kind(self) -> tuple[range | None, ...]:
        """Its ranges, those of one entry left out: two regions of one kind are the same or apart."""
        return tuple([None if len(r) == 1 else r for r in self.ranges])

    def same(self, other: "Region") -> bool:
        """Whether both select the same entries in the same order."""
        return self.ranges == other.ranges and self.order == other.order

    def apart(self, other: "Region") -> bool:
        """Whether it is known that no entry is in both: they are apart along some axis."""
        return any(map(_apart, self.ranges, other.ranges))

    @property
    def path(self) -> Any:
        """The region of which all axes are in order, as one index; None of another."""
        kept = [a for a in self.axes if a is not None]
        if kept != sorted(kept):
            return None
        index: list[Any] = []
        done = 0
        for a in (*self.axes, len(self.ranges)):
            if a is None:
                index.append(None)
                continue
            index += [r.start for r in self.ranges[done:a]]
            if a < len(self.ranges):
                index.append(_slice(self.ranges[a]))
            done = a + 1
        return ((take_index, {"index": tuple(index)}),)


def _apart(r: range, s: range) -> bool:
    if not r or not s:
        return True
    if max(r[0], r[-1]) < min(s[0], s[-1]) or max(s[0], s[-1]) < min(r[0], r[-1]):
        return True
    return len(r) > 1 and len(s) > 1 and abs(r.step) == abs(s.step) and (r[0] - s[0]) % r.step != 0


def _slice(r: range) -> slice:
    if not r:
        return slice(0, 0)
    return slice(r.start, r.stop if r.stop >= 0 else None, None if r.step == 1 else r.step)


def region(shape: tuple[int, ...], path: Any) -> Region | None:
    """What a path selects of an array of a shape; None if not just by integers, slices and transposes."""
    ranges = list(map(range, shape))
    axes: list[int | None] = list(range(len(shape)))
    for fn, kw in path:
        if fn is np.transpose and kw.get("axes") is None:
            axes.reverse()
        elif fn is np.transpose:
            axes = [axes[a] for a in kw["axes"]]
        elif fn is take_index:
            index = kw["index"]
            taken = _take(ranges, axes, index if type(index) is tuple else (index,))
            if taken is None:
                return None
            axes = taken
        else:
            return None
    return Region(tuple(ranges), tuple(axes))


def _take(ranges: list[range], axes: list[int | None], index: tuple[Any, ...]) -> list[int | None] | None:
    """Narrow the ranges by a basic index; the axes that are left, None for another index."""
    if not all(i is None or i is ... or type(i) in (int, slice) or isinstance(i, np.integer) for i in index):
        return None
    rest = len(axes) - sum(i is not None and i is not ... for i in index)
    if ... not in [i for i in index if i is None or i is ...]:
        index = (*index, ...)
    left: list[int | None] = []
    old = iter(axes)
    for i in index:
        if i is None:
            left.append(None)
        elif i is ...:
            left += [next(old) for _ in range(rest)]
        else:
            a = next(old)
            if type(i) is slice:
                left.append(a)
                if a is not None:
                    ranges[a] = ranges[a][i]
                elif len(range(1)[i]) != 1:
                    return None
            elif a is not None:
                place = ranges[a][int(i)]
                ranges[a] = range(place, place + 1)
    return left


# ---------------------------------------------------------------- what an array holds


class Write(NamedTuple):
    """A write: to which array, where, what."""

    array: Any
    region: Region
    value: Any


@dataclass
class Chain:
    """Writes in a row to regions of one kind: for each region their numbers, ascending, and the writes."""

    base: Any
    kind: Any
    length: int = 0
    numbers: dict[Any, list[int]] = field(default_factory=dict[Any, list[int]])
    writes: dict[Any, list[Write]] = field(default_factory=dict[Any, list[Write]])


class Contents:
    """What is known of the entries of the arrays of a Program that were written."""

    def __init__(self) -> None:
        self.writes: dict[Var, Write] = {}
        self.chains: dict[Var, tuple[Chain, int]] = {}

    def note(self, y: Var, write: Write) -> None:
        """Remember that ``y`` is the array after the write."""
        self.writes[y] = write
        x, region, _ = write
        chain, number = self.chains.get(x, (None, 0)) if type(x) is Var else (None, 0)
        if chain is None or number != chain.length or chain.kind != region.kind:
            chain = Chain(x, region.kind)
        chain.length += 1
        chain.numbers.setdefault(region.ranges, []).append(chain.length)
        chain.writes.setdefault(region.ranges, []).append(write)
        self.chains[y] = chain, chain.length

    def find(self, x: Any, where: Region) -> tuple[Write | None, Any]:
        """The last write to a region, if known; and an array that holds the region as ``x`` does."""
        array = x
        for _ in range(FAR):
            if type(array) is not Var or array not in self.writes:
                return None, array
            chain, number = self.chains[array]
            if chain.kind == where.kind:
                numbers = chain.numbers.get(where.ranges, [])
                last = bisect_right(numbers, number)
                if last:
                    write = chain.writes[where.ranges][last - 1]
                    return (write if write.region.order == where.order else None), array
                array = chain.base
            else:
                write = self.writes[array]
                if write.region.same(where):
                    return write, array
                if not write.region.apart(where):
                    return None, array
                array = write.array
        return None, x


class Regions:
    """The regions of paths, worked out once each."""

    def __init__(self) -> None:
        self.known: dict[Any, Region | None] = {}

    def of(self, x: Any, path: Any) -> Region | None:
        """What a path selects of a value."""
        shape = shape_of(x)
        known = (shape, *[(fn, key(kw)) for fn, kw in path])
        if known not in self.known:
            self.known[known] = region(shape, path)
        return self.known[known]


def forward(program: Program, reassociate: bool = True) -> Program:
    """The Program in which reads of entries just written are their values, and redundant writes are gone."""
    contents, regions = Contents(), Regions()

    def step(equation: Equation, walk: Walk) -> Any:
        fn = equation.rule.fn
        if fn is read or (equation.rule is WRITTEN and len(equation.inputs) == 2):
            where = regions.of(equation.inputs[0], equation.settings["path"])
            if where is not None:
                return (_read if fn is read else _write)(equation, where, contents, regions, walk)
        elif fn is scatter and reassociate:
            y, path = equation.outputs[0], equation.settings["path"]
            if regions.of(y, path) is not None:
                return walk.emit(WRITTEN, (splat(0, y), *equation.inputs), {"path": path}, y)
        return None

    return rewrite(program, step)


def _read(e: Equation, where: Region, contents: Contents, regions: Regions, walk: Walk) -> Any:
    """The value last written; else a read of an older array; a read of a read is one; of all entries, a reshape."""
    x, y = e.inputs[0], e.outputs[0]
    write, base = contents.find(x, where)
    if write is not None:
        value = _as_part(write.value, write.region.shape, y, walk)
        if value is not None or base is x:
            return value
    if type(base) is not Var:
        return splat(uniform(base), y) if is_splat(base) else None
    if where.covers(base.shape) and not base.weak:
        return _reshaped(base, y, walk)
    inner = walk.made_by(base, read)
    if inner is not None and regions.of(inner.inputs[0], inner.settings["path"]) is not None:
        path = (*inner.settings["path"], *e.settings["path"])
        joined = regions.of(inner.inputs[0], path)
        return walk.emit(read, inner.inputs, {"path": (joined and joined.path) or path}, y)
    return None if base is x else walk.emit(read, (base,), e.settings, y)


def _write(e: Equation, where: Region, contents: Contents, regions: Regions, walk: Walk) -> Any:
    """Nothing if the entries hold the value; a write over a write replaces it; of all entries, the value itself."""
    (x, v), y, path = e.inputs, e.outputs[0], e.settings["path"]
    write, base = contents.find(x, where)
    if _same_value(x if is_splat(x) else write and write.value, v, y):
        return x
    inner = walk.made_by(v, read) if write is None else None
    if inner is not None and inner.inputs[0] is base:
        source = regions.of(base, inner.settings["path"])
        if source is not None and source.same(where):
            return x
    if where.covers(y.shape):
        value = _as_part(v, where.shape, Var(where.shape, y.dtype), walk)
        if value is not None:
            return _reshaped(value, y, walk)
    below = x
    while type(below) is Var and below in contents.writes and contents.writes[below].region.ranges == where.ranges:
        below = contents.writes[below].array
    short = where.path if len(path) > 1 else None
    if below is x and short is None:
        contents.note(y, Write(x, where, v))
        return None
    z = walk.emit(WRITTEN, (below, v), {"path": short or path}, y)
    contents.note(z, Write(x, where, v))
    return z


def _same_value(a: Any, b: Any, array: Var) -> bool:
    """Whether two operands written to an array give the same bits."""
    if a is b and type(a) is Var:
        return True
    p, q = (None if uniform(x) is None else np.asarray(uniform(x), array.dtype).tobytes() for x in (a, b))
    return p is not None and p == q


def _as_part(v: Any, shape: tuple[int, ...], y: Var, walk: Walk) -> Any:
    """A value that was broadcast to a shape and written, as a read of it gives it; None if it was cast."""
    value = uniform(v)
    if value is not None:
        return splat(value, y)
    if v.dtype != y.dtype or (type(v) is Var and v.weak):
        return None
    if prod(v.shape) != prod(y.shape):
        if type(v) is not Var or len(v.shape) > len(shape):
            return None
        v = walk.emit(np.broadcast_to, (v,), {"shape": shape}, (shape, y.dtype))
    return _reshaped(v, y, walk)


def _reshaped(v: Any, y: Var, walk: Walk) -> Any:
    """A value of as many entries as ``y``, in its shape."""
    if v.shape == y.shape:
        return v
    return splat(uniform(v), y) if is_splat(v) else walk.emit(reshape_to, (v,), {"shape": y.shape, "order": "C"}, y)

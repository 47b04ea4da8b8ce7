"""Writes and reads of array entries: the value of an entry just written is known, what is written again need not be.

::

    c: f64[5] = written a b  path=[0]
    d: f64[] = read c  path=[0]                c: f64[5] = written a b  path=[0]
    e: f64[] = multiply 0.5 d             →    e: f64[] = multiply 0.5 b
    f: f64[5] = written c e  path=[1]          f: f64[5] = written c e  path=[1]
    g: f64[] = read f  path=[0]                return f, b
    return f, g

Where regions are known, see ``regions``; indices by arrays stay as they are.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

import numpy as np

from dotbar.compiler.regions import Region, region
from dotbar.compiler.rewriting import Walk, is_splat, key, rewrite, splat, uniform
from dotbar.core import shape_of
from dotbar.program import WRITTEN, Equation, Program, Var
from dotbar.rules.shapes import reshape_to
from dotbar.rules.words import read, scatter

__all__ = ["forward"]

FAR = 16  # writes through which a read is followed; a chain of those to rows or single entries counts as one


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
    overwritten = _overwritten(program, regions)

    def step(equation: Equation, walk: Walk) -> Any:
        fn = equation.rule.fn
        if equation.outputs and equation.outputs[0] in overwritten:
            return equation.inputs[0]
        if fn is read or (equation.rule is WRITTEN and len(equation.inputs) == 2):
            where = regions.of(equation.inputs[0], equation.settings["path"])
            if where is not None:
                return (_read if fn is read else _write)(equation, where, contents, regions, walk)
        elif fn is scatter and reassociate:
            y, path = equation.outputs[0], equation.settings["path"]
            if regions.of(y, path) is not None:
                return walk.emit(WRITTEN, (splat(0, y), *equation.inputs), {"path": path}, y)
        return None

    return rewrite(program, step) if any(e.rule.fn in MOVING for e in program.equations) else program


MOVING = (read, scatter, WRITTEN.fn)


def _overwritten(program: Program, regions: Regions) -> set[Var]:
    """The results of writes to entries that other writes replace before anything reads them."""
    found: set[Var] = set()
    if not any(e.rule is WRITTEN for e in program.equations):
        return found
    uses = Walk(program).uses
    later: dict[Any, tuple[set[Any], list[Region]]] = {}  # of what only a write reads, the regions replaced from there
    for e in reversed(program.equations):
        if e.rule is not WRITTEN:
            continue
        places, last = later.pop(e.outputs[0], (set[Any](), list[Region]()))
        where = regions.of(e.outputs[0], e.settings["path"]) if len(e.inputs) == 2 else None
        if where is not None:
            if where.place in places or any(where.part_of(r) for r in last):
                found.add(e.outputs[0])
            places.add(where.place)
            last = [where, *last[:2]]
        x = e.inputs[0]
        if type(x) is Var and uses[x] == 1:
            later[x] = places, last
    return found


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
    if base in contents.writes:
        part = _part(y, where, contents.writes[base], walk)
        if part is not None:
            return part
    if where.covers and not base.weak:
        return _reshaped(base, y, walk)
    inner = walk.made_by(base, read)
    if inner is not None and regions.of(inner.inputs[0], inner.settings["path"]) is not None:
        path = (*inner.settings["path"], *e.settings["path"])
        joined = regions.of(inner.inputs[0], path)
        return walk.emit(read, inner.inputs, {"path": joined.path(shape_of(inner.inputs[0])) if joined else path}, y)
    short = where.path(base.shape)
    if len(short) < len(e.settings["path"]):
        return walk.emit(read, (base,), {"path": short}, y)
    return None if base is x else walk.emit(read, (base,), e.settings, y)


def _part(y: Var, where: Region, write: Write, walk: Walk) -> Any:
    """A read of some of the entries last written; of an array of one number but for those, such an array."""
    written = write.region
    if part := where.part_of(written):
        return _read_part(write, part, y, walk)
    both = where.common(written) if is_splat(write.array) else None
    if both is None:
        return None
    rest = splat(uniform(write.array), y)
    source, target = both.part_of(written), both.part_of(where)
    if source is None or target is None:
        return rest
    v = _read_part(write, source, Var(both.shape, y.dtype), walk)
    return None if v is None else walk.emit(WRITTEN, (rest, v), {"path": target.path(y.shape)}, y)


def _read_part(write: Write, part: Region, y: Var, walk: Walk) -> Any:
    """The entries of a region of the value that was written."""
    shape = write.region.shape
    v = _as_part(write.value, shape, Var(shape, y.dtype), walk)
    if v is None or is_splat(v):
        return v if v is None else splat(uniform(v), y)
    return walk.emit(read, (v,), {"path": part.path(shape)}, y)


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
    if where.covers:
        value = _as_part(v, where.shape, Var(where.shape, y.dtype), walk)
        if value is not None:
            return _reshaped(value, y, walk)
    below = x
    while type(below) is Var and below in contents.writes and contents.writes[below].region.place == where.place:
        below = contents.writes[below].array
    short = where.path(y.shape)
    if below is x and len(path) <= len(short):
        contents.note(y, Write(x, where, v))
        return None
    z = walk.emit(WRITTEN, (below, v), {"path": short}, y)
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

"""Regions: which entries of an array a path of integers, slices, transposes and reshapes selects.

In: the shape of an array and a path, as reads and writes have it.  Out: a :class:`Region`, of which is known when a
Program is compiled what it has in common with another.
"""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from dotbar.core import take_index
from dotbar.rules.shapes import reshape_to

__all__ = ["Region", "region"]


@dataclass(frozen=True)
class Region:
    """The entries that a path selects: a range along each axis of the array, and the axes of the result.

    ``whole`` is the shape of the array, or the one to which the path reshapes it first.  An axis of the result is an
    axis of the array, in any order, or None for a new one.
    """

    whole: tuple[int, ...]
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
    def covers(self) -> bool:
        """Whether all entries of the array are selected, in the order in which the array holds them."""
        return self.order == sorted(self.order) and all(r == range(n) for r, n in zip(self.ranges, self.whole))

    @property
    def place(self) -> Any:
        """The entries, whatever their order."""
        return self.whole, self.ranges

    @property
    def kind(self) -> Any:
        """Its ranges, those of one entry left out: two regions of one kind are the same or apart."""
        return self.whole, tuple([None if len(r) == 1 else r for r in self.ranges])

    def same(self, other: "Region") -> bool:
        """Whether both select the same entries in the same order."""
        return self.place == other.place and self.order == other.order

    def apart(self, other: "Region") -> bool:
        """Whether it is known that no entry is in both: they are apart along some axis."""
        return self.whole == other.whole and any(map(_apart, self.ranges, other.ranges))

    def common(self, other: "Region") -> "Region | None":
        """The entries in both; None if not known."""
        if self.whole != other.whole or any(r.step != 1 for r in (*self.ranges, *other.ranges)):
            return None
        pairs = zip(self.ranges, other.ranges)
        ranges = [range(max(r.start, s.start), max(r.start, s.start, min(r.stop, s.stop))) for r, s in pairs]
        return Region(self.whole, tuple(ranges), self.axes)

    def part_of(self, other: "Region") -> "Region | None":
        """Its result as a part of the result of another region that has all of its entries; None if not known to."""
        if self.whole != other.whole or not all(self.ranges):
            return None
        places: dict[int | None, range] = {None: range(1)}
        for a, (r, s) in enumerate(zip(self.ranges, other.ranges)):
            places[a] = _places(r, s)
            if not places[a]:
                return None
        at = {a: k for k, a in enumerate(other.axes) if a is not None}
        axes = tuple([None if a is None else at.get(a) for a in self.axes])
        return Region(other.shape, tuple([places[a] for a in other.axes]), axes)

    def path(self, shape: tuple[int, ...]) -> Any:
        """The path to the region of an array of a shape: a reshape and a transpose, if need be, and one index."""
        steps: list[Any] = [] if self.whole == shape else [(reshape_to, {"shape": self.whole, "order": "C"})]
        kept = [a for a in self.axes if a is not None]
        rest = [a for a in range(len(self.whole)) if a not in kept]
        index: list[Any] = [None if a is None else _slice(self.ranges[a], self.whole[a]) for a in self.axes]
        if kept != sorted(kept):
            steps.append((np.transpose, {"axes": (*kept, *rest)}))
            index += [self.ranges[a].start for a in rest]
        else:
            for a in rest:  # before the slices of the axes behind it
                behind = [k for k, b in enumerate(self.axes) if b is not None and b > a]
                place = len(index) - (len(self.axes) - behind[0]) if behind else len(index)
                index.insert(place, self.ranges[a].start)
        return (*steps, (take_index, {"index": tuple(index)}))


def _slice(r: range, n: int) -> slice:
    if r == range(n):
        return slice(None)
    if not r:
        return slice(0, 0)
    return slice(r.start, r.stop if r.stop >= 0 else None, None if r.step == 1 else r.step)


def _apart(r: range, s: range) -> bool:
    if not r or not s:
        return True
    if max(r[0], r[-1]) < min(s[0], s[-1]) or max(s[0], s[-1]) < min(r[0], r[-1]):
        return True
    return len(r) > 1 and len(s) > 1 and abs(r.step) == abs(s.step) and (r[0] - s[0]) % r.step != 0


def _places(r: range, s: range) -> range:
    """The places in ``s`` of the entries of ``r``; none if they are not all there."""
    if r[0] not in s or r[-1] not in s or (len(r) > 1 and r.step % s.step):
        return range(0)
    first, step = s.index(r[0]), r.step // s.step if len(r) > 1 else 1
    return range(first, first + step * len(r), step)


def region(shape: tuple[int, ...], path: Any) -> Region | None:
    """What a path selects of an array of a shape; None if by anything else, or by a reshape that is not first."""
    whole = shape
    ranges = list(map(range, shape))
    axes: list[int | None] = list(range(len(shape)))
    for k, (fn, kw) in enumerate(path):
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
        elif fn is reshape_to and kw.get("order", "C") == "C" and all(f is reshape_to for f, _ in path[:k]):
            whole = np.broadcast_to(np.int8(), whole).reshape(kw["shape"]).shape if prod(whole) else ()
            if not whole:
                return None
            ranges = list(map(range, whole))
            axes = [*range(len(whole))]
        else:
            return None
    return Region(whole, tuple(ranges), tuple(axes))


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

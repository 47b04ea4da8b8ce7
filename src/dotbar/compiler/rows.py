"""Reductions of few entries: taken one after the other, so that vectors run along the other axes.

In: a view that is computed entry by entry, and axes.  Out: the reduction as operations on entries, with no loop along
these axes::

    sum((x[:, None, :] - x) ** 2, -1)  of x: f64[n, 2]   ->   (u[0, :, None] - u[0]) ** 2 + (u[1, :, None] - u[1]) ** 2

where u = x.T is a copy.  A slice of a sum is the sum of the slices, and so for each operation on entries.
"""

from itertools import product
from math import prod
from typing import Any, TypeAlias

import numpy as np

from dotbar.compiler.kernels import FUNCTIONS

View: TypeAlias = Any  # of the lowering, which calls this
FEW = 16
"""So many entries are taken one after the other."""

MANY = 32
"""It is worth it from so many results on."""

LONG = 200
"""The most operations that this may make."""

Axes = tuple[int, ...]


def unrolled(x: View, op: str, axes: Axes) -> View | None:
    """The reduction of ``x`` by ``op`` along the axes; None where that is better a loop."""
    lengths = [x.shape[k] for k in axes]
    if not 0 < prod(lengths) <= FEW or x.size < MANY * prod(lengths):
        return None
    if cost(x, set()) * prod(lengths) > LONG:
        return None
    slices = Slices(x.shape, axes)
    first, *rest = (slices.of(x, place) for place in product(*map(range, lengths)))
    for part in rest:
        first = x.lowering.map(op, x.dtype, first, part)
    return first


def cost(x: Any, seen: set[Any]) -> int:
    """How many operations compute ``x`` from what is in memory; many if one of them is a function."""
    node = made(x)
    if node is None or node in seen:
        return 1
    seen.add(node)
    return (LONG if node.op in FUNCTIONS else 1) + sum(cost(y, seen) for y in node.operands)


def made(x: Any) -> Any:
    """The operation on entries that gives ``x``, if it is no other view of its result."""
    node = x.lowering.maps.get(x.base) if hasattr(x, "lowering") else None
    return node if node is not None and x.whole and x.shape == node.space and node.space else None


class Slices:
    """Operands of the operations on a space, at places along some of its axes."""

    def __init__(self, space: Axes, axes: Axes):
        self.space, self.axes = space, axes
        self.known: dict[Any, Any] = {}
        self.copies: dict[Any, View] = {}

    def of(self, x: Any, place: Axes) -> Any:
        """The part of ``x`` at a place; what does not vary along the axes is its only part."""
        if not hasattr(x, "lowering"):
            return x
        node = made(x)
        if node is None:
            return self.entries(x, place)
        own = tuple(i for k, i in zip(self.axes, place) if self.length(x, k) != 1)
        key = node, own
        if key not in self.known:
            parts = [self.of(y, place) for y in node.operands]
            if node.op == "cast":
                self.known[key] = x.lowering.cast(parts[0], x.dtype)
            else:
                self.known[key] = x.lowering.map(node.op, node.dtype, *parts)
        return self.known[key]

    def length(self, x: View, axis: int) -> int:
        """How long ``x`` is along an axis of the space."""
        k = axis - len(self.space) + x.ndim
        return x.shape[k] if k >= 0 else 1

    def entries(self, x: View, place: Axes) -> View:
        """The part of what is in memory, the other axes of which are to be consecutive."""
        missing = len(self.space) - x.ndim
        where = {k - missing: i for k, i in zip(self.axes, place) if k >= missing}
        index = tuple(i if x.shape[k] != 1 else 0 for k, i in where.items())
        return self.copy(x, tuple(where)).move(lambda v: v[(*index, ...)])  # one entry is an array, too

    def copy(self, x: View, axes: Axes) -> View:
        """``x`` with the axes in front; in a copy if it is read many times and not in consecutive entries."""
        key = x.base, x.offset, x.shape, x.strides
        if key in self.copies:
            return self.copies[key]
        front = x.move(lambda v: np.moveaxis(v, axes, range(len(axes))))
        real = front.move(lambda v: v[(*(slice(None) if step else slice(0, 1) for step in front.strides), ...)])
        inner = [step for n, step in zip(real.shape[len(axes) :], real.strides[len(axes) :]) if n != 1]
        if inner and inner[-1] != 1 and 4 * real.size <= prod(self.space):
            copy = x.lowering.map("copy", x.dtype, real)
            front = copy.move(lambda v: np.broadcast_to(v, front.shape))
        self.copies[key] = front
        return front

"""np.roll as reads beside the entry: what is rolled is stored with its ends repeated beyond the other end.

::

    a: f64[5]     →     [a₄, a₀, a₁, a₂, a₃, a₄, a₀]     roll(a, 1) begins at the first, roll(a, -1) at the third

So a stencil is a loop over neighbours, without copies of its own.
"""

from math import prod
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from dotbar.compiler.kernels import Code, Loop
from dotbar.compiler.lowering import CALLS, Lowering, Result, View
from dotbar.core import take_index

MARGIN = 8
"""The farthest neighbours for which ends are repeated; others are written once for each roll."""

_repeated: WeakKeyDictionary[Lowering, dict[Any, View]] = WeakKeyDictionary()


def roll(lowering: Lowering, a: Any, *, shift: Any, axis: Any = None) -> View:
    """Along several axes, one after the other."""
    a = lowering.view(a)
    if axis is None and a.ndim == 1:
        shift, axis = np.sum(shift), 0
    if axis is None:
        flat = roll(lowering, a.move(lambda v: v.reshape(-1)), shift=np.sum(shift), axis=0)
        return flat.move(lambda v: v.reshape(a.shape))
    for s, k in zip(*(map(int, v) for v in np.broadcast_arrays(np.atleast_1d(shift), axis))):
        a = along(lowering, a, s, k % a.ndim)
    return a


def along(lowering: Lowering, a: View, shift: int, axis: int) -> View:
    """Along one axis."""
    n = a.shape[axis]
    s = (shift + n // 2) % n - n // 2 if n else 0
    if not s or not a.size:
        return a
    if abs(s) > MARGIN:
        return lowering.joined([part(a, axis, n - s % n, n), part(a, axis, 0, n - s % n)], axis, new=False)
    return part(repeated(lowering, a, axis, abs(s)), axis, MARGIN - s, MARGIN - s + n)


def part(a: View, axis: int, start: int, stop: int) -> View:
    """A range of an axis."""
    return a.move(lambda v: v[(*(slice(None),) * axis, slice(start, stop))])


def repeated(lowering: Lowering, a: View, axis: int, h: int) -> View:
    """An array with its last h entries before the first, and the first behind the last; it is now read there."""
    known = _repeated.setdefault(lowering, {})
    key = lambda view: (view.base, view.offset, view.shape, view.strides, axis, h)
    if key(a) not in known:
        whole = _repeat(lowering, a, axis, h)
        own = part(whole, axis, MARGIN, MARGIN + a.shape[axis])
        known[key(a)] = known[key(own)] = whole
        x = next((x for x, view in reversed(lowering.known.items()) if view is a), None)
        if x is not None and a.base.kind == "map":
            lowering.known[x] = own
    return known[key(a)]


def _repeat(lowering: Lowering, a: View, axis: int, h: int) -> View:
    n, outer, inner = a.shape[axis], prod(a.shape[:axis]), prod(a.shape[axis + 1 :])
    length = MARGIN + n + MARGIN
    shape = (*a.shape[:axis], length, *a.shape[axis + 1 :])
    middle = (*(slice(None),) * axis, slice(MARGIN, MARGIN + n))
    begun = lowering.write(Result(shape, a.dtype), a, ((take_index, {"index": middle}),))
    size = a.dtype.itemsize * inner

    def emit(code: Code, operands: list[str], blocks: list[str], scratch: str) -> None:
        loop = Loop(code, 0, outer)
        row = code(f"getelementptr i8, ptr {blocks[0]}, i64 {code(f'mul i64 {loop.index}, {length * size}')}")
        for target, source in ((MARGIN - h, MARGIN - h + n), (MARGIN + n, MARGIN)):
            there, here = (code(f"getelementptr i8, ptr {row}, i64 {k * size}") for k in (target, source))
            code.put(f"call void @llvm.memcpy.p0.p0.i64(ptr {there}, ptr {here}, i64 {h * size}, i1 false)")
        loop.close()

    return lowering.call(emit, [], [Result(shape, a.dtype, start=begun)])[0]


CALLS[np.roll] = roll

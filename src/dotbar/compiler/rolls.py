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

HALO = 8
"""The farthest neighbours for which ends are repeated; others are written once for each roll."""

_repeated: WeakKeyDictionary[Lowering, dict[Any, View]] = WeakKeyDictionary()


def roll(lowering: Lowering, a: Any, *, shift: Any, axis: Any = None) -> View:
    """Along several axes, one after the other."""
    a = lowering.view(a)
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
    if abs(s) > HALO:
        return lowering.joined([part(a, axis, n - s % n, n), part(a, axis, 0, n - s % n)], axis, new=False)
    h = abs(s)
    return part(repeated(lowering, a, axis, h), axis, h - s, h - s + n)


def part(a: View, axis: int, start: int, stop: int) -> View:
    """A range of an axis."""
    return a.move(lambda v: v[(*(slice(None),) * axis, slice(start, stop))])


def repeated(lowering: Lowering, a: View, axis: int, h: int) -> View:
    """An array with its last h entries before the first, and the first behind the last."""
    known = _repeated.setdefault(lowering, {})
    key = a.base, a.offset, a.shape, a.strides, axis, h
    if key not in known:
        known[key] = _repeat(lowering, a, axis, h)
    return known[key]


def _repeat(lowering: Lowering, a: View, axis: int, h: int) -> View:
    n, outer, inner = a.shape[axis], prod(a.shape[:axis]), prod(a.shape[axis + 1 :])
    shape = (*a.shape[:axis], n + 2 * h, *a.shape[axis + 1 :])
    middle = (*(slice(None),) * axis, slice(h, h + n))
    whole = lowering.write(Result(shape, a.dtype), a, ((take_index, {"index": middle}),))
    size = a.dtype.itemsize * inner

    def emit(code: Code, operands: list[str], blocks: list[str], scratch: str) -> None:
        def ends(row: str) -> None:
            for target, source in ((0, n), (n + h, h)):
                there, here = (code(f"getelementptr i8, ptr {row}, i64 {k * size}") for k in (target, source))
                code.put(f"call void @llvm.memcpy.p0.p0.i64(ptr {there}, ptr {here}, i64 {h * size}, i1 false)")

        loop = Loop(code, 0, outer)
        distance = code(f"mul i64 {loop.index}, {(n + 2 * h) * size}")
        ends(code(f"getelementptr i8, ptr {blocks[0]}, i64 {distance}"))
        loop.close()

    return lowering.call(emit, [], [Result(shape, a.dtype, start=whole)])[0]


CALLS[np.roll] = roll

"""Index maps: where in a block of memory the entries of a view lie.

In: a :class:`View` and what NumPy does to an array.  Out: the :class:`View` of the result.  NumPy itself works it out,
on memory that nobody reads: so transposes, slices, reshapes and broadcasts of every kind are the same to the compiler.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from dotbar.core import address
from dotbar.rules.shapes import reshape_to
from dotbar.rules.words import grid

Shape = tuple[int, ...]

MOVES = {np.transpose, np.broadcast_to, np.diagonal, sliding_window_view, reshape_to, grid}
"""Functions of one array whose results are views of it."""


def contiguous(shape: Sequence[int]) -> Shape:
    """The strides, in entries, of an array in C's order."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(strides[::-1])


def moved(
    offset: int, shape: Shape, strides: Shape, size: int, move: Callable[[Any], Any]
) -> tuple[int, Shape, Shape] | None:
    """Where the entries of ``move(view)`` lie, for a view of a block of ``size`` entries; None if it is no view."""
    memory = np.empty(max(size, 1), np.int8)  # one byte an entry: bytes are entries
    view = as_strided(memory[offset : offset + 1] if prod(shape) else memory[:0], shape, strides)
    result = move(view)
    if not result.size:
        return 0, result.shape, (0,) * result.ndim
    if not np.may_share_memory(result, memory):
        return None
    return address(result) - address(memory), result.shape, result.strides


def squeezed(shape: Sequence[int], *others: Sequence[int]) -> list[Shape]:
    """A shape without its axes of length 1, and what belongs to the other axes of each sequence."""
    if 1 not in shape:
        return list(map(tuple, (shape, *others)))
    kept = [k for k, n in enumerate(shape) if n != 1]
    return [tuple([s[k] for k in kept]) for s in (shape, *others)]


def along(shape: Shape, strides: Shape, space: Shape) -> Shape:
    """The strides of an array, broadcast to the shape of a loop nest."""
    missing = len(space) - len(shape)
    return (0,) * missing + tuple(s if n == m or n != 1 else 0 for s, n, m in zip(strides, shape, space[missing:]))


def merged(space: Shape, rows: Sequence[Shape]) -> tuple[Shape, list[Shape]]:
    """The axes of a loop nest, joined wherever two of them are one to all operands; ``rows`` holds their strides."""
    shape: list[int] = []
    columns: list[tuple[int, ...]] = []
    for n, steps in zip(space, zip(*rows) if rows else [()] * len(space)):
        if shape and all(outer == inner * n for outer, inner in zip(columns[-1], steps)):
            shape[-1] *= n
            columns[-1] = steps
        else:
            shape.append(n)
            columns.append(steps)
    return tuple(shape), list(zip(*columns)) if columns else [() for _ in rows]

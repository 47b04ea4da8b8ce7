"""Indices by arrays: a view, and numbers that move its entries.

In: a view and an index in which integer arrays stand, known or not until the code runs.  Out: a view of the result's
shape, and numbers: entry i of ``x[index]`` lies ``numbers[i]`` places behind entry i of that view::

    x[:, j]  of x: f64[5, 7], j: i64[3]   ->   a view of shape (5, 3) and strides (7, 0), moved by j

Negative indices count from the end.  With one beyond the ends the function returns, and NumPy raises its error.
"""

from typing import Any, TypeAlias

import numpy as np

View: TypeAlias = Any  # of the lowering, which calls this


def moved_by(x: View, index: Any) -> tuple[View, View]:
    """``x[index]`` as a view and the numbers that move its entries."""
    lowering = x.lowering
    parts, together = expanded(index, x.ndim)
    picks = [k for k, part in enumerate(parts) if is_pick(part)]
    view = x.move(lambda a: a[tuple(slice(None) if is_pick(part) else part for part in parts)])
    rest = [k for k in range(view.ndim) if k not in picks]
    before = [k for k in rest if together and k < picks[0]]
    after = rest[len(before) :]
    shape = np.broadcast_shapes(*(parts[k].shape for k in picks))
    numbers = sum(lowering.within(parts[k], view.shape[k]) * view.strides[k] for k in picks)
    lengths = (*(view.shape[k] for k in before), *shape, *(view.shape[k] for k in after))
    strides = (*(view.strides[k] for k in before), *(0 for _ in shape), *(view.strides[k] for k in after))
    column = lambda a: np.broadcast_to(a, shape).reshape((*shape, *(1 for _ in after)))
    return view.at(lengths, strides), lowering.view(lowering.operand(numbers)).move(column)


def expanded(index: Any, ndim: int) -> tuple[list[Any], bool]:
    """An index's parts, one for each axis or new axis, and whether all that pick entries stand side by side.

    A mask is the places where it holds; an ellipsis stands between others even if no axis is left for it.
    """
    parts: list[Any] = []
    for part in index if type(index) is tuple else (index,):
        part = np.asarray(part) if isinstance(part, (list, bool, np.generic)) else part
        if isinstance(part, np.ndarray) and part.dtype == bool:
            parts += np.nonzero(part) if part.ndim else [part]
        elif isinstance(part, np.ndarray) and not part.size:
            parts.append(part.astype(np.intp))
        else:
            parts.append(np.asarray(part) if type(part) is int else part)
    missing = ndim - sum(part is not None and part is not ... for part in parts)
    place = next((k for k, part in enumerate(parts) if part is ...), len(parts))
    picks = [k for k, part in enumerate(parts) if part is not ... and is_pick(part)]
    together = picks == list(range(picks[0], picks[-1] + 1))
    return [*parts[:place], *(slice(None),) * missing, *parts[place + 1 :]], together


def is_pick(part: Any) -> bool:
    """Whether a part of an index picks entries by their numbers."""
    return part is not None and not isinstance(part, slice)

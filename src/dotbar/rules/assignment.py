"""Writing into arrays by function: ``ufunc.at`` in terms of ``x[index] = v``."""

from typing import Any

import numpy as np

from dotbar import core
from dotbar.core import Traced, is_advanced, mentions, plain_index, shape_of, take_index
from dotbar.errors import ConversionError
from dotbar.rules.words import scatter


def ufunc_at(ufunc: np.ufunc, a: Any, indices: Any, *b: Any) -> None:
    """``ufunc.at(a, indices, b)``: a[i] = ufunc(a[i], b) once for each mention of an entry, in order."""
    if not isinstance(a, Traced):
        raise ConversionError(core.plain_target_message())
    index = plain_index(indices)
    if not is_advanced(index):
        a[index] = ufunc(a[index], *b)
    elif ufunc in (np.add, np.subtract):
        a[index] = ufunc(a[index], total(b[0], mentions(shape_of(a), index)))
    else:
        entries = np.arange(a.size).reshape(shape_of(a))[index].reshape(-1)
        values = [np.reshape(np.broadcast_to(v, shape_of(a[index])), -1) for v in b]
        turn = np.arange(len(entries))
        while len(turn):
            _, first = np.unique(entries[turn], return_index=True)
            place = np.unravel_index(entries[turn[first]], shape_of(a))
            a[place] = ufunc(a[place], *(v[turn[first]] for v in values))
            turn = np.delete(turn, first)


def total(v: Any, same: Any) -> Any:
    """For each mention of an entry the sum of ``v`` over all mentions of it."""
    v = np.broadcast_to(v, same.shape)
    return scatter(v, path=((take_index, {"index": same}),), shape=(same.size,))[same]


core.UFUNC_METHODS["at"] = ufunc_at

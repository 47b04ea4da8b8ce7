"""Writing into arrays: through masks that differ by item, and by function (``ufunc.at``) as ``x[index] = v``."""

from typing import Any

import numpy as np

from dotbar import core
from dotbar.core import Traced, dtype_of, is_advanced, mentions, plain_index, shape_of
from dotbar.errors import ConversionError, NoRuleError
from dotbar.rules.words import ungather


def assign_where(x: Traced, index: tuple[Any, ...], v: Any) -> bool:
    """``x[..., mask] = v`` by ``np.where``, where ``v`` does not depend on how many entries the mask selects.

    Returns whether that is so, and done.
    """
    places = [k for k, i in enumerate(index) if is_advanced(i)]
    if len(places) > 1:
        return False
    (k,) = places
    mask, before, behind = index[k], index[:k], index[k + 1 :]
    np.broadcast_to(0, x.shape)[(*before, np.zeros(mask.shape, bool), *behind)]  # NumPy refuses shapes that do not fit
    here = (*before, *(slice(None),) * mask.ndim, *behind)
    old = x[here]
    after = _axes(behind) if any(i is ... for i in before) else np.ndim(old) - _axes(before) - mask.ndim
    count = np.ndim(v) - after - 1
    if count >= 0:
        shape = shape_of(v)
        if shape[count] != 1 or _is_number_apart(index, k):
            return False
        v = np.reshape(v, shape[:count] + (1,) * mask.ndim + shape[count + 1 :])
    x[here] = np.where(np.reshape(mask, mask.shape + (1,) * after), v, old)
    return True


def _is_number(i: Any) -> bool:
    return isinstance(i, (int, np.integer))


def _axes(index: tuple[Any, ...]) -> int:
    """The number of axes that slices and None give to a result."""
    return sum(not _is_number(i) for i in index)


def _is_number_apart(index: tuple[Any, ...], k: int) -> bool:
    """Whether a number in an index is not next to its mask, at ``k``: the mask's axis is then the first of all."""
    advanced = [j for j, i in enumerate(index) if j == k or _is_number(i)]
    return advanced[-1] - advanced[0] >= len(advanced)


def ufunc_at(ufunc: np.ufunc, a: Any, indices: Any, *b: Any) -> None:
    """``ufunc.at(a, indices, b)``: a[i] = ufunc(a[i], b) once for each mention of an entry, in order."""
    if not isinstance(a, Traced):
        raise ConversionError(core.plain_target_message())
    index = plain_index(indices)
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(i, Traced) and i.ndim for i in parts):
        at_each(ufunc, a, parts, *b)
    elif not is_advanced(index):
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


def at_each(ufunc: np.ufunc, a: Traced, places: tuple[Any, ...], *b: Any) -> None:
    """``ufunc.at`` where the items of a batch mention different entries: one mention after the other."""
    if any(isinstance(i, slice) or i is None or i is ... or dtype_of(i).kind not in "iu" for i in places):
        raise NoRuleError(f"{ufunc.__name__}.at takes only integers where an index differs between items of a batch.")
    shape = np.broadcast_shapes(*map(shape_of, places))
    places = tuple(np.broadcast_to(i, shape) for i in places)
    values = [np.broadcast_to(v, (*shape, *a.shape[len(places) :])) for v in b]
    for k in np.ndindex(shape):
        place = tuple(i[k] for i in places)
        a[place] = ufunc(a[place], *(v[k] for v in values))


def total(v: Any, same: Any) -> Any:
    """For each mention of an entry the sum of ``v`` over all mentions of it."""
    v = np.broadcast_to(v, same.shape)
    return ungather(v, same, template=(None,), traced=(True,), shape=(same.size,))[same]


core.ASSIGN_WHERE = assign_where
core.UFUNC_METHODS["at"] = ufunc_at

"""The order of few entries, found by counting: no branches, and all rows at once.

An entry's rank is the number of those that come before it: smaller ones, and equal ones in front of it.  NaN is last.
Where the entry of rank r stands is then a sum too: the sum over i of i where rank i is r.
"""

from typing import Any

import numpy as np

from dotbar.compiler.lowering import WORDS, Lowering, UnsupportedError, View
from dotbar.rules.statistics import places

FEW = 32
"""The entries of a row beyond which NumPy's sorting is faster."""


def ranks(lowering: Lowering, x: View) -> Any:
    """The rank of each entry along the last axis."""
    if x.shape[-1] > FEW or x.dtype.kind == "b":
        raise UnsupportedError
    numbers = np.arange(x.shape[-1])
    a: Any = x.move(lambda v: v[..., :, None])
    b: Any = x.move(lambda v: v[..., None, :])
    smaller, same = b < a, b == a
    if x.dtype.kind == "f":
        smaller = smaller | (np.isnan(a) & ~np.isnan(b))
        same = same | (np.isnan(a) & np.isnan(b))
    first = lowering.operand(numbers < numbers[:, None])
    return lowering.applied(np.sum, [smaller | (same & first)], {"axis": -1})


def standing(lowering: Lowering, rank: Any, wanted: Any) -> View:
    """Where the entries of the wanted ranks stand along the last axis."""
    wanted = lowering.view(lowering.operand(wanted)).move(lambda v: v[..., :, None])
    met: Any = np.equal(wanted, rank.move(lambda v: v[..., None, :]))
    numbers = np.arange(rank.shape[-1])
    return lowering.applied(np.sum, [lowering.choose(met, lowering.operand(numbers), 0)], {"axis": -1})


def _argsort(lowering: Lowering, a: View, *, axis: int = -1, kind: Any = None, stable: Any = None) -> View:
    if not (stable or kind == "stable") or not a.size:
        raise UnsupportedError
    rank = ranks(lowering, a.move(lambda v: np.moveaxis(v, axis, -1)))
    return standing(lowering, rank, np.arange(a.shape[axis])).move(lambda v: np.moveaxis(v, -1, axis))


def _places(lowering: Lowering, x: Any, wanted: Any, *, skip_nan: bool) -> View:
    n = x.shape[-1]
    if not n:
        raise UnsupportedError
    if not skip_nan and x.dtype.kind == "f":
        lost: Any = lowering.applied(np.any, [np.isnan(x)], {"axis": -1, "keepdims": True})
        wanted = lowering.choose(lost, n - 1, wanted)
    return standing(lowering, ranks(lowering, x), wanted)


def _searchsorted(lowering: Lowering, a: Any, v: Any, *, side: str = "left", sorter: Any = None) -> Any:
    """How many entries of ``a`` come before ``v``."""
    a, v = (lowering.view(x) for x in (a, v))
    if sorter is not None or a.size > FEW or a.dtype != v.dtype:
        raise UnsupportedError
    entry: Any = v.move(lambda x: x[..., None])
    before = np.less(a, entry) if side == "left" else np.less_equal(a, entry)
    if a.dtype.kind == "f":  # NaN is the largest
        known: Any = np.isfinite(a) | np.isinf(a)
        before = before | (np.isnan(entry) & (known if side == "left" else np.logical_or(known, True)))
    return lowering.applied(np.sum, [before], {"axis": -1})


WORDS |= {np.argsort: _argsort, places: _places, np.searchsorted: _searchsorted}

"""vmap: one call over a leading batch axis that the function does not see."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from dotbar import core
from dotbar.core import Level, Rule, Settings, Step, Traced, is_advanced, own, refresh, shape_of, take_index, wrap_view
from dotbar.errors import ConversionError, StructureError, user_line
from dotbar.tape import rebuild


class Batched(Traced):
    """One item of a batch; ``value`` holds all items along axis 0."""

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        if self.alias is not None:
            refresh(self)
        return shape_of(self.value)[1:]

    def __bool__(self) -> bool:
        raise ConversionError(batch_message("bool()"))

    def __int__(self) -> int:
        raise ConversionError(batch_message("int()"))

    def __index__(self) -> int:
        raise ConversionError(batch_message("an index"))


def batch_message(what: str) -> str:
    return (
        f"{what} of a batched value at {user_line()}: the items of a batch may differ. "
        "Use np.where(condition, a, b), or index with arrays instead of integers."
    )


class Batch(Level):
    """A level of vmap over ``size`` items."""

    __slots__ = ("size",)
    kind: ClassVar[type[Traced]] = Batched

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def item(self, x: Any, axis: int) -> Batched:
        """One item of a batch along an axis; laid out so that each item has the memory order of its own array."""
        x = np.moveaxis(x, axis, 0) if axis else x
        return Batched(np.ascontiguousarray(x) if isinstance(x, np.ndarray) and axis else x, self)

    def collect(self, value: Any, y: Any, axis: Any) -> Any:
        """A result with the axis of items where the caller wants it; None drops it from a shared result."""
        mine = isinstance(y, Traced) and y.level is self
        if axis is None:
            if mine:
                raise StructureError("out_axes is None for a result that differs between items.")
            return value
        if not mine:
            value = np.broadcast_to(value, (self.size, *shape_of(value)))
        value = np.moveaxis(value, 0, axis) if axis else value
        return value if isinstance(value, Traced) or mine else np.array(value)

    def process(self, rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
        batched = [isinstance(x, Traced) and x.level is self for x in xs]
        vals = [x.value if b else x for x, b in zip(xs, batched)]
        if rule is core.READ:
            return self._read(xs[0], vals[0], kw["path"])
        y = rule.batch(vals, batched, self.size, kw)
        if isinstance(y, (tuple, list)):
            return rebuild(tuple(y), [Batched(v, self) for v in y])
        if rule.makes_views and len(xs) == 1:
            return wrap_view(self, rule, xs[0], kw, y)
        return Batched(y, self)

    def _read(self, root: Traced, value: Any, path: tuple[Step, ...]) -> Any:
        y = self._follow(value, path)
        if np.ndim(y) == 1 and path[-1][0] is take_index and not _has_ellipsis(path[-1][1]["index"]):
            return Batched(np.copy(y), self)  # NumPy returns a scalar here, which is no view
        return wrap_view(self, core.READ, root, {"path": path}, y)

    def _follow(self, value: Any, path: tuple[Step, ...]) -> Any:
        """Take each step of a path on all items at once."""
        for fn, kw in path:
            if fn is take_index:
                value = take_items(value, kw["index"])
            else:
                value = core.find_rule(fn).batch([value], [True], self.size, kw)
        return value

    def lift(self, x: Traced, inner: Any) -> None:
        x.value = np.copy(np.broadcast_to(inner, (self.size, *shape_of(inner))))
        x.aux = None

    def write(self, root: Traced, path: tuple[Step, ...], v: Any) -> None:
        mine = isinstance(v, Traced) and v.level is self
        value = v.value if mine else v
        part = self._follow(own(root, value), path[:-1])
        assign_items(part, path[-1][1]["index"], value, mine, self)


def _has_ellipsis(index: Any) -> bool:
    return index is ... or (type(index) is tuple and any(i is ... for i in index))


def take_items(x: Any, index: Any) -> Any:
    """``item[index]`` for each item of a batch, with one index for all."""
    parts = index if type(index) is tuple else (index,)
    y = x[(slice(None), *parts)]
    if _splits(parts, np.ndim(x) - 1):
        width = np.broadcast(*[i for i in parts if isinstance(i, (np.ndarray, int, np.integer))]).ndim
        y = np.moveaxis(y, width, 0)
    return y


def _splits(parts: tuple[Any, ...], ndim: int) -> bool:
    """Whether advanced indices stand apart, so that NumPy moves their axes to the front."""
    if not is_advanced(parts):
        return False
    places = [k for k, i in enumerate(parts) if isinstance(i, (np.ndarray, int, np.integer, bool, np.bool_))]
    return places != list(range(places[0], places[-1] + 1))


def assign_items(part: Any, index: Any, value: Any, mine: bool, level: Batch) -> None:
    """``item[index] = value`` for each item of a batch."""
    parts = index if type(index) is tuple else (index,)
    if any(isinstance(i, Traced) and i.level is level for i in parts) or _splits(parts, np.ndim(part) - 1):
        for k in range(level.size):
            here = tuple(i.value[k] if isinstance(i, Traced) and i.level is level else i for i in parts)
            part[k][here] = value[k] if mine else value
        return
    if mine:
        missing = part[(slice(None), *parts)].ndim - np.ndim(value)
        value = np.reshape(value, shape_of(value)[:1] + (1,) * missing + shape_of(value)[1:]) if missing > 0 else value
    part[(slice(None), *parts)] = value

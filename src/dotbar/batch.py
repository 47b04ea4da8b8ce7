"""vmap: one call over a leading batch axis that the function does not see."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from dotbar import core
from dotbar.core import (
    Level,
    Rule,
    Settings,
    Step,
    Traced,
    axes_by_stride,
    copy_in_order,
    is_advanced,
    is_view_of,
    lay_as,
    own,
    rebuild,
    refresh,
    shape_of,
    take_index,
    wrap_view,
)
from dotbar.errors import ConversionError, StructureError, user_line
from dotbar.rules.kinds import align
from dotbar.rules.shapes import stand_in
from dotbar.rules.words import assign_items


class Batched(Traced):
    """One item of a batch; ``value`` holds all items along axis 0."""

    __slots__ = ()

    @Traced.shape.getter
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


def in_common(x: Any) -> Any:
    """What all items of a batch share, such as a count that the shape of a result depends on.

    Raises:
        StructureError: the items differ.
    """
    while isinstance(x, Batched):
        if not in_common(np.all(x.value == x.value[:1])):
            raise StructureError(batch_message("a choice that shapes the result, or bool(),"))
        x = x.value[0]
    return x


def every_item(x: Any) -> Any:
    """The values of all items of a batch, which have no derivative, as one array."""
    while isinstance(x, Batched):
        x = x.current()
    return x


class Batch(Level):
    """A level of vmap over ``size`` items."""

    __slots__ = ("size",)
    kind: ClassVar[type[Traced]] = Batched

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def item(self, x: Any, axis: int) -> Batched:
        """One item of a batch along an axis, with the axis of items outermost in memory."""
        x = np.moveaxis(x, axis, 0) if axis else x
        item = Batched(x, self)
        if isinstance(x, np.ndarray) and axis:
            backwards = tuple(slice(None, None, -1 if stride < 0 else 1) for stride in x.strides)
            item.value = outermost(x[backwards])[backwards]
            lay_as(item, x)
        return item

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
        try:
            y = rule.batch(vals, batched, self.size, kw)
        except (ValueError, np.exceptions.AxisError) as error:
            raise _of_one_item(error, rule, xs, kw) from None
        if isinstance(y, (tuple, list)):
            return rebuild(y, [Batched(outermost(v), self) for v in y])
        if rule.makes_views and len(xs) == 1 and (y is vals[0] or is_view_of(y, vals[0])):
            return wrap_view(self, rule, xs[0], kw, y)
        return Batched(outermost(y), self)

    def _read(self, root: Traced, value: Any, path: tuple[Step, ...]) -> Any:
        y = self._follow(value, path)
        if np.ndim(y) == 1 and path[-1][0] is take_index and not _has_ellipsis(path[-1][1]["index"]):
            return Batched(np.copy(y), self)  # NumPy returns a scalar here, which is no view
        if is_view_of(y, value):
            return wrap_view(self, core.READ, root, {"path": path}, y)
        return Batched(outermost(y), self)

    def _follow(self, value: Any, path: tuple[Step, ...]) -> Any:
        """Take each step of a path on all items at once."""
        for fn, kw in path:
            if fn is take_index:
                value = take_items(value, kw["index"])
            else:
                value = core.find_rule(fn).batch([value], [True], self.size, kw)
        return value

    def lift(self, x: Traced, inner: Any) -> None:
        x.value = outermost(np.copy(np.broadcast_to(inner, (self.size, *shape_of(inner)))))
        x.aux = None

    def write(self, root: Traced, path: tuple[Step, ...], v: Any) -> None:
        mine = isinstance(v, Traced) and v.level is self
        value = v.value if mine else v
        index = path[-1][1]["index"]
        parts = index if type(index) is tuple else (index,)
        others = tuple(i for i in parts if not (isinstance(i, Traced) and i.level is self))
        part = self._follow(own(root, value, others), path[:-1])
        assign_to_items(part, index, value, mine, self)


def _of_one_item(error: Exception, rule: Rule, xs: Sequence[Any], kw: Settings) -> Exception:
    """NumPy's error about shapes as it is for a single item."""
    if type(error) in (ValueError, np.exceptions.AxisError):
        try:
            rule.fn(*[stand_in(x) if isinstance(x, Traced) else x for x in xs], **kw)
        except type(error) as own:
            return own
    return error


def outermost(y: Any) -> Any:
    """A new result, its batch axis outermost in memory: so that each item is laid out as its own array would be."""
    order = axes_by_stride(y)
    if order[0] == 0 or np.size(y) == 0:
        return y
    return copy_in_order(y, (0, *(k for k in order if k)))


def _has_ellipsis(index: Any) -> bool:
    return index is ... or (type(index) is tuple and any(i is ... for i in index))


def take_items(x: Any, index: Any) -> Any:
    """``item[index]`` for each item of a batch, with one index for all."""
    parts = index if type(index) is tuple else (index,)
    y = x[(slice(None), *parts)]
    return np.moveaxis(y, _width(parts), 0) if _stands_apart(parts) else y


def _is_array(i: Any) -> bool:
    return isinstance(i, (np.ndarray, int, np.integer, np.bool_))


def _stands_apart(parts: tuple[Any, ...]) -> bool:
    """Whether index arrays stand apart from one another, so that NumPy moves their axes to the front."""
    places = [k for k, i in enumerate(parts) if _is_array(i)] if is_advanced(parts) else []
    return places != list(range(places[0], places[-1] + 1)) if places else False


def _width(parts: tuple[Any, ...]) -> int:
    """The number of axes that index arrays give to the result."""
    return max(1 if np.asarray(i).dtype == bool else np.ndim(i) for i in parts if _is_array(i))


def assign_to_items(x: Any, index: Any, value: Any, mine: bool, level: Batch) -> None:
    """``item[index] = value`` for each item of a batch."""
    parts = index if type(index) is tuple else (index,)
    batched = [isinstance(i, Traced) and i.level is level for i in parts]
    parts = tuple(i.value if b else i for i, b in zip(parts, batched))
    if any(batched) or _stands_apart(parts):
        assign_items(x, parts, batched, value, mine)
    else:
        here = (slice(None), *parts)
        x[here] = align(value, x[here].ndim - 1) if mine else value

"""Reverse mode: record each operation on a tape, then sweep the bars backwards.

An entry of the tape is a flat tuple: the function that sweeps it, the entries of its arguments, and the
values that its bar needs.  The index of an entry names the value it made; ``bars[index]`` is that value's
cotangent.  The sweep pops entries and bars together, so memory is freed as it goes, and an entry
without a bar (a dead branch) is never computed.
"""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dotbar import core
from dotbar.core import (
    Level,
    Rule,
    Settings,
    Shape,
    Step,
    Traced,
    axes_by_stride,
    compact,
    copy_in_order,
    depths,
    dtype_of,
    duplicate,
    escaped_message,
    is_advanced,
    is_differentiable,
    is_read_only,
    is_view_of,
    lay_as,
    memory,
    mentions,
    new_zeros,
    own,
    rebuild,
    shape_of,
    split,
    take_index,
    value_of,
    without_derivative,
    wrap_view,
)
from dotbar.errors import EscapedError, MutationError, RuleError, user_line
from dotbar.rules.array_methods import view_as
from dotbar.rules.kinds import Masked, dense, match, unbroadcast

Entry = tuple[Any, ...]
Bars = list[Any]
WHOLE: tuple[Step, ...] = ((take_index, {"index": ...}),)
PARTS = (np.real, np.imag)


class Taped(Traced):
    """A value on a tape; ``aux`` is the index of the entry that made it."""

    __slots__ = ()


class Tape(Level):
    """A level of reverse mode.  Entry ``n - 1`` of a tape with ``n`` inputs is None and ends the sweep."""

    __slots__ = ("copies", "entries", "guards", "has_segments", "may_warn", "push", "weak")
    kind: ClassVar[type[Traced]] = Taped

    def __init__(self, n_inputs: int):
        self.depth = next(depths)
        self.closed = False
        self.entries: list[Entry | None] = [None] * n_inputs
        self.push: Callable[[Entry], None] = self.entries.append
        self.guards: tuple[Guard, ...] = ()
        self.copies: dict[int, tuple[Any, Any]] = {}
        self.may_warn = False
        self.has_segments = False

    def inputs(self, xs: Sequence[Any]) -> list[Taped]:
        """The traced values of the inputs.

        A Python float given as one leaves float32 as it is; without one, a float on the tape stands for a float64.
        """
        kinds = [*map(type, xs)]
        self.weak = float in kinds
        return [Taped(x, self, i) if t is float else self.input(x, i) for i, (t, x) in enumerate(zip(kinds, xs))]

    def input(self, x: Any, index: int) -> Taped:
        """The traced value of an input; the caller's own array is copied if small, else watched."""
        if type(x) is np.float64:
            return Taped(float(x), self, index)
        if type(x) is not np.ndarray:
            return Taped(x, self, index)
        self.may_warn = True
        if x.nbytes > SMALL:
            if is_writable(x):
                self.guards += (Guard(x, "given as an argument"),)
            return Taped(x, self, index)
        if x.flags.forc:
            return Taped(x.copy("K"), self, index)
        held = Taped(compact(x), self, index)
        lay_as(held, x)
        return held

    def close(self) -> None:
        """From now on a value of this tape is refused."""
        self.closed = True
        self.push = _escaped

    def reopen(self) -> None:
        """Record again, behind the entries that are left, until the next ``close``."""
        self.closed = False
        self.push = self.entries.append

    def process(self, rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
        self.may_warn = True
        nodes = [x.aux if isinstance(x, Traced) and x.level is self else None for x in xs]
        vals = [x if node is None else x.value for x, node in zip(xs, nodes)]
        if float in map(type, vals) and not self.weak:
            vals = [np.float64(v) if node is not None and type(v) is float else v for v, node in zip(vals, nodes)]
        y = rule.fn(*vals, **kw)
        if rule.kind == "constant":
            return y
        if rule is core.READ:
            return self._read(xs[0], kw["path"], y)
        many = isinstance(y, tuple)
        if not (any(map(is_differentiable, y)) if many else is_differentiable(y)):
            return without_derivative(rule, y)
        if y is vals[0] and rule.makes_views:
            return xs[0]
        active = tuple([i for i, node in enumerate(nodes) if node is not None])
        keep_y, keep = rule.plan(active, len(xs))
        kept = [
            (v if node is not None and type(v) is not float else self.keep(v)) if k else Shape.of(v)
            for v, node, k in zip(vals, nodes, keep)
        ]
        index = len(self.entries)
        self.push((sweep_rule, nodes, active, rule, y if keep_y else Shape.of(y), kept, settled(kw)))
        if many:
            return rebuild(y, [self.output(index, k, len(y), v) for k, v in enumerate(y)])
        if type(y) is np.float64:
            y = float(y)
        if rule.makes_views and len(xs) == 1:
            return wrap_view(self, rule, xs[0], kw, y, index)
        return Taped(y, self, index)

    def keep(self, x: Any) -> Any:
        """What the tape keeps of another level's argument that a bar needs, so that the user may change it later."""
        if type(x) is float:
            return np.float64(x)  # in a rule 1/0 is inf
        if isinstance(x, Traced):
            return duplicate(x)
        if type(x) is not np.ndarray or not is_writable(x):
            return x
        if x.nbytes > SMALL:
            return Guard(x, "used at " + user_line())
        if x.nbytes <= TINY:
            return np.copy(x)
        held = self.copies.get(id(x))
        if held is None or not np.array_equal(held[1], x):
            held = self.copies[id(x)] = (x, np.copy(x))
        return held[1]

    def output(self, index: int, k: int, n: int, y: Any) -> Any:
        """One of the ``n`` results of the entry ``index``: an entry of its own."""
        if not is_differentiable(y):
            return y
        self.push((sweep_output, index, k, n))
        return self.kind(y, self, len(self.entries) - 1)  # type: ignore[return-value]

    def _read(self, root: Traced, path: tuple[Step, ...], y: Any) -> Any:
        if not is_differentiable(y):
            return y
        self.push((sweep_read, root.aux, path, Shape.of(root.value), layout(root.value, path)))
        if type(y) is np.float64:
            y = float(y)
        return wrap_view(self, core.READ, root, {"path": path}, y, len(self.entries) - 1)

    def lift(self, x: Traced, inner: Any) -> None:
        x.value = inner
        x.aux = None

    def write(self, root: Traced, path: tuple[Step, ...], v: Any) -> None:
        value, node = (v.value, v.aux) if isinstance(v, Traced) and v.level is self else (v, None)
        steps, index = split(path)
        value_of(own(root, value, index), steps)[index] = value
        form = Shape.of(value) if node is not None else None
        self.push((sweep_write, root.aux, node, path, form, layout(root.value, path)))
        root.aux = len(self.entries) - 1


def _escaped(entry: Entry) -> None:
    raise EscapedError(escaped_message())


# ---------------------------------------------------------------- the sweep


def sweep(entries: list[Any], bars: Bars) -> None:
    """Pop entries from the end to the inputs, each adding into the bars of its arguments."""
    pop, take = entries.pop, bars.pop
    while (entry := pop()) is not None:
        g = take()
        if g is not None:
            if type(g) is Accumulator and not (entry[0] is sweep_read or entry[0] is sweep_write):
                g = g.freeze()
            entry[0](g, bars, entry)


quiet_sweep = np.errstate(all="ignore")(sweep)
"""The sweep without warnings of its own: NumPy has given those of the function itself."""


def accumulate(bars: Bars, node: int, g: Any) -> None:
    """Add a cotangent into the bar of an entry."""
    old = bars[node]
    bars[node] = g if old is None else old + g


def sweep_rule(g: Any, bars: Bars, entry: Entry) -> None:
    """The general entry: ask the rule for the bars of the active arguments."""
    _, nodes, active, rule, y, kept, kw = entry
    xs = [k.check() if type(k) is Guard else k for k in kept]
    g = np.float64(g) if type(g) is float else g  # a rule may index its cotangent
    for i, xbar in zip(active, rule.bars(y, xs, kw, g, active), strict=True):
        if xbar is not None:
            x, node = xs[i], nodes[i]
            if type(xbar) is not np.ndarray or xbar.dtype is not x.dtype or xbar.shape != x.shape:
                xbar = fitted(xbar, x, rule, i)
            old = bars[node]
            bars[node] = xbar if old is None else old + xbar


def fitted(xbar: Any, x: Any, rule: Rule, i: int) -> Any:
    """A cotangent in its argument's dtype; its shape must be the argument's."""
    if shape_of(xbar) != shape_of(x):
        raise RuleError(
            f"the rule of {rule.name} returned a cotangent of shape {shape_of(xbar)} for argument {i}, "
            f"whose shape is {shape_of(x)}."
        )
    return match(xbar, x)


def sweep_output(g: Any, bars: Bars, entry: Entry) -> None:
    """One of several outputs: leave its cotangent with the entry of the whole."""
    _, index, k, n = entry
    if bars[index] is None:
        bars[index] = [None] * n
    bars[index][k] = g


def sweep_read(g: Any, bars: Bars, entry: Entry) -> None:
    """y = x[path]: add into the one accumulator of x."""
    _, node, path, form, order = entry
    acc = bars[node]
    if type(acc) is not Accumulator:
        acc = bars[node] = Accumulator.of(acc, form, g)
    if order is COPIED:
        path, g, order = WHOLE, pull_back(path, g, form), None
    acc.add(path, g, order)


def pull_back(path: tuple[Step, ...], g: Any, form: Shape) -> Any:
    """The cotangent of an array of which a path selects more than can be added to in place, step by step."""
    g = g if isinstance(g, Masked) else Masked(g, np.ones(shape_of(g), bool))
    x = np.empty(form.shape, form.dtype)
    forms = [Shape.of(x := fn(x, **kw)) for fn, kw in path[:-1]]
    for (fn, kw), at in zip(reversed(path), reversed([form, *forms])):
        rule, settings = (core.READ, {"path": ((fn, kw),)}) if fn is take_index else (core.RULES[fn], kw)
        (g,) = rule.bars(None, [at], settings, g, [0])
    return g


def sweep_write(g: Any, bars: Bars, entry: Entry) -> None:
    """x[path] = v: v takes its entries of the cotangent, the older x gets what is left."""
    _, node, v_node, path, form, order = entry
    acc = g if type(g) is Accumulator else Accumulator.of(g, Shape.of(dense(g)), g)
    vbar = acc.take(path, order)
    if node is not None:
        accumulate(bars, node, acc)
    if v_node is not None:
        moved = unbroadcast(dense(vbar), form.shape) if shape_of(vbar) != form.shape else vbar
        accumulate(bars, v_node, match(moved, form))


class Accumulator(Masked):
    """The cotangent of an array that is read or written by entries: changed in place, owned by the sweep."""

    __slots__ = ()

    @classmethod
    def of(cls, g: Any, form: Shape, like: Any) -> "Accumulator":
        """A new accumulator that holds a cotangent, or zero."""
        like = dense(like)
        if g is None:
            array = new_zeros(form.shape, np.result_type(dtype_of(like), form.dtype), like)
            mask: Any = np.zeros(form.shape, bool)
        else:
            array = np.copy(dense(g))
            mask = np.copy(g.mask) if isinstance(g, Masked) else np.ones(form.shape, bool)
        return cls(array, mask)

    def freeze(self) -> Masked:
        """As a cotangent that others may hold too; without the mask if nothing is masked."""
        return self.array if is_full(self.mask) else Masked(self.array, self.mask)  # type: ignore[return-value]

    def __add__(self, other: Any) -> "Accumulator":
        self.add(WHOLE, other, None)
        return self

    __radd__ = __add__

    def select(self, path: tuple[Step, ...], order: Any) -> tuple[Any, Any, Any]:
        """Views of the array and the mask, and the index into both that ends a path."""
        steps, index = split(path)
        if core.is_batched(index):
            self.array, self.mask = assignable(self.array), assignable(self.mask)
        self.array = lay_out(self.array, steps, order)
        part = value_of(self.array, steps)
        if any(fn is view_as for fn, _ in steps):  # entries of another size: what is known of zeros is given up
            self.mask = np.ones(self.shape, bool)
            return part, np.ones(shape_of(part), bool), index
        places = tuple(step for step in steps if step[0] not in PARTS)  # a mask has no parts
        self.mask = lay_out(self.mask, places, order)
        return part, value_of(self.mask, places), index

    def add(self, path: tuple[Step, ...], g: Any, order: Any) -> None:
        """Add a cotangent into the entries that a path selects."""
        if isinstance(dense(g), Traced):
            self.array = assignable(self.array)
        if isinstance(g, Masked) and isinstance(g.mask, Traced):
            self.mask = assignable(self.mask)
        part, seen, index = self.select(path, order)
        if is_advanced(index):
            np.add.at(part, index, dense(g))
        elif type(view := part[index]) is np.ndarray:
            np.add(view, dense(g), view)  # part[index] += g would copy the view onto itself
        else:
            part[index] = view + dense(g)
        if isinstance(g, Masked):
            np.logical_or.at(seen, index, g.mask)
        else:
            seen[index] = True

    def take(self, path: tuple[Step, ...], order: Any) -> Any:
        """Remove and return the entries that a path selects."""
        part, seen, index = self.select(path, order)
        taken, known = part[index], np.copy(seen[index])
        if is_view_of(taken, self.array):
            taken = np.copy(taken)
        elif is_advanced(index):
            seats = mentions(part.shape, index)
            last = seats == np.arange(seats.size).reshape(seats.shape)  # of several, the last was assigned
            taken, known = np.where(last, taken, 0), known & last
        part[index] = 0
        if not any(fn in PARTS or fn is view_as for fn, _ in path):
            seen[index] = False
        return taken if is_full(known) else Masked(taken, known)


def assignable(x: Any) -> Any:
    """An array that can be assigned traced values, or at a traced index."""
    return x if isinstance(x, Traced) else core.Cell(x, core.BASE)


def is_full(mask: Any) -> bool:
    """Whether a mask is known to leave no entry out; one that differs between the items of a batch may."""
    return not isinstance(mask, Traced) and bool(np.all(mask))


COPIED = "copied"


def layout(x: Any, path: tuple[Step, ...]) -> Any:
    """The order and directions of axes in memory, if a path has steps (such as reshape) that depend on it.

    COPIED says that the steps make no views that can be written to, so that a cotangent must be pulled back by steps.
    """
    if all(fn is take_index for fn, _ in path):
        return None
    entries, (steps, _) = memory(x), split(path)
    if is_read_only(path) or not is_view_of(value_of(entries, steps), entries):
        return COPIED
    backwards = tuple(slice(None, None, -1 if stride < 0 else 1) for stride in entries.strides)
    return axes_by_stride(x), backwards


def lay_out(x: Any, steps: tuple[Step, ...], order: Any) -> Any:
    """``x``, copied into another order of axes in memory if in its own the steps would not make views of it."""
    if order is None or not steps or is_view_of(value_of(entries := memory(x), steps), entries):
        return x
    axes, backwards = order
    return copy_in_order(x[backwards], axes)[backwards]


# ---------------------------------------------------------------- arrays that the user may change

TINY = 1024
SMALL = 65536
_LANES = 1021


def settled(kw: Settings) -> Settings:
    """Settings that the user can no longer change."""
    if not any(isinstance(v, (np.ndarray, list)) for v in kw.values()):
        return kw
    return {k: copy(v) if isinstance(v, (np.ndarray, list)) else v for k, v in kw.items()}


class Guard:
    """A plain array that a bar needs, with a fingerprint of its entries when it was recorded.

    The fingerprint takes all bytes, so any single change is found; changes that cancel bit by bit at
    distances of a multiple of 1021 words would pass.
    """

    __slots__ = ("array", "place", "print")

    def __init__(self, array: NDArray[Any], place: str):
        self.array = array
        self.print = fingerprint(array)
        self.place = place

    def check(self) -> NDArray[Any]:
        """The array, if it is unchanged."""
        if fingerprint(self.array) != self.print:
            raise MutationError(
                f"an array of shape {self.array.shape} that the derivative needs was changed in place after it was "
                f"{self.place}. Pass a copy there, or write to a new array."
            )
        return self.array


def fingerprint(x: NDArray[Any]) -> bytes:
    """A short summary of all entries and of their places."""
    if x.dtype.hasobject:
        return b""
    words = np.ascontiguousarray(x).reshape(-1).view(np.uint8)
    tail = words[words.size // 8 * 8 :].tobytes()
    words = words[: words.size // 8 * 8].view(np.uint64)
    rows = words.size // _LANES
    lanes = np.bitwise_xor.reduce(words[: rows * _LANES].reshape(rows, _LANES), axis=0)
    return lanes.tobytes() + words[rows * _LANES :].tobytes() + tail


def is_writable(x: NDArray[Any]) -> bool:
    """Whether the user could change an array, through itself or through what it is a view of."""
    base: Any = x
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return True
        base = base.base
    return base is not None

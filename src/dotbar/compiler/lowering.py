"""A Program's equations -> nodes: operations on entries, reductions and writes, on views of values.

In: equations on arrays, with NumPy's broadcasting and promotion.  Out: :class:`Node` s, whose operands are of the dtype
they work in.  Operations on shapes leave no node: they become the index maps of :class:`View` s.  A view calculates as
an array does, so dotbar's words of one entry (``sech2``, ``ratio``, ...) are lowered by running their own bodies.

What works on whole blocks of memory, such as a product of matrices, is a call.  Its module enters it in ``CALLS``::

    def matmul(lowering, a, b):
        a, b = lowering.packed(a), lowering.packed(b)    # or a view as it is: a.shape, a.strides (in entries)

        def emit(code, operands, results, scratch):
            code.definitions["dotbar.product"] = "define internal void @dotbar.product(…) #0 { … }"
            code.put(f"call void @dotbar.product(ptr {operands[0]}, ptr {operands[1]}, ptr {results[0]})")

        return lowering.call(emit, [a, b], [Result((a.shape[0], b.shape[1]), a.dtype)])[0]

    CALLS[np.matmul] = matmul

``emit`` gets pointers: to each operand's first entry, to each result's block in C order, to ``scratch`` bytes.  It may
return the name of an ``i32``: if that is not 0, ``@program`` returns -1, and NumPy runs the Program to raise its error.
A result that begins as another array, ``Result(shape, dtype, start=a.T)``, is made in that array's block where nothing
else reads it any more, else in a copy.  Functions from elsewhere are declared in ``code.definitions`` and have their
address in ``code.symbols``; functions of numbers (``code.operation``) enter themselves in ``code.calls``.  An equation
that a lowering refuses with ``UnsupportedError`` is left to NumPy.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from dotbar.compiler import pairs
from dotbar.compiler.indices import moved_by
from dotbar.compiler.kernels import (
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    INTRINSICS,
    KINDS,
    TO_BOOL,
    TYPES,
    Code,
    identity,
)
from dotbar.compiler.pairs import PARTS, Pair, is_complex
from dotbar.compiler.rows import unrolled
from dotbar.compiler.shapes import MOVES, Shape, along, contiguous, moved, squeezed
from dotbar.core import Settings, is_advanced, split, take_index, value_of
from dotbar.program import WRITTEN, Control, Equation, Guard, Part, Program, Refused, Var, array_type, variables
from dotbar.rules import norms, reductions, statistics, ufuncs, words
from dotbar.rules.linalg import from_diagonal
from dotbar.rules.shapes import astype, axes_of, choose, concat, pile

COSTS = dict.fromkeys(FUNCTIONS, 100) | {"divide": 4, "sqrt": 4, "fmod": 100}

CHEAP = 5
"""A value of so many operations and loads is computed again rather than stored and loaded."""

BOOL, INTEGER = np.dtype(bool), np.dtype(np.int64)


class UnsupportedError(Exception):
    """An equation that is left to NumPy."""


class Value:
    """What a node computes, an input or a constant: a block of entries in C's order, or one number.

    Of one with a ``band`` there are so many entries at a time.  One that is ``flat`` is constant along the last axis.
    """

    __slots__ = ("band", "cost", "dtype", "flat", "kind", "number", "place", "shape", "size", "stage", "stored")

    def __init__(self, kind: str, shape: Shape, dtype: np.dtype[Any], number: int):
        self.kind = kind
        self.shape = shape
        self.size = prod(shape)
        self.dtype = dtype
        self.number = number
        self.stage = -1
        self.band = 0
        self.flat = False
        self.cost = 0
        self.stored = kind != "map"
        self.place: Any = None


Emit: TypeAlias = Callable[[Code, list[str], list[str], str], str | None]


@dataclass(frozen=True)
class Result:
    """What a call makes: a block that holds nothing yet, or the entries of ``start``."""

    shape: Shape
    dtype: np.dtype[Any]
    start: Any = None


def in_register(value: Value) -> bool:
    """Whether a value is one number that is not in memory."""
    return value.size == 1 and value.kind in ("map", "reduce")


@dataclass(eq=False, slots=True)
class Node:
    """``value = op(*operands)`` for each index in ``space``; a reduction's value lacks the axes ``reduced``.

    A write sets ``target``, entries of its value; a second operand moves them by numbers of places, as the operand of a
    take moves the entries of ``source``.  ``starts`` are the values that begin as others, with these.
    """

    kind: str
    op: str
    operands: tuple[Any, ...]
    value: Value
    space: Shape
    dtype: np.dtype[Any]
    reduced: tuple[int, ...] = ()
    target: Any = None
    source: Any = None
    starts: list[tuple[Value, Any]] = field(default_factory=list[tuple[Value, Any]])

    @property
    def values(self) -> list[Value]:
        """All that it computes."""
        return [self.value]

    @property
    def moves(self) -> bool:
        """Whether it is a write whose second operand moves the entries that it sets."""
        return self.kind == "write" and len(self.operands) > 1

    @property
    def reads(self) -> tuple[Any, ...]:
        """All that must be there before."""
        return (*self.operands, self.source, *(start for _, start in self.starts))


@dataclass(eq=False, slots=True)
class Call(Node):
    """What ``emit`` writes; it works on whole blocks, and in ``scratch`` bytes of memory.

    What is ``small`` can be written number by number, too.
    """

    emit: Emit = field(kw_only=True)
    small: Any = field(kw_only=True)
    results: list[Value] = field(kw_only=True)
    scratch: int = field(kw_only=True)

    @property
    def values(self) -> list[Value]:
        return self.results


def space_of(shape: Sequence[int]) -> Shape:
    return squeezed(shape)[0] if 1 in shape else tuple(shape)


def reads_entries(x: Any, space: Shape) -> bool:
    """Whether entry i of ``x`` is entry i of its value, for each index of a loop nest."""
    shape, own = x.shape, x.base.shape
    return x.whole and (shape == space or space_of(shape) == space) and (own == space or space_of(own) == space)


def row(x: "View", shape: Shape) -> Shape:
    """The strides of an operand along the axes of a nest over ``shape``."""
    return squeezed(shape, along(x.shape, x.strides, shape))[1]


class View(NDArrayOperatorsMixin):
    """Entries of a value: entry i is at ``offset + Σ iₖ·strides[k]``; ``moves`` made it of all of them, if known."""

    def __init__(
        self,
        lowering: "Lowering",
        base: Value,
        offset: int,
        shape: Shape,
        strides: Shape,
        moves: tuple[Callable[[Any], Any], ...] | None = (),
        weak: bool = False,
    ):
        self.lowering = lowering
        self.base = base
        self.offset = offset
        self.shape = shape
        self.strides = strides
        self.moves = moves
        self.weak = weak

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.base.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @cached_property
    def whole(self) -> bool:
        """Whether these are the entries of the value, in order, but for axes of length 1."""
        shape, strides = squeezed(self.shape, self.strides)
        return self.offset == 0 and self.size == self.base.size and strides == contiguous(shape)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kw: Any) -> Any:
        if method != "__call__" or kw:
            raise UnsupportedError
        return self.lowering.ufunc(ufunc, *map(self.lowering.operand, inputs))

    def __array_function__(self, fn: Any, types: Any, args: Any, kw: Any) -> Any:
        if fn is not np.where or kw or len(args) != 3:
            raise UnsupportedError
        return self.lowering.choose(*args)

    def __imul__(self, other: Any) -> "View":  # type: ignore[override]
        return self * other

    def __itruediv__(self, other: Any) -> "View":  # type: ignore[override]
        return self / other

    def __bool__(self) -> bool:
        raise UnsupportedError

    def move(self, fn: Callable[[Any], Any]) -> "View":
        """What NumPy's ``fn`` makes of it, as an index map; where that is none, of a copy."""
        view = self.moved(fn)
        if view is None and self.whole:
            raise UnsupportedError
        return self.lowering.map("copy", self.dtype, self).move(fn) if view is None else view

    def moved(self, fn: Callable[[Any], Any]) -> "View | None":
        """What NumPy's ``fn`` makes of it, if that is an index map."""
        found = moved(self.offset, self.shape, self.strides, self.base.size, fn)
        if found is None:
            return None
        moves = None if self.moves is None else (*self.moves, fn)
        return View(self.lowering, self.base, *found, moves)

    def at(self, shape: Shape, strides: Shape) -> "View":
        """A view from the same first entry on."""
        return View(self.lowering, self.base, self.offset, shape, strides, None)


class Stack:
    """Rows that a loop of unknown length makes: where they lie, and how many there are, says one of ``%headers``.

    Only loops go along one.  Its ``token`` is a value that orders the calls.
    """

    def __init__(self, token: Any, header: int, item: Any):
        self.token = token
        self.header = header
        self.shape = (-1, *item.shape)
        self.dtype = item.dtype


class Lowering:
    """The nodes of a Program, as its equations are lowered one after the other."""

    def __init__(self, inputs: Sequence[Var] = ()):
        self.nodes: list[Node] = []
        self.constants: list[np.ndarray[Any, Any]] = []
        self.values: list[Value] = []
        self.guards = 0
        self.known: dict[Var, Any] = {}
        self.maps: dict[Value, Node] = {}
        self.moved: dict[Any, View] = {}
        self.headers = 0
        self.inputs = [self.memory("input", () if -1 in x.shape else x.shape, x.dtype) for x in inputs]
        for x, value in zip(inputs, self.inputs):
            if -1 in x.shape:
                self.known[x] = Stack(self.all_of(value), self.header(), Var(x.shape[1:], x.dtype))
                continue
            whole = self.all_of(value, x.weak)
            self.known[x] = pairs.split(whole, x.weak) if x.dtype in PARTS else whole

    def value(self, kind: str, shape: Shape, dtype: np.dtype[Any]) -> Value:
        if dtype not in TYPES or -1 in shape:
            raise UnsupportedError
        value = Value(kind, shape, dtype, len(self.values))
        self.values.append(value)
        return value

    def memory(self, kind: str, shape: Shape, dtype: np.dtype[Any]) -> Value:
        """What the caller holds; of complex numbers both parts, side by side."""
        return self.value(kind, (*shape, 2), PARTS[dtype]) if dtype in PARTS else self.value(kind, shape, dtype)

    def header(self) -> int:
        """The number of a new stack."""
        self.headers += 1
        return self.headers - 1

    def constant(self, x: np.ndarray[Any, Any]) -> View:
        """An array as it lies in memory."""
        value = self.value("constant", x.shape, x.dtype)
        self.constants.append(x)
        value.place = len(self.constants) - 1
        return self.all_of(value)

    def all_of(self, value: Value, weak: bool = False) -> View:
        return View(self, value, 0, value.shape, contiguous(value.shape), weak=weak)

    def operand(self, x: Any) -> Any:
        """A view of a variable or an array; a number, or an array of one number throughout, stays one."""
        if type(x) is Var:
            return self.known[x]
        if isinstance(x, list):
            x = np.asarray(x)
        if not isinstance(x, np.ndarray) or not x.ndim:
            return x[()] if isinstance(x, np.ndarray) else x
        if x.dtype in PARTS:
            return Pair(self, self.operand(x.real), self.operand(x.imag))
        if x.dtype not in TYPES:
            raise UnsupportedError
        if x.size and (not any(x.strides) or x.tobytes() == x[(0,) * x.ndim].tobytes() * x.size):
            return self.map("copy", x.dtype, x[(0,) * x.ndim]).move(lambda v: np.broadcast_to(v, x.shape))
        return self.constant(np.ascontiguousarray(x))

    # ------------------------------------------------ entry by entry

    def map(self, op: str, dtype: np.dtype[Any], *xs: Any, shape: Shape | None = None) -> View:
        """``op`` on each entry, on operands of ``dtype``."""
        shape = np.broadcast_shapes(*(np.shape(x) if not isinstance(x, View) else x.shape for x in xs))
        value = self.value("map", shape, BOOL if op in TO_BOOL else dtype)
        return self._map(Node("map", op, xs, value, shape, dtype))

    def _map(self, node: Node) -> View:
        node.operands = tuple(self.near(x, node.space) for x in node.operands)
        known = {x.base: x.base.cost if x.base in self.maps else 1 for x in node.operands if isinstance(x, View)}
        node.value.flat = bool(space_of(node.space)) and not any(self.varies(x, node.space) for x in node.operands)
        node.value.cost = 1 if node.value.flat else COSTS.get(node.op, 1) + sum(known.values())
        self.nodes.append(node)
        self.maps[node.value] = node
        return self.all_of(node.value)

    def varies(self, x: Any, space: Shape) -> bool:
        """Whether an operand changes along the last axis."""
        if not isinstance(x, View) or x.base.size == 1:
            return False
        return not x.base.flat if reads_entries(x, space_of(space)) else bool(row(x, space)[-1])

    def near(self, x: Any, space: Shape) -> Any:
        """An operand; if it is cheap but not in the order of the space, computed once more of moved operands."""
        if not isinstance(x, View) or x.moves is None or x.base.size == 1 or reads_entries(x, space_of(space)):
            return x
        node = self.maps.get(x.base)
        if node is None or x.base.cost > CHEAP:
            return x
        wide = x.moved(lambda v: np.broadcast_to(v, space))
        assert wide is not None
        key = wide.base, wide.offset, wide.shape, wide.strides
        if key not in self.moved:
            self.moved[key] = self._moved(node, wide)
        return self.moved[key]

    def _moved(self, node: Node, x: View) -> View:
        xs: list[Any] = []
        for y in node.operands:
            for fn in (lambda v: np.broadcast_to(v, node.space), *(x.moves or ())) if isinstance(y, View) else ():
                y = y.moved(fn)
                if y is None:
                    return x
            xs.append(y)
        value = self.value("map", x.shape, x.dtype)
        return self._map(Node("map", node.op, tuple(xs), value, x.shape, node.dtype))

    def cast(self, x: Any, dtype: np.dtype[Any]) -> Any:
        """``x`` in a dtype."""
        if dtype not in TYPES:
            raise UnsupportedError
        if not isinstance(x, View):
            return np.asarray(x).astype(dtype)[()]
        if x.dtype == dtype:
            return x
        value = self.value("map", x.shape, dtype)
        return self._map(Node("map", "cast", (x,), value, x.shape, x.dtype))

    def ufunc(self, fn: np.ufunc, *xs: Any) -> Any:
        """A ufunc, by its definition in others if it has one."""
        return DEFINITIONS[fn](*xs) if fn in DEFINITIONS else self.operation(fn, *xs)

    def operation(self, fn: np.ufunc, *xs: Any) -> View:
        """A ufunc that is an operation of its name, with NumPy's promotion."""
        op = NAMES.get(fn, fn.__name__)
        if op not in KNOWN:
            return self.applied(np.ufunc, [fn, *xs], {})
        if op.startswith("logical"):
            return self.map(op, BOOL, *(self.truth(x) for x in xs))
        dtypes = resolved(fn, xs)
        if any(t not in TYPES or t != dtypes[0] for t in dtypes[: fn.nin]):
            raise UnsupportedError
        dtype = dtypes[0]
        kind = KINDS[dtype.kind]
        if (op in ARITHMETIC and not ARITHMETIC[op][kind]) or (kind and op in FLOATING):
            raise UnsupportedError
        if dtype.kind == "b" and op in ("negative", "absolute"):
            raise UnsupportedError
        return self.map(op, dtype, *(self.cast(x, dtype) for x in xs))

    def truth(self, x: Any) -> Any:
        """Whether ``x`` is not 0."""
        return self.cast(x, BOOL)

    def choose(self, condition: Any, x: Any, y: Any) -> View:
        """``np.where`` with its three arguments."""
        dtype = np.result_type(*(v.dtype if isinstance(v, View) and not v.weak else _weak(v) for v in (x, y)))
        if dtype not in TYPES:
            raise UnsupportedError
        return self.map("select", dtype, self.truth(self.operand(condition)), self.cast(x, dtype), self.cast(y, dtype))

    # ------------------------------------------------ reductions, writes, guards

    def reduce(self, op: str, x: Any, axis: Any, keepdims: bool) -> View:
        """``op`` over all entries along the axes."""
        if not isinstance(x, View):
            raise UnsupportedError
        axes = axes_of(axis, x.ndim)
        if all(x.shape[k] == 1 for k in axes):
            return x if keepdims else x.move(lambda v: v.reshape([n for k, n in enumerate(v.shape) if k not in axes]))
        result = unrolled(x, op, axes)
        if result is None:
            shape = tuple(n for k, n in enumerate(x.shape) if k not in axes)
            x, value = self.near(x, x.shape), self.value("reduce", shape, x.dtype)
            self.nodes.append(Node("reduce", op, (x,), value, x.shape, x.dtype, axes))
            result = self.all_of(value)
        return result.move(lambda v: np.expand_dims(v, axes)) if keepdims else result

    def read(self, x: View, path: Any, parts: Sequence[Any] = ()) -> View:
        """The entries that a path selects."""
        steps, index = _index(path, parts)
        if not _picks(index):
            return x.move(_selection(path))
        source, numbers = moved_by(x.move(lambda v: value_of(v, steps)), index)
        if in_register(source.base):  # every place that is allowed is its only one
            return source
        value = self.value("map", source.shape, x.dtype)
        self.nodes.append(Node("map", "take", (numbers,), value, source.shape, x.dtype, source=source))
        return self.all_of(value)

    def write(self, x: Any, v: Any, path: Any, parts: Sequence[Any] = (), op: str = "copy") -> View:
        """``x`` with the entries that a path selects replaced by ``v``, or by ``op`` of both."""
        steps, index = _index(path, parts)
        if isinstance(index, View) and index.dtype == BOOL:
            return self._masked(x, v, index, steps)
        value = self.value("write", x.shape, x.dtype)
        if not _picks(index):
            target, numbers = self.all_of(value).move(_selection(path)), ()
        else:
            target, *numbers = moved_by(self.all_of(value).move(lambda v: value_of(v, steps)), index)
        if target.base is not value:
            raise UnsupportedError
        v = self.cast(v, x.dtype)
        shape = np.shape(v) if not isinstance(v, View) else v.shape
        if len(shape) > target.ndim:  # NumPy drops leading axes of length 1
            v = v.move(lambda a: a.reshape(shape[len(shape) - target.ndim :]))
        if np.broadcast_shapes(np.shape(v) if not isinstance(v, View) else v.shape, target.shape) != target.shape:
            raise UnsupportedError
        starts = [] if isinstance(x, Result) else [(value, x)]
        v = self.near(v, target.shape)
        node = Node("write", op, (v, *numbers), value, target.shape, x.dtype, target=target, starts=starts)
        self.nodes.append(node)
        return self.all_of(value)

    def _masked(self, x: Any, v: Any, mask: View, steps: Any) -> View:
        """``x`` with one number where a mask holds."""
        if steps or np.size(v) != 1 or not isinstance(x, View) or mask.shape != x.shape[: mask.ndim]:
            raise UnsupportedError
        missing = x.ndim - mask.ndim
        v = self.cast(v, x.dtype)
        v = v.move(lambda a: a.reshape(())) if isinstance(v, View) else v
        return self.choose(mask.move(lambda a: a.reshape((*a.shape, *(1,) * missing))), v, x)

    def within(self, index: Any, n: int) -> Any:
        """An index along an axis of length ``n``, not below 0; the function returns if it is beyond the ends."""
        if not isinstance(index, View):
            index = np.where(index < 0, index + n, index)
            if index.dtype.kind not in "iu" or np.any((index < 0) | (index >= n)):
                raise UnsupportedError
            return index
        if index.dtype.kind not in "iu" or (index.size and not n):
            raise UnsupportedError
        index = self.cast(index, INTEGER)
        place = np.where(index < 0, index + n, index)
        self.stop_unless(np.logical_and(place >= 0, place < n), -1)
        return np.minimum(np.maximum(place, 0), n - 1)

    def joined(self, arrays: Sequence[Any], axis: int, new: bool) -> View:
        """Arrays one behind the other along an axis, which may be new."""
        views = [self.view(x) for x in arrays]
        dtype = np.result_type(*(v.dtype for v in views))
        if new:
            views = [v.move(lambda a: np.expand_dims(a, axis)) for v in views]
        axis %= views[0].ndim
        shape = list(views[0].shape)
        ends = np.cumsum([v.shape[axis] for v in views]).tolist()
        shape[axis] = ends[-1]
        whole: Any = Result(tuple(shape), dtype)
        for v, end in zip(views, ends):
            if v.size:
                index = (*(slice(None),) * axis, slice(end - v.shape[axis], end))
                whole = self.write(whole, v, ((take_index, {"index": index}),))
        return whole if isinstance(whole, View) else self.full(0, whole.shape, dtype)

    def full(self, number: Any, shape: Shape, dtype: np.dtype[Any]) -> View:
        """The same number everywhere."""
        return self.map("copy", dtype, dtype.type(number)).move(lambda a: np.broadcast_to(a, shape))

    # ------------------------------------------------ calls

    def view(self, x: Any, dtype: np.dtype[Any] | None = None) -> View:
        """``x`` in memory, wherever its entries lie; in a dtype."""
        x = self.cast(x, dtype) if dtype is not None else x
        return x if isinstance(x, View) else self.map("copy", np.asarray(x).dtype, x)

    def packed(self, x: Any, dtype: np.dtype[Any] | None = None) -> View:
        """``x`` in memory, its entries one after the other in C order; in a dtype."""
        x = self.view(x, dtype)
        shape, strides = squeezed(x.shape, x.strides)
        return x if strides == contiguous(shape) else self.map("copy", x.dtype, x)

    def call(
        self, emit: Emit, operands: Sequence[View], results: Sequence[Result], scratch: int = 0, small: Any = None
    ) -> list[View]:
        """What ``emit`` makes of blocks of memory."""
        values = [self.value("call", r.shape, r.dtype) for r in results]
        starts = [(v, self.view(r.start, r.dtype)) for v, r in zip(values, results) if r.start is not None]
        v, xs = values[0], tuple(operands)
        more = {"starts": starts, "emit": emit, "results": values, "scratch": scratch, "small": small}
        call = Call("call", "call", xs, v, (), v.dtype, **more)
        self.nodes.append(call)
        return [self.all_of(value) for value in values]

    def guard(self, convert: Any, x: Any, outcome: Any) -> None:
        """Stop with the number of the guard if ``x`` has become another Python number."""
        if not isinstance(x, View) or x.size != 1:
            raise UnsupportedError
        if convert is bool:
            same = self.ufunc(np.equal, self.truth(x), np.bool_(outcome))
        elif convert is float:
            same = self.ufunc(np.isnan, x) if outcome != outcome else self.ufunc(np.equal, x, outcome)
            if outcome == 0 and x.dtype.kind == "f":
                self.stop_unless(self.ufunc(np.equal, self.ufunc(np.signbit, x), np.signbit(outcome)), self.guards)
        elif convert in (int, operator.index) and abs(outcome) < 2**53:
            same = self.ufunc(np.equal, self.ufunc(np.trunc, x) if x.dtype.kind == "f" else x, outcome)
        else:
            raise UnsupportedError
        self.stop_unless(same, self.guards)

    def stop_unless(self, condition: View, status: int) -> None:
        """Return a number from the function unless a condition holds throughout."""
        if condition.size != 1:
            condition = self.reduce("logical_and", condition, None, False)
        value = self.value("guard", (), BOOL)
        self.nodes.append(Node("guard", str(status), (condition,), value, (), BOOL))

    # ------------------------------------------------ equations

    def needed(self, outputs: Sequence[Value]) -> list[Node]:
        """The nodes on which some values and the guards depend."""
        wanted = {value.number for value in outputs}
        kept: list[Node] = []
        for node in reversed(self.nodes):
            if node.kind == "guard" or any(value.number in wanted for value in node.values):
                kept.append(node)
                wanted.update(x.base.number for x in node.reads if isinstance(x, View))
        return kept[::-1]

    def equation(self, equation: Equation) -> None:
        """Lower one equation.

        Raises:
            UnsupportedError: it is left to NumPy.
        """
        rule, settings = equation.rule, equation.settings
        fn: Any = rule.name if isinstance(rule, Control) else rule.fn
        if isinstance(rule, Refused):
            raise UnsupportedError
        if isinstance(rule, Guard):
            self.guards += 1
            if rule.convert is not array_type:
                self.guard(rule.convert, self.operand(equation.inputs[0]), settings["outcome"])
            return
        xs = [self.known[x] if type(x) is Var else x for x in equation.inputs]
        if fn != "loop" and any(isinstance(x, Stack) for x in xs):
            fn, xs, settings = "loop", *by_rows(equation, xs)
        y = self.applied(fn, xs, settings)
        for out, result in zip(equation.outputs, y if isinstance(y, (tuple, list)) else (y,), strict=True):
            found = result if isinstance(result, (View, Pair, Stack)) else self.view(result, out.dtype)
            if found.shape != out.shape or found.dtype != out.dtype:
                raise UnsupportedError
            self.known[out] = found

    def applied(self, fn: Any, xs: Sequence[Any], settings: Settings) -> Any:
        """What a function makes of views, pairs, numbers and arrays."""
        if any(map(is_complex, xs)) or (fn is astype and settings["dtype"] in PARTS):
            y = pairs.applied(self, fn, xs, settings)
            if y is None and isinstance(fn, np.ufunc) and not settings:
                y = CALLS[np.ufunc](self, fn, *map(self.operand, xs))
            if y is None:
                raise UnsupportedError
            return y
        if fn in INDEXED:
            return INDEXED[fn](self, *xs, **settings)
        xs = list(map(self.operand, xs))
        if isinstance(fn, np.ufunc) and not settings:
            return self.ufunc(fn, *xs)
        if fn in MOVES and isinstance(xs[0], View):
            return xs[0].move(lambda v: fn(v, **settings))
        for table in (REDUCTIONS, CALLS, WORDS):
            if fn in table:
                return table[fn](self, *xs, **settings)
        raise UnsupportedError


def lower(program: Program) -> Lowering:
    """The nodes of a Program."""
    lowering = Lowering(program.inputs)
    for equation in program.equations:
        lowering.equation(equation)
    return lowering


def by_rows(equation: Equation, xs: Sequence[Any]) -> tuple[list[Any], Settings]:
    """An operation on the entries of stacks as a loop along them: the bars of a stack, added up."""
    stacks = [x for x in xs if isinstance(x, Stack)]
    shapes = {x.shape for x in (*stacks, *equation.outputs)}
    if not isinstance(equation.rule.fn, np.ufunc) or len(stacks) != len(xs) or equation.settings or len(shapes) != 1:
        raise UnsupportedError
    rows, *ys = ([Var(x.shape[1:], x.dtype) for x in some] for some in (stacks, equation.outputs))
    body = Program(rows, [Equation(equation.rule, tuple(rows), {}, tuple(ys[0]))], ys[0])
    return stacks, {"body": body, "test": None, "consts": 0, "carries": 0, "length": None, "reverse": False}


def supported(equation: Equation) -> bool:
    """Whether an equation can be lowered."""
    try:
        lowering = Lowering(list(dict.fromkeys(variables(equation))))
        lowering.equation(equation)
    except UnsupportedError:
        return False
    return True


def resolved(fn: np.ufunc, xs: Sequence[Any]) -> tuple[np.dtype[Any], ...]:
    """The dtypes of a ufunc's operands and results, by NumPy's promotion."""
    given = [_dtype(x) for x in xs]
    if all(type(t) is type for t in given):  # of Python's numbers NumPy would compare objects
        given = list(map(np.dtype, given))
    return fn.resolve_dtypes((*given, *(None,) * fn.nout))


def _dtype(x: Any) -> Any:
    if isinstance(x, View | Pair):
        return _python(x.dtype) if x.weak else x.dtype
    return type(x) if type(x) in (int, float, complex) else np.asarray(x).dtype


def _python(dtype: np.dtype[Any]) -> Any:
    return {"f": float, "i": int, "c": complex}.get(dtype.kind, dtype)


def _weak(x: Any) -> Any:
    """What stands for a Python number in ``np.result_type``."""
    return x.dtype.type(0).item() if isinstance(x, View) else x


def _index(path: Any, parts: Sequence[Any]) -> tuple[Any, Any]:
    """The steps of a path that make views, and the index that ends it."""
    steps, index = split(path)
    if any(fn is not take_index and fn not in MOVES for fn, _ in steps):
        raise UnsupportedError
    if parts:
        index = tuple(parts[i.number] if type(i) is Part else i for i in index)
    if type(index) is tuple and any(isinstance(i, View) and i.dtype == BOOL for i in index):
        raise UnsupportedError  # how many entries a mask selects is not known
    return steps, index


def _picks(index: Any) -> bool:
    """Whether an index selects entries by arrays."""
    return is_advanced(index) or any(isinstance(i, View) for i in (index if type(index) is tuple else (index,)))


def _selection(path: Any) -> Callable[[Any], Any]:
    """Follow a path of basic indices; one entry is an array without axes."""
    steps, index = split(path)
    parts = index if type(index) is tuple else (index,)
    return lambda v: value_of(v, steps)[parts if any(i is ... for i in parts) else (*parts, ...)]


# ---------------------------------------------------------------- what is known

KNOWN = {*ARITHMETIC, *COMPARISONS, *INTRINSICS, *FUNCTIONS, *TO_BOOL} | {
    *("negative", "invert", "maximum", "minimum", "fmax", "fmin"),
}
FLOATING = {*INTRINSICS, *FUNCTIONS, "isnan", "isinf", "isfinite", "signbit"} - {"absolute"}

NAMES: dict[Any, str] = {np.power: "pow", np.float_power: "pow"}


def _power(a: Any, b: Any) -> Any:
    """Small whole powers by multiplication."""
    lowering = (a if isinstance(a, View) else b).lowering
    if isinstance(a, View) and not isinstance(b, View) and b in (1, 2, 3):
        y = [a * 1, a * a, a * a * a][int(b) - 1]
        if np.power.resolve_dtypes((_dtype(a), _dtype(b), None))[2] == y.dtype:
            return y
    return lowering.operation(np.power, a, b)


def _floor_divide(a: Any, b: Any) -> Any:
    """The whole number below the quotient, by C's remainder; of integers 0 where b is 0."""
    a, b = _promoted(np.floor_divide, a, b)
    if a.dtype.kind != "f":
        return _whole_quotient(a, b)
    r = np.fmod(a, b)
    q = (a - r) / b
    q = np.where((r != 0) & ((b < 0) != (r < 0)), q - 1, q)
    whole = np.floor(q)
    whole = np.where(q - whole > 0.5, whole + 1, whole)
    return np.where(b == 0, a / b, np.where(q == 0, np.copysign(0 * r, a / b), whole))


def _whole_quotient(a: Any, b: Any) -> Any:
    """⌊a/b⌋ of integers, a processor's trap (by 0, and of the least by -1) being avoided."""
    lowering = (a if isinstance(a, View) else b).lowering
    safe = np.where(b == 0, 1, b) if a.dtype.kind == "u" else np.where((b == 0) | (b == -1), 1, b)
    q: Any = lowering.map("divide", a.dtype, a, safe)
    if a.dtype.kind == "u":
        return np.where(b == 0, 0, q)
    r = a - q * safe
    q = np.where((r != 0) & ((r < 0) != (b < 0)), q - 1, q)
    return np.where(b == 0, 0, np.where(b == -1, -a, q))


def _remainder(a: Any, b: Any) -> Any:
    """With the sign of the divisor; of integers 0 where that is 0."""
    a, b = _promoted(np.remainder, a, b)
    if a.dtype.kind != "f":
        return np.where(b == 0, 0, a - _whole_quotient(a, b) * b)
    r = np.fmod(a, b)
    return np.where(r == 0, np.copysign(0 * r, b), np.where((r < 0) != (b < 0), r + b, r))


def _promoted(fn: np.ufunc, a: Any, b: Any) -> Any:
    """Both in the dtype that a ufunc works in."""
    dtype = fn.resolve_dtypes((_dtype(a), _dtype(b), None))[0]
    if dtype not in TYPES or dtype.kind == "b":
        raise UnsupportedError
    lowering = (a if isinstance(a, View) else b).lowering
    return lowering.cast(a, dtype), lowering.cast(b, dtype)


def _scaled(x: Any, a: float, b: float) -> Any:
    """x·(a/b), the ratio rounded in x's dtype."""
    number = x.dtype.type if x.dtype.kind == "f" else float
    return x * (number(a) / number(b))


DEFINITIONS: dict[Any, Callable[..., Any]] = {
    np.positive: lambda x: x,
    np.square: lambda x: x * x,
    np.reciprocal: lambda x: 1 / x,
    np.deg2rad: lambda x: _scaled(x, np.pi, 180),
    np.radians: lambda x: _scaled(x, np.pi, 180),
    np.rad2deg: lambda x: _scaled(x, 180, np.pi),
    np.degrees: lambda x: _scaled(x, 180, np.pi),
    np.sign: lambda x: np.where(x > 0, 1, np.where(x < 0, -1, np.where(x == 0, 0, x))),
    np.heaviside: lambda a, b: np.where(a < 0, 0, np.where(a > 0, 1, np.where(a == 0, b, a))),
    np.power: _power,
    np.remainder: _remainder,
    np.floor_divide: _floor_divide,
}


def _sum(lowering: Lowering, a: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    if not isinstance(a, View):
        raise UnsupportedError
    return lowering.reduce("add", accumulator(lowering, a, dtype), axis, keepdims)


def _prod(lowering: Lowering, a: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    if not isinstance(a, View):
        raise UnsupportedError
    return lowering.reduce("multiply", accumulator(lowering, a, dtype), axis, keepdims)


def accumulator(lowering: Lowering, a: View, dtype: Any) -> View:
    """``a`` in the dtype in which NumPy adds: short integers as long ones."""
    short = {"b": np.int64, "i": np.int64, "u": np.uint64}
    return lowering.cast(a, np.dtype(dtype or short.get(a.dtype.kind, a.dtype)))


def _mean(lowering: Lowering, a: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    if not isinstance(a, View) or dtype is not None or not a.size:
        raise UnsupportedError
    x = lowering.cast(a, a.dtype if a.dtype.kind == "f" else np.dtype(float))
    y = lowering.reduce("add", x, axis, keepdims)
    return y / (a.size // y.size)


def _along(op: str, truth: bool = False) -> Callable[..., Any]:
    def reduce(lowering: Lowering, a: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        return lowering.reduce(op, lowering.truth(a) if truth else a, axis, keepdims)

    return reduce


REDUCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: _sum,
    np.prod: _prod,
    np.mean: _mean,
    np.max: _along("maximum"),
    np.min: _along("minimum"),
    np.amax: _along("maximum"),
    np.amin: _along("minimum"),
    np.count_nonzero: lambda lowering, a, **settings: _sum(lowering, lowering.truth(a), **settings),
    np.all: _along("logical_and", truth=True),
    np.any: _along("logical_or", truth=True),
}


def _own_body(word: Any) -> Callable[..., Any]:
    return lambda lowering, *xs: word.__wrapped__(*xs)


def _share(lowering: Lowering, y: Any, a: Any, b: Any) -> Any:
    chosen = _attains(lowering, a, y)
    return np.where(chosen & _attains(lowering, b, y), 0.5, np.where(chosen, 1.0, 0.0))


def _attains(lowering: Lowering, a: Any, y: Any) -> Any:
    return np.equal(a, y) | (np.not_equal(y, y) & np.not_equal(a, a))


def _gather(lowering: Lowering, x: Any, *arrays: Any, template: Any, traced: Any) -> View:
    return lowering.read(lowering.view(lowering.operand(x)), _at(arrays, template, traced))


def _ungather(lowering: Lowering, y: Any, *arrays: Any, template: Any, traced: Any, shape: Shape) -> View:
    return _scatter(lowering, y, path=_at(arrays, template, traced), shape=shape)


def _at(arrays: Sequence[Any], template: Any, traced: Any) -> Any:
    given = iter(arrays)
    return ((take_index, {"index": tuple(next(given) if t else i for i, t in zip(template, traced))}),)


def _scatter(lowering: Lowering, y: Any, *, path: Any, shape: Shape) -> View:
    y = lowering.view(lowering.operand(y))
    return lowering.write(lowering.full(0, shape, y.dtype), y, path, op="add")


def _written(lowering: Lowering, x: Any, v: Any, *parts: Any, path: Any) -> View:
    return lowering.write(lowering.view(lowering.operand(x)), lowering.operand(v), path, parts)


INDEXED: dict[Any, Callable[..., Any]] = {
    words.read: lambda lowering, x, *, path: lowering.read(lowering.view(lowering.operand(x)), path),
    words.scatter: _scatter,
    words.gather: _gather,
    words.ungather: _ungather,
    WRITTEN.fn: _written,
}
"""What takes indices: arrays among the operands are as they are."""

CALLS: dict[Any, Callable[..., Any]] = {}
"""``CALLS[fn](lowering, *operands, **settings)`` is a view or several; operands are views, numbers if constant."""


def _refuse(lowering: Lowering, condition: Any, *, error: Any) -> Any:
    lowering.stop_unless(np.logical_not(lowering.view(condition)), -1)
    return condition


def _diff(lowering: Lowering, a: Any, *, n: int = 1, axis: int = -1) -> Any:
    minus = np.not_equal if a.dtype == BOOL else np.subtract
    for _ in range(n):
        a = minus(_cut(a, axis, slice(1, None)), _cut(a, axis, slice(-1)))
    return a


def _cut(a: View, axis: int, part: slice) -> View:
    """Part of the entries along an axis."""
    return a.move(lambda v: np.moveaxis(np.moveaxis(v, axis, 0)[part], 0, axis))


def _roll(lowering: Lowering, a: Any, *, shift: Any, axis: Any = None) -> Any:
    shape = a.shape
    if axis is None:
        a, axis = a.move(lambda v: v.reshape(-1)), 0
    for step, k in np.nditer([shift, axis]) if a.size else ():
        cut = -int(step) % a.shape[int(k)]
        a = lowering.joined([_cut(a, int(k), slice(cut, None)), _cut(a, int(k), slice(cut))], int(k), new=False)
    return a.move(lambda v: v.reshape(shape))


def _place(op: str) -> Callable[..., Any]:
    def place(lowering: Lowering, a: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        """Where the extremum stands first: the least number of an entry that attains it."""
        axes = axes_of(axis, a.ndim)
        if not a.size:
            raise UnsupportedError
        a = lowering.cast(a, INTEGER) if a.dtype == BOOL else a
        space = tuple(n if k in axes else 1 for k, n in enumerate(a.shape))
        numbers = lowering.view(lowering.operand(np.arange(prod(space)).reshape(space)))
        met = _attains(lowering, a, lowering.reduce(op, a, axis, True))
        return lowering.reduce("minimum", lowering.choose(met, numbers, prod(space)), axis, keepdims)

    return place


def _round(lowering: Lowering, a: Any, *, decimals: int = 0) -> Any:
    if decimals or a.dtype.kind != "f":
        raise UnsupportedError
    return np.rint(a)


def _isclose(lowering: Lowering, a: Any, b: Any, *, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: Any = False) -> Any:
    near = np.isfinite(b) & (np.absolute(a - b) <= atol + rtol * np.absolute(b)) | np.equal(a, b)
    return near | (np.isnan(a) & np.isnan(b)) if equal_nan else near


def _known(op: str) -> Callable[..., Any]:
    """The extremum of what is no NaN; NaN where there is nothing else."""

    def extremum(lowering: Lowering, a: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        if a.dtype.kind != "f" or not a.size:
            raise UnsupportedError
        lost = np.isnan(a)
        y = lowering.reduce(op, np.where(lost, identity(op, a.dtype), a), axis, keepdims)
        return lowering.choose(lowering.reduce("logical_and", lost, axis, keepdims), np.nan, y)

    return extremum


def _logsumexp(lowering: Lowering, a: Any, *, axis: Any = 0, keepdims: bool = False) -> Any:
    """As the word's own body."""
    top: Any = lowering.reduce("maximum", a, axis, True)
    highest = np.equal(a, top)
    number: Any = np.maximum(lowering.reduce("add", np.where(highest, a.dtype.type(1), 0), axis, True), 1)
    others = np.where(highest, -np.inf, a) - np.where(np.equal(top, -np.inf), 0, top)
    rest: Any = lowering.reduce("add", np.exp(others), axis, True)
    y: Any = top + (np.log(number) + np.log1p(rest / number))
    return y if keepdims else y.move(lambda v: np.squeeze(v, axes_of(axis, v.ndim)))


def _from_diagonal(lowering: Lowering, y: View, *, shape: Shape, **settings: Any) -> View:
    return lowering.write(lowering.full(0, shape, y.dtype), y, ((np.diagonal, settings),))


def _two_norm(lowering: Lowering, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sqrt(lowering.reduce("add", x * x, axis, keepdims))


WORDS: dict[Any, Callable[..., Any]] = {
    word: _own_body(word)
    for word in (
        *(words.ratio, ufuncs.gap, ufuncs.sech2, ufuncs.darcsin, ufuncs.darctan, ufuncs.darcsinh),
        *(ufuncs.darccosh, ufuncs.darctanh, ufuncs.darctan2, ufuncs.cosine),
    )
} | {
    choose: Lowering.choose,
    concat: lambda lowering, *xs, axis=0: lowering.joined(xs, axis, new=False),
    pile: lambda lowering, *xs, axis=0: lowering.joined(xs, axis, new=True),
    words.raise_if: _refuse,
    np.diff: _diff,
    np.roll: _roll,
    np.round: _round,
    np.around: _round,
    np.isclose: _isclose,
    np.nanmax: _known("maximum"),
    np.nanmin: _known("minimum"),
    reductions.logsumexp: _logsumexp,
    from_diagonal: _from_diagonal,
    np.argmax: _place("maximum"),
    np.argmin: _place("minimum"),
    statistics.root: lambda lowering, v: np.sqrt(v),
    norms.two_norm: _two_norm,
    ufuncs.sigmoid: lambda lowering, x: lowering.map("sigmoid", x.dtype, x),
    astype: lambda lowering, x, *, dtype: lowering.cast(x, np.dtype(dtype)),
    np.copy: lambda lowering, a, **settings: a,
    np.conjugate: lambda lowering, x: x,
    np.real: lambda lowering, x: x,
    np.imag: lambda lowering, x: lowering.full(0, x.shape, x.dtype),
    words.stop_gradient: lambda lowering, x: x,
    words.settled: lambda lowering, x, **names: x,
    reductions.attains: _attains,
    ufuncs.share: _share,
}

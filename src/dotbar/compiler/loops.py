"""A Program -> one native function of fused loops.

In: a Program all of whose equations are :func:`supported`.  Out: :class:`Native`, the IR text of
``i32 @program(ptr inputs, ptr outputs, ptr arena)`` with what it needs at run time.

Nodes over the same indices, at the same *stage*, are one loop nest: a node's stage is the number of loop nests that
must be complete before it.  Nests are written for what they store, reduce and write; what else they need is computed in
registers, and once more in a later nest where that is cheaper than memory.  Single numbers are registers throughout.
The innermost axis runs over vectors; its rest is one vector with the lanes beyond the end masked.  A sum over it has
several partial sums per lane, so it is rounded in another order than NumPy's, no less exactly.
"""

from collections.abc import Container
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from dotbar.compiler import bands, engine, parts, threads, vectors
from dotbar.compiler.alike import Nests
from dotbar.compiler.headers import with_headers
from dotbar.compiler.kernels import TYPES, Code, Loop, identity, literal, memory_type, suffix, vector
from dotbar.compiler.lowering import (
    CHEAP,
    COSTS,
    Call,
    Node,
    Value,
    View,
    in_register,
    lower,
    reads_entries,
    row,
    space_of,
    supported,
)
from dotbar.compiler.memory import ALIGNMENT, Arena, rounded
from dotbar.compiler.pairs import Pair, joined
from dotbar.compiler.parts import Parts
from dotbar.compiler.shapes import Shape, contiguous, merged, squeezed
from dotbar.compiler.shares import divide
from dotbar.program import Program

__all__ = ["Native", "native", "supported"]

COMPUTED = {"map", "reduce", "write", "call"}
"""Values that are neither inputs nor constants."""

ACCUMULATORS = 4
"""Partial results of a reduction, whose operations wait for each other."""

SHORT = 8
"""The operations of a loop body that is worth unrolling."""

HELD = 16
"""Vectors of partial results that stay in registers."""


@dataclass
class Native:
    """A function ``i32 @name(ptr inputs, ptr outputs, ptr arena)``.

    ``definitions`` are its text and those of the functions it calls, by name; ``symbols`` the addresses of what is only
    declared there; ``constants`` follow the inputs; ``arena`` is the size of the scratch block.
    """

    definitions: dict[str, str]
    symbols: dict[str, int]
    constants: list[np.ndarray[Any, Any]]
    arena: int

    @property
    def text(self) -> str:
        """A whole module."""
        return "\n".join([*self.definitions.values(), f"attributes #0 = {{ {engine.attributes()} }}", ""])


def native(program: Program, name: str = "program", linkage: str = "") -> Native:
    """The native function of a Program; ``linkage``: ``internal`` for one that others of the module call."""
    writer = Writer(program)
    writer.plan()
    head, code = f"{linkage} i32 @{name}".strip(), writer.code
    text = writer.write(f"internal i32 @{name}.work" if writer.lowering.headers else head)
    if writer.lowering.headers:
        code.definitions[f"{name}.work"] = text
        text = with_headers(code, head, name, ("%inputs", "%outputs", "%arena"), writer.lowering.headers)
    for call in sorted(code.calls):
        code.definitions.update((line, line) for line in sorted(vectors.requires(*call)))
        code.definitions["dotbar.{}.{}x{}".format(*call)] = vectors.source(*call, fma=engine.machine().fma)
    code.definitions[name] = text
    return Native(code.definitions, code.symbols, writer.lowering.constants, writer.arena.size)


@dataclass(eq=False)
class Group:
    """The nodes of one loop nest: ``roots`` leave results, ``inner`` are all of them, ``leaves`` what is loaded.

    ``run`` are the nests with which this one goes by bands, up to the one at ``last``.
    """

    space: Shape
    roots: list[Node] = field(default_factory=list[Node])
    inner: list[Node] = field(default_factory=list[Node])
    leaves: dict[Any, View] = field(default_factory=dict[Any, View])
    position: int = 0
    last: int = 0
    scratch: int = 0
    run: list[Any] = field(default_factory=list[Any])

    @property
    def calls(self) -> bool:
        return any(isinstance(node, Call) for node in self.roots)


def leaf_key(x: View, shape: Shape) -> Any:
    return x.base.number, x.offset, row(x, shape)


class Writer:
    """Plans and writes the function of one Program."""

    def __init__(self, program: Program):
        self.lowering = lower(program)
        self.outputs = self._outputs(program)
        self.made: dict[int, Node] = {}
        self.order: dict[Node, int] = {}
        self.groups: list[Group] = []
        self.arena = Arena()
        self.code = Code()
        self.registers: dict[int, str]
        self.fresh: set[int] = set()
        self.given: dict[Any, str] = {}
        self.name = ""

    def _outputs(self, program: Program) -> list[Value]:
        """A value of its own for each output."""
        lowering = self.lowering
        outputs: list[Value] = []
        for x in program.outputs:
            view = lowering.operand(x)
            view = joined(view) if isinstance(view, Pair) else view
            whole = isinstance(view, View) and view.whole and view.base.kind in COMPUTED
            if not whole or view.base in outputs:
                view = lowering.map("copy", view.dtype if isinstance(view, View) else np.asarray(view).dtype, view)
            outputs.append(view.base)
        return outputs

    # ------------------------------------------------ planning

    def plan(self) -> None:
        """Which nodes are one nest, what is stored, and where."""
        nodes = self.lowering.needed(self.outputs)
        self.order = {node: k for k, node in enumerate(nodes)}
        for node in nodes:
            self.made.update((value.number, node) for value in node.values)
        for value in self.outputs:
            value.stored = True
        self._stages(nodes)
        groups: dict[Any, Group] = {}
        for node in nodes:
            value, space = node.value, space_of(node.space)
            single = not space
            if node.kind == "map" and not (single or value.stored):
                continue
            part = self.order[node] // parts.LENGTH if single else 0
            key: Any = (value.stage, 2 if node.kind == "write" else 0 if single else 1, space, part)
            if isinstance(node, Call):
                key = (value.stage, 3, value.number)
            groups.setdefault(key, Group(space)).roots.append(node)
        self.groups = [groups[key] for key in sorted(groups, key=lambda key: key[:2])]
        positions: dict[int, int] = {}
        for position, group in enumerate(self.groups):
            group.position = group.last = position
            positions.update((value.number, position) for node in group.roots for value in node.values)
        for group in self.groups:
            self._collect(group, positions)
        if threads.get_num_threads() == 1:
            self._bands()
        self._places()

    def _bands(self) -> None:
        """Which nests go by bands of rows, all together; for the places of values a run is one moment."""
        large = sum(prod(group.space) * 8 for group in self.groups) >= bands.LARGE
        if not large:
            return
        nests = [None if group.calls else Nest(self, group) for group in self.groups]
        self.groups, runs = bands.runs(self.groups, nests)
        for position, group in enumerate(self.groups):
            group.position = group.last = position
        for run in runs:
            for nest in run:
                nest.group.run = run
                nest.group.last = run[-1].group.position
            self._passing(run)

    def _passing(self, run: list[Any]) -> None:
        """Of what is read in its own run only, there is a band at a time."""
        others = [group for group in self.groups if group.run is not run]
        kept = {number for group in others for number, *_ in group.leaves} | {value.number for value in self.outputs}
        for group in others:
            kept.update(x.base.number for node in group.roots for _, x in node.starts if isinstance(x, View))
        for nest in run:
            for node, item in (*nest.stores, *nest.sums):
                if node.value.number not in kept and not nest.filled(node, item):
                    node.value.band = node.value.size // nest.group.space[0] * bands.rows(run)

    def _stages(self, nodes: list[Node]) -> None:
        """How many nests come before each value, and which values are stored."""
        for node in nodes:
            reads = [(x.base, self._at_hand(x, node)) for x in node.reads if isinstance(x, View)]
            single = {base for base, _ in reads if base.kind == "map" and base.size == 1}
            later = ((base.stage + (not near and base not in single)) for base, near in reads)  # an input's is -1
            stage, costs = max(later, default=0), dict[Value, int]()
            for base, near in reads:
                far = not near or (base.stage < stage and base.cost > CHEAP)
                base.stored = base.stored or (far and base.kind == "map" and base not in single)
                costs[base] = 0 if base in single else 1 if base.stored else base.cost
            for value in node.values:
                value.stage = max(stage, 0)
                value.cost = 1 if value.flat else COSTS.get(node.op, 1) + sum(costs.values())
        latest: dict[Value, int] = {}
        end = max((node.value.stage for node in nodes), default=0) + 1
        for node in reversed(nodes):  # single numbers are computed as late as they can be
            value = node.value
            if node.kind == "map" and not space_of(node.space):
                value.stage = latest.get(value, end)
            for x in node.reads:
                if isinstance(x, View):
                    latest[x.base] = min(value.stage, latest.get(x.base, value.stage))

    def _at_hand(self, x: View, node: Node) -> bool:
        """Whether an operand can be computed in the nest of a node."""
        return (
            x.base.kind == "map"
            and node.kind != "call"
            and reads_entries(x, space_of(node.space))
            and x is not node.source
            and not any(x is start for _, start in node.starts)
        )

    def _in_nest(self, x: Any, group: Group, positions: dict[int, int]) -> bool:
        """Whether an operand is computed in the nest."""
        base = x.base
        if base.kind != "map" or base.size == 1 or not reads_entries(x, group.space):
            return False
        return not base.stored or positions[base.number] >= group.position

    def _collect(self, group: Group, positions: dict[int, int]) -> None:
        """What a nest computes and loads."""
        todo, found = list(group.roots), set(group.roots)
        while todo:
            node = todo.pop()
            if node.source is not None:
                group.leaves[*leaf_key(node.source, node.space), node.value.number] = node.source
            for k, x in enumerate(node.operands):
                if not isinstance(x, View) or in_register(x.base):
                    continue
                if isinstance(node, Call):
                    group.leaves[x.base.number, k] = x
                elif self._in_nest(x, group, positions):
                    source = self.made[x.base.number]
                    if source not in found:
                        found.add(source)
                        todo.append(source)
                else:
                    group.leaves.setdefault(leaf_key(x, node.space), x)
        group.inner = sorted(found, key=self.order.__getitem__)

    def _places(self) -> None:
        """Where each stored value lies: an output, the block of a value that it replaces, or the arena."""
        uses: dict[int, list[tuple[int, Any]]] = {}
        for group in self.groups:
            for number, *where in group.leaves:
                uses.setdefault(number, []).append((group.position, where))
            for node in group.roots:
                for value, start in node.starts:
                    if isinstance(start, View):
                        uses.setdefault(start.base.number, []).append((group.position, value))
        for k, value in enumerate(self.lowering.inputs):
            value.place = ("inputs", k)
        for k, value in enumerate(self.outputs):
            value.place = ("outputs", k)
        heads: dict[int, Value] = {}
        last: dict[Value, int] = {}
        stored = [
            (group.position, value)
            for group in self.groups
            for node in group.roots
            for value in node.values
            if node.kind != "guard" and not in_register(value)
        ]
        for position, value in stored:
            head = value
            start = self._replaced(value, position, uses)
            if start is not None:
                head = heads[start.number]
                head.place = head.place or value.place
            else:
                self.fresh.add(value.number)
            heads[value.number] = head
            end = max((p for p, _ in uses.get(value.number, ())), default=position)
            last[head] = max(last.get(head, 0), end, position)
        events: dict[int, list[Value]] = {}
        for head, end in last.items():
            events.setdefault(self.groups[end].last, []).append(head)
        for group in self.groups:
            for node in group.roots:
                for value in node.values:
                    if heads.get(value.number) is value and value.place is None:
                        value.place = ("arena", self.arena.take((value.band or value.size) * value.dtype.itemsize))
                if isinstance(node, Call):
                    group.scratch = self.arena.take(self._scratch(node))
                    self.arena.give(group.scratch, self._scratch(node))
            for head in events.get(group.position, ()):
                if head.place[0] == "arena":
                    self.arena.give(head.place[1], (head.band or head.size) * head.dtype.itemsize)
        for _, value in stored:
            value.place = heads[value.number].place

    def _replaced(self, value: Value, position: int, uses: dict[int, list[tuple[int, Any]]]) -> Value | None:
        """The value that another begins as, if that can be made in its block: nothing else reads it any more."""
        node = self.made[value.number]
        x = next((start for v, start in node.starts if v is value), None)
        if not isinstance(x, View) or not x.whole or x.base.kind not in COMPUTED or in_register(x.base):
            return None
        target = None if node.moves else node.target
        here = None if target is None else [target.offset, row(target, node.space)]
        others = [(p, where) for p, where in uses[x.base.number] if where is not value]
        free = all(p < position or (p == position and where == here) for p, where in others)
        return x.base if free and x.base.place is None else None

    def _scratch(self, call: Call) -> int:
        """The scratch block of a call: its own, and after it the numbers that it reads from memory."""
        return rounded(call.scratch) + ALIGNMENT * len(call.operands)

    # ------------------------------------------------ writing

    def write(self, head: str) -> str:
        """The text of the function, which ``head`` names."""
        self.name = head.rpartition("@")[2]
        alike = Nests(self.groups if threads.get_num_threads() == 1 else [])
        functions = Parts(self)
        for group in self.groups:
            functions.cut()
            for node in group.roots:
                for value, start in node.starts:
                    if value.number in self.fresh:
                        self._fill(value, start)
            if isinstance(node := group.roots[0], Call):
                self._call(node, group.scratch)
            elif group.run:
                if group is group.run[0].group:
                    bands.write(group.run)
            elif not alike.call(self, group):
                self.nest(group)
        for value in self.outputs:
            if in_register(value):
                self._put(value, self.pointer(value, 0))
        return functions.text(head)

    def _call(self, call: Call, scratch: int) -> None:
        """A call, and its status."""
        code, operands = self.code, list[str]()
        for k, x in enumerate(call.operands):
            if in_register(x.base):
                operands.append(self._arena(scratch + rounded(call.scratch) + k * ALIGNMENT))
                self._put(x.base, operands[-1])
            else:
                operands.append(self.pointer(x.base, x.offset))
        results = [self.pointer(value, 0) for value in call.results]
        status = call.emit(code, operands, results, self._arena(scratch))
        if status is not None:
            good, bad = code.place(), code.place()
            code.put(f"br i1 {code(f'icmp eq i32 {status}, 0')}, label %{good}, label %{bad}")
            code.label(bad)
            code.put("ret i32 -1")
            code.label(good)

    def _put(self, value: Value, pointer: str) -> None:
        """Store a single number."""
        name = self.registers[value.number]
        if value.dtype.kind == "b":
            name = self.code(f"zext i1 {name} to i8")
        self.code.put(f"store {memory_type(value.dtype)} {name}, ptr {pointer}")

    def _arena(self, offset: int) -> str:
        return self.code(f"getelementptr i8, ptr %arena, i64 {offset}") if offset else "%arena"

    def nest(self, group: Group) -> None:
        """A nest, in shares if threads are to do it."""
        nest = Nest(self, group)
        if not divide(nest):
            nest.write()

    def arrays(self, used: Container[str] | None = None) -> list[str]:
        """Lines that load where inputs, constants and outputs lie: those that are used, or all."""
        inputs = len(self.lowering.inputs) + len(self.lowering.constants)
        tables = [("inputs", k) for k in range(inputs)] + [("outputs", k) for k in range(len(self.outputs))]
        slots = [(f"%{table}{k}", f"getelementptr ptr, ptr %{table}, i64 {k}") for table, k in tables]
        return [
            f"  {name}.slot = {slot}\n  {name} = load ptr, ptr {name}.slot"
            for name, slot in slots
            if used is None or name in used
        ]

    def pointer(self, value: Value, offset: int) -> str:
        """Where an entry of a value lies: in a block that a function is given, or in one that the program knows."""
        kind, place = value.place if type(value.place) is tuple else ("inputs", len(self.lowering.inputs) + value.place)
        base = self.given.get(value.place, f"%{kind}{place}")
        if kind == "arena" and not self.given:
            return self._arena(place + offset * value.dtype.itemsize)
        return self.code(f"getelementptr {memory_type(value.dtype)}, ptr {base}, i64 {offset}") if offset else base

    def _fill(self, value: Value, x: Any) -> None:
        """Set all entries of a value."""
        target = self.lowering.all_of(value)
        node = Node("write", "copy", (x,), value, target.shape, value.dtype, target=target)
        group = Group(space_of(target.shape), [node], [node])
        if isinstance(x, View) and not in_register(x.base):
            group.leaves[leaf_key(x, node.space)] = x
        Nest(self, group).write()


class Item:
    """A value in a nest: a load, a register or an operation, and how deep in the nest it is computed.

    The partial results of a reduction are carried by the loops from its ``level`` on.
    """

    __slots__ = ("depth", "dtype", "level", "node", "number", "pointer", "row", "view", "wide")

    def __init__(self, dtype: np.dtype[Any], depth: int = 0, node: Node | None = None, view: View | None = None):
        self.dtype = dtype
        self.depth = self.level = depth
        self.node = node
        self.view = view
        self.row: Shape = ()
        self.pointer = ""
        self.wide = False


def follows(x: Item, y: Item) -> bool:
    """Whether an operand lies one place behind another throughout."""
    here, there = x.view, y.view
    return here.base is there.base and x.row == y.row and here.offset == there.offset + 1  # type: ignore[union-attr]


class Nest:
    """Writes one loop nest, or a part of it: ``count`` indices from ``start`` on along one axis."""

    def __init__(self, writer: Writer, group: Group, axis: int = 0, start: str = "", count: int = 0):
        self.writer = writer
        self.axis, self.start = axis, start
        self.code = writer.code
        self.group = group
        self.reads = {key: Item(x.dtype, view=x) for key, x in group.leaves.items()}
        self.tables = {key[3]: item for key, item in self.reads.items() if len(key) > 3}
        self.loads = [item for key, item in self.reads.items() if len(key) == 3]
        self.stores: list[tuple[Node, Item]] = []
        self.sums: list[tuple[Node, Item]] = []
        self.targets: list[Item] = []
        rows = [key[2] for key in group.leaves]
        for node in group.roots:
            value = node.value
            if node.kind == "guard" or (in_register(value) and node.kind != "reduce"):
                continue
            view = writer.lowering.all_of(value) if node.target is None else node.target
            item = Item(value.dtype, view=view)
            self.targets.append(item)
            if node.kind == "reduce":
                rows.append(self._row_of_result(node))
                self.sums.append((node, item))
            else:
                rows.append(row(view, node.space))
                self.stores.append((node, item))
        self.shape, rows = merged(group.space, rows)
        if start:
            self.shape = (*self.shape[:axis], count, *self.shape[axis + 1 :])
        self.rank = len(self.shape)
        for item, steps in zip([*self.reads.values(), *self.targets], rows, strict=True):
            item.row = steps
            item.depth = item.level = max((k + 1 for k, step in enumerate(steps) if step), default=0)
        self.lanes = self._lanes()
        self.blocks = self._blocks()
        self.held = self._held()
        self.items: dict[Any, Item] = dict(self.reads)
        self.names: dict[Item, str] = {}
        self.splats: dict[Item, str] = {}
        self.totals: dict[tuple[Node, int], str] = {}
        self.vector = ("0", 0, 1)

    def _row_of_result(self, node: Node) -> Shape:
        """The strides of a reduction's result along the axes of the nest, 0 along those it is reduced over."""
        kept = [n for k, n in enumerate(node.space) if k not in node.reduced]
        steps = iter(contiguous(kept))
        return squeezed(node.space, [0 if k in node.reduced else next(steps) for k in range(len(node.space))])[1]

    def _blocks(self) -> list[list[Item]]:
        """Loads of neighbours, where entries along the innermost axis lie apart; at most as many as there are lanes."""
        apart = [x for x in self.loads if x.depth == self.rank > 0 and x.row[-1] not in (0, 1) and x.dtype.kind != "b"]
        blocks: list[list[Item]] = []
        for item in sorted(apart, key=lambda x: (x.view.base.number, x.row, x.view.offset)):  # type: ignore[union-attr]
            if blocks and len(blocks[-1]) < self.lanes and follows(item, blocks[-1][-1]):
                blocks[-1].append(item)
            else:
                blocks.append([item])
        return [block for block in blocks if len(block) > 1]

    def _lanes(self) -> int:
        if not self.rank:
            return 1
        dtypes = {item.dtype for item in (*self.reads.values(), *self.targets)} | {
            node.dtype for node in self.group.inner
        }
        size = max((dtype.itemsize for dtype in dtypes if dtype.kind != "b"), default=8)
        return max(engine.machine().width // size, 2)

    def _held(self) -> int:
        """How many vectors a row has, if it is short and is summed along the axis around it: then it is unrolled.

        The partial sums stay in registers.
        """
        rows = [item for _, item in self.sums if item.depth == self.rank > 1 and not item.row[-2]]
        vectors = -(-self.shape[-1] // self.lanes) if rows else 0
        if not 0 < vectors * len(rows) <= HELD or vectors * len(self.group.inner) > 8 * SHORT:
            return 0
        for item in rows:
            item.level = self.rank - 2
        return vectors

    # ------------------------------------------------ shares

    def part(self, axis: int, start: str, count: int) -> "Nest":
        """The nest of ``count`` indices along an axis."""
        return Nest(self.writer, self.group, axis, start, count)

    @property
    def operations(self) -> int:
        """What one entry costs."""
        return sum(COSTS.get(node.op, 1) for node in self.group.inner) + len(self.reads)

    def grain(self, axis: int) -> int:
        """How many indices are done at once."""
        return 1 if axis < self.rank - 1 else self.lanes * ACCUMULATORS

    def items_in_memory(self) -> list[Item]:
        """What is loaded and stored."""
        return [item for item in (*self.reads.values(), *self.targets) if not in_register(item.view.base)]  # type: ignore[union-attr]

    def single_sums(self) -> list[Node]:
        """The reductions to single numbers."""
        return [node for node, _ in self.sums if in_register(node.value)]

    @property
    def unordered(self) -> bool:
        """Whether its indices may be done in any order."""
        others = (node.kind == "guard" or (in_register(node.value) and node.kind == "map") for node in self.group.inner)
        return not (0 in self.shape or any(node.moves for node, _ in self.stores) or any(others))

    def divisible(self) -> list[int]:
        """The axes along which parts leave different results, and may be done in any order."""
        results = [item for node, item in [*self.stores, *self.sums] if not in_register(node.value)]
        return [axis for axis in range(self.rank) if self.unordered and all(item.row[axis] for item in results)]

    # ------------------------------------------------ structure

    def write(self) -> None:
        """The nest."""
        self.begin_sums()
        self.write_loops()

    def begin_sums(self) -> None:
        """Set the sums that are taken up in memory to zero."""
        for node, item in self.sums:
            if self.filled(node, item):
                self.writer._fill(node.value, identity(node.op, node.dtype))

    def filled(self, node: Node, item: Item) -> bool:
        """Whether a result is a sum that is taken up in memory."""
        taken = 0 in self.shape or not all(item.row[: item.level]) or (self.group.run and not item.row[0])
        return node.kind == "reduce" and not in_register(node.value) and taken

    def write_loops(self) -> None:
        for item in [*self.reads.values(), *self.targets]:
            if not in_register(item.view.base):  # type: ignore[union-attr]
                item.pointer = self.writer.pointer(item.view.base, item.view.offset)  # type: ignore[union-attr]
                if self.start and item.row[self.axis] and not item.view.base.band:  # type: ignore[union-attr]
                    step = self.code(f"mul i64 {self.start}, {item.row[self.axis]}")
                    item.pointer = self.code(f"getelementptr {memory_type(item.dtype)}, ptr {item.pointer}, i64 {step}")
        self._depths()
        self._at(0)
        if 0 in self.shape:
            self._begin(0)
            self._end(0)
        elif self.rank:
            self._loop(0)

    def _depths(self) -> None:
        """How deep each operation is, and which results the innermost loop needs in all lanes."""
        roots = set(self.group.roots)
        for node in self.group.inner:
            found = [self._item(x, node) for x in node.operands] if self.rank else []
            depth = max((item.depth for item in found if item), default=0)
            if node.source is not None:
                depth = max(depth, self.tables[node.value.number].depth)
            if node.kind == "map":
                self.items[node.value.number] = Item(node.value.dtype, depth, node)
            if node.kind != "map" or (node in roots and not in_register(node.value)):
                depth = self.rank
                if node.kind == "map":
                    self._widen(self.items[node.value.number])
            if depth == self.rank:
                for item in found:
                    if item:
                        self._widen(item)

    def _widen(self, item: Item) -> None:
        item.wide = item.depth < self.rank

    def _item(self, x: Any, node: Node) -> Item | None:
        """The item of an operand; None for a number."""
        if not isinstance(x, View):
            return None
        number = x.base.number
        if in_register(x.base):
            if number in self.items:
                return self.items[number]
            item = self.items[number] = Item(x.dtype)
            self.names[item] = self.writer.registers[number]
            return item
        item = self.items.get(number) if reads_entries(x, self.group.space) else None
        return item or self.items[leaf_key(x, node.space)]

    def _at(self, depth: int) -> None:
        """What is computed at a depth above the innermost, or in a nest without loops."""
        for item in self.loads:
            if item.depth == depth < max(self.rank, 1):
                self.names[item] = self._fetch(item, 1)
        guards = [node for node in self.group.inner if node.kind == "guard"]
        for item in [*self.items.values()]:
            if item.node is not None and item.depth == depth < max(self.rank, 1):
                self.names[item] = name = self._compute(item.node, 1, self.names)
                if in_register(item.node.value):
                    self.writer.registers[item.node.value.number] = name
        if not self.rank:
            for node in guards:
                self._guard(node)
            self._writes()
            return
        for item in [*self.items.values()]:
            if item.wide and item not in self.splats and item in self.names:
                self.splats[item] = self.code.splat(self.names[item], item.dtype, self.lanes)

    def _guard(self, node: Node) -> None:
        code, good, bad = self.code, self.code.place(), self.code.place()
        (x,) = node.operands
        name = self._operand(x, node, 1, self.names)
        code.put(f"br i1 {name}, label %{good}, label %{bad}")
        code.label(bad)
        code.put(f"ret i32 {node.op}")
        code.label(good)

    def _loop(self, k: int) -> None:
        """The loops from axis k on."""
        self._begin(k)
        if k == self.rank - 1:
            self._innermost()
        else:
            live = self._live(k)
            loop = self._open(0, self.shape[k], 1, live)
            moved = []
            for item in [*self.reads.values(), *self.targets]:
                if item.pointer and item.row[k]:
                    moved.append((item, item.pointer))
                    step = self.code(f"mul i64 {loop.index}, {item.row[k]}") if item.row[k] != 1 else loop.index
                    item.pointer = self.code(f"getelementptr {memory_type(item.dtype)}, ptr {item.pointer}, i64 {step}")
            self._at(k + 1)
            self._loop(k + 1)
            for item in self.splats.keys() & {item for item in self.items.values() if item.depth == k + 1}:
                del self.splats[item]
            for item, pointer in moved:
                item.pointer = pointer
            self._close(loop, live)
        self._end(k)

    def _live(self, k: int) -> list[tuple[Node, int]]:
        """The partial results that a loop over axis k carries."""
        return [(node, u) for node, item in self.sums if item.level <= k for u in range(self.unrolled)]

    def _open(self, start: int, stop: int, step: int, live: list[tuple[Node, int]]) -> Loop:
        types = [vector(TYPES[node.dtype], self.lanes) for node, _ in live]
        loop = Loop(self.code, start, stop, step, list(zip(types, (self.totals[key] for key in live))))
        self.totals.update(zip(live, loop.carried))
        return loop

    def _close(self, loop: Loop, live: list[tuple[Node, int]]) -> None:
        loop.close([self.totals[key] for key in live])

    @property
    def unrolled(self) -> int:
        n = self.shape[-1] // self.lanes
        inner = sum(COSTS.get(node.op, 1) for node in self.group.inner)
        carried = any(item.depth < self.rank for _, item in self.sums)
        return self.held or (ACCUMULATORS if carried and inner <= SHORT and n >= 8 else 1)

    def _begin(self, depth: int) -> None:
        for node, item in self.sums:
            if item.level == depth:
                for u in range(self.unrolled):
                    self.totals[node, u] = literal(identity(node.op, node.dtype), node.dtype, self.lanes)

    def _end(self, depth: int) -> None:
        """Finish the reductions over the axes from ``depth`` on."""
        for node, item in self.sums:
            if item.level != depth or depth == self.rank:
                continue
            code, dtype = self.code, node.dtype
            parts = [self.totals[node, u] for u in range(self.unrolled)]
            if item.depth == self.rank:
                for u, total in enumerate(parts):
                    self.vector = "0", u * self.lanes, min(self.shape[-1] - u * self.lanes, self.lanes)
                    self._finish(node, item, total, self.lanes)
                continue
            while len(parts) > 1:
                rest = parts[2 * (len(parts) // 2) :]
                parts = [code.operation(node.op, dtype, self.lanes, a, b) for a, b in zip(parts[::2], parts[1::2])]
                parts += rest
            total = code.across(node.op, parts[0], dtype, self.lanes)
            if in_register(node.value):
                self.writer.registers[node.value.number] = total
            else:
                self._finish(node, item, total, 1)

    def _finish(self, node: Node, item: Item, total: str, lanes: int) -> None:
        """Store results of a reduction, or take them into what its outer axes gave so far."""
        if not all(item.row[: item.level]) or (self.start and not item.row[self.axis]):
            total = self.code.operation(node.op, node.dtype, lanes, self._fetch(item, lanes), total)
        self._store(item, total, lanes, *self._address(item, lanes))

    def _innermost(self) -> None:
        n, lanes = self.shape[-1], self.lanes
        unrolled, full = self.unrolled, n // lanes
        if self.held:
            for u in range(self.held):
                self._body("0", u * lanes, min(n - u * lanes, lanes), u)
            return
        start = 0
        for width in dict.fromkeys((unrolled, 1)):
            blocks = (full * lanes - start) // (lanes * width)
            if blocks > 1:
                stop = start + blocks * lanes * width
                live = self._live(self.rank - 1)
                loop = self._open(start, stop, lanes * width, live)
                for u in range(width):
                    self._body(loop.index, u * lanes, lanes, u)
                self._close(loop, live)
                start = stop
            elif blocks:
                for u in range(width):
                    self._body("0", start + u * lanes, lanes, u)
                start += lanes * width
        if n % lanes:
            self._body("0", start, n % lanes, 0)

    def _body(self, index: str, offset: int, count: int, u: int) -> None:
        """One vector of the innermost axis, of which the first ``count`` lanes are there."""
        names: dict[Item, str] = {}
        lanes = self.lanes
        self.vector = index, offset, count
        for block in self.blocks:
            names.update(zip(block, self._turned(block)))
        for item in self.loads:
            if item.depth == self.rank and item not in names:
                names[item] = self._fetch(item, lanes)
        for item in self.items.values():
            if item.node is not None and item.depth == self.rank:
                names[item] = self._compute(item.node, lanes, names)
        for node, item in self.stores:
            name = self._result(node, names)
            self._set(node, item, name, lanes, names)
        for node, item in self.sums:
            (x,) = node.operands
            name = self._operand(x, node, lanes, names)
            if item.level == self.rank:
                self._set(node, item, name, lanes, names)
                continue
            if count < lanes and item.depth < self.rank:
                neutral = literal(identity(node.op, node.dtype), node.dtype, lanes)
                name = self.code.select(node.dtype, lanes, mask(count, lanes), name, neutral)
            self.totals[node, u] = self.code.operation(node.op, node.dtype, lanes, self.totals[node, u], name)

    def _result(self, node: Node, names: dict[Item, str]) -> str:
        """What a root stores."""
        if node.kind == "write":
            return self._operand(node.operands[0], node, self.lanes, names)
        item = self.items[node.value.number]
        return self.splats[item] if item.depth < self.rank else names[item]

    def _writes(self) -> None:
        """The writes of single entries."""
        for node, item in self.stores:
            name = self._operand(node.operands[0], node, 1, self.names)
            self._set(node, item, name, 1, self.names)

    # ------------------------------------------------ entries

    def _compute(self, node: Node, lanes: int, names: dict[Item, str]) -> str:
        if node.op == "select":
            condition, x, y = node.operands
            c = self._operand(condition, node, lanes, names, np.dtype(bool))
            a, b = (self._operand(v, node, lanes, names) for v in (x, y))
            return self.code.select(node.dtype, lanes, c, a, b)
        if node.op == "take":
            return self._fetch(self.tables[node.value.number], lanes, *self._number(node, names))
        xs = [self._operand(x, node, lanes, names) for x in node.operands]
        if node.op == "cast":
            return self.code.cast(xs[0], node.dtype, node.value.dtype, lanes)
        return self.code.operation(node.op, node.dtype, lanes, *xs)

    def _operand(self, x: Any, node: Node, lanes: int, names: dict[Item, str], dtype: Any = None) -> str:
        item = self._item(x, node)
        if item is None:
            return literal(x, dtype or node.dtype, lanes)
        if lanes > 1 and item.depth < self.rank:
            return self.splats[item]
        return names[item] if item in names else self.names[item]

    def _number(self, node: Node, names: dict[Item, str]) -> tuple[str, bool]:
        """By how many places the entries of a take or write are moved, and whether these differ between the lanes."""
        item = self._item(node.operands[-1], node)
        assert item is not None
        return names[item] if item in names else self.names[item], 0 < self.rank == item.depth

    def _first(self, item: Item, lanes: int) -> str:
        """Where the first entry of an operand lies."""
        code, T, pointer = self.code, memory_type(item.dtype), item.pointer
        if lanes > 1 and item.row[-1]:
            index, offset, _ = self.vector
            if index != "0":
                at = code(f"mul i64 {index}, {item.row[-1]}") if item.row[-1] != 1 else index
                pointer = code(f"getelementptr {T}, ptr {pointer}, i64 {at}")
            if offset:
                pointer = code(f"getelementptr {T}, ptr {pointer}, i64 {offset * item.row[-1]}")
        return pointer

    def _turned(self, block: list[Item]) -> list[str]:
        """Vectors of operands that lie side by side: rows of memory, transposed."""
        first, lanes = block[0], self.lanes
        T, pointer = memory_type(first.dtype), self._first(first, lanes)
        places = (
            self.code(f"getelementptr {T}, ptr {pointer}, i64 {first.row[-1] * k}") for k in range(self.vector[2])
        )
        return self.code.transposed([self._read(p, first.dtype, lanes, len(block)) for p in places], first.dtype, lanes)

    def _address(self, item: Item, lanes: int, number: str = "", differs: bool = False) -> tuple[str, bool]:
        """Where the first entry of an operand lies, if the others follow it; otherwise where each does."""
        code, T = self.code, memory_type(item.dtype)
        pointer, step = self._first(item, lanes), item.row[-1] if lanes > 1 else 1
        if number and not (differs and lanes > 1):
            pointer = code(f"getelementptr {T}, ptr {pointer}, i64 {number}")
        if step == 1 and not (differs and lanes > 1):
            return pointer, False
        numbers = f"<{', '.join(f'i64 {step * k}' for k in range(lanes))}>"
        if differs:
            numbers = code(f"add <{lanes} x i64> {number}, {numbers}") if step else number
        return code(f"getelementptr {T}, ptr {pointer}, <{lanes} x i64> {numbers}"), True

    def _fetch(self, item: Item, lanes: int, *number: Any) -> str:
        """A vector of entries, wherever they lie."""
        dtype, count = item.dtype, self.vector[2] if lanes > 1 else 1
        if not item.view.size:  # type: ignore[union-attr]  (what no entry depends on is computed, if there are none, too)
            return literal(1, dtype, lanes)
        pointer, many = self._address(item, lanes, *number)
        if not many:
            return self._read(pointer, dtype, lanes, count)
        T = memory_type(dtype)
        V = vector(T, lanes)
        name = self.code(
            f"call {V} @llvm.masked.gather.{suffix(T, lanes)}.v{lanes}p0("
            f"<{lanes} x ptr> align {dtype.itemsize} {pointer}, <{lanes} x i1> {mask(count, lanes)}, "
            f"{V} {one(T, lanes)})"
        )
        return self._truth(name, dtype, lanes)

    def _set(self, node: Node, item: Item, name: str, lanes: int, names: dict[Item, str]) -> None:
        """Store a vector, wherever its entries lie, or add it to them: lane by lane where two may be the same."""
        dtype, count = item.dtype, self.vector[2] if lanes > 1 else 1
        op = "copy" if node.kind == "map" else node.op
        number = self._number(node, names) if node.moves else ("", False)
        pointer, many = self._address(item, lanes, *number)
        if many and op != "copy" and (number[1] or not item.row[-1]):
            for k in range(count):
                place = self.code(f"extractelement <{lanes} x ptr> {pointer}, i64 {k}")
                entry = self.code(f"extractelement {vector(TYPES[dtype], lanes)} {name}, i64 {k}")
                total = self.code.operation(op, dtype, 1, self._read(place, dtype, 1, 1), entry)
                self._put(total, place, dtype, 1, 1)
            return
        if op != "copy":
            old = self._fetch(item, lanes, *number)
            name = self.code.operation(op, dtype, lanes, old, name)
        self._store(item, name, lanes, pointer, many)

    def _store(self, item: Item, name: str, lanes: int, pointer: str, many: bool) -> None:
        """Store a vector at an address."""
        dtype, T, count = item.dtype, memory_type(item.dtype), self.vector[2] if lanes > 1 else 1
        if not many:
            self._put(name, pointer, dtype, lanes, count)
            return
        V = vector(T, lanes)
        if dtype.kind == "b":
            name = self.code(f"zext <{lanes} x i1> {name} to {V}")
        self.code.put(
            f"call void @llvm.masked.scatter.{suffix(T, lanes)}.v{lanes}p0({V} {name}, "
            f"<{lanes} x ptr> align {dtype.itemsize} {pointer}, <{lanes} x i1> {mask(count, lanes)})"
        )

    def _read(self, pointer: str, dtype: np.dtype[Any], lanes: int, count: int) -> str:
        """Consecutive entries; beyond ``count`` ones."""
        T = memory_type(dtype)
        V = vector(T, lanes)
        if count == lanes:
            name = self.code(f"load {V}, ptr {pointer}, align {dtype.itemsize}")
        else:
            name = self.code(
                f"call {V} @llvm.masked.load.{suffix(T, lanes)}.p0(ptr align {dtype.itemsize} {pointer}, "
                f"<{lanes} x i1> {mask(count, lanes)}, {V} {one(T, lanes)})"
            )
        return self._truth(name, dtype, lanes)

    def _truth(self, name: str, dtype: np.dtype[Any], lanes: int) -> str:
        if dtype.kind != "b":
            return name
        return self.code(f"icmp ne {vector('i8', lanes)} {name}, {'zeroinitializer' if lanes > 1 else 0}")

    def _put(self, name: str, pointer: str, dtype: np.dtype[Any], lanes: int, count: int) -> None:
        T = memory_type(dtype)
        V = vector(T, lanes)
        if dtype.kind == "b":
            name = self.code(f"zext {vector('i1', lanes)} {name} to {V}")
        if count == lanes:
            self.code.put(f"store {V} {name}, ptr {pointer}, align {dtype.itemsize}")
        else:
            self.code.put(
                f"call void @llvm.masked.store.{suffix(T, lanes)}.p0({V} {name}, ptr align {dtype.itemsize} {pointer}, "
                f"<{lanes} x i1> {mask(count, lanes)})"
            )


def mask(count: int, lanes: int) -> str:
    """The first ``count`` lanes."""
    return f"<{', '.join(f'i1 {int(k < count)}' for k in range(lanes))}>"


def one(T: str, lanes: int) -> str:
    """Ones in all lanes, harmless to any function."""
    return f"splat ({T} {'1.0' if T in ('double', 'float') else '1'})"

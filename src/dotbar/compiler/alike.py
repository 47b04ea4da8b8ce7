"""Loop nests that do the same to other blocks of memory -> calls of one function.

::

    for i < 9: b[i] = sin(a[i])                 nest(a, b)
    for i < 9: d[i] = sin(c[i])        →        nest(c, d)
    for i < 9: f[i] = sin(e[i])                 nest(e, f)

So a loop of Python, whose steps are written one after the other, is compiled in the time of a few of them.  The
function gets the blocks and the numbers in registers that the nest reads, and returns what it sums up to numbers.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from dotbar.compiler.kernels import TYPES
from dotbar.compiler.lowering import Value, View, in_register
from dotbar.compiler.rewriting import key

__all__ = ["Nests"]

FEWEST = 3
"""Nests that are worth a function."""


class Nests:
    """The nests of a Program that are like others, with their values in the order in which they are met."""

    def __init__(self, groups: Sequence[Any]):
        found: dict[Any, dict[Any, list[Value]]] = {}
        for group in groups:
            if group.space and not group.calls and not group.run:
                form, values = described(group)
                found.setdefault(form, {})[group] = values
        self.alike = {g: (form, v) for form, each in found.items() if len(each) >= FEWEST for g, v in each.items()}
        self.functions: dict[Any, str] = {}

    def call(self, writer: Any, group: Any) -> bool:
        """Write a nest as a call, if it is like others."""
        if group not in self.alike:
            return False
        form, values = self.alike[group]
        made = [node.value for node in group.roots if in_register(node.value)]
        numbers = [value for value in values if in_register(value) and value not in made]
        blocks = {place_of(value): value for value in values if place_of(value) is not None}
        if form not in self.functions:
            self.functions[form] = define(writer, group, list(blocks), numbers, made)
        passed = [f"ptr {writer.pointer(value, 0)}" for value in blocks.values()]
        passed += [f"{TYPES[value.dtype]} {writer.registers[value.number]}" for value in numbers]
        call = f"call {type_of(made)} @{self.functions[form]}({', '.join(passed)})"
        if not made:
            writer.code.put(call)
            return True
        results = writer.code(call)
        for k, value in enumerate(made):
            writer.registers[value.number] = writer.code(f"extractvalue {type_of(made)} {results}, {k}")
        return True


def described(group: Any) -> tuple[Any, list[Value]]:
    """What a nest does, but for where its values lie, and these values."""
    met: dict[Value, int] = {}
    number = lambda value: met.setdefault(value, len(met))
    operand = lambda x: (number(x.base), x.offset, x.shape, x.strides) if isinstance(x, View) else key(x)
    roots = set(group.roots)
    nodes = [
        (
            *(node.kind, node.op, node.dtype, node.space, node.reduced, node in roots, number(node.value)),
            *map(operand, (*node.operands, node.target, node.source)),
        )
        for node in group.inner
    ]
    places: dict[Any, int] = {}
    values = [(v.kind, v.shape, v.dtype, v.stored, places.setdefault(place_of(v), len(places))) for v in met]
    return (group.space, *nodes, *values), list(met)


def place_of(value: Value) -> Any:
    """Where a value lies; None if it is a number in a register, or computed and not kept."""
    return None if in_register(value) else value.place


def type_of(results: Sequence[Value]) -> str:
    """The type of what a function of a nest returns."""
    return f"{{ {', '.join(TYPES[value.dtype] for value in results)} }}" if results else "void"


def define(writer: Any, group: Any, blocks: Sequence[Any], numbers: Sequence[Value], made: Sequence[Value]) -> str:
    """Write the function of a nest, named after what it does; its name."""
    code = writer.code
    outer = code.lines, code.block, code.count, writer.registers, writer.given
    code.lines, code.block, code.count = [], "entry", 0
    writer.registers = {value.number: f"%number{k}" for k, value in enumerate(numbers)}
    writer.given = {place: f"%block{k}" for k, place in enumerate(blocks)}
    writer.nest(group)
    T, result = type_of(made), "poison"
    for k, value in enumerate(made):
        entry = f"{TYPES[value.dtype]} {writer.registers[value.number]}"
        result = code(f"insertvalue {T} {result}, {entry}, {k}")
    lines = "\n".join(["entry:", *code.lines, f"  ret {T} {result}" if made else "  ret void"])
    code.lines, code.block, code.count, writer.registers, writer.given = outer
    parameters = [f"ptr %block{k}" for k in range(len(blocks))]
    parameters += [f"{TYPES[value.dtype]} %number{k}" for k, value in enumerate(numbers)]
    text = f"({', '.join(parameters)}) #0 {{\n{lines}\n}}"
    name = f"dotbar.nest.{blake2b(text.encode(), digest_size=8).hexdigest()}"
    code.definitions[name] = f"define internal {T} @{name}{text}"
    return name

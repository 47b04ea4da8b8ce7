"""A large loop nest -> a function of one share of its indices, and what has threads call it for all shares.

    for i < 1000: nest(i)     ->     @program.share(context, chunk): for i < 125: nest(125 chunk + i)
                                     @dotbar.parallel(@program.share, context, 8)

The context has the function's arguments, room for what each share sums up to, and the numbers in registers that the
nest reads.  A ``Nest`` of loops says along which axes it can be divided, and writes any part of itself.
"""

from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import Any

from dotbar.compiler import threads
from dotbar.compiler.kernels import TYPES, Code

__all__ = ["called", "divide", "split"]

LARGE = 1_000_000
"""Operations on entries that are worth the attention of several threads: some 20 µs."""

SHARES = 4
"""Per thread, as threads come late and are interrupted."""

ARGUMENTS = ("inputs", "outputs", "arena")


def divide(nest: Any) -> bool:
    """Write a nest in shares, and what remains; or nothing, if it is better done by one thread."""
    axis, count, size = shares(nest)
    if not count:
        return False
    writer, code = nest.writer, nest.code
    nest.begin_sums()
    sums = nest.single_sums()
    name = f"{writer.name}.share{code.count}"
    outer, numbers = (code.lines, code.block), writer.registers
    code.lines, code.block = [], "entry"
    read = writer.registers = Context(writer, code, len(ARGUMENTS) + count * len(sums))
    for k, argument in enumerate(ARGUMENTS):
        code.put(f"%{argument} = load ptr, ptr {slot(code, k)}")
    code.lines += writer.arrays()
    start = code(f"mul i64 %chunk, {size}")
    nest.part(axis, start, size).write_loops()
    for k, node in enumerate(sums):
        place = slot(code, code(f"add i64 %chunk, {len(ARGUMENTS) + k * count}"))
        code.put(f"store {TYPES[node.dtype]} {read[node.value.number]}, ptr {place}")
    lines = "\n".join(["entry:", *code.lines, "  ret void"])
    code.definitions[name] = f"define internal void @{name}(ptr noalias %context, i64 %chunk) #0 {{\n{lines}\n}}"
    code.definitions.update(threads.DECLARATION)
    code.symbols.update(threads.symbols())

    (code.lines, code.block), writer.registers = outer, numbers
    context = code(f"alloca [{read.size} x i64], align 64")
    for k, argument in enumerate(ARGUMENTS):
        code.put(f"store ptr %{argument}, ptr {slot(code, k, context)}")
    for number, k in read.slots.items():
        code.put(f"store {read.kind(number)} {numbers[number]}, ptr {slot(code, k, context)}")
    code.put(f"call void @dotbar.parallel(ptr @{name}, ptr {context}, i64 {count})")
    left = nest.shape[axis] - count * size
    if left:
        nest.part(axis, str(count * size), left).write_loops()
    for k, node in enumerate(sums):
        places = [slot(code, len(ARGUMENTS) + k * count + chunk, context) for chunk in range(count)]
        parts = [code(f"load {TYPES[node.dtype]}, ptr {place}") for place in places]
        total, *others = parts + ([numbers[node.value.number]] if left else [])
        for part in others:
            total = code.operation(node.op, node.dtype, 1, total, part)
        numbers[node.value.number] = total
    return True


def shares(nest: Any) -> tuple[int, int, int]:
    """Along which axis a nest is divided, into how many shares of what size; what remains is less than a share."""
    if threads.get_num_threads() == 1:
        return 0, 0, 0
    operations = prod(nest.shape) * nest.operations
    possible = [(*split(nest.shape[axis], operations, nest.grain(axis)), -axis) for axis in nest.divisible()]
    count, size, axis = max(possible, default=(0, 0, 0))
    return -axis, count, size


def split(n: int, operations: int, grain: int = 1) -> tuple[int, int]:
    """Into how many shares n indices go, of what size, a multiple of ``grain``; none if it is not worth it."""
    most = SHARES * threads.get_num_threads()
    count = min(most, n // grain)
    if most == SHARES or operations < LARGE or count < 2:
        return 0, 0
    size = n // count // grain * grain
    return n // size, size


def called(
    definitions: dict[str, str], part: str, rest: str = "", *, count: int, steps: Sequence[int], work: int
) -> str:
    """The function that has threads call another for each share, at pointers moved by ``steps`` bytes, then ``rest``.

    All are ``i32 (ptr…, ptr work)``; ``work`` is the bytes of a share's own scratch memory.
    """
    name = ".".join([part, "shares", *map(str, (count, *steps))])
    pointers = [*(f"%p{k}" for k in range(len(steps))), "%work"]
    moves = [*steps, work]
    code = Code()
    moved = list[str]()
    for k, step in enumerate(moves):
        pointer = code(f"load ptr, ptr {slot(code, k)}")
        moved.append(code(f"getelementptr i8, ptr {pointer}, i64 {code(f'mul i64 %chunk, {step}')}"))
    status = code(f"call i32 @{part}({', '.join(f'ptr {p}' for p in moved)})")
    code.put(f"store i32 {status}, ptr {slot(code, code(f'add i64 %chunk, {len(moves)}'))}")
    lines = "\n".join(["entry:", *code.lines, "  ret void"])
    definitions[f"{name}.share"] = f"define internal void @{name}.share(ptr %context, i64 %chunk) #0 {{\n{lines}\n}}"
    definitions.update(threads.DECLARATION)

    code = Code()
    context = code(f"alloca [{len(moves) + count} x i64], align 64")
    for k, pointer in enumerate(pointers):
        code.put(f"store ptr {pointer}, ptr {slot(code, k, context)}")
    code.put(f"call void @dotbar.parallel(ptr @{name}.share, ptr {context}, i64 {count})")
    found = [code(f"load i32, ptr {slot(code, len(moves) + chunk, context)}") for chunk in range(count)]
    if rest:
        moved = [code(f"getelementptr i8, ptr {p}, i64 {count * step}") for p, step in zip(pointers, steps)]
        found.append(code(f"call i32 @{rest}({', '.join(f'ptr {p}' for p in (*moved, '%work'))})"))
    status = reduce(lambda a, b: code(f"or i32 {a}, {b}"), found)
    lines = "\n".join(["entry:", *code.lines, f"  ret i32 {status}"])
    definitions[name] = f"define internal i32 @{name}({', '.join(f'ptr {p}' for p in pointers)}) #0 {{\n{lines}\n}}"
    return name


class Context(dict[int, str]):
    """The names of numbers in a share: those that it computes, and those that it finds in its context."""

    def __init__(self, writer: Any, code: Code, size: int):
        super().__init__()
        self.writer, self.code, self.size = writer, code, size
        self.slots: dict[int, int] = {}

    def kind(self, number: int) -> str:
        return TYPES[self.writer.made[number].value.dtype]

    def __missing__(self, number: int) -> str:
        self.slots[number] = self.size
        self.size += 1
        name = self[number] = self.code(f"load {self.kind(number)}, ptr {slot(self.code, self.slots[number])}")
        return name


def slot(code: Code, k: int | str, context: str = "%context") -> str:
    return code(f"getelementptr i64, ptr {context}, i64 {k}")

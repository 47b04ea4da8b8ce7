"""Loops and branches -> calls of native functions, one for each Program that they hold.

A body is a function of its own, ``i32 @dotbar.body(ptr inputs, ptr outputs, ptr arena)`` like any Program: it reads
from and writes to where two arrays of pointers say.  A step is one call of it, before which the loop sets the pointers:

========  ======================================================================================
consts    once
carries   two blocks, one of them the result's own: each step reads from one and writes to the other
xs, ys    the row of the step in the whole stacks, which nobody copies
========  ======================================================================================

So a step costs some nanoseconds besides its own work; what is small is left to ``registers``.  Where the number of
steps is not known, the ys are :class:`Stack` s: memory that grows, and one of the function's ``headers`` says where it
lies.  A loop along a stack takes as many steps as that has rows.

Bodies with parts that are left to NumPy are refused.
"""

import re
from collections.abc import Sequence
from math import prod
from typing import Any
from weakref import WeakKeyDictionary

from dotbar.compiler import headers, registers
from dotbar.compiler.headers import FEWEST, ROOM, ROWS
from dotbar.compiler.kernels import TYPES, Code
from dotbar.compiler.loops import Native, native
from dotbar.compiler.lowering import CALLS, INTEGER, Lowering, Result, Stack, UnsupportedError, View
from dotbar.compiler.memory import rounded
from dotbar.compiler.registers import Small, called, digest, names
from dotbar.program import Program, Var

__all__ = ["branch", "loop"]

# ---------------------------------------------------------------- bodies


class Body:
    """A native function of a Program; ``name`` is made of what it does."""

    def __init__(self, program: Program):
        self.inputs = program.inputs
        self.outputs = [y if type(y) is Var else Var.of(y) for y in program.outputs]
        if not all(y.dtype in TYPES for y in (*self.inputs, *self.outputs)):
            raise UnsupportedError
        self.native: Native = native(program, "dotbar.body", "internal")
        self.name = f"dotbar.body.{digest(*self.native.definitions.values())}"
        renamed = lambda text: OWN.sub(rf"{self.name}\1", text)
        self.definitions = {renamed(key): renamed(text) for key, text in self.native.definitions.items()}

    @classmethod
    def of(cls, program: Program) -> "Body":
        """The function of a Program, made once."""
        if program not in _BODIES:
            _BODIES[program] = cls(program)
        return _BODIES[program]

    def enter(self, code: Code) -> None:
        """Put the function into a module."""
        code.definitions.update(self.definitions)
        code.symbols.update(self.native.symbols)

    def constants(self, lowering: Lowering) -> list[View]:
        """What it reads after its inputs."""
        return list(map(lowering.constant, self.native.constants))


OWN = re.compile(r"dotbar\.body((?:\.(?:work|part\d+|share\d+))*)(?=[(,]|$)")
"""The names of the functions that a body consists of, before it has a name."""

_BODIES: WeakKeyDictionary[Program, Body] = WeakKeyDictionary()


def size(x: Any) -> int:
    """The bytes of a value."""
    return prod(x.shape) * x.dtype.itemsize


def block(lowering: Lowering, x: Any, like: Var) -> View:
    """An operand as it is in memory, of the dtype that a body takes."""
    return lowering.packed(x, like.dtype) if isinstance(x, View) else lowering.view(x, like.dtype)


# ---------------------------------------------------------------- the text of calls


class Frame:
    """The scratch block of a call, part by part."""

    def __init__(self) -> None:
        self.size = 0
        self.lines: list[str] = []

    def take(self, name: str, size: int) -> None:
        """A part of so many bytes, at ``%name``."""
        self.lines.append(f"  %{name} = getelementptr i8, ptr %scratch, i64 {self.size}")
        self.size += rounded(size)

    def pointers(self, name: str, n: int) -> None:
        """An array of pointers at ``%name``, with the places of each: ``%name.0``, ..."""
        self.take(name, 8 * n)
        self.lines += [f"  %{name}.{k} = getelementptr ptr, ptr %{name}, i64 {k}" for k in range(n)]


def put(table: str, start: int, pointers: Sequence[str]) -> list[str]:
    """Lines that set consecutive pointers of an array."""
    return [f"  store ptr {pointer}, ptr %{table}.{start + k}" for k, pointer in enumerate(pointers)]


# ---------------------------------------------------------------- loops


class Loop:
    """The text of a loop.  ``steps`` is None where their number is that of the rows of a stack, or is not known."""

    def __init__(self, lowering: Lowering, program: Program, test: Program | None, consts: int, carries: int):
        self.step = Body.of(program)
        self.until = None if test is None else Body.of(test)
        self.consts, self.carries = consts, carries
        self.xs = self.step.inputs[consts + carries :]
        self.ends = self.step.outputs
        self.ys = self.ends[carries:]
        self.fixed = self.step.constants(lowering)
        self.asked = [] if self.until is None else self.until.constants(lowering)
        self.steps: int | None = None
        self.reverse = False
        self.along: list[Stack] = []
        self.pushed: list[int] = []
        self.frame = frame = Frame()
        frame.pointers("in", len(self.step.inputs) + len(self.fixed))
        frame.pointers("out", len(self.ends))
        for k in range(carries):
            frame.take(f"second{k}", size(self.ends[k]))
        frame.take("arena", self.step.native.arena)
        if self.until is not None:
            frame.pointers("asked", consts + carries + len(self.asked))
            frame.pointers("answer", 1)
            frame.take("going", 1)
            frame.take("other", self.until.native.arena)

    def emit(self, code: Code, operands: list[str], results: list[str], scratch: str) -> str:
        """Write the call."""
        self.step.enter(code)
        if self.until is not None:
            self.until.enter(code)
        header = lambda h: headers.place(code, h)
        operands, results = list(operands), list(results)
        first = self.consts + self.carries
        operands[first : first + len(self.along)] = [header(s.header) for s in self.along]
        if self.steps is None:
            results[self.carries :] = [header(h) for h in self.pushed]
        if self.pushed:
            headers.declare(code)
        parameters = [
            *names("c", self.consts),
            *names("first", self.carries),
            *names("s" if self.along else "x", len(self.xs)),
            *names("f", len(self.fixed)),
            *names("g", len(self.asked)),
            *names("result", self.carries),
            *names("h" if self.steps is None else "y", len(self.ys)),
            "%scratch",
        ]
        return called(code, "loop", parameters, self.lines(), [*operands, *results, scratch])

    def lines(self) -> list[str]:
        """The function's text."""
        done = ["  %i.next = add i64 %i, 1", "  br label %head"]
        return [
            *self.frame.lines,
            *self.begin(),
            "  br label %head",
            "head:",
            *self.alternate(),
            *self.decide(),
            "work:",
            *self.grow(),
            *self.rows("x", "in", self.consts + self.carries, self.xs),
            *self.rows("y", "out", self.carries, self.ys),
            *put("in", self.consts, names("now", self.carries)),
            *put("out", 0, names("next", self.carries)),
            f"  %status = call i32 @{self.step.name}(ptr %in, ptr %out, ptr %arena)",
            "  %good = icmp eq i32 %status, 0",
            "  br i1 %good, label %done, label %bad",
            "done:",
            *done,
            "end:",
            *self.finish(),
            "  ret i32 0",
            "bad:",
            "  ret i32 -1",
        ]

    def begin(self) -> list[str]:
        """What is the same in all steps."""
        lines = put("in", 0, names("c", self.consts)) + put("in", len(self.step.inputs), names("f", len(self.fixed)))
        if self.until is not None:
            lines += put("asked", 0, names("c", self.consts))
            lines += put("asked", self.consts + self.carries, names("g", len(self.asked)))
            lines += put("answer", 0, ["%going"])
        for k in range(len(self.along)):
            lines.append(f"  %x{k} = load ptr, ptr %s{k}")
        if self.along:
            lines += [f"  %s0.rows = getelementptr i8, ptr %s0, i64 {ROWS}", "  %n = load i64, ptr %s0.rows"]
            lines += self.allocate("%n")
        elif self.pushed:
            lines.append(f"  %room = getelementptr i8, ptr %h0, i64 {ROOM}")
        return lines

    def alternate(self) -> list[str]:
        """The two blocks of each carry; if the number of steps is known, so that the last one writes the result."""
        lines = ["  %i = phi i64 [ 0, %entry ], [ %i.next, %done ]"]
        for k in range(self.carries):
            a, b = (f"%result{k}", f"%second{k}")
            a, b = (b, a) if self.steps is not None and self.steps % 2 == 0 else (a, b)
            lines.append(f"  %now{k} = phi ptr [ %first{k}, %entry ], [ %next{k}, %done ]")
            lines.append(f"  %next{k} = phi ptr [ {a}, %entry ], [ %spare{k}, %done ]")
            lines.append(f"  %spare{k} = phi ptr [ {b}, %entry ], [ %next{k}, %done ]")
        return lines

    def decide(self) -> list[str]:
        """Whether there is another step."""
        if self.until is None:
            n = "%n" if self.along else self.steps
            return [f"  %more = icmp ult i64 %i, {n}", "  br i1 %more, label %work, label %end"]
        return [
            *put("asked", self.consts, names("now", self.carries)),
            f"  %asking = call i32 @{self.until.name}(ptr %asked, ptr %answer, ptr %other)",
            "  %known = icmp eq i32 %asking, 0",
            "  br i1 %known, label %decide, label %bad",
            "decide:",
            "  %truth = load i8, ptr %going",
            "  %more = icmp ne i8 %truth, 0",
            "  br i1 %more, label %work, label %end",
        ]

    def grow(self) -> list[str]:
        """Room for another row of each stack, and where the stacks lie."""
        lines: list[str] = []
        if self.pushed and not self.along:
            lines += [
                "  %now.room = load i64, ptr %room",
                "  %full = icmp eq i64 %i, %now.room",
                "  br i1 %full, label %larger, label %ready",
                "larger:",
                "  %double = shl i64 %now.room, 1",
                f"  %new.room = call i64 @llvm.umax.i64(i64 %double, i64 {FEWEST})",
                "  store i64 %new.room, ptr %room",
                *self.allocate("%new.room"),
                "  br label %ready",
                "ready:",
            ]
        if self.steps is None:
            lines += [f"  %y{k} = load ptr, ptr %h{k}" for k in range(len(self.ys))]
        n = "%n" if self.along else self.steps
        return lines + (
            [f"  %j.above = sub i64 {n}, %i", "  %j = sub i64 %j.above, 1"]
            if self.reverse
            else ["  %j = add i64 %i, 0"]
        )

    def allocate(self, rows: str) -> list[str]:
        """So many rows for each stack that is made."""
        lines: list[str] = []
        for k, y in enumerate(self.ys):
            lines += [
                f"  %h{k}.old = load ptr, ptr %h{k}",
                f"  %h{k}.size = mul i64 {rows}, {size(y)}",
                f"  %h{k}.new = call ptr @PyMem_RawRealloc(ptr %h{k}.old, i64 %h{k}.size)",
                f"  store ptr %h{k}.new, ptr %h{k}",
            ]
        return lines

    def rows(self, prefix: str, table: str, start: int, forms: Sequence[Var]) -> list[str]:
        """Set the pointers to row ``%j`` of stacks."""
        lines: list[str] = []
        for k, x in enumerate(forms):
            lines.append(f"  %{prefix}{k}.offset = mul i64 %j, {size(x)}")
            lines.append(f"  %{prefix}{k}.row = getelementptr i8, ptr %{prefix}{k}, i64 %{prefix}{k}.offset")
        return lines + put(table, start, [f"%{prefix}{k}.row" for k in range(len(forms))])

    def finish(self) -> list[str]:
        """The last carries, copied if they are in their second block, and the numbers of rows."""
        lines: list[str] = []
        if not self.steps:
            for k in range(self.carries):
                copy = f"ptr %result{k}, ptr %now{k}, i64 {size(self.ends[k])}, i1 false"
                lines.append(f"  call void @llvm.memmove.p0.p0.i64({copy})")
        for k in range(len(self.ys) if self.steps is None else 0):
            lines.append(f"  %h{k}.rows = getelementptr i8, ptr %h{k}, i64 {ROWS}")
            lines.append(f"  store i64 %i, ptr %h{k}.rows")
        return lines


def loop(
    lowering: Lowering,
    *operands: Any,
    body: Program,
    test: Program | None,
    consts: int,
    carries: int,
    length: int | None,
    reverse: bool,
) -> list[Any]:
    """LOOP as a call."""
    stacks = [isinstance(x, Stack) for x in operands]
    first = consts + carries
    if any(stacks[:first]) or (any(stacks) and not all(stacks[first:])) or not body.outputs:
        raise UnsupportedError
    xs = [x.token if isinstance(x, Stack) else block(lowering, x, like) for x, like in zip(operands, body.inputs)]
    along = list(operands[first:]) if any(stacks) else []
    unknown = bool(along) or test is not None
    steps = None if unknown else length if length is not None else operands[first].shape[0]
    ends = [Var.of(y) if type(y) is not Var else y for y in body.outputs]
    ys = ends[carries:]
    results = [Result(y.shape, y.dtype) for y in ends[:carries]]
    results += [Result((), INTEGER) if unknown else Result((steps or 0, *y.shape), y.dtype) for y in ys]
    pushed = [lowering.header() for _ in ys] if unknown else []
    parts = Small.of(body, *([] if test is None else [test]))
    if parts:
        small = registers.Loop(parts, consts, carries, steps, reverse, [x.header for x in along], pushed)
        made = lowering.call(small.emit, xs, results, small=small)
    else:
        text = Loop(lowering, body, test, consts, carries)
        text.steps, text.reverse, text.along, text.pushed = steps, reverse, along, pushed
        made = lowering.call(text.emit, [*xs, *text.fixed, *text.asked], results, text.frame.size)
    return [*made[:carries], *map(Stack, made[carries:], pushed, ys)] if unknown else made


def branch(lowering: Lowering, index: Any, *operands: Any, branches: Sequence[Program]) -> list[View]:
    """BRANCH as a call."""
    if any(isinstance(x, Stack) for x in operands) or not branches[0].outputs:
        raise UnsupportedError
    number = lowering.view(index, INTEGER)
    xs = [block(lowering, x, like) for x, like in zip(operands, branches[0].inputs)]
    parts = Small.of(*branches)
    if parts:
        small = registers.Branch(parts)
        return lowering.call(small.emit, [number, *xs], [Result(y.shape, y.dtype) for y in parts[0].ends], 0, small)
    bodies = list(map(Body.of, branches))
    ends = bodies[0].outputs
    fixed = [body.constants(lowering) for body in bodies]
    frame = Frame()
    frame.pointers("in", len(xs) + max(map(len, fixed)))
    frame.pointers("out", len(ends))
    frame.take("arena", max(body.native.arena for body in bodies))

    def emit(code: Code, pointers: list[str], made: list[str], scratch: str) -> str:
        inputs, outputs, last = names("x", len(xs)), names("y", len(ends)), len(bodies) - 1
        constants = [names(f"f{b}.", len(views)) for b, views in enumerate(fixed)]
        cases = " ".join(f"i64 {b}, label %branch{b}" for b in range(last))
        lines = [*frame.lines, *put("in", 0, inputs), *put("out", 0, outputs)]
        lines += ["  %number = load i64, ptr %index", f"  switch i64 %number, label %branch{last} [ {cases} ]"]
        for b, body in enumerate(bodies):
            body.enter(code)
            lines += [f"branch{b}:", *put("in", len(xs), constants[b])]
            lines.append(f"  %status{b} = call i32 @{body.name}(ptr %in, ptr %out, ptr %arena)")
            lines.append(f"  ret i32 %status{b}")
        parameters = ["%index", *inputs, *(x for some in constants for x in some), *outputs, "%scratch"]
        return called(code, "branch", parameters, lines, [*pointers, *made, scratch])

    blocks = [number, *xs, *(view for views in fixed for view in views)]
    return lowering.call(emit, blocks, [Result(y.shape, y.dtype) for y in ends], frame.size)


CALLS |= {"loop": loop, "branch": branch}

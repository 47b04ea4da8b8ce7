"""Loops and branches -> calls of native functions, one for each Program that they hold.

A body is a function of its own, ``i32 @dotbar.body(ptr inputs, ptr outputs, ptr arena)`` like any Program: it reads
from and writes to where two arrays of pointers say.  A step is one call of it, before which the loop sets the pointers:

========  ======================================================================================
consts    once
carries   two blocks, one of them the result's own: each step reads from one and writes to the other
xs, ys    the row of the step in the whole stacks, which nobody copies
========  ======================================================================================

So a step costs some nanoseconds besides its own work.  What a ``test`` stacks, whose length is not known, and bodies
with parts that are left to NumPy are refused.
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import prod
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from dotbar.compiler.kernels import TYPES, Code
from dotbar.compiler.loops import Native, native
from dotbar.compiler.lowering import CALLS, Lowering, Result, UnsupportedError, View
from dotbar.compiler.memory import rounded
from dotbar.program import Program, Var

__all__ = ["branch", "loop"]

_BODIES: WeakKeyDictionary[Program, "Body"] = WeakKeyDictionary()


class Body:
    """A native function of a Program; ``name`` is made of what it does."""

    def __init__(self, program: Program):
        if not all(y.dtype in TYPES for y in (*program.inputs, *map(form, program.outputs))):
            raise UnsupportedError
        self.native: Native = native(program, "dotbar.body", "internal")
        parts = [text.encode() for text in self.native.definitions.values()]
        digest = blake2b(b"\n".join(parts), digest_size=8).hexdigest()
        self.name = f"dotbar.body.{digest}"
        self.definitions = dict(self.native.definitions)
        self.definitions[self.name] = self.definitions.pop("dotbar.body").replace("@dotbar.body(", f"@{self.name}(")

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
        return [constant(lowering, x) for x in self.native.constants]


def constant(lowering: Lowering, x: np.ndarray[Any, Any]) -> View:
    """An array as it lies in memory."""
    value = lowering.value("constant", x.shape, x.dtype)
    lowering.constants.append(x)
    value.place = len(lowering.constants) - 1
    return lowering.all_of(value)


def form(x: Any) -> Any:
    """An output, or its shape and dtype if it is a constant."""
    return x if type(x) is Var else Var.of(x)


def size(x: Any) -> int:
    """The bytes of a value."""
    return prod(x.shape) * x.dtype.itemsize


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


def put(table: str, start: int, names: Sequence[str]) -> list[str]:
    """Lines that set consecutive pointers of an array."""
    return [f"  store ptr {name}, ptr %{table}.{start + k}" for k, name in enumerate(names)]


def rows(prefix: str, table: str, start: int, forms: Sequence[Any]) -> list[str]:
    """Lines that set the pointers to the rows of stacks at ``%j``."""
    lines: list[str] = []
    for k, x in enumerate(forms):
        lines.append(f"  %{prefix}{k}.offset = mul i64 %j, {size(x)}")
        lines.append(f"  %{prefix}{k}.row = getelementptr i8, ptr %{prefix}{k}, i64 %{prefix}{k}.offset")
    return lines + put(table, start, [f"%{prefix}{k}.row" for k in range(len(forms))])


def finished(code: Code, name: str, arguments: Sequence[str], lines: Sequence[str]) -> Any:
    """Put a function with a status into a module; what calls it."""
    text = "\n".join(lines)
    key = blake2b(text.encode(), digest_size=8).hexdigest()
    name = f"dotbar.{name}.{key}"
    parameters = ", ".join(f"ptr noalias %{x}" if x == "scratch" else f"ptr %{x}" for x in arguments)
    code.definitions[name] = f"define internal i32 @{name}({parameters}) #0 {{\n{text}\n}}"
    return lambda xs: code(f"call i32 @{name}({', '.join(f'ptr {x}' for x in xs)})")


def loop(
    lowering: Lowering,
    *operands: Any,
    body: Program,
    test: Program | None,
    consts: int,
    carries: int,
    length: int | None,
    reverse: bool,
) -> list[View]:
    """LOOP as a call."""
    step = Body.of(body)
    until = None if test is None else Body.of(test)
    xs = [
        lowering.packed(x, var.dtype) if isinstance(x, View) else lowering.view(x, var.dtype)
        for x, var in zip(operands, body.inputs)
    ]
    stacks = xs[consts + carries :]
    ends = list(map(form, body.outputs))
    if test is not None and len(ends) > carries:
        raise UnsupportedError
    n = 0 if test is not None else length if length is not None else stacks[0].shape[0]
    fixed = [step.constants(lowering), until.constants(lowering) if until is not None else []]
    results = [Result(x.shape, x.dtype) for x in ends[:carries]] + [
        Result((n, *y.shape), y.dtype) for y in ends[carries:]
    ]
    if not results:
        raise UnsupportedError

    frame = Frame()
    n_inputs = len(body.inputs)
    frame.pointers("in", n_inputs + len(fixed[0]))
    frame.pointers("out", len(ends))
    for k in range(carries):
        frame.take(f"second{k}", size(ends[k]))
    frame.take("arena", step.native.arena)
    if until is not None:
        frame.pointers("asked", consts + carries + len(fixed[1]))
        frame.pointers("answer", 1)
        frame.take("going", 1)
        frame.take("other", until.native.arena)

    def emit(code: Code, pointers: list[str], made: list[str], scratch: str) -> str:
        step.enter(code)
        if until is not None:
            until.enter(code)
        names = [
            *(f"c{k}" for k in range(consts)),
            *(f"first{k}" for k in range(carries)),
            *(f"x{k}" for k in range(len(stacks))),
            *(f"f{k}" for k in range(len(fixed[0]))),
            *(f"g{k}" for k in range(len(fixed[1]))),
            *(f"result{k}" for k in range(carries)),
            *(f"y{k}" for k in range(len(ends) - carries)),
            "scratch",
        ]
        call = finished(code, "loop", names, [*begin(), *(steps_while() if until is not None else steps())])
        return call([*pointers, *made, scratch])

    def begin() -> list[str]:
        shared = [f"%c{k}" for k in range(consts)]
        lines = ["entry:", *frame.lines, *put("in", 0, shared)]
        lines += put("in", n_inputs, [f"%f{k}" for k in range(len(fixed[0]))])
        if until is not None:
            lines += put("asked", 0, shared)
            lines += put("asked", consts + carries, [f"%g{k}" for k in range(len(fixed[1]))])
            lines += put("answer", 0, ["%going"])
        return lines

    def alternating(before: str, last: str, result_first: bool) -> list[str]:
        lines: list[str] = []
        for k in range(carries):
            a, b = (f"%result{k}", f"%second{k}") if result_first else (f"%second{k}", f"%result{k}")
            lines.append(f"  %now{k} = phi ptr [ %first{k}, %{before} ], [ %next{k}, %{last} ]")
            lines.append(f"  %next{k} = phi ptr [ {a}, %{before} ], [ %spare{k}, %{last} ]")
            lines.append(f"  %spare{k} = phi ptr [ {b}, %{before} ], [ %next{k}, %{last} ]")
        return lines

    now, following = [f"%now{k}" for k in range(carries)], [f"%next{k}" for k in range(carries)]

    def one_step(then: str) -> list[str]:
        return [
            *put("in", consts, now),
            *put("out", 0, following),
            f"  %status = call i32 @{step.name}(ptr %in, ptr %out, ptr %arena)",
            "  %good = icmp eq i32 %status, 0",
            f"  br i1 %good, label %{then}, label %bad",
        ]

    def copies(names: Sequence[str]) -> list[str]:
        return [
            f"  call void @llvm.memmove.p0.p0.i64(ptr %result{k}, ptr {name}, i64 {size(ends[k])}, i1 false)"
            for k, name in enumerate(names)
        ]

    def steps() -> list[str]:
        if not n:
            return [*copies([f"%first{k}" for k in range(carries)]), "  ret i32 0"]
        return [
            "  br label %step",
            "step:",
            "  %i = phi i64 [ 0, %entry ], [ %i.next, %done ]",
            *alternating("entry", "done", n % 2 == 1),
            f"  %j = sub i64 {n - 1}, %i" if reverse else "  %j = add i64 %i, 0",
            *rows("x", "in", consts + carries, body.inputs[consts + carries :]),
            *rows("y", "out", carries, ends[carries:]),
            *one_step("done"),
            "done:",
            "  %i.next = add i64 %i, 1",
            f"  %more = icmp ult i64 %i.next, {n}",
            "  br i1 %more, label %step, label %end",
            "end:",
            "  ret i32 0",
            "bad:",
            "  ret i32 -1",
        ]

    def steps_while() -> list[str]:
        assert until is not None
        return [
            "  br label %head",
            "head:",
            *alternating("entry", "step", True),
            *put("asked", consts, now),
            f"  %asking = call i32 @{until.name}(ptr %asked, ptr %answer, ptr %other)",
            "  %known = icmp eq i32 %asking, 0",
            "  br i1 %known, label %decide, label %bad",
            "decide:",
            "  %truth = load i8, ptr %going",
            "  %more = icmp ne i8 %truth, 0",
            "  br i1 %more, label %work, label %end",
            "work:",
            *one_step("step"),
            "step:",
            "  br label %head",
            "end:",
            *copies(now),
            "  ret i32 0",
            "bad:",
            "  ret i32 -1",
        ]

    return lowering.call(emit, [*xs, *fixed[0], *fixed[1]], results, frame.size)


def branch(lowering: Lowering, index: Any, *operands: Any, branches: Sequence[Program]) -> list[View]:
    """BRANCH as a call."""
    bodies = [Body.of(program) for program in branches]
    first = branches[0]
    number = lowering.view(index, np.dtype(np.int64))
    xs = [
        lowering.packed(x, var.dtype) if isinstance(x, View) else lowering.view(x, var.dtype)
        for x, var in zip(operands, first.inputs)
    ]
    ends = list(map(form, first.outputs))
    fixed = [body.constants(lowering) for body in bodies]
    if not ends:
        raise UnsupportedError
    frame = Frame()
    frame.pointers("in", len(xs) + max(map(len, fixed)))
    frame.pointers("out", len(ends))
    frame.take("arena", max(body.native.arena for body in bodies))

    def emit(code: Code, pointers: list[str], made: list[str], scratch: str) -> str:
        for body in bodies:
            body.enter(code)
        inputs = [f"x{k}" for k in range(len(xs))]
        constants = [[f"f{b}.{k}" for k in range(len(views))] for b, views in enumerate(fixed)]
        outputs = [f"y{k}" for k in range(len(ends))]
        last = len(bodies) - 1
        cases = " ".join(f"i64 {b}, label %branch{b}" for b in range(last))
        lines = [
            "entry:",
            *frame.lines,
            *put("in", 0, [f"%{x}" for x in inputs]),
            *put("out", 0, [f"%{y}" for y in outputs]),
            "  %number = load i64, ptr %index",
            f"  switch i64 %number, label %branch{last} [ {cases} ]",
        ]
        for b, body in enumerate(bodies):
            lines.append(f"branch{b}:")
            lines += put("in", len(xs), [f"%{x}" for x in constants[b]])
            lines.append(f"  %status{b} = call i32 @{body.name}(ptr %in, ptr %out, ptr %arena)")
            lines.append(f"  ret i32 %status{b}")
        names = ["index", *inputs, *(x for names in constants for x in names), *outputs, "scratch"]
        return finished(code, "branch", names, lines)([*pointers, *made, scratch])

    operands = [number, *xs, *(view for views in fixed for view in views)]
    return lowering.call(emit, operands, [Result(y.shape, y.dtype) for y in ends], frame.size)


CALLS |= {"loop": loop, "branch": branch}

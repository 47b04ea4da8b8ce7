"""The lines of a long program -> functions that it calls one after the other.

::

    b = sin(a)                                  part0(frame):  b = sin(a);  ...;  frame[0] = m
    ...                                 →       part1(frame):  n = exp(frame[0]);  ...
    n = exp(m)                                  ...
    ...

LLVM's time for a function grows faster than the function; so that for a program is in proportion to its length.
A number that one function computes and another reads is kept in a frame.
"""

import re
from typing import Any

from dotbar.compiler.kernels import TYPES

__all__ = ["LENGTH", "Parts"]

LENGTH = 1000
"""Lines after which a function ends."""


class Parts:
    """The functions of a program; lines are added to the last."""

    def __init__(self, writer: Any) -> None:
        self.writer = writer
        self.functions: list[Registers] = []
        self.makers: dict[int, Registers] = {}
        self.places: dict[int, int] = {}
        self.begin()

    def begin(self) -> None:
        """Begin a function."""
        code = self.writer.code
        code.lines, code.block = [], "entry"
        self.writer.registers = Registers(self)
        self.functions.append(self.writer.registers)

    def cut(self) -> None:
        """Begin another function if this one is long."""
        if len(self.writer.code.lines) >= LENGTH:
            self.begin()

    def text(self, head: str) -> str:
        """The function that ``head`` names; those that it calls are put into the module."""
        writer, parameters = (
            self.writer,
            ["inputs", "outputs", "arena"] + ["headers"] * bool(self.writer.lowering.headers),
        )
        if len(self.functions) == 1:
            return function(head, parameters, self.functions[0].text())
        parameters.append("frame")
        passed = ", ".join(f"ptr %{name}" for name in parameters)
        lines = [f"  %frame = alloca [{max(len(self.places), 1)} x i64]"]
        for k, part in enumerate(self.functions):
            name = f"{writer.name}.part{k}"
            writer.code.definitions[name] = function(f"internal i32 @{name}", parameters, part.text())
            lines += [
                f"  %status{k} = call i32 @{name}({passed})",
                f"  %failed{k} = icmp ne i32 %status{k}, 0",
                f"  br i1 %failed{k}, label %stop{k}, label %go{k}",
                *(f"stop{k}:", f"  ret i32 %status{k}", f"go{k}:"),
            ]
        return function(head, parameters[:-1], "\n".join([*lines, "  ret i32 0"]))


class Registers(dict[int, str]):
    """The names of numbers in one function, with its lines; it loads those that others compute."""

    def __init__(self, parts: Parts):
        super().__init__()
        self.parts, self.lines = parts, parts.writer.code.lines
        self.made: dict[int, int] = {}
        self.kept: dict[int, str] = {}

    def kind(self, number: int) -> str:
        return TYPES[self.parts.writer.made[number].value.dtype]

    def __setitem__(self, number: int, name: str) -> None:
        super().__setitem__(number, name)
        self.parts.makers[number] = self
        self.made[number] = len(self.lines)

    def __missing__(self, number: int) -> str:
        code, kind = self.parts.writer.code, self.kind(number)
        place = code(f"getelementptr i64, ptr %frame, i64 {self.parts.makers[number].place(number)}")
        name = code(f"load {kind}, ptr {place}")
        super().__setitem__(number, name)
        return name

    def place(self, number: int) -> int:
        """The place in the frame where the function leaves a number as soon as it is computed."""
        places = self.parts.places
        if number not in places:
            k = places[number] = len(places)
            pointer = f"  %kept{k} = getelementptr i64, ptr %frame, i64 {k}\n"
            self.kept[number] = f"{pointer}  store {self.kind(number)} {self[number]}, ptr %kept{k}"
        return places[number]

    def text(self) -> str:
        """The function's lines, after those that load the pointers which it uses."""
        for number, line in sorted(self.kept.items(), key=lambda item: self.made[item[0]], reverse=True):
            self.lines.insert(self.made[number], line)
        text = "\n".join([*self.lines, "  ret i32 0"])
        used = set(re.findall(r"%(?:in|out)puts\d+", text))
        return "\n".join([*self.parts.writer.arrays(used), text])


def function(head: str, parameters: list[str], lines: str) -> str:
    return f"define {head}({', '.join(f'ptr noalias %{name}' for name in parameters)}) #0 {{\nentry:\n{lines}\n}}"

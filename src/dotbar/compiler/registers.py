"""Small loops and branches in registers: each number of theirs is written by itself, so that a step touches no memory.

::

                                                     head: c.0 = phi [c₀.0, entry], [d.0, work]
    c: f64[2] = loop a c₀                                  c.1 = phi [c₀.1, entry], [d.1, work]
      body (a: f64[2], c: f64[2]):            →            i = phi …; br (i < n), work, end
        d = multiply a c                             work: d.0 = fmul a.0, c.0
        return d                                           d.1 = fmul a.1, c.1
                                                           br head

In: the nodes of lowered bodies.  A value is the list of its entries, in C's order.  Loops and branches within stand in
the same function; only rows of stacks are in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from math import prod
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from dotbar.compiler import headers
from dotbar.compiler.kernels import FUNCTIONS, TYPES, Code, memory_type
from dotbar.compiler.lowering import BOOL, INTEGER, Call, Node, UnsupportedError, Value, View, lower
from dotbar.compiler.scalars import Entries, Scalars, text
from dotbar.compiler.shapes import Shape, along
from dotbar.program import Program, Var, variables

__all__ = ["Branch", "Loop", "Product", "Small", "called", "digest", "names"]

WIDE = 16
"""The entries of a value that is large."""

MOST = 2000
"""The operations on numbers that are written one by one."""

MANY = 100
"""The operations of a product of matrices that is written so."""

DEAR = 25
"""Operations for which a function stands, of which vectors take as much time as single numbers."""

# ---------------------------------------------------------------- bodies


class Small:
    """A Program, lowered, and the operations on numbers that it takes."""

    def __init__(self, program: Program):
        self.inputs = program.inputs
        self.ends = [y if type(y) is Var else Var.of(y) for y in program.outputs]
        if not all(x.dtype in TYPES for x in (*self.inputs, *self.ends)):
            raise UnsupportedError
        self.lowering = lower(program)
        found = map(self.lowering.operand, program.outputs)
        self.outputs = [self.lowering.view(y, end.dtype) for y, end in zip(found, self.ends)]
        self.nodes = self.lowering.needed([y.base for y in self.outputs])
        self.weight = sum(map(weight, self.nodes))

    @classmethod
    def of(cls, *programs: Program) -> "list[Small] | None":
        """What is made once of each Program; None if one of them is large."""
        parts = [part for program in programs if (part := cls._of(program))]
        return parts if len(parts) == len(programs) else None

    @classmethod
    def _of(cls, program: Program) -> "Small | None":
        if program not in _SMALL:
            values = [x for e in program.equations for x in (*e.outputs, *variables(e))]
            few = len(program.equations) < MOST and all(prod(x.shape) <= WIDE for x in (*program.inputs, *values))
            small = cls(program) if few else None
            _SMALL[program] = small if small is not None and small.weight <= MOST else None
        return _SMALL[program]


_SMALL: WeakKeyDictionary[Program, Small | None] = WeakKeyDictionary()


def weight(node: Node) -> float:
    """The operations on numbers that a node stands for."""
    if isinstance(node, Call):
        return np.inf if node.small is None else node.small.weight
    n = prod(node.space)
    if node.op == "take" or node.moves:
        base = node.value if node.moves else node.source.base
        return 2 * n * base.size
    return n * (DEAR if node.op in FUNCTIONS and n > 1 else 1)


class Writing:
    """Writes the nodes of a body; ``results`` are its outputs."""

    def __init__(self, code: Scalars, small: Small, inputs: Sequence[Entries]):
        self.code = code
        self.lowering = small.lowering
        self.header = code.headers
        code.headers += self.lowering.headers
        self.values: dict[Value, Entries] = dict(zip(self.lowering.inputs, inputs))
        for node in small.nodes:
            if isinstance(node, Call):
                made = node.small.inline(self, [self.entries(x, x.shape) for x in node.operands])
                self.values.update(zip(node.values, made, strict=True))
            else:
                self.values[node.value] = getattr(self, node.kind)(node)
        self.results = [self.entries(y, y.shape) for y in small.outputs]

    def place(self, header: int) -> str:
        """Where the header of a stack lies."""
        return headers.place(self.code, self.header + header)

    def entries(self, x: Any, space: Sequence[int]) -> Entries:
        """An operand's entries, for each index."""
        if not isinstance(x, View):
            return [np.asarray(x)[()]] * prod(space)
        if x.base.kind == "constant" and x.base not in self.values:
            self.values[x.base] = self.lowering.constants[x.base.place].ravel().tolist()
        entries = self.values[x.base]
        return [entries[k] for k in places(x, space)]

    # ------------------------------------------------ nodes

    def map(self, node: Node) -> Entries:
        """An operation on each index."""
        code, xs = self.code, [self.entries(x, node.space) for x in node.operands]
        match node.op:
            case "copy":
                return xs[0]
            case "cast":
                return [code.cast(text(x, node.dtype), node.dtype, node.value.dtype, 1) for x in xs[0]]
            case "take":
                entries = self.values[node.source.base]
                return [self.picked(entries, k, n, node.dtype) for k, n in zip(places(node.source, node.space), xs[0])]
            case "select":
                return [code.choice(node.dtype, *operands) for operands in zip(*xs)]
            case _:
                return code.each(node.op, node.dtype, *xs)

    def picked(self, entries: Entries, k: int, number: Any, dtype: np.dtype[Any]) -> Any:
        """The entry that lies so many places behind number ``k``."""
        found = entries[k]
        for place, x in enumerate(entries):
            here = self.code.plain("equal", INTEGER, number, place - k)
            found = self.code.choice(dtype, here, x, found)
        return found

    def reduce(self, node: Node) -> Entries:
        """Entries along some axes, taken together by pairs."""
        x = np.array(self.entries(node.operands[0], node.space), object).reshape(node.space)
        kept = [k for k in range(len(node.space)) if k not in node.reduced]
        rows = x.transpose(*kept, *node.reduced).reshape(node.value.size, -1 if x.size else 0)
        return [self.code.total(node.op, node.dtype, list(row)) for row in rows]

    def write(self, node: Node) -> Entries:
        """Other entries in some places."""
        code, dtype = self.code, node.dtype
        made = [0] * node.value.size
        for _, start in node.starts:
            made = self.entries(start, node.value.shape)
        new, *numbers = (self.entries(x, node.space) for x in node.operands)
        for i, (k, x) in enumerate(zip(places(node.target, node.space), new)):
            if not numbers:
                made[k] = x if node.op == "copy" else code.entry(node.op, dtype, made[k], x)
                continue
            for place, old in enumerate(made):
                here = code.plain("equal", INTEGER, numbers[0][i], place - k)
                y = x if node.op == "copy" else code.entry(node.op, dtype, old, x)
                made[place] = code.choice(dtype, here, y, old)
        return made

    def guard(self, node: Node) -> Entries:
        """Leave the function unless a condition holds."""
        good, bad = self.code.place(), self.code.place()
        ((condition,),) = (self.entries(x, ()) for x in node.operands)
        self.code.put(f"br i1 {text(condition, BOOL)}, label %{good}, label %{bad}")
        self.code.label(bad)
        self.code.put("ret i32 -1")
        self.code.label(good)
        return []


def places(x: View, space: Sequence[int]) -> list[int]:
    """Where the entries of a view lie, for each index."""
    steps = along(x.shape, x.strides, tuple(space))
    return np.ravel(sum((step * grid for step, grid in zip(steps, np.indices(space))), x.offset)).tolist()


# ---------------------------------------------------------------- products, loops and branches


@dataclass(eq=False)
class Product:
    """A stack of products of matrices."""

    a: Shape
    b: Shape
    dtype: np.dtype[Any]

    @property
    def weight(self) -> float:
        """The multiplications and additions, if tiles are no faster."""
        n = 2 * prod(self.a) * self.b[-1]
        return n if n <= MANY else np.inf

    def inline(self, writing: Writing, operands: Sequence[Entries]) -> list[Entries]:
        """The products within a body."""
        a, b = (np.array(x, object).reshape(shape) for x, shape in zip(operands, (self.a, self.b)))
        factors = np.broadcast_arrays(a[..., :, None, :], np.swapaxes(b, -1, -2)[..., None, :, :])
        terms = writing.code.each("multiply", self.dtype, *(x.ravel().tolist() for x in factors))
        n = self.a[-1]
        return [[writing.code.total("add", self.dtype, terms[k : k + n]) for k in range(0, len(terms), n)]]


@dataclass(eq=False)
class Loop:
    """A loop of a body, and perhaps a test.  It takes ``length`` steps, or as many as a stack has rows.

    ``along`` and ``pushed`` are the numbers of the headers of stacks that it reads and makes.
    """

    parts: list[Small]
    consts: int
    carries: int
    length: int | None
    reverse: bool
    along: list[int]
    pushed: list[int]

    @cached_property
    def weight(self) -> float:
        """The operations of a step, if it can stand within another loop: then all rows are those of stacks."""
        first, stacks = self.consts + self.carries, self.along or self.pushed
        if not stacks and (len(self.body.inputs) > first or len(self.body.ends) > self.carries):
            return np.inf
        return sum(part.weight for part in self.parts)

    @property
    def body(self) -> Small:
        """The step."""
        return self.parts[0]

    def inline(self, writing: Writing, operands: Sequence[Entries]) -> list[Entries]:
        """The loop within a body."""
        consts, first = operands[: self.consts], operands[self.consts : self.consts + self.carries]
        xs, ys = (list(map(writing.place, numbers)) for numbers in (self.along, self.pushed))
        return [*self.steps(writing.code, consts, first, xs, ys), *([0] for _ in ys)]

    def emit(self, code: Code, operands: list[str], results: list[str], scratch: str) -> str:
        """The loop as a function of its own."""
        first = self.consts + self.carries
        operands, results = list(operands), list(results)
        operands[first : first + len(self.along)] = [headers.place(code, h) for h in self.along]
        results[self.carries :] = [headers.place(code, h) for h in self.pushed] or results[self.carries :]
        inner = Scalars()
        xs, ys = (names(name, len(some)) for name, some in (("in", operands), ("out", results)))
        given = [inner.load(p, x) for p, x in zip(xs, self.body.inputs[:first])]
        last = self.steps(inner, given[: self.consts], given[self.consts :], xs[first:], ys[self.carries :])
        for entries, p, y in zip(last, ys, self.body.ends):
            inner.store(entries, p, y)
        return enter(code, "loop", inner, [*xs, *ys], [*operands, *results])

    def steps(
        self, code: Scalars, consts: Sequence[Entries], first: Sequence[Entries], xs: list[str], ys: list[str]
    ) -> list[Entries]:
        """The last carries.  ``xs`` and ``ys`` say where the rows lie, of stacks where the headers do."""
        head, work, end = code.place(), code.place(), code.place()
        n: Any = self.length
        if self.along:
            n = code(f"load i64, ptr {code.at(xs[0], 'i8', headers.ROWS)}")
            xs = [code(f"load ptr, ptr {x}") for x in xs]
            if ys:
                self.reserve(code, ys, n)
        before = code.block
        code.put(f"br label %{head}")
        code.label(head)
        index, now = code.name(), [[code.name() for _ in entries] for entries in first]
        phis = len(code.lines)
        code.lines += [""] * (1 + sum(map(len, first)))
        with code.scope():
            more = code(f"icmp ult i64 {index}, {n}") if n is not None else self.asked(code, [*consts, *now])
            code.put(f"br i1 {more}, label %{work}, label %{end}")
            code.label(work)
            after = code(f"add i64 {index}, 1")
            new = self.step(code, [*consts, *now], xs, ys, index, after, n)
            last = code.block
            code.put(f"br label %{head}")
        lines = [f"  {index} = phi i64 [ 0, %{before} ], [ {after}, %{last} ]"]
        for x, *rows in zip(self.body.ends, now, first, new):
            for name, a, b in zip(*rows):
                a, b = (text(v, x.dtype) for v in (a, b))
                lines.append(f"  {name} = phi {TYPES[x.dtype]} [ {a}, %{before} ], [ {b}, %{last} ]")
        code.lines[phis : phis + len(lines)] = lines
        code.label(end)
        for y in ys if self.pushed else ():
            code.put(f"store i64 {index}, ptr {code.at(y, 'i8', headers.ROWS)}")
        return now

    def asked(self, code: Scalars, given: list[Entries]) -> str:
        """Whether the test holds."""
        ((going,),) = Writing(code, self.parts[1], given).results
        return text(going, BOOL)

    def step(
        self, code: Scalars, given: list[Entries], xs: list[str], ys: list[str], index: str, after: str, n: Any
    ) -> list[Entries]:
        """The next carries."""
        if self.pushed:
            if n is None:
                self.reserve(code, ys, after)
            ys = [code(f"load ptr, ptr {y}") for y in ys]
        row = code(f"sub i64 {n}, {after}") if self.reverse else index
        forms, ends = self.body.inputs[len(given) :], self.body.ends[self.carries :]
        rows = [code.load(self.row(code, x, form, row), form) for x, form in zip(xs, forms)]
        made = Writing(code, self.body, [*given, *rows]).results
        for entries, y, form in zip(made[self.carries :], ys, ends):
            code.store(entries, self.row(code, y, form, row), form)
        return made[: self.carries]

    def row(self, code: Scalars, pointer: str, form: Var, row: str) -> str:
        """Where a row lies."""
        size = prod(form.shape)
        return code.at(pointer, memory_type(form.dtype), code(f"mul i64 {row}, {size}") if size != 1 else row)

    def reserve(self, code: Scalars, ys: list[str], rows: str) -> None:
        """Have room for so many rows of each stack that is made."""
        headers.declare(code)
        larger, ready = code.place(), code.place()
        room = code.at(ys[0], "i8", headers.ROOM)
        old = code(f"load i64, ptr {room}")
        code.put(f"br i1 {code(f'icmp ugt i64 {rows}, {old}')}, label %{larger}, label %{ready}")
        code.label(larger)
        with code.scope():
            new = code(f"shl i64 {old}, 1")
            for least in (rows, headers.FEWEST):
                new = code(f"call i64 @llvm.umax.i64(i64 {new}, i64 {least})")
            code.put(f"store i64 {new}, ptr {room}")
            for y, form in zip(ys, self.body.ends[self.carries :]):
                size = code(f"mul i64 {new}, {prod(form.shape) * form.dtype.itemsize}")
                old = code(f"load ptr, ptr {y}")
                code.put(f"store ptr {code(f'call ptr @PyMem_RawRealloc(ptr {old}, i64 {size})')}, ptr {y}")
        code.put(f"br label %{ready}")
        code.label(ready)


@dataclass(eq=False)
class Branch:
    """A branch among small bodies."""

    bodies: list[Small]

    @cached_property
    def weight(self) -> float:
        """The operations of all branches."""
        return sum(body.weight for body in self.bodies)

    def inline(self, writing: Writing, operands: Sequence[Entries]) -> list[Entries]:
        """The branch within a body."""
        return self.choose(writing.code, operands)

    def emit(self, code: Code, operands: list[str], results: list[str], scratch: str) -> str:
        """The branch as a function of its own."""
        inner, ends = Scalars(), self.bodies[0].ends
        xs, ys = (names(name, len(some)) for name, some in (("in", operands), ("out", results)))
        forms = [Var((), INTEGER), *self.bodies[0].inputs]
        made = self.choose(inner, [inner.load(p, x) for p, x in zip(xs, forms)])
        for entries, p, y in zip(made, ys, ends):
            inner.store(entries, p, y)
        return enter(code, "branch", inner, [*xs, *ys], [*operands, *results])

    def choose(self, code: Scalars, operands: Sequence[Entries]) -> list[Entries]:
        """The results of the branch that is taken."""
        ((number,), *given), end = operands, code.place()
        starts = [code.place() for _ in self.bodies]
        cases = " ".join(f"i64 {b}, label %{start}" for b, start in enumerate(starts[:-1]))
        code.put(f"switch i64 {text(number, INTEGER)}, label %{starts[-1]} [ {cases} ]")
        made, lasts = [], list[str]()
        for start, body in zip(starts, self.bodies):
            code.label(start)
            with code.scope():
                made.append(Writing(code, body, given).results)
            lasts.append(code.block)
            code.put(f"br label %{end}")
        code.label(end)
        results = list[Entries]()
        for form, *ways in zip(self.bodies[0].ends, *made):
            names = ([text(v, form.dtype) for v in entries] for entries in zip(*ways))
            pairs = (", ".join(f"[ {v}, %{last} ]" for v, last in zip(some, lasts)) for some in names)
            results.append([code(f"phi {TYPES[form.dtype]} {pair}") for pair in pairs])
        return results


# ---------------------------------------------------------------- functions


def names(prefix: str, n: int) -> list[str]:
    """``%prefix0``, ``%prefix1``, ..."""
    return [f"%{prefix}{k}" for k in range(n)]


def digest(*texts: str) -> str:
    """A short name of texts."""
    return blake2b("\n".join(texts).encode(), digest_size=8).hexdigest()


def enter(code: Code, name: str, inner: Scalars, parameters: Sequence[str], arguments: Sequence[str]) -> str:
    """The status of a call of a function that consists of some lines."""
    code.definitions |= inner.definitions
    code.symbols |= inner.symbols
    code.calls |= inner.calls
    return called(code, name, parameters, [*inner.lines, "  ret i32 0"], arguments, inner.headers)


def called(
    code: Code, name: str, parameters: Sequence[str], lines: Sequence[str], arguments: Sequence[str], stacks: int = 0
) -> str:
    """The status of a call of a function of pointers, which is put into the module; so many stacks are its own."""
    body = "\n".join(["entry:", *lines, "}"])
    name = f"dotbar.{name}.{digest(body)}"
    head, given = f"internal i32 @{name}", ", ".join(f"ptr {x}" for x in parameters)
    code.definitions[name] = f"define {head}({given}) #0 {{\n{body}"
    if stacks:
        code.definitions[f"{name}.work"] = f"define {head}.work({given}, ptr %headers) #0 {{\n{body}"
        code.definitions[name] = headers.with_headers(code, head, name, parameters, stacks)
    return code(f"call i32 @{name}({', '.join(f'ptr {x}' for x in arguments)})")

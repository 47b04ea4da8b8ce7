"""A Program -> what runs it: native code for all that it can do, NumPy for the rest.

In: a Program as it was recorded.  Out: a Program of the same inputs and outputs whose equations are :class:`Segment` s,
native functions made of as many equations as the order of their dependence allows, and calls of NumPy between them::

    c: f64[9] = sin a                   b, c: f64[9] = native a
    d: f64[3, 3] = reshape c            e: f64[3] = eigvals d
    e: f64[3] = eigvals d        ->     f: f64[3] = native e
    f: f64[3] = multiply e e
"""

import gc
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from math import prod
from typing import Any

import numpy as np

import dotbar.compiler.blas
import dotbar.compiler.control
import dotbar.compiler.ranks
import dotbar.compiler.rolls
import dotbar.compiler.running
import dotbar.compiler.special
import dotbar.compiler.stacks  # noqa: F401  these enter their calls
from dotbar.compiler import engine
from dotbar.compiler.kernels import TYPES
from dotbar.compiler.loops import Native, native, supported
from dotbar.compiler.lowering import Lowering, UnsupportedError
from dotbar.compiler.pairs import PARTS
from dotbar.compiler.simplify import simplify
from dotbar.compiler.special import raises
from dotbar.compiler.threads import get_num_threads
from dotbar.compiler.wrapper import Array, Hidden, Number, Scalar, Spec, wrap
from dotbar.core import Rule
from dotbar.program import Equation, GuardFailed, Program, Var, is_static, variables

__all__ = ["Segment", "compiled", "segmented", "text", "whole"]

LONG = 20_000
"""Entries computed by a call that is worth the release of the GIL."""


class Segment(Rule):
    """Equations as one native function."""

    kind = name = "native"

    def __init__(self, program: Program):
        self.program = program
        self.specs = [spec_of(x) for x in program.inputs]
        self.native: Native = native(program)
        self.code = engine.compile(self.native.text, symbols=self.native.symbols)
        self.long = sum(prod(y.shape) for e in program.equations for y in e.outputs) > LONG
        super().__init__(self.through_numpy, ("*xs",))
        del self.fn  # made when it is asked for: of a whole Program there may be an entrance in its place

    @cached_property
    def fn(self) -> Any:  # type: ignore[override]
        """The function as a builtin of the Program's inputs."""
        made = tuple(spec_of(y) for y in self.program.outputs)
        return self.builtin(self.specs, made[0] if len(made) == 1 else made, self.adapted, self.failed)

    @engine.alone()
    def builtin(self, arguments: Sequence[Spec], output: Spec, slow: Any, failed: Any, **options: Any) -> Any:
        """A builtin that takes and returns what is specified."""
        hidden = [Hidden(x, Array(x.dtype, x.shape)) for x in self.native.constants]
        options["hidden"] = [*options.get("hidden", ()), *hidden]
        may_raise = raises(self.native.symbols)
        long = self.long or (may_raise and get_num_threads() > 1)  # each thread needs the GIL to raise
        options |= {"arena": self.native.arena, "long": long, "raises": may_raise}
        return wrap(self.code, arguments, output, slow, failed, **options)

    def adapted(self, *xs: Any) -> Any:
        """A call with arrays in another layout, or with arrays without axes in the place of numbers."""
        ys = [adapt(x, spec) for x, spec in zip(xs, self.specs, strict=True)]
        return self.fn(*ys) if any(x is not y for x, y in zip(xs, ys)) else self.through_numpy(*xs)

    def failed(self, status: int, *xs: Any) -> Any:
        """A call in which a guard failed, or which NumPy refuses with an error of its own."""
        if status > 0:
            raise GuardFailed
        return self.through_numpy(*xs)

    def through_numpy(self, *xs: Any) -> Any:
        """The same by NumPy."""
        ys = self.program.run(*xs)
        return ys[0] if len(ys) == 1 else tuple(ys)


def spec_of(x: Any) -> Spec:
    """What a value is in a call."""
    if x.shape or type(x) is np.ndarray:
        return Array(x.dtype, x.shape)
    return Number({"b": bool, "i": int, "f": float, "c": complex}[x.dtype.kind]) if x.weak else Scalar(x.dtype)


def adapt(x: Any, spec: Spec) -> Any:
    """A value as it is specified; itself, if it is so, or if it cannot be."""
    match spec:
        case Array(dtype):
            return x if getattr(x, "dtype", dtype).kind == "c" != dtype.kind else np.require(x, dtype, ("C", "A"))
        case Scalar(dtype):
            return x if type(x) is dtype.type else dtype.type(x)
        case Number(kind):
            return x if type(x) is kind else kind(x)
        case _:
            return x


# ---------------------------------------------------------------- cutting


@contextmanager
def uncollected() -> Generator[None]:
    """Without the garbage collector, which would go through all that is made here, again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@engine.alone()
@uncollected()
def compiled(program: Program, reassociate: bool = True) -> Program:
    """The Program simplified, and all that can be native in segments."""
    program = simplify(program, reassociate)
    if engine.available():
        return segmented(program, reassociate)
    _missing()
    return program


@cache
def _missing() -> None:
    warnings.warn(
        "llvmlite is not installed: jit runs its Programs through NumPy. Install it for native code: "
        "pip install llvmlite.",
        stacklevel=2,
    )


def text(program: Program) -> str:
    """The native code of a segmented Program in LLVM's language."""
    return "\n".join(e.rule.native.text for e in program.equations if isinstance(e.rule, Segment))


@engine.alone()
def segmented(program: Program, reassociate: bool = True) -> Program:
    """The Program with segments in the place of equations; one alone, of all inputs, if nothing is left to NumPy."""
    outputs = [y for y in program.outputs if type(y) in (Var, np.ndarray)]
    if outputs and all(x.dtype in {**TYPES, **PARTS} for x in (*program.inputs, *outputs)):
        try:
            if reassociate or all(map(keeps_order, program.equations)):
                return alone(Segment(Program(program.inputs, program.equations, outputs)), program)
        except UnsupportedError:
            pass
    taken = [supported(e) and (reassociate or keeps_order(e)) for e in program.equations]
    taken = [t and is_static(e) for t, e in zip(taken, program.equations)]  # stacks stay within one function
    equations: list[Equation] = []
    for native_ones, others in stages(program, taken):
        if native_ones:
            equations.append(joined(native_ones, program))
        equations += others
    return Program(program.inputs, equations, program.outputs)


def alone(segment: Segment, program: Program) -> Program:
    """A Program of one segment, with the inputs and outputs of another."""
    made = [Var(y.shape, y.dtype) for y in segment.program.outputs]
    new = iter(made)
    results = [next(new) if type(y) in (Var, np.ndarray) else y for y in program.outputs]
    return Program(program.inputs, [Equation(segment, tuple(program.inputs), {}, tuple(made))], results)


def keeps_order(equation: Equation) -> bool:
    """Whether native code rounds where NumPy does: it takes no sums or products of many, and calls no library."""
    lowering = Lowering(list(dict.fromkeys(variables(equation))))
    lowering.equation(equation)
    inexact = lambda node: node.op in ("add", "multiply") and node.dtype.kind == "f"
    return not any(node.kind == "call" or (node.kind == "reduce" and inexact(node)) for node in lowering.nodes)


def stages(program: Program, taken: Sequence[bool]) -> list[tuple[list[Equation], list[Equation]]]:
    """Native equations and NumPy's by turns, each as early as it can be.

    What may raise comes after all guards that were recorded before it.
    """
    found: list[tuple[list[Equation], list[Equation]]] = []
    known: dict[Any, tuple[int, bool]] = {}
    barrier = 0
    for e, is_native in zip(program.equations, taken):
        made = [known[x] for x in variables(e) if x in known]
        stage = max((k + (is_native and not here) for k, here in made), default=0)
        if not is_native:
            stage = max(stage, barrier)
        if not e.outputs:
            barrier = max(barrier, stage)
        while len(found) <= stage:
            found.append(([], []))
        found[stage][not is_native].append(e)
        known.update((y, (stage, is_native)) for y in e.outputs)
    return found


def joined(equations: list[Equation], program: Program) -> Equation:
    """Equations as one."""
    made = {y for e in equations for y in e.outputs}
    inner = set(equations)
    read = {x for e in program.equations if e not in inner for x in variables(e)}
    read |= {x for x in program.outputs if type(x) is Var}
    inputs = list(dict.fromkeys(x for e in equations for x in variables(e) if x not in made))
    outputs = [y for e in equations for y in e.outputs if y in read]
    return Equation(Segment(Program(inputs, equations, outputs)), tuple(inputs), {}, tuple(outputs))


def whole(program: Program) -> Segment | None:
    """The segment that is all of a Program."""
    match program.equations:
        case [Equation(rule=Segment() as segment, inputs=inputs)] if list(inputs) == program.inputs:
            return segment
    return None

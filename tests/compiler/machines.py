"""Machines that code is written for besides this one, and functions of arrays made of vector functions."""

import ctypes
import functools
import platform

import numpy as np

from dotbar.compiler import engine, vectors
from dotbar.compiler.engine import Target

TRIPLE = "x86_64-unknown-linux-gnu"
HERE = "this machine"
X86_64_V2 = Target(TRIPLE, "x86-64-v2", "+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt")
X86_64_V3 = Target(TRIPLE, "x86-64-v3", f"{X86_64_V2.features},+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe")
AARCH64 = Target("aarch64-unknown-linux-gnu", "generic", "+neon")
TYPES = {"f64": ("double", np.float64), "f32": ("float", np.float32)}


def runnable() -> dict[str, Target]:
    """This machine and those whose code it runs."""
    if not engine.available():
        return {}
    found = {HERE: engine.host()}
    if platform.machine() in ("x86_64", "AMD64"):
        features = engine.host().features.split(",")
        for target in (X86_64_V3, X86_64_V2):
            if set(target.features.split(",")) <= set(features):
                found[target.cpu] = Target(engine.host().triple, target.cpu, target.features)
    return found


RUNNABLE = runnable()


def arity(name: str) -> int:
    return vectors.KERNELS[name].__code__.co_argcount


def text_of(names, dtype, lanes=None):
    """``void @each.name(i64 n, ptr out, ptr x …)`` for n entries, a multiple of the lanes."""
    element, number = TYPES[dtype]
    lanes = lanes or engine.lanes(number)
    vector = element if lanes == 1 else f"<{lanes} x {element}>"
    loops = []
    for name in names:
        arguments = [f"x{i}" for i in range(arity(name))]
        loads = "\n".join(
            f"  %p{x} = getelementptr {element}, ptr %{x}, i64 %i\n  %v{x} = load {vector}, ptr %p{x}, align 4"
            for x in arguments
        )
        loops.append(f"""
define void @each.{name}(i64 %n, ptr %out, {", ".join(f"ptr %{x}" for x in arguments)}) #0 {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
{loads}
  %y = call {vector} @dotbar.{name}.{dtype}x{lanes}({", ".join(f"{vector} %v{x}" for x in arguments)})
  %q = getelementptr {element}, ptr %out, i64 %i
  store {vector} %y, ptr %q, align 4
  %next = add i64 %i, {lanes}
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret void
}}""")
    declared = sorted(set().union(*(vectors.requires(name, dtype, lanes) for name in names)))
    defined = [vectors.source(name, dtype, lanes, engine.machine().fma) for name in names]
    return "\n".join([*declared, *defined, *loops, f"attributes #0 = {{ {engine.attributes()} }}\n"])


@functools.cache
def _code(dtype: str, lanes: int | None, machine: str) -> engine.Code:
    with engine.writing_for(RUNNABLE[machine]):
        return engine.compile(text_of(vectors.KERNELS, dtype, lanes))


def function(name: str, dtype: str = "f64", lanes: int | None = None, machine: str = HERE):
    """A vector function as a function of arrays, for a machine that runs here."""
    address = _code(dtype, lanes, machine).address(f"each.{name}")
    run = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * (1 + arity(name)))(address)

    def apply(*arrays):
        size = len(arrays[0])
        room = [np.zeros(-(-size // 64) * 64, TYPES[dtype][1]) for _ in range(1 + len(arrays))]
        for padded, array in zip(room[1:], arrays):
            padded[:size] = array
        run(len(room[0]), *(padded.ctypes.data for padded in room))
        return room[0][:size]

    return apply

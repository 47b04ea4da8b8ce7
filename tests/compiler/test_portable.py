"""What is written for older x86-64 and for AArch64 is code there, and computes what this machine computes."""

import platform
import re
import shutil
import subprocess

import numpy as np
import pytest
from machines import AARCH64, HERE, RUNNABLE, X86_64_V2, X86_64_V3, arity, text_of
from numpy.testing import assert_allclose
from test_loops import record, run
from test_vectors import OF_ONE, OF_TWO, agree, arguments, errors, reference

import dotbar as db
from dotbar.compiler import engine, threads, vectors
from dotbar.compiler.loops import native

pytestmark = pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")

TARGETS = [X86_64_V2, X86_64_V3, AARCH64]
COMPILER, EMULATOR = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
emulated = pytest.mark.skipif(not (COMPILER and EMULATOR), reason="there is no AArch64 compiler or emulator")


def mixed(x, w, n):
    """Broadcasts, reductions, writes, integers, a comparison, single precision."""
    y = np.tanh(x[:, None] * w) + np.exp(-np.abs(w))
    y[::2] = np.where(y[::2] > 0.3, np.sin(y[::2]), y[::2] ** 2)
    z = (y.astype(np.float32) * np.float32(0.5)).astype(float)
    return np.sum(z * y) + np.max(y, axis=0)[7] + np.sum(np.log1p(y * y)[1:, ::-1]) * (n * n - 3)


ARGS = (np.linspace(-2, 2, 11), np.linspace(-1, 3, 11 * 19).reshape(11, 19), 7)
PROGRAM = record(db.value_and_grad(mixed, (0, 1)), *ARGS)


def of_program():
    return native(PROGRAM).text


def of_double_precision():
    return text_of(vectors.KERNELS, "f64")


def of_single_precision():
    return text_of(vectors.KERNELS, "f32")


def of_pool():
    return threads.source()


@pytest.mark.parametrize("write", [of_program, of_double_precision, of_single_precision, of_pool])
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.cpu)
def test_text_is_code_for_another_machine(target, write):
    """It has no vectors beyond the machine's, and no calls in the place of an instruction that is missing."""
    with engine.writing_for(target):
        text = write()
        assembly = target.assembly(text)
    calls = set(re.findall(r"\b(?:callq?|bl)\s+([A-Za-z][\w.]*)", assembly))
    defined = set(re.findall(r"^([A-Za-z][\w.]*):", assembly, re.MULTILINE))
    known = {f"{name}{suffix}" for name in vectors.LIBM.values() for suffix in ("", "f")} | {"sched_yield"}
    assert {name for name in calls - defined if not name.startswith("pthread_")} <= known
    assert "zmm" not in assembly
    if target is X86_64_V2:
        assert "ymm" not in assembly


@pytest.mark.parametrize("machine", [name for name in RUNNABLE if name != HERE])
def test_a_program_for_an_older_machine(machine):
    with engine.writing_for(RUNNABLE[machine]):
        status, found = run(PROGRAM, *ARGS)
    assert status == 0
    for y, wanted in zip(found, PROGRAM.run(*ARGS), strict=True):
        assert_allclose(y, wanted, rtol=1e-13)


MAIN = """
#include <stdio.h>
#include <stdlib.h>
int program(void **inputs, void **outputs, void *arena);
static void **blocks(char ***sizes) {
    int count = atoi(*(*sizes)++);
    void **made = malloc(8 * count + 8);
    for (int i = 0; i < count; i++) made[i] = aligned_alloc(64, (atol((*sizes)[i]) + 127) & ~63L);
    return made;
}
int main(int argc, char **argv) {
    char **sizes = argv + 1, **in = sizes + 1, **out;
    void **arena = blocks(&sizes);
    sizes += 1, in = sizes + 1;
    void **inputs = blocks(&sizes);
    for (int i = 0; i < atoi(in[-1]); i++) fread(inputs[i], 1, atol(in[i]), stdin);
    sizes += atoi(in[-1]), out = sizes + 1;
    void **outputs = blocks(&sizes);
    int status = program(inputs, outputs, arena[0]);
    for (int i = 0; i < atoi(out[-1]); i++) fwrite(outputs[i], 1, atol(out[i]), stdout);
    return status;
}
"""


def emulate(folder, text, inputs, outputs, arena=64):
    """The outputs, given as empty arrays, of a program that runs on an AArch64 machine."""
    (folder / "main.c").write_text(MAIN)
    (folder / "program.o").write_bytes(AARCH64.object(text))
    build = [COMPILER, "-O1", "-static", "-w", "main.c", "program.o", "-lm", "-o", "main"]
    subprocess.run(build, cwd=folder, check=True)
    sizes = [1, arena, len(inputs), *(x.nbytes for x in inputs), len(outputs), *(y.nbytes for y in outputs)]
    given = b"".join(x.tobytes() for x in inputs)
    done = subprocess.run([EMULATOR, folder / "main", *map(str, sizes)], input=given, capture_output=True, check=True)
    parts = np.split(np.frombuffer(done.stdout, np.uint8), np.cumsum([y.nbytes for y in outputs])[:-1])
    return [part.view(y.dtype).reshape(y.shape) for part, y in zip(parts, outputs, strict=True)]


@emulated
def test_a_program_on_aarch64(tmp_path):
    with engine.writing_for(AARCH64):
        function = native(PROGRAM)
        text = function.text
    inputs = [np.asarray(a, x.dtype) for a, x in zip(ARGS, PROGRAM.inputs, strict=True)]
    wanted = [np.asarray(y) for y in PROGRAM.run(*ARGS)]
    found = emulate(tmp_path, text, [*inputs, *function.constants], wanted, function.arena)
    for y, z in zip(found, wanted, strict=True):
        assert_allclose(y, z, rtol=1e-13)


@emulated
def test_vector_functions_on_aarch64(tmp_path):
    names = [*OF_ONE, *OF_TWO]
    given = {name: [np.append(x, np.ones(-len(x) % 2)) for x in arguments(name)] for name in names}
    lines, at = [], 0
    for k, name in enumerate(names):
        places = [(f"%x{at + i}", "%inputs", at + i) for i in range(arity(name))] + [(f"%y{k}", "%outputs", k)]
        for pointer, base, i in places:
            lines += [
                f"  {pointer}p = getelementptr ptr, ptr {base}, i64 {i}",
                f"  {pointer} = load ptr, ptr {pointer}p",
            ]
        *operands, result = [pointer for pointer, _, _ in places]
        passed = ", ".join(f"ptr {pointer}" for pointer in (result, *operands))
        lines.append(f"  call void @each.{name}(i64 {len(given[name][0])}, {passed})")
        at += arity(name)
    head = "define i32 @program(ptr %inputs, ptr %outputs, ptr %arena) {"
    with engine.writing_for(AARCH64):
        text = "\n".join([text_of(names, "f64"), head, *lines, "  ret i32 0", "}\n"])
    inputs = [x for name in names for x in given[name]]
    found = emulate(tmp_path, text, inputs, [np.empty_like(given[name][0]) for name in names])
    for name, y in zip(names, found, strict=True):
        xs, (exact, low) = arguments(name), reference(name)
        y = y[: len(exact)]
        agree(y, xs, errors(y, exact, low, exact))


def test_machines_that_run_here():
    assert RUNNABLE[HERE] is engine.host()
    assert platform.machine() not in ("x86_64", "AMD64") or len(RUNNABLE) > 1

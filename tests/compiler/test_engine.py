"""LLVM IR text becomes machine code, for this machine in memory and for others as text; errors show the lines."""

import ctypes
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from machines import AARCH64, X86_64_V2, X86_64_V3

from dotbar.compiler import engine
from dotbar.errors import CompilerError

pytestmark = pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")

TWICE = """
define double @twice(double %x) #0 {
  %y = fadd double %x, %x
  ret double %y
}
"""
VECTOR = """
define void @multiply_add(ptr %a, ptr %b) #0 {
  %x = load <8 x double>, ptr %a, align 8
  %y = load <8 x double>, ptr %b, align 8
  %z = fmul contract <8 x double> %x, %y
  %s = fadd contract <8 x double> %z, %y
  store <8 x double> %s, ptr %b, align 8
  ret void
}
"""
REAL_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DOTBAR_CACHE_DIR", str(tmp_path / "objects"))
    return tmp_path / "objects"


def for_target(text, target):
    return f"{text}attributes #0 = {{ {target.attributes()} }}\n"


def for_host(text):
    return for_target(text, engine.host())


def function(code, name):
    return REAL_FUNCTION(code.address(name))


@pytest.mark.parametrize("level", [0, 1, 2])
def test_text_runs(level):
    code = engine.compile(for_host(TWICE), level=level)
    assert function(code, "twice")(1.5) == 3.0


def test_vectors_run():
    code = engine.compile(for_host(VECTOR))
    a, b = np.arange(8.0), np.ones(8)
    run = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(code.address("multiply_add"))
    run(a.ctypes.data, b.ctypes.data)
    assert np.array_equal(b, np.arange(8.0) + 1)


def test_the_same_names_may_be_defined_again():
    first, second = (engine.compile(for_host(TWICE.replace("fadd", operation))) for operation in ("fadd", "fmul"))
    assert (function(first, "twice")(3.0), function(second, "twice")(3.0)) == (6.0, 9.0)


def test_a_symbol_is_bound_at_each_use_of_the_text():
    text = for_host(
        "declare double @given(double)\ndefine double @f(double %x) #0 {\n"
        "  %y = call double @given(double %x)\n  ret double %y\n}\n"
    )
    functions = [REAL_FUNCTION(lambda x: x + 1), REAL_FUNCTION(lambda x: x - 1)]
    addresses = [ctypes.cast(f, ctypes.c_void_p).value for f in functions]
    codes = [engine.compile(text, symbols={"given": address}) for address in addresses]
    assert [function(code, "f")(1.0) for code in codes] == [2.0, 0.0]


def test_functions_of_the_process_are_found():
    code = engine.compile(
        "declare double @cbrt(double)\ndefine double @f(double %x) {\n"
        "  %y = call double @cbrt(double %x)\n  ret double %y\n}\n"
    )
    assert function(code, "f")(27.0) == pytest.approx(3.0)


def test_what_is_not_defined_is_named():
    code = engine.compile(
        "declare double @nowhere(double)\ndefine double @f(double %x) {\n"
        "  %y = call double @nowhere(double %x)\n  ret double %y\n}\n"
    )
    with pytest.raises(CompilerError, match="f cannot be linked"):
        code.address("f")
    with pytest.raises(CompilerError, match="absent cannot be linked"):
        engine.compile(TWICE.replace(" #0", "")).address("absent")


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        (TWICE.replace("fadd", "fad").replace(" #0", ""), r">     3    %y = fad double %x, %x"),
        (TWICE.replace("double %y", "float %y").replace(" #0", ""), r">     4    ret float %y"),
        ("define void @f() {\na:\n  br label %b\nb:\n  %y = add i64 %y, 1\n  ret void\n}", r"%y = add i64 %y, 1"),
    ],
    ids=["instruction", "type", "order"],
)
def test_an_error_shows_the_line(wrong, shown):
    with pytest.raises(CompilerError, match="LLVM refuses the code") as caught:
        engine.compile(wrong)
    assert shown in str(caught.value)


def test_text_is_only_asked_for_when_nothing_is_stored():
    asked = []

    def text():
        asked.append(1)
        return for_host(TWICE)

    codes = [engine.compile(text, key="the function twice") for _ in range(3)]
    assert len(asked) == 1
    assert all(function(code, "twice")(2.0) == 4.0 for code in codes)


def test_a_damaged_object_is_made_again(folder):
    engine.compile(for_host(TWICE))
    (stored,) = folder.iterdir()
    whole = stored.read_bytes()
    for damaged in (whole[:-3], b"", b"\x7fELF" + whole):
        stored.write_bytes(damaged)
        assert function(engine.compile(for_host(TWICE)), "twice")(2.0) == 4.0
        assert stored.read_bytes() == whole


def test_another_process_finds_the_object(folder):
    engine.compile(for_host(TWICE))
    script = (
        "import sys\nfrom dotbar.compiler import engine\n"
        "engine.Target.object = None  # nothing can be compiled\n"
        "print(engine.compile(sys.stdin.read()).address('twice') > 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], input=for_host(TWICE), capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


def test_lanes_fill_a_vector():
    assert [X86_64_V2.lanes(dtype) for dtype in ("f8", "f4", "i1")] == [2, 4, 16]
    assert engine.lanes(np.float32) == 2 * engine.lanes(np.float64) == engine.host().width // 4


def test_text_is_written_for_a_machine():
    assert engine.machine() is engine.host()
    with engine.writing_for(X86_64_V3):
        assert (engine.lanes("f8"), engine.attributes()) == (4, X86_64_V3.attributes())
        with engine.writing_for(AARCH64):
            assert engine.machine() is AARCH64
        assert engine.machine() is X86_64_V3
    assert engine.machine() is engine.host()


def test_an_object_belongs_to_its_machine(folder):
    text = TWICE.replace(" #0", "")
    engine.compile(text)
    with engine.writing_for(replace(engine.host(), features="+sse4.2")):
        engine.compile(text)
    assert len(list(folder.iterdir())) == 2


def test_x86_64_has_fma_since_its_third_version():
    old, new = (target.assembly(for_target(VECTOR, target)) for target in (X86_64_V2, X86_64_V3))
    assert "mulpd" in old
    assert "ymm" not in old
    assert "vfmadd" in new
    assert "zmm" not in new
    assert (X86_64_V2.fma, X86_64_V3.fma) == (False, True)


def test_aarch64_has_fma():
    assembly = AARCH64.assembly(for_target(VECTOR, AARCH64))
    assert "fmla" in assembly
    assert AARCH64.fma
    assert AARCH64.object(for_target(VECTOR, AARCH64))[18] == 183  # ELF's number of the machine


def run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_llvmlite_is_imported_when_first_used():
    script = "import sys\nimport dotbar.compiler.{}\nprint('llvmlite' in sys.modules)"
    assert [run(script.format(module)) for module in ("engine", "wrapper")] == [["False"], ["False"]]


def test_llvmlite_may_be_missing():
    script = "import sys\nsys.modules['llvmlite'] = None\nfrom dotbar.compiler import engine\nprint(engine.available())"
    assert run(script) == ["False"]

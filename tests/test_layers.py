"""The code's layers, drawn from its imports: a file imports only from its own layer or those below, without cycles."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import dotbar

ROOT = Path(dotbar.__file__).parent

LAYERS = {
    "errors": 0,
    "tree": 0,
    "core": 1,
    "program": 1,
    "rules": 2,
    "tape": 3,
    "dual": 3,
    "batch": 3,
    "trace": 3,
    "compiler": 3,
    "express": 4,
    "debug": 4,
    "transforms": 5,
    "custom": 5,
    "checkpoint": 5,
    "nested": 5,
    "control": 5,
    "hooks": 5,
    "graph": 5,
    "joint": 5,
    "surroundings": 5,
    "rebuilt": 5,
    "entrance": 5,
    "jit": 5,
    "check": 5,
    "extend": 6,
    "linalg": 6,
    "numpy": 6,
    "scipy": 6,
    "__init__": 7,
}


def name_of(path: Path) -> str:
    """``rules.linalg`` for rules/linalg.py, ``rules`` for its package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


FILES = {name_of(path): path for path in ROOT.rglob("*.py")}


def imports(name: str) -> set[str]:
    """The files of dotbar that a file imports, also inside its functions."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import"
            targets = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        else:
            continue
        for target in targets:
            if target == "dotbar" or target.startswith("dotbar."):
                found.add(resolve(target))
    return found


def resolve(target: str) -> str:
    """The file that ``dotbar.a.b`` means: the longest part of it that is one."""
    parts = target.split(".")[1:]
    while parts and ".".join(parts) not in FILES:
        parts.pop()
    return ".".join(parts) or "__init__"


def layer(name: str) -> int:
    return LAYERS[name.partition(".")[0]]


GRAPH = {name: imports(name) for name in FILES}


def test_every_file_has_a_layer():
    assert {name.partition(".")[0] for name in FILES} <= LAYERS.keys()


def test_no_file_imports_from_above():
    upward = [f"{a} imports {b}" for a, bs in GRAPH.items() for b in bs if layer(b) > layer(a)]
    assert not upward, "\n".join(upward)


def test_there_are_no_cycles():
    assert list(TopologicalSorter(GRAPH).static_order())


def loaded(code: str) -> set[str]:
    """The modules that a fresh Python has after running the code."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


def test_import_loads_neither_scipy_nor_anything_heavy():
    extra = loaded("import dotbar") - loaded("import numpy")
    tops = {name.partition(".")[0] for name in extra}
    assert not tops & {"scipy", "llvmlite", "matplotlib", "pytest", "unittest", "asyncio", "multiprocessing"}
    assert not {
        name for name in extra if name.startswith(("numpy.polynomial", "numpy.random", "numpy.ma", "numpy.f2py"))
    }

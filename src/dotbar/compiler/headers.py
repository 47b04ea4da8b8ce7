"""Stacks: the rows that loops of unknown length make, in memory that grows and is freed when the function returns.

Of each stack a header, one of the function's ``%headers``, says where the rows lie, how many there are, and for how
many there is room::

    i32 @f(x)            ->     i32 @f.work(x, headers)
                                i32 @f(x): headers = 0, 0, 0, ...; status = f.work(x, headers); free the stacks
"""

from collections.abc import Sequence

from dotbar.compiler import engine
from dotbar.compiler.kernels import Code

__all__ = ["FEWEST", "ROOM", "ROWS", "declare", "place", "with_headers"]

SIZE, ROWS, ROOM = 24, 8, 16
"""The bytes of a header, and where in it the numbers stand."""

FEWEST = 64
"""The rows for which a stack has room at first."""


def place(code: Code, number: int) -> str:
    """Where a header lies."""
    return code(f"getelementptr i8, ptr %headers, i64 {SIZE * number}")


def declare(code: Code) -> None:
    """What makes memory larger."""
    code.definitions["PyMem_RawRealloc"] = "declare ptr @PyMem_RawRealloc(ptr, i64)"
    code.symbols["PyMem_RawRealloc"] = engine.address("PyMem_RawRealloc")


def with_headers(code: Code, head: str, name: str, parameters: Sequence[str], n: int) -> str:
    """A function that calls another with the headers of its stacks."""
    code.definitions["PyMem_RawFree"] = "declare void @PyMem_RawFree(ptr)"
    code.symbols["PyMem_RawFree"] = engine.address("PyMem_RawFree")
    frees = [
        f"  %at{k} = getelementptr i8, ptr %headers, i64 {SIZE * k}\n  %stack{k} = load ptr, ptr %at{k}\n"
        f"  call void @PyMem_RawFree(ptr %stack{k})"
        for k in range(n)
    ]
    lines = [
        f"define {head}({', '.join(f'ptr noalias {x}' for x in parameters)}) #0 {{",
        f"  %headers = alloca [{SIZE * n} x i8], align 8",
        f"  call void @llvm.memset.p0.i64(ptr %headers, i8 0, i64 {SIZE * n}, i1 false)",
        f"  %status = call i32 @{name}.work({', '.join(f'ptr {x}' for x in (*parameters, '%headers'))})",
        *frees,
        "  ret i32 %status",
        "}",
    ]
    return "\n".join(lines)

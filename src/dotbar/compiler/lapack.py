"""Factorisations of matrices by LAPACK, through the pointers that SciPy exports, as LLVM IR text.

Each class has the sizes and the layout of one matrix, the bytes of ``work`` that it needs, and ``define``, which writes
a function ``i32 (ptr operands…, ptr results…, ptr work)`` and gives its name.  It returns 0, or 1 where LAPACK fails.
LAPACK's matrices lie column by column: a result in its order is the transpose of one in C's.
"""

import ctypes
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from dotbar.compiler import engine
from dotbar.compiler.tiles import Matrix, Routine, pack
from dotbar.compiler.triangles import Triangle

PREFIX = "scipy."
MODULES = {"lapack": "scipy.linalg.cython_lapack", "special": "scipy.special.cython_special"}

BLOCK = 64
"""The columns of a block of LAPACK's, in whose number it wants its workspace."""

INT = 4
"""The bytes of LAPACK's integers."""


@cache
def address(name: str) -> int:
    """Where a function ``scipy.lapack.dgetrf`` lies."""
    _, module, function = name.split(".")
    capsule = exported(module)[function]
    return _api("PyCapsule_GetPointer", ctypes.c_void_p, ctypes.c_char_p)(capsule, signature(capsule))


def exported(module: str) -> dict[str, Any]:
    """The pointers that one of SciPy's modules exports."""
    return import_module(MODULES[module]).__pyx_capi__


def signature(capsule: Any) -> bytes:
    """The type of an exported function, as C has it."""
    return _api("PyCapsule_GetName", ctypes.c_char_p)(capsule)


def _api(name: str, result: Any, *arguments: Any) -> Any:
    return ctypes.PYFUNCTYPE(result, ctypes.py_object, *arguments)((name, ctypes.pythonapi))


def symbols(definitions: dict[str, str]) -> dict[str, int]:
    """The addresses of SciPy's functions that are declared."""
    return {name: address(name) for name in definitions if name.startswith(PREFIX)}


class Fortran(Routine):
    """The code of a function that calls LAPACK; a variable in memory is asked for by its name."""

    def __init__(self, definitions: dict[str, str], dtype: np.dtype[Any]) -> None:
        super().__init__(definitions, dtype, engine.lanes(dtype))
        self.letter = "d" if dtype.itemsize == 8 else "s"
        self.info = self("alloca i32")

    def constant(self, value: int | str) -> str:
        """A pointer to an integer or a letter."""
        kind, number = ("i8", ord(value)) if isinstance(value, str) else ("i32", value)
        name = f"dotbar.{kind}.{number}"
        self.definitions[name] = f"@{name} = private constant {kind} {number}"
        return f"@{name}"

    def fortran(self, routine: str, *arguments: Any) -> str:
        """Call a routine, named without the letter of the dtype, with pointers, integers and letters; its info."""
        pointers = [x if isinstance(x, str) and x[0] == "%" else self.constant(x) for x in arguments] + [self.info]
        name = f"{PREFIX}lapack.{self.letter}{routine}"
        self.definitions[name] = f"declare void @{name}({', '.join(['ptr'] * len(pointers))})"
        self.put(f"call void @{name}({', '.join(f'ptr {p}' for p in pointers)})")
        return self(f"load i32, ptr {self.info}")

    def turned(self, A: Matrix, x: str, y: str) -> None:
        """Copy a matrix at ``x`` to ``y``, column by column."""
        lanes = self.lanes
        for count, parts, first in ((lanes, A.rows // lanes, 0), (A.rows % lanes, 1, A.rows - A.rows % lanes)):
            for j in self.each(parts) if count else ():
                place = self.line(j, lanes, first)
                source, target = self.at(x, (place, A.down)), self.at(y, (place, 1))
                pack(self, source, target, A.columns, count, (A.across, A.down), A.rows)


def failed(code: Fortran, *infos: str) -> str:
    """The status: whether an info is not 0."""
    bad = "false"
    for info in infos:
        bad = code(f"or i1 {bad}, {code(f'icmp ne i32 {info}, 0')}")
    return code(f"zext i1 {bad} to i32")


class Factorisation:
    """A routine of LAPACK's on a matrix A."""

    kind = ""

    def __init__(self, dtype: np.dtype[Any], A: Matrix) -> None:
        self.dtype, self.A, self.size = dtype, A, dtype.itemsize
        self.name = f"dotbar.{self.kind}.{dtype.name}.{A}"

    def define(self, definitions: dict[str, str]) -> str:
        """Write the function; its name."""
        if self.name not in definitions:
            code = Fortran(definitions, self.dtype)
            parameters, status = self.write(code)
            code.define(self.name, ", ".join(f"ptr {p}" for p in parameters.split()), status)
        return self.name

    def write(self, code: Fortran) -> tuple[str, str]:
        """The body; the parameters and the status."""
        raise NotImplementedError


class Substitution(Factorisation):
    """X = A⁻¹B in the place of B, by the factors of A, or by those of Aᵀ; 1 if A is singular."""

    kind = "substitution"

    def __init__(self, dtype: np.dtype[Any], LU: Matrix, columns: int, adjoint: bool) -> None:
        super().__init__(dtype, LU)
        self.columns, self.adjoint = columns, adjoint
        self.name += f".{columns}.{adjoint}"

        if adjoint:
            self.triangles = [Triangle(dtype, LU.T, columns, True), Triangle(dtype, LU.T, columns, False, unit=True)]
        else:
            self.triangles = [Triangle(dtype, LU, columns, True, unit=True), Triangle(dtype, LU, columns, False)]

    @property
    def work(self) -> int:
        return max(triangle.work for triangle in self.triangles)

    def write(self, code: Fortran) -> tuple[str, str]:
        if not self.adjoint:
            self._exchange(code)
        status = singular(code, "%lu", self.A)
        for triangle in self.triangles:
            code(f"call i32 @{triangle.define(code.definitions)}(ptr %lu, ptr %x, ptr %work)")
        if self.adjoint:
            self._exchange(code)
        return "%lu %pivots %x %work", status

    def _exchange(self, code: Fortran) -> None:
        """Exchange the rows of X as those of A were, or back."""
        n, m, lanes = self.A.rows, self.columns, code.lanes
        for k in code.each(n):
            k = code.line(k, -1, n - 1) if self.adjoint else k
            other = code(f"load i64, ptr {code(f'getelementptr i64, ptr %pivots, i64 {k}')}")
            here, there = code.at("%x", (k, m)), code.at("%x", (other, m))
            for count, parts, first in ((lanes, m // lanes, 0), (m % lanes, 1, m - m % lanes)):
                for j in code.each(parts) if count else ():
                    p, q = (code.at(row, (code.line(j, lanes, first), 1)) for row in (here, there))
                    x, y = code.load(p, count), code.load(q, count)
                    code.store(y, p, count)
                    code.store(x, q, count)


def singular(code: Routine, t: str, T: Matrix) -> str:
    """Whether an entry on the diagonal of a triangle is 0, as i32."""
    loop = code.loop(T.rows, ("i32", "0"))
    entry = code(f"load {code.scalar}, ptr {code.at(t, (loop.index, T.down + T.across))}")
    zero = code(f"zext i1 {code(f'fcmp oeq {code.scalar} {entry}, 0.0')} to i32")
    return loop.close(code(f"or i32 {loop.values[0]}, {zero}"))[0]


class Eigh(Factorisation):
    """Eigenvalues of a symmetric matrix, and eigenvectors one after the other; its lower triangle is read."""

    kind = "eigh"

    @property
    def lengths(self) -> tuple[int, int]:
        """The numbers and the integers of the workspace."""
        n = self.A.rows
        return 1 + 6 * n + 2 * n * n + n * BLOCK, 3 + 5 * n

    @property
    def work(self) -> int:
        numbers, integers = self.lengths
        return numbers * self.size + integers * INT

    def write(self, code: Fortran) -> tuple[str, str]:
        return "%a %w %v %work", self.call(code, "V", "%v", "%work")

    def call(self, code: Fortran, job: str, v: str, work: str) -> str:
        """The routine on a copy of A at ``v``; the status."""
        n, (numbers, integers) = self.A.rows, self.lengths
        code.turned(self.A, "%a", v)
        indices = code.at(work, (numbers, 1))
        return failed(code, code.fortran("syevd", job, "L", n, v, n, "%w", work, numbers, indices, integers))


class Eigenvalues(Eigh):
    """Eigenvalues alone."""

    kind = "eigenvalues"

    @property
    def lengths(self) -> tuple[int, int]:
        n = self.A.rows
        return 1 + 2 * n + n * BLOCK, 1

    @property
    def work(self) -> int:
        return self.A.rows**2 * self.size + super().work

    def write(self, code: Fortran) -> tuple[str, str]:
        return "%a %w %work", self.call(code, "N", "%work", code.at("%work", (self.A.rows, self.A.rows)))


class SVD(Factorisation):
    """A = U diag(s) Vᵀ: columns of U, s, and columns of Vᵀ, one after the other."""

    kind = "svd"

    def __init__(self, dtype: np.dtype[Any], A: Matrix, full: bool) -> None:
        super().__init__(dtype, A)
        self.full = full
        self.name += f".{full}"

    @property
    def numbers(self) -> int:
        least, most = sorted((self.A.rows, self.A.columns))
        return 4 * least * least + 7 * least + most + (least + most) * BLOCK

    @property
    def work(self) -> int:
        A = self.A
        return (A.rows * A.columns + self.numbers) * self.size + 8 * min(A.rows, A.columns) * INT

    def write(self, code: Fortran) -> tuple[str, str]:
        job = "A" if self.full else "S"
        return "%a %u %s %v %work", self.call(code, job, "%u", "%v")

    def call(self, code: Fortran, job: str, u: str, v: str) -> str:
        """The routine on a copy of A; the status."""
        m, n = self.A.rows, self.A.columns
        code.turned(self.A, "%a", "%work")
        work = code.at("%work", (m * n, 1))
        integers = code.at(work, (self.numbers, 1))
        rows = n if self.full else min(m, n)
        return failed(
            code, code.fortran("gesdd", job, m, n, "%work", m, "%s", u, m, v, rows, work, self.numbers, integers)
        )


class SingularValues(SVD):
    """Singular values alone."""

    kind = "singular"

    def __init__(self, dtype: np.dtype[Any], A: Matrix) -> None:
        super().__init__(dtype, A, full=False)

    @property
    def numbers(self) -> int:
        least, most = sorted((self.A.rows, self.A.columns))
        return 10 * least + most + (least + most) * BLOCK

    def write(self, code: Fortran) -> tuple[str, str]:
        return "%a %s %work", self.call(code, "N", "%s", "%s")  # neither U nor V is touched


class QR(Factorisation):
    """A = Q R for m ≥ n: columns of Q, n of them or m if ``full``, and R in C's order."""

    kind = "qr"

    def __init__(self, dtype: np.dtype[Any], A: Matrix, full: bool) -> None:
        super().__init__(dtype, A)
        self.full = full
        self.name += f".{full}"

    @property
    def work(self) -> int:
        return (self.A.columns + self.A.rows * BLOCK) * self.size

    def write(self, code: Fortran) -> tuple[str, str]:
        m, n = self.A.rows, self.A.columns
        columns = m if self.full else n
        code.turned(self.A, "%a", "%q")
        work, length = code.at("%work", (n, 1)), m * BLOCK
        first = code.fortran("geqrf", m, n, "%q", m, "%work", work, length)
        size = columns * n * self.size
        code.put(f"call void @llvm.memset.p0.i64(ptr %r, i8 0, i64 {size}, i1 false)")
        for j in code.each(n):
            loop = code.loop(code.line(j, 1, 1))
            entry = code(f"load {code.scalar}, ptr {code.at('%q', (j, m), (loop.index, 1))}")
            code.put(f"store {code.scalar} {entry}, ptr {code.at('%r', (loop.index, n), (j, 1))}")
            loop.close()
        second = code.fortran("orgqr", m, columns, n, "%q", m, "%work", work, length)
        return "%a %q %r %work", failed(code, first, second)

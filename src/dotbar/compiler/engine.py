"""LLVM IR text -> machine code in memory.  The only module that imports llvmlite, and it does so when first used.

The text is compiled as it stands: vectors are written out and nothing is left to an optimiser.  LLVM's instruction
selection does the rest, so text must be in SSA form (an ``alloca`` stays in memory, a call stays a call).

Text is written for a ``machine``: this one, or in ``with writing_for(target)`` another, for which ``lanes`` and the
like then answer.

Addresses reach the code as named symbols (``declare``d in the text, given to ``compile``), or as
``inttoptr (i64 … to ptr)``.  Only text of the first kind is the same in another process and found in the cache.
"""

import os
import re
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from itertools import count
from threading import RLock
from typing import Any

import numpy as np

from dotbar.compiler import cache as disk
from dotbar.errors import CompilerError

LEVEL = 2
"""LLVM's effort in instruction selection and scheduling: 0 is a fifth slower to run, 1 a tenth faster to compile."""


_lock = RLock()
if hasattr(os, "register_at_fork"):  # a forked process must not begin in the midst of another thread's compilation
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


@contextmanager
def alone() -> Generator[None]:
    """While no other thread makes code, or looks for it."""
    with _lock:
        yield


@dataclass(frozen=True)
class Target:
    """A machine to generate code for: LLVM's triple, the processor's name and its features."""

    triple: str
    cpu: str
    features: str

    @property
    def width(self) -> int:
        """The bytes of a vector register."""
        if self._has("avx512vl"):
            return 64
        return 32 if self._has("avx") else 16

    @property
    def fma(self) -> bool:
        """Whether ``llvm.fma`` is an instruction; otherwise it is a slow call."""
        return self._has("fma") or self.triple.startswith(("aarch64", "arm64"))

    def lanes(self, dtype: Any) -> int:
        """How many elements of a dtype a vector register holds."""
        return self.width // np.dtype(dtype).itemsize

    def attributes(self) -> str:
        """What stands in the ``attributes #0 = { … }`` that every function of a text refers to."""
        return (
            f'nounwind "target-cpu"="{self.cpu}" "target-features"="{self.features}" '
            f'"prefer-vector-width"="{8 * self.width}"'
        )

    def assembly(self, text: str) -> str:
        """The text in the machine's assembly language."""
        with _module(text, self.triple) as module:
            return _machine(self).emit_assembly(module)

    def object(self, text: str, level: int = LEVEL) -> bytes:
        """The text as an object file."""
        with _module(text, self.triple) as module:
            return _machine(self, level).emit_object(module)

    def _has(self, feature: str) -> bool:
        return f"+{feature}" in self.features.split(",")


_WINDOWS = (
    sys.platform == "win32"
)  # its object format is not known to LLVM's newer linker, nor are short addresses safe
_CODE_MODEL = "jitdefault" if _WINDOWS else "small"


class Code:
    """Machine code in memory, there for as long as this object."""

    def __init__(self, contents: bytes, symbols: Mapping[str, int]) -> None:
        llvm = _llvm()
        library = llvm.JITLibraryBuilder().add_object_img(contents).add_current_process()
        for name, address in symbols.items():
            library.import_symbol(name, address)
        self._linker = _linker()
        self._name = f"dotbar.{next(_serial)}"
        self._held: dict[str, Any] = {"": library.link(self._linker, self._name)}

    @alone()
    def address(self, name: str) -> int:
        """Where the function or global of a name lies.

        The linker is asked once: what it answers holds the code, which is gone with any of two answers.
        """
        if name not in self._held:
            try:
                self._held[name] = self._linker.lookup(self._name, name)
            except RuntimeError as error:
                raise CompilerError(f"{name} cannot be linked: {error}") from None
        return self._held[name][name]


_serial = count()


def compile(
    text: str | Callable[[], str],
    key: str | None = None,
    symbols: Mapping[str, int] | None = None,
    level: int = LEVEL,
) -> Code:
    """Machine code of a text, from the cache if it is there; for this machine, or one whose code it runs.

    ``key`` stands for the text in the cache, where something shorter determines it; a text given as a function is then
    only asked for when nothing is cached.  ``symbols`` are addresses of what the text declares and does not define.
    """
    written = text if isinstance(text, str) else None
    if key is None:
        key = written = written or text()  # type: ignore[operator]
    else:
        key += _version()
    target = machine()
    name = disk.key(key, repr(target), str(level), _llvm_version())
    contents = disk.load(name)
    if contents is None:
        contents = target.object(written or text(), level)  # type: ignore[operator]
        disk.store(name, contents)
    return Code(contents, symbols or {})


@cache
def available() -> bool:
    """Whether llvmlite can be imported."""
    try:
        import llvmlite.binding  # noqa: F401
    except ImportError:
        return False
    return True


@cache
def host() -> Target:
    """The machine that runs now."""
    llvm = _llvm()
    return Target(llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())


_written_for: ContextVar[Target | None] = ContextVar("written for", default=None)


def machine() -> Target:
    """The machine that text is written for."""
    return _written_for.get() or host()


@contextmanager
def writing_for(target: Target) -> Generator[None]:
    """Text written in this block is for another machine."""
    token = _written_for.set(target)
    try:
        yield
    finally:
        _written_for.reset(token)


def attributes() -> str:
    """The attributes of functions for the machine."""
    return machine().attributes()


def lanes(dtype: Any) -> int:
    """How many elements of a dtype the machine's vectors hold."""
    return machine().lanes(dtype)


@cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@cache
def _llvm_version() -> str:
    from llvmlite import __version__

    return f"llvmlite {__version__} LLVM {_llvm().llvm_version_info}"


@cache
def _version() -> str:
    """Of dotbar, on which the text for a key depends."""
    from importlib.metadata import version

    return f" dotbar {version('dotbar')}"


@cache
def _machine(target: Target, level: int = LEVEL) -> Any:
    llvm = _llvm()
    if target.triple != llvm.get_process_triple():
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=level, reloc="pic", codemodel=_CODE_MODEL, jit=True
    )


@cache
def _linker() -> Any:
    machine = _machine.__wrapped__(host())  # one of its own: it is consumed
    return _llvm().create_lljit_compiler(machine, use_jit_link=not _WINDOWS, suppress_errors=True)


@contextmanager
def _module(text: str, triple: str) -> Generator[Any]:
    """The text as a module in a context of its own, verified: to generate invalid code would crash the process.

    Both are closed here, in this order: the garbage collector could free the context first.
    """
    llvm = _llvm()
    try:
        with llvm.create_context() as context, llvm.parse_assembly(text, context) as module:
            module.triple = triple
            module.verify()
            yield module
    except RuntimeError as error:
        raise CompilerError(_explain(str(error), text)) from None


def _explain(message: str, text: str) -> str:
    """LLVM's message with the lines of the text around the place that it names."""
    place = re.search(r"<string>:(\d+):", message)
    if place is None:
        return f"LLVM refuses the code: {message.strip()}"
    row = int(place[1])
    lines = enumerate(text.splitlines()[max(row - 4, 0) : row + 2], max(row - 3, 1))
    shown = "\n".join(f"{'>' if at == row else ' '} {at:5d}  {line[:160]}" for at, line in lines)
    return f"LLVM refuses the code: {message.strip()}\n{shown}"


def address(name: str) -> int:
    """Where a function of Python's lies."""
    import ctypes

    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0

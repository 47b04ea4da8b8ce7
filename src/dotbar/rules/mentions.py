"""What a function mentions: which of the values that it is given it needs."""

import dis
from collections.abc import Callable, Iterator
from types import CodeType

_SHAPE_ONLY = {"shape", "ndim", "dtype", "size"}


def _mentions(code: CodeType) -> Iterator[tuple[str, bool]]:
    """The names that a code object loads, each with whether only its shape or dtype is asked for."""
    instructions = list(dis.get_instructions(code))
    cells = {*code.co_cellvars, *code.co_freevars}
    for now, after in zip(instructions, [*instructions[1:], instructions[-1]]):
        names = now.argval if isinstance(now.argval, tuple) else (now.argval,)
        if "LOAD_FAST" in now.opname:  # since Python 3.13 also of two names, of a name after a store, and of a cell
            names = [name for name in names[now.opname.startswith("STORE") :] if name not in cells]
        elif not now.opname.startswith("LOAD_DEREF"):
            continue
        yield from ((name, False) for name in names[:-1])
        yield from ((name, after.opname == "LOAD_ATTR" and after.argval in _SHAPE_ONLY) for name in names[-1:])


def needed(code: CodeType, skip: Callable[[str], bool] = lambda name: False) -> set[str]:
    """The names whose values a function and the functions inside it need, those of skipped ones left out."""
    found = {name for name, shape_only in _mentions(code) if not shape_only}
    for const in code.co_consts:
        if isinstance(const, CodeType) and not skip(const.co_name):
            found |= needed(const, skip)
    return found


def mentioned(code: CodeType) -> set[str]:
    """The names that a function and the functions inside it mention."""
    return {name for name, _ in _mentions(code)}.union(
        *(mentioned(const) for const in code.co_consts if isinstance(const, CodeType))
    )

"""Looking at derivatives on their way, and changing them: ``on_bar``, ``name``, ``bars`` and ``dots``."""

import inspect
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Protocol

import numpy as np

from dotbar.core import Level, Shape, Traced, dtype_of, is_differentiable, primitive, refresh, shape_of, value_of
from dotbar.debug import open_forward, open_tape
from dotbar.dual import Dual
from dotbar.errors import InputError, OutputError, RuleError
from dotbar.rules.kinds import dense, match, rule
from dotbar.tape import Bars, Entry, accumulate
from dotbar.transforms import arguments, derived, leaves_like, leaves_of, primal, pull, unwrap, vmap
from dotbar.tree import flatten, tree_map, unflatten

__all__ = ["bars", "dots", "name", "on_bar"]

Function = Callable[..., Any]


# ---------------------------------------------------------------- changing a cotangent


def on_bar(x: Any, fn: Callable[[Any], Any]) -> Any:
    """``x`` itself; in reverse mode its cotangent passes through ``fn``.

    Args:
        x: an array or a container of arrays.
        fn: takes the cotangent x̄, of the shape and dtype of ``x``, and returns the one to use instead, of the same
            shape; or None, to leave it as it is (to print or store it).  It gets a copy, which it may change.

    Forward mode is not affected.  Under ``vmap``, ``fn`` sees the cotangent of one item.

    Raises:
        RuleError: ``fn`` returns another shape.
    """
    return tree_map(lambda leaf: _on_bar(leaf, fn=fn), x)


@primitive
def _on_bar(x: Any, *, fn: Callable[[Any], Any]) -> Any:
    return x


_on_bar.__module__, _on_bar.__qualname__ = "dotbar", "on_bar"  # what messages call it


def _batch_on_bar(xs: Any, batched: Any, size: int, fn: Callable[[Any], Any]) -> Any:
    return _on_bar(xs[0], fn=vmap(fn))


@rule(_on_bar, _batch_on_bar)
def _on_bar_rule(y: Any, x: Any, *, fn: Callable[[Any], Any]) -> Any:
    """y = x, x̄ = fn(ȳ)."""

    def dot(xdot: Any) -> Any:
        return xdot

    def bar(ybar: Any) -> Any:
        changed = fn(np.copy(ybar)[()])
        if changed is None:
            return ybar
        if shape_of(changed) != shape_of(ybar):
            raise RuleError(
                f"the function given to on_bar returned a cotangent of shape {shape_of(changed)} for one of shape "
                f"{shape_of(ybar)}."
            )
        return changed

    return dot, bar


# ---------------------------------------------------------------- naming quantities


class Namer(Protocol):
    """Whoever wants to know of named quantities while a function runs."""

    def label(self, x: Any, label: str) -> None:
        """Take note of the name of ``x``."""
        ...


_namers: ContextVar[tuple[Namer, ...]] = ContextVar("namers", default=())


def name(x: Any, label: str) -> Any:
    """``x`` itself, known as ``label`` to :func:`bars`, :func:`dots` and :func:`~dotbar.graph`.

    ``x`` may be an array or a container of arrays.  Outside of those three it costs nothing.
    """
    for namer in _namers.get():
        namer.label(x, label)
    return x


@contextmanager
def naming(namer: Namer) -> Any:
    """Tell ``namer`` of all names given meanwhile."""
    token = _namers.set((*_namers.get(), namer))
    try:
        yield
    finally:
        _namers.reset(token)


def at_level(x: Any, level: Level) -> Any:
    """The part of a value that is of a level, below what deeper levels put around it; None if it has none."""
    while isinstance(x, Traced) and x.level.depth >= level.depth:
        refresh(x)
        if x.level is level:
            return x
        x = x.value
    return None


def input_names(f: Function, n: int) -> list[str]:
    """The names of the first ``n`` positional parameters of a function."""
    try:
        names = [p.name for p in inspect.signature(f).parameters.values() if p.kind is not p.VAR_POSITIONAL]
    except (TypeError, ValueError):
        names = []
    return (names + [f"x{k}" for k in range(len(names), n)])[:n]


class _Labels:
    """A table of named quantities at one level; every name is given once."""

    def __init__(self, level: Level, inputs: Sequence[str]):
        self.level = level
        self.table: dict[str, Any] = dict.fromkeys(inputs)

    def place(self, label: str, x: Any) -> None:
        if label in self.table:
            raise InputError(f"the name {label!r} is given twice; number the steps of a loop, for instance f'a{{i}}'.")
        self.table[label] = x


class _Bars(_Labels):
    """Leaves an entry on the tape for each named value, where the sweep notes its cotangent."""

    sweeping = False

    def label(self, x: Any, label: str) -> None:
        leaves, structure = flatten(x)
        if not self.sweeping:
            self.place(label, (structure, [zeros_of(v) for v in leaves]))
        found = self.table[label][1]
        for k, leaf in enumerate(leaves):
            if (part := at_level(leaf, self.level)) is not None:
                root, path = part.target()
                tape = root.level
                tape.push((sweep_note, root.aux, found, k, path, Shape.of(part.value)))
                root.aux = len(tape.entries) - 1
                if root.alias is not None:
                    root.alias.count += 1  # so that views are read anew, from the new entry


def sweep_note(g: Any, bars: Bars, entry: Entry) -> None:
    """A named value, or the root it is a view of: note its cotangent and pass it on."""
    _, node, found, k, path, form = entry
    found[k] = np.copy(value_of(match(dense(g), form), path))[()]
    accumulate(bars, node, g)


class _Dots(_Labels):
    """Notes the tangent of each named value."""

    def label(self, x: Any, label: str) -> None:
        def dot(leaf: Any) -> Any:
            part = at_level(leaf, self.level)
            return zeros_of(leaf) if part is None else part.aux

        self.place(label, tree_map(dot, x))


def zeros_of(x: Any) -> Any:
    """Zeros of the shape and dtype of a value."""
    return np.zeros(shape_of(x), dtype_of(x))[()]


@derived
def bars(f: Function, bar: Any = None) -> Function:
    """A function that returns ``(f(...), table)``: the bar of each input and of every quantity named in ``f``.

    ``table`` is a dict: first the inputs under the names of f's parameters, then what ``f`` passes to
    ``name(x, label)``, in that order.  Each bar has the shape and dtype of its quantity; it is zero where
    the result does not depend on it.

    Args:
        f: a function of arrays or containers of arrays; all its positional arguments are differentiated.
        bar: the cotangent of the result; needed unless that is one real number, whose bar is 1.

    Raises:
        InputError: a name is given twice.
        OutputError: the result is not a real number and ``bar`` is not given.
    """

    @wraps(f)
    def with_bars(*args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        names = input_names(f, len(args))
        leaves, structure = leaves_of(args, names)
        with open_tape(len(leaves) or 1) as tape:
            notes = _Bars(tape, names)
            with naming(notes):
                out = f(*unflatten(structure, tape.inputs(leaves)), **kwargs)
            ys, out_structure = flatten(out)
            values, nodes = [unwrap(y, tape)[0] for y in ys], [unwrap(y, tape)[1] for y in ys]
        cotangent = _ones(values) if bar is None else leaves_like(bar, values, out_structure, "bar")
        notes.sweeping = True
        with naming(notes):
            gradient = unflatten(structure, pull(tape, nodes, cotangent, leaves, keep=False))
        table = {label: unflatten(*pair) for label, pair in notes.table.items() if pair is not None}
        return primal(out, tape), {**dict(zip(names, gradient)), **table}

    return with_bars


def _ones(values: Sequence[Any]) -> list[Any]:
    if len(values) != 1 or shape_of(values[0]) != () or not is_differentiable(values[0]):
        raise OutputError("bars needs a function that returns one number, or the cotangent of its result as bar=.")
    if dtype_of(values[0]).kind == "c":
        raise OutputError("bars needs a real result; pass the cotangent of a complex one as bar=.")
    return [dtype_of(values[0]).type(1)]


@derived
def dots(f: Function, tangents: Sequence[Any] | None = None) -> Function:
    """A function that returns ``(f(...), table)``: the dot of each input and of every quantity named in ``f``.

    ``table`` is a dict as that of :func:`bars`; the result's own dot is in it as ``"out"``.

    Args:
        f: a function of arrays or containers of arrays; all its positional arguments are differentiated.
        tangents: one per argument, of the same structure and shapes; ones by default.

    Raises:
        InputError: a name is given twice.
        StructureError: the tangents do not match the arguments.
    """

    @wraps(f)
    def with_dots(*args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        names = input_names(f, len(args))
        leaves, structure = leaves_of(args, names)
        given = (
            tree_map(lambda x: np.ones(shape_of(x), dtype_of(x))[()], args)
            if tangents is None
            else arguments(tangents, "tangents")
        )
        along = leaves_like(given, leaves, structure, "tangents")
        with open_forward() as level:
            notes = _Dots(level, names)
            duals = [Dual(x, level, match(t, x)) for x, t in zip(leaves, along)]
            with naming(notes):
                out = f(*unflatten(structure, duals), **kwargs)
            notes.table.update(zip(names, unflatten(structure, along)))
            notes.place("out", tree_map(lambda y: _dot_of(y, level), out))
        return primal(out, level), notes.table

    return with_dots


def _dot_of(y: Any, level: Level) -> Any:
    value, t = unwrap(y, level)
    return zeros_of(value) if t is None else t

"""The computational graph of a function as an object: gates in topological order, run forward and backward by hand."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from dotbar.core import (
    Level,
    Rule,
    Settings,
    Step,
    Traced,
    dtype_of,
    new_zeros,
    own,
    rebuild,
    shape_of,
    split,
    value_of,
    wrap_view,
)
from dotbar.custom import is_float, lowered
from dotbar.errors import OutputError, user_traceback
from dotbar.hooks import at_level, input_names, naming
from dotbar.rules.words import read
from dotbar.transforms import unwrap, vjp
from dotbar.tree import LEAF, flatten, tree_map, unflatten

__all__ = ["Gate", "Graph", "graph"]


class Gate:
    """One operation of a graph.

    Attributes:
        name: what the user called its value by ``name(x, label)``, else the function's name.
        inputs: the gates that it reads, and constants.
        value: its value in the last forward pass.
        bar: the derivative of the result by its value in the last backward pass; None before one.
    """

    def __init__(
        self, name: str, inputs: Sequence[Any] = (), call: Callable[..., Any] | None = None, value: Any = None
    ):
        self.name = name
        self.function = name
        self.inputs = tuple(inputs)
        self.call = call
        self.value = value
        self.bar: Any = None

    def forward(self) -> None:
        """Compute the value from the values of the inputs."""
        if self.call is not None:
            self.value = self.call(*[_value(x) for x in self.inputs])

    def backward(self) -> None:
        """Add this gate's share to the bars of its inputs."""
        if self.call is None or self.bar is None:
            return
        active = [k for k, x in enumerate(self.inputs) if isinstance(x, Gate) and is_float(x.value)]
        values = [_value(x) for x in self.inputs]

        def of_active(*xs: Any) -> Any:
            full = list(values)
            for k, x in zip(active, xs):
                full[k] = x
            return self.call(*full)  # type: ignore[misc]

        if active:
            bars = vjp(of_active, *[values[k] for k in active])[1](self.bar)
            for k, bar in zip(active, bars):
                self.inputs[k].bar = bar if self.inputs[k].bar is None else self.inputs[k].bar + bar

    def __repr__(self) -> str:
        return f"<gate {self.name}: value {_short(self.value)}, bar {_short(self.bar)}>"


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Gate) else x


class Graph:
    """A recorded function: its gates in topological order, inputs first.

    ``print(graph)`` shows one gate a line with its inputs, its value and, after :meth:`backward`, its bar.
    Python branches and indices are those of the recorded call.

    Attributes:
        gates: all gates that the result depends on, and the inputs, each after the gates that it reads.
        inputs: the gates of the inputs.
        output: the gate of the result.
    """

    def __init__(self, name: str, inputs: list[Gate], output: Gate, recorded: list[Gate], structure: Any):
        needed = {id(output)}
        for gate in reversed(recorded):
            if id(gate) in needed:
                needed.update(id(x) for x in gate.inputs if isinstance(x, Gate))
        self.name = name
        self.inputs = inputs
        self.output = output
        self.gates = inputs + [gate for gate in recorded if id(gate) in needed]
        self._structure = structure

    @property
    def value(self) -> Any:
        """The result of the last forward pass."""
        return self.output.value

    def forward(self, inputs: Any) -> Any:
        """Compute all gates anew.

        Args:
            inputs: one value per argument of the function, a tuple or list; the value itself for a single one.

        Returns:
            The value of the last gate.
        """
        leaves, given = flatten(tuple(inputs)) if self._takes(inputs) else flatten((inputs,))
        if given != self._structure:
            raise OutputError(
                f"the graph of {self.name} takes {len(self._structure.items)} inputs of the recorded form."
            )
        for gate, x in zip(self.inputs, leaves):
            gate.value = x
        for gate in self.gates:
            gate.forward()
            gate.bar = None
        return self.value

    def backward(self, bar: Any = None) -> Any:
        """Sweep from the result to the inputs.

        Args:
            bar: the cotangent of the result; 1 by default, if that is one number.

        Returns:
            The gradient by each input: a tuple, or the gradient itself for a single input; None for integers.

        Raises:
            OutputError: the result is not one number and ``bar`` is not given, or the result is an integer.
        """
        if not is_float(self.value):
            raise OutputError(f"the result is of dtype {dtype_of(self.value)}; a derivative needs floats as inputs.")
        if bar is None and shape_of(self.value) != ():
            raise OutputError(f"the result has shape {shape_of(self.value)}; pass its cotangent as bar.")
        for gate in self.gates:
            gate.bar = None
        self.output.bar = dtype_of(self.value).type(1) if bar is None else bar
        for gate in reversed(self.gates):
            gate.backward()
        for gate in self.gates:
            if gate.bar is None and is_float(gate.value):
                gate.bar = np.zeros(shape_of(gate.value), dtype_of(gate.value))[()]
        gradient = unflatten(self._structure, [gate.bar for gate in self.inputs])
        return gradient[0] if len(gradient) == 1 else gradient

    def _takes(self, inputs: Any) -> bool:
        return isinstance(inputs, (tuple, list)) and len(inputs) == len(self._structure.items)

    def __repr__(self) -> str:
        number = {id(gate): f"%{k}" for k, gate in enumerate(self.gates)}
        rows = [
            (
                number[id(gate)],
                gate.name,
                _call(gate, number),
                _short(gate.value),
                "" if gate.bar is None else f"bar {_short(gate.bar)}",
            )
            for gate in self.gates
        ]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(cell.ljust(n) for cell, n in zip(row, widths)).rstrip() for row in rows]
        return "\n".join([f"{self.name}: {len(self.gates)} gates", *lines])


def _call(gate: Gate, number: dict[int, str]) -> str:
    if gate.call is None:
        return "input" if not gate.inputs else ""
    return f"{gate.function}({', '.join(number.get(id(x)) or _short(x) for x in gate.inputs)})"


def _short(x: Any) -> str:
    """A value in a few characters."""
    if isinstance(x, (tuple, list)):
        return f"({', '.join(map(_short, x))})"
    if is_float(x) and shape_of(x) == ():
        return f"{complex(x) if dtype_of(x).kind == 'c' else float(x):.6g}"
    if isinstance(x, np.ndarray):
        if x.size > 4:
            return f"{x.dtype}{list(x.shape)}"
        return np.array2string(x, precision=4, separator=", ").replace("\n", "")
    return repr(x)


# ---------------------------------------------------------------- recording


class Wire(Traced):
    """A value of a graph under construction; ``aux`` is the gate that made it."""

    __slots__ = ()


class Recorder(Level):
    """A level that makes a gate of each operation and differentiates nothing."""

    __slots__ = ("gates",)
    kind: ClassVar[type[Traced]] = Wire

    def __init__(self) -> None:
        super().__init__()
        self.gates: list[Gate] = []

    def gate(self, name: str, inputs: Sequence[Any], call: Callable[..., Any] | None, value: Any) -> Gate:
        """Add a gate."""
        self.gates.append(Gate(name, inputs, call, value))
        return self.gates[-1]

    def process(self, rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
        mine = [isinstance(x, Traced) and x.level is self for x in xs]
        vals = [x.value if m else x for x, m in zip(xs, mine)]
        y = rule.fn(*vals, **kw)
        if y is vals[0] and rule.makes_views:
            return xs[0]
        inputs = [x.aux if m else x for x, m in zip(xs, mine)]
        name = "getitem" if rule.fn is read else rule.name.rpartition(".")[2]
        call = partial(rule.fn, **kw)
        if isinstance(y, tuple):
            item = lambda k: self.gate(f"{name}[{k}]", inputs, lambda *xs: call(*xs)[k], y[k])
            return rebuild(y, [Wire(v, self, item(k)) for k, v in enumerate(y)])
        gate = self.gate(name, inputs, call, y)
        if rule.makes_views and len(xs) == 1:
            return wrap_view(self, rule, xs[0], kw, y, gate)
        return Wire(y, self, gate)

    def enclose(self, name: str, f: Callable[..., Any], xs: Sequence[Any]) -> Any:
        leaves, structure = flatten(tuple(xs))
        vals, gates, mine = lowered(leaves, self)
        inputs = [gate if m else x for x, gate, m in zip(vals, gates, mine)]

        def results(*leaves: Any) -> Any:
            return flatten(f(*unflatten(structure, list(leaves))))

        ys, out_structure = results(*vals)
        name = name.rpartition(".")[2]
        for k, y in enumerate(ys):
            if is_float(y):
                label = name if out_structure == LEAF else f"{name}[{k}]"
                ys[k] = Wire(y, self, self.gate(label, inputs, lambda *xs, k=k: results(*xs)[0][k], y))
        return unflatten(out_structure, ys)

    def lift(self, x: Traced, inner: Any) -> None:
        x.value = inner
        x.aux = self.gate("constant", [np.copy(inner)], np.copy, np.copy(inner))

    def write(self, root: Traced, path: tuple[Step, ...], v: Any) -> None:
        value, source = (v.value, v.aux) if isinstance(v, Traced) and v.level is self else (v, v)
        steps, index = split(path)
        index = tree_map(lambda i: unwrap(i, self)[0], index)
        value_of(own(root, value, index), steps)[index] = value

        def setitem(old: Any, v: Any) -> Any:
            new = np.copy(old)
            if isinstance(v, Traced) and not isinstance(new, Traced):
                new = new_zeros(shape_of(old), dtype_of(old), v)
                new[...] = old
            value_of(new, steps)[index] = v
            return new

        root.aux = self.gate("setitem", [root.aux, source], setitem, np.copy(root.value))

    def label(self, x: Any, label: str) -> None:
        """Give the gate of a value the user's name."""
        for leaf in flatten(x)[0]:
            if (wire := at_level(leaf, self)) is not None:
                wire.aux.name = label


@user_traceback
def graph(f: Callable[..., Any], *args: Any) -> Graph:
    """The graph of ``f(*args)``: its operations as gates, with their values, in topological order.

    ``graph(f, *args).backward()`` is the gradient of ``f``; the bar of every gate is then in ``gates``.

    Args:
        f: a function that returns one array or number.
        args: arrays, numbers or containers of them.

    Returns:
        A :class:`Graph` with ``.forward(inputs)``, ``.backward()``, ``.gates`` and a readable ``repr``.

    Raises:
        OutputError: ``f`` returns something else than one array.
    """
    leaves, structure = flatten(args)
    paths = [p for label, s in zip(input_names(f, len(args)), structure.items) for p in s.paths(label)]
    inputs = [Gate(path, value=x) for path, x in zip(paths, leaves)]
    with Recorder() as recorder, naming(recorder):
        wires = [Wire(np.copy(x) if isinstance(x, np.ndarray) else x, recorder, g) for x, g in zip(leaves, inputs)]
        out = f(*unflatten(structure, wires))
        value, output = unwrap(out, recorder)
    if not hasattr(value, "dtype") and not is_float(value):
        raise OutputError(f"graph needs a function that returns one array; this one returned a {type(out).__name__}.")
    if output is None:
        output = recorder.gate("constant", [value], lambda v: v, value)
    return Graph(getattr(f, "__name__", "function"), inputs, output, recorder.gates, structure)

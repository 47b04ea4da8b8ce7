"""Running sums, products and extrema, and linear recurrences: loops that carry a vector along one axis.

In: operands of one shape, and the axis.  Out: a call; for each vector of entries beside one another it loops along the
axis, from the entries of the last operand on::

    t = x[0];  y[0] = t;  t = t + x[1];  y[1] = t;  ...
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from dotbar.compiler import engine
from dotbar.compiler.kernels import TYPES, Code, Loop, vector
from dotbar.compiler.lowering import CALLS, Lowering, Result, UnsupportedError, View, accumulator
from dotbar.rules.scans import recurrence, running_max, running_min


def along(lowering: Lowering, xs: list[View], axis: int, step: Callable[..., str]) -> View:
    """All values of a loop along an axis: ``step`` gives the next of the last one and the entries of the operands."""
    shape, dtype = xs[0].shape, xs[0].dtype
    axis %= len(shape)
    outer, n, inner = prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])
    if not prod(shape) or dtype.kind == "b":
        raise UnsupportedError

    def emit(code: Code, operands: list[str], results: list[str], scratch: str) -> None:
        def move(pointers: list[str], index: str, by: int) -> list[str]:
            at = code(f"mul i64 {index}, {by}")
            return [code(f"getelementptr {TYPES[dtype]}, ptr {p}, i64 {at}") for p in pointers]

        def read(pointers: list[str]) -> list[str]:
            return [code(f"load {V}, ptr {p}, align {dtype.itemsize}") for p in pointers]

        def write(value: str, pointer: str) -> None:
            code.put(f"store {V} {value}, ptr {pointer}, align {dtype.itemsize}")

        wide = engine.machine().lanes(dtype)
        whole = inner // wide * wide
        rows = Loop(code, 0, outer)
        row = move([*operands, *results], rows.index, n * inner)
        for start, stop, lanes in ((0, whole, wide), (whole, inner, 1)):
            if start == stop:
                continue
            V = vector(TYPES[dtype], lanes)
            columns = Loop(code, start, stop, lanes)
            *column, target = move(row, columns.index, 1)
            first = read(column)[-1]
            write(first, target)
            if n > 1:
                loop = Loop(code, 1, n, 1, [(V, first)])
                *places, place = move([*column, target], loop.index, inner)
                value = step(code, dtype, lanes, loop.carried[0], *read(places))
                write(value, place)
                loop.close([value])
            columns.close()
        rows.close()

    return lowering.call(emit, list(map(lowering.packed, xs)), [Result(shape, dtype)])[0]


def _running(op: str) -> Callable[..., View]:
    """An operation's running results."""

    def step(code: Code, dtype: Any, lanes: int, t: str, x: str) -> str:
        return code.operation(op, dtype, lanes, t, x)

    def run(lowering: Lowering, a: View, *, axis: int = 0, dtype: Any = None) -> View:
        x = accumulator(lowering, a, dtype) if op in ("add", "multiply") else a
        return along(lowering, [x], axis, step)

    return run


def _next(code: Code, dtype: Any, lanes: int, t: str, a: str, b: str) -> str:
    return code.operation("add", dtype, lanes, code.operation("multiply", dtype, lanes, a, t), b)


def _recurrence(lowering: Lowering, a: Any, b: Any) -> View:
    """tᵢ = aᵢ tᵢ₋₁ + bᵢ."""
    xs = [lowering.view(x) for x in (a, b)]
    shape, dtype = np.broadcast_shapes(*(x.shape for x in xs)), np.result_type(*(x.dtype for x in xs))
    xs = [lowering.cast(x, dtype).move(lambda v: np.broadcast_to(v, shape)) for x in xs]
    return along(lowering, xs, -1, _next)


CALLS |= {
    np.cumsum: _running("add"),
    np.cumprod: _running("multiply"),
    running_max: _running("maximum"),
    running_min: _running("minimum"),
    recurrence: _recurrence,
}

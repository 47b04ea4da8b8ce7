"""Loop nests one after the other over the same rows -> for a band of rows after the other, all of the nests.

::

    for i < n: top[i] = max(x[i])               for each band of rows:
    for i < n: e[i] = exp(x[i] - top[i])    ->      for i in band: top[i] = max(x[i])
    for i < n: y[i] = e[i] / sum(e[i])              for i in band: e[i] = exp(x[i] - top[i])
                                                    for i in band: y[i] = e[i] / sum(e[i])

So what one nest leaves is still in the cache when the next reads it.  It must read no other rows than those.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

from dotbar.compiler.kernels import TYPES, Loop, identity, literal

LARGE = 1 << 20
"""Bytes that do not stay in a cache from one nest to the next."""

BAND = 1 << 17
"""Bytes that do."""


def runs(nests: Sequence[Any]) -> list[list[Any]]:
    """The longest runs of nests that can go by bands and are worth it."""
    found: list[list[Any]] = []
    current: list[Any] = []
    for nest in (*nests, None):
        if nest is not None and fits(nest, current):
            current.append(nest)
            continue
        if rows(current):
            found.append(current)
        current = [nest] if nest is not None and fits(nest, []) else []
    return found


def fits(nest: Any, run: Sequence[Any]) -> bool:
    """Whether a nest can follow those of a run, band by band."""
    if not nest.group.space or 0 not in nest.divisible() or any(node.starts for node in nest.group.roots):
        return False
    n = nest.group.space[0]
    if nest.shape[0] % n or any(other.group.space[0] != n for other in run):
        return False
    if not all(in_rows(nest, item, n) for _, item in nest.stores) or not all(
        in_rows(nest, item, n) for node, item in nest.sums if node not in nest.single_sums()
    ):
        return False
    made = {node.value.number for other in run for node in other.group.roots}
    single = {node.value.number for other in run for node in other.single_sums()}
    operands = {x.base.number for node in nest.group.inner for x in node.operands if hasattr(x, "lowering")}
    read = [(key, item) for key, item in nest.reads.items() if item.view.base.number in made]
    return not operands & single and all(len(key) == 3 and in_rows(nest, item, n) for key, item in read)


def in_rows(nest: Any, item: Any, n: int) -> bool:
    """Whether row i of a nest has only to do with the i-th of n equal parts of a value."""
    part = item.view.base.size // n
    inner = sum(step * (length - 1) for step, length in zip(item.row[1:], nest.shape[1:]))
    factor = nest.shape[0] // n
    aligned = item.view.offset == 0 and item.row[0] * factor == part
    return aligned and min(item.row) >= 0 and inner + item.row[0] * (factor - 1) < part


def rows(run: Sequence[Any]) -> int:
    """How many rows make a band; none if bands are of no use."""
    values = {item.view.base for nest in run for item in nest.items_in_memory()}
    total = sum(value.size * value.dtype.itemsize for value in values)
    if len(run) < 2 or total < LARGE or sum(prod(nest.shape) * 8 > LARGE // 4 for nest in run) < 2:
        return 0
    n = run[0].group.space[0]
    most = max(BAND * n // total, 1)
    divisors = [k for k in range(most, most // 2, -1) if n % k == 0]
    best = next((k for k in divisors if k % 8 == 0), None) or (divisors[0] if divisors else max(most // 8 * 8, 1))
    return best if 2 * best <= n else 0


def write(run: Sequence[Any]) -> None:
    """Write the nests of a run, band by band."""
    writer, code, n, size = run[0].writer, run[0].code, run[0].group.space[0], rows(run)
    sums = [node for nest in run for node in nest.single_sums()]
    for nest in run:
        nest.begin_sums()

    def band(start: str, count: int, totals: Sequence[str]) -> list[str]:
        for nest in run:
            factor = nest.shape[0] // n
            first = code(f"mul i64 {start}, {factor}") if factor > 1 else start
            nest.part(0, first, count * factor).write_loops()
        parts = (writer.registers[node.value.number] for node in sums)
        return [code.operation(node.op, node.dtype, 1, a, b) for node, a, b in zip(sums, totals, parts)]

    first = [(TYPES[node.dtype], literal(identity(node.op, node.dtype), node.dtype)) for node in sums]
    loop = Loop(code, 0, n // size * size, size, first)
    totals = band(loop.index, size, loop.carried)
    loop.close(totals)
    if n % size:
        totals = band(str(n // size * size), n % size, totals)
    for node, total in zip(sums, totals):
        writer.registers[node.value.number] = total

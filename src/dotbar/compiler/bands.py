"""Loop nests one after the other over the same rows -> for a band of rows after the other, all of the nests.

::

    for i < n: top[i] = max(x[i])               for each band of rows:
    for i < n: e[i] = exp(x[i] - top[i])    ->      for i in band: top[i] = max(x[i])
    for i < n: y[i] = e[i] / sum(e[i])              for i in band: e[i] = exp(x[i] - top[i])
                                                    for i in band: y[i] = e[i] / sum(e[i])

So what one nest leaves is still in the cache when the next reads it.  It must read no other rows than those; sums of
the rows of a nest are taken up in memory, for those that read them after all bands.  What stands between the nests and
needs nothing of them goes before.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

from dotbar.compiler.kernels import TYPES, Loop, identity, literal

LARGE = 1 << 20
"""Bytes that do not stay in a cache from one nest to the next."""

BAND = 1 << 17
"""Bytes that do."""

FAR = 8
"""So many groups may stand between two nests of a run."""


def runs(groups: Sequence[Any], nests: Sequence[Any]) -> tuple[list[Any], list[list[Any]]]:
    """The groups in another order, and the longest runs of their nests that can go by bands and are worth it.

    A group that is a call has no nest.
    """
    order: list[Any] = []
    found: list[list[Any]] = []
    start = 0
    while start < len(groups):
        run, others, end = longest(groups, nests, start)
        if rows(run):
            before, inner = runs(*zip(*others)) if others else ([], [])
            order += [*before, *(nest.group for nest in run)]
            found += [*inner, run]
        else:
            order.append(groups[start])
            end = start + 1
        start = end
    return order, found


def longest(groups: Sequence[Any], nests: Sequence[Any], start: int) -> tuple[list[Any], list[tuple[Any, Any]], int]:
    """The longest run from a group on, what stands between its nests, and where it ends."""
    run: list[Any] = []
    between: list[tuple[Any, Any]] = []
    others, end = 0, start
    for k in range(start, len(groups)):
        if nests[k] is not None and fits(nests[k], run):
            run.append(nests[k])
            others, end = len(between), k + 1
        elif not run or len(between) - others == FAR or needs(groups[k], run):
            break
        else:
            between.append((groups[k], nests[k]))
    return run, between[:others], end


def needs(group: Any, run: Sequence[Any]) -> bool:
    """Whether a group reads what the nests of a run make."""
    made = {value for nest in run for node in nest.group.roots for value in node.values}
    return any(x.base in made for node in group.inner for x in node.reads if hasattr(x, "lowering"))


def fits(nest: Any, run: Sequence[Any]) -> bool:
    """Whether a nest can follow those of a run, band by band."""
    if not nest.group.space or not nest.unordered or any(node.starts for node in nest.group.roots):
        return False
    n = nest.group.space[0]
    if nest.shape[0] % n or any(other.group.space[0] != n for other in run):
        return False
    single, results = nest.single_sums(), [*nest.stores, *nest.sums]
    if not all(in_rows(nest, item, n) or of_rows(node, item) for node, item in results if node not in single):
        return False
    made = {node.value.number for other in run for node in other.group.roots}
    late = {node.value.number for other in run for node, item in other.sums if of_rows(node, item)}
    late |= {node.value.number for other in run for node in other.single_sums()}
    operands = {x.base.number for node in nest.group.inner for x in node.operands if hasattr(x, "lowering")}
    read = [(key, item) for key, item in nest.reads.items() if item.view.base.number in made]
    return not operands & late and all(len(key) == 3 and in_rows(nest, item, n) for key, item in read)


def in_rows(nest: Any, item: Any, n: int) -> bool:
    """Whether row i of a nest has only to do with the i-th of n equal parts of a value."""
    part = item.view.base.size // n
    inner = sum(step * (length - 1) for step, length in zip(item.row[1:], nest.shape[1:]))
    factor = nest.shape[0] // n
    aligned = item.view.offset == 0 and item.row[0] * factor == part
    return aligned and min(item.row) >= 0 and inner + item.row[0] * (factor - 1) < part


def of_rows(node: Any, item: Any) -> bool:
    """Whether a result is a sum of rows."""
    return node.kind == "reduce" and not item.row[0]


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

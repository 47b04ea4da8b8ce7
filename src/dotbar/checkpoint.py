"""checkpoint: keep a function's arguments instead of its intermediate values, and compute it again in the sweep.

One entry stands for the whole call.  When the sweep pops it, the tape is exactly as long as it was
before the call; the function is recorded again behind it, its outputs get their cotangents,
and the sweep goes on through the new entries.  Traced values that the function closes over
need nothing special: the new entries name them as the first recording would have.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from dotbar.batch import Batch
from dotbar.core import Level, Traced, cell, without_cells
from dotbar.custom import deepest, is_float, lowered
from dotbar.dual import Forward
from dotbar.errors import MutationError
from dotbar.tape import Bars, Entry, Guard, Tape, accumulate, sweep_write
from dotbar.transforms import derived, unwrap
from dotbar.tree import flatten, unflatten

__all__ = ["checkpoint"]

Segment = Callable[[list[Any]], Any]


@derived
def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the same values and derivatives as ``f`` that saves memory in reverse mode.

    None of the intermediate values of ``f`` are kept; they are computed a second time when the sweep
    reaches the call.  ``f`` must give the same result both times: it must not draw random numbers
    from a shared generator, nor write to arrays made outside.  Writing to its own arguments changes copies.

    Raises:
        MutationError: ``f`` writes to a traced array that was made outside of it.
    """

    @wraps(f)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten((args, kwargs))

        def segment(leaves: list[Any]) -> Any:
            args, kwargs = unflatten(structure, leaves)
            return f(*args, **kwargs)

        return run(segment, leaves)

    return checkpointed


def run(segment: Segment, leaves: list[Any]) -> Any:
    """The values of a segment: recorded as one entry on every tape among the levels of its arguments."""
    level = deepest(leaves)
    if isinstance(level, Tape):
        return record(level, segment, leaves)
    if isinstance(level, (Forward, Batch)):
        return pass_through(level, segment, leaves)
    return segment(leaves)


def record(tape: Tape, segment: Segment, leaves: list[Any]) -> Any:
    """Evaluate one level lower; whatever was recorded here, of closed-over values, is recorded again later."""
    start = len(tape.entries)
    lower, nodes, mine = lowered(leaves, tape)
    ys, structure = flatten(run(segment, [cell(_handle(x)) if m else x for x, m in zip(lower, mine)]))
    ys = [without_cells(unwrap(y, tape)[0]) for y in ys]
    for entry in tape.entries[start:]:
        if entry is not None and entry[0] is sweep_write and entry[1] is not None and entry[1] < start:
            raise MutationError(
                "a checkpointed function wrote to an array made outside of it, which would be done twice. "
                "Return the new values instead."
            )
    del tape.entries[start:]
    if any(isinstance(y, Traced) and y.level.depth > tape.depth for y in ys):
        return segment(leaves)  # it closes over a value of a deeper tape, which has no entry to rewind to
    kept = [v if m else tape.keep(v) for v, m in zip(lower, mine)]
    tape.has_segments = True
    tape.push((sweep_checkpoint, tape, segment, nodes, mine, kept))
    return unflatten(structure, [tape.output(start, k, len(ys), y) if is_float(y) else y for k, y in enumerate(ys)])


def _handle(x: Any) -> Any:
    """What the segment may write to without changing ``x``."""
    return x.handle() if isinstance(x, Traced) else x


def sweep_checkpoint(g: Any, bars: Bars, entry: Entry) -> None:
    """Record the segment again at the end of the tape, and give its outputs their cotangents."""
    _, tape, segment, nodes, mine, kept = entry
    values = [k.check() if type(k) is Guard else k for k in kept]
    tape.reopen()
    try:
        inputs = [tape.kind(v, tape, node) if m else v for v, node, m in zip(values, nodes, mine)]
        ys = [unwrap(y, tape) for y in flatten(segment(inputs))[0]]
    finally:
        tape.close()
    bars.extend([None] * (len(tape.entries) - len(bars)))
    for (_, node), ybar in zip(ys, g):
        if node is not None and ybar is not None:
            accumulate(bars, node, ybar)


def pass_through(level: Level, segment: Segment, leaves: list[Any]) -> Any:
    """Take what travels with each value at this level down with it, as arguments and results of a longer segment."""
    values, auxs, mine = lowered(leaves, level)
    result: list[Any] = []

    def longer(flat: list[Any]) -> Any:
        rest = iter(flat)
        xs = [level.kind(next(rest), level, next(rest)) if m else next(rest) for m in mine]
        closed, level.closed = level.closed, False  # again in the sweep, when the level has long ended
        try:
            ys, structure = flatten(segment(xs))
        finally:
            level.closed = closed
        result[:] = structure, [isinstance(y, Traced) and y.level is level for y in ys]
        return [unwrap(y, level) for y in ys]

    flat = [part for v, aux, m in zip(values, auxs, mine) for part in ((v, aux) if m else (v,))]
    pairs = run(longer, flat)
    structure, traced = result
    return unflatten(structure, [level.kind(v, level, aux) if t else v for (v, aux), t in zip(pairs, traced)])

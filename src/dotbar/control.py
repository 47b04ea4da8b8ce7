"""Loops and branches as functions: ``scan``, ``while_loop``, ``fori_loop``, ``cond``, ``switch``.

Eagerly they are Python's own loops and branches on traced values, so every mode differentiates them as it does any
code; while ``jit`` records, each is one equation, which holds its bodies as Programs.  What they add: a carry keeps its
structure, shapes and dtypes; a body may assign to what it was given without changing the caller's arrays; and a
condition may differ between the items of a batch.  Then a loop runs until all items are done, and a branch is taken if
any item takes it.  An item that does not takes its result from elsewhere by ``np.where``, whose cotangents are
structural zeros, and walks along on values that are known to be good there: its own of its last step, or those of an
item that does take the branch.  So no 0 · ∞ of a step not taken becomes a nan.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from dotbar.batch import Batched, every_item
from dotbar.checkpoint import checkpoint as checkpointed
from dotbar.core import Traced, as_plain, dtype_of, duplicate, find_rule, is_array, shape_of, without_cells
from dotbar.custom import deepest
from dotbar.errors import InputError, OutputError, StructureError, user_traceback
from dotbar.nested import branch, groups, is_weak, items_in, loop, of_such_an_item, printed, record, stand_in
from dotbar.rules.words import stop_gradient
from dotbar.trace import recordings
from dotbar.tree import Structure, flatten, tree_map, unflatten

__all__ = ["cond", "debug_print", "fori_loop", "scan", "switch", "while_loop"]

Function = Callable[..., Any]


# ---------------------------------------------------------------- loops


@user_traceback
def scan(
    f: Function,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    *,
    checkpoint: int | None = None,
) -> tuple[Any, Any]:
    """The last carry and all outputs of ``carry, y = f(carry, x)``, for each x along the first axis of ``xs``.

    Args:
        f: takes the carry and one x; returns the next carry and an output y (None for none).
        init: the first carry: an array, a number or a container of them.
        xs: arrays of one length, in a container or not; None for ``length`` steps without inputs.
        length: the number of steps; with ``xs`` it may be left out.
        reverse: go from the last x to the first; the outputs stay in the order of ``xs``.
        unroll: how many steps compiled code takes at once; it does not change the result.
        checkpoint: in reverse mode keep only every so-many-th carry, and compute the steps between again.

    Returns:
        ``(carry, ys)``; ``ys`` has the structure of y, each array with the steps along its first axis.

    Raises:
        StructureError: the carry changes its structure, shape or dtype, or y does between steps, or the arrays
            of ``xs`` are not of one length; names which.
        OutputError: ``f`` returns no pair.
    """
    n = steps_of(xs, length)
    if recordings.open:
        return recorded_scan(f, init, xs, n, reverse, checkpoint)
    carry, xs = copied(init), copied(xs)
    if n == 0:
        return carry, tree_map(lambda y: np.zeros((0, *shape_of(y)), dtype_of(y)), output_of_step(f, carry, xs))
    ys: list[Any] = []

    def run(carry: Any, places: Iterable[int]) -> tuple[Any, list[Any]]:
        ys: list[Any] = []
        for i in places:
            new, y = carry_and_output(f(carry, tree_map(operator.itemgetter(i), xs)))
            carry = alike(new, carry, "the carry")
            ys.append(copied(y))
        return carry, ys

    places = range(n)[::-1] if reverse else range(n)
    for start in range(0, n, segment := checkpoint or n):
        part = places[start : start + segment]
        carry, some = (checkpointed(run) if checkpoint else run)(carry, part)
        ys += some
    return carry, stacked(ys[::-1] if reverse else ys)


@user_traceback
def while_loop(cond: Function, body: Function, init: Any) -> Any:
    """The carry after ``while cond(carry): carry = body(carry)``, in every mode of differentiation.

    Args:
        cond: takes the carry; returns whether to go on.
        body: takes the carry; returns the next one, of the same structure, shapes and dtypes.
        init: the first carry.

    Raises:
        StructureError: the carry changes its structure, shape or dtype, or the condition is not a scalar.
    """
    if recordings.open:
        return recorded_while(cond, body, init)
    carry = copied(init)
    going = truth(cond(carry), "the condition of while_loop")
    held = None
    while any_item(going):
        if isinstance(going, Batched):
            idle = taken_from(going, carry) if held is None else tree_map(stop_gradient, held)
            held = choose(going, carry, idle)
            carry = choose(going, alike(body(copied(held)), carry, "the carry"), carry)
        else:
            carry = alike(body(carry), carry, "the carry")
        going = truth(cond(carry), "the condition of while_loop")
    return carry


@user_traceback
def fori_loop(lower: Any, upper: Any, body: Function, init: Any) -> Any:
    """The carry after ``for i in range(lower, upper): carry = body(i, carry)``.

    Args:
        lower: the first i, an integer; under ``vmap`` it may differ between items.
        upper: where to stop, likewise.
        body: takes i and the carry; returns the next carry, of the same structure, shapes and dtypes.
        init: the first carry.

    Raises:
        StructureError: the carry changes its structure, shape or dtype.
    """
    lower, upper = without_cells(lower), without_cells(upper)
    step = lambda state: (state[0] + 1, body(*state))
    if any(isinstance(x, Batched) or is_recorded(x) for x in (lower, upper)):
        return while_loop(lambda state: state[0] < upper, step, (lower, init))[1]
    if recordings.open:
        first, n = operator.index(lower), max(operator.index(upper) - operator.index(lower), 0)
        return scan(lambda state, _: (step(state), None), (first, init), length=n)[0][1]
    carry = copied(init)
    for i in range(operator.index(lower), operator.index(upper)):
        carry = alike(body(i, carry), carry, "the carry")
    return carry


# ---------------------------------------------------------------- branches


@user_traceback
def cond(pred: Any, true_fun: Function, false_fun: Function, *operands: Any) -> Any:
    """``true_fun(*operands) if pred else false_fun(*operands)``.

    Under ``vmap``, where ``pred`` may differ between items, both are computed and each item has its own.

    Raises:
        StructureError: ``pred`` is not a scalar, or the branches' results differ in structure, shape or dtype.
    """
    taken = truth(pred, "the condition of cond")
    if is_recorded(taken):
        return recorded_branch(taken, [false_fun, true_fun], operands)
    if isinstance(taken, Batched):
        return merged([taken, np.logical_not(taken)], [true_fun, false_fun], operands)
    return (true_fun if taken else false_fun)(*copied(operands))


@user_traceback
def switch(index: Any, branches: Sequence[Function], *operands: Any) -> Any:
    """``branches[index](*operands)``; an index beyond either end means the branch there.

    Under ``vmap``, where ``index`` may differ between items, each branch that some item takes is computed.

    Raises:
        InputError: ``index`` is no integer, or there are no branches.
        StructureError: the branches' results differ in structure, shape or dtype.
    """
    if not branches:
        raise InputError("switch was given no branches.")
    if dtype_of(index).kind not in "iu" or shape_of(index):
        raise InputError(f"the index of switch is of shape {shape_of(index)} and dtype {dtype_of(index)}; pass an int.")
    index = without_cells(np.clip(index, 0, len(branches) - 1))
    if is_recorded(index):
        return recorded_branch(index, branches, operands)
    if isinstance(index, Batched):
        return merged([np.equal(index, k) for k in range(len(branches))], branches, operands)
    return branches[operator.index(index)](*copied(operands))


def debug_print(fmt: str, *args: Any) -> None:
    """Print ``fmt.format(*args)`` when the values are known: at each run of compiled code, for each item of a batch."""
    if recordings.open and deepest(args).depth < recordings.open[-1].depth:
        recordings.open[-1].process(find_rule(printed), args, {"fmt": fmt})
    else:
        printed(*args, fmt=fmt)


# ---------------------------------------------------------------- while jit records


def is_recorded(x: Any) -> bool:
    """Whether a value is known at run time only."""
    return bool(recordings.open) and isinstance(x, Traced)


def recorded_scan(f: Function, init: Any, xs: Any, n: int, reverse: bool, segment: int | None) -> tuple[Any, Any]:
    """``scan`` as one equation; in segments, which are scans themselves, as each keeps only its first carry."""
    if segment and 1 < segment < n:
        return recorded_segments(f, init, xs, n, reverse, segment)
    leaves, structure = flatten(init)
    items, form = flatten(xs)
    of_y: list[Structure] = []

    def step(*args: Any) -> list[Any]:
        carry, x = groups(args, len(leaves))
        old = unflatten(structure, carry)
        new, y = carry_and_output(f(old, unflatten(form, x)))
        ys, of_y[:] = (pair := flatten(y))[0], [pair[1]]
        return carry_again(new, unflatten(structure, carry)) + ys

    (body,), outer, leaves = settled(leaves, items_in(items), step)
    k = len(leaves)
    out = loop(*outer, *leaves, *items, body=body, consts=len(outer), carries=k, length=n, reverse=reverse)
    carry, ys = groups(out, k)
    return unflatten(structure, carry), unflatten(of_y[0], ys)


def recorded_segments(f: Function, init: Any, xs: Any, n: int, reverse: bool, size: int) -> tuple[Any, Any]:
    """Scan over segments of ``size`` steps, and over the steps that are left."""
    whole = n - n % size
    rows = lambda x: np.reshape(x[:whole], (-1, size, *shape_of(x)[1:]))
    over = lambda carry, xs, n: recorded_scan(f, carry, xs, n, reverse, None)
    first = lambda carry: recorded_scan(
        lambda carry, xs: over(carry, xs, size), carry, tree_map(rows, xs), whole // size, reverse, None
    )
    rest = lambda carry: over(carry, tree_map(lambda x: x[whole:], xs), n - whole)
    carry, early = (rest if reverse else first)(init)
    carry, late = (first if reverse else rest)(carry)
    main, end = (late, early) if reverse else (early, late)
    flat = lambda y, z: np.concatenate([np.reshape(y, (whole, *shape_of(y)[2:])), z])
    return carry, tree_map(flat, main, end)


def recorded_while(cond: Function, body: Function, init: Any) -> Any:
    """``while_loop`` as one equation."""
    leaves, structure = flatten(init)

    def step(*carry: Any) -> list[Any]:
        new = body(unflatten(structure, list(carry)))
        return carry_again(new, unflatten(structure, list(carry)))

    def going(*carry: Any) -> list[Any]:
        return [truth(cond(unflatten(structure, list(carry))), "the condition of while_loop")]

    (program, test), outer, leaves = settled(leaves, [], step, going)
    carry = loop(*outer, *leaves, body=program, test=test, consts=len(outer), carries=len(leaves))
    return unflatten(structure, list(carry))


def settled(leaves: list[Any], items: list[Any], step: Function, *others: Function) -> tuple[Any, list[Any], list[Any]]:
    """The Programs of a step and of other functions of the carry, what they close over, and the first carry.

    A Python number in the carry takes on the dtype that the step gives it, for which the step is recorded anew.
    """
    while True:
        carry = list(map(stand_in, leaves))
        programs, outer = record((step, carry + items), *((f, carry) for f in others))
        dtypes = [dtype_of(y) for y in programs[0].outputs[: len(leaves)]]
        if all(dtype_of(x) == dtype for x, dtype in zip(leaves, dtypes)):
            return programs, outer, leaves
        leaves = list(map(of_dtype, leaves, dtypes))


def carry_again(new: Any, old: Any) -> list[Any]:
    """The leaves of the next carry; where the last one is an array, so is this one."""
    pairs = zip(flatten(alike(new, old, "the carry"))[0], flatten(old)[0])
    return [x if is_weak(y) else of_dtype(x, dtype_of(y)) for x, y in pairs]


def of_dtype(x: Any, dtype: np.dtype[Any]) -> Any:
    """A number as one of a dtype; an array of it as it is."""
    if hasattr(x, "dtype"):
        return x if x.dtype == dtype else x.astype(dtype)
    return dtype.type(x)


def recorded_branch(index: Any, branches: Sequence[Function], operands: tuple[Any, ...]) -> Any:
    """``switch`` as one equation; Python numbers among the results take on the dtype that another branch gives."""
    leaves, structure = flatten(operands)
    examples = list(map(stand_in, leaves))
    results: list[Any] = []

    def of_types(f: Function, dtypes: list[Any]) -> Function:
        def call(*xs: Any) -> list[Any]:
            y = f(*unflatten(structure, list(xs)))
            results.append(tree_map(stand_in, y))
            return list(map(of_dtype, flatten(y)[0], dtypes)) if dtypes else flatten(y)[0]

        return call

    record(*((of_types(f, []), examples) for f in branches))
    common = results[0]
    for y in results:
        common = alike(y, common, "the result", "branches")
    found, form = flatten(common)
    programs, outer = record(*((of_types(f, list(map(dtype_of, found))), examples) for f in branches))
    return unflatten(form, list(branch(index, *outer, *leaves, branches=tuple(programs))))


# ---------------------------------------------------------------- conditions that differ between items


def truth(condition: Any, what: str) -> Any:
    """A condition as a boolean without derivative."""
    if shape_of(condition):
        raise StructureError(
            f"{what} is of shape {shape_of(condition)}; it must be a scalar. Reduce it by np.any or np.all."
        )
    return without_cells(condition if dtype_of(condition).kind == "b" else condition != 0)


def any_item(condition: Any) -> bool:
    """Whether a condition holds for any item of a batch."""
    return bool(np.any(every_item(condition)))


def choose(condition: Any, x: Any, y: Any) -> Any:
    """For each item the leaves of ``x`` where the condition holds for it, those of ``y`` elsewhere."""
    return tree_map(lambda a, b: np.where(condition, a, b), x, y)


def taken_from(condition: Any, x: Any) -> Any:
    """The leaves of ``x`` of some item for which the condition holds, as constants for all items."""
    return tree_map(lambda leaf: of_such_an_item(leaf, condition), x)


def merged(taken: Sequence[Any], branches: Sequence[Function], operands: tuple[Any, ...]) -> Any:
    """For each item the result of the branch that it takes; a branch that none takes is not computed."""
    result = None
    for here, f in zip(taken, branches):
        if any_item(here):
            y = f(*choose(here, operands, taken_from(here, operands)))
            result = y if result is None else choose(here, alike(y, result, "the result", "branches"), result)
    return result


# ---------------------------------------------------------------- carries


def copied(tree: Any) -> Any:
    """The same values in arrays that can be assigned to without changing the given ones."""
    return tree_map(lambda x: duplicate(x) if is_array(x) else x, tree)


def steps_of(xs: Any, length: int | None) -> int:
    """The number of steps that ``xs`` and ``length`` agree on."""
    leaves, structure = flatten(xs)
    lengths = {} if length is None else {"length": operator.index(length)}
    for x, path in zip(leaves, structure.paths("xs")):
        if not shape_of(x):
            raise StructureError(f"{path} is a scalar; scan goes along the first axis of each array. Close over it.")
        lengths[path] = len(x)
    if not lengths:
        raise InputError("scan was given neither xs nor a length.")
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{path}: {n}" for path, n in lengths.items())
        raise StructureError(f"the arrays of scan differ in length ({given}).")
    return next(iter(lengths.values()))


def output_of_step(f: Function, carry: Any, xs: Any) -> Any:
    """What a step would return as its output, for the shapes of a scan of no steps."""
    x = tree_map(lambda leaf: np.zeros(shape_of(leaf)[1:], dtype_of(leaf))[()], xs)
    with np.errstate(all="ignore"):
        return carry_and_output(f(as_plain(carry), x))[1]


def carry_and_output(result: Any) -> tuple[Any, Any]:
    """What a step of scan returns."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise OutputError("the function of scan must return a pair (carry, y); without an output, (carry, None).")
    return result[0], result[1]


def stacked(ys: list[Any]) -> Any:
    """The outputs of all steps as one, along a new first axis of each leaf."""
    first, structure = flatten(ys[0])
    rows = [flatten(alike(y, ys[-1], "the output"))[0] for y in ys]
    return unflatten(structure, [np.stack(column) for column in zip(*rows)] if first else [])


def alike(new: Any, old: Any, what: str, between: str = "steps") -> Any:
    """``new``, which must have the structure, shapes and dtypes of ``old``; a Python number takes on a dtype."""
    leaves, structure = flatten(new)
    before, expected = flatten(old)
    if structure != expected:
        raise StructureError(f"{what} changes its structure between {between}, from {expected} to {structure}.")
    for k, (x, y) in enumerate(zip(leaves, before)):
        if shape_of(x) != shape_of(y) or dtype_of(x) != dtype_of(y):
            leaves[k] = adapted(x, y, list(structure.paths(what))[k], between)
    return unflatten(structure, leaves)


def adapted(new: Any, old: Any, path: str, between: str) -> Any:
    """A leaf that differs from an earlier one, if one of the two is a Python number that can be what the other is."""
    if shape_of(new) != shape_of(old):
        raise StructureError(
            f"{path} changes its shape between {between}, from {shape_of(old)} to {shape_of(new)}. "
            "Make the first as large as the last, for instance by np.broadcast_to or np.zeros."
        )
    number, wanted = (old, dtype_of(new)) if is_weak(old) else (new, dtype_of(old))
    if is_weak(number) and np.result_type(dtype_of(number).type(0).item(), wanted) == wanted:
        return new if number is old else of_dtype(new, wanted)
    raise StructureError(
        f"{path} changes its dtype between {between}, from {dtype_of(old)} to {dtype_of(new)}. "
        f"Start from one of dtype {np.result_type(dtype_of(old), dtype_of(new))}, or convert with .astype."
    )

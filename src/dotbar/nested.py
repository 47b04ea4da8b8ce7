"""Loops and branches inside a Program: one equation each, which holds Programs.

``LOOP(*consts, *carries, *xs)`` is both scan and while.  Its ``body`` maps (consts, carry, x) to (carry, y); it goes
along the first axis of the xs, or ``length`` times, or as long as ``test`` of (consts, carry) holds; it returns the
last carries and the ys, stacked.  ``BRANCH(index, *operands)`` runs one of ``branches``.  Their derivatives and
batches are again loops and branches, of Programs recorded from those of the body:

=========  ==========================================================================================
forward    the loop of pairs: its body is the jvp of the body
reverse    the loop itself, which also stacks the carry that each step began with; then, backwards along
           these stacks, the loop of the body's vjp, whose carries are the bars of the carries and of the consts
batch      the loop over whole batches; if items differ in their ``test``, until no item goes on, and those done wait
recording  one equation
=========  ==========================================================================================

Only carries are kept: each step is computed a second time on the way back.  What a ``test`` makes is a stack whose
length is known at run time (-1 in its variable's shape); to go along one takes as many steps as it holds.  So pushing
and popping are the ys and the xs of two loops, each the other's transpose, and reverse over reverse needs nothing new.
Under a batch the items of a stack may end early: the first y of a ``test`` loop says whether the step was taken, and
the loop backwards leaves the bars as they are where it was not.

Bodies are recorded on stand-ins: no value of theirs becomes a Python number, what they close over becomes an operand.
"""

import gc
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self
from weakref import ReferenceType, WeakKeyDictionary, ref

import numpy as np

from dotbar.batch import Batch, Batched
from dotbar.core import (
    BASE,
    Cell,
    Rule,
    Settings,
    Shape,
    Traced,
    as_plain,
    dtype_of,
    duplicate,
    primitive,
    refresh,
    shape_of,
)
from dotbar.custom import deepest, is_float, lowered, zero_like
from dotbar.dual import Dual, Forward
from dotbar.errors import ConversionError, MutationError, user_line
from dotbar.program import Control, Equation, Guard, Program, Var, variables
from dotbar.rules.kinds import constant, dense, match
from dotbar.rules.sorting import first_places
from dotbar.rules.words import entries, gather, stop_gradient
from dotbar.tape import Bars, Entry, Tape, accumulate
from dotbar.trace import TYPE, Recorded, Recording, recordings
from dotbar.transforms import jvp, unwrap, vjp

__all__ = [
    "BRANCH",
    "LOOP",
    "branch",
    "groups",
    "is_weak",
    "items_in",
    "loop",
    "of_such_an_item",
    "printed",
    "record",
    "stand_in",
]

Function = Callable[..., Any]
Values = list[Any]
Flags = list[bool]


# ---------------------------------------------------------------- recording a body


class Body(Recording):
    """A recording on stand-ins.  ``outer`` are the values that the body closes over, with their variables."""

    __slots__ = ("assigned", "outer", "starts")

    def __init__(self, outer: dict[Any, tuple[Traced, Var]]) -> None:
        super().__init__()
        self.outer = outer
        self.assigned: list[ReferenceType[Traced]] = []
        self.starts: dict[Recording, int] = {}

    def __enter__(self) -> Self:
        self.starts = {level: len(level.program.equations) for level in recordings.open}
        return super().__enter__()

    def note(self, rule: Rule, inputs: Iterable[Any], settings: Settings, outputs: Sequence[Var] = ()) -> None:
        if rule is TYPE:
            source = self.program.equations[-1].rule
            if source.fn in OF_ANY_SHAPE:
                raise ConversionError(refusal(f"the shape of {source.name}", "Use np.where(condition, a, b)."))
        elif isinstance(rule, Guard):
            remedy = "Use np.where(condition, a, b), dotbar.cond or dotbar.while_loop; np.take(x, i) to index an array."
            raise ConversionError(refusal(f"{rule.name}()", remedy))
        else:
            super().note(rule, inputs, settings, outputs)

    def refused(self, error: Exception, fn: Function, xs: Iterable[Any]) -> None:
        """What a function makes of stand-ins says nothing of the values."""

    def operand(self, x: Any) -> Any:
        if not isinstance(x, Traced) or x.level is self or type(x) is Cell:
            return super().operand(x)
        refresh(x)
        key = id(x.level), id(x.value), id(x.aux)
        if key not in self.outer:
            self.outer[key] = duplicate(x), Var.of(stand_in(x))
        return self.outer[key][1]

    def process(self, rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
        xs = [self.enter(x) if isinstance(x, Traced) else x for x in xs]
        if rule.fn is printed:
            self.note(rule, map(self.operand, xs), kw)
            return ()
        with np.errstate(all="ignore"):
            try:
                return super().process(rule, xs, kw)
            except Exception as error:
                try:
                    return super().process(rule, list(map(self.tamed, xs)), kw)
                except Exception:
                    raise error from None

    def enter(self, x: Traced) -> Traced:
        """A value as one of this level."""
        return x if x.level is self or type(x) is Cell else Recorded(stand_in(x), self, self.operand(x))

    def tamed(self, x: Any) -> Any:
        """The same variable, with an example that no function refuses if it accepts the shape."""
        return Recorded(tame(stand_in(x)), self, self.operand(x)) if isinstance(x, Recorded) else x

    def lift(self, x: Traced, inner: Any) -> None:
        self.assigned.append(ref(x))
        x.aux = self.operand(inner) if isinstance(inner, Traced) else None
        x.value = np.array(stand_in(inner))

    def allow(self, root: Traced) -> None:
        level: Any = root.level
        if level in self.starts and root.aux is not None:
            since = level.program.equations[self.starts[level] :]
            if not any(root.aux in e.outputs for e in since):
                raise MutationError(WRITES)

    def check_assigned(self) -> None:
        """Refuse a body that has assigned to an array which outlives it."""
        if any(x() is not None for x in self.assigned):
            gc.collect()
            if any(x() is not None for x in self.assigned):
                raise MutationError(WRITES)


OF_ANY_SHAPE = (np.nonzero, first_places, gather)

WRITES = (
    "the body of a loop or branch assigns to an array made outside of it, but it is recorded for all steps at once. "
    "Make the array part of the carry, and return it."
)


def refusal(what: str, remedy: str) -> str:
    """Why a value that is not known yet decides nothing."""
    return (
        f"{what} at {user_line()} of a value inside the body of a loop or branch, which is recorded for all steps at "
        f"once. {remedy}"
    )


def stand_in(x: Any) -> Any:
    """A plain example of a value; of a batch, one item."""
    if not isinstance(x, Traced):
        return x
    return as_plain(x).item() if is_weak(x) else as_plain(x)[()]


def tame(x: Any) -> Any:
    """Identity matrices, ones, the index 0, False."""
    shape: Any = shape_of(x)
    dtype = dtype_of(x)
    if dtype.kind not in "fc":
        return np.zeros(shape, dtype)[()]
    is_matrix = len(shape) > 1 and shape[-1] == shape[-2]
    return np.broadcast_to(np.eye(shape[-1], dtype=dtype), shape) if is_matrix else np.ones(shape, dtype)[()]


def is_weak(x: Any) -> bool:
    """Whether a value is one of Python's numbers, or stands for one."""
    while isinstance(x, Traced):
        x = x.value
    return type(x) in (int, float, complex)


def record(*bodies: tuple[Function, Iterable[Any]]) -> tuple[list[Program], Values]:
    """The Programs of functions of leaves that return lists of leaves, and the values that any of them closes over.

    These are the first inputs of each Program.  A function comes with examples of its arguments.

    Raises:
        ConversionError: a value is to become a Python number.
        MutationError: a body assigns to an array made outside.
    """
    outer: dict[Any, tuple[Traced, Var]] = {}
    programs = [_recorded(f, examples, outer) for f, examples in bodies]
    closed_over = [var for _, var in outer.values()]
    return [Program(closed_over + p.inputs, p.equations, p.outputs).pruned() for p in programs], [
        x for x, _ in outer.values()
    ]


def _recorded(f: Function, examples: Iterable[Any], outer: dict[Any, tuple[Traced, Var]]) -> Program:
    with Body(outer) as level:
        ys = f(*map(level.input, examples))
        for y in ys:
            if isinstance(y, Traced):
                refresh(y)
        level.program.outputs = list(map(level.operand, ys))
        ys = y = None
        level.check_assigned()
    return level.program


def derived(f: Function, examples: Iterable[Any]) -> Program:
    """The Program of a function that closes over no values."""
    return record((f, examples))[0][0]


def silent(program: Program) -> Program:
    """The Program without what it prints, to be run a second time."""
    return Program(program.inputs, [e for e in program.equations if e.rule.fn is not printed], program.outputs)


_FUNCTIONS: WeakKeyDictionary[Program, tuple[Function, int]] = WeakKeyDictionary()
"""What runs a Program, and how many calls are left to it."""

WORTH = 10_000
"""Equations that NumPy evaluates in the time in which native code is made."""


def run(program: Program, *args: Any) -> Values:
    """The outputs of a Program: through NumPy until native code would have been worth it, then by that."""
    function, left = _FUNCTIONS.get(program) or (program.function(), WORTH // (1 + len(program.equations)))
    if left == 0:
        from dotbar.compiler.run import compiled

        function = compiled(program).function()
    if left >= 0:
        _FUNCTIONS[program] = function, left - 1
    return function(*args)


# ---------------------------------------------------------------- lists of operands


def groups(args: Sequence[Any], *sizes: int) -> list[Values]:
    """Consecutive parts of a list; what is left is the last."""
    parts: list[Values] = []
    for n in sizes:
        parts.append(list(args[:n]))
        args = args[n:]
    return [*parts, list(args)]


def chosen(xs: Sequence[Any], flags: Sequence[bool]) -> Values:
    """The items of a list that are flagged."""
    return [x for x, flag in zip(xs, flags) if flag]


def replaced(xs: Sequence[Any], flags: Sequence[bool], news: Iterable[Any]) -> Values:
    """A list with others in the place of the items that are flagged."""
    rest = iter(news)
    return [next(rest) if flag else x for x, flag in zip(xs, flags)]


def reached(program: Program, flags: Sequence[bool], floats: bool = False) -> Flags:
    """Which outputs of a Program depend on the flagged inputs; with ``floats``, as derivatives do, through floats."""
    seen = set(chosen(program.inputs, flags))
    for e in program.equations:
        if any(x in seen for x in variables(e)):
            seen.update(y for y in chosen(e.outputs, reached_results(e, seen, floats)) if is_float(y) or not floats)
    return [type(y) is Var and y in seen for y in program.outputs]


def reached_results(e: Equation, seen: set[Var], floats: bool) -> Flags:
    """Which results of an equation depend on what has been seen: all, if it is no loop or branch."""
    flags = [type(x) is Var and x in seen for x in e.inputs]
    if e.rule is BRANCH and not flags[0]:
        return list(map(any, zip(*(reached(p, flags[1:], floats) for p in e.settings["branches"]))))
    if e.rule is LOOP:
        body, test, consts, carries = (e.settings[name] for name in ("body", "test", "consts", "carries"))
        fc, fk, fx = groups(flags, consts, carries)
        fk, fy = reached_by_steps(body, fc, fk, fx, floats)
        if floats or test is None or not reads(test).intersection(chosen(test.inputs, fc + fk)):
            return fk + fy
    return [True] * len(e.outputs)


def reads(program: Program) -> set[Var]:
    """The variables that a Program reads."""
    return {x for e in program.equations for x in variables(e)} | {x for x in program.outputs if type(x) is Var}


def reached_by_steps(body: Program, fc: Flags, fk: Flags, fx: Flags, floats: bool = False) -> tuple[Flags, Flags]:
    """Which carries and which ys depend on the flagged operands after any number of steps."""
    while True:
        seen, ys = groups(reached(body, fc + fk + fx, floats), len(fk))
        more = [f or s for f, s in zip(fk, seen)]
        if more == fk:
            return fk, ys
        fk = more


# ---------------------------------------------------------------- loops


def loop(
    *operands: Any,
    body: Program,
    test: Program | None = None,
    consts: int = 0,
    carries: int = 0,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, ...]:
    """The last carries and the stacked ys, at the deepest level of the operands."""
    kw: Settings = {"test": test, "consts": consts, "carries": carries, "length": length, "reverse": reverse}
    level = deepest(operands)
    if level is BASE:
        return _run(operands, body, **kw)
    if isinstance(level, Forward):
        return tuple(_forward(level, operands, body, **kw))
    if isinstance(level, Tape):
        return tuple(_reverse(level, operands, body, **kw))
    if isinstance(level, Batch):
        return tuple(_batched(level, operands, body, **kw))
    if isinstance(level, Recording):
        return tuple(_noted(level, operands, body, **kw))
    return level.enclose("loop", lambda *xs: loop(*xs, body=body, **kw), operands)


def _run(operands: Any, body: Program, test: Any, consts: int, carries: int, length: Any, reverse: bool) -> Any:
    c, k, xs = groups(operands, consts, carries)
    weak = [x.weak for x in body.inputs[consts : consts + carries]]
    forms = body.outputs[carries:]
    rows: list[Values] = []

    def step(*x: Any) -> Values:
        k_next, y = groups(run(body, *c, *k, *x), carries)
        rows.append(y)
        return [v.item() if w and isinstance(v, (np.generic, np.ndarray)) else v for v, w in zip(k_next, weak)]

    if test is not None:
        while run(test, *c, *k)[0]:
            k = step()
    else:
        places = range(len(xs[0]) if length is None else length)
        for i in places[::-1] if reverse else places:
            k = step(*(x[i] for x in xs))
    rows = rows[::-1] if reverse else rows
    ys = map(np.stack, zip(*rows)) if rows else (np.zeros((0, *shape_of(y)), dtype_of(y)) for y in forms)
    return (*k, *(y.astype(dtype_of(form), copy=False) for y, form in zip(ys, forms)))


def items_in(xs: Values) -> Values:
    """A plain example of one step's x for each of the xs."""
    return [x[0] if len(x) else np.zeros(x.shape[1:], x.dtype)[()] for x in map(stand_in, xs)]


def _forward(
    level: Forward, operands: Any, body: Program, test: Any, consts: int, carries: int, length: Any, reverse: bool
) -> Values:
    vals, dots, mine = lowered(operands, level)
    fc, fk, fx = groups(mine, consts, carries)
    c, k, x = groups(vals, consts, carries)
    cdots, kdots, xdots = (chosen(*pair) for pair in zip(groups(dots, consts, carries), (fc, fk, fx)))
    fk, fy = reached_by_steps(body, fc, fk, fx, floats=True)
    kdots = [zero_like(v) if d is None else d for v, d in zip(chosen(k, fk), chosen(dots[consts:], fk))]
    sizes = (consts, len(cdots), carries, len(kdots), len(x))

    def push(*args: Any) -> Values:
        c, cdots, k, kdots, x, xdots = groups(args, *sizes)
        primals, flags = c + k + x, fc + fk + fx
        along = lambda *some: body.apply(*replaced(primals, flags, some))
        out, outdots = jvp(along, tuple(chosen(primals, flags)), (*cdots, *kdots, *xdots))
        (k, y), (kdots, ydots) = groups(out, carries), groups(outdots, carries)
        return k + chosen(kdots, fk) + y + chosen(ydots, fy)

    pairs = (c + cdots, k + kdots, x + xdots)
    examples = [*map(stand_in, pairs[0] + pairs[1])]
    if test is not None:
        go_on = test
        test = derived(lambda *args: go_on.apply(*args[:consts], *groups(args, *sizes)[2]), examples)
    out = loop(
        *pairs[0],
        *pairs[1],
        *pairs[2],
        body=derived(push, [*examples, *items_in(pairs[2])]),
        test=test,
        consts=len(pairs[0]),
        carries=len(pairs[1]),
        length=length,
        reverse=reverse,
    )
    k, kdots, y, ydots = groups(out, carries, len(kdots), len(fy))
    duals = lambda ys, flags, dots: replaced(ys, flags, (Dual(y, level, t) for y, t in zip(chosen(ys, flags), dots)))
    return duals(k, fk, kdots) + duals(y, fy, ydots)


def _reverse(
    level: Tape, operands: Any, body: Program, test: Any, consts: int, carries: int, length: Any, reverse: bool
) -> Values:
    vals, nodes, mine = lowered(operands, level)
    fc, fk, fx = groups(mine, consts, carries)
    c, _, x = groups(vals, consts, carries)
    fk, fy = reached_by_steps(body, fc, fk, fx, floats=True)
    ends = body.outputs[carries:]
    taken = [np.True_] if test is not None and not ends else []
    starts = body.inputs[consts : consts + carries]
    saving = Program(body.inputs, body.equations, [*body.outputs, *taken, *starts])
    out = loop(*vals, body=saving, test=test, consts=consts, carries=carries, length=length, reverse=reverse)
    last, ys, history = groups(out, carries, len(ends) + len(taken))
    steps = ys[:1] if test is not None else []
    ys = ys[: len(ends)]
    again = silent(body)

    def pull(gs: Sequence[Any]) -> Values:
        kbars = [zero_like(v) if g is None else match(dense(g), v) for v, g in zip(chosen(last, fk), chosen(gs, fk))]
        cbars = [zero_like(v) for v in chosen(c, fc)]
        given = [f and g is not None for f, g in zip(fy, gs[carries:])]
        ybars = [match(dense(g), y) for g, y in zip(chosen(gs[carries:], given), chosen(ys, given))]
        along = [*history, *x, *steps, *ybars]
        sizes = (consts, len(kbars), len(cbars), carries, len(x), len(steps))

        def back(*args: Any) -> Values:
            c, kbars, cbars, k, x, step, ybars = groups(args, *sizes)
            primals, flags = c + k + x, fc + fk + fx
            part = lambda *some: chosen(again.apply(*replaced(primals, flags, some)), fk + given)
            _, pullback = vjp(part, *chosen(primals, flags))
            new_c, new_k, xbars = groups(pullback([*kbars, *ybars]), len(cbars), len(kbars))
            new_c = [old + new for old, new in zip(cbars, new_c)]
            if step:
                new_k = [np.where(step[0], new, old) for old, new in zip(kbars, new_k)]
                new_c = [np.where(step[0], new, old) for old, new in zip(cbars, new_c)]
            return new_k + new_c + xbars

        examples = [*map(stand_in, c + kbars + cbars), *items_in(along)]
        out = loop(
            *c,
            *kbars,
            *cbars,
            *along,
            body=derived(back, examples),
            consts=consts,
            carries=len(kbars) + len(cbars),
            length=length,
            reverse=not reverse,
        )
        kbars, cbars, xbars = groups(out, len(kbars), len(cbars))
        none: Values = [None] * len(operands)
        return replaced(none, fc + fk + fx, cbars + kbars + xbars)

    return on_tape(level, pull, vals, nodes, last + ys, fk + fy)


def on_tape(tape: Tape, pull: Function, values: Values, nodes: Values, ys: Values, active: Flags) -> Values:
    """One entry for a call whose pullback is known, one for each of its active results."""
    index = len(tape.entries)
    tape.may_warn = True
    tape.push((sweep_call, nodes, [Shape.of(v) for v in values], pull))
    return [tape.output(index, i, len(ys), y) if f else y for i, (y, f) in enumerate(zip(ys, active))]


def sweep_call(g: Any, bars: Bars, entry: Entry) -> None:
    """A call with its own pullback, which takes None for a result without a cotangent."""
    _, nodes, forms, pull = entry
    for node, form, xbar in zip(nodes, forms, pull(g)):
        if node is not None and xbar is not None:
            accumulate(bars, node, match(xbar, form))


def _batched(
    level: Batch, operands: Any, body: Program, test: Any, consts: int, carries: int, length: Any, reverse: bool
) -> Values:
    vals, _, mine = lowered(operands, level)
    fc, fk, fx = groups(mine, consts, carries)
    c, k, x = groups(vals, consts, carries)
    starts = fk
    fk, fy = reached_by_steps(body, fc, fk, fx)
    if test is not None:
        if any(x in reads(test) for x in chosen(test.inputs, fc + fk)):
            return _batched_while(level, operands, body, test, consts, carries)
        whole_batches = [Var((level.size, *x.shape), x.dtype) if f else x for x, f in zip(test.inputs, fc + fk)]
        test = Program(whole_batches, test.equations, test.outputs)
    k = [all_items(v, level) if f and not s else v for v, f, s in zip(k, fk, starts)]
    x = [np.moveaxis(v, 1, 0) if f else v for v, f in zip(x, fx)]

    def step(*args: Any) -> Values:
        with Batch(level.size) as inner:
            return leave(body.apply(*enter(args, fc + fk + fx, inner)), fk + fy, inner)

    out = loop(
        *c,
        *k,
        *x,
        body=derived(step, [*map(stand_in, c + k), *items_in(x)]),
        test=test,
        consts=consts,
        carries=carries,
        length=length,
        reverse=reverse,
    )
    k, y = groups(out, carries)
    return enter([*k, *(np.moveaxis(v, 1, 0) if f else v for v, f in zip(y, fy))], fk + fy, level)


def _batched_while(level: Batch, operands: Any, body: Program, test: Program, consts: int, carries: int) -> Values:
    """A loop that the items of a batch leave after different numbers of steps.

    It carries the items' carries and, for those that are done, what they walk along on: their own of their last step.
    """
    vals, _, mine = lowered(operands, level)
    (fc, fk), (c, k) = groups(mine, consts), groups(vals, consts)
    all_of_k = [True] * carries
    k = [v if f else all_items(v, level) for v, f in zip(k, fk)]
    items = enter(k, all_of_k, level)
    (going,) = test.apply(*operands[:consts], *items)
    held = leave([of_such_an_item(v, going) for v in items], all_of_k, level)

    def step(*args: Any) -> Values:
        with Batch(level.size) as inner:
            c, k, held = groups(enter(args, fc + 2 * all_of_k, inner), consts, carries)
            (going,) = test.apply(*c, *k)
            here = [np.where(going, v, stop_gradient(h)) for v, h in zip(k, held)]
            new, y = groups(body.apply(*c, *here), carries)
            new = [np.where(going, v, old) for v, old in zip(new, k)]
            out = [*new, *here, *(np.logical_and(going, taken) for taken in y[:1]), *y[1:]]
            return leave(out, [True] * len(out), inner)

    def any_goes_on(*args: Any) -> Values:
        with Batch(level.size) as inner:
            going = test.apply(*enter(args, fc + all_of_k, inner)[: consts + carries])
            return [np.any(leave(going, [True], inner)[0])]

    examples = [*map(stand_in, c + k + held)]
    out = loop(
        *c,
        *k,
        *held,
        body=derived(step, examples),
        test=derived(any_goes_on, examples),
        consts=consts,
        carries=2 * carries,
    )
    k, _, y = groups(out, carries, carries)
    return [Batched(v, level) for v in (*k, *(np.moveaxis(v, 1, 0) for v in y))]


def all_items(x: Any, level: Batch) -> Any:
    """A value that all items share, for each of them."""
    return np.broadcast_to(x, (level.size, *shape_of(x)))


def enter(xs: Sequence[Any], flags: Sequence[bool], level: Batch) -> Values:
    """Whole batches as items."""
    return [Batched(x, level) if f else x for x, f in zip(xs, flags)]


def leave(ys: Sequence[Any], flags: Sequence[bool], level: Batch) -> Values:
    """Items as whole batches."""
    return [whole(y, level) if f else y for y, f in zip(ys, flags)]


def whole(y: Any, level: Batch) -> Any:
    """All items of a result, also of one that they share."""
    value = unwrap(y, level)[0]
    return value if isinstance(y, Traced) and y.level is level else all_items(value, level)


@primitive
def of_such_an_item(x: Any, condition: Any) -> Any:
    """``x`` itself; in a batch that of an item for which the condition holds."""
    return x


def _batch_such(xs: Sequence[Any], batched: Sequence[bool], size: int) -> Any:
    x, condition = xs
    if all(batched):
        last_first = np.where(condition, np.arange(size, 0, -1), 1)
        x = entries(x, (size - np.max(last_first),))
    return x if batched[0] and not batched[1] else np.broadcast_to(x, (size, *shape_of(x)))


constant(of_such_an_item, like=lambda x, condition: None, batch=_batch_such)


@primitive
def printed(*args: Any, fmt: str) -> tuple[()]:
    """An equation without results."""
    print(fmt.format(*args))
    return ()


def _print_items(xs: Sequence[Any], batched: Sequence[bool], size: int, fmt: str) -> tuple[()]:
    for i in range(size):
        printed(*[x[i] if b else x for x, b in zip(xs, batched)], fmt=fmt)
    return ()


constant(printed, like=lambda *args, fmt: None, batch=_print_items)


def _noted(level: Recording, operands: Any, body: Program, consts: int, carries: int, **kw: Any) -> Values:
    inputs = list(map(level.operand, operands))
    xs = inputs[consts + carries :]
    open_ended = kw["test"] is not None or any(shape_of(x)[0] == -1 for x in xs)
    if isinstance(level, Body):
        examples = list(map(stand_in, operands))
        n = kw["length"] if kw["length"] is not None else next(map(len, examples[consts + carries :]), 1)
        ys = [np.broadcast_to(tame(y), (n, *shape_of(y))) for y in body.outputs[carries:]]
        out = (*examples[consts : consts + carries], *ys)
    else:
        out = loop(*at_level(operands, level), body=body, consts=consts, carries=carries, **kw)
    outputs = list(map(Var.of, out))
    if open_ended:
        outputs[carries:] = [Var((-1, *y.shape[1:]), y.dtype) for y in outputs[carries:]]
    level.note(LOOP, inputs, {"body": body, "consts": consts, "carries": carries, **kw}, outputs)
    return [Recorded(y, level, var) for y, var in zip(out, outputs)]


def at_level(xs: Iterable[Any], level: Recording) -> Values:
    """The examples of the values of a recording."""
    return [x.value if isinstance(x, Traced) and x.level is level else x for x in xs]


# ---------------------------------------------------------------- branches


def branch(index: Any, *operands: Any, branches: tuple[Program, ...]) -> tuple[Any, ...]:
    """The results of the branch of a number, at the deepest level of the operands."""
    level = deepest((index, *operands))
    if level is BASE:
        return tuple(run(branches[int(index)], *operands))
    if isinstance(level, Forward):
        return tuple(_branch_forward(level, index, operands, branches))
    if isinstance(level, Tape):
        return tuple(_branch_reverse(level, index, operands, branches))
    if isinstance(level, Batch):
        return tuple(_branch_batched(level, index, operands, branches))
    if isinstance(level, Recording):
        return tuple(_branch_noted(level, index, operands, branches))
    return level.enclose("branch", lambda *xs: branch(*xs, branches=branches), (index, *operands))


def active_results(branches: tuple[Program, ...], mine: Flags) -> Flags:
    """Which results depend on the flagged operands in any of the branches, and are floats."""
    return list(map(any, zip(*(reached(p, mine, floats=True) for p in branches))))


def _branch_forward(level: Forward, index: Any, operands: Any, branches: tuple[Program, ...]) -> Values:
    vals, dots, mine = lowered(operands, level)
    flags = active_results(branches, mine)
    dots = chosen(dots, mine)

    def pushed(program: Program) -> Program:
        def push(*args: Any) -> Values:
            xs, dots = groups(args, len(vals))
            along = lambda *some: program.apply(*replaced(xs, mine, some))
            out, outdots = jvp(along, tuple(chosen(xs, mine)), tuple(dots))
            return [*out, *chosen(outdots, flags)]

        return derived(push, map(stand_in, vals + dots))

    ys, ydots = groups(branch(index, *vals, *dots, branches=tuple(map(pushed, branches))), len(flags))
    return replaced(ys, flags, (Dual(y, level, t) for y, t in zip(chosen(ys, flags), ydots)))


def _branch_reverse(level: Tape, index: Any, operands: Any, branches: tuple[Program, ...]) -> Values:
    vals, nodes, mine = lowered(operands, level)
    flags = active_results(branches, mine)
    ys = list(branch(index, *vals, branches=branches))

    def pull(gs: Sequence[Any]) -> Values:
        given = [f and g is not None for f, g in zip(flags, gs)]
        ybars = [match(dense(g), y) for g, y in zip(chosen(gs, given), chosen(ys, given))]

        def pulled(program: Program) -> Program:
            again = silent(program)

            def back(*args: Any) -> Values:
                xs, ybars = groups(args, len(vals))
                part = lambda *some: chosen(again.apply(*replaced(xs, mine, some)), given)
                return list(vjp(part, *chosen(xs, mine))[1](ybars))

            return derived(back, map(stand_in, vals + ybars))

        none: Values = [None] * len(vals)
        return replaced(none, mine, branch(index, *vals, *ybars, branches=tuple(map(pulled, branches))))

    return on_tape(level, pull, vals, nodes, ys, flags)


def _branch_batched(level: Batch, index: Any, operands: Any, branches: tuple[Program, ...]) -> Values:
    if isinstance(index, Batched) and index.level is level:
        results: Values = []
        for number, program in enumerate(branches):
            here = np.equal(index, number)
            ys = program.apply(*(np.where(here, x, of_such_an_item(x, here)) for x in operands))
            results = [np.where(here, y, old) for y, old in zip(ys, results)] if results else ys
        return results
    vals, _, mine = lowered(operands, level)
    flags = list(map(any, zip(*(reached(p, mine) for p in branches))))

    def over_items(program: Program) -> Program:
        def each(*args: Any) -> Values:
            with Batch(level.size) as inner:
                return leave(program.apply(*enter(args, mine, inner)), flags, inner)

        return derived(each, map(stand_in, vals))

    return enter(branch(index, *vals, branches=tuple(map(over_items, branches))), flags, level)


def _branch_noted(level: Recording, index: Any, operands: Any, branches: tuple[Program, ...]) -> Values:
    operands = (index, *operands)
    inputs = list(map(level.operand, operands))
    if isinstance(level, Body):
        out = [tame(y) for y in branches[0].outputs]
    else:
        out = branch(*at_level(operands, level), branches=branches)
    outputs = list(map(Var.of, out))
    level.note(BRANCH, inputs, {"branches": branches}, outputs)
    return [Recorded(y, level, var) for y, var in zip(out, outputs)]


LOOP = Control(loop, ("*operands",), ("body", "test", "consts", "carries", "length", "reverse"))
BRANCH = Control(branch, ("index", "*operands"), ("branches",))

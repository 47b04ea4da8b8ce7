"""jit: a Python function, recorded once for each way that it can go, run as Programs from then on.

A call looks up the variants recorded for arguments of its kind (structure, dtypes, shapes, layout in memory, static
values, what the function's names are bound to).  A variant whose guards fail gives way to the next one, and if none is
left the function is recorded again, on the arguments themselves: the first call runs as without ``jit`` and notes
what it does.  So no result is ever stale, whatever Python decides on the values.
"""

import operator
import pickle
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from io import IOBase
from typing import Any

import numpy as np

from dotbar.batch import Batch, Batched
from dotbar.core import Cell, Traced, as_plain, full_name, shape_of, without_cells
from dotbar.dual import Dual, Forward
from dotbar.errors import InputError, for_the_user
from dotbar.joint import joint, merged
from dotbar.program import Guard, GuardFailed, Program, Var
from dotbar.rebuilt import Rebuilt
from dotbar.surroundings import Surroundings, identity, is_followed, top_of
from dotbar.tape import Tape
from dotbar.trace import Recording
from dotbar.transforms import Derived, finish, unwrap
from dotbar.tree import Structure, flatten, unflatten

__all__ = ["get_num_threads", "jit", "set_num_threads"]

VARIANTS = 16
REFUSALS = GuardFailed, ArithmeticError, LookupError, ValueError


def jit(
    f: Callable[..., Any],
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    reassociate: bool = True,
) -> "Jitted":
    """A function that is recorded at its first call, compiled at its second, and native code from then on.

    Python stays Python: ``if``, ``while``, ``int(x)`` and the like on values are decided at recording, and
    checked at each call; where they come out otherwise, another variant is recorded.  Arrays that the function
    closes over, or reads as globals or defaults, are read anew at each call; an argument that it assigns to is changed
    as it would be without ``jit``.  Derivatives may be taken inside, ``jit(grad(f))``, and outside, ``grad(jit(f))``.
    Of NumPy's floating-point warnings there are none.

    Args:
        f: the function.  What it prints, and what it changes other than arrays it was given, happens when it is
            recorded.
        static_argnums: positions of arguments that are part of the function: for another value it is recorded anew.
        static_argnames: the same for keyword arguments.
        reassociate: sums, and products with them, may be taken in another order than NumPy's, so that results differ
            by rounding.  Nothing else that changes a result is done in either case: no factor is taken for finite.

    Returns:
        A function of the same arguments, with methods that show what becomes of a call: ``program(*args)`` as it is
        recorded, ``optimized(*args)`` as it is simplified, ``llvm(*args)`` as native code.

    Raises:
        InputError: ``f`` is no function, or a static argument cannot be hashed.
    """
    if not callable(f):
        raise InputError(f"jit takes a function, not a {type(f).__name__}: jit(f)(x), not jit(f(x)).")
    numbers = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    options = {"static_argnums": numbers, "static_argnames": names, "reassociate": reassociate}
    return direct()((jit, (f,), options), f, numbers, names, reassociate)


@cache
def direct() -> "type[Jitted]":
    """Functions that are called as fast as a builtin."""
    from dotbar.compiler import wrapper

    return wrapper.direct(Jitted)


class Jitted(Derived):
    """A function with the Programs recorded of it."""

    __slots__ = (
        *("_derived", "_entrances", "_f", "_inline", "_reassociate", "_static", "_surroundings", "_variants"),
        "_warned",
    )

    def __init__(
        self,
        recipe: Any,
        f: Callable[..., Any],
        numbers: tuple[int, ...],
        names: tuple[str, ...],
        reassociate: bool,
    ):
        self._f = f
        self._static = numbers, names
        self._reassociate = reassociate
        self._surroundings = Surroundings()
        self._variants: dict[Any, list[Variant]] = {}
        self._derived: dict[Any, Any] = {}
        self._entrances: list[Callable[..., Any]] = []
        self._inline: set[Any] = set()
        self._warned: set[Any] = set()
        super().__init__(recipe, f)
        self._call = self._run

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """The Program of a call with these arguments, as it is recorded."""
        leaves, structure = flatten((args, kwargs))
        args, kwargs = unflatten(structure, [np.copy(x) if type(x) is np.ndarray else x for x in leaves])
        return Call(self, args, kwargs).record()[0].program

    def optimized(self, *args: Any, **kwargs: Any) -> Program:
        """The Program of a call with these arguments, simplified."""
        from dotbar.compiler.simplify import simplify

        return simplify(self.program(*args, **kwargs), self._reassociate)

    def llvm(self, *args: Any, **kwargs: Any) -> str:
        """What is native in a call with these arguments, in LLVM's language; several functions if NumPy is between.

        Raises:
            CompilerError: llvmlite is not installed.
        """
        from dotbar.compiler import run

        return run.text(run.segmented(self.optimized(*args, **kwargs), self._reassociate))

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        call = Call(self, args, kwargs)
        if any(isinstance(x, Traced) for x in call.examples):
            return self._below(call)
        variants = self._variants.setdefault(call.key(), [])
        for variant in variants:
            if not variant.entered and self._enter(variant, call, args, kwargs):
                return self(*args, **kwargs)
            try:
                return variant(call.examples)
            except Overlap:
                return self._f(*args, **kwargs)
            except REFUSALS:  # of NumPy's errors, the function may catch some
                continue
        if len(variants) >= VARIANTS:
            return self._give_up(variants, args, kwargs)
        try:
            variant, result = call.record()
        except Overlap:
            return self._f(*args, **kwargs)
        variants.append(variant)
        self._allow(variant, call, args, kwargs)
        return result

    def _allow(self, variant: "Variant", before: "Call", args: Any, kwargs: Any) -> None:
        """Let a recording that changed what the function uses, such as a counter, be for what it is afterwards, too."""
        self._surroundings = before.surroundings.now(between_calls=False)
        if self._surroundings is not before.surroundings:
            after = Call(self, args, kwargs)
            if len(before.examples) == len(after.examples):
                self._variants.setdefault(after.key(), []).append(variant)

    def _found(self, roots: tuple[Any, ...]) -> Surroundings:
        """What the function and some arguments use now."""
        last = self._surroundings
        same = len(last.roots) == len(roots) and all(map(operator.is_, last.roots, roots))
        self._surroundings = last.now() if same else Surroundings(*roots)
        return self._surroundings

    def _enter(self, variant: "Variant", call: "Call", args: Any, kwargs: Any) -> bool:
        """Compile a variant, and let such calls go straight to native code; whether they can from now on.

        One thread does it, and the others go the long way round.
        """
        from dotbar.compiler import engine, run, wrapper
        from dotbar.entrance import entrance

        with engine.alone():
            if variant.entered:
                return False
            variant.compile()
            segment = run.whole(variant.native)
            bindings = call.surroundings.bindings()
            indirect = segment is None and (call.fixed or not engine.available())
            if indirect or variant.changed or bindings is None:
                return False
            before = self._entrances[-1:] if len(self._entrances) < VARIANTS else []
            slow = before[0] if before else self.__call__
            hidden = call.examples[len(call.places) :]
            if segment is None:
                make = partial(wrapper.gate, through=through(variant, call, args, kwargs, slow), slow=slow)
            else:
                make = lambda given, **more: segment.builtin(given, variant.output(), slow, None, **more)
            made = entrance(make, args, kwargs, call.fixed, hidden, bindings)
            if made is None:
                return False
            self._entrances = [*(self._entrances if before else []), made]
            wrapper.enter(self, made)
        return True

    def _below(self, call: "Call") -> Any:
        """A call on traced values: one operation of the deepest level, made of functions that are compiled in turn."""
        examples = list(map(current, call.examples))
        level = max((x.level for x in examples if isinstance(x, Traced)), key=lambda level: level.depth)
        mine = tuple(isinstance(x, Traced) and x.level is level for x in examples)
        values = [x.value if m else x for x, m in zip(examples, mine)]
        plain = list(map(as_plain, examples))
        key = (type(level), mine, call.key(plain))
        call.forget()
        if key in self._inline or type(level) not in (Forward, Batch, Tape):
            return call.run(examples)
        try:
            if type(level) is Tape:
                return self._taped(call, key, level, examples, plain, mine)
            if key not in self._derived:
                self._derived[key] = self._jit((pushed if type(level) is Forward else batched)(call, mine))
            made = self._derived[key]
            if type(level) is Forward:
                out, dots = made(values, [x.aux for x, m in zip(examples, mine) if m])
                traced = lambda y, t: y if t is None else Dual(y, level, t)
            else:
                out, dots = made(values)
                traced = lambda y, differs: y if differs is None else Batched(y, level)
            leaves, structure = flatten(out)
            return unflatten(structure, list(map(traced, leaves, dots)))
        except Assigned:  # an argument would have to change with the call
            self._inline.add(key)
            return call.run(examples)

    def _taped(self, call: "Call", key: Any, level: Tape, examples: Any, plain: Any, mine: Any) -> Any:
        """One entry of a tape: the forward Program now, the backward Program in the sweep."""
        rules = self._derived.setdefault(key, [])
        for rule in rules:
            try:
                return rule.record(level, examples)
            except REFUSALS:
                continue
        if len(rules) >= VARIANTS:
            return call.run(examples)
        rules.append(joint(self._jit, call.unassigned, plain, mine))
        return rules[-1].record(level, examples)

    def _jit(self, f: Callable[..., Any]) -> "Jitted":
        """A function made of this one, compiled as this one is."""
        return jit(f, reassociate=self._reassociate)

    def _give_up(self, variants: "list[Variant]", args: Any, kwargs: Any) -> Any:
        """Run without recording, as the function goes another way at almost every call; say so once."""
        if id(variants) not in self._warned:
            self._warned.add(id(variants))
            name = getattr(self._f, "__name__", "the function")
            where = variants[-1].last_guard() or variants[0].last_guard()
            warnings.warn(
                f"jit has recorded {name} {VARIANTS} times, as a value that decides {where} kept coming out "
                "otherwise. From now on other outcomes run without jit. Use np.where(condition, a, b) or dotbar.cond "
                "there.",
                stacklevel=4,
            )
        return self._f(*args, **kwargs)


def set_num_threads(n: int) -> None:
    """How many threads share the large loops of functions that are compiled from now on; one to begin with.

    Sums are added in another order for another number.  Threads that the machine has no room for are not waited for.

    Raises:
        ValueError: ``n`` is below 1.
    """
    from dotbar.compiler import threads

    threads.set_num_threads(n)


def get_num_threads() -> int:
    """The number that :func:`set_num_threads` set."""
    from dotbar.compiler import threads

    return threads.get_num_threads()


# ---------------------------------------------------------------- one call


class Call:
    """The arguments of one call, taken apart: arrays and numbers that may vary, and what is fixed."""

    __slots__ = ("examples", "fixed", "jitted", "leaves", "places", "structure", "surroundings")

    def __init__(self, jitted: Jitted, args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.jitted = jitted
        numbers, names = jitted._static
        fixed: dict[Any, Any] = {}
        if numbers or names:
            places = {i % len(args): args[i] for i in numbers if -len(args) <= i < len(args)}
            fixed = places | {name: kwargs[name] for name in names if name in kwargs}
            args = tuple(None if i in places else x for i, x in enumerate(args))
            kwargs = {k: v for k, v in kwargs.items() if k not in fixed}
        leaves, self.structure = flatten((args, kwargs))
        self.leaves = [without_cells(x) for x in leaves]
        self.places = [i for i, x in enumerate(self.leaves) if varies(x)]
        self.fixed = fixed
        others = [x for x in self.leaves if not varies(x)]
        self.surroundings = jitted._found((jitted._f, *others, *fixed.values()))
        self.examples = [self.leaves[i] for i in self.places] + [p.value for p in self.surroundings.replaced]

    def key(self, examples: list[Any] | None = None) -> Any:
        """What decides whether a recording is for this call."""
        inputs = tuple(map(signature, self.examples if examples is None else examples))
        others = tuple([None if varies(x) else part_of_key(x) for x in self.leaves])
        fixed = tuple([(i, part_of_key(x, static=True)) for i, x in self.fixed.items()])
        return self.structure, inputs, others, fixed, self.surroundings.key

    def run(self, examples: list[Any]) -> Any:
        """The function itself, with other values in the place of the arrays and numbers it was called with."""
        rebuilt = Rebuilt(self.surroundings, examples[len(self.places) :])
        leaves = [rebuilt.of(x) for x in self.leaves]
        for i, x in zip(self.places, examples):
            leaves[i] = x
        given = args, kwargs = unflatten(self.structure, leaves)
        if self.fixed:
            fixed = {i: rebuilt.of(x) for i, x in self.fixed.items()}
            args = tuple(fixed.get(i, x) for i, x in enumerate(args))
            kwargs = kwargs | {k: v for k, v in fixed.items() if isinstance(k, str)}
        out = rebuilt.of(self.jitted._f)(*args, **kwargs)
        rebuilt.settle()
        after, structure = flatten(given)
        if structure != self.structure or any(x is not y for x, y in zip(after, leaves)):
            raise InputError(
                "the function changes a dict, list or other container that it was given, which compiled code would not "
                "do. Let it return the new one. What an array holds may be changed: x[...] = y."
            )
        return out

    def unassigned(self, examples: list[Any]) -> Any:
        """As ``run``; assigning to an argument raises.

        Raises:
            Assigned: the function does.
        """
        state = lambda: [(x.level, x.aux, x.current()) for x in examples if isinstance(x, Traced)]
        before = state()
        out = self.run(examples)
        if any(a is not b for was, now in zip(before, state()) for a, b in zip(was, now)):
            raise Assigned
        return out

    def random_state(self) -> bytes:
        """The state of all generators that the function may draw from."""
        own = [p.value for p in self.surroundings.places if isinstance(p.value, np.random.Generator)]
        states = [np.random.get_state(legacy=False), random.getstate(), *(g.bit_generator.state for g in own)]
        return pickle.dumps(states)

    def forget(self) -> None:
        """Drop the arguments, of which others take the place."""
        for i in self.places:
            self.leaves[i] = None
        self.examples = []

    def record(self) -> "tuple[Variant, Any]":
        """Run the function on these arguments and note what it does: a variant, and the result of this call."""
        before = self.random_state()
        with np.errstate(all="ignore"), Recording() as level:
            inputs = [level.input(x) for x in self.examples]
            leaves, structure = flatten(self.run(inputs))
            program = level.program
            given = program.inputs
            changed = [i for i, x in enumerate(inputs) if current(x).aux is not given[i]]
            values = [*map(current, leaves), *(inputs[i] for i in changed)]
            program.outputs = [level.operand(x) for x in values]
            results = [x.value if isinstance(x, Traced) else x for x in values]
        if self.random_state() != before:
            warnings.warn(
                f"{full_name(self.jitted._f)} draws random numbers under jit: they are drawn when it is recorded, and "
                "are the same in each call. Draw them outside and pass them as an argument.",
                stacklevel=5,
            )
        variant = Variant(program, structure, changed, results, self.jitted._reassociate)
        return variant, variant.finish(results, self.examples)


def through(variant: "Variant", call: Call, args: Any, kwargs: Any, slow: Callable[..., Any]) -> Callable[..., Any]:
    """A variant of which NumPy computes a part, as a function of arguments like these, which have been checked."""
    places, hidden = call.places, call.examples[len(call.places) :]
    flat = all(map(varies, (*args, *kwargs.values())))

    def run(*args: Any, **kwargs: Any) -> Any:
        leaves = (*args, *kwargs.values()) if flat else flatten((args, kwargs))[0]
        try:
            return variant([*(leaves[i] for i in places), *hidden])
        except REFUSALS:
            return slow(*args, **kwargs)
        except Exception as error:
            raise for_the_user(error)  # noqa: B904 (it is the error itself)

    return run


class Overlap(Exception):  # noqa: N818 (it is caught, and means another way to call)
    """A function assigns to an argument that shares memory with another one."""


class Assigned(Exception):  # noqa: N818 (it is caught, and means another way to call)
    """A function assigns to an argument."""


def current(x: Any) -> Any:
    """A traced value, read anew if it is a view of something that was written to."""
    if isinstance(x, Traced):
        x.current()
    return x


def pushed(call: "Call", mine: tuple[bool, ...]) -> Callable[..., Any]:
    """The function with its derivative along tangents of those arguments that are ``mine``; None if there is none."""

    def both(values: list[Any], dots: list[Any]) -> Any:
        with Forward() as level:
            duals = [Dual(x, level, t) for x, t in zip((x for x, m in zip(values, mine) if m), dots)]
            out, structure = flatten(call.unassigned(merged(values, duals, mine)))
            pairs = [unwrap(y, level) for y in out]
        ydots = [None if t is None else finish(t, 1, y) for y, t in pairs]
        return unflatten(structure, [y for y, _ in pairs]), ydots

    return both


def batched(call: "Call", mine: tuple[bool, ...]) -> Callable[..., Any]:
    """The function over axis 0 of those arguments that are ``mine``, and which results differ: () or None."""

    def each(values: list[Any]) -> Any:
        own = [x for x, m in zip(values, mine) if m]
        with Batch(shape_of(own[0])[0]) as level:
            items = [level.item(x, 0) for x in own]
            out, structure = flatten(call.unassigned(merged(values, items, mine)))
            ys = [unwrap(y, level)[0] for y in out]
            differs = [() if isinstance(y, Traced) and y.level is level else None for y in out]
        return unflatten(structure, ys), differs

    return each


def varies(x: Any) -> bool:
    """Whether an argument is an input of the Program, rather than part of the function."""
    return isinstance(x, (np.ndarray, np.generic, Traced)) or type(x) in (bool, int, float, complex)


def signature(x: Any) -> Any:
    """What of an input is fixed in a recording: type, dtype, shape and the order of its axes in memory."""
    if isinstance(x, np.ndarray):
        if isinstance(x, (np.matrix, np.ma.MaskedArray)) or type(x).__array_ufunc__ is not np.ndarray.__array_ufunc__:
            raise InputError(
                f"jit computes on the entries of plain arrays, but a {type(x).__name__} has an arithmetic of its own. "
                "Pass np.asarray(x), and what else it holds, such as a mask, as further arguments."
            )
        return type(x), x.dtype, x.shape, True if x.flags.c_contiguous else x.strides
    return type(x)


def part_of_key(x: Any, static: bool = False) -> Any:
    """What of an argument that belongs to the function decides whether a recording is for it.

    Raises:
        InputError: it has a state, or cannot be compared.
    """
    if is_followed(x) and not static:
        return identity(x)
    name = type(x).__name__
    if not (static or callable(x) or isinstance(x, np.dtype) or is_of_python(x)):
        raise InputError(
            f"a {name} cannot be an argument under jit, which would not notice when its state changes. Pass the arrays "
            "that are needed of it, or name the argument in static_argnums if it stays as it is."
        )
    try:
        hash(x)
    except TypeError:
        raise InputError(
            f"a {name} cannot be an argument under jit: it is neither an array, a number nor hashable. Let the "
            "function close over it."
        ) from None
    return typed(x)


def typed(x: Any) -> Any:
    """A value that differs from others of another type."""
    return (type(x), *map(typed, x)) if isinstance(x, tuple) else (type(x), x, str(x) if x == 0 else "")


def is_of_python(x: Any) -> bool:
    """Whether it is a value of Python's own types, not something that is used up."""
    known = top_of(type(x).__module__) in sys.stdlib_module_names
    return known and not isinstance(x, (Iterator, IOBase, random.Random))


class Variant:
    """A recording of one way through the function; ``changed`` are the inputs that it assigns to."""

    __slots__ = ("changed", "entered", "native", "program", "reassociate", "results", "run", "structure")

    def __init__(
        self, program: Program, structure: Structure, changed: list[int], results: list[Any], reassociate: bool
    ):
        self.program = program
        self.structure = structure
        self.changed = changed
        self.results = [type(as_plain(x)) for x in results]
        self.reassociate = reassociate
        self.native = program
        self.entered = False
        self.run = self.first

    def compile(self) -> None:
        """Make native code, which the call that was recorded does not need."""
        from dotbar.compiler import run

        self.native = run.compiled(self.program, self.reassociate)
        self.entered = True

    def first(self, *inputs: Any) -> list[Any]:
        """The first run of the Program other than by an entrance."""
        self.run = self.native.function()
        return self.run(*inputs)

    def output(self) -> Any:
        """What specifies the result to a builtin."""
        from dotbar.entrance import result

        return result(self.structure, zip(self.program.outputs, self.results))

    def __call__(self, inputs: list[Any]) -> Any:
        """The result of a call.

        Raises:
            GuardFailed: these inputs take another way.  Nothing has been changed then.
        """
        return self.finish(self.run(*inputs), inputs)

    def finish(self, results: list[Any], inputs: list[Any]) -> Any:
        """Put the results together, after writing those that the function assigned to its arguments.

        Raises:
            Overlap: such an argument shares memory with another one, which a Program knows nothing of.
        """
        for i in self.changed:
            others = [x for k, x in enumerate(inputs) if k != i and isinstance(x, np.ndarray)]
            if any(np.may_share_memory(inputs[i], x) for x in others):
                raise Overlap
        n = len(results) - len(self.changed)
        own = [self._own(*x, inputs) for x in zip(results, self.program.outputs, self.results)]
        for i, x in zip(self.changed, own[n:]):
            inputs[i][...] = np.reshape(x, inputs[i].shape)
        return unflatten(self.structure, own[:n])

    def _own(self, x: Any, output: Any, kind: type, inputs: list[Any]) -> Any:
        """A result that shares no memory with the arguments or the Program."""
        if type(x) is Cell:
            x = x.value
        if not isinstance(x, np.ndarray):
            return np.array(x) if kind is np.ndarray else x
        held = x.base is not None or type(output) is not Var or any(x is y for y in inputs)
        return x.copy() if held else x

    def last_guard(self) -> str:
        """The line of the last value that became a Python number."""
        guards = [e for e in self.program.equations if isinstance(e.rule, Guard)]
        return guards[-1].settings["line"] if guards else ""

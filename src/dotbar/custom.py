"""Functions whose derivative the user writes: ``custom_jvp`` by its dot, ``custom_vjp`` by its bar.

The other mode is the transpose of the one written: a bar that is linear in ȳ has the dot as its own bar.
Each call goes down the levels like any NumPy call; the rule is ordinary code there, so it nests.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property, update_wrapper
from typing import Any

import numpy as np

from dotbar.batch import Batch, Batched
from dotbar.core import BASE, Cell, Level, Shape, Traced, dtype_of, full_name, is_differentiable, refresh, shape_of
from dotbar.debug import Origin, WatchedForward, WatchedTape
from dotbar.dual import Dual, Forward
from dotbar.errors import ConversionError, InputError, NoRuleError, RuleError
from dotbar.rules.kinds import dense, match
from dotbar.tape import Bars, Entry, Tape, accumulate
from dotbar.trace import Recording
from dotbar.transforms import unwrap, vjp
from dotbar.tree import Structure, flatten, flatten_up_to, unflatten

__all__ = ["custom_jvp", "custom_vjp"]

Function = Callable[..., Any]


class Custom:
    """What the two have in common: how they are called, and arguments that are never differentiated."""

    def __init__(self, f: Function, nondiff_argnums: Sequence[int] = ()):
        self.f = f
        self.nondiff_argnums = tuple(nondiff_argnums)
        update_wrapper(self, f)

    def __reduce__(self) -> str:
        """A decorated function pickles by name, as a plain one does."""
        return self.__qualname__  # type: ignore[attr-defined]

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.f)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bound = self._signature.bind(*args, **kwargs)
        if bound.kwargs:
            raise InputError(f"{full_name(self.f)} was given keyword-only arguments; its rule takes positional ones.")
        bound.apply_defaults()
        args = bound.args
        fixed = {k % len(args): args[k] for k in self.nondiff_argnums}
        for k, x in fixed.items():
            if any(isinstance(leaf, Traced) and type(leaf) is not Cell for leaf in flatten(x)[0]):
                raise InputError(
                    f"argument {k} of {full_name(self.f)} is in nondiff_argnums but is being differentiated or "
                    "batched. Take it out of nondiff_argnums, or pass stop_gradient(x)."
                )
        free = tuple(x for k, x in enumerate(args) if k not in fixed)
        if deepest(flatten(free)[0]) is BASE:
            return self.f(*args)

        def merged(g: Function) -> Function:
            def call(*xs: Any) -> Any:
                rest = iter(xs)
                return g(*[fixed[k] if k in fixed else next(rest) for k in range(len(args))])

            return call

        return self._traced(merged, [args[k] for k in self.nondiff_argnums], free)

    def _traced(self, merged: Callable[[Function], Function], fixed: list[Any], xs: tuple[Any, ...]) -> Any:
        raise NotImplementedError


class custom_jvp(Custom):  # a decorator, named as one
    """Give a function its own forward rule; reverse mode transposes it.

    ::

        @custom_jvp
        def f(x, y): ...

        @f.defjvp
        def f_jvp(primals, tangents):
            (x, y), (xdot, ydot) = primals, tangents
            return out, out_dot

    Args:
        f: a function of arrays or containers of arrays.
        nondiff_argnums: positions of arguments that are never differentiated.  The rule gets them first:
            ``f_jvp(*nondiff, primals, tangents)``.

    ``out_dot`` must have the structure, shapes and dtypes of ``out`` and be linear in the tangents.

    Raises:
        RuleError: the rule returns a tangent of another structure or shape; names the function.
    """

    jvp: Function | None = None

    def defjvp(self, jvp: Function) -> Function:
        """Set the rule, ``jvp(*nondiff, primals, tangents)`` → ``(out, out_dot)``."""
        self.jvp = jvp
        return jvp

    def defjvps(self, *jvps: Function | None) -> None:
        """Set one rule per argument, ``jvp(tangent, out, *primals)``; None for a zero derivative."""

        def jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
            out = self(*primals)
            terms = [jvp(t, out, *primals) for jvp, t in zip(jvps, tangents, strict=True) if jvp is not None]
            return out, sum(terms[1:], terms[0]) if terms else np.zeros(shape_of(out), dtype_of(out))

        self.jvp = jvp

    def _traced(self, merged: Callable[[Function], Function], fixed: list[Any], xs: tuple[Any, ...]) -> Any:
        if self.jvp is None:
            raise NoRuleError(f"{full_name(self.f)} is a custom_jvp function without a rule; define it with .defjvp.")
        jvp = self.jvp

        def push(primals: Any, tangents: Any) -> Any:
            return jvp(*fixed, primals, tangents)

        return apply_jvp(full_name(self.f), merged(self.f), push, xs)


class custom_vjp(Custom):
    """Give a function its own reverse rule; forward mode transposes its ``bwd``.

    ::

        @custom_vjp
        def f(x, y): ...

        def f_fwd(x, y):
            return out, residuals

        def f_bwd(residuals, out_bar):
            return x_bar, y_bar

        f.defvjp(f_fwd, f_bwd)

    Args:
        f: a function of arrays or containers of arrays.
        nondiff_argnums: positions of arguments that are never differentiated.  ``fwd`` takes them in their
            places; ``bwd`` gets them first: ``f_bwd(*nondiff, residuals, out_bar)``.

    ``bwd`` returns a tuple with one cotangent per differentiable argument; None stands for zero.
    Bars follow Re⟨·,·⟩: the bar of y = c x is conj(c) ȳ.

    Raises:
        RuleError: a cotangent has another structure or shape than its argument, or forward mode meets a
            ``bwd`` that is not made of functions with rules; names the function.
    """

    fwd: Function | None = None
    bwd: Function | None = None

    def defvjp(self, fwd: Function, bwd: Function) -> None:
        """Set the rule: ``fwd(*args)`` → ``(out, residuals)`` and ``bwd(*nondiff, residuals, out_bar)``."""
        self.fwd, self.bwd = fwd, bwd

    def _traced(self, merged: Callable[[Function], Function], fixed: list[Any], xs: tuple[Any, ...]) -> Any:
        if self.fwd is None or self.bwd is None:
            raise NoRuleError(f"{full_name(self.f)} is a custom_vjp function without a rule; define it with .defvjp.")
        fwd, bwd = self.fwd, self.bwd

        def back(residuals: Any, out_bar: Any) -> Any:
            return bwd(*fixed, residuals, out_bar)

        return apply_vjp(full_name(self.f), merged(self.f), merged(fwd), back, xs)


# ---------------------------------------------------------------- the way down the levels


def deepest(leaves: Sequence[Any]) -> Level:
    """The deepest level among values; the base for plain ones."""
    level: Level = BASE
    for x in leaves:
        if isinstance(x, Traced):
            refresh(x)
            if x.level.depth > level.depth:
                level = x.level
    return level


def lowered(leaves: Sequence[Any], level: Level) -> tuple[list[Any], list[Any], list[bool]]:
    """The values one level lower, what each carries at this level, and which are of this level."""
    mine = [isinstance(x, Traced) and x.level is level for x in leaves]
    return (
        [x.value if m else x for x, m in zip(leaves, mine)],
        [x.aux if m else None for x, m in zip(leaves, mine)],
        mine,
    )


def apply_jvp(name: str, call: Function, push: Function, xs: tuple[Any, ...]) -> Any:
    """A call of a function known by its dot, at the deepest level of its arguments."""
    leaves, structure = flatten(xs)
    level = deepest(leaves)
    lower, aux, mine = lowered(leaves, level)
    primals = unflatten(structure, lower)

    def pushed(tangents: list[Any]) -> tuple[list[Any], list[Any], Structure]:
        full = [zero_like(x) if t is None else t for x, t in zip(lower, tangents)]
        out, dots = _pair(push(primals, unflatten(structure, full)), name, "(out, out_dot)")
        ys, out_structure = flatten(out)
        _check_level(ys, level, name)
        return ys, _aligned(dots, out_structure, ys, name, "tangent"), out_structure

    if isinstance(level, Forward):
        ys, dots, out_structure = pushed(aux)
        duals = [y if t is None or not is_float(y) else Dual(y, level, match(t, y)) for y, t in zip(ys, dots)]
        return unflatten(out_structure, checked(duals, level, name, leaves))

    if isinstance(level, Tape):

        def linear(chosen: list[Any]) -> Any:
            rest = iter(chosen)
            ys, dots, out_structure = pushed([next(rest) if m else None for m in mine])
            return [t for t in dots if t is not None], (ys, [t is not None for t in dots], out_structure)

        zeros = [zero_like(x) for x, m in zip(lower, mine) if m]
        _, transpose, (ys, there, out_structure) = vjp(linear, zeros, has_aux=True)

        def pull(gs: list[Any]) -> list[Any]:
            rest = iter(transpose([g for g, t in zip(gs, there) if t])[0])
            return [next(rest) if m else None for m in mine]

        return unflatten(out_structure, record(level, name, pull, leaves, ys))

    if isinstance(level, Batch):
        over = _Items(level, structure, mine)

        def batched_push(primals: Any, tangents: Any) -> Any:
            return over.map(lambda xs, ts: push(tuple(xs), tuple(ts)), (primals, tangents))

        out = apply_jvp(name, lambda *xs: over.map(lambda xs: call(*xs), (xs,)), batched_push, primals)
        return over.items_of(out)
    if level is BASE or isinstance(level, Recording):
        return call(*xs)
    return level.enclose(name, lambda *xs: apply_jvp(name, call, push, xs), xs)


def apply_vjp(name: str, call: Function, fwd: Function, bwd: Function, xs: tuple[Any, ...]) -> Any:
    """A call of a function known by its bar, at the deepest level of its arguments."""
    leaves, structure = flatten(xs)
    level = deepest(leaves)
    lower, aux, mine = lowered(leaves, level)
    primals = unflatten(structure, lower)
    if isinstance(level, Batch):
        over = _Items(level, structure, mine)
        batched = (over.map_forward(fwd), over.map_backward(bwd, name, lower))
        return over.items_of(apply_vjp(name, lambda *xs: over.map(lambda xs: call(*xs), (xs,)), *batched, primals))
    if level is BASE or isinstance(level, Recording):
        return call(*xs)
    if not isinstance(level, (Tape, Forward)):
        return level.enclose(name, lambda *xs: apply_vjp(name, call, fwd, bwd, xs), xs)

    out, residuals = _pair(fwd(*primals), name, "(out, residuals)")
    ys, out_structure = flatten(out)
    _check_level(ys, level, name)

    def pull(gs: list[Any]) -> list[Any]:
        return _aligned(bwd(residuals, unflatten(out_structure, gs)), structure, lower, name, "cotangent")

    if isinstance(level, Tape):
        return unflatten(out_structure, record(level, name, pull, leaves, ys))

    where = [k for k, y in enumerate(ys) if is_float(y)]

    def linear(gs: list[Any]) -> list[Any]:
        full = [zero_like(y) for y in ys]
        for k, g in zip(where, gs):
            full[k] = g
        xbars = pull(full)
        return [zero_like(x) if g is None else match(g, x) for x, g, m in zip(lower, xbars, mine) if m]

    try:
        _, push = vjp(linear, [zero_like(ys[k]) for k in where])
    except (NoRuleError, ConversionError) as error:
        raise RuleError(
            f"forward mode through the custom_vjp function {name} transposes its bwd, which could not be traced: "
            f"{error} Define the function with custom_jvp, or write bwd with functions that have rules."
        ) from error
    dots = push([t for t, m in zip(aux, mine) if m])[0]
    for k, t in zip(where, dots):
        ys[k] = Dual(ys[k], level, t)
    return unflatten(out_structure, checked(ys, level, name, leaves))


def checked(ys: list[Any], level: Forward, name: str, leaves: list[Any]) -> list[Any]:
    """Results of forward mode, whose tangents are looked at inside ``debug_nans``."""
    if isinstance(level, WatchedForward):
        for y in ys:
            level.check(y, leaves, lambda y=y: Origin.of_custom(name, leaves, y))
    return ys


def record(tape: Tape, name: str, pull: Function, inputs: list[Any], outputs: list[Any]) -> list[Any]:
    """Put a call whose pullback is known on a tape: one entry for the whole, one per output."""
    index = len(tape.entries)
    lower, nodes, mine = lowered(inputs, tape)
    forms = [Shape.of(x) if m else None for x, m in zip(lower, mine)]
    zeros = [Shape.of(y) if is_float(y) else y for y in outputs]
    tape.push((sweep_pull, nodes, forms, pull, zeros))
    if isinstance(tape, WatchedTape):
        tape.watch(index, Origin.of_custom(name, inputs, outputs[0]), inputs)
    return [tape.output(index, k, len(outputs), y) if is_float(y) else y for k, y in enumerate(outputs)]


def sweep_pull(g: Any, bars: Bars, entry: Entry) -> None:
    """A call with its own pullback."""
    _, nodes, forms, pull, zeros = entry
    gs = [zero_like(z) if t is None else dense(t) for t, z in zip(g, zeros)]
    for node, form, xbar in zip(nodes, forms, pull(gs)):
        if node is not None and xbar is not None:
            accumulate(bars, node, match(xbar, form))


class _Items:
    """A level of vmap seen from below: functions of single items as functions of whole batches."""

    def __init__(self, level: Batch, structure: Structure, mine: list[bool]):
        self.size = level.size
        self.level = level
        self.structure = structure
        self.mine = mine

    def map(self, f: Function, trees: tuple[Any, ...]) -> Any:
        """Apply ``f`` to the items of containers of one structure; results have the batch axis first."""
        with Batch(self.size) as level:
            return self._leave(level, f(*[self._enter(level, self.structure, self.mine, t) for t in trees]))

    def map_forward(self, fwd: Function) -> Function:
        """``fwd`` over items; of the residuals, those that all items share stay as they are."""

        def batched(*xs: Any) -> Any:
            with Batch(self.size) as level:
                out, residuals = fwd(*self._enter(level, self.structure, self.mine, xs))
                kept, structure = flatten(residuals)
                mine = [isinstance(r, Traced) and r.level is level for r in kept]
                return self._leave(level, out), ([unwrap(r, level)[0] for r in kept], mine, structure)

        return batched

    def map_backward(self, bwd: Function, name: str, inputs: list[Any]) -> Function:
        """``bwd`` over items; the cotangents of arguments that all items share are summed."""

        def batched(residuals: Any, out_bar: Any) -> Any:
            kept, mine, structure = residuals
            gs, out_structure = flatten(out_bar)
            with Batch(self.size) as level:
                cotangent = unflatten(out_structure, [Batched(g, level) if is_number(g) else g for g in gs])
                xbars = bwd(self._enter(level, structure, mine, unflatten(structure, kept)), cotangent)
                items = [Batched(x, level) if m else x for x, m in zip(inputs, self.mine)]
                leaves = _aligned(xbars, self.structure, items, name, "cotangent")
                whole = [None if g is None else level.collect(unwrap(g, level)[0], g, 0) for g in leaves]
            return unflatten(self.structure, [g if m or g is None else np.sum(g, 0) for g, m in zip(whole, self.mine)])

        return batched

    def items_of(self, out: Any) -> Any:
        """Results of a whole batch as results of one item."""
        ys, structure = flatten(out)
        return unflatten(structure, [Batched(y, self.level) if is_number(y) else y for y in ys])

    @staticmethod
    def _enter(level: Batch, structure: Structure, mine: list[bool], tree: Any) -> Any:
        return unflatten(structure, [Batched(x, level) if m else x for x, m in zip(flatten(tree)[0], mine)])

    @staticmethod
    def _leave(level: Batch, out: Any) -> Any:
        ys, structure = flatten(out)
        return unflatten(structure, [level.collect(unwrap(y, level)[0], y, 0) if is_number(y) else y for y in ys])


# ---------------------------------------------------------------- checks


def is_float(x: Any) -> bool:
    """Whether a leaf can carry a derivative; False for what is no number at all."""
    return isinstance(x, (float, complex)) or (hasattr(x, "dtype") and is_differentiable(x))


def is_number(x: Any) -> bool:
    """Whether a leaf is an array or a number, which may differ between the items of a batch."""
    return hasattr(x, "dtype") or isinstance(x, (float, complex))


def zero_like(x: Any) -> Any:
    """Zeros of the shape and dtype of a leaf; what is no array stays."""
    if not is_number(x):
        return x
    return np.zeros(shape_of(x), dtype_of(x)) if shape_of(x) else dtype_of(x).type(0)


def _pair(result: Any, name: str, what: str) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuleError(f"the rule of {name} must return {what}; it returned a {type(result).__name__}.")
    return result


def _check_level(ys: list[Any], level: Level, name: str) -> None:
    if any(isinstance(y, Traced) and y.level.depth >= level.depth for y in ys):
        raise RuleError(
            f"{name} uses a differentiated or batched value from outside; its rule cannot see it. "
            "Pass the value as an argument."
        )


def _aligned(tree: Any, structure: Structure, primals: Sequence[Any], name: str, what: str) -> list[Any]:
    """The leaves of what a rule returned, after checking structure and shapes; None for a zero."""
    try:
        leaves = flatten_up_to(structure, tree)
    except ValueError as error:
        raise RuleError(f"the rule of {name} returned a {what} of the wrong structure: {error}.") from None
    for t, x, path in zip(leaves, primals, structure.paths()):
        if t is not None and is_float(x) and shape_of(t) != shape_of(x):
            raise RuleError(
                f"the rule of {name} returned a {what} of shape {shape_of(t)} where {shape_of(x)} is expected"
                + (f", at {path}." if path else ".")
            )
    return [t if is_float(x) else None for t, x in zip(leaves, primals)]

"""The transforms: functions in, derivative functions out."""

import math
from collections.abc import Callable, Sequence
from functools import update_wrapper, wraps
from operator import index
from sys import getrefcount
from threading import RLock
from types import MethodType
from typing import Any, Concatenate, ParamSpec

import numpy as np

from dotbar.batch import Batch
from dotbar.core import Traced, as_array, dtype_of, is_differentiable, refresh, shape_of, without_cells
from dotbar.debug import open_forward, open_tape
from dotbar.dual import Dual
from dotbar.errors import InputError, OutputError, StructureError, for_the_user, user_traceback
from dotbar.rules.kinds import dense, match
from dotbar.tape import Accumulator, Tape, quiet_sweep, sweep
from dotbar.tree import Structure, children, flatten, flatten_up_to, tree_map, unflatten

P = ParamSpec("P")

__all__ = [
    "elementwise_grad",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "value_and_grad",
    "vjp",
    "vmap",
]


# ---------------------------------------------------------------- what transforms return


class Derived:
    """A function that a transform made.  Its errors end at the user's own line; it pickles if its makings do."""

    __slots__ = ("__dict__", "__weakref__", "_call", "_recipe")  # slots, which wraps() does not overwrite

    def __init__(self, recipe: tuple[Any, ...], call: Callable[..., Any]):
        update_wrapper(self, call)
        self._recipe = recipe
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._call(*args, **kwargs)
        except Exception as error:
            raise for_the_user(error)  # noqa: B904 (it is the error itself)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, self._recipe


def _make(transform: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return transform(*args, **options)


def derived(
    transform: Callable[Concatenate[Callable[..., Any], P], Callable[..., Any]],
) -> Callable[Concatenate[Callable[..., Any], P], Callable[..., Any]]:
    """Make the functions that a transform returns picklable."""

    @wraps(transform)
    def make(f: Callable[..., Any], *args: P.args, **options: P.kwargs) -> Derived:
        name = transform.__name__
        if not callable(f):
            raise InputError(f"{name} takes a function, not a {type(f).__name__}: {name}(f)(x), not {name}(f(x)).")
        return Derived((make, (f, *args), options), transform(f, *args, **options))

    return make


# ---------------------------------------------------------------- inputs and outputs


def check_inputs(leaves: Sequence[Any], paths: Sequence[str]) -> list[Any]:
    """The leaves as plain or traced arrays and numbers; what cannot be differentiated is refused by its path."""
    leaves = [as_array(without_cells(x)) for x in leaves]
    for x, path in zip(leaves, paths):
        if dtype_of(x).kind in "fc":
            continue
        if isinstance(x, (int, np.integer)):
            what, remedy = f"the integer {x!r}", f"Pass {float(x)!r}"
        elif dtype_of(x).kind in "iub":
            what, remedy = f"of dtype {dtype_of(x)}", "Convert it with .astype(float)"
        else:
            what = f"of dtype {dtype_of(x)}" if hasattr(x, "dtype") else f"a {type(x).__name__}"
            remedy = "Let the function close over it"
        raise InputError(
            f"{path} is {what}; derivatives need floating-point or complex arrays. {remedy}, or leave it out of "
            "argnums."
        )
    return leaves


def unwrap(y: Any, level: Any) -> tuple[Any, Any]:
    """The value and the aux of a result at a level; a result that does not depend on the input has aux None."""
    if isinstance(y, Traced):
        refresh(y)
        if y.level is level:
            return y.value, y.aux
    return without_cells(y), None


def take(items: list[Any], i: int) -> tuple[Any, int]:
    """Take an item out of a list; with the number of its holders, compared to an item without others."""
    item = items[i]
    items[i] = None
    return item, getrefcount(item) - _SOLE


_SOLE = 0
_SOLE = take([np.empty(1)], 0)[1]


def finish(g: Any, holders: int, x: Any) -> Any:
    """A gradient as the user gets it: of the input's shape and dtype, an array that nothing else holds."""
    if g is None:
        return np.zeros(shape_of(x), dtype_of(x))[()] if not isinstance(x, np.ndarray) else np.zeros_like(x)
    if type(g) is Accumulator:
        g = g.array  # which nothing but the accumulator holds
    if type(g) is float:
        if type(x) is float or type(x) is np.float64:
            return np.float64(g)
    elif type(g) is np.ndarray and type(x) is np.ndarray and g.dtype is x.dtype and holders == 0 and g.base is None:
        return g
    g = match(dense(g), x)
    if isinstance(g, Traced):
        return g
    return np.array(g) if isinstance(x, np.ndarray) else np.asarray(g)[()]


def check_outputs(values: Sequence[Any], structure: Structure) -> None:
    """What a function returns must be arrays of numbers; those of integers have zero derivatives."""
    for k, y in enumerate(values):
        if type(y) is not float and dtype_of(y).kind not in "fciub":
            what = f"of dtype {dtype_of(y)}" if hasattr(y, "dtype") else f"a {type(y).__name__}"
            raise OutputError(
                f"{list(structure.paths('the output'))[k]} is {what}, which has no derivative. "
                "Return it as auxiliary data, with has_aux=True."
            )


def pair(out: Any) -> tuple[Any, Any]:
    """A result with auxiliary data."""
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        what = f"a {type(out).__name__} of {len(out)}" if isinstance(out, (tuple, list)) else "no pair"
        raise OutputError(f"has_aux=True needs a function that returns a pair (output, aux); this one returned {what}.")
    return out[0], out[1]


def primal(x: Any, level: Any) -> Any:
    """The result of a finished level, without traces of it."""
    return tree_map(lambda leaf: _plain(_value(leaf, level)), x)


def _value(y: Any, level: Any) -> Any:
    """The value of a result at a level; its tangent, which may be one to refuse, is not asked for."""
    if isinstance(y, Traced):
        refresh(y)
        if y.level is level:
            return y.value
    return without_cells(y)


def _plain(y: Any) -> Any:
    return np.float64(y) if type(y) is float else y


def _copy(y: Any) -> Any:
    """An array that the tape does not hold, for the user to change at will."""
    return y.copy() if isinstance(y, np.ndarray) else y


# ---------------------------------------------------------------- reverse mode


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of ``f(*primals)`` and its pullback, ȳ ↦ (x̄₁, x̄₂, ...) = (J₁ᴴȳ, J₂ᴴȳ, ...).

    Args:
        f: a function of arrays, or containers of arrays, of floating or complex dtype.
        primals: the arguments at which to differentiate.
        has_aux: whether ``f`` returns a pair (output, auxiliary data).

    Returns:
        ``(out, pullback)``, or ``(out, pullback, aux)``.  ``pullback`` takes a cotangent of the structure
        and shapes of ``out`` and returns a tuple with one entry per primal, each of its primal's
        structure, shapes and dtypes.  It may be called any number of times.  The cotangent of an integer or
        boolean output counts for nothing; it may be None.

    Raises:
        InputError: a primal is not of a floating or complex dtype.
        OutputError: an output is no array of numbers.
        StructureError: from the pullback, if the cotangent does not match the output.
    """
    out, pullback, aux = _vjp(f, primals, has_aux)
    return (out, pullback, aux) if has_aux else (out, pullback)


@user_traceback
def _vjp(f: Callable[..., Any], primals: tuple[Any, ...], has_aux: bool) -> tuple[Any, Any, Any]:
    leaves, structure = flatten(primals)
    leaves = check_inputs(leaves, list(structure.paths("primals")))
    with open_tape(len(leaves) or 1) as tape:
        out = f(*unflatten(structure, tape.inputs(leaves)))
        out, aux = pair(out) if has_aux else (out, None)
        out_leaves, out_structure = flatten(out)
        values, nodes = zip(*[unwrap(y, tape) for y in out_leaves]) if out_leaves else ((), ())
        check_outputs(values, out_structure)
        aux = tree_map(_copy, primal(aux, tape))

    @user_traceback
    def pullback(cotangent: Any) -> Any:
        """The pullback of the cotangent: one x̄ per primal."""
        gs = [match(g, v) for g, v in zip(leaves_like(cotangent, values, out_structure, "cotangent"), values)]
        return unflatten(structure, pull(tape, nodes, gs, leaves))

    return unflatten(out_structure, [_copy(_plain(v)) for v in values]), pullback, aux


_one_at_a_time = RLock()


def pull(tape: Tape, nodes: Sequence[Any], gs: Sequence[Any], inputs: Sequence[Any], keep: bool = True) -> list[Any]:
    """Sweep cotangents from the outputs back to the inputs of a tape."""
    if keep and tape.has_segments:
        with _one_at_a_time:
            whole, tape.entries = tape.entries, list(tape.entries)  # behind whose rest segments are recorded
            try:
                return pull(tape, nodes, gs, inputs, keep=False)
            finally:
                tape.entries = whole
    entries: list[Any] = list(tape.entries) if keep else tape.entries
    bars: list[Any] = [None] * len(entries)
    quiet = tape.may_warn
    for node, g in zip(nodes, gs):
        quiet = quiet or type(g) is not float
        if node is not None:
            bars[node] = g if bars[node] is None else bars[node] + g
    (quiet_sweep if quiet else sweep)(entries, bars)
    for guard in tape.guards:
        guard.check()
    return [
        np.float64(bars[i]) if type(x) is float and type(bars[i]) is float else finish(*take(bars, i), x)
        for i, x in enumerate(inputs)
    ]


def leaves_like(tree: Any, values: Sequence[Any], structure: Structure, what: str) -> list[Any]:
    """The leaves of a tangent or cotangent, which must match its primal in structure, shape and kind of dtype."""
    try:
        gs = flatten_up_to(structure, tree)
    except ValueError:
        gs = [None]
    if len(gs) == len(values):
        gs = [v if g is None and dtype_of(v).kind in "iub" else g for g, v in zip(gs, values)]
    if any(g is None for g in gs):
        raise StructureError(f"the structure of the {what} is {flatten(tree)[1]}, that of its primal {structure}.")
    for g, v, path in zip(gs, values, structure.paths(what)):
        if shape_of(g) != shape_of(v):
            raise StructureError(f"{path} has shape {shape_of(g)}, its primal {shape_of(v)}.")
        kind = dtype_of(g).kind
        if kind not in "fciub" and dtype_of(v).kind in "fciub":
            raise StructureError(f"{path} is of dtype {dtype_of(g)}, its primal of dtype {dtype_of(v)}.")
        if kind == "c" and dtype_of(v).kind != "c":
            raise StructureError(f"{path} is complex, its primal is of dtype {dtype_of(v)}.")
    return gs


@derived
def value_and_grad(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    argnames: str | Sequence[str] | None = None,
) -> Callable[..., Any]:
    """A function that returns ``(f(...), gradient)``.

    See :func:`grad` for the arguments and errors; with ``has_aux`` it returns ``((value, aux), gradient)``.
    """
    nums, names, single = selection(argnums, argnames)
    leading = nums == tuple(range(len(nums))) and not names
    last = math.inf if names or not nums or min(nums) < 0 or len(set(nums)) < len(nums) else max(nums)

    @wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        chosen = [args[k] for k in nums] if len(args) > last else _chosen(args, kwargs, nums, names)
        simple = all(map(is_simple, chosen))
        leaves, structure = (chosen, None) if simple else leaves_of(chosen, _labels(nums, names))
        with open_tape(len(leaves) or 1) as tape:
            traced = tape.inputs(leaves)
            if structure is not None:
                traced = unflatten(structure, traced)
            if leading:
                full = [*traced, *args[len(nums) :]]
            else:
                full = list(args)
                for k, x in zip(nums, traced):
                    full[k] = x
            if names:
                kwargs = {**kwargs, **dict(zip(names, traced[len(nums) :]))}
            out = f(*full, **kwargs)
            aux = None
            if has_aux:
                out, aux = pair(out)
                aux = primal(aux, tape)
            value, node = unwrap(out, tape)
        if type(value) is float:
            seed: Any = 1.0
        else:
            check_scalar(value, holomorphic)
            seed = dtype_of(value).type(1)
        if holomorphic:
            check_holomorphic([value], leaves)
        gradient = pull(tape, (node,), (seed,), leaves, keep=False)
        if holomorphic:
            gradient = [np.conj(g) for g in gradient]
        if structure is not None:
            gradient = unflatten(structure, gradient)
        result = gradient[0] if single else tuple(gradient)
        return ((_plain(value), aux), result) if has_aux else (_plain(value), result)

    return value_and_gradient


def is_simple(x: Any) -> bool:
    """Whether an argument is a plain floating-point array or number, which needs no further checks."""
    t = type(x)
    return t is float or t is np.float64 or (t is np.ndarray and x.dtype.kind == "f")


def positions(argnums: Any) -> tuple[int, ...]:
    """The positions of arguments, of which ``argnums`` may give one or several."""
    try:
        return tuple(map(index, argnums if isinstance(argnums, Sequence) else (argnums,)))
    except TypeError:
        raise InputError(f"argnums is {argnums!r}; it must be an integer or a tuple of integers.") from None


def selection(argnums: Any, argnames: Any) -> tuple[tuple[int, ...], tuple[str, ...], bool]:
    """The positions and the names of the arguments, and whether they are one argument rather than a tuple."""
    names = (argnames,) if isinstance(argnames, str) else tuple(argnames or ())
    nums = () if argnames is not None and argnums == 0 else positions(argnums)
    one_position = len(nums) == 1 and not names and not isinstance(argnums, Sequence)
    return nums, names, one_position or (not nums and isinstance(argnames, str))


def _chosen(args: Any, kwargs: Any, nums: Sequence[int], names: Sequence[str] = ()) -> list[Any]:
    """The arguments to differentiate with respect to."""
    for k in nums:
        if not -len(args) <= k < len(args):
            raise InputError(f"argnums has {k}, but the function was called with {len(args)} positional arguments.")
    if len({k % len(args) for k in nums}) < len(nums):
        raise InputError(f"argnums {tuple(nums)} has the same argument twice.")
    if len(set(names)) < len(names):
        raise InputError(f"argnames {tuple(names)} has the same argument twice.")
    for name in names:
        if name not in kwargs:
            raise InputError(f"argnames has {name!r}, but the function was called without that keyword argument.")
    chosen = [args[k] for k in nums]
    return chosen + [kwargs[name] for name in names] if names else chosen


def _labels(nums: Sequence[int], names: Sequence[str]) -> list[str]:
    return [f"argument {k}" for k in nums] + [f"argument {name!r}" for name in names]


def leaves_of(xs: Sequence[Any], labels: Sequence[str]) -> tuple[list[Any], Structure]:
    """The arrays of arguments that errors call by their labels, checked, and their structure."""
    leaves, structure = flatten(xs)
    return check_inputs(leaves, [p for label, s in zip(labels, structure.items) for p in s.paths(label)]), structure


def check_holomorphic(values: Sequence[Any], inputs: Sequence[Any]) -> None:
    """A function said to be holomorphic must map complex numbers to complex numbers."""
    kinds = {dtype_of(x).kind == "c" for x in (*values, *inputs)}
    if len(kinds) > 1:
        raise OutputError("holomorphic=True needs complex arguments and a complex result; here one of them is real.")


def check_scalar(value: Any, holomorphic: bool) -> None:
    """``grad`` needs one real number (or one complex number, if the function is said to be holomorphic)."""
    is_number = hasattr(value, "dtype") or isinstance(value, (bool, int, float, complex))
    shape, kind = (shape_of(value), dtype_of(value).kind) if is_number else (None, "O")
    if shape != ():
        what = f"an array of shape {shape}" if is_number else f"a {type(value).__name__}"
        raise OutputError(
            f"grad needs a function that returns one number; this one returned {what}. "
            "Use jacobian(f), vjp(f, x) or elementwise_grad(f), or reduce the result, for instance with np.sum."
        )
    if kind == "c" and not holomorphic:
        raise OutputError(
            "grad needs a real result; this one is complex. Take np.real or np.abs of it, pass holomorphic=True "
            "if the function is holomorphic, or use vjp."
        )
    if kind not in "fc":
        raise OutputError(f"grad needs a floating-point result; this one has dtype {dtype_of(value)}.")


@derived
def grad(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    argnames: str | Sequence[str] | None = None,
) -> Callable[..., Any]:
    """A function that returns the gradient of ``f``, which must return one real number.

    Args:
        f: the function to differentiate.
        argnums: the positional argument, or arguments, with respect to which to differentiate.
        has_aux: whether ``f`` returns a pair (value, auxiliary data).
        holomorphic: whether ``f`` is a holomorphic function of a complex argument; the result is then f′(z).
        argnames: the keyword argument, or arguments, with respect to which to differentiate.

    Returns:
        A function of the same arguments.  It returns the gradient, an array of the argument's shape and
        dtype (a container of them for a container, a tuple for several arguments), or
        ``(gradient, aux)``.  For complex arguments it is ∂f/∂Re + i ∂f/∂Im, the direction of steepest ascent.

    Raises:
        InputError: an argument is of an integer or boolean dtype, or not an array.
        OutputError: the result is not a scalar, or not real; with ``holomorphic``, the result or an argument is real.
    """
    both = value_and_grad(f, argnums, has_aux, holomorphic, argnames)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return gradient


@derived
def elementwise_grad(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """The derivative of a function that maps arrays entry by entry: the gradient of sum(f(x)).

    Args:
        f: a function of arrays, of which each entry of the result depends on the same entry of the argument only.
        argnums: the positional argument with respect to which to differentiate.

    Returns:
        A function of the same arguments; its result has the shape and dtype of the argument.

    Raises:
        InputError: the argument is of an integer or boolean dtype, or not an array.
        OutputError: the result is not real.
    """

    def summed(*args: Any, **kwargs: Any) -> Any:
        return np.sum(f(*args, **kwargs))

    return wraps(f)(grad(summed, argnums))


# ---------------------------------------------------------------- forward mode


def jvp(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of ``f(*primals)`` and its tangent ẏ = J ẋ, computed side by side.

    Args:
        f: a function of arrays or containers of arrays.
        primals: the arguments, a tuple or list.
        tangents: one tangent per primal, of the same structure, shapes and kind of dtype.
        has_aux: whether ``f`` returns a pair (output, auxiliary data).

    Returns:
        ``(out, out_dot)``, or ``(out, out_dot, aux)``.  ``out_dot`` has the structure, shapes and dtypes of ``out``;
        integer and boolean outputs have the tangent 0.

    Raises:
        InputError: a primal is not of a floating or complex dtype.
        OutputError: an output is no array of numbers.
        StructureError: the tangents do not match the primals.
    """
    out, dot, aux = _jvp(f, primals, tangents, has_aux)
    return (out, dot, aux) if has_aux else (out, dot)


def arguments(xs: Any, what: str) -> tuple[Any, ...]:
    """A tuple of arguments; an array in its place is more likely meant as the only one."""
    if not isinstance(xs, (tuple, list)):
        raise StructureError(f"the {what} must be a tuple with one entry per argument, not a {type(xs).__name__}.")
    return tuple(xs)


@user_traceback
def _jvp(f: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> tuple[Any, Any, Any]:
    primals, tangents = arguments(primals, "primals"), arguments(tangents, "tangents")
    leaves, structure = flatten(primals)
    leaves = check_inputs(leaves, list(structure.paths("primals")))
    dots = leaves_like(tangents, leaves, structure, "tangents")
    with open_forward() as level:
        traced = [Dual(x, level, match(without_cells(t), x)) for x, t in zip(leaves, dots)]
        out = f(*unflatten(structure, traced))
        out, aux = pair(out) if has_aux else (out, None)
        aux = primal(aux, level)
        out_leaves, out_structure = flatten(out)
        pairs = [unwrap(y, level) for y in out_leaves]
        check_outputs([v for v, _ in pairs], out_structure)
    values = [_plain(v) for v, _ in pairs]
    ydots = [finish(t, 1, v) for v, t in pairs]
    return unflatten(out_structure, values), unflatten(out_structure, ydots), aux


def linearize(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of ``f(*primals)`` and its linear part, ẋ ↦ J ẋ, without evaluating ``f`` again.

    The pullback is linear, so its own pullback is the map sought: (Jᴴ)ᴴ = J.

    Args:
        f: a function of arrays or containers of arrays.
        primals: the arguments at which to differentiate.
        has_aux: whether ``f`` returns a pair (output, auxiliary data).

    Returns:
        ``(out, push)``, or ``(out, push, aux)``.  ``push(*tangents)`` takes one tangent per primal, of its structure
        and shapes, and returns a tangent of the structure, shapes and dtypes of ``out``, 0 for integers and booleans.
        It may be called any number of times.

    Raises:
        InputError: a primal is not of a floating or complex dtype.
        OutputError: an output is no array of numbers.
        StructureError: from ``push``, if the tangents do not match the primals.
    """
    leaves, structure = flatten(primals)
    out, pullback, aux = _vjp(f, primals, has_aux)
    ys, out_structure = flatten(out)
    forms = [(shape_of(y), dtype_of(y), is_differentiable(y)) for y in ys]
    zeros = tuple(np.zeros(shape, dtype) for shape, dtype, is_float in forms if is_float)

    def with_zeros(of_floats: Sequence[Any]) -> Any:
        rest = iter(of_floats)
        full = [next(rest) if is_float else np.zeros(shape, dtype)[()] for shape, dtype, is_float in forms]
        return unflatten(out_structure, full)

    _, push, _ = _vjp(lambda *bars: pullback(with_zeros(bars)), zeros, False)

    @user_traceback
    def pushforward(*tangents: Any) -> Any:
        """The tangent of the output."""
        return with_zeros(push(unflatten(structure, leaves_like(tangents, leaves, structure, "tangents"))))

    return (out, pushforward, aux) if has_aux else (out, pushforward)


# ---------------------------------------------------------------- batching


@derived
def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """A function that applies ``f`` to each item along an axis of its arguments, all items at once.

    Args:
        f: a function of single items.
        in_axes: the axis of each argument that runs over items: an integer, None for an argument that
            all items share, or a tuple with one of these (or a container of them) per argument.  Arrays among the
            keyword arguments run over items along axis 0.
        out_axes: where the axis of items goes in the result, likewise; None for a result that all items share.

    Returns:
        A function of batches.  Its results are those of ``f``, stacked; what does not depend on the items is repeated.

    The items of a batch take the same branches: Python's ``if`` and ``int()`` of a batched value are refused, and so is
    ``x[mask]`` where the mask differs by item, whose result would have a length for each; ``np.where(mask, a, b)`` and
    ``x[mask] = number`` work.
    Only these run once per item: ``np.linalg.lstsq`` and ``np.polyfit``, ``np.nonzero``, ``np.unique`` and what is
    made of it, the edges of histograms, ``np.digitize`` and ``np.isin`` with bins or sets that differ by item,
    sums of long convolutions, and ``np.roots`` of polynomials that begin or end with a zero.

    Raises:
        ConversionError: ``f`` needs a batched value as a bool, a number or an index.
        StructureError: the arguments disagree about the number of items, or the axes do not match the containers.
    """

    @wraps(f)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        axes = tuple(in_axes) if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
        if len(axes) != len(args):
            raise StructureError(f"in_axes has {len(axes)} entries for {len(args)} arguments.")
        leaves, structure = flatten(args)
        flat_axes = [a for axis, s in zip(axes, structure.items) for a in spread_axes(axis, s)]
        keys, key_structure = flatten(kwargs)
        leaves, flat_axes = leaves + keys, flat_axes + [0] * len(keys)
        sizes = {_length(x, a) for x, a in zip(leaves, flat_axes) if a is not None}
        if len(sizes) != 1:
            found = ", ".join(f"{shape_of(x)} along {a}" for x, a in zip(leaves, flat_axes) if a is not None)
            raise StructureError(f"vmap needs one number of items along all mapped axes, not {found or 'none'}.")
        with Batch(sizes.pop()) as level:
            items = [x if a is None else level.item(without_cells(x), a) for x, a in zip(leaves, flat_axes)]
            n = len(items) - len(keys)
            out = f(*unflatten(structure, items[:n]), **unflatten(key_structure, items[n:]))
            ys, out_structure = flatten(out)
            moved = [level.collect(unwrap(y, level)[0], y, a) for y, a in zip(ys, spread_axes(out_axes, out_structure))]
        return unflatten(out_structure, moved)

    return mapped


def _length(x: Any, axis: int) -> int:
    shape = shape_of(x)
    if not -len(shape) <= axis < len(shape):
        raise StructureError(
            f"vmap was to run along axis {axis} of an argument of shape {shape}; in_axes takes None for an argument "
            "that all items share."
        )
    return shape[axis]


def spread_axes(axes: Any, structure: Structure) -> list[Any]:
    """One axis a leaf, from a container that may stop above the leaves."""
    if axes is None or isinstance(axes, (int, np.integer)):
        return [axes] * len(list(structure.paths()))
    keys, items = children(axes) or ((), ())
    if structure.type is None or set(keys) != set(structure.keys):
        raise StructureError(f"in_axes or out_axes has {axes!r} for {structure}; it takes integers and None.")
    by_key = dict(zip(keys, items))
    return [a for key, s in zip(structure.keys, structure.items) for a in spread_axes(by_key[key], s)]


# ---------------------------------------------------------------- Jacobians and Hessians


@derived
def jacobian(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    mode: str = "auto",
    batch_size: int | None = None,
    holomorphic: bool = False,
    has_aux: bool = False,
    argnames: str | Sequence[str] | None = None,
) -> Callable[..., Any]:
    """A function that returns the Jacobian, of shape (*output shape, *input shape).

    It is complex if the output is; else it has the output's dtype in forward mode, the input's in reverse mode.

    Args:
        f: a function of arrays or containers; several outputs or arguments give nested containers,
            the output's outside.
        argnums: the argument or arguments to differentiate with respect to.
        mode: ``"forward"`` (a column per input entry), ``"reverse"`` (a row per output entry) or
            ``"auto"``, which takes whichever needs fewer sweeps.
        batch_size: how many columns or rows are computed at once (all by default); smaller needs less memory.
        holomorphic: required for complex inputs; the result is then f′.
        has_aux: whether ``f`` returns a pair (output, auxiliary data); the result is then (Jacobian, aux).
        argnames: the keyword argument or arguments to differentiate with respect to.

    Raises:
        InputError: an input is complex and ``holomorphic`` is not set.
        OutputError: ``holomorphic`` is set, but an input or an output is real; or an output is no array of numbers.
    """
    if mode not in ("auto", "forward", "reverse"):
        raise InputError(f"mode is {mode!r}; it must be 'auto', 'forward' or 'reverse'.")
    if batch_size is not None and batch_size < 1:
        raise InputError(f"batch_size is {batch_size!r}; it must be a positive integer or None.")
    nums, names, single = selection(argnums, argnames)

    @wraps(f)
    def jac(*args: Any, **kwargs: Any) -> Any:
        xs = tuple(_chosen(args, kwargs, nums, names))

        def at(*chosen: Any) -> Any:
            full = list(args)
            for k, x in zip(nums, chosen):
                full[k] = x
            y = f(*full, **{**kwargs, **dict(zip(names, chosen[len(nums) :]))})
            y = pair(y)[0] if has_aux else y
            if holomorphic:
                check_holomorphic(flatten(y)[0], leaves)
            return y

        leaves, structure = leaves_of(xs, _labels(nums, names))
        if any(dtype_of(x).kind == "c" for x in leaves) and not holomorphic:
            raise InputError(
                "the Jacobian of a function of complex arguments is one array only if the function is holomorphic; "
                "pass holomorphic=True if it is, otherwise use vjp or jvp."
            )
        forward = mode == "forward"
        out, pullback = (None, None) if forward else vjp(at, *xs)
        if mode == "auto":
            n_in = sum(int(np.size(x)) for x in leaves)
            n_out = sum(int(np.size(y)) for y in flatten(out)[0])
            forward = n_in < n_out
        if forward:
            out_structure, table = _columns(at, xs, leaves, structure, batch_size)
        else:
            out_structure, table = _rows(out, pullback, batch_size, holomorphic)
            if holomorphic:
                table = tree_map(np.conj, table)
        rows = [unflatten(structure, row) for row in table]
        rows = [row[0] if single else row for row in rows]
        result = unflatten(out_structure, rows)
        return (result, pair(f(*args, **kwargs))[1]) if has_aux else result

    return jac


def basis(leaves: Sequence[Any], k: int) -> Any:
    """The unit vectors along the entries of the ``k``-th leaf, stacked; shape (size, *leaf shape)."""
    x = leaves[k]
    size = int(np.size(x))
    return np.eye(size, dtype=dtype_of(x)).reshape(size, *shape_of(x))


def in_chunks(f: Callable[[Any], Any], units: Any, batch_size: int | None) -> Any:
    """``vmap(f)(units)``, so many at a time."""
    n = len(units)
    if batch_size is None or batch_size >= n:
        return vmap(f)(units)
    parts = [vmap(f)(units[i : i + batch_size]) for i in range(0, n, batch_size)]
    return tree_map(lambda *ps: np.concatenate(ps), *parts)


def _columns(f: Any, xs: Any, leaves: Any, structure: Any, batch_size: int | None) -> tuple[Structure, list[list[Any]]]:
    """The Jacobian by forward mode: for each output leaf, one block per input leaf."""
    zeros = [np.zeros(shape_of(x), dtype_of(x)) for x in leaves]
    if not leaves:
        ys, out_structure = flatten(f(*xs))
        return out_structure, [[] for _ in ys]
    out_structure: Any = None
    table: list[list[Any]] = []
    for k in range(len(leaves)):
        x = leaves[k]

        def push(unit: Any, k: int = k) -> Any:
            dots = [*zeros[:k], unit, *zeros[k + 1 :]]
            return jvp(f, xs, unflatten(structure, dots))[1]

        units = basis(leaves, k)
        if len(units) == 0:
            ys, out_structure = flatten(jvp(f, xs, unflatten(structure, zeros))[1])
            columns = [np.zeros((0, *shape_of(y)), dtype_of(y)) for y in ys]
        else:
            columns, out_structure = flatten(in_chunks(push, units, batch_size))
        if not table:
            table = [[] for _ in columns]
        for row, column in zip(table, columns):
            moved = np.moveaxis(column, 0, -1)
            row.append(np.reshape(moved, shape_of(moved)[:-1] + shape_of(x)))
    return out_structure, table


def _rows(out: Any, pullback: Any, batch_size: int | None, holomorphic: bool) -> tuple[Structure, list[list[Any]]]:
    """The Jacobian by reverse mode: for each output leaf, one block per input leaf.

    A row of complex outputs y of real inputs is Re Jᴴe + i Re Jᴴ(ie).
    """
    ys, structure = flatten(out)
    zeros = [np.zeros(shape_of(y), dtype_of(y)) for y in ys]
    table: list[list[Any]] = []
    for k, y in enumerate(ys):

        def pull_unit(unit: Any, k: int = k) -> Any:
            return flatten(pullback(unflatten(structure, [*zeros[:k], unit, *zeros[k + 1 :]])))[0]

        units = basis(ys, k)
        if len(units) == 0:
            blocks = [g[None][:0] for g in flatten(pullback(out))[0]]
        else:
            blocks = in_chunks(pull_unit, units, batch_size)
            if dtype_of(y).kind == "c" and not holomorphic:
                blocks = [re + 1j * im for re, im in zip(blocks, in_chunks(pull_unit, 1j * units, batch_size))]
        table.append([np.reshape(b, shape_of(y) + shape_of(b)[1:]) for b in blocks])
    return structure, table


@derived
def jacfwd(f: Callable[..., Any], argnums: int | Sequence[int] = 0, **options: Any) -> Callable[..., Any]:
    """:func:`jacobian` by forward mode: one push per input entry."""
    return jacobian(f, argnums, "forward", **options)


@derived
def jacrev(f: Callable[..., Any], argnums: int | Sequence[int] = 0, **options: Any) -> Callable[..., Any]:
    """:func:`jacobian` by reverse mode: one pull per output entry."""
    return jacobian(f, argnums, "reverse", **options)


@derived
def hessian(
    f: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    batch_size: int | None = None,
    holomorphic: bool = False,
    has_aux: bool = False,
    argnames: str | Sequence[str] | None = None,
) -> Callable[..., Any]:
    """A function that returns the Hessian of a scalar function, of shape (*input shape, *input shape).

    Forward mode over reverse mode; the options and errors are those of :func:`grad` and :func:`jacobian`.  A container
    of arguments gives a container of containers.
    """
    gradient = grad(f, argnums, has_aux, holomorphic, argnames)
    return wraps(f)(jacobian(gradient, argnums, "forward", batch_size, holomorphic, has_aux, argnames))


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The product of the Hessian of a scalar function with a vector, H ẋ, at a small multiple of f's cost.

    The gradient of the derivative along ẋ, reverse mode over forward mode: the Hessian is never formed.

    Args:
        f: a function that returns one real number.
        primals: its arguments, a tuple or list.
        tangents: one tangent per primal.

    Returns:
        One array (or container) per primal, of its shape and dtype, as a tuple; the array itself for a single primal.

    Raises:
        InputError: a primal is not of a floating or complex dtype.
        OutputError: the result is not one real number.
        StructureError: the tangents do not match the primals.
    """

    def along(*xs: Any) -> Any:
        return jvp(f, xs, tangents)[1]

    product = grad(along, tuple(range(len(primals))))(*primals)
    return product[0] if len(product) == 1 else product

"""How ``np.sin(x)`` reaches a rule: rules, levels, traced values, views.

Each transform opens a *level*; its values are :class:`Traced` and wrap a value of a lower level, down
to plain arrays.  A NumPy call on traced values goes to the deepest level among them, which asks the
function's :class:`Rule` what to do and makes the same call one level lower.  So levels nest in any
order, and a value of one level is a mere constant to every other.

Assignment works on traced values because each is a cell: ``x[i] = v`` replaces what the cell holds.
A view remembers its root cell and the path from there; it writes through to the root, and is
read anew when the root's version has moved.
"""

import inspect
import itertools
import operator
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, wraps
from importlib import import_module
from sys import getrefcount, maxsize
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from numpy.typing import NDArray

from dotbar.errors import (
    SPARSE_REMEDY,
    ConversionError,
    DotbarError,
    EscapedError,
    InputError,
    NoRuleError,
    conversion_message,
    escaped_message,
    plain_target_message,
    public_module,
)

F = TypeVar("F", bound=Callable[..., Any])
Settings = dict[str, Any]
Step = tuple[Callable[..., Any], Settings]

depths = itertools.count()


# ---------------------------------------------------------------- rules


class Rule:
    """What dotbar knows of one function.  The kinds in ``dotbar.rules.kinds`` fill in the methods.

    ``arrays`` names the leading parameters, which may be traced; ``settings`` the others, in the
    function's own order.  Between levels a call has one form: arrays positional, settings by keyword.
    """

    kind: ClassVar[str] = "rule"
    makes_views: ClassVar[bool] = False

    def __init__(self, fn: Callable[..., Any], arrays: Sequence[str] = ("x",), settings: Sequence[str] = ()):
        self.fn = fn
        self.name = full_name(fn)
        self.arrays = tuple(arrays)
        self.settings = tuple(settings)
        self.variadic = bool(arrays) and arrays[-1].startswith("*")
        self._plans: dict[tuple[int, ...], tuple[bool, list[bool]]] = {}

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"

    def __call__(self, *args: Any, **kw: Any) -> Any:
        xs, kw = self.bind(args, kw)
        return apply(self, xs, kw)

    def bind(self, args: tuple[Any, ...], kw: Settings) -> tuple[list[Any], Settings]:
        """Put a NumPy-style call into the form between levels."""
        if self.variadic:
            xs = [as_array(x) for x in args]
        else:
            n = len(self.arrays)
            xs = [as_array(x) for x in args[:n]]
            if len(args) > n:
                kw = {**dict(zip(self.settings, args[n:])), **kw}
            elif len(args) < n:
                kw = dict(kw)
                xs += [as_array(kw.pop(name, None)) for name in self.arrays[len(xs) :]]
        for key, value in kw.items():
            if isinstance(value, Traced):
                try:
                    kw = {**kw, key: value.value if type(value) is Cell else as_python(value)}
                except ConversionError:
                    error = NoRuleError(
                        f"{self.name} has no rule for a differentiated or batched argument {key!r}. "
                        f"Pass stop_gradient({key}) if its derivative is not wanted."
                    )
                    error.argument, error.why = key, "it says what is computed"
                    raise error from None
        return xs, kw

    def plan(self, active: tuple[int, ...], n: int) -> tuple[bool, list[bool]]:
        """What the tape keeps of a call, see :meth:`keep`; worked out once."""
        key = (*active, n)
        found = self._plans.get(key)
        if found is None:
            found = self._plans[key] = self.keep(active, n)
        return found

    def keep(self, active: Sequence[int], n: int) -> tuple[bool, list[bool]]:
        """Whether the bars of the active arguments need the result, and each of the ``n`` arguments."""
        raise NotImplementedError

    def dot(self, y: Any, xs: Sequence[Any], kw: Settings, xdots: Sequence[Any]) -> Any:
        """The tangent of the result; ``xdots`` holds None for inactive arguments."""
        raise NotImplementedError

    def bars(self, y: Any, xs: Sequence[Any], kw: Settings, ybar: Any, active: Sequence[int]) -> list[Any]:
        """The cotangents of the active arguments."""
        raise NotImplementedError

    def batch(self, xs: Sequence[Any], batched: Sequence[bool], size: int, kw: Settings) -> Any:
        """The function over axis 0 of the batched arguments; the result has its batch axis first."""
        raise NotImplementedError

    def varies(self, xs: Sequence[Any]) -> bool:
        """Whether the types of the results depend on values: how many entries are chosen, which numbers are real."""
        return False


RULES: dict[Any, Rule] = {}


def parameters_of(fn: Any) -> Mapping[str, inspect.Parameter]:
    """The parameters of a function; none where Python cannot tell, and of ufuncs, which check theirs."""
    try:
        return {} if isinstance(fn, np.ufunc) else inspect.signature(fn).parameters
    except (TypeError, ValueError):
        return {}


def full_name(fn: Callable[..., Any]) -> str:
    """The name a user would write, such as ``numpy.linalg.qr``."""
    name = getattr(fn, "__qualname__", getattr(fn, "__name__", repr(fn)))
    module = getattr(fn, "__module__", None) or ""
    if not module and isinstance(fn, np.ufunc):
        if getattr(np, name, None) is fn:
            module = "numpy"
        elif hasattr(sys.modules.get("scipy.special"), name.lstrip("_")):
            module, name = "scipy.special", name.lstrip("_")
    if "scipy." in module:
        module = public_module(module, name)
    return f"{module.replace('numpy._core.multiarray', 'numpy')}.{name}" if module else name


def find_rule(fn: Callable[..., Any]) -> Rule:
    """The rule of a function, or an error that names it, the nearest supported ones and the remedy."""
    try:
        return RULES[fn]
    except KeyError:
        pass
    from difflib import get_close_matches

    name = full_name(fn)
    hint = ""
    if name.startswith("scipy.special."):  # a ufunc, called without dotbar.scipy
        own = getattr(import_module("dotbar.scipy.special"), name.rpartition(".")[2], fn)
        if fn in RULES:
            return RULES[fn]
        hint = f" Use dotbar.{name}." if own is not fn else ""
    places = [(rule.name, *rule.name.removeprefix("dotbar.").rpartition(".")) for rule in RULES.values()]
    public = {full: member for full, module, _, member in places if member in vars(sys.modules.get(module, object))}
    similar = get_close_matches(name.rpartition(".")[2], public.values())
    near = [full for full, member in public.items() if member in similar]
    hint = hint or (f" The nearest supported ones: {', '.join(near)}." if near else "")
    if isinstance(fn, np.ufunc) and set("".join(fn.types)) <= set("O->"):
        hint = " It is a ufunc of Python objects; dotbar.numpy.vectorize takes traced values."
    raise NoRuleError(
        f"{name} has no derivative rule.{hint} To add one, see dotbar.extend; "
        "to treat the argument as a constant, pass stop_gradient(x)."
    )


def primitive(fn: F) -> F:
    """Make a plain function dispatch on traced values, as NumPy's own do.  Its rule is registered apart."""

    @wraps(fn)
    def call(*args: Any, **kw: Any) -> Any:
        for x in args:
            if isinstance(x, Traced):
                return find_rule(call)(*args, **kw)
        return with_infinities(fn, args, kw)

    return call  # type: ignore[return-value]


def with_infinities(fn: Callable[..., Any], args: Sequence[Any], kw: Settings) -> Any:
    """``fn(*args, **kw)`` where 1/0 is inf also for Python's numbers, which raise instead."""
    try:
        return fn(*args, **kw)
    except ArithmeticError:
        return fn(*[np.asarray(x)[()] if isinstance(x, (float, complex)) else x for x in args], **kw)


# ---------------------------------------------------------------- levels


class Active(threading.local):
    """How many levels this thread is in: whether ``dotbar.numpy.zeros(n)`` is to hold traced values."""

    levels = 0


active = Active()


class Level:
    """One application of a transform.  ``kind`` is the class of its traced values; they may have derivatives."""

    __slots__ = ("closed", "depth")
    kind: ClassVar[type["Traced"]]
    derives: ClassVar[bool] = True

    def __init__(self) -> None:
        self.depth = next(depths)
        self.closed = False

    def close(self) -> None:
        """From now on a value of this level is refused."""
        self.closed = True

    def __enter__(self) -> Self:
        active.levels += 1
        return self

    def __exit__(self, *error: object) -> None:
        active.levels -= 1
        self.close()

    def process(self, rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
        """Call the rule's function on values of which at least one is of this level."""
        raise NotImplementedError

    def enclose(self, name: str, f: Callable[..., Any], xs: Sequence[Any]) -> Any:
        """Call a function that has a rule of its own for other levels; this one looks inside."""
        return f(*xs)

    def lift(self, x: "Traced", inner: Any) -> None:
        """Turn the cell ``x`` into a constant of this level that wraps ``inner``."""
        raise NotImplementedError

    def write(self, root: "Traced", path: tuple[Step, ...], v: Any) -> None:
        """Assign ``v`` to the entries of ``root`` that ``path`` selects."""
        raise NotImplementedError


def apply(rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
    """Hand a call in the form between levels to the deepest level among its arguments."""
    level: Level = BASE
    plain = True
    for x in xs:
        if isinstance(x, Traced):
            plain = False
            if x.alias is not None:
                refresh(x)
            if x.level.depth > level.depth:
                level = x.level
    if plain:
        return rule.fn(*xs, **kw)
    if level is not BASE:
        if level.closed:
            raise EscapedError(escaped_message())
        xs = [x.value if type(x) is Cell else x for x in xs]
    return level.process(rule, xs, kw)


def is_differentiable(y: Any) -> bool:
    """Whether a value is of a floating or complex dtype."""
    t = type(y)
    return t is float or t is complex or dtype_of(y).kind in "fc"


def rebuild(y: Sequence[Any], items: Sequence[Any]) -> Any:
    """Several results with other items: a tuple, or a namedtuple such as NumPy's EighResult."""
    return type(y)(*items) if hasattr(y, "_fields") else tuple(items)


def without_derivative(rule: "Rule", y: Any) -> Any:
    """A result of integers or booleans, which has no derivative; one of objects would have lost it."""
    if any(dtype_of(v).kind == "O" for v in (y if isinstance(y, tuple) else (y,))):
        raise InputError(
            f"{rule.name} was given an array of objects and a traced value; convert it with .astype(float)."
        )
    return y


def is_array(x: Any) -> bool:
    """Whether a value is an array or stands for one: ``isinstance(x, np.ndarray)`` is False for traced values."""
    return isinstance(x, (np.ndarray, Traced))


def dtype_of(x: Any) -> np.dtype[Any]:
    """The dtype of a value of any level, Python numbers included."""
    return x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a value of any level."""
    return x.shape if hasattr(x, "shape") else np.shape(x)


def new_zeros(shape: tuple[int, ...], dtype: Any, like: Any) -> Any:
    """An array of zeros that can be assigned what ``like`` is."""
    return np.zeros(shape, dtype, like=like) if hasattr(like, "__array_function__") else np.zeros(shape, dtype)


def memory(x: Any) -> NDArray[Any]:
    """A plain array laid out as a traced one (of a batch: as one item), for its shape, strides and flags."""
    if not isinstance(x, Traced):
        return np.asarray(x)
    root, path = x.target()
    if path:
        return value_of(memory(root), path)
    plain = memory(x.value) if x.alias is None or x.alias.form is None else x.alias.form  # type: ignore[union-attr]
    axes = plain.ndim - len(shape_of(x))
    return as_strided(plain, plain.shape[axes:], plain.strides[axes:]) if axes else plain


def axes_by_stride(x: Any) -> tuple[int, ...]:
    """The axes of a value (of one item of a batch) from the outermost in memory to the innermost."""
    strides = memory(x).strides
    return tuple(sorted(range(len(strides)), key=lambda i: -abs(strides[i])))


def order_of_items(y: Any, item: NDArray[Any]) -> tuple[int, ...]:
    """The axes of ``y``, or of a batch of such items, from the outermost in memory to the innermost."""
    n = np.ndim(y) - item.ndim
    return (*range(n), *(n + k for k in axes_by_stride(item)))


def copy_in_order(x: Any, order: Sequence[int]) -> Any:
    """A copy of ``x`` with its axes in the given order in memory, the outermost first."""
    return np.transpose(np.copy(np.transpose(x, order), order="C"), np.argsort(order))


class Shape:
    """What the tape keeps of an array whose entries no bar needs."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]):
        self.shape = shape
        self.dtype = dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        size = 1
        for n in self.shape:
            size *= n
        return size

    @classmethod
    def of(cls, x: Any) -> Any:
        """The stand-in for a value; None and tuples of results as they are."""
        if type(x) is np.ndarray:
            return cls(x.shape, x.dtype)
        if x is None:
            return None
        if isinstance(x, tuple):
            return tuple(map(cls.of, x))
        return cls(shape_of(x), dtype_of(x))


# ---------------------------------------------------------------- traced values


def turns(x: "Traced") -> bool:
    """Read a view anew; whether it is of another level now, as its root was assigned a value of that level."""
    kind = type(x)
    refresh(x)
    return type(x) is not kind


def as_now(method: F) -> F:
    """Let a view that turns out to be of another level answer as the values of that level do."""

    @wraps(method)
    def call(self: "Traced", *args: Any, **kw: Any) -> Any:
        return getattr(self, method.__name__)(*args, **kw) if turns(self) else method(self, *args, **kw)

    return call  # type: ignore[return-value]


class Traced:
    """A value under differentiation or batching: it behaves as the ndarray it stands for.

    ``value`` is of a lower level.  ``aux`` belongs to the level: the index of a tape entry, the
    tangent, nothing.  ``alias`` is None, the :class:`Version` of a root that has views, or a :class:`View`.
    All subclasses have this one layout, so that a cell can change its level when it is assigned to.
    """

    __slots__ = ("__weakref__", "alias", "aux", "level", "value")
    __array_priority__ = 1000.0

    def __init__(self, value: Any, level: Level, aux: Any = None):
        self.value = value
        self.level = level
        self.aux = aux
        self.alias: Version | View | None = None

    # ------------------------------------------------ NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kw: Any) -> Any:
        try:
            if method == "__call__" and not kw:
                return find_rule(ufunc)(*inputs)
            kw = {k: v for k, v in kw.items() if k not in ("array", "indices")}  # which are among the inputs too
            return UFUNC_METHODS[method](ufunc, *inputs, **kw)
        except Exception as error:
            if (numpys := error_of_numpy(error, getattr(ufunc, method), inputs, kw)) is None:
                raise
            raise numpys from None

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kw: Settings) -> Any:
        if len(args) > 1:
            place, names = out_and_after(func)
            if len(args) > place:
                args, kw = args[:place], {**dict(zip(names, args[place:])), **kw}
        try:
            if "out" in kw:
                out, kw = kw["out"], {k: v for k, v in kw.items() if k != "out"}
                if out is not None:
                    return into(out, func, args, kw)
            return find_rule(func)(*args, **kw)
        except Exception as error:
            if (numpys := error_of_numpy(error, func, args, kw)) is None:
                raise
            raise numpys from None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        raise ConversionError(conversion_message())

    # ------------------------------------------------ what an array says of itself

    @property
    def shape(self) -> tuple[int, ...]:
        if self.alias is not None and turns(self):
            return self.shape
        return shape_of(self.value)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        n = 1
        for k in self.shape:
            n *= k
        return n

    @property
    def dtype(self) -> np.dtype[Any]:
        if self.alias is not None:
            refresh(self)
        return dtype_of(self.value)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(self.shape[0]))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.current()!r})"

    def __format__(self, spec: str) -> str:
        return format(self.current(), spec)

    def __getitem__(self, index: Any) -> Any:
        return getitem(self, index)

    def __setitem__(self, index: Any, v: Any) -> None:
        root, path = self.target()
        if path and is_read_only(path):
            raise ValueError("assignment destination is read-only")
        assign(root, (*path, (take_index, {"index": plain_index(index)})), v)

    def current(self) -> Any:
        """The value of the lower level; a view's entries as they are now."""
        refresh(self)
        return self.value

    def target(self) -> tuple["Traced", tuple[Step, ...]]:
        """The root cell, and the path from it to this value."""
        alias = self.alias
        if type(alias) is not View:
            return self, ()
        if alias.start is not alias.root.alias:
            alias.rebase()
        return alias.root, alias.path

    def become(self, other: "Traced") -> None:
        """Take the place of another value; what views this cell has stay its views."""
        self.__class__ = other.__class__  # pyright: ignore[reportAttributeAccessIssue]
        self.value = other.value
        self.level = other.level
        self.aux = other.aux

    def handle(self) -> "Traced":
        """A second cell that holds the same: writing to one leaves the other."""
        twin = Traced.__new__(type(self))
        Traced.__init__(twin, self.value, self.level, self.aux)
        if (form := laid(self)) is not None:
            twin.alias = Version(form)
        return twin

    # ------------------------------------------------ Python's conversions

    @as_now
    def __bool__(self) -> bool:
        return bool(self.current())

    @as_now
    def __int__(self) -> int:
        return int(self.current())

    @as_now
    def __index__(self) -> int:
        return operator.index(self.current())

    def __float__(self) -> float:
        raise ConversionError(conversion_message("a plain float"))

    def __complex__(self) -> complex:
        raise ConversionError(conversion_message("a plain complex number"))

    __hash__ = object.__hash__


class Cell(Traced):
    """A plain array that can be assigned traced values: what ``np.zeros_like(x)`` returns for a traced x."""

    __slots__ = ()

    @as_now
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.current(), dtype) if copy or copy is None else np.asarray(self.current(), dtype)

    @as_now
    def __float__(self) -> float:
        return float(self.current())

    @as_now
    def __complex__(self) -> complex:
        return complex(self.current())


class Base(Level):
    """The level of plain arrays in cells."""

    __slots__ = ()
    kind = Cell

    def __init__(self) -> None:
        self.depth = -1
        self.closed = False

    def process(self, rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
        y = rule.fn(*[x.value if type(x) is Cell else x for x in xs], **kw)
        if rule.makes_views and len(xs) == 1:
            return wrap_view(self, rule, xs[0], kw, y)
        return rebuild(y, [*map(cell, y)]) if isinstance(y, tuple) else cell(y)

    def write(self, root: Traced, path: tuple[Step, ...], v: Any) -> None:
        steps, index = split(path)
        value_of(own(root), steps)[index] = v.value if type(v) is Cell else v


BASE = Base()


def cell(y: Any) -> Any:
    """A plain array that can be assigned traced values; scalars as they are."""
    return Cell(y, BASE) if isinstance(y, np.ndarray) else y


def without_cells(x: Any) -> Any:
    """The plain array inside a cell; anything else as it is."""
    if type(x) is Cell:
        refresh(x)
        return x.value
    return x


# ---------------------------------------------------------------- views and assignment


class Version:
    """What the views of a root depend on: how often it was written to, and its memory.

    ``form`` is a plain array laid out as the root is in NumPy, where the root's own value, a compact copy, is not: what
    is a view there must be one here.  ``later`` is set when the root's shape is assigned: the next version, and the
    steps from there back to the shape that older views know.
    """

    __slots__ = ("count", "form", "later")

    def __init__(self, form: NDArray[Any] | None = None, count: int = 0):
        self.count = count
        self.form = form
        self.later: tuple[Version, tuple[Step, ...]] | None = None


class View:
    """Where a view stands: its root cell, the path from there, the root's version when it was read.

    ``start`` is the version of the root at whose shape the path starts.
    """

    __slots__ = ("path", "root", "start", "version")

    def __init__(self, root: Traced, path: tuple[Step, ...]):
        if root.alias is None:
            root.alias = Version()
        self.root = root
        self.path = path
        self.start: Version = root.alias  # type: ignore[assignment]
        self.version = self.start.count

    def rebase(self) -> None:
        """Let the path start from the shape that was assigned to the root."""
        while self.start.later is not None:
            self.start, back = self.start.later
            self.path = (*back, *self.path)


def laid(x: Traced) -> NDArray[Any] | None:
    """A plain array laid out as ``x`` is in NumPy, if its value is not."""
    root, _ = x.target()
    return None if root.alias is None or root.alias.form is None else memory(x)  # type: ignore[union-attr]


def reform(x: Traced, y: Traced, back: tuple[Step, ...]) -> None:
    """Let ``x`` be what its view ``y`` is; by the steps ``back``, the older views of ``x`` are still what they were."""
    old = x.alias
    if type(old) is Version:
        x.alias = Version(laid(y), old.count)
        old.later = x.alias, back
    else:
        x.alias = y.alias
    x.become(y)


def refresh(x: Traced) -> None:
    """Read a view anew if its root was written to since."""
    alias = x.alias
    if type(alias) is View and alias.version != alias.root.alias.count:  # type: ignore[union-attr]
        alias.version = alias.root.alias.count  # type: ignore[union-attr]
        x.become(read(*x.target()))


def wrap_view(level: Level, rule: Rule, x: Traced, kw: Settings, y: Any, aux: Any = None) -> Any:
    """The result of a linear rule on one array: a view of ``x`` where NumPy made one, else a new value."""
    value = x.value
    if y is value:
        return x
    if not (isinstance(y, Traced) or type(y) is np.ndarray):
        return level.kind(y, level, aux) if level is not BASE else y
    result = level.kind(y, level, aux)
    if is_view_of(y, value):
        root, path = x.target()
        path = (*path, *kw["path"]) if rule is READ else (*path, (rule.fn, kw))
        if root is not x or laid(x) is not None:
            base = memory(root)
            form = value_of(base, path)
            if not is_view_of(form, base):  # it is a view of a compact copy only
                result.value = copy_in_order(y, order_of_items(y, form))
                return result
        result.alias = View(root, path if len(path) <= LONG else shortened(root, path))
        written = root.alias.count > 0  # type: ignore[union-attr]
        if written and type(y) is np.ndarray and 8 * y.nbytes <= np.size(value) * y.itemsize:
            result.value = np.copy(y)  # so that the root can be written to in place while this is held
            if type(aux) is np.ndarray:
                result.aux = np.copy(aux)
    return result


def is_view_of(y: Any, x: Any) -> bool:
    """Whether ``y``, just computed from ``x``, shares its memory."""
    if isinstance(y, Traced):
        if type(y.alias) is not View:
            return False
        return y.alias.root is (x.alias.root if type(x.alias) is View else x)
    if type(y) is not np.ndarray:
        return False
    base = y.base
    while base is not None:  # as_strided puts objects of its own between
        if base is x or base is getattr(x, "base", None):
            return True
        base = getattr(base, "base", None)
    return False


READ_ONLY = (np.broadcast_to, np.diagonal, sliding_window_view)


def is_read_only(path: tuple[Step, ...]) -> bool:
    """Whether NumPy refuses to write through what a path selects."""
    return any(fn in READ_ONLY for fn, _ in path)


def take_index(x: Any, index: Any) -> Any:
    """``x[index]``, the commonest step of a path."""
    return np.asarray(x)[index] if type(x) is float else x[index]


def value_of(x: Any, path: tuple[Step, ...]) -> Any:
    """Follow a path; of a traced value make a view that is not read until it must be.

    So a view through which entries are read and written does not hold the memory of its root.
    """
    if isinstance(x, Traced) and path:
        root, start = x.target()
        view = Traced.__new__(type(root))
        Traced.__init__(view, None, root.level)
        view.alias = View(root, (*start, *path))
        view.alias.version = -1
        return view
    for fn, kw in path:
        x = fn(x, **kw)
    return x


LONG = 8
GRID_STEPS: set[Callable[..., Any]] = {take_index, np.transpose}


def shortened(root: Traced, path: tuple[Step, ...]) -> tuple[Step, ...]:
    """A short path for a long one: a chain of views selects a grid of the entries as they lie in memory.

    So reading through views of views costs the same however many there are.
    """
    first = 1 + max((k for k, (fn, _) in enumerate(path) if fn not in GRID_STEPS), default=-1)
    path, steps = path[:first], path[first:]
    base = value_of(memory(root), path)
    in_memory: tuple[Step, ...] = (
        (take_index, {"index": tuple(slice(None, None, -1 if stride < 0 else 1) for stride in base.strides)}),
        (np.transpose, {"axes": axes_by_stride(base)}),
        (RESHAPE, {"shape": -1}),
    )
    line, grid = value_of(base, in_memory), value_of(base, steps)
    if not is_view_of(line, base):
        return (*path, *steps)
    step = line.strides[0] or line.itemsize
    start = (address(grid) - address(line)) // step
    strides = tuple(stride // step for stride in grid.strides)
    return (*path, *in_memory, (GRID, {"start": start, "shape": grid.shape, "strides": strides}))


def address(x: NDArray[Any]) -> int:
    """Where the first entry of an array lies."""
    return x.__array_interface__["data"][0]


def split(path: tuple[Step, ...]) -> tuple[tuple[Step, ...], Any]:
    """A path as the steps that make views, and the index that ends it."""
    fn, kw = path[-1]
    return (path[:-1], kw["index"]) if fn is take_index else (path, ...)


def is_advanced(index: Any) -> bool:
    """Whether an index copies in NumPy: arrays and lists do, integers, slices, None and ... do not."""
    if type(index) is tuple:
        return any(map(is_advanced, index))
    return isinstance(index, (np.ndarray, list, bool, np.bool_, Traced))


def mentions(shape: tuple[int, ...], index: Any) -> Any:
    """For each entry that an index selects, the number of its last mention there."""
    place: Any = np.empty(shape, np.intp)
    if is_batched(index):
        place = Cell(place, BASE)
    selected = place[index]
    place[index] = np.arange(selected.size).reshape(selected.shape)
    return place[index]


_SIMPLE = (int, slice, type(None), type(Ellipsis))


def plain_index(index: Any) -> Any:
    """A copy of an index that the user can no longer change; cells and sequences become plain arrays."""
    return tuple(map(_plain_part, index)) if type(index) is tuple else _plain_part(index)


def _plain_part(part: Any) -> Any:
    if type(part) in _SIMPLE:
        return part
    if isinstance(part, (list, tuple)) and any(isinstance(i, Traced) for i in part):
        return np.stack(part)
    if isinstance(part, np.ndarray) or not (isinstance(part, Traced) or hasattr(part, "__index__")):
        return np.array(part) if np.size(part) else np.array(part, dtype=getattr(part, "dtype", np.intp))
    return without_cells(part)


def as_python(x: Traced) -> Any:
    """A traced number as one of Python's.

    Raises:
        ConversionError: it is no number, or one whose derivative or batch that would lose.
    """
    if x.shape or x.dtype.kind not in CONVERSIONS:
        raise ConversionError(conversion_message())
    return CONVERSIONS[x.dtype.kind](x)


CONVERSIONS = {"b": bool, "i": operator.index, "u": operator.index, "f": float, "c": complex}


def is_number(x: Any) -> bool:
    """Whether a value without dimensions is a number, or an array that in-place operators change."""
    while isinstance(x, Traced):
        if type(x.alias) is View:
            return False
        x = x.value
    return np.ndim(x) > 0 or not isinstance(x, np.ndarray)  # of a batch of numbers x is the array


def getitem(x: Traced, index: Any) -> Any:
    """``x[index]`` for a traced ``x``; a view's entries are read from its root, at no cost in its size."""
    index = plain_index(index)
    if is_batched(index):
        return gather(x, index)
    root, path = x.target()
    return read(root, joined(root, path, index))


def joined(root: Traced, path: tuple[Step, ...], index: Any) -> tuple[Step, ...]:
    """A path and an index as one path; a slice of a slice is one slice, so that paths stay short."""
    if type(index) is slice and path and path[-1][0] is take_index:
        first = path[-1][1]["index"]
        if type(first) is slice:
            path = path[:-1]
            places = range(len(value_of(memory(root), path)))[first][index]
            stop = places.stop if places.stop >= 0 else None
            index = slice(places.start, stop, places.step) if places else slice(0, 0)
    return (*path, (take_index, {"index": index}))


def read(root: Traced, path: tuple[Step, ...]) -> Any:
    """The entries of a root cell that a path selects."""
    if root.level.closed:
        raise EscapedError(escaped_message())
    return root.level.process(READ, (root,), {"path": path})


def is_batched(index: Any) -> bool:
    """Whether an index holds traced arrays: integers can only be those of a batch."""
    if type(index) is tuple:
        return any(isinstance(i, Traced) for i in index)
    return isinstance(index, Traced)


def gather(x: Any, index: Any) -> Any:
    """``x[index]`` where the index itself is batched: its arrays become arguments of the call."""
    parts = index if type(index) is tuple else (index,)
    traced = tuple(isinstance(i, Traced) for i in parts)
    arrays = [i for i in parts if isinstance(i, Traced)]
    template = tuple(None if t else i for t, i in zip(traced, parts))
    return apply(GATHER, (x, *arrays), {"template": template, "traced": traced})


def assign(root: Traced, path: tuple[Step, ...], v: Any) -> None:
    """``root[path] = v`` at the deeper of the two levels."""
    v = as_array(v)
    level = root.level
    if isinstance(v, Traced):
        if v.alias is not None:
            refresh(v)
        if v.level.depth > level.depth:
            level = v.level
        elif type(v) is Cell:
            v = v.value
    steps, index = split(path)
    for i in _index_parts(index):
        if isinstance(i, Traced):
            if i.dtype == bool and ASSIGN_WHERE(value_of(root, steps), _index_parts(index), v):
                return
            if i.level.depth > level.depth:
                level = i.level
    if root.dtype.kind not in "fc" and isinstance(v, Traced) and v.level.derives and is_differentiable(v):
        raise InputError(
            f"a differentiated value was assigned into an array of dtype {root.dtype}, which cannot hold "
            "its derivative. Make the array of a floating dtype, for instance np.zeros_like(x, dtype=float)."
        )
    if level is not root.level:
        inner, form = root.value if type(root) is Cell else root.handle(), memory(root)
        root.__class__ = level.kind  # pyright: ignore[reportAttributeAccessIssue]
        root.level = level
        level.lift(root, inner)
        if not form.flags.forc:
            lay_as(root, form)
    if level.closed:
        raise EscapedError(escaped_message())
    level.write(root, path, v)
    if root.alias is not None:
        root.alias.count += 1  # type: ignore[union-attr]


def _index_parts(index: Any) -> tuple[Any, ...]:
    return index if type(index) is tuple else (index,)


def own(x: Traced, v: Any = None, index: Any = None) -> Any:
    """The value of a cell, made fit to be assigned ``v`` at ``index``: copied first if anything else holds it."""
    if (isinstance(v, Traced) or is_batched(index)) and not isinstance(x.value, Traced):
        x.value = Cell(x.value, BASE)
    elif not (getrefcount(x.value) == _SOLE and is_exclusive(x.value)):
        renew(x)
    return x.value


def renew(x: Traced) -> None:
    """Give a cell a value that can be written to, and remember how it lay in memory if the copy does not."""
    value = x.value
    x.value = duplicate(value)
    if type(value) is np.ndarray and not value.flags.forc:
        lay_as(x, value)


def lay_as(x: Traced, form: NDArray[Any]) -> None:
    """Let the views of ``x`` be those that NumPy makes of ``form``, unless that is settled."""
    if x.alias is None:
        x.alias = Version()
    if x.alias.form is None:  # type: ignore[union-attr]
        x.alias.form = form  # type: ignore[union-attr]


def duplicate(value: Any) -> Any:
    """A copy that can be written to: of an array its entries, of a traced value its handle."""
    if isinstance(value, Traced):
        refresh(value)
        return value.handle()
    return compact(value)


def compact(x: NDArray[Any]) -> NDArray[Any]:
    """A copy without gaps, the axes in the same order and directions in memory."""
    if not x.size or all(stride >= 0 for stride in x.strides):
        return x.copy("K")
    steps = list(zip(x.shape, x.strides, np.empty_like(x).strides))
    start = sum((n - 1) * step for n, stride, step in steps if stride < 0)
    strides = [-step if stride < 0 else step for _, stride, step in steps]
    y = np.ndarray(x.shape, x.dtype, bytearray(x.nbytes), start, strides)
    y[...] = x
    return y


def is_exclusive(value: Any) -> bool:
    """Whether a value that one name holds is held by that name alone, not by a view or a base."""
    if isinstance(value, Traced):
        return type(value.alias) is not View
    return type(value) is np.ndarray and type(value.base) in (type(None), bytearray) and value.flags.writeable


_probe = Traced(np.empty(1), BASE)
_SOLE = getrefcount(_probe.value)


def error_of_numpy(error: Exception, fn: Callable[..., Any], args: Any, kw: Settings) -> Exception | None:
    """What NumPy itself raises at a call that failed with ``error``; None if nothing, or if the error is dotbar's own.

    What calls functions of the user is not called again.
    """
    if isinstance(error, DotbarError) or any(callable(x) and not isinstance(x, type) for x in (*args, *kw.values())):
        return None
    try:
        fn(*as_plain(args), **as_plain(kw))
    except Exception as numpys:
        return numpys.with_traceback(None)
    return None


def as_plain(x: Any) -> Any:
    """Copies of what is traced (of a batch: of one item) as plain arrays, in containers too."""
    if isinstance(x, (Traced, np.ndarray)):
        return np.copy(memory(x))
    if type(x) in (list, tuple):
        return type(x)(map(as_plain, x))
    return {k: as_plain(v) for k, v in x.items()} if type(x) is dict else x


@cache
def out_and_after(func: Callable[..., Any]) -> tuple[int, tuple[str, ...]]:
    """The place of a function's ``out``, and the names from there on, which rules take by keyword."""
    try:
        parameters = inspect.signature(func).parameters.values()
        names = tuple(p.name for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD)
    except ValueError:
        names = ()
    place = names.index("out") if "out" in names else maxsize
    return place, names[place:]


def into(out: Any, func: Callable[..., Any], args: Any, kw: Settings) -> Any:
    """``func(*args, out=out)``: compute, then assign; NumPy says whether an ``out`` that differs fits."""
    if isinstance(out, tuple):
        (out,) = out
    y = func(*args, **kw)
    if (shape_of(y), dtype_of(y)) == (shape_of(out), dtype_of(out)):
        return copy_into(out, y)
    func(*as_plain(args), out=as_plain(out), **as_plain(kw))
    return copy_into(out, y, casting="unsafe")


def copy_into(out: Any, y: Any, where: Any = True, casting: str = "same_kind") -> Any:
    """Assign a result to an ``out=`` argument under NumPy's casting rule."""
    if not np.can_cast(dtype_of(y), dtype_of(out), casting):  # type: ignore[arg-type]
        raise np.exceptions.DTypePromotionError(  # a TypeError, as NumPy's own casting error is
            f"Cannot cast output from {dtype_of(y)} to {dtype_of(out)} with casting rule {casting!r}"
        )
    if not isinstance(out, Traced):
        if isinstance(y, Traced):
            raise ConversionError(plain_target_message())
        np.copyto(out, y, where=where, casting=casting)  # type: ignore[arg-type]
        return out
    if shape_of(out) != np.broadcast_shapes(shape_of(out), shape_of(y)):
        raise ValueError(
            f"non-broadcastable output operand with shape {shape_of(out)} doesn't match "
            f"the broadcast shape {np.broadcast_shapes(shape_of(out), shape_of(y))}"
        )
    out[...] = y if where is True else np.where(where, y, out)
    return out


def as_array(x: Any) -> Any:
    """An argument as an array: lists, stacked if they hold traced values, and what can become an ndarray."""
    if type(x) in _ARRAYS or isinstance(x, Traced):
        return x
    if type(x) in (list, tuple):
        return np.asarray(x) if first_traced(x) is None else STACK(x)
    if isinstance(x, np.ma.MaskedArray):
        raise InputError("masked arrays cannot be differentiated; use x.filled(...) and np.where(mask, a, b).")
    if isinstance(x, np.matrix):
        raise InputError("np.matrix cannot be differentiated, as its operators differ; use np.asarray(x) and @.")
    if hasattr(x, "toarray"):
        raise InputError(f"SciPy's sparse arrays do not meet traced values. {SPARSE_REMEDY}")
    return np.asarray(x) if hasattr(x, "__array__") and not isinstance(x, np.generic) else x


_ARRAYS = {np.ndarray, float, int, complex, bool, type(None)}


def first_traced(x: Any) -> Traced | None:
    """A traced value, or the first one in nested lists, tuples and dicts."""
    if isinstance(x, Traced):
        return x
    if type(x) is dict:
        x = list(x.values())
    if type(x) in (list, tuple):
        return next((found for item in x if (found := first_traced(item)) is not None), None)
    return None


# Filled in by the rules that the engine itself needs.
UFUNC_METHODS: dict[str, Callable[..., Any]] = {}
ASSIGN_WHERE: Any = None
READ: Any = None
GATHER: Any = None
RESHAPE: Any = None
GRID: Any = None
STACK: Any = None

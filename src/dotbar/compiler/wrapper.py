"""A native function -> a Python builtin that checks its arguments, makes its outputs and calls it.

The function is ``i32 @program(ptr inputs, ptr outputs, ptr arena)``: two arrays of data pointers and a scratch block.
The builtin is native code too.  What it expects and returns are trees of specifications:

    Array(dtype, shape, strides)   exactly an ndarray; without strides: contiguous in C order
    Scalar(dtype)                  exactly a NumPy scalar, as ``np.sum`` returns it
    Number(kind)                   exactly a Python float, complex, int (an int64 for the program) or bool (a byte)
    Constant(value)                this very object
    (a, b), [a, b], {"name": a}    exactly a tuple, list or dict of them, in this order

Pointers follow the leaves of the arguments' tree, then the hidden inputs.  Anything else than expected, in number,
type, dtype, shape, strides or alignment, goes to ``slow(*args, **kwargs)``.  A status other than 0 drops the outputs
and goes to ``failed(status, *args, **kwargs)``.

Objects and C functions are named symbols, so the text is the same in another process and found in the cache on disk.
Offsets are those of CPython's and NumPy's headers, counted from ``object.__basicsize__``:

    PyObject       …, ob_type                                  PyFloatObject and NumPy's scalars: then the value
    PyTupleObject  ob_size; items at tuple.__basicsize__       PyListObject: ob_size, ob_item     PyCellObject: ob_ref
    PyArrayObject  data, nd, dimensions, strides, base, descr, flags
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import CellType, FunctionType
from typing import Any, TypeAlias

import numpy as np
from numpy._core import _multiarray_umath  # where NumPy's own headers take the C API from

from dotbar.compiler import engine


@dataclass(frozen=True)
class Array:
    """An ndarray of one dtype, shape and memory layout; as an argument, perhaps one that the program writes to."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None = None
    writable: bool = False


@dataclass(frozen=True)
class Scalar:
    """A NumPy scalar."""

    dtype: np.dtype[Any]


@dataclass(frozen=True)
class Number:
    """A Python number."""

    kind: type[complex]  # or float, int, bool


@dataclass(frozen=True)
class Constant:
    """One object: as an argument compared by identity and not handed over, as an output returned as it is."""

    value: Any


Spec: TypeAlias = "Array | Scalar | Number | Constant | tuple[Spec, ...] | list[Spec] | dict[str, Spec]"


@dataclass(frozen=True)
class Hidden:
    """An input that is no argument: of an array, data and layout are read anew at each call."""

    value: Any
    spec: Spec


@dataclass(frozen=True)
class Binding:
    """Where the function finds an object that the program takes for granted, or finds none.

    The place is a closure's cell, an item of a dict or list, or an attribute of a Python function, whose None is none.
    Without a name, the value is how many items the dict or list has.
    """

    value: Any
    place: CellType | dict[Any, Any] | list[Any] | FunctionType
    name: Any = ""
    missing: bool = False


def wrap(
    code: engine.Code,
    arguments: Sequence[Spec],
    output: Spec,
    slow: Callable[..., Any],
    failed: Callable[..., Any] | None = None,
    *,
    keywords: Sequence[str] = (),
    hidden: Sequence[Hidden] = (),
    bindings: Sequence[Binding] = (),
    arena: int = 0,
    long: bool = False,
    raises: bool = False,
    name: str = "compiled",
) -> Callable[..., Any]:
    """A builtin that runs the function ``program`` of some code.

    ``keywords`` are the names of the last arguments, which are then expected by name and in this order.
    ``arena`` is the size of the scratch block: one for the function, another is made while that is in use.
    ``long``: the GIL is released while the program runs.  ``raises``: what it calls may set an exception.  Without
    ``failed``, ``slow`` also gets what failed.
    """
    text = _Text()
    inputs = text.checked(arguments, keywords, hidden, bindings)
    text.write(inputs, len(arguments), len(keywords), output, slow, failed, arena, long, raises)
    scratch = np.empty(arena + ALIGNMENT, np.uint8)
    start = -(-scratch.ctypes.data // ALIGNMENT) * ALIGNMENT
    return _builtin(text, name, {"program": code.address("program"), "arena": start}, code, scratch)


def gate(
    arguments: Sequence[Spec],
    through: Callable[..., Any],
    slow: Callable[..., Any],
    *,
    keywords: Sequence[str] = (),
    hidden: Sequence[Hidden] = (),
    bindings: Sequence[Binding] = (),
    name: str = "compiled",
) -> Callable[..., Any]:
    """A builtin that hands over what it is given: to ``through`` if it is as expected, else to ``slow``."""
    text = _Text()
    text.checked(arguments, keywords, hidden, bindings)
    text.hand_over(through)
    text.label("slow")
    text.hand_over(slow)
    return _builtin(text, name, {})


def _builtin(text: "_Text", name: str, symbols: dict[str, int], *alive: Any) -> Callable[..., Any]:
    """What a text is a function of."""
    symbols = text.symbols | symbols
    entry = engine.compile(str(text), symbols=symbols, level=0)  # it runs as fast, and is made in a fifth of the time
    definition = _MethodDef(name.encode(), entry.address("call"), _FASTCALL | _KEYWORDS, None)
    return _new_builtin(ctypes.byref(definition), (definition, entry, *alive, *text.objects), None)


def direct(base: type) -> type:
    """A subclass whose instances are called as fast as a builtin, once ``enter`` has given them one.

    Before, a call goes to ``__call__``.
    """
    start = base.__basicsize__
    members = (_Member * 3)(
        (b"__vectorcalloffset__", _PYSSIZET, start, _READONLY, None),
        (b"_entered", _OBJECT_EX, start + 8, 0, None),
    )
    slots = (_Slot * 2)((_TP_MEMBERS, ctypes.addressof(members)))
    name = f"{base.__module__}.{base.__qualname__}".encode()
    spec = _Spec(name, start + 16, 0, _DEFAULT | _BASETYPE | _HAVE_VECTORCALL, slots)
    made = _new_type(ctypes.byref(spec), (base,))
    made._entry = start
    made._makings = spec, members  # what the type points to
    return made


def enter(instance: Any, builtin: Callable[..., Any]) -> None:
    """Let calls of an instance of a ``direct`` class go to a builtin; it and those before live as long as the instance.

    They may be running, and hand over to their ``slow``, when another takes the place.
    """
    instance._entered = (*getattr(instance, "_entered", ()), builtin)
    entry: _MethodDef = builtin.__self__[0]
    ctypes.c_void_p.from_address(id(instance) + instance._entry).value = entry.function


ALIGNMENT = 64
"""Of the arena, in bytes: a vector register."""

_FASTCALL, _KEYWORDS = 0x0080, 0x0002  # METH_…
_C_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x0001, 0x0100, 0x0400  # NPY_ARRAY_…
_PYSSIZET, _OBJECT_EX, _READONLY = 19, 16, 1  # T_… and READONLY of structmember.h
_TP_MEMBERS = 72  # Py_tp_members
_DEFAULT, _BASETYPE, _HAVE_VECTORCALL = 1 << 18, 1 << 10, 1 << 11  # Py_TPFLAGS_…

_HEAD = object.__basicsize__
_ATTRIBUTES = {"__defaults__": _HEAD + 40, "__kwdefaults__": _HEAD + 48}  # of a function; NULL for none
_TYPE, _VALUE, _LENGTH, _ITEMS = _HEAD - 8, _HEAD, _HEAD, _HEAD + 8
_DATA, _NDIM, _DIMENSIONS, _STRIDES, _DESCR, _FLAGS = (_HEAD + at for at in (0, 8, 16, 24, 40, 48))

_PYTHON = {
    "PyObject_Vectorcall": "ptr (ptr, ptr, i64, ptr)",
    "Py_IncRef": "void (ptr)",
    "Py_DecRef": "void (ptr)",
    "PyTuple_New": "ptr (i64)",
    "PyTuple_SetItem": "i32 (ptr, i64, ptr)",
    "PyList_New": "ptr (i64)",
    "PyList_SetItem": "i32 (ptr, i64, ptr)",
    "PyDict_New": "ptr ()",
    "PyDict_Size": "i64 (ptr)",
    "PyDict_GetItemWithError": "ptr (ptr, ptr)",
    "PyDict_Next": "i32 (ptr, ptr, ptr, ptr)",
    "PyDict_SetItem": "i32 (ptr, ptr, ptr)",
    "PyUnicode_Compare": "i32 (ptr, ptr)",
    "PyLong_AsLongLongAndOverflow": "i64 (ptr, ptr)",
    "PyLong_FromLongLong": "ptr (i64)",
    "PyFloat_FromDouble": "ptr (double)",
    "PyComplex_FromDoubles": "ptr (double, double)",
    "PyErr_NoMemory": "ptr ()",
    "PyErr_Occurred": "ptr ()",
    "PyMem_RawMalloc": "ptr (i64)",
    "PyMem_RawFree": "void (ptr)",
    "PyEval_SaveThread": "ptr ()",
    "PyEval_RestoreThread": "void (ptr)",
}
_NUMPY = {  # with their places in NumPy's table of functions
    "PyArray_Scalar": (60, "ptr (ptr, ptr, ptr)"),
    "PyArray_NewFromDescr": (94, "ptr (ptr, ptr, i32, ptr, ptr, ptr, i32, ptr)"),
}


class _MethodDef(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


_new_builtin = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)(
    ("PyCFunction_NewEx", ctypes.pythonapi)
)


class _Member(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("kind", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


class _Slot(ctypes.Structure):
    _fields_ = [("slot", ctypes.c_int), ("pointer", ctypes.c_void_p)]


class _Spec(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("size", ctypes.c_int),
        ("item_size", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    ]


_new_type = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object)(
    ("PyType_FromSpecWithBases", ctypes.pythonapi)
)


@cache
def _address(function: str) -> int:
    """Where a function of Python's or NumPy's C API lies."""
    if function in _PYTHON:
        return ctypes.cast(getattr(ctypes.pythonapi, function), ctypes.c_void_p).value or 0
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    table = ctypes.cast(pointer(_multiarray_umath._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    return table[_NUMPY[function][0]] or 0


class _Text:
    """The builtin's code while it is written: the lines, and what its symbols stand for."""

    def __init__(self) -> None:
        self.symbols: dict[str, int] = {}
        self.objects: list[Any] = []
        self._places: dict[int, int] = {}  # in the list, by id
        self._declared: dict[str, str] = {}
        self._slots: list[str] = []
        self._lines: list[str] = []
        self._values = 0
        self._made: list[str] = []  # slots of new references
        self._results: list[str] = []  # of the output's leaves: an array's slot, a number's data
        self._status = ""
        self._held: list[str] = []  # what a container could lose while the program runs

    def __str__(self) -> str:
        return "\n".join(
            [
                "declare i32 @program(ptr, ptr, ptr)",
                *self._declared.values(),
                "define ptr @call(ptr %self, ptr %args, i64 %flagged, ptr %names) {",
                *self._slots,
                *self._lines,
                "}\n",
            ]
        )

    def checked(
        self,
        arguments: Sequence[Spec],
        keywords: Sequence[str],
        hidden: Sequence[Hidden],
        bindings: Sequence[Binding],
    ) -> list[str]:
        """Go on if all is as expected, else at the label slow; the pointers to the inputs' data."""
        self.line(f"%nargs = and i64 %flagged, {2**63 - 1}")  # without PY_VECTORCALL_ARGUMENTS_OFFSET
        self.require(self.equal("i64", "%nargs", len(arguments) - len(keywords)))
        self.check_names(keywords)
        inputs = [
            data
            for i, spec in enumerate(arguments)
            for data in self.check(spec, self.load("ptr", "%args", 8 * i), held=True)
        ]
        for binding in bindings:
            self.bound(binding)
        for item in hidden:
            inputs += self.check(item.spec, self.object(item.value), held=True)
        return inputs

    def hand_over(self, function: Callable[..., Any]) -> None:
        """Return what a function makes of the arguments."""
        self.line(f"ret ptr {self.call('PyObject_Vectorcall', self.object(function), '%args', '%nargs', '%names')}")

    def write(
        self,
        inputs: Sequence[str],
        arguments: int,
        keywords: int,
        output: Spec,
        slow: Callable[..., Any],
        failed: Callable[..., Any] | None,
        arena: int,
        long: bool,
        raises: bool,
    ) -> None:
        """The call, and what follows."""
        self.write_call(inputs, output, arena, long, raises)
        result = self.build(output)
        self.line(f"ret ptr {self.load('ptr', result)}")

        self.label("slow")
        self.hand_over(slow)
        self.label("failed")
        self.drop()
        if failed is None:
            self.line("br label %slow")
        else:
            self.report(failed, arguments, keywords)
        self.label("memory")
        self.call("PyErr_NoMemory")
        self.line("br label %error")
        self.label("error")
        self.drop()
        self.line("ret ptr null")

    # One line each

    def line(self, text: str) -> None:
        self._lines.append(f"  {text}")

    def label(self, name: str) -> None:
        self._lines.append(f"{name}:")

    def value(self, expression: str) -> str:
        """The name of what an instruction computes."""
        self._values += 1
        self.line(f"%v{self._values} = {expression}")
        return f"%v{self._values}"

    def slot(self, kind: str, align: int = 8) -> str:
        """Room on the stack."""
        name = f"%slot{len(self._slots)}"
        self._slots.append(f"  {name} = alloca {kind}, align {align}")
        return name

    def at(self, pointer: str, offset: int) -> str:
        return self.value(f"getelementptr i8, ptr {pointer}, i64 {offset}") if offset else pointer

    def load(self, kind: str, pointer: str, offset: int = 0) -> str:
        return self.value(f"load {kind}, ptr {self.at(pointer, offset)}")

    def equal(self, kind: str, a: str, b: str | int) -> str:
        return self.value(f"icmp eq {kind} {a}, {b}")

    def branch(self, condition: str, otherwise: str) -> None:
        """Go on if a condition holds."""
        self._values += 1
        self.line(f"br i1 {condition}, label %go{self._values}, label %{otherwise}")
        self.label(f"go{self._values}")

    def require(self, *conditions: str) -> None:
        """Go on if all hold, else the slow way."""
        if conditions:
            first, *rest = conditions
            for condition in rest:
                first = self.value(f"and i1 {first}, {condition}")
            self.branch(first, "slow")

    def object(self, value: Any) -> str:
        """A Python object by the symbol of its address."""
        at = self._places.setdefault(id(value), len(self.objects))
        if at == len(self.objects):
            self.objects.append(value)
            self.symbols[f"object.{at}"] = id(value)
            self._declared[f"object.{at}"] = f"@object.{at} = external global i8"
        return f"@object.{at}"

    def call(self, function: str, *args: str) -> str:
        """A call of Python's or NumPy's C API."""
        signature = _PYTHON[function] if function in _PYTHON else _NUMPY[function][1]
        result, _, kinds = signature.partition(" ")
        kinds = kinds.strip("()").split(", ")
        if function not in self._declared:
            self.symbols[f"python.{function}"] = _address(function)
            self._declared[function] = f"declare {result} @python.{function}({', '.join(kinds)})"
        passed = ", ".join(f"{kind} {arg}" for kind, arg in zip(kinds, args))
        text = f"call {result} @python.{function}({passed})"
        if result == "void":
            self.line(text)
            return ""
        return self.value(text)

    # Arguments

    def check_names(self, keywords: Sequence[str]) -> None:
        if not keywords:
            self.require(self.equal("ptr", "%names", "null"))
            return
        self.require(self.value("icmp ne ptr %names, null"))
        self.require(self.equal("i64", self.load("i64", "%names", _LENGTH), len(keywords)))
        self.require(
            *(
                self.equal("i32", self.call("PyUnicode_Compare", given, self.object(name)), 0)
                for i, name in enumerate(keywords)
                for given in [self.load("ptr", "%names", tuple.__basicsize__ + 8 * i)]
            )
        )

    def check(self, spec: Spec, thing: str, held: bool) -> Iterator[str]:
        """Require an object to be as specified; the pointers to its data."""
        match spec:
            case Array():
                yield self.check_array(spec, thing, held)
            case Scalar(dtype):
                self.require(self.is_type(thing, dtype.type))
                yield from self.hold(self.at(thing, _VALUE), thing, held)
            case Number(kind):
                self.require(self.is_type(thing, kind))
                if kind is int or kind is bool:
                    yield self.convert(kind, thing)
                else:
                    yield from self.hold(self.at(thing, _VALUE), thing, held)
            case Constant(value):
                self.require(self.equal("ptr", thing, self.object(value)))
            case tuple() | list():
                self.require(self.is_type(thing, type(spec)))
                self.require(self.equal("i64", self.load("i64", thing, _LENGTH), len(spec)))
                at_tuple = isinstance(spec, tuple)
                first, offset = (thing, tuple.__basicsize__) if at_tuple else (self.load("ptr", thing, _ITEMS), 0)
                for i, item in enumerate(spec):
                    yield from self.check(item, self.load("ptr", first, offset + 8 * i), held and at_tuple)
            case dict():
                self.require(self.is_type(thing, dict))
                self.require(self.equal("i64", self.call("PyDict_Size", thing), len(spec)))
                place, key, found = self.slot("i64"), self.slot("ptr"), self.slot("ptr")
                self.line(f"store i64 0, ptr {place}")
                for name, item in spec.items():  # in this order, which the function may depend on
                    self.call("PyDict_Next", thing, place, key, found)
                    given = self.load("ptr", key)
                    self.require(self.is_type(given, str))
                    self.require(self.equal("i32", self.call("PyUnicode_Compare", given, self.object(name)), 0))
                    yield from self.check(item, self.load("ptr", found), False)

    def is_type(self, thing: str, kind: type) -> str:
        return self.equal("ptr", self.load("ptr", thing, _TYPE), self.object(kind))

    def check_array(self, spec: Array, thing: str, held: bool) -> str:
        self.require(self.is_type(thing, np.ndarray))
        wanted = _ALIGNED | (_C_CONTIGUOUS if spec.strides is None else 0) | (_WRITEABLE if spec.writable else 0)
        flags = self.value(f"and i32 {self.load('i32', thing, _FLAGS)}, {wanted}")
        self.require(
            self.equal("ptr", self.load("ptr", thing, _DESCR), self.object(np.dtype(spec.dtype))),
            self.equal("i32", self.load("i32", thing, _NDIM), len(spec.shape)),
            self.equal("i32", flags, wanted),
        )
        if spec.shape:
            dimensions = self.load("ptr", thing, _DIMENSIONS)
            same = [self.equal("i64", self.load("i64", dimensions, 8 * i), n) for i, n in enumerate(spec.shape)]
            if spec.strides is not None:
                strides = self.load("ptr", thing, _STRIDES)
                same += [
                    self.equal("i64", self.load("i64", strides, 8 * i), step)
                    for i, (step, n) in enumerate(zip(spec.strides, spec.shape))
                    if n > 1  # the others mean nothing
                ]
            self.require(*same)
        return next(self.hold(self.load("ptr", thing, _DATA), thing, held))

    def hold(self, data: str, thing: str, held: bool) -> Iterator[str]:
        """Remember an object that nothing keeps alive while the program runs but a list or a dict."""
        if not held:
            self._held.append(thing)
        yield data

    def convert(self, kind: type, thing: str) -> str:
        """An integer or boolean as the program reads it."""
        if kind is bool:
            room = self.slot("i8")
            truth = self.equal("ptr", thing, self.object(True))
            self.line(f"store i8 {self.value(f'zext i1 {truth} to i8')}, ptr {room}")
            return room
        room, overflow = self.slot("i64"), self.slot("i32")
        number = self.call("PyLong_AsLongLongAndOverflow", thing, overflow)
        self.require(self.equal("i32", self.load("i32", overflow), 0))
        self.line(f"store i64 {number}, ptr {room}")
        return room

    def bound(self, binding: Binding) -> None:
        """Require a name to mean the object that it meant."""
        place = self.object(binding.place)
        if binding.name is None:
            is_dict = isinstance(binding.place, dict)
            size = self.call("PyDict_Size", place) if is_dict else self.load("i64", place, _LENGTH)
            self.require(self.equal("i64", size, binding.value))
            return
        if isinstance(binding.place, list):
            found = self.load("ptr", self.load("ptr", place, _ITEMS), 8 * binding.name)
        elif isinstance(binding.place, CellType):
            found = self.load("ptr", place, _VALUE)
        elif isinstance(binding.place, FunctionType):
            found = self.load("ptr", place, _ATTRIBUTES[binding.name])
        else:
            found = self.call("PyDict_GetItemWithError", place, self.object(binding.name))
        self.require(self.equal("ptr", found, "null" if binding.missing else self.object(binding.value)))

    # The call

    def write_call(self, inputs: Sequence[str], output: Spec, arena: int, long: bool, raises: bool) -> None:
        """Make the outputs, find a scratch block and run the program."""
        outputs = list(self.prepare(output))
        scratch, block = self.acquire(arena) if arena else ("null", "")
        for thing in self._held:
            self.call("Py_IncRef", thing)
        thread = self.call("PyEval_SaveThread") if long else ""
        status = self.value(
            f"call i32 @program(ptr {self.pointers(inputs)}, ptr {self.pointers(outputs)}, ptr {scratch})"
        )
        if long:
            self.call("PyEval_RestoreThread", thread)
        for thing in self._held:
            self.call("Py_DecRef", thing)
        if arena:
            self.release(block)
        if raises:
            self.branch(self.equal("ptr", self.call("PyErr_Occurred"), "null"), "error")
        self._status = status
        self.branch(self.equal("i32", status, 0), "failed")

    def pointers(self, values: Sequence[str]) -> str:
        """An array of pointers."""
        room = self.slot(f"[{len(values)} x ptr]")
        for i, pointer in enumerate(values):
            self.line(f"store ptr {pointer}, ptr {self.at(room, 8 * i)}")
        return room

    def prepare(self, spec: Spec) -> Iterator[str]:
        """The outputs' data: new arrays, and room for numbers."""
        match spec:
            case Array():
                made = self.new_array(spec)
                self._results.append(made)
                yield self.load("ptr", self.load("ptr", made), _DATA)
            case Scalar() | Number():
                room = self.slot("[32 x i8]", align=16)
                self._results.append(room)
                yield room
            case Constant():
                return
            case _:
                for item in spec.values() if isinstance(spec, dict) else spec:
                    yield from self.prepare(item)

    def new_array(self, spec: Array) -> str:
        descr = self.object(np.dtype(spec.dtype))
        self.call("Py_IncRef", descr)  # the array takes it
        layout = [self.integers(spec.shape), "null" if spec.strides is None else self.integers(spec.strides)]
        return self.keep(
            self.call(
                "PyArray_NewFromDescr",
                self.object(np.ndarray),
                descr,
                str(len(spec.shape)),
                *layout,
                *("null", "0", "null"),
            )
        )

    def integers(self, values: tuple[int, ...]) -> str:
        """A constant array."""
        name = f"@integers.{'.'.join(map(str, values))}".replace("-", "m")
        self._declared[name] = (
            f"{name} = private constant [{len(values)} x i64] [{', '.join(f'i64 {value}' for value in values)}]"
        )
        return name

    def acquire(self, arena: int) -> tuple[str, str]:
        """The function's scratch block, or one of its own (then to be freed) if another call is using that."""
        self._declared["arena"] = "@arena = external global i8\n@busy = internal global i32 0"
        busy = self.value("atomicrmw xchg ptr @busy, i32 1 acquire")
        self.line(f"br i1 {self.equal('i32', busy, 0)}, label %ours, label %another")
        self.label("ours")
        self.line("br label %ready")
        self.label("another")
        block = self.call("PyMem_RawMalloc", str(arena + ALIGNMENT))
        self.line(f"br i1 {self.equal('ptr', block, 'null')}, label %memory, label %align")
        self.label("align")
        past = self.value(f"ptrtoint ptr {self.at(block, ALIGNMENT - 1)} to i64")
        aligned = self.value(f"inttoptr i64 {self.value(f'and i64 {past}, {-ALIGNMENT}')} to ptr")
        self.line("br label %ready")
        self.label("ready")
        scratch = self.value(f"phi ptr [ @arena, %ours ], [ {aligned}, %align ]")
        return scratch, self.value(f"phi ptr [ null, %ours ], [ {block}, %align ]")

    def release(self, block: str) -> None:
        self.line(f"br i1 {self.equal('ptr', block, 'null')}, label %idle, label %free")
        self.label("idle")
        self.line("store atomic i32 0, ptr @busy release, align 4")
        self.line("br label %released")
        self.label("free")
        self.call("PyMem_RawFree", block)
        self.line("br label %released")
        self.label("released")

    def report(self, failed: Callable[..., Any], arguments: int, keywords: int) -> None:
        """Hand the status and the arguments over."""
        status = self.call("PyLong_FromLongLong", self.value(f"sext i32 {self._status} to i64"))
        self.branch(self.value(f"icmp ne ptr {status}, null"), "error")
        passed = self.pointers([status, *(self.load("ptr", "%args", 8 * i) for i in range(arguments))])
        result = self.call("PyObject_Vectorcall", self.object(failed), passed, str(1 + arguments - keywords), "%names")
        self.call("Py_DecRef", status)
        self.line(f"ret ptr {result}")

    # The result

    def build(self, spec: Spec) -> str:
        """The slot of the object that is returned."""
        match spec:
            case Array():
                return self._results.pop(0)
            case Scalar(dtype):
                return self.keep(
                    self.call("PyArray_Scalar", self._results.pop(0), self.object(np.dtype(dtype)), "null")
                )
            case Number(kind):
                return self.keep(self.number(kind, self._results.pop(0)))
            case Constant(value):
                thing = self.object(value)
                self.call("Py_IncRef", thing)
                return self.keep(thing)
            case dict():
                made = self.keep(self.call("PyDict_New"))
                for name, item in spec.items():
                    part = self.build(item)
                    status = self.call(
                        "PyDict_SetItem", self.load("ptr", made), self.object(name), self.load("ptr", part)
                    )
                    self.branch(self.equal("i32", status, 0), "error")
                    self.call("Py_DecRef", self.move(part))  # the dict has a reference of its own
                return made
            case _:
                kind = "PyTuple" if isinstance(spec, tuple) else "PyList"
                made = self.keep(self.call(f"{kind}_New", str(len(spec))))
                for i, item in enumerate(spec):
                    part = self.move(self.build(item))
                    self.call(f"{kind}_SetItem", self.load("ptr", made), str(i), part)  # it takes the reference
                return made

    def number(self, kind: type, data: str) -> str:
        """A Python number of what the program wrote."""
        if kind is float:
            return self.call("PyFloat_FromDouble", self.load("double", data))
        if kind is complex:
            return self.call("PyComplex_FromDoubles", self.load("double", data), self.load("double", data, 8))
        if kind is int:
            return self.call("PyLong_FromLongLong", self.load("i64", data))
        truth = self.value(f"icmp ne i8 {self.load('i8', data)}, 0")
        chosen = self.value(f"select i1 {truth}, ptr {self.object(True)}, ptr {self.object(False)}")
        self.call("Py_IncRef", chosen)
        return chosen

    def keep(self, thing: str) -> str:
        """A slot for a new reference, which is dropped should anything fail before it is handed on."""
        room = self.slot("ptr")
        self._slots.append(f"  store ptr null, ptr {room}")
        self._made.append(room)
        self.line(f"store ptr {thing}, ptr {room}")
        self.branch(self.value(f"icmp ne ptr {thing}, null"), "error")
        return room

    def move(self, room: str) -> str:
        """The reference of a slot, which is empty from now on."""
        thing = self.load("ptr", room)
        self.line(f"store ptr null, ptr {room}")
        return thing

    def drop(self) -> None:
        """Give up every reference made so far."""
        for room in self._made:
            self.call("Py_DecRef", self.move(room))  # also of null

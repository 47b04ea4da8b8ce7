"""The builtin of a native function: exact checks, new outputs, no leaks, any thread."""

import ctypes
import gc
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dotbar.compiler import engine
from dotbar.compiler.wrapper import Array, Binding, Constant, Hidden, Number, Scalar, direct, enter, wrap

pytestmark = pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")

F8 = np.dtype(np.float64)
VECTOR = Array(F8, (4,))
X = np.array([1.0, 2.0, 3.0, 4.0])
KINDS = {"f8": "double", "f4": "float", "i8": "i64", "i4": "i32", "b1": "i8", "c16": "[2 x double]"}


@pytest.fixture(autouse=True, scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOTBAR_CACHE_DIR", str(tmp_path_factory.mktemp("objects")))
        yield


def copies(*elements, also=""):
    """A program whose i-th output is its i-th input; one (kind, number of elements) for each."""
    lines = []
    for i, (kind, size) in enumerate(elements):
        kind = f"[{size} x {KINDS[kind]}]"
        lines += [
            f"  %p{i} = getelementptr ptr, ptr %inputs, i64 {i}",
            f"  %q{i} = getelementptr ptr, ptr %outputs, i64 {i}",
            f"  %a{i} = load ptr, ptr %p{i}",
            f"  %b{i} = load ptr, ptr %q{i}",
            f"  %x{i} = load {kind}, ptr %a{i}, align 4",
            f"  store {kind} %x{i}, ptr %b{i}, align 4",
        ]
    return program("\n".join(lines), also=also)


def program(body, status="i32 0", also="", **symbols):
    text = f"{also}\ndefine i32 @program(ptr %inputs, ptr %outputs, ptr %arena) {{\n{body}\n  ret {status}\n}}\n"
    return engine.compile(text, symbols=symbols)


class Slow:
    """Remembers how it was called."""

    def __call__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs
        return "slow"


def copy_of(spec, kind="f8", size=4, **options):
    return wrap(copies((kind, size)), [spec], spec, Slow(), **options)


# What is taken


@pytest.mark.parametrize(
    ("spec", "kind", "size", "value"),
    [
        (VECTOR, "f8", 4, X),
        (Array(F8, ()), "f8", 1, np.array(2.5)),
        (Array(F8, (0, 3)), "f8", 0, np.zeros((0, 3))),
        (Array(np.dtype(np.float32), (2, 2)), "f4", 4, np.ones((2, 2), np.float32)),
        (Array(np.dtype(bool), (3,)), "b1", 3, np.array([True, False, True])),
        (Array(np.dtype(np.complex128), (2,)), "c16", 2, np.array([1 + 2j, 3 - 1j])),
        (Scalar(F8), "f8", 1, np.float64(1.5)),
        (Scalar(np.dtype(np.float32)), "f4", 1, np.float32(1.5)),
        (Scalar(np.dtype(np.int64)), "i8", 1, np.int64(-7)),
        (Scalar(np.dtype(bool)), "b1", 1, np.True_),
        (Scalar(np.dtype(np.complex128)), "c16", 1, np.complex128(1 - 2j)),
        (Number(float), "f8", 1, -0.0),
        (Number(complex), "c16", 1, 1 - 2j),
        (Number(int), "i8", 1, -(2**63)),
        (Number(bool), "b1", 1, True),
        (Number(bool), "b1", 1, False),
    ],
    ids=repr,
)
def test_a_value_goes_in_and_comes_out(spec, kind, size, value):
    result = copy_of(spec, kind, size)(value)
    assert type(result) is type(value)
    assert result is not value or isinstance(value, bool | np.bool_)
    assert repr(result) == repr(value)
    assert getattr(result, "dtype", None) == getattr(value, "dtype", None)


@pytest.mark.parametrize("layout", ["F", "permuted", "reversed", "strided"])
def test_layouts(layout):
    base = np.arange(24.0).reshape(2, 3, 4)
    x = {
        "F": np.asfortranarray(base),
        "permuted": base.transpose(1, 2, 0),
        "reversed": base[::-1],
        "strided": np.zeros((2, 6, 4))[:, ::2],
    }[layout]
    dense = layout in ("F", "permuted")
    output = Array(F8, x.shape, x.strides if dense else None)
    f = wrap(copies(("f8", 24)) if dense else copies(), [Array(F8, x.shape, x.strides)], output, Slow())
    y = f(x)
    assert y.shape == x.shape
    assert f(np.ascontiguousarray(x)) == "slow"
    if dense:
        assert y.strides == x.strides
        assert np.array_equal(x, y)


def test_strides_of_single_entries_mean_nothing():
    f = copy_of(Array(F8, (1, 4), (8, 8)))
    assert np.array_equal(f(np.ones((4, 4))[:1]), np.ones((1, 4)))


class Subclass(np.ndarray):
    pass


def unaligned():
    return np.frombuffer(bytearray(33), np.uint8)[1:].view(F8)


@pytest.mark.parametrize(
    "args",
    [
        (),
        (X, X),
        ([1.0, 2.0, 3.0, 4.0],),
        (None,),
        (X.astype(np.float32),),
        (X.astype(">f8"),),
        (X.astype(np.int64),),
        (X.astype(object),),
        (X[:3],),
        (X.reshape(2, 2),),
        (X.reshape(4, 1),),
        (np.zeros(8)[::2],),
        (X[::-1],),
        (X.view(Subclass),),
        (unaligned(),),
        (np.float64(1.0),),
    ],
    ids=lambda args: repr(args).replace("\n", ""),
)
def test_anything_else_goes_the_slow_way(args):
    slow = Slow()
    f = wrap(copies(("f8", 4)), [VECTOR], VECTOR, slow)
    assert f(*args) == "slow"
    assert len(slow.args) == len(args)
    assert all(a is b for a, b in zip(slow.args, args))


def test_keywords_go_the_slow_way():
    slow = Slow()
    f = wrap(copies(("f8", 4)), [VECTOR], VECTOR, slow)
    assert f(X, y=X) == f(x=X) == "slow"
    assert slow.args == ()
    assert slow.kwargs["x"] is X


def test_keywords_that_are_expected():
    reported = []
    slow, numbers = Slow(), [Number(float)] * 3
    f = wrap(copies(("f8", 1), ("f8", 1), ("f8", 1)), numbers, tuple(numbers), slow, keywords=("b", "c"))
    assert f(1.0, b=2.0, c=3.0) == (1.0, 2.0, 3.0)
    assert f(1.0, **{"".join("b"): 2.0, "c": 3.0}) == (1.0, 2.0, 3.0)
    assert f(1.0, 2.0, 3.0) == f(1.0, 2.0, c=3.0) == f(1.0, c=2.0, b=3.0) == f(1.0, b=2.0, d=3.0) == "slow"
    assert slow.kwargs == {"b": 2.0, "d": 3.0}

    def failed(status, *args, **kwargs):
        reported.append((status, args, kwargs))

    wrap(program("", status="i32 2"), numbers, numbers[0], slow, failed, keywords=("b", "c"))(1.0, b=2.0, c=3.0)
    assert reported == [(2, (1.0,), {"b": 2.0, "c": 3.0})]


def test_arguments_that_are_fixed():
    thing = object()
    f = wrap(copies(("f8", 4)), [Constant("mode"), VECTOR, (Constant(None), Constant(thing))], VECTOR, Slow())
    assert f("mode", X, (None, thing)).tolist() == X.tolist()
    assert f("edom"[::-1], X, (None, thing)) == f("mode", X, (None, object())) == f("mode", X, (0, thing)) == "slow"


def test_arrays_that_are_written_to():
    body = """
  %a = load ptr, ptr %inputs
  store double 7.0, ptr %a"""
    f = wrap(program(body), [Array(F8, (4,), writable=True)], Constant(None), Slow())
    x = X.copy()
    assert f(x) is None
    assert x.tolist() == [7, 2, 3, 4]
    x.flags.writeable = False
    assert f(x) == "slow"


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        (Number(int), 2**63),
        (Number(int), True),
        (Number(int), 1.0),
        (Number(int), np.int64(1)),
        (Number(bool), 1),
        (Number(bool), np.True_),
        (Number(float), np.float64(1.0)),
        (Number(float), 1),
        (Scalar(F8), 1.0),
        (Scalar(F8), np.float32(1.0)),
        (Scalar(F8), np.array(1.0)),
        (Array(F8, ()), 1.0),
    ],
    ids=repr,
)
def test_types_of_numbers_are_exact(spec, value):
    assert copy_of(spec, "i8", 1)(value) == "slow"


def test_errors_of_the_slow_way_pass_through():
    def slow(*args):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        wrap(copies(("f8", 4)), [VECTOR], VECTOR, slow)()


# Containers


def test_nested_containers():
    spec = (VECTOR, [Number(float), {"a": VECTOR, "b": (Scalar(F8),)}], ())
    f = wrap(copies(("f8", 4), ("f8", 1), ("f8", 4), ("f8", 1)), [spec], spec, Slow())
    given = (X, [0.5, {"a": 2 * X, "b": (np.float64(3.0),)}], ())
    result = f(given)
    assert repr(result) == repr(given)
    assert f((X, [0.5, {"b": (np.float64(3.0),), "a": 2 * X}], ())) == "slow"
    for other in (
        [X, given[1], ()],
        (X, given[1]),
        (X, given[1], (), ()),
        (X, tuple(given[1]), ()),
        (X, [0.5], ()),
        (X, [0.5, {"a": X}], ()),
        (X, [0.5, {"a": X, "c": (np.float64(3.0),)}], ()),
        (X, [0.5, {"a": X, "b": (3.0,)}], ()),
        (X, [0.5, {"a": X, "b": (np.float64(3.0),), "c": X}], ()),
    ):
        assert f(other) == "slow"


def test_constants_are_returned():
    thing = object()
    f = wrap(copies(("f8", 4)), [VECTOR], (Constant(None), VECTOR, {"aux": Constant(thing)}), Slow())
    nothing, y, rest = f(X)
    assert nothing is None
    assert rest["aux"] is thing
    assert np.array_equal(y, X)


# Hidden inputs


def test_hidden_arrays_are_read_anew():
    closed_over = np.ones(4)
    f = wrap(copies(("f8", 4), ("f8", 4)), [VECTOR], (VECTOR, VECTOR), Slow(), hidden=[Hidden(closed_over, VECTOR)])
    assert f(X)[1].tolist() == [1, 1, 1, 1]
    closed_over *= 3
    assert f(X)[1].tolist() == [3, 3, 3, 3]
    closed_over.resize(8, refcheck=False)
    assert f(X) == "slow"
    closed_over.resize(4, refcheck=False)
    assert f(X)[1].tolist() == [3, 3, 3, 3]


def test_bindings_are_noticed():
    a, b = np.ones(4), np.zeros(4)
    scale, names = a, {"shift": b}

    def function():
        return scale

    (cell,) = function.__closure__
    f = wrap(copies(("f8", 4)), [VECTOR], VECTOR, Slow(), bindings=[Binding(a, cell), Binding(b, names, "shift")])
    assert f(X).tolist() == X.tolist()
    scale = a.copy()
    assert f(X) == "slow"
    scale = a
    assert f(X).tolist() == X.tolist()
    names["shift"] = 1.0
    assert f(X) == "slow"
    del names["shift"]
    assert f(X) == "slow"
    names["shift"] = b
    assert f(X).tolist() == X.tolist()
    del cell.cell_contents
    assert f(X) == "slow"


def test_bindings_of_what_is_missing():
    names = {}
    f = wrap(copies(("f8", 4)), [VECTOR], VECTOR, Slow(), bindings=[Binding(None, names, "later", missing=True)])
    assert f(X).tolist() == X.tolist()
    names["later"] = None
    assert f(X) == "slow"


def test_bindings_of_a_functions_defaults():
    def function(x=1, *, y=2):
        return x, y

    names = ("__defaults__", "__kwdefaults__")
    given = [getattr(function, name) for name in names]
    for values in (given, (None, None)):
        function.__defaults__, function.__kwdefaults__ = values
        bindings = [Binding(value, function, name, missing=value is None) for name, value in zip(names, values)]
        f = wrap(copies(("f8", 4)), [VECTOR], VECTOR, Slow(), bindings=bindings)
        assert f(X).tolist() == X.tolist()
        for name, value in zip(names, values):
            setattr(function, name, (3,) if name == "__defaults__" else {"y": 3})
            assert f(X) == "slow"
            setattr(function, name, value)
            assert f(X).tolist() == X.tolist()


# Failure


def test_a_status_is_reported():
    calls = []

    def failed(status, *args):
        calls.append((status, args))
        return "failed"

    code = program("", status="i32 7")
    f = wrap(code, [VECTOR, Number(float)], (VECTOR, VECTOR), Slow(), failed, arena=64)
    for _ in range(3):
        assert f(X, 2.0) == "failed"
    assert [status for status, _ in calls] == [7] * 3
    assert calls[0][1][0] is X
    assert calls[0][1][1] == 2.0
    assert wrap(code, [VECTOR], VECTOR, Slow())(X) == "slow"


def test_outputs_too_large_to_make():
    f = wrap(copies(), [VECTOR], (VECTOR, Array(F8, (2**56,))), Slow())
    for _ in range(3):
        with pytest.raises(MemoryError):
            f(X)


# The scratch block


def test_the_scratch_block_is_taken_by_one_call_at_a_time():
    """A program that calls back: the calls within have blocks of their own, aligned all the same."""
    seen = []

    def call_back(arena):
        seen.append(arena)
        if len(seen) % 3:
            f(X)

    pointer = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(call_back)
    code = program(
        "  call void @back(ptr %arena)",
        also="declare void @back(ptr)",
        back=ctypes.cast(pointer, ctypes.c_void_p).value,
    )
    f = wrap(code, [VECTOR], VECTOR, Slow(), arena=1000)
    for _ in range(2):
        f(X)
    assert len(set(seen[:3])) == 3
    assert seen[3] == seen[0]
    assert all(address % 64 == 0 for address in seen)


def test_there_is_no_block_without_need():
    seen = []
    pointer = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(seen.append)
    code = program(
        "  call void @back(ptr %arena)",
        also="declare void @back(ptr)",
        back=ctypes.cast(pointer, ctypes.c_void_p).value,
    )
    wrap(code, [VECTOR], VECTOR, Slow())(X)
    assert seen == [None]


# Instances called directly


class Function:
    def __init__(self):
        self.calls = []

    def __call__(self, *args, **kwargs):
        self.calls.append((args, kwargs))
        return "python"


class Slotted(Function):
    __slots__ = ("more",)


Direct = direct(Function)


@pytest.mark.parametrize("base", [Function, Slotted])
def test_an_instance_enters_native_code(base):
    made = direct(base)
    f = made()
    assert isinstance(f, base)
    assert (made.__name__, made.__module__) == (base.__name__, __name__)
    assert f(X) == "python"
    enter(f, wrap(copies(("f8", 4)), [VECTOR], VECTOR, f.__call__))
    assert f(X).tolist() == f(*[X]).tolist() == next(map(f, [X])).tolist() == X.tolist()
    assert f(X, X) == f(y=X) == f() == "python"
    assert [(len(args), list(kwargs)) for args, kwargs in f.calls] == [(1, []), (2, []), (0, ["y"]), (0, [])]
    f.mine = f.more = 3
    assert f.mine == f.more == 3
    assert "calls" in vars(f)


def test_an_instance_of_a_subclass():
    class Larger(Direct):
        __slots__ = ("a", "b")

    f = Larger()
    f.a, f.b = 1, 2
    enter(f, wrap(copies(("f8", 4)), [VECTOR], VECTOR, lambda *args: Function.__call__(f, *args)))
    assert f(None) == "python"
    assert (f.a, f.b, f.__class__) == (1, 2, Larger)


def test_instances_leak_nothing():
    builtin = wrap(copies(("f8", 4)), [VECTOR], VECTOR, Slow())

    def makes(n):
        for _ in range(n):
            f = Direct()
            enter(f, builtin)
            enter(f, builtin)
            f(X)

    makes(10)
    before = references(builtin, Direct, X)
    makes(1000)
    assert references(builtin, Direct, X) == before


def test_a_slow_way_may_enter_another():
    """While a native call hands over, its place is taken; it returns to code that is still there."""
    f = Direct()

    def variant(size):
        spec = Array(F8, (size,))

        def slow(*args):
            enter(f, variant(args[0].size))
            gc.collect()
            return f(*args)

        return wrap(copies(("f8", size)), [spec], spec, slow)

    enter(f, variant(1))
    for size in (2, 3, 2, 5):
        assert f(np.arange(size)[:] * 1.0).tolist() == list(range(size))


def test_instances_in_cycles_are_collected():
    gone = []
    for _ in range(100):
        f = Direct()
        f.itself = f
        enter(f, wrap(copies(("f8", 4)), [VECTOR], VECTOR, f.__call__))
        f(X)
        gone.append(weakref.ref(f))
    del f
    gc.collect()
    assert not any(reference() for reference in gone)


# Lifetimes

SPEC = (VECTOR, [Number(float), Number(int), Number(bool)], {"a": Scalar(F8), "b": VECTOR}, Constant(None))
NUMBERS = [0.5, 12345678, True]


def busy_function(long, also=""):
    """A builtin with every kind of check and result, and what it is called with."""
    closed_over = np.ones(4)
    names = {"c": closed_over}
    code = copies(("f8", 4), ("f8", 1), ("i8", 1), ("b1", 1), ("f8", 1), ("f8", 4), also=also)
    f = wrap(
        code,
        [*SPEC[:3]],
        SPEC,
        lambda *args: None,
        hidden=[Hidden(closed_over, VECTOR)],
        bindings=[Binding(closed_over, names, "c")],
        arena=256,
        long=long,
    )
    return f, (X, NUMBERS, {"a": np.float64(2.0), "b": np.ones(4)})


def references(*things):
    return [sys.getrefcount(thing) for thing in things]


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.parametrize("long", [False, True])
def test_calls_leak_nothing(long):
    f, args = busy_function(long)
    fail = wrap(program("", status="i32 1"), [VECTOR], (VECTOR, Scalar(F8)), Slow(), lambda status, x: None, arena=64)
    too_large = wrap(copies(), [VECTOR], (VECTOR, Array(F8, (2**56,))), Slow())
    slow = wrap(copies(), [VECTOR], VECTOR, lambda *args: None)
    watched = [X, *NUMBERS, args, args[2]["a"], args[2]["b"], F8, np.ndarray, np.float64, None, True, False, f, "a"]

    def calls(n):
        for _ in range(n):
            f(*args)
            fail(X)
            slow(1)
        for _ in range(n // 100):
            with pytest.raises(MemoryError):
                too_large(X)

    calls(2000)
    gc.collect()
    before = references(*watched)
    memory = resident() if sys.platform == "linux" else 0
    calls(100_000)
    gc.collect()
    after = references(*watched)
    assert all(abs(a - b) < 50 for a, b in zip(before, after)), list(zip(before, after))
    assert sys.platform != "linux" or resident() - memory < 2**21


def test_results_are_owned_by_the_caller():
    f, args = busy_function(False)
    results = [f(*args) for _ in range(5)]
    assert [sys.getrefcount(r) for r in results] == [sys.getrefcount(r) for r in [object() for _ in results]]
    assert all(r[0].flags.owndata and r[0].flags.writeable for r in results)
    addresses = {r[0].ctypes.data for r in results} | {r[2]["b"].ctypes.data for r in results}
    assert len(addresses) == 10
    assert gc.is_tracked(results[0])


def test_a_builtin_in_a_cycle_is_collected():
    class Owner:
        pass

    owner = Owner()
    owner.call = wrap(copies(("f8", 4)), [VECTOR], VECTOR, lambda *args, owner=owner: None)
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None


def test_a_builtin_needs_nobody_else():
    f = wrap(copies(("f8", 4)), [VECTOR], VECTOR, Slow(), name="mine")
    gc.collect()
    assert f(X).tolist() == X.tolist()
    assert f(None) == "slow"
    assert f.__name__ == "mine"


@pytest.mark.parametrize("long", [False, True])
def test_threads(long):
    """Each thread reads its own numbers back through the scratch block, while others use theirs."""
    body = """
  %a = load ptr, ptr %inputs
  %b = load ptr, ptr %outputs
  br label %in
in:
  %i = phi i64 [ 0, %0 ], [ %i1, %in ]
  %s = getelementptr double, ptr %a, i64 %i
  %t = getelementptr double, ptr %arena, i64 %i
  %x = load double, ptr %s
  store volatile double %x, ptr %t
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, 512
  br i1 %more, label %in, label %out
out:
  %j = phi i64 [ 0, %in ], [ %j1, %out ]
  %u = getelementptr double, ptr %arena, i64 %j
  %v = getelementptr double, ptr %b, i64 %j
  %y = load volatile double, ptr %u
  store double %y, ptr %v
  %j1 = add i64 %j, 1
  %again = icmp slt i64 %j1, 512
  br i1 %again, label %out, label %end
end:"""
    spec = Array(F8, (512,))
    f = wrap(program(body), [{"x": spec}], spec, Slow(), arena=8 * 512, long=long)
    wrong = []

    def hammer(seed):
        x = np.full(512, float(seed))
        for _ in range(2000):
            if not np.array_equal(f({"x": x}), x):
                wrong.append(seed)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hammer, range(8)))
    assert not wrong


def test_the_text_holds_no_address(monkeypatch):
    """Two wrappers of the same signature share the object on disk."""
    texts = []
    compile = engine.compile
    monkeypatch.setattr(engine, "compile", lambda text, **options: texts.append(text) or compile(text, **options))
    code = copies(("f8", 4))
    texts.clear()
    for _ in range(2):
        wrap(code, [VECTOR], VECTOR, Slow(), hidden=[Hidden(np.ones(4), VECTOR)], arena=10)
    assert texts[0] == texts[1]


MEETING = """
@inside = global i32 0
define i32 @program(ptr %inputs, ptr %outputs, ptr %arena) {
  %a = load ptr, ptr %inputs
  %b = load ptr, ptr %outputs
  %x = load double, ptr %a
  store volatile double %x, ptr %arena
  %before = atomicrmw add ptr @inside, i32 1 seq_cst
  br label %wait
wait:
  %i = phi i64 [ 0, %0 ], [ %next, %wait ]
  %now = load atomic i32, ptr @inside seq_cst, align 4
  %met = icmp sge i32 %now, 2
  %next = add i64 %i, 1
  %given_up = icmp sgt i64 %next, 10000000000
  %done = or i1 %met, %given_up
  br i1 %done, label %end, label %wait
end:
  %y = load volatile double, ptr %arena
  store double %y, ptr %b
  %status = zext i1 %given_up to i32
  ret i32 %status
}
"""


def test_two_calls_run_at_the_same_time_while_a_third_thread_compiles():
    """The two wait for each other inside native code, each with a scratch block of its own."""
    compiled = []
    for k in range(20):
        code = engine.compile(f"; the {k}-th\n{MEETING}")
        f = wrap(code, [Number(float)], Number(float), lambda *args: "they did not meet", arena=64, long=True)
        got = {}
        threads = [threading.Thread(target=lambda x=x, f=f, got=got: got.update({x: f(x)})) for x in (1.0, 2.0)]
        threads.append(threading.Thread(target=lambda k=k: compiled.append(busy_function(True, f"; the {k}-th"))))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == {1.0: 1.0, 2.0: 2.0}
    assert all(f(*args)[0].tolist() == X.tolist() for f, args in compiled)

"""The short way into compiled functions: it is taken, what it relies on is checked, and it leaks nothing."""

import gc
import sys
import types
import weakref
from typing import NamedTuple

import numpy as np
import pytest

from dotbar import elementwise_grad, jit, value_and_grad
from dotbar.jit import Jitted

A = np.array([1.0, 2.5, 3.0, 4.0])


def warm(f, *args, **kwargs):
    """A compiled function that native code answers for these arguments."""
    compiled = jit(f)
    for _ in range(3):
        compiled(*args, **kwargs)
    assert compiled._entrances
    return compiled


def same(a, b):
    """Whether two results are of the same types and values throughout."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    return a is None or (np.shape(a) == np.shape(b) and np.array_equal(a, b))


class Pair(NamedTuple):
    x: object
    y: object


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * 2,
        lambda x: (x * 2, [x + 1, {"a": x.sum(), "b": None}], ()),
        lambda x: {"number": float(x[0] * 0) + 1, "text": "text", "constant": np.arange(3.0), "bool": x.sum() > 1},
        lambda x: (np.sum(x, keepdims=True), x.sum(), x[0:1].reshape(()), x[0], np.zeros_like(x[0])),
        lambda x: (x, x, x[1:], x.T, np.argmax(x * 2) if False else 3),
        lambda x: (np.float32(2) * x.astype(np.float32), (x > 2), (x > 2).sum(), x.astype(int)),
        lambda x: Pair(x * 2, x.sum()),
    ],
)
def test_results_have_the_types_of_eager_mode(f):
    compiled = jit(f)
    for _ in range(4):
        assert same(compiled(A), f(A))
        compiled(A)  # whose results may be changed
    assert bool(compiled._entrances) == (type(f(A)) is not Pair)


def test_results_are_the_callers_own():
    f = warm(lambda x: (x, x, np.ones(2), x[1:]), A)
    for y in f(A):
        y[...] = 9
    assert same(f(A), (A, A, np.ones(2), A[1:]))


def module(text):
    """A function of its own globals."""
    made = types.ModuleType("made")
    exec(text, vars(made))
    return made


SOURCE = """
import numpy as np
K = np.ones(4)
scale, shift = 2.0, None

def f(x, c=np.arange(4.0), *, factor=1.0):
    y = np.sin(K) * x * scale * factor + c
    return y if shift is None else y + shift
"""


CHANGES = {
    "in place": lambda m: m.K.__setitem__(1, 7.0),
    "another array": lambda m: setattr(m, "K", np.full(4, 3.0)),
    "another shape": lambda m: setattr(m, "K", np.ones(1)),
    "another dtype": lambda m: setattr(m, "K", np.ones(4, np.float32)),
    "another layout": lambda m: setattr(m, "K", np.arange(8.0)[::2]),
    "a number": lambda m: setattr(m, "scale", 3.0),
    "an array for a number": lambda m: setattr(m, "scale", A),
    "None": lambda m: setattr(m, "shift", A),
    "a module": lambda m: setattr(m, "np", types.SimpleNamespace(sin=np.cos)),
    "defaults": lambda m: setattr(m.f, "__defaults__", (np.ones(4),)),
    "a default in place": lambda m: m.f.__defaults__[0].__iadd__(1),
    "a keyword's default": lambda m: m.f.__kwdefaults__.update(factor=5.0),
    "keywords' defaults": lambda m: setattr(m.f, "__kwdefaults__", {"factor": A}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("transform", [lambda f: f, elementwise_grad], ids=["f", "gradient"])
def test_what_a_function_uses_is_read_anew(change, transform):
    m = module(SOURCE)
    want, f = transform(m.f), warm(transform(m.f), A)
    for _ in range(3):
        assert np.allclose(f(A), want(A), 1e-6)
    change(m)
    for _ in range(3):
        assert np.allclose(f(A), want(A), 1e-6)


def test_names_that_come_and_go():
    m = module("def f(x):\n    return x * len(x)")
    f = warm(m.f, A)
    m.len = lambda x: 7.0
    assert same(f(A), A * 7)
    del m.len
    assert same(f(A), A * 4)


def test_a_closure_that_comes_and_goes():
    def made(K):
        def forget():
            nonlocal K
            del K

        return (lambda x: x * K), forget

    f, forget = made(A)
    f = warm(f, A)
    forget()
    with pytest.raises(NameError):
        f(A)


def test_other_kinds_of_arguments_take_the_long_way():
    f = lambda x, y=1.0: x * 2 + y
    compiled = warm(f, A)

    class Own(np.ndarray):
        pass

    swapped = A.astype(">f8")
    unaligned = np.zeros(33, np.uint8)[1:].view(float)
    unaligned[:] = A
    for x in (
        A[::-1],
        A[::2],
        A[:0],
        A.astype(np.float32),
        A.view(Own),
        swapped,
        unaligned,
        3,
        3.0,
        A[0],
        A > 2,
    ):
        for _ in range(3):
            assert np.array_equal(compiled(x), f(x))
            assert same(compiled(A), f(A))
    for _ in range(3):
        assert same(compiled(A, y=A), f(A, y=A))
        assert same(compiled(y=A, x=1.0), f(y=A, x=1.0))
    with pytest.raises(TypeError):
        compiled()
    with pytest.raises(TypeError):
        compiled(A, z=1)


def test_the_order_of_a_dict_counts():
    f = lambda p: (list(p), list(p.values()))
    compiled = warm(f, {"a": A, "b": 1.0})
    for p in ({"b": 1.0, "a": A}, {"a": A, "b": 2.0}, {"".join("a"): A, 7: 1.0}, {"a": A}, {"b": 1.0, "a": A}):
        for _ in range(3):
            assert same(compiled(p), f(p))


def test_many_shapes():
    compiled = jit(lambda x: np.sum(x * x))
    for _ in range(3):
        for n in range(40):
            assert compiled(np.ones(n)) == n


def test_ways_through_a_function_take_turns():
    f = lambda x: x * 2 if x[0] > 0 else -x
    compiled = jit(f)
    for _ in range(3):
        for x in (A, -A):
            assert same(compiled(x), f(x))
    assert len(compiled._entrances) == 2


def test_what_calls_back_is_entered_as_well():
    shift = np.ones(2)

    def f(pair, scale=1.0):
        x = pair["x"]
        if x[0, 0] > 10:
            return -np.linalg.eigvals(x)
        return np.linalg.eigvals(x) * scale + shift

    x = np.diag([1.0, 2.0])
    compiled = warm(f, {"x": x}, scale=3.0)
    calls, compiled._call = [], lambda *args, **kwargs: calls.append(1) or Jitted._run(compiled, *args, **kwargs)
    for _ in range(3):
        assert same(compiled({"x": x}, scale=3.0), f({"x": x}, scale=3.0))
    shift[1] = 5.0  # seen, as the array is the same
    assert same(compiled({"x": x}, scale=2.0), f({"x": x}, scale=2.0))
    assert not calls
    for other in ({"x": x + 20}, {"x": np.eye(3)[:2, :2]}, {"x": x.astype(np.float32)}, {"x": x}):
        for scale in (3.0, 2):
            assert same(compiled(other, scale=scale), f(other, scale=scale))
    shift = np.zeros(2)
    assert same(compiled({"x": x}, scale=3.0), f({"x": x}, scale=3.0))
    with pytest.raises(np.linalg.LinAlgError):
        compiled({"x": x * np.nan}, scale=3.0)


def test_static_arguments():
    f = lambda x, n, how: getattr(np, how)(x) * n
    compiled = jit(f, static_argnums=1, static_argnames="how")
    for _ in range(3):
        for n in (2, 3.5):
            assert same(compiled(A, n, how="sum"), f(A, n, "sum"))


def test_errors_come_from_numpy():
    f = lambda x, y: x + y
    compiled = warm(f, A, A)
    with pytest.raises(ValueError, match="could not be broadcast"):
        compiled(A, np.ones(3))


def test_a_function_is_freed_with_all_it_made():
    compiled = warm(value_and_grad(lambda x: np.sum(np.sin(x))), A)
    gone = weakref.ref(compiled)
    del compiled
    gc.collect()
    assert gone() is None


def test_calls_leak_nothing():
    K = np.ones(4)
    f = warm(lambda x, p: {"y": (x * p["s"] + K, x.sum()), "constant": np.ones(2)}, A, {"s": 2.0})
    p = {"s": 2.0}
    held = [A, K, A.dtype, p, None, np.float64]
    counts = list(map(sys.getrefcount, held))
    for _ in range(10_000):
        f(A, p)
        f(A[::-1], p)
    after = list(map(sys.getrefcount, held))
    assert all(abs(b - a) < 100 for a, b in zip(counts, after))

"""Native loops compute what the Program computes through NumPy."""

import ctypes
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import dotbar.compiler.run  # noqa: F401  it enters what is called
from dotbar import grad, value_and_grad
from dotbar.compiler import bands, engine
from dotbar.compiler.loops import native, supported
from dotbar.compiler.lowering import CALLS, Result, UnsupportedError
from dotbar.core import Rule, dtype_of, shape_of
from dotbar.program import Equation, Program, Var
from dotbar.trace import Recording


def leaves(y):
    return [v for x in y for v in leaves(x)] if isinstance(y, (tuple, list)) else [y]


def record(f, *args):
    with Recording() as recording:
        y = f(*map(recording.input, args))
    recording.program.outputs = [recording.operand(v) for v in leaves(y)]
    return recording.program.validate()


def pointers(xs):
    return (ctypes.c_void_p * max(len(xs), 1))(*(x.ctypes.data for x in xs))


def run(program: Program, *args):
    """The status and the outputs of the native function; what lies around outputs and arena must stay as it is."""
    function = native(program)
    code = engine.compile(function.text, symbols=function.symbols)
    call = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 3)(code.address("program"))
    inputs = [np.ascontiguousarray(a, x.dtype).reshape(x.shape) for a, x in zip(args, program.inputs, strict=True)]
    before = [x.copy() for x in inputs]
    sizes = [dtype_of(x).itemsize * prod(shape_of(x)) for x in program.outputs]
    fences = [np.full(size + 64, 77, np.uint8) for size in sizes]
    arena = np.full(function.arena + 192, 77, np.uint8)
    start = -(-(arena.ctypes.data + 64) // 64) * 64
    status = call(pointers([*inputs, *function.constants]), pointers(fences), start)
    for x, y in zip(inputs, before):
        assert_array_equal(x, y)
    used = slice(start - arena.ctypes.data, start - arena.ctypes.data + function.arena)
    assert (np.delete(arena, used) == 77).all()
    outputs = []
    for fence, x in zip(fences, program.outputs):
        assert (fence[-64:] == 77).all()
        outputs.append(fence[:-64].view(dtype_of(x)).reshape(shape_of(x)))
    return status, outputs


def agree(f, *args, ulp=0.0):
    with np.errstate(all="ignore"):
        program = record(f, *args)
        assert all(map(supported, program.equations)), program
        wanted = program.run(*args)
    status, found = run(program, *args)
    assert status == 0
    for y, z in zip(found, wanted, strict=True):
        assert y.dtype == np.asarray(z).dtype
        if ulp and y.dtype.kind in "fc":
            scale = np.finfo(y.dtype).eps * ulp
            assert_allclose(y, z, rtol=scale, atol=scale * np.max(np.abs(z), initial=0, where=np.isfinite(z)))
        else:
            assert_array_equal(y, z)


X = np.linspace(-2.3, 3.1, 23)
A = np.sin(np.arange(35.0)).reshape(5, 7) * 3
SPECIAL = np.array([0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 1e300, -1e-310, 0.5, 2.5, -3.5])
PAIRS = (np.repeat(SPECIAL, len(SPECIAL)), np.tile(SPECIAL, len(SPECIAL)))
WHOLE = np.array([0, 1, -1, 7, -9, 2**40, -(2**62), 3])

EXACT_OF_ONE = (
    *(np.negative, np.positive, np.square, np.sqrt, np.absolute, np.fabs, np.sign, np.floor, np.ceil, np.trunc),
    *(np.rint, np.isnan, np.isinf, np.isfinite, np.signbit, np.logical_not, np.reciprocal, np.deg2rad, np.rad2deg),
)
EXACT_OF_TWO = (
    *(np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.fmax, np.fmin, np.copysign, np.fmod),
    *(np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.heaviside, np.remainder),
    *(np.logical_and, np.logical_or, np.logical_xor, np.floor_divide),
)
ROUNDED = (
    *(np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sin, np.cos, np.tan, np.arcsin, np.arccos),
    *(np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh, np.arccosh, np.arctanh, np.cbrt),
)


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize("dtype", [float, np.float32])
class TestEntries:
    @pytest.mark.parametrize("fn", EXACT_OF_ONE, ids=lambda fn: fn.__name__)
    def test_exact_of_one(self, fn, dtype):
        agree(fn, np.tile(SPECIAL, 3).astype(dtype))

    @pytest.mark.parametrize("fn", EXACT_OF_TWO, ids=lambda fn: fn.__name__)
    def test_exact_of_two(self, fn, dtype):
        agree(fn, *(x.astype(dtype) for x in PAIRS))

    @pytest.mark.parametrize("fn", ROUNDED, ids=lambda fn: fn.__name__)
    def test_rounded(self, fn, dtype):
        for x in (np.abs(X), 0.3 * X, X[:1].astype(dtype)[0]):
            agree(fn, np.asarray(x, dtype)[()], ulp=4)

    @pytest.mark.parametrize("fn", [np.power, np.arctan2, np.hypot, np.logaddexp], ids=lambda fn: fn.__name__)
    def test_rounded_of_two(self, fn, dtype):
        agree(fn, np.abs(X).astype(dtype), X[::-1].astype(dtype), ulp=4)


WHOLE_NUMBERS = [np.int64, np.int32, np.int8, np.uint8, np.uint64]
OF_WHOLE_NUMBERS = (
    *(np.add, np.subtract, np.multiply, np.maximum, np.minimum, np.less, np.greater_equal, np.equal, np.floor_divide),
    *(np.bitwise_and, np.bitwise_xor, np.remainder, np.divide),
)


@pytest.mark.parametrize("dtype", WHOLE_NUMBERS)
@pytest.mark.parametrize("fn", OF_WHOLE_NUMBERS, ids=lambda fn: fn.__name__)
def test_integers(fn, dtype):
    x, y = (x.ravel().astype(dtype) for x in np.meshgrid(WHOLE, WHOLE))
    agree(fn, x, y)
    agree(lambda x: (np.sum(x), np.max(x), -x, np.absolute(x), fn(x, 3)), x)


@pytest.mark.parametrize("given", [float, np.float32, bool, *WHOLE_NUMBERS])
@pytest.mark.parametrize("wanted", [float, np.float32, bool, *WHOLE_NUMBERS])
def test_casts(given, wanted):
    x = np.abs(X) if np.dtype(wanted).kind == "u" else X
    agree(lambda x: x.astype(wanted), (3 * x).astype(given))


PROGRAMS = {
    "chain": lambda x: np.sum(np.exp(np.sin(x * x) * np.log(x * x))),
    "softmax": lambda x: np.sum(np.exp(x - np.max(x)) / np.sum(np.exp(x - np.max(x))) * x),
    "neighbours": lambda x: np.sum(x[1:] * x[:-1]) + x[2] ** 2,
    "masked": lambda x: np.sum(np.where(x > 0.5, np.log(x), x[::-1])),
    "pairs": lambda x: np.sum((x[:, None] - x[None, :]) ** 2),
    "matrix": lambda x: np.sum(np.mean(x[:21].reshape(7, 3).T * x[:7], axis=1) ** 2),
    "variance": lambda x: np.mean((x - np.mean(x)) ** 2),
    "number": lambda x: x[3] * np.sin(x[5]),
    "tanh": lambda x: np.sum(np.tanh(x) + 1 / np.cosh(x) ** 2),
}


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_value_and_gradient(name):
    agree(value_and_grad(PROGRAMS[name]), np.abs(X) + 0.1, ulp=30)


def test_of_a_number():
    agree(value_and_grad(lambda x: np.exp(np.sin(x * x) * np.log(x * x))), 0.3, ulp=4)


def test_float32():
    agree(value_and_grad(PROGRAMS["chain"]), np.abs(X).astype(np.float32) + np.float32(0.1), ulp=30)


def assigned(x):
    y = np.zeros(23, like=x)
    y[1:] = x[1:] * 2
    y[0] = x[3]
    y[2:5] += y[5:8]
    return y


def swapped(x):
    x[:11], x[12:] = x[12:] + 0, x[:11] + 0
    return x


def shifted(x):
    x = x + 1
    x[1:] = x[:-1]
    return x, x[::2] * 2


def old_and_new(x):
    y = x * 2
    z = y.copy()
    y[3:5] = 7
    return y - z, y


@pytest.mark.parametrize("f", [assigned, swapped, shifted, old_and_new], ids=lambda f: f.__name__)
def test_assignment(f):
    agree(f, X)
    agree(value_and_grad(lambda x: sum(np.sum(y * y) for y in leaves(f(x)))), X, ulp=9)


REDUCTIONS = [np.sum, np.mean, np.prod, np.max, np.min, np.any, np.all]


@pytest.mark.parametrize("shape", [(1,), (7,), (8,), (64,), (1000,), (5, 7), (3, 1, 9), (4, 3, 2), (2, 3, 4, 5)])
@pytest.mark.parametrize("fn", REDUCTIONS, ids=lambda fn: fn.__name__)
def test_reductions(fn, shape):
    x = np.cos(np.arange(np.prod(shape))).reshape(shape)
    for dtype in (float, np.float32, np.int64, bool):
        y = (3 * x).astype(dtype)
        if fn is np.prod and dtype is bool:
            continue
        for axis in (None, *range(len(shape)), (0, -1) if len(shape) > 1 else (0,)):
            agree(lambda v, axis=axis: fn(v, axis=axis), y, ulp=40)
        agree(lambda v: fn(v, axis=-1, keepdims=True), y, ulp=40)


def test_reductions_of_short_rows():
    x = np.cos(np.arange(600.0)).reshape(200, 3)
    agree(lambda x, b: np.max(x + b, axis=1), x, np.arange(3.0))
    agree(lambda x, b: np.sum(x * b, axis=1), x, np.arange(200.0)[:, None], ulp=40)


FEW = {
    "distances": lambda x, y: np.sum((x[:, None] - x[None]) ** 2, -1) * 2,
    "first": lambda x, y: np.max(x[:5, :1, None] * y[None, :, :, None].reshape(1, 1, 36) + 1, 0),
    "middle": lambda x, y: np.prod((x[:, :, None] - 1) * y[None, :4], 1),
    "two axes": lambda x, y: np.sum(np.broadcast_to(x[:, None, :, None], (40, 9, 4, 2)) * 2 + y[:9, :, None], (1, 3)),
    "vector": lambda x, y: np.min(x + y[0], 1) + np.any(x > y[1], 1),
}


@pytest.mark.parametrize("name", FEW)
def test_reductions_of_few_entries(name):
    x, y = np.sin(np.arange(160.0)).reshape(40, 4), np.cos(np.arange(36.0)).reshape(9, 4)
    agree(FEW[name], x, y, ulp=9)
    agree(lambda x, y: grad(lambda x: np.sum(FEW[name](x, y) ** 2))(x), x, y, ulp=99)


@pytest.mark.parametrize("fn", [np.max, np.min, np.sum])
def test_not_a_number_is_kept(fn):
    for k in (0, 5, 16, 22):
        x = X.copy()
        x[k] = np.nan
        agree(fn, x)


def test_empty():
    agree(lambda x: (np.sum(x), x * 2, np.sum(x.reshape(0, 3), axis=0), np.any(x)), np.zeros(0))


def test_a_guard_returns_its_number():
    def f(x):
        y = x * 2
        if x[0] > 0:
            y = y + 1
        n = int(x[1])
        return y * n if float(x[2]) else y

    x = np.array([1.0, 3.5, 2.0])
    program = record(f, x)
    assert [run(program, v)[0] for v in (x, x * [-1, 1, 1], x * [1, 2, 1], x * [1, 1, 2])] == [0, 1, 2, 3]


SORTED = {
    "argsort": lambda x: (np.argsort(x, 1, stable=True), np.argsort(x, 0, stable=True)),
    "sort": lambda x: np.sort(x, 1) * 2,
    "median": lambda x: (np.median(x), np.median(x, 0), np.quantile(x, 0.3, axis=1)),
    "nanmedian": lambda x: np.nanmedian(x, axis=1),
    "searchsorted": lambda x: (np.searchsorted(np.arange(-2.0, 3), x), np.searchsorted(np.sort(x[0]), x[1], "right")),
    "nanmax": lambda x: (np.nanmax(x, 1), np.nanmin(x, keepdims=True)),
    "isclose": lambda x: (np.isclose(x, x + 1e-9), np.round(x), np.isclose(x, x.T[0, 0], equal_nan=True)),
}


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize("name", SORTED)
@pytest.mark.parametrize("value", [0.0, np.nan, -np.inf])
def test_order(name, value):
    x = np.round(np.sin(np.arange(28.0)).reshape(4, 7) * 3)
    x[2, 3:5] = value
    agree(SORTED[name], x)


# ---------------------------------------------------------------- complex numbers

Z = np.exp(1j * np.arange(20)).reshape(4, 5) * np.linspace(0.1, 3, 5)
COMPLEX = {
    "arithmetic": lambda z, x: (z + x, z * z[::-1] - 2j, z / (x + 1) + 1 / z, -z, np.conj(z) * 3, z**2),
    "parts": lambda z, x: (z.real, z.imag * x, np.abs(z), z + 0 * x == z, np.isnan(z)),
    "moves": lambda z, x: (z.T, z[1:, ::2], z[[0, 2]], np.where(x > 0, z, 0), np.roll(z, 2)),
    "joined": lambda z, x: (np.concatenate([z, x]), np.stack([z[0], x[1]])),
    "sums": lambda z, x: (np.sum(z), np.mean(z, 0), np.cumsum(z, 1), np.any(z, 1), np.diff(z)),
    "writes": lambda z, x: _set(z * 1, (slice(None), 2), x[:, 0]),
    "part": lambda z, x: (z[1].real * 2, _set((z * 1).imag, 2, x[0]), _set_part(z * 1, x)),
    "exponential": lambda z, x: np.exp(z) * np.exp(1j * x),
    "gradient": lambda z, x: grad(lambda z: np.sum(np.abs(z * z + x) ** 2) + np.sum(np.real(np.exp(z) / z)))(z),
    "number": lambda z, x: z[0, 0] * x[1, 1] + 1j,
}


def _set_part(z, x):
    z.real[1:] = x[1:]
    z[0].imag[...] = 3
    return z


@pytest.mark.parametrize("name", COMPLEX)
@pytest.mark.parametrize("dtype", [complex, np.complex64])
def test_complex_numbers(name, dtype):
    z = Z.astype(dtype)
    agree(COMPLEX[name], z, np.cos(np.arange(20.0)).reshape(4, 5).astype(z.real.dtype), ulp=99)


def test_division_of_complex_numbers():
    parts = np.array([0.0, -0.0, 1, -2.5, 1e300, 1e-300, np.inf])
    z = np.array([complex(x, y) for x in parts for y in parts])
    agree(lambda x: 1 / x, z, ulp=4)
    agree(lambda x, y: x / y, *(x.ravel() for x in np.meshgrid(z[np.isfinite(z)], z[np.isfinite(z)])), ulp=4)


# ---------------------------------------------------------------- indices by arrays

K = np.array([2, -1, 0, 2])
INDICES = {
    "vector": lambda x, k: x[k],
    "columns": lambda x, k: x[:, k],
    "pairs": lambda x, k: x[k, k[::-1]],
    "apart": lambda x, k: x[k[:, None], 1:, k],
    "behind": lambda x, k: x[..., None, k],
    "number": lambda x, k: x[k[1], 2],
    "constant": lambda x, k: x[[0, -1]] * x[np.array([[1, 2]])],
    "mask": lambda x, k: x[np.array([True, False, True, True])],
    "take": lambda x, k: np.take(x, k, axis=1),
    "computed": lambda x, k: (x * 2)[k % 3 - 1],
}


@pytest.mark.parametrize("name", INDICES)
@pytest.mark.parametrize("dtype", [float, np.float32, np.int64])
def test_indices(name, dtype):
    x = (9 * np.sin(np.arange(4.0 * 6 * 9).reshape(4, 6, 9))).astype(dtype)
    agree(INDICES[name], x, K)
    if dtype is not np.int64:
        agree(lambda x, k: grad(lambda x: np.sum(INDICES[name](x, k) ** 2))(x), x, K, ulp=9)


WRITES = {
    "numbers": lambda x, k, v: _set(x, k, v),
    "columns": lambda x, k, v: _set(x, (slice(None), k), v),
    "pairs": lambda x, k, v: _set(x, (k, k[::-1]), v[0]),
    "one": lambda x, k, v: _set(x, (k, slice(None)), 2),
    "mask": lambda x, k, v: _set(x, x > 0, 5),
    "rows": lambda x, k, v: _set(x, x[:, 0] > 0, 5),
}


def _set(x, index, v):
    x[index] = v
    return x


@pytest.mark.parametrize("name", WRITES)
def test_writes_by_arrays(name):
    x = np.sin(np.arange(24.0)).reshape(4, 6)
    v = np.cos(np.arange(24.0)).reshape(4, 6)[:, : 4 if name in ("columns", "pairs") else 6]
    agree(WRITES[name], x, K, v)
    agree(lambda x, k, v: WRITES[name](x * 2, k, v), x, K, v)


@pytest.mark.parametrize("f", [lambda x, k: x[k], lambda x, k: _set(x, k, 1), lambda x, k: x[k[0]] + x[k[1]]])
def test_beyond_the_ends(f):
    program = record(f, X, K)
    assert [run(program, X, K + step)[0] for step in (0, 20, 21, -22, -23)] == [0, 0, -1, 0, -1]


JOINED = {
    "stack": lambda x, y: np.stack([x, y, x], 1),
    "concatenate": lambda x, y: np.concatenate([x, y * 2, x[:0], y[:, ::-1]]),
    "numbers": lambda x, y: np.stack([x[0, 0], y[1, 2] + x[2, 2], x[3, 1]]),
    "roll": lambda x, y: np.roll(x, 2, 1),
    "pad": lambda x, y: np.pad(x, ((1, 2), (0, 3))),
    "repeat": lambda x, y: np.repeat(x, 3, 0) * np.tile(y, (3, 1)),
    "diff": lambda x, y: np.diff(x, 2, axis=1),
    "places": lambda x, y: (np.argmax(x), np.argmin(np.rint(x), 1), np.argmax(x > 0, 0, keepdims=True)),
    "count": lambda x, y: np.count_nonzero(x > 0, axis=0),
    "norm": lambda x, y: np.linalg.norm(x),
    "tril": lambda x, y: np.tril(x) + np.triu(y, 1),
}


@pytest.mark.parametrize("name", JOINED)
def test_joined(name):
    agree(JOINED[name], A, A[::-1] ** 2, ulp=9 if name == "norm" else 0)


@pytest.mark.parametrize("fn", [np.cumsum, np.cumprod, np.maximum.accumulate, np.minimum.accumulate])
def test_running(fn):
    for x in (X, A, np.tile(A, (1, 3)).reshape(3, 5, 7), (3 * A).astype(np.int64)):
        for axis in range(x.ndim):
            agree(lambda x, axis=axis: fn(x, axis), x)
    agree(lambda x: np.cumsum(x > 0), X)
    agree(lambda x: grad(lambda x: np.sum(fn(x, 0)[::2] ** 2))(x), np.linspace(0.9, 1.1, 23), ulp=99)


# ---------------------------------------------------------------- calls


def scaled(x, k, y):
    """k·x, and y with its first entry replaced by that of x; refused where k is 0."""
    z = y.copy()
    z.flat[0] = x.flat[0]
    return k * x, z


SCALED = Rule(scaled, ("x", "k", "y"), ())
DEFINITION = """define internal i32 @scaled(ptr %x, i64 %step, i64 %n, ptr %k, ptr %out, ptr %y, ptr %work) #0 {
entry:
  %factor = load double, ptr %k
  %zero = fcmp oeq double %factor, 0.0
  br i1 %zero, label %refused, label %loop
refused:
  ret i32 3
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = mul i64 %i, %step
  %from = getelementptr double, ptr %x, i64 %at
  %to = getelementptr double, ptr %out, i64 %i
  %a = load double, ptr %from
  %b = call double @same(double %factor)
  %c = fmul double %a, %b
  store double %c, ptr %to
  store double %c, ptr %work
  %next = add i64 %i, 1
  %done = icmp eq i64 %next, %n
  br i1 %done, label %end, label %loop
end:
  %first = load double, ptr %x
  store double %first, ptr %y
  ret i32 0
}"""
SAME = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda x: x)


def lowered(lowering, x, k, y):
    def emit(code, operands, results, scratch):
        code.definitions |= {"scaled": DEFINITION, "same": "declare double @same(double)"}
        code.symbols["same"] = ctypes.cast(SAME, ctypes.c_void_p).value
        step = f"i64 {x.strides[0]}, i64 {x.size}"
        (x_, k_), (out, y_) = operands, results
        return code(f"call i32 @scaled(ptr {x_}, {step}, ptr {k_}, ptr {out}, ptr {y_}, ptr {scratch})")

    if x.ndim != 1:
        raise UnsupportedError
    results = [Result(x.shape, x.dtype), Result(y.shape, y.dtype, start=y)]
    return lowering.call(emit, [x, lowering.packed(k, x.dtype)], results, scratch=8)


@pytest.mark.parametrize("k", [2.5, 0.0])
@pytest.mark.parametrize("kept", [False, True])
def test_calls(k, kept, monkeypatch):
    """An operand with gaps, a number in a register, a result in the place of an operand, a status."""
    monkeypatch.setitem(CALLS, scaled, lowered)

    def f(x, k):
        y = np.exp(x)
        return y, x[::2], k * 1

    program = record(f, X, k)
    y, x, factor = program.outputs
    out, replaced = Var((12,), X.dtype), Var((23,), X.dtype)
    program.equations.append(Equation(SCALED, (x, factor, y), {}, (out, replaced)))
    program.outputs = [out, replaced, y] if kept else [out, replaced]
    assert all(map(supported, program.equations))
    status, found = run(program, X, k)
    assert status == (0 if k else -1)
    for wanted, y in zip(program.run(X, k), found):
        if k:
            assert_allclose(y, wanted, rtol=1e-15)


def test_a_call_works_in_the_arena_within_what_is_planned(monkeypatch):
    monkeypatch.setitem(CALLS, scaled, lowered)
    program = record(lambda x: np.sin(x), X)
    (y,) = program.outputs
    for _ in range(20):
        out, replaced = Var((23,), X.dtype), Var((23,), X.dtype)
        program.equations.append(Equation(SCALED, (y, 2.0, y), {}, (out, replaced)))
        y = out
    program.outputs = [y]
    status, (found,) = run(program, X)
    assert status == 0
    assert_allclose(found, np.sin(X) * 2.0**20, rtol=1e-15)
    assert native(program).arena <= 4 * 192 + 3 * 64


# ---------------------------------------------------------------- random programs

numbers = st.sampled_from([0.0, -0.0, 1.0, -1.5, 2.0, 1e-3, 3.25])


def places(x, y):
    """Indices along the first axis, some of them negative, that depend on the values of an array."""
    return (np.reshape(y, -1)[:5] > 0.5) * np.int64(len(x) - 1) - (np.reshape(y, -1)[:5] < 0) * 1


@st.composite
def functions(draw):
    """A function of arrays of shapes (5, 7), (7,), (5, 1): shapes, broadcasts, reductions, indices, writes."""
    step = st.tuples(st.integers(0, 21), st.integers(0, 99), st.integers(0, 99))
    steps = draw(st.lists(step, min_size=1, max_size=14))
    last = draw(st.lists(st.integers(0, 99), min_size=1, max_size=3))

    def f(*xs):
        values = list(xs)
        for op, i, j in steps:
            a, b = values[i % len(values)], values[j % len(values)]
            try:
                np.broadcast_shapes(a.shape, b.shape)
            except ValueError:
                b = a
            if op < 4:
                y = (np.add, np.subtract, np.multiply, np.maximum)[op](a, b)
            elif op == 4:
                y = np.where(a < b, a, 0.5 * b)
            elif op == 5:
                y = np.transpose(a)
            elif op == 6:
                y = np.reshape(a, -1)
            elif op == 7:
                y = a[1:] if a.ndim and a.shape[0] > 1 else a[None]
            elif op == 8:
                y = a[..., ::-1] if a.ndim else a * 2
            elif op == 9:
                y = np.max(a, axis=j % a.ndim) if a.ndim else a
            elif op == 10:
                y = np.min(a)
            elif op == 11:
                y = a + 0
                if y.ndim:
                    y[j % y.shape[0]] = 0.25
            elif op == 12:
                y = a + 0
                if y.ndim and y.shape[-1] > 2:
                    y[..., 1:] = y[..., :-1]
            elif op == 13:
                y = np.sqrt(np.absolute(a))
            elif op == 14:
                y = a[places(a, b)] if a.ndim else a
            elif op == 15:
                y = a + 0
                if y.ndim:
                    y[places(y, b)] = 0.75
            elif op == 16:
                y = grad(lambda v, a=a, b=b: np.sum(v[places(a, b)] * 0.5))(a) if a.ndim else a
            elif op == 17:
                y = np.concatenate([a, b * 2]) if a.ndim and a.shape == b.shape else np.stack([a, a])
            elif op == 18:
                y = np.cumsum(a, j % a.ndim) if a.ndim else a
            elif op == 19:
                y = np.argmax(a, j % a.ndim) * 0.5 if a.ndim else a
            elif op == 20:
                y = np.broadcast_to(a, (3, *a.shape))[1:] if a.size < 99 else a
            else:
                y = a / b // 0.5
            values.append(y)
        return [values[-1 - k % len(values)] for k in last]

    return f


@settings(max_examples=60, deadline=None)
@given(functions())
def test_random_programs(f):
    agree(f, A, A[2], A[:, :1])


BANDS = {
    "softmax": lambda x, y: np.exp(x - np.max(x, 1, keepdims=True)) / np.sum(np.exp(x * 0.5), 1, keepdims=True),
    "loss": lambda x, y: np.mean(np.log(np.sum(np.exp(x * y[:, None]), 1)) - x[:, 3]),
    "columns": lambda x, y: (np.sum(np.exp(x) / np.sum(np.exp(x), 1, keepdims=True), 0), np.sum(x) * y),
    "rows of others": lambda x, y: np.exp(np.exp(x)[::-1] - np.sum(np.exp(x), 1)[:, None]) * y[:, None],
    "three axes": lambda x, y: np.exp(x.reshape(-1, 5, x.shape[1] // 5)) / np.sum(np.exp(x), 1)[:, None, None],
    "whole": lambda x, y: np.exp(x - np.sum(np.exp(x)) / x.size) / np.max(x, 1, keepdims=True),
    "sums of rows": lambda x, y: (lambda e: e * np.sum(e / np.sum(e, 1, keepdims=True), 0))(np.exp(x)),
    "extrema of rows": lambda x, y: np.max(np.exp(x) / np.sum(np.exp(x), 1, keepdims=True), 0),
    "products": lambda x, y: (lambda e: (e.T @ np.tanh(e @ np.cos(x[3]) * y) ** 2, np.sum(e[3] * np.sum(e[3]))))(
        np.exp(x)
    ),
    "others between": lambda x, y: (lambda m: (np.exp(x - m[:, None]), np.sum(np.exp(y[::-1] * np.sum(y)))))(
        np.max(x, 1)
    ),
}


@pytest.mark.parametrize("name", BANDS)
@pytest.mark.parametrize("shape", [(64, 25), (67, 10), (40, 40), (9, 1000)])
def test_bands(name, shape, monkeypatch):
    """Nests that go by bands of rows agree with those that do not, also where the last band is shorter."""
    monkeypatch.setattr(bands, "LARGE", 1000)
    monkeypatch.setattr(bands, "BAND", 4000)
    x = np.sin(np.arange(prod(shape))).reshape(shape)
    y = np.cos(np.arange(shape[0]))
    agree(BANDS[name], x, y, ulp=99)
    agree(value_and_grad(lambda x, y: sum(np.sum(z * z) for z in leaves(BANDS[name](x, y)))), x, y, ulp=999)


def test_only_a_band_is_held(monkeypatch):
    monkeypatch.setattr(bands, "LARGE", 1000)
    monkeypatch.setattr(bands, "BAND", 4000)
    program = record(BANDS["softmax"], np.ones((1000, 100)), np.ones(1000))
    assert native(program).arena < 2e5


def test_the_arena_holds_what_is_alive():
    """A chain of values, none of which can be computed where it is read: two of them are alive at a time."""

    def f(x):
        for _ in range(30):
            x = np.exp(x[::-1]) * 0.1
        return x

    program = record(f, X)
    assert native(program).arena == 2 * 192

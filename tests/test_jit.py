"""jit: recorded Programs give what eager mode gives, whatever Python does with the values."""

import sys

import numpy as np
import pytest
from samples import Sample, all_samples, constants
from test_registry import directions, leaves

import dotbar
from dotbar import grad, hessian, jacfwd, jacrev, jit, jvp, scan, value_and_grad, vjp, vmap
from dotbar.program import GuardFailed
from dotbar.surroundings import Surroundings

SAMPLES = all_samples()


def agree(got, want, tol=1e-12):
    assert len(got) == len(want)
    for g, w in zip(got, want):
        assert g.shape == w.shape
        assert g.dtype == w.dtype
        assert np.allclose(g, w, tol, tol, equal_nan=True)


def derivatives(f, ts):
    """The value, dot and bar of a function."""

    def pulled(*xs):
        y, pull = vjp(f, *xs)
        return pull(y)

    return f, lambda *xs: jvp(f, xs, ts)[1], pulled


@pytest.fixture
def only_guards_fail(monkeypatch):
    """No function is recorded anew because the compiled one raised an error."""
    monkeypatch.setattr(sys.modules["dotbar.jit"], "REFUSALS", GuardFailed)


@pytest.mark.parametrize("s", SAMPLES, ids=repr)
def test_every_function(s: Sample, only_guards_fail):
    """Its value, dot and bar, compiled and interpreted, recorded at one point, run at another: as in eager mode.

    Derivatives are taken of the compiled function, too.
    """
    at, ts, tol = constants(s).at, directions(s), 1e-12 if s.same_bits else 1e-8
    near = tuple(x + 1e-3 * t for x, t in zip(s.primals, ts))
    near = tuple(np.asarray(x, np.asarray(p).dtype)[()] for x, p in zip(near, s.primals))
    for f, outside in zip(derivatives(at, ts), derivatives(jit(at), ts)):
        inside = jit(f)
        program, hidden = inside.program(*s.primals).validate(), [p.value for p in Surroundings(f).replaced]
        for xs in (s.primals, near, s.primals):
            want = leaves(f(*xs))
            agree(leaves(inside(*xs)), want, tol)
            agree(leaves(outside(*xs)), want, tol)
            agree(leaves(program.run(*xs, *hidden)), want, tol)


SHORT = np.array([127, -128, 100], np.int8)


def assigned_where(x):
    y = np.zeros_like(x)
    y[...] = x
    y[y > 1] = 5.0
    return y


@pytest.mark.parametrize(
    ("f", "calls"),
    [
        (lambda x: [r(x, dtype=np.int8) for r in (np.sum, np.prod, np.cumsum)], [SHORT, SHORT - 1, SHORT * 1.0]),
        (lambda x: (np.mean(x, dtype=np.int64), np.mean(x, dtype=np.float32)), [SHORT, SHORT.astype(np.int64)]),
        (lambda x: (x**2, x**2.0, x**0.5), [SHORT[2:], np.array([4, 9]), np.array([2.0])]),
        (lambda x: (x.astype(bool), x.astype(np.complex64)), [np.complex64(2j), np.array([2j, 0, 1])]),
        (lambda x: [np.diff(x, n) for n in range(3)], [np.array([True, False, True, True]), np.arange(4)]),
        (lambda x: [np.einsum(to, x) for to in ("ij->i", "ij->", "ij->ji")], [SHORT[None], np.eye(2) > 0, np.eye(2)]),
        (lambda x: x[x > 1], [np.array(3.0), np.array(0.0), np.float64(3), np.array([3.0, 0.0])]),
        (assigned_where, [np.array([3.0]), np.array(3.0), np.array(0.0)]),
        (lambda x: (np.triu(x), np.tril(x, 1)), [np.eye(3), np.eye(3) > 0, np.eye(3, dtype=np.int8)]),
        (np.bincount, [np.array([1, 2, 3]), np.array([1, 1, 0]), np.array([5]), np.zeros(0, int)]),
        (lambda x: np.bincount(x, x * 2.0, 3), [np.array([1, 2, 0]), np.array([1, 1, 0]), np.array([1, 7, 0])]),
        (np.nan_to_num, [SHORT, SHORT > 0, SHORT / 2, np.array([np.nan, 1])]),
    ],
)
def test_dtypes_and_lengths(f, calls, only_guards_fail):
    compiled = jit(f)
    for x in [*calls, *calls, *calls[::-1]]:
        agree(leaves(compiled(x)), leaves(f(x)))


@pytest.mark.parametrize("dtype", [int, np.int8, bool, float, np.float32])
def test_numbers_of_another_dtype_are_assigned(dtype, only_guards_fail):
    def f(x, y):
        x[1:] = y[:-1]
        x[0] = y[3] * 0.75
        x[x > 2] = y[0]
        return x

    compiled = jit(f)
    for scale in (1, 1, 2, 1):
        args = np.zeros(4, dtype), scale * A
        agree(leaves(compiled(*args)), leaves(f(np.zeros(4, dtype), scale * A)))


def test_bincount_refuses_what_numpy_refuses():
    compiled = jit(np.bincount)
    for _ in range(2):
        assert compiled(np.array([1, 2])).tolist() == [0, 1, 1]
        with pytest.raises(ValueError, match="no negative elements"):
            compiled(np.array([1, -2]))


# ---------------------------------------------------------------- Python stays Python


def recordings(f):
    """How many ways through a function have been recorded."""
    return sum(map(len, f._variants.values()))


def newton(x, tol):
    n = 0
    y = x
    while abs(y * y - x) > tol and n < 50:
        y = 0.5 * (y + x / y)
        n += 1
    return y, n


def clipped(x):
    if x.sum() > 0 and not x[0] > 5:
        return x * int(x[1])
    return -x


def loop(x, n):
    s = x * 0.0
    for i in range(n):
        s = s + x**i
    return s


def indexed(x, i):
    y = np.zeros_like(x)
    y[i] = x[i - 1] ** 2
    y[1:] += x[:-1]
    return y


def as_float(x, y):
    return x * float(y)


def as_key(x, n):
    return x * {1: 10.0, 2: 20.0}.get(n, 0.0) + (n in {2, 3}) + len([0] * n)


def as_text(x, n):
    return {"layer1": x, "layer2.0": -x}.get(f"layer{n}", x * len(str(n))) + float(f"{n:.2f}")


def as_sign(x, y):
    return np.copysign(x, float(y))


def factor(x):
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        return x - 7


def factors(x, shift):
    y = x * 0
    for i in range(4):
        try:
            y = y + np.linalg.cholesky(x - i * shift)
        except np.linalg.LinAlgError:
            break
        finally:
            y = y * 2
    return y


def entry(x, i):
    y = x * 1
    try:
        y[i] = x[i - 1] * int(x[i])
    except IndexError:
        return -y
    except (ValueError, OverflowError):
        y[0] = 5.0
    return y


A = np.array([1.0, 2.5, 3.0, 4.0])


@pytest.mark.parametrize(
    ("f", "calls"),
    [
        (newton, [(2.0, 1e-6), (2.0, 1e-15), (1e6, 1e-6), (1.0, 1e-6), (2.0, 1e-6)]),
        (clipped, [(A,), (A + 0.2,), (A + 1,), (-A,), (A + 9,), (A * np.nan,), (A,)]),
        (loop, [(A, 0), (A, 3), (A, 1), (A, 3)]),
        (indexed, [(A, 1), (A, 3), (A, -1), (2 * A, 0)]),
        (as_float, [(A, 2.0), (A, 3.0), (A, np.nan), (A, np.inf)]),
        (as_key, [(A, 1), (A, 2), (A, 3), (A, 5), (A, 1)]),
        (as_text, [(A, 1), (A, 2), (A, 12), (A, 1.0), (A, 2.0), (A, 1.234)]),
        (as_sign, [(A, 0.0), (A, -0.0), (A, 0.0), (A, -1.0)]),
        (factor, [(np.eye(2),), (-np.eye(2),), (2 * np.eye(2),), (-3 * np.eye(2),)]),
        (factors, [(np.eye(2), 0.1), (np.eye(2), 0.4), (2 * np.eye(2), 0.4), (np.eye(2), 2.0)]),
        (entry, [(A, 1), (A, 9), (A, 2), (A * [1, 1, np.nan, 1], 2), (A, 3), (A * [1, 1, np.inf, 1], 2)]),
    ],
    ids=lambda p: getattr(p, "__name__", ""),
)
def test_python_decides_on_values(f, calls):
    """Each change of a value on which Python decided gives the result of the other way, as often as asked."""
    for given in (calls, calls[::-1]):
        compiled = jit(f)
        for args in [*given, *given[::-1], *given]:
            agree(leaves(compiled(*args)), leaves(f(*args)))
            assert np.array_equal(np.signbit(leaves(compiled(*args))[0]), np.signbit(leaves(f(*args))[0]))


@pytest.mark.parametrize("sign", [1, -1])
def test_derivatives_where_an_error_is_caught(sign):
    loss = lambda x: np.sum(factor(x) ** 2)
    forward = lambda f: lambda x: jvp(f, (x,), (x,))
    for both in (lambda j: j(grad(loss)), lambda j: grad(j(loss)), lambda j: forward(j(loss))):
        compiled = both(jit)
        for scale in (1, 1, 1, -1, -1, -1, 2, -2):
            x = sign * scale * np.eye(2)
            agree(leaves(compiled(x)), leaves(both(lambda f: f)(x)))


SETTINGS = {
    "axis": lambda x, n: x.sum(axis=n - 1) + np.sort(x, axis=-n)[0, 0],
    "axes": lambda x, n: (x.sum(axis=(n - 1,)), np.cumsum(x, n - 1)),
    "keepdims": lambda x, n: x.max(keepdims=bool(n > 1)),
    "shape": lambda x, n: (x.reshape(n, -1), np.resize(x, (n, 2)), np.broadcast_to(x, (n, 2, 4))),
    "counts": lambda x, n: (np.repeat(x, n), np.tile(x, (n, 1)), np.roll(x, n), np.pad(x, n), np.arange(n) * x[0, 0]),
    "order": lambda x, n: np.linalg.norm(x, n * 1.0) if n != "fro" else 0.0,
    "bins": lambda x, n: np.histogram(x, n)[0],
    "gradient": lambda x, n: grad(lambda x: np.sum(np.diff(x, n, axis=-1) ** 2))(x),
    "list": lambda x, n: x[:, [0, n]] + x[[n - 1, 0]][:, [n, 0]],
}


def swapped(x, n):
    x[:, [0, n]] = x[:, [n, 0]]
    return x


@pytest.mark.parametrize("f", [*SETTINGS.values(), swapped], ids=[*SETTINGS.keys(), "swapped"])
def test_a_value_used_as_a_setting(f):
    compiled = jit(f)
    for n in (1, 2, 1, 1, 2, np.int64(2)):
        x = np.cos(np.arange(8.0) * n).reshape(2, 4)
        agree(leaves(compiled(x.copy(), n)), leaves(f(x.copy(), n)))


def test_a_value_used_as_an_index_needs_no_guard():
    f = jit(lambda x, i: x[i] ** 2)
    assert [f(A, i) for i in range(4)] == [x**2 for x in A]
    assert recordings(f) == 1


def test_kinds_of_arguments_are_variants():
    f = jit(lambda x: np.sum(x * 2))
    for x in (A, A[:3], A.astype(np.float32), np.arange(4), 3.0, 3, np.float32(3), True, 2j, A[::-1], np.empty(0)):
        agree(leaves(f(x)), leaves(np.sum(x * 2)))
    assert recordings(f) == 11
    assert f(A[::-1].copy()) == np.sum(A * 2)
    assert recordings(f) == 11


def test_containers_and_static_arguments():
    f = jit(lambda p, how, n=1: {"y": p["w"] * n, "how": getattr(np, how)(p["w"]), "none": None}, static_argnums=1)
    for how, n in (("sum", 2), ("max", 2), ("sum", 3)):
        out = f({"w": A}, how, n=n)
        assert np.array_equal(out["y"], A * n)
        assert out["how"] == getattr(np, how)(A)
        assert out["none"] is None
    assert recordings(f) == 2
    with pytest.raises(dotbar.errors.InputError, match="a set cannot be an argument"):
        f({"w": A}, {1, 2})


def test_arrays_that_are_closed_over_are_read_anew():
    K, scale = np.ones(4), 2.0
    f = jit(lambda x, c=np.arange(4.0): np.sum(np.sin(K) * x * scale + c))  # noqa: B008
    want = lambda x: np.sum(np.sin(K) * x * scale + np.arange(4.0))
    assert f(A) == want(A)
    K[1] = 5
    assert f(A) == want(A)
    K = np.full(4, 7.0)
    assert f(A) == want(A)
    assert recordings(f) == 1
    scale = 3.0
    assert f(A) == want(A)
    K = K[:1]
    assert f(A) == want(A)


def test_arrays_with_an_arithmetic_of_their_own_are_refused():
    class Own(np.ndarray):
        def __array_ufunc__(self, *args, **kwargs):
            return 100.0

    for x in (np.ma.array(A, mask=A > 2), np.ones(3).view(Own), np.ones((2, 2)).view(np.matrix)):
        with pytest.raises(dotbar.errors.InputError, match=r"np\.asarray"):
            jit(lambda x: x * x)(x)


def test_hidden_arrays_below_transforms():
    K = np.ones(4)
    f = jit(grad(lambda x: np.sum(K * x**2)))
    assert np.array_equal(f(A), 2 * A)
    K *= 3
    assert np.array_equal(f(A), 6 * A)


def test_a_global_is_noticed(monkeypatch):
    f = jit(lambda x: x * len(A) + np.sum(A))
    assert f(1.0) == 4 + A.sum()
    monkeypatch.setitem(globals(), "A", np.ones(2))
    assert f(1.0) == 4


def test_arguments_that_are_assigned_to_change():
    @jit
    def step(w, g, rate):
        w -= rate * g
        if rate < 0:
            w[0] = 0

    w, want = A.copy(), A.copy()
    for rate in (0.1, 0.2, -0.1, 0.1):
        step(w, A, rate)
        want -= rate * A
        want[0] = 0 if rate < 0 else want[0]
        assert np.allclose(w, want, 1e-15)


OVERLAPS = {
    "the same": lambda a: (a[:5], a[:5]),
    "shifted": lambda a: (a[:9], a[1:]),
    "backwards": lambda a: (a[:5], a[4::-1]),
    "alternating": lambda a: (a[::2], a[1::2]),
    "two arrays": lambda a: (a, a * 2),
}


@pytest.mark.parametrize("parts", OVERLAPS.values(), ids=OVERLAPS.keys())
def test_arguments_that_share_memory(parts):
    def f(x, y):
        x[:] = y * 2
        y[0] += x[-1]
        return x + y

    compiled = jit(f)
    for _ in range(4):
        given, expected = (parts(np.arange(10.0)) for _ in range(2))
        agree([compiled(*given), *given], [f(*expected), *expected])


def exchange(x, y):
    t = x.copy()
    x[:] = y
    y[:] = t.real
    return np.abs(np.fft.fft(t)), t


def erase(x, y):
    t, u = np.where(y > 0, x, x), np.linalg.eigvals(np.outer(y, y)).real
    x[:], y[1:] = 0, x[:-1].real
    return t, u, x


@pytest.mark.parametrize("f", [exchange, erase])
@pytest.mark.parametrize("dtype", [float, complex, np.float32, ">f8"])
def test_results_are_what_arguments_were_before(f, dtype):
    """Also where NumPy computes some of it, and a result is an argument's contents."""
    compiled = jit(f)
    for _ in range(3):
        (given, expected) = ([np.array(A, dtype), 2 * np.array(A, float)] for _ in range(2))
        results = [leaves(g(*args)) for g, args in ((compiled, given), (f, expected))]
        assert all(np.allclose(a, b, 1e-5) for a, b in zip(*results, strict=True))
        assert all(map(np.array_equal, given, expected))


def test_changes_of_containers_are_refused():
    def update(params):
        params["w"] = params["w"] * 2

    def update_in_place(params):
        params["w"] *= 2

    with pytest.raises(dotbar.errors.InputError, match="changes a dict, list or other container"):
        jit(update)({"w": A})
    params = {"w": A.copy()}
    jit(update_in_place)(params)
    assert np.array_equal(params["w"], 2 * A)


def test_a_failed_guard_changes_nothing():
    @jit
    def f(x, y):
        x[0] = 7.0
        if y > 0:
            x[1] = 8.0
        elif y < -5:
            raise ValueError("too small")
        return x * 1

    for y in (1.0, -1.0):
        x = A.copy()
        f(x, y)
        assert np.array_equal(x, [7, 8 if y > 0 else A[1], *A[2:]])
    x = A.copy()
    with pytest.raises(ValueError, match="too small"):
        f(x, -9.0)
    assert np.array_equal(x, A)


def test_many_outcomes_are_given_up_with_a_warning():
    @jit
    def f(x, y):
        return x * float(y)

    for k in range(16):
        assert f(2.0, float(k)) == 2.0 * k
    with pytest.warns(UserWarning, match=r"recorded f 16 times.*test_jit\.py:\d+, in f.*np\.where"):
        assert f(2.0, 99.0) == 198.0
    assert f(2.0, 98.0) == 196.0  # without a second warning
    assert f(2.0, 3.0) == 6.0


def test_results_are_the_callers_own():
    f = jit(lambda x: (x, x.T, x[1:], np.ones(2), x))
    x = np.ones((2, 2))
    for _ in range(2):
        for y in f(x):
            y[...] = 9
    assert np.array_equal(x, np.ones((2, 2)))
    assert np.array_equal(f(x)[3], np.ones(2))


@pytest.mark.parametrize("name", ["cholesky", "inv", "eigvals"])
def test_errors_are_those_of_eager_mode(name):
    f = jit(lambda A: getattr(np.linalg, name)(A))
    f(np.eye(2))
    bad = np.full((2, 2), np.nan) if name == "eigvals" else np.zeros((2, 2))
    with pytest.raises(np.linalg.LinAlgError):
        f(bad)
    with pytest.raises(IndexError):
        jit(lambda x, i: x[i])(A, 4)


# ---------------------------------------------------------------- transforms inside and outside


def f_of(x):
    y = np.zeros_like(x)
    y[0] = x[1] * 2
    if x[0] > 0.2:
        y[1:] = x[1:] ** 2
    return np.sum(y * np.sin(x))


@pytest.mark.parametrize(
    "both",
    [
        lambda j: j(grad(f_of)),
        lambda j: grad(j(f_of)),
        lambda j: j(j(f_of)),
        lambda j: j(hessian(f_of)),
        lambda j: hessian(j(f_of)),
        lambda j: grad(j(lambda x: np.sum(grad(j(f_of))(x) ** 2))),
        lambda j: j(lambda x: jvp(j(f_of), (x,), (x,))[1]),
        lambda j: j(lambda x: value_and_grad(f_of)(x)),
    ],
)
def test_inside_and_outside(both):
    compiled, eager = both(jit), both(lambda f: f)
    for x in (A, A - 2, A):
        agree(leaves(compiled(x)), leaves(eager(x)))


def masked_writes(x):
    y, z = np.zeros((2, 4), like=x), np.zeros((4, 2), like=x)
    y.reshape(4, 2)[1] = x[0, :2]
    z.reshape(2, 4)[1] = x[1]
    return np.sum(np.sin(np.where(np.arange(8).reshape(2, 4) > 3, y, 0))) + np.sum(np.where(np.eye(4, 2) > 0, z, 0))


def sorted_rows(x):
    return np.sum(np.sin(np.sort(x[:0], axis=1))) + np.sum(x)


def repeated(x):
    y = np.broadcast_to((x[0, :1] > 0) * np.outer(x, x), (2, 12, 12))
    return np.sum(np.sin(y[::-1] * (y / 0.5)))


@pytest.mark.parametrize("f", [masked_writes, sorted_rows, repeated])
def test_derivatives_of_functions_found_by_chance(f, only_guards_fail):
    """Writes through another shape under a constant condition, empty arrays, numbers in rows."""
    for both in (lambda j: j(grad(f)), lambda j: grad(j(f)), lambda j: j(hessian(f))):
        compiled = both(jit)
        for k in range(4):
            x = np.cos(np.arange(12.0) * (k + 1)).reshape(3, 4)
            agree(leaves(compiled(x)), leaves(both(lambda f: f)(x)))


def grad_of_sum(f):
    """The gradient of a compiled batch."""
    return grad(lambda X: np.sum(vmap(jit(f))(X)))


def test_vmap_inside_and_outside():
    f = lambda x: np.sum(np.sin(x) * x)
    X = np.stack([A, 2 * A])
    for g in (jit(vmap(f)), vmap(jit(f)), jit(vmap(grad(f))), vmap(grad(jit(f))), vmap(jit(grad(f))), grad_of_sum(f)):
        for x in (X, X + 1):
            agree(leaves(g(x)), leaves((vmap(grad(f)) if g(x).ndim == 2 else vmap(f))(x)))


@dotbar.custom_vjp
def clipped_bar(x):
    return np.sin(x)


clipped_bar.defvjp(lambda x: (clipped_bar(x), np.cos(x)), lambda c, g: (np.clip(g * c, -0.5, 0.5),))


@dotbar.custom_jvp
def steep(x):
    return np.tanh(x)


steep.defjvp(lambda xs, ts: (steep(*xs), 3 * ts[0]))


@pytest.mark.parametrize("f", [clipped_bar, steep, dotbar.checkpoint(lambda x: steep(clipped_bar(x)))])
def test_rules_of_ones_own(f):
    total = lambda x: np.sum(f(x) ** 2)
    ways = lambda j: j(total), lambda j: j(grad(total)), lambda j: grad(j(total)), lambda j: j(vmap(grad(total)))
    for both in ways:
        compiled, eager = both(jit), both(lambda f: f)
        for _ in range(3):
            agree(leaves(compiled(A[:, None])), leaves(eager(A[:, None])))


def test_random_programs_compile():
    """Programs of views, in-place operations and assignment, recorded with their gradients, run as they ran."""
    from programs import function, program

    rng = np.random.default_rng(0)
    for _ in range(60):
        x = np.cos(np.arange(6.0)).reshape(2, 3)
        f = function(program(rng.bytes(120), x.copy(), steps=16))
        compiled, compiled_grad = jit(f), jit(value_and_grad(f))
        for k in range(3):
            y = np.cos(x + 0.01 * k)
            agree(leaves(compiled(y.copy())), leaves(f(y.copy())))
            agree(leaves(compiled_grad(y)), leaves(value_and_grad(f)(y)))


def test_programs_and_native_code_can_be_read():
    f = jit(lambda x: np.sum(np.sin(x) * 2))
    assert "sin a" in str(f.program(A))
    assert "sin a" in str(f.optimized(A))
    assert "define i32 @program" in f.llvm(A)
    assert len(f.optimized(A).equations) <= len(f.program(A).equations)


def test_showing_a_program_changes_nothing():
    def double(x):
        x *= 2

    f, x = jit(double), A.copy()
    for show in (f.program, f.optimized, f.llvm):
        show(x)
    assert np.array_equal(x, A)


def test_without_reassociation_sums_are_those_of_numpy():
    x = np.random.default_rng(0).standard_normal(7 * 11111)
    f = lambda x: (np.sum(x), np.sum(x * x), np.sum(x.reshape(-1, 7), axis=0), np.mean(x), x @ x, np.prod(x[:9]))
    compiled = jit(f, reassociate=False)
    for _ in range(3):
        assert all(np.array_equal(a, b) for a, b in zip(compiled(x), f(x)))
    assert "fmul" in compiled.llvm(x)


def test_without_a_compiler_programs_run_through_numpy(monkeypatch):
    from dotbar.compiler import engine, run

    monkeypatch.setattr(engine, "available", lambda: False)
    run._missing.cache_clear()
    f = jit(lambda x: np.sum(np.sin(x)))
    with pytest.warns(UserWarning, match="pip install llvmlite"):
        assert [f(A), f(A)] == [np.sum(np.sin(A))] * 2
    assert jit(lambda x: x * 2)(A).tolist() == (2 * A).tolist()


def test_threads_share_large_loops():
    x = np.random.default_rng(0).uniform(0.5, 2, 200_000)
    f = lambda x: (np.sum(np.sin(x) * x), np.exp(-x))
    assert dotbar.get_num_threads() == 1
    try:
        dotbar.set_num_threads(2)
        shared = jit(f)
        for _ in range(3):
            agree(leaves(shared(x)), leaves(f(x)))
        assert "dotbar.parallel" in shared.llvm(x)
    finally:
        dotbar.set_num_threads(1)
    assert "dotbar.parallel" not in jit(f).llvm(x)
    with pytest.raises(ValueError, match="at least one"):
        dotbar.set_num_threads(0)


A3 = np.array([1.5, 0.7, 2.0])
S = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 5.0]])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.linalg.solve(S + np.outer(x, x), x) ** 2),
        lambda x: np.sum(np.linalg.inv(S + np.outer(x, x)) ** 2),
        lambda x: np.linalg.det(S + np.outer(x, x)) + np.linalg.slogdet(S * x)[1],
        lambda x: np.sum(np.linalg.cholesky(S + np.outer(x, x)) ** 3),
        lambda x: np.sum(np.linalg.eigvalsh(S + np.outer(x, x)) ** 3),
        lambda x: np.sum(np.linalg.qr(S * x)[1] ** 3) + np.linalg.norm(x),
        lambda x: np.sum(np.linalg.svd(S * x)[1] ** 3) + np.sum(np.linalg.pinv(S * x)),
        lambda x: np.sum(np.sort(x) * np.cumprod(x)) + np.max(x) ** 3 + np.sum(np.where(x > 1, x, 2) ** 2),
        lambda x: np.sum(scan(lambda h, v: (np.tanh(h * v), h), x[0], x)[1] ** 2),
    ],
)
def test_second_derivatives_inside_and_outside(f):
    g = jit(f)
    for x in (A3, A3 + 0.1, A3 - 0.2):
        want = hessian(f)(x)
        inside = jit(hessian(f)), jit(hessian(g)), jacfwd(jit(grad(f)))
        for h in (hessian(g), *inside, jacrev(jacfwd(g)), jacrev(jit(grad(g)))):
            assert np.allclose(h(x), want, 1e-9, 1e-9)
        many = vmap(lambda x: hessian(g)(x))(np.stack([x, 2 * x]))
        assert np.allclose(many[1], hessian(f)(2 * x), 1e-9, 1e-9)


def test_a_condition_of_numbers_selects_between_complex_ones():
    z = np.array([1 + 2j, 3 - 1j])
    f = lambda z: np.where(np.array([True, False]), z, 1j * z) * 2
    agree(leaves(jit(f)(z)), leaves(f(z)))

"""Linear algebra of many small matrices gives what numpy.linalg gives, and refuses what that refuses."""

import ctypes
import functools

import numpy as np
import pytest
from machines import RUNNABLE, TYPES
from numpy.testing import assert_allclose

from dotbar.compiler import engine, small, vectors

pytestmark = pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")

ORDERS = (1, 2, 3, 4, 5, 7, 8, 11, 16)
COUNTS = (0, 1, 7, 8, 9, 33)
DTYPES = ("f64", "f32")
rng = np.random.default_rng(0)


def random(dtype, *shape):
    return rng.standard_normal(shape).astype(TYPES[dtype][1])


def regular(dtype, count, n):
    """Matrices with a condition of at most about 30, that need exchanges of rows."""
    return (random(dtype, count, n, n) / n + np.eye(n)[::-1] * 2).astype(TYPES[dtype][1])


def positive(dtype, count, n):
    A = random(dtype, count, n, n)
    return A @ A.swapaxes(1, 2) + n * np.eye(n, dtype=A.dtype)


@functools.cache
def compiled(name, dtype, lanes, sizes, flipped="", machine=None):
    """The function of addresses and a count, for a machine that runs here."""
    full = small.function_name(name, dtype, lanes, sizes, flipped)
    arguments = sum(map(len, small.KERNELS[name][1:]))
    listed = ", ".join(f"ptr %p{k}" for k in range(arguments))
    with engine.writing_for(RUNNABLE[machine] if machine else engine.machine()):
        calls = small.requires(name, dtype, lanes)
        text = "\n".join(
            [
                *{line for call in calls for line in vectors.requires(*call)},
                *(vectors.source(*call, fma=engine.machine().fma) for call in calls),
                small.source(name, dtype, lanes, sizes, flipped),
                f"define i32 @run({listed}, i64 %n) #0 {{",
                f"  %r = call i32 @{full}({listed}, i64 %n)\n  ret i32 %r\n}}",
                f"attributes #0 = {{ {engine.attributes()} }}\n",
            ]
        )
        code = engine.compile(text)
    function = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * arguments, ctypes.c_int64)(code.address("run"))
    return lambda *arrays, code=code: function(*(x.ctypes.data for x in arrays), len(arrays[0]))


def run(name, dtype, sizes, shapes, *arrays, flipped="", lanes=None, machine=None):
    """The status and the results, before and behind which nothing may be written."""
    count = len(arrays[0])
    arrays = [np.ascontiguousarray(x.swapaxes(1, 2)) if f == "t" else x for x, f in zip(arrays, flipped.ljust(9))]
    blocks = [np.full((count + 2, *shape), 7, TYPES[dtype][1]) for shape in shapes]
    lanes = lanes or small.width(dtype, count)
    status = compiled(name, dtype, lanes, tuple(sizes), flipped, machine)(*arrays, *(block[1:-1] for block in blocks))
    assert all(np.all(block[k] == 7) for block in blocks for k in (0, -1))
    return status, [block[1:-1] for block in blocks]


def close(dtype, got, wanted, scale=1.0):
    tolerance = {"f64": 1e-13, "f32": 2e-5}[dtype]
    size = scale * np.max(np.abs(wanted), initial=1)
    assert_allclose(got, wanted, rtol=100 * tolerance, atol=tolerance * size)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", ORDERS)
class TestOrders:
    """All functions at all orders, with a batch that fills vectors but not the last."""

    def test_cholesky(self, dtype, n):
        A = positive(dtype, 19, n)
        status, (L,) = run("cholesky", dtype, [n], [(n, n)], A + np.triu(random(dtype, 19, n, n), 1))
        assert status == 0
        close(dtype, L, np.linalg.cholesky(A))

    @pytest.mark.parametrize("columns", [1, 3])
    def test_solve(self, dtype, n, columns):
        A, B = regular(dtype, 19, n), random(dtype, 19, n, columns)
        status, (X,) = run("solve", dtype, [n, columns], [B.shape[1:]], A, B)
        assert status == 0
        close(dtype, X, np.linalg.solve(A, B))

    @pytest.mark.parametrize("lower", [True, False])
    def test_solve_triangle(self, dtype, n, lower):
        T, B = positive(dtype, 19, n), random(dtype, 19, n, 2)
        status, (X,) = run("solve_lower" if lower else "solve_upper", dtype, [n, 2], [(n, 2)], T, B)
        assert status == 0
        close(dtype, X, np.linalg.solve(np.tril(T) if lower else np.triu(T), B))

    def test_inverse(self, dtype, n):
        A = regular(dtype, 19, n)
        status, (X,) = run("inverse", dtype, [n], [(n, n)], A)
        assert status == 0
        close(dtype, X, np.linalg.inv(A))

    def test_factor(self, dtype, n):
        A = regular(dtype, 19, n)
        status, (LU, rows) = run("factor", dtype, [n], [(n, n), (n,)], A)
        assert status == 0
        for a, packed, pivots in zip(A, LU, rows):
            for j, row in enumerate(pivots.astype(int)):
                a[[j, row]] = a[[row, j]]
            close(dtype, (np.tril(packed, -1) + np.eye(n)) @ np.triu(packed), a)

    def test_determinants(self, dtype, n):
        A = regular(dtype, 19, n)
        status, (y,) = run("det", dtype, [n], [()], A)
        assert status == 0
        close(dtype, y, np.linalg.det(A))
        status, (sign, logarithm) = run("slogdet", dtype, [n], [(), ()], A)
        assert status == 0
        assert np.array_equal(sign, np.linalg.slogdet(A)[0])
        close(dtype, logarithm, np.linalg.slogdet(A)[1], scale=n)

    def test_eigenvalues(self, dtype, n):
        A = positive(dtype, 19, n) - 2 * np.eye(n, dtype=TYPES[dtype][1])
        below = A + np.triu(random(dtype, 19, n, n), 1)
        status, (w, V) = run("eigh", dtype, [n], [(n,), (n, n)], below)
        assert status == 0
        close(dtype, w, np.linalg.eigvalsh(A))
        close(dtype, V.swapaxes(1, 2) @ V, np.broadcast_to(np.eye(n), V.shape), scale=n)
        close(dtype, A @ V, V * w[:, None], scale=n * np.max(np.abs(w)))
        status, (values,) = run("eigvalsh", dtype, [n], [(n,)], below)
        assert status == 0
        close(dtype, values, w)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_number_of_matrices(dtype, count):
    A, B = regular(dtype, count, 3), random(dtype, count, 3, 2)
    status, (X,) = run("solve", dtype, [3, 2], [(3, 2)], A, B)
    assert status == 0
    close(dtype, X, np.linalg.solve(A, B))
    status, (y,) = run("det", dtype, [3], [()], A)
    assert status == 0
    close(dtype, y, np.linalg.det(A))


@pytest.mark.parametrize("flipped", ["tn", "nt", "tt"])
def test_arguments_may_be_transposed(flipped):
    A, B = regular("f64", 9, 4), random("f64", 9, 4, 3)
    _, (X,) = run("solve", "f64", [4, 3], [(4, 3)], A, B, flipped=flipped)
    close("f64", X, np.linalg.solve(A, B))
    _, (X,) = run("solve_lower", "f64", [4, 3], [(4, 3)], A, B, flipped=flipped)
    close("f64", X, np.linalg.solve(np.tril(A), B), scale=100)


@pytest.mark.parametrize("machine", RUNNABLE)
def test_any_machine(machine):
    A, B = regular("f64", 9, 5), random("f64", 9, 5, 3)
    with engine.writing_for(RUNNABLE[machine]):
        status, (X,) = run("solve", "f64", [5, 3], [(5, 3)], A, B, machine=machine)
        _, (w,) = run("eigvalsh", "f64", [5], [(5,)], A, machine=machine)
    assert status == 0
    close("f64", X, np.linalg.solve(A, B))
    close("f64", w, np.linalg.eigvalsh(A))


@pytest.mark.parametrize("place", [0, 8, 9])
@pytest.mark.parametrize("name", ["cholesky", "inverse", "solve_lower"])
def test_a_matrix_that_is_refused(name, place):
    A = positive("f64", 10, 3)
    A[place] = 0
    B = [random("f64", 10, 3, 3)] if name == "solve_lower" else []
    status, _ = run(name, "f64", [3, 3][: 1 + len(B)], [(3, 3)], A, *B)
    assert status == 1


def test_a_negative_pivot_is_refused_at_the_end():
    A = positive("f64", 8, 4)
    A[5, 3, 3] = -1
    assert run("cholesky", "f64", [4], [(4, 4)], A)[0] == 1


def test_singular_matrices_have_determinants():
    A = regular("f64", 9, 3)
    A[2], A[8, 1] = 0, A[8, 0]
    status, (y,) = run("det", "f64", [3], [()], A)
    assert status == 0
    close("f64", y, np.linalg.det(A))
    status, (sign, logarithm) = run("slogdet", "f64", [3], [(), ()], A)
    assert status == 0
    wanted = np.linalg.slogdet(A)
    assert np.array_equal(sign, wanted[0])
    assert np.array_equal(logarithm == -np.inf, wanted[1] == -np.inf)


def test_a_determinant_out_of_range_is_left_to_numpy():
    A = np.tile(np.diag([1e200, 1e200, 1e-300]), (8, 1, 1))
    assert run("det", "f64", [3], [()], A)[0] == 1
    assert_allclose(run("slogdet", "f64", [3], [(), ()], A)[1][1], np.log(1e100))


@pytest.mark.parametrize("name", ["cholesky", "inverse", "det"])
def test_nan_stays_in_its_matrix(name):
    A = positive("f64", 9, 3)
    A[4, 2, 1] = np.nan
    shape = () if name == "det" else (3, 3)
    status, (y,) = run(name, "f64", [3], [shape], A)
    assert status == 0
    bad = np.isnan(y.reshape(9, -1)).any(1)
    assert list(np.flatnonzero(bad)) == [4]


def test_eigenvalues_of_nan_are_left_to_numpy():
    A = positive("f64", 9, 3)
    A[4, 2, 1] = np.nan
    assert run("eigvalsh", "f64", [3], [(3,)], A)[0] == 1


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_ill_conditioned(scale):
    n = 8
    Q = np.linalg.qr(random("f64", 9, n, n))[0]
    w = 10.0 ** -np.arange(0, 2 * n, 2)
    A = scale * (Q * w) @ Q.swapaxes(1, 2)
    A = (A + A.swapaxes(1, 2)) / 2
    _, (values, V) = run("eigh", "f64", [n], [(n,), (n, n)], A)
    assert_allclose(values, np.linalg.eigvalsh(A), rtol=0, atol=1e-14 * scale)
    assert_allclose((V * values[:, None]) @ V.swapaxes(1, 2), A, rtol=0, atol=1e-14 * scale)
    B = random("f64", 9, n, 1)
    _, (X,) = run("solve", "f64", [n, 1], [(n, 1)], A, B)
    residual = np.abs(A @ X - B).max()
    assert residual <= 1e-14 * scale * np.abs(X).max()


def test_repeated_eigenvalues():
    Q = np.linalg.qr(random("f64", 8, 5, 5))[0]
    A = (Q * [1.0, 1.0, 2.0, 2.0, 2.0]) @ Q.swapaxes(1, 2)
    _, (w, V) = run("eigh", "f64", [5], [(5,), (5, 5)], A)
    assert_allclose(w, np.broadcast_to([1.0, 1.0, 2.0, 2.0, 2.0], w.shape), atol=1e-14)
    assert_allclose((V * w[:, None]) @ V.swapaxes(1, 2), A, atol=1e-14)

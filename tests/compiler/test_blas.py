"""Products and factorisations in native code are NumPy's."""

import numpy as np
import pytest
from machines import AARCH64, RUNNABLE
from test_loops import agree, record, run

import dotbar as db
import dotbar.compiler.blas  # enters what is tested
from dotbar.compiler import engine
from dotbar.compiler.loops import native
from dotbar.compiler.simplify import simplify
from dotbar.rules.lapack_words import solve_triangular

pytestmark = pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")


def normal(*shape, dtype=float):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


SIZES = [
    *((1, 1, 1), (2, 3, 4), (7, 8, 9), (16, 31, 2), (31, 64, 100), (3, 17, 40), (4, 5, 100), (40, 50, 300)),
    *((1, 9, 31), (9, 1, 31), (64, 1, 1), (0, 3, 2), (3, 0, 2), (2, 3, 0), (33, 50, 1), (50, 33, 4), (40, 3, 50)),
]


@pytest.mark.parametrize("flipped", ["", "a", "b", "ab"])
@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_products(sizes, dtype, flipped):
    n, m, k = sizes
    a = normal(*((k, n) if "a" in flipped else (n, k)), dtype=dtype)
    b = normal(*((m, k) if "b" in flipped else (k, m)), dtype=dtype)
    agree(lambda a, b: (a.T if "a" in flipped else a) @ (b.T if "b" in flipped else b), a, b, ulp=16)


@pytest.mark.parametrize("flipped", ["", "a", "b", "ab"])
@pytest.mark.parametrize("columns", [1, 2, 4])
def test_products_of_few_columns_are_never_in_memory(columns, flipped):
    def f(x, y):
        a = np.exp(-(x if "a" in flipped else x.T) @ (y if "b" in flipped else y[::-1]).T)  # a sum of few terms
        return (a.T if "a" in flipped else a) @ (y.reshape(columns, 200).T if "b" in flipped else y)

    x, y = normal(*((200, columns) if "a" in flipped else (columns, 200))), normal(200, columns)
    agree(f, x, y, ulp=999)
    assert native(simplify(record(f, x, y))).arena < 200 * 200


@pytest.mark.parametrize("machine", RUNNABLE)
def test_each_machine(machine):
    with engine.writing_for(RUNNABLE[machine]):
        for n in (3, 21):
            near(np.linalg.cholesky, positive(n, n))
            near(lambda a, b: np.linalg.solve(a.T, b), normal(n, n), normal(n, 7))
        for n, m, k in [(13, 21, 37), (1, 40, 19), (4, 3, 300), (30, 1, 5)]:
            agree(np.matmul, normal(n, k), normal(k, m), ulp=16)
            agree(lambda a, b: a @ b.T, normal(n, k), normal(m, k), ulp=16)


def test_aarch64_has_tiles():
    with engine.writing_for(AARCH64):
        program = record(lambda a: np.linalg.cholesky(a @ a.T) @ a, normal(20, 20))
        assembly = AARCH64.assembly(native(program).text)
    assert assembly.count("fmla") > 30


def test_a_large_product_takes_blocks():
    agree(lambda a, b: a.T @ b, normal(600, 20), normal(600, 550), ulp=64)
    agree(lambda a, x: a.T @ x, normal(70, 520), normal(70), ulp=64)


@pytest.mark.parametrize("second", [np.tril, np.triu, np.copy])
@pytest.mark.parametrize("first", [np.tril, np.triu, np.copy])
@pytest.mark.parametrize("transposed", ["", "a", "b", "ab"])
def test_products_of_triangles(first, second, transposed):
    def f(a, b):
        a, b = first(a), second(b)
        return (a.T if "a" in transposed else a) @ (b.T if "b" in transposed else b)

    for n in (33, 70):
        args = normal(n, n), normal(n, n)
        program = simplify(record(f, *args))
        assert (first is second is np.copy) or "triangles" in str(program)
        status, (found,) = run(program, *args)
        assert status == 0
        np.testing.assert_allclose(found, f(*args), rtol=1e-13, atol=1e-13)


def test_a_large_triangle_takes_blocks():
    f = lambda a, b: np.tril(a) @ np.triu(b.T)
    args = normal(600, 600), normal(600, 600)
    _, (found,) = run(simplify(record(f, *args)), *args)
    np.testing.assert_allclose(found, f(*args), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (np.matmul, [(3, 1, 5, 6), (4, 6, 2)]),
        (np.matmul, [(3, 5, 6), (6, 2)]),
        (np.matmul, [(5, 6), (6,)]),
        (np.matmul, [(6,), (6, 3)]),
        (np.matmul, [(4, 6), (3, 6, 2)]),
        (lambda a, x: np.matvec(a, x) if hasattr(np, "matvec") else a @ x[0], [(3, 5, 6), (3, 6)]),
        (np.dot, [(9,), (9,)]),
        (np.vecdot, [(3, 9), (3, 9)]),
        (lambda a, b: a[:, 0, ::2, ::3] @ b[0, ::3][:, ::-1], [(3, 1, 5, 6), (4, 6, 2)]),
        (lambda a, b: np.tanh(a @ b) @ np.exp(b).T, [(5, 6), (6, 7)]),
        (lambda a: np.broadcast_to(a[:, :1], a.shape) @ a.T, [(5, 6)]),
    ],
)
def test_stacks_and_strides(f, shapes):
    agree(f, *(normal(*shape) for shape in shapes), ulp=64)


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij,jk->ik", [(3, 4), (4, 5)]),
        ("bij,bkj->bki", [(2, 3, 4), (2, 5, 4)]),
        ("abc,cbd->ad", [(2, 3, 4), (4, 3, 5)]),
        ("abc,cd,be->ade", [(2, 3, 4), (4, 5), (3, 6)]),
        ("i,j->ji", [(3,), (4,)]),
        ("ij,ij->", [(3, 4), (3, 4)]),
        ("abij,acij->bc", [(2, 3, 4, 5), (2, 6, 4, 5)]),
        ("ij,ij->j", [(3, 4), (3, 4)]),
    ],
)
def test_einsum(subscripts, shapes):
    agree(lambda *xs: np.einsum(subscripts, *xs), *(normal(*shape) for shape in shapes), ulp=64)


@pytest.mark.parametrize("mode", ["full", "valid", "same"])
@pytest.mark.parametrize("sizes", [(9, 4), (4, 9), (30, 1), (100, 40)])
def test_convolutions(sizes, mode):
    a, v = map(normal, sizes)
    agree(lambda a, v: np.convolve(a, v, mode), a, v, ulp=64)
    agree(db.grad(lambda a, v: np.sum(np.convolve(a, v, mode) ** 2), (0, 1)), a, v, ulp=1e4)


def test_cross_products():
    agree(np.cross, normal(4, 3), normal(3), ulp=8)
    agree(np.cross, normal(3), normal(3), ulp=8)


# ---------------------------------------------------------------- factorisations

ORDERS = [1, 2, 3, 7, 8, 9, 16, 31, 64, 100]


def positive(*shape, dtype=float):
    X = normal(*shape)
    return (X @ np.swapaxes(X, -1, -2) + 0.5 * shape[-1] * np.eye(shape[-1])).astype(dtype)


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("n", ORDERS)
class TestOrders:
    def test_cholesky(self, n, dtype):
        A = positive(n, n, dtype=dtype)
        one_sided = np.tril(A) + 7 * np.triu(normal(n, n, dtype=dtype), 1)
        near(np.linalg.cholesky, one_sided)
        near(lambda a: np.linalg.cholesky(a.T) @ np.ones(n, dtype), one_sided.T)
        near(lambda a: np.linalg.cholesky(a, upper=True), one_sided.T)

    @pytest.mark.parametrize("flags", [(lower, adjoint) for lower in (True, False) for adjoint in (True, False)])
    def test_triangles(self, n, dtype, flags):
        lower, adjoint = flags
        T = np.linalg.cholesky(positive(n, n)).astype(dtype)
        T = (T if lower else T.T) + 7 * (np.triu if lower else np.tril)(normal(n, n), 1 if lower else -1).astype(dtype)
        for m in (1, 5, 8, 29):
            near(lambda T, B: solve_triangular(T, B, lower=lower, adjoint=adjoint), T, normal(n, m, dtype=dtype))
            near(
                lambda T, B: solve_triangular(T.T, B.T, lower=not lower, adjoint=adjoint), T, normal(m, n, dtype=dtype)
            )

    def test_systems(self, n, dtype):
        A = (normal(n, n) + 3 * np.eye(n)).astype(dtype)
        for b in (normal(n, dtype=dtype), normal(n, 5, dtype=dtype)):
            near(np.linalg.solve, A, b)
        near(lambda a: np.linalg.inv(a.T), A)
        near(np.linalg.det, A / dtype(4))
        near(np.linalg.slogdet, A)

    def test_spectra(self, n, dtype):
        A = positive(n, n, dtype=dtype)
        near(lambda a: (np.linalg.eigh(a)[0], np.abs(np.linalg.eigh(a)[1])), A)
        near(lambda a: (lambda w, V: (V * w) @ V.T)(*np.linalg.eigh(a)), A)
        near(np.linalg.qr, normal(n + 3, n, dtype=dtype))
        near(lambda a: np.linalg.qr(a, mode="complete"), normal(n + 3, n, dtype=dtype))
        for shape in ((n, n + 2), (n + 2, n)):
            X = normal(*shape, dtype=dtype)
            near(lambda a: list(map(np.abs, np.linalg.svd(a, full_matrices=False))), X)
            near(lambda a: (lambda U, s, Vt: (U * s) @ Vt)(*np.linalg.svd(a, full_matrices=False)), X)
            near(lambda a: np.linalg.svd(a)[1], X)
            near(np.linalg.svdvals, X)


def near(f, *args):
    agree(f, *args, ulp=100 * sum(args[0].shape[-2:]))


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (lambda a: np.linalg.cholesky(a @ np.swapaxes(a, -1, -2) + 3 * np.eye(5)), [(2, 3, 5, 5)]),
        (lambda a, b: np.linalg.solve(a + 5 * np.eye(4), b), [(3, 4, 4), (2, 1, 4, 2)]),
        (lambda a, b: np.linalg.solve(a + 5 * np.eye(40), b), [(3, 40, 40), (40, 2)]),
        (lambda a: np.linalg.inv(a + 5 * np.eye(40)), [(2, 40, 40)]),
        (lambda a: np.linalg.slogdet(a), [(2, 40, 40)]),
        (lambda a: np.linalg.eigh(a + np.swapaxes(a, -1, -2)), [(2, 20, 20)]),
        (np.linalg.cholesky, [(0, 0)]),
        (np.linalg.inv, [(2, 0, 0)]),
        (lambda a, b: np.linalg.solve(a, b), [(3, 3), (3, 0)]),
    ],
)
def test_stacks_of_systems(f, shapes):
    agree(f, *(normal(*shape) for shape in shapes), ulp=1000)


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (np.linalg.cholesky, [np.diag([1.0, -1.0, 2.0])]),
        (np.linalg.cholesky, [np.full((20, 20), np.nan)]),
        (np.linalg.inv, [np.ones((9, 9))]),
        (np.linalg.solve, [np.zeros((12, 12)), np.ones(12)]),
        (np.linalg.solve, [np.zeros((2, 12, 12)), np.ones((12, 1))]),
        (lambda a: np.linalg.eigh(a), [np.full((20, 20), np.nan)]),
    ],
)
def test_what_numpy_refuses_has_a_status(f, args):
    shape = args[0].shape
    program = record(f, np.broadcast_to(np.eye(shape[-1]), shape).copy(), *args[1:])
    assert run(program, *args)[0]


def test_derivatives_of_factorisations():
    A, b = positive(11, 11), normal(11)
    for f in (
        lambda A, b: b @ np.linalg.solve(A, b) + np.linalg.slogdet(A)[1],
        lambda A, b: b @ np.linalg.cholesky(A) @ b + np.linalg.det(A / 10),
        lambda A, b: np.sum(np.linalg.inv(A) ** 2) + np.sum(np.linalg.qr(A)[1] @ b),
    ):
        agree(db.value_and_grad(f, (0, 1)), A, b, ulp=1e5)


@pytest.mark.parametrize("adjoint", [False, True])
def test_large_systems_take_blocks(adjoint):
    L = np.linalg.cholesky(positive(300, 300))
    near(lambda T, B: solve_triangular(T, B, adjoint=adjoint), L, normal(300, 40))
    near(lambda a, b: np.linalg.solve(a.T if adjoint else a, b), positive(150, 150), normal(150, 20))
    near(lambda a, b: np.linalg.solve(a.T if adjoint else a, b), normal(520, 520) + 30 * np.eye(520), normal(520))


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("n", [128, 129, 203, 300])
def test_blocks_of_columns_exchange_whole_rows(n, dtype):
    A = positive(n, n, dtype=dtype)[::-1]
    near(np.linalg.solve, A, normal(n, 3, dtype=dtype))
    near(np.linalg.slogdet, A)
    near(lambda a: np.linalg.slogdet(a.T), np.roll(A, 7, axis=0).copy())


@pytest.mark.parametrize(
    ("f", "good", "bad"),
    [
        (np.linalg.cholesky, np.eye(20), -np.eye(20)),
        (np.linalg.inv, np.eye(20), np.ones((20, 20))),
        (lambda a: np.linalg.solve(a, a), np.eye(20), np.ones((20, 20))),
        (lambda a: np.linalg.solve(a, a), np.eye(200)[::-1], np.ones((200, 200))),
    ],
)
def test_errors_are_those_of_numpy(f, good, bad):
    compiled = db.jit(f)
    compiled(good)
    with pytest.raises(np.linalg.LinAlgError) as caught:
        compiled(bad)
    with pytest.raises(np.linalg.LinAlgError, match=str(caught.value)):
        f(bad)


def test_nan_passes_through():
    A = normal(20, 20)
    A[7, 3] = np.nan
    program = record(np.linalg.inv, normal(20, 20))
    status, (found,) = run(program, A)
    assert status == 0
    assert np.array_equal(np.isnan(found), np.isnan(np.linalg.inv(A)))

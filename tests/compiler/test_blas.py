"""Products and factorisations in native code are NumPy's."""

import numpy as np
import pytest
from machines import RUNNABLE
from test_loops import agree

from dotbar.compiler import engine

pytestmark = pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")


def normal(*shape, dtype=float):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


SIZES = [
    *((1, 1, 1), (2, 3, 4), (7, 8, 9), (16, 31, 2), (31, 64, 100), (3, 17, 40), (4, 5, 100), (40, 50, 300)),
    *((1, 9, 31), (9, 1, 31), (64, 1, 1), (0, 3, 2), (3, 0, 2), (2, 3, 0)),
]


@pytest.mark.parametrize("flipped", ["", "a", "b", "ab"])
@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_products(sizes, dtype, flipped):
    n, m, k = sizes
    a = normal(*((k, n) if "a" in flipped else (n, k)), dtype=dtype)
    b = normal(*((m, k) if "b" in flipped else (k, m)), dtype=dtype)
    agree(lambda a, b: (a.T if "a" in flipped else a) @ (b.T if "b" in flipped else b), a, b, ulp=16)


@pytest.mark.parametrize("machine", RUNNABLE)
def test_products_on_each_machine(machine):
    with engine.writing_for(RUNNABLE[machine]):
        for n, m, k in [(13, 21, 37), (1, 40, 19), (4, 3, 300), (30, 1, 5)]:
            agree(np.matmul, normal(n, k), normal(k, m), ulp=16)
            agree(lambda a, b: a @ b.T, normal(n, k), normal(m, k), ulp=16)


def test_a_large_product_takes_blocks():
    agree(lambda a, b: a.T @ b, normal(600, 20), normal(600, 550), ulp=64)


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

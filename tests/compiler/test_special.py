"""Functions of scipy.special in native code are SciPy's."""

import numpy as np
import pytest
from scipy import special
from test_blas import normal
from test_loops import agree

import dotbar as db
import dotbar.compiler.special  # enters what is tested
from dotbar.compiler import engine

pytestmark = pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")


@pytest.mark.parametrize("dtype", [float, np.float32])
def test_ufuncs(dtype):
    x = np.abs(normal(5, 7)).astype(dtype) + dtype(0.1)
    agree(lambda x: special.gammaln(x.T) + special.psi(2 * x.T), x, ulp=64)
    agree(lambda x: special.gammainc(x[:, :1], x), x, ulp=64)
    agree(special.gammaln, x[0, 0], ulp=64)
    agree(special.gammaln, x[:0], ulp=64)


def test_derivatives():
    agree(db.value_and_grad(lambda x: np.sum(special.gammaln(x) ** 2)), np.abs(normal(9)) + 0.1, ulp=64)


def test_single_numbers():
    agree(np.i0, 1.3, ulp=64)


@pytest.mark.parametrize("dtype", [float, np.float32])
def test_bessel_functions(dtype):
    agree(db.value_and_grad(lambda x: np.sum(np.i0(x))), normal(9, dtype=dtype), ulp=64)
    agree(db.grad(lambda x: np.sum(db.grad(lambda x: np.sum(np.i0(x)))(x))), normal(9, dtype=dtype), ulp=64)

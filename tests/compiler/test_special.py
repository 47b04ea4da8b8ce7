"""Functions of scipy.special in native code are SciPy's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special
from test_blas import normal
from test_loops import agree, run

import dotbar as db
import dotbar.compiler.special  # enters what is tested
from dotbar.compiler import engine
from dotbar.compiler.run import compiled, whole
from dotbar.core import Rule
from dotbar.program import Equation, Program, Var

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


UFUNCS = sorted({u.__name__ for u in vars(special).values() if isinstance(u, np.ufunc)})
OPERANDS = {
    "d": np.linspace(0.2, 0.8, 7),
    "D": np.linspace(0.2, 0.8, 7) + 1j * np.linspace(0.9, -0.6, 7),
    "q": np.arange(7) % 3 + 1,
}


def called(fn, *xs):
    """The Program of one call of a ufunc."""
    inputs = [Var.of(x) for x in xs]
    ys = np.atleast_2d(fn(*xs)) if fn.nout == 1 else fn(*xs)
    outputs = [Var.of(y) for y in ys]
    return Program(inputs, [Equation(Rule(fn, ("*xs",)), tuple(inputs), {}, tuple(outputs))], outputs)


@pytest.mark.filterwarnings("ignore")  # of orders that are not whole
@pytest.mark.parametrize("name", UFUNCS)
def test_every_pointer_is_used(name):
    """All variants that SciPy exports, whatever the types and the number of results."""
    fn = getattr(special, name)
    loops = {types.replace("l", "q") for types in fn.types}
    for types in loops & {*dotbar.compiler.special.variants(name)}:
        xs = [OPERANDS[kind] * (1 + k % 2) for k, kind in enumerate(types.partition("->")[0])]
        program = called(fn, *xs)
        assert whole(compiled(program)) is not None
        status, found = run(program, *xs)
        assert status == 0
        for y, wanted in zip(found, program.run(*xs), strict=True):
            assert_allclose(y, wanted, rtol=1e-15, atol=1e-300)


@pytest.mark.parametrize(
    "name", ["airy", "bdtr", "ellipj", "eval_jacobi", "fresnel", "hankel1", "kelvin", "pbdv", "wofz"]
)
def test_pointers_are_found(name):
    types = {types.replace("l", "q") for types in getattr(special, name).types if not {*"fFg"} & {*types}}
    assert types <= {*dotbar.compiler.special.variants(name)}


@pytest.mark.parametrize("dtype", [float, np.float32])
def test_complex_numbers_and_several_results(dtype):
    x = np.abs(normal(5, 7)).astype(dtype) + dtype(0.1)
    z = x + 1j * x[::-1]
    agree(lambda x: special.ellipj(x.T, dtype(0.3)), x, ulp=64)
    agree(lambda x: special.sici(2.0 * x[:, ::2]), x, ulp=64)
    agree(lambda z: special.wofz(z.T) * special.loggamma(z.T), z, ulp=64)
    agree(lambda x: special.hankel1(dtype(1.5), x), x, ulp=64)
    agree(lambda z: special.airye(z), z[0, 0], ulp=64)
    agree(lambda z: special.airye(z), z[:0], ulp=64)
    agree(lambda x: special.gammainc(2.0, x), x, ulp=64)
    agree(lambda x: special.eval_legendre(3, x), x.astype(float), ulp=64)


@pytest.mark.skipif(not dotbar.compiler.special.variants("pbdv"), reason="SciPy exports no such function")
def test_exceptions():
    """Where memory does not suffice, and where a warning is an error."""
    f = db.jit(lambda v, x: special.pbdv(v, x)[0])
    assert f(1.0, 2.0) == f(1.0, 2.0) == special.pbdv(1.0, 2.0)[0]
    for _ in range(2):
        with pytest.raises(special.SpecialFunctionError, match="memory"):
            f(1e300, 1.0)
    assert f(1.0, 2.0) == special.pbdv(1.0, 2.0)[0]
    g = db.jit(special.expn)
    assert g(2.0, 1.5) == g(2.0, 1.5) == special.expn(2, 1.5)
    with pytest.raises(RuntimeWarning, match="truncated"):
        g(2.5, 1.5)

"""Linear algebra of small matrices under jit is native, and gives what it gives without."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dotbar
from dotbar import jit, value_and_grad
from dotbar.compiler import engine
from dotbar.compiler.run import supported
from dotbar.compiler.simplify import simplify
from dotbar.tree import flatten

pytestmark = pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")

rng = np.random.default_rng(0)


def positive(*shape):
    A = rng.standard_normal(shape)
    return A @ np.swapaxes(A, -1, -2) + shape[-1] * np.eye(shape[-1])


def check(f, *args, native=True):
    """A compiled function and its gradient against eager mode; all of both is native."""
    for g in (f, value_and_grad(lambda *xs: np.sum(np.sin(f(*xs))), argnums=tuple(range(len(args))))):
        compiled = jit(g)
        program = simplify(compiled.program(*args))
        assert not native or all(map(supported, program.equations)), program
        wanted = flatten(g(*args))[0]
        for _ in range(3):  # recorded, compiled, called
            for y, z in zip(flatten(compiled(*args))[0], wanted, strict=True):
                assert_allclose(y, z, rtol=1e-9, atol=1e-9)
                assert np.asarray(y).dtype == np.asarray(z).dtype


STACKS = [(9, 3, 3), (2, 5, 8, 8), (1, 4, 4), (17, 16, 16)]


@pytest.mark.parametrize("shape", STACKS)
@pytest.mark.parametrize("f", [np.linalg.cholesky, np.linalg.inv, lambda A: np.linalg.slogdet(A)[1]])
def test_functions_of_a_matrix(f, shape):
    check(f, positive(*shape))


@pytest.mark.parametrize("shape", STACKS)
def test_det(shape):
    check(np.linalg.det, positive(*shape) / shape[-1])


@pytest.mark.parametrize("shape", STACKS)
@pytest.mark.parametrize("columns", [1, 3])
def test_solve(shape, columns):
    check(np.linalg.solve, positive(*shape), rng.standard_normal((*shape[:-1], columns)))


def test_operands_are_broadcast():
    check(np.linalg.solve, positive(4, 4), rng.standard_normal((9, 4, 2)))
    check(np.linalg.solve, positive(5, 4, 4), rng.standard_normal((4, 2)))
    check(np.linalg.solve, positive(5, 1, 4, 4), rng.standard_normal((1, 3, 4, 2)))


@pytest.mark.parametrize("settings", [{}, {"upper": True}])
def test_transposed_operands_and_results(settings):
    check(lambda A: np.linalg.cholesky(np.swapaxes(A, -1, -2), **settings), positive(9, 4, 4))
    check(
        lambda A, B: np.linalg.solve(np.swapaxes(A, -1, -2), np.swapaxes(B, -1, -2)),
        positive(9, 4, 4),
        positive(9, 4, 4),
    )


@pytest.mark.parametrize("UPLO", "LU")
def test_eigenvalues(UPLO):
    A = positive(9, 5, 5)
    check(lambda A: np.linalg.eigvalsh(A, UPLO), A, native=UPLO == "L")

    def invariant(A):
        w, V = np.linalg.eigh(A, UPLO)
        return np.sum((V * np.sqrt(w)[:, None, :]) @ np.swapaxes(V, 1, 2) * np.arange(25.0).reshape(5, 5))

    check(invariant, A, native=UPLO == "L")


def test_repeated_eigenvalues_are_left_to_numpy():
    A = np.stack([np.diag([1.0, 2.0, 3.0])] * 3 + [np.diag([1.0, 1.0, 2.0])])
    f = jit(value_and_grad(lambda A: np.sum(np.linalg.eigvalsh(A) ** 2)))
    for _ in range(3):
        assert_allclose(f(A)[1], 2 * A, atol=1e-14)


def test_single_matrices():
    check(np.linalg.inv, positive(4, 4))
    check(np.linalg.solve, positive(4, 4), rng.standard_normal(4))


def test_float32():
    A = positive(9, 3, 3).astype(np.float32)
    compiled = jit(np.linalg.cholesky)
    for _ in range(3):
        L = compiled(A)
        assert L.dtype == np.float32
        assert_allclose(L, np.linalg.cholesky(A), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "f",
    [np.linalg.cholesky, np.linalg.inv, lambda A: np.linalg.solve(A, np.ones((3, 1)))],
    ids=["cholesky", "inv", "solve"],
)
def test_errors_are_numpys(f):
    A = positive(9, 3, 3)
    compiled = jit(f)
    for _ in range(3):
        compiled(A)
    A[7] = 0
    with pytest.raises(np.linalg.LinAlgError) as wanted:
        f(A)
    with pytest.raises(np.linalg.LinAlgError) as caught:
        compiled(A)
    assert str(caught.value) == str(wanted.value)


def test_gaussians_parametrised_by_cholesky():
    """The negative logarithm of the density of points under 8-dimensional normal distributions."""
    X = rng.standard_normal((20, 8))

    def loss(W, mu):
        L = np.linalg.cholesky(W @ np.swapaxes(W, -1, -2) + np.eye(8))
        z = np.linalg.solve(L, (X - mu)[..., None])[..., 0]
        return 0.5 * np.sum(z * z) + np.sum(np.log(np.diagonal(L, axis1=-2, axis2=-1)))

    check(loss, rng.standard_normal((20, 8, 8)), np.zeros(8))


def test_a_function_of_the_spectrum():
    A = positive(6, 4, 4)
    check(lambda A: dotbar.linalg.matrix_function(np.exp, A / 10), A, native=False)

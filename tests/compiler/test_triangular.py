"""A system whose matrix is known to be a triangle is solved without elimination."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dotbar import grad, jit
from dotbar.compiler.simplify import simplify
from dotbar.rules.lapack_words import solve_triangular

rng = np.random.default_rng(0)
A = rng.standard_normal((5, 3, 3))
A = A @ np.swapaxes(A, 1, 2) + 3 * np.eye(3)
B = rng.standard_normal((5, 3, 2))


def check(f, names):
    program = jit(f).program(A, B)
    simplified = simplify(program)
    assert [e.rule.name.rpartition(".")[2] for e in simplified.equations if "solve" in e.rule.name] == names
    assert_allclose(simplified.validate().run(A, B)[0], f(A, B), rtol=1e-12)


def transposed(X):
    return np.swapaxes(X, -1, -2)


TRIANGLES = {
    "cholesky": np.linalg.cholesky,
    "its transpose": lambda A: transposed(np.linalg.cholesky(A)),
    "tril": np.tril,
    "triu": np.triu,
    "a sum": lambda A: np.linalg.cholesky(A) + np.linalg.cholesky(2 * A),
    "a negative": lambda A: -np.tril(A),
}


@pytest.mark.parametrize("triangle", TRIANGLES.values(), ids=TRIANGLES)
def test_triangles(triangle):
    check(lambda A, B: np.linalg.solve(triangle(A), B), ["solve_triangular"])
    check(lambda A, B: np.linalg.solve(transposed(triangle(A)), B), ["solve_triangular"])


OTHERS = {
    "any matrix": lambda A: A,
    "one diagonal too many": lambda A: np.tril(A, 1),
    "a sum of both triangles": lambda A: np.tril(A) + np.triu(A),
}


@pytest.mark.parametrize("matrix", OTHERS.values(), ids=OTHERS)
def test_others(matrix):
    check(lambda A, B: np.linalg.solve(matrix(A), B[: len(matrix(A))]), ["lu_solve"])


def parts(f, *args):
    """Which parts of triangular systems are computed, where the compiled function agrees with eager mode."""
    g, wanted = jit(f), f(*args)
    for _ in range(3):
        assert_allclose(g(*args), wanted, rtol=1e-4 if wanted.dtype == np.float32 else 1e-10, atol=1e-12)
    simplified = simplify(g.program(*args)).validate()
    assert_allclose(simplified.run(*args)[0], wanted, rtol=1e-4 if wanted.dtype == np.float32 else 1e-10, atol=1e-12)
    return [e.settings.get("part") for e in simplified.equations if e.rule.name.endswith("solve_triangular")]


def square(n, dtype=float):
    return (rng.standard_normal((n, n)) / n + np.eye(n)).astype(dtype)


def diagonal(b):
    return np.where(np.eye(b.shape[0], dtype=bool), b, 0)


@pytest.mark.parametrize("n", [40, 65, 130, 203, 530])
@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize(("of", "lower"), [(np.tril, True), (np.triu, False)])
def test_parts_of_systems(n, adjoint, of, lower):
    T, B = of(square(n)), square(n)
    same, other = (np.triu, np.tril) if lower == adjoint else (np.tril, np.triu)
    solve = lambda T, B: solve_triangular(T, B, lower=lower, adjoint=adjoint)
    assert parts(lambda T, B: solve(T, same(B)), T, B) == ["triangle"]
    assert parts(lambda T, B: solve(T, same(B) * B + same(B).T.T), T, B) == ["triangle"]
    assert parts(lambda T, B: solve(T, other(B)), T, B) == [None]
    assert parts(lambda T, b: solve(T, solve(T, diagonal(b)).T), T, B[0]) == ["triangle", "symmetric"]
    assert parts(lambda T, B: solve(T, solve(T, same(B)).T), T, B) == ["triangle", None]
    assert parts(lambda T, b: solve(T, solve(T.T * 1.5, diagonal(b)).T), T, B[0])[1] is None


def test_parts_of_small_systems_and_stacks():
    T, b = np.tril(square(40, np.float32)), np.ones(40, np.float32)
    assert parts(lambda T, b: solve_triangular(T, diagonal(b)), T, b) == ["triangle"]
    assert parts(lambda T, b: solve_triangular(T, diagonal(b)), T[:5, :5], b[:5]) == [None]
    f = lambda T, B: solve_triangular(T, np.tril(B))
    assert parts(f, np.stack([square(70)] * 2), np.stack([square(70)] * 2)) == ["triangle"]


def test_the_gradient_of_a_determinant_is_symmetric():
    """∂ log det L/∂K = ½ K⁻¹, by two systems of a third of the operations."""
    K = square(150)
    K = K @ K.T
    f = grad(lambda K: np.sum(np.log(np.diagonal(np.linalg.cholesky(K)))))
    assert parts(f, K) == ["triangle", "symmetric"]
    assert_allclose(jit(f)(K), np.linalg.inv(K) / 2, rtol=1e-9, atol=1e-12)

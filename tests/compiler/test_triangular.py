"""A system whose matrix is known to be a triangle is solved without elimination."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dotbar import jit
from dotbar.compiler.simplify import simplify

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

"""Factorisations whose vectors nobody reads are asked for the values alone."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from dotbar import grad, jit
from dotbar.compiler import engine
from dotbar.compiler.run import supported
from dotbar.compiler.simplify import simplify

rng = np.random.default_rng(0)

VALUES = {
    "eigvalsh": (np.linalg.eigvalsh, "eigvalsh"),
    "eigvalsh of the upper triangle": (lambda A: np.linalg.eigvalsh(A, "U"), "eigvalsh"),
    "eigh": (lambda A: np.linalg.eigh(A)[0], "eigvalsh"),
    "svdvals": (np.linalg.svdvals, "svdvals"),
    "svd": (lambda A: np.linalg.svd(A)[1], "svdvals"),
    "norm": (lambda A: np.linalg.norm(A, 2, (-2, -1)), "svdvals"),
}
VECTORS = {
    "eigh": (lambda A: np.linalg.eigh(A)[1] ** 2, "eigh"),
    "svd": (lambda A: np.linalg.svd(A)[2] ** 2, "svd_factors"),
    "a gradient": (grad(lambda A: np.sum(np.linalg.eigvalsh(A) ** 2)), "eigh"),
}


def names(f, A):
    simplified = simplify(jit(f).program(A))
    assert not engine.available() or all(map(supported, simplified.equations))
    return [e.rule.name.rpartition(".")[2] for e in simplified.validate().equations]


@pytest.mark.parametrize("shape", [(5, 5), (30, 30), (3, 5, 5), (3, 30, 30)], ids=str)
@pytest.mark.parametrize(("f", "name"), VALUES.values(), ids=VALUES)
def test_values(f, name, shape):
    A = rng.standard_normal(shape)
    assert name in names(f, A)
    g = jit(f)
    for _ in range(3):
        assert_allclose(g(A), f(A), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(20, 30), (30, 20)], ids=str)
def test_values_of_oblongs(shape):
    A, g = rng.standard_normal(shape), jit(np.linalg.svdvals)
    for _ in range(3):
        assert_allclose(g(A), np.linalg.svdvals(A), rtol=1e-12)


@pytest.mark.parametrize(("f", "name"), VECTORS.values(), ids=VECTORS)
def test_vectors(f, name):
    A = rng.standard_normal((5, 5))
    assert name in names(f, A + A.T)

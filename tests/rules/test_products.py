"""Products where the registry's samples do not reach: any einsum, empty operands, out=, memory, errors."""

import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dotbar import grad, jvp, vjp, vmap

SIZES = {"a": 2, "b": 3, "c": 1, "d": 4}


@st.composite
def einsums(draw):
    """Subscripts of one to four terms, with repeated labels, ellipses and implicit results, and their operands."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    terms = draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=4))
    dots = draw(st.booleans())
    operands = []
    for k, term in enumerate(terms):
        lead = (2, 3)[draw(st.integers(0, 2)) :] if dots else ()
        terms[k] = "..." * dots + term
        shape = (*lead, *(SIZES[label] for label in term))
        operands.append(rng.standard_normal(shape) + 1j * rng.standard_normal(shape) * draw(st.booleans()))
    subscripts = ",".join(terms)
    labels = sorted(set("".join(terms)) - {"."})
    if draw(st.booleans()):
        out = draw(st.permutations(labels))[: draw(st.integers(0, len(labels)))]
        subscripts += "->" + "..." * dots + "".join(out)
    return subscripts, operands


@settings(max_examples=150, deadline=None)
@given(einsums(), st.sampled_from([False, True, "optimal"]))
def test_any_einsum(call, optimize):
    """Value, dot and bar of a multilinear function follow from the function itself."""
    subscripts, xs = call
    rng = np.random.default_rng(0)
    f = lambda *xs: np.einsum(subscripts, *xs, optimize=optimize)
    ts = [rng.standard_normal(x.shape) + 0j for x in xs]
    value, dot = jvp(f, tuple(xs), tuple(ts))
    want = sum(np.einsum(subscripts, *xs[:k], t, *xs[k + 1 :]) for k, t in enumerate(ts))
    np.testing.assert_allclose(value, np.einsum(subscripts, *xs), atol=1e-10)
    np.testing.assert_allclose(dot, want, atol=1e-10)
    ybar = rng.standard_normal(np.shape(dot)) + 0j
    xbars = vjp(f, *xs)[1](ybar)
    np.testing.assert_allclose(np.vdot(ybar, dot).real, sum(np.vdot(g, t).real for g, t in zip(xbars, ts)), atol=1e-9)


def peak(f):
    """The most bytes that a call holds at once."""
    f()
    tracemalloc.start()
    f()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


n, k = 2000, 40
X, Y, W = np.ones((n, k)), np.ones((n, k)), np.ones((k, k))


@pytest.mark.parametrize(
    ("f", "arg"),
    [
        (lambda X: np.sum(np.einsum("bi,bj->ij", X, Y) ** 2), X),
        (lambda X: np.sum(np.einsum("bi,ij,bj->b", X, W, Y)), X),
        (lambda W: np.sum(vmap(lambda x: W @ x)(X)), W),
        (lambda W: np.sum(np.reshape(X, (40, -1, k)) @ W), W),
    ],
    ids=["einsum", "einsum of three", "vmap of W @ x", "stack @ W"],
)
def test_no_array_of_all_products(f, arg):
    """No gradient forms the n k² products one by one."""
    assert peak(lambda: grad(f)(arg)) < n * k * k * 8 / 2


@pytest.mark.parametrize(
    ("f", "a", "b"),
    [
        (np.matmul, (0, 3), (3, 2)),
        (np.matmul, (2, 0), (0, 3)),
        (np.matmul, (0, 2, 3), (3, 2)),
        (np.matmul, (0,), (0,)),
        (np.dot, (0,), (0, 3)),
        (np.outer, (0,), (3,)),
        (np.kron, (0, 2), (1, 2)),
        (np.inner, (0,), (0,)),
        (lambda a, b: np.tensordot(a, b, 1), (2, 0), (0, 2)),
        (lambda a, b: np.einsum("ij,jk->ik", a, b), (2, 0), (0, 2)),
        (np.cross, (0, 3), (3,)),
    ],
)
def test_empty(f, a, b):
    a, b = np.ones(a), np.ones(b)
    out, pullback = vjp(f, a, b)
    assert out.shape == f(a, b).shape
    abar, bbar = pullback(np.ones(out.shape))
    np.testing.assert_array_equal(abar, np.zeros(a.shape), strict=True)
    np.testing.assert_array_equal(bbar, np.zeros(b.shape), strict=True)


@pytest.mark.parametrize("f", [np.matmul, np.dot, lambda a, b, out: np.einsum("ij,jk", a, b, out=out)])
def test_out(f):
    """A product written into an array of traced values."""
    A, B = np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(3, 2)

    def g(A):
        out = np.zeros((2, 2), like=A)
        assert f(A, B, out=out) is out
        return np.sum(out * out)

    np.testing.assert_allclose(grad(g)(A), 2 * A @ B @ B.T)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x @ np.ones((4, 2)),
        lambda x: np.matmul(2.0, x),
        lambda x: np.dot(x, np.ones(2)),
        lambda x: np.inner(x, np.ones(2)),
        lambda x: np.vdot(x, np.ones(2)),
        lambda x: np.einsum("ij,jk", x, np.ones((4, 2))),
        lambda x: np.einsum("ij,ij", x),
        lambda x: np.einsum("ijk->i", x),
        lambda x: np.einsum("ij->ik", x),
        lambda x: np.einsum("ij->ii", x),
        lambda x: np.einsum("ii->i", x),
        lambda x: np.einsum("...i->i", x),
        lambda x: np.einsum("ii->i", x[:, :1]),
        lambda x: np.tensordot(x, x[0]),
        lambda x: np.correlate(x[0, 0], x[0]),
        lambda x: np.cross(x[0, 0], x[0]),
        lambda x: np.tensordot(x, np.ones((4, 2)), 1),
        lambda x: np.cross(x, np.ones(4)),
        lambda x: np.linalg.cross(x, np.ones(2)),
        lambda x: np.linalg.outer(x, x),
        lambda x: np.convolve(x[0], x[0, :0]),
        lambda x: np.linalg.multi_dot([x]),
        lambda x: np.linalg.multi_dot([x, x[0], x]),
    ],
)
def test_errors(f):
    """What NumPy refuses is refused, in NumPy's words."""
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match=r".") as plain:
        f(x)
    with pytest.raises(type(plain.value), match=re.escape(str(plain.value))):
        grad(lambda x: np.sum(f(x)))(x)


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) >= "2.5.0", reason="NumPy refuses them since 2.5")
@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors:DeprecationWarning")
@pytest.mark.parametrize("m", [2, 3])
def test_cross_in_the_plane(m):
    rng = np.random.default_rng(0)
    a, b, ta, tb = (rng.standard_normal(shape) for shape in ((4, 2), (4, m), (4, 2), (4, m)))
    value, dot = jvp(np.cross, (a, b), (ta, tb))
    np.testing.assert_allclose(value, np.cross(a, b))
    np.testing.assert_allclose(dot, np.cross(ta, b) + np.cross(a, tb))


def test_einsum_path_of_traced_operands():
    A, B = np.ones((2, 3)), np.ones((3, 4))
    seen = []
    grad(lambda A: seen.append(np.einsum_path("ij,jk,kl", A, B, B.T)) or np.sum(A))(A)
    assert seen == [np.einsum_path("ij,jk,kl", A, B, B.T)]

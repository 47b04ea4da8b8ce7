"""What NumPy refuses is refused, in place and by the methods of ufuncs too; what it cannot see is done or explained."""

import numpy as np
import pytest

import dotbar
import dotbar.numpy as dnp
from dotbar.errors import ConversionError, InputError

x = np.array([1.0, 2.0, 3.0])
z = np.array([1 + 2j, 3, 4j])
mask = np.array([True, False, True])
long = x.astype(np.longdouble)

REFUSED = [
    lambda a: np.place(a, mask, z),
    lambda a: np.putmask(a, mask, z),
    lambda a: np.copyto(a, z),
    lambda a: np.ediff1d(a, to_end=1j),
    lambda a: np.insert(a, 1, 1j),
    lambda a: np.fill_diagonal(np.outer(a, x), 1j),
    lambda a: np.nan_to_num(a, nan=1j),
    lambda a: np.sum(a, initial=1j),
    lambda a: np.sum(a, out=np.zeros_like(a)),
    lambda a: np.add(a, z, out=np.zeros_like(a)),
    lambda a: np.add.reduce(a, nonsense=1),
    lambda a: np.hypot.reduce(a, axis=4),
    lambda a: np.average(a, weights=np.zeros(3)),
    lambda a: np.average(x, weights=a - a),
    lambda a: np.average(a[0], axis=0),
    lambda a: np.median(a[0], axis=0),
    lambda a: np.quantile(a[0], 0.5, axis=0),
    lambda a: np.gradient(a[0], axis=0),
    lambda a: np.diff(a[0], axis=0),
    lambda a: np.linspace(a, 1, axis=None),
    lambda a: np.nanmean(a, dtype=int),
    lambda a: np.nanvar(a, dtype=int),
    lambda a: np.nanstd(a, dtype=int),
    lambda a: np.interp(a, long, x),
    lambda a: np.bincount([0, 1, 1], a.astype(np.longdouble)),
    lambda a: np.histogramdd(np.ones((3, 2)), weights=a.astype(np.longdouble)),
    lambda a: np.clip(a, 0, 1, min=0),
    lambda a: np.einsum(",ea...->e", a[0], np.ones((1, 3, 2))),
]


def raised(f, a):
    """The exception that a call raises."""
    try:
        return AssertionError(f"returned {f(a)}")
    except Exception as error:
        return error


@pytest.mark.parametrize("f", REFUSED)
def test_what_numpy_refuses(f):
    family = next(c for c in type(raised(f, x.copy())).__mro__ if not c.__module__.startswith("numpy._"))
    assert family is not AssertionError
    assert isinstance(raised(lambda a: dotbar.vjp(lambda v: f(v * 1.0), a), x), family)
    assert isinstance(raised(lambda a: dotbar.jvp(lambda v: f(v * 1.0), (a,), (a,)), x), family)
    assert isinstance(raised(dotbar.vmap(lambda v: f(v * 1.0)), np.stack([x, x])), family)


@pytest.mark.parametrize(
    "f",
    [
        lambda a: np.add.reduce(array=a),
        lambda a: np.multiply.accumulate(array=a),
        lambda a: np.add.reduceat(array=a, indices=[0, 1]),
        lambda a: np.einsum(",ea...->e", a[0], np.ones((1, 3, 2)), optimize=True),
        lambda a: np.histogram(x + 0.3, a, density=True)[0],
        lambda a: dnp.histogramdd(np.stack([x + 0.3, x], 1), [a, 2], density=True)[0],
        lambda a: dnp.apply_along_axis(lambda row: row * a, 0, np.ones((3, 2))),
        lambda a: dnp.apply_over_axes(lambda y, axis: np.sum(y * a[0], axis), np.ones((3, 2)), [0]),
        lambda a: dnp.vectorize(lambda y: y * a[0])(x),
        lambda a: dnp.piecewise(x, [x > 1], [lambda y: y * a[0], 0.0]),
        lambda a: dnp.fromfunction(lambda i, j: i * a[0] + j, (2, 3)),
    ],
)
def test_what_numpy_takes(f):
    np.testing.assert_allclose(dotbar.vjp(f, x)[0], f(x))
    dotbar.check_grads(f, order=1)(x)


def test_sparse_matrices_are_refused_with_a_remedy():
    sparse = pytest.importorskip("scipy.sparse").csr_array(np.eye(3))
    for f in (lambda a: sparse @ a, lambda a: a @ sparse, lambda a: np.dot(sparse, a), sparse.dot):
        with pytest.raises((ConversionError, InputError), match=r"dotbar\.scipy\.sparse\.csr_array\(S\) @ x"):
            dotbar.vjp(f, x)

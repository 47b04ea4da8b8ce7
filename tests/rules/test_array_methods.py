"""Every public method and attribute of an ndarray works on a traced value, or says why it cannot."""

import copy
import math

import numpy as np
import pytest
from samples import cnormal, normal

import dotbar
from dotbar.core import Traced
from dotbar.errors import ConversionError

REFUSED = {"tobytes", "tofile", "dump", "dumps", "data", "ctypes", "setflags", "item", "tolist"}
ARGUMENTS = {
    "argpartition": (1,),
    "astype": (np.float32,),
    "byteswap": (),
    "clip": (-0.5, 0.5),
    "compress": ([True, False, True], 0),
    "dot": (np.ones((4, 2)),),
    "fill": (0.3,),
    "getfield": (np.float64,),
    "partition": (2,),
    "put": ([0, -1], 0.3),
    "repeat": (2,),
    "reshape": (4, -1),
    "resize": (2, 3),
    "round": (1,),
    "searchsorted": ([0.1, 0.2],),
    "setfield": (0.3, np.float64),
    "swapaxes": (0, 1),
    "take": ([0, 2], 1),
    "to_device": ("cpu",),
    "dump": ("unused",),
    "tofile": ("unused",),
}
IN_PLACE = {"fill", "partition", "put", "resize", "setfield", "sort"}
PUBLIC = [name for name in dir(np.ndarray) if not name.startswith("_") and hasattr(np.zeros((1, 1)), name)]
PUBLIC = [name for name in PUBLIC if name != "tostring"]  # an older NumPy's name of tobytes


def use(x, name):
    """The attribute, or the result of the method; of a method that works in place, what it made of the array."""
    if name == "searchsorted":
        x = np.sort(x[0])
    if name == "choose":
        return np.ones_like(x, dtype=int).choose([x, 2 * x])
    if name == "resize":
        x = np.copy(x)
        x.resize(2, 3, refcheck=False)
        return x
    found = getattr(x, name)
    result = found(*ARGUMENTS.get(name, ())) if callable(found) else found
    return x if name in IN_PLACE else result


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name(name):
    """As on an ndarray: value, dtype and derivative, in all modes; or an error that gives the reason."""
    x, t = normal(3, 4), normal(3, 4, seed=1)
    if name in REFUSED:
        for transform in (dotbar.grad, dotbar.vmap):
            with pytest.raises(ConversionError, match=f"{name}.*stop_gradient"):
                transform(lambda x: use(x * 1.0, name))(x)
        return
    want = use(x * 1.0, name)
    if name == "flags":
        want = repr(want).replace("OWNDATA : False", "OWNDATA : True")
    seen = []

    def f(x):
        y = use(x * 1.0, name)
        seen.append(repr(y).replace("OWNDATA : False", "OWNDATA : True") if name == "flags" else y)
        y = np.stack(y) if isinstance(y, tuple) and isinstance(y[0], (Traced, np.ndarray)) else y
        y = np.stack(list(y)) if name == "flat" else y
        return y if getattr(y, "dtype", np.dtype(int)).kind in "fc" else np.sum(x)

    value, dot = dotbar.jvp(f, (x,), (t,))
    if isinstance(want, (tuple, str, int, np.dtype, type(None))) and name != "nonzero":
        assert seen[0] == want
    elif name == "flat":
        np.testing.assert_array_equal(value, list(want))
    elif np.asarray(want).dtype.kind in "fc":
        np.testing.assert_allclose(value, want, rtol=1e-15)
        assert value.dtype == want.dtype
    elif name != "nonzero":
        np.testing.assert_array_equal(np.asarray(dotbar.stop_gradient(seen[0])), want)
    h = 1e-6
    if np.asarray(value).dtype == np.float64 and name != "byteswap":
        np.testing.assert_allclose(dot, (f(x + h * t) - f(x - h * t)) / (2 * h), atol=1e-7)
    bar = np.ones_like(value)
    np.testing.assert_allclose(np.vdot(dotbar.vjp(f, x)[1](bar)[0], t), np.vdot(bar, dot), rtol=1e-5)
    np.testing.assert_allclose(dotbar.vmap(f)(np.stack([t, x]))[1], value, rtol=1e-15)


def test_attributes_of_one_item():
    """Strides, flags and sizes of a batched value are those of one item."""

    def f(x):
        assert (x.shape, x.ndim, x.size, x.nbytes, x.itemsize, len(x)) == ((3, 4), 2, 12, 96, 8, 3)
        assert x.strides == (32, 8)
        assert x.flags.c_contiguous
        assert x.base is None
        assert x.T.base is x
        assert x.T.strides == (8, 32)
        return x

    dotbar.vmap(f)(normal(2, 3, 4))


def test_methods_with_out_and_options():
    def f(x):
        y = np.zeros_like(x)
        x.cumsum(0, None, y)
        total = np.zeros(4, like=x)
        np.sum(x, 0, None, total, where=[[True], [False], [True]])
        x.clip(-0.1, 0.1, out=y[:1] if y.shape[0] == 1 else None)
        return y * total + x.mean(axis=0, keepdims=True) * x.std(1, None, None, 1, True)

    x, t = normal(3, 4), normal(3, 4, seed=1)
    h = 1e-6
    value, dot = dotbar.jvp(f, (x,), (t,))
    np.testing.assert_allclose(value, f(x), rtol=1e-14)
    np.testing.assert_allclose(dot, (f(x + h * t) - f(x - h * t)) / (2 * h), atol=1e-7)


def test_python_protocols():
    def f(x):
        assert x[0] in x
        assert 99.0 not in x
        assert (math.floor(x[1]), math.ceil(x[1]), math.trunc(x[1]), round(x[1])) == (-2, -1, -1, -2)
        assert x.__array_namespace__() is dotbar.numpy
        y, z = copy.copy(x), copy.deepcopy(x)
        y[0] = z[1] = 0.0
        return y + z + +x

    x = np.array([0.7, -1.6])
    np.testing.assert_array_equal(dotbar.jvp(f, (x,), (np.ones(2),))[1], [2.0, 2.0])


def test_complex_parts_and_views():
    def f(z):
        z = np.copy(z)
        z.real, z.imag = z.imag, 2 * z.real
        z.view(np.float64)[0, :3] *= 3
        return z.conj().T.flatten("F") * z.getfield(np.float64, 8).ravel()[0]

    z, t = cnormal(2, 3), cnormal(2, 3, seed=3)
    h = 1e-6
    value, dot = dotbar.jvp(f, (z,), (t,))
    np.testing.assert_allclose(value, f(z))
    np.testing.assert_allclose(dot, (f(z + h * t) - f(z - h * t)) / (2 * h), atol=1e-7)
    bar = cnormal(6)
    np.testing.assert_allclose(np.vdot(dotbar.vjp(f, z)[1](bar)[0], t).real, np.vdot(bar, dot).real, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: x.view(np.float32), ConversionError),
        (lambda x: x.getfield(np.int32), ConversionError),
        (lambda x: x.T.resize(5), ValueError),
        (lambda x: x.astype(int, casting="safe"), TypeError),
        (lambda x: x.to_device("gpu"), ValueError),
        (lambda x: x[0].mT, ValueError),
        (lambda x: x.reshape(7), ValueError),
        (lambda x: np.array(x.flat), ConversionError),
    ],
)
def test_errors(call, error):
    with pytest.raises(error):
        dotbar.jvp(call, (normal(3, 4),), (normal(3, 4),))

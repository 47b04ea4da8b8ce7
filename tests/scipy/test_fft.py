"""Cosine and sine transforms of every kind: the bar is the transpose; the Hankel transform's value is SciPy's."""

import numpy as np
import pytest
import scipy.fft as plain

import dotbar
import dotbar.scipy.fft as fft


@pytest.mark.parametrize("name", ["dct", "idct", "dst", "idst"])
@pytest.mark.parametrize("type", [1, 2, 3, 4])
@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("orthogonalize", [None, True, False])
@pytest.mark.parametrize("n", [2, 4, 5])
def test_the_bar_is_the_transpose(name, type, norm, orthogonalize, n):
    matrix = getattr(plain, name)(np.eye(n), type, axis=0, norm=norm, orthogonalize=orthogonalize)
    w = np.arange(1.0, n + 1)
    _, pull = dotbar.vjp(lambda x: getattr(fft, name)(x, type, norm=norm, orthogonalize=orthogonalize), np.ones(n))
    assert np.allclose(pull(w)[0], matrix.T @ w, 1e-13, 1e-14)


@pytest.mark.filterwarnings("ignore:singular:UserWarning")
@pytest.mark.parametrize("n", [5, 6])
@pytest.mark.parametrize("settings", [(0.3, 0.7), (0.3, -0.4, 0.2), (0.2, 2.0, 0.1, 0.3), (0.2, 0.0, 0.1, -1.0)])
@pytest.mark.parametrize("name", ["fht", "ifht"])
def test_hankel(name, settings, n):
    a = np.linspace(0.4, 1.0, n)
    value = dotbar.jvp(lambda *xs: getattr(fft, name)(*xs), (a, *settings), (a, *settings))[0]
    assert np.allclose(value, getattr(plain, name)(a, *settings), 1e-13, 1e-14)


def test_where_a_transform_is_left_to_scipy():
    x = np.linspace(0.0, 1.0, 6)
    for name in ("fft", "rfft", "dct", "idstn", "hfft2"):
        y = x.reshape(2, 3) if name[-1] in "n2" else x
        assert np.array_equal(getattr(fft, name)(y), getattr(plain, name)(y))
    assert fft.next_fast_len(13) == plain.next_fast_len(13)


def test_settings_are_not_differentiated():
    for f in (
        lambda x: fft.dct(np.ones(4), x),
        lambda x: fft.dstn(np.ones(4) * x, x),
        lambda x: fft.fft(np.ones(4), x),
    ):
        with pytest.raises(TypeError):
            dotbar.grad(lambda x, f=f: np.real(f(x))[0])(2.0)


def test_axes_are_given_once_and_lists_hold_traced_values():
    with pytest.raises(ValueError, match="axis"):
        dotbar.jvp(lambda x: fft.fftn(x, axes=(0, 0)), (np.eye(3),), (np.eye(3),))
    for name in ("fft", "dct", "dstn"):
        f = lambda v, name=name: getattr(fft, name)([v, 2.0, 3 * v])
        assert np.allclose(dotbar.jvp(f, (1.3,), (1.0,))[1], getattr(plain, name)([1.0, 0.0, 3.0]))

"""Fourier transforms of every short length, where half a spectrum has its special frequencies."""

import numpy as np
import pytest

from dotbar import grad, jvp, vjp

NORMS = ("backward", "ortho", "forward")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_adjoint_at_every_length(name, norm):
    transform, rng = getattr(np.fft, name), np.random.default_rng(0)
    for length in range(1, 7):
        for n in range(1, 8):
            x, t = (rng.standard_normal(length) for _ in range(2))
            if name not in ("rfft", "ihfft"):
                x, t = x + 1j * rng.standard_normal(length), t + 1j * rng.standard_normal(length)
            f = lambda x, n=n: transform(x, n, norm=norm)
            y, ydot = jvp(f, (x,), (t,))
            np.testing.assert_allclose(ydot, f(t), atol=1e-14)
            ybar = rng.standard_normal(n)[: len(y)].astype(y.dtype)
            if np.iscomplexobj(y):
                ybar = ybar + 1j * rng.standard_normal(len(y))
            (xbar,) = vjp(f, x)[1](ybar)
            np.testing.assert_allclose(np.vdot(ybar, ydot).real, np.vdot(xbar, t).real, atol=1e-12)


def test_irfft_ignores_what_a_real_signal_cannot_have():
    z = np.array([1 + 2j, 3 + 4j, 5 + 6j])
    zbar = grad(lambda z: np.sum(np.fft.irfft(z) ** 2))(z)
    assert zbar[0].imag == zbar[-1].imag == 0
    assert zbar[1].imag != 0


@pytest.mark.parametrize("name", ["fft", "rfft", "irfft", "fft2", "irfftn", "fftshift"])
def test_single_precision_is_kept(name):
    x = np.ones((3, 4), np.complex64 if name.startswith("irfft") else np.float32)
    y, pullback = vjp(getattr(np.fft, name), x)
    assert y.dtype in (np.float32, np.complex64)
    assert pullback(np.ones_like(y))[0].dtype == x.dtype


def test_out():
    def f(x):
        out = np.zeros(4, complex, like=x)
        np.fft.fft(x, out=out)
        return np.sum(np.abs(out) ** 2)

    x = np.arange(4.0)
    np.testing.assert_allclose(grad(f)(x), 8 * x)


@pytest.mark.parametrize("kw", [{"n": 0}, {"norm": "none"}, {"axis": 3}])
def test_errors(kw):
    with pytest.raises((ValueError, IndexError)) as plain:
        np.fft.fft(np.ones(3), **kw)
    with pytest.raises(type(plain.value)):
        grad(lambda x: np.sum(np.real(np.fft.fft(x, **kw))))(np.ones(3))

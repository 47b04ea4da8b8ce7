"""numpy.fft: linear, each transform the other's transpose up to the norm."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from dotbar.core import dtype_of, new_zeros, primitive, shape_of
from dotbar.rules.kinds import composite, linear
from dotbar.rules.words import conj

OPPOSITE: dict[Any, Any] = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


@primitive
def fit_length(x: Any, *, n: int, axis: int = -1) -> Any:
    """``x`` cut off, or continued by zeros, to length ``n`` along an axis, as the transforms do with their input."""
    axis = normalize_axis_index(axis, np.ndim(x))
    lead, now = (slice(None),) * axis, shape_of(x)
    if n <= now[axis]:
        return x[(*lead, slice(n))]
    y = new_zeros((*now[:axis], n, *now[axis + 1 :]), dtype_of(x), x)
    y[(*lead, slice(now[axis]))] = x
    return y


linear(
    fit_length,
    lambda ybar, x, *, n, axis=-1: fit_length(ybar, n=x.shape[axis], axis=axis),
    batch="axis",
)


def _transpose_of(transform: Any) -> Any:
    """The bar of a transform by F: x̄ = Fᴴ ȳ, which is the transform in the other direction with the opposite norm."""

    def bar(ybar: Any, a: Any, *, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
        return fit_length(transform(ybar, None, axis, OPPOSITE[norm]), n=a.shape[axis], axis=axis)

    return bar


linear(np.fft.fft, _transpose_of(np.fft.ifft), batch="axis")
linear(np.fft.ifft, _transpose_of(np.fft.fft), batch="axis")


def _twins(n: int, like: Any, ndim: int, axis: int, weight: float) -> Any:
    """1 for the frequencies 0 and n/2 of half a spectrum, ``weight`` for those that stand for two."""
    w = np.full(n // 2 + 1, weight, np.finfo(dtype_of(like)).dtype)
    w[0] = 1
    if n % 2 == 0:
        w[-1] = 1
    return np.reshape(w, [-1 if k == axis % ndim else 1 for k in range(ndim)])


def _rfft_bar(ybar: Any, a: Any, *, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    """x̄ = Re Σₖ ȳₖ exp(2πi jk/n): an irfft, which counts the inner frequencies twice."""
    n = a.shape[axis] if n is None else n
    half = ybar * _twins(n, ybar, a.ndim, axis, 0.5)
    return fit_length(np.fft.irfft(half, n, axis, OPPOSITE[norm]), n=a.shape[axis], axis=axis)


def _irfft_bar(ybar: Any, a: Any, *, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    """The rfft of ȳ, inner frequencies twice; the imaginary parts at 0 and n/2, which irfft ignores, are zero."""
    n = shape_of(ybar)[axis]
    spectrum = np.fft.rfft(ybar, None, axis, OPPOSITE[norm]) * _twins(n, ybar, a.ndim, axis, 2.0)
    return fit_length(spectrum, n=a.shape[axis], axis=axis)


linear(np.fft.rfft, _rfft_bar, batch="axis")
linear(np.fft.irfft, _irfft_bar, batch="axis")


@composite(np.fft.hfft)
def hfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    return np.fft.irfft(conj(a), n, axis, OPPOSITE.get(norm, norm))


@composite(np.fft.ihfft)
def ihfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    return conj(np.fft.rfft(a, n, axis, OPPOSITE.get(norm, norm)))


# ---------------------------------------------------------------- several axes


def _sizes(a: Any, s: Any, axes: Any) -> tuple[list[int], list[int]]:
    """The length of the transform along each axis; None or -1 keeps that of ``a``."""
    if axes is None:
        axes = range(-len(s), 0) if s is not None else range(-a.ndim, 0)
    axes = list(axes)
    s = [None] * len(axes) if s is None else list(s)
    if len(s) != len(axes):
        raise ValueError("Shape and axes have different lengths.")
    return [a.shape[k] if n in (None, -1) else n for n, k in zip(s, axes)], axes


def _along_axes(transform: Any, a: Any, s: Any, axes: Any, norm: Any) -> Any:
    for n, axis in zip(reversed(s), reversed(axes)):
        a = transform(a, n, axis, norm)
    return a


def _fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    return _along_axes(np.fft.fft, a, *_sizes(a, s, axes), norm)


def _ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    return _along_axes(np.fft.ifft, a, *_sizes(a, s, axes), norm)


def _rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    s, axes = _sizes(a, s, axes)
    return _along_axes(np.fft.fft, np.fft.rfft(a, s[-1], axes[-1], norm), s[:-1], axes[:-1], norm)


def _irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    sizes, axes = _sizes(a, s, axes)
    last = 2 * (sizes[-1] - 1) if s is None else sizes[-1]
    return np.fft.irfft(_along_axes(np.fft.ifft, a, sizes[:-1], axes[:-1], norm), last, axes[-1], norm)


def _two_axes(transform: Any) -> Any:
    def body(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
        return transform(a, s, axes, norm)

    return body


for _name, _body in {"fft": _fftn, "ifft": _ifftn, "rfft": _rfftn, "irfft": _irfftn}.items():
    composite(getattr(np.fft, f"{_name}n"))(_body)
    composite(getattr(np.fft, f"{_name}2"))(_two_axes(_body))


@composite(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Any:
    axes = _all_axes(x, axes)
    return np.roll(x, [x.shape[k] // 2 for k in axes], axes)


@composite(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Any:
    axes = _all_axes(x, axes)
    return np.roll(x, [-(x.shape[k] // 2) for k in axes], axes)


def _all_axes(x: Any, axes: Any) -> tuple[int, ...]:
    return tuple(range(x.ndim)) if axes is None else tuple(np.atleast_1d(axes).tolist())

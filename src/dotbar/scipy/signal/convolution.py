"""Convolutions and correlations of any number of dimensions."""

from typing import Any

import numpy as np
import scipy.signal as ss
from scipy.fft import next_fast_len

from dotbar.core import dtype_of, primitive, shape_of
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import rule
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import conj
from dotbar.scipy.binding import in_place_of


def mirrored(x: Any) -> Any:
    """The conjugate, reversed along every axis: what a cotangent is convolved with."""
    return conj(np.flip(x))


@primitive
def convolution(a: Any, b: Any, *, mode: str, method: str = "auto") -> Any:
    """All products of a and b ("full"), or those where b, the smaller, lies within a ("valid")."""
    return ss.convolve(a, b, mode, method)


@rule(convolution)
def _convolution(y: Any, a: Any, b: Any, *, mode: str, method: str = "auto") -> Any:
    """Each bar is the cotangent's convolution with the other array, mirrored: valid after full, full after valid."""

    def dot_a(adot: Any) -> Any:
        return convolution(adot, b, mode=mode, method=method)

    def bar_a(ybar: Any) -> Any:
        return convolution(ybar, mirrored(b), mode="valid" if mode == "full" else "full", method=method)

    def dot_b(bdot: Any) -> Any:
        return convolution(a, bdot, mode=mode, method=method)

    def bar_b(ybar: Any) -> Any:
        pair = (ybar, mirrored(a)) if mode == "full" else (mirrored(a), ybar)
        return convolution(*pair, mode="valid", method=method)

    return (dot_a, bar_a), (dot_b, bar_b)


def checked(choice: str, choices: Any, what: str) -> None:
    """SciPy's error for a name that it does not know."""
    if choice not in choices:
        raise ValueError(f"{choice!r} is no {what}; it is one of {', '.join(map(repr, choices))}.")


MODES = ("valid", "same", "full")


def centred(y: Any, shape: tuple[int, ...]) -> Any:
    """The middle part, of some shape."""
    starts = [(n - m) // 2 for n, m in zip(y.shape, shape)]
    return y[tuple(slice(start, start + m) for start, m in zip(starts, shape))]


def within(a: Any, b: Any) -> tuple[Any, Any]:
    """The two in the order in which the second is within the first."""
    if all(n >= m for n, m in zip(a.shape, b.shape)):
        return a, b
    if all(n <= m for n, m in zip(a.shape, b.shape)):
        return b, a
    raise ValueError("For 'valid' mode, one must be at least as large as the other in every dimension")


@in_place_of(ss.convolve)
def convolve(in1: Any, in2: Any, mode: str, method: str) -> Any:
    checked(mode, MODES, "mode")
    checked(method, ("auto", "direct", "fft"), "method")
    a, b = inexact(in1), inexact(in2)
    if a.ndim == b.ndim == 0:
        return a * b
    if mode == "valid":
        return convolution(*within(a, b), mode="valid", method=method)
    y = convolution(a, b, mode="full", method=method)
    return centred(y, a.shape) if mode == "same" else y


@in_place_of(ss.correlate)
def correlate(in1: Any, in2: Any, mode: str, method: str) -> Any:
    return convolve(in1, mirrored(inexact(in2)), mode, method)


def by_transforms(in1: Any, in2: Any, mode: str, axes: Any) -> Any:
    """The convolution along some axes, over the others entry by entry."""
    checked(mode, MODES, "mode")
    a, b = inexact(in1), inexact(in2)
    if a.ndim != b.ndim:
        raise ValueError("in1 and in2 should have the same dimensionality")
    if not (a.size and b.size):
        return np.zeros(0)
    if a.ndim == 0:
        return a * b
    axes = range(a.ndim) if axes is None else np.atleast_1d(axes)
    axes = [int(axis) % a.ndim for axis in axes]
    if mode == "valid":
        a_is_larger = all(a.shape[k] >= b.shape[k] for k in axes)
        a, b = (a, b) if a_is_larger else (b, a)
    axes = [k for k in axes if a.shape[k] != 1 and b.shape[k] != 1]
    real = "c" not in (a.dtype.kind, b.dtype.kind)
    whole = [next_fast_len(a.shape[k] + b.shape[k] - 1, real) for k in axes]
    if not axes:
        y = a * b
    elif not real:
        y = np.fft.ifftn(np.fft.fftn(a, whole, axes) * np.fft.fftn(b, whole, axes), whole, axes)
    else:
        y = np.fft.irfftn(np.fft.rfftn(a, whole, axes) * np.fft.rfftn(b, whole, axes), whole, axes)
    y = y[tuple(slice(a.shape[k] + b.shape[k] - 1 if k in axes else None) for k in range(a.ndim))]
    if mode == "full":
        return y
    part = list(y.shape)
    for k in axes:
        part[k] = a.shape[k] if mode == "same" else a.shape[k] - b.shape[k] + 1
    return centred(y, tuple(part))


@in_place_of(ss.fftconvolve)
def fftconvolve(in1: Any, in2: Any, mode: str, axes: Any) -> Any:
    return by_transforms(in1, in2, mode, axes)


@in_place_of(ss.oaconvolve)
def oaconvolve(in1: Any, in2: Any, mode: str, axes: Any) -> Any:
    return by_transforms(in1, in2, mode, axes)


def framed(x: Any, frame: Any, mode: str, value: Any) -> Any:
    """The array continued beyond its edges; a constant value there may be traced alone."""
    if mode != "constant":
        return np.pad(x, frame, mode)
    outside = np.pad(np.zeros(x.shape, dtype_of(x)), frame, constant_values=1)
    return np.pad(x, frame) + outside * value


BOUNDARIES = {
    "fill": "constant",
    "pad": "constant",
    "wrap": "wrap",
    "circular": "wrap",
    "symm": "symmetric",
    "symmetric": "symmetric",
}


@in_place_of(ss.convolve2d)
def convolve2d(in1: Any, in2: Any, mode: str, boundary: str, fillvalue: Any) -> Any:
    """The larger array is continued beyond its edges, so that the product is a valid one."""
    checked(mode, MODES, "mode")
    checked(boundary, BOUNDARIES, "boundary")
    a, b = inexact(in1), inexact(in2)
    if not a.ndim == b.ndim == 2:
        raise ValueError("convolve2d inputs must both be 2-D arrays")
    if mode == "valid":
        return convolution(*within(a, b), mode="valid", method="direct")
    frame = [(m - 1, m - 1) for m in b.shape]
    extended = framed(a, frame, BOUNDARIES[boundary], fillvalue)
    y = convolution(extended, b, mode="valid", method="direct")
    return centred(y, a.shape) if mode == "same" else y


@in_place_of(ss.correlate2d)
def correlate2d(in1: Any, in2: Any, mode: str, boundary: str, fillvalue: Any) -> Any:
    a, b = inexact(in1), inexact(in2)
    if mode != "same":
        return convolve2d(a, mirrored(b), mode, boundary, fillvalue)
    y = convolve2d(a, mirrored(b), "full", boundary, fillvalue)
    starts = [m - 1 - (m - 1) // 2 for m in b.shape]  # of an even size the other of two middles
    return y[tuple(slice(start, start + n) for start, n in zip(starts, a.shape))]


@in_place_of(ss.wiener)
def wiener(im: Any, mysize: Any, noise: Any) -> Any:
    """Local mean and variance; where the noise is stronger than the signal, the mean.  Lim (1990), (8.28)."""
    im = inexact(im)
    size = np.broadcast_to(3 if mysize is None else mysize, (im.ndim,))
    window = np.ones(tuple(size))
    mean = correlate(im, window, "same", "auto") / window.size
    variance = correlate(im**2, window, "same", "auto") / window.size - mean**2
    noise = np.mean(np.ravel(variance)) if noise is None else noise
    weak = variance < noise
    return np.where(weak, mean, (im - mean) * (1 - noise / np.where(weak, 1.0, variance)) + mean)


def windows(x: Any, size: tuple[int, ...]) -> Any:
    """What lies in the window around each entry, along a new last axis; zeros lie beyond the edges."""
    padded = np.pad(x, [(n // 2, n // 2) for n in size])
    return np.reshape(np.lib.stride_tricks.sliding_window_view(padded, size), (*shape_of(x), -1))


@in_place_of(ss.medfilt)
def medfilt(volume: Any, kernel_size: Any) -> Any:
    """The median in a window; zeros lie beyond the edges."""
    size = np.broadcast_to(3 if kernel_size is None else kernel_size, (np.ndim(volume),))
    if not all(n % 2 for n in size):
        raise ValueError("Each element of kernel_size should be odd.")
    return np.sort(windows(volume, tuple(size)), -1)[..., int(np.prod(size)) // 2]


@in_place_of(ss.medfilt2d)
def medfilt2d(input: Any, kernel_size: Any) -> Any:
    if np.ndim(input) != 2:
        raise ValueError("medfilt2d takes 2-D arrays")
    return medfilt(input, kernel_size)


@in_place_of(ss.order_filter)
def order_filter(a: Any, domain: Any, rank: int) -> Any:
    """The entry of some rank among those under the window's ones; zeros lie beyond the edges."""
    domain = np.asarray(domain)
    if not all(n % 2 for n in domain.shape):
        raise NoRuleError("scipy.signal.order_filter has a rule for windows of odd sizes.")
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(a, [(n // 2, n // 2) for n in domain.shape]), domain.shape
    )
    chosen = np.reshape(windows, (*shape_of(a), -1))[..., np.nonzero(np.ravel(domain))[0]]
    return np.sort(chosen, -1)[..., rank]

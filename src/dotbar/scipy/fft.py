"""``scipy.fft``: Fourier transforms by NumPy's, cosine and sine transforms of every type, the fast Hankel transform."""

from collections.abc import Callable
from functools import cache
from math import log, pi, sqrt
from operator import index
from typing import Any

import numpy as np
import scipy.fft as _fft
from numpy.lib.array_utils import normalize_axis_tuple

from dotbar.core import Traced, as_array, dtype_of, primitive
from dotbar.rules.fft import OPPOSITE, fit_length
from dotbar.rules.kinds import composite, linear, match
from dotbar.rules.words import conj
from dotbar.scipy.mirror import OWN, dispatching
from dotbar.scipy.mirror import members as _members
from dotbar.scipy.special.ufuncs import loggamma, poch


def _own(name: str) -> Any:
    """SciPy's function, made to ask its rule; SciPy's is an object that looks for a backend."""
    original = getattr(_fft, name)
    return OWN.setdefault(original, dispatching(original))


# ---------------------------------------------------------------- Fourier


def _along(x: Any, s: Any, axes: Any) -> tuple[list[int], list[int]]:
    """The length of the transform along each axis; -1 keeps that of x."""
    s = None if s is None else np.atleast_1d(s).tolist()
    if axes is None:
        axes = range(-x.ndim if s is None else -len(s), 0)
    axes = [*normalize_axis_tuple(np.atleast_1d(axes).tolist(), x.ndim)]
    s = [-1] * len(axes) if s is None else s
    if len(s) != len(axes):
        raise ValueError("when given, axes and shape arguments have to be of the same length")
    return [x.shape[k] if n == -1 else n for n, k in zip(s, axes)], axes


def _hfftn(x: Any, s: Any, axes: Any, norm: Any) -> Any:
    return np.fft.irfftn(conj(x), s, axes, OPPOSITE[norm])


def _ihfftn(x: Any, s: Any, axes: Any, norm: Any) -> Any:
    return conj(np.fft.rfftn(x, s, axes, OPPOSITE[norm]))


def _half(name: str) -> bool:
    """Whether the result is longer than what is given: half of a spectrum."""
    return name.startswith(("irfft", "hfft"))


def _several(name: str, transform: Any, default: Any) -> Callable[..., Any]:
    def body(x: Any, s: Any = None, axes: Any = default, norm: Any = None, overwrite_x: bool = False, **kw: Any) -> Any:
        x = as_array(x)
        sizes, axes = _along(x, s, axes)
        if s is None and _half(name):
            sizes[-1] = 2 * (sizes[-1] - 1)
        return transform(x, sizes, axes, norm)

    return body


def _single(transform: Any) -> Callable[..., Any]:
    def body(x: Any, n: Any = None, axis: int = -1, norm: Any = None, overwrite_x: bool = False, **kw: Any) -> Any:
        return transform(as_array(x), n, axis, norm)

    return body


for _name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    composite(_own(_name))(_single(getattr(np.fft, _name)))
    _transform = {"hfft": _hfftn, "ihfft": _ihfftn}.get(_name) or getattr(np.fft, f"{_name}n")
    composite(_own(f"{_name}2"))(_several(_name, _transform, (-2, -1)))
    composite(_own(f"{_name}n"))(_several(_name, _transform, None))

composite(dispatching(_fft.fftshift))(lambda x, axes=None: np.fft.fftshift(x, axes))
composite(dispatching(_fft.ifftshift))(lambda x, axes=None: np.fft.ifftshift(x, axes))
composite(dispatching(_fft.fftfreq))(lambda n, d=1.0, **kw: _fft.fftfreq(n, **kw) / d)
composite(dispatching(_fft.rfftfreq))(lambda n, d=1.0, **kw: _fft.rfftfreq(n, **kw) / d)


# ---------------------------------------------------------------- cosine and sine


@primitive
def trigonometric(x: Any, *, name: str, type: int, axis: int = -1, norm: Any = None, orthogonalize: Any = None) -> Any:
    """One of dct, idct, dst and idst."""
    return getattr(_fft, name)(x, type, None, axis, norm, orthogonalize=orthogonalize)


INVERSE = {"dct": "idct", "idct": "dct", "dst": "idst", "idst": "dst"}
ENDS: dict[tuple[str, int], tuple[tuple[int, ...], tuple[int, ...]]] = {
    ("dct", 1): ((0, -1), (0, -1)),
    ("dct", 2): ((), (0,)),
    ("dct", 3): ((0,), ()),
    ("dst", 2): ((), (-1,)),
    ("dst", 3): ((-1,), ()),
}
"""Where a transform of a type that is not orthogonalised divides its input, and multiplies its output, by √2."""


def _weighted(x: Any, ends: tuple[int, ...], weight: float, axis: int) -> Any:
    """The entries at some ends of an axis times a weight."""
    if not ends:
        return x
    w = np.ones(x.shape[axis], np.finfo(dtype_of(x)).dtype)
    w[list(ends)] = weight
    return x * np.reshape(w, [-1 if k == axis % x.ndim else 1 for k in range(x.ndim)])


@cache
def _complex_by_norm() -> bool:
    """Whether SciPy, as 1.17 does, ignores ``orthogonalize`` for complex input."""
    return _fft.dct(np.ones(2) + 0j, orthogonalize=True)[0].real == _fft.dct(np.ones(2))[0]


def _transposed(
    ybar: Any, x: Any, *, name: str, type: int, axis: int = -1, norm: Any = None, orthogonalize: Any = None
) -> Any:
    """Orthogonalised, the transpose is the inverse of opposite norm; otherwise D = W D° V with weights at the ends.

    Makhoul (1980), IEEE Trans. Acoust. 28; the weights are those that scipy.fft documents for ``orthogonalize``.
    """
    before, after = ENDS.get((name[-3:], type), ((), ()))
    if orthogonalize is None or (dtype_of(x).kind == "c" and _complex_by_norm()):
        orthogonalize = norm == "ortho"
    if orthogonalize:
        before = after = ()
    if name[0] == "i":
        before, after = after, before
    ybar = _weighted(ybar, after, sqrt(2), axis)
    inverse = lambda t: trigonometric(
        t, name=INVERSE[name], type=type, axis=axis, norm=OPPOSITE[norm], orthogonalize=True
    )
    xbar = inverse(np.real(ybar)) + 1j * inverse(np.imag(ybar)) if dtype_of(ybar).kind == "c" else inverse(ybar)
    return _weighted(xbar, before, sqrt(0.5), axis)


linear(trigonometric, _transposed, batch="axis")


def _one_axis(name: str) -> Callable[..., Any]:
    def body(
        x: Any,
        type: int = 2,
        n: Any = None,
        axis: int = -1,
        norm: Any = None,
        overwrite_x: bool = False,
        workers: Any = None,
        orthogonalize: Any = None,
    ) -> Any:
        x = as_array(x)
        x = x if n is None else fit_length(x, n=n, axis=axis)
        return trigonometric(x, name=name, type=index(type), axis=axis, norm=norm, orthogonalize=orthogonalize)

    return body


def _all_axes(name: str) -> Callable[..., Any]:
    def body(
        x: Any,
        type: int = 2,
        s: Any = None,
        axes: Any = None,
        norm: Any = None,
        overwrite_x: bool = False,
        workers: Any = None,
        orthogonalize: Any = None,
    ) -> Any:
        x = as_array(x)
        for n, axis in zip(*_along(x, s, axes)):
            x = fit_length(x, n=n, axis=axis)
            x = trigonometric(x, name=name, type=index(type), axis=axis, norm=norm, orthogonalize=orthogonalize)
        return x

    return body


for _name in INVERSE:
    composite(_own(_name))(_one_axis(_name))
    composite(_own(f"{_name}n"))(_all_axes(_name))


# ---------------------------------------------------------------- Hankel


def _coefficients(n: int, dln: Any, mu: Any, offset: Any, bias: Any) -> Any:
    """2^q (kr)^(−2iy) Γ((μ+1+q)/2 + iy) / Γ((μ+1−q)/2 − iy)* at q = bias.  Hamilton (2000), MNRAS 312, (B25)-(B27)."""
    above, below = (mu + 1 + bias) / 2, (mu + 1 - bias) / 2
    y = np.linspace(0, pi * (n // 2) / n, n // 2 + 1) / dln
    up, down = loggamma(above + 1j * y), loggamma(below + 1j * y)
    size = np.real(up) - np.real(down) + log(2) * bias
    phase = np.imag(up) + np.imag(down) + 2 * (log(2) - offset) * y
    u = np.exp(size + 1j * phase)
    first = np.real(u[:1])
    first = np.where(np.isfinite(first), first, 2**bias * poch(below, above - below))
    last = np.real(u[-1:]) if n % 2 == 0 else u[-1:]
    return np.concatenate([first, u[1:-1], last])


def _biased(a: Any, bias: Any, dln: Any, offset: Any = 0.0) -> Any:
    """``a`` times exp(−bias (ln r + offset)), where it is biased."""
    if not isinstance(bias, Traced) and bias == 0:
        return a
    n = a.shape[-1]
    return a * np.exp(-bias * ((np.arange(n) - (n - 1) / 2) * dln + offset))


def _hankel(a: Any, filtered: Callable[[Any], Any]) -> Any:
    return match(np.flip(np.fft.irfft(filtered(np.fft.rfft(a)), a.shape[-1]), -1), a)


@composite(_own("fht"))
def _fht(a: Any, dln: Any, mu: Any, offset: Any = 0.0, bias: Any = 0.0) -> Any:
    u = _coefficients(a.shape[-1], dln, mu, offset, bias)
    u = np.where(np.isinf(u), 0, u)  # a singular transform
    return _biased(_hankel(_biased(a, bias, dln), lambda A: A * u), bias, dln, offset)


@composite(_own("ifht"))
def _ifht(A: Any, dln: Any, mu: Any, offset: Any = 0.0, bias: Any = 0.0) -> Any:
    u = _coefficients(A.shape[-1], dln, mu, offset, bias)
    u = np.where(u == 0, np.inf, u)  # a singular transform
    return _biased(_hankel(_biased(A, -bias, dln, offset), lambda A: A / conj(u)), -bias, dln)


@composite(dispatching(_fft.fhtoffset))
def _fhtoffset(dln: Any, mu: Any, initial: Any = 0.0, bias: Any = 0.0) -> Any:
    """The number of whole turns is locally constant."""
    y = pi / (2 * dln)
    angles = (np.imag(loggamma((mu + 1 + s * bias) / 2 + 1j * y)) for s in (1, -1))
    turns = (log(2) - initial) / dln + sum(angles) / pi
    return initial + (turns - np.round(turns)) * dln


__getattr__, __dir__, __all__ = _members("scipy.fft")

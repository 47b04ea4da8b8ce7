"""``scipy.signal.windows``: in the parameters that shape them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.signal.windows as sw

from dotbar.core import Traced
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import raise_if
from dotbar.scipy import special as sc
from dotbar.scipy.binding import in_place_of
from dotbar.scipy.linalg import eigh_tridiagonal
from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.signal.windows")


def window_of_length(M: int, sym: bool, formula: Callable[[int], Any]) -> Any:
    """A window by its formula; a periodic one lacks the last value of a symmetric one that is longer by one."""
    if M <= 1:
        return np.ones(M)
    return formula(M) if sym else formula(M + 1)[..., :-1]


def centred(M: int) -> Any:
    """The places, counted from the middle."""
    return np.arange(M) - (M - 1) / 2


@in_place_of(sw.general_cosine)
def general_cosine(M: int, a: Any, sym: bool) -> Any:
    """Σ aₖ cos(kφ), φ from −π to π."""
    a = np.stack([*a]) if isinstance(a, (list, tuple)) else a
    return window_of_length(M, sym, lambda M: np.cos(np.linspace(-np.pi, np.pi, M)[:, None] * np.arange(len(a))) @ a)


@in_place_of(sw.general_hamming)
def general_hamming(M: int, alpha: Any, sym: bool) -> Any:
    return general_cosine(M, [alpha, 1.0 - alpha], sym)


@in_place_of(sw.kaiser)
def kaiser(M: int, beta: Any, sym: bool) -> Any:
    """I₀(β √(1 − x²)) / I₀(β), x from −1 to 1."""
    root = lambda M: np.sqrt(1 - (centred(M) / ((M - 1) / 2)) ** 2)
    return window_of_length(M, sym, lambda M: sc.i0(beta * root(M)) / sc.i0(inexact(beta)))


@in_place_of(sw.kaiser_bessel_derived)
def kaiser_bessel_derived(M: int, beta: Any, sym: bool) -> Any:
    """The roots of the sums of a Kaiser window, up and down."""
    if not sym or M % 2:
        raise ValueError("Kaiser-Bessel Derived windows are only defined for symmetric shapes of an even length.")
    if M < 1:
        return np.zeros(0)
    total = np.cumsum(kaiser(M // 2 + 1, beta))
    half = np.sqrt(total[:-1] / total[-1])
    return np.concatenate([half, half[::-1]])


@in_place_of(sw.gaussian)
def gaussian(M: int, std: Any, sym: bool) -> Any:
    """exp(−n²/(2σ²))."""
    return window_of_length(M, sym, lambda M: np.exp(-(centred(M) ** 2) / (2 * inexact(std) ** 2)))


@in_place_of(sw.general_gaussian)
def general_gaussian(M: int, p: Any, sig: Any, sym: bool) -> Any:
    """exp(−|n/σ|²ᵖ/2)."""
    p, sig = inexact(p), inexact(sig)
    return window_of_length(M, sym, lambda M: np.exp(-0.5 * np.abs(centred(M)) ** (2 * p) / np.abs(sig) ** (2 * p)))


@in_place_of(sw.exponential)
def exponential(M: int, center: Any, tau: Any, sym: bool) -> Any:
    """exp(−|n − c|/τ)."""
    if sym and center is not None:
        raise ValueError("If sym==True, center must be None.")
    middle = lambda M: (M - 1) / 2 if center is None else center
    return window_of_length(M, sym, lambda M: np.exp(-np.abs(np.arange(M) - middle(M)) / tau))


@in_place_of(sw.tukey)
def tukey(M: int, alpha: Any, sym: bool) -> Any:
    """(1 − cos(2πm/(α(M − 1))))/2 at m places from an end, 1 further inside."""
    alpha = np.minimum(inexact(alpha), 1.0)

    def formula(M: int) -> Any:
        m, width = np.minimum(np.arange(M), np.arange(M)[::-1]), alpha * (M - 1) / 2
        inside = m >= width
        return np.where(inside, 1.0, 0.5 * (1 - np.cos(np.pi * m / np.where(inside, 1.0, width))))

    return window_of_length(M, sym, formula)


@in_place_of(sw.chebwin)
def chebwin(M: int, at: Any, sym: bool) -> Any:
    """Its transform is T(β cos(πk/M)) of order M − 1, with T(β) the attenuation.  Dolph (1946)."""

    def formula(M: int) -> Any:
        order = M - 1.0
        beta = np.cosh(np.arccosh(10 ** (np.abs(inexact(at)) / 20)) / order)
        x = beta * np.cos(np.pi * np.arange(M) / M)
        outside = np.abs(x) > 1
        far = np.cosh(order * np.arccosh(np.where(outside, np.abs(x), 2.0))) * np.where(x < 0, 2 * (M % 2) - 1, 1)
        T = np.where(outside, far, np.cos(order * np.arccos(np.where(outside, 0.0, x))))
        shift = np.exp(1j * np.pi / M * np.arange(M)) if M % 2 == 0 else 1.0
        half = np.real(np.fft.fft(T * shift))[1 - M % 2 : M // 2 + 1]
        w = np.concatenate([half[M % 2 :][::-1], half])
        return w / np.max(w)

    return window_of_length(M, sym, formula)


@in_place_of(sw.taylor)
def taylor(M: int, nbar: int, sll: Any, norm: bool, sym: bool) -> Any:
    """1 + 2 Σ Fₘ cos(2πmx), the first n̄ zeros of the transform moved.  Carrara & Goodman (1995), appendix D.2."""
    A = np.arccosh(10 ** (inexact(sll) / 20)) / np.pi
    m = np.arange(1.0, nbar)
    shift = nbar**2 / (A**2 + (nbar - 0.5) ** 2)
    above = np.prod(1 - m[:, None] ** 2 / shift / (A**2 + (m - 0.5) ** 2), 1)
    ratios = m[:, None] ** 2 / m**2
    below = np.prod(1 - np.where(ratios == 1, 0.0, ratios), 1)
    F = -((-1.0) ** m) * above / (2 * below)
    at = lambda n, M: 1 + 2 * np.cos(2 * np.pi * (n[:, None] - M / 2 + 0.5) / M * m) @ F

    def formula(M: int) -> Any:
        w = at(np.arange(M), M)
        return w / at(np.array([(M - 1) / 2]), M) if norm else w

    return window_of_length(M, sym, formula)


@in_place_of(sw.dpss)
def dpss(M: int, NW: Any, Kmax: int | None, sym: bool, norm: Any, return_ratios: bool) -> Any:
    """Eigenvectors of a tridiagonal matrix.  Percival & Walden (1993), 8.3; their signs, p. 379; ratios, p. 390."""
    count, norm = Kmax or 1, norm or ("approximate" if Kmax is None else 2)
    raise_if((NW >= M / 2) | (NW <= 0), error=ValueError("NW must be positive and less than M/2."))
    if not 0 < count <= M or M <= 1:
        raise ValueError("Kmax must be greater than 0 and less than M, and M larger than 1.")
    length = M if sym else M + 1
    n, W = np.arange(length, dtype=float), NW / length
    d, e = ((length - 1 - 2 * n) / 2) ** 2 * np.cos(2 * np.pi * inexact(W)), n[1:] * (length - n[1:]) / 2
    V = np.flip(eigh_tridiagonal(d, e, select="i", select_range=(length - count, length - 1))[1], 1).T
    even = np.arange(count) % 2 == 0
    first = np.argmax(np.abs(V) > max(1e-7, 1 / length) ** 0.5, 1)
    V = V * np.where(np.where(even, np.sum(V, 1), V[np.arange(count), first]) < 0, -1.0, 1.0)[:, None]
    r = 4 * W * np.sinc(2 * W * n) * np.where(n == 0, 0.5, 1.0)
    products = np.stack([np.sum(V[:, : length - k] * V[:, k:], 1) for k in range(length)], 1) if return_ratios else V
    if norm != 2:
        V = V / np.max(V)
        if length % 2 == 0 and norm == "approximate":
            V = V * (length**2 / (length**2 + NW))
        elif length % 2 == 0:
            s = np.fft.rfft(V[0])
            s = s[1:] * 2 * np.exp(1j * np.pi * (1 - 1 / length) * np.arange(1, length // 2 + 1)) + 0 * s[0]
            V = V * (length / (np.real(np.sum(np.fft.rfft(V[0])[:1])) + np.real(np.sum(s))))
    V = V[:, :M]
    pick = (lambda x: x[0]) if Kmax is None else (lambda x: x)
    return (pick(V), pick(products @ r)) if return_ratios else pick(V)


BY_NAME = {
    "chebwin cheb": chebwin,
    "dpss": dpss,
    "exponential poisson": exponential,
    "gaussian gauss gss": gaussian,
    "general_cosine": general_cosine,
    "general_gaussian general_gauss ggs": general_gaussian,
    "general_hamming": general_hamming,
    "kaiser ksr": kaiser,
    "kaiser_bessel_derived kbd": kaiser_bessel_derived,
    "taylor taylorwin": taylor,
    "tukey tuk": tukey,
}
WITH_PARAMETERS = {name: f for names, f in BY_NAME.items() for name in names.split()}


@in_place_of(sw.get_window)
def get_window(window: Any, Nx: int, fftbins: bool) -> Any:
    if isinstance(window, Traced):
        return kaiser(Nx, window, not fftbins)
    name, sym = window[0], not fftbins
    for ending, is_symmetric in (("_symmetric", True), ("_periodic", False)):
        if name.endswith(ending):
            name, sym = name.removesuffix(ending), is_symmetric
    name = name.replace(" ", "_")
    if name not in WITH_PARAMETERS:
        raise ValueError(f"The window {name!r} has no parameters, but {len(window) - 1} are given.")
    return WITH_PARAMETERS[name](Nx, *window[1:], sym=sym)

"""Filters along an axis, in the signal and the coefficients, in time that grows as the signal does.

A filter is y = (b * x) / a: a finite one and a recursion.  The transpose of either is the same, backwards in time.
"""

from typing import Any

import numpy as np
import scipy.signal as ss

from dotbar.core import RULES, Traced, dtype_of, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import batch_loop, rule
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import conj, once, raise_if
from dotbar.scipy.binding import in_place_of
from dotbar.scipy.linalg import lstsq
from dotbar.scipy.signal.conversions import leading_zeros
from dotbar.scipy.signal.convolution import framed
from dotbar.scipy.signal.design import firwin


@primitive
def rational(b: Any, a: Any, x: Any) -> Any:
    """y with Σₖ a[k] y[n − k] = Σₖ b[k] x[n − k] along the last axis."""
    return ss.lfilter(b, a, x) if x.size else np.zeros(x.shape, np.result_type(b, a, x))


@primitive
def lags(u: Any, w: Any, *, count: int) -> Any:
    """Σₙ conj(u[n − k]) w[n] for the lags k < count, over all signals."""
    n = u.shape[-1]
    u, w = (np.reshape(v, (v.size // max(n, 1), n)) for v in np.broadcast_arrays(u, w))
    c = [np.vdot(u[:, : n - k], w[:, k:]) if k < n else 0.0 for k in range(count)]
    return np.asarray(c, np.result_type(u, w))


def finite(b: Any, x: Any) -> Any:
    """b * x along the last axis, as long as x."""
    return rational(b, np.ones(1, dtype_of(b)), x)


def recursion(a: Any, x: Any) -> Any:
    """The signal that a makes x of, along the last axis."""
    return rational(np.ones(1, dtype_of(a)), a, x)


def backwards(b: Any, a: Any, x: Any) -> Any:
    """The transpose of a filter in its signal."""
    return np.flip(rational(conj(b), conj(a), np.flip(x, -1)), -1)


def _batch_rational(xs: Any, batched: Any, size: int) -> Any:
    """Items of the signal alone are more signals."""
    return rational(*xs) if batched == [False, False, True] else batch_loop(RULES[rational], xs, batched, size, {})


@rule(rational, _batch_rational)
def _rational(y: Any, b: Any, a: Any, x: Any) -> Any:
    """a * ẏ = ḃ * x − ȧ * y + b * ẋ;  x̄ is ȳ filtered backwards, b̄ and ā are the products of x and y with ȳ/a."""

    @once
    def divided(ybar: Any) -> Any:
        return ybar / conj(a) if a.shape[0] == 1 else backwards(np.ones(1, a.dtype), a, ybar)

    def dot_b(dot: Any) -> Any:
        return rational(dot, a, x)

    def bar_b(ybar: Any) -> Any:
        return lags(x, divided(ybar), count=b.shape[0])

    def dot_a(dot: Any) -> Any:
        return -rational(dot, a, y)

    def bar_a(ybar: Any) -> Any:
        return -lags(y, divided(ybar), count=a.shape[0])

    def dot_x(dot: Any) -> Any:
        return rational(b, a, dot)

    def bar_x(ybar: Any) -> Any:
        return backwards(b, a, ybar)

    return (dot_b, bar_b), (dot_a, bar_a), (dot_x, bar_x)


@rule(lags)
def _lags(c: Any, u: Any, w: Any, *, count: int) -> Any:
    def dot_u(dot: Any) -> Any:
        return lags(dot, w, count=count)

    def bar_u(cbar: Any) -> Any:
        return backwards(cbar, np.ones(1, cbar.dtype), w)

    def dot_w(dot: Any) -> Any:
        return lags(u, dot, count=count)

    def bar_w(cbar: Any) -> Any:
        return finite(cbar, u)

    return (dot_u, bar_u), (dot_w, bar_w)


def of_kind(x: Any, kind: Any) -> Any:
    """An array of some dtype, without a copy if it is of that one."""
    return x if dtype_of(x) == kind else x.astype(kind)


def filtered(b: Any, a: Any, x: Any, zi: Any = None) -> tuple[Any, Any]:
    """The filtered signal along the last axis and the final state.

    The initial state is a signal that enters the recursion; the final one is what would come out of it at the end of
    the signal, taken back to its entrance.
    """
    b, a, x = inexact(b), inexact(a), inexact(x)
    kind = np.result_type(*map(dtype_of, (b, a, x)))
    b, a, x = np.atleast_1d(of_kind(b, kind)), np.atleast_1d(of_kind(a, kind)), of_kind(x, kind)
    n, order = x.shape[-1], max(len(a), len(b)) - 1
    if zi is None:
        return rational(b, a, x), None
    v = finite(b, filled(x, n + order))
    state = np.broadcast_to(zi, (*x.shape[:-1], order)) * a[0]
    y = recursion(a, v + filled(state, n + order))
    return y[..., :n], finite(a, y[..., n:]) / a[0]


@in_place_of(ss.lfilter)
def lfilter(b: Any, a: Any, x: Any, axis: int, zi: Any) -> Any:
    zi = zi if zi is None else np.moveaxis(inexact(zi), axis, -1)
    y, zf = filtered(b, a, np.moveaxis(inexact(x), axis, -1), zi)
    y = np.moveaxis(y, -1, axis)
    return y if zi is None else (y, np.moveaxis(zf, -1, axis))


@in_place_of(ss.lfilter_zi)
def lfilter_zi(b: Any, a: Any) -> Any:
    """The state that a constant signal of ones keeps: (1 − Aᵀ) z = b − a b₀ with the companion matrix A of a."""
    b, a = np.atleast_1d(inexact(b)), np.atleast_1d(inexact(a))
    a = a[leading_zeros(a) :]
    b, a = b / a[0], a / a[0]
    n = max(len(a), len(b))
    b, a = filled(b, n), filled(a, n)
    one = np.eye(n - 1, dtype=dtype_of(a))
    matrix = one - np.eye(n - 1, k=1, dtype=dtype_of(a)) + a[1:, None] * one[0]
    return np.linalg.solve(matrix, b[1:] - a[1:] * b[0])


def extended(x: Any, kind: str | None, edge: int) -> Any:
    """The signal continued beyond both ends along the last axis."""
    if kind is None or edge == 0:
        return x
    if x.shape[-1] <= edge:
        raise ValueError(f"The length of the input vector x must be greater than padlen, which is {edge}.")
    first, last = x[..., :1], x[..., -1:]
    left, right = np.flip(x[..., 1 : edge + 1], -1), np.flip(x[..., -edge - 1 : -1], -1)
    if kind == "odd":
        left, right = 2 * first - left, 2 * last - right
    elif kind == "constant":
        left, right = first + 0 * left, last + 0 * right
    elif kind == "zeros":
        left, right = 0 * left, 0 * right
    elif kind != "even":
        raise ValueError(f"Unknown value '{kind}' given to padtype.")
    return np.concatenate([left, x, right], -1)


def both_ways(run: Any, x: Any, axis: int, padtype: str | None, edge: int) -> Any:
    """A filter forwards and backwards, each from the state that its first value would keep."""
    x = np.moveaxis(inexact(x), axis, -1)
    edge = 0 if padtype is None else edge
    y = extended(x, padtype, edge)
    for _ in range(2):
        y = np.flip(run(y), -1)
    return np.moveaxis(y[..., edge : y.shape[-1] - edge], -1, axis)


@in_place_of(ss.lfiltic)
def lfiltic(b: Any, a: Any, y: Any, x: Any) -> Any:
    """The state left by outputs and inputs before: zₘ = Σ bₘ₊₁₊ₖ xₖ − Σ aₘ₊₁₊ₖ yₖ, the latest first."""
    b, a, y = (np.atleast_1d(inexact(v)) for v in (b, a, y))
    x = np.zeros(len(b) - 1) if x is None else np.atleast_1d(inexact(x))
    order = max(len(b), len(a)) - 1

    def remembered(c: Any, v: Any) -> Any:
        v = filled(v, max(len(c) - 1, len(v)))
        rows = [np.sum(c[m + 1 :] * v[: len(c) - 1 - m]) for m in range(len(c) - 1)]
        return filled(np.stack(rows), order) if rows else np.zeros(order)

    return (remembered(b, x) - remembered(a, y)) / a[0]


def agreeing(b: Any, a: Any, x: Any, length: int | None) -> Any:
    """Forwards and backwards, from states for which backwards and forwards gives nearly the same.

    A state at the start adds to the latter its response, and to the former what the way back makes of this; one at the
    end likewise, mirrored.  Responses of some length only change the ends.  Gustafsson (1996), (5) to (7).
    """
    order, n = max(len(a), len(b)) - 1, x.shape[-1]
    if order == 0:
        return (b[0] / a[0]) ** 2 * x
    on, back = (lambda v: filtered(b, a, v)[0]), (lambda v: np.flip(filtered(b, a, np.flip(v, -1))[0], -1))
    m = n if length is None or n <= 2 * length else length
    response = filtered(b, a, np.zeros(m), np.eye(order)[0])[0]
    free = np.stack([np.concatenate([np.zeros(min(k, m)), response[: max(m - k, 0)]]) for k in range(order)])
    mirrored, Sr = np.flip(free, -1), back(free)
    start, end = Sr - free, mirrored - np.flip(Sr, -1)
    y = back(on(x))
    gap = on(back(x)) - y
    adjusted = lambda M, W, gap: np.reshape(lstsq(M.T, np.reshape(gap, (-1, m)).T)[0].T @ W, gap.shape)
    if m == n:
        return y + of_kind(adjusted(np.concatenate([start, end]), np.concatenate([Sr, mirrored]), gap), dtype_of(y))
    ends = adjusted(start, Sr, gap[..., :m]), adjusted(end, mirrored, gap[..., n - m :])
    between = np.zeros((*x.shape[:-1], n - 2 * m))
    return y + of_kind(np.concatenate([ends[0], between, ends[1]], -1), dtype_of(y))


@in_place_of(ss.filtfilt)
def filtfilt(b: Any, a: Any, x: Any, axis: int, padtype: str, padlen: Any, method: str, irlen: Any) -> Any:
    if method not in ("pad", "gust"):
        raise ValueError("method must be 'pad' or 'gust'.")
    b, a = np.atleast_1d(inexact(b)), np.atleast_1d(inexact(a))
    if method == "gust":
        return np.moveaxis(agreeing(b, a, np.moveaxis(inexact(x), axis, -1), irlen), -1, axis)
    zi = lfilter_zi(b, a)
    edge = 3 * max(len(a), len(b)) if padlen is None else padlen
    return both_ways(lambda y: filtered(b, a, y, zi * y[..., :1])[0], x, axis, padtype, edge)


# ---------------------------------------------------------------- sections of second order


def sections_of(sos: Any) -> Any:
    """The coefficients of sections, checked as SciPy does."""
    sos = np.atleast_2d(inexact(sos))
    if sos.ndim != 2 or sos.shape[1] != 6:
        raise ValueError("sos array must be shape (n_sections, 6)")
    raise_if(np.any(sos[:, 3] != 1), error=ValueError("sos[:, 3] should be all ones"))
    return sos


def sections(sos: Any, x: Any, zi: Any = None) -> tuple[Any, Any]:
    """One section after the other along the last axis; their states have the axis of sections first."""
    states = []
    for i in range(sos.shape[0]):
        x, zf = filtered(sos[i, :3], sos[i, 3:], x, None if zi is None else zi[i])
        states.append(zf)
    return x, None if zi is None else np.stack(states)


@in_place_of(ss.sosfilt)
def sosfilt(sos: Any, x: Any, axis: int, zi: Any) -> Any:
    axis = axis % np.ndim(x)
    zi = zi if zi is None else np.moveaxis(inexact(zi), axis + 1, -1)
    y, zf = sections(sections_of(sos), np.moveaxis(inexact(x), axis, -1), zi)
    y = np.moveaxis(y, -1, axis)
    return y if zi is None else (y, np.moveaxis(zf, -1, axis + 1))


@in_place_of(ss.sosfilt_zi)
def sosfilt_zi(sos: Any) -> Any:
    """The states that a constant signal keeps: each section is given what those before make of it."""
    sos, gain, states = sections_of(sos), 1.0, []
    for i in range(sos.shape[0]):
        states.append(gain * lfilter_zi(sos[i, :3], sos[i, 3:]))
        gain = gain * np.sum(sos[i, :3]) / np.sum(sos[i, 3:])
    return np.stack(states)


@in_place_of(ss.sosfiltfilt)
def sosfiltfilt(sos: Any, x: Any, axis: int, padtype: str, padlen: Any) -> Any:
    sos = sections_of(sos)
    zi = sosfilt_zi(sos)
    if padlen is None:
        padlen = 3 * (2 * len(sos) + 1 - min(int(np.sum(sos[:, k] == 0)) for k in (2, 5)))
    start = lambda y: np.stack([zi[i] * y[..., :1] for i in range(len(sos))])
    return both_ways(lambda y: sections(sos, y, start(y))[0], x, axis, padtype, padlen)


@in_place_of(ss.deconvolve)
def deconvolve(signal: Any, divisor: Any) -> Any:
    """The quotient is the recursion's answer, the remainder what its product leaves."""
    num, den = (np.atleast_1d(v).astype(np.result_type(dtype_of(v), float)) for v in map(inexact, (signal, divisor)))
    if len(den) > len(num):
        return np.zeros(0), num
    quotient = recursion(den, num[: len(num) - len(den) + 1])
    return quotient, num - finite(den, np.concatenate([quotient, np.zeros(len(den) - 1)]))


# ---------------------------------------------------------------- changes of the rate


@primitive
def change_rate(h: Any, x: Any, *, up: int, down: int) -> Any:
    """y[n] = Σₖ h[n down − k up] x[k] along the last axis."""
    return ss.upfirdn(h, x, up, down)


def filled(x: Any, length: int) -> Any:
    """The signal with zeros behind it."""
    missing = length - x.shape[-1]
    return np.concatenate([x, np.zeros((*x.shape[:-1], missing), dtype_of(x))], -1) if missing else x


def spaced(x: Any, step: int) -> Any:
    """The signal with zeros between its values."""
    zeros = np.zeros((*x.shape, step - 1), dtype_of(x))
    return np.reshape(np.concatenate([x[..., None], zeros], -1), (*x.shape[:-1], -1))


def _batch_rate(xs: Any, batched: Any, size: int, **kw: Any) -> Any:
    return change_rate(*xs, **kw) if not batched[0] else batch_loop(RULES[change_rate], xs, batched, size, kw)


@rule(change_rate, _batch_rate)
def _change_rate(y: Any, h: Any, x: Any, *, up: int, down: int) -> Any:
    """The transpose goes up by ``down`` and down by ``up`` with the filter backwards, moved to meet the first value."""
    taps, n = h.shape[0], x.shape[-1]
    before = -(taps - 1) % up
    offset = (taps - 1 + before) // up

    def dot_h(dot: Any) -> Any:
        return change_rate(dot, x, up=up, down=down)

    def bar_h(ybar: Any) -> Any:
        u, w = spaced(x, up), spaced(ybar, down)
        length = max(u.shape[-1], w.shape[-1])
        return lags(filled(u, length), filled(w, length), count=taps)

    def dot_x(dot: Any) -> Any:
        return change_rate(h, dot, up=up, down=down)

    def bar_x(ybar: Any) -> Any:
        back = np.concatenate([np.zeros(before, dtype_of(h)), np.flip(conj(h))])
        found = change_rate(back, ybar, up=down, down=up)[..., offset : offset + n]
        missing = n - found.shape[-1]
        return (
            np.concatenate([found, np.zeros((*found.shape[:-1], missing), dtype_of(found))], -1) if missing else found
        )

    return (dot_h, bar_h), (dot_x, bar_x)


def continued(x: Any, beyond: int, mode: str, cval: Any) -> Any:
    """The signal with values beyond both ends, along the last axis."""
    n = x.shape[-1]
    k = np.arange(-beyond, n + beyond)
    frame = [(0, 0)] * (x.ndim - 1) + [(beyond, beyond)]
    if mode in ("smooth", "line"):
        left, right = (
            (x[..., 1] - x[..., 0], x[..., -1] - x[..., -2])
            if mode == "smooth"
            else ((x[..., -1] - x[..., 0]) / (n - 1),) * 2
        )
        slopes = np.minimum(k, 0) * left[..., None] + np.maximum(k - n + 1, 0) * right[..., None]
        return np.pad(x, frame, "edge") + slopes.astype(dtype_of(x))
    if mode == "antisymmetric":
        return np.pad(x, frame, "symmetric") * (1 - 2 * (k // n % 2)).astype(dtype_of(x))
    if mode == "antireflect":
        return np.pad(x, frame, "reflect", reflect_type="odd")
    if mode not in ("constant", "symmetric", "reflect", "edge", "wrap"):
        raise ValueError(f"Unknown mode: {mode}")
    return framed(x, frame, mode, cval)


@in_place_of(ss.upfirdn)
def upfirdn(h: Any, x: Any, up: int, down: int, axis: int, mode: str, cval: Any) -> Any:
    h, x = inexact(h), np.moveaxis(inexact(x), axis, -1)
    kind = np.result_type(dtype_of(h), dtype_of(x))
    h, x = of_kind(h, kind), of_kind(x, kind)
    if mode in ("constant", None) and not isinstance(cval, Traced) and cval == 0:
        return np.moveaxis(change_rate(h, x, up=up, down=down), -1, axis)
    count = ((x.shape[-1] - 1) * up + len(h) - 1) // down + 1
    beyond = -(-(len(h) - 1) // (up * down)) * down  # so many that they give whole numbers of results
    first = beyond * up // down
    y = change_rate(h, continued(x, beyond, mode, cval), up=up, down=down)[..., first : first + count]
    return np.moveaxis(y, -1, axis)


@in_place_of(ss.resample_poly)
def resample_poly(x: Any, up: int, down: int, axis: int, window: Any, padtype: str, cval: Any) -> Any:
    x = inexact(x)
    if up != int(up) or down != int(down) or min(up, down) < 1:
        raise ValueError(f"up and down must be integers >= 1, not {up} and {down}")
    if padtype != "constant" and cval is not None:
        raise ValueError(f"cval has no effect when padtype is {padtype}")
    common = np.gcd(int(up), int(down))
    up, down = int(up) // int(common), int(down) // int(common)
    if up == down == 1:
        return np.copy(x)
    n = x.shape[axis]
    length = -(-n * up // down)
    if isinstance(window, (str, tuple)):
        half = 10 * max(up, down)
        h = firwin(2 * half + 1, 1 / max(up, down), window=window).astype(dtype_of(np.real(x)))
    else:
        h = inexact(window)
        half = (len(h) - 1) // 2
    before = down - half % down
    first = (half + before) // down
    made = lambda after: ((n - 1) * up + len(h) + before + after - 1) // down + 1
    after = 0
    while made(after) < length + first:
        after += 1
    h = np.concatenate([np.zeros(before, dtype_of(h)), up * h, np.zeros(after, dtype_of(h))])
    level = {"mean": np.mean, "median": np.median, "minimum": np.min, "maximum": np.max}.get(padtype)
    background = level(x, axis, keepdims=True) if level else 0
    y = upfirdn(h, x - background, up, down, axis, "constant" if level else padtype, 0 if cval is None else cval)
    return np.moveaxis(np.moveaxis(y, axis, -1)[..., first : first + length], -1, axis) + background


@in_place_of(ss.decimate)
def decimate(x: Any, q: int, n: Any, ftype: Any, axis: int, zero_phase: bool) -> Any:
    x = inexact(x)
    kind = dtype_of(np.real(x))
    if ftype == "fir":
        b = ss.firwin((20 * q if n is None else n) + 1, 1 / q, window="hamming").astype(kind)
        if zero_phase:
            return resample_poly(x, 1, q, axis, b, "constant", None)
        y = upfirdn(b, x, 1, q, axis, "constant", 0)
        return np.moveaxis(np.moveaxis(y, axis, -1)[..., : -(-x.shape[axis] // q)], -1, axis)
    if ftype != "iir":
        if isinstance(ftype, str):
            raise ValueError("invalid ftype")
        raise NoRuleError("scipy.signal.decimate has a derivative for ftype='iir' and 'fir'; apply the system before.")
    sos = ss.cheby1(8 if n is None else n, 0.05, 0.8 / q, output="sos").astype(kind)
    y = sosfiltfilt(sos, x, axis, "odd", None) if zero_phase else sosfilt(sos, x, axis, None)
    return np.moveaxis(np.moveaxis(y, axis, -1)[..., ::q], -1, axis)


# ---------------------------------------------------------------- polynomials in a window


@in_place_of(ss.savgol_filter)
def savgol_filter(
    x: Any, window_length: int, polyorder: int, deriv: int, delta: Any, axis: int, mode: str, cval: Any
) -> Any:
    """Inside a finite filter; at the ends, with mode "interp", the polynomial of the outermost window."""
    x = np.moveaxis(inexact(x), axis, -1)
    x = x if dtype_of(x).itemsize == 4 else x.astype(float)
    n, half = x.shape[-1], window_length // 2
    coefficients = ss.savgol_coeffs(window_length, polyorder, deriv).astype(dtype_of(x))
    if polyorder >= window_length:
        raise ValueError("polyorder must be less than window_length.")
    if mode == "interp":
        if window_length > n:
            raise ValueError("If mode is 'interp', window_length must be less than or equal to the size of x.")
        first = window_length - 1 + half - (window_length - 1 - half)  # of those whose window lies inside
        middle = finite(coefficients, x)[..., first : first + n - 2 * half]
        powers = np.vander(np.arange(window_length, dtype=float), polyorder + 1)
        fit = np.linalg.pinv(powers)
        for _ in range(deriv):
            fit = np.arange(len(fit) - 1, 0, -1)[:, None] * fit[:-1] if len(fit) > 1 else 0 * fit
        fitted = (np.vander(np.arange(window_length, dtype=float), len(fit)) @ fit).T.astype(dtype_of(x))
        stop = window_length - half
        parts = [x[..., :window_length] @ fitted[:, :half], middle, x[..., n - window_length :] @ fitted[:, stop:]]
        y = np.concatenate(parts, -1)
    else:
        modes = {"mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}
        before = window_length - 1 - half
        frame = [(0, 0)] * (x.ndim - 1) + [(before, half)]
        y = finite(coefficients, framed(x, frame, modes[mode], cval))[..., window_length - 1 :]
    return np.moveaxis(y / delta**deriv if deriv else y, -1, axis)

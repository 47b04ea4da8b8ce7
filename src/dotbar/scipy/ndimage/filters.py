"""Filters of images: linear ones, whose transpose is another such filter, and those by rank.

The image is continued beyond its edges by taking entries of it again, so the transpose adds their cotangents up.
"""

from typing import Any

import numpy as np
import scipy.ndimage as nd

from dotbar.batch import every_item
from dotbar.control import any_item
from dotbar.core import as_array, dtype_of, primitive, shape_of
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import linear, rule
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import conj
from dotbar.scipy.binding import in_place_of
from dotbar.scipy.special.ufuncs import hyp0f1

EDGES = {
    "reflect": "symmetric",
    "grid-mirror": "symmetric",
    "mirror": "reflect",
    "nearest": "edge",
    "wrap": "wrap",
    "grid-wrap": "wrap",
}
"""What ``np.pad`` calls the ways to continue an image."""


def continued(x: Any, axis: int, before: int, after: int, mode: str, cval: Any) -> Any:
    """An image with so many more entries along an axis."""
    if before == after == 0:
        return x
    if mode in ("constant", "grid-constant") or x.shape[axis] == 0:
        edge = lambda n: np.broadcast_to(cval, (*x.shape[:axis], n, *x.shape[axis + 1 :])).astype(dtype_of(x))
        return np.concatenate([edge(before), x, edge(after)], axis)
    if mode not in EDGES:
        raise RuntimeError("boundary mode not supported")
    return np.take(x, np.pad(np.arange(x.shape[axis]), (before, after), EDGES[mode]), axis)


# ---------------------------------------------------------------- weighted sums in a window


def framed(y: Any, shape: tuple[int, ...]) -> Any:
    """An image with zeros around it, so that a window of some shape goes over all parts of it."""
    return np.pad(y, [(m - 1, m - 1) for m in shape])


@primitive
def weighted(x: Any, w: Any) -> Any:
    """y[i] = Σⱼ w[j] x[i + j] where the window lies within x."""
    inside = tuple(slice(m // 2, m // 2 + n - m + 1) for n, m in zip(x.shape, w.shape))
    return nd.correlate(x, np.conj(w), mode="constant")[inside]


@primitive
def shifted_products(x: Any, y: Any, *, shape: tuple[int, ...]) -> Any:
    """c[j] = Σᵢ conj(x[i + j]) y[i]."""
    c = np.empty(shape, np.result_type(x, y))
    for j in np.ndindex(*shape):
        c[j] = np.vdot(x[tuple(slice(k, k + n) for k, n in zip(j, y.shape))], y)
    return c


@rule(weighted)
def _weighted(y: Any, x: Any, w: Any) -> Any:
    """x̄[i] = Σⱼ conj(w[j]) ȳ[i − j], the window turned round; w̄ are the products of x and ȳ at each shift."""

    def dot_x(dot: Any) -> Any:
        return weighted(dot, w)

    def bar_x(ybar: Any) -> Any:
        return weighted(framed(ybar, w.shape), conj(np.flip(w)))

    def dot_w(dot: Any) -> Any:
        return weighted(x, dot)

    def bar_w(ybar: Any) -> Any:
        return shifted_products(x, ybar, shape=w.shape)

    return (dot_x, bar_x), (dot_w, bar_w)


@rule(shifted_products)
def _shifted_products(c: Any, x: Any, y: Any, *, shape: Any) -> Any:
    def dot_x(dot: Any) -> Any:
        return shifted_products(dot, y, shape=shape)

    def bar_x(cbar: Any) -> Any:
        return weighted(framed(y, shape), conj(np.flip(cbar)))

    def dot_y(dot: Any) -> Any:
        return shifted_products(x, dot, shape=shape)

    def bar_y(cbar: Any) -> Any:
        return weighted(x, cbar)

    return (dot_x, bar_x), (dot_y, bar_y)


def each(value: Any, axes: Any) -> list[Any]:
    """A setting for each axis, which may be one for all."""
    each = [value] * len(axes) if isinstance(value, str) or np.ndim(value) == 0 else list(value)
    if len(each) != len(axes):
        raise RuntimeError("sequence argument must have length equal to input rank")
    return each


def image(input: Any, output: Any) -> Any:
    """An image of real or complex numbers; the result takes its dtype unless another one is asked for."""
    x = as_array(input)
    if output is None and dtype_of(x).kind in "bui":
        raise NoRuleError(
            "an image of integers has a result of integers, which has no derivative; pass image.astype(float)."
        )
    return inexact(x)


def axes_of(x: Any, axes: Any) -> list[int]:
    """The axes that are meant, all of them where None are given."""
    return list(range(x.ndim)) if axes is None else [int(axis) % x.ndim for axis in np.atleast_1d(axes)]


def finished(y: Any, output: Any) -> Any:
    """The result in the dtype that was asked for, which is complex where the image is."""
    if isinstance(output, np.ndarray):
        raise NoRuleError("scipy.ndimage does not write traced values into a plain output array.")
    if output is not None and dtype_of(y).kind == "c":
        output = np.promote_types(output, np.complex64)
    return y if output is None else y.astype(output)


def laid_out(window: Any, axes: list[int]) -> Any:
    """A window, once it is known that it fits the axes."""
    if window.ndim != len(axes):
        raise RuntimeError(f"the window has {window.ndim} dimensions, and there are {len(axes)} axes")
    if axes != sorted(axes):
        raise NoRuleError("a window is laid along axes in increasing order; give them in that order.")
    return window


def correlated(x: Any, w: Any, axes: list[int], mode: Any, cval: Any, origin: Any) -> Any:
    """The sums in the window around each entry; the window's axes are some of the image's."""
    shape = [1] * x.ndim
    for axis, m, how, shift in zip(axes, laid_out(w, axes).shape, each(mode, axes), each(origin, axes)):
        shape[axis] = m
        before = m // 2 + shift
        if not 0 <= before < m:
            raise ValueError("invalid origin")
        x = continued(x, axis, before, m - 1 - before, how, cval)
    return weighted(x, np.reshape(w, shape))


def turned(w: Any, axes: list[int], origin: Any) -> tuple[Any, list[int]]:
    """The window and its origin for a convolution."""
    return np.flip(w), [-shift - (m % 2 == 0) for m, shift in zip(w.shape, each(origin, axes))]


def in_common(input: Any, weights: Any, output: Any) -> tuple[Any, Any]:
    x, w = image(input, output), inexact(weights)
    kind = np.result_type(dtype_of(x), dtype_of(w)) if "c" in (dtype_of(x).kind, dtype_of(w).kind) else dtype_of(x)
    return x.astype(kind), w.astype(kind)


@in_place_of(nd.correlate)
def correlate(input: Any, weights: Any, output: Any, mode: Any, cval: Any, origin: Any, axes: Any = None) -> Any:
    x, w = in_common(input, weights, output)
    return finished(correlated(x, conj(w), axes_of(x, axes), mode, cval, origin), output)


@in_place_of(nd.convolve)
def convolve(input: Any, weights: Any, output: Any, mode: Any, cval: Any, origin: Any, axes: Any = None) -> Any:
    x, w = in_common(input, weights, output)
    axes = axes_of(x, axes)
    w, origin = turned(w, axes, origin)
    return finished(correlated(x, w, axes, mode, cval, origin), output)


@in_place_of(nd.correlate1d)
def correlate1d(input: Any, weights: Any, axis: int, output: Any, mode: str, cval: Any, origin: int) -> Any:
    x, w = in_common(input, weights, output)
    return finished(correlated(x, conj(w), [axis % x.ndim], mode, cval, origin), output)


@in_place_of(nd.convolve1d)
def convolve1d(input: Any, weights: Any, axis: int, output: Any, mode: str, cval: Any, origin: int) -> Any:
    x, w = in_common(input, weights, output)
    w, origin = turned(w, [axis], origin)
    return finished(correlated(x, w, [axis % x.ndim], mode, cval, origin), output)


# ---------------------------------------------------------------- means


@primitive
def running_mean(x: Any, *, size: int, axis: int) -> Any:
    """The means of so many neighbours along an axis, where they lie within x."""
    y = nd.uniform_filter1d(x, size, axis, mode="constant")
    return np.take(y, np.arange(size // 2, size // 2 + x.shape[axis] - size + 1), axis)


def _framed_along(y: Any, size: int, axis: int) -> Any:
    frame = [(0, 0)] * y.ndim
    frame[axis] = (size - 1, size - 1)
    return np.pad(y, frame)


linear(
    running_mean,
    lambda ybar, x, *, size, axis: running_mean(_framed_along(ybar, size, axis), size=size, axis=axis),
    batch=lambda xs, batched, count, size, axis: running_mean(xs[0], size=size, axis=axis + 1),
)


@in_place_of(nd.uniform_filter1d)
def uniform_filter1d(input: Any, size: int, axis: int, output: Any, mode: str, cval: Any, origin: int) -> Any:
    x = image(input, output)
    axis, before = axis % x.ndim, size // 2 + origin
    return finished(
        running_mean(continued(x, axis, before, size - 1 - before, mode, cval), size=size, axis=axis), output
    )


@in_place_of(nd.uniform_filter)
def uniform_filter(input: Any, size: Any, output: Any, mode: Any, cval: Any, origin: Any, axes: Any = None) -> Any:
    x = image(input, output)
    axes = axes_of(x, axes)
    for axis, n, how, shift in zip(axes, each(size, axes), each(mode, axes), each(origin, axes)):
        x = uniform_filter1d(x, int(n), axis, None, how, cval, int(shift)) if n > 1 else x
    return finished(x, output)


# ---------------------------------------------------------------- Gauss's window and its derivatives


def gaussian(sigma: Any, order: int, radius: Any) -> Any:
    """The window e^{−t²/2σ²}, normalised, or its derivative: each multiplies the polynomial q by −t/σ² and adds q′.

    The windows of a batch are as long as the longest, and 0 outside of their own radius.
    """
    longest = int(np.max(every_item(radius)))
    t = np.arange(-longest, longest + 1.0)
    w = np.where(np.abs(t) <= radius, np.exp(-0.5 * (t / sigma) ** 2), 0)
    w = w / np.sum(w)
    q = [1.0]
    for _ in range(order):
        slope = [k * q[k] for k in range(1, len(q))]
        fall = [0.0, *(-c / sigma**2 for c in q)]
        q = [f + s for f, s in zip(fall, [*slope, *[0.0] * (len(fall) - len(slope))])]
    return sum(c * t**k for k, c in enumerate(q)) * w


@in_place_of(nd.gaussian_filter1d)
def gaussian_filter1d(
    input: Any, sigma: Any, axis: int, order: int, output: Any, mode: str, cval: Any, truncate: float, radius: Any
) -> Any:
    if order < 0:
        raise ValueError("order must be non-negative")
    radius = np.floor(truncate * sigma + 0.5) if radius is None else radius
    w = np.flip(gaussian(sigma, order, radius))
    return correlate1d(input, w, axis, output, mode, cval, 0)


@in_place_of(nd.gaussian_filter)
def gaussian_filter(
    input: Any,
    sigma: Any,
    order: Any,
    output: Any,
    mode: Any,
    cval: Any,
    truncate: float,
    radius: Any,
    axes: Any = None,
) -> Any:
    x = image(input, output)
    axes = axes_of(x, axes)
    settings = zip(axes, each(sigma, axes), each(order, axes), each(mode, axes), each(radius, axes))
    for axis, width, nu, how, reach in settings:
        if reach is not None or any_item(width > 1e-15):
            some = width if reach is not None else np.maximum(width, 1e-15)
            x = gaussian_filter1d(x, some, axis, nu, None, how, cval, truncate, radius=reach)
    return finished(x, output)


def directions(x: Any, axes: Any) -> list[tuple[list[int], int]]:
    """For each axis a one among zeros."""
    axes = axes_of(x, axes)
    return [([int(a == axis) for a in axes], axis) for axis in axes]


@in_place_of(nd.gaussian_laplace)
def gaussian_laplace(input: Any, sigma: Any, output: Any, mode: Any, cval: Any, axes: Any = None, **kw: Any) -> Any:
    x = image(input, output)
    orders = [[2 * k for k in one] for one, _ in directions(x, axes)]
    parts = (blurred(x, sigma, order, mode, cval, axes, kw.get("kwargs", kw)) for order in orders)
    return finished(sum(parts), output)


def blurred(x: Any, sigma: Any, order: Any, mode: Any, cval: Any, axes: Any, settings: Any) -> Any:
    return gaussian_filter(x, sigma, order, None, mode, cval, axes=axes, **settings)


@in_place_of(nd.gaussian_gradient_magnitude)
def gaussian_gradient_magnitude(
    input: Any, sigma: Any, output: Any, mode: Any, cval: Any, axes: Any = None, **kw: Any
) -> Any:
    x = image(input, output)
    parts = [blurred(x, sigma, one, mode, cval, axes, kw.get("kwargs", kw)) for one, _ in directions(x, axes)]
    if dtype_of(x).kind == "c":
        return finished(np.sqrt(sum(part * part for part in parts)), output)
    return finished(np.linalg.norm(np.stack(parts), axis=0), output)


# ---------------------------------------------------------------- differences


def along_and_across(x: Any, axis: int, across: list[float], mode: Any, cval: Any) -> Any:
    """The difference of the neighbours along an axis, averaged over those across."""
    modes = each(mode, range(x.ndim))
    x = correlate1d(x, [-1.0, 0.0, 1.0], axis, None, modes[axis], cval, 0)
    for other in range(x.ndim):
        x = correlate1d(x, across, other, None, modes[other], cval, 0) if other != axis % x.ndim else x
    return x


@in_place_of(nd.sobel)
def sobel(input: Any, axis: int, output: Any, mode: Any, cval: Any) -> Any:
    return finished(along_and_across(image(input, output), axis, [1.0, 2.0, 1.0], mode, cval), output)


@in_place_of(nd.prewitt)
def prewitt(input: Any, axis: int, output: Any, mode: Any, cval: Any) -> Any:
    return finished(along_and_across(image(input, output), axis, [1.0, 1.0, 1.0], mode, cval), output)


@in_place_of(nd.laplace)
def laplace(input: Any, output: Any, mode: Any, cval: Any, axes: Any = None) -> Any:
    x = image(input, output)
    axes = axes_of(x, axes)
    parts = (correlate1d(x, [1.0, -2.0, 1.0], axis, None, how, cval, 0) for axis, how in zip(axes, each(mode, axes)))
    return finished(sum(parts), output)


# ---------------------------------------------------------------- by rank


def neighbours(x: Any, size: Any, footprint: Any, mode: Any, cval: Any, origin: Any, axes: Any) -> Any:
    """What lies in the window around each entry, along a new last axis."""
    if size is None and footprint is None:
        raise RuntimeError("no footprint or filter size provided")
    if dtype_of(x).kind == "c":
        raise TypeError("Complex type not supported")
    axes = axes_of(x, axes)
    footprint = laid_out(np.ones(each(size, axes), bool) if footprint is None else np.asarray(footprint, bool), axes)
    shape = [1] * x.ndim
    for axis, m, how, shift in zip(axes, footprint.shape, each(mode, axes), each(origin, axes)):
        shape[axis] = m
        x = continued(x, axis, m // 2 + shift, m - 1 - m // 2 - shift, how, cval)
    windows = np.lib.stride_tricks.sliding_window_view(x, tuple(shape))
    chosen = np.nonzero(np.ravel(footprint))[0]
    flat = np.reshape(windows, (*shape_of(windows)[: x.ndim], -1))
    return flat if len(chosen) == flat.shape[-1] else flat[..., chosen]


def by_rank(original: Any, choose: Any) -> None:
    """Enter a filter that takes one entry of each window; ``choose`` sees them, and the settings that are its own."""

    @in_place_of(original)
    def call(
        input: Any,
        size: Any,
        footprint: Any,
        output: Any,
        mode: Any,
        cval: Any,
        origin: Any,
        axes: Any = None,
        **own: Any,
    ) -> Any:
        windows = neighbours(image(input, output), size, footprint, mode, cval, origin, axes)
        return finished(choose(windows, **own), output)


def percentile_of(windows: Any, percentile: float) -> Any:
    n = windows.shape[-1]
    percentile = percentile + 100 if percentile < 0 else percentile
    return np.sort(windows, -1)[..., n - 1 if percentile == 100 else int(n * percentile / 100)]


by_rank(nd.maximum_filter, lambda windows, structure=None: np.max(windows, -1))
by_rank(nd.minimum_filter, lambda windows, structure=None: np.min(windows, -1))
by_rank(nd.median_filter, lambda windows: np.sort(windows, -1)[..., windows.shape[-1] // 2])
by_rank(nd.rank_filter, lambda windows, rank: np.sort(windows, -1)[..., rank])
by_rank(nd.percentile_filter, percentile_of)


def _along_one_axis(original: Any, choose: Any) -> None:
    @in_place_of(original)
    def call(input: Any, size: int, axis: int, output: Any, mode: str, cval: Any, origin: int) -> Any:
        windows = neighbours(image(input, output), [size], None, mode, cval, [origin], [axis])
        return finished(choose(windows, -1), output)


_along_one_axis(nd.maximum_filter1d, np.max)
_along_one_axis(nd.minimum_filter1d, np.min)


# ---------------------------------------------------------------- morphology of grey images


def eroded(x: Any, size: Any, footprint: Any, structure: Any, mode: Any, cval: Any, origin: Any, axes: Any) -> Any:
    """The least value in the window, of what is left when the structure is taken away."""
    if structure is None:
        return np.min(neighbours(x, size, footprint, mode, cval, origin, axes), -1)
    footprint = np.ones(np.shape(structure), bool) if footprint is None else np.asarray(footprint, bool)
    heights = inexact(structure)[footprint]
    return np.min(neighbours(x, None, footprint, mode, cval, origin, axes) - heights, -1)


def dilated(x: Any, size: Any, footprint: Any, structure: Any, mode: Any, cval: Any, origin: Any, axes: Any) -> Any:
    """−(erosion of −x) by the window turned round."""
    axes = axes_of(x, axes)
    shape = np.shape(structure if footprint is None else footprint) or each(size, axes)
    origin = [-shift - (m % 2 == 0) for m, shift in zip(shape, each(origin, axes))]
    size, footprint, structure = size, *(v if v is None else np.flip(v) for v in (footprint, structure))
    return -eroded(-x, size, footprint, structure, mode, -cval, origin, axes)


def morphology(original: Any, change: Any) -> None:
    """Enter a function of a window's erosion and dilation."""

    @in_place_of(original)
    def call(
        input: Any,
        size: Any,
        footprint: Any,
        structure: Any,
        output: Any,
        mode: Any,
        cval: Any,
        origin: Any,
        axes: Any = None,
    ) -> Any:
        if size is None and footprint is None and structure is None:
            raise ValueError("size, footprint, or structure must be specified")
        window = (size, footprint, structure, mode, cval, origin, axes)
        return finished(
            change(image(input, output), lambda x: eroded(x, *window), lambda x: dilated(x, *window)), output
        )


morphology(nd.grey_erosion, lambda x, erode, dilate: erode(x))
morphology(nd.grey_dilation, lambda x, erode, dilate: dilate(x))
morphology(nd.grey_opening, lambda x, erode, dilate: dilate(erode(x)))
morphology(nd.grey_closing, lambda x, erode, dilate: erode(dilate(x)))
morphology(nd.morphological_gradient, lambda x, erode, dilate: dilate(x) - erode(x))
morphology(nd.morphological_laplace, lambda x, erode, dilate: dilate(x) + erode(x) - 2 * x)
morphology(nd.white_tophat, lambda x, erode, dilate: x - dilate(erode(x)))
morphology(nd.black_tophat, lambda x, erode, dilate: erode(dilate(x)) - x)


# ---------------------------------------------------------------- in the frequencies


def frequencies(n: int, half_of: int, is_half: bool) -> Any:
    """Cycles per entry, of a whole transform or of the half that is kept of a real one."""
    return np.arange(n) / half_of if is_half else np.fft.fftfreq(n)


def in_frequencies(original: Any, parameter: str, factor: Any) -> None:
    """Enter a filter of a Fourier transform: along each axis a factor of the frequency and the axis's own width."""

    @in_place_of(original)
    def call(input: Any, n: int, axis: int, output: Any, **own: Any) -> Any:
        x = inexact(input)
        kind = dtype_of(x)
        for k, width in enumerate(each(own[parameter], range(x.ndim))):
            is_half = n >= 0 and k == axis % x.ndim
            f = frequencies(x.shape[k], n if is_half else x.shape[k], is_half)
            shape = [1] * x.ndim
            shape[k] = x.shape[k]
            x = x * np.reshape(factor(f, width), shape)
        kind = np.result_type(kind, np.complex64) if dtype_of(x).kind == "c" else kind
        return finished(x.astype(kind), output)


in_frequencies(nd.fourier_gaussian, "sigma", lambda f, sigma: np.exp(-2 * (np.pi * sigma * f) ** 2))
in_frequencies(nd.fourier_uniform, "size", lambda f, size: np.sinc(size * f))


@in_place_of(nd.fourier_ellipsoid)
def fourier_ellipsoid(input: Any, size: Any, n: int, axis: int, output: Any) -> Any:
    """The transform of a ball is ₀F₁(d/2 + 1; −r²/4) of r = π|size·f|.  DLMF 10.16.9 and 10.9.4."""
    x = inexact(input)
    d = x.ndim
    squares: Any = 0.0
    for k, width in enumerate(each(size, range(d))):
        is_half = n >= 0 and k == axis % d
        f = frequencies(x.shape[k], n if is_half else x.shape[k], is_half)
        squares = squares + (width * np.reshape(f, [-1 if a == k else 1 for a in range(d)])) ** 2
    y = x * hyp0f1(d / 2 + 1, -((np.pi / 2) ** 2) * squares)
    return finished(y.astype(dtype_of(x)), output)


in_frequencies(nd.fourier_shift, "shift", lambda f, shift: np.exp(-2j * np.pi * shift * f))

"""Geometric transforms of images by splines of any order, in the image, the coordinates and the transform."""

from typing import Any

import numpy as np
import scipy.ndimage as nd

from dotbar.core import dtype_of, primitive
from dotbar.rules.kinds import linear
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import entries, raise_if
from dotbar.scipy.binding import in_place_of
from dotbar.scipy.ndimage.filters import axes_of, continued, each, finished, image

FRAME = 12
"""So far beyond its edges an image is continued before its coefficients are found, as SciPy has it."""

# ---------------------------------------------------------------- coefficients


@primitive
def coefficients(x: Any, *, order: int, axis: int, mode: str) -> Any:
    """The coefficients of the spline through the entries along an axis."""
    return nd.spline_filter1d(x, order, axis, mode=mode)


SHORT = 32
"""Along so short an axis SciPy's coefficients of reflected splines are not quite those of the matrix's inverse."""


def _transposed(ybar: Any, x: Any, *, order: int, axis: int, mode: str) -> Any:
    """With D = diag(½, 1, …, 1, ½) the matrix S of mirrored splines has DS symmetric; of the others S itself is."""
    n = x.shape[axis]
    if mode == "grid-wrap" or n == 1:
        return coefficients(ybar, order=order, axis=axis, mode=mode)
    if mode in ("reflect", "grid-mirror", "nearest"):
        if n > SHORT:
            return coefficients(ybar, order=order, axis=axis, mode=mode)
        matrix = nd.spline_filter1d(np.eye(n), order, 0, mode=mode)
        return np.moveaxis(np.moveaxis(ybar, axis, -1) @ matrix, -1, axis)
    d = np.ones((n, *(1,) * (x.ndim - 1 - axis)))
    d[[0, -1]] = 0.5
    return d * coefficients(ybar / d, order=order, axis=axis, mode=mode)


linear(
    coefficients,
    _transposed,
    batch=lambda xs, batched, size, order, axis, mode: coefficients(xs[0], order=order, axis=axis + 1, mode=mode),
)


@in_place_of(nd.spline_filter1d)
def spline_filter1d(input: Any, order: int, axis: int, output: Any, mode: str) -> Any:
    x = inexact(input)
    x = x.astype(np.result_type(dtype_of(x), float))
    x = x if order < 2 else coefficients(x, order=order, axis=axis % x.ndim, mode=mode)
    return finished(x, output)


@in_place_of(nd.spline_filter)
def spline_filter(input: Any, order: int, output: Any, mode: str) -> Any:
    if not 2 <= order <= 5:
        raise RuntimeError("spline order not supported")
    x = inexact(input)
    for axis in range(x.ndim):
        x = spline_filter1d(x, order, axis, None, mode)
    return finished(x.astype(np.result_type(dtype_of(x), float)), output)


# ---------------------------------------------------------------- values


def weights(c: Any, order: int) -> tuple[Any, Any]:
    """The numbers of the order + 1 B-splines around each coordinate, and their values there.

    On whole numbers as knots, from degree d − 1 to d with T = N/d: (1 + r − u)T to the left, (u + d − 1 − r)T to the
    right.  Splines of even degree have their knots between the numbers.  De Boor (2001), X (3).
    """
    even = 0.5 if order % 2 == 0 else 0.0
    first = np.floor(c + even)
    u = (c + even - first)[..., None]
    N = np.ones_like(u)
    for d in range(1, order + 1):
        r = np.arange(d)
        T = N / d
        zero = np.zeros_like(T[..., :1])
        N = np.concatenate([(1 + r - u) * T, zero], -1) + np.concatenate([zero, (u + d - 1 - r) * T], -1)
    return first.astype(int)[..., None] + np.arange(order + 1) - order // 2, N


def folded(i: Any, n: int, mode: str) -> Any:
    """Numbers of entries beyond the edges as those of the entries that are there."""
    if mode == "grid-wrap":
        return i % n
    if mode in ("reflect", "grid-mirror"):
        i = i % (2 * n)
        return np.minimum(i, 2 * n - 1 - i)
    if mode in ("nearest", "grid-constant") or n == 1:
        return np.clip(i, 0, n - 1)
    i = i % (2 * n - 2)
    return np.minimum(i, 2 * n - 2 - i)


def sampled(x: Any, coordinates: Any, order: int, mode: str, cval: Any, prefilter: bool) -> Any:
    """The spline's value at each point; ``coordinates`` holds one array for each axis, all of one shape."""
    if not 0 <= order <= 5:
        raise RuntimeError("spline order not supported")
    framed = FRAME if mode in ("nearest", "grid-constant") and prefilter and order > 1 else 0
    for axis in range(x.ndim) if framed else ():
        x = continued(x, axis, framed, framed, mode, cval)
    kind = np.result_type(dtype_of(x), float)
    x = x.astype(kind)
    for axis in range(x.ndim) if prefilter and order > 1 else ():
        x = coefficients(x, order=order, axis=axis, mode=mode)
    outside: Any = False
    beyond: Any = False
    places, factors = [], []
    for axis, c in enumerate(coordinates):
        n, c = x.shape[axis], c + framed
        if mode == "constant":
            outside = outside | ~((c >= 0) & (c <= n - 1))
        elif mode == "wrap":
            c = np.where((c < 0) | (c > n - 1), c % max(n - 1, 1), c)
        i, N = weights(c, order)
        shape = (*np.shape(c), *(order + 1 if a == axis else 1 for a in range(x.ndim)))
        i = np.reshape(i, shape)
        beyond = beyond | (i < 0) | (i > n - 1) if mode == "grid-constant" else beyond
        places.append(folded(i, n, mode))
        factors.append(np.reshape(N, shape))
    weight = factors[0]
    for N in factors[1:]:
        weight = weight * N
    picked = entries(x, tuple(places))
    if mode == "grid-constant":
        picked = np.where(beyond, cval, picked)
    y = np.sum(picked * weight, tuple(range(-x.ndim, 0)))
    return y if outside is False else np.where(outside, cval, y)


def as_input(y: Any, x: Any, output: Any) -> Any:
    return finished(y, dtype_of(x) if output is None else output)


@in_place_of(nd.map_coordinates)
def map_coordinates(
    input: Any, coordinates: Any, output: Any, order: int, mode: str, cval: Any, prefilter: bool
) -> Any:
    x, c = image(input, output), inexact(coordinates)
    if len(c) != x.ndim:
        raise RuntimeError("invalid shape for coordinate array")
    return as_input(sampled(x, [c[k] for k in range(x.ndim)], order, mode, cval, prefilter), x, output)


@in_place_of(nd.geometric_transform)
def geometric_transform(
    input: Any,
    mapping: Any,
    output_shape: Any,
    output: Any,
    order: int,
    mode: str,
    cval: Any,
    prefilter: bool,
    extra_arguments: Any,
    extra_keywords: Any,
) -> Any:
    """In what the mapping is given or takes from elsewhere, too, if the image is traced."""
    x = image(input, output)
    shape = x.shape if output_shape is None else tuple(output_shape)
    points = [mapping(at, *extra_arguments, **(extra_keywords or {})) for at in np.ndindex(*shape)]
    c = [np.reshape(np.stack([point[k] for point in points]), shape) for k in range(x.ndim)]
    return as_input(sampled(x, c, order, mode, cval, prefilter), x, output)


def places(shape: Any) -> list[Any]:
    """The coordinates of all entries."""
    return list(np.indices(tuple(int(n) for n in shape)).astype(float))


@in_place_of(nd.affine_transform)
def affine_transform(
    input: Any,
    matrix: Any,
    offset: Any,
    output_shape: Any,
    output: Any,
    order: int,
    mode: str,
    cval: Any,
    prefilter: bool,
) -> Any:
    x, M = image(input, output), inexact(matrix)
    d = x.ndim
    if M.ndim == 2 and M.shape[1] == d + 1:
        row = np.arange(d + 1) == d
        raise_if(
            M[d:] != row, error=ValueError(f"Expected homogeneous transformation matrix with bottom row {row * 1}")
        )
        M, offset = M[:d, :d], M[:d, d]
    at = places(x.shape if output_shape is None else output_shape)
    start = np.broadcast_to(inexact(offset), (d,))
    if M.ndim == 1:
        c = [M[k] * at[k] + start[k] for k in range(d)]
    else:
        c = [sum(M[k, j] * at[j] for j in range(d)) + start[k] for k in range(d)]
    return as_input(sampled(x, c, order, mode, cval, prefilter), x, output)


@in_place_of(nd.shift)
def shift(input: Any, shift: Any, output: Any, order: int, mode: str, cval: Any, prefilter: bool) -> Any:
    x = image(input, output)
    c = [at - by for at, by in zip(places(x.shape), each(shift, range(x.ndim)))]
    return as_input(sampled(x, c, order, mode, cval, prefilter), x, output)


@in_place_of(nd.zoom)
def zoom(
    input: Any, zoom: Any, output: Any, order: int, mode: str, cval: Any, prefilter: bool, *, grid_mode: bool = False
) -> Any:
    """The factor tells no more than the number of entries: the corners, or the edges, stay in their places."""
    x = image(input, output)
    shape = [round(n * float(z)) for n, z in zip(x.shape, each(zoom, range(x.ndim)))]
    c = []
    for n, m, at in zip(x.shape, shape, places(shape)):
        if grid_mode:
            c.append((at + 0.5) * (n / m) - 0.5)
        else:
            c.append(at * ((n - 1) / (m - 1)) if m > 1 else at)
    return as_input(sampled(x, c, order, mode, cval, prefilter), x, output)


@in_place_of(nd.rotate)
def rotate(
    input: Any, angle: Any, axes: Any, reshape: bool, output: Any, order: int, mode: str, cval: Any, prefilter: bool
) -> Any:
    x = image(input, output)
    first, second = sorted(axes_of(x, axes))
    turn = inexact(angle) * (np.pi / 180)
    c, s = np.cos(turn), np.sin(turn)
    plane = np.array([x.shape[first], x.shape[second]])
    shape = list(x.shape)
    if reshape:
        corners = np.stack([np.stack([c, s]), np.stack([-s, c])]) @ np.array(
            [[0, 0, *[plane[0]] * 2], [0, plane[1]] * 2]
        )
        shape[first], shape[second] = (int(n) for n in np.ptp(corners, 1) + 0.5)
    middle = [(n - 1) / 2 for n in plane]
    at = places(shape)
    u, v = at[first] - (shape[first] - 1) / 2, at[second] - (shape[second] - 1) / 2
    at[first], at[second] = c * u + s * v + middle[0], c * v - s * u + middle[1]
    if x.ndim == 2:
        return as_input(sampled(x, at, order, mode, cval, prefilter), x, output)
    flat = np.moveaxis(x, (first, second), (0, 1))
    rest = flat.shape[2:]
    flat = np.reshape(flat, (*flat.shape[:2], -1))
    index = tuple(0 if k not in (first, second) else slice(None) for k in range(x.ndim))
    pair = [at[first][index], at[second][index]]
    planes = [sampled(flat[..., k], pair, order, mode, cval, prefilter) for k in range(flat.shape[-1])]
    y = np.reshape(np.stack(planes, -1), (*np.shape(planes[0]), *rest))
    return as_input(np.moveaxis(y, (0, 1), (first, second)), x, output)

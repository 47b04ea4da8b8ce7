"""dotbar's own registered words: what rules need beyond NumPy's functions, each with its rule like any other."""

from typing import Any

import numpy as np

from dotbar import core
from dotbar.core import Settings, Shape, Step, new_zeros, primitive, shape_of, value_of
from dotbar.rules.kinds import Masked, batch_loop, constant, each, linear, rule, unbroadcast

__all__ = [
    "H",
    "conj",
    "each",
    "mT",
    "masked",
    "phi",
    "ratio",
    "scatter",
    "skew",
    "spread",
    "stop_gradient",
    "sym",
    "unbroadcast",
    "zeros",
]


def H(X: Any) -> Any:
    """The conjugate transpose of the last two axes, Xᴴ."""
    return conj(mT(X))


def mT(X: Any) -> Any:
    """The transpose of the last two axes, Xᵀ."""
    return np.swapaxes(X, -1, -2)


def conj(x: Any) -> Any:
    """The complex conjugate; a real array as it is."""
    return np.conj(x) if core.dtype_of(x).kind == "c" else x


def sym(X: Any) -> Any:
    """The Hermitian part, (X + Xᴴ)/2."""
    return (X + H(X)) / 2


def skew(X: Any) -> Any:
    """The skew-Hermitian part, (X − Xᴴ)/2."""
    return (X - H(X)) / 2


def phi(X: Any) -> Any:
    """Φ(X): the lower triangle with its diagonal halved.  Murray (2016), eq. (8)."""
    n = X.shape[-1]
    return np.tril(X) * (1 - np.eye(n, dtype=core.dtype_of(X)) / 2)


def spread(ybar: Any, shape: tuple[int, ...], axis: Any = None, keepdims: bool = False) -> Any:
    """Undo the shape of a reduction: broadcast a result back over the axes it was reduced along."""
    if type(ybar) is float:
        return np.ndarray(shape, float, np.float64(ybar), strides=(0,) * len(shape))
    if axis is not None and not keepdims:
        ybar = np.expand_dims(ybar, axis)
    return np.broadcast_to(ybar, shape)


def masked(g: Any, mask: Any) -> Any:
    """A cotangent that is structurally zero where ``mask`` is False."""
    return Masked(np.where(mask, g, 0), mask)


def zeros(x: Shape, like: Any) -> Any:
    """An array of zeros of the shape of ``x`` that can be assigned what ``like`` is."""
    return new_zeros(x.shape, np.result_type(core.dtype_of(like), x.dtype), like)


@primitive
def stop_gradient(x: Any) -> Any:
    """The value of ``x`` as a constant: derivatives through it are zero.  Batching is kept.

    Returns an array of the same shape and dtype that shares no memory with ``x``.
    """
    return np.array(x) if isinstance(x, np.ndarray) else x


constant(stop_gradient, batch="()->()")


@primitive
def ratio(a: Any, b: Any) -> Any:
    """a / b, and 0 where b is 0; the derivative is nan there.

    For first derivatives that are finite by convention at a point where the function is not smooth:
    differentiating once more must not return the derivative of that convention.
    """
    with np.errstate(all="ignore"):
        return np.where(b == 0, 0, a / np.where(b == 0, 1, b))


@rule(ratio, "(),()->()")
def _ratio(y: Any, a: Any, b: Any) -> Any:
    w = 1 / np.where(b == 0, np.nan, b)

    def dot_a(adot: Any) -> Any:
        return w * adot

    def bar_a(ybar: Any) -> Any:
        return np.conj(w) * ybar

    def dot_b(bdot: Any) -> Any:
        return -y * w * bdot

    def bar_b(ybar: Any) -> Any:
        return -np.conj(y * w) * ybar

    return (dot_a, bar_a), (dot_b, bar_b)


# ---------------------------------------------------------------- reading entries


@primitive
def read(x: Any, *, path: tuple[Step, ...]) -> Any:
    """The entries of ``x`` that a path of indices, reshapes and transposes selects."""
    return value_of(x, path)


@primitive
def scatter(y: Any, *, path: tuple[Step, ...], shape: tuple[int, ...]) -> Any:
    """The transpose of :func:`read`: zeros of ``shape``, to which ``y`` is added at the selected entries."""
    x = new_zeros(shape, core.dtype_of(y), y)
    part = value_of(x, path[:-1])
    np.add.at(part, path[-1][1]["index"], y)
    return x


linear(read, lambda ybar, x, *, path: scatter(ybar, path=path, shape=x.shape), moves=True)
linear(scatter, lambda xbar, y, *, path, shape: value_of(xbar, path), moves=True)
core.READ = core.RULES[read]


@primitive
def gather(x: Any, *arrays: Any, template: tuple[Any, ...], traced: tuple[bool, ...]) -> Any:
    """``x[index]`` where the index arrays that ``template`` leaves out are given apart."""
    return x[_index(arrays, template, traced)]


def _index(arrays: Any, template: tuple[Any, ...], traced: tuple[bool, ...]) -> tuple[Any, ...]:
    rest = iter(arrays)
    return tuple(next(rest) if t else i for i, t in zip(template, traced, strict=True))


def _batch_gather(
    xs: Any, batched: Any, size: int, template: tuple[Any, ...], traced: tuple[bool, ...]
) -> Any:
    """Batch an index: the batch axis of ``x`` is indexed by the item's own number."""
    x, *arrays = xs
    if not all(isinstance(i, (int, np.integer, np.ndarray)) or t for i, t in zip(template, traced)):
        settings: Settings = {"template": template, "traced": traced}
        return batch_loop(core.GATHER, xs, batched, size, settings)
    ndim = max(np.ndim(i) - b for i, b in zip(arrays, batched[1:]))
    ndim = max([ndim, *(np.ndim(i) for i, t in zip(template, traced) if not t)])
    aligned = [
        np.reshape(i, shape_of(i)[:1] + (1,) * (ndim + 1 - np.ndim(i)) + shape_of(i)[1:]) if b else i
        for i, b in zip(arrays, batched[1:])
    ]
    index = _index(aligned, template, traced)
    if batched[0]:
        index = (np.arange(size).reshape(size, *(1,) * ndim), *index)
    return x[index]


@rule(gather, _batch_gather)
def _gather(y: Any, x: Any, *arrays: Any, template: Any, traced: Any) -> Any:
    index = _index(arrays, template, traced)
    path = ((core.take_index, {"index": index}),)

    def dot(xdot: Any) -> Any:
        return xdot[index]

    def bar(ybar: Any) -> Any:
        return scatter(ybar, path=path, shape=x.shape)

    return [(dot, bar), *(None for _ in arrays)]


core.GATHER = core.RULES[gather]

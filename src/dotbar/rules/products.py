"""Products of vectors, matrices and tensors: matmul and its kin, einsum, cross, convolve."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from math import prod
from string import ascii_letters, ascii_lowercase, ascii_uppercase
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dotbar import core
from dotbar.core import RULES, Settings, apply, primitive, shape_of
from dotbar.rules.kinds import Bilinear, batch_signature, bilinear, composite, rule
from dotbar.rules.shapes import astype, operand, stand_in
from dotbar.rules.words import H, conj, mT

Product = Callable[[Any, Any], Any]

# ---------------------------------------------------------------- matrices and vectors

if hasattr(np, "matvec"):
    matvec: Any = np.matvec
else:

    @primitive
    def matvec(x1: Any, x2: Any) -> Any:
        """A x over leading axes, as NumPy has it since 2.2."""
        return np.matmul(x1, np.expand_dims(x2, -1))[..., 0]


class ProductRule(Bilinear):
    """A product of which a batch may be another product: one matrix and a batch of vectors, two matrices."""

    def batch(self, xs: Sequence[Any], batched: Sequence[bool], size: int, kw: Settings) -> Any:
        return batch_signature(RULES[self.fn], self.core, xs, batched, kw)  # type: ignore[arg-type]


MATMUL = ProductRule(
    np.matmul,
    "(n,k),(k,m)->(n,m)",
    bar_a=lambda Cbar, B: Cbar @ H(B),  # C = A B,  Ā = C̄ Bᴴ
    bar_b=lambda Cbar, A: H(A) @ Cbar,  # B̄ = Aᴴ C̄
)
MATVEC = ProductRule(
    matvec,
    "(m,n),(n)->(m)",
    bar_a=lambda ybar, x: ybar[..., :, None] * conj(x)[..., None, :],  # y = A x,  Ā = ȳ xᴴ
    bar_b=lambda ybar, A: matvec(H(A), ybar),  # x̄ = Aᴴ ȳ
)
VECDOT = ProductRule(
    np.vecdot,
    "(n),(n)->()",
    bar_a=lambda sbar, b: conj(sbar)[..., None] * b,  # s = aᴴ b,  ā = s̄* b
    bar_b=lambda sbar, a: sbar[..., None] * a,  # b̄ = s̄ a
)


def _operands(*xs: Any, dtype: Any = None) -> list[Any]:
    """Operands as arrays, in the dtype that the caller asked for."""
    arrays = [operand(x) for x in xs]
    return arrays if dtype is None else [astype(x, dtype=dtype) for x in arrays]


def _ask_numpy(fn: Any, *args: Any, **kw: Any) -> Any:
    """What NumPy itself says of operands of these shapes: a result, or the error that users of NumPy know."""
    return fn(*[stand_in(x) if isinstance(x, core.Traced) else x for x in args], **kw)


def product(fn: Any) -> Callable[[Product], Product]:
    """Register a product of two operands in terms of others, with the keywords of a generalised ufunc."""

    def register(body: Product) -> Product:
        def call(
            x1: Any,
            x2: Any,
            *,
            dtype: Any = None,
            casting: str = "same_kind",
            axes: Any = None,
            axis: int | None = None,
            keepdims: bool = False,
        ) -> Any:
            a, b = _operands(x1, x2, dtype=dtype)
            if axes is not None:
                return _along(body, a, b, *axes)
            if axis is not None:
                a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
            y = body(a, b)
            return np.expand_dims(y, -1 if axis is None else axis) if keepdims else y

        composite(fn)(call)
        return body

    return register


def _along(body: Product, a: Any, b: Any, *axes: Any) -> Any:
    """A product along given axes of each operand, and of the result if it has any of its own."""
    places = [ax if isinstance(ax, tuple) else (ax,) for ax in axes]
    ends = [range(-len(ax), 0) for ax in places]
    y = body(np.moveaxis(a, places[0], ends[0]), np.moveaxis(b, places[1], ends[1]))
    return np.moveaxis(y, ends[2], places[2]) if len(places) > 2 else y


@product(np.matmul)
def matmul(A: Any, B: Any) -> Any:
    """One rule for each pair of dimensions; a stack times one matrix is one product."""
    a, b = A.ndim, B.ndim
    if not (a and b) or A.shape[-1] != B.shape[max(b - 2, 0)]:
        return _ask_numpy(np.matmul, A, B)
    if b == 1:
        return np.vecdot(conj(A), B) if a == 1 else matvec(A, B)
    if a == 1:
        return matvec(mT(B), A)
    if a > 2 and b == 2 and A.size:
        rows = np.reshape(A, (-1, A.shape[-1])) @ B
        return np.reshape(rows, (*A.shape[:-1], B.shape[-1]))
    return apply(MATMUL, (A, B), {})


@product(matvec)
def _matvec(A: Any, x: Any) -> Any:
    """One matrix times many vectors is one matrix product."""
    return x @ mT(A) if A.ndim == 2 and x.ndim > 1 else apply(MATVEC, (A, x), {})


@product(np.vecdot)
def _vecdot(a: Any, b: Any) -> Any:
    return apply(VECDOT, (a, b), {})


if hasattr(np, "vecmat"):
    product(np.vecmat)(lambda x, A: matvec(mT(A), conj(x)))

composite(np.linalg.matmul)(np.matmul)
composite(np.linalg.vecdot)(np.vecdot)


@composite(np.dot)
def dot(a: Any, b: Any) -> Any:
    a, b = _operands(a, b)
    if not (a.ndim and b.ndim):
        return a * b
    if a.shape[-1] != b.shape[max(b.ndim - 2, 0)]:
        return _ask_numpy(np.dot, a, b)
    return np.matmul(a, b) if b.ndim <= 2 else np.tensordot(a, b, (-1, -2))


@composite(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    a, b = _operands(a, b)
    if not (a.ndim and b.ndim):
        return a * b
    if a.shape[-1] != b.shape[-1]:
        return _ask_numpy(np.inner, a, b)
    return np.matmul(a, b if b.ndim == 1 else mT(b)) if b.ndim <= 2 else np.tensordot(a, b, (-1, -1))


@composite(np.vdot)
def vdot(a: Any, b: Any, /) -> Any:
    a, b = np.reshape(a, -1), np.reshape(b, -1)
    return np.vecdot(a, b) if a.shape == b.shape else _ask_numpy(np.vdot, a, b)


@composite(np.outer)
def outer(a: Any, b: Any) -> Any:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


@composite(np.linalg.outer)
def linalg_outer(x1: Any, x2: Any, /) -> Any:
    return np.outer(x1, x2) if np.ndim(x1) == np.ndim(x2) == 1 else _ask_numpy(np.linalg.outer, x1, x2)


@composite(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """One matrix product, between the free axes of ``a`` and those of ``b``."""
    a, b = _operands(a, b)
    along_a, along_b = (range(-axes, 0), range(axes)) if isinstance(axes, (int, np.integer)) else axes
    along_a, along_b = ([along] if np.ndim(along) == 0 else list(along) for along in (along_a, along_b))
    if len(along_a) != len(along_b) or any(a.shape[i] != b.shape[k] for i, k in zip(along_a, along_b)):
        raise ValueError("shape-mismatch for sum")
    along_a, along_b = [k % a.ndim for k in along_a], [k % b.ndim for k in along_b]
    free_a = [k for k in range(a.ndim) if k not in along_a]
    free_b = [k for k in range(b.ndim) if k not in along_b]
    size = prod(a.shape[k] for k in along_a)
    A = np.reshape(np.transpose(a, free_a + along_a), (prod(a.shape[k] for k in free_a), size))
    B = np.reshape(np.transpose(b, along_b + free_b), (size, prod(b.shape[k] for k in free_b)))
    return np.reshape(A @ B, [a.shape[k] for k in free_a] + [b.shape[k] for k in free_b])


composite(np.linalg.tensordot)(lambda x1, x2, /, *, axes=2: np.tensordot(x1, x2, axes))


@composite(np.kron)
def kron(a: Any, b: Any) -> Any:
    """All products of an entry of ``a`` with an entry of ``b``, block by block."""
    ndim = max(np.ndim(a), np.ndim(b))
    n = (1,) * (ndim - np.ndim(a)) + shape_of(a)
    m = (1,) * (ndim - np.ndim(b)) + shape_of(b)
    blocks = np.reshape(a, [s for k in n for s in (k, 1)]) * np.reshape(b, [s for k in m for s in (1, k)])
    return np.reshape(blocks, [i * j for i, j in zip(n, m)])


@composite(np.linalg.multi_dot)
def multi_dot(arrays: Any) -> Any:
    """The product in the order of least multiplications.  Cormen et al., Introduction to Algorithms, 15.2."""
    arrays = _operands(*arrays)
    n = len(arrays)
    if n < 2 or any(X.ndim != 2 for X in arrays[1:-1]) or not {arrays[0].ndim, arrays[-1].ndim} <= {1, 2}:
        return np.linalg.multi_dot(list(map(stand_in, arrays)))
    first, last = arrays[0].shape, arrays[-1].shape
    sizes = [1 if len(first) == 1 else first[0], *(X.shape[0] for X in arrays[1:]), 1 if len(last) == 1 else last[-1]]
    split: dict[tuple[int, int], int] = {}
    cost = {(i, i): 0 for i in range(n)}
    for width in range(1, n):
        for i in range(n - width):
            j = i + width
            price = {k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)}
            split[i, j] = min(price, key=price.__getitem__)
            cost[i, j] = price[split[i, j]]

    def product(i: int, j: int) -> Any:
        return arrays[i] if i == j else product(i, split[i, j]) @ product(split[i, j] + 1, j)

    return product(0, n - 1)


# ---------------------------------------------------------------- einsum


@primitive
def contract(*arrays: Any, subscripts: str) -> Any:
    """An einsum without repeated labels in a term, each label in two terms at least, the result among them."""
    sizes = {label: n for term, x in zip(subscripts.split(","), arrays) for label, n in zip(term, shape_of(x))}
    return np.einsum(subscripts, *arrays, optimize=prod(sizes.values()) > _WORTH_A_PLAN)


_WORTH_A_PLAN = 1 << 15


def _batch_contract(xs: Any, batched: Any, size: int, subscripts: str) -> Any:
    new = next(label for label in ascii_letters if label not in subscripts)
    terms, out = subscripts.split("->")
    terms = ",".join(new + term if b else term for term, b in zip(terms.split(","), batched))
    return contract(*xs, subscripts=f"{terms}->{new}{out}")


@rule(contract, _batch_contract)
def _contract(y: Any, *arrays: Any, subscripts: str) -> Any:
    """For y = Σ Πₖ xₖ, ẏ replaces one xₖ by its dot and x̄ₖ = Σ ȳ Πⱼ xⱼ* over j ≠ k, an einsum again."""
    terms, out = subscripts.split("->")
    terms = terms.split(",")

    def pair(k: int) -> Any:
        before, after = arrays[:k], arrays[k + 1 :]

        def dot(xdot: Any) -> Any:
            return contract(*before, xdot, *after, subscripts=subscripts)

        def bar(ybar: Any) -> Any:
            given = ",".join([out, *terms[:k], *terms[k + 1 :]])
            return contract(ybar, *map(conj, before + after), subscripts=f"{given}->{terms[k]}")

        return dot, bar

    return [pair(k) for k in range(len(arrays))]


@composite(np.einsum)
def einsum(*operands: Any, optimize: Any = False, dtype: Any = None, order: str = "K", casting: str = "safe") -> Any:
    """Sum and take diagonals of each operand by itself, then multiply by pairs along the cheapest path."""
    subscripts, arrays = _subscripts(operands)
    arrays = _operands(*arrays, dtype=dtype)
    shapes = tuple(x.shape for x in arrays)
    terms, out = _terms(subscripts, tuple(map(len, shapes)), bool(optimize))
    surplus = _surplus(terms, out, shapes)
    if surplus is None:
        return _ask_numpy(np.einsum, *operands, optimize=optimize)
    arrays, terms = map(list, zip(*[_reduce(x, term, own) for x, term, own in zip(arrays, terms, surplus)]))
    for step in _path(arrays, terms, out, optimize or "greedy"):
        chosen = [(arrays.pop(k), terms.pop(k)) for k in sorted(step, reverse=True)]
        given = [term for _, term in chosen]
        rest = set("".join([*terms, out]))
        term = "".join(sorted(set("".join(given)) & rest)) if terms else out
        arrays.append(contract(*[x for x, _ in chosen], subscripts=f"{','.join(given)}->{term}"))
        terms.append(term)
    return arrays[0] if terms[0] == out else np.transpose(arrays[0], [terms[0].index(label) for label in out])


def _subscripts(operands: Any) -> tuple[str, Any]:
    """The subscripts of an einsum as a string, and its arrays."""
    if isinstance(operands[0], str):
        return operands[0].replace(" ", ""), operands[1:]
    *lists, result = [*operands[1::2], None] if len(operands) % 2 == 0 else [*operands[1::2], operands[-1]]
    subscripts = ",".join(map(_letters, lists)) + ("" if result is None else "->" + _letters(result))
    return subscripts, operands[: 2 * len(lists) : 2]


def _letters(labels: Any) -> str:
    """A list of integers and ``...`` as a term; capitals first, as they sort."""
    return "".join("..." if k is ... else (ascii_uppercase + ascii_lowercase)[k] for k in labels)


@lru_cache(1024)
def _terms(subscripts: str, ndims: tuple[int, ...], optimize: bool) -> tuple[tuple[str, ...], str]:
    """One term of letters for each operand of an einsum, and that of the result; no terms if that cannot be.

    What an ellipsis stands for is summed over if it is not in the result, but by NumPy's optimized einsum alone.
    """
    given, arrow, out = subscripts.partition("->")
    if not arrow:
        counts = Counter(given.replace(",", "").replace("...", ""))
        out = "..." * ("..." in given) + "".join(sorted(label for label, n in counts.items() if n == 1))
    terms = given.split(",")
    widths = [ndim - len(term) + 3 if "..." in term else 0 for ndim, term in zip(ndims, terms)]
    free = [label for label in ascii_letters if label not in subscripts]
    dots = "".join(free[: max(widths, default=0)])
    if len(terms) != len(ndims) or (dots and "..." not in out and not optimize):
        return (), out
    return tuple(term.replace("...", dots[len(dots) - n :]) for term, n in zip(terms, widths)), out.replace("...", dots)


@lru_cache(1024)
def _surplus(terms: tuple[str, ...], out: str, shapes: tuple[tuple[int, ...], ...]) -> list[set[str]] | None:
    """The labels that each operand of an einsum is to be summed over by itself; None if the subscripts do not fit.

    They are those of length 1 where another operand has more, and those that then stand nowhere else.
    """
    if list(map(len, terms)) != list(map(len, shapes)):
        return None
    if any(len(set(zip(term, shape))) > len(set(term)) for term, shape in zip(terms, shapes)):
        return None  # a diagonal of axes of different lengths
    lengths: dict[str, set[int]] = {}
    for term, shape in zip(terms, shapes):
        for label, n in zip(term, shape):
            lengths.setdefault(label, set()).add(n)
    if len(set(out)) < len(out) or not set(out) <= lengths.keys() or any(len(ns - {1}) > 1 for ns in lengths.values()):
        return None
    single = [
        {label for label, n in zip(term, shape) if n == 1 < len(lengths[label])} for term, shape in zip(terms, shapes)
    ]
    counts = Counter(out + "".join("".join(set(term) - ones) for term, ones in zip(terms, single)))
    return [ones | {label for label in term if counts[label] == 1} for term, ones in zip(terms, single)]


def _reduce(x: Any, term: str, surplus: set[str]) -> tuple[Any, str]:
    """One operand of an einsum with each of its labels once, summed over some of them."""
    for label in sorted(set(term)) if len(set(term)) < len(term) else ():
        while term.count(label) > 1:
            i, j = term.index(label), term.rindex(label)
            x, term = np.diagonal(x, 0, i, j), term[:i] + term[i + 1 : j] + term[j + 1 :] + label
    if not surplus:
        return x, term
    axes = tuple(k for k, label in enumerate(term) if label in surplus)
    dtype = None if x.dtype.kind in "fc" else x.dtype  # of short integers, too
    return np.sum(x, axes, dtype=dtype), "".join(label for label in term if label not in surplus)


def _path(arrays: list[Any], terms: list[str], out: str, optimize: Any) -> Any:
    """Which operands to multiply in each step, their product then standing last."""
    if len(arrays) < 3:
        return [range(2)] * (len(arrays) - 1)
    return np.einsum_path(",".join(terms) + "->" + out, *map(stand_in, arrays), optimize=optimize)[0][1:]


@composite(np.einsum_path)
def einsum_path(*operands: Any, **kw: Any) -> Any:
    return _ask_numpy(np.einsum_path, *operands, **kw)


# ---------------------------------------------------------------- cross products and convolutions

CROSS = Bilinear(
    np.cross,
    "(3),(3)->(3)",
    bar_a=lambda cbar, b: np.cross(conj(b), cbar),  # c = a × b,  ā = b* × c̄
    bar_b=lambda cbar, a: np.cross(cbar, conj(a)),  # b̄ = c̄ × a*
)


@composite(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Vectors of two entries, which NumPy takes before 2.5, lie in the plane; of two of them only the third is left."""
    a, b = _operands(a, b)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = (x if k == -1 else np.moveaxis(x, k, -1) for x, k in ((a, axisa), (b, axisb)))
    if not a.shape[-1:] == b.shape[-1:] == (3,):
        _ask_numpy(np.cross, a, b)
    if a.shape[-1] == b.shape[-1] == 2:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = (x if x.shape[-1] == 3 else np.concatenate([x, 0 * x[..., :1]], -1) for x in (a, b))
    c = apply(CROSS, (a, b), {})
    return c if axisc == -1 else np.moveaxis(c, -1, axisc)


@composite(np.linalg.cross)
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    fits = np.shape(x1)[axis] == np.shape(x2)[axis] == 3
    return np.cross(x1, x2, axis=axis) if fits else _ask_numpy(np.linalg.cross, x1, x2, axis=axis)


LONG_SUMS = 4096  # from so many products on, NumPy's sums by BLAS, one pair of vectors after the other, are faster


@primitive
def convolution(a: Any, v: Any, *, mode: str) -> Any:
    """``np.convolve`` along the last axis, in full or where ``v``, the shorter array, lies within ``a``."""
    if a.ndim == v.ndim == 1:
        return np.convolve(a, v, mode)
    n = v.shape[-1]
    frame = [(0, 0)] * (a.ndim - 1) + [(n - 1, n - 1)]
    windows = sliding_window_view(np.pad(a, frame) if mode == "full" else a, n, -1)
    if a.size and v.size and prod(windows.shape[-2:]) > LONG_SUMS:
        return np.vectorize(partial(np.convolve, mode=mode), signature="(n),(m)->(k)")(a, v)
    return matvec(windows, v[..., ::-1])


def _convolution(a: Any, v: Any, mode: str) -> Any:
    """The convolution with its arguments in order."""
    a, v = (a, v) if a.shape[-1] >= v.shape[-1] else (v, a)
    return convolution(a, v, mode=mode)


bilinear(
    convolution,
    "(n),(m)->(k)",
    # yₖ = Σⱼ aₖ₋ⱼ vⱼ of all k, or of those where v lies within a; ā is of the other kind
    bar_a=lambda ybar, v, *, mode: _convolution(ybar, conj(v)[..., ::-1], "valid" if mode == "full" else "full"),
    bar_b=lambda ybar, a, *, mode: _convolution(ybar, conj(a)[..., ::-1], "valid"),
)

_MODES = {0: "valid", 1: "same", 2: "full"}


@composite(np.convolve)
def convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    """The full and the valid product, the longer array first; ``same`` is a part of the full one."""
    a, v = (np.reshape(x, -1) if not x.ndim else x for x in _operands(a, v))
    if a.ndim > 1 or v.ndim > 1:
        raise ValueError("object too deep for desired array")
    mode = _MODES.get(mode, mode)
    if not (len(a) and len(v)):
        raise ValueError(f"{'v' if len(a) else 'a'} cannot be empty")
    if mode == "same":
        a, v = (a, v) if len(a) >= len(v) else (v, a)
        start = (len(v) - 1) // 2
        return np.convolve(a, v)[start : start + len(a)]
    return _convolution(a, v, mode)


@composite(np.correlate)
def correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    """A convolution with v*, reversed."""
    a, v = _operands(a, v)
    if not (a.ndim and v.ndim):
        raise ValueError("object of too small depth for desired array")
    if len(v) > len(a) and mode in ("same", 1):
        return conj(np.correlate(v, a, mode))[::-1]
    return np.convolve(a, conj(v)[::-1], mode)

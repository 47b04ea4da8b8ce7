"""Sparse arrays whose stored entries may be traced; with plain entries they are SciPy's own, of a subclass.

A traced one keeps its entries as they were given, each with its row and column, whatever the format: so the cotangent
of the entries has their order and pattern, and a transpose costs nothing.
"""

from typing import Any, ClassVar

import numpy as np
import scipy.sparse as ss

from dotbar.core import Traced, as_array, dtype_of, first_traced, new_zeros, primitive
from dotbar.errors import NoRuleError
from dotbar.program import Guard
from dotbar.rules.kinds import constant
from dotbar.rules.refusals import differentiated
from dotbar.rules.words import conj, entries
from dotbar.scipy.mirror import stands_for
from dotbar.scipy.sparse.words import multiply
from dotbar.trace import Recorded

Entries = tuple[Any, Any, Any]


@primitive
def rows_of(indptr: Any) -> Any:
    """For each entry the row, or column, in which it stands."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


constant(rows_of, like=lambda indptr: None)


def content(x: Any) -> bytes:
    """The numbers of an array, on which the rest of a recording depends."""
    return x.guarded(CONTENT) if isinstance(x, Recorded) else np.asarray(x).tobytes()


CONTENT = Guard(content)


def plain(x: Any) -> Any:
    """Numbers of rows or columns, on which the places in a result depend; a compiled function is one for these."""
    return np.frombuffer(content(x), x.dtype).reshape(x.shape) if isinstance(x, Recorded) else x


def is_sparse(A: Any) -> bool:
    """Whether a value is a sparse array or matrix, dotbar's or SciPy's."""
    return isinstance(A, SparseArray) or ss.issparse(A)


def sparse(A: Any) -> "SparseArray":
    """A matrix of any kind by its entries."""
    if isinstance(A, SparseArray):
        return A
    if ss.issparse(A):
        S = A.tocoo()
        return SparseArray(S.data, S.row, S.col, S.shape, A.format, isinstance(A, ss.spmatrix))
    if hasattr(A, "matvec"):
        raise NoRuleError(f"the entries of a {type(A).__name__} are not known; give the matrix itself.")
    A = np.atleast_2d(as_array(A))
    row, col = (np.reshape(i, -1) for i in np.indices(np.shape(A)))
    return SparseArray(np.reshape(A, -1), row, col, np.shape(A), "coo")


class SparseArray:
    """A matrix of traced entries.

    ``is_matrix`` tells whether ``*`` is the product of matrices, as it is of SciPy's older classes.
    """

    __array_ufunc__ = None
    ndim = 2

    def __init__(self, data: Any, row: Any, col: Any, shape: Any, format: str = "coo", is_matrix: bool = False):
        self.data = data
        self.row = row
        self.col = col
        self.shape = (int(shape[0]), int(shape[1]))
        self.format = format
        self.is_matrix = is_matrix

    def like(self, data: Any, row: Any, col: Any, shape: Any = None, format: str | None = None) -> "SparseArray":
        return SparseArray(data, row, col, shape or self.shape, format or self.format, self.is_matrix)

    def with_data(self, data: Any) -> "SparseArray":
        """Other entries in the same places."""
        return self.like(data, self.row, self.col)

    @property
    def dtype(self) -> np.dtype[Any]:
        return dtype_of(self.data)

    @property
    def nnz(self) -> int:
        return len(self.row)

    @property
    def pattern(self) -> tuple[Any, Any]:
        """Rows and columns as plain numbers."""
        return plain(self.row), plain(self.col)

    @property
    def indices(self) -> Any:
        return self.row if self.format == "csc" else self.col

    @property
    def indptr(self) -> Any:
        major, n = (self.col, self.shape[1]) if self.format == "csc" else (self.row, self.shape[0])
        return np.searchsorted(major, np.arange(n + 1))

    def __repr__(self) -> str:
        return f"<traced {self.format} sparse array of shape {self.shape} with {self.nnz} stored entries>"

    # ------------------------------------------------ forms

    def asformat(self, format: str | None, copy: bool = False) -> "SparseArray":
        """The same in another format: the entries in its order, those of one place added."""
        if format in (None, self.format):
            return self
        if format not in FORMATS:
            raise NoRuleError(f"traced entries are held in the formats {', '.join(FORMATS)}, not in {format!r}.")
        if format == "coo":
            return self.like(self.data, self.row, self.col, format="coo")
        return self.merged(by_column=format == "csc").like_format(format)

    def like_format(self, format: str) -> "SparseArray":
        return self.like(self.data, self.row, self.col, format=format)

    def merged(self, by_column: bool = False) -> "SparseArray":
        """The entries in the order of their places, those of one place added."""
        (m, n), (row, col) = self.shape, self.pattern
        place = col * m + row if by_column else row * n + col
        places, which = np.unique(place, return_inverse=True)
        data = new_zeros((len(places),), self.dtype, self.data)
        np.add.at(data, which, self.data)
        first, second = np.divmod(places, m if by_column else n)
        return self.like(data, *((second, first) if by_column else (first, second)))

    def tocoo(self, copy: bool = False) -> "SparseArray":
        return self.asformat("coo")

    def tocsr(self, copy: bool = False) -> "SparseArray":
        return self.asformat("csr")

    def tocsc(self, copy: bool = False) -> "SparseArray":
        return self.asformat("csc")

    def copy(self) -> "SparseArray":
        return self.with_data(np.copy(self.data))

    def astype(self, dtype: Any) -> "SparseArray":
        """The entries of another type; None leaves theirs."""
        return self if dtype is None else self.with_data(self.data.astype(dtype))

    def toarray(self) -> Any:
        """The dense matrix."""
        D = new_zeros(self.shape, self.dtype, self.data)
        np.add.at(D, (self.row, self.col), self.data)
        return D

    todense = toarray

    # ------------------------------------------------ parts

    def transpose(self, axes: Any = None, copy: bool = False) -> "SparseArray":
        if axes is not None and tuple(np.lib.array_utils.normalize_axis_tuple(axes, 2)) == (0, 1):
            return self
        turned = {"csr": "csc", "csc": "csr"}.get(self.format, self.format)
        return self.like(self.data, self.col, self.row, self.shape[::-1], turned)

    @property
    def T(self) -> "SparseArray":
        return self.transpose()

    @property
    def real(self) -> "SparseArray":
        return self.with_data(np.real(self.data))

    @property
    def imag(self) -> "SparseArray":
        return self.with_data(np.imag(self.data))

    def conj(self) -> "SparseArray":
        return self.with_data(conj(self.data))

    conjugate = conj

    def chosen(self, keep: Any) -> "SparseArray":
        """Only some of the entries."""
        places = np.nonzero(keep)[0]
        row, col = self.pattern
        return self.like(self.data[places], row[places], col[places])

    def diagonal(self, k: int = 0) -> Any:
        (m, n), (row, col) = self.shape, self.pattern
        first = max(-k, 0)
        part = self.chosen(col - row == k)
        d = new_zeros((max(min(m + min(k, 0), n - max(k, 0)), 0),), self.dtype, self.data)
        np.add.at(d, part.row - first, part.data)
        return d

    def trace(self, offset: int = 0) -> Any:
        return np.sum(self.diagonal(offset))

    def sum(self, axis: Any = None, dtype: Any = None, out: None = None) -> Any:
        """Over the rows, the columns or all; of a matrix it is a row or a column."""
        if out is not None:
            raise NoRuleError("csr_array and the others of traced entries have no out=: assign what they return.")
        if axis is None or np.size(axis) == 2:
            return np.sum(self.data, dtype=dtype)
        (axis,) = np.lib.array_utils.normalize_axis_tuple(axis, 2)
        A = self.astype(dtype)
        total = A @ np.ones(A.shape[1], A.dtype) if axis else A.T @ np.ones(A.shape[0], A.dtype)
        return np.expand_dims(total, axis) if self.is_matrix else total

    def mean(self, axis: Any = None, dtype: Any = None, out: None = None) -> Any:
        return self.sum(axis, dtype, out) / (
            self.shape[axis] if np.size(axis) == 1 and axis is not None else np.prod(self.shape)
        )

    def reshape(self, *shape: Any, order: str = "C", copy: bool = False) -> "SparseArray":
        (m, n), (row, col) = self.shape, self.pattern
        shape = np.empty(self.shape, np.void).reshape(*shape, order=order).shape
        if len(shape) != 2:
            raise NoRuleError("traced sparse arrays have two dimensions.")
        place = row * n + col if order == "C" else col * m + row
        row, col = np.divmod(place, shape[1]) if order == "C" else np.divmod(place, shape[0])[::-1]
        return self.like(self.data, row, col, shape, "coo").asformat(self.format)

    def rows(self, numbers: Any) -> "SparseArray":
        """The rows with these numbers, which may be the same: the product with a matrix of ones and zeros."""
        m, places = len(numbers), np.arange(len(numbers))
        return product(self.like(np.ones(m, bool), places, numbers, (m, self.shape[0])), self).asformat(self.format)

    def __getitem__(self, index: Any) -> Any:
        """An entry by two integers, what stands in some rows and columns by slices, lists, masks and ``np.ix_``."""
        parts = [at for at in (index if isinstance(index, tuple) else (index,)) if at is not Ellipsis]
        if any(np.ndim(at) == 2 and np.shape(at) == self.shape for at in parts):
            raise NoRuleError(
                "a traced sparse array is not indexed by a mask of its shape; use multiply, or toarray()."
            )
        parts += [slice(None)] * (2 - len(parts))
        row, col = (np.arange(n)[plain(at)] for at, n in zip(parts, self.shape, strict=True))
        if row.ndim == col.ndim == 0:
            return np.sum(self.chosen((self.pattern[0] == row) & (self.pattern[1] == col)).data)
        if 0 in (row.ndim, col.ndim) and not self.is_matrix:
            raise NoRuleError("a traced sparse array has two dimensions: write A[i : i + 1] in place of A[i].")
        pairs = not any(isinstance(at, slice) for at in parts) and row.ndim == col.ndim == 1
        if pairs:
            raise NoRuleError("a traced sparse array is not indexed by pairs; use np.ix_, or the pairs of toarray().")
        return self.rows(np.ravel(row)).T.rows(np.ravel(col)).T

    def __setitem__(self, index: Any, value: Any) -> None:
        raise NoRuleError("a traced sparse array is not assigned to; make it of all its entries, or add another one.")

    def sum_duplicates(self) -> None:
        """Add the entries of one place."""
        vars(self).update(vars(self.merged(by_column=self.format == "csc")))

    # ------------------------------------------------ arithmetic

    def __matmul__(self, other: Any) -> Any:
        if is_sparse(other):
            return product(self, sparse(other))
        other = as_array(other)
        if np.ndim(other) not in (1, 2) or np.shape(other)[0] != self.shape[1]:
            raise ValueError(f"matmul: dimension mismatch with signature {self.shape} @ {np.shape(other)}")
        columns = other if np.ndim(other) == 2 else other[:, None]
        Y = multiply(self.data, columns, self.row, self.col, rows=self.shape[0])
        return Y if np.ndim(other) == 2 else Y[:, 0]

    def __rmatmul__(self, other: Any) -> Any:
        if is_sparse(other):
            return product(sparse(other), self)
        return (self.T @ np.transpose(as_array(other))).T

    dot = __matmul__

    def multiply(self, other: Any) -> Any:
        """The product entry by entry."""
        if is_sparse(other):
            A, B = self.merged(), sparse(other).merged()
            _, i, j = np.intersect1d(place(A), place(B), assume_unique=True, return_indices=True)
            return A.like(A.data[i] * B.data[j], A.row[i], A.col[i])
        other = as_array(other)
        if np.ndim(other) == 0:
            return self.with_data(self.data * other)
        there = entries(np.broadcast_to(other, self.shape), (self.row, self.col))
        return self.like(self.data * there, self.row, self.col, format="coo")

    def __mul__(self, other: Any) -> Any:
        return self @ other if self.is_matrix and np.ndim(other) else self.multiply(other)

    def __rmul__(self, other: Any) -> Any:
        if is_sparse(other):
            return sparse(other) * self  # the first one says what the product is
        return other @ self if self.is_matrix and np.ndim(other) else self.multiply(other)

    def __truediv__(self, other: Any) -> Any:
        return self.multiply(1 / as_array(other))

    def __neg__(self) -> "SparseArray":
        return self.with_data(-self.data)

    def __add__(self, other: Any) -> Any:
        if not is_sparse(other) and np.ndim(other):
            return self.toarray() + other
        if not is_sparse(other):
            if isinstance(other, Traced) or other != 0:
                raise NotImplementedError("adding a nonzero scalar to a sparse array is not supported")
            return self
        other = sparse(other)
        if other.shape != self.shape:
            raise ValueError("inconsistent shapes")
        return join([self, other], self).merged()

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __abs__(self) -> "SparseArray":
        A = self.merged()
        return A.with_data(np.abs(A.data))

    def power(self, n: Any, dtype: Any = None) -> "SparseArray":
        """The entries, each to a power."""
        A = self.merged()
        return A.with_data(A.data**n)

    def __pow__(self, n: Any) -> "SparseArray":
        if not self.is_matrix:
            return self.power(n)
        return self @ self ** (n - 1) if n > 1 else self if n else sparse(ss.eye_array(self.shape[0]))

    # ------------------------------------------------ what it is not

    def __bool__(self) -> bool:
        raise ValueError("The truth value of a sparse array is ambiguous.")

    def compared(self, other: Any) -> Any:
        raise NoRuleError("a traced sparse array is not compared; compare its toarray(), or its data.")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = compared
    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or (not hasattr(ss.csr_matrix, name) and not hasattr(ss.coo_array, name)):
            raise AttributeError(f"a traced sparse array has no {name!r}")
        raise NoRuleError(f"a traced sparse array has no derivative rule for {name!r}; toarray() and csr_array() have.")


FORMATS = ("coo", "csr", "csc")


def entry_by_entry(name: str) -> Any:
    """A method that applies a ufunc with f(0) = 0."""

    def method(self: SparseArray) -> SparseArray:
        A = self.merged()
        return A.with_data(getattr(np, name)(A.data))

    method.__name__ = name
    return method


for _name in (
    *("sin", "tan", "arcsin", "arctan", "sinh", "tanh", "arcsinh", "arctanh", "expm1", "log1p", "sqrt"),
    *("sign", "floor", "ceil", "rint", "trunc", "deg2rad", "rad2deg"),
):
    setattr(SparseArray, _name, entry_by_entry(_name))


def place(A: SparseArray) -> Any:
    """The number of each entry's place in the matrix."""
    row, col = A.pattern
    return row * A.shape[1] + col


def join(parts: Any, like: SparseArray, shape: Any = None) -> SparseArray:
    """The entries of several arrays together."""
    return like.like(*(np.concatenate([getattr(A, name) for A in parts]) for name in ("data", "row", "col")), shape)


def product(A: SparseArray, B: SparseArray) -> SparseArray:
    """A B: each entry of A with all of B in the row of its column.  Gustavson (1978)."""
    if A.shape[1] != B.shape[0]:
        raise ValueError(f"matmul: dimension mismatch with signature {A.shape} @ {B.shape}")
    (row_A, col_A), (row_B, col_B) = A.pattern, B.pattern
    order = np.argsort(row_B, kind="stable")
    starts = np.searchsorted(row_B[order], np.arange(B.shape[0] + 1))
    counts = np.diff(starts)[col_A]
    left = np.repeat(np.arange(A.nnz), counts)
    within = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
    right = order[np.repeat(starts[col_A], counts) + within]
    shape = (A.shape[0], B.shape[1])
    return A.like(A.data[left] * B.data[right], row_A[left], col_B[right], shape, "csr").merged()


# ---------------------------------------------------------------- SciPy's classes


class Looking:
    """Put before SciPy's class among the bases: a product with a traced value is dotbar's."""

    is_matrix: ClassVar[bool] = False

    def __new__(cls, arg1: Any, shape: Any = None, dtype: Any = None, copy: bool = False, **kw: Any) -> Any:
        if not meets(arg1) and (is_sparse(arg1) or first_traced(arg1) is None):
            return super().__new__(cls)
        return traced(cls.__name__[:3], arg1, shape, cls.is_matrix).astype(dtype)

    def __init__(self, *args: Any, **kw: Any):
        super().__init__(*args, **kw)

    def __matmul__(self, other: Any) -> Any:
        return sparse(self) @ other if meets(other) else super().__matmul__(other)  # type: ignore[misc]

    def __rmatmul__(self, other: Any) -> Any:
        return (
            other @ sparse(self)
            if isinstance(other, SparseArray)
            else (
                sparse(self).__rmatmul__(other) if meets(other) else super().__rmatmul__(other)  # type: ignore[misc]
            )
        )

    def __mul__(self, other: Any) -> Any:
        return sparse(self) * other if meets(other) else super().__mul__(other)  # type: ignore[misc]

    def __rmul__(self, other: Any) -> Any:
        return sparse(self).__rmul__(other) if meets(other) else super().__rmul__(other)  # type: ignore[misc]

    def __add__(self, other: Any) -> Any:
        return sparse(self) + other if meets(other) else super().__add__(other)  # type: ignore[misc]

    def __sub__(self, other: Any) -> Any:
        return sparse(self) - other if meets(other) else super().__sub__(other)  # type: ignore[misc]

    def __truediv__(self, other: Any) -> Any:
        return sparse(self) / other if meets(other) else super().__truediv__(other)  # type: ignore[misc]

    def power(self, n: Any, dtype: Any = None) -> Any:
        return sparse(self).power(n) if meets(n) else super().power(n, dtype)  # type: ignore[misc]

    def multiply(self, other: Any) -> Any:
        return sparse(self).multiply(other) if meets(other) else super().multiply(other)  # type: ignore[misc]

    def dot(self, other: Any) -> Any:
        return self @ other

    def transpose(self, *args: Any, **kw: Any) -> Any:
        T = super().transpose(*args, **kw)  # type: ignore[misc]
        return OWN[type(T)](T) if type(T) in OWN else T

    @property
    def T(self) -> Any:
        return self.transpose()


def meets(other: Any) -> bool:
    """Whether the other operand is traced."""
    return isinstance(other, (Traced, SparseArray))


def traced(format: str, given: Any, shape: Any, is_matrix: bool) -> SparseArray:
    """A sparse array of traced entries from what SciPy's class is made of."""
    if isinstance(given, SparseArray):
        A = given.asformat(format)
        return SparseArray(A.data, A.row, A.col, A.shape, format, is_matrix)
    if format not in (*FORMATS, "dia"):
        raise NoRuleError(f"a sparse array in the format {format!r} does not hold traced values; make a csr_array.")
    if not isinstance(given, tuple):
        D = np.atleast_2d(as_array(given)) if is_matrix else as_array(given)
        row, col = two_dimensional(np.nonzero(D))
        return SparseArray(entries(D, (row, col)), row, col, D.shape, format, is_matrix)
    data, *places = given
    data = as_array(data)
    if format == "dia":
        return diagonals(data, *places, shape, is_matrix)
    if len(places) == 1:
        row, col = map(numbers, two_dimensional(places[0]))
        shape = (int(np.max(row)) + 1, int(np.max(col)) + 1) if shape is None else shape
        return SparseArray(data, row, col, shape, "coo", is_matrix).asformat(format)
    minor, indptr = map(numbers, places)
    major = rows_of(indptr)
    extent = (len(indptr) - 1, int(np.max(minor)) + 1) if shape is None else None
    if format == "csc":
        return SparseArray(data, minor, major, extent[::-1] if extent else shape, format, is_matrix)
    return SparseArray(data, major, minor, extent or shape, format, is_matrix)


def two_dimensional(coordinates: Any) -> Any:
    """The coordinates of entries, once it is known that they are pairs."""
    if len(coordinates) != 2:
        raise NoRuleError("traced sparse arrays have two dimensions.")
    return coordinates


def numbers(x: Any) -> Any:
    """Indices as an array of integers."""
    if differentiated(x):
        raise NoRuleError(
            "csr_array, dia_array and the others have derivatives in their entries: rows and columns jump."
        )
    return x if isinstance(x, Traced) else np.asarray(x, np.intp)


def diagonals(data: Any, offsets: Any, shape: Any, is_matrix: bool = False) -> SparseArray:
    """The matrix with ``data[k, j]`` in column j of the diagonal ``offsets[k]``, as ``dia_array`` has it."""
    data, offsets = np.atleast_2d(data), np.atleast_1d(numbers(offsets))
    m, n = shape
    k, col = np.nonzero(
        (np.arange(np.shape(data)[1]) >= np.maximum(offsets, 0)[:, None])
        & (np.arange(np.shape(data)[1]) < np.minimum(n, m + offsets)[:, None])
    )
    return SparseArray(data[k, col], col - offsets[k], col, shape, "dia", is_matrix)


OWN: dict[type, type] = {}
"""dotbar's class for each of SciPy's."""

for _original in (
    *(ss.csr_array, ss.csc_array, ss.coo_array, ss.dia_array, ss.bsr_array, ss.dok_array, ss.lil_array),
    *(ss.csr_matrix, ss.csc_matrix, ss.coo_matrix, ss.dia_matrix, ss.bsr_matrix, ss.dok_matrix, ss.lil_matrix),
):
    _is_matrix = issubclass(_original, ss.spmatrix)
    _members = {"__doc__": _original.__doc__, "__module__": "dotbar.scipy.sparse", "is_matrix": _is_matrix}
    OWN[_original] = stands_for(_original)(type(_original.__name__, (Looking, _original), _members))


@stands_for(ss.issparse)
def issparse(x: Any) -> bool:
    return is_sparse(x)


@stands_for(ss.diags_array)
def diags_array(
    diagonals: Any, /, *, offsets: Any = 0, shape: Any = None, format: str | None = None, dtype: Any = None
) -> Any:
    if first_traced(diagonals) is None:
        return ss.diags_array(diagonals, offsets=offsets, shape=shape, format=format, dtype=dtype)
    offsets = np.atleast_1d(offsets)
    several = (isinstance(diagonals, (list, tuple)) and np.ndim(as_array(diagonals[0])) > 0) or len(offsets) > 1
    if several and len(diagonals) != len(offsets):
        raise ValueError("Different number of diagonals and offsets.")
    parts = [np.reshape(as_array(d), -1) for d in (diagonals if several else [diagonals])]
    if shape is None:
        n = np.shape(parts[0])[0] + abs(int(offsets[0]))
        shape = (n, n)
    places = []
    for d, k in zip(parts, map(int, offsets)):
        length = min(shape[0] + min(k, 0), shape[1] - max(k, 0))
        places.append((np.broadcast_to(d, (length,)), np.arange(length) + max(-k, 0), np.arange(length) + max(k, 0)))
    data, row, col = (np.concatenate(v) for v in zip(*places))
    return SparseArray(data, row, col, shape, "dia").asformat(None if format == "dia" else format).astype(dtype)


@stands_for(ss.diags)
def diags(diagonals: Any, offsets: Any = 0, shape: Any = None, format: str | None = None, dtype: Any = None) -> Any:
    if first_traced(diagonals) is None:
        return ss.diags(diagonals, offsets, shape, format, dtype)
    D = diags_array(diagonals, offsets=offsets, shape=shape, format=format, dtype=dtype)
    return SparseArray(D.data, D.row, D.col, D.shape, D.format, is_matrix=True)


@stands_for(ss.spdiags)
def spdiags(data: Any, diags: Any, m: Any = None, n: Any = None, format: str | None = None) -> Any:
    if first_traced(data) is None:
        return ss.spdiags(data, diags, m, n, format)
    data = np.atleast_2d(as_array(data))
    shape = m if n is None and m is not None else (np.shape(data)[1],) * 2 if m is None else (m, n)
    return diagonals(data, diags, shape, is_matrix=True).asformat(format)


def stacked(axis: int, original: Any) -> Any:
    """``hstack`` or ``vstack``."""

    def stack(blocks: Any, format: str | None = None, dtype: Any = None) -> Any:
        if not any(isinstance(A, SparseArray) for A in blocks):
            return original(blocks, format, dtype)
        parts, start = [], 0
        for A in map(sparse, blocks):
            moved = (A.row + start, A.col) if axis == 0 else (A.row, A.col + start)
            parts.append(A.like(A.data, *moved))
            start += A.shape[axis]
        shape = [A.shape[0], A.shape[1]]
        shape[axis] = start
        return join(parts, parts[0], shape).asformat(format or "coo").astype(dtype)

    stack.__name__ = original.__name__
    return stands_for(original)(stack)


hstack, vstack = stacked(1, ss.hstack), stacked(0, ss.vstack)


@stands_for(ss.kron)
def kron(A: Any, B: Any, format: str | None = None) -> Any:
    if not (isinstance(A, SparseArray) or isinstance(B, SparseArray) or first_traced([A, B]) is not None):
        return ss.kron(A, B, format)
    A, B = sparse(A), sparse(B)
    flat = lambda v: np.reshape(v, -1)
    return SparseArray(
        flat(A.data[:, None] * B.data),
        flat(A.row[:, None] * B.shape[0] + B.row),
        flat(A.col[:, None] * B.shape[1] + B.col),
        (A.shape[0] * B.shape[0], A.shape[1] * B.shape[1]),
    ).asformat(format or "coo")


@stands_for(ss.kronsum)
def kronsum(A: Any, B: Any, format: str | None = None) -> Any:
    """I ⊗ A + B ⊗ I."""
    if not (meets(A) or meets(B) or first_traced([A, B]) is not None):
        return ss.kronsum(A, B, format)
    A, B = sparse(A), sparse(B)
    return (kron(ss.eye_array(B.shape[0]), A) + kron(B, ss.eye_array(A.shape[0]))).asformat(format or "csr")


@stands_for(ss.find)
def find(A: Any) -> tuple[Any, Any, Any]:
    """Rows, columns and values of the entries that are not zero."""
    if not meets(A):
        return ss.find(A)
    A = sparse(A).merged()
    A = A.chosen(plain(A.data != 0))
    return A.row, A.col, A.data


def of_axes(original: Any, axes: Any) -> None:
    """Enter a function that puts the axes in another order."""

    def call(A: Any, *args: Any, **kw: Any) -> Any:
        return A.transpose(axes(*args, **kw)) if isinstance(A, SparseArray) else original(A, *args, **kw)

    call.__name__ = original.__name__
    stands_for(original)(call)


if hasattr(ss, "swapaxes"):
    of_axes(ss.swapaxes, lambda axis1, axis2: (0, 1) if (axis1 - axis2) % 2 == 0 else (1, 0))
    of_axes(ss.permute_dims, lambda axes=None, copy=False: axes)
if hasattr(ss, "matrix_transpose"):
    of_axes(ss.matrix_transpose, lambda: None)


def triangle(original: Any, keep: Any) -> None:
    """Enter ``tril`` or ``triu``."""

    def call(A: Any, k: int = 0, format: str | None = None) -> Any:
        if not isinstance(A, SparseArray):
            return original(A, k, format)
        row, col = A.pattern
        return A.chosen(keep(col - row, k)).asformat(format)

    call.__name__ = original.__name__
    stands_for(original)(call)


triangle(ss.tril, np.less_equal)
triangle(ss.triu, np.greater_equal)


@stands_for(ss.block_diag)
def block_diag(mats: Any, format: str | None = None, dtype: Any = None) -> Any:
    if not any(isinstance(A, SparseArray) or first_traced(A) is not None for A in mats):
        return ss.block_diag(mats, format, dtype)
    parts, corner = [], (0, 0)
    for A in map(sparse, mats):
        parts.append(A.like(A.data, A.row + corner[0], A.col + corner[1]))
        corner = (corner[0] + A.shape[0], corner[1] + A.shape[1])
    return join(parts, parts[0], corner).asformat(format or "coo").astype(dtype)


def blocks_of(original: Any) -> None:
    """Enter ``block_array`` or ``bmat``."""

    def call(blocks: Any, *, format: str | None = None, dtype: Any = None) -> Any:
        every = [[A for A in row if A is not None] for row in blocks]
        if not any(isinstance(A, SparseArray) for row in every for A in row):
            return original(blocks, format=format, dtype=dtype)
        heights = [sparse(row[0]).shape[0] for row in every]
        widths = [next(sparse(A).shape[1] for A in column if A is not None) for column in zip(*blocks)]
        fill = lambda A, i, j: sparse(ss.coo_array((heights[i], widths[j])) if A is None else A)
        rows = [hstack([fill(A, i, j) for j, A in enumerate(row)]) for i, row in enumerate(blocks)]
        return sparse(vstack(rows)).asformat(format or "coo").astype(dtype)

    call.__name__ = original.__name__
    stands_for(original)(call)


blocks_of(ss.block_array)
blocks_of(ss.bmat)

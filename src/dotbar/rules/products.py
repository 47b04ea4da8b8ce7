"""Products of vectors, matrices and tensors: matmul and its kin, einsum, cross, convolve."""

from typing import Any

import numpy as np

from dotbar import core
from dotbar.core import apply, primitive
from dotbar.rules.kinds import Bilinear, composite
from dotbar.rules.shapes import astype
from dotbar.rules.words import H, conj, mT

# ---------------------------------------------------------------- matrices and vectors

if hasattr(np, "matvec"):
    matvec: Any = np.matvec
else:

    @primitive
    def matvec(x1: Any, x2: Any) -> Any:
        """A x over leading axes, as NumPy has it since 2.2."""
        return np.matmul(x1, np.expand_dims(x2, -1))[..., 0]


MATMUL = Bilinear(
    np.matmul,
    "(n,k),(k,m)->(n,m)",
    bar_a=lambda Cbar, B: Cbar @ H(B),  # C = A B,  Ā = C̄ Bᴴ
    bar_b=lambda Cbar, A: H(A) @ Cbar,  # B̄ = Aᴴ C̄
)
MATVEC = Bilinear(
    matvec,
    "(m,n),(n)->(m)",
    bar_a=lambda ybar, x: ybar[..., :, None] * conj(x)[..., None, :],  # y = A x,  Ā = ȳ xᴴ
    bar_b=lambda ybar, A: matvec(H(A), ybar),  # x̄ = Aᴴ ȳ
)
VECDOT = Bilinear(
    np.vecdot,
    "(n),(n)->()",
    bar_a=lambda sbar, b: conj(sbar)[..., None] * b,  # s = aᴴ b,  ā = s̄* b
    bar_b=lambda sbar, a: sbar[..., None] * a,  # b̄ = s̄ a
)


def _operands(*xs: Any, dtype: Any = None) -> list[Any]:
    """Operands as arrays, in the dtype that the caller asked for."""
    xs_ = [x if isinstance(x, core.Traced) else np.asarray(x) for x in map(core.as_array, xs)]
    return xs_ if dtype is None else [astype(x, dtype=dtype) for x in xs_]


@composite(np.matmul)
def matmul(x1: Any, x2: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """One rule for each pair of dimensions; a stack times one matrix is one product."""
    A, B = _operands(x1, x2, dtype=dtype)
    if not A.ndim or not B.ndim:
        raise ValueError("matmul: an operand is 0-dimensional; use a * b")
    if B.ndim == 1:
        return apply(VECDOT, (conj(A), B), {}) if A.ndim == 1 else matvec(A, B)
    if A.ndim == 1:
        return matvec(mT(B), A)
    if B.ndim == 2 and A.ndim > 2 and A.size:
        rows = np.reshape(A, (-1, A.shape[-1])) @ B
        return np.reshape(rows, (*A.shape[:-1], B.shape[-1]))
    return apply(MATMUL, (A, B), {})


@composite(matvec)
def _matvec(x1: Any, x2: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """One matrix times many vectors is one matrix product."""
    A, x = _operands(x1, x2, dtype=dtype)
    return x @ mT(A) if A.ndim == 2 and x.ndim > 1 else apply(MATVEC, (A, x), {})


@composite(np.vecdot)
def vecdot(x1: Any, x2: Any, *, axis: int = -1, dtype: Any = None, casting: str = "same_kind") -> Any:
    a, b = _operands(x1, x2, dtype=dtype)
    if axis != -1:
        a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    return apply(VECDOT, (a, b), {})


def vecmat(x1: Any, x2: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """xᴴ A."""
    x, A = _operands(x1, x2, dtype=dtype)
    return matvec(mT(A), conj(x))


if hasattr(np, "vecmat"):
    composite(np.vecmat)(vecmat)

composite(np.linalg.matmul)(lambda x1, x2, /: np.matmul(x1, x2))
composite(np.linalg.vecdot)(lambda x1, x2, /, *, axis=-1: vecdot(x1, x2, axis=axis))

"""Functions of a matrix's spectrum that stay differentiable where eigenvalues or singular values repeat."""

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dotbar.core import Traced, dtype_of, primitive
from dotbar.errors import DegenerateSpectrumError, NoRuleError
from dotbar.rules.kinds import rule
from dotbar.rules.lapack_words import inexact
from dotbar.rules.spectral import SINGULAR_VECTORS, refuse, same_value
from dotbar.rules.words import H, sym
from dotbar.transforms import jvp

__all__ = ["matrix_function", "polar", "projector"]


def matrix_function(f: Callable[[Any], Any], A: Any) -> Any:
    """f(A) = V diag(f(w)) Vᴴ for a Hermitian A = V diag(w) Vᴴ.

    The derivative is exact also where eigenvalues repeat, where the same written out with ``eigh`` has none:
    it needs the divided differences f[wᵢ, wⱼ], which become f′ there.  First and second order.

    Args:
        f: an elementwise function in NumPy, such as ``np.log`` or ``lambda w: np.exp(-w**2)``, which dotbar
            differentiates.  What it closes over is a constant.
        A: Hermitian matrices ``(..., n, n)``, real or complex.  Only the lower triangle is read.

    Returns:
        An array of the shape of ``A``; complex if ``A`` is or if ``f`` returns complex numbers.

    Source: Daleckii & Krein (1965); Higham (2008), Functions of Matrices, theorem 3.11.
    """
    with np.errstate(all="ignore"):
        is_complex = dtype_of(f(np.ones(1))).kind == "c"
    if not is_complex:
        return spectral_function(A, f=Smooth(f))
    real, imag = (spectral_function(A, f=Smooth(lambda w, part=part: part(f(w)))) for part in (np.real, np.imag))
    return real + 1j * imag


def projector(A: Any, select: Any) -> Any:
    """The orthogonal projector V_S V_Sᴴ onto the eigenvectors of a Hermitian A that are selected.

    The derivative is exact also where eigenvalues repeat among the selected ones, or among the others.

    Args:
        A: Hermitian matrices ``(..., n, n)``, real or complex.  Only the lower triangle is read.
        select: which eigenvalues, in ascending order: an index, a slice, an array of indices or a mask; or a
            function of the eigenvalues that returns a mask, such as ``lambda w: w > 0``.

    Returns:
        An array of the shape and dtype of ``A``.

    Raises:
        DegenerateSpectrumError: when differentiated, if a repeated eigenvalue is selected in part.
    """
    return spectral_function(A, f=Step(select))


def polar(A: Any, side: str = "right") -> tuple[Any, Any]:
    """The polar decomposition A = U P (``side="right"``) or A = P U (``"left"``), as ``scipy.linalg.polar``.

    P is Hermitian and positive semidefinite, and U has orthonormal columns (rows, if A is wide).  The derivative is
    exact where singular values repeat; it exists where A has full rank.

    Args:
        A: matrices ``(..., m, n)``, real or complex.
        side: on which side of U the factor P stands.

    Returns:
        ``(U, P)`` of shapes ``(..., m, n)`` and ``(..., n, n)``, or ``(..., m, m)`` for the left side.

    Raises:
        DegenerateSpectrumError: when differentiated, if A has not full rank.
    """
    if side not in ("right", "left"):
        raise ValueError("`side` must be either 'right' or 'left'")
    A = inexact(A)
    m, n = A.shape[-2:]
    U = unitary_factor(A) if m >= n else H(unitary_factor(H(A)))
    return U, sym(H(U) @ A if side == "right" else A @ H(U))


# ---------------------------------------------------------------- functions on a spectrum


class OnSpectrum(Protocol):
    """A function of eigenvalues w ``(..., n)``, with its divided differences f[wᵢ, wⱼ] and f[wᵢ, wₖ, wⱼ]."""

    def value(self, w: NDArray[Any]) -> NDArray[Any]: ...
    def first(self, w: NDArray[Any]) -> NDArray[Any]: ...
    def second(self, w: NDArray[Any], k: int) -> NDArray[Any]: ...


CLOSE = 1e-2  # relative distance below which a difference quotient gives way to an integral of the derivative


@cache
def gauss(n: int = 6) -> list[tuple[float, float]]:
    """Nodes and weights on [0, 1], from the spectrum of the Jacobi matrix.  Golub & Welsch (1969)."""
    k = np.arange(1, n)
    nodes, vectors = np.linalg.eigh(np.diag(k / np.sqrt(4.0 * k * k - 1), -1))
    return list(zip(((nodes + 1) / 2).tolist(), (vectors[0] ** 2).tolist()))  # Python numbers leave float32 alone


def _is_close(gap: Any, *ends: Any) -> Any:
    return gap <= CLOSE * np.max(np.abs(np.stack(np.broadcast_arrays(*ends))), 0)


class Smooth:
    """A smooth f.  Of close arguments the divided differences are integrals (Hermite-Genocchi), by Gauss's rule.

    f[a, b] = ∫₀¹ f′(a + t(b − a)) dt,   f[a, b, c] = ∫₀¹∫₀¹ s f″(a + s(b − a) + st(c − b)) dt ds.
    """

    def __init__(self, f: Callable[[Any], Any]):
        self.f = f

    def value(self, w: NDArray[Any]) -> NDArray[Any]:
        y = self.f(w)
        if isinstance(y, Traced):
            raise NoRuleError(
                "matrix_function(f, A) differentiates with respect to A only, and f closes over a differentiated or "
                "batched value. Pass stop_gradient of that value, or write V f(w) Vᴴ with np.linalg.eigh."
            )
        return np.broadcast_to(y, w.shape)

    def prime(self, w: Any) -> Any:
        return jvp(self.f, (w,), (np.ones_like(w),))[1]

    def prime2(self, w: Any) -> Any:
        return jvp(self.prime, (w,), (np.ones_like(w),))[1]

    def pair(self, a: Any, b: Any) -> Any:
        """f[a, b], entry by entry."""
        a, b = np.broadcast_arrays(a, b)
        close = _is_close(np.abs(b - a), a, b)
        y = (self.value(b) - self.value(a)) / np.where(close, 1, b - a)
        near, gap = a[close], (b - a)[close]
        y[close] = sum(weight * self.prime(near + t * gap) for t, weight in gauss())
        return y

    def first(self, w: NDArray[Any]) -> NDArray[Any]:
        return self.pair(w[..., :, None], w[..., None, :])

    def second(self, w: NDArray[Any], k: int) -> NDArray[Any]:
        triples = np.broadcast_arrays(w[..., :, None], w[..., None, :], w[..., k, None, None])
        a, b, c = np.sort(np.stack(triples), axis=0)
        close = _is_close(c - a, a, c)
        y = (self.pair(b, c) - self.pair(a, b)) / np.where(close, 1, c - a)
        a, b, c = a[close], b[close], c[close]
        simplex = [(s, t, u * v * s) for s, u in gauss() for t, v in gauss()]
        y[close] = sum(weight * self.prime2(a + s * (b - a) + s * t * (c - b)) for s, t, weight in simplex)
        return y


class Step:
    """1 on the selected eigenvalues, 0 on the others."""

    def __init__(self, select: Any):
        self.select = select

    def value(self, w: NDArray[Any]) -> NDArray[Any]:
        if callable(self.select):
            return np.asarray(self.select(w)).astype(w.dtype)
        y = np.zeros_like(w)
        y[..., self.select] = 1
        return y

    def _quotient(self, difference: Any, gap: Any, differ: Any) -> Any:
        return np.where(differ, difference / np.where(differ, gap, 1), 0)

    def first(self, w: NDArray[Any]) -> NDArray[Any]:
        y = self.value(w)
        rise, run = y[..., :, None] - y[..., None, :], w[..., :, None] - w[..., None, :]
        same = same_value(w)
        if np.any(same & (rise != 0)):
            raise DegenerateSpectrumError(
                f"projector(A, select) selects a part of an eigenvalue of multiplicity {np.max(np.sum(same, -1))}: "
                "the projector is not determined. Select all of its eigenvectors or none."
            )
        return self._quotient(rise, run, rise != 0)

    def second(self, w: NDArray[Any], k: int) -> NDArray[Any]:
        """f[a, b, c] = (f[a, b] − f[b, c])/(a − c) with a and c on two sides of the step."""
        y, F = self.value(w), self.first(w)
        row, column = (..., slice(None), None), (..., None, slice(None))
        F_row, F_column = F[..., :, k, None], F[..., None, :, k]
        across = self._quotient(F_row - F_column, w[row] - w[column], y[row] != y[column])
        beside = self._quotient(F - F_column, w[row] - w[..., k, None, None], y[row] != y[..., k, None, None])
        return np.where(y[row] != y[column], across, beside)


@primitive
def spectral_function(A: Any, *, f: OnSpectrum) -> Any:
    """V diag(f(w)) Vᴴ."""
    w, V = np.linalg.eigh(A)
    return (V * f.value(w)[..., None, :]) @ H(V)


@primitive
def frechet(A: Any, E: Any, *, f: OnSpectrum) -> Any:
    """The derivative of f at A along E: V (f[wᵢ, wⱼ] ∘ VᴴEV) Vᴴ.  Its own transpose."""
    w, V = np.linalg.eigh(A)
    return V @ (f.first(w) * (H(V) @ E @ V)) @ H(V)


@primitive
def frechet2(A: Any, E: Any, B: Any, *, f: OnSpectrum) -> Any:
    """The second derivative of f at A along Hermitian E and B: in the basis V, Σₖ f[wᵢ, wₖ, wⱼ](EᵢₖBₖⱼ + BᵢₖEₖⱼ)."""
    w, V = np.linalg.eigh(A)
    E, B = H(V) @ E @ V, H(V) @ B @ V
    total = np.zeros(np.broadcast_shapes(E.shape, B.shape), np.result_type(E, B))
    for k in range(w.shape[-1]):
        rank1 = lambda X, Y: X[..., :, k, None] * Y[..., None, k, :]  # noqa: B023
        total += f.second(w, k) * (rank1(E, B) + rank1(B, E))
    return V @ total @ H(V)


@rule(spectral_function, "(n,n)->(n,n)")
def _spectral_function(F: Any, A: Any, *, f: OnSpectrum) -> Any:
    """Daleckii & Krein (1965), on Hermitian A."""

    def dot(Adot: Any) -> Any:
        return frechet(A, sym(Adot), f=f)

    def bar(Fbar: Any) -> Any:
        return frechet(A, sym(Fbar), f=f)

    return dot, bar


@rule(frechet, "(n,n),(n,n)->(n,n)")
def _frechet(Y: Any, A: Any, E: Any, *, f: OnSpectrum) -> Any:
    """On Hermitian A and E.  The form Re tr(Ȳ D²f[E, B]) is symmetric in its three matrices."""

    def dot_A(Adot: Any) -> Any:
        return frechet2(A, E, sym(Adot), f=f)

    def bar_A(Ybar: Any) -> Any:
        return frechet2(A, E, sym(Ybar), f=f)

    def dot_E(Edot: Any) -> Any:
        return frechet(A, Edot, f=f)

    def bar_E(Ybar: Any) -> Any:
        return frechet(A, Ybar, f=f)

    return (dot_A, bar_A), (dot_E, bar_E)


@rule(frechet2, "(n,n),(n,n),(n,n)->(n,n)")
def _frechet2(Y: Any, A: Any, E: Any, B: Any, *, f: OnSpectrum) -> Any:
    """Linear in E and in B; the third derivative in A is not taken."""

    def dot_E(Edot: Any) -> Any:
        return frechet2(A, sym(Edot), B, f=f)

    def bar_E(Ybar: Any) -> Any:
        return frechet2(A, sym(Ybar), B, f=f)

    def dot_B(Bdot: Any) -> Any:
        return frechet2(A, E, sym(Bdot), f=f)

    def bar_B(Ybar: Any) -> Any:
        return frechet2(A, E, sym(Ybar), f=f)

    return None, (dot_E, bar_E), (dot_B, bar_B)


# ---------------------------------------------------------------- the polar factor


@primitive
def sylvester(P: Any, C: Any) -> Any:
    """X with P X + X P = C for a Hermitian positive definite P: in its eigenvectors Cᵢⱼ/(wᵢ + wⱼ)."""
    w, V = np.linalg.eigh(P)
    C = H(V) @ C @ V
    zero = w <= w.shape[-1] * np.finfo(w.dtype).eps * np.max(w, -1, keepdims=True, initial=0)
    both = zero[..., :, None] & zero[..., None, :]
    refuse(both, C, C, message=SINGULAR_VECTORS)
    return V @ (C / np.where(both, np.inf, w[..., :, None] + w[..., None, :])) @ H(V)


@rule(sylvester, "(n,n),(n,n)->(n,n)")
def _sylvester(X: Any, P: Any, C: Any) -> Any:
    """PẊ + ẊP = Ċ − ṖX − XṖ;  C̄ solves the same equation for X̄, and P̄ = −(C̄Xᴴ + XᴴC̄)."""

    def dot_P(Pdot: Any) -> Any:
        Pdot = sym(Pdot)
        return -sylvester(P, Pdot @ X + X @ Pdot)

    def bar_P(Xbar: Any) -> Any:
        Cbar = sylvester(P, Xbar)
        return -sym(Cbar @ H(X) + H(X) @ Cbar)

    def dot_C(Cdot: Any) -> Any:
        return sylvester(P, Cdot)

    def bar_C(Xbar: Any) -> Any:
        return sylvester(P, Xbar)

    return (dot_P, bar_P), (dot_C, bar_C)


@primitive
def unitary_factor(A: Any) -> Any:
    """The U of A = U P, for a matrix with no more columns than rows."""
    U, _, Vh = np.linalg.svd(A, full_matrices=False)
    return U @ Vh


@rule(unitary_factor, "(m,n)->(m,n)")
def _unitary_factor(U: Any, A: Any) -> Any:
    """U̇ = UX + (I − UUᴴ)ȦP⁻¹ with PX + XP = UᴴȦ − ȦᴴU: sums of singular values, never their differences.

    Higham (2008), Functions of Matrices, section 8.2, with the equation for UᴴU̇ solved in the eigenvectors of P.
    """
    P = sym(H(U) @ A)
    m, n = A.shape[-2:]

    def outside(X: Any, K: Any) -> Any:
        """(I − UUᴴ)XP⁻¹, given K = UᴴX."""
        return 0 if m == n else H(np.linalg.solve(P, H(X - U @ K)))

    def dot(Adot: Any) -> Any:
        K = H(U) @ Adot
        return U @ sylvester(P, K - H(K)) + outside(Adot, K)

    def bar(Ubar: Any) -> Any:
        K = H(U) @ Ubar
        return U @ sylvester(P, K - H(K)) + outside(Ubar, K)

    return dot, bar

"""Functions of a matrix's spectrum that stay differentiable where eigenvalues or singular values repeat."""

from collections.abc import Callable, Sequence
from functools import cache, reduce
from itertools import permutations, product
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
    it needs the divided differences f[wᵢ, wⱼ], which become f′ there.  The derivative of order k takes O(nᵏ⁺¹)
    operations for k > 1, and O(n³) for the first.

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
    """A function of eigenvalues w ``(..., n)``, and its divided differences f[x₀, ..., xₖ], given yᵢ = f(xᵢ)."""

    def value(self, w: NDArray[Any]) -> NDArray[Any]: ...
    def divided(self, x: Sequence[NDArray[Any]], y: Sequence[NDArray[Any]]) -> NDArray[Any]: ...


@cache
def gauss(n: int = 6) -> list[tuple[float, float]]:
    """Nodes and weights on [0, 1], from the spectrum of the Jacobi matrix.  Golub & Welsch (1969)."""
    k = np.arange(1, n)
    nodes, vectors = np.linalg.eigh(np.diag(k / np.sqrt(4.0 * k * k - 1), -1))
    return list(zip(((nodes + 1) / 2).tolist(), (vectors[0] ** 2).tolist()))


@cache
def simplex(k: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Nodes s₁ ≥ ... ≥ sₖ ``(N, k)`` and weights ``(N,)`` of ∫₀¹∫₀^s₁ ⋯ ds, by Gauss's rule in tᵢ = sᵢ/sᵢ₋₁."""
    t, v = np.moveaxis(np.array(list(product(gauss(), repeat=k))), -1, 0)
    return np.cumprod(t, -1), np.prod(v * t ** np.arange(k - 1, -1, -1), -1)


def sorted_by(key: NDArray[Any], *arrays: NDArray[Any]) -> list[NDArray[Any]]:
    """Arrays in the order along axis 0 that sorts the key."""
    order = np.argsort(key, 0, kind="stable")
    return [np.take_along_axis(a, order, 0) for a in arrays]


class Smooth:
    """A smooth f."""

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

    def divided(self, x: Sequence[NDArray[Any]], y: Sequence[NDArray[Any]]) -> NDArray[Any]:
        X, Y = (np.stack(np.broadcast_arrays(*points)) for points in (x, y))
        with np.errstate(all="ignore"):
            return self._divided(X, Y)[0]

    def _divided(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """f[x₀, ..., xₖ] and its rounding error: a quotient, or an integral where that loses digits and both agree."""
        eps = 4 * np.finfo(x.dtype).eps
        if len(x) == 1:
            return y[0], eps * np.abs(y[0])
        x, y = sorted_by(x, x, y)
        (lower, error), (upper, other) = self._divided(x[:-1], y[:-1]), self._divided(x[1:], y[1:])
        gap = x[-1] - x[0]
        quotient = (upper - lower) / np.where(gap == 0, 1, gap)
        error = np.where(gap == 0, np.inf, (error + other + eps * np.max(np.abs(x), 0) * np.abs(quotient)) / gap)
        lossy = error > 100 * eps * np.abs(quotient)
        integral = self._integral(x[:, lossy])
        agree = np.abs(integral - quotient[lossy]) <= error[lossy]
        quotient[lossy] = np.where(agree, integral, quotient[lossy])
        error[lossy] = np.where(agree, eps * np.abs(integral), error[lossy])
        return quotient, error

    def _integral(self, x: NDArray[Any]) -> NDArray[Any]:
        """Hermite-Genocchi: f[x₀, ..., xₖ] = ∫ f⁽ᵏ⁾(x₀ + Σ sᵢ(xᵢ − xᵢ₋₁)) ds over 1 ≥ s₁ ≥ ... ≥ sₖ ≥ 0."""
        nodes, weights = (a.astype(x.dtype) for a in simplex(len(x) - 1))
        derivative = self.f
        for _ in x[1:]:
            derivative = slope(derivative)
        return np.tensordot(weights, derivative(x[0] + np.tensordot(nodes, np.diff(x, axis=0), 1)), 1)


def slope(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """f′ of an elementwise f."""
    return lambda x: np.broadcast_to(jvp(f, (x,), (np.ones_like(x),))[1], x.shape)


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

    def divided(self, x: Sequence[NDArray[Any]], y: Sequence[NDArray[Any]]) -> NDArray[Any]:
        same = same_value(x[0][..., 0])
        if np.any(same & (y[0] != y[-1])):
            raise DegenerateSpectrumError(
                f"projector(A, select) selects a part of an eigenvalue of multiplicity {np.max(np.sum(same, -1))}: "
                "the projector is not determined. Select all of its eigenvectors or none."
            )
        return self._divided(*(np.stack(np.broadcast_arrays(*points)) for points in (x, y)))

    def _divided(self, x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
        """(f[x₁, ..., xₖ] − f[x₀, ..., xₖ₋₁])/(xₖ − x₀) with x₀ and xₖ on two sides of the step, else 0."""
        if len(x) == 1:
            return y[0]
        x, y = sorted_by(y, x, y)
        rise = self._divided(x[1:], y[1:]) - self._divided(x[:-1], y[:-1])
        differ = y[0] != y[-1]
        return np.where(differ, rise / np.where(differ, x[-1] - x[0], 1), 0)


@primitive
def spectral_function(A: Any, *, f: OnSpectrum) -> Any:
    """V diag(f(w)) Vᴴ."""
    w, V = np.linalg.eigh(A)
    return (V * f.value(w)[..., None, :]) @ H(V)


@rule(spectral_function, "(n,n)->(n,n)")
def _spectral_function(F: Any, A: Any, *, f: OnSpectrum) -> Any:
    """Daleckii & Krein (1965), on Hermitian A."""

    def dot(Adot: Any) -> Any:
        return frechet(A, sym(Adot)[..., None, :, :], f=f)

    def bar(Fbar: Any) -> Any:
        return frechet(A, sym(Fbar)[..., None, :, :], f=f)

    return dot, bar


@primitive
def frechet(A: Any, E: Any, *, f: OnSpectrum) -> Any:
    """The derivative of f at a Hermitian A along the k matrices of E ``(..., k, n, n)``.

    In the basis V it is the sum over the orders of E₁, ..., Eₖ and over i₁, ..., iₖ₋₁ of
    f[wᵢ₀, ..., wᵢₖ] (E₁)ᵢ₀ᵢ₁ ⋯ (Eₖ)ᵢₖ₋₁ᵢₖ.
    """
    w, V = np.linalg.eigh(A)
    y = f.value(w)
    V1 = V[..., None, :, :]
    E = H(V1) @ E @ V1
    k, n = E.shape[-3:-1]
    total = np.zeros_like(E[..., 0, :, :])
    for middle in product(range(n), repeat=k - 1):
        path = [slice(None), *(slice(i, i + 1) for i in middle), slice(None)]
        points = lambda v: [*(v[..., i, None] for i in path[:-1]), v[..., None, :]]  # noqa: B023
        chains = sum(
            reduce(np.multiply, [E[..., m, i, j] for m, i, j in zip(order, path, path[1:])])
            for order in permutations(range(k))
        )
        total += f.divided(points(w), points(y)) * chains
    return V @ total @ H(V)


def put(E: Any, m: int, X: Any) -> Any:
    """The matrices E with X in place of the m-th, or behind the last."""
    parts = E[..., :m, :, :], X[..., None, :, :], E[..., m + 1 :, :, :]
    lead = np.broadcast_shapes(*(part.shape[:-3] for part in parts))
    return np.concatenate([np.broadcast_to(part, lead + part.shape[-3:]) for part in parts], -3)


@rule(frechet, "(n,n),(k,n,n)->(n,n)")
def _frechet(Y: Any, A: Any, E: Any, *, f: OnSpectrum) -> Any:
    """The derivative along one matrix more; Re tr(Ȳᴴ Dᵏf[E₁, ..., Eₖ]) is symmetric in Ȳᴴ and the E's."""
    k = E.shape[-3]

    def dot_A(Adot: Any) -> Any:
        return frechet(A, put(E, k, sym(Adot)), f=f)

    def bar_A(Ybar: Any) -> Any:
        return sym(frechet(A, put(H(E), k, Ybar), f=f))

    def dot_E(Edot: Any) -> Any:
        return sum(frechet(A, put(E, m, Edot[..., m, :, :]), f=f) for m in range(k))

    def bar_E(Ybar: Any) -> Any:
        return np.stack([frechet(A, put(H(E), m, Ybar), f=f) for m in range(k)], -3)

    return (dot_A, bar_A), (dot_E, bar_E)


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

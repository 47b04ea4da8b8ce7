"""Giles (2008), An extended collection of matrix derivative results for forward and reverse mode AD, item by item.

``python tests/giles.py`` writes docs/giles.md from this table; ``test_giles.py`` checks each item and that the
page is up to date.
"""

# ruff: noqa: N805 (an item is a namespace: its functions take matrices, not self)

import inspect
from pathlib import Path
from textwrap import dedent

import numpy as np
from numpy.linalg import inv, solve
from samples import normal, spd

PAGE = Path(__file__).parents[1] / "docs" / "giles.md"


class Item:
    """A function of matrices, its dot and its bars on paper, and a point at which to check them.

    ``analytic`` is the function written without conjugates, for the complex step.
    ``symmetric`` says that the matrices, and so their dots, are symmetric.
    """

    arguments: tuple
    symmetric = False

    @classmethod
    def analytic(cls, *arguments):
        return cls.value(*arguments)


class Sum(Item):
    """C = A + B,  Ċ = Ȧ + Ḃ,  Ā = B̄ = C̄."""

    arguments = normal(3, 4), normal(3, 4, seed=1)

    def value(A, B):
        return A + B

    def dot(A, B, Adot, Bdot):
        return Adot + Bdot

    def bar(A, B, Cbar):
        return Cbar, Cbar


class Product(Item):
    """C = AB,  Ċ = ȦB + AḂ,  Ā = C̄Bᵀ, B̄ = AᵀC̄."""

    arguments = normal(3, 4), normal(4, 2)

    def value(A, B):
        return A @ B

    def dot(A, B, Adot, Bdot):
        return Adot @ B + A @ Bdot

    def bar(A, B, Cbar):
        return Cbar @ B.T, A.T @ Cbar


class Inverse(Item):
    """C = A⁻¹,  Ċ = −CȦC,  Ā = −CᵀC̄Cᵀ."""

    arguments = (normal(4, 4) + 4 * np.eye(4),)

    def value(A):
        return np.linalg.inv(A)

    def dot(A, Adot):
        return -inv(A) @ Adot @ inv(A)

    def bar(A, Cbar):
        return (-inv(A).T @ Cbar @ inv(A).T,)


class Determinant(Item):
    """C = det A,  Ċ = C Tr(A⁻¹Ȧ),  Ā = C̄ C A⁻ᵀ."""

    arguments = (normal(4, 4),)

    def value(A):
        return np.linalg.det(A)

    def dot(A, Adot):
        return np.linalg.det(A) * np.trace(inv(A) @ Adot)

    def bar(A, Cbar):
        return (Cbar * np.linalg.det(A) * inv(A).T,)


class InverseProduct(Item):
    """C = A⁻¹B,  Ċ = A⁻¹(Ḃ − ȦC),  B̄ = A⁻ᵀC̄, Ā = −B̄Cᵀ."""

    arguments = normal(4, 4) + 4 * np.eye(4), normal(4, 2)

    def value(A, B):
        return np.linalg.solve(A, B)

    def dot(A, B, Adot, Bdot):
        return solve(A, Bdot - Adot @ solve(A, B))

    def bar(A, B, Cbar):
        Bbar = solve(A.T, Cbar)
        return -Bbar @ solve(A, B).T, Bbar


class FirstQuadraticForm(Item):
    """C = BᵀAB,  Ċ = ḂᵀAB + BᵀȦB + BᵀAḂ,  Ā = BC̄Bᵀ, B̄ = ABC̄ᵀ + AᵀBC̄."""

    arguments = normal(4, 4), normal(4, 3)

    def value(A, B):
        return B.T @ A @ B

    def dot(A, B, Adot, Bdot):
        return Bdot.T @ A @ B + B.T @ Adot @ B + B.T @ A @ Bdot

    def bar(A, B, Cbar):
        return B @ Cbar @ B.T, A @ B @ Cbar.T + A.T @ B @ Cbar


class SecondQuadraticForm(Item):
    """C = BᵀA⁻¹B,  with X = A⁻¹B and Y = A⁻ᵀB:  Ċ = ḂᵀX − YᵀȦX + YᵀḂ,  Ā = −YC̄Xᵀ, B̄ = XC̄ᵀ + YC̄."""

    arguments = normal(4, 4) + 4 * np.eye(4), normal(4, 3)

    def value(A, B):
        return B.T @ np.linalg.solve(A, B)

    def dot(A, B, Adot, Bdot):
        X, Y = solve(A, B), solve(A.T, B)
        return Bdot.T @ X - Y.T @ Adot @ X + Y.T @ Bdot

    def bar(A, B, Cbar):
        X, Y = solve(A, B), solve(A.T, B)
        return -Y @ Cbar @ X.T, X @ Cbar.T + Y @ Cbar


class MatrixPolynomial(Item):
    """C = Σ pₙAⁿ by Horner: C ← AC + pₙI,  Ċ ← ȦC + AĊ;  backwards Ā ← Ā + C̄Cᵀ, C̄ ← AᵀC̄."""

    p = (0.3, -1.2, 0.7, 2.0, -0.5)
    arguments = (normal(4, 4),)

    def value(A):
        C = MatrixPolynomial.p[-1] * np.eye(len(A))
        for p in MatrixPolynomial.p[-2::-1]:
            C = A @ C + p * np.eye(len(A))
        return C

    def dot(A, Adot):
        C, Cdot = MatrixPolynomial.p[-1] * np.eye(len(A)), np.zeros_like(A)
        for p in MatrixPolynomial.p[-2::-1]:
            C, Cdot = A @ C + p * np.eye(len(A)), Adot @ C + A @ Cdot
        return Cdot

    def bar(A, Cbar):
        stages = [MatrixPolynomial.p[-1] * np.eye(len(A))]
        for p in MatrixPolynomial.p[-2::-1]:
            stages.append(A @ stages[-1] + p * np.eye(len(A)))
        Abar = np.zeros_like(A)
        for C in stages[-2::-1]:
            Abar, Cbar = Abar + Cbar @ C.T, A.T @ Cbar
        return (Abar,)


def gaps(d):
    """F_ij = 1/(dⱼ − dᵢ), and 0 on the diagonal."""
    difference = d - d[:, None]
    return np.divide(1, difference, where=difference != 0, out=np.zeros_like(difference))


def eigen_analytic(A):
    """Eigenvalues in the order of their real parts, eigenvectors with uᵀu = 1 and a sign that does not depend on A."""
    d, U = np.linalg.eig(A)
    order = np.argsort(d.real)
    d, U = d[order], U[:, order]
    U = U / np.sqrt(np.sum(U * U, axis=0))
    return d, U * np.where(U[0].real < 0, -1, 1)


class Eigenvalues(Item):
    """AU = UD,  Ḋ = diag(U⁻¹ȦU),  Ā = U⁻ᵀD̄Uᵀ;  here for an A, not symmetric, whose eigenvalues are real."""

    arguments = (normal(4, 4) @ np.diag([1.0, 2, 3, 4]) @ inv(normal(4, 4)),)

    def value(A):
        return np.sort(np.linalg.eigvals(A).real)

    def analytic(A):
        return eigen_analytic(A)[0]

    def dot(A, Adot):
        U = eigen_analytic(A)[1]
        return np.diag(inv(U) @ Adot @ U)

    def bar(A, Dbar):
        U = eigen_analytic(A)[1]
        return (inv(U).T @ np.diag(Dbar) @ U.T,)


class Eigenvectors(Item):
    """AU = UD, A symmetric,  P = UᵀȦU:  Ḋ = diag P, U̇ = U(F∘P),  Ā = U(D̄ + F∘UᵀŪ)Uᵀ, F_ij = 1/(dⱼ − dᵢ)."""

    symmetric = True
    arguments = (spd(4),)

    def value(A):
        d, U = np.linalg.eigh(A)
        return d, U * np.where(U[0] < 0, -1, 1)

    def analytic(A):
        return eigen_analytic(A)

    def dot(A, Adot):
        d, U = eigen_analytic(A)
        P = U.T @ Adot @ U
        return np.diag(P), U @ (gaps(d) * P)

    def bar(A, Dbar, Ubar):
        d, U = eigen_analytic(A)
        Abar = U @ (np.diag(Dbar) + gaps(d) * (U.T @ Ubar)) @ U.T
        return ((Abar + Abar.T) / 2,)


class SingularValues(Item):
    """A = USVᵀ,  Ṡ = diag(UᵀȦV),  Ā = US̄Vᵀ."""

    arguments = (normal(4, 3),)

    def value(A):
        return np.linalg.svd(A, compute_uv=False)

    def analytic(A):
        return np.sqrt(eigen_analytic(A.T @ A)[0])[::-1]

    def dot(A, Adot):
        U, _, Vt = np.linalg.svd(A, full_matrices=False)
        return np.diag(U.T @ Adot @ Vt.T)

    def bar(A, Sbar):
        U, _, Vt = np.linalg.svd(A, full_matrices=False)
        return (U * Sbar @ Vt,)


def lower_half(X):
    """Φ(X): the lower triangle, its diagonal halved."""
    return np.tril(X) - np.diag(np.diag(X)) / 2


class Cholesky(Item):
    """A = LLᵀ,  L̇ = LΦ(L⁻¹ȦL⁻ᵀ),  Ā = sym(L⁻ᵀΦ(LᵀL̄)L⁻¹);  Φ takes the lower triangle and halves its diagonal."""

    symmetric = True
    arguments = (spd(4),)

    def value(A):
        return np.linalg.cholesky(A)

    def analytic(A):
        L = np.zeros_like(A)
        for i, j in zip(*np.tril_indices(len(A))):
            rest = A[i, j] - L[i, :j] @ L[j, :j]
            L[i, j] = np.sqrt(rest) if i == j else rest / L[j, j]
        return L

    def dot(A, Adot):
        L = np.linalg.cholesky(A)
        return L @ lower_half(inv(L) @ Adot @ inv(L).T)

    def bar(A, Lbar):
        L = np.linalg.cholesky(A)
        Abar = inv(L).T @ lower_half(L.T @ Lbar) @ inv(L)
        return ((Abar + Abar.T) / 2,)


class FrobeniusNorm(Item):
    """b = √Tr(AᵀA),  ḃ = Tr(AᵀȦ)/b,  Ā = b̄A/b."""

    arguments = (normal(4, 3),)

    def value(A):
        return np.linalg.norm(A)

    def analytic(A):
        return np.sqrt(np.sum(A * A))

    def dot(A, Adot):
        return np.sum(A * Adot) / np.linalg.norm(A)

    def bar(A, bbar):
        return (bbar * A / np.linalg.norm(A),)


class SpectralNorm(Item):
    """b = σ₁, the largest singular value,  ḃ = u₁ᵀȦv₁,  Ā = b̄u₁v₁ᵀ."""

    arguments = (normal(4, 3),)

    def value(A):
        return np.linalg.norm(A, 2)

    def analytic(A):
        return SingularValues.analytic(A)[0]

    def dot(A, Adot):
        U, _, Vt = np.linalg.svd(A)
        return U[:, 0] @ Adot @ Vt[0]

    def bar(A, bbar):
        U, _, Vt = np.linalg.svd(A)
        return (bbar * np.outer(U[:, 0], Vt[0]),)


class GaussianLikelihood(Item):
    """ℓ = −½N log|Σ| − ½Tr(RᵀΣ⁻¹R), where R = X − μ has a column for each of the N observations.

    With Z = Σ⁻¹R,  ℓ̇ = μ̇ᵀZ1 − ½N Tr(Σ⁻¹Σ̇) + ½Tr(ZᵀΣ̇Z),  μ̄ = ℓ̄ Z1, Σ̄ = ½ℓ̄(ZZᵀ − NΣ⁻¹).
    """

    X = normal(3, 8)
    symmetric = True
    arguments = normal(3), spd(3)

    def value(mu, Sigma):
        R = GaussianLikelihood.X - mu[:, None]
        return -R.shape[1] / 2 * np.linalg.slogdet(Sigma)[1] - np.sum(R * np.linalg.solve(Sigma, R)) / 2

    def analytic(mu, Sigma):
        R = GaussianLikelihood.X - mu[:, None]
        return -R.shape[1] / 2 * np.log(np.linalg.det(Sigma)) - np.sum(R * solve(Sigma, R)) / 2

    def dot(mu, Sigma, mudot, Sigmadot):
        R = GaussianLikelihood.X - mu[:, None]
        Z = solve(Sigma, R)
        return mudot @ Z.sum(1) - R.shape[1] / 2 * np.trace(solve(Sigma, Sigmadot)) + np.sum(Z * (Sigmadot @ Z)) / 2

    def bar(mu, Sigma, lbar):
        R = GaussianLikelihood.X - mu[:, None]
        Z = solve(Sigma, R)
        return lbar * Z.sum(1), lbar * (Z @ Z.T - R.shape[1] * inv(Sigma)) / 2


ITEMS = Item.__subclasses__()

HEAD = """\
# Matrix derivatives after Giles

<!-- Written by `python tests/giles.py`. -->

The results of M. B. Giles, *An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation* (Oxford University Computing Laboratory, report 08/01, 2008), item by item. Each is checked
as he did, for dotbar's derivative of `value` and for the formulas on paper, `dot` and `bar`, beside it:

- **forward** against the complex step, Ċ = Im f(A + ihȦ)/h with h = 10⁻²⁰, which has no rounding error to speak of;
- **reverse** against forward, Tr(C̄ᵀĊ) = Σ Tr(ĀᵀȦ), for any C̄ and Ȧ.
"""


def title(item):
    """``FirstQuadraticForm`` as "First quadratic form"."""
    words = "".join(" " + c.lower() if c.isupper() else c for c in item.__name__)
    return words.strip().capitalize()


def page():
    """The text of docs/giles.md."""
    parts = [HEAD]
    for item in ITEMS:
        code = "\n".join(dedent(inspect.getsource(f)) for f in (item.value, item.dot, item.bar))
        code = code.replace(f"{item.__name__}.", "")
        parts.append(f"\n## {title(item)}\n\n{inspect.getdoc(item)}\n\n```py\n{code}```\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""Sums over the differences of all pairs of points, in no more memory than there are pairs.

Squared distances and their derivatives of every order, in both modes, are these two sums, each the other's transpose.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from dotbar.core import primitive
from dotbar.rules.kinds import rule
from dotbar.rules.words import mT, zeros

BLOCK = 2**18
"""So many differences are held at a time."""


def _rows(A: Any, B: Any) -> Iterator[tuple[slice, Any]]:
    """Some rows at a time, and their differences to all points of B."""
    step = max(1, BLOCK // max(B.size, 1))
    for start in range(0, len(A), step):
        rows = slice(start, start + step)
        yield rows, A[rows, None, :] - B[None, :, :]


@primitive
def products(A: Any, B: Any, C: Any, D: Any) -> Any:
    """(aᵢ − bⱼ)·(cᵢ − dⱼ) for all i and j."""
    if A is C and B is D and A.dtype == B.dtype == np.float64:
        return cdist(A, B, "sqeuclidean")
    y = np.empty((len(A), len(B)), np.result_type(A, B, C, D))
    for (rows, left), (_, right) in zip(_rows(A, B), _rows(C, D)):
        y[rows] = np.einsum("ijk,ijk->ij", left, right)
    return y


@primitive
def moments(G: Any, A: Any, B: Any) -> Any:
    """Σⱼ gᵢⱼ (aᵢ − bⱼ) for all i."""
    y = np.empty(A.shape, np.result_type(G, A, B))
    for rows, difference in _rows(A, B):
        y[rows] = (G[rows, None, :] @ difference)[:, 0, :]
    return y


@rule(products)
def _products(Y: Any, A: Any, B: Any, C: Any, D: Any) -> Any:
    """Ā = Σⱼ ȳᵢⱼ (cᵢ − dⱼ), B̄ = Σᵢ ȳᵢⱼ (dⱼ − cᵢ), and likewise the other pair."""
    return (
        (lambda Adot: products(Adot, zeros(B, like=Adot), C, D), lambda Ybar: moments(Ybar, C, D)),
        (lambda Bdot: products(zeros(A, like=Bdot), Bdot, C, D), lambda Ybar: moments(mT(Ybar), D, C)),
        (lambda Cdot: products(A, B, Cdot, zeros(D, like=Cdot)), lambda Ybar: moments(Ybar, A, B)),
        (lambda Ddot: products(A, B, zeros(C, like=Ddot), Ddot), lambda Ybar: moments(mT(Ybar), B, A)),
    )


@rule(moments)
def _moments(Y: Any, G: Any, A: Any, B: Any) -> Any:
    """Ḡ = (aᵢ − bⱼ)·ȳᵢ, Ā = Σⱼ gᵢⱼ ȳᵢ, B̄ = −Gᵀ Ȳ."""
    return (
        (lambda Gdot: moments(Gdot, A, B), lambda Ybar: products(A, B, Ybar, zeros(B, like=Ybar))),
        (lambda Adot: moments(G, Adot, zeros(B, like=Adot)), lambda Ybar: np.sum(G, 1)[:, None] * Ybar),
        (lambda Bdot: -(G @ Bdot), lambda Ybar: -(mT(G) @ Ybar)),
    )

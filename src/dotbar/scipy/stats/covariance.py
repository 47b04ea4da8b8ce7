"""Covariances by their factors, made of traced values."""

from typing import Any

import numpy as np
from scipy import stats

from dotbar.core import as_array, first_traced
from dotbar.rules.words import mT
from dotbar.scipy.mirror import stands_for


class Kind(type):
    """SciPy's covariances are of the class, too."""

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, stats.Covariance)


def as_matrix(x: Any) -> Any:
    """The matrix of a covariance that is made of traced values; anything else as it is."""
    return x.covariance if hasattr(x, "whitening") else x


@stands_for(stats.Covariance)
class Covariance(stats.Covariance, metaclass=Kind):
    """Σ = Cᵀ C, where x C has that covariance and x W with W = C⁻¹ is white.

    The constructors are SciPy's until something traced comes.
    """

    def __init__(self, covariance: Any, whitening: Any, coloring: Any):
        self._covariance, self.whitening, self.coloring = covariance, whitening, coloring

    @classmethod
    def from_diagonal(cls, diagonal: Any) -> Any:
        """Of independent components."""
        if first_traced(diagonal) is None:
            return stats.Covariance.from_diagonal(diagonal)
        d = np.sqrt(as_array(diagonal))
        return cls(*map(np.diag, (d * d, 1 / d, d)))

    @classmethod
    def from_cholesky(cls, cholesky: Any) -> Any:
        """L Lᵀ."""
        if first_traced(cholesky) is None:
            return stats.Covariance.from_cholesky(cholesky)
        L = np.tril(as_array(cholesky))
        return cls(L @ mT(L), mT(np.linalg.inv(L)), mT(L))

    @classmethod
    def from_precision(cls, precision: Any, covariance: Any = None) -> Any:
        """The inverse."""
        if first_traced([precision, covariance]) is None:
            return stats.Covariance.from_precision(precision, covariance)
        P = as_array(precision)
        K = np.linalg.cholesky(P)
        return cls(np.linalg.inv(P) if covariance is None else as_array(covariance), K, np.linalg.inv(K))

    @classmethod
    def from_eigendecomposition(cls, eigendecomposition: Any) -> Any:
        """V diag(w) Vᵀ."""
        w, V = eigendecomposition
        if first_traced([w, V]) is None:
            return stats.Covariance.from_eigendecomposition(eigendecomposition)
        w, V = as_array(w), as_array(V)
        return cls((V * w) @ mT(V), V / np.sqrt(w), mT(V * np.sqrt(w)))

    @property
    def covariance(self) -> Any:
        """The matrix."""
        return self._covariance

    @property
    def log_pdet(self) -> Any:
        """log |Σ|."""
        return 2 * np.linalg.slogdet(self.coloring)[1]

    @property
    def rank(self) -> int:
        """Of a regular matrix."""
        return len(self.covariance)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the matrix."""
        return self.covariance.shape

    def whiten(self, x: Any) -> Any:
        """Vectors of covariance Σ as ones of covariance 1."""
        return as_array(x) @ self.whitening

    def colorize(self, x: Any) -> Any:
        """Vectors of covariance 1 as ones of covariance Σ."""
        return as_array(x) @ self.coloring

"""Kernel density estimates in the points, the sample, its weights and the bandwidth."""

from typing import Any

import numpy as np
from scipy import stats

from dotbar.core import as_array, first_traced
from dotbar.rules.lapack_words import solve_triangular
from dotbar.scipy.mirror import stands_for

__all__ = ["gaussian_kde"]


@stands_for(stats.gaussian_kde)
class gaussian_kde(stats.gaussian_kde):
    """SciPy's class, which also takes traced values."""

    def __init__(self, dataset: Any, bw_method: Any = None, weights: Any = None):
        if first_traced([dataset, bw_method, weights]) is None:
            super().__init__(dataset, bw_method, weights)
            return
        self.dataset = np.atleast_2d(as_array(dataset))
        self.d, self.n = self.dataset.shape
        w = np.ones(self.n) if weights is None else as_array(weights)
        self._weights = w / np.sum(w)
        self._neff = 1 / np.sum(self._weights**2)
        factors = {None: self.scotts_factor, "scott": self.scotts_factor, "silverman": self.silverman_factor}
        if bw_method is None or isinstance(bw_method, str):
            self.covariance_factor = factors[bw_method]
        else:
            self.covariance_factor = (lambda: bw_method(self)) if callable(bw_method) else lambda: bw_method
        self._compute_covariance()

    def scotts_factor(self) -> Any:
        """n^(−1/(d+4)).  Scott (1992)."""
        return self.neff ** (-1.0 / (self.d + 4))

    def silverman_factor(self) -> Any:
        """(n (d + 2)/4)^(−1/(d+4)).  Silverman (1986)."""
        return (self.neff * (self.d + 2.0) / 4.0) ** (-1.0 / (self.d + 4))

    def _compute_covariance(self) -> None:
        if first_traced([self.dataset, self.weights, self.covariance_factor()]) is None:
            super()._compute_covariance()
            return
        self.factor = self.covariance_factor()
        deviations = self.dataset - np.sum(self.dataset * self.weights, -1, keepdims=True)
        self._data_covariance = (deviations * self.weights) @ deviations.T / (1 - np.sum(self.weights**2))
        self.covariance = self._data_covariance * self.factor**2
        self.cho_cov = np.linalg.cholesky(self.covariance)
        self.log_det = 2 * np.sum(np.log(np.diagonal(self.cho_cov) * np.sqrt(2 * np.pi)))

    def logpdf(self, x: Any) -> Any:
        """The logarithm of the estimate at points, one a column."""
        if first_traced([x, self.dataset, self.weights, self.cho_cov]) is None:
            return super().logpdf(x)
        points = np.atleast_2d(as_array(x))
        if points.shape[0] != self.d:
            points = np.reshape(points, (self.d, 1))
        whiten = lambda t: solve_triangular(self.cho_cov, t)
        d = whiten(points)[:, :, None] - whiten(self.dataset * 1.0)[:, None, :]
        exponents = np.log(self.weights) - np.sum(d * d, 0) / 2
        return np.logaddexp.reduce(exponents, -1) - self.log_det / 2

    def evaluate(self, points: Any) -> Any:
        """The estimate at points, one a column."""
        if first_traced([points, self.dataset, self.weights, self.cho_cov]) is None:
            return super().evaluate(points)
        return np.exp(self.logpdf(points))

    __call__ = evaluate

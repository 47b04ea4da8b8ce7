"""Kernel density estimates in the points, the sample, its weights and the bandwidth."""

from typing import Any

import numpy as np
from scipy import stats

from dotbar.core import as_array, first_traced
from dotbar.errors import NoRuleError
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
        self.set_bandwidth(bw_method)

    def set_bandwidth(self, bw_method: Any = None) -> None:
        """Choose the factor of the covariance: by a name, a number or a function of the estimate."""
        if first_traced(bw_method) is None:
            super().set_bandwidth(bw_method)
        else:
            self.covariance_factor = lambda: bw_method
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

    @property
    def traced(self) -> bool:
        """Whether the estimate is made of traced values."""
        return first_traced([self.dataset, self.weights, self.cho_cov]) is not None

    @property
    def inv_cov(self) -> Any:
        """The inverse of the covariance."""
        return np.linalg.inv(self.covariance) if self.traced else super().inv_cov

    def logpdf(self, x: Any) -> Any:
        """The logarithm of the estimate at points, one a column."""
        if not self.traced and first_traced(x) is None:
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
        if not self.traced and first_traced(points) is None:
            return super().evaluate(points)
        return np.exp(self.logpdf(points))

    __call__ = pdf = evaluate

    def marginal(self, dimensions: Any) -> Any:
        """The estimate of some of the coordinates."""
        if not self.traced:
            return super().marginal(dimensions)
        return gaussian_kde(self.dataset[np.atleast_1d(dimensions)], self.covariance_factor(), self.weights)

    def integrate_gaussian(self, mean: Any, cov: Any) -> Any:
        """∫ of the estimate times a normal density: a normal density of the distances, of both covariances' sum."""
        if not self.traced and first_traced([mean, cov]) is None:
            return super().integrate_gaussian(mean, cov)
        mean, cov = np.reshape(as_array(mean), (-1, 1)), np.reshape(as_array(cov), (self.d, self.d))
        return np.sum(self.weights * normal(self.dataset - mean, self.covariance + cov))

    def integrate_kde(self, other: Any) -> Any:
        """∫ of the product of two estimates."""
        if not self.traced and not getattr(other, "traced", False):
            return super().integrate_kde(other)
        if other.d != self.d:
            raise ValueError("KDEs are not the same dimensionality")
        distances = np.reshape(self.dataset[:, :, None] - other.dataset[:, None, :], (self.d, -1))
        densities = np.reshape(normal(distances, self.covariance + other.covariance), (self.n, other.n))
        return np.sum(self.weights * (densities @ other.weights))

    def integrate_box(self, low_bounds: Any, high_bounds: Any, maxpts: Any = None, *, rng: Any = None) -> Any:
        """The probability of a box, in one dimension."""
        if not self.traced and first_traced([low_bounds, high_bounds]) is None:
            return super().integrate_box(low_bounds, high_bounds, maxpts, rng=rng)
        if self.d > 1:
            raise NoRuleError(f"{NAME}.integrate_box has no derivative rule in more than one dimension.")
        return self.integrate_box_1d(low_bounds, high_bounds)

    def resample(self, size: Any = None, seed: Any = None) -> Any:
        """A sample, of an estimate from plain values."""
        if not self.traced:
            return super().resample(size, seed)
        raise NoRuleError(f"{NAME}.resample has no derivative rule: it draws among the points, which jumps.")


NAME = "dotbar.scipy.stats.gaussian_kde"


def normal(d: Any, cov: Any) -> Any:
    """The normal density of deviations, one a column."""
    L = np.linalg.cholesky(cov)
    z = solve_triangular(L, d)
    return np.exp(-np.sum(z * z, 0) / 2) / np.prod(np.diagonal(L) * np.sqrt(2 * np.pi))

"""``scipy.stats``: distributions in x and every parameter, and statistics."""

from dotbar.scipy.mirror import members as _members
from dotbar.scipy.stats import (
    bins,
    covariance,
    fits,
    histograms,
    hypotheses,
    kernels,
    moments,
    multivariate,
    objects,
    powers,
    statistics,
    univariate,
    variables,
)  # registers the rules

__getattr__, __dir__, __all__ = _members("scipy.stats")

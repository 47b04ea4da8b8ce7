"""``scipy.stats.distributions``: the univariate distributions once more."""

from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.stats.distributions")

"""``scipy.spatial.distance``: distances of every metric."""

from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.spatial.distance")

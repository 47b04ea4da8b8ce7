"""``scipy.stats``: distributions in x and every parameter, and statistics."""

from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.stats")

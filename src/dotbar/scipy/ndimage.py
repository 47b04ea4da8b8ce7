"""``scipy.ndimage``: filters, geometric transforms, measurements."""

from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.ndimage")

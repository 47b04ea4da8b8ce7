"""``scipy.spatial.transform``: rotations."""

from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.spatial.transform")

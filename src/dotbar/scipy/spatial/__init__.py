"""``scipy.spatial``: distances, rotations, hulls."""

from dotbar.scipy.mirror import members as _members
from dotbar.scipy.spatial import alignment, hull  # registers the rules

__getattr__, __dir__, __all__ = _members("scipy.spatial")

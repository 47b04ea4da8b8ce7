"""``scipy.ndimage``: filters, geometric transforms and measurements, in images, widths and coordinates."""

from dotbar.scipy.mirror import members as _members
from dotbar.scipy.ndimage import filters, geometry, measurements  # enter theirs

__getattr__, __dir__, __all__ = _members("scipy.ndimage")

"""``scipy.sparse``: matrices whose stored entries have derivatives, which keep the pattern."""

from dotbar.scipy.mirror import members as _members
from dotbar.scipy.sparse import arrays  # enters the classes

__getattr__, __dir__, __all__ = _members("scipy.sparse")

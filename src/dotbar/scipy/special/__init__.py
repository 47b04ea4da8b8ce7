"""``scipy.special``: in every argument, orders and parameters included."""

from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.special")

"""``scipy.special``: in every argument, orders and parameters included."""

from dotbar.scipy.mirror import members as _members
from dotbar.scipy.special import elementary, errors, gammas  # registers the rules

__getattr__, __dir__, __all__ = _members("scipy.special")

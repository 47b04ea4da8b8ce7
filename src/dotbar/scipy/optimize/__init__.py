"""``scipy.optimize``: derivatives through the solution's conditions, never through the iterations."""

from dotbar.scipy.mirror import members as _members
from dotbar.scipy.optimize import (
    elementwise,
    functions,
    linear,
    minima,
    residuals,
    roots,
    searches,
)  # registers the rules

__getattr__, __dir__, __all__ = _members("scipy.optimize")

"""``scipy.interpolate``: in values, knots and evaluation points."""

from dotbar.scipy.interpolate import (
    bsplines,
    clough_tocher,
    cubic,
    fitpack,
    grid,
    one_dimension,
    piecewise,
    rational,
    scattered,
    surfaces,
)
from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.interpolate")

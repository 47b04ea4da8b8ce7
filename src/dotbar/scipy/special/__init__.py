"""``scipy.special``: in every argument, orders and parameters included."""

from dotbar.scipy.mirror import members as _members
from dotbar.scipy.special import (  # registers the rules
    bessel,
    elementary,
    elliptic,
    errors,
    exponential,
    gammas,
    hypergeometric,
    incomplete,
    noncentral,
    orthogonal,
    probability,
    spherical,
    student,
)

__getattr__, __dir__, __all__ = _members("scipy.special")

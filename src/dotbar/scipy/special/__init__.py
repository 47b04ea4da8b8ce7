"""``scipy.special``: in every argument, orders and parameters included."""

from dotbar.scipy.mirror import members as _members
from dotbar.scipy.special import (  # registers the rules
    airy_kelvin,
    bessel,
    elementary,
    elliptic,
    errors,
    exponential,
    gammas,
    hypergeometric,
    incomplete,
    lame,
    mathieu,
    nodes,
    noncentral,
    orthogonal,
    parabolic,
    probability,
    spherical,
    spheroidal,
    struve_wright,
    student,
)

__getattr__, __dir__, __all__ = _members("scipy.special")

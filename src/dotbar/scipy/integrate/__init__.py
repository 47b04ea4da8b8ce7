"""``scipy.integrate``: samples, quadrature, initial and boundary value problems."""

from dotbar.scipy.integrate import boundary_value, initial_value, quadrature, sampled  # registers the rules
from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.integrate")

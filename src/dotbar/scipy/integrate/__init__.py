"""``scipy.integrate``: quadrature in limits and parameters, differential equations in both modes."""

from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.integrate")

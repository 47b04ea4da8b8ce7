"""SciPy's namespace: the same modules and names, with traced values accepted wherever there is a derivative.

``import dotbar.scipy.linalg as sl`` in place of ``import scipy.linalg as sl``: with plain arrays each call is SciPy's
own; with traced values it goes to the function's rule, and a function without one refuses by name.
"""

from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy")

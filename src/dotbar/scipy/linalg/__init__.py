"""``scipy.linalg``: factorisations, eigenproblems, functions of matrices, equations, structured matrices."""

from dotbar.scipy.linalg import eigen, equations, factorizations, forms, functions, structured  # registers the rules
from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.linalg")

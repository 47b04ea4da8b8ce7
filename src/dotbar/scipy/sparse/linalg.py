"""``scipy.sparse.linalg``: solvers, eigenvalues and exponentials of sparse matrices."""

from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.sparse.linalg")

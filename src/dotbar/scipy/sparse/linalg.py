"""``scipy.sparse.linalg``: solvers, eigenvalues and exponentials of sparse matrices."""

from dotbar.scipy.mirror import members as _members
from dotbar.scipy.sparse import solvers, spectra  # noqa: F401 (they enter what stands for SciPy's)

__getattr__, __dir__, __all__ = _members("scipy.sparse.linalg")

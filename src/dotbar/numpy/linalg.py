"""``numpy.linalg``: all of it dispatches, so each name is NumPy's own."""

from numpy.linalg import *  # pyright: ignore[reportWildcardImportFromLibrary]
from numpy.linalg import __all__ as __all__

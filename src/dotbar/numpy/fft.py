"""``numpy.fft``: all of it dispatches, so each name is NumPy's own."""

from numpy.fft import *  # pyright: ignore[reportWildcardImportFromLibrary]
from numpy.fft import __all__ as __all__

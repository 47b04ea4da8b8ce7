"""``numpy.fft``, also of lists that hold traced values."""

from numpy.fft import *  # pyright: ignore[reportWildcardImportFromLibrary]
from numpy.fft import __all__ as __all__

from dotbar.numpy.lists import mirror as _mirror

globals().update({name: _mirror(globals()[name]) for name in __all__})

"""``numpy.random``, passed through: draws are constants, to which parameters of a distribution are applied."""

from numpy.random import *  # pyright: ignore[reportWildcardImportFromLibrary]
from numpy.random import __all__ as __all__

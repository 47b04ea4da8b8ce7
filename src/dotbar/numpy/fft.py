"""``numpy.fft``: all of it dispatches, so each name is NumPy's own."""

from numpy.fft import *
from numpy.fft import __all__ as __all__

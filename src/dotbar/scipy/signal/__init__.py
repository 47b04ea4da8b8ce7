"""``scipy.signal``: convolutions, filters and spectra, in signals and coefficients."""

from dotbar.scipy.mirror import members as _members
from dotbar.scipy.signal import convolution, filters, spectral, systems  # enter theirs

__getattr__, __dir__, __all__ = _members("scipy.signal")

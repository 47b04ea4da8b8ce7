"""``scipy.signal``: convolutions, filters, their design, systems, waveforms and spectra."""

from dotbar.scipy.mirror import members as _members
from dotbar.scipy.signal import (  # enter theirs
    conversions,
    convolution,
    design,
    filters,
    fractions,
    peaks,
    responses,
    short_time,
    spectral,
    splines,
    systems,
    waveforms,
    windows,
)

__getattr__, __dir__, __all__ = _members("scipy.signal")

"""``scipy.fft``: Fourier, cosine, sine and Hankel transforms."""

from dotbar.scipy.mirror import members as _members

__getattr__, __dir__, __all__ = _members("scipy.fft")

"""NumPy's namespace, complete, with traced values accepted also where NumPy itself never dispatches.

``import dotbar.numpy as np`` in place of ``import numpy as np`` makes ``np.array([x, y])``, ``np.mean([x, y])``,
``np.zeros(n)``, ``np.r_[x, y]`` or ``np.polynomial`` differentiable.  Nothing else changes.
"""

from typing import TYPE_CHECKING, Any

import numpy as _numpy
from numpy import __all__ as __all__

from dotbar.numpy.lists import mirror as _mirror

if TYPE_CHECKING:
    from numpy import *  # pyright: ignore[reportWildcardImportFromLibrary]
else:
    from dotbar.numpy import fft, lib, linalg, polynomial, random
    from dotbar.numpy.creation import *
    from dotbar.numpy.replanted import replant as _replant

    _index_tricks = _replant("numpy.lib._index_tricks_impl", "dotbar.numpy._index_tricks")
    r_, c_, mgrid, ogrid = _index_tricks.r_, _index_tricks.c_, _index_tricks.mgrid, _index_tricks.ogrid

    _polynomial = _replant("numpy.lib._polynomial_impl", "dotbar.numpy._polynomial")
    for _name in ("polyadd", "polysub", "polymul", "polydiv", "polyval", "polyint", "polyder", "roots"):
        setattr(_polynomial, _name, getattr(_numpy, _name))  # these dispatch on the coefficients
    poly1d = _polynomial.poly1d

    emath = lib.scimath


def __getattr__(name: str) -> Any:
    """What is not provided here: NumPy's own, also names outside its ``__all__``."""
    value = globals()[name] = _mirror(getattr(_numpy, name))
    return value


def __dir__() -> list[str]:
    """All of NumPy's public names."""
    return sorted({*globals(), *__all__})

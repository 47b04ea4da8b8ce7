"""``numpy.polynomial`` for traced coefficients and points: its six bases, their functions and classes."""

from typing import Literal as _Literal

from numpy.polynomial import set_default_printstyle as _set_default_printstyle

from dotbar.numpy.replanted import replant as _replant

polyutils, _polybase, polynomial, chebyshev, hermite, hermite_e, laguerre, legendre = (
    _replant(f"numpy.polynomial.{name}", f"dotbar.numpy.polynomial.{name}")
    for name in (
        *("polyutils", "_polybase", "polynomial"),
        *("chebyshev", "hermite", "hermite_e", "laguerre", "legendre"),
    )
)
Polynomial = polynomial.Polynomial
Chebyshev = chebyshev.Chebyshev
Hermite = hermite.Hermite
HermiteE = hermite_e.HermiteE
Laguerre = laguerre.Laguerre
Legendre = legendre.Legendre


def set_default_printstyle(style: _Literal["ascii", "unicode"]) -> None:
    """Print polynomials with "unicode" or with "ascii" characters, NumPy's own too."""
    _set_default_printstyle(style)
    _polybase.ABCPolyBase._use_unicode = style == "unicode"


__all__ = [
    "Chebyshev",
    "Hermite",
    "HermiteE",
    "Laguerre",
    "Legendre",
    "Polynomial",
    "chebyshev",
    "hermite",
    "hermite_e",
    "laguerre",
    "legendre",
    "polynomial",
    "set_default_printstyle",
]

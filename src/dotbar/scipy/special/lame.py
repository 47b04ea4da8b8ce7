"""Ellipsoidal harmonics in the variable s.

Lamé's function Eₙᵖ(s) is one of 1, √|s²−h²|, √|s²−k²| or their product, times s or 1, times a polynomial of s²
(DLMF 29.12).  SciPy gives values, and these determine the polynomial; no more is needed for derivatives of any order.
"""

import warnings
from math import pi
from typing import Any

import numpy as np

from dotbar.core import first_traced, primitive
from dotbar.rules.kinds import rule
from dotbar.scipy.mirror import dispatching, stands_for
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.taylor import partial, power, select, value

INTEGER = "SciPy has it at integers only"
PARAMETER = "SciPy does not give the eigenvalue and the coefficients, which vary with it"

ellip_harm = dispatching(sc.ellip_harm)


def _factor(h2: Any, k2: Any, n: Any, p: Any, s: Any) -> Any:
    """What stands before the polynomial, in the order of the classes K, L, M, N.  Dassios (2012), section 4.2."""
    ends = np.cumsum(np.stack([n // 2 + 1, n - n // 2, n - n // 2]), 0)
    kind = np.sum(p > ends, 0)
    by_h, by_k = (kind == 1) | (kind == 3), kind >= 2
    roots = [power((s * s - c) * np.sign(value(s) ** 2 - c), 0.5) for c in (h2, k2)]
    odd = np.where(by_h == by_k, n % 2, 1 - n % 2) == 1
    return select(odd, s, 1.0) * select(by_h, roots[0], 1.0) * select(by_k, roots[1], 1.0)


def _interpolated(h2: Any, k2: Any, n: Any, p: Any, s: Any, signm: int, signn: int) -> Any:
    """E(s) by the polynomial through Chebyshev's nodes in s², of which there are enough."""
    size = int(np.max(n, initial=0)) // 2 + 1
    largest = np.maximum(value(s) ** 2, k2)
    nodes = [largest * (1 - np.cos(pi * (j + 0.5) / size)) / 2 for j in range(size)]
    total = 0.0
    for node in nodes:
        at = np.sqrt(node)
        basis = sc.ellip_harm(h2, k2, n, p, at, signm, signn) / _factor(h2, k2, n, p, at)
        for other in nodes:
            if other is not node:
                basis = (s * s - other) * (basis / (node - other))
        total = basis + total
    return _factor(h2, k2, n, p, s) * total


@primitive
def lame(h2: Any, k2: Any, n: Any, p: Any, s: Any, *, order: int, signm: int = 1, signn: int = 1) -> Any:
    """The derivative of Eₙᵖ(s) of some order."""
    h2, k2, n, p, s = np.broadcast_arrays(h2, k2, n, p, s)
    return partial(lambda s: _interpolated(h2, k2, n, p, s, signm, signn), (s,), (order,))


@rule(lame, "(),(),(),(),()->()")
def _lame(y: Any, h2: Any, k2: Any, n: Any, p: Any, s: Any, *, order: int, signm: int = 1, signn: int = 1) -> Any:
    def slope() -> Any:
        return lame(h2, k2, n, p, s, order=order + 1, signm=signm, signn=signn)

    return PARAMETER, PARAMETER, INTEGER, INTEGER, (lambda sdot: slope() * sdot, lambda ybar: slope() * ybar)


@rule(ellip_harm, "(),(),(),(),()->()")
def _ellip_harm(E: Any, h2: Any, k2: Any, n: Any, p: Any, s: Any, *, signm: int = 1, signn: int = 1) -> Any:
    """The polynomial of Lamé's function, differentiated."""

    def slope() -> Any:
        return lame(h2, k2, n, p, s, order=1, signm=signm, signn=signn)

    return PARAMETER, PARAMETER, INTEGER, INTEGER, (lambda sdot: slope() * sdot, lambda Ebar: slope() * Ebar)


@primitive
def second_kind(h2: Any, k2: Any, n: Any, p: Any, s: Any) -> Any:
    """Fₙᵖ(s), without the warnings that SciPy's quadrature gives at every argument."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sc.ellip_harm_2(h2, k2, n, p, s)


@rule(second_kind, "(),(),(),(),()->()")
def _second_kind(F: Any, h2: Any, k2: Any, n: Any, p: Any, s: Any) -> Any:
    """F = (2n+1) E ∫ₛ^∞ du / E² √(u²−h²) √(u²−k²): F′ = F E′/E − (2n+1) / (E √(s²−h²) √(s²−k²)).  DLMF 29.17.1."""

    def slope() -> Any:
        E, slope = (lame(h2, k2, n, p, s, order=k) for k in (0, 1))
        return (F * slope - (2 * n + 1) / np.sqrt((s * s - h2) * (s * s - k2))) / E

    return PARAMETER, PARAMETER, INTEGER, INTEGER, (lambda sdot: slope() * sdot, lambda Fbar: slope() * Fbar)


@stands_for(sc.ellip_harm_2)
def ellip_harm_2(h2: Any, k2: Any, n: Any, p: Any, s: Any) -> Any:
    return (sc.ellip_harm_2 if first_traced([h2, k2, n, p, s]) is None else second_kind)(h2, k2, n, p, s)

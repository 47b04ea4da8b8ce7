"""Spectra: values alone, where nobody reads the vectors.

::

    b: f64[9], c: f64[9, 9] = linalg.eigh a  UPLO='L'        →    d: f64[9] = linalg.eigvalsh a  UPLO='L'
    return b                                                      return d
"""

from typing import Any

import numpy as np

from dotbar.compiler.rewriting import Walk, reassociated
from dotbar.program import Equation
from dotbar.rules.spectral import hermitian_spectrum, singular_values, svd_factors

__all__: list[str] = []


@reassociated(np.linalg.eigh, hermitian_spectrum)
def _eigenvalues(e: Equation, walk: Walk) -> Any:
    w, V = e.outputs
    return None if walk.uses.get(V) else (walk.emit(np.linalg.eigvalsh, e.inputs, e.settings, w), V)


@reassociated(singular_values, svd_factors)
def _singular_values(e: Equation, walk: Walk) -> Any:
    U, s, Vh = e.outputs
    if walk.uses.get(U) or walk.uses.get(Vh):
        return None
    return U, walk.emit(np.linalg.svdvals, e.inputs, {}, s), Vh

"""Functions of matrices."""

from typing import Any

import numpy as np
import scipy.linalg as sl

from dotbar.rules.kinds import rule
from dotbar.rules.words import H
from dotbar.scipy.mirror import dispatching

expm = dispatching(sl.expm)


@rule(expm, "(n,n)->(n,n)")
def _expm(Y: Any, A: Any) -> Any:
    """Ẏ is the corner of the exponential of [[A, Ȧ], [0, A]], the bar the same at Aᴴ.  Higham (2008), (3.16)."""
    n = A.shape[-1]

    def frechet(A: Any, E: Any) -> Any:
        A, E = np.broadcast_arrays(A, E)
        zero = np.zeros_like(E)
        return expm(np.concatenate([np.concatenate([A, E], -1), np.concatenate([zero, A], -1)], -2))[..., :n, n:]

    return (lambda Adot: frechet(A, Adot)), (lambda Ybar: frechet(H(A), Ybar))

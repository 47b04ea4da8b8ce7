"""Linear systems of differential equations with an input."""

from typing import Any

import numpy as np
import scipy.signal as ss

from dotbar.core import dtype_of, first_traced
from dotbar.errors import NoRuleError
from dotbar.rules.lapack_words import inexact
from dotbar.scipy.linalg.functions import expm
from dotbar.scipy.mirror import before, stands_for


def state_space(system: Any) -> tuple[Any, Any, Any, Any]:
    """A, B, C and D, also from the coefficients of a transfer function in controller canonical form."""
    if not isinstance(system, (tuple, list)):
        system = system.to_ss()
        return system.A, system.B, system.C, system.D
    if len(system) == 4:
        A, B, C, D = (np.atleast_2d(inexact(M)) for M in system)
        return A, B, C, D
    if len(system) != 2:
        raise NoRuleError("scipy.signal.lsim has a derivative for systems (A, B, C, D) and (num, den).")
    num, den = (np.atleast_1d(inexact(v)) for v in system)
    num, den = num / den[0], den / den[0]
    n = len(den) - 1
    num = np.concatenate([np.zeros(n + 1 - len(num)), num])
    A = np.concatenate([-den[None, 1:], np.eye(n)[:-1]])
    return A, np.eye(n)[:, :1], (num[1:] - num[0] * den[1:])[None], num[:1, None]


@stands_for(ss.lsim)
def lsim(system: Any, U: Any, T: Any, X0: Any = None, interp: bool = True) -> Any:
    """From step to step by the exponential of the system and its input, which is linear or constant between.

    Van Loan (1978), (1.4) and (1.5).
    """
    if first_traced([list(system) if isinstance(system, (tuple, list)) else None, U, T, X0]) is None:
        return ss.lsim(system, U, T, X0, interp)
    A, B, C, D = state_space(system)
    n, m = B.shape
    T = inexact(T)
    steps = len(T)
    U = np.zeros((steps, m)) if U is None or np.ndim(U) == 0 else inexact(U)
    U = U[:, None] if U.ndim == 1 else U
    x = np.zeros(n) if X0 is None else inexact(X0)
    x = expm(A * T[0]) @ x
    dt = T[1] - T[0] if steps > 1 else 0.0
    zero = np.zeros
    M = np.concatenate(
        [
            np.concatenate([A * dt, B * dt, zero((n, m))], 1),
            np.concatenate([zero((m, n + m)), np.eye(m)], 1),
            zero((m, n + 2 * m)),
        ]
    )
    E = expm(M)
    advance, held, ramp = E[:n, :n], E[:n, n : n + m], E[:n, n + m :]
    inputs = U[:-1] @ held.T
    if interp:
        inputs = inputs + (U[1:] - U[:-1]) @ ramp.T
    path = [x]
    for i in range(steps - 1):
        path.append(advance @ path[-1] + inputs[i])
    X = np.stack(path).astype(dtype_of(A) if before("1.18.0") else np.result_type(*map(dtype_of, (A, B, C, D))))
    return T, np.squeeze(X @ C.T + U @ D.T), np.squeeze(X)

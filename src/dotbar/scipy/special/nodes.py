"""Gauss's nodes and weights by the parameters of the weight function.

The nodes are the roots of pₙ(x; θ), hence ∂x/∂θ = −∂_θ pₙ/∂ₓ pₙ.  The weights are to each other as 1/(σ pₙ′²), where
the polynomials solve σ p″ + τ p′ + λ p = 0, and their sum is the integral of the weight function.  Szegő (1975),
(15.3.1), (15.3.5).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from dotbar.core import primitive
from dotbar.rules.kinds import composite, rule
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.orthogonal import jacobi, laguerre


def roots_of(roots: Callable[..., Any], polynomial: Callable[..., Any], count: int) -> Callable[..., Any]:
    """The nodes that SciPy finds, as a function of so many parameters."""

    @primitive
    def nodes(*parameters: Any, n: int) -> Any:
        parameters = np.broadcast_arrays(*parameters)
        found = [roots(n, *map(float, entry))[0] for entry in zip(*map(np.ravel, parameters))]
        return np.reshape(found, (*parameters[0].shape, n)).astype(np.result_type(*parameters, np.float32))

    @rule(nodes, ",".join(["()"] * count) + "->(n)")
    def body(x: Any, *parameters: Any, n: int) -> Any:
        """∂x/∂θ = −∂_θ pₙ/∂ₓ pₙ."""
        at = [float(n), *(np.expand_dims(p, -1) for p in parameters), x]
        derivative = lambda i: polynomial(*at, order=tuple(int(i == k) for k in range(len(at))))

        def pair(i: int) -> Any:
            slope = lambda: -derivative(i) / derivative(len(at) - 1)
            return (lambda dot: slope() * np.expand_dims(dot, -1)), (lambda bar: np.sum(slope() * bar, -1))

        return [pair(i + 1) for i in range(count)]

    return nodes


jacobi_nodes = roots_of(sc.roots_jacobi, jacobi, 2)
laguerre_nodes = roots_of(sc.roots_genlaguerre, laguerre, 1)


def rule_of(x: Any, relative: Any, integral: Any, mu: bool) -> tuple[Any, ...]:
    """Nodes and weights as SciPy returns them, given the weights but for a factor."""
    w = relative / np.sum(relative) * integral
    return (x, w, integral) if mu else (x, w)


@composite(dispatching(sc.roots_jacobi))
def roots_jacobi(n: int, alpha: Any, beta: Any, mu: bool = False) -> tuple[Any, ...]:
    """The weight function is (1 − x)ᵅ (1 + x)ᵝ."""
    x = jacobi_nodes(alpha, beta, n=n)
    slope = jacobi(float(n), alpha, beta, x, order=(0, 0, 0, 1))
    integral = 2 ** (alpha + beta + 1) * sc.beta(alpha + 1, beta + 1)
    return rule_of(x, 1 / ((1 - x) * (1 + x) * slope**2), integral, mu)


@composite(dispatching(sc.roots_gegenbauer))
def roots_gegenbauer(n: int, alpha: Any, mu: bool = False) -> tuple[Any, ...]:
    """The weight function is (1 − x²)^(α − 1/2)."""
    return roots_jacobi(n, alpha - 0.5, alpha - 0.5, mu)


@composite(dispatching(sc.roots_sh_jacobi))
def roots_sh_jacobi(n: int, p1: Any, q1: Any, mu: bool = False) -> tuple[Any, ...]:
    """The weight function is (1 − x)^(p − q) x^(q − 1) between 0 and 1."""
    x, *weights = roots_jacobi(n, p1 - q1, q1 - 1, mu)
    return ((x + 1) / 2, *(w / 2**p1 for w in weights))


@composite(dispatching(sc.roots_genlaguerre))
def roots_genlaguerre(n: int, alpha: Any, mu: bool = False) -> tuple[Any, ...]:
    """The weight function is xᵅ e⁻ˣ."""
    x = laguerre_nodes(alpha, n=n)
    return rule_of(x, 1 / (x * laguerre(float(n), alpha, x, order=(0, 0, 1)) ** 2), sc.gamma(alpha + 1), mu)

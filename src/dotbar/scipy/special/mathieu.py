"""Mathieu functions in parameter and argument.

By their Fourier coefficients: the eigenvectors of a symmetric tridiagonal matrix (DLMF 28.4), which
``eigh`` differentiates.  The matrix has 40 rows more than the order needs: enough for |q| < 1000.
"""

from functools import partial
from typing import Any

import numpy as np

from dotbar.core import shape_of
from dotbar.rules.kinds import elementwise, rule
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.results import slopes
from dotbar.transforms import jvp

INTEGER = "the order is an integer"
ROWS = 40

# ---------------------------------------------------------------- Fourier coefficients


def fourier(m: Any, q: Any, sine: bool) -> tuple[Any, Any, Any]:
    """The eigenvalue, the multiples of x and the coefficients of ceₘ or seₘ, along a last axis.  DLMF 28.4.5-8.

    ∫₀^2π f² dx = π, and ceₘ(0) or seₘ′(0) is positive.
    """
    odd = m % 2
    rows = np.arange(ROWS + int(np.max(m, initial=0)) // 2)
    unit = np.eye(len(rows))
    multiples = 2 * rows + (np.where(odd, 1, 2) if sine else odd)[..., None]
    corner = np.where(odd, -1 if sine else 1, 0)[..., None] * (rows == 0)  # on the diagonal
    root = np.where((rows == 1) & (not sine) & (odd[..., None] == 0), np.sqrt(2), 1)  # beside A₀, times √2
    below = root[..., None] * np.eye(len(rows), k=-1)
    beside = below + np.swapaxes(below, -1, -2) + corner[..., None] * unit
    w, V = np.linalg.eigh(multiples[..., None] ** 2.0 * unit + q[..., None, None] * beside)
    number = (m - 1 if sine else m) // 2
    pick = np.equal(rows, number[..., None]) * 1.0
    vector = np.sum(V * pick[..., None, :], -1)
    vector = np.where((multiples == 0), vector / np.sqrt(2), vector)
    at_zero = np.sum(vector * multiples if sine else vector, -1, keepdims=True)
    return np.sum(w * pick, -1), multiples, vector * np.sign(at_zero)


def characteristic(m: Any, q: Any, sine: bool) -> Any:
    return fourier(m, q, sine)[0]


def angular(m: Any, q: Any, x: Any, sine: bool) -> tuple[Any, Any]:
    """ce or se and its slope, at x in degrees."""
    _, k, c = fourier(m, q, sine)
    x = np.deg2rad(x)[..., None] * k
    if sine:
        return np.sum(c * np.sin(x), -1), np.sum(c * k * np.cos(x), -1)
    return np.sum(c * np.cos(x), -1), -np.sum(c * k * np.sin(x), -1)


def radial(m: Any, q: Any, x: Any, sine: bool, kind: int) -> tuple[Any, Any]:
    """Mc or Ms of the first or second kind and its slope, for q > 0, as products of Bessel functions.  DLMF 28.24."""
    _, k, c = fourier(m, q, sine)
    s = (m // 2 if not sine else (m - 1) // 2)[..., None]
    rows = np.arange(shape_of(k)[-1])
    shift = k[..., :1]
    bessel = sc.jv if kind == 1 else sc.yv
    h = np.sqrt(q)[..., None]

    def product(x: Any) -> Any:
        small, large = h * np.exp(-x[..., None]), h * np.exp(x[..., None])
        both = sc.jv(rows - s * 1.0, small) * bessel(rows + s + shift * 1.0, large)
        crossed = sc.jv(rows + s + shift * 1.0, small) * bessel(rows - s * 1.0, large)
        terms = both - crossed if sine else both + crossed
        scale = np.sum(np.where(np.equal(rows, s), c, 0), -1) * np.where((s + shift)[..., 0] == 0, 2, 1)
        return np.sum((-1.0) ** (rows + s) * c * terms, -1) / scale

    return jvp(product, (x,), (np.ones_like(x),))


# ---------------------------------------------------------------- rules


def in_parameter(f: Any, m: Any, q: Any, *x: Any) -> Any:
    """∂f/∂q entry by entry, f an eigenvalue of the Fourier coefficients' matrix, or a series with them."""
    m, q, *x = np.broadcast_arrays(np.asarray(m).astype(int), q, *x)
    return jvp(lambda q: f(m, q, *x), (q,), (np.ones_like(q),))[1]


def register(f: Any, series: Any, a: Any, hyperbolic: bool) -> None:
    @rule(f, "(),(),()->(),()")
    def body(y: Any, m: Any, q: Any, x: Any) -> Any:
        """By q the series, by x (degrees) y″ = −(a − 2q cos 2x) y or (a − 2q cosh 2x) y.  DLMF 28.2.1, 28.20.1."""
        value, slope = y
        by_q = partial(in_parameter, series, m, q, x)

        def second() -> Any:
            wave = np.cosh(2 * x) if hyperbolic else np.cos(2 * np.deg2rad(x))
            return (a(m, q) - 2 * q * wave) * value * (1 if hyperbolic else -np.pi / 180)

        return (
            INTEGER,
            slopes(lambda: by_q()[0], lambda: by_q()[1]),
            slopes(lambda: slope * (1 if hyperbolic else np.pi / 180), second),
        )


elementwise(sc.mathieu_a, INTEGER, lambda a, b: in_parameter(partial(characteristic, sine=False), a, b))
elementwise(sc.mathieu_b, INTEGER, lambda a, b: in_parameter(partial(characteristic, sine=True), a, b))

for _sine, _a in ((False, sc.mathieu_a), (True, sc.mathieu_b)):
    _letter = "s" if _sine else "c"
    register(getattr(sc, f"mathieu_{_letter}em"), partial(angular, sine=_sine), _a, False)
    for _kind in (1, 2):
        _f = getattr(sc, f"mathieu_mod{_letter}em{_kind}")
        register(_f, partial(radial, sine=_sine, kind=_kind), _a, True)

for _name in ("mathieu_even_coef", "mathieu_odd_coef"):
    elementwise(dispatching(getattr(sc, _name)), INTEGER, "the number of coefficients that SciPy gives jumps with q")

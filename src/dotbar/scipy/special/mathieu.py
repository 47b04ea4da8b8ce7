"""Mathieu functions in parameter and argument.

By their Fourier coefficients: the eigenvectors of a symmetric tridiagonal matrix (DLMF 28.4), which
``eigh`` differentiates.  The matrix has 40 rows more than the order needs: enough for |q| < 1000.
Where |q| is small beside m² the small coefficients, which ``eigh`` has to an absolute error, are products of continued
fractions instead.
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
    """The eigenvalue's slope, the multiples of x and the coefficients of ceₘ or seₘ, along a last axis.  DLMF 28.4.5-8.

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
    number = ((m - 1 if sine else m) // 2)[..., None]
    pick = np.equal(rows, number) * 1.0
    vector, a = np.sum(V * pick[..., None, :], -1), np.sum(w * pick, -1)
    small = 2 * np.abs(q) < m * m
    matrix_row = (multiples**2 + q[..., None] * corner, np.where(small, q, 0)[..., None] * (root * (rows > 0)))
    ratios = fractions(*matrix_row, a[..., None], number)
    vector = np.where(small[..., None], ratios / np.sqrt(np.sum(ratios**2, -1, keepdims=True)), vector)
    slope = np.sum(vector * np.sum(beside * vector[..., None, :], -1), -1)
    vector = np.where((multiples == 0), vector / np.sqrt(2), vector)
    at_zero = np.sum(vector * multiples if sine else vector, -1, keepdims=True)
    return slope, multiples, vector * np.sign(at_zero)


def fractions(d: Any, e: Any, a: Any, number: Any) -> Any:
    """The eigenvector to the eigenvalue a, 1 in the row ``number``, of a matrix with diagonal d and e left of it.

    By cₖ = eₖ₊₁ cₖ₊₁/(a − dₖ − eₖ cₖ₋₁/cₖ) from the first row on, and from the last
    by cₖ = eₖ cₖ₋₁/(a − dₖ − eₖ₊₁ cₖ₊₁/cₖ).
    """
    size = shape_of(d)[-1]
    column = lambda x, k: x[..., k : k + 1]
    down, up, head, tail = [np.ones_like(a)], [np.ones_like(a)], 0.0, 0.0
    for k in range(size - 1):
        head = column(e, k + 1) / np.where(k < number, a - column(d, k) - column(e, k) * head, 1)
        down.append(np.where(k < number, head, 1))
    for k in range(size - 1, 0, -1):
        after = column(e, k + 1) * tail if k + 1 < size else 0.0
        tail = column(e, k) / np.where(k > number, a - column(d, k) - after, 1)
        up.append(np.where(k > number, tail, 1))
    down, up = np.concatenate([*down[1:], down[0]], -1), np.concatenate([up[0], *up[:0:-1]], -1)
    return np.cumprod(down[..., ::-1], -1)[..., ::-1] * np.cumprod(up, -1)


def characteristic_slope(m: Any, q: Any, sine: bool) -> Any:
    """∂a/∂q = cᵀ(∂T/∂q)c, T the matrix of the coefficients c."""
    return fourier(*np.broadcast_arrays(np.asarray(m).astype(int), q), sine)[0]


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
        high = bessel(rows + s + shift * 1.0, large)
        high = np.where((np.abs(high) > 1e250) & (rows != s), 0, high)  # its coefficient is smaller yet
        both = sc.jv(rows - s * 1.0, small) * high
        crossed = sc.jv(rows + s + shift * 1.0, small) * bessel(rows - s * 1.0, large)
        terms = both - crossed if sine else both + crossed
        scale = np.sum(np.where(np.equal(rows, s), c, 0), -1) * np.where((s + shift)[..., 0] == 0, 2, 1)
        return np.sum((-1.0) ** (rows + s) * c * terms, -1) / scale

    return jvp(product, (x,), (np.ones_like(x),))


# ---------------------------------------------------------------- rules


def in_parameter(f: Any, m: Any, q: Any, *x: Any) -> Any:
    """∂f/∂q entry by entry, f a series with the Fourier coefficients."""
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


elementwise(sc.mathieu_a, INTEGER, lambda a, b: characteristic_slope(a, b, False))
elementwise(sc.mathieu_b, INTEGER, lambda a, b: characteristic_slope(a, b, True))

for _sine, _a in ((False, sc.mathieu_a), (True, sc.mathieu_b)):
    _letter = "s" if _sine else "c"
    register(getattr(sc, f"mathieu_{_letter}em"), partial(angular, sine=_sine), _a, False)
    for _kind in (1, 2):
        _f = getattr(sc, f"mathieu_mod{_letter}em{_kind}")
        register(_f, partial(radial, sine=_sine, kind=_kind), _a, True)

for _name in ("mathieu_even_coef", "mathieu_odd_coef"):
    elementwise(dispatching(getattr(sc, _name)), INTEGER, "the number of coefficients that SciPy gives jumps with q")

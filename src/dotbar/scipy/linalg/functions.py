"""Functions of matrices.

Each derivative is exact also for defective matrices: it is never taken in a basis of eigenvectors.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial, reduce, wraps
from math import ceil, comb, factorial, floor, log2, perm
from numbers import Real
from operator import add, iadd, sub
from typing import Any

import numpy as np
import scipy.linalg as sl
from numpy.polynomial.polynomial import polyder, polyval

from dotbar.core import Traced, dtype_of, primitive
from dotbar.errors import DegenerateSpectrumError, NoRuleError
from dotbar.linalg import put, slope
from dotbar.rules.kinds import DETERMINED, composite, constant, match, rule
from dotbar.rules.lapack_words import inexact, lu_factor, lu_solve
from dotbar.rules.words import H, mT
from dotbar.scipy.linalg.equations import checked, double, schur_form, sylvester
from dotbar.scipy.mirror import OWN, dispatching
from dotbar.transforms import jvp, vjp

# ---------------------------------------------------------------- the derivative of a primary function


def doubled(A: Any, E: Any) -> Any:
    """[[A, E], [0, A]]."""
    return np.block([[A, E], [np.zeros_like(E), A]])


def corner(A: Any, E: Any, *, f: Callable[[Any], Any]) -> Any:
    """Dᵏf(A)[E₁, ..., Eₖ], the corner of f of A doubled along E₁, ..., Eₖ.

    Higham & Relton (2014), Higher order Fréchet derivatives of matrix functions, theorem 3.5.
    """
    n = A.shape[-1]
    along = (E[..., m, :, :] if m == 0 else np.kron(np.eye(2**m, dtype=E.dtype), E[..., m, :, :]) for m in count(E))
    return f(reduce(doubled, along, A))[..., :n, -n:]


def count(E: Any) -> range:
    """The numbers of the directions E."""
    return range(E.shape[-3])


def norms(A: Any) -> Any:
    return np.linalg.norm(A, axis=(-2, -1), keepdims=True)


def scales(A: Any, E: Any) -> Any:
    """Powers of two that make the directions small beside A, which then decides alone on scaling and squaring."""
    with np.errstate(all="ignore"):
        scale = np.exp2(np.round(np.log2(256 * norms(E) / norms(A)[..., None, :, :])))
    return np.where(np.isfinite(scale) & (scale > 0), scale, 1).astype(E.dtype)


Frechet = Callable[[Any, Any], Any]
"""Dᵏf(A)[E₁, ..., Eₖ] of a function of matrices for plain A ``(..., n, n)`` and E ``(..., k, n, n)``."""


@primitive
def derivative(A: Any, E: Any, *, L: Frechet, triangular: bool, dtype: np.dtype[Any]) -> Any:
    """Dᵏf(A)[E₁, ..., Eₖ] by L; ``triangular`` in the basis of a Schur form of A.

    What is repeated in the doubled matrix is repeated exactly there.
    """
    lead = np.broadcast_shapes(A.shape[:-2], E.shape[:-3])
    A, E = np.broadcast_to(A, lead + A.shape[-2:]), np.broadcast_to(E, lead + E.shape[-3:])
    if A.size == 0:
        return np.zeros(A.shape, dtype)
    if np.any(np.tril(A, -1)) and not np.any(np.triu(A, 1)):
        return mT(derivative(mT(A), mT(E), L=L, triangular=triangular, dtype=dtype))
    scale = scales(A, E)
    E = E / scale
    if triangular:
        A, Q = triangular_form(A)
        E = H(Q)[..., None, :, :] @ E @ Q[..., None, :, :]
    Y = L(A, E) * np.prod(scale, -3)
    if triangular:
        Y = Q @ Y @ H(Q)
    return (Y if np.dtype(dtype).kind == "c" else Y.real).astype(dtype)


def triangular_form(A: Any) -> tuple[Any, Any]:
    """T and Q of A = Q T Qᴴ with an upper triangular T: real if it can be, as SciPy has it."""
    T, Q = sl.schur(A)
    return (T, Q) if np.array_equal(T, np.triu(T)) else tuple(sl.rsf2csf(T, Q))


@rule(derivative, "(n,n),(k,n,n)->(n,n)")
def _derivative(Y: Any, A: Any, E: Any, *, L: Frechet, triangular: bool, dtype: Any) -> Any:
    """The derivative along one matrix more; tr(Ȳᴴ Dᵏf[E₁, ..., Eₖ]) is symmetric in Ȳᴴ and the E's."""
    k = E.shape[-3]

    def along(m: int, X: Any) -> Any:
        return derivative(A, put(E, m, X), L=L, triangular=triangular, dtype=dtype)

    def dot_A(Adot: Any) -> Any:
        return along(k, Adot)

    def bar_A(Ybar: Any) -> Any:
        return H(along(k, H(Ybar)))

    def dot_E(Edot: Any) -> Any:
        return sum(along(m, Edot[..., m, :, :]) for m in range(k))

    def bar_E(Ybar: Any) -> Any:
        return np.stack([H(along(m, H(Ybar))) for m in range(k)], -3)

    return (dot_A, bar_A), (dot_E, bar_E)


def primary(A: Any, dtype: Any, L: Frechet, triangular: bool = True) -> Any:
    """The (dot, bar) of a primary function: L(A, Ȧ) and L(A, Ȳᴴ)ᴴ.  Higham (2008), section 3.2."""

    def along(E: Any) -> Any:
        return derivative(A, E[..., None, :, :], L=L, triangular=triangular, dtype=dtype)

    return along, lambda Ybar: H(along(H(Ybar)))


# ---------------------------------------------------------------- the exponential

expm = dispatching(sl.expm)

SMALL = 16  # up to this order SciPy's compiled exponential of the doubled matrix is faster

PADE = {3: 1.08e-2, 5: 2.00e-1, 7: 7.83e-1, 13: 4.74}
"""Degrees of approximants, and the norm up to which the derivative of each is exact.  Al-Mohy & Higham (2009)."""


@cache
def pade(m: int) -> list[float]:
    """The coefficients of the numerator of the [m/m] approximant of exp.  Higham (2008), (10.23)."""
    return [comb(m, j) / perm(2 * m, j) for j in range(m + 1)]


def halvings(A: Any, size: float) -> int:
    """How often A is halved, given the roots of the norms of its powers.  Al-Mohy & Higham (2009b), algorithm 6.1.

    Powers that cancel tell too little: |A|²⁷ bounds the rounding errors, too.
    """
    s = max(0, ceil(log2(size / PADE[13]))) if size else 0
    norm = np.linalg.norm(A, 1)
    row, absolute = np.ones(len(A)), np.asarray(np.abs(A) / norm, float)
    for _ in range(27):
        row = row @ absolute
    peak = float(np.max(row))
    if peak == 0:
        return s
    bits = log2(peak) + 26 * (log2(norm) - s)
    return s + max(0, ceil((bits - log2(113250775606021113483283660800000000) + 53) / 26))


def approximant(A: Any) -> tuple[int, int, list[Any]]:
    """The degree m of the approximant, how often A is halved, and the powers of the halved A known from that.

    Al-Mohy & Higham (2009b), A new scaling and squaring algorithm: by powers of A, as those of a nilpotent one vanish.
    """
    size = np.linalg.norm(A, 1)
    if size <= PADE[13]:
        return next(m for m in PADE if size <= PADE[m]), 0, []
    halved = floor(log2(size))  # the powers of what is large do not overflow
    X = A * 2.0**-halved
    square = X @ X
    fourth = square @ square
    powers = [square, fourth, fourth @ square]
    s = halvings(A, max(2.0**halved * np.linalg.norm(powers[k], 1) ** (1 / (2 * k + 2)) for k in (1, 2)))
    return 13, s, [X * 4.0 ** ((halved - s) * k) for k, X in enumerate(powers, 1)]


def product(X: Any, Y: Any, known: Any = None) -> Any:
    """XY of sums X = Σ X_S εˢ, where the square of each ε is 0 and the bits of S are a set of them.

    Its first coefficient, that without an ε, may be known.
    """
    terms = lambda S: (X[T] @ Y[S ^ T] for T in range(S + 1) if T & S == T)
    return [known if S == 0 and known is not None else reduce(iadd, terms(S)) for S in range(len(X))]


def combined(b: Any, powers: Any) -> Any:
    """Σ bⱼ Xʲ."""
    return [reduce(iadd, (c * X for c, X in zip(b, coefficients))) for coefficients in zip(*powers)]


def exponential_of(X: Any, m: int, s: int, known: Sequence[Any] = (), LU: Any = None) -> tuple[Any, Any, list[Any]]:
    """exp(X) of X = A + Σ X_S εˢ by the [m/m] approximant of X/2ˢ, a factorisation, and the first coefficients.

    That of ε₁...εₖ is the derivative along the coefficients of ε₁, ..., εₖ.  Higham (2005), The scaling and squaring
    method for the matrix exponential revisited; with a derivative, Al-Mohy & Higham (2009), Computing the Fréchet
    derivative of the matrix exponential, algorithm 6.4.  The first coefficients, those of exp(A), may be known.  What
    is computed from an upper triangular A is so, too: rounding does not make it another matrix.
    """
    steps: list[Any] = []

    def times(X: Any, Y: Any) -> Any:
        Z = product(X, Y, known[len(steps)] if len(steps) < len(known) else None)
        steps.append(Z[0])
        return Z

    X = [M * 2.0**-s for M in X]
    powers = [times(X, X)]
    while len(powers) < min(m // 2, 3):
        powers.append(times(powers[-1], powers[0]))

    def polynomial(b: list[float]) -> Any:
        """Σ bⱼ X²ʲ; beyond X⁶ by a product with X⁶."""
        Y = combined(b[1:], powers)
        np.einsum("ii->i", Y[0])[...] += b[0]
        return Y if m < 13 else [*map(add, times(powers[2], combined(b[4:], powers)), Y)]

    odd, even = times(X, polynomial(pade(m)[1::2])), polynomial(pade(m)[::2])
    P, Q = ([*map(f, even, odd)] for f in (add, sub))
    LU = LU or lu_factor(Q[0])
    R = [*known[len(steps) : len(steps) + 1]] or [lu_solve(Q[0], P[0], *LU)]
    steps.append(R[0])
    for S in range(1, len(X)):
        others = (Q[T] @ R[S ^ T] for T in range(1, S + 1) if T & S == T)
        R.append(lu_solve(Q[0], reduce(sub, others, P[S]), *LU))
    for _ in range(s):
        R = times(R, R)
    return R, LU, steps


def exponential_along(A: Any, E: Any) -> Any:
    """Dᵏexp(A)[E₁, ..., Eₖ]."""
    if A.shape[-1] << len(count(E)) <= 2 * SMALL and np.any(np.tril(A, -1)):
        return corner(A * (1 + 0j), E, f=sl.expm)  # that of complex matrices has some digits more
    if A.ndim > 2:
        return np.stack([exponential_along(*pair) for pair in zip(A, E)])
    if not np.all(np.isfinite(A)):
        return np.full(A.shape, np.nan, E.dtype)
    X = [A, *np.zeros((2 ** len(E) - 1, *A.shape), np.result_type(A, E))]
    for m in count(E):
        X[2**m] = E[m]
    return exponential_of(X, *approximant(A))[0][-1]


KEPT = 12  # so many products are kept for the derivative, which repeats later ones: after four squarings
STEPS = "(p),(q)" + (KEPT + 2) * ",(n,n)"


@primitive
def exponential_steps(A: Any) -> Any:
    """What exp(A) and its derivative share: m, s and a number, pivots and factors, exp(A), that many of the products.

    They are not there (m = 0) for batches, small and triangular matrices, and what is not finite.
    """
    *lead, n = A.shape[:-1]
    plan, pivots = np.zeros((*lead, 3), int), np.zeros((*lead, n), int)
    is_one = A.shape == (n, n) and n > SMALL and A.dtype.char in "fdFD"
    if not (is_one and all(sl.bandwidth(A)) and np.all(np.isfinite(A))):
        return plan, pivots, *(KEPT + 2) * (A,)
    m, s, powers = approximant(A)
    (Y,), (LU, pivots), steps = exponential_of([A], m, s, powers)
    plan[:] = m, s, min(len(steps), KEPT)
    for x in (plan, LU, Y, *steps):
        x.flags.writeable = False  # which spares the tape a copy
    return plan, pivots, LU, Y, *steps[:KEPT], *(KEPT - len(steps)) * (Y,)


constant(exponential_steps, like=lambda A: None, batch=f"(n,n)->{STEPS}")


def is_kept(plan: Any) -> bool:
    return plan.ndim == 1 and bool(plan[0])


@primitive
def exponential(A: Any, *steps: Any) -> Any:
    """exp(A), given the steps to it; without them as SciPy has it."""
    plan, _, _, Y, *_ = steps
    return Y.copy() if is_kept(plan) else sl.expm(A)


@rule(exponential, f"(n,n),{STEPS}->(n,n)")
def _exponential(Y: Any, A: Any, *steps: Any) -> Any:
    """L(A, Ȧ) and L(A, Ȳᴴ)ᴴ.  Higham (2008), section 3.2."""

    def along(E: Any) -> Any:
        return exponential_dot(A, E, *steps)

    return [(along, lambda Ybar: H(along(H(Ybar)))), *(DETERMINED for _ in steps)]


@primitive
def exponential_dot(A: Any, E: Any, *steps: Any) -> Any:
    """L(A, E) of exp, given the steps to exp(A)."""
    plan, pivots, LU, _, *products = steps
    if not is_kept(plan):
        dtype = np.result_type(A, E)
        return derivative(A, E[..., None, :, :], L=exponential_along, triangular=False, dtype=dtype)
    if E.ndim > 2:
        return np.stack([exponential_dot(A, X, *steps) for X in E]).reshape(E.shape)
    m, s, number = plan.tolist()
    return exponential_of([A, E], m, s, products[:number], (LU, pivots))[0][1]


@rule(exponential_dot, f"(n,n),(n,n),{STEPS}->(n,n)")
def _exponential_dot(Y: Any, A: Any, E: Any, *steps: Any) -> Any:
    """The derivative along one matrix more, and that along another one."""

    def twice(X: Any) -> Any:
        return derivative(A, put(E[..., None, :, :], 1, X), L=exponential_along, triangular=False, dtype=Y.dtype)

    def along(X: Any) -> Any:
        return exponential_dot(A, X, *steps)

    adjoint = lambda f: lambda Ybar: H(f(H(Ybar)))
    return [(twice, adjoint(twice)), (along, adjoint(along)), *(DETERMINED for _ in steps)]


@composite(expm)
def _expm(A: Any) -> Any:
    A = inexact(A)
    if A.ndim < 2 and A.size == 1:
        return np.reshape(np.exp(A), (1, 1))
    if dtype_of(A) == np.float16:
        A = A.astype(np.float32)
    return exponential(A, *exponential_steps(A))


@composite(dispatching(sl.expm_frechet))
def _expm_frechet(A: Any, E: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True) -> Any:
    if method not in (None, "SPS", "blockEnlarge"):
        raise ValueError(f"Unknown implementation {method}")
    A, E = map(double, checked(check_finite, A, E))
    steps = exponential_steps(A)
    L = exponential_dot(A, E, *steps)
    return (exponential(A, *steps), L) if compute_expm else L


@composite(dispatching(sl.expm_cond))
def _expm_cond(A: Any, check_finite: bool = True) -> Any:
    """‖K‖₂‖A‖/‖exp A‖ with the matrix K of Ȧ ↦ L(A, Ȧ), one direction in each column.  Higham (2008), section 3.4."""
    A = double(*checked(check_finite, A))
    n = A.shape[-1]
    basis = np.eye(n * n, dtype=dtype_of(A)).reshape(n * n, 1, n, n)
    K = derivative(A[..., None, :, :], basis, L=exponential_along, triangular=False, dtype=dtype_of(A))
    K = np.reshape(K, (*A.shape[:-2], n * n, n * n))
    size = lambda X: np.linalg.norm(X, axis=(-2, -1))
    return np.linalg.norm(K, 2, (-2, -1)) * size(A) / size(expm(A))


# ---------------------------------------------------------------- logarithm and powers


def undrawn(fn: Callable[..., Any]) -> Callable[..., Any]:
    """SciPy's ``fn``, which draws from NumPy's global generator to estimate norms, and here leaves it as it was."""

    @wraps(fn)
    def call(*args: Any, **kw: Any) -> Any:
        state = np.random.get_state()
        try:
            return fn(*args, **kw)
        finally:
            np.random.set_state(state)

    return OWN.setdefault(fn, dispatching(call))


logm, fractional_matrix_power = undrawn(sl.logm), undrawn(sl.fractional_matrix_power)


@rule(logm, "(n,n)->(n,n)", varying=True)
def _logm(Y: Any, A: Any) -> Any:
    """At a singular matrix nan, although SciPy has a value there."""
    return primary(A, Y.dtype, partial(corner, f=logarithm_of_regular))


def logarithm_of_regular(T: Any) -> Any:
    """The logarithm of triangular matrices, nan for singular ones."""
    regular = np.all(np.diagonal(T, axis1=-2, axis2=-1), -1)[..., None, None]
    return np.where(regular, logarithm(T), np.nan)


@primitive
def logarithm(A: Any) -> Any:
    """The logarithm for use in derivatives, which add no warnings to those of the value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return logm(A)


@rule(logarithm, "(n,n)->(n,n)", varying=True)
def _logarithm(Y: Any, A: Any) -> Any:
    return primary(A, Y.dtype, partial(corner, f=logarithm))


@rule(fractional_matrix_power, varying=True)
def _fractional_matrix_power(Y: Any, A: Any, t: Any) -> Any:
    """Aᵗ = exp(t log A), a product for an integer t; SciPy's may be complex where this is real."""

    def power(A: Any, t: Any) -> Any:
        return expm(t * logarithm(A))

    def pair(f: Callable[[Any], Any], x: Any) -> Any:
        def dot(xdot: Any) -> Any:
            return match(jvp(f, (x,), (xdot,))[1], Y)

        def bar(Ybar: Any) -> Any:
            value, pull = vjp(f, x)
            return pull(match(Ybar, value))[0]

        return dot, bar

    is_integer = isinstance(t, Real) and float(t).is_integer()
    of_A = (lambda A: np.linalg.matrix_power(A, int(t))) if is_integer else (lambda A: power(A, t))
    return pair(of_A, A), pair(lambda t: power(A, t), t)


# ---------------------------------------------------------------- trigonometric and hyperbolic functions


def of_exponentials(real: Callable[[Any], Any], general: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of exp(iA), for a real matrix and for a general one."""

    def f(A: Any) -> Any:
        A = inexact(A)
        return (general if dtype_of(A).kind == "c" else real)(A)

    return f


cosm, sinm, coshm, sinhm = map(dispatching, (sl.cosm, sl.sinm, sl.coshm, sl.sinhm))

composite(cosm)(of_exponentials(lambda A: np.real(expm(1j * A)), lambda A: (expm(1j * A) + expm(-1j * A)) / 2))
composite(sinm)(of_exponentials(lambda A: np.imag(expm(1j * A)), lambda A: (expm(1j * A) - expm(-1j * A)) / 2j))
composite(coshm)(lambda A: (expm(A) + expm(-inexact(A))) / 2)
composite(sinhm)(lambda A: (expm(A) - expm(-inexact(A))) / 2)
composite(dispatching(sl.tanm))(lambda A: np.linalg.solve(*checked(True, cosm(A), sinm(A))))
composite(dispatching(sl.tanhm))(lambda A: np.linalg.solve(*checked(True, coshm(A), sinhm(A))))


# ---------------------------------------------------------------- square root and sign


@rule(dispatching(sl.sqrtm), "(n,n)->(n,n)", varying=True)
def _sqrtm(X: Any, A: Any) -> Any:
    """XẊ + ẊX = Ȧ: sums of eigenvalues of the root, which do not vanish.  Higham (2008), section 6.1."""
    form = schur_form(X)

    def dot(Adot: Any) -> Any:
        return sylvester(X, X, Adot, *form, *form)

    def bar(Xbar: Any) -> Any:
        return sylvester(X, X, Xbar, *form, *form, adjoint_a=True, adjoint_b=True)

    return dot, bar


@rule(dispatching(sl.signm), "(n,n)->(n,n)")
def _signm(S: Any, A: Any) -> Any:
    """NṠ + ṠN = Ȧ − SȦS with A = SN and the spectrum of N in the right half-plane.  Higham (2008), theorem 5.3."""
    N = S @ A
    form = schur_form(N)

    def dot(Adot: Any) -> Any:
        return sylvester(N, N, Adot - S @ Adot @ S, *form, *form)

    def bar(Sbar: Any) -> Any:
        C = sylvester(N, N, Sbar, *form, *form, adjoint_a=True, adjoint_b=True)
        return C - H(S) @ C @ H(S)

    return dot, bar


# ---------------------------------------------------------------- any function, by Schur and Parlett

CLOSE = [4.0**-k for k in range(20)]
"""Relative distances within which eigenvalues are of one cluster: their differences lose digits.

The first holds, except for a cluster around which f is not analytic or much larger, or that is long at one of the
first distances.
"""

LONG = 48  # a longer cluster is split if its Taylor series is not short, as each term takes a full product
Series = tuple[Any, float, Any]


def linked(w: Any, close: float) -> Any:
    """A label for each eigenvalue: those that are close, or linked by close ones, have the same."""
    size = np.maximum(np.abs(w)[:, None], np.abs(w))
    near = np.abs(w[:, None] - w) <= np.maximum(close * size, 1e-14 * np.max(size))
    reached = near.astype(np.float32)
    while not np.array_equal(further := (reached @ reached > 0).astype(np.float32), reached):
        reached = further
    return np.argmax(reached, -1)


def series(f: Callable[[Any], Any], w: Any, size: float) -> Series | None:
    """The center, the radius ρ and the terms cₖρᵏ of the Taylor series of f around eigenvalues w, if it is of use.

    That of few equal eigenvalues by derivatives, else by Cauchy's integral on a circle, where the trapezoidal rule
    converges exponentially.  Of the circles in which f is analytic, as its Fourier coefficients tell, it is that with
    the smallest bound of the rounding error for a matrix with off-diagonal entries of the given size.  Bornemann
    (2011), Accuracy and stability of computing high-order derivatives of analytic functions by Cauchy integrals.
    """
    center, n = np.mean(w), len(w)
    spread = np.max(np.abs(w - center))
    if spread == 0 and n <= 4:
        derivatives = [f := slope(f) if k else f for k in range(n)]
        return center, 1.0, [derivatives[k](center) / factorial(k) for k in range(n)]
    N = max(512, 1 << (4 * n).bit_length())
    circle = np.exp(2j * np.pi * np.arange(N) / N)
    best, found, radius = np.inf, None, 8 * max(1.0, abs(center))
    while (radius := radius / 2) >= max(2 * spread, 1e-8 * abs(center), 1e-30):
        with np.errstate(all="ignore"):
            c = np.fft.fft(f(center + radius * circle)) / N
            largest = np.max(np.abs(c))
            bound = np.log2(largest) + (n - 1) * np.log2(max(1.0, size / radius))
        if found is not None and bound > best:
            break
        if np.max(np.abs(c[N // 4 :])) <= 1e-14 * largest and bound < best:
            best, found = bound, (center, radius, c[: N // 4])
    if found is None or spread == 0:
        return found
    _, radius, terms = found
    x = (w - center) / radius
    values, slopes = polyval(x, terms), polyval(x, polyder(terms))
    return found if np.max(np.abs(terms)) <= 1e3 * max(np.max(np.abs(values)), np.max(np.abs(slopes))) else None


def clusters(
    f: Callable[[Any], Any], w: Any, size: float, close: Sequence[float] = CLOSE
) -> Iterator[tuple[Any, Series]]:
    """Masks of the eigenvalues w of each cluster, and the series of f for it."""
    labels = linked(w, close[0])
    for label in np.unique(labels):
        member = labels == label
        found = series(f, w[member], size)
        is_long = close[0] > 0.05 and np.count_nonzero(member) > LONG
        if found is not None and not (is_long and found[1] < 16 * np.max(np.abs(w[member] - found[0]))):
            yield member, found
        elif len(close) == 1:
            raise DegenerateSpectrumError(
                f"funm: the function is not analytic around {np.count_nonzero(member)} close eigenvalues, and has no "
                "derivative there."
            )
        else:
            for part, found in clusters(f, w[member], size, close[1:]):
                whole = member.copy()
                whole[member] = part
                yield whole, found


def reordered(T: Any, labels: Any) -> tuple[Any, Any, Any]:
    """T = Q T′ Qᴴ with a triangular T′ in which the eigenvalues of a cluster stand together, and their labels."""
    T, Q, labels = np.array(T, order="F"), np.eye(len(T), dtype=complex, order="F"), labels.copy()
    for place, label in enumerate(sorted(labels)):
        found = place + int(np.argmax(labels[place:] == label))
        if found > place:
            T, Q, _ = sl.lapack.ztrexc(T, Q, found + 1, place + 1, overwrite_a=True, overwrite_q=True)
            labels[place : found + 1] = np.roll(labels[place : found + 1], 1)
    return T, Q, labels


def taylor(T: Any, center: Any, radius: float, terms: Any) -> Any:
    """f of a triangular matrix with close eigenvalues.  Davies & Higham (2003), section 2."""
    N = (T - center * np.eye(len(T))) / radius
    power, total, largest = np.eye(len(T), dtype=complex), np.zeros_like(T), np.max(np.abs(terms))
    for c in terms:
        total += c * power
        power = power @ N
        if np.max(np.abs(power)) * largest <= 1e-17 * np.max(np.abs(total)):
            break
    return total


def parlett(T: Any, labels: Any, atoms: Sequence[Series]) -> Any:
    """f of a triangular matrix, block by block; the blocks beside the diagonal follow from F T = T F.

    Parlett (1976); Davies & Higham (2003), algorithm 2.1, by halves.
    """
    starts = np.flatnonzero(np.diff(labels)) + 1
    if not starts.size:
        return taylor(T, *atoms[labels[0]])
    m = starts[len(starts) // 2]
    F11, F22, T12 = parlett(T[:m, :m], labels[:m], atoms), parlett(T[m:, m:], labels[m:], atoms), T[:m, m:]
    F12, scale, _ = sl.lapack.ztrsyl(T[:m, :m], T[m:, m:], F11 @ T12 - T12 @ F22, isgn=-1)
    return np.block([[F11, F12 / scale], [np.zeros_like(T12.T), F22]])


def schur_parlett(T: Any, f: Callable[[Any], Any]) -> Any:
    """f of triangular matrices."""
    if T.ndim > 2:
        return np.stack([schur_parlett(X, f) for X in T])
    T = T.astype(complex)
    members, atoms = zip(*clusters(f, np.diagonal(T), float(np.linalg.norm(np.triu(T, 1)))))
    T, Q, labels = reordered(T, np.argmax(members, 0))
    return Q @ parlett(T, labels, atoms) @ H(Q)


def of_plain_numbers(func: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``func``, which may not depend on values under differentiation beside its argument."""

    def f(z: Any) -> Any:
        y = func(z)
        if isinstance(y, Traced):
            raise NoRuleError(
                "scipy.linalg.funm has no derivative with respect to values that 'func' takes from elsewhere. Use "
                "dotbar.linalg.matrix_function(f, A) for a Hermitian A, or products of expm, logm and sqrtm."
            )
        return y

    return f


@wraps(sl.funm)
def _plain_funm(A: Any, func: Callable[[Any], Any], disp: bool = True) -> Any:
    return sl.funm(A, of_plain_numbers(func), disp)


funm = OWN.setdefault(sl.funm, dispatching(_plain_funm))


@rule(funm, "(n,n)->(n,n)", varying=True)
def _funm(Y: Any, A: Any, *, func: Callable[[Any], Any], disp: bool = True) -> Any:
    """As for any primary function, by Schur and Parlett; ``func`` is analytic, and dotbar differentiates it."""
    if not disp:
        raise NoRuleError("funm(disp=False) returns an estimate of its error, which has no derivative.")
    return primary(A, Y.dtype, partial(corner, f=partial(schur_parlett, f=func)))

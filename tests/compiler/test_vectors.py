"""Vector functions are within 2 ULP of mpmath's over the whole range, with C99's special values, on every machine."""

import math
from functools import cache

import mpmath
import numpy as np
import pytest
from machines import HERE, RUNNABLE, TYPES, arity, function

from dotbar.compiler import engine, vectors

pytestmark = pytest.mark.skipif(not engine.available(), reason="llvmlite is not installed")

LARGEST, SMALLEST = np.finfo(float).max, 5e-324
OF_ONE = {
    "exp": mpmath.exp,
    "exp2": lambda x: mpmath.mpf(2) ** x,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log2": lambda x: mpmath.log(x, 2),
    "log10": mpmath.log10,
    "log1p": mpmath.log1p,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "arcsin": mpmath.asin,
    "arccos": mpmath.acos,
    "arctan": mpmath.atan,
    "arcsinh": mpmath.asinh,
    "arccosh": mpmath.acosh,
    "arctanh": mpmath.atanh,
    "erf": mpmath.erf,
    "erfc": lambda x: mpmath.erfc(min(x, 100)),
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "sqrt": mpmath.sqrt,
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
}
OF_TWO = {
    "pow": mpmath.power,
    "arctan2": mpmath.atan2,
    "hypot": mpmath.hypot,
    "logaddexp": lambda x, y: max(x, y) + mpmath.log1p(mpmath.exp(-abs(x - y))),
}
EXACT = sorted(vectors.EXACT)
DOMAINS = {
    **dict.fromkeys(["log", "log2", "log10", "sqrt"], (SMALLEST, LARGEST)),
    **dict.fromkeys(["arcsin", "arccos"], (-1.0, 1.0)),
    "arctanh": (np.nextafter(-1.0, 0.0), np.nextafter(1.0, 0.0)),
    "arccosh": (1.0, LARGEST),
    "log1p": (np.nextafter(-1.0, 0.0), LARGEST),
}
ENDS = {  # where results over- and underflow, or come to a constant
    **dict.fromkeys(["exp", "expm1", "softplus", "sigmoid"], (-745.14, -708.4, -37.43, 36.74, 709.79)),
    "exp2": (-1075.0, -1022.0, 1024.0),
    **dict.fromkeys(["sinh", "cosh"], (-710.4759, 710.4759)),
    "tanh": (19.07,),
    "erf": (5.93,),
    "erfc": (-5.87, 26.55, 27.23),
}
NEAR = [0.0, 0.5, math.sqrt(0.5), 0.8, 1.0, math.sqrt(2), 1.5, 2.0, 10.0, math.log(2), math.log(2) / 2, math.e]
"""Where functions vanish, or their kernels go from one formula to another."""

SPECIAL = [
    *(0.0, SMALLEST, 2.0**-1022, 0.5, 1.0, 1.5, 2.0, 3.0, 2.0**53 - 1, 2.0**53, 1e300, LARGEST, math.inf, math.nan)
]
SPECIAL += [-x for x in SPECIAL]


@cache
def arguments(name: str) -> tuple[np.ndarray, ...]:
    """The whole range in logarithmic steps, where most work is done in linear ones, and near special points."""
    rng = np.random.default_rng(20)
    low, high = DOMAINS.get(name, (-LARGEST, LARGEST))
    if arity(name) == 2:
        return pairs(name, rng)
    multiples = np.rint(10 ** rng.uniform(0, 6, 100)) * (math.pi / 2)
    points = np.array(
        [*NEAR, *(-x for x in NEAR), *ENDS.get(name, []), *(multiples if name in vectors.PERIODIC else [])]
    )
    steps = rng.choice([0, 1, 2, 3, 5, 2**10, 2**20, 2**30, 2**40, 2**48], (4, len(points)))
    x = [
        sign(rng, 10 ** rng.uniform(-323.3, 308.25, 400)),
        sign(rng, 10 ** rng.uniform(-20, 3, 500)),
        rng.uniform(-4, 4, 300),
        rng.uniform(-40, 40, 300),
        rng.uniform(-800, 800, 300) if name in ENDS else rng.uniform(-1, 1, 300),
        ((points + 0.0).view(np.int64) + steps).view(float).ravel(),
        ((points + 0.0).view(np.int64) - steps * (points != 0)).view(float).ravel(),
        np.array([low, high, -SMALLEST, SMALLEST, LARGEST, -LARGEST]),
    ]
    flat = np.concatenate(x)
    return (flat[(flat >= low) & (flat <= high)],)


def pairs(name: str, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    wide = [sign(rng, 10 ** rng.uniform(-323.3, 308.25, 300)) for _ in range(2)]
    moderate = [sign(rng, 10 ** rng.uniform(-3, 3, 500)) for _ in range(2)]
    if name == "pow":
        wide[0], moderate[0] = abs(wide[0]), abs(moderate[0])
        full = rng.uniform(-745, 709, 500)  # logarithms of the result
        base = 10 ** rng.uniform(-300, 300, 500)
        near_one = 1 + sign(rng, 10 ** rng.uniform(-14, -0.1, 500))
        negative = -(10 ** rng.uniform(-3, 3, 200)), np.rint(rng.uniform(-60, 60, 200))
        others = [(base, full / np.log(base)), (near_one, full / np.log(near_one)), negative]
    elif name == "logaddexp":
        x = rng.uniform(-50, 50, 500)
        probability = -(10 ** rng.uniform(-18, 0, 300))
        near_one = probability, np.log(-np.expm1(probability)) * (1 + 10 ** rng.uniform(-15, -1, 300))
        others = [(x, x + sign(rng, 10 ** rng.uniform(-17, 2, 500))), (800 + x, 800 - x), (x, x), near_one]
    else:
        x = sign(rng, 10 ** rng.uniform(-290, 290, 500))
        others = [(x, x * 2 ** rng.uniform(-60, 60, 500)), (x, x * rng.uniform(-2, 2, 500)), (x, x)]
    return tuple(np.concatenate(part) for part in zip(wide, moderate, *others))


def sign(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return x * rng.choice([-1.0, 1.0], x.shape)


@cache
def reference(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The exact results, as sums of two numbers."""
    exact = (OF_ONE | OF_TWO)[name]
    parts = []
    with mpmath.workprec(180):
        for xs in zip(*(map(float, x) for x in arguments(name))):
            y = exact(*map(mpmath.mpf, xs))
            high = float(y)
            parts.append((high, float(y - high) if math.isfinite(high) else 0.0))
    high, low = np.array(parts).T
    return high, low


def errors(y: np.ndarray, exact: np.ndarray, low: np.ndarray | float, scale: np.ndarray) -> np.ndarray:
    """In units in the last place of a scale, commonly the exact result; infinite for another infinity or NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.where(y == exact, np.abs(low), np.abs((y - exact) - low)) / np.spacing(np.abs(scale))
    error = np.where(np.isinf(exact) & (y == exact), 0.0, error)
    return np.where(np.isnan(error), np.where(np.isnan(y) & np.isnan(exact), 0.0, np.inf), error)


def agree(y: np.ndarray, xs: tuple[np.ndarray, ...], error: np.ndarray) -> None:
    worst = int(np.argmax(error))
    assert error[worst] <= 2, f"{error[worst]} ULP in f({', '.join(repr(float(x[worst])) for x in xs)}) = {y[worst]!r}"


WAYS = [*((machine, None) for machine in RUNNABLE), (HERE, 1)]


@pytest.mark.parametrize(("machine", "lanes"), WAYS)
@pytest.mark.parametrize("name", [*OF_ONE, *OF_TWO])
def test_double_precision(name, machine, lanes):
    xs, (exact, low) = arguments(name), reference(name)
    y = function(name, "f64", lanes, machine)(*xs)
    agree(y, xs, errors(y, exact, low, exact))


@pytest.mark.parametrize(("machine", "lanes"), WAYS)
@pytest.mark.parametrize("name", [*OF_ONE, *OF_TWO])
def test_single_precision(name, machine, lanes):
    """Against double precision, which is as good as exact here."""
    with np.errstate(over="ignore", invalid="ignore"):
        xs = tuple(np.float32(x) for x in arguments(name))
        wide = tuple(x.astype(float) for x in xs)
        exact = function(name)(*wide)
        y = function(name, "f32", lanes, machine)(*xs)
        assert y.dtype == np.float32
        rounded = np.float32(exact)
        agree(y, xs, errors(y, rounded, np.where(np.isinf(rounded), 0.0, exact - rounded), rounded))


def numpys(name: str):
    """NumPy's function, or one with its special values."""
    return {
        "arcsin": np.arcsin,
        "pow": np.power,
        "erf": np.vectorize(math.erf, otypes=[float]),
        "erfc": np.vectorize(math.erfc, otypes=[float]),
        "softplus": lambda x: np.logaddexp(x, 0.0),
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    }.get(name) or getattr(np, name)


@pytest.mark.parametrize(("machine", "lanes"), WAYS)
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", vectors.KERNELS)
def test_special_values(name, dtype, machine, lanes):
    """Infinities, NaNs, zeros with their signs, and what is exact, are NumPy's."""
    kind = TYPES[dtype][1]
    with np.errstate(all="ignore"):
        points = np.array(SPECIAL).astype(kind)
        xs = [x.ravel() for x in np.meshgrid(*[points] * arity(name))]
        expected = numpys(name)(*xs).astype(kind)
    y = function(name, dtype, lanes, machine)(*xs)
    agree(y, tuple(xs), errors(y, expected, 0.0, expected) / (1 if name in vectors.EXACT else 2))
    assert not np.any((expected == 0) & (np.signbit(y) != np.signbit(expected)))


@pytest.mark.parametrize("machine", RUNNABLE)
def test_lanes_do_not_mix(machine):
    """A lane's result does not depend on its neighbours, also where one goes to libm."""
    x = np.array([0.3, 1e300, -2.5, 1e7, np.inf, 0.1, np.nan, -4e22] * 4)
    for name in ("sin", "cos", "tan", "exp", "log"):
        f = function(name, machine=machine)
        assert np.array_equal(f(x), [f(np.array([item] * 8))[0] for item in x], equal_nan=True)

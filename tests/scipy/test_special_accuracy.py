"""The derivatives of special functions against mpmath: function, argument, region, greatest relative error."""

from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import dotbar
import dotbar.scipy.special as sc


@dataclass
class Accuracy:
    """The derivative of ``fn`` by its argument number ``argument`` at points of a region, to a relative error."""

    fn: Any
    argument: int
    reference: Any
    points: list[tuple[float, ...]]
    error: float
    order: int = 1

    def __repr__(self) -> str:
        low, high = (tuple(f"{f(column):g}" for column in zip(*self.points)) for f in (min, max))
        return f"{self.fn.__name__}, {self.argument}, order {self.order}, from {low} to {high}, {self.error}"


def grid(*axes):
    return [tuple(map(float, p)) for p in zip(*(a.ravel() for a in np.meshgrid(*axes)))]


def normal_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def wofz(z):
    return mp.exp(-z * z) * mp.erfc(-1j * z)


def upper_gamma(a, x):
    return -mp.gammainc(a, x, mp.inf, regularized=True)


def lower_gamma(a, x):
    return mp.gammainc(a, 0, x, regularized=True)


def lower_beta(a, b, x):
    return mp.betainc(a, b, 0, x, regularized=True)


def upper_beta(a, b, x):
    return -mp.betainc(b, a, 0, 1 - x, regularized=True)


def student(v, t):
    return (
        t * mp.gamma((v + 1) / 2) / mp.gamma(v / 2) / mp.sqrt(mp.pi * v) * mp.hyp2f1(0.5, (v + 1) / 2, 1.5, -t * t / v)
    )


def poisson_mean(f, m):
    return mp.fsum(mp.exp(-m) * m**j / mp.factorial(j) * f(j) for j in range(60))


def chi_square(x, k, nc):
    return poisson_mean(lambda j: lower_gamma(k / 2 + j, x / 2), nc / 2)


def noncentral_f(n, d, nc, f):
    return poisson_mean(lambda j: lower_beta(n / 2 + j, d / 2, n * f / (d + n * f)), nc / 2)


def voigt(x, s, g):
    return mp.re(wofz((x + 1j * g) / (s * mp.sqrt(2)))) / (s * mp.sqrt(2 * mp.pi))


def quantile(p, shape):
    return (p**shape - (1 - p) ** shape) / shape


def inverse(f, place, guess):
    """The solution y of f(…, y, …) = x by Newton's method from SciPy's value."""

    def solve(*xs):
        at = lambda y: f(*xs[:place], y, *xs[place + 1 :]) - xs[place]
        return mp.findroot(at, mp.mpf(float(guess(*map(float, xs)))))

    return solve


low_tail = [(a, r * a) for a in (0.1, 2.5, 40.0) for r in (0.01, 0.5, 1.0)]
high_tail = [(a, r * a + 1) for a in (1e-3, 0.1, 2.5, 40.0) for r in (1.0, 2.0)]
beta_low = [(a, b, r * a / (a + b)) for a in (0.05, 1.0, 60.0) for b in (0.3, 4.0, 30.0) for r in (0.01, 0.9)]
beta_high = [(a, b, 1 - r * b / (a + b)) for a in (0.05, 1.0, 60.0) for b in (0.3, 4.0, 30.0) for r in (0.01, 0.9)]
away = grid([-7.5, -1.3, 0.4, 3.2], [0.3, 2.0], [0.2, 1.5])

TABLE = [
    Accuracy(sc.rgamma, 0, mp.rgamma, grid([-3.0, -2 + 1e-9, -0.3, 0.0, 0.5, 20.0]), 1e-14),
    Accuracy(sc.rgamma, 0, mp.rgamma, grid([-3.0, -2 + 1e-9, -0.3, 0.0, 20.0]), 1e-13, order=2),
    Accuracy(sc.psi, 0, mp.digamma, grid([-2.3, 1e-3, 0.7, 12.0, 1e5]), 1e-13),
    Accuracy(sc.poch, 0, mp.rf, grid([0.3, 4.0, 50.0], [0.5, 3.0, -0.2]), 1e-13),
    Accuracy(sc.poch, 0, mp.rf, [(-2.0, 1.0), (-2.0, 5.0), (-3.0, 0.5)], 1e-13),
    Accuracy(sc.betaln, 0, lambda a, b: mp.log(mp.beta(a, b)), grid([0.01, 2.0, 30.0, 1e6], [0.5, 1.3]), 1e-13),
    Accuracy(sc.binom, 0, mp.binomial, [(3.0, 5.0), (4.5, 2.0), (10.0, 3.5), (6.0, -1.0)], 1e-13),
    Accuracy(sc.binom, 1, mp.binomial, [(3.0, 5.0), (4.5, 2.0), (10.0, 3.5), (6.0, -1.0)], 1e-13),
    Accuracy(sc.zeta, 0, mp.zeta, grid([1.01, 2.0, 7.5, 40.0], [0.2, 1.0, 30.0]), 1e-13),
    Accuracy(sc.zeta, 0, mp.zeta, grid([1.5, 7.5], [0.2, 30.0]), 1e-13, order=2),
    Accuracy(sc.zeta, 0, mp.zeta, grid([-20.5, -4.0, -0.3, 0.0, 0.5, 3.0]), 1e-13),
    Accuracy(sc.gammainc, 0, lower_gamma, low_tail, 1e-13),
    Accuracy(sc.gammainc, 0, lower_gamma, low_tail, 1e-11, order=2),
    Accuracy(sc.gammainc, 0, upper_gamma, high_tail, 1e-13),
    Accuracy(sc.gammaincinv, 0, inverse(lower_gamma, 1, sc.gammaincinv), grid([0.3, 8.0], [0.01, 0.7]), 1e-12),
    *(Accuracy(sc.betainc, i, lower_beta, beta_low, 1e-12) for i in (0, 1)),
    *(Accuracy(sc.betainc, i, upper_beta, beta_high, 1e-12) for i in (0, 1)),
    Accuracy(sc.betainc, 0, lower_beta, beta_low[::3], 1e-11, order=2),
    Accuracy(sc.betaincinv, 0, inverse(lower_beta, 2, sc.betaincinv), grid([0.6, 8.0], [1.5], [0.1, 0.7]), 1e-12),
    Accuracy(sc.erfcx, 0, lambda x: mp.exp(x * x) * mp.erfc(x), grid([-3.0, 0.0, 2.0, 5.9, 6.1, 300.0]), 1e-13),
    Accuracy(sc.dawsn, 0, lambda x: mp.im(wofz(x)) * mp.sqrt(mp.pi) / 2, grid([-6.1, 0.3, 5.9, 40.0]), 1e-12),
    Accuracy(sc.log_ndtr, 0, lambda x: mp.log(normal_cdf(x)), grid([-100.0, -30.0, -3.0, 0.0, 8.0]), 1e-13),
    Accuracy(sc.log_ndtr, 0, lambda x: mp.log(normal_cdf(x)), grid([-100.0, -30.0, -3.0, 8.0]), 1e-12, order=2),
    *(Accuracy(sc.voigt_profile, i, voigt, away, 1e-12) for i in range(3)),
    *(Accuracy(sc.stdtr, i, student, grid([0.3, 3.0, 25.0, 1e5], [-2.0, 0.01, 1.4, 4.0]), 1e-13) for i in (0, 1)),
    Accuracy(sc.stdtr, 0, student, grid([0.3, 3.0, 25.0, 1e5], [-2.0, 0.01, 1.4, 4.0]), 1e-13, order=2),
    *(Accuracy(sc.chndtr, i, chi_square, grid([0.5, 6.0], [0.5, 4.0], [0.2, 5.0]), 1e-13) for i in range(3)),
    *(Accuracy(sc.ncfdtr, i, noncentral_f, grid([2.0, 9.0], [5.0], [0.2, 5.0], [0.4]), 1e-12) for i in range(4)),
    Accuracy(sc.ndtri_exp, 0, inverse(lambda y: mp.log(normal_cdf(y)), 0, sc.ndtri_exp), grid([-30.0, -0.1]), 1e-13),
    Accuracy(
        sc.stdtrit, 0, inverse(lambda v, t: student(v, t) + 0.5, 1, sc.stdtrit), grid([0.7, 30.0], [0.1, 0.6]), 1e-12
    ),
    Accuracy(sc.tklmbda, 1, inverse(quantile, 0, sc.tklmbda), grid([-1.3, 0.4], [-0.5, 0.2]), 1e-11),
    Accuracy(sc.boxcox, 1, lambda x, p: mp.expm1(p * mp.log(x)) / p, grid([0.01, 0.9, 30.0], [-2.0, 1e-9, 3.0]), 1e-13),
]


@pytest.mark.parametrize("row", TABLE, ids=repr)
def test_relative_error(row):
    xs = tuple(map(np.array, zip(*row.points)))
    i = row.argument

    def slope(x):
        return row.fn(*xs[:i], x, *xs[i + 1 :])

    for _ in range(row.order):
        slope = (lambda f: lambda x: dotbar.jvp(f, (x,), (np.ones_like(x),))[1])(slope)
    got = slope(xs[i])
    with mp.workdps(40):
        for value, point in zip(got, row.points):
            want = reference_slope(row, tuple(map(mp.mpf, point)))
            assert abs(value - want) <= row.error * abs(want), (point, value, float(want))


def reference_slope(row, point):
    i = row.argument
    return mp.diff(lambda x: row.reference(*point[:i], x, *point[i + 1 :]), point[i], row.order)

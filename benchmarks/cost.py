"""What a derivative costs beside the function: time and peak memory, of value and derivative over value alone.

    OPENBLAS_NUM_THREADS=1 python benchmarks/cost.py [linalg] [scipy] [cholesky] [elementwise] [largest n]

``linalg``: every rule of numpy.linalg on n × n matrices, with full cotangents and tangents, at growing n.  R alone
(qr, r) takes 4/3 n³ operations, its derivative the same for Q and 5 n³ for two products and a triangular solve: 5.75
times the value by count.  Reductions (norm, trace) read n² numbers, their gradients write as many.
``scipy``: factorisations, functions of matrices and matrix equations of scipy.linalg, likewise.  All eigenvalues of a
banded matrix have derivatives by all vectors, for which LAPACK takes n³ operations and for the values n² times the
number of bands; some of them by their own vectors, in n times the square of it each.
``cholesky``: the three reverse rules over n (the formula, Murray's unblocked sweep, and the sweep by halves
down to blocks of an order).
``elementwise``: gradient and Hessian-vector product of sums of elementwise functions, 10 to 10⁶ inputs, eager and
compiled, over the function in NumPy.
Times are minima over runs that take turns.  Memory is tracemalloc's peak above the inputs, in units of one
n × n matrix.
"""

import os
import sys
import timeit
import tracemalloc

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np

import dotbar
import dotbar.scipy.linalg as sl
from dotbar.linalg import matrix_function, polar, projector
from dotbar.rules import lapack_words as words
from dotbar.rules.words import sym

rng = np.random.default_rng(0)
LIMITS = {"eig": 500, "eigvals": 500}  # n beyond which a value takes seconds


def times(*calls, seconds=0.3):
    """The shortest time of each call, the calls taking turns."""
    once = sum(timeit.timeit(call, number=1) for call in calls)
    number = max(1, int(0.01 / once))
    rounds = max(3, min(50, int(seconds / (once * number))))
    best = [float("inf")] * len(calls)
    for _ in range(rounds):
        for k, call in enumerate(calls):
            best[k] = min(best[k], timeit.timeit(call, number=number) / number)
    return best


def peak(call):
    """The peak memory of a call in bytes."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def normal_like(y):
    """Random numbers in the form of a result."""
    if isinstance(y, tuple):
        return tuple(map(normal_like, y))
    t = rng.standard_normal(np.shape(y))
    return t.astype(np.result_type(y))


# ---------------------------------------------------------------- linear algebra


def linalg_rules(n):
    """Name, function and matrix of each row."""
    A = rng.standard_normal((n, n)) / np.sqrt(n) + np.eye(n)
    S = A @ A.T + np.eye(n)
    B, b = rng.standard_normal((n, n)), rng.standard_normal(n)
    la = np.linalg
    return {
        "det": (la.det, A),
        "slogdet": (lambda A: la.slogdet(A)[1], A),
        "inv": (la.inv, A),
        "solve, vector": (lambda A: la.solve(A, b), A),
        "solve, matrix": (lambda A: la.solve(A, B), A),
        "matrix_power 3": (lambda A: la.matrix_power(A, 3), A),
        "pinv": (la.pinv, A),
        "lstsq": (lambda A: la.lstsq(A, b)[0], A),
        "cholesky": (la.cholesky, S),
        "qr": (lambda A: tuple(la.qr(A)), A),
        "qr, r": (lambda A: la.qr(A, "r"), A),
        "eigh": (lambda S: tuple(la.eigh(S)), S),
        "eigvalsh": (la.eigvalsh, S),
        "eig": (lambda A: tuple(la.eig(A)), A),
        "eigvals": (la.eigvals, A),
        "svd": (lambda A: tuple(la.svd(A)), A),
        "svdvals": (la.svdvals, A),
        "cond": (la.cond, A),
        "norm": (la.norm, A),
        "norm, nuclear": (lambda A: la.norm(A, "nuc"), A),
        "norm, 2": (lambda A: la.norm(A, 2), A),
        "norm, 1": (lambda A: la.norm(A, 1), A),
        "trace": (np.trace, A),
        "matrix_function": (lambda S: matrix_function(np.log, S), S),
        "projector": (lambda S: projector(S, slice(n // 2)), S),
        "polar": (polar, A),
    }


def scipy_factorizations(n):
    """Name, function and matrix of each row, with results that do not depend on phases and bases."""
    B, M = rng.standard_normal((n, n)), rng.standard_normal((n, n))
    A, S, P = B / np.sqrt(n) + np.diag(np.linspace(1, 3, n)), sym(B), M @ M.T + n * np.eye(n)
    d, e, half = rng.standard_normal(n), rng.standard_normal(n - 1), n // 2
    bands = np.stack([np.eye(n)[1] * 0, rng.standard_normal(n), 10 + rng.standard_normal(n)])
    onto = lambda basis: lambda A: (lambda Q: Q @ Q.T)(basis(A))
    return {
        "cholesky, scipy": (sl.cholesky, P),
        "lu": (sl.lu, A),
        "lu_factor, solve": (lambda A: sl.lu_solve(sl.lu_factor(A), B), A),
        "ldl": (lambda S: sl.ldl(S)[:2], S),
        "qr, pivoting": (lambda A: sl.qr(A, mode="economic", pivoting=True)[:2], A),
        "qr_multiply": (lambda A: sl.qr_multiply(A, B), A),
        "rq": (sl.rq, A),
        "svd, scipy": (sl.svd, A),
        "orth": (onto(sl.orth), B[:, :half]),
        "null_space": (onto(sl.null_space), B[:half]),
        "subspace_angles": (lambda A: sl.subspace_angles(A, M[:, : n // 3]), B[:, :half]),
        "cossin": (lambda Q: sl.cossin(Q, half, half)[1], np.linalg.qr(B)[0]),
        "eig, generalized": (lambda A: sl.eig(A, P)[0], A),
        "eigh, scipy": (sl.eigh, S),
        "eigh, generalized": (lambda S: sl.eigh(S, P), S),
        "eigh, five": (lambda S: sl.eigh(S, subset_by_index=[0, 4]), S),
        "tridiagonal values": (lambda d: sl.eigvalsh_tridiagonal(d, e), d),
        "tridiagonal": (lambda d: sl.eigh_tridiagonal(d, e), d),
        "eig_banded": (sl.eig_banded, bands),
        "schur": (sl.schur, A),
        "hessenberg": (sl.hessenberg, A),
        "qz": (lambda A: sl.qz(A, P), A),
        "eigvals_banded": (sl.eigvals_banded, bands),
        "banded, five": (lambda bands: sl.eigvals_banded(bands, select="i", select_range=(0, 4)), bands),
        "tridiagonal, five": (lambda d: sl.eigh_tridiagonal(d, e, select="i", select_range=(0, 4)), d),
        "cholesky_banded": (sl.cholesky_banded, bands),
        "cho_solve_banded": (lambda bands: sl.cho_solve_banded((bands, False), d), bands),
        "matrix_balance": (lambda A: sl.matrix_balance(A)[0], A),
    }


def scipy_rules(n):
    """Name, function and matrix of each row."""
    A = rng.standard_normal((n, n)) / np.sqrt(n)
    S, G = A @ A.T + np.eye(n), A + 3 * np.eye(n)
    B, b, c = rng.standard_normal((n, 2)), rng.standard_normal(n), rng.standard_normal(n) + 2 * n * np.eye(n)[0]
    C, bands = rng.standard_normal((n, n)), np.array([[0.0], [6], [0]]) + rng.standard_normal((3, n))
    return {
        "expm": (sl.expm, 2 * A),
        "expm_frechet": (lambda A: sl.expm_frechet(A, C), 2 * A),
        "logm": (sl.logm, G),
        "sqrtm": (sl.sqrtm, G),
        "signm": (sl.signm, A),
        "cosm": (sl.cosm, A),
        "tanhm": (sl.tanhm, A),
        "funm": (lambda A: sl.funm(A, np.exp), A),
        "fractional_power": (lambda A: sl.fractional_matrix_power(A, 0.3), G),
        "solve": (lambda A: sl.solve(A, b), G),
        "solve, pos": (lambda A: sl.solve(A, b, assume_a="pos"), S),
        "inv": (sl.inv, G),
        "pinvh": (sl.pinvh, S),
        "solve_sylvester": (lambda A: sl.solve_sylvester(A, S, C), G),
        "lyapunov": (lambda A: sl.solve_continuous_lyapunov(A, C), G),
        "discrete_lyapunov": (lambda A: sl.solve_discrete_lyapunov(A, C), A / 2),
        "continuous_are": (lambda A: sl.solve_continuous_are(A, B, np.eye(n), np.eye(2)), A - np.eye(n)),
        "discrete_are": (lambda A: sl.solve_discrete_are(A, B, np.eye(n), np.eye(2)), A / 2),
        "procrustes": (lambda A: sl.orthogonal_procrustes(A, C), A),
        "solve_toeplitz": (lambda c: sl.solve_toeplitz(c, b), c),
        "solve_circulant": (lambda c: sl.solve_circulant(c, b), c),
        "solve_banded": (lambda bands: sl.solve_banded((1, 1), bands, b), bands),
        "solveh_banded": (lambda bands: sl.solveh_banded(bands, b), bands[:2]),
        "toeplitz": (sl.toeplitz, c),
        "hankel": (sl.hankel, c),
        "circulant": (sl.circulant, c),
        "companion": (sl.companion, c),
        "fiedler_companion": (sl.fiedler_companion, c),
        "leslie": (lambda c: sl.leslie(c, b[1:]), c),
        "fiedler": (sl.fiedler, c),
        "convolution_matrix": (lambda c: sl.convolution_matrix(c, n), c),
        "block_diag": (lambda C: sl.block_diag(C, A), C),
        "khatri_rao": (lambda b: sl.khatri_rao(C[:5], b), C[:5]),
    }


def compare(rules, sizes):
    print(f"{'':18}{'n':>6}{'value':>12}{'reverse':>9}{'forward':>9}   memory: value  reverse  forward")
    for name in rules(8):
        for n in sizes:
            if n > LIMITS.get(name, n):
                continue
            f, A = rules(n)[name]
            Adot, ybar = rng.standard_normal(A.shape), normal_like(f(A))
            if A.shape == (n, n):
                Adot = sym(Adot)
            calls = [lambda: f(A), lambda: dotbar.vjp(f, A)[1](ybar), lambda: dotbar.jvp(f, (A,), (Adot,))]  # noqa: B023
            value, reverse, forward = times(*calls)
            units = [peak(call) / A.nbytes for call in calls]
            print(
                f"{name:18}{n:6}{value * 1e3:9.2f} ms{reverse / value:9.2f}{forward / value:9.2f}"
                f"{units[0]:16.1f}{units[1]:9.1f}{units[2]:9.1f}",
                flush=True,
            )


def linalg(largest):
    compare(linalg_rules, [n for n in (50, 100, 200, 500, 1000, 2000) if n <= largest])


def scipy(largest):
    for rules in (scipy_factorizations, scipy_rules):
        compare(rules, [n for n in (20, 50, 100, 200) if n <= largest])


# ---------------------------------------------------------------- three reverse rules for Cholesky


def unblocked_bar(L, Lbar):
    """Murray (2016), the level-2 sweep over columns."""
    Abar = np.tril(Lbar)
    for j in range(len(L))[::-1]:
        Abar[j, j] -= L[j + 1 :, j] @ Abar[j + 1 :, j] / L[j, j]
        Abar[j:, j] /= L[j, j]
        Abar[j, :j] -= Abar[j:, j] @ L[j:, :j]
        Abar[j + 1 :, :j] -= np.outer(Abar[j + 1 :, j], L[j, :j])
        Abar[j, j] /= 2
    return sym(Abar)


def cholesky(largest):
    orders = (16, 32, 48, 64, 96, 128, 192)
    print("value and reverse over value: formula, unblocked, halved down to " + ", ".join(map(str, orders)))
    for n in (8, 16, 32, 64, 96, 128, 192, 256, 500, 1000, 2000):
        if n > largest:
            break
        G = rng.standard_normal((n, n))
        L, Lbar = np.linalg.cholesky(G @ G.T + n * np.eye(n)), np.tril(G)
        A = L @ L.T

        def halved(order):
            def call():
                words.BLOCK = order
                return words.cholesky_bar(L, Lbar)  # noqa: B023

            return call

        formula = lambda: words._symbolic_bar(L, Lbar)  # noqa: B023
        np.testing.assert_allclose(unblocked_bar(L, Lbar), formula(), atol=1e-9)
        plain = [lambda: np.linalg.cholesky(A), formula, lambda: unblocked_bar(L, Lbar)]  # noqa: B023
        value, *others = times(*plain, *map(halved, orders))
        print(f"{n:6}{value * 1e3:10.3f} ms  " + "".join(f"{1 + t / value:7.2f}" for t in others), flush=True)


# ---------------------------------------------------------------- elementwise functions


ELEMENTWISE = {
    "exp": lambda x: np.sum(np.exp(x)),
    "sin(x) exp(-x)": lambda x: np.sum(np.sin(x) * np.exp(-x)),
    "log(1 + x²)": lambda x: np.sum(np.log(1 + x * x)),
    "tanh": lambda x: np.sum(np.tanh(x)),
    "x³ / (1 + x)": lambda x: np.sum(x**3 / (1 + x)),
    "rosenbrock": lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
}


def elementwise(largest):
    print(f"{'':16}{'n':>9}{'value':>12}{'grad':>7}{'hvp':>7}{'jit: value':>13}{'grad':>7}{'hvp':>7}")
    for name, f in ELEMENTWISE.items():
        product = lambda x, v: dotbar.hvp(f, (x,), (v,))  # noqa: B023
        for n in (10, 100, 1000, 10_000, 100_000, 1_000_000):
            x, v = rng.uniform(0.5, 1.5, n), rng.standard_normal(n)
            compiled = [dotbar.jit(f), dotbar.jit(dotbar.grad(f)), dotbar.jit(product)]
            calls = [lambda: f(x), lambda: dotbar.grad(f)(x), lambda: product(x, v)]  # noqa: B023
            calls += [lambda g=g: g(x) for g in compiled[:2]] + [lambda: compiled[2](x, v)]  # noqa: B023
            value, *others = times(*calls)
            ratios = "".join(f"{t / value:{width}.2f}" for t, width in zip(others, (7, 7, 13, 7, 7)))
            print(f"{name:16}{n:9}{value * 1e6:9.1f} µs{ratios}", flush=True)


if __name__ == "__main__":
    parts = {part.__name__: part for part in (linalg, scipy, cholesky, elementwise)}
    limit = max([int(a) for a in sys.argv[1:] if a.isdigit()], default=2000)
    for part in [parts[a] for a in sys.argv[1:] if a in parts] or parts.values():
        part(limit)

"""Equations against dense ones, at awkward sizes, and where they have no solution."""

import numpy as np
import pytest
import scipy.linalg
from numpy.linalg import LinAlgError
from samples import cnormal, hpd, normal, spd

import dotbar
import dotbar.scipy.linalg as sl
from dotbar.errors import NoRuleError
from dotbar.rules.words import H, sym

A, B, C = normal(4, 4) + 3 * np.eye(4), normal(4, 2, seed=1), normal(4, 4, seed=2)


def same_derivatives(f, g, *xs, tol=1e-11):
    """Two ways to the same function have one value, one dot and one bar."""
    ts = [normal(*np.shape(x), seed=7) + 0 * x for x in xs]
    (y, dot), (want, other) = (dotbar.jvp(h, xs, ts) for h in (f, g))
    bars, others = (dotbar.vjp(h, *xs)[1](cnormal(*np.shape(y)) if y.dtype.kind == "c" else y + 1) for h in (f, g))
    for a, b in zip((y, dot, *bars), (want, other, *others)):
        assert a.dtype == b.dtype
        assert np.max(np.abs(a - b), initial=0) <= tol * (1 + np.max(np.abs(b), initial=0))


STRUCTURED = {
    "gen": lambda M: M,
    "diagonal": lambda M: M * np.eye(4),
    "tridiagonal": lambda M: np.tril(np.triu(M, -1), 1),
    "banded": lambda M: np.triu(M, -1),
    "upper triangular": np.triu,
    "lower triangular": np.tril,
    "sym": lambda M: (M + M.T) / 2,
    "her": sym,
    "pos": lambda M: M @ H(M) + np.eye(4),
}


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("name", STRUCTURED)
def test_structures(name, complex_, transposed):
    """With each structure the solution is that of the general matrix."""
    part, M, rhs = STRUCTURED[name], A + 1j * C * complex_ if complex_ else A, B + 1j * B * complex_ if complex_ else B
    turn = np.transpose if transposed else lambda M: M
    if transposed and complex_:
        with pytest.raises(NotImplementedError):
            scipy.linalg.solve(M, rhs, transposed=True)
    own = lambda M, b: sl.solve(part(M), b, assume_a=name, transposed=transposed)
    same_derivatives(own, lambda M, b: np.linalg.solve(turn(part(M)), b), M, rhs)
    if "assume_a" in scipy.linalg.inv.__doc__ and name in ("gen", "sym", "her", "pos", "diagonal"):
        same_derivatives(lambda M: sl.inv(part(M), assume_a=name), lambda M: np.linalg.inv(part(M)), M)


@pytest.mark.parametrize("name", ["upper triangular", "lower triangular", "diagonal", "tridiagonal"])
def test_entries_that_are_not_read_have_no_derivative(name):
    M = STRUCTURED[name](A)
    gradient = dotbar.grad(lambda M: np.sum(sl.solve(M, B, assume_a=name)))(M)
    assert np.array_equal(gradient, STRUCTURED[name](gradient))


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("name", ["pos", "her", "sym"])
def test_one_triangle_is_read(name, lower):
    """The gradient is that on symmetric matrices, whichever triangle is read."""
    M = spd(4)
    other = np.tril(M) if lower else np.triu(M)
    f = lambda M: np.sum(sl.solve(M, B, assume_a=name, lower=lower))
    assert np.isclose(f(other), f(M))
    want = dotbar.grad(lambda M: np.sum(np.linalg.solve(sym(M), B)))(M)
    assert np.allclose(dotbar.grad(f)(other), want)


@pytest.mark.parametrize("trans", [0, 1, 2, "N", "T", "C"])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("unit_diagonal", [False, True])
def test_triangular_systems(trans, lower, unit_diagonal):
    def dense(T, b):
        T = np.tril(T) if lower else np.triu(T)
        T = T - np.diag(np.diag(T)) + np.eye(4) if unit_diagonal else T
        return np.linalg.solve({0: T, "N": T, 1: T.T, "T": T.T}.get(trans, np.conj(T.T)), b)

    settings = {"trans": trans, "lower": lower, "unit_diagonal": unit_diagonal}
    same_derivatives(lambda T, b: sl.solve_triangular(T, b, **settings), dense, A + 1j * C, B[:, 0] + 1j)
    same_derivatives(lambda T, b: sl.solve_triangular(T, b, **settings), dense, A, B)


@pytest.mark.parametrize("driver", ["gelsd", "gelss", "gelsy"])
def test_least_squares_at_constant_rank(driver):
    F, G, b = normal(5, 2), normal(2, 3, seed=1), normal(5, seed=2)
    own = lambda F, G, b: sl.lstsq(F @ G, b, cond=1e-8, lapack_driver=driver)[0]
    same_derivatives(own, lambda F, G, b: np.linalg.pinv(F @ G, rtol=1e-8) @ b, F, G, b, tol=1e-9)


def test_columns_that_are_dropped_by_their_pivots_refuse():
    A = np.linalg.qr(normal(5, 3))[0] * [1.0, 0.5, 0.01] @ np.linalg.qr(normal(3, 3, seed=1))[0]
    f = lambda A, driver: np.sum(sl.lstsq(A, np.ones(5), cond=0.1, lapack_driver=driver)[0])
    with pytest.raises(NoRuleError, match="gelsd and gelss drop singular values"):
        dotbar.grad(lambda A: f(A, "gelsy"))(A)
    dotbar.check_grads(lambda A: f(A, "gelsd"))(A)


def test_pseudo_inverses_with_their_rank():
    F = normal(4, 2)
    Y, rank = sl.pinv(F @ F.T, rtol=1e-8, return_rank=True)
    (_, rank), (Ydot, _) = dotbar.jvp(lambda F: sl.pinv(F @ F.T, rtol=1e-8, return_rank=True), (F,), (F,))
    assert rank == 2
    assert np.allclose(Ydot, -2 * Y)
    same_derivatives(lambda F: sl.pinvh(F @ F.T, rtol=1e-8), lambda F: sl.pinv(F @ F.T, rtol=1e-8), F, tol=1e-9)


def test_procrustes_at_repeated_singular_values():
    """R is the polar factor; at A = B it is the identity, and Ṙ the skew part of the difference."""
    Q, X = np.linalg.qr(normal(4, 4))[0], normal(4, 4, seed=1)
    (R, scale), (Rdot, _) = dotbar.jvp(lambda B: sl.orthogonal_procrustes(Q, B), (Q,), (Q @ X,))
    assert np.allclose(R, np.eye(4))
    assert np.isclose(scale, 4)
    assert np.allclose(Rdot, (X - X.T) / 2)


# ---------------------------------------------------------------- Sylvester, Lyapunov, Riccati


def by_kronecker(a, b, q):
    n, m = q.shape
    return np.linalg.solve(np.kron(a, np.eye(m)) + np.kron(np.eye(n), b.T), q.ravel()).reshape(n, m)


@pytest.mark.parametrize("turn", [lambda x: x, lambda x: x * (1 + 0.3j)])
def test_sylvester(turn):
    a, b, q = turn(A), turn(normal(2, 2)), turn(B)
    same_derivatives(sl.solve_sylvester, by_kronecker, a, b, q)
    same_derivatives(sl.solve_continuous_lyapunov, lambda a, q: by_kronecker(a, H(a), q), a, turn(C))
    power = lambda a, q: sum(np.linalg.matrix_power(a, k) @ q @ H(np.linalg.matrix_power(a, k)) for k in range(60))
    same_derivatives(sl.solve_discrete_lyapunov, power, turn(C) / 6, turn(A))
    same_derivatives(
        lambda a, q: sl.solve_discrete_lyapunov(a, q, method="bilinear"),
        lambda a, q: sl.solve_discrete_lyapunov(a, q, method="direct"),
        a,
        turn(C),
    )


def test_sylvester_of_defective_matrices():
    J = 2 * np.eye(4) + np.eye(4, k=1)
    same_derivatives(sl.solve_sylvester, by_kronecker, J, J, C)


@pytest.mark.parametrize("f", [sl.solve_sylvester, sl.solve_continuous_lyapunov])
def test_sylvester_with_large_solutions(f):
    """LAPACK solves A X + X B = scale C, to keep X from overflow."""
    a = np.array([[5e-291]])
    one = lambda q: f(a, a, q) if f is sl.solve_sylvester else f(a, q)
    assert np.allclose(dotbar.jvp(one, (np.eye(1),), (1e3 * np.eye(1),))[1], 1e293)
    assert np.allclose(dotbar.grad(lambda q: 1e3 * one(q)[0, 0])(np.eye(1)), 1e293)


def test_sylvester_without_a_solution():
    """The value is that of a perturbed equation, as SciPy has it, which has no derivative."""
    a, b, q = np.diag([1.0, 2]), np.diag([-2.0, 3]), np.ones((2, 2))
    value, (abar, bbar, qbar) = dotbar.value_and_grad(lambda *xs: np.sum(sl.solve_sylvester(*xs)), (0, 1, 2))(a, b, q)
    assert value == np.sum(scipy.linalg.solve_sylvester(a, b, q))
    assert np.all(np.isnan(abar) & np.isnan(bbar) & np.isnan(qbar))


@pytest.mark.parametrize("f", [sl.solve_continuous_are, sl.solve_discrete_are])
@pytest.mark.parametrize("make", [(normal, spd), (cnormal, hpd)])
@pytest.mark.parametrize("others", [(), ("e",), ("s",), ("e", "s")])
def test_riccati(f, make, others):
    """The derivative along the parameters keeps the residual zero.  (SciPy's balancing forgets E.)"""
    normal, definite = make
    n, m = 5, 2
    a, b, q, r = normal(n, n), normal(n, m, seed=1), definite(n), definite(m)
    more = {"e": np.eye(n) + normal(n, n, seed=3) / 9, "s": normal(n, m, seed=4) / 9}
    names = [*others]

    def solution(a, b, q, r, *given):
        return f(a, b, sym(q), sym(r), **dict(zip(names, given)), balanced="e" not in names)

    def residual(X, a, b, q, r, *given):
        e, s = (dict(zip(names, given)).get(k, default) for k, default in (("e", np.eye(n)), ("s", np.zeros((n, m)))))
        q, r = sym(q), sym(r)
        if f is sl.solve_continuous_are:
            L = H(e) @ X @ b + s
            return H(e) @ X @ a + H(a) @ X @ e - L @ np.linalg.solve(r, H(L)) + q
        L = H(a) @ X @ b + s
        return H(a) @ X @ a - H(e) @ X @ e - L @ np.linalg.solve(r + H(b) @ X @ b, H(L)) + q

    xs = [a, b, q, r, *(more[k] for k in names)]
    ts = [normal(*x.shape, seed=9) for x in xs]
    X, Xdot = dotbar.jvp(solution, xs, ts)
    zero, dot = dotbar.jvp(lambda *xs: residual(solution(*xs), *xs), xs, ts)
    assert np.max(np.abs(zero)) < 1e-10 * np.max(np.abs(X))
    assert np.max(np.abs(dot)) < 1e-9 * np.max(np.abs(Xdot))
    assert np.allclose(Xdot, H(Xdot))


# ---------------------------------------------------------------- structured systems


def dense_band(ab, below, above):
    n = ab.shape[1]
    return sum(np.diag(ab[above - d, max(d, 0) : n + min(d, 0)], d) for d in range(-below, above + 1) if abs(d) < n)


@pytest.mark.parametrize("bands", [(0, 0), (1, 1), (2, 1), (0, 3), (4, 2)])
@pytest.mark.parametrize("turn", [lambda x: x, lambda x: x * (1 + 0.3j)])
def test_banded(bands, turn):
    below, above = bands
    ab = normal(below + above + 1, 5)
    ab[above] += 6
    own = lambda ab, b: sl.solve_banded(bands, ab, b)
    for b in (turn(normal(5)), turn(normal(5, 2))):
        same_derivatives(own, lambda ab, b: np.linalg.solve(dense_band(ab, below, above), b), turn(ab), b)


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("u", [0, 1, 2, 4])
@pytest.mark.parametrize("make", [normal, cnormal])
def test_hermitian_banded(u, lower, make):
    ab = make(u + 1, 5) / (u + 1)
    ab[0 if lower else u] += 5

    own = lambda ab, b: sl.solveh_banded(ab, b, lower=lower)
    same_derivatives(own, lambda ab, b: dense_hermitian(ab, b, u, lower), ab, make(5, 2))


def dense_hermitian(ab, b, u, lower):
    T = dense_band(ab, u, 0) if lower else dense_band(ab, 0, u)
    off = T - np.diag(np.diag(T))
    return np.linalg.solve(off + H(off) + np.diag(np.real(np.diag(T))), b)


@pytest.mark.parametrize("make", [normal, cnormal])
def test_toeplitz(make):
    c, r, x = make(4) + 4 * np.eye(4)[0], make(4, seed=1), make(4, 2, seed=2)
    same_derivatives(lambda c, x: sl.solve_toeplitz(c, x), lambda c, x: np.linalg.solve(sl.toeplitz(c), x), c, x)
    pairs = lambda f: lambda c, r, x: f((c, r), x)
    same_derivatives(pairs(sl.solve_toeplitz), lambda c, r, x: np.linalg.solve(sl.toeplitz(c, r), x), c, r, x)
    same_derivatives(pairs(sl.matmul_toeplitz), lambda c, r, x: sl.toeplitz(c, r) @ x, c, make(3), make(3, 2))
    same_derivatives(sl.solve_circulant, lambda c, x: np.linalg.solve(sl.circulant(c), x), c, x)


def test_singular_circulant():
    """By least squares: the derivative is that of the pseudo-inverse, on circulant matrices of the same rank."""
    c, b = np.array([1.0, 2.0, 3.0, 2.0]), normal(4)
    x = sl.solve_circulant(c, b, singular="lstsq")
    assert np.isclose(np.sum(x * np.array([1, -1, 1, -1])), 0) or np.linalg.matrix_rank(sl.circulant(c)) == 4
    own = lambda s, b: sl.solve_circulant(s * c, b, singular="lstsq")
    same_derivatives(own, lambda s, b: np.linalg.pinv(s * sl.circulant(c), rtol=1e-8) @ b, 2.0, b)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 5), (5, 3), (4, 4), (2, 1)])
def test_convolution_matrix(m, n, mode):
    a, v = normal(m), normal(n, seed=1)
    same_derivatives(lambda a: sl.convolution_matrix(a, n, mode) @ v, lambda a: np.convolve(a, v, mode), a)


# ---------------------------------------------------------------- no solution, no rows


@pytest.mark.parametrize(
    "f",
    [
        lambda M: sl.solve(M, B),
        sl.inv,
        lambda M: sl.solve_triangular(M, B),
        lambda M: sl.solve_toeplitz(M[0], B),
        lambda M: sl.solve_circulant(M[0], B),
        lambda M: sl.solve_banded((1, 1), M[:3], B),
        lambda M: sl.solveh_banded(M[:3], B),
        lambda M: sl.solve_discrete_lyapunov(M + np.eye(4), C),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")  # SciPy 1.16 divides before it looks
def test_singular(f):
    zero = np.zeros((4, 4))
    for call in (f, dotbar.grad(lambda M: np.sum(f(M))), lambda M: dotbar.jvp(f, (M,), (M,))):
        with pytest.raises(LinAlgError):
            call(zero)


@pytest.mark.parametrize(
    "f",
    [
        *(sl.inv, sl.det, sl.pinv, sl.pinvh, sl.norm, lambda M: sl.solve(M, np.ones((0, 2)))),
        *(lambda M: sl.solve_sylvester(M, M, M), lambda M: sl.solve_continuous_lyapunov(M, M)),
        *(lambda M: sl.block_diag(M, M), lambda M: sl.khatri_rao(M, M), lambda M: sl.solve_triangular(M, M)),
        *(lambda M, f=f: f(np.ravel(M)) for f in (sl.toeplitz, sl.circulant, sl.hankel, sl.fiedler)),
        *(lambda M, f=f: f(np.ravel(M), np.ravel(M)) for f in (sl.solve_toeplitz, sl.matmul_toeplitz)),
        *(lambda M, k=k: sl.norm(M, k) for k in (1, 2, np.inf, "nuc")),
        *(lambda M: sl.norm(np.ravel(M), np.inf), lambda M: sl.ldl(M)[0], lambda M: sl.lu(np.reshape(M, (0, 3, 3)))[2]),
        lambda M: sl.solve_circulant(np.ravel(M), np.ravel(M)),
        lambda M: sl.solveh_banded(np.reshape(M, (1, 0)), np.ravel(M)),
        lambda M: sl.cholesky_banded(np.reshape(M, (1, 0))),
        lambda M: sl.cho_solve_banded((np.reshape(M, (1, 0)), True), np.ravel(M)),
    ],
)
def test_without_rows(f):
    empty = np.zeros((0, 0))
    if f(np.zeros((0, 0))) is not None:
        assert dotbar.grad(lambda M: np.sum(f(M)))(empty).shape == (0, 0)


@pytest.mark.parametrize("f", [sl.companion, sl.fiedler_companion])
def test_the_leading_coefficient_may_not_vanish(f):
    for call in (f, dotbar.grad(lambda a: np.sum(f(a)))):
        with pytest.raises(ValueError, match="zero"):
            call(np.array([0.0, 1.0, 2.0, 3.0]))


def test_repeated_entries_of_fiedler():
    assert np.array_equal(dotbar.grad(lambda a: np.sum(sl.fiedler(a)))(np.array([1.0, 1.0, 2.0])), [-2, -2, 4])


def test_structure_is_not_differentiated():
    M = spd(3)
    assert dotbar.grad(lambda M: np.sum(M) * sl.issymmetric(M) * sl.bandwidth(M)[0] * sl.ishermitian(M))(M).shape == (
        3,
        3,
    )


@pytest.mark.parametrize(
    "f",
    [
        lambda M, **kw: sl.solve(M, B, **kw),
        lambda M, **kw: sl.solve_triangular(M, B, **kw),
        lambda M, **kw: sl.solve_toeplitz(M[0], B, **kw),
        lambda M, **kw: sl.solve_banded((1, 1), M[:3], B, **kw),
        lambda M, **kw: sl.solveh_banded(np.abs(M[:1]), B, **kw),
        lambda M, **kw: sl.matmul_toeplitz(M[0], B, **{"check_finite": True, **kw}),
        lambda M, **kw: sl.orthogonal_procrustes(M, A, **kw)[0],
        lambda M, **kw: sl.expm_frechet(M, A, **kw)[1],
        *(sl.inv, sl.det, sl.norm, sl.pinv, sl.pinvh, sl.expm_cond),
    ],
)
def test_what_is_not_finite_is_refused(f):
    bad = A * np.where(np.arange(4), 1, np.nan)
    for call in (f, dotbar.grad(lambda M: np.sum(f(M)))):
        with pytest.raises(ValueError, match="must not contain infs or NaNs"):
            call(bad)
    good = dotbar.grad(lambda M: np.sum(f(M, check_finite=False)))(A @ A.T)
    assert np.all(np.isfinite(good))


@pytest.mark.parametrize(
    "f",
    [
        *(lambda m, x, name=name: getattr(m, name)(x, np.ones(3)) for name in ("solve", "solve_triangular")),
        lambda m, x: m.cho_solve((x, True), np.ones(3)),
        lambda m, x: m.cho_solve_banded((x, True), np.ones(3)),
        lambda m, x: m.lu_solve((x, np.arange(2)), np.ones(3)),
        lambda m, x: m.solve_banded((1, 0), x, np.ones(3)),
        lambda m, x: m.solveh_banded(x, np.ones(3), lower=True),
        lambda m, x: m.solve_toeplitz(x[0], np.ones(3)),
        lambda m, x: m.matmul_toeplitz(x[0], np.ones(3)),
        lambda m, x: m.pinvh(x[:1]),
        lambda m, x: m.eigh(x, np.eye(3)),
        lambda m, x: m.eigh(x, np.eye(2), type=4),
        lambda m, x: m.eigh(x, np.eye(2), driver="ev"),
        lambda m, x: m.svd(x, compute_uv=False, lapack_driver="other"),
        lambda m, x: m.qr(x, mode="other"),
        lambda m, x: m.qr_multiply(x, x, "other"),
        lambda m, x: m.expm_frechet(x, x, method="other"),
    ],
)
def test_what_scipy_refuses_is_refused(f):
    x = np.array([[3.0, 1], [1, 2]])
    for call in (
        lambda x: f(scipy.linalg, x),
        lambda x: dotbar.vjp(lambda x: f(sl, x), x),
        lambda x: dotbar.jvp(lambda x: f(sl, x), (x,), (x,)),
    ):
        with pytest.raises((ValueError, TypeError)):
            call(x)


@pytest.mark.parametrize("make", [normal, cnormal])
@pytest.mark.parametrize(
    "f",
    [
        lambda A, b: sl.pinv(A, rtol=0.6),
        lambda A, b: sl.pinvh(A.T.conj() @ A, rtol=0.4),
        lambda A, b: np.linalg.pinv(A, 0.6),
        lambda A, b: sl.lstsq(A, b, cond=0.6)[0],
        lambda A, b: np.linalg.lstsq(A, b, rcond=0.6)[0],
    ],
)
def test_inverses_without_smaller_singular_values(f, make):
    """Those that are dropped are not zero, and count in the derivative of the vectors of the others."""
    A, E, b = make(4, 3), make(4, 3, seed=1), make(4, 2, seed=2)
    assert 0 < np.linalg.matrix_rank(f(A, b)) < 3
    h = 1e-6
    want = (f(A + h * E, b) - f(A - h * E, b)) / (2 * h)
    y, dot = dotbar.jvp(lambda A: f(A, b), (A,), (E,))
    np.testing.assert_allclose(dot, want, atol=1e-7)
    ybar = make(*y.shape, seed=3)
    (bar,) = dotbar.vjp(lambda A: f(A, b), A)[1](ybar)
    np.testing.assert_allclose(np.vdot(bar, E).real, np.vdot(ybar, dot).real)

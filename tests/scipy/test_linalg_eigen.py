"""Eigenproblems of scipy.linalg: what does not depend on signs, phases and bases, repeated values, errors."""

import numpy as np
import pytest
import scipy.linalg
from samples import cnormal, hpd, normal, spd

import dotbar
import dotbar.scipy.linalg as sl
from dotbar.errors import DegenerateSpectrumError, NoRuleError
from dotbar.rules.words import H, sym

real_or_complex = pytest.mark.parametrize("make", [normal, cnormal], ids=["real", "complex"])


def definite(make, n):
    return (spd if make is normal else hpd)(n)


def inner(a, b):
    return np.real(np.vdot(a, b))


def assert_derivatives(f, A, E, dot, atol=1e-10):
    """The dot of f along E, and its bar along it."""
    y, got = dotbar.jvp(f, (A,), (E,))
    np.testing.assert_allclose(got, dot, atol=atol)
    ybar = np.random.default_rng(4).standard_normal(y.shape).astype(y.dtype)
    np.testing.assert_allclose(inner(dotbar.vjp(f, A)[1](ybar)[0], E), inner(ybar, dot), rtol=1e-9, atol=atol)


# ---------------------------------------------------------------- the factors multiply to the matrix


def from_left(A):
    w, L = sl.eig(A, left=True, right=False)
    return np.linalg.inv(H(L)) @ (w[:, None] * H(L))


def from_pencil(A):
    B = definite(cnormal if A.dtype.kind == "c" else normal, len(A))
    w, L, R = sl.eig(A, B, left=True)
    return B @ (R * w / np.sum(np.conj(L) * (B @ R), 0)) @ H(L) @ B


def from_complex_schur(A):
    T, Z = sl.schur(A) if A.dtype.kind == "c" else sl.rsf2csf(*sl.schur(A))
    return Z @ T @ H(Z)


def from_qz(A, **kw):
    B = definite(cnormal if A.dtype.kind == "c" else normal, len(A))
    S, _, Q, Z = sl.qz(A, B, **kw)
    return Q @ S @ H(Z)


def from_ordqz(A, **kw):
    S, _, _, _, Q, Z = sl.ordqz(A, A @ A + 9 * np.eye(len(A)), **kw)
    return Q @ S @ H(Z)


REBUILT = {
    "eig": lambda A: (lambda w, V: (V * w) @ np.linalg.inv(V))(*sl.eig(A)),
    "eig left": from_left,
    "eig generalized": from_pencil,
    "schur": lambda A: (lambda T, Z: Z @ T @ H(Z))(*sl.schur(A)),
    "schur complex": lambda A: (lambda T, Z: Z @ T @ H(Z))(*sl.schur(A, output="complex")),
    "schur sorted": lambda A: (lambda T, Z, count: Z @ T @ H(Z))(*sl.schur(A, sort="rhp")),
    "rsf2csf": from_complex_schur,
    "hessenberg": lambda A: (lambda T, Q: Q @ T @ H(Q))(*sl.hessenberg(A, calc_q=True)),
    "qz": from_qz,
    "qz complex": lambda A: from_qz(A, output="complex"),
    "ordqz": from_ordqz,
    "matrix_balance": lambda A: (lambda B, T: T @ B @ np.linalg.inv(T))(*sl.matrix_balance(A)),
}


@pytest.mark.parametrize("name", REBUILT)
@pytest.mark.parametrize("n", [1, 2, 3, 8, 19])
@real_or_complex
def test_the_factors_multiply_to_the_matrix(name, n, make):
    A, E = make(n, n), make(n, n, seed=3)
    np.testing.assert_allclose(REBUILT[name](A), A, atol=1e-11)
    assert_derivatives(REBUILT[name], A, E, E, 1e-8)


def test_the_second_matrix_of_a_pencil():
    A, B, E = normal(6, 6), normal(6, 6, seed=2), normal(6, 6, seed=3)
    assert_derivatives(lambda B: (lambda S, T, Q, Z: Q @ T @ H(Z))(*sl.qz(A, B)), B, E, E)
    assert_derivatives(lambda B: (lambda S, T, Q, Z: Q @ S @ H(Z))(*sl.qz(A, B)), B, E, 0 * E)
    values = lambda B: np.sum(sl.eigvals(A, B) ** 2).real
    trace = lambda B: np.trace(np.linalg.matrix_power(np.linalg.solve(B, A), 2))
    np.testing.assert_allclose(dotbar.grad(values)(B), dotbar.grad(trace)(B), rtol=1e-8)


HERMITIAN = {
    "eigh": lambda A: (lambda w, V: (V * w) @ H(V))(*sl.eigh(A)),
    "eigh upper": lambda A: (lambda w, V: (V * w) @ H(V))(*sl.eigh(A, lower=False, driver="evx")),
    "eigh subsets": lambda A: sum(
        (lambda w, V: (V * w) @ H(V))(*sl.eigh(A, subset_by_index=part)) for part in ([0, 2], [3, len(A) - 1])
    ),
    "eigh by value": lambda A: sum(
        (lambda w, V: (V * w) @ H(V))(*sl.eigh(A, subset_by_value=part)) for part in ([-np.inf, 0], [0, np.inf])
    ),
    "schur": lambda A: (lambda T, Z: Z @ T @ H(Z))(*sl.schur(A)),
}


@pytest.mark.parametrize("name", HERMITIAN)
@real_or_complex
def test_the_factors_multiply_to_the_hermitian_matrix(name, make):
    A, E = sym(make(7, 7)), sym(make(7, 7, seed=3))
    assert_derivatives(HERMITIAN[name], A, E, E)


@pytest.mark.parametrize("type", [1, 2, 3])
@pytest.mark.parametrize("lower", [True, False])
@real_or_complex
def test_generalized_eigh(type, lower, make):
    """The other triangles are not read, and functions of the pair come out, with respect to both."""
    A, B, E = sym(make(5, 5)), definite(make, 5), sym(make(5, 5, seed=3))
    triangle = np.tril if lower else np.triu

    def rebuilt(A, B):
        w, V = sl.eigh(triangle(A), triangle(B), type=type, lower=lower)
        W = np.linalg.inv(V)
        return (V * w) @ H(V) if type == 2 else H(W) @ (w[:, None] * W), V @ H(V) if type == 3 else H(W) @ W

    np.testing.assert_allclose(rebuilt(A, B), (A, B), atol=1e-11)
    E2 = triangle(2 * E) - E * np.eye(5)  # of which the Hermitian part is E: the other triangle is not read
    for k in range(2):
        assert_derivatives(lambda A, k=k: rebuilt(A, B)[k], A, E2, (1 - k) * E)
        assert_derivatives(lambda B, k=k: rebuilt(A, B)[k], B, E2, k * E)


def hermitian_band(ab, lower):
    u, n = len(ab) - 1, ab.shape[1]
    beside = sum(np.diag(ab[k, : n - k] if lower else np.conj(ab[u - k, k:]), -k) for k in range(1, u + 1))
    return np.diag(np.real(ab[0 if lower else u])) + beside + H(beside)


@pytest.mark.parametrize("lower", [True, False])
@real_or_complex
def test_bands(lower, make):
    ab, E = make(3, 7), make(3, 7, seed=3)
    w = lambda ab: sl.eigvals_banded(ab, lower=lower)
    dense = lambda ab: np.linalg.eigvalsh(hermitian_band(ab, lower))
    np.testing.assert_allclose(w(ab), dense(ab), atol=1e-12)
    assert_derivatives(w, ab, E, dotbar.jvp(dense, (ab,), (E,))[1])
    rebuilt = lambda ab: (lambda w, V: (V * w) @ H(V))(*sl.eig_banded(ab, lower=lower))
    assert_derivatives(rebuilt, ab, E, dotbar.jvp(lambda ab: hermitian_band(ab, lower), (ab,), (E,))[1])
    for select, select_range in (("i", (2, 4)), ("v", (-0.5, 3.0))):
        part = {"lower": lower, "select": select, "select_range": select_range}
        values = scipy.linalg.eigvals_banded(ab, **part)
        first = int(np.argmin(np.abs(w(ab) - values[0])))
        some = lambda ab: np.linalg.eigvalsh(hermitian_band(ab, lower))[first : first + len(values)]  # noqa: B023
        assert_derivatives(lambda ab: sl.eigvals_banded(ab, **part), ab, E, dotbar.jvp(some, (ab,), (E,))[1])  # noqa: B023
        onto = lambda ab: (lambda w, V: (V * w) @ H(V))(*sl.eig_banded(ab, **part))  # noqa: B023
        chosen = slice(first, first + len(values))
        dense = lambda ab: (lambda w, V: (V[:, chosen] * w[chosen]) @ H(V[:, chosen]))(  # noqa: B023
            *np.linalg.eigh(hermitian_band(ab, lower))
        )
        assert_derivatives(onto, ab, E, dotbar.jvp(dense, (ab,), (E,))[1])


@pytest.mark.parametrize("u", [0, 1, 2])
@real_or_complex
def test_banded_vectors_by_equations(u, make, monkeypatch):
    """As by all vectors: the products with functions of the matrix."""
    ab, E = make(u + 1, 9), make(u + 1, 9, seed=3)
    ab[0] += np.arange(9)
    f = lambda ab: (lambda w, V: (V * np.cos(w)) @ H(V) + np.real(V * np.conj(V)))(*sl.eig_banded(ab, lower=True))
    want = dotbar.jvp(f, (ab,), (E,))[1]
    monkeypatch.setattr("dotbar.scipy.linalg.eigen.SMALL", 0)
    assert_derivatives(f, ab, E, want)


@pytest.mark.parametrize("select_range", [(0, 0), (1, 1), (1, 2), (2, 3)])
def test_a_range_that_cuts_repeated_values(select_range):
    """The values have the derivative that they have among all."""
    d, e, some = np.array([1.0, 2, 2, 2, 5]), np.zeros(4), {"select": "i", "select_range": select_range}
    part = slice(select_range[0], select_range[1] + 1)
    want = dotbar.grad(lambda d, e: np.sum(sl.eigvalsh_tridiagonal(d, e)[part]), (0, 1))(d, e)
    for f in (
        lambda d, e: sl.eigvalsh_tridiagonal(d, e, **some),
        lambda d, e: sl.eigh_tridiagonal(d, e, **some)[0],
        lambda d, e: sl.eigvals_banded(np.stack([d, np.concatenate([e, e[:1]])]), lower=True, **some),
    ):
        for got, expected in zip(dotbar.grad(lambda d, e: np.sum(f(d, e)), (0, 1))(d, e), want):  # noqa: B023
            np.testing.assert_allclose(got, expected, atol=1e-12)


# ---------------------------------------------------------------- what the rules assume of LAPACK


@pytest.mark.parametrize("n", [2, 3, 40])
def test_the_entries_that_lapack_makes_real(n):
    """The first coordinate of Hermitian eigenvectors (the last from the upper triangle), H and T below the diagonal."""
    A, B = cnormal(n, n), cnormal(n, n, seed=2)
    real = [scipy.linalg.eigh(A, driver=driver)[1][0] for driver in ("ev", "evd", "evr", "evx")]
    real += [scipy.linalg.eigh(A, driver=driver, lower=False)[1][-1] for driver in ("ev", "evd", "evr", "evx")]
    real += [scipy.linalg.eig_banded(A[:2], lower=lower)[1][0] for lower in (True, False)]
    if n > 2:
        real += [np.diagonal(scipy.linalg.hessenberg(A), -1)]
    real += [np.diagonal(scipy.linalg.qz(A, B)[1])]
    for entries in real:
        np.testing.assert_array_less(np.abs(entries.imag), 1e-13)


def test_standard_blocks_of_the_real_forms():
    A, B = normal(40, 40), normal(40, 40, seed=2)
    T, (S, P, _, _) = scipy.linalg.schur(A)[0], scipy.linalg.qz(A, B)
    i = np.flatnonzero(np.diagonal(T, -1))
    assert len(i)
    np.testing.assert_allclose(T[i, i], T[i + 1, i + 1], atol=1e-13)
    k = np.flatnonzero(np.diagonal(S, -1))
    np.testing.assert_allclose(P[k, k + 1], 0, atol=1e-13)
    assert np.all(np.diagonal(P) >= 0)


# ---------------------------------------------------------------- repeated values


AVERAGED = {
    "eigvalsh": (sl.eigvalsh, np.eye(3)),
    "eigvals": (lambda A: np.real(sl.eigvals(A)), np.eye(3)),
    "eigvalsh generalized": (lambda A: sl.eigvalsh(A, spd(3)), spd(3)),
    "eigvals generalized": (lambda A: np.real(sl.eigvals(A, spd(3))), spd(3)),
    "eigvals_banded": (lambda A: sl.eigvals_banded(np.stack([np.diagonal(A), 0 * A[0]]), lower=True), np.eye(3)),
    "eigh_tridiagonal": (lambda A: sl.eigvalsh_tridiagonal(np.diagonal(A), np.diagonal(A, 1)), np.eye(3)),
    "svdvals": (sl.svdvals, np.eye(3)),
}


@pytest.mark.parametrize("name", AVERAGED)
def test_repeated_values_have_the_average(name):
    f, A = AVERAGED[name]
    E = sym(normal(3, 3))
    dot = dotbar.jvp(f, (A,), (E,))[1]
    total = dotbar.jvp(lambda A: np.sum(f(A + 1e-3 * np.diag([0.0, 1, 2]))), (A,), (E,))[1]
    np.testing.assert_allclose(dot, np.full(3, total / 3), rtol=1e-2)
    g = dotbar.vjp(f, A)[1](np.arange(3.0))[0]
    np.testing.assert_allclose(inner(g, E), inner(np.arange(3.0), dot), atol=1e-12)


REFUSED = {
    "eig": (lambda A: sl.eig(A)[1], np.diag([1.0, 2, 2]), "multiplicity 2"),
    "eig generalized": (lambda A: sl.eig(A, spd(3))[1], spd(3), "multiplicity 3"),
    "eigh": (lambda A: sl.eigh(A)[1], np.eye(3), "multiplicity 3"),
    "eigh generalized": (lambda A: sl.eigh(A, spd(3))[1], spd(3), "multiplicity 3"),
    "eigh_tridiagonal": (
        lambda A: sl.eigh_tridiagonal(np.diagonal(A), np.diagonal(A, 1))[1],
        np.eye(3),
        "multiplicity 3",
    ),
    "defective": (lambda A: sl.eig(A)[1], np.array([[1.0, 1], [0, 1]]), "defective|multiplicity 2"),
    "schur": (lambda A: sl.schur(A)[1], np.eye(3), "multiplicity 3"),
    "schur, normal block": (lambda A: sl.schur(A)[1], np.array([[1.0, 2], [-2, 1]]), "normal 2 × 2 block"),
    "schur, rounded": (lambda A: sl.schur(A)[1], np.eye(3)[[1, 2, 0]], "normal 2 × 2 block"),
    "hessenberg": (lambda A: sl.hessenberg(A, calc_q=True)[1], np.eye(4), "zero below"),
    "qz": (lambda A: sl.qz(A, np.eye(3))[2], np.eye(3), "multiplicity 3"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_undetermined_vectors_are_refused(name, mode):
    f, A, message = REFUSED[name]
    E = normal(*A.shape)
    derivative = {
        "forward": lambda: dotbar.jvp(f, (A,), (E,)),
        "reverse": lambda: dotbar.vjp(f, A)[1](E.astype(f(A).dtype)),
    }[mode]
    with pytest.raises(DegenerateSpectrumError, match=message):
        derivative()


PHASES = {
    "eig generalized": lambda A: sl.eig(A, hpd(3))[1],
    "schur": lambda A: sl.schur(A)[1],
    "qz": lambda A: sl.qz(A, hpd(3))[2],
}


@pytest.mark.parametrize("name", PHASES)
def test_phases_are_refused(name):
    A = cnormal(3, 3)
    y, pull = dotbar.vjp(PHASES[name], A)
    with pytest.raises(DegenerateSpectrumError, match="phases"):
        pull(1j * y)
    pull(0 * y)


@pytest.mark.parametrize("f", [lambda A: sl.schur(A)[0], lambda A: sl.qz(A, np.eye(3))[0]])
def test_what_needs_no_rotation_is_not_refused(f):
    np.testing.assert_allclose(dotbar.grad(lambda A: np.trace(f(A)))(np.eye(3)), np.eye(3), atol=1e-14)


def test_alpha_and_beta_of_a_complex_pair_are_refused():
    A = np.array([[1.0, 3], [-1, 2]])
    f = lambda A: sl.ordqz(A, np.diag([1.0, 2]), output="real")[3]
    for derivative in (dotbar.jacfwd, dotbar.jacrev):
        with pytest.raises(DegenerateSpectrumError, match="common factor"):
            derivative(f)(A)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda A: sl.eig(A, np.eye(3), homogeneous_eigvals=True)[0], "homogeneous"),
        (lambda A: sl.eig(A, np.eye(3), left=True, right=False)[1], "right=True"),
    ],
)
def test_what_has_no_derivative_says_so(f, message):
    with pytest.raises(NoRuleError, match=message):
        dotbar.vjp(f, normal(3, 3))


def test_an_infinite_eigenvalue_is_refused():
    B = np.diag([1.0, 1, 0])
    with pytest.raises(np.linalg.LinAlgError, match="infinite"):
        dotbar.jvp(lambda A: sl.eigvals(A, B), (normal(3, 3),), (np.eye(3),))


def test_qz_of_a_singular_pencil_of_matrices_with_zeros():
    """An infinite eigenvalue has its place in the form like any other."""
    A, B, E = cnormal(4, 4), cnormal(4, 4, seed=2), cnormal(4, 4, seed=3)
    B[:, 0] = B[:, 1]
    f = lambda A: (lambda S, T, Q, Z: Q @ S @ H(Z))(*sl.qz(A, B))
    assert_derivatives(f, A, E, E)

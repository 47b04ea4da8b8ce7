"""Identities: each turns what a derivative leaves into what a person would write, and holds for NaN and infinity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import assert_near, assert_same_bits, record

from dotbar.compiler.simplify import simplify
from dotbar.rules.linalg import from_diagonal

RNG = np.random.default_rng(0)
x, y, s, v, w = (
    RNG.normal(size=6),
    RNG.normal(size=6),
    np.float64(0.7),
    RNG.normal(size=(4, 1)),
    RNG.normal(size=(1, 6)),
)
A, B, C = RNG.normal(size=(4, 6)), RNG.normal(size=(6, 6)), RNG.normal(size=(4, 6))


def functions(f, *args, reassociate):
    """What is left of a function: the functions it calls, as often as it does."""
    program = record(f, *args)
    simpler = simplify(program, reassociate).validate()
    want = program.run(*args)
    assert_same_bits(simpler.run(*args), want) if not reassociate else assert_near(simpler.run(*args), want, 1e-13)
    return " ".join(e.rule.name.rpartition(".")[2] for e in simpler.equations)


ALWAYS = [
    (lambda x: x * 1 + -0.0, x, ""),
    (lambda x: x / 4 / -2, x, "multiply multiply"),
    (lambda x, y: y + -x, x, y, "subtract"),
    (lambda x, y: -x * y - -y, x, y, "multiply subtract"),
    (lambda x: -(3 * x), x, "multiply"),
    (lambda x: x * x, x, "square"),
    (lambda x: np.copy(x) ** 2, x, "square"),
    (lambda x: -x * -x, x, "square"),
    (lambda x: x + x - 2 * x, x, "multiply subtract"),
    (lambda A: np.transpose(np.transpose(A, (1, 0)), (1, 0)), A, ""),
    (lambda A: np.reshape(np.reshape(A, (6, 4)), (24,)), A, "reshape_to"),
    (lambda v: np.transpose(v), v, "reshape_to"),
    (lambda x, v: np.broadcast_to(x, (4, 6)) * np.broadcast_to(v, (4, 6)), x, v, "multiply"),
    (lambda A, B: A.T.T @ B.T, A, B, "matmul"),
    (lambda x, y: np.where(x > 0, np.where(x > 0, y, 1.0), 2.0), x, y, "greater choose"),
    (lambda x, y: np.where(x > 0, np.where(x > 0, y, 0) * y, 0), x, y, "greater square choose"),
    (lambda x, y: np.where(x > 0, x, 0) + np.where(x > 0, y, 0), x, y, "greater add choose"),
    (lambda x, y: np.where(~(x > 0), x, y), x, y, "greater choose"),
    (lambda x: (x > 0) & (x > 0) | np.zeros(6, bool), x, "greater"),
    (lambda A: np.mean(A, axis=-1) + np.sum(A, 1) + np.max(A, 1) * np.max(A, 1, keepdims=True)[:, 0], A, None),
    (lambda A: np.var(A, 1) + np.sum((A - np.mean(A, 1, keepdims=True)) ** 2, 1), A, None),
]
BUT_FOR_ROUNDING = [
    (lambda x: np.zeros(6) + x, x, ""),
    (lambda x, y: -x - y, x, y, "add negative"),
    (lambda x: np.sum(-x), x, "sum negative"),
    (lambda x: np.sum(3 * x * 2), x, "sum multiply"),
    (lambda A, v: np.sum(A * v, 1), A, v, "reshape_to sum multiply"),
    (lambda A, s: np.sum(A / s), A, s, "sum divide"),
    (lambda x: np.sum(np.broadcast_to(x, (4, 6)), 0), x, "multiply"),
    (lambda A, B: np.sum(A @ B, axis=0), A, B, "sum matmul reshape_to"),
    (lambda v, w: v @ w, v, w, "multiply"),
    (lambda v, w: (v * w).T, v, w, None),
    (lambda A, B: (A @ B).T, A, B, "matmul"),
    (lambda A, B: (-A) @ B + A, A, B, "matmul subtract"),
    (lambda A, C, B: A @ B + C @ B, A, C, B, "add matmul"),
    (lambda B, A: B @ A.T + B.T @ A.T, B, A, "matmul matmul add"),
    (lambda W: W @ np.cos(W) + W.T @ np.cos(W), np.resize(A, (40, 40)) / 40, "cos transpose add matmul"),
    (lambda A, x: A @ from_diagonal(x, shape=(6, 6), offset=0, axis1=0, axis2=1), A, x, "reshape_to multiply"),
    (lambda A, s: A * s * A * 2, A, s, "square multiply multiply"),
    (lambda A, v, w: A * v * w / A, A, v, w, None),
    (lambda x, s: x * s * x, x, np.array([[2.0]]), "square multiply"),
    (lambda x, y: x * (1 / y), x, y, "divide"),
    (lambda x, y: (0.5 / x) * y + -1 / x + x / y, x, y, "divide multiply multiply multiply add divide add"),
    (lambda x: np.stack((2 / x / x, 1 / x, -1 / x / x / x)), x, "divide multiply multiply multiply multiply pile"),
    (lambda x, y, s: x * s - y * s, x, y, s, "subtract multiply"),
    (lambda x: 0.5 * (2 * x) / 3 * 3, x, None),
    (lambda x: x**3 + x**-2, x, None),
    (lambda x: np.reshape(-np.reshape(2 * x, (2, 3)), (6,)), x, "multiply"),
    (lambda x: np.sum(x * np.broadcast_to(np.sum(x), (6,))), x, None),
]


@pytest.mark.parametrize("case", ALWAYS, ids=lambda c: repr(c[-1]))
def test_always(case):
    f, *args, want = case
    got = functions(f, *args, reassociate=False)
    assert want is None or got == want


@pytest.mark.parametrize("case", BUT_FOR_ROUNDING, ids=lambda c: repr(c[-1]))
def test_but_for_rounding(case):
    f, *args, want = case
    got = functions(f, *args, reassociate=True)
    assert want is None or got == want
    program = record(f, *args)
    assert_same_bits(simplify(program, reassociate=False).run(*args), program.run(*args))


# ---------------------------------------------------------------- random Programs


SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 2.0, 0.5, np.nan, np.inf, -np.inf, 3e-310, -1e300, 1e300])
SHAPES = [(), (1,), (3,), (2, 3), (2, 1), (1, 3), (2, 2, 3)]
UNARY = [
    *(np.negative, np.square, np.exp, np.absolute, np.conjugate, np.copy, np.sign, np.isnan),
    *(lambda a: a**2, lambda a: a**3, lambda a: a**1, lambda a: a**-1.0),
    *(lambda a: a * 1, lambda a: a / 4, lambda a: -2.0 * a, lambda a: a / 3.0, lambda a: 0 + a, lambda a: a - 0.0),
    *(np.transpose, np.ravel, lambda a: np.reshape(a, (-1, 1)), lambda a: np.broadcast_to(a, (2, 2, 3))),
    *(np.sum, np.mean, np.var, lambda a: np.sum(a, -1), lambda a: np.mean(a, 0, keepdims=True), np.max, np.std),
    *(lambda a: a[0], lambda a: a[..., ::-1], lambda a: a[..., :1], lambda a: a[..., [0, 0]], np.cumsum),
    *(lambda a: np.where(a > 0, a, 0), lambda a: np.where(a > 0, np.where(a > 0, a, 1), -a), lambda a: written(a)),
]
BINARY = [
    *(np.add, np.subtract, np.multiply, np.divide, np.maximum, np.greater, np.logaddexp),
    *(
        lambda a, b: np.where(a > b, a, b),
        lambda a, b: np.where(a > 0, b, 0) * b,
        lambda a, b: a * -b,
        lambda a, b: a - -b,
    ),
    *(
        np.matmul,
        lambda a, b: np.matmul(a, np.swapaxes(b, -1, -2)),
        np.vecdot,
        lambda a, b: a * np.sum(b, -1, keepdims=True),
    ),
]


def written(a):
    b = np.copy(a)
    b[..., 0] = b[..., -1] * 2
    b[..., 0] = b[..., 0] - 1
    return b


def random_function(data, xs):
    """A function of as many arrays, of operations that fit their shapes, and what all of them make."""
    calls = []
    known = list(xs)
    for _ in range(data.draw(st.integers(1, 12))):
        f = data.draw(st.sampled_from(UNARY + BINARY))
        operands = [data.draw(st.integers(0, len(known) - 1)) for _ in range(2 if f in BINARY else 1)]
        try:
            with np.errstate(all="ignore"):
                made = f(*(known[k] for k in operands))
        except (ValueError, IndexError):
            continue
        if np.size(made) <= 60 and made.dtype == float:
            known.append(made)
            calls.append((f, operands))

    def run(*xs):
        known = list(xs)
        for f, operands in calls:
            known.append(f(*(known[k] for k in operands)))
        return known[-3:]

    return run


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_random_programs(data):
    """With NaN, infinities and zeros of both signs: to the last bit; numbers: to rounding if reassociated."""
    draw = lambda entries: [
        np.asarray(data.draw(st.lists(entries, min_size=n, max_size=n))).reshape(shape)
        for shape, n in zip(shapes, map(int, map(np.prod, shapes)))
    ]
    shapes = data.draw(st.lists(st.sampled_from(SHAPES), min_size=2, max_size=2))
    special, plain = draw(st.sampled_from(SPECIAL)), draw(st.floats(0.5, 2).map(lambda x: round(x, 2)))
    with np.errstate(all="ignore"):
        program = record(random_function(data, plain), *plain)
    for args in (special, plain):
        assert_same_bits(simplify(program, reassociate=False).validate().run(*args), program.run(*args))
    assert_near(simplify(program).validate().run(*plain), program.run(*plain), 1e-9)


@pytest.mark.parametrize(
    "f",
    [
        lambda A, B, x: np.exp(-np.sum((B[:, None] - B[None]) ** 2, axis=-1) / 3),
        lambda A, B, x: np.tanh(A @ A.T),
        lambda A, B, x: np.add.outer(x, x) - 2 * B @ B.T,
        lambda A, B, x: B + B.T,
        lambda A, B, x: -np.abs(np.subtract.outer(x, x)) * np.eye(6),
    ],
)
def test_symmetric_arrays_are_not_transposed(f):
    args = A, B, x
    program = record(lambda A, B, x: (f(A, B, x).T, f(A, B, x).T @ np.ones(len(f(A, B, x)))), *args)
    simpler = simplify(program).validate()
    assert_near(simpler.run(*args), program.run(*args), 1e-13)
    vector = simpler.outputs[1].shape
    assert not any("transpose" in e.settings for e in simpler.equations if e.outputs[0].shape == vector)
    assert not any(e.rule.fn is np.transpose and len(e.outputs[0].shape) == 2 for e in simpler.equations[-2:])


@pytest.mark.parametrize(
    "f",
    [
        lambda B: B - B.T,
        lambda B: B * B.T[::-1],
        lambda B: np.sin(B[:, None] - B).sum(-1),
        lambda B: B[0].reshape(-1, 1) * np.full((1, 3), 2.0),
        np.exp,
    ],
)
def test_others_are(f):
    program = record(lambda B: f(B).T, B)
    assert_near(simplify(program).validate().run(B), program.run(B), 1e-13)


def test_products_exchanged_within_a_stack_differ():
    X = np.stack([B, B + 1.0, B - 2.0, B * B]).reshape(2, 2, *B.shape)
    program = record(lambda X: (X @ X.mT).transpose(1, 0, 3, 2), X)
    assert_near(simplify(program).validate().run(X), program.run(X), 1e-13)


def test_complex_zeros():
    Z, mask = A[:3, :3] + 1j, A[:3, :3] > 0
    f = lambda Z: (Z - np.zeros_like(Z), np.where(mask, 0j, Z) + np.where(mask, np.zeros_like(Z), 2 * Z))
    program = record(f, Z)
    assert_near(simplify(program).validate().run(Z), program.run(Z), 1e-15)

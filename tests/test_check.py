"""check_grads passes what is right and says precisely what is wrong."""

import numpy as np
import pytest

import dotbar
from dotbar import check_grads, custom_jvp, custom_vjp
from dotbar.errors import GradientError, InputError

X = np.array([0.5, -1.0, 2.0])
A = np.arange(9.0).reshape(3, 3) / 5 + np.eye(3)
FAR = np.array([1e-12, 1.0, -1e12, 3.0])
Z = np.array([1 + 2j, -0.5 + 1j])

RIGHT = {
    "analytic": (lambda x: np.sum(np.sin(x) * x), X),
    "vector": (lambda x: np.exp(x) / np.sum(x * x), X),
    "not analytic": (lambda x: np.abs(x) * x, X),
    "masked": (lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1)), 0), X),
    "matrices": (lambda A, B: np.tanh(A @ B), A, A.T),
    "float32": (lambda x: np.sin(x) * x, X.astype(np.float32)),
    "complex": (lambda z: np.abs(z) ** 2 * z, Z),
    "large and small": (lambda x, y: x * y + y * y, 1e8 * X, 1e-8 * X),
    "stiff": (lambda x: np.exp(30 * x), X),
    "containers": (lambda p, n: {"y": p["x"] ** n, "n": n}, {"x": X}, 3),
    "24 orders of magnitude": (lambda x: x**3, FAR),
    "noise beside large entries": (np.corrcoef, np.cos(np.arange(18.0).reshape(3, 6) ** 2)),
    "an argument that is not finite": (np.nansum, np.array([1.0, np.nan, 2.0])),
    "scalar": (lambda x: x * np.sin(x), 1.5),
    "constant": (lambda x: x * 0 + 3.0, X),
    "empty": (lambda x: x * 2, np.zeros((0, 3))),
}


@pytest.mark.parametrize("case", RIGHT.values(), ids=RIGHT)
def test_passes_what_is_right(case):
    f, *args = case
    check_grads(f)(*args)


def wrong(bar, f=np.sin):
    """A function of one argument with a wrong reverse rule."""
    g = custom_vjp(lambda x: f(x))
    g.defvjp(lambda x: (f(x), x), lambda x, ybar: (bar(x, ybar),))
    return g


MISTAKES = {
    "the sign": (lambda x, g: -np.cos(x) * g, np.sin, X),
    "a factor of 2": (lambda x, g: 2 * np.cos(x) * g, np.sin, X),
    "it is zero, the dependence is missing": (lambda x, g: 0 * g, np.sin, X),
    "not finite": (lambda x, g: np.nan * g, np.sin, X),
    "it should be zero": (lambda x, g: g, lambda x: x * 0, X),
    "1 of 3 entries are zero": (lambda x, g: np.cos(x) * g * (x > 0), lambda x: np.sin(x), X),
    "without a simple pattern": (lambda x, g: np.cos(x) * g + x, np.sin, X),
    "a missing conjugate": (lambda x, g: 2 * x * g, lambda z: z * z, Z),
    "it is transposed": (lambda x, g: (A * g).T, lambda x: A * x, A),
    "pass symmetric=True": (lambda x, g: (A * g + (A * g).T) / 2, lambda x: A * x, A),
}


@pytest.mark.parametrize(("likely", "case"), MISTAKES.items(), ids=MISTAKES)
def test_names_the_likely_mistake(likely, case):
    bar, f, x = case
    total = lambda x: np.real(np.sum(wrong(bar, f)(x)))
    with pytest.raises(GradientError, match=f"(?s)reverse-mode derivative of .* by x .*Likely mistake: .*{likely}"):
        check_grads(total, ("rev",), 1)(x)


def test_says_which_argument_which_entry_and_both_numbers():
    def loss(p, y):
        return np.sum(p["a"] * dotbar.on_bar(y, lambda g: g * np.array([1, 1, 3])))

    with pytest.raises(GradientError, match=r"by y is wrong at entry \(2,\): dotbar has 6, differences have 2 ± "):
        check_grads(loss)({"a": np.array([1.0, 2.0, 2.0])}, X)
    with pytest.raises(GradientError, match=r"by p\['b'\]\[0\] is wrong: dotbar has 9, differences have 3 ± "):
        check_grads(lambda p: 3 * dotbar.on_bar(p["b"][0], lambda g: 3 * g))({"a": X, "b": [2.0]})


def test_forward_mode_and_vector_results():
    f = custom_jvp(lambda x: np.sin(x))
    f.defjvp(lambda p, t: (np.sin(p[0]), -np.cos(p[0]) * t[0]))
    with pytest.raises(GradientError, match=r"forward-mode derivative .* random ȳ\. Likely mistake: the sign"):
        check_grads(f)(X)


def test_second_order():
    """A rule whose value is right and whose own derivative is hidden."""
    f = custom_vjp(lambda x: np.sin(x))
    f.defvjp(lambda x: (np.sin(x), np.cos(dotbar.stop_gradient(x))), lambda c, ybar: (c * ybar,))
    check_grads(f, order=1)(X)
    with pytest.raises(GradientError, match=r"of the (forward|reverse)-mode derivative of .* it is zero"):
        check_grads(f)(X)


def test_modes_that_disagree():
    """A mistake too small for differences, but not for the adjoint identity."""
    f = lambda x: np.sum(np.abs(np.sin(3000 * dotbar.on_bar(x, lambda g: g * (1 + 1e-9)))))
    with pytest.raises(GradientError, match="disagree"):
        check_grads(f, order=1)(X)


def test_the_complex_step_is_stricter_than_differences():
    f = wrong(lambda x, g: 3000 * np.cos(3000 * x) * g * (1 + 1e-9), lambda x: np.sin(3000 * x))
    check_grads(lambda x: np.sum(np.abs(f(x))), ("rev",), 1)(X)
    with pytest.raises(GradientError):
        check_grads(lambda x: np.sum(f(x)), ("rev",), 1)(X)


@pytest.mark.parametrize(
    ("f", "x", "message"),
    [
        (
            lambda x: np.sum(np.abs(x)),
            np.array([1.0, 0.0]),
            r"entry \(1,\) of x: its one-sided derivatives are -1 and 1",
        ),
        (lambda x: np.maximum(x, 3 * x), 0.0, "kink here in x: its one-sided derivatives are 1 and 3"),
    ],
)
def test_kinks_are_recognised(f, x, message):
    with pytest.raises(GradientError, match=message):
        check_grads(f)(x)


def test_a_kink_of_the_derivative():
    check_grads(lambda x: x * np.abs(x), order=1)(0.0)
    with pytest.raises(GradientError, match=r"derivative of .* has a kink here"):
        check_grads(lambda x: x * np.abs(x))(0.0)


def test_what_cannot_be_checked_is_said():
    rng = np.random.default_rng(0)
    with pytest.raises(GradientError):
        check_grads(lambda x: x + 0.1 * rng.standard_normal(), order=1)(1.0)


def test_entries_of_unlike_size():
    """Each gets steps of its own size, and its derivative is still looked at."""
    x = np.array([1e-8, 1.0])
    check_grads(lambda x: np.sum(np.log(np.abs(x))))(x)
    f = dotbar.custom_vjp(lambda x: np.sum(x))
    f.defvjp(lambda x: (np.sum(x), None), lambda _, g: (g * np.array([2.0, 1.0]),))
    with pytest.raises(GradientError, match=r"entry \(0,\): dotbar has 2, differences have 1\.000"):
        check_grads(f, modes="rev")(x)


@pytest.mark.parametrize("mode", ["fwd", "rev"])
@pytest.mark.parametrize("k", range(4))
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: x**3, lambda x: 3 * x**2),
        (lambda x: np.log(np.abs(x)), lambda x: 1 / x),
        (lambda x: x * 1 / FAR, lambda x: 1 / FAR),
    ],
)
def test_a_wrong_entry_is_found_beside_much_larger_ones(f, slope, k, mode):
    wrong = np.where(np.arange(4) == k, 2.0, 1.0)
    if mode == "rev":
        g = custom_vjp(lambda x: f(x))
        g.defvjp(lambda x: (f(x), x), lambda x, ybar: (wrong * slope(x) * ybar,))
    else:
        g = custom_jvp(lambda x: f(x))
        g.defjvp(lambda p, t: (f(p[0]), wrong * slope(p[0]) * t[0]))
    with pytest.raises(GradientError, match=rf"wrong at entry \({k},\)"):
        check_grads(g, mode, 1)(FAR)


def test_a_rule_that_is_not_linear():
    f = dotbar.custom_jvp(lambda x: np.sum(x))
    f.defjvp(lambda p, t: (np.sum(p[0]), np.sum(np.abs(t[0]))))
    with pytest.raises(GradientError, match=r"along a random direction, but right along each entry.*not linear"):
        check_grads(f, modes="fwd")(np.ones(3))


def test_functions_that_read_a_triangle():
    S = A + A.T
    f = lambda x: np.sum(np.sin(np.tril(x)))

    symmetric = custom_vjp(lambda x: f(x))

    def bwd(x, ybar):
        G = np.tril(np.cos(x)) * ybar
        return ((G + G.T) / 2,)

    symmetric.defvjp(lambda x: (f(x), x), bwd)
    check_grads(symmetric, ("rev",), 1)(S)
    check_grads(symmetric, ("rev",), 1, symmetric=True)(S)
    with pytest.raises(GradientError, match="symmetric=True"):
        check_grads(symmetric, ("rev",), 1, symmetric=False)(S)


def test_bad_arguments():
    with pytest.raises(InputError, match="'forward'"):
        check_grads(np.sin, modes=("forward",))
    with pytest.raises(InputError, match="floating"):
        check_grads(lambda n: n)(3)

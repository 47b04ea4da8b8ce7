"""on_bar, name, bars, dots: derivatives on their way."""

import numpy as np
import pytest

import dotbar
from dotbar import bars, dots, grad, jvp, name, on_bar, vmap
from dotbar.errors import InputError, OutputError, RuleError, StructureError

X = np.array([0.5, -1.0, 2.0])


def test_on_bar_changes_the_cotangent_and_nothing_else():
    f = lambda x: np.sum(np.sin(on_bar(x, lambda g: -2 * g)))
    assert f(X) == np.sum(np.sin(X))
    np.testing.assert_allclose(grad(f)(X), -2 * np.cos(X))
    np.testing.assert_allclose(jvp(f, (X,), (X,))[1], np.sum(np.cos(X) * X))


def test_on_bar_sees_the_cotangent():
    seen = []
    g = grad(lambda x: np.sum(on_bar(x * 2, seen.append) ** 2))(X)
    np.testing.assert_allclose(seen[0], 4 * X)
    np.testing.assert_allclose(g, 8 * X)


def test_on_bar_clips_each_item_by_its_own_norm():
    clip = lambda g: g / np.sqrt(np.sum(g * g))
    f = lambda x: np.sum(on_bar(x, clip) ** 2)
    batch = np.stack([X, 2 * X])
    want = np.stack([X, X]) / np.linalg.norm(X)
    np.testing.assert_allclose(vmap(grad(f))(batch), want)
    np.testing.assert_allclose(grad(lambda b: np.sum(vmap(f)(b)))(batch), want)


def test_on_bar_of_containers_and_of_the_second_order():
    f = lambda p: on_bar(p, lambda g: 3 * g)["a"] ** 2
    assert grad(f)({"a": 2.0}) == {"a": 12.0}
    assert grad(lambda a: grad(lambda a: on_bar(a, lambda g: 3 * g) ** 2)(a))(2.0) == 18.0


def test_on_bar_must_keep_the_shape():
    with pytest.raises(
        RuleError, match=r"given to on_bar returned a cotangent of shape \(2,\) for one of shape \(3,\)"
    ):
        grad(lambda x: np.sum(on_bar(x, lambda g: g[:2])))(X)


def test_on_bar_may_change_its_cotangent_in_place():
    """The bars of a sum's terms are one array; each function gets its own."""

    def double(g):
        g *= 2
        return g

    g = grad(lambda x: np.sum((on_bar(x * 1.0, double) + x * 1.0) * X))(X)
    np.testing.assert_array_equal(g, 3 * X)
    np.testing.assert_array_equal(grad(lambda x: np.sum(on_bar(x, lambda g: g.fill(0))))(X), [1, 1, 1])


def neuron(w, x):
    a = w @ x
    name(a, "a")
    h = name(1 / (1 + np.exp(-a)), "h")
    name(a * 5, "unused")
    return (h - 1) ** 2


W = np.array([2.0, -3.0, -3.0])


def test_bars():
    value, table = bars(neuron)(W, X)
    h = 1 / (1 + np.exp(-W @ X))
    assert value == neuron(W, X)
    assert list(table) == ["w", "x", "a", "h", "unused"]
    assert table["h"] == 2 * (h - 1)
    np.testing.assert_allclose(table["a"], 2 * (h - 1) * h * (1 - h))
    np.testing.assert_allclose(table["w"], table["a"] * X)
    np.testing.assert_allclose(table["x"], grad(neuron, 1)(W, X))
    assert table["unused"] == 0


def test_dots():
    value, table = dots(neuron, tangents=(X, np.zeros(3)))(W, X)
    h = 1 / (1 + np.exp(-W @ X))
    assert value == neuron(W, X)
    assert list(table) == ["w", "x", "a", "h", "unused", "out"]
    np.testing.assert_allclose(table["a"], X @ X)
    np.testing.assert_allclose(table["h"], X @ X * h * (1 - h))
    np.testing.assert_allclose(table["out"], 2 * (h - 1) * table["h"])
    assert dots(lambda x: name(x * x, "s") + 1)(3.0)[1] == {"x": 1.0, "s": 6.0, "out": 6.0}


def test_naming_changes_nothing():
    """name returns its argument, in every mode: what is written to it is written to x."""
    assert name(X, "x") is X

    def f(x):
        y = x * 1.0
        name(y, "y")[0] = 3.0
        return np.sum(y * y)

    value, table = bars(f)(X)
    assert value == f(X)
    np.testing.assert_array_equal(table["x"], [0, -2, 4])
    np.testing.assert_array_equal(table["y"], [0, -2, 4])
    np.testing.assert_array_equal(dots(f)(X)[1]["y"], [1, 1, 1])


def test_names_of_views():
    def f(W):
        t = name(W.T, "t")
        name(W[0], "row")[1] *= 5.0
        return np.sum(t[1]) * t[0, 0]

    W = np.array([[1.0, 2.0], [3.0, 4.0]])
    value, table = bars(f)(W)
    assert value == 14
    np.testing.assert_array_equal(table["W"], [[14, 5], [0, 1]])
    np.testing.assert_array_equal(table["row"], [14, 5])
    np.testing.assert_array_equal(table["t"], [[14, 0], [5, 1]])


def test_names_below_other_levels():
    """What is named inside an inner transform has a bar of the outer one too."""
    inner = lambda x: jvp(lambda y: name(y * x, "p") * y, (2.0,), (1.0,))[1]
    value, table = bars(inner)(3.0)
    assert (value, table) == (12.0, {"x": 4.0, "p": 1.0})
    _, table = bars(lambda b: np.sum(vmap(lambda x: np.sum(name(x * x, "s")) * 2)(b)))(np.ones((2, 3)))
    np.testing.assert_array_equal(table["s"], np.full((2, 3), 2.0))


def test_bars_are_differentiated_in_any_order_of_levels():
    """The bar of y in Σ sin(y)² with y = x³ is sin(2y)."""
    f = lambda x: bars(lambda x: np.sum(np.sin(name(x**3, "y")) ** 2))(x)[1]["y"]
    want = lambda x: np.sin(2 * x**3)
    g = lambda f: grad(lambda x: np.sum(f(x) ** 2))
    for nest in (g, lambda f: vmap(g(f)), lambda f: vmap(g(g(f))), lambda f: g(vmap(g(f))), lambda f: g(g(vmap(f)))):
        np.testing.assert_allclose(nest(f)(X), nest(want)(X), rtol=1e-11)


def test_names_inside_a_checkpoint():
    f = lambda x: np.sum(dotbar.checkpoint(lambda x: np.sin(name(x * x, "s")))(x))
    _, table = bars(f)(X)
    np.testing.assert_allclose(table["s"], np.cos(X * X))


def test_names_of_containers():
    f = lambda p: (lambda q: q["a"] * q["b"])(name({"a": p * 2, "b": 3.0}, "q"))
    assert bars(f)(5.0)[1] == {"p": 6.0, "q": {"a": 3.0, "b": 0.0}}
    assert dots(f)(5.0)[1] == {"p": 1.0, "q": {"a": 2.0, "b": 0.0}, "out": 6.0}


def test_errors():
    with pytest.raises(InputError, match="'a' is given twice"):
        bars(lambda x: name(name(x, "a") * 2, "a"))(1.0)
    with pytest.raises(InputError, match="'x' is given twice"):
        dots(lambda x: name(x, "x"))(1.0)
    with pytest.raises(OutputError, match="bar="):
        bars(lambda x: x)(X)
    with pytest.raises(InputError, match="x is the integer 1"):
        bars(lambda x: x)(1)
    with pytest.raises(StructureError, match=r"shape \(2,\)"):
        bars(lambda x: x, bar=np.ones(2))(X)
    np.testing.assert_array_equal(bars(lambda x: 2 * x, bar=X)(X)[1]["x"], 2 * X)

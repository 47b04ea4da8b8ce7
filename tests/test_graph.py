"""graph: the gates of a function, forward and backward."""

import numpy as np
import pytest

import dotbar
from dotbar import grad, graph, name
from dotbar.errors import OutputError


def test_f_equals_x_plus_y_times_z():
    def f(x, y, z):
        q = name(x + y, "q")
        return q * z

    g = graph(f, -2.0, 5.0, -4.0)
    assert g.value == -12
    assert [gate.name for gate in g.gates] == ["x", "y", "z", "q", "multiply"]
    assert g.backward() == (-4, -4, 3)
    assert [gate.bar for gate in g.gates] == [-4, -4, 3, -4, 1]
    assert g.gates[3].inputs == tuple(g.gates[:2])
    assert repr(g).splitlines() == [
        "f: 5 gates",
        "%0  x         input             -2   bar -4",
        "%1  y         input             5    bar -4",
        "%2  z         input             -4   bar 3",
        "%3  q         add(%0, %1)       3    bar -4",
        "%4  multiply  multiply(%3, %2)  -12  bar 1",
    ]


def test_forward_with_new_inputs():
    g = graph(lambda x: np.sum(np.sin(x) * x), np.ones(3))
    x = np.array([0.1, 0.2, 0.3])
    assert g.forward(x) == np.sum(np.sin(x) * x)
    assert g.gates[1].bar is None
    np.testing.assert_allclose(g.backward(), np.cos(x) * x + np.sin(x))


def views_and_writes(x, w):
    y = x * 2
    v = y[1:]
    v[0] = w * x[0]
    z = np.zeros(3, like=x)
    z[1:] = y[:2]
    return np.sum(z * v[0] + y)


def branches_and_masks(x, w):
    y = np.where(x > 0, np.exp(x), w)
    return np.sum(y) if x[0] > 0 else np.sum(y * y)


def several_outputs(x, w):
    q, r = np.linalg.qr(np.reshape(x, (1, 3)).T * w + np.eye(3)[:, :1])
    return np.sum(q) * r[0, 0]


@pytest.mark.parametrize("f", [views_and_writes, branches_and_masks, several_outputs], ids=lambda f: f.__name__)
def test_agrees_with_grad(f):
    x, w = np.array([0.5, -1.0, 2.0]), 0.7
    g = graph(f, x, w)
    for xs in ((x, w), (x + 0.25, 2 * w)):
        assert g.forward(xs) == f(*xs)
        for got, want in zip(g.backward(), grad(f, (0, 1))(*xs)):
            np.testing.assert_allclose(got, want, rtol=1e-14)
            assert np.shape(got) == np.shape(want)


@pytest.mark.parametrize("kind", [dotbar.custom_jvp, dotbar.custom_vjp])
def test_the_users_own_rule_is_one_gate(kind):
    def f(x, y):
        return {"product": x * y, "n": 3}

    own = kind(f)
    if kind is dotbar.custom_jvp:
        own.defjvp(lambda p, t: (f(*p), {"product": 5 * t[0], "n": None}))
    else:
        own.defvjp(lambda *p: (f(*p), None), lambda _, g: (5 * g["product"], None))
    g = graph(lambda x: own(np.sin(x), 2.0)["product"], 1.0)
    assert [gate.name for gate in g.gates] == ["x", "sin", "f[0]"]
    assert g.backward() == 5 * np.cos(1.0)
    assert g.forward(2.0) == 2 * np.sin(2.0)


def test_a_graph_of_a_gradient():
    x = np.array([0.5, -1.0])
    g = graph(grad(lambda x: np.sum(x**3)), x)
    np.testing.assert_allclose(g.value, 3 * x**2)
    np.testing.assert_allclose(g.backward(x), 6 * x * x)


def test_integers_have_no_derivative():
    with pytest.raises(OutputError, match="dtype int64"):
        graph(lambda x: x * 2, 3).backward()


def test_every_gate_comes_after_its_inputs_and_dead_ones_are_left_out():
    def f(p):
        np.exp(p["a"])
        return np.sin(p["a"]) * p["b"] + p["a"]

    g = graph(f, {"a": 1.0, "b": 2.0})
    assert [gate.name for gate in g.gates] == ["p['a']", "p['b']", "sin", "multiply", "add"]
    for k, gate in enumerate(g.gates):
        assert all(x in g.gates[:k] for x in gate.inputs)
    assert g.backward() == {"a": np.cos(1.0) * 2 + 1, "b": np.sin(1.0)}


def test_vector_results_and_constants():
    g = graph(lambda x: x * 2, np.ones(2))
    with pytest.raises(OutputError, match=r"shape \(2,\)"):
        g.backward()
    np.testing.assert_array_equal(g.backward(np.array([1.0, 3.0])), [2, 6])
    assert graph(lambda x: 3.0, 1.0).backward() == 0
    with pytest.raises(OutputError, match="returned a dict"):
        graph(lambda x: {"a": x}, 1.0)
    assert dotbar.graph(lambda x: x, 1.0).backward() == 1


def test_masks_are_those_of_the_recorded_call():
    def f(x):
        y = x * x
        y[x > 0] = np.sum(x)
        y[x < 0] = np.sin(x[:1])
        y[x > 1] = x[:1] * np.ones(1)
        y[x > 0] = x[:2]
        return np.sum(y * x)

    x = np.array([0.5, -1.0, 2.0])
    np.testing.assert_allclose(graph(f, x).backward(), dotbar.grad(f)(x))

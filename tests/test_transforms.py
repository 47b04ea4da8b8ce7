"""The transforms: nesting, perturbation confusion, argument selection, containers, Jacobians, vmap."""

import itertools
import pickle
import tracemalloc
from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

import dotbar
from dotbar import (
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linearize,
    stop_gradient,
    value_and_grad,
    vjp,
    vmap,
)
from dotbar.errors import ConversionError, InputError, OutputError, StructureError

X = np.array([0.5, -1.0, 2.0])


# ---------------------------------------------------------------- nesting

DERIVATIVES = {
    "reverse": lambda f: grad(f),
    "forward": lambda f: lambda x: jvp(f, (x,), (1.0,))[1],
    "vmapped reverse": lambda f: lambda x: vmap(grad(f))(np.stack([x, x + 1]))[0],
    "reverse of vmap": lambda f: grad(lambda x: np.sum(vmap(f)(np.stack([x, x])) / 2)),
    "linearize": lambda f: lambda x: linearize(f, x)[1](1.0),
    "vjp": lambda f: lambda x: vjp(f, x)[1](1.0)[0],
}


@pytest.mark.parametrize("names", list(itertools.product(DERIVATIVES, repeat=3)), ids=" of ".join)
def test_levels_nest_in_any_order(names):
    """(x³ sin x)‴, each derivative by another mode."""
    f = lambda x: x * x * x * np.sin(x)
    for name in names:
        f = DERIVATIVES[name](f)
    x = 0.7
    want = (6 - 9 * x * x) * np.sin(x) + (18 * x - x**3) * np.cos(x)
    np.testing.assert_allclose(f(x), want, rtol=1e-13)


@pytest.mark.parametrize("outer", ["reverse", "forward", "linearize"])
@pytest.mark.parametrize("inner", ["reverse", "forward", "linearize"])
class TestPerturbationConfusion:
    """Siskind & Pearlmutter (2008): each level's perturbation is its own."""

    def test_inner_derivative_of_a_constant(self, outer, inner):
        d, e = DERIVATIVES[outer], DERIVATIVES[inner]
        assert d(lambda x: x * e(lambda y: x + y)(1.0))(1.0) == 1
        assert d(lambda x: x * e(lambda y: x)(1.0))(1.0) == 0

    def test_inner_derivative_of_a_product(self, outer, inner):
        d, e = DERIVATIVES[outer], DERIVATIVES[inner]
        assert d(lambda x: x * e(lambda y: x * y)(2.0))(3.0) == 6
        assert d(lambda x: e(lambda y: x * x * y * y)(x))(2.0) == 24

    def test_closures_that_leave_the_inner_level(self, outer, inner):
        """Manzyuk et al. (2019): a derivative of a function-valued function."""
        d, e = DERIVATIVES[outer], DERIVATIVES[inner]
        s = lambda x: lambda f: lambda y: f(x + y)
        bump = lambda f: lambda y: d(lambda x: s(x)(f)(y))(0.0)
        np.testing.assert_allclose(bump(bump(np.exp))(1.0), np.exp(1.0))
        np.testing.assert_allclose(e(bump(np.sin))(1.0), -np.sin(1.0))


# ---------------------------------------------------------------- arguments


def f3(a, b, c):
    return np.sum(a * b) + c * c


def test_argnums():
    a, b, c = X, X + 1, 3.0
    np.testing.assert_array_equal(grad(f3)(a, b, c), b)
    assert grad(f3, 2)(a, b, c) == 6
    assert grad(f3, -1)(a, b, c) == 6
    gc, ga = grad(f3, (2, 0))(a, b, c)
    assert gc == 6
    np.testing.assert_array_equal(ga, b)
    assert isinstance(grad(f3, (1,))(a, b, c), tuple)
    with pytest.raises(InputError, match="argnums has 3"):
        grad(f3, 3)(a, b, c)


def test_argnames():
    a, b, c = X, X + 1, 3.0
    assert grad(f3, argnames="c")(a, b, c=c) == 6
    gb, gc = grad(f3, argnames=("b", "c"))(a, b=b, c=c)
    np.testing.assert_array_equal(gb, a)
    assert gc == 6
    ga, gc = grad(f3, (0,), argnames=("c",))(a, b, c=c)
    np.testing.assert_array_equal(ga, b)
    assert gc == 6
    with pytest.raises(InputError, match="argnames has 'c'"):
        grad(f3, argnames="c")(a, b, c)
    with pytest.raises(InputError, match="the same argument twice"):
        grad(f3, argnames=("c", "c"))(a, b, c=c)


def test_integers_that_are_not_differentiated_are_fine():
    assert grad(lambda x, n: x**n)(2.0, 3) == 12


def test_has_aux():
    g, aux = grad(lambda x: (np.sum(x * x), {"y": np.sin(x), "n": 3}), has_aux=True)(X)
    np.testing.assert_array_equal(g, 2 * X)
    np.testing.assert_array_equal(aux["y"], np.sin(X))
    assert aux["n"] == 3
    (_, aux), g = value_and_grad(lambda x: (np.sum(x), x), has_aux=True)(X)
    assert type(aux) is np.ndarray
    _, pullback, aux = vjp(lambda x: (x * 2, x), X, has_aux=True)
    np.testing.assert_array_equal(pullback(X)[0], 2 * X)
    _, dot, aux = jvp(lambda x: (x * 2, x), (X,), (X,), has_aux=True)
    np.testing.assert_array_equal(dot, 2 * X)
    assert type(aux) is np.ndarray
    for derivative in (jacfwd, jacrev):
        J, aux = derivative(lambda x: (x * 2, {"y": x}), has_aux=True)(X)
        np.testing.assert_array_equal(J, 2 * np.eye(3))
        np.testing.assert_array_equal(aux["y"], X)
    H, aux = hessian(lambda x: (x @ x, "aux"), has_aux=True)(X)
    np.testing.assert_array_equal(H, 2 * np.eye(3))
    assert aux == "aux"


def test_holomorphic():
    z = 0.3 + 0.7j
    np.testing.assert_allclose(grad(lambda z: z * z * np.exp(z), holomorphic=True)(z), (2 * z + z * z) * np.exp(z))
    zs = np.array([z, 1j])
    for mode in ("forward", "reverse"):
        J = jacobian(lambda z: z * z, mode=mode, holomorphic=True)(zs)
        np.testing.assert_allclose(J, np.diag(2 * zs))
    with pytest.raises(InputError, match="holomorphic=True"):
        jacobian(lambda z: z * z)(zs)


@pytest.mark.parametrize(
    ("f", "x"), [(np.abs, 1 + 2j), (np.real, 1 + 2j), (lambda x: 1j * x, 2.0)], ids=["abs", "real", "i x"]
)
def test_holomorphic_functions_map_complex_to_complex(f, x):
    for derivative in (grad(f, holomorphic=True), *(jac(f, holomorphic=True) for jac in (jacfwd, jacrev))):
        with pytest.raises(OutputError, match="complex arguments and a complex result"):
            derivative(x)


def test_jacobian_of_complex_results_of_real_arguments():
    f = lambda x: np.exp(1j * x) * x[0]
    for jac in (jacfwd, jacrev, partial(jacrev, batch_size=2)):
        np.testing.assert_allclose(jac(f)(X), np.diag(1j * f(X)) + np.outer(np.exp(1j * X), [1, 0, 0]), rtol=1e-14)


def test_gradient_of_a_real_function_of_complex_is_steepest_ascent():
    assert grad(lambda z: np.abs(z) ** 2)(1 + 2j) == 2 + 4j


# ---------------------------------------------------------------- containers


class Pair(NamedTuple):
    a: object
    b: object


@dataclass(frozen=True)
class Layer:
    W: np.ndarray
    b: np.ndarray | None
    inner: object = None


def test_containers():
    tree = {"l": [Layer(X, None, Pair(2.0, (X, None))), 3.0], "none": None}
    loss = lambda t: np.sum(t["l"][0].W * t["l"][0].inner.b[0]) * t["l"][1] + t["l"][0].inner.a
    g = grad(loss)(tree)
    layer = g["l"][0]
    assert (type(layer), type(layer.inner), layer.b, g["none"]) == (Layer, Pair, None, None)
    np.testing.assert_array_equal(layer.W, 3 * X)
    assert layer.inner.a == 1
    np.testing.assert_array_equal(layer.inner.b[0], 3 * X)
    assert g["l"][1] == X @ X
    _, dot = jvp(loss, (tree,), (tree,))
    assert dot == 9 * X @ X + 2
    H = hessian(loss)(tree)
    np.testing.assert_array_equal(H["l"][0].W["l"][0].inner.b[0], 3 * np.eye(3))
    assert H["l"][0].b is None


@pytest.mark.parametrize("kind", [dict, Counter, OrderedDict, partial(defaultdict, list)])
def test_dicts_of_any_kind_and_order(kind):
    """What matters of a dict are its keys."""
    tree = kind({"a": X, "b": 2 * X})
    g = grad(lambda t: np.sum(t["a"] * t["b"]))(tree)
    assert (type(g), list(g)) == (type(tree), ["a", "b"])
    np.testing.assert_array_equal(g["b"], X)
    tangent = kind({"b": 0 * X, "a": X})
    assert jvp(lambda t: t["a"] @ t["b"], (tree,), (tangent,))[1] == 2 * X @ X


# ---------------------------------------------------------------- what comes back


@pytest.mark.parametrize(
    "x",
    [
        X,
        X.astype(np.float32),
        X.astype(np.longdouble),
        X.astype(">f8"),
        np.array(2.0),
        np.asfortranarray(np.ones((2, 3))),
        X[::-1],
        np.zeros((0, 3)),
        np.broadcast_to(2.0, (3,)),
    ],
    ids=["float64", "float32", "longdouble", "big-endian", "0-d", "Fortran", "reversed", "empty", "broadcast"],
)
@pytest.mark.parametrize(
    "f", [lambda x: np.sum(x), lambda x: np.sum(x * x), lambda x: np.sum(x.T + 1), lambda x: 1.0 + 0 * np.sum(x)]
)
def test_gradients_are_fresh_writable_arrays(f, x):
    before = x.copy()
    g = grad(f)(x)
    assert (type(g), g.shape, g.dtype) == (np.ndarray, x.shape, x.dtype)
    assert g.flags.writeable
    assert not np.shares_memory(g, x)
    g += 1
    np.testing.assert_array_equal(x, before)
    g1, g2 = grad(lambda x, y: f(x + y), (0, 1))(x, x.copy())
    assert not np.shares_memory(g1, g2)


def test_the_callers_x_never_changes():
    def f(x):
        x[0] = x[1] * 2
        x *= 3
        return np.sum(x)

    x = X.copy()
    for call in (
        grad(f),
        lambda x: jvp(f, (x,), (X,)),
        lambda x: vjp(f, x),
        jacfwd(f),
        lambda x: vmap(f)(np.stack([x])),
    ):
        call(x)
        np.testing.assert_array_equal(x, X)
    big = np.ones(10**5)
    grad(f)(big)
    assert (big == 1).all()
    batch = np.stack([X, X])
    vmap(f)(batch)
    np.testing.assert_array_equal(batch, np.stack([X, X]))


def test_numbers_come_back_as_numbers():
    for x, f in itertools.product(
        (1.5, np.float64(1.5), np.float32(1.5)), (lambda x: x * x, lambda x: np.sum(np.append(X, x)))
    ):
        value, g = value_and_grad(f)(x)
        assert isinstance(g, np.floating)
        assert np.ndim(value) == np.ndim(g) == 0
    assert grad(lambda x: x * x)(np.float32(1.5)).dtype == np.float32


def test_stop_gradient():
    np.testing.assert_array_equal(grad(lambda x: np.sum(x * stop_gradient(x)))(X), X)
    assert jvp(lambda x: x * stop_gradient(x), (3.0,), (1.0,))[1] == 3
    assert grad(lambda x: x * float(stop_gradient(x)))(3.0) == 3
    np.testing.assert_array_equal(vmap(lambda x: x * stop_gradient(x))(X), X * X)


def test_elementwise_grad():
    np.testing.assert_allclose(elementwise_grad(np.tanh)(X), 1 - np.tanh(X) ** 2)
    np.testing.assert_allclose(elementwise_grad(elementwise_grad(np.sin))(X), -np.sin(X))


# ---------------------------------------------------------------- Jacobians and Hessians


def many(x):
    return np.array([[1.0, 2, 3], [4, 5, 6]]) @ (x * x)


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
@pytest.mark.parametrize("batch_size", [None, 1, 2, 5])
def test_jacobian(mode, batch_size):
    J = jacobian(many, mode=mode, batch_size=batch_size)(X)
    np.testing.assert_allclose(J, np.array([[1.0, 2, 3], [4, 5, 6]]) * 2 * X)


@pytest.mark.parametrize("jac", [jacfwd, jacrev])
def test_jacobians_of_containers(jac):
    f = lambda p, y: {"u": p["a"] * y, "v": np.sum(p["a"]) * y[:2]}
    J = jac(f, (0, 1))({"a": X}, X)
    np.testing.assert_array_equal(J["u"][0]["a"], np.diag(X))
    np.testing.assert_array_equal(J["v"][1], np.sum(X) * np.eye(2, 3))
    assert jac(lambda x: np.outer(x, x))(X).shape == (3, 3, 3)
    assert jac(lambda x: x * 2)(np.zeros(0)).shape == (0, 0)
    assert jac(lambda x: np.sum(x))(np.zeros((0, 2))).shape == (0, 2)
    assert jac(lambda x: x * 2)(3.0).shape == ()


@pytest.mark.parametrize("empty", [{}, [], (), None], ids=str)
def test_containers_without_arrays(empty):
    assert grad(lambda p: 1.0)(empty) == empty
    assert hessian(lambda p: 1.0)(empty) == empty
    assert vjp(lambda p: empty, empty)[1](empty) == (empty,)
    assert jvp(lambda p: empty, (empty,), (empty,)) == (empty, empty)
    for jac in (jacfwd, jacrev, jacobian):
        assert jac(lambda p: {"y": X})(empty) == {"y": empty}
        assert jac(lambda x: empty)(X) == empty


def test_hessian_and_hvp():
    f = lambda x: np.sum(np.sin(x)) * x[0]
    H = hessian(f)(X)
    np.testing.assert_allclose(H, H.T, atol=1e-15)
    np.testing.assert_allclose(hvp(f, (X,), (X + 1,)), H @ (X + 1))
    np.testing.assert_allclose(hessian(f, batch_size=2)(X), H)
    g = lambda x, y: np.sum(x * y) * y[0]
    hx, hy = hvp(g, (X, X), (X, 0 * X))
    np.testing.assert_allclose(hx, 0)
    np.testing.assert_allclose(hy, X * X[0] + np.eye(3)[0] * np.sum(X * X))


def test_linearize_does_not_evaluate_again():
    calls = []

    def f(x):
        calls.append(1)
        return np.sin(x) * x[0]

    _, push = linearize(f, X)
    for t in np.eye(3):
        np.testing.assert_allclose(push(t), jvp(lambda x: np.sin(x) * x[0], (X,), (t,))[1])
    assert len(calls) == 1


def test_linearize_of_containers_with_aux():
    f = lambda p, q: ({"a": p["x"] * q, "b": [p["y"] ** 2, None]}, ("aux", q))
    primals, tangents = ({"x": X, "y": 2.0}, X + 1), ({"x": X * X, "y": 3.0}, -X)
    out, push, aux = linearize(f, *primals, has_aux=True)
    value, dot, _ = jvp(f, primals, tangents, has_aux=True)
    for got, want in ((out, value), (push(*tangents), dot), (push(*tangents), dot)):
        np.testing.assert_array_equal(got["a"], want["a"])
        assert got["b"] == want["b"]
    assert aux[0] == "aux"
    assert type(aux[1]) is np.ndarray


def test_a_linear_part_called_often_holds_no_more():
    _, push = linearize(lambda x: np.sin(x) * np.exp(x), np.ones(1000))
    push(np.ones(1000))
    tracemalloc.start()
    try:
        for _ in range(20):
            push(np.ones(1000))
        assert tracemalloc.get_traced_memory()[0] < 8000
    finally:
        tracemalloc.stop()


def with_integers(x):
    return {"y": x * x, "order": np.argsort(x), "positive": x > 0, "n": 3, "first": np.argmax(x)}


@pytest.mark.parametrize(
    "dot",
    [
        lambda: jvp(with_integers, (X,), (X,))[1],
        lambda: linearize(with_integers, X)[1](X),
        lambda: {k: v[0] for k, v in jvp(vmap(with_integers), (X[None],), (X[None],))[1].items()},
        lambda: {k: v[0] for k, v in vmap(lambda x: jvp(with_integers, (x,), (x,))[1])(X[None]).items()},
        lambda: {k: v[0] for k, v in vmap(lambda x: linearize(with_integers, x)[1](x))(X[None]).items()},
    ],
    ids=["jvp", "linearize", "jvp of vmap", "vmap of jvp", "vmap of linearize"],
)
def test_tangents_of_integers_are_zeros_of_their_dtype(dot):
    out, got = with_integers(X), dot()
    np.testing.assert_array_equal(got.pop("y"), 2 * X * X)
    for k, t in got.items():
        assert (np.shape(t), np.asarray(t).dtype) == (np.shape(out[k]), np.asarray(out[k]).dtype)
        assert not np.any(t)


def test_cotangents_of_integers_count_for_nothing():
    out, pullback = vjp(with_integers, X)
    for bar in (out, {**out, "order": X}, {"y": out["y"], **dict.fromkeys(list(out)[1:])}):
        np.testing.assert_array_equal(pullback(bar)[0], 2 * X * out["y"])
    with pytest.raises(StructureError, match="None"):
        pullback({**out, "y": None})


@pytest.mark.parametrize("thing", ["text", object(), np.array(["a"]), np.array([None])], ids=type)
@pytest.mark.parametrize(
    "transform",
    [lambda f: jvp(f, (X,), (X,)), lambda f: vjp(f, X), lambda f: linearize(f, X), lambda f: jacfwd(f)(X)],
    ids=["jvp", "vjp", "linearize", "jacfwd"],
)
def test_what_is_no_number_is_not_differentiated(transform, thing):
    with pytest.raises(OutputError, match=r"the output\['s'\]\[0\] is .*has_aux=True"):
        transform(lambda x: {"y": x, "s": [thing]})
    assert jvp(lambda x: (x, thing), (X,), (X,), has_aux=True)[2] is thing


def test_bad_modes():
    with pytest.raises(InputError, match="'sideways'"):
        jacobian(many, mode="sideways")


# ---------------------------------------------------------------- vmap

A = np.arange(12.0).reshape(3, 4)


def test_vmap_axes():
    np.testing.assert_array_equal(vmap(lambda x: x * 2, in_axes=1, out_axes=1)(A), A * 2)
    np.testing.assert_array_equal(vmap(np.dot, (0, None))(A, np.ones(4)), A.sum(1))
    np.testing.assert_array_equal(vmap(np.dot, (None, 1))(np.ones(3), A), A.sum(0))
    np.testing.assert_array_equal(vmap(lambda x: x, 0, -1)(A), A.T)
    np.testing.assert_array_equal(vmap(lambda x, y: x + y, (-1, 0))(A, np.arange(4.0)), (A + np.arange(4)).T)


def test_vmap_trees():
    f = lambda p, s: {"u": p["a"] * s, "v": (p["b"][0], s)}
    p = {"a": A, "b": [np.arange(4.0)]}
    out = vmap(f, ({"a": 1, "b": 0}, None), {"u": 1, "v": (0, None)})(p, 3.0)
    np.testing.assert_array_equal(out["u"], A * 3)
    np.testing.assert_array_equal(out["v"][0], np.arange(4.0))
    assert out["v"][1] == 3
    with pytest.raises(StructureError, match="one number of items"):
        vmap(lambda x, y: x)(A, X[:2])
    with pytest.raises(StructureError, match="differs between items"):
        vmap(lambda x: x, out_axes=None)(A)
    with pytest.raises(StructureError, match="2 entries for 1"):
        vmap(lambda x: x, (0, 0))(A)


@pytest.mark.parametrize(
    ("axes", "tree"),
    [
        ({"b": None, "a": 0}, {"a": X, "b": 2.0}),
        ([0, None], [X, 2.0]),
        ((0, None), (X, 2.0)),
        (Pair(0, None), Pair(X, 2.0)),
        (Layer(0, None), Layer(X, 2.0)),
    ],
    ids=lambda x: type(x).__name__,
)
def test_axes_in_containers_of_any_kind(axes, tree):
    f = lambda tree: np.multiply(*dotbar.tree.flatten(tree)[0][:2])
    np.testing.assert_array_equal(vmap(f, (axes,))(tree), 2 * X)


@pytest.mark.parametrize("axes", [{"a": 0}, {"a": 0, "c": 0}, (0, 0), [0, 0, 0], "ab", 0.0])
def test_axes_that_do_not_match_the_containers(axes):
    pair = {"a": X, "b": X}
    with pytest.raises(StructureError, match="in_axes or out_axes has "):
        vmap(lambda p: p["a"], (axes,))(pair)
    with pytest.raises(StructureError, match="in_axes or out_axes has "):
        vmap(lambda x: pair, out_axes=axes)(X)


def test_vmap_nests_and_leaves_constants_alone():
    np.testing.assert_array_equal(vmap(vmap(lambda x, y: x * y, (0, None)), (None, 0))(X, X), np.outer(X, X))
    np.testing.assert_array_equal(vmap(lambda x: 1.0)(X), np.ones(3))
    assert vmap(lambda x: np.sum(x), 0)(np.ones((0, 3))).shape == (0,)


def test_vmap_keyword_arguments_and_integers():
    np.testing.assert_array_equal(vmap(lambda x, n: x * n)(X, n=np.arange(3)), X * np.arange(3))
    np.testing.assert_array_equal(vmap(lambda i, x: x[i], (0, 1))(np.array([2, 0]), np.stack([X, X], 1)), X[[2, 0]])
    with pytest.raises(ConversionError, match=r"X\[i\] at .*dotbar\.numpy\.take"):
        vmap(lambda i: X[i])(np.array([2, 0]))


def test_per_example_gradients():
    W = np.arange(4.0)
    loss = lambda w, x: np.tanh(w @ x) ** 2
    got = vmap(grad(loss), (None, 0))(W, A)
    np.testing.assert_allclose(got, np.stack([grad(loss)(W, x) for x in A]))


# ---------------------------------------------------------------- as Python objects


def cube(x):
    """x³."""
    return x**3


@dotbar.custom_vjp
def decorated(x):
    return cube(x)


decorated.defvjp(lambda x: (cube(x), x), lambda x, g: (7 * g,))


@pytest.mark.parametrize(
    "f",
    [
        grad(cube),
        grad(grad(cube)),
        value_and_grad(cube),
        elementwise_grad(cube),
        hessian(cube),
        jacfwd(cube),
        jacobian(cube, mode="reverse"),
        grad(decorated),
        grad(dotbar.checkpoint(cube)),
        grad(np.sin),
        dotbar.bars(cube),
        dotbar.dots(cube),
    ],
)
def test_derivative_functions_pickle(f):
    assert pickle.loads(pickle.dumps(f))(2.0) == f(2.0)


def test_pickled_vmap():
    f = pickle.loads(pickle.dumps(vmap(grad(cube))))
    np.testing.assert_array_equal(f(X), 3 * X**2)


def test_derivative_functions_keep_the_name_and_bind_as_methods():
    g = grad(cube)
    assert (g.__name__, g.__doc__) == ("cube", "x³.")

    class Model:
        scale = 2.0

        def energy(self, x):
            return self.scale * x * x

        force = grad(energy, 1)

    assert Model().force(3.0) == 12


def test_jacobian_and_hessian_by_keyword():
    x, w = np.array([0.3, -0.5]), np.array([1.2, 0.7])

    def f(x, *, w, b=0.0):
        return np.sin(x) * w + b * w

    def energy(x, *, w):
        return np.sum(f(x, w=w) ** 2)

    assert np.allclose(jacobian(f, argnames="w")(x, w=w), np.diag(np.sin(x)))
    by_x, by_w = jacobian(f, (0,), argnames=("w",))(x, w=w)
    assert np.allclose(by_x, np.diag(np.cos(x) * w))
    assert np.allclose(by_w, np.diag(np.sin(x)))
    assert np.allclose(hessian(energy, argnames="w")(x, w=w), np.diag(2 * np.sin(x) ** 2))

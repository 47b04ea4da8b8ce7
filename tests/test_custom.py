"""custom_jvp, custom_vjp and checkpoint: rules written by the user, in every mode and at every level."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

import dotbar
from dotbar import custom_jvp, custom_vjp, grad, hvp, jacfwd, jacrev, jvp, vjp, vmap
from dotbar.errors import InputError, MutationError, NoRuleError, RuleError
from dotbar.tape import Tape


def by_jvp():
    """x² sin(y), by its dot."""

    @custom_jvp
    def f(x, y):
        return x * x * np.sin(y)

    @f.defjvp
    def f_jvp(primals, tangents):
        (x, y), (xdot, ydot) = primals, tangents
        return f(x, y), 2 * x * np.sin(y) * xdot + x * x * np.cos(y) * ydot

    return f


def by_vjp():
    """x² sin(y), by its bar."""

    @custom_vjp
    def f(x, y):
        return x * x * np.sin(y)

    def fwd(x, y):
        return f(x, y), (x, y)

    def bwd(residuals, fbar):
        x, y = residuals
        return 2 * x * np.sin(y) * fbar, x * x * np.cos(y) * fbar

    f.defvjp(fwd, bwd)
    return f


def plain(x, y):
    return x * x * np.sin(y)


X, Y = np.linspace(0.5, 1.5, 3), np.linspace(-1, 1, 3)

TRANSFORMS = {
    "value": lambda f: f(X, Y),
    "grad": lambda f: grad(lambda x, y: np.sum(f(x, y)), (0, 1))(X, Y),
    "grad of one argument": lambda f: grad(lambda y: np.sum(f(X, y)))(Y),
    "jvp": lambda f: jvp(f, (X, Y), (Y, X)),
    "jvp of one argument": lambda f: jvp(lambda x: f(x, Y), (X,), (Y,)),
    "vmap": lambda f: vmap(f)(X, Y),
    "vmap of grad": lambda f: vmap(grad(f, (0, 1)))(X, Y),
    "grad of vmap": lambda f: grad(lambda x, y: np.sum(vmap(f)(x, y)), (0, 1))(X, Y),
    "shared argument": lambda f: grad(lambda x, y: np.sum(vmap(f, (0, None))(x, y)), (0, 1))(X, 0.3),
    "jvp of vmap, shared": lambda f: jvp(vmap(f, (0, None)), (X, 0.3), (Y, 1.0)),
    "grad of grad": lambda f: grad(lambda x: grad(lambda y: f(x, y))(0.4))(1.2),
    "reverse over reverse": lambda f: jacrev(jacrev(lambda x: f(x, Y)))(X),
    "forward over reverse": lambda f: jacfwd(jacrev(lambda x: f(x, Y)))(X),
    "reverse over forward": lambda f: jacrev(jacfwd(lambda x: f(x, Y)))(X),
    "forward over forward": lambda f: jacfwd(jacfwd(lambda x: f(x, Y)))(X),
    "hvp": lambda f: hvp(lambda x, y: np.sum(f(x, y)), (X, Y), (Y, X)),
    "keyword": lambda f: grad(lambda x: f(y=0.5, x=x))(1.5),
    "float32": lambda f: grad(lambda x: np.sum(f(x, Y.astype(np.float32))))(X.astype(np.float32)),
}


def assert_same(got, want):
    got, want = dotbar.tree.flatten(got)[0], dotbar.tree.flatten(want)[0]
    assert len(got) == len(want)
    for g, w in zip(got, want):
        assert np.asarray(g).dtype == np.asarray(w).dtype
        np.testing.assert_allclose(g, w, rtol=1e-6 if np.asarray(w).dtype == np.float32 else 1e-12, atol=1e-12)


@pytest.mark.parametrize("make", [by_jvp, by_vjp, lambda: dotbar.checkpoint(plain)], ids=["jvp", "vjp", "checkpoint"])
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_nests_like_the_plain_function(make, transform):
    assert_same(transform(make()), transform(plain))


def mixed(x):
    return plain(x[::-1], np.cumsum(x)) * np.sin(x)


def by_rule(f):
    return lambda x: f(x[::-1], np.cumsum(x)) * np.sin(x)


INSIDE = {
    "custom_jvp": by_rule(by_jvp()),
    "custom_vjp": by_rule(by_vjp()),
    "checkpoint": dotbar.checkpoint(mixed),
    "checkpoint of custom_jvp": dotbar.checkpoint(by_rule(by_jvp())),
    "checkpoint of custom_vjp": dotbar.checkpoint(by_rule(by_vjp())),
    "checkpoint of checkpoint": dotbar.checkpoint(lambda x: dotbar.checkpoint(by_rule(plain))(x)),
    "on_bar": lambda x: dotbar.on_bar(mixed(dotbar.on_bar(x, lambda g: g)), lambda g: None),
    "name": lambda x: dotbar.name(mixed(dotbar.name(x, "x")), "y"),
    "closure": lambda x: dotbar.checkpoint(lambda z: by_rule(by_vjp())(z) * x)(x) / x,
}


def levels(over):
    """Three transforms that keep the shape; ``over`` maps a function over items."""
    return {
        "grad": lambda f: grad(lambda x: np.sum(np.sin(f(x)))),
        "jvp": lambda f: lambda x: jvp(f, (x,), (Y,))[1],
        "vmap": lambda f: lambda x: np.sum(over(f)(np.stack([x, x / 2, x + 0.1])), 0),
    }


@pytest.mark.parametrize("f", INSIDE.values(), ids=INSIDE)
def test_all_nests_of_three_levels(f):
    """The 27 nests of grad, jvp and vmap, against the plain function and a loop."""
    tested = levels(vmap)
    wanted = levels(lambda f: lambda xs: np.stack([f(x) for x in xs]))
    for names in itertools.product(tested, repeat=3):
        got, want = f, mixed
        for name in names:
            got, want = tested[name](got), wanted[name](want)
        np.testing.assert_allclose(got(X), want(X), rtol=1e-10, atol=1e-10, err_msg=" of ".join(names[::-1]))


@pytest.mark.parametrize("mode", ["jvp", "vjp"])
def test_the_users_rule_is_used(mode):
    """A rule that is wrong on purpose shows in both modes and at both orders of nesting."""
    f = custom_jvp(lambda x: np.sin(x)) if mode == "jvp" else custom_vjp(lambda x: np.sin(x))
    if mode == "jvp":
        f.defjvp(lambda primals, tangents: (np.sin(primals[0]), 100 * tangents[0]))
    else:
        f.defvjp(lambda x: (np.sin(x), None), lambda _, ybar: (100 * ybar,))
    assert grad(f)(0.3) == 100
    assert jvp(f, (0.3,), (1.0,))[1] == 100
    assert vmap(grad(f))(X).tolist() == [100] * 3
    assert grad(lambda x: np.sum(vmap(f)(x)))(X).tolist() == [100] * 3


def test_complex_follows_the_real_inner_product():
    @custom_vjp
    def f(z):
        return (2 + 1j) * z

    f.defvjp(lambda z: (f(z), ()), lambda _, ybar: ((2 - 1j) * ybar,))
    z, zdot, ybar = np.array([1 + 2j]), np.array([0.3 - 1j]), np.array([1 - 1j])
    np.testing.assert_allclose(jvp(f, (z,), (zdot,))[1], (2 + 1j) * zdot)
    np.testing.assert_allclose(vjp(f, z)[1](ybar)[0], (2 - 1j) * ybar)


@dataclass
class Layer:
    W: np.ndarray
    b: np.ndarray | None


def test_containers():
    @custom_vjp
    def f(p, scale):
        return {"y": p.W * scale["s"], "n": 3}

    def fwd(p, scale):
        return f(p, scale), (p.W, scale["s"])

    def bwd(residuals, out_bar):
        W, s = residuals
        return Layer(out_bar["y"] * s, None), {"s": np.sum(W * out_bar["y"])}

    f.defvjp(fwd, bwd)
    loss = lambda p, scale: np.sum(f(p, scale)["y"] ** 2)
    g, gs = grad(loss, (0, 1))(Layer(X, Y), {"s": 2.0})
    np.testing.assert_allclose(g.W, 8 * X)
    np.testing.assert_allclose(g.b, 0 * Y)
    np.testing.assert_allclose(gs["s"], 4 * np.sum(X * X))
    _, dot = jvp(loss, (Layer(X, Y), {"s": 2.0}), (Layer(X, Y), {"s": 0.0}))
    np.testing.assert_allclose(dot, np.sum(g.W * X))


@pytest.mark.parametrize("kind", ["custom_jvp", "custom_vjp", "checkpoint"])
def test_integer_results(kind):
    """They have no derivative, and differ between the items of a batch."""

    def plain(x):
        return {"y": x * x, "order": np.argsort(x), "n": 3, "first": np.argmin(x)}

    if kind == "custom_jvp":
        f = custom_jvp(plain)
        f.defjvp(lambda p, t: (plain(*p), {"y": 2 * p[0] * t[0], "order": None, "n": None, "first": None}))
    elif kind == "custom_vjp":
        f = custom_vjp(plain)
        f.defvjp(lambda x: (plain(x), x), lambda x, bar: (2 * x * bar["y"],))
    else:
        f = dotbar.checkpoint(plain)
    batch = np.stack([X[::-1], Y, X])
    ranked = lambda f: (
        lambda x: (lambda out: np.sum(out["y"][out["order"]] * Y) * out["n"] + out["y"][out["first"]])(f(x))
    )
    over_items = lambda f: lambda xs: np.sum(vmap(f)(xs)["y"] * vmap(f)(xs)["order"])
    for nest in (
        lambda f: vmap(f)(batch),
        lambda f: jvp(f, (X,), (Y,)),
        lambda f: jvp(vmap(f), (batch,), (batch,)),
        lambda f: vmap(lambda x: jvp(f, (x,), (x,)))(batch),
        lambda f: vmap(ranked(f))(batch),
        lambda f: vmap(grad(ranked(f)))(batch),
        lambda f: grad(lambda xs: np.sum(vmap(ranked(f))(xs)))(batch),
        lambda f: grad(over_items(f))(batch),
        lambda f: vmap(vmap(f))(np.stack([batch, batch])),
    ):
        assert_same(nest(f), nest(plain))


def test_nondiff_argnums():
    @lambda f: custom_jvp(f, nondiff_argnums=(0,))
    def apply(g, x):
        return g(x)

    apply.defjvp(lambda g, primals, tangents: (g(*primals), 7 * tangents[0]))
    assert grad(lambda x: apply(np.sin, x))(1.0) == 7

    @lambda f: custom_vjp(f, nondiff_argnums=(1,))
    def power(x, n):
        return x**n

    power.defvjp(lambda x, n: (x**n, x), lambda n, x, ybar: (n * x ** (n - 1) * ybar,))
    assert grad(power)(2.0, 3) == 12
    assert jvp(lambda x: power(x, 3), (2.0,), (1.0,))[1] == 12
    with pytest.raises(InputError, match=r"argument 1 of .*power.*stop_gradient"):
        grad(lambda x: power(2.0, x))(3.0)


def test_defjvps():
    f = custom_jvp(lambda x, y: x * y)
    f.defjvps(lambda xdot, out, x, y: xdot * y, None)
    assert grad(f, (0, 1))(2.0, 3.0) == (3.0, 0.0)


def test_external_code_in_a_rule():
    """Rules get plain arrays at the lowest level, so they may call anything."""
    import math

    @custom_vjp
    def f(x):
        return math.sin(x)

    f.defvjp(lambda x: (math.sin(x), math.cos(x)), lambda c, ybar: (c * ybar,))
    assert grad(f)(0.5) == math.cos(0.5)


@pytest.mark.parametrize(
    ("bwd", "message"),
    [
        (lambda _, ybar: (np.ones(5),), r"bad returned a cotangent of shape \(5,\) where \(3,\) is expected"),
        (lambda _, ybar: (ybar, ybar), "bad returned a cotangent of the wrong structure"),
        (lambda _, ybar: ybar, "bad returned a cotangent of the wrong structure"),
    ],
)
@pytest.mark.parametrize(
    "transform",
    [
        lambda f: vjp(f, X)[1](X),
        lambda f: jvp(f, (X,), (X,)),
        lambda f: grad(lambda x: np.sum(vmap(f)(np.stack([x, x]))))(X),
    ],
    ids=["vjp", "jvp", "grad of vmap"],
)
def test_a_wrong_bar_is_refused(bwd, message, transform):
    f = custom_vjp(lambda x: np.sin(x))
    f.f.__qualname__ = "bad"
    f.defvjp(lambda x: (np.sin(x), None), bwd)
    with pytest.raises(RuleError, match=message):
        transform(f)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda p, t: (p[0], np.ones(5)), r"bad returned a tangent of shape \(5,\) where \(3,\)"),
        (lambda p, t: (p[0], (t[0], t[0])), r"bad returned a tangent of .*"),
        (lambda p, t: t[0], r"bad must return \(out, out_dot\)"),
    ],
)
def test_a_wrong_dot_is_refused(rule, message):
    f = custom_jvp(lambda x: x)
    f.f.__qualname__ = "bad"
    f.defjvp(rule)
    with pytest.raises(RuleError, match=message):
        jvp(f, (X,), (X,))
    with pytest.raises(RuleError, match=message):
        vjp(f, X)


def test_forward_through_a_bar_without_rules():
    import math

    f = custom_vjp(lambda x: np.sin(x))
    f.f.__qualname__ = "opaque"
    f.defvjp(lambda x: (np.sin(x), x), lambda x, ybar: (math.cos(x) * float(ybar),))
    assert grad(f)(0.5) == math.cos(0.5)
    with pytest.raises(RuleError, match="opaque transposes its bwd"):
        jvp(f, (0.5,), (1.0,))


def test_closed_over_values_are_refused():
    f = custom_vjp(lambda x: x)

    def loss(w):
        f.defvjp(lambda x: (x * w, None), lambda _, ybar: (ybar,))
        return f(w)

    with pytest.raises(RuleError, match="Pass the value as an argument"):
        grad(loss)(1.0)


@pytest.mark.parametrize("f", [custom_jvp(lambda x: x), custom_vjp(lambda x: x)], ids=["jvp", "vjp"])
def test_without_a_rule(f):
    assert f(1.0) == 1.0
    with pytest.raises(NoRuleError, match="define it with"):
        grad(f)(1.0)


# ---------------------------------------------------------------- checkpoint


def deep(x):
    for _ in range(50):
        x = np.sin(x) + 0.1 * x
    return x


def test_checkpoint_leaves_one_entry(monkeypatch):
    """After the call the tape holds the call alone; while the sweep runs, one segment at a time."""
    longest = []
    close = Tape.close

    def closing(tape):
        longest.append(len(tape.entries))
        close(tape)

    monkeypatch.setattr(Tape, "close", closing)
    step = dotbar.checkpoint(deep)
    g = grad(lambda x: np.sum(step(step(step(x)))))(X)
    assert longest[0] < 12
    assert max(longest) < 170
    np.testing.assert_allclose(g, grad(lambda x: np.sum(deep(deep(deep(x)))))(X), rtol=1e-12)


def test_checkpoint_closes_over_traced_values():
    def loss(w, x, step):
        return np.sum(step(lambda x: np.tanh(w * x) * w)(x) * w)

    for g in (lambda step: grad(loss, (0, 1))(X, Y, step), lambda step: hvp(lambda w: loss(w, Y, step), (X,), (Y,))):
        assert_same(g(dotbar.checkpoint), g(lambda f: f))
    nested = lambda step: grad(lambda w: grad(lambda x: step(lambda x: np.sin(w * x) * x)(x))(0.3))(0.7)
    assert_same(nested(dotbar.checkpoint), nested(lambda f: f))
    inner = lambda step: grad(lambda w: grad(lambda y: step(lambda w: np.sin(w * y))(w))(0.3))(0.7)
    assert_same(inner(dotbar.checkpoint), inner(lambda f: f))


def test_checkpoint_nested_containers_and_repeated_pullbacks():
    inner = dotbar.checkpoint(lambda p: {"h": np.sin(p["x"]) * p["y"]})
    outer = dotbar.checkpoint(lambda p, n: [inner(p)["h"] * n, inner({"x": p["y"], "y": p["x"]})["h"], n])
    out, pullback = vjp(lambda p: outer(p, 2)[:2], {"x": X, "y": Y})
    want_out, want = vjp(lambda p: [np.sin(p["x"]) * p["y"] * 2, np.sin(p["y"]) * p["x"]], {"x": X, "y": Y})
    assert_same(out, want_out)
    for bar in ([X, Y], [Y, X]):
        assert_same(pullback(bar), want(bar))
    assert_same(jacrev(lambda x: outer({"x": x, "y": Y}, 2)[0])(X), np.diag(np.cos(X) * Y * 2))


def test_checkpoint_works_on_its_own_arguments():
    def inplace(x):
        x[0] = x[1] * x[2]
        return x * x

    f = dotbar.checkpoint(inplace)
    x = X.copy()
    g = grad(lambda x: np.sum(f(x) * x))(x)
    np.testing.assert_array_equal(x, X)
    want = grad(lambda x: np.sum(inplace(np.copy(x)) * x))(X)
    np.testing.assert_allclose(g, want)

    def outside(x):
        y = x * 1.0

        def write(x):
            y[0] = x[1]
            return y

        return np.sum(dotbar.checkpoint(write)(x))

    with pytest.raises(MutationError, match="made outside"):
        grad(outside)(X)

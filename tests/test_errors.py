"""Errors say what was attempted, where, and what to write instead; their tracebacks end at the user's line."""

import inspect
import math
import pickle
import traceback

import numpy as np
import pandas
import pytest
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.optimize
import scipy.sparse.linalg
import scipy.spatial
import scipy.special
import scipy.stats

import dotbar
from dotbar import errors, grad, jvp, vjp
from dotbar.errors import (
    ConversionError,
    EscapedError,
    InputError,
    MutationError,
    NoRuleError,
    OutputError,
    RuleError,
    StructureError,
)

X = np.array([0.5, -1.0, 2.0])


def into_plain(x):
    plain = np.zeros(3)
    plain[0] = x[0]
    return plain[0]


def into_plain_slice(x):
    plain = np.zeros(3)
    plain[:2] = x[:2]
    return plain[0]


def add_to_plain(x):
    plain = np.zeros(3)
    plain += x
    return plain[0]


PLAIN_TARGET = r"in {name}\..*np\.zeros_like\(x\), np\.zeros\(n, like=x\) or dotbar\.numpy\.zeros\(n\)"
CONVERSIONS = {
    "np.array": (
        lambda x: np.sum(np.array([x[0], x[1]])),
        r"np\.array\(\[x\[0\], x\[1\]\]\) at .*dotbar\.numpy\.array.*np\.stack",
    ),
    "np.asarray": (lambda x: np.sum(np.asarray(x)), r"dotbar\.numpy\.asarray"),
    "np.full": (lambda x: np.sum(np.full(2, x[0])), r"dotbar\.numpy\.full"),
    "np.r_": (lambda x: np.sum(np.r_[x[0], 1.0]), r"dotbar\.numpy\.r_"),
    "np.random": (lambda x: np.random.default_rng(0).normal(x[0]), r"mean \+ scale \* rng\.normal\(\)"),
    "no counterpart": (lambda x: sum(v for _, v in np.ndenumerate(x)), r"Use NumPy's functions on the value"),
    "pandas": (lambda x: np.sum(pandas.Series(X) * x), r"Series\(X\) \* x at .*\.to_numpy\(\)"),
    "plain[x]": (lambda x: np.arange(3.0)[x[0]], r"dotbar\.numpy\.take"),
    "pickle": (lambda x: pickle.loads(pickle.dumps(x))[0], "a pickle but was given a traced value"),
    "float": (lambda x: float(x[0]), r"float\(x\[0\]\) at .*stop_gradient\(x\)"),
    "complex": (lambda x: complex(x[0]), "a plain complex number"),
    "math.sin": (lambda x: math.sin(x[0]), r"math\.sin\(x\[0\]\) at .*Use np\.sin"),
    "item": (lambda x: x[0].item(), r"\.item.*stop_gradient"),
    "tolist": (lambda x: x.tolist()[0], r"\.tolist.*stop_gradient"),
    "scipy": (lambda x: np.sum(scipy.linalg.expm(np.diag(x))), r"scipy\.linalg\.expm.*dotbar\.scipy\.linalg\.expm"),
    "plain[i] = x": (into_plain, PLAIN_TARGET.format(name="into_plain")),
    "plain[i:j] = x": (into_plain_slice, PLAIN_TARGET.format(name="into_plain_slice")),
    "plain += x": (add_to_plain, PLAIN_TARGET.format(name="add_to_plain")),
    "out=plain": (lambda x: np.sum(np.sin(x, out=np.zeros(3))), r"np\.zeros_like\(x\)"),
}


@pytest.mark.parametrize(("f", "message"), CONVERSIONS.values(), ids=CONVERSIONS)
@pytest.mark.parametrize("mode", [grad, lambda f: lambda x: jvp(f, (x,), (x,))], ids=["reverse", "forward"])
def test_conversions(f, message, mode):
    with pytest.raises(ConversionError, match=message) as caught:
        mode(f)(X)
    assert __file__ in str(caught.value)
    assert isinstance(caught.value, TypeError)


def test_what_numpy_hides_ends_at_the_users_line():
    with pytest.raises(ConversionError) as caught:
        grad(into_plain)(X)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "into_plain"


def test_undifferentiated_values_convert_freely():
    y = grad(lambda x: x[0] * float(np.zeros(2, like=x)[0]) + np.array([1.0])[0] * x[1])(X)
    np.testing.assert_array_equal(y, [0, 1, 0])


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: np.busday_count(x, 2), r"numpy\.busday_count has no derivative rule.*nearest.*dotbar\.extend"),
        (
            lambda x: scipy.special.lambertw(x),
            r"scipy\.special\.lambertw has .* Use dotbar\.scipy\.special\.lamb",
        ),
    ],
)
def test_a_function_without_a_rule(f, message):
    with pytest.raises(NoRuleError, match=message):
        grad(f)(X)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (3, r"argument 0 is the integer 3.*Pass 3\.0"),
        ({"n": [1.0, 2]}, r"argument 0\['n'\]\[1\] is the integer 2"),
        (np.arange(3), r"argument 0 is of dtype int64.*astype\(float\)"),
        (np.array([True]), "argument 0 is of dtype bool"),
        (True, "argument 0 is"),
        ("float64", "argument 0 is a str"),
        (np.array([1.0], object), "argument 0 is of dtype object"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), "masked arrays"),
        (np.ones((2, 2)).view(np.matrix), r"np\.asarray\(x\) and @"),
    ],
)
def test_arguments_that_are_not_differentiable(x, message):
    with pytest.raises(InputError, match=message):
        grad(lambda x: 1.0)(x)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: x, r"array of shape \(3,\).*jacobian\(f\), vjp\(f, x\) or elementwise_grad"),
        (lambda x: {"y": x}, "returned a dict"),
        (lambda x: x[0] * 1j, "complex.*holomorphic=True"),
        (lambda x: x[0] > 0, "dtype bool"),
        (lambda x: None, "NoneType"),
    ],
)
def test_results_that_are_no_real_number(f, message):
    with pytest.raises(OutputError, match=message):
        grad(f)(X)


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: grad(np.sum(X)), InputError, r"takes a function, not a float64: grad\(f\)\(x\), not grad\(f\(x\)\)"),
        (lambda: grad(np.hypot, (0, -2))(1.0, 2.0), InputError, "the same argument twice"),
        (lambda: grad(np.hypot, "x"), InputError, "argnums is 'x'"),
        (lambda: dotbar.jacobian(np.sin, 1)(X), InputError, "argnums has 1"),
        (lambda: grad(np.sum, has_aux=True)(X), OutputError, r"pair \(output, aux\)"),
        (lambda: vjp(lambda x: (x, x, x), X, has_aux=True), OutputError, "a tuple of 3"),
        (lambda: jvp(np.sin, X, X), StructureError, "primals must be a tuple"),
        (lambda: dotbar.jacobian(np.sin, batch_size=0), InputError, "batch_size is 0"),
        (lambda: dotbar.linearize(np.sin, X)[1](X[:2]), StructureError, r"tangents\[0\] has shape \(2,\)"),
        (lambda: dotbar.vmap(np.sin)(2.0), StructureError, r"axis 0 of an argument of shape \(\)"),
        (lambda: dotbar.vmap(np.sin, in_axes=-2)(X), StructureError, r"axis -2 of an argument of shape \(3,\)"),
    ],
)
def test_misuse_of_a_transform(use, error, message):
    with pytest.raises(error, match=message):
        use()


def test_an_output_independent_of_the_input_has_gradient_zero():
    for f in (lambda x: 1.0, lambda x: np.sum(np.ones(3)), lambda x: np.sum(x > 0) * 1.0):
        np.testing.assert_array_equal(grad(f)(X), np.zeros(3))
    g = grad(lambda x: 2.0)(X.astype(np.float32))
    assert g.dtype == np.float32


def escaped(transform):
    kept = []

    def f(x):
        kept.append(np.sin(x))
        return np.sum(x)

    transform(f)
    return kept[0]


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: grad(f)(X),
        lambda f: vjp(f, X),
        lambda f: jvp(f, (X,), (X,)),
        lambda f: dotbar.vmap(f)(np.stack([X, X])),
    ],
    ids=["grad", "vjp", "jvp", "vmap"],
)
@pytest.mark.parametrize("use", [np.sin, lambda y: y * 2, lambda y: y[0], lambda y: y.sum()])
def test_a_value_that_escaped_its_transform(transform, use):
    y = escaped(transform)
    with pytest.raises(EscapedError, match=r"after its transform had ended.*has_aux=True"):
        use(y)


@pytest.mark.parametrize(
    ("bar", "message"),
    [
        ([X], r"structure of the .* is .*\[\*\].*its primal .*\{'y': \*\}"),
        ({"y": X[:2]}, r"cotangent\['y'\] has shape \(2,\), its primal \(3,\)"),
        ({"y": X * 1j}, r"cotangent\['y'\] is complex"),
        ({"y": None}, "structure"),
        ({"y": np.array(["a", "b", "c"])}, r"cotangent\['y'\] is of dtype <U1"),
    ],
)
def test_cotangents_and_tangents_that_do_not_match(bar, message):
    _, pullback = vjp(lambda x: {"y": np.sin(x)}, X)
    with pytest.raises(StructureError, match=message):
        pullback(bar)
    tangent = dotbar.tree.tree_map(lambda t: t, bar)
    with pytest.raises(StructureError, match=message.replace("cotangent", "tangents\\[0\\]")):
        jvp(lambda p: p["y"], ({"y": X},), (tangent,))


def shapes(x):
    return np.sum(x + np.ones(4))  # NumPy refuses


@pytest.mark.parametrize(
    "transform",
    [
        grad(shapes),
        grad(lambda x: grad(shapes)(x)[0]),
        dotbar.hessian(shapes),
        lambda x: jvp(shapes, (x,), (x,)),
        lambda x: dotbar.vmap(shapes)(np.stack([x, x])),
        grad(dotbar.checkpoint(shapes)),
        lambda x: dotbar.bars(shapes)(x),
        lambda x: dotbar.graph(shapes, x),
    ],
)
def test_numpys_own_message_and_no_internals(transform):
    with pytest.raises(ValueError, match="operands could not be broadcast together") as caught:
        transform(np.ones(3))
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (last.filename, last.name) == (__file__, "shapes")


@pytest.mark.parametrize(
    "f", [lambda x: x + np.ones(4), lambda x: x @ np.ones(4), lambda x: np.ones((2, 4)) @ x, lambda x: np.sum(x, 2)]
)
def test_messages_about_shapes_are_numpys_own(f):
    """Also under vmap, which does not show the axis of items."""
    with pytest.raises(ValueError) as own:  # noqa: PT011
        f(X)
    for transform in (lambda: grad(f)(X), lambda: dotbar.vmap(f)(np.stack([X, X]))):
        with pytest.raises(type(own.value)) as caught:
            transform()
        assert str(caught.value) == str(own.value)


def test_objects_do_not_lose_the_derivative():
    for mode in (grad, lambda f: lambda x: jvp(f, (x,), (x,))):
        with pytest.raises(InputError, match=r"numpy\.multiply was given an array of objects.*astype\(float\)"):
            mode(lambda x: np.sum(x * np.array([1, 2, 3], object)))(X)


def test_linalg_errors_are_numpys_own():
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        grad(lambda A: np.sum(np.linalg.cholesky(A)))(-np.eye(2))
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        grad(lambda A: np.sum(np.linalg.inv(A)))(np.zeros((2, 2)))


def test_index_errors_are_numpys_own():
    with pytest.raises(IndexError, match="index 5 is out of bounds"):
        grad(lambda x: x[5])(X)


def test_an_array_changed_between_the_passes():
    """No effect if it is small; else an error that names the line where it was used."""
    small, large = np.ones(3), np.ones(10**6)
    _, pullback = vjp(lambda x: np.sum(small * x), np.ones(3))
    small[1] = 7
    np.testing.assert_array_equal(pullback(1.0)[0], np.ones(3))
    _, pullback = vjp(lambda x: np.sum(large * x), np.ones(10**6))
    large[1] = 7
    with pytest.raises(MutationError, match=rf"shape \(1000000,\).*{__file__}"):
        pullback(1.0)


def test_a_rule_of_the_wrong_shape():
    f = dotbar.custom_vjp(lambda x: np.sin(x))
    f.defvjp(lambda x: (np.sin(x), x), lambda x, g: (g[:1],))
    with pytest.raises(RuleError, match=r"lambda.*cotangent of shape \(1,\)"):
        grad(lambda x: np.sum(f(x)))(X)


def test_the_hierarchy_is_the_one_drawn():
    """Every exception is in the docstring, with the bases it has."""
    for name, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, errors.DotbarError):
            assert name in errors.__doc__
            other = [
                base.__name__ for base in error.__bases__ if base is not errors.DotbarError and base is not Exception
            ]
            for base in other:
                assert f"{name} ({base})" in errors.__doc__


P = np.random.default_rng(0).normal(size=(6, 3))
SOLVERS, TREE = r"integrate\.{}.*dotbar\.scipy\.integrate\.solve_ivp", r"spatial\.{}.*stop_gradient\(points\)"
CLASSES = {
    "cKDTree": (lambda x: scipy.spatial.cKDTree(x * P), TREE),
    "KDTree": (lambda x: scipy.spatial.KDTree(P).query(x * P[0]), TREE),
    "Delaunay": (lambda x: [scipy.spatial.Delaunay(P).find_simplex(v * P) for v in [x]], TREE),
    "Voronoi": (lambda x: scipy.spatial.Voronoi(points=x * P), TREE),
    "ConvexHull": (lambda x: scipy.spatial.ConvexHull(x * P), r"use dotbar\.scipy\.spatial\.{}"),
    "RK45": (lambda x: scipy.integrate.RK45(lambda t, y: -y, 0.0, x * P[0], 1.0), SOLVERS),
    "BDF": (lambda x: scipy.integrate.BDF(lambda t, y: -x * y, 0.0, P[0], 1.0), SOLVERS),
    "ode": (lambda x: scipy.integrate.ode(lambda t, y: -x * y).set_initial_value(P[0]).integrate(1.0), SOLVERS),
    "interp1d": (lambda x: scipy.interpolate.interp1d(P[0], P[1])(x), r"use dotbar\.scipy\.interpolate\.{}"),
    "rv_histogram": (lambda x: scipy.stats.rv_histogram(np.histogram(P)).pdf(x), r"use dotbar\.scipy\.stats\.{}"),
    "gumbel_r": (lambda x: scipy.stats.gumbel_r(x).pdf(0.0), r"use dotbar\.scipy\.stats\.{}"),
    "dirichlet": (lambda x: scipy.stats.dirichlet(x * np.ones(2)).mean(), r"use dotbar\.scipy\.stats\.{}"),
    "splu": (
        lambda x: scipy.sparse.linalg.splu(FACTORS).solve(x * np.ones(3)),
        r"use dotbar\.scipy\.sparse\.linalg\.{}",
    ),
    "fsolve": (lambda x: scipy.optimize.fsolve(lambda z: z**2 - x, 1.0), r"use dotbar\.scipy\.optimize\.{}"),
}
FACTORS = scipy.sparse.csc_array(np.eye(3))


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.filterwarnings("ignore")
def test_what_scipy_makes_of_a_traced_value_is_named(name):
    """Also the classes and methods that are written in C, which have no frame of their own."""
    f, message = CLASSES[name]
    with pytest.raises(ConversionError, match=message.format(name)):
        grad(lambda x: np.sum(f(x)))(1.5)


def test_the_solve_of_factors_is_named():
    factors = scipy.sparse.linalg.splu(FACTORS)
    with pytest.raises(ConversionError, match=r"scipy\.sparse\.linalg\.SuperLU .*dotbar\.scipy\.sparse\.linalg\.splu"):
        grad(lambda x: np.sum(factors.solve(x)))(X)


def test_a_call_of_several_lines_is_shown():
    def f(x):
        return np.array(
            [x[0], 1.0],
        )[0]

    with pytest.raises(ConversionError, match=r"np\.array\( \[x\[0\], 1\.0\], \) at .*dotbar\.numpy\.array"):
        grad(f)(X)

"""``dotbar.numpy`` is all of ``numpy``; what NumPy never dispatches differentiates there, and only there."""

import contextlib
import copy
import importlib
import inspect
import pickle

import numpy as np
import pytest
from samples import all_samples

import dotbar.numpy as dnp
from dotbar import grad, jvp, vmap
from dotbar.core import RULES
from dotbar.errors import ConversionError, NoRuleError
from dotbar.tree import flatten

C = np.array([0.3, -0.5, 0.7, 0.2, 0.9])
B = np.array([1.3, 0.6, -0.7])


# ---------------------------------------------------------------- the names


def test_every_public_name_of_numpy():
    assert dnp.__all__ == np.__all__
    assert {name for name in dir(np) if not name.startswith("_")} <= set(dir(dnp))
    assert all(hasattr(dnp, name) for name in dir(np))


def test_it_is_loaded_when_first_used():
    assert importlib.import_module("dotbar").numpy is dnp


@pytest.mark.parametrize("module", ["linalg", "fft", "random", "lib", "polynomial"])
def test_every_public_name_of_its_modules(module):
    own, numpys = importlib.import_module(f"dotbar.numpy.{module}"), importlib.import_module(f"numpy.{module}")
    assert own is getattr(dnp, module)
    assert set(own.__all__) >= {name for name in numpys.__all__ if hasattr(numpys, name)}
    assert all(hasattr(own, name) for name in own.__all__)


@pytest.mark.parametrize("basis", ["polynomial", "chebyshev", "hermite", "hermite_e", "laguerre", "legendre"])
def test_every_public_name_of_the_polynomial_bases(basis):
    assert getattr(dnp.polynomial, basis).__all__ == getattr(np.polynomial, basis).__all__


def callables():
    modules = (np, dnp), (np.linalg, dnp.linalg), (np.fft, dnp.fft)
    pairs = [(getattr(numpys, name), getattr(own, name)) for numpys, own in modules for name in sorted(numpys.__all__)]
    functions = [
        (fn, own) for fn, own in pairs if callable(fn) and hasattr(fn, "__name__") and not isinstance(fn, type)
    ]
    return [pytest.param(fn, own, id=fn.__name__) for fn, own in functions]


@pytest.mark.parametrize(("fn", "own"), callables())
def test_a_function_is_known_by_its_name(fn, own):
    assert own.__name__ == fn.__name__
    assert isinstance(own, np.ufunc) == isinstance(fn, np.ufunc)
    assert pickle.loads(pickle.dumps(own)) is own or own is fn
    assert copy.deepcopy(own) is own or own is fn


@pytest.mark.parametrize(("fn", "own"), [pair for pair in callables() if pair.values[0] in RULES])
def test_a_function_with_a_rule_is_described_as_in_numpy(fn, own):
    if fn is not np.kaiser:
        assert own.__doc__.split()[:8] == fn.__doc__.split()[:8]  # SciPy appends to that of np.sinc, in place
        with contextlib.suppress(ValueError):  # older versions of NumPy do not know it of what is written in C
            assert inspect.signature(own).parameters == inspect.signature(fn).parameters


def test_ufuncs_say_of_themselves_what_numpys_do():
    assert (dnp.add.nin, dnp.add.nout, dnp.add.identity, dnp.matmul.signature) == (2, 1, 0, np.matmul.signature)
    assert dnp.sin.types == np.sin.types
    assert repr(dnp.sin) == repr(np.sin)
    assert dnp.abs is dnp.absolute
    assert dnp.pi is np.pi
    assert dnp.ndarray is np.ndarray


# ---------------------------------------------------------------- values and derivatives


def weighed(y):
    """One number that depends on every entry of a result."""
    ys = y if isinstance(y, (tuple, list)) else [y]
    parts = [np.real(v.coef if hasattr(v, "coef") else v) for v in ys]
    return sum(np.sum(v * np.cos(np.arange(np.size(v))).reshape(np.shape(v))) for v in parts)


def check(f, x=C):
    """``f(module, x)`` is NumPy's on plain input, and has its derivative by differences in both modes."""
    at = lambda x: weighed(f(dnp, x))
    assert np.allclose(at(x), weighed(f(np, x)), rtol=1e-13)
    t, h = np.cos(1.7 * np.arange(x.size)), 1e-4
    central = lambda h: (weighed(f(np, x + h * t)) - weighed(f(np, x - h * t))) / (2 * h)
    want = (4 * central(h / 2) - central(h)) / 3
    value, dot = jvp(at, (x,), (t,))
    assert np.allclose(value, at(x), rtol=1e-12)
    assert np.allclose(dot, want, rtol=1e-6, atol=1e-8)
    assert np.allclose(np.sum(grad(at)(x) * t), dot, rtol=1e-10)


def filled(np_, x):
    y = np_.zeros(3, getattr(x, "dtype", float))
    y[0] = x[0]
    y[1:] = x[1:3] * y[0]
    return y


CASES = {
    "array of scalars": lambda np, x: np.array([[x[0], 1.0], [2, x[1]]]),
    "array of arrays and lists": lambda np, x: np.array([x, [1, 2, 3, x[0], 2]]),
    "array nested thrice": lambda np, x: np.array([[[x[0]], [2]], [[1.0], [x[1]]]]),
    "asarray": lambda np, x: np.asarray([x[0], x[1]]),
    "asanyarray": lambda np, x: np.asanyarray(x),
    "ascontiguousarray": lambda np, x: np.ascontiguousarray(x[::-1]),
    "asfortranarray": lambda np, x: np.asfortranarray(x[:, None] * x),
    "asarray_chkfinite": lambda np, x: np.asarray_chkfinite(x),
    "require": lambda np, x: np.require(x, requirements="C"),
    "fromiter": lambda np, x: np.fromiter((2 * v for v in x), float),
    "zeros": filled,
    "full": lambda np, x: np.full((2, 3), x[0]),
    "full of an array": lambda np, x: np.full((2, 5), x),
    "arange": lambda np, x: np.arange(x[0], 3.0, 0.5),
    "r_": lambda np, x: np.r_[x, 0, x[0], [1, 2], x[:2], 0:3],
    "r_ linspace": lambda np, x: np.r_[x[0] : x[1] : 5j],
    "r_ with an axis": lambda np, x: np.r_["0,2", x, x],
    "c_": lambda np, x: np.c_[x, 2 * x],
    "mgrid": lambda np, x: np.mgrid[x[0] : x[1] : 5j, 0 : x[2] : 3j],
    "mgrid with a step": lambda np, x: np.mgrid[x[0] : 2.0 : 0.5],
    "ogrid": lambda np, x: np.ogrid[x[0] : x[1] : 5j, 0 : x[2] : 3j],
    "meshgrid": lambda np, x: np.meshgrid(x, 2 * x),
    "indices": lambda np, x: np.indices((2, 3)) * x[0],
    "fromfunction": lambda np, x: np.fromfunction(lambda i, j: i * x[0] + j, (2, 3)),
    "vectorize": lambda np, x: np.vectorize(lambda v, w: v * w + 1)(x, 2.0),
    "kaiser": lambda np, x: np.kaiser(6, x[0]),
    "hanning": lambda np, x: np.hanning(5) * x,
    "average": lambda np, x: np.average(x, weights=x * x),
    "as_strided": lambda np, x: np.lib.stride_tricks.as_strided(x, (3, 3), (8, 8)),
    "sliding_window_view": lambda np, x: np.lib.stride_tricks.sliding_window_view(x, 3),
    "emath.sqrt": lambda np, x: np.emath.sqrt(x),
    "emath.log": lambda np, x: 1j * np.emath.log(x) * x,
    "emath.power": lambda np, x: np.emath.power(x, x),
    "poly1d": lambda np, x: np.poly1d(x)(x[0]),
    "poly1d deriv": lambda np, x: np.poly1d(x).deriv()(0.5),
    "poly1d integ": lambda np, x: np.poly1d(x).integ(2)(0.4),
    "poly1d product": lambda np, x: (np.poly1d(x) * np.poly1d(B)).c,
    "poly1d roots": lambda np, x: np.poly1d(x).r,
}


@pytest.mark.parametrize("case", CASES)
def test_undispatched(case):
    check(CASES[case])


BASES = {
    "polynomial": ("poly", "Polynomial"),
    "chebyshev": ("cheb", "Chebyshev"),
    "hermite": ("herm", "Hermite"),
    "hermite_e": ("herme", "HermiteE"),
    "laguerre": ("lag", "Laguerre"),
    "legendre": ("leg", "Legendre"),
}
FUNCTIONS = {
    "add": lambda f, x: f("add")(x, B),
    "sub": lambda f, x: f("sub")(B, x),
    "mul": lambda f, x: f("mul")(x, B),
    "mulx": lambda f, x: f("mulx")(x),
    "div": lambda f, x: f("div")(x, B),
    "pow": lambda f, x: f("pow")(x, 3),
    "val": lambda f, x: f("val")(x[:3], x),
    "val2d": lambda f, x: f("val2d")(x, 2 * x, x[:, None] * x),
    "val3d": lambda f, x: f("val3d")(x, 2 * x, x, x[:, None, None] * x[:, None] * x),
    "grid2d": lambda f, x: f("grid2d")(x, 2 * x, x[:, None] * x),
    "grid3d": lambda f, x: f("grid3d")(x[:2], x[:3], x[1:], x[:, None, None] * x[:, None] * x),
    "der": lambda f, x: f("der")(x, 2),
    "int": lambda f, x: f("int")(x, 2, [x[0], 1]),
    "roots": lambda f, x: f("roots")(x),
    "fromroots": lambda f, x: f("fromroots")(x),
    "companion": lambda f, x: f("companion")(x),
    "vander": lambda f, x: f("vander")(x, 3),
    "vander2d": lambda f, x: f("vander2d")(x, 2 * x, [1, 2]),
    "vander3d": lambda f, x: f("vander3d")(x, 2 * x, x * x, [1, 2, 1]),
    "fit": lambda f, x: f("fit")(np.arange(5.0), x, 2),
    "fit of weighted points": lambda f, x: f("fit")(3 * x, C[::-1], 2, w=x + 1),
    "line": lambda f, x: f("line")(x[0], x[1]),
}
METHODS = {
    "call": lambda P, x: P(x)(2 * x),
    "product": lambda P, x: P(x) * P(B),
    "scaled": lambda P, x: x[0] * P(x) + 1,
    "power": lambda P, x: P(x) ** 2,
    "divmod": lambda P, x: divmod(P(x), P(B)),
    "deriv": lambda P, x: P(x).deriv()(x[1]),
    "integ": lambda P, x: P(x).integ(1, [x[0]])(x[1]),
    "roots": lambda P, x: P(x).roots(),
    "fit": lambda P, x: P.fit(np.arange(5.0), x, 2)(0.3),
    "domain": lambda P, x: P(x, domain=[x[0], x[1]])(x[2]),
    "fromroots": lambda P, x: P.fromroots(x),
    "linspace": lambda P, x: P(x).linspace(5),
}


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_polynomial_functions(basis, name):
    prefix, _ = BASES[basis]
    check(lambda np, x: FUNCTIONS[name](lambda n: getattr(getattr(np.polynomial, basis), prefix + n), x))


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("name", METHODS)
def test_polynomial_classes(basis, name):
    _, cls = BASES[basis]
    check(lambda np, x: METHODS[name](getattr(np.polynomial, cls), x))


def test_a_basis_is_converted_to_another():
    check(lambda np, x: np.polynomial.Chebyshev(x).convert(kind=np.polynomial.Legendre))
    check(lambda np, x: np.polynomial.hermite.poly2herm(np.polynomial.legendre.leg2poly(x)))


# ---------------------------------------------------------------- lists, and arguments NumPy does not look at

LISTS = {
    "mean": lambda np, x: np.mean([x[0], x[1]]),
    "sum of a nested list": lambda np, x: np.sum([[x[0], 2 * x[1]], [1.0, x[2]]], axis=0),
    "sum of a tuple": lambda np, x: np.sum((x, x * x), 0),
    "by keyword": lambda np, x: np.sum(a=[x, 2 * x]),
    "norm": lambda np, x: np.linalg.norm([x[0], x[1]]),
    "solve": lambda np, x: np.linalg.solve([[x[0], 1], [1, x[1]]], [1.0, x[2]]),
    "fft": lambda np, x: np.fft.fft([x[0], 2.0, x[1]]),
    "append": lambda np, x: np.append([1.0], [x[0], 2.0]),
    "concatenate lists": lambda np, x: np.concatenate([[x[0], 1.0], [2.0], x]),
    "stack lists": lambda np, x: np.stack([[x[0], 1.0], [2.0, x[1]]]),
    "block": lambda np, x: np.block([[x[0], 1.0], [1.0, x[1]]]),
    "convolve": lambda np, x: np.convolve([x[0], 2 * x[0]], B),
    "cross": lambda np, x: np.cross([x[0], 1, 2], [1, x[1], 3]),
    "einsum": lambda np, x: np.einsum("i,i", [x[0], x[1]], [1.0, 2.0]),
    "einsum of axis lists": lambda np, x: np.einsum([x[0], x[1]], [0], [1.0, x[2]], [0]),
    "polyval": lambda np, x: np.polyval([1.0, x[0], 2.0], 0.7),
    "select": lambda np, x: np.select([[True, False], [False, False]], [[x[0], x[1]], x[:2]], x[2]),
    "choose": lambda np, x: np.choose([1, 0], [[x[0], 2.0], x[1:3]]),
    "multi_dot": lambda np, x: np.linalg.multi_dot([[[x[0], 1.0]], [[x[1]], [2.0]]]),
    "histogram": lambda np, x: np.histogram([0.1, 0.2, 0.6], 2, (0, 1), weights=[x[0], x[1], 2 * x[2]])[0],
    "interp": lambda np, x: np.interp([-1.0, 2.0], [0.0, 1.0], [0.0, 1.0], left=x[0], right=x[1]),
    "polyint": lambda np, x: np.polyint([1.0, 2.0], 2, k=[x[0], x[1]]),
    "pad": lambda np, x: np.pad([1.0, 2.0], 1, constant_values=x[0]),
    "initial": lambda np, x: np.sum([1.0, 2.0], initial=x[0]),
    "nan_to_num": lambda np, x: np.nan_to_num([np.nan, 1.0], nan=x[0]),
    "sliding_window_view": lambda np, x: np.lib.stride_tricks.sliding_window_view([x[0], x[1], 1.0], 2),
    "ufunc": lambda np, x: np.maximum([x[0], x[1]], 0),
    "ufunc of both": lambda np, x: np.add([x[0], 1], [x[1], x[0]]),
    "reduce": lambda np, x: np.multiply.reduce([x, 2 * x]),
    "reduce along an axis": lambda np, x: np.multiply.reduce([x, 2 * x], axis=1),
    "accumulate": lambda np, x: np.add.accumulate([x[0], x[1]]),
    "reduceat": lambda np, x: np.add.reduceat([x[0], x[1], x[2]], [0, 1]),
    "outer": lambda np, x: np.multiply.outer([x[0], 2.0], [x[1]]),
}


@pytest.mark.parametrize("case", LISTS)
def test_lists_and_arguments_numpy_does_not_look_at(case):
    check(LISTS[case])


def listed(x):
    return [listed(v) for v in x] if np.ndim(x) else x


OWN = {fn: own for fn, own in (pair.values for pair in callables()) if own is not fn}
SAMPLES = [s for s in all_samples() if s.fn in OWN and s.call is None and any(np.size(x) > 1 for x in s.primals)]


@pytest.mark.parametrize("s", SAMPLES, ids=repr)
def test_every_function_takes_lists_where_numpy_does(s):
    def at(fn, xs):
        given = dict(zip(s.wrt, map(listed, xs)))
        args = [given.get(k, arg) for k, arg in enumerate(s.args)]
        return fn(*args, **{k: given.get(k, v) for k, v in s.kwargs.items()})

    try:
        want = at(s.fn, s.primals)
    except (AttributeError, TypeError):
        pytest.skip("NumPy itself takes no list here")
    if type(want) is list:
        pytest.skip("NumPy returns the list as it is")
    got, _ = jvp(lambda *xs: at(OWN[s.fn], xs), s.primals, tuple(map(np.zeros_like, s.primals)))
    for g, w in zip(flatten(got)[0], flatten(want)[0], strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12, atol=1e-14)


def test_a_function_without_a_rule_says_so():
    with pytest.raises(NoRuleError, match=r"numpy\.packbits has no derivative rule"):
        grad(lambda x: dnp.packbits([x, 1])[0])(1.0)


def test_out_and_where_are_obeyed():
    def f(x):
        y = dnp.zeros(2)
        dnp.multiply([x[0], x[1]], x[:2], out=y)
        dnp.sum([x[:2], y], 0, out=y)
        return np.sum(dnp.add([x[0], 1.0], y, where=[True, False], out=y) * B[:2])

    x0, x1, (b0, b1) = C[0], C[1], B[:2]
    assert np.allclose(grad(f)(C), [b0 * (2 + 2 * x0), b1 * (1 + 2 * x1), 0, 0, 0])


# ---------------------------------------------------------------- arrays that can be assigned traced values


def test_makers_return_plain_arrays_outside_of_transforms():
    for y in (dnp.zeros(3), dnp.ones(3), dnp.empty(3), dnp.full(3, 2.0), dnp.arange(3), dnp.eye(2), dnp.array([1, 2])):
        assert type(y) is np.ndarray
    grad(lambda x: x * dnp.zeros(()))(1.0)
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: 1 // 0)(1.0)
    assert type(dnp.zeros(3)) is np.ndarray


@pytest.mark.parametrize("make", [dnp.zeros, dnp.ones, dnp.empty, lambda n: dnp.full(n, 2.0), lambda n: dnp.eye(n)[0]])
def test_makers_return_assignable_arrays_inside(make):
    def f(x):
        y = make(3)
        y[0], y[1:] = x[0] ** 2, x[1]
        return np.sum(y)

    x = np.array([3.0, 5.0])
    assert np.array_equal(grad(f)(x), [6, 2])
    assert jvp(f, (x,), (np.ones(2),))[1] == 8
    assert np.array_equal(vmap(grad(f))(x[None]), [[6, 2]])


def test_converters_pass_plain_arrays_through():
    plain = np.ones(3)

    def f(x):
        assert dnp.asarray(plain) is plain
        return x

    assert grad(f)(1.0) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.complex128])
def test_array_takes_a_dtype(dtype):
    dtypes = []

    def f(x):
        y = dnp.array([x, [1, x[0]]], dtype)
        dtypes.append(y.dtype)
        return np.sum(np.real(y))

    assert np.array_equal(grad(f)(np.ones(2)), [2, 1])
    assert dtypes == [dtype]


# ---------------------------------------------------------------- the plain names


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: np.array([x, x]), "dotbar.numpy.array"),
        (lambda x: np.full(3, x), "dotbar.numpy.full"),
        (lambda x: np.arange(x), "dotbar.numpy.arange"),
        (lambda x: np.kaiser(3, x), "dotbar.numpy.kaiser"),
        (lambda x: np.r_[x, 1.0], "dotbar.numpy.r_"),
        (lambda x: np.c_[x, 1.0], "dotbar.numpy.c_"),
        (lambda x: np.mean([x, 1.0]), r"dotbar\.numpy\.mean.* or .* np\.stack\(\[\.\.\.\]\)"),
        (lambda x: np.maximum.reduce([x, 1.0]), r"dotbar\.numpy\.maximum\.reduce"),
        (lambda x: np.interp(2.0, B, B, right=x), r"dotbar\.numpy\.interp, which keeps derivatives\. "),
        (lambda x: np.polynomial.Polynomial([x, 1.0]), "dotbar.numpy.polynomial.Polynomial"),
        (lambda x: np.polynomial.chebyshev.chebval(0.5, [x, 1.0]), "dotbar.numpy.polynomial.chebyshev.chebval"),
    ],
)
def test_the_plain_name_raises_and_names_this_one(call, name):
    with pytest.raises(ConversionError, match=name):
        grad(lambda x: np.sum(call(x)))(2.0)


def test_what_cannot_hold_traced_values_says_so():
    with pytest.raises(ConversionError, match="operator @"):
        grad(lambda x: dnp.asmatrix(x)[0, 0])(C)
    with pytest.raises(ConversionError, match=r"np\.block"):
        grad(lambda x: dnp.bmat([[x]])[0, 0])(C)
    with pytest.raises(NoRuleError, match=r"dotbar\.numpy\.vectorize"):
        grad(lambda x: dnp.frompyfunc(lambda v: 2 * v, 1, 1)(x)[0])(C)

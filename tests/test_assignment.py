"""Assignment and views mean what they mean in NumPy, with exact derivatives, in time and memory that do not grow."""

import itertools
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from programs import function, program

import dotbar
from dotbar import grad, hessian, hvp, jit, jvp, linearize, stop_gradient, value_and_grad, vjp, vmap
from dotbar.errors import ConversionError, InputError, MutationError

# ---------------------------------------------------------------- random programs


def laid_out(x, order, lead=0):
    """A copy of items along ``lead`` axes, each in C's or Fortran's order, backwards along one axis, or with gaps."""
    turned = (*range(lead), *range(x.ndim)[lead:][::-1])
    back = (slice(None),) * lead + (slice(None, None, -1),)
    if order == "gaps":
        y = np.zeros((*x.transpose(turned).shape, 8), x.dtype)[..., 3].transpose(turned)
        y[...] = x
        return y
    if order == "reversed":
        return np.copy(x[back])[back]
    return x.transpose(turned).copy().transpose(turned) if order == "F" else x.copy()


def complex_step(f, x, t, order):
    """The derivative of ``f`` along ``t``, exact to rounding."""
    return f(laid_out(x + 1e-30j * t, order)).imag / 1e-30


def second_difference(f, x, t, u, order):
    """The derivative along ``u`` of the derivative along ``t``, by differences extrapolated once."""

    def central(h):
        return (complex_step(f, x + h * u, t, order) - complex_step(f, x - h * u, t, order)) / (2 * h)

    return (4 * central(5e-5) - central(1e-4)) / 3


@pytest.mark.filterwarnings("ignore:Setting the shape")
@pytest.mark.parametrize("order", ["C", "F", "reversed", "gaps"])
@pytest.mark.parametrize("shape", [(4,), (24,), (2, 3), (1, 4), (3, 2, 2)], ids=str)
@settings(max_examples=105, deadline=None, derandomize=True, database=None)
@given(data=st.binary(min_size=60, max_size=160))
def test_random_programs(shape, order, data):
    """A program of indexing, views, in-place operations and assignment, in every mode."""
    x, t, u = (laid_out(np.cos(np.arange(np.prod(shape)) * k).reshape(shape), order) for k in (1.1, 2.3, 3.7))
    source = program(data, laid_out(x, order), steps=16)
    f = function(source)
    value = f(laid_out(x, order))
    assume(abs(value) < 1e4)
    first, second = complex_step(f, x, t, order), second_difference(f, x, t, u, order)

    def close(got, want, tolerance):
        assert abs(got - want) <= tolerance * (1 + abs(want) + abs(value)), source

    before = x.copy()
    y, ydot = jvp(f, (x,), (t,))
    close(y, value, 1e-12)
    close(ydot, first, 1e-11)
    y, xbar = value_and_grad(f)(x)
    close(y, value, 1e-12)
    close(np.sum(xbar * t), first, 1e-11)
    close(np.sum(hvp(f, (x,), (u,)) * t), second, 1e-5)
    close(np.sum(grad(lambda x: np.sum(grad(f)(x) * u))(x) * t), second, 1e-5)
    batch = laid_out(np.stack([x, x + 0.1 * u]), order, lead=1)
    alone = [grad(f)(item) for item in batch]
    assert np.allclose(vmap(grad(f))(batch), alone, 1e-9, 1e-9), source
    assert np.array_equal(x, before), source


# ---------------------------------------------------------------- the cost of single entries


def allocated(f, x):
    """The bytes that a call allocates in pieces not small beside ``x``, summed over the functions it calls."""
    f(x)
    total = last = 0

    def event(frame, kind, arg):
        nonlocal total, last
        new = tracemalloc.get_traced_memory()[1] - last
        total += new if new > x.nbytes / 100 else 0
        tracemalloc.reset_peak()
        last = tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    sys.setprofile(event)
    try:
        f(x)
    finally:
        sys.setprofile(None)
        tracemalloc.stop()
    return total


def reads(x, n):
    return sum(x[i] * x[i] for i in range(n))


def reads_through_a_view(x, n):
    v = x.reshape(2, -1).T[::-1]
    return sum(v[i, 0] * v[i, 1] for i in range(n))


def writes(x, n):
    y = np.zeros(len(x), like=x)
    for i in range(n):
        y[i + 1] = y[i] * x[i] + x[i + 1]
    return np.sum(y)


def writes_into_the_argument(x, n):
    for i in range(n):
        x[i + 1] += x[i] * x[i]
    return np.sum(x)


def writes_through_a_view(x, n):
    v = np.zeros_like(x)
    v = v.reshape(2, -1).T[::-1]
    for i in range(n):
        v[i + 1, 0] = v[i, 1] * x[i]
        v[i, 1] += x[i + 1]
    return np.sum(v)


MODES = {
    "value": lambda f: f,
    "forward": lambda f: lambda x: jvp(f, (x,), (np.ones_like(x),)),
    "reverse": grad,
    "forward over reverse": lambda f: lambda x: hvp(f, (x,), (np.ones_like(x),)),
    "reverse over reverse": lambda f: grad(lambda x: np.sum(grad(f)(x) ** 2)),
    "vmap": lambda f: lambda x: vmap(grad(f))(x[None]),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "f",
    [reads, reads_through_a_view, writes, writes_into_the_argument, writes_through_a_view],
    ids=lambda f: f.__name__,
)
def test_entries_cost_nothing_in_the_size_of_their_array(f, mode):
    """Twice as many entries of one large array: the difference is far below a copy of the array for each."""
    x = np.linspace(0.1, 0.9, 40_000)
    few, many = (allocated(MODES[mode](lambda x, n=n: f(x, n)), x.copy()) for n in (10, 20))
    assert many - few < x.nbytes


# ---------------------------------------------------------------- arrays that the user changes


def outcome(f, x, change, want):
    """The pullback after a change is an error, or what it was without the change."""
    _, pullback = vjp(f, x)
    change()
    try:
        (xbar,) = pullback(1.0)
    except MutationError:
        return
    assert np.array_equal(xbar, want)


USES = {
    "multiply": lambda x, c: np.sum(x * c),
    "divide": lambda x, c: np.sum(c / x),
    "part": lambda x, c: np.sum(x[1:] * c[:-1]),
    "matmul": lambda x, c: np.sum(np.sin(x) * (c @ x)),
    "where": lambda x, c: np.sum(np.where(c > 0.5, x, 2 * x)),
    "assigned": lambda x, c: np.sum(assigned(x, c) * x),
    "held": lambda x, c: np.sum(np.sin(np.stack([x, c])) * c),
    "stop_gradient": lambda x, c: np.sum(stop_gradient(x * c) * x),
}


def assigned(x, c):
    y = np.zeros_like(x)
    y[...] = c
    return y


@pytest.mark.parametrize("n", [8, 800])
@pytest.mark.parametrize("use", USES)
def test_a_constant_changed_before_the_reverse_pass(use, n):
    x, c = np.linspace(0.1, 0.9, n), np.linspace(0.3, 0.8, n)
    f = lambda x: USES[use](x, c)
    want = grad(f)(x)
    outcome(f, x, lambda: c.fill(7.0), want)


@pytest.mark.parametrize("n", [8, 800])
@pytest.mark.parametrize("use", USES)
def test_the_argument_changed_before_the_reverse_pass(use, n):
    x, c = np.linspace(0.1, 0.9, n), np.linspace(0.3, 0.8, n)
    f = lambda x: USES[use](x, c)
    want = grad(f)(x)
    outcome(f, x, lambda: x.fill(7.0), want)


@pytest.mark.parametrize("n", [8, 800])
def test_settings_changed_before_the_reverse_pass(n):
    x, mask, index = np.linspace(0.1, 0.9, n), np.arange(n) % 3 == 0, np.arange(n)[::2].copy()
    axes, repeats = [1, 0], np.arange(n) % 3
    functions = [
        (lambda x: np.sum(x * x, where=mask), lambda: np.logical_not(mask, out=mask)),
        (lambda x: np.sum(x[index] ** 2), lambda: index.fill(0)),
        (lambda x: np.sum(np.take(x, index) ** 2), lambda: index.fill(0)),
        (lambda x: np.sum(x[mask] ** 2), lambda: np.logical_not(mask, out=mask)),
        (lambda x: np.sum(np.repeat(x, repeats) ** 2), lambda: repeats.fill(1)),
        (lambda x: np.sum(np.multiply(x, x, where=mask, out=np.zeros_like(x))), lambda: np.logical_not(mask, out=mask)),
        (lambda x: np.sum(np.sin(np.transpose(x.reshape(2, -1), axes)) ** 2), axes.reverse),
        (lambda x: np.sum(np.add.reduceat(x, index) ** 2), lambda: index.fill(0)),
        (lambda x: np.sum(np.roll(x, index[:1]) ** 2), lambda: index.fill(1)),
        (lambda x: np.sum(np.compress(mask, x) ** 2), lambda: np.logical_not(mask, out=mask)),
        (lambda x: np.sum(np.take_along_axis(x, index, 0) ** 2), lambda: index.fill(0)),
        (lambda x: np.sum(np.delete(x, index) ** 2), lambda: index.fill(0)),
        (lambda x: np.sum(np.insert(x, index, x[0]) ** 2), lambda: index.fill(0)),
    ]
    for f, change in functions:
        want = grad(f)(x)
        held = mask.copy(), index.copy(), repeats.copy()
        outcome(f, x, change, want)
        mask[:], index[:], repeats[:] = held


@pytest.mark.parametrize("n", [8, 800])
def test_results_of_vjp_belong_to_the_user(n):
    x = np.linspace(0.1, 0.9, n)
    y, pullback, aux = vjp(lambda x: (np.exp(x), np.exp(x)), x, has_aux=True)
    g = np.ones(n)
    (want,) = pullback(g)
    y.fill(0)
    aux.fill(0)
    (xbar,) = pullback(g)
    want.fill(0)
    assert np.array_equal(xbar, np.exp(x))
    xbar.fill(0)
    assert np.array_equal(pullback(g)[0], np.exp(x))
    assert np.array_equal(g, np.ones(n))


@pytest.mark.parametrize("n", [8, 800])
@pytest.mark.parametrize("mode", MODES)
def test_a_function_that_writes_into_its_argument_leaves_the_callers(mode, n):
    def f(x):
        x[0] = 2 * x[1]
        x *= x
        x[::2] = 0
        x.T[...] += 1
        return np.sum(np.sin(x, out=x))

    if mode == "value":
        return
    x = np.linspace(0.1, 0.9, n)
    before = x.copy()
    MODES[mode](f)(x)
    assert np.array_equal(x, before)


def test_a_constant_is_written_to_as_in_numpy():
    """Only arguments are copies: an array from outside is the user's own."""
    log = np.zeros(3)

    def f(x):
        log[1] += 1
        return np.sum(x * log)

    assert np.array_equal(grad(f)(np.ones(3)), [0, 1, 0])
    assert log[1] == 1


# ---------------------------------------------------------------- masks that differ between the items of a batch


def masked_by(write):
    """A function of a matrix that is written to through masks made of it."""

    def f(x):
        y = np.log(np.abs(x) + 1)
        write(y, x)
        return np.sum(y * np.cos(x))

    return f


def write_by_view(y, x):
    y.T.reshape(-1)[x.T.reshape(-1) > 0] = x[0, 0]


def write_into_zeros(y, x):
    z = np.zeros_like(x)
    z[x > 0] = 1.0
    y *= z


def write_twice(y, x):
    y[:, x[0] > 0] = np.sin(x[:, :1])
    y[x > 1] = np.sum(y)


MASKED = [
    lambda y, x: y.__setitem__(x > 0, 3.0),
    lambda y, x: y.__setitem__(x > 0, np.sum(np.sin(x))),
    lambda y, x: y.__setitem__((..., x > 0), x[0, :1]),
    lambda y, x: y.__setitem__((slice(None), x[0] > 0), x[:, :1]),
    lambda y, x: y.__setitem__((..., x[0] > 0), x[1, 1]),
    lambda y, x: y.__setitem__(x[:, 0] > 0, x[1]),
    lambda y, x: y.__setitem__((x[:, 0] > 0, 1), x[1, 1]),
    lambda y, x: y.__setitem__((1, None, x[0] > 0), x[1, 1]),
    lambda y, x: y.__setitem__((x[0, 0] > 0, slice(None)), x[0]),
    lambda y, x: y.__setitem__((slice(1, None), x[1] > 0), [[2.0]]),
    write_by_view,
    write_into_zeros,
    write_twice,
]


along = lambda f: lambda x: jvp(f, (x,), (np.cos(x),))[1]
total = lambda f: lambda x: np.sum(np.sin(f(x)))
NESTED = {
    "value": lambda f, over: over(f),
    "reverse inside": lambda f, over: over(grad(f)),
    "reverse outside": lambda f, over: grad(total(over(f))),
    "forward inside": lambda f, over: over(along(f)),
    "forward outside": lambda f, over: along(over(f)),
    "reverse over reverse inside": lambda f, over: over(grad(total(grad(f)))),
    "reverse outside, reverse inside": lambda f, over: grad(total(over(grad(f)))),
    "reverse over reverse outside": lambda f, over: grad(total(grad(total(over(f))))),
    "forward over reverse inside": lambda f, over: over(along(grad(f))),
    "reverse over forward outside": lambda f, over: grad(total(along(over(f)))),
    "batch of batches": lambda f, over: lambda x: over(over(grad(f)))(np.stack([x, x[::-1]])),
    "batch outside of reverse": lambda f, over: lambda x: over(grad(total(over(f))))(np.stack([x, x[::-1]])),
}


def loop(f):
    return lambda xs: np.stack([f(x) for x in xs])


@pytest.mark.parametrize("nest", NESTED.values(), ids=NESTED)
@pytest.mark.parametrize("write", MASKED)
def test_a_value_assigned_through_masks_that_differ_by_item(write, nest):
    batch = np.sin(np.arange(12.0) * 1.7).reshape(2, 2, 3) * 2
    f = masked_by(write)
    np.testing.assert_allclose(nest(f, vmap)(batch), nest(f, loop)(batch), rtol=1e-12, atol=1e-14)


def test_what_a_mask_overwrites_is_a_structural_zero():
    def f(x):
        y = np.log(x)
        y[x <= 0] = 0
        return np.sum(y)

    batch = np.array([[1.0, 0.0, 2.0], [0.0, 4.0, 0.0]])
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(vmap(grad(f))(batch), [[1, 0, 0.5], [0, 0.25, 0]])
        np.testing.assert_array_equal(grad(lambda b: np.sum(vmap(f)(b)))(batch), [[1, 0, 0.5], [0, 0.25, 0]])
        np.testing.assert_array_equal(vmap(along(f))(batch), loop(along(f))(batch))


@pytest.mark.parametrize(
    ("write", "error", "message"),
    [
        (lambda x: x.__setitem__(x > 0, x), ConversionError, "a boolean mask that differs between the items"),
        (lambda x: x.__setitem__(x[:2] > 0, 1.0), IndexError, "boolean index did not match"),
        (lambda x: x.__setitem__((x > 0, 0), 1.0), IndexError, "too many indices"),
    ],
)
def test_masks_that_cannot_be_assigned_through(write, error, message):
    with pytest.raises(error, match=message):
        vmap(write)(np.eye(3))


# ---------------------------------------------------------------- what cannot be


def set_entry(a, x):
    a[0] = x[0]


def set_slice(a, x):
    a[:] = x


def add_in_place(a, x):
    a += x


@pytest.mark.parametrize(
    "write",
    [
        set_entry,
        set_slice,
        add_in_place,
        lambda a, x: np.add(x, 1, out=a),
        lambda a, x: np.copyto(a, x),
        lambda a, x: np.add.at(a, [0, 1], x[:2]),
        lambda a, x: np.sum(x, axis=0, keepdims=True, out=a[:1]),
    ],
)
def test_a_plain_target_names_the_remedies(write):
    def f(x):
        write(np.zeros(3), x)
        return x[0]

    with pytest.raises(ConversionError) as error:
        grad(f)(np.ones(3))
    for remedy in ("np.zeros_like(x)", "np.zeros(n, like=x)", "dotbar.numpy.zeros(n)"):
        assert remedy in str(error.value)


def test_an_integer_array_cannot_hold_a_derivative():
    def f(x):
        a = np.zeros(3, int, like=x)
        a[0] = x[0]
        return x[0]

    with pytest.raises(InputError, match=r"np\.zeros_like"):
        grad(f)(np.ones(3))


def test_shapes_that_do_not_fit_raise_as_in_numpy():
    def f(x):
        x[:2] = x
        return x[0]

    with pytest.raises(ValueError, match="could not broadcast"):
        grad(f)(np.ones(3))
    assert dotbar.grad(lambda x: x[0])(np.ones(3))[0] == 1


def test_python_sees_a_view_as_it_is_now():
    def f(x):
        view, cell = x[0, ...], np.zeros_like(x)
        part = cell[0, ...]
        x[0] = cell[0] = 0
        assert not view
        assert not part
        assert int(view) == 0
        assert float(part) == 0
        assert np.asarray(part) == 0
        return np.sum(x)

    assert np.array_equal(grad(f)(np.ones(2)), [0, 1])


@pytest.mark.parametrize(
    "slices", list(itertools.product([slice(1, None), slice(None, None, -2), slice(2, 2)], repeat=3))
)
def test_slices_of_slices(slices):
    a, b, c = slices
    want = np.zeros(7)
    want[a][b][c] = 3
    np.testing.assert_array_equal(grad(lambda x: np.sum(3 * x[a][b][c]))(np.ones(7)), want)


# ---------------------------------------------------------------- memory


@st.composite
def strided(draw):
    """How to lay out an array of a given shape in memory: order of axes, steps, directions and gaps."""
    shape = draw(st.sampled_from([(6,), (2, 3), (3, 4), (1, 4), (2, 3, 2), (2, 1, 3)]))
    axes = draw(st.permutations(range(len(shape))))
    steps = [draw(st.sampled_from([1, 2, 9, -1, -2])) for _ in shape]
    gaps = [draw(st.sampled_from([0, 0, 1])) for _ in shape]

    def place(x):
        """A copy so laid out, behind the axes that ``x`` has more."""
        lead = x.ndim - len(shape)
        sizes = [shape[k] * abs(steps[k]) + gaps[k] for k in axes]
        spans = [slice(0 if steps[k] > 0 else shape[k] * -steps[k] - 1, None, steps[k]) for k in axes]
        y = np.zeros((*x.shape[:lead], *sizes), x.dtype)[(..., *spans)]
        y = y[(..., *(slice(shape[k]) for k in axes))]
        y = y.transpose(*range(lead), *(lead + k for k in np.argsort(axes)))
        y[...] = x
        return y

    return shape, place


FLAT = {
    "ravel": lambda x: x.ravel(),
    "ravel K": lambda x: x.ravel("K"),
    "reshape": lambda x: x.reshape(-1),
    "reshape F": lambda x: x.reshape(-1, order="F"),
    "reshape A": lambda x: x.reshape(-1, order="A"),
    "sliced": lambda x: x[..., ::-1].T.ravel(),
    "shrunk": lambda x: x[..., ::2].reshape(-1),
    "written first": lambda x: (x.fill(0.5), x.reshape(-1))[1],
    "turned": lambda x: np.flip(x).reshape(2, -1).ravel("F"),
}


@pytest.mark.parametrize("flat", FLAT.values(), ids=FLAT)
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(layout=strided())
def test_what_is_a_view_is_so_for_arguments_laid_out_in_any_way(flat, layout):
    shape, place = layout
    x, t = (np.cos(np.arange(np.prod(shape)) * k).reshape(shape) for k in (1.1, 2.3))

    def f(x):
        y = flat(x)
        y[1:] = 3 * y[:-1] * y[0]
        x[...] *= x
        return np.sum(np.sin(x)) + np.sum(y**2)

    value, first = f(place(x)), complex_step(lambda x: f(place(x)), x, t, "C")
    second = central(lambda x: complex_step(lambda x: f(place(x)), x, t, "C"), x, t)
    for laid in (place, lambda x: np.broadcast_to(place(x), x.shape)):
        np.testing.assert_allclose(jvp(f, (laid(x),), (t,)), [value, first], 1e-12, 1e-12)
        np.testing.assert_allclose(np.sum(grad(f)(laid(x)) * t), first, 1e-10, 1e-12)
        np.testing.assert_allclose(np.sum(hvp(f, (laid(x),), (t,)) * t), second, 1e-5, 1e-6)
    np.testing.assert_allclose(vmap(f)(place(np.stack([t, x])))[1], value, 1e-12)
    np.testing.assert_allclose(vmap(f, 1)(np.moveaxis(place(np.stack([t, x])), 0, 1))[1], value, 1e-12)


def central(f, x, t, h=1e-5):
    return (f(x + h * t) - f(x - h * t)) / (2 * h)


@pytest.mark.filterwarnings("ignore:Setting the shape")
def test_the_shape_can_be_assigned():
    """An array keeps its entries and its views; a copy would be needed in some cases, which NumPy refuses."""

    def f(x):
        y, cell, first = np.sin(x), np.zeros_like(x), x[0, 0]
        for a in (x, y, cell):
            row, column, flat = a[0], a.T[1:], a.reshape(-1)
            a.shape = (a.size // 2, 2)
            assert a.shape == (3, 2)
            assert a.base is None
            assert row.base is a
            a[2, 1] = 2 * row[0]
            row[1] = a[1, 1] * first
            row.shape = (1, 3)
            flat.shape = a.shape
            flat[0] *= 2
            a.shape = -1
            column[0] += a[5]
            with pytest.raises(AttributeError, match="Incompatible shape"):
                column.shape = (4,)
            with pytest.raises(ValueError, match="cannot reshape"):
                a.shape = (4,)
            assert row.shape == (1, 3)
            assert column.shape == (2, 2)
        return np.sum(x * y) + np.sum(row * cell[3:]) + np.sum(column)

    x = np.linspace(0.1, 0.9, 6).reshape(2, 3)
    t = np.cos(x)
    want = complex_step(f, x, t, "C")
    np.testing.assert_allclose(np.sum(grad(f)(x) * t), want)
    np.testing.assert_allclose(jvp(f, (x,), (t,))[1], want)
    np.testing.assert_allclose(vmap(grad(f))(np.stack([t, x]))[1], grad(f)(x))


def test_the_dtype_can_be_assigned():
    def f(x):
        first = x[0]
        x.dtype = complex
        x *= 1j
        assert x.shape == (2, 1)
        return np.sum(x.real**2) + 3 * np.sum(first)

    np.testing.assert_allclose(grad(f)(np.array([[1.0, 2.0], [3.0, 4.0]])), [[3, 1], [0, 8]])


@pytest.mark.parametrize(
    "same",
    [np.squeeze, lambda x: x.squeeze(), lambda x: x.conj(), np.real, lambda x: x.real, np.atleast_1d],
)
def test_what_returns_the_array_itself(same):
    """So that assigning its shape is seen."""
    jvp(lambda x: np.sum(x) if same(x) is x else None, (np.ones(3),), (np.ones(3),))


def test_a_view_answers_as_the_level_it_is_of_now():
    def f(x):
        cell = np.zeros_like(x)
        part = cell[0, ...]
        cell[0] = x[0]
        for convert in (float, complex, np.asarray):
            with pytest.raises(ConversionError):
                convert(part)
        return x[0]

    def g(x):
        cell = np.zeros_like(x)
        part = cell[:2]
        cell[0] = x[0]
        assert part.shape == (2,)
        return part

    grad(f)(np.ones(2))
    assert vmap(g)(np.ones((3, 4))).shape == (3, 2)


# ---------------------------------------------------------------- views of views


def transposed(x, n):
    total = 0.0
    for _ in range(n):
        x = x.T
        total = total + x[0, 0] * x[1, 1]
    return total


def shrunk(x, n):
    total = 0.0
    for _ in range(n):
        x = x[:, 1:]
        total = total + x[1, 0] ** 2
    return total


def refolded(x, n):
    total = 0.0
    for k in range(n):
        x = x.reshape((2, -1) if k % 2 else (-1, 2))
        total = total + x[1, 1] ** 2
    return total


def turned(x, n):
    total = 0.0
    for _ in range(n):
        x = x.T[::-1]
        total = total + x[1, 0] ** 2
    return total


def events(f, x):
    """How many functions a call calls, and how many return."""
    count = 0

    def event(frame, kind, arg):
        nonlocal count
        count += 1

    f(x)
    sys.setprofile(event)
    try:
        f(x)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("mode", ["forward", "reverse", "forward over reverse", "vmap"])
@pytest.mark.parametrize("f", [transposed, shrunk, refolded, turned], ids=lambda f: f.__name__)
def test_views_of_views_cost_the_same_however_many_there_are(f, mode):
    """Twice as many views and reads call twice as many functions, and copy nothing."""
    x = np.linspace(0.1, 0.9, 40_000).reshape(2, -1)
    few, many = (MODES[mode](lambda x, n=n: f(x, n)) for n in (100, 200))
    assert events(many, x) < 2.2 * events(few, x)
    assert allocated(many, x) - allocated(few, x) < 10 * x.nbytes


@pytest.mark.parametrize("f", [transposed, shrunk, refolded, turned], ids=lambda f: f.__name__)
def test_derivatives_through_views_of_views(f):
    x, t = np.linspace(0.1, 0.9, 120).reshape(2, 60), np.cos(np.arange(120)).reshape(2, 60)
    f = lambda x, f=f: f(x, 20)
    want = complex_step(f, x, t, "C")
    np.testing.assert_allclose(jvp(f, (x,), (t,))[1], want)
    np.testing.assert_allclose(np.sum(grad(f)(x) * t), want)
    np.testing.assert_allclose(np.sum(hvp(f, (x,), (t,)) * t), np.sum(grad(lambda x: np.sum(grad(f)(x) * t))(x) * t))
    np.testing.assert_allclose(vmap(grad(f))(np.stack([t, x]))[1], grad(f)(x))


# ---------------------------------------------------------------- what counts as an index


@pytest.mark.parametrize(
    "index", [((0, 1, 0), (2, 2, 1)), (range(2),), ((1, 0), slice(1)), ([True, False, True],)], ids=str
)
def test_sequences_of_any_kind_are_indices(index):
    """A tuple or range inside an index selects as an array does, in reading, writing and their derivatives."""
    arrays = tuple(np.array(part) if not isinstance(part, slice) else part for part in index)
    index = index if len(index) > 1 else index[0]
    x, t = np.cos(np.arange(9.0)).reshape(3, 3), np.sin(np.arange(9.0)).reshape(3, 3)

    def read_and_write(x, index):
        y = x * 1
        y[index] = 2 * x[index] ** 2
        return np.sum(y * t)

    assert np.array_equal(grad(read_and_write)(x, index), grad(read_and_write)(x, arrays))
    assert np.sum(grad(read_and_write)(x, index) * t) == pytest.approx(
        jvp(lambda x: read_and_write(x, index), (x,), (t,))[1]
    )


def overwritten(w, d):
    b = d.copy()
    y = w * b
    b[0] = 5.0
    return np.sum(y * y)


def reused(w, d):
    b, s = np.zeros_like(d), 0.0
    for i in range(3):
        b[i] = d[i]
        s = s + w @ b + np.sum(np.sin(w[:, None] * b.reshape(1, -1)))
    return s


def erased(w, d):
    y = w[1:] * d[1:]
    d[:] = 0
    return np.sum(y)


def by_item(f):
    return lambda W, D: np.stack([f(w, d) for w, d in zip(W, D)])


@pytest.mark.parametrize("f", [overwritten, reused, erased])
@pytest.mark.parametrize("derivative", [grad, hessian, lambda f: lambda w, d: linearize(lambda w: f(w, d), w)[1](w)])
@pytest.mark.parametrize("both", [vmap, lambda g: jit(vmap(g)), lambda g: by_item(jit(g))])
def test_arrays_of_other_levels_may_be_overwritten_once_used(f, derivative, both):
    """A tape keeps what they were."""
    W, D = np.cos(np.arange(12.0)).reshape(3, 4), np.arange(1.0, 13.0).reshape(3, 4)
    compiled = both(derivative(f))
    for _ in range(3):
        assert np.allclose(compiled(W, D.copy()), by_item(derivative(f))(W, D.copy()))

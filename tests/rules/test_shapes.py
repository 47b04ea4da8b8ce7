"""Shapes and indices: what is a view in NumPy is one here, and batched indices select what a loop would."""

from contextlib import suppress

import numpy as np
import pytest
from samples import cnormal, normal

import dotbar
from dotbar.errors import ConversionError

VIEWS = {
    "reshape": lambda x: np.reshape(x, (4, -1)),
    "reshape F": lambda x: np.reshape(x, -1, order="F"),
    "reshape A": lambda x: np.reshape(x, -1, order="A"),
    "ravel": np.ravel,
    "ravel F": lambda x: np.ravel(x, "F"),
    "ravel K": lambda x: np.ravel(x, "K"),
    "ravel of a column": lambda x: np.ravel(x[:, :1]),
    "flatten": lambda x: x.flatten(),
    "transpose": lambda x: np.transpose(x, (1, 0)),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, -1),
    "rollaxis": lambda x: np.rollaxis(x, 1),
    "rot90": np.rot90,
    "rot180": lambda x: np.rot90(x, 2),
    "flip": np.flip,
    "fliplr": np.fliplr,
    "squeeze": lambda x: np.squeeze(x[:1]),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "atleast_3d": np.atleast_3d,
    "split": lambda x: np.split(x, 2, axis=1)[1],
    "array_split": lambda x: np.array_split(x, 2)[0],
    "diagonal": np.diagonal,
    "diag": np.diag,
    "broadcast_to": lambda x: np.broadcast_to(x, (2, *x.shape)),
    "sliding_window_view": lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=1),
    "trim_zeros": lambda x: np.trim_zeros(x[0]),
    "slice": lambda x: x[::-2, 1:],
    "row": lambda x: x[1],
    "entry": lambda x: x[1, 2, ...],
    "fancy": lambda x: x[[0, 1]],
    "take": lambda x: np.take(x, 1, axis=0),
    "view": lambda x: x.view(),
    "copy": np.copy,
    "real": lambda x: x.real,
    "view as pairs": lambda x: x.view(np.complex128).imag,
}
LAYOUTS = {"C": np.array, "F": np.asfortranarray, "negative": lambda x: np.array(x)[::-1]}


def write_through(view, x):
    """The array and the view after writing to both, through a name of the other; None where NumPy refuses."""
    y = np.ones_like(x) * x
    v = view(y)
    with suppress(ValueError):  # "assignment destination is read-only"
        v[...] = 2 * v + 1
    y[1:, 1] = 3 * y[:-1, 0]
    return y, v * v


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", VIEWS)
def test_views(name, layout):
    """Writing through a view changes the base and the other way round, exactly where it does so in NumPy."""
    x, t = LAYOUTS[layout](normal(3, 4)), LAYOUTS[layout](normal(3, 4, seed=1))
    f = lambda x: write_through(VIEWS[name], x)
    try:
        want = f(x)
    except ValueError:
        pytest.skip("NumPy refuses this view in this memory order")
    h = 1e-6
    slopes = [(a - b) / (2 * h) for a, b in zip(f(x + h * t), f(x - h * t))]
    got, dots = dotbar.jvp(f, (x,), (t,))
    items = np.stack([x, x + t])
    batch = f(items[1]) if name == "trim_zeros" else [y[1] for y in dotbar.vmap(f)(items)]
    _, pullback = dotbar.vjp(f, x)
    bars = tuple(normal(*w.shape) for w in want)
    (xbar,) = pullback(bars)
    for g, w, dot, slope, item, again in zip(got, want, dots, slopes, batch, f(items[1])):
        np.testing.assert_allclose(g, w, rtol=1e-14)
        np.testing.assert_allclose(dot, slope, atol=1e-7)
        np.testing.assert_allclose(item, again, rtol=1e-14)
    np.testing.assert_allclose(np.vdot(xbar, t), sum(np.vdot(b, dot) for b, dot in zip(bars, dots)), rtol=1e-12)


@pytest.mark.parametrize("name", VIEWS)
def test_views_of_second_order(name):
    """Reverse over reverse, forward over reverse and differences agree on programs that write through views."""
    x, t = normal(3, 4), normal(3, 4, seed=1)
    loss = lambda x: sum(np.sum(np.sin(y)) for y in write_through(VIEWS[name], x))
    gradient = dotbar.grad(loss)
    h = 1e-5
    want = (gradient(x + h * t) - gradient(x - h * t)) / (2 * h)
    np.testing.assert_allclose(dotbar.hvp(loss, (x,), (t,)), want, atol=1e-6)
    np.testing.assert_allclose(dotbar.grad(lambda x: np.sum(gradient(x) * t))(x), want, atol=1e-6)
    batch = dotbar.vmap(lambda x: dotbar.hvp(loss, (x,), (t,)))
    if name != "trim_zeros":
        np.testing.assert_allclose(batch(np.stack([t, x]))[1], want, atol=1e-6)


def test_real_and_imag_are_views():
    """Parts of a complex array are written one by one; the other part keeps its derivative."""

    def f(z):
        z = z * 1
        z.real[0] = 2 * z.imag[1]
        z.imag = z.real * z.imag
        np.imag(z)[2:] = 0.5
        return z * z

    z, t = cnormal(4), cnormal(4, seed=3)
    h = 1e-6
    _, dot = dotbar.jvp(f, (z,), (t,))
    np.testing.assert_allclose(dot, (f(z + h * t) - f(z - h * t)) / (2 * h), atol=1e-7)
    bar = cnormal(4, seed=5)
    (zbar,) = dotbar.vjp(f, z)[1](bar)
    np.testing.assert_allclose(np.vdot(zbar, t).real, np.vdot(bar, dot).real, rtol=1e-12)
    np.testing.assert_allclose(dotbar.vmap(f)(np.stack([z, t]))[1], f(t), rtol=1e-14)


# ---------------------------------------------------------------- indices that differ between the items of a batch

rng = np.random.default_rng(7)
ROWS, COLUMNS, NUMBERS = rng.integers(0, 3, (5, 2)), rng.integers(0, 3, (5, 2)), rng.integers(0, 3, 5)
PARTS = {
    "one": lambda i, j, k: i,
    "number": lambda i, j, k: k,
    "second axis": lambda i, j, k: (slice(None), i),
    "third axis": lambda i, j, k: (..., i),
    "adjacent": lambda i, j, k: (slice(0, 2), i, j),
    "apart": lambda i, j, k: (i, slice(None), j),
    "apart, with a number": lambda i, j, k: (k, slice(1, 3), j),
    "with an integer": lambda i, j, k: (1, slice(None), i),
    "with a plain index": lambda i, j, k: (i, ..., [0, 2]),
    "with a mask": lambda i, j, k: (np.array([True, False, True]), slice(None), j),
    "with new axes": lambda i, j, k: (None, i, None, j),
    "matrix of indices": lambda i, j, k: (i[:, None], j),
    "negative": lambda i, j, k: (slice(None, None, -1), i - 3),
}


def read_twice(part):
    return lambda x, i, j, k: x[part(i, j, k)] ** 2


def write_twice(part):
    def write(x, i, j, k):
        y = x * 1.0
        index = part(i, j, k)
        y[index] = 3 * y[index] + 1
        y[index] *= y[index]
        return y

    return write


@pytest.mark.parametrize("make", [read_twice, write_twice])
@pytest.mark.parametrize("name", PARTS)
def test_batched_indices(name, make):
    """Reading, writing and their derivatives at batched indices equal a loop over the items."""
    f = make(PARTS[name])
    loss = lambda *args: np.sum(np.sin(f(*args)))
    second = lambda x, *rest: dotbar.hvp(lambda x: loss(x, *rest), (x,), (np.ones_like(x),))
    x = normal(5, 3, 3, 3)
    for g in (f, dotbar.grad(loss), second):
        want = np.stack([g(*item) for item in zip(x, ROWS, COLUMNS, NUMBERS)])
        np.testing.assert_allclose(dotbar.vmap(g)(x, ROWS, COLUMNS, NUMBERS), want, rtol=1e-12, atol=1e-12)
    shared = dotbar.grad(lambda x: np.sum(dotbar.vmap(loss, (None, 0, 0, 0))(x, ROWS, COLUMNS, NUMBERS)))
    want = sum(dotbar.grad(loss)(x[0], i, j, k) for i, j, k in zip(ROWS, COLUMNS, NUMBERS))
    np.testing.assert_allclose(shared(x[0]), want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", PARTS)
def test_shared_indices(name):
    """Reading at traced indices that all items share, and its derivative, equal a loop over the items."""
    f, x, index = read_twice(PARTS[name]), normal(5, 3, 3, 3), (ROWS[0], COLUMNS[0], NUMBERS[0])
    grad = dotbar.grad(lambda x, i, j, k: np.sum(np.sin(f(x, i, j, k))))
    hvp = lambda x, i, j, k: dotbar.hvp(lambda x: np.sum(np.sin(f(x, i, j, k))), (x,), (np.ones_like(x),))
    for g in (f, grad, hvp):
        batched = dotbar.jit(lambda x, *index, g=g: dotbar.vmap(lambda x: g(x, *index))(x))
        np.testing.assert_allclose(batched(x, *index), np.stack([g(item, *index) for item in x]), rtol=1e-12)


def test_batched_add_at():
    def f(x, i):
        y = x * 1.0
        np.add.at(y, i, x[i] ** 2)
        return y

    x = normal(5, 3)
    for g in (f, dotbar.grad(lambda x, i: np.sum(f(x, i) ** 2))):
        np.testing.assert_allclose(dotbar.vmap(g)(x, ROWS), np.stack([g(*item) for item in zip(x, ROWS)]), rtol=1e-12)


def test_batched_mask():
    """A mask that differs between items can be assigned a number; what depends on its count is refused by name."""
    x = normal(4, 3)

    def f(x):
        y = x * 1.0
        y[y < 0] = 0.5
        np.putmask(y, y > 1, x)
        y.put(np.argsort(x)[1:], x[:2])
        y[None].T.flat[np.argmax(x)] = x[0]
        return y * y

    for g in (f, dotbar.jacrev(f), dotbar.jacfwd(f), dotbar.jacfwd(dotbar.jacrev(f))):
        np.testing.assert_allclose(dotbar.vmap(g)(x), np.stack([g(item) for item in x]), atol=1e-15)
    with pytest.raises(ConversionError, match=r"np\.where"):
        dotbar.vmap(lambda x: x[x > 0])(x)


@pytest.mark.parametrize("count", [np.flatnonzero, np.unique])
def test_batched_count(count):
    with pytest.raises(ConversionError, match="different numbers of entries"):
        dotbar.vmap(lambda x: count(x * (x > 0)))(normal(4, 3))


# ---------------------------------------------------------------- edges


@pytest.mark.parametrize(
    ("shape", "width"), [((1,), 3), ((2,), (7, 5)), ((2, 1), ((0, 4), (3, 1))), ((0, 2), ((0, 0), (1, 1))), ((), 1)]
)
@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "wrap", "minimum", "linear_ramp", "constant"])
def test_pad_as_numpy(mode, shape, width):
    """Pads wider than the array, of one entry, of none, in no and in two dimensions."""
    x = np.asarray(normal(*shape))
    if x.size == 0 and mode == "minimum":
        pytest.skip("NumPy has no minimum of nothing")
    call = lambda x: np.pad(x, width, mode)
    np.testing.assert_allclose(dotbar.jvp(call, (x,), (x,))[0], call(x))


def test_pad_with_a_function():
    def frame(line, width, axis, kw):
        line[: width[0]] = line[width[0]] * kw["factor"]
        line[line.size - width[1] :] = kw["factor"]

    x = normal(2, 3)
    f = lambda x: np.pad(x, ((1, 2), (2, 1)), frame, factor=0.5)
    value, dot = dotbar.jvp(f, (x,), (x,))
    np.testing.assert_allclose(value, f(x))
    np.testing.assert_allclose(dot, f(2 * x) - f(x))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.squeeze(x, 0),
        lambda x: np.take(x, 0, (0, 1)),
        lambda x: np.interp(x[0] + 1j, [0.0, 1.0], [0.0, 1.0]),
        lambda x: np.repeat(x[0, 0], 2, 1),
        lambda x: np.concatenate([x, x], 5),
        lambda x: np.diagonal(x, 0, 0, 5),
        lambda x: np.linalg.norm(x, axis=(0, 5)),
        lambda x: np.linalg.norm(x, 1, axis=(0, 5)),
        lambda x: np.apply_along_axis(np.sum, 5, x),
        lambda x: np.linalg.cond(x[:, :2], 1) + np.linalg.cond(x[:1], 1),
        lambda x: np.linalg.matrix_power(x[:1], 2),
        lambda x: np.reshape(x, (5, 5)),
        lambda x: np.reshape(x.T, -1, copy=False),
        lambda x: np.expand_dims(x, 7),
        lambda x: np.swapaxes(x, 0, 5),
        lambda x: np.split(x, 2),
        lambda x: np.take(x, 5, axis=0),
        lambda x: np.take(x, [0, -9], axis=1),
        lambda x: np.pad(x, 1, "no such mode"),
        lambda x: np.pad(x, 1, "edge", constant_values=1),
        lambda x: np.block([[x, x], x]),
        lambda x: np.vsplit(x[0], 2),
        lambda x: np.put(x, [99], 1.0),
        lambda x: np.put(x.T, [-13], 1.0),
        lambda x: x.T.flat.__setitem__([0, 12], 1.0),
        lambda x: setattr(x, "imag", 1.0),
        lambda x: np.fill_diagonal(x[0], 1.0),
        lambda x: np.diag(x[None]),
        lambda x: np.resize(x, (-1, 2)),
        lambda x: np.insert(x, 9, 1.0, axis=0),
        lambda x: x[:1].resize((3, 3)),
        lambda x: np.stack([x, x[0]]),
    ],
)
def test_errors_are_numpys(call):
    """What NumPy refuses is refused with the same kind of exception."""
    x = normal(3, 4)
    with pytest.raises(Exception) as plain:  # noqa: PT011
        call(np.copy(x))
    kind = next(k for k in (IndexError, ValueError, TypeError) if isinstance(plain.value, k))
    with pytest.raises(kind):
        dotbar.jvp(call, (x,), (x,))
    with pytest.raises(kind):
        dotbar.vmap(call)(np.stack([x, x]))


@pytest.mark.parametrize(
    "write",
    [
        lambda a, x: np.put(a, [0], x[0]),
        lambda a, x: np.place(a, [True, False, False], x),
        lambda a, x: np.putmask(a, [True, False, False], x),
        lambda a, x: np.copyto(a, x),
        lambda a, x: np.put_along_axis(a, np.array([0]), x[:1], 0),
        lambda a, x: np.take(x, [0, 1, 2], 0, a),
    ],
)
def test_plain_target(write):
    """A plain array cannot hold a traced value; the error names the three ways to make one that can."""
    with pytest.raises(ConversionError, match="zeros_like"):
        dotbar.grad(lambda x: write(np.zeros(3), x) or x[0])(np.ones(3))


@pytest.mark.parametrize("equal_nan", [True, False])
def test_unique_options(equal_nan):
    """Indices, inverse and counts are NumPy's; NaNs are one value or several, as asked."""
    x = np.array([3.0, 1.0, np.nan, 3.0, np.nan])
    call = lambda x: np.unique(x, True, True, True, equal_nan=equal_nan)
    for got, want in zip(dotbar.jvp(call, (x,), (x,))[0], call(x), strict=True):
        np.testing.assert_array_equal(got, want)


def test_sort_keeps_the_order_of_equal_entries():
    x = np.array([1.0, 0.0, 1.0, 0.0])
    t = np.arange(4.0)
    np.testing.assert_array_equal(dotbar.jvp(np.sort, (x,), (t,))[1], [1, 3, 0, 2])
    np.testing.assert_array_equal(dotbar.jvp(lambda x: np.partition(x, 1), (x,), (t,))[1], [1, 3, 0, 2])


CALLS = {
    "reshape": lambda x: np.reshape(x, -1),
    "ravel": np.ravel,
    "transpose": np.transpose,
    "squeeze": np.squeeze,
    "atleast_3d": np.atleast_3d,
    "flip": np.flip,
    "rot90": np.rot90,
    "roll": lambda x: np.roll(x, 2),
    "roll along an axis": lambda x: np.roll(x, 1, 0),
    "tile": lambda x: np.tile(x, (2, 2)),
    "tile none": lambda x: np.tile(x, 0),
    "repeat": lambda x: np.repeat(x, 2),
    "repeat one count": lambda x: np.repeat(x, [2], axis=0),
    "resize": lambda x: np.resize(x, (2, 2)),
    "append": lambda x: np.append(x, x),
    "concatenate": lambda x: np.concatenate((x, x)),
    "stack": lambda x: np.stack([x, x]),
    "vstack": lambda x: np.vstack([x, x]),
    "hstack": lambda x: np.hstack([x, x]),
    "column_stack": lambda x: np.column_stack([x, x]),
    "block": lambda x: np.block([[x, x], [x, x]]),
    "split": lambda x: np.array_split(x, 2)[0],
    "insert": lambda x: np.insert(x, 0, 1.5),
    "insert none": lambda x: np.insert(x, [], 1.5),
    "delete": lambda x: np.delete(x, []),
    "delete slice": lambda x: np.delete(x, slice(None)),
    "pad": lambda x: np.pad(x, 1, constant_values=(1, 2)),
    "pad nothing": lambda x: np.pad(x, 0, "reflect"),
    "take none": lambda x: np.take(x, []),
    "take": lambda x: np.take(x, [[0]]),
    "compress": lambda x: np.compress([True], x),
    "extract": lambda x: np.extract(x > 0, x),
    "where": lambda x: np.where(x > 0, x, 0),
    "diag": np.diag,
    "diagflat": np.diagflat,
    "tril": np.tril,
    "triu": lambda x: np.triu(x, 1),
    "vander": lambda x: np.vander(x, 3),
    "sort": np.sort,
    "sort all": lambda x: np.sort(x, None),
    "sort_complex": np.sort_complex,
    "partition": lambda x: np.partition(x, 0, None),
    "unique": np.unique,
    "unique rows": lambda x: np.unique(x, axis=0),
    "trim_zeros": lambda x: np.trim_zeros(np.ravel(x)),
    "mask": lambda x: x[x > 9],
    "all": lambda x: x[...],
    "fancy": lambda x: x[np.zeros((2, 0), int)],
    "setitem": lambda x: set_all(x),
    "astype": lambda x: x.astype(np.float32),
    "full_like": lambda x: np.full_like(x, 2.5) * x,
    "broadcast_to": lambda x: np.broadcast_to(x, (2, *x.shape)),
    "intersect1d": lambda x: np.intersect1d(x, x, return_indices=True)[0],
    "union1d": lambda x: np.union1d(x, x),
    "argwhere": lambda x: x * len(np.argwhere(x)),
    "flat": lambda x: x.flat[:],
    "nonzero": lambda x: np.atleast_1d(x)[np.nonzero(np.atleast_1d(x))],
}


def set_all(x):
    y = np.copy(x)
    y[...] = x * x
    return y


@pytest.mark.parametrize("shape", [(), (0,), (1,), (0, 3), (3, 0), (1, 1), (2, 1, 2)])
@pytest.mark.parametrize("name", CALLS)
def test_empty_and_small(name, shape):
    """Arrays without entries, dimensions or length: NumPy's value and dtype, and a gradient of the right shape."""
    x = np.asarray(normal(*shape)) if shape else np.array(0.7)
    call = CALLS[name]
    try:
        want = call(x)
    except (ValueError, IndexError, TypeError) as error:
        with pytest.raises(next(k for k in (IndexError, ValueError, TypeError) if isinstance(error, k))):
            dotbar.jvp(call, (x,), (x,))
        return
    for value in (dotbar.jvp(call, (x,), (x,))[0], dotbar.vjp(call, x)[0]):
        assert value.dtype == want.dtype
        np.testing.assert_allclose(value, want)
    assert dotbar.vjp(call, x)[1](np.ones_like(want))[0].shape == shape


@pytest.mark.parametrize(
    "select",
    [
        lambda y: np.broadcast_to(y, (3, 4))[:, 2:],
        lambda y: np.diagonal(np.broadcast_to(y, (4, 4)))[2:],
        lambda y: np.tile(y, 2)[2:4],
        lambda y: np.pad(y, 1)[3:],
        lambda y: np.stack([y, y])[1, 2:],
        lambda y: np.concatenate([y, y])[2:4],
        lambda y: np.roll(y, 1)[3:],
        lambda y: np.repeat(y, 2)[4:],
        lambda y: y[np.argsort(y)[2:]],
        lambda y: y[np.argsort(y)][2:],
        lambda y: np.sort(np.sort(y))[2:],
        lambda y: np.partition(y, 1)[2:],
        lambda y: np.diag(y)[2:, 2:],
        lambda y: np.delete(y, [0, 1]),
        lambda y: np.reshape(y, (2, 2)).T[:, 1],
    ],
)
def test_entries_left_out_have_no_derivative(select):
    """Functions that move entries keep structural zeros: log at 0 is not asked for its derivative."""
    x = np.arange(4.0)
    f = lambda x: np.sum(select(np.log(x)))
    g = dotbar.grad(f)
    with np.errstate(divide="ignore"):
        assert g(x)[0] == 0
        np.testing.assert_allclose(dotbar.vmap(g)(np.stack([x, x])), [g(x), g(x)])
        np.testing.assert_allclose(dotbar.grad(lambda x: np.sum(dotbar.vmap(f)(x)))(np.stack([x, x])), [g(x), g(x)])
        for second in (dotbar.jacfwd(g)(x), dotbar.jacrev(g)(x), dotbar.vmap(dotbar.jacrev(g))(np.stack([x, x]))[0]):
            assert np.all(second[0] == 0)


def test_batch_of_no_items():
    x = normal(0, 3, 4)
    call = lambda x: np.reshape(np.swapaxes(x, 0, 1)[1:, [0, 2]].ravel(), (2, -1))
    assert dotbar.vmap(call)(x).shape == (0, 2, 3)
    assert dotbar.vmap(dotbar.grad(lambda x: np.sum(call(x) ** 2)))(x).shape == x.shape


@pytest.mark.parametrize("call", [np.nditer, np.ndenumerate, np.broadcast, memoryview])
def test_iterators_of_c_refuse(call):
    with pytest.raises((ConversionError, TypeError)):
        dotbar.jvp(call, (normal(2, 2),), (normal(2, 2),))

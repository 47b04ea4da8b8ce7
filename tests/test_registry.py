"""The registry is the test plan: every rule is checked, at every sample, for every property it must have."""

import numpy as np
import pytest
from samples import Sample, all_samples

import dotbar
from dotbar.core import RULES
from dotbar.rules import indexing, kinds, sorting, words
from dotbar.rules.kinds import batch_loop
from dotbar.tree import flatten

SAMPLES = all_samples()
each_sample = pytest.mark.parametrize("s", SAMPLES, ids=repr)


def leaves(y):
    """The floating results of a call, as arrays."""
    return [np.asarray(v) for v in flatten(y)[0] if np.asarray(v).dtype.kind in "fc"]


def like(rng, x, hermitian=False):
    """A random direction of the shape and dtype of ``x``."""
    x = np.asarray(x)
    t = rng.standard_normal(x.shape)
    if x.dtype.kind == "c":
        t = t + 1j * rng.standard_normal(x.shape)
    if hermitian:
        t = (t + np.conj(np.swapaxes(t, -1, -2))) / 2
    return t.astype(x.dtype)


def directions(s, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(like(rng, x, s.hermitian) for x in s.primals)


def inner(u, v):
    return sum(float(np.real(np.vdot(a, b))) for a, b in zip(u, v, strict=True))


def out_leaves(s):
    return lambda *xs: [v for v in flatten(s.at(*xs))[0] if hasattr(v, "dtype") and v.dtype.kind in "fc"]


def differences(f, xs, ts):
    """The derivative along ts by Richardson extrapolation of central differences, and an estimate of its error."""

    def central(h):
        plus = f(*[x + h * t for x, t in zip(xs, ts)])
        minus = f(*[x - h * t for x, t in zip(xs, ts)])
        return [(np.asarray(p) - np.asarray(m)) / (2 * h) for p, m in zip(plus, minus)]

    best, error = None, np.inf
    for h in (3e-2, 1e-2, 3e-3, 1e-3, 3e-4):
        a, b, c = central(h), central(h / 2), central(h / 4)
        r1 = [(4 * q - p) / 3 for p, q in zip(a, b)]
        r2 = [(4 * q - p) / 3 for p, q in zip(b, c)]
        now = max((np.max(np.abs(p - q), initial=0) for p, q in zip(r1, r2)), default=0.0)
        if now < error:
            best, error = [(16 * q - p) / 15 for p, q in zip(r1, r2)], now
    return best, error


def assert_close(got, want, tol, what):
    assert len(got) == len(want), what
    for g, w in zip(got, want):
        g, w = np.asarray(g), np.asarray(w)
        assert g.shape == w.shape, f"{what}: shape {g.shape}, wanted {w.shape}"
        scale = 1 + np.max(np.abs(w), initial=0)
        assert np.all(np.abs(g - w) <= tol * scale), f"{what}:\n{g}\nwanted\n{w}"


@each_sample
def test_values(s: Sample):
    """A traced call returns what NumPy returns."""
    plain = s.at(*s.primals)
    traced = dotbar.jvp(s.at, s.primals, directions(s))[0]
    assert_close(leaves(traced), leaves(plain), 1e-13, "value")


@each_sample
def test_forward(s: Sample):
    """The dot agrees with differences of the function."""
    ts = directions(s)
    f = out_leaves(s)
    _, dots = dotbar.jvp(f, s.primals, ts)
    want, error = differences(f, s.primals, ts)
    assert_close(dots, want, s.rtol + 10 * error, "dot")


@each_sample
def test_adjoint(s: Sample):
    """Re⟨ȳ, ẏ⟩ = Re⟨x̄, ẋ⟩, to rounding; for any ẋ, also one that is not symmetric."""
    rng = np.random.default_rng(1)
    f = out_leaves(s)
    ts = tuple(like(rng, x) for x in s.primals)
    out, dots = dotbar.jvp(f, s.primals, ts)
    bars = [like(rng, y) for y in out]
    _, pullback = dotbar.vjp(f, *s.primals)
    xbars = pullback(bars)
    for g, x in zip(xbars, s.primals):
        assert np.shape(g) == np.shape(x)
        assert np.asarray(g).dtype == np.asarray(x).dtype
    a, b = inner(bars, dots), inner(xbars, ts)
    scale = 1 + sum(float(np.sum(np.abs(u) * np.abs(v))) for u, v in zip(bars, dots))
    assert abs(a - b) <= 1e-11 * scale, f"⟨ȳ, ẏ⟩ = {a}, ⟨x̄, ẋ⟩ = {b}"


@each_sample
def test_second_order(s: Sample):
    """Forward over forward agrees with differences; reverse over reverse with forward over reverse."""
    if s.no_second:
        pytest.skip(s.no_second)
    ts, us = directions(s, 2), directions(s, 3)
    f = out_leaves(s)
    dot = lambda *xs: dotbar.jvp(f, xs, ts)[1]
    _, second = dotbar.jvp(dot, s.primals, us)
    want, error = differences(dot, s.primals, us)
    assert_close(second, want, 10 * s.rtol + 10 * error, "second dot")

    rng = np.random.default_rng(4)
    bars = [like(rng, y) for y in f(*s.primals)]
    gradient = lambda *xs: dotbar.vjp(f, *xs)[1](bars)
    _, along = dotbar.jvp(gradient, s.primals, us)
    xbars, pullback = dotbar.vjp(gradient, *s.primals)
    weights = tuple(like(rng, x) for x in s.primals)
    back = pullback(weights)
    del xbars
    a, b = inner(weights, along), inner(back, us)
    scale = 1 + sum(float(np.sum(np.abs(u) * np.abs(v))) for u, v in zip(weights, along))
    assert abs(a - b) <= 1e-9 * scale, f"reverse over reverse: {b}, forward over reverse: {a}"


@each_sample
def test_vmap(s: Sample):
    """A batch of calls, and of gradients, equals a loop over them."""
    if s.no_vmap:
        pytest.skip(s.no_vmap)
    ts = directions(s, 5)
    items = [tuple(np.asarray(x) + h * t for x, t in zip(s.primals, ts)) for h in (0.0, 1e-3, -1e-3)]
    stacked = tuple(np.stack(column) for column in zip(*items))
    f = out_leaves(s)
    loop = [f(*xs) for xs in items]
    want = [np.stack([np.asarray(v) for v in column]) for column in zip(*loop)]
    assert_close([np.asarray(v) for v in dotbar.vmap(f)(*stacked)], want, 1e-11, "vmap")

    rng = np.random.default_rng(6)
    bars = [like(rng, y) for y in loop[0]]
    gradient = lambda *xs: dotbar.vjp(f, *xs)[1](bars)
    loop = [gradient(*xs) for xs in items]
    want = [np.stack([np.asarray(v) for v in column]) for column in zip(*loop)]
    assert_close([np.asarray(v) for v in dotbar.vmap(gradient)(*stacked)], want, 1e-10, "vmap of the gradient")


@each_sample
def test_vmap_of_vmap(s: Sample):
    """The first argument runs over the items of the outer batch, the others over those of the inner one."""
    if s.no_vmap:
        pytest.skip(s.no_vmap)
    first, *others = (np.stack([x, np.asarray(x) + 1e-3 * t]) for x, t in zip(s.primals, directions(s, 7)))
    f = out_leaves(s)
    if others:
        inside = dotbar.vmap(f, in_axes=(None, *(0 for _ in others)))
        got = dotbar.vmap(inside, in_axes=(0, *(None for _ in others)))(first, *others)
        loop = [[f(x, *(o[j] for o in others)) for j in range(2)] for x in first]
    else:
        got = dotbar.vmap(dotbar.vmap(f))(np.stack([first, first[::-1]]))
        loop = [[f(x) for x in part] for part in (first, first[::-1])]
    want = [np.stack([np.stack([row[i][k] for i in range(2)]) for row in loop]) for k in range(len(loop[0][0]))]
    assert_close(got, want, 1e-11, "vmap of vmap")


def test_what_vmap_runs_once_per_item(monkeypatch):
    """The functions of which vmap's docstring says so, and the transpose of views of views, which no rule calls."""
    looped = set()

    def noted(rule, *args):
        looped.add(rule.name.rpartition(".")[2])
        return batch_loop(rule, *args)

    for module in (kinds, words, indexing, sorting):
        monkeypatch.setattr(module, "batch_loop", noted)
    for s in SAMPLES:
        if not s.no_vmap and not s.of_scipy:
            dotbar.vmap(out_leaves(s))(
                *(np.stack([x, np.asarray(x) + 1e-3 * t]) for x, t in zip(s.primals, directions(s)))
            )
    assert looped == {"lstsq", "nonzero", "first_places", "scatter"}


@each_sample
def test_float32(s: Sample):
    """float32 in: float32 out, in both modes, and about right."""
    if s.no_float32:
        pytest.skip(s.no_float32)
    single = s.astype(np.float32)
    f, f32 = out_leaves(s), out_leaves(single)
    ts = directions(s)
    out = f32(*single.primals)
    _, dots = dotbar.jvp(f32, single.primals, tuple(t.astype(np.asarray(x).dtype) for t, x in zip(ts, single.primals)))
    _, want = dotbar.jvp(f, s.primals, ts)
    for y, dot, w in zip(out, dots, want):
        assert np.asarray(dot).dtype == np.asarray(y).dtype
        assert np.all(np.abs(dot - w) <= 1e-2 * (1 + np.max(np.abs(w), initial=0)))
    _, pullback = dotbar.vjp(f32, *single.primals)
    for g, x in zip(pullback([np.ones_like(y) for y in out]), single.primals):
        assert np.asarray(g).dtype == np.asarray(x).dtype


@each_sample
def test_memory_order(s: Sample):
    """Fortran order and negative strides give the same derivative."""
    f = out_leaves(s)
    out = f(*s.primals)
    bars = [np.ones_like(y) for y in out]
    want = dotbar.vjp(f, *s.primals)[1](bars)
    for order in (np.asfortranarray, lambda x: x[..., ::-1].copy()[..., ::-1]):
        xs = tuple(order(x) if np.ndim(x) else x for x in s.primals)
        assert_close(dotbar.vjp(f, *xs)[1](bars), want, 1e-11, "gradient in another memory order")


def test_every_rule_has_a_sample():
    """A rule without a sample is a rule without a test; those that other tests register are theirs.

    Rules that refuse every argument are not meant.
    """
    sampled = {id(s.fn) for s in SAMPLES}
    refuses = lambda r: (
        r.fn is words.settled or (r.kind == "elementwise" and all(isinstance(p, str) for p in r.partials))
    )
    own = {fn: r for fn, r in RULES.items() if r.name.startswith(("numpy.", "scipy.", "dotbar.")) and not refuses(r)}
    missing = sorted(r.name for fn, r in own.items() if id(fn) not in sampled and r.kind != "constant")
    assert not missing, f"no samples for {', '.join(missing)}"

"""What functions use besides their arguments, wherever they find it: jit notices each change, by native code or not."""

import random
import types
from dataclasses import dataclass, field
from functools import partial, wraps

import numpy as np
import pytest

from dotbar import checkpoint, custom_vjp, grad, jit, value_and_grad
from dotbar.errors import EscapedError, InputError

X = np.array([1.0, 2.5, 3.0, 4.0])


def module(text):
    made = types.ModuleType("made")
    exec(text, vars(made))
    return made


SOURCE = """
import random
import types
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple
import numpy as np

W, bias, rate = np.ones(4), [np.ones(4), 2.0], 0.5
params = {"scale": np.full(4, 2.0), "layers": [{"b": np.ones(4)}, {"b": np.zeros(4)}], "name": "tanh"}
pair = (np.arange(4.0), "text")
config = types.SimpleNamespace(gain=np.ones(4), power=2)
even, odd = 2.0, 3.0

def helper(x):
    return W * x + recursive(x, 3)

def recursive(x, n):
    return x * bias[1] if n == 0 else other(x, n) + bias[0]

def other(x, n):
    return recursive(x, n - 1) * rate

class Base:
    shift = np.ones(4)

    def moved(self, x):
        return x + self.shift + W

class Layer(Base):
    def __init__(self, w):
        self.w, self.calls, self.unused = w, 0, 0

    def __call__(self, x):
        return np.tanh(self.w * x) + self.offset + self.moved(x) * W

    @property
    def offset(self):
        return np.sum(self.w) * even

    @staticmethod
    def twice(x):
        return x * odd * W

class Slots:
    __slots__ = ("w",)

    def __init__(self, w):
        self.w = w

@dataclass
class Model:
    layer: Layer
    extra: dict = field(default_factory=lambda: {"a": np.ones(4)})

    def predict(self, x):
        return self.layer(x) * self.extra["a"] + self.layer.twice(x)

    def loss(self, x):
        return self.predict(x) ** 2 * params["scale"]

model, slots = Model(Layer(np.full(4, 0.3))), Slots(np.ones(4))
add = partial(lambda a, x, b: a * x + b, np.ones(4), b=np.ones(4))

def f_helper(x): return helper(x)
def f_dict(x): return x * params["scale"] + sum(layer["b"] for layer in params["layers"])
def f_keys(x): return sum(np.sum(v) for k, v in params.items() if k == "scale" or k == "more") * x
def f_names(x): return np.tanh(x) if params["name"] == "tanh" else x
def f_tuple(x): return x * pair[0]
def f_config(x): return x ** config.power * config.gain
def f_model(x): return model.predict(x)
def f_method(x): return x
f_method = model.loss
def f_slots(x): return x * slots.w
def f_partial(x): return add(x)
def f_inner(x): return [helper(v) for v in (x, x + 1)][1]
"""

CHANGES = """
W[1] = 7.0
globals().update(W=np.full(4, 3.0))
globals().update(rate=0.25)
bias[0][2] = 9.0
bias.__setitem__(0, np.full(4, 5.0))
bias.__setitem__(1, -2.0)
globals().update(recursive=lambda x, n: x * n)
globals().update(bias=[np.zeros(4), 1.0])
params["scale"][0] = 8.0
params.update(scale=np.full(4, 5.0))
params["layers"][1]["b"][:] = 4.0
params["layers"][0].update(b=np.arange(4.0))
params["layers"].append({"b": np.full(4, 6.0)})
params.update(more=np.full(3, 2.0))
params.update(name="none")
globals().update(pair=(np.full(4, 2.0), "other"))
pair[0][1] = 11.0
config.gain[0] = 3.0
setattr(config, "gain", np.full(4, 4.0))
setattr(config, "power", 3)
setattr(model.layer, "w", np.full(4, 0.7))
model.layer.w[2] = 0.1
setattr(model, "layer", Layer(np.ones(4)))
model.extra.update(a=np.full(4, 3.0))
setattr(Base, "shift", np.full(4, 2.0))
Base.shift[3] = 5.0
globals().update(even=5.0)
globals().update(odd=7.0)
setattr(slots, "w", np.full(4, 3.0))
slots.w[0] = 2.0
add.args[0][:] = 2.0
add.keywords["b"][:] = 2.0
globals().update(add=partial(lambda a, x: a - x, np.ones(4)))
setattr(model.layer, "w", 0.5)
""".strip().splitlines()


@pytest.mark.parametrize("name", [k for k in vars(module(SOURCE)) if k.startswith("f_")])
@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: value_and_grad(lambda x: np.sum(f(x)))], ids=["f", "gradient"])
def test_every_change_is_noticed(name, wrap):
    m = module(SOURCE)
    f = vars(m)[name]
    want, compiled = wrap(f), jit(wrap(f))
    for change in ["", *CHANGES]:
        exec(change, vars(m))
        for _ in range(3):
            got, wanted = compiled(X), want(X)
            assert all(map(np.allclose, [*got], [*wanted])), change


def test_native_code_reads_containers_and_objects():
    m = module(SOURCE)
    for name in ("f_helper", "f_dict", "f_config"):
        f, compiled = vars(m)[name], jit(vars(m)[name])
        for _ in range(3):
            compiled(X)
        assert compiled._entrances
        m.W[:], m.params["scale"][:], m.config.gain[:] = 5.0, 6.0, 7.0
        assert np.allclose(compiled(X), f(X), 1e-13)


def test_numbers_that_change_become_inputs():
    m = module("import numpy as np\nrate, steps = 0.5, 2\ndef f(x): return x * rate * sum(range(steps))")
    compiled = jit(m.f)
    for k in range(40):
        m.rate, m.steps = 0.1 * k, 2 + k // 20
        for _ in range(3):
            assert np.allclose(compiled(X), m.f(X))
    assert sum(map(len, compiled._variants.values())) < 8


def test_lists_grow_and_shrink_and_lead_far():
    steps = [np.ones(4) for _ in range(5)]
    chain = None
    for k in range(3000):
        chain = types.SimpleNamespace(next=chain, value=np.full(4, k))
    compiled = jit(lambda x: sum(steps) * x + chain.next.value)
    for n in (5, 4, 2, 3, 1):
        del steps[n:]
        steps.extend(np.full(4, n) for _ in range(n - len(steps)))
        for _ in range(3):
            assert np.allclose(compiled(X), sum(steps) * X + chain.next.value)
        chain.next.value[0] += 1


def test_arrays_in_files(tmp_path):
    np.save(tmp_path / "w.npy", np.ones(4))
    w = np.load(tmp_path / "w.npy", mmap_mode="r+")
    f = jit(lambda x: x * w)
    for k in range(5):
        w[k % 4] = k
        assert np.allclose(f(X), w * X)


def test_packages_that_use_jit_are_followed(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "gains"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import numpy as np\nK = np.ones(4)\ndef f(x):\n    return x * K\n")
    monkeypatch.syspath_prepend(package.parent)
    import gains  # type: ignore[import-not-found]

    compiled = jit(gains.f)
    for k in range(5):
        gains.K = np.full(4, k)
        assert np.allclose(compiled(X), k * X)


class Counter:
    def __init__(self):
        self.w, self.rate, self.calls, self.seen = np.ones(3), 0.5, 0, []

    @jit
    def step(self, x):
        """A method that is compiled for all objects."""
        return self.w * x * self.rate

    @jit
    def count(self, x):
        self.calls += 1
        self.seen.append("recorded")
        return self.w * x

    @jit
    def leak(self, x):
        self.last = self.w * x
        return self.last

    @jit
    def grow(self, x):
        self.seen.append(self.w * x)
        return x


def test_methods():
    a, b = Counter(), Counter()
    b.w, b.rate = np.arange(3.0), 2.0
    for _ in range(5):
        for c in (a, b):
            assert np.allclose(c.step(X[:3]), c.w * X[:3] * c.rate)
        a.w[0] += 1
        b.w = b.w + 1.0
    a.rate = 7.0
    assert np.allclose(a.step(X[:3]), a.w * X[:3] * 7)
    g = grad(lambda x: np.sum(a.step(x)))
    assert np.allclose(g(X[:3]), a.w * 7)


def test_native_code_reads_classes():
    class Scaled:
        by, w = 2.0, np.ones(4)

        def at(self, x):
            return x * self.by * self.w

    f = jit(Scaled().at)
    for _ in range(3):
        assert np.allclose(f(X), 2 * X)
    assert f._entrances
    Scaled.w[:] = 3.0
    assert np.allclose(f(X), 6 * X)
    Scaled.by = 1.0
    assert np.allclose(f(X), 3 * X)
    Scaled.at = lambda self, x: x
    assert np.allclose(f(X), 3 * X)  # it was bound before


def test_effects_on_objects_happen_at_recording():
    a = Counter()
    with pytest.warns(UserWarning, match="calls is changed from 0 to 1 under jit"):
        a.count(X[:3])
    for _ in range(3):
        a.count(X[:3])
    assert (a.calls, a.seen) == (1, ["recorded"])
    assert type(a.w) is np.ndarray


def test_random_numbers_are_drawn_once_with_a_warning():
    generator = np.random.default_rng(0)
    for draw in (generator.normal, np.random.normal, random.random):
        f = jit(lambda x: x + draw())  # noqa: B023
        with pytest.warns(UserWarning, match="draws random numbers"):
            first = f(1.0)
        assert f(1.0) == f(1.0) == first


@pytest.mark.parametrize("name", ["leak", "grow"])
def test_traced_values_do_not_stay_in_objects(name):
    a = Counter()
    with pytest.raises(EscapedError, match="Return the value"):
        getattr(a, name)(X[:3])
    assert not hasattr(a, "last")
    assert a.seen == []


def test_decorated_and_derived_functions():
    K = np.ones(4)

    def logged(f):
        @wraps(f)
        def call(*args):
            return f(*args)

        return call

    @logged
    @checkpoint
    def decorated(x):
        return x * K

    @custom_vjp
    def custom(x):
        return x * K

    custom.defvjp(lambda x: (x * K, None), lambda _, t: (t * K * 2,))
    inner, slope = jit(lambda x: x * K), grad(lambda x: np.sum(x**2 * K))
    f = lambda x: decorated(x) + custom(x) + inner(x) + slope(x)
    g = lambda x: np.sum(f(x))
    compiled, compiled_grad = jit(f), jit(grad(g))
    for k in range(5):
        K[k % 4] = k
        assert np.allclose(compiled(X), f(X), 1e-13)
        assert np.allclose(compiled_grad(X), grad(g)(X), 1e-13)


def test_arrays_that_are_read_only_are_constants():
    table = np.arange(4.0)
    table.setflags(write=False)
    f = jit(lambda x: x * table)
    assert len(f.program(X).inputs) == 1
    view = np.arange(4.0)[:]
    view.setflags(write=False)
    view.base[0] = 3.0
    assert len(jit(lambda x: x * view).program(X).inputs) == 2


@dataclass
class State:
    x: np.ndarray
    weights: dict = field(default_factory=dict)

    def energy(self):
        return np.sum(self.x**2) * self.weights["k"]


def test_objects_made_within():
    weights = {"k": np.array(2.0)}
    f = lambda x: State(x, weights).energy()
    compiled = jit(f)
    for k in range(4):
        weights["k"] = np.array(k + 0.5)
        assert np.isclose(compiled(X), f(X))


OF_A_LIBRARY = type("Thing", (), {"__module__": "numpy"})()


@pytest.mark.parametrize("x", [np.random.default_rng(0), iter([1.0]), (i for i in range(3)), OF_A_LIBRARY])
def test_arguments_with_a_state_are_refused(x):
    with pytest.raises(InputError, match="state"):
        jit(lambda v, x: v)(X, x)


def test_static_arguments_of_other_types_differ():
    f = jit(lambda x, n: x * n if isinstance(n, bool) else x / n, static_argnums=1)
    for n in (1, True, 1.0, 2, 0.0, -0.0, 1):
        with np.errstate(all="ignore"):
            want = X * n if isinstance(n, bool) else X / n
        assert np.array_equal(f(X, n), want)


def test_bound_functions_are_those_of_now():
    f = partial(np.multiply, np.ones(4))
    compiled = jit(lambda x: f(x))
    for _ in range(4):
        assert np.allclose(compiled(X), f.args[0] * X)
        f.args[0][:] += 1

"""Compiled value and gradient beside jax.jit, PyTorch, PyTensor and code by hand: one thread, float64.

    python benchmarks/jit.py [part of a program's name ...]

Each program is written once, for a :class:`Library`; where a peer has a word of its own for a step (``lax.scan``,
``conv2d``), its library uses that.  Arrays are handed to each peer as its own; results are awaited, and compared with
each other before anything is timed.  Times are the process's own, of all its threads, the minimum over runs that take
turns: so a busy machine disturbs little, and all alike.  A peer that is not installed is left out; one that cannot run
a program, or takes longer than a minute to compile it, gets a dash, and the reason stands below the table.  First calls
start without stored code; they are timed by the clock.
"""

import logging
import math
import os
import signal
import sys
import tempfile
import time
import timeit
import warnings
from contextlib import contextmanager
from functools import partial
from itertools import pairwise

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
for _variable in ("DOTBAR_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"):
    os.environ[_variable] = tempfile.mkdtemp()

warnings.filterwarnings("ignore", module="torch")

import numpy

import dotbar

TOLERANCE = 1e-8
PATIENCE = 60

# ---------------------------------------------------------------- the libraries


class Library:
    """dotbar: NumPy itself, and dotbar's loop."""

    def __init__(self):
        self.np = numpy

    def array(self, x):
        return x

    def numpy(self, x):
        return numpy.asarray(x)

    def scan(self, f, init, xs, length=None):
        return dotbar.scan(f, init, xs, length)

    def convolve(self, images, kernels):
        """Images (n, c, h, w) with kernels (k, c, 3, 3): the sum over shifts of products over channels."""
        h, w = images.shape[2] - 2, images.shape[3] - 2
        shifts = [(i, j) for i in range(3) for j in range(3)]
        return sum(
            self.np.einsum("nchw,kc->nkhw", images[:, :, i : i + h, j : j + w], kernels[:, :, i, j]) for i, j in shifts
        )

    def value_and_grad(self, f, parameters, data):
        number = len(parameters)
        g = dotbar.jit(dotbar.value_and_grad(f, argnums=tuple(range(number))))
        return lambda: g(*parameters, *data)


class Jax(Library):
    def __init__(self):
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax, self.np = jax, jax.numpy

    def array(self, x):
        return self.np.asarray(x)

    def scan(self, f, init, xs, length=None):
        return self.jax.lax.scan(f, init, xs, length)

    def convolve(self, images, kernels):
        return self.jax.lax.conv(images, kernels, (1, 1), "VALID")

    def value_and_grad(self, f, parameters, data):
        number = len(parameters)
        g = self.jax.jit(self.jax.value_and_grad(f, argnums=tuple(range(number))))
        return lambda: self.jax.block_until_ready(g(*parameters, *data))


class Torch(Library):
    """PyTorch, eager: its operations under NumPy's names."""

    def __init__(self):
        import torch

        torch.set_num_threads(1)
        self.torch, self.np = torch, TorchNames(torch)

    def array(self, x):
        return self.torch.as_tensor(x, dtype=self.torch.float64)

    def numpy(self, x):
        return x.detach().numpy()

    def scan(self, f, init, xs, length=None):
        ys = []
        for i in range(length or len(xs)):
            init, y = f(init, None if xs is None else xs[i])
            ys.append(y)
        return init, ys

    def convolve(self, images, kernels):
        return self.torch.nn.functional.conv2d(images, kernels)

    def value_and_grad(self, f, parameters, data):
        leaves = [p.clone().requires_grad_() for p in parameters]

        def run():
            y = f(*leaves, *data)
            return y, self.torch.autograd.grad(y, leaves)

        return run


class CompiledTorch(Torch):
    """PyTorch's compiler, of the value and of its gradient."""

    def __init__(self):
        super().__init__()
        logging.disable()

    def value_and_grad(self, f, parameters, data):
        self.torch.compiler.reset()
        return super().value_and_grad(self.torch.compile(f), parameters, data)


class TorchNames:
    """NumPy's names for PyTorch's functions."""

    def __init__(self, torch):
        self.torch, self.linalg = torch, torch.linalg

    def __getattr__(self, name):
        return getattr(self.torch, name)

    def max(self, x, axis, keepdims=False):
        return self.torch.amax(x, axis, keepdims)

    def diagonal(self, x, axis1, axis2):
        return self.torch.diagonal(x, dim1=axis1, dim2=axis2)

    def zeros(self, *shape):
        return self.torch.zeros(*shape, dtype=self.torch.float64)

    def eye(self, n):
        return self.torch.eye(n, dtype=self.torch.float64)

    def roll(self, x, shift):
        return self.torch.roll(x, shift)


class PyTensor(Library):
    """PyTensor, with the backend that it takes itself; arguments are not checked."""

    def __init__(self):
        import pytensor

        self.pytensor, self.np = pytensor, pytensor.tensor

    def array(self, x):
        return numpy.asarray(x, dtype=float)

    def scan(self, f, init, xs, length=None):
        several = isinstance(init, tuple)

        def step(*args):
            x, carry = (args[0], args[1:]) if xs is not None else (None, args)
            after, _ = f(carry if several else carry[0], x)
            return list(after) if several else after

        history = self.pytensor.scan(
            step, sequences=xs, outputs_info=list(init) if several else init, n_steps=length, return_updates=False
        )
        return (tuple(ys[-1] for ys in history) if several else history[-1]), None

    def value_and_grad(self, f, parameters, data):
        values = [*parameters, *data]
        names = [self.np.tensor(dtype="float64", shape=x.shape) for x in values]
        y = f(*names)
        run = self.pytensor.function(names, [y, *self.pytensor.grad(y, names[: len(parameters)])])
        run.trust_input = True

        def unpacked():
            value, *gradient = run(*values)
            return value, gradient

        return unpacked


# ---------------------------------------------------------------- the programs

rng = numpy.random.default_rng(0)


def normal(*shape):
    return rng.standard_normal(shape)


def log_sum_exp(np, x, axis):
    top = np.max(x, axis, keepdims=True)
    return np.log(np.sum(np.exp(x - top), axis)) + np.squeeze(top, axis)


def scalar_chain(lib, u):
    w = u * u
    return lib.np.exp(lib.np.sin(w) * lib.np.log(w))


def elementwise_chain(lib, a, b):
    np = lib.np
    return np.sum(np.sin(a * b) * np.exp(-a) + a * b - b / a)


def logistic_regression(lib, w, X, y):
    z = y * (X @ w)
    return lib.np.mean(lib.np.log(1 + lib.np.exp(-z))) + 0.01 * lib.np.sum(w * w)


def network(lib, w1, w2, w3, b1, b2, b3, X, Y):
    np = lib.np
    h = np.tanh(X @ w1 + b1)
    h = np.tanh(h @ w2 + b2)
    s = h @ w3 + b3
    return np.mean(log_sum_exp(np, s, 1) - np.sum(s * Y, 1))


def log_sum_exp_of_rows(lib, x):
    return lib.np.mean(log_sum_exp(lib.np, x, 1))


def rbf_kernel(lib, X, scale, weights):
    np = lib.np
    D = np.sum((X[:, None] - X[None]) ** 2, 2)
    return np.sum(weights * np.exp(-0.5 * D / scale**2))


def gaussian_process(lib, theta, D, y, eye):
    np = lib.np
    K = np.exp(theta[0]) * np.exp(-0.5 * D * np.exp(-2 * theta[1])) + np.exp(theta[2]) * eye
    L = np.linalg.cholesky(K)
    z = np.linalg.solve(K, y)
    return 0.5 * np.sum(y * z) + np.sum(np.log(np.diagonal(L, axis1=0, axis2=1)))


def neighbourhood_components(lib, A, X, same, others):
    """Goldberger et al. (2004): the probability that a point's random neighbour is of its class."""
    np = lib.np
    Z = X @ A
    sizes = np.sum(Z * Z, 1)
    D = sizes[:, None] + sizes[None] - 2 * (Z @ Z.T)
    E = np.exp(-D) * others
    return -np.sum(E * same / np.sum(E, 1, keepdims=True))


def kalman_filter(lib, F, noise, H, ys):
    np = lib.np
    Q, R = np.exp(noise[0]) * np.eye(4), np.exp(noise[1]) * np.eye(2)

    def step(carry, y):
        m, P, total = carry
        m, P = F @ m, F @ P @ F.T + Q
        HP = H @ P
        S = HP @ H.T + R
        v = y - H @ m
        G = np.linalg.solve(S, HP)
        total = total + 0.5 * (v @ np.linalg.solve(S, v) + np.linalg.slogdet(S)[1])
        return (m + G.T @ v, P - G.T @ HP, total), None

    return lib.scan(step, (np.zeros(4), np.eye(4), np.zeros(())), ys)[0][2]


def lstm(lib, wx, wh, b, xs):
    np = lib.np
    n = wh.shape[0]
    sigmoid = lambda z: 1 / (1 + np.exp(-z))

    def step(carry, x):
        h, c = carry
        z = x @ wx + h @ wh + b
        i, f, o, g = (z[:, k * n : (k + 1) * n] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return (h, c), None

    zeros = np.zeros((xs.shape[1], n))
    (h, _), _ = lib.scan(step, (zeros, zeros), xs)
    return np.sum(h * h)


def runge_kutta(lib, y, k, steps=100, dt=0.01):
    np = lib.np
    rate = lambda y: k * (np.roll(y, 1) + np.roll(y, -1) - 2 * y) + y * (1 - y * y)

    def step(y, _):
        a = rate(y)
        b = rate(y + dt / 2 * a)
        c = rate(y + dt / 2 * b)
        d = rate(y + dt * c)
        return y + dt / 6 * (a + 2 * b + 2 * c + d), None

    return np.sum(lib.scan(step, y, None, steps)[0] ** 2)


def hidden_markov(lib, transitions, emissions):
    np = lib.np
    log_a = transitions - log_sum_exp(np, transitions, 1)[:, None]

    def step(alpha, emission):
        return log_sum_exp(np, alpha[:, None] + log_a, 0) + emission, None

    return log_sum_exp(np, lib.scan(step, emissions[0], emissions[1:])[0], 0)


def gaussian_mixture(lib, weights, means, logs, below, X, eye):
    """Precisions Q Qᵀ, with Q triangular and its diagonal in logarithms."""
    np = lib.np
    Q = np.tril(below, -1) + np.exp(logs)[:, :, None] * eye
    Z = (X[None] - means[:, None]) @ Q
    inner = weights + np.sum(logs, 1)
    return -np.sum(log_sum_exp(np, inner[:, None] - 0.5 * np.sum(Z * Z, 2), 0)) + X.shape[0] * log_sum_exp(
        np, weights, 0
    )


def attention(lib, wq, wk, wv, wo, x):
    np = lib.np
    q, k, v = x @ wq, x @ wk, x @ wv
    s = q @ k.T / q.shape[1] ** 0.5
    e = np.exp(s - np.max(s, 1, keepdims=True))
    y = x + (e / np.sum(e, 1, keepdims=True)) @ v @ wo
    return np.sum(y * y)


def convolution(lib, kernels, bias, images):
    np = lib.np
    y = lib.convolve(images, kernels) + bias[:, None, None]
    return np.mean(np.where(y > 0, y, 0.0) ** 2)


def gaussians(lib, W, mean, X, eye):
    """The negative logarithm of densities with covariances W Wᵀ + I."""
    np = lib.np
    L = np.linalg.cholesky(W @ np.swapaxes(W, 1, 2) + eye)
    z = np.linalg.solve(L, (X - mean)[:, :, None])
    return 0.5 * np.sum(z * z) + np.sum(np.log(np.diagonal(L, axis1=1, axis2=2)))


def programs():
    """Name, function, parameters, data, code by hand."""
    yield "scalar chain exp(sin u² log u²)", scalar_chain, (1.3,), (), scalar_chain_by_hand
    for n in (10, 1000, 100_000):
        yield f"elementwise chain, {n}", elementwise_chain, rng.uniform(0.5, 1.5, (2, n)), (), elementwise_chain_by_hand
    for n, d in ((100, 10), (10_000, 50)):
        y = numpy.sign(normal(n))
        yield f"logistic regression, {n}×{d}", logistic_regression, (normal(d),), (normal(n, d), y), logistic_by_hand
    for width in (32, 512):
        sizes = (64, width, width, 10)
        ws = [normal(m, n) / math.sqrt(m) for m, n in pairwise(sizes)]
        data = normal(128, 64), numpy.eye(10)[rng.integers(0, 10, 128)]
        yield f"softmax network, width {width}", network, (*ws, *(numpy.zeros(n) for n in sizes[1:])), data, None
    for shape in ((100, 10), (1000, 1000)):
        yield f"log-sum-exp, {shape[0]}×{shape[1]}", log_sum_exp_of_rows, (normal(*shape),), (), log_sum_exp_by_hand
    for n in (100, 500):
        yield f"RBF kernel, {n}×8", rbf_kernel, (normal(n, 8), 1.3), (normal(n, n),), rbf_by_hand
    for n in (50, 200, 1000):
        X = rng.uniform(0, 10, (n, 1))
        data = (X - X.T) ** 2, numpy.sin(X[:, 0]) + 0.1 * normal(n), numpy.eye(n)
        yield f"GP marginal likelihood, n = {n}", gaussian_process, (numpy.array([0.1, 0.2, -2.0]),), data, None
    for n in (50, 500):
        labels = rng.integers(0, 3, n)
        same = (labels[:, None] == labels).astype(float)
        data = normal(n, 8), same, 1 - numpy.eye(n)
        yield f"NCA loss, {n}×8", neighbourhood_components, (0.3 * normal(8, 2),), data, None
    F = numpy.eye(4) + numpy.diag([0.1, 0.1], 2)
    data = numpy.eye(4)[:2], numpy.cumsum(normal(100, 2), 0)
    yield "Kalman filter, 100 steps of 4×4", kalman_filter, (F, numpy.array([-1.0, 0.5])), data, None
    for steps, batch, n in ((20, 1, 16), (50, 32, 64)):
        ws = normal(16, 4 * n) / 4, normal(n, 4 * n) / math.sqrt(n), numpy.zeros(4 * n)
        yield f"LSTM, {steps} steps, {batch}×{n}", lstm, ws, (normal(steps, batch, 16),), None
    for n in (10, 1000, 10_000):
        yield f"RK4, 100 steps of {n}", runge_kutta, (normal(n), 0.7), (), None
    for states in (5, 50):
        data = (normal(200, states),)
        yield f"HMM, 200 steps of {states} states", hidden_markov, (normal(states, states),), data, None
    for n, d, k in ((200, 2, 3), (2000, 16, 10)):
        parameters = normal(k), normal(k, d), 0.1 * normal(k, d), normal(k, d, d)
        yield f"GMM, {n}×{d}, {k} components", gaussian_mixture, parameters, (normal(n, d), numpy.eye(d)), None
    for n, d in ((16, 16), (256, 64)):
        ws = [normal(d, d) / math.sqrt(d) for _ in range(4)]
        yield f"attention block, {n}×{d}", attention, ws, (normal(n, d),), None
    for n, c, k, h in ((1, 1, 4, 12), (8, 8, 16, 32)):
        yield f"convolution, {n}×{c}×{h}×{h}", convolution, (normal(k, c, 3, 3), normal(k)), (normal(n, c, h, h),), None
    for n in (10, 1000):
        data = normal(n, 8), numpy.eye(8)
        yield f"{n} Gaussians, 8×8", gaussians, (normal(n, 8, 8), numpy.zeros(8)), data, None


# ---------------------------------------------------------------- by hand, with Numba


def scalar_chain_by_hand(numba, u):
    @numba.njit
    def run(u):
        w = u * u
        s, g = math.sin(w), math.log(w)
        z = math.exp(s * g)
        return z, z * (math.cos(w) * g + s / w) * 2 * u

    return lambda: (lambda z, d: (z, (d,)))(*run(u))


def elementwise_chain_by_hand(numba, a, b):
    @numba.njit(fastmath={"reassoc", "contract"})
    def run(a, b):
        total, abar, bbar = 0.0, numpy.empty_like(a), numpy.empty_like(a)
        for i in range(a.size):
            p, q, e = a[i] * b[i], b[i] / a[i], math.exp(-a[i])
            s, c = math.sin(p), math.cos(p) * e + 1
            total += s * e + p - q
            abar[i] = c * b[i] - s * e + q / a[i]
            bbar[i] = c * a[i] - 1 / a[i]
        return total, (abar, bbar)

    return lambda: run(a, b)


def logistic_by_hand(numba, w, X, y):
    def run():
        e = numpy.exp(-y * (X @ w))
        value = numpy.mean(numpy.log1p(e)) + 0.01 * w @ w
        return value, (X.T @ (-y * e / (1 + e)) / len(y) + 0.02 * w,)

    return run


def log_sum_exp_by_hand(numba, x):
    @numba.njit(fastmath={"reassoc", "contract"})
    def run(x):
        total, xbar = 0.0, numpy.empty_like(x)
        for i in range(x.shape[0]):
            top, s = x[i].max(), 0.0
            for j in range(x.shape[1]):
                xbar[i, j] = math.exp(x[i, j] - top)
                s += xbar[i, j]
            total += math.log(s) + top
            for j in range(x.shape[1]):
                xbar[i, j] /= s * x.shape[0]
        return total / x.shape[0], (xbar,)

    return lambda: run(x)


def rbf_by_hand(numba, X, scale, weights):
    @numba.njit(fastmath={"reassoc", "contract"})
    def run(X, scale, weights):
        total, scale_bar, Xbar = 0.0, 0.0, numpy.zeros_like(X)
        for i in range(X.shape[0]):
            for j in range(X.shape[0]):
                D = 0.0
                for k in range(X.shape[1]):
                    D += (X[i, k] - X[j, k]) ** 2
                term = weights[i, j] * math.exp(-0.5 * D / scale**2)
                total += term
                scale_bar += term * D
                for k in range(X.shape[1]):
                    change = term * (X[j, k] - X[i, k]) / scale**2
                    Xbar[i, k] += change
                    Xbar[j, k] -= change
        return total, (Xbar, scale_bar / scale**3)

    return lambda: run(X, scale, weights)


# ---------------------------------------------------------------- the table


def measure(runs, rounds=7, budget=0.4):
    """The minimum time of each, the runs taking turns; in seconds."""
    best, numbers = dict.fromkeys(runs, math.inf), {}
    for name, run in runs.items():
        once = min(timeit.repeat(run, timer=time.process_time, number=1, repeat=2))
        numbers[name] = max(1, int(budget / rounds / max(once, 1e-7)))
    for _ in range(rounds):
        for name, run in runs.items():
            best[name] = min(
                best[name], timeit.timeit(run, timer=time.process_time, number=numbers[name]) / numbers[name]
            )
    return best


@contextmanager
def patience(seconds):
    """Raise TimeoutError where the block takes longer."""

    def stop(*_):
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def compare(lib, reference, result, name):
    """Raise unless results agree; relative to the largest entry of each array."""
    for y, z in zip((reference[0], *reference[1]), (result[0], *result[1]), strict=True):
        y, z = numpy.asarray(y), lib.numpy(z)
        error = numpy.max(numpy.abs(y - z)) / max(numpy.max(numpy.abs(y)), 1e-3)
        assert error < TOLERANCE, f"{name}: {type(lib).__name__} differs by {error:.1e}"


PEERS = {"jax": Jax, "torch": Torch, "compile": CompiledTorch, "pytensor": PyTensor}


def libraries():
    """Those that are installed, dotbar first."""
    found = {"dotbar": Library()}
    for name, make in PEERS.items():
        try:
            found[name] = make()
        except ImportError:
            continue
    return found


def numba_or_none():
    try:
        import numba
    except ImportError:
        return None
    return numba


def row(name, f, parameters, data, by_hand, libs, numba):
    """The times of all who run a program, how long their first calls took, and why the others do not run it."""
    runs, first, failures, reference = {}, {}, {}, None
    for library, lib in libs.items():
        arrays = [[lib.array(x) for x in xs] for xs in (parameters, data)]
        start = time.perf_counter()
        try:
            with patience(PATIENCE):
                run = lib.value_and_grad(partial(f, lib), *arrays)
                results = [run() for _ in range(2 if library == "dotbar" else 1)]
            first[library] = time.perf_counter() - start
            reference = reference or results[-1]
            compare(lib, reference, results[-1], name)
            runs[library] = run
        except Exception as error:
            if library == "dotbar":
                raise
            failures[library] = " ".join(f"{type(error).__name__}: {error}".split())[:80]
    if by_hand and numba:
        runs["by hand"] = by_hand(numba, *parameters, *data)
        compare(libs["dotbar"], reference, runs["by hand"](), name)
    return measure(runs), first, failures


def main(*wanted):
    libs, numba = libraries(), numba_or_none()
    columns = (*PEERS, "by hand", "best")
    print(f"{'value and gradient':34s}{'dotbar µs':>11s}" + "".join(f"{c:>10s}" for c in columns), end="")
    print(f"{'first call ms':>16s}{'jax':>8s}")
    ratios, dashes = [], []
    for name, *program in programs():
        if wanted and not any(part in name for part in wanted):
            continue
        times, first, failures = row(name, *program, libs, numba)
        base = times.pop("dotbar")
        times["best"] = min(times.values(), default=math.nan)
        ratios.append(times["best"] / base)
        dashes += [f"{name}: {library}: {reason}" for library, reason in failures.items()]
        cells = "".join(f"{times[c] / base:9.2f}×" if c in times else f"{'-':>10s}" for c in columns)
        print(
            f"{name:34s}{base * 1e6:11.2f}{cells}{first['dotbar'] * 1e3:16.0f}{first.get('jax', math.nan) * 1e3:8.0f}"
        )
        sys.stdout.flush()
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"geometric mean over the best: {mean:.2f}×; below 1: {sum(r < 1 for r in ratios)} of {len(ratios)}")
    print(
        "× is a peer's time over dotbar's: above 1, dotbar is faster.  dotbar's first call is two: recorded, compiled."
    )
    print(*dashes, sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

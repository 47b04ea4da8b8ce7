"""The eager mode beside hand-written NumPy, autograd, PyTorch and MyGrad: value and gradient, one thread.

    OPENBLAS_NUM_THREADS=1 python benchmarks/eager.py

Each program is written once for a NumPy-like namespace ``np``.  Times are the minimum over runs that
take turns, so that a busy moment of the machine meets all alike; ratios are to dotbar.  A peer that is not
installed, or cannot run a program, is left out of it.
"""

import math
import os
import timeit
from itertools import pairwise

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy

import dotbar

rng = numpy.random.default_rng(0)
PEERS = ("dotbar", "by hand", "autograd", "torch", "mygrad")


# ---------------------------------------------------------------- the frameworks


def with_dotbar(f, xs):
    vg = dotbar.value_and_grad(lambda *xs: f(numpy, *xs), argnums=tuple(range(len(xs))))
    return lambda: vg(*xs)


def with_autograd(f, xs):
    import autograd
    import autograd.numpy as anp

    vg = autograd.value_and_grad(lambda xs: f(anp, *xs))
    return lambda: vg(tuple(xs))


def with_torch(f, xs):
    import torch

    torch.set_num_threads(1)

    def run():
        ts = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in xs]
        y = f(Torch(torch), *ts)
        y.backward()
        return y.item(), [t.grad.numpy() for t in ts]

    return run


class Torch:
    """The few NumPy names that these programs use, in PyTorch's spelling."""

    def __init__(self, torch):
        self.torch = torch

    def __getattr__(self, name):
        if name == "linalg":
            return self.torch.linalg
        f = getattr(self.torch, name)
        if not callable(f):
            return f
        wrap = lambda a: self.torch.from_numpy(a) if isinstance(a, numpy.ndarray) else a
        return lambda *a, **k: f(*map(wrap, a), **k)

    def max(self, x, axis, keepdims):
        return self.torch.amax(x, axis, keepdims)

    def array(self, x):
        return self.torch.from_numpy(x)


def with_mygrad(f, xs):
    import mygrad

    def run():
        ts = [mygrad.tensor(x) for x in xs]
        y = f(mygrad, *ts)
        y.backward()
        return y.item(), [t.grad for t in ts]

    return run


# ---------------------------------------------------------------- the programs


def chain(np, a, b):
    return np.sum(np.sin(a * b) * np.exp(-a) + a * b - b / a)


def chain_by_hand(a, b):
    def run():
        p = a * b
        s, e, q = numpy.sin(p), numpy.exp(-a), b / a
        c = numpy.cos(p) * e + 1
        return numpy.sum(s * e + p - q), (c * b - s * e + q / a, c * a - 1 / a)

    return run


def scalar_chain(np, u):
    w = u * u
    return np.exp(np.sin(w) * np.log(w))


def scalar_chain_by_hand(u):
    def run():
        w = u * u
        s, g = math.sin(w), math.log(w)
        z = math.exp(s * g)
        return z, (z * (math.cos(w) * g + s / w) * 2 * u,)

    return run


def recurrence(np, u, n=100_000):
    x = u
    for _ in range(n):
        x = x * 0.999 + 0.001 * u
    return x


def recurrence_by_hand(u, n=100_000):
    def run():
        x = u
        for _ in range(n):
            x = x * 0.999 + 0.001 * u
        xbar, ubar = 1.0, 0.0
        for _ in range(n):
            ubar += 0.001 * xbar
            xbar *= 0.999
        return x, (xbar + ubar,)

    return run


def network(width, batch=128, inputs=64, classes=10):
    X = rng.standard_normal((batch, inputs))
    Y = numpy.eye(classes)[rng.integers(0, classes, batch)]
    sizes = (inputs, width, width, classes)
    ws = [rng.standard_normal((m, n)) / math.sqrt(m) for m, n in pairwise(sizes)]
    bs = [numpy.zeros(n) for n in sizes[1:]]

    def loss(np, w1, w2, w3, b1, b2, b3):
        h = X if np in (numpy,) or not isinstance(np, Torch) else np.array(X)
        y = Y if not isinstance(np, Torch) else np.array(Y)
        h = np.tanh(h @ w1 + b1)
        h = np.tanh(h @ w2 + b2)
        s = h @ w3 + b3
        s = s - np.max(s, axis=1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(s), axis=1)) - np.sum(s * y, axis=1))

    def by_hand(w1, w2, w3, b1, b2, b3):
        def run():
            h1 = numpy.tanh(X @ w1 + b1)
            h2 = numpy.tanh(h1 @ w2 + b2)
            s = h2 @ w3 + b3
            s = s - numpy.max(s, axis=1, keepdims=True)
            e = numpy.exp(s)
            z = numpy.sum(e, axis=1)
            value = numpy.mean(numpy.log(z) - numpy.sum(s * Y, axis=1))
            d3 = (e / z[:, None] - Y) / batch
            d2 = (d3 @ w3.T) * (1 - h2 * h2)
            d1 = (d2 @ w2.T) * (1 - h1 * h1)
            return value, (X.T @ d1, h1.T @ d2, h2.T @ d3, d1.sum(0), d2.sum(0), d3.sum(0))

        return run

    return loss, by_hand, (*ws, *bs)


def gaussian_process(n):
    X = rng.uniform(0, 10, (n, 1))
    y = numpy.sin(X[:, 0]) + 0.1 * rng.standard_normal(n)
    D = (X - X.T) ** 2
    eye = numpy.eye(n)

    def nll(np, theta):
        K, t, one = (np.array(a) if isinstance(np, Torch) else a for a in (D, y, eye))
        A = np.exp(theta[0]) * np.exp(-0.5 * K * np.exp(-2 * theta[1])) + np.exp(theta[2]) * one
        L = np.linalg.cholesky(A)
        alpha = np.linalg.solve(A, t)
        return 0.5 * np.sum(t * alpha) + np.sum(np.log(np.diag(L)))

    def by_hand(theta):
        import scipy.linalg

        def run():
            s, scale, noise = numpy.exp(theta[0]), numpy.exp(-2 * theta[1]), numpy.exp(theta[2])
            E = s * numpy.exp(-0.5 * D * scale)
            A = E + noise * eye
            L = numpy.linalg.cholesky(A)
            inverse = scipy.linalg.lapack.dpotri(L, lower=1)[0]
            inverse = numpy.tril(inverse) + numpy.tril(inverse, -1).T
            alpha = inverse @ y
            Abar = 0.5 * (inverse - numpy.outer(alpha, alpha))
            bars = (numpy.sum(Abar * E), numpy.sum(Abar * E * D) * scale, noise * numpy.trace(Abar))
            return 0.5 * y @ alpha + numpy.sum(numpy.log(numpy.diag(L))), (numpy.array(bars),)

        return run

    return nll, by_hand, (numpy.array([0.1, 0.2, -2.0]),)


def programs():
    """Name, program, the same by hand, inputs, peers that are worth waiting for."""
    a, b = rng.uniform(0.5, 1.5, 10), rng.uniform(0.5, 1.5, 10)
    yield "sum(sin(ab)exp(-a) + ab - b/a), 10 entries", chain, chain_by_hand, (a, b)
    yield "exp(sin(u²)log(u²)), a Python float", scalar_chain, scalar_chain_by_hand, (1.3,)
    yield "scalar recurrence, 10⁵ steps", recurrence, recurrence_by_hand, (1.3,)
    for width in (32, 512):
        yield f"network step, width {width}", *network(width)
    for n in (200, 1000):
        yield f"GP marginal likelihood, n = {n}", *gaussian_process(n)


# ---------------------------------------------------------------- the table


def measure(runs, rounds=7, budget=0.4):
    """The minimum time of each, the runs taking turns; in seconds."""
    best = dict.fromkeys(runs, math.inf)
    numbers = {}
    for name, run in runs.items():
        once = min(timeit.repeat(run, number=1, repeat=2))
        numbers[name] = max(1, int(budget / rounds / max(once, 1e-7)))
    for _ in range(rounds):
        for name, run in runs.items():
            best[name] = min(best[name], timeit.timeit(run, number=numbers[name]) / numbers[name])
    return best


def main():
    makers = {"autograd": with_autograd, "torch": with_torch, "mygrad": with_mygrad}
    print(f"{'value and gradient':45s}{'dotbar µs':>12s}" + "".join(f"{p:>14s}" for p in PEERS[1:]))
    for name, f, by_hand, xs in programs():
        runs = {"dotbar": with_dotbar(f, xs), "by hand": by_hand(*xs)}
        value, bars = runs["by hand"]()
        got, gradient = runs["dotbar"]()
        assert numpy.allclose(got, value)
        assert all(numpy.allclose(g, h, rtol=1e-6, atol=1e-8) for g, h in zip(gradient, bars)), name
        for peer, maker in makers.items():
            try:
                run = maker(f, xs)
                run()
            except Exception:
                continue
            runs[peer] = run
        times = measure(runs)
        base = times["dotbar"]
        cells = "".join(f"{times[p] / base:13.2f}×" if p in times else f"{'–':>14s}" for p in PEERS[1:])
        print(f"{name:45s}{base * 1e6:12.1f}{cells}", flush=True)
    print("× is the peer's time over dotbar's: above 1, dotbar is faster.")


if __name__ == "__main__":
    main()

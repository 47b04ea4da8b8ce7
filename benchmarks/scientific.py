"""Value and gradient of SciPy's functions beside jax.scipy and autograd.scipy: one thread, float64.

    python benchmarks/scientific.py [part of a program's name ...]

Each program is written once, for a :class:`Library` of modules named as SciPy's.  ``value`` is SciPy's time for the
function alone.  Results are compared before anything is timed; a peer that lacks a function, or its derivative, or
computes something else, gets a dash, and the reason stands below the table.  Times are minima over runs that take
turns, of the process and all its threads.
"""

import math
import sys
from functools import partial
from types import SimpleNamespace

import jit as compiled  # sets the number of threads, so before NumPy
import numpy
import scipy.fft
import scipy.integrate
import scipy.linalg
import scipy.ndimage
import scipy.signal
import scipy.sparse
import scipy.sparse.linalg
import scipy.spatial.distance
import scipy.special
import scipy.stats

import dotbar
import dotbar.scipy

compiled.TOLERANCE = 1e-6

# ---------------------------------------------------------------- the libraries


class Plain(compiled.Library):
    """SciPy itself, for the value alone."""

    scipy = scipy

    def value(self, f, parameters, data):
        return lambda: f(*parameters, *data)


class Eager(compiled.Library):
    """dotbar as a call runs."""

    scipy = dotbar.scipy

    def value_and_grad(self, f, parameters, data):
        g = dotbar.value_and_grad(f, argnums=tuple(range(len(parameters))))
        return lambda: g(*parameters, *data)


class Compiled(compiled.Library):
    """dotbar under jit."""

    scipy = dotbar.scipy


class Jax(compiled.Jax):
    def __init__(self):
        super().__init__()
        import jax.experimental.ode
        import jax.scipy

        def odeint(f, y0, times, args, rtol, atol):
            return jax.experimental.ode.odeint(f, y0, times, *args, rtol=rtol, atol=atol)

        names = {name: getattr(jax.scipy, name) for name in ("fft", "linalg", "ndimage", "signal", "special", "stats")}
        self.scipy = SimpleNamespace(**names, integrate=SimpleNamespace(odeint=odeint))


class Autograd(compiled.Library):
    def __init__(self):
        import autograd.numpy
        import autograd.scipy.integrate
        import autograd.scipy.linalg
        import autograd.scipy.signal
        import autograd.scipy.special
        import autograd.scipy.stats

        self.np, self.scipy = autograd.numpy, autograd.scipy

    def value_and_grad(self, f, parameters, data):
        from autograd import value_and_grad

        together = lambda parameters: f(*parameters, *data)
        g = value_and_grad(together)
        return lambda: g(tuple(parameters))


# ---------------------------------------------------------------- the programs


def gamma_likelihood(lib, theta, x):
    return lib.np.sum(lib.scipy.stats.gamma.logpdf(x, theta[0], scale=theta[1]))


def beta_likelihood(lib, theta, x):
    return lib.np.sum(lib.scipy.stats.beta.logpdf(x, theta[0], theta[1]))


def student_likelihood(lib, theta, x):
    return lib.np.sum(lib.scipy.stats.t.logpdf(x, theta[0], theta[1], theta[2]))


def negative_binomial(lib, theta, k):
    gammaln = lib.scipy.special.gammaln
    r, p = theta[0], theta[1]
    terms = gammaln(k + r) - gammaln(r) - gammaln(k + 1) + r * lib.np.log(p) + k * lib.np.log1p(-p)
    return lib.np.sum(terms)


def overdispersed(lib, theta, k):
    return lib.np.sum(lib.scipy.stats.nbinom.logpmf(k, theta[0], theta[1]))


def poisson_regression(lib, w, X, k):
    return lib.np.sum(lib.scipy.stats.poisson.logpmf(k, lib.np.exp(X @ w)))


def probit(lib, w, X, sign):
    return lib.np.sum(lib.scipy.stats.norm.logcdf(sign * (X @ w)))


def censored(lib, theta, x):
    return lib.np.sum(lib.np.log(lib.scipy.special.gammaincc(theta[0], x / theta[1])))


def incomplete_beta(lib, theta, x):
    return lib.np.sum(lib.scipy.special.betainc(theta[0], theta[1], x) ** 2)


def quantiles(lib, theta, u):
    return lib.np.sum((theta[0] + theta[1] * lib.scipy.special.ndtri(u)) ** 3)


def bessel_by_order(lib, theta, x):
    return lib.np.sum(lib.scipy.special.jv(theta[0], x * theta[1]))


def von_mises(lib, theta, x):
    kappa = theta[0]
    return lib.np.sum(kappa * lib.np.cos(x - theta[1]) - kappa) - len(x) * lib.np.log(lib.scipy.special.i0e(kappa))


def softmax_cross_entropy(lib, W, X, Y):
    scores = X @ W
    return lib.np.sum(lib.scipy.special.logsumexp(scores, axis=1)) - lib.np.sum(scores * Y)


def exponential(lib, A, b):
    return b @ (lib.scipy.linalg.expm(A) @ b)


def root_of_matrix(lib, A, b):
    return b @ lib.np.real(lib.scipy.linalg.sqrtm(A)) @ b


def logarithm_of_matrix(lib, A, b):
    return b @ lib.np.real(lib.scipy.linalg.logm(A)) @ b


def normal_by_cholesky(lib, theta, S, y):
    L = lib.scipy.linalg.cholesky(theta[0] * S + theta[1] * lib.np.eye(len(y)), lower=True)
    z = lib.scipy.linalg.solve_triangular(L, y, lower=True)
    return z @ z / 2 + lib.np.sum(lib.np.log(lib.np.diag(L)))


def vibrations(lib, K, M):
    return lib.np.sum(lib.np.sqrt(lib.scipy.linalg.eigh(K, M, eigvals_only=True)))


def sylvester(lib, A, B, C):
    return lib.np.sum(lib.scipy.linalg.solve_sylvester(A, B, C) ** 2)


def regulator(lib, A, B, Q, R):
    return lib.np.trace(lib.scipy.linalg.solve_continuous_are(A, B, Q, R))


def filtered(lib, b, x):
    return lib.np.sum(lib.scipy.signal.lfilter(b, lib.np.array([1.0, -1.8, 0.9]), x) ** 2)


def convolved(lib, x, y):
    return lib.np.sum(lib.scipy.signal.fftconvolve(x, y) ** 2)


def cosines(lib, x, weights):
    return lib.np.sum(weights * lib.scipy.fft.dct(x, norm="ortho") ** 2)


def warped(lib, shifts, image, grid):
    return lib.np.sum(lib.scipy.ndimage.map_coordinates(image, grid + shifts, order=1, mode="nearest") ** 2)


def distances(lib, X, Y):
    return lib.np.sum(lib.scipy.spatial.distance.cdist(X, Y))


def predator_and_prey(lib, rates, y0, times):
    def f(y, t, *rates):
        a, b, c, d = rates
        return lib.np.stack([a * y[0] - b * y[0] * y[1], c * y[0] * y[1] - d * y[1]])

    args = tuple(rates[i] for i in range(4))
    return lib.np.sum(lib.scipy.integrate.odeint(f, y0, times, args=args, rtol=1e-8, atol=1e-8) ** 2)


def stiffness(lib, k, f):
    K = lib.scipy.sparse.diags_array([k[:-1] + k[1:], -k[1:-1], -k[1:-1]], offsets=[0, 1, -1], format="csc")
    return f @ lib.scipy.sparse.linalg.spsolve(K, f)


def programs():
    """Name, function, parameters and data of each program."""
    rng = numpy.random.default_rng(0)
    many, n = 10_000, 100
    x, u = rng.gamma(2, 1.5, many), rng.uniform(0.01, 0.99, many)
    G = rng.standard_normal((n, n)) / numpy.sqrt(n)
    S = G @ G.T + numpy.eye(n)
    large = numpy.kron(S, numpy.eye(5))
    b = rng.standard_normal(n)
    X, w = rng.standard_normal((many, 20)), rng.standard_normal(20)
    labels = numpy.eye(10)[rng.integers(0, 10, many)]
    image = scipy.ndimage.gaussian_filter(rng.random((128, 128)), 2)
    grid = numpy.indices(image.shape) * 1.0
    times, prey = numpy.arange(9.0), numpy.array([1.0, 2.0])
    theta = numpy.array
    yield "gamma, log density, 10⁴", gamma_likelihood, [theta([2.0, 1.5])], [x]
    yield "beta, log density, 10⁴", beta_likelihood, [theta([2.0, 1.5])], [u]
    yield "Student, log density, 10⁴", student_likelihood, [theta([5.0, 1.0, 2.0])], [x]
    yield "negative binomial, gammaln, 10⁴", negative_binomial, [theta([5.0, 0.3])], [numpy.floor(x)]
    yield "negative binomial, log mass, 10⁴", overdispersed, [theta([5.0, 0.3])], [numpy.floor(x)]
    yield "Poisson regression, 10⁴ × 20", poisson_regression, [w / 5], [X, numpy.floor(x)]
    yield "probit, log Φ, 10⁴ × 20", probit, [w / 5], [X, numpy.sign(rng.standard_normal(many))]
    yield "von Mises, 10⁴", von_mises, [theta([5.0, 0.3])], [x]
    yield "gammaincc by shape, 10⁴", censored, [theta([2.0, 1.5])], [x]
    yield "betainc by parameters, 10⁴", incomplete_beta, [theta([2.0, 1.5])], [u]
    yield "normal quantiles, 10⁴", quantiles, [theta([0.5, 1.5])], [u]
    yield "jv by order, 10³", bessel_by_order, [theta([0.5, 1.5])], [x[:1000]]
    yield "logsumexp, 10⁴ × 20 × 10", softmax_cross_entropy, [rng.standard_normal((20, 10))], [X, labels]
    yield "expm, n = 100", exponential, [G], [b]
    yield "sqrtm, n = 100", root_of_matrix, [S], [b]
    yield "logm, n = 100", logarithm_of_matrix, [S], [b]
    yield "cholesky and triangle, n = 500", normal_by_cholesky, [theta([1.0, 0.1])], [large, numpy.tile(b, 5)]
    yield "eigh(K, M), n = 100", vibrations, [S, S + numpy.eye(n)], []
    yield "solve_sylvester, n = 100", sylvester, [G + 3 * numpy.eye(n), S, G], []
    yield "Riccati, n = 20", regulator, [G[:20, :20], G[:20, 20:23], numpy.eye(20), numpy.eye(3)], []
    yield "lfilter, 10⁵", filtered, [theta([0.1, 0.2, 0.1])], [rng.standard_normal(100_000)]
    yield "fftconvolve, 10⁵ and 10³", convolved, [rng.standard_normal(1000)], [rng.standard_normal(100_000)]
    yield "dct, 10⁵", cosines, [rng.standard_normal(100_000)], [rng.random(100_000)]
    yield "map_coordinates, 128²", warped, [0.1 * rng.standard_normal((2, 128, 128))], [image, grid]
    yield "cdist, 300 × 300 × 3", distances, [rng.standard_normal((300, 3)), rng.standard_normal((300, 3))], []
    yield "odeint, tolerance 10⁻⁸", predator_and_prey, [theta([1.0, 0.5, 0.3, 0.7])], [prey, times]
    yield "sparse spsolve, 10⁴", stiffness, [rng.uniform(1, 2, 10_001)], [rng.standard_normal(10_000)]


# ---------------------------------------------------------------- the table


def libraries():
    found = {"dotbar": Eager(), "jit": Compiled()}
    for name, make in (("jax", Jax), ("autograd", Autograd)):
        try:
            found[name] = make()
        except ImportError:
            continue
    return found


def row(name, f, parameters, data, libs):
    """The times of all who run a program, and why the others do not."""
    plain = Plain()
    runs, failures, reference = {"value": plain.value(partial(f, plain), parameters, data)}, {}, None
    for library, lib in libs.items():
        arrays = [[lib.array(x) for x in xs] for xs in (parameters, data)]
        try:
            with compiled.patience(compiled.PATIENCE):
                run = lib.value_and_grad(partial(f, lib), *arrays)
                result = [run() for _ in range(2)][-1]
            reference = reference or result
            compiled.compare(lib, reference, result, name)
            runs[library] = run
        except Exception as error:
            if library in ("dotbar", "jit"):
                raise
            failures[library] = " ".join(f"{type(error).__name__}: {error}".split())[:80]
    return compiled.measure(runs), failures


def main(*wanted):
    libs = libraries()
    peers = [name for name in libs if name not in ("dotbar", "jit")]
    print(f"{'value and gradient':34s}{'value µs':>11s}{'dotbar':>9s}{'jit':>9s}  over value", end="")
    print("".join(f"{name:>10s}" for name in peers) + "  over jit")
    ratios, dashes = [], []
    for name, *program in programs():
        if wanted and not any(part in name for part in wanted):
            continue
        times, failures = row(name, *program, libs)
        base, ours = times["value"], min(times["dotbar"], times["jit"])
        best = min((times[peer] for peer in peers if peer in times), default=math.nan)
        ratios.append(best / ours)
        dashes += [f"{name}: {library}: {reason}" for library, reason in failures.items()]
        cells = "".join(f"{times[peer] / times['jit']:9.2f}×" if peer in times else f"{'-':>10s}" for peer in peers)
        print(f"{name:34s}{base * 1e6:11.1f}{times['dotbar'] / base:9.2f}{times['jit'] / base:9.2f}{'':12}{cells}")
        sys.stdout.flush()
    ratios = [ratio for ratio in ratios if not math.isnan(ratio)]
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        print(f"geometric mean over the best peer: {mean:.2f}×; below 1: {sum(r < 1 for r in ratios)} of {len(ratios)}")
    print(*dashes, sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

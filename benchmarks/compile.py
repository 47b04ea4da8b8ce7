"""How long jit takes: from the first call to the first native result, beside jax.jit.

    python benchmarks/compile.py [scalars] [nests] [programs] [processes] [most operations]

dotbar records at the first call, which runs as without ``jit``, and compiles at the second; both count.  Of these are
``record`` the first call, ``simplify`` the passes, ``text`` lowering and the writing of LLVM's language, ``LLVM`` the
native code, ``builtin`` what calls it.  jax traces and compiles at its first call.  Nobody finds stored code.

``scalars``: n random operations on the numbers computed so far, and their gradient; ``growth`` is the exponent of n
since the row before.
``nests``: n steps on small matrices that cannot be fused, as each needs the whole of the last: three kinds of steps in
turns, or each a step of its own.
``programs``: value and gradient of programs of benchmarks/jit.py.
``processes``: a step of examples/digits.py, in a process that finds nothing stored and in the next ones.
Times are by the clock, minima over runs that take turns with a fresh function each.
"""

import math
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import jit  # first of all: it sets the number of threads
import numpy

import dotbar
from dotbar.compiler import engine, run

PHASES = ("record", "simplify", "text", "LLVM", "builtin")
BEARABLE = 2000  # operations for jax
ROUNDS, SECONDS = 7, 3.0

# ---------------------------------------------------------------- measuring


class Clock:
    """The time spent in each phase, less that in the phases within it."""

    def __init__(self):
        self.spent, self.phase, self.since = dict.fromkeys(PHASES, 0.0), "", 0.0
        for phase, owner, name in (
            ("simplify", run, "simplify"),
            ("text", run, "segmented"),
            ("LLVM", engine, "compile"),
            ("builtin", run.Segment, "builtin"),
        ):
            setattr(owner, name, self.timed(phase, getattr(owner, name)))

    def timed(self, phase, function):
        def measured(*args, **kwargs):
            if self.phase == "builtin":  # it compiles code of its own
                return function(*args, **kwargs)
            outer = self.enter(phase)
            try:
                return function(*args, **kwargs)
            finally:
                self.enter(outer)

        return measured

    def enter(self, phase):
        """Begin a phase; the one until now."""
        now, before = time.perf_counter(), self.phase
        if before:
            self.spent[before] += now - self.since
        self.phase, self.since = phase, now
        return before

    def two_calls(self, call):
        """The phases, and the result."""
        self.spent = dict.fromkeys((*PHASES, "call"), 0.0)
        self.enter("record")
        call()
        self.enter("call")
        result = call()
        self.enter("")
        self.spent["builtin"] += self.spent.pop("call")
        return self.spent, result


class Table:
    """Rows of times, of dotbar and, if it is installed, jax."""

    def __init__(self):
        self.clock, self.dotbar, self.jax = Clock(), jit.Library(), jax_or_none()
        for gradient in (False, True):  # whatever is loaded when it is first used
            self.times("", make(sum_of_squares, numpy.ones(3), gradient=gradient))

    def head(self, title, growth=False):
        names = (*PHASES, "total ms", "jax", "ratio", *["growth"] * growth)
        print(f"\n{title:34s}" + "".join(f"{name:>10s}" for name in names))

    def row(self, name, call, beside=True, before=None):
        """Measure and print; ``before`` is the row to compare with, and how many times longer this program is."""
        best, theirs = self.times(name, call, beside)
        total = sum(best.values())
        cells = "".join(f"{t * 1e3:10.1f}" for t in (*best.values(), total))
        cells += f"{theirs * 1e3:10.0f}{total / theirs:10.2f}" if theirs else f"{'-':>10s}" * 2
        if before:
            cells += f"{math.log(total / before[0]) / math.log(before[1]):10.2f}"
        print(f"{name:34s}{cells}", flush=True)
        return total

    def times(self, name, call, beside=True):
        """The phases of dotbar's first calls, and the time of jax's if it takes part."""
        best, theirs = dict.fromkeys(PHASES, math.inf), math.inf
        beside = beside and self.jax is not None
        for k in range(ROUNDS):
            spent, result = self.clock.two_calls(call(self.dotbar))
            best = {phase: min(spent[phase], best[phase]) for phase in PHASES}
            if beside and (not k or theirs < SECONDS / ROUNDS):
                start, run = time.perf_counter(), call(self.jax)
                other = run()
                theirs = min(theirs, time.perf_counter() - start)
                jit.compare(self.jax, result, other, name)
            if (k + 2) * sum(best.values()) > SECONDS:
                break
        return best, theirs if beside else None


def jax_or_none():
    try:
        return jit.Jax()
    except ImportError:
        return None


def make(f, *inputs, data=(), gradient=True):
    """What makes a call of a fresh function of a library: of the value, or of the value and all gradients."""

    def call(lib):
        xs, ys = ([lib.array(x) for x in some] for some in (inputs, data))
        if gradient:
            return lib.value_and_grad(partial(f, lib), xs, ys)
        compiled = getattr(lib, "jax", dotbar).jit(partial(f, lib))
        return lambda: (lib.numpy(compiled(*xs, *ys)), ())

    return call


# ---------------------------------------------------------------- programs


def sum_of_squares(lib, x):
    return lib.np.sum(x * x)


def operations_on_numbers(n):
    """A function of two numbers: n operations on some of the last 40 results."""

    def f(lib, x, y):
        np, known, done = lib.np, [x, y], 0
        draw = numpy.random.default_rng(n).integers
        while done < n:
            a, b = (known[-int(k)] for k in draw(1, 1 + min(40, len(known)), 2))
            step, operations = STEPS[draw(0, len(STEPS))]
            known.append(step(np, a, b))
            done += operations
        return sum(known[-40:])

    return f


STEPS = (
    (lambda np, a, b: a * b, 1),
    (lambda np, a, b: np.sin(a), 1),
    (lambda np, a, b: np.tanh(a), 1),
    (lambda np, a, b: 0.5 * (a + b), 2),
    (lambda np, a, b: np.exp(-a * a), 3),
    (lambda np, a, b: (a - b) / (1 + b * b), 4),
)


def steps_on_matrices(n, alike):
    """A function of two square matrices: n steps, in turns with a sum, a product, a transpose."""

    def f(lib, X, W):
        np, draw = lib.np, numpy.random.default_rng(n).integers
        choice = (np.sin, np.cos, np.tanh, lambda v: np.exp(-v * v), lambda v: 1 / (1 + v * v))
        for k in range(n):
            Y = np.sin(X)
            if not alike:
                a, b, c = (choice[draw(0, len(choice))] for _ in range(3))
                Y = a(X) * b(0.5 * X) + k * c(W)
            if k % 3 == 0:
                X = Y / np.sqrt(1 + np.sum(Y * Y, 1, keepdims=True))
            elif k % 3 == 1:
                X = np.tanh(Y @ W)
            else:
                X = Y + X.T
        return np.sum(X * X)

    return f


# ---------------------------------------------------------------- tables


def scalars(table, most):
    for gradient in (False, True):
        table.head(f"n operations{' and gradient' * gradient}", growth=True)
        before = None
        for n in (10, 100, 1000, 5000, 20_000):
            if n > most:
                break
            call = make(operations_on_numbers(n), 0.3, 0.8, gradient=gradient)
            total = table.row(f"{n}", call, n <= BEARABLE, before and (before[0], n / before[1]))
            before = total, n


def nests(table, most):
    inputs = jit.normal(20, 20), jit.normal(20, 20) / 4
    for alike in (True, False):
        for gradient in (False, True):
            table.head(f"n {'steps' if alike else 'different steps'}{' and gradient' * gradient}")
            for n in (1, 10, 100):
                table.row(f"{n}", make(steps_on_matrices(n, alike), *inputs, gradient=gradient))


CHOSEN = ("scalar chain", "network, width 32", "n = 50", "Kalman", "RK4, 100 steps of 10", "LSTM, 20", "GMM, 200×2,")


def programs(table, most):
    table.head("value and gradient")
    for name, f, parameters, data, _ in jit.programs():
        if any(part in f"{name}," for part in CHOSEN):
            table.row(name, make(f, *parameters, data=data))


STEP = """
import sys, time
sys.path.insert(0, {examples!r})
import numpy as np
import dotbar
import digits
rng = np.random.default_rng(0)
layers, X, labels = digits.initial(rng), rng.uniform(0, 1, (64, digits.BATCH)), rng.integers(0, 10, digits.BATCH)
step = dotbar.jit(dotbar.value_and_grad(digits.objective))
times = [time.perf_counter()]
for _ in range(3):
    step(layers, X, labels)
    times.append(time.perf_counter())
print(*(1e3 * (b - a) for a, b in zip(times, times[1:])))
"""


def processes(table, most):
    print(f"\n{'a step of examples/digits.py':34s}{'call 1':>10s}{'call 2':>10s}{'call 3':>10s}  ms")
    code = STEP.format(examples=str(Path(__file__).parents[1] / "examples"))
    with tempfile.TemporaryDirectory() as directory:
        for process in ("nothing stored", "second process", "third process"):
            environment = {**os.environ, "DOTBAR_CACHE_DIR": directory, "PYTHONPYCACHEPREFIX": directory}
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            made = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
            print(f"{process:34s}" + "".join(f"{float(t):10.2f}" for t in made.stdout.split()), flush=True)


if __name__ == "__main__":
    parts = {part.__name__: part for part in (scalars, nests, programs, processes)}
    os.environ["DOTBAR_CACHE_DIR"] = ""
    limit = max([int(a) for a in sys.argv[1:] if a.isdigit()], default=20_000)
    table = Table()
    for part in [parts[a] for a in sys.argv[1:] if a in parts] or parts.values():
        part(table, limit)
    print("\nratio is dotbar's time over jax's: below 1, dotbar is faster.")

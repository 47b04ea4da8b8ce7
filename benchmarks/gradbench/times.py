"""The least times of the evals at three sizes, the last the largest of GradBench's own: milliseconds, one thread.

python benchmarks/gradbench/times.py [eval ...]
"""

import os
import sys
import time
from importlib import import_module

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

SIZES = {
    "ba": [(49, 7776, 31843), (257, 65132, 225911), (356, 226730, 1255268)],
    "det": [(5,), (8,), (11,)],
    "gmm": [(2, 5), (20, 25), (64, 100)],
    "ht": [(100,), (3200,), (51200,)],
    "kmeans": [(10, 1000, 8), (100, 10000, 16), (1000, 10000, 16)],
    "llsq": [(16,), (1024,), (16392,)],
    "lse": [(2500,), (80000,), (1280000,)],
    "lstm": [(2, 1024), (4, 4096), (6, 8192)],
    "ode": [(1000, 1), (10000, 10), (100000, 100)],
    "particle": [()],
    "saddle": [()],
}


def least(f, args, seconds=1.0):
    """The least of at least three runs, after the two that record and compile."""
    f(*args)
    f(*args)
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        f(*args)
        times.append(time.perf_counter() - start)
    return min(times)


def main(names):
    for name in names or SIZES:
        module = import_module(f"evals.{name}")
        for size in SIZES[name]:
            args = module.prepare(module.example(*size))
            times = (f"{function} {1e3 * least(f, args):.4f}" for function, f in module.FUNCTIONS.items())
            print(f"{name:9}{size!s:24}", *(f"{t:24}" for t in times), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""dotbar as a tool of GradBench: a process that speaks its protocol, a line of JSON for each message.

In a checkout of github.com/gradbench/gradbench, with dotbar, NumPy, SciPy and llvmlite in Python's environment::

    gradbench run --eval "gradbench eval lse" --tool "python DOTBAR/benchmarks/gradbench"

where DOTBAR is a checkout of this repository, and lse is any of hello, ba, det, gmm, ht, kmeans, llsq, lse, lstm, ode,
particle and saddle.  The runner starts both processes and passes messages between them:

- ``start`` names the eval, and is answered with the tool's name;
- ``define`` names a module: it is imported from ``evals``, and an eval that is not there is no success;
- ``evaluate`` names one of its functions and an input; the answer has the output and the nanoseconds of each run, as
  many as the input asks for (``min_runs``, ``min_seconds``).  Arrays are made of the input before the clock starts.
  The first run records the function and the second compiles it, so the least time is that of native code;
- ``analysis`` says whether the eval found the output valid.

It runs on one thread.  Without the runner, ``referee.py`` drives the same evals; ``times.py`` times all of them.
"""

import json
import os
import sys
import time
import traceback
from importlib import import_module
from types import ModuleType
from typing import Any

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np


def module_of(name: str) -> ModuleType:
    return import_module(f"evals.{name}")


def timed(f: Any, args: tuple[Any, ...], min_runs: int, min_seconds: float) -> tuple[Any, list[int]]:
    """The result, and the nanoseconds of as many runs as are asked for."""
    times: list[int] = []
    while len(times) < min_runs or sum(times) < 1e9 * min_seconds:
        start = time.perf_counter_ns()
        output = f(*args)
        times.append(time.perf_counter_ns() - start)
    return output, times


def plain(output: Any) -> Any:
    """A result as JSON has it."""
    if isinstance(output, dict):
        return {key: plain(value) for key, value in output.items()}
    if isinstance(output, (list, tuple)):
        return [plain(value) for value in output]
    if isinstance(output, (np.ndarray, np.generic)):
        return output.tolist()
    return output


def evaluate(message: dict[str, Any]) -> dict[str, Any]:
    module, input = module_of(message["module"]), message["input"]
    runs = input if isinstance(input, dict) else {}
    f = module.FUNCTIONS[message["function"]]
    output, times = timed(f, module.prepare(input), runs.get("min_runs", 1), runs.get("min_seconds", 0))
    if hasattr(module, "answer"):
        output = module.answer(output)
    timings = [{"name": "evaluate", "nanoseconds": t} for t in times]
    return {"success": True, "output": plain(output), "timings": timings}


def define(message: dict[str, Any]) -> dict[str, Any]:
    module_of(message["module"])
    return {"success": True}


def respond(message: dict[str, Any]) -> dict[str, Any]:
    """The response to a message; what goes wrong in an eval is a response, too."""
    if message["kind"] == "start":
        return {"id": message["id"], "tool": "dotbar"}
    handler = {"define": define, "evaluate": evaluate}.get(message["kind"], lambda message: {})
    try:
        return {"id": message["id"], **handler(message)}
    except Exception:
        return {"id": message["id"], "success": False, "error": traceback.format_exc()}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(respond(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

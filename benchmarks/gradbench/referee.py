"""Drive GradBench's own evals against dotbar, without GradBench's runner.

    make -C GRADBENCH/cpp && make -C GRADBENCH/tools/manual      # the programs that the answers are checked with
    PYTHONPATH=GRADBENCH/python/gradbench python benchmarks/gradbench/referee.py GRADBENCH lse [options of the eval]

GRADBENCH is a checkout of github.com/gradbench/gradbench.  Prints a line per evaluation: function, input, whether the
eval found the answer valid, and the least time.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def spawn(command: list[str], **options: Any) -> Any:
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, **options)


def referee(gradbench: Path, name: str, options: list[str]) -> bool:
    """Whether all of an eval's answers are valid."""
    script = gradbench / "python/gradbench/gradbench/evals" / name / "run.py"
    evaluator = spawn([sys.executable, str(script), *options], cwd=gradbench)
    tool = spawn([sys.executable, str(Path(__file__).parent)])
    good, label = True, ""
    for line in evaluator.stdout:
        message = json.loads(line)
        tool.stdin.write(line)
        answer = tool.stdout.readline()
        response = json.loads(answer)
        if message["kind"] == "evaluate":
            label = f"{name}::{message['function']} {message.get('description', message['input'])}"
            least = min((t["nanoseconds"] for t in response.get("timings", [])), default=0)
            label += f" {least / 1e6:.3f} ms"
        if not response.get("success", True):
            good = False
            print(label, "failed", response.get("error", ""), flush=True)
        elif message["kind"] == "analysis":
            good &= message["valid"]
            print(label, "valid" if message["valid"] else f"invalid {message.get('error')}", flush=True)
        evaluator.stdin.write(answer)
    tool.stdin.close()
    return tool.wait() == 0 and evaluator.wait() == 0 and good


if __name__ == "__main__":
    sys.exit(not referee(Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3:]))

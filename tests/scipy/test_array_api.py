"""Traced values meet the array API standard: SciPy's functions that ask for a namespace take them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from by_namespace import LISTED

import dotbar
import dotbar.numpy

HERE = Path(__file__).parent


def run(*code):
    path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONPATH": path}
    return subprocess.run([sys.executable, *code], capture_output=True, text=True, env=environment)


def test_functions_that_ask_for_a_namespace_are_differentiated():
    done = run(str(HERE / "by_namespace.py"))
    assert done.returncode == 0, done.stderr


def test_rules_are_those_of_the_ufuncs_also_where_scipy_wraps_them():
    code = (
        "import numpy as np, dotbar, dotbar.scipy.special as sc; "
        "assert isinstance(sc.gamma, np.ufunc); "  # SciPy 1.16 does not wrap this one
        "assert np.isclose(dotbar.grad(dotbar.grad(sc.gamma))(1.0), np.euler_gamma**2 + np.pi**2 / 6); "
        "import dotbar.scipy.fft, dotbar.scipy.spatial.distance as sd; "
        "assert np.isfinite(dotbar.grad(lambda a: dotbar.scipy.fft.fhtoffset(0.1, a))(0.3)); "
        "assert np.isfinite(dotbar.grad(lambda x: sd.jensenshannon(np.stack([x, 1 - x]), np.array([0.5, 0.5])))(0.3))"
    )
    done = run("-c", code)
    assert done.returncode == 0, done.stderr


def test_the_namespace_of_a_traced_value_is_dotbars():
    found = []
    dotbar.grad(lambda x: found.append(x.__array_namespace__(api_version="2024.12")) or np.sum(x))(np.ones(2))
    assert found == [dotbar.numpy]


def test_the_page_lists_these_functions():
    page = (HERE.parents[1] / "docs" / "scipy.md").read_text(encoding="utf-8")
    assert [name for name in LISTED.split() if f"`{name}`" not in page] == []

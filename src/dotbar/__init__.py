"""dotbar: derivatives of ordinary NumPy code, forward (ẋ) and reverse (x̄)."""

import importlib
import types

from dotbar import errors, extend, linalg
from dotbar import express as express  # gives traced values the express lane
from dotbar import rules as rules  # registers them
from dotbar.check import check_grads
from dotbar.checkpoint import checkpoint
from dotbar.control import cond, debug_print, fori_loop, scan, switch, while_loop
from dotbar.core import is_array
from dotbar.custom import custom_jvp, custom_vjp
from dotbar.debug import debug_nans
from dotbar.graph import graph
from dotbar.hooks import bars, dots, name, on_bar
from dotbar.jit import get_num_threads, jit, set_num_threads
from dotbar.rules.words import stop_gradient
from dotbar.transforms import (
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linearize,
    value_and_grad,
    vjp,
    vmap,
)

__all__ = [
    "bars",
    "check_grads",
    "checkpoint",
    "cond",
    "custom_jvp",
    "custom_vjp",
    "debug_nans",
    "debug_print",
    "dots",
    "elementwise_grad",
    "errors",
    "extend",
    "fori_loop",
    "get_num_threads",
    "grad",
    "graph",
    "hessian",
    "hvp",
    "is_array",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "linalg",
    "linearize",
    "name",
    "on_bar",
    "scan",
    "set_num_threads",
    "stop_gradient",
    "switch",
    "value_and_grad",
    "vjp",
    "vmap",
    "while_loop",
]


def __getattr__(name: str) -> types.ModuleType:
    """``dotbar.numpy`` and ``dotbar.scipy``, loaded when they are first used."""
    if name in ("numpy", "scipy"):
        return importlib.import_module(f"dotbar.{name}")
    raise AttributeError(f"module 'dotbar' has no attribute {name!r}")

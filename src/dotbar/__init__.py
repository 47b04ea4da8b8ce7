"""dotbar: derivatives of ordinary NumPy code, forward (ẋ) and reverse (x̄)."""

from dotbar import express, rules
from dotbar.check import check_grads
from dotbar.checkpoint import checkpoint
from dotbar.custom import custom_jvp, custom_vjp
from dotbar.debug import debug_nans
from dotbar.graph import graph
from dotbar.hooks import bars, dots, name, on_bar
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

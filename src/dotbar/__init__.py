"""dotbar: derivatives of ordinary NumPy code, forward (ẋ) and reverse (x̄)."""

from dotbar import express, rules
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

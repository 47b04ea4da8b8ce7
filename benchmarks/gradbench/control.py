"""What the evals need beside NumPy: compilation, and loops that a compiler can keep as loops.

Here a function is left as it is, and the loops are Python's, which any transform differentiates.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def compiled(f: Callable[..., Any], static_argnums: int | tuple[int, ...] = ()) -> Callable[..., Any]:
    """f, which the values of its static arguments would be a part of."""
    return f


def scan(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any, length: int | None = None) -> tuple[Any, Any]:
    """(carry, y) ← f(carry, x) for each x; the last carry and all y, stacked (None where y is None)."""
    carry, ys = init, []
    for k in range(len(xs) if length is None else length):
        carry, y = f(carry, None if xs is None else xs[k])
        ys.append(y)
    return carry, None if ys[0] is None else np.stack(ys)


def while_loop(cond: Callable[[Any], Any], body: Callable[[Any], Any], init: Any) -> Any:
    """The first of init, body(init), body(body(init)), … for which cond is false."""
    state = init
    while cond(state):
        state = body(state)
    return state


def cond(pred: Any, f: Callable[..., Any], g: Callable[..., Any], *args: Any) -> Any:
    """f(*args) if pred, else g(*args)."""
    return f(*args) if pred else g(*args)

"""NumPy functions that never dispatch, written in others that do; ``dotbar.numpy`` exports them."""

from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np

from dotbar import core
from dotbar.core import Traced, as_array, shape_of
from dotbar.rules.kinds import core_dims


def kaiser(M: int, beta: Any) -> Any:
    """The Kaiser window, I₀(β √(1 − t²)) / I₀(β) at M equally spaced t from −1 to 1."""
    if M < 2:
        return np.ones(max(M, 0))
    t = np.linspace(-1, 1, M)
    return np.i0(beta * np.sqrt(1 - t * t)) / np.i0(beta)


class vectorize(np.vectorize):
    """``numpy.vectorize``, also of traced values: one call per entry, or per item of a signature.

    Within a transform the results may be traced though the arguments are not.
    """

    def __call__(self, *args: Any, **kw: Any) -> Any:
        args = tuple(map(as_array, args))
        if not core.active.levels:
            return super().__call__(*args, **kw)
        names = [k for k in (*range(len(args)), *kw) if k not in self.excluded]
        given: dict[Any, Any] = {**dict(enumerate(args)), **kw}
        own = core_dims(self.signature) if self.signature else [0] * len(names)  # type: ignore[attr-defined]
        arrays = {k: given[k] if isinstance(given[k], Traced) else np.asarray(given[k]) for k in names}
        loops = [x.shape[: x.ndim - n] for x, n in zip(arrays.values(), own, strict=True)]
        loop = np.broadcast_shapes(*loops)
        for (k, x), outer in zip(arrays.items(), loops):
            arrays[k] = np.broadcast_to(x, loop + x.shape[len(outer) :])
        results = [
            self._item(given | {k: x[index] for k, x in arrays.items()}, len(args)) for index in np.ndindex(loop)
        ]
        if not results:
            raise ValueError("cannot call `vectorize` on size 0 inputs")
        dtypes: Any = self.otypes or repeat(None)  # type: ignore[attr-defined]
        if isinstance(results[0], tuple):
            return tuple(_stacked(column, loop, dtype) for column, dtype in zip(zip(*results), dtypes))
        return _stacked(results, loop, next(iter(dtypes)))

    def _item(self, given: dict[Any, Any], n: int) -> Any:
        function: Callable[..., Any] = self.pyfunc
        return function(*[given[k] for k in range(n)], **{k: v for k, v in given.items() if isinstance(k, str)})


def _stacked(results: Any, loop: tuple[int, ...], dtype: Any) -> Any:
    y = np.stack(list(results), dtype=dtype, casting="unsafe")
    return np.reshape(y, loop + shape_of(y)[1:])


__all__ = ["kaiser", "vectorize"]

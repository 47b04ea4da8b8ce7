"""How SciPy's interpolating objects come to hold and to meet traced values.

With plain data such an object is SciPy's own, of a subclass of its class; what it is called with decides whether SciPy
or dotbar evaluates it.  With traced data it is dotbar's from the start.  Everything is computed in double precision, as
SciPy does.
"""

from functools import cached_property
from inspect import BoundArguments, signature
from typing import Any

import numpy as np

from dotbar.core import as_array, dtype_of, first_traced
from dotbar.errors import NoRuleError
from dotbar.rules.words import raise_if


def is_traced(*values: Any) -> bool:
    """Whether there is a traced value among some values, or in lists of them."""
    return first_traced(list(values)) is not None


def double(x: Any) -> Any:
    """An array of float64, or complex128."""
    x = as_array(x)
    x = x if hasattr(x, "shape") else np.asarray(x)
    wanted = complex if dtype_of(x).kind == "c" else float
    return x if dtype_of(x) == wanted else x.astype(wanted)


def against(x: Any, y: Any) -> Any:
    """``x`` with axes appended, to be multiplied with ``y`` along its leading axes."""
    return np.reshape(x, (*x.shape, *(1,) * (np.ndim(y) - np.ndim(x))))


def increasing(x: Any, message: str = "`x` must be strictly increasing sequence.") -> Any:
    """Data points, once it is known that they increase."""
    raise_if(np.diff(x) <= 0, error=ValueError(message))
    return x


def finite(x: Any) -> Any:
    """Data, once it is known that they are numbers."""
    raise_if(~np.isfinite(x), error=ValueError("array must not contain infs or NaNs"))
    return x


def filled(outside: Any, fill_value: Any, y: Any) -> Any:
    """``y``, and ``fill_value`` outside; where that is nan the derivative is nan too."""
    outside = against(outside, y)
    return np.where(outside, fill_value, y) * np.where(outside & np.isnan(fill_value), np.nan, 1.0)


class Refusing:
    """Put before SciPy's class among the bases: an object of traced values has nothing but what dotbar computes."""

    def __getattr__(self, name: str) -> Any:
        held = vars(self)
        if name.startswith("__") or (held.get("is_plain", True) and not is_traced(*held.values())):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise NoRuleError(f"of traced values, {type(self).__name__} has no derivative rule for what needs {name!r}.")


class Held:
    """An attribute of SciPy's class ``kind`` that may hold a traced value too: in the object's own dictionary."""

    def __init__(self, kind: type, name: str):
        self.original = getattr(kind, name, None)
        self.name = name

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        if owner is None:
            return self
        if self.name in vars(owner) or self.original is None:
            return vars(owner)[self.name]
        return self.original.__get__(owner)

    def __set__(self, owner: Any, value: Any) -> None:
        if self.original is None or self.name in vars(owner) or is_traced(value):
            vars(owner)[self.name] = value
        else:
            self.original.__set__(owner, value)


class Interpolator(Refusing):
    """Put before SciPy's class among the bases: asks all data and points whether they are traced.

    ``fit`` is given the data as SciPy's class is, and returns what ``value`` needs besides the points.
    """

    is_plain = True

    def __init__(self, *args: Any, **kw: Any):
        self.given: BoundArguments = signature(self.fit).bind(*args, **kw)
        self.given.apply_defaults()
        if is_traced(*args, *kw.values()):
            self.is_plain = False
        else:
            super().__init__(*args, **kw)

    @cached_property
    def fitted(self) -> Any:
        return self.fit(*self.given.args, **self.given.kwargs)

    def __call__(self, *args: Any, **kw: Any) -> Any:
        if self.is_plain and not is_traced(*args, *kw.values()):
            return super().__call__(*args, **kw)  # type: ignore[misc]
        return self.value(*args, **kw)

    def fit(self, *args: Any, **kw: Any) -> Any:
        raise NotImplementedError

    def value(self, *args: Any, **kw: Any) -> Any:
        raise NotImplementedError

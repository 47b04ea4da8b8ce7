"""The names of ``scipy.special``, its ufuncs as such: under ``SCIPY_ARRAY_API=1`` SciPy wraps them in functions."""

from typing import Any

from scipy import special

from dotbar.scipy.mirror import ufunc_of


def __getattr__(name: str) -> Any:
    value = globals()[name] = ufunc_of(getattr(special, name))
    return value

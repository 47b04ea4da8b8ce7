"""Where SciPy takes a list for an array, a list of traced numbers has the derivative of the array."""

import numpy as np
import pytest
from refusals import MEMBERS
from samples import all_samples

import dotbar
from dotbar.tree import flatten


def listed(x):
    """An array as nested lists of its entries, which may be traced."""
    return x if np.ndim(x) == 0 else [listed(x[i]) for i in range(len(x))]


def total(result):
    """Some number that depends on every floating-point result."""
    leaves = [y for y in flatten(result)[0] if getattr(y, "dtype", np.dtype(object)).kind in "fc"]
    return sum(np.sum(np.real(y) * 0.7) for y in leaves)


def taking_lists():
    """By function and argument, the first sample in which SciPy takes a list there as it takes the array."""
    found = {}
    for sample in all_samples():
        if sample.call is not None or sample.fn not in MEMBERS.values():
            continue
        if isinstance(sample.fn, np.ufunc) or sample.fn.__module__ == "numpy":
            continue  # NumPy does not look into lists
        for k, name in enumerate(sample.wrt):
            x = sample.primals[k]
            if isinstance(x, np.ndarray) and x.dtype == float and x.ndim in (1, 2) and 0 < x.size <= 30:
                found.setdefault((sample.fn, name), (sample, k))
    return found.values()


@pytest.mark.parametrize(("sample", "k"), [pytest.param(s, k, id=f"{s!r} {k}") for s, k in taking_lists()])
def test_a_list_of_traced_numbers_is_an_array(sample, k):
    def f(x, form):
        return total(sample.at(*sample.primals[:k], form(x), *sample.primals[k + 1 :]))

    x = sample.primals[k]
    try:
        if not isinstance(f(x, listed), np.floating):
            pytest.skip("the results are no numbers that vary")
    except AttributeError:
        pytest.skip("this SciPy takes no lists here")
    array = dotbar.grad(lambda x: f(x, lambda x: x))(x)
    assert np.allclose(dotbar.grad(lambda x: f(x, listed))(x), array, rtol=1e-9, atol=1e-11, equal_nan=True)

"""dotbar.scipy mirrors SciPy's modules and names."""

import pickle
from importlib import import_module

import numpy as np
import pytest
import scipy.linalg

import dotbar
import dotbar.scipy.linalg as sl
from dotbar.errors import NoRuleError

MODULES = [
    *("fft", "integrate", "interpolate", "linalg", "ndimage", "optimize", "signal", "sparse", "sparse.linalg"),
    *("spatial", "spatial.distance", "spatial.transform", "special", "stats"),
]


@pytest.mark.parametrize("name", MODULES)
def test_the_names_are_scipys(name):
    own, plain = import_module(f"dotbar.scipy.{name}"), import_module(f"scipy.{name}")
    assert set(own.__all__) == set(plain.__all__)
    assert set(plain.__all__) <= set(dir(own))
    for member in plain.__all__:
        assert getattr(own, member) is not None


def test_modules_without_rules_are_scipys_own():
    from dotbar.scipy import constants, linalg

    assert constants is import_module("scipy.constants")
    assert linalg is sl


def test_with_plain_arrays_a_call_is_scipys():
    A = np.arange(9.0).reshape(3, 3)
    assert np.array_equal(sl.expm(A), scipy.linalg.expm(A))
    assert sl.expm.__module__ == "dotbar.scipy.linalg"
    assert pickle.loads(pickle.dumps(sl.expm)) is sl.expm


def test_traced_values_are_found_by_name_and_in_lists():
    f = lambda x: np.sum(sl.expm(A=[[x, 1.0], [0.0, x]]))
    assert np.isclose(dotbar.grad(f)(0.5), f(0.5))


def test_a_function_without_a_rule_refuses_by_name():
    with pytest.raises(NoRuleError, match=r"dotbar\.scipy\.linalg\.hadamard has no derivative rule"):
        dotbar.grad(lambda x: np.sum(sl.hadamard(x)))(2.0)


def test_ufuncs_are_found_without_dotbar_scipy():
    import scipy.special

    with pytest.raises(NoRuleError, match=r"scipy\.special\.bdtrik has no derivative rule"):
        dotbar.grad(lambda x: scipy.special.bdtrik(x, 3.0, 0.5))(0.5)

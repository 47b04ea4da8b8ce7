"""dotbar.scipy mirrors SciPy's modules and names."""

import pickle
from importlib import import_module

import numpy as np
import pytest
import scipy.linalg
from refusals import CLASSES, MODULES, WITHOUT_RULE

import dotbar
import dotbar.scipy.linalg as sl
from dotbar.core import Traced
from dotbar.errors import NoRuleError


@pytest.mark.parametrize("name", MODULES)
def test_the_names_are_scipys(name):
    own, plain = import_module(f"dotbar.scipy.{name}"), import_module(f"scipy.{name}")
    assert set(own.__all__) == set(plain.__all__)
    assert set(plain.__all__) <= set(dir(own))
    for member in plain.__all__:
        assert getattr(own, member) is not None


def test_modules_without_rules_are_found_and_refuse_by_name():
    from dotbar.scipy.cluster.vq import whiten
    from dotbar.scipy.constants import c
    from dotbar.scipy.sparse.csgraph import shortest_path

    from dotbar.scipy import constants, linalg

    assert linalg is sl
    assert constants is import_module("dotbar.scipy.constants")
    assert constants.c == c == scipy.constants.c
    assert np.array_equal(whiten(np.eye(3)), scipy.cluster.vq.whiten(np.eye(3)))
    assert pickle.loads(pickle.dumps(whiten)) is whiten
    for f, name in ((whiten, "cluster.vq.whiten"), (shortest_path, "sparse.csgraph.shortest_path")):
        with pytest.raises(NoRuleError, match=rf"dotbar\.scipy\.{name} has no derivative rule"):
            dotbar.grad(lambda x, f=f: np.sum(f(x)))(np.eye(3))
    for missing in ("dotbar.scipy.lingalg", "dotbar.scipy._lib"):
        with pytest.raises(ModuleNotFoundError, match=missing):
            import_module(missing)


def test_with_plain_arrays_a_call_is_scipys():
    A = np.arange(9.0).reshape(3, 3)
    assert np.array_equal(sl.expm(A), scipy.linalg.expm(A))
    assert sl.expm.__module__ == "dotbar.scipy.linalg"
    assert pickle.loads(pickle.dumps(sl.expm)) is sl.expm


def test_a_member_is_looked_for_once():
    assert sl.pinvh is vars(sl)["pinvh"]
    assert dotbar.scipy.linalg.det is vars(sl)["det"]


def test_traced_values_are_found_by_name_and_in_lists():
    f = lambda x: np.sum(sl.expm(A=[[x, 1.0], [0.0, x]]))
    assert np.isclose(dotbar.grad(f)(0.5), f(0.5))


def test_a_function_without_a_rule_refuses_by_name():
    with pytest.raises(NoRuleError, match=r"dotbar\.scipy\.linalg\.hadamard has no derivative rule"):
        dotbar.grad(lambda x: np.sum(sl.hadamard(x)))(2.0)


def test_ufuncs_are_found_without_dotbar_scipy():
    import scipy.special

    assert np.isclose(dotbar.grad(scipy.special.j0)(0.5), -scipy.special.j1(0.5))


@pytest.mark.parametrize("name", WITHOUT_RULE)
def test_what_has_no_rule_refuses_each_traced_argument(name):
    f = WITHOUT_RULE[name]
    n = f.nin if isinstance(f, np.ufunc) else 1
    for k in range(n):
        with pytest.raises(NoRuleError, match="has no derivative rule"):
            dotbar.grad(lambda x, k=k: f(*(x if i == k else 0.5 for i in range(n))))(0.5)


def holds_traced(x, seen):
    """Whether a traced value is reached from an object."""
    if isinstance(x, Traced):
        return True
    if id(x) in seen:
        return False
    seen.add(id(x))
    items = x if isinstance(x, list | tuple) else (x if isinstance(x, dict) else getattr(x, "__dict__", {})).values()
    return any(holds_traced(item, seen) for item in items)


@pytest.mark.parametrize("name", CLASSES)
def test_an_object_is_not_made_of_the_values_alone(name):
    """What is made of traced values either holds them or is not made."""

    def make(x):
        for n in range(1, 6):
            try:
                made = CLASSES[name](*[x] * n)
            except Exception:
                continue
            assert holds_traced(made, set()), f"{name} of {n} traced arrays"
        return np.sum(x)

    for x in (np.array([0.2, 0.3, 0.5, 0.7]), np.eye(4), np.float64(0.5)):
        dotbar.grad(make)(x)

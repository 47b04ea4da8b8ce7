"""Functions that solvers are given are recorded anew, and what is made of them is kept: quick, and never stale."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import dotbar.scipy.closed
import dotbar.scipy.integrate as si
import dotbar.scipy.optimize
from dotbar import grad, hessian, jvp

F = {"rate": lambda y: y, "scale": 1.0, "array": np.ones(2), "sign": 0.0}


def area(p):
    return si.quad(lambda x: p * F["array"][0] * np.exp(-F["scale"] * x) + np.copysign(p, F["sign"]), 0.0, 1.0)[0]


def end(p):
    f = lambda t, y: -p * F["rate"](y)
    return si.solve_ivp(f, (0.0, 1.0), np.array([1.0]), rtol=1e-9, atol=1e-11).y[0, -1]


def root(p):
    return np.sum(dotbar.scipy.optimize.root(lambda x: x**2 - p * F["scale"] * F["array"], np.ones(2)).x)


def least(p):
    f = lambda x: np.sum((x - p * F["scale"]) ** 2 + F["array"] * x**2)
    return np.sum(dotbar.scipy.optimize.minimize(f, np.ones(2)).x)


@pytest.mark.parametrize("f", [area, end])
def test_the_second_time_only_the_function_is_recorded(f, monkeypatch):
    first = grad(f)(1.3)
    count, record = [], dotbar.scipy.closed.record
    monkeypatch.setattr(dotbar.scipy.closed, "record", lambda *given: count.append(1) or record(*given))
    assert_allclose(grad(f)(1.3), first, rtol=1e-12)  # to rounding: from some number of calls on by native code
    assert len(count) == 1


@pytest.mark.parametrize("turn", range(2))
def test_what_a_function_closes_over_may_change(turn, monkeypatch):
    for scale in (1.0, 2.0, 2):
        monkeypatch.setitem(F, "scale", scale)
        for sign in (0.0, -0.0):
            monkeypatch.setitem(F, "sign", sign)
            for a in (1.0, 3.0):
                F["array"][:] = a
                assert_allclose(grad(area)(1.3), a * (1 - np.exp(-scale)) / scale + np.copysign(1, sign), rtol=1e-9)
                assert_allclose(grad(root)(1.3), np.sqrt(scale * a / 1.3), rtol=1e-6)
                assert_allclose(hessian(root)(1.3), -np.sqrt(scale * a / 1.3) / 2.6, rtol=1e-6)
                assert_allclose(grad(least)(1.3), 2 * scale / (1 + a), rtol=1e-6)
    for rate, slope, second in (
        (lambda y: y, -np.exp(-1), np.exp(-1)),
        (lambda y: 2 * y, -2 * np.exp(-2), 4 * np.exp(-2)),
        (lambda y: y**2, -0.25, 0.25),
    ):
        monkeypatch.setitem(F, "rate", rate)
        assert_allclose(grad(end)(1.0), slope, rtol=1e-6)
        assert_allclose(jvp(end, (1.0,), (1.0,))[1], slope, rtol=1e-6)
        assert_allclose(hessian(end)(1.0), second, rtol=1e-5)


def test_an_array_that_changes_after_it_was_recorded():
    f = lambda p, a: np.sum(si.quad_vec(lambda x: p * a * x, 0.0, 1.0)[0])
    a, b = np.ones(3), np.ones(3)
    assert_allclose(grad(f)(1.0, a), 1.5)
    a[:] = 5.0
    assert_allclose(grad(f)(1.0, b), 1.5)
    assert_allclose(grad(f)(1.0, a), 7.5)

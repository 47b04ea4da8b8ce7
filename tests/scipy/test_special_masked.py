"""The keywords of ufuncs, ``where``, ``out`` and ``dtype``, with functions of ``scipy.special``."""

import numpy as np
import pytest

import dotbar.scipy.special as sc
from dotbar import grad, jit, jvp, vjp, vmap
from dotbar.errors import ConversionError

X = np.array([0.7, 1.9, 2.4, 0.6, 3.1])
CHOSEN = np.array([True, False, True, True, False])
FUNCTIONS = {
    "gamma": sc.gamma,
    "psi": sc.psi,
    "erfcx": sc.erfcx,
    "j0": sc.j0,
    "log_ndtr": sc.log_ndtr,
    "jv": lambda x, *out, **kw: sc.jv(1.3, x, *out, **kw),
    "kv by order": lambda x, *out, **kw: sc.kv(x, 1.3, *out, **kw),
    "gammainc": lambda x, *out, **kw: sc.gammainc(x, 1.3, *out, **kw),
    "beta": lambda x, *out, **kw: sc.beta(1.3, x, *out, **kw),
    "airy": lambda x, *out, **kw: sc.airy(x, *out, **({**kw, "out": (kw["out"], *[None] * 3)} if "out" in kw else kw))[
        0
    ],
}
CALLS = {
    "where": lambda f, x: np.where(CHOSEN, f(x, where=CHOSEN), 9.0),
    "where, traced": lambda f, x: np.where(x < np.pi, f(x, where=x < np.pi), 0.0),
    "where and out": lambda f, x: f(x, where=CHOSEN, out=np.zeros_like(x) + 9),
    "out": lambda f, x: f(x, out=np.zeros_like(x)),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_where_and_out(name, call):
    """As the call without them, where chosen; elsewhere the contents of ``out``, of derivative 0."""
    f = FUNCTIONS[name]
    chosen = CHOSEN if "and" in call or call == "where" else True
    y, slope = jvp(f, (X,), (np.ones(5),))
    value, slope = np.where(chosen, y, 9.0), np.where(chosen, slope, 0)

    def masked(x):
        return CALLS[call](f, x)

    def total(x):
        return np.sum(masked(x) * np.arange(5.0))

    for got in jvp(masked, (X,), (np.ones(5),)), (jit(masked)(X), vjp(masked, X)[1](np.ones(5))[0]):
        np.testing.assert_allclose(got, (value, slope), 1e-14)
    np.testing.assert_allclose([grad(total)(X), jit(grad(total))(X)], [slope * np.arange(5.0)] * 2, 1e-14)
    np.testing.assert_allclose(vmap(masked)(np.stack([X, X])), [value, value], 1e-14)


def test_a_plain_out_is_refused():
    with pytest.raises(ConversionError, match="plain ndarray"):
        grad(lambda x: np.sum(sc.gamma(x, out=np.zeros(5))))(X)

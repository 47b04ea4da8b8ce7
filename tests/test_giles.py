"""Giles's results in both modes, with his two checks; and docs/giles.md, which is made from the same table."""

import numpy as np
import pytest
from giles import ITEMS, PAGE, page

import dotbar

each_item = pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.__name__)


def as_tuple(y):
    return y if isinstance(y, tuple) else (y,)


def directions(item, seed):
    rng = np.random.default_rng(seed)
    dots = [rng.standard_normal(A.shape) for A in item.arguments]
    return tuple(D + D.T if item.symmetric and D.ndim == 2 else D for D in dots)


def cotangents(item, seed):
    rng = np.random.default_rng(seed)
    return tuple(rng.standard_normal(np.shape(C)) for C in as_tuple(item.value(*item.arguments)))


def assert_close(got, want):
    for g, w in zip(as_tuple(got), as_tuple(want), strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-11, atol=1e-11)


@each_item
def test_forward(item):
    """Ċ by dotbar and on paper agree with the complex step."""
    dots = directions(item, 0)
    h = 1e-20
    stepped = item.analytic(*[A + 1j * h * Adot for A, Adot in zip(item.arguments, dots)])
    want = tuple(np.imag(C) / h for C in as_tuple(stepped))
    assert_close(item.dot(*item.arguments, *dots), want)
    assert_close(dotbar.jvp(item.value, item.arguments, dots)[1], want)


@each_item
def test_reverse(item):
    """Ā by dotbar and on paper agree, and Tr(C̄ᵀĊ) = Σ Tr(ĀᵀȦ)."""
    dots, bars = directions(item, 1), cotangents(item, 2)
    value, pullback = dotbar.vjp(item.value, *item.arguments)
    pulled = pullback(bars if isinstance(value, tuple) else bars[0])
    assert_close(pulled, item.bar(*item.arguments, *bars))
    forward = as_tuple(item.dot(*item.arguments, *dots))
    along = sum(np.sum(Cbar * Cdot) for Cbar, Cdot in zip(bars, forward, strict=True))
    back = sum(np.sum(Abar * Adot) for Abar, Adot in zip(pulled, dots, strict=True))
    np.testing.assert_allclose(along, back, rtol=1e-11, atol=1e-11)


def test_page():
    """docs/giles.md is what ``python tests/giles.py`` writes."""
    assert PAGE.read_text(encoding="utf-8") == page()

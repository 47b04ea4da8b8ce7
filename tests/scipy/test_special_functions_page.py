"""The page on special functions is of the functions that there are."""

import inspect
import re

import accuracy
import pytest
from references import POINTS, REFERENCES

import dotbar.scipy.special as sc
from dotbar.core import RULES

ROWS = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", accuracy.PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("names", [{name for name, _ in ROWS}, set(REFERENCES), set(POINTS)])
def test_the_functions_exist(names):
    assert names
    newer = {"softplus"}
    assert {name for name in names if not hasattr(sc, name)} <= newer


def test_every_elementwise_rule_is_on_it():
    public = {fn: name for name in dir(sc) if inspect.isroutine(fn := getattr(sc, name)) or hasattr(fn, "nin")}
    elementwise = {
        accuracy.NAMES[id(fn)]
        for fn in public
        if fn in RULES and RULES[fn].kind == "elementwise" and not all(isinstance(p, str) for p in RULES[fn].partials)
    }
    assert not elementwise - {name for name, _ in ROWS}

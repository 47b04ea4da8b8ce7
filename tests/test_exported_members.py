"""The public API is exactly what the package's ``__all__`` says, sorted and documented."""

import inspect
import types

import pytest

import dotbar


@pytest.mark.parametrize("module", [dotbar, dotbar.extend], ids=lambda m: m.__name__)
def test_all_is_what_is_there(module):
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and (name in module.__all__ or not isinstance(value, types.ModuleType))
    }
    assert module.__all__ == sorted(module.__all__)
    assert set(module.__all__) == public


@pytest.mark.parametrize("name", [*dotbar.__all__, *(f"extend.{name}" for name in dotbar.extend.__all__)])
def test_everything_public_is_documented_and_typed(name):
    value = dotbar
    for part in name.split("."):
        value = getattr(value, part)
    assert inspect.getdoc(value)
    if inspect.isfunction(value):
        signature = inspect.signature(value)
        assert signature.return_annotation is not signature.empty
        assert all(p.annotation is not p.empty for p in signature.parameters.values())

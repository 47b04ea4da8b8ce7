"""Samples of hooks.py."""

from dotbar.hooks import _on_bar, on_bar
from samples import normal, sample

SAMPLES = [sample(_on_bar, normal(3, 4), call=lambda x: on_bar(x, lambda xbar: xbar))]

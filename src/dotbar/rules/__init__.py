"""The mathematics: one file per NumPy module, each function registered once."""

from dotbar.rules import methods, shapes, ufuncs, words

__all__ = ["methods", "shapes", "ufuncs", "words"]

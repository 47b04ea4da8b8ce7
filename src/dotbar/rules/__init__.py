"""The mathematics: one file per NumPy module, each function registered once."""

from dotbar.rules import methods, products, reductions, shapes, ufuncs, words

__all__ = ["methods", "products", "reductions", "shapes", "ufuncs", "words"]

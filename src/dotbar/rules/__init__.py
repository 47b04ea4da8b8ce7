"""The mathematics: one file per NumPy module, each function registered once."""

from dotbar.rules import assignment, elementwise, fft, methods, products, reductions, shapes, ufuncs, words

__all__ = ["assignment", "elementwise", "fft", "methods", "products", "reductions", "shapes", "ufuncs", "words"]

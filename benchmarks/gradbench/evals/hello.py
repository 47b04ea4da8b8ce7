"""Hello, world: x² and its derivative."""

from dotbar import grad, jit


def square(x):
    return x * x


def prepare(input):
    return (float(input),)


def example():
    return 3.0


FUNCTIONS = {"square": jit(square), "double": jit(grad(square))}

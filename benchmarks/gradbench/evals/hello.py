"""Hello, world: x² and its derivative."""

from control import compiled

from dotbar import grad


def square(x):
    return x * x


def prepare(input):
    return (float(input),)


def example():
    return 3.0


FUNCTIONS = {"square": compiled(square), "double": compiled(grad(square))}

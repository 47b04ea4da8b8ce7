"""Random programs of assignment and views: source text of a function of ``x``, valid for plain NumPy."""

from itertools import cycle

import numpy as np

MAX_SIZE = 24


def weights(shape, k):
    """Constants that tell every entry of every array apart."""
    return np.cos(1.3 * np.arange(np.prod(shape, dtype=int)) + k).reshape(shape)


class Choices:
    """A stream of choices read from a string of bytes, so that hypothesis can shrink it."""

    def __init__(self, data):
        self.data = cycle(data)

    def below(self, n):
        return next(self.data) % n

    def of(self, options):
        return options[self.below(len(options))]


class Writer:
    """Writes a program line by line, running each on plain arrays so that the next one fits their shapes."""

    def __init__(self, data, x):
        self.pick = Choices(data)
        self.names = {"np": np, "weights": weights, "x": x}
        self.arrays = ["x"]
        self.scalars = []
        self.lines = []

    def write(self, line):
        exec(line, self.names)
        self.lines.append(line)

    def make(self, expression):
        """A new name for a result."""
        name = f"a{len(self.lines)}"
        self.write(f"{name} = {expression}")
        value = self.names[name]
        if not isinstance(value, np.ndarray):
            self.scalars.append(name)
        elif value.size <= MAX_SIZE and value.ndim <= 3:
            self.arrays.append(name)

    def shape(self, name):
        return self.names[name].shape

    def array(self):
        return self.pick.of(self.arrays)

    # ------------------------------------------------ indices, as text

    def axis_index(self, n):
        kind = self.pick.below(5)
        if kind == 0 and n:
            return str(self.pick.below(n) - self.pick.below(2) * n)
        if kind == 1:
            return "::-1"
        if kind == 2:
            return f"{self.pick.below(n + 1)}:"
        if kind == 3:
            return f":{self.pick.below(n + 1)}:2"
        return ":"

    def basic(self, name):
        parts = [self.axis_index(n) for n in self.shape(name)]
        extra = self.pick.below(6)
        if extra == 0:
            parts.insert(self.pick.below(len(parts) + 1), "None")
        elif extra == 1:
            parts.append("...")
        elif extra == 2 and parts:
            parts = ["...", *parts[1:][-1:]]
        return ", ".join(parts) or "..."

    def numbers(self, n, count):
        return str([self.pick.below(n) for _ in range(count)])

    def advanced(self, name):
        """Arrays of indices with duplicates, masks, or both kinds next to slices."""
        shape = self.shape(name)
        kind = self.pick.below(5)
        if not shape or 0 in shape:
            return "..."
        if kind == 0:
            return f"weights({shape}, {self.pick.below(9)}) > 0.1"
        count = 1 + self.pick.below(4)
        parts = [self.numbers(shape[0], count)]
        if kind == 1 and len(shape) > 1:
            parts.append(self.numbers(shape[1], count))
        elif kind == 2 and len(shape) > 1:
            parts = [self.axis_index(shape[0]), self.numbers(shape[1], count)]
        elif kind == 3 and len(shape) > 2:
            parts = [parts[0], ":", self.numbers(shape[2], count)]
        elif kind == 4:
            parts = [f"np.array([{parts[0]}, {self.numbers(shape[0], count)}])"]
        return ", ".join(parts)

    def index(self, name):
        return self.advanced(name) if self.pick.below(3) == 0 else self.basic(name)

    # ------------------------------------------------ values that broadcast to a shape

    def value(self, shape, apart_from=None):
        kind = self.pick.below(6)
        if kind == 0:
            return "0.5"
        if kind == 1 and self.scalars:
            return self.pick.of(self.scalars)
        if kind == 2:
            return f"weights({shape[self.pick.below(len(shape) + 1) :]}, {self.pick.below(9)})"
        fits = [name for name in self.arrays if broadcasts(self.shape(name), shape)]
        if apart_from is not None:
            fits = [name for name in fits if not np.shares_memory(self.names[name], self.names[apart_from])]
        if not fits:
            return "x.reshape(-1)[0]" if apart_from is None else "0.25"
        name = self.pick.of(fits)
        return name if kind < 5 or apart_from is not None else f"np.sin({name})"

    # ------------------------------------------------ steps

    def view(self):
        name = self.array()
        shape = self.shape(name)
        kind = self.pick.below(8)
        if kind == 0:
            self.make(f"{name}.T")
        elif kind == 1:
            self.make(f"{name}.ravel()")
        elif kind == 2:
            self.make(f"np.reshape({name}, {self.pick.of(factorings(shape))})")
        elif kind == 3 and len(shape) > 1:
            self.make(f"np.swapaxes({name}, 0, -1)")
        elif kind == 4:
            self.make(f"np.squeeze({name})")
        elif kind == 5 and len(shape) < 3:
            self.make(f"{name}[:, None]" if shape else f"{name}[None]")
        else:
            self.make(f"{name}[{self.basic(name)}]")

    def fresh(self):
        name = self.array()
        shape = self.shape(name)
        kind = self.pick.below(9)
        if kind == 0:
            self.make(f"np.zeros_like({name})")
        elif kind == 1:
            self.make(f"np.zeros({shape[::-1]}, x.dtype, like=x)")
        elif kind == 2:
            self.make(f"{name}.copy()")
        elif kind == 3:
            self.make(f"{name} * 2")
        elif kind == 4:
            self.make(f"np.sin({name})")
        elif kind == 5:
            self.make(f"{name} + {self.value(shape)}")
        elif kind == 6:
            self.make(f"np.sin({name} * {self.value(shape)})")
        else:
            self.make(f"{name}[{self.advanced(name)}]")

    def assign(self):
        name = self.array()
        index = self.index(name)
        apart_from = name if ">" in index else None  # NumPy does not look for overlap under a mask
        value = self.value(np.shape(eval(f"{name}[{index}]", self.names)), apart_from)
        self.write(f"{name}[{index}] = {value}")

    def update(self):
        name = self.array()
        value = self.value(self.shape(name))
        op = self.pick.of(["+", "-", "*"])
        kind = self.pick.below(7)
        if kind == 0:
            index = self.index(name)
            value = self.value(np.shape(eval(f"{name}[{index}]", self.names)))
            self.write(f"{name}[{index}] {op}= {value}")
        elif kind == 1:
            self.write(f"np.copyto({name}, {value})")
        elif kind == 2:
            self.write(f"np.add({self.value(self.shape(name))}, {value}, out={name})")
        elif kind == 3:
            self.write(f"np.sin({name}, out={name})")
        elif kind == 4:
            index = self.index(name)
            shape = np.shape(eval(f"{name}[{index}]", self.names))
            value = self.value(shape, apart_from=name)
            if np.shape(eval(value, self.names)) != shape:
                value = "0.25"  # NumPy's add.at reads beyond the end of a value that it broadcasts
            self.write(f"np.add.at({name}, np.s_[{index}], {value})")
        else:
            self.write(f"{name} {op}= {value}")

    def assign_shape(self):
        name = self.array()
        shape = self.pick.of(factorings(self.shape(name)))
        if np.shares_memory(self.names[name], self.names[name].reshape(shape)):
            self.write(f"{name}.shape = {shape}")

    def step(self):
        steps = [self.view, self.view, self.fresh, self.assign, self.assign, self.update, self.assign_shape]
        self.pick.of(steps)()


def broadcasts(shape, to):
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False


def factorings(shape):
    n = int(np.prod(shape, dtype=int))
    options = [(n,), (1, n)]
    return options + [(k, n // k) for k in (2, 3) if n and n % k == 0] + [(n // 4, 2, 2)] * (n > 0 and n % 4 == 0)


def program(data, x, steps):
    """The source of ``f(x)``: a number that depends on every entry of every array the program has made."""
    with np.errstate(all="ignore"):
        writer = Writer(data, x)
        while len(writer.lines) < steps:
            writer.step()
    total = " + ".join(f"np.sum({name} * weights({writer.shape(name)}, {k}))" for k, name in enumerate(writer.arrays))
    return "def f(x):\n    " + "\n    ".join([*writer.lines, f"return {total}"])


def function(source):
    names = {"np": np, "weights": weights}
    exec(compile(source, "<program>", "exec"), names)
    return names["f"]

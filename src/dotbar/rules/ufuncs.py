"""numpy's universal functions, entry by entry: y = f(x) or f(a, b), each given by its partial derivatives."""

import numpy as np

from dotbar.rules.kinds import elementwise

elementwise(np.add, 1, 1)
elementwise(np.subtract, 1, -1)
elementwise(np.multiply, lambda b: b, lambda a: a)
elementwise(np.divide, lambda b: 1 / b, lambda y, b: -y / b)
elementwise(np.negative, -1)
elementwise(np.positive, 1)
elementwise(np.exp, lambda y: y)
elementwise(np.log, lambda x: 1 / x)
elementwise(np.sin, lambda x: np.cos(x))
elementwise(np.cos, lambda x: -np.sin(x))
elementwise(np.tanh, lambda y: 1 - y * y)
elementwise(np.sqrt, lambda y: 0.5 / y)
elementwise(np.square, lambda x: 2 * x)

"""An LSTM with diagonal weights that predicts the next character, and the gradient of its loss.

The layers of one step depend on each other, those of one diagonal do not: layer i at step t meets layer i + 1 at step
t − 1.  So all layers advance together, layer i being i steps behind, and a tick is one operation on all of them.
"""

import numpy as np

from dotbar import grad, jit, scan


def sigmoid(x):
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def objective(main, extra, state, sequence):
    into, out, shift = extra
    L, b = main.shape[0] // 2, main.shape[1] // 4
    (Wf, Wi, Wo, Wc), (Bf, Bi, Bo, Bc) = np.moveaxis(np.reshape(main, (L, 2, 4, b)), 0, 2)
    # the steps that the lower layers do beyond the end, of no effect, get zeros for inputs
    inputs = np.concatenate((sequence[:-1], np.zeros((L - 1, b))))[:, None]

    def tick(carry, x):
        hidden, cell = carry
        below = np.concatenate((x * into, hidden[:-1]))
        forget = sigmoid(below * Wf + Bf)
        ingate = sigmoid(hidden * Wi + Bi)
        outgate = sigmoid(below * Wo + Bo)
        change = np.tanh(hidden * Wc + Bc)
        cell = cell * forget + ingate * change
        hidden = outgate * np.tanh(cell)
        return (hidden, cell), hidden

    carry = start = state[0::2], state[1::2]
    for k in range(L - 1):  # layers above k have not started
        begun = (np.arange(L) <= k)[:, None]
        new, _ = tick(carry, inputs[k])
        carry = tuple(np.where(begun, *pair) for pair in zip(new, start))
    _, hidden = scan(tick, carry, inputs[L - 1 :])
    y = hidden[:, -1] * out + shift
    lse = np.log(2 + np.sum(np.exp(y), axis=1, keepdims=True))
    return -np.mean(sequence[1:] * (y - lse))


def gradient(*args):
    return np.concatenate([np.ravel(bar) for bar in grad(objective, argnums=(0, 1))(*args)])


def prepare(input):
    return tuple(np.array(input[name]) for name in ("main_params", "extra_params", "state", "sequence"))


def example(layers, c, b=14):
    rng = np.random.default_rng(0)
    shapes = {"main_params": (2 * layers, 4 * b), "extra_params": (3, b), "state": (2 * layers, b)}
    arrays = {name: rng.random(shape) for name, shape in shapes.items()}
    arrays["sequence"] = rng.integers(0, 2, (c, b)).astype(float)
    return {name: a.tolist() for name, a in arrays.items()}


FUNCTIONS = {"objective": jit(objective), "jacobian": jit(gradient)}

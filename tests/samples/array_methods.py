"""Samples of rules/array_methods.py: what a method does beyond the NumPy function of its name."""

import numpy as np

from dotbar.rules.array_methods import view_as
from samples import cnormal, normal, sample

precision = "the sample names the precision"
x, z, v = normal(3, 4), cnormal(3, 4), normal(5)


def on_copy(write):
    """A function that changes a copy of its arguments and returns it."""

    def call(a, *args):
        a = np.copy(a)
        write(a, *args)
        return a * a

    return call


def set_parts(a, b):
    a.real, a.imag[1] = a.imag, b


def set_flat(a, b):
    a.flat[[1, 5, 1]] = b
    a.T.flat[2:6] = b[:2]
    a[:, ::2].flat = b


SAMPLES = [
    sample(view_as, z, call=lambda z: z.copy().view(np.float64), no_float32=precision),
    sample(view_as, normal(3, 4), call=lambda x: x.copy().view(np.complex128), no_float32=precision),
    sample(view_as, x, call=lambda x: x.view() * x.T.view(x.dtype).mT),
    sample(view_as, x, call=lambda x: x * (x.view(np.int64) != 0), no_float32=precision),
    sample(np.real, z, call=lambda z: z.real * z.getfield(np.float64, 8), no_float32=precision),
    sample(np.real, z, x[0], call=on_copy(set_parts)),
    sample(np.ravel, x, v[:3], call=on_copy(set_flat)),
    sample(np.ravel, x, call=lambda x: sum(x.flat[::5]) * x.T.flatten() + x.flat[[3, 3]].sum()),
    sample(np.sort, x, call=on_copy(lambda a: a[:, 1:].sort(axis=0))),
    sample(np.partition, x, call=on_copy(lambda a: a.partition(2))),
    sample(np.resize, x, call=on_copy(lambda a: a.resize(2, 3, refcheck=False))),
    sample(np.resize, x, call=on_copy(lambda a: a.resize((4, 5), refcheck=False))),
    sample(np.put, x, v, call=on_copy(lambda a, b: a.put([2, -1], b))),
    sample(np.copyto, x, 0.3, call=on_copy(lambda a, b: a[1].fill(b))),
    sample(
        np.transpose, normal(2, 3, 4), call=lambda t: t.transpose(1, 0, 2) * t.transpose((1, 0, 2)).mT.swapaxes(1, 2)
    ),
    sample(np.compress, x, call=lambda x: x.compress([True, False, True], axis=0).clip(-1, 1).astype(complex)),
]

"""Samples of rules/sorting.py."""

import numpy as np

from samples import cnormal, normal, sample

x, v = normal(3, 4), normal(6)
few = np.array([0.3, 1.2, -0.7])


def tied(call):
    """Of entries that stay equal when the argument moves."""
    return lambda a: call(a[np.array([0, 1, 0, 2, 1])])


SAMPLES = [
    sample(np.sort, x, case="sort"),
    sample(np.sort, x, axis=0, kind="heapsort"),
    sample(np.sort, x, axis=None),
    sample(np.sort, cnormal(5)),
    sample(np.argsort, v, call=lambda x: x[np.argsort(x)], case="argsort-based"),
    sample(np.argsort, x, call=lambda x: np.take_along_axis(x, np.argsort(x, 0), 0)),
    sample(np.partition, x, 1, case="partition"),
    sample(np.partition, x, (1, 2), axis=0),
    sample(np.partition, x, 3, axis=None),
    sample(np.lexsort, v, call=lambda x: x[np.lexsort((x, [1, 0, 0, 1, 1, 0]))], case="lexsort-based"),
    sample(np.sort_complex, v, case="sort_complex"),
    sample(np.sort_complex, cnormal(4)),
    sample(np.unique, few, call=tied(np.unique), case="unique"),
    sample(np.unique, few, call=tied(lambda a: np.unique(a, True, True, True)[0])),
    sample(np.unique, normal(3, 2), call=lambda a: np.unique(a[np.array([0, 1, 0, 2])], axis=0)),
    *(
        sample(fn, few, call=tied(lambda a, fn=fn: fn(a)[0]))
        for fn in (np.unique_all, np.unique_counts, np.unique_inverse)
    ),
    sample(np.unique_values, few, call=tied(np.unique_values)),
    sample(np.union1d, few, v),
    *(
        sample(fn, v, call=lambda a, fn=fn: fn(a, np.append(a[1:3], 9.0)), no_vmap="lengths depend on the entries")
        for fn in (np.setdiff1d, np.setxor1d, np.intersect1d)
    ),
]

"""Samples of rules/indexing.py, and of reading and writing entries."""

import numpy as np

from dotbar.rules.words import read
from samples import cnormal, normal, sample

x, t, v = normal(3, 4), normal(2, 3, 4), normal(5)
mask = np.array([[True, False, True, True], [False, False, True, False], [True, True, False, False]])


def on_copy(write):
    """A function that writes in place, as one that returns what the copy of its argument became."""

    def call(a, *args, **kw):
        a = np.copy(a)
        write(a, *args, **kw)
        return a

    return call


def set_entries(index):
    def call(a, b):
        a = np.copy(a)
        a[index] = b
        return a

    return call


def add_entries(a, b):
    a = a * 1.0
    a += b
    a[1:] *= a[:-1]
    return a


def indexed(index):
    return lambda a: a[index]


SAMPLES = [
    sample(read, t, call=indexed(1), case="index int/slice"),
    sample(read, t, call=indexed((slice(None, None, -1), 1, slice(1, 3)))),
    sample(read, t, call=indexed([0, 1, 1]), case="index fancy"),
    sample(read, t, call=indexed((slice(None), [0, 2, 0], [1, 1, 3]))),
    sample(read, t, call=indexed(([0, 1, 0], slice(None), [1, 1, 3]))),
    sample(read, t, call=indexed((0, slice(None), [[1], [3]]))),
    sample(read, x, call=indexed(mask), case="index bool mask"),
    sample(read, t, call=indexed((1, mask))),
    sample(read, t, call=indexed(([True, False], slice(None), [0, 2]))),
    sample(read, t, call=indexed((None, ..., 1, None)), case="index None/ellipsis"),
    sample(read, x, normal(2, 4), call=set_entries([0, 2]), case="setitem x[i]=y"),
    sample(read, x, 0.3, call=set_entries((slice(None), 1))),
    sample(read, x, normal(4), call=set_entries(([0, 0, 1],))),
    sample(read, t, normal(2, 3), call=set_entries(([0, 1], slice(None), [3, 0]))),
    sample(read, x, v[:1], call=set_entries(mask)),
    sample(read, x, normal(4), call=add_entries, case="inplace +="),
    sample(np.add, x, normal(4), call=lambda a, b: on_copy(np.add.at)(a, [0, 0, 2], b), case="add.at / scatter add"),
    sample(np.take, x, [[2, 0], [0, 0]], axis=1, case="take"),
    sample(np.take, x, [11, 0, -1]),
    sample(np.take, x, [-7, 9], axis=0, mode="wrap"),
    sample(np.take, x, 7, axis=0, mode="clip"),
    sample(np.take_along_axis, x, np.array([[0, 0], [3, 1], [2, 1]]), axis=1, case="take_along_axis"),
    sample(np.take_along_axis, x, np.array([5, 0, 5]), axis=None),
    sample(
        np.put_along_axis,
        x,
        np.array([[0, 1], [3, 1], [2, 1]]),
        normal(3, 2),
        axis=1,
        call=on_copy(np.put_along_axis),
        case="put_along_axis (functional)",
    ),
    sample(np.put_along_axis, x, np.array([3, 7]), normal(2), axis=None, call=on_copy(np.put_along_axis)),
    sample(np.compress, [True, False, True], x, axis=0, case="compress"),
    sample(np.extract, mask, x, case="extract"),
    sample(np.copyto, x, normal(4), call=on_copy(np.copyto)),
    sample(np.copyto, x, normal(4), where=mask, call=on_copy(np.copyto)),
    sample(np.put, x, [0, 5, -1], normal(2), call=on_copy(np.put)),
    sample(np.put, x, [0, 15, -3], normal(3), mode="wrap", call=on_copy(np.put)),
    sample(np.putmask, x, mask, v, call=on_copy(np.putmask)),
    sample(np.place, x, mask, normal(2), call=on_copy(np.place)),
    sample(np.fill_diagonal, x, 0.3, call=on_copy(np.fill_diagonal), case="fill_diagonal"),
    sample(np.fill_diagonal, normal(7, 3), normal(2), wrap=True, call=on_copy(np.fill_diagonal)),
    sample(np.fill_diagonal, normal(2, 2, 2), normal(2), call=on_copy(np.fill_diagonal)),
    sample(np.diagonal, x, case="diagonal"),
    sample(np.diagonal, t, offset=1, axis1=2, axis2=0),
    sample(np.diag, v, k=-1, case="diag build"),
    sample(np.diag, x, k=1, case="diag extract"),
    sample(np.diagflat, normal(2, 2), k=2, case="diagflat"),
    sample(np.tril, t, k=-1, case="tril"),
    sample(np.triu, x, case="triu"),
    sample(np.triu, cnormal(3)),
    sample(np.vander, normal(3), case="vander"),
    sample(np.vander, normal(3), 5, increasing=True),
    sample(np.ix_, x, call=lambda x: x[np.ix_([2, 0], [True, False, True, True])], case="ix_"),
    sample(np.ix_, x, call=lambda x: x[np.ix_(np.argsort(x[:, 0]), [1, 2])]),
    sample(np.flatnonzero, x, call=lambda x: np.ravel(x)[np.flatnonzero(x < 9)]),
    sample(np.argwhere, x, call=lambda x: x * np.argwhere(x < 9)[1, 1]),
    sample(np.argmax, x, call=lambda x: x[np.arange(3), np.argmax(x, 1)], case="argmax-based"),
    sample(np.tril_indices_from, x[:3, :3], call=lambda x: x[np.tril_indices_from(x)]),
    sample(np.triu_indices_from, x[:3, :3], call=lambda x: x[np.triu_indices_from(x, 1)]),
    sample(np.diag_indices_from, x[:3, :3], call=lambda x: x[np.diag_indices_from(x)]),
    *(
        sample(fn, x, call=lambda x, fn=fn: np.where(fn(x, x), x, 0))
        for fn in (np.isclose, np.allclose, np.array_equal, np.array_equiv, np.may_share_memory, np.shares_memory)
    ),
    *(
        sample(fn, x, call=lambda x, fn=fn: x * bool(fn(x)))
        for fn in (np.iscomplexobj, np.isrealobj, np.array_repr, np.array_str, np.array2string)
    ),
    sample(np.result_type, x, call=lambda x: x.astype(np.result_type(x, 1j))),
    sample(np.can_cast, x, call=lambda x: x * np.can_cast(x, np.complex128)),
    sample(np.min_scalar_type, x, call=lambda x: x.astype(np.min_scalar_type(x))),
    sample(np.common_type, x, call=lambda x: x.astype(np.common_type(x, cnormal(2)))),
]

"""A determinant by expansion by minors, all of them, O(l!): none is kept for another that needs the same.

A path is the columns that are taken from the first rows, one from each.  The expansions of all minors that paths of
one length leave are one sum over the columns that remain, weighted by entries of one row.
"""

from functools import cache

import numpy as np

from dotbar import checkpoint, grad, jit

AT_ONCE = 8  # minors up to this size are expanded side by side, larger ones one after the other


@cache
def remaining(m):
    """For each path length below m and each path, the columns that it leaves, in order."""
    levels = [np.arange(m)[None]]
    for left in range(m, 1, -1):
        others = np.array([[k for k in range(left) if k != taken] for taken in range(left)])
        levels.append(levels[-1][:, others].reshape(-1, left - 1))
    return levels


def signs(m):
    return (-1.0) ** np.arange(m)


@checkpoint
def side_by_side(A):
    """The determinant of a small matrix, from the minors of one row, its last, upwards."""
    m = len(A)
    columns = remaining(m)
    D = A[m - 1][columns[m - 1]]
    for j in range(m - 2, -1, -1):
        D = (A[j][columns[j]] * np.reshape(D, columns[j].shape)) @ signs(m - j)
    return np.sum(D)


def determinant(A):
    m = len(A)
    if m <= AT_ONCE:
        return side_by_side(A)
    minors = np.stack([determinant(np.concatenate((A[1:, :j], A[1:, j + 1 :]), axis=1)) for j in range(m)])
    return signs(m) @ (A[0] * minors)


def prepare(input):
    return (np.reshape(np.array(input["A"]), (input["ell"], input["ell"])),)


def answer(output):
    return np.ravel(output) if np.ndim(output) else output


def example(ell):
    return {"A": np.random.default_rng(0).random(ell * ell).tolist(), "ell": ell}


FUNCTIONS = {"primal": jit(determinant), "gradient": jit(grad(determinant))}

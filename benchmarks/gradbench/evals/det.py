"""A determinant by expansion by minors, all of them, O(l!): none is kept for another that needs the same.

A path is the columns that are taken from the first rows, one from each.  The expansions of all minors that paths of
one length leave are one sum over the columns that remain, weighted by entries of one row.
"""

from functools import cache
from math import factorial

import numpy as np

from dotbar import grad, jit, scan

AT_ONCE = 8  # minors of this size are expanded side by side, one of them after the other


@cache
def remaining(m, steps):
    """The columns that each path leaves, in order, (m − steps, paths); what a path took last varies slowest."""
    if steps == 0:
        return np.arange(m)[:, None]
    before = remaining(m, steps - 1)
    return np.concatenate([np.delete(before, taken, axis=0) for taken in range(len(before))], axis=1)


def expand(A, D):
    """The determinant of which D are the minors that the paths through the rows A leave."""
    for j in reversed(range(len(A))):
        columns = remaining(A.shape[1], j)
        signs = (-1.0) ** np.arange(len(columns))
        D = np.sum(signs[:, None] * A[j][columns] * np.reshape(D, columns.shape), axis=0)
    return D[0]


def determinant(A):
    rows = max(len(A) - AT_ONCE, 0)
    ones = np.ones(factorial(len(A) - rows))  # the determinant of no rows, for each path through all
    minor = lambda columns: expand(A[rows:, columns], ones)
    columns = remaining(len(A), rows).T
    if rows == 0:
        return minor(columns[0])
    return expand(A[:rows], scan(lambda _, columns: (None, minor(columns)), None, columns, checkpoint=1)[1])


def prepare(input):
    return (np.reshape(np.array(input["A"]), (input["ell"], input["ell"])),)


def answer(output):
    return np.ravel(output) if np.ndim(output) else output


def example(ell):
    return {"A": np.random.default_rng(0).random(ell * ell).tolist(), "ell": ell}


FUNCTIONS = {"primal": jit(determinant), "gradient": jit(grad(determinant))}

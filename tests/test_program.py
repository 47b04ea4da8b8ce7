"""The Program: what the validator refuses, and how it runs."""

import numpy as np
import pytest
from recorded import assert_same_bits, record


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.nonzero(x)[0] * 1.0,
        lambda x: np.nonzero(np.reshape(x, (2, 2)))[1] * x[0],
        lambda x: np.modf(x)[0],
        lambda x: x[np.unravel_index(2, x.shape)],
    ],
)
def test_run_gives_what_the_function_gives(f):
    x = np.array([0.0, 1.5, -2.0, np.nan])
    assert_same_bits(record(f, x).run(x), [f(x)])

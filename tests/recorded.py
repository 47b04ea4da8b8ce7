"""Recording for tests: Programs of functions, and whether two Programs give the same."""

import numpy as np

from dotbar.trace import Recording
from dotbar.tree import flatten


def record(f, *args):
    """The Program of a function at example arguments, its outputs flat."""
    with Recording() as recording:
        out = f(*map(recording.input, args))
        recording.program.outputs = [recording.operand(y) for y in flatten(out)[0]]
    return recording.program.validate()


def assert_same_bits(got, want):
    """The same shapes, dtypes and bits; a NaN is a NaN."""
    for g, w in zip(map(np.asarray, got), map(np.asarray, want), strict=True):
        assert (g.shape, g.dtype) == (w.shape, w.dtype)
        if g.dtype.kind in "fc":
            parts = [(g.real, w.real), (g.imag, w.imag)] if g.dtype.kind == "c" else [(g, w)]
            for a, b in parts:
                same = (a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b))
                assert np.all(same), f"{g}\nwanted\n{w}"
        else:
            assert np.array_equal(g, w)


def assert_near(got, want, tol):
    """The same shapes and dtypes, and values to ``tol`` of the largest."""
    for g, w in zip(map(np.asarray, got), map(np.asarray, want), strict=True):
        assert (g.shape, g.dtype) == (w.shape, w.dtype)
        scale = 1 + np.max(np.abs(w), initial=0, where=np.isfinite(w)) if w.dtype.kind in "fc" else 1
        assert np.allclose(g, w, rtol=0, atol=tol * scale, equal_nan=True), f"{g}\nwanted\n{w}"

"""Nothing is silently constant: what objects are made of, and are asked, differentiates or is refused by name."""

import numpy as np
import pytest
from objects import CALLS, verdicts
from walk import Verdict

from dotbar.errors import DotbarError

JUMPS = {("interpolate.NearestNDInterpolator", "x"), ("interpolate.NearestNDInterpolator.__call__", "args")}
"""Arguments by which a result only jumps."""


@pytest.mark.parametrize("name", dict.fromkeys(call.name for call in CALLS))
@pytest.mark.filterwarnings("ignore")
def test_each_argument_differentiates_or_is_refused(name):
    for argument, several in verdicts()[name].items():
        for v in several:
            assert v.outcome is True or is_right(name, argument, v), f"{argument}={v.given!r}: {v.outcome!r}"


def is_right(name: str, argument: str, v: Verdict) -> bool:
    """Whether a constant is one, and an error names the class or the method, or is SciPy's of plain values too."""
    named = (*name.split(".")[1:], "signal.TransferFunction")  # is what lti and dlti make
    if isinstance(v.outcome, DotbarError) and any(part in str(v.outcome) for part in named):
        return True
    if (v.given is None and v.outcome is not False) or (name, argument) in JUMPS:
        return True
    try:
        values, others = v.plain(), v.plain(other=True)
    except Exception:
        return True
    same = len(values) == len(others) and all(np.array_equal(a, b, True) for a, b in zip(values, others))
    return v.outcome is False and same

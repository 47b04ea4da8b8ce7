"""Nothing is silently constant: each argument of each public function differentiates or is refused by name."""

import numpy as np
import pytest
from walk import FUNCTIONS, Verdict, calls, verdicts

from dotbar.errors import DotbarError

INDEPENDENT = {
    # where a search starts; what it finds does not depend on it
    **dict.fromkeys(("bisect", "brenth", "brentq", "ridder", "toms748"), "a b"),
    **dict.fromkeys(("fsolve", "root", "minimize", "least_squares", "leastsq", "fixed_point"), "x0"),
    **dict.fromkeys(("newton", "root_scalar"), "x0 x1 bracket"),
    **dict.fromkeys(("fmin", "fmin_bfgs", "fmin_cg", "fmin_ncg", "fmin_powell", "basinhopping"), "x0"),
    **dict.fromkeys(("anderson", "broyden1", "broyden2", "newton_krylov"), "xin"),
    "curve_fit": "p0",
    "solve_bvp": "y p",
    # what acts by an order or a rank alone
    "griddata": "points xi",
    "theilslopes": "alpha",
    **dict.fromkeys(("buttord", "cheb1ord", "ellipord"), "ws gstop"),
}
"""Arguments on which a result may depend without a derivative."""


def test_every_function_is_called():
    assert not FUNCTIONS.keys() - calls().keys()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore")
def test_each_argument_differentiates_or_is_refused(name):
    for argument, several in verdicts()[name].items():
        for v in several:
            assert v.outcome is True or is_right(name, argument, v), f"{argument}={v.given!r}: {v.outcome!r}"


def is_right(name: str, argument: str, v: Verdict) -> bool:
    """Whether a constant is one, and an error says what it must."""
    member = name.rpartition(".")[2]
    if isinstance(v.outcome, DotbarError):
        return f".{member}" in str(v.outcome) and repr(argument) in str(v.outcome)
    if v.given is None and v.outcome is not False:
        return True  # it is to be something else than a number
    if argument in INDEPENDENT.get(member, "").split():
        return True
    try:
        values, others = v.plain(), v.plain(other=True)
    except Exception:
        return True  # SciPy takes no such value
    return len(values) == len(others) and all(np.array_equal(a, b, True) for a, b in zip(values, others))

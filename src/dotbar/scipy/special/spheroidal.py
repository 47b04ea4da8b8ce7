"""Spheroidal wave functions in their argument."""

from collections.abc import Callable
from typing import Any

from dotbar.rules.kinds import elementwise, rule
from dotbar.scipy.mirror import dispatching
from dotbar.scipy.special import ufuncs as sc
from dotbar.scipy.special.results import Pair, slopes

INTEGER = "it is an integer"
NO_FORM = "SciPy has no derivative of spheroidal functions with respect to it, and there is no closed form"


def equation(y: Any, m: Any, c: Any, x: Any, eigenvalue: Callable[[], Any], oblate: bool, radial: bool) -> Pair:
    """Value and slope: ((1 − z²) w′)′ + (λ − γ²z² − m²/(1 − z²)) w = 0 with γ² = c² at z = x if prolate.  DLMF 30.2.1.

    Oblate: γ² = −c², and at z = ix the radial one of γ = ic.  DLMF 30.14.
    """
    value, slope = y
    s = 1 if oblate and radial else -1  # 1 + s x² = 1 − z²

    def second() -> Any:
        p = 1 + s * x * x
        wave = eigenvalue() + (-c * c if radial or not oblate else c * c) * x * x - m * m / p
        return (s * wave * value - 2 * s * x * slope) / p

    return slopes(lambda: slope, second)


def register(stem: str) -> None:
    oblate, radial = stem.startswith("obl"), "rad" in stem
    cv = sc.obl_cv if oblate else sc.pro_cv

    @rule(getattr(sc, stem), "(),(),(),()->(),()")
    def body(y: Any, m: Any, n: Any, c: Any, x: Any) -> Any:
        """The differential equation of spheroidal functions.  DLMF 30.2.1."""
        return INTEGER, INTEGER, NO_FORM, equation(y, m, c, x, lambda: cv(m, n, c), oblate, radial)

    @rule(getattr(sc, f"{stem}_cv"), "(),(),(),(),()->(),()")
    def body_cv(y: Any, m: Any, n: Any, c: Any, cv: Any, x: Any) -> Any:
        """The differential equation of spheroidal functions, with its eigenvalue given.  DLMF 30.2.1."""
        return INTEGER, INTEGER, NO_FORM, NO_FORM, equation(y, m, c, x, lambda: cv, oblate, radial)


for _stem in ("pro_ang1", "pro_rad1", "pro_rad2", "obl_ang1", "obl_rad1", "obl_rad2"):
    register(_stem)

for _f in (sc.pro_cv, sc.obl_cv, dispatching(sc.pro_cv_seq), dispatching(sc.obl_cv_seq)):
    elementwise(_f, INTEGER, INTEGER, NO_FORM)

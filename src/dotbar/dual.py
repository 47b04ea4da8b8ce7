"""Forward mode: a value and its dot travel together."""

from collections.abc import Sequence
from sys import getrefcount
from typing import Any, ClassVar

import numpy as np

from dotbar import core
from dotbar.core import (
    Level,
    Rule,
    Settings,
    Step,
    Traced,
    duplicate,
    is_differentiable,
    is_exclusive,
    own,
    rebuild,
    shape_of,
    split,
    value_of,
    without_derivative,
    wrap_view,
)
from dotbar.errors import RuleError
from dotbar.rules.kinds import match
from dotbar.tape import lay_out, layout


class Dual(Traced):
    """A value with its tangent in ``aux``, of the same shape and dtype."""

    __slots__ = ()


class Pending(Dual):
    """A value whose tangent is computed when it is first read, as its rule may have to refuse it."""

    __slots__ = ()

    @property
    def aux(self) -> Any:
        compute = Traced.aux.__get__(self)  # pyright: ignore[reportAttributeAccessIssue]
        with np.errstate(all="ignore"):
            self.aux = match(compute(), self.value)
        return self.aux

    @aux.setter
    def aux(self, dot: Any) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.__class__ = Dual  # pyright: ignore[reportAttributeAccessIssue]
        self.aux = dot


class Forward(Level):
    """A level of forward mode."""

    __slots__ = ()
    kind: ClassVar[type[Traced]] = Dual

    def process(self, rule: Rule, xs: Sequence[Any], kw: Settings) -> Any:
        if rule.kind == "constant":
            return rule.fn(*[x.value if isinstance(x, Traced) and x.level is self else x for x in xs], **kw)
        vals: list[Any] = []
        dots: list[Any] = []
        for x in xs:
            if isinstance(x, Traced) and x.level is self:
                vals.append(x.value)
                dots.append(x.aux)
            else:
                vals.append(x)
                dots.append(None)
        y = rule.fn(*vals, **kw)
        many = isinstance(y, tuple)
        if not (any(map(is_differentiable, y)) if many else is_differentiable(y)):
            return without_derivative(rule, y)
        if y is vals[0] and rule.makes_views:
            return xs[0]
        with np.errstate(all="ignore"):
            ydot = rule.dot(y, vals, kw, dots)
        if many:
            return rebuild(y, [self._output(rule, v, t) for v, t in zip(y, ydot, strict=True)])
        if shape_of(ydot) != shape_of(y):
            raise RuleError(
                f"the rule of {rule.name} returned a tangent of shape {shape_of(ydot)} "
                f"for a result of shape {shape_of(y)}."
            )
        ydot = match(ydot, y)
        if rule.makes_views and len(xs) == 1:
            return wrap_view(self, rule, xs[0], kw, y, ydot)
        return Dual(y, self, ydot)

    def _output(self, rule: Rule, y: Any, ydot: Any) -> Any:
        if ydot is None or not is_differentiable(y):
            return y
        if not callable(ydot):
            return Dual(y, self, match(ydot, y))
        x = Dual(y, self, ydot)
        x.__class__ = Pending
        return x

    def lift(self, x: Traced, inner: Any) -> None:
        x.value = inner
        x.aux = np.zeros(shape_of(inner), core.dtype_of(inner))

    def write(self, root: Traced, path: tuple[Step, ...], v: Any) -> None:
        value, dot = (v.value, v.aux) if isinstance(v, Traced) and v.level is self else (v, 0)
        steps, index = split(path)
        value_of(own(root, value, index), steps)[index] = value
        if (isinstance(dot, Traced) or core.is_batched(index)) and not isinstance(root.aux, Traced):
            root.aux = core.Cell(root.aux, core.BASE)
        elif not (getrefcount(root.aux) == _SOLE and is_exclusive(root.aux)):
            root.aux = duplicate(root.aux)
        root.aux = lay_out(root.aux, steps, layout(root.value, steps))
        value_of(root.aux, steps)[index] = dot


_probe = Dual(0.0, core.BASE, np.empty(1))
_SOLE = getrefcount(_probe.aux)

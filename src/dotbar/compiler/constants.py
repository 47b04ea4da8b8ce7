"""Constant folding: what does not depend on the inputs is computed once.

::

    b: f64[8] = multiply [1., ..., 1.] [3., ..., 3.]        c: f64[8] = multiply a <3.0: f64[8]>
    c: f64[8] = multiply a b                            →

An array of one value throughout, as cotangents of ones are, is a *splat*: it has stride 0, takes no memory, and is
folded at one entry where the function works entry by entry or only moves entries.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dotbar.compiler.rewriting import Walk, is_splat, rewrite, splat, uniform
from dotbar.program import Control, Equation, Guard, GuardFailed, Program, Var
from dotbar.rules.shapes import astype, choose, reshape_to
from dotbar.rules.words import read

__all__ = ["fold", "splats"]

MOVES = {np.broadcast_to, np.copy, np.transpose, np.diagonal, np.roll, reshape_to, read}
ENTRYWISE = {astype, choose}
LARGEST = 1 << 16  # entries of a constant computed here; a larger one would live on as long as the Program


def splats(program: Program) -> Program:
    """The Program with each constant array of one value turned into a splat."""
    changed = False
    equations: list[Equation] = []
    for equation in program.equations:
        inputs = tuple([_compact(x) if type(x) is np.ndarray else x for x in equation.inputs])
        if any(x is not y for x, y in zip(inputs, equation.inputs)):
            equation = Equation(equation.rule, inputs, equation.settings, equation.outputs)
            changed = True
        equations.append(equation)
    return Program(program.inputs, equations, program.outputs) if changed else program


def _compact(x: NDArray[Any]) -> NDArray[Any]:
    """An array, as a splat if all of its entries have the same bits."""
    if not x.size or is_splat(x) or x.dtype.hasobject:
        return x
    first, last = x[(0,) * x.ndim], x[(-1,) * x.ndim]
    if first.tobytes() != last.tobytes() or first.tobytes() * x.size != x.tobytes():
        return x
    return splat(first, Var(x.shape, x.dtype))


def fold(program: Program) -> Program:
    """The Program without equations on constants only, but for those with large results."""
    return rewrite(program, _fold) if any(map(_is_constant, program.equations)) else program


def _is_constant(equation: Equation) -> bool:
    return not [x for x in equation.inputs if type(x) is Var]


def _fold(equation: Equation, walk: Walk) -> Any:
    inputs, outputs, fn = equation.inputs, equation.outputs, equation.rule.fn
    if not _is_constant(equation):
        return None
    if not outputs:
        return () if isinstance(equation.rule, Guard) and _evaluate(equation, inputs) is not None else None
    if any(map(is_splat, inputs)) and all(uniform(x) is not None for x in inputs):
        if fn in MOVES and inputs[0].dtype == outputs[0].dtype:  # and not a part of complex numbers
            return splat(uniform(inputs[0]), outputs[0])
        if (isinstance(fn, np.ufunc) and fn.signature is None) or fn in ENTRYWISE:
            results = _evaluate(equation, [np.asarray(uniform(x)) if is_splat(x) else x for x in inputs])
            return None if results is None else tuple(map(splat, results, outputs))
    if max(map(_entries, (*inputs, *outputs))) > LARGEST or isinstance(equation.rule, Control):
        return None
    results = _evaluate(equation, inputs)
    return None if results is None else tuple(_compact(np.array(y)) for y in results)


def _entries(x: Any) -> int:
    return int(np.prod(x.shape)) if type(x) is Var else np.size(x)


def _evaluate(equation: Equation, inputs: Any) -> tuple[Any, ...] | None:
    """The results of an equation, None if it raises: then it is to raise when the Program runs."""
    try:
        with np.errstate(all="ignore"):
            y = equation.rule.fn(*inputs, **equation.settings)
    except (ArithmeticError, GuardFailed, LookupError, TypeError, ValueError):
        return None
    return y if isinstance(y, tuple) else (y,)

"""Products that steps add up become one product of stacks, taken after the loop.

::

    W̄ = loop a bs W̄₀                               us = loop a bs
      body (a, b, W̄):                                body (a, b):
        u = multiply a b                     →         u = multiply a b
        t = matmul uᵀ b                                return u
        return add W̄ t                             W̄ = add W̄₀ (matmul usᵀ bs)

A step's share of the bar of a matrix is a product of a few vectors, so to add it costs a pass over the whole matrix at
each step.  Σₜ AₜᵀBₜ is AᵀB of the rows of all steps: one pass, by the fastest product there is.
"""

from collections import Counter
from math import prod
from typing import Any, NamedTuple

import numpy as np

from dotbar.compiler.products import PRODUCTS, Product, factors_of
from dotbar.compiler.rewriting import Walk
from dotbar.core import RULES
from dotbar.program import Control, Equation, Program, Var, is_static, variables
from dotbar.rules.shapes import reshape_to

__all__ = ["gather_totals"]

MOST = 1 << 28
"""The bytes that a loop may keep for one total."""


class Rows(NamedTuple):
    """A factor of AᵀB: the rows of a matrix, or of its transpose."""

    x: Var
    transposed: bool
    count: int
    width: int


class Total(NamedTuple):
    """The carry of a number is the sum of products AᵀB."""

    carry: int
    products: list[tuple[Rows, Rows]]


def gather_totals(program: Program) -> Program:
    """The Program whose loops add up no products that can be taken after them."""
    if not any(isinstance(e.rule, Control) for e in program.equations):
        return program
    walk = Walk()
    for equation in program.equations:
        e = walk.updated(equation)
        totals = _totals(e) if "carries" in e.settings and e.settings["test"] is None and is_static(e) else []
        if totals:
            _replace(e, totals, walk)
        else:
            walk.keep(e)
    return Program(program.inputs, walk.equations, [walk.current(x) for x in program.outputs])


def _totals(e: Equation) -> list[Total]:
    body, consts, carries = e.settings["body"], e.settings["consts"], e.settings["carries"]
    definition = {y: inner for inner in body.equations for y in inner.outputs}
    uses = Counter(x for inner in body.equations for x in variables(inner))
    uses.update(x for x in body.outputs if type(x) is Var)

    def terms(y: Any) -> list[Any]:
        """What is added up to make a value."""
        made = definition.get(y) if type(y) is Var and uses[y] == 1 else None
        return [y] if made is None or made.rule.fn is not np.add else [t for x in made.inputs for t in terms(x)]

    found: list[Total] = []
    for k, (x, y) in enumerate(zip(body.inputs[consts : consts + carries], body.outputs)):
        shares = [t for t in terms(y) if t is not x]
        if uses[x] != 1 or any(type(t) is not Var or uses[t] != 1 or t.shape != x.shape for t in shares):
            continue
        products = [f for t in shares if (f := _factors(definition.get(t)))]
        if products and len(products) == len(shares) == len(terms(y)) - 1 and _is_worth(e, products):
            found.append(Total(k, products))
    return found


def _factors(e: Equation | None) -> tuple[Rows, Rows] | None:
    """A and B of a product of matrices AᵀB, which may be a column times a row."""
    is_matmul = e is not None and (e.rule.fn is np.matmul or (isinstance(e.rule, Product) and e.rule.of is np.matmul))
    if e is None or not (is_matmul or e.rule.fn is np.multiply):
        return None
    a, b = e.inputs
    if not all(type(x) is Var and len(x.shape) == 2 and x.dtype.kind == "f" for x in (a, b)) or a.dtype != b.dtype:
        return None
    if not is_matmul and a.shape[1] == b.shape[0] == 1:
        return Rows(a, True, 1, a.shape[0]), Rows(b, False, 1, b.shape[1])
    if not is_matmul or e.settings.get("triangles"):
        return None
    _, (flip_a, flip_b) = factors_of(e)
    count = a.shape[0] if flip_a else a.shape[1]
    return Rows(a, not flip_a, count, prod(a.shape) // count), Rows(b, flip_b, count, prod(b.shape) // count)


def _is_worth(e: Equation, products: list[tuple[Rows, Rows]]) -> bool:
    """Whether the rows are fewer numbers than the sum, and fit."""
    rows = sum(a.count * (a.width + b.width) for a, b in products)
    return rows < len(products) * products[0][0].width * products[0][1].width and _steps(e) * rows * 8 < MOST


def _steps(e: Equation) -> int:
    length = e.settings["length"]
    return e.inputs[e.settings["consts"] + e.settings["carries"]].shape[0] if length is None else length


def _replace(e: Equation, totals: list[Total], walk: Walk) -> None:
    """Write the loop that stacks the rows, and the products of the stacks."""
    body, consts, carries = e.settings["body"], e.settings["consts"], e.settings["carries"]
    n, xs = _steps(e), dict(zip(body.inputs[consts + carries :], e.inputs[consts + carries :]))
    definition = {y: inner for inner in body.equations for y in inner.outputs}
    gone = {t.carry for t in totals}
    stays = [k not in gone for k in range(carries)]
    equations, ends, stacks = list(body.equations), list[Var](), list[Var]()

    def stack(rows: Rows) -> Any:
        """The rows of all steps: what the loop goes along, or another of its outputs."""
        x = rows.x
        if min(rows.count, rows.width) > 1 and rows.transposed:
            x = Var(x.shape[::-1], x.dtype)
            equations.append(Equation(RULES[np.transpose], (rows.x,), {"axes": (1, 0)}, (x,)))
        while x in definition and definition[x].rule.fn is reshape_to and type(definition[x].inputs[0]) is Var:
            x = definition[x].inputs[0]
        if x in xs:
            return xs[x], rows
        if x not in ends:
            ends.append(x)
            stacks.append(Var((n, *x.shape), x.dtype))
        return stacks[ends.index(x)], rows

    pairs = [[(stack(a), stack(b)) for a, b in t.products] for t in totals]
    keep = [True] * consts + stays + [True] * len(xs)
    new = Program([x for x, k in zip(body.inputs, keep) if k], equations, [])
    new.outputs = [y for y, k in zip(body.outputs, stays + [True] * len(body.outputs)) if k] + ends
    outputs = [y for y, k in zip(e.outputs, stays + [True] * len(e.outputs)) if k]
    settings = {**e.settings, "body": new.pruned(), "carries": sum(stays), "length": n}
    inputs = tuple(x for x, k in zip(e.inputs, keep) if k)
    walk.keep(Equation(e.rule, inputs, settings, (*outputs, *stacks)))
    for t, products in zip(totals, pairs):
        y, total = e.outputs[t.carry], e.inputs[consts + t.carry]
        for sides in products:
            a, b = (_flat(x, rows, n, walk) for x, rows in sides)
            product = walk.emit(PRODUCTS[np.matmul], (a, b), {"transpose": (True, False)}, y)
            total = walk.emit(np.add, (total, product), {}, y)
        walk.replace((y,), (total,))


def _flat(x: Any, rows: Rows, n: int, walk: Walk) -> Any:
    shape = (n * rows.count, rows.width)
    return walk.emit(reshape_to, (x,), {"shape": shape, "order": "C"}, (shape, x.dtype))

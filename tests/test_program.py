"""The Program: what the validator refuses, and how it runs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import assert_same_bits, record

import dotbar
from dotbar.core import take_index
from dotbar.errors import ProgramError
from dotbar.program import WRITTEN, Equation, Program, Var
from dotbar.rules.shapes import reshape_to


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


# ---------------------------------------------------------------- the validator


def network(w, x, y):
    h = np.tanh(x @ w[:2] + w[2])
    p = np.exp(h - np.max(h, axis=1, keepdims=True))
    p = p / np.sum(p, axis=1, keepdims=True)
    out = np.zeros(4, like=w)
    out[1:] = np.cumsum(np.where(y > 0, p, 0) ** 2, axis=1)[0]
    return np.sum(np.sort(out) * np.concatenate([w[0], y[0, :1]])) + np.linalg.slogdet(p.T @ p + np.eye(3))[1]


W, X, Y = (np.cos(np.arange(float(n * m))).reshape(n, m) for n, m in ((3, 3), (5, 2), (5, 3)))
PROGRAMS = [
    record(dotbar.value_and_grad(network), W, X, Y),
    record(lambda w: dotbar.hvp(network, (w, X, Y), (w, 0 * X, 0 * Y)), W),
]


def tried(program):
    """The equations whose results the validator compares with what their functions make."""
    return [e for e in program.equations if e.outputs and not e.rule.varies(e.inputs)]


def used(program):
    return {x for e in program.equations for x in e.inputs if type(x) is Var}


def with_equations(program, equations):
    return Program(program.inputs, equations, program.outputs)


def replaced(program, old, new):
    """The Program with another variable in the place of one, wherever that stands."""
    swap = lambda xs: tuple([new if x is old else x for x in xs])
    equations = [Equation(e.rule, swap(e.inputs), e.settings, swap(e.outputs)) for e in program.equations]
    return Program(list(swap(program.inputs)), equations, list(swap(program.outputs)))


def dropped(program, pick):
    found = [e for e in program.equations if used(program).intersection(e.outputs)]
    e = pick(found)
    return with_equations(program, [other for other in program.equations if other is not e])


def moved_up(program, pick):
    made = [e for e in program.equations if any(x not in program.inputs for x in e.inputs if type(x) is Var)]
    e = pick(made)
    return with_equations(program, [e, *(other for other in program.equations if other is not e)])


def assigned_twice(program, pick):
    return with_equations(program, [*program.equations, pick(tried(program))])


def of_another_shape(program, pick):
    y = pick([y for e in tried(program) for y in e.outputs])
    return replaced(program, y, Var((*y.shape, 2), y.dtype))


def of_another_dtype(program, pick):
    y = pick([y for e in tried(program) for y in e.outputs])
    return replaced(program, y, Var(y.shape, np.dtype(np.float32 if y.dtype == np.float64 else np.float64)))


def returning_the_unknown(program, pick):
    outputs = list(program.outputs)
    outputs[pick(range(len(outputs)))] = Var((), np.dtype(float))
    return Program(program.inputs, program.equations, outputs)


def with_an_operand_that_does_not_fit(program, pick):
    e = pick([e for e in program.equations if isinstance(e.rule.fn, np.ufunc) and not e.settings])
    x = Var((7, 11, 13), np.dtype(float))
    equations = [Equation(e.rule, (x, *e.inputs[1:]), {}, e.outputs) if o is e else o for o in program.equations]
    return Program([*program.inputs, x], equations, program.outputs)


def with_a_missing_operand(program, pick):
    e = pick([e for e in tried(program) if e.inputs])
    equations = [Equation(e.rule, e.inputs[1:], e.settings, e.outputs) if o is e else o for o in program.equations]
    return with_equations(program, equations)


def with_a_result_too_many(program, pick):
    e = pick(tried(program))
    outputs = (*e.outputs, Var((), np.dtype(float)))
    return with_equations(
        program, [Equation(e.rule, e.inputs, e.settings, outputs) if o is e else o for o in program.equations]
    )


MUTATIONS = [
    *(dropped, moved_up, assigned_twice, of_another_shape, of_another_dtype, returning_the_unknown),
    *(with_an_operand_that_does_not_fit, with_a_missing_operand, with_a_result_too_many),
]


@pytest.mark.parametrize("mutate", MUTATIONS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_validator_refuses_what_is_not_well_formed(mutate, data):
    program = data.draw(st.sampled_from(PROGRAMS))
    mutant = mutate(program, lambda found: data.draw(st.sampled_from(found)))
    with pytest.raises(ProgramError):
        mutant.validate()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("turned", [False, True])
def test_writes_find_their_entries_however_an_array_lies_in_memory(order, turned):
    steps = [(np.transpose, {"axes": None})] if turned else []
    path = (*steps, (reshape_to, {"shape": -1, "order": "C"}), (take_index, {"index": slice(1, 3)}))
    x = np.array(np.arange(6.0).reshape(2, 3), order=order)
    want = np.array(x.T if turned else x, order="C")
    want.reshape(-1)[1:3] = 7.0
    assert np.array_equal(WRITTEN.write(x, 7.0, path=path), want.T if turned else want)

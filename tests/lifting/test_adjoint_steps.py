"""The backward pass as Steps: what flows where, and that the rows of the op table are asked.

Covers `steps/adjoint.py`, `chains.py`, `first_writes.py`, `flow.py`, `reached.py`.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import pytest
import torch
from executing import called, program_of, through
from random_programs import leaves

from micrograd import Value, functional, lift, nn, ops
from micrograd.lifting.run import reference
from micrograd.lifting.steps.adjoint import adjoint, gradient, seed
from micrograd.lifting.steps.checks import check
from micrograd.lifting.steps.expression import Apply, Read, pushed
from micrograd.lifting.steps.first_writes import first_writes
from micrograd.lifting.steps.flow import wanted
from micrograd.lifting.steps.ir import Argument, Array, Parameters, Program, Step, View, Window

by_steps = through(reference.run)


def grads(results: list[Any], wanted: Any) -> list[float]:
    """d sum(results) / d each Value wanted, whose `grad` is left at 0."""
    with np.errstate(all="ignore"):
        sum(results, Value(0.0)).backward()
    found = [v.grad for v in wanted]
    for v in wanted:
        v.grad = 0.0
    return found


def compare(function: Any, values: Any, which: slice = slice(None)) -> list[float]:
    """The gradients by Steps, equal to the eager ones bit for bit but for rounding."""
    values = list(values)
    x = np.array(values, dtype=object)
    want = grads(list(np.ravel(function(x)))[which], values)
    got = grads(by_steps(function)(x)[which], values)
    np.testing.assert_allclose(got, want, rtol=1e-14)
    return got


# --- ties, zeros and infinities -------------------------------------------------------------------

TIES = [
    [2.0, 2.0, 2.0, 1.0],
    [1.0, 3.0, 3.0],
    [-np.inf, -np.inf, 0.0],
    [5.0, 5.0],
    [0.0, -0.0, 0.0],
    [np.inf, 1.0, np.inf],
]


@pytest.mark.parametrize("numbers", TIES)
@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_ties_in_a_chain_are_shared_pair_by_pair_as_in_pytorch(
    name: str, numbers: list[float]
) -> None:
    values = list(map(Value, numbers))
    got = compare(lambda x: reduce(getattr(ops, name), x), values)
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
    reduce(getattr(torch, name), tensors).backward()
    assert got == [float(t.grad) for t in tensors]


def test_chains_over_rows_and_nested_loops() -> None:
    x = leaves(np.random.default_rng(0).integers(0, 3, size=(3, 4)).astype(float))
    compare(
        lambda flat: [reduce(ops.maximum, row) * k for k, row in enumerate(flat.reshape(3, 4), 1)],
        x.ravel(),
    )
    compare(lambda flat: reduce(ops.minimum, flat.reshape(3, 4)[:, :3].ravel()), x.ravel())


@pytest.mark.parametrize("place", range(3))
def test_nan_in_a_chain_goes_the_way_of_the_eager_pairs(place: int) -> None:
    values = [Value(1.0), Value(2.0), Value(3.0)]
    values[place].data = float("nan")
    want = grads([reduce(ops.maximum, values)], values)
    got = grads(by_steps(lambda x: reduce(ops.maximum, x))(np.array(values)), values)
    np.testing.assert_array_equal(got, want)


UNREACHED = {
    "the first of a group": lambda x: (d := ops.sqrt(x))[0].detach() + sum(d[1:]),
    "the last of a group": lambda x: sum((d := ops.sqrt(x[::-1]))[:-1]) + d[-1].detach(),
    "some of a group": lambda x: (d := ops.sqrt(x))[0].detach() + d[1] + d[0].detach() * 0 + d[3],
    "behind a comparison": lambda x: ops.greater((d := ops.log(x))[0], 0.0) + sum(d[1:]),
    "products": lambda x: ((d := [v * ops.log(v) for v in x])[0] * 1.0).detach() + sum(d[1:]),
}


@pytest.mark.parametrize("case", UNREACHED)
def test_what_no_gradient_reaches_passes_nothing_on(case: str) -> None:
    got = compare(UNREACHED[case], map(Value, (0.0, 1.0, 4.0, 9.0)))
    assert np.isfinite(got).all()


def test_only_a_result_that_a_gradient_arrives_at_passes_it_on() -> None:
    def function(x: Any) -> Any:
        return [ops.log(x[0]) * x[1], x[2] * 3.0]

    got = compare(function, map(Value, (0.0, 1.0, 4.0)), slice(1, 2))
    assert got == [0.0, 0.0, 3.0]


def test_an_input_that_nothing_reaches_gets_zeros() -> None:
    program = program_of(lambda a, b: (a * 2, b * 3), Value(1.0), Value(1.0))
    backward = adjoint(program, [0])
    check(program, backward)
    buffers: dict[str, list[float]] = {"a": [1.0], "b": [1.0], seed(program, 0).name: [1.0]}
    reference.run((*program.forward, *backward), buffers)
    a, b = (gradient(x.array).name for x in program.arguments)
    assert (buffers[a], buffers[b]) == ([2.0], [0.0])


def test_turns_that_are_a_box_are_cut_out_and_others_are_masked() -> None:
    w = np.array([Value(0.0), Value(1.0), Value(4.0), Value(9.0)])
    program = program_of(lambda x: ops.sqrt(x), w)
    (step,) = adjoint(program, {0: np.array([False, True, True, False])})[-1:]
    assert step.loops == (2,)
    (step,) = adjoint(program, {0: np.array([False, True, False, True])})[-1:]
    assert step.loops == (3,)
    assert "where(reached_2[1*i], " in str(step)


# --- tables, draws, statistics --------------------------------------------------------------------


def test_a_row_taken_twice_gets_both_gradients() -> None:
    table = leaves(np.arange(6.0).reshape(3, 2))
    index = np.array([2, 0, 2])

    def function(i: Any) -> Any:
        return functional.take(table, i) * np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])

    got = grads(by_steps(function)(index), table.ravel())
    assert got == [3.0, 4.0, 0.0, 0.0, 6.0, 8.0]
    (step,) = [s for s in adjoint(program_of(function, index), [0]) if s.out.index is not None]
    assert step.accumulate
    assert (step.out.rows, step.out.index.array.name) == (3, "i")  # type: ignore[union-attr]


def test_a_table_of_values_from_several_places() -> None:
    w = leaves(np.array([5.0, 6.0]))

    def function(x: Any, i: Any) -> Any:
        return functional.take([x[0] * x[0], w[1], 0.5, x[1]], i) * 2.0

    x = leaves(np.array([3.0, 4.0]))
    for k, want in enumerate(([12.0, 0, 0, 0], [0, 0, 0, 2.0], [0, 0, 0, 0], [0, 2.0, 0, 0])):
        assert grads(by_steps(function)(x, np.array(k)), [*x, *w]) == want


def test_draws_stand_still_and_pass_nothing_on() -> None:
    drop = nn.Dropout(0.5, rng=3)
    x = leaves(np.linspace(1, 2, 6).reshape(2, 3))
    f = lift(lambda x: drop(x) * 2.0)
    results = f(x)
    (draw,) = f.program.program.draws
    (result, *_) = results.ravel()
    kept = result._rule.call.buffers.bound.arrays[draw.array.name] >= 0.5
    got = grads(list(results.ravel()), x.ravel())
    assert sorted(set(got)) == [0.0, 4.0]
    assert (np.array(got) > 0).sum() in (kept.sum(), (~kept).sum())
    assert not wanted(f.program.program).of(draw.array).any()


def test_running_statistics_are_results_without_a_gradient() -> None:
    norm = nn.BatchNorm1d(2)
    x = np.random.default_rng(0).normal(size=(5, 2))
    before = norm.running_mean.copy()
    program, numbers = called(lambda x: norm(x).sum(), (x,))
    mean, var = (np.array(numbers[w.view.array.name]) for w in program.statistics)
    np.testing.assert_allclose(mean, norm.running_mean, rtol=1e-14)
    np.testing.assert_allclose(var, norm.running_var, rtol=1e-14)
    assert not (norm.running_mean == before).all()
    names = {step.out.array.name for step in adjoint(program, [0])}
    assert not any("running" in name for name in names)


# --- expressions ----------------------------------------------------------------------------------

COMPOSED: dict[str, tuple[int, Any]] = {
    "a square": (1, lambda x: x * x),
    "tanh of a product": (2, lambda x, y: ops.tanh(x * y) + x),
    "an exponential of a maximum": (2, lambda x, y: ops.exp(ops.maximum(x, y)) * y),
    "where": (3, lambda c, a, b: ops.where(ops.greater(c, 0.0), a * b, a + b)),
    "a root of a sum": (2, lambda x, y: ops.sqrt(x * x + y * y + 1.0) ** 3),
    "gelu of a quotient": (2, lambda x, y: ops.gelu(x / (y * y + 1.0)) - x),
    "a detached factor": (2, lambda x, y: ops.detach(x * y) * y),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_an_expression_of_several_rows_is_differentiated_through(name: str) -> None:
    """One step that computes it all, against the graph of Values."""
    count, f = COMPOSED[name]
    numbers = np.random.default_rng(0).normal(size=(count, 5))
    arrays = [Array(f"x{k}", (5,), "argument") for k in range(count)]
    out = Array("y", (5,), "result")
    value = f(*map(Read, range(count)))
    step = Step((5,), View(out, 0, (1,)), value, tuple(View(a, 0, (1,)) for a in arrays))
    window = Window((5,), View(out, 0, (1,)))
    arguments = tuple(Argument(a, True) for a in arrays)
    program = Program("f", arguments, (), (), (), (step,), (window,), (), {})
    backward = adjoint(program, [0])
    check(program, backward)
    buffers = {a.name: x.tolist() for a, x in zip(arrays, numbers, strict=True)}
    buffers[seed(program, 0).name] = [1.0, -2.0, 0.5, 3.0, 1.0]
    reference.run((*program.forward, *backward), buffers)
    values = [leaves(x) for x in numbers]
    results = np.frompyfunc(f, count, 1)(*values)
    np.testing.assert_allclose(buffers["y"], [v.data for v in results], rtol=1e-15)
    want = grads([v * s for v, s in zip(results, buffers["seed_1"], strict=True)], np.ravel(values))
    got = [g for a in arrays for g in buffers[gradient(a).name]]
    np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-15)


def test_a_row_is_asked_with_what_it_has_computed() -> None:
    (part,) = pushed(Apply(ops.tanh, (Read(0),)), Read(2), Read(1)).values()
    assert str(part) == "((1.0 - ($1 * $1)) * $2)"
    (part,) = pushed(Apply(ops.mul, (Read(0), Read(0))), Read(1)).values()
    assert str(part) == "(($0 * $1) * 2.0)"


def test_nothing_flows_into_what_nobody_wants() -> None:
    program = program_of(lambda x: sum(v * v for v in x), np.arange(3.0))
    assert adjoint(program, [0]) == ()


@pytest.mark.parametrize("combine", [ops.add, ops.maximum], ids=["sum", "maximum"])
def test_of_two_operands_only_the_wanted_one_gets_a_gradient(combine: Any) -> None:
    x, w = Array("x", (4, 3), "argument"), Array("w", (3,), "argument")
    out = View(Array("t", (4,), "result"), 0, (1, 0))
    reads = (View(x, 0, (3, 1)), View(w, 0, (0, 1)))
    step = Step((4, 3), out, Apply(ops.mul, (Read(0), Read(1))), reads, combine)
    result = Window((4,), View(out.array, 0, (1,)))
    asked = (Argument(x, False), Argument(w, True))
    program = Program("f", asked, (), (), (), (step,), (result,), (), {})
    written = {made.out.array.name for made in adjoint(program, [0])}
    assert "d_w" in written
    assert "d_x" not in written


# --- first writes ---------------------------------------------------------------------------------

D = Array("d_x", (6,), "gradient")


def add_to(base: int, n: int) -> Step:
    return Step((n,), View(D, base, (1,)), 1.0, accumulate=True)


def test_the_first_contribution_is_written_and_the_next_added() -> None:
    first, second = first_writes([add_to(0, 6), add_to(0, 6)], [D])
    assert (first.accumulate, second.accumulate) == (False, True)


def test_what_stays_empty_is_filled_before() -> None:
    fill, first = first_writes([add_to(0, 4)], [D])
    assert (str(fill), first.accumulate) == ("i<2                  d_x[4 + 1*i] = 0.0", False)
    fill, first, second = first_writes([add_to(0, 4), add_to(2, 4)], [D])
    assert (first.accumulate, second.accumulate) == (False, True)
    assert str(fill.out) == "d_x[4 + 1*i]"


def test_places_that_repeat_are_filled_and_added_to() -> None:
    both = Step((2,), View(D, 0, (1,), np.array([3, 3])), 1.0, accumulate=True)
    *fills, step = first_writes([both], [])
    assert [str(fill.out) for fill in fills] == ["d_x[3 + 1*i]"]
    assert step.accumulate


def test_parameters_are_always_filled() -> None:
    w = Array("w", (2,), "parameters")
    program = Program("f", (), (Parameters(w, 0),), (), (), (), (), (), {})
    assert [str(step) for step in adjoint(program, [])] == ["i<2                  d_w[1*i] = 0.0"]

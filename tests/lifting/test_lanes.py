"""`links.py`, `scans.py`: recurrences that go in lockstep are the lanes of one instruction."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
import torch
from executing import SHIPPED, called, program_of
from hypothesis import given, settings
from hypothesis import strategies as st
from taped import taped
from test_scans import STEPS, chained, gradients
from test_text import text_equals_steps
from versus_torch import agree

from micrograd import Value, lift, ops, values
from micrograd.lifting.fuse import fuse
from micrograd.lifting.layout import Instruction
from micrograd.lifting.run import reference
from micrograd.lifting.scans import LANES_SHORTEST, SHORTEST
from micrograd.lifting.schedule import schedule
from micrograd.lifting.steps import reached as steps_reached
from micrograd.lifting.steps.adjoint import adjoint
from micrograd.lifting.steps.checks import check
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.walks import is_recurrence, lanes, passed_on

N = SHORTEST + 6
Rows = list[list[Any]]


def row_after_row(step: Callable[..., Any], rows: Any, w: Any) -> Rows:
    """h = step(h, x, w) along each row, one row after the other."""
    return [chained(step)(row, w) for row in rows]


def side_by_side(step: Callable[..., Any], rows: Any, w: Any) -> Rows:
    """The same, element after element of all rows."""
    h = [w[0] for _ in rows]
    found = []
    for column in zip(*rows, strict=True):
        h = [step(last, x, w) for last, x in zip(h, column, strict=True)]
        found.append(h)
    return [list(row) for row in zip(*found, strict=True)]


ORDERS = {"row after row": row_after_row, "side by side": side_by_side}


def instructions(function: Callable[..., Any], *args: Any) -> list[Instruction]:
    tape, outputs = taped(function, *args)
    return schedule(tape, fuse(tape, outputs), {})[0].instructions


def scans_of(function: Callable[..., Any], *args: Any) -> list[tuple[int, ...]]:
    """The loops of each scan."""
    return [one.out.shape for one in instructions(function, *args) if one.kind == "scan"]


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) / 2


# --- finding them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("count", [2, 10])
def test_lanes_are_one_instruction(name: str, order: str, count: int) -> None:
    def function(x: Any, w: Any) -> Rows:
        return ORDERS[order](STEPS[name], x, w)

    ((turns, width),) = scans_of(function, ones(count, N), ones(3))
    assert width == count and N - 2 <= turns <= N  # the first may read the start twice
    assert len(instructions(function, ones(count, N), ones(3))) <= 9


def test_the_running_sums_of_a_matrix_are_one_instruction() -> None:
    def loops(x: Any) -> list[Any]:
        return [partial for row in x for partial in accumulate(row)]

    assert [one.kind for one in instructions(loops, ones(20, 30))] == ["map", "scan"]
    for axis, shape in [(0, (30, 20)), (1, (20, 30))]:
        found = instructions(lambda x, k=axis: np.cumsum(x, axis=k), ones(*shape))
        assert [one.kind for one in found] == ["map", "scan"]


def test_a_short_chain_of_lanes_stays_as_it_is() -> None:
    for turns, wanted in [
        (LANES_SHORTEST + 1, []),
        (LANES_SHORTEST + 2, [(LANES_SHORTEST + 1, 3)]),
    ]:
        assert scans_of(lambda x: [list(accumulate(row)) for row in x], ones(3, turns)) == wanted


def test_lanes_that_end_early_leave_the_others_right_and_few() -> None:
    def function(x: Any) -> list[Any]:
        lengths = [2 * N, N, 2 * N, N]
        return [
            partial for row, n in zip(x, lengths, strict=True) for partial in accumulate(row[:n])
        ]

    assert sorted(scans_of(function, ones(4, 2 * N))) == [(N - 1, 4), (N, 2)]


def test_lanes_that_read_one_another_are_no_scan() -> None:
    def mixing(x: Any) -> list[Any]:
        h = list(x[0])
        for row in x[1:]:
            h = [a + 0.5 * b + v for a, b, v in zip(h, h[1:] + h[:1], row, strict=True)]
        return h

    def changing(x: Any) -> list[Any]:
        h = list(x[0])
        for row in x[1:]:
            h = [a * v for a, v in zip(h[1:] + h[:1], row, strict=True)]
        return h

    for function in (mixing, changing):
        assert not scans_of(function, ones(N, 5))
        assert_right(function, numbers(N, 5))


def test_what_comes_back_from_another_lane_is_no_scan() -> None:
    def around(x: Any) -> list[Any]:
        h, found = list(x[0]), []
        for row in x[1:]:
            g = [ops.sin(a) for a in h]
            found += g
            h = [a * v + b for a, b, v in zip(h, reversed(g), row, strict=True)]
        return found

    assert not scans_of(around, ones(N, 4))
    assert_right(around, numbers(N, 4))


def test_what_is_returned_of_one_lane_stays_apart() -> None:
    def function(x: Any) -> list[Any]:
        h, found = list(x[0]), []
        for row in x[1:]:
            inner = [a * v for a, v in zip(h, row, strict=True)]
            found.append(inner[1])
            h = [ops.tanh(a) for a in inner]
        return [*h, *found]

    assert not [shape for shape in scans_of(function, ones(N, 3)) if len(shape) == 2]
    assert_right(function, numbers(N, 3))


ONCE = ["an autoregression", "one that reads", "a recurrent unit", "a weight that is no number"]


@pytest.mark.parametrize("executor", SHIPPED)
@pytest.mark.parametrize("lanes", [1, 3, 10])
@pytest.mark.parametrize("name", ONCE)
def test_a_recurrence_of_which_only_the_last_numbers_count(
    name: str, lanes: int, executor: str
) -> None:
    """Each link is read by the next one alone: of a sentence only the last state is used."""

    def function(rows: Any, w: Any) -> Any:
        states = side_by_side(STEPS[name], rows, w)
        return sum((w[2] * row[-1] - 1.0) ** 2 for row in states)

    found = instructions(function, ones(lanes, N), ones(3))
    scans = [one for one in found if one.kind == "scan"]
    assert len(scans) == 1 and scans[0].out.shape[0] >= N - 2
    assert len(found) <= 12
    assert_right(function, numbers(lanes, N), numbers(3, seed=1), executor=executor)


def test_the_border_of_a_table_is_one_instruction() -> None:
    """Soft-DTW: the first row and the first column are two running sums in lockstep."""

    def soft(x: Any, y: Any) -> Any:
        table: Rows = []
        for i in range(len(x)):
            table.append([])
            for j in range(len(y)):
                near = [(i - 1, j), (i, j - 1), (i - 1, j - 1)]
                before = [table[a][b] for a, b in near if a >= 0 and b >= 0]
                cost = (x[i] - y[j]) ** 2
                if len(before) > 1:
                    cost = cost - sum((-v).exp() for v in before).log()
                table[i].append(cost + before[0] if len(before) == 1 else cost)
        return table[-1][-1]

    found = instructions(soft, ones(24), ones(24))
    assert [one.out.shape for one in found if one.kind == "scan"] == [(23, 2)]
    assert len(found) <= 4 * 45 + 8
    assert_right(soft, numbers(15), numbers(15, seed=1))


# --- right, forward and backward ------------------------------------------------------------------


def assert_right(function: Callable[..., Any], *arrays: np.ndarray, executor: str = "numpy",
                 which: Any = None) -> None:  # fmt: skip
    """Lifted and eager agree in all results, and in the gradient of a mixture of them."""
    mine, theirs = ([values(a) for a in arrays] for _ in range(2))
    with np.errstate(all="ignore"):
        lifted = lift(lambda: function(*theirs), executor=executor)
        lifted()
        pairs = []
        for found in (function(*mine), lifted()):
            flat = np.ravel(np.asarray(found, dtype=object))
            chosen = range(len(flat)) if which is None else which
            sum((0.5 + k) * flat[k] for k in chosen).backward()
            pairs.append([float(v.data) for v in flat])
        np.testing.assert_allclose(pairs[1], pairs[0], rtol=1e-11, atol=1e-13)
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(gradients(b.flat), gradients(a.flat), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("executor", SHIPPED)
@pytest.mark.parametrize("count", [2, 7])
@pytest.mark.parametrize("name", STEPS)
def test_lanes_are_right(name: str, count: int, executor: str) -> None:
    def function(x: Any, w: Any) -> list[Any]:
        return [v for row in row_after_row(STEPS[name], x, w) for v in row]

    assert_right(function, numbers(count, N), numbers(3, seed=1), executor=executor)


@pytest.mark.parametrize("executor", SHIPPED)
@pytest.mark.parametrize("name", ["a running sum", "a running product", "a recurrent unit"])
def test_many_lanes_are_right(name: str, executor: str) -> None:
    def function(x: Any, w: Any) -> list[Any]:
        return [v for row in side_by_side(STEPS[name], x, w) for v in row]

    assert_right(function, numbers(70, N), numbers(3, seed=1), executor=executor)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("executor", SHIPPED)
@pytest.mark.parametrize("name", ["a running sum", "a running product", "a recurrent unit"])
def test_what_no_gradient_reaches_passes_nothing_on(name: str, executor: str, bad: float) -> None:
    """Two lanes are read at different links; behind one of them, an infinity."""
    x = numbers(3, N)
    x[0, 8] = x[2, 2] = bad

    def function(x: Any, w: Any) -> list[Any]:
        return [v for row in row_after_row(STEPS[name], x, w) for v in row]

    for which in ([5, 2 * N - 1], [5], [3, 5, N + 2], None):
        assert_right(function, x, numbers(3, seed=1), executor=executor, which=which)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_lanes_agree_with_eager(data: Any) -> None:
    """Rows of any lengths, in either order of the loops, of which any numbers are results."""
    name = data.draw(st.sampled_from(sorted(STEPS)))
    lengths = data.draw(st.lists(st.sampled_from([N, N, N + 3, 4, 1]), min_size=1, max_size=5))
    together = data.draw(st.booleans()) and len(set(lengths)) == 1
    x = numbers(len(lengths), max(lengths), seed=data.draw(st.integers(0, 9)))
    chosen = st.tuples(st.integers(0, len(lengths) - 1), st.integers(0, min(lengths) - 1))
    places = data.draw(st.none() | st.lists(chosen, min_size=1, max_size=4))

    def function(x: Any, w: Any) -> list[Any]:
        rows = [row[:n] for row, n in zip(x, lengths, strict=True)]
        order = side_by_side if together else row_after_row
        found = order(STEPS[name], rows, w)
        if places is None:
            return [v * v for row in found for v in row]
        return [found[a][b] for a, b in places]

    assert_right(function, x, numbers(3, seed=1))


@pytest.mark.parametrize("axis", [0, 1])
def test_pytorch_computes_the_same(axis: int) -> None:
    def cumulative(x: Any) -> Any:
        return np.cumsum(x, axis=axis)

    x = numbers(N, N + 1)
    agree(lambda x: lift(lambda: cumulative(x))(), lambda x: torch.cumsum(x, axis), x)
    agree(lambda x: lift(lambda: np.cumprod(x, axis=axis))(), lambda x: x.cumprod(axis), x)


@pytest.mark.parametrize("executor", SHIPPED)
def test_lanes_extend_to_any_batch(executor: str) -> None:
    """The number of lanes is the size of the batch."""
    weight = Value(0.5)

    def loss(x: Any) -> Any:
        rows = [chained(lambda h, v, w: ops.tanh(h * w[0] + v))(row, [weight]) for row in x]
        return sum(v * v for row in rows for v in row) / len(x)

    lifted = lift(loss, batched=("x",), executor=executor)
    for count in (5, 2, 9, 80):
        x = numbers(count, N, seed=count)
        lifted(x).backward()
        found, weight.grad = weight.grad, 0.0
        want = loss(x)
        want.backward()
        assert lifted(x).data == pytest.approx(want.data, rel=1e-12)
        assert found == pytest.approx(weight.grad, rel=1e-11)
        weight.grad = 0.0


def test_a_recorded_batch_is_one_scan_at_every_size() -> None:
    lifted = lift(lambda x: np.array([list(accumulate(row)) for row in x]), batched=("x",))
    for count in (5, 30):
        lifted(numbers(count, N))
        forward = lifted.program.program.forward
        ((turns, width),) = [step.loops for step in forward if is_recurrence(step)]
        assert (turns, width) == (N - 1, count)


# --- steps, and their text ------------------------------------------------------------------------


@pytest.mark.parametrize("name", STEPS)
def test_steps_of_lanes_are_sound(name: str) -> None:
    def function(x: Any, w: Any) -> Rows:
        return row_after_row(STEPS[name], x, w)

    program = program_of(function, values(numbers(3, N)), values(numbers(3)))
    check(program, adjoint(program, range(len(program.results))))
    masks = {k: k in (2, N + 7) for k in range(len(program.results))}
    check(program, adjoint(program, {k: True for k, on in masks.items() if on}))


@pytest.mark.parametrize("name", STEPS)
def test_the_text_of_lanes_runs(name: str) -> None:
    def function(x: Any, w: Any) -> Rows:
        return row_after_row(STEPS[name], x, w)

    text_equals_steps(function, (values(numbers(3, N)), values(numbers(3))))


def test_the_text_of_lanes_is_short() -> None:
    lifted = lift(lambda x: [list(accumulate(row)) for row in x])
    lifted(ones(4, N))
    assert f"for s in range({N - 1}): t1[s + 1] = t1[s] + x[:, s + 1]" in str(lifted.program)


def test_lanes_of_a_step_are_the_loops_along_which_nothing_is_passed_on() -> None:
    array = Array("h", (6, 4), "result")
    out, last = View(array, 4, (4, 1)), View(array, 0, (4, 1))
    assert lanes(Step((5, 4), out, 0.0, (last,))) == [1]
    assert lanes(Step((5, 4), out, 0.0, (View(array, 1, (4, 1)),))) == []  # its neighbour's
    assert lanes(Step((5, 4), out, 0.0, (View(array, 3, (4, 1)),))) == []
    flipped = View(array, 3, (4, -1))
    assert lanes(Step((5, 4), out, 0.0, (flipped,))) == []
    assert lanes(Step((1, 1), out, 0.0, (last,))) == []
    assert lanes(Step((4, 5), View(array, 4, (1, 4)), 0.0, (View(array, 0, (1, 4)),))) == [0]


def test_what_is_passed_on_stays_in_its_lane() -> None:
    array = Array("h", (6, 2), "result")
    step = Step((5, 2), View(array, 2, (2, 1)), 0.0, (View(array, 0, (2, 1)),))
    which = np.zeros((5, 2), dtype=bool)
    which[1, 0] = which[3, 1] = True
    assert passed_on(which, step).T.tolist() == [[False] + [True] * 4, [False] * 3 + [True] * 2]
    back = passed_on(which, step, backwards=True)
    assert back.T.tolist() == [[True] * 2 + [False] * 3, [True] * 4 + [False]]


def reached() -> np.ndarray:
    """The gradient of rows of products, of the 6th number of one and the last of the other."""
    x = numbers(2, N)
    x[0, 8] = np.inf
    program, found = called(
        lambda x: [v for row in x for v in accumulate(row, ops.mul)], (values(x),)
    )
    asked = np.zeros(2 * N, dtype=bool)
    asked[[5, -1]] = True
    found["seed_1"] = asked.astype(float).tolist()
    steps = adjoint(program, {0: asked})
    check(program, steps)
    reference.run(steps, found)
    return np.array(found["d_x"]).reshape(2, N)


def test_no_gradient_leaves_its_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reached()
    assert np.isfinite(found).all() and found[0, 5] and not found[0, 6:].any()
    # the planted fault: a turn counts as reached if a later one of any lane is
    monkeypatch.setattr(
        steps_reached,
        "passed_on",
        lambda which, step, backwards: np.broadcast_to(
            np.logical_or.accumulate(which[::-1].any(axis=1, keepdims=True))[::-1], which.shape
        ),
    )
    assert np.isnan(reached()).any()

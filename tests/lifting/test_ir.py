"""View, Step, Program: how they print, and that `check` finds every kind of fault.

Covers `steps/arrays.py`, `checks.py`, `expression.py`, `ir.py`, `lower.py`, `reading.py` and
`walks.py`.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_programs import Sample, expressions, leaves, loops

from benchmarks import instruction_counts
from micrograd import functional, lift, nn, ops
from micrograd.lifting.steps.adjoint import adjoint
from micrograd.lifting.steps.checks import Fault, check
from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.steps.ir import Argument, Array, Program, Step, View, Window
from micrograd.lifting.steps.walks import dense, is_recurrence, moving, standing, walk

X = Array("X", (4, 3), "argument")
W = Array("w", (3,), "argument")
T = Array("t", (4,), "result")
SUM = Step(  # t[i] = sum over j of X[i, j] * w[j]
    (4, 3),
    View(T, 0, (1, 0)),
    Apply(ops.mul, (Read(0), Read(1))),
    (View(X, 0, (3, 1)), View(W, 0, (0, 1))),
    ops.add,
    replaces=20,
)
SHIFT = Step((4,), View(T, 0, (1,)), 1.0, accumulate=True)


def program(*steps: Step, results: tuple[Window, ...] = ()) -> Program:
    arguments = (Argument(X, True), Argument(W, False))
    return Program("f", arguments, (), (), (), steps, results, (), {})


# --- as data --------------------------------------------------------------------------------------


def test_a_step_prints_on_one_line() -> None:
    assert str(SUM) == "i<4 j<3              t[1*i] = sum of (X[3*i + 1*j] * w[1*j])"
    assert str(SHIFT) == "i<4                  t[1*i] += 1.0"
    assert str(Step((), View(T, 2, ()), 0.5)) == "once                 t[2] = 0.5"


def test_a_view_prints_its_list_and_its_index() -> None:
    letters = View(Array("letters", (5,), "argument"), 0, (1, 0))
    table = View(X, 0, (0, 1), None, letters, 3, 4)
    assert str(table) == "X[1*j + 3*letters[1*i]]"
    assert str(View(X, 0, (1,), np.array([3, 1]))) == "X[list of 2: 1*i]"
    assert str(View(X, 7, (3, -1))) == "X[7 + 3*i + -1*j]"


def test_a_program_prints_as_a_list() -> None:
    assert str(program(SUM, SHIFT)).splitlines() == [
        "# f: 20 scalar nodes -> 2 steps",
        str(SUM),
        str(SHIFT),
    ]


def test_a_program_lists_its_values_once() -> None:
    assert program(SUM, SHIFT).values == (X, W, T)


def test_steps_are_frozen_and_compare_by_what_they_say() -> None:
    with pytest.raises(FrozenInstanceError):
        SUM.loops = (1,)  # type: ignore[misc]
    places = np.array([0, 2])
    assert View(X, 0, (1,), places) == View(X, 0, (1,), places.copy())
    assert View(X, 0, (1,), places) != View(X, 0, (1,), places[::-1].copy())
    assert replace(SUM) == SUM
    assert hash(SUM.reads[0]) == hash(View(X, 0, (3, 1)))


def test_a_program_can_be_pickled() -> None:
    w = leaves(np.arange(6.0).reshape(2, 3))
    found = backward_checks(
        lambda x, i: functional.cross_entropy((x @ w) ** 3, i), np.ones((4, 2)), np.zeros(4, int)
    )
    again = pickle.loads(pickle.dumps(found))
    assert str(again) == str(found)
    assert again.forward == found.forward
    assert adjoint(again, [0]) == adjoint(found, [0])


def test_views_walk_shift_and_turn() -> None:
    view = View(X, 1, (3, 1))
    assert walk(view, (2, 2)).tolist() == [[1, 2], [4, 5]]
    assert walk(view.shifted((1, 0)), (2, 2)).tolist() == [[4, 5], [7, 8]]
    assert walk(view.backwards((2, 2), [1]), (2, 2)).tolist() == [[2, 1], [5, 4]]
    assert walk(view.along([1]), (2,)).tolist() == [1, 2]
    still = View(X, 1, (0, 1))
    assert walk(still, (9, 2)).tolist() == [[1, 2]]
    assert (moving(still, (9, 2)), standing(still, (9, 2))) == ([1], [0])
    assert dense((4, 3, 2)) == (6, 2, 1)


def test_an_index_turns_and_shifts_with_its_view() -> None:
    letters = View(Array("letters", (4,), "argument"), 0, (1,))
    table = View(X, 0, (3,), None, letters, 1, 3)
    assert table.shifted((2,)).index == letters.shifted((2,))
    assert walk(table.backwards((4,), [0]).index, (4,)).tolist() == [3, 2, 1, 0]
    assert walk(table, (2,)).tolist() == [[0, 1, 2], [3, 4, 5]]


# --- check ----------------------------------------------------------------------------------------


def test_check_accepts_what_is_sound() -> None:
    check(program(SUM, SHIFT, results=(Window((4,), View(T, 0, (1,))),)))


def scan(base: int, out: int) -> Step:
    """t[i + out] = t[i + base] * 2, for three turns."""
    value = Apply(ops.mul, (Read(0), 2.0))
    return Step((3,), View(T, out, (1,)), value, (View(T, base, (1,)),))


FIRST = Step((), View(T, 0, ()), 1.0)
OTHER = Array("X", (99,), "argument")
INDEX = Array("index", (4,), "result")
FAULTS: dict[str, tuple[str, Callable[[], Program]]] = {
    "a read beyond its array": (
        "goes to place 12 of 12",
        lambda: program(replace(SUM, reads=(View(X, 1, (3, 1)), SUM.reads[1]))),
    ),
    "a read before its array": (
        "goes to place -1 of 3",
        lambda: program(replace(SUM, reads=(SUM.reads[0], View(W, -1, (0, 1))))),
    ),
    "a write beyond its array": (
        "goes to place 4 of 4",
        lambda: program(replace(SUM, out=View(T, 1, (1, 0)))),
    ),
    "a list that leads out of its array": (
        "goes to place 12 of 12",
        lambda: program(
            Step((2,), View(T, 0, (1,)), Read(0), (View(X, 0, (1,), np.array([0, 12])),))
        ),
    ),
    "a walk beyond its list": (
        "goes to place 2 of 2",
        lambda: program(
            Step((3,), View(T, 0, (1,)), Read(0), (View(X, 0, (1,), np.array([0, 1])),))
        ),
    ),
    "a row beyond its table": (
        "goes to place 12 of 12",
        lambda: program(
            Step((3,), View(T, 0, (1,)), Read(0), (View(X, 0, (0,), None, View(W, 0, (1,)), 3, 5),))
        ),
    ),
    "a table without rows": (
        "chooses among 0 rows",
        lambda: program(
            Step((3,), View(T, 0, (1,)), Read(0), (View(X, 0, (0,), None, View(W, 0, (1,)), 3),))
        ),
    ),
    "an index that nobody has written": (
        r"index\[1\*i\] is read before it is written",
        lambda: program(
            Step(
                (4,),
                View(T, 0, (1,)),
                Read(0),
                (View(X, 0, (0,), None, View(INDEX, 0, (1,)), 3, 4),),
            )
        ),
    ),
    "too few strides": (
        "has 1 strides for 2 loops",
        lambda: program(replace(SUM, reads=(SUM.reads[0], View(W, 0, (1,))))),
    ),
    "an operand too many": (
        "operand 2 is none of its 2 reads",
        lambda: program(replace(SUM, value=Apply(ops.mul, (Read(0), Read(2))))),
    ),
    "an input too few": (
        "takes 2 inputs, got 1",
        lambda: program(replace(SUM, value=Apply(ops.mul, (Read(0),)))),
    ),
    "a read too early": ("is read before it is written", lambda: program(scan(0, 1))),
    "a read of a part that is not written": (
        "is read before it is written",
        lambda: program(
            replace(SUM, loops=(2, 3)), Step((), View(T, 3, ()), Read(0), (View(T, 2, ()),))
        ),
    ),
    "a recurrence that reads ahead": (
        "is read before it is written",
        lambda: program(FIRST, scan(1, 1)),
    ),
    "an addition to nothing": ("is added to before it is written", lambda: program(SHIFT)),
    "a second writer": ("is written a second time", lambda: program(SUM, SUM)),
    "loops that overlap": (
        "writes one place twice",
        lambda: program(replace(SUM, loops=(2, 3), out=View(T, 0, (1, 1)))),
    ),
    "a list with a place twice": (
        "writes one place twice",
        lambda: program(Step((2,), View(T, 0, (1,), np.array([3, 3])), 0.0)),
    ),
    "an index without accumulate": (
        "may write one place twice",
        lambda: program(Step((3,), View(T, 0, (0,), None, View(W, 0, (1,)), 1, 4), 0.0)),
    ),
    "a sum without combine": (
        "nothing says how to combine",
        lambda: program(replace(SUM, combine=None)),
    ),
    "a write to what is given": (
        "X is given, and no step may write it",
        lambda: program(Step((), View(X, 0, ()), 0.0)),
    ),
    "two arrays of one name": (
        "there are two arrays of the name X",
        lambda: program(replace(SUM, reads=(View(OTHER, 0, (3, 1)), SUM.reads[1]))),
    ),
    "a result that nobody writes": (
        "is never written",
        lambda: program(SUM, results=(Window((), View(INDEX, 0, ())),)),
    ),
    "a result beyond its array": (
        "goes to place 4 of 4",
        lambda: program(SUM, results=(Window((5,), View(T, 0, (1,))),)),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_check_finds(fault: str) -> None:
    message, planted = FAULTS[fault]
    with pytest.raises(Fault, match=message):
        check(planted())


def test_a_recurrence_may_read_what_its_earlier_turns_wrote() -> None:
    check(program(FIRST, scan(0, 1)))
    assert is_recurrence(scan(0, 1))
    assert not is_recurrence(SUM)


def test_a_fault_names_the_step() -> None:
    with pytest.raises(Fault) as fault:
        check(program(SUM, SUM))
    assert str(fault.value).endswith(str(SUM))


# --- lowering -------------------------------------------------------------------------------------


def backward_checks(function: Any, *args: Any, **options: Any) -> Program:
    f = lift(function, **options)
    f(*args)
    found = f.program.program
    check(found, adjoint(found, range(len(found.results))))
    return found


@pytest.mark.slow
@settings(
    max_examples=150,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.one_of(loops(), expressions()))
def test_random_programs_are_sound_forward_and_backward(sample: Sample) -> None:
    with np.errstate(all="ignore"):
        backward_checks(lambda *args: sample.function(sample.parameters, *args), *sample.calls[0])


@pytest.mark.slow
@pytest.mark.parametrize("how", ["with_layers", "with_loops"])
@pytest.mark.parametrize("network", instruction_counts.CASES)
def test_the_benchmarks_networks_are_sound_and_short(network: str, how: str) -> None:
    module = import_module(f"benchmarks.models.{network}")
    small = {"embedding": 3, "hidden": 5} if network == "wavenet" else {}
    small = {"hidden": 12} if network == "makemore" else small
    found = backward_checks(getattr(module, how)(module.numbers(**small)).loss,
                            *instruction_counts.batch(network))  # fmt: skip
    copies = [step for step in found.forward if step.out.array.name.startswith("joined")]
    assert len(found.forward) - len(copies) <= 1.25 * instruction_counts.read()[network]["limit"]
    if (network, how) != ("gpt", "with_loops"):  # ragged rows, padded with a constant
        assert not copies


def test_a_short_sum_over_several_arrays_is_written_out() -> None:
    norm = nn.BatchNorm1d(3)
    found = backward_checks(lambda x: norm(x).sum(), np.arange(12.0).reshape(4, 3) ** 2)
    lines = [str(step) for step in found.forward if "running" in str(step)]
    assert len(lines) == 2
    assert lines[0].endswith("= ((running_mean_1[1*i] * 0.9) + (t2[1*i] * 0.1))")


def test_neighbouring_results_that_are_read_together_are_one_array() -> None:
    found = backward_checks(
        lambda x: sum(v * 2 for v in [*[a * a for a in x], *[a + 1.0 for a in x]]), np.arange(3.0)
    )
    writers = [step.out.array for step in found.forward]
    assert any(writers.count(array) == 2 for array in writers)


def test_what_is_scattered_over_arrays_is_copied_to_one() -> None:
    w = leaves(np.arange(3.0))
    found = backward_checks(
        lambda x, i: functional.take([x[0], w[1], 0.5], i), np.ones(1), np.array(2)
    )
    joined = [step for step in found.forward if step.out.array.name == "joined_1"]
    assert [str(step.value) for step in joined] == ["0.5", "$0", "$0"]
    assert {v.array.name for step in joined for v in step.reads} == {"x", "w_1"}


def test_parameters_that_are_read_together_are_one_array() -> None:
    w = leaves(np.arange(6.0).reshape(2, 3))
    b = leaves(np.arange(2.0))
    found = backward_checks(lambda x: functional.linear(x, w, b), np.ones((4, 3)))
    assert [(p.array.name, p.array.size) for p in found.parameters] == [("w", 6), ("b", 2)]
    assert found.names["b"] == ("b.0", "b.1")


def test_constants_are_arrays_with_numbers_or_written_in() -> None:
    table = np.arange(6.0).reshape(2, 3) ** 2
    found = backward_checks(lambda x: (x * table + 0.25).sum(), np.ones((2, 3)))
    (constant,) = found.constants
    assert constant.numbers.ravel().tolist() == table.ravel().tolist()
    assert "0.25" in str(found)

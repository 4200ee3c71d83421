"""`tape.py`: three typed columns, lists that nodes share, and a line a node when printed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from taped import taped

from micrograd import Value, functional, nn, ops
from micrograd.lifting.rows import QUOTIENT
from micrograd.lifting.tape import (
    CONSTANT,
    DOT,
    INPUT,
    INTEGER,
    MANY,
    NONE,
    PARAMETER,
    STATE,
    TAKE,
    Kind,
    Tape,
)
from micrograd.op import Op

w = Value(2.0)
layer = nn.Linear(3, 2, rng=0)


def everything(x: Any, i: Any, v: Any) -> Any:
    """A function that makes a node of each kind."""
    dropped = nn.Dropout(0.5, rng=0)(x)
    chosen = functional.take(np.array([w, x[0]], dtype=object), i)
    return [layer(x).sum() * 2.0, chosen / v, ops.where(x[0], w, v), sum(dropped), ops.tanh(v) ** 2]


ARGUMENTS = (np.ones(3), np.int64(1), Value(3.0))


def test_the_columns_are_typed() -> None:
    tape, _ = taped(everything, *ARGUMENTS)
    assert len(tape.kinds) == len(tape.lefts) == len(tape.rights) == len(tape)
    assert {type(kind) for kind in tape.kinds} == {Kind, Op, type(QUOTIENT)}
    assert {type(left) for left in tape.lefts} == {type(right) for right in tape.rights} == {int}
    kinds = {CONSTANT, DOT, INPUT, INTEGER, PARAMETER, STATE, TAKE}
    assert kinds == {kind for kind in tape.kinds if isinstance(kind, Kind)}


def test_inputs_stand_before_what_is_made_of_them() -> None:
    tape, _ = taped(everything, *ARGUMENTS)
    leaves = {CONSTANT, INPUT, INTEGER, PARAMETER, STATE}
    for i, kind in enumerate(tape.kinds):
        inputs = tape.inputs(i)
        assert (not inputs) is (kind in leaves)
        assert all(0 <= place < i for place in inputs)
        if isinstance(kind, Op):
            assert len(inputs) == kind.arity


def test_it_prints_a_line_a_node() -> None:
    def f(x: Any, i: Any, v: Any) -> Any:
        a = functional.take(np.array([w, x[0]], dtype=object), i)
        return ops.tanh(a * 2.0) + v, ops.where(x[1], w, v)

    tape, outputs = taped(f, np.ones(2), np.int64(1), Value(3.0))
    assert str(tape).splitlines() == [
        " 0 input of argument 0",
        " 1 input of argument 0",
        " 2 integer of argument 1",
        " 3 input of argument 2",
        " 4 parameter 0",
        " 5 take([4, 0], 2)",
        " 6 constant 2.0",
        " 7 5 * 6",
        " 8 tanh(7)",
        " 9 8 + 3",
        "10 where(1, 4, 3)",
    ]
    assert outputs == [9, 10]
    assert tape.values == [w]


def test_dots_quotients_and_draws_print() -> None:
    text = str(taped(everything, *ARGUMENTS)[0])
    assert "dot([0, 1, 2], [" in text
    assert "quotient(" in text
    assert "state of draw 0" in text
    assert "**2(" in text


def test_dots_of_one_layer_share_their_lists() -> None:
    rows, columns = 5, 7
    wide = nn.Linear(50, columns, rng=0)
    tape, _ = taped(lambda X: wide(X), np.ones((rows, 50)))
    assert tape.kinds.count(DOT) == rows * columns
    assert len(tape.lists) == rows
    assert len(tape.tails) == columns
    assert all(tail.bias != NONE and len(tail.places) == 50 for tail in tape.tails)
    first = tape.kinds.index(DOT)
    lists = "[0, 1, 2, 3, ... 49: 50 places], [250, 251, 252, 253, ... 299: 50 places]"
    assert tape._shown(first) == f"dot({lists}) + 300"


@pytest.mark.parametrize("n", [59, 60, 61, 5000])
def test_long_tapes_are_summarised_in_the_middle(n: int) -> None:
    tape = Tape()
    for i in range(n):
        tape.add(INPUT, i)
    lines = str(tape).splitlines()
    assert lines[0].split() == ["0", "input", "of", "argument", "0"]
    assert lines[-1].split()[0] == str(n - 1)
    if n <= 60:
        assert len(lines) == n
    else:
        assert len(lines) == 61
        assert lines[30] == f"... {n - 60:,} more ..."


def test_equal_constants_share_a_place() -> None:
    tape = Tape()
    places = [tape.constant(x) for x in (2.0, 0.0, -0.0, math.nan, 2.0, 0.0, -0.0, math.nan)]
    assert places[:4] == places[4:]
    assert len(set(places)) == 4
    assert math.copysign(1.0, tape.number(places[2])) == -1.0
    assert tape.constant(2.0, divisor=True) not in places  # the size of a batch is no class
    assert [tape.place_of(0.0), tape.place_of(2.0), tape.place_of(3.0)] == [1, 0, NONE]


def test_a_row_of_many_inputs_names_a_list() -> None:
    tape, _ = taped(lambda a, b, c: ops.where(a, b, c), 1.0, 2.0, 3.0)
    assert tape.rights[-1] == MANY
    assert tape.inputs(len(tape) - 1) == tape.lists[tape.lefts[-1]] == (0, 1, 2)


def test_a_name_stands_for_each_kind() -> None:
    for kind in (CONSTANT, DOT, INPUT, INTEGER, PARAMETER, STATE, TAKE):
        assert repr(kind) == f"<{kind.name}>"
    assert repr(taped(lambda x: x, 1.0)[0].kinds[0]) == "<input>"

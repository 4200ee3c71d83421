"""`run/contraction.py`: the role of each loop of a sum of products; loops that are one."""

from __future__ import annotations

import pytest

from micrograd.lifting.run.contraction import Loop, merged


@pytest.mark.parametrize(
    ("strides", "role"),
    [
        ((1, 1, 1), "batch"), ((1, 0, 1), "row"), ((0, 1, 1), "column"), ((1, 1, 0), "sum"),
        ((1, 0, 0), "sum"), ((0, 1, 0), "sum"), ((0, 0, 0), "repeat"), ((0, 0, 1), "copy"),
    ],
)  # fmt: skip
def test_the_role_of_a_loop(strides: tuple[int, int, int], role: str) -> None:
    assert Loop(3, *strides).role == role


def test_neighbours_of_one_role_that_are_one_loop_in_memory_are_merged() -> None:
    assert merged([Loop(2, 12, 0, 12), Loop(3, 4, 0, 4), Loop(4, 1, 1, 0)]) == [
        Loop(6, 4, 0, 4), Loop(4, 1, 1, 0),
    ]  # fmt: skip


def test_loops_with_a_gap_between_them_stay_apart() -> None:
    loops = [Loop(2, 13, 0, 12), Loop(3, 4, 0, 4)]
    assert merged(loops) == loops


def test_a_loop_of_one_turn_is_left_out() -> None:
    assert merged([Loop(1, 5, 5, 5), Loop(4, 1, 1, 0)]) == [Loop(4, 1, 1, 0)]

"""Like nodes become instructions, read by strides: `schedule.py`, `instructions.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest
from taped import addresses, taped

from micrograd import ops
from micrograd.functional import take
from micrograd.lifting.fuse import fuse
from micrograd.lifting.layout import Instruction
from micrograd.lifting.schedule import schedule

X = np.arange(12.0).reshape(3, 4)


def instructions(function: Callable[..., Any], *args: Any) -> list[Instruction]:
    tape, outputs = taped(function, *args)
    return schedule(tape, fuse(tape, outputs), {})[0].instructions


def test_a_matrix_product_is_one_instruction_of_three_loops() -> None:
    def product(a: Any, b: Any) -> Any:
        return [[sum(x * y for x, y in zip(r, c, strict=True)) for c in b.T] for r in a]

    (found,) = instructions(product, X, X.T)
    assert (found.kind, found.out.shape, found.inner) == ("dot", (3, 3, 4), 1)
    assert [access.gather is None for access in found.operands] == [True, True]
    assert found.replaces == 9 * 7


def test_each_operand_reads_what_the_nodes_read() -> None:
    (found,) = instructions(lambda a: a[:, 1:] * a[:, :-1], X)
    left, right = (
        addresses(access.base, access.shape, access.strides) for access in found.operands
    )
    assert (left - right == 1).all()


def test_scattered_reads_are_gathered() -> None:
    places = [0, 5, 6, 1, 11, 4, 10, 2, 9]
    (found,) = instructions(lambda a: ops.tanh(a.ravel()[places]), X)
    (access,) = found.operands
    assert access.gather is not None
    assert (access.gather - access.gather[0]).tolist() == places


def test_a_few_regular_pieces_are_cut_apart_instead() -> None:
    found = instructions(lambda a: ops.tanh(np.concatenate([a[0], a[2]])), X)
    assert all(access.gather is None for one in found for access in one.operands)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_take_has_one_loop_over_its_rows(rows: int) -> None:
    for table in (lambda a: a[:rows], lambda a: a[:, :2].reshape(-1, 1)[:rows]):
        found = instructions(lambda a, i, t=table: take(t(a), i), X, np.array([0]))
        (chosen,) = [one for one in found if one.kind == "take"]
        assert (chosen.inner, chosen.out.shape[-1]) == (1, rows)


def test_rows_of_different_length_are_padded_with_what_changes_nothing() -> None:
    tape, outputs = taped(lambda a: [reduce(add, a[0, : k + 2]) for k in range(3)], X)
    layout, _ = schedule(tape, fuse(tape, outputs), {})
    assert layout.constants == [0.0]
    tape, outputs = taped(
        lambda a: [ops.maximum(a[0, 0], a[0, 1]), ops.maximum(ops.maximum(*a[1, :2]), a[1, 2])], X
    )
    assert schedule(tape, fuse(tape, outputs), {})[0].constants == [-np.inf]


def test_every_address_is_written_once() -> None:
    tape, outputs = taped(lambda a: (ops.tanh(a) * a[::-1]).sum(axis=0), X)
    layout, _ = schedule(tape, fuse(tape, outputs), {})
    written = np.concatenate(
        [
            addresses(
                one.out.base,
                one.out.shape[: len(one.out.shape) - one.inner],
                one.out.strides[: len(one.out.shape) - one.inner],
            ).ravel()
            for one in layout.instructions
        ]
    )
    assert len(set(written.tolist())) == len(written)
    assert written.max() == layout.size - 1

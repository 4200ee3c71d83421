"""Addresses, views and expressions, each held to a plain count of every address, or every place.

Covers `steps/arrays.py`, `flow.py`, `walks.py` and `expression.py`.
"""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from taped import addresses

from micrograd import ops
from micrograd.lifting.steps.arrays import Addresses
from micrograd.lifting.steps.expression import Apply, Expression, Read, reads_of, renumbered
from micrograd.lifting.steps.flow import Marks
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.walks import is_recurrence, seen, walk
from micrograd.lifting.strides import Access

SHAPES = st.lists(st.integers(1, 4), max_size=3).map(tuple)


@st.composite
def accesses(draw: st.DrawFn) -> Access:
    """Loops over a run of addresses, or over a list of them."""
    shape, listed = draw(SHAPES), draw(st.booleans())
    strides = tuple(draw(st.integers(0 if listed else -3, 3)) for _ in shape)
    if not listed:
        return Access(50, shape, strides)
    size = int(addresses(0, shape, strides).max()) + 1
    places = st.lists(st.integers(0, 99), min_size=size, max_size=size + 2)
    return Access(0, shape, strides, np.array(draw(places)))


@given(accesses())
def test_the_addresses_of_an_access_are_those_that_its_loops_visit(access: Access) -> None:
    visited = addresses(access.base, access.shape, access.strides)
    visited = visited if access.gather is None else access.gather[visited]
    found = Addresses(access)
    assert (found.low, found.high) == (visited.min(), visited.max())
    sizes = [access.shape[k] if k in found.moving else 1 for k in range(len(access.shape))]
    assert (np.broadcast_to(found.all.reshape(sizes), access.shape) == visited).all()
    for turn in range(access.shape[-1] if access.shape else 0):
        last = found.at(len(access.shape) - 1, (turn,))
        there = visited[..., turn]
        assert (last.low, last.high) == (there.min(), there.max())
        assert set(last.all.flat) == set(there.flat)
        assert set(Addresses(last.access).all.flat) == set(there.flat)  # of the access alone


@st.composite
def views(draw: st.DrawFn, count: int = 1) -> tuple[tuple[int, ...], list[View]]:
    """Loops, and views of one array of 60 elements that they walk."""
    shape, found = draw(SHAPES), []
    for _ in range(count):
        strides = tuple(draw(st.integers(-3, 3)) for _ in shape)
        walked = addresses(0, shape, strides)
        low, high = -int(walked.min()), 59 - int(walked.max())
        gather = np.array(draw(st.permutations(range(60)))) if draw(st.booleans()) else None
        array = Array("t", (60,), "result")
        found.append(View(array, draw(st.integers(low, high)), strides, gather))
    return shape, found


@given(views())
def test_what_a_view_sees_is_what_its_walk_finds(drawn: tuple[tuple[int, ...], list[View]]) -> None:
    shape, (view,) = drawn
    plain, numbers = replace(view, gather=None), np.arange(60.0)
    assert seen(numbers, plain, shape).tolist() == numbers[walk(plain, shape)].tolist()
    seen(numbers, plain, shape)[...] = -1.0
    assert set(np.flatnonzero(numbers < 0)) == set(walk(plain, shape).flat)


@given(views(2))
def test_a_step_that_reads_a_place_it_writes_is_a_recurrence(
    drawn: tuple[tuple[int, ...], list[View]],
) -> None:
    shape, (out, read) = drawn
    common = set(walk(out, shape).flat) & set(walk(read, shape).flat)
    assert is_recurrence(Step(shape, out, Read(0), (read,))) == bool(common)


@given(views(), st.data())
def test_marks_are_a_set_of_places(
    drawn: tuple[tuple[int, ...], list[View]], data: st.DataObject
) -> None:
    shape, (view,) = drawn
    marks, walked = Marks(), walk(view, shape)
    before = marks.at(view, shape)
    sizes = [data.draw(st.sampled_from([1, n])) for n in shape]
    flags = st.lists(st.booleans(), min_size=math.prod(sizes), max_size=math.prod(sizes))
    which = np.array(data.draw(flags), dtype=bool).reshape(sizes)
    marks.mark(view, shape, which)
    places = np.broadcast_to(walked, shape)[np.broadcast_to(which, shape)]
    assert np.flatnonzero(marks.of(view.array)).tolist() == sorted({*places.flat})
    assert marks.at(view, shape).tolist() == np.isin(walked, places).tolist()
    assert not before.any()  # what was asked stays as it was then


# --- expressions ----------------------------------------------------------------------------------


def doubled(times: int) -> Expression:
    """x + x, that plus itself, and so on: two to the power of `times` operands, if written out."""
    found: Expression = Read(0)
    for _ in range(times):
        found = Apply(ops.add, (found, found))
    return found


def test_parts_that_stand_in_two_places_are_looked_at_once() -> None:
    moved = renumbered(doubled(60), {0: Read(3)})
    assert isinstance(moved, Apply)
    assert moved.inputs[0] is moved.inputs[1]
    assert reads_of(moved) == [3]
    assert hash(moved) != hash(doubled(60))


def test_equal_expressions_have_one_hash_and_a_pickle_holds_none() -> None:
    one, other = doubled(3), doubled(3)
    assert one == other
    assert hash(one) == hash(other) == hash(one)
    again = pickle.loads(pickle.dumps(one))
    assert again == one
    assert not hasattr(again, "_hash")  # strings hash otherwise in another process

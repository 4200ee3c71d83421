"""Lists of addresses become loops: those that `nest` finds read the same, and it finds all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from taped import addresses

from micrograd.lifting.layout import PARAMETERS
from micrograd.lifting.strides import Loops, distinct, nest, segments, squeezed

sizes = st.lists(st.integers(1, 5), min_size=0, max_size=4)


Drawn = tuple[list[int], list[int], list[list[int]]]


@st.composite
def loops(draw: st.DrawFn) -> Drawn:
    """A shape, bases, and for each list its strides: negative, zero and overlapping ones too."""
    shape = draw(sizes)
    count = draw(st.integers(1, 3))
    stride = st.integers(-7, 7)
    strides = [
        draw(st.lists(stride, min_size=len(shape), max_size=len(shape))) for _ in range(count)
    ]
    return shape, draw(st.lists(st.integers(0, 50), min_size=count, max_size=count)), strides


def unrolled(shape: list[int], bases: list[int], strides: list[list[int]]) -> np.ndarray:
    rows = [addresses(b, shape, s).reshape(-1) for b, s in zip(bases, strides, strict=True)]
    return np.stack(rows)


@given(loops())
def test_what_loops_unroll_is_found_again(
    drawn: tuple[list[int], list[int], list[list[int]]],
) -> None:
    lists = unrolled(*drawn)
    found = nest(lists)
    assert found is not None
    shape, strides = found
    again = unrolled(list(shape), lists[:, 0].tolist(), strides.tolist())
    assert again.tolist() == lists.tolist()
    assert len(shape) <= sum(n > 1 for n in drawn[0])  # loops that are one become one
    assert all(n > 1 for n in shape)


@given(st.lists(st.lists(st.integers(0, 9), min_size=8, max_size=8), min_size=1, max_size=3))
def test_whatever_is_found_reads_the_same_addresses(rows: list[list[int]]) -> None:
    lists = np.array(rows)
    found = nest(lists)
    if found is None:
        assert not any(_factors(lists, shape) for shape in ((8,), (4, 2), (2, 4), (2, 2, 2)))
        return
    shape, strides = found
    assert unrolled(list(shape), lists[:, 0].tolist(), strides.tolist()).tolist() == rows


def _factors(lists: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether every row is base + sum of index * stride over that shape."""
    for row in lists:
        cube = row.reshape(shape)
        strides = []
        for axis in range(cube.ndim):
            step = np.diff(cube, axis=axis)
            if (step != step.flat[0]).any():
                return False
            strides.append(int(step.flat[0]))
        assert (addresses(int(row[0]), shape, strides) == cube).all()
    return True


def test_a_matrix_product_has_three_loops() -> None:
    i, j, k = np.meshgrid(range(4), range(5), range(3), indexing="ij")
    lists = np.stack(
        [(10 + 3 * i + k).ravel(), (100 + 5 * k + j).ravel(), (200 + 5 * i + j).ravel()]
    )
    shape, strides = nest(lists)  # type: ignore[misc]
    assert shape == (4, 5, 3)
    assert strides.tolist() == [[3, 0, 1], [0, 1, 5], [5, 1, 0]]


def test_rows_are_factored_together() -> None:
    lists = np.array([[0, 1, 2, 3, 4, 5], [0, 0, 1, 1, 2, 2]])
    assert nest(lists[:1])[0] == (6,)  # type: ignore[index]
    shape, strides = nest(lists)  # type: ignore[misc]
    assert (shape, strides.tolist()) == ((3, 2), [[2, 1], [1, 0]])


def test_loops_that_cannot_walk_a_list_stay_as_they_are() -> None:
    loops = Loops(6)
    assert loops.take(np.array([0, 0, 1, 1, 2, 2]))
    assert loops.shape == (3, 2)
    assert not loops.take(np.array([0, 1, 2, 5, 6, 7]))  # two rows of three, which no 3 x 2 are
    assert not loops.take(np.array([0, 1, 0, 2, 0, 3]))
    assert loops.shape == (3, 2)
    assert loops.strides(np.array([9, 8, 7, 6, 5, 4])) == (-2, -1)


@pytest.mark.parametrize("row", [[0, 1, 3], [0, 1, 2, 4], [0, 0, 1], [0, 1, 0, 1, 0], [3, 1, 0, 2]])
def test_what_is_no_loop_is_refused(row: list[int]) -> None:
    assert nest(np.array([row])) is None


def test_no_loop_spans_the_programs_numbers_and_the_parameters() -> None:
    assert nest(np.array([[3, PARAMETERS]])) is None
    assert nest(np.array([[PARAMETERS + 3, PARAMETERS + 1]])) is not None


def test_one_address_is_no_loop() -> None:
    shape, strides = nest(np.array([[7], [3]]))  # type: ignore[misc]
    assert (shape, strides.shape) == ((), (2, 0))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=16), st.integers(1, 4))
def test_segments_cover_everything_in_loops(row: list[int], limit: int) -> None:
    lists = np.array([row])
    ends = segments(lists, limit)
    if ends is None:
        assert segments(lists, len(row)) is not None
        return
    assert ends == sorted(set(ends))
    assert ends[-1] == len(row)
    assert len(ends) <= limit
    for start, end in zip([0, *ends], ends, strict=False):
        assert nest(lists[:, start:end]) is not None


def test_segments_are_as_long_as_can_be() -> None:
    assert segments(np.array([[0, 1, 2, 3, 10, 20, 30]]), 3) == [4, 7]
    assert segments(np.array([[0, 1, 2, 3, 10, 20, 30]]), 1) is None


@given(loops().filter(lambda drawn: math.prod(drawn[0]) > 0))
def test_a_gather_drops_the_loops_along_which_it_stands_still(drawn: Drawn) -> None:
    shape = tuple(drawn[0])
    row = unrolled(*drawn)[0]
    kept, strides = squeezed(row, shape)
    assert len(strides) == len(shape)
    again = kept[addresses(0, shape, strides)]
    assert again.reshape(-1).tolist() == row.tolist()
    still = [n for n, s in zip(shape, drawn[2][0], strict=True) if s == 0]
    assert kept.size <= math.prod(shape) // max(1, math.prod(still))


def test_a_gather_of_one_place_is_one_number() -> None:
    kept, strides = squeezed(np.array([5, 5, 5, 5]), (2, 2))
    assert (kept.tolist(), strides) == ([5], (0, 0))


@given(st.lists(st.integers(-9, 9)))
def test_distinct_addresses_are_numpys_unique_ones(found: list[int]) -> None:
    addresses = np.array(found, dtype=np.int64)
    assert distinct(addresses).tolist() == np.unique(addresses).tolist()
    square = np.resize(addresses, (2, len(found)))
    assert distinct(square).tolist() == np.unique(square).tolist()

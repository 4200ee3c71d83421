"""`groups.py`, `edges.py`: who reads whom among groups, and what may be one group."""

from __future__ import annotations

import numpy as np
import pytest

from micrograd import ops
from micrograd.lifting.groups import Graph, by_length, joined, likeness
from micrograd.lifting.nodes import Node


def node(place: int, *reads: int, op: object = ops.exp) -> Node:
    return Node(place, "map", op, tuple((r,) for r in reads))  # type: ignore[arg-type]


def total(place: int, *reads: int) -> Node:
    return Node(place, "sum", ops.add, (reads,))


def test_a_group_reads_in_roles() -> None:
    dots = [Node(20, "dot", None, ((10, 11), (0, 1))), Node(21, "dot", None, ((0, 1), (11, 1)))]
    maps = [node(30, 10, 11), node(31, 10, 11)]
    graph = Graph([[node(10, 0)], [node(11, 1)], dots, maps])
    assert graph.reads == [{}, {}, {0: 0b01, 1: 0b11}, {0: 0b01, 1: 0b10}]
    assert graph.readers == [[2, 3], [2, 3], [], []]
    assert graph.edges.tolist() == [[0, 1, 0, 1], [2, 2, 3, 3], [0b01, 0b11, 0b01, 0b10]]


def test_a_row_of_very_many_operands_has_no_role_for_each() -> None:
    wide = node(100, *range(80))
    graph = Graph([*([node(k, 200 + k)] for k in range(80)), [wide]])
    roles = graph.reads[80]
    assert [roles[k] for k in (0, 61, 62, 79)] == [1, 1 << 61, 1 << 62, 1 << 62]


def test_where_a_sum_starts_is_the_role_after_the_last() -> None:
    dot = Node(20, "dot", None, ((0, 1), (2, 3)), 10)
    assert Graph([[node(10, 0)], [dot]]).reads[1] == {0: 0b100}
    assert Graph([[node(10, 0)], [dot, dot]]).reads[1] == {0: 0b100}


def test_levels_from_the_beginning_and_from_the_end() -> None:
    graph = Graph([[node(10, 0)], [node(11, 10)], [node(12, 0)], [total(20, 11, 12)]])
    assert graph.levels().tolist() == [0, 1, 0, 2]
    assert graph.levels(from_the_end=True).tolist() == [2, 1, 1, 0]
    turned = graph.joining([[3], [2], [1], [0]])
    assert turned.order == [1, 3, 2, 0]
    assert turned.levels().tolist() == [2, 0, 1, 0]
    assert turned.levels(from_the_end=True).tolist() == [0, 1, 1, 2]


def test_groups_that_were_joined_read_and_are_read_together() -> None:
    graph = Graph([[node(10, 0)], [node(11, 1)], [node(20, 10)], [total(30, 20, 11)]])
    found = graph.joining([[0, 1], [2], [3]])
    assert [[n.place for n in group] for group in found.groups] == [[10, 11], [20], [30]]
    assert found.reads == [{}, {0: 1}, {0: 1, 1: 1}]
    assert found.readers == [[1, 2], [2], []]


def test_groups_stand_after_those_that_they_read() -> None:
    groups = [[total(30, 20, 10)], [node(20, 10)], [node(10, 0)]]
    assert [group[0].place for group in Graph(groups).in_order()] == [10, 20, 30]


def test_a_product_is_a_dot_of_one_term_and_a_sum_of_two_is_a_sum() -> None:
    product, dot = node(10, 0, 1, op=ops.mul), Node(11, "dot", None, ((0, 1), (2, 3)))
    assert likeness(product) == likeness(dot) != likeness(node(12, 0))
    assert [n.kind for n in joined([dot, product])] == ["dot", "dot"]
    pair, longer = node(10, 0, 1, op=ops.add), total(11, 0, 1, 2)
    assert likeness(pair) == likeness(longer)
    assert [(n.place, n.operands) for n in joined([longer, pair])] == [
        (10, ([0, 1],)), (11, ((0, 1, 2),)),
    ]  # fmt: skip


def test_rows_are_padded_where_it_is_cheap_and_apart_where_not() -> None:
    assert len(by_length([total(10, 0, 1), total(11, 0, 1, 2)])) == 1
    assert len(by_length([total(10, 0, 1), total(11, *range(100))])) == 1  # 200 of 102 numbers
    assert len(by_length([total(k, 0, 1) for k in range(10)] + [total(11, *range(100))])) == 2


def dot(place: int, width: int) -> Node:
    return Node(place, "dot", None, (range(width), range(100, 100 + width)))


def test_a_convolution_stays_apart_from_its_border() -> None:
    inside, border = [dot(10 + k, 9) for k in range(10)], [dot(30 + k, 6) for k in range(4)]
    assert [len(part) for part in by_length([*border, *inside])] == [4, 10]
    triangle = [dot(10 + k, k + 1) for k in range(10)]
    assert len(by_length(triangle)) == 1


@pytest.mark.parametrize("reversed_runs", [1, 3, 9, 40])
def test_levels_are_longest_paths_in_whatever_order_groups_stand(reversed_runs: int) -> None:
    rng = np.random.default_rng(reversed_runs)
    count = 80
    groups = [[node(k, *{*rng.integers(max(0, k - 9), k, 2).tolist()} if k else ())]
              for k in range(count)]  # fmt: skip
    longest = [0] * count
    for k in range(1, count):
        longest[k] = 1 + max(longest[p] for places in groups[k][0].operands for p in places)
    to_the_end = [0] * count
    for k in reversed(range(count)):
        for places in groups[k][0].operands:
            for p in places:
                to_the_end[p] = max(to_the_end[p], to_the_end[k] + 1)

    runs = np.array_split(np.arange(count), reversed_runs)
    order = [int(k) for run in reversed(runs) for k in run]  # each run's readers stand before it
    graph = Graph([groups[k] for k in order])
    assert graph.is_in_order == (reversed_runs == 1)
    assert graph.levels().tolist() == [longest[k] for k in order]
    assert graph.levels(from_the_end=True).tolist() == [to_the_end[k] for k in order]
    for g, k in enumerate(order):
        assert {order[s] for s in graph.sources(g)} == {
            p for places in groups[k][0].operands for p in places
        }

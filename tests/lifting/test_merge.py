"""`merge.py`: like groups that are read together become one, unless one depends on the other."""

from __future__ import annotations

import pytest

from micrograd import ops
from micrograd.lifting import merge as module
from micrograd.lifting.groups import Graph
from micrograd.lifting.nodes import Node


def node(place: int, *reads: int, op: object = ops.exp) -> Node:
    return Node(place, "map", op, tuple((r,) for r in reads))  # type: ignore[arg-type]


def total(place: int, *reads: int) -> Node:
    return Node(place, "sum", ops.add, (reads,))


def merged(*groups: list[Node]) -> list[list[int]]:
    found = module.merge(Graph(groups)).groups
    return sorted(sorted(n.place for n in group) for group in found)


def test_groups_with_a_reader_in_common_are_joined() -> None:
    groups = [[node(10, 0)], [node(11, 1), node(12, 2)], [total(20, 10, 11, 12)]]
    assert merged(*groups) == [[10, 11, 12], [20]]


def test_groups_that_nobody_reads_together_stay_apart() -> None:
    groups = [[node(10, 0)], [node(11, 1)], [total(20, 10, 0)], [total(21, 11, 1)]]
    assert merged(*groups)[:2] == [[10], [11]]


def test_a_group_that_depends_on_the_other_stays_apart() -> None:
    assert merged([node(10, 0)], [node(11, 10)], [total(20, 10, 11)]) == [[10], [11], [20]]


def test_a_group_that_depends_by_way_of_what_was_joined_stays_apart() -> None:
    chain = [[node(10, 0), node(11, 1)], [node(12, 11, op=ops.tanh)], [node(13, 12)]]
    assert merged(*chain, [total(20, 10, 13)]) == [[10, 11], [12], [13], [20]]


def test_groups_of_other_kinds_stay_apart() -> None:
    groups = [[node(10, 0)], [node(11, 1, op=ops.tanh)], [total(20, 10, 11)]]
    assert merged(*groups) == [[10], [11], [20]]


def test_a_sum_of_two_joins_sums_of_more() -> None:
    pair = Node(10, "map", ops.add, ((0,), (1,)))
    longer = [total(11, 0, 1, 2), total(12, 0, 1, 2)]
    graph = module.merge(Graph([[pair], longer, [total(20, 10, 11, 12)]]))
    joined = graph.groups[0]
    assert [(n.kind, len(n.operands[0])) for n in joined] == [("sum", 2), ("sum", 3), ("sum", 3)]


def test_the_graph_is_right_after_joining() -> None:
    groups = [[node(10, 0)], [node(11, 1), node(12, 2)], [node(13, 10)], [total(20, 10, 11, 12)]]
    graph = module.merge(Graph(groups))
    assert graph.reads == Graph(graph.groups).reads == [{}, {0: 1}, {0: 1}]


def test_a_search_that_is_spent_leaves_the_rest_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [[node(10 + k, 1000 + k)] for k in range(100)]
    groups.append([total(200, *range(10, 110))])
    assert len(merged(*groups)) == 2
    monkeypatch.setattr(module, "_SEARCHED", 20)
    found = merged(*groups)
    assert 60 < len(found) < 100

"""`merge.py`: like groups that are read together become one, unless one depends on the other."""

from __future__ import annotations

from micrograd import ops
from micrograd.lifting.merge import by_length, in_order, merge
from micrograd.lifting.nodes import Node


def node(place: int, *reads: int, op: object = ops.exp) -> Node:
    return Node(place, "map", op, tuple((r,) for r in reads))  # type: ignore[arg-type]


def total(place: int, *reads: int) -> Node:
    return Node(place, "sum", ops.add, (reads,))


def places(groups: list[list[Node]]) -> list[list[int]]:
    return sorted(sorted(n.place for n in group) for group in groups)


def test_groups_with_a_reader_in_common_are_joined() -> None:
    groups = [[node(10, 0)], [node(11, 1), node(12, 2)], [total(20, 10, 11, 12)]]
    assert places(merge(groups)) == [[10, 11, 12], [20]]


def test_groups_that_nobody_reads_together_stay_apart() -> None:
    groups = [[node(10, 0)], [node(11, 1)], [total(20, 10, 0)], [total(21, 11, 1)]]
    assert places(merge(groups))[:2] == [[10], [11]]


def test_a_group_that_depends_on_the_other_stays_apart() -> None:
    groups = [[node(10, 0)], [node(11, 10)], [total(20, 10, 11)]]
    assert places(merge(groups)) == [[10], [11], [20]]


def test_groups_of_other_kinds_stay_apart() -> None:
    groups = [[node(10, 0)], [node(11, 1, op=ops.tanh)], [total(20, 10, 11)]]
    assert places(merge(groups)) == [[10], [11], [20]]


def test_a_sum_of_two_joins_sums_of_more() -> None:
    pair = Node(10, "map", ops.add, ((0,), (1,)))
    longer = [total(11, 0, 1, 2), total(12, 0, 1, 2)]
    (joined, _) = merge([[pair], longer, [total(20, 10, 11, 12)]])
    assert [(n.kind, len(n.operands[0])) for n in joined] == [("sum", 2), ("sum", 3), ("sum", 3)]


def test_rows_are_padded_where_it_is_cheap_and_apart_where_not() -> None:
    assert len(by_length([total(10, 0, 1), total(11, 0, 1, 2)])) == 1
    assert len(by_length([total(10, 0, 1), total(11, *range(100))])) == 1  # 200 of 102 numbers
    assert len(by_length([total(k, 0, 1) for k in range(10)] + [total(11, *range(100))])) == 2


def test_groups_stand_after_those_that_they_read() -> None:
    groups = [[total(30, 20, 10)], [node(20, 10)], [node(10, 0)]]
    assert [group[0].place for group in in_order(groups)] == [10, 20, 30]

"""The order in which a sheet is worked: forward rank by rank, and backward the reverse.

Covers `order.py`.
"""

from __future__ import annotations

import re

import pytest

from micrograd import Value, worksheet
from micrograd.show.lesson.order import by_rank
from micrograd.show.practice.levels import LEVELS
from micrograd.show.practice.paper import forward


def depth(node: Value) -> int:
    """The longest way to it from something given, by the graph itself."""
    return 1 + max(map(depth, node._prev)) if node._prev else 0


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_is_worked_in_order(level: int) -> None:
    """Nothing is asked before what it needs, ranks never rise, and within one the names descend."""
    for seed in range(40):
        walk = worksheet.random(level, seed).walk
        nodes = [walk.nodes[i] for i in walk.asked]
        place = {node: k for k, node in enumerate(nodes)}
        assert nodes[0] is walk.root and len(place) == len(walk.names) - len(walk.constants)
        for node in nodes:
            assert all(place[x] > place[node] for x in node._prev if x in place), seed
        ranks = [depth(node) for node in nodes]
        assert ranks == sorted(ranks, reverse=True)
        for (a, rank), (b, next_rank) in zip(
            zip(nodes, ranks, strict=True), list(zip(nodes, ranks, strict=True))[1:], strict=False
        ):
            stems = [re.fullmatch(r"(.*?)(\d*)", x.label).groups() for x in (a, b)]
            if rank == next_rank and stems[0][0] == stems[1][0]:
                assert int(stems[0][1]) > int(stems[1][1]), (a.label, b.label)
        made = [line.partition(" = ")[0] for line in forward(walk)]
        assert made == [node.label for node in reversed(nodes) if node._prev]


def test_softmax_is_asked_from_the_loss_to_the_logits() -> None:
    names = [worksheet.random(4, 0).walk.names[i] for i in worksheet.random(4, 0).asked]
    assert " ".join(names) == "loss l p r sum t e3 e2 e1 z3 z2 z1"


def test_numbers_in_names_count() -> None:
    names = ["x10", "x2", "x1", "w", "layers.10.w.0", "layers.9.w.1"]
    order = by_rank(names, [()] * 6)
    assert [names[i] for i in order] == ["layers.9.w.1", "layers.10.w.0", "w", "x1", "x2", "x10"]


def test_a_value_stands_above_the_highest_of_its_inputs() -> None:
    #        a    b    c = a*b  d = c+a  e = a*a  f = d*e
    inputs = [(), (), (0, 1), (2, 0), (0, 0), (3, 4)]
    assert by_rank(list("abcdef"), inputs) == [0, 1, 2, 4, 3, 5]

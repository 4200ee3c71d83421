"""Two uses of one value in one operation are seen as two arrows.

Covers `doubled.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import pytest

from micrograd import Value, draw, worksheet
from micrograd.show.graph import layout as layouts
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Run, size_of
from micrograd.show.graph.layout import Layout, arrange
from micrograd.show.lesson.cards import Shown, picture_of
from micrograd.show.lesson.walk import Walk
from micrograd.show.practice.levels import LEVELS
from micrograd.show.practice.paper import picture

Point = tuple[float, float]


def squares_and_sums() -> Value:
    a = Value(3.0, label="a")
    b = a * a
    c = b + b
    d = c * a
    e = (d + d) * b
    for node, label in zip((b, c, d, e), "bcdL", strict=True):
        node.label = label
    return e


def drawings() -> Iterator[Drawing]:
    """Every way in which a graph is drawn, with doubled edges near and far."""
    values = [squares_and_sums(), *(worksheet.random(3, seed).value for seed in range(12))]
    for value in values:
        walk = Walk(value)
        yield draw(value).drawing
        for direction in ("LR", "TB"):
            yield picture(walk, False, "", direction).drawing
            shown = [Shown.of(x, g) for x, g in zip(walk.data, walk.grads, strict=True)]
            yield picture_of(walk, shown, direction).drawing


def line(path: tuple[Point, ...]) -> list[Point]:
    """Points along the curves of a path, and its tip."""
    found = []
    for k in range(0, len(path) - 4, 3):
        p = path[k : k + 4]
        for step in range(9):
            t = step / 8
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            found.append(
                tuple(sum(w * q[i] for w, q in zip(weights, p, strict=True)) for i in (0, 1))
            )
    return [*found, path[-1]]


def between(one: tuple[Point, ...], other: tuple[Point, ...]) -> float:
    """The least distance of two lines."""
    return min(math.dist(p, q) for p in line(one) for q in line(other))


def doubled(drawing: Drawing, layout: Layout) -> Iterator[tuple[Edge, list[tuple[Point, ...]]]]:
    ends: dict[tuple[str, str], list[Edge]] = {}
    for edge in drawing.edges:
        ends.setdefault((edge.tail, edge.head), []).append(edge)
    for edges in ends.values():
        if len(edges) > 1:
            yield edges[0], [layout.edges[edge.id] for edge in edges]


def off_border(card: Card, centre: Point, point: Point) -> float:
    """How far a point is from the border of a card, along x or y."""
    x, y = (abs(a - b) for a, b in zip(point, centre, strict=True))
    wide, high = (side / 2 for side in size_of(card))
    if card.kind == "op":
        return abs(math.hypot(x / wide, y / high) - 1) * high
    return max(abs(x - wide), 0) if y <= high and x > y * wide / high else abs(y - high)


def test_both_uses_are_seen_in_every_picture() -> None:
    """They are apart by more than the width of a head, and end where the card begins."""
    seen = 0
    for drawing in drawings():
        layout, cards = arrange(drawing), {card.id: card for card in drawing.cards}
        for edge, paths in doubled(drawing, layout):
            seen += 1
            for one, other in pairwise(paths):
                assert between(one, other) >= 11, (drawing.direction, edge)
            head, tail = cards[edge.head], cards[edge.tail]
            for path in paths:
                tip, start = path[-1], path[0]
                assert off_border(head, layout.cards[head.id], tip) <= 2, (edge, tip)
                (x, y), (wide, high) = layout.cards[tail.id], size_of(tail)
                assert abs(start[0] - x) <= wide / 2 + 2 and abs(start[1] - y) <= high / 2 + 2
                assert min(p for q in path for p in q) >= -1  # inside the picture
    assert seen > 40


def test_without_it_they_are_one_thick_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "apart", lambda drawing, layout: layout)
    drawing = picture(Walk(squares_and_sums()), False).drawing
    assert min(between(*paths) for _, paths in doubled(drawing, arrange(drawing))) < 9


def test_other_edges_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for level in LEVELS:
        drawing = picture(worksheet.random(level, 1).walk, False).drawing
        mine = arrange(drawing)
        twice = {id(path) for _, paths in doubled(drawing, mine) for path in paths}
        with monkeypatch.context() as patch:
            patch.setattr(layouts, "apart", lambda drawing, layout: layout)
            plain = arrange(drawing)
        assert mine.cards == plain.cards
        for name, path in mine.edges.items():
            assert id(path) in twice or path == plain.edges[name]


@pytest.mark.parametrize("direction", ["LR", "TB", "RL", "BT"])
def test_three_uses_share_the_room(direction: str) -> None:
    card = Card("a", "input", (Cell((Run("a", "name"),)),), stacked=True)
    op = Card("o", "op", (Cell((Run("fma", "op"),)),))
    edges = tuple(Edge(f"e{k}", "a", "o") for k in range(3))
    drawing = Drawing((card, op), edges, (), "", direction)
    layout = arrange(drawing)
    axis = 1 if direction in ("LR", "RL") else 0
    tips = [layout.edges[edge.id][-1][axis] for edge in edges]
    assert tips == sorted(tips) and tips[0] < tips[1] < tips[2]  # the first operand's first
    assert tips[1] - tips[0] == pytest.approx(tips[2] - tips[1]) and tips[1] - tips[0] > 4


def test_a_learners_set_tells_one_use() -> None:
    """Where _prev is a set, nobody knows how often an operand was used, and one arrow is drawn."""

    class Mine:
        def __init__(self, data: float, prev: tuple[Mine, ...] = (), op: str = "") -> None:
            self.data, self.grad, self._prev, self._op, self.label = data, 0.0, set(prev), op, ""

    a = Mine(3.0)
    drawing = draw(Mine(9.0, (a, a), "*")).drawing
    assert len([edge for edge in drawing.edges if edge.head == "o1"]) == 1

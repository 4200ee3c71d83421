"""Two uses of one value in one operation, such as a * a, as two arrows that can be told apart.

Graphviz draws them so close that they look like one thick arrow. Read `apart`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from micrograd.show.graph.drawing import Card, Drawing, size_of

if TYPE_CHECKING:
    from micrograd.show.graph.layout import Layout, Point

__all__ = ["apart"]

_GAP = 16.0  # between two arrows: on paper, at 8 points, 3 mm
_CORNER = 4.0  # no arrow at the corner of a card
_ROUND = 0.75  # of a circle's radius: beyond it an arrow would only touch it


def apart(drawing: Drawing, layout: Layout) -> Layout:
    """The same layout, in which arrows between the same two cards run side by side."""
    ends: dict[tuple[str, str], list[str]] = {}
    for edge in drawing.edges:
        if not edge.back and not edge.label:
            ends.setdefault((edge.tail, edge.head), []).append(edge.id)
    cards = {card.id: card for card in drawing.cards}
    edges = dict(layout.edges)
    axis = 1 if drawing.direction in ("LR", "RL") else 0
    for (tail, head), names in ends.items():
        if len(names) > 1:
            places = [(cards[name], layout.cards[name]) for name in (tail, head)]
            edges |= _side_by_side(names, edges, places, axis)
    return replace(layout, edges=edges)


def _side_by_side(
    names: Sequence[str],
    edges: Mapping[str, tuple[Point, ...]],
    places: Sequence[tuple[Card, Point]],
    axis: int,
) -> dict[str, tuple[Point, ...]]:
    """Around the middle of their paths, the first operand's first."""
    paths = [edges[name] for name in names]
    middle = [
        (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))
        for points in zip(*paths, strict=False)
    ]
    if len({len(path) for path in paths}) > 1:
        middle = list(paths[0])
    rooms = [_room(card, axis) for card, _ in places]
    gap = min(_GAP, 2 * min(rooms) / (len(names) - 1))
    found = {}
    for k, name in enumerate(names):
        offset = gap * (k - (len(names) - 1) / 2)
        start = _moved(middle[:2], *places[0], offset, axis, 0)
        end = _moved(middle[-3:], *places[1], offset, axis, -1)
        between = [_plus(point, offset, axis) for point in middle[2:-3]]
        found[name] = (*start, *between, *end)
    return found


def _room(card: Card, axis: int) -> float:
    """How far from its middle an arrow may meet a card."""
    half = size_of(card)[axis] / 2
    return half * _ROUND if card.kind == "op" else half - _CORNER


def _plus(point: Point, offset: float, axis: int) -> Point:
    x, y = point
    return (x, y + offset) if axis else (x + offset, y)


def _moved(
    points: Sequence[Point], card: Card, centre: Point, offset: float, axis: int, end: int
) -> list[Point]:
    """The end of a path, moved along the side of the card that it meets at `points[end]`."""
    half = [side / 2 for side in size_of(card)]
    met = points[end]
    if abs(met[axis] - centre[axis]) > half[axis] - 1:  # through the other side
        axis = 1 - axis
    room = _room(card, axis)
    aim = met[axis] + offset
    aim = max(centre[axis] - room, min(aim, centre[axis] + room))
    moved = [_plus(point, aim - met[axis], axis) for point in points]
    if card.kind == "op":  # a circle's border is further away beside its middle
        along = 1 - axis
        reach = half[along] * math.sqrt(1 - ((aim - centre[axis]) / half[axis]) ** 2)
        border = centre[along] + math.copysign(reach, met[along] - centre[along])
        moved = [_plus(point, border - met[along], along) for point in moved]
    return moved

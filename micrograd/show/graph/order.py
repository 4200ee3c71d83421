"""Order: what may stand in more than one is put into its own, x1 above x2, neuron 1 above neuron 2.

Graphviz looks for few crossings alone. Read `in_order`, `mirrored` and `disorder`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from micrograd.show.graph.drawing import Card, Drawing, size_of
from micrograd.show.graph.stacks import Box, all_groups, box_of, number_in, numbered

if TYPE_CHECKING:
    from micrograd.show.graph.layout import Layout, Point

__all__ = ["disorder", "in_order", "mirrored", "turned"]

_ALIKE = ("closed", "input", "parameter", "constant")


def in_order(drawing: Drawing, layout: Layout) -> Layout:
    """Closed cards and leaves that Graphviz cannot tell apart exchange places, to stand in order.

    They have one size and the same neighbours, so that the picture stays the same but for its
    texts; each arrow takes the path of the one whose ends stood where its ends stand now.
    """
    near: dict[str, set[tuple[str, str]]] = {}
    for edge in drawing.edges:
        near.setdefault(edge.tail, set()).add(("to", edge.head))
        near.setdefault(edge.head, set()).add(("from", edge.tail))
    by_ends: dict[tuple[str, str], list[str]] = {}
    for edge in drawing.edges:
        by_ends.setdefault((edge.tail, edge.head), []).append(edge.id)
    doubled = {end for ends, ids in by_ends.items() if len(ids) > 1 for end in ends}
    alike: dict[Any, list[Card]] = {}
    for card in drawing.cards:
        if card.kind in _ALIKE and card.id not in doubled and not layout.labels:
            same = size_of(card), frozenset(near.get(card.id, ()))
            alike.setdefault(same, []).append(card)
    along = 1 if drawing.direction in ("LR", "RL") else 0
    takes = {card.id: card.id for card in drawing.cards}
    for cards in alike.values():
        names = [card.id for card in numbered(cards)]
        places = sorted(names, key=lambda name: (layout.cards[name][along], layout.cards[name]))
        takes |= dict(zip(names, places, strict=True))
    return replace(
        layout,
        cards={name: layout.cards[takes[name]] for name in layout.cards},
        edges={
            name: layout.edges[stood]
            for (tail, head), names in by_ends.items()
            for name, stood in zip(names, by_ends[takes[tail], takes[head]], strict=True)
        },
    )


def mirrored(drawing: Drawing, layout: Layout) -> Layout:
    """Turned over where that puts more of x1, x2, x3 in order; as many edges cross as before."""
    across = 0 if drawing.direction in ("TB", "BT") else 1
    if drawing.groups or layout.labels or _disorder(drawing, layout, across) <= 0:
        return layout
    return turned(layout, across)


def turned(layout: Layout, across: int) -> Layout:
    """Upside down, or with left and right exchanged where `across` is 0."""
    whole = layout.height if across else layout.width

    def turn(point: Point) -> Point:
        x, y = point
        return (x, whole - y) if across else (whole - x, y)

    groups = {}
    for name, box in layout.groups.items():
        (x0, y0), (x1, y1) = turn(box[:2]), turn(box[2:])
        groups[name] = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
    return replace(
        layout,
        cards={name: turn(point) for name, point in layout.cards.items()},
        edges={name: tuple(map(turn, path)) for name, path in layout.edges.items()},
        labels={name: turn(point) for name, point in layout.labels.items()},
        groups=groups,
    )


def _disorder(drawing: Drawing, layout: Layout, across: int) -> int:
    """How many pairs of a rank, such as x1 and x2, stand against their numbers, less the others."""
    ranks: dict[tuple[float, str], list[tuple[int, float]]] = {}
    for card in drawing.cards:
        stem, number = number_in(card)
        if number is not None and card.id in layout.cards:
            place = layout.cards[card.id]
            ranks.setdefault((place[1 - across], stem), []).append((number, place[across]))
    return sum(
        1 if (n - m) * (b - a) < 0 else -1
        for rank in ranks.values()
        for k, (n, b) in enumerate(rank)
        for m, a in rank[:k]
        if n != m
    )


def disorder(drawing: Drawing, layout: Layout) -> int:
    """How many pairs of examples, neurons or inputs, one above the other, stand upside down."""
    homes = {name: group.id for group in all_groups(drawing.groups) for name in group.cards}
    rows: dict[object, list[tuple[int, Box]]] = {}  # what is alike: its place or number, its box
    for card in drawing.cards:
        stem, number = number_in(card)
        box, home = box_of(card, layout.cards[card.id]), homes.get(card.id, "")
        if card.place:
            rows.setdefault(home, []).append((card.place, box))
        elif card.kind == "input" and number is not None:
            rows.setdefault((home, stem), []).append((number, box))
    for outer, groups in [
        ("", drawing.groups),
        *((g.id, g.groups) for g in all_groups(drawing.groups)),
    ]:
        for group in groups:
            if group.place:
                rows.setdefault(outer, []).append((group.place, layout.groups[group.id]))
    return sum(
        (m < n) != (a[3] <= b[1])
        for row in rows.values()
        for k, (n, b) in enumerate(row)
        for m, a in row[:k]
        if m != n and a[0] < b[2] and b[0] < a[2]  # one above the other
    )

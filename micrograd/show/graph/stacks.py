"""Stacks: cards that stand one above the other, given to Graphviz as one node.

The closed neurons of a layer, and the inputs that all of them read, are the same to Graphviz, which
puts them in the order with the fewest crossings: 2 3 1 4. As one node with a port for each they
keep theirs. Read `Stack`, then `stacks_of`; `unstacked` says where the cards lie.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from micrograd.show.graph.drawing import Card, Drawing, Group, size_of

if TYPE_CHECKING:
    from micrograd.show.graph.layout import Layout, Point

__all__ = [
    "Box",
    "Stack",
    "all_groups",
    "box_of",
    "number_in",
    "numbered",
    "stacks_of",
    "unstacked",
]

Box = tuple[float, float, float, float]  # left, top, right, bottom
_STEM = re.compile(
    r"(.*?)(\d*)(?:#\d+)?$", re.DOTALL
)  # of a name such as x12, or the x12 of example 4
_HEAD = 7.0  # the length of an arrow's head
_STEEP = 12.0  # pixels: a straight arrow needs as many from left to right
_NEXT = 100.0  # to an operation farther away than this it keeps Graphviz's curve
_NEAR = 3.0  # pixels between an arrow and a card that it passes
_SPREAD = 0.6  # of a card's side is for arrows


@dataclass(frozen=True, slots=True)
class Stack:
    """Cards from the top down, with a gap between two of them."""

    id: str
    cards: tuple[Card, ...]
    gap: float

    @property
    def size(self) -> tuple[float, float]:
        sizes = [size_of(card) for card in self.cards]
        high = sum(high for _, high in sizes) + self.gap * (len(sizes) - 1)
        return max(wide for wide, _ in sizes), high

    @property
    def cells(self) -> int:
        return 4 * len(self.cards) - 1

    def port(self, card: Card, turned: bool = False) -> str:
        """The cell in the middle of a card."""
        k = self.cards.index(card)
        return f"p{4 * (len(self.cards) - 1 - k if turned else k) + 1}"

    def table(self, turned: bool = False) -> str:
        """Empty cells of fixed sizes, three a card and one a gap, with the ports p0, p1, ..."""
        highs: list[float] = []
        for card in self.cards[::-1] if turned else self.cards:
            third = size_of(card)[1] // 3
            highs += [self.gap] * bool(highs)
            highs += [third, size_of(card)[1] - 2 * third, third]
        highs[-1] -= 1  # a table that fills its node is said to be too large for it
        look = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
        wide = math.floor(self.size[0]) - 1
        rows = "".join(_cell(k, wide, high) for k, high in enumerate(highs))
        return f"<<TABLE {look}>{rows}</TABLE>>"

    def centres(self, centre: Point) -> Iterator[tuple[str, Point]]:
        """Where each card lies, if the stack's centre lies here."""
        wide, high = self.size
        top = centre[1] - high / 2
        for card in self.cards:
            own = size_of(card)
            yield card.id, (centre[0] - (wide - own[0]) / 2, top + own[1] / 2)
            top += own[1] + self.gap


def _cell(port: int, wide: float, high: float) -> str:
    size = f'FIXEDSIZE="TRUE" WIDTH="{wide:.0f}" HEIGHT="{high:.0f}"'
    return f'<TR><TD PORT="p{port}" {size}></TD></TR>'


def number_in(card: Card) -> tuple[str, int | None]:
    """x and 12 for a card that is called x12."""
    found = _STEM.match(card.cells[0].runs[0].text)
    stem, number = found.groups() if found else ("", "")
    return stem, int(number) if number else None


def all_groups(groups: Sequence[Group]) -> Iterator[Group]:
    for group in groups:
        yield group
        yield from all_groups(group.groups)


def stacks_of(drawing: Drawing) -> tuple[Stack, ...]:
    """Closed cards of one frame that read the same; leaves that are read by the same closed cards.

    Where one of their like is open, those before and those after it are stacks of their own.
    """
    if drawing.direction != "LR" or not drawing.groups:
        return ()
    reads: dict[str, set[str]] = {card.id: set() for card in drawing.cards}
    read_by: dict[str, set[str]] = {card.id: set() for card in drawing.cards}
    for edge in drawing.edges:
        reads[edge.head].add(edge.tail)
        read_by[edge.tail].add(edge.head)
    home = {name: group for group in all_groups(drawing.groups) for name in group.cards}
    closed = {card.id for card in drawing.cards if card.kind == "closed"}
    alike: dict[object, list[Card]] = {}
    for card in drawing.cards:
        if card.kind not in ("closed", "input", "constant"):
            continue
        users = read_by[card.id]
        same = reads[card.id] or (users if card.kind == "closed" else users & closed)
        if not same:
            continue
        group = home.get(card.id)
        inner = group.groups if group else ()  # closed examples stand beside an open one
        after = sum(other.place < card.place for other in inner if other.place and card.place)
        key = group.id if group else "", card.kind, frozenset(same), after, size_of(card)[1]
        alike.setdefault(key, []).append(card)
    found = [
        numbered(cards) for cards in alike.values() if len(cards) > 1 or len(reads[cards[0].id]) > 1
    ]
    return tuple(Stack(f"s{k}", tuple(cards), drawing.gaps[0]) for k, cards in enumerate(found))


def numbered(cards: Sequence[Card]) -> list[Card]:
    """x1, x2, x3 by their numbers, groups by their places; else as they come."""
    names = [number_in(card) for card in cards]
    if cards[0].kind == "closed" or len({stem for stem, _ in names}) > 1:
        return sorted(cards, key=lambda card: card.place)
    return sorted(cards, key=lambda card: number_in(card)[1] or 0)


def unstacked(drawing: Drawing, layout: Layout, stacks: Sequence[Stack]) -> Layout:
    """The layout of the cards themselves; their arrows are straight where nothing is in the way."""
    if not stacks:
        return layout
    cards = dict(layout.cards)
    for stack in stacks:
        cards |= dict(stack.centres(cards.pop(stack.id)))
    held = {card.id for stack in stacks for card in stack.cards}
    boxes = {card.id: box_of(card, cards[card.id]) for card in drawing.cards}
    round_ = {card.id for card in drawing.cards if card.kind == "op"}
    ends = []
    for edge in drawing.edges:
        gap = boxes[edge.head][0] - boxes[edge.tail][2]
        far = gap > _NEXT and round_ & {edge.tail, edge.head}
        if held & {edge.tail, edge.head} and not far:
            ends.append((edge.id, edge.tail, edge.head))
    leave = _spread([(name, tail, head) for name, tail, head in ends], boxes, round_)
    arrive = _spread([(name, head, tail) for name, tail, head in ends], boxes, round_)
    edges = dict(layout.edges)
    for name, tail, head in ends:
        start, end = (boxes[tail][2], leave[name]), (boxes[head][0], arrive[name])
        others = (box for other, box in boxes.items() if other not in (tail, head))
        if end[0] - start[0] > _STEEP and not any(_meets(start, end, box) for box in others):
            edges[name] = _line(start, end)
    return replace(layout, cards=cards, edges=edges)


def box_of(card: Card, centre: Point) -> Box:
    (x, y), (wide, high) = centre, size_of(card)
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _spread(
    ends: Sequence[tuple[str, str, str]], boxes: dict[str, Box], round_: set[str]
) -> dict[str, float]:
    """At which height each arrow meets its card, so that they do not cross before they begin.

    An arrow is (its name, the card, the card at its other end).
    """
    at: dict[str, list[tuple[float, str]]] = {}
    for name, card, other in ends:
        at.setdefault(card, []).append((boxes[other][1] + boxes[other][3], name))
    heights = {}
    for card, arrows in at.items():
        _, top, _, bottom = boxes[card]
        for k, (_, name) in enumerate(sorted(arrows)):
            share = 0.0 if card in round_ else (k + 0.5) / len(arrows) - 0.5
            heights[name] = (top + bottom) / 2 + _SPREAD * share * (bottom - top)
    return heights


def _meets(start: Point, end: Point, box: Box) -> bool:
    """Whether a line from left to right comes closer than a little to a box."""
    left, top, right, bottom = box[0] - _NEAR, box[1] - _NEAR, box[2] + _NEAR, box[3] + _NEAR
    (x0, y0), (x1, y1) = start, end
    if x1 <= left or x0 >= right:
        return False
    rise = (y1 - y0) / (x1 - x0)
    low, high = sorted(y0 + rise * (min(max(x, x0), x1) - x0) for x in (left, right))
    return high > top and low < bottom


def _line(start: Point, end: Point) -> tuple[Point, ...]:
    """A straight spline, and last where its head ends."""
    (x0, y0), (x1, y1) = start, end
    shaft = 1 - _HEAD / math.hypot(x1 - x0, y1 - y0)
    steps = (0.0, shaft / 3, 2 * shaft / 3, shaft, 1.0)
    return tuple((x0 + t * (x1 - x0), y0 + t * (y1 - y0)) for t in steps)


def is_straight(path: Sequence[Point]) -> bool:
    (x0, y0), *between, (x1, y1) = path
    return len(path) == 5 and all(
        abs((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) < 1.0 for x, y in between
    )

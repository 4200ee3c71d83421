"""Drawing: what a picture holds, before anybody has placed it: cards, edges, and groups of cards.

A card is a box with cells of text, or a circle with the name of an operation. Every size follows
from the text by `text.width`: Graphviz gets fixed sizes and gives positions, `svg.py` writes the
rest. Read the classes in their order, then `places`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from micrograd.show.graph.text import SIZE, width

__all__ = ["Card", "Cell", "Drawing", "Edge", "Group", "Run", "places", "size_of", "title_size"]

_PAD = 6.0  # left and right of a cell's text
_GAP = 4.0  # between two runs of a cell
_ROW = 28.0  # the height of a card whose cells stand side by side
_LINE = 19.0  # of one line of a card whose cells stand one below the other
BAR = 5.0  # the width of a parameter's mark
RIM = 3.0  # between the two borders of a result
_SIZES = {"sub": 10.0, "small": 12.0, "op": 15.0}  # of the kinds that are not SIZE high
_OP = 28.0


@dataclass(frozen=True, slots=True)
class Run:
    """Text in one look; `kind` names it: word, name, ink, small, data, grad, op.

    `sub` is a subscript. Where the text will change, `room` is the one that takes the most of it.
    """

    text: str
    kind: str = "word"
    sub: str = ""
    room: str = ""
    id: str = ""

    @property
    def size(self) -> float:
        return _SIZES.get(self.kind, SIZE)

    def width_of(self, text: str) -> float:
        subscript = width(self.sub, _SIZES["sub"], self.kind == "name")
        return width(text, self.size, self.kind == "name") + subscript

    @property
    def width(self) -> float:
        return max(self.width_of(self.text), self.width_of(self.room))


@dataclass(frozen=True, slots=True)
class Cell:
    """Runs that stand side by side; a `tinted` one shows the colour of its gradient's sign."""

    runs: tuple[Run, ...]
    tinted: bool = False

    @property
    def width(self) -> float:
        return sum(run.width for run in self.runs) + _GAP * (len(self.runs) - 1) + 2 * _PAD


@dataclass(frozen=True, slots=True)
class Card:
    """A box of cells: side by side, or one below the other where it is `stacked`.

    `kind` is input, parameter, constant, interior, result, op, closed (a group) or box; `title`
    is what pointing at it tells; `look` holds more classes, such as grad-plus.
    """

    id: str
    kind: str
    cells: tuple[Cell, ...]
    stacked: bool = False
    title: str = ""
    look: str = ""
    fill: str = ""  # a colour of one's own
    place: int = 0  # among its like, which stand in this order: neuron 1, neuron 2


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow; a `back` one is dashed and does not shape the layout."""

    id: str
    tail: str
    head: str
    title: str = ""
    label: str = ""
    back: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A frame around cards and other groups, with its name at the top."""

    id: str
    kind: str
    label: str
    cards: tuple[str, ...]
    groups: tuple[Group, ...] = ()
    title: str = ""
    place: int = 0  # as a card's


@dataclass(frozen=True, slots=True)
class Drawing:
    """A whole picture. `direction` is LR, TB, RL or BT; `gaps` are within and between ranks.

    The `legend` stands below it.
    """

    cards: tuple[Card, ...]
    edges: tuple[Edge, ...] = ()
    groups: tuple[Group, ...] = ()
    description: str = ""
    direction: str = "LR"
    gaps: tuple[float, float] = (16.0, 21.0)
    legend: tuple[Run, ...] = ()


class Place(NamedTuple):
    """Where a cell lies in its card, from the card's left and top."""

    cell: Cell
    x: float
    y: float
    width: float
    height: float


@lru_cache(maxsize=4096)  # it is asked for again in every attempt at a layout
def size_of(card: Card) -> tuple[float, float]:
    """Width and height of a card with its borders."""
    if card.kind == "op":
        return max(_OP, card.cells[0].width + 2), _OP
    if card.stacked:
        inner = max(cell.width for cell in card.cells), _LINE * len(card.cells) + 6
    else:
        inner = sum(cell.width for cell in card.cells), _ROW
    rim = 2 * RIM if card.kind in ("result", "closed") else 0.0
    return inner[0] + _bar(card) + rim, inner[1] + rim


def _bar(card: Card) -> float:
    return BAR if card.kind == "parameter" else 0.0


def places(card: Card) -> Iterator[Place]:
    """Each cell of a card with its rectangle."""
    wide, high = size_of(card)
    rim = RIM if card.kind in ("result", "closed") else 0.0
    x, y = rim + _bar(card), rim
    if not card.stacked:
        for cell in card.cells:
            share = wide if card.kind == "op" else cell.width
            yield Place(cell, x, y, share, high - 2 * rim)
            x += share
        return
    y += 3
    for cell in card.cells:
        yield Place(cell, x, y, wide - 2 * rim - _bar(card), _LINE)
        y += _LINE


def title_size(group: Group) -> tuple[float, float]:
    """The room for a group's name."""
    return width(group.label, SIZE, bold=True) + 8, 18.0

"""The pictures of a lesson: the graph on narrow cards whose numbers can change.

Every node bears the name that the lesson gives it. A graph with groups has several pictures, one
for each group that is open, of the same cards. Read `picture_of`, then `Views`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from micrograd.show.graph.draw import closed_card, edges_of, op_card, tint
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Run
from micrograd.show.graph.grouping import Grouping
from micrograd.show.graph.layout import arrange
from micrograd.show.graph.nodes import Node, read
from micrograd.show.graph.outside import Part
from micrograd.show.graph.picture import Picture
from micrograd.show.graph.svg import caption_svg, card_svg, frame_svg
from micrograd.show.graph.text import number_text
from micrograd.show.graph.views import MANY, Maker, opened, view
from micrograd.show.lesson.finding import legend_of
from micrograd.show.lesson.packed import groups_in, placed
from micrograd.show.lesson.told import name_cells
from micrograd.show.lesson.walk import Walk

__all__ = ["Shown", "Views", "picture_of"]

_BLANK = "+0000.0000"  # as wide as a line to write on


@dataclass(frozen=True, slots=True)
class Shown:
    """The texts of a card: now, and the widest that will ever stand there; None leaves a blank."""

    data: str
    grad: str | None
    widest_data: str = ""
    widest_grad: str = ""
    look: str = ""

    @classmethod
    def of(cls, data: float, grad: float | None) -> Shown:
        if grad is None:
            return cls(number_text(data), None)
        return cls(number_text(data), number_text(grad, sign=True), look=tint(grad))


def picture_of(walk: Walk, shown: Sequence[Shown], direction: str = "LR") -> Picture:
    """A Picture with the ids of `draw`, one card a node: name, data, grad under each other."""
    nodes = read(walk.nodes)
    make = _maker(walk, nodes, shown)
    cards: list[Card] = []
    edges: list[Edge] = []
    for i, node in enumerate(nodes):
        cards.append(make.node(i))
        if node.op:
            cards.append(make.op(i))
            edges += make.edges(i)
    description = f"Computation graph of {len(nodes)} values"
    drawing = Drawing(
        tuple(cards), tuple(edges), (), description, direction, (14.0, 20.0), legend_of(walk)
    )
    return Picture(drawing, {f"n{i}": node for i, node in enumerate(walk.nodes)})


def _maker(walk: Walk, nodes: Sequence[Node], shown: Sequence[Shown]) -> Maker:
    """Without titles: a lesson's page tells what it knows."""

    def part_card(part: Part) -> Card:
        said = shown[part.output]
        room = max(said.widest_data, said.widest_grad, key=len)
        look = f"{said.look} {'filled' if part.output == len(nodes) - 1 else ''}".strip()
        card = closed_card(part, said.data, said.grad or "", look, room)
        return replace(card, title="")

    return Maker(
        lambda i: _card(walk, i, shown[i]),
        lambda i: replace(op_card(nodes[i], i), title=""),
        part_card,
        lambda i: [replace(edge, title="") for edge in edges_of(nodes, i)],
    )


def kind_in(walk: Walk, i: int) -> str:
    """What a node is in a lesson, where weights and unnamed inputs are asked for."""
    if walk.rule(i) is not None:
        return "result" if i == len(walk.nodes) - 1 else "interior"
    if walk.nodes[i] in walk.parameters:
        return "parameter"
    return "constant" if i in walk.constants else "input"


def _card(walk: Walk, i: int, shown: Shown) -> Card:
    cells = name_cells(walk, i)
    data = Run(shown.data, "data", room=shown.widest_data, id=f"n{i}-data")
    grad = Run(shown.grad or "", "grad", room=shown.widest_grad, id=f"n{i}-grad")
    if shown.grad is None:
        grad = Run("", "blank", room=_BLANK, id=f"n{i}-grad")
    cells.append(Cell((Run("data"), data)))
    if shown.grad is not None or i not in walk.constants:  # nobody is asked for a constant's
        cells.append(Cell((Run("grad"), grad), tinted=True))
    return Card(f"n{i}", kind_in(walk, i), tuple(cells), stacked=True, look=shown.look)


class Views:
    """The pictures of a lesson with groups: what is open is one path, and each path has a layout.

    `first` is the picture to begin with. `as_json` tells the page where every card lies in every
    view; `stock` holds the cards and frames that the first view lacks.
    """

    def __init__(self, walk: Walk, grouping: Grouping, shown: Sequence[Shown]) -> None:
        self.grouping, self.nodes = grouping, read(walk.nodes)
        make = _maker(walk, self.nodes, shown)
        parts = [None, *(p for p in grouping.within() if p.kind != "sum")]
        open_ = [opened(grouping, part) for part in parts]
        if len(self.nodes) <= MANY:  # all of it can be read at once
            open_.insert(0, frozenset(p.id for p in grouping.within()))
        self.open = list(dict.fromkeys(open_))
        drawn = [view(self.nodes, grouping, each, make) for each in self.open]
        self.drawings = [replace(each, legend=()) for each in drawn]  # the page has a line for it
        self.legends = [each.legend for each in drawn]
        asked: dict[str, Any] = {}
        self.layouts = [arrange(drawing, asked) for drawing in self.drawings]

    @property
    def first(self) -> Picture:
        return Picture(self.drawings[0])

    @staticmethod
    def final(walk: Walk, grouping: Grouping, shown: Sequence[Shown]) -> Picture:
        """The first view with other numbers, for where no script runs."""
        nodes = read(walk.nodes)
        every = frozenset(p.id for p in grouping.within())
        open_ = every if len(nodes) <= MANY else opened(grouping, None)
        return Picture(view(nodes, grouping, open_, _maker(walk, nodes, shown)))

    def of(self, part: Part) -> int:
        """The view that opens the least of those in which `part` is open."""
        return min(
            (k for k, each in enumerate(self.open) if part.id in each),
            key=lambda k: (len(self.drawings[k].cards), k),
            default=0,
        )

    def stock(self) -> str:
        """Cards and frames of the other views, for the page's script to place."""
        seen = {card.id for card in self.drawings[0].cards} | set(
            groups_in(self.drawings[0].groups)
        )
        parts = []
        for drawing in self.drawings[1:]:
            for card in drawing.cards:
                if card.id not in seen:
                    seen.add(card.id)
                    parts.append(card_svg(card, (0.0, 0.0)))
            for name, group in groups_in(drawing.groups).items():
                if name not in seen:
                    seen.add(name)
                    parts.append(frame_svg(group, 0.0, 0.0, 10.0, 10.0))
                    parts.append(caption_svg(group, 0.0, 0.0))
        return "".join(parts)

    def as_json(self) -> dict[str, Any]:
        part_of: dict[int, list[str]] = {}
        for part in self.grouping.within():
            for i in part.all():
                part_of.setdefault(i, []).append(part.id)
        for weight in self.grouping.weights:  # it is shown with the first neuron that uses it
            users = [i for i, node in enumerate(self.nodes) if weight in node.inputs]
            part_of[weight] = next((part_of[i] for i in users if i in part_of), [])
        return {
            "parts": {
                part.id: {
                    "label": part.label, "kind": part.kind, "output": part.output,
                    "view": self.of(part), "outside": self._outside(part), "path": part.path,
                    "formula": part.formula,
                }
                for part in self.grouping.within()
            },
            "within": [part_of.get(i, []) for i in range(len(self.nodes))],
            **placed(list(zip(self.drawings, self.layouts, self.legends, strict=True))),
        }  # fmt: skip

    def _outside(self, part: Part) -> int:
        """The view in which `part` is closed, and what is around it open."""
        above = [p for p in self.grouping.within() if part in p.within() and p is not part]
        around = [p for p in above if p.kind != "layer"]
        if around:
            return self.of(around[-1])
        closed = opened(self.grouping, None)
        return self.open.index(closed) if closed in self.open else 0

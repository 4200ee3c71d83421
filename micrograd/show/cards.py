"""The picture of a lesson: the graph on narrow cards whose numbers can change.

Every node bears the name that the lesson gives it. Read `picture_of`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from micrograd.show.formulas import shorten
from micrograd.show.graph.draw import edges_of, op_card, tint
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Run
from micrograd.show.graph.nodes import read
from micrograd.show.graph.picture import Picture
from micrograd.show.graph.text import number_text
from micrograd.show.walk import Walk

__all__ = ["Shown", "picture_of"]

_NAME_LENGTH = 18
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
    cards: list[Card] = []
    edges: list[Edge] = []
    for i, node in enumerate(nodes):
        cards.append(_card(walk, i, shown[i]))
        if node.op:
            cards.append(replace(op_card(node, i), title=""))  # the page tells what it knows
            edges += [replace(edge, title="") for edge in edges_of(nodes, i)]
    description = f"Computation graph of {len(nodes)} values"
    drawing = Drawing(tuple(cards), tuple(edges), (), description, direction, (14.0, 20.0))
    return Picture(drawing, {f"n{i}": node for i, node in enumerate(walk.nodes)})


def kind_in(walk: Walk, i: int) -> str:
    """What a node is in a lesson, where weights and unnamed inputs are asked for."""
    if walk.rule(i) is not None:
        return "result" if i == len(walk.nodes) - 1 else "interior"
    if walk.nodes[i] in walk.parameters:
        return "parameter"
    return "constant" if i in walk.constants else "input"


def _card(walk: Walk, i: int, shown: Shown) -> Card:
    cells = []
    if i not in walk.constants:
        cells.append(Cell((Run(shorten(walk.names[i], _NAME_LENGTH), "name"),)))
    data = Run(shown.data, "data", room=shown.widest_data, id=f"n{i}-data")
    grad = Run(shown.grad or "", "grad", room=shown.widest_grad, id=f"n{i}-grad")
    if shown.grad is None:
        grad = Run("", "grad" if i in walk.constants else "blank", room=_BLANK, id=f"n{i}-grad")
    cells.append(Cell((Run("data"), data)))
    cells.append(Cell((Run("grad"), grad), tinted=True))
    return Card(f"n{i}", kind_in(walk, i), tuple(cells), stacked=True, look=shown.look)

"""What the cards of a picture are called: by label, by the short name of a weight, −b by its b.

Where no frame around a card tells its layer, a line below the name does. Read `Called`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from micrograd.show.graph.drawing import Cell, Run
from micrograd.show.graph.grouping import START, ShortName, weight_names
from micrograd.show.graph.nodes import Node
from micrograd.show.graph.text import plain, shorten
from micrograd.show.graph.views import legend
from micrograd.show.notation import MINUS, bracketed

__all__ = ["Called"]

_LABEL_LENGTH = 24


class Called:
    """The names of a graph's nodes; `paths` are those of weights, by the ids of the nodes."""

    def __init__(
        self,
        nodes: Sequence[Node],
        paths: Mapping[int, str],
        shorts: Mapping[int, ShortName],
        framed: bool = False,
        starts: Container[int] = (),
    ) -> None:
        self.nodes, self.framed, self.starts = nodes, framed, starts
        self.shorts = {i: short for i, short in shorts.items() if short.letter}
        self.shorts = {i: short for i, short in self.shorts.items() if not nodes[i].label}
        self._texts = weight_names(self.shorts)
        self._paths = {i: paths.get(id(node.value), "") for i, node in enumerate(nodes)}
        weights = {i for i, node in enumerate(nodes) if id(node.value) in paths}
        self._negated = {
            i: b for i in range(len(nodes)) if (b := _negated(nodes, i, weights)) is not None
        }

    def cells(self, i: int) -> list[Cell]:
        """The name, and below it `of layer 1`; nothing where a node has no name."""
        b = self._negated.get(i, i)
        minus = MINUS if b != i else ""
        if b in self.shorts:
            short = self.shorts[b]
            cells = [Cell((Run(minus + short.letter, "name", short.sub),))]
            tail = "" if self.framed else self._tail(b)
            return [*cells, Cell((Run(tail, "small"),))] if tail else cells
        name = plain(self.nodes[b].label, _LABEL_LENGTH)
        if not name and self._paths[b]:
            name = shorten(self._paths[b])
        if minus and bracketed(name) != name:
            name = f"({name})"
        if not name and i in self.starts:
            name = START
        return [Cell((Run(minus + name, "name"),))] if name else []

    def _tail(self, i: int) -> str:
        return self._texts[i].removeprefix(self.shorts[i].text).strip()

    def text(self, i: int) -> str:
        """A name for what is told of a node: its label, or where it is in its model."""
        return self.nodes[i].label or self._paths[i]

    def legend(self) -> tuple[Run, ...]:
        """What the short names stand for."""
        return legend(self.shorts, self.shorts, self._tail)


def _negated(nodes: Sequence[Node], i: int, weights: set[int]) -> int | None:
    """The b of the b * -1 that a subtraction records, if b has a name and that has none."""
    node = nodes[i]
    if node.op != "*" or node.label or len(node.inputs) != 2:
        return None
    for b, k in (node.inputs, node.inputs[::-1]):
        factor = nodes[k]
        if not factor.op and not factor.label and factor.data == -1 and k not in weights:
            return b if nodes[b].label or b in weights else None
    return None

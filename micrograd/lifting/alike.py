"""Like nodes of one level that read from the same groups become a group.

Which group reads which is written down on the way, while a node is at hand: another walk over all
nodes would take as long as this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from micrograd.lifting.edges import distinct, edges_into
from micrograd.lifting.fuse import Fused
from micrograd.lifting.groups import Graph, by_length
from micrograd.lifting.nodes import Node
from micrograd.lifting.tape import INPUT, INTEGER, Tape

__all__ = ["alike"]


def alike(tape: Tape, fused: Fused) -> Graph:
    """The groups, levels ascending, and the nodes of each in recorded order."""
    grouping = _Grouping(tape, fused)
    grouping.fill(fused.nodes)
    parts = {g: by_length(grouping.groups[g]) for g in grouping.wide}
    if any(len(split) > 1 for split in parts.values()):
        return Graph([
            part for g, group in enumerate(grouping.groups) for part in parts.get(g, [group])
        ])  # fmt: skip
    return Graph(grouping.groups, grouping.edges(), np.array(grouping.levels, dtype=np.int64))


class _Grouping:
    """The groups so far.

    `level` and `source` are by place: how many nodes stand one after the other up to there, and the
    group of a node, or what a leaf is.
    """

    def __init__(self, tape: Tape, fused: Fused) -> None:
        self.level = [0] * fused.places
        self.source: list[Any] = [None] * fused.places
        for i in fused.leaves:
            kind = tape.kinds[i]
            self.source[i] = (kind, tape.lefts[i]) if kind in (INPUT, INTEGER) else kind
        self.groups: list[list[Node]] = []
        self.levels: list[int] = []  # of the groups
        self.wide: list[int] = []  # groups of nodes that may read several places in an operand
        self._edges: list[int] = []  # of the other groups: source, reader, bit, one after the other
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._highest: dict[int, int] = {}  # of an operand's places: the dots of one row share them

    def fill(self, nodes: Iterable[Node]) -> None:
        """Give each node a group. Most are maps of one or two numbers."""
        level, source, groups, numbers = self.level, self.source, self.groups, self._numbers
        edges, levels = self._edges, self.levels
        for node in nodes:
            operands = node.operands
            if node.kind == "map" and len(operands) <= 2:
                a, b = operands[0][0], operands[-1][0]
                below = level[a] if level[a] > level[b] else level[b]
                one, other = source[a], source[b]
                g = numbers.setdefault((below, node.op, one, other), len(groups))
                if g == len(groups):
                    if type(one) is int:
                        edges += one, g, 1
                    if type(other) is int and len(operands) == 2:
                        edges += other, g, 2
            else:
                below, key = self._wide(node)
                g = numbers.setdefault(key, len(groups))
                if g == len(groups):
                    self.wide.append(g)
            if g == len(groups):
                groups.append([node])
                levels.append(below)
            else:
                groups[g].append(node)
            level[node.place] = below + 1
            source[node.place] = g

    def _wide(self, node: Node) -> tuple[int, tuple[Any, ...]]:
        """The level of what a node reads, and what those of its group have in common."""
        level, source, highest = self.level, self.source, self._highest
        below = 0 if node.start is None else level[node.start]
        for places in node.operands:
            here = highest.get(id(places), -1)
            if here < 0:
                here = highest[id(places)] = max(map(level.__getitem__, places))
            below = max(below, here)
        sources = [source[places[0]] for places in node.operands]
        return below, (below, node.kind, node.op, node.start is not None, *sources)

    def edges(self) -> np.ndarray:
        """Which groups read which, as `Graph.edges`."""
        for g in self.wide:
            self._edges += edges_into(g, self.groups[g], self.source.__getitem__)
        return distinct(self._edges, len(self.groups))

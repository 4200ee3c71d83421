"""The links of a chain: what one number computes from others, as one expression.

Cells that only one other cell reads become part of its expression. A cell may be a group of several
numbers, its lanes: the expression is that of the first one, and `in_lockstep` says what the others
read if they compute the same. `scans.py` makes chains of links.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from micrograd import ops
from micrograd.lifting.groups import Graph
from micrograd.lifting.nodes import Node
from micrograd.lifting.rows import is_composite
from micrograd.lifting.steps.expression import Apply, Formula, Read

__all__ = ["Link", "Links"]

_LONGEST = 24  # operations in the expression of one link


class _Slot(NamedTuple):
    """One operand of a group, and what the first lane has there: a read, or a group inside.

    The role after the last is that of what a sum starts from.
    """

    group: int
    role: int
    position: int
    place: int


class Link:
    """One cell with the cells that only it reads: an expression of the places in `reads`."""

    def __init__(self, place: int, lanes: int) -> None:
        self.place, self.lanes = place, lanes
        self.groups: list[int] = []  # the cell's own, and those that became part of it
        self.reads: list[int] = []
        self.value: Formula = 0.0
        self.slots: list[_Slot] = []


class Links(dict[int, Link]):
    """The links of a graph by the place of their first lane.

    `cells`: the group of each place that is the first of its group. A group with a place in
    `outputs` becomes part of no link.
    """

    def __init__(self, graph: Graph, cells: Mapping[int, int], outputs: frozenset[int]) -> None:
        super().__init__()
        self.graph, self.cells, self.outputs = graph, cells, outputs
        self.inner = {p for p in cells if p not in outputs and self._is_inner(p)}
        for place in self._candidates():
            link = Link(place, self.lanes(place))
            try:
                link.value = self._value(link, place, {}, [0])
            except OverflowError:
                continue
            self[place] = link

    def lanes(self, place: int) -> int:
        return len(self.graph.groups[self.cells[place]])

    def _is_inner(self, place: int) -> bool:
        """Whether one cell of as many lanes reads this one, once, and nothing else does."""
        g = self.cells[place]
        readers = self.graph.readers[g]
        if len(readers) != 1:
            return False
        group = self.graph.groups[next(iter(readers))]
        if len(group) != len(self.graph.groups[g]) or group[0].kind == "take":
            return False
        reads = [p for places in group[0].operands for p in places]
        return [*reads, group[0].start].count(place) == 1

    def _candidates(self) -> dict[int, None]:
        """The places that may be links: read by, or made from, one whose last operations are equal.

        In an irregular formula few are, and expressions need not be made of the others.
        """
        inner, cells, groups = self.inner, self.cells, self.graph.groups
        root: dict[int, int] = {}  # the place whose expression an inner cell becomes a part of
        last: dict[int, Any] = {}  # of each root: its operation, and those of its operands
        for place in cells:
            path = [place]
            while path[-1] in inner and path[-1] not in root:
                (reader,) = self.graph.readers[cells[path[-1]]]
                path.append(groups[reader][0].place)
            end = root.get(path[-1], path[-1])
            root.update(dict.fromkeys(path, end))
            if place not in inner:
                node = groups[cells[place]][0]
                made_from = [p for places in node.operands for p in places[:2] if p in inner]
                kinds = [groups[cells[p]][0].op for p in made_from]
                last[place] = self.lanes(place), node.kind, node.op, kinds
        found: dict[int, None] = {}
        for place, own in last.items():
            for reader in self.graph.readers[cells[place]]:
                after = root.get(groups[reader][0].place)
                if after is not None and last[after] == own:
                    found[place] = found[after] = None
        return found

    def _value(self, link: Link, place: int, numbers: dict[int, Read], count: list[int]) -> Formula:
        """What the cell at a place computes in the expression of `link`.

        `numbers`: the operand of each place that is read; `count`: the operands so far.
        """
        g, inner = self.cells[place], self.inner
        group = self.graph.groups[g]
        node = group[0]
        operands = node.operands if node.start is None else (*node.operands, (node.start,))
        count[0] += sum(map(len, node.operands))
        if count[0] > _LONGEST or node.kind == "take":
            raise OverflowError
        link.groups.append(g)
        columns: list[list[Formula]] = []
        for places in operands:
            column: list[Formula] = []
            for p in places:
                if p in inner:
                    column.append(self._value(link, p, numbers, count))
                    continue
                if p not in numbers:
                    numbers[p] = Read(len(numbers))
                    link.reads.append(p)
                column.append(numbers[p])
            columns.append(column)
        if len(group) > 1:
            link.slots += [
                _Slot(g, role, k, p)
                for role, places in enumerate(operands)
                for k, p in enumerate(places)
            ]
        return _expression(node, columns)

    # --- several lanes ----------------------------------------------------------------------------

    def in_lockstep(self, link: Link) -> list[list[int]] | None:
        """What each lane reads, operand by operand; None unless all compute the same expression."""
        groups = self.graph.groups
        for g in link.groups:
            for role, places in enumerate(groups[g][0].operands):
                if any(len(node.operands[role]) != len(places) for node in groups[g]):
                    return None
        for g in link.groups[1:]:
            if any(node.place in self.outputs for node in groups[g]):
                return None
        reads: dict[int, list[int]] = {}
        inside = {groups[g][0].place: g for g in link.groups[1:]}
        for slot in link.slots:
            column = _column(groups[slot.group], slot)
            if slot.place in inside:
                wanted = [node.place for node in groups[inside[slot.place]]]
            else:
                wanted = reads.setdefault(slot.place, column)
            if column != wanted:
                return None
        return [reads[place] for place in link.reads]


def _column(group: Sequence[Node], slot: _Slot) -> list[Any]:
    """What stands in one operand of each node of a group."""
    if slot.role == len(group[0].operands):
        return [node.start for node in group]
    return [node.operands[slot.role][slot.position] for node in group]


def _expression(node: Node, columns: Sequence[Sequence[Formula]]) -> Formula:
    """What a node computes, from what its operands stand for."""
    if node.kind == "dot":
        xs, ws, *start = columns
        terms: list[Formula] = [Apply(ops.mul, pair) for pair in zip(xs, ws, strict=True)]
        terms += [number for (number,) in start]
        return reduce(lambda a, b: Apply(ops.add, (a, b)), terms)
    op = node.op
    assert op is not None
    if node.kind in ("sum", "chain"):
        found: Formula = reduce(lambda a, b: Apply(op, (a, b)), columns[0])
        return found
    inputs: tuple[Formula, ...] = tuple(column[0] for column in columns)
    if is_composite(op):
        return op.composed(*inputs)  # type: ignore[misc, no-any-return]
    return Apply(op, inputs)

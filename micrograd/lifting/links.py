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
_START = -1  # the role of what a sum starts from


class _Slot(NamedTuple):
    """One operand of a group, and what stands there: a Read of the link, or a group inside it."""

    group: int
    role: int
    position: int
    holds: Read | int


class Link:
    """One cell with the cells that only it reads: an expression of the places in `reads`."""

    def __init__(self, place: int) -> None:
        self.place = place
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
            link = Link(place)
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
        """What a place stands for in the expression of `link`; `count`: the operands so far."""
        if place != link.place and place not in self.inner:
            if place not in numbers:
                numbers[place] = Read(len(numbers))
                link.reads.append(place)
            return numbers[place]
        g = self.cells[place]
        node = self.graph.groups[g][0]
        count[0] += sum(map(len, node.operands))
        if count[0] > _LONGEST or node.kind == "take":
            raise OverflowError
        link.groups.append(g)

        def value(role: int, position: int, p: int) -> Formula:
            found = self._value(link, p, numbers, count)
            holds = found if p in numbers and isinstance(found, Read) else self.cells[p]
            link.slots.append(_Slot(g, role, position, holds))
            return found

        columns = [
            [value(role, k, p) for k, p in enumerate(places)]
            for role, places in enumerate(node.operands)
        ]
        start = None if node.start is None else value(_START, 0, node.start)
        return _expression(node, columns, start)

    # --- several lanes ----------------------------------------------------------------------------

    def in_lockstep(self, link: Link) -> list[list[int]] | None:
        """What each lane reads, operand by operand; None unless all compute the same expression."""
        groups = self.graph.groups
        if self.lanes(link.place) == 1:
            return [[place] for place in link.reads]
        for g in link.groups:
            for role, places in enumerate(groups[g][0].operands):
                if any(len(node.operands[role]) != len(places) for node in groups[g]):
                    return None
            inside = g != self.cells[link.place]
            if inside and any(node.place in self.outputs for node in groups[g]):
                return None
        reads: dict[int, list[int]] = {}
        for slot in link.slots:
            column = _column(groups[slot.group], slot)
            if isinstance(slot.holds, Read):
                wanted = reads.setdefault(slot.holds.k, column)
            else:
                wanted = [node.place for node in groups[slot.holds]]
            if column != wanted:
                return None
        return [reads[k] for k in range(len(link.reads))]


def _column(group: Sequence[Node], slot: _Slot) -> list[Any]:
    """What stands in one operand of each node of a group."""
    if slot.role == _START:
        return [node.start for node in group]
    return [node.operands[slot.role][slot.position] for node in group]


def _expression(node: Node, columns: Sequence[Sequence[Formula]], start: Formula | None) -> Formula:
    """What a node computes, from what its operands stand for."""
    if node.kind == "dot":
        terms: list[Formula] = [Apply(ops.mul, pair) for pair in zip(*columns, strict=True)]
        if start is not None:
            terms.append(start)
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

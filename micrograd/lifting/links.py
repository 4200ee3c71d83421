"""The links of a chain: what one number computes from others, as one expression.

Cells that only one other cell reads become part of its expression. A cell may be a group of several
numbers, its lanes: the expression is that of the first one, and `in_lockstep` says what the others
read if they compute the same. `scans.py` makes chains of links.

Thousands of links have few expressions. So an expression is a number at first, its shape, which a
cell has in common with all whose operations and parts are the same; `value` writes it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from micrograd import ops
from micrograd.lifting.candidates import candidates
from micrograd.lifting.groups import Graph
from micrograd.lifting.nodes import Node, operands
from micrograd.lifting.rows import is_composite
from micrograd.lifting.steps.expression import Apply, Formula, Read

__all__ = ["Link", "Links"]

_LONGEST = 25  # operations and operands in the expression of one link
_READ = -1  # in place of a shape: a number that is read


# A cell with the cells inside it: their shape, their groups, and the places that they read, in the
# order in which the expression names them. None: the expression would be too long.
_Part = tuple[int, list[int], list[int]] | None


class Link(NamedTuple):
    """One cell with the cells that only it reads: an expression of the places in `reads`."""

    place: int
    lanes: int
    groups: list[int]  # the cell's own, and those that became part of it
    reads: list[int]


class Links:
    """The links of a graph, known by the place of their first lane.

    `cells`: the group of each place that is the first of its group. A group with a place in
    `outputs` becomes part of no link. `kinds` has a number for each link: links of one kind have
    equal expressions and as many lanes; `reads` the places that each reads.
    """

    def __init__(self, graph: Graph, cells: Mapping[int, int], outputs: frozenset[int]) -> None:
        self.graph, self.cells, self.outputs = graph, cells, outputs
        self.kinds: dict[int, int] = {}
        self.reads: dict[int, list[int]] = {}
        self._parts: dict[int, _Part] = {}  # of all cells, by place
        groups = graph.groups
        inside, promising = candidates(graph, cells, outputs)
        inner = {groups[g][0].place for g in np.flatnonzero(inside & promising).tolist()}
        self.inner, parts = inner, self._parts
        numbers: dict[Any, int] = {}  # of shapes and kinds
        for g in self._in_order(promising):
            node = groups[g][0]
            place = node.place
            part = _part(g, node, parts, inner, numbers)
            parts[place] = part
            if place not in inner and part is not None:
                shape, _, reads = part
                kind: tuple[Any, ...] = shape, len(groups[g])
                if len({*reads}) < len(reads):
                    distinct = [*dict.fromkeys(reads)]
                    kind = *kind, *map(distinct.index, reads)  # which of them are one number
                    reads = distinct
                self.reads[place] = reads
                self.kinds[place] = numbers.setdefault(kind, len(numbers))

    def _in_order(self, some: np.ndarray) -> list[int]:
        """Some groups, each after those that it reads."""
        order = self.graph.order
        found = np.flatnonzero(some) if isinstance(order, range) else np.array(order)[some[order]]
        return found.tolist()

    def lanes(self, place: int) -> int:
        return len(self.graph.groups[self.cells[place]])

    def link(self, place: int) -> Link:
        part = self._parts[place]
        assert part is not None
        return Link(place, self.lanes(place), part[1], self.reads[place])

    def value(self, link: Link) -> Formula:
        """The expression of a link."""
        first = self.graph.groups[link.groups[0]][0]
        return self._value(first, {place: Read(k) for k, place in enumerate(link.reads)})

    def _value(self, node: Node, reads: Mapping[int, Read]) -> Formula:
        groups, cells, inner = self.graph.groups, self.cells, self.inner
        return _expression(node, [
            [self._value(groups[cells[p]][0], reads) if p in inner else reads[p] for p in places]
            for places in operands(node)
        ])  # fmt: skip

    # --- several lanes ----------------------------------------------------------------------------

    def in_lockstep(self, link: Link) -> list[list[int]] | None:
        """What each lane reads, operand by operand; None unless all compute the same expression."""
        groups = [self.graph.groups[g] for g in link.groups]
        for group in groups:
            for role, places in enumerate(group[0].operands):
                if any(len(node.operands[role]) != len(places) for node in group):
                    return None
        if any(node.place in self.outputs for group in groups[1:] for node in group):
            return None
        reads: dict[int, list[int]] = {}
        inside = {group[0].place: group for group in groups[1:]}
        for group in groups:
            for role, places in enumerate(operands(group[0])):
                for position, place in enumerate(places):
                    column = _column(group, role, position)
                    if place in inside:
                        wanted = [node.place for node in inside[place]]
                    else:
                        wanted = reads.setdefault(place, column)
                    if column != wanted:
                        return None
        return [reads[place] for place in link.reads]


def _part(
    g: int, node: Node, parts: Mapping[int, _Part], inner: set[int], numbers: dict[Any, int]
) -> _Part:
    """A cell with those inside it, which have been made before."""
    if node.kind == "take":
        return None
    columns = operands(node)
    key: list[Any] = [node.op, node.kind, len(columns)]
    groups, reads = [g], []
    for places in columns:
        if len(places) > _LONGEST:
            return None
        for place in places:
            if place not in inner:
                key.append(_READ)
                reads.append(place)
                continue
            part = parts[place]
            if part is None:
                return None
            key.append(part[0])
            groups += part[1]
            reads += part[2]
    if len(groups) + len(reads) > _LONGEST:
        return None
    return numbers.setdefault(tuple(key), len(numbers)), groups, reads


def _column(group: Sequence[Node], role: int, position: int) -> list[Any]:
    """What stands in one operand of each node of a group."""
    if role == len(group[0].operands):
        return [node.start for node in group]
    return [node.operands[role][position] for node in group]


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

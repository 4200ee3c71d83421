"""Groups of like nodes, and which read which: what `merge.py` and `wavefront.py` work on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.lifting.edges import distinct, edges_of, raised
from micrograd.lifting.nodes import Node

__all__ = ["Graph", "Serial", "Wave", "by_length", "cheap_to_pad", "joined", "likeness"]

_PADDING = 2.5  # rows of different length share a group if padding costs at most this factor,
_MOSTLY = 0.5  # and at most this share of them are as long as the longest
_SWEEPS = 4  # over the edges of a graph that is out of order


class Wave(list[Node]):
    """A group that was joined from scattered cells: it is not cut into regular pieces again."""


class Serial(list[Node]):
    """Numbers that are computed one after the other: nothing is joined with them, or padded."""


class Graph:
    """Which groups read which, and in which operands.

    `edges` has a column for each two groups of which one reads the other: source, reader, and the
    set of roles as bits: bit k for operand k, the bit after the last for where sums start. Columns
    stand in the order of their readers. `levels`: those from the beginning, where they are known.
    """

    def __init__(
        self,
        groups: list[list[Node]],
        edges: np.ndarray | None = None,
        levels: np.ndarray | None = None,
    ) -> None:
        self.groups = groups
        self.edges = edges_of(groups) if edges is None else edges
        self._levels = {} if levels is None else {False: levels}

    @cached_property
    def reads(self) -> list[dict[int, int]]:
        """What each group reads: sources, each with its roles."""
        reads: list[dict[int, int]] = [{} for _ in self.groups]
        for source, reader, roles in self.edges.T.tolist():
            reads[reader][source] = roles
        return reads

    @cached_property
    def _rows(self) -> tuple[list[int], list[int]]:
        source, reader, _ = self.edges
        starts = np.searchsorted(reader, np.arange(len(self.groups) + 1))
        return source.tolist(), starts.tolist()

    def sources(self, g: int) -> list[int]:
        """The groups that a group reads: for a look at a few groups, as `reads` is of all."""
        source, starts = self._rows
        return source[starts[g] : starts[g + 1]]

    @cached_property
    def readers(self) -> list[list[int]]:
        """The groups that read each group."""
        readers: list[list[int]] = [[] for _ in self.groups]
        for source, reader in self.edges[:2].T.tolist():
            readers[source].append(reader)
        return readers

    @cached_property
    def is_in_order(self) -> bool:
        """Whether each group stands after those that it reads."""
        source, reader, _ = self.edges
        return bool((source < reader).all())

    @cached_property
    def order(self) -> Sequence[int]:
        """The groups, each after those that it reads."""
        if self.is_in_order:
            return range(len(self.groups))
        missing = np.bincount(self.edges[1], minlength=len(self.groups)).tolist()
        ready = [g for g, count in enumerate(missing) if not count]
        for g in ready:  # grows
            for following in self.readers[g]:
                missing[following] -= 1
                if not missing[following]:
                    ready.append(following)
        return ready

    @cached_property
    def in_turn(self) -> tuple[list[int], list[int]]:
        """Sources and readers of the edges, in the order of the readers."""
        source, reader, _ = self.edges
        if not self.is_in_order:
            position = np.empty(len(self.order), dtype=np.int64)
            position[self.order] = np.arange(len(self.order))
            turn = np.argsort(position[reader], kind="stable")
            source, reader = source[turn], reader[turn]
        return source.tolist(), reader.tolist()

    def levels(self, from_the_end: bool = False) -> np.ndarray:
        """Each group's level: the longest path to it from a group that reads no other.

        From the end: the longest path from it to a group that no other one reads.
        """
        if from_the_end not in self._levels:
            found = np.array(self._longest_paths(from_the_end), dtype=np.int64)
            self._levels[from_the_end] = found
        return self._levels[from_the_end]

    def _longest_paths(self, from_the_end: bool) -> list[int]:
        """Where few groups stand before one that they read, to go over all edges a few times is
        quicker than to sort them.
        """
        level = [0] * len(self.groups)
        if not self.is_in_order:
            source, reader, _ = self.edges.tolist()
            edges = (reader[::-1], source[::-1]) if from_the_end else (source, reader)
            for _ in range(_SWEEPS):
                if not raised(level, *edges):
                    return level
        source, reader = self.in_turn
        raised(level, *((reader[::-1], source[::-1]) if from_the_end else (source, reader)))
        return level

    def in_order(self) -> list[list[Node]]:
        """Groups so that each stands after those that it reads: by level, then as recorded."""
        level = self.levels().tolist()
        groups = self.groups
        order = sorted(range(len(groups)), key=lambda g: (level[g], groups[g][0].place))
        return [groups[g] for g in order]

    def joining(
        self, sets: Sequence[Sequence[int]], made: Mapping[int, list[Node]] = MappingProxyType({})
    ) -> Graph:
        """The graph in which each of these sets of groups is one group; every group is in one.

        `made`: what some of the sets, by their number, become; the others become waves.
        """
        renamed = np.empty(len(self.groups), dtype=np.int64)
        groups: list[list[Node]] = []
        for new, members in enumerate(sets):
            if len(members) == 1:
                renamed[members[0]] = new
            else:
                renamed[list(members)] = new
            if new in made:
                groups.append(made[new])
            elif len(members) == 1:
                groups.append(self.groups[members[0]])
            else:
                groups.append(Wave(joined([n for g in members for n in self.groups[g]])))
        edges = np.stack([*renamed[self.edges[:2]], self.edges[2]], axis=1)
        return Graph(groups, distinct(edges, len(groups)))


def by_length(group: list[Node]) -> list[list[Node]]:
    """One group of padded rows where that is cheap, else one group a length."""
    if len(group) == 1 or cheap_to_pad(group):
        return [group]
    found: dict[int, list[Node]] = {}
    for node in group:
        found.setdefault(len(node.operands[-1]), []).append(node)
    return list(found.values())


def cheap_to_pad(group: Sequence[Node]) -> bool:
    """Whether rows of different lengths are cheaper as one group, with the short ones filled up.

    Not where nearly all have one length: a convolution is regular except at its border.
    """
    lengths = [len(node.operands[-1]) for node in group]
    longest, count = max(lengths), len(lengths)
    if min(lengths) == longest:
        return True
    if group[0].kind == "take":
        return False  # each table checks its indices against its own rows
    if group[0].kind == "dot" and lengths.count(longest) >= _MOSTLY * count:
        return False
    return longest * count <= _PADDING * sum(lengths)


def likeness(node: Node) -> Any:
    """Equal for groups that can be one: a product is a dot of one term, a + b a sum of two."""
    op = node.op
    if op is ops.add or node.kind == "sum":
        return "sum"
    if op is ops.mul or node.kind == "dot":
        return "dot", node.start is not None
    return op if node.kind == "map" else (node.kind, op)


def joined(nodes: Iterable[Node]) -> list[Node]:
    """Nodes of several like groups as one group, in recorded order."""
    found = sorted(nodes, key=attrgetter("place"))
    return found if len({node.kind for node in found}) == 1 else [_as_sum(node) for node in found]


def _as_sum(node: Node) -> Node:
    if node.op is ops.mul and node.kind == "map":
        return Node(node.place, "dot", None, node.operands, None, node.replaces)
    if node.op is ops.add and node.kind == "map":
        both = [node.operands[0][0], node.operands[1][0]]
        return Node(node.place, "sum", ops.add, (both,), None, node.replaces)
    return node

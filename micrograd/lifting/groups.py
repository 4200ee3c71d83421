"""Groups of like nodes, and which read which: what `merge.py` and `wavefront.py` work on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any

from micrograd import ops
from micrograd.lifting.nodes import Node

__all__ = ["Graph", "Serial", "Wave", "by_length", "cheap_to_pad", "joined", "likeness"]

_PADDING = 2.5  # rows of different length share a group if padding costs at most this factor,
_MOSTLY = 0.5  # and at most this share of them are as long as the longest


class Wave(list[Node]):
    """A group that was joined from scattered cells: it is not cut into regular pieces again."""


class Serial(list[Node]):
    """Numbers that are computed one after the other: nothing is joined with them, or padded."""


class Graph:
    """Which groups read which, and in which operands.

    `reads[g]` are the groups that g reads, each with the set of roles as bits: bit k for operand k,
    the bit after the last for where its sums start. `readers[g]` are the groups that read g.
    """

    def __init__(self, groups: Sequence[list[Node]]) -> None:
        self.groups: dict[int, list[Node]] = dict(enumerate(groups))
        self.reads: dict[int, dict[int, int]] = {}
        readers: dict[int, dict[int, None]] = {g: {} for g in self.groups}
        self.readers = readers
        group_of = {node.place: g for g, group in self.groups.items() for node in group}.get
        for g, group in self.groups.items():
            reads = self.reads[g] = {}
            bit = 1
            for places in _places(group):
                for place in places:
                    source = group_of(place)
                    if source is not None:
                        reads[source] = reads.get(source, 0) | bit
                        readers[source][g] = None
                bit *= 2

    def joining(
        self, sets: Iterable[Sequence[int]], made: Mapping[int, list[Node]] = MappingProxyType({})
    ) -> Graph:
        """The graph in which each of these sets of groups is one group; every group is in one.

        `made`: what some of the sets, by their number, become; the others become waves.
        """
        graph = Graph([])
        renamed: dict[int, int] = {}
        for new, members in enumerate(sets):
            renamed.update(dict.fromkeys(members, new))
            graph.groups[new] = made.get(new, self.groups[members[0]])
            if len(members) > 1 and new not in made:
                graph.groups[new] = Wave(joined(n for g in members for n in self.groups[g]))
            graph.reads[new], graph.readers[new] = {}, {}
        for g, reads in self.reads.items():
            reader = renamed[g]
            merged = graph.reads[reader]
            for source, roles in reads.items():
                new = renamed[source]
                if new == reader:
                    continue
                merged[new] = merged.get(new, 0) | roles
                graph.readers[new][reader] = None
        return graph

    def levels(self, from_the_end: bool = False) -> dict[int, int]:
        """Each group's level: the longest path to it from a group that reads no other.

        From the end: the longest path from it to a group that no other one reads.
        """
        before: Any = self.readers if from_the_end else self.reads
        after: Any = self.reads if from_the_end else self.readers
        level = dict.fromkeys(self.groups, 0)
        missing = {g: len(before[g]) for g in self.groups}
        ready = [g for g, count in missing.items() if not count]
        while ready:
            g = ready.pop()
            next_level = level[g] + 1
            for following in after[g]:
                if level[following] < next_level:
                    level[following] = next_level
                missing[following] -= 1
                if not missing[following]:
                    ready.append(following)
        return level

    def in_order(self) -> list[list[Node]]:
        """Groups so that each stands after those that it reads: by level, then as recorded."""
        level = self.levels()
        order = sorted(self.groups, key=lambda g: (level[g], self.groups[g][0].place))
        return [self.groups[g] for g in order]


def _places(group: Sequence[Node]) -> Sequence[Iterable[int]]:
    """The places that a group reads, operand by operand, then those that its sums start from."""
    if len(group) == 1:
        (node,) = group
        return node.operands if node.start is None else (*node.operands, (node.start,))
    found: list[Iterable[int]] = []
    for role in range(len(group[0].operands)):
        lists = {id(node.operands[role]): node.operands[role] for node in group}
        found.append(set(chain.from_iterable(lists.values())))
    found.append({node.start for node in group if node.start is not None})
    return found


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
    if node.kind == "dot" or node.op is ops.mul:
        return "dot", node.start is not None
    if node.kind == "sum" or node.op is ops.add:
        return "sum"
    return node.kind, node.op


def joined(nodes: Iterable[Node]) -> list[Node]:
    """Nodes of several like groups as one group, in recorded order."""
    found = sorted(nodes, key=lambda node: node.place)
    return found if len({node.kind for node in found}) == 1 else [_as_sum(node) for node in found]


def _as_sum(node: Node) -> Node:
    if node.op is ops.mul and node.kind == "map":
        return Node(node.place, "dot", None, node.operands, None, node.replaces)
    if node.op is ops.add and node.kind == "map":
        both = [node.operands[0][0], node.operands[1][0]]
        return Node(node.place, "sum", ops.add, (both,), None, node.replaces)
    return node

"""Like groups that are read together become one, so that ragged rows do not split what follows.

In a causal attention, row t sums over t + 1 terms. For t = 0 nothing is summed, so what follows is
computed two levels earlier than in the other rows, and lands in groups of its own:

    level 1: e00            level 2: e10 + e11, e20 + e21 + e22
    level 2: x0 / e00       level 3: x1 / ..., x2 / ...

But one instruction reads all the quotients in one operand, which tells that they belong together:
`merge` joins like groups that have a reader in common, unless one depends on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from micrograd import ops
from micrograd.lifting.nodes import Node

__all__ = ["by_length", "in_order", "merge"]

_PADDING = 2.5  # rows of different length share a group if padding costs at most this factor
_SEARCHED = 200_000  # groups looked at in search of dependencies; beyond it, groups stay apart


def by_length(group: list[Node]) -> list[list[Node]]:
    """One group of padded rows where that is cheap, else one group a length."""
    if _cheap_to_pad(group):
        return [group]
    found: dict[int, list[Node]] = {}
    for node in group:
        found.setdefault(len(node.operands[-1]), []).append(node)
    return list(found.values())


def _cheap_to_pad(group: Sequence[Node]) -> bool:
    lengths = [len(node.operands[-1]) for node in group]
    if group[0].kind == "take" and min(lengths) < max(lengths):
        return False  # each table checks its indices against its own rows
    return max(lengths) * len(lengths) <= _PADDING * sum(lengths)


class _Graph:
    """Who reads whom, among groups; groups that were merged are one."""

    def __init__(self, groups: list[list[Node]]) -> None:
        self.groups: dict[int, list[Node]] = dict(enumerate(groups))
        self.group_of = {node.place: g for g, group in self.groups.items() for node in group}
        self.reads: dict[int, set[int]] = {}
        self.readers: dict[int, dict[tuple[int, int], None]] = {g: {} for g in self.groups}
        for g, group in self.groups.items():
            self.reads[g] = set()
            for role in range(len(group[0].operands) + 1):
                self._connect(g, role, group)
        self.searched = 0

    def _connect(self, g: int, role: int, group: list[Node]) -> None:
        if role < len(group[0].operands):
            lists = {id(node.operands[role]): node.operands[role] for node in group}
            places = set(chain.from_iterable(lists.values()))
        else:
            places = {node.start for node in group if node.start is not None}
        of = self.group_of
        for source in sorted({of[place] for place in places if place in of}):
            self.reads[g].add(source)
            self.readers[source][g, role] = None

    def depends(self, a: int, b: int) -> bool:
        """Whether group a reads b, through any number of others (or the search is too long)."""
        seen, stack = {a}, [a]
        while stack:
            self.searched += 1
            if self.searched > _SEARCHED:
                return True
            for source in self.reads[stack.pop()]:
                if source == b:
                    return True
                if source not in seen:
                    seen.add(source)
                    stack.append(source)
        return False

    def join(self, a: int, b: int) -> None:
        """Group b becomes part of a."""
        nodes = sorted(self.groups[a] + self.groups.pop(b), key=lambda node: node.place)
        if len({node.kind for node in nodes}) > 1:
            nodes = [_as_sum(node) for node in nodes]
        self.groups[a] = nodes
        self.reads[a] |= self.reads.pop(b)
        for reader, role in self.readers.pop(b):
            self.reads[reader].discard(b)
            self.reads[reader].add(a)
            self.readers[a][reader, role] = None
        for source in self.reads[a]:
            readers = self.readers[source]
            self.readers[source] = {
                ((a, role) if reader == b else (reader, role)): None for reader, role in readers
            }


def merge(groups: list[list[Node]]) -> list[list[Node]]:
    """Join like groups that one group reads in one operand; the last readers first."""
    graph = _Graph(groups)
    waiting = sorted(graph.groups, reverse=True)
    while waiting:
        reader = waiting.pop(0)
        if reader not in graph.groups:
            continue
        alike: dict[Any, list[int]] = {}
        for source in sorted(graph.reads[reader]):
            for role in sorted(r for g, r in graph.readers[source] if g == reader):
                alike.setdefault((role, _likeness(graph.groups[source][0])), []).append(source)
        changed = False
        for members in alike.values():
            kept: list[int] = []
            for g in members:
                if g not in graph.groups:
                    continue
                for other in kept:
                    if _joinable(graph, other, g):
                        graph.join(other, g)
                        changed = True
                        break
                else:
                    kept.append(g)
        if changed:
            waiting = sorted(graph.groups, reverse=True) if len(waiting) < 2 else waiting
    return list(graph.groups.values())


def _joinable(graph: _Graph, a: int, b: int) -> bool:
    nodes = graph.groups[a] + graph.groups[b]
    if not _cheap_to_pad(nodes):
        return False
    widths = {len(node.operands[-1]) for node in nodes}
    if len(nodes) == 2 == len(widths) and graph.reads[a].isdisjoint(graph.reads[b]):
        return False  # a mean of losses and a sum of squared weights: two loops of their own
    return not graph.depends(a, b) and not graph.depends(b, a)


def _likeness(node: Node) -> Any:
    """Equal for groups that can be one: a product is a dot of one term, a + b a sum of two."""
    if node.kind == "dot" or node.op is ops.mul:
        return "dot", node.start is not None
    if node.kind == "sum" or node.op is ops.add:
        return "sum"
    return node.kind, node.op


def _as_sum(node: Node) -> Node:
    if node.op is ops.mul and node.kind == "map":
        return Node(node.place, "dot", None, node.operands, None, node.replaces)
    if node.op is ops.add and node.kind == "map":
        both = [node.operands[0][0], node.operands[1][0]]
        return Node(node.place, "sum", ops.add, (both,), None, node.replaces)
    return node


def in_order(groups: list[list[Node]]) -> list[list[Node]]:
    """Groups so that each stands after those that it reads: by level, then as recorded."""
    graph = _Graph(groups)
    level: dict[int, int] = {}
    missing = {g: len(graph.reads[g]) for g in graph.groups}
    ready = [g for g, count in missing.items() if not count]
    while ready:
        g = ready.pop()
        level[g] = 1 + max((level[source] for source in graph.reads[g]), default=0)
        for reader in dict.fromkeys(reader for reader, _ in graph.readers[g]):
            missing[reader] -= 1
            if not missing[reader]:
                ready.append(reader)
    order = sorted(graph.groups, key=lambda g: (level[g], graph.groups[g][0].place))
    return [graph.groups[g] for g in order]

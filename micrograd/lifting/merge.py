"""Like groups that are read together become one, so that ragged rows do not split what follows.

In a causal attention, row t sums over t + 1 terms. For t = 0 nothing is summed, so what follows is
computed two levels earlier than in the other rows, and lands in groups of its own:

    level 1: e00            level 2: e10 + e11, e20 + e21 + e22
    level 2: x0 / e00       level 3: x1 / ..., x2 / ...

But one instruction reads all the quotients in one operand, which tells that they belong together:
`merge` joins like groups that have a reader in common, unless one depends on the other.
"""

from __future__ import annotations

from typing import Any

from micrograd.lifting.groups import Graph, Serial, cheap_to_pad, joined, likeness

__all__ = ["merge"]

_SEARCHED = 200_000  # groups looked at in search of dependencies; beyond it, groups stay apart


class _Search:
    """Looks for dependencies between groups; gives up when it has looked at very many."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.looked_at = 0

    @property
    def spent(self) -> bool:
        return self.looked_at > _SEARCHED

    def depends(self, a: int, b: int) -> bool:
        """Whether a reads b, through any number of groups; True if the search has given up."""
        seen, stack = {a}, [a]
        while stack:
            self.looked_at += 1
            if self.spent:
                return True
            for source in self.graph.reads[stack.pop()]:
                if source == b:
                    return True
                if source not in seen:
                    seen.add(source)
                    stack.append(source)
        return False

    def joinable(self, a: int, b: int) -> bool:
        """Whether two like groups may be one, and should."""
        nodes = self.graph.groups[a] + self.graph.groups[b]
        self.looked_at += len(nodes) // 16
        if not cheap_to_pad(nodes):
            return False
        reads = self.graph.reads
        widths = {len(node.operands[-1]) for node in nodes}
        if len(nodes) == 2 == len(widths) and reads[a].keys().isdisjoint(reads[b]):
            return False  # a mean of losses and a sum of squared weights: two loops of their own
        return not self.depends(a, b) and not self.depends(b, a)


def merge(graph: Graph) -> Graph:
    """Join like groups that one group reads in one operand; the last readers first.

    In place; whoever needs `graph` as it was keeps a copy.
    """
    search = _Search(graph)
    waiting = sorted(graph.groups)
    while waiting and not search.spent:
        reader = waiting.pop()
        if reader in graph.groups and _join_sources(graph, reader, search) and len(waiting) < 2:
            waiting = sorted(graph.groups)
    return graph


def _join_sources(graph: Graph, reader: int, search: _Search) -> bool:
    """Join what one group reads; whether anything was joined."""
    if len(graph.reads[reader]) < 2:
        return False
    alike: dict[Any, list[int]] = {}
    for source, roles in sorted(graph.reads[reader].items()):
        if isinstance(graph.groups[source], Serial):
            continue
        likeness_of_source = likeness(graph.groups[source][0])
        for role in range(roles.bit_length()):
            if roles >> role & 1:
                alike.setdefault((role, likeness_of_source), []).append(source)
    changed = False
    for members in alike.values():
        kept: list[int] = []
        for g in members:
            if search.spent:
                return changed
            if g not in graph.groups:
                continue
            other = next((k for k in kept if search.joinable(k, g)), None)
            if other is None:
                kept.append(g)
            else:
                _join(graph, other, g)
                changed = True
    return changed


def _join(graph: Graph, a: int, b: int) -> None:
    """Make group b a part of group a."""
    graph.groups[a] = joined(graph.groups[a] + graph.groups.pop(b))
    for source, roles in graph.reads.pop(b).items():
        graph.reads[a][source] = graph.reads[a].get(source, 0) | roles
        del graph.readers[source][b]
        graph.readers[source][a] = None
    for reader in graph.readers.pop(b):
        reads = graph.reads[reader]
        reads[a] = reads.get(a, 0) | reads.pop(b)
        graph.readers[a][reader] = None

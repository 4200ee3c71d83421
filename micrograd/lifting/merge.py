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


def merge(graph: Graph) -> Graph:
    """Join like groups that one group reads in one operand; the last readers first."""
    merged = _Merged(graph)
    waiting = list(range(len(graph.groups)))
    while waiting and not merged.spent:
        reader = waiting.pop()
        if reader in merged.sets and merged.join_sources(reader) and len(waiting) < 2:
            waiting = sorted(merged.sets)
    sets = [members for _, members in sorted(merged.sets.items())]
    made = {k: merged.groups[s[0]] for k, s in enumerate(sets) if len(s) > 1}
    return graph.joining(sets, made) if made else graph


class _Merged:
    """A graph some of whose groups have been joined. A set of groups is known by its first one.

    It looks for dependencies between groups, and gives up when it has looked at very many.
    """

    def __init__(self, graph: Graph) -> None:
        self.sets = {g: [g] for g in range(len(graph.groups))}
        self.groups = list(graph.groups)
        self.reads = list(map(dict, graph.reads))
        self.readers = list(map(set, graph.readers))
        self.looked_at = 0

    @property
    def spent(self) -> bool:
        return self.looked_at > _SEARCHED

    def join_sources(self, reader: int) -> bool:
        """Join what one group reads; whether anything was joined."""
        if len(self.reads[reader]) < 2:
            return False
        alike: dict[Any, list[int]] = {}
        for source, roles in sorted(self.reads[reader].items()):
            if isinstance(self.groups[source], Serial):
                continue
            likeness_of_source = likeness(self.groups[source][0])
            for role in range(roles.bit_length()):
                if roles >> role & 1:
                    alike.setdefault((role, likeness_of_source), []).append(source)
        changed = False
        for members in alike.values():
            kept: list[int] = []
            for g in members:
                if self.spent:
                    return changed
                if g not in self.sets:
                    continue
                other = next((k for k in kept if self._joinable(k, g)), None)
                if other is None:
                    kept.append(g)
                else:
                    self._join(other, g)
                    changed = True
        return changed

    def _joinable(self, a: int, b: int) -> bool:
        """Whether two like groups may be one, and should."""
        nodes = self.groups[a] + self.groups[b]
        self.looked_at += len(nodes) // 16
        if not cheap_to_pad(nodes):
            return False
        widths = {len(node.operands[-1]) for node in nodes}
        if len(nodes) == 2 == len(widths) and self.reads[a].keys().isdisjoint(self.reads[b]):
            return False  # a mean of losses and a sum of squared weights: two loops of their own
        return not self._depends(b, a) and not self._depends(a, b)  # mostly the later one, if any

    def _depends(self, a: int, b: int) -> bool:
        """Whether a reads b, through any number of groups; True if the search has given up."""
        seen, stack = {a}, [a]
        while stack:
            self.looked_at += 1
            if self.spent:
                return True
            for source in self.reads[stack.pop()]:
                if source == b:
                    return True
                if source not in seen:
                    seen.add(source)
                    stack.append(source)
        return False

    def _join(self, a: int, b: int) -> None:
        """Make group b a part of group a."""
        reads, readers = self.reads, self.readers
        self.sets[a] += self.sets.pop(b)
        self.groups[a] = joined(self.groups[a] + self.groups[b])
        for source, roles in reads[b].items():
            reads[a][source] = reads[a].get(source, 0) | roles
            readers[source].remove(b)
            readers[source].add(a)
        for reader in readers[b]:
            reads[reader][a] = reads[reader].get(a, 0) | reads[reader].pop(b)
            readers[a].add(reader)

"""A number that each step makes from the one before becomes one instruction: a scan.

    h1 = tanh(w h0 + x0)      h2 = tanh(w h1 + x1)      h3 = tanh(w h2 + x2)    ...

A running sum is the shortest case. Several that go in lockstep, such as the running sums of the
rows of a matrix, are the lanes of one scan. `scans` finds such chains among groups of one size,
with the help of `links.py`; whatever else depends on a link and is read by a later one forbids it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from micrograd.lifting.candidates import FEWEST
from micrograd.lifting.groups import Graph, Serial
from micrograd.lifting.links import Link, Links
from micrograd.lifting.nodes import Node
from micrograd.lifting.steps.expression import Formula
from micrograd.lifting.strides import distinct

__all__ = ["LANES_SHORTEST", "SHORTEST", "Scan", "scans"]

SHORTEST = 12  # links that are worth a loop,
LANES_SHORTEST = FEWEST  # and so many are if each is several numbers
_SEARCHED = 30  # groups looked at for each group that there is


class Scan(Serial):
    """The links of a chain, all lanes of one link after those of the link before.

    `value` computes a link from what it reads, of which `carried` is the link before; `reads` are
    the places, in the order of the links, for each number in `value`.
    """

    def __init__(
        self,
        links: Sequence[Node],
        lanes: int,
        value: Formula,
        reads: Sequence[list[int]],
        carried: int,
    ) -> None:
        super().__init__(links)
        self.lanes, self.value, self.reads, self.carried = lanes, value, reads, carried
        self.replaces = 0

    @property
    def starts(self) -> list[int]:
        """The places of what the first links are made from."""
        return self.reads[self.carried][: self.lanes]

    def addresses(self, base: int) -> dict[int, int]:
        """Where the links stand, by place: behind a copy of what the first ones are made from."""
        return {node.place: base + self.lanes + k for k, node in enumerate(self)}


def scans(graph: Graph, outputs: Iterable[int]) -> Graph:
    """The graph with chains of groups of one size joined, each as a Scan."""
    counts = Counter(map(len, graph.groups))
    sizes = {n for n, count in counts.items() if count >= _shortest(n)}
    if not sizes:
        return graph
    cells = {group[0].place: g for g, group in enumerate(graph.groups) if len(group) in sizes}
    chains = _Chains(graph, Links(graph, cells, frozenset(outputs)))
    found: list[Scan] = []
    members: list[list[int]] = []
    for chain in chains.find():
        scan = chains.scan(chain)
        if scan is not None:
            some = list(_groups(chain))
            scan.replaces = sum(node.replaces for g in some for node in graph.groups[g])
            found.append(scan)
            members.append(some)
    if not found:
        return graph
    alone = set(range(len(graph.groups))).difference(*members)
    return graph.joining([*members, *([g] for g in alone)], dict(enumerate(found)))


class _Chains:
    """Finds the chains of a graph and makes scans of them."""

    def __init__(self, graph: Graph, links: Links) -> None:
        self.graph, self.links = graph, links
        self.looked_at = 0

    def find(self) -> list[list[Link]]:
        """Chains of links with equal expressions, each of which reads the link before it once."""
        links, kinds, reads = self.links, self.links.kinds, self.links.reads
        before: dict[int, int] = {}
        after: dict[int, list[int]] = {}
        for place, kind in kinds.items():
            alike = [p for p in reads[place] if kinds.get(p) == kind]
            if len(alike) == 1:
                before[place] = alike[0]
                after.setdefault(alike[0], []).append(place)
        found = []
        for place in after:
            if place in before and len(after[before[place]]) == 1:
                continue  # not the first of a chain
            chain = [place]
            while len(after.get(chain[-1], ())) == 1:
                chain.append(after[chain[-1]][0])
            if len(chain) > _shortest(links.lanes(place)):
                found.append([links.link(p) for p in chain])
        return [part for chain in found for part in self._cut(chain)]

    def _cut(self, chain: list[Link]) -> Iterator[list[Link]]:
        """The parts in which each link reads the one before it in one operand.

        The first link is left out where it is unlike the others.
        """
        roles = [link.reads.index(before.place) for before, link in itertools.pairwise(chain)]
        start = 0
        for role, pairs in itertools.groupby(range(len(roles)), roles.__getitem__):
            first, *rest = chain[start : start + len(list(pairs)) + 1]
            same = start == 0 and len(first.reads) == len(rest[0].reads)
            start += len(rest)
            # a cell of as many lanes, from which the first one is made, is no number to begin with
            part = [first, *rest] if same and not self._is_cell(first.reads[role], first) else rest
            if len(part) >= _shortest(first.lanes):
                yield part

    def _is_cell(self, place: int, link: Link) -> bool:
        links = self.links
        return place in links.cells and links.lanes(place) == link.lanes

    def scan(self, chain: Sequence[Link]) -> Scan | None:
        """The scan of a chain, if its lanes go in lockstep and depend on nothing made from them."""
        groups = self.graph.groups
        lanes = chain[0].lanes
        own = list(_groups(chain))
        if not self._is_free(own):
            return None
        nodes = [node for link in chain for node in groups[link.groups[0]]]
        if lanes == 1:
            reads = [[*column] for column in zip(*(link.reads for link in chain), strict=True)]
        else:
            found = [self.links.in_lockstep(link) for link in chain]
            columns = [column for column in found if column is not None]
            if len(columns) < len(chain):
                return None
            reads = [[*itertools.chain.from_iterable(x)] for x in zip(*columns, strict=True)]
        carried = chain[1].reads.index(chain[0].place)
        if reads[carried][lanes:] != [node.place for node in nodes[:-lanes]]:
            return None
        places = {node.place for g in own for node in groups[g]}
        others = [*reads[:carried], reads[carried][:lanes], *reads[carried + 1 :]]
        if not all(map(places.isdisjoint, others)):
            return None
        return Scan(nodes, lanes, self.links.value(chain[0]), reads, carried)

    def _is_free(self, members: Sequence[int]) -> bool:
        """Whether links depend on one another only through the link before each."""
        source, reader, _ = self.graph.edges
        own = np.zeros(len(self.graph.groups), dtype=bool)
        own[members] = True
        stack = distinct(source[own[reader] & ~own[source]]).tolist()
        seen = {*stack}
        while stack:
            self.looked_at += 1
            if self.looked_at > _SEARCHED * len(self.graph.groups):
                return False
            for g in self.graph.sources(stack.pop()):
                if own[g]:
                    return False
                if g not in seen:
                    seen.add(g)
                    stack.append(g)
        return True


def _shortest(lanes: int) -> int:
    return SHORTEST if lanes == 1 else LANES_SHORTEST


def _groups(chain: Sequence[Link]) -> Iterable[int]:
    """The groups that become part of a scan."""
    return (g for link in chain for g in link.groups)

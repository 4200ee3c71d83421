"""A number that each step makes from the one before becomes one instruction: a scan.

    h1 = tanh(w h0 + x0)      h2 = tanh(w h1 + x1)      h3 = tanh(w h2 + x2)    ...

A running sum is the shortest case. Cells that only the next number reads become part of its
expression; what else an expression reads is read by strides, step after step. `scans` finds such
chains among single cells; whatever else depends on a link and is read by a later one forbids it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from micrograd import ops
from micrograd.lifting.groups import Graph, Serial
from micrograd.lifting.nodes import Node
from micrograd.lifting.rows import QUOTIENT_PLUS
from micrograd.lifting.steps.expression import Apply, Formula, Read

__all__ = ["SHORTEST", "Scan", "scans"]

SHORTEST = 12  # links that are worth a loop
_LONGEST = 24  # operations in the expression of one link
_SEARCHED = 30  # groups looked at for each group that there is


class Scan(Serial):
    """The links of a chain. `value` computes one from what it reads, of which `carried` is the link
    before; `reads` are the places, link after link, in the order of the numbers in `value`.
    """

    def __init__(
        self, links: Sequence[Node], value: Formula, reads: list[list[int]], carried: int
    ) -> None:
        super().__init__(links)
        self.value, self.reads, self.carried = value, reads, carried
        self.replaces = 0

    @property
    def first(self) -> int:
        """The place of what the first link is made from."""
        return self.reads[self.carried][0]


def scans(graph: Graph, outputs: Iterable[int]) -> Graph:
    """The graph with chains of single cells joined, each as a Scan."""
    cells = {group[0].place: g for g, group in enumerate(graph.groups) if len(group) == 1}
    if len(cells) < SHORTEST:
        return graph
    chains = _Chains(graph, cells, frozenset(outputs))
    found = [scan for scan in chains.find() if chains.is_free(scan)]
    if not found:
        return graph
    members = [chains.members(scan) for scan in found]
    alone = set(range(len(graph.groups))).difference(*members)
    for scan, some in zip(found, members, strict=True):
        scan.replaces = sum(graph.groups[g][0].replaces for g in some)
    return graph.joining([*members, *([g] for g in alone)], dict(enumerate(found)))


class _Link:
    """One cell with the cells that only it reads: an expression of the places in `reads`."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.inside: list[int] = []  # places of the cells that became part of it
        self.reads: list[int] = []
        self.value: Formula = 0.0


class _Chains:
    """Finds the chains of a graph and makes scans of them."""

    def __init__(self, graph: Graph, cells: dict[int, int], outputs: frozenset[int]) -> None:
        self.graph, self.cells = graph, cells
        self.inner = {p for p in cells if p not in outputs and self._is_inner(p)}
        self.links: dict[int, _Link] = {}
        for place in self._candidates():
            link = self._link(place)
            if link is not None:
                self.links[place] = link
        self.looked_at = 0

    def _node(self, place: int) -> Node:
        return self.graph.groups[self.cells[place]][0]

    def _is_inner(self, place: int) -> bool:
        """Whether one cell reads this one, once, and nothing else does."""
        readers = self.graph.readers[self.cells[place]]
        if len(readers) != 1:
            return False
        group = self.graph.groups[next(iter(readers))]
        if len(group) != 1 or group[0].kind == "take":
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
                last[place] = node.kind, node.op, kinds
        found: dict[int, None] = {}
        for place, own in last.items():
            for reader in self.graph.readers[cells[place]]:
                group = groups[reader]
                after = root.get(group[0].place) if len(group) == 1 else None
                if after is not None and last[after] == own:
                    found[place] = found[after] = None
        return found

    def _link(self, place: int) -> _Link | None:
        """The expression of a cell, if it is short enough."""
        link = _Link(self._node(place))
        try:
            link.value = self._value(link, place, {}, [0])
        except OverflowError:
            return None
        return link

    def _value(
        self, link: _Link, place: int, numbers: dict[int, Read], count: list[int]
    ) -> Formula:
        """What a place stands for in the expression of `link`; `count`: the operands so far."""
        if place != link.node.place and place not in self.inner:
            if place not in numbers:
                numbers[place] = Read(len(numbers))
                link.reads.append(place)
            return numbers[place]
        node = self._node(place)
        count[0] += sum(map(len, node.operands))
        if count[0] > _LONGEST or node.kind == "take":
            raise OverflowError
        if place != link.node.place:
            link.inside.append(place)
        return _expression(node, lambda p: self._value(link, p, numbers, count))

    def find(self) -> list[Scan]:
        """Chains of links with equal expressions, each of which reads the link before it once."""
        before: dict[int, int] = {}
        after: dict[int, list[int]] = {}
        for place, link in self.links.items():
            alike = [p for p in link.reads if p in self.links and self._alike(p, place)]
            if len(alike) == 1:
                before[place] = alike[0]
                after.setdefault(alike[0], []).append(place)
        found = []
        for place in self.links:
            if place in before and len(after.get(before[place], ())) == 1:
                continue  # not the first of a chain
            chain = [place]
            while len(after.get(chain[-1], ())) == 1:
                chain.append(after[chain[-1]][0])
            found += self._cut(chain)
        return found

    def _alike(self, a: int, b: int) -> bool:
        return self.links[a].value == self.links[b].value

    def _cut(self, chain: list[int]) -> list[Scan]:
        """The scan of a chain: from where all links read the one before in the same operand."""
        if len(chain) <= SHORTEST:
            return []
        links = [self.links[p] for p in chain]
        roles = [link.reads.index(p) for p, link in zip(chain, links[1:], strict=False)]
        first = links[0]
        rest = links[1:]
        if len(set(roles)) > 1:
            return []
        (carried,) = set(roles)
        start = first.reads[carried] if len(first.reads) == len(rest[0].reads) else None
        if start is not None and start not in self.cells:  # the first link is one like the others
            rest = links
        reads = [list(column) for column in zip(*(link.reads for link in rest), strict=True)]
        return [Scan([link.node for link in rest], rest[0].value, reads, carried)]

    def members(self, scan: Scan) -> list[int]:
        """The groups that become part of a scan."""
        return [self.cells[p] for node in scan for p in
                (node.place, *self.links[node.place].inside)]  # fmt: skip

    def is_free(self, scan: Scan) -> bool:
        """Whether links depend on one another only through the link before each."""
        own = set(self.members(scan))
        stack = list({
            source
            for node in scan
            for p in (node.place, *self.links[node.place].inside)
            for source in self.graph.reads[self.cells[p]]
        } - own)  # fmt: skip
        seen = set(stack)
        while stack:
            self.looked_at += 1
            if self.looked_at > _SEARCHED * len(self.graph.groups):
                return False
            for source in self.graph.reads[stack.pop()]:
                if source in own:
                    return False
                if source not in seen:
                    seen.add(source)
                    stack.append(source)
        return True


def _expression(node: Node, value: Any) -> Formula:
    """What a node computes, from what its operands do."""
    columns = [[value(p) for p in places] for places in node.operands]
    if node.kind == "dot":
        terms: list[Formula] = [Apply(ops.mul, pair) for pair in zip(*columns, strict=True)]
        if node.start is not None:
            terms.append(value(node.start))
        return reduce(lambda a, b: Apply(ops.add, (a, b)), terms)
    if node.kind in ("sum", "chain"):
        assert node.op is not None
        op = node.op
        found: Formula = reduce(lambda a, b: Apply(op, (a, b)), columns[0])
        return found
    inputs: tuple[Formula, ...] = tuple(column[0] for column in columns)
    assert node.op is not None
    if node.op is QUOTIENT_PLUS:
        return QUOTIENT_PLUS.composed(*inputs)  # type: ignore[misc, no-any-return]
    return Apply(node.op, inputs)

"""Triangles of dot products are completed to rectangles, which are matrix products.

In a causal attention, position t looks at positions 0 to t. Its scores are a triangle of dots,
and its result a sum of t + 1 terms:

    q0.k0                            w00 v0
    q1.k0  q1.k1                     w10 v0 + w11 v1
    q2.k0  q2.k1  q2.k2              w20 v0 + w21 v1 + w22 v2

`completed` adds the dots that are missing; nothing reads them. `lengthened` lets each short sum
read on where the longest one reads, with a mask for the terms that are not its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from micrograd import ops
from micrograd.lifting.nodes import Node

__all__ = ["LONG", "alongside", "completed", "lengthened"]

LONG = 4  # rows and sums shorter than this are faster as they are
_FULL = 0.4  # at least this share of a rectangle is there before it is completed


def completed(nodes: list[Node], places: Iterator[int]) -> list[Node]:
    """The dots and, at fresh places, those that complete their triangles; else the dots alone.

    Several triangles (one for each head of an attention) must be of one size.
    """
    first = nodes[0]
    if first.kind != "dot" or len(nodes) < LONG or not _alike(nodes):
        return nodes
    triangles = _triangles(nodes)
    shapes = {(len(t.lefts), len(t.rights)) for t in triangles}
    ((rows, columns),) = shapes if len(shapes) == 1 else {(0, 0)}
    whole = rows * columns * len(triangles)
    if min(rows, columns) < LONG or not _FULL * whole <= len(nodes) < whole:
        return nodes
    if any(not triangle.is_consistent() for triangle in triangles):
        return nodes
    return [node for triangle in triangles for node in triangle.completed(places)]


def alongside(
    nodes: list[Node], whole: Mapping[int, list[int]], places: Iterator[int]
) -> list[Node]:
    """Completed dots times one number, for all of them; or the nodes as they are.

    `whole`: for each place of a completed group, the places of the group in order.
    """
    first = nodes[0]
    if not whole or first.kind != "map" or first.op is not ops.mul:
        return nodes
    for role in (0, 1):
        others = {node.operands[1 - role][0] for node in nodes}
        found = whole.get(first.operands[role][0])
        if found is None or len(others) > 1:
            continue
        made = {node.operands[role][0]: node for node in nodes}
        if len(made) < len(nodes) or not made.keys() <= set(found):
            continue
        (other,) = others
        operands = [((x,), (other,)) if role == 0 else ((other,), (x,)) for x in found]
        return [
            made.get(x) or Node(next(places), "map", ops.mul, both, None, 0)
            for x, both in zip(found, operands, strict=True)
        ]
    return nodes


def _alike(nodes: Sequence[Node]) -> bool:
    """Whether all are plain dots of one length."""
    width = len(nodes[0].operands[0])
    return all(node.start is None and len(node.operands[0]) == width for node in nodes)


class _Triangle:
    """Dots of some left operands with some right ones, known by their first place."""

    def __init__(self) -> None:
        self.lefts: dict[int, Sequence[int]] = {}
        self.rights: dict[int, Sequence[int]] = {}
        self.dots: dict[tuple[int, int], Node] = {}
        self.count = 0

    def add(self, node: Node) -> None:
        left, right = node.operands
        self.lefts.setdefault(left[0], left)
        self.rights.setdefault(right[0], right)
        self.dots[left[0], right[0]] = node
        self.count += 1

    def is_consistent(self) -> bool:
        """Whether the first place tells the operand, and no dot comes twice."""
        return self.count == len(self.dots) and all(
            tuple(node.operands[0]) == tuple(self.lefts[a])
            and tuple(node.operands[1]) == tuple(self.rights[b])
            for (a, b), node in self.dots.items()
        )

    def completed(self, places: Iterator[int]) -> Iterator[Node]:
        for a, left in self.lefts.items():
            for b, right in self.rights.items():
                found = self.dots.get((a, b))
                yield found or Node(next(places), "dot", None, (left, right), None, 0)


def _triangles(nodes: Sequence[Node]) -> list[_Triangle]:
    """The dots in sets that have no operand in common, in the order of their first dots."""
    of_left: dict[int, int] = {}
    of_right: dict[int, int] = {}
    joined: list[int] = []  # of a triangle, the one that it turned out to be a part of

    def root(k: int) -> int:
        while joined[k] != k:
            k = joined[k]
        return k

    for node in nodes:
        a, b = node.operands[0][0], node.operands[1][0]
        if a not in of_left and b not in of_right:
            joined.append(len(joined))
        first = of_left.get(a, of_right.get(b, len(joined) - 1))
        second = of_right.get(b, first)
        low, high = sorted((root(first), root(second)))
        joined[high] = low
        of_left[a] = of_right[b] = low
    found: dict[int, _Triangle] = {}
    for node in nodes:
        found.setdefault(root(of_left[node.operands[0][0]]), _Triangle()).add(node)
    return list(found.values())


def lengthened(
    reads: Sequence[np.ndarray], short: np.ndarray, zero: int, one: int
) -> list[np.ndarray] | None:
    """The addresses of padded sums, with those operands filled up that then read regularly.

    `short`: where a row has no term. One more operand says so, by the addresses of 0 and 1. Only
    addresses are filled in that some row really reads. None if no operand can be filled up.
    """
    found, filled_up = list(reads), False
    longest = int(short.sum(axis=1).argmin())
    for role, places in enumerate(reads):
        filled = places[:, :1] + (places[longest] - places[longest, 0])
        if (filled == places)[~short].all() and np.isin(filled[short], places[~short]).all():
            found[role], filled_up = filled, True
    return [*found, np.where(short, zero, one)] if filled_up else None

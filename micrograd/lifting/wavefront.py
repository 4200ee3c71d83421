"""Cells that can be computed at the same time become one group, whatever their neighbours are.

A table that is filled from its neighbours (dynamic programming, a recurrence with a loss at each
step) falls apart into single cells, as a cell at the border reads other operands than one inside,
and its neighbour reads it. But on an antidiagonal no cell reads another one:

    d01  d02  d03          waves: d01 d10 | d02 d11 d20 | d03 d12 d21 d30 | ...
    d10  d11  d12

`waves` joins small groups of one operation that are equally many steps away from the end (or from
the beginning). What is as far away cannot depend on each other, so no search is needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd.lifting.groups import Graph, Serial, cheap_to_pad, likeness

__all__ = ["waves"]

_FEWEST = 4  # so many groups are worth a gather, if most of them are small:
_LIKE_A_CELL = 4  # at most so many times as large as the smallest, which is a cell
_NUMBERS = 256  # of each cell that is spared, at most so many may have to be copied


def waves(graph: Graph, from_the_end: bool) -> Graph:
    """Join like groups of one distance from the end, or from the beginning."""
    sets = [some for some in _alike(graph, from_the_end) if _worth_joining(graph, some)]
    if not sets:
        return graph
    alone = set(range(len(graph.groups))).difference(*sets)
    return graph.joining(sorted([*sets, *([g] for g in alone)]))


def _alike(graph: Graph, from_the_end: bool) -> list[list[int]]:
    """Like groups of one level, where there are some."""
    level = graph.levels(from_the_end)
    members = np.flatnonzero(np.bincount(level)[level] >= _FEWEST)
    groups = [graph.groups[g] for g in members.tolist()]
    numbers: dict[Any, int] = {}
    kind = np.array([
        -1 if isinstance(group, Serial) else numbers.setdefault(likeness(group[0]), len(numbers))
        for group in groups
    ], dtype=np.int64)  # fmt: skip
    key = level[members] * len(numbers) + kind
    order = np.argsort(key, kind="stable")
    order = order[kind[order] >= 0]
    sets = np.split(members[order], np.flatnonzero(np.diff(key[order])) + 1)
    return [some.tolist() for some in sets if len(some) >= _FEWEST]


def _worth_joining(graph: Graph, members: list[int]) -> bool:
    """Whether one group of them all spares more instructions than its copies cost.

    What is compared are ratios, so that a batch of any size is treated alike.
    """
    count = len(members)
    groups = [graph.groups[g] for g in members]
    sizes = [len(group) for group in groups]
    cell = min(sizes)
    small = sum([size <= _LIKE_A_CELL * cell for size in sizes])
    if 2 * small < count:
        return False
    if all(group[0].kind == "map" for group in groups):
        return sum(sizes) <= _NUMBERS * count * cell
    nodes = [node for group in groups for node in group]
    reads = len(nodes) * max([len(node.operands[-1]) for node in nodes])
    return reads <= _NUMBERS * count * cell and cheap_to_pad(nodes)

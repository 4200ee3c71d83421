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

from collections import Counter
from typing import Any

from micrograd.lifting.groups import Graph, Serial, cheap_to_pad, likeness

__all__ = ["waves"]

_FEWEST = 4  # so many groups are worth a gather, if most of them are small:
_LIKE_A_CELL = 4  # at most so many times as large as the smallest, which is a cell
_NUMBERS = 256  # of each cell that is spared, at most so many may have to be copied


def waves(graph: Graph) -> Graph:
    """Join like groups of one distance from the end, then those of one from the beginning."""
    for from_the_end in (True, False):
        levels = graph.levels(from_the_end)
        counts = Counter(levels)
        if max(counts.values(), default=0) < _FEWEST:
            continue
        alike: dict[Any, list[int]] = {}
        for g, level in enumerate(levels):
            if counts[level] >= _FEWEST and not isinstance(graph.groups[g], Serial):
                alike.setdefault((level, likeness(graph.groups[g][0])), []).append(g)
        sets = [members for members in alike.values() if _worth_joining(graph, members)]
        if sets:
            alone = set(range(len(levels))).difference(*sets)
            graph = graph.joining(sorted([*sets, *([g] for g in alone)]))
    return graph


def _worth_joining(graph: Graph, members: list[int]) -> bool:
    """Whether one group of them all spares more instructions than its copies cost.

    What is compared are ratios, so that a batch of any size is treated alike.
    """
    count = len(members)
    if count < _FEWEST:
        return False
    groups = [graph.groups[g] for g in members]
    sizes = [len(group) for group in groups]
    cell = min(sizes)
    small = sum(size <= _LIKE_A_CELL * cell for size in sizes)
    if 2 * small < count:
        return False
    nodes = [node for group in groups for node in group]
    reads = len(nodes) * max(len(node.operands[-1]) for node in nodes)
    return reads <= _NUMBERS * count * cell and cheap_to_pad(nodes)

"""Which cells may be links of a chain: found by arrays, before an expression is written.

Links of a chain end with the same operation, and each reads the one before it, but no other number
that was made from that one. In an irregular formula few cells are left, and none where two numbers
read each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from micrograd.lifting.groups import Graph
from micrograd.lifting.nodes import Node, operands

__all__ = ["FEWEST", "candidates"]

FEWEST = 8  # links that may be worth a loop
_FEW = 16  # a number with more readers is not looked into


def candidates(
    graph: Graph, cells: Mapping[int, int], outputs: frozenset[int]
) -> tuple[np.ndarray, np.ndarray]:
    """For each group, whether it is inside another one's expression, and may be part of a chain.

    `cells`: the group of each place that is the first of its group; `outputs` are inside no other.
    """
    groups = graph.groups
    lanes = np.array([*map(len, groups)], dtype=np.int64)
    firsts = [group[0] for group in groups]
    last = np.array([id(node.op) for node in firsts], dtype=np.int64)
    cell = np.zeros(len(groups), dtype=bool)
    cell[[*cells.values()]] = True
    inside = _read_once(graph, firsts, lanes, cell)
    inside[[cells[place] for place in outputs if place in cells]] = False
    inside[_ends_of_turns(graph, inside, last)] = False

    source, reader, _ = graph.edges
    root = np.arange(len(groups))  # the cell whose expression one is part of
    root[source[inside[source]]] = reader[inside[source]]
    while (root[root] != root).any():
        root = root[root]
    after = root[reader]
    repeats = cell[source] & ~inside[source] & cell[after]
    repeats &= (last[source] == last[after]) & (lanes[source] == lanes[after])
    pairs = np.stack([source[repeats], after[repeats]])
    links = _longest(pairs, len(groups))
    pairs = pairs[:, links[pairs[0]] >= FEWEST]
    if pairs.size:
        pairs = pairs[:, ~_by_a_third(pairs, np.stack([source, after]), len(groups))]
        links = _longest(pairs, len(groups))
    return inside, cell & (links >= FEWEST)[root]


def _ends_of_turns(graph: Graph, inside: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The cells at which a long expression repeats itself, turn after turn.

    Where only the last number of a recurrence is read, each link is inside the next one. The way
    down through the operands that take the most steps leads through all of them.
    """
    source, reader, _ = graph.edges
    level = graph.levels()
    source, reader = source[inside[source]], reader[inside[source]]
    order = np.lexsort((level[source], reader))
    source, reader = source[order], reader[order]
    longest = np.append(reader[1:] != reader[:-1], True)[: len(reader)]
    source, reader = source[longest], reader[longest]
    top = np.arange(len(level))
    top[source] = reader
    while (top[top] != top).any():
        top = top[top]
    source = source[np.bincount(top[source], minlength=len(level))[top[source]] >= FEWEST]
    source = source[np.lexsort((level[source], top[source]))]
    ways = np.split(source, np.flatnonzero(np.diff(top[source])) + 1)
    whole = [np.append(way, top[way[:1]]) for way in ways]
    return np.concatenate([way[_repeated(last[way])] for way in whole])


def _repeated(operations: np.ndarray) -> np.ndarray:
    """Where the rarest operation is, if it comes at one distance FEWEST times in a row.

    Of several that are as rare, the one that comes last: from there to there is a turn.
    """
    numbers: dict[int, int] = {}
    which = np.array(
        [numbers.setdefault(x, len(numbers)) for x in operations.tolist()], dtype=np.int64
    )
    counts = np.bincount(which)
    last = np.zeros(len(counts), dtype=np.int64)
    last[which] = np.arange(len(which))
    often = np.flatnonzero(counts > FEWEST)
    if not len(often):
        return often
    rarest = often[np.lexsort((-last[often], counts[often]))[0]]
    at = np.flatnonzero(which == rarest)
    runs = np.split(np.arange(len(at) - 1), np.flatnonzero(np.diff(np.diff(at))) + 1)
    even = [at[run[0] : run[-1] + 2] for run in runs if len(run) >= FEWEST]
    return np.concatenate(even) if even else at[:0]


def _by_a_third(pairs: np.ndarray, edges: np.ndarray, count: int) -> np.ndarray:
    """Of which pairs the second one reads a number that was made from the first one, too."""
    reads = edges[:, np.argsort(edges[0], kind="stable")]
    sizes = np.bincount(edges[0], minlength=count)
    starts = np.cumsum(sizes) - sizes
    is_first = np.zeros(count, dtype=bool)
    is_first[pairs[0]] = True
    first, third = reads[:, is_first[reads[0]]]
    some = sizes[third] <= _FEW
    first, third = first[some], third[some]
    turns = sizes[third]
    behind = np.arange(turns.sum()) + np.repeat(starts[third] - (np.cumsum(turns) - turns), turns)
    found = np.sort(np.repeat(first, turns) * count + reads[1][behind])
    wanted = pairs[0] * count + pairs[1]
    there: np.ndarray = np.append(found, -1)[np.searchsorted(found, wanted)] == wanted
    return there


def _longest(pairs: np.ndarray, count: int) -> np.ndarray:
    """How many pairs one after the other go through each cell; what is FEWEST or more is cut."""
    found = np.zeros(count, dtype=np.int64)
    for before, after in (pairs, pairs[::-1]):
        length = np.zeros(count, dtype=np.int64)
        for k in range(FEWEST):
            length[after[length[before] == k]] = k + 1
        found += length
    return found


def _read_once(
    graph: Graph, firsts: Sequence[Node], lanes: np.ndarray, cell: np.ndarray
) -> np.ndarray:
    """The cells of which only one cell of as many lanes reads the first lane, and once."""
    source, reader, roles = graph.edges
    once = cell[source] & (np.bincount(source, minlength=len(firsts))[source] == 1)
    once &= lanes[source] == lanes[reader]
    is_map = np.array([node.kind == "map" for node in firsts], dtype=bool)
    simple = once & is_map[reader] & (lanes[source] == 1) & (roles <= 2)
    found = np.zeros(len(firsts), dtype=bool)
    found[source[simple]] = True
    others = once & ~simple
    for g, r in zip(source[others].tolist(), reader[others].tolist(), strict=True):
        if firsts[r].kind != "take":
            read = [place for places in operands(firsts[r]) for place in places]
            found[g] = read.count(firsts[g].place) == 1
    return found

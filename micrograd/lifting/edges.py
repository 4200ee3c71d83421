"""Which groups read which: the edges of `groups.Graph`, as an array with a column for each.

A column holds source, reader, and the set of roles as bits: bit k for operand k, the bit after the
last for where sums start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from micrograd.lifting.nodes import Node

__all__ = ["distinct", "edges_into", "edges_of", "raised"]

_LAST_ROLE = 62  # operands after that share its bit


def edges_of(groups: Sequence[list[Node]]) -> np.ndarray:
    """Which groups read which, from the places of their nodes."""
    group_of = {node.place: g for g, group in enumerate(groups) for node in group}
    edges: list[int] = []
    for g, group in enumerate(groups):
        edges += edges_into(g, group, group_of.get)
    return distinct(edges, len(groups))


def edges_into(g: int, group: Sequence[Node], group_of: Callable[[int], Any]) -> list[int]:
    """Source, reader and bit of the role of all that a group reads, one after the other.

    `group_of`: the number of a place's group; anything else for a leaf.
    """
    found: list[int] = []
    for role, places in enumerate(_places(group)):
        bit = 1 << min(role, _LAST_ROLE)
        for source in {*map(group_of, places)}:
            if type(source) is int:
                found += source, g, bit
    return found


def distinct(edges: Any, count: int) -> np.ndarray:
    """Edges of so many groups, each once with all its roles, in the order of readers."""
    source, reader, roles = np.array(edges, dtype=np.int64).reshape(-1, 3).T
    key = reader * count + source
    order = np.argsort(key, kind="stable")
    key, roles = key[order], roles[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    if len(first):
        roles = np.bitwise_or.reduceat(roles, first)
    reader, source = np.divmod(key[first], count)
    return np.stack([source, reader, roles])[:, source != reader]


def _places(group: Sequence[Node]) -> Sequence[Iterable[int]]:
    """The places that a group reads, operand by operand, then those that its sums start from."""
    first = group[0]
    if len(group) == 1:
        return first.operands if first.start is None else (*first.operands, (first.start,))
    found: list[Iterable[int]] = []
    for role in range(len(first.operands)):
        lists = {id(node.operands[role]): node.operands[role] for node in group}
        found.append(set(chain.from_iterable(lists.values())))
    found.append({node.start for node in group if node.start is not None})
    return found


def raised(level: list[int], before: Iterable[int], after: Iterable[int]) -> bool:
    """Raise each edge's end above its beginning, in a list of levels; whether one was not."""
    changed = False
    for a, b in zip(before, after, strict=True):
        if level[b] <= level[a]:
            level[b] = level[a] + 1
            changed = True
    return changed

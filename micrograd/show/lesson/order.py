"""The order in which a graph is worked out by hand, for lists and tables.

The engine's own order is as good for a machine, but goes down one branch before it looks at the
next. Read `by_rank`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["by_rank"]

_NUMBER = re.compile(r"(\d+)")


def by_rank(names: Sequence[str], inputs: Sequence[Sequence[int]]) -> list[int]:
    """The places of all nodes, forward: rank by rank, and by name within a rank, x2 before x10.

    What is given has rank 0, anything else stands one rank above the highest of its inputs:
    rank(v) = 1 + max rank(input). Backward is the reverse. `inputs` are places before a node's own.
    """
    ranks: list[int] = []
    for operands in inputs:
        ranks.append(1 + max((ranks[k] for k in operands), default=-1))
    return sorted(range(len(ranks)), key=lambda i: (ranks[i], _natural(names[i]), i))


def _natural(name: str) -> list[tuple[int, str]]:
    """A name's letters and numbers in turn, so that numbers count as such."""
    parts = _NUMBER.split(name)
    return [(int(part) if k % 2 else 0, part) for k, part in enumerate(parts)]

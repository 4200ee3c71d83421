"""What `fuse.py` makes of a tape: one `Node` for each number that the program will compute."""

from __future__ import annotations

from collections.abc import Sequence

from micrograd import ops
from micrograd.op import Op

__all__ = ["Node", "addition", "operands"]


class Node:
    """One scalar result: `kind` ('map', 'sum', 'dot', 'chain', 'take'), its op, operands, and size.

    `operands` are lists of tape places, one list for each role: a map has one place in each; a dot
    has xs and ws; a take has [integer] and candidates. `start`: where a sum begins, or None.
    """

    __slots__ = ("place", "kind", "op", "operands", "start", "replaces")

    def __init__(
        self,
        place: int,
        kind: str,
        op: Op | None,
        operands: tuple[Sequence[int], ...],
        start: int | None = None,
        replaces: int = 1,
    ) -> None:
        self.place = place
        self.kind = kind
        self.op = op
        self.operands = operands
        self.start = start
        self.replaces = replaces  # how many recorded nodes this one stands for


def addition(place: int, a: int, b: int) -> Node:
    """The node of a + b."""
    return Node(place, "map", ops.add, ((a,), (b,)))


def operands(node: Node) -> Sequence[Sequence[int]]:
    """The places that a node reads, role by role; what a sum starts from is the last one."""
    return node.operands if node.start is None else (*node.operands, (node.start,))
